//! The files of a log as they are, for a check that trusts no code that wrote or reads them.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use commitment::{FRAME_HEADER, Frame, HEAD, Head, SUMMARY, Summary, segment_number};

use crate::batches::Borders;
use crate::erase::redo::Redo;
use crate::erase::shrink::is_shrunk;
use crate::erase::since::is_erased_since;
use crate::erase::through::through;
use crate::folder::{Folder, Found};
use crate::head_file::Durable;
use crate::storage::{Access, Disk, Storage};
use crate::{OpenError, ReadError};

/// A log that is changed while it is looked at is looked at again, so often at most.
pub(crate) const TRIES: usize = 5;

/// A file of the log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogFile {
    /// Its name in the log's folder.
    pub name: String,
    /// How many bytes of it belong to the log now: all, unless a writer is at work.
    pub len: u64,
}

/// The files of a log as they are. Give their bytes to a [`LogCheck`](commitment::LogCheck):
///
/// ```no_run
/// # use stillthere_eventlog as eventlog;
/// use commitment::{Level, LogCheck};
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # type E = Box<dyn std::error::Error>;
/// let files = eventlog::LogFiles::open("stillthere.store".as_ref())?;
/// let mut check = LogCheck::new(Level::Full, files.head())?;
/// for file in files.files() {
///     check.file(&file.name)?;
///     files.read::<E>(file, |bytes| Ok(check.feed(bytes, &mut |event| drop(event))?))?;
/// }
/// println!("{} events", check.finish()?.events);
/// # Ok(())
/// # }
/// ```
pub struct LogFiles {
    folder: Folder,
    stood: Stood,
    files: Vec<LogFile>,
    is_cut_short: bool,
}

/// How a log stood when it was looked at.
#[derive(Debug, Clone)]
pub(crate) struct Stood {
    /// The bytes of `HEAD`; none if it is not there, or cannot be read.
    pub(crate) head: Vec<u8>,
    /// Whether a writer was at work.
    pub(crate) is_written: bool,
}

impl Stood {
    /// Whether what there was of the log, of which these were the segments and their lengths, may be another now: an erasure was
    /// recorded since, a segment was shrunk, or a writer came, who mends what a crash had left. What is only appended changes
    /// nothing, but to a log that was shut.
    pub(crate) fn has_changed<'f>(
        &self,
        folder: &Folder,
        mut segments: impl Iterator<Item = (&'f str, u64)>,
    ) -> bool {
        let length = |name: &str| {
            let opened = folder.storage.open(&folder.log().join(name), Access::Read);
            opened.and_then(|opened| opened.length())
        };
        if segments.any(|(name, len)| length(name).is_ok_and(|now| now < len)) {
            return true;
        }
        let head = folder.read(&folder.head(), 2 * HEAD).unwrap_or_default();
        if head == self.head {
            return !self.is_written && folder.is_written();
        }
        if !self.is_written {
            return true;
        }
        // Of a log that was shut every byte was looked at, and who had it open has begun to write.
        let then = Head::decode(&self.head).map(|head| head.now);
        then.is_ok_and(|then| then.shut || is_erased_since(folder, Durable::of(&then)))
    }
}

impl LogFiles {
    /// Looks at a store's files. A damaged log opens too.
    ///
    /// # Errors
    /// If there is no store here, it is from the future, or the file system says no.
    pub fn open(dir: &Path) -> Result<LogFiles, OpenError> {
        LogFiles::open_on(Arc::new(Disk), dir)
    }

    /// The same on another storage.
    ///
    /// # Errors
    /// As [`LogFiles::open`].
    pub fn open_on(storage: Arc<dyn Storage>, dir: &Path) -> Result<LogFiles, OpenError> {
        let folder = Folder::new(storage, dir);
        folder.while_still(|is_written| {
            let is_cut_short = !is_written && Redo::read(&folder)?.is_some();
            let files = LogFiles::look(through(folder.clone())?, is_written)?;
            Ok(LogFiles { is_cut_short, ..files })
        })
    }

    fn look(folder: Folder, is_written: bool) -> Result<LogFiles, OpenError> {
        let head = look(&folder, is_written)?;
        let now = Head::decode(&head).ok().map(|head| head.now);
        let live = now.filter(|now| is_written && !now.shut);
        let log = folder.log();
        let names =
            folder.storage.list(&log).map_err(OpenError::io("look into the folder", &log))?;
        let mut files = Vec::new();
        // What has no segment's name is not the log's: a file manager's, or a network drive's.
        for name in names.into_iter().filter(|name| segment_number(name).is_some()) {
            let path = log.join(&name);
            let file = folder.storage.open(&path, Access::Read);
            let len = file.and_then(|file| file.length()).map_err(OpenError::io("open", &path))?;
            let len = match (&live, segment_number(&name)) {
                (Some(now), Some(number)) if number > now.segment => continue,
                (Some(now), Some(number)) if number == now.segment => len.min(now.offset),
                _ => len,
            };
            files.push(LogFile { name, len });
        }
        // By number, where 13 digits come behind 12.
        files.sort_by(|a, b| (a.name.len(), &a.name).cmp(&(b.name.len(), &b.name)));
        let stood = Stood { head, is_written };
        Ok(LogFiles { folder, stood, files, is_cut_short: false })
    }

