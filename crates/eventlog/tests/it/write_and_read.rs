//! What goes in comes out: places, duplicates, conflicts, revisions, clocks, segments.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use event::{RecordedBy, Timestamp};
use stillthere_eventlog::storage::Disk;
use stillthere_eventlog::{AppendError, ExpectedRevision, Log, Options, Outcome, Reader, Recovery};
use tempfile::tempdir;

use crate::support::{check, contents, event, events, now, open, options, read_all};

fn appended(outcomes: &[Outcome]) -> Vec<u64> {
    outcomes
        .iter()
        .map(|outcome| match outcome {
            Outcome::Appended { position, .. } => *position,
            other => panic!("{other:?}"),
        })
        .collect()
}

#[test]
fn events_come_back_in_order() {
    for (count, step, segment_bytes) in [
        (0, 1, 64 << 20),
        (1, 1, 64 << 20),
        (60, 1, 2000),
        (700, 7, 10_000),
        (2000, 2000, 64 << 20),
    ] {
        let dir = tempdir().unwrap();
        let store = dir.path().join("store");
        let log = Log::open(&store, options(segment_bytes)).unwrap();
        assert_eq!(*log.recovery(), Recovery::Created);
        let mut at = 0;
        while at < count {
            let outcomes = log.append(events(at, count.min(at + step))).unwrap();
            let expected = (at..count.min(at + step)).map(|n| n as u64);
            assert_eq!(appended(&outcomes), expected.collect::<Vec<_>>());
            at += step;
            assert_eq!(log.size(), at.min(count) as u64);
        }
        // Beside the writer, after a kill, and after a clean close.
        assert_eq!(contents(&store), events(0, count));
        drop(log);
        assert_eq!(contents(&store), events(0, count));
        let log = Log::open(&store, options(segment_bytes)).unwrap();
        assert_eq!(*log.recovery(), Recovery::Clean);
        log.close().unwrap();
        assert_eq!(contents(&store), events(0, count));
    }
}

#[test]
fn the_same_events_have_the_same_root_however_they_were_batched() {
    // Salts and secrets are random, so roots differ between stores; within one, a root stands.
    let dir = tempdir().unwrap();
    let log = open(dir.path());
    log.append(events(0, 500)).unwrap();
    let (before, _) = check(dir.path()).unwrap();
    log.append(events(0, 500)).unwrap();
    log.close().unwrap();
    let (after, _) = check(dir.path()).unwrap();
    assert_eq!((after.root, after.events, after.accounts), (before.root, 500, 5));
    assert!(after.shut && !before.shut);
    let log = open(dir.path());
    log.append(events(500, 501)).unwrap();
    assert_ne!(check(dir.path()).unwrap().0.root, before.root);
}

