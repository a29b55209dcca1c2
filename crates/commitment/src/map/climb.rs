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
        // Those that begin equally deep go together, the longest first: lanes fall idle from the end.
        let mut order: Vec<(u16, u16, u32)> =
            climbs.iter().zip(0..).map(|(climb, n)| (climb.at, climb.at - climb.to, n)).collect();
        order.sort_unstable_by(|a, b| b.cmp(a));
        for order in order.chunk_by(|a, b| a.0 == b.0) {
            for group in order.chunks(LANES) {
                run_group(climbs, group);
            }
        }
    }
}

/// At most [`LANES`] of them, by where all begin, how far each goes, and its number.
fn run_group(climbs: &mut [Climb], group: &[(u16, u16, u32)]) {
    let mut lanes = [[0; LANE]; LANES];
    let mut keys = [MapKey(EMPTY); LANES];
    for (lane, (.., n)) in group.iter().enumerate() {
        let climb = &climbs[*n as usize];
        lanes[lane][32..64].copy_from_slice(&climb.digest);
        keys[lane] = climb.key;
    }
    let (from, longest, _) = group[0];
    let mut hashed = [0; 32 * LANES];
    let mut busy = group.len();
    for step in 0..longest {
        while group[busy - 1].1 <= step {
            busy -= 1;
        }
        let depth = from - 1 - step;
        let blocks: [&[u8; BLOCK]; LANES] = std::array::from_fn(|lane| {
            // A right child has the empty subtree before it.
            let block = match keys[lane].bit(depth) {
                0 => lanes[lane].last_chunk(),
                _ => lanes[lane].first_chunk(),
            };
            block.expect("a lane has three halves")
        });
        map_nodes(&blocks[..busy], &mut hashed);
        for (lane, hash) in lanes[..busy].iter_mut().zip(hashed.as_chunks::<32>().0) {
            lane[32..64].copy_from_slice(hash);
        }
    }
    for (lane, (.., n)) in lanes.iter().zip(group) {
        let climb = &mut climbs[*n as usize];
        climb.digest.copy_from_slice(&lane[32..64]);
        climb.at = climb.to;
    }
}
