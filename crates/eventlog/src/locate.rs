//! Finds an event's frame by its position.
//!
//! Nothing of this is stored: of each segment that is asked about, a mark every 16 KiB is kept,
//! made by one pass over the borders of its frames.

use std::collections::HashMap;
use std::collections::hash_map::Entry;

use commitment::{BATCH_HEADER, BatchHeader, FRAME_HEADER, Fault, Frame, SEGMENT_HEADER};

use crate::ReadError;
use crate::batches::{corrupt, header_of};
use crate::derived::Place;
use crate::folder::Folder;
use crate::head_file::Durable;
use crate::storage::Access;
use crate::window::Window;

const SPACING: u64 = 16 << 10;
/// The kind of an event that was erased to its leaf.
pub(crate) const EVENT_ERASED: u8 = 33;
/// The kinds of events, whole and erased.
const EVENTS: [u8; 3] = [2, 32, EVENT_ERASED];

/// A border between frames or batches, and the position of the next event behind it.
#[derive(Debug, Clone, Copy)]
struct Mark {
    position: u64,
    offset: u64,
    /// Where the batch that it is in begins and ends; both `offset` between two batches.
    batch: (u64, u64),
}

impl Mark {
    /// Behind a segment's header.
    fn first(position: u64) -> Mark {
        let offset = SEGMENT_HEADER as u64;
        Mark { position, offset, batch: (offset, offset) }
    }
}

struct Segment {
    window: Window,
    marks: Vec<Mark>,
    /// How far the pass has come.
    at: Mark,
    /// Where the last search ended: the next one is often for what comes behind it.
    last: Mark,
}

/// Where an event stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Found {
    pub(crate) place: Place,
    /// Where its batch begins in the segment.
    pub(crate) batch: u64,
}

/// Segments that are kept open at most, each with a window of its bytes.
const MOST_OPEN: usize = 128;

/// Finds events by their positions.
#[derive(Default)]
pub(crate) struct Locator {
    /// The first position of each segment, from 0.
    firsts: Vec<u64>,
    segments: HashMap<u64, Segment>,
    /// For reading frames; apart from those of the passes, which go their own way.
    windows: HashMap<u64, Window>,
}

impl Locator {
    /// Where the event of `position` stands in a log that ends at `end`; it must be in it.
    pub(crate) fn find(
        &mut self,
        folder: &Folder,
        end: Durable,
        position: u64,
    ) -> Result<Found, ReadError> {
        assert!(position < end.events, "only events of the log are looked for");
        while (self.firsts.len() as u64) <= end.segment {
            let segment = self.firsts.len() as u64;
            self.firsts.push(header_of(folder, segment)?.first_position);
        }
        if self.segments.len() + self.windows.len() > MOST_OPEN {
            self.segments.clear();
            self.windows.clear();
        }
        let number = self.firsts.partition_point(|first| *first <= position).saturating_sub(1);
        let (first, number) = (self.firsts[number], number as u64);
        let segment = match self.segments.entry(number) {
            Entry::Occupied(segment) => segment.into_mut(),
            Entry::Vacant(vacant) => {
                let window = window(folder, number)?;
                let at = Mark::first(first);
                vacant.insert(Segment { window, marks: vec![at], at, last: at })
            }
        };
        let limit = if number == end.segment { end.offset } else { u64::MAX };
        segment
            .find(position, limit)
            .map_err(|bad| bad.of(folder, number, Some(position)))
            .map(|(offset, batch)| Found { place: Place { segment: number, offset }, batch })
    }

    /// The bytes of the frame that begins at a place, in a log that ends at `end`.
    pub(crate) fn frame(
        &mut self,
        folder: &Folder,
        end: Durable,
        place: Place,
    ) -> Result<&[u8], ReadError> {
        if self.windows.len() > MOST_OPEN {
            self.windows.clear();
        }
        let path = folder.segment(place.segment);
        let window = match self.windows.entry(place.segment) {
            Entry::Occupied(window) => window.into_mut(),
            Entry::Vacant(vacant) => vacant.insert(window(folder, place.segment)?),
        };
        let limit = if place.segment == end.segment { end.offset } else { u64::MAX };
        let len = match window.get(place.offset, FRAME_HEADER, limit) {
            Ok(&[_, a, b, c, ..]) => FRAME_HEADER + u32::from_le_bytes([a, b, c, 0]) as usize,
            Ok(_) => 0,
            Err(e) => return Err(ReadError::io("read", &path)(e)),
        };
        window.get(place.offset, len, limit).map_err(ReadError::io("read", &path))
    }
}

