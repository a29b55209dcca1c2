//! Holds the map against its definition, and proofs against everything else.

use std::collections::BTreeMap;

use super::{AccountMap, Climb, DEPTH, EMPTY, MapKey, MapLeaf, MapProof};
use crate::hash::{Digest, MAP_NODE_KEY};

/// The definition, top down, with nothing but the documented API of BLAKE3.
fn plain(accounts: &[(MapKey, Digest)], depth: u16) -> Digest {
    match accounts {
        [] => EMPTY,
        [(_, leaf)] if depth == DEPTH => *leaf,
        _ => {
            let right = accounts.partition_point(|(key, _)| key.bit(depth) == 0);
            let (left, right) = accounts.split_at(right);
            let pair = [plain(left, depth + 1), plain(right, depth + 1)].concat();
            *blake3::keyed_hash(MAP_NODE_KEY, &pair).as_bytes()
        }
    }
}

/// A generator of numbers that need not be good.
struct Random(u64);

impl Random {
    fn new(seed: u64) -> Random {
        Random(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1)
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ self.0 >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ mixed >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ mixed >> 31
    }

    fn under(&mut self, limit: u64) -> u64 {
        self.next() % limit
    }

    fn bytes(&mut self) -> [u8; 32] {
        std::array::from_fn(|_| self.next() as u8)
    }

    /// A key of no account of a log: it shares more bits with one of `others` than hashes do.
    fn key_beside(&mut self, others: &[MapKey], bits: u16) -> MapKey {
        let key = MapKey(self.bytes());
        if others.is_empty() {
            return key;
        }
        let other = others[self.under(others.len() as u64) as usize];
        graft(&other, &key, bits)
    }
}

/// The first `bits` of one key, the next bit turned over, and the rest of the other.
fn graft(first: &MapKey, rest: &MapKey, bits: u16) -> MapKey {
    let mut key = *rest;
    for bit in 0..=bits {
        let (byte, mask) = (usize::from(bit / 8), 0x80 >> (bit % 8));
        let own = if bit < bits { first.0[byte] } else { !first.0[byte] };
        key.0[byte] = key.0[byte] & !mask | own & mask;
    }
    key
}

struct Made {
    map: AccountMap,
    accounts: Vec<(MapKey, MapLeaf)>,
}

/// A map of so many accounts, of which some share up to 250 bits of their keys.
fn made(count: u64, random: &mut Random) -> Made {
    let mut keys = Vec::new();
    for n in 0..count {
        let key = match n % 4 {
            0 => MapKey(random.bytes()),
            1 => random.key_beside(&keys, 250),
            _ => {
                let bits = random.under(250) as u16;
                random.key_beside(&keys, bits)
            }
        };
        keys.push(key);
    }
    keys.sort_unstable();
    keys.dedup();
    let leaf = |key| (key, MapLeaf::of(&random.bytes(), &random.bytes(), random.under(1 << 40)));
    let accounts: Vec<_> = keys.into_iter().map(leaf).collect();
    let mut map = AccountMap::default();
    map.apply(accounts.iter().map(|(key, leaf)| (*key, Some(leaf.hash(key)))).collect());
    Made { map, accounts }
}

impl Made {
    fn hashes(&self) -> Vec<(MapKey, Digest)> {
        self.accounts.iter().map(|(key, leaf)| (*key, leaf.hash(key))).collect()
    }

    /// Keys at which there is no account: beside each that there is at many depths, and far from all.
    fn absent(&self, random: &mut Random) -> Vec<MapKey> {
        let mut absent: Vec<_> = (0..3).map(|_| MapKey(random.bytes())).collect();
        for (key, _) in &self.accounts {
            let bits = [0, random.under(10), random.under(256), 254, 255];
            absent.extend(bits.map(|bits| graft(key, &MapKey(random.bytes()), bits as u16)));
        }
        absent.retain(|key| self.map.get(key).is_none());
        absent
    }
}

fn seed() -> u64 {
    let given = std::env::var("STILLTHERE_SEED").ok().and_then(|n| n.parse().ok());
    let seed = given.unwrap_or(0);
    println!("STILLTHERE_SEED={seed}");
    seed
}

