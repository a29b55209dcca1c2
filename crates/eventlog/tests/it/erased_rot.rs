//! Rot of a log of which contents, events and whole accounts are erased: it is found, in its place; nobody panics or gets
//! another answer; and a salvage invents nothing and forgets nothing.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use commitment::Level;
use event::{History, Recorded, Timestamp};
use stillthere_eventlog::storage::Disk;
use stillthere_eventlog::{Log, Options, ReadError, Reader, Remains, Sealer, Target, examine};
use tempfile::tempdir;

use crate::erasing::{account, erase, items, life};
use crate::flip::{Files, Layout};
use crate::salvage::{harm, hold_erased, refill, run};
use crate::support::{check_on, options};

const NAMES: [&str; 6] = ["anna", "bert", "carl", "dora", "emma", "finn"];

/// What is so of a log, and what is left to be said of it.
struct Truth {
    /// The events that are whole, by position.
    whole: Vec<Recorded>,
    /// Events, whole or erased.
    size: u64,
    /// Accounts, erased or not.
    accounts: u64,
    histories: BTreeMap<String, History>,
}

/// A random history with erasures of all three kinds, seals and reopenings.
fn write(dir: &Path, random: &mut fastrand::Rng, rounds: usize, is_closed: bool) -> Truth {
    let how = Options { run_events: random.usize(3..40), ..options(random.u64(1500..9000)) };
    let mut log = Log::open(dir, how.clone()).unwrap();
    let (mut next, mut kinds) = (0, [0; 3]);
    for round in 0..rounds {
        let who = *random.choice(&NAMES).unwrap();
        let target = match random.u8(..16) {
            0 => Some((0, account(who))),
            1..3 => Some((1, items(who, &[random.usize(..3)]))),
            3..5 => {
                let ms = 1_770_000_000_000 + random.i64(0..1 + next as i64) * 1000;
                let before = Timestamp::from_ms(ms).unwrap();
                Some((2, Target::Before { account: who.to_owned(), before }))
            }
            5 => {
                log.seal(&mut Sealer::open(&log)).unwrap();
                None
            }
            6 => {
                log.close().unwrap();
                log = Log::open(dir, how.clone()).unwrap();
                None
            }
            _ => {
                let count = random.usize(1..9);
                log.append(life(who, next, count)).unwrap();
                next += count;
                None
            }
        };
        // Each kind at least once.
        let target = match rounds - round {
            4 => Some((0, account(who))),
            _ => target,
        };
        if let Some((kind, target)) = target {
            kinds[kind] += u32::from(erase(&log, &[target]).is_ok());
        }
    }
    log.append(life("gwen", next, 12)).unwrap();
    erase(&log, &[items("gwen", &[next / 6 % 3])]).unwrap();
    let before = Timestamp::from_ms(1_770_000_000_000 + 1000 * next as i64 + 2500).unwrap();
    erase(&log, &[Target::Before { account: "gwen".to_owned(), before }]).unwrap();
    if is_closed {
        log.close().unwrap()
    } else {
        drop(log)
    }
    let report = check_on(Arc::new(Disk), dir, Level::Full).unwrap().0;
    println!(
        "{} events of {} accounts, erased {:?}, {kinds:?}",
        report.events, report.accounts, report.erased
    );
    let reader = Reader::open(dir).unwrap();
    let (mut whole, mut histories) = (Vec::new(), BTreeMap::new());
    reader
        .scan::<ReadError>(|recorded| {
            whole.push(recorded);
            Ok(())
        })
        .unwrap();
    reader
        .for_each_account::<ReadError>(|history| {
            histories.insert(history.account.clone(), history.clone());
            Ok(())
        })
        .unwrap();
    Truth { whole, size: report.events, accounts: report.accounts, histories }
}

/// Asks a damaged store everything: an error, or what is so.
fn ask(dir: &Path, truth: &Truth, what: &str) {
    let Ok(reader) = Reader::open(dir) else { return };
    let is_true = |recorded: &Recorded| {
        let at = truth.whole.binary_search_by_key(&recorded.position, |old| old.position);
        at.is_ok_and(|at| truth.whole[at] == *recorded)
    };
    let _ = reader.scan::<ReadError>(|recorded| {
        assert!(is_true(&recorded), "{what}: {recorded:?}");
        Ok(())
    });
    let is_whole = reader.size() == truth.size;
    let _ = reader.for_each_account::<ReadError>(|history| {
        assert!(!is_whole || truth.histories.get(&history.account) == Some(history), "{what}");
        Ok(())
    });
    for name in NAMES.into_iter().chain(["gwen", "nobody"]) {
        if let Ok(history) = reader.account_history(name) {
            assert!(!is_whole || history.as_ref() == truth.histories.get(name), "{what}: {name}");
        }
        for recorded in reader.account_events(name).unwrap_or_default() {
            assert!(is_true(&recorded), "{what}: {recorded:?}");
        }
        let _ = reader.account_erased(name);
        let _ = reader.plan_erasure(&[account(name)]);
    }
    for position in 0..reader.size().min(truth.size) {
        if let Ok(Some(recorded)) = reader.event_at(position) {
            assert!(is_true(&recorded), "{what}: {recorded:?}");
        }
    }
    let _ = (reader.erasures(), reader.erased_accounts());
}

