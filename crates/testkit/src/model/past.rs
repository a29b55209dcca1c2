//! The events that are seen, and every question about the account that reading them again answers.
//!
//! "Place" is the number of events folded so far: at place `n`, the first `n` are the past. The
//! event about to be judged at place `n` is the one of index `n`.

use std::collections::BTreeSet;

use event::{Kind, Payload, Recorded, Timestamp};
use policy::{Policy, Version, Window};

/// The events of one account that are seen, in fold order; never empty.
pub struct Past<'a> {
    /// The rules.
    pub policy: &'a Policy,
    /// As of when.
    pub as_of: Timestamp,
    /// By (`occurred_at`, revision).
    pub events: Vec<&'a Recorded>,
}

impl<'a> Past<'a> {
    /// What is seen as of `as_of` of what was recorded by `known_at`; `None` for nothing.
    #[must_use]
    pub fn of(
        events: &'a [Recorded],
        policy: &'a Policy,
        as_of: Timestamp,
        known_at: Timestamp,
    ) -> Option<Past<'a>> {
        let mut events: Vec<&Recorded> = events
            .iter()
            .filter(|r| r.event.occurred_at <= as_of && r.recorded_at <= known_at)
            .collect();
        events.sort_by_key(|r| (r.event.occurred_at, r.revision));
        if events.is_empty() { None } else { Some(Past { policy, as_of, events }) }
    }

    /// How many events are seen.
    #[must_use]
    pub fn len(&self) -> usize {
        self.events.len()
    }

    /// Never.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.events.is_empty()
    }

    /// The instant of the event of this index.
    #[must_use]
    pub fn at(&self, index: usize) -> Timestamp {
        self.events[index].event.occurred_at
    }

    /// What happened in the event of this index.
    #[must_use]
    pub fn payload(&self, index: usize) -> &'a Payload {
        &self.events[index].event.payload
    }

    /// Whether the event of this index is the user's, in the fold's sense.
    #[must_use]
    pub fn by_user(&self, index: usize) -> bool {
        self.events[index].event.actor.is_user()
    }

    /// The tier held at `place`, as recorded.
    #[must_use]
    pub fn tier(&self, place: usize) -> &str {
        let mut tier = &*self.policy.version_at(self.at(0)).tiers[0].name;
        for index in 0..place {
            if let Some(new) = self.tier_set_by(index) {
                tier = new;
            }
        }
        tier
    }

    /// The tier that the event of this index sets.
    #[must_use]
    pub fn tier_set_by(&self, index: usize) -> Option<&str> {
        match self.payload(index) {
            Payload::AccountOpened { tier: Some(tier) } | Payload::TierChanged { tier } => {
                Some(tier)
            }
            _ => None,
        }
    }

    /// Whether the tier held at `place` is exempt by the version in force at `at`.
    #[must_use]
    pub fn exempt(&self, place: usize, at: Timestamp) -> bool {
        let version = self.policy.version_at(at);
        version.exempt_tiers.contains(&measured_as(version, self.tier(place)).name)
    }

    /// The limit in bytes at `place` by the version in force at `at`; `None`: there is none.
    #[must_use]
    pub fn limit(&self, place: usize, at: Timestamp) -> Option<u64> {
        for index in (0..place).rev() {
            if let Payload::QuotaChanged { bytes } = self.payload(index) {
                return Some(*bytes);
            }
        }
        measured_as(self.policy.version_at(at), self.tier(place)).quota
    }

    /// Whether the event of this index is activity, by the version in force at its own instant.
    #[must_use]
    pub fn is_activity(&self, index: usize) -> bool {
        let version = self.policy.version_at(self.at(index));
        version.resets.contains(self.payload(index).kind())
            && version.actors.contains(self.events[index].event.actor)
    }

    /// The index of the last activity at `place`.
    #[must_use]
    pub fn last_activity(&self, place: usize) -> Option<usize> {
        (0..place).rev().find(|index| self.is_activity(*index))
    }

    /// The instant from which the account counts as inactive, at `place` and by the version in
    /// force at `at`; `None`: never. Before any activity the first event stands in, for an event
    /// judged at place 0 that event itself.
    #[must_use]
    pub fn inactive_at(&self, place: usize, at: Timestamp) -> Option<Timestamp> {
        let last = self.last_activity(place).unwrap_or(0);
        let window = self.policy.version_at(at).inactivity_window;
        window.after(self.at(last), &self.policy.zone)
    }

    /// Whether the account may be treated as inactive at `at`: its time is up and its tier is not
    /// exempt.
    #[must_use]
    pub fn may_lapse(&self, place: usize, at: Timestamp) -> bool {
        self.inactive_at(place, at).is_some_and(|inactive| inactive <= at)
            && !self.exempt(place, at)
    }

    /// The maximal spans of activity, `[from, to)`; an open end is never.
    #[must_use]
    pub fn active_spans(&self) -> Vec<(Timestamp, Option<Timestamp>)> {
        // Between two of these instants neither the last activity nor the version changes.
        let mut borders: BTreeSet<Timestamp> = (0..self.len()).map(|i| self.at(i)).collect();
        for version in &self.policy.versions {
            if self.at(0) < version.effective_from && version.effective_from <= self.as_of {
                borders.insert(version.effective_from);
            }
        }
        let borders: Vec<Timestamp> = borders.into_iter().collect();
        let mut spans: Vec<(Timestamp, Option<Timestamp>)> = Vec::new();
        for (n, from) in borders.iter().copied().enumerate() {
            let place = (0..self.len()).filter(|i| self.at(*i) <= from).count();
            let to = match (self.inactive_at(place, from), borders.get(n + 1)) {
                (None, next) => next.copied(),
                (Some(end), None) => Some(end),
                (Some(end), Some(next)) => Some(end.min(*next)),
            };
            if to.is_some_and(|to| to <= from) {
                continue;
            }
            match spans.last_mut() {
                Some(last) if last.1 == Some(from) => last.1 = to,
                _ => spans.push((from, to)),
            }
        }
        spans
    }

    /// Whether a hold stands at `place`.
    #[must_use]
    pub fn held(&self, place: usize) -> bool {
        let mut standing = BTreeSet::new();
        for index in 0..place {
            match self.payload(index) {
                Payload::HoldPlaced { hold } => {
                    standing.insert(hold);
                }
                Payload::HoldReleased { hold } => {
                    standing.remove(hold);
                }
                _ => {}
            }
        }
        !standing.is_empty()
    }

    /// Whether a hold stood just before the instant `at`.
    #[must_use]
    pub fn held_just_before(&self, at: Timestamp) -> bool {
        self.held((0..self.len()).filter(|i| self.at(*i) < at).count())
    }

    /// Whether, at `place`, an `account_closed` by the user stands.
    #[must_use]
    pub fn closed_by_user(&self, place: usize) -> bool {
        for index in (0..place).rev() {
            match self.payload(index) {
                Payload::AccountOpened { .. } => return false,
                Payload::AccountClosed if self.by_user(index) => return true,
                _ => {}
            }
        }
        false
    }

    /// Whether, at `place`, somebody was notified at least `notice` before `at`, and not before
    /// the last activity.
    #[must_use]
    pub fn notified(&self, place: usize, notice: Window, at: Timestamp) -> bool {
        let from = self.last_activity(place).map_or(0, |last| last + 1);
        (from..place).any(|index| {
            self.payload(index).kind() == Kind::InactivityNotified
                && notice.after(self.at(index), &self.policy.zone).is_some_and(|t| t <= at)
        })
    }

    /// What the last `sync_on` or `sync_off` of `category` said, at `place`.
    #[must_use]
    pub fn sync(&self, place: usize, category: &str) -> Option<bool> {
        (0..place).rev().find_map(|index| match self.payload(index) {
            Payload::SyncOn { category: c } if c == category => Some(true),
            Payload::SyncOff { category: c } if c == category => Some(false),
            _ => None,
        })
    }

    /// `closed`, `terminated`, `cleared`, `frozen`, `at_risk` or `active`, as of T.
    #[must_use]
    pub fn status(&self) -> &'static str {
        let (mut closed, mut terminated, mut cleared, mut frozen) = (false, false, false, false);
        for index in 0..self.len() {
            match self.payload(index) {
                Payload::AccountOpened { .. } => {
                    (closed, terminated, cleared, frozen) = (false, false, false, false);
                }
                Payload::AccountClosed => closed = true,
                Payload::AccountTerminated => terminated = true,
                Payload::DataCleared { .. } => cleared = true,
                Payload::AccountFrozen => frozen = true,
                Payload::AccountUnfrozen => (cleared, frozen) = (false, false),
                _ => {}
            }
            // An event is folded first and only then counted as activity.
            if self.is_activity(index) {
                (cleared, frozen) = (false, false);
            }
        }
        if closed {
            "closed"
        } else if terminated {
            "terminated"
        } else if cleared {
            "cleared"
        } else if frozen {
            "frozen"
        } else if self.may_lapse(self.len(), self.as_of) {
            "at_risk"
        } else {
            "active"
        }
    }
}

/// The tier by which `version` measures an account of `tier`: one that it does not name, as its
/// first.
#[must_use]
pub fn measured_as<'v>(version: &'v Version, tier: &str) -> &'v policy::Tier {
    version.tiers.iter().find(|t| t.name == tier).unwrap_or(&version.tiers[0])
}
