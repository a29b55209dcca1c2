//! `audit-log --from NOTE`: an audit that goes on from an earlier one finds what one from the beginning would.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use commitment::{Note, SignerKey, Standing};

use crate::binary::Folder;
use crate::proofs::{copy, restore};

const LAST: &str = "stillthere.store/keys/signing.key.last";
const AUDIT: &str = "audit-log --key auditor.key";

/// A signed store that was audited once: `first.note`.
fn audited() -> Folder {
    let folder = Folder::signed();
    folder.words("key new --key auditor.key --origin auditor.example").expect(0);
    folder.words(&format!("{AUDIT} --keep -o first.note")).expect(0);
    folder
}

impl Folder {
    /// Events of an account that is there and of one that is not.
    fn others(&self, day: u32) {
        let line = |account: &str| {
            let at = format!("2025-10-{day:02}T12:00:00Z");
            format!(
                r#"{{"id":"o{day}","account":"{account}","occurred_at":"{at}","recorded_at":"{at}","kind":"item_uploaded","item":"d{day}","category":"photos","bytes":5,"actor":"user"}}"#
            ) + "\n"
        };
        self.write("others.ndjson", line("ann") + &line(&format!("new-{day}")) + &line("new"));
        self.words("import --trust-recorded-at others.ndjson").expect(0);
    }

    fn grown(&self, days: std::ops::Range<u32>) {
        for day in days {
            self.more(day);
            self.others(day);
            self.words("checkpoint").expect(0);
        }
    }

    /// The audit from a note is refused, and leaves nothing.
    fn refuses(&self, from: &str, said: &str) {
        let line = format!("{AUDIT} --from {from} --keep -o out.note");
        self.words(&line).expect(1).says(said).says("nothing was signed");
        assert!(!self.path("out.note").exists() && !self.path("out.note.chains").exists());
    }
}

#[test]
fn going_on_comes_to_the_same() {
    let folder = audited();
    folder.grown(2..5);
    let text = folder.words(&format!("{AUDIT} --from first.note --keep -o second.note --json"));
    let answer = text.expect(0).object();
    assert_eq!((&answer["from"], &answer["size"]), (&19.into(), &4.into()));
    let same = |from: &str| {
        let whole = folder.words(&format!("{AUDIT} --keep -o whole.note --json")).expect(0);
        assert_eq!(whole.object()["from"], 0);
        assert_eq!(folder.read(from), folder.read("whole.note"));
        let chains = |note: &str| folder.read(&format!("{note}.chains"));
        assert!(chains(from) == chains("whole.note"), "what is kept of {from}");
    };
    same("second.note");
    // And from there, over one more seal, over none, and from the first again.
    folder.grown(5..6);
    folder.words(&format!("{AUDIT} --from second.note --keep -o third.note")).expect(0);
    same("third.note");
    folder.words(&format!("{AUDIT} --from third.note --keep -o fourth.note")).expect(0);
    same("fourth.note");
    folder.words(&format!("{AUDIT} --from first.note --keep -o fifth.note")).expect(0);
    same("fifth.note");
    // A certificate takes the note as it takes any.
    folder.words("certify ann --audit third.note -o ann.cert").expect(0);
    let ran = folder.words("check ann.cert --auditor auditor.key.pub --json").expect(0);
    assert!(ran.out.contains("auditor.example"), "{ran:#?}");
    // The store's derived files are not asked.
    fs::remove_dir_all(folder.path("stillthere.store/derived")).unwrap();
    folder.words(&format!("{AUDIT} --from first.note --keep -o fifth.note")).expect(0);
    same("fifth.note");
}

