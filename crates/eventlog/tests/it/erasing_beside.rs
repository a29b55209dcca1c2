//! Erasures beside who reads: a check, a reader, a copy and an examination of a log that is sound find it sound, whatever
//! is erased meanwhile; and what is not sound is found all the same.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use commitment::{Divergence, Level};
use event::{Recorded, Timestamp};
use stillthere_eventlog::storage::Disk;
use stillthere_eventlog::{
    Log, LogFiles, OpenError, ReadError, Reader, Sealer, Target, copy_store, examine,
};

use crate::erasing::{account, erase, items, life};
use crate::support::{check_on, end, options};

/// What a look came to that failed.
#[derive(Debug)]
enum Stop {
    Found(Box<Divergence>),
    Open(OpenError),
    Read(ReadError),
}

impl std::fmt::Display for Stop {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Stop::Found(found) => found.fmt(f),
            Stop::Open(error) => error.fmt(f),
            Stop::Read(error) => error.fmt(f),
        }
    }
}

impl From<Box<Divergence>> for Stop {
    fn from(found: Box<Divergence>) -> Stop {
        Stop::Found(found)
    }
}

impl From<OpenError> for Stop {
    fn from(error: OpenError) -> Stop {
        Stop::Open(error)
    }
}

impl From<ReadError> for Stop {
    fn from(error: ReadError) -> Stop {
        Stop::Read(error)
    }
}

fn checked(files: &LogFiles, level: Level) -> Result<u64, Stop> {
    files.check::<(), Stop>(level, || (), |_| ()).map(|log| log.report.erased.events)
}

fn lives(dir: &Path, rounds: usize) -> Log {
    let log = Log::open(dir, options(20_000)).unwrap();
    for n in 0..rounds {
        for who in ["anna", "bert", "carl"] {
            log.append(life(who, 6 * n, 6)).unwrap();
        }
    }
    log
}

#[test]
fn files_that_were_opened_before_an_erasure_are_told_to_have_changed() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    let log = lives(dir, 10);
    let before = LogFiles::open(dir).unwrap();
    log.append(life("bert", 600, 6)).unwrap();
    log.seal(&mut Sealer::open(&log)).unwrap();
    // What is only appended changes nothing.
    assert!(!before.has_changed());
    assert_eq!(checked(&before, Level::Full).unwrap(), 0);
    erase(&log, &[account("anna")]).unwrap();
    assert!(before.has_changed());
    for level in [Level::Full, Level::Quick] {
        assert!(matches!(checked(&before, level), Err(Stop::Found(_))));
        let mut others = ["bert"].into_iter();
        let steady = LogFiles::steadily(dir, |files| {
            if let Some(who) = others.next() {
                erase(&log, &[items(who, &[usize::from(level == Level::Quick)])]).unwrap();
                assert!(matches!(checked(files, level), Err(Stop::Found(_))));
            }
            checked(files, level)
        });
        let of_items = if level == Level::Full { 20 } else { 40 };
        assert!((60 + of_items - 8..=60 + of_items + 8).contains(&steady.unwrap()));
    }
    // Each time anew: at last it is said.
    let mut n = 100;
    let never = LogFiles::steadily(dir, |files| {
        n += 1;
        log.append(life("carl", 6 * n, 6)).unwrap();
        let before = Timestamp::from_ms(1_770_000_000_000 + 6000 * n as i64 + 1).unwrap();
        erase(&log, &[Target::Before { account: "carl".to_owned(), before }]).unwrap();
        checked(files, Level::Full)
    });
    assert!(never.unwrap_err().to_string().contains("an erasure is under way"));
    assert_eq!(n, 105);
    // What is damaged is found beside a writer who appends.
    let files = LogFiles::open(dir).unwrap();
    let (path, _) = end(dir);
    let mut bytes = std::fs::read(&path).unwrap();
    bytes[300] ^= 1;
    std::fs::write(&path, bytes).unwrap();
    log.append(life("bert", 700, 1)).unwrap();
    assert!(!files.has_changed());
    assert!(matches!(checked(&files, Level::Full), Err(Stop::Found(_))));
    drop(log);
}

/// A plan that a reader makes is the writer's.
#[test]
fn a_reader_plans_what_the_writer_would_erase() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    let log = lives(dir, 10);
    erase(&log, &[items("bert", &[1])]).unwrap();
    let stale = Reader::open(dir).unwrap();
    let before = Timestamp::from_ms(1_770_000_000_000 + 18_500).unwrap();
    for target in [
        account("bert"),
        items("bert", &[0, 1]),
        Target::Before { account: "anna".to_owned(), before },
    ] {
        let by_writer = log.plan_erasure(std::slice::from_ref(&target)).unwrap();
        let by_reader = stale.plan_erasure(std::slice::from_ref(&target)).unwrap();
        assert_eq!(format!("{by_reader:?}"), format!("{by_writer:?}"), "{target:?}");
    }
    for bad in [account("nobody"), items("anna", &[9])] {
        let said = |e: stillthere_eventlog::EraseError| e.to_string();
        let by_writer = log.plan_erasure(std::slice::from_ref(&bad)).map_err(said).unwrap_err();
        let by_reader = stale.plan_erasure(std::slice::from_ref(&bad)).map_err(said).unwrap_err();
        assert_eq!(by_reader, by_writer);
    }
    // One that is out of date erases nothing.
    let plan = stale.plan_erasure(&[account("anna")]).unwrap();
    log.append(life("carl", 600, 1)).unwrap();
    let stale_plan = log.erase(plan, &crate::erasing::HOW);
    assert!(matches!(stale_plan, Err(stillthere_eventlog::EraseError::Stale)));
    // And a reader of before whose account is gone by now says so, or what it had read.
    erase(&log, &[account("anna")]).unwrap();
    match stale.plan_erasure(&[account("anna")]) {
        Err(stillthere_eventlog::EraseError::UnknownAccount { .. }) => {}
        other => panic!("{other:?}"),
    }
    log.close().unwrap();
}

