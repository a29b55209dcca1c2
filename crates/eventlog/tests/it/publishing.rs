//! A stop, a loss of power or an error at every single call of a run that appends, seals and publishes: what was
//! acknowledged is there, and what was signed and handed out is never contradicted.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use commitment::{Algorithm, Checkpoint, Head, Level, Note, SignerKey, Tiles, check_consistency};
use event::Event;
use stillthere_eventlog::storage::Storage;
use stillthere_eventlog::{LastSigned, Log, LogFiles, Outcome, SealError, Sealer};

use crate::crash::{Acknowledged, root};
use crate::faulty::{Fault, Memory};
use crate::loss::After;
use crate::power::ways;
use crate::support::{check_on, events, options, read_all};

const STORE: &str = "/store";
/// Beside the store: a store that is put back must not take the record with it.
const LAST: &str = "/keys/signing.key.last";
/// Small, so that pages and rolls are among it.
const SEGMENT: u64 = 1500;

/// A checkpoint that a caller was given.
#[derive(Debug, Clone)]
pub struct Handed {
    checkpoint: Checkpoint,
    /// Where `HEAD` said that the log ends when it was given.
    end: (u64, u64),
    /// The published tree, file by file.
    tree: BTreeMap<PathBuf, Vec<u8>>,
}

/// What a run was told.
#[derive(Debug, Clone, Default)]
struct Told {
    acknowledged: Acknowledged,
    handed: Vec<Handed>,
}

fn signer() -> SignerKey {
    SignerKey::new("example.com/log", Algorithm::Ed25519, &[7; 32]).unwrap()
}

fn last(memory: &Memory) -> Result<LastSigned, SealError> {
    let (key, storage) = (signer(), Arc::new(memory.clone()));
    let verifiers = [key.verifier().clone()];
    LastSigned::read_on(storage, Path::new(LAST), key.verifier().name(), &verifiers)
}

/// As `checkpoint` goes about it.
fn publish(memory: &Memory, log: &Log) -> Result<Checkpoint, SealError> {
    let key = signer();
    let last = last(memory)?;
    let mut sealer = Sealer::open(log);
    last.goes_on_in(log, &sealer)?;
    log.seal(&mut sealer)?;
    let head = sealer.publish()?;
    let note = last.sign(&head, &key, &sealer)?;
    last.hand_out(&note, &key, &sealer)?;
    Ok(Checkpoint::parse(note.unverified_text()).unwrap())
}

/// The files of the published tree, without what was begun and not put into its place.
fn tree(memory: &Memory) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut files = memory.files(Path::new("/store/tlog"));
    files.retain(|path, _| path.file_name().unwrap() != "new.tmp");
    files
}

fn head(memory: &Memory) -> (u64, u64) {
    let files = LogFiles::open_on(Arc::new(memory.clone()), Path::new(STORE)).unwrap();
    let now = Head::decode(files.head()).unwrap().now;
    (now.segment, now.offset)
}

/// Opens, appends, publishes, appends more, closes; some rounds of it. Ends at the first error, which is a sentence.
fn work(memory: &Memory, from: usize, told: &mut Told) -> bool {
    let run = |told: &mut Told| -> Result<(), Box<dyn std::error::Error>> {
        let mut at = from;
        for counts in [[5, 3], [4, 0], [0, 6]] {
            let storage = Arc::new(memory.clone());
            let log = Log::open_on(storage, Path::new(STORE), options(SEGMENT))?;
            for (n, count) in counts.into_iter().enumerate() {
                let batch = events(at, at + count);
                at += count;
                for (outcome, event) in log.append(batch.clone())?.into_iter().zip(batch) {
                    let Outcome::Appended { position, .. } = outcome else { panic!("{outcome:?}") };
                    told.acknowledged.push((position, event));
                }
                if n == 0 {
                    let checkpoint = publish(memory, &log)?;
                    let (end, tree) = (head(memory), tree(memory));
                    told.handed.push(Handed { checkpoint, end, tree });
                }
            }
            log.close()?;
        }
        Ok(())
    };
    match run(told) {
        Ok(()) => true,
        Err(error) => {
            let said = error.to_string();
            assert!(said.starts_with('/') && !said.contains('\n'), "{said}");
            false
        }
    }
}

