//! The map in memory: only places where ways part are nodes, so that a lone account's 230 levels cost nothing until
//! something in them changes.

use super::{Climb, DEPTH, EMPTY, MapKey, MapLeaf, MapProof};
use crate::hash::{BLOCK, Digest, LANES, map_nodes};

/// A leaf or a branch, by its number among those.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Node(u32);

const BRANCH: u32 = 1 << 31;

impl Node {
    pub(super) fn leaf(n: usize) -> Node {
        Node(u32::try_from(n).ok().filter(|n| *n < BRANCH).expect("under 2^31 accounts"))
    }

    pub(super) fn branch(n: usize) -> Node {
        Node(Node::leaf(n).0 | BRANCH)
    }

    const fn is_branch(self) -> bool {
        self.0 & BRANCH != 0
    }

    /// Its number among the leaves, or among the branches.
    const fn number(self) -> usize {
        (self.0 & !BRANCH) as usize
    }
}

/// An account.
#[derive(Debug, Clone)]
pub(super) struct Leaf {
    pub(super) key: MapKey,
    /// At depth 256.
    pub(super) hash: Digest,
    /// Where it begins to be alone: right below the branch above it. [`EMPTY`] until it is computed.
    pub(super) top: Digest,
}

/// A place where ways part: below `depth` bits that all accounts below share.
#[derive(Debug, Clone)]
pub(super) struct Branch {
    /// Right below the branch above it. [`EMPTY`] until it is computed.
    pub(super) top: Digest,
    pub(super) children: [Node; 2],
    pub(super) depth: u8,
}

impl Branch {
    pub(super) fn depth(&self) -> u16 {
        u16::from(self.depth)
    }
}

/// What an account takes: there is a branch less than leaves.
const _: () = assert!(size_of::<Leaf>() + size_of::<Branch>() == 140);

/// The map of a log's accounts.
///
/// Memory: 140 bytes an account, and the room that its vectors leave.
#[derive(Debug, Clone, Default)]
pub struct AccountMap {
    pub(super) leaves: Vec<Leaf>,
    pub(super) branches: Vec<Branch>,
    pub(super) root: Option<Node>,
    /// Leaves and branches that are no more.
    pub(super) free: [Vec<Node>; 2],
}

/// The numbers of some changes in the order of their keys; of one account's the last alone.
fn in_order(changes: &[(MapKey, Option<Digest>)]) -> Vec<u32> {
    // What is moved about is small: the beginnings of keys, which nearly always tell them apart.
    let mut order: Vec<(u64, u32)> =
        changes.iter().map(|(key, _)| key.first_word()).zip(0..).collect();
    let key = |n: u32| &changes[n as usize].0;
    order.sort_unstable_by(|a, b| {
        a.0.cmp(&b.0).then_with(|| key(a.1).cmp(key(b.1))).then(b.1.cmp(&a.1))
    });
    order.dedup_by(|a, b| a.0 == b.0 && key(a.1) == key(b.1));
    order.into_iter().map(|(_, n)| n).collect()
}

/// So many climbs are handed out at once, at most: that bounds the memory they take.
const CLIMBS: usize = 1 << 16;

/// What hangs from the node above: which, and on which side; or the root.
type Slot = Option<(usize, usize)>;

impl AccountMap {
    /// How many accounts it has.
    #[must_use]
    pub fn len(&self) -> usize {
        self.leaves.len() - self.free[0].len()
    }

