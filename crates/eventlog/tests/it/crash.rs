//! A crash or a failure at every single call to the storage: what was acknowledged is there
//! afterwards, in order, once, and the log goes on.

use std::path::Path;
use std::sync::Arc;

use commitment::Level;
use event::Event;
use stillthere_eventlog::{Log, Options, Outcome};

use crate::faulty::{Fault, Memory};
use crate::loss::After;
use crate::support::{check_on, events, now, options, read_all};

/// What the log acknowledged: position and event.
pub type Acknowledged = Vec<(u64, Event)>;

/// How the log is written to.
#[derive(Debug, Clone, Copy)]
pub struct Work {
    pub strict_tail: bool,
    /// Small, so that rolls are among it.
    pub segment_bytes: u64,
    /// `from..to` of an endless row of events.
    pub events: fn(usize, usize) -> Vec<Event>,
}

impl Work {
    pub const SMALL: Work = Work { strict_tail: false, segment_bytes: 900, events };
    pub const STRICT: Work = Work { strict_tail: true, ..Work::SMALL };
}

/// Opens, appends, closes, twice. Ends at the first failure, after which the log must take nothing
/// more.
pub fn work(memory: &Memory, work: Work, acknowledged: &mut Acknowledged) -> bool {
    let Work { strict_tail, segment_bytes, events } = work;
    let store = Path::new("/store");
    let mut at = 0;
    for _ in 0..2 {
        let options = Options { strict_tail, ..options(segment_bytes) };
        let Ok(log) = Log::open_on(Arc::new(memory.clone()), store, options) else { return false };
        for count in [1, 4, 2, 7] {
            let batch = events(at, at + count);
            at += count;
            match log.append(batch.clone()) {
                Ok(outcomes) => {
                    for (event, outcome) in batch.into_iter().zip(outcomes) {
                        match outcome {
                            Outcome::Appended { position, .. } => {
                                acknowledged.push((position, event));
                            }
                            other => panic!("{other:?}"),
                        }
                    }
                    assert_eq!(log.size(), acknowledged.len() as u64);
                }
                Err(_) => {
                    assert!(log.append(events(500, 501)).is_err(), "a failed log takes no more");
                    assert!(log.append(events(0, 1)).is_err(), "nor does it answer");
                    assert!(log.close().is_err());
                    return false;
                }
            }
        }
        if log.close().is_err() {
            return false;
        }
    }
    true
}

/// Opens what is there after a crash, and holds it against what was acknowledged.
pub fn check(memory: &Memory, work: Work, acknowledged: &Acknowledged, what: &str) {
    let Work { segment_bytes, events, .. } = work;
    let store = Path::new("/store");
    let storage = Arc::new(memory.clone());
    let log = Log::open_on(Arc::clone(&storage) as _, store, options(segment_bytes))
        .unwrap_or_else(|e| panic!("{what}: {e}"));
    let all = read_all(Arc::clone(&storage) as _, store);
    let (report, checked) = check_on(Arc::clone(&storage) as _, store, Level::Full)
        .unwrap_or_else(|e| panic!("{what}: {e}"));
    assert_eq!(checked, all, "{what}");
    assert_eq!(report.events, log.size());
    for (position, event) in acknowledged {
        let found = all.get(*position as usize).map(|recorded| &recorded.event);
        assert_eq!(found, Some(event), "{what}: acknowledged at {position}");
    }
    // Events are appended in order, so what is there is a beginning of all.
    let expected = events(0, all.len());
    assert!(all.iter().map(|r| &r.event).eq(&expected), "{what}");
    // All again, as somebody would who does not know how far it came.
    log.append(events(0, 40)).unwrap_or_else(|e| panic!("{what}: {e}"));
    log.close().unwrap_or_else(|e| panic!("{what}: {e}"));
    let (_, checked) =
        check_on(storage, store, Level::Full).unwrap_or_else(|e| panic!("{what}, at last: {e}"));
    let got: Vec<Event> = checked.into_iter().map(|recorded| recorded.event).collect();
    assert_eq!(got, events(0, 40), "{what}, at last");
}

#[test]
fn at_every_call_by_every_fault() {
    let seed = fastrand::u64(..);
    println!("seed {seed}");
    let mut random = fastrand::Rng::with_seed(seed);
    for how in [Work::SMALL, Work::STRICT] {
        for n in 0..calls(how) {
            for fault in [Fault::Lost, Fault::Kept, Fault::Torn] {
                let memory = Memory::default();
                root(&memory);
                memory.fail(n, fault);
                let mut acknowledged = Vec::new();
                let ended = work(&memory, how, &mut acknowledged);
                let failed = memory.failed().unwrap();
                assert!(!ended, "{failed} failed, and nobody said so");
                let after = [After::Kill, After::Synced, After::SyncedNames, After::SyncedBytes];
                let chances = (0..6).map(|_| After::Chance(random.u64(..)));
                for after in after.into_iter().chain(chances) {
                    let what = format!("{failed} (call {n}) {fault:?}, {after:?}");
                    check(&memory.after(after), how, &acknowledged, &what);
                }
            }
        }
    }
}

