//! Signed notes (C2SP signed-note): a text, a blank line, and a line for each signature.
//!
//! ```text
//! the text, of one or more lines
//!
//! — <name> <base64(4-byte key id ‖ signature)>
//! — <name> <base64(4-byte key id ‖ signature)>
//! ```
//!
//! UTF-8 without control characters but newlines, which end every line, the last one too. The text ends before
//! the last blank line. The key id is big-endian. A signature of [`Algorithm::Ed25519`] is 64 bytes
//! over the text, its last newline included; one of [`Algorithm::Cosignature`] has the time in front.
//!
//! Until a known key has been found to have signed it, a text is the word of a stranger. Signatures by unknown
//! keys are carried along and count for nothing. One by a known key that does not hold, and a second one by a
//! known key, make the whole note void.

use std::fmt;

use crate::tlog::cosignature;
use crate::tlog::key::{Algorithm, SignerKey, VerifierKey, is_name};
use crate::tlog::spelling::{base64, to_base64};

/// The most bytes that a note has.
pub const MAX_NOTE: usize = 1 << 20;
/// The most signature lines that a note has.
pub const MAX_SIGNATURES: usize = 100;

const MARK: &str = "— ";

/// Why bytes are no note, or why it is not believed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NoteError {
    /// Longer than [`MAX_NOTE`].
    #[error("a note of {0} bytes, expected at most {MAX_NOTE}")]
    TooLong(usize),
    /// More signatures than [`MAX_SIGNATURES`].
    #[error("more than {MAX_SIGNATURES} signatures")]
    TooMany,
    /// A byte that no note has.
    #[error("at byte {offset}: expected text in UTF-8 without control characters")]
    Byte {
        /// From the note's start.
        offset: usize,
    },
    /// A line that does not belong there.
    #[error("line {line}: expected {expected}")]
    Line {
        /// From 1.
        line: usize,
        /// What should stand there.
        expected: &'static str,
    },
    /// Two signatures by a known key.
    #[error("two signatures by {name}+{id:08x}")]
    Repeated {
        /// The key's name.
        name: String,
        /// The key's id.
        id: u32,
    },
    /// A signature by a known key that does not hold.
    #[error("the signature by {name}+{id:08x} does not hold")]
    Refused {
        /// The key's name.
        name: String,
        /// The key's id.
        id: u32,
    },
    /// Two different known keys have the same name and id.
    #[error("two known keys are called {name}+{id:08x}")]
    Ambiguous {
        /// Their name.
        name: String,
        /// Their id.
        id: u32,
    },
    /// Nobody known signed it.
    #[error("no signature by a known key")]
    Unsigned,
    /// A witness's key is to sign a note as a log does.
    #[error("the key {name}+{id:08x} signs cosignatures alone")]
    Algorithm {
        /// The key's name.
        name: String,
        /// The key's id.
        id: u32,
    },
}

/// A signature line. Its `Display` is the line, without a newline.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SignatureLine {
    name: String,
    id: u32,
    bytes: Vec<u8>,
}

impl SignatureLine {
    pub(super) fn new(key: &SignerKey, bytes: Vec<u8>) -> SignatureLine {
        let key = key.verifier();
        SignatureLine { name: key.name().to_owned(), id: key.id(), bytes }
    }

    /// Of a line without its newline, as a witness answers with. `None` if it is none.
    #[must_use]
    pub fn parse(line: &str) -> Option<SignatureLine> {
        let (name, signature) = line.strip_prefix(MARK)?.split_once(' ')?;
        let signature = base64(signature)?;
        let (id, bytes) = signature.split_first_chunk::<4>()?;
        let (name, id, bytes) = (name.to_owned(), u32::from_be_bytes(*id), bytes.to_vec());
        (is_name(&name) && !bytes.is_empty()).then_some(SignatureLine { name, id, bytes })
    }

    /// Who is said to have signed.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The id of the key that is said to have signed.
    #[must_use]
    pub const fn id(&self) -> u32 {
        self.id
    }

    /// Whether this key is said to have signed.
    #[must_use]
    pub fn is_by(&self, key: &VerifierKey) -> bool {
        self.is_by_one_called(key.name(), key.id())
    }

    fn is_by_one_called(&self, name: &str, id: u32) -> bool {
        self.id == id && self.name == name
    }

    /// Whether it is a signature by that key over that text; the inner value is a cosignature's time.
    fn holds(&self, key: &VerifierKey, text: &str) -> Option<Option<u64>> {
        match key.algorithm() {
            Algorithm::Ed25519 => {
                let signature = self.bytes.as_slice().try_into().ok()?;
                key.holds(text.as_bytes(), signature).then_some(None)
            }
            Algorithm::Cosignature => cosignature::holds(key, text, &self.bytes).map(Some),
        }
    }
}

impl fmt::Display for SignatureLine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let bytes = [&self.id.to_be_bytes()[..], &self.bytes].concat();
        write!(f, "{MARK}{} {}", self.name, to_base64(&bytes))
    }
}

/// A text and signatures that nobody has verified yet. Its `Display` is the note.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Note {
    text: String,
    signatures: Vec<SignatureLine>,
}

/// A note that a known key signed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Opened<'a> {
    /// The text, its last newline included.
    pub text: &'a str,
    /// The known keys that signed it, at least one, in the note's order.
    pub signed: Vec<Signed>,
    /// The rest, which says nothing.
    pub unknown: Vec<&'a SignatureLine>,
}

