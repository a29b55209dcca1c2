//! `watch`: files that grow, are renamed, cut and deleted; ends, kills and what is read again.

use std::fs::{self, OpenOptions};
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, ChildStdout, Stdio};

use serde_json::{Value, json};

use crate::binary::{Folder, Ran};

fn line(account: &str, n: usize) -> String {
    format!(
        "{{\"id\":\"n{n}\",\"account\":\"{account}\",\"occurred_at\":\"2025-01-01T00:00:00Z\",\
         \"kind\":\"signed_in\",\"actor\":\"user\"}}\n"
    )
}

fn lines(account: &str, from: usize, to: usize) -> String {
    (from..to).map(|n| line(account, n)).collect()
}

fn append(path: &Path, text: &str) {
    let mut file = OpenOptions::new().append(true).create(true).open(path).expect("opened");
    file.write_all(text.as_bytes()).expect("written");
}

fn once(folder: &Folder, path: &str) -> Value {
    folder.run(&["watch", "--once", "--json", path]).expect(0).object()
}

fn tally(read: u64, appended: u64, duplicates: u64, rejected: u64, size: u64) -> Value {
    json!({"read": read, "appended": appended, "duplicates": duplicates, "rejected": rejected, "size": size})
}

/// A watch that runs.
struct Watching {
    child: Child,
    stdout: BufReader<ChildStdout>,
}

impl Watching {
    fn new(folder: &Folder, args: &[&str]) -> Watching {
        let args = [&["watch", "--acks", "--interval", "20ms"][..], args].concat();
        let mut command = folder.command(&args);
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().expect("the binary runs");
        let stdout = BufReader::new(child.stdout.take().expect("piped"));
        Watching { child, stdout }
    }

    /// Waits until so many events are durable.
    fn until(&mut self, size: u64) {
        let expected = format!("{{\"durable\": {size}}}\n");
        let mut ack = String::new();
        while ack != expected {
            ack.clear();
            assert!(self.stdout.read_line(&mut ack).expect("an acknowledgement") > 0, "it ended");
        }
    }

    fn signal(&self, signal: &str) {
        let pid = self.child.id().to_string();
        let sent = std::process::Command::new("kill").args([signal, &pid]).status();
        assert!(sent.expect("kill is there").success());
    }

    /// Ends it; the object that it prints last, and what it said.
    fn end(mut self, signal: &str) -> (Value, String) {
        self.signal(signal);
        let mut out = String::new();
        std::io::Read::read_to_string(&mut self.stdout, &mut out).expect("read");
        let mut ran: Ran = self.child.wait_with_output().expect("it ends").into();
        ran.out = out;
        let ran = ran.expect(0);
        (ran.object(), ran.err)
    }
}

#[test]
fn a_file_that_grows_is_followed_and_a_half_line_waits() {
    let folder = Folder::new();
    let path = folder.path("log");
    append(&path, &lines("a", 0, 3));
    let mut watching = Watching::new(&folder, &["log"]);
    watching.until(3);
    append(&path, &lines("a", 3, 5));
    watching.until(5);
    let whole = line("a", 5);
    append(&path, &whole[..40]);
    append(&folder.path("other"), "x");
    // Another process can write in between, and read.
    folder.write("more", lines("b", 0, 1));
    while folder.run(&["import", "more"]).code == Some(3) {}
    append(&path, &format!("{}not an event\n{}", &whole[40..], lines("a", 6, 7)));
    watching.until(8);
    let (object, said) = watching.end("-INT");
    assert_eq!(object, tally(8, 7, 0, 1, 8));
    assert!(said.contains("log:7: json: "), "{said}");
    assert_eq!(once(&folder, "log"), tally(0, 0, 0, 0, 8));
}

