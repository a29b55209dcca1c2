//! Looks at a store, or at a folder that cannot be opened as one, and says all that is wrong with it.
//! Nothing is written, and no lock is held.

use std::fs;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::sync::Arc;

use commitment::{
    Divergence, Erased, Fault, Level, LogCheck, Missing, Place, Range, segment_number,
};

use crate::derived::{Derived, Options};
use crate::erase::redo::Redo;
use crate::erase::shrink::is_left;
use crate::files::TRIES;
use crate::folder::Folder;
use crate::remains::{HeadState, Remains, SegmentState};
use crate::storage::{Access, Disk};
use crate::{LogFiles, OpenError, ReadError};

/// Below this many bytes of room a log may soon not go on: a segment's usual size.
const LEAST_ROOM: u64 = 64 << 20;

/// What was found.
#[derive(Debug, Default)]
pub struct Examined {
    /// All that there is to say, the worst of the log first.
    pub findings: Vec<Finding>,
    /// Whether all could be looked at.
    pub is_looked_at: bool,
    /// Events that are proven to be there.
    pub events: u64,
    /// Events that are intact, but of accounts whose names are missing.
    pub nameless: u64,
    /// What of the log is erased under records that are proven. These events are not among the others.
    pub erased: Erased,
}

impl Examined {
    /// Whether nothing is wrong: what does no harm may be said all the same.
    #[must_use]
    pub fn is_healthy(&self) -> bool {
        self.is_looked_at && self.findings.iter().all(|finding| finding.ailment.is_harmless())
    }
}

/// One thing to say.
#[derive(Debug)]
pub struct Finding {
    /// What.
    pub ailment: Ailment,
    /// The file or folder, from the store's folder on; empty for itself.
    pub place: String,
}

/// What can be the matter with a store.
#[derive(Debug)]
#[allow(missing_docs, reason = "their fields say what the errors of the same name say")]
pub enum Ailment {
    /// There is none.
    Missing,
    /// The folder is something else's.
    Foreign { what: String },
    /// A later version wrote it.
    Future { found: u32, known: u32 },
    /// The file system does not let it be read.
    Unreadable { source: io::Error },
    /// The file system does not let it be written.
    Unwritable { source: io::Error },
    /// Little room is left on the disk.
    NoSpace { free: u64 },
    /// `HEAD` is not there.
    HeadMissing,
    /// One slot of `HEAD` is damaged, or the two do not fit each other.
    HeadPartly { fault: Fault },
    /// `HEAD` says nothing.
    HeadDamaged { fault: Fault },
    /// `HEAD` is another store's.
    HeadForeign,
    /// A segment has the name of segment `number`'s file, or the other way round.
    SegmentMisnamed { number: u64 },
    /// There are two files of one segment.
    SegmentDouble { number: u64 },
    /// A segment of another store that stands in no other's place.
    SegmentForeign,
    /// A piece of the log is not as it was written; events are missing with it, or with others of the same range.
    Piece { place: Place, range: Range },
    /// A checker finds a fault where every piece is sound by itself.
    Diverges(Box<Divergence>),
    /// A writer is at work; its process, where the system tells.
    Locked { process: Option<u32> },
    /// An erasure that was cut short: who next opens the store to write finishes it.
    Unfinished,
    /// A write that was cut short, and that nobody was told of.
    Torn { bytes: u64 },
    /// There are no derived files.
    DerivedMissing,
    /// The derived files are damaged, or another store's.
    DerivedDamaged,
    /// A file that is not the store's.
    Stray,
}

impl Ailment {
    /// A word for scripts.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Ailment::Missing => "missing",
            Ailment::Foreign { .. } => "foreign",
            Ailment::Future { .. } => "future",
            Ailment::Unreadable { .. } => "unreadable",
            Ailment::Unwritable { .. } => "unwritable",
            Ailment::NoSpace { .. } => "no-space",
            Ailment::HeadMissing => "head-missing",
            Ailment::HeadPartly { .. } => "head-slot",
            Ailment::HeadDamaged { .. } => "head-damaged",
            Ailment::HeadForeign => "head-foreign",
            Ailment::SegmentMisnamed { .. } => "segment-misnamed",
            Ailment::SegmentDouble { .. } => "segment-double",
            Ailment::SegmentForeign => "segment-foreign",
            Ailment::Piece { place, .. } => place.cause.name(),
            Ailment::Diverges(_) => "diverges",
            Ailment::Locked { .. } => "locked",
            Ailment::Unfinished => "erasure-unfinished",
            Ailment::Torn { .. } => "torn",
            Ailment::DerivedMissing => "derived-missing",
            Ailment::DerivedDamaged => "derived-damaged",
            Ailment::Stray => "stray",
        }
    }

    /// Whether nothing is lost, and nothing need be done.
    #[must_use]
    pub const fn is_harmless(&self) -> bool {
        matches!(
            self,
            Ailment::Locked { .. }
                | Ailment::Torn { .. }
                | Ailment::DerivedMissing
                | Ailment::DerivedDamaged
                | Ailment::Stray
        )
    }
}

