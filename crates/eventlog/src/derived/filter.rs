//! A filter in front of a sorted list of hashes: says of most that are not in it that they are not.
//!
//! A Bloom filter in lines of 64 bytes, so that a question touches one cache line. At about 14 bits
//! a hash, one question in 300 is answered "maybe" in vain; each of these reads a block of the list.

use super::bytes::Parsed;

const LINE_WORDS: usize = 8;
const BITS_PER_HASH: usize = 14;
/// Bits that a hash sets in its line, each chosen by 9 bits of the hash.
const PROBES: u32 = 7;

/// Over 16-byte hashes whose bits are evenly spread.
#[derive(Debug)]
pub(crate) struct Filter {
    lines: Vec<[u64; LINE_WORDS]>,
}

impl Filter {
    /// An empty one with room for `count`.
    pub(crate) fn new(count: u64) -> Filter {
        let lines = (count as usize * BITS_PER_HASH).div_ceil(64 * LINE_WORDS).max(1);
        Filter { lines: vec![[0; LINE_WORDS]; lines] }
    }

    pub(crate) fn insert(&mut self, hash: &[u8; 16]) {
        let line = self.line(hash);
        for (word, bit) in bits(hash) {
            self.lines[line][word] |= bit;
        }
    }

    /// False: it was never put in.
    pub(crate) fn may_contain(&self, hash: &[u8; 16]) -> bool {
        let line = &self.lines[self.line(hash)];
        bits(hash).all(|(word, bit)| line[word] & bit != 0)
    }

    /// By the leading bytes, so that hashes in order go through the lines in order.
    fn line(&self, hash: &[u8; 16]) -> usize {
        let lead = u64::from_be_bytes(hash[..8].try_into().expect("8 bytes"));
        ((u128::from(lead) * self.lines.len() as u128) >> 64) as usize
    }

    pub(super) fn encode(&self) -> Vec<u8> {
        self.lines.as_flattened().iter().flat_map(|word| word.to_le_bytes()).collect()
    }

    pub(super) fn decode(bytes: &[u8]) -> Parsed<Filter> {
        let (lines, rest) = bytes.as_chunks::<{ 8 * LINE_WORDS }>();
        if lines.is_empty() || !rest.is_empty() {
            return Err("a filter is not made of whole lines");
        }
        let word = |line: &[u8], i: usize| super::bytes::u64_at(line, 8 * i);
        let lines = lines.iter().map(|line| std::array::from_fn(|i| word(line, i))).collect();
        Ok(Filter { lines })
    }
}

fn bits(hash: &[u8; 16]) -> impl Iterator<Item = (usize, u64)> {
    let choice = u64::from_be_bytes(hash[8..].try_into().expect("8 bytes"));
    (0..PROBES).map(move |probe| {
        let bit = (choice >> (9 * probe)) as usize % (64 * LINE_WORDS);
        (bit / 64, 1 << (bit % 64))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_put_in_is_found_and_little_else() {
        for count in [0u64, 1, 51, 52, 10_000] {
            let hash = |n: u64| blake3::hash(&n.to_le_bytes()).as_bytes()[..16].try_into().unwrap();
            let mut filter = Filter::new(count);
            (0..count).for_each(|n| filter.insert(&hash(n)));
            let filter = Filter::decode(&filter.encode()).unwrap();
            assert!((0..count).all(|n| filter.may_contain(&hash(n))));
            let vain = (count..count + 10_000).filter(|n| filter.may_contain(&hash(*n))).count();
            assert!(vain < 80, "{vain} of 10000 in vain with {count}");
        }
        assert!(Filter::decode(&[]).is_err());
        assert!(Filter::decode(&[0; 65]).is_err());
    }
}
