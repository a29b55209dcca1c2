//! A set of 16-byte hashes in a file, each with what belongs to it, out of which some can be taken without a trace.
//!
//! In order, in *slots* of one length, in blocks of 1 KiB. A hash has a *home* among the slots, by its leading bytes; there are a
//! sixteenth more of them than hashes. It stands in the first slot at or behind its home that no smaller one has; the other
//! slots are zeros. So where each stands follows from which there are: when some are taken out and what was behind them moves up,
//! every byte is what it would be if they had never been there. A hole or a copy in their place would tell between which
//! neighbours they were, and by that guesses could be tested.
//!
//! Nothing of it is in memory. Looking for one reads a block, seldom two.

use std::collections::BTreeSet;

use super::DerivedError;
use super::file::{BlockReader, BlockWriter, CHECKSUM_BYTES, Patch, Span};
use super::filter::{Filter, first_of, line_of};
use super::list::{BLOCK_BYTES, ListSpan, block_of, entries_per_block};

/// No hash is this.
const NONE: [u8; 16] = [0; 16];
/// A home more for so many hashes.
const SPARE: u64 = 16;
/// Slots behind the last home, at most: hardly ever is one further from its home.
const BEHIND: u64 = 256;

/// Where a set lies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct HashesSpan {
    pub(super) offset: u64,
    pub(super) homes: u64,
    pub(super) slots: u64,
    /// How many hashes.
    pub(super) count: u64,
}

impl HashesSpan {
    fn home(&self, lead: u64) -> u64 {
        ((u128::from(lead) * u128::from(self.homes)) >> 64) as u64
    }

    fn home_of(&self, hash: &[u8]) -> u64 {
        self.home(u64::from_be_bytes(*hash.first_chunk().expect("16 bytes")))
    }

    const fn list(&self) -> ListSpan {
        ListSpan { offset: self.offset, count: self.slots }
    }
}

/// Writes a set of hashes, with `W` bytes for each and what belongs to it.
#[derive(Debug)]
pub(super) struct HashWriter<const W: usize> {
    span: HashesSpan,
    /// Slots that the set has at least.
    least: u64,
    block: Vec<u8>,
}

impl<const W: usize> HashWriter<W> {
    /// For `count` of them.
    pub(super) fn begin(file: &BlockWriter, count: u64) -> Self {
        let homes = count + count / SPARE;
        let span = HashesSpan { offset: file.at(), homes, slots: 0, count: 0 };
        HashWriter { span, least: homes + count.min(BEHIND), block: Vec::new() }
    }

    /// Adds the next one. It is above the one before.
    pub(super) fn push(
        &mut self,
        file: &mut BlockWriter,
        entry: &[u8; W],
    ) -> Result<(), DerivedError> {
        debug_assert_ne!(entry[..16], NONE);
        self.fill(file, self.span.home_of(entry))?;
        self.span.count += 1;
        self.slot(file, entry)
    }

    fn slot(&mut self, file: &mut BlockWriter, entry: &[u8; W]) -> Result<(), DerivedError> {
        if self.block.len() == entries_per_block(W) * W {
            file.block(&self.block)?;
            self.block.clear();
        }
        self.block.extend_from_slice(entry);
        self.span.slots += 1;
        Ok(())
    }

    fn fill(&mut self, file: &mut BlockWriter, to: u64) -> Result<(), DerivedError> {
        while self.span.slots < to {
            self.slot(file, &[0; W])?;
        }
        Ok(())
    }

    pub(super) fn end(mut self, file: &mut BlockWriter) -> Result<HashesSpan, DerivedError> {
        self.fill(file, self.least)?;
        if !self.block.is_empty() {
            file.block(&self.block)?;
        }
        Ok(self.span)
    }
}

/// Goes through the slots of a set.
#[derive(Debug)]
pub(super) struct Slots<'a, const W: usize> {
    file: &'a BlockReader,
    span: HashesSpan,
    /// The slot that comes next.
    next: u64,
    /// The block that was read last.
    block: Option<u64>,
    bytes: [u8; BLOCK_BYTES],
}

impl<'a, const W: usize> Slots<'a, W> {
    pub(super) const fn new(file: &'a BlockReader, span: HashesSpan) -> Self {
        Slots { file, span, next: 0, block: None, bytes: [0; BLOCK_BYTES] }
    }

    /// The next slot's number and what is in it, zeros too.
    fn slot(&mut self) -> Result<Option<(u64, &[u8; W])>, DerivedError> {
        if self.next >= self.span.slots {
            return Ok(None);
        }
        let per_block = entries_per_block(W) as u64;
        let (block, at) = (self.next / per_block, (self.next % per_block) as usize);
        if self.block != Some(block) {
            let (offset, count) = block_of(self.span.list(), W, block);
            self.block = None;
            self.file.read_into(offset, &mut self.bytes[..count * W + CHECKSUM_BYTES])?;
            self.block = Some(block);
        }
        self.next += 1;
        let entry = self.bytes[at * W..].first_chunk().expect("whole entries");
        Ok(Some((self.next - 1, entry)))
    }

