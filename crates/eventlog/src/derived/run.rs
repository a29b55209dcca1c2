//! One run: an immutable file that holds what a fold reads of the positions [from, to).
//!
//! After the header ([`file`](super::file)) come, each a block or a list of blocks:
//!
//! 1. *account blocks*: records ([`account`](super::account)) in byte order of names, about 16 KiB
//!    of them, then the offset of each (4 bytes) and their count (4 bytes);
//! 2. the *index* of these: varint count, and for each a varint length and its first name;
//! 3. a *filter* over the names' hashes;
//! 4. the *ordinals*: a list of (ordinal, block, slot) of these accounts, 8 + 4 + 4 bytes, big-endian;
//! 5. the *erasures*, if there are any: the records of the log in this run's range ([`erased`](super::erased));
//! 6. the *ids*: a list of (tag, position beyond `from`), 16 + 4 bytes, the last big-endian: so a
//!    run covers at most 2^32 positions;
//! 7. a *filter* over the tags;
//! 8. the *footer*: the numbers of [`Footer`] in their order.
//!
//! Opening reads header and footer. The rest is read when first asked for, the index, fences and
//! filters then stay in memory: about 1.5 bytes an event where ids are looked up, else far less.

use std::collections::HashMap;
use std::path::Path;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, OnceLock};

use event::{NameId, Names};

use super::account::Record;
use super::block::Block;
use super::bytes::{Input, Parsed, u64_at};
use super::file::{BlockReader, CHECKSUM_BYTES, HEADER_BYTES, Header, Span};
use super::filter::Filter;
use super::list::{Held, List, ListReader, ListSpan};
use super::{DerivedError, Head, IdTag};

/// An ordinal, the number of a block and the slot in it.
pub(super) const ORDINAL_BYTES: usize = 16;
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

const FOOTER_NUMBERS: usize = 16;
/// The footer's block with its checksum.
pub(super) const FOOTER_BYTES: u64 = 8 * FOOTER_NUMBERS as u64 + CHECKSUM_BYTES as u64;

/// Where what lies, and how much of it there is.
#[derive(Debug, Clone, Copy)]
pub(super) struct Footer {
    pub(super) index: Span,
    pub(super) names: Span,
    pub(super) ordinals: ListSpan,
    pub(super) ids: ListSpan,
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
        [
            self.index.offset,
            self.index.bytes,
            self.names.offset,
            self.names.bytes,
            self.ordinals.offset,
            self.ordinals.count,
            self.ids.offset,
            self.ids.count,
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

    fn decode(bytes: &[u8]) -> Footer {
        let n = |i: usize| u64_at(bytes, 8 * i);
        Footer {
            index: Span { offset: n(0), bytes: n(1) },
            names: Span { offset: n(2), bytes: n(3) },
            ordinals: ListSpan { offset: n(4), count: n(5) },
            ids: ListSpan { offset: n(6), count: n(7) },
            tags: Span { offset: n(8), bytes: n(9) },
            accounts: n(10),
            begun: n(11),
            records: n(12),
            length: n(13),
            erasures: Span { offset: n(14), bytes: n(15) },
        }
    }
}

/// Hash of an account's name, for the filter.
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
    ids: OnceLock<(Filter, List<ID_BYTES, 16>)>,
}

/// The account blocks: the first name of each, and where it lies.
#[derive(Debug)]
struct Index {
    names: Names,
    spans: Vec<Span>,
}

impl Index {
    fn parse(bytes: &[u8]) -> Parsed<Index> {
        let mut input = Input(bytes);
        let count = input.count()?;
        let mut index = Index { names: Names::default(), spans: Vec::with_capacity(count) };
        let mut offset = HEADER_BYTES as u64;
        for _ in 0..count {
            index.names.push(input.str()?);
            let span = Span { offset, bytes: input.varint()? };
            index.spans.push(span);
            offset = offset.saturating_add(span.bytes).saturating_add(CHECKSUM_BYTES as u64);
        }
        Ok(index)
    }

    fn first(&self, block: usize) -> &str {
        self.names.get(NameId(block as u32))
    }

