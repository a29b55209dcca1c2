//! Seals of logs of which something was erased: what the map has still, and what an old seal and the published tree are
//! worth.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use commitment::{
    Control, ControlKind, Digest, Left, MapKey, chain_start, chain_step, check_consistency,
    event_leaf, hash, hex, name_leaf,
};
use event::Event;
use stillthere_eventlog::{
    AuditOf, Audited, Erasing, Log, LogFiles, Reader, SealError, SealedLog, Sealer, ShownEvent,
    ShownStream, Target, TreeHead,
};
use tempfile::tempdir;

use crate::checker::python;
use crate::sealing::{sealed, verified};
use crate::support::{event, events, options};

const HOW: Erasing<'static> = Erasing { ground: "asked", by: "operator", forget: false };

fn erase(log: &Log, target: Target) {
    let plan = log.plan_erasure(&[target]).unwrap_or_else(|e| panic!("{e}"));
    assert!(!plan.is_empty());
    log.erase(plan, &HOW).unwrap_or_else(|e| panic!("{e}"));
}

fn account(name: &str) -> Target {
    Target::Account { account: name.to_owned() }
}

fn items(name: &str, items: &[&str]) -> Target {
    let items = items.iter().map(|&item| item.to_owned()).collect();
    Target::Items { account: name.to_owned(), items, before: None }
}

/// `count` events of an account whose first items it uploads, by the second.
fn life(account: &str, from: usize, count: usize) -> Vec<Event> {
    let one = |n: usize| {
        let rest = match n % 3 {
            0 => format!(r#""kind":"item_uploaded","item":"i{n}","category":"photos","bytes":{n}"#),
            1 => format!(r#""kind":"item_trashed","item":"i{}""#, n - 1),
            _ => r#""kind":"page_viewed""#.to_owned(),
        };
        let mut event = event(account, &format!("id{n}"), &rest);
        event.occurred_at = event::Timestamp::from_ms(1_770_000_000_000 + 1000 * n as i64).unwrap();
        event
    };
    (from..from + count).map(one).collect()
}

/// The files of `tlog/`.
fn tlog(dir: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    fn walk(dir: &Path, found: &mut BTreeMap<PathBuf, Vec<u8>>) {
        for entry in fs::read_dir(dir).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                walk(&path, found);
            } else {
                found.insert(path.clone(), fs::read(path).unwrap());
            }
        }
    }
    let mut found = BTreeMap::new();
    walk(&dir.join("tlog"), &mut found);
    found
}

/// The head of the account's chain and its count of events, by what is shown of it.
fn chain(stream: &ShownStream, account: &str) -> (Digest, u64) {
    let name = hash(commitment::Domain::Name, &[&stream.name_salt, account.as_bytes()]);
    let leaf = hash(
        commitment::Domain::NameLeaf,
        &[&stream.ordinal.to_le_bytes(), &stream.secret_hash, &name],
    );
    let mut head = chain_start(&leaf);
    for event in &stream.events {
        let leaf = match event {
            ShownEvent::Whole { envelope, salt, padded, .. } => event_leaf(envelope, salt, padded),
            ShownEvent::Envelope { envelope, content, .. } => {
                hash(commitment::Domain::EventLeaf, &[envelope, content])
            }
            ShownEvent::Leaf { leaf, .. } => *leaf,
        };
        head = chain_step(&head, &leaf);
    }
    (head, stream.events.len() as u64)
}

/// What is shown of an account leads to the seal's map.
fn shown(dir: &Path, reader: &Reader, head: &TreeHead, account: &str) -> Option<ShownStream> {
    let sealed = SealedLog::open(dir, reader, head.pages).unwrap();
    assert_eq!(sealed.head(), head);
    let key = MapKey::of(&hex(&reader.store()), account);
    let proof = sealed.map(account).unwrap();
    let leaf = proof.check(&key, &head.seal.root).unwrap();
    let stream = sealed.stream(reader, account).unwrap();
    assert_eq!(leaf.is_some(), stream.is_some(), "{account}");
    if let (Some(leaf), Some(stream)) = (leaf, &stream) {
        assert_eq!((leaf.head, leaf.count), chain(stream, account), "{account}");
    }
    stream
}