#[test]
fn the_map_is_what_its_definition_says() {
    let mut random = Random::new(seed());
    for count in 0..=40 {
        let made = made(count, &mut random);
        assert_eq!(made.map.root(), plain(&made.hashes(), 0), "{count} accounts");
        assert_eq!(made.map.len(), made.accounts.len());
        assert_eq!(MapLeaf::hash_all(&made.accounts), made.hashes().map_hash());
    }
}

trait MapHash {
    fn map_hash(&self) -> Vec<Digest>;
}

impl MapHash for Vec<(MapKey, Digest)> {
    fn map_hash(&self) -> Vec<Digest> {
        self.iter().map(|(_, hash)| *hash).collect()
    }
}

/// What a proof says of a key under a root, if it is one at all.
fn says(bytes: &[u8], key: &MapKey, root: &Digest) -> Option<Option<MapLeaf>> {
    let proof = MapProof::decode(bytes).ok()?;
    assert_eq!(proof.encode(), bytes, "each proof has one spelling");
    Some(proof.check(key, root).ok()?.copied())
}

#[test]
fn every_account_and_every_gap_is_proven() {
    let mut random = Random::new(seed());
    for count in 0..=40 {
        let made = made(count, &mut random);
        let root = made.map.root();
        let mut proofs = Vec::new();
        for (key, leaf) in &made.accounts {
            let proof = made.map.prove(key, *leaf).unwrap().encode();
            assert_eq!(says(&proof, key, &root), Some(Some(*leaf)));
            assert_eq!(made.map.prove_absence(key), None);
            assert_eq!(made.map.prove(key, MapLeaf { count: leaf.count ^ 1, ..*leaf }), None);
            proofs.push((*key, Some(*leaf), proof));
        }
        for key in made.absent(&mut random) {
            let proof = made.map.prove_absence(&key).unwrap().encode();
            assert_eq!(says(&proof, &key, &root), Some(None));
            proofs.push((key, None, proof));
        }
        // A proof is of its key, and of others only as far as they say the same of both: that there is none.
        for (key, leaf, proof) in &proofs {
            for _ in 0..10 {
                let (other, of_other, _) = &proofs[random.under(proofs.len() as u64) as usize];
                let said = says(proof, other, &root);
                let is_same = key == other || (leaf.is_none() && of_other.is_none());
                assert!(said.is_none() || (is_same && said == Some(*leaf)));
            }
        }
    }
}

#[test]
fn no_other_bytes_are_a_proof() {
    let mut random = Random::new(seed());
    for count in (0..=8).chain([40]) {
        let made = made(count, &mut random);
        let root = made.map.root();
        let member =
            |(key, leaf): &(MapKey, MapLeaf)| (*key, made.map.prove(key, *leaf).unwrap().encode());
        let mut proofs: Vec<_> = made.accounts.iter().map(member).collect();
        let absent = made.absent(&mut random);
        let absence = |key: &MapKey| (*key, made.map.prove_absence(key).unwrap().encode());
        proofs.extend(absent.iter().map(absence));
        // Of few accounts every proof, of more some.
        while proofs.len() > 12 {
            proofs.swap_remove(random.under(proofs.len() as u64) as usize);
        }
        let others: Vec<Vec<u8>> = proofs.iter().map(|(_, proof)| proof.clone()).collect();
        for (key, proof) in proofs {
            let refused = |bytes: &[u8], how: &str| {
                assert_eq!(says(bytes, &key, &root), None, "{how} of {count}: {proof:02x?}");
            };
            let hashes = 3 + usize::from(u16::from_le_bytes([proof[1], proof[2]])).div_ceil(8);
            for at in 0..proof.len() {
                // One bit of a hash is as good as another.
                let bits = if at < hashes || count < 3 { 8 } else { 1 };
                for bit in (0..8).map(|bit| (bit + at) % 8).take(bits) {
                    let mut bytes = proof.clone();
                    bytes[at] ^= 1 << bit;
                    refused(&bytes, &format!("bit {bit} of byte {at} is turned over"));
                }
                refused(&proof[..at], &format!("only {at} bytes are left"));
            }
            refused(&[&proof[..], &[0]].concat(), "a byte is added");
            changed(&proof, &others, &mut |bytes, how| {
                if bytes != proof {
                    refused(&bytes, how);
                }
            });
            let mut turned = proof.clone();
            turned[0] ^= 1;
            refused(&turned, "the other kind");
            turned.truncate(proof.len() - usize::from(proof[0]) * 72);
            refused(&turned, "the other kind, cut");
            turned.extend_from_slice(&[0; 72]);
            refused(&turned, "the other kind, filled up");
        }
    }
}

