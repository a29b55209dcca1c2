//! Pages: what the log's tree has as leaves (docs/format.md, section 8).

use event::Timestamp;

use crate::fault::{Fault, at, same, same_bytes};
use crate::frame::FRAME_HEADER;
use crate::hash::Digest;
use crate::tree::{page_root, tree_leaf};

/// The length of a summary in bytes.
pub const SUMMARY: usize = 120;
/// The most bytes that a page's frames take, their headers included, unless it has only one.
pub const MAX_PAGE: usize = 65_536;

const MAGIC: &[u8; 8] = b"STILLPGE";

/// What stands for a page in the log's tree.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Summary {
    /// The store's random id.
    pub store: [u8; 16],
    /// The page's number, from 0.
    pub page: u64,
    /// Events before it.
    pub first_position: u64,
    /// Events in it.
    pub events: u32,
    /// Frames with a leaf in it, from 1.
    pub leaves: u32,
    /// The root over its leaves.
    pub root: Digest,
    /// The leaf hash of the summary before; zeros in page 0.
    pub predecessor: Digest,
    /// The latest time that the log set (of an event or a seal), up to the page's end, in ms since the
    /// epoch.
    pub clock_ms: i64,
}

impl Summary {
    /// As bytes.
    #[must_use]
    pub fn encode(&self) -> [u8; SUMMARY] {
        let mut bytes = [0; SUMMARY];
        bytes[..8].copy_from_slice(MAGIC);
        bytes[8..24].copy_from_slice(&self.store);
        bytes[24..32].copy_from_slice(&self.page.to_le_bytes());
        bytes[32..40].copy_from_slice(&self.first_position.to_le_bytes());
        bytes[40..44].copy_from_slice(&self.events.to_le_bytes());
        bytes[44..48].copy_from_slice(&self.leaves.to_le_bytes());
        bytes[48..80].copy_from_slice(&self.root);
        bytes[80..112].copy_from_slice(&self.predecessor);
        bytes[112..120].copy_from_slice(&self.clock_ms.to_le_bytes());
        bytes
    }

    /// From bytes.
    ///
    /// # Errors
    /// Bytes that no summary has there.
    pub fn decode(bytes: &[u8; SUMMARY]) -> Result<Summary, Fault> {
        same_bytes(0, "a summary's first bytes", MAGIC, &bytes[..8])?;
        Ok(Summary {
            store: at(bytes, 8),
            page: u64::from_le_bytes(at(bytes, 24)),
            first_position: u64::from_le_bytes(at(bytes, 32)),
            events: u32::from_le_bytes(at(bytes, 40)),
            leaves: u32::from_le_bytes(at(bytes, 44)),
            root: at(bytes, 48),
            predecessor: at(bytes, 80),
            clock_ms: i64::from_le_bytes(at(bytes, 112)),
        })
    }

    /// Refuses a summary in which anything differs from `self`, by the place of the first
    /// difference. `root` is compared only where `self` was made with all leaves.
    pub(crate) fn check(&self, found: &Summary, with_root: bool) -> Result<(), Fault> {
        same_bytes(8, "the store id", &self.store, &found.store)?;
        same(24, "the page's number", self.page, found.page)?;
        same(32, "the page's first position", self.first_position, found.first_position)?;
        same(40, "a count of events of", self.events, found.events)?;
        same(44, "a count of leaves of", self.leaves, found.leaves)?;
        if with_root {
            same_bytes(48, "the page's root", &self.root, &found.root)?;
        }
        same_bytes(80, "the predecessor's hash", &self.predecessor, &found.predecessor)?;
        same(112, "the log's clock", self.clock_ms, found.clock_ms)
    }
}

/// The pages of a log as they grow: what stands in the next summary.
#[derive(Debug, Clone)]
pub struct Pages {
    store: [u8; 16],
    page: u64,
    first_position: u64,
    events: u32,
    leaves: u32,
    bytes: usize,
    /// Of the open page, as far as they were brought.
    hashes: Vec<Digest>,
    predecessor: Digest,
    clock_ms: i64,
    /// Whether the open page has an event of which it is not known any more when it was recorded.
    is_clock_hidden: bool,
}

impl Pages {
    /// The pages of a log that has none yet.
    #[must_use]
    pub fn new(store: [u8; 16]) -> Pages {
        Pages::after(store, 0, 0, [0; 32], Timestamp::MIN.ms())
    }

