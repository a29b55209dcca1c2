//! Seals, the tree that is published, and what a certificate is made of: held against a check of the log by other
//! code, and against definitions.

use std::fs;
use std::path::Path;

use commitment::{
    Control, ControlKind, Envelope, Level, LogCheck, MapKey, Report, check_consistency,
    check_inclusion, control_leaf, hex, page_root_by, tree_leaf,
};
use stillthere_eventlog::{
    Log, LogFiles, PlacedControl, Reader, SealError, SealedLog, Sealer, TreeHead,
};
use tempfile::tempdir;

use crate::support::{contents, events, open, options};

/// Every hash anew, the account maps of all seals among them.
pub fn verified(dir: &Path) -> Report {
    let files = LogFiles::open(dir).unwrap();
    let check = LogCheck::new(Level::Full, files.head()).unwrap();
    let origin = hex(&check.store());
    let mut check = check.mapping(&origin, commitment::Climb::run);
    for file in files.files() {
        check.file(&file.name).unwrap_or_else(|e| panic!("{e}"));
        let feed = |bytes: &[u8]| check.feed(bytes, &mut |_| {}).map_err(|e| panic!("{e}"));
        files.read::<stillthere_eventlog::ReadError>(file, feed).unwrap();
    }
    check.finish().unwrap_or_else(|e| panic!("{e}"))
}

pub fn sealed(log: &Log, sealer: &mut Sealer) -> TreeHead {
    log.seal(sealer).unwrap();
    sealer.publish().unwrap()
}

#[test]
fn a_seal_says_where_every_chain_ends_and_the_tree_ends_with_it() {
    for segment_bytes in [20_000, 64 << 20] {
        let dir = tempdir().unwrap();
        let store = dir.path().join("store");
        let mut heads: Vec<TreeHead> = Vec::new();
        for round in 0..6 {
            let log = Log::open(&store, options(segment_bytes)).unwrap();
            // Each from what was kept; and, every other time, from nothing.
            if round % 2 == 1 {
                let _ = fs::remove_dir_all(store.join("derived"));
            }
            let mut sealer = Sealer::open(&log);
            let (from, to) = (round * 150, round * 150 + 150);
            log.append(events(from, to)).unwrap();
            let head = sealed(&log, &mut sealer);
            assert_eq!(head.seal.size, to as u64);
            assert_eq!(head.seal.accounts, 5);
            // Nothing came since: there is nothing to seal.
            assert_eq!(sealed(&log, &mut sealer), head);
            for old in &heads {
                let proof = sealer.consistency(old.pages, head.pages).unwrap();
                let is = check_consistency(old.pages, &old.root, head.pages, &head.root, &proof);
                assert_eq!(is, Ok(()));
                assert_eq!(sealer.root_at(old.pages).unwrap(), old.root);
            }
            heads.push(head.clone());
            if round == 3 {
                // What is staged later does not hide the seal.
                log.append(events(to, to + 1)).unwrap();
                assert_eq!(Sealer::open(&log).publish().unwrap(), head);
            }
            log.close().unwrap();
            let report = verified(&store);
            assert_eq!(report.seals.len(), heads.len());
            for (found, head) in report.seals.iter().zip(&heads) {
                assert_eq!((found.page + 1, found.seal), (head.pages, head.seal));
            }
            if round != 3 {
                assert_eq!(report.root, head.root, "nothing is behind the seal");
            }
            assert_eq!(contents(&store).len(), to + usize::from(round == 3));
        }
    }
}

#[test]
fn a_tree_that_is_not_whole_is_made_anew() {
    let dir = tempdir().unwrap();
    let log = Log::open(dir.path(), options(10_000)).unwrap();
    let mut sealer = Sealer::open(&log);
    log.append(events(0, 2000)).unwrap();
    let head = sealed(&log, &mut sealer);
    let tile = |level: u8| {
        let folder = dir.path().join(format!("tlog/tile/{level}/000.p"));
        let mut files: Vec<_> =
            fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
        files.sort();
        files.pop().unwrap()
    };
    let whole = fs::read(tile(0)).unwrap();
    assert_eq!(whole.len() as u64, 32 * head.pages);
    for harm in 0..4 {
        match harm {
            0 => fs::remove_dir_all(dir.path().join("tlog")).unwrap(),
            1 => fs::write(tile(0), &whole[..whole.len() - 1]).unwrap(),
            2 => {
                let mut wrong = whole.clone();
                wrong[5] ^= 1;
                fs::write(tile(0), wrong).unwrap();
            }
            _ => fs::remove_file(tile(0)).unwrap(),
        }
        assert_eq!(sealer.publish().unwrap(), head, "harm {harm}");
        assert_eq!(fs::read(tile(0)).unwrap(), whole, "harm {harm}");
        assert_eq!(sealer.root_at(head.pages).unwrap(), head.root);
    }
}

