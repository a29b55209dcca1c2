//! What can be said of batches by themselves, without the log before them: most of the work of a check.

use event::RecordedBy;
use event::canonical::{self, Content};

use super::Level;
use crate::batch::{BATCH_HEADER, BatchHeader, Checksum, checksum_of};
use crate::envelope::{ENVELOPE, Envelope, Scope};
use crate::fault::{Fault, same};
use crate::frame::{ENVELOPE_AT, Frame, PADDED_AT, content_of, event_leaves};
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
}

pub(super) struct SeenEvent<'a, T> {
    pub(super) envelope: &'a [u8; ENVELOPE],
    /// When it was recorded, if the log says so, in ms since the epoch.
    pub(super) clock_ms: Result<Option<i64>, Box<Fault>>,
    /// At [`Level::Full`], unless the envelope is at fault.
    pub(super) content: Option<Result<SeenContent<'a, T>, Box<Fault>>>,
    pub(super) leaf: Digest,
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
                    Frame::Event { envelope, salt, padded } => {
                        if level == Level::Full {
                            events.push(looked.frames.len());
                            hashed.push((envelope, salt, padded));
                        }
                        What::Event(SeenEvent::of(level, envelope, padded, &mut look))
                    }
                    frame => What::Frame(frame),
                };
                looked.frames.push(Seen { at, len, what });
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
        looked
    }
}

impl<'a, T> SeenEvent<'a, T> {
    fn of(
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
        let clock_ms = envelope.map(|envelope| {
            let is_log = envelope.recorded_by == RecordedBy::Log;
            is_log.then_some(envelope.recorded_at.ms())
        });
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
