//! What is wrong with a policy file, and where.

use std::fmt;

/// A policy file that cannot be taken: the first thing wrong with it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{place}: {reason}")]
pub struct PolicyError {
    /// Where.
    pub place: Place,
    /// What was expected and what was found.
    pub reason: String,
}

/// Something in a sound policy file that its author may not have meant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Remark {
    /// Where.
    pub place: Place,
    /// What it is.
    pub text: String,
}

/// A place in a policy file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// From 1.
    pub line: usize,
    /// In characters, from 1.
    pub column: usize,
    /// The key, with the tables around it: `version[0].trash.basis`. Empty for the file as a whole
    /// and where the file is not TOML.
    pub path: String,
}

impl fmt::Display for Remark {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.place, self.text)
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.line, self.column)?;
        if self.path.is_empty() { Ok(()) } else { write!(f, ": {}", self.path) }
    }
}

impl Place {
    /// The place of the byte at `offset` of `text`.
    pub(crate) fn of(text: &str, offset: usize, path: String) -> Place {
        let before = &text[..text.floor_char_boundary(offset)];
        let line_start = before.rfind('\n').map_or(0, |newline| newline + 1);
        Place {
            line: before.matches('\n').count() + 1,
            column: before[line_start..].chars().count() + 1,
            path,
        }
    }
}

/// Something wrong, at a byte of the text.
#[derive(Debug)]
pub(crate) struct Fault {
    pub offset: usize,
    pub path: String,
    pub reason: String,
}

impl Fault {
    pub(crate) fn locate(self, text: &str) -> PolicyError {
        PolicyError { place: Place::of(text, self.offset, self.path), reason: self.reason }
    }
}

/// `expected "a", "b" or "c"`; of a long list the word that is near to `found`, if one is.
pub(crate) fn expected_words(words: &[&str], found: &str) -> String {
    if words.len() > 6
        && let Some(suggestion) = suggested_word(words, found)
    {
        return suggestion;
    }
    let (last, others) = words.split_last().expect("a list of words has one");
    let others: Vec<String> = others.iter().map(|word| format!("{word:?}")).collect();
    if others.is_empty() {
        format!("expected {last:?}")
    } else {
        format!("expected {} or {last:?}", others.join(", "))
    }
}

/// `did you mean "a"?`, if a word is near to `found`.
pub(crate) fn suggested_word(words: &[&str], found: &str) -> Option<String> {
    event::nearest_word(words, found).map(|word| format!("did you mean {word:?}?"))
}
