//! Frames: the pieces that a batch's body is made of (docs/format.md, section 5).

use crate::control::{Control, ControlKind};
use crate::envelope::ENVELOPE;
use crate::fault::{Fault, at, same, same_bytes};
use crate::hash::{Digest, Domain, KeyedDomain, hash, hash_fixed, hash_pairs, keyed};
use crate::page::SUMMARY;
use crate::tree::tree_leaf;

/// The length of a frame's header in bytes.
pub const FRAME_HEADER: usize = 8;
/// Where in its header a frame's check is, and how long.
const CHECK: std::ops::Range<usize> = 4..8;
/// The longest body of a frame in bytes: its length has three bytes.
pub const MAX_FRAME: usize = (1 << 24) - 1;
/// The length of the salt of an event, or of a control frame, in bytes.
pub const SALT: usize = 16;
/// The least length of a content in its frame, in bytes: a shorter one stands behind zeros, so that
/// the frame has room for what stays of it when it is erased.
pub const MIN_CONTENT: usize = 16;

/// The length of the body of an event's frame at least: so much the frame of kind 33 needs that takes its place.
const MIN_EVENT: usize = ENVELOPE + SALT + MIN_CONTENT;
/// What is left of a frame that was erased to its leaf: an ordinal and the leaf.
const LEAF_LEFT: usize = 4 + 32;
/// The length of a frame that was erased to its leaf, header included, in a segment that was shrunk
/// ([`shrink_batch`](crate::shrink_batch)).
pub const SHRUNK_FRAME: usize = FRAME_HEADER + LEAF_LEFT;

/// Where an event frame's envelope begins, from the frame's beginning.
pub(crate) const ENVELOPE_AT: usize = FRAME_HEADER;
/// Where an event frame's content, or the zeros before it, begins, from the frame's beginning.
pub(crate) const PADDED_AT: usize = FRAME_HEADER + ENVELOPE + SALT;

const NAME: u8 = 1;
const EVENT: u8 = 2;
const TRAILER: u8 = 3;
const CONTENT_ERASED: u8 = 32;
const EVENT_ERASED: u8 = 33;
const NAME_ERASED: u8 = 34;

/// A frame, as it stands in its bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Frame<'a> {
    /// An account's name, before its first event.
    Name {
        /// The account's number, from 0 by appearance.
        ordinal: u32,
        /// The account's random secret.
        secret: &'a [u8; 32],
        /// The account's name.
        name: &'a str,
    },
    /// An event.
    Event {
        /// See [`Envelope`](crate::Envelope).
        envelope: &'a [u8; ENVELOPE],
        /// Random bytes that keep the content from being guessed.
        salt: &'a [u8; SALT],
        /// The event's content, behind zeros if it is shorter than [`MIN_CONTENT`]: see
        /// [`content_of`].
        padded: &'a [u8],
    },
    /// An event whose content was erased, and its salt.
    ContentErased {
        /// See [`Envelope`](crate::Envelope).
        envelope: &'a [u8; ENVELOPE],
        /// The salted hash of its content.
        content: &'a Digest,
    },
    /// An event that was erased to its leaf.
    EventErased {
        /// The account's number.
        ordinal: u32,
        /// The event's leaf.
        leaf: &'a Digest,
    },
    /// An account's name, erased to its leaf with the secret.
    NameErased {
        /// The account's number.
        ordinal: u32,
        /// The name's leaf.
        leaf: &'a Digest,
    },
    /// The end of a page: its [`Summary`](crate::Summary).
    Trailer(&'a [u8; SUMMARY]),
    /// What the log says of itself.
    Control {
        /// What it is.
        kind: ControlKind,
        /// Random bytes that keep the body from being guessed.
        salt: &'a [u8; SALT],
        /// See [`Control`](crate::Control).
        body: &'a [u8],
    },
}

