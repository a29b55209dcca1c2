//! Input that somebody made to do harm, and several processes at once: memory stays bounded, nothing
//! leaves the store, a terminal is shown no control characters, and every event is there once.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Write};
use std::process::{Child, ChildStdin, Command, Output, Stdio};
use std::time::Duration;

use serde_json::Value;

use crate::binary::{AS_OF, Folder, Ran, root};

const MIB: usize = 1 << 20;

fn event(account: &str, id: &str) -> String {
    let text = |text| Value::from(text).to_string();
    let (account, id) = (text(account), text(id));
    format!(
        r#"{{"id":{id},"account":{account},"occurred_at":"2025-03-01T00:00:00Z","kind":"item_uploaded","actor":"user","item":{id},"category":"photos","bytes":1}}"#
    ) + "\n"
}

/// How it ended, and the most memory that it had as far as was seen, in bytes: zero of one that ended
/// before anybody looked.
fn watched(mut command: Command, feed: impl FnOnce(ChildStdin) + Send) -> (Ran, usize) {
    let piped = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = piped.spawn().expect("the binary runs");
    let stdin = child.stdin.take().expect("piped");
    std::thread::scope(|scope| {
        scope.spawn(|| feed(stdin));
        let mut peak = 0;
        while child.try_wait().expect("it can be asked").is_none() {
            peak = peak_memory(&child).unwrap_or(peak);
            std::thread::sleep(Duration::from_millis(1));
        }
        (child.wait_with_output().expect("it ends").into(), peak)
    })
}

/// What Linux says; nothing of a process that has just ended.
fn peak_memory(child: &Child) -> Option<usize> {
    let status = std::fs::read_to_string(format!("/proc/{}/status", child.id())).ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    let kib: usize = line.trim().trim_end_matches(" kB").parse().ok()?;
    Some(kib << 10)
}

#[test]
fn nesting_without_end() {
    let folder = Folder::with_household();
    let deep = |open: &str, close: &str| open.repeat(100_000) + &close.repeat(100_000);
    let with = |field: &str, value: &str| {
        format!("{},{field}:{value}}}\n", event("deep", "d").trim_end().trim_end_matches('}'))
    };
    let mut lines = String::new();
    for value in [deep("[", "]"), deep("{\"a\":", "}"), "[".repeat(900_000), deep("[{\"a\":", "}]")]
    {
        for field in ["\"attributes\"", "\"parts\"", "\"other\"", "\"specversion\""] {
            lines += &with(field, &value);
        }
        lines += &(value + "\n");
    }
    lines += &event("deep", "after");
    let ran = folder.run_with(&["import", "--json", "-"], lines.as_bytes()).expect(1);
    assert_eq!((&ran.object()["rejected"], &ran.object()["appended"]), (&20.into(), &1.into()));
    assert_eq!(folder.run_with(&["audit", "-"], lines.as_bytes()).expect(1).out, "");
    let (list, table) = (deep("[", "]"), "{a=".repeat(100_000) + "1" + &"}".repeat(100_000));
    for policy in [
        format!("a = {list}"),
        format!("a = {table}"),
        format!("{}b = 1", "a.".repeat(100_000)),
        format!("[{}b]", "a.".repeat(100_000)),
        list,
    ] {
        folder.write("deep.toml", policy);
        for verb in [&["policy", "check", "deep.toml"][..], &["accounts", "--policy", "deep.toml"]]
        {
            folder.run(verb).expect(2).says("stillthere: deep.toml:1:");
        }
    }
}

#[test]
fn a_line_without_end_takes_no_memory() {
    let folder = Folder::new();
    let piece = vec![b'a'; MIB];
    for begin in [&b""[..], b"{\"id\":\""] {
        let (ran, peak) = watched(folder.command(&["import", "--json", "-"]), |mut stdin| {
            stdin.write_all(begin).expect("it reads");
            (0..256).for_each(|_| stdin.write_all(&piece).expect("it reads"));
            stdin.write_all(b"\n").expect("it reads");
            stdin.write_all(event("a", "after").as_bytes()).expect("it reads");
        });
        let ran =
            ran.expect(1).says("-:1: line: must be at most 1048576 bytes long, found 2684354");
        assert_eq!((&ran.object()["read"], &ran.object()["rejected"]), (&2.into(), &1.into()));
        assert!(0 < peak && peak < 64 * MIB, "{} MiB", peak / MIB);
    }
}

