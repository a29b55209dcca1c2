//! The trash: deadlines under each basis, what a new version and a new tier do to them, and what
//! happens when they pass (docs/policies.md).

use event::{NameId, Timestamp};
use policy::{Basis, OnChange, Window};

use crate::fold::Rules;
use crate::state::ids;
use crate::{
    Change, ChangeSource, Changed, Finding, FindingCode, FoldState, Item, ItemState, StateCause,
    Subject, Trashing,
};

/// The later of two ends; `None`, never, is the latest.
fn later(a: Option<Timestamp>, b: Option<Timestamp>) -> Option<Timestamp> {
    a.zip(b).map(|(a, b)| a.max(b))
}

impl FoldState {
    /// The end of the window of `trashing` while `tier` is held.
    fn end(
        &self,
        trashing: &Trashing,
        category: Option<NameId>,
        tier: Option<NameId>,
        rules: Rules<'_>,
    ) -> Option<Timestamp> {
        let version = &rules.policy.versions[trashing.version];
        let category = category.map(|c| rules.names.get(c));
        let window: Window = version.trash_window(category, self.tier_name(tier, rules));
        let end = version.trash.deadline(trashing.counted_from, window, &rules.policy.zone);
        // Where midnight comes twice, a window of no days would end before it begins.
        end.map(|end| end.max(trashing.counted_from))
    }

    /// The end of the window of what is trashed just now, by the tier held.
    pub(crate) fn first_end(
        &self,
        trashing: &Trashing,
        category: Option<NameId>,
        rules: Rules<'_>,
    ) -> Option<Timestamp> {
        self.end(trashing, category, self.tiers[trashing.tier_index], rules)
    }

    /// The end by a version that takes hold of what is in the trash.
    fn end_anew(
        &self,
        trashing: &Trashing,
        category: Option<NameId>,
        rules: Rules<'_>,
    ) -> Option<Timestamp> {
        let end = |tier: &Option<NameId>| self.end(trashing, category, *tier, rules);
        let held = &self.tiers[trashing.tier_index..];
        match rules.policy.versions[trashing.version].trash.basis {
            Basis::TierWhenTrashed => end(&held[0]),
            Basis::TierNow => end(&held[held.len() - 1]),
            Basis::LongestHeld => held.iter().map(end).reduce(later).expect("a tier is held"),
        }
    }

    /// Moves the deadline of a trashed item.
    pub(crate) fn set_deadline(
        &mut self,
        id: NameId,
        trashing: Trashing,
        at: Timestamp,
        source: ChangeSource,
    ) {
        let Some(item) = self.item(id) else { return };
        let (from, to) = (item.recoverable_until(), trashing.deadline);
        let item = Item { trashing: Some(trashing), ..item.clone() };
        self.put_item(id, item);
        if from != to {
            self.note(Change { at, source, changed: Changed::Deadline { item: id, from, to } });
        }
    }

    /// A tier event has set a tier at `at`: what the bases `tier_now` and `longest_held` make of
    /// it.
    pub(crate) fn tier_changed(&mut self, at: Timestamp, source: ChangeSource, rules: Rules<'_>) {
        let tier = *self.tiers.last().expect("an account holds a tier");
        for id in ids(&self.trashed) {
            let item = self.item(id).expect("trashed");
            let trashing = item.trashing.as_ref().expect("a trashed item was trashed");
            let end_now = || self.end(trashing, item.category, tier, rules);
            let end = match rules.policy.versions[trashing.version].trash.basis {
                Basis::TierWhenTrashed => continue,
                // What is left at or before this instant ends now, not in the past.
                Basis::TierNow => end_now().map(|end| end.max(at)),
                Basis::LongestHeld => later(trashing.end, end_now()),
            };
            let trashing = self.shortened(Trashing { end, ..trashing.clone() }, at, rules);
            self.set_deadline(id, trashing, at, source);
        }
    }

    /// The version of index `version` takes effect at `at` on what is in the trash.
    pub(crate) fn version_changed(&mut self, version: usize, at: Timestamp, rules: Rules<'_>) {
        let on_change = rules.policy.versions[version].on_change;
        if on_change == OnChange::Grandfather {
            return;
        }
        for id in ids(&self.trashed) {
            let item = self.item(id).expect("trashed");
            let category = item.category;
            let mut trashing = item.trashing.clone().expect("a trashed item was trashed");
            trashing.version = version;
            trashing.counted_from = match on_change {
                OnChange::Restart => at,
                _ => trashing.at,
            };
            let end = self.end_anew(&trashing, category, rules);
            trashing.end = end.map(|end| end.max(at));
            trashing.shortened = self.has_full_trash(&rules.policy.versions[version], rules);
            let trashing = self.shortened(trashing, at, rules);
            self.set_deadline(id, trashing, at, ChangeSource::PolicyVersion(version));
        }
    }

    /// Lets fall what has its deadline at or before `at`. Whether anything did.
    pub(crate) fn let_fall(&mut self, at: Timestamp, rules: Rules<'_>) -> bool {
        let mut fell = false;
        while let Some(&(deadline, id)) = self.deadlines.first() {
            if deadline > at {
                break;
            }
            let lag = rules.policy.version_at(deadline).trash.purge_lag;
            let overdue_at = lag.after(deadline, &rules.policy.zone);
            let mut item = self.item(id).expect("trashed").clone();
            item.state = ItemState::Expired;
            item.since = deadline;
            item.trashing.as_mut().expect("a trashed item was trashed").overdue_at = overdue_at;
            self.put_item(id, item);
            self.overdue.extend(overdue_at.map(|overdue_at| (overdue_at, id)));
            self.note(Change {
                at: deadline,
                source: ChangeSource::Deadline,
                changed: Changed::Item {
                    item: id,
                    from: Some(ItemState::Trashed),
                    to: ItemState::Expired,
                    cause: Some(StateCause::WindowLapsed),
                    recoverable_until: Some(deadline),
                },
            });
            fell = true;
        }
        fell
    }

    /// What is first in `overdue` was neither purged nor taken back in time.
    pub(crate) fn find_overdue(&mut self) {
        let Some((at, id)) = self.overdue.pop_first() else { return };
        let held = if at == self.instant { self.held_before } else { self.held() };
        if held {
            return;
        }
        let trashing = self.item(id).and_then(|item| item.trashing.as_ref()).expect("expired");
        let event = trashing.event;
        let subject = Some(Subject::Item(id));
        self.findings.push(Finding { code: FindingCode::OverduePurge, at, event, subject });
    }
}
