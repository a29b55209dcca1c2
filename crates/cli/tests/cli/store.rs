//! Stores that cannot be opened, and logs that are not as they were written.

use std::fs::{self, File};
use std::io::Write;
use std::process::Stdio;

use crate::binary::{AS_OF, Folder};

const READS: [&[&str]; 9] = [
    &["accounts"],
    &["state", "ann"],
    &["replay", "ann"],
    &["explain", "ann", "beach.jpg"],
    &["findings"],
    &["audit", "claims.ndjson"],
    &["snapshot", "--all"],
    &["export"],
    &["verify"],
];

#[test]
fn a_store_that_is_missing_is_not_made_by_reading() {
    let folder = Folder::new();
    let before = folder.files();
    for verb in READS {
        let ran = folder.run(verb).expect(3).says("there is no store here");
        assert_eq!(ran.out, "");
    }
    assert!(folder.files() == before);
    assert!(!folder.path("stillthere.store").exists());
}

#[test]
fn another_programs_folder_is_left_alone() {
    let folder = Folder::new();
    fs::create_dir(folder.path("photos")).expect("made");
    folder.write("photos/a.jpg", "a");
    let before = folder.files();
    for verb in READS.into_iter().chain([&["import", "household.ndjson"][..]]) {
        for store in ["photos", "household.ndjson"] {
            folder.run(&[verb, &["--store", store]].concat()).expect(3).says("stillthere: ");
        }
    }
    assert!(folder.files() == before);
    assert!(!folder.path("photos/log").exists());
}

#[test]
fn a_store_that_is_written_to_is_locked_for_writers_and_open_for_readers() {
    let folder = Folder::with_household();
    let mut command = folder.command(&["import", "--acks", "-"]);
    command.stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut writer = command.spawn().expect("the binary runs");
    let mut stdin = writer.stdin.take().expect("piped");
    stdin.write_all(&folder.read("household.ndjson")).expect("written");
    let mut stdout = std::io::BufReader::new(writer.stdout.take().expect("piped"));
    std::io::BufRead::read_line(&mut stdout, &mut String::new()).expect("an acknowledgement");
    let ran = folder.run(&["import", "bad.ndjson", "--rejects", "rejects"]).expect(3);
    ran.says("another process is writing to this store");
    assert_eq!(folder.read("rejects"), b"", "nothing was rejected by an import that never was");
    for verb in READS {
        folder.run(&[verb, &["--as-of", AS_OF]].concat()).expect(0);
    }
    drop(stdin);
    assert!(writer.wait().expect("it ends").success());
}

#[test]
fn every_byte_of_the_log_counts() {
    let folder = Folder::with_household();
    let root = folder.run(&["verify", "--json"]).expect(0).object()["root"].clone();
    let root = root.as_str().expect("a root");
    folder.run(&["verify", "--expect-root", root]).expect(0);
    let log = folder.path("stillthere.store/log");
    for name in ["HEAD", "000000000000.seg"] {
        let path = log.join(name);
        let bytes = fs::read(&path).expect("a file of the log");
        for at in (0..bytes.len()).step_by(bytes.len() / 12) {
            let mut flipped = bytes.clone();
            flipped[at] ^= 1;
            fs::write(&path, &flipped).expect("written");
            for quick in [&[][..], &["--quick"]] {
                let ran = folder.run(&[&["verify", "--json"], quick].concat());
                let object = ran.expect(1).object();
                assert_eq!(object["ok"], false);
                let divergence = &object["divergence"];
                for field in ["file", "offset", "expected", "found"] {
                    assert!(!divergence[field].is_null(), "byte {at} of {name}: {object}");
                }
                let file = divergence["file"].as_str().expect("a file");
                assert!(file.starts_with("log/"), "{file}");
            }
        }
        fs::write(&path, &bytes).expect("written");
    }
    folder.run(&["verify"]).expect(0);
}

#[test]
fn another_root_is_tampering() {
    let folder = Folder::with_household();
    for quick in [&[][..], &["--quick"]] {
        let other = "00".repeat(32);
        let args = [&["verify", "--json", "--expect-root", &other], quick].concat();
        let object = folder.run(&args).expect(1).object();
        assert_eq!(object["divergence"]["expected"], *other);
        assert_eq!(object["divergence"]["file"], "log");
        assert_eq!(object["divergence"]["found"].as_str().map(str::len), Some(64));
    }
}

#[test]
fn a_damaged_log_answers_nothing_and_is_not_written() {
    let folder = Folder::with_household();
    let segment = folder.path("stillthere.store/log/000000000000.seg");
    let mut bytes = fs::read(&segment).expect("a segment");
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    fs::write(&segment, bytes).expect("written");
    fs::remove_dir_all(folder.path("stillthere.store/derived")).expect("it can be deleted");
    let before = folder.files();
    for verb in READS.into_iter().filter(|verb| *verb != ["verify"]) {
        folder.run(verb).expect(3).says("stillthere: ");
    }
    folder.run(&["import", "bad.ndjson"]).expect(3).says("the log is damaged");
    let log = |files: &[(std::path::PathBuf, Vec<u8>)]| -> Vec<Vec<u8>> {
        let in_log = files.iter().filter(|(path, _)| path.to_string_lossy().contains("/log/"));
        in_log.map(|(_, bytes)| bytes.clone()).collect()
    };
    assert!(log(&folder.files()) == log(&before));
}

#[test]
fn what_is_derived_can_go_or_be_anothers() {
    let folder = Folder::with_household();
    let other = Folder::new();
    other.run(&["generate", "--events", "500", "-o", "lines"]).expect(0);
    other.run(&["import", "lines"]).expect(0);
    let answers = || {
        let verbs = READS.iter().filter(|verb| !["snapshot", "verify"].contains(&verb[0]));
        verbs.map(|verb| folder.ask(verb)).collect::<Vec<_>>()
    };
    let expected = answers();
    let derived = folder.path("stillthere.store/derived");
    fs::remove_dir_all(&derived).expect("it can be deleted");
    assert_eq!(answers(), expected);
    copy(&other.path("stillthere.store/derived"), &derived);
    assert_eq!(answers(), expected);
    folder.run(&["verify"]).expect(0);
    folder.run(&["snapshot", "--all", "--as-of", AS_OF]).expect(0);
    for (path, bytes) in folder.files() {
        if path.starts_with(&derived) && !bytes.is_empty() {
            let half = &bytes[..bytes.len() / 2];
            File::create(&path).and_then(|mut file| file.write_all(half)).expect("written");
        }
    }
    assert_eq!(answers(), expected);
    folder.run(&["verify"]).expect(0);
}

fn copy(from: &std::path::Path, to: &std::path::Path) {
    fs::create_dir_all(to).expect("made");
    for entry in fs::read_dir(from).expect("a folder") {
        let entry = entry.expect("an entry");
        let target = to.join(entry.file_name());
        if entry.path().is_dir() {
            copy(&entry.path(), &target);
        } else {
            fs::copy(entry.path(), target).expect("copied");
        }
    }
}
