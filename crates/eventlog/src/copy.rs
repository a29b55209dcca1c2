//! Copies a log that is checked while it is copied: what a backup and a restore both are.
//!
//! `HEAD` comes last and all at once, as in a new store: what a kill leaves before that is no store,
//! and what an error leaves is taken away again.

use std::fs::{self, OpenOptions};
use std::io;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use commitment::{Divergence, End, HEAD, Level, LogCheck, Report, SEGMENT_HEADER, Slot};

use crate::erase::tags;
use crate::files::TRIES;
use crate::folder::{Folder, Found};
use crate::storage::{Access, Disk, Lock, Storage, StoredFile};
use crate::{LogFile, LogFiles, OpenError, ReadError};

/// A copy that is durable.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Copied {
    /// What the copied log is.
    pub report: Report,
    /// Bytes written, of the log and of keys.
    pub bytes: u64,
}

/// Why there is no copy. The target is as it was, as far as the file system lets it be.
#[derive(Debug, thiserror::Error)]
pub enum CopyError {
    /// The log that was to be copied cannot be opened or read.
    #[error(transparent)]
    Source(OpenError),
    /// It is not as it was written.
    #[error("the log is damaged: {0}")]
    Corrupt(Box<Divergence>),
    /// Something is in the target's place. Nothing was written.
    #[error("{path}: {what}", path = path.display())]
    Taken {
        /// The target.
        path: PathBuf,
        /// What is there.
        what: &'static str,
    },
    /// The target cannot be written.
    #[error(transparent)]
    Target(OpenError),
}

impl From<ReadError> for CopyError {
    fn from(error: ReadError) -> CopyError {
        CopyError::Source(error.into())
    }
}

impl From<Box<Divergence>> for CopyError {
    fn from(divergence: Box<Divergence>) -> CopyError {
        CopyError::Corrupt(divergence)
    }
}

/// Copies the log and the keys of the store `from` into `to`, a folder that is missing or empty. A
/// writer may be at work: the copy is the log up to what is durable now. `on_bytes` hears of each
/// piece.
///
/// # Errors
/// [`CopyError`]
pub fn copy_store(
    from: &Path,
    to: &Path,
    level: Level,
    on_bytes: &mut dyn FnMut(u64),
) -> Result<Copied, CopyError> {
    copy_store_on(&(Arc::new(Disk) as Arc<dyn Storage>), from, to, level, on_bytes)
}

/// The same on another storage. Keys are of the real disk alone.
///
/// # Errors
/// [`CopyError`]
pub fn copy_store_on(
    storage: &Arc<dyn Storage>,
    from: &Path,
    to: &Path,
    level: Level,
    on_bytes: &mut dyn FnMut(u64),
) -> Result<Copied, CopyError> {
    // What cannot be read must not leave an empty folder behind.
    LogFiles::open_on(Arc::clone(storage), from).map_err(CopyError::Source)?;
    let mut target = Target::begin(Arc::clone(storage), to)?;
    let copied = target.fill(from, level, on_bytes);
    if copied.is_err() {
        target.undo();
    }
    copied
}

/// A folder that becomes a store.
struct Target {
    folder: Folder,
    /// Whether the folder itself was made here.
    is_new: bool,
    /// The files that were made, but for the lock.
    made: Vec<PathBuf>,
    bytes: u64,
    _lock: Lock,
}