/// A sync fails, the process ends, the next one finds the bytes in memory and goes on; then the power
/// goes.
#[test]
fn what_a_failed_sync_forgot_is_written_again() {
    for n in 0..150 {
        let memory = Memory::default();
        root(&memory);
        memory.fail(n, Fault::Forgotten);
        let mut acknowledged = Vec::new();
        work(&memory, Work::SMALL, &mut acknowledged);
        let Some(failed) = memory.failed() else { break };
        memory.restart();
        let storage = Arc::new(memory.clone());
        let log = Log::open_on(storage, Path::new("/store"), options(900))
            .unwrap_or_else(|e| panic!("{failed}: {e}"));
        let all = events(0, 40);
        let outcomes = log.append(all.clone()).unwrap_or_else(|e| panic!("{failed}: {e}"));
        for (event, outcome) in all.into_iter().zip(outcomes) {
            match outcome {
                Outcome::Appended { position, .. } | Outcome::Duplicate { position } => {
                    acknowledged.push((position, event));
                }
                Outcome::Conflict { .. } | Outcome::Erased => panic!("{failed}: {outcome:?}"),
            }
        }
        // As the machine stops: the process is not asked to close the log.
        drop(log);
        let what = format!("{failed} (call {n})");
        check(&memory.after(After::Synced), Work::SMALL, &acknowledged, &what);
    }
}

/// A second crash, while recovering from the first.
#[test]
fn at_every_call_of_recovery() {
    let seed = fastrand::u64(..);
    println!("seed {seed}");
    let mut random = fastrand::Rng::with_seed(seed);
    for n in (0..120).step_by(3) {
        let memory = Memory::default();
        root(&memory);
        memory.fail(n, Fault::Torn);
        let mut acknowledged = Vec::new();
        work(&memory, Work::SMALL, &mut acknowledged);
        let first = random.u64(..);
        for m in 0.. {
            let again = memory.after(After::Chance(first));
            again.fail(m, *random.choice(&[Fault::Lost, Fault::Kept, Fault::Torn]).unwrap());
            let opened = Log::open_on(Arc::new(again.clone()), Path::new("/store"), options(900));
            let Some(failed) = again.failed() else { break };
            assert!(opened.is_err(), "{failed} failed, and nobody said so");
            drop(opened);
            for after in [After::Kill, After::Synced, After::Chance(random.u64(..))] {
                let what = format!("call {n}, then {failed} (call {m}), {first}, {after:?}");
                check(&again.after(after), Work::SMALL, &acknowledged, &what);
            }
        }
    }
}

/// The test of the test: without any one of the syncs, some crash loses something, and is found to.
#[test]
fn no_sync_can_be_left_out() {
    let lies = ["sync /store/log/0", "sync /store/log/HEAD ", "sync /store/log/HEAD.tmp"];
    let folders = ["sync folder /store/log", "sync folder /store ", "sync folder / "];
    for lie in lies.into_iter().chain(folders) {
        let is_found = (0..150).any(|n| {
            let memory = Memory::default();
            root(&memory);
            memory.lie(lie);
            memory.fail(n, Fault::Lost);
            let mut acknowledged = Vec::new();
            work(&memory, Work::SMALL, &mut acknowledged);
            [After::Synced, After::SyncedNames, After::SyncedBytes].into_iter().any(|after| {
                let after = memory.after(after);
                std::panic::catch_unwind(|| check(&after, Work::SMALL, &acknowledged, lie)).is_err()
            })
        });
        assert!(is_found, "{lie} can be left out, and nothing is lost");
    }
}

/// How many calls the work makes that change something.
pub fn calls(how: Work) -> usize {
    let whole = Memory::default();
    root(&whole);
    whole.fail(usize::MAX, Fault::Lost);
    assert!(work(&whole, how, &mut Vec::new()));
    assert!(whole.calls() > 50);
    whole.calls()
}

/// The folder in which the store is made is there, and durable.
pub fn root(memory: &Memory) {
    use stillthere_eventlog::storage::Storage;
    memory.create_folder(Path::new("/")).unwrap();
    assert!(now().ms() > 0);
}
