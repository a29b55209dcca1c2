//! A file of blocks, each with a checksum that also says where it belongs: a run, or what is kept of a seal.
//!
//! | bytes | what |
//! |---|---|
//! | 8 | `stillrun`, `stillsld`: its [kind](Kind) |
//! | 4, 4 | version of this kind; zeros |
//! | 16 | store |
//! | 8, 8 | from, to: the positions covered, `to` not included |
//! | 8, 8, 32 | anchor: segment, offset, checksum |
//! | … | blocks, each followed by its checksum (12) and its round (4) |
//! | …, 12, 4 | the footer, a block of a length that the kind has (see [`run`](super::run) and `seal/kept.rs`) |
//!
//! Numbers are little-endian. A checksum is the first 12 bytes of BLAKE3, keyed by the header, of the
//! block's bytes, its offset, its length and its round: a block moved within a file or taken from another run
//! is as bad as a flipped bit. It finds damage, not forgery; against that stands the log itself.
//!
//! A file is made in round 0. What an erasure takes is taken out in place ([`Patch`]), each time in the next round, the footer
//! last; or all of it is written anew in that round. Who has a file open from before sees it as it was then, or is told that it
//! [moved](DerivedError::Moved).

use std::collections::BTreeMap;
use std::fs::{File, OpenOptions};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::bytes::{Input, Parsed};
use super::{Anchor, DerivedError, Place};

pub(crate) const HEADER_BYTES: usize = 96;
/// A block's checksum and its round.
pub(crate) const CHECKSUM_BYTES: usize = 16;

/// What a file of blocks is.
#[derive(Debug)]
pub(crate) struct Kind {
    pub(crate) magic: [u8; 8],
    pub(crate) version: u32,
    /// What the key of its checksums is derived for: no other kind or version has the same.
    pub(crate) context: &'static str,
}

/// How long to wait before a block that is not sound is read once more: it may be written just now.
const AGAIN: [Duration; 2] = [Duration::ZERO, Duration::from_micros(200)];

/// What a file covers, of which store.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Header {
    pub(crate) store: [u8; 16],
    pub(crate) from: u64,
    pub(crate) to: u64,
    pub(crate) anchor: Anchor,
}

impl Header {
    fn encode(&self, kind: &Kind) -> [u8; HEADER_BYTES] {
        let Anchor { end, checksum } = &self.anchor;
        let version = u64::from(kind.version).to_le_bytes();
        let numbers = [self.from, self.to, end.segment, end.offset].map(u64::to_le_bytes);
        let parts: [&[u8]; 5] =
            [&kind.magic, &version, &self.store, numbers.as_flattened(), checksum];
        parts.concat().try_into().expect("the parts' lengths add up")
    }

    fn decode(bytes: &[u8; HEADER_BYTES], kind: &Kind) -> Parsed<Header> {
        let mut input = Input(bytes);
        if input.array()? != kind.magic {
            return Err("it does not begin as its kind does");
        }
        if input.array()? != u64::from(kind.version).to_le_bytes() {
            return Err("it is of another version");
        }
        let store = input.array()?;
        let mut number = || input.array().map(u64::from_le_bytes);
        let (from, to) = (number()?, number()?);
        let end = Place { segment: number()?, offset: number()? };
        let anchor = Anchor { end, checksum: input.array()? };
        Ok(Header { store, from, to, anchor })
    }

    fn key(&self, kind: &Kind) -> [u8; 32] {
        blake3::derive_key(kind.context, &self.encode(kind))
    }
}

/// Where a block lies; its checksum comes after it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Span {
    pub(crate) offset: u64,
    pub(crate) bytes: u64,
}

/// The checksum of a block, and its round behind it.
fn checksum(key: &[u8; 32], offset: u64, bytes: &[u8], round: u32) -> [u8; CHECKSUM_BYTES] {
    let round = round.to_le_bytes();
    let mut hasher = blake3::Hasher::new_keyed(key);
    hasher.update(bytes);
    hasher.update(&offset.to_le_bytes());
    hasher.update(&(bytes.len() as u64).to_le_bytes());
    hasher.update(&round);
    let mut checksum = *hasher.finalize().as_bytes().first_chunk().expect("16 of 32 bytes");
    checksum[CHECKSUM_BYTES - round.len()..].copy_from_slice(&round);
    checksum
}

/// Writes a file from front to back, under a temporary name.
#[derive(Debug)]
pub(crate) struct BlockWriter {
    path: PathBuf,
    file: BufWriter<File>,
    at: u64,
    key: [u8; 32],
    round: u32,
}

