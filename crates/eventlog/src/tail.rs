//! The end of the log that is written: its last segment and `HEAD`.

use std::path::Path;

use commitment::{SegmentHeader, finish_batch};

use crate::AppendError;
use crate::derived::Place;
use crate::encoder::Batch;
use crate::folder::Folder;
use crate::head_file::{Durable, HeadFile};
use crate::storage::{Access, StoredFile};

/// What only the one who writes touches.
pub(crate) struct Tail {
    pub(crate) head: HeadFile,
    pub(crate) segment: Box<dyn StoredFile>,
    pub(crate) end: Durable,
    /// The segment that the next batch begins.
    pub(crate) next: Option<SegmentHeader>,
}

impl Tail {
    /// Writes a batch and syncs it, then `HEAD`; gives where it begins.
    pub(crate) fn write(
        &mut self,
        folder: &Folder,
        batch: &mut Batch,
        strict_tail: bool,
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
        self.segment
            .write_at(&batch.bytes, start.offset)
            .map_err(|e| failed("write", &path, &e))?;
        self.segment.sync().map_err(|e| failed("sync", &path, &e))?;
        let end = Durable {
            segment: start.segment,
            offset: start.offset + batch.bytes.len() as u64,
            events: self.end.events + u64::from(batch.events),
            checksum,
        };
        self.head.write(end, false, strict_tail).map_err(|e| failed("write", &head, &e))?;
        self.end = end;
        self.next = batch.next.take();
        Ok(start)
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
        self.head.write(self.end, false, true).map_err(|e| failed("write", &folder.head(), &e))
    }
}

/// A write or a sync that failed.
pub(crate) fn failed(action: &'static str, path: &Path, error: &std::io::Error) -> AppendError {
    AppendError::Failed { path: path.display().to_string(), action, message: error.to_string() }
}