/// Holds what is there after a stop against what was told, before anything mends it and after the next run did.
fn check(memory: &Memory, before: usize, told: &Told, what: &str) {
    let store = Path::new(STORE);
    let storage: Arc<dyn Storage> = Arc::new(memory.clone());
    let there = tree(memory);
    for Handed { checkpoint, end, tree } in &told.handed {
        for (path, bytes) in tree {
            let found = there.get(path);
            assert!(found.is_some(), "{what}: {} is gone", path.display());
            // All is written once but what says which checkpoint is the newest.
            let is_newest = path.ends_with("checkpoint");
            assert!(is_newest || found == Some(bytes), "{what}: {} is another", path.display());
        }
        let root = tiles_root(&there, checkpoint.size);
        assert_eq!(root, Ok(checkpoint.root), "{what}: size {}", checkpoint.size);
        assert!(head(memory) >= *end, "{what}: HEAD does not name the seal");
    }
    if let Some(newest) = told.handed.last() {
        let newest = newest.checkpoint.size;
        let signed = last(memory).unwrap_or_else(|e| panic!("{what}: {e}"));
        let signed = signed.checkpoint().unwrap_or_else(|| panic!("{what}: no record")).size;
        assert!(signed >= newest, "{what}: {signed} was signed last, by the record");
        let note = Note::parse(&there[Path::new("/store/tlog/checkpoint")]).unwrap();
        let published = Checkpoint::parse(note.unverified_text()).unwrap().size;
        assert!((newest..=signed).contains(&published), "{what}: {published} is published");
    }

    let log = Log::open_on(Arc::clone(&storage), store, options(SEGMENT))
        .unwrap_or_else(|e| panic!("{what}: {e}"));
    let all: Vec<Event> =
        read_all(Arc::clone(&storage), store).into_iter().map(|recorded| recorded.event).collect();
    for (position, event) in &told.acknowledged {
        assert_eq!(all.get(*position as usize), Some(event), "{what}: acknowledged at {position}");
    }
    assert!(all == events(0, all.len()), "{what}");
    check_on(Arc::clone(&storage), store, Level::Full).unwrap_or_else(|e| panic!("{what}: {e}"));

    // The next run goes on, and says nothing else of what was handed out.
    log.append(events(0, before + 30)).unwrap_or_else(|e| panic!("{what}: {e}"));
    let new = publish(memory, &log).unwrap_or_else(|e| panic!("{what}: {e}"));
    let sealer = Sealer::open(&log);
    for Handed { checkpoint: old, .. } in &told.handed {
        let proof = sealer.consistency(old.size, new.size).unwrap();
        let extends = check_consistency(old.size, &old.root, new.size, &new.root, &proof);
        assert_eq!(extends, Ok(()), "{what}: from {} to {}", old.size, new.size);
    }
    log.close().unwrap_or_else(|e| panic!("{what}: {e}"));
    let after = tree(memory);
    for (path, bytes) in there.iter().filter(|(path, _)| path.starts_with("/store/tlog/tile")) {
        assert!(after.get(path) == Some(bytes), "{what}: {} was changed", path.display());
    }
    let (report, _) =
        check_on(storage, store, Level::Full).unwrap_or_else(|e| panic!("{what}, at last: {e}"));
    assert_eq!((report.root, report.events), (new.root, before as u64 + 30), "{what}, at last");
}

/// The root of the tree of some size, by the files that are there alone.
fn tiles_root(there: &BTreeMap<PathBuf, Vec<u8>>, size: u64) -> Result<[u8; 32], String> {
    let file = |path: String| there.get(&Path::new("/store/tlog").join(path)).cloned();
    let read = |tile: commitment::Tile| {
        Ok::<_, commitment::TileError>(
            file(tile.to_string()).or_else(|| file(tile.full().to_string())),
        )
    };
    Tiles::new(size, read).root().map_err(|e| e.to_string())
}

