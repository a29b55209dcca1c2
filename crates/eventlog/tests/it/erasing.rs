//! Erasures: what is gone, what stays, and that a stop at any call leaves either the log of before or the log of after.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use commitment::{Head, Left, Level};
use event::{Event, Recorded, Timestamp};
use stillthere_eventlog::storage::{Access, Disk, Storage, create};
use stillthere_eventlog::{
    EraseError, Erasing, Log, LogFiles, Options, Outcome, ReadError, Reader, Remains, Sealer,
    Shrunk, Target,
};

use crate::crash::root;
use crate::faulty::{Fault, Memory};
use crate::loss::After;
use crate::power::ways;
use crate::support::{check_on, event, options};

pub const HOW: Erasing<'static> =
    Erasing { ground: "asked by the person", by: "operator", forget: false };

/// What must never be found again of account `who`.
pub fn secrets(who: &str) -> Vec<String> {
    ["item", "backup", "note", "id"]
        .iter()
        .map(|what| format!("{what}-of-{who}-"))
        .chain([who.to_owned()])
        .collect()
}

/// `count` events of a person, each telling its name in every field that has room for one.
pub fn life(who: &str, from: usize, count: usize) -> Vec<Event> {
    let one = |n: usize| {
        let note = format!(r#""attributes":{{"note-of-{who}-{n}":"note-of-{who}-{n}"}}"#);
        let item = n / 6 % 3;
        let rest = match n % 6 {
            0 => format!(
                r#""kind":"item_uploaded","item":"item-of-{who}-{item}","category":"photos","bytes":{n},{note}"#
            ),
            1 => format!(r#""kind":"item_trashed","item":"item-of-{who}-{item}",{note}"#),
            2 => format!(
                r#""kind":"upload_rejected","reason":"quota","item":"item-of-{who}-{item}",{note}"#
            ),
            3 => format!(
                r#""kind":"backup_completed","backup":"backup-of-{who}-{n}","bytes":7,"parts":["p"],{note}"#
            ),
            4 => format!(r#""kind":"page_viewed",{note}"#),
            _ => format!(r#""kind":"item_restored","item":"item-of-{who}-{item}",{note}"#),
        };
        let mut event = event(who, &format!("id-of-{who}-{n}"), &rest);
        event.occurred_at = Timestamp::from_ms(1_770_000_000_000 + 1000 * n as i64).unwrap();
        event
    };
    (from..from + count).map(one).collect()
}

/// The names and the bytes of all files of a folder of the real disk.
fn files(dir: &Path, found: &mut BTreeMap<PathBuf, Vec<u8>>) {
    let Ok(entries) = std::fs::read_dir(dir) else { return };
    for entry in entries {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files(&path, found);
        } else {
            match std::fs::read(&path) {
                Ok(bytes) => _ = found.insert(path, bytes),
                // Runs are merged in the background.
                Err(e) => assert_eq!(e.kind(), std::io::ErrorKind::NotFound, "{path:?}: {e}"),
            }
        }
    }
}

fn has(bytes: &[u8], text: &str) -> bool {
    bytes.windows(text.len()).any(|piece| piece == text.as_bytes())
}

/// Where any of these stands in a file, or in its name.
fn traces(files: &BTreeMap<PathBuf, Vec<u8>>, secrets: &[String]) -> Vec<String> {
    let mut traces = Vec::new();
    for (path, bytes) in files {
        for secret in secrets {
            if has(bytes, secret) || path.to_string_lossy().contains(secret.as_str()) {
                traces.push(format!("{secret} in {}", path.display()));
            }
        }
    }
    traces
}

pub fn all_files(dir: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut found = BTreeMap::new();
    files(dir, &mut found);
    found
}

pub fn account(who: &str) -> Target {
    Target::Account { account: who.to_owned() }
}

pub fn items(who: &str, items: &[usize]) -> Target {
    let items = items.iter().map(|n| format!("item-of-{who}-{n}")).collect();
    Target::Items { account: who.to_owned(), items, before: None }
}

pub fn erase(log: &Log, targets: &[Target]) -> Result<u64, EraseError> {
    let plan = log.plan_erasure(targets)?;
    Ok(log.erase(plan, &HOW)?.number)
}

#[test]
fn a_person_is_erased_and_the_rest_stays() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    let log = Log::open(dir, options(6000)).unwrap();
    for n in 0..10 {
        log.append(life("anna", 6 * n, 6)).unwrap();
        log.append(life("bert", 6 * n, 6)).unwrap();
    }
    let mut sealer = Sealer::open(&log);
    log.seal(&mut sealer).unwrap();
    let before = check_on(Arc::new(Disk), dir, Level::Full).unwrap().0;
    assert!(!traces(&all_files(dir), &secrets("anna")).is_empty());
    let plan = log.plan_erasure(&[account("anna")]).unwrap();
    assert_eq!((plan.left(), plan.events(), plan.accounts()), (Left::Leaf, 60, 1));
    let erased = log.erase(plan, &HOW).unwrap();
    assert_eq!((erased.number, erased.events, erased.accounts), (0, 60, 1));
    assert_eq!(traces(&all_files(dir), &secrets("anna")), [""; 0]);
    assert!(!dir.join("log/REDO").exists());
    let after = check_on(Arc::new(Disk), dir, Level::Full).unwrap().0;
    check_on(Arc::new(Disk), dir, Level::Quick).unwrap();
    assert_eq!((before.events, before.accounts), (after.events, after.accounts));
    assert_eq!((after.erased.events, after.erased.accounts, after.erased.erasures), (60, 1, 1));

    let reader = Reader::open(dir).unwrap();
    assert_eq!((reader.size(), reader.accounts(), reader.erased_accounts().unwrap()), (120, 1, 1));
    assert_eq!(reader.account_history("anna").unwrap(), None);
    assert_eq!(reader.account_events("bert").unwrap().len(), 60);
    assert_eq!(reader.event_at(0).unwrap(), None);
    assert_eq!(reader.event_at(6).unwrap().unwrap().event, life("bert", 0, 1)[0]);
    assert_eq!(reader.erasures().unwrap(), after.erasures);

    // What comes again is told; the name may come again, with other events.
    assert_eq!(log.append(life("anna", 3, 1)).unwrap(), [Outcome::Erased]);
    assert_eq!(log.append(life("bert", 3, 1)).unwrap(), [Outcome::Duplicate { position: 9 }]);
    log.append(life("anna", 600, 2)).unwrap();
    log.seal(&mut Sealer::open(&log)).unwrap();
    log.close().unwrap();
    let log = Log::open(dir, options(6000)).unwrap();
    assert_eq!(log.append(life("anna", 4, 1)).unwrap(), [Outcome::Erased]);
    log.close().unwrap();
    let log = Log::open(dir, Options { readmit: true, ..options(6000) }).unwrap();
    assert_eq!(
        log.append(life("anna", 4, 1)).unwrap(),
        [Outcome::Appended { position: 122, revision: 2 }]
    );
    log.close().unwrap();
    check_on(Arc::new(Disk), dir, Level::Full).unwrap();
}

#[test]
fn items_lose_their_contents_and_keep_their_envelopes() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    let log = Log::open(dir, options(6000)).unwrap();
    log.append(life("anna", 0, 36)).unwrap();
    let unknown = log.plan_erasure(&[items("anna", &[0, 7])]).unwrap_err();
    assert_eq!(unknown.to_string(), r#"account "anna" has no item "item-of-anna-7""#);
    assert!(matches!(log.plan_erasure(&[account("bert")]), Err(EraseError::UnknownAccount { .. })));
    assert!(matches!(
        log.plan_erasure(&[account("anna"), items("anna", &[0])]),
        Err(EraseError::Mixed)
    ));
    erase(&log, &[items("anna", &[0])]).unwrap();
    assert_eq!(traces(&all_files(dir), &["item-of-anna-0".to_owned()]), [""; 0]);
    assert!(matches!(erase(&log, &[items("anna", &[0])]), Err(EraseError::Nothing)));
    let reader = Reader::open(dir).unwrap();
    let erased = reader.account_erased("anna").unwrap();
    assert_eq!(erased.iter().map(|e| e.revision).collect::<Vec<_>>(), [0, 1, 2, 5, 18, 19, 20, 23]);
    assert!(erased.iter().all(|e| e.envelope.is_some() && e.erasure == 0));
    let history = reader.account_history("anna").unwrap().unwrap();
    assert_eq!(history.steps.len(), 36);
    let of_erased = |revision: u64| history.steps[revision as usize].subject;
    let none = of_erased(0).unwrap();
    assert_eq!(
        (history.names.get(none), of_erased(1), of_erased(23)),
        ("", Some(none), Some(none))
    );
    assert_eq!(of_erased(2), None);
    check_on(Arc::new(Disk), dir, Level::Full).unwrap();
    // Whole events, of some of which the content is gone already.
    let before = Timestamp::from_ms(1_770_000_000_000 + 18_500).unwrap();
    let old = Target::Before { account: "anna".to_owned(), before };
    assert_eq!(erase(&log, &[old]).unwrap(), 1);
    let reader = Reader::open(dir).unwrap();
    let history = reader.account_history("anna").unwrap().unwrap();
    assert_eq!((history.steps.len(), history.erased.leaves.len()), (17, 19));
    assert!(history.erased.leaves.iter().all(|leaf| leaf.before == Some(before)));
    assert_eq!(history.erased.contents, [19, 20, 23]);
    assert_eq!(
        log.append(life("anna", 40, 1)).unwrap(),
        [Outcome::Appended { position: 36, revision: 36 }]
    );
    log.close().unwrap();
    check_on(Arc::new(Disk), dir, Level::Full).unwrap();
    std::fs::remove_dir_all(dir.join("derived")).unwrap();
    let again = Reader::open(dir).unwrap().account_history("anna").unwrap().unwrap();
    assert_eq!(again.erased, history.erased);
}

/// A store in memory, and what is derived of it on the real disk.
pub struct Store {
    pub memory: Memory,
    pub derived: tempfile::TempDir,
}

pub const STORE: &str = "/store";

impl Store {
    /// As it is after the machine stopped, each with derived files of its own.
    pub fn after(&self, after: After) -> Store {
        let (memory, derived) = (self.memory.after(after), tempfile::tempdir().unwrap());
        for (path, bytes) in all_files(self.derived.path()) {
            let to = derived.path().join(path.strip_prefix(self.derived.path()).unwrap());
            std::fs::create_dir_all(to.parent().unwrap()).unwrap();
            std::fs::write(to, bytes).unwrap();
        }
        memory.derive_in(derived.path());
        Store { memory, derived }
    }

    pub fn storage(&self) -> Arc<dyn Storage> {
        Arc::new(self.memory.clone())
    }

    pub fn open(&self) -> Result<Log, stillthere_eventlog::OpenError> {
        Log::open_on(self.storage(), Path::new(STORE), options(5000))
    }

    pub fn traces(&self, secrets: &[String]) -> Vec<String> {
        let mut files = self.memory.files(Path::new("/"));
        files.extend(all_files(self.derived.path()));
        traces(&files, secrets)
    }

    pub fn whole(&self) -> Vec<Event> {
        let reader = Reader::open_on(self.storage(), Path::new(STORE)).unwrap();
        let mut events = Vec::new();
        let take = |recorded: Recorded| {
            events.push(recorded.event);
            Ok(())
        };
        reader.scan::<ReadError>(take).unwrap();
        events
    }
}

/// Some rounds of two people, sealed in between, open pages and rolls among it; what recovery once cut off, and a cache.
fn lives(run_events: usize) -> Store {
    let store = Store { memory: Memory::default(), derived: tempfile::tempdir().unwrap() };
    root(&store.memory);
    store.memory.derive_in(store.derived.path());
    let how = Options { run_events, ..options(5000) };
    let log = Log::open_on(store.storage(), Path::new(STORE), how).unwrap();
    for n in 0..5 {
        log.append(life("anna", 6 * n, 6)).unwrap();
        log.append(life("bert", 6 * n, 6)).unwrap();
        if n == 2 {
            log.seal(&mut Sealer::open(&log)).unwrap();
        }
    }
    log.append(life("anna", 30, 1)).unwrap();
    log.close().unwrap();
    let cut = Path::new("/store/cut");
    store.memory.create_folder(cut).unwrap();
    create(&store.memory, &cut.join("x.0"), b"..item-of-anna-0..", Access::Create).unwrap();
    store.memory.sync_folder(cut).unwrap();
    store.memory.sync_folder(Path::new(STORE)).unwrap();
    std::fs::create_dir(store.derived.path().join("sled")).unwrap();
    std::fs::write(store.derived.path().join("sled/db"), b"item-of-anna-0").unwrap();
    store
}

/// What is erased, what must not be found behind it, and what is whole then.
struct Case {
    target: Target,
    secrets: Vec<String>,
    after: Vec<Event>,
}

fn cases(before: &[Event]) -> [Case; 2] {
    let is_of_item = |event: &Event| format!("{event:?}").contains("item-of-anna-0");
    let keep =
        |keeps: &dyn Fn(&Event) -> bool| before.iter().filter(|e| keeps(e)).cloned().collect();
    [
        Case {
            target: account("anna"),
            secrets: secrets("anna"),
            after: keep(&|e| e.account != "anna"),
        },
        Case {
            target: items("anna", &[0]),
            secrets: vec!["item-of-anna-0".to_owned()],
            after: keep(&|e| !is_of_item(e)),
        },
    ]
}

/// Erases until the machine stops or the erasure fails; says whether it was told to be done.
fn run(start: &Store, case: &Case, n: usize, fault: Fault) -> (Store, bool) {
    let store = start.after(After::Kill);
    let log = store.open().unwrap();
    store.memory.fail(n, fault);
    let done = erase(&log, std::slice::from_ref(&case.target));
    if let Err(error) = &done {
        assert!(!error.to_string().contains('\n'), "{error}");
    }
    drop(log);
    (store, done.is_ok())
}

/// Holds what a stop left: readers see the log of before or of after; the next writer makes one of the two of it.
fn hold(store: &Store, before: &[Event], case: &Case, is_done: bool, what: &str) -> bool {
    let dir = Path::new(STORE);
    let seen = store.whole();
    assert!(seen == before || seen == case.after, "{what}: readers see {} events", seen.len());
    // An error may leave a torn slot, which is damage until a writer mends it.
    let head = store.memory.files(dir)[Path::new("/store/log/HEAD")].clone();
    let is_sound = Head::decode(&head).is_ok_and(|head| head.check().is_ok());
    for level in [Level::Full, Level::Quick].into_iter().filter(|_| is_sound) {
        check_on(store.storage(), dir, level).unwrap_or_else(|e| panic!("{what}: {e}"));
    }
    let remains = Remains::open_on(store.storage(), dir).unwrap();
    let surveyed = remains.survey::<ReadError>(&mut |_| {}, &mut |_| Ok(())).unwrap();
    assert!(surveyed.missing.is_empty() || !is_sound, "{what}: {:?}", surveyed.missing);
    let log = store.open().unwrap_or_else(|e| panic!("{what}: {e}"));
    let whole = store.whole();
    let is_erased = whole == case.after;
    assert!(is_erased || (whole == before && !is_done), "{what}: {} events", whole.len());
    assert!(is_erased || seen == before, "{what}: what was seen to be erased is there again");
    if !is_erased {
        erase(&log, std::slice::from_ref(&case.target)).unwrap_or_else(|e| panic!("{what}: {e}"));
        assert_eq!(store.whole(), case.after, "{what}");
    }
    assert_eq!(store.traces(&case.secrets), [""; 0], "{what}");
    assert!(!store.memory.files(dir).contains_key(Path::new("/store/log/REDO")), "{what}");
    check_on(store.storage(), dir, Level::Full).unwrap_or_else(|e| panic!("{what}, then: {e}"));
    // The log goes on.
    let again = log.append(life("anna", 0, 1)).unwrap_or_else(|e| panic!("{what}: {e}"));
    assert_eq!(again, [Outcome::Erased], "{what}");
    log.append(life("bert", 100, 3)).unwrap_or_else(|e| panic!("{what}: {e}"));
    log.seal(&mut Sealer::open(&log)).unwrap_or_else(|e| panic!("{what}: {e}"));
    log.close().unwrap_or_else(|e| panic!("{what}: {e}"));
    check_on(store.storage(), dir, Level::Full).unwrap_or_else(|e| panic!("{what}, at last: {e}"));
    assert_eq!(store.traces(&case.secrets), [""; 0], "{what}, at last");
    is_erased
}

fn calls(start: &Store, case: &Case) -> usize {
    let (store, is_done) = run(start, case, usize::MAX, Fault::Lost);
    assert!(is_done);
    store.memory.calls()
}

#[test]
fn after_a_stop_at_every_call_it_is_as_before_or_as_after() {
    let seed = fastrand::u64(..);
    println!("seed {seed}");
    let mut random = fastrand::Rng::with_seed(seed);
    let start = lives(7);
    let before = start.whole();
    for case in &cases(&before) {
        let (mut count, mut erased) = (0, 0);
        for n in 0..=calls(&start, case) {
            let (store, is_done) = run(&start, case, n, Fault::Stopped);
            let mut all = ways(&store.memory.unsynced(), &mut random);
            if all.len() > 6 {
                random.shuffle(&mut all[4..]);
                all.truncate(6);
            }
            for after in all {
                let what = format!("{:?}, a stop before call {n}, {after:?}", case.target);
                erased += usize::from(hold(&store.after(after), &before, case, is_done, &what));
                count += 1;
            }
        }
        assert!(count > 100 && erased > 30 && erased < count, "{erased} of {count}");
    }
}

#[test]
fn after_an_error_at_every_call_it_is_as_before_or_as_after() {
    let start = lives(1000);
    let before = start.whole();
    let cases = cases(&before);
    for case in &cases {
        for n in 0..calls(&start, case) {
            let faults = [Fault::Lost, Fault::Kept, Fault::Torn, Fault::Forgotten, Fault::Full];
            // All of them for the one, in turn for the other.
            let is_taken = |at: usize| case.after.len() == cases[0].after.len() || at == n % 5;
            for (_, fault) in faults.into_iter().enumerate().filter(|(at, _)| is_taken(*at)) {
                let (store, is_done) = run(&start, case, n, fault);
                let what = format!("{} (call {n}) {fault:?}", store.memory.failed().unwrap());
                assert!(!is_done || fault == Fault::Full, "{what}, and nobody said so");
                store.memory.restart();
                let again = store.after(After::Kill);
                let is_erased = hold(&again, &before, case, is_done, &what);
                // What the next writer has finished is durable.
                assert!(is_erased || !is_done, "{what}");
                let kept = again.after(After::Synced);
                assert_eq!(kept.whole(), again.whole(), "{what}, after the power went");
                let files = kept.memory.files(Path::new("/"));
                assert_eq!(traces(&files, &case.secrets), [""; 0], "{what}, after the power went");
            }
        }
    }
}

/// A stop of the writer that goes on with it, at every call of that.
#[test]
fn after_a_stop_of_the_next_writer_too() {
    let seed = fastrand::u64(..);
    println!("seed {seed}");
    let mut random = fastrand::Rng::with_seed(seed);
    let start = lives(7);
    let before = start.whole();
    let [case, _] = &cases(&before);
    for n in (0..=calls(&start, case)).filter(|n| n % 8 == seed as usize % 8) {
        let (store, is_done) = run(&start, case, n, Fault::Stopped);
        let all = ways(&store.memory.unsynced(), &mut random);
        let first = *random.choice(&all).unwrap();
        for m in (seed as usize / 8 % 3..).step_by(3) {
            let again = store.after(first);
            again.memory.fail(m, Fault::Stopped);
            let opened = again.open();
            let Some(stopped) = again.memory.failed() else { break };
            drop(opened);
            for after in [After::Kill, After::Synced, After::Chance(m as u64)] {
                let what =
                    format!("a stop before call {n}, {first:?}, then {stopped} ({m}), {after:?}");
                hold(&again.after(after), &before, case, is_done, &what);
            }
        }
    }
}

/// Readers that were there before: they answer of what is whole, and never say that the log is damaged.
#[test]
fn a_reader_of_before_goes_on_beside_an_erasure() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    let log = Log::open(dir, options(5000)).unwrap();
    for n in 0..5 {
        log.append(life("anna", 6 * n, 6)).unwrap();
        log.append(life("bert", 6 * n, 6)).unwrap();
    }
    let (reader, late) = (Reader::open(dir).unwrap(), Reader::open(dir).unwrap());
    let files = LogFiles::open(dir).unwrap();
    assert_eq!(reader.account_events("anna").unwrap().len(), 30);
    assert!(!files.has_changed());
    erase(&log, &[account("anna")]).unwrap();
    assert!(files.has_changed());
    // What it has read it may say again.
    assert!([0, 30].contains(&reader.account_events("anna").unwrap().len()));
    assert_eq!(late.account_events("anna").unwrap(), []);
    assert_eq!(late.event_at(0).unwrap(), None);
    for reader in [reader, late] {
        let bert = reader.account_events("bert").unwrap();
        assert_eq!(bert.iter().map(|r| r.event.clone()).collect::<Vec<_>>(), life("bert", 0, 30));
        let mut count = 0;
        let take = |_: Recorded| {
            count += 1;
            Ok(())
        };
        reader.scan::<ReadError>(take).unwrap();
        assert_eq!(count, 30);
    }
    log.close().unwrap();
}

const PEOPLE: usize = 40;

/// Some people of as many events each, in several runs.
fn people(dir: &Path) -> Log {
    let log = Log::open(dir, Options { run_events: 90, ..options(20_000) }).unwrap();
    for round in 0..6 {
        for who in 0..PEOPLE {
            log.append(life(&format!("person {who:02}"), 2 * round, 2)).unwrap();
        }
    }
    log.close().unwrap();
    Log::open(dir, Options { run_events: 90, ..options(20_000) }).unwrap()
}

/// Whoever is being erased is seen whole or not at all; the others always.
fn hold_people(reader: &Reader, gone: &[usize], mut between: impl FnMut(usize)) {
    let mut seen = Vec::new();
    let take = |history: &event::History| {
        assert_eq!(history.steps.len(), 12, "{}", history.account);
        seen.push(history.account.clone());
        between(seen.len());
        Ok(())
    };
    reader.for_each_account::<ReadError>(take).unwrap();
    for who in 0..PEOPLE {
        let name = format!("person {who:02}");
        let is_seen = seen.binary_search(&name).is_ok();
        assert!(is_seen || gone.contains(&who), "{name}");
        let history = reader.account_history(&name).unwrap();
        assert!(history.as_ref().is_none_or(|history| history.steps.len() == 12), "{name}");
        assert!(history.is_some() || gone.contains(&who), "{name}");
        assert!(reader.account_erased(&name).unwrap().is_empty());
    }
    assert!(seen.is_sorted() && seen.len() <= PEOPLE && seen.len() + gone.len() >= PEOPLE);
}

/// An erasure in the middle of a scan, of who was seen already or comes yet, by readers that have read much or nothing.
#[test]
fn readers_see_an_account_whole_or_not_at_all() {
    let dir = tempfile::tempdir().unwrap();
    let log = people(dir.path());
    let mut gone = Vec::new();
    for (n, who) in [(1, 39), (1, 1), (20, 19), (20, 20), (30, 2), (7, 22), (5, 21)] {
        let (fresh, used) = (Reader::open(dir.path()).unwrap(), Reader::open(dir.path()).unwrap());
        hold_people(&used, &gone, |_| ());
        let halfway = Reader::open(dir.path()).unwrap();
        assert_eq!(halfway.account_history("person 00").unwrap().unwrap().steps.len(), 12);
        gone.push(who);
        hold_people(&halfway, &gone, |seen| {
            if seen == n {
                erase(&log, &[account(&format!("person {who:02}"))]).unwrap();
            }
        });
        for reader in [fresh, used, halfway, Reader::open(dir.path()).unwrap()] {
            hold_people(&reader, &gone, |_| ());
        }
    }
    // Parts of one, by a reader that knows of no such record.
    let (before, other) = (Reader::open(dir.path()).unwrap(), Reader::open(dir.path()).unwrap());
    assert_eq!(before.account_history("person 10").unwrap().unwrap().steps.len(), 12);
    erase(&log, &[items("person 10", &[0])]).unwrap();
    for reader in [before, other] {
        let told = reader.account_erased("person 10").unwrap();
        assert!(told.iter().all(|event| event.erasure == gone.len() as u64), "{told:?}");
        assert!([0, 4].contains(&told.len()), "{told:?}");
        assert_eq!(reader.account_history("person 10").unwrap().unwrap().steps.len(), 12);
    }
    log.close().unwrap();
}

#[test]
fn readers_and_an_eraser_at_the_same_time() {
    let dir = tempfile::tempdir().unwrap();
    let log = people(dir.path());
    let all: Vec<usize> = (0..PEOPLE).filter(|who| who % 3 == 1).collect();
    std::thread::scope(|scope| {
        let eraser = scope.spawn(|| {
            for who in &all {
                erase(&log, &[account(&format!("person {who:02}"))]).unwrap();
            }
        });
        let mut reader = Reader::open(dir.path()).unwrap();
        let mut round = 0;
        while !eraser.is_finished() {
            hold_people(&reader, &all, |_| ());
            round += 1;
            if round % 3 == 0 {
                reader = Reader::open(dir.path()).unwrap();
            }
        }
    });
    hold_people(&Reader::open(dir.path()).unwrap(), &all, |_| ());
    log.close().unwrap();
}

/// On a real disk, where a reader could find what was derived before: it answers by the log of after, and by it alone.
#[test]
fn what_was_derived_before_a_stop_is_not_read() {
    let start = lives(5000);
    for case in &cases(&start.whole()) {
        let dir = tempfile::tempdir().unwrap();
        let put = |store: &Store| {
            for (path, bytes) in store.memory.files(Path::new("/")) {
                let path = dir.path().join(path.strip_prefix(STORE).unwrap());
                std::fs::create_dir_all(path.parent().unwrap()).unwrap();
                std::fs::write(path, bytes).unwrap();
            }
        };
        put(&start);
        Log::open(dir.path(), options(5000)).unwrap().close().unwrap();
        let mut unfinished = 0;
        for n in 0..calls(&start, case) {
            let (stopped, _) = run(&start, case, n, Fault::Stopped);
            if !stopped.memory.files(Path::new("/")).contains_key(Path::new("/store/log/REDO")) {
                continue;
            }
            put(&stopped);
            let reader = Reader::open(dir.path()).unwrap();
            if reader.erasures().unwrap().is_empty() {
                continue;
            }
            unfinished += 1;
            for who in ["anna", "bert"] {
                let whole: Vec<Event> =
                    case.after.iter().filter(|event| event.account == who).cloned().collect();
                let events = reader.account_events(who).unwrap();
                let events: Vec<Event> = events.into_iter().map(|r| r.event).collect();
                assert_eq!(events, whole, "{who} after call {n}");
                let erased = reader.account_erased(who).unwrap().len();
                let history = reader.account_history(who).unwrap();
                assert_eq!(history.is_none(), whole.is_empty(), "{who} after call {n}");
                let steps = history.map_or(0, |history| history.steps.len());
                assert_eq!(steps, whole.len() + erased, "{who} after call {n}");
            }
        }
        assert!(unfinished > 3, "{unfinished}");
    }
}

/// Of what is derived a part may be as before and the rest as after: nobody reads it, and the next writer leaves nothing of it.
#[test]
fn after_a_stop_in_the_middle_of_what_is_derived() {
    let dir = tempfile::tempdir().unwrap();
    let store = dir.path();
    let log = people(store);
    log.seal(&mut Sealer::open(&log)).unwrap();
    log.close().unwrap();
    let before = all_files(&store.join("derived"));
    assert!(before.contains_key(&store.join("derived/seal")) && before.len() > 2);

    // What cannot be removed stops it behind that, and before its journal goes.
    let stuck = store.join("cut/x");
    std::fs::create_dir_all(&stuck).unwrap();
    let log = Log::open(store, options(20_000)).unwrap();
    erase(&log, &[account("person 07")]).unwrap_err();
    drop(log);
    std::fs::remove_dir(&stuck).unwrap();
    let stopped = all_files(store);
    assert!(stopped.contains_key(&store.join("log/REDO")));

    /// As a disk writes.
    const PIECE: usize = 512;
    let mut mixed: BTreeMap<PathBuf, Vec<u8>> =
        before.into_iter().filter(|(path, _)| stopped.contains_key(path)).collect();
    let mut pieces = Vec::new();
    for (path, bytes) in &mixed {
        let after = &stopped[path];
        assert_eq!(after.len(), bytes.len(), "{}", path.display());
        for at in (0..bytes.len()).step_by(PIECE) {
            let to = (at + PIECE).min(bytes.len());
            if bytes[at..to] != after[at..to] {
                pieces.push((path.clone(), at..to));
            }
        }
    }
    let changed: BTreeSet<&PathBuf> = pieces.iter().map(|(path, _)| path).collect();
    assert!(changed.len() > 2 && pieces.len() > 20, "{changed:?}");
    for n in 0..=pieces.len() {
        if let Some((path, piece)) = n.checked_sub(1).map(|n| &pieces[n]) {
            mixed.get_mut(path).unwrap()[piece.clone()]
                .copy_from_slice(&stopped[path][piece.clone()]);
        }
        std::fs::remove_dir_all(store).unwrap();
        for (path, bytes) in stopped.iter().chain(&mixed) {
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, bytes).unwrap();
        }
        hold_people(&Reader::open(store).unwrap(), &[7], |_| ());
        let log = Log::open(store, options(20_000)).unwrap();
        hold_people(&Reader::open(store).unwrap(), &[7], |_| ());
        log.seal(&mut Sealer::open(&log)).unwrap();
        log.close().unwrap();
        hold_people(&Reader::open(store).unwrap(), &[7], |_| ());
        assert_eq!(traces(&all_files(store), &secrets("person 07")), [""; 0], "piece {n}");
    }
}

