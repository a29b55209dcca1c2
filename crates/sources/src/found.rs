//! What a decoder finds, and where.

use std::fmt;

use event::{Event, LineError};

/// Reads one file: a decoder a file.
pub trait Decode {
    /// Takes the next bytes of the file, however they are cut, and gives what they complete.
    ///
    /// # Errors
    /// [`Broken`]: nothing after this place can be read. What was found before it stands.
    fn feed(&mut self, bytes: &[u8], found: &mut dyn FnMut(Found<'_>)) -> Result<(), Broken>;

    /// The file has no more bytes.
    ///
    /// # Errors
    /// [`Broken`]: the file ends where it must not.
    fn end(&mut self, found: &mut dyn FnMut(Found<'_>)) -> Result<(), Broken>;
}

/// One thing in a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Found<'a> {
    /// What must stand before records of this file for them to be read again: the header of a CSV.
    Head(&'a [u8]),
    /// An event, and the record that it comes from; some records give several.
    Event {
        /// Where the record begins.
        place: Place,
        /// The record as it stands in the file.
        text: &'a [u8],
        /// The event, within its limits.
        event: Box<Event>,
    },
    /// A record, or one of the things that it tells of, that should be an event and is none.
    Rejected {
        /// Where the record begins.
        place: Place,
        /// The record as it stands in the file.
        text: &'a [u8],
        /// Why.
        error: LineError,
    },
    /// A row with a word that the map does not have.
    Unmapped {
        /// Where the row begins.
        place: Place,
        /// The row as it stands in the file.
        text: &'a [u8],
        /// The map's table that has no such word: `actions`, or a field's.
        table: &'a str,
        /// The column that holds it.
        column: &'a str,
        /// The word.
        word: &'a str,
    },
    /// Something that is no event of an account by the format's table, such as a download.
    Skipped {
        /// What the source calls it.
        what: &'a str,
    },
    /// A piece of a record that is longer than a line may be.
    LongPiece(&'a [u8]),
    /// The end of that record.
    LongEnd {
        /// Where it begins.
        place: Place,
        /// Its length.
        bytes: u64,
    },
}

/// Where a record begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Place {
    /// The line, from 1.
    pub line: u64,
    /// In JSON, where a line can hold everything: which record it is.
    pub record: Option<Record>,
}

/// A record among those of its file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Record {
    /// Its number, from 1.
    pub number: u64,
    /// The byte of the file at which it begins, from 0.
    pub byte: u64,
}

/// As it stands between `FILE:` and `: field: reason`.
impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.line)?;
        match self.record {
            Some(Record { number, byte }) => write!(f, ": record {number} at byte {byte}"),
            None => Ok(()),
        }
    }
}

/// Why a file cannot be read on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Broken {
    /// The line, from 1.
    pub line: u64,
    /// What was expected and what was found.
    pub reason: String,
}

impl fmt::Display for Broken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.line, self.reason)
    }
}

/// `text` in a reason: safe to print, cut after 80 characters.
pub(crate) fn quoted(text: &str) -> String {
    let mut out = String::from("`");
    for (n, c) in text.chars().enumerate() {
        if n == 80 {
            out.push('…');
            break;
        }
        match c {
            '\'' | '"' | '\\' => out.push(c),
            _ => out.extend(c.escape_debug()),
        }
    }
    out.push('`');
    out
}
