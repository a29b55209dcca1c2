//! What a check came to, as one object: the command line and a browser print the same.

use commitment::hex;
use serde_json::{Value, json};

use super::Checked;

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

/// The object of a certificate that does not hold: `file` is what it goes by.
#[must_use]
pub fn refusal(file: &str, reason: &str) -> Value {
    json!({ "ok": false, "file": file, "reason": reason, "what": [] })
}