/// Looks at everything that is in a folder. `on_bytes` hears of what is read of the log.
#[must_use]
pub fn examine(dir: &Path, on_bytes: &mut dyn FnMut(u64)) -> Examined {
    let folder = Folder::new(Arc::new(Disk), dir);
    for _ in 0..TRIES {
        let (examined, remains) = look(&folder, on_bytes);
        if examined.is_healthy() || !remains.is_some_and(|remains| remains.has_changed()) {
            return examined;
        }
    }
    let mut examined = Examined::default();
    examined.refused(ReadError::Erasing { path: folder.log() }.into(), dir);
    examined
}

/// Looks once; gives also what it looked at.
fn look(folder: &Folder, on_bytes: &mut dyn FnMut(u64)) -> (Examined, Option<Remains>) {
    let mut examined = Examined { is_looked_at: true, ..Examined::default() };
    let remains = match Remains::open_on(Arc::clone(&folder.storage), &folder.root) {
        Ok(remains) => remains,
        Err(error) => {
            examined.refused(error, &folder.root);
            return (examined, None);
        }
    };
    examined.head(&remains);
    examined.segments(folder, &remains, on_bytes);
    examined.surroundings(folder, &remains);
    if matches!(Redo::read(folder), Ok(Some(_))) && !folder.is_written() {
        examined.add(Ailment::Unfinished, "log/REDO");
    }
    (examined, Some(remains))
}

impl Examined {
    fn add(&mut self, ailment: Ailment, place: impl Into<String>) {
        self.findings.push(Finding { ailment, place: place.into() });
    }

    /// It cannot be opened.
    fn refused(&mut self, error: OpenError, root: &Path) {
        let place = |path: &Path| {
            let path = path.strip_prefix(root).unwrap_or(path);
            path.display().to_string()
        };
        let (ailment, place) = match error {
            OpenError::Missing { .. } | OpenError::Locked { .. } => {
                (Ailment::Missing, String::new())
            }
            OpenError::Foreign { what, path } => (Ailment::Foreign { what }, place(&path)),
            OpenError::Future { path, found, known } => {
                (Ailment::Future { found, known }, place(&path))
            }
            OpenError::Corrupt { divergence, .. } => {
                let place = format!("log/{}", divergence.file);
                (Ailment::Diverges(divergence), place)
            }
            OpenError::Io { path, source, .. } => {
                self.is_looked_at = false;
                (Ailment::Unreadable { source }, place(&path))
            }
        };
        self.add(ailment, place);
    }

    fn head(&mut self, remains: &Remains) {
        let ailment = match remains.head() {
            HeadState::Sound(_) => return,
            HeadState::Partly(_, fault) => Ailment::HeadPartly { fault: fault.clone() },
            HeadState::Damaged(fault) => Ailment::HeadDamaged { fault: fault.clone() },
            HeadState::Foreign(_) => Ailment::HeadForeign,
            HeadState::Missing => Ailment::HeadMissing,
        };
        self.add(ailment, "log/HEAD");
    }

    fn segments(&mut self, folder: &Folder, remains: &Remains, on_bytes: &mut dyn FnMut(u64)) {
        let surveyed = match remains.survey::<ReadError>(on_bytes, &mut |_| Ok(())) {
            Ok(surveyed) => surveyed,
            Err(error) => return self.refused(error.into(), &folder.root),
        };
        self.events = surveyed.events;
        (self.nameless, self.erased) = (surveyed.nameless, surveyed.erased);
        let before = self.findings.len();
        for file in remains.segments() {
            let mut places = surveyed.missing.iter().flat_map(|missing| &missing.places);
            let is_told = places.any(|place| place.file == file.name);
            let number = file.number;
            let ailment = match file.state {
                SegmentState::Misnamed => Ailment::SegmentMisnamed { number },
                SegmentState::Double => Ailment::SegmentDouble { number },
                SegmentState::Foreign if !is_told => Ailment::SegmentForeign,
                _ => continue,
            };
            self.add(ailment, format!("log/{}", file.name));
        }
        // What became of `HEAD` was said.
        for Missing { range, places } in surveyed.missing {
            for place in places.into_iter().filter(|place| place.file != "HEAD") {
                let file = format!("log/{}", place.file);
                self.add(Ailment::Piece { place, range }, file);
            }
        }
        if self.findings.len() == before
            && matches!(remains.head(), HeadState::Sound(_))
            && let Err(divergence) = check(folder)
        {
            let place = format!("log/{}", divergence.file);
            self.add(Ailment::Diverges(divergence), place);
        }
        // Behind a log that was closed there is no write to cut short: that is said already.
        let is_shut = matches!(remains.head(), HeadState::Sound(head) if head.now.shut);
        if surveyed.torn > 0 && !(is_shut && self.findings.len() > before) {
            let place = remains.segments().last().map(|file| format!("log/{}", file.name));
            self.add(Ailment::Torn { bytes: surveyed.torn }, place.unwrap_or_default());
        }
    }