/// The folders in which the store and the record are made.
fn empty() -> Memory {
    let memory = Memory::default();
    root(&memory);
    memory.create_folder(Path::new("/keys")).unwrap();
    memory.sync_folder(Path::new("/")).unwrap();
    memory
}

/// A log whose tree is about to fill its first tile, published.
fn almost_a_tile() -> (Memory, usize, Told) {
    let memory = empty();
    let storage = Arc::new(memory.clone());
    let log = Log::open_on(storage, Path::new(STORE), options(SEGMENT)).unwrap();
    let (mut count, mut told, mut size) = (0, Told::default(), 0);
    while size < 253 {
        log.append(events(count, count + 1)).unwrap();
        count += 1;
        if size < 245 && count % 8 > 0 {
            continue;
        }
        let checkpoint = publish(&memory, &log).unwrap();
        size = checkpoint.size;
        let (end, tree) = (head(&memory), tree(&memory));
        told.handed = vec![Handed { checkpoint, end, tree }];
    }
    log.close().unwrap();
    (memory, count, told)
}

/// The work until the machine stops before call `n`, on what is there.
fn run(start: &(Memory, usize, Told), n: usize, fault: Fault) -> (Memory, Told, bool) {
    let (memory, before, told) = start;
    let (memory, mut told) = (memory.after(After::Kill), told.clone());
    memory.fail(n, fault);
    let is_done = work(&memory, *before, &mut told);
    (memory, told, is_done)
}

fn calls(start: &(Memory, usize, Told)) -> usize {
    let (memory, told, is_done) = run(start, usize::MAX, Fault::Lost);
    assert!(is_done && told.handed.len() >= 3);
    memory.calls()
}

#[test]
fn after_every_call_whatever_is_kept() {
    let seed = fastrand::u64(..);
    println!("seed {seed}");
    let mut random = fastrand::Rng::with_seed(seed);
    let start = (empty(), 0, Told::default());
    let (mut count, mut handed) = (0, 0);
    for n in 0..=calls(&start) {
        let (memory, told, _) = run(&start, n, Fault::Stopped);
        handed = handed.max(told.handed.len());
        for after in ways(&memory.unsynced(), &mut random) {
            let what = format!("a stop before call {n}, {after:?}");
            check(&memory.after(after), 0, &told, &what);
            count += 1;
        }
    }
    assert!(handed == 3 && count > 1000, "{count} {handed}");
}

#[test]
fn after_every_call_that_fills_a_tile() {
    let start = almost_a_tile();
    let all = calls(&start);
    let (whole, ..) = run(&start, usize::MAX, Fault::Lost);
    assert!(tree(&whole).contains_key(Path::new("/store/tlog/tile/0/000")));
    let first = fastrand::usize(..8);
    println!("from call {first} on");
    for n in (first..=all).step_by(8) {
        let (memory, told, _) = run(&start, n, Fault::Stopped);
        for after in [After::Synced, After::Chance(n as u64)] {
            let what = format!("a stop before call {n}, {after:?}");
            check(&memory.after(after), start.1, &told, &what);
        }
    }
}

/// The machine goes on behind an error, and so does the next run; then the power goes.
#[test]
fn after_an_error_at_every_call() {
    let start = (empty(), 0, Told::default());
    for n in 0..calls(&start) {
        for fault in [Fault::Lost, Fault::Kept, Fault::Torn, Fault::Forgotten, Fault::Full] {
            let (memory, told, is_done) = run(&start, n, fault);
            let failed = memory.failed().unwrap();
            let what = format!("{failed} (call {n}) {fault:?}");
            // A disk that is full only for room is none.
            assert!(!is_done || fault == Fault::Full, "{what}, and nobody said so");
            memory.restart();
            check(&memory, 0, &told, &what);
            let memory = memory.after(After::Synced);
            check(&memory, 0, &Told { handed: vec![], ..told }, &what);
        }
    }
}

