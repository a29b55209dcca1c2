//! What is intact comes out of a damaged store, in order, as it was recorded; what is missing is named;
//! nothing else comes out, and the store itself is left alone.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use commitment::{AccountCounts, Cause, Control, Found, Level, Missing, Place, Range};
use event::{Recorded, RecordedBy, Timestamp};
use stillthere_eventlog::storage::{Access, Disk, Storage};
use stillthere_eventlog::{
    Log, LogFiles, OpenError, Options, ReadError, Reader, Remains, SalvageError, Salvaged,
    SealedLog, Sealer, SegmentState, copy_store_on, examine, salvage,
};
use tempfile::tempdir;

use crate::faulty::Memory;
use crate::flip::{Files, Layout, damaged};
use crate::support::{check, events, options, read_all};

/// A store of `count` events in batches of a few, with a clock that goes on, every third event with a
/// time of its own.
fn write(
    dir: &Path,
    count: usize,
    step: usize,
    segment_bytes: u64,
    is_closed: bool,
) -> Vec<Recorded> {
    let clock = Arc::new(AtomicI64::new(1_700_000_000_000));
    let now = move || Timestamp::from_ms(clock.fetch_add(7, Ordering::Relaxed)).unwrap();
    let options = Options { segment_bytes, trust_recorded_at: true, ..Options::new(now) };
    let log = Log::open(dir, options).unwrap();
    let mut at = 0;
    while at < count {
        let to = count.min(at + 1 + at % step);
        let mut batch = events(at, to);
        for (n, event) in batch.iter_mut().enumerate().filter(|(n, _)| (at + n) % 3 == 0) {
            event.recorded_at = Timestamp::from_ms(1_600_000_000_000 + (at + n) as i64);
            // Accounts come in over time, so that names are lost too.
            event.account = format!("late-{}", (at + n) / 30);
        }
        log.append(batch).unwrap();
        at = to;
    }
    if is_closed {
        log.close().unwrap()
    } else {
        drop(log)
    }
    read_all(Arc::new(Disk), dir)
}

pub fn run(store: &Path, to: &Path) -> Ran {
    run_on(&Remains::open(store).unwrap_or_else(|e| panic!("{e}")), to)
}

fn run_on(remains: &Remains, to: &Path) -> Ran {
    let mut unproven = Vec::new();
    let salvaged = salvage::<()>(remains, to, &mut |_| {}, &mut |found| {
        unproven.push(found.clone());
        Ok(())
    });
    let salvaged = salvaged.unwrap_or_else(|e| panic!("{e:?}"));
    let (report, all) = check(to).unwrap();
    assert!(report.shut);
    assert_eq!(report.events, salvaged.appended);
    assert_eq!(salvaged.surveyed.events, salvaged.appended + salvaged.refused);
    assert_eq!(salvaged.surveyed.unproven, unproven.len() as u64);
    (salvaged, all, unproven)
}

/// What a salvage came to: what it says, what came out, and what it told of that is not proven.
pub type Ran = (Salvaged, Vec<Recorded>, Vec<Found>);

/// Holds a salvage against the truth: what came out was written, and comes once; each event that did not come out is
/// in the list, and none that did.
fn hold(truth: &[Recorded], ran: &Ran, harm: &Harm) {
    hold_erased(truth, truth.len() as u64, ran, harm);
}

