//! Erasures beside who reads: dry runs take no lock, and what reads a log tells no tampering of an erasure that is under
//! way, or was cut short.

use std::fs;
use std::io::{self, BufRead, BufReader, Write};
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use event::Timestamp;
use eventlog::storage::{Access, Disk, Lock, Storage, StoredFile};
use eventlog::{Erasing, Log, Options, Target};
use serde_json::Value;

use crate::binary::{Folder, Ran};
use crate::erasure::{ITEMS, OTHER, PERSON, SECRETS, erase, found, line, sealed};

const KEEP: &str =
    "schema = 1\npolicy = \"ours\"\n[[version]]\nid = \"1\"\ntiers.a = {}\nrecords.keep = \"1y\"\n";
const DRY: [&[&str]; 4] = [
    &["erase", PERSON, "--ground", "g", "--by", "b", "--dry-run"],
    &["erase", PERSON, "--item", ITEMS[1], "--ground", "g", "--by", "b", "--dry-run"],
    &[
        "erase",
        PERSON,
        "--before",
        "2025-04-01T10:00:01Z",
        "--ground",
        "g",
        "--by",
        "b",
        "--dry-run",
    ],
    &[
        "--policy",
        "keep.toml",
        "--as-of",
        "2026-03-01T10:00:00Z",
        "retain",
        "--by",
        "b",
        "--dry-run",
    ],
];

#[test]
fn a_dry_run_goes_beside_a_writer() {
    let folder = sealed();
    folder.write("keep.toml", KEEP);
    let mut command = folder.command(&["import", "--acks", "-"]);
    command.stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut writer = command.spawn().expect("the binary runs");
    let mut stdin = writer.stdin.take().expect("piped");
    let one = line(OTHER, 3, "2025-07-01", "page_viewed", "") + "\n";
    stdin.write_all(one.as_bytes()).expect("written");
    let mut stdout = BufReader::new(writer.stdout.take().expect("piped"));
    stdout.read_line(&mut String::new()).expect("an acknowledgement");
    let ran = folder.run(&["erase", PERSON, "--ground", "g", "--by", "b"]).expect(3);
    ran.says("another process is writing to this store");
    let events: Vec<Value> = DRY
        .iter()
        .map(|args| folder.run(&[&["--json"], *args].concat()).expect(0).object()["events"].clone())
        .collect();
    // Of the policy's the fourth is the other's.
    assert_eq!(events, [5, 1, 4, 4].map(Value::from));
    drop(stdin);
    assert!(writer.wait().expect("it ends").success());
    folder.run(&["verify"]).expect(0);
}

#[test]
fn a_dry_run_writes_nothing_and_needs_no_right_to() {
    let folder = sealed();
    folder.write("keep.toml", KEEP);
    let store = folder.path("stillthere.store");
    // A writer would make it anew.
    fs::remove_file(store.join("lock")).expect("it is there");
    let before = folder.files();
    for args in DRY {
        folder.run(args).expect(0);
        folder.run(&[&["--lang", "zh"], args].concat()).expect(0);
    }
    assert!(folder.files() == before);
    // The system's word for it, where this runs as somebody who may do everything.
    if fs::metadata(&store).expect("a folder").uid() != 0 {
        return;
    }
    for (path, _) in &before {
        let mode = if path.ends_with("stillthere") { 0o755 } else { 0o444 };
        fs::set_permissions(path, fs::Permissions::from_mode(mode)).expect("changed");
        for folder in path.ancestors().skip(1).take_while(|path| path.starts_with(folder.path("")))
        {
            fs::set_permissions(folder, fs::Permissions::from_mode(0o555)).expect("changed");
        }
    }
    for args in DRY {
        let mut command = folder.command(args);
        command.uid(65_534).stdin(Stdio::null());
        match command.output() {
            Ok(output) => drop(Ran::from(output).expect(0)),
            Err(error) => return eprintln!("not tried as another user: {error}"),
        }
    }
    assert!(folder.files() == before);
}

