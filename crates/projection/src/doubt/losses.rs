//! What is unknown of a step that takes away, a purge or a clearing, and of whether it was a breach: the other half of the
//! rules by kind ([`super::steps`]).

use event::{ClearCause, NameId, PurgeCause};
use policy::{Act, Window};

use super::steps::Taker;
use super::{Doubt, Said};
use crate::state::ids;
use crate::unsure::Unsure;
use crate::{BackupState, FoldState, ItemState};

impl Doubt {
    pub(super) fn purged(
        &self,
        state: &FoldState,
        id: NameId,
        given: Said<Option<PurgeCause>>,
        at: &Taker<'_>,
    ) -> Unsure {
        let before = self.items.get(id);
        if before.state {
            return Unsure { category: before.category, bytes: before.bytes, ..Unsure::GONE };
        }
        let item = state.item(id);
        let from = item.map_or(ItemState::Live, |item| item.state);
        if matches!(from, ItemState::Purged | ItemState::Removed) {
            return before;
        }
        let is_expired = from == ItemState::Expired;
        let category = match before.category {
            true => None,
            false => Some(item.and_then(|item| item.category)),
        };
        let is_trashed = from == ItemState::Trashed;
        let admitted = match is_expired {
            true => Some(true),
            false => self.admitted(state, given, category, is_trashed, at),
        };
        let after = self.taken(state, before, admitted, at);
        let syncs = category.is_some_and(|category| self.knows_sync(category));
        let reads_sync = !at.by_user() && !is_expired;
        Unsure { how: after.how || (reads_sync && !syncs), ..after }
    }

    pub(super) fn removed(
        &self,
        state: &FoldState,
        id: NameId,
        given: Said<Option<PurgeCause>>,
        at: &Taker<'_>,
    ) -> Unsure {
        let before = self.backups.get(id);
        if before.state {
            return Unsure { state: false, ..Unsure::GONE };
        }
        let backup = state.backup(id);
        if backup.is_some_and(|backup| backup.state == BackupState::Removed) {
            return before;
        }
        let stale_at = backup.and_then(|backup| state.stale_at(backup, at.rules));
        let is_stale = stale_at.is_some_and(|stale_at| stale_at <= at.step.occurred_at);
        let may_be = before.completed && at.rules.version(state).stale_after != Window::Never;
        let admitted = match () {
            () if may_be => None,
            () if is_stale => Some(true),
            () => self.admitted(state, given, Some(None), false, at),
        };
        self.taken(state, before, admitted, at)
    }

    /// What is left unknown of what a purge takes that is known to be there; `admitted`: whether the policy lets the
    /// provider take it.
    fn taken(
        &self,
        state: &FoldState,
        before: Unsure,
        admitted: Said<bool>,
        at: &Taker<'_>,
    ) -> Unsure {
        let admitted = if at.by_user() { Some(true) } else { admitted };
        let is_breach = admitted == Some(false);
        let open = admitted.is_none();
        let lawful = !is_breach && (open || self.held(state).is_none());
        Unsure {
            since: false,
            took: false,
            cause: open,
            how: open,
            lawful: before.lawful || lawful,
            weighs: false,
            is_there: false,
            ..before
        }
    }

    /// Whether the policy admits that the provider purges something of `category` before any deadline of it.
    fn admitted(
        &self,
        state: &FoldState,
        given: Said<Option<PurgeCause>>,
        category: Said<Option<NameId>>,
        is_trashed: bool,
        at: &Taker<'_>,
    ) -> Said<bool> {
        if at.by_user() {
            return Some(false);
        }
        let given = given?;
        match given {
            Some(PurgeCause::Inactivity) if self.inactive(state, at)? => return Some(true),
            Some(PurgeCause::Inactivity | PurgeCause::Quota) => {}
            _ => return Some(false),
        }
        if at.rules.version(state).stages.is_empty() {
            return Some(false);
        }
        if self.conditions {
            return None;
        }
        let now = at.step.occurred_at;
        Some(state.admission(given, category?, is_trashed, now, at.rules).is_some())
    }

    /// Whether the provider breaches the policy by `act` on the account.
    pub(super) fn breach(&mut self, state: &FoldState, act: Act, at: &Taker<'_>) -> Said<bool> {
        let breach = self.breach_of(state, act, at);
        self.more |= breach.is_none();
        breach
    }

    fn breach_of(&self, state: &FoldState, act: Act, at: &Taker<'_>) -> Said<bool> {
        let inactive = self.inactive(state, at);
        if at.by_user() || state.standing.closed_by_user || inactive == Some(true) {
            return Some(false);
        }
        let mut stages = at.rules.version(state).stages.values();
        if stages.any(|stage| stage.admits.contains(act)) {
            if self.conditions {
                return None;
            }
            if state.admits(act, at.step.occurred_at, at.rules).is_some() {
                return Some(false);
            }
        }
        (!self.standing.closed_by_user && inactive.is_some()).then_some(true)
    }

    /// Whether a clearing is found to be without notice.
    pub(super) fn notice_found(&self, state: &FoldState, at: &Taker<'_>) -> Said<bool> {
        let notice = at.rules.version(state).notice;
        if at.by_user() || state.standing.closed_by_user || notice == Window::Never {
            return Some(false);
        }
        // A notice that came before this one would have been long enough before too.
        let due = state.activity.notified_at;
        let due = due.and_then(|notified| notice.after(notified, &at.rules.policy.zone));
        if due.is_some_and(|due| due <= at.step.occurred_at) {
            return Some(false);
        }
        (!self.notified && !self.standing.closed_by_user).then_some(true)
    }

    pub(super) fn cleared(&mut self, state: &FoldState, breach: Said<bool>, at: &Taker<'_>) {
        let for_inactivity = at.step.clear_cause == Some(ClearCause::Inactivity);
        let how = for_inactivity && self.inactive(state, at).is_none();
        let by_breach = breach == Some(true);
        let lawful = !by_breach && (breach.is_none() || self.held(state).is_none());
        let gone = |before: Unsure| Unsure {
            since: false,
            took: false,
            cause: false,
            how,
            lawful: before.lawful || lawful,
            weighs: false,
            is_there: false,
            ..before
        };
        let mut there = state.live.clone();
        there.union_with(&state.trashed);
        there.union_with(&state.expired);
        for id in ids(&there) {
            let before = self.items.get(id);
            if !before.state {
                self.items.set(id, gone(before));
            }
        }
        for id in ids(&state.kept) {
            let before = self.backups.get(id);
            if !before.state {
                self.backups.set(id, gone(before));
            }
        }
        self.items.each(|_, unsure| {
            if unsure.state {
                *unsure = Unsure { category: unsure.category, bytes: unsure.bytes, ..Unsure::GONE };
            }
        });
        self.lose_backups();
    }

    /// All backups are removed: those of an unknown state too, one does not know when.
    pub(super) fn lose_backups(&mut self) {
        self.backups.each(|id, unsure| {
            if unsure.state {
                *unsure = Unsure { state: id.is_none(), ..Unsure::GONE };
            }
        });
    }
}
