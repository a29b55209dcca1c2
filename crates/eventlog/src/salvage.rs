//! Makes a new store of what is intact in a damaged one. The old one is only read.
//!
//! The new one is made in a folder of its own in the target, and put into its place when it is whole: what
//! a kill leaves before that is no store, and what an error leaves is taken away again.

use std::path::{Path, PathBuf};
use std::{fs, io};

use commitment::{Control, Found, Surveyed};
use event::Timestamp;

use crate::remains::Remains;
use crate::{AppendError, Log, OpenError, Options, Outcome, ReadError};

/// Events that are appended together.
const TOGETHER: usize = 8192;
/// Where in the target the new store is made.
const UNFINISHED: &str = "unfinished";

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

/// Why nothing was salvaged. The target is as it was, as far as the file system lets it be.
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
    /// The new store cannot be made or written.
    #[error(transparent)]
    Target(OpenError),
    /// It takes no more.
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
        match error {
            // Its advice is to open the log anew; but it is taken away.
            AppendError::Failed { path, action, message } => {
                let (path, source) = (path.into(), io::Error::other(message));
                SalvageError::Target(OpenError::Io { path, action, source })
            }
            error => SalvageError::Append(error),
        }
    }
}

/// Appends what is proven of `remains` to a new store in `to`, with the times at which it was recorded
/// and who set them; behind them the policies whose adoption is proven. What can be read and is not proven is given
/// to `unproven`. Positions, salts and the root are new; revisions too, behind an event of the account that is missing.
/// So seals and statements are left behind: they are about the old ones.
///
/// # Errors
/// [`SalvageError`]
pub fn salvage<E>(
    remains: &Remains,
    to: &Path,
    on_bytes: &mut dyn FnMut(u64),
    unproven: &mut dyn FnMut(&Found) -> Result<(), E>,
) -> Result<Salvaged, SalvageError<E>> {
    let target = Target::begin(to)?;
    // Each event brings its own time; this clock is not asked.
    let options = Options { trust_recorded_at: true, ..Options::new(|| Timestamp::MIN) };
    let log = Log::open(&target.unfinished, options).map_err(SalvageError::Target)?;
    let (mut appended, mut refused) = (0, 0);
    let mut waiting = Vec::new();
    let mut append = |waiting: &mut Vec<_>| -> Result<(), AppendError> {
        for outcome in log.append_recorded(&std::mem::take(waiting))? {
            match outcome {
                Outcome::Appended { .. } => appended += 1,
                Outcome::Duplicate { .. } | Outcome::Conflict { .. } | Outcome::Erased => {
                    refused += 1
                }
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
    for compiled in &surveyed.adopted {
        let hash = *blake3::hash(compiled).as_bytes();
        log.record(&Control::Adoption { hash, compiled })?;
    }
    log.close()?;
    target.end()?;
    Ok(Salvaged { surveyed, appended, refused })
}

/// A folder that becomes a store.
struct Target {
    root: PathBuf,
    /// Where it is made. Emptied and taken away again, if it did not become one.
    unfinished: PathBuf,
    /// Whether the folder itself was made here.
    is_new: bool,
}

impl Target {
    /// Takes a folder that is missing or empty.
    fn begin<E>(to: &Path) -> Result<Target, SalvageError<E>> {
        let taken = || SalvageError::Taken { path: to.to_owned() };
        let failed = |action, path: &Path| {
            let path = path.to_owned();
            move |source| SalvageError::Target(OpenError::io(action, &path)(source))
        };
        let is_free = fs::read_dir(to).map(|mut entries| entries.next().is_none());
        let is_new = is_free.as_ref().is_err_and(|e| e.kind() == io::ErrorKind::NotFound);
        if !is_new && !is_free.unwrap_or(false) {
            return Err(taken());
        }
        if is_new {
            fs::create_dir(to).map_err(failed("make the folder", to))?;
        }
        let (root, unfinished) = (to.to_owned(), to.join(UNFINISHED));
        let made = fs::create_dir(&unfinished);
        if made.as_ref().is_err_and(|error| error.kind() == io::ErrorKind::AlreadyExists) {
            return Err(taken());
        }
        let target = Target { root, unfinished, is_new };
        made.map_err(failed("make the folder", &target.unfinished))?;
        Ok(target)
    }

    /// Puts the store into its place. With `log` it is one.
    fn end<E>(&self) -> Result<(), SalvageError<E>> {
        let put = |name: &str| {
            let (from, to) = (self.unfinished.join(name), self.root.join(name));
            match fs::rename(&from, &to) {
                Err(error) if name == "log" || error.kind() != io::ErrorKind::NotFound => {
                    Err(OpenError::io("rename", &from)(error))
                }
                _ => Ok(()),
            }
        };
        put("derived").and_then(|()| put("log")).map_err(SalvageError::Target)?;
        let root = fs::File::open(&self.root).and_then(|root| root.sync_all());
        root.map_err(|error| SalvageError::Target(OpenError::io("sync", &self.root)(error)))
    }
}

impl Drop for Target {
    fn drop(&mut self) {
        // What cannot be taken away is no store.
        let _ = fs::remove_dir_all(&self.unfinished);
        if !self.root.join("log").exists() {
            let _ = fs::remove_dir_all(self.root.join("derived"));
            if self.is_new {
                let _ = fs::remove_dir(&self.root);
            }
        }
    }
}
