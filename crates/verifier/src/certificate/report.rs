//! What a check came to, as one object: the command line and a browser print the same.

use commitment::{Left, hex};
use event::Timestamp;
use event::json::Json;
use policy::PolicyHash;
use serde::Serialize;

use super::replay::read;
use super::{Checked, CheckedErasure, Fact, Tree};

/// The object of a certificate that holds, its fields in byte order.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[allow(missing_docs, reason = "docs/answers.md says what the fields are")]
pub struct Report<'a> {
    pub account: &'a str,
    pub answers: Vec<Json<'a>>,
    pub as_of: Timestamp,
    pub disclosed: Disclosed,
    pub events: u64,
    pub item: Option<&'a str>,
    pub known_at: Timestamp,
    pub ok: bool,
    pub origin: &'a str,
    pub policy: &'a str,
    pub policy_hash: PolicyHash,
    pub root: String,
    pub since: Option<Tree>,
    pub size: u64,
    pub what: Vec<Fact>,
}

/// How many of the account's events it shows, and how.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[allow(missing_docs, reason = "docs/answers.md says what the fields are")]
pub struct Disclosed {
    pub envelopes: u64,
    pub whole: u64,
}

/// The object of a certificate of erasure that holds, its fields in byte order.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[allow(missing_docs, reason = "docs/answers.md says what the fields are")]
pub struct ErasureReport<'a> {
    pub erasure: Taken<'a>,
    pub events: u64,
    pub ok: bool,
    pub origin: &'a str,
    pub root: String,
    pub since: Option<Tree>,
    pub size: u64,
    pub what: Vec<Fact>,
}

/// What the record of an erasure says, its fields in byte order.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[allow(missing_docs, reason = "docs/answers.md says what the fields are")]
pub struct Taken<'a> {
    pub accounts: u64,
    pub at: Timestamp,
    pub before: Option<Timestamp>,
    pub by: &'a str,
    pub events: u64,
    pub ground: &'a str,
    pub left: &'static str,
    pub page: u64,
    pub positions: Vec<[u64; 2]>,
}

impl Checked {
    /// The object of a certificate that holds.
    #[must_use]
    pub fn report(&self) -> Report<'_> {
        Report {
            account: &self.account,
            answers: self.answers.iter().map(|line| read(line).sorted()).collect(),
            as_of: self.as_of,
            disclosed: Disclosed { envelopes: self.hidden, whole: self.whole },
            events: self.seal.size,
            item: self.item.as_deref(),
            known_at: self.known_at,
            ok: true,
            origin: &self.origin,
            policy: &self.policy_name,
            policy_hash: self.policy,
            root: hex(&self.tree.root),
            since: self.since,
            size: self.tree.pages,
            what: self.facts(),
        }
    }
}

/// The object of a certificate that does not hold, its fields in byte order.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[allow(missing_docs, reason = "docs/answers.md says what the fields are")]
pub struct Refusal<'a> {
    pub file: &'a str,
    pub ok: bool,
    pub reason: &'a str,
    pub what: [Fact; 0],
}

impl CheckedErasure {
    /// The object of a certificate of erasure that holds.
    #[must_use]
    pub fn report(&self) -> ErasureReport<'_> {
        ErasureReport {
            erasure: Taken {
                accounts: self.names.count(),
                at: self.at,
                before: self.before,
                by: &self.by,
                events: self.events.count(),
                ground: &self.ground,
                left: left_word(self.left),
                page: self.page,
                positions: self.events.iter().map(|range| [range.start, range.end]).collect(),
            },
            events: self.seal.size,
            ok: true,
            origin: &self.origin,
            root: hex(&self.tree.root),
            since: self.since,
            size: self.tree.pages,
            what: self.facts(),
        }
    }
}

/// How much an erasure leaves of an event, in the words of `--json`.
#[must_use]
pub const fn left_word(left: Left) -> &'static str {
    match left {
        Left::Envelope => "envelope",
        Left::Leaf => "leaf",
    }
}

/// The object of a certificate that does not hold: `file` is what it goes by.
#[must_use]
pub fn refusal<'a>(file: &'a str, reason: &'a str) -> Refusal<'a> {
    Refusal { file, ok: false, reason, what: [] }
}
