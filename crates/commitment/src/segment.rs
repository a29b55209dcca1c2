//! A segment's header (docs/format.md, section 3).

use event::Timestamp;

use crate::batch::Checksum;
use crate::fault::{Fault, at, number, same, same_bytes, zero};
use crate::hash::{Digest, first};

/// The length of a segment's header in bytes.
pub const SEGMENT_HEADER: usize = 160;
/// The version of the format that this code reads and writes.
pub const FORMAT: u32 = 1;

const MAGIC: &[u8; 8] = b"STILLSEG";

/// What a segment says of the log before it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SegmentHeader {
    /// The store's random id.
    pub store: [u8; 16],
    /// The segment's number, from 0.
    pub segment: u64,
    /// Events before it.
    pub first_position: u64,
    /// Pages before it.
    pub pages: u64,
    /// Accounts before it.
    pub accounts: u64,
    /// The log's clock before it, in ms since the epoch.
    pub clock_ms: i64,
    /// The last checksum of the segment before; zeros in segment 0.
    pub before: Checksum,
    /// The leaf hash of the last page before it; zeros if there is none.
    pub predecessor: Digest,
}

impl SegmentHeader {
    /// As bytes.
    #[must_use]
    pub fn encode(&self) -> [u8; SEGMENT_HEADER] {
        let mut bytes = [0; SEGMENT_HEADER];
        bytes[..8].copy_from_slice(MAGIC);
        bytes[8..12].copy_from_slice(&FORMAT.to_le_bytes());
        bytes[12..16].copy_from_slice(&160u32.to_le_bytes());
        bytes[16..32].copy_from_slice(&self.store);
        bytes[32..40].copy_from_slice(&self.segment.to_le_bytes());
        bytes[40..48].copy_from_slice(&self.first_position.to_le_bytes());
        bytes[48..56].copy_from_slice(&self.pages.to_le_bytes());
        bytes[56..64].copy_from_slice(&self.accounts.to_le_bytes());
        bytes[64..72].copy_from_slice(&self.clock_ms.to_le_bytes());
        bytes[72..88].copy_from_slice(&self.before);
        bytes[88..120].copy_from_slice(&self.predecessor);
        let hash = blake3::hash(&bytes[..128]);
        bytes[128..].copy_from_slice(hash.as_bytes());
        bytes
    }

    /// From bytes; also gives the checksum that the first batch links to.
    ///
    /// # Errors
    /// The first byte that is wrong in itself. Whether the header fits its place is
    /// [`SegmentHeader::check`].
    pub fn decode(bytes: &[u8; SEGMENT_HEADER]) -> Result<(SegmentHeader, Checksum), Fault> {
        check_format(bytes, MAGIC, "a segment")?;
        let hash = blake3::hash(&bytes[..128]);
        same_bytes(0, "a header of the hash", &bytes[128..], hash.as_bytes())?;
        same(12, "a header's length of", 160, u32::from_le_bytes(at(bytes, 12)))?;
        zero(120, &bytes[120..128])?;
        let clock_ms = i64::from_le_bytes(at(bytes, 64));
        if Timestamp::from_ms(clock_ms).is_none() {
            let found = format!("{clock_ms} ms");
            return Err(Fault::new(64, "a time in the years 1 to 9999", found));
        }
        let accounts = number(bytes, 56)?;
        if accounts >= 1 << 31 {
            return Err(Fault::new(56, "under 2^31 accounts", accounts.to_string()));
        }
        let header = SegmentHeader {
            store: at(bytes, 16),
            segment: number(bytes, 32)?,
            first_position: number(bytes, 40)?,
            pages: number(bytes, 48)?,
            accounts,
            clock_ms,
            before: at(bytes, 72),
            predecessor: at(bytes, 88),
        };
        Ok((header, first(&bytes[128..])))
    }

    /// Refuses a header in which anything differs from `self`, by the place of the first difference.
    ///
    /// # Errors
    /// That difference.
    pub fn check(&self, found: &SegmentHeader) -> Result<(), Fault> {
        same_bytes(16, "the store id", &self.store, &found.store)?;
        same(32, "the segment's number", self.segment, found.segment)?;
        same(40, "the segment's first position", self.first_position, found.first_position)?;
        same(48, "a count of pages before it of", self.pages, found.pages)?;
        same(56, "a count of accounts before it of", self.accounts, found.accounts)?;
        same(64, "the log's clock", self.clock_ms, found.clock_ms)?;
        same_bytes(72, "the last checksum before it,", &self.before, &found.before)?;
        same_bytes(88, "the last page's leaf hash", &self.predecessor, &found.predecessor)
    }
}

/// The name of a segment's file.
#[must_use]
pub fn segment_name(segment: u64) -> String {
    format!("{segment:012}.seg")
}

/// The number in a segment's file name, if it is one.
#[must_use]
pub fn segment_number(name: &str) -> Option<u64> {
    let number = name.strip_suffix(".seg")?.parse().ok()?;
    (segment_name(number) == name).then_some(number)
}

/// Checks the first 12 bytes of a file of the log: what it is, and that this code can read it.
pub(crate) fn check_format(bytes: &[u8], magic: &[u8; 8], what: &str) -> Result<(), Fault> {
    if bytes[..8] != *magic {
        let expected =
            format!("{what} of a stillthere store, which begins with {}", magic.escape_ascii());
        return Err(Fault::new(0, expected, bytes[..8].escape_ascii().to_string()));
    }
    match u32::from_le_bytes(at(bytes, 8)) {
        FORMAT => Ok(()),
        version => {
            let found = if version > FORMAT && version < 1 << 16 {
                format!(
                    "format version {version}: a store from the future, written by a later version"
                )
            } else {
                format!("format version {version}")
            };
            Err(Fault::new(8, format!("format version {FORMAT}"), found))
        }
    }
}

/// The format version that a file of the log says it has, if it is a file of the log.
#[must_use]
pub fn format_version(bytes: &[u8]) -> Option<u32> {
    let (magic, rest) = bytes.split_first_chunk::<8>()?;
    let version = rest.first_chunk()?;
    matches!(magic, b"STILLSEG" | b"STILLHED").then(|| u32::from_le_bytes(*version))
}
