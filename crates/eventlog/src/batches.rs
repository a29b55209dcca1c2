//! Walks the batches of a log from some place on, and believes none that its checksum does not bear
//! out.

use commitment::{
    BATCH_HEADER, BatchHeader, Checksum, Divergence, Fault, SEGMENT_HEADER, SegmentHeader,
    segment_name,
};

use crate::derived::Place;
use crate::erase::redo::Redo;
use crate::erase::shrink::is_shrunk;
use crate::folder::Folder;
use crate::head_file::Durable;
use crate::storage::Access;
use crate::window::Window;
use crate::{OpenError, ReadError};

const PIECE: usize = 256 << 10;

/// A batch, header and all.
pub(crate) struct Whole<'a> {
    pub(crate) place: Place,
    pub(crate) bytes: &'a [u8],
}

impl<'a> Whole<'a> {
    /// Its frames, end to end.
    pub(crate) fn frames(&self) -> &'a [u8] {
        &self.bytes[BATCH_HEADER..]
    }
}

/// A walk over batches.
pub(crate) struct Batches<'a> {
    folder: &'a Folder,
    store: [u8; 16],
    /// Where the next batch begins.
    pub(crate) place: Place,
    /// The checksum before it.
    checksum: Checksum,
    /// Whether the batch before it was rewritten: then its link holds another checksum.
    is_rewritten: bool,
    /// How many events are before it.
    pub(crate) position: u64,
    /// Where the walk ends.
    end: Place,
    window: Option<Window>,
    /// Its file's length when it was last looked at.
    length: u64,
}

impl<'a> Batches<'a> {
    /// From the beginning of the log.
    pub(crate) fn new(folder: &'a Folder, store: [u8; 16], end: Place) -> Batches<'a> {
        // Offset 0: the header comes first, and its checksum with it.
        let place = Place { segment: 0, offset: 0 };
        Batches {
            folder,
            store,
            place,
            checksum: [0; 16],
            is_rewritten: false,
            position: 0,
            end,
            window: None,
            length: 0,
        }
    }

    /// All of one segment, which is not the last.
    pub(crate) fn of_segment(folder: &'a Folder, header: &SegmentHeader) -> Batches<'a> {
        let SegmentHeader { segment, first_position, before, .. } = *header;
        let end = Place { segment: segment + 1, offset: 0 };
        let at = Durable { segment, offset: 0, events: first_position, checksum: before };
        Batches::new(folder, header.store, end).from(at)
    }

    /// From a place at which a batch ended with this checksum, after so many events.
    pub(crate) fn from(self, at: Durable) -> Batches<'a> {
        let place = Place { segment: at.segment, offset: at.offset };
        Batches {
            place,
            checksum: at.checksum,
            is_rewritten: false,
            position: at.events,
            window: None,
            length: 0,
            ..self
        }
    }

    /// Where the walk is.
    pub(crate) fn at(&self) -> Durable {
        let Place { segment, offset } = self.place;
        Durable { segment, offset, events: self.position, checksum: self.checksum }
    }

    /// Where the walk is, by the checksum that the log itself has there: the link of what comes next. They differ
    /// behind a batch that was rewritten, which is never the last.
    pub(crate) fn at_link(&mut self) -> Result<Durable, ReadError> {
        let mut at = self.at();
        if !self.is_rewritten {
            return Ok(at);
        }
        let length = self.open()?;
        if self.place.offset < length {
            let next = self.get(BATCH_HEADER)?.first_chunk().map(BatchHeader::read);
            if let Some(Ok(next)) = next {
                at.checksum = [0; 16];
                at.checksum[..8].copy_from_slice(&next.link);
            }
        } else if let Ok(Ok(next)) = self.folder.segment_header(self.place.segment + 1) {
            at.checksum = next.before;
        }
        Ok(at)
    }

    /// The next batch; `None` at the end.
    pub(crate) fn next(&mut self) -> Result<Option<Whole<'_>>, ReadError> {
        loop {
            if self.place >= self.end {
                return Ok(None);
            }
            let length = self.open()?;
            if self.place.offset == 0 {
                self.header()?;
            } else if self.place.offset < length {
                break;
            } else if self.place.segment < self.end.segment {
                self.place = Place { segment: self.place.segment + 1, offset: 0 };
                (self.window, self.length) = (None, 0);
            } else {
                let found = format!("the end of the file, before {} bytes", self.end.offset);
                return Err(self.corrupt(
                    self.place.offset,
                    Fault { offset: 0, expected: "a batch".to_owned(), found },
                ));
            }
        }
        let (place, store, before) = (self.place, self.store, self.checksum);
        let before = (!self.is_rewritten).then_some(before);
        let header = self
            .get(BATCH_HEADER)?
            .first_chunk()
            .ok_or_else(|| cut_short("a batch's header"))
            .and_then(BatchHeader::read)
            .map_err(|fault| self.corrupt(place.offset, fault))?;
        let checked = header.check(self.get(header.total())?, &store, before.as_ref());
        checked.map_err(|fault| self.corrupt(place.offset, fault))?;
        self.place.offset += header.total() as u64;
        self.position += u64::from(header.events);
        (self.checksum, self.is_rewritten) = (header.checksum, header.rewritten);
        let limit = self.limit();
        let window = self.window.as_mut().expect("it was opened above");
        let bytes = window.get(place.offset, header.total(), limit);
        let bytes = bytes.map_err(ReadError::io("read", &self.folder.segment(place.segment)))?;
        Ok(Some(Whole { place, bytes }))
    }

