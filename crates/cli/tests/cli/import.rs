//! `import`: what lands, what is rejected, and that it can be run again.

use std::io::{BufRead, BufReader, Write};
use std::process::Stdio;

use flate2::Compression;
use flate2::write::GzEncoder;
use serde_json::{Value, json};

use crate::binary::{Folder, Ran};

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(bytes).expect("memory takes it");
    encoder.finish().expect("memory takes it")
}

fn zstd(bytes: &[u8]) -> Vec<u8> {
    zstd::encode_all(bytes, 1).expect("memory takes it")
}

/// Lines of one account, with ids from `first` on.
fn lines(first: usize, count: usize) -> String {
    let line = |n| {
        format!(
            "{{\"id\":\"n{n}\",\"account\":\"a\",\"occurred_at\":\"2025-01-01T00:00:00Z\",\
             \"kind\":\"signed_in\",\"actor\":\"user\"}}\n"
        )
    };
    (first..first + count).map(line).collect()
}

fn tally(read: u64, appended: u64, duplicates: u64, rejected: u64, size: u64) -> Value {
    json!({"read": read, "appended": appended, "duplicates": duplicates, "rejected": rejected, "size": size})
}

#[test]
fn files_are_plain_gzip_or_zstd_by_their_first_bytes() {
    let folder = Folder::new();
    let (one, two) = (lines(0, 300), lines(300, 300));
    let crlf = lines(10, 5).replace('\n', "\r\n");
    for (name, bytes, expected) in [
        ("plain", one.clone().into_bytes(), tally(300, 300, 0, 0, 300)),
        ("gzip", gzip(one.as_bytes()), tally(300, 0, 300, 0, 300)),
        ("zstd", zstd(one.as_bytes()), tally(300, 0, 300, 0, 300)),
        ("crlf", crlf.into_bytes(), tally(5, 0, 5, 0, 300)),
        (
            "members",
            [gzip(one.as_bytes()), gzip(two.as_bytes())].concat(),
            tally(600, 300, 300, 0, 600),
        ),
        (
            "frames",
            [zstd(one.as_bytes()), zstd(two.as_bytes())].concat(),
            tally(600, 0, 600, 0, 600),
        ),
        ("nothing", Vec::new(), tally(0, 0, 0, 0, 600)),
        ("no line end", one.trim_end().into(), tally(300, 0, 300, 0, 600)),
        ("blank", b"\n \t\r\n\n".to_vec(), tally(0, 0, 0, 0, 600)),
    ] {
        folder.write(name, &bytes);
        let ran = folder.run(&["import", "--json", name]).expect(0);
        assert_eq!(ran.object(), expected, "{name}");
        let store = format!("{name}.store");
        let ran = folder.run_with(&["import", "--json", "-", "--store", &store], &bytes);
        assert_eq!(ran.expect(0).object()["read"], expected["read"], "{name} on standard input");
    }
}

#[test]
fn bad_lines_are_rejected_alone() {
    let folder = Folder::new();
    let ran = folder.run(&["import", "--json", "--rejects", "rejects", "bad.ndjson"]).expect(1);
    assert_eq!(ran.object(), tally(7, 2, 1, 4, 2));
    let said: Vec<&str> = ran.err.lines().collect();
    let expected = ["bad.ndjson:3: kind: ", "bad.ndjson:4: occurred_at: ", "bad.ndjson:5: json: "];
    for (line, expected) in said.iter().zip(expected) {
        assert!(line.starts_with(expected), "{line}");
    }
    assert_eq!(said[3], "bad.ndjson:6: id: `g1` is already at position 0 with other content");
    assert_eq!(said.len(), 4);
    let bad = folder.read("bad.ndjson");
    let rejected: Vec<&[u8]> = bad.split_inclusive(|b| *b == b'\n').skip(2).take(4).collect();
    assert_eq!(folder.read("rejects"), rejected.concat());
    // What was rejected is rejected again, and the file of rejects made anew.
    let ran = folder.run(&["import", "--json", "--rejects", "rejects", "bad.ndjson"]).expect(1);
    assert_eq!(ran.object(), tally(7, 0, 3, 4, 2));
    assert_eq!(folder.read("rejects"), rejected.concat());
}

#[test]
fn lines_of_every_length() {
    let folder = Folder::new();
    let limit = 1 << 20;
    let base = lines(0, 1).trim_end().to_owned();
    let padded = |len: usize| format!("{base}{}", " ".repeat(len - base.len()));
    for (len, end, expected) in [
        (limit, "\n", 0),
        (limit, "\r\n", 0),
        (limit, "", 0),
        (limit + 1, "\n", 1),
        (limit + 1, "\r\n", 1),
        (limit + 2, "", 1),
        (3 * limit + 7, "\n", 1),
    ] {
        let text = format!("{}{end}{}", padded(len), lines(1, 1));
        folder.write("lines", text.replace("}{", "}\n{"));
        let ran = folder.run(&["import", "lines", "--json", "--rejects", "rejects"]);
        // Without a line end the next line is part of this one.
        if end.is_empty() {
            ran.expect(1);
            continue;
        }
        let ran = ran.expect(expected);
        assert_eq!(ran.object()["read"], 2, "{len} {end:?}");
        if expected == 1 {
            ran.says("lines:1: line: must be at most 1048576 bytes long, found ");
            let text = folder.read("lines");
            let first = text.iter().position(|byte| *byte == b'\n').expect("a line end");
            assert!(folder.read("rejects") == text[..=first], "the line as it was");
        }
    }
}

