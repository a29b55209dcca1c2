//! Time and events, one after the other, in the order of docs/answers.md: at one instant deadlines fall,
//! then the policy's version changes, then the events come, each judged by the state that those
//! before it left and only then counted as activity.

use event::{Kind, NameId, Names, PurgeCause, RecordedBy, Step, Surface, Timestamp};
use policy::{Act, Over, Policy, Version};

use crate::stages::watches;
use crate::state::{Standing, Sync, ids, place};
use crate::{
    Backup, BackupState, Change, ChangeSource, Changed, Ending, EventRef, Finding, FindingCode,
    FoldState, How, Item, ItemState, StateCause, Subject, Trashing,
};

/// What a fold goes by: the policy, and the names of the account at hand.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Rules<'a> {
    pub policy: &'a Policy,
    pub names: &'a Names,
    /// Whether the policy asks for conditions: looked up once, and not at every step.
    pub watches: bool,
}

impl<'a> Rules<'a> {
    pub fn of(policy: &'a Policy, names: &'a Names) -> Rules<'a> {
        Rules { policy, names, watches: watches(policy) }
    }

    /// The version that has taken effect.
    pub fn version(self, state: &FoldState) -> &'a Version {
        &self.policy.versions[state.version]
    }
}

impl FoldState {
    pub(crate) fn note(&mut self, change: Change) {
        if let Some(changes) = &mut self.changes {
            changes.push(change);
        }
    }

    /// Lets time pass up to `until`: to just before the events of that instant, or, when `whole`,
    /// to its end.
    pub(crate) fn pass(&mut self, until: Timestamp, whole: bool, rules: Rules<'_>) {
        let first = |set: &std::collections::BTreeSet<(Timestamp, NameId)>| Some(set.first()?.0);
        loop {
            let version = rules.policy.versions.get(self.version + 1).map(|v| v.effective_from);
            let next = [
                first(&self.deadlines).map(|at| (at, Due::Deadline)),
                version.map(|at| (at, Due::Version)),
                first(&self.overdue).map(|at| (at, Due::Overdue)),
            ];
            let Some((at, due)) = next.into_iter().flatten().min() else { return };
            if at > until || (at == until && due == Due::Overdue && !whole) {
                return;
            }
            match due {
                Due::Deadline => self.fall(at, rules),
                Due::Version => {
                    self.close_activity(at, rules);
                    self.version += 1;
                    self.version_changed(self.version, at, rules);
                    self.look(at, false, ChangeSource::PolicyVersion(self.version), rules);
                }
                Due::Overdue => self.find_overdue(),
            }
        }
    }

    /// Lets fall what has its deadline at `at`, the first that there is.
    pub(crate) fn fall(&mut self, at: Timestamp, rules: Rules<'_>) {
        let _ = self.let_fall(at, rules);
        self.look(at, false, ChangeSource::Deadline, rules);
    }

    /// Folds one more step, which must come after all folded so far.
    pub(crate) fn apply(&mut self, step: &Step, rules: Rules<'_>) {
        let at = step.occurred_at;
        if at > self.instant {
            self.pass(at, false, rules);
            self.held_before = self.held();
            self.instant = at;
        }
        let event = reference(step);
        let admitted = Applying { state: self, step, rules, at, event, admitted: false }.run();
        self.look(at, admitted, ChangeSource::of(step), rules);
        if self.let_fall(at, rules) {
            self.look(at, false, ChangeSource::Deadline, rules);
        }
        self.count_categories(step, rules);
        let version = rules.version(self);
        if version.resets.contains(step.kind) && version.actors.contains(step.actor) {
            self.count_activity(at, step.kind, rules);
        }
        self.last = reference(step);
        self.highest = self.highest.max(self.last);
    }
}

/// What time brings about, in the order in which it comes at one instant.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Due {
    Deadline,
    Version,
    /// After the events.
    Overdue,
}

fn reference(step: &Step) -> EventRef {
    EventRef { position: step.position, revision: step.revision }
}

/// One step at work on the state.
struct Applying<'s, 'a> {
    state: &'s mut FoldState,
    step: &'a Step,
    rules: Rules<'a>,
    at: Timestamp,
    event: EventRef,
    /// Whether it was a purge that a stage over quota admits.
    admitted: bool,
}

