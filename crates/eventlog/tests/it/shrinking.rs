//! Segments of nothing but erased events shrink: the log stays what it was, whoever reads it, and wherever that stops.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use commitment::{Level, Ranges};
use event::{Event, Recorded, Timestamp};
use stillthere_eventlog::storage::{Disk, Storage};
use stillthere_eventlog::{
    EraseError, Log, LogFiles, OpenError, Options, Outcome, ReadError, Reader, Remains, Sealer,
    Shrunk, Target, copy_store, examine,
};

use crate::crash::root;
use crate::erasing::{STORE, Store, account, all_files, erase, life, secrets};
use crate::faulty::{Fault, Memory};
use crate::loss::After;
use crate::power::ways;
use crate::support::{check_on, options};

/// Two rounds of both, or three.
const SEGMENT: u64 = 2000;

/// What occurred before the `n`th second of both.
fn before(n: i64) -> [Target; 2] {
    let before = Timestamp::from_ms(1_770_000_000_000 + 1000 * n).unwrap();
    ["anna", "bert"].map(|who| Target::Before { account: who.to_owned(), before })
}

fn segments(dir: &Path) -> Vec<(PathBuf, u64)> {
    let files = all_files(dir).into_iter();
    let is_segment = |path: &Path| path.extension().is_some_and(|ending| ending == "seg");
    files.filter(|(path, _)| is_segment(path)).map(|(p, bytes)| (p, bytes.len() as u64)).collect()
}

fn bytes(dir: &Path) -> u64 {
    segments(dir).iter().map(|(_, len)| len).sum()
}

/// Rounds of both on the real disk, sealed behind the second; one segment ends with the seal.
fn filled(dir: &Path, rounds: usize, run_events: usize) -> Log {
    let log = Log::open(dir, Options { run_events, ..options(SEGMENT) }).unwrap();
    for n in 0..rounds {
        log.append(life("anna", 6 * n, 6)).unwrap();
        log.append(life("bert", 6 * n, 6)).unwrap();
        if n == 1 {
            log.seal(&mut Sealer::open(&log)).unwrap();
        }
    }
    log
}

/// All that a reader can say.
fn answers(reader: &Reader) -> (Vec<Recorded>, Vec<Option<Recorded>>, Vec<String>) {
    let mut whole = Vec::new();
    let take = |recorded: Recorded| {
        whole.push(recorded);
        Ok(())
    };
    reader.scan::<ReadError>(take).unwrap();
    let at = (0..reader.size()).map(|position| reader.event_at(position).unwrap()).collect();
    let mut told = Vec::new();
    for who in ["anna", "bert"] {
        told.push(format!("{:?}", reader.account_history(who).unwrap()));
        told.push(format!("{:?}", reader.account_events(who).unwrap()));
        told.push(format!("{:?}", reader.account_erased(who).unwrap()));
    }
    told.push(format!("{:?}", reader.erasures().unwrap()));
    (whole, at, told)
}

