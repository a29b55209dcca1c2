//! One run of bytes in a [file of blocks](crate::derived::file), all of one size but for the last: written as they come, read
//! whole, or read and changed here and there.
//!
//! The footer is the number of bytes (8).

use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{SyncSender, sync_channel};
use std::thread::{Scope, ScopedJoinHandle};

use crate::derived::DerivedError;
use crate::derived::file::{
    BlockReader, BlockWriter, CHECKSUM_BYTES, HEADER_BYTES, Header, Kind, Patch, Span,
};

/// The bytes of a block.
const BLOCK: u64 = 64 << 10;
const FOOTER: u64 = 8;
/// Blocks that wait to be written, at most.
const AHEAD: usize = 16;

/// Where a block is.
const fn span(number: u64, length: u64) -> Span {
    let from = number * BLOCK;
    let bytes = if length - from < BLOCK { length - from } else { BLOCK };
    Span { offset: HEADER_BYTES as u64 + number * (BLOCK + CHECKSUM_BYTES as u64), bytes }
}

/// Where the footer is.
const fn footer(length: u64) -> Span {
    let offset = HEADER_BYTES as u64 + length + length.div_ceil(BLOCK) * CHECKSUM_BYTES as u64;
    Span { offset, bytes: FOOTER }
}

/// Bytes on their way to a thread that writes them.
pub(super) struct Writing<'s> {
    given: SyncSender<Vec<u8>>,
    gathered: Vec<u8>,
    writer: ScopedJoinHandle<'s, Result<BlockWriter, DerivedError>>,
}

impl<'s> Writing<'s> {
    pub(super) fn begin<'e>(
        scope: &'s Scope<'s, 'e>,
        path: PathBuf,
        kind: &'s Kind,
        header: &'s Header,
    ) -> Writing<'s> {
        let (given, taken) = sync_channel::<Vec<u8>>(AHEAD);
        let writer = scope.spawn(move || {
            let mut file = BlockWriter::create(path, kind, header, 0)?;
            let mut length = 0;
            for bytes in taken {
                length += file.block(&bytes)?.bytes;
            }
            file.block(&length.to_le_bytes())?;
            Ok(file)
        });
        Writing { given, gathered: Vec::with_capacity(BLOCK as usize), writer }
    }

    pub(super) fn put(&mut self, mut bytes: &[u8]) {
        while !bytes.is_empty() {
            let room = BLOCK as usize - self.gathered.len();
            let (some, rest) = bytes.split_at(room.min(bytes.len()));
            self.gathered.extend_from_slice(some);
            bytes = rest;
            if self.gathered.len() == BLOCK as usize {
                let room = Vec::with_capacity(BLOCK as usize);
                // Who could not write takes nothing any more, and says so.
                let _ = self.given.send(std::mem::replace(&mut self.gathered, room));
            }
        }
    }

    /// Gives the file its name; it is not synced.
    pub(super) fn publish(self, name: &Path) -> Result<(), DerivedError> {
        let Writing { given, gathered, writer } = self;
        if !gathered.is_empty() {
            let _ = given.send(gathered);
        }
        drop(given);
        writer.join().expect("writing does not panic")?.publish_unsynced(name)
    }
}

/// A file that was written so.
pub(super) struct Contents {
    file: BlockReader,
    header: Header,
    length: u64,
}

impl Contents {
    /// Opens what was written of a store.
    pub(super) fn open(path: &Path, kind: &Kind, store: &[u8; 16]) -> Option<Contents> {
        let (mut file, header) = BlockReader::open(path, kind).ok()?;
        let mut bytes = [0; FOOTER as usize + CHECKSUM_BYTES];
        let at = file.length().checked_sub(bytes.len() as u64)?;
        file.read_footer(at, &mut bytes).ok()?;
        let length = u64::from_le_bytes(*bytes.first_chunk()?);
        let is_whole = length <= file.length() && footer(length).offset == at;
        (is_whole && header.store == *store).then_some(Contents { file, header, length })
    }

    pub(super) const fn header(&self) -> &Header {
        &self.header
    }

    pub(super) fn read(&self) -> Option<Vec<u8>> {
        let (mut bytes, mut block) = (Vec::with_capacity(self.length as usize), Vec::new());
        for number in 0..self.length.div_ceil(BLOCK) {
            self.file.read(span(number, self.length), &mut block).ok()?;
            bytes.extend_from_slice(&block);
        }
        Some(bytes)
    }

    pub(super) const fn change(&self) -> Change<'_> {
        Change { patch: Patch::new(&self.file), length: self.length }
    }
}

/// Changes that are gathered.
pub(super) struct Change<'c> {
    patch: Patch<'c>,
    length: u64,
}

impl Change<'_> {
    pub(super) fn read(&mut self, at: u64, out: &mut [u8]) -> Option<()> {
        for (span, from, part) in self.parts(at, out.len())? {
            let block = self.patch.get(span).ok()?;
            out[part.clone()].copy_from_slice(&block[from..from + part.len()]);
        }
        Some(())
    }

    pub(super) fn array<const N: usize>(&mut self, at: u64) -> Option<[u8; N]> {
        let mut out = [0; N];
        self.read(at, &mut out).map(|()| out)
    }

    pub(super) fn write(&mut self, at: u64, bytes: &[u8]) -> Option<()> {
        for (span, from, part) in self.parts(at, bytes.len())? {
            let block = self.patch.change(span).ok()?;
            block[from..from + part.len()].copy_from_slice(&bytes[part]);
        }
        Some(())
    }

    /// The blocks in which some bytes are: where they begin there, and which of them it is.
    fn parts(&self, at: u64, len: usize) -> Option<Vec<(Span, usize, Range<usize>)>> {
        let end = at.checked_add(len as u64).filter(|end| *end <= self.length)?;
        let (mut parts, mut from) = (Vec::new(), at);
        while from < end {
            let (number, begin) = (from / BLOCK, from % BLOCK);
            let to = end.min(from - begin + BLOCK);
            let part = (from - at) as usize..(to - at) as usize;
            parts.push((span(number, self.length), begin as usize, part));
            from = to;
        }
        Some(parts)
    }

    /// Writes them in place, and syncs the file, if there are any.
    pub(super) fn carry_out(mut self) -> Option<()> {
        if !self.patch.is_changed() {
            return Some(());
        }
        // Its round is the file's.
        self.patch.change(footer(self.length)).ok()?;
        self.patch.write().ok()
    }
}
