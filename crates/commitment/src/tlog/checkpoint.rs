//! Checkpoints (C2SP tlog-checkpoint): what a log says its tree is, in a signed note.
//!
//! | line | what |
//! |---|---|
//! | 1 | the *origin*: which log |
//! | 2 | the *size*: leaves in its tree, decimal without zeros in front, under 2^63 |
//! | 3 | the tree's root, base64 with padding |
//! | 4 and on | *extensions*, as a rule none; not empty |
//!
//! Every line ends with a newline. There is one spelling: what was read is written again byte by byte.

use std::fmt;

use crate::hash::Digest;
use crate::tlog::key::{Algorithm, SignerKey, VerifierKey};
use crate::tlog::note::{Note, NoteError, Signed};
use crate::tlog::spelling::{base64_array, decimal, to_base64};
use crate::tree::empty_root;

/// What a log says its tree is. Its `Display` is the text that is signed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Checkpoint {
    /// Which log: one line, a URL without a scheme as a rule.
    pub origin: String,
    /// Leaves in its tree, under 2^63.
    pub size: u64,
    /// The tree's root.
    pub root: Digest,
    /// Further lines that are signed; not empty, without newlines. Witnesses do not judge them.
    pub extensions: Vec<String>,
}

/// Why a note is no checkpoint, or not one that is believed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CheckpointError {
    /// The note is none, or is not believed.
    #[error(transparent)]
    Note(#[from] NoteError),
    /// A line of the text that does not belong there.
    #[error("line {line} of the checkpoint: expected {expected}")]
    Line {
        /// From 1.
        line: usize,
        /// What should stand there.
        expected: &'static str,
    },
    /// Another log's.
    #[error("a checkpoint of the origin {found:?}, expected {expected:?}")]
    Origin {
        /// The log that was asked for.
        expected: String,
        /// The log that it is of, by its own words if it was not signed by a known key.
        found: String,
    },
    /// Known keys signed it, but none of the log's.
    #[error("no signature by the log {0:?}")]
    NotByLog(String),
    /// A tree without leaves has one root.
    #[error("a tree of 0 leaves with a root that is not the hash of nothing")]
    Empty,
    /// The log's key has to be called as the log is.
    #[error("the key's name {found:?}, expected the origin {expected:?}")]
    KeyName {
        /// The checkpoint's origin.
        expected: String,
        /// The key's name.
        found: String,
    },
}

const ORIGIN: &str = "the log's origin";
const SIZE: &str = "a size, decimal without zeros in front";
const ROOT: &str = "a root of 32 bytes in base64";
const EXTENSION: &str = "a line that is not empty";

impl Checkpoint {
    /// Of the text of a note.
    ///
    /// # Errors
    /// The first line that does not belong there.
    pub fn parse(text: &str) -> Result<Checkpoint, CheckpointError> {
        let line = |line, expected| CheckpointError::Line { line, expected };
        let Some(lines) = text.strip_suffix('\n') else {
            return Err(line(text.split('\n').count(), "a newline at its end"));
        };
        let mut lines = lines.split('\n');
        let mut next = || lines.next().filter(|text| !text.is_empty());
        let origin = next().ok_or_else(|| line(1, ORIGIN))?.to_owned();
        let size = next().and_then(decimal).ok_or_else(|| line(2, SIZE))?;
        let root = next().and_then(base64_array).ok_or_else(|| line(3, ROOT))?;
        let mut extensions = Vec::new();
        for (number, text) in (4..).zip(lines) {
            if text.is_empty() {
                return Err(line(number, EXTENSION));
            }
            extensions.push(text.to_owned());
        }
        Ok(Checkpoint { origin, size, root, extensions })
    }

    /// Signs it as the log.
    ///
    /// # Errors
    /// A checkpoint that could not be read again, a key that is not called as the log is, and one that
    /// signs cosignatures alone.
    pub fn sign(&self, key: &SignerKey) -> Result<Note, CheckpointError> {
        let text = self.to_string();
        if Checkpoint::parse(&text)? != *self {
            return Err(CheckpointError::Line {
                line: 1,
                expected: "lines without newlines in them",
            });
        }
        self.check_root()?;
        if key.verifier().name() != self.origin {
            let (expected, found) = (self.origin.clone(), key.verifier().name().to_owned());
            return Err(CheckpointError::KeyName { expected, found });
        }
        let mut note = Note::new(text)?;
        note.sign(key)?;
        Ok(note)
    }

    /// The checkpoint of the log `origin` in a note that one of the log's keys signed, and who signed:
    /// of the log's keys and of `witnesses`, whose signatures it need not have ([`crate::Quorum`] counts
    /// them).
    ///
    /// # Errors
    /// A note that cannot be read or is not believed, another log's checkpoint, and one that only
    /// witnesses signed.
    pub fn open(
        note: &Note,
        origin: &str,
        log: &[VerifierKey],
        witnesses: &[VerifierKey],
    ) -> Result<(Checkpoint, Vec<Signed>), CheckpointError> {
        let checkpoint = Checkpoint::parse(note.unverified_text())?;
        if checkpoint.origin != origin {
            let (expected, found) = (origin.to_owned(), checkpoint.origin);
            return Err(CheckpointError::Origin { expected, found });
        }
        let signed = note.open(&[log, witnesses].concat())?.signed;
        let is_by_log = |signed: &Signed| {
            signed.key.algorithm() == Algorithm::Ed25519 && log.contains(&signed.key)
        };
        if !signed.iter().any(is_by_log) {
            return Err(CheckpointError::NotByLog(checkpoint.origin));
        }
        checkpoint.check_root()?;
        Ok((checkpoint, signed))
    }

    fn check_root(&self) -> Result<(), CheckpointError> {
        let is_empty = self.size == 0 && self.root != empty_root();
        if is_empty { Err(CheckpointError::Empty) } else { Ok(()) }
    }
}

impl fmt::Display for Checkpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}\n{}\n{}\n", self.origin, self.size, to_base64(&self.root))?;
        self.extensions.iter().try_for_each(|line| writeln!(f, "{line}"))
    }
}
