//! Whether all contenders give the same answers: a line for every account, field by field, or one of a work.

use std::collections::BTreeMap;
use std::path::Path;

use event::Timestamp;
use serde_json::{Value, json};

use crate::failure::Failure;

type Lines = BTreeMap<String, Value>;

/// What came of comparing each peer's lines with ours.
#[derive(Debug, Default)]
pub struct Answers {
    ours: Option<Lines>,
    /// Of each peer the first difference, if there is one.
    compared: BTreeMap<String, Option<String>>,
}

impl Answers {
    /// Keeps the lines of ours, the first time.
    pub fn ours(&mut self, file: &Path) -> Result<(), Failure> {
        if self.ours.is_none() {
            self.ours = Some(read(file)?);
        }
        Ok(())
    }

    /// Holds a peer's lines, the first time, against ours.
    pub fn theirs(&mut self, name: &str, file: &Path) -> Result<(), Failure> {
        if let Some(ours) = &self.ours
            && !self.compared.contains_key(name)
        {
            self.compared.insert(name.to_owned(), difference(ours, &read(file)?));
        }
        Ok(())
    }

    /// Holds a peer's one answer against ours.
    pub fn one(&mut self, name: &str, ours: &str, theirs: &str) {
        let difference = (ours != theirs).then(|| format!("ours is {ours} and theirs {theirs}"));
        self.compared.insert(name.to_owned(), difference);
    }

    pub fn differ(&self) -> bool {
        self.compared.values().any(Option::is_some)
    }

    /// Who gave the same answers, and who did not.
    pub fn compared(&self) -> &BTreeMap<String, Option<String>> {
        &self.compared
    }

    pub fn json(&self) -> Value {
        let (equal, other): (Vec<_>, Vec<_>) =
            self.compared.iter().partition(|(_, difference)| difference.is_none());
        let names = |side: Vec<(&String, &Option<String>)>| -> Vec<String> {
            side.into_iter().map(|(name, _)| name.clone()).collect()
        };
        let differences: Vec<&String> = self.compared.values().flatten().collect();
        json!({
            "accounts": self.ours.as_ref().map(BTreeMap::len),
            "equal": names(equal), "other": names(other), "differences": differences,
        })
    }
}

/// The lines of a file by account, times as milliseconds.
fn read(file: &Path) -> Result<Lines, Failure> {
    let text = std::fs::read_to_string(file).map_err(|e| Failure::file(file, "read it", &e))?;
    let line = |line: &str| {
        let mut line: Value = serde_json::from_str(line)
            .map_err(|e| Failure::Usage(format!("{}: {e}: {line}", file.display())))?;
        for time in ["last_activity_at", "inactive_at"] {
            let at = line[time].as_str().and_then(|text| Timestamp::parse(text).ok());
            if let Some(at) = at {
                line[time] = json!(at.ms());
            }
        }
        let account = line["account"].as_str().unwrap_or_default().to_owned();
        Ok((account, line))
    };
    text.lines().map(line).collect()
}

/// The first account whose lines differ, and in which fields.
fn difference(ours: &Lines, theirs: &Lines) -> Option<String> {
    let accounts = ours.keys().chain(theirs.keys());
    accounts.into_iter().find_map(|account| {
        let (a, b) = match (ours.get(account), theirs.get(account)) {
            (Some(a), Some(b)) if a == b => return None,
            (Some(a), Some(b)) => (a, b),
            (Some(_), None) => return Some(format!("{account}: missing")),
            _ => return Some(format!("{account}: not an account")),
        };
        let fields = a.as_object().into_iter().flatten();
        let other: Vec<String> = fields
            .filter(|(field, value)| b.get(field) != Some(value))
            .map(|(field, value)| format!("{field} is {value} and theirs {}", b[field]))
            .collect();
        match other.is_empty() {
            true => Some(format!("{account}: has other fields")),
            false => Some(format!("{account}: {}", other.join(", "))),
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_difference_is_named() {
        let lines = |live: u64| {
            let line = json!({ "account": "a", "live": live });
            Lines::from([("a".to_owned(), line)])
        };
        assert_eq!(difference(&lines(1), &lines(1)), None);
        let said = difference(&lines(1), &lines(2));
        assert_eq!(said.as_deref(), Some("a: live is 1 and theirs 2"));
        assert_eq!(difference(&lines(1), &Lines::new()).as_deref(), Some("a: missing"));
        assert_eq!(difference(&Lines::new(), &lines(1)).as_deref(), Some("a: not an account"));
    }
}
