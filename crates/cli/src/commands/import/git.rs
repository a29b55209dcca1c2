//! Repositories, by the `git` that is installed: what it prints of their history is an input.

use std::io::{self, BufRead, BufReader, Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, Stdio};

use sources::Sizes;

use crate::failure::Failure;
use crate::input::Input;
use crate::show::escape::escaped_path;

/// Of what git says against a repository, so much is passed on.
const SAID_BYTES: u64 = 1 << 10;

/// Opens all: a folder is a repository, anything else what `git log` printed.
pub fn open_all(paths: &[PathBuf]) -> Result<Vec<Input>, Failure> {
    let (folders, files): (Vec<&PathBuf>, Vec<&PathBuf>) =
        paths.iter().partition(|path| path.is_dir());
    let files: Vec<PathBuf> = files.into_iter().cloned().collect();
    let mut inputs = crate::input::open_all(&files)?;
    for folder in folders {
        inputs.push(open(folder)?);
    }
    // In the order in which they were named.
    let place = |input: &Input| paths.iter().position(|path| escaped_path(path) == input.name);
    inputs.sort_by_key(place);
    Ok(inputs)
}

fn open(folder: &Path) -> Result<Input, Failure> {
    let fail = |error: io::Error| Failure::file(folder, "read its history with git", &error);
    let mut log = command(folder);
    log.args(["-c", "core.quotePath=false", "log", "--reverse", "--topo-order", "--raw"]);
    log.args(["--no-abbrev", "--no-renames", "--no-diff-merges", "--no-ext-diff", "--no-color"]);
    log.args(["--no-show-signature", "--no-notes", "--no-mailmap", "--no-decorate"]);
    // Other orders would number the changes otherwise.
    log.args(["-O/dev/null", "--root", "--full-history"]);
    // The lines of the form `fuller`, without the message.
    log.arg("--format=commit %H%nAuthor: %an <%ae>%nAuthorDate: %aI%nCommitDate: %cI");
    log.args(["HEAD", "--"]);
    let mut child = log.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().map_err(fail)?;
    let text = child.stdout.take().expect("piped");
    let mut input = Input::of(escaped_path(folder), Output { text, child }, None).map_err(fail)?;
    input.sizes = Some(sizes(folder).map_err(fail)?);
    Ok(input)
}

/// git on a repository, which decides nothing by the environment.
fn command(folder: &Path) -> Command {
    let mut command = Command::new("git");
    for name in ["GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_CONFIG", "GIT_NAMESPACE"] {
        command.env_remove(name);
    }
    command.env("LC_ALL", "C").env("GIT_OPTIONAL_LOCKS", "0");
    command.arg("--no-pager").arg("--no-replace-objects").arg("-C").arg(folder);
    command.stdin(Stdio::null());
    command
}

/// What a process prints; at its end, whether it came to it well.
struct Output {
    text: ChildStdout,
    child: Child,
}

impl Read for Output {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        let read = self.text.read(out)?;
        if read > 0 || out.is_empty() {
            return Ok(read);
        }
        let mut said = String::new();
        if let Some(stderr) = self.child.stderr.take() {
            let _ = stderr.take(SAID_BYTES).read_to_string(&mut said);
        }
        let status = self.child.wait()?;
        if status.success() {
            return Ok(0);
        }
        let said = said.lines().next().unwrap_or("git failed");
        Err(io::Error::other(said.trim_start_matches("fatal: ").to_owned()))
    }
}

impl Drop for Output {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Nobody knows how large anything is.
pub fn no_sizes() -> Sizes {
    Box::new(|_| None)
}

/// Asks a second git for the sizes of contents.
fn sizes(folder: &Path) -> io::Result<Sizes> {
    let mut cat = command(folder);
    cat.args(["cat-file", "--batch-check=%(objectsize)"]);
    let mut child =
        cat.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null()).spawn()?;
    let mut asked = child.stdin.take().expect("piped");
    let mut answers = BufReader::new(child.stdout.take().expect("piped"));
    let mut child = Ended(child);
    Ok(Box::new(move |blob| {
        let _ = &mut child;
        let mut answer = String::new();
        asked.write_all(format!("{blob}\n").as_bytes()).ok()?;
        answers.read_line(&mut answer).ok()?;
        // `HASH missing` is no number.
        answer.trim_end().parse().ok()
    }))
}

/// A process that ends with whoever asked for it.
struct Ended(Child);

impl Drop for Ended {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}
