//! A cache in sled: small rows that change, and that can be lost without changing an answer.
//!
//! Two tables, of snapshot statements and of fold states; keys are 16-byte hashes of accounts'
//! names, never the names, because what was once in these files stays in them. Each row says which
//! position of the log it reflects, each table up to where all of its rows do. Only one process can
//! have it open; for all others, and where it is damaged or another store's, there is none, and
//! what it would have said is computed.
//!
//! | key | value |
//! |---|---|
//! | 1 byte, 0 | position, 8 bytes little-endian |
//! | 16 bytes | checksum, 16 bytes; position, 8 bytes little-endian; the row |
//!
//! The checksum is BLAKE3 of what follows it, keyed by the store, the table and the key.
//!
//! sled promises nothing about damaged files: it drops what it does not like, and it may panic. So
//! `derived/sled.sum` keeps the hashes of its files from a clean close to the next opening, and
//! damage that comes while they lie still is found before sled sees it. After a kill there are no
//! hashes; there sled recovers by itself, and a panic of it means no cache.

use std::cell::Cell;
use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::Once;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

/// Rows that go into sled at once: with many more it slows down and takes gigabytes.
pub(super) const BATCH_ROWS: usize = 1000;
const CHECKSUM_BYTES: usize = 16;
const POSITION: [u8; 1] = [0];
const OWNER: &[u8] = b"store";
const VERSION: u8 = 1;
/// How long closing waits for sled to let go of its files.
const CLOSING_MS: u32 = 2000;
/// What sled keeps of its own files in memory, in bytes.
const MEMORY_BYTES: u64 = 32 << 20;

/// A table of the cache.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rows {
    /// Snapshot statements.
    Snapshots,
    /// Fold states.
    States,
}

impl Rows {
    const fn name(self) -> &'static str {
        match self {
            Rows::Snapshots => "snapshots",
            Rows::States => "states",
        }
    }
}

/// A row and the log's position that it reflects: one above that of the last event folded in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    /// The position.
    pub position: u64,
    /// What was put in.
    pub bytes: Vec<u8>,
}

/// The cache, open.
pub struct Cache {
    db: Option<sled::Db>,
    dir: PathBuf,
    store: [u8; 16],
    /// sled has panicked: it is not asked again.
    broken: AtomicBool,
    /// Locked as long as it is open; let go of after all else.
    turn: Option<fs::File>,
}

impl Cache {
    /// Opens `derived/sled` of the store. `None` if another process has it open, it is damaged, or
    /// another store's, or cannot be opened; a writer then makes a new one where it can. For a
    /// reader it must be there.
    pub fn try_open(derived: &Path, store: [u8; 16], writer: bool) -> Option<Cache> {
        let dir = derived.join("sled");
        if !writer && !dir.is_dir() {
            return None;
        }
        fs::create_dir_all(derived).ok()?;
        // A lock of our own, held as long as the cache is open: sled's says nothing of a folder that is
        // just being made, or made anew.
        let turn = dir.with_extension("lock");
        let turn = fs::OpenOptions::new().create(true).append(true).open(turn).ok()?;
        turn.try_lock().ok()?;
        let opened = match Cache::open(&dir, store) {
            Opened::Bad if writer => {
                remove(&dir).ok()?;
                Cache::open(&dir, store)
            }
            opened => opened,
        };
        match opened {
            Opened::Ours(mut cache) => {
                cache.turn = Some(turn);
                Some(cache)
            }
            Opened::Bad | Opened::Busy => None,
        }
    }