#[test]
fn a_log_of_old_events_gives_its_room_back() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    // Two runs, which nobody merges.
    let log = filled(dir, 10, 60);
    let plan = log.plan_erasure(&before(41)).unwrap();
    let would = Reader::open(dir).unwrap().would_shrink(plan.positions(), plan.names()).unwrap();
    erase(&log, &before(41)).unwrap();
    let (was, report) = (bytes(dir), check_on(Arc::new(Disk), dir, Level::Full).unwrap().0);
    let (count, told) = (segments(dir).len(), answers(&Reader::open(dir).unwrap()));
    let runs = all_files(&dir.join("derived/runs"));

    let shrunk = log.shrink().unwrap();
    assert!(shrunk.segments >= 3 && shrunk.bytes > 2000, "{shrunk:?}");
    assert_eq!((shrunk, bytes(dir)), (would, was - shrunk.bytes));
    assert_eq!(log.shrink().unwrap(), Shrunk::default());
    // Nothing but the files' lengths is another thing.
    assert_eq!(segments(dir).len(), count);
    for level in [Level::Full, Level::Quick] {
        assert_eq!(check_on(Arc::new(Disk), dir, level).unwrap().0.root, report.root);
    }
    assert_eq!(check_on(Arc::new(Disk), dir, Level::Full).unwrap().0, report);
    assert_eq!(answers(&Reader::open(dir).unwrap()), told);
    assert_eq!(
        Reader::open(dir).unwrap().would_shrink(&none(), &none()).unwrap(),
        Shrunk::default()
    );

    // The writer goes on, and the next one believes what is derived though its batches end elsewhere.
    assert_eq!(log.append(life("anna", 3, 1)).unwrap(), [Outcome::Erased]);
    assert_eq!(log.append(life("anna", 59, 1)).unwrap(), [Outcome::Duplicate { position: 113 }]);
    log.seal(&mut Sealer::open(&log)).unwrap();
    log.close().unwrap();
    assert!(!runs.is_empty() && all_files(&dir.join("derived/runs")) == runs);
    let log = Log::open(dir, Options { run_events: 7, ..options(SEGMENT) }).unwrap();
    assert_eq!(all_files(&dir.join("derived/runs")), runs);
    assert_eq!(answers(&Reader::open(dir).unwrap()), told);

    // A name in a shrunk segment, before and behind what is derived was made anew.
    erase(&log, &[account("anna")]).unwrap();
    assert_eq!(log.shrink().unwrap(), Shrunk::default());
    log.close().unwrap();
    std::fs::remove_dir_all(dir.join("derived")).unwrap();
    let log = Log::open(dir, options(SEGMENT)).unwrap();
    erase(&log, &[account("bert")]).unwrap();
    let last = log.shrink().unwrap();
    assert!(last.segments > 0);
    log.close().unwrap();
    let found = check_on(Arc::new(Disk), dir, Level::Full).unwrap().0;
    assert_eq!((found.erased.events, found.erased.accounts), (120, 2));
    assert_eq!(
        (found.seals[0].clone().seal, found.seals[0].page),
        (report.seals[0].seal, report.seals[0].page)
    );
    let mut all = secrets("anna");
    all.extend(secrets("bert"));
    for (path, bytes) in all_files(dir) {
        for secret in &all {
            let is_there = bytes.windows(secret.len()).any(|piece| piece == secret.as_bytes());
            assert!(!is_there, "{secret} in {}", path.display());
        }
    }
    assert!(examine(dir, &mut |_| {}).is_healthy());
}

/// Who seals goes on from where it stood, though that is another place by now.
#[test]
fn a_sealer_of_before_goes_on() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    let log = filled(dir, 2, 7);
    let mut sealer = Sealer::open(&log);
    let first = log.seal(&mut sealer).unwrap();
    for n in 2..8 {
        log.append(life("anna", 6 * n, 6)).unwrap();
        log.append(life("bert", 6 * n, 6)).unwrap();
    }
    erase(&log, &before(40)).unwrap();
    assert!(log.shrink().unwrap().segments >= 3);
    let second = log.seal(&mut sealer).unwrap();
    assert!(second.size > first.size);
    assert_eq!(log.seal(&mut Sealer::open(&log)).unwrap(), second);
    log.close().unwrap();
    let seals = check_on(Arc::new(Disk), dir, Level::Full).unwrap().0.seals;
    assert_eq!(seals.last().map(|sealed| sealed.seal), Some(second));
}

fn none() -> Ranges {
    Ranges::default()
}

