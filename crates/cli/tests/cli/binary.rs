//! Runs the binary in a folder of its own.

use std::ffi::OsStr;
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use serde_json::Value;
use tempfile::TempDir;

/// Every answer is asked for as of then, unless a test says otherwise.
pub const AS_OF: &str = "2025-10-01T00:00:00Z";

/// A folder to run in.
pub struct Folder {
    dir: TempDir,
}

/// What a run came to.
#[derive(Debug)]
pub struct Ran {
    pub code: Option<i32>,
    pub out: String,
    pub err: String,
}

impl Folder {
    /// With the files of `tests/cli/data` in it.
    pub fn new() -> Folder {
        let dir = tempfile::tempdir().expect("a temporary folder");
        for entry in fs::read_dir(data()).expect("the tests' data") {
            let entry = entry.expect("a file");
            fs::copy(entry.path(), dir.path().join(entry.file_name())).expect("copied");
        }
        Folder { dir }
    }

    /// And a store with the household's events.
    pub fn with_household() -> Folder {
        let folder = Folder::new();
        folder.run(&["import", "--trust-recorded-at", "household.ndjson"]).expect(0);
        folder
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    pub fn write(&self, name: &str, bytes: impl AsRef<[u8]>) {
        fs::write(self.path(name), bytes).expect("a file is written");
    }

    pub fn read(&self, name: &str) -> Vec<u8> {
        fs::read(self.path(name)).expect("a file is read")
    }

    /// Everything in the folder, by name, with its bytes.
    pub fn files(&self) -> Vec<(PathBuf, Vec<u8>)> {
        let mut files = Vec::new();
        let mut folders = vec![self.dir.path().to_owned()];
        while let Some(folder) = folders.pop() {
            for entry in fs::read_dir(folder).expect("a folder") {
                let path = entry.expect("an entry").path();
                if path.is_dir() {
                    folders.push(path);
                } else {
                    files.push((path.clone(), fs::read(&path).expect("a file")));
                }
            }
        }
        files.sort();
        files
    }

    pub fn command(&self, args: &[impl AsRef<OsStr>]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_stillthere"));
        command.current_dir(self.dir.path()).args(args);
        for name in
            ["STILLTHERE_STORE", "COLUMNS", "NO_COLOR", "CLICOLOR", "CLICOLOR_FORCE", "LANG"]
        {
            command.env_remove(name);
        }
        command
    }

    pub fn run(&self, args: &[impl AsRef<OsStr>]) -> Ran {
        self.command(args).stdin(Stdio::null()).output().expect("the binary runs").into()
    }

    /// With bytes on standard input.
    pub fn run_with(&self, args: &[&str], input: &[u8]) -> Ran {
        let mut command = self.command(args);
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().expect("the binary runs");
        let mut stdin = child.stdin.take().expect("piped");
        std::thread::scope(|scope| {
            // It may end before it has read all.
            scope.spawn(move || stdin.write_all(input).is_ok());
            child.wait_with_output().expect("the binary ends").into()
        })
    }

    /// With `--as-of` and `--json`; the lines of standard output.
    pub fn ask(&self, args: &[&str]) -> Vec<Value> {
        let asked = ["--json", "--as-of", AS_OF];
        let args: Vec<&str> = asked.into_iter().chain(args.iter().copied()).collect();
        self.run(&args).expect(0).json()
    }
}

impl From<Output> for Ran {
    fn from(output: Output) -> Ran {
        Ran {
            code: output.status.code(),
            out: String::from_utf8(output.stdout).expect("standard output is UTF-8"),
            err: String::from_utf8(output.stderr).expect("standard error is UTF-8"),
        }
    }
}

impl Ran {
    /// Holds the exit code, and says what was printed if it is another.
    #[track_caller]
    pub fn expect(self, code: i32) -> Ran {
        assert_eq!(self.code, Some(code), "{self:#?}");
        assert!(!self.err.contains("panicked"), "{self:#?}");
        self
    }

    #[track_caller]
    pub fn says(self, part: &str) -> Ran {
        assert!(self.err.contains(part), "not said: {part}\n{self:#?}");
        self
    }

    pub fn json(&self) -> Vec<Value> {
        let line = |line| serde_json::from_str(line).unwrap_or_else(|e| panic!("{e}: {line}"));
        self.out.lines().map(line).collect()
    }

    /// The last line of standard output.
    pub fn object(&self) -> Value {
        self.json().pop().expect("an object")
    }
}

pub fn data() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cli/data")
}

/// The repository.
pub fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// A file under `fixtures/`.
pub fn fixture(name: &str) -> PathBuf {
    root().join("fixtures").join(name)
}
