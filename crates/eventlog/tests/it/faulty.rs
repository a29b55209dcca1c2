//! A file system in memory that fails at a chosen call, and forgets as loss of power does.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use stillthere_eventlog::storage::{Access, Lock, Storage, StoredFile};

use crate::loss::{After, Change};

/// What Linux says where a disk cannot read or write.
const EIO: i32 = 5;

/// What a call that fails has done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// Nothing.
    Lost,
    /// All of it.
    Kept,
    /// Half of it. A sync of half is one of the first half of what was written since the last.
    Torn,
    /// Nothing, and a sync counts what it should have written for clean, as Linux does: it can be
    /// read until the power goes, and no later sync writes it.
    Forgotten,
    /// Nothing, for there is no space left.
    Full,
    /// Nothing, nor does any call after it: the machine has stopped.
    Stopped,
}

#[derive(Debug, Clone, Default)]
struct Stored {
    synced: Vec<u8>,
    now: Vec<u8>,
    /// What lies between the two, each with the number of its call.
    changes: Vec<(usize, Change)>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Entry {
    Folder,
    File(usize),
}

#[derive(Debug, Clone, Default)]
struct State {
    files: Vec<Stored>,
    names: BTreeMap<PathBuf, Entry>,
    synced_names: BTreeMap<PathBuf, Entry>,
    locked: BTreeSet<PathBuf>,
    calls: usize,
    fault: Option<(usize, Fault)>,
    /// Syncs whose line in the journal begins so do nothing, and say that they did.
    lies: Option<String>,
    /// The one call of such a sync.
    lie_at: Option<usize>,
    /// No file gets longer than this: the disk is full.
    limit: Option<usize>,
    /// The calls, to say which one failed.
    journal: Vec<String>,
    /// Reads of these bytes of this file fail.
    unreadable: Option<(PathBuf, Range<usize>)>,
    /// Where derived files lie, on the real disk: past all this.
    derived: Option<PathBuf>,
}

/// The file system. Clones are the same one.
#[derive(Debug, Clone, Default)]
pub struct Memory(Arc<Mutex<State>>);

impl Memory {
    /// From now on the `n`th call that changes something fails so.
    pub fn fail(&self, n: usize, fault: Fault) {
        let mut state = self.0.lock().unwrap();
        state.fault = Some((n, fault));
        state.calls = 0;
        state.journal.clear();
    }

    /// From now on reads fail that touch these bytes of this file.
    pub fn spoil(&self, path: &Path, bytes: Range<usize>) {
        self.0.lock().unwrap().unreadable = Some((path.to_owned(), bytes));
    }

    /// From now on syncs whose line in the journal begins so do nothing.
    pub fn lie(&self, begins: &str) {
        self.0.lock().unwrap().lies = Some(begins.to_owned());
    }

    /// The `n`th call, a sync, does nothing.
    pub fn lie_at(&self, n: usize) {
        self.0.lock().unwrap().lie_at = Some(n);
    }

    /// From now on no file can be written behind this byte.
    pub fn limit(&self, limit: usize) {
        self.0.lock().unwrap().limit = Some(limit);
    }

    /// From now on derived files lie in this folder of the real disk; else there are none.
    pub fn derive_in(&self, folder: &Path) {
        self.0.lock().unwrap().derived = Some(folder.to_owned());
    }

    /// The calls that changed something since [`Memory::fail`], each with the path.
    pub fn journal(&self) -> Vec<String> {
        self.0.lock().unwrap().journal.clone()
    }

    /// The process has ended, the machine goes on; nothing fails any more.
    pub fn restart(&self) {
        let mut state = self.0.lock().unwrap();
        state.locked.clear();
        state.fault = None;
    }

    /// How many calls changed something since [`Memory::fail`].
    pub fn calls(&self) -> usize {
        self.0.lock().unwrap().calls
    }

    /// The call that failed, if one did.
    pub fn failed(&self) -> Option<String> {
        let state = self.0.lock().unwrap();
        state.fault.and_then(|(n, _)| state.journal.get(n).cloned())
    }

    /// The files under a folder.
    pub fn files(&self, folder: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
        let state = self.0.lock().unwrap();
        let within = state.names.iter().filter(|(path, _)| path.starts_with(folder));
        let files = within.filter_map(|(path, entry)| match entry {
            Entry::File(id) => Some((path.clone(), state.files[*id].now.clone())),
            Entry::Folder => None,
        });
        files.collect()
    }

    /// The changes of files that are not synced, in their order across all files.
    pub fn unsynced(&self) -> Vec<Change> {
        let state = self.0.lock().unwrap();
        let changes = state.files.iter().flat_map(|file| &file.changes);
        let in_order: BTreeMap<usize, Change> = changes.cloned().collect();
        in_order.into_values().collect()
    }

