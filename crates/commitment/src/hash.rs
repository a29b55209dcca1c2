//! The two hash functions of the log, domains and all (docs/format.md, section 2).

/// A 32-byte hash.
pub type Digest = [u8; 32];

/// What is hashed; the number goes into the hash, so that no two kinds of thing can share one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
#[allow(missing_docs, reason = "the table of docs/format.md, section 2")]
pub enum Domain {
    Content = 0,
    EventLeaf = 1,
    Secret = 2,
    Name = 3,
    NameLeaf = 4,
    ControlBody = 5,
    ControlLeaf = 6,
    ChainStart = 7,
    ChainStep = 8,
    PageNode = 9,
    MapKey = 10,
    MapLeaf = 11,
    Erased = 12,
    DerivedAccount = 128,
    DerivedId = 129,
    DerivedEvent = 130,
}

/// What is hashed under an account's secret.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
#[allow(missing_docs, reason = "the table of docs/format.md, section 2")]
pub enum KeyedDomain {
    NameSalt = 0,
    Item = 1,
    Backup = 2,
    Category = 3,
    MapBlind = 4,
}

/// The key under which the nodes of the account map are hashed: public, and theirs alone.
pub(crate) const MAP_NODE_KEY: &[u8; 32] = b"stillthere.map.node.v1..........";
/// How many hashes are computed side by side at most.
pub(crate) const LANES: usize = blake3::platform::MAX_SIMD_DEGREE;

pub(crate) const BLOCK: usize = 64;
const SMALL: usize = 1024;

/// The first words of BLAKE3's key where none is given, and its flags (the BLAKE3 paper, 2.2, 2.3).
const IV: [u32; 8] = [
    0x6a09_e667,
    0xbb67_ae85,
    0x3c6e_f372,
    0xa54f_f53a,
    0x510e_527f,
    0x9b05_688c,
    0x1f83_d9ab,
    0x5be0_cd19,
];
const CHUNK_START: u8 = 1 << 0;
const CHUNK_END: u8 = 1 << 1;
const ROOT: u8 = 1 << 3;
const KEYED_HASH: u8 = 1 << 4;

/// `H(domain, parts)`: BLAKE3 of the parts' length, the domain and the parts, padded with zeros to
/// a multiple of 64 bytes.
///
/// # Panics
/// From 2^32 bytes on; no frame is that long.
#[must_use]
pub fn hash(domain: Domain, parts: &[&[u8]]) -> Digest {
    let len: usize = parts.iter().map(|p| p.len()).sum();
    let prefix = u32::try_from(len).expect("under 2^32 bytes").to_le_bytes();
    let padded = (len + 5).next_multiple_of(BLOCK);
    if padded <= SMALL {
        let mut buffer = [0; SMALL];
        buffer[..4].copy_from_slice(&prefix);
        buffer[4] = domain as u8;
        let mut at = 5;
        for part in parts {
            buffer[at..at + part.len()].copy_from_slice(part);
            at += part.len();
        }
        return *blake3::hash(&buffer[..padded]).as_bytes();
    }
    let mut hasher = blake3::Hasher::new();
    hasher.update(&prefix).update(&[domain as u8]);
    for part in parts {
        hasher.update(part);
    }
    hasher.update(&[0; BLOCK][..padded - len - 5]);
    *hasher.finalize().as_bytes()
}

/// `H(domain, a ‖ b)` of each pair, side by side where the machine can: sixteen hashes for little more
/// than the price of one.
///
/// It calls a part of blake3 that its documentation hides, as [`keyed`] and `map_nodes` do, so the
/// crate's version is pinned; tests hold them equal to what is documented.
#[must_use]
pub fn hash_pairs(domain: Domain, pairs: &[[&[u8]; 2]]) -> Vec<Digest> {
    let blocks = |[a, b]: &[&[u8]; 2]| (a.len() + b.len() + 5).div_ceil(BLOCK);
    let mut digests = vec![[0; 32]; pairs.len()];
    let mut alike: [Vec<usize>; 5] = Default::default();
    for (n, pair) in pairs.iter().enumerate() {
        match alike.get_mut(blocks(pair)) {
            Some(alike) => alike.push(n),
            None => digests[n] = hash(domain, pair),
        }
    }
    let [_, one, two, three, four] = alike;
    hash_alike::<BLOCK>(domain, pairs, &one, &mut digests);
    hash_alike::<{ 2 * BLOCK }>(domain, pairs, &two, &mut digests);
    hash_alike::<{ 3 * BLOCK }>(domain, pairs, &three, &mut digests);
    hash_alike::<{ 4 * BLOCK }>(domain, pairs, &four, &mut digests);
    digests
}

