//! Backups, and what is left of a store when something happened to it.

use std::fs::{self, File};
use std::io::{BufRead, BufReader, Write};
use std::process::Stdio;

use serde_json::Value;

use crate::binary::Folder;

/// Changes a byte in the middle of the household's only segment.
fn damage(folder: &Folder) {
    let segment = folder.path("stillthere.store/log/000000000000.seg");
    let mut bytes = fs::read(&segment).expect("a segment");
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    fs::write(&segment, bytes).expect("written");
}

fn root(folder: &Folder, store: &str) -> Value {
    folder.run(&["verify", "--json", "--store", store]).expect(0).object()["root"].clone()
}

#[test]
fn a_backup_is_a_store_and_comes_back() {
    let folder = Folder::with_household();
    let backup = folder.run(&["backup", "--to", "copy", "--json"]).expect(0).object();
    let kept = root(&folder, "stillthere.store");
    assert_eq!(backup["root"], kept);
    assert_eq!(root(&folder, "copy"), kept);
    let sound = folder.run(&["verify", "--json"]).expect(0).object();
    assert_eq!(backup["events"], sound["events"]);
    assert_eq!(backup["to"], "copy");
    assert!(backup["bytes"].as_u64() > Some(1024));
    assert!(!folder.path("copy/derived").exists());

    folder.run(&["restore", "--from", "copy"]).expect(2).says("there is a store here");
    fs::rename(folder.path("stillthere.store"), folder.path("lost")).expect("moved");
    let restored = folder.run(&["restore", "--from", "copy", "--json"]).expect(0).object();
    assert_eq!(restored["root"], kept);
    assert_eq!(root(&folder, "stillthere.store"), kept);
    let again = folder.run(&["import", "--json", "--trust-recorded-at", "household.ndjson"]);
    assert_eq!(again.expect(0).object()["appended"], 0);
}

#[test]
fn a_backup_beside_a_writer_is_a_prefix() {
    let folder = Folder::new();
    folder.run(&["generate", "--events", "4000", "-o", "lines"]).expect(0);
    let lines = folder.read("lines");
    let half = lines.len() / 2;
    let mut command = folder.command(&["import", "--acks", "-"]);
    command.stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut writer = command.spawn().expect("the binary runs");
    let mut stdin = writer.stdin.take().expect("piped");
    stdin.write_all(&lines[..half]).expect("written");
    let mut stdout = BufReader::new(writer.stdout.take().expect("piped"));
    stdout.read_line(&mut String::new()).expect("an acknowledgement");
    let backup = folder.run(&["backup", "--to", "copy", "--json"]).expect(0).object();
    assert_eq!(root(&folder, "copy"), backup["root"]);
    stdin.write_all(&lines[half..]).expect("written");
    drop(stdin);
    assert!(writer.wait().expect("it ends").success());
    let size = backup["events"].as_u64().expect("a count");
    assert!(size > 0 && size < 4000);
    let exported = |store| folder.run(&["export", "--store", store]).expect(0).out;
    assert!(exported("stillthere.store").starts_with(&exported("copy")));
    let on = folder.run(&["import", "--json", "--store", "copy", "lines"]).expect(0).object();
    assert_eq!(on["appended"], 4000 - size);
    folder.run(&["verify", "--store", "copy"]).expect(0);
}

#[test]
fn nothing_is_overwritten_and_nothing_damaged_is_copied() {
    let folder = Folder::with_household();
    fs::create_dir(folder.path("full")).expect("made");
    folder.write("full/notes.txt", "mine");
    for to in ["full", "household.ndjson", "stillthere.store", "stillthere.store/copy"] {
        folder.run(&["backup", "--to", to]).expect(2);
    }
    folder.run(&["restore", "--from", "copy"]).expect(2).says("there is no store here");
    folder.run(&["backup", "--to", "copy"]).expect(0);
    folder.run(&["restore", "--from", "copy", "--store", "full"]).expect(2).says("not empty");
    folder.run(&["restore", "--from", "copy", "--store", "copy/new"]).expect(2);
    folder.run(&["backup", "--to", "none/such"]).expect(3).says("cannot make the folder");
    folder
        .run(&["backup", "--to", "x", "--store", "none"])
        .expect(3)
        .says("there is no store here");
    damage(&folder);
    let object = folder.run(&["backup", "--to", "bad", "--json"]).expect(1).object();
    assert_eq!(object["ok"], false);
    assert_eq!(object["divergence"]["file"], "log/000000000000.seg");
    assert!(!folder.path("bad").exists());
    // A backup that is damaged is found before anything is written.
    let segment = folder.path("copy/log/000000000000.seg");
    File::options().write(true).open(segment).and_then(|file| file.set_len(400)).expect("cut");
    let object = folder.run(&["restore", "--from", "copy", "--store", "new", "--json"]);
    assert_eq!(object.expect(1).object()["divergence"]["file"], "log/000000000000.seg");
    assert!(!folder.path("new").exists());
    assert_eq!(folder.read("full/notes.txt"), b"mine");
}

