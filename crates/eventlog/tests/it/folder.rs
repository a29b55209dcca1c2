//! Which folders are stores, who may write to them, and what is derived of them.

use std::fs;
use std::path::Path;

use stillthere_eventlog::{Log, LogFiles, OpenError, Outcome, Reader};
use tempfile::tempdir;

use crate::support::{contents, events, open, options, try_open};

fn refused(dir: &Path) -> String {
    let name = |e: OpenError| match e {
        OpenError::Missing { .. } => "missing".to_owned(),
        OpenError::Foreign { what, .. } => format!("foreign: {what}"),
        OpenError::Future { found, .. } => format!("future {found}"),
        OpenError::Locked { .. } => "locked".to_owned(),
        OpenError::Corrupt { divergence, .. } => format!("corrupt {}", divergence.file),
        OpenError::Io { action, source, .. } => format!("{action}: {:?}", source.kind()),
    };
    let tree = |dir: &Path| -> Vec<(String, Option<Vec<u8>>)> {
        let mut all = Vec::new();
        let mut folders = vec![dir.to_owned()];
        while let Some(folder) = folders.pop() {
            for entry in fs::read_dir(folder).into_iter().flatten() {
                let path = entry.unwrap().path();
                all.push((path.display().to_string(), fs::read(&path).ok()));
                if path.is_dir() {
                    folders.push(path);
                }
            }
        }
        all.sort();
        all.retain(|(path, _)| !path.ends_with("/lock"));
        all
    };
    let before = tree(dir);
    match try_open(dir) {
        Ok(_) => "opened".to_owned(),
        Err(why) => {
            assert!(tree(dir) == before, "{why}: and yet something was written");
            name(why)
        }
    }
}

#[test]
fn only_stores_and_vacant_folders_are_opened() {
    let dir = tempdir().unwrap();
    let root = dir.path();
    let check = |name: &str, make: &dyn Fn(&Path), writer: &str| {
        let path = root.join(name);
        make(&path);
        assert_eq!(refused(&path), writer, "{name}");
    };
    let with = |files: &'static [(&'static str, &'static [u8])]| {
        move |path: &Path| {
            for (file, bytes) in files {
                let file = path.join(file);
                fs::create_dir_all(file.parent().unwrap()).unwrap();
                fs::write(file, bytes).unwrap();
            }
        }
    };
    check("file", &|path| fs::write(path, "x").unwrap(), "foreign: it is a file");
    check("other", &with(&[("notes.txt", b"x")]), "foreign: it holds notes.txt, and no log");
    check("logs", &with(&[("log/today.log", b"x")]), "foreign: it holds log/today.log");
    check("log", &with(&[("log", b"x")]), "foreign: its log is a file, not a folder");
    check("git", &with(&[("log/HEAD", b"ref: refs")]), "foreign: its log/HEAD is not one");
    check("seg", &with(&[("log/000000000000.seg", &[7; 500])]), "corrupt HEAD");
    check("deep/er", &|_| {}, "make the folder: NotFound");
    let future = |file: &'static str| {
        move |path: &Path| {
            open(path).close().unwrap();
            let file = path.join("log").join(file);
            let mut bytes = fs::read(&file).unwrap();
            for n in (8..bytes.len()).step_by(512) {
                bytes[n] = 2;
            }
            fs::write(file, bytes).unwrap();
        }
    };
    check("future head", &future("HEAD"), "future 2");
    check("future segment", &future("000000000000.seg"), "future 2");
    let headless = |path: &Path| {
        open(path).append(events(0, 3)).unwrap();
        fs::remove_file(path.join("log/HEAD")).unwrap();
    };
    check("headless", &headless, "corrupt HEAD");
    let without_log = |path: &Path| {
        let log = open(path);
        log.append(events(0, 3)).unwrap();
        log.close().unwrap();
        fs::remove_dir_all(path.join("log")).unwrap();
    };
    check("without its log", &without_log, "corrupt HEAD");
}