/// Those of one padded length.
fn hash_alike<const N: usize>(
    domain: Domain,
    pairs: &[[&[u8]; 2]],
    which: &[usize],
    digests: &mut [Digest],
) {
    use blake3::IncrementCounter;
    use blake3::platform::{MAX_SIMD_DEGREE, Platform};
    if which.is_empty() {
        return;
    }
    let platform = Platform::detect();
    let mut padded = [[0; N]; MAX_SIMD_DEGREE];
    let mut hashed = [0; 32 * MAX_SIMD_DEGREE];
    for which in which.chunks(MAX_SIMD_DEGREE) {
        for (padded, n) in padded.iter_mut().zip(which) {
            let [a, b] = pairs[*n];
            let len = a.len() + b.len();
            padded[..4].copy_from_slice(&(len as u32).to_le_bytes());
            padded[4] = domain as u8;
            padded[5..5 + a.len()].copy_from_slice(a);
            padded[5 + a.len()..5 + len].copy_from_slice(b);
            padded[5 + len..].fill(0);
        }
        let inputs: [&[u8; N]; MAX_SIMD_DEGREE] = std::array::from_fn(|n| &padded[n]);
        let no = IncrementCounter::No;
        let (inputs, end) = (&inputs[..which.len()], CHUNK_END | ROOT);
        platform.hash_many(inputs, &IV, 0, no, 0, CHUNK_START, end, &mut hashed);
        for (n, hashed) in which.iter().zip(hashed.as_chunks::<32>().0) {
            digests[*n] = *hashed;
        }
    }
}

/// BLAKE3 of each of some blocks, keyed with [`MAP_NODE_KEY`]: one compression each, at most [`LANES`] of
/// them. `out` has 32 bytes for each.
pub(crate) fn map_nodes(blocks: &[&[u8; BLOCK]], out: &mut [u8]) {
    use blake3::IncrementCounter;
    const KEY: [u32; 8] = words(MAP_NODE_KEY);
    let platform = blake3::platform::Platform::detect();
    let (start, end, no) = (CHUNK_START, CHUNK_END | ROOT, IncrementCounter::No);
    platform.hash_many(blocks, &KEY, 0, no, KEYED_HASH, start, end, out);
}

/// [`hash_pairs`] of pairs that are all of the same two lengths, which come to two blocks (leaves, chain
/// steps, nodes): what has a fixed length is copied much more quickly.
pub(crate) fn hash_fixed<'a, const A: usize, const B: usize>(
    domain: Domain,
    mut pairs: impl ExactSizeIterator<Item = (&'a [u8; A], &'a [u8; B])>,
) -> Vec<Digest> {
    use blake3::IncrementCounter::No;
    use blake3::platform::{MAX_SIMD_DEGREE, Platform};
    const { assert!(A + B + 5 > BLOCK && A + B + 5 <= 2 * BLOCK) };
    let platform = Platform::detect();
    let mut first = [0; 2 * BLOCK];
    first[..4].copy_from_slice(&((A + B) as u32).to_le_bytes());
    first[4] = domain as u8;
    let mut padded = [first; MAX_SIMD_DEGREE];
    let mut hashed = [0; 32 * MAX_SIMD_DEGREE];
    let mut digests = Vec::with_capacity(pairs.len());
    loop {
        let mut count = 0;
        for (padded, (a, b)) in padded.iter_mut().zip(&mut pairs) {
            padded[5..5 + A].copy_from_slice(a);
            padded[5 + A..5 + A + B].copy_from_slice(b);
            count += 1;
        }
        if count == 0 {
            return digests;
        }
        let inputs: [&[u8; 2 * BLOCK]; MAX_SIMD_DEGREE] = padded.each_ref();
        let end = CHUNK_END | ROOT;
        platform.hash_many(&inputs[..count], &IV, 0, No, 0, CHUNK_START, end, &mut hashed);
        digests.extend_from_slice(&hashed.as_chunks::<32>().0[..count]);
    }
}

/// `K(secret, domain, text)`: 16 bytes of keyed BLAKE3. Without the secret it says nothing about
/// the text, and nobody can test a guess.
#[must_use]
pub fn keyed(secret: &[u8; 32], domain: KeyedDomain, text: &[u8]) -> [u8; 16] {
    first(&keyed_whole(secret, domain, text))
}

/// All 32 bytes of the hash of which `K` is the first half.
pub(crate) fn keyed_whole(secret: &[u8; 32], domain: KeyedDomain, text: &[u8]) -> Digest {
    if text.len() >= BLOCK {
        let hash =
            blake3::Hasher::new_keyed(secret).update(&[domain as u8]).update(text).finalize();
        return *hash.as_bytes();
    }
    // A hasher takes longer to set up than one block to hash.
    let mut words = words(secret);
    let mut block = [0; BLOCK];
    block[0] = domain as u8;
    block[1..=text.len()].copy_from_slice(text);
    let flags = KEYED_HASH | CHUNK_START | CHUNK_END | ROOT;
    let len = text.len() as u8 + 1;
    blake3::platform::Platform::detect().compress_in_place(&mut words, &block, len, 0, flags);
    let mut hash = [0; 32];
    for (bytes, word) in hash.as_chunks_mut::<4>().0.iter_mut().zip(words) {
        *bytes = word.to_le_bytes();
    }
    hash
}

