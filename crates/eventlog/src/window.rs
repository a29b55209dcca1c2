//! Reads a file in large pieces and gives small ones.

use std::io;

use crate::storage::StoredFile;

/// A file, of which a piece is in memory.
pub(crate) struct Window {
    file: Box<dyn StoredFile>,
    piece: Vec<u8>,
    start: u64,
    size: usize,
}

impl Window {
    /// Over a file, in pieces of at least `size` bytes.
    pub(crate) fn new(file: Box<dyn StoredFile>, size: usize) -> Window {
        Window { file, piece: Vec::new(), start: 0, size }
    }

    /// The file's length in bytes.
    pub(crate) fn len(&self) -> io::Result<u64> {
        self.file.length()
    }

    /// The bytes from `offset` on: `len` of them, fewer only where the file or `limit` ends. Bytes
    /// behind `limit` may still be written, and are neither given nor kept.
    pub(crate) fn get(&mut self, offset: u64, len: usize, limit: u64) -> io::Result<&[u8]> {
        let len = len.min(usize::try_from(limit.saturating_sub(offset)).unwrap_or(usize::MAX));
        let at = offset.checked_sub(self.start).and_then(|at| usize::try_from(at).ok());
        let at = match at {
            Some(at) if at + len <= self.piece.len() => at,
            _ => {
                let most = usize::try_from(limit.saturating_sub(offset)).unwrap_or(usize::MAX);
                self.piece.resize(len.max(self.size).min(most), 0);
                self.start = offset;
                let read = self.file.read_at(&mut self.piece, offset)?;
                self.piece.truncate(read);
                0
            }
        };
        Ok(&self.piece[at..self.piece.len().min(at + len)])
    }
}