#[test]
fn an_erased_account_leaves_the_map_and_all_else_stays() {
    for (segment_bytes, is_kept, is_held_open) in [
        (20_000, true, false),
        (20_000, false, false),
        (64 << 20, true, true),
        (9_000, false, true),
    ] {
        let what = format!("{segment_bytes} {is_kept} {is_held_open}");
        let dir = tempdir().unwrap();
        let store = dir.path().join("store");
        let mut log = Log::open(&store, options(segment_bytes)).unwrap();
        let mut sealer = Sealer::open(&log);
        let again = |log: Log| {
            log.close().unwrap();
            if !is_kept {
                let _ = fs::remove_dir_all(store.join("derived"));
            }
            Log::open(&store, options(segment_bytes)).unwrap()
        };
        log.append(events(0, 300)).unwrap();
        log.append(life("bob", 0, 90)).unwrap();
        let first = sealed(&log, &mut sealer);
        let before = tlog(&store);

        erase(&log, items("bob", &["i0", "i6"]));
        erase(&log, account("account-1"));
        log.append(events(300, 301)).unwrap();
        if !is_held_open {
            log = again(log);
            sealer = Sealer::open(&log);
        }
        let second = sealed(&log, &mut sealer);
        let erased_before = event::Timestamp::from_ms(1_770_000_000_000 + 30_000).unwrap();
        erase(&log, Target::Before { account: "bob".to_owned(), before: erased_before });
        // Its name comes again, as somebody's else.
        log.append(life("account-1", 1000, 5)).unwrap();
        if !is_held_open {
            log = again(log);
            sealer = Sealer::open(&log);
        }
        let third = sealed(&log, &mut sealer);
        let proof = |old: &TreeHead, new: &TreeHead| {
            let proof = sealer.consistency(old.pages, new.pages).unwrap();
            check_consistency(old.pages, &old.root, new.pages, &new.root, &proof)
        };
        assert_eq!(proof(&first, &second), Ok(()));
        assert_eq!(proof(&first, &third), Ok(()));
        assert_eq!(sealer.root_at(first.pages).unwrap(), first.root);
        log.close().unwrap();

        // Every hash anew, and every map that can be made.
        let report = verified(&store);
        let has_map: Vec<bool> = report.seals.iter().map(|sealed| sealed.has_map).collect();
        assert_eq!(has_map, [false, true, true], "{what}");
        assert_eq!(report.root, third.root);
        assert_eq!(report.erasures.len(), 3);
        let lefts: Vec<Left> = report.erasures.iter().map(|record| record.left).collect();
        assert_eq!(lefts, [Left::Envelope, Left::Leaf, Left::Leaf]);
        assert_eq!(report.erased.accounts, 1);

        let reader = Reader::open(&store).unwrap();
        // Of the seal before the account's erasure nothing can be shown from the log.
        let old = SealedLog::open(&store, &reader, first.pages).unwrap();
        assert_eq!(old.head(), &first);
        assert!(
            matches!(old.map("account-0"), Err(SealError::Erased { pages }) if pages == first.pages)
        );
        assert!(old.erasure(0).unwrap().is_none());
        assert!(shown(&store, &reader, &second, "account-1").is_none());
        let again = shown(&store, &reader, &third, "account-1").unwrap();
        assert_eq!((again.ordinal, again.events.len()), (6, 5));
        for (head, name) in [(&second, "account-0"), (&third, "account-0"), (&third, "account-4")] {
            let stream = shown(&store, &reader, head, name).unwrap();
            assert!(stream.events.iter().all(|e| matches!(e, ShownEvent::Whole { .. })), "{what}");
        }
        let bob = shown(&store, &reader, &third, "bob").unwrap();
        let left = |event: &ShownEvent| match event {
            ShownEvent::Whole { .. } => 0,
            ShownEvent::Envelope { .. } => 1,
            ShownEvent::Leaf { .. } => 2,
        };
        let left: Vec<u32> = bob.events.iter().map(left).collect();
        assert_eq!(left[..30], [2; 30]);
        assert_eq!(left[30..], [0; 60]);
        let tag = bob.tag("i33");
        assert_eq!(
            bob.events.iter().filter(|e| e.envelope().is_some_and(|e| e[24..] == tag)).count(),
            2
        );

        // The second reader, written from the page alone, says the same.
        if let Some(output) = python(&store) {
            let errors = String::from_utf8_lossy(&output.stderr);
            assert!(output.status.success(), "{what}: {errors}");
            let said = String::from_utf8_lossy(&output.stdout);
            let commitment::Erased { events, accounts, erasures } = report.erased;
            let root = format!(r#""root": "{}""#, hex(&report.root));
            let erased = format!(
                r#""erased": {{"events": {events}, "accounts": {accounts}, "erasures": {erasures}}}"#
            );
            assert!(said.contains(&root) && said.contains(&erased), "{what}: {said}");
        }

        // The records in their places.
        let last = SealedLog::open(&store, &reader, third.pages).unwrap();
        for (number, record) in (0..).zip(&report.erasures) {
            let placed = last.erasure(number).unwrap().unwrap();
            let Ok(Control::Erasure(erasure)) = Control::decode(ControlKind::Erasure, &placed.body)
            else {
                panic!("an erasure's record");
            };
            assert_eq!(record, &commitment::ErasureRecord::of(number, record.page, &erasure));
        }
        assert!(last.erasure(3).unwrap().is_none());

        // What was published of before is what it was, and all of it made anew is the same.
        let after = tlog(&store);
        let grown = |path: &Path| path.to_string_lossy().contains(".p");
        for (path, bytes) in before.iter().filter(|(path, _)| !grown(path)) {
            assert_eq!(after.get(path), Some(bytes), "{}", path.display());
        }
        fs::remove_dir_all(store.join("tlog")).unwrap();
        let log = Log::open(&store, options(segment_bytes)).unwrap();
        assert_eq!(Sealer::open(&log).publish().unwrap(), third);
        for (path, bytes) in &tlog(&store) {
            assert_eq!(after.get(path), Some(bytes), "{}", path.display());
        }
        log.close().unwrap();
    }
}

/// The secret of an account, and the log before it is erased need not be read for the next seal: what was kept is kept without
/// it.
#[test]
fn the_next_seal_goes_on_from_what_was_kept() {
    let dir = tempdir().unwrap();
    let store = dir.path().join("store");
    let kept = store.join("derived/seal");
    let log = Log::open(&store, options(10_000)).unwrap();
    log.append(events(0, 2000)).unwrap();
    let first = sealed(&log, &mut Sealer::open(&log));
    let before = fs::read(&kept).unwrap();
    let key = *MapKey::of(&hex(&log.store()), "account-1").as_bytes();
    let has = |bytes: &[u8]| bytes.windows(32).any(|piece| piece == key);
    assert!(has(&before));
    // Contents alone change no chain.
    erase(&log, items("account-2", &["i12"]));
    assert_eq!(fs::read(&kept).unwrap(), before);
    erase(&log, account("account-1"));
    assert!(!has(&fs::read(&kept).unwrap()));
    erase(&log, account("account-3"));
    log.append(events(2000, 2010)).unwrap();
    log.close().unwrap();
    // Of the seal that it was kept at there is no map any more.
    let reader = Reader::open(&store).unwrap();
    let old = SealedLog::open(&store, &reader, first.pages).unwrap();
    assert!(matches!(old.map("account-0"), Err(SealError::Erased { .. })));

    let again = |name: &str, is_kept: bool, is_damaged: bool| {
        let other = dir.path().join(name);
        copy(&store, &other);
        if !is_kept {
            fs::remove_file(other.join("derived/seal")).unwrap();
        }
        if is_damaged {
            let path = other.join("log/000000000000.seg");
            let mut bytes = fs::read(&path).unwrap();
            bytes[5000] ^= 1;
            fs::write(&path, bytes).unwrap();
        }
        let log = Log::open(&other, options(10_000)).unwrap();
        let mut sealer = Sealer::open(&log);
        let seal = log.seal(&mut sealer).ok();
        log.close().unwrap();
        seal.map(|seal| (seal.size, seal.accounts, seal.root))
    };
    let expected = again("anew", false, false);
    assert!(expected.is_some());
    assert_eq!(again("kept", true, false), expected);
    assert_eq!(again("far", true, true), expected);
    assert_eq!(again("none", false, true), None);
    verified(&dir.path().join("kept"));
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let path = entry.unwrap().path();
        let to = to.join(path.file_name().unwrap());
        if path.is_dir() {
            copy(&path, &to);
        } else {
            fs::copy(&path, &to).unwrap();
        }
    }
}

