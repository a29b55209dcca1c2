//! A long list of short entries, all of one length and sorted by the key that they begin with, in
//! blocks of 1 KiB. In memory there is of each block the first 8 bytes of its first key (its
//! *fence*), so finding an entry reads one block.
//!
//! After the last block comes a block with the fences, 8 bytes each as in the keys.

use super::DerivedError;
use super::file::{BlockReader, BlockWriter, CHECKSUM_BYTES, Patch, Span};

pub(super) const BLOCK_BYTES: usize = 1024;

pub(super) const fn entries_per_block(width: usize) -> usize {
    (BLOCK_BYTES - CHECKSUM_BYTES) / width
}

/// Where a list lies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct ListSpan {
    pub(super) offset: u64,
    /// How many entries.
    pub(super) count: u64,
}

/// Writes a list of entries of `W` bytes.
#[derive(Debug)]
pub(super) struct ListWriter<const W: usize> {
    span: ListSpan,
    block: Vec<u8>,
    fences: Vec<u8>,
}

impl<const W: usize> ListWriter<W> {
    pub(super) const fn begin(file: &BlockWriter) -> Self {
        let span = ListSpan { offset: file.at(), count: 0 };
        ListWriter { span, block: Vec::new(), fences: Vec::new() }
    }

    /// Adds the next entry. Its key is above or equal to the one before.
    pub(super) fn push(
        &mut self,
        file: &mut BlockWriter,
        entry: &[u8; W],
    ) -> Result<(), DerivedError> {
        if self.block.len() == entries_per_block(W) * W {
            file.block(&self.block)?;
            self.block.clear();
        }
        if self.block.is_empty() {
            self.fences.extend_from_slice(&entry[..8]);
        }
        self.block.extend_from_slice(entry);
        self.span.count += 1;
        Ok(())
    }

    pub(super) fn end(self, file: &mut BlockWriter) -> Result<ListSpan, DerivedError> {
        if !self.block.is_empty() {
            file.block(&self.block)?;
        }
        file.block(&self.fences)?;
        Ok(self.span)
    }
}

/// The block of a list that was read last: who asks for keys in their order reads each block once.
#[derive(Debug)]
pub(super) struct Held {
    index: Option<usize>,
    bytes: [u8; BLOCK_BYTES],
}

impl Default for Held {
    fn default() -> Self {
        Held { index: None, bytes: [0; BLOCK_BYTES] }
    }
}

/// A list of entries of `W` bytes that begin with a key of `K` bytes.
#[derive(Debug)]
pub(super) struct List<const W: usize, const K: usize> {
    span: ListSpan,
    fences: Vec<u64>,
}

/// Where block `index` of a list lies, and how many entries it has.
pub(super) fn block_of(span: ListSpan, width: usize, index: u64) -> (u64, usize) {
    let per_block = entries_per_block(width) as u64;
    let stride = per_block * width as u64 + CHECKSUM_BYTES as u64;
    let count = span.count.saturating_sub(index * per_block).min(per_block);
    (span.offset + index * stride, count as usize)
}

impl<const W: usize, const K: usize> List<W, K> {
    /// Reads the fences.
    pub(super) fn open(file: &BlockReader, span: ListSpan) -> Result<Self, DerivedError> {
        let blocks = span.count.div_ceil(entries_per_block(W) as u64);
        let mut offset = span.offset;
        if let Some(last) = blocks.checked_sub(1) {
            let (at, count) = block_of(span, W, last);
            offset = at + (count * W + CHECKSUM_BYTES) as u64;
        }
        let mut buffer = Vec::new();
        file.read(Span { offset, bytes: 8 * blocks }, &mut buffer)?;
        let fences = buffer.as_chunks().0.iter().map(|f| u64::from_be_bytes(*f)).collect();
        Ok(List { span, fences })
    }

    /// The entry of a key.
    pub(super) fn find(
        &self,
        file: &BlockReader,
        key: &[u8; K],
        held: &mut Held,
    ) -> Result<Option<[u8; W]>, DerivedError> {
        let fence = u64::from_be_bytes(*key.first_chunk().expect("keys of 8 bytes and more"));
        let mut index = self.fences.partition_point(|f| *f <= fence);
        while index > 0 {
            index -= 1;
            let (offset, count) = block_of(self.span, W, index as u64);
            if held.index != Some(index) {
                held.index = None;
                file.read_into(offset, &mut held.bytes[..count * W + CHECKSUM_BYTES])?;
                held.index = Some(index);
            }
            let entries = held.bytes[..count * W].as_chunks::<W>().0;
            if let Ok(at) = entries.binary_search_by(|entry| entry[..K].cmp(key)) {
                return Ok(Some(entries[at]));
            }
            // Keys that share 8 bytes can have begun in the block before.
            if self.fences[index] != fence {
                break;
            }
        }
        Ok(None)
    }

    /// Puts another entry of the same key in the place of one that is there.
    pub(super) fn change(
        &self,
        patch: &mut Patch<'_>,
        entry: &[u8; W],
    ) -> Result<(), DerivedError> {
        let fence = u64::from_be_bytes(*entry.first_chunk().expect("keys of 8 bytes and more"));
        let mut index = self.fences.partition_point(|f| *f <= fence);
        while index > 0 {
            index -= 1;
            let (offset, count) = block_of(self.span, W, index as u64);
            let span = Span { offset, bytes: (count * W) as u64 };
            let entries = patch.get(span)?.as_chunks::<W>().0;
            if let Ok(at) = entries.binary_search_by(|e| e[..K].cmp(&entry[..K])) {
                patch.change(span)?[at * W..(at + 1) * W].copy_from_slice(entry);
                break;
            }
            if self.fences[index] != fence {
                break;
            }
        }
        Ok(())
    }
}
