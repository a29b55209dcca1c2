//! The end of the log that is written: its last segment and `HEAD`.
//!
//! Where a file grows, or comes to bytes that it has never had written, each sync must also commit
//! that to the file system's own journal, which takes as long again. So there are zeros behind the
//! last batch, written ahead of the end: room that the next batches are written over.

use std::io;
use std::path::Path;

use commitment::{SegmentHeader, finish_batch};

use crate::derived::Place;
use crate::encoder::Batch;
use crate::folder::Folder;
use crate::head_file::{Durable, HeadFile};
use crate::storage::{Access, StoredFile};
use crate::{AppendError, Options};

/// Room is made for as many bytes as the segment has, but in these bounds: a small store should not
/// carry much of it, and it should be made seldom.
const ROOM: std::ops::Range<u64> = 64 << 10..1 << 20;

/// What only the one who writes touches.
pub(crate) struct Tail {
    pub(crate) head: HeadFile,
    pub(crate) segment: Box<dyn StoredFile>,
    pub(crate) end: Durable,
    /// Where the zeros behind the end of the segment end: the file's length.
    pub(crate) length: u64,
    /// The segment that the next batch begins.
    pub(crate) next: Option<SegmentHeader>,
}

impl Tail {
    /// Writes a batch and syncs it, then `HEAD`; gives where it begins.
    pub(crate) fn write(
        &mut self,
        folder: &Folder,
        batch: &mut Batch,
        options: &Options,
    ) -> Result<Place, AppendError> {
        let head = folder.head();
        if self.head.is_shut() {
            // Behind the end of a log that was closed there must never be anything. Both slots, so
            // that a torn write of one can never leave the other to say that it was closed.
            for _ in 0..2 {
                self.head.write(self.end, false, true).map_err(|e| failed("write", &head, &e))?;
            }
        }
        if let Some(mut header) = self.next.take() {
            header.before = self.end.checksum;
            self.roll(folder, &header)?;
        }
        let start = Place { segment: self.end.segment, offset: self.end.offset };
        let checksum =
            finish_batch(&mut batch.bytes, &self.head.store(), &self.end.checksum, batch.events);
        let path = folder.segment(start.segment);
        let len = batch.bytes.len();
        if batch.next.is_none() && start.offset + len as u64 > self.length {
            let room = room(start.offset, len as u64, options.segment_bytes);
            batch.bytes.resize(len + room, 0);
        }
        let end = Durable {
            segment: start.segment,
            offset: start.offset + len as u64,
            events: self.end.events + u64::from(batch.events),
            checksum,
        };
        self.put(&batch.bytes, len, start.offset).map_err(|e| failed("write", &path, &e))?;
        if batch.next.is_some() {
            self.cut_room(end.offset).map_err(|e| failed("cut", &path, &e))?;
        }
        self.segment.sync().map_err(|e| failed("sync", &path, &e))?;
        // What is signed of a seal must not pass for the torn end of a write, whatever becomes of its bytes.
        let is_synced = options.strict_tail || batch.is_sealed;
        self.head.write(end, false, is_synced).map_err(|e| failed("write", &head, &e))?;
        self.end = end;
        self.next = batch.next.take();
        Ok(start)
    }

    /// Writes a batch of `len` bytes, and room behind it if the disk has any.
    fn put(&mut self, bytes: &[u8], len: usize, offset: u64) -> io::Result<()> {
        let written = self.segment.write_at(bytes, offset);
        self.length = self.length.max(offset + bytes.len() as u64);
        match written {
            Err(e) if e.kind() == io::ErrorKind::StorageFull && bytes.len() > len => {
                self.segment.write_at(&bytes[..len], offset)
            }
            written => written,
        }
    }

    /// Takes the room away: behind this end comes nothing more.
    fn cut_room(&mut self, end: u64) -> io::Result<()> {
        if self.length > end {
            self.segment.set_len(end)?;
        }
        self.length = end;
        Ok(())
    }

    /// Closes the log cleanly: behind it lies nothing then.
    pub(crate) fn close(&mut self, folder: &Folder) -> Result<(), AppendError> {
        if self.head.is_shut() {
            return Ok(());
        }
        if self.length > self.end.offset {
            let path = folder.segment(self.end.segment);
            self.cut_room(self.end.offset).map_err(|e| failed("cut", &path, &e))?;
            self.segment.sync().map_err(|e| failed("sync", &path, &e))?;
        }
        for _ in 0..2 {
            let written = self.head.write(self.end, true, true);
            written.map_err(|e| failed("write", &folder.head(), &e))?;
        }
        Ok(())
    }

    /// Begins a segment. A crash in here leaves one that `HEAD` does not name, to be set aside.
    fn roll(&mut self, folder: &Folder, header: &SegmentHeader) -> Result<(), AppendError> {
        let (path, bytes) = (folder.segment(header.segment), header.encode());
        let file = folder.storage.open(&path, Access::Create);
        let file = file.map_err(|e| failed("make the file", &path, &e))?;
        file.write_at(&bytes, 0).map_err(|e| failed("write", &path, &e))?;
        file.sync().map_err(|e| failed("sync", &path, &e))?;
        let log = folder.log();
        folder.storage.sync_folder(&log).map_err(|e| failed("sync the folder", &log, &e))?;
        let checksum = bytes[128..144].try_into().expect("16 bytes");
        let offset = bytes.len() as u64;
        self.end = Durable { segment: header.segment, offset, checksum, ..self.end };
        self.segment = file;
        self.length = offset;
        self.head.write(self.end, false, true).map_err(|e| failed("write", &folder.head(), &e))
    }
}

/// How much room a batch of `len` bytes at `offset` brings: none if it is long, for then to write the
/// zeros takes longer than they spare, nor what the segment has no need of.
fn room(offset: u64, len: u64, segment_bytes: u64) -> usize {
    let room = if len < ROOM.start { offset.clamp(ROOM.start, ROOM.end) } else { 0 };
    let room = room.min(segment_bytes.saturating_sub(offset + len));
    usize::try_from(room).expect("at most the end of a range of such")
}

/// A write or a sync that failed.
pub(crate) fn failed(action: &'static str, path: &Path, error: &std::io::Error) -> AppendError {
    AppendError::Failed { path: path.display().to_string(), action, message: error.to_string() }
}
