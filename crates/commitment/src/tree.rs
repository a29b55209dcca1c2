//! Binary hash trees of the shape of RFC 6962: a page's over its leaves, the log's over its pages.

use sha2::{Digest as _, Sha256};

use crate::hash::{Digest, Domain, hash, hash_fixed};

/// The root over a page's leaves; that of none means nothing.
#[must_use]
pub fn page_root(leaves: &[Digest]) -> Digest {
    let mut level = leaves.to_vec();
    // Neighbours are joined level by level, and one that has none goes up as it is: that is the shape.
    while level.len() > 1 {
        let (pairs, last) = level.as_chunks::<2>();
        let pairs = pairs.iter().map(|[left, right]| (left, right));
        let mut above = hash_fixed(Domain::PageNode, pairs);
        above.extend_from_slice(last);
        level = above;
    }
    level.pop().unwrap_or_default()
}

/// The hashes beside the way of leaf `index` in its page, from the leaf up.
///
/// # Panics
/// If there is no such leaf.
#[must_use]
pub fn page_path(leaves: &[Digest], index: usize) -> Vec<Digest> {
    assert!(index < leaves.len(), "a leaf of the page");
    let mut path = Vec::new();
    let (mut part, mut index) = (leaves, index);
    // From the root down; the shape of RFC 6962.
    while part.len() > 1 {
        let (left, right) = part.split_at(part.len().next_power_of_two() / 2);
        if index < left.len() {
            path.push(page_root(right));
            part = left;
        } else {
            path.push(page_root(left));
            index -= left.len();
            part = right;
        }
    }
    path.reverse();
    path
}

/// The root of the page of `count` leaves in which `leaf` is number `index` and [`page_path`] gave `path`; `None` if
/// no path in such a page is so long.
#[must_use]
pub fn page_root_by(leaf: Digest, index: u32, count: u32, path: &[Digest]) -> Option<Digest> {
    let mut last = count.checked_sub(1).filter(|last| index <= *last)?;
    let mut index = index;
    let mut root = leaf;
    for beside in path {
        // Up to where something is beside: a node without a neighbour goes up as it is.
        while index == last && index.is_multiple_of(2) && last > 0 {
            (index, last) = (index / 2, last / 2);
        }
        if last == 0 {
            return None;
        }
        let pair = if index % 2 == 1 { [beside, &root] } else { [&root, beside] };
        root = hash(Domain::PageNode, &pair.map(|hash| &hash[..]));
        (index, last) = (index / 2, last / 2);
    }
    while index == last && index.is_multiple_of(2) && last > 0 {
        (index, last) = (index / 2, last / 2);
    }
    (last == 0).then_some(root)
}

/// The log's tree over its pages' summaries, in SHA-256 (RFC 6962, section 2.1): only the roots of its
/// full subtrees are kept.
#[derive(Debug, Clone, Default)]
pub struct Frontier {
    /// The roots of the full subtrees, the largest first: one for each bit set in `count`.
    roots: Vec<Digest>,
    count: u64,
}

impl Frontier {
    /// That of a tree of `size` leaves whose nodes can be asked for, so that it can grow on.
    ///
    /// # Errors
    /// What `node` reports.
    pub fn of<E>(
        size: u64,
        mut node: impl FnMut(u8, u64) -> Result<Digest, E>,
    ) -> Result<Frontier, E> {
        let roots =
            peaks(0, size).map(|(level, index)| node(level, index)).collect::<Result<_, _>>()?;
        Ok(Frontier { roots, count: size })
    }

    /// The roots of its full subtrees, the largest first: as many as [`Frontier::of`] asks for, in that order.
    #[must_use]
    pub fn peaks(&self) -> &[Digest] {
        &self.roots
    }

    /// How many leaves it has.
    #[must_use]
    pub const fn count(&self) -> u64 {
        self.count
    }

    /// Appends a leaf's hash.
    pub fn push(&mut self, leaf: Digest) {
        let mut root = leaf;
        for _ in 0..self.count.trailing_ones() {
            let left = self.roots.pop().expect("one root for each bit of the count");
            root = node(&left, &root);
        }
        self.roots.push(root);
        self.count += 1;
    }

    /// The root over the leaves so far.
    #[must_use]
    pub fn root(&self) -> Digest {
        let mut roots = self.roots.iter().rev();
        let Some(last) = roots.next() else { return empty_root() };
        roots.fold(*last, |right, left| node(left, &right))
    }
}