    /// Looks at a store by `look`, which is given its files; again, at files that are opened anew, where that fails and
    /// [they have changed](LogFiles::has_changed) meanwhile.
    ///
    /// # Errors
    /// What `look` says of files that did not change, [`OpenError`], or after some tries [`ReadError::Erasing`].
    pub fn steadily<T, E>(
        dir: &Path,
        mut look: impl FnMut(&LogFiles) -> Result<T, E>,
    ) -> Result<T, E>
    where
        E: From<OpenError> + From<ReadError>,
    {
        for _ in 0..TRIES {
            let files = LogFiles::open(dir)?;
            match look(&files) {
                Err(_) if files.has_changed() => {}
                looked => return looked,
            }
        }
        Err(ReadError::Erasing { path: dir.join("log") }.into())
    }

    /// The bytes of `HEAD`; none if the file is missing.
    #[must_use]
    pub fn head(&self) -> &[u8] {
        &self.stood.head
    }

    /// Whether what there was of the log when it was opened may be another now: an erasure was recorded since, a segment was
    /// shrunk, or a writer came, who mends what a crash had left. Then what seems wrong must be looked at again. What is only appended changes
    /// nothing.
    #[must_use]
    pub fn has_changed(&self) -> bool {
        let segments = self.files.iter().map(|file| (file.name.as_str(), file.len));
        self.stood.has_changed(&self.folder, segments)
    }

    /// Whether there was an erasure that had been cut short, which the next who opens the store to write carries out.
    #[must_use]
    pub fn has_unfinished_erasure(&self) -> bool {
        self.is_cut_short
    }

    /// The segments, in the order of their numbers.
    #[must_use]
    pub fn files(&self) -> &[LogFile] {
        &self.files
    }

    /// The same log as if it ended at a byte of a segment.
    pub(crate) fn up_to(&self, segment: u64, offset: u64) -> LogFiles {
        let of = |file: &LogFile| {
            let number = segment_number(&file.name).filter(|number| *number <= segment)?;
            let len = if number == segment { file.len.min(offset) } else { file.len };
            Some(LogFile { name: file.name.clone(), len })
        };
        let files = self.files.iter().filter_map(of).collect();
        LogFiles { folder: self.folder.clone(), stood: self.stood.clone(), files, ..*self }
    }

    /// Where in a segment the batch ends with which the page before `pages` was closed, and which ended at `offset` when the
    /// segment was not shrunk yet. `None` if it is not shrunk, or has none.
    pub(crate) fn page_end(&self, segment: u64, offset: u64, pages: u64) -> Option<u64> {
        const TRAILER: usize = FRAME_HEADER + SUMMARY;
        if !is_shrunk(&self.folder, segment).ok()? {
            return None;
        }
        let file = self.folder.storage.open(&self.folder.segment(segment), Access::Read).ok()?;
        let is_it = |end: &u64| {
            let mut frame = [0; TRAILER];
            let at = end.checked_sub(TRAILER as u64);
            let read = at.is_some_and(|at| file.read_at(&mut frame, at).is_ok());
            match Frame::read(&frame) {
                Ok((Frame::Trailer(summary), _)) if read => {
                    Summary::decode(summary).is_ok_and(|summary| summary.page + 1 == pages)
                }
                _ => false,
            }
        };
        let mut borders = Borders::of(&self.folder, segment).ok()?;
        let borders = std::iter::from_fn(|| Some(borders.next().ok()??.0));
        std::iter::once(offset).chain(borders).find(is_it)
    }

    pub(crate) fn storage(&self) -> &dyn Storage {
        &*self.folder.storage
    }

    /// Where a file lies.
    pub(crate) fn path(&self, file: &LogFile) -> PathBuf {
        self.folder.log().join(&file.name)
    }

    /// Reads a file from its beginning, in pieces.
    ///
    /// # Errors
    /// What `take` says, or the file system.
    pub fn read<E: From<ReadError>>(
        &self,
        file: &LogFile,
        mut take: impl FnMut(&[u8]) -> Result<(), E>,
    ) -> Result<(), E> {
        let path = self.path(file);
        let open = self.folder.storage.open(&path, Access::Read);
        let open = open.map_err(ReadError::io("open", &path))?;
        let mut piece = vec![0; 1 << 20];
        let mut offset = 0;
        while offset < file.len {
            let most = usize::try_from(file.len - offset).unwrap_or(usize::MAX).min(piece.len());
            let read =
                open.read_at(&mut piece[..most], offset).map_err(ReadError::io("read", &path))?;
            if read == 0 {
                break;
            }
            take(&piece[..read])?;
            offset += read as u64;
        }
        Ok(())
    }
}

/// The bytes of `HEAD`: a little more than there should be, so that a longer one shows.
fn look(folder: &Folder, is_written: bool) -> Result<Vec<u8>, OpenError> {
    match folder.look_patiently(is_written)? {
        Found::Store(head) => Ok(head),
        Found::Headless => Ok(Vec::with_capacity(HEAD)),
        Found::Vacant | Found::Missing => Err(OpenError::Missing { path: folder.root.clone() }),
    }
}