    /// The next hash with what belongs to it.
    pub(super) fn next(&mut self) -> Result<Option<[u8; W]>, DerivedError> {
        while let Some((_, entry)) = self.slot()? {
            if entry[..16] != NONE {
                return Ok(Some(*entry));
            }
        }
        Ok(None)
    }

    /// A hash with what belongs to it, if it is there, and its slot.
    pub(super) fn find(&mut self, hash: &[u8; 16]) -> Result<Option<(u64, [u8; W])>, DerivedError> {
        self.next = self.span.home_of(hash);
        while let Some((slot, entry)) = self.slot()? {
            match entry[..16].cmp(hash) {
                std::cmp::Ordering::Equal => return Ok(Some((slot, *entry))),
                std::cmp::Ordering::Less if entry[..16] != NONE => {}
                _ => return Ok(None),
            }
        }
        Ok(None)
    }

    /// The hashes whose leading bytes are in a range.
    fn range(&mut self, first: u128, end: u128) -> Result<Vec<[u8; 16]>, DerivedError> {
        let mut found = Vec::new();
        let last_home = self.span.home((end - 1) as u64);
        self.next = self.span.home(first as u64);
        while let Some((slot, entry)) = self.slot()? {
            let hash: [u8; 16] = *entry.first_chunk().expect("16 bytes");
            let lead = u128::from_be_bytes(hash) >> 64;
            if (hash == NONE && slot >= last_home) || (hash != NONE && lead >= end) {
                break;
            }
            if hash != NONE && lead >= first {
                found.push(hash);
            }
        }
        Ok(found)
    }
}

