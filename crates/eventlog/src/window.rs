//! Reads a file in large pieces and gives small ones.

use std::io;

use crate::storage::StoredFile;

/// A file, of which a piece is in memory.
pub(crate) struct Window {
    file: Box<dyn StoredFile>,
    piece: Vec<u8>,
    /// How many bytes of `piece` are the file's; what is behind them is written over.
    filled: usize,
    start: u64,
    size: usize,
}

impl Window {
    /// Over a file, in pieces of at least `size` bytes.
    pub(crate) fn new(file: Box<dyn StoredFile>, size: usize) -> Window {
        Window { file, piece: Vec::new(), filled: 0, start: 0, size }
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
            Some(at) if at + len <= self.filled => at,
            _ => {
                let most = usize::try_from(limit.saturating_sub(offset)).unwrap_or(usize::MAX);
                let wanted = len.max(self.size).min(most);
                // What is there already is not read again.
                let there = at.map_or(0..0, |at| at.min(self.filled)..self.filled);
                let had = there.len().min(wanted);
                self.piece.copy_within(there, 0);
                if self.piece.len() < wanted {
                    self.piece.resize(wanted, 0);
                }
                (self.start, self.filled) = (offset, had);
                let room = &mut self.piece[had..wanted];
                self.filled += self.file.read_at(room, offset + had as u64)?;
                0
            }
        };
        Ok(&self.piece[at..self.filled.min(at + len)])
    }
}