/// A bit, a piece, a sector of zeros or of junk, or the end of a file.
fn rot(files: &Files, random: &mut fastrand::Rng) -> (Files, String, usize, String) {
    loop {
        let mut changed = files.clone();
        let name = random.choice(files.0.keys()).unwrap().clone();
        let bytes = changed.0.get_mut(&name).unwrap();
        let at = random.usize(..bytes.len());
        let sector = at / 512 * 512..(at / 512 * 512 + 512).min(bytes.len());
        let kind = random.u8(..5);
        match kind {
            0 => bytes[at] ^= 1 << random.u8(..8),
            1 => bytes.truncate(at),
            2 => bytes[sector.clone()].fill(0),
            3 => random.fill(&mut bytes[sector.clone()]),
            _ => {
                let to = random.usize(..bytes.len() / 512 + 1) * 512;
                let end = (to + sector.len()).min(bytes.len());
                let piece = bytes[sector.clone()][..end - to].to_vec();
                bytes[to..end].copy_from_slice(&piece);
            }
        }
        let (was, is) = (&files.0[&name], &changed.0[&name]);
        let first = was.iter().zip(is).position(|(was, is)| was != is);
        if was != is {
            let from = first.unwrap_or(is.len());
            return (changed, name, from, format!("{kind} at {at}, from {from} on"));
        }
    }
}

fn seeded() -> (u64, fastrand::Rng) {
    let given = std::env::var("STILLTHERE_SEED").ok().and_then(|seed| seed.parse().ok());
    let seed = given.unwrap_or_else(|| fastrand::u64(..1 << 40));
    println!("STILLTHERE_SEED={seed}");
    (seed, fastrand::Rng::with_seed(seed))
}

#[test]
fn rot_of_an_erased_log_is_found_and_told_with_its_place() {
    let (seed, mut random) = seeded();
    let dir = tempdir().unwrap();
    for n in 0..3 {
        let store = dir.path().join(n.to_string());
        let truth = write(&store, &mut random, 40, true);
        let files = Files::read(&store);
        let layout = Layout::of(&files);
        for round in 0..80 {
            let (changed, name, from, how) = rot(&files, &mut random);
            let what = format!("seed {seed}, log {n}, round {round}: {name} {how}");
            refill(&store, &changed);
            for level in [Level::Quick, Level::Full] {
                let found = check_on(Arc::new(Disk), &store, level).expect_err(&what);
                // In the file, and not behind the batch that the damage begins in.
                let number = commitment::segment_number(&found.file);
                if name != "HEAD" && found.file == name {
                    let batches = &layout.batches[number.unwrap() as usize];
                    let end = batches.iter().find(|(_, end)| *end > from).map_or(from, |b| b.1);
                    assert!(found.offset <= end.max(160) as u64, "{what}: {found}");
                } else {
                    // A file that is cut at the border of a batch lacks it at the next one's beginning.
                    let is_cut = how.starts_with('1') || found.file == "HEAD";
                    assert!(found.file == name || is_cut, "{what}: {found}");
                }
            }
            assert!(!examine(&store, &mut |_| {}).is_healthy(), "{what}");
            if random.bool() {
                let _ = std::fs::remove_dir_all(store.join("derived"));
            }
            ask(&store, &truth, &what);
            if round % 8 == 0 {
                if let Ok(log) = Log::open(&store, options(3000)) {
                    let _ = log.append(life("hugo", 100_000, 9));
                    let _ = erase(&log, &[account(random.choice(&NAMES).unwrap())]);
                    let _ = log.close();
                }
                for folder in ["derived", "cut"] {
                    let _ = std::fs::remove_dir_all(store.join(folder));
                }
            }
            refill(&store, &files);
        }
        ask(&store, &truth, "as it was");
    }
}

#[test]
fn a_salvage_of_an_erased_log_invents_and_forgets_nothing() {
    let (seed, mut random) = seeded();
    let dir = tempdir().unwrap();
    let (other, to) = (dir.path().join("other"), dir.path().join("to"));
    write(&other, &mut random, 30, true);
    let other = Files::read(&other);
    for n in 0..4 {
        let store = dir.path().join(n.to_string());
        let truth = write(&store, &mut random, 40, n % 2 == 0);
        let files = Files::read(&store);
        let id = Remains::open(&store).unwrap().store();
        for round in 0..40 {
            let (changed, mut done) = match random.bool() {
                true => harm(&files, &other, &mut random),
                false => {
                    let (changed, _, _, how) = rot(&files, &mut random);
                    let is_moved = how.starts_with('4');
                    (changed, crate::salvage::Harm { is_moved, ..Default::default() })
                }
            };
            done.accounts = truth.accounts;
            done.what = format!("seed {seed}, log {n}, round {round}: {}", done.what);
            refill(&store, &changed);
            if let Ok(remains) = Remains::open(&store) {
                let ran = run(&store, &to);
                if remains.store() == id {
                    hold_erased(&truth.whole, truth.size, &ran, &done);
                }
                std::fs::remove_dir_all(&to).unwrap();
            }
        }
        refill(&store, &files);
        let ran = run(&store, &to);
        let sound = crate::salvage::Harm { accounts: truth.accounts, ..Default::default() };
        hold_erased(&truth.whole, truth.size, &ran, &sound);
        assert!(ran.0.surveyed.missing.is_empty());
        assert_eq!(ran.0.surveyed.erased.events, truth.size - truth.whole.len() as u64);
        std::fs::remove_dir_all(&to).unwrap();
    }
}
