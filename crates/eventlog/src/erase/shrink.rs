//! Shrinks segments: those of nothing but events that were erased to their leaves are written anew without the room that the rest
//! of them left (docs/format.md, "Shrunk").
//!
//! A segment's new file takes the name of the old one when it is whole and synced, so a stop leaves the one or the other, and
//! either is the segment. Who has the old one open goes on reading it: nothing is in it but what is in the new one, and zeros.
//! Where a batch ends is another place then: who kept one finds it by what is before it ([`crate::batches::Borders`]).

use std::ops::Range;
use std::path::{Path, PathBuf};

use commitment::{
    Fault, Frame, Left, Ranges, SHRUNK_FRAME, SegmentHeader, segment_number, shrink_batch,
};

use crate::batches::{Batches, corrupt, header_of};
use crate::folder::Folder;
use crate::head_file::Durable;
use crate::locate::{EVENT_ERASED, first_event};
use crate::storage::Access;
use crate::{ErasureRecord, OpenError, ReadError};

/// What a shrunk segment is written as, behind its name.
pub(crate) const TMP: &str = ".tmp";
/// So many bytes are written at a time, and a batch more.
const PIECE: usize = 1 << 20;

/// Segments that were shrunk, or would be.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Shrunk {
    /// How many.
    pub segments: u64,
    /// Bytes that their files have less.
    pub bytes: u64,
}

impl Shrunk {
    pub(crate) fn add(&mut self, bytes: u64) {
        self.segments += 1;
        self.bytes += bytes;
    }
}

/// Whether a segment is shrunk. The last never is: so where what was the last is, the log has gone on.
pub(crate) fn is_shrunk(folder: &Folder, segment: u64) -> Result<bool, ReadError> {
    Ok(first_event(folder, segment)?.is_some_and(|(_, len)| len == SHRUNK_FRAME as u64))
}

/// Whether a segment before the last is not shrunk and begins with an event that was erased to its leaf: else none can be shrunk, and
/// nobody need ask the records.
pub(crate) fn may_shrink(folder: &Folder, end: Durable) -> Result<bool, ReadError> {
    for segment in 0..end.segment {
        let is_whole = |(kind, len)| kind == EVENT_ERASED && len > SHRUNK_FRAME as u64;
        if first_event(folder, segment)?.is_some_and(is_whole) {
            return Ok(true);
        }
    }
    Ok(false)
}

/// The positions of all events that were erased to their leaves: under these records, and more of them.
pub(crate) fn erased(records: &[ErasureRecord], more: &Ranges) -> Ranges {
    let records = records.iter().filter(|record| record.left == Left::Leaf);
    let mut all: Vec<&Range<u64>> =
        records.flat_map(|record| record.events.iter()).chain(more.iter()).collect();
    all.sort_by_key(|range| range.start);
    let mut erased = Ranges::default();
    for range in all {
        let start = range.start.max(erased.end());
        if start < range.end {
            erased.push(start..range.end);
        }
    }
    erased
}

/// The segments before the last that have events, these alone, and are not shrunk yet.
pub(crate) fn to_shrink(
    folder: &Folder,
    end: Durable,
    erased: &Ranges,
) -> Result<Vec<SegmentHeader>, ReadError> {
    let mut found = Vec::new();
    if erased.is_empty() {
        return Ok(found);
    }
    let mut header = header_of(folder, 0)?;
    for segment in 1..=end.segment {
        let next = header_of(folder, segment)?;
        let events = header.first_position..next.first_position;
        if !events.is_empty() && erased.covers(&events) && !is_shrunk(folder, segment - 1)? {
            found.push(header);
        }
        header = next;
    }
    Ok(found)
}

/// How many bytes fewer a segment of [`to_shrink`] has when it is shrunk, and these names are erased too.
pub(crate) fn saved(
    folder: &Folder,
    header: &SegmentHeader,
    names: &Ranges,
) -> Result<u64, ReadError> {
    let mut saved = 0;
    let mut batches = Batches::of_segment(folder, header);
    while let Some(batch) = batches.next()? {
        let (place, mut rest) = (batch.place, batch.frames());
        while !rest.is_empty() {
            let bad =
                |fault: Fault| corrupt(folder, place.segment, fault.moved(place.offset), None);
            let (frame, len) = Frame::read(rest).map_err(bad)?;
            let is_cut = match frame {
                Frame::Name { ordinal, .. } => names.contains(ordinal.into()),
                Frame::NameErased { .. } => true,
                _ => frame.is_event(),
            };
            if is_cut {
                saved += (len - SHRUNK_FRAME) as u64;
            }
            rest = &rest[len..];
        }
    }
    Ok(saved)
}

/// Shrinks a segment of [`to_shrink`]; gives how many bytes fewer it has. `None`, and nothing is done, if an event in it is
/// not erased to its leaf.
pub(crate) fn shrink(folder: &Folder, header: &SegmentHeader) -> Result<Option<u64>, OpenError> {
    let path = folder.segment(header.segment);
    let tmp = beside(&path);
    folder.remove(&tmp)?;
    let written = write(folder, header, &tmp);
    if !matches!(written, Ok(Some(_))) {
        // What stays of it the next writer takes away.
        let _ = folder.storage.remove(&tmp);
    }
    let Some(saved) = written? else { return Ok(None) };
    folder.storage.rename(&tmp, &path).map_err(OpenError::io("rename", &tmp))?;
    folder.sync_folder(&folder.log())?;
    Ok(Some(saved))
}

fn beside(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(TMP);
    name.into()
}

/// Writes a segment's new file, synced.
fn write(folder: &Folder, header: &SegmentHeader, tmp: &Path) -> Result<Option<u64>, OpenError> {
    let file = folder.storage.open(tmp, Access::Create);
    let file = file.map_err(OpenError::io("make the file", tmp))?;
    let mut shrunk = header.encode().to_vec();
    let (mut before, mut at) = (shrunk.len() as u64, 0);
    let mut batches = Batches::of_segment(folder, header);
    while let Some(batch) = batches.next()? {
        let place = batch.place;
        before += batch.bytes.len() as u64;
        let appended = shrink_batch(batch.bytes, &header.store, &mut shrunk);
        let bad = |fault: Fault| corrupt(folder, place.segment, fault.moved(place.offset), None);
        if !appended.map_err(bad)? {
            return Ok(None);
        }
        if shrunk.len() >= PIECE {
            file.write_at(&shrunk, at).map_err(OpenError::io("write", tmp))?;
            at += shrunk.len() as u64;
            shrunk.clear();
        }
    }
    file.write_at(&shrunk, at).map_err(OpenError::io("write", tmp))?;
    file.sync().map_err(OpenError::io("sync", tmp))?;
    Ok(Some(before - (at + shrunk.len() as u64)))
}

/// Whether a file in `log/` is one that was being written when its writer stopped.
pub(crate) fn is_left(name: &str) -> bool {
    name.strip_suffix(TMP).is_some_and(|name| segment_number(name).is_some())
}