/// A journal that is no journal, of another store, or of another log.
#[test]
fn a_redo_that_does_not_fit_harms_nothing() {
    let (a, b) = (lives(1000), lives(1000));
    let cases = cases(&a.whole());
    let path = Path::new("/store/log/REDO");
    let n = (0..).find(|n| {
        run(&a, &cases[0], *n, Fault::Stopped).0.memory.files(Path::new("/")).contains_key(path)
    });
    let redo =
        run(&a, &cases[0], n.unwrap(), Fault::Stopped).0.memory.files(Path::new("/"))[path].clone();
    assert_eq!(
        traces(&BTreeMap::from([(path.to_owned(), redo.clone())]), &cases[0].secrets),
        [""; 0]
    );
    let open_with = |store: &Store, bytes: &[u8]| {
        let store = store.after(After::Kill);
        create(&store.memory, path, bytes, Access::Create).unwrap();
        let before = store.whole();
        let opened = store.open().map(drop).map_err(|e| e.to_string());
        (store.whole() == before, store.memory.files(Path::new("/")).contains_key(path), opened)
    };
    for len in [0, 1, 40, redo.len() - 1] {
        assert_eq!(open_with(&a, &redo[..len]), (true, false, Ok(())), "{len} bytes");
    }
    for at in (0..redo.len()).step_by(7) {
        let mut changed = redo.clone();
        changed[at] ^= 4;
        assert_eq!(open_with(&a, &changed), (true, false, Ok(())), "byte {at}");
    }
    let (is_as_before, is_there, opened) = open_with(&b, &redo);
    assert!(is_as_before && is_there && opened.unwrap_err().contains("REDO"));
    let longer = a.after(After::Kill);
    let log = longer.open().unwrap();
    log.append(life("bert", 200, 1)).unwrap();
    log.close().unwrap();
    let (is_as_before, is_there, opened) = open_with(&longer, &redo);
    assert!(is_as_before && is_there && opened.unwrap_err().contains("REDO"));
    assert_eq!(open_with(&a, &redo), (false, false, Ok(())));
}

