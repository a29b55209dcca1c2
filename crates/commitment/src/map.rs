//! The account map: what a seal commits to of every account (docs/proofs.md, "The account map").
//!
//! A binary tree over keys of 256 bits, at its whole depth: bit 0, the highest of a key's first byte, chooses at the
//! root, and 0 is left.
//!
//! | | its hash |
//! |---|---|
//! | key of an account | `H(10, length of origin (4) ‖ origin ‖ name)` |
//! | leaf, at depth 256 | `H(11, key (32) ‖ blind (32) ‖ head (32) ‖ count (8))` |
//! | blind | BLAKE3 keyed with the account's secret, of a byte 4 ‖ count (8) ‖ head (32) |
//! | node with an account below it | BLAKE3 keyed with `stillthere.map.node.v1..........`, of left (32) ‖ right (32) |
//! | subtree without one | 32 zeros |
//!
//! An [`AccountMap`] holds the tree in memory and grows it; a [`MapProof`] shows of one account what the root says.

mod build;
mod climb;
mod dump;
mod key;
mod leaf;
mod proof;
#[cfg(test)]
mod tests;
mod tree;

pub use climb::Climb;
pub use key::MapKey;
pub use leaf::MapLeaf;
pub use proof::{MapProof, MapProofError};
pub use tree::AccountMap;

use crate::hash::Digest;

/// How deep the tree is.
const DEPTH: u16 = 256;
/// The hash of a subtree without an account. No hash of anything, as far as anybody can tell.
const EMPTY: Digest = [0; 32];
