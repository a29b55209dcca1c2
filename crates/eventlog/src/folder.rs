//! A store's folder: what is in it, whether it is one, and making a new one.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use commitment::{
    FORMAT, HEAD, Head, SEGMENT_HEADER, SegmentHeader, Slot, format_version, segment_name,
    segment_number,
};

use crate::OpenError;
use crate::erase::shrink::is_left;
use crate::storage::{Access, Lock, Storage, StoredFile};

/// The folder of a store, on some storage.
#[derive(Clone)]
pub(crate) struct Folder {
    pub(crate) storage: Arc<dyn Storage>,
    pub(crate) root: PathBuf,
}

/// What a folder is.
pub(crate) enum Found {
    /// A store. These are the bytes of `HEAD`.
    Store(Vec<u8>),
    /// What only a log leaves, without its `HEAD`: segments that hold events, derived files.
    Headless,
    /// A folder in which a store can be made: empty, or with a creation that was cut short.
    Vacant,
    /// Nothing.
    Missing,
}

impl Folder {
    pub(crate) fn new(storage: Arc<dyn Storage>, root: &Path) -> Folder {
        Folder { storage, root: root.to_owned() }
    }

    /// `log/`.
    pub(crate) fn log(&self) -> PathBuf {
        self.root.join("log")
    }

    /// `log/HEAD`.
    pub(crate) fn head(&self) -> PathBuf {
        self.log().join("HEAD")
    }

    /// A segment's file.
    pub(crate) fn segment(&self, segment: u64) -> PathBuf {
        self.log().join(segment_name(segment))
    }

    /// Where the derived files lie, or a place where there is nothing.
    pub(crate) fn derived(&self) -> (PathBuf, bool) {
        match self.storage.derived(&self.root) {
            Some(path) => (path, true),
            // Not `derived`, which is there where a store is read through an erasure that was cut short.
            None => (self.root.join("derived.none"), false),
        }
    }

    /// Looks at the folder.
    ///
    /// # Errors
    /// [`OpenError::Foreign`] if it is something else's, [`OpenError::Future`], [`OpenError::Io`].
    pub(crate) fn look(&self) -> Result<Found, OpenError> {
        let names = match self.storage.list(&self.root) {
            Ok(names) => names,
            Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(Found::Missing),
            Err(e) if e.kind() == io::ErrorKind::NotADirectory => {
                return Err(self.foreign("it is a file"));
            }
            Err(e) => return Err(OpenError::io("look into the folder", &self.root)(e)),
        };
        let ours = ["log", "keys", "tlog", "derived", "lock", "cut"];
        let other = names.iter().find(|name| !ours.contains(&name.as_str()));
        let log = match self.storage.list(&self.log()) {
            Ok(log) => log,
            Err(e) if e.kind() == io::ErrorKind::NotFound => Vec::new(),
            Err(e) if e.kind() == io::ErrorKind::NotADirectory => {
                return Err(self.foreign("its log is a file, not a folder"));
            }
            Err(e) => return Err(OpenError::io("look into the folder", &self.log())(e)),
        };
        if log.iter().any(|name| name == "HEAD") {
            let bytes = self.read(&self.head(), 2 * HEAD)?;
            self.check_head(&bytes)?;
            return Ok(Found::Store(bytes));
        }
        let mut is_begun = false;
        for name in &log {
            let path = self.log().join(name);
            if name == "HEAD.tmp" || is_left(name) {
                continue;
            }
            if segment_number(name).is_none() {
                return Err(self.foreign(&format!("it holds log/{name}")));
            }
            let bytes = self.read(&path, SEGMENT_HEADER + 1)?;
            self.check_version(&bytes, &path)?;
            is_begun |= name != &segment_name(0) || bytes.len() > SEGMENT_HEADER;
        }
        let has = |folder: &str| {
            let names = names.iter().any(|name| name == folder);
            names && self.storage.list(&self.root.join(folder)).is_ok_and(|names| !names.is_empty())
        };
        match other {
            _ if is_begun || has("derived") || has("cut") => Ok(Found::Headless),
            Some(other) => Err(self.foreign(&format!("it holds {other}, and no log"))),
            None => Ok(Found::Vacant),
        }
    }

