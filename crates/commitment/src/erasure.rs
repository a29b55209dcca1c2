//! Erasures: which frames something was taken out of, and under which record (docs/format.md, "Erased").

use std::ops::Range;

use event::Timestamp;

use crate::frame::Left;
use crate::hash::{Digest, Domain, hash};
use crate::tree::page_root;

/// What a log says of an erasure: that of these frames no more is left than it says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Erasure<'a> {
    /// The log's clock, which this moves on, in ms since the epoch, in the years 1 to 9999.
    pub at_ms: i64,
    /// On what ground, in 1 to [`MAX_GROUND`](crate::MAX_GROUND) bytes.
    pub ground: &'a str,
    /// Who erased, in 1 to 128 bytes.
    pub by: &'a str,
    /// What is left of each event at most.
    pub left: Left,
    /// If all of these events occurred before some instant: that, in ms since the epoch.
    pub before_ms: Option<i64>,
    /// The ordinals of the accounts whose names were erased; none where envelopes are left.
    pub names: Ranges,
    /// The positions of the events, all before the record.
    pub events: Ranges,
    /// [`erased_root`] over the frames of these names and events, in the order of the log.
    pub root: Digest,
}

/// What a log says of an erasure, and where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ErasureRecord {
    /// Its number among the log's erasures, from 0.
    pub number: u64,
    /// The number of the page that it closes, from 0: the tree that ends with it has one more.
    pub page: u64,
    /// The log's clock, which it moved on.
    pub at: Timestamp,
    /// On what ground.
    pub ground: String,
    /// Who erased.
    pub by: String,
    /// What is left of each event at most.
    pub left: Left,
    /// If all of the events occurred before some instant: that.
    pub before: Option<Timestamp>,
    /// The ordinals of the accounts whose names were erased.
    pub names: Ranges,
    /// The positions of the events.
    pub events: Ranges,
    /// [`erased_root`] over the frames of these.
    pub root: Digest,
}

impl ErasureRecord {
    /// Of what the log says in the page of this number.
    #[must_use]
    pub fn of(number: u64, page: u64, erasure: &Erasure<'_>) -> ErasureRecord {
        let Erasure { at_ms, ground, by, left, before_ms, names, events, root } = erasure;
        let time = |ms: i64| Timestamp::from_ms(ms).expect("a record's times are in range");
        ErasureRecord {
            number,
            page,
            at: time(*at_ms),
            ground: (*ground).to_owned(),
            by: (*by).to_owned(),
            left: *left,
            before: before_ms.map(time),
            names: names.clone(),
            events: events.clone(),
            root: *root,
        }
    }
}

/// The root over frames that an erasure took something out of: each by its account's number and its leaf, in the
/// order of the log, in the tree shape of a page.
///
/// # Panics
/// If there are none.
#[must_use]
pub fn erased_root(frames: &[(u32, Digest)]) -> Digest {
    let leaves: Vec<Digest> =
        frames.iter().map(|(ordinal, leaf)| erased_leaf(*ordinal, leaf)).collect();
    page_root(&leaves)
}

/// What stands for one of these frames in that tree.
#[must_use]
pub fn erased_leaf(ordinal: u32, leaf: &Digest) -> Digest {
    hash(Domain::Erased, &[&ordinal.to_le_bytes(), leaf])
}

/// Numbers as ranges that rise, with something between each two.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Ranges(Vec<Range<u64>>);

impl Ranges {
    /// Adds numbers behind all others.
    ///
    /// # Panics
    /// If they are none, or not behind the others.
    pub fn push(&mut self, range: Range<u64>) {
        assert!(range.start < range.end && range.start >= self.end(), "ranges rise");
        match self.0.last_mut() {
            Some(last) if last.end == range.start => last.end = range.end,
            _ => self.0.push(range),
        }
    }

    /// One above the last number; 0 if there is none.
    #[must_use]
    pub fn end(&self) -> u64 {
        self.0.last().map_or(0, |range| range.end)
    }

    /// How many numbers there are.
    #[must_use]
    pub fn count(&self) -> u64 {
        self.0.iter().map(|range| range.end - range.start).sum()
    }

    /// Whether there are none.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether `number` is one of them.
    #[must_use]
    pub fn contains(&self, number: u64) -> bool {
        let behind = self.0.partition_point(|range| range.end <= number);
        self.0.get(behind).is_some_and(|range| range.contains(&number))
    }

    /// Whether all of these are among them.
    #[must_use]
    pub fn covers(&self, numbers: &Range<u64>) -> bool {
        let behind = self.0.partition_point(|range| range.end <= numbers.start);
        let first = self.0.get(behind);
        numbers.is_empty()
            || first.is_some_and(|r| r.start <= numbers.start && numbers.end <= r.end)
    }

    /// The ranges, rising.
    pub fn iter(&self) -> impl Iterator<Item = &Range<u64>> {
        self.0.iter()
    }

    /// All the numbers, rising.
    pub fn numbers(&self) -> impl Iterator<Item = u64> {
        self.0.iter().cloned().flatten()
    }

    /// Of each range how far it begins behind the end of the one before, and how many numbers it has.
    pub(crate) fn gaps(&self) -> impl Iterator<Item = (u64, u64)> {
        self.0.iter().scan(0, |end, range| {
            let gap = range.start - *end;
            *end = range.end;
            Some((gap, range.end - range.start))
        })
    }
}

impl FromIterator<u64> for Ranges {
    /// From numbers that rise.
    fn from_iter<T: IntoIterator<Item = u64>>(numbers: T) -> Ranges {
        let mut ranges = Ranges::default();
        numbers.into_iter().for_each(|number| ranges.push(number..number + 1));
        ranges
    }
}
