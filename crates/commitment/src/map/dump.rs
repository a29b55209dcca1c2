//! A map as bytes, for whoever keeps one between two seals. Nothing is hashed anew when it is loaded.
//!
//! | offset | bytes | |
//! |---|---|---|
//! | 0 | 8 | `STILLMAP` |
//! | 8 | 4 | format version, 1 |
//! | 12 | 4 | how many accounts |
//! | 16 | 96 each | accounts in the rising order of their keys: key (32) ‖ leaf's hash (32) ‖ its hash where it begins to be alone (32) |
//! | | 32 each | between each two neighbours, the hash of the branch that parts them, right below the branch above that one |
//!
//! Integers are little-endian. Which branch is above which follows from the keys, and so a dump of equal maps has equal
//! bytes.

use super::tree::{AccountMap, Leaf};
use super::{EMPTY, MapKey};
use crate::fault::{Fault, at, same, same_bytes};

const MAGIC: &[u8; 8] = b"STILLMAP";
const FORMAT: u32 = 1;
const HEADER: usize = 16;
const LEAF: usize = 96;
const TOP: usize = 32;

impl AccountMap {
    /// As bytes: 128 an account. They are not checksummed, and they name accounts to those who can guess names.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(length(self.len()));
        self.pieces(|piece| bytes.extend_from_slice(piece));
        bytes
    }

    /// The same, piece by piece: so nobody need have room for all of them.
    pub fn pieces(&self, mut piece: impl FnMut(&[u8])) {
        let (leaves, branches) = self.in_order();
        piece(MAGIC);
        piece(&FORMAT.to_le_bytes());
        piece(&(leaves.len() as u32).to_le_bytes());
        for leaf in leaves {
            piece(leaf.key.as_bytes());
            piece(&leaf.hash);
            piece(&leaf.top);
        }
        branches.into_iter().for_each(|branch| piece(&branch.top));
    }

    /// From bytes that [`AccountMap::to_bytes`] made. What they say of hashes is believed: whoever loads a map holds
    /// its root against the last seal's, and its bytes against a checksum.
    ///
    /// # Errors
    /// Bytes that no map has there.
    pub fn from_bytes(bytes: &[u8]) -> Result<AccountMap, Fault> {
        let Some((header, rest)) = bytes.split_at_checked(HEADER) else {
            let found = format!("{} bytes", bytes.len());
            return Err(Fault::new(0, format!("a map of at least {HEADER} bytes"), found));
        };
        same_bytes(0, "a map's first bytes", MAGIC, &header[..8])?;
        same(8, "a map's format version of", FORMAT, u32::from_le_bytes(at(header, 8)))?;
        let count = u32::from_le_bytes(at(header, 12));
        if count >> 31 != 0 {
            return Err(Fault::new(12, "a number of accounts under 2^31", count.to_string()));
        }
        let count = count as usize;
        same(HEADER, "a map's length of", length(count), bytes.len())?;
        let (accounts, tops) = rest.split_at(count * LEAF);
        let mut leaves: Vec<Leaf> = Vec::with_capacity(count);
        for (n, bytes) in accounts.as_chunks::<LEAF>().0.iter().enumerate() {
            let offset = HEADER + n * LEAF;
            let key = MapKey(at(bytes, 0));
            let leaf = Leaf { key, hash: at(bytes, 32), top: at(bytes, 64) };
            if leaves.last().is_some_and(|last| last.key >= key) {
                return Err(Fault::new(offset, "a key above the one before", crate::hex(&key.0)));
            }
            some(offset + 32, &leaf.hash)?;
            some(offset + 64, &leaf.top)?;
            leaves.push(leaf);
        }
        let mut map = AccountMap::of_sorted(leaves);
        for (n, (branch, top)) in map.branches.iter_mut().zip(tops.as_chunks::<TOP>().0).enumerate()
        {
            some(HEADER + count * LEAF + n * TOP, top)?;
            branch.top = *top;
        }
        Ok(map)
    }
}

/// The length of a dump in bytes.
const fn length(count: usize) -> usize {
    HEADER + count * LEAF + count.saturating_sub(1) * TOP
}

/// Refuses 32 zeros, which stand for what is not computed.
fn some(offset: usize, digest: &[u8; 32]) -> Result<(), Fault> {
    if *digest == EMPTY {
        return Err(Fault::new(offset, "a hash", "32 zeros"));
    }
    Ok(())
}
