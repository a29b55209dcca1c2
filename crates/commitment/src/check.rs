//! Reads a whole log as a stranger would, and finds the first byte that is not as it was written.

use std::collections::{HashMap, HashSet};

use event::{Event, Recorded, RecordedBy, canonical};

use crate::batch::{BATCH_HEADER, BatchHeader, Checksum, MAX_BATCH, find_batch};
use crate::envelope::{Envelope, Scope};
use crate::fault::{Fault, same, same_bytes};
use crate::frame::{
    ENVELOPE_AT, FRAME_HEADER, Frame, PADDED_AT, chain_start, chain_step, content_of,
};
use crate::hash::Digest;
use crate::head::{Head, Slot};
use crate::page::{MAX_PAGE, Pages, Summary};
use crate::segment::{SEGMENT_HEADER, SegmentHeader, segment_name};
use crate::tree::{Frontier, tree_leaf};

/// How much is checked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Level {
    /// The files' bytes alone: every checksum, header, length and link, the frames' borders and the
    /// pages' counts. Damage is found; an edit whose checksums were made anew is not.
    Quick,
    /// Also every leaf, chain, page and the tree anew from the events, and every event in itself.
    Full,
}

/// Where a log is not as it was written.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{file}, byte {offset}: expected {expected}, found {found}")]
pub struct Divergence {
    /// The account, where it is known.
    pub account: Option<String>,
    /// The position of the event, or of the first event of the batch or page.
    pub position: Option<u64>,
    /// The revision of the event, where the account is known.
    pub revision: Option<u64>,
    /// The file's name in the log's folder.
    pub file: String,
    /// The byte in the file.
    pub offset: u64,
    /// What should stand there.
    pub expected: String,
    /// What stands there.
    pub found: String,
}

/// An event that was found sound. Of the commitments above it (its page, the tree) nothing is said
/// until [`LogCheck::finish`].
#[derive(Debug)]
pub struct Checked<'a> {
    /// The event in its place.
    pub recorded: Recorded,
    /// Its account's number.
    pub ordinal: u32,
    /// Its account's secret.
    pub secret: &'a [u8; 32],
    /// Its leaf.
    pub leaf: Digest,
    /// The head of its account's chain after it.
    pub chain: Digest,
    /// The file that holds it.
    pub file: &'a str,
    /// Where in the file its frame begins, in bytes.
    pub offset: u64,
}

/// What a sound log is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Report {
    /// Events in it.
    pub events: u64,
    /// Accounts in it.
    pub accounts: u64,
    /// The root of the tree, the open page counted in (docs/format.md, section 8).
    pub root: Digest,
    /// The store's id.
    pub store: [u8; 16],
    /// Whether its last writer closed it.
    pub shut: bool,
    /// Bytes behind the last whole batch: what a writer was at when it was killed. Nobody was told
    /// that they are durable.
    pub torn: u64,
}

