//! One run: a file that holds what a fold reads of the positions [from, to).
//!
//! After the header ([`file`](super::file)) come, each a block or a list of blocks:
//!
//! 1. *account blocks*: records ([`account`](super::account)) in byte order of names, about 16 KiB
//!    of them ([`block`](super::block));
//! 2. the *index* of these: varint count, and of each varint length, *separator* (above all names before it, and not above the
//!    block's first one, which it is when the run is written) and varint length of the block; zeros where separators became
//!    shorter;
//! 3. the *names*: a set of their hashes ([`hashes`](super::hashes)), and a *filter* over them;
//! 4. the *ordinals*: a list of (ordinal, block) of these accounts, 8 + 4 bytes, big-endian, the block all ones where an
//!    account was taken out;
//! 5. the *erasures*, if there are any: the records of the log in this run's range ([`erased`](super::erased));
//! 6. the *ids*: a set of (tag, position beyond `from`), 16 + 4 bytes, the last big-endian: so a
//!    run covers at most 2^32 positions; and a *filter* over the tags;
//! 7. the *footer*: the numbers of [`Footer`] in their order.
//!
//! Opening reads header and footer. The rest is read when first asked for, the index, the fences of the ordinals and
//! filters then stay in memory: about 1.5 bytes an event where ids are looked up, else far less.

use std::collections::HashMap;
use std::path::Path;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, OnceLock};

use super::account::Record;
use super::block::Block;
use super::bytes::{Input, Parsed, put_varint, u64_at};
use super::file::{BlockReader, CHECKSUM_BYTES, HEADER_BYTES, Header, Kind, Span};
use super::filter::Filter;
use super::hashes::{HashesSpan, Slots};
use super::list::{Held, List, ListSpan};
use super::{DerivedError, Head, IdTag};

/// Its file.
pub(super) const RUN: Kind =
    Kind { magic: *b"stillrun", version: 7, context: "stillthere derived run 7 block checksum" };

/// An ordinal and the number of a block.
pub(super) const ORDINAL_BYTES: usize = 12;
/// In the place of that number: the account is here no more.
pub(super) const NO_BLOCK: u32 = u32::MAX;
/// The hash of a name.
pub(super) const NAME_BYTES: usize = 16;
/// A tag and its position.
pub(super) const ID_BYTES: usize = 20;
/// The positions that one run can cover at most.
pub(super) const MOST_POSITIONS: u64 = 1 << 32;

/// So often accounts are looked for without the filter over their names.
const FEW: u32 = 16;
/// So many blocks are kept at most.
const MOST_BLOCKS: usize = 64;
/// The bytes of a block that is kept at most: most have 16 KiB, those of large accounts more.
const MOST_KEPT: usize = 64 << 10;

const FOOTER_NUMBERS: usize = 22;
/// The footer's block with its checksum.
pub(super) const FOOTER_BYTES: u64 = 8 * FOOTER_NUMBERS as u64 + CHECKSUM_BYTES as u64;

/// Where what lies, and how much of it there is.
#[derive(Debug, Clone, Copy)]
pub(super) struct Footer {
    pub(super) index: Span,
    pub(super) names: HashesSpan,
    pub(super) name_filter: Span,
    pub(super) ordinals: ListSpan,
    pub(super) ids: HashesSpan,
    pub(super) tags: Span,
    /// Accounts that have an event here.
    pub(super) accounts: u64,
    /// Those whose first event is here.
    pub(super) begun: u64,
    /// The bytes of all account blocks.
    pub(super) records: u64,
    /// The file's length.
    pub(super) length: u64,
    pub(super) erasures: Span,
}

impl Footer {
    pub(super) fn numbers(&self) -> [u64; FOOTER_NUMBERS] {
        let hashes = |set: &HashesSpan| [set.offset, set.homes, set.slots, set.count];
        let ([a, b, c, d], [e, f, g, h]) = (hashes(&self.names), hashes(&self.ids));
        [
            self.index.offset,
            self.index.bytes,
            a,
            b,
            c,
            d,
            self.name_filter.offset,
            self.name_filter.bytes,
            self.ordinals.offset,
            self.ordinals.count,
            e,
            f,
            g,
            h,
            self.tags.offset,
            self.tags.bytes,
            self.accounts,
            self.begun,
            self.records,
            self.length,
            self.erasures.offset,
            self.erasures.bytes,
        ]
    }

    /// Where it lies itself.
    pub(super) const fn span(&self) -> Span {
        Span { offset: self.length - FOOTER_BYTES, bytes: 8 * FOOTER_NUMBERS as u64 }
    }

