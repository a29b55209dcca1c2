//! A block of account records in memory, and going through a run block by block.
//!
//! The records, zeros, the offset of each and of the zeros (4 bytes each), the records' count (4 bytes). The zeros are room: what an
//! erasure leaves of a record may be a little longer than it was, and a block's length stays.

use super::DerivedError;
use super::account::Record;
use super::bytes::{Parsed, u32_at};
use super::run::Run;

/// Room that a new block has.
const ROOM: usize = 64;

/// Makes a block of records, whose offsets are these, and of what else there is to it; false if they do not fit into the `length` that
/// it is to have, if any.
pub(super) fn close(records: &mut Vec<u8>, offsets: &[u32], length: Option<usize>) -> bool {
    let end = u32::try_from(records.len()).expect("a block is closed at 16 KiB");
    let behind = 4 * (offsets.len() + 2);
    let length = length.unwrap_or(records.len() + ROOM + behind);
    let Some(table) = length.checked_sub(behind).filter(|table| *table >= records.len()) else {
        return false;
    };
    records.resize(table, 0);
    for number in offsets.iter().copied().chain([end, offsets.len() as u32]) {
        records.extend_from_slice(&number.to_le_bytes());
    }
    true
}

/// An account block in memory.
#[derive(Debug, Default)]
pub(super) struct Block {
    offset: u64,
    bytes: Vec<u8>,
    count: usize,
    /// Where the offsets begin.
    table: usize,
    /// Where the records end.
    end: usize,
}

impl Block {
    pub(super) fn parse(offset: u64, bytes: Vec<u8>) -> Parsed<Block> {
        let end = bytes.len().checked_sub(4).ok_or("it ends early")?;
        let count = u32_at(&bytes, end)?;
        let table = count.checked_add(1).and_then(|n| n.checked_mul(4));
        let table = table.and_then(|n| end.checked_sub(n)).ok_or("a count is beyond the end")?;
        let end = u32_at(&bytes, table + 4 * count)?;
        let room = bytes[..table].get(end..).ok_or("its records are beyond the end")?;
        if room.iter().any(|byte| *byte != 0) {
            return Err("what is behind its records is not zeros");
        }
        Ok(Block { offset, bytes, count, table, end })
    }

    /// Where it lies in the file.
    pub(super) const fn offset(&self) -> u64 {
        self.offset
    }

    /// Its size in bytes.
    pub(super) const fn bytes(&self) -> usize {
        self.bytes.len()
    }

    /// How many records it has.
    pub(super) const fn len(&self) -> usize {
        self.count
    }

    /// The bytes of a record; none after the last.
    pub(super) fn record(&self, slot: usize) -> Parsed<&[u8]> {
        let from = u32_at(&self.bytes, self.table + 4 * slot.min(self.count))?;
        let to = u32_at(&self.bytes, self.table + 4 * (slot + 1).min(self.count))?;
        self.bytes[..self.end].get(from..to).ok_or("a record is beyond the end")
    }

    /// Its records.
    pub(super) fn records(&self) -> impl Iterator<Item = Parsed<&[u8]>> {
        (0..self.count).map(|slot| self.record(slot))
    }

    /// The first slot whose name is not below `name`.
    pub(super) fn slot_of(&self, name: &str) -> Parsed<usize> {
        let (mut low, mut high) = (0, self.count);
        while low < high {
            let middle = usize::midpoint(low, high);
            if Record::name_of(self.record(middle)?)? < name {
                low = middle + 1
            } else {
                high = middle
            }
        }
        Ok(low)
    }
}

/// Goes through a run's accounts in order of names.
#[derive(Debug)]
pub(super) struct Cursor<'a> {
    run: &'a Run,
    number: usize,
    block: Block,
    slot: usize,
    ended: bool,
}

impl<'a> Cursor<'a> {
    /// At the first account whose name is not below `from`.
    pub(super) fn open(run: &'a Run, from: Option<&str>) -> Result<Cursor<'a>, DerivedError> {
        let number = match from {
            Some(name) => run.block_of(name)?,
            None => 0,
        };
        let mut cursor = Cursor { run, number, block: Block::default(), slot: 0, ended: false };
        cursor.load()?;
        if let Some(name) = from {
            let slot = cursor.block.slot_of(name);
            cursor.slot = slot.map_err(|what| cursor.damaged(what))?;
        }
        // A block may have lost all that it had.
        cursor.skip_to_block()?;
        Ok(cursor)
    }

    fn load(&mut self) -> Result<(), DerivedError> {
        let buffer = std::mem::take(&mut self.block.bytes);
        match self.run.block(self.number, buffer)? {
            Some(block) => self.block = block,
            None => (self.block, self.ended) = (Block::default(), true),
        }
        self.slot = 0;
        Ok(())
    }

    /// On to the next block where this one has no more.
    fn skip_to_block(&mut self) -> Result<(), DerivedError> {
        while !self.ended && self.slot >= self.block.count {
            self.number += 1;
            self.load()?;
        }
        Ok(())
    }

    /// Where it goes.
    pub(super) const fn run(&self) -> &Run {
        self.run
    }

    /// The bytes of the record that it stands at.
    pub(super) fn bytes(&self) -> Result<&[u8], DerivedError> {
        self.block.record(self.slot).map_err(|what| self.damaged(what))
    }

    /// The name of the account that it stands at; `None` at the end.
    pub(super) fn name(&self) -> Result<Option<&str>, DerivedError> {
        if self.ended {
            return Ok(None);
        }
        Record::name_of(self.bytes()?).map(Some).map_err(|what| self.damaged(what))
    }

    /// The record that it stands at.
    pub(super) fn record(&self) -> Result<Record<'_>, DerivedError> {
        Record::parse(self.bytes()?).map_err(|what| self.damaged(what))
    }

    pub(super) fn advance(&mut self) -> Result<(), DerivedError> {
        self.slot += 1;
        self.skip_to_block()
    }

    pub(super) fn damaged(&self, what: &'static str) -> DerivedError {
        self.run.damaged(self.block.offset, what)
    }
}
