//! Which frames an erasure takes something out of.

use commitment::Left;
use event::Timestamp;

use super::{EraseError, Erased, Erasing, ErasureRecord, Target};
use crate::Log;

/// What an erasure would take out, of a log as it was when this was made.
#[derive(Debug, Clone)]
pub struct ErasurePlan {
    left: Left,
}

impl ErasurePlan {
    /// How much is left of each event.
    #[must_use]
    pub fn left(&self) -> Left {
        self.left
    }

    /// Events of which something is taken out.
    #[must_use]
    pub fn events(&self) -> u64 {
        0
    }

    /// Accounts whose names are.
    #[must_use]
    pub fn accounts(&self) -> u64 {
        0
    }

    /// Pages that are touched.
    #[must_use]
    pub fn pages(&self) -> u64 {
        0
    }

    /// Bytes of the log that are written over.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        0
    }

    /// Whether there is nothing to take out.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.events() == 0 && self.accounts() == 0
    }

    /// When the first and the last of the events occurred, as far as that is known.
    #[must_use]
    pub fn occurred(&self) -> Option<(Timestamp, Timestamp)> {
        None
    }
}

impl Log {
    /// Finds what an erasure of these would take out. What was erased as far before is left out.
    ///
    /// # Errors
    /// [`EraseError`]; nothing is written.
    pub fn plan_erasure(&self, targets: &[Target]) -> Result<ErasurePlan, EraseError> {
        let left = targets.first().ok_or(EraseError::Nothing)?.left();
        if targets.iter().any(|target| target.left() != left) {
            return Err(EraseError::Mixed);
        }
        Ok(ErasurePlan { left })
    }

    /// Erases, under a record that says so. When it answers it is durable, in the log and in all that is derived.
    ///
    /// # Errors
    /// [`EraseError`], which says what was written.
    pub fn erase(&self, plan: ErasurePlan, how: &Erasing<'_>) -> Result<Erased, EraseError> {
        let _ = (plan, how);
        Err(EraseError::Nothing)
    }

    /// Erases what the records of a newer log say, of which this one is a beginning: after a restore from a backup of
    /// before. What this log does not have yet, or has erased as far, is left out; records of which nothing is left are
    /// passed over. Nothing is kept by which the events could be told when they come again, beyond what is kept already.
    ///
    /// # Errors
    /// [`EraseError`]; [`EraseError::NotOurs`] if a record whose frames are all here does not bind them.
    pub fn erase_again(&self, records: &[ErasureRecord]) -> Result<Vec<Erased>, EraseError> {
        let _ = records;
        Err(EraseError::Nothing)
    }
}
