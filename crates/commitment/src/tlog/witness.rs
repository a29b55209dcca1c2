//! What a witness does (C2SP tlog-witness, `add-checkpoint`): a log asks, and the witness signs or says why not.
//!
//! ```text
//! old <size of the tree that the witness signed last, 0 if none>
//! <base64 of a hash of the consistency proof>     0 to 63 lines
//!
//! <the new checkpoint's note>
//! ```
//!
//! The witness keeps, for each log, the size and the root that it signed last. It writes the new ones down, on
//! disk and as one step with having compared the old ones, before it answers: or two requests at a time could
//! take it back to a smaller tree.

use std::fmt;

use crate::hash::Digest;
use crate::tlog::checkpoint::{Checkpoint, CheckpointError};
use crate::tlog::cosignature::{CosignError, cosign};
use crate::tlog::key::{SignerKey, VerifierKey};
use crate::tlog::note::{MAX_NOTE, Note, NoteError, SignatureLine};
use crate::tlog::proof::{ProofError, check_consistency};
use crate::tlog::spelling::{base64_array, decimal, to_base64};
use crate::tree::empty_root;

/// The most hashes that a request has.
pub const MAX_PROOF_LINES: usize = 63;

/// Why bytes are no request. HTTP answers 400.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RequestError {
    /// A line before the checkpoint that does not belong there.
    #[error("line {line} of the request: expected {expected}")]
    Line {
        /// From 1.
        line: usize,
        /// What should stand there.
        expected: &'static str,
    },
    /// What follows is no checkpoint's note.
    #[error(transparent)]
    Checkpoint(#[from] CheckpointError),
}

/// A log's request that a witness sign its new checkpoint. Its `Display` is the request's body.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AddCheckpoint {
    old: u64,
    proof: Vec<Digest>,
    note: Note,
    checkpoint: Checkpoint,
}

/// A log that a witness looks after.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WatchedLog {
    /// Its origin.
    pub origin: String,
    /// The keys that it signs with.
    pub keys: Vec<VerifierKey>,
    /// What the witness signed last; `None` before the first time.
    pub last: Option<Seen>,
}

/// A tree that a witness signed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Seen {
    /// Its leaves.
    pub size: u64,
    /// Its root.
    pub root: Digest,
}

/// What a witness answers with, after it has written down what it saw.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cosigned {
    /// The line to answer with, and a newline. HTTP says 200.
    pub line: SignatureLine,
    /// What is to be kept as [`WatchedLog::last`] first.
    pub seen: Seen,
}

/// Why a witness does not sign.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// The old size is past the checkpoint's, or the note is void. HTTP says 400.
    #[error("{0}")]
    Malformed(String),
    /// No signature by a key of the log, or one that does not hold. HTTP says 403.
    #[error(transparent)]
    Forbidden(CheckpointError),
    /// A log that the witness does not look after. HTTP says 404.
    #[error("an unknown origin {0:?}")]
    Unknown(String),
    /// The old size is not that which the witness signed last. HTTP says 409, and the body is that size.
    #[error("the last checkpoint signed has {last} leaves, not {old}")]
    Conflict {
        /// What was signed last, 0 if nothing.
        last: u64,
        /// What the request has.
        old: u64,
    },
    /// The new tree does not go on from the last one: a proof of a log's misbehaviour, if its signature
    /// holds. HTTP says 422.
    #[error(transparent)]
    Inconsistent(#[from] ProofError),
    /// A tree without leaves and with another root. HTTP says 422.
    #[error(transparent)]
    Empty(CheckpointError),
    /// The witness's own key or clock is at fault. HTTP says 500.
    #[error(transparent)]
    Own(CosignError),
}

impl Refusal {
    /// The status that HTTP has for it.
    #[must_use]
    pub const fn status(&self) -> u16 {
        match self {
            Refusal::Malformed(_) => 400,
            Refusal::Forbidden(_) => 403,
            Refusal::Unknown(_) => 404,
            Refusal::Conflict { .. } => 409,
            Refusal::Inconsistent(_) | Refusal::Empty(_) => 422,
            Refusal::Own(_) => 500,
        }
    }

    /// The body to answer with. That of a conflict is the last size, of the type `text/x.tlog.size`.
    #[must_use]
    pub fn body(&self) -> String {
        match self {
            Refusal::Conflict { last, .. } => format!("{last}\n"),
            other => format!("{other}\n"),
        }
    }
}

