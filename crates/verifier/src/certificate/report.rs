//! What a check came to, as one object: the command line and a browser print the same.

use commitment::hex;
use event::Timestamp;
use event::json::Json;
use policy::PolicyHash;
use serde::Serialize;

use super::{Checked, Fact, Tree};

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

impl Checked {
    /// The object of a certificate that holds.
    #[must_use]
    pub fn report(&self) -> Report<'_> {
        let answer = |line| serde_json::from_str::<Json<'_>>(line).expect("answers are JSON");
        Report {
            account: &self.account,
            answers: self.answers.iter().map(|line| answer(line).sorted()).collect(),
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

/// The object of a certificate that does not hold: `file` is what it goes by.
#[must_use]
pub fn refusal<'a>(file: &'a str, reason: &'a str) -> Refusal<'a> {
    Refusal { file, ok: false, reason, what: [] }
}