/// The same of a log of `size` events, of which those are erased that are not in the truth. Of these none comes out, and
/// each is counted as erased or is in the list.
pub fn hold_erased(truth: &[Recorded], size: u64, (salvaged, all, unproven): &Ran, harm: &Harm) {
    let Salvaged { surveyed, refused, .. } = salvaged;
    let at = |position: u64| truth.binary_search_by_key(&position, |old| old.position).ok();
    let erased_in = |range: std::ops::Range<u64>| {
        range.filter(|position| at(*position).is_none()).count() as u64
    };
    let what = || format!("{}\n{surveyed:#?}", harm.what);
    // A copy of a piece of the log may be taken for a piece of it, where nothing sound says where it stood.
    let is_told_twice = harm.is_copied || harm.is_moved;
    assert!(*refused == 0 || is_told_twice, "{}", what());
    let mut kept = BTreeSet::new();
    for found in all {
        let old = truth.iter().find(|old| {
            old.event == found.event
                && old.recorded_at == found.recorded_at
                && old.recorded_by == found.recorded_by
        });
        let old = old.unwrap_or_else(|| panic!("never written: {found:?}\n{}", what()));
        let is_next = kept.last().is_none_or(|last| *last < old.position);
        assert!(is_next || harm.is_moved, "not in order: {found:?}\n{}", what());
        assert!(kept.insert(old.position), "twice: {found:?}\n{}", what());
    }
    for found in unproven {
        assert!(truth.iter().any(|old| old.event == found.event), "{found:?}\n{}", what());
    }

    let mut listed = BTreeSet::new();
    let mut sum = Some(0);
    for missing in &surveyed.missing {
        let Missing { range: Range { from, to, events }, places } = missing;
        assert!(!places.is_empty() && to.is_none_or(|to| *from <= to), "{}", what());
        let range = *from..to.unwrap_or(u64::MAX).min(size).max(*from);
        let gone = range.clone().filter(|position| !kept.contains(position)).count() as u64;
        match events {
            Some(events) => {
                let is_in = |to: u64| to <= size || harm.is_moved;
                assert!(to.is_some_and(is_in), "{missing:?} of {size}\n{}", what());
                // What is erased is missing only where it is damaged too.
                let least = gone - erased_in(range.clone());
                let is_right = least <= *events && (harm.is_moved || *events <= gone);
                assert!(is_right, "{gone} of {missing:?}\n{}", what());
            }
            // Where the rest came through, and something did.
            None => assert!(to.is_none() || gone <= range.end - range.start, "{}", what()),
        }
        sum = sum.zip(*events).map(|(sum, events)| sum + events);
        listed.extend(range.filter(|position| !kept.contains(position)));
    }
    assert_eq!(surveyed.missing_events(), sum);
    // Intact, and left out for their accounts' names' sake.
    let left = (0..size).filter(|at| !kept.contains(at) && !listed.contains(at));
    let (left, erased): (Vec<_>, Vec<_>) = left.partition(|position| at(*position).is_some());
    let of = |position: u64| &truth[at(position).expect("it is not erased")];
    let is_unproven = |at: &&u64| unproven.iter().any(|found| found.event == of(**at).event);
    let nameless = left.iter().filter(|at| !is_unproven(at));
    let nameless_accounts: BTreeSet<_> =
        nameless.clone().map(|at| &of(*at).event.account).collect();
    let nameless = nameless.count() as u64;
    assert!(nameless <= surveyed.nameless, "{nameless} are gone\n{}", what());
    if let Some(sum) = sum {
        let gone = size - kept.len() as u64 - left.len() as u64 - erased_in(0..size);
        let most = gone + erased_in(0..size) - erased.len() as u64;
        let is_right = gone <= sum && (harm.is_moved || sum <= most);
        assert!(is_right, "{sum} of {gone} to {most}\n{}", what());
        // Nothing that was erased is forgotten: it is counted, or it is in the list.
        let is_counted = surveyed.erased.events + (sum - gone) >= erased_in(0..size);
        assert!(is_counted || is_told_twice, "{:?}\n{}", surveyed.erased, what());
        assert!(surveyed.erased.events <= erased_in(0..size) || is_told_twice, "{}", what());
        assert!(is_told_twice || nameless == surveyed.nameless, "{nameless}\n{}", what());
    }

    let mut accounts: BTreeMap<&str, bool> = BTreeMap::new();
    for old in truth {
        *accounts.entry(&old.event.account).or_insert(true) &= kept.contains(&old.position);
        let is_named = kept.contains(&old.position) && !is_told_twice;
        assert!(!is_named || !nameless_accounts.contains(&old.event.account), "{}", what());
    }
    let whole = accounts.values().filter(|whole| **whole).count() as u64;
    let AccountCounts { whole: claimed, gaps, unsure, erased } = surveyed.accounts;
    if surveyed.missing.is_empty() {
        assert_eq!(all.len(), truth.len(), "{}", what());
    }
    if size > truth.len() as u64 {
        // Accounts that have no event any more have a name still, or had one.
        assert!(claimed <= harm.accounts && erased <= harm.accounts, "{}", what());
        let is_right = is_told_twice || claimed + gaps + unsure + erased <= harm.accounts;
        assert!(is_right, "{:?} of {}\n{}", surveyed.accounts, harm.accounts, what());
        return;
    }
    assert_eq!(erased, 0);
    assert!(claimed <= whole, "{claimed} of {whole} are whole\n{}", what());
    let is_right = harm.is_moved || gaps <= accounts.len() as u64 - whole;
    assert!(is_right, "{gaps} have gaps\n{}", what());
    assert!(claimed + gaps + unsure <= accounts.len() as u64, "{}", what());
    if surveyed.missing.is_empty() {
        assert_eq!(claimed, accounts.len() as u64, "{}", what());
    }
}

