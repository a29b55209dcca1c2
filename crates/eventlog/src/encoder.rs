//! Puts events into frames, frames into pages and a batch.

use std::mem::take;

use commitment::{
    Checksum, Control, Digest, Envelope, FRAME_HEADER, Frame, Pages, SALT, SEGMENT_HEADER,
    SegmentHeader, begin_batch, begin_event, finish_events, write_control, write_name,
    write_trailer,
};
use event::{RecordedBy, Timestamp};
use rand_chacha::ChaCha20Rng;
use rand_chacha::rand_core::{RngCore, SeedableRng};

use crate::head_file::Durable;
use crate::prepare::Entered;

/// A batch that is being filled, and what the log will be when it is written.
pub(crate) struct Encoder {
    store: [u8; 16],
    pages: Pages,
    accounts: u32,
    batch: Vec<u8>,
    /// Frames of the open page that the batch has, in order: an event's by its place, for its leaf is not
    /// made yet, another's by its leaf.
    open: Vec<Open>,
    events: u32,
    is_sealed: bool,
    /// The segment that the batch goes to, and where it will begin there.
    segment: u64,
    offset: u64,
    segment_bytes: u64,
    random: ChaCha20Rng,
}

enum Open {
    Event(usize),
    Made(Digest),
}

/// A full batch, but for its header.
pub(crate) struct Batch {
    pub(crate) bytes: Vec<u8>,
    pub(crate) events: u32,
    /// Whether it ends with a seal, or the record of an erasure.
    pub(crate) is_sealed: bool,
    /// The segment that comes behind it, if it is its segment's last.
    pub(crate) next: Option<SegmentHeader>,
}

impl Encoder {
    pub(crate) fn new(
        store: [u8; 16],
        end: Durable,
        pages: Pages,
        accounts: u32,
        segment_bytes: u64,
        seed: [u8; 32],
    ) -> Encoder {
        Encoder {
            store,
            pages,
            accounts,
            batch: Vec::new(),
            open: Vec::new(),
            events: 0,
            is_sealed: false,
            segment: end.segment,
            offset: end.offset,
            segment_bytes,
            random: ChaCha20Rng::from_seed(seed),
        }
    }

    /// How many bytes the batch has so far.
    pub(crate) fn len(&self) -> usize {
        self.batch.len()
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.batch.is_empty()
    }

    /// The position of the next event.
    pub(crate) fn position(&self) -> u64 {
        self.pages.position()
    }

    /// Names a new account; gives its ordinal and its secret.
    pub(crate) fn name(&mut self, name: &str) -> (u32, [u8; 32]) {
        let ordinal = self.accounts;
        self.accounts = ordinal.checked_add(1).expect("under 2^32 accounts");
        let mut secret = [0; 32];
        self.random.fill_bytes(&mut secret);
        self.make_room(FRAME_HEADER + 36 + name.len());
        let start = self.batch.len();
        let leaf = write_name(&mut self.batch, ordinal, &secret, name);
        self.pages.count(self.batch.len() - start, false);
        self.open.push(Open::Made(leaf));
        (ordinal, secret)
    }

    /// Takes in an event; gives where its frame begins in the batch, and when it was recorded.
    pub(crate) fn event(
        &mut self,
        event: &Entered,
        (about, content): (&str, &[u8]),
        account: (u32, &[u8; 32]),
        trusted: Option<Timestamp>,
        now: Timestamp,
    ) -> (usize, Timestamp, RecordedBy) {
        let (recorded_at, recorded_by) = match trusted {
            Some(at) => (at, RecordedBy::Source),
            None => {
                // The clock may have gone back; the log's does not.
                let ms = now.ms().max(self.pages.clock_ms());
                (Timestamp::from_ms(ms).expect("one of two times"), RecordedBy::Log)
            }
        };
        let Entered { step, scope, .. } = event;
        let envelope = Envelope {
            kind: step.kind,
            actor: step.actor,
            surface: step.surface,
            scope: *scope,
            recorded_by,
            ordinal: account.0,
            occurred_at: step.occurred_at,
            recorded_at,
            tag: scope.tag(account.1, about),
        };
        let mut salt = [0; SALT];
        self.random.fill_bytes(&mut salt);
        let len = FRAME_HEADER + 56 + content.len().max(commitment::MIN_CONTENT);
        self.make_room(len);
        if recorded_by == RecordedBy::Log {
            // Only now: a page that was just closed ended before this event.
            self.pages.set_clock_ms(recorded_at.ms());
        }
        let (envelope, batch) = (envelope.encode(), &mut self.batch);
        let start = begin_event(batch, &envelope, &salt, |out| out.extend_from_slice(content));
        self.pages.count(self.batch.len() - start, true);
        self.open.push(Open::Event(start));
        self.events += 1;
        (start, recorded_at, recorded_by)
    }

