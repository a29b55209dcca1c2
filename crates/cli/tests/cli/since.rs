//! Certificates that carry an earlier checkpoint, and several certificates held against each other: as people run them, and
//! as `fixtures/proofs/since` has them, which are sound and not.

use std::fs;
use std::path::PathBuf;
use std::process::Command;

use commitment::{Algorithm, Checkpoint, SignerKey};
use policy::Policy;
use serde_json::{Value, json};
use verifier::certificate::{Certificate, Since};

use crate::adversary::forger::{Entry, Forged};
use crate::adversary::{ANN, BOB, event, honest, question, seal, with_event};
use crate::binary::{Folder, fixture, root};

/// The household's log, signed once, with a certificate of bob's; and signed twice more.
fn grown() -> Folder {
    let folder = Folder::signed();
    keep(&folder, "first.note");
    folder.words("certify bob -o first.cert").expect(0);
    for day in [2, 3] {
        folder.more(day);
        folder.words("checkpoint").expect(0);
    }
    folder
}

fn keep(folder: &Folder, name: &str) {
    fs::copy(folder.path("stillthere.store/tlog/checkpoint"), folder.path(name)).unwrap();
}

fn version(folder: &Folder, file: &str) -> u8 {
    folder.read(file)[8]
}

#[test]
fn a_certificate_goes_on_from_a_checkpoint_that_was_kept() {
    let folder = grown();
    folder.words("certify ann -o plain.cert").expect(0);
    folder.words("certify ann -o note.cert --since first.note").expect(0);
    let made = folder.words("certify ann -o cert.cert --since first.cert --json").expect(0);
    assert_eq!(
        ["first", "plain", "note"].map(|n| version(&folder, &format!("{n}.cert"))),
        [1, 1, 2]
    );
    let first = Checkpoint::parse(
        commitment::Note::parse(&folder.read("first.note")).unwrap().unverified_text(),
    );
    let first = first.unwrap();
    let since = json!({ "size": 1, "root": commitment::hex(&first.root) });
    assert_eq!(made.object()["since"], since);
    for file in ["note.cert", "cert.cert"] {
        let ran = folder.words(&format!("check {file} --key log.vkey --json")).expect(0);
        let object = ran.object();
        assert_eq!((&object["since"], &object["size"]), (&since, &3.into()));
        let facts = object["what"].as_array().unwrap();
        let is_it = |fact: &&Value| fact["fact"].as_str().unwrap().contains("goes on from");
        let fact = facts.iter().find(is_it).unwrap();
        assert_eq!(fact["basis"], "proven");
        let text = format!(
            "from the checkpoint of 1 page with the root {}",
            since["root"].as_str().unwrap()
        );
        assert!(fact["fact"].as_str().unwrap().ends_with(&text), "{fact}");
    }
    let plain = folder.words("check plain.cert --key log.vkey --json").expect(0).object();
    assert_eq!(plain["since"], Value::Null);
    assert!(!plain["what"].to_string().contains("goes on from"), "{plain}");
    for (lang, said) in [("en", "the log of this certificate goes on from"), ("zh", "检查点的延续")]
    {
        let ran = folder.words(&format!("certify ann --since first.note --print --lang {lang}"));
        assert!(ran.expect(0).out.replace('\n', " ").contains(said), "{lang}");
    }
    // Of the same tree it says no more, and is no error.
    folder.words("certify ann -o last.cert --since note.cert").expect(0);
    let last = folder.words("check last.cert --key log.vkey --json").expect(0).object();
    assert_eq!((&last["since"]["size"], &last["since"]["root"]), (&3.into(), &last["root"]));
}