impl AddCheckpoint {
    /// A request: the size of the tree that the witness signed last, the proof that it is the beginning of
    /// the checkpoint's, and the checkpoint's note.
    ///
    /// # Errors
    /// A note that is no checkpoint's, and more than [`MAX_PROOF_LINES`] hashes.
    pub fn new(old: u64, proof: Vec<Digest>, note: Note) -> Result<AddCheckpoint, RequestError> {
        if proof.len() > MAX_PROOF_LINES {
            let line = MAX_PROOF_LINES + 2;
            return Err(RequestError::Line { line, expected: "a blank line after 63 hashes" });
        }
        let checkpoint = Checkpoint::parse(note.unverified_text())?;
        Ok(AddCheckpoint { old, proof, note, checkpoint })
    }

    /// Of a request's body.
    ///
    /// # Errors
    /// The first line that does not belong there.
    pub fn parse(bytes: &[u8]) -> Result<AddCheckpoint, RequestError> {
        let line = |line, expected| RequestError::Line { line, expected };
        let mut rest = bytes;
        let mut next = || {
            let end = rest.iter().position(|byte| *byte == b'\n')?;
            let text = str::from_utf8(&rest[..end]).ok()?;
            rest = &rest[end + 1..];
            Some(text)
        };
        let old = next().and_then(|text| text.strip_prefix("old ")).and_then(decimal);
        let old = old.ok_or_else(|| line(1, "old <size>, decimal without zeros in front"))?;
        let mut proof = Vec::new();
        loop {
            let at = proof.len() + 2;
            match next() {
                Some("") => break,
                Some(text) if proof.len() < MAX_PROOF_LINES => {
                    let hash = base64_array(text);
                    proof.push(hash.ok_or_else(|| line(at, "a hash of 32 bytes in base64"))?);
                }
                _ => {
                    return Err(line(
                        at,
                        "a blank line before the checkpoint, after at most 63 hashes",
                    ));
                }
            }
        }
        let note = Note::parse(rest).map_err(CheckpointError::from)?;
        AddCheckpoint::new(old, proof, note)
    }

    /// The most bytes that a request's body has: more need not be read.
    pub const MAX: usize = MAX_NOTE + 32 + 45 * MAX_PROOF_LINES;

    /// The log that is asking, by its own word: for finding out which one to look at.
    #[must_use]
    pub fn origin(&self) -> &str {
        &self.checkpoint.origin
    }

    /// What a witness does with it, at `time_s` seconds since the epoch. `log` is the log of that origin,
    /// if the witness looks after it.
    ///
    /// # Errors
    /// Why it does not sign.
    pub fn cosign(
        &self,
        log: Option<&WatchedLog>,
        key: &SignerKey,
        time_s: u64,
    ) -> Result<Cosigned, Refusal> {
        let unknown = || Refusal::Unknown(self.checkpoint.origin.clone());
        let log = log.filter(|log| log.origin == self.checkpoint.origin).ok_or_else(unknown)?;
        // The root of an empty tree is looked at again below, where its turn is.
        match Checkpoint::open(&self.note, &log.origin, &log.keys, &[]) {
            Ok(_) | Err(CheckpointError::Empty) => {}
            Err(
                e @ (CheckpointError::Note(NoteError::Unsigned | NoteError::Refused { .. })
                | CheckpointError::NotByLog(_)),
            ) => return Err(Refusal::Forbidden(e)),
            Err(e) => return Err(Refusal::Malformed(e.to_string())),
        }
        let Checkpoint { size, root, .. } = self.checkpoint;
        if self.old > size {
            let shrunk = ProofError::Shrunk { old: self.old, new: size };
            return Err(Refusal::Malformed(shrunk.to_string()));
        }
        let last = log.last.unwrap_or(Seen { size: 0, root: empty_root() });
        if self.old != last.size {
            return Err(Refusal::Conflict { last: last.size, old: self.old });
        }
        if size == 0 && root != empty_root() {
            return Err(Refusal::Empty(CheckpointError::Empty));
        }
        check_consistency(last.size, &last.root, size, &root, &self.proof)?;
        let line = cosign(&self.note, key, time_s).map_err(Refusal::Own)?;
        Ok(Cosigned { line, seen: Seen { size, root } })
    }
}

/// The size that a witness's answer of a conflict (409) gives: what it signed last. `None` if it is no such answer.
#[must_use]
pub fn conflict_size(body: &[u8]) -> Option<u64> {
    str::from_utf8(body).ok()?.strip_suffix('\n').and_then(decimal)
}

/// The signature lines of a witness's answer (200), at least one, of which nobody knows yet whether they hold. `None`
/// if it is no such answer.
#[must_use]
pub fn answered_lines(body: &[u8]) -> Option<Vec<SignatureLine>> {
    let text = str::from_utf8(body).ok()?.strip_suffix('\n')?;
    text.split('\n').map(SignatureLine::parse).collect()
}

impl fmt::Display for AddCheckpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "old {}", self.old)?;
        self.proof.iter().try_for_each(|hash| writeln!(f, "{}", to_base64(hash)))?;
        write!(f, "\n{}", self.note)
    }
}
