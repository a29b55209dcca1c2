//! Keys, checkpoints, certificates and their check, as people run them.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use commitment::{Algorithm, SignerKey, VerifierKey};
use event::Timestamp;
use serde_json::Value;
use verifier::Language;
use verifier::certificate::{Certificate, Expected, Trust, check};

use crate::binary::{AS_OF, Folder, Ran};

impl Folder {
    pub fn words(&self, line: &str) -> Ran {
        self.run(&line.split(' ').collect::<Vec<_>>())
    }

    /// A store with a key, signed once.
    pub fn signed() -> Folder {
        let folder = Folder::with_household();
        folder.words("key new --origin example.com/log").expect(0);
        folder.words("checkpoint").expect(0);
        fs::copy(folder.path(PUBLIC), folder.path("log.vkey")).unwrap();
        folder
    }

    /// Other events than the household's.
    pub fn more(&self, day: u32) {
        let lines: String = (0..5)
            .map(|n| {
                let at = format!("2025-10-{day:02}T00:00:0{n}Z");
                format!(
                    r#"{{"id":"m{day}-{n}","account":"mia","occurred_at":"{at}","recorded_at":"{at}","kind":"signed_in","actor":"user"}}"#
                ) + "\n"
            })
            .collect();
        self.write("more.ndjson", lines);
        self.words("import --trust-recorded-at more.ndjson").expect(0);
    }

    fn certify(&self, about: &str, file: &str) {
        self.words(&format!("certify {about} --as-of {AS_OF} -o {file}")).expect(0);
    }

    /// Runs and holds that no file changed, but what is derived from the log.
    #[track_caller]
    pub fn changes_nothing(&self, line: &str) -> Ran {
        let files = || {
            let mut files = self.files();
            files.retain(|(path, _)| !path.iter().any(|part| part == "derived"));
            files
        };
        let before = files();
        let ran = self.words(line);
        let after = files();
        let names = |files: &[(std::path::PathBuf, Vec<u8>)]| -> Vec<_> {
            files.iter().map(|(path, _)| path.clone()).collect()
        };
        assert_eq!(names(&after), names(&before), "{line}");
        for (old, new) in before.iter().zip(&after) {
            assert!(old.1 == new.1, "{line} changed {}", old.0.display());
        }
        ran
    }
}

const PRIVATE: &str = "stillthere.store/keys/signing.key";
const PUBLIC: &str = "stillthere.store/keys/signing.key.pub";

pub fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap().map(Result::unwrap) {
        let target = to.join(entry.file_name());
        match entry.path().is_dir() {
            true => copy(&entry.path(), &target),
            false => drop(fs::copy(entry.path(), target).unwrap()),
        }
    }
}

pub fn restore(folder: &Folder, from: &str) {
    fs::remove_dir_all(folder.path("stillthere.store")).unwrap();
    copy(&folder.path(from), &folder.path("stillthere.store"));
}

#[test]
fn nothing_is_signed_without_a_key() {
    let folder = Folder::with_household();
    let ran = folder.changes_nothing("checkpoint").expect(2);
    ran.says("there is no key to sign with; `stillthere key new` makes one");
    folder.changes_nothing("key show").expect(2).says("cannot read the verifier keys");
    folder.changes_nothing("key rotate").expect(2).says("there is no key to sign with");
    folder.changes_nothing("certify ann -o a.cert").expect(2).says("no checkpoint yet");
    folder.changes_nothing("audit-log --key none").expect(2).says("there is no key to sign with");
}

#[test]
fn a_key_of_another_kind_is_refused() {
    let folder = Folder::signed();
    folder.certify("ann", "a.cert");
    let witness = SignerKey::new("example.com/log", Algorithm::Cosignature, &[7; 32]).unwrap();
    folder.write("w.key", format!("{}\n", *witness.encode()));
    folder.write("w.key.pub", format!("{}\n", witness.verifier()));
    for (line, said) in [
        ("checkpoint --key w.key", "w.key"),
        ("audit-log --key w.key", "w.key"),
        ("checkpoint --key log.vkey", "not a private key"),
        ("checkpoint --key rules.toml", "not a private key"),
        ("check a.cert --key rules.toml", "not a verifier key"),
        ("check a.cert --key nowhere", "neither a verifier key"),
        ("check a.cert --key log.vkey --witness log.vkey", "signs no cosignatures"),
    ] {
        folder.changes_nothing(line).expect(2).says(said);
    }
    let ran = folder.changes_nothing("check a.cert --key w.key.pub").expect(1);
    assert!(ran.out.contains("its checkpoint: "), "{ran:#?}");
}

