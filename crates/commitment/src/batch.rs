//! Batches: what is synced, and torn, as one (docs/format.md, section 4).

use crate::fault::{Fault, at, same, same_bytes};
use crate::frame::SHRUNK_FRAME;
use crate::hash::first;

/// The length of a batch's header in bytes.
pub const BATCH_HEADER: usize = 32;
/// The longest body of a batch in bytes.
pub const MAX_BATCH: usize = 1 << 24;

/// A batch's checksum; the first 8 bytes of it are the link in the batch after.
pub type Checksum = [u8; 16];

/// The header of a batch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BatchHeader {
    /// Over all that follows it, to the end of the batch.
    pub checksum: Checksum,
    /// The first bytes of the checksum before it.
    pub link: [u8; 8],
    /// The length of the body in bytes.
    pub len: u32,
    /// The number of events in it, under 2^31.
    pub events: u32,
    /// Whether something in it was erased in place since it was first written: then the link behind it still
    /// holds the checksum that it had.
    pub rewritten: bool,
}

/// The bit of the count of events that says *rewritten*.
const REWRITTEN: u32 = 1 << 31;

impl BatchHeader {
    /// Reads a header, of which only the length is judged.
    ///
    /// # Errors
    /// A length that no batch has.
    pub fn read(bytes: &[u8; BATCH_HEADER]) -> Result<BatchHeader, Fault> {
        let count = u32::from_le_bytes(at(bytes, 28));
        let header = BatchHeader {
            checksum: at(bytes, 0),
            link: at(bytes, 16),
            len: u32::from_le_bytes(at(bytes, 24)),
            events: count & !REWRITTEN,
            rewritten: count & REWRITTEN != 0,
        };
        if header.len == 0 || header.len as usize > MAX_BATCH {
            let expected = format!("a batch's length from 1 to {MAX_BATCH}");
            return Err(Fault::new(24, expected, header.len.to_string()));
        }
        Ok(header)
    }

    /// The length of the whole batch in bytes.
    #[must_use]
    pub const fn total(&self) -> usize {
        BATCH_HEADER + self.len as usize
    }

    /// Whether `batch`, which begins with this header, is one of `store`, whatever it links to.
    #[must_use]
    pub fn is_sound(&self, batch: &[u8], store: &[u8; 16]) -> bool {
        batch.len() == self.total() && checksum_of(batch, store) == self.checksum
    }

    /// What the link behind this batch is held against: its checksum, unless it was rewritten.
    #[must_use]
    pub fn linked(&self) -> Option<Checksum> {
        (!self.rewritten).then_some(self.checksum)
    }

    /// Checks a whole batch of `store` that begins with this header: its checksum, and that it
    /// follows `before`, if that is known: see [`BatchHeader::linked`].
    ///
    /// # Errors
    /// The first thing that is wrong.
    pub fn check(
        &self,
        batch: &[u8],
        store: &[u8; 16],
        before: Option<&Checksum>,
    ) -> Result<(), Fault> {
        same(24, "a batch of bytes:", self.total(), batch.len())?;
        self.check_of(&checksum_of(batch, store), before)
    }

    /// The same of a whole batch whose checksum should be `checksum`.
    pub(crate) fn check_of(
        &self,
        checksum: &Checksum,
        before: Option<&Checksum>,
    ) -> Result<(), Fault> {
        same_bytes(0, "a batch of the checksum", &self.checksum, checksum)?;
        let Some(before) = before else { return Ok(()) };
        same_bytes(16, "the link to the checksum before,", &before[..8], &self.link)
    }
}

/// Leaves room for a header; [`finish_batch`] fills it in.
pub fn begin_batch(out: &mut Vec<u8>) {
    out.resize(out.len() + BATCH_HEADER, 0);
}

/// Fills in the header of a batch of `store` that is all of `batch`; gives its checksum.
///
/// # Panics
/// If the body is empty or longer than [`MAX_BATCH`].
pub fn finish_batch(
    batch: &mut [u8],
    store: &[u8; 16],
    before: &Checksum,
    events: u32,
) -> Checksum {
    let len = batch.len() - BATCH_HEADER;
    assert!((1..=MAX_BATCH).contains(&len), "a batch's body has 1 to {MAX_BATCH} bytes");
    batch[16..24].copy_from_slice(&before[..8]);
    batch[24..28].copy_from_slice(&u32::try_from(len).expect("at most 2^24").to_le_bytes());
    batch[28..32].copy_from_slice(&events.to_le_bytes());
    let checksum = checksum_of(batch, store);
    batch[..16].copy_from_slice(&checksum);
    checksum
}

/// Makes the checksum of a batch of `store` anew, in which frames were erased in place, and marks it as
/// *rewritten*; gives the checksum. The link in it stays.
///
/// # Panics
/// If `batch` is shorter than its header.
pub fn rewrite_batch(batch: &mut [u8], store: &[u8; 16]) -> Checksum {
    let count = u32::from_le_bytes(at(batch.first_chunk::<BATCH_HEADER>().expect("a header"), 28));
    batch[28..32].copy_from_slice(&(count | REWRITTEN).to_le_bytes());
    let checksum = checksum_of(batch, store);
    batch[..16].copy_from_slice(&checksum);
    checksum
}

/// Keyed by the store's id, which no event's author knows: else an event's text could hold the image
/// of a batch, and what a crash tears would pass for damage.
pub(crate) fn checksum_of(batch: &[u8], store: &[u8; 16]) -> Checksum {
    let mut key = *b"----------------stillthere.batch";
    key[..16].copy_from_slice(store);
    first(blake3::keyed_hash(&key, &batch[16..]).as_bytes())
}

/// How many of these bytes are left without the zeros at their end. Behind the last batch of an open log
/// those are room, not a piece of a batch.
#[must_use]
pub fn without_room(bytes: &[u8]) -> usize {
    bytes.iter().rposition(|byte| *byte != 0).map_or(0, |last| last + 1)
}

/// Whether a whole, sound batch of `store` begins at or after some byte of `bytes`, whatever it links to:
/// where there is one, what stands before it was not torn but damaged.
///
/// The work is bounded: only places that look like a batch and its first frame are hashed, and at
/// most 64 times as many bytes as there are.
#[must_use]
pub fn find_batch(bytes: &[u8], store: &[u8; 16]) -> Option<usize> {
    let mut budget = bytes.len().saturating_mul(64);
    for start in 0..bytes.len().saturating_sub(BATCH_HEADER) {
        let rest = &bytes[start..];
        let Some((head, body)) = rest.split_first_chunk() else { break };
        let Ok(header) = BatchHeader::read(head) else { continue };
        let looks_right = header.total() <= rest.len()
            && matches!(body.first(), Some(1..=3 | 16..=19 | 32..=34))
            && u64::from(header.events) * SHRUNK_FRAME as u64 <= u64::from(header.len);
        if !looks_right {
            continue;
        }
        let batch = &rest[..header.total()];
        if checksum_of(batch, store) == header.checksum {
            return Some(start);
        }
        budget = budget.checked_sub(batch.len())?;
    }
    None
}
