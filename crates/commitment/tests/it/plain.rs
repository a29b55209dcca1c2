//! Trees and proofs by the definitions of RFC 6962, section 2.1, word by word: slow, and nothing shared
//! with the crate.

use sha2::{Digest as _, Sha256};
use stillthere_commitment::{Digest, ProofError};

/// Leaves that differ.
pub fn leaves(count: u64) -> Vec<Digest> {
    (0..count)
        .map(|n| Sha256::new().chain_update([0]).chain_update(n.to_be_bytes()).finalize().into())
        .collect()
}

fn above(left: &Digest, right: &Digest) -> Digest {
    Sha256::new().chain_update([1]).chain_update(left).chain_update(right).finalize().into()
}

/// Where a tree is parted: the largest power of two below its size.
fn half(leaves: &[Digest]) -> usize {
    leaves.len().next_power_of_two() / 2
}

/// MTH(D).
pub fn root(leaves: &[Digest]) -> Digest {
    match leaves {
        [] => Sha256::digest([]).into(),
        [leaf] => *leaf,
        _ => {
            let (left, right) = leaves.split_at(half(leaves));
            above(&root(left), &root(right))
        }
    }
}

/// PATH(m, D).
pub fn path(m: usize, leaves: &[Digest]) -> Vec<Digest> {
    if leaves.len() == 1 {
        return Vec::new();
    }
    let k = half(leaves);
    let (left, right) = leaves.split_at(k);
    let (mut found, other) =
        if m < k { (path(m, left), root(right)) } else { (path(m - k, right), root(left)) };
    found.push(other);
    found
}

/// PROOF(m, D).
pub fn proof(m: usize, leaves: &[Digest]) -> Vec<Digest> {
    subproof(m, leaves, true)
}

fn subproof(m: usize, leaves: &[Digest], is_known: bool) -> Vec<Digest> {
    if m == leaves.len() {
        return if is_known { Vec::new() } else { vec![root(leaves)] };
    }
    let k = half(leaves);
    let (left, right) = leaves.split_at(k);
    let (mut found, other) = if m <= k {
        (subproof(m, left, is_known), root(right))
    } else {
        (subproof(m - k, right, false), root(left))
    };
    found.push(other);
    found
}

/// The full subtrees over some leaves, as the crate asks for them.
pub struct Nodes(Vec<Vec<Digest>>);

impl Nodes {
    pub fn of(leaves: &[Digest]) -> Nodes {
        let mut levels = vec![leaves.to_vec()];
        while let Some(below) = levels.last().filter(|below| below.len() > 1) {
            levels.push(below.chunks_exact(2).map(|pair| above(&pair[0], &pair[1])).collect());
        }
        Nodes(levels)
    }

    pub fn get(&self, level: u8, index: u64) -> Digest {
        self.0[usize::from(level)][usize::try_from(index).unwrap()]
    }

    pub fn reader(&self) -> impl FnMut(u8, u64) -> Result<Digest, ProofError> {
        |level, index| Ok(self.get(level, index))
    }
}
