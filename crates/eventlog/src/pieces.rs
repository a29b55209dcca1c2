//! Reads the files of a log, one after the other, in pieces that end where batches do.

use std::path::PathBuf;

use commitment::whole_batches;

use crate::ReadError;
use crate::files::{LogFile, LogFiles};
use crate::storage::{Access, StoredFile};

/// What is read at a time, in bytes, unless a batch is longer.
const PIECE: usize = 256 << 10;

/// The pieces that were not read yet.
pub(crate) struct Pieces<'a> {
    files: &'a LogFiles,
    left: std::slice::Iter<'a, LogFile>,
    open: Option<Open>,
    /// What was read behind the last batch that was given.
    rest: Vec<u8>,
    number: u64,
}

struct Open {
    file: Box<dyn StoredFile>,
    path: PathBuf,
    offset: u64,
    len: u64,
}

impl<'a> Pieces<'a> {
    pub(crate) fn new(files: &'a LogFiles) -> Pieces<'a> {
        Pieces { files, left: files.files().iter(), open: None, rest: Vec::new(), number: 0 }
    }

    /// Reads the next piece into `buffer`, whatever was in it; gives its number, from 0, and if it begins
    /// a file, that one's name. `None` at the end, and behind an error.
    pub(crate) fn next(
        &mut self,
        buffer: &mut Vec<u8>,
    ) -> Option<(u64, Result<Option<&'a str>, ReadError>)> {
        buffer.clear();
        let begins = if self.open.is_some() { None } else { Some(self.left.next()?) };
        let read = self.read(begins, buffer);
        if read.is_err() {
            buffer.clear();
            (self.open, self.left) = (None, [].iter());
        }
        self.number += 1;
        Some((self.number - 1, read.map(|()| begins.map(|file| &*file.name))))
    }

    fn read(&mut self, begins: Option<&LogFile>, buffer: &mut Vec<u8>) -> Result<(), ReadError> {
        let mut open = match (self.open.take(), begins) {
            (Some(open), _) => open,
            (None, Some(file)) => Open::new(self.files, file)?,
            (None, None) => unreachable!("a file is open, or one begins"),
        };
        std::mem::swap(buffer, &mut self.rest);
        let mut wanted = PIECE;
        while open.read(buffer, wanted)? {
            let (whole, needed) = whole_batches(buffer, begins.is_some());
            // Where no batch can begin, all that is there is given: the check says what it is.
            if whole > 0 || needed <= buffer.len() {
                let end = if whole > 0 { whole } else { buffer.len() };
                self.rest.extend_from_slice(&buffer[end..]);
                buffer.truncate(end);
                self.open = Some(open);
                break;
            }
            wanted = needed;
        }
        Ok(())
    }
}

impl Open {
    fn new(files: &LogFiles, file: &LogFile) -> Result<Open, ReadError> {
        let path = files.path(file);
        let open = files.storage().open(&path, Access::Read);
        Ok(Open {
            file: open.map_err(ReadError::io("open", &path))?,
            path,
            offset: 0,
            len: file.len,
        })
    }

    /// Reads on until `buffer` has `wanted` bytes; false if the file ends before.
    fn read(&mut self, buffer: &mut Vec<u8>, wanted: usize) -> Result<bool, ReadError> {
        let had = buffer.len();
        let left = usize::try_from(self.len - self.offset).unwrap_or(usize::MAX);
        buffer.resize(had + wanted.saturating_sub(had).min(left), 0);
        let read = self.file.read_at(&mut buffer[had..], self.offset);
        let read = read.map_err(ReadError::io("read", &self.path))?;
        buffer.truncate(had + read);
        self.offset += read as u64;
        Ok(buffer.len() >= wanted)
    }
}
