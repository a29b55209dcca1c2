//! The search for the least change of each kind.
//!
//! *Least* is: the as-of moved by the least time, to each side; a reading; the event that has to be moved by
//! the least time; the latest event that can be left out; the tier that has to be held for the shortest time
//! before the next one on record, that is from the latest instant on; a version. Where two are as good, the
//! earlier instant comes first, then the event that comes first in fold order, or the tier that stands first
//! in the policy. No reading and no version is less than another: all that do are given.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use event::{History, Kind, Step, Timestamp};
use policy::Policy;
use projection::{Changed, Item, ItemState, fold, fold_traced};

use super::events::{concerning, moved, next_tier, with_tier, without};
use super::instants::Instants;
use super::{Alteration, Tried, Wanted, WhyNotAsked};

/// How many changes of a kind are tried at most.
const MOST_TRIED: u64 = 10_000;
/// How many events are folded for a kind at most: where more than 200 concern the item, fewer changes
/// are tried.
const MOST_FOLDED: u64 = 2_000_000;
/// Of how many events and versions it is looked up by which trashing the window ends there.
const MOST_LIMITS: usize = 2_000;

/// What is searched in.
pub(super) struct Search<'a> {
    /// All of the account's events that were recorded by then, also later ones than the as-of.
    whole: History,
    /// Those that concern the item.
    concerning: History,
    policy: &'a Policy,
    item: &'a str,
    wanted: Wanted,
    as_of: Timestamp,
}

/// A change with the state and the deadline that come of it.
pub(super) type Come = (Alteration, ItemState, Option<Timestamp>);

/// What was found.
#[derive(Default)]
pub(super) struct Found {
    pub changes: Vec<Come>,
    pub tried: Tried,
    /// At most so many of a kind are tried.
    bound: u64,
    pub bounded: Vec<&'static str>,
}