impl BlockWriter {
    /// For a file that is in this round from the beginning.
    pub(crate) fn create(
        path: PathBuf,
        kind: &Kind,
        header: &Header,
        round: u32,
    ) -> Result<BlockWriter, DerivedError> {
        let write = || {
            let mut file = BufWriter::with_capacity(1 << 18, File::create(&path)?);
            file.write_all(&header.encode(kind))?;
            Ok(file)
        };
        match write() {
            Ok(file) => {
                let (at, key) = (HEADER_BYTES as u64, header.key(kind));
                Ok(BlockWriter { path, file, at, key, round })
            }
            Err(source) => Err(DerivedError::Io { path, source }),
        }
    }

    pub(crate) fn block(&mut self, bytes: &[u8]) -> Result<Span, DerivedError> {
        let span = Span { offset: self.at, bytes: bytes.len() as u64 };
        let checksum = checksum(&self.key, span.offset, bytes, self.round);
        let written = self.file.write_all(bytes).and_then(|()| self.file.write_all(&checksum));
        written.map_err(|source| DerivedError::Io { path: self.path.clone(), source })?;
        self.at += span.bytes + CHECKSUM_BYTES as u64;
        Ok(span)
    }

    /// Where the next block will lie.
    pub(crate) const fn at(&self) -> u64 {
        self.at
    }

    /// Syncs the file and gives it its name. The folder is not synced yet.
    pub(crate) fn publish(self, name: &Path) -> Result<(), DerivedError> {
        self.name(name, File::sync_all)
    }

    /// Gives the file its name without a sync: after a loss of power it may be damaged, and is then not believed.
    pub(crate) fn publish_unsynced(self, name: &Path) -> Result<(), DerivedError> {
        self.name(name, |_| Ok(()))
    }

    fn name(
        self,
        name: &Path,
        sync: impl FnOnce(&File) -> io::Result<()>,
    ) -> Result<(), DerivedError> {
        let BlockWriter { path, file, .. } = self;
        let publish = || {
            sync(&file.into_inner().map_err(io::IntoInnerError::into_error)?)?;
            std::fs::rename(&path, name)
        };
        publish().map_err(|source| DerivedError::Io { path, source })
    }
}

/// Reads blocks anywhere in a file. The file stays readable when its name is gone.
#[derive(Debug)]
pub(crate) struct BlockReader {
    path: PathBuf,
    file: File,
    length: u64,
    key: [u8; 32],
    /// The footer's when the file was opened: blocks of a later one are not read.
    round: u32,
}

impl BlockReader {
    /// Opens a file and reads its header, which the checksum of any block then vouches for.
    pub(crate) fn open(path: &Path, kind: &Kind) -> Result<(BlockReader, Header), DerivedError> {
        let open = || {
            let file = File::open(path)?;
            let length = file.metadata()?.len();
            let mut header = [0; HEADER_BYTES];
            read_exact_at(&file, &mut header, 0)?;
            Ok((file, length, header))
        };
        let io = |source| DerivedError::Io { path: path.to_owned(), source };
        let (file, length, header) = open().map_err(io)?;
        let mut reader =
            BlockReader { path: path.to_owned(), file, length, key: [0; 32], round: 0 };
        let header = Header::decode(&header, kind).map_err(|what| reader.damaged(0, what))?;
        reader.key = header.key(kind);
        Ok((reader, header))
    }