/// A segment in which one event is there still, or of one the envelope, and the last one, stay as they are.
#[test]
fn a_segment_with_anything_else_is_not_touched() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    let log = filled(dir, 6, 7);
    // Both to the same instant: in every segment one of them has something left.
    erase(&log, &before(36)[..1]).unwrap();
    let files = all_files(&dir.join("log"));
    assert_eq!(log.shrink().unwrap(), Shrunk::default());
    assert_eq!(all_files(&dir.join("log")), files);
    let items = ["item-of-bert-0", "item-of-bert-1", "item-of-bert-2"].map(str::to_owned).to_vec();
    erase(&log, &[Target::Items { account: "bert".to_owned(), items, before: None }]).unwrap();
    assert_eq!(log.shrink().unwrap(), Shrunk::default());
    erase(&log, &before(36)[1..]).unwrap();
    let all = segments(dir);
    assert_eq!(log.shrink().unwrap().segments as usize, all.len() - 1);
    assert_eq!(segments(dir).last(), all.last());
    log.close().unwrap();
    check_on(Arc::new(Disk), dir, Level::Full).unwrap();
    check_on(Arc::new(Disk), dir, Level::Quick).unwrap();
}

/// Some rounds of both, in memory.
fn many_lives() -> Store {
    let store = Store { memory: Memory::default(), derived: tempfile::tempdir().unwrap() };
    root(&store.memory);
    store.memory.derive_in(store.derived.path());
    let log = open(&store).unwrap();
    for n in 0..6 {
        log.append(life("anna", 6 * n, 6)).unwrap();
        log.append(life("bert", 6 * n, 6)).unwrap();
    }
    log.close().unwrap();
    store
}

fn open(store: &Store) -> Result<Log, OpenError> {
    let how = Options { run_events: 7, ..options(SEGMENT) };
    Log::open_on(store.storage(), Path::new(STORE), how)
}

/// The same, of which all that is old is erased and nothing is shrunk.
fn to_shrink() -> Store {
    let store = many_lives();
    let log = open(&store).unwrap();
    erase(&log, &before(31)).unwrap();
    log.close().unwrap();
    store
}

/// Shrinks until the machine stops or a call fails; says what it answered.
fn run(start: &Store, n: usize, fault: Fault) -> (Store, Option<Shrunk>) {
    let store = start.after(After::Kill);
    let log = open(&store).unwrap();
    // An open log, of which a slot of HEAD names an end that came before.
    log.append(life("bert", 100, 1)).unwrap();
    store.memory.fail(n, fault);
    let shrunk = log.shrink();
    if let Err(error) = &shrunk {
        assert!(!error.to_string().contains('\n'), "{error}");
    }
    drop(log);
    (store, shrunk.ok())
}

fn len(store: &Store) -> usize {
    store.memory.files(Path::new(STORE)).values().map(Vec::len).sum()
}

/// Holds what a stop left: readers see the same events; the next writer goes on, and what is left to shrink shrinks.
fn hold(store: &Store, expected: &[Event], shrunk: Shrunk, what: &str) -> u64 {
    let dir = Path::new(STORE);
    assert_eq!(store.whole(), expected, "{what}");
    let head = store.memory.files(dir)[Path::new("/store/log/HEAD")].clone();
    let head = commitment::Head::decode(&head);
    let is_sound = head.is_ok_and(|head| head.check().is_ok());
    for level in [Level::Full, Level::Quick].into_iter().filter(|_| is_sound) {
        check_on(store.storage(), dir, level).unwrap_or_else(|e| panic!("{what}: {e}"));
    }
    let remains = Remains::open_on(store.storage(), dir).unwrap();
    let surveyed = remains.survey::<ReadError>(&mut |_| {}, &mut |_| Ok(())).unwrap();
    assert!(surveyed.missing.is_empty() || !is_sound, "{what}: {:?}", surveyed.missing);
    let log = open(store).unwrap_or_else(|e| panic!("{what}: {e}"));
    assert_eq!(store.whole(), expected, "{what}");
    let left = |store: &Store| {
        let files: BTreeMap<PathBuf, Vec<u8>> = store.memory.files(dir);
        files.into_keys().filter(|path| path.to_string_lossy().ends_with(".tmp")).count()
    };
    assert_eq!(left(store), 0, "{what}");
    let rest = log.shrink().unwrap_or_else(|e| panic!("{what}: {e}"));
    assert!(rest.segments <= shrunk.segments, "{what}");
    assert_eq!(log.shrink().unwrap(), Shrunk::default(), "{what}");
    assert_eq!(left(store), 0, "{what}");
    log.append(life("bert", 200, 3)).unwrap_or_else(|e| panic!("{what}: {e}"));
    log.seal(&mut Sealer::open(&log)).unwrap_or_else(|e| panic!("{what}: {e}"));
    log.close().unwrap_or_else(|e| panic!("{what}: {e}"));
    check_on(store.storage(), dir, Level::Full).unwrap_or_else(|e| panic!("{what}, at last: {e}"));
    check_on(store.storage(), dir, Level::Quick).unwrap_or_else(|e| panic!("{what}, at last: {e}"));
    rest.segments
}