#[test]
fn duplicates_and_conflicts_are_told_apart_for_ever() {
    let dir = tempdir().unwrap();
    let upload = r#""kind":"item_uploaded","item":"i","category":"photos","bytes":5"#;
    let same = event("a", "1", upload);
    let later = {
        let mut event = same.clone();
        event.recorded_at = Some(now());
        event
    };
    let other =
        event("a", "1", r#""kind":"item_uploaded","item":"i","category":"photos","bytes":6"#);
    let elsewhere = event("b", "1", upload);
    let batch = vec![same.clone(), later, other, elsewhere, same.clone()];
    let known = [
        Outcome::Duplicate { position: 0 },
        Outcome::Duplicate { position: 0 },
        Outcome::Conflict { position: 0 },
        Outcome::Duplicate { position: 1 },
        Outcome::Duplicate { position: 0 },
    ];
    let mut first = known;
    first[0] = Outcome::Appended { position: 0, revision: 0 };
    first[3] = Outcome::Appended { position: 1, revision: 0 };
    let log = open(dir.path());
    assert_eq!(log.append(batch.clone()).unwrap(), first);
    assert_eq!(log.append(batch.clone()).unwrap(), known);
    drop(log);
    let log = open(dir.path());
    assert_eq!(log.append(batch.clone()).unwrap(), known);
    log.close().unwrap();
    for derived in ["there", "gone"] {
        let log = open(dir.path());
        assert_eq!(log.append(batch.clone()).unwrap(), known, "derived files {derived}");
        log.close().unwrap();
        std::fs::remove_dir_all(dir.path().join("derived")).unwrap();
    }
    assert_eq!(contents(dir.path()).len(), 2);
}

#[test]
fn an_expected_revision_holds_or_refuses() {
    let dir = tempdir().unwrap();
    let log = open(dir.path());
    let view = |id: &str| vec![event("a", id, r#""kind":"page_viewed""#)];
    let check = |expected: ExpectedRevision, id: &str, answer: Result<Outcome, (&str, &str)>| {
        let got = log.append_expecting("a", expected, view(id)).map_err(|e| match e {
            AppendError::Revision { expected, found, .. } => (expected, found),
            other => panic!("{other}"),
        });
        let answer = answer.map(|o| vec![o]).map_err(|(e, f)| (e.to_owned(), f.to_owned()));
        assert_eq!(got, answer, "{expected:?} {id}");
    };
    let at = |n: u64| Ok(Outcome::Appended { position: n, revision: n });
    check(ExpectedRevision::Exact(0), "1", Err(("revision 0 last", "no event")));
    check(ExpectedRevision::NoStream, "1", at(0));
    check(ExpectedRevision::NoStream, "2", Err(("no event", "revision 0 last")));
    check(ExpectedRevision::Exact(1), "2", Err(("revision 1 last", "revision 0 last")));
    check(ExpectedRevision::Exact(0), "2", at(1));
    check(ExpectedRevision::Any, "3", at(2));
    // A retry is answered as such wherever the stream ends now.
    check(ExpectedRevision::Exact(0), "2", Ok(Outcome::Duplicate { position: 1 }));
    check(ExpectedRevision::NoStream, "1", Ok(Outcome::Duplicate { position: 0 }));
    let other = log.append_expecting("b", ExpectedRevision::Any, view("4"));
    assert!(matches!(other, Err(AppendError::Event { index: 0, .. })));
    assert_eq!(log.size(), 3);
}

#[test]
fn an_event_that_breaks_a_limit_is_refused_whole() {
    let dir = tempdir().unwrap();
    let log = open(dir.path());
    let mut bad = event("a", "2", r#""kind":"page_viewed""#);
    bad.id = String::new();
    let refused = log.append(vec![event("a", "1", r#""kind":"page_viewed""#), bad]);
    assert!(matches!(refused, Err(AppendError::Event { index: 1, .. })));
    assert_eq!(log.size(), 0);
}

#[test]
fn the_clock_never_goes_back_and_sources_are_believed_only_when_told_to() {
    let dir = tempdir().unwrap();
    let ms = Arc::new(AtomicI64::new(5000));
    let clock = {
        let ms = Arc::clone(&ms);
        move || Timestamp::from_ms(ms.load(Ordering::Relaxed)).unwrap()
    };
    let said = event("a", "x", r#""kind":"page_viewed","recorded_at":"1970-01-01T00:00:01Z""#);
    let with_id = |id: &str| event::Event { id: id.to_owned(), ..said.clone() };
    for trust_recorded_at in [false, true] {
        let log =
            Log::open(dir.path(), Options { trust_recorded_at, ..Options::new(clock.clone()) })
                .unwrap();
        for now in [5000, 4000, 6000] {
            ms.store(now, Ordering::Relaxed);
            log.append(vec![with_id(&format!("{trust_recorded_at}{now}"))]).unwrap();
        }
        let mut silent = with_id(&format!("{trust_recorded_at}"));
        silent.recorded_at = None;
        ms.store(10, Ordering::Relaxed);
        log.append(vec![silent]).unwrap();
        log.close().unwrap();
    }
    let all = read_all(Arc::new(Disk), dir.path());
    let got: Vec<(i64, RecordedBy)> =
        all.iter().map(|r| (r.recorded_at.ms(), r.recorded_by)).collect();
    let (log, source) = (RecordedBy::Log, RecordedBy::Source);
    assert_eq!(
        got,
        [
            (5000, log),
            (5000, log),
            (6000, log),
            (6000, log),
            (1000, source),
            (1000, source),
            (1000, source),
            (6000, log)
        ]
    );
    for recorded in &all {
        let kept = (recorded.recorded_by == source).then_some(recorded.recorded_at);
        assert_eq!(recorded.event.recorded_at, kept);
    }
    check(dir.path()).unwrap();
}

#[test]
fn threads_share_a_log() {
    let dir = tempdir().unwrap();
    let log = Log::open(dir.path(), options(20_000)).unwrap();
    std::thread::scope(|scope| {
        for thread in 0..8 {
            let log = &log;
            scope.spawn(move || {
                for n in 0..40 {
                    // Every event by two threads: one of them is told that it is a duplicate.
                    let at = thread / 2 * 40 + n;
                    let outcomes = log.append(events(at, at + 1)).unwrap();
                    assert_eq!(outcomes.len(), 1);
                    assert!(!matches!(outcomes[0], Outcome::Conflict { .. }));
                }
            });
        }
    });
    assert_eq!(log.size(), 160);
    log.close().unwrap();
    let mut ids: Vec<String> = contents(dir.path()).into_iter().map(|e| e.id).collect();
    let mut expected: Vec<String> = events(0, 160).into_iter().map(|e| e.id).collect();
    ids.sort();
    expected.sort();
    assert_eq!(ids, expected);
}

#[test]
fn a_reader_stands_where_it_was_opened() {
    let dir = tempdir().unwrap();
    let log = Log::open(dir.path(), options(5000)).unwrap();
    log.append(events(0, 50)).unwrap();
    let reader = Reader::open(dir.path()).unwrap();
    log.append(events(50, 100)).unwrap();
    assert_eq!(reader.size(), 50);
    assert_eq!(reader.event_at(50).unwrap(), None);
    assert_eq!(reader.account_events("account-0").unwrap().len(), 10);
    assert_eq!(Reader::open(dir.path()).unwrap().size(), 100);
    log.close().unwrap();
    assert_eq!(reader.account_events("account-0").unwrap().len(), 10);
}

#[test]
fn large_events_have_pages_of_their_own() {
    let dir = tempdir().unwrap();
    let long = "x".repeat(65_000);
    let large = |n: usize| {
        event(
            "a",
            &format!("l{n}"),
            &format!(r#""kind":"page_viewed","attributes":{{"k":"{long}"}}"#),
        )
    };
    let mut all = Vec::new();
    for n in 0..4 {
        all.push(large(n));
        all.extend(events(n * 3, n * 3 + 3));
    }
    // More parts than a page holds bytes.
    let parts = vec![r#""home_layout""#; 30_000].join(",");
    let many = format!(r#""kind":"backup_completed","backup":"b","bytes":1,"parts":[{parts}]"#);
    all.push(event("a", "many", &many));
    let log = open(dir.path());
    log.append(all.clone()).unwrap();
    assert_eq!(contents(dir.path()), all);
}

/// Appending goes on while files are made of what was appended: what no file knows yet is known all the
/// same, also when the files are deleted, damaged or lost meanwhile.
#[test]
fn what_was_appended_is_known_at_every_moment() {
    let seed = fastrand::u64(..);
    println!("seed {seed}");
    let mut random = fastrand::Rng::with_seed(seed);
    for round in 0..8 {
        let dir = tempdir().unwrap();
        let mut appended = 0;
        for _ in 0..6 {
            let run_events = random.usize(1..40);
            let log = Log::open(dir.path(), Options { run_events, ..options(20_000) }).unwrap();
            assert_eq!(log.size(), appended as u64);
            for _ in 0..random.usize(1..60) {
                match random.u8(..8) {
                    // Something that is there, in a row or anywhere, then something new.
                    0..3 => {
                        let from = random.usize(..=appended);
                        let to = appended.max(from) + random.usize(..5);
                        let outcomes = log.append(events(from, to)).unwrap();
                        for (n, outcome) in (from..to).zip(outcomes) {
                            let position = n as u64;
                            match outcome {
                                Outcome::Duplicate { position: p } => assert_eq!(p, position),
                                Outcome::Appended { position: p, revision } => {
                                    assert!(n >= appended, "event {n} of {appended}");
                                    assert_eq!((p, revision), (position, position / 5));
                                }
                                Outcome::Conflict { .. } | Outcome::Erased => {
                                    panic!("event {n}: {outcome:?}")
                                }
                            }
                        }
                        appended = to;
                    }
                    3 if appended > 0 => {
                        let n = random.usize(..appended);
                        let mut other = events(n, n + 1);
                        other[0].surface = Some(event::Surface::Desktop);
                        if other != events(n, n + 1) {
                            let found = log.append(other).unwrap();
                            assert_eq!(found, [Outcome::Conflict { position: n as u64 }]);
                        }
                    }
                    4 if round % 2 == 1 => _ = std::fs::remove_dir_all(dir.path().join("derived")),
                    5 if round % 4 == 3 => damage(&dir.path().join("derived/runs"), &mut random),
                    _ => {
                        log.append(events(appended, appended + 1)).unwrap();
                        appended += 1;
                    }
                }
            }
            match random.bool() {
                true => log.close().unwrap(),
                false => drop(log),
            }
        }
        assert_eq!(contents(dir.path()), events(0, appended));
    }
}

/// Flips a byte of a file.
fn damage(runs: &std::path::Path, random: &mut fastrand::Rng) {
    let files = std::fs::read_dir(runs).into_iter().flatten().flatten();
    let files: Vec<_> = files.map(|file| file.path()).collect();
    if let Some(file) = random.choice(&files)
        && let Ok(mut bytes) = std::fs::read(file)
        && !bytes.is_empty()
    {
        let at = random.usize(..bytes.len());
        bytes[at] ^= 1;
        // In place: the writer has the file open.
        use std::os::unix::fs::FileExt;
        if let Ok(file) = std::fs::OpenOptions::new().write(true).open(file) {
            file.write_all_at(&bytes[at..=at], at as u64).unwrap();
        }
    }
}

/// Together they are more than one batch holds, however many wait at the same time.
#[test]
fn many_threads_append_large_events() {
    let dir = tempdir().unwrap();
    let log = open(dir.path());
    std::thread::scope(|scope| {
        for n in 0..24 {
            let log = &log;
            scope.spawn(move || {
                let part = format!("\"{}\",", "p".repeat(128)).repeat(7000);
                let rest = format!(
                    r#""kind":"backup_completed","backup":"b","bytes":1,"parts":[{part}"end"]"#
                );
                appended(&log.append(vec![event("a", &n.to_string(), &rest)]).unwrap())
            });
        }
    });
    assert_eq!(log.size(), 24);
    log.close().unwrap();
    assert_eq!(check(dir.path()).unwrap().0.events, 24);
}
