//! What a check says.

use event::{Recorded, canonical};

use super::LogCheck;
use crate::batch::Checksum;
use crate::control::Seal;
use crate::envelope::Envelope;
use crate::erasure::ErasureRecord;
use crate::fault::Fault;
use crate::frame::{Frame, content_of};
use crate::hash::Digest;
use crate::page::Pages;

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

impl Divergence {
    /// A fault in a file of the log, where no event is known.
    #[must_use]
    pub fn new(file: impl Into<String>, fault: Fault) -> Divergence {
        let Fault { offset, expected, found } = fault;
        let (account, position, revision) = (None, None, None);
        Divergence { account, position, revision, file: file.into(), offset, expected, found }
    }
}

/// An event that was found sound. Of the commitments above it (its page, the tree) nothing is said
/// until [`LogCheck::finish`](super::LogCheck::finish).
#[derive(Debug)]
pub struct Checked<'a> {
    /// Its place in the log.
    pub position: u64,
    /// Its place among its account's events.
    pub revision: u64,
    /// Its account's number.
    pub ordinal: u32,
    /// Its account's name.
    pub account: &'a str,
    /// The file that holds it.
    pub file: &'a str,
    /// Where in the file its frame begins, in bytes.
    pub offset: u64,
    /// Its frame.
    pub(super) bytes: &'a [u8],
}

impl Checked<'_> {
    /// The event in its place, with texts of its own.
    #[must_use]
    pub fn recorded(&self) -> Recorded {
        let Ok((Frame::Event { envelope, padded, .. }, _)) = Frame::read(self.bytes) else {
            unreachable!("it was read before");
        };
        let envelope = Envelope::decode(envelope).expect("it was checked");
        let content = canonical::decode_content(envelope.kind, content_of(padded));
        let content = content.expect("it was checked");
        Recorded {
            event: envelope.event(self.account, content).into_owned(),
            position: self.position,
            revision: self.revision,
            recorded_at: envelope.recorded_at,
            recorded_by: envelope.recorded_by,
        }
    }
}

/// What a sound log is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Report {
    /// Events in it.
    pub events: u64,
    /// Accounts in it, those whose names were erased too.
    pub accounts: u64,
    /// The root of the tree, the open page counted in (docs/format.md, section 8).
    pub root: Digest,
    /// The store's id.
    pub store: [u8; 16],
    /// Whether its last writer closed it.
    pub shut: bool,
    /// Bytes behind the last whole batch, up to the last that is not zero: what a writer was at when it
    /// was killed. Nobody was told that they are durable.
    pub torn: u64,
    /// Its seals, in order.
    pub seals: Vec<Sealed>,
    /// What was erased.
    pub erased: Erased,
    /// The records of the erasures, in order.
    pub erasures: Vec<ErasureRecord>,
}

/// How much of a log was erased.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Erased {
    /// Events of which the content is gone, or all but the leaf.
    pub events: u64,
    /// Accounts of which the name is gone.
    pub accounts: u64,
    /// Records of erasures.
    pub erasures: u64,
}

/// A seal, and where it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sealed {
    /// The number of the page that it closes, from 0: the tree that ends with it has one more.
    pub page: u64,
    /// What it says. Its size, its accounts and its time agree with the log before it; its root does if the
    /// check was to hold the map against it ([`LogCheck::mapping`](super::LogCheck::mapping)), and it can be made.
    pub seal: Seal,
    /// Whether its map can be made anew. It cannot where an account that is in it was erased behind it: who has the account's
    /// certificate can show it still, the log cannot.
    pub has_map: bool,
}

impl Report {
    /// The seals of which the account map cannot be made anew.
    pub fn without_map(&self) -> impl Iterator<Item = &Sealed> {
        self.seals.iter().filter(|sealed| !sealed.has_map)
    }
}

/// Where a log ends: what its next batch goes on from.
#[derive(Debug, Clone)]
pub struct End {
    /// The store's id.
    pub store: [u8; 16],
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
    /// Bytes behind that end, up to the last that is not zero: no batch.
    pub torn: u64,
}

impl LogCheck {
    /// Ends the check; says what the log is and where it ends, for whoever copies it.
    ///
    /// # Errors
    /// As [`LogCheck::finish`].
    pub fn conclude(mut self) -> Result<(Report, End), Box<Divergence>> {
        self.end_log()?;
        let end = End {
            store: self.head.now.store,
            segment: self.segment.expect("HEAD's end was met, and it is in a segment"),
            offset: self.offset,
            checksum: self.checksum.expect("a rewritten batch has a record behind it"),
            torn: self.buffer.len() as u64,
            pages: self.pages.clone(),
            accounts: self.named,
        };
        Ok((self.report(), end))
    }
}