#[test]
fn a_seal_goes_on_from_what_was_kept_and_does_not_read_the_log_before_it() {
    let dir = tempdir().unwrap();
    let log = Log::open(dir.path(), options(10_000)).unwrap();
    log.append(events(0, 2000)).unwrap();
    sealed(&log, &mut Sealer::open(&log));
    log.close().unwrap();
    let mut segments: Vec<_> = fs::read_dir(dir.path().join("log")).unwrap().collect();
    segments.retain(|entry| entry.as_ref().unwrap().file_name() != "HEAD");
    segments.sort_by_key(|entry| entry.as_ref().unwrap().file_name());
    let first = segments[0].as_ref().unwrap().path();
    let mut bytes = fs::read(&first).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    fs::write(&first, bytes).unwrap();

    for round in 1..4 {
        let log = Log::open(dir.path(), options(10_000)).unwrap();
        log.append(events(2000 + round, 2001 + round)).unwrap();
        let seal = log.seal(&mut Sealer::open(&log)).unwrap();
        assert_eq!(seal.size as usize, 2000 + round);
        log.close().unwrap();
    }
    // Who reads it all finds what was done to it.
    fs::remove_file(dir.path().join("derived/seal")).unwrap();
    let log = Log::open(dir.path(), options(10_000)).unwrap();
    log.append(events(3000, 3001)).unwrap();
    assert!(log.seal(&mut Sealer::open(&log)).is_err());
}

#[test]
fn what_is_kept_of_a_seal_is_believed_only_whole() {
    let dir = tempdir().unwrap();
    let log = open(dir.path());
    let mut sealer = Sealer::open(&log);
    log.append(events(0, 300)).unwrap();
    let head = sealed(&log, &mut sealer);
    let path = dir.path().join("derived/seal");
    let kept = fs::read(&path).unwrap();
    for at in (0..kept.len()).step_by(97).chain([0, 9, 20, kept.len() - 1]) {
        let mut wrong = kept.clone();
        wrong[at] ^= 4;
        fs::write(&path, &wrong).unwrap();
        let mut sealer = Sealer::open(&log);
        assert_eq!(sealed(&log, &mut sealer), head, "byte {at}");
        fs::write(&path, &kept[..at]).unwrap();
        assert_eq!(sealed(&log, &mut Sealer::open(&log)), head, "cut at {at}");
    }
}

/// Makes every checksum of a file that is kept of a seal anew.
fn checksum(kept: &mut [u8]) {
    let key = blake3::derive_key("stillthere derived seal 3 block checksum", &kept[..96]);
    let footer = kept.len() - 24;
    let mut from = 96;
    while from < kept.len() {
        let end = if from < footer { (from + (64 << 10)).min(footer - 16) } else { from + 8 };
        let mut hasher = blake3::Hasher::new_keyed(&key);
        hasher.update(&kept[from..end]);
        hasher.update(&(from as u64).to_le_bytes());
        hasher.update(&((end - from) as u64).to_le_bytes());
        hasher.update(&[0; 4]);
        kept[end..end + 12].copy_from_slice(&hasher.finalize().as_bytes()[..12]);
        kept[end + 12..end + 16].fill(0);
        from = end + 16;
    }
}

/// With every checksum of the file made anew: the seal that follows is right, whatever was kept.
#[test]
fn what_is_kept_of_a_seal_is_held_against_the_log() {
    let dir = tempdir().unwrap();
    let log = open(dir.path());
    let path = dir.path().join("derived/seal");
    log.append(events(0, 60)).unwrap();
    sealed(&log, &mut Sealer::open(&log));
    let (mut next, mut heads) = (60, Vec::new());
    // Behind what says which store and version it is of: each place that a head, a count, a secret, a key, a hash of the
    // map, the tree's peaks or the clock can have.
    let kept = fs::read(&path).unwrap();
    let mut again = kept.clone();
    checksum(&mut again);
    assert!(again == kept);
    let length = kept.len();
    for at in (32..length - 24).step_by(29) {
        let mut forged = fs::read(&path).unwrap();
        let last = forged.len() - 25;
        forged[at.min(last)] ^= 1;
        checksum(&mut forged);
        fs::write(&path, &forged).unwrap();
        let mut sealer = Sealer::open(&log);
        // Some of the accounts, or none, or all; and every now and then one more.
        let count = [1, 5, 2][at % 3];
        let mut more = events(next, next + count);
        if at % 4 == 0 {
            more[0].account = format!("new at {at}");
        }
        log.append(more).unwrap();
        let head = sealed(&log, &mut sealer);
        next += count;
        assert_eq!(head.seal.size, next as u64, "byte {at}");
        heads.push((at, head));
    }
    assert!(heads.len() > 50, "{}", heads.len());
    log.close().unwrap();
    // As a check of the log says that has read all of it.
    let report = verified(dir.path());
    assert_eq!(report.seals.len(), heads.len() + 1);
    for (found, (at, head)) in report.seals[1..].iter().zip(&heads) {
        assert_eq!((found.page + 1, found.seal), (head.pages, head.seal), "byte {at}");
    }
    assert_eq!(report.root, heads.last().unwrap().1.root);
}

