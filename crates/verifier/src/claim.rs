//! A claim: what somebody asserts of an item, a backup, a category or an account's data as a whole
//! (docs/answers.md).

use event::json::{Json, Object};
use event::{LineError, Timestamp};

event::words! {
    /// What a claim asserts.
    Assert {
        Kept = 0 "kept",
        Recoverable = 1 "recoverable",
        Gone = 2 "gone",
        DeletedByUser = 3 "deleted_by_user",
        NotDeletedByUser = 4 "not_deleted_by_user",
        Expired = 5 "expired",
        PurgedOnTime = 6 "purged_on_time",
        LostAfterSyncOff = 7 "lost_after_sync_off",
        ClearedForInactivity = 8 "cleared_for_inactivity",
    }
}

/// What a claim is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ClaimSubject {
    /// One item, by its id.
    Item(String),
    /// One backup, by its id.
    Backup(String),
    /// Every item of a category.
    Category(String),
    /// The account's data as a whole.
    Account,
}

/// One claim.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Claim {
    /// The claimant's name for it, 1–128 bytes.
    pub claim: String,
    /// The account, 1–128 bytes.
    pub account: String,
    /// What it is about.
    pub subject: ClaimSubject,
    /// What it asserts.
    pub asserts: Assert,
    /// The instant that it speaks of, in place of the question's.
    pub as_of: Option<Timestamp>,
}

impl Claim {
    /// Reads a claim from a line of JSON.
    ///
    /// # Errors
    /// [`LineError`] with the field and the reason: a field that is unknown, missing, given twice,
    /// of the wrong type or size, an assert that is not known, more than one subject.
    pub fn read(line: &[u8]) -> Result<Claim, LineError> {
        let mut object = Object::read(line)?;
        let claim = needed(&mut object, "claim", 128)?;
        let account = needed(&mut object, "account", 128)?;
        let asserts = needed(&mut object, "asserts", 128)?;
        let asserts = Assert::from_name(&asserts).ok_or_else(|| {
            let known: Vec<&str> = Assert::ALL.iter().map(|a| a.name()).collect();
            let reason = format!("asserts nothing known; known are {}", known.join(", "));
            LineError::new("asserts", reason)
        })?;
        let item = text(&mut object, "item", 1024)?.map(ClaimSubject::Item);
        let backup = text(&mut object, "backup", 1024)?.map(ClaimSubject::Backup);
        let category = text(&mut object, "category", 128)?.map(ClaimSubject::Category);
        let as_of = match text(&mut object, "as_of", 128)? {
            None => None,
            Some(text) => {
                Some(Timestamp::parse(&text).map_err(|e| LineError::new("as_of", e.to_string()))?)
            }
        };
        if let Some(key) = object.keys().next() {
            return Err(LineError::new(key, "no field of a claim"));
        }
        let mut subjects = [("item", item), ("backup", backup), ("category", category)]
            .into_iter()
            .filter_map(|(field, subject)| Some((field, subject?)));
        let subject = subjects.next();
        if let (Some((first, _)), Some((second, _))) = (&subject, subjects.next()) {
            let reason = format!("a second subject beside `{first}`; a claim has one at most");
            return Err(LineError::new(second, reason));
        }
        let subject = subject.map_or(ClaimSubject::Account, |(_, subject)| subject);
        Ok(Claim { claim, account, subject, asserts, as_of })
    }
}

fn needed(object: &mut Object<'_>, field: &str, most_bytes: usize) -> Result<String, LineError> {
    text(object, field, most_bytes)?.ok_or_else(|| LineError::new(field, "missing"))
}

/// A string of 1 to `most_bytes` bytes; null is its absence.
fn text(
    object: &mut Object<'_>,
    field: &str,
    most_bytes: usize,
) -> Result<Option<String>, LineError> {
    match object.take(field) {
        None | Some(Json::Null) => Ok(None),
        Some(Json::Text(text)) if (1..=most_bytes).contains(&text.len()) => {
            Ok(Some(text.into_owned()))
        }
        Some(Json::Text(text)) => {
            let reason = format!("must be 1 to {most_bytes} bytes long, found {}", text.len());
            Err(LineError::new(field, reason))
        }
        Some(other) => {
            Err(LineError::new(field, format!("must be a string, found {}", other.what())))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(line: &str, expected: &str) {
        let got = match Claim::read(line.as_bytes()) {
            Ok(claim) => format!("{:?} {}", claim.subject, claim.asserts),
            Err(error) => error.to_string(),
        };
        assert!(got.starts_with(expected), "{line}\n  got {got}\n  not {expected}");
    }

    #[test]
    fn reads_strictly() {
        let with = |rest: &str| format!(r#"{{"claim":"c","account":"a","asserts":"kept"{rest}}}"#);
        check(&with(""), "Account kept");
        check(&with(r#","item":"i""#), r#"Item("i") kept"#);
        check(&with(r#","backup":"b","item":null"#), r#"Backup("b") kept"#);
        check(&with(r#","category":"photos""#), r#"Category("photos") kept"#);
        check(&with(r#","item":"i","backup":"b""#), "backup: a second subject beside `item`");
        check(&with(r#","item":"""#), "item: must be 1 to 1024 bytes");
        check(&with(r#","item":7"#), "item: must be a string, found a number");
        check(&with(r#","itme":"i""#), "itme: no field of a claim");
        check(&with(r#","claim":"d""#), "claim: given twice");
        check(&with(r#","as_of":"yesterday""#), "as_of: not an RFC 3339 time");
        check(r#"{"claim":"c","account":"a","asserts":"lost"}"#, "asserts: asserts nothing known");
        check(r#"{"claim":"c","account":"a"}"#, "asserts: missing");
        check(r#"{"claim":"c","asserts":"kept"}"#, "account: missing");
        check(r#"{"account":"a","asserts":"kept"}"#, "claim: missing");
        check("[]", "line: must be a JSON object");
        check("{", "json: ");
    }
}
