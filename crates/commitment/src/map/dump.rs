//! A map as bytes, for whoever keeps one between two seals. Nothing is hashed anew when it is loaded.
//!
//! | offset | bytes | |
//! |---|---|---|
//! | 0 | 8 | `STILLMAP` |
//! | 8 | 4 | format version, 2 |
//! | 12 | 4 | how many accounts |
//! | 16 | 96 each | accounts in the rising order of their keys: key (32) ‖ leaf's hash (32) ‖ its hash where it begins to be alone (32) |
//! | | 32 each | between each two neighbours, the hash of the branch that parts them, right below the branch above that one |
//!
//! Integers are little-endian. Which branch is above which follows from the keys, and so a dump of equal maps has equal
//! bytes.
//!
//! Accounts can be taken out of a dump in place ([`AccountMap::without`]). Then zeros stand behind the others of their group, which are
//! those whose keys begin with the same bits: as many bits that 512 to 1023 accounts are to be expected of each. So do they for the
//! hashes of its branches and of where its leaves begin to be alone, which are made anew when it is loaded, with those above
//! them. Where in its group an account was, and so more of its key, is not to be seen.

use super::tree::{AccountMap, Leaf};
use super::{Climb, DEPTH, EMPTY, MapKey};
use crate::fault::{Fault, at, same, same_bytes};

const MAGIC: &[u8; 8] = b"STILLMAP";
const FORMAT: u32 = 2;
const HEADER: usize = 16;
const LEAF: usize = 96;
const TOP: usize = 32;
/// The accounts of a group, at least.
const GROUP: u64 = 512;

impl AccountMap {
    /// As bytes: 128 an account. They are not checksummed, and they name accounts to those who can guess names.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(AccountMap::length(self.len()) as usize);
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
        same(HEADER, "a map's length of", AccountMap::length(count), bytes.len() as u64)?;
        let (accounts, tops) = rest.split_at(count * LEAF);
        let tops = tops.as_chunks::<TOP>().0;
        let mut leaves: Vec<Leaf> = Vec::with_capacity(count);
        // Of each branch its top, where it is still right; whose ways are hashed anew.
        let (mut branches, mut anew) = (Vec::with_capacity(tops.len()), Vec::new());
        let mut is_taken = false;
        for (n, bytes) in accounts.as_chunks::<LEAF>().0.iter().enumerate() {
            if *bytes == [0; LEAF] {
                is_taken = true;
                continue;
            }
            let offset = HEADER + n * LEAF;
            let key = MapKey(at(bytes, 0));
            let leaf = Leaf { key, hash: at(bytes, 32), top: at(bytes, 64) };
            some(offset + 32, &leaf.hash)?;
            let mut is_beside = is_taken && leaves.is_empty();
            if let Some(last) = leaves.last().map(|last| last.key) {
                if last >= key {
                    let found = crate::hex(&key.0);
                    return Err(Fault::new(offset, "a key above the one before", found));
                }
                let top = Some(tops[n - 1]).filter(|top| !is_taken && *top != EMPTY);
                if top.is_none() {
                    anew.push(last);
                    is_beside = true;
                }
                branches.push(top);
            }
            if is_beside || leaf.top == EMPTY {
                anew.push(key);
            }
            is_taken = false;
            leaves.push(leaf);
        }
        anew.extend(leaves.last().filter(|_| is_taken).map(|last| last.key));
        let mut map = AccountMap::of_sorted(leaves);
        for (branch, top) in map.branches.iter_mut().zip(branches) {
            branch.top = top.unwrap_or(EMPTY);
        }
        for key in &anew {
            map.descend(key, DEPTH);
        }
        if !anew.is_empty() {
            map.rehash(&mut Climb::run);
        }
        Ok(map)
    }

    /// The length in bytes of a dump of a map of so many accounts.
    #[must_use]
    pub const fn length(count: usize) -> u64 {
        let (count, between) = (count as u64, count.saturating_sub(1) as u64);
        HEADER as u64 + count * LEAF as u64 + between * TOP as u64
    }

    /// What is to be written where over a dump, so that an account is in it no more; nothing if it is not. `read` reads bytes of the
    /// dump from an offset on. That is a group, and a read for each binary digit of the map's size.
    ///
    /// # Errors
    /// That of `read`.
    pub fn without<E>(
        key: &MapKey,
        mut read: impl FnMut(u64, &mut [u8]) -> Result<(), E>,
    ) -> Result<Vec<(u64, Vec<u8>)>, E> {
        let mut count = [0; 4];
        read(12, &mut count)?;
        let count = u64::from(u32::from_le_bytes(count));
        let bits = (count / GROUP).checked_ilog2().unwrap_or(0);
        let group = |key: &MapKey| key.first_word().checked_shr(u64::BITS - bits).unwrap_or(0);
        let offset = |n: u64| HEADER as u64 + n * LEAF as u64;
        // The slot behind the last account up to which something is so.
        let mut behind = |is_so: &dyn Fn(&MapKey) -> bool| {
            let (mut low, mut high) = (0, count);
            while low < high {
                let middle = u64::midpoint(low, high);
                let (mut slot, mut bytes) = (middle, [0; LEAF]);
                read(offset(slot), &mut bytes)?;
                while bytes == [0; LEAF] && slot + 1 < high {
                    slot += 1;
                    read(offset(slot), &mut bytes)?;
                }
                match bytes != [0; LEAF] && is_so(&MapKey(at(&bytes, 0))) {
                    true => low = slot + 1,
                    false => high = middle,
                }
            }
            Ok(low)
        };
        let own = group(key);
        let (from, to) = (behind(&|key| group(key) < own)?, behind(&|key| group(key) <= own)?);
        let mut leaves = vec![0; (to - from) as usize * LEAF];
        read(offset(from), &mut leaves)?;
        // What was taken out of the group before it.
        let others = leaves.as_chunks::<LEAF>().0.iter().take_while(|leaf| **leaf == [0; LEAF]);
        let others = others.count();
        leaves.drain(..others * LEAF);
        let from = from + others as u64;
        let found = leaves.as_chunks::<LEAF>().0.iter().position(|leaf| leaf[..32] == key.0);
        let Some(found) = found.map(|n| n * LEAF) else { return Ok(Vec::new()) };
        leaves.drain(found..found + LEAF);
        leaves.as_chunks_mut::<LEAF>().0.iter_mut().for_each(|leaf| leaf[64..].fill(0));
        leaves.resize(leaves.len() + LEAF, 0);
        let tops = vec![0; (to - from - 1) as usize * TOP];
        Ok(vec![(offset(from), leaves), (offset(count) + from * TOP as u64, tops)])
    }
}

/// Refuses 32 zeros, which stand for what is not computed.
fn some(offset: usize, digest: &[u8; 32]) -> Result<(), Fault> {
    if *digest == EMPTY {
        return Err(Fault::new(offset, "a hash", "32 zeros"));
    }
    Ok(())
}
