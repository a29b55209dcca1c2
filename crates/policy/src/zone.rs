//! A time zone as what arithmetic needs of it: the instants at which its offset changes.
//!
//! The changes are read once from the IANA database that is compiled in, so that a policy means
//! the same on every machine, and are then all there is: conversions, equality and the policy's
//! hash rest on them and not on the name. They are listed to the start of the year 2500; from
//! there on every zone of the database follows a yearly rule or none, and the Gregorian calendar
//! repeats after 400 years (146,097 days, whole weeks), so a later instant has the offset of the
//! instant 400 years before it.

use std::sync::Arc;

use event::{Timestamp, days_from_civil};
use jiff::tz::{TimeZone, TimeZoneDatabase};

/// 400 Gregorian years.
const CYCLE_MS: i64 = 146_097 * 86_400_000;
/// 2500-01-01T00:00:00Z. The cycle before it starts in 2100, after the last irregular change of
/// the database (Morocco's, listed to 2087).
pub(crate) const LISTED_MS: i64 = 16_725_225_600_000;
/// Every offset is nearer than this to UTC (TZif allows 25:59:59; the database has 15:13:42).
pub(crate) const FARTHEST_MS: i64 = 26 * 3_600_000;

/// A time zone.
#[derive(Debug, Clone)]
pub struct Zone {
    name: Arc<str>,
    changes: Arc<Changes>,
}

/// The compiled form of a zone.
#[derive(Debug, PartialEq, Eq)]
struct Changes {
    /// Before the first change, in milliseconds east of UTC.
    first_ms: i64,
    /// (instant, offset from then on), in order of time; neighbours differ in their offset.
    later: Vec<(i64, i64)>,
}

/// Why a name is no zone.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ZoneError {
    /// The database has none of this name.
    #[error("no time zone is called {0:?}: give an IANA name such as \"Asia/Shanghai\" or \"UTC\"")]
    Unknown(String),
    /// The database has one of this name spelled otherwise.
    #[error("no time zone is called {0:?}: {1:?} is")]
    Spelling(String, String),
}

impl Zone {
    /// The zone of the IANA name `name`, spelled as the database does.
    ///
    /// # Errors
    /// [`ZoneError`] when there is none.
    pub fn new(name: &str) -> Result<Zone, ZoneError> {
        let unknown = || ZoneError::Unknown(name.to_owned());
        let zone = TimeZoneDatabase::bundled().get(name).map_err(|_| unknown())?;
        match zone.iana_name() {
            Some(spelled) if spelled == name => {}
            Some(spelled) => return Err(ZoneError::Spelling(name.to_owned(), spelled.to_owned())),
            None => return Err(unknown()),
        }
        Ok(Zone { name: name.into(), changes: Arc::new(Changes::of(&zone)) })
    }

    /// UTC.
    #[must_use]
    pub fn utc() -> Zone {
        let changes = Changes { first_ms: 0, later: Vec::new() };
        Zone { name: "UTC".into(), changes: Arc::new(changes) }
    }

    /// The zone of these changes, as [`Changes`] has them: at instants that can be listed, to
    /// offsets nearer than [`FARTHEST_MS`]. It has no name.
    pub(crate) fn of_changes(first_ms: i64, later: Vec<(i64, i64)>) -> Zone {
        Zone { name: "".into(), changes: Arc::new(Changes { first_ms, later }) }
    }

    /// The name by which it was asked for; empty where it comes from a compiled policy.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The offset before the first change, in seconds east of UTC.
    #[must_use]
    pub fn first_offset_s(&self) -> i64 {
        self.changes.first_ms / 1000
    }

    /// The changes up to the year 2500: (milliseconds since the epoch, seconds east of UTC from
    /// then on), in order of time, neighbours differing in their offset.
    pub fn changes(&self) -> impl ExactSizeIterator<Item = (i64, i64)> {
        self.changes.later.iter().map(|(at_ms, offset_ms)| (*at_ms, offset_ms / 1000))
    }

