//! Inclusion and consistency: every proof of every tree up to 100 leaves, and what is wrong with each.

use stillthere_commitment::{
    Digest, Frontier, MAX_TREE, ProofError, check_consistency, check_inclusion, hex,
    prove_consistency, prove_inclusion, tree_leaf, tree_root, unhex,
};

use crate::plain::{self, Nodes, leaves};

const MOST: usize = 100;

/// The proof with each hash flipped, dropped, doubled, changed for its neighbour, and with one added anywhere.
fn spoiled(proof: &[Digest]) -> Vec<Vec<Digest>> {
    let mut all = Vec::new();
    for n in 0..proof.len() {
        let bit = (n * 37) % 256;
        let mut one = proof.to_vec();
        one[n][bit / 8] ^= 1 << (bit % 8);
        all.push(one);
        let mut one = proof.to_vec();
        one.remove(n);
        all.push(one);
        let mut one = proof.to_vec();
        one.insert(n, proof[n]);
        all.push(one);
        if n > 0 {
            let mut one = proof.to_vec();
            one.swap(n - 1, n);
            all.push(one);
        }
    }
    for n in 0..=proof.len() {
        let mut one = proof.to_vec();
        one.insert(n, [7; 32]);
        all.push(one);
    }
    all
}

fn flipped(hash: &Digest) -> Digest {
    let mut hash = *hash;
    hash[17] ^= 0x20;
    hash
}

#[test]
fn every_leaf_of_every_tree_is_proven_and_nothing_else() {
    let all = leaves(MOST as u64);
    let nodes = Nodes::of(&all);
    for size in 1..=MOST {
        let root = plain::root(&all[..size]);
        assert_eq!(tree_root(size as u64, nodes.reader()), Ok(root));
        for index in 0..size {
            let (n, of, leaf) = (index as u64, size as u64, &all[index]);
            let proof = prove_inclusion(n, of, nodes.reader()).unwrap();
            assert_eq!(proof, plain::path(index, &all[..size]), "{index} of {size}");
            let check = |proof: &[Digest]| check_inclusion(leaf, n, of, proof, &root);
            assert_eq!(check(&proof), Ok(()), "{index} of {size}");
            for spoiled in spoiled(&proof) {
                assert!(check(&spoiled).is_err(), "{index} of {size}: {spoiled:?}");
            }
            let wrong = check_inclusion(&flipped(leaf), n, of, &proof, &root);
            assert!(matches!(wrong, Err(ProofError::Root { .. })));
            let wrong = check_inclusion(leaf, n, of, &proof, &flipped(&root));
            assert!(matches!(wrong, Err(ProofError::Root { .. })));
            for other in (0..of).filter(|other| *other != n) {
                assert!(check_inclusion(leaf, other, of, &proof, &root).is_err());
            }
        }
    }
}

#[test]
fn every_tree_begins_with_every_smaller_one_and_with_nothing_else() {
    let all = leaves(MOST as u64);
    let nodes = Nodes::of(&all);
    for size in 0..=MOST {
        let root = plain::root(&all[..size]);
        for old in 0..=size {
            let (m, of) = (old as u64, size as u64);
            let old_root = plain::root(&all[..old]);
            let proof = prove_consistency(m, of, nodes.reader()).unwrap();
            let defined = if old == 0 { Vec::new() } else { plain::proof(old, &all[..size]) };
            assert_eq!(proof, defined, "{old} of {size}");
            let check = |proof: &[Digest]| check_consistency(m, &old_root, of, &root, proof);
            assert_eq!(check(&proof), Ok(()), "{old} of {size}");
            for spoiled in spoiled(&proof) {
                assert!(check(&spoiled).is_err(), "{old} of {size}: {spoiled:?}");
            }
            let wrong = check_consistency(m, &flipped(&old_root), of, &root, &proof);
            assert!(matches!(wrong, Err(ProofError::Root { .. })), "{old} of {size}");
            // Nothing is known of a tree that grew from nothing but its root.
            if old > 0 || size == 0 {
                let wrong = check_consistency(m, &old_root, of, &flipped(&root), &proof);
                assert!(matches!(wrong, Err(ProofError::Root { .. })), "{old} of {size}");
            }
        }
    }
}

