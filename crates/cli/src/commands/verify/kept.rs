//! `verify --checkpoint`: whether the log still begins as it did when a checkpoint that was kept elsewhere was
//! signed.

use std::fs;
use std::path::{Path, PathBuf};

use commitment::{
    Checkpoint, Digest, Divergence, Fault, Frontier, ProofError, Tile, TileError, Tiles, hex,
};
use eventlog::{Reader, page_leaves};

use super::Stop;
use crate::args::VerifyArgs;
use crate::failure::Failure;
use crate::keys::{note_in, verifier_keys};
use crate::question::Question;
use crate::show::amount::counted;
use crate::show::escape::escaped_path;

/// A checkpoint that was kept.
pub struct Kept {
    file: PathBuf,
    checkpoint: Checkpoint,
}

impl Kept {
    /// Of the command line, if it names one. Who signed it is looked at before anything else.
    pub fn open(args: &VerifyArgs) -> Result<Option<Kept>, Failure> {
        let Some(file) = &args.checkpoint else { return Ok(None) };
        let keys = verifier_keys(&args.keys)?;
        let note = note_in(file)?;
        let opened = Checkpoint::open(&note, keys[0].name(), &keys, &[]);
        let (checkpoint, _) = opened.map_err(|error| {
            Failure::Refused(format!("{}: not believed: {error}", escaped_path(file)))
        })?;
        Ok(Some(Kept { file: file.clone(), checkpoint }))
    }

    /// Holds the log against it; gives how many pages it is of.
    pub fn hold(&self, question: &Question) -> Result<u64, Stop> {
        let Checkpoint { size, root, .. } = &self.checkpoint;
        let reader = Reader::open(&question.store).map_err(Stop::from)?;
        let leaves = page_leaves(&question.store, &reader, *size)
            .map_err(|error| Stop::Failed(error.into()))?;
        let tree: Frontier = leaves.iter().copied().collect();
        if tree.count() == *size && tree.root() == *root {
            return Ok(*size);
        }
        let pages = counted(*size, "page");
        let expected = format!("{pages} of the root {}, as the checkpoint says", hex(root));
        let mut found = match tree.count() == *size {
            true => format!("the root {}", hex(&tree.root())),
            false => counted(tree.count(), "page"),
        };
        if let Some(page) = self.first_other(&leaves) {
            found.push_str(&format!("; page {page} is the first that differs"));
        }
        let fault = Fault { offset: 0, expected, found };
        Err(Stop::Tampered(Box::new(Divergence::new("log/", fault))))
    }

    /// The first page that is another, where the tiles that were kept beside the checkpoint tell.
    fn first_other(&self, leaves: &[Digest]) -> Option<u64> {
        let folder = self.file.parent().filter(|f| !f.as_os_str().is_empty());
        let folder = folder.unwrap_or(Path::new("."));
        let read = |tile: Tile| -> Result<Option<Vec<u8>>, Unread> {
            let bytes = fs::read(folder.join(tile.to_string()));
            Ok(bytes.or_else(|_| fs::read(folder.join(tile.full().to_string()))).ok())
        };
        let mut tiles = Tiles::new(self.checkpoint.size, read);
        if tiles.root().ok()? != self.checkpoint.root {
            return None;
        }
        let mut pages = 0..self.checkpoint.size;
        pages.find(|page| {
            let own = usize::try_from(*page).ok().and_then(|page| leaves.get(page));
            tiles.node(0, *page).ok().as_ref() != own
        })
    }
}

/// Tiles that are not there or not right tell nothing.
struct Unread;

impl From<TileError> for Unread {
    fn from(_: TileError) -> Unread {
        Unread
    }
}

impl From<ProofError> for Unread {
    fn from(_: ProofError) -> Unread {
        Unread
    }
}