    /// Opens the segment's file; gives its length, as far as the walk goes.
    fn open(&mut self) -> Result<u64, ReadError> {
        let path = self.folder.segment(self.place.segment);
        if self.window.is_none() {
            let file = self.folder.storage.open(&path, Access::Read);
            self.window = Some(Window::new(file.map_err(ReadError::io("open", &path))?, PIECE));
        }
        let window = self.window.as_ref().expect("it was opened above");
        if self.place.offset >= self.length {
            self.length = window.len().map_err(ReadError::io("look at", &path))?;
        }
        Ok(self.length.min(self.limit()))
    }

    fn limit(&self) -> u64 {
        if self.place.segment == self.end.segment { self.end.offset } else { u64::MAX }
    }

    fn get(&mut self, len: usize) -> Result<&[u8], ReadError> {
        let (Place { segment, offset }, limit) = (self.place, self.limit());
        let window = self.window.as_mut().expect("only called when it is open");
        window.get(offset, len, limit).map_err(ReadError::io("read", &self.folder.segment(segment)))
    }

    fn header(&mut self) -> Result<(), ReadError> {
        let (store, position, is_rewritten) = (self.store, self.position, self.is_rewritten);
        let before = self.checksum;
        let segment = self.place.segment;
        let read =
            self.get(SEGMENT_HEADER)?.first_chunk().ok_or_else(|| cut_short("a segment's header"));
        let checked = read.and_then(SegmentHeader::decode).and_then(|(header, checksum)| {
            // Pages, accounts and clock do not matter here: they are taken as they stand.
            let expected = SegmentHeader {
                store,
                segment,
                first_position: position,
                before: if is_rewritten { header.before } else { before },
                ..header.clone()
            };
            expected.check(&header).map(|()| checksum)
        });
        self.checksum = checked.map_err(|fault| self.corrupt(0, fault))?;
        self.is_rewritten = false;
        self.place.offset = SEGMENT_HEADER as u64;
        Ok(())
    }

    fn corrupt(&self, offset: u64, fault: Fault) -> ReadError {
        // Where the walk was to end there is another file now, and its batches end elsewhere.
        let is_within = self.end.offset > 0;
        if is_within && matches!(is_shrunk(self.folder, self.end.segment), Ok(true)) {
            return ReadError::Erasing { path: self.folder.log() };
        }
        corrupt(self.folder, self.place.segment, fault.moved(offset), Some(self.position))
    }
}

fn cut_short(what: &str) -> Fault {
    Fault { offset: 0, expected: what.to_owned(), found: "the end of the file".to_owned() }
}