#[test]
fn after_a_stop_at_every_call_each_segment_is_as_before_or_shrunk() {
    let seed = fastrand::u64(..);
    println!("seed {seed}");
    let mut random = fastrand::Rng::with_seed(seed);
    let start = to_shrink();
    let (whole, shrunk) = run(&start, usize::MAX, Fault::Lost);
    let (expected, shrunk, calls) = (whole.whole(), shrunk.unwrap(), whole.memory.calls());
    assert!(shrunk.segments >= 2 && calls > 10, "{shrunk:?}, {calls} calls");
    let mut met = [false; 3];
    for n in 0..=calls {
        let (store, done) = run(&start, n, Fault::Stopped);
        let mut all = ways(&store.memory.unsynced(), &mut random);
        if all.len() > 8 {
            random.shuffle(&mut all[4..]);
            all.truncate(8);
        }
        for after in all {
            let what = format!("a stop before call {n}, {after:?}");
            let rest = hold(&store.after(after), &expected, shrunk, &what);
            // What was said to be done is durable.
            assert!(done.is_none() || rest == 0, "{what}");
            met[if rest == shrunk.segments { 0 } else { 1 + usize::from(rest == 0) }] = true;
        }
    }
    assert_eq!(met, [true; 3]);
}

#[test]
fn after_an_error_at_every_call_each_segment_is_as_before_or_shrunk() {
    let start = to_shrink();
    let (whole, shrunk) = run(&start, usize::MAX, Fault::Lost);
    let (expected, shrunk, calls) = (whole.whole(), shrunk.unwrap(), whole.memory.calls());
    for n in 0..calls {
        for fault in [Fault::Lost, Fault::Kept, Fault::Torn, Fault::Forgotten, Fault::Full] {
            let (store, done) = run(&start, n, fault);
            let what = format!("{} (call {n}) {fault:?}", store.memory.failed().unwrap());
            assert_eq!(done, None, "{what}, and nobody said so");
            store.memory.restart();
            let again = store.after(After::Kill);
            hold(&again, &expected, shrunk, &what);
            let kept = again.after(After::Synced);
            assert_eq!(kept.whole(), again.whole(), "{what}, after the power went");
        }
    }
}

/// After an error in what shrinks, the same log takes more, unless it does not know its own end any more.
#[test]
fn a_log_goes_on_after_an_error() {
    let start = to_shrink();
    for n in 0.. {
        let store = start.after(After::Kill);
        let log = open(&store).unwrap();
        log.append(life("bert", 100, 1)).unwrap();
        store.memory.fail(n, Fault::Full);
        let shrunk = log.shrink();
        let Some(call) = store.memory.failed() else { break };
        assert!(shrunk.is_err(), "{call}");
        store.memory.restart();
        let is_head = call.contains("HEAD");
        let appended = log.append(life("bert", 101, 1));
        assert_eq!(appended.is_err(), is_head, "{call}: {appended:?}");
        if !is_head {
            log.shrink().unwrap_or_else(|e| panic!("{call}: {e}"));
            assert_eq!(log.append(life("bert", 101, 1)).unwrap().len(), 1);
            log.close().unwrap();
            check_on(store.storage(), Path::new(STORE), Level::Full).unwrap();
        }
    }
    assert!(len(&start) > 0);
}

