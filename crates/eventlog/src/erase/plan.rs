//! What an erasure takes out of a log, as it was when that was planned. Nothing is written.

use std::io;

use commitment::{Digest, Left, Ranges};
use event::Timestamp;

use super::redo::Extent;
use super::{EraseError, Target};
use crate::ReadError;
use crate::derived::Taken;
use crate::folder::Folder;
use crate::head_file::Durable;

/// What an erasure would take out, of a log as it was when this was made.
#[derive(Debug, Clone)]
pub struct ErasurePlan {
    /// Where the log ended.
    pub(crate) end: Durable,
    pub(crate) left: Left,
    pub(crate) before: Option<Timestamp>,
    pub(crate) names: Ranges,
    pub(crate) root: Digest,
    pub(crate) taken: Taken,
    pub(crate) extents: Vec<Extent>,
    /// The root over what another log told of: as it binds it, if all of it is here.
    pub(crate) told: Option<Digest>,
    /// The account and the id of each event that had them still.
    pub(crate) ids: Vec<(String, String)>,
    pub(super) pages: u64,
    pub(super) occurred: Option<(Timestamp, Timestamp)>,
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
        self.taken.positions.count()
    }

    /// Accounts whose names are.
    #[must_use]
    pub fn accounts(&self) -> u64 {
        self.names.count()
    }

    /// The positions of these events.
    #[must_use]
    pub const fn positions(&self) -> &Ranges {
        &self.taken.positions
    }

    /// The numbers of these accounts.
    #[must_use]
    pub const fn names(&self) -> &Ranges {
        &self.names
    }

    /// Pages that are touched.
    #[must_use]
    pub fn pages(&self) -> u64 {
        self.pages
    }

    /// Bytes of the log that are written over.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        self.extents.iter().map(|extent| extent.bytes.len() as u64).sum()
    }

    /// Whether there is nothing to take out.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.extents.is_empty()
    }

    /// When the first and the last of the events occurred, as far as that is known.
    #[must_use]
    pub fn occurred(&self) -> Option<(Timestamp, Timestamp)> {
        self.occurred
    }
}

/// Why a plan cannot be made.
pub(crate) enum Unplanned {
    /// What is derived says of the log what is not so.
    Derived(String),
    Erase(EraseError),
}

impl<E: Into<EraseError>> From<E> for Unplanned {
    fn from(error: E) -> Unplanned {
        Unplanned::Erase(error.into())
    }
}

/// How much some targets leave of each event, and before when all of it occurred.
pub(crate) fn reach(targets: &[Target]) -> Result<(Left, Option<Timestamp>), EraseError> {
    let left = targets.first().ok_or(EraseError::Nothing)?.left();
    if targets.iter().any(|target| target.left() != left) {
        return Err(EraseError::Mixed);
    }
    let before: Option<Vec<Timestamp>> = targets.iter().map(Target::before).collect();
    Ok((left, before.and_then(|all| all.into_iter().max())))
}

/// Makes a plan; once more, by what is derived when it was made anew, where it disagrees with the log.
pub(crate) fn plan(
    folder: &Folder,
    mut make: impl FnMut(bool) -> Result<ErasurePlan, Unplanned>,
) -> Result<ErasurePlan, EraseError> {
    let made = match make(false) {
        Err(Unplanned::Derived(_)) => make(true),
        made => made,
    };
    made.map_err(|unplanned| match unplanned {
        Unplanned::Erase(error) => error,
        Unplanned::Derived(what) => {
            let (dir, _) = folder.derived();
            ReadError::io("plan by the derived files in", &dir)(io::Error::other(what)).into()
        }
    })
}
