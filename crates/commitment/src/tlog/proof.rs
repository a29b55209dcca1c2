//! Proofs in the log's tree: that a leaf is in it, and that it only grew (RFC 6962, section 2.1).
//!
//! A **node** `(level, index)` is the root over the 2^level leaves from `index << level` on. A proof is made
//! from nodes alone, and everything that is not a node is joined of some. A proof has one spelling: its
//! length follows from the numbers, so a hash too many or too few is refused before any is hashed.

use crate::hash::{Digest, hex};
use crate::tree::{empty_root, node as join, peaks};

/// The most leaves that a tree has: what a signed integer of 64 bits holds, as Go's readers count.
pub const MAX_TREE: u64 = i64::MAX as u64;

/// Why there is no such proof, or why it does not hold.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ProofError {
    /// A leaf is asked for that the tree does not have.
    #[error("leaf {index} is not in a tree of {size} leaves")]
    Outside {
        /// The leaf, from 0.
        index: u64,
        /// Leaves in the tree.
        size: u64,
    },
    /// A tree is asked to have grown into a smaller one.
    #[error("a tree of {old} leaves did not grow into one of {new}")]
    Shrunk {
        /// Leaves before.
        old: u64,
        /// Leaves after.
        new: u64,
    },
    /// More leaves than [`MAX_TREE`].
    #[error("a tree of {0} leaves, expected at most {MAX_TREE}")]
    TooLarge(u64),
    /// A hash too many or too few.
    #[error("a proof of {found} hashes, expected {expected}")]
    Length {
        /// What the numbers ask for.
        expected: usize,
        /// What was given.
        found: usize,
    },
    /// The hashes lead elsewhere.
    #[error("the proof leads to the root {} of {size} leaves, expected {}", hex(.found), hex(.expected))]
    Root {
        /// Leaves under that root.
        size: u64,
        /// The root that was given.
        expected: Digest,
        /// The root that the proof leads to.
        found: Digest,
    },
}

/// On which side of the way the next hash joins.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Side {
    Left,
    Right,
}

/// The way from a node up to the root: a step for each hash that joins, with its side, level and index.
/// A neighbour on the right may be no node, if the tree ends in it.
#[derive(Clone)]
struct Way {
    level: u8,
    index: u64,
    /// The last index on this level, whether a node or the tree's ragged end.
    last: u64,
}

impl Way {
    /// From the node `(level, index)` of a tree of `size` leaves, which has that node.
    const fn new(level: u8, index: u64, size: u64) -> Way {
        Way { level, index, last: (size - 1) >> level }
    }
}

impl Iterator for Way {
    type Item = (Side, u8, u64);

    fn next(&mut self) -> Option<Self::Item> {
        while self.last > 0 {
            let Way { level, index, last } = *self;
            *self = Way { level: level + 1, index: index / 2, last: last / 2 };
            if index % 2 == 1 {
                return Some((Side::Left, level, index - 1));
            }
            if index < last {
                return Some((Side::Right, level, index + 1));
            }
        }
        None
    }
}

fn in_bounds(size: u64) -> Result<(), ProofError> {
    if size > MAX_TREE { Err(ProofError::TooLarge(size)) } else { Ok(()) }
}

/// The root over leaves `from..to`, at least one.
fn range<E>(
    from: u64,
    to: u64,
    node: &mut impl FnMut(u8, u64) -> Result<Digest, E>,
) -> Result<Digest, E> {
    let peaks: Vec<_> = peaks(from, to).collect();
    let (last, larger) = peaks.split_last().expect("at least one leaf");
    let mut root = node(last.0, last.1)?;
    for (level, index) in larger.iter().rev() {
        root = join(&node(*level, *index)?, &root);
    }
    Ok(root)
}

/// The root of the tree of `size` leaves, joined of its nodes.
///
/// # Errors
/// More leaves than [`MAX_TREE`], and what `node` reports.
pub fn tree_root<E: From<ProofError>>(
    size: u64,
    mut node: impl FnMut(u8, u64) -> Result<Digest, E>,
) -> Result<Digest, E> {
    in_bounds(size)?;
    if size == 0 {
        return Ok(empty_root());
    }
    range(0, size, &mut node)
}

/// What joins on the way up, of a tree of `size` leaves.
fn along<E>(
    way: Way,
    size: u64,
    node: &mut impl FnMut(u8, u64) -> Result<Digest, E>,
    proof: &mut Vec<Digest>,
) -> Result<(), E> {
    for (side, level, index) in way {
        proof.push(match side {
            Side::Left => node(level, index)?,
            Side::Right => range(index << level, ((index + 1) << level).min(size), node)?,
        });
    }
    Ok(())
}

