//! Erasing: the contents of events, or whole events and accounts' names, taken out of the log in place.
//!
//! The order of work, and what a stop leaves at each step (docs/format.md, "Erased"):
//!
//! 1. [`plan`]: which frames, and in which batches they are. Nothing is written.
//! 2. [`tags`]: what an event that comes again is told by goes to `keys/erased`. A stop leaves tags of events that
//!    are there still: they are never asked, because the log is asked first.
//! 3. [`redo`]: `log/REDO` is written whole under another name, synced and renamed. From here on the erasure will
//!    happen, by whoever writes next. It has nothing of what is taken out.
//! 4. [`carry_out`]: the record is appended, with the trailer of its page, and both slots of `HEAD` name its end; then the
//!    new images are written in place and synced; then it is taken out of what is derived; then `REDO` goes.
//!    A stop leaves `REDO`, and the next writer goes on; a reader reads through its images.
//! 5. [`shrink`], when no `REDO` is there: segments that have nothing else any more are written anew without the room.

pub(crate) mod carry_out;
pub(crate) mod plan;
pub(crate) mod redo;
pub(crate) mod shrink;
pub(crate) mod since;
pub(crate) mod tags;
pub(crate) mod through;
pub(crate) mod wanted;

pub use commitment::ErasureRecord;
use commitment::{Envelope, Left, MAX_GROUND, MAX_WHAT};
use event::Timestamp;

pub use plan::ErasurePlan;
pub use shrink::Shrunk;

use crate::{AppendError, OpenError, ReadError};

/// What to erase.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Target {
    /// An account: all of its events to their leaves, and its name.
    Account {
        /// Its name.
        account: String,
    },
    /// The contents of the events about some items of an account.
    Items {
        /// The account's name.
        account: String,
        /// The items.
        items: Vec<String>,
        /// Only of events that occurred before then.
        before: Option<Timestamp>,
    },
    /// The events of an account that occurred before an instant, to their leaves; its name stays.
    Before {
        /// The account's name.
        account: String,
        /// The instant.
        before: Timestamp,
    },
}

impl Target {
    /// The account's name.
    #[must_use]
    pub fn account(&self) -> &str {
        match self {
            Target::Account { account }
            | Target::Items { account, .. }
            | Target::Before { account, .. } => account,
        }
    }

    /// How much this leaves of an event.
    #[must_use]
    pub const fn left(&self) -> Left {
        match self {
            Target::Items { .. } => Left::Envelope,
            Target::Account { .. } | Target::Before { .. } => Left::Leaf,
        }
    }

    /// All that it erases occurred before then.
    #[must_use]
    pub const fn before(&self) -> Option<Timestamp> {
        match self {
            Target::Account { .. } => None,
            Target::Items { before, .. } => *before,
            Target::Before { before, .. } => Some(*before),
        }
    }
}

/// Under what an erasure is recorded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Erasing<'a> {
    /// On what ground, in 1 to 1024 bytes.
    pub ground: &'a str,
    /// Who erases, in 1 to 128 bytes.
    pub by: &'a str,
    /// Whether nothing is kept by which these events could be told when they come again, also what is kept already of
    /// those that came again.
    pub forget: bool,
}

impl Erasing<'_> {
    /// Whether a record has room for its texts. Erasing looks itself; this is for who only asks what would go.
    ///
    /// # Errors
    /// [`EraseError::Text`]
    pub fn check(&self) -> Result<(), EraseError> {
        for (what, text, most) in
            [("the ground", self.ground, MAX_GROUND), ("who erases", self.by, MAX_WHAT)]
        {
            if !(1..=most).contains(&text.len()) {
                return Err(EraseError::Text { what, found: text.len(), most });
            }
        }
        Ok(())
    }
}

/// An erasure that is durable.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Erased {
    /// The record's number, from 0 in the order of the log.
    pub number: u64,
    /// The log's clock at it.
    pub at: Timestamp,
    /// Events of which something was taken out.
    pub events: u64,
    /// Accounts whose names were.
    pub accounts: u64,
    /// Pages that were touched.
    pub pages: u64,
    /// Bytes that were written over in the log.
    pub bytes: u64,
}

/// An event of an account of which something was erased.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ErasedEvent {
    /// Place in the log.
    pub position: u64,
    /// Place in the account's stream.
    pub revision: u64,
    /// What is left if its content alone was erased.
    pub envelope: Option<Envelope>,
    /// The number of the record under which what is gone of it went.
    pub erasure: u64,
}

/// Why nothing was erased, or not all of it yet.
#[derive(Debug, thiserror::Error)]
pub enum EraseError {
    /// There is no such account. Nothing was written.
    #[error("there is no account {account:?}")]
    UnknownAccount {
        /// Its name.
        account: String,
    },
    /// The account has no event about such an item. Nothing was written.
    #[error("account {account:?} has no item {item:?}")]
    UnknownItem {
        /// The account.
        account: String,
        /// The item.
        item: String,
    },
    /// Contents and whole events are erased apart. Nothing was written.
    #[error(
        "contents of items and whole events were asked for at once; erase the one, then the other"
    )]
    Mixed,
    /// The positions do not fit into one record. Nothing was written.
    #[error("so many events far apart do not fit into one record; erase in smaller steps")]
    TooMany,
    /// The plan has nothing in it. Nothing was written.
    #[error("there is nothing to erase: it was erased before")]
    Nothing,
    /// The log went on since the plan was made. Nothing was written.
    #[error("the log went on since the erasure was planned; plan it again")]
    Stale,
    /// The ground, or who erases, is no text of the length that the record has room for. Nothing was written.
    #[error("{what} has {found} bytes; it must have 1 to {most}")]
    Text {
        /// Which of the two.
        what: &'static str,
        /// Its length in bytes.
        found: usize,
        /// The most.
        most: usize,
    },
    /// The records are of another log, or of one that this is not the beginning of. Nothing was written.
    #[error("erasure {number} of the newer log names other events than this log has: {what}")]
    NotOurs {
        /// The record's number there.
        number: u64,
        /// What does not fit.
        what: String,
    },
    /// The log cannot be read, or is damaged. Nothing was written.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// A file beside the log cannot be written. What was begun is gone on with by the next that opens the store to write.
    #[error(transparent)]
    Io(#[from] OpenError),
    /// A write to the log failed. What was begun is gone on with by the next that opens the store to write.
    #[error(transparent)]
    Append(#[from] AppendError),
}
