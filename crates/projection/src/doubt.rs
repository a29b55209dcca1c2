//! What of a folded state is not known because events were erased: flags that are carried beside the
//! fold, step by step.
//!
//! A *completion* of an erased history has any event in place of each that was erased to its leaf, at any
//! instant before the one that its erasure names, or none; and any contents in place of each whose contents were erased. What
//! is held after every step, and after time passed: **a value of the state whose flag is not set is that of every completion.** By
//! induction:
//!
//! - Where events were erased to their leaves, nothing is known at the last instant at which one can have
//!   occurred: every flag is set there ([`Doubt::forget`]), but for the tier, of which each is a world of its own
//!   ([`crate::worlds`]). What comes after it is folded in every completion from the same steps.
//! - A step clears the flag of what it sets whatever came before, sets that of what it makes of a value whose flag is
//!   set, and leaves the others. So each kind of step has its rule in `steps.rs`, beside that of [`crate::fold`].
//! - A step without its contents does what its kind does, to the one subject that it has; only its category, its
//!   bytes and the cause that it gives are not known.
//! - Time makes states of deadlines, and both share their flag. What the use of space makes of deadlines and stages is given up
//!   with the first erased event (`conditions`).
//!
//! A finding is certain where all that it was judged by is known ([`Doubt::is_certain`]). That one is not
//! there, because what it would have been judged by is not known, is kept in `more`.

mod losses;
mod steps;

use std::collections::BTreeSet;

use event::{NameId, Step, Timestamp};
use policy::Window;

use self::steps::Judged;
use crate::fold::Rules;
use crate::state::{Holds, Standing};
use crate::unsure::{Things, Unsure};
use crate::{
    BackupState, Change, Changed, Finding, FindingCode, FoldState, ItemState, Status, Subject,
};

/// A value, unless what was erased leaves it open.
pub type Said<T> = Option<T>;

/// What is not known of a state.
#[derive(Debug, Clone, Default)]
pub(crate) struct Doubt {
    /// The name of the tier held; what it means is known in each world.
    pub tier: bool,
    /// The last `quota_changed`.
    pub quota: bool,
    /// Whether holds stand that the state does not have.
    holds: bool,
    standing: Standing,
    /// The last activity: it was at this instant or before it.
    pub active_by: Option<Timestamp>,
    /// Whether a notice was given before those that the state has.
    notified: bool,
    /// What was before the last erased event.
    pub past: bool,
    /// Use, limit and trash as stages and a full trash see them.
    pub conditions: bool,
    /// Whether the sync of categories that are not in `sync_known` is not known.
    sync: bool,
    sync_known: BTreeSet<NameId>,
    pub items: Things,
    pub backups: Things,
    /// Which of the state's findings are certain, as far as they were looked at.
    certain: Vec<bool>,
    /// Which of its changes are, and whether what was before them is known.
    certain_changes: Vec<(bool, bool)>,
    /// There may be findings that the state has not.
    pub more: bool,
}

impl Doubt {
    /// Nothing of what was before `by` is known, nor of that instant.
    pub fn forget(&mut self, state: &mut FoldState, by: Timestamp, rules: Rules<'_>) {
        state.holds = Holds::default();
        state.standing = Standing::default();
        state.quota_bytes = None;
        state.activity.notified_at = None;
        *self = Doubt {
            tier: true,
            quota: true,
            holds: true,
            standing: Standing {
                closed: true,
                terminated: true,
                cleared: true,
                frozen: true,
                closed_by_user: true,
            },
            // Where none of the erased events is seen, the first that is stands in for an activity.
            active_by: Some(by.max(state.activity.base)),
            notified: true,
            past: true,
            conditions: rules.watches,
            sync: true,
            sync_known: BTreeSet::new(),
            items: Things::unknown(),
            backups: Things::unknown(),
            certain: vec![false; state.findings.len()],
            certain_changes: vec![(false, false); state.changes.as_ref().map_or(0, Vec::len)],
            more: true,
        };
    }

    /// Lets time pass, as [`FoldState::pass`].
    pub fn pass(&mut self, state: &mut FoldState, until: Timestamp, whole: bool, rules: Rules<'_>) {
        state.pass(until, whole, rules);
        let new = &state.findings[self.certain.len()..];
        let is_certain = |found: &Finding| {
            let item = found.subject.map(|subject| self.items.get(subject.name()));
            !self.holds && item.is_some_and(|item| !item.state)
        };
        let certain: Vec<bool> = new.iter().map(is_certain).collect();
        self.certain.extend(certain);
        self.take_changes(state, None);
    }

    /// Folds a step, as [`FoldState::apply`]; `erased`: its contents are not there.
    pub fn apply(&mut self, state: &mut FoldState, step: &Step, erased: bool, rules: Rules<'_>) {
        if step.occurred_at > state.instant {
            self.pass(state, step.occurred_at, false, rules);
        }
        if erased && rules.watches {
            self.lose_conditions(state, rules);
        }
        let judged = self.judge(state, step, erased, rules);
        state.apply(step, rules);
        let new = &state.findings[self.certain.len()..];
        let certain: Vec<bool> = new.iter().map(|found| self.is_certain(found, &judged)).collect();
        self.certain.extend(certain);
        self.take_changes(state, Some((step.subject, judged.before)));
        let version = rules.version(state);
        if version.resets.contains(step.kind) && version.actors.contains(step.actor) {
            self.active_by = None;
            self.notified = false;
            self.standing.cleared = false;
            self.standing.frozen = false;
        }
    }

