//! Finds what of a damaged log is intact by itself: past a bad batch it goes on at the next sound one.
//!
//! What is proven, and so intact, is an event whose batch's checksum holds (16 bytes, keyed by the
//! store) and whose page's root does not say otherwise, or whose page's root holds (32 bytes) though
//! its batch's checksum does not; its account's name likewise. Of the other frames that can still be
//! read only the 4-byte check in the frame speaks: they are given on as unproven.

mod accounts;
mod close;
mod erased;
mod page;
mod report;
mod tally;

pub use report::{AccountCounts, Cause, Found, Missing, Place, Range, Surveyed};

use accounts::Accounts;
use erased::Erased;
use page::{Item, Page, What};
use tally::Tally;

use crate::batch::{BATCH_HEADER, BatchHeader, Checksum, MAX_BATCH, without_room};
use crate::frame::{FRAME_HEADER, Frame};
use crate::hash::Digest;
use crate::head::Slot;
use crate::page::{SUMMARY, Summary};
use crate::segment::{SEGMENT_HEADER, SegmentHeader, segment_name};
use crate::tree::tree_leaf;

/// So much is looked through at once for the next sound batch: that much memory is taken at most.
const WINDOW: usize = 3 * (BATCH_HEADER + MAX_BATCH);

/// A survey of a log, fed with its segments in the order of their numbers.
///
/// Memory: some 64 MiB where the log is damaged, a batch where it is not, and an entry an account or an erased frame.
pub struct Survey {
    store: [u8; 16],
    /// The slot of `HEAD` that counts, if there is one.
    head: Option<Slot>,
    /// Whether the end that it names was met.
    is_met: bool,
    files: Vec<String>,
    /// The segment being read.
    segment: Option<u64>,
    next: u64,
    /// The bytes of the segment from here on were promised to nobody.
    durable: Option<u64>,
    /// The file before, and where it ended.
    before: (usize, u64),
    /// Where `buffer` begins in the file.
    offset: u64,
    buffer: Vec<u8>,
    /// The checksum that the next batch or segment links to, where it is known.
    link: Option<Checksum>,
    /// Whether the batch before was rewritten: what comes next links to the checksum that it had.
    is_rewritten: bool,
    /// The last summary's leaf hash, where it is known.
    predecessor: Option<Digest>,
    page: Page,
    accounts: Accounts,
    tally: Tally,
    erased: Erased,
    /// The latest time that the log set of those told.
    clock_ms: i64,
    /// The next segment that has a sound header.
    until: Option<SegmentHeader>,
    surveyed: Surveyed,
}

type Sink<'a> = &'a mut dyn FnMut(Found);

enum Piece {
    /// Not all there yet.
    Short,
    Header,
    Batch(usize),
    Bad(usize),
}

impl Survey {
    /// Of the log of this store. `head` is the slot of `HEAD` that counts, if there is one of it.
    #[must_use]
    pub fn new(store: [u8; 16], head: Option<Slot>) -> Survey {
        Survey {
            store,
            head,
            is_met: false,
            files: Vec::new(),
            segment: None,
            next: 0,
            durable: None,
            before: (0, 0),
            offset: 0,
            buffer: Vec::new(),
            link: Some([0; 16]),
            is_rewritten: false,
            predecessor: Some([0; 32]),
            page: Page::default(),
            accounts: Accounts::default(),
            tally: Tally::new(),
            erased: Erased::default(),
            clock_ms: i64::MIN,
            until: None,
            surveyed: Surveyed {
                events: 0,
                unproven: 0,
                nameless: 0,
                adopted: Vec::new(),
                seals: 0,
                erased: crate::Erased::default(),
                statements: 0,
                missing: Vec::new(),
                accounts: AccountCounts::default(),
                torn: 0,
            },
        }
    }

    /// Goes on with the segment of this number. Bytes at `durable` and behind it which are no batch
    /// were promised to nobody; what says that it stands behind `until`, the header of a segment that comes
    /// later, is out of its place.
    pub fn segment(
        &mut self,
        name: &str,
        number: u64,
        durable: Option<u64>,
        until: Option<SegmentHeader>,
        sink: Sink<'_>,
    ) {
        self.end_file(sink);
        self.until = until;
        self.skip_to(number);
        self.files.push(name.to_owned());
        self.segment = Some(number);
        self.next = self.next.max(number.saturating_add(1));
        self.durable = durable;
        self.offset = 0;
    }