/// An event as the model has it.
struct Held {
    recorded: Recorded,
    /// What is left of it, once it is erased: and under which record.
    left: Option<(Left, u64)>,
    person: usize,
}

/// What must be so of a log with erasures.
#[derive(Default)]
struct Model {
    events: Vec<Held>,
    /// Accounts in the order of their ordinals, and whether their names are erased.
    people: Vec<(String, bool)>,
    records: Vec<(Left, Option<Timestamp>)>,
}

impl Model {
    fn person(&self, who: &str) -> Option<usize> {
        self.people.iter().position(|(name, is_erased)| name == who && !is_erased)
    }

    fn of(&self, person: usize) -> impl Iterator<Item = &Held> {
        self.events.iter().filter(move |held| held.person == person)
    }

    fn append(&mut self, event: Event, recorded_at: Timestamp) {
        let person = self.person(&event.account).unwrap_or_else(|| {
            self.people.push((event.account.clone(), false));
            self.people.len() - 1
        });
        let (position, revision) = (self.events.len() as u64, self.of(person).count() as u64);
        let recorded_by = event::RecordedBy::Log;
        let recorded = Recorded { event, position, revision, recorded_at, recorded_by };
        self.events.push(Held { recorded, left: None, person });
    }

    /// How many events and accounts lose something by a target.
    fn erase(&mut self, target: &Target) -> (u64, u64) {
        let (person, number) = (self.person(target.account()).unwrap(), self.records.len() as u64);
        let mut count = 0;
        for held in self.events.iter_mut().filter(|held| held.person == person) {
            let event = &held.recorded.event;
            let is_meant = match target {
                Target::Account { .. } => true,
                Target::Before { before, .. } => event.occurred_at < *before,
                Target::Items { items, .. } => {
                    items.iter().any(|item| item_of(event).as_ref() == Some(item))
                }
            };
            if is_meant && held.left.is_none_or(|(left, _)| left < target.left()) {
                held.left = Some((target.left(), number));
                count += 1;
            }
        }
        let is_account = matches!(target, Target::Account { .. });
        self.people[person].1 |= is_account;
        (count, u64::from(is_account))
    }