#[test]
fn salvage_takes_what_is_intact_and_lists_the_rest() {
    let folder = Folder::with_household();
    let whole = folder.run(&["salvage", "--to", "whole", "--json"]).expect(0).object();
    assert_eq!(whole["missing"], serde_json::json!([]));
    assert_eq!(whole["accounts"]["unsure"], 0);
    let exported = |store| folder.run(&["export", "--store", store]).expect(0).out;
    assert_eq!(exported("stillthere.store"), exported("whole"));
    folder.run(&["verify", "--store", "whole"]).expect(0);
    folder.run(&["salvage", "--to", "whole"]).expect(2).says("not empty");
    folder.run(&["salvage", "--to", "stillthere.store/x"]).expect(2);
    folder.run(&["salvage", "--to", "x", "--store", "none"]).expect(3).says("no store here");

    damage(&folder);
    let before = folder.read("stillthere.store/log/000000000000.seg");
    let args = ["salvage", "--to", "rest", "--unproven", "rest.ndjson", "--json"];
    let rest = folder.run(&args).expect(1).object();
    let (events, unproven) = (rest["events"].as_u64(), rest["unproven"].as_u64());
    let lines = folder.read("rest.ndjson").iter().filter(|b| **b == b'\n').count() as u64;
    assert_eq!(unproven, Some(lines));
    // One batch, and no page was closed: the frames that can be read are not proven.
    assert_eq!((events, lines), (Some(0), 18));
    let gap = &rest["missing"][0];
    assert_eq!(gap["places"][0]["file"], "log/000000000000.seg");
    assert_eq!(gap["positions_from"], 0);
    assert_eq!(gap["positions_to"], 19);
    assert_eq!(gap["events"], 19);
    assert_eq!(rest["missing_events"], 19);
    let said = folder.run(&["salvage", "--to", "x y", "--unproven", "again.ndjson"]).expect(1);
    let command = "stillthere --store 'x y' import --trust-recorded-at again.ndjson";
    assert!(said.out.contains(command), "{said:#?}");
    let said = folder.run(&["doctor"]).expect(1);
    assert!(said.out.contains("nothing can be appended; answers that need"), "{said:#?}");
    assert!(said.out.contains("stillthere --store ./stillthere.store salvage --to NEW"));
    let args = ["import", "--trust-recorded-at", "--store", "rest", "--json", "rest.ndjson"];
    assert_eq!(folder.run(&args).expect(0).object()["appended"], 18);
    assert!(folder.read("stillthere.store/log/000000000000.seg") == before);
    let verified = folder.run(&["verify", "--json"]).expect(1).object();
    assert_eq!(verified["whole_accounts"], 0);
}

#[test]
fn some_accounts_are_whole_where_one_byte_is_damaged() {
    let folder = Folder::new();
    // So many that some are first named behind the damage; and in imports of their own, so that they are in
    // other batches than what is damaged.
    let args = ["generate", "--accounts", "3000", "--events", "6000"];
    let lines = folder.run(&args).expect(0).out;
    for part in lines.lines().collect::<Vec<_>>().chunks(1000) {
        folder.write("lines", part.join("\n"));
        folder.run(&["import", "lines"]).expect(0);
    }
    let truth = folder.run(&["export"]).expect(0).out;
    damage(&folder);
    let verified = folder.run(&["verify", "--json"]).expect(1).object();
    let salvaged = folder.run(&["salvage", "--to", "rest", "--json"]).expect(1).object();
    let accounts = &salvaged["accounts"];
    assert_eq!(verified["whole_accounts"], accounts["whole"]);
    assert!(accounts["whole"].as_u64() > Some(0), "{accounts}");
    let events = salvaged["events"].as_u64().expect("a count");
    // A page of 64 KiB, and what rests on names in it.
    assert!((4500..6000).contains(&events), "{events}");
    folder.run(&["verify", "--store", "rest"]).expect(0);
    let kept = folder.run(&["export", "--store", "rest"]).expect(0).out;
    let mut rest = truth.lines();
    assert!(
        kept.lines().all(|line| rest.any(|old| old == line)),
        "in order, as they were recorded"
    );
}

