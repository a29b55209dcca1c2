//! Numbers and strings in the bytes of derived files: little-endian, LEB128 where they are small.

/// What a decoder says of bytes that are not what an encoder writes.
pub(super) type Parsed<T> = Result<T, &'static str>;

/// Appends `n` in groups of 7 bits, the lowest first, the high bit set where another follows.
pub(super) fn put_varint(out: &mut Vec<u8>, mut n: u64) {
    while n >= 0x80 {
        out.push(n as u8 | 0x80);
        n >>= 7;
    }
    out.push(n as u8);
}

/// Appends the length in bytes, then the bytes.
pub(super) fn put_str(out: &mut Vec<u8>, text: &str) {
    put_varint(out, text.len() as u64);
    out.extend_from_slice(text.as_bytes());
}

/// The 8 bytes at `at` as a little-endian number.
///
/// # Panics
/// If they are not there.
pub(super) fn u64_at(bytes: &[u8], at: usize) -> u64 {
    u64::from_le_bytes(bytes[at..at + 8].try_into().expect("8 bytes"))
}

/// The 4 bytes at `at` as a little-endian number, if they are there.
pub(super) fn u32_at(bytes: &[u8], at: usize) -> Parsed<usize> {
    let four = bytes.get(at..at.saturating_add(4)).ok_or("it ends early")?;
    Ok(u32::from_le_bytes(four.try_into().expect("4 bytes")) as usize)
}

/// Reads from the front of a slice.
#[derive(Debug, Clone, Copy)]
pub(super) struct Input<'a>(pub(super) &'a [u8]);

impl<'a> Input<'a> {
    pub(super) fn take(&mut self, count: usize) -> Parsed<&'a [u8]> {
        let (head, tail) = self.0.split_at_checked(count).ok_or("it ends early")?;
        self.0 = tail;
        Ok(head)
    }

    pub(super) fn array<const N: usize>(&mut self) -> Parsed<[u8; N]> {
        Ok(self.take(N)?.try_into().expect("N bytes"))
    }

    pub(super) fn varint(&mut self) -> Parsed<u64> {
        let mut n = 0u64;
        for shift in (0..64).step_by(7) {
            let byte = self.take(1)?[0];
            n |= u64::from(byte & 0x7f) << shift;
            if byte < 0x80 {
                return Ok(n);
            }
        }
        Err("a number has more than 64 bits")
    }

    /// A count of things of at least one byte each, so that it cannot be beyond what is left.
    pub(super) fn count(&mut self) -> Parsed<usize> {
        let n = self.varint()?;
        if n > self.0.len() as u64 { Err("a count is beyond the end") } else { Ok(n as usize) }
    }

    pub(super) fn text(&mut self, bytes: usize) -> Parsed<&'a str> {
        std::str::from_utf8(self.take(bytes)?).map_err(|_| "a string is not UTF-8")
    }

    pub(super) fn str(&mut self) -> Parsed<&'a str> {
        let bytes = self.count()?;
        self.text(bytes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_come_back() {
        for n in [0, 1, 0x7f, 0x80, 0x3fff, 0x4000, u64::from(u32::MAX), u64::MAX - 1, u64::MAX] {
            let mut out = Vec::new();
            put_varint(&mut out, n);
            let mut input = Input(&out);
            assert_eq!(input.varint(), Ok(n));
            assert!(input.0.is_empty());
            for cut in 0..out.len() {
                assert_eq!(Input(&out[..cut]).varint(), Err("it ends early"), "{n}");
            }
        }
    }

    #[test]
    fn what_is_not_there_is_an_error() {
        assert_eq!(Input(&[0x80; 11]).varint(), Err("a number has more than 64 bits"));
        assert_eq!(Input(&[3, b'a', b'b']).str(), Err("a count is beyond the end"));
        assert_eq!(Input(&[1, 0xff]).str(), Err("a string is not UTF-8"));
        assert_eq!(Input(&[1, b'a']).str(), Ok("a"));
        assert_eq!(u32_at(&[1, 0, 0, 0], 0), Ok(1));
        assert_eq!(u32_at(&[1, 0, 0, 0], 1), Err("it ends early"));
        assert_eq!(u32_at(&[1, 0, 0, 0], usize::MAX), Err("it ends early"));
    }
}