    fn hold(&self, dir: &Path, what: &str) {
        let reader = Reader::open(dir).unwrap();
        let mut whole = Vec::new();
        let take = |recorded: Recorded| {
            whole.push(recorded);
            Ok(())
        };
        reader.scan::<ReadError>(take).unwrap();
        let is_whole = |held: &&Held| held.left.is_none();
        let expected: Vec<_> =
            self.events.iter().filter(is_whole).map(|h| h.recorded.clone()).collect();
        assert_eq!(whole, expected, "{what}");
        for held in &self.events {
            let expected = Some(&held.recorded).filter(|_| held.left.is_none());
            let position = held.recorded.position;
            assert_eq!(reader.event_at(position).unwrap().as_ref(), expected, "{what}: {position}");
        }
        let named = self.people.iter().filter(|(_, is_erased)| !is_erased).count() as u64;
        assert_eq!(reader.accounts(), named, "{what}");
        assert_eq!(reader.erased_accounts().unwrap(), self.people.len() as u64 - named, "{what}");
        assert_eq!(reader.erasures().unwrap().len(), self.records.len(), "{what}");
        let mut histories = BTreeMap::new();
        let take = |history: &event::History| {
            histories.insert(history.account.clone(), history.clone());
            Ok(())
        };
        reader.for_each_account::<ReadError>(take).unwrap();
        assert_eq!(histories.len() as u64, named, "{what}");
        for (person, (name, is_erased)) in self.people.iter().enumerate() {
            if !is_erased {
                self.hold_person(person, &reader, &histories[name], what);
            } else if self.person(name).is_none() {
                assert_eq!(reader.account_history(name).unwrap(), None, "{what}: {name}");
            }
        }
        let report =
            check_on(Arc::new(Disk), dir, Level::Full).unwrap_or_else(|e| panic!("{what}: {e}")).0;
        let erased = self.events.iter().filter(|held| held.left.is_some()).count() as u64;
        assert_eq!(
            (report.erased.events, report.events),
            (erased, self.events.len() as u64),
            "{what}"
        );
        assert_eq!(report.erasures, reader.erasures().unwrap(), "{what}");
    }