/// A proof in its parts: kind, depths, hashes, what is shown.
type Parts = (u8, Vec<u16>, Vec<[u8; 32]>, Vec<u8>);

fn parts(bytes: &[u8]) -> Parts {
    let last = u16::from_le_bytes([bytes[1], bytes[2]]);
    let start = 3 + usize::from(last).div_ceil(8);
    let is_set = |bit: &u16| bytes[3 + usize::from(bit / 8)] & (0x80 >> (bit % 8)) != 0;
    let depths: Vec<u16> = (0..last).filter(is_set).map(|bit| bit + 1).collect();
    let end = start + 32 * depths.len();
    let hashes = bytes[start..end].as_chunks::<32>().0.to_vec();
    (bytes[0], depths, hashes, bytes[end..].to_vec())
}

fn whole((kind, depths, hashes, shown): &Parts) -> Vec<u8> {
    let last = depths.last().copied().unwrap_or_default();
    let mut bytes = vec![*kind];
    bytes.extend_from_slice(&last.to_le_bytes());
    bytes.resize(3 + usize::from(last).div_ceil(8), 0);
    for depth in depths {
        bytes[3 + usize::from((depth - 1) / 8)] |= 0x80 >> ((depth - 1) % 8);
    }
    hashes.iter().for_each(|hash| bytes.extend_from_slice(hash));
    bytes.extend_from_slice(shown);
    bytes
}

/// A proof with hashes and their depths dropped, added, moved, swapped among each other and with others'.
fn changed(proof: &[u8], others: &[Vec<u8>], give: &mut dyn FnMut(Vec<u8>, &str)) {
    let own = parts(proof);
    assert_eq!(whole(&own), proof);
    for n in 0..own.1.len() {
        let mut dropped = own.clone();
        dropped.1.remove(n);
        dropped.2.remove(n);
        give(whole(&dropped), "a hash is dropped");
        let mut zero = own.clone();
        zero.2[n] = EMPTY;
        give(whole(&zero), "a hash is zeros");
        for m in 0..n {
            let mut swapped = own.clone();
            swapped.2.swap(n, m);
            give(whole(&swapped), "two hashes are swapped");
        }
    }
    for depth in 1..=DEPTH {
        if own.1.contains(&depth) {
            continue;
        }
        let n = own.1.partition_point(|at| *at < depth);
        for hash in [[7; 32], EMPTY].iter().chain(own.2.first()) {
            let mut added = own.clone();
            added.1.insert(n, depth);
            added.2.insert(n, *hash);
            give(whole(&added), "a hash is added");
        }
        if n > 0 {
            let mut moved = own.clone();
            moved.1[n - 1] = depth;
            give(whole(&moved), "a hash is moved");
        }
    }
    for other in others {
        let other = parts(other);
        give(whole(&(own.0, own.1.clone(), own.2.clone(), other.3.clone())), "another's leaf");
        give(whole(&(other.0, own.1.clone(), own.2.clone(), other.3.clone())), "another's end");
        for n in 0..own.2.len().min(other.2.len()) {
            let mut mixed = own.clone();
            mixed.2[n] = other.2[n];
            give(whole(&mixed), "another's hash");
        }
    }
}