#[test]
fn a_sound_store_comes_out_whole() {
    let dir = tempdir().unwrap();
    for (n, (count, step, segment, is_closed)) in
        [(0, 1, 900, true), (1, 1, 900, true), (90, 4, 900, false), (3000, 900, 64 << 20, true)]
            .into_iter()
            .enumerate()
    {
        let (store, to) = (dir.path().join(format!("s{n}")), dir.path().join(format!("t{n}")));
        let truth = write(&store, count, step, segment, is_closed);
        let before = Files::read(&store);
        let ran = run(&store, &to);
        hold(&truth, &ran, &Harm::default());
        assert_eq!(ran.0.surveyed.missing, []);
        assert_eq!(ran.0.surveyed.torn, 0);
        let by = |by| ran.1.iter().filter(|recorded| recorded.recorded_by == by).count();
        assert_eq!(by(RecordedBy::Source), count.div_ceil(3));
        assert!(before.0 == Files::read(&store).0);
    }
}

/// What a log says of itself: policies come along, as long as they are proven, and what is about positions does not.
#[test]
fn adopted_policies_come_along_and_seals_are_left_behind() {
    let dir = tempdir().unwrap();
    let (store, mut at) = (dir.path().join("store"), 0);
    let log = Log::open(&store, options(64 << 20)).unwrap();
    let mut sealer = Sealer::open(&log);
    for compiled in [&b"policy A"[..], b"policy B", b"policy C", b"policy A"] {
        log.append(events(at, at + 5)).unwrap();
        at += 5;
        let hash = *blake3::hash(compiled).as_bytes();
        log.record(&Control::Adoption { hash, compiled }).unwrap();
        log.seal(&mut sealer).unwrap();
    }
    log.record(&Control::Statement { what: "a note", note: "of this log" }).unwrap();
    log.close().unwrap();
    let whole = Files::read(&store);
    let expect = |to: &str, adopted: &[&str], seals: u64, statements: u64| {
        let (salvaged, all, _) = run(&store, &dir.path().join(to));
        let surveyed = &salvaged.surveyed;
        let adopted: Vec<_> = adopted.iter().map(|text| text.as_bytes().to_vec()).collect();
        let left = (surveyed.seals, surveyed.statements);
        assert_eq!((&surveyed.adopted, left), (&adopted, (seals, statements)), "{to}");
        assert_eq!(all.len(), at, "{to}");
        // The new log has them, and nothing else of the kind.
        let to = dir.path().join(to);
        assert_eq!(check(&to).unwrap().0.seals, []);
        let log = Log::open(&to, options(64 << 20)).unwrap();
        let mut sealer = Sealer::open(&log);
        log.seal(&mut sealer).unwrap();
        let head = sealer.publish().unwrap();
        log.close().unwrap();
        let reader = Reader::open(&to).unwrap();
        let shown = SealedLog::open(&to, &reader, head.pages).unwrap();
        for compiled in ["policy A", "policy B", "policy C"].map(str::as_bytes) {
            let is_there = shown.adoption(compiled).unwrap().is_some();
            assert_eq!(is_there, adopted.contains(&compiled.to_vec()), "{compiled:?}");
        }
        salvaged.surveyed.missing
    };
    assert_eq!(expect("whole", &["policy B", "policy C", "policy A"], 4, 1), []);
    let harm = |text: &str| {
        refill(&store, &whole);
        let path = store.join("log/000000000000.seg");
        let mut bytes = fs::read(&path).unwrap();
        let found = bytes.windows(text.len()).position(|window| window == text.as_bytes());
        bytes[found.unwrap()] ^= 1;
        fs::write(path, bytes).unwrap();
    };
    // The checksum of its batch does not hold, and its page's root does not either.
    harm("policy B");
    let missing = expect("without B", &["policy C", "policy A"], 4, 1);
    assert_eq!(missing.len(), 1);
    assert_eq!(missing[0].range.events, Some(0));
    // It was adopted again.
    harm("policy A");
    expect("without the first A", &["policy B", "policy C", "policy A"], 4, 1);
    harm("of this log");
    expect("without the statement", &["policy B", "policy C", "policy A"], 4, 0);
}

