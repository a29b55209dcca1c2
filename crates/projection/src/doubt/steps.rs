//! What each kind of step makes known and leaves unknown: the rules of [`crate::fold`], kind by kind, as rules about
//! flags ([`super`]).

use event::{Kind, NameId, Step, Surface};
use policy::{Act, Over};

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
    pub(super) fn inactive(&self, state: &FoldState, at: &Taker<'_>) -> Said<bool> {
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
pub(super) struct Taker<'s> {
    pub step: &'s Step,
    pub erased: bool,
    pub rules: Rules<'s>,
}

impl Taker<'_> {
    fn subject(&self) -> NameId {
        self.step.subject.expect("an event of this kind names its subject")
    }

    pub(super) fn by_user(&self) -> bool {
        self.step.actor.is_user()
    }
}
