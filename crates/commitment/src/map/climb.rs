//! Hashes a lone subtree up through levels at which nothing is beside it: nearly all the work of the map, and each
//! one's apart from all others, so that many are done side by side.

use super::tree::Node;
use super::{EMPTY, MapKey};
use crate::hash::{BLOCK, Digest, LANES, map_nodes};

/// A subtree whose hash is wanted higher up.
#[derive(Debug, Clone)]
pub struct Climb {
    /// Of any account in it.
    pub(super) key: MapKey,
    /// Its hash at depth `at`.
    pub(super) digest: Digest,
    pub(super) at: u16,
    /// Where its hash is wanted: not deeper than `at`.
    pub(super) to: u16,
    /// Whose it is.
    pub(super) node: Node,
}

/// A digest with an empty subtree on either side of it: the two ends are the blocks of its parents.
const LANE: usize = 3 * EMPTY.len();

impl Climb {
    /// Does the work of all of these; of parts of them on several threads as well.
    pub fn run(climbs: &mut [Climb]) {
        // Those that go equally far go together, the longest first: lanes fall idle from the end.
        let mut order: Vec<(u16, u32)> =
            climbs.iter().zip(0..).map(|(climb, n)| (climb.at - climb.to, n)).collect();
        order.sort_unstable_by(|a, b| b.cmp(a));
        for group in order.chunks(LANES) {
            run_group(climbs, group);
        }
    }
}

/// At most [`LANES`] of them, by how far each goes and where it is.
fn run_group(climbs: &mut [Climb], group: &[(u16, u32)]) {
    let mut lanes = [[0; LANE]; LANES];
    let mut keys = [MapKey(EMPTY); LANES];
    let mut from = [0; LANES];
    for (lane, (_, n)) in group.iter().enumerate() {
        let climb = &climbs[*n as usize];
        lanes[lane][32..64].copy_from_slice(&climb.digest);
        keys[lane] = climb.key;
        from[lane] = climb.at;
    }
    let mut hashed = [0; 32 * LANES];
    let mut busy = group.len();
    for step in 0..group[0].0 {
        while group[busy - 1].0 <= step {
            busy -= 1;
        }
        let blocks: [&[u8; BLOCK]; LANES] = std::array::from_fn(|lane| {
            // A right child has the empty subtree before it.
            let depth = from[lane].saturating_sub(step + 1);
            let [left, right] = [0, 1].map(|n| &lanes[lane][32 - 32 * n..][..BLOCK]);
            let block = if keys[lane].bit(depth) == 0 { left } else { right };
            block.try_into().expect("a lane has three halves")
        });
        map_nodes(&blocks[..busy], &mut hashed);
        for (lane, hash) in lanes[..busy].iter_mut().zip(hashed.as_chunks::<32>().0) {
            lane[32..64].copy_from_slice(hash);
        }
    }
    for (lane, (_, n)) in lanes.iter().zip(group) {
        let climb = &mut climbs[*n as usize];
        climb.digest.copy_from_slice(&lane[32..64]);
        climb.at = climb.to;
    }
}