    fn hold_person(&self, person: usize, reader: &Reader, history: &event::History, what: &str) {
        let name = &self.people[person].0;
        let what = format!("{what}: {name}");
        let own = reader.account_history(name).unwrap().unwrap();
        assert_eq!(own, *history, "{what}");
        let whole: Vec<_> =
            self.of(person).filter(|h| h.left.is_none()).map(|h| h.recorded.clone()).collect();
        assert_eq!(reader.account_events(name).unwrap(), whole, "{what}");
        let of_whole = event::History::of(name, &whole);
        let told = reader.account_erased(name).unwrap();
        let mut expected = Vec::new();
        let (mut contents, mut leaves) = (Vec::new(), Vec::new());
        let mut blanks: BTreeMap<String, event::NameId> = BTreeMap::new();
        for Held { recorded, left, .. } in self.of(person) {
            let Some((left, number)) = *left else { continue };
            let (position, revision) = (recorded.position, recorded.revision);
            expected.push((position, revision, left == Left::Envelope, number));
            if left == Left::Leaf {
                let before = self.records[number as usize].1;
                leaves.push(event::ErasedLeaf { position, revision, before });
                continue;
            }
            contents.push(revision);
            let step = history.steps.iter().find(|step| step.revision == revision).unwrap();
            let mut names = event::Names::default();
            let full = event::Step::of(recorded, &mut names);
            let subject = full.subject.map(|id| names.get(id).to_owned());
            match (subject, step.subject) {
                (None, None) => {}
                (Some(subject), Some(id)) => match of_whole.names.find(&subject) {
                    Some(known) => assert_eq!(known, id, "{what}: {revision}"),
                    None => {
                        assert_eq!(history.names.get(id), "", "{what}: {revision}");
                        assert!(id.index() >= of_whole.names.len(), "{what}: {revision}");
                        assert_eq!(*blanks.entry(subject).or_insert(id), id, "{what}: {revision}");
                    }
                },
                other => panic!("{what}: {revision}: {other:?}"),
            }
            let blank = event::Step { bytes: None, word: None, purge_cause: None, ..full };
            assert_eq!(*step, event::Step { subject: step.subject, ..blank }, "{what}: {revision}");
        }
        let found: Vec<_> = told
            .iter()
            .map(|e| (e.position, e.revision, e.envelope.is_some(), e.erasure))
            .collect();
        assert_eq!(found, expected, "{what}");
        assert_eq!(
            (&history.erased.contents, &history.erased.leaves),
            (&contents, &leaves),
            "{what}"
        );
        let steps: Vec<_> =
            history.steps.iter().filter(|s| !contents.contains(&s.revision)).copied().collect();
        assert_eq!(steps, of_whole.steps, "{what}");
        let names: Vec<_> = of_whole.names.iter().chain(blanks.iter().map(|_| "")).collect();
        assert_eq!(history.names.iter().collect::<Vec<_>>(), names, "{what}");
    }
}

