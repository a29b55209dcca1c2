//! What can be said of batches by themselves, without the log before them: most of the work of a check.

use event::canonical::{self, Content};

use super::Level;
use crate::batch::{BATCH_HEADER, BatchHeader, Checksum, checksum_of};
use crate::envelope::{ENVELOPE, Envelope, Scope};
use crate::fault::{Fault, same};
use crate::frame::{
    ENVELOPE_AT, Frame, PADDED_AT, chain_starts, content_of, event_leaves, name_leaves,
};
use crate::hash::Digest;
use crate::segment::SEGMENT_HEADER;

/// The whole batches at the front of some bytes, each looked at by itself. Any thread can look, while
/// another has [`LogCheck::feed_looked`](super::LogCheck::feed_looked) hold what was seen before
/// against the log before it.
pub struct Looked<'a, T> {
    pub(super) bytes: &'a [u8],
    pub(super) batches: Vec<Batch>,
    pub(super) frames: Vec<Seen<'a, T>>,
}

pub(super) struct Batch {
    /// Where it begins in the bytes.
    pub(super) at: usize,
    pub(super) header: BatchHeader,
    /// That of its bytes, whatever its header says.
    pub(super) checksum: Checksum,
    /// How many frames were read up to its end.
    pub(super) frames: usize,
    /// What is wrong with the frame behind these, and where in the batch.
    pub(super) fault: Option<(usize, Fault)>,
}

pub(super) struct Seen<'a, T> {
    /// Where it begins in the bytes.
    pub(super) at: usize,
    pub(super) len: usize,
    pub(super) what: What<'a, T>,
}

pub(super) enum What<'a, T> {
    Frame(Frame<'a>),
    Event(SeenEvent<'a, T>),
    Name(SeenName<'a>),
    /// Of [`Level::Quick`], which asks nothing else of an event that is sound by itself.
    Run(Run),
}

/// What stands for events end to end, each sound by itself, of which the times that the log set never
/// go backwards.
#[derive(Clone, Copy)]
pub(super) struct Run {
    pub(super) events: u32,
    pub(super) first_ordinal: u32,
    pub(super) most_ordinal: u32,
    /// The first and the last time that the log set, in ms since the epoch.
    pub(super) clock_ms: Option<(i64, i64)>,
}

pub(super) struct SeenEvent<'a, T> {
    pub(super) envelope: &'a [u8; ENVELOPE],
    /// When it was recorded, if the log says so, in ms since the epoch.
    pub(super) clock_ms: Result<Option<i64>, Box<Fault>>,
    /// At [`Level::Full`], unless the envelope is at fault.
    pub(super) content: Option<Result<SeenContent<'a, T>, Box<Fault>>>,
    pub(super) leaf: Digest,
}

#[derive(Clone, Copy)]
pub(super) struct SeenName<'a> {
    pub(super) ordinal: u32,
    pub(super) secret: &'a [u8; 32],
    pub(super) name: &'a str,
    /// At [`Level::Full`].
    pub(super) hashes: Option<NameHashes>,
}

#[derive(Clone, Copy)]
pub(super) struct NameHashes {
    pub(super) leaf: Digest,
    /// The head of the account's chain before its first event.
    pub(super) chain_start: Digest,
}

pub(super) struct SeenContent<'a, T> {
    pub(super) scope: Scope,
    pub(super) subject: &'a str,
    pub(super) id: &'a str,
    pub(super) told: T,
}

impl<'a, T> Looked<'a, T> {
    /// Looks at `bytes` of a log of `store`, which begin where a batch does, or with a segment's header
    /// (`at_start`). At [`Level::Full`], `look` is shown each event that is sound by itself; what it makes
    /// of one comes back with it.
    pub fn of(
        level: Level,
        store: &[u8; 16],
        bytes: &'a [u8],
        at_start: bool,
        mut look: impl FnMut(&Envelope, &Content<&'a str>) -> T,
    ) -> Looked<'a, T> {
        // A frame is rarely shorter than 96 bytes.
        let frames = Vec::with_capacity(bytes.len() / 96);
        let mut looked = Looked { bytes, batches: Vec::new(), frames };
        let mut hashed = Vec::new();
        let mut events = Vec::new();
        let (mut names, mut named) = (Vec::new(), Vec::new());
        let mut at = if at_start { SEGMENT_HEADER } else { 0 };
        while let Some(header) = next_batch(bytes, at).filter(|h| at + h.total() <= bytes.len()) {
            let end = at + header.total();
            let mut batch = Batch {
                at,
                header,
                checksum: checksum_of(&bytes[at..end], store),
                frames: 0,
                fault: None,
            };
            let first = looked.frames.len();
            at += BATCH_HEADER;
            while at < end {
                let (frame, len) = match Frame::read(&bytes[at..end]) {
                    Ok(read) => read,
                    Err(fault) => {
                        batch.fault = Some((at - batch.at, fault));
                        break;
                    }
                };
                let what = match frame {
                    Frame::Event { envelope, padded, .. } if level == Level::Quick => {
                        match Envelope::read(envelope) {
                            Ok(envelope) => What::Run(Run::of(&envelope)),
                            Err(_) => {
                                What::Event(SeenEvent::of(level, envelope, padded, &mut look))
                            }
                        }
                    }
                    Frame::Event { envelope, salt, padded } => {
                        events.push(looked.frames.len());
                        hashed.push((envelope, salt, padded));
                        What::Event(SeenEvent::of(level, envelope, padded, &mut look))
                    }
                    Frame::Name { ordinal, secret, name } => {
                        if level == Level::Full {
                            names.push(looked.frames.len());
                            named.push((ordinal, secret, name));
                        }
                        What::Name(SeenName { ordinal, secret, name, hashes: None })
                    }
                    frame => What::Frame(frame),
                };
                let before = looked.frames[first..].last_mut();
                if !before.is_some_and(|before| before.join(&what, len)) {
                    looked.frames.push(Seen { at, len, what });
                }
                at += len;
            }
            batch.frames = looked.frames.len();
            looked.batches.push(batch);
            at = end;
        }
        // Those of all batches at once, for they are most of the work.
        for (n, found) in events.into_iter().zip(event_leaves(&hashed)) {
            if let What::Event(event) = &mut looked.frames[n].what {
                event.leaf = found;
            }
        }
        let leaves = name_leaves(&named);
        for ((n, leaf), chain_start) in names.into_iter().zip(&leaves).zip(chain_starts(&leaves)) {
            if let What::Name(name) = &mut looked.frames[n].what {
                name.hashes = Some(NameHashes { leaf: *leaf, chain_start });
            }
        }
        looked
    }
}

