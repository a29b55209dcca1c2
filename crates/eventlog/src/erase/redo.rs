//! `log/REDO`: an erasure that will happen, whoever goes on with it.
//!
//! | bytes | what |
//! |---|---|
//! | 8 | `STILLRDO` |
//! | 4, 4 | version, 1; zeros |
//! | 16 | store id |
//! | 8, 8, 8, 16 | where the log ended when it was written: segment, offset, events, checksum of the last batch |
//! | 4 and as many | the frame of the record |
//! | 4, then each | extents: segment (8), offset (8), length (4) and as many bytes: what will stand there |
//! | 32 | BLAKE3 of all before it |
//!
//! It is written as `log/REDO.tmp`, synced and renamed. One that is not whole was never acted on: it is removed. One that
//! is whole is carried out; every step of it can be done again.

use std::io;
use std::path::PathBuf;

use commitment::{BATCH_HEADER, BatchHeader, FRAME_HEADER, Frame, SEGMENT_HEADER};

use crate::OpenError;
use crate::derived::Place;
use crate::folder::Folder;
use crate::head_file::Durable;
use crate::storage::{self, Access};

pub(crate) const REDO: &str = "REDO";
const MAGIC: &[u8; 8] = b"STILLRDO";
const VERSION: u32 = 1;

/// An erasure that will happen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Redo {
    pub(crate) store: [u8; 16],
    /// Where the log ended before the record.
    pub(crate) end: Durable,
    /// The record's frame.
    pub(crate) record: Vec<u8>,
    /// What will stand where, in the order of the log.
    pub(crate) extents: Vec<Extent>,
}

/// Bytes of a segment, as they will be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Extent {
    pub(crate) place: Place,
    pub(crate) bytes: Vec<u8>,
}

/// What tells one from another: the hash at its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Mark([u8; 32]);

impl Mark {
    /// Of the one that is there, whole or not; none of one that is too short to be one.
    pub(crate) fn read(folder: &Folder) -> io::Result<Option<Mark>> {
        let file = match folder.storage.open(&path(folder), Access::Read) {
            Err(e) if is_none(&e) => return Ok(None),
            file => file?,
        };
        let mut hash = [0; 32];
        let Some(offset) = file.length()?.checked_sub(32) else { return Ok(None) };
        let len = file.read_at(&mut hash, offset)?;
        Ok((len == 32).then_some(Mark(hash)))
    }
}

/// A store's place may be a file: whoever opens it says so.
fn is_none(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory)
}

/// Where it lies.
fn path(folder: &Folder) -> PathBuf {
    folder.log().join(REDO)
}

impl Redo {
    /// Writes it: when this answers it will be carried out.
    pub(crate) fn write(&self, folder: &Folder) -> Result<(), OpenError> {
        let path = path(folder);
        let written = storage::put(&*folder.storage, &path, &self.encode(), Access::Create);
        written.map_err(OpenError::io("write", &path))
    }

    /// The one of a store, if there is one that is whole.
    ///
    /// # Errors
    /// [`OpenError::Io`]
    pub(crate) fn read(folder: &Folder) -> Result<Option<Redo>, OpenError> {
        let path = path(folder);
        let read = folder.storage.open(&path, Access::Read).and_then(|file| {
            let mut bytes = vec![0; usize::try_from(file.length()?).unwrap_or(usize::MAX)];
            let len = file.read_at(&mut bytes, 0)?;
            bytes.truncate(len);
            Ok(bytes)
        });
        match read {
            Ok(bytes) => Ok(Redo::decode(&bytes)),
            Err(e) if is_none(&e) => Ok(None),
            Err(e) => Err(OpenError::io("read", &path)(e)),
        }
    }

    /// Takes it away, and what a crash left of one that was being written.
    ///
    /// # Errors
    /// [`OpenError::Io`]
    pub(crate) fn remove(folder: &Folder) -> Result<(), OpenError> {
        let tmp = folder.log().join("REDO.tmp");
        let mut is_there = folder.remove(&path(folder))?;
        is_there |= folder.remove(&tmp)?;
        if is_there { folder.sync_folder(&folder.log()) } else { Ok(()) }
    }

    /// The batch of the record, if it is in the log: where it begins, its bytes, and the end behind it. Nothing else
    /// was appended behind the end that the log had: the writer keeps the lock until this file is gone.
    ///
    /// # Errors
    /// [`OpenError::Io`]
    pub(crate) fn recorded(
        &self,
        folder: &Folder,
    ) -> Result<Option<(Place, Vec<u8>, Durable)>, OpenError> {
        let Durable { segment, offset, events, .. } = self.end;
        let next = Place { segment: segment + 1, offset: SEGMENT_HEADER as u64 };
        for place in [Place { segment, offset }, next] {
            if let Some(bytes) = self.batch_at(folder, place)? {
                let offset = place.offset + bytes.len() as u64;
                let checksum = *bytes.first_chunk().expect("a whole header");
                let end = Durable { segment: place.segment, offset, events, checksum };
                return Ok(Some((place, bytes, end)));
            }
        }
        Ok(None)
    }