    /// All that is not the log.
    fn surroundings(&mut self, folder: &Folder, remains: &Remains) {
        let last = remains.segments().iter().rev().find(|file| file.state == SegmentState::Own);
        let last = last.map(|file| folder.log().join(&file.name));
        for path in last.into_iter().chain([folder.head()]) {
            match folder.storage.open(&path, Access::Write) {
                Err(source) if source.kind() != io::ErrorKind::NotFound => {
                    let place = path.strip_prefix(&folder.root).unwrap_or(&path);
                    self.add(Ailment::Unwritable { source }, place.display().to_string());
                    break;
                }
                _ => {}
            }
        }
        if let Ok(free) = fs2::available_space(&folder.root)
            && free < LEAST_ROOM
        {
            self.add(Ailment::NoSpace { free }, "");
        }
        if folder.is_written() {
            self.add(Ailment::Locked { process: holder(&folder.root.join("lock")) }, "lock");
        }
        let (dir, _) = folder.derived();
        let runs = fs::read_dir(dir.join("runs")).map_or(0, Iterator::count);
        if runs == 0 && self.events > 0 {
            self.add(Ailment::DerivedMissing, "derived");
        } else if runs > 0 {
            let options = Options::new(&dir, remains.store(), false);
            let is_read = Derived::open(options, |_, _| true).is_ok_and(|d| d.covered().is_some());
            if !is_read {
                self.add(Ailment::DerivedDamaged, "derived");
            }
        }
        let ours = ["log", "keys", "tlog", "derived", "lock", "cut"];
        let stray = folder.storage.list(&folder.root).unwrap_or_default().into_iter();
        let stray = stray.filter(|name| !ours.contains(&name.as_str()));
        let in_log = folder.storage.list(&folder.log()).unwrap_or_default().into_iter();
        let is_log = |name: &String| {
            segment_number(name).is_some()
                || is_left(name)
                || ["HEAD", "HEAD.tmp", "REDO", "REDO.tmp"].contains(&name.as_str())
        };
        let in_log = in_log.filter(|name| !is_log(name)).map(|name| format!("log/{name}"));
        for place in stray.chain(in_log) {
            self.add(Ailment::Stray, place);
        }
    }
}

/// What a checker of the files' bytes says.
fn check(folder: &Folder) -> Result<(), Box<Divergence>> {
    // What cannot be read was said before.
    let Ok(files) = LogFiles::open_on(Arc::clone(&folder.storage), &folder.root) else {
        return Ok(());
    };
    let mut check = LogCheck::new(Level::Quick, files.head())?;
    for file in files.files() {
        check.file(&file.name)?;
        let fed = files.read::<Stop>(file, |piece| {
            check.feed(piece, &mut |_| {}).map_err(|divergence| Stop(Some(divergence)))
        });
        match fed {
            Err(Stop(Some(divergence))) => return Err(divergence),
            Err(Stop(None)) => return Ok(()),
            Ok(()) => {}
        }
    }
    check.finish().map(drop)
}

/// A fault, or a read that failed.
struct Stop(Option<Box<Divergence>>);

impl From<ReadError> for Stop {
    fn from(_: ReadError) -> Stop {
        Stop(None)
    }
}

/// The process that holds a lock on a file, where the system tells (Linux does).
fn holder(lock: &Path) -> Option<u32> {
    let inode = format!(":{}", fs::metadata(lock).ok()?.ino());
    let locks = fs::read_to_string("/proc/locks").ok()?;
    locks.lines().find_map(|line| {
        let words: Vec<&str> = line.split_whitespace().collect();
        let is_it = words.get(1) == Some(&"FLOCK")
            && words.get(3) == Some(&"WRITE")
            && words.get(5).is_some_and(|file| file.ends_with(&inode));
        is_it.then(|| words[4].parse().ok()).flatten()
    })
}