    /// The first instant of a month (1–12) of a year, by the zone's calendar; `None` outside the years
    /// 1 to 9999, and of a month that is none.
    #[must_use]
    pub fn month_start(&self, year: i64, month: i64) -> Option<Timestamp> {
        if !(1..=9999).contains(&year) || !(1..=12).contains(&month) {
            return None;
        }
        let local_ms = days_from_civil(year, month, 1) * 86_400_000;
        Timestamp::from_ms(self.instant_ms(local_ms))
    }

    /// The wall time at `at`, as milliseconds since 1970-01-01T00:00:00 of the wall.
    #[must_use]
    pub(crate) fn local_ms(&self, at: Timestamp) -> i64 {
        at.ms() + self.changes.offset_at(at.ms())
    }

    /// The instant of a wall time: the first where it exists twice, and where it does not exist
    /// that of the offset before the gap. In milliseconds since the epoch.
    #[must_use]
    pub(crate) fn instant_ms(&self, local_ms: i64) -> i64 {
        local_ms - self.changes.offset_for(local_ms)
    }

    /// The changes of the offset within `[from_ms, to_ms]`, of less than a year: when, the offset before
    /// and the one from then on, in milliseconds.
    #[must_use]
    pub(crate) fn changes_within(&self, from_ms: i64, to_ms: i64) -> Vec<(i64, i64, i64)> {
        let changes = &self.changes;
        let mut cycles = [changes.cycles(from_ms), changes.cycles(to_ms)].to_vec();
        cycles.dedup();
        let later = |cycle: i64| {
            let listed = changes.later.iter().map(move |(at, _)| at + cycle);
            listed.filter(move |at| (from_ms..=to_ms).contains(at) && changes.cycles(*at) == cycle)
        };
        let all = cycles.into_iter().flat_map(later);
        all.map(|at| (at, changes.offset_at(at - 1), changes.offset_at(at))).collect()
    }
}

impl PartialEq for Zone {
    fn eq(&self, other: &Zone) -> bool {
        self.name == other.name && self.changes == other.changes
    }
}
impl Eq for Zone {}

impl Changes {
    fn of(zone: &TimeZone) -> Changes {
        let start = jiff::Timestamp::MIN;
        let offset = |at| i64::from(zone.to_offset(at).seconds()) * 1000;
        let first_ms = offset(start);
        let mut later = Vec::new();
        let mut held = first_ms;
        for change in zone.following(start) {
            let at_ms = change.timestamp().as_millisecond();
            if at_ms >= LISTED_MS {
                break;
            }
            let next = i64::from(change.offset().seconds()) * 1000;
            // The database also records changes of the abbreviation alone.
            if next != held {
                later.push((at_ms, next));
                held = next;
            }
        }
        Changes { first_ms, later }
    }

    /// How far an instant (or wall time) lies past the last listed cycle.
    fn cycles(&self, ms: i64) -> i64 {
        if ms < LISTED_MS { 0 } else { (ms - LISTED_MS) / CYCLE_MS * CYCLE_MS + CYCLE_MS }
    }

    fn offset_at(&self, at_ms: i64) -> i64 {
        let at_ms = at_ms - self.cycles(at_ms);
        self.held(self.later.partition_point(|(change_ms, _)| *change_ms <= at_ms))
    }

    /// The offset held after the first `count` changes.
    fn held(&self, count: usize) -> i64 {
        if count == 0 { self.first_ms } else { self.later[count - 1].1 }
    }

    /// The offset by which to read a wall time: that of the first span whose own wall clock has
    /// not passed it, or, when that span begins later on the wall (a gap), of the span before.
    fn offset_for(&self, local_ms: i64) -> i64 {
        // Far enough from the end of the list that every change near `local_ms` is in it.
        let local_ms = local_ms - self.cycles(local_ms + FARTHEST_MS);
        let mut span =
            self.later.partition_point(|(change_ms, _)| *change_ms <= local_ms - FARTHEST_MS);
        while let Some((change_ms, next)) = self.later.get(span) {
            let before = self.held(span);
            if local_ms < change_ms + before || local_ms < change_ms + next {
                return before;
            }
            span += 1;
        }
        self.held(span)
    }
}
