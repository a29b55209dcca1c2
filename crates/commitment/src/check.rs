//! Reads a whole log as a stranger would, and finds the first byte that is not as it was written.

mod frames;
mod report;

pub use report::{Checked, Divergence, End, Level, Report};

use std::collections::{HashMap, HashSet};

use crate::batch::{BATCH_HEADER, BatchHeader, Checksum, MAX_BATCH, find_batch, without_room};
use crate::fault::{Fault, same, same_bytes};
use crate::frame::Frame;
use crate::hash::Digest;
use crate::head::{Head, Slot};
use crate::page::Pages;
use crate::segment::{SEGMENT_HEADER, SegmentHeader, segment_name};
use crate::tree::{Frontier, tree_leaf};

struct AccountCheck {
    name: Box<str>,
    secret: [u8; 32],
    chain: Digest,
    events: u64,
}

/// A check of a log, fed with its files in order.
///
/// Memory: one batch, and at [`Level::Full`] an entry an account and 16 bytes an event.
pub struct LogCheck {
    level: Level,
    head: Head,
    file: String,
    /// The number of the segment that comes next.
    next: u64,
    /// The number of the segment being read; `None` before the first.
    segment: Option<u64>,
    /// Where `buffer` begins in the file.
    offset: u64,
    buffer: Vec<u8>,
    /// The last checksum.
    checksum: Checksum,
    /// Events before the batch that is being read.
    batch_position: u64,
    /// Whether the ends that the two slots of `HEAD` name were met.
    met: [bool; 2],
    /// What the bytes after `offset` are not, if they are no batch: the torn end, or room.
    torn: Option<Fault>,
    /// How many zeros come behind `buffer`, which then are not kept: room, if nothing follows.
    room: usize,
    pages: Pages,
    /// The frames with a leaf of the open page, at [`Level::Quick`].
    open_page: Vec<u8>,
    tree: Frontier,
    accounts: Vec<AccountCheck>,
    names: HashMap<Box<str>, u32>,
    /// Accounts, at either level.
    named: u64,
    /// The account that was named last and has no event yet.
    awaited: Option<u32>,
    ids: HashSet<[u8; 16]>,
}