#[test]
fn a_private_key_is_for_nobody_elses_eyes() {
    let folder = Folder::with_household();
    let mode = || fs::metadata(folder.path(PRIVATE)).unwrap().permissions().mode() & 0o777;
    let secret = || String::from_utf8(folder.read(PRIVATE)).unwrap();
    let mut said = String::new();
    for line in [
        "key new --origin example.com/log",
        "key show",
        "key show --json",
        "checkpoint",
        "key rotate",
        "key rotate --json",
        "checkpoint --json",
        "certify ann -o a.cert",
        "verify --json",
        "doctor",
    ] {
        let ran = folder.words(line).expect(0);
        said.push_str(&(ran.out + &ran.err));
        assert_eq!(mode(), 0o600, "{line}");
        assert!(secret().starts_with("PRIVATE+KEY+example.com/log+"));
    }
    said.push_str(&folder.words("key new").expect(2).err);
    assert!(!said.contains("PRIVATE"), "{said}");
    let certificate = folder.read("a.cert");
    assert!(!certificate.windows(7).any(|bytes| bytes == b"PRIVATE"));
}

#[test]
fn a_key_is_not_written_over() {
    let folder = Folder::signed();
    for line in ["key new", "key new --origin other"] {
        let ran = folder.changes_nothing(line).expect(2);
        ran.says("there is a key already; `stillthere key rotate` makes another in its place");
    }
    folder.words("checkpoint").expect(0);
    fs::remove_file(folder.path(PRIVATE)).unwrap();
    folder.changes_nothing("key new").expect(2).says("left of an older key");
    let ran = folder.words("key new --key elsewhere.key --origin a+b").expect(2);
    ran.says("--origin: ");
    assert!(!folder.path("elsewhere.key").exists());
}

#[test]
fn a_key_can_be_made_before_there_is_a_store() {
    let folder = Folder::new();
    folder.words("key new").expect(0);
    folder.words("import --trust-recorded-at household.ndjson").expect(0);
    folder.words("checkpoint").expect(0);
}

#[test]
fn who_trusts_the_old_key_goes_on_to() {
    let folder = Folder::signed();
    folder.certify("ann", "old.cert");
    let old = String::from_utf8(folder.read("log.vkey")).unwrap();
    folder.words("key rotate").expect(0);
    let both = folder.words("key show").expect(0).out;
    assert_eq!(both.lines().count(), 2);
    assert!(both.starts_with(&old), "the present one is the last");
    folder.write("both.vkey", &both);
    folder.words("check old.cert --key both.vkey").expect(0);
    folder.words("check old.cert --key log.vkey").expect(0);
    // Nothing came since, and yet the new key has to sign.
    folder.words("checkpoint").expect(0);
    folder.certify("ann", "new.cert");
    folder.words("check new.cert --key both.vkey").expect(0);
    let ran = folder.words("check new.cert --key log.vkey").expect(1);
    assert!(ran.out.contains("no signature by a known key"), "{ran:#?}");
    folder.words("check old.cert new.cert --key both.vkey").expect(0);
    folder.more(2);
    folder.words("checkpoint").expect(0);
    folder.words("verify").expect(0);
}

#[test]
fn a_checkpoint_of_another_origin_is_refused() {
    let folder = Folder::signed();
    folder.words("key new --key other.key --origin other.example/log").expect(0);
    let cp = "stillthere.store/tlog/checkpoint";
    fs::copy(folder.path(cp), folder.path("own.cp")).unwrap();
    folder.words("checkpoint --key other.key").expect(0);
    fs::copy(folder.path(cp), folder.path("other.cp")).unwrap();
    let verify =
        |cp: &str, key: &str| folder.words(&format!("verify --checkpoint {cp} --key {key}"));
    verify("own.cp", "log.vkey").expect(0);
    verify("other.cp", "other.key.pub").expect(0);
    verify("other.cp", "log.vkey").expect(1).says("not believed: ");
    folder.words("audit-log --key other.key --log-key log.vkey").expect(1).says("the checkpoint: ");
    // The same tree under both names: a certificate goes by the name of the checkpoint.
    folder.certify("ann --checkpoint own.cp", "own.cert");
    folder.words("check own.cert --key log.vkey").expect(0);
    let ran = folder.words("check own.cert --key other.key.pub").expect(1);
    assert!(ran.out.contains("its checkpoint: "), "{ran:#?}");
}

