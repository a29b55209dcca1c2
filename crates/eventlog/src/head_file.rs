//! `HEAD` as the writer keeps it.

use std::io;

use commitment::{Checksum, Head, Slot};

use crate::storage::StoredFile;

/// The open `HEAD`. A slot is written over the older one of the two.
pub(crate) struct HeadFile {
    file: Box<dyn StoredFile>,
    last: Slot,
}

/// An end of the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Durable {
    pub(crate) segment: u64,
    pub(crate) offset: u64,
    pub(crate) events: u64,
    pub(crate) checksum: Checksum,
}

impl Durable {
    /// What a slot says.
    pub(crate) fn of(slot: &Slot) -> Durable {
        let Slot { segment, offset, events, checksum, .. } = *slot;
        Durable { segment, offset, events, checksum }
    }
}

impl HeadFile {
    pub(crate) fn new(file: Box<dyn StoredFile>, head: &Head) -> HeadFile {
        HeadFile { file, last: head.now.clone() }
    }

    /// The store's id.
    pub(crate) fn store(&self) -> [u8; 16] {
        self.last.store
    }

    pub(crate) fn is_shut(&self) -> bool {
        self.last.shut
    }

    /// Writes that the log ends here. After a crash of the process this is what is read; after loss
    /// of power only if it was synced.
    pub(crate) fn write(&mut self, end: Durable, shut: bool, sync: bool) -> io::Result<()> {
        let slot = Slot {
            store: self.last.store,
            sequence: self.last.sequence + 1,
            shut,
            segment: end.segment,
            offset: end.offset,
            events: end.events,
            checksum: end.checksum,
        };
        self.file.write_at(&slot.encode(), slot.place())?;
        self.last = slot;
        if sync { self.file.sync() } else { Ok(()) }
    }
}