#[test]
fn what_unpacks_without_end_takes_no_memory() {
    let folder = Folder::new();
    let gzip = |piece: &[u8], times: usize| {
        let mut out = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        (0..times).for_each(|_| out.write_all(piece).expect("memory"));
        out.finish().expect("memory")
    };
    let zstd = |piece: &[u8], times: usize| {
        let mut out = zstd::Encoder::new(Vec::new(), 1).expect("an encoder");
        (0..times).for_each(|_| out.write_all(piece).expect("memory"));
        out.finish().expect("memory")
    };
    let (long, blank) = (vec![b'a'; MIB], vec![b'\n'; MIB]);
    let many = event("a", "one").repeat(1000);
    for (name, packed, read) in [
        ("line.gz", gzip(&long, 256), 1),
        ("blank.gz", gzip(&blank, 64), 0),
        ("many.gz", gzip(many.as_bytes(), 200), 200_000),
        ("line.zst", zstd(&long, 256), 1),
        ("many.zst", zstd(many.as_bytes(), 200), 200_000),
    ] {
        assert!(packed.len() < 2 * MIB, "{name}: {} bytes", packed.len());
        folder.write(name, packed);
        let (ran, peak) = watched(folder.command(&["import", "--json", name]), drop);
        let code = i32::from(name.starts_with("line"));
        assert_eq!(ran.expect(code).object()["read"], read, "{name}");
        assert!(peak < 64 * MIB, "{name}: {} MiB", peak / MIB);
    }
    let verify = folder.run(&["verify", "--json"]).expect(0).object();
    assert_eq!(verify["events"], 1);
    // A frame can ask for a window of any size: one of 128 MiB is the largest that is given.
    for (window_log, code) in [(27, 1), (31, 2)] {
        let mut out = zstd::Encoder::new(Vec::new(), 1).expect("an encoder");
        out.window_log(window_log).expect("zstd has it");
        (0..256).for_each(|_| out.write_all(&long).expect("memory"));
        folder.write("window.zst", out.finish().expect("memory"));
        let (ran, peak) = watched(folder.command(&["import", "window.zst"]), drop);
        ran.expect(code);
        assert!(peak < 200 * MIB, "{window_log}: {} MiB", peak / MIB);
    }
}

/// Account, id, item and category that a terminal would obey.
const CONTROLS: &str = "a\u{1b}[2Jb\rc\u{202e}d\ne\u{7f}f\u{9b}1mg\u{200b}";

fn verbs<'a>(account: &'a str, item: &'a str) -> [Vec<&'a str>; 11] {
    [
        vec!["accounts"],
        vec!["state", account, "--all"],
        vec!["replay", account],
        vec!["explain", account, item],
        vec!["explain", account, item, "--why-not=removed"],
        vec!["findings"],
        vec!["findings", "--lawful"],
        vec!["findings", "--account", account],
        vec!["audit", "claims"],
        vec!["snapshot", account],
        vec!["verify"],
    ]
}

