//! A filter in front of a sorted list of hashes: says of most that are not in it that they are not.
//!
//! A Bloom filter in lines of 64 bytes, so that a question touches one cache line. At about 14 bits
//! a hash, one question in 300 is answered "maybe" in vain; each of these reads a block of the list.
//!
//! In a file it is in blocks of 64 lines. The hashes of a line are neighbours in their order, so a line is made anew of those
//! that are left of them.

use super::DerivedError;
use super::bytes::u64_at;
use super::file::{BlockReader, BlockWriter, CHECKSUM_BYTES, Patch, Span};

const LINE_WORDS: usize = 8;
const LINE_BYTES: usize = 8 * LINE_WORDS;
const BLOCK_BYTES: u64 = 64 * LINE_BYTES as u64;
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

    fn line(&self, hash: &[u8; 16]) -> usize {
        line_of(self.lines.len() as u64, hash) as usize
    }

    /// Writes it; gives where it begins, and how many bytes it has without those of checksums.
    pub(super) fn write(&self, file: &mut BlockWriter) -> Result<Span, DerivedError> {
        let words = self.lines.as_flattened().iter();
        let bytes: Vec<u8> = words.flat_map(|word| word.to_le_bytes()).collect();
        let span = Span { offset: file.at(), bytes: bytes.len() as u64 };
        bytes.chunks(BLOCK_BYTES as usize).try_for_each(|block| file.block(block).map(drop))?;
        Ok(span)
    }

    /// Reads what [`Filter::write`] wrote.
    pub(super) fn read(file: &BlockReader, span: Span) -> Result<Filter, DerivedError> {
        if span.bytes == 0 || !span.bytes.is_multiple_of(LINE_BYTES as u64) {
            return Err(file.damaged(span.offset, "a filter is not made of whole lines"));
        }
        let mut filter = Filter { lines: Vec::new() };
        let mut buffer = Vec::new();
        for number in 0..span.bytes.div_ceil(BLOCK_BYTES) {
            file.read(block_of(span, number), &mut buffer)?;
            let word = |line: &[u8], i: usize| u64_at(line, 8 * i);
            let lines = buffer.as_chunks::<LINE_BYTES>().0.iter();
            filter.lines.extend(lines.map(|line| std::array::from_fn(|i| word(line, i))));
        }
        Ok(filter)
    }

    /// How many lines there are in a file.
    pub(super) const fn lines(span: Span) -> u64 {
        span.bytes / LINE_BYTES as u64
    }

    /// Puts these hashes into a line of a file, and no others.
    pub(super) fn remake(
        patch: &mut Patch<'_>,
        span: Span,
        line: u64,
        hashes: &[[u8; 16]],
    ) -> Result<(), DerivedError> {
        let mut words = [0u64; LINE_WORDS];
        for (word, bit) in hashes.iter().flat_map(bits) {
            words[word] |= bit;
        }
        let at = line * LINE_BYTES as u64;
        let block = patch.change(block_of(span, at / BLOCK_BYTES))?;
        let at = (at % BLOCK_BYTES) as usize;
        block[at..at + LINE_BYTES].copy_from_slice(words.map(u64::to_le_bytes).as_flattened());
        Ok(())
    }
}

/// Where a block of a filter lies.
fn block_of(span: Span, number: u64) -> Span {
    let begin = number * BLOCK_BYTES;
    let offset = span.offset + begin + number * CHECKSUM_BYTES as u64;
    Span { offset, bytes: (span.bytes - begin).min(BLOCK_BYTES) }
}

/// The line of a hash: by the leading bytes, so that hashes in order go through the lines in order.
pub(super) fn line_of(lines: u64, hash: &[u8; 16]) -> u64 {
    let lead = u64::from_be_bytes(hash[..8].try_into().expect("8 bytes"));
    ((u128::from(lead) * u128::from(lines)) >> 64) as u64
}

/// The least leading bytes of a line's hashes; one above the last lines' is 2^64.
pub(super) fn first_of(lines: u64, line: u64) -> u128 {
    (u128::from(line) << 64).div_ceil(u128::from(lines))
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
    fn lines_begin_where_the_ones_before_end() {
        for lines in [1, 2, 3, 7, 64, 1000, 12_345_678] {
            for line in (0..lines).step_by(1 + lines as usize / 50) {
                let (first, end) = (first_of(lines, line), first_of(lines, line + 1));
                for (lead, of) in [(first, line), (end - 1, line)] {
                    let mut hash = [0xaa; 16];
                    hash[..8].copy_from_slice(&(lead as u64).to_be_bytes());
                    assert_eq!(line_of(lines, &hash), of, "{lead} of {lines}");
                }
                assert!(line == 0 || line_of(lines, &before(first)) == line - 1);
            }
            assert_eq!(first_of(lines, lines), 1 << 64);
        }
        fn before(first: u128) -> [u8; 16] {
            (((first - 1) << 64) | 5).to_be_bytes()
        }
    }

    #[test]
    fn what_was_put_in_is_found_and_little_else() {
        for count in [0u64, 1, 51, 52, 10_000] {
            let hash = |n: u64| blake3::hash(&n.to_le_bytes()).as_bytes()[..16].try_into().unwrap();
            let mut filter = Filter::new(count);
            (0..count).for_each(|n| filter.insert(&hash(n)));
            assert!((0..count).all(|n| filter.may_contain(&hash(n))));
            let vain = (count..count + 10_000).filter(|n| filter.may_contain(&hash(*n))).count();
            assert!(vain < 80, "{vain} of 10000 in vain with {count}");
        }
    }
}