    fn decode(bytes: &[u8]) -> Footer {
        let n = |i: usize| u64_at(bytes, 8 * i);
        let span = |i: usize| Span { offset: n(i), bytes: n(i + 1) };
        let hashes = |i: usize| HashesSpan {
            offset: n(i),
            homes: n(i + 1),
            slots: n(i + 2),
            count: n(i + 3),
        };
        Footer {
            index: span(0),
            names: hashes(2),
            name_filter: span(6),
            ordinals: ListSpan { offset: n(8), count: n(9) },
            ids: hashes(10),
            tags: span(14),
            accounts: n(16),
            begun: n(17),
            records: n(18),
            length: n(19),
            erasures: span(20),
        }
    }
}

/// Hash of an account's name, for the set of them.
pub(super) fn name_hash(name: &str) -> [u8; 16] {
    *blake3::hash(name.as_bytes()).as_bytes().first_chunk().expect("16 of 32 bytes")
}

/// A run open for reading.
#[derive(Debug)]
pub(crate) struct Run {
    file: BlockReader,
    pub(super) header: Header,
    pub(super) footer: Footer,
    index: OnceLock<Index>,
    names: OnceLock<Filter>,
    /// How often it was asked for an account.
    asked: AtomicU32,
    /// Account blocks that were read for it, by their numbers: their checksums held then.
    blocks: Mutex<HashMap<usize, Arc<Block>>>,
    ordinals: OnceLock<List<ORDINAL_BYTES, 8>>,
    tags: OnceLock<Filter>,
}

/// The account blocks: the separator before each, and where it lies.
#[derive(Debug, Clone, Default)]
pub(super) struct Index {
    text: Vec<u8>,
    /// Where each separator ends in it.
    ends: Vec<u32>,
    pub(super) spans: Vec<Span>,
}

impl Index {
    fn parse(bytes: &[u8]) -> Parsed<Index> {
        let mut input = Input(bytes);
        let count = input.count()?;
        let mut index = Index { spans: Vec::with_capacity(count), ..Index::default() };
        let mut offset = HEADER_BYTES as u64;
        for _ in 0..count {
            let len = input.count()?;
            let separator = input.take(len)?;
            let span = Span { offset, bytes: input.varint()? };
            index.push(separator, span)?;
            offset = offset.saturating_add(span.bytes).saturating_add(CHECKSUM_BYTES as u64);
        }
        if input.0.iter().any(|byte| *byte != 0) {
            return Err("what is behind the index is not zeros");
        }
        Ok(index)
    }

    /// Adds the next block.
    pub(super) fn push(&mut self, separator: &[u8], span: Span) -> Parsed<()> {
        self.text.extend_from_slice(separator);
        let end = u32::try_from(self.text.len()).map_err(|_| "the index is too long")?;
        self.ends.push(end);
        self.spans.push(span);
        Ok(())
    }

    /// As bytes, without zeros behind it.
    pub(super) fn encode(&self) -> Vec<u8> {
        let mut out = Vec::new();
        put_varint(&mut out, self.spans.len() as u64);
        for (block, span) in self.spans.iter().enumerate() {
            let separator = self.separator(block);
            put_varint(&mut out, separator.len() as u64);
            out.extend_from_slice(separator);
            put_varint(&mut out, span.bytes);
        }
        out
    }

    pub(super) fn separator(&self, block: usize) -> &[u8] {
        let from = block.checked_sub(1).map_or(0, |before| self.ends[before]);
        &self.text[from as usize..self.ends[block] as usize]
    }

    /// The block in which `name` is if it is in any.
    fn block_of(&self, name: &str) -> usize {
        let (mut low, mut high) = (0, self.spans.len());
        while low < high {
            let middle = usize::midpoint(low, high);
            if self.separator(middle) <= name.as_bytes() { low = middle + 1 } else { high = middle }
        }
        low.saturating_sub(1)
    }
}

fn lazily<T>(
    cell: &OnceLock<T>,
    make: impl FnOnce() -> Result<T, DerivedError>,
) -> Result<&T, DerivedError> {
    match cell.get() {
        Some(made) => Ok(made),
        // Two threads may both make it; one of the two equal ones stays.
        None => make().map(|made| cell.get_or_init(|| made)),
    }
}

impl Run {
    pub(super) fn open(path: &Path) -> Result<Run, DerivedError> {
        let (mut file, header) = BlockReader::open(path, &RUN)?;
        let offset = file.length().checked_sub(FOOTER_BYTES);
        let offset = offset.ok_or_else(|| file.damaged(0, "the file is too short"))?;
        let mut footer = [0; FOOTER_BYTES as usize];
        file.read_footer(offset, &mut footer)?;
        let footer = Footer::decode(&footer);
        if footer.length != file.length() || header.from > header.to {
            return Err(file.damaged(offset, "the footer is not this file's"));
        }
        Ok(Run {
            file,
            header,
            footer,
            index: OnceLock::new(),
            names: OnceLock::new(),
            asked: AtomicU32::new(0),
            blocks: Mutex::default(),
            ordinals: OnceLock::new(),
            tags: OnceLock::new(),
        })
    }