#[test]
fn it_goes_up_to_the_checkpoint_that_is_asked_about() {
    let folder = audited();
    folder.grown(2..4);
    let published = "stillthere.store/tlog/checkpoint";
    fs::copy(folder.path(published), folder.path("third.cp")).unwrap();
    folder.grown(4..6);
    folder.more(6);
    let upto = "--checkpoint third.cp --keep";
    folder.words(&format!("{AUDIT} {upto} --from first.note -o second.note")).expect(0);
    folder.words(&format!("{AUDIT} {upto} -o whole.note")).expect(0);
    assert_eq!(folder.read("second.note"), folder.read("whole.note"));
    assert!(folder.read("second.note.chains") == folder.read("whole.note.chains"));
    folder.words(&format!("{AUDIT} --from second.note -o third.note")).expect(0);
    folder.words(&format!("{AUDIT} -o whole.note")).expect(0);
    assert_eq!(folder.read("third.note"), folder.read("whole.note"));
    // A note of more pages than the checkpoint has.
    let line = format!("{AUDIT} --checkpoint third.cp --from third.note");
    folder.words(&line).expect(1).says("of 5 pages, and the checkpoint has 3");
}

#[test]
fn what_is_kept_is_for_its_owner_alone() {
    let folder = audited();
    let mode = fs::metadata(folder.path("first.note.chains")).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    folder.words(&format!("{AUDIT} --keep")).expect(2).says("--output");
    let inside = format!("{AUDIT} --keep -o stillthere.store/a.note");
    folder.words(&inside).expect(2).says("lies in the store's folder");
    // Not every audit keeps something.
    folder.words(&format!("{AUDIT} -o plain.note")).expect(0);
    assert!(!folder.path("plain.note.chains").exists());
    let ran = folder.words(&format!("{AUDIT} --from plain.note")).expect(2);
    ran.says("plain.note.chains").says("audit from the beginning, without --from and with --keep");
}

/// The parts of what was kept: the auditor's note on it, and what it says.
fn parts(folder: &Folder) -> (Note, Standing) {
    let bytes = folder.read("first.note.chains");
    let at = bytes.windows(8).position(|bytes| bytes == b"STILLAUD").unwrap();
    (Note::parse(&bytes[..at]).unwrap(), Standing::decode(&bytes[at..]).unwrap())
}

#[test]
fn what_was_kept_is_believed_by_its_signature_and_its_root() {
    let folder = audited();
    folder.grown(2..3);
    let whole = folder.read("first.note.chains");
    for at in (0..whole.len()).step_by(37).chain([whole.len() - 1]) {
        let mut bytes = whole.clone();
        bytes[at] ^= 1;
        folder.write("first.note.chains", bytes);
        folder.refuses("first.note", "first.note.chains: ");
    }
    for len in [0, 1, whole.len() / 2, whole.len() - 1] {
        folder.write("first.note.chains", &whole[..len]);
        folder.refuses("first.note", "first.note.chains: ");
    }
    // By another auditor, and beside another note of this one.
    folder.write("first.note.chains", &whole);
    folder.words("key new --key other.key --origin auditor.example").expect(0);
    folder.words("audit-log --key other.key --keep -o other.note").expect(0);
    folder.refuses("other.note", "no signature by a known key");
    fs::copy(folder.path("other.note.chains"), folder.path("first.note.chains")).unwrap();
    folder.refuses("first.note", "this auditor did not sign it");
    folder.words(&format!("{AUDIT} --keep -o second.note")).expect(0);
    fs::copy(folder.path("second.note.chains"), folder.path("first.note.chains")).unwrap();
    folder.refuses("first.note", "kept beside another note");
    folder.write("first.note.chains", &whole);

    // Not even what the auditor signed is believed where it does not give the sealed root.
    let key = String::from_utf8(folder.read("auditor.key")).unwrap();
    let key = SignerKey::parse(key.trim()).unwrap();
    let forge = |change: &dyn Fn(&mut Standing)| {
        let (note, mut standing) = parts(&folder);
        change(&mut standing);
        let bytes = standing.encode();
        let text = note.unverified_text();
        let hash = commitment::hex(blake3::hash(&bytes).as_bytes());
        let lines: Vec<&str> = text.lines().take(2).chain([&*hash]).collect();
        let mut signed = Note::new(lines.join("\n") + "\n").unwrap();
        signed.sign(&key).unwrap();
        folder.write("first.note.chains", [signed.to_string().as_bytes(), &bytes].concat());
    };
    forge(&|_| ());
    assert!(folder.read("first.note.chains") == whole);
    forge(&|s| s.accounts[0].head[3] ^= 1);
    folder.refuses("first.note", "the chains give the account map ");
    forge(&|s| s.accounts[0].secret[3] ^= 1);
    folder.refuses("first.note", "the chains give the account map ");
    forge(&|s| s.accounts[0].name = "amy".into());
    folder.refuses("first.note", "the chains give the account map ");
    forge(&|s| {
        (s.accounts[0].events, s.accounts[1].events) =
            (s.accounts[0].events - 1, s.accounts[1].events + 1)
    });
    folder.refuses("first.note", "the chains give the account map ");
    forge(&|s| s.accounts.truncate(s.accounts.len() - 1));
    folder.refuses("first.note", "accounts with ");
    forge(&|s| s.ids.truncate(s.ids.len() - 1));
    folder.refuses("first.note", "accounts with ");
    forge(&|s| s.offset += 1);
    folder.refuses("first.note", "it was cut or written anew");
    forge(&|s| s.segment += 1);
    folder.refuses("first.note", "");
    forge(&|s| s.root[0] ^= 1);
    folder.refuses("first.note", "kept beside it is of another tree");
    forge(&|s| s.pages += 1);
    folder.refuses("first.note", "kept beside it is of another tree");
}

