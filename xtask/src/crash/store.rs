//! A store under kills, and what was promised of it.

use std::fs;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::Binary;
use super::check::{Held, hold};
use super::input::Input;
use super::sealer::{self, Handed};
use super::writer::{self, Feed, Moment};

/// A store, and what it must hold.
pub struct Store<'a> {
    binary: &'a Binary,
    path: PathBuf,
    input: &'a Input,
    /// How many events it said are durable.
    pub acknowledged: u64,
    /// How many of these are not there.
    pub lost: u64,
    /// How many pieces of batches its writers cut off.
    pub cut: u64,
    /// How many writers were killed while they still looked at what a kill had left.
    pub in_recovery: u64,
    /// How many of its kills were in the middle of a `checkpoint`.
    pub in_seal: u64,
    /// The checkpoints that it handed out.
    pub handed: Handed,
    /// Whether the last writer was killed.
    was_killed: bool,
}

impl<'a> Store<'a> {
    /// A new one.
    pub fn new(binary: &'a Binary, dir: &Path, input: &'a Input) -> Result<Store<'a>, String> {
        let path = dir.join("store");
        if path.exists() {
            fs::remove_dir_all(&path).map_err(|e| format!("{}: {e}", path.display()))?;
        }
        binary.answer(&["key", "new"], &path)?;
        Ok(Store {
            binary,
            path,
            input,
            acknowledged: 0,
            lost: 0,
            cut: 0,
            in_recovery: 0,
            in_seal: 0,
            handed: Handed::new(dir.join("handed"))?,
            was_killed: false,
        })
    }

    /// Whether all that there is was acknowledged.
    pub fn is_whole(&self) -> bool {
        self.acknowledged == self.input.len()
    }

    /// Starts a `checkpoint`, now and then, and kills it; else a writer. False if nothing was killed.
    pub fn kill(&mut self, random: &mut fastrand::Rng) -> Result<bool, String> {
        // Of a log that has something to seal.
        if self.acknowledged > 0 && random.u8(..3) == 0 {
            // Of some it matters what comes after them.
            let moment = match random.u8(..3) {
                0 => sealer::LONGEST,
                _ => self.handed.moment(random),
            };
            let ended = self.handed.run(self.binary, &self.path, moment)?;
            self.was_killed = ended == sealer::Ended::Killed;
            if self.was_killed {
                self.in_seal += 1;
                if random.u8(..4) == 0 {
                    self.tear(random).map_err(|e| format!("{}: {e}", self.path.display()))?;
                }
                return Ok(true);
            }
        }
        self.kill_writer(random)
    }

    fn kill_writer(&mut self, random: &mut fastrand::Rng) -> Result<bool, String> {
        let micros = |random: &mut fastrand::Rng, most| Duration::from_micros(random.u64(..most));
        let is_first = self.was_killed && random.u8(..3) == 0;
        let moment = match random.u8(..2) {
            _ if is_first => Moment::After(micros(random, 20_000)),
            0 => Moment::After(micros(random, 300_000)),
            _ => Moment::Acknowledged(random.u32(1..20), micros(random, 5_000)),
        };
        let feed = match random.u8(..2) {
            0 => Feed::File,
            _ => Feed::Pipe {
                from: self.acknowledged.saturating_sub(random.u64(..200)),
                to: self.input.len(),
                lines: random.u64(1..100),
                pause: micros(random, 2_000),
            },
        };
        let ended = self.write(feed, moment, random.u8(..4) == 0)?;
        if ended.was_killed {
            self.in_recovery += u64::from(is_first && ended.durable.is_none());
            if random.u8(..4) == 0 {
                self.tear(random).map_err(|e| format!("{}: {e}", self.path.display()))?;
            }
        }
        Ok(ended.was_killed)
    }

    /// Puts bytes behind the log's end, over its room, as a torn write leaves them, which a kill seldom
    /// does: so writers have something to recover, and are killed at it.
    fn tear(&self, random: &mut fastrand::Rng) -> std::io::Result<()> {
        let log = self.path.join("log");
        let Ok(head) = fs::read(log.join("HEAD")) else { return Ok(()) };
        let is_open = [12, 512 + 12].iter().all(|at| head.get(*at..at + 4) == Some(b"open"));
        let number = |slot: &[u8], at| u64::from_le_bytes(slot[at..at + 8].try_into().expect("8"));
        let now = head.chunks_exact(512).max_by_key(|slot| number(slot, 32));
        let (true, Some(now)) = (is_open, now) else { return Ok(()) };
        let (segment, offset) = (number(now, 40), number(now, 48));
        if log.join(format!("{:012}.seg", segment + 1)).exists() {
            return Ok(());
        }
        let most = 1 << random.u8(1..17);
        let len = random.usize(1..most);
        let torn: Vec<u8> = std::iter::repeat_with(|| random.u8(..)).take(len).collect();
        let last = log.join(format!("{segment:012}.seg"));
        fs::OpenOptions::new().write(true).open(last)?.write_all_at(&torn, offset)
    }

    fn write(
        &mut self,
        feed: Feed,
        moment: Moment,
        strict_tail: bool,
    ) -> Result<writer::Ended, String> {
        let ended = writer::run(self.binary, &self.path, self.input, feed, moment, strict_tail)?;
        self.acknowledged = self.acknowledged.max(ended.durable.unwrap_or(0));
        self.was_killed = ended.was_killed;
        self.cut += u64::from(ended.has_cut);
        Ok(ended)
    }

    /// Exports what is there: all that was acknowledged, in order, once, and then nothing but what
    /// comes next.
    pub fn check(&mut self) -> Result<(), String> {
        // Nothing was promised of a store that was not yet made.
        if self.acknowledged == 0 && !self.path.join("log/HEAD").exists() {
            return Ok(());
        }
        let export = self.binary.answer(&["export"], &self.path)?;
        let held = hold(&export, &self.input.bytes, self.acknowledged);
        self.lost = held.lost;
        match held {
            Held { lost: 1.., .. } => Err(format!("acknowledged events are not there: {held:?}")),
            Held { strange: 1.., .. } => Err(format!("something else is there: {held:?}")),
            _ => Ok(()),
        }
    }

    /// `verify` must have nothing to say, whichever of the last so many checkpoints it is held against.
    pub fn verify(&self, args: &[&str], most: usize) -> Result<(), String> {
        if !self.path.join("log/HEAD").exists() {
            return match self.handed.files.len() {
                0 => Ok(()),
                _ => Err("the log is gone of which checkpoints were handed out".to_owned()),
            };
        }
        let verify = |more: &[&str]| {
            self.binary.answer(&[&["verify"], args, more].concat(), &self.path).map(drop)
        };
        let key = self.path.join("keys/signing.key.pub");
        let key = key.to_str().expect("it was shown when its input was made");
        let files = &self.handed.files;
        for file in &files[files.len().saturating_sub(most)..] {
            let file = file.to_str().expect("it was shown when its input was made");
            verify(&["--checkpoint", file, "--key", key])?;
        }
        if files.is_empty() { verify(&[]) } else { Ok(()) }
    }

    /// Answers are the same with the derived files and without them.
    pub fn derived_agree(&self) -> Result<(), String> {
        if !self.path.join("log/HEAD").exists() {
            return Ok(());
        }
        let accounts = || {
            let args = ["accounts", "--json", "--as-of", "2026-01-01T00:00:00Z"];
            self.binary.answer(&args, &self.path)
        };
        let with = accounts()?;
        let derived = self.path.join("derived");
        match fs::remove_dir_all(&derived) {
            Err(e) if e.kind() != std::io::ErrorKind::NotFound => {
                return Err(format!("{}: {e}", derived.display()));
            }
            _ => {}
        }
        if accounts()? != with {
            return Err("the derived files do not agree with the log".to_owned());
        }
        Ok(())
    }

    /// Imports the rest and seals it, and holds that all is there then, and that nothing else was signed before.
    pub fn end(&mut self) -> Result<(), String> {
        self.write(Feed::File, Moment::Never, false)?;
        self.check()?;
        if !self.is_whole() {
            return Err("an import that ended well did not acknowledge all".to_owned());
        }
        self.handed.run(self.binary, &self.path, sealer::LONGEST)?;
        self.verify(&[], usize::MAX)?;
        self.derived_agree()
    }
}