    /// The file's length in bytes when it was opened.
    pub(crate) const fn length(&self) -> u64 {
        self.length
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Reads a block into `buffer`, whatever was in it.
    pub(crate) fn read(&self, span: Span, buffer: &mut Vec<u8>) -> Result<(), DerivedError> {
        let end = span.offset.checked_add(span.bytes);
        if end.is_none_or(|end| end > self.length) {
            return Err(self.damaged(span.offset, "it is beyond the end of the file"));
        }
        buffer.resize(span.bytes as usize + CHECKSUM_BYTES, 0);
        self.read_into(span.offset, buffer)?;
        buffer.truncate(span.bytes as usize);
        Ok(())
    }

    /// Reads a block with its checksum into `buffer`, which is exactly as long.
    pub(crate) fn read_into(&self, offset: u64, buffer: &mut [u8]) -> Result<(), DerivedError> {
        if self.read_any(offset, buffer)? > self.round {
            return Err(DerivedError::Moved { path: self.path.clone() });
        }
        Ok(())
    }

    /// The same for the footer, whose round is that of the file.
    pub(crate) fn read_footer(
        &mut self,
        offset: u64,
        buffer: &mut [u8],
    ) -> Result<(), DerivedError> {
        self.round = self.read_any(offset, buffer)?;
        Ok(())
    }

    /// Reads a block of any round, and says which.
    fn read_any(&self, offset: u64, buffer: &mut [u8]) -> Result<u32, DerivedError> {
        let mut again = AGAIN.iter();
        loop {
            match read_exact_at(&self.file, buffer, offset) {
                Ok(()) => {}
                Err(e) if e.kind() == io::ErrorKind::UnexpectedEof => {
                    return Err(self.damaged(offset, "the file ends before it"));
                }
                Err(source) => return Err(DerivedError::Io { path: self.path.clone(), source }),
            }
            let (bytes, found) = buffer.split_at(buffer.len() - CHECKSUM_BYTES);
            let round = u32::from_le_bytes(*found.last_chunk().expect("16 bytes"));
            if checksum(&self.key, offset, bytes, round) == found {
                return Ok(round);
            }
            match again.next() {
                Some(wait) => std::thread::sleep(*wait),
                None => return Err(self.damaged(offset, "its checksum is another")),
            }
        }
    }

    /// The file's round when it was opened.
    pub(crate) const fn round(&self) -> u32 {
        self.round
    }

    pub(crate) fn damaged(&self, offset: u64, what: &'static str) -> DerivedError {
        DerivedError::Damaged { path: self.path.clone(), offset, what }
    }
}

/// Blocks of a file that are to be others, gathered before they are written in place.
#[derive(Debug)]
pub(crate) struct Patch<'r> {
    file: &'r BlockReader,
    /// By their offsets: those that were asked for, and whether they were changed.
    blocks: BTreeMap<u64, (Vec<u8>, bool)>,
}

impl<'r> Patch<'r> {
    pub(crate) const fn new(file: &'r BlockReader) -> Patch<'r> {
        Patch { file, blocks: BTreeMap::new() }
    }

    fn block(&mut self, span: Span) -> Result<&mut (Vec<u8>, bool), DerivedError> {
        if !self.blocks.contains_key(&span.offset) {
            let mut bytes = Vec::new();
            self.file.read(span, &mut bytes)?;
            self.blocks.insert(span.offset, (bytes, false));
        }
        Ok(self.blocks.get_mut(&span.offset).expect("it was just read"))
    }

    /// A block as it will be.
    pub(crate) fn get(&mut self, span: Span) -> Result<&[u8], DerivedError> {
        self.block(span).map(|(bytes, _)| &bytes[..])
    }

    /// The same to be changed.
    pub(crate) fn change(&mut self, span: Span) -> Result<&mut [u8], DerivedError> {
        let (bytes, is_changed) = self.block(span)?;
        *is_changed = true;
        Ok(bytes)
    }

    pub(crate) fn is_changed(&self) -> bool {
        self.blocks.values().any(|(_, is_changed)| *is_changed)
    }

    /// Writes what was changed, the last block last, and syncs it.
    pub(crate) fn write(self) -> Result<(), DerivedError> {
        let BlockReader { path, key, round, .. } = self.file;
        let write = || {
            let file = OpenOptions::new().write(true).open(path)?;
            for (offset, (mut bytes, is_changed)) in self.blocks {
                if is_changed {
                    let checksum = checksum(key, offset, &bytes, round + 1);
                    bytes.extend_from_slice(&checksum);
                    write_all_at(&file, &bytes, offset)?;
                }
            }
            file.sync_all()
        };
        write().map_err(|source| DerivedError::Io { path: path.clone(), source })
    }
}

#[cfg(unix)]
fn write_all_at(file: &File, buffer: &[u8], offset: u64) -> io::Result<()> {
    std::os::unix::fs::FileExt::write_all_at(file, buffer, offset)
}

#[cfg(windows)]
fn write_all_at(file: &File, mut buffer: &[u8], mut offset: u64) -> io::Result<()> {
    while !buffer.is_empty() {
        match std::os::windows::fs::FileExt::seek_write(file, buffer, offset)? {
            0 => return Err(io::ErrorKind::WriteZero.into()),
            n => {
                buffer = &buffer[n..];
                offset += n as u64;
            }
        }
    }
    Ok(())
}

#[cfg(unix)]
fn read_exact_at(file: &File, buffer: &mut [u8], offset: u64) -> io::Result<()> {
    std::os::unix::fs::FileExt::read_exact_at(file, buffer, offset)
}

#[cfg(windows)]
fn read_exact_at(file: &File, mut buffer: &mut [u8], mut offset: u64) -> io::Result<()> {
    while !buffer.is_empty() {
        match std::os::windows::fs::FileExt::seek_read(file, buffer, offset)? {
            0 => return Err(io::ErrorKind::UnexpectedEof.into()),
            n => {
                buffer = &mut buffer[n..];
                offset += n as u64;
            }
        }
    }
    Ok(())
}
