//! Keys of signed notes (C2SP signed-note), as text and as what signs and verifies.
//!
//! | key | text |
//! |---|---|
//! | verifier | `<name>+<id>+<base64(algorithm ‖ 32-byte public key)>` |
//! | signer, secret | `PRIVATE+KEY+<name>+<id>+<base64(algorithm ‖ 32-byte seed)>` |
//!
//! The id is 8 lowercase hexadecimal digits: the first 4 bytes of SHA-256(name ‖ newline ‖ algorithm ‖
//! public key), in the signer's text too. It tells keys apart and proves nothing; the signature does.

use std::fmt;

use ed25519_dalek::{Signature, Signer, SigningKey, VerifyingKey};
use sha2::{Digest as _, Sha256};
use zeroize::Zeroizing;

use crate::tlog::spelling::{base64_array, to_base64};

const SECRET: &str = "PRIVATE+KEY+";

/// What is signed, and by what. The number is the first byte of a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum Algorithm {
    /// Ed25519 over the note's text: how a log signs.
    Ed25519 = 1,
    /// Ed25519 over the note's text and a time, C2SP tlog-cosignature: how a witness signs.
    Cosignature = 4,
}

impl Algorithm {
    fn of(byte: u8) -> Result<Algorithm, KeyError> {
        [Algorithm::Ed25519, Algorithm::Cosignature]
            .into_iter()
            .find(|algorithm| *algorithm as u8 == byte)
            .ok_or(KeyError::Algorithm(byte))
    }
}

/// Why a text or bytes are no key. No variant carries what was read of a secret.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum KeyError {
    /// A name that is empty or has a plus, a space or a control character.
    #[error("not a key's name, expected text without spaces, plus and control characters")]
    Name,
    /// Not the parts of a key, or not as they are spelled.
    #[error("not a key, expected {0}")]
    Form(&'static str),
    /// An algorithm that is not one of [`Algorithm`].
    #[error("a key of algorithm {0}, expected 1 (Ed25519) or 4 (cosignature/v1)")]
    Algorithm(u8),
    /// The id is not that of the name and the public key.
    #[error("a key of the id {found:08x}, expected {expected:08x}")]
    Id {
        /// As computed.
        expected: u32,
        /// As read.
        found: u32,
    },
    /// 32 bytes that are no public key: no point, one spelled in another way, or one of small order,
    /// under which a signature says nothing.
    #[error("not a public key of Ed25519")]
    Point,
}

/// Whether a key can have this name.
pub(super) fn is_name(name: &str) -> bool {
    !name.is_empty() && !name.chars().any(|c| c.is_whitespace() || c == '+' || c < ' ')
}

fn id(name: &str, algorithm: Algorithm, public: &[u8; 32]) -> u32 {
    let hash = Sha256::new()
        .chain_update(name)
        .chain_update([b'\n', algorithm as u8])
        .chain_update(public)
        .finalize();
    u32::from_be_bytes([hash[0], hash[1], hash[2], hash[3]])
}

/// The parts of `<name>+<id>+<base64>`, and the last one's bytes.
fn parts(text: &str, form: &'static str) -> Result<(String, u32, Zeroizing<[u8; 33]>), KeyError> {
    let mut parts = text.splitn(3, '+');
    let (Some(name), Some(id), Some(key)) = (parts.next(), parts.next(), parts.next()) else {
        return Err(KeyError::Form(form));
    };
    let number = u32::from_str_radix(id, 16).ok().filter(|number| format!("{number:08x}") == id);
    let key = base64_array(key).map(Zeroizing::new);
    match (number, key) {
        (Some(number), Some(key)) => Ok((name.to_owned(), number, key)),
        _ => Err(KeyError::Form(form)),
    }
}

/// A key that verifies. Its `Display` is its text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VerifierKey {
    name: String,
    id: u32,
    algorithm: Algorithm,
    key: VerifyingKey,
}

impl VerifierKey {
    /// Of its parts.
    ///
    /// # Errors
    /// A name that no key can have, and bytes that are no public key.
    pub fn new(
        name: &str,
        algorithm: Algorithm,
        public: &[u8; 32],
    ) -> Result<VerifierKey, KeyError> {
        if !is_name(name) {
            return Err(KeyError::Name);
        }
        let key = VerifyingKey::from_bytes(public).map_err(|_| KeyError::Point)?;
        if key.is_weak() || key.to_edwards().compress().as_bytes() != public {
            return Err(KeyError::Point);
        }
        Ok(VerifierKey { name: name.to_owned(), id: id(name, algorithm, public), algorithm, key })
    }