/// A disk that is full in the middle, as far as this process is concerned: no file may grow beyond a limit.
#[test]
fn salvage_says_what_became_of_policies_and_seals() {
    let folder = Folder::with_household();
    folder.run(&["policy", "adopt"]).expect(0);
    folder.run(&["key", "new"]).expect(0);
    folder.run(&["checkpoint"]).expect(0);
    let answer = folder.run(&["salvage", "--to", "a", "--json"]).expect(0).object();
    assert_eq!(answer["adopted"].as_array().unwrap().len(), 1, "{answer}");
    assert_eq!(answer["left_behind"], serde_json::json!({"seals": 1, "statements": 0}));
    let said = folder.run(&["salvage", "--to", "b"]).expect(0).out;
    assert!(said.contains("was adopted, and the new store adopts it too."), "{said}");
    assert!(said.contains("1 seal was left behind"), "{said}");
    // It has no seal, and what was signed of the old one is not of it.
    folder.run(&["certify", "ann", "--store", "a", "-o", "x"]).expect(2).says("no checkpoint yet");
    for store in ["a", "b"] {
        folder.run(&["key", "new", "--store", store]).expect(0);
        folder.run(&["checkpoint", "--store", store]).expect(0);
        folder.run(&["verify", "--store", store]).expect(0);
    }
}

#[test]
fn salvage_onto_a_full_disk_leaves_no_store() {
    let folder = Folder::new();
    folder.run(&["generate", "--accounts", "300", "--events", "60000", "-o", "lines"]).expect(0);
    folder.run(&["import", "lines"]).expect(0);
    damage(&folder);
    let script = "trap '' XFSZ; ulimit -f 2000; exec \"$0\" salvage --to rest";
    for is_there in [false, true] {
        if is_there {
            fs::create_dir(folder.path("rest")).expect("made");
        }
        let output = std::process::Command::new("sh")
            .args(["-c", script, env!("CARGO_BIN_EXE_stillthere")])
            .current_dir(folder.path("."))
            .output()
            .expect("a shell");
        let said = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(3), "{said}");
        assert!(said.contains("cannot write: File too large; no store was made in rest"), "{said}");
        assert!(output.stdout.is_empty(), "{output:?}");
        assert_eq!(folder.path("rest").exists(), is_there);
        folder.run(&["verify", "--store", "rest"]).expect(3);
    }
    folder.run(&["salvage", "--to", "rest"]).expect(1);
    folder.run(&["verify", "--store", "rest"]).expect(0);
    folder.run(&["doctor", "--store", "rest"]).expect(0);
}

/// The codes that `doctor` finds.
fn codes(folder: &Folder, store: &str, code: i32) -> Vec<String> {
    let before = folder.files();
    let object = folder.run(&["doctor", "--json", "--store", store]).expect(code).object();
    assert!(folder.files() == before, "doctor wrote something");
    assert_eq!(object["ok"], code == 0);
    let findings = object["findings"].as_array().expect("findings");
    for finding in findings {
        for field in ["what", "where", "harm", "mend"] {
            assert!(finding[field].as_str().is_some_and(|text| !text.is_empty()), "{finding}");
        }
    }
    findings.iter().map(|finding| finding["code"].as_str().expect("a code").to_owned()).collect()
}

