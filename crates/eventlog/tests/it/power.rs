//! Loss of power after every single call: whatever of the unsynced writes is kept, in whatever order,
//! torn wherever disks tear, what was acknowledged is there.

use std::path::Path;
use std::sync::Arc;

use commitment::Head;
use event::Event;
use stillthere_eventlog::{Log, LogFiles};

use crate::crash::{Acknowledged, Work, calls, check, root, work};
use crate::faulty::{Fault, Memory};
use crate::loss::{After, BORDERS, Change};
use crate::support::{event, options};

/// Events of some kilobytes, so that batches cross borders of 4 KiB.
const LONG: Work = Work { strict_tail: false, segment_bytes: 24_000, events: long_events };

fn long_events(from: usize, to: usize) -> Vec<Event> {
    let note = |n: usize| "note ".repeat(100 + n % 7 * 150);
    let rest = |n| format!(r#""kind":"page_viewed","attributes":{{"note":"{}"}}"#, note(n));
    (from..to).map(|n| event(&format!("account-{}", n % 3), &format!("e{n}"), &rest(n))).collect()
}

/// The work until the machine stops before call `n`.
fn stopped(n: usize, how: Work) -> (Memory, Acknowledged) {
    let memory = Memory::default();
    root(&memory);
    memory.fail(n, Fault::Stopped);
    let mut acknowledged = Vec::new();
    work(&memory, how, &mut acknowledged);
    (memory, acknowledged)
}

/// Every way in which the unsynced writes can be kept, lost and torn at one border; where they are
/// too many, ways by chance.
pub fn ways(unsynced: &[Change], random: &mut fastrand::Rng) -> Vec<After> {
    let mut ways = vec![After::Kill, After::Synced, After::SyncedNames, After::SyncedBytes];
    match unsynced.len() {
        many @ 5.. => ways.extend((0..32).map(|_| After::Kept(random.u64(..1 << many)))),
        few => ways.extend((0..1 << few).map(After::Kept)),
    }
    for (write, change) in unsynced.iter().enumerate() {
        let Change::Write(from, bytes) = change else { continue };
        for border in BORDERS {
            for at in (from / border + 1..(from + bytes.len()).div_ceil(border)).map(|n| n * border)
            {
                ways.extend([false, true].map(|is_end_kept| After::Torn {
                    write,
                    at,
                    is_end_kept,
                }));
            }
        }
    }
    ways.extend((0..4).map(|_| After::Chance(random.u64(..))));
    ways
}

/// Also what `strict_tail` promises: `HEAD` itself names all that was acknowledged.
fn check_all(memory: &Memory, how: Work, acknowledged: &Acknowledged, what: &str) {
    if how.strict_tail && !acknowledged.is_empty() {
        let files = LogFiles::open_on(Arc::new(memory.clone()), Path::new("/store"));
        let files = files.unwrap_or_else(|e| panic!("{what}: {e}"));
        let head = Head::decode(files.head()).unwrap_or_else(|e| panic!("{what}: {e}"));
        assert!(head.now.events >= acknowledged.len() as u64, "{what}: {head:?}");
    }
    check(memory, how, acknowledged, what);
}

#[test]
fn after_every_call_whatever_is_kept() {
    let seed = fastrand::u64(..);
    println!("seed {seed}");
    let mut random = fastrand::Rng::with_seed(seed);
    let (mut count, mut torn, mut several) = (0, 0, 0);
    for how in [Work::SMALL, Work::STRICT, LONG] {
        for n in 0..=calls(how) {
            let (memory, acknowledged) = stopped(n, how);
            let unsynced = memory.unsynced();
            several += usize::from(unsynced.len() > 1);
            for after in ways(&unsynced, &mut random) {
                let what = format!("a stop before call {n}, {after:?}, {how:?}");
                check_all(&memory.after(after), how, &acknowledged, &what);
                count += 1;
                torn += usize::from(matches!(after, After::Torn { .. }));
            }
        }
    }
    assert!(count > 1500 && torn > 100 && several > 30, "{count} {torn} {several}");
}

/// Power fails, and fails again while the log recovers from that.
#[test]
fn after_every_call_of_recovery_whatever_is_kept() {
    let seed = fastrand::u64(..);
    println!("seed {seed}");
    let mut random = fastrand::Rng::with_seed(seed);
    for n in (0..=calls(LONG)).step_by(2) {
        let (memory, acknowledged) = stopped(n, LONG);
        let all = ways(&memory.unsynced(), &mut random);
        let first = *random.choice(&all).expect("there are some");
        for m in 0.. {
            let again = memory.after(first);
            again.fail(m, Fault::Stopped);
            let storage = Arc::new(again.clone());
            let opened = Log::open_on(storage, Path::new("/store"), options(LONG.segment_bytes));
            let Some(stopped) = again.failed() else { break };
            assert!(opened.is_err(), "{stopped} was never made, and nobody said so");
            drop(opened);
            let all = ways(&again.unsynced(), &mut random);
            for after in (0..6).map(|_| *random.choice(&all).expect("there are some")) {
                let what = format!("call {n}, {first:?}, then {stopped} (call {m}), {after:?}");
                check(&again.after(after), LONG, &acknowledged, &what);
            }
        }
    }
}

/// The test of the test: where one single sync is left out, power fails at some call after it, and
/// something is lost.
#[test]
fn no_single_sync_can_be_left_out() {
    let mut random = fastrand::Rng::with_seed(7);
    for how in [Work::SMALL, Work::STRICT] {
        let (memory, _) = stopped(usize::MAX, how);
        let mut needed = 0;
        for (n, sync) in memory.journal().iter().enumerate() {
            if !sync.starts_with("sync") {
                continue;
            }
            let is_found = (n + 1..n + 8).any(|stop| {
                let memory = Memory::default();
                root(&memory);
                memory.lie_at(n);
                memory.fail(stop, Fault::Stopped);
                let mut acknowledged = Vec::new();
                work(&memory, how, &mut acknowledged);
                ways(&memory.unsynced(), &mut random).into_iter().any(|after| {
                    let after = memory.after(after);
                    std::panic::catch_unwind(|| check_all(&after, how, &acknowledged, sync))
                        .is_err()
                })
            });
            needed += usize::from(is_found);
            // A writer that opens the log syncs the folders again, both slots of `HEAD` are synced
            // where one would do, and without `strict_tail` HEAD may lag.
            let is_bytes = sync.starts_with("sync /store/log/0") || sync.contains("HEAD.tmp");
            assert!(is_found || !is_bytes, "{sync} (call {n}) can be left out: {how:?}");
        }
        // The strict one also syncs HEAD after each of eight batches.
        assert!(needed >= if how.strict_tail { 22 } else { 14 }, "{needed} syncs: {how:?}");
    }
}
