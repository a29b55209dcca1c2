//! What each kind of step makes known and leaves unknown: the rules of [`crate::fold`], kind by kind, as rules about
//! flags ([`super`]).

use event::{ClearCause, Kind, NameId, PurgeCause, Step, Surface};
use policy::{Act, Over, Window};

use super::{Doubt, Said};
use crate::fold::Rules;
use crate::state::{Standing, ids};
use crate::unsure::Unsure;
use crate::{BackupState, FoldState, ItemState};

/// How a step was judged where that is not of one subject alone.
#[derive(Default)]
pub(super) struct Judged {
    /// The subject before the step.
    pub before: Unsure,
    pub over: Said<bool>,
    pub sync: Said<()>,
    pub held: Said<bool>,
    pub account: Said<bool>,
    pub notice: Said<bool>,
}

impl Doubt {
    /// What a step leaves unknown, by the state just before it.
    pub(super) fn judge(
        &mut self,
        state: &FoldState,
        step: &Step,
        erased: bool,
        rules: Rules<'_>,
    ) -> Judged {
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
                judged.before = self.items.get(id);
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
                let id = at.subject();
                judged.before = self.backups.get(id);
                judged.over = self.over(state, rules);
                self.more |= self.upload_is_open(judged.over, rules, state);
                let unsure = Unsure { bytes: erased, weighs: erased, ..Unsure::default() };
                self.backups.set(id, unsure);
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
    pub(super) fn lose_conditions(&mut self, state: &FoldState, rules: Rules<'_>) {
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

    /// Whether the account is inactive and its tier not exempt.
    fn inactive(&self, state: &FoldState, at: &Taker<'_>) -> Said<bool> {
        self.inactive_at(state, at.step.occurred_at, at.rules)
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
