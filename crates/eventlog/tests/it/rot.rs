//! Readers and writers of a damaged store: an error or the right answer, never a panic, never
//! another answer.

use std::path::Path;

use event::Recorded;
use stillthere_eventlog::{Log, LogFiles, ReadError, Reader};
use tempfile::tempdir;

use crate::flip::{Files, Layout, damaged};
use crate::support::{events, options, read_all};

/// Asks a store everything. With `truth` every answer must be of it.
fn ask(dir: &Path, truth: Option<&[Recorded]>) {
    let Ok(reader) = Reader::open(dir) else { return };
    // An open log of which the newer slot of HEAD and the end are both damaged reads as one whose
    // end is torn. A closed one never does.
    let truth = truth.map(|truth| &truth[..truth.len().min(reader.size() as usize)]);
    let is_true = |recorded: &Recorded| match truth {
        Some(truth) => truth.get(recorded.position as usize) == Some(recorded),
        None => true,
    };
    let mut names = vec!["account-0".to_owned()];
    let _ = reader.scan::<ReadError>(|recorded| {
        assert!(is_true(&recorded), "scan: {recorded:?}");
        Ok(())
    });
    let _ = reader.for_each_account::<ReadError>(|history| {
        names.push(history.account.clone());
        if let Some(truth) = truth {
            let own = truth.iter().filter(|r| r.event.account == history.account);
            let own: Vec<Recorded> = own.cloned().collect();
            assert_eq!(*history, event::History::of(&history.account, &own));
        }
        Ok(())
    });
    for name in names {
        let _ = reader.account_history(&name);
        for recorded in reader.account_events(&name).unwrap_or_default() {
            assert!(is_true(&recorded), "{name}: {recorded:?}");
        }
    }
    for position in 0..reader.size().min(60) {
        if let Ok(Some(recorded)) = reader.event_at(position) {
            assert!(is_true(&recorded), "at {position}: {recorded:?}");
        }
    }
}

#[test]
fn an_error_or_the_right_answer() {
    let seed = fastrand::u64(..);
    println!("seed {seed}");
    let mut random = fastrand::Rng::with_seed(seed);
    let dir = tempdir().unwrap();
    for is_closed in [true, false] {
        let store = dir.path().join(if is_closed { "closed" } else { "open" });
        let log = Log::open(&store, options(700)).unwrap();
        for (from, to) in [(0, 5), (5, 6), (6, 20), (20, 21), (21, 40), (40, 42)] {
            log.append(events(from, to)).unwrap();
        }
        if is_closed {
            log.close().unwrap();
        }
        let truth = read_all(std::sync::Arc::new(stillthere_eventlog::storage::Disk), &store);
        let files = Files::read(&store);
        let layout = Layout::of(&files);
        for round in 0..60 {
            let mut changed = damaged(&files, &mut random);
            // Who makes the checksums anew can make anything true; but nothing may panic.
            let is_forged = round % 3 == 0;
            if is_forged {
                layout.reseal(&mut changed, random.bool());
            }
            changed.write(&store);
            ask(&store, (!is_forged).then_some(&truth[..]));
            if let (true, false, Ok(reader)) = (is_closed, is_forged, Reader::open(&store)) {
                assert_eq!(reader.size(), 42);
            }
            drop(LogFiles::open(&store));
            if round % 5 == 0 {
                if let Ok(log) = Log::open(&store, options(700)) {
                    let _ = log.append(events(0, 60));
                    let _ = log.close();
                }
                // As it was, whatever that made of it.
                for folder in ["log", "derived", "cut"] {
                    let _ = std::fs::remove_dir_all(store.join(folder));
                }
                std::fs::create_dir(store.join("log")).unwrap();
            }
            files.write(&store);
            if round % 5 == 1
                && is_closed
                && let Ok(log) = Log::open(&store, options(700))
            {
                log.close().unwrap();
            }
        }
    }
}