#[test]
fn once_reads_what_is_there_and_goes_on_where_it_was() {
    let folder = Folder::new();
    let path = folder.path("log");
    let half = line("a", 9);
    append(&path, &format!("{}\n{}", lines("a", 0, 3), &half[..half.len() - 1]));
    let ran = folder.run(&["watch", "--once", "--json", "log"]).expect(0);
    assert_eq!(ran.object(), tally(3, 3, 0, 0, 3));
    ran.says("a last line without its line end was left for later");
    append(&path, "\n");
    assert_eq!(once(&folder, "log"), tally(1, 1, 0, 0, 4));
    // What says how far it was read can go: everything is read again, and is there.
    fs::remove_dir_all(folder.path("stillthere.store/derived")).expect("it can be deleted");
    assert_eq!(once(&folder, "log"), tally(4, 0, 4, 0, 4));
    // Damaged it is not believed, nor of another log.
    folder.write("stillthere.store/derived/watched", "{}");
    assert_eq!(once(&folder, "log"), tally(4, 0, 4, 0, 4));
    let positions = folder.read("stillthere.store/derived/watched");
    folder.write("more", lines("b", 0, 9));
    folder.run(&["import", "more", "--store", "other.store"]).expect(0);
    folder.write("other.store/derived/watched", positions);
    let ran = folder.run(&["watch", "--once", "--json", "log", "--store", "other.store"]).expect(0);
    assert_eq!(ran.object(), tally(4, 4, 0, 0, 13));
    append(&path, "{}\n");
    let args = ["watch", "--once", "--json", "log", "--rejects", "rejects"];
    assert_eq!(folder.run(&args).expect(1).object(), tally(1, 0, 0, 1, 4));
    append(&path, "[]\n");
    folder.run(&args).expect(1).says("log:7: line: ");
    assert_eq!(folder.read("rejects"), b"{}\n[]\n");
}

#[test]
fn files_that_are_renamed_cut_and_written_anew() {
    let folder = Folder::new();
    fs::create_dir(folder.path("logs")).expect("made");
    let log = folder.path("logs/app.log");
    append(&log, &lines("a", 0, 3));
    let mut watching = Watching::new(&folder, &["logs"]);
    watching.until(3);
    // Renamed, written to once more, and a new one in its place.
    fs::rename(&log, folder.path("logs/app.log.1")).expect("renamed");
    append(&folder.path("logs/app.log.1"), &lines("a", 3, 4));
    append(&log, &lines("a", 4, 6));
    watching.until(6);
    // Cut and written anew; then written over where it stands, longer than before.
    fs::write(&log, line("a", 6)).expect("written");
    watching.until(7);
    let mut over = OpenOptions::new().write(true).open(&log).expect("opened");
    over.write_all(lines("a", 7, 9).as_bytes()).expect("written");
    watching.until(9);
    // Moved away while it is read: what is written to it still comes.
    let mut open = OpenOptions::new().append(true).open(&log).expect("opened");
    fs::rename(&log, folder.path("elsewhere")).expect("renamed");
    open.write_all(line("a", 9).as_bytes()).expect("written");
    watching.until(10);
    let (object, said) = watching.end("-TERM");
    assert_eq!(object, tally(10, 10, 0, 0, 10));
    assert!(said.contains("app.log: was cut to "), "{said}");
    assert!(said.contains("app.log: was written anew"), "{said}");
    assert_eq!(once(&folder, "logs"), tally(0, 0, 0, 0, 10));
}

#[test]
fn one_file_is_followed_by_its_name_through_rotation() {
    let folder = Folder::new();
    let log = folder.path("app.log");
    append(&log, &lines("a", 0, 2));
    let mut watching = Watching::new(&folder, &["app.log"]);
    watching.until(2);
    let mut open = OpenOptions::new().append(true).open(&log).expect("opened");
    fs::rename(&log, folder.path("app.log.1")).expect("renamed");
    open.write_all(line("a", 2).as_bytes()).expect("written");
    append(&log, &lines("a", 3, 5));
    watching.until(5);
    assert_eq!(watching.end("-INT").0, tally(5, 5, 0, 0, 5));
}

