//! Erasures: what is gone, what stays, and that a stop at any call leaves either the log of before or the log of after.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use commitment::{Left, Level};
use event::{Event, History, Recorded, Timestamp};
use stillthere_eventlog::storage::{Disk, Storage};
use stillthere_eventlog::{
    AppendError, EraseError, Erasing, Log, OpenError, Options, Outcome, ReadError, Reader, Sealer,
    Target,
};

use crate::crash::root;
use crate::faulty::{Fault, Memory};
use crate::loss::After;
use crate::power::ways;
use crate::support::{check_on, event, options};

const HOW: Erasing<'static> =
    Erasing { ground: "asked by the person", by: "operator", forget: false };

/// What must never be found again of account `who`.
fn secrets(who: &str) -> Vec<String> {
    ["item", "backup", "note", "id"]
        .iter()
        .map(|what| format!("{what}-of-{who}-"))
        .chain([who.to_owned()])
        .collect()
}

/// `count` events of a person, each telling its name in every field that has room for one.
fn life(who: &str, from: usize, count: usize) -> Vec<Event> {
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
            found.insert(path.clone(), std::fs::read(path).unwrap());
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

fn all_files(dir: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut found = BTreeMap::new();
    files(dir, &mut found);
    found
}

fn account(who: &str) -> Target {
    Target::Account { account: who.to_owned() }
}

fn items(who: &str, items: &[usize]) -> Target {
    let items = items.iter().map(|n| format!("item-of-{who}-{n}")).collect();
    Target::Items { account: who.to_owned(), items, before: None }
}

fn erase(log: &Log, targets: &[Target]) -> Result<u64, EraseError> {
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
