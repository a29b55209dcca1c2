//! What an auditor who has replayed a log signs: that to this size all of it is right.
//!
//! ```text
//! stillthere audit v1
//! <the log's origin>
//! <pages in its tree>
//! <the tree's root, 64 hexadecimal digits>
//! <events up to the seal>
//! <the account map's root, 64 hexadecimal digits>
//! ```
//!
//! Every line ends with a newline; numbers are decimal without zeros in front, digits of hashes in lower case. It is
//! the text of a signed note.

use std::fmt;

use commitment::{Checkpoint, Digest, Seal, hex, unhex};

const FIRST: &str = "stillthere audit v1";

/// To this size the log's chains, tags and account map are right.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attestation {
    /// The log.
    pub origin: String,
    /// Pages in its tree.
    pub pages: u64,
    /// The tree's root.
    pub root: Digest,
    /// Events up to the seal.
    pub events: u64,
    /// The account map's root.
    pub map: Digest,
}

/// A text that is no auditor's note.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("line {line}: expected {expected}")]
pub struct AttestationError {
    /// From 1.
    pub line: usize,
    /// What should stand there.
    pub expected: &'static str,
}

impl Attestation {
    /// What there is to sign of a checkpoint and the seal that its tree ends with.
    #[must_use]
    pub fn of(checkpoint: &Checkpoint, seal: &Seal) -> Attestation {
        let Checkpoint { origin, size, root, .. } = checkpoint.clone();
        Attestation { origin, pages: size, root, events: seal.size, map: seal.root }
    }

    /// Of a note's text.
    ///
    /// # Errors
    /// The first line that does not belong there.
    pub fn parse(text: &str) -> Result<Attestation, AttestationError> {
        let mut lines = (1..).zip(text.split('\n'));
        let mut next = |expected| match lines.next() {
            Some((line, text)) => (line, text, expected),
            None => (7, "", expected),
        };
        let wrong = |(line, _, expected)| AttestationError { line, expected };
        let first = next("`stillthere audit v1`");
        if first.1 != FIRST {
            return Err(wrong(first));
        }
        let origin = next("the log's origin");
        if origin.1.is_empty() {
            return Err(wrong(origin));
        }
        let number = |line: (usize, &str, &'static str)| {
            let number: Option<u64> = line.1.parse().ok();
            number.filter(|n| n.to_string() == line.1).ok_or_else(|| wrong(line))
        };
        let digest = |line: (usize, &str, &'static str)| {
            let bytes = unhex(line.1).filter(|bytes| hex(bytes) == line.1);
            bytes.and_then(|bytes| Digest::try_from(bytes).ok()).ok_or_else(|| wrong(line))
        };
        let pages = number(next("a number of pages"))?;
        let root = digest(next("the tree's root in hexadecimal"))?;
        let events = number(next("a number of events"))?;
        let map = digest(next("the account map's root in hexadecimal"))?;
        let end = next("a newline and nothing more");
        if !end.1.is_empty() || lines.next().is_some() || !text.ends_with('\n') {
            return Err(wrong(end));
        }
        Ok(Attestation { origin: origin.1.to_owned(), pages, root, events, map })
    }
}

impl fmt::Display for Attestation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Attestation { origin, pages, root, events, map } = self;
        let (root, map) = (hex(root), hex(map));
        writeln!(f, "{FIRST}\n{origin}\n{pages}\n{root}\n{events}\n{map}")
    }
}
