//! Which files are followed: one by its name, or those of a folder.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use super::file::{Followed, Identity, identity};
use super::positions::Positions;
use crate::failure::Failure;
use crate::show::escape::escaped_path;

/// So many files are kept open, so that one that is renamed away or deleted is read to its end.
const KEPT_OPEN: usize = 128;

/// What is watched.
pub struct Listing {
    path: PathBuf,
    is_folder: bool,
}

impl Listing {
    pub fn open(path: &Path) -> Result<Listing, Failure> {
        let metadata = fs::metadata(path);
        let metadata = metadata.map_err(|error| Failure::file(path, "watch it", &error))?;
        if !metadata.is_dir() && !metadata.is_file() {
            let path = escaped_path(path);
            return Err(Failure::Usage(format!(
                "{path}: neither a file nor a folder; `import -` reads from a pipe"
            )));
        }
        Ok(Listing { path: path.to_owned(), is_folder: metadata.is_dir() })
    }

    /// Refuses a file that would be taken for one of the watched.
    pub fn refuse_within(&self, path: &Path) -> Result<(), Failure> {
        let folder = match path.parent() {
            Some(folder) if !folder.as_os_str().is_empty() => folder,
            _ => Path::new("."),
        };
        let is_within = self.is_folder
            && matches!((fs::canonicalize(folder), fs::canonicalize(&self.path)),
                (Ok(folder), Ok(watched)) if folder == watched);
        match is_within {
            true => Err(Failure::Usage(format!(
                "{}: lies in the folder that is watched; name a file elsewhere",
                escaped_path(path)
            ))),
            false => Ok(()),
        }
    }

    /// Looks which files there are now: new ones are followed, in the order of their names, renamed ones
    /// under their new names, and what is gone until it is read to its end.
    pub fn look(
        &mut self,
        followed: &mut Vec<Followed>,
        positions: &mut Positions,
    ) -> Result<(), Failure> {
        let files = match self.files() {
            Ok(files) => files,
            // A file that is being rotated has no name for a moment.
            Err(error) if error.kind() == io::ErrorKind::NotFound => Vec::new(),
            Err(error) => return Err(Failure::file(&self.path, "watch it", &error)),
        };
        let mut before = std::mem::take(followed);
        let mut there = Vec::new();
        for (path, identity) in files {
            let known = before.iter().position(|file| file.identity == identity);
            let name = escaped_path(&path);
            there.push(match known.map(|at| before.swap_remove(at)) {
                Some(mut file) => {
                    (file.path, file.name, file.is_gone) = (path, name, false);
                    file
                }
                None => Followed::new(identity, path, name, positions.of(identity)),
            });
        }
        // First what went away, then the rest by name: a log that was rotated is older than its successor.
        for mut file in before {
            file.is_gone = true;
            followed.push(file);
        }
        followed.retain(|file| !file.is_over());
        followed.append(&mut there);
        followed.iter_mut().for_each(Followed::look);
        let mut open: Vec<&mut Followed> =
            followed.iter_mut().filter(|file| file.is_open()).collect();
        if open.len() > KEPT_OPEN {
            open.sort_by_key(|file| file.changed_at());
            let most = open.len() - KEPT_OPEN;
            open.iter_mut().take(most).for_each(|file| file.close());
        }
        Ok(())
    }

    fn files(&self) -> io::Result<Vec<(PathBuf, Identity)>> {
        if !self.is_folder {
            let metadata = fs::metadata(&self.path)?;
            return Ok(vec![(self.path.clone(), identity(&metadata, &self.path))]);
        }
        let mut files = Vec::new();
        for entry in fs::read_dir(&self.path)? {
            let path = entry?.path();
            // Hidden files are those that others are still making.
            let is_hidden =
                path.file_name().is_some_and(|name| name.as_encoded_bytes().starts_with(b"."));
            let metadata = fs::metadata(&path);
            if let Ok(metadata) = metadata.as_ref()
                && metadata.is_file()
                && !is_hidden
            {
                files.push((path.clone(), identity(metadata, &path)));
            }
        }
        files.sort();
        // Of a file with two names the first counts.
        let mut seen = std::collections::HashSet::new();
        files.retain(|(_, identity)| seen.insert(*identity));
        Ok(files)
    }
}
