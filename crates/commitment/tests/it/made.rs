//! Logs made by hand, in memory, and what a check says of them.

use std::collections::HashMap;

use event::{Event, RecordedBy, Timestamp, canonical};
use serde_json::{Map, Value};
use stillthere_commitment::{
    AccountMap, BATCH_HEADER, BatchHeader, Checksum, Control, Digest, Divergence, Envelope,
    Erasure, Frame, Left, Level, LogCheck, MapKey, MapLeaf, Pages, SEGMENT_HEADER, Scope, Seal,
    SegmentHeader, Slot, begin_batch, erase_frame, erased_root, finish_batch, hex, rewrite_batch,
    segment_name, shrink_batch, write_control, write_event, write_name, write_trailer,
};

use crate::root;

/// A log in memory, whose random bytes are not: salts and secrets count up.
#[derive(Clone)]
pub struct Made {
    pub pages: Pages,
    pub segments: Vec<Vec<u8>>,
    /// Names, empty where they were erased, and secrets.
    pub accounts: Vec<(String, [u8; 32])>,
    pub counts: HashMap<String, u64>,
    pub before: Checksum,
    pub position: u64,
    random: u8,
}

pub const STORE: [u8; 16] = *b"a store's own id";
pub const ORIGIN: &str = "stillthere.example/log";

impl Made {
    pub fn new() -> Made {
        let mut made = Made {
            pages: Pages::new(STORE),
            segments: Vec::new(),
            accounts: Vec::new(),
            counts: HashMap::new(),
            before: [0; 16],
            position: 0,
            random: 0,
        };
        made.segment();
        made
    }

    pub fn segment(&mut self) {
        let header = SegmentHeader {
            store: STORE,
            segment: self.segments.len() as u64,
            first_position: self.position,
            pages: self.pages.closed(),
            accounts: self.accounts.len() as u64,
            clock_ms: self.pages.clock_ms(),
            before: self.before,
            predecessor: *self.pages.predecessor(),
        };
        let bytes = header.encode();
        assert_eq!(SegmentHeader::decode(&bytes).unwrap().0, header);
        self.before = bytes[128..144].try_into().unwrap();
        self.segments.push(bytes.to_vec());
    }

    fn random<const N: usize>(&mut self) -> [u8; N] {
        self.random = self.random.wrapping_add(1);
        [self.random; N]
    }

    pub fn batch(&mut self, events: &[Event], close: bool) {
        let mut batch = Vec::new();
        begin_batch(&mut batch);
        for event in events {
            *self.counts.entry(event.account.clone()).or_default() += 1;
            let known = self.accounts.iter().position(|(name, _)| *name == event.account);
            let ordinal = known.unwrap_or(self.accounts.len());
            if known.is_none() {
                let secret = self.random();
                self.accounts.push((event.account.clone(), secret));
                let start = batch.len();
                _ = write_name(
                    &mut batch,
                    u32::try_from(ordinal).unwrap(),
                    &secret,
                    &event.account,
                );
                self.count(&batch[start..], false);
            }
            let (scope, subject) = Scope::of(&event.payload);
            let recorded_by =
                if event.recorded_at.is_some() { RecordedBy::Source } else { RecordedBy::Log };
            let clock_ms = self.pages.clock_ms().max(1_772_000_000_000);
            let recorded_at = event.recorded_at.unwrap_or(Timestamp::from_ms(clock_ms).unwrap());
            let envelope = Envelope {
                kind: event.payload.kind(),
                actor: event.actor,
                surface: event.surface,
                scope,
                recorded_by,
                ordinal: u32::try_from(ordinal).unwrap(),
                occurred_at: event.occurred_at,
                recorded_at,
                tag: scope.tag(&self.accounts[ordinal].1, subject),
            };
            if recorded_by == RecordedBy::Log {
                self.pages.set_clock_ms(recorded_at.ms());
            }
            assert_eq!(Envelope::decode(&envelope.encode()), Ok(envelope));
            let salt = self.random();
            let start = batch.len();
            _ = write_event(&mut batch, &envelope.encode(), &salt, |out| {
                canonical::encode_content(event, out);
            });
            self.count(&batch[start..], true);
        }
        if close {
            let summary = self.pages.open().unwrap().encode();
            write_trailer(&mut batch, &summary);
            self.pages.close(&summary);
        }
        self.position += events.len() as u64;
        self.before =
            finish_batch(&mut batch, &STORE, &self.before, u32::try_from(events.len()).unwrap());
        self.segments.last_mut().unwrap().extend_from_slice(&batch);
    }