impl Applying<'_, '_> {
    /// Folds the step. Whether it was a purge that a stage over quota admits.
    fn run(mut self) -> bool {
        let step = self.step;
        self.note_late();
        match step.kind {
            Kind::AccountOpened => {
                self.state.standing = Standing::default();
                if step.word.is_some() {
                    self.set_tier();
                }
            }
            Kind::TierChanged => self.set_tier(),
            Kind::QuotaChanged => self.state.quota_bytes = step.bytes,
            Kind::SyncOn => *self.sync() = Some(Sync::On),
            Kind::SyncOff => *self.sync() = Some(Sync::Off),
            Kind::Synced => {
                self.sync().get_or_insert(Sync::Unset);
            }
            Kind::ItemUploaded => self.upload(),
            Kind::ItemModified => self.modify(),
            Kind::ItemTrashed => self.trash(),
            Kind::ItemRestored => self.restore(),
            Kind::ItemPurged => {
                let id = self.known_item();
                self.purge(id, step.purge_cause, Purging::Outright);
            }
            Kind::TrashEmptied => self.empty_trash(),
            Kind::BackupCompleted => self.complete_backup(),
            Kind::BackupRestored => self.restore_backup(),
            Kind::BackupPurged => {
                let id = self.known_backup();
                self.remove_backup(id, step.purge_cause);
            }
            Kind::BackupOff if step.delete_backups => {
                for id in self.kept_backups() {
                    self.remove_backup(id, None);
                }
            }
            Kind::InactivityNotified => {
                self.state.activity.notified_at.get_or_insert(self.at);
            }
            Kind::AccountFrozen => {
                self.judge_account(FindingCode::FrozenWhileActive, Act::Freeze);
                self.state.standing.frozen = true;
            }
            Kind::AccountUnfrozen => {
                self.state.standing.frozen = false;
                self.state.standing.cleared = false;
            }
            Kind::AccountTerminated => {
                self.judge_account(FindingCode::TerminatedWhileActive, Act::Terminate);
                self.state.standing.terminated = true;
            }
            Kind::AccountClosed => {
                self.judge_account(FindingCode::TerminatedWhileActive, Act::Terminate);
                self.state.standing.closed = true;
                self.state.standing.closed_by_user |= self.by_user();
            }
            Kind::DataCleared => self.clear(),
            Kind::HoldPlaced => {
                self.state.holds.place(self.subject());
            }
            Kind::HoldReleased => {
                self.state.holds.release(self.subject());
            }
            Kind::SignedIn
            | Kind::SignInFailed
            | Kind::PageViewed
            | Kind::FindDeviceOn
            | Kind::FindDeviceOff
            | Kind::BackupOn
            | Kind::BackupOff
            | Kind::UploadRejected => {}
        }
        self.admitted
    }

    fn subject(&self) -> NameId {
        self.step.subject.expect("an event of this kind names its subject")
    }

    fn by_user(&self) -> bool {
        self.step.actor.is_user()
    }

    fn find(&mut self, code: FindingCode, subject: Option<Subject>) {
        let (at, event) = (self.at, self.event);
        self.state.findings.push(Finding { code, at, event, subject });
    }

    fn note_item(&mut self, id: NameId, from: Option<ItemState>) {
        if self.state.changes.is_none() {
            return;
        }
        let item = self.state.item(id).expect("just put");
        let changed = Changed::Item {
            item: id,
            from,
            to: item.state,
            cause: item.cause(),
            recoverable_until: item.recoverable_until(),
        };
        self.state.note(Change { at: self.at, source: ChangeSource::of(self.step), changed });
    }

    fn note_backup(&mut self, id: NameId, from: Option<BackupState>) {
        if self.state.changes.is_none() {
            return;
        }
        let backup = self.state.backup(id).expect("just put");
        let cause = backup.ending.as_ref().map(|e| e.cause);
        let changed = Changed::Backup { backup: id, from, to: backup.state, cause };
        self.state.note(Change { at: self.at, source: ChangeSource::of(self.step), changed });
    }

    fn note_late(&mut self) {
        if self.step.recorded_by != RecordedBy::Source {
            return;
        }
        let late_after = self.rules.version(self.state).late_after;
        let limit = late_after.after(self.at, &self.rules.policy.zone);
        if limit.is_some_and(|limit| self.step.recorded_at > limit) {
            let (code, at, event) = (FindingCode::LateRecorded, self.at, self.event);
            let first = Finding { code, at, event, subject: None };
            self.state.late.get_or_insert((first, 0)).1 += 1;
        }
    }

    fn set_tier(&mut self) {
        self.state.tiers.push(self.step.word);
        self.state.tier_changed(self.at, ChangeSource::of(self.step), self.rules);
    }

    fn sync(&mut self) -> &mut Option<Sync> {
        place(&mut self.state.sync, self.step.word.expect("a sync event names its category"))
    }

