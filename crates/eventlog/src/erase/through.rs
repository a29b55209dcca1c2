//! Reads a store through the images of an erasure that is not carried out to its end: as it will be.
//!
//! Only where the record is in the log: before that the log is as it was, and nothing else is true of it. What is derived
//! may hold what is erased, so it is made anew from the log, in memory.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use commitment::{Slot, segment_number};

use super::redo::{REDO, Redo};
use crate::OpenError;
use crate::folder::Folder;
use crate::storage::{Access, Lock, Storage, StoredFile};

/// The folder as it is, or through the images of an erasure.
///
/// # Errors
/// [`OpenError::Io`]
pub(crate) fn through(folder: Folder) -> Result<Folder, OpenError> {
    let Some(redo) = Redo::read(&folder)? else { return Ok(folder) };
    let Some((_, _, end)) = redo.recorded(&folder)? else { return Ok(folder) };
    // Of the two slots one may still name an end whose batch is about to be written over.
    let slot = |sequence| Slot {
        store: redo.store,
        sequence,
        shut: false,
        segment: end.segment,
        offset: end.offset,
        events: end.events,
        checksum: end.checksum,
    };
    let head = [slot(0).encode(), slot(1).encode()].concat();
    let (inner, log) = (Arc::clone(&folder.storage), folder.log());
    let through = Through { inner, log, redo: Arc::new(redo), head };
    Ok(Folder { storage: Arc::new(through), ..folder })
}

struct Through {
    inner: Arc<dyn Storage>,
    log: PathBuf,
    redo: Arc<Redo>,
    head: Vec<u8>,
}

impl Through {
    /// Whether the erasure is not carried out to its end still.
    fn is_under_way(&self) -> io::Result<bool> {
        let begins = self.redo.begins();
        let mut found = vec![0; begins.len()];
        let read = self.inner.open(&self.log.join(REDO), Access::Read);
        match read.and_then(|file| file.read_at(&mut found, 0)) {
            Ok(_) => Ok(found == begins),
            Err(e) if e.kind() == io::ErrorKind::NotFound => Ok(false),
            Err(e) => Err(e),
        }
    }
}

impl Storage for Through {
    fn create_folder(&self, path: &Path) -> io::Result<()> {
        self.inner.create_folder(path)
    }

    fn list(&self, path: &Path) -> io::Result<Vec<String>> {
        let mut names = self.inner.list(path)?;
        names.retain(|name| path != self.log || name != REDO);
        Ok(names)
    }

    fn open(&self, path: &Path, access: Access) -> io::Result<Box<dyn StoredFile>> {
        let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        if path.parent() != Some(&self.log) {
            return self.inner.open(path, access);
        }
        match segment_number(name) {
            _ if name == REDO => Err(io::ErrorKind::NotFound.into()),
            _ if name == "HEAD" && access == Access::Read => Ok(Box::new(Held(self.head.clone()))),
            Some(segment) if access == Access::Read => {
                let (inner, redo) = (self.inner.open(path, access)?, Arc::clone(&self.redo));
                // Asked when the file is open: what has been carried out by then is in it, or it is shrunk already.
                match self.is_under_way()? {
                    true => Ok(Box::new(Patched { inner, redo, segment })),
                    false => Ok(inner),
                }
            }
            _ => self.inner.open(path, access),
        }
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        self.inner.rename(from, to)
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        self.inner.remove(path)
    }

    fn sync_folder(&self, path: &Path) -> io::Result<()> {
        self.inner.sync_folder(path)
    }

    fn lock(&self, path: &Path, shared: bool) -> io::Result<Option<Lock>> {
        self.inner.lock(path, shared)
    }

    fn derived(&self, _store: &Path) -> Option<PathBuf> {
        None
    }
}

/// A segment as it will be.
struct Patched {
    inner: Box<dyn StoredFile>,
    redo: Arc<Redo>,
    segment: u64,
}

/// A file that is in memory alone.
struct Held(Vec<u8>);

fn only_read<T>() -> io::Result<T> {
    Err(io::Error::new(io::ErrorKind::ReadOnlyFilesystem, "it was opened to be read"))
}

impl StoredFile for Patched {
    fn length(&self) -> io::Result<u64> {
        self.inner.length()
    }

    fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
        let read = self.inner.read_at(buffer, offset)?;
        self.redo.patch(self.segment, offset, &mut buffer[..read]);
        Ok(read)
    }

    fn write_at(&self, _: &[u8], _: u64) -> io::Result<()> {
        only_read()
    }

    fn set_len(&self, _: u64) -> io::Result<()> {
        only_read()
    }

    fn sync(&self) -> io::Result<()> {
        Ok(())
    }
}

impl StoredFile for Held {
    fn length(&self) -> io::Result<u64> {
        Ok(self.0.len() as u64)
    }

    fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
        let from = usize::try_from(offset).unwrap_or(usize::MAX).min(self.0.len());
        let len = buffer.len().min(self.0.len() - from);
        buffer[..len].copy_from_slice(&self.0[from..from + len]);
        Ok(len)
    }

    fn write_at(&self, _: &[u8], _: u64) -> io::Result<()> {
        only_read()
    }

    fn set_len(&self, _: u64) -> io::Result<()> {
        only_read()
    }

    fn sync(&self) -> io::Result<()> {
        Ok(())
    }
}