#[test]
fn doctor_names_what_is_wrong() {
    let folder = Folder::with_household();
    assert!(codes(&folder, "stillthere.store", 0).is_empty());
    assert_eq!(codes(&folder, "none", 3), ["missing"]);
    assert_eq!(codes(&folder, "household.ndjson", 3), ["foreign"]);
    fs::create_dir(folder.path("photos")).expect("made");
    folder.write("photos/a.jpg", "a");
    assert_eq!(codes(&folder, "photos", 3), ["foreign"]);

    let other = Folder::with_household();
    let head = folder.read("stillthere.store/log/HEAD");
    let segment = folder.read("stillthere.store/log/000000000000.seg");
    let (head_name, name) = ("stillthere.store/log/HEAD", "stillthere.store/log/000000000000.seg");
    let changed = |bytes: &[u8], at: &[usize]| {
        let mut bytes = bytes.to_vec();
        at.iter().for_each(|at| bytes[*at] ^= 1);
        bytes
    };
    let mut future = segment.clone();
    future[8] = 9;
    let cases: [(&str, Vec<u8>, i32, &[&str]); 9] = [
        (head_name, changed(&head, &[40]), 1, &["head-slot"]),
        (head_name, changed(&head, &[40, 600]), 1, &["head-damaged"]),
        (head_name, other.read(head_name), 1, &["head-foreign"]),
        (name, changed(&segment, &[400]), 1, &["damaged"]),
        (name, segment[..900].to_vec(), 1, &["damaged", "cut"]),
        (name, segment[..160].to_vec(), 1, &["cut"]),
        (name, [&segment[..], b"more"].concat(), 1, &["diverges"]),
        (name, other.read(name), 1, &["head-foreign", "derived-damaged"]),
        ("stillthere.store/notes.txt", b"x".to_vec(), 0, &["stray"]),
    ];
    for (file, bytes, code, expected) in cases {
        folder.write(file, &bytes);
        assert_eq!(codes(&folder, "stillthere.store", code), expected, "{file}");
        folder.write(head_name, &head);
        folder.write(name, &segment);
    }
    fs::remove_file(folder.path("stillthere.store/notes.txt")).expect("removed");
    fs::copy(folder.path(name), folder.path("stillthere.store/log/000000000003.seg"))
        .expect("copied");
    assert_eq!(codes(&folder, "stillthere.store", 1), ["segment-double"]);
    fs::remove_file(folder.path("stillthere.store/log/000000000003.seg")).expect("removed");
    fs::remove_file(folder.path(head_name)).expect("removed");
    assert_eq!(codes(&folder, "stillthere.store", 1), ["head-missing"]);
    folder.write(head_name, changed(&head, &[40]));
    let mend = "stillthere --store stillthere.store import FILE, of any file, puts it right";
    for verb in [&["doctor"][..], &["verify"], &["backup", "--to", "copy"]] {
        let ran = folder.run(&[verb, &["--store", "stillthere.store"]].concat()).expect(1);
        assert!(ran.out.contains(mend), "{ran:#?}");
    }
    folder
        .run(&["import", "household.ndjson", "--trust-recorded-at"])
        .expect(0)
        .says("HEAD was put right");
    assert!(codes(&folder, "stillthere.store", 0).is_empty(), "an import mends a slot");
    fs::remove_dir_all(folder.path("stillthere.store/derived")).expect("removed");
    assert_eq!(codes(&folder, "stillthere.store", 0), ["derived-missing"]);
    folder.write(name, future);
    fs::remove_file(folder.path(head_name)).expect("removed");
    assert_eq!(codes(&folder, "stillthere.store", 1), ["future"]);
}

#[test]
fn doctor_names_who_writes() {
    let folder = Folder::with_household();
    let mut command = folder.command(&["import", "--acks", "-"]);
    command.stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut writer = command.spawn().expect("the binary runs");
    let stdin = writer.stdin.as_mut().expect("piped");
    stdin.write_all(&folder.read("household.ndjson")).expect("written");
    let mut stdout = BufReader::new(writer.stdout.take().expect("piped"));
    stdout.read_line(&mut String::new()).expect("an acknowledgement");
    let object = folder.run(&["doctor", "--json"]).expect(0).object();
    let found = object["findings"].as_array().expect("findings").iter();
    let locked = found.clone().find(|finding| finding["code"] == "locked");
    let what = locked.unwrap_or_else(|| panic!("{object}"))["what"].to_string();
    if fs::exists("/proc/locks").is_ok_and(|there| there) {
        assert!(what.contains(&format!("process {} ", writer.id())), "{what}");
    }
    drop(writer.stdin.take());
    assert!(writer.wait().expect("it ends").success());
}