#[test]
fn a_store_that_was_restored_or_rewritten_is_not_signed() {
    let folder = Folder::signed();
    fs::rename(folder.path(PRIVATE), folder.path("k")).unwrap();
    for end in [".pub", ".last"] {
        fs::rename(folder.path(&format!("{PRIVATE}{end}")), folder.path(&format!("k{end}")))
            .unwrap();
    }
    copy(&folder.path("stillthere.store"), &folder.path("first"));
    folder.more(2);
    copy(&folder.path("stillthere.store"), &folder.path("unsealed"));
    folder.words("checkpoint --key k").expect(0);
    fs::copy(folder.path("stillthere.store/tlog/checkpoint"), folder.path("kept.cp")).unwrap();
    let refused = |why: &str| {
        folder.changes_nothing("checkpoint --key k").expect(1).says(why);
        let line = "verify --checkpoint kept.cp --key log.vkey --json";
        let answer = folder.words(line).expect(1).object();
        assert_eq!(answer["ok"], false, "{answer}");
        fs::remove_dir_all(folder.path("stillthere.store/derived")).unwrap();
        folder.changes_nothing("checkpoint --key k").expect(1).says(why);
    };
    restore(&folder, "first");
    refused("it was cut, or restored from an older backup");
    restore(&folder, "unsealed");
    refused("it was cut, or restored from an older backup");
    restore(&folder, "first");
    folder.more(3);
    refused("it was cut, or restored from an older backup");
    // As many pages, and others.
    folder.words("key new --key k2").expect(0);
    folder.words("checkpoint --key k2").expect(0);
    refused("it was written anew");
    folder.more(4);
    refused("it was written anew");
    folder.words("checkpoint --key k2").expect(0);
    refused("it was written anew");
}

/// What is kept of the chains is newer than the log, and so is the published tree.
#[test]
fn a_log_that_was_put_back_alone_is_not_signed() {
    let folder = Folder::signed();
    let log = folder.path("stillthere.store/log");
    copy(&log, &folder.path("old"));
    folder.more(2);
    folder.words("checkpoint").expect(0);
    fs::remove_dir_all(&log).unwrap();
    copy(&folder.path("old"), &log);
    folder.changes_nothing("checkpoint").expect(1).says("it was cut, or restored from an older");
    folder.more(3);
    folder.changes_nothing("checkpoint").expect(1).says("it was");
}

#[test]
fn a_log_that_goes_on_is_signed_whatever_was_sealed_between() {
    let folder = Folder::signed();
    for day in 2..6 {
        folder.more(day);
        // Sealed and signed by another key: this one's last checkpoint is some seals back.
        if day == 2 {
            folder.words("key new --key k2").expect(0);
        }
        let key = if day % 2 == 0 { " --key k2" } else { "" };
        if day == 5 {
            fs::remove_dir_all(folder.path("stillthere.store/derived")).unwrap();
        }
        folder.words(&format!("checkpoint{key}")).expect(0);
        let cp = "stillthere.store/tlog/checkpoint";
        let vkey = "stillthere.store/tlog/vkey";
        folder.words(&format!("verify --checkpoint {cp} --key {vkey}")).expect(0);
    }
}

#[test]
fn a_tree_that_is_not_whole_is_made_anew() {
    let folder = Folder::signed();
    let tile = "stillthere.store/tlog/tile/0/000.p/1";
    let whole = folder.read(tile);
    assert_eq!(whole.len(), 32);
    for harm in ["missing", "short", "other"] {
        match harm {
            "missing" => fs::remove_file(folder.path(tile)).unwrap(),
            "short" => folder.write(tile, &whole[..31]),
            _ => folder.write(tile, [1; 32]),
        }
        // Nothing that is read mends it; and a tree of one page has no hash beside one.
        folder.changes_nothing("certify ann --print").expect(0);
        folder.words("checkpoint").expect(0);
        assert!(folder.read(tile) == whole, "{harm}");
    }
}

