//! Files that a command writes: whole or not at all, and never over what it reads or into a store.

use std::fs::{self, File, OpenOptions};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use serde_json::json;

use crate::failure::Failure;
use crate::question::Question;
use crate::show::amount::{count, counted};
use crate::show::escape::escaped_path;
use crate::show::screen::Screen;

/// Where lines go: a file, or standard output.
pub enum Sink<'a> {
    File { file: Partial, screen: &'a mut Screen },
    Screen(&'a mut Screen),
}

impl<'a> Sink<'a> {
    pub fn open(
        output: Option<&Path>,
        question: &Question,
        screen: &'a mut Screen,
    ) -> Result<Sink<'a>, Failure> {
        let Some(path) = output.filter(|path| path.as_os_str() != "-") else {
            return Ok(Sink::Screen(screen));
        };
        refuse_in_store(path, &question.store)?;
        Ok(Sink::File { file: Partial::create(path)?, screen })
    }

    pub fn write(&mut self, bytes: &[u8]) -> Result<(), Failure> {
        match self {
            Sink::File { file, .. } => file.write(bytes),
            Sink::Screen(screen) => screen.bytes(bytes),
        }
    }

    /// Ends it; of a file it says how much is in it.
    pub fn end(self, of: &Thing, written: u64, question: &Question) -> Result<(), Failure> {
        let Sink::File { file, screen } = self else { return Ok(()) };
        let name = file.end()?;
        if question.json {
            return screen.json(&json!({ of.key: written, "output": name }));
        }
        let text = question.pick(
            format!("{} written to {name}.", counted(written, of.one)),
            format!("已写入 {name}：{} {}。", count(written), of.zh),
        );
        screen.line(text)
    }
}

/// What lines or rows are of, where they are counted.
pub struct Thing {
    /// The field of JSON.
    pub key: &'static str,
    pub one: &'static str,
    /// With its measure word.
    pub zh: &'static str,
}

impl Thing {
    pub const EVENTS: Thing = Thing { key: "events", one: "event", zh: "条事件" };
}

/// A file that gets its name when it is whole: until then what had the name keeps it, and then gives it
/// its permissions. A pipe or a device is written as it is. One that is dropped leaves nothing; a kill
/// leaves `NAME.PROCESS.partial`.
pub struct Partial {
    path: PathBuf,
    /// Where it is written until then.
    partial: Option<PathBuf>,
    file: Option<BufWriter<File>>,
}

impl Partial {
    pub fn create(path: &Path) -> Result<Partial, Failure> {
        let in_place = fs::metadata(path).is_ok_and(|metadata| !metadata.is_file());
        // Behind a link the file that it names is replaced, not the link.
        let path = fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
        let partial = (!in_place).then(|| {
            let mut name = path.as_os_str().to_owned();
            name.push(format!(".{}.partial", std::process::id()));
            PathBuf::from(name)
        });
        let file = match &partial {
            Some(partial) => OpenOptions::new().write(true).create_new(true).open(partial),
            None => OpenOptions::new().write(true).open(&path),
        };
        let file = file.and_then(|file| match fs::metadata(&path) {
            Ok(before) if partial.is_some() => {
                file.set_permissions(before.permissions()).map(|()| file)
            }
            _ => Ok(file),
        });
        let file = file.map_err(|e| Failure::file(&path, "write it", &e))?;
        let file = Some(BufWriter::with_capacity(1 << 16, file));
        Ok(Partial { path, partial, file })
    }

    pub fn write(&mut self, bytes: &[u8]) -> Result<(), Failure> {
        let written = self.file.as_mut().expect("until the end").write_all(bytes);
        written.map_err(|error| self.failed(&error))
    }

    /// Gives it its name, which is returned.
    pub fn end(mut self) -> Result<String, Failure> {
        let mut file = self.file.take().expect("ended once");
        let ended = file.flush().and_then(|()| match &self.partial {
            Some(partial) => fs::rename(partial, &self.path),
            None => Ok(()),
        });
        ended.map_err(|error| self.failed(&error))?;
        self.partial = None;
        Ok(escaped_path(&self.path))
    }

    fn failed(&self, error: &io::Error) -> Failure {
        Failure::file(&self.path, "write it", error)
    }
}

impl Drop for Partial {
    fn drop(&mut self) {
        if let Some(partial) = &self.partial {
            let _ = fs::remove_file(partial);
        }
    }
}

/// Refuses to write a file into the store's folder, where it would be taken for the store's own.
pub fn refuse_in_store(path: &Path, store: &Path) -> Result<(), Failure> {
    let folder = match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    };
    // The folder that it would be made in, and where it leads if it is a link.
    let places = [fs::canonicalize(folder), fs::canonicalize(path)];
    if let Ok(store) = fs::canonicalize(store)
        && places.iter().flatten().any(|place| place.starts_with(&store))
    {
        let path = escaped_path(path);
        return Err(Failure::Usage(format!(
            "{path}: lies in the store's folder; name a file elsewhere"
        )));
    }
    Ok(())
}

/// Refuses to write over what is read: by another name, through a link, or from standard input.
pub fn refuse_inputs(path: &Path, inputs: &[PathBuf], option: &str) -> Result<(), Failure> {
    let is_file = fs::metadata(path).is_ok_and(|metadata| metadata.is_file());
    let same = |input: &PathBuf| {
        let input = match input.as_os_str() == "-" {
            true => same_file::Handle::stdin(),
            false => same_file::Handle::from_path(input),
        };
        input.is_ok_and(|input| same_file::Handle::from_path(path).is_ok_and(|path| path == input))
    };
    if is_file && inputs.iter().any(same) {
        let path = escaped_path(path);
        return Err(Failure::Usage(format!(
            "{path}: is being read; name another file for {option}"
        )));
    }
    Ok(())
}
