//! How far the watched files were read, in `derived/watched`.
//!
//! One JSON object, written anew whole after each round. It saves reading again and decides nothing: it is
//! believed only where the log still is the one that it was written after (the store's id, and at its size
//! the same last event), and a file only where the bytes before the place are those that were read. Files
//! are told apart by device and inode; no name of one is in it.

use std::fs;
use std::path::{Path, PathBuf};

use event::EventHash;
use eventlog::Reader;
use serde::{Deserialize, Serialize};

use super::file::{Followed, Identity, Reached};

/// So many files that are followed no more are remembered, the latest.
const KEPT: usize = 1000;

/// The places of the files that were watched.
pub struct Positions {
    files: Vec<Place>,
}

#[derive(Serialize, Deserialize)]
struct Saved {
    /// The store's id.
    store: [u8; 16],
    /// Events in its log.
    size: u64,
    /// The hash of the last of them.
    last: String,
    files: Vec<Place>,
}

#[derive(Clone, Serialize, Deserialize)]
struct Place {
    identity: Identity,
    offset: u64,
    lines: u64,
    before: [u8; 16],
}

impl Positions {
    /// Reads them; none where they are not to be believed.
    pub fn load(store: &Path) -> Positions {
        let read = || -> Option<Saved> {
            let saved: Saved = serde_json::from_slice(&fs::read(path(store)).ok()?).ok()?;
            let reader = Reader::open(store).ok()?;
            let is_of_this = saved.store == reader.store() && saved.size <= reader.size();
            (is_of_this && last(&reader, saved.size)? == saved.last).then_some(saved)
        };
        Positions { files: read().map_or_else(Vec::new, |saved| saved.files) }
    }

    /// How far a file was read.
    pub fn of(&self, identity: Identity) -> Option<Reached> {
        let place = self.files.iter().rev().find(|place| place.identity == identity)?;
        let Place { offset, lines, before, .. } = *place;
        Some(Reached { offset, lines, before })
    }

    /// Writes them, of what is followed and of what was. What cannot be written is read again next time.
    pub fn save(&mut self, store: &Path, followed: &[Followed]) {
        let places = followed.iter().filter(|file| file.reached.offset > 0).map(|file| {
            let Reached { offset, lines, before } = file.reached;
            Place { identity: file.identity, offset, lines, before }
        });
        let places: Vec<Place> = places.collect();
        let now: std::collections::HashSet<Identity> =
            followed.iter().map(|file| file.identity).collect();
        self.files.retain(|place| !now.contains(&place.identity));
        let over = self.files.len().saturating_sub(KEPT);
        self.files.drain(..over);
        self.files.extend(places);
        let _ = self.write(store);
    }

    fn write(&self, store: &Path) -> Option<()> {
        let reader = Reader::open(store).ok()?;
        let (id, size) = (reader.store(), reader.size());
        let saved =
            Saved { store: id, size, last: last(&reader, size)?, files: self.files.clone() };
        let path = path(store);
        let partial = path.with_extension("partial");
        fs::write(&partial, serde_json::to_vec(&saved).ok()?).ok()?;
        fs::rename(&partial, &path).ok()
    }
}

fn path(store: &Path) -> PathBuf {
    store.join("derived/watched")
}

/// The hash of the last of so many events; of none, nothing.
fn last(reader: &Reader, size: u64) -> Option<String> {
    let Some(position) = size.checked_sub(1) else { return Some(String::new()) };
    Some(EventHash::of(&reader.event_at(position).ok()??.event).to_string())
}