/// Only the hash of what is beside a way is in a proof: no key, no blind, and of a leaf its hash only where that
/// itself is beside it, at depth 256, which no two names' keys are.
#[test]
fn a_proof_of_one_shows_nothing_of_another() {
    let mut random = Random::new(seed());
    for count in [2, 3, 8, 40] {
        let made = made(count, &mut random);
        let mut proofs: Vec<_> = made
            .accounts
            .iter()
            .map(|(key, leaf)| (*key, made.map.prove(key, *leaf).unwrap().encode()))
            .collect();
        let absent = made.absent(&mut random);
        proofs
            .extend(absent.iter().map(|key| (*key, made.map.prove_absence(key).unwrap().encode())));
        for (key, proof) in &proofs {
            for (other, leaf) in made.accounts.iter().filter(|(other, _)| other != key) {
                let hash = leaf.hash(other);
                let mut secrets = vec![&other.0[..], &leaf.blind, &leaf.head];
                if key.shared(other) < DEPTH - 1 {
                    secrets.push(&hash);
                }
                for secret in secrets {
                    let is_in = proof.windows(8).any(|bytes| bytes == &secret[..8]);
                    assert!(!is_in, "{} is in {}", crate::hex(secret), crate::hex(proof));
                }
            }
        }
    }
}

#[test]
fn a_map_that_grows_is_as_one_made_at_once() {
    let from = seed();
    for seed in from..from + 30 {
        let mut random = Random::new(seed);
        let mut map = AccountMap::default();
        let mut model: BTreeMap<MapKey, Digest> = BTreeMap::new();
        for round in 0..40 {
            let mut changes = Vec::new();
            for _ in 0..random.under(40) {
                let known: Vec<MapKey> = model.keys().copied().collect();
                let (way, bits) = (random.under(8), random.under(251) as u16);
                let key = match (way, known.len()) {
                    (0..=3, 1..) => known[random.under(known.len() as u64) as usize],
                    (4, _) => random.key_beside(&known, bits),
                    _ => MapKey(random.bytes()),
                };
                // More are taken out in some rounds: the map becomes empty now and then.
                let is_taken = random.under(10) < if round % 10 > 6 { 9 } else { 2 };
                let hash = (!is_taken).then(|| random.bytes());
                changes.push((key, hash));
                match hash {
                    Some(hash) => model.insert(key, hash),
                    None => model.remove(&key),
                };
            }
            if random.under(12) == 0 {
                changes.extend(model.keys().map(|key| (*key, None)));
                model.clear();
            }
            map.apply(changes);
            let plainly: Vec<_> = model.iter().map(|(key, hash)| (*key, *hash)).collect();
            assert_eq!(map.root(), plain(&plainly, 0), "STILLTHERE_SEED={seed}, round {round}");
            let mut at_once = AccountMap::default();
            at_once.apply(plainly.iter().map(|(key, hash)| (*key, Some(*hash))).collect());
            let bytes = map.to_bytes();
            assert!(bytes == at_once.to_bytes(), "STILLTHERE_SEED={seed}, round {round}");
            assert_eq!((map.len(), map.is_empty()), (model.len(), model.is_empty()));
            if round % 5 == 0 {
                map = AccountMap::from_bytes(&bytes).unwrap();
            }
        }
    }
}