/// The root of the tree that has no leaf: SHA-256 of nothing.
pub(crate) fn empty_root() -> Digest {
    Sha256::digest([]).into()
}

impl FromIterator<Digest> for Frontier {
    /// Of the hashes of leaves, in their order.
    fn from_iter<I: IntoIterator<Item = Digest>>(leaves: I) -> Frontier {
        let mut tree = Frontier::default();
        leaves.into_iter().for_each(|leaf| tree.push(leaf));
        tree
    }
}

/// What stands above two neighbours: SHA-256 of a byte 1 and both.
pub(crate) fn node(left: &Digest, right: &Digest) -> Digest {
    Sha256::new().chain_update([1]).chain_update(left).chain_update(right).finalize().into()
}

/// The nodes that a tree of leaves `from..to` is joined of, the largest first. `from` is a multiple of
/// the power of two that `to - from` fits in.
pub(crate) fn peaks(from: u64, to: u64) -> impl Iterator<Item = (u8, u64)> {
    let mut from = from;
    std::iter::from_fn(move || {
        let level = (to - from).checked_ilog2()?;
        let index = from >> level;
        from += 1 << level;
        Some((level as u8, index))
    })
}

/// The leaf hash of RFC 6962: SHA-256 of a zero byte and the entry.
#[must_use]
pub fn tree_leaf(entry: &[u8]) -> Digest {
    Sha256::new().chain_update([0]).chain_update(entry).finalize().into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::hex;

    /// By the definition, top down.
    fn plain(node: fn(&Digest, &Digest) -> Digest, leaves: &[Digest]) -> Digest {
        if let [leaf] = leaves {
            return *leaf;
        }
        let k = leaves.len().next_power_of_two() / 2;
        node(&plain(node, &leaves[..k]), &plain(node, &leaves[k..]))
    }

    #[test]
    fn every_size_agrees_with_the_definition() {
        let page_node = |left: &Digest, right: &Digest| hash(Domain::PageNode, &[left, right]);
        let mut tree = Frontier::default();
        let mut leaves = Vec::new();
        for n in 0..130u8 {
            leaves.push([n; 32]);
            tree.push([n; 32]);
            assert_eq!(tree.root(), plain(node, &leaves), "{n} leaves");
            assert_eq!(page_root(&leaves), plain(page_node, &leaves), "{n} leaves");
            check_paths(&leaves);
        }
    }

    /// Of every leaf: its path leads to the root, and none that was changed, cut or lengthened does.
    fn check_paths(leaves: &[Digest]) {
        let (root, count) = (Some(page_root(leaves)), leaves.len() as u32);
        for (n, leaf) in leaves.iter().enumerate() {
            let path = page_path(leaves, n);
            let by = |index, count, path: &[Digest]| page_root_by(*leaf, index, count, path);
            let n = n as u32;
            assert_eq!(by(n, count, &path), root, "leaf {n} of {count}");
            for other in (0..count).filter(|other| *other != n) {
                assert_ne!(by(other, count, &path), root, "leaf {n} as {other} of {count}");
            }
            assert_eq!(by(n, n, &path), None, "leaf {n} of {n}");
            for at in 0..path.len() {
                let mut wrong = path.clone();
                wrong[at][at] ^= 1;
                assert_ne!(by(n, count, &wrong), root, "leaf {n} of {count}, hash {at}");
                let cut = [&path[..at], &path[at + 1..]].concat();
                assert_ne!(by(n, count, &cut), root, "leaf {n} of {count}, without {at}");
            }
            assert_ne!(by(n, count, &[&path[..], &[[0; 32]]].concat()), root);
        }
    }

    #[test]
    fn published_roots() {
        // The test vectors of the certificate-transparency repository.
        let entries: [&str; 8] = [
            "",
            "00",
            "10",
            "2021",
            "3031",
            "40414243",
            "5051525354555657",
            "606162636465666768696a6b6c6d6e6f",
        ];
        let roots = [
            "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
            "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
            "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
            "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
            "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
            "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
            "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
            "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
            "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
        ];
        let mut tree = Frontier::default();
        for (n, root) in roots.iter().enumerate() {
            assert_eq!(hex(&tree.root()), *root, "{n} leaves");
            if let Some(entry) = entries.get(n) {
                tree.push(tree_leaf(&crate::unhex(entry).unwrap()));
            }
        }
    }
}