impl<'a> Frame<'a> {
    /// Reads the frame that `bytes` begin with; also gives its length, header included.
    ///
    /// # Errors
    /// What is wrong with it. Of an event only the lengths are judged here, and of a control frame
    /// that its salt is there.
    #[inline]
    pub fn read(bytes: &'a [u8]) -> Result<(Frame<'a>, usize), Fault> {
        let Some((header, rest)) = bytes.split_at_checked(FRAME_HEADER) else {
            return Err(Fault::new(
                0,
                "a frame's header of 8 bytes",
                format!("{} bytes", bytes.len()),
            ));
        };
        let len = u32::from_le_bytes([header[1], header[2], header[3], 0]) as usize;
        let Some(body) = rest.get(..len) else {
            let found = format!("{} bytes to the end of the batch", rest.len());
            return Err(Fault::new(1, format!("a frame's body of {len} bytes"), found));
        };
        let short = |what: &str| Fault::new(1, what, format!("{len} bytes"));
        let frame = match header[0] {
            NAME => {
                let (ordinal, rest) = body.split_first_chunk().ok_or_else(|| short("a name"))?;
                let (secret, name) = rest.split_first_chunk().ok_or_else(|| short("a name"))?;
                if name.is_empty() || name.len() > 128 {
                    return Err(short("a name of 1 to 128 bytes behind 36 others"));
                }
                let name = std::str::from_utf8(name).map_err(|e| {
                    Fault::new(FRAME_HEADER + 36 + e.valid_up_to(), "UTF-8", "other bytes")
                })?;
                Frame::Name { ordinal: u32::from_le_bytes(*ordinal), secret, name }
            }
            EVENT => {
                let (envelope, rest) = body.split_first_chunk().ok_or_else(|| short("an event"))?;
                let (salt, padded) = rest.split_first_chunk().ok_or_else(|| short("an event"))?;
                if padded.len() < MIN_CONTENT {
                    return Err(short("an event of at least 72 bytes"));
                }
                Frame::Event { envelope, salt, padded }
            }
            TRAILER => {
                same(1, "a page trailer's length of", SUMMARY, len)?;
                Frame::Trailer(body.first_chunk().expect("the length was checked"))
            }
            CONTENT_ERASED => {
                let (envelope, rest) = body.split_first_chunk().ok_or_else(|| short("an event"))?;
                let (content, rest) = rest.split_first_chunk().ok_or_else(|| short("an event"))?;
                is_blank(rest, FRAME_HEADER + body.len() - rest.len())?;
                Frame::ContentErased { envelope, content }
            }
            kind @ (EVENT_ERASED | NAME_ERASED) => {
                let what = "an erased frame of at least 36 bytes";
                let (ordinal, rest) = body.split_first_chunk().ok_or_else(|| short(what))?;
                let (leaf, rest) = rest.split_first_chunk().ok_or_else(|| short(what))?;
                is_blank(rest, FRAME_HEADER + body.len() - rest.len())?;
                let ordinal = u32::from_le_bytes(*ordinal);
                match kind {
                    EVENT_ERASED if len < MIN_EVENT && len != LEAF_LEFT => {
                        return Err(short("an erased event of 36 bytes, or at least 72"));
                    }
                    EVENT_ERASED => Frame::EventErased { ordinal, leaf },
                    _ if len > LEAF_LEFT + 128 => {
                        return Err(short("a name of at most 128 bytes behind 36 others"));
                    }
                    _ => Frame::NameErased { ordinal, leaf },
                }
            }
            kind => {
                let Some(kind) = ControlKind::from_number(kind) else {
                    let expected = "a frame of kind 1 to 3, 16 to 19 or 32 to 34";
                    return Err(Fault::new(0, expected, format!("kind {kind}, which is unknown")));
                };
                let (salt, body) = body.split_first_chunk().ok_or_else(|| short("a salt"))?;
                Frame::Control { kind, salt, body }
            }
        };
        Ok((frame, FRAME_HEADER + len))
    }

    /// Holds the check in the frame's header against its leaf, or a trailer's leaf hash in the tree:
    /// by it a changed byte is found in the very frame. `bytes` begin with the frame.
    ///
    /// # Errors
    /// If it is another.
    #[inline]
    pub fn check(bytes: &[u8], digest: &Digest) -> Result<(), Fault> {
        same_bytes(0, "a frame whose hash begins with", &bytes[CHECK], &digest[..4])
    }

    /// The frame's leaf; a trailer has none.
    #[must_use]
    pub fn leaf(&self) -> Option<Digest> {
        match self {
            Frame::Name { ordinal, secret, name } => Some(name_leaf(*ordinal, secret, name)),
            Frame::Event { envelope, salt, padded } => Some(event_leaf(envelope, salt, padded)),
            Frame::ContentErased { envelope, content } => {
                Some(hash(Domain::EventLeaf, &[*envelope, *content]))
            }
            Frame::EventErased { leaf, .. } | Frame::NameErased { leaf, .. } => Some(**leaf),
            Frame::Trailer(_) => None,
            Frame::Control { kind, salt, body } => Some(control_leaf(*kind, salt, body)),
        }
    }

