//! What comes of a claim (docs/answers.md).

use event::{EventHash, Timestamp};
use serde::Serialize;

event::words! {
    /// Whether a claim holds.
    Outcome {
        Upheld = 0 "upheld",
        Refuted = 1 "refuted",
        /// The policy's readings differ, no such record exists, or events were erased that may matter.
        Undetermined = 2 "undetermined",
    }
}

event::words! {
    /// Whether what became of the data was lawful.
    Lawful {
        /// Nothing became of it, or no record exists.
        None = 0 "none",
        Yes = 1 "yes",
        No = 2 "no",
        /// The policy's readings differ.
        Depends = 3 "depends",
        /// Events were erased that may matter.
        Undetermined = 4 "undetermined",
    }
}

/// An event that a verdict rests on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Evidence {
    /// Place in the log.
    pub position: u64,
    /// Place in the stream.
    pub revision: u64,
    /// The event's hash.
    pub hash: EventHash,
    /// The item, in a verdict on a category or an account.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub item: Option<String>,
    /// The backup, in a verdict on an account.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub backup: Option<String>,
}

/// The answer to a claim.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Verdict {
    /// The claimant's name for the claim.
    pub claim: String,
    /// The account.
    pub account: String,
    /// Whether it holds.
    pub verdict: Outcome,
    /// The state of all that it is about, where that agrees.
    pub state: Option<&'static str>,
    /// The cause of that state.
    pub cause: Option<&'static str>,
    /// Whether what became of it was lawful.
    pub lawful: Lawful,
    /// Until when it can be recovered.
    pub recoverable_until: Option<Timestamp>,
    /// Which of the three before are none because erased events may matter.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub undetermined: Vec<&'static str>,
    /// The events that it rests on.
    pub evidence: Vec<Evidence>,
    /// The policy's clauses that speak of it.
    pub clauses: Vec<String>,
    /// The outcome under the policy as it stands (`default`) and under each reading alone, in byte order of their names.
    #[serde(serialize_with = "projection::as_map")]
    pub readings: Vec<(String, Outcome)>,
    /// What a reader should bear in mind.
    pub caveats: Vec<String>,
    /// The reason, in one sentence.
    pub because: String,
}
