//! One step of one thing's life, kept when a replay asks for it.

use event::{NameId, Step, Timestamp};

use crate::{BackupState, EventRef, ItemState, StateCause, Subject};

/// Something that came to stand otherwise.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Change {
    /// When.
    pub at: Timestamp,
    /// By what.
    pub source: ChangeSource,
    /// What became of what.
    pub changed: Changed,
}

/// What brought a change about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ChangeSource {
    /// An event.
    Event(EventRef),
    /// A deadline that passed.
    Deadline,
    /// A version of the policy, by index, that took effect.
    PolicyVersion(usize),
}

impl ChangeSource {
    /// The event `step`.
    #[must_use]
    pub fn of(step: &Step) -> ChangeSource {
        ChangeSource::Event(EventRef { position: step.position, revision: step.revision })
    }
}

/// What became of what.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Changed {
    /// An item came to another state, or began a new life in the same.
    Item {
        /// Which.
        item: NameId,
        /// Before; `None` when it was never seen.
        from: Option<ItemState>,
        /// After.
        to: ItemState,
        /// Of the state after.
        cause: Option<StateCause>,
        /// Of the state after.
        recoverable_until: Option<Timestamp>,
    },
    /// A backup came to another state, or began a new life in the same.
    Backup {
        /// Which.
        backup: NameId,
        /// Before; `None` when it was never seen.
        from: Option<BackupState>,
        /// After.
        to: BackupState,
        /// Of the state after.
        cause: Option<StateCause>,
    },
    /// The deadline of a trashed item moved.
    Deadline {
        /// Which.
        item: NameId,
        /// Before; `None` for never.
        from: Option<Timestamp>,
        /// After; `None` for never.
        to: Option<Timestamp>,
    },
}

impl Changed {
    /// The item or backup that it is about.
    #[must_use]
    pub const fn subject(&self) -> Subject {
        match *self {
            Changed::Item { item, .. } | Changed::Deadline { item, .. } => Subject::Item(item),
            Changed::Backup { backup, .. } => Subject::Backup(backup),
        }
    }
}