/// A dump without an account is as good as the map without it, and does not show where it was.
#[test]
fn accounts_are_taken_out_of_a_dump() {
    let from = seed();
    for seed in from..from + 30 {
        let mut random = Random::new(seed);
        // So many that there are two groups are not made for each.
        let many = if seed == from { 1600 } else { 0 };
        for count in [1, 2, 3, 4, 7, 40, many] {
            let mut model: BTreeMap<MapKey, Digest> = BTreeMap::new();
            for _ in 0..count {
                let known: Vec<MapKey> = model.keys().copied().collect();
                let bits = random.under(251) as u16;
                let is_beside = !known.is_empty() && random.under(3) == 0;
                let key = match is_beside {
                    true => random.key_beside(&known, bits),
                    false => MapKey(random.bytes()),
                };
                model.insert(key, random.bytes());
            }
            let of = |model: &BTreeMap<MapKey, Digest>| {
                let mut map = AccountMap::default();
                map.apply(model.iter().map(|(key, hash)| (*key, Some(*hash))).collect());
                map
            };
            let mut bytes = of(&model).to_bytes();
            assert_eq!(bytes.len() as u64, AccountMap::length(model.len()));
            // One after the other, until none is left: the first, the last, those beside each other too. Of many, a few.
            for n in 0..count.min(40) {
                let keys: Vec<MapKey> = model.keys().copied().collect();
                let key = match random.under(4) {
                    0 => keys[0],
                    1 => keys[keys.len() - 1],
                    _ => keys[random.under(keys.len() as u64) as usize],
                };
                let without = |key: &MapKey, bytes: &[u8]| {
                    let read = |at: u64, out: &mut [u8]| {
                        let there = bytes.get(at as usize..at as usize + out.len());
                        there.map(|there| out.copy_from_slice(there)).ok_or(at)
                    };
                    AccountMap::without(key, read).unwrap()
                };
                for (at, piece) in without(&key, &bytes) {
                    bytes[at as usize..at as usize + piece.len()].copy_from_slice(&piece);
                }
                let hash = model.remove(&key).unwrap();
                assert_eq!(without(&key, &bytes), []);
                if n == 0 && count < 1024 {
                    let other = MapKey(random.bytes());
                    let mut others = model.clone();
                    others.insert(other, hash);
                    let mut there = of(&others).to_bytes();
                    for (at, piece) in without(&other, &there) {
                        there[at as usize..at as usize + piece.len()].copy_from_slice(&piece);
                    }
                    assert!(there == bytes, "STILLTHERE_SEED={seed}, of {count}: it shows where");
                }
                assert!(model.keys().all(|key| !without(key, &bytes).is_empty()));
                let map = AccountMap::from_bytes(&bytes).unwrap();
                assert_eq!(map.root(), of(&model).root(), "STILLTHERE_SEED={seed}, of {count}");
                assert!(map.to_bytes() == of(&model).to_bytes());
                assert!(!bytes.windows(32).any(|piece| piece == key.0));
            }
        }
    }
}

/// What is not touched is not hashed again.
#[test]
fn only_what_changed_climbs() {
    let mut random = Random::new(seed());
    let mut map = AccountMap::default();
    let keys: Vec<_> = (0..1000).map(|_| MapKey(random.bytes())).collect();
    let mut climbs = 0;
    let mut apply = |changes: Vec<(MapKey, Option<Digest>)>| {
        climbs = 0;
        map.apply_with(changes, &mut |work| {
            climbs += work.len();
            let (a, b) = work.split_at_mut(work.len() / 3);
            Climb::run(b);
            Climb::run(a);
        });
        climbs
    };
    assert_eq!(apply(keys.iter().map(|key| (*key, Some([1; 32]))).collect()), 1000);
    assert_eq!(apply(keys.iter().map(|key| (*key, Some([1; 32]))).collect()), 0);
    assert_eq!(apply(keys[..7].iter().map(|key| (*key, Some([2; 32]))).collect()), 7);
    // A new one, and one that was alone where their ways now part; one that is alone earlier.
    assert!(apply(vec![(MapKey(random.bytes()), Some([3; 32]))]) <= 2);
    assert!(apply(vec![(keys[9], None)]) <= 1);
}