    /// What is there after the machine stopped now.
    pub fn after(&self, after: After) -> Memory {
        let mut state = self.0.lock().unwrap().clone();
        let mut chance = match after {
            After::Chance(seed) => fastrand::Rng::with_seed(seed),
            _ => fastrand::Rng::with_seed(0),
        };
        state.locked.clear();
        state.fault = None;
        (state.lies, state.lie_at) = (None, None);
        match after {
            After::Kill | After::SyncedBytes | After::Kept(_) | After::Torn { .. } => {}
            After::Synced | After::SyncedNames => state.names = state.synced_names.clone(),
            After::Chance(_) => {
                let old = state.synced_names.clone();
                let paths: BTreeSet<PathBuf> =
                    old.keys().chain(state.names.keys()).cloned().collect();
                for path in paths {
                    if chance.bool() {
                        match old.get(&path) {
                            Some(entry) => _ = state.names.insert(path, *entry),
                            None => _ = state.names.remove(&path),
                        }
                    }
                }
            }
        }
        // What lies in a folder that is gone is gone.
        let names = state.names.clone();
        let is_there = |path: &Path| {
            let mut folders = path.ancestors().skip(1).filter(|p| *p != Path::new("/"));
            folders.all(|folder| names.contains_key(folder))
        };
        state.names.retain(|path, _| is_there(path));
        let changes = state.files.iter().flat_map(|file| &file.changes);
        let order: BTreeSet<usize> = changes.map(|(call, _)| *call).collect();
        let nth: BTreeMap<usize, usize> = order.into_iter().zip(0..).collect();
        for file in &mut state.files {
            if !matches!(after, After::Kill | After::SyncedNames) {
                file.now = file.synced.clone();
            }
            if matches!(after, After::Chance(_) | After::Kept(_) | After::Torn { .. }) {
                for (call, change) in &file.changes {
                    for kept in change.kept(nth[call], after, &mut chance) {
                        kept.apply(&mut file.now);
                    }
                }
            }
            file.synced = file.now.clone();
            file.changes.clear();
        }
        state.synced_names = state.names.clone();
        Memory(Arc::new(Mutex::new(state)))
    }

    /// Runs a call that changes something: `change` is told how much of it to do, in halves.
    fn call<T>(
        &self,
        name: &str,
        path: &Path,
        change: impl FnOnce(&mut State, usize) -> io::Result<T>,
    ) -> io::Result<T> {
        let mut state = self.0.lock().unwrap();
        let n = state.calls;
        state.calls += 1;
        let line = format!("{name} {} ", path.display());
        let is_lie = state.lie_at == Some(n)
            || state.lies.as_ref().is_some_and(|lies| line.starts_with(lies));
        state.journal.push(line);
        match state.fault {
            _ if is_lie => change(&mut state, 0),
            Some((at, fault)) if at == n => {
                let halves = match fault {
                    Fault::Lost | Fault::Full | Fault::Forgotten | Fault::Stopped => 0,
                    Fault::Torn => 1,
                    Fault::Kept => 2,
                };
                let _ = change(&mut state, halves);
                Err(match fault {
                    Fault::Full => io::Error::from(io::ErrorKind::StorageFull),
                    _ => io::Error::from_raw_os_error(EIO),
                })
            }
            Some((at, Fault::Stopped)) if at < n => {
                Err(io::Error::other("the machine has stopped"))
            }
            _ => change(&mut state, 2),
        }
    }
}

fn missing() -> io::Error {
    io::Error::from(io::ErrorKind::NotFound)
}

impl Storage for Memory {
    fn create_folder(&self, path: &Path) -> io::Result<()> {
        self.call("create folder", path, |state, halves| {
            if halves == 2 {
                state.names.insert(path.to_owned(), Entry::Folder);
            }
            Ok(())
        })
    }

    fn list(&self, path: &Path) -> io::Result<Vec<String>> {
        let state = self.0.lock().unwrap();
        match state.names.get(path) {
            Some(Entry::Folder) => {}
            Some(Entry::File(_)) => return Err(io::Error::from(io::ErrorKind::NotADirectory)),
            None => return Err(missing()),
        }
        let within = state.names.keys().filter(|name| name.parent() == Some(path));
        Ok(within.map(|name| name.file_name().unwrap().to_str().unwrap().to_owned()).collect())
    }

