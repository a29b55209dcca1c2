//! Derived files that fail while a writer goes on: no event goes in twice, no revision is given twice.

use std::collections::HashMap;
use std::fs;
use std::io;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use event::Event;
use stillthere_eventlog::storage::{Access, Disk, Lock, Storage, StoredFile};
use stillthere_eventlog::{AppendError, ExpectedRevision, Log, Options, Outcome, Reader};
use tempfile::tempdir;

use crate::support::{check, event, events, options};

/// The disk, on which at times no second segment can be opened: too many files are open.
#[derive(Clone, Default)]
struct Exhausted(Arc<AtomicBool>);

impl Storage for Exhausted {
    fn open(&self, path: &Path, access: Access) -> io::Result<Box<dyn StoredFile>> {
        let is_refused = access == Access::Read && path.ends_with("000000000001.seg");
        match self.0.load(Ordering::SeqCst) && is_refused {
            true => Err(io::Error::from_raw_os_error(24)),
            false => Disk.open(path, access),
        }
    }
    fn create_folder(&self, path: &Path) -> io::Result<()> {
        Disk.create_folder(path)
    }
    fn list(&self, path: &Path) -> io::Result<Vec<String>> {
        Disk.list(path)
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

fn runs(store: &Path) -> PathBuf {
    store.join("derived/runs")
}

/// Changes bytes of every run in place, so that whoever has them open sees it.
fn spoil(store: &Path, bytes: std::ops::Range<usize>) {
    for file in fs::read_dir(runs(store)).unwrap() {
        let path = file.unwrap().path();
        let mut run = fs::read(&path).unwrap();
        run[bytes.clone()].iter_mut().for_each(|byte| *byte ^= 0x55);
        fs::OpenOptions::new().write(true).open(path).unwrap().write_all_at(&run, 0).unwrap();
    }
}

fn viewed(account: &str, n: usize) -> Event {
    event(account, &format!("id{n}"), r#""kind":"page_viewed""#)
}

fn appended(outcomes: &[Outcome]) -> usize {
    outcomes.iter().filter(|outcome| matches!(outcome, Outcome::Appended { .. })).count()
}

/// A tail that no run covers, and a run of it cannot be made when the log is opened.
#[test]
fn a_tail_without_a_run_is_known() {
    let dir = tempdir().unwrap();
    let store = dir.path().join("s");
    let open = || Log::open(&store, options(64 << 20)).unwrap();
    let log = open();
    log.append((0..10).map(|n| viewed("a", n)).collect()).unwrap();
    log.close().unwrap();
    let log = open();
    log.append((10..20).map(|n| viewed("a", n)).collect()).unwrap();
    drop(log);
    let taken = format!("{:016x}-{:016x}.run.tmp", 10, 20);
    fs::create_dir(runs(&store).join(taken)).unwrap();
    let log = open();
    let expecting = |revision| {
        let expected = ExpectedRevision::Exact(revision);
        log.append_expecting("a", expected, vec![viewed("a", 20)])
    };
    assert!(matches!(expecting(9), Err(AppendError::Revision { .. })));
    assert_eq!(expecting(19).unwrap(), [Outcome::Appended { position: 20, revision: 20 }]);
    let all = log.append((0..2500).map(|n| viewed("a", n)).collect()).unwrap();
    assert_eq!(appended(&all), 2500 - 21);
    log.append(vec![viewed("b", 0)]).unwrap();
    log.close().unwrap();
    assert_eq!(check(&store).unwrap().0.events, 2501);
}

/// A writer is killed with a tail that no run covers, and with it there are runs enough to be merged:
/// opening does not read a block for each account of the tail, nor wait until they are.
#[test]
#[cfg(target_os = "linux")]
fn opening_reads_and_writes_little() {
    let dir = tempdir().unwrap();
    let store = dir.path().join("s");
    let few = Options { run_events: 5000, ..options(64 << 20) };
    let open = || Log::open(&store, few.clone()).unwrap();
    let log = open();
    let spread = |n| viewed(&format!("account{}", n % 1000), n);
    for run in 0..3 {
        log.append((run * 5000..(run + 1) * 5000).map(spread).collect()).unwrap();
    }
    log.append((15_000..19_500).map(spread).collect()).unwrap();
    drop(log);
    let bytes = |folder: PathBuf| -> u64 {
        let files = fs::read_dir(folder).unwrap().map(|file| file.unwrap().metadata().unwrap());
        files.map(|file| file.len()).sum()
    };
    let (in_log, in_runs) = (bytes(store.join("log")), bytes(runs(&store)));
    assert_eq!(fs::read_dir(runs(&store)).unwrap().count(), 3);
    for is_writer in [false, true] {
        let before = by_this_thread();
        match is_writer {
            true => drop(open()),
            false => drop(Reader::open(&store).unwrap()),
        }
        let [read, written] = by_this_thread();
        let [read, written] = [read - before[0], written - before[1]];
        // The log once to check it, and twice to index its tail.
        assert!(read < 3 * in_log + in_runs, "{read} of {in_log} and {in_runs}");
        assert!(written < in_runs / 2, "{written} of {in_runs}");
    }
}

/// The bytes that this thread has read so far, and written.
#[cfg(target_os = "linux")]
fn by_this_thread() -> [u64; 2] {
    let io = fs::read_to_string("/proc/thread-self/io").unwrap();
    ["rchar: ", "wchar: "]
        .map(|name| io.lines().find_map(|line| line.strip_prefix(name)).unwrap().parse().unwrap())
}

/// A run is damaged, which merging or the next lookup finds, and the log cannot be read for a moment.
#[test]
fn a_rebuild_that_fails_is_no_answer() {
    for (rounds, bytes, new_accounts) in [(3, 200..1200, false), (2, 200..260, true)] {
        let dir = tempdir().unwrap();
        let store = dir.path().join("s");
        let disk = Exhausted::default();
        let few = Options { run_events: 50, ..options(4000) };
        let open = || Log::open_on(Arc::new(disk.clone()), &store, few.clone()).unwrap();
        let log = open();
        let count = rounds * 50;
        for n in 0..rounds {
            log.append(events(n * 50, n * 50 + 50)).unwrap();
        }
        log.close().unwrap();
        let log = open();
        spoil(&store, bytes);
        disk.0.store(true, Ordering::SeqCst);
        let fresh = |n| viewed(&if new_accounts { format!("new{n}") } else { "new".to_owned() }, n);
        let first = log.append((0..60).map(fresh).collect());
        disk.0.store(false, Ordering::SeqCst);
        if let Err(error) = &first {
            assert!(error.to_string().contains("Too many open files"), "{error}");
        }
        log.append((0..60).map(fresh).collect()).unwrap();
        assert_eq!(appended(&log.append(events(0, count)).unwrap()), 0);
        log.close().unwrap();
        assert_eq!(check(&store).unwrap().0.events, count as u64 + 60);
        let log = open();
        assert_eq!(appended(&log.append(events(0, count)).unwrap()), 0);
        log.close().unwrap();
    }
}

/// What should be in the log.
#[derive(Default)]
struct Known {
    accounts: usize,
    positions: HashMap<usize, u64>,
    counts: HashMap<usize, u64>,
}

impl Known {
    fn event(&self, n: usize) -> Event {
        viewed(&format!("account{}", self.account(n)), n)
    }

    fn account(&self, n: usize) -> usize {
        n * 7919 % self.accounts
    }

    /// Holds what an append said against it. After an append that failed (`is_retry`) an event may be
    /// there that was staged before the failure.
    fn take(&mut self, n: usize, outcome: Outcome, is_retry: bool) {
        let next = self.positions.len() as u64;
        let account = self.account(n);
        match outcome {
            Outcome::Appended { position, revision } => {
                assert!(!self.positions.contains_key(&n), "event {n} twice");
                let count = self.counts.entry(account).or_default();
                assert_eq!((position, revision), (next, *count), "event {n}");
                *count += 1;
                self.positions.insert(n, position);
            }
            Outcome::Duplicate { position } => match self.positions.get(&n) {
                Some(known) => assert_eq!(*known, position, "event {n}"),
                None => {
                    assert!(is_retry && position == next, "event {n} was never appended");
                    *self.counts.entry(account).or_default() += 1;
                    self.positions.insert(n, position);
                }
            },
            Outcome::Conflict { .. } | Outcome::Erased => panic!("event {n}: {outcome:?}"),
        }
    }
}

#[test]
fn whatever_fails_every_event_is_there_once() {
    let first = fastrand::u64(..);
    for seed in first..first + 60 {
        println!("seed {seed}");
        let mut random = fastrand::Rng::with_seed(seed);
        let dir = tempdir().unwrap();
        let store = dir.path().join("s");
        let disk = Exhausted::default();
        let mut known = Known { accounts: random.usize(1..40), ..Known::default() };
        let mut fresh = 0;
        for _ in 0..6 {
            disk.0.store(false, Ordering::SeqCst);
            let few = Options { run_events: random.usize(1..40), ..options(2000) };
            let log = Log::open_on(Arc::new(disk.clone()), &store, few).unwrap();
            for _ in 0..random.usize(1..60) {
                match random.u8(..12) {
                    0 if seed % 2 == 1 => flip(&runs(&store), &mut random),
                    1 if seed % 3 == 1 => _ = fs::remove_dir_all(store.join("derived")),
                    2 if seed % 4 > 1 => {
                        // A file in the folder's place: no run can be made.
                        let _ = fs::remove_dir_all(runs(&store));
                        let _ = fs::create_dir_all(store.join("derived"));
                        let _ = fs::write(runs(&store), "x");
                    }
                    3 if seed % 4 > 1 => _ = fs::remove_file(runs(&store)),
                    4 if seed % 5 > 2 => disk.0.store(random.bool(), Ordering::SeqCst),
                    _ => append_some(&log, &disk, &mut known, &mut fresh, &mut random),
                }
            }
            match random.bool() {
                true => log.close().unwrap(),
                false => drop(log),
            }
        }
        let (report, _) = check(&store).unwrap_or_else(|e| panic!("{e}"));
        assert_eq!(report.events, known.positions.len() as u64);
    }
}

/// Old events and new ones; again, one by one, if files cannot be opened.
fn append_some(
    log: &Log,
    disk: &Exhausted,
    known: &mut Known,
    fresh: &mut usize,
    random: &mut fastrand::Rng,
) {
    let mut batch = Vec::new();
    for _ in 0..random.usize(1..12) {
        let is_old = random.bool() && *fresh > 0;
        batch.push(if is_old { random.usize(..*fresh) } else { *fresh });
        *fresh += usize::from(!is_old);
    }
    let account = known.account(batch[0]);
    let outcomes = if random.u8(..4) == 0 {
        batch.truncate(1);
        let expected = match known.counts.get(&account) {
            None => ExpectedRevision::NoStream,
            Some(count) => ExpectedRevision::Exact(count - 1),
        };
        let name = format!("account{account}");
        log.append_expecting(&name, expected, vec![known.event(batch[0])])
    } else {
        log.append(batch.iter().map(|n| known.event(*n)).collect())
    };
    match outcomes {
        Ok(outcomes) => {
            for (n, outcome) in batch.into_iter().zip(outcomes) {
                known.take(n, outcome, false);
            }
        }
        Err(error) => {
            let text = error.to_string();
            assert!(
                disk.0.load(Ordering::SeqCst) && text.contains("Too many open files"),
                "{text}"
            );
            disk.0.store(false, Ordering::SeqCst);
            for n in batch {
                let outcome = log.append(vec![known.event(n)]).unwrap()[0];
                known.take(n, outcome, true);
            }
        }
    }
}

/// Flips some bits of a run.
fn flip(runs: &Path, random: &mut fastrand::Rng) {
    let files: Vec<_> =
        fs::read_dir(runs).into_iter().flatten().flatten().map(|file| file.path()).collect();
    if let Some(path) = random.choice(&files)
        && let Ok(bytes) = fs::read(path)
        && let Ok(file) = fs::OpenOptions::new().write(true).open(path)
        && !bytes.is_empty()
    {
        for _ in 0..random.usize(1..4) {
            let at = random.usize(..bytes.len());
            file.write_all_at(&[bytes[at] ^ 1], at as u64).unwrap();
        }
    }
}
