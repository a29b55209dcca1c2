//! Reads a whole log as a stranger would, and finds the first byte that is not as it was written.

mod accounts;
mod erased;
mod frames;
mod looked;
mod names;
mod report;
mod seals;
mod standing;

use accounts::Accounts;
use erased::Erasures;
use looked::{Batch, What};
pub use looked::{Looked, whole_batches};
pub use report::{Checked, Divergence, End, Erased, Level, Report, Sealed};
use seals::Seals;
use standing::Keeping;
pub use standing::{Standing, StandingAccount, StandingError, id_hash};

use std::collections::HashSet;

use crate::batch::{BATCH_HEADER, BatchHeader, Checksum, MAX_BATCH, find_batch, without_room};
use crate::fault::{Fault, same, same_bytes};
use crate::frame::Frame;
use crate::hash::Digest;
use crate::head::{Head, Slot};
use crate::page::Pages;
use crate::segment::{SEGMENT_HEADER, SegmentHeader, segment_name};
use crate::tree::{Frontier, tree_leaf};

/// Which ids are held against each other.
enum Ids {
    /// All, by 16 bytes of a hash each.
    All(HashSet<[u8; 16]>),
    /// Those alone that may be there twice.
    Doubted { is_doubted: IsDoubted, seen: HashSet<(u32, Box<str>)> },
    /// Those since an earlier check, and against all before it, which rise.
    Known { before: Vec<[u8; 16]>, since: HashSet<[u8; 16]> },
}

/// Whether an account, by its ordinal, may have an id twice.
type IsDoubted = Box<dyn Fn(u32, &str) -> bool + Send>;

/// A check of a log, fed with its files in order.
///
/// Memory: one batch, and at [`Level::Full`] an entry an account and 16 bytes an event; without those
/// after [`LogCheck::doubting`]. At both levels 80 bytes for each event or name that was erased.
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
    /// Whether the segment is shrunk, once a frame has said so.
    is_shrunk: Option<bool>,
    /// The last checksum; `None` behind a batch that was rewritten.
    checksum: Option<Checksum>,
    /// Events before the batch that is being read.
    batch_position: u64,
    /// Accounts before it.
    batch_named: u64,
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
    accounts: Accounts,
    /// Accounts, at either level.
    named: u64,
    /// The account that was named last and has no event yet.
    awaited: Option<u32>,
    ids: Ids,
    seals: Seals,
    erasures: Erasures,
    /// What asks for a page trailer as the next frame.
    closing: Option<&'static str>,
    keeping: Option<Keeping>,
}

