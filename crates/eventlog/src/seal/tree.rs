//! `tlog/`: the log's tree as others read it (C2SP tlog-tiles). It can be made anew from the log.
//!
//! A file is written beside its place, synced, and put there; the folders are synced before the checkpoint that
//! needs them is. So a checkpoint never names what is not there, and no file of a full tile is written twice.

use std::collections::BTreeSet;
use std::io;
use std::path::{Path, PathBuf};

use commitment::{
    Checkpoint, Digest, Note, ProofError, SUMMARY, Tile, TileError, TileKind, Tiles, encode_bundle,
    grow_tiles, new_bundles, tree_leaf,
};

use super::SealError;
use crate::OpenError;
use crate::folder::Folder;
use crate::storage::{Access, replace};

/// No file of a tree is longer, in bytes: a bundle of 256 summaries, or a checkpoint with its cosignatures.
const MOST: usize = 64 << 10;
/// What a file is first called. There is one of them, so what a crash left is written over by the next.
const NEW: &str = "new.tmp";

/// The published tree of a store.
pub(super) struct TreeFolder {
    folder: Folder,
    root: PathBuf,
}

impl TreeFolder {
    pub(super) fn new(folder: &Folder) -> TreeFolder {
        TreeFolder { folder: folder.clone(), root: folder.root.join("tlog") }
    }

    /// The bytes of a file, if it is there.
    pub(super) fn file(&self, name: &str) -> Result<Option<Vec<u8>>, SealError> {
        let path = self.root.join(name);
        match self.folder.storage.open(&path, Access::Read) {
            Ok(_) => Ok(Some(self.folder.read(&path, MOST + 1)?)),
            Err(e)
                if matches!(e.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) =>
            {
                Ok(None)
            }
            Err(e) => Err(OpenError::io("open", &path)(e).into()),
        }
    }

    /// A tile's bytes, or those of the full one in its place.
    fn tile(&self, tile: Tile) -> Result<Option<Vec<u8>>, SealError> {
        match self.file(&tile.to_string())? {
            Some(bytes) => Ok(Some(bytes)),
            None => self.file(&tile.full().to_string()),
        }
    }

    /// The nodes of the tree of this many pages.
    pub(super) fn tiles(
        &self,
        size: u64,
    ) -> Tiles<impl FnMut(Tile) -> Result<Option<Vec<u8>>, SealError>> {
        Tiles::new(size, |tile| self.tile(tile))
    }

    /// Its root.
    pub(super) fn root(&self, size: u64) -> Result<Digest, SealError> {
        self.tiles(size).root()
    }

    /// Adds pages to the tree of `old`.
    pub(super) fn grow(&self, old: u64, summaries: &[[u8; SUMMARY]]) -> Result<(), SealError> {
        if summaries.is_empty() {
            return Ok(());
        }
        let new = old + summaries.len() as u64;
        let leaves: Vec<Digest> = summaries.iter().map(|summary| tree_leaf(summary)).collect();
        let tiles = grow_tiles(old, &leaves, |tile| self.tile(tile))?;
        // The entries of the bundle at the right edge that were there before.
        let edge = old / 256 * 256;
        let mut entries = Vec::new();
        if let Some(bundle) = new_bundles(edge, old).next() {
            let bytes = self.tile(bundle)?.ok_or(TileError::Missing(bundle))?;
            let read = commitment::decode_bundle(&bytes, bundle.width())
                .or_else(|_| commitment::decode_bundle(&bytes, 256));
            let read = read.map_err(|_| TileError::Missing(bundle))?;
            entries.extend(read.iter().take(usize::from(bundle.width())).map(|e| e.to_vec()));
        }
        entries.extend(summaries.iter().map(|summary| summary.to_vec()));
        let mut folders = BTreeSet::new();
        for bundle in new_bundles(old, new) {
            debug_assert_eq!(bundle.kind(), TileKind::Entries);
            let range = bundle.range();
            let from = (range.start - edge) as usize;
            let these = &entries[from..from + usize::from(bundle.width())];
            self.write(&bundle.to_string(), &encode_bundle(these), &mut folders)?;
        }
        for (tile, bytes) in tiles {
            self.write(&tile.to_string(), &bytes, &mut folders)?;
        }
        self.sync(&folders)
    }

    /// Puts files in their places, each whole or not at all, and all durable.
    pub(super) fn put(&self, files: &[(&str, &[u8])]) -> Result<(), SealError> {
        let mut folders = BTreeSet::new();
        for (name, bytes) in files {
            self.write(name, bytes, &mut folders)?;
        }
        self.sync(&folders)
    }

    /// How many pages the published checkpoint has: of as many all is durable. What somebody wrote and did not
    /// come to publish may have names that are not.
    pub(super) fn published(&self) -> u64 {
        let file = self.file("checkpoint").ok().flatten();
        let note = file.and_then(|bytes| Note::parse(&bytes).ok());
        let checkpoint = note.and_then(|note| Checkpoint::parse(note.unverified_text()).ok());
        checkpoint.map_or(0, |checkpoint| checkpoint.size)
    }

    /// Puts a file in its place: whole, or not at all. Its name is durable once these folders were synced.
    fn write(
        &self,
        name: &str,
        bytes: &[u8],
        folders: &mut BTreeSet<PathBuf>,
    ) -> Result<(), SealError> {
        let path = self.root.join(name);
        let folder = path.parent().expect("it is in a folder");
        let above = folder.ancestors().take_while(|above| above.starts_with(&self.folder.root));
        let above: Vec<&Path> = above.collect();
        folders.extend(above.iter().map(|above| above.to_path_buf()));
        if self.file(name)?.is_some_and(|there| there == bytes) {
            return Ok(());
        }
        let storage = &*self.folder.storage;
        for folder in above.into_iter().rev().skip(1) {
            if storage.list(folder).is_err() {
                let made = storage.create_folder(folder);
                made.map_err(OpenError::io("make the folder", folder))?;
            }
        }
        let written = replace(storage, &self.root.join(NEW), &path, bytes, Access::Create);
        Ok(written.map_err(OpenError::io("write", &path))?)
    }

    fn sync(&self, folders: &BTreeSet<PathBuf>) -> Result<(), SealError> {
        for folder in folders {
            self.folder.sync_folder(folder)?;
        }
        Ok(())
    }
}

impl From<TileError> for SealError {
    fn from(error: TileError) -> SealError {
        SealError::Tile(error)
    }
}

impl From<ProofError> for SealError {
    fn from(error: ProofError) -> SealError {
        SealError::Tile(error.into())
    }
}