/// What a record has no room for is refused before anything is read; who erases is asked only of who does.
#[test]
fn a_dry_run_refuses_what_an_erasure_would() {
    let folder = sealed();
    folder.write("keep.toml", KEEP);
    let erase: &[&str] = &["erase", PERSON];
    let retain: &[&str] = &["--policy", "keep.toml", "--as-of", "2026-03-01T10:00:00Z", "retain"];
    let run = |args: &[&[&str]]| {
        let mut command = folder.command(&args.concat());
        command.env_remove("USER").env_remove("LOGNAME").stdin(Stdio::null());
        Ran::from(command.output().expect("the binary runs"))
    };
    let (long, most, by) = ("g".repeat(1025), "g".repeat(1024), "b".repeat(129));
    for verb in [erase, retain] {
        for more in [&["--by", "b"][..], &["--by", "b", "--dry-run"]] {
            for (ground, len) in [("", 0), (&*long, 1025)] {
                let said = format!("the ground has {len} bytes; it must have 1 to 1024");
                run(&[verb, &["--ground", ground], more]).expect(2).says(&said);
            }
        }
        let named: &[&str] = &["--ground", "g", "--dry-run", "--by", &by];
        run(&[verb, named]).expect(2).says("who erases has 129 bytes; it must have 1 to 128");
        run(&[verb, &["--ground", &most, "--dry-run"]]).expect(0);
        run(&[verb, &["--ground", &most]]).expect(2).says("who erases?");
    }
    assert!(!found(&folder, &[PERSON]).is_empty());
}

/// A disk on which an erasure stops as soon as it would write over the log.
struct Stops(PathBuf);

impl Storage for Stops {
    fn create_folder(&self, path: &Path) -> io::Result<()> {
        Disk.create_folder(path)
    }
    fn list(&self, path: &Path) -> io::Result<Vec<String>> {
        Disk.list(path)
    }
    fn open(&self, path: &Path, access: Access) -> io::Result<Box<dyn StoredFile>> {
        let is_segment = path.extension().is_some_and(|ending| ending == "seg");
        match is_segment && access == Access::Write && self.0.join("log/REDO").exists() {
            true => Err(io::Error::other("killed")),
            false => Disk.open(path, access),
        }
    }
    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        Disk.rename(from, to)
    }
    fn remove(&self, path: &Path) -> io::Result<()> {
        Disk.remove(path)
    }
    fn sync_folder(&self, path: &Path) -> io::Result<()> {
        Disk.sync_folder(path)
    }
    fn lock(&self, path: &Path, shared: bool) -> io::Result<Option<Lock>> {
        Disk.lock(path, shared)
    }
    fn derived(&self, store: &Path) -> Option<PathBuf> {
        Disk.derived(store)
    }
}

fn killed(folder: &Folder) {
    let store = folder.path("stillthere.store");
    let now = || Timestamp::parse("2026-01-01T00:00:00Z").expect("a time");
    let log = Log::open_on(Arc::new(Stops(store.clone())), &store, Options::new(now));
    let log = log.expect("it opens");
    let plan = log.plan_erasure(&[Target::Account { account: PERSON.to_owned() }]).expect("a plan");
    let how = Erasing { ground: "GDPR Art. 17", by: "dpo", forget: false };
    log.erase(plan, &how).expect_err("it was killed");
    drop(log);
    assert!(store.join("log/REDO").exists());
    assert!(!found(folder, &[PERSON]).is_empty());
}

