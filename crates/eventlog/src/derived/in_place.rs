//! Takes what was erased of the log out of a run in place: only the blocks that hold any of it are written.
//!
//! A block keeps its length, with zeros behind what is left of its records; an account's number stays in the list of ordinals, and
//! names no block. Sets of hashes and filters are as if the hashes had never been there. A separator that was an erased name, or
//! its beginning, is made anew of what is left. All is gathered first, so that nothing was done where it turns out not to fit.
//!
//! A stop in the middle leaves blocks of two rounds. `log/REDO` is there still then: whoever opens the log to write drops all runs.

use std::borrow::Cow;
use std::collections::BTreeMap;

use super::DerivedError;
use super::account::Record;
use super::block::{Block, close};
use super::file::Patch;
use super::hashes;
use super::list::Held;
use super::run::{ID_BYTES, Index, NAME_BYTES, NO_BLOCK, Run, name_hash};
use super::taken::{Becomes, Taken, less};
use super::write::ordinal_entry;

/// What is to be done with a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Done {
    /// It has nothing of it.
    Nothing,
    /// It was taken out.
    InPlace,
    /// The run is to be written anew.
    Not,
}

/// A run is written anew if more events than this go, and more than a part of it.
const MANY: u64 = 4096;
/// That part: an event taken out in place costs about as much as so many copied.
const PART: u64 = 32;

/// Takes it out of a run.
pub(super) fn take_out(run: &Run, taken: &Taken) -> Result<Done, DerivedError> {
    let (mut blocks, mut held) = (BTreeMap::<_, Vec<u64>>::new(), Held::default());
    let mut events = 0;
    for ordinal in taken.ordinals(run) {
        if let Some(block) = run.block_of_ordinal(ordinal, &mut held)? {
            blocks.entry(block as usize).or_default().push(ordinal);
            events += taken.count(ordinal, run);
        }
    }
    if blocks.is_empty() {
        return Ok(Done::Nothing);
    }
    let Some(tags) = taken.tags(run).filter(|_| events <= MANY || events * PART <= run.size())
    else {
        return Ok(Done::Not);
    };
    let mut taking = Taking {
        run,
        taken,
        patch: Patch::new(run.file()),
        names: Vec::new(),
        begun: 0,
        headless: Vec::new(),
    };
    for (block, ordinals) in &blocks {
        if !taking.block(*block, ordinals)? {
            return Ok(Done::Not);
        }
    }
    if !taking.headless.is_empty() && !taking.index()? {
        return Ok(Done::Not);
    }
    taking.names.sort_unstable();
    let Taking { mut patch, names, begun, .. } = taking;
    let (mut footer, file) = (run.footer, run.file());
    footer.accounts -= names.len() as u64;
    footer.begun -= begun;
    let sets = ((footer.names, footer.name_filter), (footer.ids, footer.tags));
    footer.names = hashes::take_out::<NAME_BYTES>(&mut patch, file, sets.0, &names)?;
    footer.ids = hashes::take_out::<ID_BYTES>(&mut patch, file, sets.1, &tags)?;
    let numbers = footer.numbers().map(u64::to_le_bytes);
    patch.change(footer.span())?.copy_from_slice(numbers.as_flattened());
    patch.write()?;
    Ok(Done::InPlace)
}

/// Two names.
type Borders = (Vec<u8>, Vec<u8>);

struct Taking<'r> {
    run: &'r Run,
    taken: &'r Taken,
    patch: Patch<'r>,
    /// The hashes of the names that go.
    names: Vec<[u8; NAME_BYTES]>,
    /// How many of these accounts have their first event here.
    begun: u64,
    /// The blocks whose first account goes, rising.
    headless: Vec<usize>,
}