fn claim(account: &str, item: &str) -> String {
    let [account, item] = [account, item].map(|text| Value::from(text).to_string());
    format!(r#"{{"claim":{item},"account":{account},"item":{item},"asserts":"gone"}}"#)
}

#[test]
fn what_a_terminal_would_obey_is_shown_escaped() {
    let folder = Folder::new();
    let uploaded = event(CONTROLS, CONTROLS).replace("photos", "p\\u001b[31m");
    let noted = uploaded.replace("\"id\":\"", "\"id\":\"x").replace("item_uploaded", "item_trashd");
    let conflict = uploaded.replace("\"bytes\":1", "\"bytes\":2");
    let unknown = uploaded.replace("\"bytes\"", "\"by\\u001b\\u202etes\"");
    let purged =
        uploaded.replace("\"id\":\"", "\"id\":\"y").replace("item_uploaded", "item_purged");
    let purged = purged
        .replace(",\"category\":\"p\\u001b[31m\",\"bytes\":1", "")
        .replace("user", "provider");
    folder.write("lines\u{1b}[2J", uploaded + &noted + &conflict + &unknown + &purged);
    folder.write("claims", claim(CONTROLS, CONTROLS));
    let ran = folder.run(&["import", "lines\u{1b}[2J"]).expect(1);
    assert!(ran.err.contains("\\u{1b}") && ran.err.lines().count() == 3, "{ran:?}");
    let mut all = vec![ran];
    for lang in ["en", "zh"] {
        for verb in verbs(CONTROLS, CONTROLS) {
            all.push(
                folder.run(&[&verb[..], &["--as-of", AS_OF, "--lang", lang]].concat()).expect(0),
            );
        }
        for verb in
            [&["state", "no\u{1b}[2J\u{202e}"][..], &["accounts", "--policy", "no\u{1b}\u{202e}"]]
        {
            all.push(folder.run(&[verb, &["--lang", lang]].concat()).expect(2));
        }
    }
    for ran in all {
        for text in [&ran.out, &ran.err] {
            let obeyed = |c: char| (c.is_control() && c != '\n') || "\u{202e}\u{200b}".contains(c);
            assert!(!text.contains(obeyed), "{ran:?}");
        }
    }
}

#[test]
fn an_account_is_no_path() {
    let folder = Folder::new();
    let names =
        ["../../x", "/etc/passwd", "..", ".", "a/b", "a\\b", "x\0y", "CON", "~", "$HOME", "-"];
    let lines: String = names.iter().map(|name| event(name, name)).collect();
    folder.write("lines", lines);
    folder.run(&["import", "lines"]).expect(0);
    let outside = |folder: &Folder| {
        let mut files = folder.files();
        files.retain(|(path, _)| !path.starts_with(folder.path("stillthere.store")));
        files
    };
    for name in names.iter().filter(|name| !name.contains('\0')) {
        folder.write("claims", claim(name, name));
        let before = outside(&folder);
        for verb in verbs("ACCOUNT", "ITEM") {
            let put = |word: &str| match word {
                "ACCOUNT" | "ITEM" => (*name).to_owned(),
                word => word.to_owned(),
            };
            let (verb, args) = verb.split_first().expect("a verb");
            // Behind `--` nothing is an option.
            let (args, options): (Vec<&str>, Vec<&str>) =
                args.iter().partition(|a| !a.starts_with("--"));
            let account = args.iter().map(|word| put(word));
            let words = [(*verb).to_owned(), "--as-of".to_owned(), AS_OF.to_owned()].into_iter();
            let words: Vec<String> = if options == ["--account"] {
                words.chain([format!("--account={name}")]).collect()
            } else {
                let options = options.iter().map(|word| (*word).to_owned());
                words.chain(options).chain(["--".to_owned()]).chain(account).collect()
            };
            folder.run(&words).expect(0);
        }
        assert!(outside(&folder) == before, "{name}");
    }
    folder.run(&["snapshot", "--all"]).expect(0);
    folder.run(&["verify"]).expect(0);
}

fn start(folder: &Folder, args: &[&str]) -> Child {
    let mut command = folder.command(args);
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command.spawn().expect("the binary runs")
}

/// How often each id is in the log.
fn ids(folder: &Folder) -> BTreeMap<String, u64> {
    let mut ids = BTreeMap::new();
    for line in folder.run(&["export"]).expect(0).json() {
        *ids.entry(line["id"].as_str().expect("an id").to_owned()).or_default() += 1;
    }
    ids
}

#[test]
fn two_imports_at_once() {
    let folder = Folder::new();
    let lines = |from: u64, to: u64| -> String {
        (from..to).map(|n| event(&format!("a{}", n % 7), &format!("e{n}"))).collect()
    };
    for round in 0..6 {
        let from = round * 2000;
        folder.write("one", lines(from, from + 1500));
        folder.write("two", lines(from + 500, from + 2000));
        let children = ["one", "two"].map(|file| (file, start(&folder, &["import", file])));
        let ended = children.map(|(file, child)| {
            let output: Output = child.wait_with_output().expect("it ends");
            (file, Ran::from(output))
        });
        assert!(ended.iter().any(|(_, ran)| ran.code == Some(0)), "{ended:?}");
        for (file, ran) in ended {
            if ran.code != Some(0) {
                ran.expect(3).says("another process is writing to this store");
            }
            folder.run(&["import", file]).expect(0);
        }
        let ids = ids(&folder);
        assert_eq!(ids.len() as u64, from + 2000);
        assert!(ids.values().all(|count| *count == 1), "an event is there twice");
    }
    folder.run(&["verify"]).expect(0);
}

#[test]
fn readers_beside_a_writer() {
    let folder = Folder::new();
    let mut command = folder.command(&["import", "--acks", "-"]);
    command.stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut writer = command.spawn().expect("the binary runs");
    let mut stdin = writer.stdin.take().expect("piped");
    let mut stdout = BufReader::new(writer.stdout.take().expect("piped"));
    let mut durable = || -> u64 {
        let mut line = String::new();
        stdout.read_line(&mut line).expect("an acknowledgement");
        let line: Value = serde_json::from_str(&line).expect("JSON");
        line["durable"].as_u64().expect("a size")
    };
    std::thread::scope(|scope| {
        scope.spawn(move || {
            for n in 0..4000 {
                let line = event(&format!("a{}", n % 7), &format!("e{n}"));
                stdin.write_all(line.as_bytes()).expect("it reads");
                if n % 10 == 0 {
                    std::thread::sleep(Duration::from_millis(1));
                }
            }
        });
        let mut said = durable();
        while said < 4000 {
            let lines = folder.run(&["export"]).expect(0).json();
            assert!(lines.len() as u64 >= said, "{} of {said}", lines.len());
            for (n, line) in lines.iter().enumerate() {
                assert_eq!(line["id"], format!("e{n}"));
            }
            let accounts = folder.run(&["accounts", "--json", "--as-of", AS_OF]).expect(0).json();
            let live: u64 = accounts.iter().map(|a| a["live"].as_u64().expect("a count")).sum();
            assert!(live >= lines.len() as u64);
            folder.run(&["state", "a0", "--as-of", AS_OF]).expect(0);
            folder.run(&["verify"]).expect(0);
            // All that was acknowledged meanwhile.
            let before = said;
            while said < 4000 && said < before + 700 {
                said = durable();
            }
        }
    });
    assert!(writer.wait().expect("it ends").success());
    assert_eq!(folder.run(&["export"]).expect(0).out.lines().count(), 4000);
}

#[test]
fn what_is_no_certificate_is_not_read_to_its_end() {
    let folder = Folder::new();
    let key = root().join("fixtures/proofs/example.vkey");
    let check = ["check", "file", "--key", key.to_str().expect("a path of text")];
    let file = std::fs::File::create(folder.path("file")).expect("a file");
    // More than a certificate may have.
    file.set_len(4 << 30).expect("a file of zeros");
    folder.run(&check).expect(2).says("file: not a certificate");
    for (magic, latest) in [("STILLCRT", 2), ("STILLERA", 1)] {
        let later = [magic.as_bytes(), &9u32.to_le_bytes(), &[0; 100]].concat();
        folder.write("file", later);
        let reason = folder.run(&[&check[..], &["--json"]].concat()).expect(1).object();
        let expected =
            format!("a certificate of version 9, and this program reads versions 1 to {latest}");
        assert_eq!(reason["reason"], expected);
    }
}
