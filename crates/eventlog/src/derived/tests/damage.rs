//! Files that are damaged, missing, left over or another store's: found, or the answers are right.

use std::fs;
use std::path::PathBuf;

use super::*;

/// A store of three runs, on the disk.
fn store(seed: u64, events: usize) -> (tempfile::TempDir, Log, Vec<PathBuf>) {
    let mut rng = fastrand::Rng::with_seed(seed);
    let dir = tempfile::tempdir().unwrap();
    let mut log = Log::new();
    let mut writer = log.open(dir.path(), true);
    for _ in 0..3 {
        (0..events).for_each(|_| log.push(&mut rng, 4));
        log.flush(&mut writer).unwrap();
    }
    let files = writer.runs.runs.iter().map(|run| run.path().to_owned()).collect();
    (dir, log, files)
}

/// Opens as a reader, which must not write, then as a writer, which must mend.
fn check_mended(dir: &Path, log: &Log) -> bool {
    let before = listing(dir);
    let mut reader = log.open(dir, false);
    let mut found = reader.covered().is_none_or(|(to, _)| to < log.events.len() as u64);
    found |= log.check_or_reset(&mut reader);
    assert_eq!(listing(dir), before, "a reader wrote");
    let mut writer = log.open(dir, true);
    log.check_or_reset(&mut writer);
    log.flush(&mut writer).unwrap();
    let again = log.open(dir, false);
    assert_eq!(again.covered().unwrap().0, log.events.len() as u64);
    log.check(&again).unwrap();
    found
}

fn listing(dir: &Path) -> Vec<(PathBuf, Vec<u8>)> {
    let Ok(entries) = fs::read_dir(dir.join("runs")) else { return Vec::new() };
    let mut files: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
    files.sort();
    files.into_iter().map(|file| (file.clone(), fs::read(&file).unwrap())).collect()
}

/// Every byte of one run of three, in each of its bits in turn, is under a checksum that is looked
/// at: when everything is asked, the damage is found.
#[test]
fn every_byte_counts() {
    let (dir, log, files) = store(1, 8);
    let whole = fs::read(&files[1]).unwrap();
    for at in 0..whole.len() {
        let mut wrong = whole.clone();
        wrong[at] ^= 1 << (at % 8);
        fs::write(&files[1], &wrong).unwrap();
        let mut reader = log.open(dir.path(), false);
        let left_out = reader.covered().unwrap().0 == 8;
        assert!(left_out || log.check_or_reset(&mut reader), "byte {at} of {}", whole.len());
        if left_out {
            log.check(&reader).unwrap();
        }
    }
    fs::write(&files[1], &whole).unwrap();
    assert!(!check_mended(dir.path(), &log));
}

#[test]
fn cut_files_are_found() {
    let (dir, log, files) = store(2, 8);
    let whole = fs::read(&files[2]).unwrap();
    for length in 0..whole.len() {
        fs::write(&files[2], &whole[..length]).unwrap();
        let reader = log.open(dir.path(), false);
        assert_eq!(reader.covered().unwrap().0, 16, "cut to {length}");
    }
    fs::write(&files[2], [&whole[..], &[0]].concat()).unwrap();
    assert_eq!(log.open(dir.path(), false).covered().unwrap().0, 16);
    assert!(check_mended(dir.path(), &log));
}

fn check(change: impl FnOnce(&Path, &Log, &[PathBuf]), found: bool) {
    let (dir, log, files) = store(3, 20);
    change(dir.path(), &log, &files);
    assert_eq!(check_mended(dir.path(), &log), found);
}

#[test]
fn missing_files() {
    for gone in 0..3 {
        check(|_, _, files| fs::remove_file(&files[gone]).unwrap(), true);
    }
    check(|dir, _, _| fs::remove_dir_all(dir.join("runs")).unwrap(), true);
    check(|dir, _, _| fs::remove_dir_all(dir).unwrap(), true);
}

#[test]
fn files_under_another_name() {
    fn copy(from: &Path, to: &Path) {
        fs::copy(from, to).unwrap();
    }
    check(|_, _, files| fs::rename(&files[0], &files[1]).unwrap(), true);
    check(|_, _, files| copy(&files[0], &files[2]), true);
    check(|dir, _, files| copy(&files[0], &dir.join("runs/copy.run")), false);
    check(|_, _, files| copy(&files[0], &files[0].with_extension("run.tmp")), false);
    let longer = "runs/0000000000000000-00000000000000ff.run";
    check(|dir, _, _| fs::write(dir.join(longer), "").unwrap(), false);
}

#[test]
fn what_a_crash_leaves() {
    let (dir, log, files) = store(4, 20);
    fs::write(dir.path().join("runs/0000000000000000-0000000000000050.run.tmp"), "half").unwrap();
    let reader = log.open(dir.path(), false);
    assert_eq!(listing(dir.path()).len(), 4);
    log.check(&reader).unwrap();
    log.open(dir.path(), true);
    assert_eq!(listing(dir.path()).len(), 3);
    // A kill between making the merged run visible and deleting its parts.
    let parts: Vec<_> = files.iter().map(|file| fs::read(file).unwrap()).collect();
    let mut rng = fastrand::Rng::with_seed(4);
    let mut log = log;
    log.push(&mut rng, 4);
    let mut writer = log.open(dir.path(), true);
    log.flush(&mut writer).unwrap();
    files.iter().zip(&parts).for_each(|(file, bytes)| fs::write(file, bytes).unwrap());
    log.check(&log.open(dir.path(), false)).unwrap();
    log.check(&log.open(dir.path(), true)).unwrap();
    assert_eq!(listing(dir.path()).len(), 1);
}

/// Another store's runs, another log's runs of this store, and of a log that was longer.
#[test]
fn files_of_another_log() {
    let (dir, log, files) = store(5, 20);
    let (other_dir, mut other, other_files) = store(6, 20);
    for (ours, theirs) in files.iter().zip(&other_files) {
        fs::copy(theirs, ours).unwrap();
    }
    assert!(check_mended(dir.path(), &log));

    let options = Options::new(other_dir.path(), *b"some other store", false);
    assert_eq!(Derived::open(options, |_, _| true).unwrap().covered(), None);

    other.cut(50);
    let reader = other.open(other_dir.path(), false);
    assert_eq!(reader.covered().unwrap().0, 40);
    assert!(check_mended(other_dir.path(), &other));
}

/// Where nothing can be written, a reader answers, and a flush says so and loses nothing.
#[test]
fn a_folder_that_cannot_be_written() {
    let (dir, mut log, _) = store(7, 20);
    let mut rng = fastrand::Rng::with_seed(7);
    let runs = dir.path().join("runs");
    let mut permissions = fs::metadata(&runs).unwrap().permissions();
    permissions.set_readonly(true);
    fs::set_permissions(&runs, permissions).unwrap();
    log.check(&log.open(dir.path(), false)).unwrap();

    fs::remove_dir_all(&runs).unwrap();
    let mut writer = log.open(dir.path(), true);
    (0..5).for_each(|_| log.push(&mut rng, 4));
    // A file where the folder should be stops even the superuser.
    fs::remove_dir_all(&runs).unwrap();
    fs::write(&runs, "").unwrap();
    assert!(matches!(log.flush(&mut writer), Err(DerivedError::Io { .. })));
    log.check(&writer).unwrap();
    fs::remove_file(&runs).unwrap();
    log.flush(&mut writer).unwrap();
    log.check(&log.open(dir.path(), false)).unwrap();
}