#[test]
fn another_note_is_no_place_to_go_on_from() {
    let folder = audited();
    folder.grown(2..3);
    for (file, code, said) in [
        ("none", 2, "cannot read the note"),
        ("rules.toml", 2, "not a signed note"),
        ("stillthere.store/tlog/checkpoint", 1, "not a note of this auditor"),
    ] {
        folder.words(&format!("{AUDIT} --from {file}")).expect(code).says(said);
    }
    // A note of the same auditor that is no audit; one of another log.
    let key = String::from_utf8(folder.read("auditor.key")).unwrap();
    let key = SignerKey::parse(key.trim()).unwrap();
    let sign = |text: String| {
        let mut note = Note::new(text).unwrap();
        note.sign(&key).unwrap();
        folder.write("made.note", note.to_string());
        fs::copy(folder.path("first.note.chains"), folder.path("made.note.chains")).unwrap();
    };
    sign("hello\n".to_owned());
    folder.refuses("made.note", "not an auditor's note");
    let note = Note::parse(&folder.read("first.note")).unwrap();
    let text = note.unverified_text();
    sign(text.replace("example.com/log", "example.com/other"));
    folder.refuses("made.note", "expected \"example.com/log\"");
    sign(text.replace("\n19\n", "\n18\n"));
    folder.refuses("made.note", "kept beside another note");
    // The auditor's older notes count after a rotation too.
    folder.words("key rotate --key auditor.key").expect(0);
    folder.words(&format!("{AUDIT} --from first.note")).expect(0);
}

#[test]
fn another_log_before_the_note_is_noticed() {
    let folder = audited();
    copy(&folder.path("stillthere.store"), &folder.path("first"));
    folder.grown(2..4);
    folder.words(&format!("{AUDIT} --keep -o third.note")).expect(0);
    folder.words(&format!("{AUDIT} --from third.note")).expect(0);
    let segment = "stillthere.store/log/000000000000.seg";
    // A byte of an event before the note.
    let whole = folder.read(segment);
    let mut bytes = whole.clone();
    bytes[700] ^= 1;
    folder.write(segment, bytes);
    folder.refuses("third.note", "the log is not as it should be");
    folder.write(segment, &whole[..whole.len() / 2]);
    folder.refuses("third.note", "it was cut or written anew");
    // Another continuation of the first page, as long and longer, signed by the log's own key.
    for days in [12..14, 12..16] {
        restore(&folder, "first");
        fs::remove_file(folder.path(LAST)).unwrap();
        folder.grown(days);
        folder.refuses("third.note", "does not go on from the earlier note");
        folder.words(&format!("{AUDIT} --from first.note")).expect(0);
    }
    // Cut back.
    restore(&folder, "first");
    folder.refuses("third.note", "of 3 pages, and the checkpoint has 1");
}
