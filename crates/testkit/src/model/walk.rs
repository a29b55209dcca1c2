//! From instant to instant: deadlines fall, versions change, events are folded (by
//! `judge`).

use std::collections::BTreeMap;

use event::{RecordedBy, Timestamp};
use policy::{Basis, OnChange};

use super::past::{Past, measured_as};
use super::stages::Since;

/// What became of an item.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, serde::Serialize)]
#[serde(rename_all = "lowercase")]
#[allow(missing_docs, reason = "the words of docs/answers.md")]
pub enum ItemState {
    Live,
    Trashed,
    Expired,
    Purged,
    Removed,
}

/// An item in its present life. Events are named by their index in [`Past::events`].
#[derive(Debug, Clone)]
pub struct Item {
    /// `None` for an item of which the upload was never seen.
    pub category: Option<String>,
    /// Its bytes.
    pub bytes: u64,
    /// What it is.
    pub state: ItemState,
    /// Since when.
    pub since: Timestamp,
    /// Why.
    pub cause: Option<&'static str>,
    /// The event that began this life.
    pub began: usize,
    /// The event that took it out of `live`, unless it was restored since.
    pub out: Option<usize>,
    /// The event that purged or removed it.
    pub ended: Option<usize>,
    /// How its time in the trash is measured.
    pub trashing: Option<Trashing>,
    /// The deadline, once it was reached, also of what was purged or removed after it.
    pub deadline: Option<Timestamp>,
}

/// How an item's time in the trash is measured.
#[derive(Debug, Clone, Copy)]
pub struct Trashing {
    /// The event that put it there.
    pub event: usize,
    /// The index of the version that measures it.
    pub version: usize,
    /// The instant from which the window is counted.
    pub start: Timestamp,
    /// Whether the trash was full, by that version, at any moment since.
    pub once_full: bool,
}

/// A backup in its present life. Events are named by their index in [`Past::events`].
#[derive(Debug, Clone)]
pub struct Backup {
    /// Kept, or else removed.
    pub kept: bool,
    /// Its bytes.
    pub bytes: u64,
    /// Since when it is so.
    pub since: Timestamp,
    /// Why.
    pub cause: Option<&'static str>,
    /// The event that began this life.
    pub began: usize,
    /// The event that removed it, unless it was restored since.
    pub ended: Option<usize>,
    /// When it was last completed.
    pub completed: Option<Timestamp>,
}

/// What a finding is about.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum About {
    /// The account.
    Account,
    /// This item.
    Item(String),
    /// This backup.
    Backup(String),
}

/// Something found.
#[derive(Debug, Clone)]
pub struct Found {
    /// Its code.
    pub code: &'static str,
    /// When.
    pub at: Timestamp,
    /// The event that it cites.
    pub event: usize,
    /// What it is about.
    pub about: About,
    /// How many, for what is found once an account.
    pub count: Option<u64>,
}

/// A time that an item was left expired, from its deadline on.
pub struct Lapse {
    /// The item.
    pub item: String,
    /// The event that put it in the trash.
    pub trashing: usize,
    /// Since when.
    pub deadline: Timestamp,
    /// Until when, if it is over: purged, removed, restored or uploaded anew.
    pub over: Option<Timestamp>,
}

/// An account, walked to its as-of.
pub struct Walked<'a> {
    /// What was walked.
    pub past: Past<'a>,
    /// Every item seen.
    pub items: BTreeMap<String, Item>,
    /// Every backup seen.
    pub backups: BTreeMap<String, Backup>,
    /// Everything found, in no order.
    pub found: Vec<Found>,
    /// Every time that an item was left expired.
    pub lapses: Vec<Lapse>,
    /// The index of the version in force.
    pub version: usize,
    /// Use and limit when they were last looked at.
    pub measured: (u128, Option<u64>),
    /// Since when the account is over its limit, as stages count it.
    pub over_since: Option<Since>,
    /// Since when the trash is full by the version in force.
    pub full_since: Option<Since>,
    /// Whether the event at hand was a purge that a stage over quota admits.
    pub admitted: bool,
}