    /// Takes in what the log says of itself. A seal closes its page.
    pub(crate) fn control(&mut self, control: &Control<'_>) {
        let frame = self.control_frame(control);
        self.record(&frame);
    }

    /// The frame of a control, with a salt of its own.
    pub(crate) fn control_frame(&mut self, control: &Control<'_>) -> Vec<u8> {
        let mut salt = [0; SALT];
        self.random.fill_bytes(&mut salt);
        let mut frame = Vec::new();
        write_control(&mut frame, control, &salt);
        frame
    }

    /// Takes in a control frame. A seal and the record of an erasure close their pages.
    ///
    /// # Panics
    /// If it is none.
    pub(crate) fn record(&mut self, frame: &[u8]) {
        let Ok((read @ Frame::Control { kind, body, .. }, _)) = Frame::read(frame) else {
            panic!("a control frame is taken in")
        };
        self.make_room(frame.len());
        self.batch.extend_from_slice(frame);
        self.pages.count(frame.len(), false);
        self.open.push(Open::Made(read.leaf().expect("it has one")));
        let closes = match Control::decode(kind, body) {
            Ok(Control::Seal(seal)) => Some(seal.at_ms),
            Ok(Control::Erasure(erasure)) => Some(erasure.at_ms),
            _ => None,
        };
        if let Some(at_ms) = closes {
            self.pages.set_clock_ms(at_ms.max(self.pages.clock_ms()));
            self.close_page();
            self.is_sealed = true;
        }
    }

    /// The log's clock, in ms since the epoch.
    pub(crate) fn clock_ms(&self) -> i64 {
        self.pages.clock_ms()
    }

    /// Closes the page if a frame of this length does not fit.
    fn make_room(&mut self, len: usize) {
        if self.batch.is_empty() {
            begin_batch(&mut self.batch);
        }
        if self.pages.is_full_for(len) {
            self.close_page();
        }
    }

    /// Makes the leaves of the frames so far.
    fn finish_frames(&mut self) {
        let event = |frame: &Open| match frame {
            Open::Event(start) => Some(*start),
            Open::Made(_) => None,
        };
        let starts: Vec<usize> = self.open.iter().filter_map(event).collect();
        let mut leaves = finish_events(&mut self.batch, &starts).into_iter();
        for frame in self.open.drain(..) {
            self.pages.push_leaf(match frame {
                Open::Made(leaf) => leaf,
                Open::Event(_) => leaves.next().expect("a leaf an event"),
            });
        }
    }

    fn close_page(&mut self) {
        self.finish_frames();
        if let Some(summary) = self.pages.open() {
            let summary = summary.encode();
            write_trailer(&mut self.batch, &summary);
            self.pages.close(&summary);
        }
    }

    /// The batch as it is, to be written; the next one is begun. `spare` is memory to use again.
    pub(crate) fn take(&mut self, mut spare: Vec<u8>) -> Batch {
        self.finish_frames();
        let mut next = None;
        if self.offset + self.batch.len() as u64 >= self.segment_bytes {
            self.close_page();
            self.segment += 1;
            next = Some(SegmentHeader {
                store: self.store,
                segment: self.segment,
                first_position: self.pages.position(),
                pages: self.pages.closed(),
                accounts: u64::from(self.accounts),
                clock_ms: self.pages.clock_ms(),
                before: Checksum::default(),
                predecessor: *self.pages.predecessor(),
            });
            self.offset = SEGMENT_HEADER as u64;
        } else {
            self.offset += self.batch.len() as u64;
        }
        spare.clear();
        let bytes = std::mem::replace(&mut self.batch, spare);
        let (events, is_sealed) = (take(&mut self.events), take(&mut self.is_sealed));
        Batch { bytes, events, is_sealed, next }
    }
}
