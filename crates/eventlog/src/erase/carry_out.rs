//! Carries an erasure out, from its record to the last file that held any of it.
//!
//! What a stop leaves: before the record's batch is whole in the log, a log as it was, and `REDO`; from then on a log of which
//! `REDO` says how it will look, in the log itself, in what is derived and in `cut/`. Whoever opens the store to write does all
//! of it again, which changes nothing where it was done; what is derived is then dropped, to be made anew.

use std::collections::BTreeSet;
use std::fs;
use std::io;
use std::path::Path;

use commitment::{Divergence, Fault, Head};

use super::redo::{REDO, Redo};
use crate::encoder::Encoder;
use crate::folder::Folder;
use crate::head_file::HeadFile;
use crate::recover::corrupt_at;
use crate::seal::{self, forget};
use crate::storage::Access;
use crate::tail::{Tail, failed};
use crate::{AppendError, OpenError, Options};

/// Appends the record; both slots of `HEAD` name its end then.
pub(crate) fn record(
    folder: &Folder,
    encoder: &mut Encoder,
    tail: &mut Tail,
    options: &Options,
    redo: &Redo,
) -> Result<(), AppendError> {
    encoder.record(&redo.record);
    let mut batch = encoder.take(Vec::new());
    tail.write(folder, &mut batch, options)?;
    let written = tail.head.write(tail.end, false, true);
    written.map_err(|e| failed("write", &folder.head(), &e))
}

/// Behind the record: the log, then `purge` for what is derived, then what recovery kept aside, then `REDO` itself.
pub(crate) fn finish(
    folder: &Folder,
    redo: &Redo,
    purge: impl FnOnce() -> Result<(), OpenError>,
) -> Result<(), OpenError> {
    redo.write_over(folder)?;
    purge()?;
    empty_cut(folder)?;
    Redo::remove(folder)
}

/// An erasure that another writer began.
pub(crate) struct Begun {
    redo: Redo,
    is_recorded: bool,
}

/// Looks for one. If its record is in the log, the log is brought to what it will be, before anybody judges it.
///
/// # Errors
/// [`OpenError`]
pub(crate) fn begun(folder: &Folder, head: &[u8]) -> Result<Option<Begun>, OpenError> {
    let Some(redo) = Redo::read(folder)? else {
        Redo::remove(folder)?;
        return Ok(None);
    };
    // What is wrong with a HEAD that says nothing is found by recovery.
    let Ok(head) = Head::decode(head) else { return Ok(None) };
    if head.now.store != redo.store {
        let found = "one of another store";
        return Err(bad(folder, "an erasure of this store", found.to_owned()));
    }
    let Some((place, batch, end)) = redo.recorded(folder)? else {
        return Ok(Some(Begun { redo, is_recorded: false }));
    };
    // Its sync may have failed: then the disk may have none of it, and another sync alone would not tell.
    let path = folder.segment(place.segment);
    let file = folder.storage.open(&path, Access::Write);
    let file = file.map_err(OpenError::io("open for writing", &path))?;
    file.write_at(&batch, place.offset).map_err(OpenError::io("write", &path))?;
    file.sync().map_err(OpenError::io("sync", &path))?;
    folder.sync_names()?;
    let path = folder.head();
    let file = folder.storage.open(&path, Access::Write);
    let mut slots = HeadFile::new(file.map_err(OpenError::io("open for writing", &path))?, &head);
    for _ in 0..2 {
        slots.write(end, false, true).map_err(OpenError::io("write", &path))?;
    }
    redo.write_over(folder)?;
    Ok(Some(Begun { redo, is_recorded: true }))
}

impl Begun {
    /// Carries the rest out, in a log that was recovered.
    pub(crate) fn go_on(
        self,
        folder: &Folder,
        encoder: &mut Encoder,
        tail: &mut Tail,
        options: &Options,
    ) -> Result<(), OpenError> {
        let Begun { redo, is_recorded } = self;
        if !is_recorded {
            if tail.end != redo.end {
                let expected = format!(
                    "a log that ends at byte {} of segment {}",
                    redo.end.offset, redo.end.segment
                );
                let found = format!("byte {} of segment {}", tail.end.offset, tail.end.segment);
                return Err(bad(folder, &expected, found));
            }
            record(folder, encoder, tail, options, &redo)?;
        }
        finish(folder, &redo, || drop_derived(folder))
    }
}

fn bad(folder: &Folder, expected: &str, found: String) -> OpenError {
    let fault = Fault { offset: 0, expected: expected.to_owned(), found };
    corrupt_at(folder, Box::new(Divergence::new(REDO, fault)))
}

/// Takes away all that is derived: it will be made anew.
pub(crate) fn drop_derived(folder: &Folder) -> Result<(), OpenError> {
    let (dir, true) = folder.derived() else { return Ok(()) };
    remove_all(&dir.join("runs"))?;
    drop_sled(&dir)?;
    forget(folder).map_err(OpenError::io("remove files from", &dir))?;
    sync(&dir)
}

/// Takes these accounts out of all that is derived but for the runs; what others keep there is dropped.
pub(crate) fn leave_out(
    folder: &Folder,
    store: &[u8; 16],
    accounts: &BTreeSet<u64>,
) -> Result<(), OpenError> {
    let (dir, true) = folder.derived() else { return Ok(()) };
    drop_sled(&dir)?;
    if !accounts.is_empty() {
        let left_out = seal::leave_out(folder, store, accounts);
        left_out.map_err(OpenError::io("remove files from", &dir))?;
    }
    sync(&dir)
}

fn drop_sled(dir: &Path) -> Result<(), OpenError> {
    ["sled", "sled.sum"].iter().try_for_each(|name| remove_all(&dir.join(name)))
}

fn sync(dir: &Path) -> Result<(), OpenError> {
    match fs::File::open(dir).and_then(|dir| dir.sync_all()) {
        Err(e) if e.kind() != io::ErrorKind::NotFound => {
            Err(OpenError::io("sync the folder", dir)(e))
        }
        _ => Ok(()),
    }
}

/// Takes a file away, or a folder with what is in it, if it is there.
fn remove_all(path: &Path) -> Result<(), OpenError> {
    let removed = match fs::symlink_metadata(path) {
        // Who has it open may just have put a file there; once it is gone nobody can.
        Ok(found) if found.is_dir() => fs::remove_dir_all(path).or_else(|e| match e.kind() {
            io::ErrorKind::DirectoryNotEmpty => fs::remove_dir_all(path),
            _ => Err(e),
        }),
        Ok(_) => fs::remove_file(path),
        Err(e) => Err(e),
    };
    match removed {
        Err(e) if e.kind() != io::ErrorKind::NotFound => Err(OpenError::io("remove", path)(e)),
        _ => Ok(()),
    }
}

/// What recovery cut off may hold what is erased.
fn empty_cut(folder: &Folder) -> Result<(), OpenError> {
    let cut = folder.root.join("cut");
    let names = match folder.storage.list(&cut) {
        Ok(names) => names,
        Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(e) => return Err(OpenError::io("look into the folder", &cut)(e)),
    };
    for name in &names {
        let path = cut.join(name);
        folder.storage.remove(&path).map_err(OpenError::io("remove", &path))?;
    }
    folder.sync_folder(&cut)
}