fn item_of(event: &Event) -> Option<String> {
    use event::Payload;
    match &event.payload {
        Payload::ItemUploaded { item, .. }
        | Payload::ItemTrashed { item }
        | Payload::ItemRestored { item }
        | Payload::UploadRejected { item: Some(item), .. } => Some(item.clone()),
        _ => None,
    }
}

/// Appends, erasures, seals, reopenings and lost derived files in any order.
#[test]
fn random_histories_of_erasures_are_what_the_model_says() {
    let first = std::env::var("STILLTHERE_SEED").ok().and_then(|seed| seed.parse().ok());
    let first = first.unwrap_or_else(|| fastrand::u64(..1 << 40));
    for seed in first..first + 4 {
        println!("STILLTHERE_SEED={seed}");
        println!("{} segments shrank", random_history(seed));
    }
}

/// Gives how many segments shrank.
fn random_history(seed: u64) -> u64 {
    let mut random = fastrand::Rng::with_seed(seed);
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    let how = Options { run_events: random.usize(3..40), ..options(random.u64(600..6000)) };
    let mut log = Log::open(dir, how.clone()).unwrap();
    let (mut model, mut next, mut many) = (Model::default(), 0, 0);
    const NAMES: [&str; 4] = ["anna", "bert", "carl", "dora"];
    for round in 0..40 {
        let what = format!("seed {seed}, round {round}");
        match random.u8(..13) {
            0..5 => {
                for _ in 0..random.usize(1..12) {
                    let one = life(random.choice(NAMES).unwrap(), next, 1);
                    next += 1;
                    model.append(one[0].clone(), crate::support::now());
                    let at = model.events.last().unwrap();
                    let (position, revision) = (at.recorded.position, at.recorded.revision);
                    assert_eq!(
                        log.append(one).unwrap(),
                        [Outcome::Appended { position, revision }],
                        "{what}"
                    );
                }
            }
            5 if !model.events.is_empty() => {
                let held = &model.events[random.usize(..model.events.len())];
                let expected = match held.left {
                    None => Outcome::Duplicate { position: held.recorded.position },
                    Some(_) => Outcome::Erased,
                };
                assert_eq!(
                    log.append(vec![held.recorded.event.clone()]).unwrap(),
                    [expected],
                    "{what}"
                );
            }
            6..9 => {
                let who = NAMES[random.usize(..4)];
                let before =
                    Timestamp::from_ms(1_770_000_000_000 + random.i64(0..1 + next as i64) * 1000)
                        .unwrap();
                let target = match random.u8(..3) {
                    0 => account(who),
                    1 => items(who, &[random.usize(..3)]),
                    _ => Target::Before { account: who.to_owned(), before },
                };
                let is_known = model.person(who).is_some_and(|person| match &target {
                    // An item of which no envelope is left either is unknown.
                    Target::Items { items, .. } => model.of(person).any(|held| {
                        let is_left = held.left.is_none_or(|(left, _)| left == Left::Envelope);
                        is_left && item_of(&held.recorded.event).as_ref() == Some(&items[0])
                    }),
                    _ => true,
                });
                match log.plan_erasure(std::slice::from_ref(&target)) {
                    Err(EraseError::UnknownAccount { .. } | EraseError::UnknownItem { .. }) => {
                        assert!(!is_known, "{what}: {target:?}");
                    }
                    Err(e) => panic!("{what}: {target:?}: {e}"),
                    Ok(plan) => {
                        assert!(is_known, "{what}: {target:?}");
                        let (events, accounts) = model.erase(&target);
                        assert_eq!(
                            (plan.events(), plan.accounts()),
                            (events, accounts),
                            "{what}: {target:?}"
                        );
                        let erased = log.erase(plan, &HOW);
                        if events + accounts == 0 {
                            assert!(matches!(erased, Err(EraseError::Nothing)), "{what}");
                        } else {
                            let erased =
                                erased.unwrap_or_else(|e| panic!("{what}: {target:?}: {e}"));
                            assert_eq!(erased.number, model.records.len() as u64, "{what}");
                            model.records.push((target.left(), target.before()));
                        }
                    }
                }
                model.hold(dir, &what);
            }
            9 => log
                .seal(&mut Sealer::open(&log))
                .map(drop)
                .unwrap_or_else(|e| panic!("{what}: {e}")),
            11 => {
                // What is old, of all: whole segments of it shrink.
                let seconds = random.i64(0..1 + next as i64).max(random.i64(0..1 + next as i64));
                let before = Timestamp::from_ms(1_770_000_000_000 + seconds * 1000).unwrap();
                let people = model.people.iter().filter(|(_, is_erased)| !is_erased);
                let target = |name: &String| Target::Before { account: name.clone(), before };
                let targets: Vec<Target> = people.map(|(name, _)| target(name)).collect();
                if !targets.is_empty() {
                    let plan = log.plan_erasure(&targets).unwrap();
                    let events: u64 = targets.iter().map(|target| model.erase(target).0).sum();
                    assert_eq!(plan.events(), events, "{what}");
                    let reader = Reader::open(dir).unwrap();
                    let would = reader.would_shrink(plan.positions(), plan.names()).unwrap();
                    if events > 0 {
                        log.erase(plan, &HOW).unwrap_or_else(|e| panic!("{what}: {e}"));
                        model.records.push((Left::Leaf, Some(before)));
                    }
                    let shrunk = log.shrink().unwrap_or_else(|e| panic!("{what}: {e}"));
                    assert!(shrunk.segments >= would.segments, "{what}");
                    assert_eq!(log.shrink().unwrap(), Shrunk::default(), "{what}");
                    many += shrunk.segments;
                }
                model.hold(dir, &what);
            }
            10 => {
                log.close().unwrap();
                model.hold(dir, &what);
                if random.bool() {
                    std::fs::remove_dir_all(dir.join("derived")).unwrap();
                    model.hold(dir, &what);
                }
                log = Log::open(dir, how.clone()).unwrap();
            }
            _ => {}
        }
    }
    log.close().unwrap();
    model.hold(dir, &format!("seed {seed}, at last"));
    std::fs::remove_dir_all(dir.join("derived")).unwrap();
    model.hold(dir, &format!("seed {seed}, made anew"));
    many
}