    /// Whether it is an event, whole or erased: one that has a position.
    #[must_use]
    pub const fn is_event(&self) -> bool {
        matches!(
            self,
            Frame::Event { .. } | Frame::ContentErased { .. } | Frame::EventErased { .. }
        )
    }

    /// The number of the account of an event, whole or erased.
    #[must_use]
    pub fn event_ordinal(&self) -> Option<u32> {
        match self {
            Frame::Event { envelope, .. } | Frame::ContentErased { envelope, .. } => {
                Some(u32::from_le_bytes(at(*envelope, 4)))
            }
            Frame::EventErased { ordinal, .. } => Some(*ordinal),
            _ => None,
        }
    }

    /// The number of the account of a name or an event, whole or erased.
    #[must_use]
    pub fn ordinal(&self) -> Option<u32> {
        match *self {
            Frame::Name { ordinal, .. } | Frame::NameErased { ordinal, .. } => Some(ordinal),
            _ => self.event_ordinal(),
        }
    }

    /// Whether something of it was erased.
    #[must_use]
    pub const fn is_erased(&self) -> bool {
        matches!(
            self,
            Frame::ContentErased { .. } | Frame::EventErased { .. } | Frame::NameErased { .. }
        )
    }
}

/// Behind what is left of an erased frame stand zeros, `at` so many bytes from its beginning.
fn is_blank(rest: &[u8], at: usize) -> Result<(), Fault> {
    match rest.iter().position(|byte| *byte != 0) {
        None => Ok(()),
        Some(n) => {
            Err(Fault::new(at + n, "a zero behind what is left of an erased frame", "another byte"))
        }
    }
}

/// How much of an event an erasure leaves.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum Left {
    /// Its envelope and the salted hash of its content.
    Envelope = 0,
    /// Its leaf and its account's number.
    Leaf = 1,
}

/// Erases in place: the frame that is all of `frame` becomes one of which nothing else is `left`. Gives its
/// account's number and its leaf, which stays. Names are erased to their leaves. What was erased as far before
/// stays as it is.
///
/// # Errors
/// If it is no frame, or none of an event or a name.
pub fn erase_frame(frame: &mut [u8], left: Left) -> Result<(u32, Digest), Fault> {
    let (read, len) = Frame::read(frame)?;
    same(1, "a frame of bytes:", frame.len(), len)?;
    let leaf = read.leaf().unwrap_or_default();
    let of_envelope = |envelope: &[u8; ENVELOPE]| u32::from_le_bytes(at(envelope, 4));
    let (kind, ordinal, stays) = match read {
        Frame::Event { envelope, salt, padded } => {
            let ordinal = of_envelope(envelope);
            match left {
                Left::Leaf => (EVENT_ERASED, ordinal, [&ordinal.to_le_bytes()[..], &leaf].concat()),
                Left::Envelope => {
                    let content = hash(Domain::Content, &[salt, padded]);
                    (CONTENT_ERASED, ordinal, [&envelope[..], &content].concat())
                }
            }
        }
        Frame::ContentErased { envelope, .. } if left == Left::Leaf => {
            let ordinal = of_envelope(envelope);
            (EVENT_ERASED, ordinal, [&ordinal.to_le_bytes()[..], &leaf].concat())
        }
        Frame::ContentErased { envelope, .. } => return Ok((of_envelope(envelope), leaf)),
        Frame::Name { ordinal, .. } => {
            (NAME_ERASED, ordinal, [&ordinal.to_le_bytes()[..], &leaf].concat())
        }
        Frame::EventErased { ordinal, .. } | Frame::NameErased { ordinal, .. } => {
            return Ok((ordinal, leaf));
        }
        Frame::Trailer(_) | Frame::Control { .. } => {
            return Err(Fault::new(0, "an event or a name to erase", "another frame"));
        }
    };
    frame[0] = kind;
    let body = &mut frame[FRAME_HEADER..];
    body.fill(0);
    body[..stays.len()].copy_from_slice(&stays);
    Ok((ordinal, leaf))
}

