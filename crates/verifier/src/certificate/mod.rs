//! Certificates: an answer with all that it rests on (docs/proofs.md, "Certificates").
//!
//! A [`Certificate`] shows an account's stream, up to a seal of the log, as far as the question asks for
//! it: some events whole, the others by their envelopes. [`check`] needs nothing but its bytes and the keys of those
//! who are trusted: it finds out what follows from what, replays the policy, and says of each fact whether it is
//! proven, attested and by whom, or what nobody can prove. An [`ErasureCertificate`] shows that something was taken out of
//! a log under a record of it. [`judge`] checks either. [`conflict`] holds two against each other, and [`together`] says
//! how far several are shown to be of one log.

mod check;
mod conflict;
mod erasure;
mod facts;
mod replay;
mod report;
mod wire;

use commitment::{Digest, ENVELOPE, MapProof, SALT, SUMMARY};
use event::Timestamp;

pub use check::{CertificateError, Checked, Expected, Tree, Trust, check};
pub use conflict::{Conflict, Together, conflict, together};
pub use erasure::{CheckedErasure, ErasureCertificate, TakenOut, check_erasure, is_erasure};
pub use facts::{Basis, Fact};
pub use replay::{answer, is_needed, without_sentences};
pub use report::{Disclosed, ErasureReport, Refusal, Report, Taken, left_word, refusal};
pub use wire::{MAX_CERTIFICATE, WireError, is_certificate};

/// An answer with all that it rests on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Certificate {
    /// The signed checkpoint of the log's tree, as it is.
    pub checkpoint: String,
    /// An earlier checkpoint, from which the log goes on.
    pub since: Option<Since>,
    /// Notes of auditors who replayed the log up to here.
    pub audits: Vec<String>,
    /// Where the seal stands, which is the last leaf of the last page.
    pub seal: Placed,
    /// What the seal says: the body of its frame, behind the salt.
    pub seal_body: Vec<u8>,
    /// What the account map of the seal says of the account.
    pub map: MapProof,
    /// Its name.
    pub account: String,
    /// Its events; `None` if it has none in the log.
    pub stream: Option<Stream>,
    /// The compiled policy (`Policy::canonical_bytes`).
    pub policy: Vec<u8>,
    /// Where the log adopted it.
    pub adopted: Option<Adopted>,
    /// What was asked.
    pub question: Question,
    /// One line of JSON a claim, without sentences; without claims, one of the item or the account.
    pub answers: Vec<String>,
}

/// An earlier checkpoint, and that the tree of the certificate's begins with its tree.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Since {
    /// The signed checkpoint, as it is.
    pub checkpoint: String,
    /// The consistency proof (`commitment::prove_consistency`).
    pub proof: Vec<Digest>,
}

/// A control frame in its place in the log's tree.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Placed {
    /// Random.
    pub salt: [u8; SALT],
    /// The hashes beside its way in its page, from the leaf up.
    pub in_page: Vec<Digest>,
    /// The page's summary.
    pub summary: [u8; SUMMARY],
    /// The hashes beside the summary's way in the log's tree, from the leaf up.
    pub in_tree: Vec<Digest>,
}

/// The adoption of the policy. What the frame says follows from the policy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Adopted {
    /// The leaf's number in its page, from 0.
    pub leaf: u32,
    /// Where it stands.
    pub placed: Placed,
}

/// An account's events, from its first to the last before the seal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stream {
    /// The account's number.
    pub ordinal: u32,
    /// From which nobody learns the account's secret.
    pub name_salt: [u8; 16],
    /// The hash of the account's secret.
    pub secret_hash: Digest,
    /// By revision, from 0.
    pub events: Vec<Shown>,
}

/// How much of an event is shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Shown {
    /// All of it.
    Whole {
        /// Its envelope.
        envelope: [u8; ENVELOPE],
        /// The salt of its content.
        salt: [u8; SALT],
        /// Its content, as it stands in its frame.
        padded: Vec<u8>,
        /// Its place in the log, by the word of who made the certificate.
        position: u64,
    },
    /// When, of what kind, by whom, and that it is about another item or backup.
    Envelope {
        /// Its envelope.
        envelope: [u8; ENVELOPE],
        /// The salted hash of its content.
        content: Digest,
    },
}

/// What was asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Question {
    /// As of then.
    pub as_of: Timestamp,
    /// By what was recorded up to then.
    pub known_at: Timestamp,
    /// One item; `None`: the whole account.
    pub item: Option<String>,
    /// Claims, each a line of JSON.
    pub claims: Vec<String>,
}