    /// Of its text.
    ///
    /// # Errors
    /// Anything but the one spelling of a key, and an id that is not its own.
    pub fn parse(text: &str) -> Result<VerifierKey, KeyError> {
        let (name, found, key) = parts(text, "<name>+<id>+<base64 of 33 bytes>")?;
        let [algorithm, public @ ..] = &*key;
        let key = VerifierKey::new(&name, Algorithm::of(*algorithm)?, public)?;
        if key.id != found {
            return Err(KeyError::Id { expected: key.id, found });
        }
        Ok(key)
    }

    /// Whose key it is: a URL without a scheme, as a rule; for a log its origin.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The first 4 bytes of a hash over the name, the algorithm and the public key.
    #[must_use]
    pub const fn id(&self) -> u32 {
        self.id
    }

    /// What it verifies.
    #[must_use]
    pub const fn algorithm(&self) -> Algorithm {
        self.algorithm
    }

    /// The public key as in RFC 8032.
    #[must_use]
    pub fn public(&self) -> &[u8; 32] {
        self.key.as_bytes()
    }

    /// Whether this is a signature of these bytes, strictly: no point of small order, no second
    /// spelling of a number.
    pub(super) fn holds(&self, message: &[u8], signature: &[u8; 64]) -> bool {
        self.key.verify_strict(message, &Signature::from_bytes(signature)).is_ok()
    }
}

impl fmt::Display for VerifierKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut bytes = [self.algorithm as u8; 33];
        bytes[1..].copy_from_slice(self.public());
        write!(f, "{}+{:08x}+{}", self.name, self.id, to_base64(&bytes))
    }
}

/// A key that signs. It is wiped from memory when it is dropped, and its `Debug` shows no secret.
///
/// One seed must not serve two algorithms, nor two witnesses: what a cosignature signs does not
/// say who signed.
pub struct SignerKey {
    verifier: VerifierKey,
    key: SigningKey,
}

impl SignerKey {
    /// Of 32 random bytes, which the caller draws and wipes.
    ///
    /// # Errors
    /// A name that no key can have.
    pub fn new(name: &str, algorithm: Algorithm, seed: &[u8; 32]) -> Result<SignerKey, KeyError> {
        let key = SigningKey::from_bytes(seed);
        let verifier = VerifierKey::new(name, algorithm, key.verifying_key().as_bytes())?;
        Ok(SignerKey { verifier, key })
    }

    /// Of its text.
    ///
    /// # Errors
    /// Anything but the one spelling of a key, and an id that is not its own.
    pub fn parse(text: &str) -> Result<SignerKey, KeyError> {
        const FORM: &str = "PRIVATE+KEY+<name>+<id>+<base64 of 33 bytes>";
        let rest = text.strip_prefix(SECRET).ok_or(KeyError::Form(FORM))?;
        let (name, found, key) = parts(rest, FORM)?;
        let [algorithm, seed @ ..] = &*key;
        let key = SignerKey::new(&name, Algorithm::of(*algorithm)?, seed)?;
        let expected = key.verifier.id;
        if expected != found {
            return Err(KeyError::Id { expected, found });
        }
        Ok(key)
    }

    /// Its text, the secret included: wiped from memory when it is dropped, and to be kept where only
    /// the signer reads. Unlike the key's own, the text's `Debug` shows it.
    #[must_use]
    pub fn encode(&self) -> Zeroizing<String> {
        let mut bytes = Zeroizing::new([self.verifier.algorithm as u8; 33]);
        bytes[1..].copy_from_slice(self.key.as_bytes());
        let secret = Zeroizing::new(to_base64(&*bytes));
        let VerifierKey { name, id, .. } = &self.verifier;
        // Of its full length at once, or growing would leave copies behind.
        let mut text = Zeroizing::new(String::with_capacity(name.len() + 80));
        for part in [SECRET, name, "+", &format!("{id:08x}"), "+", &secret] {
            text.push_str(part);
        }
        text
    }

    /// The key that verifies what this one signs.
    #[must_use]
    pub const fn verifier(&self) -> &VerifierKey {
        &self.verifier
    }

    pub(super) fn sign(&self, message: &[u8]) -> [u8; 64] {
        self.key.sign(message).to_bytes()
    }
}

impl fmt::Debug for SignerKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SignerKey({}, secret)", self.verifier)
    }
}