impl<T> Seen<'_, T> {
    /// The account's number, if it is an event that was looked at by itself.
    pub(super) fn event_ordinal(&self) -> Option<u32> {
        match &self.what {
            What::Event(event) => Some(event.ordinal()),
            _ => None,
        }
    }

    /// Takes in what follows, if both are runs that go on.
    fn join(&mut self, what: &What<'_, T>, len: usize) -> bool {
        let (What::Run(run), What::Run(more)) = (&mut self.what, what) else { return false };
        let is_joined = run.join(more);
        if is_joined {
            self.len += len;
        }
        is_joined
    }
}

impl Run {
    fn of(envelope: &Envelope) -> Run {
        let ms = envelope.clock_ms();
        let ordinal = envelope.ordinal;
        let clock_ms = ms.map(|ms| (ms, ms));
        Run { events: 1, first_ordinal: ordinal, most_ordinal: ordinal, clock_ms }
    }

    /// Takes in those that follow; false if they do not go on from these.
    fn join(&mut self, more: &Run) -> bool {
        self.clock_ms = match (self.clock_ms, more.clock_ms) {
            (Some((_, last)), Some((next, _))) if next < last => return false,
            (Some((first, _)), Some((_, last))) => Some((first, last)),
            (one, other) => one.or(other),
        };
        self.events += more.events;
        self.most_ordinal = self.most_ordinal.max(more.most_ordinal);
        true
    }
}

impl<'a, T> SeenEvent<'a, T> {
    pub(super) fn of(
        level: Level,
        bytes: &'a [u8; ENVELOPE],
        padded: &'a [u8],
        look: &mut impl FnMut(&Envelope, &Content<&'a str>) -> T,
    ) -> SeenEvent<'a, T> {
        let envelope = Envelope::decode(bytes);
        let content = match (level, &envelope) {
            (Level::Full, Ok(envelope)) => {
                Some(SeenContent::of(envelope, padded, look).map_err(Box::new))
            }
            _ => None,
        };
        let clock_ms = envelope.map(|envelope| envelope.clock_ms());
        let clock_ms = clock_ms.map_err(|fault| Box::new(fault.moved(ENVELOPE_AT as u64)));
        SeenEvent { envelope: bytes, clock_ms, content, leaf: [0; 32] }
    }

    /// The account's number, by the envelope.
    pub(super) fn ordinal(&self) -> u32 {
        ordinal_of(self.envelope)
    }
}

pub(super) fn ordinal_of(envelope: &[u8; ENVELOPE]) -> u32 {
    u32::from_le_bytes([envelope[4], envelope[5], envelope[6], envelope[7]])
}

impl<'a, T> SeenContent<'a, T> {
    fn of(
        envelope: &Envelope,
        padded: &'a [u8],
        look: &mut impl FnMut(&Envelope, &Content<&'a str>) -> T,
    ) -> Result<SeenContent<'a, T>, Fault> {
        let bytes = content_of(padded);
        let content = canonical::decode_content(envelope.kind, bytes).map_err(|e| {
            let end = PADDED_AT + padded.len();
            let at = end - bytes.len() + e.offset;
            Fault::new(at.min(end - 1), "a canonical content", e.problem.to_string())
        })?;
        let (scope, subject) = Scope::with_subject(&content.payload);
        let subject = subject.copied().unwrap_or_default();
        same(ENVELOPE_AT + 3, "the scope", scope as u8, envelope.scope as u8)?;
        Ok(SeenContent { scope, subject, id: content.id, told: look(envelope, &content) })
    }
}

/// The header of the batch that begins `at` these bytes, if it is all there and one.
fn next_batch(bytes: &[u8], at: usize) -> Option<BatchHeader> {
    BatchHeader::read(bytes.get(at..)?.first_chunk()?).ok()
}

/// How many of `bytes`, which begin as those of [`Looked::of`] do, are whole batches, and how many there
/// must be for one more: as far as can be told.
#[must_use]
pub fn whole_batches(bytes: &[u8], at_start: bool) -> (usize, usize) {
    let mut at = if at_start { SEGMENT_HEADER } else { 0 };
    if bytes.len() < at {
        return (0, at);
    }
    while let Some(header) = next_batch(bytes, at) {
        if at + header.total() > bytes.len() {
            return (at, at + header.total());
        }
        at += header.total();
    }
    (at, at + BATCH_HEADER)
}