    /// Takes the next bytes of the segment; each event that was found is given to `sink`, at the end
    /// of its page.
    pub fn feed(&mut self, bytes: &[u8], sink: Sink<'_>) {
        self.buffer.extend_from_slice(bytes);
        self.advance(false, sink);
    }

    /// Ends the survey. `is_last` says that no slot of `HEAD` came after the one that counts.
    #[must_use]
    pub fn finish(mut self, is_last: bool, sink: Sink<'_>) -> Surveyed {
        self.end_file(sink);
        let head = self.head.clone();
        if let Some(slot) = head.as_ref().filter(|_| !self.is_met) {
            if slot.segment >= self.next {
                self.skip_to(slot.segment.saturating_add(1));
            } else if self.segment == Some(slot.segment) && self.offset < slot.offset {
                let file = self.files.len() - 1;
                let len = slot.offset - self.offset;
                self.hole(file, self.offset, Some(len), Some(Cause::Cut));
            }
            self.hole(0, 0, Some(0), None);
        }
        self.close(None, None, sink);
        let end = head.as_ref().filter(|_| !self.is_met).map(|slot| slot.events);
        if let Some(end) = end.filter(|end| self.tally.done() <= *end) {
            self.stand(end, self.files.len() - 1, self.offset);
        }
        if head.is_none() || !is_last {
            // Where the log ended nobody can say.
            let file = self.file("HEAD".to_owned());
            let place = self.place(file, 0, None, Cause::Damaged);
            self.tally.miss(Some(place), &self.accounts);
        }
        let mut missing = self.tally.end(&mut self.accounts);
        let found = self.erased.end();
        for (frame, _) in &found.unrecorded {
            match frame.ordinal {
                Some(ordinal) => self.accounts.cut(ordinal),
                None => self.accounts.unsure(self.accounts.count()),
            }
        }
        found.miss(&mut missing, &self.files);
        self.accounts.erased(&found.accounts);
        let (events, accounts) = (found.events, found.accounts.len() as u64);
        self.surveyed.erased = crate::Erased { events, accounts, erasures: found.erasures };
        self.surveyed.missing = missing;
        self.surveyed.accounts = self.accounts.counts();
        self.surveyed
    }

    fn file(&mut self, name: String) -> usize {
        self.files.push(name);
        self.files.len() - 1
    }

    fn place(&self, file: usize, offset: u64, bytes: Option<u64>, cause: Cause) -> Place {
        Place { file: self.files[file].clone(), offset, bytes, cause }
    }

    fn hole(&mut self, file: usize, at: u64, len: Option<u64>, cause: Option<Cause>) {
        self.page.items.push(Item { file, at, what: What::Break { len, cause } });
    }

    /// The position is known at this place in the files.
    fn stand(&mut self, position: u64, file: usize, offset: u64) {
        let (bytes, cause) = (Some(0), Cause::Unlinked);
        let here = || Place { file: self.files[file].clone(), offset, bytes, cause };
        self.tally.stand(position, here, &mut self.accounts);
    }

    /// Notes the segments before this one that are not there.
    fn skip_to(&mut self, number: u64) {
        if number <= self.next {
            return;
        }
        let mut name = segment_name(self.next);
        if number - self.next > 1 {
            name = format!("{name} to {}", segment_name(number - 1));
        }
        let file = self.file(name);
        self.hole(file, 0, None, Some(Cause::Missing));
        self.link = None;
    }

    fn end_file(&mut self, sink: Sink<'_>) {
        self.advance(true, sink);
        self.before = (self.files.len().saturating_sub(1), self.offset);
    }

    fn advance(&mut self, at_end: bool, sink: Sink<'_>) {
        let buffer = std::mem::take(&mut self.buffer);
        let mut done = 0;
        while done < buffer.len() {
            let rest = &buffer[done..];
            let len = match self.next_piece(rest, at_end) {
                Piece::Short => break,
                Piece::Header => {
                    self.header(rest.first_chunk().expect("its length was looked at"), sink);
                    SEGMENT_HEADER
                }
                Piece::Batch(len) => {
                    self.batch(&rest[..len], sink);
                    len
                }
                Piece::Bad(len) => {
                    self.link = None;
                    let is_tail = at_end && len == rest.len();
                    if is_tail && self.durable.is_some_and(|durable| self.offset >= durable) {
                        self.surveyed.torn += without_room(rest) as u64;
                        done = buffer.len();
                        break;
                    }
                    self.region(&rest[..len], sink);
                    len
                }
            };
            self.offset += len as u64;
            done += len;
        }
        self.buffer = buffer;
        self.buffer.drain(..done);
    }