/// `cargo test --release -p stillthere-commitment -- --ignored --nocapture a_million`
#[test]
#[ignore = "a measurement"]
fn a_million_accounts() {
    const COUNT: u64 = 1_000_000;
    /// Time on a processor: the machine may have other work. Elsewhere than on Linux, time.
    struct Clock(std::time::Instant, u64);
    fn cpu_ns() -> Option<u64> {
        let text = std::fs::read_to_string("/proc/thread-self/schedstat").ok()?;
        text.split_whitespace().next()?.parse().ok()
    }
    impl Clock {
        fn now() -> Clock {
            Clock(std::time::Instant::now(), cpu_ns().unwrap_or_default())
        }
    }
    let timed = |what: &str, from: Clock| {
        let real = from.0.elapsed().as_secs_f64() * 1e3;
        let cpu = cpu_ns().map_or(real, |now| (now - from.1) as f64 / 1e6);
        println!("{what}: {cpu:.1} ms of this thread, {real:.1} ms in all");
    };
    let secret = |n: u64| {
        let mut secret = [3; 32];
        secret[..8].copy_from_slice(&n.to_le_bytes());
        secret
    };
    let leaf = |n: u64, count: u64| {
        (
            MapKey::of("stillthere.example/log", &format!("account-{n}")),
            MapLeaf::of(&secret(n), &secret(!n), count),
        )
    };
    let from = Clock::now();
    let accounts: Vec<_> = (0..COUNT).map(|n| leaf(n, 7)).collect();
    timed("keys and blinds of 1M", from);
    let from = Clock::now();
    let hashes = MapLeaf::hash_all(&accounts);
    timed("leaves of 1M", from);
    let changes = accounts.iter().zip(&hashes).map(|((key, _), hash)| (*key, Some(*hash)));
    let changes: Vec<_> = changes.collect();
    let mut map = AccountMap::default();
    let from = Clock::now();
    map.apply(changes.clone());
    timed("build of 1M", from);
    let mut halves = AccountMap::default();
    let from = Clock::now();
    halves.apply_with(changes, &mut |work| {
        let (a, b) = work.split_at_mut(work.len() / 2);
        std::thread::scope(|scope| {
            scope.spawn(|| Climb::run(a));
            Climb::run(b);
        });
    });
    timed("build of 1M, two threads", from);
    assert_eq!(halves.root(), map.root());
    let from = Clock::now();
    let bytes = map.to_bytes();
    timed(&format!("dump of {} bytes", bytes.len()), from);
    let from = Clock::now();
    let mut map = AccountMap::from_bytes(&bytes).unwrap();
    timed("load", from);
    let from = Clock::now();
    let changed: Vec<_> = (0..10_000).map(|n| leaf(n * 97, 8)).collect();
    let hashes = MapLeaf::hash_all(&changed);
    let changes = changed.iter().zip(hashes).map(|((key, _), hash)| (*key, Some(hash)));
    let changes: Vec<_> = changes.collect();
    timed("keys, blinds and leaves of 10k", from);
    let from = Clock::now();
    map.apply(changes);
    timed("10k changed of 1M", from);
    let changed: Vec<_> = (COUNT..COUNT + 10_000).map(|n| leaf(n, 1)).collect();
    let changes = changed.iter().map(|(key, leaf)| (*key, Some(leaf.hash(key)))).collect();
    let from = Clock::now();
    map.apply(changes);
    timed("10k added to 1M", from);
    let taken = (0..10_000).map(|n| (leaf(n * 97 + 1, 0).0, None)).collect();
    let from = Clock::now();
    map.apply(taken);
    timed("10k taken out of 1M", from);

    let root = map.root();
    let sizes = |which: &str, proofs: Vec<(MapKey, MapProof)>, from: Clock| {
        timed(&format!("{} proofs of {which}", proofs.len()), from);
        let mut sizes: Vec<_> = proofs.iter().map(|(_, proof)| proof.encode().len()).collect();
        sizes.sort_unstable();
        let (min, median, max) = (sizes[0], sizes[sizes.len() / 2], sizes[sizes.len() - 1]);
        println!("{which}: {min} / {median} / {max} bytes");
        let from = Clock::now();
        for (key, proof) in &proofs {
            proof.check(key, &root).unwrap();
        }
        timed(&format!("{} checks", proofs.len()), from);
    };
    let from = Clock::now();
    let there = (COUNT..COUNT + 10_000).map(|n| leaf(n, 1));
    let there = there.map(|(key, leaf)| (key, map.prove(&key, leaf).unwrap())).collect();
    sizes("membership", there, from);
    let from = Clock::now();
    let absent = (2 * COUNT..2 * COUNT + 10_000).map(|n| leaf(n, 1).0);
    sizes("absence", absent.map(|key| (key, map.prove_absence(&key).unwrap())).collect(), from);
}