    /// Whether it has none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.root.is_none()
    }

    /// Its root: 32 zeros if it has no account.
    #[must_use]
    pub fn root(&self) -> Digest {
        self.root.map_or(EMPTY, |root| *self.top(root))
    }

    /// The hash of the leaf that an account has, if it has one.
    #[must_use]
    pub fn get(&self, key: &MapKey) -> Option<&Digest> {
        let leaf = &self.leaves[self.nearest(key)?];
        (leaf.key == *key).then_some(&leaf.hash)
    }

    /// Gives accounts the leaves of these hashes ([`MapLeaf::hash`]), and takes those without one out. The last
    /// one of an account counts. The cost is in proportion to the accounts whose leaf is another after it.
    ///
    /// # Panics
    /// If a leaf's hash is 32 zeros, which no hash is, or from 2^31 accounts on.
    pub fn apply(&mut self, changes: Vec<(MapKey, Option<Digest>)>) {
        self.apply_with(changes, &mut Climb::run);
    }

    /// The same for those who have several threads: `run` is given pieces of the work and must have done
    /// [`Climb::run`] on all of each when it returns.
    ///
    /// # Panics
    /// As [`AccountMap::apply`], and if it has not.
    pub fn apply_with(
        &mut self,
        changes: Vec<(MapKey, Option<Digest>)>,
        run: &mut dyn FnMut(&mut [Climb]),
    ) {
        let order = in_order(&changes);
        assert!(changes.iter().all(|(_, hash)| *hash != Some(EMPTY)), "no hash is 32 zeros");
        let changed = order.iter().map(|n| &changes[*n as usize]);
        if self.is_empty() {
            let mut leaves = Vec::with_capacity(order.len());
            let leaf = |(key, hash): &(MapKey, Option<Digest>)| {
                hash.map(|hash| Leaf { key: *key, hash, top: EMPTY })
            };
            leaves.extend(changed.filter_map(leaf));
            // They take as much memory as what is made of them.
            drop((order, changes));
            *self = AccountMap::of_sorted(leaves);
        } else {
            for (key, hash) in changed {
                match hash {
                    Some(hash) => self.put(key, hash),
                    None => self.take(key),
                }
            }
        }
        self.rehash(run);
    }

    /// Whether these accounts have leaves of these hashes, or none, in the map of this root: of a map that was loaded,
    /// whose hashes nobody has made yet. All that [`AccountMap::apply`] would use to change them is hashed anew up to the
    /// root. The cost is in proportion to these accounts.
    pub fn hold(&mut self, accounts: &[(MapKey, Option<Digest>)], root: &Digest) -> bool {
        for (key, hash) in accounts {
            if self.get(key) != hash.as_ref() {
                return false;
            }
            if let Some(nearest) = self.nearest(key) {
                // What a new account would hang beside.
                let depth = key.shared(&self.leaves[nearest].key);
                self.descend(key, depth);
            }
        }
        self.rehash(&mut Climb::run);
        self.root() == *root
    }

    pub(super) fn top(&self, node: Node) -> &Digest {
        match node.is_branch() {
            true => &self.branches[node.number()].top,
            false => &self.leaves[node.number()].top,
        }
    }

    fn top_mut(&mut self, node: Node) -> &mut Digest {
        match node.is_branch() {
            true => &mut self.branches[node.number()].top,
            false => &mut self.leaves[node.number()].top,
        }
    }

    fn slot(&mut self, slot: Slot) -> &mut Node {
        match slot {
            Some((branch, side)) => &mut self.branches[branch].children[side],
            None => self.root.as_mut().expect("it has an account"),
        }
    }

    /// The leaf at which the way of this key's bits ends: none shares more bits with it.
    fn nearest(&self, key: &MapKey) -> Option<usize> {
        let mut node = self.root?;
        while node.is_branch() {
            let branch = &self.branches[node.number()];
            node = branch.children[key.bit(branch.depth())];
        }
        Some(node.number())
    }

    /// Forgets the tops on the way of this key down to `depth`; gives what hangs there, and where.
    pub(super) fn descend(&mut self, key: &MapKey, depth: u16) -> (Node, Slot, Slot) {
        let (mut above, mut slot) = (None, None);
        let mut node = *self.slot(slot);
        while node.is_branch() {
            let branch = &mut self.branches[node.number()];
            if branch.depth() >= depth {
                break;
            }
            branch.top = EMPTY;
            let side = key.bit(branch.depth());
            (above, slot) = (slot, Some((node.number(), side)));
            node = branch.children[side];
        }
        *self.top_mut(node) = EMPTY;
        (node, slot, above)
    }

    fn put(&mut self, key: &MapKey, hash: &Digest) {
        let Some(nearest) = self.nearest(key).map(|n| &mut self.leaves[n]) else {
            *self = AccountMap::of_sorted(vec![Leaf { key: *key, hash: *hash, top: EMPTY }]);
            return;
        };
        let depth = key.shared(&nearest.key);
        if depth == DEPTH {
            if nearest.hash != *hash {
                nearest.hash = *hash;
                self.descend(key, DEPTH);
            }
            return;
        }
        let (beside, slot, _) = self.descend(key, depth);
        let leaf = Leaf { key: *key, hash: *hash, top: EMPTY };
        let leaf = if let Some(free) = self.free[0].pop() {
            self.leaves[free.number()] = leaf;
            free
        } else {
            self.leaves.push(leaf);
            Node::leaf(self.leaves.len() - 1)
        };
        let mut children = [beside; 2];
        children[key.bit(depth)] = leaf;
        let depth = u8::try_from(depth).expect("under 256");
        let branch = Branch { top: EMPTY, children, depth };
        let branch = if let Some(free) = self.free[1].pop() {
            self.branches[free.number()] = branch;
            free
        } else {
            self.branches.push(branch);
            Node::branch(self.branches.len() - 1)
        };
        *self.slot(slot) = branch;
    }

    fn take(&mut self, key: &MapKey) {
        if self.get(key).is_none() {
            return;
        }
        let (leaf, slot, above) = self.descend(key, DEPTH);
        let Some((parent, side)) = slot else {
            *self = AccountMap::default();
            return;
        };
        let beside = self.branches[parent].children[1 - side];
        *self.top_mut(beside) = EMPTY;
        *self.slot(above) = beside;
        self.free[0].push(leaf);
        self.free[1].push(Node::branch(parent));
    }

    /// Computes the tops that were forgotten.
    pub(super) fn rehash(&mut self, run: &mut dyn FnMut(&mut [Climb])) {
        let mut climbs = Vec::new();
        // By depth, and there as they lie in memory; with where their tops are.
        let mut parted: Vec<(u8, u32, u16)> = Vec::new();
        let mut left: Vec<(Node, u16)> = self.root.map(|root| (root, 0)).into_iter().collect();
        while let Some((node, to)) = left.pop() {
            if *self.top(node) != EMPTY {
                continue;
            }
            if node.is_branch() {
                let branch = &self.branches[node.number()];
                parted.push((branch.depth, node.0, to));
                left.extend(branch.children.iter().rev().map(|child| (*child, branch.depth() + 1)));
                continue;
            }
            let leaf = &self.leaves[node.number()];
            climbs.push(Climb { key: leaf.key, digest: leaf.hash, at: DEPTH, to, node });
            if climbs.len() == CLIMBS {
                self.climb(&mut climbs, run);
            }
        }
        self.climb(&mut climbs, run);

        // The deepest first: those of one depth hang from none of each other.
        parted.sort_unstable_by(|a, b| b.cmp(a));
        for parted in parted.chunk_by(|a, b| a.0 == b.0) {
            for parted in parted.chunks(CLIMBS) {
                for group in parted.chunks(LANES) {
                    self.part(group, &mut climbs);
                }
                self.climb(&mut climbs, &mut Climb::run);
            }
        }
    }

    /// Hashes what these branches part: what of it is a top is kept, the rest climbs.
    fn part(&mut self, group: &[(u8, u32, u16)], climbs: &mut Vec<Climb>) {
        let mut blocks = [[0; BLOCK]; LANES];
        for (block, (_, node, _)) in blocks.iter_mut().zip(group) {
            *block = self.block(&self.branches[Node(*node).number()]);
        }
        let mut hashed = [0; 32 * LANES];
        map_nodes(&blocks.each_ref()[..group.len()], &mut hashed);
        for ((depth, node, to), digest) in group.iter().zip(hashed.as_chunks::<32>().0) {
            let (node, at) = (Node(*node), u16::from(*depth));
            if *to == at {
                self.branches[node.number()].top = *digest;
                continue;
            }
            let key = self.first_key(node);
            climbs.push(Climb { key, digest: *digest, at, to: *to, node });
        }
    }

    /// The two halves that a branch's own hash is over.
    fn block(&self, branch: &Branch) -> [u8; BLOCK] {
        let mut block = [0; BLOCK];
        for (half, child) in block.as_chunks_mut::<32>().0.iter_mut().zip(branch.children) {
            *half = *self.top(child);
        }
        block
    }

    fn climb(&mut self, climbs: &mut Vec<Climb>, run: &mut dyn FnMut(&mut [Climb])) {
        run(climbs);
        for climb in climbs.drain(..) {
            assert_eq!(climb.at, climb.to, "every piece of the work is done");
            *self.top_mut(climb.node) = climb.digest;
        }
    }

    /// The key of an account below a node: they share all bits above it.
    fn first_key(&self, mut node: Node) -> MapKey {
        while node.is_branch() {
            node = self.branches[node.number()].children[0];
        }
        self.leaves[node.number()].key
    }

    /// Proves that the account at `key` has this leaf; `None` if it has another one, or none.
    #[must_use]
    pub fn prove(&self, key: &MapKey, leaf: MapLeaf) -> Option<MapProof> {
        if *self.get(key)? != leaf.hash(key) {
            return None;
        }
        Some(MapProof::new(self.beside(key, DEPTH).0, Some(leaf)))
    }

    /// Proves that there is no account at `key`; `None` if there is one.
    #[must_use]
    pub fn prove_absence(&self, key: &MapKey) -> Option<MapProof> {
        let Some(nearest) = self.nearest(key) else {
            return Some(MapProof::new(Vec::new(), None));
        };
        let depth = key.shared(&self.leaves[nearest].key);
        if depth == DEPTH {
            return None;
        }
        // Here the way leaves what hangs there, in the middle of its lone levels.
        let (mut siblings, node) = self.beside(key, depth);
        let (at, digest) = if node.is_branch() {
            let branch = &self.branches[node.number()];
            let mut digest = EMPTY;
            map_nodes(&[&self.block(branch)], &mut digest);
            (branch.depth(), digest)
        } else {
            (DEPTH, self.leaves[node.number()].hash)
        };
        let mut climb = [Climb { key: self.first_key(node), digest, at, to: depth + 1, node }];
        Climb::run(&mut climb);
        siblings.push((depth + 1, climb[0].digest));
        Some(MapProof::new(siblings, None))
    }

    /// What is beside the way of this key down to `depth`, by its depth, and what hangs there. The map has
    /// an account.
    fn beside(&self, key: &MapKey, depth: u16) -> (Vec<(u16, Digest)>, Node) {
        let mut siblings = Vec::new();
        let mut node = self.root.expect("the map has an account");
        while node.is_branch() {
            let branch = &self.branches[node.number()];
            if branch.depth() >= depth {
                break;
            }
            let side = key.bit(branch.depth());
            siblings.push((branch.depth() + 1, *self.top(branch.children[1 - side])));
            node = branch.children[side];
        }
        (siblings, node)
    }

    /// Leaves and branches, each in the order of the keys: a branch between the two leaves that it parts.
    pub(super) fn in_order(&self) -> (Vec<&Leaf>, Vec<&Branch>) {
        let (mut leaves, mut branches) = (Vec::new(), Vec::new());
        let (mut above, mut next) = (Vec::new(), self.root);
        while let Some(node) = next {
            if node.is_branch() {
                above.push(node.number());
                next = Some(self.branches[node.number()].children[0]);
                continue;
            }
            leaves.push(&self.leaves[node.number()]);
            next = above.pop().map(|n| {
                branches.push(&self.branches[n]);
                self.branches[n].children[1]
            });
        }
        (leaves, branches)
    }
}