fn in_tree(placed: &PlacedControl, head: &TreeHead) {
    let summary = commitment::Summary::decode(&placed.summary).unwrap();
    let leaf = control_leaf(placed.kind, &placed.salt, &placed.body);
    assert_eq!(
        page_root_by(leaf, placed.leaf, summary.leaves, &placed.in_page),
        Some(summary.root)
    );
    let leaf = tree_leaf(&placed.summary);
    assert_eq!(
        check_inclusion(&leaf, summary.page, head.pages, &placed.in_tree, &head.root),
        Ok(())
    );
}

#[test]
fn a_log_as_it_was_at_a_checkpoint_shows_what_a_certificate_needs() {
    let dir = tempdir().unwrap();
    let log = open(dir.path());
    let compiled = b"a policy".to_vec();
    let adoption =
        Control::Adoption { hash: *blake3::hash(&compiled).as_bytes(), compiled: &compiled };
    let mut sealer = Sealer::open(&log);
    let mut heads = Vec::new();
    for round in 0..3 {
        log.append(events(round * 200, round * 200 + 200)).unwrap();
        if round == 1 {
            log.record(&adoption).unwrap();
        }
        heads.push(sealed(&log, &mut sealer));
    }
    log.append(events(600, 650)).unwrap();
    log.close().unwrap();
    verified(dir.path());
    let reader = Reader::open(dir.path()).unwrap();
    for (round, head) in heads.iter().enumerate() {
        let shown = SealedLog::open(dir.path(), &reader, head.pages).unwrap();
        assert_eq!(shown.head(), head);
        let seal = shown.seal().unwrap();
        in_tree(&seal, head);
        assert_eq!(Control::decode(ControlKind::Seal, &seal.body), Ok(Control::Seal(head.seal)));
        let adopted = shown.adoption(&compiled).unwrap();
        assert_eq!(adopted.is_some(), round >= 1);
        adopted.iter().for_each(|adopted| in_tree(adopted, head));
        assert_eq!(shown.adoption(b"another").unwrap(), None);
        let origin = hex(&reader.store());
        for account in ["account-0", "account-4", "nobody"] {
            let key = MapKey::of(&origin, account);
            let proof = shown.map(account).unwrap();
            let leaf = proof.check(&key, &head.seal.root).unwrap();
            let stream = shown.stream(&reader, account).unwrap();
            assert_eq!(leaf.is_some(), stream.is_some());
            assert_eq!(leaf.is_some(), account != "nobody");
            let Some(stream) = stream else { continue };
            assert_eq!(stream.events.len() as u64, leaf.unwrap().count);
            assert_eq!(stream.events.len(), 40 * (round + 1));
            for event in &stream.events {
                let recorded = reader.event_at(event.position()).unwrap().unwrap();
                assert_eq!(recorded.event.account, account);
                let envelope = Envelope::decode(event.envelope().unwrap()).unwrap();
                assert_eq!(envelope.kind, recorded.event.payload.kind());
                assert_eq!(envelope.ordinal, stream.ordinal);
            }
        }
    }
    for pages in [0, heads[2].pages + 1, heads[2].pages + 2] {
        let result = SealedLog::open(dir.path(), &reader, pages);
        assert!(matches!(result, Err(SealError::Elsewhere { .. })), "{pages}");
    }
}

#[test]
fn a_clock_that_has_gone_back_seals_nothing() {
    let dir = tempdir().unwrap();
    let at = |text: &'static str| {
        let clock = move || event::Timestamp::parse(text).unwrap();
        Log::open(dir.path(), stillthere_eventlog::Options::new(clock)).unwrap()
    };
    let log = at("2026-03-01T12:00:00Z");
    log.append(events(0, 10)).unwrap();
    log.close().unwrap();
    for (clock, is_sealed) in [
        ("2025-03-01T12:00:00Z", false),
        ("2026-03-01T11:58:59.999Z", false),
        ("2026-03-01T11:59:00Z", true),
    ] {
        let log = at(clock);
        let mut sealer = Sealer::open(&log);
        let sealed = log.seal(&mut sealer);
        assert_eq!(sealed.is_ok(), is_sealed, "{clock}");
        if let Err(error) = sealed {
            assert!(matches!(error, SealError::Clock { .. }), "{error}");
            assert!(matches!(sealer.publish(), Err(SealError::Unsealed)));
        }
        log.close().unwrap();
    }
    let seals = verified(dir.path()).seals;
    assert_eq!(seals.len(), 1);
    let log_ms = event::Timestamp::parse("2026-03-01T12:00:00Z").unwrap().ms();
    assert_eq!(seals[0].seal.at_ms, log_ms, "the log's clock never goes back");
}
