//! A map of accounts in the order of their keys, all at once.

use super::EMPTY;
use super::tree::{AccountMap, Branch, Leaf, Node};

impl AccountMap {
    /// Of leaves in the rising order of their keys. Branches are numbered like the leaf before them: branch n
    /// parts leaf n from leaf n + 1. Their tops are not computed.
    pub(super) fn of_sorted(leaves: Vec<Leaf>) -> AccountMap {
        let mut branches: Vec<Branch> = Vec::with_capacity(leaves.len().saturating_sub(1));
        // Those whose right side goes on, the deepest last.
        let mut open: Vec<usize> = Vec::new();
        for (n, pair) in leaves.windows(2).enumerate() {
            debug_assert!(pair[0].key < pair[1].key);
            let depth = pair[0].key.shared(&pair[1].key);
            let mut left = Node::leaf(n);
            while let Some(deeper) = open.pop_if(|open| branches[*open].depth() > depth) {
                left = Node::branch(deeper);
            }
            if let Some(above) = open.last() {
                branches[*above].children[1] = Node::branch(n);
            }
            let depth = u8::try_from(depth).expect("two keys differ in a bit under 256");
            branches.push(Branch { top: EMPTY, children: [left, Node::leaf(n + 1)], depth });
            open.push(n);
        }
        let alone = (!leaves.is_empty()).then(|| Node::leaf(0));
        let root = open.first().map(|n| Node::branch(*n)).or(alone);
        AccountMap { leaves, branches, root, ..AccountMap::default() }
    }
}
