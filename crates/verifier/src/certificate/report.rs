//! What a check came to, as one object: the command line and a browser print the same.

use commitment::{Left, hex};
use serde_json::{Value, json};

use super::{
    CertificateError, Checked, CheckedErasure, Expected, Trust, check, check_erasure, is_erasure,
};
use crate::Language;

/// Checks a certificate of either kind: the object of one that holds.
///
/// # Errors
/// As [`check`] and [`check_erasure`].
pub fn judge(
    bytes: &[u8],
    trust: &Trust,
    expected: &Expected,
    lang: Language,
) -> Result<Value, CertificateError> {
    match is_erasure(bytes) {
        true => check_erasure(bytes, trust, expected, lang).map(|checked| checked.report()),
        false => check(bytes, trust, expected, lang).map(|checked| checked.report()),
    }
}

impl Checked {
    /// The object of a certificate that holds.
    #[must_use]
    pub fn report(&self) -> Value {
        let answers = self.answers.iter();
        let answers = answers.map(|line| serde_json::from_str(line).expect("answers are JSON"));
        json!({
            "ok": true, "account": self.account, "item": self.item, "as_of": self.as_of, "known_at": self.known_at,
            "origin": self.origin, "size": self.tree.pages, "root": hex(&self.tree.root),
            "since": self.since,
            "events": self.seal.size, "policy": self.policy_name, "policy_hash": self.policy,
            "answers": answers.collect::<Vec<Value>>(), "what": self.facts(),
            "disclosed": { "whole": self.whole, "envelopes": self.hidden },
        })
    }
}

impl CheckedErasure {
    /// The object of a certificate of erasure that holds.
    #[must_use]
    pub fn report(&self) -> Value {
        let positions = self.events.iter().map(|range| [range.start, range.end]);
        json!({
            "ok": true,
            "erasure": {
                "page": self.page, "at": self.at, "ground": self.ground, "by": self.by,
                "left": left_word(self.left), "before": self.before, "events": self.events.count(),
                "accounts": self.names.count(), "positions": positions.collect::<Vec<_>>(),
            },
            "origin": self.origin, "size": self.tree.pages, "root": hex(&self.tree.root),
            "since": self.since, "events": self.seal.size, "what": self.facts(),
        })
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
pub fn refusal(file: &str, reason: &str) -> Value {
    json!({ "ok": false, "file": file, "reason": reason, "what": [] })
}