pub fn refill(store: &Path, files: &Files) {
    fs::remove_dir_all(store.join("log")).unwrap();
    fs::create_dir(store.join("log")).unwrap();
    files.write(store);
}

/// What was done to a store.
#[derive(Default)]
pub struct Harm {
    pub what: String,
    /// The accounts of the log, where some of it is erased.
    pub accounts: u64,
    /// Whether a file may stand twice, or in another's place.
    pub is_copied: bool,
    /// Whether a piece of a file may.
    pub is_moved: bool,
}

/// Cuts, flips, overwrites, takes out, doubles, exchanges.
pub fn harm(files: &Files, other: &Files, random: &mut fastrand::Rng) -> (Files, Harm) {
    let mut changed = files.clone();
    let mut harm = Harm::default();
    for _ in 0..random.usize(1..4) {
        let Some(name) = random.choice(changed.0.keys()).cloned() else { break };
        let bytes = changed.0.get_mut(&name).unwrap();
        let at = random.usize(..bytes.len().max(1)).min(bytes.len());
        let len = random.usize(1..3000).min(bytes.len() - at);
        let kind = random.usize(..11);
        harm.what.push_str(&format!("{kind} {name} {at} {len}; "));
        match kind {
            0..=2 if at < bytes.len() => bytes[at] ^= random.u8(1..),
            3 => bytes.truncate(at),
            4 => bytes[at..at + len].fill(0),
            5 => drop(bytes.drain(at..at + len)),
            6 => {
                let junk: Vec<u8> = (0..len).map(|_| random.u8(..)).collect();
                bytes.splice(at..at, junk);
            }
            7 => drop(changed.0.remove(&name)),
            8 => {
                let to = random.choice(files.0.keys()).unwrap().clone();
                let (bytes, to) = if name == "HEAD" || to == "HEAD" {
                    (other.0.get(&name).unwrap_or(&other.0["HEAD"]).clone(), name)
                } else {
                    harm.is_copied = true;
                    harm.what.push_str(&format!("to {to}; "));
                    (changed.0[&name].clone(), to)
                };
                changed.0.insert(to, bytes);
            }
            9 => {
                // A piece of one file over another's, or over its own.
                let to = random.choice(files.0.keys()).unwrap().clone();
                let piece = bytes[at..at + len].to_vec();
                let bytes = changed.0.entry(to.clone()).or_default();
                let at = random.usize(..=bytes.len());
                let end = (at + piece.len()).min(bytes.len());
                bytes.splice(at..end, piece);
                harm.is_moved = true;
                harm.what.push_str(&format!("to {to} {at}; "));
            }
            _ if name != "HEAD" => {
                let bytes = other.0.values().nth(1).unwrap().clone();
                changed.0.insert(name, bytes);
            }
            _ => {}
        }
    }
    (changed, harm)
}