/// Readers that were there before say what they said, and never that the log is damaged.
#[test]
fn a_reader_of_before_goes_on_beside_it() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    let log = filled(dir, 10, 7);
    // One of before the erasure; then one that has read of the segments, and one that has not.
    let early = Reader::open(dir).unwrap();
    erase(&log, &before(41)).unwrap();
    let (warm, cold) = (Reader::open(dir).unwrap(), Reader::open(dir).unwrap());
    let (files, told) = (LogFiles::open(dir).unwrap(), answers(&warm));
    let remains = Remains::open(dir).unwrap();
    let shrunk = log.shrink().unwrap();
    assert!(shrunk.segments >= 3);
    assert_eq!(answers(&warm), told);
    assert_eq!(answers(&cold), told);
    files.check::<_, Whole>(Level::Full, || (), |_| {}).map(drop).unwrap();
    let surveyed = remains.survey::<ReadError>(&mut |_| {}, &mut |_| Ok(())).unwrap();
    assert_eq!(surveyed.missing, []);
    for who in ["anna", "bert"] {
        let events = early.account_events(who).unwrap();
        assert!([60, 19].contains(&events.len()), "{}", events.len());
    }
    assert_eq!(early.event_at(0).unwrap(), None);
    log.close().unwrap();
    assert_eq!(answers(&warm), told);
}

/// A check that fails says so.
#[derive(Debug)]
struct Whole;

impl From<Box<commitment::Divergence>> for Whole {
    fn from(divergence: Box<commitment::Divergence>) -> Whole {
        panic!("{divergence}")
    }
}

impl From<ReadError> for Whole {
    fn from(error: ReadError) -> Whole {
        panic!("{error}")
    }
}

/// A reader whose end lies in a segment that was shrunk since: what it must read of it anew it cannot place any more, and says
/// that it was erased from, not that it is damaged.
#[test]
fn a_reader_whose_end_is_in_a_shrunk_segment_is_told() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    let log = Log::open(dir, options(SEGMENT)).unwrap();
    log.append(life("anna", 0, 6)).unwrap();
    log.append(life("bert", 0, 3)).unwrap();
    let reader = Reader::open(dir).unwrap();
    assert_eq!(reader.size(), 9);
    for n in 1..4 {
        log.append(life("anna", 6 * n, 6)).unwrap();
        log.append(life("bert", 6 * n, 6)).unwrap();
    }
    erase(&log, &before(20)).unwrap();
    assert!(log.shrink().unwrap().segments > 0);
    let erasing = |error: ReadError| assert!(matches!(error, ReadError::Erasing { .. }), "{error}");
    let scanned = reader.scan::<ReadError>(|recorded| panic!("{recorded:?}"));
    scanned.map_or_else(erasing, drop);
    for position in 0..9 {
        match reader.event_at(position) {
            Ok(found) => assert_eq!(found, None),
            Err(error) => erasing(error),
        }
    }
    std::fs::remove_dir_all(dir.join("derived")).unwrap();
    match reader.account_history("anna") {
        Ok(history) => assert!(history.is_some()),
        Err(error) => erasing(error),
    }
    log.close().unwrap();
}

/// A store through the images of an erasure, opened before it was finished, read after its segments were shrunk.
#[test]
fn a_reader_through_the_images_goes_on_too() {
    let start = many_lives();
    let dir = Path::new(STORE);
    let redo = Path::new("/store/log/REDO");
    for n in 0.. {
        let store = start.after(After::Kill);
        let log = open(&store).unwrap();
        store.memory.fail(n, Fault::Stopped);
        let erased = erase(&log, &before(25));
        drop(log);
        let store = store.after(After::Kill);
        if !store.memory.files(dir).contains_key(redo) {
            if erased.is_ok() {
                break;
            }
            continue;
        }
        let (cold, files) = (
            Reader::open_on(store.storage(), dir).unwrap(),
            LogFiles::open_on(store.storage(), dir).unwrap(),
        );
        let seen = store.whole();
        let log = open(&store).unwrap();
        log.shrink().unwrap();
        let after = store.whole();
        if seen == after {
            let mut events = Vec::new();
            let take = |recorded: Recorded| {
                events.push(recorded.event);
                Ok(())
            };
            cold.scan::<ReadError>(take).unwrap_or_else(|e| panic!("call {n}: {e}"));
            assert_eq!(events, after, "call {n}");
            files.check::<_, Whole>(Level::Full, || (), |_| {}).map(drop).unwrap();
        }
        log.close().unwrap();
    }
}