    /// The pages of a log that goes on behind a closed page: how many pages and events are before,
    /// the last summary's leaf hash, and the log's clock.
    #[must_use]
    pub fn after(
        store: [u8; 16],
        page: u64,
        position: u64,
        predecessor: Digest,
        clock_ms: i64,
    ) -> Pages {
        Pages {
            store,
            page,
            first_position: position,
            events: 0,
            leaves: 0,
            bytes: 0,
            hashes: Vec::new(),
            predecessor,
            clock_ms,
            is_clock_hidden: false,
        }
    }

    /// Whether a frame of `len` bytes, header included, asks for the open page to be closed first.
    #[must_use]
    pub const fn is_full_for(&self, len: usize) -> bool {
        self.leaves > 0 && self.bytes + len > MAX_PAGE
    }

    /// Whether frames of `len` bytes together, headers included, go into the open page, however many
    /// they are.
    pub(crate) const fn has_room_for(&self, len: usize) -> bool {
        self.bytes + len <= MAX_PAGE
    }

    /// Takes in a frame of `len` bytes, header included, by its leaf.
    pub fn push(&mut self, leaf: Digest, len: usize, is_event: bool) {
        debug_assert!(len > FRAME_HEADER);
        self.hashes.push(leaf);
        self.count(len, is_event);
    }

    /// The same without the leaf: for [`Pages::push_leaf`] to bring it later, or for those who do not
    /// need the root.
    pub fn count(&mut self, len: usize, is_event: bool) {
        self.leaves += 1;
        self.bytes += len;
        self.events += u32::from(is_event);
    }

    /// [`Pages::count`] of events, `len` bytes together.
    pub(crate) fn count_events(&mut self, events: u32, len: usize) {
        self.leaves += events;
        self.bytes += len;
        self.events += events;
    }

    /// Counts a leaf whose frame [`Pages::count`] has taken in before.
    pub fn push_leaf(&mut self, leaf: Digest) {
        self.hashes.push(leaf);
    }

    /// The latest time that the log set, of an event or a seal, in ms since the epoch.
    #[must_use]
    pub const fn clock_ms(&self) -> i64 {
        self.clock_ms
    }

    /// Moves the log's clock on.
    pub fn set_clock_ms(&mut self, ms: i64) {
        debug_assert!(ms >= self.clock_ms);
        self.clock_ms = ms;
    }

    /// The open page has an event that was erased to its leaf: if the log set its time, that is not known any more.
    pub fn hide_clock(&mut self) {
        self.is_clock_hidden = true;
    }

    /// Moves the log's clock on to that of the summary of the open page, where only this says what it is: see
    /// [`Pages::hide_clock`]. One that cannot be is not taken.
    pub fn take_clock(&mut self, summary: &Summary) {
        let ms = summary.clock_ms;
        if self.is_clock_hidden && ms >= self.clock_ms && Timestamp::from_ms(ms).is_some() {
            self.clock_ms = ms;
        }
    }

    /// How many pages are closed.
    #[must_use]
    pub const fn closed(&self) -> u64 {
        self.page
    }

    /// The events in closed pages and the open one.
    #[must_use]
    pub const fn position(&self) -> u64 {
        self.first_position + self.events as u64
    }

    /// Whether no page is open.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.leaves == 0
    }

    /// The events in closed pages.
    #[must_use]
    pub const fn first_position(&self) -> u64 {
        self.first_position
    }

    /// The leaf hash of the last summary; zeros before any.
    #[must_use]
    pub const fn predecessor(&self) -> &Digest {
        &self.predecessor
    }

    /// The summary that would close the open page now; `None` if it has no frame.
    #[must_use]
    pub fn open(&self) -> Option<Summary> {
        (self.leaves > 0).then(|| Summary {
            store: self.store,
            page: self.page,
            first_position: self.first_position,
            events: self.events,
            leaves: self.leaves,
            root: page_root(&self.hashes),
            predecessor: self.predecessor,
            clock_ms: self.clock_ms,
        })
    }

    /// Closes the open page, whose summary is `summary`.
    pub fn close(&mut self, summary: &[u8; SUMMARY]) {
        self.predecessor = tree_leaf(summary);
        self.first_position += u64::from(self.events);
        self.page += 1;
        (self.events, self.leaves, self.bytes) = (0, 0, 0);
        self.is_clock_hidden = false;
        self.hashes.clear();
    }
}