    /// The item that the event names, made first if it was never seen.
    fn known_item(&mut self) -> NameId {
        let id = self.subject();
        if self.state.item(id).is_none() {
            self.find(FindingCode::UnknownItem, Some(Subject::Item(id)));
            self.put_live(id, None, 0);
        }
        id
    }

    /// The backup that the event names, made first if it was never seen.
    fn known_backup(&mut self) -> NameId {
        let id = self.subject();
        if self.state.backup(id).is_none() {
            self.find(FindingCode::UnknownItem, Some(Subject::Backup(id)));
            self.put_kept(id, 0, None);
        }
        id
    }

    /// A new life of an item.
    fn put_live(&mut self, id: NameId, category: Option<NameId>, bytes: u64) {
        let from = self.state.item(id).map(|item| item.state);
        let item = Item {
            category,
            bytes,
            state: ItemState::Live,
            since: self.at,
            began: self.event,
            trashing: None,
            ending: None,
        };
        self.state.put_item(id, item);
        self.note_item(id, from);
    }

    /// A new life of a backup.
    fn put_kept(&mut self, id: NameId, bytes: u64, completed_at: Option<Timestamp>) {
        let from = self.state.backup(id).map(|backup| backup.state);
        let backup = Backup {
            bytes,
            state: BackupState::Kept,
            since: self.at,
            began: self.event,
            completed_at,
            ending: None,
        };
        self.state.put_backup(id, backup);
        self.note_backup(id, from);
    }

    fn judge_upload_quota(&mut self, subject: Subject) {
        let blocks = self.rules.version(self.state).over == Over::BlockUploads;
        if blocks && self.state.is_over_quota(self.rules) {
            self.find(FindingCode::UploadOverQuota, Some(subject));
        }
    }

    fn upload(&mut self) {
        let (id, category) = (self.subject(), self.step.word);
        self.judge_upload_quota(Subject::Item(id));
        if self.step.surface == Some(Surface::Device) && self.state.is_sync_off(category) {
            self.find(FindingCode::UploadWhileSyncOff, Some(Subject::Item(id)));
        }
        self.put_live(id, category, self.step.bytes.unwrap_or(0));
    }

    fn modify(&mut self) {
        let id = self.known_item();
        if let Some(bytes) = self.step.bytes {
            let item = self.state.item(id).expect("known");
            let item = Item { bytes, ..item.clone() };
            self.state.put_item(id, item);
        }
    }

    fn trash(&mut self) {
        let id = self.known_item();
        let item = self.state.item(id).expect("known");
        if item.state != ItemState::Live {
            return;
        }
        let (version, category) = (self.rules.version(self.state), item.category);
        let without_trash = category.is_some_and(|category| {
            let no_trash = &version.trash.no_trash;
            !no_trash.is_empty() && no_trash.contains(self.rules.names.get(category))
        });
        if without_trash {
            return self.purge(id, None, Purging::ByTrashing);
        }
        let by_user = self.by_user();
        if !by_user {
            self.find(FindingCode::TrashedByProvider, Some(Subject::Item(id)));
        }
        let mut trashing = Trashing {
            event: self.event,
            at: self.at,
            by_user,
            breach: !by_user,
            deadline: None,
            overdue_at: None,
            end: None,
            shortened: self.state.has_full_trash(self.rules.version(self.state), self.rules),
            version: self.state.version,
            counted_from: self.at,
            tier_index: self.state.tiers.len() - 1,
        };
        trashing.end = self.state.first_end(&trashing, category, self.rules);
        let trashing = self.state.shortened(trashing, self.at, self.rules);
        let item = self.state.item(id).expect("known");
        let item = Item {
            state: ItemState::Trashed,
            since: self.at,
            trashing: Some(trashing),
            ..item.clone()
        };
        self.state.put_item(id, item);
        self.note_item(id, Some(ItemState::Live));
    }

    fn restore(&mut self) {
        let id = self.known_item();
        let item = self.state.item(id).expect("known");
        let from = item.state;
        match from {
            ItemState::Live => return,
            ItemState::Trashed => {}
            ItemState::Expired => {
                self.find(FindingCode::RestoredAfterWindow, Some(Subject::Item(id)));
            }
            ItemState::Purged | ItemState::Removed => {
                self.find(FindingCode::Resurrected, Some(Subject::Item(id)));
            }
        }
        let item = self.state.item(id).expect("known");
        let item = Item {
            state: ItemState::Live,
            since: self.at,
            trashing: None,
            ending: None,
            ..item.clone()
        };
        self.state.put_item(id, item);
        self.note_item(id, Some(from));
    }