    fn next_piece(&self, rest: &[u8], at_end: bool) -> Piece {
        if self.offset == 0 && rest.len() >= SEGMENT_HEADER {
            return Piece::Header;
        }
        let short = |bad: usize| if at_end { Piece::Bad(bad) } else { Piece::Short };
        if self.offset == 0 {
            return short(rest.len());
        }
        match sound(rest, &self.store) {
            Sound::Whole(len) => return Piece::Batch(len),
            Sound::Short if !at_end => return Piece::Short,
            _ => {}
        }
        // Mostly it is the inside of one batch that is bad, and the next begins where it says.
        let own = rest.first_chunk().and_then(|header| BatchHeader::read(header).ok());
        if let Some(behind) = own.and_then(|own| rest.get(own.total()..)) {
            let len = rest.len() - behind.len();
            match sound(behind, &self.store) {
                Sound::Whole(_) => return Piece::Bad(len),
                Sound::Short if !at_end => return Piece::Short,
                _ => {}
            }
        }
        if !at_end && rest.len() < WINDOW {
            return Piece::Short;
        }
        let is_whole =
            |start: &usize| matches!(sound(&rest[*start..], &self.store), Sound::Whole(_));
        match (1..rest.len()).find(is_whole) {
            Some(start) => Piece::Bad(start),
            None if at_end => Piece::Bad(rest.len()),
            None => Piece::Bad(rest.len() - BATCH_HEADER - MAX_BATCH),
        }
    }

    fn header(&mut self, bytes: &[u8; SEGMENT_HEADER], sink: Sink<'_>) {
        let file = self.files.len() - 1;
        let header = SegmentHeader::decode(bytes).ok();
        let Some((header, checksum)) = header.filter(|(header, _)| header.store == self.store)
        else {
            self.hole(file, 0, Some(SEGMENT_HEADER as u64), Some(Cause::Damaged));
            self.link = None;
            return;
        };
        match self.link {
            Some(link) if link == header.before || self.is_rewritten => {}
            // The file before ends too early.
            Some(_) => self.hole(self.before.0, self.before.1, None, Some(Cause::Cut)),
            None => self.hole(file, 0, Some(0), None),
        }
        let is_broken = self.page.is_broken() || self.tally.here().is_none();
        self.close(None, Some((header.first_position, header.clock_ms)), sink);
        self.stand(header.first_position, file, 0);
        if self.predecessor.is_some_and(|before| before != header.predecessor) && !is_broken {
            let place = self.place(file, 0, Some(0), Cause::Unlinked);
            self.tally.doubt(place, &mut self.accounts);
        }
        self.predecessor = Some(header.predecessor);
        self.accounts.at_least(header.accounts);
        self.link(checksum, false);
    }

    /// Takes in the checksum that what comes next links to, unless this was rewritten.
    fn link(&mut self, checksum: Checksum, is_rewritten: bool) {
        (self.link, self.is_rewritten) = (Some(checksum), is_rewritten);
        let Some(slot) = self.head.as_ref().filter(|slot| slot.checksum == checksum) else {
            return;
        };
        let (file, at, what) = (self.files.len() - 1, self.offset, What::Position(slot.events));
        self.page.items.push(Item { file, at, what });
        self.is_met = true;
    }

    fn batch(&mut self, batch: &[u8], sink: Sink<'_>) {
        let (file, at) = (self.files.len() - 1, self.offset);
        match self.link {
            Some(link) if link[..8] == batch[16..24] || self.is_rewritten => {}
            Some(_) => self.hole(file, at, Some(0), Some(Cause::Unlinked)),
            None => self.hole(file, at, Some(0), None),
        }
        let done = self.frames(batch, BATCH_HEADER, batch.len(), true, sink);
        if done < batch.len() {
            let len = (batch.len() - done) as u64;
            self.hole(file, at + done as u64, Some(len), Some(Cause::Edited));
        }
        let header = BatchHeader::read(batch.first_chunk().expect("it is whole"));
        let is_rewritten = header.is_ok_and(|header| header.rewritten);
        self.link(crate::fault::at(batch, 0), is_rewritten);
    }

