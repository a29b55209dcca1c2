//! Cosignatures (C2SP tlog-cosignature, `cosignature/v1`): a witness says that it saw a checkpoint, and when.
//!
//! A cosignature is a signature line of the checkpoint's note whose 72 bytes behind the key id are
//! the time, seconds since the epoch in 64 bits big-endian, and an Ed25519 signature over
//!
//! ```text
//! cosignature/v1
//! time <the time, decimal>
//! <the note's text: origin, size, root, extensions>
//! ```
//!
//! It says that at this time this was the largest tree of this log that the witness knew, and that every tree
//! of it that the witness had signed before is its beginning. It says nothing of extensions.

use crate::tlog::checkpoint::{Checkpoint, CheckpointError};
use crate::tlog::key::{Algorithm, SignerKey, VerifierKey};
use crate::tlog::note::{Note, SignatureLine, Signed};

/// The latest time, in seconds since the epoch, that the format allows.
const MAX_TIME_S: u64 = i64::MAX as u64;

/// Why there is no cosignature.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CosignError {
    /// Only checkpoints are cosigned.
    #[error(transparent)]
    Checkpoint(#[from] CheckpointError),
    /// A log's key is to sign as a witness does.
    #[error("the key of {0:?} signs no cosignatures")]
    Algorithm(String),
    /// A time that cannot be written.
    #[error("a time of {0} s since the epoch, expected 1 to 2^63 - 1")]
    Time(u64),
}

fn message(time_s: u64, text: &str) -> String {
    format!("cosignature/v1\ntime {time_s}\n{text}")
}

/// Signs a checkpoint's note as a witness at `time_s` seconds since the epoch. It does not look at
/// what the witness signed before: [`crate::AddCheckpoint::cosign`] does.
///
/// # Errors
/// A text that is no checkpoint, a log's key, and a time of 0 or past 2^63 - 1.
pub fn cosign(note: &Note, key: &SignerKey, time_s: u64) -> Result<SignatureLine, CosignError> {
    let text = note.unverified_text();
    Checkpoint::parse(text)?;
    if key.verifier().algorithm() != Algorithm::Cosignature {
        return Err(CosignError::Algorithm(key.verifier().name().to_owned()));
    }
    if !(1..=MAX_TIME_S).contains(&time_s) {
        return Err(CosignError::Time(time_s));
    }
    let signature = key.sign(message(time_s, text).as_bytes());
    Ok(SignatureLine::new(key, [&time_s.to_be_bytes()[..], &signature].concat()))
}

/// The time of a cosignature that holds.
pub(super) fn holds(key: &VerifierKey, text: &str, bytes: &[u8]) -> Option<u64> {
    let (time, signature) = bytes.split_first_chunk::<8>()?;
    let time_s = u64::from_be_bytes(*time);
    let is_time = (1..=MAX_TIME_S).contains(&time_s);
    let is_signed = key.holds(message(time_s, text).as_bytes(), signature.try_into().ok()?);
    (is_time && is_signed).then_some(time_s)
}

/// `K of N`: how many of which witnesses have to have signed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Quorum {
    need: usize,
    witnesses: Vec<VerifierKey>,
}

/// Why there is no quorum.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum QuorumError {
    /// More are needed than there are.
    #[error("{need} witnesses needed of {known}")]
    TooFewKnown {
        /// How many are needed.
        need: usize,
        /// How many there are.
        known: usize,
    },
    /// A key that signs no cosignatures.
    #[error("the key of {0:?} signs no cosignatures")]
    Algorithm(String),
    /// Two of the witnesses have the same public key, so one could count twice.
    #[error("the witnesses {0:?} and {1:?} have the same public key")]
    Same(String, String),
    /// Fewer signed than are needed.
    #[error("{found} of {known} witnesses signed, expected at least {need}")]
    TooFewSigned {
        /// How many are needed.
        need: usize,
        /// How many there are.
        known: usize,
        /// How many signed.
        found: usize,
    },
}

/// A witness that signed, and when.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Witnessed {
    /// The witness's name.
    pub name: String,
    /// By its clock, in seconds since the epoch.
    pub time_s: u64,
}

impl Quorum {
    /// At least `need` of these.
    ///
    /// # Errors
    /// Fewer witnesses than are needed, keys that sign no cosignatures, and two with one public key.
    pub fn new(need: usize, witnesses: Vec<VerifierKey>) -> Result<Quorum, QuorumError> {
        if need > witnesses.len() {
            return Err(QuorumError::TooFewKnown { need, known: witnesses.len() });
        }
        for (n, key) in witnesses.iter().enumerate() {
            let name = key.name().to_owned();
            if key.algorithm() != Algorithm::Cosignature {
                return Err(QuorumError::Algorithm(name));
            }
            let same = witnesses[..n].iter().find(|other| other.public() == key.public());
            if let Some(other) = same {
                return Err(QuorumError::Same(other.name().to_owned(), name));
            }
        }
        Ok(Quorum { need, witnesses })
    }

    /// The witnesses, to open a checkpoint with.
    #[must_use]
    pub fn witnesses(&self) -> &[VerifierKey] {
        &self.witnesses
    }

    /// Who of the witnesses signed what [`Checkpoint::open`] opened, and when, if they are enough. How
    /// old a time may be is for the caller to say.
    ///
    /// # Errors
    /// Too few.
    pub fn check(&self, signed: &[Signed]) -> Result<Vec<Witnessed>, QuorumError> {
        let witnessed: Vec<Witnessed> = signed
            .iter()
            .filter(|signed| self.witnesses.contains(&signed.key))
            .filter_map(|Signed { key, time_s }| {
                Some(Witnessed { name: key.name().to_owned(), time_s: (*time_s)? })
            })
            .collect();
        let (need, known, found) = (self.need, self.witnesses.len(), witnessed.len());
        if found < need {
            return Err(QuorumError::TooFewSigned { need, known, found });
        }
        Ok(witnessed)
    }
}