impl Taking<'_> {
    /// Takes it out of an account block, of which these ordinals are touched; false if the rest does not fit.
    fn block(&mut self, number: usize, ordinals: &[u64]) -> Result<bool, DerivedError> {
        let Some(block) = self.run.block(number, Vec::new())? else {
            let offset = self.run.footer.ordinals.offset;
            return Err(self.run.damaged(offset, "it names no block"));
        };
        let damaged = |what| self.run.damaged(block.offset(), what);
        let mut kept: Vec<Cow<'_, [u8]>> = Vec::new();
        for (slot, bytes) in block.records().enumerate() {
            let bytes = bytes.map_err(damaged)?;
            let ordinal = Record::ordinal_of(bytes).map_err(damaged)?;
            let is_touched = ordinals.binary_search(&ordinal).is_ok();
            match self.taken.of(ordinal, self.run).filter(|_| is_touched) {
                None => kept.push(Cow::Borrowed(bytes)),
                Some(Becomes::Less(events)) => {
                    let record = Record::parse(bytes).map_err(damaged)?;
                    let less = less(&record, self.taken.left, events).map_err(damaged)?;
                    kept.push(Cow::Owned(less));
                }
                Some(Becomes::Nothing) => {
                    let record = Record::parse(bytes).map_err(damaged)?;
                    self.names.push(name_hash(record.name));
                    self.begun += u64::from(record.first == 0);
                    let entry = ordinal_entry(ordinal, NO_BLOCK);
                    self.run.ordinals()?.change(&mut self.patch, &entry)?;
                    if slot == 0 {
                        self.headless.push(number);
                    }
                }
            }
        }
        let (mut records, mut offsets) = (Vec::with_capacity(block.bytes()), Vec::new());
        for record in &kept {
            let Ok(offset) = u32::try_from(records.len()) else { return Ok(false) };
            offsets.push(offset);
            records.extend_from_slice(record);
        }
        let fits = close(&mut records, &offsets, Some(block.bytes()));
        if fits {
            let span = self.run.index()?.spans[number];
            self.patch.change(span)?.copy_from_slice(&records);
        }
        Ok(fits)
    }

    /// Makes the separators anew that were of accounts that go; false if they do not fit.
    fn index(&mut self) -> Result<bool, DerivedError> {
        let index = self.run.index()?;
        let mut separators = BTreeMap::new();
        for number in self.headless.clone() {
            // The nearest account that is left on either side.
            let (mut from, mut to) = (number, number);
            let before = loop {
                let Some(block) = from.checked_sub(1) else { break Vec::new() };
                if let Some((_, last)) = self.borders(block)? {
                    break last;
                }
                from = block;
            };
            let behind = loop {
                match self.borders(to)? {
                    Some((first, _)) => break first,
                    // Above all text.
                    None if to + 1 == index.spans.len() => break vec![u8::MAX],
                    None => to += 1,
                }
            };
            let shared = before.iter().zip(&behind).take_while(|(a, b)| a == b).count();
            // Blocks before it that are empty may have theirs of the same account.
            for block in from..=number {
                separators.insert(block, behind[..=shared].to_vec());
            }
        }
        let mut new = Index::default();
        let span = self.run.footer.index;
        for (block, of) in index.spans.iter().enumerate() {
            let separator = separators.get(&block).map_or(index.separator(block), |new| new);
            new.push(separator, *of).map_err(|what| self.run.damaged(span.offset, what))?;
        }
        let mut bytes = new.encode();
        let fits = bytes.len() as u64 <= span.bytes;
        if fits {
            bytes.resize(span.bytes as usize, 0);
            self.patch.change(span)?.copy_from_slice(&bytes);
        }
        Ok(fits)
    }

    /// The first and the last name that are left in an account block.
    fn borders(&mut self, number: usize) -> Result<Option<Borders>, DerivedError> {
        let span = self.run.index()?.spans[number];
        let bytes = self.patch.get(span)?.to_vec();
        let border = || {
            let block = Block::parse(span.offset, bytes)?;
            let Some(last) = block.len().checked_sub(1) else { return Ok(None) };
            let name = |slot| {
                block.record(slot).and_then(Record::name_of).map(|name| name.as_bytes().to_vec())
            };
            Ok(Some((name(0)?, name(last)?)))
        };
        border().map_err(|what| self.run.damaged(span.offset, what))
    }
}