    fn open(dir: &Path, store: [u8; 16]) -> Opened {
        let sums = dir.with_extension("sum");
        match lock(dir) {
            Lock::Taken => return Opened::Busy,
            Lock::Ours(_held) => match fs::read(&sums) {
                Ok(expected) if sums_of(dir).is_ok_and(|found| found == expected) => {}
                Err(e) if e.kind() == io::ErrorKind::NotFound => {}
                _ => return Opened::Bad,
            },
            Lock::NoFile if dir.exists() || sums.exists() => return Opened::Bad,
            Lock::NoFile => {}
        }
        // Without a flushing thread: a cache is synced when it is closed.
        let config =
            sled::Config::new().path(dir).cache_capacity(MEMORY_BYTES).flush_every_ms(None);
        let opened = quietly(|| {
            let db = config.open()?;
            let owner = [&[VERSION][..], &store].concat();
            if !db.was_recovered() {
                db.insert(OWNER, owner.as_slice())?;
            }
            let ours = db.get(OWNER)?.is_some_and(|found| found == owner);
            Ok::<_, sled::Error>(ours.then_some(db))
        });
        match opened {
            Ok(Ok(Some(db))) => match fs::remove_file(&sums) {
                Err(e) if e.kind() != io::ErrorKind::NotFound => Opened::Busy,
                _ => Opened::Ours(Cache {
                    db: Some(db),
                    dir: dir.to_owned(),
                    store,
                    broken: AtomicBool::new(false),
                    turn: None,
                }),
            },
            // It was not locked just before; sled says with this kind of error that it is now.
            Ok(Err(sled::Error::Io(e))) if e.kind() == io::ErrorKind::Other => Opened::Busy,
            Ok(Ok(None) | Err(_)) | Err(_) => {
                drop(lock_when_closed(dir));
                Opened::Bad
            }
        }
    }

    /// The position that every row of a table reflects, or a later one: that of the last `put` that
    /// came to its end.
    pub fn position(&self, rows: Rows) -> Option<u64> {
        let value = self.ask(rows, |tree| tree.get(POSITION))??;
        Some(u64::from_le_bytes(value.as_ref().try_into().ok()?))
    }

    /// A row, if it is there and whole.
    pub fn get(&self, rows: Rows, key: &[u8; 16]) -> Option<Row> {
        let value = self.ask(rows, |tree| tree.get(key))??;
        self.checked(rows, key, &value)
    }

    /// Puts rows in, over what was there, that reflect `position`. Of a kill in between, whole
    /// batches of at most 1000 rows are left. False: sled failed.
    pub fn put<'r>(
        &self,
        rows: Rows,
        position: u64,
        all: impl IntoIterator<Item = ([u8; 16], &'r [u8])>,
    ) -> bool {
        let position = position.to_le_bytes();
        let mut all = all.into_iter().peekable();
        loop {
            let mut batch = sled::Batch::default();
            for (key, row) in all.by_ref().take(BATCH_ROWS) {
                let value = [&position, row].concat();
                batch.insert(&key, [&self.checksum(rows, &key, &value), &value[..]].concat());
            }
            let last = all.peek().is_none();
            if last {
                batch.insert(&POSITION, &position);
            }
            if self.ask(rows, move |tree| tree.apply_batch(batch)).is_none() {
                return false;
            }
            if last {
                return true;
            }
        }
    }

    /// Makes what was put in durable; closing does so too. False: sled failed.
    #[must_use]
    pub fn sync(&self) -> bool {
        self.ask(Rows::Snapshots, |tree| tree.flush()).is_some()
    }

    /// Forgets a table's rows and its position. Their bytes stay in the files for a while. False:
    /// sled failed.
    pub fn clear(&self, rows: Rows) -> bool {
        self.ask(rows, |tree| tree.clear()).is_some()
    }

    /// At most 1000 whole rows after `after`, in order of keys: the next ones are after the last
    /// of these. Empty at the end.
    pub fn after(&self, rows: Rows, after: Option<[u8; 16]>) -> Vec<([u8; 16], Row)> {
        let start = after.map_or([0; 16].to_vec(), |key| [&key[..], &[0]].concat());
        let read = self.ask(rows, |tree| {
            let mut batch = Vec::new();
            for entry in tree.range(start..) {
                let (key, value) = entry?;
                if let Ok(key) = key.as_ref().try_into()
                    && let Some(row) = self.checked(rows, &key, &value)
                {
                    batch.push((key, row));
                }
                if batch.len() == BATCH_ROWS {
                    break;
                }
            }
            Ok(batch)
        });
        read.unwrap_or_default()
    }

    fn ask<T>(
        &self,
        rows: Rows,
        question: impl FnOnce(&sled::Tree) -> sled::Result<T>,
    ) -> Option<T> {
        if self.broken.load(Ordering::Relaxed) {
            return None;
        }
        let db = self.db.as_ref()?;
        let answer = quietly(|| question(&db.open_tree(rows.name())?));
        if let Ok(Ok(answer)) = answer {
            return Some(answer);
        }
        self.broken.store(true, Ordering::Relaxed);
        None
    }