    /// A batch of control frames; a seal or an erasure closes its page.
    pub fn controls(&mut self, controls: &[Control<'_>]) {
        let mut batch = Vec::new();
        begin_batch(&mut batch);
        for control in controls {
            let salt = self.random();
            let start = batch.len();
            write_control(&mut batch, control, &salt);
            self.count(&batch[start..], false);
            let at_ms = match control {
                Control::Seal(seal) => Some(seal.at_ms),
                Control::Erasure(erasure) => Some(erasure.at_ms),
                _ => None,
            };
            if let Some(at_ms) = at_ms {
                self.pages.set_clock_ms(at_ms.max(self.pages.clock_ms()));
                let summary = self.pages.open().unwrap().encode();
                write_trailer(&mut batch, &summary);
                self.pages.close(&summary);
            }
        }
        self.before = finish_batch(&mut batch, &STORE, &self.before, 0);
        self.segments.last_mut().unwrap().extend_from_slice(&batch);
    }

    /// The seal that is right here, `ms` after the log's clock.
    pub fn seal(&self, ms: i64) -> Seal {
        let mut check = LogCheck::new(Level::Full, &self.head()).unwrap();
        for (n, bytes) in self.segments.iter().enumerate() {
            check.file(&segment_name(n as u64)).unwrap();
            check.feed(bytes, &mut |_| {}).unwrap_or_else(|e| panic!("{e}"));
        }
        let leaf = |((name, head), (_, secret)): ((&str, &Digest), &(String, [u8; 32]))| {
            if name.is_empty() {
                return None;
            }
            let key = MapKey::of(ORIGIN, name);
            Some((key, Some(MapLeaf::of(secret, head, self.counts[name]).hash(&key))))
        };
        let mut map = AccountMap::default();
        map.apply(check.accounts().zip(&self.accounts).filter_map(leaf).collect());
        Seal {
            size: self.position,
            accounts: self.accounts.len() as u64,
            root: map.root(),
            at_ms: self.pages.clock_ms() + ms,
        }
    }

    /// Closes the open page, in a batch of its own.
    pub fn close(&mut self) {
        let Some(summary) = self.pages.open() else { return };
        let mut batch = Vec::new();
        begin_batch(&mut batch);
        write_trailer(&mut batch, &summary.encode());
        self.pages.close(&summary.encode());
        self.before = finish_batch(&mut batch, &STORE, &self.before, 0);
        self.segments.last_mut().unwrap().extend_from_slice(&batch);
    }

    /// Of each frame: its segment, where its batch begins, where it does, and its length.
    pub fn frames(&self) -> Vec<(usize, usize, usize, usize)> {
        let mut frames = Vec::new();
        for (n, segment) in self.segments.iter().enumerate() {
            let mut at = SEGMENT_HEADER;
            while at < segment.len() {
                let header = BatchHeader::read(segment[at..].first_chunk().unwrap()).unwrap();
                let (batch, end) = (at, at + header.total());
                at += BATCH_HEADER;
                while at < end {
                    let (_, len) = Frame::read(&segment[at..end]).unwrap();
                    frames.push((n, batch, at, len));
                    at += len;
                }
            }
        }
        frames
    }

    /// Makes the checksum of the batch anew that begins there.
    pub fn rewrite(&mut self, segment: usize, batch: usize) {
        let segment = &mut self.segments[segment];
        let header = BatchHeader::read(segment[batch..].first_chunk().unwrap()).unwrap();
        rewrite_batch(&mut segment[batch..batch + header.total()], &STORE);
    }

    /// Erases these names and events in place; gives their ordinals and leaves in the order of the log.
    pub fn take_out(&mut self, left: Left, names: &[u32], events: &[u64]) -> Vec<(u32, Digest)> {
        let (mut taken, mut position) = (Vec::new(), 0);
        for (n, batch, at, len) in self.frames() {
            let frame = &mut self.segments[n][at..at + len];
            let is_named = match Frame::read(frame).unwrap().0 {
                Frame::Name { ordinal, .. } | Frame::NameErased { ordinal, .. } => {
                    names.contains(&ordinal)
                }
                read if read.is_event() => {
                    position += 1;
                    events.contains(&(position - 1))
                }
                _ => false,
            };
            if is_named {
                taken.push(erase_frame(frame, left).unwrap());
                self.rewrite(n, batch);
            }
        }
        for ordinal in names {
            let (name, _) = std::mem::take(&mut self.accounts[*ordinal as usize]);
            self.counts.remove(&name);
        }
        taken
    }

    /// The record of an erasure of these, a millisecond after the log's clock.
    pub fn record(
        &self,
        left: Left,
        names: &[u32],
        events: &[u64],
        taken: &[(u32, Digest)],
    ) -> Erasure<'static> {
        Erasure {
            at_ms: self.pages.clock_ms() + 1,
            ground: "a request of the user",
            by: "an operator",
            left,
            before_ms: None,
            names: names.iter().map(|ordinal| u64::from(*ordinal)).collect(),
            events: events.iter().copied().collect(),
            root: erased_root(taken),
        }
    }