    /// The block in which `name` is if it is in any.
    fn block_of(&self, name: &str) -> usize {
        let (mut low, mut high) = (0, self.spans.len());
        while low < high {
            let middle = usize::midpoint(low, high);
            if self.first(middle) <= name { low = middle + 1 } else { high = middle }
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
        let (file, header) = BlockReader::open(path)?;
        let offset = file.length().checked_sub(FOOTER_BYTES);
        let offset = offset.ok_or_else(|| file.damaged(0, "the file is too short"))?;
        let mut footer = [0; FOOTER_BYTES as usize];
        file.read_into(offset, &mut footer)?;
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
            ids: OnceLock::new(),
        })
    }

    pub(super) fn path(&self) -> &Path {
        self.file.path()
    }

    pub(super) fn damaged(&self, offset: u64, what: &'static str) -> DerivedError {
        self.file.damaged(offset, what)
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

    fn index(&self) -> Result<&Index, DerivedError> {
        lazily(&self.index, || {
            let mut buffer = Vec::new();
            self.file.read(self.footer.index, &mut buffer)?;
            let damaged = |what| self.file.damaged(self.footer.index.offset, what);
            Index::parse(&buffer).map_err(damaged)
        })
    }

    fn filter(&self, span: Span) -> Result<Filter, DerivedError> {
        let mut buffer = Vec::new();
        self.file.read(span, &mut buffer)?;
        Filter::decode(&buffer).map_err(|what| self.file.damaged(span.offset, what))
    }

    /// The first names of the account blocks, with the bytes of each block.
    pub(super) fn fences(&self) -> Result<impl Iterator<Item = (&str, u64)>, DerivedError> {
        let index = self.index()?;
        Ok(index.names.iter().zip(index.spans.iter().map(|span| span.bytes)))
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
            let names = lazily(&self.names, || self.filter(self.footer.names))?;
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

    /// Whether an account of this number is in this run.
    pub(super) fn has_ordinal(&self, ordinal: u64) -> Result<bool, DerivedError> {
        let list = lazily(&self.ordinals, || List::open(&self.file, self.footer.ordinals))?;
        Ok(list.find(&self.file, &ordinal.to_be_bytes(), &mut Held::default())?.is_some())
    }

    /// Takes the accounts of this run out of `ordinals`, which rise, and gives their heads as they
    /// stood after it. A block is read once, however many of them are in it.
    pub(super) fn take_heads(
        &self,
        ordinals: &mut Vec<u64>,
        heads: &mut Vec<Head>,
    ) -> Result<(), DerivedError> {
        let list = lazily(&self.ordinals, || List::open(&self.file, self.footer.ordinals))?;
        let mut held = Held::default();
        let (mut places, mut others) = (Vec::new(), Vec::new());
        for ordinal in ordinals.drain(..) {
            match list.find(&self.file, &ordinal.to_be_bytes(), &mut held)? {
                Some(entry) => places.push((u128::from_be_bytes(entry) as u64, ordinal)),
                None => others.push(ordinal),
            }
        }
        *ordinals = others;
        places.sort_unstable();
        for of_block in places.chunk_by(|(a, _), (b, _)| a >> 32 == b >> 32) {
            let Some(block) = self.block((of_block[0].0 >> 32) as usize, Vec::new())? else {
                return Err(self.file.damaged(self.footer.ordinals.offset, "it names no block"));
            };
            for (place, ordinal) in of_block {
                let record = block.record(*place as u32 as usize).and_then(Record::parse);
                let head = record.map_err(|what| self.file.damaged(block.offset(), what))?.head();
                if head.ordinal != *ordinal {
                    return Err(self.file.damaged(block.offset(), "it is of another account"));
                }
                heads.push(head);
            }
        }
        Ok(())
    }

    /// The filter and the list of ids.
    fn ids_read(&self) -> Result<&(Filter, List<ID_BYTES, 16>), DerivedError> {
        lazily(&self.ids, || {
            Ok((self.filter(self.footer.tags)?, List::open(&self.file, self.footer.ids)?))
        })
    }

    /// False: the id is not in the run.
    pub(super) fn may_have_id(&self, tag: &IdTag) -> Result<bool, DerivedError> {
        Ok(self.ids_read()?.0.may_contain(tag))
    }

    pub(super) fn find_id(&self, tag: &IdTag) -> Result<Option<u64>, DerivedError> {
        let (filter, ids) = self.ids_read()?;
        if !filter.may_contain(tag) {
            return Ok(None);
        }
        let found = ids.find(&self.file, tag, &mut Held::default())?;
        Ok(found.map(|entry| self.id(&entry).1))
    }

    fn id(&self, entry: &[u8; ID_BYTES]) -> (IdTag, u64) {
        let (tag, beyond) = entry.split_first_chunk().expect("16 bytes of tag");
        let beyond = u32::from_be_bytes(beyond.try_into().expect("4 bytes of position"));
        (*tag, self.header.from + u64::from(beyond))
    }

    /// All ids, in order of tags.
    pub(super) fn all_ids(&self) -> Ids<'_> {
        Ids { run: self, list: ListReader::new(&self.file, self.footer.ids) }
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
    list: ListReader<'a, ID_BYTES>,
}

impl Ids<'_> {
    pub(super) fn next(&mut self) -> Result<Option<(IdTag, u64)>, DerivedError> {
        Ok(self.list.next()?.map(|entry| self.run.id(&entry)))
    }
}
