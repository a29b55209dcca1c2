//! What the map says of an account, and what hides it.

use super::MapKey;
use crate::hash::{Digest, Domain, KeyedDomain, hash, hash_pairs, keyed_whole};

/// What the map says of one account: where its chain ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MapLeaf {
    /// The head of its chain (docs/format.md, section 7).
    pub head: Digest,
    /// How many events the chain has, under 2^62.
    pub count: u64,
    /// What keeps the leaf's hash from being confirmed by guessing: another one for each head and count, so
    /// that one that was shown says nothing of what comes after.
    pub blind: [u8; 32],
}

/// As many leaves are hashed at once: that bounds the memory they take.
const LEAVES: usize = 1 << 12;

impl MapLeaf {
    /// Of the account with this secret.
    #[must_use]
    pub fn of(secret: &[u8; 32], head: &Digest, count: u64) -> MapLeaf {
        let mut text = [0; 40];
        text[..8].copy_from_slice(&count.to_le_bytes());
        text[8..].copy_from_slice(head);
        MapLeaf { head: *head, count, blind: keyed_whole(secret, KeyedDomain::MapBlind, &text) }
    }

    /// Its hash at the account's place.
    #[must_use]
    pub fn hash(&self, key: &MapKey) -> Digest {
        hash(Domain::MapLeaf, &[&key.0, &self.blind, &self.head, &self.count.to_le_bytes()])
    }

    /// The hash of each at its place, side by side, as [`AccountMap::apply`](super::AccountMap::apply) takes them.
    pub fn hashes(
        mut leaves: impl Iterator<Item = (MapKey, MapLeaf)>,
    ) -> Vec<(MapKey, Option<Digest>)> {
        let mut all = Vec::with_capacity(leaves.size_hint().1.unwrap_or_default());
        loop {
            let some: Vec<_> = leaves.by_ref().take(LEAVES).collect();
            if some.is_empty() {
                return all;
            }
            let hashes = MapLeaf::hash_all(&some);
            all.extend(some.iter().zip(hashes).map(|((key, _), hash)| (*key, Some(hash))));
        }
    }

    pub(super) fn hash_all(leaves: &[(MapKey, MapLeaf)]) -> Vec<Digest> {
        let texts: Vec<[u8; 72]> = leaves
            .iter()
            .map(|(_, leaf)| {
                let mut text = [0; 72];
                text[..32].copy_from_slice(&leaf.blind);
                text[32..64].copy_from_slice(&leaf.head);
                text[64..].copy_from_slice(&leaf.count.to_le_bytes());
                text
            })
            .collect();
        let pairs = leaves.iter().zip(&texts).map(|((key, _), text)| [&key.0[..], &text[..]]);
        hash_pairs(Domain::MapLeaf, &pairs.collect::<Vec<_>>())
    }
}
