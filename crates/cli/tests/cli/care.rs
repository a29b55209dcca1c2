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
