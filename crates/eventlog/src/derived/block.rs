//! A block of account records in memory, and going through a run block by block.
//!
//! The records, then the offset of each (4 bytes), then their count (4 bytes).

use super::DerivedError;
use super::account::Record;
use super::bytes::{Parsed, u32_at};
use super::run::Run;

/// An account block in memory.
#[derive(Debug, Default)]
pub(super) struct Block {
    offset: u64,
    bytes: Vec<u8>,
    count: usize,
    /// Where the records end and their offsets begin.
    table: usize,
}

impl Block {
    pub(super) fn parse(offset: u64, bytes: Vec<u8>) -> Parsed<Block> {
        let end = bytes.len().checked_sub(4).ok_or("it ends early")?;
        let count = u32_at(&bytes, end)?;
        let table = count.checked_mul(4).and_then(|n| end.checked_sub(n));
        let table = table.ok_or("a count is beyond the end")?;
        Ok(Block { offset, bytes, count, table })
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
        let from = if slot < self.count {
            u32_at(&self.bytes, self.table + 4 * slot)?
        } else {
            self.table
        };
        let to = match slot + 1 {
            next if next < self.count => u32_at(&self.bytes, self.table + 4 * next)?,
            _ => self.table,
        };
        self.bytes[..self.table].get(from..to).ok_or("a record is beyond the end")
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
            cursor.skip_to_block()?;
        }
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
