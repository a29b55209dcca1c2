//! The others: programs under `benches/peers`, which travel in the binary, so that what was measured is
//! what this version ships. `cargo xtask peers` installs what they stand on.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde_json::{Value, json};

use super::measure::Sample;
use super::place::Place;
use crate::failure::Failure;
use crate::show::escape::escaped_path;

/// The policy by which every account's line is told: one that SQL can follow.
pub const PLAIN_POLICY: &str = include_str!("../../../../../benches/peers/plain.toml");

/// The files that the peers are made of, under their names there.
macro_rules! files {
    ($($name:literal),+ $(,)?) => {
        [$(($name, include_str!(concat!("../../../../../benches/peers/", $name)))),+]
    };
}

const FILES: [(&str, &str); 13] = files![
    "peer.py",
    "duckdb/run.py",
    "duckdb/import.sql",
    "duckdb/import-unique.sql",
    "duckdb/accounts.sql",
    "polars/run.py",
    "polars/accounts.py",
    "sqlite/run.py",
    "sqlite/schema.sql",
    "sqlite/account.sql",
    "sqlite/accounts.sql",
    "replay/run.py",
    "plain.toml",
];

/// Names of the programs' folders, and what people call what they measure.
const PROGRAMS: [(&str, &str); 4] =
    [("duckdb", "DuckDB"), ("polars", "Polars"), ("sqlite", "SQLite"), ("replay", "Python")];

/// The program that appends to key-value stores, and which it knows.
const STORES: &str = "stores";
const STORE_NAMES: [&str; 3] = ["redb", "fjall", "sled"];

/// The program that hashes files.
pub const B3SUM: &str = "b3sum";

/// The program that knows the Go project's transparency log, and its word.
const GO_PROGRAM: &str = "tlog-go";
pub const GO: &str = "go";

const SET_UP: &str = "`cargo xtask peers` installs it";

/// Which peers are asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Wanted {
    /// Those of `target/peers` here or above, else those that the system's Python has.
    Auto,
    None,
    /// Those of this folder, which `cargo xtask peers` made.
    In(PathBuf),
}

impl Wanted {
    pub fn read(text: &str) -> Wanted {
        match text {
            "auto" => Wanted::Auto,
            "none" => Wanted::None,
            dir => Wanted::In(dir.into()),
        }
    }
}

/// The peers that can run.
pub struct Peers {
    /// Where the programs lie, and where they work.
    programs: PathBuf,
    place: PathBuf,
    python: PathBuf,
    /// The program for key-value stores.
    stores: Option<PathBuf>,
    /// That of the Go project's transparency log.
    tlog: Option<PathBuf>,
    b3sum: PathBuf,
    found: Vec<Peer>,
    missing: Vec<String>,
}

struct Peer {
    /// Of its folder, or the word by which its program knows it.
    name: &'static str,
    title: &'static str,
    version: String,
}

impl Peers {
    /// Looks which there are, and lays their programs out in `place`.
    pub fn find(wanted: &Wanted, place: &Place) -> Result<Peers, Failure> {
        let mut peers = Peers {
            programs: place.path("peers"),
            place: place.dir().to_owned(),
            python: PathBuf::from("python3"),
            stores: None,
            tlog: None,
            b3sum: PathBuf::from(B3SUM),
            found: Vec::new(),
            missing: Vec::new(),
        };
        let folder = match wanted {
            Wanted::None => return Ok(peers),
            Wanted::Auto => beside(),
            Wanted::In(dir) if dir.join("bin/python").exists() => Some(dir.clone()),
            Wanted::In(dir) => {
                let dir = escaped_path(dir);
                return Err(Failure::Usage(format!(
                    "{dir}: has no bin/python; `cargo xtask peers` makes such a folder, target/peers"
                )));
            }
        };
        if let Some(folder) = folder {
            peers.python = folder.join("bin/python");
            let program = |name| Some(folder.join("bin").join(name)).filter(|path| path.exists());
            peers.stores = program(STORES);
            peers.tlog = program(GO_PROGRAM);
            peers.b3sum = program(B3SUM).unwrap_or(peers.b3sum);
        }
        peers
            .lay_out()
            .map_err(|e| Failure::file(&peers.programs, "write the peers' programs", &e))?;
        for (name, title) in PROGRAMS {
            peers.look(name, title, peers.python(name));
        }
        match peers.stores.clone() {
            Some(program) => {
                for name in STORE_NAMES {
                    peers.look(name, name, store_command(&program, name));
                }
            }
            None => peers.missing.push(format!("{}: {SET_UP}", STORE_NAMES.join(", "))),
        }
        match peers.tlog.clone() {
            Some(program) => peers.look(GO, "Go", Command::new(program)),
            None => peers.missing.push(format!("{GO_PROGRAM}: {SET_UP}")),
        }
        match peers.b3sum_version() {
            Some(version) => peers.found.push(Peer { name: B3SUM, title: B3SUM, version }),
            None => peers.missing.push(format!("{B3SUM}: {SET_UP}")),
        }
        Ok(peers)
    }

