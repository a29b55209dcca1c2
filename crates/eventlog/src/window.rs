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

#[cfg(test)]
mod tests {
    use std::path::Path;
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;
    use crate::storage::{Access, Disk, Storage};

    /// A file that counts what is read of it.
    struct Counted(Box<dyn StoredFile>, Arc<AtomicUsize>);

    impl StoredFile for Counted {
        fn length(&self) -> io::Result<u64> {
            self.0.length()
        }
        fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
            let read = self.0.read_at(buffer, offset)?;
            self.1.fetch_add(read, Ordering::Relaxed);
            Ok(read)
        }
        fn write_at(&self, bytes: &[u8], offset: u64) -> io::Result<()> {
            self.0.write_at(bytes, offset)
        }
        fn set_len(&self, len: u64) -> io::Result<()> {
            self.0.set_len(len)
        }
        fn sync(&self) -> io::Result<()> {
            self.0.sync()
        }
    }

    fn open(dir: &Path, bytes: &[u8], size: usize) -> (Window, Arc<AtomicUsize>) {
        let (path, read) = (dir.join("file"), Arc::default());
        std::fs::write(&path, bytes).unwrap();
        let file = Disk.open(&path, Access::Read).unwrap();
        (Window::new(Box::new(Counted(file, Arc::clone(&read))), size), read)
    }

    #[test]
    fn any_piece_is_the_files() {
        let dir = tempfile::tempdir().unwrap();
        let bytes: Vec<u8> = (0..5000u32).map(|n| ((n * n) >> 3) as u8).collect();
        let seed = fastrand::u64(..);
        let mut random = fastrand::Rng::with_seed(seed);
        for size in [1, 7, 100, 9000] {
            let (mut window, _) = open(dir.path(), &bytes, size);
            for _ in 0..2000 {
                let (at, len) = (random.usize(..5100), random.usize(..300));
                let limit = if random.bool() { u64::MAX } else { random.u64(..5100) };
                let end =
                    bytes.len().min(at + len).min(usize::try_from(limit).unwrap_or(usize::MAX));
                let expected = bytes.get(at..end).unwrap_or_default();
                let found = window.get(at as u64, len, limit).unwrap();
                assert_eq!(found, expected, "{len} from {at} to {limit} by {size}, seed {seed}");
            }
        }
    }

    #[test]
    fn nothing_is_read_twice_on_the_way_through() {
        let dir = tempfile::tempdir().unwrap();
        let bytes: Vec<u8> = (0..5000u32).map(|n| n as u8).collect();
        let (mut window, read) = open(dir.path(), &bytes, 64);
        let (mut at, mut len) = (0, 1);
        while at < bytes.len() {
            let end = bytes.len().min(at + len);
            assert_eq!(window.get(at as u64, len, u64::MAX).unwrap(), &bytes[at..end]);
            (at, len) = (end, len * 7 % 101);
        }
        assert_eq!(read.load(Ordering::Relaxed), bytes.len());
    }
}
