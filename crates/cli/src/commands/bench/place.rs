//! The folder that a benchmark works in, and takes away at its end.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

use crate::failure::Failure;

/// A log that is measured, by names in the place: the event lines that it is made of, and its store.
#[derive(Debug, Clone, Copy)]
pub struct Subject {
    pub events: &'static str,
    pub store: &'static str,
}

/// All events. The peers know their file by its name.
pub const ALL: Subject = Subject { events: "events.ndjson", store: "bench.store" };
/// A tenth of the events, of a tenth of the accounts.
pub const TENTH: Subject = Subject { events: "tenth.ndjson", store: "tenth.store" };

/// A folder of this run alone.
pub struct Place {
    dir: PathBuf,
}

impl Place {
    /// Makes it in `parent`, else where the system keeps what is temporary.
    pub fn make(parent: Option<&Path>) -> Result<Place, Failure> {
        let parent = parent.map_or_else(std::env::temp_dir, Path::to_owned);
        let made = fs::canonicalize(&parent).and_then(|parent| {
            let dir = parent.join(format!("stillthere-bench-{}", std::process::id()));
            fs::create_dir(&dir).map(|()| dir)
        });
        let dir = made.map_err(|e| Failure::file(&parent, "make a folder in it", &e))?;
        Ok(Place { dir })
    }

    pub fn dir(&self) -> &Path {
        &self.dir
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.dir.join(name)
    }

    /// Where answers are written.
    pub fn lines(&self) -> PathBuf {
        self.path("lines.ndjson")
    }

    pub fn policy(&self) -> PathBuf {
        self.path("plain.toml")
    }

    /// The generated event lines.
    pub fn events(&self) -> PathBuf {
        self.path(ALL.events)
    }

    /// The store that works write and read.
    pub fn store(&self) -> PathBuf {
        self.path(ALL.store)
    }

    /// Removes a folder that an earlier round left, if there is one.
    pub fn clear(&self, name: &str) -> Result<PathBuf, Failure> {
        let path = self.path(name);
        match fs::remove_dir_all(&path) {
            Err(e) if e.kind() != io::ErrorKind::NotFound => {
                Err(Failure::file(&path, "remove it", &e))
            }
            _ => Ok(path),
        }
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.dir);
    }
}

/// The bytes of all files under a folder.
pub fn bytes_under(dir: &Path) -> u64 {
    let entries = fs::read_dir(dir).into_iter().flatten().flatten();
    let bytes = entries.map(|entry| match entry.metadata() {
        Ok(metadata) if metadata.is_dir() => bytes_under(&entry.path()),
        Ok(metadata) => metadata.len(),
        Err(_) => 0,
    });
    bytes.sum()
}

/// Copies a folder that is not there yet, and waits until the copy is on the disk, so that who works on it
/// does not wait for that.
pub fn copy_folder(from: &Path, to: &Path) -> io::Result<()> {
    fs::create_dir(to)?;
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        let to = to.join(entry.file_name());
        match entry.metadata()?.is_dir() {
            true => copy_folder(&entry.path(), &to)?,
            false => {
                fs::copy(entry.path(), &to)?;
                File::open(&to)?.sync_all()?;
            }
        }
    }
    Ok(())
}