#[test]
fn whatever_happens_to_a_store() {
    let given = std::env::var("STILLTHERE_SEED").ok();
    let seed = given.map_or_else(|| fastrand::u64(..), |seed| seed.parse().unwrap());
    println!("STILLTHERE_SEED={seed}");
    let mut random = fastrand::Rng::with_seed(seed);
    let dir = tempdir().unwrap();
    let (other, to) = (dir.path().join("other"), dir.path().join("to"));
    write(&other, 90, 3, 2000, true);
    let other = Files::read(&other);
    for (n, (count, step, segment, is_closed)) in
        [(90, 1, 2000, true), (90, 7, 3000, false), (2400, 600, 64 << 20, true)]
            .into_iter()
            .enumerate()
    {
        let store = dir.path().join(format!("s{n}"));
        let truth = write(&store, count, step, segment, is_closed);
        let files = Files::read(&store);
        let id = Remains::open(&store).unwrap().store();
        for _ in 0..if count > 1000 { 12 } else { 40 } {
            let (changed, harm) = harm(&files, &other, &mut random);
            refill(&store, &changed);
            match Remains::open(&store) {
                Ok(remains) => {
                    let ran = run(&store, &to);
                    // More of the other store than of this may be left: then that is the store.
                    if remains.store() == id {
                        hold(&truth, &ran, &harm);
                    }
                    fs::remove_dir_all(&to).unwrap();
                }
                Err(
                    OpenError::Missing { .. }
                    | OpenError::Foreign { .. }
                    | OpenError::Future { .. },
                ) => {}
                Err(error) => panic!("{}: {error}", harm.what),
            }
            let after = Files::read(&store);
            assert!(after.0 == changed.0, "{}: the store was written to", harm.what);
        }
    }
}

/// Who makes checksums anew can make anything true: what comes out is a sound store all the same.
#[test]
fn forged_logs_come_out_as_sound_ones() {
    let seed = fastrand::u64(..);
    println!("seed {seed}");
    let mut random = fastrand::Rng::with_seed(seed);
    let dir = tempdir().unwrap();
    let (store, to) = (dir.path().join("store"), dir.path().join("to"));
    write(&store, 90, 3, 2000, true);
    let files = Files::read(&store);
    let layout = Layout::of(&files);
    for _ in 0..60 {
        let mut changed = damaged(&files, &mut random);
        layout.reseal(&mut changed, random.bool());
        refill(&store, &changed);
        if Remains::open(&store).is_ok() {
            run(&store, &to);
            fs::remove_dir_all(&to).unwrap();
        }
        let _ = examine(&store, &mut |_| {});
    }
}

/// Harms a log of 60 events in segments of a few, an event a batch.
#[track_caller]
fn one(harm: impl FnOnce(&mut Files)) -> (Salvaged, Vec<Recorded>) {
    let dir = tempdir().unwrap();
    let (store, to) = (dir.path().join("store"), dir.path().join("to"));
    let truth = write(&store, 60, 1, 2000, true);
    let mut files = Files::read(&store);
    harm(&mut files);
    refill(&store, &files);
    let ran = run(&store, &to);
    hold(&truth, &ran, &Harm::default());
    (ran.0, ran.1)
}

/// The only place of the only thing that is missing.
#[track_caller]
fn only(salvaged: &Salvaged) -> (&Place, &Missing) {
    let [missing] = &salvaged.surveyed.missing[..] else { panic!("{salvaged:#?}") };
    let [place] = &missing.places[..] else { panic!("{salvaged:#?}") };
    (place, missing)
}

const FIRST: &str = "000000000000.seg";
const SECOND: &str = "000000000001.seg";

#[test]
fn one_changed_byte_costs_one_batch() {
    let (salvaged, _) = one(|files| {
        let bytes = files.0.get_mut(SECOND).unwrap();
        let at = bytes.len() / 2;
        bytes[at] ^= 1;
    });
    assert_eq!(salvaged.appended + salvaged.surveyed.nameless + salvaged.surveyed.unproven, 59);
    assert_eq!(salvaged.surveyed.missing_events(), Some(1));
    let (piece, _) = only(&salvaged);
    assert_eq!((piece.file.as_str(), piece.cause), (SECOND, Cause::Damaged));
}