/// An audit goes on over an erasure from an earlier one, which knew the account; from nothing it cannot know it.
#[test]
fn an_audit_goes_on_over_an_erasure() {
    type Error = Box<dyn std::error::Error + Send + Sync>;
    let audit = |dir: &Path, of: AuditOf| -> Audited {
        let files = LogFiles::open(dir).unwrap();
        files.audit::<Failed>(of, |_| {}).unwrap_or_else(|e| panic!("{}", e.0))
    };
    struct Failed(Error);
    impl From<Box<commitment::Divergence>> for Failed {
        fn from(e: Box<commitment::Divergence>) -> Failed {
            Failed(e)
        }
    }
    impl From<stillthere_eventlog::ReadError> for Failed {
        fn from(e: stillthere_eventlog::ReadError) -> Failed {
            Failed(e.into())
        }
    }
    impl From<commitment::StandingError> for Failed {
        fn from(e: commitment::StandingError) -> Failed {
            Failed(e.into())
        }
    }
    let dir = tempdir().unwrap();
    let log = Log::open(dir.path(), options(9_000)).unwrap();
    let mut sealer = Sealer::open(&log);
    log.append(events(0, 200)).unwrap();
    let first = sealed(&log, &mut sealer);
    let of = |from, pages| AuditOf { from, pages, keep: true };
    let early = audit(dir.path(), of(None, first.pages)).standing.unwrap();
    log.append(events(200, 300)).unwrap();
    // Between the seals, and then behind the second.
    let second = sealed(&log, &mut sealer);
    let middle = audit(dir.path(), of(None, second.pages)).standing.unwrap();
    erase(&log, account("account-2"));
    log.append(life("account-2", 0, 7)).unwrap();
    erase(&log, items("account-0", &["i0", "i30"]));
    let third = sealed(&log, &mut sealer);
    log.close().unwrap();

    let anew = audit(dir.path(), of(None, third.pages));
    let has_map: Vec<bool> = anew.report.seals.iter().map(|sealed| sealed.has_map).collect();
    assert_eq!((has_map, anew.root), (vec![false, false, true], Some(third.root)));
    assert!(audit(dir.path(), of(None, first.pages)).standing.is_none());
    let last = anew.standing.unwrap();
    assert_eq!(last.accounts.iter().filter(|account| account.name.is_empty()).count(), 1);
    for (from, map) in [(&early, first.seal.root), (&middle, second.seal.root)] {
        let on = audit(dir.path(), of(Some((from.clone(), map)), third.pages));
        assert_eq!((on.root, on.report.without_map().count()), (Some(third.root), 0));
        assert_eq!(on.report.erased, anew.report.erased);
        let standing = on.standing.unwrap();
        assert_eq!(standing.accounts, last.accounts);
        // From the one that is made of it one can go on as well.
        let on = audit(dir.path(), of(Some((standing, third.seal.root)), third.pages));
        assert_eq!(on.root, Some(third.root));
    }
    let leaf = name_leaf(0, &last.accounts[0].secret, &last.accounts[0].name);
    assert_ne!(chain_start(&leaf), last.accounts[0].head);

    // Where these stood is another place once their segments are shrunk.
    let log = Log::open(dir.path(), options(9_000)).unwrap();
    let before = event::Timestamp::parse("2026-02-14T00:00:00Z").unwrap();
    let old = |n| Target::Before { account: format!("account-{n}"), before };
    let plan = log.plan_erasure(&[0, 1, 2, 3, 4].map(old)).unwrap();
    log.erase(plan, &HOW).unwrap();
    let fourth = sealed(&log, &mut Sealer::open(&log));
    let unshrunk = audit(dir.path(), of(None, fourth.pages));
    assert!(log.shrink().unwrap().segments > early.segment.max(middle.segment));
    log.close().unwrap();
    let anew = audit(dir.path(), of(None, fourth.pages));
    assert_eq!((anew.root, &anew.report.root), (Some(fourth.root), &unshrunk.report.root));
    for (from, map) in [(&early, first.seal.root), (&middle, second.seal.root)] {
        let on = audit(dir.path(), of(Some((from.clone(), map)), fourth.pages));
        assert_eq!((on.root, on.report.erased), (Some(fourth.root), anew.report.erased));
        assert_eq!(on.standing.unwrap().accounts, anew.standing.as_ref().unwrap().accounts);
    }
}