impl<'a> Search<'a> {
    pub fn new(
        history: &History,
        policy: &'a Policy,
        item: &'a str,
        asked: &WhyNotAsked,
    ) -> Option<Search<'a>> {
        let id = history.names.find(item)?;
        let seen = history.steps_seen(Timestamp::MAX, asked.known_at);
        let whole = History {
            account: history.account.clone(),
            names: history.names.clone(),
            steps: seen.copied().collect(),
            erased: history.erased.clone(),
        };
        let concerning = concerning(history, id, asked.known_at, policy.trash_can_be_full());
        Some(Search { whole, concerning, policy, item, wanted: asked.wanted, as_of: asked.as_of })
    }

    /// What the item is; `None` if it was never seen.
    pub fn now(&self) -> Option<(ItemState, Option<Timestamp>)> {
        let item = self.item_in(&self.whole, self.policy, self.as_of)?;
        Some((item.state, item.recoverable_until()))
    }

    pub fn is_already(&self) -> bool {
        self.holds(&self.whole, self.policy, self.as_of)
    }

    /// At most so many changes of a kind are tried.
    pub fn bound(&self) -> u64 {
        MOST_TRIED.min(MOST_FOLDED / (self.concerning.steps.len() as u64).max(1))
    }

    fn item_in(&self, history: &History, policy: &Policy, as_of: Timestamp) -> Option<Item> {
        let view = fold(history, policy, as_of, Timestamp::MAX)?;
        view.item(history.names.find(self.item)?).cloned()
    }

    fn holds(&self, history: &History, policy: &Policy, as_of: Timestamp) -> bool {
        self.item_in(history, policy, as_of).is_some_and(|item| self.wanted.holds(item.state))
    }

    pub fn run(&self) -> Found {
        let mut found = Found { bound: self.bound(), ..Found::default() };
        self.as_ofs(&mut found);
        self.readings(&mut found);
        let instants = Instants::of(&self.concerning, self.policy, self.as_of);
        self.moves(&instants, &mut found);
        self.leavings(&mut found);
        self.tiers(&instants, &mut found);
        self.versions(&mut found);
        found
    }

    /// Gives what comes of a change, if it is what was asked: folded with all events.
    fn give(
        &self,
        found: &mut Found,
        change: Alteration,
        history: &History,
        policy: &Policy,
        as_of: Timestamp,
    ) {
        let item = self.item_in(history, policy, as_of);
        let item = item.filter(|item| self.wanted.holds(item.state));
        debug_assert!(item.is_some(), "what concerns the item decides: {change:?}");
        found.changes.extend(item.map(|item| (change, item.state, item.recoverable_until())));
    }

    /// The nearest instant before and the nearest one after, by all that was recorded.
    fn as_ofs(&self, found: &mut Found) {
        let max = Timestamp::MAX;
        let Some((view, changes)) = fold_traced(&self.concerning, self.policy, max, max) else {
            return;
        };
        let id = view.names().find(self.item);
        // From when on it is in each state; of one instant the last counts.
        let mut stays: Vec<(Timestamp, ItemState)> = Vec::new();
        for change in changes {
            let Changed::Item { item, to, .. } = change.changed else { continue };
            if Some(item) != id {
                continue;
            }
            match stays.last_mut() {
                Some(last) if last.0 == change.at => last.1 = to,
                _ => stays.push((change.at, to)),
            }
        }
        found.tried.as_of = stays.len() as u64;
        let ends = stays.iter().skip(1).map(|(at, _)| Some(*at)).chain([None]);
        let wanted = stays.iter().zip(ends).filter(|((_, state), _)| self.wanted.holds(*state));
        let (mut before, mut after) = (None, None);
        for ((from, _), end) in wanted {
            match end.filter(|end| *end <= self.as_of) {
                Some(end) => before = Timestamp::from_ms(end.ms() - 1),
                None if *from > self.as_of => after = after.or(Some(*from)),
                None => {}
            }
        }
        let mut nearest = [before, after].map(|to| Some((to?, to?.ms() - self.as_of.ms())));
        nearest.sort_by_key(|near| near.map_or(i64::MAX, |(_, by_ms)| by_ms.abs()));
        for (to, by_ms) in nearest.into_iter().flatten() {
            let change = Alteration::AsOf { to, by_ms };
            self.give(found, change, &self.whole, self.policy, to);
        }
    }

    fn readings(&self, found: &mut Found) {
        for reading in self.policy.readings() {
            let Some(policy) = self.policy.with_reading(&reading) else { continue };
            found.tried.reading += 1;
            if self.holds(&self.concerning, &policy, self.as_of) {
                let change = Alteration::Reading { reading };
                self.give(found, change, &self.whole, &policy, self.as_of);
            }
        }
    }

    fn moves(&self, instants: &Instants, found: &mut Found) {
        let (trashings, all) =
            instants.of_trashing(&self.concerning, self.policy, self.as_of, MOST_LIMITS);
        if !all {
            found.bounded.push("moved");
        }
        let steps = &self.concerning.steps;
        let mut walks: Vec<_> = steps
            .iter()
            .map(|step| match step.kind {
                Kind::ItemTrashed => trashings.from(step.occurred_at),
                _ => instants.from(step.occurred_at),
            })
            .collect();
        // The next instant of each event's walk, the nearest on top.
        let near = |n: usize, to: Timestamp| {
            let by_ms = to.ms() - steps[n].occurred_at.ms();
            Reverse((by_ms.unsigned_abs(), by_ms, n))
        };
        let firsts = walks.iter_mut().enumerate().filter_map(|(n, w)| Some(near(n, w.next()?)));
        let mut heap: BinaryHeap<_> = firsts.collect();
        while let Some(Reverse((_, by_ms, n))) = heap.pop() {
            if found.tried.moved == found.bound {
                if all {
                    found.bounded.push("moved");
                }
                return;
            }
            found.tried.moved += 1;
            let step = &steps[n];
            let from = step.occurred_at;
            let to = Timestamp::from_ms(from.ms() + by_ms).expect("an instant of the walk");
            let changed = moved(&self.concerning, step.revision, to);
            if self.holds(&changed, self.policy, self.as_of) {
                let Step { position, revision, kind, actor, .. } = *step;
                let change = Alteration::Moved { position, revision, kind, actor, from, to, by_ms };
                let changed = moved(&self.whole, revision, to);
                return self.give(found, change, &changed, self.policy, self.as_of);
            }
            heap.extend(walks[n].next().map(|to| near(n, to)));
        }
    }

    fn leavings(&self, found: &mut Found) {
        let seen = self.concerning.steps.iter().filter(|step| step.occurred_at <= self.as_of);
        for step in seen.rev() {
            if found.tried.left_out == found.bound {
                return found.bounded.push("left_out");
            }
            found.tried.left_out += 1;
            let changed = without(&self.concerning, step.revision);
            if self.holds(&changed, self.policy, self.as_of) {
                let Step { position, revision, kind, actor, occurred_at: at, .. } = *step;
                let change = Alteration::LeftOut { position, revision, kind, actor, at };
                let changed = without(&self.whole, revision);
                return self.give(found, change, &changed, self.policy, self.as_of);
            }
        }
    }

    fn tiers(&self, instants: &Instants, found: &mut Found) {
        let mut tiers: Vec<&str> = Vec::new();
        for tier in self.policy.versions.iter().flat_map(|version| &version.tiers) {
            if !tiers.contains(&tier.name.as_str()) {
                tiers.push(&tier.name);
            }
        }
        let first = self.concerning.steps.first().map(|step| step.occurred_at);
        let is_held = |from: &Timestamp| Some(*from) >= first && *from <= self.as_of;
        for from in instants.latest_first().filter(is_held) {
            for &tier in &tiers {
                if found.tried.tier == found.bound {
                    return found.bounded.push("tier");
                }
                found.tried.tier += 1;
                let changed = with_tier(&self.concerning, tier, from);
                if self.holds(&changed, self.policy, self.as_of) {
                    let until = next_tier(&self.concerning, from);
                    let change = Alteration::Tier { tier: tier.to_owned(), from, until };
                    let changed = with_tier(&self.whole, tier, from);
                    return self.give(found, change, &changed, self.policy, self.as_of);
                }
            }
        }
    }

    fn versions(&self, found: &mut Found) {
        if self.policy.versions.len() < 2 {
            return;
        }
        for version in &self.policy.versions {
            let policy = Policy { versions: vec![version.clone()], ..self.policy.clone() };
            found.tried.version += 1;
            if self.holds(&self.concerning, &policy, self.as_of) {
                let change = Alteration::Version { version: version.id.clone() };
                self.give(found, change, &self.whole, &policy, self.as_of);
            }
        }
    }
}