    /// Whether the account is inactive at this instant and its tier not exempt.
    fn is_inactive(&self) -> bool {
        self.state.is_inactive(self.at, self.rules) && !self.state.is_exempt(self.rules)
    }

    fn purge(&mut self, id: NameId, given: Option<PurgeCause>, purging: Purging) {
        let item = self.state.item(id).expect("known");
        let (from, category) = (item.state, item.category);
        if matches!(from, ItemState::Purged | ItemState::Removed) {
            return;
        }
        let by_user = self.by_user();
        let expired = from == ItemState::Expired;
        let inactive =
            !by_user && !expired && given == Some(PurgeCause::Inactivity) && self.is_inactive();
        let asks_stages = !by_user && !expired && !inactive;
        let trashed = from == ItemState::Trashed;
        let staged = asks_stages && self.is_admitted(given, category, trashed, Subject::Item(id));
        let admissible = inactive || staged;
        let cause = match () {
            () if by_user && purging == Purging::Emptying => StateCause::UserEmptiedTrash,
            () if by_user => StateCause::UserPurged,
            () if expired => StateCause::WindowLapsed,
            () if admissible && given == Some(PurgeCause::Quota) => StateCause::QuotaCleared,
            () if admissible => StateCause::InactivityCleared,
            () => StateCause::ProviderPurged,
        };
        let code = match from {
            ItemState::Live if by_user => {
                (purging == Purging::Outright).then_some(FindingCode::PurgedWithoutTrash)
            }
            _ if by_user || admissible => None,
            ItemState::Live => Some(match given {
                Some(PurgeCause::SyncOff) => FindingCode::LossAfterSyncOff,
                Some(PurgeCause::Quota) => FindingCode::LossOverQuota,
                Some(PurgeCause::TierLapsed) => FindingCode::LossOnTierLapse,
                Some(PurgeCause::Inactivity | PurgeCause::Expired) | None => {
                    FindingCode::PurgeWithoutCause
                }
            }),
            ItemState::Trashed => Some(FindingCode::PrematurePurge),
            ItemState::Expired | ItemState::Purged | ItemState::Removed => None,
        };
        let sync_off = self.state.is_sync_off(category);
        let how = How::Purged { admissible, sync_off };
        let breach = self.find_all(code, Subject::Item(id));
        self.end_item(id, ItemState::Purged, cause, breach, how);
    }

    /// Whether a stage admits that the provider purges this; a finding if without its notice.
    fn is_admitted(
        &mut self,
        given: Option<PurgeCause>,
        category: Option<NameId>,
        trashed: bool,
        subject: Subject,
    ) -> bool {
        let admission = self.state.admission(given, category, trashed, self.at, self.rules);
        let Some(admission) = admission else { return false };
        self.admitted |= admission.over_quota;
        if admission.unnoticed {
            self.find(FindingCode::ClearedWithoutNotice, Some(subject));
        }
        true
    }

    /// Adds a finding of `code` about what is being ended, and one if a hold stands. Whether any
    /// was a breach.
    fn find_all(&mut self, code: Option<FindingCode>, subject: Subject) -> bool {
        let held = self.state.held().then_some(FindingCode::PurgedUnderHold);
        let mut breach = false;
        for code in [code, held].into_iter().flatten() {
            breach |= code.severity() == crate::Severity::Breach;
            self.find(code, Some(subject));
        }
        breach
    }

    fn end_item(
        &mut self,
        id: NameId,
        state: ItemState,
        cause: StateCause,
        breach: bool,
        how: How,
    ) {
        let item = self.state.item(id).expect("known");
        let from = item.state;
        let after_deadline = from == ItemState::Expired;
        let (event, at, by_user) = (self.event, self.at, self.by_user());
        let ending = Ending { event, at, by_user, breach, cause, after_deadline, how };
        let item = Item { state, since: at, ending: Some(ending), ..item.clone() };
        self.state.put_item(id, item);
        self.note_item(id, Some(from));
    }

    fn empty_trash(&mut self) {
        let mut in_trash = self.state.trashed.clone();
        in_trash.union_with(&self.state.expired);
        for id in ids(&in_trash) {
            self.purge(id, None, Purging::Emptying);
        }
    }

    fn complete_backup(&mut self) {
        let id = self.subject();
        self.judge_upload_quota(Subject::Backup(id));
        self.put_kept(id, self.step.bytes.unwrap_or(0), Some(self.at));
    }