/// A backup of before is restored, and what was erased since is erased again.
#[test]
fn a_backup_of_before_loses_again_what_was_erased_since() {
    let dir = tempfile::tempdir().unwrap();
    let [new, old, other] = ["new", "old", "other"].map(|name| dir.path().join(name));
    let log = Log::open(&new, options(5000)).unwrap();
    for n in 0..4 {
        log.append(life("anna", 6 * n, 6)).unwrap();
        log.append(life("bert", 6 * n, 6)).unwrap();
    }
    erase(&log, &[items("bert", &[1])]).unwrap();
    stillthere_eventlog::copy_store(&new, &old, Level::Full, &mut |_| {}).unwrap();
    assert!(!old.join("keys/erased").exists() && new.join("keys/erased").exists());
    erase(&log, &[items("anna", &[0])]).unwrap();
    log.append(life("anna", 24, 6)).unwrap();
    erase(&log, &[account("anna")]).unwrap();
    erase(&log, &[items("bert", &[0])]).unwrap();
    log.close().unwrap();
    let records = Reader::open(&new).unwrap().erasures().unwrap();
    let log = Log::open(&old, options(5000)).unwrap();
    let done = log.erase_again(&records).unwrap();
    // The first was in the backup already; of the third the backup has not all.
    assert_eq!(
        done.iter().map(|e| (e.events, e.accounts)).collect::<Vec<_>>(),
        [(8, 0), (24, 1), (8, 0)]
    );
    assert_eq!(log.erase_again(&records).unwrap(), []);
    log.close().unwrap();
    assert_eq!(traces(&all_files(&old), &secrets("anna")), [""; 0]);
    assert_eq!(traces(&all_files(&old), &["item-of-bert-0".to_owned()]), [""; 0]);
    let report = check_on(Arc::new(Disk), &old, Level::Full).unwrap().0;
    assert_eq!((report.erased.events, report.erased.accounts, report.erased.erasures), (36, 1, 4));
    let (a, b) = (Reader::open(&new).unwrap(), Reader::open(&old).unwrap());
    assert_eq!(a.account_history("bert").unwrap(), b.account_history("bert").unwrap());
    // Another log that has as many events is not harmed.
    let log = Log::open(&other, options(5000)).unwrap();
    log.append(life("carl", 0, 60)).unwrap();
    let error = log.erase_again(&records).unwrap_err().to_string();
    assert!(error.starts_with("erasure 0 of the newer log names other events"), "{error}");
    log.close().unwrap();
    assert_eq!(Reader::open(&other).unwrap().account_events("carl").unwrap().len(), 60);
}