/// The inclusion proof (RFC 6962, 2.1.1) of leaf `index` in the tree of `size` leaves: at most 63 hashes,
/// from the leaf to the root. `node` answers with the hash of a node.
///
/// # Errors
/// A leaf that is not in the tree, a tree that is too large, and what `node` reports.
pub fn prove_inclusion<E: From<ProofError>>(
    index: u64,
    size: u64,
    mut node: impl FnMut(u8, u64) -> Result<Digest, E>,
) -> Result<Vec<Digest>, E> {
    in_bounds(size)?;
    if index >= size {
        return Err(ProofError::Outside { index, size }.into());
    }
    let mut proof = Vec::new();
    along(Way::new(0, index, size), size, &mut node, &mut proof)?;
    Ok(proof)
}

/// Checks that `leaf` is the hash of leaf `index` in the tree of `size` leaves with this root. The root
/// and the size have to come together from somewhere that is believed, such as a checkpoint: a proof does not
/// bind the size.
///
/// # Errors
/// Numbers that no tree has, a proof of another length, or one that leads to another root.
pub fn check_inclusion(
    leaf: &Digest,
    index: u64,
    size: u64,
    proof: &[Digest],
    root: &Digest,
) -> Result<(), ProofError> {
    in_bounds(size)?;
    if index >= size {
        return Err(ProofError::Outside { index, size });
    }
    let way = Way::new(0, index, size);
    has_length(way.clone().count(), proof)?;
    let found = way.zip(proof).fold(*leaf, |found, ((side, ..), hash)| match side {
        Side::Left => join(hash, &found),
        Side::Right => join(&found, hash),
    });
    is_root(size, root, found)
}

/// Where the consistency proof of two different sizes begins: at the smallest of the old tree's peaks.
/// If that is the whole old tree, its hash is the old root and is not in the proof.
const fn seam(old: u64, new: u64) -> (Way, bool) {
    let level = old.trailing_zeros() as u8;
    (Way::new(level, (old >> level) - 1, new), old.is_power_of_two())
}

/// The consistency proof (RFC 6962, 2.1.2) between the tree of `old` leaves and that of `new`: at most 64
/// hashes, and none where `old` is 0 or `new`. `node` answers with the hash of a node.
///
/// # Errors
/// An old tree that is larger, a tree that is too large, and what `node` reports.
pub fn prove_consistency<E: From<ProofError>>(
    old: u64,
    new: u64,
    mut node: impl FnMut(u8, u64) -> Result<Digest, E>,
) -> Result<Vec<Digest>, E> {
    in_bounds(new)?;
    if old > new {
        return Err(ProofError::Shrunk { old, new }.into());
    }
    let mut proof = Vec::new();
    if old == 0 || old == new {
        return Ok(proof);
    }
    let (way, is_whole) = seam(old, new);
    if !is_whole {
        proof.push(node(way.level, way.index)?);
    }
    along(way, new, &mut node, &mut proof)?;
    Ok(proof)
}

/// Checks that the tree of `old` leaves with the root `old_root` is the beginning of the one of `new`
/// leaves with the root `new_root`. Every tree begins with that of no leaves, whose root is the hash of
/// nothing; RFC 6962 leaves that case open, C2SP's tlog-witness has it so.
///
/// # Errors
/// Numbers that no trees have, a proof of another length, or one that leads to another root.
pub fn check_consistency(
    old: u64,
    old_root: &Digest,
    new: u64,
    new_root: &Digest,
    proof: &[Digest],
) -> Result<(), ProofError> {
    in_bounds(new)?;
    if old > new {
        return Err(ProofError::Shrunk { old, new });
    }
    if old == 0 || old == new {
        has_length(0, proof)?;
        let known = if old == 0 { empty_root() } else { *new_root };
        is_root(old, old_root, known)?;
        return if new == 0 { is_root(0, new_root, known) } else { Ok(()) };
    }
    let (way, is_whole) = seam(old, new);
    has_length(way.clone().count() + usize::from(!is_whole), proof)?;
    let (start, rest) = if is_whole { (old_root, proof) } else { (&proof[0], &proof[1..]) };
    let mut found = (*start, *start);
    for ((side, ..), hash) in way.zip(rest) {
        found = match side {
            Side::Left => (join(hash, &found.0), join(hash, &found.1)),
            Side::Right => (found.0, join(&found.1, hash)),
        };
    }
    is_root(old, old_root, found.0)?;
    is_root(new, new_root, found.1)
}

const fn has_length(expected: usize, proof: &[Digest]) -> Result<(), ProofError> {
    let found = proof.len();
    if found == expected { Ok(()) } else { Err(ProofError::Length { expected, found }) }
}

fn is_root(size: u64, expected: &Digest, found: Digest) -> Result<(), ProofError> {
    if *expected == found {
        return Ok(());
    }
    Err(ProofError::Root { size, expected: *expected, found })
}