#[test]
fn a_frontier_goes_on_from_nodes() {
    let all = leaves(70);
    let nodes = Nodes::of(&all);
    for size in 0..=70 {
        let mut tree = Frontier::of(size, nodes.reader()).unwrap();
        assert_eq!((tree.count(), tree.root()), (size, plain::root(&all[..size as usize])));
        all[size as usize..].iter().for_each(|leaf| tree.push(*leaf));
        assert_eq!(tree.root(), plain::root(&all));
    }
}

#[test]
fn numbers_that_no_tree_has() {
    let none = |_: u8, _: u64| -> Result<Digest, ProofError> { unreachable!("nothing to ask for") };
    let zero = [0; 32];
    let outside = ProofError::Outside { index: 3, size: 3 };
    let shrunk = ProofError::Shrunk { old: 4, new: 3 };
    let large = ProofError::TooLarge(MAX_TREE + 1);
    let short = ProofError::Length { expected: 63, found: 0 };
    assert_eq!(prove_inclusion(3, 3, none), Err(outside.clone()));
    assert_eq!(check_inclusion(&zero, 3, 3, &[], &zero), Err(outside));
    assert_eq!(prove_consistency(4, 3, none), Err(shrunk.clone()));
    assert_eq!(check_consistency(4, &zero, 3, &zero, &[]), Err(shrunk));
    assert_eq!(prove_inclusion(0, MAX_TREE + 1, none), Err(large.clone()));
    assert_eq!(check_inclusion(&zero, 0, MAX_TREE + 1, &[], &zero), Err(large.clone()));
    assert_eq!(prove_consistency(1, MAX_TREE + 1, none), Err(large.clone()));
    assert_eq!(check_consistency(1, &zero, MAX_TREE + 1, &zero, &[]), Err(large.clone()));
    assert_eq!(tree_root(u64::MAX, none), Err(ProofError::TooLarge(u64::MAX)));
    // The largest tree, at both ends: no shift overflows.
    assert_eq!(check_inclusion(&zero, 0, MAX_TREE, &[], &zero), Err(short.clone()));
    assert!(check_inclusion(&zero, MAX_TREE - 1, MAX_TREE, &[], &zero).is_err());
    assert_eq!(check_consistency(1, &zero, MAX_TREE, &zero, &[]), Err(short));
    let some = |_: u8, _: u64| -> Result<Digest, ProofError> { Ok([1; 32]) };
    for index in [0, 1, 1 << 62, MAX_TREE - 1] {
        assert!(prove_inclusion(index, MAX_TREE, some).unwrap().len() <= 63);
        assert!(prove_consistency(index, MAX_TREE, some).unwrap().len() <= 64);
    }
}

/// The test vectors of the certificate-transparency repository.
#[test]
fn published_proofs() {
    let entries = [
        "",
        "00",
        "10",
        "2021",
        "3031",
        "40414243",
        "5051525354555657",
        "606162636465666768696a6b6c6d6e6f",
    ];
    let all: Vec<Digest> = entries.iter().map(|entry| tree_leaf(&unhex(entry).unwrap())).collect();
    let nodes = Nodes::of(&all);
    let a = "96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7";
    let b = "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e";
    let c = "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4";
    let d = "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b";
    let e = "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0";
    let f = "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7";
    let g = "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125";
    let h = "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d";
    let i = "0ebc5d3437fbe2db158b9f126a1d118e308181031d0a949f8dededebc558ef6a";
    let j = "b08693ec2e721597130641e8211e7eedccb4c26413963eee6c1e2ed16ffb1a5f";
    let cases: [(u64, u64, &[&str]); 5] =
        [(0, 1, &[]), (0, 8, &[a, b, c]), (5, 8, &[d, e, f]), (2, 3, &[g]), (1, 5, &[h, b, d])];
    for (index, size, expected) in cases {
        let proof = prove_inclusion(index, size, nodes.reader()).unwrap();
        assert_eq!(proof.iter().map(|hash| hex(hash)).collect::<Vec<_>>(), expected);
    }
    let cases: [(u64, u64, &[&str]); 5] =
        [(1, 1, &[]), (1, 8, &[a, b, c]), (6, 8, &[i, e, f]), (2, 5, &[b, d]), (6, 7, &[i, j, f])];
    for (old, size, expected) in cases {
        let proof = prove_consistency(old, size, nodes.reader()).unwrap();
        assert_eq!(proof.iter().map(|hash| hex(hash)).collect::<Vec<_>>(), expected);
    }
}