impl<'a> Walked<'a> {
    /// Walks `past` to its as-of.
    #[must_use]
    pub fn of(past: Past<'a>) -> Walked<'a> {
        let (items, backups) = (BTreeMap::new(), BTreeMap::new());
        let version = past.policy.version_index_at(past.at(0));
        let mut walked = Walked {
            past,
            items,
            backups,
            found: Vec::new(),
            lapses: Vec::new(),
            version,
            measured: (0, None),
            over_since: None,
            full_since: None,
            admitted: false,
        };
        walked.walk();
        walked.find_overdue();
        walked.find_late();
        walked
    }

    fn walk(&mut self) {
        let mut place = 0;
        let mut now = None;
        while let Some(at) = self.next_instant(place, now) {
            if at > self.past.as_of {
                break;
            }
            // Deadlines first, by what stood just before; then the version; then the events. What
            // arises at this very instant falls at once.
            self.fall(place, at);
            self.look(place, at, false);
            self.change_version(at);
            self.look(place, at, false);
            self.fall(place, at);
            self.look(place, at, false);
            while place < self.past.len() && self.past.at(place) == at {
                self.admitted = false;
                self.fold(place);
                place += 1;
                self.look(place, at, self.admitted);
                self.fall(place, at);
                self.look(place, at, false);
            }
            now = Some(at);
        }
    }

    /// The first instant after `now` at which anything happens.
    fn next_instant(&self, place: usize, now: Option<Timestamp>) -> Option<Timestamp> {
        let mut instants: Vec<Timestamp> = Vec::new();
        if place < self.past.len() {
            instants.push(self.past.at(place));
        }
        instants.extend(self.past.policy.versions.iter().skip(1).map(|v| v.effective_from));
        instants.extend(self.items.values().filter_map(|item| self.deadline(item, place)));
        instants.into_iter().filter(|at| now.is_none_or(|now| *at > now)).min()
    }

    /// The deadline of a trashed item, by what is known at `place`; `None`: never, or it is not
    /// trashed.
    #[must_use]
    pub fn deadline(&self, item: &Item, place: usize) -> Option<Timestamp> {
        let trashing = item.trashing.filter(|_| item.state == ItemState::Trashed)?;
        let version = &self.past.policy.versions[trashing.version];
        let tiers: Vec<&str> = match version.trash.basis {
            Basis::TierWhenTrashed => vec![self.past.tier(trashing.event)],
            Basis::TierNow => vec![self.past.tier(place)],
            Basis::LongestHeld => (trashing.event..place).map(|p| self.past.tier(p + 1)).collect(),
        };
        let mut deadline = trashing.start;
        for tier in tiers {
            let of_category = item.category.as_ref().and_then(|c| version.trash.categories.get(c));
            let window = of_category.copied().unwrap_or(measured_as(version, tier).trash);
            let zone = &self.past.policy.zone;
            let Some(end) = version.trash.deadline(trashing.start, window, zone) else {
                return self.shortened(item, None, place);
            };
            deadline = deadline.max(end);
        }
        self.shortened(item, Some(deadline), place)
    }

    /// Expires what is in the trash and has its deadline at `at`, or had it brought forward at `at`
    /// to before it: nothing ends before the instant that made it end.
    fn fall(&mut self, place: usize, at: Timestamp) {
        let due: Vec<String> = self
            .items
            .iter()
            .filter(|(_, item)| self.deadline(item, place).is_some_and(|d| d <= at))
            .map(|(name, _)| name.clone())
            .collect();
        for name in due {
            let item = self.items.get_mut(&name).unwrap();
            item.state = ItemState::Expired;
            item.since = at;
            item.cause = Some("window_lapsed");
            item.deadline = Some(at);
            let trashing = item.trashing.unwrap().event;
            self.lapses.push(Lapse { item: name, trashing, deadline: at, over: None });
        }
    }

    /// What a version does to the trash when it takes effect at `at`, if one does. Whatever is
    /// still trashed then has its deadline later than `at`.
    fn change_version(&mut self, at: Timestamp) {
        let versions = &self.past.policy.versions;
        let Some(version) = (1..versions.len()).find(|v| versions[*v].effective_from == at) else {
            return;
        };
        // The first event may come at or after it.
        if version > self.version {
            self.version = version;
        }
        for item in self.items.values_mut().filter(|item| item.state == ItemState::Trashed) {
            let trashing = item.trashing.as_mut().unwrap();
            match versions[version].on_change {
                OnChange::Grandfather => {}
                OnChange::Restart => {
                    trashing.version = version;
                    trashing.once_full = false;
                    trashing.start = at;
                }
                OnChange::Retroactive => {
                    trashing.version = version;
                    trashing.once_full = false;
                    trashing.start = self.past.at(trashing.event);
                }
            }
        }
    }

    /// The bytes used now, by the version in force at `at`.
    #[must_use]
    pub fn used(&self, at: Timestamp) -> u128 {
        let trashed_too = self.past.policy.version_at(at).trash.counts_toward_quota;
        let of_items = self.items.values().filter(|item| {
            item.state == ItemState::Live || (trashed_too && item.state == ItemState::Trashed)
        });
        let of_backups = self.backups.values().filter(|backup| backup.kept);
        of_items.map(|item| u128::from(item.bytes)).sum::<u128>()
            + of_backups.map(|backup| u128::from(backup.bytes)).sum::<u128>()
    }

    /// Whether more is used than allowed.
    #[must_use]
    pub fn over(&self, place: usize, at: Timestamp) -> bool {
        self.past.limit(place, at).is_some_and(|limit| self.used(at) > u128::from(limit))
    }

    fn find_overdue(&mut self) {
        for lapse in &self.lapses {
            let lag = self.past.policy.version_at(lapse.deadline).trash.purge_lag;
            let Some(at) = lag.after(lapse.deadline, &self.past.policy.zone) else { continue };
            let still_there = lapse.over.is_none_or(|over| over > at);
            if at <= self.past.as_of && still_there && !self.past.held_just_before(at) {
                let about = About::Item(lapse.item.clone());
                let event = lapse.trashing;
                self.found.push(Found { code: "overdue-purge", at, event, about, count: None });
            }
        }
    }

    fn find_late(&mut self) {
        let late: Vec<usize> = (0..self.past.len())
            .filter(|n| {
                let recorded = self.past.events[*n];
                let late_after = self.past.policy.version_at(self.past.at(*n)).late_after;
                recorded.recorded_by == RecordedBy::Source
                    && late_after
                        .after(self.past.at(*n), &self.past.policy.zone)
                        .is_some_and(|latest| recorded.recorded_at > latest)
            })
            .collect();
        if let Some(first) = late.first() {
            self.find("late-recorded", *first, About::Account);
            self.found.last_mut().unwrap().count = Some(late.len() as u64);
        }
    }
}
