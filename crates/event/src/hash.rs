//! The hash of an event: the same in every store.
//!
//! BLAKE3 in its keyed mode over the [canonical bytes](crate::canonical), with the 32 ASCII bytes
//! `stillthere.event.canonical.v1...` as the key, which keeps the hash apart from every other use
//! of BLAKE3. `recorded_at` is not in it. Two events of one account with the same id are the same
//! event exactly when their hashes are equal; else they are in conflict (docs/events.md).
//!
//! It has no salt: who can guess an event can confirm the guess, so it goes into nothing that is
//! to hide events.

use std::fmt;
use std::str::FromStr;

use crate::{Event, canonical};

const KEY: &[u8; 32] = b"stillthere.event.canonical.v1...";

/// The hash of an event without its `recorded_at`. Prints as 64 lower-case hex digits.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct EventHash([u8; 32]);

impl EventHash {
    /// The hash of `event`.
    #[must_use]
    pub fn of<S: AsRef<str>>(event: &Event<S>) -> EventHash {
        let mut bytes = Vec::with_capacity(256);
        canonical::encode(event, &mut bytes);
        EventHash::of_canonical(&bytes)
    }

    /// The hash of the event that has these canonical bytes.
    #[must_use]
    pub fn of_canonical(bytes: &[u8]) -> EventHash {
        EventHash(*blake3::keyed_hash(KEY, bytes).as_bytes())
    }

    /// A hash that was kept.
    #[must_use]
    pub const fn from_bytes(bytes: [u8; 32]) -> EventHash {
        EventHash(bytes)
    }

    /// Its bytes.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

impl fmt::Display for EventHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&blake3::Hash::from_bytes(self.0).to_hex())
    }
}

impl fmt::Debug for EventHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "EventHash({self})")
    }
}

/// A text that is not 64 lower-case hex digits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a hash of 64 lower-case hex digits")]
pub struct ParseHashError;

impl FromStr for EventHash {
    type Err = ParseHashError;

    fn from_str(text: &str) -> Result<EventHash, ParseHashError> {
        if text.bytes().any(|b| b.is_ascii_uppercase()) {
            return Err(ParseHashError);
        }
        blake3::Hash::from_hex(text).map(|hash| EventHash(hash.into())).map_err(|_| ParseHashError)
    }
}

impl serde::Serialize for EventHash {
    fn serialize<S: serde::Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        s.collect_str(self)
    }
}