#[test]
fn a_certificate_is_refused_with_the_reason() {
    let folder = Folder::signed();
    folder.certify("ann --item dunes.jpg", "item.cert");
    folder.certify("ann", "ann.cert");
    let whole = folder.read("item.cert");
    folder.write("half.cert", &whole[..whole.len() / 2]);
    folder.write("long.cert", [&whole[..], b"\0"].concat());
    let mut later = whole.clone();
    later[8] = 3;
    folder.write("later.cert", later);
    folder.words("key new --key other.key --origin example.com/log").expect(0);
    let early = "2025-09-01T00:00:00Z";
    folder.words(&format!("certify ann --known-at {early} -o early.cert")).expect(0);
    for (args, reason) in [
        ("half.cert", "changed or cut since it was written"),
        ("long.cert", "changed or cut since it was written"),
        ("later.cert", "a certificate of version 3, and this program reads versions 1 to 2"),
        ("item.cert --account bob", r#"made for the account "ann", expected "bob""#),
        ("item.cert --item x.jpg", r#"made for the item "dunes.jpg", expected "x.jpg""#),
        ("ann.cert --item x.jpg", r#"made for the whole account, expected the item "x.jpg""#),
        ("item.cert --size 18", "made for a log of size 19, expected 18"),
        ("item.cert --as-of 2025-10-02T00:00:00Z", "made for the instant 2025-10-01T00:00:00Z"),
        ("item.cert --policy rules.toml", "made for the policy "),
        ("early.cert", "it leaves out of the answer what was recorded behind 2025-09-01"),
        ("early.cert --known-at 2025-09-02T00:00:00Z", "made for what was recorded up to"),
    ] {
        let line = format!("check {args} --key log.vkey");
        let ran = folder.changes_nothing(&line).expect(1);
        assert!(ran.out.contains(reason), "{reason}\n{ran:#?}");
        assert_eq!(ran.err, "");
        let answer = folder.words(&format!("{line} --json")).expect(1).object();
        assert_eq!(answer["ok"], false);
        assert!(answer["reason"].as_str().unwrap().contains(reason), "{answer}");
    }
    let ran = folder.words("check item.cert --key other.key.pub").expect(1);
    assert!(ran.out.contains("no signature by a known key"), "{ran:#?}");
    let all = format!(
        "check item.cert --key log.vkey --account ann --item dunes.jpg --size 19 --as-of {AS_OF} --policy xiaomi-cloud"
    );
    folder.words(&all).expect(0);
    folder.words(&format!("check early.cert --key log.vkey --known-at {early}")).expect(0);
}

#[test]
fn what_cannot_be_read_is_an_error_of_usage() {
    let folder = Folder::signed();
    folder.certify("ann", "ann.cert");
    fs::create_dir(folder.path("folder")).unwrap();
    for line in [
        "check none.cert --key log.vkey",
        "check folder --key log.vkey",
        "check rules.toml --key log.vkey",
        "check ann.cert none.cert --key log.vkey",
        "check ann.cert --key folder",
        "certify ann",
        "certify ann --checkpoint none -o a",
        "certify ann --checkpoint rules.toml -o a",
        "certify ann --audit none -o a",
        "certify ann --claim none -o a",
        "certify ann --claim rules.toml -o a",
        "certify ann --item none -o a",
        "certify nobody --item none -o a",
        "certify ann -o stillthere.store/a",
        "certify ann -o none/a",
        "audit-log --key none",
        "verify --checkpoint none --key log.vkey",
        "verify --checkpoint rules.toml --key log.vkey",
        "verify --checkpoint log.vkey",
        "checkpoint --witness none",
        "checkpoint --require-witnesses 1",
        "policy adopt none",
        "policy adopt household.ndjson",
    ] {
        folder.changes_nothing(line).expect(2);
    }
}

#[test]
fn a_store_that_is_missing_is_not_made() {
    let folder = Folder::signed();
    folder.words("key new --key k").expect(0);
    fs::copy(folder.path("stillthere.store/tlog/checkpoint"), folder.path("cp")).unwrap();
    fs::remove_dir_all(folder.path("stillthere.store")).unwrap();
    for line in [
        "checkpoint --key k",
        "certify ann --checkpoint cp -o a.cert",
        "audit-log --key k --log-key log.vkey --checkpoint cp",
        "verify --checkpoint cp --key log.vkey",
        "policy adopt xiaomi-cloud",
    ] {
        folder.changes_nothing(line).expect(3).says("there is no store here");
    }
    folder.changes_nothing("audit-log --key k").expect(3).says("there is no store here");
    folder.changes_nothing("certify ann -o a.cert").expect(3).says("there is no store here");
}

#[test]
fn every_verb_answers_in_json() {
    let folder = Folder::with_household();
    let object = |line: &str, fields: &str| -> Value {
        let ran = folder.words(&format!("{line} --json")).expect(0);
        assert_eq!(ran.out.lines().count(), 1, "{line}");
        let object = ran.object();
        for field in fields.split(' ') {
            assert!(object.get(field).is_some(), "{line}: no {field} in {object}");
        }
        object
    };
    let made = object("key new --origin example.com/log", "origin vkey verifiers key");
    assert_eq!(made["origin"], "example.com/log");
    assert_eq!(object("key show", "origin vkey verifiers key"), made);
    let rotated = object("key rotate", "origin vkey verifiers key");
    assert_eq!(rotated["verifiers"].as_array().unwrap().len(), 2);
    object("policy adopt xiaomi-cloud", "policy policy_hash");
    let signed = object(
        "checkpoint",
        "checkpoint origin size root events accounts map_root sealed_at_ms witnesses",
    );
    assert_eq!((&signed["size"], &signed["events"]), (&1.into(), &19.into()));
    fs::copy(folder.path(PUBLIC), folder.path("log.vkey")).unwrap();
    folder.words("key new --key auditor.key --origin auditor").expect(0);
    let audited = object(
        "audit-log --key auditor.key -o note",
        "note auditor origin size events accounts map_root",
    );
    assert_eq!(audited["map_root"], signed["map_root"]);
    let about = format!("--as-of {AS_OF}");
    let certified = object(
        &format!("certify ann {about} --audit note -o a.cert"),
        "certificate bytes account whole envelopes size events since",
    );
    assert_eq!(certified["whole"], 12);
    let fields = "ok account item as_of known_at origin size root since events policy policy_hash answers what disclosed";
    let checked = object("check a.cert --key log.vkey --auditor auditor.key.pub", fields);
    let by = |who: &str| checked["what"].as_array().unwrap().iter().any(|fact| fact["by"] == who);
    assert!(by("auditor"), "{checked}");
    let state = folder.ask(&["state", "ann"]).pop().unwrap();
    let mut answer = state;
    answer.as_object_mut().unwrap().remove("state_hash");
    assert_eq!(checked["answers"][0], answer);
    let printed = object(&format!("certify ann {about} --print"), fields);
    assert_eq!(printed["answers"], checked["answers"]);
    let both = object(
        "check a.cert a.cert --key log.vkey",
        "ok misconduct shown between command origin accounts sizes",
    );
    assert_eq!((&both["misconduct"], &both["shown"]), (&Value::Null, &"log".into()));
    let verified =
        object("verify --checkpoint stillthere.store/tlog/checkpoint --key log.vkey", "ok");
    assert_eq!(verified["ok"], true);
}

#[test]
fn no_byte_of_a_certificate_can_be_another() {
    let folder = Folder::signed();
    folder.certify("ann --item dunes.jpg", "item.cert");
    folder.certify("nobody", "absent.cert");
    for day in 2..5 {
        folder.more(day);
        folder.words("checkpoint").expect(0);
    }
    folder.certify("ann --item dunes.jpg --since absent.cert", "since.cert");
    let vkey = String::from_utf8(folder.read("log.vkey")).unwrap();
    let key = VerifierKey::parse(vkey.trim()).unwrap();
    let trust = Trust { log: vec![key], ..Trust::default() };
    for file in ["item.cert", "absent.cert", "since.cert"] {
        let whole = folder.read(file);
        let first = check(&whole, &trust, &Expected::default(), Language::En).unwrap();
        // Whoever checks says what they asked for.
        let expected = Expected {
            account: Some(first.account.clone()),
            item: first.item.clone(),
            policy: Some(first.policy),
            size: Some(first.seal.size),
            since: first.since,
            as_of: Some(Timestamp::parse(AS_OF).unwrap()),
            known_at: Some(first.known_at),
        };
        let as_expected = check(&whole, &trust, &expected, Language::En).unwrap();
        let report = as_expected.report();
        let mut accepted = 0;
        let body = whole.len() - 32;
        for at in 0..whole.len() {
            for bits in [0x01, 0x80, 0xff] {
                let mut bytes = whole.clone();
                bytes[at] ^= bits;
                assert!(
                    check(&bytes, &trust, &expected, Language::En).is_err(),
                    "{file}, byte {at}"
                );
                // Nor is it the checksum that holds up a forger.
                let checksum = blake3::hash(&bytes[..body]);
                bytes[body..].copy_from_slice(checksum.as_bytes());
                if at < body
                    && let Ok(checked) = check(&bytes, &trust, &expected, Language::En)
                {
                    assert_eq!(checked.report(), report, "{file}, byte {at}");
                    accepted += 1;
                }
            }
            assert!(check(&whole[..at], &trust, &expected, Language::En).is_err());
        }
        // Positions are the maker's word, and no such answer uses them: 8 bytes an event that is shown whole.
        assert!(accepted <= first.whole * 8 * 3, "{file}: {accepted}");
    }
}

/// Each claim is judged once a reading, over all events: what is asked is bounded, so that what it costs is.
#[test]
fn a_certificate_asks_for_so_many_folds_at_most() {
    let folder = Folder::signed();
    let policy = |readings: usize| {
        let mut text = String::from_utf8(folder.read("rules.toml")).unwrap();
        for n in 0..readings {
            text.push_str(&format!(
                "\n[[version.readings]]\nid = \"r{n}\"\nset = {{ \"tiers.basic.trash\" = \"{}d\" }}\n",
                n + 11
            ));
        }
        folder.write("read.toml", text);
    };
    let claims = |count: usize| {
        let line = |n| format!(r#"{{"claim":"c{n}","account":"nobody","asserts":"kept"}}"#) + "\n";
        folder.write("many.ndjson", (0..count).map(line).collect::<String>());
    };
    for (readings, count, is_taken) in
        [(64, 63, true), (64, 64, false), (65, 1, false), (0, 4096, true), (0, 4097, false)]
    {
        policy(readings);
        claims(count);
        let line = "certify nobody --policy read.toml --claim many.ndjson -o many.cert";
        let ran = folder.words(line).expect(if is_taken { 0 } else { 2 });
        if !is_taken {
            ran.says(&format!("{count} claims under a policy of {readings} readings: expected"));
        }
    }
    // Nor is one taken that somebody else made.
    policy(0);
    claims(1);
    folder.words("certify nobody --policy read.toml --claim many.ndjson -o one.cert").expect(0);
    let mut certificate = Certificate::decode(&folder.read("one.cert")).unwrap();
    certificate.question.claims = vec![certificate.question.claims[0].clone(); 4097];
    certificate.answers = vec![certificate.answers[0].clone(); 4097];
    folder.write("many.cert", certificate.encode());
    let ran = folder.words("check many.cert --key log.vkey").expect(1);
    assert!(ran.out.contains("4097 claims under a policy of 0 readings"), "{ran:#?}");
}

/// The keys of the store at hand are those that it publishes, older ones among them.
#[test]
fn whose_log_it_is_of_is_said_or_at_hand() {
    let folder = Folder::signed();
    folder.certify("ann", "ann.cert");
    let told = folder.words("check ann.cert").expect(0);
    assert!(told.out.starts_with("The certificate holds: ann"), "{told:#?}");
    folder.words("key rotate").expect(0);
    folder.words("check ann.cert").expect(0);
    let told = folder.words("check ann.cert --store nowhere").expect(2);
    assert!(told.err.contains("give the log's verifier key with --key"), "{told:#?}");
}