impl Target {
    /// Takes a folder that is missing or empty. It is locked, so that no writer begins a log in it.
    fn begin(storage: Arc<dyn Storage>, to: &Path) -> Result<Target, CopyError> {
        let folder = Folder::new(storage, to);
        let is_new = match folder.storage.list(to) {
            Ok(names) if names.is_empty() => false,
            Ok(_) => {
                let what = match folder.look() {
                    Ok(Found::Store(_)) => "there is a store here",
                    Ok(Found::Headless) => "there is a store here that is damaged or unfinished",
                    _ => "it is not empty",
                };
                return Err(CopyError::Taken { path: to.to_owned(), what });
            }
            Err(e) if e.kind() == io::ErrorKind::NotFound => true,
            Err(e) if e.kind() == io::ErrorKind::NotADirectory => {
                return Err(CopyError::Taken { path: to.to_owned(), what: "it is a file" });
            }
            Err(e) => return Err(CopyError::Target(OpenError::io("look into the folder", to)(e))),
        };
        let make = |path: &Path| {
            let made = folder.storage.create_folder(path);
            made.map_err(|e| CopyError::Target(OpenError::io("make the folder", path)(e)))
        };
        if is_new {
            make(to)?;
        }
        let lock = folder.lock().map_err(CopyError::Target)?;
        make(&folder.log())?;
        Ok(Target { folder, is_new, made: Vec::new(), bytes: 0, _lock: lock })
    }

    fn fill(
        &mut self,
        from: &Path,
        level: Level,
        on_bytes: &mut dyn FnMut(u64),
    ) -> Result<Copied, CopyError> {
        for _ in 0..TRIES {
            let storage = Arc::clone(&self.folder.storage);
            let files = LogFiles::open_on(storage, from).map_err(CopyError::Source)?;
            match self.log(&files, level, on_bytes) {
                Ok((report, end)) => {
                    self.keys(&from.join("keys"), &self.folder.root.join("keys"))?;
                    self.end(&end, report.events).map_err(CopyError::Target)?;
                    return Ok(Copied { report, bytes: self.bytes });
                }
                // It was changed meanwhile.
                Err(CopyError::Corrupt(_)) if files.has_changed() => self.remove_files(),
                Err(error) => return Err(error),
            }
        }
        Err(ReadError::Erasing { path: from.join("log") }.into())
    }

    /// Copies and checks the segments; each is synced.
    fn log(
        &mut self,
        files: &LogFiles,
        level: Level,
        on_bytes: &mut dyn FnMut(u64),
    ) -> Result<(Report, End), CopyError> {
        let mut check = LogCheck::new(level, files.head())?;
        let mut last: Option<Written> = None;
        let mut before_last = 0;
        for file in files.files() {
            check.file(&file.name)?;
            if let Some(written) = last.take() {
                written.sync(written.len)?;
                before_last = written.len;
            }
            last = Some(self.segment(files, file, &mut check, on_bytes)?);
        }
        let (report, mut end) = check.conclude()?;
        let last = last.expect("the end that HEAD names was met, and it is in a segment");
        if end.offset < SEGMENT_HEADER as u64 {
            // Begun and not even its header written: the log ends with the segment before.
            self.bytes -= last.len;
            (end.segment, end.offset) = (end.segment - 1, before_last);
            self.remove(&last.path);
        } else {
            // A torn end is nobody's.
            self.bytes -= last.len - end.offset;
            last.sync(end.offset)?;
        }
        Ok((report, end))
    }

    fn segment(
        &mut self,
        files: &LogFiles,
        file: &LogFile,
        check: &mut LogCheck,
        on_bytes: &mut dyn FnMut(u64),
    ) -> Result<Written, CopyError> {
        let path = self.folder.log().join(&file.name);
        let out = self.folder.storage.open(&path, Access::Create);
        let out = out.map_err(|e| CopyError::Target(OpenError::io("make the file", &path)(e)))?;
        self.made.push(path.clone());
        let mut len = 0;
        files.read::<CopyError>(file, |piece| {
            check.feed(piece, &mut |_| {})?;
            let written = out.write_at(piece, len);
            written.map_err(|e| CopyError::Target(OpenError::io("write", &path)(e)))?;
            len += piece.len() as u64;
            on_bytes(piece.len() as u64);
            Ok(())
        })?;
        self.bytes += len;
        Ok(Written { path, file: out, len })
    }