/// Appends a frame that was erased to its leaf without the room that the rest of it left; another one as it is.
///
/// # Errors
/// If it is none.
pub(crate) fn shrink_frame(frame: &[u8], out: &mut Vec<u8>) -> Result<(), Fault> {
    let (read, len) = Frame::read(frame)?;
    same(1, "a frame of bytes:", frame.len(), len)?;
    let start = out.len();
    match read {
        Frame::EventErased { .. } | Frame::NameErased { .. } => {
            out.extend_from_slice(&frame[..SHRUNK_FRAME]);
            let [a, b, c, ..] = at::<8>(&(LEAF_LEFT as u64).to_le_bytes(), 0);
            out[start + 1..start + 4].copy_from_slice(&[a, b, c]);
        }
        _ => out.extend_from_slice(frame),
    }
    Ok(())
}

/// The content in an event's frame, without the zeros that a short one stands behind. No content
/// begins with a zero.
#[must_use]
pub fn content_of(padded: &[u8]) -> &[u8] {
    let zeros = match padded.len() {
        MIN_CONTENT => padded.iter().take_while(|b| **b == 0).count(),
        _ => 0,
    };
    &padded[zeros..]
}

/// The leaf of an event's frame.
#[must_use]
pub fn event_leaf(envelope: &[u8; ENVELOPE], salt: &[u8; SALT], padded: &[u8]) -> Digest {
    hash(Domain::EventLeaf, &[envelope, &hash(Domain::Content, &[salt, padded])])
}

/// [`event_leaf`] of each, side by side.
#[must_use]
pub fn event_leaves(frames: &[(&[u8; ENVELOPE], &[u8; SALT], &[u8])]) -> Vec<Digest> {
    let contents: Vec<_> = frames.iter().map(|(_, salt, padded)| [&salt[..], *padded]).collect();
    let contents = hash_pairs(Domain::Content, &contents);
    let leaves = frames.iter().zip(&contents).map(|((envelope, ..), content)| (*envelope, content));
    hash_fixed(Domain::EventLeaf, leaves)
}

/// The leaf of an account's name frame.
#[must_use]
pub fn name_leaf(ordinal: u32, secret: &[u8; 32], name: &str) -> Digest {
    let salt = keyed(secret, KeyedDomain::NameSalt, &[]);
    let (secret, name) =
        (hash(Domain::Secret, &[secret]), hash(Domain::Name, &[&salt, name.as_bytes()]));
    hash(Domain::NameLeaf, &[&ordinal.to_le_bytes(), &secret, &name])
}

/// [`name_leaf`] of each, side by side.
#[must_use]
pub fn name_leaves(names: &[(u32, &[u8; 32], &str)]) -> Vec<Digest> {
    let salts: Vec<_> =
        names.iter().map(|(_, secret, _)| keyed(secret, KeyedDomain::NameSalt, &[])).collect();
    let secrets: Vec<[&[u8]; 2]> = names.iter().map(|(_, secret, _)| [&secret[..], &[]]).collect();
    let secrets = hash_pairs(Domain::Secret, &secrets);
    let hashed: Vec<[&[u8]; 2]> =
        names.iter().zip(&salts).map(|((.., name), salt)| [&salt[..], name.as_bytes()]).collect();
    let hashed = hash_pairs(Domain::Name, &hashed);
    let numbered: Vec<[u8; 36]> = names
        .iter()
        .zip(&secrets)
        .map(|((ordinal, ..), secret)| {
            let mut numbered = [0; 36];
            numbered[..4].copy_from_slice(&ordinal.to_le_bytes());
            numbered[4..].copy_from_slice(secret);
            numbered
        })
        .collect();
    hash_fixed(Domain::NameLeaf, numbered.iter().zip(&hashed))
}

/// The leaf of a control frame.
#[must_use]
pub fn control_leaf(kind: ControlKind, salt: &[u8; SALT], body: &[u8]) -> Digest {
    let body = hash(Domain::ControlBody, &[salt, body]);
    hash(Domain::ControlLeaf, &[&[kind as u8], &body])
}

/// The head of an account's chain before its first event.
#[must_use]
pub fn chain_start(name_leaf: &Digest) -> Digest {
    hash(Domain::ChainStart, &[name_leaf])
}

/// [`chain_start`] of each, side by side.
#[must_use]
pub fn chain_starts(name_leaves: &[Digest]) -> Vec<Digest> {
    let leaves: Vec<[&[u8]; 2]> = name_leaves.iter().map(|leaf| [&leaf[..], &[]]).collect();
    hash_pairs(Domain::ChainStart, &leaves)
}

