//! What an auditor who has replayed a log signs: that to this size all of it is right.
//!
//! ```text
//! stillthere audit v1
//! <the log's origin>
//! <pages in its tree>
//! <the tree's root, 64 hexadecimal digits>
//! <events up to the seal>
//! <the account map's root, 64 hexadecimal digits>
//! ```
//!
//! Every line ends with a newline; numbers are decimal without zeros in front, digits of hashes in lower case. It is
//! the text of a signed note.

use std::fmt;

use commitment::{Checkpoint, Digest, MAX_TREE, Seal, hex, unhex};

const FIRST: &str = "stillthere audit v1";

/// To this size the log's chains, tags and account map are right.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attestation {
    /// The log.
    pub origin: String,
    /// Pages in its tree.
    pub pages: u64,
    /// The tree's root.
    pub root: Digest,
    /// Events up to the seal.
    pub events: u64,
    /// The account map's root.
    pub map: Digest,
}

/// A text that is no auditor's note.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("line {line}: expected {expected}")]
pub struct AttestationError {
    /// From 1.
    pub line: usize,
    /// What should stand there.
    pub expected: &'static str,
}

impl Attestation {
    /// What there is to sign of a checkpoint and the seal that its tree ends with.
    #[must_use]
    pub fn of(checkpoint: &Checkpoint, seal: &Seal) -> Attestation {
        let Checkpoint { origin, size, root, .. } = checkpoint.clone();
        Attestation { origin, pages: size, root, events: seal.size, map: seal.root }
    }

    /// Of a note's text.
    ///
    /// # Errors
    /// The first line that does not belong there.
    pub fn parse(text: &str) -> Result<Attestation, AttestationError> {
        let mut lines = Lines { rest: text.split('\n'), line: 0 };
        let first = lines.next("`stillthere audit v1`")?;
        lines.holds(first == FIRST, "`stillthere audit v1`")?;
        let origin = lines.next("the log's origin")?.to_owned();
        lines.holds(!origin.is_empty(), "the log's origin")?;
        let pages = lines.number("a number of pages")?;
        let root = lines.digest("the tree's root in hexadecimal")?;
        let events = lines.number("a number of events")?;
        let map = lines.digest("the account map's root in hexadecimal")?;
        let expected = "a newline, and nothing behind it";
        let is_empty = lines.next(expected)?.is_empty();
        let is_last = lines.rest.next().is_none();
        lines.holds(is_empty && is_last, expected)?;
        Ok(Attestation { origin, pages, root, events, map })
    }
}

/// The lines of a text, and where they are.
struct Lines<'a> {
    rest: std::str::Split<'a, char>,
    line: usize,
}

impl<'a> Lines<'a> {
    fn next(&mut self, expected: &'static str) -> Result<&'a str, AttestationError> {
        self.line += 1;
        self.rest.next().ok_or(AttestationError { line: self.line, expected })
    }

    fn holds(&self, is: bool, expected: &'static str) -> Result<(), AttestationError> {
        if is { Ok(()) } else { Err(AttestationError { line: self.line, expected }) }
    }

    fn number(&mut self, expected: &'static str) -> Result<u64, AttestationError> {
        let text = self.next(expected)?;
        let number: u64 = text.parse().unwrap_or_default();
        self.holds(number.to_string() == text && number <= MAX_TREE, expected)?;
        Ok(number)
    }

    fn digest(&mut self, expected: &'static str) -> Result<Digest, AttestationError> {
        let text = self.next(expected)?;
        let digest: Option<Digest> = unhex(text).and_then(|bytes| bytes.try_into().ok());
        let digest = digest.filter(|digest| hex(digest) == text);
        digest.ok_or(AttestationError { line: self.line, expected })
    }
}

impl fmt::Display for Attestation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Attestation { origin, pages, root, events, map } = self;
        let (root, map) = (hex(root), hex(map));
        writeln!(f, "{FIRST}\n{origin}\n{pages}\n{root}\n{events}\n{map}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_is_decimal_and_under_two_to_the_63() {
        let root = "00".repeat(32);
        let read = |pages: &str, events: &str| {
            let text = format!("{FIRST}\na log\n{pages}\n{root}\n{events}\n{root}\n");
            let read = Attestation::parse(&text);
            if let Ok(read) = &read {
                assert_eq!(read.to_string(), text);
            }
            read.map(|read| (read.pages, read.events)).map_err(|error| error.line)
        };
        assert_eq!(read("0", "0"), Ok((0, 0)));
        assert_eq!(read("9223372036854775807", "9"), Ok(((1 << 63) - 1, 9)));
        assert_eq!(read("9", "9223372036854775807"), Ok((9, (1 << 63) - 1)));
        assert_eq!(read("9223372036854775808", "9"), Err(3));
        assert_eq!(read("9", "9223372036854775808"), Err(5));
        for bad in ["", "07", "+7", "7 ", "-1", "18446744073709551615", "18446744073709551616"] {
            assert_eq!(read(bad, "9"), Err(3), "{bad:?}");
            assert_eq!(read("9", bad), Err(5), "{bad:?}");
        }
    }
}