/// Of the frame of the first event of a segment its kind, and how long it is, header included; `None` if it has none.
pub(crate) fn first_event(folder: &Folder, segment: u64) -> Result<Option<(u8, u64)>, ReadError> {
    let mut window = window(folder, segment)?;
    let mut at = Mark::first(0);
    let path = folder.segment(segment);
    let len = window.len().map_err(ReadError::io("look at", &path))?;
    while at.offset < len {
        let step = step(&mut window, at, u64::MAX);
        let (next, event) = step.map_err(|bad| bad.of(folder, segment, None))?;
        if let Some(kind) = event {
            return Ok(Some((kind, next.offset - at.offset)));
        }
        at = next;
    }
    Ok(None)
}

fn window(folder: &Folder, segment: u64) -> Result<Window, ReadError> {
    let path = folder.segment(segment);
    let file = folder.storage.open(&path, Access::Read);
    Ok(Window::new(file.map_err(ReadError::io("open", &path))?, SPACING as usize * 2))
}

enum Bad {
    Fault(Fault),
    Io(std::io::Error),
}

impl Bad {
    fn of(self, folder: &Folder, segment: u64, position: Option<u64>) -> ReadError {
        match self {
            Bad::Fault(fault) => corrupt(folder, segment, fault, position),
            Bad::Io(e) => ReadError::io("read", &folder.segment(segment))(e),
        }
    }
}

impl From<std::io::Error> for Bad {
    fn from(e: std::io::Error) -> Bad {
        Bad::Io(e)
    }
}

impl Segment {
    /// The offsets of the event's frame and of its batch.
    fn find(&mut self, position: u64, limit: u64) -> Result<(u64, u64), Bad> {
        while self.at.position <= position {
            let (next, _) = step(&mut self.window, self.at, limit)?;
            if next.offset - self.marks.last().map_or(0, |m| m.offset) >= SPACING {
                self.marks.push(next);
            }
            self.at = next;
        }
        let mark = self.marks.partition_point(|mark| mark.position <= position) - 1;
        let mut at = self.marks[mark];
        if (at.position..=position).contains(&self.last.position) {
            at = self.last;
        }
        loop {
            let (next, event) = step(&mut self.window, at, limit)?;
            if event.is_some() && at.position == position {
                self.last = at;
                return Ok((at.offset, at.batch.0));
            }
            at = next;
        }
    }
}

/// Over one batch's header or one frame; gives the kind if it was an event's.
fn step(window: &mut Window, at: Mark, limit: u64) -> Result<(Mark, Option<u8>), Bad> {
    let fault = |expected: &str, found: String| {
        Bad::Fault(Fault { offset: at.offset, expected: expected.to_owned(), found })
    };
    if at.offset == at.batch.1 {
        let Some(header) = window.get(at.offset, BATCH_HEADER, limit)?.first_chunk() else {
            return Err(fault("a batch's header", "the end of the log".to_owned()));
        };
        let header = BatchHeader::read(header).map_err(|f| Bad::Fault(f.moved(at.offset)))?;
        let batch = (at.offset, at.offset + header.total() as u64);
        return Ok((Mark { offset: at.offset + BATCH_HEADER as u64, batch, ..at }, None));
    }
    let &[kind, a, b, c, _, _, _, _] = window.get(at.offset, FRAME_HEADER, limit)? else {
        return Err(fault("a frame's header", "the end of the log".to_owned()));
    };
    let offset = at.offset + FRAME_HEADER as u64 + u64::from(u32::from_le_bytes([a, b, c, 0]));
    if offset > at.batch.1 {
        return Err(fault("a frame within its batch", "one that is longer".to_owned()));
    }
    let event = EVENTS.contains(&kind).then_some(kind);
    Ok((Mark { position: at.position + u64::from(event.is_some()), offset, ..at }, event))
}

/// An event's frame: envelope and content; none of one that is erased.
pub(crate) fn event_frame<'a>(
    folder: &Folder,
    place: Place,
    bytes: &'a [u8],
) -> Result<Option<(commitment::Envelope, &'a [u8])>, ReadError> {
    let bad = |fault: Fault| corrupt(folder, place.segment, fault.moved(place.offset), None);
    let (frame, _) = Frame::read(bytes).map_err(bad)?;
    if let Some(leaf) = frame.leaf() {
        Frame::check(bytes, &leaf).map_err(bad)?;
    }
    match frame {
        Frame::Event { envelope, padded, .. } => {
            let envelope = commitment::Envelope::decode(envelope)
                .map_err(|f| bad(f.moved(FRAME_HEADER as u64)))?;
            Ok(Some((envelope, commitment::content_of(padded))))
        }
        Frame::ContentErased { .. } | Frame::EventErased { .. } => Ok(None),
        _ => Err(bad(Fault {
            offset: 0,
            expected: "an event's frame".to_owned(),
            found: "another".to_owned(),
        })),
    }
}