/// The next run's checkpoint is as durable as if there had been no error before it.
#[test]
fn what_a_failed_sync_forgot_is_written_again() {
    let start = (empty(), 0, Told::default());
    for n in 0..calls(&start) {
        let (memory, mut told, _) = run(&start, n, Fault::Forgotten);
        let what = format!("{} (call {n})", memory.failed().unwrap());
        memory.restart();
        let storage = Arc::new(memory.clone());
        let log = Log::open_on(storage, Path::new(STORE), options(SEGMENT)).unwrap();
        let checkpoint = publish(&memory, &log).unwrap_or_else(|e| panic!("{what}: {e}"));
        let (end, tree) = (head(&memory), tree(&memory));
        told.handed.push(Handed { checkpoint, end, tree });
        // The machine stops: nobody closes the log.
        drop(log);
        check(&memory.after(After::Synced), 0, &told, &what);
    }
}

/// What is kept of the chains goes past the seam: it may say more than the log has, or less.
#[test]
fn what_is_kept_of_a_seal_may_be_ahead_of_the_log() {
    let start = (empty(), 0, Told::default());
    let mut ahead = 0;
    for n in (0..calls(&start)).step_by(2) {
        let dir = tempfile::tempdir().unwrap();
        let kept = dir.path().join("kept");
        let memory = start.0.after(After::Kill);
        memory.derive_in(&kept);
        memory.fail(n, Fault::Stopped);
        let mut told = Told::default();
        work(&memory, 0, &mut told);
        for (number, after) in [After::Kill, After::Synced].into_iter().enumerate() {
            let memory = memory.after(after);
            let own = dir.path().join(number.to_string());
            std::fs::create_dir_all(&own).unwrap();
            if let Ok(seal) = std::fs::read(kept.join("seal")) {
                std::fs::write(own.join("seal"), seal).unwrap();
                ahead += 1;
            }
            memory.derive_in(&own);
            check(&memory, 0, &told, &format!("a stop before call {n}, {after:?}"));
        }
    }
    assert!(ahead > 50, "{ahead}");
}

/// The test of the test: without any one of the syncs, something is lost at some stop, and is found to be.
#[test]
fn no_sync_can_be_left_out() {
    let start = (empty(), 0, Told::default());
    let (whole, ..) = run(&start, usize::MAX, Fault::Lost);
    let mut needed = BTreeMap::new();
    for (n, sync) in whole.journal().iter().enumerate() {
        let is_of_publishing = ["/tlog", "/keys", "HEAD ", "folder /store "];
        if !sync.starts_with("sync") || !is_of_publishing.iter().any(|part| sync.contains(part)) {
            continue;
        }
        let is_found = (n + 1..n + 40).any(|stop| {
            let memory = start.0.after(After::Kill);
            memory.fail(stop, Fault::Stopped);
            memory.lie_at(n);
            let mut told = Told::default();
            work(&memory, 0, &mut told);
            [After::Synced, After::SyncedNames, After::SyncedBytes].into_iter().any(|after| {
                let after = memory.after(after);
                std::panic::catch_unwind(|| check(&after, 0, &told, sync)).is_err()
            })
        });
        assert!(is_found || !sync.contains(".tmp"), "{sync} (call {n}) can be left out");
        *needed.entry(sync.trim_end().to_owned()).or_insert(0) += usize::from(is_found);
    }
    // One of a folder that was there, or of HEAD where nothing is handed out of it, can be.
    for sync in [
        "sync /keys/signing.key.last.tmp",
        "sync /store/log/HEAD",
        "sync /store/tlog/new.tmp",
        "sync folder /keys",
        "sync folder /store",
        "sync folder /store/tlog",
        "sync folder /store/tlog/tile",
        "sync folder /store/tlog/tile/0",
        "sync folder /store/tlog/tile/0/000.p",
        "sync folder /store/tlog/tile/entries",
        "sync folder /store/tlog/tile/entries/000.p",
    ] {
        let is_needed = needed.remove(sync).is_some_and(|times| times > 0);
        assert!(is_needed, "{sync} can be left out, and nothing is lost");
    }
    assert!(needed.is_empty(), "{needed:?}");
}