    fn checksum(&self, rows: Rows, key: &[u8; 16], value: &[u8]) -> [u8; CHECKSUM_BYTES] {
        let context = "stillthere derived cache 1 row checksum";
        let material = [&self.store[..], rows.name().as_bytes(), key].concat();
        let hash = blake3::keyed_hash(&blake3::derive_key(context, &material), value);
        *hash.as_bytes().first_chunk().expect("16 of 32 bytes")
    }

    fn checked(&self, rows: Rows, key: &[u8; 16], value: &[u8]) -> Option<Row> {
        let (found, value) = value.split_first_chunk()?;
        let (position, bytes) = value.split_first_chunk()?;
        let row = Row { position: u64::from_le_bytes(*position), bytes: bytes.to_vec() };
        (*found == self.checksum(rows, key, value)).then_some(row)
    }
}

thread_local! {
    static IN_SLED: Cell<bool> = const { Cell::new(false) };
}

/// Calls sled, which panics over files that are damaged. Nobody is told of it: a cache that fails is
/// one that is not there.
fn quietly<T>(call: impl FnOnce() -> T) -> std::thread::Result<T> {
    static HOOK: Once = Once::new();
    HOOK.call_once(|| {
        let before = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |panic| {
            if !IN_SLED.get() {
                before(panic);
            }
        }));
    });
    IN_SLED.set(true);
    let called = catch_unwind(AssertUnwindSafe(call));
    IN_SLED.set(false);
    called
}

enum Opened {
    Ours(Cache),
    /// Another process has it, or the file system refuses.
    Busy,
    /// Damaged, or another store's.
    Bad,
}

impl Drop for Cache {
    /// Syncs and closes it, and notes the hashes of its files. What fails here costs at most the
    /// cache.
    fn drop(&mut self) {
        let Some(db) = self.db.take() else { return };
        let flushed = quietly(|| {
            let flushed = db.flush().is_ok();
            drop(db);
            flushed
        });
        if let Lock::Ours(_held) = lock_when_closed(&self.dir)
            && matches!(flushed, Ok(true))
            && !self.broken.load(Ordering::Relaxed)
            && let Ok(sums) = sums_of(&self.dir)
        {
            let _ = fs::write(self.dir.with_extension("sum"), sums);
        }
    }
}

/// The lock that sled has on its file while it is open.
enum Lock {
    Ours(#[allow(dead_code, reason = "it is held until dropped")] fs::File),
    Taken,
    NoFile,
}

/// The lock once sled has let go of it. Its threads can hold its files for a moment after it is
/// gone; who opens it next must neither find it locked nor see it change.
fn lock_when_closed(dir: &Path) -> Lock {
    for _ in 0..CLOSING_MS {
        match lock(dir) {
            Lock::Taken => std::thread::sleep(Duration::from_millis(1)),
            lock => return lock,
        }
    }
    Lock::Taken
}

fn lock(dir: &Path) -> Lock {
    let Ok(file) = fs::File::open(dir.join("db")) else { return Lock::NoFile };
    match file.try_lock() {
        Ok(()) => Lock::Ours(file),
        Err(_) => Lock::Taken,
    }
}

impl std::fmt::Debug for Cache {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Cache").field("dir", &self.dir).finish_non_exhaustive()
    }
}

/// The hash of each file in sled's folder, as lines of text.
fn sums_of(dir: &Path) -> io::Result<Vec<u8>> {
    let mut sums = BTreeMap::new();
    let mut folders = vec![dir.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder)? {
            let entry = entry?;
            if entry.file_type()?.is_dir() {
                folders.push(entry.path());
                continue;
            }
            let mut hasher = blake3::Hasher::new();
            hasher.update_reader(fs::File::open(entry.path())?)?;
            let name = entry.path().strip_prefix(dir).map_or_else(|_| entry.path(), Path::to_owned);
            sums.insert(name, hasher.finalize());
        }
    }
    let lines = sums.iter().map(|(name, sum)| format!("{sum} {}\n", name.display()));
    Ok(lines.collect::<String>().into_bytes())
}

fn remove(dir: &Path) -> io::Result<()> {
    let gone = |result: io::Result<()>| match result {
        Err(e) if e.kind() != io::ErrorKind::NotFound => Err(e),
        _ => Ok(()),
    };
    gone(fs::remove_dir_all(dir))?;
    gone(fs::remove_file(dir.with_extension("sum")))
}