    pub(super) fn path(&self) -> &Path {
        self.file.path()
    }

    pub(super) fn damaged(&self, offset: u64, what: &'static str) -> DerivedError {
        self.file.damaged(offset, what)
    }

    /// Its blocks.
    pub(super) const fn file(&self) -> &BlockReader {
        &self.file
    }

    /// Whether something was taken out of it since it was opened, or it is there no more.
    pub(super) fn has_moved(&self) -> bool {
        Run::open(self.path()).map_or(true, |now| now.file.round() != self.file.round())
    }

    /// How many positions it covers.
    pub(super) const fn size(&self) -> u64 {
        self.header.to - self.header.from
    }

    /// How many ids it has.
    pub(super) const fn ids(&self) -> u64 {
        self.footer.ids.count
    }

    /// The records of erasures that it keeps.
    pub(super) fn erasures(&self) -> Result<Vec<u8>, DerivedError> {
        let mut buffer = Vec::new();
        if self.footer.erasures.bytes > 0 {
            self.file.read(self.footer.erasures, &mut buffer)?;
        }
        Ok(buffer)
    }

    pub(super) fn index(&self) -> Result<&Index, DerivedError> {
        lazily(&self.index, || {
            let mut buffer = Vec::new();
            self.file.read(self.footer.index, &mut buffer)?;
            let damaged = |what| self.file.damaged(self.footer.index.offset, what);
            Index::parse(&buffer).map_err(damaged)
        })
    }

    /// The separators before the account blocks that are text, with the bytes of each block.
    pub(super) fn fences(&self) -> Result<impl Iterator<Item = (&str, u64)>, DerivedError> {
        let index = self.index()?;
        let fence = |(block, span): (usize, &Span)| {
            // One that was cut in a letter is no name to begin at.
            Some((std::str::from_utf8(index.separator(block)).ok()?, span.bytes))
        };
        Ok(index.spans.iter().enumerate().filter_map(fence))
    }

    /// What `read` makes of an account's record, if the account is in this run. `hash` is the name's
    /// [`name_hash`].
    pub(super) fn record<T>(
        &self,
        name: &str,
        hash: &[u8; 16],
        read: impl FnOnce(&Record<'_>) -> Parsed<T>,
    ) -> Result<Option<T>, DerivedError> {
        // The filter is as large as dozens of blocks: it pays for those alone who ask for many accounts.
        if self.asked.fetch_add(1, Ordering::Relaxed) >= FEW {
            let names = lazily(&self.names, || Filter::read(&self.file, self.footer.name_filter))?;
            if !names.may_contain(hash) {
                return Ok(None);
            }
        }
        let block = self.index()?.block_of(name);
        let Some(block) = self.block_again(block)? else { return Ok(None) };
        let parsed = block.slot_of(name).and_then(|slot| {
            let record = block.record(slot)?;
            if slot == block.len() || Record::name_of(record)? != name {
                return Ok(None);
            }
            Record::parse(record).and_then(|record| read(&record)).map(Some)
        });
        parsed.map_err(|what| self.file.damaged(block.offset(), what))
    }

    pub(super) fn ordinals(&self) -> Result<&List<ORDINAL_BYTES, 8>, DerivedError> {
        lazily(&self.ordinals, || List::open(&self.file, self.footer.ordinals))
    }

    /// The block in which the account of a number is, if it is in this run.
    pub(super) fn block_of_ordinal(
        &self,
        ordinal: u64,
        held: &mut Held,
    ) -> Result<Option<u32>, DerivedError> {
        let entry = self.ordinals()?.find(&self.file, &ordinal.to_be_bytes(), held)?;
        let block = entry.map(|entry| u32::from_be_bytes(*entry.last_chunk().expect("4 bytes")));
        Ok(block.filter(|block| *block != NO_BLOCK))
    }

    /// Takes the accounts of this run out of `ordinals`, which rise, and gives their heads as they
    /// stood after it. A block is read once, however many of them are in it.
    pub(super) fn take_heads(
        &self,
        ordinals: &mut Vec<u64>,
        heads: &mut Vec<Head>,
    ) -> Result<(), DerivedError> {
        let mut held = Held::default();
        let (mut places, mut others) = (Vec::new(), Vec::new());
        for ordinal in ordinals.drain(..) {
            match self.block_of_ordinal(ordinal, &mut held)? {
                Some(block) => places.push((block, ordinal)),
                None => others.push(ordinal),
            }
        }
        *ordinals = others;
        places.sort_unstable();
        for of_block in places.chunk_by(|(a, _), (b, _)| a == b) {
            let Some(block) = self.block(of_block[0].0 as usize, Vec::new())? else {
                return Err(self.file.damaged(self.footer.ordinals.offset, "it names no block"));
            };
            let damaged = |what| self.file.damaged(block.offset(), what);
            let mut found = 0;
            for record in block.records() {
                let record = record.map_err(damaged)?;
                let ordinal = Record::ordinal_of(record).map_err(damaged)?;
                if of_block.binary_search_by_key(&ordinal, |(_, ordinal)| *ordinal).is_ok() {
                    heads.push(Record::parse(record).map_err(damaged)?.head());
                    found += 1;
                }
            }
            if found != of_block.len() {
                return Err(damaged("an account is not in it"));
            }
        }
        Ok(())
    }

    /// The filter over the ids.
    fn tags(&self) -> Result<&Filter, DerivedError> {
        lazily(&self.tags, || Filter::read(&self.file, self.footer.tags))
    }

    /// False: the id is not in the run.
    pub(super) fn may_have_id(&self, tag: &IdTag) -> Result<bool, DerivedError> {
        Ok(self.tags()?.may_contain(tag))
    }

    pub(super) fn find_id(&self, tag: &IdTag) -> Result<Option<u64>, DerivedError> {
        if !self.tags()?.may_contain(tag) {
            return Ok(None);
        }
        let found = Slots::new(&self.file, self.footer.ids).find(tag)?;
        Ok(found.map(|(_, entry)| self.id(&entry).1))
    }

    fn id(&self, entry: &[u8; ID_BYTES]) -> (IdTag, u64) {
        let (tag, beyond) = entry.split_first_chunk().expect("16 bytes of tag");
        let beyond = u32::from_be_bytes(beyond.try_into().expect("4 bytes of position"));
        (*tag, self.header.from + u64::from(beyond))
    }

    /// All ids, in order of tags.
    pub(super) fn all_ids(&self) -> Ids<'_> {
        Ids { run: self, slots: Slots::new(&self.file, self.footer.ids) }
    }

