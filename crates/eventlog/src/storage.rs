//! The seam between the log and the disk: all that a log asks of a file system.
//!
//! There are two behind it: [`Disk`], and in tests one that loses, tears and refuses writes.

use std::any::Any;
use std::fs::{File, OpenOptions, TryLockError};
use std::io;
use std::os::unix::fs::{FileExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

/// How a file is opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    /// To read; it must be there.
    Read,
    /// To read and write; it must be there.
    Write,
    /// To read and write; it is made anew and must not be there.
    Create,
    /// The same, and nobody but its owner may read it.
    CreateSecret,
}

/// A file system, as a log uses it. A name is durable once its folder was synced, bytes once
/// their file was.
pub trait Storage: Send + Sync {
    /// Makes a folder. It is fine if it is there.
    ///
    /// # Errors
    /// What the file system says.
    fn create_folder(&self, path: &Path) -> io::Result<()>;

    /// The names in a folder, sorted.
    ///
    /// # Errors
    /// What the file system says; `NotFound` if there is no folder.
    fn list(&self, path: &Path) -> io::Result<Vec<String>>;

    /// Opens a file.
    ///
    /// # Errors
    /// What the file system says.
    fn open(&self, path: &Path, access: Access) -> io::Result<Box<dyn StoredFile>>;

    /// Gives a file another name, in place of a file that had it.
    ///
    /// # Errors
    /// What the file system says.
    fn rename(&self, from: &Path, to: &Path) -> io::Result<()>;

    /// Takes a file away.
    ///
    /// # Errors
    /// What the file system says.
    fn remove(&self, path: &Path) -> io::Result<()>;

    /// Makes the names in a folder durable.
    ///
    /// # Errors
    /// What the file system says.
    fn sync_folder(&self, path: &Path) -> io::Result<()>;

    /// Locks a file, which a writer (not `shared`) makes if it is missing. The lock lasts as long
    /// as what is returned; `None` if another holds it.
    ///
    /// # Errors
    /// What the file system says.
    fn lock(&self, path: &Path, shared: bool) -> io::Result<Option<Lock>>;

    /// Where the derived files of a store may lie, if anywhere: they go past this seam, because
    /// nothing is lost with them.
    fn derived(&self, store: &Path) -> Option<PathBuf>;
}

/// A lock that is held.
pub type Lock = Box<dyn Any + Send + Sync>;

/// An open file.
pub trait StoredFile: Send + Sync {
    /// Its length in bytes.
    ///
    /// # Errors
    /// What the file system says.
    fn length(&self) -> io::Result<u64>;

    /// Reads what is there at `offset`, at most `buffer.len()` bytes, fewer only at the end.
    ///
    /// # Errors
    /// What the file system says.
    fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize>;

    /// Writes all of `bytes` at `offset`.
    ///
    /// # Errors
    /// What the file system says. What is there then is unknown.
    fn write_at(&self, bytes: &[u8], offset: u64) -> io::Result<()>;

    /// Cuts or lengthens it.
    ///
    /// # Errors
    /// What the file system says.
    fn set_len(&self, len: u64) -> io::Result<()>;

    /// Makes its bytes and length durable.
    ///
    /// # Errors
    /// What the file system says. What is durable then is unknown, and asking again does not tell.
    fn sync(&self) -> io::Result<()>;
}

/// Makes a file with these bytes, synced; its name is durable once its folder was synced.
///
/// # Errors
/// What the file system says.
pub fn create(storage: &dyn Storage, path: &Path, bytes: &[u8], access: Access) -> io::Result<()> {
    let file = storage.open(path, access)?;
    file.write_at(bytes, 0)?;
    file.sync()
}

