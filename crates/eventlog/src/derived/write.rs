//! Writes a run from front to back: all accounts in order of names, then all ids in order of tags.

use std::path::Path;

use super::block::close;
use super::bytes::{put_str, put_varint};
use super::file::{BlockWriter, Header, Span};
use super::filter::Filter;
use super::hashes::{HashWriter, HashesSpan};
use super::list::ListWriter;
use super::run::{
    FOOTER_BYTES, Footer, ID_BYTES, MOST_POSITIONS, NAME_BYTES, ORDINAL_BYTES, RUN, name_hash,
};
use super::{DerivedError, IdTag};

/// Records of a block, in bytes, from which it is closed: enough for BLAKE3 to hash at full width,
/// little enough to read one for one account.
const BLOCK_BYTES: usize = 16 << 10;

/// Takes in the accounts.
#[derive(Debug)]
pub(super) struct RunWriter {
    file: BlockWriter,
    from: u64,
    block: Vec<u8>,
    offsets: Vec<u32>,
    /// The entries of the index so far.
    index: Vec<u8>,
    blocks: u32,
    names: Vec<[u8; NAME_BYTES]>,
    ordinals: Vec<(u64, u32)>,
    ids: u64,
    begun: u64,
    records: u64,
}

/// Takes in the ids, after the accounts.
#[derive(Debug)]
pub(super) struct IdWriter {
    file: BlockWriter,
    from: u64,
    ids: HashWriter<ID_BYTES>,
    tags: Filter,
    /// What is known of it so far.
    footer: Footer,
}

impl RunWriter {
    /// `ids` are how many there will be, about: their places are made for them.
    pub(super) fn create(
        path: &Path,
        header: &Header,
        round: u32,
        ids: u64,
    ) -> Result<RunWriter, DerivedError> {
        assert!(header.to - header.from <= MOST_POSITIONS, "a run of too many positions");
        Ok(RunWriter {
            file: BlockWriter::create(path.to_owned(), &RUN, header, round)?,
            from: header.from,
            block: Vec::new(),
            offsets: Vec::new(),
            index: Vec::new(),
            blocks: 0,
            names: Vec::new(),
            ordinals: Vec::new(),
            ids,
            begun: 0,
            records: 0,
        })
    }

    /// Adds an account: `write` appends its record. `begins`: its first event is in this run.
    pub(super) fn account(
        &mut self,
        name: &str,
        ordinal: u64,
        begins: bool,
        write: impl FnOnce(&mut Vec<u8>),
    ) -> Result<(), DerivedError> {
        if self.block.len() >= BLOCK_BYTES {
            self.end_block()?;
        }
        if self.block.is_empty() {
            put_str(&mut self.index, name);
        }
        let offset = u32::try_from(self.block.len()).expect("a block is closed at 16 KiB");
        self.offsets.push(offset);
        write(&mut self.block);
        self.names.push(name_hash(name));
        self.ordinals.push((ordinal, self.blocks));
        self.begun += u64::from(begins);
        Ok(())
    }

    fn end_block(&mut self) -> Result<(), DerivedError> {
        close(&mut self.block, &self.offsets, None);
        self.offsets.clear();
        let span = self.file.block(&self.block)?;
        put_varint(&mut self.index, span.bytes);
        self.records += span.bytes;
        self.blocks += 1;
        self.block.clear();
        Ok(())
    }

    /// All accounts have been added; now the ids. `erasures`: the records that the run keeps.
    pub(super) fn ids(mut self, erasures: &[u8]) -> Result<IdWriter, DerivedError> {
        if !self.block.is_empty() {
            self.end_block()?;
        }
        let mut file = self.file;
        let mut index = Vec::new();
        put_varint(&mut index, u64::from(self.blocks));
        index.append(&mut self.index);
        let index = file.block(&index)?;
        self.names.sort_unstable_by_key(|hash| u128::from_be_bytes(*hash));
        let mut names = HashWriter::begin(&file, self.names.len() as u64);
        let mut filter = Filter::new(self.names.len() as u64);
        for hash in &self.names {
            names.push(&mut file, hash)?;
            filter.insert(hash);
        }
        let (names, name_filter) = (names.end(&mut file)?, filter.write(&mut file)?);
        self.ordinals.sort_unstable();
        let mut ordinals = ListWriter::<ORDINAL_BYTES>::begin(&file);
        for (ordinal, block) in &self.ordinals {
            ordinals.push(&mut file, &ordinal_entry(*ordinal, *block))?;
        }
        let ordinals = ordinals.end(&mut file)?;
        let erasures = match erasures {
            [] => Span { offset: file.at(), bytes: 0 },
            some => file.block(some)?,
        };
        let ids = HashWriter::begin(&file, self.ids);
        let footer = Footer {
            index,
            names,
            name_filter,
            ordinals,
            ids: HashesSpan { slots: 0, ..names },
            tags: name_filter,
            accounts: self.ordinals.len() as u64,
            begun: self.begun,
            records: self.records,
            length: 0,
            erasures,
        };
        Ok(IdWriter { file, from: self.from, ids, tags: Filter::new(self.ids), footer })
    }
}

impl IdWriter {
    /// Adds an id.
    pub(super) fn id(&mut self, tag: &IdTag, position: u64) -> Result<(), DerivedError> {
        let beyond = u32::try_from(position - self.from).expect("under 2^32 in a run");
        let mut entry = [0; ID_BYTES];
        entry[..16].copy_from_slice(tag);
        entry[16..].copy_from_slice(&beyond.to_be_bytes());
        self.tags.insert(tag);
        self.ids.push(&mut self.file, &entry)
    }

    /// Writes what is left, syncs the file and gives it its name.
    pub(super) fn finish(mut self, name: &Path) -> Result<(), DerivedError> {
        let ids = self.ids.end(&mut self.file)?;
        let tags = self.tags.write(&mut self.file)?;
        let length = self.file.at() + FOOTER_BYTES;
        let footer = Footer { ids, tags, length, ..self.footer };
        self.file.block(footer.numbers().map(u64::to_le_bytes).as_flattened())?;
        self.file.publish(name)
    }
}

/// An entry of the list of ordinals.
pub(super) fn ordinal_entry(ordinal: u64, block: u32) -> [u8; ORDINAL_BYTES] {
    let mut entry = [0; ORDINAL_BYTES];
    entry[..8].copy_from_slice(&ordinal.to_be_bytes());
    entry[8..].copy_from_slice(&block.to_be_bytes());
    entry
}
