//! One `import --acks`, fed and killed.

use std::io::{BufRead, BufReader, Read, Write};
use std::path::Path;
use std::process::Stdio;
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::thread;
use std::time::{Duration, Instant};

use super::Binary;
use super::input::Input;

/// When a writer is killed.
#[derive(Debug, Clone, Copy)]
pub enum Moment {
    /// So long after its start.
    After(Duration),
    /// So long after so many acknowledgements.
    Acknowledged(u32, Duration),
    /// Not at all.
    Never,
}

/// How it gets its lines.
#[derive(Debug, Clone, Copy)]
pub enum Feed {
    /// The whole file.
    File,
    /// Through a pipe the lines `[from, to)`, so many at a time with a pause after each.
    Pipe { from: u64, to: u64, lines: u64, pause: Duration },
}

/// What became of it.
#[derive(Debug)]
pub struct Ended {
    /// The size that it acknowledged last.
    pub durable: Option<u64>,
    /// False if it came to its end before the kill.
    pub was_killed: bool,
    /// Whether it cut off a piece of a batch that the kill before had left.
    pub has_cut: bool,
}

/// A start that does not come to anything within this time hangs.
const LONGEST: Duration = Duration::from_secs(300);

/// Runs a writer. An error if it ends by itself and says that anything went wrong.
pub fn run(
    binary: &Binary,
    store: &Path,
    input: &Input,
    feed: Feed,
    moment: Moment,
    strict_tail: bool,
) -> Result<Ended, String> {
    let path = input.path.to_str().expect("it was shown when it was made");
    let mut args = vec!["import", "--acks", "--trust-recorded-at"];
    args.extend(strict_tail.then_some("--strict-tail"));
    args.push(if let Feed::File = feed { path } else { "-" });
    let fail = |e: std::io::Error| format!("stillthere import: {e}");
    let mut child = binary
        .command(&args, store)
        .stdin(if let Feed::File = feed { Stdio::null() } else { Stdio::piped() })
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .map_err(fail)?;
    let started = Instant::now();
    let (stdin, stdout) = (child.stdin.take(), child.stdout.take().expect("piped"));
    let (tell, told) = channel();
    thread::scope(|scope| {
        scope.spawn(move || acknowledgements(stdout, |size| _ = tell.send(size)));
        if let (Feed::Pipe { from, to, lines, pause }, Some(mut stdin)) = (feed, stdin) {
            scope.spawn(move || {
                // Until all is written or nobody reads any more.
                let mut at = from;
                while at < to && stdin.write_all(input.lines(at, to.min(at + lines))).is_ok() {
                    at += lines;
                    thread::sleep(pause);
                }
            });
        }
        let mut durable = None;
        let mut count = 0;
        let mut end = match moment {
            Moment::After(time) => started + time,
            _ => started + LONGEST,
        };
        loop {
            match told.recv_timeout(end.saturating_duration_since(Instant::now())) {
                Ok(size) => {
                    durable = Some(size);
                    count += 1;
                    if let Moment::Acknowledged(n, pause) = moment
                        && n == count
                    {
                        end = Instant::now() + pause;
                    }
                }
                Err(RecvTimeoutError::Timeout) => {
                    child.kill().map_err(fail)?;
                    break;
                }
                Err(RecvTimeoutError::Disconnected) => break,
            }
        }
        let mut said = String::new();
        let _ = child.stderr.take().expect("piped").read_to_string(&mut said);
        let status = child.wait().map_err(fail)?;
        // What it said before it died counts.
        durable = told.iter().last().or(durable);
        let has_cut = said.contains("were cut off");
        match status.code() {
            Some(0) => Ok(Ended { durable, was_killed: false, has_cut }),
            None if started.elapsed() < LONGEST => Ok(Ended { durable, was_killed: true, has_cut }),
            _ => Err(format!("stillthere {}: {status}\n{said}", args.join(" "))),
        }
    })
}

/// Tells each size that is acknowledged by a whole line.
fn acknowledgements(stdout: impl Read, mut tell: impl FnMut(u64)) {
    let mut stdout = BufReader::new(stdout);
    let mut line = String::new();
    while stdout.read_line(&mut line).is_ok_and(|n| n > 0) {
        let size = line.strip_prefix("{\"durable\": ").and_then(|rest| rest.strip_suffix("}\n"));
        if let Some(size) = size.and_then(|size| size.parse().ok()) {
            tell(size);
        }
        line.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_that_was_cut_short_acknowledges_nothing() {
        let said = b"{\"durable\": 5}\n{\"durable\": 17}\n{\"read\":20}\n{\"durable\": 1";
        let mut sizes = Vec::new();
        acknowledgements(&said[..], |size| sizes.push(size));
        assert_eq!(sizes, [5, 17]);
    }
}