/// Takes hashes, which rise, out of a set and out of the filter before it; gives where it lies then. Those that are not there
/// are passed over.
pub(super) fn take_out<const W: usize>(
    patch: &mut Patch<'_>,
    file: &BlockReader,
    (span, filter): (HashesSpan, Span),
    hashes: &[[u8; 16]],
) -> Result<HashesSpan, DerivedError> {
    let mut slots = Slots::<W>::new(file, span);
    let (mut left, mut lines, mut count) = (hashes.iter().peekable(), BTreeSet::new(), span.count);
    while let Some(hash) = left.next() {
        let Some((from, _)) = slots.find(hash)? else { continue };
        lines.insert(line_of(Filter::lines(filter), hash));
        count -= 1;
        // What is behind it moves up, until one stands where it would stand anyway.
        let mut moved = vec![[0; W]];
        let mut free = from;
        while let Some((slot, entry)) = slots.slot()? {
            let hash: &[u8; 16] = entry.first_chunk().expect("16 bytes");
            if *hash == NONE {
                break;
            }
            while left.next_if(|gone| *gone < hash).is_some() {}
            if left.next_if_eq(&hash).is_some() {
                lines.insert(line_of(Filter::lines(filter), hash));
                count -= 1;
                moved.push([0; W]);
                continue;
            }
            let to = span.home_of(hash).max(free);
            if to == slot {
                break;
            }
            moved.push([0; W]);
            moved[(to - from) as usize] = *entry;
            free = to + 1;
        }
        for (slot, entry) in (from..).zip(&moved) {
            let per_block = entries_per_block(W) as u64;
            let (offset, of) = block_of(span.list(), W, slot / per_block);
            let at = (slot % per_block) as usize * W;
            let block = patch.change(Span { offset, bytes: (of * W) as u64 })?;
            block[at..at + W].copy_from_slice(entry);
        }
    }
    for line in lines {
        let lines = Filter::lines(filter);
        let mut kept = slots.range(first_of(lines, line), first_of(lines, line + 1))?;
        kept.retain(|hash| hashes.binary_search(hash).is_err());
        Filter::remake(patch, filter, line, &kept)?;
    }
    Ok(HashesSpan { count, ..span })
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::super::file::Header;
    use super::super::run::RUN;
    use super::super::{Anchor, Place};
    use super::*;

    const W: usize = 20;
    type Entry = [u8; W];

    fn hash(entry: &Entry) -> [u8; 16] {
        *entry.first_chunk().unwrap()
    }

    /// A file of a set made for `count` of them, and its filter.
    fn make(path: &Path, entries: &[Entry], count: u64) -> (HashesSpan, Span, u64) {
        let end = Place { segment: 0, offset: 0 };
        let anchor = Anchor { end, checksum: [0; 32] };
        let header = Header { store: [1; 16], from: 0, to: 9, anchor };
        let mut file = BlockWriter::create(path.with_extension("tmp"), &RUN, &header, 0).unwrap();
        let (mut writer, mut filter) = (HashWriter::begin(&file, count), Filter::new(count));
        for entry in entries {
            writer.push(&mut file, entry).unwrap();
            filter.insert(&hash(entry));
        }
        let (span, filter) = (writer.end(&mut file).unwrap(), filter.write(&mut file).unwrap());
        let footer = file.at();
        file.block(b"footer").unwrap();
        file.publish(path).unwrap();
        (span, filter, footer)
    }

    fn open(path: &Path, footer: u64) -> BlockReader {
        let mut file = BlockReader::open(path, &RUN).unwrap().0;
        file.read_footer(footer, &mut [0; 22]).unwrap();
        file
    }

    fn slots(file: &BlockReader, span: HashesSpan) -> Vec<Entry> {
        let (mut slots, mut all) = (Slots::<W>::new(file, span), Vec::new());
        while let Some((_, entry)) = slots.slot().unwrap() {
            all.push(*entry);
        }
        all
    }

    /// What is left is, slot by slot and bit by bit, what is made of what is left.
    fn check(entries: &[Entry], gone: &[Entry], not_there: &[[u8; 16]]) {
        let dir = tempfile::tempdir().unwrap();
        let (path, other) = (dir.path().join("a"), dir.path().join("b"));
        let (span, filter, footer) = make(&path, entries, entries.len() as u64);
        let file = open(&path, footer);
        let mut hashes: Vec<_> = gone.iter().map(hash).chain(not_there.iter().copied()).collect();
        hashes.sort_unstable();
        let mut patch = Patch::new(&file);
        let after = take_out::<W>(&mut patch, &file, (span, filter), &hashes).unwrap();
        patch.change(Span { offset: footer, bytes: 6 }).unwrap();
        patch.write().unwrap();
        let is_left = |entry: &&Entry| !gone.contains(entry);
        let left: Vec<Entry> = entries.iter().filter(is_left).copied().collect();
        assert_eq!(after.count, left.len() as u64);
        let (anew_span, anew_filter, anew_footer) = make(&other, &left, entries.len() as u64);
        let anew = open(&other, anew_footer);
        if gone.is_empty() {
            assert_eq!(file.round(), 0);
        } else {
            let old = Slots::<W>::new(&file, span).find(&hash(&gone[0]));
            assert!(matches!(old, Err(DerivedError::Moved { .. })));
        }
        let file = open(&path, footer);
        let (found, mut expected) = (slots(&file, after), slots(&anew, anew_span));
        expected.resize(found.len(), [0; W]);
        assert_eq!(found, expected);
        let bits = |file, span| {
            let words = Filter::read(file, span).unwrap();
            format!("{words:?}")
        };
        assert_eq!(bits(&file, filter), bits(&anew, anew_filter));
        let mut all = Slots::<W>::new(&file, after);
        for entry in entries {
            let there = all.find(&hash(entry)).unwrap().map(|(_, entry)| entry);
            assert_eq!(there, Some(*entry).filter(|entry| !gone.contains(entry)));
        }
        for hash in not_there {
            assert_eq!(all.find(hash).unwrap(), None);
        }
    }

    #[test]
    fn what_is_taken_out_was_never_there() {
        let seed = fastrand::u64(..);
        println!("seed {seed}");
        let mut rng = fastrand::Rng::with_seed(seed);
        for round in 0..60 {
            let count = [0, 1, 2, 51, 300, 3000][round % 6];
            // Spread as hashes are, or crowded into a small part, or at the very end.
            let crowd = [0, 0, 0, 3, 10, 60][rng.usize(..6)];
            let at_end = rng.bool();
            let some = |rng: &mut fastrand::Rng| {
                let mut entry = [0; W];
                entry.iter_mut().for_each(|byte| *byte = rng.u8(..));
                let lead = u64::from_be_bytes(*entry.first_chunk().unwrap()) >> crowd;
                let lead = if at_end { !lead } else { lead };
                entry[..8].copy_from_slice(&lead.to_be_bytes());
                entry
            };
            let mut entries: Vec<Entry> = (0..count).map(|_| some(&mut rng)).collect();
            entries.sort_unstable();
            let from = rng.usize(..=count);
            let gone: Vec<Entry> = match round / 6 % 4 {
                0 => entries.iter().filter(|_| rng.u8(..) < 5).copied().collect(),
                1 => entries.iter().filter(|_| rng.bool()).copied().collect(),
                2 => entries[from..(from + 40).min(count)].to_vec(),
                _ => entries.clone(),
            };
            let not_there: Vec<_> = (0..20).map(|_| hash(&some(&mut rng))).collect();
            check(&entries, &gone, &not_there);
        }
    }
}
