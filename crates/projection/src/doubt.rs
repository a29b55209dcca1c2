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
//!   set, and leaves the others. So each kind of step has its rule here, beside that of [`crate::fold`].
//! - A step without its contents does what its kind does, to the one subject that it has; only its category, its
//!   bytes and the cause that it gives are not known.
//! - Time makes states of deadlines, and both share their flag. What the use of space makes of deadlines and stages is given up
//!   with the first erased event (`conditions`).
//!
//! A finding is certain where all that it was judged by is known ([`Doubt::is_certain`]). That one is not
//! there, because what it would have been judged by is not known, is kept in `more`.

use std::collections::BTreeSet;

use event::{ClearCause, Kind, NameId, PurgeCause, Step, Surface, Timestamp};
use policy::{Act, Over, Window};

use crate::fold::Rules;
use crate::state::{Standing, ids};
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

/// How a step was judged where that is not of one subject alone.
#[derive(Default)]
struct Judged {
    /// The subject before the step.
    before: Unsure,
    over: Said<bool>,
    sync: Said<()>,
    held: Said<bool>,
    account: Said<bool>,
    notice: Said<bool>,
}

impl Doubt {
    /// Nothing of what was before `by` is known, nor of that instant.
    pub fn forget(&mut self, state: &mut FoldState, by: Timestamp, rules: Rules<'_>) {
        state.holds.clear();
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

    /// What a step leaves unknown, by the state just before it.
    fn judge(&mut self, state: &FoldState, step: &Step, erased: bool, rules: Rules<'_>) -> Judged {
        let mut judged = Judged { held: self.held(state), ..Judged::default() };
        let at = Taker { step, erased, rules };
        match step.kind {
            Kind::AccountOpened => {
                self.standing = Standing::default();
                self.tier &= step.word.is_none();
            }
            Kind::TierChanged => self.tier = false,
            Kind::QuotaChanged => self.quota = false,
            Kind::SyncOn | Kind::SyncOff => {
                self.sync_known.extend(step.word);
            }
            Kind::ItemUploaded => {
                let id = at.subject();
                judged.over = self.over(state, rules);
                judged.sync = (!erased && self.knows_sync(step.word)).then_some(());
                let device = step.surface == Some(Surface::Device);
                self.more |= self.upload_is_open(judged.over, rules, state);
                self.more |= device && judged.sync.is_none();
                let unsure = Unsure { category: erased, bytes: erased, ..Unsure::default() };
                self.items.set(id, Unsure { weighs: erased, ..unsure });
            }
            Kind::ItemModified | Kind::ItemTrashed | Kind::ItemRestored | Kind::ItemPurged => {
                let id = at.subject();
                judged.before = self.items.get(id);
                let after = match step.kind {
                    Kind::ItemModified => self.modified(state, id, &at),
                    Kind::ItemTrashed => self.trashed(state, id, &at),
                    Kind::ItemRestored => restored(state, id, judged.before),
                    _ => self.purged(state, id, (!erased).then_some(step.purge_cause), &at),
                };
                self.more |= judged.before.state || after.state || after.cause;
                self.items.set(id, after);
            }
            Kind::TrashEmptied => {
                let mut in_trash = state.trashed.clone();
                in_trash.union_with(&state.expired);
                for id in ids(&in_trash) {
                    if !self.items.get(id).state {
                        let after = self.purged(state, id, Some(None), &at);
                        self.items.set(id, after);
                    }
                }
            }
            Kind::BackupCompleted => {
                judged.over = self.over(state, rules);
                self.more |= self.upload_is_open(judged.over, rules, state);
                let unsure = Unsure { bytes: erased, weighs: erased, ..Unsure::default() };
                self.backups.set(at.subject(), unsure);
            }
            Kind::BackupRestored => {
                let id = at.subject();
                judged.before = self.backups.get(id);
                let kept = state.backup(id).is_none_or(|b| b.state == BackupState::Kept);
                self.more |= judged.before.state;
                self.backups.set(id, back(judged.before, kept));
            }
            Kind::BackupPurged => {
                let id = at.subject();
                judged.before = self.backups.get(id);
                let given = (!erased).then_some(step.purge_cause);
                let after = self.removed(state, id, given, &at);
                self.more |= after.cause;
                self.backups.set(id, after);
            }
            Kind::BackupOff if step.delete_backups => {
                for id in ids(&state.kept) {
                    let after = self.removed(state, id, Some(None), &at);
                    self.more |= after.cause;
                    self.backups.set(id, after);
                }
                self.lose_backups();
            }
            Kind::AccountFrozen => {
                judged.account = self.breach(state, Act::Freeze, &at);
                self.standing.frozen = false;
            }
            Kind::AccountUnfrozen => {
                self.standing.frozen = false;
                self.standing.cleared = false;
            }
            Kind::AccountTerminated => {
                judged.account = self.breach(state, Act::Terminate, &at);
                self.standing.terminated = false;
            }
            Kind::AccountClosed => {
                judged.account = self.breach(state, Act::Terminate, &at);
                self.standing.closed = false;
                self.standing.closed_by_user &= !step.actor.is_user();
            }
            Kind::DataCleared => {
                judged.account = self.breach(state, Act::Clear, &at);
                judged.notice = self.notice_found(state, &at);
                self.more |= judged.notice.is_none();
                self.cleared(state, judged.account, &at);
                self.standing.cleared = false;
            }
            Kind::Synced
            | Kind::BackupOff
            | Kind::InactivityNotified
            | Kind::HoldPlaced
            | Kind::HoldReleased
            | Kind::SignedIn
            | Kind::SignInFailed
            | Kind::PageViewed
            | Kind::FindDeviceOn
            | Kind::FindDeviceOff
            | Kind::BackupOn
            | Kind::UploadRejected => {}
        }
        judged
    }

    fn modified(&self, state: &FoldState, id: NameId, at: &Taker<'_>) -> Unsure {
        let before = self.items.get(id);
        let bytes = match at.erased {
            true => true,
            false => before.bytes && at.step.bytes.is_none(),
        };
        if before.state {
            // Whatever it is, it is on record from here on.
            return Unsure { bytes, is_there: true, weighs: true, ..before };
        }
        let item = state.item(id).map(|item| item.state);
        let uses = item.is_none_or(|state| matches!(state, ItemState::Live | ItemState::Trashed));
        Unsure { bytes, weighs: bytes && uses, ..before }
    }

    fn trashed(&self, state: &FoldState, id: NameId, at: &Taker<'_>) -> Unsure {
        let before = self.items.get(id);
        if before.state {
            return Unsure { is_there: true, weighs: true, ..before };
        }
        let item = state.item(id);
        if item.is_some_and(|item| item.state != ItemState::Live) {
            return before;
        }
        let versions = &at.rules.policy.versions;
        let by_category = || {
            let asks = |v: &policy::Version| {
                !v.trash.no_trash.is_empty() || !v.trash.categories.is_empty()
            };
            versions.iter().any(asks)
        };
        let by_use = || versions.iter().any(|v| v.trash.full.is_some());
        if (before.category && by_category()) || (self.conditions && by_use()) {
            return Unsure { category: before.category, ..Unsure::ALL };
        }
        let category = item.and_then(|item| item.category);
        let no_trash = &at.rules.version(state).trash.no_trash;
        let is_purged = category.is_some_and(|c| no_trash.contains(at.rules.names.get(c)));
        match is_purged {
            true => self.purged(state, id, Some(None), at),
            false => Unsure { since: false, cause: false, ..before },
        }
    }

    fn purged(
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

    fn removed(
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
    fn breach(&mut self, state: &FoldState, act: Act, at: &Taker<'_>) -> Said<bool> {
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
    fn notice_found(&self, state: &FoldState, at: &Taker<'_>) -> Said<bool> {
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

    fn cleared(&mut self, state: &FoldState, breach: Said<bool>, at: &Taker<'_>) {
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
    fn lose_backups(&mut self) {
        self.backups.each(|id, unsure| {
            if unsure.state {
                *unsure = Unsure { state: id.is_none(), ..Unsure::GONE };
            }
        });
    }

    /// What use of space makes of deadlines and stages is not known from here on.
    fn lose_conditions(&mut self, state: &FoldState, rules: Rules<'_>) {
        self.conditions = true;
        if rules.policy.versions.iter().all(|version| version.trash.full.is_none()) {
            return;
        }
        for id in ids(&state.trashed) {
            let before = self.items.get(id);
            if !before.state {
                let after = Unsure { category: before.category, ..Unsure::ALL };
                self.items.set(id, after);
                self.more = true;
            }
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

    /// Whether the account is inactive and its tier not exempt.
    fn inactive(&self, state: &FoldState, at: &Taker<'_>) -> Said<bool> {
        self.inactive_at(state, at.step.occurred_at, at.rules)
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

    fn upload_is_open(&self, over: Said<bool>, rules: Rules<'_>, state: &FoldState) -> bool {
        over.is_none() && rules.version(state).over == Over::BlockUploads
    }
}

fn restored(state: &FoldState, id: NameId, before: Unsure) -> Unsure {
    let item = state.item(id);
    back(before, item.is_none_or(|item| item.state == ItemState::Live))
}

/// What is left unknown of what is brought back; `stays`: where its state is known, it was there.
fn back(before: Unsure, stays: bool) -> Unsure {
    if !before.state && stays {
        return before;
    }
    Unsure {
        state: false,
        // Whether it was there, and since when, is not known where its state was not.
        since: before.state,
        cause: false,
        until: false,
        took: false,
        how: false,
        lawful: false,
        weighs: before.bytes,
        is_there: false,
        ..before
    }
}

/// A step at work.
struct Taker<'s> {
    step: &'s Step,
    erased: bool,
    rules: Rules<'s>,
}

impl Taker<'_> {
    fn subject(&self) -> NameId {
        self.step.subject.expect("an event of this kind names its subject")
    }

    fn by_user(&self) -> bool {
        self.step.actor.is_user()
    }
}