    fn take_changes(&mut self, state: &FoldState, step: Option<(Option<NameId>, Unsure)>) {
        let Some(changes) = &state.changes else { return };
        for change in &changes[self.certain_changes.len()..] {
            let now = self.of(change.changed.subject());
            let own = step.filter(|(id, _)| *id == Some(change.changed.subject().name()));
            let is_known = own.is_none_or(|(_, before)| !before.state);
            let is_certain = !(now.state || now.since || now.cause || now.until);
            self.certain_changes.push((is_certain, is_known));
        }
    }

    /// What is not known of an item or backup.
    pub fn of(&self, subject: Subject) -> Unsure {
        match subject {
            Subject::Item(id) => self.items.get(id),
            Subject::Backup(id) => self.backups.get(id),
        }
    }

    /// The findings that are certain, those about a subject whose name is erased left out; and whether there may
    /// be others.
    pub fn findings(&self, state: &FoldState, rules: Rules<'_>) -> (Vec<Finding>, bool) {
        let named = |found: &Finding| {
            found.subject.is_none_or(|subject| !rules.names.get(subject.name()).is_empty())
        };
        let found = state.findings.iter().zip(&self.certain);
        let told = found.filter(|(found, certain)| **certain && named(found));
        let told: Vec<Finding> = told.map(|(found, _)| found.clone()).collect();
        let more = self.more || told.len() < state.findings.len();
        (told, more)
    }

    /// The changes that are certain; of one that follows on what is not known, without the state before it.
    pub fn changes(&self, changes: Vec<Change>) -> Vec<Change> {
        let changes = changes.into_iter().zip(&self.certain_changes);
        let certain = changes.filter(|(_, (is_certain, _))| *is_certain);
        let told = certain.map(|(mut change, (_, is_known))| {
            match &mut change.changed {
                Changed::Item { from, .. } if !is_known => *from = None,
                Changed::Backup { from, .. } if !is_known => *from = None,
                _ => {}
            }
            change
        });
        told.collect()
    }

    /// Whether a finding of a step is one of every completion.
    fn is_certain(&self, found: &Finding, judged: &Judged) -> bool {
        use FindingCode as C;
        let after = found.subject.map(|subject| self.of(subject)).unwrap_or_default();
        match found.code {
            C::UnknownItem | C::RestoredAfterWindow | C::Resurrected | C::TrashedByProvider => {
                !judged.before.state && !after.state
            }
            C::UploadOverQuota => judged.over.is_some(),
            C::UploadWhileSyncOff => judged.sync.is_some(),
            C::PurgedUnderHold => judged.held.is_some() && !after.state && !after.took,
            C::PrematurePurge
            | C::LossAfterSyncOff
            | C::LossOverQuota
            | C::LossOnTierLapse
            | C::PurgeWithoutCause
            | C::PurgedWithoutTrash => !after.state && !after.took && !after.cause,
            C::ClearedWithoutNotice if found.subject.is_some() => {
                !after.state && !after.took && !after.cause && !self.conditions
            }
            C::ClearedWithoutNotice => judged.notice.is_some(),
            C::ClearedWhileActive | C::FrozenWhileActive | C::TerminatedWhileActive => {
                judged.account.is_some()
            }
            C::OverduePurge | C::LateRecorded => false,
        }
    }

    /// Whether a hold stands.
    fn held(&self, state: &FoldState) -> Said<bool> {
        (state.held() || !self.holds).then_some(state.held())
    }

    fn knows_sync(&self, category: Option<NameId>) -> bool {
        !self.sync || category.is_none_or(|category| self.sync_known.contains(&category))
    }

    /// The sync of a category, as the row of it has it.
    pub fn sync(&self, category: NameId) -> Said<()> {
        self.knows_sync(Some(category)).then_some(())
    }

    /// Whether categories may have been named that the state does not have.
    pub fn has_lost_categories(&self) -> bool {
        self.sync
    }

    fn inactive_at(&self, state: &FoldState, at: Timestamp, rules: Rules<'_>) -> Said<bool> {
        let window = rules.version(state).inactivity_window;
        match self.active_by {
            _ if window == Window::Never || state.is_exempt(rules) => Some(false),
            None => Some(state.is_inactive(at, rules)),
            // The later the activity, the later its window ends.
            Some(by) => {
                let end = window.after(by, &rules.policy.zone);
                end.is_some_and(|end| end <= at).then_some(true)
            }
        }
    }

    /// What the account is at `at`.
    pub fn status(&self, state: &FoldState, at: Timestamp, rules: Rules<'_>) -> Said<Status> {
        let (is, unsure) = (state.standing, self.standing);
        let first = [
            (is.closed, unsure.closed, Status::Closed),
            (is.terminated, unsure.terminated, Status::Terminated),
            (is.cleared, unsure.cleared, Status::Cleared),
            (is.frozen, unsure.frozen, Status::Frozen),
        ];
        for (is, unsure, status) in first {
            if unsure {
                return None;
            }
            if is {
                return Some(status);
            }
        }
        let inactive = self.inactive_at(state, at, rules)?;
        Some(if inactive { Status::AtRisk } else { Status::Active })
    }

    /// The bytes used.
    pub fn used(&self, state: &FoldState, rules: Rules<'_>) -> Said<u128> {
        let counts = rules.version(state).trash.counts_toward_quota;
        let item = |id| match state.item(id).map(|item| item.state) {
            Some(ItemState::Trashed) => counts,
            state => state == Some(ItemState::Live),
        };
        let backup = |id| state.backup(id).is_some_and(|b| b.state == BackupState::Kept);
        let open = self.items.weigh(item) || self.backups.weigh(backup);
        (!open).then(|| state.used_bytes(rules))
    }

    /// Whether the account is over its limit.
    pub fn over(&self, state: &FoldState, rules: Rules<'_>) -> Said<bool> {
        self.used(state, rules)?;
        (!self.quota).then(|| state.is_over_quota(rules))
    }
}
