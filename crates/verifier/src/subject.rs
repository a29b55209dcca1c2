//! What a claim asks of one item or backup: whether an assert holds of it, whether what became of
//! it was lawful, and by which events.

use event::{ClearCause, Timestamp};
use projection::{
    Backup, BackupState, Ending, EventRef, How, Item, ItemState, Said, StateCause, Unsure,
};

use crate::claim::Assert;
use crate::verdict::Lawful;

/// One item or backup at hand.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Record<'a> {
    Item(&'a Item),
    Backup(&'a Backup),
}

impl Assert {
    /// Whether the assert can hold of a backup at all.
    pub(crate) fn is_of_backups(self) -> bool {
        !matches!(self, Assert::Recoverable | Assert::Expired | Assert::LostAfterSyncOff)
    }
}

impl<'a> Record<'a> {
    pub(crate) fn state(self) -> &'static str {
        match self {
            Record::Item(item) => item.state.name(),
            Record::Backup(backup) => backup.state.name(),
        }
    }

    pub(crate) fn cause(self) -> Option<StateCause> {
        match self {
            Record::Item(item) => item.cause(),
            Record::Backup(backup) => backup.ending.as_ref().map(|ending| ending.cause),
        }
    }

    pub(crate) fn recoverable_until(self) -> Option<Timestamp> {
        match self {
            Record::Item(item) => item.recoverable_until(),
            Record::Backup(_) => None,
        }
    }

    pub(crate) fn ending(self) -> Option<&'a Ending> {
        match self {
            Record::Item(item) => item.ending.as_ref(),
            Record::Backup(backup) => backup.ending.as_ref(),
        }
    }

    /// Whether the event that took it out of `live` or `kept` was the user's; `None` while it is
    /// still there.
    pub(crate) fn taken_by_user(self) -> Option<bool> {
        let trashing = match self {
            Record::Item(item) => item.trashing.as_ref(),
            Record::Backup(_) => None,
        };
        trashing.map(|t| t.by_user).or_else(|| self.ending().map(|e| e.by_user))
    }

    pub(crate) fn lawful(self) -> Lawful {
        let (gone, taken_in_breach) = match self {
            Record::Item(item) => (
                !matches!(item.state, ItemState::Live | ItemState::Trashed),
                item.trashing.as_ref().is_some_and(|t| t.breach),
            ),
            Record::Backup(backup) => (backup.state == BackupState::Removed, false),
        };
        let ended_in_breach = self.ending().is_some_and(|e| e.breach);
        match () {
            () if !gone => Lawful::None,
            () if taken_in_breach || ended_in_breach => Lawful::No,
            () => Lawful::Yes,
        }
    }

    /// The events that began its present life, took it out of `live` or `kept`, and ended it: in
    /// this order, each once.
    pub(crate) fn events(self) -> Vec<EventRef> {
        let (began, trashing) = match self {
            Record::Item(item) => (item.began, item.trashing.as_ref().map(|t| t.event)),
            Record::Backup(backup) => (backup.began, None),
        };
        let mut events = vec![began];
        events.extend(trashing);
        events.extend(self.ending().map(|e| e.event));
        events.dedup();
        events
    }

    /// Whether `assert` holds of it, as far as that is known.
    pub(crate) fn said(self, assert: Assert, unsure: Unsure) -> Said<bool> {
        let is_backup = matches!(self, Record::Backup(_));
        let open = match assert {
            Assert::Kept | Assert::Recoverable | Assert::Gone => false,
            // Of a backup whose state is known one may not know which event removed it.
            Assert::DeletedByUser | Assert::NotDeletedByUser => {
                unsure.took && self.taken_by_user().is_some()
            }
            Assert::PurgedOnTime if is_backup => unsure.cause,
            Assert::PurgedOnTime
            | Assert::Expired
            | Assert::LostAfterSyncOff
            | Assert::ClearedForInactivity => unsure.how,
        };
        let open = unsure.state || open;
        let can_hold = !is_backup || assert.is_of_backups();
        (!open || !can_hold).then(|| self.holds(assert))
    }

    /// Whether what became of it was lawful, as far as that is known.
    pub(crate) fn said_lawful(self, unsure: Unsure) -> Lawful {
        let lawful = self.lawful();
        let open = unsure.state || ((unsure.took || unsure.lawful) && lawful != Lawful::None);
        if open { Lawful::Undetermined } else { lawful }
    }

    /// Whether `assert` holds of it: the table of docs/answers.md.
    pub(crate) fn holds(self, assert: Assert) -> bool {
        match self {
            Record::Item(item) => item_holds(item, self.taken_by_user(), assert),
            Record::Backup(backup) => backup_holds(backup, assert),
        }
    }
}

fn item_holds(item: &Item, taken_by_user: Option<bool>, assert: Assert) -> bool {
    let state = item.state;
    let ending = item.ending.as_ref();
    match assert {
        Assert::Kept => matches!(state, ItemState::Live | ItemState::Trashed),
        Assert::Recoverable => state == ItemState::Trashed,
        Assert::Gone => !matches!(state, ItemState::Live | ItemState::Trashed),
        Assert::DeletedByUser => taken_by_user == Some(true),
        Assert::NotDeletedByUser => taken_by_user != Some(true),
        Assert::Expired => state == ItemState::Expired || ending.is_some_and(|e| e.after_deadline),
        Assert::PurgedOnTime => {
            state == ItemState::Purged
                && ending.is_some_and(|e| match e.after_deadline {
                    true => {
                        let until = item.trashing.as_ref().and_then(|t| t.overdue_at);
                        until.is_none_or(|until| e.at <= until)
                    }
                    false => e.by_user,
                })
        }
        Assert::LostAfterSyncOff => ending.is_some_and(|e| {
            let lost = How::Purged { admissible: false, sync_off: true };
            e.how == lost && !e.by_user && !e.after_deadline
        }),
        Assert::ClearedForInactivity => cleared_for_inactivity(ending),
    }
}

fn backup_holds(backup: &Backup, assert: Assert) -> bool {
    let removed = backup.state == BackupState::Removed;
    let ending = backup.ending.as_ref();
    let by_user = ending.is_some_and(|e| e.by_user);
    match assert {
        Assert::Kept => !removed,
        Assert::Gone => removed,
        Assert::DeletedByUser => by_user,
        Assert::NotDeletedByUser => !by_user,
        // Of backups only a purge as stale has a lapsed window for its cause.
        Assert::PurgedOnTime => {
            by_user || ending.is_some_and(|e| e.cause == StateCause::WindowLapsed)
        }
        Assert::ClearedForInactivity => cleared_for_inactivity(ending),
        Assert::Recoverable | Assert::Expired | Assert::LostAfterSyncOff => false,
    }
}

fn cleared_for_inactivity(ending: Option<&Ending>) -> bool {
    let cleared = How::Cleared { cause: ClearCause::Inactivity, inactive: true };
    ending.is_some_and(|e| e.how == cleared)
}