/// A signature that holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Signed {
    /// By this key.
    pub key: VerifierKey,
    /// A witness's time, in seconds since the epoch.
    pub time_s: Option<u64>,
}

/// Refuses what no note can contain.
fn check_text(bytes: &[u8]) -> Result<&str, NoteError> {
    let text = str::from_utf8(bytes).map_err(|e| NoteError::Byte { offset: e.valid_up_to() })?;
    match bytes.iter().position(|byte| *byte < b' ' && *byte != b'\n') {
        Some(offset) => Err(NoteError::Byte { offset }),
        None => Ok(text),
    }
}

impl Note {
    /// A text, to be signed.
    ///
    /// # Errors
    /// A text that does not end with a newline, has a control character, or is too long.
    pub fn new(text: String) -> Result<Note, NoteError> {
        if text.len() > MAX_NOTE {
            return Err(NoteError::TooLong(text.len()));
        }
        check_text(text.as_bytes())?;
        if !text.ends_with('\n') {
            let expected = "a newline at its end";
            return Err(NoteError::Line { line: text.split('\n').count(), expected });
        }
        Ok(Note { text, signatures: Vec::new() })
    }

    /// Of its bytes. There is one spelling, so it is written again as it was read.
    ///
    /// # Errors
    /// Bytes that are no note: the first line or byte that does not belong there.
    pub fn parse(bytes: &[u8]) -> Result<Note, NoteError> {
        if bytes.len() > MAX_NOTE {
            return Err(NoteError::TooLong(bytes.len()));
        }
        let whole = check_text(bytes)?;
        let lines = |text: &str| text.split('\n').count();
        let line = |line, expected| NoteError::Line { line, expected };
        let Some(blank) = whole.as_bytes().windows(2).rposition(|pair| pair == b"\n\n") else {
            return Err(line(lines(whole), "a blank line before the signatures"));
        };
        let (text, rest) = (&whole[..=blank], &whole[blank + 2..]);
        let Some(rest) = rest.strip_suffix('\n') else {
            return Err(line(lines(whole), "signature lines, with a newline at their end"));
        };
        let mut signatures = Vec::new();
        for (number, text) in (lines(text) + 1..).zip(rest.split('\n')) {
            if signatures.len() == MAX_SIGNATURES {
                return Err(NoteError::TooMany);
            }
            let signature = SignatureLine::parse(text);
            let expected = "— <name> <base64 of a key id and a signature>";
            signatures.push(signature.ok_or_else(|| line(number, expected))?);
        }
        Ok(Note { text: text.to_owned(), signatures })
    }

    /// The text, which is the word of a stranger: for finding out whose keys to try.
    #[must_use]
    pub fn unverified_text(&self) -> &str {
        &self.text
    }

    /// The signature lines, of which nobody knows yet whether they hold.
    #[must_use]
    pub fn signatures(&self) -> &[SignatureLine] {
        &self.signatures
    }

    /// Signs the text as a log does.
    ///
    /// # Errors
    /// A witness's key, and too many signatures.
    pub fn sign(&mut self, key: &SignerKey) -> Result<(), NoteError> {
        if key.verifier().algorithm() != Algorithm::Ed25519 {
            let (name, id) = (key.verifier().name().to_owned(), key.verifier().id());
            return Err(NoteError::Algorithm { name, id });
        }
        self.add(SignatureLine::new(key, key.sign(self.text.as_bytes()).to_vec()))
    }

    /// Adds a signature line in place of those that are said to be by the same key.
    ///
    /// # Errors
    /// Too many signatures, or a note that they make too long.
    pub fn add(&mut self, signature: SignatureLine) -> Result<(), NoteError> {
        let mut signatures = self.signatures.clone();
        signatures.retain(|other| !other.is_by_one_called(&signature.name, signature.id));
        signatures.push(signature);
        if signatures.len() > MAX_SIGNATURES {
            return Err(NoteError::TooMany);
        }
        let note = Note { text: self.text.clone(), signatures };
        let len = note.to_string().len();
        if len > MAX_NOTE {
            return Err(NoteError::TooLong(len));
        }
        *self = note;
        Ok(())
    }

    /// The text and who signed it, if at least one of the known keys did.
    ///
    /// # Errors
    /// No signature by a known key, one that does not hold, two by the same, and known keys that
    /// cannot be told apart.
    pub fn open(&self, known: &[VerifierKey]) -> Result<Opened<'_>, NoteError> {
        let mut opened = Opened { text: &self.text, signed: Vec::new(), unknown: Vec::new() };
        for signature in &self.signatures {
            let (name, id) = (signature.name.clone(), signature.id);
            let mut keys = known.iter().filter(|key| signature.is_by(key));
            let Some(key) = keys.next() else {
                opened.unknown.push(signature);
                continue;
            };
            if keys.any(|other| other != key) {
                return Err(NoteError::Ambiguous { name, id });
            }
            if opened.signed.iter().any(|signed| signed.key == *key) {
                return Err(NoteError::Repeated { name, id });
            }
            let Some(time_s) = signature.holds(key, &self.text) else {
                return Err(NoteError::Refused { name, id });
            };
            opened.signed.push(Signed { key: key.clone(), time_s });
        }
        if opened.signed.is_empty() { Err(NoteError::Unsigned) } else { Ok(opened) }
    }
}

impl fmt::Display for Note {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}", self.text)?;
        self.signatures.iter().try_for_each(|signature| writeln!(f, "{signature}"))
    }
}
