//! Copies of a log: a prefix of it that verifies and goes on, or nothing.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use commitment::Level;
use stillthere_eventlog::storage::Storage;
use stillthere_eventlog::{
    Copied, CopyError, Log, LogFiles, OpenError, Recovery, copy_store, copy_store_on, examine,
};
use tempfile::tempdir;

use crate::faulty::{Fault, Memory};
use crate::loss::After;
use crate::support::{check, check_on, contents, cut_room, events, options};

fn copy(from: &Path, to: &Path) -> Result<Copied, CopyError> {
    copy_store(from, to, Level::Quick, &mut |_| {})
}

#[test]
fn a_copy_is_the_log_and_goes_on() {
    let dir = tempdir().unwrap();
    for (n, (count, is_closed)) in
        [(0, true), (1, true), (60, false), (60, true)].into_iter().enumerate()
    {
        let (store, to) = (dir.path().join(format!("s{n}")), dir.path().join(format!("c{n}")));
        let log = Log::open(&store, options(1000)).unwrap();
        for at in 0..count {
            log.append(events(at, at + 1)).unwrap();
        }
        let beside = copy(&store, &to).unwrap();
        assert_eq!(beside.report.events, count as u64);
        if is_closed {
            log.close().unwrap()
        } else {
            drop(log)
        }
        let (report, _) = check(&store).unwrap();
        assert_eq!(beside.report.root, report.root);
        assert_eq!(beside.report.store, report.store);
        let (copied, _) = check(&to).unwrap();
        assert_eq!(copied.root, report.root);
        assert!(copied.shut);
        assert!(matches!(copy(&store, &to), Err(CopyError::Taken { .. })));
        let again = dir.path().join(format!("a{n}"));
        let copied = copy(&store, &again).unwrap();
        let size = fs::read_dir(again.join("log")).unwrap();
        let size: u64 = size.map(|entry| entry.unwrap().metadata().unwrap().len()).sum();
        assert_eq!(copied.bytes, size);
        let log = Log::open(&to, options(1000)).unwrap();
        assert_eq!(*log.recovery(), Recovery::Clean);
        log.append(events(0, 70)).unwrap();
        log.close().unwrap();
        assert_eq!(contents(&to), events(0, 70));
    }
}

#[test]
fn while_a_writer_works() {
    let dir = tempdir().unwrap();
    let store = dir.path().join("store");
    let log = Log::open(&store, options(3000)).unwrap();
    log.append(events(0, 10)).unwrap();
    let is_over = AtomicBool::new(false);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            let mut at = 10;
            while !is_over.load(Ordering::Relaxed) {
                log.append(events(at, at + 1 + at % 5)).unwrap();
                at += 1 + at % 5;
            }
        });
        for n in 0..8 {
            let to = dir.path().join(format!("copy-{n}"));
            let copied = copy(&store, &to).unwrap_or_else(|e| panic!("{e}"));
            let examined = examine(&store, &mut |_| {});
            assert!(examined.is_healthy(), "{examined:?}");
            assert!(examined.events >= copied.report.events);
            let (report, all) = check(&to).unwrap();
            assert_eq!(copied.report, commitment::Report { shut: copied.report.shut, ..report });
            let all: Vec<_> = all.into_iter().map(|recorded| recorded.event).collect();
            assert_eq!(all, events(0, all.len()));
        }
        is_over.store(true, Ordering::Relaxed);
    });
}

#[test]
fn a_torn_end_and_a_roll_cut_short_are_left_out() {
    let dir = tempdir().unwrap();
    let store = dir.path().join("store");
    let log = Log::open(&store, options(64 << 20)).unwrap();
    log.append(events(0, 10)).unwrap();
    drop(log);
    cut_room(&store);
    let segment = store.join("log/000000000000.seg");
    let sound = fs::read(&segment).unwrap();
    fs::write(&segment, [&sound[..], &[7; 50]].concat()).unwrap();
    assert_eq!(copy(&store, &dir.path().join("torn")).unwrap().bytes, sound.len() as u64 + 1024);
    assert_eq!(contents(&dir.path().join("torn")), events(0, 10));
    fs::write(&segment, &sound).unwrap();
    for (n, begun) in [&b""[..], b"STILLSEG"].into_iter().enumerate() {
        fs::write(store.join("log/000000000001.seg"), begun).unwrap();
        let to = dir.path().join(format!("begun-{n}"));
        match copy(&store, &to) {
            Ok(copied) => {
                assert_eq!(copied.bytes, sound.len() as u64 + 1024);
                assert_eq!(contents(&to), events(0, 10));
            }
            Err(error) => panic!("{error}"),
        }
    }
}

#[test]
fn a_damaged_log_leaves_nothing() {
    let dir = tempdir().unwrap();
    let (store, to) = (dir.path().join("store"), dir.path().join("to"));
    let log = Log::open(&store, options(1000)).unwrap();
    for at in 0..30 {
        log.append(events(at, at + 1)).unwrap();
    }
    log.close().unwrap();
    fs::create_dir(store.join("keys")).unwrap();
    for name in ["HEAD", "000000000000.seg", "000000000001.seg"] {
        let path = store.join("log").join(name);
        let sound = fs::read(&path).unwrap();
        for at in (0..sound.len()).step_by(97) {
            let mut flipped = sound.clone();
            flipped[at] ^= 4;
            fs::write(&path, &flipped).unwrap();
            let failed = copy(&store, &to).unwrap_err();
            assert!(
                matches!(
                    failed,
                    CopyError::Corrupt(_) | CopyError::Source(OpenError::Future { .. })
                ),
                "{failed}"
            );
            assert!(!to.exists());
        }
        fs::write(&path, &sound).unwrap();
    }
    fs::create_dir(&to).unwrap();
    fs::write(store.join("log/000000000000.seg"), b"").unwrap();
    copy(&store, &to).unwrap_err();
    assert_eq!(fs::read_dir(&to).unwrap().count(), 0, "an empty folder stays");
    assert!(matches!(
        copy(&dir.path().join("none"), &to),
        Err(CopyError::Source(OpenError::Missing { .. }))
    ));
}