    /// Erases these, under a record.
    pub fn erase(&mut self, left: Left, names: &[u32], events: &[u64]) {
        self.close();
        let taken = self.take_out(left, names, events);
        let record = self.record(left, names, events, &taken);
        self.controls(&[Control::Erasure(record)]);
    }

    /// Shrinks a segment, if each event in it is erased to its leaf; says whether that was so.
    pub fn shrink(&mut self, segment: usize) -> bool {
        let bytes = &self.segments[segment];
        let mut shrunk = bytes[..SEGMENT_HEADER].to_vec();
        let mut at = SEGMENT_HEADER;
        while at < bytes.len() {
            let header = BatchHeader::read(bytes[at..].first_chunk().unwrap()).unwrap();
            let batch = &bytes[at..at + header.total()];
            if !shrink_batch(batch, &STORE, &mut shrunk).unwrap() {
                return false;
            }
            at += batch.len();
        }
        self.segments[segment] = shrunk;
        true
    }

    fn count(&mut self, frame: &[u8], is_event: bool) {
        let (read, len) = Frame::read(frame).unwrap();
        assert_eq!(len, frame.len());
        self.pages.push(read.leaf().unwrap(), len, is_event);
    }

    pub fn head(&self) -> Vec<u8> {
        let slot = |sequence| Slot {
            store: STORE,
            sequence,
            shut: true,
            segment: self.segments.len() as u64 - 1,
            offset: self.segments.last().unwrap().len() as u64,
            events: self.position,
            checksum: self.before,
        };
        [slot(6).encode(), slot(7).encode()].concat()
    }
}

pub fn events() -> Vec<Event> {
    let lines = std::fs::read_to_string(root().join("fixtures/events/every-kind.ndjson")).unwrap();
    let mut events: Vec<Event> =
        lines.lines().map(|line| event::read_line(line.as_bytes()).unwrap()).collect();
    // A second account with ids of one byte: contents so short that zeros stand before them.
    let two = events.len() / 2;
    for (n, event) in events[two..].iter_mut().take(9).enumerate() {
        event.account = "b".to_owned();
        event.id = n.to_string();
        event.attributes.clear();
        event.recorded_at = None;
    }
    events
}

pub type Answer = Result<(stillthere_commitment::Report, Map<String, Value>), Box<Divergence>>;

/// What a check says of it, which holds its map, in whatever pieces it is fed.
pub fn checked(made: &Made) -> Answer {
    let check = |level, piece| {
        let mut check =
            LogCheck::new(level, &made.head())?.mapping(ORIGIN, stillthere_commitment::Climb::run);
        for (n, bytes) in made.segments.iter().enumerate() {
            check.file(&segment_name(n as u64))?;
            bytes.chunks(piece).try_for_each(|piece| check.feed(piece, &mut |_| {}))?;
        }
        let chains = check.accounts().filter(|(name, _)| !name.is_empty());
        let chains = chains.map(|(name, chain)| (name.to_owned(), hex(chain).into())).collect();
        Ok((check.finish()?, chains))
    };
    let full: Answer = check(Level::Full, usize::MAX);
    assert_eq!(check(Level::Full, 61), full);
    if let Ok((report, _)) = &full {
        assert_eq!(check(Level::Quick, 97).map(|(report, _)| report).as_ref(), Ok(report));
    }
    full
}