    /// The same of a store that may be written to: a writer may be in the middle of a slot, so it is
    /// given some more tries.
    pub(crate) fn look_patiently(&self, is_written: bool) -> Result<Found, OpenError> {
        let is_sound = |bytes: &[u8]| Head::decode(bytes).is_ok_and(|head| head.check().is_ok());
        let mut found = self.look();
        for _ in 0..if is_written { 20 } else { 0 } {
            match &found {
                Ok(Found::Store(bytes)) if !is_sound(bytes) => {}
                _ => break,
            }
            std::thread::yield_now();
            found = self.look();
        }
        found
    }

    /// Refuses a `HEAD` that is not one of a store, or from the future. One that is damaged passes.
    fn check_head(&self, bytes: &[u8]) -> Result<(), OpenError> {
        if Head::decode(bytes).is_ok() {
            return Ok(());
        }
        let second = bytes.get(HEAD / 2..).unwrap_or_default();
        self.check_version(bytes, &self.head())?;
        self.check_version(second, &self.head())?;
        match format_version(bytes).or_else(|| format_version(second)) {
            Some(_) => Ok(()),
            None if self.storage.open(&self.segment(0), Access::Read).is_ok() => Ok(()),
            None => Err(self.foreign("its log/HEAD is not one")),
        }
    }

    fn check_version(&self, bytes: &[u8], path: &Path) -> Result<(), OpenError> {
        match format_version(bytes) {
            // A number beyond all versions is damage, and is found as such.
            Some(found) if found > FORMAT && found < 1 << 16 => {
                Err(OpenError::Future { path: path.to_owned(), found, known: FORMAT })
            }
            _ => Ok(()),
        }
    }

    fn foreign(&self, what: &str) -> OpenError {
        OpenError::Foreign { path: self.root.clone(), what: what.to_owned() }
    }

    /// The first bytes of a file, at most `most`.
    pub(crate) fn read(&self, path: &Path, most: usize) -> Result<Vec<u8>, OpenError> {
        let read = |file: Box<dyn StoredFile>| {
            let mut bytes = vec![0; most];
            let len = file.read_at(&mut bytes, 0)?;
            bytes.truncate(len);
            Ok(bytes)
        };
        self.storage.open(path, Access::Read).and_then(read).map_err(OpenError::io("read", path))
    }

    /// The header of a segment, if it is sound; the fault in it if not.
    pub(crate) fn segment_header(
        &self,
        segment: u64,
    ) -> Result<Result<SegmentHeader, commitment::Fault>, OpenError> {
        let path = self.segment(segment);
        let bytes = self.read(&path, SEGMENT_HEADER)?;
        self.check_version(&bytes, &path)?;
        let padded: [u8; SEGMENT_HEADER] =
            std::array::from_fn(|n| bytes.get(n).copied().unwrap_or(0));
        Ok(SegmentHeader::decode(&padded).map(|(header, _)| header))
    }

    /// Takes the writer's lock. A reader may hold it for a moment, so one is waited for.
    pub(crate) fn lock(&self) -> Result<Lock, OpenError> {
        let path = self.root.join("lock");
        for _ in 0..25 {
            match self.storage.lock(&path, false) {
                Ok(Some(lock)) => return Ok(lock),
                Ok(None) => std::thread::sleep(std::time::Duration::from_millis(10)),
                Err(e) => return Err(OpenError::io("lock", &path)(e)),
            }
        }
        Err(OpenError::Locked { path })
    }

    /// Whether a writer is at work now.
    pub(crate) fn is_written(&self) -> bool {
        // Where the file cannot be opened there is no writer, or none that could be told.
        matches!(self.storage.lock(&self.root.join("lock"), true), Ok(None))
    }

    /// Looks at the log's files by `look`, which is told whether a writer is at work; once more if one
    /// came in between, who may have written behind the end that `HEAD` named.
    pub(crate) fn while_still<T>(
        &self,
        look: impl Fn(bool) -> Result<T, OpenError>,
    ) -> Result<T, OpenError> {
        let head = || self.read(&self.head(), 2 * HEAD).ok();
        loop {
            let (is_written, before) = (self.is_written(), head());
            let found = look(is_written)?;
            if is_written || head() == before {
                return Ok(found);
            }
        }
    }