/// The test of the test: a store that goes back to what it was some acknowledgements ago, as if nothing
/// had been synced since, must be found to have lost something.
pub fn a_loss_is_seen(binary: &Binary, dir: &Path, input: &Input) -> Result<(), String> {
    let mut store = Store::new(binary, dir, input)?;
    let feed = |from, to| Feed::Pipe { from, to, lines: 10, pause: Duration::ZERO };
    store.write(feed(0, 100), Moment::Never, false)?;
    let old = dir.join("old");
    let fail = |e: std::io::Error| format!("{}: {e}", old.display());
    copy(&store.path, &old).map_err(fail)?;
    store.write(feed(100, 250), Moment::Never, false)?;
    store.check()?;
    fs::remove_dir_all(&store.path).map_err(fail)?;
    fs::rename(&old, &store.path).map_err(fail)?;
    match (store.check(), store.lost) {
        (Err(_), 150) => Ok(()),
        (_, lost) => Err(format!("of a store that was put back by 150 events {lost} were missed")),
    }
}

/// And one whose checkpoint it has not come to yet must be found to contradict it.
pub fn a_contradiction_is_seen(binary: &Binary, dir: &Path, input: &Input) -> Result<(), String> {
    let mut store = Store::new(binary, dir, input)?;
    let feed = |from, to| Feed::Pipe { from, to, lines: 10, pause: Duration::ZERO };
    store.write(feed(0, 100), Moment::Never, false)?;
    let old = dir.join("old");
    let fail = |e: std::io::Error| format!("{}: {e}", old.display());
    let _ = fs::remove_dir_all(&old);
    copy(&store.path, &old).map_err(fail)?;
    store.handed.run(binary, &store.path, sealer::LONGEST)?;
    store.verify(&[], 1)?;
    fs::remove_dir_all(&store.path).map_err(fail)?;
    fs::rename(&old, &store.path).map_err(fail)?;
    match store.verify(&[], 1) {
        Err(_) => Ok(()),
        Ok(()) => Err("a store that has not what it signed passed for one that has".to_owned()),
    }
}

fn copy(from: &Path, to: &Path) -> std::io::Result<()> {
    fs::create_dir_all(to)?;
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        let (path, target) = (entry.path(), to.join(entry.file_name()));
        if path.is_dir() {
            copy(&path, &target)?;
        } else {
            fs::copy(path, target)?;
        }
    }
    Ok(())
}
