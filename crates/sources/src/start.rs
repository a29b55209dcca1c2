//! The first bytes of a file: a byte order mark is passed over, whatever the pieces.

/// The mark of UTF-8.
const MARK: &[u8] = b"\xef\xbb\xbf";

/// Holds back what may be a byte order mark.
#[derive(Debug, Default)]
pub(crate) struct Start {
    matched: usize,
    is_over: bool,
}

impl Start {
    /// The bytes to go on with: first some that were held back, then the rest of `bytes`.
    pub(crate) fn pass<'a>(&mut self, bytes: &'a [u8]) -> [&'a [u8]; 2] {
        if self.is_over {
            return [&[], bytes];
        }
        for (at, byte) in bytes.iter().enumerate() {
            if self.matched < MARK.len() && *byte == MARK[self.matched] {
                self.matched += 1;
                continue;
            }
            self.is_over = true;
            return match self.matched == MARK.len() {
                true => [&[], &bytes[at..]],
                false => [&MARK[..self.matched], &bytes[at..]],
            };
        }
        [&[], &[]]
    }

    /// What is still held back when the file ends.
    pub(crate) fn end(&mut self) -> &'static [u8] {
        let is_held = !self.is_over && self.matched < MARK.len();
        self.is_over = true;
        if is_held { &MARK[..self.matched] } else { &[] }
    }
}
