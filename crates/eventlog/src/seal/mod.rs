//! Seals of a log, and the tree that is published of it.
//!
//! A tour: a [`Sealer`] has read a log, to know where every account's chain ends; [`Log::seal`] has it read on and
//! writes a seal, with which a page ends. [`Sealer::publish`] brings `tlog/` up to the last seal, and says what there
//! is to sign ([`TreeHead`]). [`LastSigned`] signs it, unless what a key signed last speaks against that, and hands the
//! checkpoint out. [`SealedLog`] is what a certificate is made of: a log as it was at a checkpoint.

mod contents;
mod kept;
mod looked;
mod shown;
mod signed;
mod taken;
mod tree;
mod walked;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use commitment::{CheckpointError, Digest, Fault, Seal, TileError};
use event::Timestamp;
use tree::TreeFolder;
use walked::Walked;

use crate::batches::corrupt;
use crate::erase::through::through;
use crate::folder::{Folder, Found};
use crate::head_file::Durable;
use crate::log::Log;
use crate::storage::Disk;
use crate::{AppendError, OpenError, ReadError};

pub(crate) use kept::{forget, leave_out};
pub use shown::{PlacedControl, SealedLog, ShownEvent, ShownStream, page_leaves};
pub use signed::LastSigned;
pub use taken::erased_frames;

/// Why a log cannot be sealed, or its tree not be published or read.
#[derive(Debug, thiserror::Error)]
pub enum SealError {
    /// The log, or the folder `tlog/`, cannot be read or written.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// The log is not as it was written.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// The seal could not be written.
    #[error(transparent)]
    Append(#[from] AppendError),
    /// The published tree is not whole. It can be deleted and made anew.
    #[error("tlog: {0}")]
    Tile(TileError),
    /// The clock has gone back.
    #[error("the clock says {now}, and the log was last written to at {log}: set the clock")]
    Clock {
        /// What it says.
        now: Timestamp,
        /// What the log's clock says.
        log: Timestamp,
    },
    /// What was kept beside the log does not go with it.
    #[error("derived/seal is not of this log; delete it, it is made anew")]
    Kept,
    /// An account that the seal is of was erased behind it.
    #[error(
        "an account that was in this log up to page {pages} was erased since, so the account map of its seal cannot be made any \
         more; `checkpoint` seals the log as it is"
    )]
    Erased {
        /// The pages up to the seal.
        pages: u64,
    },
    /// There is no seal.
    #[error("the log has no seal; `checkpoint` makes one")]
    Unsealed,
    /// The log ends before the tree that was asked for, or has other pages.
    #[error("the log does not have the {pages} pages of this checkpoint with a seal at their end")]
    Elsewhere {
        /// The tree's size.
        pages: u64,
    },
    /// What is kept of the checkpoint that was signed last is not one of this key's.
    #[error("{path}: what was signed last is not believed: {reason}", path = path.display())]
    Last {
        /// The file.
        path: PathBuf,
        /// Why not.
        reason: CheckpointError,
    },
    /// A larger tree was signed before.
    #[error(
        "a checkpoint of size {signed} was signed before, and this log's tree has size {found}: it was cut, or \
         restored from an older backup. Bring the newer log back, or begin a new origin with another --key"
    )]
    Cut {
        /// The size that was signed, in pages.
        signed: u64,
        /// That of this log.
        found: u64,
    },
    /// Another tree was signed before.
    #[error(
        "the tree of size {signed} of which a checkpoint was signed before is not the beginning of this log's: \
         it was written anew. Bring the log back, or begin a new origin with another --key"
    )]
    Rewritten {
        /// The size that was signed, in pages.
        signed: u64,
    },
    /// The key cannot sign a checkpoint.
    #[error(transparent)]
    Sign(CheckpointError),
}

/// The head of the tree that ends with the last seal: what there is to sign.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TreeHead {
    /// Pages.
    pub pages: u64,
    /// The tree's root.
    pub root: Digest,
    /// The seal at its end.
    pub seal: Seal,
}

/// What seals are made of: where every account's chain ends, as far as the log was read.
pub struct Sealer {
    folder: Folder,
    walked: Walked,
    /// The page of the first of the summaries that were not given to `tlog/` here.
    from_page: u64,
    /// Pages of which `tlog/` has all, durably.
    published: u64,
    /// As many accounts had other chains since something was kept.
    unkept: usize,
}

/// So much a clock may have gone back before a seal is refused: machines are set right by seconds.
const SLACK_MS: i64 = 60_000;

/// Under as many changed accounts nothing is kept anew, unless they are a part of all: so keeping costs in
/// proportion to what changed.
const KEPT_PART: usize = 8;

impl Sealer {
    /// Goes on from what was kept at an earlier seal of this log; else the whole log will be read.
    #[must_use]
    pub fn open(log: &Log) -> Sealer {
        let (folder, store) = (log.folder().clone(), log.store());
        // Where nothing was kept, all is worth keeping.
        let (walked, unkept) = match kept::load(&folder, &store, log.durable()) {
            Some(walked) => (walked, 0),
            None => (Walked::new(store), usize::MAX),
        };
        let (from_page, published) = (walked.pages.closed(), TreeFolder::new(&folder).published());
        Sealer { folder, walked, from_page, published, unkept }
    }

    /// Reads on to `end`; from the log's beginning if what was kept does not go with it.
    fn read(&mut self, end: Durable) -> Result<(), ReadError> {
        let read = self.walked.read(&self.folder, end, None);
        match self.walked.is_from_kept() && (read.is_err() || self.walked.is_refuted()) {
            true => self.read_anew(end),
            false => read.map(drop),
        }
    }

