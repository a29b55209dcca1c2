//! `tlog/`: the log's tree as others read it (C2SP tlog-tiles). It can be made anew from the log.
//!
//! A file is written beside its place, synced, and put there; the folder is synced before the checkpoint that
//! needs it is. So a checkpoint never names what is not there, and no file of a full tile is written twice.

use std::io;
use std::path::{Path, PathBuf};

use commitment::{
    Digest, ProofError, SUMMARY, Tile, TileError, TileKind, Tiles, encode_bundle, grow_tiles,
    new_bundles, tree_leaf,
};

use super::SealError;
use crate::OpenError;
use crate::folder::Folder;
use crate::storage::Access;

/// No file of a tree is longer, in bytes: a bundle of 256 summaries.
const MOST: usize = 64 << 10;

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
        for bundle in new_bundles(old, new) {
            debug_assert_eq!(bundle.kind(), TileKind::Entries);
            let range = bundle.range();
            let from = (range.start - edge) as usize;
            let these = &entries[from..from + usize::from(bundle.width())];
            self.put(&bundle.to_string(), &encode_bundle(these))?;
        }
        for (tile, bytes) in tiles {
            self.put(&tile.to_string(), &bytes)?;
        }
        Ok(())
    }

    /// Puts a file in its place: whole, or not at all.
    pub(super) fn put(&self, name: &str, bytes: &[u8]) -> Result<(), SealError> {
        let path = self.root.join(name);
        if self.file(name)?.is_some_and(|there| there == bytes) {
            return Ok(());
        }
        let folder = path.parent().expect("it is in a folder");
        self.make(folder)?;
        let tmp = folder.join("new.tmp");
        match self.folder.storage.remove(&tmp) {
            Err(e) if e.kind() != io::ErrorKind::NotFound => {
                return Err(OpenError::io("remove what a crash left,", &tmp)(e).into());
            }
            _ => {}
        }
        self.folder.write_new(&tmp, bytes)?;
        self.folder.storage.rename(&tmp, &path).map_err(OpenError::io("rename", &tmp))?;
        self.folder.sync_folder(folder)?;
        Ok(())
    }

    /// Makes a folder and those above it, down from the store's.
    fn make(&self, folder: &Path) -> Result<(), SealError> {
        let inside = folder.strip_prefix(&self.folder.root).expect("inside the store");
        let mut path = self.folder.root.clone();
        for part in inside.components() {
            let above = path.clone();
            path.push(part);
            if self.folder.storage.list(&path).is_ok() {
                continue;
            }
            let made = self.folder.storage.create_folder(&path);
            made.map_err(OpenError::io("make the folder", &path))?;
            self.folder.sync_folder(&above)?;
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