#[test]
fn hostile_dumps_are_refused_or_are_maps() {
    let mut random = Random::new(seed());
    for count in [0, 1, 2, 3, 12] {
        let made = made(count, &mut random);
        let bytes = made.map.to_bytes();
        let loaded = AccountMap::from_bytes(&bytes).unwrap();
        assert_eq!((loaded.root(), loaded.to_bytes()), (made.map.root(), bytes.clone()));
        let try_one = |bytes: &[u8]| {
            let Ok(mut map) = AccountMap::from_bytes(bytes) else { return };
            assert_eq!(map.to_bytes(), bytes);
            for (key, leaf) in &made.accounts {
                _ = map.prove(key, *leaf);
                _ = map.prove_absence(key);
            }
            map.apply(made.accounts.iter().map(|(key, _)| (*key, Some([9; 32]))).collect());
            map.apply(made.accounts.iter().map(|(key, _)| (*key, None)).collect());
        };
        for at in 0..bytes.len() {
            for change in [1, 0x80, 0xff] {
                let mut changed = bytes.clone();
                changed[at] ^= change;
                try_one(&changed);
            }
            assert!(AccountMap::from_bytes(&bytes[..at]).is_err());
        }
        assert!(AccountMap::from_bytes(&[&bytes[..], &[0; 96]].concat()).is_err());
        for _ in 0..200 {
            let mut changed = bytes.clone();
            for _ in 0..1 + random.under(40) {
                let at = random.under(bytes.len() as u64) as usize;
                let from = random.under(bytes.len() as u64) as usize;
                let len = (random.under(32) as usize).min(bytes.len() - at.max(from));
                changed.copy_within(from..from + len, at);
            }
            try_one(&changed);
        }
    }
    let mut claims_many = AccountMap::default().to_bytes();
    claims_many[12..16].copy_from_slice(&0x7fff_ffffu32.to_le_bytes());
    assert!(AccountMap::from_bytes(&claims_many).is_err());
}

/// A map that was loaded, with any one bit of it another: what is held of an account that then changes leads to the map
/// as it was made, or is refused.
#[test]
fn what_is_held_of_a_loaded_map_is_as_it_was_made() {
    let mut random = Random::new(5);
    let mut keys: Vec<MapKey> = Vec::new();
    for n in 0..9 {
        // Some share long beginnings.
        let key = if n < 5 { MapKey(random.bytes()) } else { random.key_beside(&keys, 40) };
        keys.push(key);
    }
    let leaves: Vec<(MapKey, Digest)> = keys.iter().map(|key| (*key, random.bytes())).collect();
    let mut map = AccountMap::default();
    map.apply(leaves.iter().map(|(key, hash)| (*key, Some(*hash))).collect());
    let (bytes, root) = (map.to_bytes(), map.root());
    let new = random.key_beside(&keys, 60);
    let (changed, hash) = leaves[3];
    let mut refused = 0;
    for at in 16..bytes.len() {
        let mut forged = bytes.clone();
        forged[at] ^= 0x10;
        let Ok(mut loaded) = AccountMap::from_bytes(&forged) else { continue };
        if !loaded.hold(&[(changed, Some(hash)), (new, None)], &root) {
            refused += 1;
            continue;
        }
        // Nothing that was forged had a part in it.
        let after = |mut map: AccountMap| {
            map.apply(vec![(changed, Some([7; 32])), (new, Some([8; 32]))]);
            map.root()
        };
        assert_eq!(after(loaded), after(map.clone()), "byte {at}");
    }
    assert!(refused > 200, "{refused} refused");
    let mut loaded = AccountMap::from_bytes(&bytes).unwrap();
    assert!(loaded.hold(&[(changed, Some(hash)), (new, None)], &root));
    assert_eq!(loaded.to_bytes(), bytes);
    assert!(!loaded.hold(&[(changed, Some([1; 32]))], &root), "another leaf");
    assert!(!loaded.hold(&[(changed, None)], &root), "none where there is one");
    assert!(!loaded.hold(&[(new, Some(hash))], &root), "one where there is none");
    assert!(!loaded.hold(&[], &[1; 32]), "another root");
    assert!(AccountMap::default().hold(&[(new, None)], &EMPTY), "none in a map of none");
}