#[test]
fn a_folder_is_read_in_the_order_of_names_with_packed_files_whole() {
    let folder = Folder::new();
    fs::create_dir_all(folder.path("logs/below")).expect("made");
    let zstd = zstd::encode_all(lines("a", 2, 4).as_bytes(), 1).expect("memory takes it");
    folder.write("logs/2.zst", &zstd);
    folder.write("logs/3", lines("a", 4, 5));
    folder.write("logs/1", lines("a", 0, 2));
    folder.write("logs/.hidden", lines("a", 90, 91));
    folder.write("logs/below/4", lines("a", 90, 91));
    let cut = zstd::encode_all(lines("b", 0, 999).as_bytes(), 1).expect("memory takes it");
    folder.write("logs/9.zst", &cut[..cut.len() / 2]);
    let ran = folder.run(&["watch", "--once", "--json", "logs"]).expect(0);
    assert_eq!(ran.object(), tally(5, 5, 0, 0, 5));
    ran.says("9.zst").says("damaged or cut as zstd").says("it is waited for until it is whole");
    let ids: Vec<Value> = folder.ask(&["replay", "a"]).iter().map(|e| e["id"].clone()).collect();
    assert_eq!(ids, ["n0", "n1", "n2", "n3", "n4"]);
    folder.write("logs/9.zst", &cut);
    assert_eq!(once(&folder, "logs"), tally(999, 999, 0, 0, 1004));
    assert_eq!(once(&folder, "logs"), tally(0, 0, 0, 0, 1004));
}

#[test]
fn a_kill_loses_nothing_and_doubles_nothing() {
    let folder = Folder::new();
    let log = folder.path("log");
    append(&log, &lines("a", 0, 20_000));
    for cycle in 0..4 {
        let mut watching = Watching::new(&folder, &["log"]);
        append(&log, &lines(&format!("c{cycle}"), 0, 2_000));
        let mut ack = String::new();
        for _ in 0..=cycle % 3 {
            ack.clear();
            if cycle < 2 {
                watching.stdout.read_line(&mut ack).expect("an acknowledgement");
            }
        }
        watching.signal("-KILL");
        watching.child.wait().expect("it ends");
        if let Some(size) = ack.strip_prefix("{\"durable\": ") {
            let size: u64 = size.trim_end_matches("}\n").parse().expect("a size");
            let there = folder.run(&["verify", "--json"]).expect(0).object()["events"].clone();
            assert!(there.as_u64().expect("a count") >= size, "acknowledged {size}, there {there}");
        }
    }
    let ended = once(&folder, "log");
    assert_eq!((&ended["size"], &ended["rejected"]), (&json!(28_000), &json!(0)));
    fs::remove_dir_all(folder.path("stillthere.store/derived")).expect("it can be deleted");
    assert_eq!(once(&folder, "log"), tally(28_000, 0, 28_000, 0, 28_000));
}

#[test]
fn lines_that_are_too_long_are_passed_over() {
    let folder = Folder::new();
    let log = folder.path("log");
    let long = "x".repeat(5 << 20);
    append(&log, &format!("{}{long}\n{}{long}", line("a", 0), line("a", 1)));
    let args = ["watch", "--once", "--json", "log", "--rejects", "rejects"];
    let ran = folder.run(&args).expect(1);
    assert_eq!(ran.object(), tally(3, 2, 0, 1, 2));
    ran.says("log:2: line: must be at most 1048576 bytes long, found 5242880");
    assert!(folder.read("rejects").starts_with(format!("{long}\n").as_bytes()));
    append(&log, &format!("\n{}", line("a", 2)));
    let ran = folder.run(&args).expect(1);
    assert_eq!(ran.object(), tally(2, 1, 0, 1, 3));
    ran.says("log:4: line: must be at most 1048576 bytes long, found 5242880");
    // The same packed.
    let text = fs::read(&log).expect("a file");
    folder.write("log.zst", zstd::encode_all(&text[..], 1).expect("memory takes it"));
    let ran = folder.run(&["watch", "--once", "--json", "log.zst"]).expect(1);
    assert_eq!(ran.object(), tally(5, 0, 3, 2, 3));
}

#[test]
fn what_cannot_be_watched_is_said() {
    let folder = Folder::new();
    folder.run(&["watch", "nowhere"]).expect(2).says("nowhere: cannot watch it");
    folder.run(&["watch", "bad.ndjson", "--interval", "0s"]).expect(2).says("from 1ms to a day");
    folder
        .run(&["watch", ".", "--rejects", "rejects"])
        .expect(2)
        .says("lies in the folder that is watched");
    folder.run(&["watch", "--once", "bad.ndjson", "--rejects", "bad.ndjson"]).expect(2);
    fs::create_dir(folder.path("photos")).expect("made");
    folder.write("photos/a.jpg", "a");
    folder.run(&["watch", "--once", "bad.ndjson", "--store", "photos"]).expect(3);
}
