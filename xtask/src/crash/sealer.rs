//! One `checkpoint`, killed or not, and the checkpoints that such runs printed.

use std::fs;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::thread;
use std::time::{Duration, Instant};

use super::Binary;

/// What became of it.
#[derive(Debug, PartialEq, Eq)]
pub enum Ended {
    /// It came to its end before the kill.
    Done,
    /// It was killed, and had printed nothing.
    Killed,
}

/// A run that takes longer hangs.
pub const LONGEST: Duration = Duration::from_secs(300);

/// What was handed out of a store, each in a file.
pub struct Handed {
    folder: PathBuf,
    pub files: Vec<PathBuf>,
    /// How long the last run took that came to its end.
    whole: Duration,
}

impl Handed {
    /// Of a new store.
    pub fn new(folder: PathBuf) -> Result<Handed, String> {
        let fail = |e: std::io::Error| format!("{}: {e}", folder.display());
        if folder.exists() {
            fs::remove_dir_all(&folder).map_err(fail)?;
        }
        fs::create_dir(&folder).map_err(fail)?;
        Ok(Handed { folder, files: Vec::new(), whole: Duration::from_millis(20) })
    }

    /// A moment at which to kill one: as a rule before it comes to its end.
    pub fn moment(&self, random: &mut fastrand::Rng) -> Duration {
        let most = u64::try_from(self.whole.as_micros()).expect("a few minutes");
        Duration::from_micros(random.u64(..most))
    }

    /// Runs a `checkpoint`, and kills it so long after its start. An error if it ends by itself and says that
    /// anything went wrong.
    pub fn run(
        &mut self,
        binary: &Binary,
        store: &Path,
        moment: Duration,
    ) -> Result<Ended, String> {
        let fail = |e: std::io::Error| format!("stillthere checkpoint: {e}");
        let started = Instant::now();
        let mut child = binary
            .command(&["checkpoint"], store)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .map_err(fail)?;
        let status = loop {
            match child.try_wait().map_err(fail)? {
                Some(status) => break Some(status),
                None if started.elapsed() >= moment => break None,
                None => thread::sleep(Duration::from_micros(500)),
            }
        };
        if status.is_none() {
            child.kill().map_err(fail)?;
        }
        let (mut printed, mut said) = (Vec::new(), String::new());
        let _ = child.stdout.take().expect("piped").read_to_end(&mut printed);
        let _ = child.stderr.take().expect("piped").read_to_string(&mut said);
        let status = child.wait().map_err(fail)?;
        match status.code() {
            Some(0) => self.whole = started.elapsed(),
            None if started.elapsed() < LONGEST => {}
            _ => return Err(format!("stillthere checkpoint: {status}\n{said}")),
        }
        if is_whole(&printed) {
            let file = self.folder.join(format!("{}.checkpoint", self.files.len()));
            fs::write(&file, &printed).map_err(|e| format!("{}: {e}", file.display()))?;
            self.files.push(file);
        }
        Ok(if status.success() { Ended::Done } else { Ended::Killed })
    }
}

/// Whether a note was printed to the end of a signature.
fn is_whole(printed: &[u8]) -> bool {
    let text = String::from_utf8_lossy(printed);
    text.split_once("\n\n").is_some_and(|(_, lines)| !lines.is_empty() && lines.ends_with('\n'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_note_that_was_cut_short_was_not_handed_out() {
        let note = "example.com/log\n3\nroot\n\n— example.com/log AAAA\n";
        for end in 0..note.len() {
            assert!(!is_whole(&note.as_bytes()[..end]), "{end}");
        }
        assert!(is_whole(note.as_bytes()));
    }
}