type Sink<'a> = &'a mut dyn FnMut(Checked<'_>);

impl LogCheck {
    /// Begins with the bytes of `HEAD`.
    ///
    /// # Errors
    /// If `HEAD` itself is not as it was written.
    pub fn new(level: Level, head: &[u8]) -> Result<LogCheck, Box<Divergence>> {
        let head = Head::decode(head)
            .and_then(|head| head.check().map(|()| head))
            .map_err(|fault| divergence("HEAD", fault))?;
        Ok(LogCheck::start(level, head))
    }

    fn start(level: Level, head: Head) -> LogCheck {
        let store = head.now.store;
        LogCheck {
            level,
            head,
            file: String::new(),
            next: 0,
            segment: None,
            offset: 0,
            buffer: Vec::new(),
            checksum: [0; 16],
            batch_position: 0,
            met: [false; 2],
            torn: None,
            room: 0,
            pages: Pages::new(store),
            open_page: Vec::new(),
            tree: Frontier::of_log(),
            accounts: Vec::new(),
            names: HashMap::new(),
            named: 0,
            awaited: None,
            ids: HashSet::new(),
        }
    }

    /// Begins at a segment in the middle of a log, at [`Level::Quick`], to find where the log ends:
    /// what its header says of the log before it is believed. One sound slot of `HEAD` is enough.
    #[must_use]
    pub fn resume(head: &Head, header: &SegmentHeader) -> LogCheck {
        let before = Err(Fault::new(0, "a slot that is asked for", "one that is not"));
        let clock_ms = header.clock_ms;
        let (pages, position) = (header.pages, header.first_position);
        LogCheck {
            head: Head { now: head.now.clone(), before },
            next: header.segment,
            checksum: header.before,
            pages: Pages::after(header.store, pages, position, header.predecessor, clock_ms),
            named: header.accounts,
            ..LogCheck::start(Level::Quick, head.clone())
        }
    }

    /// Goes on with the next file of the log's folder. They come in the order of their names,
    /// `HEAD` left out.
    ///
    /// # Errors
    /// If the file before ended too early, or this one is not the next of the log.
    pub fn file(&mut self, name: &str) -> Result<(), Box<Divergence>> {
        self.end_file()?;
        let next = self.next;
        if name != segment_name(next) {
            let expected = format!("the file {}", segment_name(next));
            return Err(divergence(name, Fault::new(0, expected, "this one in its place")));
        }
        let is_behind = next > self.head.now.segment;
        if is_behind && (self.head.now.shut || self.torn.is_some()) {
            let expected = format!("no segment behind {}", segment_name(next - 1));
            return Err(divergence(name, Fault::new(0, expected, "one more")));
        }
        self.segment = Some(next);
        self.next = next + 1;
        self.file = name.to_owned();
        self.offset = 0;
        Ok(())
    }

    /// Takes the next bytes of the file, as many as there are; each event that they complete is
    /// given to `sink` (at [`Level::Full`]).
    ///
    /// # Errors
    /// The first byte that is not as it was written.
    pub fn feed(&mut self, bytes: &[u8], sink: Sink<'_>) -> Result<(), Box<Divergence>> {
        if self.torn.is_some() && without_room(bytes) == 0 {
            self.room += bytes.len();
            return Ok(());
        }
        self.check_torn(self.room)?;
        self.buffer.resize(self.buffer.len() + std::mem::take(&mut self.room), 0);
        self.buffer.extend_from_slice(bytes);
        let mut buffer = std::mem::take(&mut self.buffer);
        let mut done = 0;
        while let Some(taken) = self.step(&buffer[done..], sink)? {
            done += taken;
            self.offset += taken as u64;
        }
        buffer.drain(..done);
        self.buffer = buffer;
        if self.torn.is_some() {
            self.leave_room();
        }
        self.check_torn(0)
    }

    /// Ends the check.
    ///
    /// # Errors
    /// If the log ends before `HEAD` says so.
    pub fn finish(mut self) -> Result<Report, Box<Divergence>> {
        self.end_log()?;
        Ok(self.report())
    }

    fn report(mut self) -> Report {
        if let Some(summary) = self.pages.open() {
            self.tree.push(tree_leaf(&summary.encode()));
        }
        Report {
            events: self.pages.position(),
            accounts: self.named,
            root: self.tree.root(),
            store: self.head.now.store,
            shut: self.head.now.shut,
            torn: self.buffer.len() as u64,
        }
    }

    /// Ends the check and says what the log's next batch goes on from.
    ///
    /// # Errors
    /// As [`LogCheck::finish`].
    pub fn end(self) -> Result<End, Box<Divergence>> {
        Ok(self.conclude()?.1)
    }

    fn end_log(&mut self) -> Result<(), Box<Divergence>> {
        self.end_file()?;
        for (met, slot) in self.met.iter().zip([Ok(&self.head.now), self.head.before.as_ref()]) {
            let (false, Ok(slot)) = (met, slot) else { continue };
            let file = segment_name(slot.segment);
            if self.segment.is_none_or(|last| last < slot.segment) {
                return Err(divergence(&file, Fault::new(0, "a segment", "none")));
            }
            let found = format!("byte {} of {file}, where none ends", slot.offset);
            let fault = Fault::new(48, "the end of a batch", found).moved(slot.place());
            return Err(divergence("HEAD", fault));
        }
        if self.level == Level::Quick {
            let mut rest = &self.open_page[..];
            while !rest.is_empty() {
                let (frame, len) = Frame::read(rest).expect("it was read before");
                self.pages.push_leaf(frame.leaf().expect("only such frames are kept"));
                rest = &rest[len..];
            }
        }
        Ok(())
    }

    /// Reads one header or batch from the front of `bytes`; gives how long it was, or `None` if
    /// it is not all there.
    fn step(&mut self, bytes: &[u8], sink: Sink<'_>) -> Result<Option<usize>, Box<Divergence>> {
        if self.torn.is_some() || bytes.is_empty() {
            return Ok(None);
        }
        if self.offset == 0 {
            let Some(header) = bytes.first_chunk() else { return Ok(None) };
            self.segment_header(header).map_err(|fault| divergence(&self.file, fault))?;
            self.meet(SEGMENT_HEADER as u64)?;
            return Ok(Some(SEGMENT_HEADER));
        }
        let is_behind = self.is_behind();
        if is_behind && self.head.now.shut {
            let expected = "the end of a log that was closed";
            let found = "more bytes";
            return Err(self.here(Fault::new(0, expected, found)));
        }
        let Some(header) = bytes.first_chunk::<BATCH_HEADER>() else { return Ok(None) };
        let header = match BatchHeader::read(header) {
            Ok(header) => header,
            Err(fault) => return self.bad(is_behind, fault),
        };
        let Some(batch) = bytes.get(..header.total()) else { return Ok(None) };
        let sound = header.check(batch, &self.head.now.store, &self.checksum);
        if let (true, Err(fault)) = (is_behind, &sound) {
            return self.bad(true, fault.clone());
        }
        self.body(&header, &batch[BATCH_HEADER..], sound.is_ok(), sink).and_then(|()| {
            // The frames were looked at all the same: they may say more closely where it is.
            sound.map_err(|fault| self.batch_fault(&header, &batch[BATCH_HEADER..], fault))
        })?;
        self.checksum = header.checksum;
        self.meet(self.offset + batch.len() as u64)?;
        Ok(Some(batch.len()))
    }

    /// A batch that is none: the torn end if it is behind `HEAD`, damage if not.
    fn bad(&mut self, is_behind: bool, fault: Fault) -> Result<Option<usize>, Box<Divergence>> {
        if is_behind {
            self.torn = Some(fault);
            return Ok(None);
        }
        Err(self.here(fault))
    }

    fn is_behind(&self) -> bool {
        let end = (self.head.now.segment, self.head.now.offset);
        self.segment.is_some_and(|segment| (segment, self.offset) >= end)
    }

    fn segment_header(&mut self, bytes: &[u8; SEGMENT_HEADER]) -> Result<(), Fault> {
        let (header, checksum) = SegmentHeader::decode(bytes)?;
        let expected = SegmentHeader {
            store: self.head.now.store,
            segment: self.segment.unwrap_or_default(),
            first_position: self.pages.position(),
            pages: self.pages.closed(),
            accounts: self.named,
            clock_ms: self.pages.clock_ms(),
            before: self.checksum,
            predecessor: *self.pages.predecessor(),
        };
        expected.check(&header)?;
        if self.pages.open().is_some() {
            return Err(Fault::new(0, "a page trailer at the end of the segment before", "none"));
        }
        self.checksum = checksum;
        Ok(())
    }

    /// Holds the slots of `HEAD` against the log, which now stands at `offset` of the segment.
    fn meet(&mut self, offset: u64) -> Result<(), Box<Divergence>> {
        let segment = self.segment.expect("a segment is being read");
        for n in 0..2 {
            let slot = match (n, &self.head.before) {
                (0, _) => &self.head.now,
                (_, Ok(before)) => before,
                (_, Err(_)) => continue,
            };
            if (slot.segment, slot.offset) == (segment, offset) {
                self.slot(slot).map_err(|f| divergence("HEAD", f.moved(slot.place())))?;
                self.met[n] = true;
            }
        }
        Ok(())
    }

    fn slot(&self, slot: &Slot) -> Result<(), Fault> {
        same(56, "a count of events of", self.pages.position(), slot.events)?;
        same_bytes(64, "the last batch's checksum", &self.checksum, &slot.checksum)
    }

    /// Ends the file that is being read, if any.
    fn end_file(&mut self) -> Result<(), Box<Divergence>> {
        if self.segment.is_none() {
            return Ok(());
        }
        let is_behind = self.is_behind();
        let left = self.buffer.len();
        if !is_behind {
            let is_whole = left == 0 && self.segment < Some(self.head.now.segment);
            if is_whole && self.offset > 0 {
                return Ok(());
            }
            let found = match left {
                0 => "the end of the file, before where HEAD says that the log ends".to_owned(),
                _ => format!("only {left} bytes to the end of the file"),
            };
            return Err(self.here(Fault::new(0, "a whole batch", found)));
        }
        if left == 0 && self.room == 0 {
            return Ok(());
        }
        self.leave_room();
        let fault = self.torn.take();
        let what = fault.map_or_else(|| "a piece of a batch".to_owned(), |f| f.to_string());
        let behind = self.buffer.get(1..).unwrap_or_default();
        if let Some(at) = find_batch(behind, &self.head.now.store) {
            let found =
                format!("bad bytes with a sound batch {} bytes behind them: {what}", at + 1);
            return Err(self.here(Fault::new(0, "a batch", found)));
        }
        self.torn = Some(Fault::new(0, "a batch", what));
        Ok(())
    }

    /// Takes the zeros off the end of what is torn.
    fn leave_room(&mut self) {
        let left = without_room(&self.buffer);
        self.room += self.buffer.len() - left;
        self.buffer.truncate(left);
    }

    /// What is torn is a piece of one batch, however much more the file has. `room` zeros are of it too.
    fn check_torn(&self, room: usize) -> Result<(), Box<Divergence>> {
        let left = self.buffer.len().saturating_add(room);
        if left <= BATCH_HEADER + MAX_BATCH {
            return Ok(());
        }
        let what = self.torn.as_ref().map_or("a piece of a batch".to_owned(), Fault::to_string);
        let expected = "at most a piece of one batch behind the durable end";
        Err(self.here(Fault::new(0, expected, format!("{left} bytes or more: {what}"))))
    }

    /// A fault at so many bytes behind the header or batch that is being read.
    fn here(&self, fault: Fault) -> Box<Divergence> {
        divergence(&self.file, fault.moved(self.offset))
    }

    /// A bad batch of which nothing more can be said than which events it holds.
    fn batch_fault(&self, header: &BatchHeader, body: &[u8], fault: Fault) -> Box<Divergence> {
        let mut found = self.here(fault);
        if let Some(events @ 1..) = self.pages.position().checked_sub(self.batch_position) {
            found.position = Some(self.batch_position);
            let last = (header.events == 1 && events == 1).then(|| last_ordinal(body)).flatten();
            if let Some(account) = last.and_then(|ordinal| self.accounts.get(ordinal as usize)) {
                found.account = Some(account.name.to_string());
                found.revision = account.events.checked_sub(1);
            }
        }
        found
    }
}

/// The ordinal of the last event in a batch's body.
fn last_ordinal(mut body: &[u8]) -> Option<u32> {
    let mut last = None;
    while let Ok((frame, len)) = Frame::read(body) {
        if let Frame::Event { envelope, .. } = frame {
            last = Some(u32::from_le_bytes([envelope[4], envelope[5], envelope[6], envelope[7]]));
        }
        body = &body[len..];
    }
    last
}

fn divergence(file: &str, fault: Fault) -> Box<Divergence> {
    Box::new(Divergence::new(file, fault))
}
