//! The folder that a benchmark works in, and takes away at its end.

use std::fs;
use std::path::{Path, PathBuf};

use crate::failure::Failure;

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

    /// The generated event lines; the peers know them by this name.
    pub fn events(&self) -> PathBuf {
        self.path("events.ndjson")
    }

    /// The store that works write and read.
    pub fn store(&self) -> PathBuf {
        self.path("bench.store")
    }

    /// Removes a folder that an earlier round left, if there is one.
    pub fn clear(&self, name: &str) -> Result<PathBuf, Failure> {
        let path = self.path(name);
        match fs::remove_dir_all(&path) {
            Err(e) if e.kind() != std::io::ErrorKind::NotFound => {
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
