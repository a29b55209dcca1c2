//! An item and a backup: where they stand, and which events brought them there.

use event::{ClearCause, NameId, Timestamp};
use serde::{Deserialize, Serialize};

use crate::{BackupState, ItemState, StateCause};

/// An event by its place in the stream and in the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct EventRef {
    /// Place in the log.
    pub position: u64,
    /// Place in the stream.
    pub revision: u64,
}

/// One item of an account, in its present life.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Item {
    /// Its category; `None` when the upload was never seen.
    pub category: Option<NameId>,
    /// Its size.
    pub bytes: u64,
    /// Where it stands.
    pub state: ItemState,
    /// The instant at which it came to stand there.
    pub since: Timestamp,
    /// The event that began this life.
    pub began: EventRef,
    /// The trashing that took it out of `live`, if one did. Kept after the item ended.
    pub trashing: Option<Trashing>,
    /// What ended it, when purged or removed.
    pub ending: Option<Ending>,
}

/// How an item came into the trash, and when it can be recovered until.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Trashing {
    /// The event.
    pub event: EventRef,
    /// Its instant.
    pub at: Timestamp,
    /// Whether the user did it.
    pub by_user: bool,
    /// Whether it gave a breach for this item.
    pub breach: bool,
    /// The first instant at which the item is expired; `None`: never.
    pub deadline: Option<Timestamp>,
    /// Once expired: until when a purge is on time; `None`: for ever.
    pub overdue_at: Option<Timestamp>,
    /// Where its window ends; the deadline comes sooner where a full trash shortens it.
    pub(crate) end: Option<Timestamp>,
    /// Whether a full trash does.
    pub(crate) shortened: bool,
    /// The version of the policy that measures it, by index.
    pub(crate) version: usize,
    /// The instant from which the window counts.
    pub(crate) counted_from: Timestamp,
    /// The place in the account's timeline of tiers of the one held when it was trashed.
    pub(crate) tier_index: usize,
}

/// How an item or a backup ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ending {
    /// The event.
    pub event: EventRef,
    /// Its instant.
    pub at: Timestamp,
    /// Whether the user did it.
    pub by_user: bool,
    /// Whether it gave a breach for this item or backup or, a clearing, for the account.
    pub breach: bool,
    /// The cause of the state.
    pub cause: StateCause,
    /// Whether the item had expired by then.
    pub after_deadline: bool,
    /// By what kind of act.
    pub how: How,
}

/// The kind of act that ended an item or a backup.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum How {
    /// A purge of it, or of all in the trash, or of all backups.
    Purged {
        /// Whether the policy admits such a purge by the provider.
        admissible: bool,
        /// Whether the last `sync_on` or `sync_off` of its category was off.
        sync_off: bool,
    },
    /// A clearing of the account.
    Cleared {
        /// The cause that the event gave.
        cause: ClearCause,
        /// Whether the account was inactive by then and its tier not exempt.
        inactive: bool,
    },
}

/// One backup of an account, in its present life.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Backup {
    /// Its size.
    pub bytes: u64,
    /// Where it stands.
    pub state: BackupState,
    /// The instant at which it came to stand there.
    pub since: Timestamp,
    /// The event that began this life.
    pub began: EventRef,
    /// When it was last completed; `None`: never on record.
    pub completed_at: Option<Timestamp>,
    /// What removed it.
    pub ending: Option<Ending>,
}

impl Item {
    /// The cause of its state.
    #[must_use]
    pub fn cause(&self) -> Option<StateCause> {
        match self.state {
            ItemState::Live => None,
            ItemState::Trashed => self.trashing.as_ref().map(|t| {
                if t.by_user { StateCause::UserTrashed } else { StateCause::ProviderTrashed }
            }),
            ItemState::Expired => Some(StateCause::WindowLapsed),
            ItemState::Purged | ItemState::Removed => self.ending.as_ref().map(|e| e.cause),
        }
    }

    /// The deadline, of what is trashed or expired.
    #[must_use]
    pub fn recoverable_until(&self) -> Option<Timestamp> {
        match self.state {
            ItemState::Trashed | ItemState::Expired => {
                self.trashing.as_ref().and_then(|t| t.deadline)
            }
            _ => None,
        }
    }
}
