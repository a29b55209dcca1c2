//! Makes a new store of what is intact in a damaged one. The old one is only read.

use std::path::{Path, PathBuf};

use commitment::{Found, Surveyed};
use event::Timestamp;

use crate::remains::Remains;
use crate::{AppendError, Log, OpenError, Options, Outcome, ReadError};

/// Events that are appended together.
const TOGETHER: usize = 8192;

/// What a salvage came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Salvaged {
    /// What was found.
    pub surveyed: Surveyed,
    /// Events in the new store.
    pub appended: u64,
    /// Proven events that were not appended: the new log has one of that id, or they break a limit.
    pub refused: u64,
}

/// Why nothing, or not all, was salvaged.
#[derive(Debug, thiserror::Error)]
pub enum SalvageError<E> {
    /// The damaged store cannot be read at all.
    #[error(transparent)]
    Source(ReadError),
    /// Something is in the new store's place. Nothing was written.
    #[error("{path}: it is not empty", path = path.display())]
    Taken {
        /// The place.
        path: PathBuf,
    },
    /// The new store cannot be made.
    #[error(transparent)]
    Target(OpenError),
    /// The new store cannot be written on.
    #[error(transparent)]
    Append(AppendError),
    /// What took the unproven events says no.
    #[error("{0}")]
    Taker(E),
}

impl<E> From<ReadError> for SalvageError<E> {
    fn from(error: ReadError) -> SalvageError<E> {
        SalvageError::Source(error)
    }
}

impl<E> From<AppendError> for SalvageError<E> {
    fn from(error: AppendError) -> SalvageError<E> {
        SalvageError::Append(error)
    }
}

/// Appends what is proven of `remains` to a new store in `to`, with the times at which it was recorded
/// and who set them. What can be read and is not proven is given to `unproven`. Positions, salts and
/// the root are new; revisions too, behind an event of the account that is missing.
///
/// # Errors
/// [`SalvageError`]
pub fn salvage<E>(
    remains: &Remains,
    to: &Path,
    on_bytes: &mut dyn FnMut(u64),
    unproven: &mut dyn FnMut(&Found) -> Result<(), E>,
) -> Result<Salvaged, SalvageError<E>> {
    let is_free = match std::fs::read_dir(to) {
        Ok(mut entries) => entries.next().is_none(),
        Err(error) => error.kind() == std::io::ErrorKind::NotFound,
    };
    if !is_free {
        return Err(SalvageError::Taken { path: to.to_owned() });
    }
    // Each event brings its own time; this clock is not asked.
    let options = Options { trust_recorded_at: true, ..Options::new(|| Timestamp::MIN) };
    let log = Log::open(to, options).map_err(SalvageError::Target)?;
    let (mut appended, mut refused) = (0, 0);
    let mut waiting = Vec::new();
    let mut append = |waiting: &mut Vec<_>| -> Result<(), AppendError> {
        for outcome in log.append_recorded(&std::mem::take(waiting))? {
            match outcome {
                Outcome::Appended { .. } => appended += 1,
                Outcome::Duplicate { .. } | Outcome::Conflict { .. } => refused += 1,
            }
        }
        Ok(())
    };
    let mut broken = 0;
    let surveyed = remains.survey::<SalvageError<E>>(on_bytes, &mut |found| {
        if !found.is_proven {
            return unproven(&found).map_err(SalvageError::Taker);
        }
        if found.event.check().is_err() {
            broken += 1;
            return Ok(());
        }
        waiting.push((found.event, found.recorded_at));
        if waiting.len() >= TOGETHER {
            append(&mut waiting)?;
        }
        Ok(())
    })?;
    append(&mut waiting)?;
    refused += broken;
    log.close()?;
    Ok(Salvaged { surveyed, appended, refused })
}