type Sink<'a, T> = &'a mut dyn FnMut(Checked<'_>, &T);

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
            is_shrunk: None,
            checksum: Some([0; 16]),
            batch_position: 0,
            batch_named: 0,
            met: [false; 2],
            torn: None,
            room: 0,
            pages: Pages::new(store),
            open_page: Vec::new(),
            tree: Frontier::default(),
            accounts: Accounts::default(),
            named: 0,
            awaited: None,
            ids: Ids::All(HashSet::new()),
            seals: Seals::default(),
            erasures: Erasures::default(),
            closing: None,
            keeping: None,
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
            checksum: Some(header.before),
            erasures: Erasures { from: (position, header.accounts), ..Erasures::default() },
            pages: Pages::after(header.store, pages, position, header.predecessor, clock_ms),
            named: header.accounts,
            ..LogCheck::start(Level::Quick, head.clone())
        }
    }

    /// Holds only those ids against each other of which `is_doubted` says, of an account's ordinal and
    /// the id, that the account may have it twice. For those who know that of no other.
    #[must_use]
    pub fn doubting(self, is_doubted: impl Fn(u32, &str) -> bool + Send + 'static) -> LogCheck {
        let is_doubted = Box::new(is_doubted);
        LogCheck { ids: Ids::Doubted { is_doubted, seen: HashSet::new() }, ..self }
    }

    /// The store's id, by `HEAD`.
    #[must_use]
    pub fn store(&self) -> [u8; 16] {
        self.head.now.store
    }

    /// The accounts that were named so far, by their ordinals (at [`Level::Full`]): their names, empty where they were
    /// erased, and the heads of their chains.
    pub fn accounts(&self) -> impl Iterator<Item = (&str, &Digest)> {
        self.accounts.iter()
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
        self.is_shrunk = None;
        Ok(())
    }

    /// Takes the next bytes of the file, as many as there are; each event that they complete is
    /// given to `sink` (at [`Level::Full`]).
    ///
    /// # Errors
    /// The first byte that is not as it was written.
    pub fn feed(
        &mut self,
        bytes: &[u8],
        sink: &mut dyn FnMut(Checked<'_>),
    ) -> Result<(), Box<Divergence>> {
        if self.torn.is_some() {
            return self.feed_torn(bytes);
        }
        let mut buffer = std::mem::take(&mut self.buffer);
        if buffer.is_empty() {
            let done = self.look_and_walk(bytes, sink)?;
            buffer.extend_from_slice(&bytes[done..]);
        } else {
            buffer.extend_from_slice(bytes);
            let done = self.look_and_walk(&buffer, sink)?;
            buffer.drain(..done);
        }
        self.buffer = buffer;
        self.keep_rest()
    }

    /// Takes the next bytes of a file in which no batch comes any more.
    fn feed_torn(&mut self, bytes: &[u8]) -> Result<(), Box<Divergence>> {
        if without_room(bytes) == 0 {
            self.room += bytes.len();
            return Ok(());
        }
        self.check_torn(self.room)?;
        self.buffer.resize(self.buffer.len() + std::mem::take(&mut self.room), 0);
        self.buffer.extend_from_slice(bytes);
        self.keep_rest()
    }

    /// Judges what is left behind the last whole batch.
    fn keep_rest(&mut self) -> Result<(), Box<Divergence>> {
        if self.torn.is_some() {
            self.leave_room();
        }
        self.check_torn(0)
    }

    fn look_and_walk(
        &mut self,
        bytes: &[u8],
        sink: &mut dyn FnMut(Checked<'_>),
    ) -> Result<usize, Box<Divergence>> {
        let store = self.store();
        let looked = Looked::of(self.level, &store, bytes, self.offset == 0, |_, _| ());
        self.walk(&looked, &mut |checked, ()| sink(checked))
    }

    /// The same with bytes that were looked at before; `sink` is given what `look` made of the event too.
    ///
    /// # Errors
    /// As [`LogCheck::feed`].
    ///
    /// # Panics
    /// If the bytes fed before ended within a batch that goes on in these ([`whole_batches`] says where
    /// batches end).
    pub fn feed_looked<T>(
        &mut self,
        looked: &Looked<'_, T>,
        sink: Sink<'_, T>,
    ) -> Result<(), Box<Divergence>> {
        if self.torn.is_some() {
            return self.feed_torn(looked.bytes);
        }
        assert!(self.buffer.is_empty(), "the last batch that was fed goes on");
        let done = self.walk(looked, sink)?;
        self.buffer.extend_from_slice(&looked.bytes[done..]);
        self.keep_rest()
    }

    /// Holds what was looked at against the log before it; gives how many bytes that were.
    fn walk<T>(
        &mut self,
        looked: &Looked<'_, T>,
        sink: Sink<'_, T>,
    ) -> Result<usize, Box<Divergence>> {
        let (mut done, mut batches, mut frames) = (0, looked.batches.iter(), 0);
        while let Some(taken) = self.step(looked, done, &mut batches, &mut frames, sink)? {
            done += taken;
            self.offset += taken as u64;
        }
        if self.level == Level::Quick {
            self.keep_open_page(looked, frames);
        }
        self.accounts.chains.link();
        Ok(done)
    }

    /// Keeps the frames of the page that is open behind the first `frames` that were looked at.
    fn keep_open_page<T>(&mut self, looked: &Looked<'_, T>, frames: usize) {
        let frames = &looked.frames[..frames];
        let trailer = frames.iter().rposition(|f| matches!(f.what, What::Frame(Frame::Trailer(_))));
        for frame in &frames[trailer.map_or(0, |n| n + 1)..] {
            self.open_page.extend_from_slice(&looked.bytes[frame.at..frame.at + frame.len]);
        }
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
            seals: self.seals.seen,
            erased: Erased {
                events: self.erasures.events.len() as u64,
                accounts: self.erasures.names.len() as u64,
                erasures: self.erasures.records.len() as u64,
            },
            erasures: self.erasures.records,
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
        self.end_erasures()?;
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

    /// Holds the header or batch that begins `at` the bytes that were looked at; gives how long it is, or
    /// `None` if it is not all there. `batches` are those from there on, `frames` is how many are before.
    fn step<T>(
        &mut self,
        looked: &Looked<'_, T>,
        at: usize,
        batches: &mut std::slice::Iter<'_, Batch>,
        frames: &mut usize,
        sink: Sink<'_, T>,
    ) -> Result<Option<usize>, Box<Divergence>> {
        let bytes = &looked.bytes[at..];
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
        if let Err(fault) = BatchHeader::read(header) {
            return self.bad(is_behind, fault);
        }
        let Some(batch) = batches.next() else { return Ok(None) };
        assert_eq!(batch.at, at, "batches are told apart by their headers alone");
        let sound = batch.header.check_of(&batch.checksum, self.checksum.as_ref());
        if let (true, Err(fault)) = (is_behind, &sound) {
            return self.bad(true, fault.clone());
        }
        self.body(looked, batch, *frames, sound.is_ok(), sink).and_then(|()| {
            // The frames were looked at all the same: they may say more closely where it is.
            let body = &bytes[BATCH_HEADER..batch.header.total()];
            sound.map_err(|fault| self.batch_fault(&batch.header, body, fault))
        })?;
        *frames = batch.frames;
        self.checksum = batch.header.linked();
        let end = self.offset + batch.header.total() as u64;
        self.meet(end)?;
        self.keep_place(end);
        Ok(Some(batch.header.total()))
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
            // Behind a batch that was rewritten it holds the checksum of before.
            before: self.checksum.unwrap_or(header.before),
            predecessor: *self.pages.predecessor(),
        };
        expected.check(&header)?;
        if self.pages.open().is_some() {
            return Err(Fault::new(0, "a page trailer at the end of the segment before", "none"));
        }
        self.checksum = Some(checksum);
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
        let Some(checksum) = &self.checksum else {
            return Err(Fault::new(
                40,
                "the end of a batch that was not rewritten",
                "that of one that was",
            ));
        };
        same_bytes(64, "the last batch's checksum", checksum, &slot.checksum)
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
            let known = last.and_then(|ordinal| Some((ordinal, self.accounts.name(ordinal)?)));
            if let Some((ordinal, name)) = known {
                found.account = Some(name.to_owned());
                found.revision = self.accounts.chains.events(ordinal).checked_sub(1);
            }
        }
        found
    }
}

/// The ordinal of the last event in a batch's body.
fn last_ordinal(mut body: &[u8]) -> Option<u32> {
    let mut last = None;
    while let Ok((frame, len)) = Frame::read(body) {
        last = frame.event_ordinal().or(last);
        body = &body[len..];
    }
    last
}

fn divergence(file: &str, fault: Fault) -> Box<Divergence> {
    Box::new(Divergence::new(file, fault))
}