/// Erasures and looks at once, some hundred of each.
#[test]
fn nothing_that_is_sound_is_found_damaged_beside_erasures() {
    let seed = std::env::var("STILLTHERE_SEED").ok().and_then(|seed| seed.parse().ok());
    let seed: u64 = seed.unwrap_or_else(|| fastrand::u64(..1 << 40));
    println!("STILLTHERE_SEED={seed}");
    let dir = tempfile::tempdir().unwrap();
    let copies = tempfile::tempdir().unwrap();
    let dir = dir.path();
    drop(lives(dir, 40).close());
    let is_over = AtomicBool::new(false);
    let write = || {
        let mut random = fastrand::Rng::with_seed(seed);
        let mut log = Log::open(dir, options(20_000)).unwrap();
        let mut next = 10_000;
        let mut erased = 0;
        for _ in 0..120 {
            let who = *random.choice(&["anna", "bert", "carl", "dora"]).unwrap();
            let at = 1_770_000_000_000 + random.i64(0..250_000);
            let before = Timestamp::from_ms(at).unwrap();
            let target = match random.u8(..8) {
                0 => account(who),
                1..4 => items(who, &[random.usize(..3)]),
                _ => Target::Before { account: who.to_owned(), before },
            };
            if let Ok(plan) = log.plan_erasure(&[target])
                && !plan.is_empty()
            {
                log.erase(plan, &crate::erasing::HOW).unwrap();
                erased += 1;
            }
            for _ in 0..random.usize(..4) {
                log.append(life(who, next, random.usize(1..8))).unwrap();
                next += 8;
            }
            match random.u8(..8) {
                0 => drop(log.seal(&mut Sealer::open(&log)).unwrap()),
                1 => {
                    log.close().unwrap();
                    log = Log::open(dir, options(20_000)).unwrap();
                }
                _ => {}
            }
        }
        log.close().unwrap();
        is_over.store(true, Ordering::Relaxed);
        erased
    };
    let is_erasing = |error: &Stop| matches!(error, Stop::Read(ReadError::Erasing { .. }));
    let look = |n: usize| {
        let (mut looks, mut put_off) = (0, 0);
        while !is_over.load(Ordering::Relaxed) || looks == 0 {
            let found = match n {
                0 => LogFiles::steadily(dir, |files| checked(files, Level::Full)).map(drop),
                1 => LogFiles::steadily(dir, |files| checked(files, Level::Quick)).map(drop),
                2 => read(dir),
                3 => {
                    let to = copies.path().join(looks.to_string());
                    let copied = copy_store(dir, &to, Level::Full, &mut |_| ());
                    let copied = copied.map(drop).map_err(|e| e.to_string());
                    if copied.is_ok() {
                        check_on(Arc::new(Disk), &to, Level::Full).unwrap();
                        std::fs::remove_dir_all(&to).unwrap();
                    }
                    let is_put_off =
                        copied.as_ref().is_err_and(|e| e.contains("an erasure is under way"));
                    assert!(copied.is_ok() || is_put_off, "seed {seed}: {copied:?}");
                    put_off += usize::from(is_put_off);
                    Ok(())
                }
                _ => {
                    let examined = examine(dir, &mut |_| ());
                    let is_put_off = !examined.is_looked_at;
                    assert!(examined.is_healthy() || is_put_off, "seed {seed}: {examined:?}");
                    put_off += usize::from(is_put_off);
                    Ok(())
                }
            };
            if let Err(error) = found {
                assert!(is_erasing(&error), "seed {seed}, look {n}: {error}");
                put_off += 1;
            }
            looks += 1;
        }
        (looks, put_off)
    };
    let (erased, looks) = std::thread::scope(|scope| {
        let looking: Vec<_> = (0..5).map(|n| scope.spawn(move || look(n))).collect();
        let erased = write();
        (erased, looking.into_iter().map(|one| one.join().unwrap()).collect::<Vec<_>>())
    });
    println!("{erased} erasures beside (looks, put off): {looks:?}");
    assert!(erased > 20, "{erased}");
    check_on(Arc::new(Disk), dir, Level::Full).unwrap();
}

/// Reads all, in every way that a reader has.
fn read(dir: &Path) -> Result<(), Stop> {
    let reader = Reader::open(dir)?;
    let mut count = 0;
    reader.scan::<ReadError>(|_: Recorded| {
        count += 1;
        Ok(())
    })?;
    assert!(count <= reader.size());
    for who in ["anna", "bert", "carl", "dora"] {
        let events = reader.account_events(who)?;
        assert!(events.iter().all(|recorded| recorded.event.account == who));
        reader.account_erased(who)?;
    }
    reader.for_each_account::<ReadError>(|_| Ok(()))?;
    reader.event_at(reader.size() / 2)?;
    match reader.plan_erasure(&[account("bert")]) {
        Err(stillthere_eventlog::EraseError::Read(error)) => Err(error.into()),
        _ => Ok(()),
    }
}