    fn read_anew(&mut self, end: Durable) -> Result<(), ReadError> {
        self.walked = Walked::new(self.walked.store);
        (self.from_page, self.unkept) = (0, usize::MAX);
        self.walked.read(&self.folder, end, None).map(drop)
    }

    /// What a seal says of the log as far as it was read; of the log anew if what was kept does not bear it out.
    fn next_seal(&mut self, at_ms: i64) -> Result<Seal, ReadError> {
        let seal = self.walked.seal(at_ms);
        if !self.walked.is_refuted() {
            return Ok(seal);
        }
        self.read_anew(self.walked.at)?;
        Ok(self.walked.seal(at_ms))
    }

    /// Publishes the pages up to the last seal in `tlog/`, and reads back what was written. Pages that are there are
    /// not written again.
    ///
    /// # Errors
    /// [`SealError`]; what was published before is still there.
    pub fn publish(&mut self) -> Result<TreeHead, SealError> {
        let mut head = self.walked.sealed.clone().ok_or(SealError::Unsealed)?;
        let tree = TreeFolder::new(&self.folder);
        let mut new = (head.pages - self.from_page) as usize;
        let grown = match self.published < self.from_page {
            true => Ok(None),
            false => tree
                .grow(self.from_page, &self.walked.summaries[..new])
                .and_then(|()| tree.root(head.pages).map(Some)),
        };
        match grown {
            Ok(Some(root)) if root == head.root => {}
            // Something of it is not there, not right, or not durable: all of it is made anew.
            Ok(_) | Err(SealError::Tile(_)) => {
                let root = self.republish(&tree, head.pages)?;
                if root != head.root {
                    // Then it was the tree that was kept.
                    self.read_anew(self.walked.at)?;
                    self.keep();
                    (head.root, new) = (root, head.pages as usize);
                }
            }
            Err(other) => return Err(other),
        }
        self.walked.summaries.drain(..new);
        (self.from_page, self.published) = (head.pages, head.pages);
        Ok(head)
    }

    /// Reads the whole log again for its pages' summaries. Files that are right are not written again.
    fn republish(&self, tree: &TreeFolder, pages: u64) -> Result<Digest, SealError> {
        let mut walked = Walked::new(self.walked.store);
        if !walked.read(&self.folder, self.walked.at, Some(pages))? {
            return Err(SealError::Elsewhere { pages });
        }
        tree.grow(0, &walked.summaries)?;
        match tree.root(pages)? == walked.tree.root() {
            true => Ok(walked.tree.root()),
            false => Err(SealError::Elsewhere { pages }),
        }
    }

    /// The root of the published tree when it had so many pages.
    ///
    /// # Errors
    /// [`SealError`]
    pub fn root_at(&self, pages: u64) -> Result<Digest, SealError> {
        TreeFolder::new(&self.folder).root(pages)
    }

    /// The proof that the tree of `old` pages is the beginning of that of `new`.
    ///
    /// # Errors
    /// [`SealError`]
    pub fn consistency(&self, old: u64, new: u64) -> Result<Vec<Digest>, SealError> {
        TreeFolder::new(&self.folder).tiles(new).prove_consistency(old)
    }

    /// Keeps where the chains end, for the next who seals, if that is worth it.
    fn keep(&mut self) {
        let is_worth_it = self.unkept.saturating_mul(KEPT_PART) >= self.walked.accounts.len();
        if is_worth_it && self.walked.ends_sealed() {
            kept::keep(&self.folder, &self.walked);
            self.unkept = 0;
        }
    }
}

impl Log {
    /// Seals the log: a page ends with where every account's chain ends, up to this event. If nothing was appended
    /// since the last seal, that is the answer. What is staged meanwhile comes behind it.
    ///
    /// # Errors
    /// [`SealError`]; nothing is sealed then.
    pub fn seal(&self, sealer: &mut Sealer) -> Result<Seal, SealError> {
        // Most of what there is to read is read while others append.
        sealer.read(self.durable())?;
        let at_ms = self.now_ms();
        let end = self.with_all_written(|durable| {
            sealer.read(durable)?;
            if sealer.walked.ends_sealed() {
                return Ok::<_, SealError>(None);
            }
            let log_ms = sealer.walked.pages.clock_ms();
            if at_ms + SLACK_MS < log_ms {
                let time = |ms| Timestamp::from_ms(ms).unwrap_or(Timestamp::MIN);
                return Err(SealError::Clock { now: time(at_ms), log: time(log_ms) });
            }
            if !sealer.walked.has_map() {
                let (expected, found) = ("a record behind each name that was erased", "none");
                let fault = Fault {
                    offset: durable.offset,
                    expected: expected.into(),
                    found: found.into(),
                };
                return Err(corrupt(&sealer.folder, durable.segment, fault, None).into());
            }
            let at_ms = at_ms.max(log_ms);
            sealer.unkept = sealer.unkept.saturating_add(sealer.walked.changed_accounts());
            Ok(Some(commitment::Control::Seal(sealer.next_seal(at_ms)?)))
        })?;
        // It is read back too.
        sealer.read(end)?;
        sealer.keep();
        sealer.walked.sealed.as_ref().map(|head| head.seal).ok_or(SealError::Unsealed)
    }
}

/// The store's folder, if it is one.
fn store_folder(dir: &Path) -> Result<Folder, OpenError> {
    let folder = through(Folder::new(Arc::new(Disk), dir))?;
    match folder.look()? {
        Found::Store(_) => Ok(folder),
        _ => Err(OpenError::Missing { path: dir.to_owned() }),
    }
}