#[test]
fn keys_come_along_and_stay_secret() {
    let dir = tempdir().unwrap();
    let (store, to) = (dir.path().join("store"), dir.path().join("to"));
    let log = Log::open(&store, options(1000)).unwrap();
    log.append(events(0, 3)).unwrap();
    log.close().unwrap();
    fs::create_dir_all(store.join("keys/old")).unwrap();
    for name in ["keys/log.key", "keys/old/log.key"] {
        fs::write(store.join(name), name).unwrap();
        fs::set_permissions(store.join(name), PermissionsExt::from_mode(0o600)).unwrap();
    }
    copy(&store, &to).unwrap();
    for name in ["keys/log.key", "keys/old/log.key"] {
        assert_eq!(fs::read(to.join(name)).unwrap(), name.as_bytes());
        let mode = fs::metadata(to.join(name)).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
    }
    assert!(!to.join("derived").exists());
}

#[test]
fn at_every_call_by_every_fault() {
    let (store, to) = (Path::new("/store"), Path::new("/to"));
    let memory = Memory::default();
    let storage = || -> Arc<dyn Storage> { Arc::new(memory.clone()) };
    storage().create_folder(Path::new("/")).unwrap();
    let log = Log::open_on(storage(), store, options(900)).unwrap();
    for at in 0..20 {
        log.append(events(at, at + 1)).unwrap();
    }
    log.close().unwrap();
    storage().sync_folder(Path::new("/")).unwrap();
    let (truth, _) = check_on(storage(), store, Level::Full).unwrap();
    let before = memory.after(After::Kill);
    let copy = |memory: &Memory| {
        let storage: Arc<dyn Storage> = Arc::new(memory.clone());
        copy_store_on(&storage, store, to, Level::Full, &mut |_| {})
    };
    let is_whole = |memory: &Memory, what: &str| {
        let storage: Arc<dyn Storage> = Arc::new(memory.clone());
        if LogFiles::open_on(Arc::clone(&storage), to).is_ok_and(|files| !files.head().is_empty()) {
            let (report, _) =
                check_on(storage, to, Level::Full).unwrap_or_else(|e| panic!("{what}: {e}"));
            assert_eq!(report.root, truth.root, "{what}");
            return true;
        }
        false
    };
    let whole = before.after(After::Kill);
    whole.fail(usize::MAX, Fault::Lost);
    copy(&whole).unwrap();
    let calls = whole.calls();
    assert!(calls > 20);
    for n in 0..=calls {
        for fault in [Fault::Lost, Fault::Kept, Fault::Torn] {
            let memory = before.after(After::Kill);
            memory.fail(n, fault);
            let copied = copy(&memory);
            let failed = memory.failed();
            assert_eq!(copied.is_ok(), failed.is_none(), "{failed:?}");
            for after in [After::Kill, After::Synced, After::SyncedNames, After::SyncedBytes] {
                let what = format!("{failed:?} (call {n}) {fault:?}, {after:?}");
                let found = is_whole(&memory.after(after), &what);
                assert!(found || copied.is_err(), "{what}: a copy that was acknowledged");
            }
        }
    }
}

/// A copy that was stopped behind its rename is a store. What is then acknowledged must stay.
#[test]
fn what_goes_into_a_copy_that_was_stopped_stays() {
    let (store, to) = (Path::new("/store"), Path::new("/to"));
    let memory = Memory::default();
    let storage = || -> Arc<dyn Storage> { Arc::new(memory.clone()) };
    storage().create_folder(Path::new("/")).unwrap();
    let log = Log::open_on(storage(), store, options(9000)).unwrap();
    log.append(events(0, 5)).unwrap();
    log.close().unwrap();
    storage().sync_folder(Path::new("/")).unwrap();
    let before = memory.after(After::Kill);
    let mut stores = 0;
    for n in 0.. {
        let memory = before.after(After::Kill);
        memory.fail(n, Fault::Stopped);
        let storage = || -> Arc<dyn Storage> { Arc::new(memory.clone()) };
        if copy_store_on(&storage(), store, to, Level::Full, &mut |_| {}).is_ok() {
            break;
        }
        let failed = memory.failed();
        memory.restart();
        if !LogFiles::open_on(storage(), to).is_ok_and(|files| !files.head().is_empty()) {
            continue;
        }
        stores += 1;
        let log = Log::open_on(storage(), to, options(9000)).unwrap();
        log.append(events(5, 6)).unwrap();
        drop(log);
        for after in [After::Synced, After::SyncedNames, After::SyncedBytes] {
            let later: Arc<dyn Storage> = Arc::new(memory.after(after));
            let (report, _) = check_on(later, to, Level::Full).unwrap();
            assert_eq!(report.events, 6, "stopped at {failed:?}, then {after:?}");
        }
    }
    assert!(stores > 0, "some stop leaves a store");
}
