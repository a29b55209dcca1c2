//! Reads the files of a log, one after the other, in pieces that end where batches do.

use std::path::PathBuf;

use commitment::{segment_number, whole_batches};

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

    /// Those behind a place at which a batch of a segment ends. None if there is no such segment.
    pub(crate) fn behind(
        files: &'a LogFiles,
        segment: u64,
        offset: u64,
    ) -> Result<Pieces<'a>, ReadError> {
        let mut pieces = Pieces::new(files);
        let is_it = |file: &&LogFile| segment_number(&file.name) == Some(segment);
        if let Some(file) = pieces.left.by_ref().find(is_it) {
            pieces.open = Some(Open { offset: offset.min(file.len), ..Open::new(files, file)? });
        }
        Ok(pieces)
    }

    /// Reads the next piece into `buffer`, whatever was in it; gives its number, from 0, and if it begins
    /// a file, that one's name. `None` at the end, and behind an error.
    pub(crate) fn next(
        &mut self,
        buffer: &mut Vec<u8>,
    ) -> Option<(u64, Result<Option<&'a str>, ReadError>)> {
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
        let (mut had, mut wanted) = (self.rest.len(), PIECE.max(self.rest.len()));
        // What is in it is written over: memory that need not be zeroed again.
        buffer.resize(wanted, 0);
        buffer[..had].copy_from_slice(&self.rest);
        self.rest.clear();
        while open.read(buffer, had)? {
            let (whole, needed) = whole_batches(buffer, begins.is_some());
            // Where no batch can begin, all that is there is given: the check says what it is.
            if whole > 0 || needed <= buffer.len() {
                let end = if whole > 0 { whole } else { buffer.len() };
                self.rest.extend_from_slice(&buffer[end..]);
                buffer.truncate(end);
                let is_left = !self.rest.is_empty() || open.offset < open.len;
                self.open = is_left.then_some(open);
                break;
            }
            (had, wanted) = (wanted, needed);
            buffer.resize(wanted, 0);
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

    /// Fills `buffer`, which has `had` bytes of the file; false if the file ends before.
    fn read(&mut self, buffer: &mut Vec<u8>, had: usize) -> Result<bool, ReadError> {
        let wanted = buffer.len();
        let left = usize::try_from(self.len - self.offset).unwrap_or(usize::MAX);
        buffer.truncate(had.saturating_add(left));
        let read = self.file.read_at(&mut buffer[had..], self.offset);
        let read = read.map_err(ReadError::io("read", &self.path))?;
        buffer.truncate(had + read);
        self.offset += read as u64;
        Ok(buffer.len() == wanted)
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use commitment::BATCH_HEADER;

    use super::*;

    /// The pieces of one file, which is no log, are all of it, and end where batches would.
    #[track_caller]
    fn check(bytes: &[u8], expected: &[usize]) {
        let dir = tempfile::tempdir().unwrap();
        let log = dir.path().join("log");
        std::fs::create_dir(&log).unwrap();
        std::fs::write(log.join("HEAD"), b"STILLHED").unwrap();
        std::fs::write(log.join("000000000000.seg"), bytes).unwrap();
        let files = LogFiles::open(Path::new(dir.path())).unwrap();
        let mut pieces = Pieces::new(&files);
        let (mut buffer, mut all, mut lengths) = (vec![7; 3], Vec::new(), Vec::new());
        while let Some((number, begins)) = pieces.next(&mut buffer) {
            assert_eq!(number, lengths.len() as u64);
            assert_eq!(begins.unwrap().is_some(), number == 0);
            lengths.push(buffer.len());
            all.extend_from_slice(&buffer);
        }
        assert_eq!((&all[..], &lengths[..]), (bytes, expected));
    }

    /// A header of 160 bytes, and of batches no more than their lengths.
    fn file(batches: &[usize]) -> Vec<u8> {
        let mut bytes = vec![0; 160];
        for len in batches {
            let start = bytes.len();
            bytes.resize(start + BATCH_HEADER + len, 1);
            bytes[start + 24..start + 28].copy_from_slice(&(*len as u32).to_le_bytes());
        }
        bytes
    }

    #[test]
    fn pieces_end_where_batches_do() {
        const LONG: usize = 3 * PIECE;
        check(&[], &[0]);
        check(&[1; 100], &[100]);
        check(&file(&[]), &[160]);
        check(&file(&[1, 1000]), &[160 + 33 + 1032]);
        // Two batches fill no piece, a third is cut by its end.
        let third = PIECE / 3 + 1;
        check(&file(&[third; 3]), &[160 + 2 * (third + 32), third + 32]);
        check(&file(&[LONG, 5, LONG]), &[160, LONG + 32, 37, LONG + 32]);
        // A file that ends within a batch, and one with no batch where one should be.
        let mut cut = file(&[10, LONG]);
        cut.pop();
        check(&cut, &[160 + 42, LONG + 31]);
        let mut wrong = file(&[10, LONG]);
        wrong[160 + 42 + 24..160 + 42 + 28].fill(0xff);
        check(&wrong, &[160 + 42, PIECE, PIECE, PIECE, 32]);
    }
}