/// A backup of a shrunk log is one; one of before loses again what was erased, and shrinks.
#[test]
fn a_backup_is_shrunk_as_it_was() {
    let dir = tempfile::tempdir().unwrap();
    let [new, old, copy] = ["new", "old", "copy"].map(|name| dir.path().join(name));
    let log = filled(&new, 10, 7);
    copy_store(&new, &old, Level::Full, &mut |_| {}).unwrap();
    erase(&log, &before(41)).unwrap();
    let shrunk = log.shrink().unwrap();
    log.close().unwrap();
    copy_store(&new, &copy, Level::Quick, &mut |_| {}).unwrap();
    assert_eq!(bytes(&copy), bytes(&new));
    let (a, b) = (Reader::open(&new).unwrap(), Reader::open(&copy).unwrap());
    assert_eq!(answers(&a), answers(&b));
    // One of before: what was erased since is erased again, and shrinks again.
    let log = Log::open(&old, options(SEGMENT)).unwrap();
    log.erase_again(&a.erasures().unwrap()).unwrap();
    assert_eq!(log.shrink().unwrap(), shrunk);
    log.close().unwrap();
    assert_eq!(answers(&Reader::open(&old).unwrap()).0, answers(&a).0);
    // And of one that is shrunk a newer one is restored as well.
    let log = Log::open(&copy, options(SEGMENT)).unwrap();
    assert_eq!(log.erase_again(&a.erasures().unwrap()).unwrap(), []);
    log.close().unwrap();
    // Derived files of the one beside the log of the other.
    std::fs::remove_dir_all(copy.join("derived")).unwrap();
    copy_dir(&new.join("derived"), &copy.join("derived"));
    assert_eq!(answers(&Reader::open(&copy).unwrap()), answers(&a));
    std::fs::remove_dir_all(old.join("derived")).unwrap();
    copy_dir(&new.join("derived"), &old.join("derived"));
    assert_eq!(answers(&Reader::open(&old).unwrap()).0, answers(&a).0);
}

fn copy_dir(from: &Path, to: &Path) {
    for (path, bytes) in all_files(from) {
        let to = to.join(path.strip_prefix(from).unwrap());
        std::fs::create_dir_all(to.parent().unwrap()).unwrap();
        std::fs::write(to, bytes).unwrap();
    }
}

/// Damage in a segment that is to be shrunk is found, and nothing is made good.
#[test]
fn damage_is_not_shrunk() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    let log = filled(dir, 6, 7);
    erase(&log, &before(36)).unwrap();
    let (path, len) = segments(dir)[0].clone();
    let sound = std::fs::read(&path).unwrap();
    for at in (200..len as usize).step_by(97) {
        let mut bytes = sound.clone();
        bytes[at] ^= 4;
        std::fs::write(&path, &bytes).unwrap();
        let error = log.shrink().unwrap_err();
        assert!(matches!(error, EraseError::Read(_) | EraseError::Io(_)), "byte {at}: {error}");
        assert_eq!(std::fs::read(&path).unwrap(), bytes, "byte {at}");
    }
    std::fs::write(&path, &sound).unwrap();
    let storage: Arc<dyn Storage> = Arc::new(Disk);
    assert!(log.shrink().unwrap().segments > 0);
    log.close().unwrap();
    check_on(storage, dir, Level::Full).unwrap();
}