    fn restore_backup(&mut self) {
        let id = self.known_backup();
        let backup = self.state.backup(id).expect("known");
        if backup.state == BackupState::Kept {
            return;
        }
        let (state, since) = (BackupState::Kept, self.at);
        let backup = Backup { state, since, ending: None, ..backup.clone() };
        self.find(FindingCode::Resurrected, Some(Subject::Backup(id)));
        self.state.put_backup(id, backup);
        self.note_backup(id, Some(BackupState::Removed));
    }

    fn kept_backups(&self) -> Vec<NameId> {
        ids(&self.state.kept)
    }

    fn remove_backup(&mut self, id: NameId, given: Option<PurgeCause>) {
        let backup = self.state.backup(id).expect("known");
        if backup.state == BackupState::Removed {
            return;
        }
        let stale_at = self.state.stale_at(backup, self.rules);
        let stale = stale_at.is_some_and(|stale_at| self.at >= stale_at);
        let inactive = given == Some(PurgeCause::Inactivity) && self.is_inactive();
        let by_user = self.by_user();
        let asks_stages = !by_user && !stale && !inactive;
        let staged = asks_stages && self.is_admitted(given, None, false, Subject::Backup(id));
        let admissible = !by_user && (stale || inactive || staged);
        let cause = match () {
            () if by_user => StateCause::UserDeletedBackups,
            () if stale => StateCause::WindowLapsed,
            () if inactive => StateCause::InactivityCleared,
            () if staged => StateCause::QuotaCleared,
            () => StateCause::ProviderPurged,
        };
        let code = (!by_user && !admissible).then_some(FindingCode::PurgeWithoutCause);
        let breach = self.find_all(code, Subject::Backup(id));
        self.end_backup(id, cause, breach, How::Purged { admissible, sync_off: false });
    }

    fn end_backup(&mut self, id: NameId, cause: StateCause, breach: bool, how: How) {
        let backup = self.state.backup(id).expect("known");
        let (event, at, by_user) = (self.event, self.at, self.by_user());
        let ending = Ending { event, at, by_user, breach, cause, after_deadline: false, how };
        let backup = Backup {
            state: BackupState::Removed,
            since: at,
            ending: Some(ending),
            ..backup.clone()
        };
        self.state.put_backup(id, backup);
        self.note_backup(id, Some(BackupState::Kept));
    }

    /// Adds a finding of `code` if the provider does this to an account that is active or exempt
    /// and that its user has not closed, and no stage admits it. Whether it did.
    fn judge_account(&mut self, code: FindingCode, act: Act) -> bool {
        let breach = !self.by_user()
            && !self.state.standing.closed_by_user
            && !self.is_inactive()
            && self.state.admits(act, self.at, self.rules).is_none();
        if breach {
            self.find(code, None);
        }
        breach
    }

    fn clear(&mut self) {
        let given = self.step.clear_cause.expect("a clearing gives its cause");
        let breach = self.judge_account(FindingCode::ClearedWhileActive, Act::Clear);
        self.judge_notice();
        let cause = match given {
            event::ClearCause::Inactivity => StateCause::InactivityCleared,
            event::ClearCause::Terminated => StateCause::AccountTerminated,
            event::ClearCause::Closed => StateCause::AccountClosed,
        };
        let how = How::Cleared { cause: given, inactive: self.is_inactive() };
        let mut there = self.state.live.clone();
        there.union_with(&self.state.trashed);
        there.union_with(&self.state.expired);
        for id in ids(&there) {
            let breach = self.find_all(None, Subject::Item(id)) || breach;
            self.end_item(id, ItemState::Removed, cause, breach, how);
        }
        for id in self.kept_backups() {
            let breach = self.find_all(None, Subject::Backup(id)) || breach;
            self.end_backup(id, cause, breach, how);
        }
        self.state.standing.cleared = true;
    }

    fn judge_notice(&mut self) {
        let notice = self.rules.version(self.state).notice;
        if self.by_user() || self.state.standing.closed_by_user || notice == policy::Window::Never {
            return;
        }
        let notified = self.state.activity.notified_at;
        let due = notified.and_then(|at| notice.after(at, &self.rules.policy.zone));
        if due.is_none_or(|due| due > self.at) {
            self.find(FindingCode::ClearedWithoutNotice, None);
        }
    }
}

/// By which act items are purged.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Purging {
    /// A purge of this item.
    Outright,
    /// Trashing it, in a category without a trash.
    ByTrashing,
    /// Emptying the trash.
    Emptying,
}