/// Puts a file in the place of another, if there is one: whole and synced, or not at all. It is first made as
/// `tmp`, where a crash may have left a piece. Its name is durable once the folders of both were synced.
///
/// # Errors
/// What the file system says; what was in its place is there still.
pub fn replace(
    storage: &dyn Storage,
    tmp: &Path,
    path: &Path,
    bytes: &[u8],
    access: Access,
) -> io::Result<()> {
    match storage.remove(tmp) {
        Err(e) if e.kind() != io::ErrorKind::NotFound => return Err(e),
        _ => {}
    }
    create(storage, tmp, bytes, access)?;
    storage.rename(tmp, path)
}

/// [`replace`], by way of a name beside the file's own, and its name durable.
///
/// # Errors
/// As there; it may be in its place then.
pub fn put(storage: &dyn Storage, path: &Path, bytes: &[u8], access: Access) -> io::Result<()> {
    let mut tmp = path.as_os_str().to_owned();
    tmp.push(".tmp");
    replace(storage, Path::new(&tmp), path, bytes, access)?;
    storage.sync_folder(folder_of(path))
}

/// The folder that a file or folder is in.
#[must_use]
pub fn folder_of(path: &Path) -> &Path {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    folder.unwrap_or(Path::new("."))
}

/// The real file system.
#[derive(Debug, Clone, Copy, Default)]
pub struct Disk;

impl Storage for Disk {
    fn create_folder(&self, path: &Path) -> io::Result<()> {
        match std::fs::create_dir(path) {
            Err(e) if e.kind() == io::ErrorKind::AlreadyExists && path.is_dir() => Ok(()),
            result => result,
        }
    }

    fn list(&self, path: &Path) -> io::Result<Vec<String>> {
        let mut names = std::fs::read_dir(path)?
            .map(|entry| Ok(entry?.file_name().to_string_lossy().into_owned()))
            .collect::<io::Result<Vec<_>>>()?;
        names.sort_unstable();
        Ok(names)
    }

    fn open(&self, path: &Path, access: Access) -> io::Result<Box<dyn StoredFile>> {
        let mut options = OpenOptions::new();
        options.read(true);
        match access {
            Access::Read => {}
            Access::Write => _ = options.write(true),
            Access::Create => _ = options.write(true).create_new(true),
            Access::CreateSecret => _ = options.write(true).create_new(true).mode(0o600),
        }
        Ok(Box::new(options.open(path)?))
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        std::fs::rename(from, to)
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        std::fs::remove_file(path)
    }

    fn sync_folder(&self, path: &Path) -> io::Result<()> {
        File::open(path)?.sync_all()
    }

    fn lock(&self, path: &Path, shared: bool) -> io::Result<Option<Lock>> {
        let file = if shared {
            File::open(path)?
        } else {
            OpenOptions::new().write(true).create(true).truncate(false).open(path)?
        };
        match if shared { file.try_lock_shared() } else { file.try_lock() } {
            Ok(()) => Ok(Some(Box::new(file))),
            Err(TryLockError::WouldBlock) => Ok(None),
            Err(TryLockError::Error(e)) => Err(e),
        }
    }

    fn derived(&self, store: &Path) -> Option<PathBuf> {
        Some(store.join("derived"))
    }
}

impl StoredFile for File {
    fn length(&self) -> io::Result<u64> {
        Ok(self.metadata()?.len())
    }

    fn read_at(&self, mut buffer: &mut [u8], mut offset: u64) -> io::Result<usize> {
        let wanted = buffer.len();
        while !buffer.is_empty() {
            match FileExt::read_at(self, buffer, offset) {
                Ok(0) => break,
                Ok(n) => {
                    buffer = &mut buffer[n..];
                    offset += n as u64;
                }
                Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
                Err(e) => return Err(e),
            }
        }
        Ok(wanted - buffer.len())
    }

    fn write_at(&self, bytes: &[u8], offset: u64) -> io::Result<()> {
        self.write_all_at(bytes, offset)
    }

    fn set_len(&self, len: u64) -> io::Result<()> {
        File::set_len(self, len)
    }

    fn sync(&self) -> io::Result<()> {
        self.sync_data()
    }
}