/// Where a log ends: what its next batch goes on from.
#[derive(Debug, Clone)]
pub struct End {
    /// The open page, and what was before it.
    pub pages: Pages,
    /// Accounts in the log.
    pub accounts: u64,
    /// The last segment.
    pub segment: u64,
    /// The end of its last whole batch, or of its header, in bytes.
    pub offset: u64,
    /// The last checksum.
    pub checksum: Checksum,
    /// Bytes behind that end which are no batch.
    pub torn: u64,
}

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
    /// What the bytes after `offset` are not, if they are no batch: the torn end.
    torn: Option<Fault>,
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
        self.buffer.extend_from_slice(bytes);
        let mut buffer = std::mem::take(&mut self.buffer);
        let mut done = 0;
        while let Some(taken) = self.step(&buffer[done..], sink)? {
            done += taken;
            self.offset += taken as u64;
        }
        buffer.drain(..done);
        self.buffer = buffer;
        Ok(())
    }

    /// Ends the check.
    ///
    /// # Errors
    /// If the log ends before `HEAD` says so.
    pub fn finish(mut self) -> Result<Report, Box<Divergence>> {
        self.end_log()?;
        if let Some(summary) = self.pages.open() {
            self.tree.push(tree_leaf(&summary.encode()));
        }
        Ok(Report {
            events: self.pages.position(),
            accounts: self.named,
            root: self.tree.root(),
            store: self.head.now.store,
            shut: self.head.now.shut,
            torn: self.buffer.len() as u64,
        })
    }

    /// Ends the check and says what the log's next batch goes on from.
    ///
    /// # Errors
    /// As [`LogCheck::finish`].
    pub fn end(mut self) -> Result<End, Box<Divergence>> {
        self.end_log()?;
        Ok(End {
            segment: self.segment.expect("HEAD's end was met, and it is in a segment"),
            offset: self.offset,
            checksum: self.checksum,
            torn: self.buffer.len() as u64,
            pages: self.pages,
            accounts: self.named,
        })
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
        let sound = header.check(batch, &self.checksum);
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

    fn body(
        &mut self,
        header: &BatchHeader,
        body: &[u8],
        is_sound: bool,
        sink: Sink<'_>,
    ) -> Result<(), Box<Divergence>> {
        self.batch_position = self.pages.position();
        let mut at = 0;
        while at < body.len() {
            let offset = self.offset + (BATCH_HEADER + at) as u64;
            let (frame, len) = match Frame::read(&body[at..]) {
                Ok(read) => read,
                // Where frames begin is not known behind a byte that may be anything.
                Err(_) if !is_sound => return Ok(()),
                Err(fault) => {
                    let position = Some(self.pages.position());
                    let found = *divergence(&self.file, fault.moved(offset));
                    return Err(Box::new(Divergence { position, ..found }));
                }
            };
            self.frame(&frame, &body[at..at + len], offset, is_sound, sink)?;
            at += len;
        }
        if !is_sound {
            return Ok(());
        }
        if let Some(ordinal) = self.awaited {
            let expected = format!("an event of account {ordinal}, which was just named");
            return Err(self.here(Fault::new(header.total(), expected, "the end of the batch")));
        }
        let events = self.pages.position() - self.batch_position;
        same(28, "a count of events of", events, u64::from(header.events))
            .map_err(|fault| self.here(fault))
    }

    fn frame(
        &mut self,
        frame: &Frame<'_>,
        bytes: &[u8],
        offset: u64,
        is_sound: bool,
        sink: Sink<'_>,
    ) -> Result<(), Box<Divergence>> {
        let is_event = matches!(frame, Frame::Event { .. });
        let in_frame = |check: &LogCheck, fault: Fault| {
            let position = is_event.then(|| check.pages.position());
            Box::new(Divergence { position, ..*divergence(&check.file, fault.moved(offset)) })
        };
        if !matches!(frame, Frame::Trailer(_)) && self.pages.is_full_for(bytes.len()) {
            let expected = format!("a page trailer before a page of more than {MAX_PAGE} bytes");
            return Err(in_frame(self, Fault::new(0, expected, "another frame")));
        }
        match frame {
            Frame::Trailer(summary) => {
                let checked = Frame::check(bytes, &tree_leaf(*summary)).and_then(|()| {
                    self.trailer(summary).map_err(|fault| fault.moved(FRAME_HEADER as u64))
                });
                checked.map_err(|fault| {
                    let position = Some(self.pages.first_position());
                    let found = *divergence(&self.file, fault.moved(offset));
                    Box::new(Divergence { position, ..found })
                })?;
            }
            Frame::Name { ordinal, secret, name } => {
                let leaf = self.name(*ordinal, secret, name, frame);
                let leaf = leaf.and_then(|leaf| {
                    leaf.map_or(Ok(()), |leaf| Frame::check(bytes, &leaf)).map(|()| leaf)
                });
                let leaf = leaf.map_err(|fault| {
                    let account = Some((*name).to_owned());
                    Box::new(Divergence { account, ..*in_frame(self, fault) })
                })?;
                self.count(leaf, bytes, false);
            }
            Frame::Event { envelope, padded, .. } => {
                let ordinal =
                    u32::from_le_bytes([envelope[4], envelope[5], envelope[6], envelope[7]]);
                if let Some(awaited) = self.awaited.take() {
                    let what = "an event of the account just named, of ordinal";
                    same(ENVELOPE_AT + 4, what, awaited, ordinal).map_err(|f| in_frame(self, f))?;
                }
                if self.level == Level::Quick {
                    self.quick_event(envelope).map_err(|fault| in_frame(self, fault))?;
                    self.count(None, bytes, true);
                    return Ok(());
                }
                let leaf = frame.leaf().expect("an event has a leaf");
                let recorded = self.event(ordinal, envelope, padded);
                let recorded = recorded.and_then(|r| Frame::check(bytes, &leaf).map(|()| r));
                let recorded = recorded.map_err(|fault| {
                    let account = self.accounts.get(ordinal as usize);
                    Box::new(Divergence {
                        account: account.map(|a| a.name.to_string()),
                        revision: account.map(|a| a.events),
                        ..*in_frame(self, fault)
                    })
                })?;
                self.count(Some(leaf), bytes, true);
                let account = &mut self.accounts[ordinal as usize];
                account.chain = chain_step(&account.chain, &leaf);
                account.events += 1;
                if is_sound {
                    sink(Checked {
                        recorded,
                        ordinal,
                        secret: &account.secret,
                        leaf,
                        chain: account.chain,
                        file: &self.file,
                        offset,
                    });
                }
            }
        }
        Ok(())
    }

    fn count(&mut self, leaf: Option<Digest>, bytes: &[u8], is_event: bool) {
        match leaf {
            Some(leaf) => self.pages.push(leaf, bytes.len(), is_event),
            None => {
                self.pages.count(bytes.len(), is_event);
                self.open_page.extend_from_slice(bytes);
            }
        }
    }

    fn trailer(&mut self, bytes: &[u8; crate::SUMMARY]) -> Result<(), Fault> {
        let found = Summary::decode(bytes)?;
        let Some(expected) = self.pages.open() else {
            return Err(Fault::new(0, "a frame with a leaf before a page trailer", "none"));
        };
        expected.check(&found, self.level == Level::Full)?;
        self.tree.push(tree_leaf(bytes));
        self.pages.close(bytes);
        self.open_page.clear();
        Ok(())
    }

    /// Takes in a name; gives its leaf at [`Level::Full`].
    fn name(
        &mut self,
        ordinal: u32,
        secret: &[u8; 32],
        name: &str,
        frame: &Frame<'_>,
    ) -> Result<Option<Digest>, Fault> {
        if let Some(awaited) = self.awaited {
            let expected = format!("an event of account {awaited}, which was just named");
            return Err(Fault::new(0, expected, "another name"));
        }
        same(FRAME_HEADER, "the ordinal", self.named, u64::from(ordinal))?;
        let mut leaf = None;
        if self.level == Level::Full {
            if let Some(other) = self.names.insert(name.into(), ordinal) {
                let found = format!("the name of account {other}");
                return Err(Fault::new(FRAME_HEADER + 36, "a new name", found));
            }
            let own = frame.leaf().expect("a name has a leaf");
            leaf = Some(own);
            self.accounts.push(AccountCheck {
                name: name.into(),
                secret: *secret,
                chain: chain_start(&own),
                events: 0,
            });
        }
        self.named += 1;
        self.awaited = Some(ordinal);
        Ok(leaf)
    }

    fn quick_event(&mut self, envelope: &[u8; crate::ENVELOPE]) -> Result<(), Fault> {
        let envelope = Envelope::decode(envelope).map_err(|f| f.moved(ENVELOPE_AT as u64))?;
        self.known(envelope.ordinal)?;
        self.clock(&envelope)
    }

    fn known(&self, ordinal: u32) -> Result<(), Fault> {
        if u64::from(ordinal) < self.named {
            return Ok(());
        }
        let expected = format!("the ordinal of an account named before, under {}", self.named);
        Err(Fault::new(ENVELOPE_AT + 4, expected, ordinal.to_string()))
    }

    fn clock(&mut self, envelope: &Envelope) -> Result<(), Fault> {
        if envelope.recorded_by == RecordedBy::Log {
            let ms = envelope.recorded_at.ms();
            if ms < self.pages.clock_ms() {
                let expected =
                    format!("a time of the log's clock from {} ms", self.pages.clock_ms());
                return Err(Fault::new(ENVELOPE_AT + 16, expected, format!("{ms} ms")));
            }
            self.pages.set_clock_ms(ms);
        }
        Ok(())
    }

    /// Everything that an event must be by itself and among its account's.
    fn event(
        &mut self,
        ordinal: u32,
        envelope: &[u8; crate::ENVELOPE],
        padded: &[u8],
    ) -> Result<Recorded, Fault> {
        let envelope = Envelope::decode(envelope).map_err(|f| f.moved(ENVELOPE_AT as u64))?;
        self.known(ordinal)?;
        self.clock(&envelope)?;
        let account = &self.accounts[ordinal as usize];
        let bytes = content_of(padded);
        let content = canonical::decode_content(envelope.kind, bytes).map_err(|e| {
            let at = PADDED_AT + padded.len() - bytes.len() + e.offset;
            Fault::new(at, "a canonical content", e.problem.to_string())
        })?;
        let (scope, subject) = Scope::of(&content.payload);
        same(ENVELOPE_AT + 3, "the scope", scope as u8, envelope.scope as u8)?;
        let tag = scope.tag(&account.secret, subject);
        same_bytes(ENVELOPE_AT + 24, "the subject's tag", &tag, &envelope.tag)?;
        if !self.ids.insert(id_hash(ordinal, &content.id)) {
            let found = format!("the id {:?} again", content.id);
            return Err(Fault::new(PADDED_AT, "an id that is new in the account", found));
        }
        let recorded_at = envelope.recorded_at;
        let is_honoured = envelope.recorded_by == RecordedBy::Source;
        Ok(Recorded {
            event: Event {
                id: content.id,
                account: account.name.to_string(),
                occurred_at: envelope.occurred_at,
                recorded_at: is_honoured.then_some(recorded_at),
                actor: envelope.actor,
                surface: envelope.surface,
                attributes: content.attributes,
                payload: content.payload,
            },
            position: self.pages.position(),
            revision: account.events,
            recorded_at,
            recorded_by: envelope.recorded_by,
        })
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
        if left == 0 {
            return Ok(());
        }
        let fault = self.torn.take();
        let what = fault.map_or_else(|| "a piece of a batch".to_owned(), |f| f.to_string());
        if left > BATCH_HEADER + MAX_BATCH {
            let expected = "at most a piece of one batch behind the durable end";
            return Err(self.here(Fault::new(0, expected, format!("{left} bytes: {what}"))));
        }
        if let Some(at) = find_batch(&self.buffer[1..]) {
            let found =
                format!("bad bytes with a sound batch {} bytes behind them: {what}", at + 1);
            return Err(self.here(Fault::new(0, "a batch", found)));
        }
        self.torn = Some(Fault::new(0, "a batch", what));
        Ok(())
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

/// 16 bytes that stand for an id in an account, to find it a second time.
fn id_hash(ordinal: u32, id: &str) -> [u8; 16] {
    let mut hasher = blake3::Hasher::new();
    hasher.update(&ordinal.to_le_bytes()).update(id.as_bytes());
    crate::hash::first(hasher.finalize().as_bytes())
}

fn divergence(file: &str, fault: Fault) -> Box<Divergence> {
    Box::new(Divergence {
        account: None,
        position: None,
        revision: None,
        file: file.to_owned(),
        offset: fault.offset,
        expected: fault.expected,
        found: fault.found,
    })
}
