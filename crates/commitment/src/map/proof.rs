//! A proof of what the map says of one account. Its bytes:
//!
//! | offset | bytes | |
//! |---|---|---|
//! | 0 | 1 | 1 the account is there, 0 it is not |
//! | 1 | 2 | `L`, at most 256: the greatest depth at which something is beside the account's way; 0 if nothing is |
//! | 3 | ⌈L / 8⌉ | a bit for each depth from 1 to `L`, from the highest of the first byte on: whether something is beside the way there. The last is set; bits behind it are not |
//! | | 32 each | the hash of what is beside, for each bit that is set, in the same order; never 32 zeros |
//! | | 32 | of one that is there: blind |
//! | | 32 | its chain's head |
//! | | 8 | its count of events, under 2^62 |
//!
//! Integers are little-endian, and nothing comes behind. To check it, begin at depth 256 with the leaf's hash; or, if the
//! account is not there, at depth `L` with 32 zeros. Go up to depth 0 over what is beside; where nothing is, that is 32
//! zeros. What comes out is the root.

use super::{DEPTH, EMPTY, MapKey, MapLeaf};
use crate::fault::{Fault, at, number};
use crate::hash::{BLOCK, Digest, hex, map_nodes};

/// What a map's root says of one account: where its chain ends, or that it has none.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MapProof {
    /// What is beside the way, by its depth, which rises.
    siblings: Vec<(u16, Digest)>,
    leaf: Option<MapLeaf>,
}

/// Why a proof proves nothing.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum MapProofError {
    /// It belongs to another root, or to another account.
    #[error(
        "expected a proof of the account map's root {}, found one of {}",
        hex(expected),
        hex(found)
    )]
    Root {
        /// The root that it was held against.
        expected: Digest,
        /// The one that follows from it.
        found: Digest,
    },
}

/// Where a proof's depth is, and where its bits begin.
const LAST: usize = 1;
const BITS: usize = 3;
/// The length of what is shown of an account.
const SHOWN: usize = 72;

impl MapProof {
    pub(super) fn new(siblings: Vec<(u16, Digest)>, leaf: Option<MapLeaf>) -> MapProof {
        debug_assert!(siblings.is_sorted_by(|a, b| a.0 < b.0));
        MapProof { siblings, leaf }
    }

    /// Holds it against a root that is trusted; gives what that root says of the account at `key`: its leaf, or that
    /// it has none.
    ///
    /// # Errors
    /// If it is no proof of that.
    pub fn check(&self, key: &MapKey, root: &Digest) -> Result<Option<&MapLeaf>, MapProofError> {
        let found = self.root(key);
        if found != *root {
            return Err(MapProofError::Root { expected: *root, found });
        }
        Ok(self.leaf.as_ref())
    }

    /// The root that it is a proof of.
    fn root(&self, key: &MapKey) -> Digest {
        let mut siblings = self.siblings.iter().rev().peekable();
        let (mut digest, from) = match &self.leaf {
            Some(leaf) => (leaf.hash(key), DEPTH),
            None => (EMPTY, self.last()),
        };
        for depth in (1..=from).rev() {
            let beside = siblings.next_if(|(at, _)| *at == depth).map_or(&EMPTY, |(_, hash)| hash);
            let side = key.bit(depth - 1);
            let mut block = [0; BLOCK];
            block[32 * side..][..32].copy_from_slice(&digest);
            block[32 - 32 * side..][..32].copy_from_slice(beside);
            map_nodes(&[&block], &mut digest);
        }
        digest
    }

    /// The greatest depth at which something is beside the way.
    fn last(&self) -> u16 {
        self.siblings.last().map_or(0, |(depth, _)| *depth)
    }

    /// As bytes.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let last = self.last();
        let mut bytes = vec![u8::from(self.leaf.is_some())];
        bytes.extend_from_slice(&last.to_le_bytes());
        bytes.resize(BITS + usize::from(last).div_ceil(8), 0);
        for (depth, _) in &self.siblings {
            let bit = depth - 1;
            bytes[BITS + usize::from(bit / 8)] |= 0x80 >> (bit % 8);
        }
        for (_, hash) in &self.siblings {
            bytes.extend_from_slice(hash);
        }
        if let Some(MapLeaf { head, count, blind }) = &self.leaf {
            bytes.extend_from_slice(blind);
            bytes.extend_from_slice(head);
            bytes.extend_from_slice(&count.to_le_bytes());
        }
        bytes
    }

    /// From bytes. Each proof has one spelling.
    ///
    /// # Errors
    /// Bytes that no proof has there.
    pub fn decode(bytes: &[u8]) -> Result<MapProof, Fault> {
        let short = |len: usize| {
            Fault::new(bytes.len(), format!("a proof of {len} bytes"), format!("{}", bytes.len()))
        };
        if bytes.len() < BITS {
            return Err(short(BITS));
        }
        let is_there = match bytes[0] {
            0 => false,
            1 => true,
            other => return Err(Fault::new(0, "a proof's kind, 0 or 1", other.to_string())),
        };
        let last = u16::from_le_bytes(at(bytes, LAST));
        if last > DEPTH {
            return Err(Fault::new(LAST, format!("a depth of at most {DEPTH}"), last.to_string()));
        }
        let start = BITS + usize::from(last).div_ceil(8);
        let bits = bytes.get(BITS..start).ok_or_else(|| short(start))?;
        let is_set = |bit: u16| bits[usize::from(bit / 8)] & (0x80 >> (bit % 8)) != 0;
        if last > 0 && !is_set(last - 1) {
            return Err(Fault::new(start - 1, format!("the bit of depth {last}"), "none"));
        }
        let room = bits.len() as u16 * 8;
        if let Some(bit) = (last..room).find(|bit| is_set(*bit)) {
            return Err(Fault::new(
                start - 1,
                "no more bits",
                format!("that of depth {}", bit + 1),
            ));
        }
        let depths: Vec<u16> = (0..last).filter(|bit| is_set(*bit)).map(|bit| bit + 1).collect();
        let end = start + 32 * depths.len();
        let len = end + if is_there { SHOWN } else { 0 };
        if bytes.len() < len {
            return Err(short(len));
        }
        if bytes.len() > len {
            let found = format!("{} bytes more", bytes.len() - len);
            return Err(Fault::new(len, "the end of the proof", found));
        }
        let mut siblings = Vec::with_capacity(depths.len());
        for (n, depth) in depths.into_iter().enumerate() {
            let offset = start + 32 * n;
            let hash: Digest = at(bytes, offset);
            if hash == EMPTY {
                return Err(Fault::new(offset, "a hash", "32 zeros"));
            }
            siblings.push((depth, hash));
        }
        let leaf = is_there.then(|| {
            let count = number(bytes, end + 64)?;
            Ok(MapLeaf { blind: at(bytes, end), head: at(bytes, end + 32), count })
        });
        Ok(MapProof { siblings, leaf: leaf.transpose()? })
    }
}