#[test]
fn a_batch_header_costs_no_event_where_the_page_holds() {
    let (salvaged, _) = one(|files| files.0.get_mut(FIRST).unwrap()[160] ^= 1);
    assert_eq!(salvaged.appended, 60);
    let (piece, missing) = only(&salvaged);
    assert_eq!((piece.offset, piece.bytes), (160, Some(32)));
    assert_eq!((missing.range.from, missing.range.to, missing.range.events), (0, Some(0), Some(0)));
    assert_eq!(salvaged.surveyed.accounts.unsure + salvaged.surveyed.accounts.gaps, 0);
}

#[test]
fn segments_that_are_gone_or_anothers_or_there_twice() {
    let (gone, _) = one(|files| drop(files.0.remove(SECOND)));
    let (piece, missing) = only(&gone);
    assert_eq!((piece.file.as_str(), piece.cause), (SECOND, Cause::Missing));
    let Range { from, to, events } = missing.range;
    assert!(events > Some(0) && to == events.map(|events| from + events));
    assert!(gone.surveyed.accounts.unsure > 0);

    let (last, _) = one(|files| {
        let name = files.0.keys().next_back().unwrap().clone();
        let name = if name == "HEAD" { files.0.keys().nth_back(1).unwrap().clone() } else { name };
        files.0.remove(&name);
    });
    assert_eq!(last.surveyed.missing.last().unwrap().range.to, Some(60));

    let (headless, _) = one(|files| drop(files.0.remove("HEAD")));
    let (piece, missing) = only(&headless);
    assert_eq!(
        (headless.appended, piece.cause, missing.range.from, missing.range.to),
        (60, Cause::Missing, 60, None)
    );

    let (twice, _) = one(|files| {
        let bytes = files.0[SECOND].clone();
        files.0.insert("000000000077.seg".to_owned(), bytes);
    });
    assert_eq!((twice.appended, twice.surveyed.missing.len()), (60, 0));

    let (exchanged, _) = one(|files| {
        let (a, b) = (files.0[FIRST].clone(), files.0[SECOND].clone());
        files.0.extend([(FIRST.to_owned(), b), (SECOND.to_owned(), a)]);
    });
    assert_eq!((exchanged.appended, exchanged.surveyed.missing.len()), (60, 0));

    let dir = tempdir().unwrap();
    write(dir.path(), 30, 1, 2000, true);
    let other = Files::read(dir.path());
    let (foreign, _) =
        one(|files| drop(files.0.insert(SECOND.to_owned(), other.0[SECOND].clone())));
    let (piece, _) = only(&foreign);
    assert_eq!((piece.file.as_str(), piece.cause), (SECOND, Cause::Foreign));
}

#[test]
fn files_say_what_they_are() {
    let dir = tempdir().unwrap();
    let (store, other) = (dir.path().join("store"), dir.path().join("other"));
    write(&store, 60, 1, 2000, true);
    write(&other, 60, 1, 2000, true);
    let log = store.join("log");
    fs::copy(other.join("log").join(SECOND), log.join(SECOND)).unwrap();
    fs::copy(log.join(FIRST), log.join("000000000050.seg")).unwrap();
    let remains = Remains::open(&store).unwrap();
    let state = |name: &str| remains.segments().iter().find(|f| f.name == name).unwrap().state;
    assert_eq!(state(FIRST), SegmentState::Own);
    assert_eq!(state(SECOND), SegmentState::Foreign);
    assert_eq!(state("000000000050.seg"), SegmentState::Double);
    let none = Remains::open(&dir.path().join("none"));
    assert!(matches!(none, Err(OpenError::Missing { .. })));
    let taken = salvage::<()>(&remains, &other, &mut |_| {}, &mut |_| Ok(()));
    assert!(matches!(taken, Err(SalvageError::Taken { .. })));
}

