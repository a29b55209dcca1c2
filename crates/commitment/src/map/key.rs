//! Where in the map an account is.

use crate::fault::at;
use crate::hash::{Domain, hash, hash_pairs};

/// The place of an account in the map of a log: everyone who knows the log's origin and the account's name
/// knows it, so no name can have two.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct MapKey(pub(super) [u8; 32]);

impl MapKey {
    /// Of the account `name` in the log of this origin.
    ///
    /// # Panics
    /// From 2^32 bytes on.
    #[must_use]
    pub fn of(origin: &str, name: &str) -> MapKey {
        let len = u32::try_from(origin.len()).expect("under 2^32 bytes").to_le_bytes();
        MapKey(hash(Domain::MapKey, &[&len, origin.as_bytes(), name.as_bytes()]))
    }

    /// [`MapKey::of`] of each name, side by side.
    ///
    /// # Panics
    /// As there.
    pub fn of_all<'a>(origin: &str, names: impl Iterator<Item = &'a str>) -> Vec<MapKey> {
        let len = u32::try_from(origin.len()).expect("under 2^32 bytes").to_le_bytes();
        let log = [&len, origin.as_bytes()].concat();
        let pairs: Vec<_> = names.map(|name| [&log[..], name.as_bytes()]).collect();
        hash_pairs(Domain::MapKey, &pairs).into_iter().map(MapKey).collect()
    }

    /// Its 32 bytes. They can be tested by guessing names: whoever may not know the name may not see them.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// From bytes that [`MapKey::as_bytes`] gave.
    #[must_use]
    pub const fn from_bytes(bytes: [u8; 32]) -> MapKey {
        MapKey(bytes)
    }

    /// Where the way goes on from a node at `depth`, under 256: 0 is left.
    pub(super) fn bit(&self, depth: u16) -> usize {
        usize::from(self.0[usize::from(depth / 8)] >> (7 - depth % 8) & 1)
    }

    /// Its first 64 bits, in the order of keys.
    pub(super) fn first_word(&self) -> u64 {
        u64::from_be_bytes(at(&self.0, 0))
    }

    /// How many bits it begins with that `other` begins with too: 256 if they are the same.
    pub(super) fn shared(&self, other: &MapKey) -> u16 {
        for n in 0..4u16 {
            let word = |key: &MapKey| u64::from_be_bytes(at(&key.0, usize::from(n) * 8));
            let differ = word(self) ^ word(other);
            if differ != 0 {
                return n * 64 + differ.leading_zeros() as u16;
            }
        }
        256
    }
}
