//! Boundary answers worked out by hand: small histories, and what must be said of them just
//! before, at and after an instant, with the arithmetic in the comments.
//!
//! The table is data: the model is held against it here, the real fold and the real audit in the
//! tests of their crates. The rules are those of docs/answers.md and docs/policies.md.

mod account;
mod activity;
mod claims;
pub mod erased;
mod purges;
mod stages;
mod trash;
mod versions;

use event::{Recorded, Timestamp};
use serde_json::Value;

use crate::claims::{Asserts, Claim, Subject};
use crate::notation;

/// A small history and what must be said of it.
#[derive(Debug, Clone, Copy)]
pub struct ByHand {
    /// What it shows.
    pub name: &'static str,
    /// The policy file but for its first two lines (`schema` and `policy`, which is `by-hand`).
    pub rules: &'static str,
    /// The events of account `a`, in the notation of [`notation`]; the order of lines is that of
    /// appending.
    pub events: &'static str,
    /// By what was recorded when; without it, all.
    pub known_at: Option<&'static str>,
    /// Of the state as of a time (in the notation of [`notation::time`]), what must hold: a line
    /// for each, see [`check`].
    pub state: &'static [(&'static str, &'static str)],
    /// Of the answer to a claim, `SUBJECT ASSERTS AS_OF`, what must hold. The subject is `item=i`,
    /// `backup=b`, `category=photos` or `account`.
    pub claims: &'static [(&'static str, &'static str)],
}

/// A case about no claims, everything known.
const STATE: ByHand =
    ByHand { name: "", rules: "", events: "", known_at: None, state: &[], claims: &[] };

/// Every case.
#[must_use]
pub fn cases() -> Vec<ByHand> {
    [
        trash::CASES,
        versions::CASES,
        purges::CASES,
        stages::CASES,
        activity::CASES,
        account::CASES,
        claims::CASES,
    ]
    .concat()
}

impl ByHand {
    /// The policy file.
    #[must_use]
    pub fn policy_toml(&self) -> String {
        format!("schema = 1\npolicy = \"by-hand\"\n{}", self.rules)
    }

    /// The events in their places. One with `recorded=` has its `recorded_at` honoured; the log
    /// wrote the others down at the instant at which they occurred.
    #[must_use]
    pub fn recorded(&self) -> Vec<Recorded> {
        notation::events(self.events)
    }

    /// The events as input.
    #[must_use]
    pub fn ndjson(&self) -> String {
        notation::ndjson(&self.recorded())
    }

    /// The known-at.
    #[must_use]
    pub fn known_at(&self) -> Timestamp {
        self.known_at.map_or(Timestamp::MAX, notation::time)
    }
}

/// Reads a claim of the table.
///
/// # Panics
/// When it is not `SUBJECT ASSERTS AS_OF`.
#[must_use]
pub fn claim(text: &str) -> Claim {
    let words: Vec<&str> = text.split_whitespace().collect();
    let [subject, asserts, as_of] = words[..] else { panic!("{text}: not three words") };
    let subject = match subject.split_once('=') {
        Some(("item", name)) => Subject::Item(name.to_owned()),
        Some(("backup", name)) => Subject::Backup(name.to_owned()),
        Some(("category", name)) => Subject::Category(name.to_owned()),
        _ => Subject::Account,
    };
    let asserts = Asserts::ALL.iter().find(|(_, name)| *name == asserts).expect("an assert").0;
    let as_of = Some(notation::time(as_of));
    Claim { claim: "c".to_owned(), account: "a".to_owned(), subject, asserts, as_of }
}

/// Holds an answer (JSON) against what must hold of it; gives what does not, or `None`.
///
/// Each line of `expected` is a JSON pointer and, after a space, the value: JSON, or else a plain
/// string. A `*` in the pointer stands for every element in turn; the values found are then
/// joined by spaces. The pointer `.` is the whole answer, which is `null` where there is none.
///
/// # Panics
/// When `answer` is not JSON.
#[must_use]
pub fn check(answer: &str, expected: &str) -> Option<String> {
    let answer: Value = serde_json::from_str(answer).expect("an answer is JSON");
    for line in expected.lines().map(str::trim).filter(|line| !line.is_empty()) {
        let (pointer, value) = line.split_once(' ').unwrap_or((line, ""));
        let found = match pointer.split_once("/*") {
            None if pointer == "." => Some(answer.clone()),
            None => answer.pointer(pointer).cloned(),
            Some((list, rest)) => answer.pointer(list).and_then(Value::as_array).map(|list| {
                let each = list.iter().map(|e| e.pointer(rest).map_or("-".to_owned(), plain));
                Value::String(each.collect::<Vec<_>>().join(" "))
            }),
        };
        let starred = pointer.contains('*');
        let wanted = match serde_json::from_str(value) {
            Ok(value) if !starred => value,
            _ => Value::String(value.to_owned()),
        };
        if found.as_ref() != Some(&wanted) {
            let found = found.map_or("nothing".to_owned(), |found| found.to_string());
            return Some(format!("{pointer}: by hand {wanted}, found {found}\nin {answer}"));
        }
    }
    None
}

fn plain(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

#[cfg(test)]
mod tests {
    use policy::Policy;

    use super::*;
    use crate::claims::judge;
    use crate::model;

    #[test]
    fn the_model_says_the_same() {
        let mut wrong = Vec::new();
        for case in cases() {
            let policy = Policy::parse(&case.policy_toml())
                .unwrap_or_else(|e| panic!("{}: {e:?}", case.name));
            let (events, known_at) = (case.recorded(), case.known_at());
            for (as_of, expected) in case.state {
                let state = model::state(&events, &policy, notation::time(as_of), known_at);
                let state = state.map_or("null".to_owned(), |state| state.json());
                if let Some(why) = check(&state, expected) {
                    wrong.push(format!("{}, as of {as_of}: {why}", case.name));
                }
            }
            for (text, expected) in case.claims {
                let answer = judge(&claim(text), &events, &policy, Timestamp::MAX, known_at);
                let answer = serde_json::to_string(&answer).unwrap();
                if let Some(why) = check(&answer, expected) {
                    wrong.push(format!("{}, {text}: {why}", case.name));
                }
            }
        }
        assert!(wrong.is_empty(), "{} wrong\n{}", wrong.len(), wrong.join("\n\n"));
    }

    #[test]
    fn a_wrong_answer_is_found() {
        let answer = r#"{"a":[{"b":1},{"b":"x"}],"c":null}"#;
        for (expected, right) in [
            ("/a/0/b 1", true),
            ("/a/0/b 2", false),
            ("/a/*/b 1 x", true),
            ("/a/*/b 1", false),
            ("/a/*/d - -", true),
            ("/c null", true),
            ("/d null", false),
            ("/c null\n/a/1/b y", false),
        ] {
            assert_eq!(check(answer, expected).is_none(), right, "{expected}");
        }
    }
}
