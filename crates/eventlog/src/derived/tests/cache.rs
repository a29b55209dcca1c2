//! The cache: what goes in comes out, or nothing does.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use super::STORE;
use crate::derived::cache::{BATCH_ROWS, Cache, Row, Rows};

fn key(n: u32) -> [u8; 16] {
    *blake3::hash(&n.to_le_bytes()).as_bytes().first_chunk().unwrap()
}

fn row(n: u32) -> Row {
    Row { position: 77, bytes: vec![n as u8; n as usize % 300] }
}

fn fill(cache: &Cache, count: u32) {
    let rows: Vec<_> = (0..count).map(|n| (key(n), row(n))).collect();
    assert!(cache.put(Rows::States, 77, rows.iter().map(|(key, row)| (*key, &row.bytes[..]))));
    assert!(cache.put(Rows::Snapshots, 78, [(key(1), &b"a statement"[..])]));
    assert!(cache.sync());
}

/// The rows there are, each of them right.
fn check(cache: &Cache, count: u32) -> usize {
    let mut seen = BTreeMap::new();
    let mut after = None;
    loop {
        let batch = cache.after(Rows::States, after);
        let Some((last, _)) = batch.last() else { break };
        after = Some(*last);
        assert!(batch.len() <= BATCH_ROWS);
        seen.extend(batch);
    }
    let there: Vec<u32> = (0..count).filter(|n| seen.contains_key(&key(*n))).collect();
    assert_eq!(there.len(), seen.len(), "rows that nobody put there");
    for n in there {
        assert_eq!(seen[&key(n)], row(n));
        assert!(cache.get(Rows::States, &key(n)).is_none_or(|found| found == row(n)));
    }
    seen.len()
}

#[test]
fn rows_come_back() {
    for count in [0, 1, 999, 1000, 1001, 2500] {
        let dir = tempfile::tempdir().unwrap();
        assert!(Cache::try_open(dir.path(), STORE, false).is_none());
        let cache = Cache::try_open(dir.path(), STORE, true).unwrap();
        assert_eq!(cache.position(Rows::States), None);
        fill(&cache, count);
        assert!(Cache::try_open(dir.path(), STORE, true).is_none(), "it is locked");
        drop(cache);
        let cache = Cache::try_open(dir.path(), STORE, false).unwrap();
        assert_eq!(check(&cache, count), count as usize);
        assert_eq!(cache.position(Rows::States), Some(77));
        assert_eq!(cache.position(Rows::Snapshots), Some(78));
        let statement = Row { position: 78, bytes: b"a statement".to_vec() };
        assert_eq!(cache.get(Rows::Snapshots, &key(1)), Some(statement));
        assert_eq!(cache.get(Rows::Snapshots, &key(2)), None);
        assert!(cache.clear(Rows::States));
        assert_eq!((check(&cache, count), cache.position(Rows::States)), (0, None));
    }
}

#[test]
fn another_stores_is_none() {
    let dir = tempfile::tempdir().unwrap();
    fill(&Cache::try_open(dir.path(), STORE, true).unwrap(), 10);
    let other = *b"some other store";
    assert!(Cache::try_open(dir.path(), other, false).is_none());
    assert_eq!(check(&Cache::try_open(dir.path(), other, true).unwrap(), 10), 0);
    assert!(Cache::try_open(dir.path(), STORE, false).is_none());
}

fn files(dir: &Path) -> Vec<PathBuf> {
    let mut files: Vec<PathBuf> = fs::read_dir(dir)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .flat_map(|path| if path.is_dir() { files(&path) } else { vec![path] })
        .collect();
    files.sort();
    files
}

/// Damage of any kind, while it lies still and after a kill: no panic gets out, no row is
/// wrong, and a writer has a working one again.
#[test]
fn damage_costs_at_most_the_cache() {
    for seed in 0..100 {
        println!("seed {seed}");
        let mut rng = fastrand::Rng::with_seed(seed);
        let dir = tempfile::tempdir().unwrap();
        fill(&Cache::try_open(dir.path(), STORE, true).unwrap(), 50);
        let still = rng.bool();
        if !still {
            fs::remove_file(dir.path().join("sled.sum")).unwrap();
        }
        let files = files(dir.path());
        let file = &files[rng.usize(..files.len())];
        let mut bytes = fs::read(file).unwrap();
        match rng.u32(..4) {
            0 => fs::remove_file(file).unwrap(),
            1 => fs::write(file, &bytes[..rng.usize(..=bytes.len())]).unwrap(),
            2 => fs::write(file, [&bytes[..], &[rng.u8(..)]].concat()).unwrap(),
            _ if bytes.is_empty() => {}
            _ => {
                // sled's files are mostly holes; their beginning is what it reads.
                let most = bytes.len().min([100, 5000, usize::MAX][rng.usize(..3)]);
                bytes[rng.usize(..most)] ^= 1 << rng.u32(..8);
                fs::write(file, &bytes).unwrap();
            }
        }
        if let Some(cache) = Cache::try_open(dir.path(), STORE, false) {
            check(&cache, 50);
        }
        let cache = Cache::try_open(dir.path(), STORE, true).expect("a writer makes it anew");
        check(&cache, 50);
        fill(&cache, 60);
        check(&cache, 60);
    }
}

/// A cache that is closed can be opened at once, and its hashes are those of what lies there.
#[test]
fn closing_lets_go() {
    let dir = tempfile::tempdir().unwrap();
    for round in 0..50 {
        let cache = Cache::try_open(dir.path(), STORE, true).expect("it was closed");
        assert_eq!(check(&cache, 100), if round == 0 { 0 } else { 100 }, "round {round}");
        fill(&cache, 100);
        drop(cache);
        assert!(dir.path().join("sled.sum").exists());
    }
}