    /// The hashes of the names of its accounts.
    #[cfg(test)]
    pub(super) fn all_names(&self) -> Result<Vec<[u8; NAME_BYTES]>, DerivedError> {
        let (mut names, mut slots) = (Vec::new(), Slots::new(&self.file, self.footer.names));
        while let Some(name) = slots.next()? {
            names.push(name);
        }
        Ok(names)
    }

    /// Holds the revision that an account begins with in the oldest run that has it: if that is not its first, what was before
    /// is being taken out of older runs.
    pub(super) fn begins_at(&self, revision: u64) -> Result<(), DerivedError> {
        match revision {
            0 => Ok(()),
            _ => Err(DerivedError::Moved { path: self.path().to_owned() }),
        }
    }

    /// The block in which an account is if it is in this run.
    pub(super) fn block_of(&self, name: &str) -> Result<usize, DerivedError> {
        Ok(self.index()?.block_of(name))
    }

    /// An account block as [`Run::block`] reads it, if it was not read before.
    fn block_again(&self, number: usize) -> Result<Option<Arc<Block>>, DerivedError> {
        let kept = || self.blocks.lock().expect("nothing in here panics");
        if let Some(block) = kept().get(&number) {
            return Ok(Some(Arc::clone(block)));
        }
        let Some(block) = self.block(number, Vec::new())?.map(Arc::new) else { return Ok(None) };
        if block.bytes() > MOST_KEPT {
            return Ok(Some(block));
        }
        let mut kept = kept();
        if kept.len() >= MOST_BLOCKS {
            kept.clear();
        }
        kept.insert(number, Arc::clone(&block));
        Ok(Some(block))
    }

    /// Reads an account block, `None` after the last. `buffer` is memory to use.
    pub(super) fn block(
        &self,
        number: usize,
        mut buffer: Vec<u8>,
    ) -> Result<Option<Block>, DerivedError> {
        let Some(span) = self.index()?.spans.get(number).copied() else { return Ok(None) };
        self.file.read(span, &mut buffer)?;
        let block = Block::parse(span.offset, buffer);
        block.map(Some).map_err(|what| self.file.damaged(span.offset, what))
    }
}

/// Reads ids in order of tags.
#[derive(Debug)]
pub(super) struct Ids<'a> {
    run: &'a Run,
    slots: Slots<'a, ID_BYTES>,
}

impl Ids<'_> {
    pub(super) fn next(&mut self) -> Result<Option<(IdTag, u64)>, DerivedError> {
        Ok(self.slots.next()?.map(|entry| self.run.id(&entry)))
    }
}