    /// Reads frames of `bytes`, which begin at this offset of the file, until one cannot be read or
    /// `end` is met; gives where it stopped.
    fn frames(
        &mut self,
        bytes: &[u8],
        start: usize,
        end: usize,
        is_sound: bool,
        sink: Sink<'_>,
    ) -> usize {
        let file = self.files.len() - 1;
        let mut done = start;
        while done != end
            && let Ok((frame, len)) = Frame::read(&bytes[done..])
        {
            let (at, bytes) = (self.offset + done as u64, &bytes[done..done + len]);
            done += len;
            if let Frame::Trailer(summary) = frame {
                if let Some(trailer) = self.trailer(at, bytes, summary, is_sound) {
                    self.close(Some(trailer), None, sink);
                } else {
                    let cause = if is_sound { Cause::Edited } else { Cause::Damaged };
                    self.hole(file, at, Some(bytes.len() as u64), Some(cause));
                    self.page.border = self.page.items.len();
                }
                continue;
            }
            let from = self.page.bytes.len();
            self.page.bytes.extend_from_slice(bytes);
            let what = What::Frame { from, len, is_sound };
            self.page.items.push(Item { file, at, what });
        }
        done
    }

    /// Reads what can be read between two sound batches.
    fn region(&mut self, bytes: &[u8], sink: Sink<'_>) {
        let file = self.files.len() - 1;
        let hole = |survey: &mut Survey, from: usize, to: usize| {
            let (at, len) = (survey.offset + from as u64, Some((to - from) as u64));
            survey.hole(file, at, len, Some(Cause::Damaged));
        };
        let mut done = 0;
        while done < bytes.len() {
            // A batch begins here, as far as can be told.
            let header: Option<&[u8; BATCH_HEADER]> = bytes[done..].first_chunk();
            let Some(header) = header.filter(|_| self.offset + done as u64 > 0) else { break };
            let total = BatchHeader::read(header).map_or(usize::MAX, |header| header.total());
            let end = done.saturating_add(total).min(bytes.len());
            hole(self, done, done + BATCH_HEADER);
            done = self.frames(bytes, done + BATCH_HEADER, end, false, sink);
            while done != end && done != bytes.len() {
                // Where frames begin is not known any more, until a trailer comes.
                let Some(next) = find_trailer(&bytes[done..], Some(&self.store)) else {
                    hole(self, done, bytes.len());
                    return;
                };
                hole(self, done, done + next);
                done = self.frames(bytes, done + next, end, false, sink);
            }
        }
        if done < bytes.len() {
            hole(self, done, bytes.len());
        }
    }
}

enum Sound {
    Whole(usize),
    /// It may be one, but is not all there.
    Short,
    No,
}

/// Whether a sound batch of `store` begins here. Its frames' borders are looked at first, because
/// hashing every place that looks like a header would take long.
fn sound(bytes: &[u8], store: &[u8; 16]) -> Sound {
    let Some(header) = bytes.first_chunk() else { return Sound::Short };
    let Ok(header) = BatchHeader::read(header) else { return Sound::No };
    let total = header.total();
    let mut done = BATCH_HEADER;
    while done < total {
        let Some(frame) = bytes.get(done..done + FRAME_HEADER) else { break };
        if !matches!(frame[0], 1..=34) {
            return Sound::No;
        }
        done += FRAME_HEADER + u32::from_le_bytes([frame[1], frame[2], frame[3], 0]) as usize;
    }
    match bytes.get(..total) {
        None if done <= total => Sound::Short,
        Some(batch) if done == total && header.is_sound(batch, store) => Sound::Whole(total),
        _ => Sound::No,
    }
}

/// The summary in the first page trailer in `bytes` that is whole by its own check, of this store or of any: what
/// says which piece of which log they are.
#[must_use]
pub fn find_summary(bytes: &[u8], store: Option<&[u8; 16]>) -> Option<Summary> {
    let at = find_trailer(bytes, store)? + FRAME_HEADER;
    Summary::decode(bytes[at..].first_chunk()?).ok()
}

/// Where a page trailer of this store, or of any, begins that is whole by its own check.
fn find_trailer(bytes: &[u8], store: Option<&[u8; 16]>) -> Option<usize> {
    const LEN: usize = FRAME_HEADER + SUMMARY;
    let begins = [3, SUMMARY.to_le_bytes()[0], 0, 0];
    bytes.windows(LEN).position(|frame| {
        frame[..4] == begins
            && frame[8..16] == *b"STILLPGE"
            && store.is_none_or(|store| frame[16..32] == *store)
            && Frame::check(frame, &tree_leaf(&frame[FRAME_HEADER..])).is_ok()
    })
}