    fn batch_at(&self, folder: &Folder, place: Place) -> Result<Option<Vec<u8>>, OpenError> {
        let path = folder.segment(place.segment);
        let file = match folder.storage.open(&path, Access::Read) {
            Ok(file) => file,
            Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(e) => return Err(OpenError::io("open", &path)(e)),
        };
        let read = OpenError::io("read", &path);
        let mut header = [0; BATCH_HEADER];
        let found = match file.read_at(&mut header, place.offset) {
            Ok(BATCH_HEADER) => BatchHeader::read(&header).ok(),
            Ok(_) => None,
            Err(e) => return Err(read(e)),
        };
        let Some(found) = found else { return Ok(None) };
        let mut bytes = vec![0; found.total()];
        let len = file.read_at(&mut bytes, place.offset).map_err(read)?;
        bytes.truncate(len);
        let is_it = found.is_sound(&bytes, &self.store)
            && bytes[BATCH_HEADER..].windows(self.record.len()).any(|piece| piece == self.record);
        Ok(is_it.then_some(bytes))
    }

    /// Writes the new images in place, synced. It can be done again.
    ///
    /// # Errors
    /// [`OpenError::Io`]
    pub(crate) fn write_over(&self, folder: &Folder) -> Result<(), OpenError> {
        for extents in self.extents.chunk_by(|a, b| a.place.segment == b.place.segment) {
            let path = folder.segment(extents[0].place.segment);
            let file = folder.storage.open(&path, Access::Write);
            let file = file.map_err(OpenError::io("open for writing", &path))?;
            for Extent { place, bytes } in extents {
                file.write_at(bytes, place.offset).map_err(OpenError::io("write", &path))?;
            }
            file.sync().map_err(OpenError::io("sync", &path))?;
        }
        Ok(())
    }

    /// Writes over what was read of a segment from `offset` on what will stand there.
    pub(crate) fn patch(&self, segment: u64, offset: u64, read: &mut [u8]) {
        let key = |extent: &Extent| {
            (extent.place.segment, extent.place.offset + extent.bytes.len() as u64)
        };
        let first = self.extents.partition_point(|extent| key(extent) <= (segment, offset));
        let end = offset + read.len() as u64;
        for Extent { place, bytes } in &self.extents[first..] {
            if place.segment != segment || place.offset >= end {
                break;
            }
            let from = place.offset.max(offset);
            let to = (place.offset + bytes.len() as u64).min(end);
            let own = &bytes[(from - place.offset) as usize..(to - place.offset) as usize];
            read[(from - offset) as usize..(to - offset) as usize].copy_from_slice(own);
        }
    }

    fn encode(&self) -> Vec<u8> {
        let Durable { segment, offset, events, checksum } = self.end;
        let mut out = Vec::new();
        let number = |out: &mut Vec<u8>, n: usize| {
            let n = u32::try_from(n).expect("under 2^32 extents, each of a frame");
            out.extend_from_slice(&n.to_le_bytes());
        };
        out.extend_from_slice(MAGIC);
        out.extend_from_slice(&u64::from(VERSION).to_le_bytes());
        out.extend_from_slice(&self.store);
        for n in [segment, offset, events] {
            out.extend_from_slice(&n.to_le_bytes());
        }
        out.extend_from_slice(&checksum);
        number(&mut out, self.record.len());
        out.extend_from_slice(&self.record);
        number(&mut out, self.extents.len());
        for Extent { place, bytes } in &self.extents {
            out.extend_from_slice(&place.segment.to_le_bytes());
            out.extend_from_slice(&place.offset.to_le_bytes());
            number(&mut out, bytes.len());
            out.extend_from_slice(bytes);
        }
        let hash = blake3::hash(&out);
        out.extend_from_slice(hash.as_bytes());
        out
    }

    fn decode(bytes: &[u8]) -> Option<Redo> {
        let (bytes, hash) = bytes.split_last_chunk::<32>()?;
        if *blake3::hash(bytes).as_bytes() != *hash {
            return None;
        }
        let mut input = Input(bytes);
        if input.array()? != *MAGIC || input.number()? != u64::from(VERSION) {
            return None;
        }
        let store = input.array()?;
        let (segment, offset, events) = (input.number()?, input.number()?, input.number()?);
        let end = Durable { segment, offset, events, checksum: input.array()? };
        let record = input.bytes()?;
        let is_frame =
            matches!(Frame::read(&record), Ok((Frame::Control { .. }, len)) if len == record.len());
        if !is_frame || record.len() <= FRAME_HEADER {
            return None;
        }
        let mut extents = Vec::new();
        for _ in 0..u32::from_le_bytes(input.array()?) {
            let place = Place { segment: input.number()?, offset: input.number()? };
            extents.push(Extent { place, bytes: input.bytes()? });
        }
        input.0.is_empty().then_some(Redo { store, end, record, extents })
    }
}

struct Input<'a>(&'a [u8]);

impl Input<'_> {
    fn array<const N: usize>(&mut self) -> Option<[u8; N]> {
        let (taken, rest) = self.0.split_first_chunk()?;
        self.0 = rest;
        Some(*taken)
    }

    fn number(&mut self) -> Option<u64> {
        self.array().map(u64::from_le_bytes)
    }

    fn bytes(&mut self) -> Option<Vec<u8>> {
        let len = u32::from_le_bytes(self.array()?) as usize;
        let (taken, rest) = self.0.split_at_checked(len)?;
        self.0 = rest;
        Some(taken.to_vec())
    }
}