/// Derived files alone would answer: not when the log beside them is plainly another.
#[test]
fn a_reader_looks_at_the_log_before_it_answers() {
    let whole = tempdir().unwrap();
    let log = Log::open(whole.path(), options(1000)).unwrap();
    for n in 0..30 {
        log.append(events(n, n + 1)).unwrap();
    }
    log.close().unwrap();
    let segment = |n: u64| format!("{n:012}.seg");
    let names = fs::read_dir(whole.path().join("log")).unwrap().count() as u64;
    assert!(names > 3, "a HEAD and some segments");
    let last = segment(names - 2);
    let first = segment(0);
    let cut = |path: &Path, by: i64| {
        let length = fs::metadata(path).unwrap().len().checked_add_signed(by).unwrap();
        fs::OpenOptions::new().write(true).open(path).unwrap().set_len(length).unwrap();
    };
    let check = |what: &str, harm: &dyn Fn(&Path), expected: &str| {
        let dir = tempdir().unwrap();
        let copied = std::process::Command::new("cp")
            .arg("-r")
            .args([whole.path().join("log"), whole.path().join("derived"), dir.path().into()])
            .status();
        assert!(copied.unwrap().success());
        assert_eq!(Reader::open(dir.path()).unwrap().size(), 30);
        harm(&dir.path().join("log"));
        let found = match Reader::open(dir.path()) {
            Ok(reader) => format!("{} events", reader.size()),
            Err(OpenError::Corrupt { divergence, .. }) => divergence.file,
            Err(other) => panic!("{what}: {other}"),
        };
        assert_eq!(found, expected, "{what}");
    };
    check("nothing", &|_| {}, "30 events");
    check("a stray file", &|log| fs::write(log.join(".nfs1"), "x").unwrap(), "30 events");
    check("no first", &|log| fs::remove_file(log.join(&first)).unwrap(), &first);
    check("no last", &|log| fs::remove_file(log.join(&last)).unwrap(), &last);
    check("an empty first", &|log| fs::write(log.join(&first), "").unwrap(), &first);
    check("a byte less", &|log| cut(&log.join(&last), -1), &last);
    check("a byte more", &|log| cut(&log.join(&last), 1), &last);
    let more = segment(names - 1);
    check("one more", &|log| _ = fs::copy(log.join(&first), log.join(&more)).unwrap(), &more);
    let swap = |log: &Path| _ = fs::copy(log.join(&first), log.join(segment(1))).unwrap();
    check("one twice", &swap, &segment(1));
    check("no HEAD", &|log| fs::remove_file(log.join("HEAD")).unwrap(), "HEAD");
}

#[test]
fn a_reader_makes_nothing() {
    let dir = tempdir().unwrap();
    for name in ["none", ""] {
        let path = dir.path().join(name);
        assert!(matches!(Reader::open(&path), Err(OpenError::Missing { .. })));
        assert!(matches!(LogFiles::open(&path), Err(OpenError::Missing { .. })));
    }
    assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 0);
}

#[test]
fn a_creation_that_was_cut_short_is_begun_anew() {
    let dir = tempdir().unwrap();
    let log = dir.path().join("log");
    fs::create_dir(&log).unwrap();
    fs::write(log.join("000000000000.seg"), "STILLSEG, but").unwrap();
    fs::write(log.join("HEAD.tmp"), "half a head").unwrap();
    assert!(matches!(Reader::open(dir.path()), Err(OpenError::Missing { .. })));
    let log = open(dir.path());
    log.append(events(0, 3)).unwrap();
    assert_eq!(contents(dir.path()), events(0, 3));
}

#[test]
fn there_is_one_writer() {
    let dir = tempdir().unwrap();
    let log = open(dir.path());
    assert_eq!(refused(dir.path()), "locked");
    log.append(events(0, 3)).unwrap();
    assert_eq!(Reader::open(dir.path()).unwrap().size(), 3);
    drop(log);
    assert_eq!(refused(dir.path()), "opened");
}