#[test]
fn what_the_log_does_not_go_on_from_is_refused() {
    let folder = grown();
    keep(&folder, "third.note");
    folder.words("certify ann -o third.cert").expect(0);
    folder.words("key new --key other.key --origin example.com/log").expect(0);
    folder.words("key new --key elsewhere.key --origin elsewhere.example").expect(0);
    let [other, elsewhere] = ["other.key", "elsewhere.key"]
        .map(|key| SignerKey::parse(String::from_utf8(folder.read(key)).unwrap().trim()).unwrap());
    let signed = |name: &str, key: &SignerKey, change: &dyn Fn(&mut Checkpoint)| {
        let note = commitment::Note::parse(&folder.read("first.note")).unwrap();
        let mut checkpoint = Checkpoint::parse(note.unverified_text()).unwrap();
        checkpoint.origin = key.verifier().name().to_owned();
        change(&mut checkpoint);
        folder.write(name, checkpoint.sign(key).unwrap().to_string());
    };
    signed("forged.note", &other, &|_| {});
    signed("elsewhere.note", &elsewhere, &|_| {});
    let own = String::from_utf8(folder.read("stillthere.store/keys/signing.key")).unwrap();
    let own = SignerKey::parse(own.trim()).unwrap();
    signed("nothing.note", &own, &|checkpoint| {
        (checkpoint.size, checkpoint.root) = (0, commitment::Frontier::default().root());
    });
    signed("rewritten.note", &own, &|checkpoint| checkpoint.root = [7; 32]);
    signed("larger.note", &own, &|checkpoint| checkpoint.size = 4);
    let mut half = folder.read("third.cert");
    half.pop();
    folder.write("half.cert", half);
    for (file, code, said) in [
        ("forged.note", 1, "not believed: no signature by a known key"),
        ("elsewhere.note", 1, r#"not believed: a checkpoint of the origin "elsewhere.example""#),
        ("nothing.note", 1, "a checkpoint of no pages, from which every log goes on"),
        ("rewritten.note", 1, "this log does not go on from it: the first 1 page"),
        ("rewritten.note", 1, "That is evidence that the log was written anew"),
        ("larger.note", 1, "a checkpoint of 4 pages, and the certificate would be of 3 pages"),
        ("larger.note", 1, "that is evidence that it was cut"),
        ("none.note", 2, "none.note: cannot read"),
        ("rules.toml", 2, "neither a certificate nor a signed note"),
        ("half.cert", 2, "half.cert: it was changed or cut"),
        ("stillthere.store", 2, "cannot read"),
    ] {
        for to in ["-o new.cert", "--print"] {
            let line = format!("certify ann --since {file} {to}");
            let ran = folder.changes_nothing(&line).expect(code);
            assert_eq!(ran.out, "", "{line}");
            ran.says(said);
        }
    }
    // Up to an earlier checkpoint, the later one is the larger.
    let line = "certify ann --checkpoint first.note --since third.cert -o new.cert";
    folder.changes_nothing(line).expect(1).says("a checkpoint of 3 pages");
    // Where the tiles are at fault, nobody is accused.
    let tile = "stillthere.store/tlog/tile/0/000.p/3";
    let mut bytes = folder.read(tile);
    bytes[40] ^= 1;
    folder.write(tile, bytes);
    let ran = folder.words("certify ann --since first.note -o new.cert").expect(3);
    ran.says("tlog: not the tree of this log");
    assert!(!folder.path("new.cert").exists());
}

#[test]
fn two_certificates_say_whether_they_are_of_one_log() {
    let folder = grown();
    folder.words("certify ann -o ann.cert").expect(0);
    let check = |files: &str| {
        folder.words(&format!("check {files} --key log.vkey --json")).expect(0).object()
    };
    let apart = check("ann.cert first.cert");
    assert_eq!(
        apart,
        json!({
            "ok": true, "misconduct": null, "shown": "nothing",
            "between": ["first.cert", "ann.cert"],
            "command": "stillthere certify ann --since first.cert -o FILE",
            "origin": "example.com/log", "accounts": ["ann", "bob"], "sizes": [3, 1],
        })
    );
    for (lang, said) in
        [("en", "It was not shown that first.cert and ann.cert are of one log"), ("zh", "未示出")]
    {
        let ran = folder.words(&format!("check first.cert ann.cert --key log.vkey --lang {lang}"));
        let ran = ran.expect(0);
        assert!(ran.out.contains(said), "{ran:#?}");
        assert!(
            ran.out.ends_with("  stillthere certify ann --since first.cert -o FILE\n"),
            "{ran:#?}"
        );
    }
    // Who does as it says has it shown.
    let command = apart["command"].as_str().unwrap().strip_prefix("stillthere ").unwrap();
    folder.words(&command.replace("FILE", "new.cert")).expect(0);
    let shown = check("first.cert new.cert");
    assert_eq!((&shown["shown"], &shown["command"]), (&"log".into(), &Value::Null));
    assert_eq!(shown["between"], Value::Null);
    // The same tree is the same log; two beginnings of one tree are of one.
    assert_eq!(check("first.cert ann.cert new.cert")["shown"], "log");
    folder.more(4);
    folder.words("checkpoint").expect(0);
    folder.words("certify mia --since ann.cert -o grown.cert").expect(0);
    assert_eq!(check("first.cert grown.cert")["shown"], "nothing", "from another size");
    assert_eq!(
        check("grown.cert first.cert ann.cert")["between"],
        json!(["first.cert", "ann.cert"])
    );
    assert_eq!(check("grown.cert first.cert new.cert")["shown"], "log", "over another");
    folder.words("certify bob --since first.cert -o again.cert").expect(0);
    assert_eq!(
        check("first.cert ann.cert again.cert")["between"],
        json!(["first.cert", "ann.cert"])
    );
    assert_eq!(
        check("first.cert ann.cert again.cert grown.cert")["shown"],
        "log",
        "both beginnings"
    );
    let all =
        folder.words("check first.cert ann.cert again.cert grown.cert --key log.vkey").expect(0);
    assert!(all.out.starts_with("All 4 hold, and are proven to be of one log"), "{all:#?}");
    // One account's chain shows that account.
    folder.words("certify ann -o later.cert").expect(0);
    let chain = check("ann.cert later.cert");
    assert_eq!(chain["shown"], "account");
    assert_eq!(chain["command"], "stillthere certify ann --since ann.cert -o FILE");
    let ran = folder.words("check ann.cert later.cert --key log.vkey").expect(0);
    assert!(ran.out.contains("The events of ann are proven to be the same ones"), "{ran:#?}");
    // Of an account that was not there the earlier one shows nothing.
    folder.words("certify mia --checkpoint first.note -o mia.cert").expect(0);
    folder.words("certify mia -o mia-later.cert").expect(0);
    assert_eq!(check("mia.cert mia-later.cert")["shown"], "nothing");
    let ran = folder.words("check ann.cert rules.toml --key log.vkey").expect(2);
    ran.says("rules.toml: not a certificate");
}

/// Who kept a checkpoint needs no second certificate.
#[test]
fn a_certificate_is_held_against_a_checkpoint_that_was_kept() {
    let folder = grown();
    keep(&folder, "third.note");
    folder.words("certify ann -o plain.cert").expect(0);
    folder.words("certify ann --since first.note -o new.cert").expect(0);
    let own = String::from_utf8(folder.read("stillthere.store/keys/signing.key")).unwrap();
    let own = SignerKey::parse(own.trim()).unwrap();
    for (kept, changed) in [("first", "other-first"), ("third", "other-third")] {
        let note = commitment::Note::parse(&folder.read(&format!("{kept}.note"))).unwrap();
        let mut checkpoint = Checkpoint::parse(note.unverified_text()).unwrap();
        checkpoint.root[7] ^= 1;
        folder.write(&format!("{changed}.note"), checkpoint.sign(&own).unwrap().to_string());
    }
    let not_shown = "it does not show that the log goes on from the checkpoint of size 1";
    for (args, code, said) in [
        ("new.cert --since first.note", 0, ""),
        ("new.cert --since first.cert", 0, ""),
        ("new.cert --since third.note", 0, ""),
        ("plain.cert --since third.note", 0, ""),
        ("plain.cert --since first.note", 1, not_shown),
        ("first.cert --since third.note", 1, "from the checkpoint of size 3"),
        (
            "new.cert --since other-first.note",
            1,
            "a fork: the tree of size 1 of its log has another root",
        ),
        (
            "plain.cert --since other-third.note",
            1,
            "a fork: the tree of size 3 of its log has another root",
        ),
        ("plain.cert --since other-first.note", 1, not_shown),
    ] {
        let ran = folder.changes_nothing(&format!("check {args} --key log.vkey")).expect(code);
        assert!(ran.out.contains(said), "{args}: {ran:#?}");
    }
    folder.words("key new --key other.key --origin example.com/log").expect(0);
    let other = "check new.cert --since first.note --key other.key.pub";
    folder.changes_nothing(other).expect(1).says("first.note: not believed: no signature by");
    for file in ["rules.toml", "none"] {
        folder.changes_nothing(&format!("check new.cert --since {file} --key log.vkey")).expect(2);
    }
}

/// A store that was restored from before, and goes on elsewhere under the same key.
#[test]
fn two_certificates_of_other_accounts_show_a_fork() {
    let folder = Folder::signed();
    crate::proofs::copy(&folder.path("stillthere.store"), &folder.path("before"));
    folder.more(2);
    folder.words("checkpoint").expect(0);
    folder.words("certify bob -o bob.cert").expect(0);
    crate::proofs::restore(&folder, "before");
    folder.more(3);
    folder.words("checkpoint").expect(0);
    keep(&folder, "other.note");
    folder.more(4);
    folder.words("checkpoint").expect(0);
    folder.words("certify ann -o ann.cert").expect(0);
    let check =
        |line: &str, code| folder.words(&format!("check {line} --key log.vkey")).expect(code);
    assert_eq!(check("bob.cert ann.cert --json", 0).object()["shown"], "nothing");
    // The operator is asked, and cannot.
    let ran = folder.changes_nothing("certify ann --since bob.cert -o new.cert").expect(1);
    ran.says("bob.cert: this log does not go on from it: the first 2 pages have the root ");
    // What they can show proves it.
    folder.words("certify ann --since other.note -o fork.cert").expect(0);
    check("fork.cert", 0);
    for files in ["bob.cert fork.cert", "fork.cert bob.cert", "ann.cert fork.cert bob.cert"] {
        let object = check(&format!("{files} --json"), 1).object();
        let said = "a fork: the trees of size 2 of their logs have other roots, both signed";
        assert_eq!((&object["ok"], &object["misconduct"]), (&false.into(), &said.into()));
        assert_eq!((&object["shown"], &object["command"]), (&Value::Null, &Value::Null));
        let mut between: Vec<&str> =
            object["between"].as_array().unwrap().iter().map(|f| f.as_str().unwrap()).collect();
        between.sort_unstable();
        assert_eq!(between, ["bob.cert", "fork.cert"]);
    }
    let told = check("bob.cert fork.cert", 1).out;
    assert!(
        told.starts_with("Both hold, and bob.cert and fork.cert cannot both be true: a fork: "),
        "{told}"
    );
    assert!(check("bob.cert fork.cert --lang zh", 1).out.contains("分叉"));
    // So do two that go on from two trees of one size, whatever became of them.
    let unequal = Conflicting::of(&folder);
    folder.write("unequal.cert", unequal.encode());
    let object = check("fork.cert unequal.cert --json", 1).object();
    assert!(
        object["misconduct"].as_str().unwrap().starts_with("a fork: the trees of size 2"),
        "{object}"
    );
}

/// Of the store that bob's certificate is of.
struct Conflicting;

impl Conflicting {
    fn of(folder: &Folder) -> Certificate {
        let mut certificate = Certificate::decode(&folder.read("bob.cert")).unwrap();
        let checkpoint = certificate.checkpoint.clone();
        certificate.since = Some(Since { checkpoint, proof: vec![] });
        certificate
    }
}

// What is kept under `fixtures/proofs/since`.

fn key(name: &str, seed: u8) -> SignerKey {
    SignerKey::new(name, Algorithm::Ed25519, &[seed; 32]).unwrap()
}

fn own() -> SignerKey {
    key("example.com/accounts", 0x42)
}

/// A log of five pages; `other` has another event of bob's in the second.
fn log(is_other: bool) -> Forged {
    let mut entries: Vec<Entry> = match is_other {
        false => honest(),
        true => with_event(6, |e| e.line = e.line.replace("item_trashed", "item_restored")),
    };
    for (at, sealed) in [("08", "09"), ("10", "11"), ("12", "13")] {
        entries.extend([event(BOB, at, r#""kind":"signed_in""#), seal(sealed)]);
    }
    Forged::of(&entries)
}

fn certificate(log: &Forged, whose: (&str, u32), pages: u64, since: Option<Since>) -> Certificate {
    let rules = Policy::parse(include_str!("data/rules.toml")).unwrap();
    let asked = (question(None), &rules);
    let whose = (whose.0, Some(whose.1));
    Certificate { since, ..log.certify(whose, (pages, pages), asked, &own()) }
}

/// Files, each with the reason for which it is refused, or none.
fn made() -> Vec<(&'static str, Vec<u8>, Option<&'static str>)> {
    let (log, other) = (log(false), log(true));
    let since = |log: &Forged, old, new| Since {
        checkpoint: log.note(old, &own()),
        proof: log.consistency(old, new).unwrap(),
    };
    let ann = |since| certificate(&log, ("ann", ANN), 5, since).encode();
    let signed = |change: &dyn Fn(&mut Checkpoint), key: &SignerKey| {
        let mut checkpoint = log.checkpoint(2, key);
        change(&mut checkpoint);
        checkpoint.sign(key).unwrap().to_string()
    };
    let with_note = |checkpoint| ann(Some(Since { checkpoint, ..since(&log, 2, 5) }));
    let with_proof = |change: &dyn Fn(&mut Vec<[u8; 32]>)| {
        let mut since = since(&log, 2, 5);
        change(&mut since.proof);
        ann(Some(since))
    };
    let checksum = |mut bytes: Vec<u8>| {
        bytes.truncate(bytes.len() - 32);
        let hash = blake3::hash(&bytes);
        [&bytes[..], hash.as_bytes()].concat()
    };
    let nothing = {
        let plain = ann(None);
        let end = 16 + u32::from_le_bytes(plain[12..16].try_into().unwrap()) as usize;
        let mut bytes = [&plain[..end], &[0], &plain[end..]].concat();
        bytes[8] = 2;
        checksum(bytes)
    };
    let mut of_version_1 = ann(Some(since(&log, 2, 5)));
    of_version_1[8] = 1;
    let nothing_before = |checkpoint: &mut Checkpoint| {
        (checkpoint.size, checkpoint.root) = (0, commitment::Frontier::default().root());
    };
    let earlier = certificate(&log, ("bob", BOB), 2, None).encode();
    let forked = certificate(&other, ("ann", ANN), 5, Some(since(&other, 2, 5))).encode();
    let larger = certificate(&log, ("ann", ANN), 3, Some(since(&log, 3, 5))).encode();
    let larger = {
        let mut certificate = Certificate::decode(&larger).unwrap();
        certificate.since.as_mut().unwrap().checkpoint = log.note(5, &own());
        certificate.encode()
    };
    vec![
        ("earlier", earlier, None),
        ("plain", ann(None), None),
        ("later", ann(Some(since(&log, 2, 5))), None),
        ("uneven", ann(Some(since(&log, 3, 5))), None),
        ("same", ann(Some(since(&log, 5, 5))), None),
        ("forked", forked, None),
        ("nothing", nothing, Some("the lowest version that has what it carries")),
        ("of-version-1", checksum(of_version_1), Some("at byte ")),
        ("since-no-pages", with_note(signed(&nothing_before, &own())), Some("has no pages")),
        ("since-a-larger", larger, Some("a tree of 5 leaves did not grow into one of 3")),
        (
            "since-another-tree",
            with_note(other.note(2, &own())),
            Some("the proof leads to the root"),
        ),
        ("since-another-size", with_note(log.note(3, &own())), Some("a proof of ")),
        (
            "since-another-key",
            with_note(signed(&|_| {}, &key("example.com/accounts", 0x43))),
            Some("no signature by a known key"),
        ),
        (
            "since-another-log",
            with_note(signed(&|_| {}, &key("example.com/other", 0x42))),
            Some("a checkpoint of the origin"),
        ),
        ("a-hash-less", with_proof(&|proof| _ = proof.pop()), Some("a proof of ")),
        ("a-hash-more", with_proof(&|proof| proof.push([7; 32])), Some("a proof of ")),
        (
            "hashes-swapped",
            with_proof(&|proof| proof.swap(0, 1)),
            Some("the proof leads to the root"),
        ),
    ]
}

fn folder_of_fixtures() -> PathBuf {
    fixture("proofs/since")
}

/// `UPDATE_FIXTURES=1` writes them anew.
#[test]
fn the_fixtures_are_what_they_were_and_judged_as_their_list_says() {
    let kept = folder_of_fixtures();
    let is_update = std::env::var_os("UPDATE_FIXTURES").is_some();
    let put = |name: &str, bytes: &[u8]| {
        let path = kept.join(name);
        if is_update {
            fs::create_dir_all(&kept).unwrap();
            fs::write(&path, bytes).unwrap();
        }
        let there = fs::read(&path).unwrap_or_default();
        assert!(
            there == bytes,
            "{} differs: a change of the format? UPDATE_FIXTURES=1",
            path.display()
        );
    };
    let vkey = own().verifier().to_string();
    let folder = Folder::new();
    let mut rows = Vec::new();
    for (name, bytes, reason) in made() {
        let file = format!("{name}.cert");
        put(&file, &bytes);
        folder.write(&file, bytes);
        let ran = folder.run(&["check", &file, "--key", &vkey, "--json"]);
        let ran = ran.expect(i32::from(reason.is_some())).object();
        let found = ran["reason"].as_str();
        assert!(found.unwrap_or_default().contains(reason.unwrap_or_default()), "{file}: {ran}");
        rows.push(json!({ "file": file, "ok": ran["ok"], "reason": found, "since": ran["since"] }));
    }
    let together = [
        "earlier later",
        "earlier plain",
        "earlier uneven",
        "earlier uneven later",
        "plain later same",
        "earlier forked",
        "later forked",
        "plain forked",
    ];
    let together = together.map(|names| {
        let files: Vec<String> = names.split(' ').map(|name| format!("{name}.cert")).collect();
        let ran = folder.words(&format!("check {} --key {vkey} --json", files.join(" "))).object();
        json!({ "files": files, "misconduct": ran["misconduct"], "shown": ran["shown"] })
    });
    put("log.vkey", format!("{vkey}\n").as_bytes());
    let list = json!({ "certificates": rows, "together": together });
    put("list.json", (serde_json::to_string_pretty(&list).unwrap() + "\n").as_bytes());
}

/// The checker in another language says the same of each.
#[test]
fn another_checker_judges_the_fixtures_alike() {
    let list: Value =
        serde_json::from_slice(&fs::read(folder_of_fixtures().join("list.json")).unwrap()).unwrap();
    let vkey = fs::read_to_string(folder_of_fixtures().join("log.vkey")).unwrap();
    for row in list["certificates"].as_array().unwrap() {
        let mut command = Command::new("python3");
        command.arg("-B").arg(root().join("docs/check_certificate.py"));
        command.arg(folder_of_fixtures().join(row["file"].as_str().unwrap()));
        command.args(["--key", vkey.trim()]);
        let Ok(output) = command.output() else {
            println!("SKIPPED: python3 cannot be run, so nothing was held against it");
            return;
        };
        let said: Value = serde_json::from_slice(&output.stdout)
            .unwrap_or_else(|e| panic!("{row}: {e}: {}", String::from_utf8_lossy(&output.stderr)));
        assert_eq!((&said["ok"], &said["since"]), (&row["ok"], &row["since"]), "{row}\n{said}");
    }
}
