//! The instants at which it can matter when an event comes: those of the others, those at which a window
//! ends, and a millisecond to each side; and walking through them, the nearest first.

use std::collections::BTreeSet;

use event::{History, Kind, Timestamp};
use policy::{Days, Policy, Window};

/// Instants in order, each once.
pub(super) struct Instants(Vec<Timestamp>);

impl Instants {
    /// Those at which it can matter when an event comes that trashes nothing: between two of them the
    /// answer is one.
    pub fn of(concerning: &History, policy: &Policy, as_of: Timestamp) -> Instants {
        let starts = starts(concerning, policy).into_iter();
        let all = starts.chain(ends(concerning, policy)).chain([as_of]);
        Instants::beside(all, &[-1, 0, 1], as_of)
    }

    /// These and those at which it matters when an item is trashed: its window ends by one of the
    /// others, or does not; of the latest `most` others, and whether those are all. Where the trash can
    /// be full, it also matters whether it ends before, with, or after another's window.
    pub fn of_trashing(
        &self,
        concerning: &History,
        policy: &Policy,
        as_of: Timestamp,
        most: usize,
    ) -> (Instants, bool) {
        let mut limits = starts(concerning, policy);
        limits.insert(as_of);
        if policy.trash_can_be_full() {
            let ends = ends(concerning, policy);
            limits.extend(ends.into_iter().flat_map(|at| [Some(at), beside(at, -1)]).flatten());
            limits.retain(|at| *at <= as_of);
        }
        if !concerning.steps.iter().any(|step| step.kind == Kind::ItemTrashed) {
            limits.clear();
        }
        let mut borders = Vec::new();
        for (rules, window) in windows(policy) {
            let trash = &policy.versions[rules].trash;
            for limit in limits.iter().rev().take(most) {
                borders.extend(trash.crossings(window, *limit, &policy.zone));
            }
        }
        let borders = Instants::beside(borders.into_iter(), &[-1, 0], as_of);
        let all: BTreeSet<Timestamp> = self.0.iter().copied().chain(borders.0).collect();
        (Instants(all.into_iter().collect()), limits.len() <= most)
    }

    /// What comes after `as_of` is not seen, wherever it is.
    fn beside(at: impl Iterator<Item = Timestamp>, ms: &[i64], as_of: Timestamp) -> Instants {
        let all = at.flat_map(|at| ms.iter().filter_map(move |ms| beside(at, *ms)));
        let seen = all.filter(|at| at.ms() <= as_of.ms() + 1);
        let all: BTreeSet<Timestamp> = seen.collect();
        Instants(all.into_iter().collect())
    }

    /// The latest first.
    pub fn latest_first(&self) -> impl Iterator<Item = Timestamp> {
        self.0.iter().rev().copied()
    }

    /// Those other than `at`, the nearest first, the earlier of two as near.
    pub fn from(&self, at: Timestamp) -> Outward<'_> {
        let low = self.0.partition_point(|instant| *instant < at);
        let high = self.0.partition_point(|instant| *instant <= at);
        Outward { instants: &self.0, at, low, high }
    }
}

fn beside(at: Timestamp, ms: i64) -> Option<Timestamp> {
    Timestamp::from_ms(at.ms() + ms)
}

/// The instants of the events and those at which a version takes effect.
fn starts(concerning: &History, policy: &Policy) -> BTreeSet<Timestamp> {
    let steps = concerning.steps.iter().map(|s| s.occurred_at);
    steps.chain(policy.versions.iter().map(|v| v.effective_from)).collect()
}

/// Those at which a window ends that counts from where an item was trashed, or from a version.
fn ends(concerning: &History, policy: &Policy) -> BTreeSet<Timestamp> {
    let trashed = concerning.steps.iter().filter(|s| s.kind == Kind::ItemTrashed);
    let versions = policy.versions.iter().map(|v| v.effective_from);
    let counted: BTreeSet<Timestamp> = trashed.map(|s| s.occurred_at).chain(versions).collect();
    let mut ends = BTreeSet::new();
    for (rules, window) in windows(policy) {
        let trash = &policy.versions[rules].trash;
        ends.extend(counted.iter().filter_map(|at| trash.deadline(*at, window, &policy.zone)));
    }
    ends
}

/// The windows of the policy that differ, each with a version that counts its days as it does.
fn windows(policy: &Policy) -> Vec<(usize, Window)> {
    let mut windows: Vec<(usize, Window, Days)> = Vec::new();
    for (n, version) in policy.versions.iter().enumerate() {
        let tiers = version.tiers.iter().map(|tier| tier.trash);
        let full = version.trash.full.map(|full| full.window);
        for window in tiers.chain(version.trash.categories.values().copied()).chain(full) {
            let days = version.trash.days;
            if !windows.iter().any(|(_, w, d)| (*w, *d) == (window, days)) {
                windows.push((n, window, days));
            }
        }
    }
    windows.into_iter().map(|(n, window, _)| (n, window)).collect()
}

/// A walk through instants away from one of them.
pub(super) struct Outward<'i> {
    instants: &'i [Timestamp],
    at: Timestamp,
    /// How many before are still to come.
    low: usize,
    /// The next one after.
    high: usize,
}

impl Iterator for Outward<'_> {
    type Item = Timestamp;

    fn next(&mut self) -> Option<Timestamp> {
        let before = self.low.checked_sub(1).map(|n| self.instants[n]);
        let after = self.instants.get(self.high).copied();
        let is_before = match (before, after) {
            (None, None) => return None,
            (Some(before), Some(after)) => self.at.ms() - before.ms() <= after.ms() - self.at.ms(),
            (before, _) => before.is_some(),
        };
        match is_before {
            true => self.low -= 1,
            false => self.high += 1,
        }
        if is_before { before } else { after }
    }
}