#[test]
fn an_erasure_that_was_cut_short_is_read_through_and_told() {
    let folder = sealed();
    killed(&folder);
    for quick in [&[][..], &["--quick"]] {
        let verified = folder.run(&[&["--json", "verify"], quick].concat()).expect(0).object();
        assert_eq!(
            (&verified["ok"], &verified["unfinished_erasure"], &verified["erased"]["events"]),
            (&true.into(), &true.into(), &5.into())
        );
        let said = folder.run(&[&["verify"], quick].concat()).expect(0).out;
        assert!(said.contains("An erasure was cut short") && said.contains("checkpoint"), "{said}");
        let said = folder.run(&[&["--lang", "zh", "verify"], quick].concat()).expect(0).out;
        assert!(said.contains("一次擦除中途停下"), "{said}");
    }
    folder.run(&["verify", "--checkpoint", "before.checkpoint", "--key", "vkey"]).expect(0);
    let doctor = folder.run(&["--json", "doctor"]).expect(1).object();
    assert_eq!(doctor["findings"][0]["code"], "erasure-unfinished");
    assert_eq!(doctor["findings"].as_array().map(Vec::len), Some(1), "{doctor}");
    folder.run(&["state", PERSON]).expect(2).says("not in the log");
    assert_eq!(folder.run(&["export"]).expect(0).out.lines().count(), 2);
    let ran = folder.run(&["certify", OTHER, "-o", "other.cert"]).expect(1);
    ran.says("was erased since, so the account map of its seal cannot be made any more");
    folder.run(&["--json", "backup", "--to", "copy"]).expect(0);
    folder.run(&["--store", "copy", "verify"]).expect(0);
    for (path, bytes) in folder.files() {
        if path.starts_with(folder.path("copy")) {
            let is_in = |secret: &str| bytes.windows(secret.len()).any(|w| w == secret.as_bytes());
            assert!(!SECRETS.iter().any(|secret| is_in(secret)), "{}", path.display());
        }
    }
    // Whoever writes next finishes it.
    folder.run(&["checkpoint"]).expect(0);
    assert_eq!(found(&folder, &SECRETS), [""; 0]);
    let verified = folder.run(&["--json", "verify"]).expect(0).object();
    assert_eq!(verified.get("unfinished_erasure"), None);
    folder.run(&["doctor"]).expect(0);
    folder.run(&["audit-log", "--key", "keys/none"]).expect(2);
}

#[test]
fn what_reads_a_log_beside_erasures_tells_no_tampering() {
    let folder = sealed();
    let lines: Vec<String> = (0..60)
        .flat_map(|n| {
            let item = format!(r#","item":"item-{n}","category":"photos","bytes":7"#);
            [
                line(OTHER, 100 + n, "2025-06-02", "item_uploaded", &item),
                line(PERSON, 100 + n, "2025-06-02", "item_uploaded", &item),
            ]
        })
        .collect();
    folder.write("more.ndjson", lines.join("\n") + "\n");
    folder.run(&["import", "--trust-recorded-at", "more.ndjson"]).expect(0);
    folder.run(&["checkpoint"]).expect(0);
    let is_over = AtomicBool::new(false);
    let verbs: [&[&str]; 7] = [
        &["verify"],
        &["verify", "--quick"],
        &["doctor"],
        &["export"],
        &["state", OTHER],
        &["replay", OTHER],
        &["verify", "--checkpoint", "before.checkpoint", "--key", "vkey"],
    ];
    std::thread::scope(|scope| {
        let (folder, is_over) = (&folder, &is_over);
        scope.spawn(move || {
            for n in 0..40 {
                let (who, item) = (if n % 2 == 0 { OTHER } else { PERSON }, format!("item-{n}"));
                let args = ["erase", who, "--item", &item, "--ground", "g", "--by", "b"];
                folder.run(&args).expect(0);
            }
            is_over.store(true, Ordering::Relaxed);
        });
        for verbs in verbs.chunks(4) {
            scope.spawn(move || {
                let (mut fine, mut put_off) = (0, 0);
                while !is_over.load(Ordering::Relaxed) || fine == 0 {
                    for args in verbs {
                        match folder.run(args) {
                            Ran { code: Some(0), .. } => fine += 1,
                            ran => {
                                let ran = ran.expect(3);
                                let parts = ["an erasure is under way", "was erased meanwhile"];
                                assert!(parts.iter().any(|part| ran.err.contains(part)), "{ran:?}");
                                put_off += 1;
                            }
                        }
                    }
                }
                println!("{fine} fine, {put_off} put off");
            });
        }
    });
    folder.run(&["verify"]).expect(0);
    erase(&folder, &[]);
}
