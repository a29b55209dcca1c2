//! This very program, as the bench runs it: a process from start to exit, on a store of the bench.

use std::fs::File;
use std::process::{Command, Stdio};
use std::time::Duration;

use super::measure::Sample;
use super::place::{Place, Subject};
use super::process;
use crate::failure::Failure;

/// All that is generated has happened by then; the peers know it too.
pub const AS_OF: &str = "2026-01-01T00:00:00Z";

/// How often a process is asked for its memory: seldom enough not to slow it, or often enough to see the
/// most of one that ends soon.
pub const SELDOM: Duration = Duration::from_millis(10);
const OFTEN: Duration = Duration::from_micros(200);

/// The program, on a store.
#[derive(Clone, Copy)]
pub struct Ours<'a> {
    place: &'a Place,
    subject: Subject,
    /// The number of the one core that it may use.
    core: Option<&'a str>,
    watch: Duration,
}

impl<'a> Ours<'a> {
    pub fn of(place: &'a Place, subject: Subject) -> Ours<'a> {
        Ours { place, subject, core: None, watch: SELDOM }
    }

    pub fn on_core(self, core: &'a str) -> Ours<'a> {
        Ours { core: Some(core), ..self }
    }

    /// Where its memory is what is measured, and its time is not.
    pub fn watched(self) -> Ours<'a> {
        Ours { watch: OFTEN, ..self }
    }

    /// A command on the store, its answer written to the place's `lines.ndjson`.
    pub fn ask(&self, verb: &[&str]) -> Result<Sample, Failure> {
        let out = self.place.lines();
        let file = File::create(&out).map_err(|e| Failure::file(&out, "write it", &e))?;
        let mut command = self.command(verb)?;
        command.args(["--as-of", AS_OF]).stdin(Stdio::null()).stdout(file);
        process::run(&mut command, &format!("stillthere {}", verb.join(" ")), self.watch)
    }

    /// The events into a store that is new.
    pub fn import(&self) -> Result<Sample, Failure> {
        self.place.clear(self.subject.store)?;
        self.import_again()
    }

    /// The events into the store that is there.
    pub fn import_again(&self) -> Result<Sample, Failure> {
        self.ask(&["import", self.subject.events])
    }

    pub fn command(&self, verb: &[&str]) -> Result<Command, Failure> {
        let program = std::env::current_exe()
            .map_err(|e| Failure::Usage(format!("bench: cannot find its own program: {e}")))?;
        let mut command = match self.core {
            None => Command::new(program),
            Some(core) => {
                let mut command = Command::new(TASKSET);
                command.args(["-c", core]).arg(program);
                command
            }
        };
        command.current_dir(self.place.dir()).args(verb).arg("--json");
        command.arg("--store").arg(self.place.path(self.subject.store));
        command.arg("--policy").arg(self.place.policy());
        Ok(command)
    }
}

const TASKSET: &str = "taskset";

/// The number of a core on which a process can be kept, or why there is none.
pub fn one_core() -> Result<String, &'static str> {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let allowed = status.lines().find_map(|line| line.strip_prefix("Cpus_allowed_list:"));
    let first = allowed.and_then(|list| list.trim().split([',', '-']).next());
    let first = first.ok_or("the system does not say which there are")?;
    let mut taskset = Command::new(TASKSET);
    taskset.args(["-c", first, TASKSET, "--version"]);
    match taskset.stdin(Stdio::null()).output() {
        Ok(output) if output.status.success() => Ok(first.to_owned()),
        _ => Err("`taskset` keeps a process on it; Debian's package util-linux brings it"),
    }
}
