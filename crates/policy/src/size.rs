//! A size of the policy language, `5GiB`, and a share, `10%`.
//!
//! A whole number and a unit: B, KB, MB, GB, TB, PB, EB by 1000, KiB … EiB by 1024, spelled so; at
//! most 16 EiB − 1. `unlimited` is no size but the absence of a limit.

const UNITS: [(&str, u64); 13] = [
    ("B", 1),
    ("KB", 1000),
    ("MB", 1000u64.pow(2)),
    ("GB", 1000u64.pow(3)),
    ("TB", 1000u64.pow(4)),
    ("PB", 1000u64.pow(5)),
    ("EB", 1000u64.pow(6)),
    ("KiB", 1 << 10),
    ("MiB", 1 << 20),
    ("GiB", 1 << 30),
    ("TiB", 1 << 40),
    ("PiB", 1 << 50),
    ("EiB", 1 << 60),
];

/// Why a text is not a size.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SizeError {
    /// A number alone.
    #[error("has no unit: write 5GiB, 5GB or 5B")]
    NoUnit,
    /// Not a whole number and a unit.
    #[error(
        "is not a size: write a whole number and B, KB … EB (by 1000) or KiB … EiB (by 1024), \
         such as 5GiB"
    )]
    Format,
    /// More than [`u64::MAX`] bytes.
    #[error("is too large: at most {} bytes", u64::MAX)]
    Range,
}

/// Reads a size, in bytes.
///
/// # Errors
/// [`SizeError`] says what is wrong with the text.
pub fn parse_size(text: &str) -> Result<u64, SizeError> {
    let unit_at = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let (digits, unit) = text.split_at(unit_at);
    if digits.is_empty() {
        return Err(SizeError::Format);
    }
    if unit.is_empty() {
        return Err(SizeError::NoUnit);
    }
    let (_, bytes) = UNITS.iter().find(|(name, _)| *name == unit).ok_or(SizeError::Format)?;
    digits.parse::<u64>().ok().and_then(|n| n.checked_mul(*bytes)).ok_or(SizeError::Range)
}

/// A size as [`parse_size`] reads it: a whole number of the largest unit that leaves no rest.
#[must_use]
pub fn size_text(bytes: u64) -> String {
    let fits = |(_, unit): &&(&str, u64)| bytes >= *unit && bytes.is_multiple_of(*unit);
    let largest = UNITS.iter().filter(fits).max_by_key(|(_, unit)| *unit);
    let (name, unit) = largest.unwrap_or(&UNITS[0]);
    format!("{}{name}", bytes / unit)
}

/// Why a text is not a share.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("is not a share: write a whole number from 0 to 100 and %, such as 10%, or never")]
pub struct ShareError;

/// Reads a share, `10%`, in hundredths; `never` is none.
///
/// # Errors
/// [`ShareError`] when the text is neither.
pub fn parse_share(text: &str) -> Result<Option<u8>, ShareError> {
    if text == "never" {
        return Ok(None);
    }
    let digits = text.strip_suffix('%').ok_or(ShareError)?;
    if !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(ShareError);
    }
    digits.parse().ok().filter(|percent| *percent <= 100).map(Some).ok_or(ShareError)
}
