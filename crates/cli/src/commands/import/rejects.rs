//! The file of what was rejected.

use std::fs::{File, OpenOptions};
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};

use crate::failure::Failure;
use crate::output::{refuse_in_store, refuse_inputs};
use crate::show::escape::escaped_path;

/// The file of rejected lines.
pub struct Rejects {
    name: String,
    file: BufWriter<File>,
    /// What stands before the records of the input, until one of them is written.
    head: Option<Vec<u8>>,
    /// The last head that was written.
    written_head: Vec<u8>,
}

impl Rejects {
    /// Opens it, and leaves what is in it.
    pub fn open(path: &Path, inputs: &[PathBuf], store: &Path) -> Result<Rejects, Failure> {
        refuse_inputs(path, inputs, "--rejects")?;
        refuse_in_store(path, store)?;
        let file = OpenOptions::new().write(true).create(true).truncate(false).open(path);
        let file = file.map_err(|error| Failure::file(path, "write the rejected lines", &error))?;
        let (head, written_head) = (None, Vec::new());
        Ok(Rejects { name: escaped_path(path), file: BufWriter::new(file), head, written_head })
    }

    /// To write behind what is in it.
    pub fn append(path: &Path, store: &Path) -> Result<Rejects, Failure> {
        refuse_in_store(path, store)?;
        let file = OpenOptions::new().append(true).create(true).open(path);
        let file = file.map_err(|error| Failure::file(path, "write the rejected lines", &error))?;
        let (head, written_head) = (None, Vec::new());
        Ok(Rejects { name: escaped_path(path), file: BufWriter::new(file), head, written_head })
    }

    /// Takes out what is in it.
    pub fn empty(&self) -> Result<(), Failure> {
        let file = self.file.get_ref();
        // A pipe or a device has no length to set.
        match file.metadata() {
            Ok(metadata) if metadata.is_file() => file.set_len(0).map_err(|e| self.failed(&e)),
            _ => Ok(()),
        }
    }

    /// The records that follow are read behind this.
    pub fn head(&mut self, head: Vec<u8>) {
        self.head = Some(head).filter(|head| *head != self.written_head);
    }

    pub fn write(&mut self, bytes: &[u8]) -> Result<(), Failure> {
        if let Some(head) = self.head.take() {
            self.file.write_all(&head).map_err(|error| self.failed(&error))?;
            self.written_head = head;
        }
        self.file.write_all(bytes).map_err(|error| self.failed(&error))
    }

    pub fn flush(&mut self) -> Result<(), Failure> {
        self.file.flush().map_err(|error| self.failed(&error))
    }

    fn failed(&self, error: &std::io::Error) -> Failure {
        Failure::file(Path::new(&self.name), "write the rejected lines", error)
    }
}