const fn words(key: &[u8; 32]) -> [u32; 8] {
    let mut words = [0; 8];
    let mut n = 0;
    while n < 8 {
        let at = 4 * n;
        words[n] = u32::from_le_bytes([key[at], key[at + 1], key[at + 2], key[at + 3]]);
        n += 1;
    }
    words
}

/// The first bytes of a hash.
pub(crate) fn first<const N: usize>(hash: &[u8]) -> [u8; N] {
    hash[..N].try_into().expect("shorter than the hash")
}

/// Lowercase hexadecimal.
#[must_use]
pub fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write;
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

/// The bytes of a hexadecimal text of either case, if it is one.
#[must_use]
pub fn unhex(text: &str) -> Option<Vec<u8>> {
    let digit = |c: u8| (c as char).to_digit(16).and_then(|d| u8::try_from(d).ok());
    let pairs = text.as_bytes().chunks_exact(2);
    if !pairs.remainder().is_empty() {
        return None;
    }
    pairs.map(|pair| Some(digit(pair[0])? << 4 | digit(pair[1])?)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn short_and_long_paths_agree() {
        for len in [0, 1, 58, 59, 60, 62, 63, 64, 123, 1018, 1019, 1020, 1023, 1024, 5000] {
            let text = vec![7; len];
            let mut plain = u32::try_from(len).unwrap().to_le_bytes().to_vec();
            plain.push(8);
            plain.extend_from_slice(&text);
            plain.resize(plain.len().next_multiple_of(64), 0);
            let (a, b) = text.split_at(len / 3);
            assert_eq!(hash(Domain::ChainStep, &[a, b]), *blake3::hash(&plain).as_bytes(), "{len}");

            let mut keyed_plain = vec![2];
            keyed_plain.extend_from_slice(&text);
            let whole = blake3::keyed_hash(&[9; 32], &keyed_plain);
            assert_eq!(keyed(&[9; 32], KeyedDomain::Backup, &text), whole.as_bytes()[..16]);
            assert_eq!(keyed_whole(&[9; 32], KeyedDomain::Backup, &text), *whole.as_bytes());
        }
    }

    /// Every length around the borders of blocks, as many at once as a register holds and more.
    #[test]
    fn many_are_hashed_as_one_is() {
        let text: Vec<u8> = (0..400u32).map(|n| (n * 7) as u8).collect();
        for count in [0, 1, 2, 15, 16, 17, 40] {
            for len in [0usize, 1, 58, 59, 60, 122, 123, 124, 187, 188, 250, 251, 252, 400] {
                let cut = |n: usize| {
                    let len = len.saturating_sub(n % 3);
                    let (a, b) = text[..len].split_at(len * n / 40);
                    [a, b]
                };
                let pairs: Vec<_> = (0..count).map(cut).collect();
                let expected: Vec<_> = pairs.iter().map(|p| hash(Domain::Content, p)).collect();
                assert_eq!(hash_pairs(Domain::Content, &pairs), expected, "{count} of {len}");
            }
        }
    }

    #[test]
    fn many_nodes_are_hashed_as_one_is() {
        let blocks: Vec<[u8; BLOCK]> = (0..LANES).map(|n| [n as u8 ^ 0x5a; BLOCK]).collect();
        for count in 0..=LANES {
            let blocks: Vec<_> = blocks[..count].iter().collect();
            let mut out = vec![0; 32 * count];
            map_nodes(&blocks, &mut out);
            for (block, out) in blocks.iter().zip(out.as_chunks::<32>().0) {
                assert_eq!(blake3::keyed_hash(MAP_NODE_KEY, &block[..]).as_bytes(), out);
            }
        }
    }

    #[test]
    fn those_of_fixed_lengths_are_hashed_alike() {
        for count in [0, 1, 15, 16, 17, 40u8] {
            let texts: Vec<_> = (0..count).map(|n| ([n; 40], [n + 100; 32])).collect();
            let found = hash_fixed(Domain::EventLeaf, texts.iter().map(|(a, b)| (a, b)));
            let plain = |(a, b): &([u8; 40], [u8; 32])| hash(Domain::EventLeaf, &[a, b]);
            assert_eq!(found, texts.iter().map(plain).collect::<Vec<_>>(), "{count}");
        }
    }

    #[test]
    fn hexadecimal_comes_back() {
        assert_eq!(hex(&[0, 171, 255]), "00abff");
        assert_eq!(unhex("00aBff"), Some(vec![0, 171, 255]));
        assert_eq!(unhex("0"), None);
        assert_eq!(unhex("0g"), None);
        assert_eq!(unhex("é"), None);
    }
}