#[test]
fn opening_and_closing_leaves_every_byte() {
    let dir = tempdir().unwrap();
    let log = open(dir.path());
    log.append(events(0, 30)).unwrap();
    log.close().unwrap();
    let bytes = || (fs::read(dir.path().join("log/HEAD")).unwrap(), contents(dir.path()));
    let before = bytes();
    open(dir.path()).close().unwrap();
    assert_eq!(bytes(), before);
    let log = open(dir.path());
    log.append(events(10, 20)).unwrap();
    log.close().unwrap();
    assert_eq!(bytes(), before);
}

/// Every file under `derived/`, however deep.
fn derived_files(dir: &Path) -> Vec<std::path::PathBuf> {
    let mut files = Vec::new();
    let mut folders = vec![dir.join("derived")];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).into_iter().flatten() {
            let path = entry.unwrap().path();
            if path.is_dir() { folders.push(path) } else { files.push(path) }
        }
    }
    files
}

#[test]
fn derived_files_can_be_deleted_damaged_and_swapped() {
    let dir = tempdir().unwrap();
    let (a, b) = (dir.path().join("a"), dir.path().join("b"));
    for (path, from) in [(&a, 0), (&b, 1000)] {
        let log = Log::open(path, options(20_000)).unwrap();
        log.append(events(from, from + 300)).unwrap();
        log.close().unwrap();
        assert!(!derived_files(path).is_empty());
    }
    let whole = |step: &str| {
        assert_eq!(contents(&a), events(0, 300), "{step}, reader");
        let log = Log::open(&a, options(20_000)).unwrap();
        let again = log.append(events(0, 300)).unwrap();
        let expected = (0..300).map(|position| Outcome::Duplicate { position });
        assert_eq!(again, expected.collect::<Vec<_>>(), "{step}");
        log.close().unwrap();
        assert!(!derived_files(&a).is_empty(), "{step}: they come back");
        assert_eq!(contents(&a), events(0, 300), "{step}, afterwards");
    };
    whole("as it was");
    fs::remove_dir_all(a.join("derived")).unwrap();
    whole("deleted");
    fs::remove_dir_all(a.join("derived")).unwrap();
    fs::rename(b.join("derived"), a.join("derived")).unwrap();
    whole("another store's");
    for cut in [0, 1, 100] {
        for file in derived_files(&a) {
            let bytes = fs::read(&file).unwrap();
            fs::write(&file, &bytes[..bytes.len().min(cut)]).unwrap();
        }
        whole("cut");
    }
    for step in [1, 37, 4001] {
        for file in derived_files(&a) {
            let mut bytes = fs::read(&file).unwrap();
            for n in (step - 1..bytes.len()).step_by(step) {
                bytes[n] ^= 0x41;
            }
            fs::write(&file, &bytes).unwrap();
        }
        whole("damaged");
    }
    fs::remove_dir_all(a.join("derived")).unwrap();
    fs::write(a.join("derived"), "a file").unwrap();
    assert_eq!(contents(&a), events(0, 300));
    let log = Log::open(&a, options(20_000)).unwrap();
    log.append(events(300, 310)).unwrap();
    log.close().unwrap();
    assert_eq!(contents(&a), events(0, 310));
}

#[test]
fn derived_files_of_a_fork_are_not_believed() {
    let dir = tempdir().unwrap();
    let (a, b) = (dir.path().join("a"), dir.path().join("b"));
    let log = open(&a);
    log.append(events(0, 20)).unwrap();
    log.close().unwrap();
    for folder in ["", "log"] {
        fs::create_dir(b.join(folder)).unwrap();
        for entry in fs::read_dir(a.join(folder)).unwrap() {
            let path = entry.unwrap().path();
            if path.is_file() {
                fs::copy(&path, b.join(folder).join(path.file_name().unwrap())).unwrap();
            }
        }
    }
    for (path, from) in [(&a, 20), (&b, 120)] {
        let log = open(path);
        log.append(events(from, from + 50)).unwrap();
        log.close().unwrap();
    }
    fs::remove_dir_all(a.join("derived")).unwrap();
    fs::rename(b.join("derived"), a.join("derived")).unwrap();
    assert_eq!(contents(&a), events(0, 70));
}