/// The borders between the batches of a segment, by the headers alone: nothing else of them is read, and nothing believed.
pub(crate) struct Borders {
    window: Window,
    /// The next, and how many events are before it.
    next: Option<(u64, u64)>,
}

impl Borders {
    pub(crate) fn of(folder: &Folder, segment: u64) -> Result<Borders, ReadError> {
        let header = header_of(folder, segment)?;
        let path = folder.segment(segment);
        let file = folder.storage.open(&path, Access::Read);
        let window = Window::new(file.map_err(ReadError::io("open", &path))?, 4096);
        Ok(Borders { window, next: Some((SEGMENT_HEADER as u64, header.first_position)) })
    }

    /// Where the next is in the segment, and how many events of the log are before it.
    pub(crate) fn next(&mut self) -> std::io::Result<Option<(u64, u64)>> {
        let Some((offset, events)) = self.next.take() else { return Ok(None) };
        let header = self.window.get(offset, BATCH_HEADER, u64::MAX)?.first_chunk();
        if let Some(Ok(header)) = header.map(BatchHeader::read) {
            let next = offset + header.total() as u64;
            self.next = Some((next, events + u64::from(header.events)));
        }
        Ok(Some((offset, events)))
    }
}

/// Where the log, which ends at `end`, has a batch that ended at `at` with that checksum, after so many events: at another place,
/// in a segment that was shrunk since. `None` if it has none.
pub(crate) fn place_now(folder: &Folder, end: Durable, at: Durable) -> Option<Durable> {
    if is_there(folder, end, at) {
        return Some(at);
    }
    let mut borders =
        (at.segment < end.segment).then(|| Borders::of(folder, at.segment).ok())??;
    while let Ok(Some((offset, events))) = borders.next() {
        if events > at.events {
            break;
        }
        let moved = Durable { offset, ..at };
        if events == at.events && is_there(folder, end, moved) {
            return Some(moved);
        }
    }
    None
}

/// Whether the log, which ends at `end`, has a batch that ends at that place with that checksum. One read: what comes next in
/// the log says what was before it.
fn is_there(folder: &Folder, end: Durable, at: Durable) -> bool {
    let Durable { segment, offset, checksum, .. } = at;
    if (segment, offset) == (end.segment, end.offset) {
        return checksum == end.checksum;
    }
    if (segment, offset) > (end.segment, end.offset) || offset < SEGMENT_HEADER as u64 {
        return false;
    }
    let Ok(file) = folder.storage.open(&folder.segment(segment), Access::Read) else {
        return false;
    };
    let mut header = [0; BATCH_HEADER];
    match file.read_at(&mut header, offset) {
        Ok(BATCH_HEADER) => header[16..24] == checksum[..8],
        Ok(0) if file.length().is_ok_and(|len| len == offset) => {
            let next = folder.segment_header(segment + 1).ok().and_then(Result::ok);
            next.is_some_and(|next| next.before == checksum)
        }
        _ => false,
    }
}

/// The header of a segment.
pub(crate) fn header_of(folder: &Folder, segment: u64) -> Result<SegmentHeader, ReadError> {
    let bad = |fault| corrupt(folder, segment, fault, None);
    let header = folder.segment_header(segment).map_err(|e| match e {
        OpenError::Io { path, action, source } => ReadError::Io { path, action, source },
        other => bad(Fault {
            offset: 0,
            expected: "a segment's header".to_owned(),
            found: other.to_string(),
        }),
    })?;
    header.map_err(bad)
}

/// Says that a segment is not as it was written.
pub(crate) fn corrupt(
    folder: &Folder,
    segment: u64,
    fault: Fault,
    position: Option<u64>,
) -> ReadError {
    // What is written over meanwhile is not damage. Where that is cut short the log is read through what it will be.
    if matches!(Redo::read(folder), Ok(Some(_))) {
        return ReadError::Erasing { path: folder.log() };
    }
    let divergence = Divergence { position, ..Divergence::new(segment_name(segment), fault) };
    ReadError::Corrupt { path: folder.log(), divergence: Box::new(divergence) }
}
