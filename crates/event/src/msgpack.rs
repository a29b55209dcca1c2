//! The part of MessagePack that canonical bytes use, read strictly: each value has one spelling.
//!
//! Every method reads the value that comes next, or says at which byte it is not what its name (and
//! `what`, for the message) asks for.

use rmp::Marker;

use crate::canonical::{CanonicalError, Problem};

/// Reads values one after the other and knows where it is.
pub struct Reader<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Reader<'a> {
    /// At the first of `bytes`.
    #[must_use]
    pub fn new(bytes: &'a [u8]) -> Reader<'a> {
        Reader { bytes, at: 0 }
    }

    /// The offset of the next byte.
    #[must_use]
    pub fn offset(&self) -> usize {
        self.at
    }

    /// Holds that every byte was read.
    pub fn finish(self) -> Result<(), CanonicalError> {
        if self.at == self.bytes.len() { Ok(()) } else { Err(Problem::Trailing.at(self.at)) }
    }

    fn marker(&self, expected: &'static str) -> Result<Marker, CanonicalError> {
        match self.bytes.get(self.at) {
            Some(byte) => Ok(Marker::from_u8(*byte)),
            None => Err(Problem::Ends(expected).at(self.at)),
        }
    }

    /// The `N` bytes after the marker, as a big-endian number; `least` is the smallest that has no
    /// shorter spelling.
    fn wide<const N: usize>(&mut self, least: u64) -> Result<u64, CanonicalError> {
        let start = self.at;
        let end = start + 1 + N;
        let bytes = self.bytes.get(start + 1..end).ok_or(Problem::Ends("a number").at(start))?;
        let value = bytes.iter().fold(0, |value, byte| value << 8 | u64::from(*byte));
        if value < least {
            return Err(Problem::NotShortest.at(start));
        }
        self.at = end;
        Ok(value)
    }

    /// A whole number from 0 to `most`.
    pub fn uint(&mut self, what: &'static str, most: u64) -> Result<u64, CanonicalError> {
        let start = self.at;
        let value = match self.marker(what)? {
            Marker::FixPos(value) => {
                self.at += 1;
                u64::from(value)
            }
            Marker::U8 => self.wide::<1>(0x80)?,
            Marker::U16 => self.wide::<2>(0x100)?,
            Marker::U32 => self.wide::<4>(0x1_0000)?,
            Marker::U64 => self.wide::<8>(0x1_0000_0000)?,
            _ => return Err(Problem::Expected(what).at(start)),
        };
        if value > most { Err(Problem::OutOfRange(what).at(start)) } else { Ok(value) }
    }

    /// A whole number of 64 bits with its sign.
    pub fn int(&mut self, what: &'static str) -> Result<i64, CanonicalError> {
        let start = self.at;
        // A number ≥ 0 is spelled without a sign; one below 0 in the fewest bytes that hold it.
        let signed = |value: i64, most: i64| {
            if value > most { Err(Problem::NotShortest.at(start)) } else { Ok(value) }
        };
        match self.marker(what)? {
            Marker::FixNeg(value) => {
                self.at += 1;
                Ok(i64::from(value))
            }
            Marker::I8 => signed(i64::from(self.wide::<1>(0)? as u8 as i8), -33),
            Marker::I16 => signed(i64::from(self.wide::<2>(0)? as u16 as i16), -129),
            Marker::I32 => signed(i64::from(self.wide::<4>(0)? as u32 as i32), -32_769),
            Marker::I64 => signed(self.wide::<8>(0)? as i64, -2_147_483_649),
            _ => {
                let value = self.uint(what, u64::MAX)?;
                i64::try_from(value).map_err(|_| Problem::OutOfRange(what).at(start))
            }
        }
    }

    /// A text of `least` to `most` bytes.
    pub fn text(
        &mut self,
        what: &'static str,
        least: usize,
        most: usize,
    ) -> Result<&'a str, CanonicalError> {
        let start = self.at;
        let length = match self.marker(what)? {
            Marker::FixStr(length) => {
                self.at += 1;
                u64::from(length)
            }
            Marker::Str8 => self.wide::<1>(32)?,
            Marker::Str16 => self.wide::<2>(0x100)?,
            Marker::Str32 => self.wide::<4>(0x1_0000)?,
            _ => return Err(Problem::Expected(what).at(start)),
        };
        let length = usize::try_from(length).unwrap_or(usize::MAX);
        if !(least..=most).contains(&length) {
            return Err(Problem::OutOfRange(what).at(start));
        }
        let bytes = self.bytes[self.at..].get(..length).ok_or(Problem::Ends(what).at(start))?;
        self.at += length;
        std::str::from_utf8(bytes).map_err(|_| Problem::NotUtf8.at(start))
    }

    /// `N` bytes (at most 255) that are not text.
    pub fn bytes<const N: usize>(
        &mut self,
        what: &'static str,
    ) -> Result<&'a [u8; N], CanonicalError> {
        let start = self.at;
        let length = match self.marker(what)? {
            Marker::Bin8 => self.wide::<1>(0)?,
            _ => return Err(Problem::Expected(what).at(start)),
        };
        if length != N as u64 {
            return Err(Problem::OutOfRange(what).at(start));
        }
        let bytes = self.bytes[self.at..].first_chunk().ok_or(Problem::Ends(what).at(start))?;
        self.at += N;
        Ok(bytes)
    }

    /// True or false.
    pub fn flag(&mut self, what: &'static str) -> Result<bool, CanonicalError> {
        let flag = match self.marker(what)? {
            Marker::True => true,
            Marker::False => false,
            _ => return Err(Problem::Expected(what).at(self.at)),
        };
        self.at += 1;
        Ok(flag)
    }

    /// What `read` gives, or `None` for nil.
    pub fn optional<T, E: From<CanonicalError>>(
        &mut self,
        what: &'static str,
        read: impl FnOnce(&mut Self) -> Result<T, E>,
    ) -> Result<Option<T>, E> {
        if self.marker(what)? == Marker::Null {
            self.at += 1;
            return Ok(None);
        }
        read(self).map(Some)
    }

    /// The length of an array, whose values come next.
    pub fn array(&mut self, what: &'static str) -> Result<usize, CanonicalError> {
        let length = match self.marker(what)? {
            Marker::FixArray(length) => {
                self.at += 1;
                u64::from(length)
            }
            Marker::Array16 => self.wide::<2>(16)?,
            Marker::Array32 => self.wide::<4>(0x1_0000)?,
            _ => return Err(Problem::Expected(what).at(self.at)),
        };
        Ok(usize::try_from(length).unwrap_or(usize::MAX))
    }

    /// Holds that an array of `length` values comes next.
    pub fn array_of(&mut self, what: &'static str, length: usize) -> Result<(), CanonicalError> {
        let start = self.at;
        if self.array(what)? == length { Ok(()) } else { Err(Problem::OutOfRange(what).at(start)) }
    }

    /// The length of a map, whose keys and values come next.
    pub fn map(&mut self, what: &'static str) -> Result<usize, CanonicalError> {
        let length = match self.marker(what)? {
            Marker::FixMap(length) => {
                self.at += 1;
                u64::from(length)
            }
            Marker::Map16 => self.wide::<2>(16)?,
            Marker::Map32 => self.wide::<4>(0x1_0000)?,
            _ => return Err(Problem::Expected(what).at(self.at)),
        };
        Ok(usize::try_from(length).unwrap_or(usize::MAX))
    }
}