/// The head of an account's chain after one more event.
#[must_use]
pub fn chain_step(head: &Digest, leaf: &Digest) -> Digest {
    hash(Domain::ChainStep, &[head, leaf])
}

/// Writes a name frame; gives its leaf.
///
/// # Panics
/// If the name is not of 1 to 128 bytes.
pub fn write_name(out: &mut Vec<u8>, ordinal: u32, secret: &[u8; 32], name: &str) -> Digest {
    assert!((1..=128).contains(&name.len()), "an account's name has 1 to 128 bytes");
    let start = begin(out);
    out.extend_from_slice(&ordinal.to_le_bytes());
    out.extend_from_slice(secret);
    out.extend_from_slice(name.as_bytes());
    let leaf = name_leaf(ordinal, secret, name);
    finish(out, start, NAME, &leaf);
    leaf
}

/// Writes an event frame; `content` appends the content to `out`. Gives its leaf.
///
/// # Panics
/// If the content is longer than a frame holds.
pub fn write_event(
    out: &mut Vec<u8>,
    envelope: &[u8; ENVELOPE],
    salt: &[u8; SALT],
    content: impl FnOnce(&mut Vec<u8>),
) -> Digest {
    let start = begin_event(out, envelope, salt, content);
    finish_events(out, &[start])[0]
}

/// Writes an event frame without its check, which [`finish_events`] fills in; gives where it begins.
///
/// # Panics
/// If the content is longer than a frame holds.
pub fn begin_event(
    out: &mut Vec<u8>,
    envelope: &[u8; ENVELOPE],
    salt: &[u8; SALT],
    content: impl FnOnce(&mut Vec<u8>),
) -> usize {
    let start = begin(out);
    out.extend_from_slice(envelope);
    out.extend_from_slice(salt);
    let at = out.len();
    content(out);
    let len = out.len() - at;
    if len < MIN_CONTENT {
        out.resize(at + MIN_CONTENT, 0);
        out[at..].rotate_right(MIN_CONTENT - len);
    }
    finish(out, start, EVENT, &[0; 32]);
    start
}

/// Gives the leaves of the event frames that begin at `starts`, and fills their checks in. Many at once
/// cost much less than each by itself.
///
/// # Panics
/// If no event frame begins at one of them.
pub fn finish_events(out: &mut [u8], starts: &[usize]) -> Vec<Digest> {
    let frames: Vec<_> = starts
        .iter()
        .map(|start| match Frame::read(&out[*start..]) {
            Ok((Frame::Event { envelope, salt, padded }, _)) => (envelope, salt, padded),
            _ => panic!("no event frame begins at {start}"),
        })
        .collect();
    let leaves = event_leaves(&frames);
    for (start, leaf) in starts.iter().zip(&leaves) {
        out[*start..][CHECK].copy_from_slice(&leaf[..4]);
    }
    leaves
}

/// Writes a control frame; gives its leaf. Whoever writes a seal writes the trailer of its page behind it, in the
/// same batch.
///
/// # Panics
/// If what it says is out of the ranges that [`Control`] states, or longer than a frame holds.
pub fn write_control(out: &mut Vec<u8>, control: &Control<'_>, salt: &[u8; SALT]) -> Digest {
    let (start, kind, body) = (begin(out), control.kind(), control.encode());
    out.extend_from_slice(salt);
    out.extend_from_slice(&body);
    let leaf = control_leaf(kind, salt, &body);
    finish(out, start, kind as u8, &leaf);
    leaf
}

/// Writes a page trailer.
pub fn write_trailer(out: &mut Vec<u8>, summary: &[u8; SUMMARY]) {
    let start = begin(out);
    out.extend_from_slice(summary);
    finish(out, start, TRAILER, &tree_leaf(summary));
}

fn begin(out: &mut Vec<u8>) -> usize {
    out.extend_from_slice(&[0; FRAME_HEADER]);
    out.len() - FRAME_HEADER
}

fn finish(out: &mut [u8], start: usize, kind: u8, digest: &Digest) {
    let len = out.len() - start - FRAME_HEADER;
    assert!(len <= MAX_FRAME, "a frame's body has at most {MAX_FRAME} bytes");
    let [a, b, c, ..] = at::<8>(&(len as u64).to_le_bytes(), 0);
    out[start..start + 4].copy_from_slice(&[kind, a, b, c]);
    out[start..][CHECK].copy_from_slice(&digest[..4]);
}
