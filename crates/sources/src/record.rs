//! A record as it comes in, kept whole up to the limit of a line.

use event::limits::LINE_BYTES;

use crate::{Found, Place};

/// The bytes of a record; of one that is too long only those that came last.
#[derive(Debug, Default)]
pub(crate) struct Held {
    bytes: Vec<u8>,
    /// How many there were, once there are too many.
    long: Option<u64>,
}

impl Held {
    pub(crate) fn push(&mut self, bytes: &[u8], found: &mut dyn FnMut(Found<'_>)) {
        if let Some(long) = &mut self.long {
            *long += bytes.len() as u64;
            found(Found::LongPiece(bytes));
            return;
        }
        self.bytes.extend_from_slice(bytes);
        if self.bytes.len() > LINE_BYTES {
            self.long = Some(self.bytes.len() as u64);
            found(Found::LongPiece(&self.bytes));
            // Not kept for the next one: few records are long.
            self.bytes = Vec::new();
        }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.bytes.is_empty() && self.long.is_none()
    }

    pub(crate) fn is_long(&self) -> bool {
        self.long.is_some()
    }

    /// What there is so far.
    pub(crate) fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// Begins the next one. Of one that was too long it gives the end, and true.
    pub(crate) fn end(&mut self, place: Place, found: &mut dyn FnMut(Found<'_>)) -> bool {
        self.bytes.clear();
        match self.long.take() {
            Some(bytes) => {
                found(Found::LongEnd { place, bytes });
                true
            }
            None => false,
        }
    }

    /// Forgets what there is.
    pub(crate) fn drop(&mut self) {
        self.bytes.clear();
        self.long = None;
    }
}