    /// The program that hashes files, which wants their names.
    pub fn b3sum(&self) -> Command {
        Command::new(&self.b3sum)
    }

    fn b3sum_version(&self) -> Option<String> {
        let output = self.b3sum().arg("--version").stdin(Stdio::null()).output().ok()?;
        let said = String::from_utf8(output.stdout).ok()?;
        Some(said.trim().strip_prefix(B3SUM)?.trim().to_owned())
    }

    /// Asks a program for its version.
    fn look(&mut self, name: &'static str, title: &'static str, command: Command) {
        match self.ask(command, "version", &[]) {
            Ok(answer) => {
                let version = answer["version"].as_str().unwrap_or("?").to_owned();
                self.found.push(Peer { name, title, version });
            }
            Err(reason) => self.missing.push(format!("{title}: {reason}; {SET_UP}")),
        }
    }

    fn lay_out(&self) -> std::io::Result<()> {
        for (name, text) in FILES {
            let path = self.programs.join(name);
            fs::create_dir_all(path.parent().expect("in a folder"))?;
            fs::write(path, text)?;
        }
        Ok(())
    }

    /// Who is not there, and what would bring it.
    pub fn missing(&self) -> &[String] {
        &self.missing
    }

    pub fn has(&self, name: &str) -> bool {
        self.found.iter().any(|peer| peer.name == name)
    }

    /// From here on it is not there.
    pub fn leave_out(&mut self, name: &str, reason: &str) {
        self.found.retain(|peer| peer.name != name);
        self.missing.push(format!("{name}: {reason}"));
    }

    /// Does one step of a peer; it is in the place's folder then.
    pub fn step(&self, name: &str, step: &str, arguments: &[&str]) -> Result<Sample, Failure> {
        Ok(self.step_with_answer(name, step, arguments)?.0)
    }

    /// The same, and what it came to, if it says that.
    pub fn step_with_answer(
        &self,
        name: &str,
        step: &str,
        arguments: &[&str],
    ) -> Result<(Sample, String), Failure> {
        let command = match (&self.stores, &self.tlog) {
            (Some(program), _) if STORE_NAMES.contains(&name) => store_command(program, name),
            (_, Some(program)) if name == GO => Command::new(program),
            _ => self.python(name),
        };
        let answer = self.ask(command, step, arguments).map_err(Failure::Usage)?;
        let said = answer["answer"].as_str().unwrap_or_default().to_owned();
        let seconds = answer["seconds"].as_f64();
        let amount = seconds.ok_or_else(|| Failure::Usage(format!("{step} says no seconds")))?;
        let peak_bytes = answer["peak_bytes"].as_u64();
        Ok((Sample { peak_bytes, ..Sample::new(amount) }, said))
    }

    /// The command of a program in Python, which wants its step.
    fn python(&self, name: &str) -> Command {
        let mut command = Command::new(&self.python);
        command.env("PYTHONDONTWRITEBYTECODE", "1");
        command.arg(self.programs.join(name).join("run.py"));
        command
    }

    /// The line of JSON that a program prints, or the last line of what it complains of.
    fn ask(&self, mut command: Command, step: &str, arguments: &[&str]) -> Result<Value, String> {
        command.arg(step).arg(&self.place).args(arguments).stdin(Stdio::null());
        let output = command.output().map_err(|e| {
            format!("{} cannot be run: {e}", command.get_program().to_string_lossy())
        })?;
        if !output.status.success() {
            let said = String::from_utf8_lossy(&output.stderr);
            let last = said.lines().rev().find(|line| !line.trim().is_empty());
            return Err(last.map_or_else(|| output.status.to_string(), str::to_owned));
        }
        serde_json::from_slice(&output.stdout).map_err(|e| format!("answers no JSON: {e}"))
    }

    pub fn json(&self) -> Value {
        let found = self.found.iter().map(|peer| (peer.title.to_lowercase(), json!(peer.version)));
        json!({
            "versions": found.collect::<serde_json::Map<_, _>>(),
            "missing": self.missing,
        })
    }

    /// In a line.
    pub fn said(&self) -> String {
        let found = self.found.iter().map(|peer| format!("{} {}", peer.title, peer.version));
        found.collect::<Vec<_>>().join(", ")
    }
}

/// The command of the program for key-value stores, which wants its step.
fn store_command(program: &Path, name: &str) -> Command {
    let mut command = Command::new(program);
    command.arg(name);
    command
}

/// `target/peers` in this folder or above it, or above the program.
fn beside() -> Option<PathBuf> {
    let here = std::env::current_dir().ok();
    let program = std::env::current_exe().ok();
    let above = |path: &Path| {
        let folders = path.ancestors().map(|folder| folder.join("target/peers"));
        folders.into_iter().find(|folder| folder.join("bin/python").exists())
    };
    [here, program].iter().flatten().find_map(|path| above(path))
}