    fn open(&self, path: &Path, access: Access) -> io::Result<Box<dyn StoredFile>> {
        let open = |id| -> Box<dyn StoredFile> {
            Box::new(Opened { memory: self.clone(), id, path: path.to_owned() })
        };
        if matches!(access, Access::Read | Access::Write) {
            return match self.0.lock().unwrap().names.get(path) {
                Some(Entry::File(id)) => Ok(open(*id)),
                _ => Err(missing()),
            };
        }
        self.call("create", path, |state, halves| {
            if state.names.contains_key(path) {
                return Err(io::Error::from(io::ErrorKind::AlreadyExists));
            }
            let id = state.files.len();
            if halves == 2 {
                state.files.push(Stored::default());
                state.names.insert(path.to_owned(), Entry::File(id));
            }
            Ok(open(id))
        })
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        self.call("rename", from, |state, halves| {
            if halves == 2 {
                let entry = state.names.remove(from).ok_or_else(missing)?;
                state.names.insert(to.to_owned(), entry);
            }
            Ok(())
        })
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        if !self.0.lock().unwrap().names.contains_key(path) {
            return Err(missing());
        }
        self.call("remove", path, |state, halves| {
            if halves == 2 {
                state.names.remove(path);
            }
            Ok(())
        })
    }

    fn sync_folder(&self, path: &Path) -> io::Result<()> {
        self.call("sync folder", path, |state, halves| {
            if halves == 2 {
                let is_within = |name: &PathBuf| name.parent() == Some(path);
                let State { names, synced_names, .. } = state;
                synced_names.retain(|name, _| !is_within(name));
                let within = names.iter().filter(|(name, _)| is_within(name));
                synced_names.extend(within.map(|(name, entry)| (name.clone(), *entry)));
            }
            Ok(())
        })
    }

    fn lock(&self, path: &Path, shared: bool) -> io::Result<Option<Lock>> {
        let mut state = self.0.lock().unwrap();
        if state.locked.contains(path) {
            return Ok(None);
        }
        if shared {
            return Ok(Some(Box::new(())));
        }
        state.locked.insert(path.to_owned());
        Ok(Some(Box::new(Held { memory: self.clone(), path: path.to_owned() })))
    }

    fn derived(&self, _store: &Path) -> Option<PathBuf> {
        self.0.lock().unwrap().derived.clone()
    }
}

struct Held {
    memory: Memory,
    path: PathBuf,
}

impl Drop for Held {
    fn drop(&mut self) {
        self.memory.0.lock().unwrap().locked.remove(&self.path);
    }
}

struct Opened {
    memory: Memory,
    id: usize,
    path: PathBuf,
}

impl Opened {
    fn change(&self, name: &str, change: impl FnOnce(usize) -> Option<Change>) -> io::Result<()> {
        self.memory.call(name, &self.path, |state, halves| {
            if let Some(change) = change(halves) {
                let call = state.calls;
                let file = &mut state.files[self.id];
                change.apply(&mut file.now);
                file.changes.push((call, change));
            }
            Ok(())
        })
    }
}

impl StoredFile for Opened {
    fn length(&self) -> io::Result<u64> {
        Ok(self.memory.0.lock().unwrap().files[self.id].now.len() as u64)
    }

    fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
        let state = self.memory.0.lock().unwrap();
        let bytes = &state.files[self.id].now;
        let from = usize::try_from(offset).unwrap().min(bytes.len());
        let len = buffer.len().min(bytes.len() - from);
        if let Some((path, spoilt)) = &state.unreadable
            && *path == self.path
            && from < spoilt.end
            && spoilt.start < from + len
        {
            return Err(io::Error::from_raw_os_error(EIO));
        }
        buffer[..len].copy_from_slice(&bytes[from..from + len]);
        Ok(len)
    }

    fn write_at(&self, bytes: &[u8], offset: u64) -> io::Result<()> {
        let at = usize::try_from(offset).unwrap();
        let limit = self.memory.0.lock().unwrap().limit;
        if let Some(limit) = limit.filter(|limit| at + bytes.len() > *limit) {
            let fits = bytes[..limit.saturating_sub(at)].to_vec();
            self.change("write", |_| Some(Change::Write(at, fits)))?;
            return Err(io::Error::from(io::ErrorKind::StorageFull));
        }
        self.change("write", |halves| {
            (halves > 0).then(|| Change::Write(at, bytes[..bytes.len() * halves / 2].to_vec()))
        })
    }

    fn set_len(&self, len: u64) -> io::Result<()> {
        let len = usize::try_from(len).unwrap();
        self.change("set length", |halves| (halves == 2).then_some(Change::Len(len)))
    }

    fn sync(&self) -> io::Result<()> {
        self.memory.call("sync", &self.path, |state, halves| {
            let is_forgotten =
                matches!(state.fault, Some((at, Fault::Forgotten)) if at + 1 == state.calls);
            let file = &mut state.files[self.id];
            if is_forgotten {
                file.changes.clear();
            }
            let done = file.changes.len() * halves / 2;
            for (_, change) in file.changes.drain(..done) {
                change.apply(&mut file.synced);
            }
            Ok(())
        })
    }
}
