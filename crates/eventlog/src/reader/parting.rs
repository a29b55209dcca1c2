//! Where two logs part: records of erasures of the one name positions, which mean the same in the other only before that.

use commitment::{BATCH_HEADER, Frame};

use super::Reader;
use crate::ReadError;
use crate::batches::{Batches, Whole, corrupt};
use crate::derived::Place;

impl Reader {
    /// The first position at which this log and another have not the same event; `None` if one of them begins with all
    /// events of the other. The names of their accounts are compared as well.
    ///
    /// What was erased in either, and segments that shrank, make no difference: an event keeps its leaf. What the logs say
    /// of themselves, such as seals and records, is passed over. Reads both up to the shorter one's end, in memory of
    /// two batches.
    ///
    /// # Errors
    /// [`ReadError`]
    pub fn parts_from(&self, other: &Reader) -> Result<Option<u64>, ReadError> {
        let (mut ours, mut theirs) = (Frames::of(self), Frames::of(other));
        let mut position = 0;
        while let (Some(ours), Some(theirs)) = (ours.next()?, theirs.next()?) {
            let is_same = ours.bytes == theirs.bytes
                || ours.frame.is_event() == theirs.frame.is_event()
                    && ours.frame.leaf() == theirs.frame.leaf();
            if !is_same {
                return Ok(Some(position));
            }
            position += u64::from(ours.frame.is_event());
        }
        Ok(None)
    }
}

/// The events and names of a log, whole or erased, in its order.
struct Frames<'r> {
    reader: &'r Reader,
    batches: Batches<'r>,
    /// The batch that the walk is in.
    place: Place,
    batch: Vec<u8>,
    /// Where its next frame begins.
    at: usize,
}

struct Next<'b> {
    frame: Frame<'b>,
    bytes: &'b [u8],
}

impl<'r> Frames<'r> {
    fn of(reader: &'r Reader) -> Frames<'r> {
        let stop = Place { segment: reader.end.segment, offset: reader.end.offset };
        let batches = Batches::new(&reader.folder, reader.store, stop);
        let place = Place { segment: 0, offset: 0 };
        Frames { reader, batches, place, batch: Vec::new(), at: 0 }
    }

    fn next(&mut self) -> Result<Option<Next<'_>>, ReadError> {
        let reader = self.reader;
        let range = loop {
            if self.at == self.batch.len() {
                let next = self.batches.next().map_err(|error| reader.settled(error))?;
                let Some(Whole { place, bytes }) = next else { return Ok(None) };
                self.place = place;
                self.batch.clear();
                self.batch.extend_from_slice(bytes);
                self.at = BATCH_HEADER;
                continue;
            }
            let from = self.at;
            let (frame, len) = read(reader, self.place, &self.batch, from)?;
            self.at += len;
            if !matches!(frame, Frame::Trailer(_) | Frame::Control { .. }) {
                break from..self.at;
            }
        };
        let (frame, _) = read(reader, self.place, &self.batch, range.start)?;
        Ok(Some(Next { frame, bytes: &self.batch[range] }))
    }
}

fn read<'b>(
    reader: &Reader,
    place: Place,
    batch: &'b [u8],
    at: usize,
) -> Result<(Frame<'b>, usize), ReadError> {
    Frame::read(&batch[at..]).map_err(|fault| {
        let fault = fault.moved(place.offset + at as u64);
        reader.settled(corrupt(&reader.folder, place.segment, fault, None))
    })
}
