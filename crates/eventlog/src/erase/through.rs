//! Reads a store through the images of an erasure that is not carried out to its end: as it will be.
//!
//! Only where the record is in the log: before that the log is as it was, and nothing else is true of it. An erasure that
//! begins while a reader is at work is seen as soon as its record is there, so no reader meets half of one. As long as there is one,
//! or if there was when the folder was opened, what is derived may hold what is erased, so it is made anew from the log, in memory.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use commitment::{Slot, segment_number};

use super::redo::{Mark, REDO, Redo};
use crate::OpenError;
use crate::files::TRIES;
use crate::folder::Folder;
use crate::storage::{Access, Lock, Storage, StoredFile};

/// The folder as readers see it, whether or not there is an erasure now.
///
/// # Errors
/// [`OpenError::Io`]
pub(crate) fn through(folder: Folder) -> Result<Folder, OpenError> {
    let under = Under { log: folder.log(), folder, last: Mutex::new(None) };
    let first = under.last().map_err(OpenError::io("read", &under.log.join(REDO)))?;
    let is_cut = first.as_ref().is_some_and(|seen| seen.head.is_some());
    let (root, under) = (under.folder.root.clone(), Arc::new(under));
    let first = first.map(|seen| seen.mark);
    Ok(Folder { storage: Arc::new(Through { under, first, is_cut }), root })
}

struct Through {
    under: Arc<Under>,
    /// The journal that was there when it was opened.
    first: Option<Mark>,
    /// Whether its record was in the log then.
    is_cut: bool,
}

/// What is under it.
struct Under {
    folder: Folder,
    log: PathBuf,
    /// The journal that was there when it was last looked for.
    last: Mutex<Option<Seen>>,
}

/// A journal.
#[derive(Clone)]
struct Seen {
    mark: Mark,
    redo: Arc<Redo>,
    /// `HEAD` as it will be, once the record is in the log: until then nothing is written over.
    head: Option<Vec<u8>>,
}

/// One whose record is in the log.
struct Writing {
    mark: Mark,
    redo: Arc<Redo>,
    head: Vec<u8>,
}

impl Under {
    /// The journal that is there now.
    fn last(&self) -> io::Result<Option<Seen>> {
        let Some(mark) = Mark::read(&self.folder)? else { return Ok(None) };
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        if last.as_ref().is_none_or(|seen| seen.mark != mark) {
            let redo = Redo::read(&self.folder).map_err(io::Error::other)?;
            *last = redo.map(|redo| Seen { mark, redo: Arc::new(redo), head: None });
        }
        if let Some(seen) = &mut *last
            && seen.head.is_none()
        {
            seen.head = head_of(&seen.redo, &self.folder).map_err(io::Error::other)?;
        }
        Ok(last.clone())
    }

    /// The one that is written over the log now.
    fn now(&self) -> io::Result<Option<Writing>> {
        let now = |Seen { mark, redo, head }| Some(Writing { mark, redo, head: head? });
        Ok(self.last()?.and_then(now))
    }

    fn inner(&self) -> &dyn Storage {
        &*self.folder.storage
    }
}

/// Of the two slots one may still name an end whose batch is about to be written over.
fn head_of(redo: &Redo, folder: &Folder) -> Result<Option<Vec<u8>>, OpenError> {
    let slot = |end: crate::head_file::Durable, sequence| Slot {
        store: redo.store,
        sequence,
        shut: false,
        segment: end.segment,
        offset: end.offset,
        events: end.events,
        checksum: end.checksum,
    };
    let end = redo.recorded(folder)?.map(|(_, _, end)| end);
    Ok(end.map(|end| [slot(end, 0).encode(), slot(end, 1).encode()].concat()))
}

impl Storage for Through {
    fn create_folder(&self, path: &Path) -> io::Result<()> {
        self.under.inner().create_folder(path)
    }

    fn list(&self, path: &Path) -> io::Result<Vec<String>> {
        let mut names = self.under.inner().list(path)?;
        names.retain(|name| path != self.under.log || name != REDO);
        Ok(names)
    }

    fn open(&self, path: &Path, access: Access) -> io::Result<Box<dyn StoredFile>> {
        let under = &self.under;
        let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        if path.parent() != Some(&under.log) || access != Access::Read {
            return under.inner().open(path, access);
        }
        match segment_number(name) {
            // What one explains that was seen through from the beginning is nothing.
            _ if name == REDO => match under.last()? {
                Some(seen) if Some(seen.mark) != self.first => under.inner().open(path, access),
                _ => Err(io::ErrorKind::NotFound.into()),
            },
            _ if name == "HEAD" => match under.now()? {
                Some(Writing { head, .. }) => Ok(Box::new(Held(head))),
                None => under.inner().open(path, access),
            },
            Some(segment) => {
                let inner = under.inner().open(path, access)?;
                Ok(Box::new(Patched { inner, under: Arc::clone(under), segment }))
            }
            None => under.inner().open(path, access),
        }
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        self.under.inner().rename(from, to)
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        self.under.inner().remove(path)
    }

    fn sync_folder(&self, path: &Path) -> io::Result<()> {
        self.under.inner().sync_folder(path)
    }

    fn lock(&self, path: &Path, shared: bool) -> io::Result<Option<Lock>> {
        self.under.inner().lock(path, shared)
    }

    fn derived(&self, store: &Path) -> Option<PathBuf> {
        // While one is under way it may hold what `HEAD` says is gone.
        let is_whole = !self.is_cut && matches!(self.under.now(), Ok(None));
        if is_whole { self.under.inner().derived(store) } else { None }
    }
}

/// A segment as it will be.
struct Patched {
    inner: Box<dyn StoredFile>,
    under: Arc<Under>,
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
        // One that is there before and after a read was there at it.
        let mut before = self.under.now()?;
        for _ in 0..TRIES {
            let read = self.inner.read_at(buffer, offset)?;
            let after = self.under.now()?;
            let mark = |seen: &Option<Writing>| seen.as_ref().map(|seen| seen.mark);
            if mark(&before) == mark(&after) {
                if let Some(Writing { redo, .. }) = after {
                    redo.patch(self.segment, offset, &mut buffer[..read]);
                }
                return Ok(read);
            }
            before = after;
        }
        Err(io::Error::new(io::ErrorKind::WouldBlock, "one erasure comes after the other"))
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
