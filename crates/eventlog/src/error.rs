//! Why a store cannot be opened, read or written.

use std::io;
use std::path::{Path, PathBuf};

use commitment::Divergence;

/// What there is to say beside an erasure.
const ERASING: &str = "an erasure is under way; read again, or if it was cut short, open the store to write, which finishes it";

/// Why a store cannot be opened. Nothing was written then.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// There is no store.
    #[error("{path}: there is no store here; `import` makes one", path = path.display())]
    Missing {
        /// The folder asked for.
        path: PathBuf,
    },
    /// The folder, or what stands in its place, is something else's.
    #[error("{path}: not a stillthere store: {what}; choose another folder", path = path.display())]
    Foreign {
        /// The folder or file.
        path: PathBuf,
        /// What was found.
        what: String,
    },
    /// A later version of the program wrote it.
    #[error(
        "{path}: a store from the future: its format is version {found}, and this program reads \
         version {known}; use the newer program",
        path = path.display()
    )]
    Future {
        /// The file that says so.
        path: PathBuf,
        /// The version that it has.
        found: u32,
        /// The version that this program reads.
        known: u32,
    },
    /// Another writer has it open.
    #[error(
        "{path}: another process is writing to this store; wait for it to end, or end it",
        path = path.display()
    )]
    Locked {
        /// The lock file.
        path: PathBuf,
    },
    /// The log is not as it was written, and no crash does that.
    #[error(
        "{path}: the log is damaged: {divergence}; nothing was written. `doctor` says more, and what \
         mends it",
        path = path.display()
    )]
    Corrupt {
        /// The log's folder.
        path: PathBuf,
        /// Where, and what.
        divergence: Box<Divergence>,
    },
    /// The file system said no.
    #[error("{path}: cannot {action}: {source}", path = path.display())]
    Io {
        /// The file or folder.
        path: PathBuf,
        /// What was tried.
        action: &'static str,
        /// What it said.
        source: io::Error,
    },
}

impl OpenError {
    pub(crate) fn io(action: &'static str, path: &Path) -> impl FnOnce(io::Error) -> OpenError {
        let path = path.to_owned();
        move |source| OpenError::Io { path, action, source }
    }
}

impl From<ReadError> for OpenError {
    fn from(error: ReadError) -> OpenError {
        match error {
            ReadError::Io { path, action, source } => OpenError::Io { path, action, source },
            ReadError::Corrupt { path, divergence } => OpenError::Corrupt { path, divergence },
            ReadError::Erasing { path } => {
                let source = io::Error::new(io::ErrorKind::WouldBlock, ERASING);
                OpenError::Io { path, action: "read", source }
            }
        }
    }
}

impl From<AppendError> for OpenError {
    /// Of a write that opening the store brought about.
    fn from(error: AppendError) -> OpenError {
        match error {
            AppendError::Failed { path, action, message } => {
                OpenError::Io { path: path.into(), action, source: io::Error::other(message) }
            }
            other => {
                let source = io::Error::other(other.to_string());
                OpenError::Io { path: PathBuf::new(), action: "go on with an erasure", source }
            }
        }
    }
}

/// Why an append failed. None of its events was acknowledged.
#[derive(Debug, Clone, thiserror::Error)]
pub enum AppendError {
    /// The account's stream does not end where the caller thought. Nothing was appended.
    #[error("account {account:?}: expected {expected}, found {found}")]
    Revision {
        /// The account.
        account: String,
        /// What the caller thought.
        expected: String,
        /// What is so.
        found: String,
    },
    /// An event breaks a limit of docs/events.md. Nothing was appended.
    #[error("event {index}: {reason}")]
    Event {
        /// Its place among the events given, from 0.
        index: usize,
        /// What is wrong with it.
        reason: String,
    },
    /// A write or a sync failed. What it left on the disk is unknown, so the log takes nothing more:
    /// open it anew, and it will say what is there.
    #[error(
        "{path}: cannot {action}: {message}; the log was closed: open it again to see what is in it"
    )]
    Failed {
        /// The file.
        path: String,
        /// What was tried.
        action: &'static str,
        /// What the file system said.
        message: String,
    },
    /// The log has not the bytes that it had: a read for comparing failed.
    #[error(transparent)]
    Read(#[from] std::sync::Arc<ReadError>),
}

/// Why reading failed.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// The file system said no.
    #[error("{path}: cannot {action}: {source}", path = path.display())]
    Io {
        /// The file or folder.
        path: PathBuf,
        /// What was tried.
        action: &'static str,
        /// What it said.
        source: io::Error,
    },
    /// An erasure was under way when it was read.
    #[error("{path}: cannot read: {ERASING}", path = path.display())]
    Erasing {
        /// The log's folder.
        path: PathBuf,
    },
    /// The log is not as it was written.
    #[error("{path}: the log is damaged: {divergence}; `verify` says more", path = path.display())]
    Corrupt {
        /// The log's folder.
        path: PathBuf,
        /// Where, and what.
        divergence: Box<Divergence>,
    },
}

impl ReadError {
    pub(crate) fn io(action: &'static str, path: &Path) -> impl FnOnce(io::Error) -> ReadError {
        let path = path.to_owned();
        move |source| ReadError::Io { path, action, source }
    }
}
