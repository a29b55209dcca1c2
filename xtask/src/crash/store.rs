//! A store under kills, and what was promised of it.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::Binary;
use super::check::hold;
use super::input::Input;
use super::writer::{self, Feed, Moment};

/// A store, and what it must hold.
pub struct Store<'a> {
    binary: &'a Binary,
    path: PathBuf,
    input: &'a Input,
    /// How many events it said are durable.
    acknowledged: u64,
    /// Whether the last writer was killed.
    was_killed: bool,
    /// How many pieces of batches its writers cut off.
    pub cut: u64,
}

/// A kill.
pub struct Kill {
    /// Whether it came while the writer still looked at what the kill before had left.
    pub in_recovery: bool,
    /// How many events more were acknowledged before it.
    pub acknowledged: u64,
}

impl<'a> Store<'a> {
    /// A new one.
    pub fn new(binary: &'a Binary, dir: &Path, input: &'a Input) -> Result<Store<'a>, String> {
        let path = dir.join("store");
        if path.exists() {
            fs::remove_dir_all(&path).map_err(|e| format!("{}: {e}", path.display()))?;
        }
        Ok(Store { binary, path, input, acknowledged: 0, was_killed: false, cut: 0 })
    }

    /// Whether all that there is was acknowledged.
    pub fn is_whole(&self) -> bool {
        self.acknowledged == self.input.len()
    }

    /// Starts a writer and kills it. `None` if it was done before.
    pub fn kill(&mut self, random: &mut fastrand::Rng) -> Result<Option<Kill>, String> {
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
                lines: random.u64(1..100),
                pause: micros(random, 2_000),
            },
        };
        let before = self.acknowledged;
        let ended = self.write(feed, moment, random.u8(..4) == 0)?;
        let acknowledged = self.acknowledged - before;
        let in_recovery = is_first && ended.durable.is_none();
        if ended.was_killed && random.u8(..4) == 0 {
            self.tear(random).map_err(|e| format!("{}: {e}", self.path.display()))?;
        }
        Ok(ended.was_killed.then_some(Kill { in_recovery, acknowledged }))
    }

    /// Puts bytes behind the log's end as a torn write leaves them, which a kill seldom does: so
    /// writers have something to recover, and are killed at it.
    fn tear(&self, random: &mut fastrand::Rng) -> std::io::Result<()> {
        let log = self.path.join("log");
        let Ok(head) = fs::read(log.join("HEAD")) else { return Ok(()) };
        let is_open = [12, 512 + 12].iter().all(|at| head.get(*at..at + 4) == Some(b"open"));
        let names = fs::read_dir(&log)?.map(|entry| entry.map(|entry| entry.path()));
        let names = names.collect::<Result<Vec<_>, _>>()?;
        let last = names.iter().filter(|path| path.extension().is_some_and(|e| e == "seg")).max();
        let (true, Some(last)) = (is_open, last) else { return Ok(()) };
        let most = 1 << random.u8(1..17);
        let len = random.usize(1..most);
        let torn: Vec<u8> = std::iter::repeat_with(|| random.u8(..)).take(len).collect();
        fs::OpenOptions::new().append(true).open(last)?.write_all(&torn)
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

    /// Exports what is there. Gives how many events were acknowledged and are not.
    pub fn check(&self) -> Result<u64, String> {
        // Nothing was promised of a store that was not yet made.
        if self.acknowledged == 0 && !self.path.join("log/HEAD").exists() {
            return Ok(0);
        }
        let export = self.binary.answer(&["export"], &self.path)?;
        let held = hold(&export, &self.input.bytes, self.acknowledged);
        if held.strange > 0 && held.lost == 0 {
            return Err(format!("after {} events come {} strange ones", held.events, held.strange));
        }
        Ok(held.lost)
    }

    /// `verify` must have nothing to say.
    pub fn verify(&self, args: &[&str]) -> Result<(), String> {
        if !self.path.join("log/HEAD").exists() {
            return Ok(());
        }
        self.binary.answer(&[&["verify"], args].concat(), &self.path).map(drop)
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

    /// Imports the rest, and holds that all is there then. Gives how many events more that
    /// acknowledged.
    pub fn end(&mut self) -> Result<u64, String> {
        let before = self.acknowledged;
        self.write(Feed::File, Moment::Never, false)?;
        self.verify(&[])?;
        let export = self.binary.answer(&["export"], &self.path)?;
        if export != self.input.bytes || !self.is_whole() {
            return Err("after a whole import the store holds something else".to_owned());
        }
        self.derived_agree()?;
        Ok(self.acknowledged - before)
    }
}

/// The test of the test: a store that goes back to what it was before the kill, as if nothing had
/// been synced, must be found to have lost something.
pub fn a_loss_is_seen(binary: &Binary, dir: &Path, input: &Input) -> Result<(), String> {
    let mut store = Store::new(binary, dir, input)?;
    let feed = |from| Feed::Pipe { from, lines: 10, pause: Duration::ZERO };
    store.write(feed(0), Moment::Acknowledged(1, Duration::ZERO), false)?;
    let (before, old) = (store.acknowledged, dir.join("old"));
    let fail = |e: std::io::Error| format!("{}: {e}", old.display());
    copy(&store.path, &old).map_err(fail)?;
    let held = hold(&binary.answer(&["export"], &store.path)?, &input.bytes, 0).events;
    while store.acknowledged <= held {
        store.write(feed(before), Moment::Acknowledged(3, Duration::ZERO), false)?;
    }
    let sound = store.check()?;
    fs::remove_dir_all(&store.path).map_err(fail)?;
    fs::rename(&old, &store.path).map_err(fail)?;
    match (sound, store.check()?) {
        (0, 1..) => Ok(()),
        (sound, lost) => Err(format!("{sound} lost, and {lost} of a store that was put back")),
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