#[test]
fn a_byte_order_mark_and_other_encodings_are_rejected_with_the_reason() {
    let folder = Folder::new();
    folder.write("bom", format!("\u{feff}{}", lines(0, 2)));
    let ran = folder.run(&["import", "bom", "--json"]).expect(1);
    assert_eq!(ran.object()["appended"], 1);
    ran.says("bom:1: json: starts with a byte order mark");
    folder.write("latin", b"{\"id\":\"caf\xe9\"}\n");
    folder.run(&["import", "latin"]).expect(1).says("latin:1: line: not UTF-8 at byte 11");
}

#[test]
fn of_a_cut_or_damaged_file_the_lines_before_land() {
    for (what, pack) in [("gzip", gzip as fn(&[u8]) -> Vec<u8>), ("zstd", zstd)] {
        let folder = Folder::new();
        // Ids that do not compress well: so that there is much before the cut.
        folder.run(&["generate", "--events", "20000", "-o", "lines"]).expect(0);
        let packed = pack(&folder.read("lines"));
        folder.write("cut", &packed[..packed.len() / 2]);
        let ran = folder.run(&["import", "--json", "cut"]).expect(2);
        let object = ran.object();
        let read = object["read"].as_u64().expect("a number");
        assert!(read > 1000 && object["appended"] == read && object["rejected"] == 0, "{object}");
        ran.says(&format!("stillthere: cut:{}: damaged or cut as {what}", read + 1));
        folder.write("whole", &packed);
        let ran = folder.run(&["import", "--json", "whole"]).expect(0);
        assert_eq!(ran.object(), tally(20_000, 20_000 - read, read, 0, 20_000));
    }
}

#[test]
fn acks_come_before_the_object_and_never_fall() {
    let folder = Folder::new();
    folder.write("lines", lines(0, 10_000));
    let acks = |ran: &Ran| -> Vec<u64> {
        let lines = ran.json();
        let (last, acks) = lines.split_last().expect("an object");
        assert_eq!(last["size"], 10_000);
        acks.iter().map(|line| line["durable"].as_u64().expect("a number")).collect()
    };
    let ran = folder.run(&["import", "--acks", "lines"]).expect(0);
    assert!(ran.out.starts_with("{\"durable\": "), "{}", ran.out);
    let sizes = acks(&ran);
    assert!(sizes.len() > 1 && sizes.is_sorted() && sizes.last() == Some(&10_000), "{sizes:?}");
    assert!(acks(&folder.run(&["import", "--acks", "lines"])).iter().all(|size| *size == 10_000));
}

#[test]
fn lines_that_come_slowly_land_as_they_come() {
    let folder = Folder::new();
    let mut command = folder.command(&["import", "--acks", "-"]);
    command.stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut child = command.spawn().expect("the binary runs");
    let mut stdin = child.stdin.take().expect("piped");
    let mut stdout = BufReader::new(child.stdout.take().expect("piped"));
    for n in 0..3 {
        stdin.write_all(lines(n, 1).as_bytes()).expect("written");
        let mut ack = String::new();
        stdout.read_line(&mut ack).expect("an acknowledgement, while standard input is open");
        assert_eq!(ack, format!("{{\"durable\": {}}}\n", n + 1));
    }
    drop(stdin);
    assert!(child.wait().expect("it ends").success());
}

#[cfg(unix)]
#[test]
fn an_interrupt_ends_it_cleanly_and_it_goes_on() {
    let folder = Folder::new();
    let mut command = folder.command(&["import", "--acks", "-"]);
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().expect("the binary runs");
    let mut stdin = child.stdin.take().expect("piped");
    stdin.write_all(lines(0, 5).as_bytes()).expect("written");
    let mut ack = String::new();
    let mut stdout = BufReader::new(child.stdout.take().expect("piped"));
    while ack.trim_end() != "{\"durable\": 5}" {
        ack.clear();
        assert!(stdout.read_line(&mut ack).expect("an acknowledgement") > 0);
    }
    let signalled = std::process::Command::new("kill")
        .args(["-INT", &child.id().to_string()])
        .status()
        .expect("kill is there");
    assert!(signalled.success());
    let ended = child.wait_with_output().expect("it ends, though its standard input is open");
    assert_eq!(ended.status.code(), Some(130));
    let said = String::from_utf8_lossy(&ended.stderr).into_owned();
    assert_eq!(
        said,
        "stillthere: interrupted after 5 lines, which are safe; run the same command again to go \
         on\n"
    );
    drop(stdin);
    let ran = folder.run_with(&["import", "--json", "-"], lines(0, 9).as_bytes()).expect(0);
    assert_eq!(ran.object(), tally(9, 4, 5, 0, 9));
}

#[test]
fn recorded_at_is_honoured_when_trusted_and_only_then() {
    let folder = Folder::with_household();
    let first = |store: &str| folder.ask(&["replay", "ann", "--store", store])[0].clone();
    let trusted = first("stillthere.store");
    assert_eq!(trusted["recorded_at"], "2025-06-01T08:00:01Z");
    folder.run(&["import", "--store", "own", "household.ndjson"]).expect(0);
    let own = first("own");
    assert_ne!(own["recorded_at"], trusted["recorded_at"]);
    assert_eq!(own["hash"], trusted["hash"]);
}
