//! `HEAD`: how much of the log is durable (docs/format.md, section 9).

use crate::batch::Checksum;
use crate::fault::{Fault, at, number, same_bytes, zero};
use crate::segment::{FORMAT, check_format};

/// The length of a slot in bytes.
pub const SLOT: usize = 512;
/// The length of `HEAD` in bytes: two slots.
pub const HEAD: usize = 2 * SLOT;

const MAGIC: &[u8; 8] = b"STILLHED";
const OPEN: [u8; 4] = *b"open";
const SHUT: [u8; 4] = *b"shut";

/// Where a log ends, and whether a writer had it open.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Slot {
    /// The store's random id.
    pub store: [u8; 16],
    /// Counts the writes of slots.
    pub sequence: u64,
    /// Whether the log was closed cleanly.
    pub shut: bool,
    /// The last segment.
    pub segment: u64,
    /// Its durable length in bytes.
    pub offset: u64,
    /// Events in the log.
    pub events: u64,
    /// The last checksum: of the segment's last batch, or of its header.
    pub checksum: Checksum,
}

impl Slot {
    /// Where in `HEAD` a slot of this sequence stands, in bytes.
    #[must_use]
    pub const fn place(&self) -> u64 {
        (self.sequence % 2) * SLOT as u64
    }

    /// As bytes.
    #[must_use]
    pub fn encode(&self) -> [u8; SLOT] {
        let mut bytes = [0; SLOT];
        bytes[..8].copy_from_slice(MAGIC);
        bytes[8..12].copy_from_slice(&FORMAT.to_le_bytes());
        bytes[12..16].copy_from_slice(if self.shut { &SHUT } else { &OPEN });
        bytes[16..32].copy_from_slice(&self.store);
        bytes[32..40].copy_from_slice(&self.sequence.to_le_bytes());
        bytes[40..48].copy_from_slice(&self.segment.to_le_bytes());
        bytes[48..56].copy_from_slice(&self.offset.to_le_bytes());
        bytes[56..64].copy_from_slice(&self.events.to_le_bytes());
        bytes[64..80].copy_from_slice(&self.checksum);
        let hash = blake3::hash(&bytes[..480]);
        bytes[480..].copy_from_slice(hash.as_bytes());
        bytes
    }

    /// From bytes.
    ///
    /// # Errors
    /// The first byte that is wrong.
    pub fn decode(bytes: &[u8; SLOT]) -> Result<Slot, Fault> {
        check_format(bytes, MAGIC, "the HEAD")?;
        let hash = blake3::hash(&bytes[..480]);
        same_bytes(0, "a slot of the hash", &bytes[480..], hash.as_bytes())?;
        let shut = match at(bytes, 12) {
            OPEN => false,
            SHUT => true,
            word => {
                let found = word.escape_ascii().to_string();
                return Err(Fault::new(12, "open or shut", found));
            }
        };
        zero(80, &bytes[80..480])?;
        Ok(Slot {
            store: at(bytes, 16),
            sequence: number(bytes, 32)?,
            shut,
            segment: number(bytes, 40)?,
            offset: number(bytes, 48)?,
            events: number(bytes, 56)?,
            checksum: at(bytes, 64),
        })
    }
}

/// Both slots of a `HEAD`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Head {
    /// The slot that counts.
    pub now: Slot,
    /// The slot before, unless it is damaged.
    pub before: Result<Slot, Fault>,
}

impl Head {
    /// Reads `HEAD`. The slot that counts is the sound one of the higher sequence.
    ///
    /// # Errors
    /// What is wrong with a `HEAD` of which no slot is sound, or with the length.
    pub fn decode(bytes: &[u8]) -> Result<Head, Fault> {
        if bytes.len() != HEAD {
            let found = format!("{} bytes", bytes.len());
            return Err(Fault::new(
                bytes.len().min(HEAD),
                format!("a HEAD of {HEAD} bytes"),
                found,
            ));
        }
        let slot = |n: usize| {
            let bytes = bytes[n * SLOT..].first_chunk().expect("the length was checked");
            let slot = Slot::decode(bytes).map_err(|fault| fault.moved((n * SLOT) as u64))?;
            if slot.place() != (n * SLOT) as u64 {
                let expected = format!("a sequence whose remainder by 2 is {n}");
                return Err(Fault::new(n * SLOT + 32, expected, slot.sequence.to_string()));
            }
            Ok(slot)
        };
        match (slot(0), slot(1)) {
            (Ok(a), Ok(b)) if a.sequence > b.sequence => Ok(Head { now: a, before: Ok(b) }),
            (Ok(a), Ok(b)) => Ok(Head { now: b, before: Ok(a) }),
            (Ok(now), Err(fault)) | (Err(fault), Ok(now)) => Ok(Head { now, before: Err(fault) }),
            (Err(fault), Err(_)) => Err(fault),
        }
    }

    /// Checks what only a checker asks: that both slots are sound, of one store, of consecutive
    /// writes, and that a log that was closed says so twice.
    ///
    /// # Errors
    /// The first byte that is wrong.
    pub fn check(&self) -> Result<(), Fault> {
        let before = self.before.as_ref().map_err(Clone::clone)?;
        let at = |offset: u64| usize::try_from(before.place() + offset).expect("within HEAD");
        same_bytes(at(16), "the store id", &self.now.store, &before.store)?;
        if before.sequence.checked_add(1) != Some(self.now.sequence) {
            let expected = format!("a sequence of one less than {}", self.now.sequence);
            return Err(Fault::new(at(32), expected, before.sequence.to_string()));
        }
        let is_opened = !self.now.shut && before.shut;
        if (self.now.shut || is_opened) && self.end() != Self::end_of(before) {
            // A log grows only while it is open.
            return Err(Fault::new(at(40), "the same end in both slots", "another"));
        }
        Ok(())
    }

    fn end(&self) -> (u64, u64, u64, Checksum) {
        Self::end_of(&self.now)
    }

    fn end_of(slot: &Slot) -> (u64, u64, u64, Checksum) {
        (slot.segment, slot.offset, slot.events, slot.checksum)
    }
}