    /// Makes a new store in a vacant folder. `HEAD` comes last and all at once: until then it is
    /// no store, and what a crash leaves is swept away here.
    ///
    /// # Errors
    /// [`OpenError::Io`]
    pub(crate) fn create(&self, id: [u8; 16], clock_ms: i64) -> Result<Vec<u8>, OpenError> {
        let (storage, log) = (&self.storage, self.log());
        storage.create_folder(&log).map_err(OpenError::io("make the folder", &log))?;
        let tmp = log.join("HEAD.tmp");
        self.remove(&self.segment(0))?;
        self.remove(&tmp)?;
        let header = SegmentHeader {
            store: id,
            segment: 0,
            first_position: 0,
            pages: 0,
            accounts: 0,
            clock_ms,
            before: [0; 16],
            predecessor: [0; 32],
        }
        .encode();
        self.write_new(&self.segment(0), &header)?;
        let mut head = Vec::with_capacity(HEAD);
        for sequence in 0..2 {
            let checksum = header[128..144].try_into().expect("16 bytes");
            let offset = SEGMENT_HEADER as u64;
            let slot =
                Slot { store: id, sequence, shut: true, segment: 0, offset, events: 0, checksum };
            head.extend_from_slice(&slot.encode());
        }
        self.write_new(&tmp, &head)?;
        // Else loss of power could keep HEAD's name and not the segment's.
        self.sync_folder(&log)?;
        storage.rename(&tmp, &self.head()).map_err(OpenError::io("rename", &tmp))?;
        self.sync_names()?;
        Ok(head)
    }

    /// Makes the names of the log's files durable, and of the folders that they lie in: those that
    /// this process made, and those of one that was killed before it came to that.
    pub(crate) fn sync_names(&self) -> Result<(), OpenError> {
        self.sync_folder(&self.log())?;
        self.sync_folder(&self.root)?;
        let parent = self.root.parent().unwrap_or(&self.root);
        let parent = if parent.as_os_str().is_empty() { Path::new(".") } else { parent };
        match self.storage.sync_folder(parent) {
            // Who may not look into a folder cannot sync it either, nor has made anything in it.
            Err(e) if e.kind() == io::ErrorKind::PermissionDenied => {}
            synced => synced.map_err(OpenError::io("sync the folder", parent))?,
        }
        Ok(())
    }

    /// Takes away what a crash may have left of a `HEAD` that was being made, or of a segment that was being shrunk.
    pub(crate) fn sweep(&self) -> Result<(), OpenError> {
        let log = self.log();
        let names = self.storage.list(&log).map_err(OpenError::io("look into the folder", &log))?;
        let mut is_there = false;
        for name in names.iter().filter(|name| *name == "HEAD.tmp" || is_left(name)) {
            is_there |= self.remove(&log.join(name))?;
        }
        if is_there { self.sync_folder(&log) } else { Ok(()) }
    }

    /// Takes a file away; says whether there was one.
    pub(crate) fn remove(&self, path: &Path) -> Result<bool, OpenError> {
        match self.storage.remove(path) {
            Ok(()) => Ok(true),
            Err(e) if e.kind() == io::ErrorKind::NotFound => Ok(false),
            Err(e) => Err(OpenError::io("remove what a crash left,", path)(e)),
        }
    }

    /// Makes a file with these bytes, synced; its name is not durable yet.
    pub(crate) fn write_new(&self, path: &Path, bytes: &[u8]) -> Result<(), OpenError> {
        let file = self
            .storage
            .open(path, Access::Create)
            .map_err(OpenError::io("make the file", path))?;
        file.write_at(bytes, 0).map_err(OpenError::io("write", path))?;
        file.sync().map_err(OpenError::io("sync", path))
    }

    pub(crate) fn sync_folder(&self, path: &Path) -> Result<(), OpenError> {
        self.storage.sync_folder(path).map_err(OpenError::io("sync the folder", path))
    }
}
