//! Single values of a line, read strictly.

use std::borrow::Cow;
use std::fmt::Display;

use crate::json::Json;
use crate::limits::check_text;
use crate::line_error::quoted;
use crate::{Kind, LineError, Timestamp};

/// Where a value stands, for errors: what goes before its name, and its name.
pub(crate) type Place<'n> = (&'static str, &'n str);

/// `reason` about the value there.
pub(crate) fn error((prefix, name): Place<'_>, reason: impl Into<String>) -> LineError {
    LineError::new(&format!("{prefix}{name}"), reason)
}

/// `found` where `expected` should be.
pub(crate) fn not(expected: &str, place: Place<'_>, found: &Json<'_>) -> LineError {
    error(place, format!("must be {expected}, found {}", found.what()))
}

/// A string of 1 to `most` bytes.
pub(crate) fn text<'a>(
    place: Place<'_>,
    value: Json<'a>,
    most: usize,
) -> Result<Cow<'a, str>, LineError> {
    match value {
        Json::Text(text) if (1..=most).contains(&text.len()) => Ok(text),
        Json::Text(text) => Err(check_text(&format!("{}{}", place.0, place.1), &text, most)
            .expect_err("the length is out of range")),
        other => Err(not("a string", place, &other)),
    }
}

/// An instant.
pub(crate) fn time(place: Place<'_>, value: &Json<'_>) -> Result<Timestamp, LineError> {
    let Json::Text(text) = value else { return Err(not("a string", place, value)) };
    Timestamp::parse(text).map_err(|e| error(place, format!("{e}, found {}", quoted(text))))
}

/// A kind by its name.
pub(crate) fn kind(place: Place<'_>, name: &str) -> Result<Kind, LineError> {
    Kind::from_name(name).ok_or_else(|| {
        let kinds: Vec<&str> = Kind::ALL.iter().map(|kind| kind.name()).collect();
        let meant = crate::nearest_word(&kinds, name);
        let meant = meant.map_or_else(String::new, |kind| format!(": did you mean `{kind}`?"));
        error(place, format!("unknown kind {}{meant}", quoted(name)))
    })
}

/// One of a closed list of words.
pub(crate) fn word<W: Copy + Display>(
    place: Place<'_>,
    value: &Json<'_>,
    from_name: fn(&str) -> Option<W>,
    all: &[W],
) -> Result<W, LineError> {
    let Json::Text(text) = value else { return Err(not("a string", place, value)) };
    from_name(text).ok_or_else(|| {
        let words: Vec<String> = all.iter().map(W::to_string).collect();
        let reason = format!("must be one of {}, found {}", words.join(", "), quoted(text));
        error(place, reason)
    })
}
