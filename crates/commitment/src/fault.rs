//! What is wrong with bytes, and where.

/// Bytes that are not what they should be.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("at byte {offset}: expected {expected}, found {found}")]
pub struct Fault {
    /// Where, in bytes from the start of what was read.
    pub offset: u64,
    /// What should stand there.
    pub expected: String,
    /// What stands there.
    pub found: String,
}

impl Fault {
    pub(crate) fn new(
        offset: usize,
        expected: impl Into<String>,
        found: impl Into<String>,
    ) -> Fault {
        Fault { offset: offset as u64, expected: expected.into(), found: found.into() }
    }

    /// The same fault of something that begins `by` bytes further on.
    #[must_use]
    pub fn moved(mut self, by: u64) -> Fault {
        self.offset += by;
        self
    }
}

/// Refuses where two values differ.
pub(crate) fn same<T: PartialEq + std::fmt::Display>(
    offset: usize,
    what: &str,
    expected: T,
    found: T,
) -> Result<(), Fault> {
    if expected == found {
        return Ok(());
    }
    Err(Fault::new(offset, format!("{what} {expected}"), found.to_string()))
}

/// Refuses where two byte strings differ. It is asked of every frame: in place, where their length is known, it is one
/// comparison.
#[inline]
pub(crate) fn same_bytes(
    offset: usize,
    what: &str,
    expected: &[u8],
    found: &[u8],
) -> Result<(), Fault> {
    if expected == found {
        return Ok(());
    }
    Err(differ(offset, what, expected, found))
}

#[cold]
fn differ(offset: usize, what: &str, expected: &[u8], found: &[u8]) -> Fault {
    Fault::new(offset, format!("{what} {}", crate::hex(expected)), crate::hex(found))
}

/// Refuses padding that is used.
pub(crate) fn zero(offset: usize, found: &[u8]) -> Result<(), Fault> {
    match found.iter().position(|b| *b != 0) {
        None => Ok(()),
        Some(at) => Err(Fault::new(offset + at, "padding of zeros", format!("{:#04x}", found[at]))),
    }
}

/// A count or an offset at an offset. None comes near 2^63, and so sums of some cannot overflow.
pub(crate) fn number(bytes: &[u8], offset: usize) -> Result<u64, Fault> {
    let number = u64::from_le_bytes(at(bytes, offset));
    if number >> 62 != 0 {
        return Err(Fault::new(offset, "a number under 2^62", number.to_string()));
    }
    Ok(number)
}

/// `N` bytes at an offset. The caller has checked the length.
pub(crate) fn at<const N: usize>(bytes: &[u8], offset: usize) -> [u8; N] {
    bytes[offset..offset + N].try_into().expect("the length was checked")
}