    /// Copies keys, and what folders they lie in, with who may read them.
    fn keys(&mut self, from: &Path, to: &Path) -> Result<(), CopyError> {
        let source = |action, path: &Path| {
            let path = path.to_owned();
            move |e| CopyError::Source(OpenError::io(action, &path)(e))
        };
        let target = |action, path: &Path| {
            let path = path.to_owned();
            move |e| CopyError::Target(OpenError::io(action, &path)(e))
        };
        let entries = match fs::read_dir(from) {
            Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(()),
            entries => entries.map_err(source("look into the folder", from))?,
        };
        fs::create_dir(to).map_err(target("make the folder", to))?;
        self.made.push(to.to_owned());
        for entry in entries {
            let path = entry.map_err(source("look into the folder", from))?.path();
            let name = path.file_name().expect("of an entry");
            // By what erased events are told when they come again: it is for no other place than this one.
            if self.folder.root.join("keys") == to && name == tags::FILE {
                continue;
            }
            let to = to.join(name);
            let metadata = fs::metadata(&path).map_err(source("look at", &path))?;
            if metadata.is_dir() && !path.is_symlink() {
                self.keys(&path, &to)?;
                continue;
            }
            let bytes = fs::read(&path).map_err(source("read", &path))?;
            let mut options = OpenOptions::new();
            // Nobody else's to read, not even for a moment.
            let file = options.write(true).create_new(true).mode(0o600).open(&to);
            let file = file.map_err(target("make the file", &to))?;
            self.made.push(to.clone());
            let written = StoredFile::write_at(&file, &bytes, 0)
                .and_then(|()| file.set_permissions(metadata.permissions()))
                .and_then(|()| file.sync_all());
            written.map_err(target("write", &to))?;
            self.bytes += bytes.len() as u64;
        }
        self.folder.sync_folder(to).map_err(CopyError::Target)
    }

    /// Writes `HEAD`: from here on it is a store.
    fn end(&mut self, end: &End, events: u64) -> Result<(), OpenError> {
        let log = self.folder.log();
        let tmp = log.join("HEAD.tmp");
        let mut head = Vec::with_capacity(HEAD);
        for sequence in 0..2 {
            let (segment, offset, checksum) = (end.segment, end.offset, end.checksum);
            let store = end.store;
            let slot = Slot { store, sequence, shut: true, segment, offset, events, checksum };
            head.extend_from_slice(&slot.encode());
        }
        self.made.push(tmp.clone());
        self.folder.write_new(&tmp, &head)?;
        self.folder.sync_folder(&log)?;
        // A rename that failed may have happened.
        self.made.push(self.folder.head());
        let renamed = self.folder.storage.rename(&tmp, &self.folder.head());
        renamed.map_err(OpenError::io("rename", &tmp))?;
        self.bytes += HEAD as u64;
        self.folder.sync_names()
    }

    fn remove(&self, path: &Path) {
        // What cannot be taken away is no store without `HEAD`.
        let _ = self.folder.storage.remove(path);
    }

    fn remove_files(&mut self) {
        // `HEAD` first, durably: a store without its segments would be a damaged one.
        if self.made.contains(&self.folder.head()) {
            self.remove(&self.folder.head());
            let _ = self.folder.sync_folder(&self.folder.log());
        }
        // Folders after what is in them.
        for path in std::mem::take(&mut self.made).iter().rev() {
            self.remove(path);
            let _ = fs::remove_dir(path);
        }
        self.bytes = 0;
    }

    /// Takes away all that was made.
    fn undo(&mut self) {
        self.remove_files();
        self.remove(&self.folder.root.join("lock"));
        let _ = fs::remove_dir(self.folder.log());
        if self.is_new {
            let _ = fs::remove_dir(&self.folder.root);
        }
    }
}

/// A segment that was copied and is not synced.
struct Written {
    path: PathBuf,
    file: Box<dyn StoredFile>,
    len: u64,
}

impl Written {
    /// Cuts it to this length and makes it durable.
    fn sync(&self, len: u64) -> Result<(), CopyError> {
        let cut = if len < self.len { self.file.set_len(len) } else { Ok(()) };
        cut.and_then(|()| self.file.sync())
            .map_err(|e| CopyError::Target(OpenError::io("sync", &self.path)(e)))
    }
}