/// A store on a disk that cannot read some of it: what it can read is copied, the rest is listed, and nobody who
/// needs it gets another answer than an error.
#[test]
fn what_a_disk_cannot_read_is_listed() {
    let dir = tempdir().unwrap();
    let store = dir.path().join("store");
    let truth = write(&store, 2400, 300, 100_000, true);
    let files = Files::read(&store);
    for (n, (name, from, len)) in [
        ("HEAD", 0, 1024),
        ("HEAD", 600, 1),
        (FIRST, 0, 1),
        (FIRST, 70_000, 1),
        (FIRST, 20_000, 50_000),
        (SECOND, 100, 1),
        (SECOND, 4096, usize::MAX - 4096),
        (SECOND, 0, usize::MAX),
    ]
    .into_iter()
    .enumerate()
    {
        let memory = Memory::default();
        let place = Path::new("store");
        for folder in [place.to_owned(), place.join("log")] {
            memory.create_folder(&folder).unwrap();
        }
        for (name, bytes) in &files.0 {
            let file = memory.open(&place.join("log").join(name), Access::Create).unwrap();
            file.write_at(bytes, 0).unwrap();
        }
        assert!(files.0[name].len() > from);
        memory.spoil(&place.join("log").join(name), from..from + len);
        let storage: Arc<dyn Storage> = Arc::new(memory);

        let what = format!("{name} from {from} on, {len} bytes");
        let remains = Remains::open_on(Arc::clone(&storage), place);
        let remains = remains.unwrap_or_else(|error| panic!("{what}: {error}"));
        let ran = run_on(&remains, &dir.path().join(format!("to{n}")));
        let appended = ran.0.appended;
        hold(&truth, &ran, &Harm { what, ..Harm::default() });
        let is_in_place = |place: &Place| {
            place.file == name
                && (name == "HEAD" || place.offset + place.bytes.unwrap() > from as u64)
        };
        let mut places = ran.0.surveyed.missing.iter().flat_map(|missing| &missing.places);
        assert!(places.any(is_in_place), "{name} {from} {len}\n{:#?}", ran.0.surveyed);
        assert_eq!(appended == 2400, name == "HEAD");
        assert!(appended > 0);

        let files = LogFiles::open_on(Arc::clone(&storage), place);
        let is_read = files.is_ok_and(|files| {
            let mut ends =
                files.files().iter().map(|file| files.read::<ReadError>(file, |_| Ok(())));
            ends.all(|end| end.is_ok())
        });
        assert!(!is_read);
        let copied = copy_store_on(&storage, place, Path::new("copy"), Level::Full, &mut |_| {});
        assert!(copied.is_err());
        assert!(storage.list(Path::new("copy/log")).unwrap_or_default().is_empty());
        if let Ok(reader) = Reader::open_on(Arc::clone(&storage), place) {
            let read = reader.scan::<ReadError>(|found| {
                assert_eq!(found, truth[usize::try_from(found.position).unwrap()]);
                Ok(())
            });
            assert!(read.is_err());
        }
    }
}

/// Whatever ends a salvage early, nothing that passes for a store is left.
#[test]
fn a_salvage_that_fails_leaves_nothing() {
    let dir = tempdir().unwrap();
    let (store, to) = (dir.path().join("store"), dir.path().join("to"));
    write(&store, 2400, 600, 64 << 20, true);
    let segment = store.join("log").join(FIRST);
    let mut bytes = fs::read(&segment).unwrap();
    let at = bytes.len() - 500;
    bytes[at] ^= 1;
    fs::write(&segment, bytes).unwrap();
    let remains = Remains::open(&store).unwrap();
    for is_there in [false, true] {
        if is_there {
            fs::create_dir(&to).unwrap();
        }
        let failed = salvage(&remains, &to, &mut |_| {}, &mut |_| Err("no"));
        assert!(matches!(failed, Err(SalvageError::Taker("no"))), "{failed:?}");
        assert_eq!(to.exists(), is_there);
        assert!(fs::read_dir(&to).is_ok_and(|mut left| left.next().is_none()) == is_there);
    }
    // So a kill leaves it.
    write(&to.join("unfinished"), 10, 3, 2000, false);
    assert!(matches!(Reader::open(&to), Err(OpenError::Foreign { .. })));
    assert!(matches!(Remains::open(&to), Err(OpenError::Foreign { .. })));
    let again = salvage::<()>(&remains, &to, &mut |_| {}, &mut |_| Ok(()));
    assert!(matches!(again, Err(SalvageError::Taken { .. })));
}
