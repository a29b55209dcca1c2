//! The set of runs of a store: which files count, which are merged, which are deleted.
//!
//! A file's name is `FROM-TO.run`, 16 hex digits each; while it is written it ends in `.tmp`. The
//! names are all that says which runs there are, so making one visible is one rename, and no list
//! can disagree with the folder. A crash leaves a temporary file, or the parts beside the run that
//! they were merged into: the next writer deletes both.

use std::ffi::OsStr;
use std::fs;
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use super::file::Header;
use super::in_place::{Done, take_out};
use super::merge;
use super::run::{MOST_POSITIONS, Run, name_hash};
use super::table::Table;
use super::taken::Taken;
use super::without::write_without;
use super::{Anchor, DerivedError, Head, IdTag};

/// As many neighbours of about one size make a larger one.
const FAN_IN: usize = 4;
/// Runs of fewer positions than this count as equally small.
const SMALL: u64 = 4096;
/// How often a reader looks again when a writer deletes what it was about to open.
const ATTEMPTS: usize = 16;

/// The runs as they were at some time, for who looks up and does not wait for who writes.
#[derive(Debug, Clone, Default)]
pub(crate) struct Cover(Vec<Arc<Run>>);

impl Cover {
    /// As [`super::Derived::find_id`], of what the runs cover.
    pub(crate) fn find_id(&self, tag: &IdTag) -> Result<Option<u64>, DerivedError> {
        for run in self.0.iter().rev() {
            if let Some(found) = run.find_id(tag)? {
                return Ok(Some(found));
            }
        }
        Ok(None)
    }

    /// False: the id is not in the runs.
    ///
    /// # Errors
    /// See [`DerivedError`].
    pub(crate) fn may_have_id(&self, tag: &IdTag) -> Result<bool, DerivedError> {
        for run in &self.0 {
            if run.may_have_id(tag)? {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// As [`super::Derived::head`], of what the runs cover.
    pub(crate) fn head(&self, account: &str) -> Result<Option<Head>, DerivedError> {
        let hash = name_hash(account);
        for run in self.0.iter().rev() {
            if let Some(head) = run.record(account, &hash, |record| Ok(record.head()))? {
                return Ok(Some(head));
            }
        }
        Ok(None)
    }

    /// The positions below this are covered.
    pub(crate) fn to(&self) -> u64 {
        self.0.last().map_or(0, |run| run.header.to)
    }
}

/// The runs that cover positions from 0 upward without a gap, the oldest first.
#[derive(Debug)]
pub(super) struct Runs {
    dir: PathBuf,
    store: [u8; 16],
    pub(super) runs: Vec<Arc<Run>>,
}

impl Runs {
    /// Opens what is there. See [`super::Derived::open`].
    pub(super) fn open(
        dir: PathBuf,
        store: [u8; 16],
        writer: bool,
        mut is_ours: impl FnMut(u64, &Anchor) -> bool,
    ) -> Result<Runs, DerivedError> {
        let io = |source| DerivedError::Io { path: dir.clone(), source };
        if writer {
            make_folder(&dir).map_err(io)?;
        }
        let mut files = Vec::new();
        let mut runs = Vec::new();
        for _ in 0..ATTEMPTS {
            files = list(&dir).map_err(io)?;
            let vanished;
            (runs, vanished) = cover(&dir, &files, store, &mut is_ours);
            // All as they were at one time, between two of an erasure's steps.
            if !vanished && !runs.iter().any(|run| run.has_moved()) {
                break;
            }
        }
        if writer {
            let kept: Vec<&OsStr> = runs.iter().filter_map(|run| run.path().file_name()).collect();
            let is_ours = |file: &&PathBuf| {
                let name = file.to_string_lossy();
                name.ends_with(".run") || name.ends_with(".run.tmp")
            };
            let left = files.iter().filter(|file| !kept.contains(&file.as_os_str()));
            for file in left.filter(is_ours) {
                // What cannot be deleted now is left out all the same.
                let _ = delete(&dir.join(file));
            }
        }
        Ok(Runs { dir, store, runs })
    }

    pub(super) fn cover(&self) -> Cover {
        Cover(self.runs.clone())
    }

    /// The newest run's end.
    pub(super) fn covered(&self) -> Option<(u64, Anchor)> {
        self.runs.last().map(|run| (run.header.to, run.header.anchor))
    }

    /// Makes a run of the table, which goes on where the runs end, up to `to`.
    pub(super) fn add(
        &mut self,
        table: &Table,
        erasures: &[u8],
        to: u64,
        anchor: &Anchor,
    ) -> Result<(), DerivedError> {
        let from = self.covered().map_or(0, |(to, _)| to);
        let header = Header { store: self.store, from, to, anchor: *anchor };
        let run = make(&self.dir, from, to, |temporary, name| {
            merge::write_table(table, erasures, &header, temporary, name).map(|()| true)
        })?;
        self.runs.extend(run.map(Arc::new));
        Ok(())
    }

    /// Merges neighbours while there are too many of a size.
    pub(super) fn merge(&mut self) -> Result<(), DerivedError> {
        let go_on = AtomicBool::new(false);
        while let Some(merge) = self.to_merge() {
            if let Some(run) = merge.make(&go_on)? {
                self.put(&merge, run)?;
            }
        }
        Ok(())
    }

    /// The neighbours to merge next, if there are too many of a size.
    pub(super) fn to_merge(&self) -> Option<Merge> {
        let sizes: Vec<u64> = self.runs.iter().map(|run| run.size()).collect();
        let parts = self.runs[to_merge(&sizes)?..].to_vec();
        Some(Merge { dir: self.dir.clone(), parts })
    }

    /// Puts what was made of a merge in the place of its parts, unless they are no longer there.
    pub(super) fn put(&mut self, merge: &Merge, run: Run) -> Result<(), DerivedError> {
        let first = self.runs.iter().position(|run| Arc::ptr_eq(run, &merge.parts[0]));
        let Some(first) = first else { return delete(run.path()) };
        // From here on the large one counts, and who has a part open can go on reading it.
        self.runs.splice(first..first + merge.parts.len(), [Arc::new(run)]);
        merge.parts.iter().try_for_each(|part| delete(part.path()))
    }

    /// Takes out of the runs what an erasure took: in place, or by making one anew. The oldest first: who sees an account in some
    /// runs and in others no more misses its beginning, and so knows.
    pub(super) fn leave_out(&mut self, taken: &Taken) -> Result<(), DerivedError> {
        for run in &mut self.runs {
            let new = match take_out(run, taken)? {
                Done::Nothing => continue,
                Done::InPlace => Run::open(run.path())?,
                Done::Not => {
                    let Header { from, to, .. } = run.header;
                    let made = make(&self.dir, from, to, |temporary, name| {
                        write_without(run, taken, temporary, name).map(|()| true)
                    });
                    made?.expect("it was not stopped")
                }
            };
            *run = Arc::new(new);
        }
        Ok(())
    }

    /// Forgets all, and deletes the files if told to.
    pub(super) fn clear(&mut self, files: bool) -> Result<(), DerivedError> {
        // The newest first: what a crash leaves is then a cover still.
        for run in self.runs.drain(..).rev().collect::<Vec<_>>() {
            if files {
                delete(run.path())?;
            }
        }
        Ok(())
    }
}

/// Neighbouring runs that are to become one.
#[derive(Debug)]
pub(crate) struct Merge {
    dir: PathBuf,
    /// The oldest first.
    parts: Vec<Arc<Run>>,
}

impl Merge {
    /// How many positions it covers: the work goes with it.
    pub(crate) fn size(&self) -> u64 {
        self.parts.iter().map(|run| run.size()).sum()
    }

    /// Makes the one run. It needs nothing but files, so others may add runs meanwhile. `None` if
    /// `stop` was set before it was done.
    pub(crate) fn make(&self, stop: &AtomicBool) -> Result<Option<Run>, DerivedError> {
        let [first, .., last] = &self.parts[..] else { panic!("two runs or more are merged") };
        make(&self.dir, first.header.from, last.header.to, |temporary, name| {
            merge::write_merged(&self.parts, temporary, name, stop)
        })
    }
}

/// Makes a run with what `write` does, which may say that it was stopped.
fn make(
    dir: &Path,
    from: u64,
    to: u64,
    write: impl FnOnce(&Path, &Path) -> Result<bool, DerivedError>,
) -> Result<Option<Run>, DerivedError> {
    let name = dir.join(format!("{from:016x}-{to:016x}.run"));
    let temporary = name.with_extension("run.tmp");
    let io = |source| DerivedError::Io { path: dir.to_owned(), source };
    make_folder(dir).map_err(io)?;
    let written = write(&temporary, &name);
    if !matches!(written, Ok(true)) {
        // It may be half a gigabyte on a disk that is full. If it stays, the next writer sees it.
        let _ = fs::remove_file(&temporary);
        return written.map(|_| None);
    }
    sync_folder(dir).map_err(io)?;
    Run::open(&name).map(Some)
}

/// Where the newest runs that are to be merged begin, if they are.
///
/// Sizes go by classes, each [`FAN_IN`] times the one below; a run before a larger one counts as of
/// its class. When there are as many of a class as that, they and what is newer become one. So
/// there are fewer than [`FAN_IN`] runs of each class, and an event is rewritten about once a class.
fn to_merge(sizes: &[u64]) -> Option<usize> {
    let class = |size: u64| (size / SMALL).checked_ilog(FAN_IN as u64).map_or(0, |log| log + 1);
    let (mut highest, mut count, mut total) = (0, 0, 0);
    for (i, size) in sizes.iter().enumerate().rev() {
        if class(*size) > highest {
            if count >= FAN_IN {
                return Some(i + 1);
            }
            (highest, count) = (class(*size), 0);
        }
        total += size;
        count += 1;
        if total > MOST_POSITIONS {
            return None;
        }
    }
    (count >= FAN_IN).then_some(0)
}

/// The largest sound runs, one after the other from position 0; and whether a file was gone.
fn cover(
    dir: &Path,
    files: &[PathBuf],
    store: [u8; 16],
    is_ours: &mut impl FnMut(u64, &Anchor) -> bool,
) -> (Vec<Arc<Run>>, bool) {
    let mut ranges: Vec<(u64, u64, &Path)> =
        files.iter().filter_map(|f| range(f).map(|(from, to)| (from, to, f.as_path()))).collect();
    ranges.sort_unstable_by_key(|(from, to, _)| (*from, std::cmp::Reverse(*to)));
    let mut runs: Vec<Arc<Run>> = Vec::new();
    let mut covered = 0;
    let mut vanished = false;
    for (from, to, file) in ranges {
        if from != covered || to <= from {
            continue;
        }
        match Run::open(&dir.join(file)) {
            Ok(run) => {
                let header = &run.header;
                let sound = (header.store, header.from, header.to) == (store, from, to);
                if sound && is_ours(to, &header.anchor) {
                    covered = to;
                    runs.push(Arc::new(run));
                }
            }
            Err(DerivedError::Io { source, .. }) => {
                vanished |= source.kind() == ErrorKind::NotFound
            }
            Err(_) => {}
        }
    }
    (runs, vanished)
}

fn range(file: &Path) -> Option<(u64, u64)> {
    let (from, to) = file.to_str()?.strip_suffix(".run")?.split_once('-')?;
    let number = |hex: &str| {
        let plain = hex.len() == 16 && hex.bytes().all(|b| b.is_ascii_hexdigit());
        if plain { u64::from_str_radix(hex, 16).ok() } else { None }
    };
    Some((number(from)?, number(to)?))
}

/// The names in the folder; none if it is not there.
fn list(dir: &Path) -> io::Result<Vec<PathBuf>> {
    match fs::read_dir(dir) {
        Ok(entries) => entries.map(|entry| Ok(entry?.file_name().into())).collect(),
        Err(e) if e.kind() == ErrorKind::NotFound => Ok(Vec::new()),
        Err(e) => Err(e),
    }
}

fn delete(path: &Path) -> Result<(), DerivedError> {
    match fs::remove_file(path) {
        Err(source) if source.kind() != ErrorKind::NotFound => {
            Err(DerivedError::Io { path: path.to_owned(), source })
        }
        _ => Ok(()),
    }
}

/// Makes the folder, and the one above it, if they are not there.
fn make_folder(dir: &Path) -> io::Result<()> {
    if dir.is_dir() {
        return Ok(());
    }
    fs::create_dir_all(dir)?;
    let mut above = dir.ancestors().skip(1).take(2).filter(|dir| !dir.as_os_str().is_empty());
    above.try_for_each(sync_folder)
}

/// Makes names that were changed in a folder durable.
fn sync_folder(dir: &Path) -> io::Result<()> {
    #[cfg(unix)]
    fs::File::open(dir)?.sync_all()?;
    #[cfg(not(unix))]
    let _ = dir;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(sizes: &[u64], expected: Option<usize>) {
        let units: Vec<u64> = sizes.iter().map(|n| n * SMALL).collect();
        assert_eq!(to_merge(&units), expected, "{sizes:?}");
    }

    #[test]
    fn neighbours_of_a_size_merge() {
        check(&[], None);
        check(&[1, 1, 1], None);
        check(&[1, 1, 1, 1], Some(0));
        check(&[0, 0, 0, 0], Some(0));
        check(&[4, 1, 1, 1], None);
        check(&[4, 1, 1, 1, 1], Some(1));
        check(&[4, 4, 4, 1, 1, 1, 1], Some(3));
        check(&[4, 4, 4, 4], Some(0));
        check(&[16, 1, 1, 1, 4], Some(1));
        check(&[16, 4, 4, 4, 1], None);
        check(&[16, 4, 4, 3, 3], None);
        check(&[64, 16, 4, 1], None);
    }

    /// However much comes in at a time, few runs are left and no event is rewritten often.
    #[test]
    fn there_are_never_many_runs() {
        for step in [1, 100, SMALL, 64 * SMALL] {
            let (mut sizes, mut rewritten, rounds) = (Vec::new(), 0, 2000);
            for _ in 0..rounds {
                sizes.push(step);
                while let Some(first) = to_merge(&sizes) {
                    let size = sizes.drain(first..).sum();
                    rewritten += size;
                    sizes.push(size);
                }
                assert!(sizes.len() < 20, "{sizes:?}");
            }
            let each = rewritten / (step * rounds);
            assert!(step < SMALL || each < 8, "each was rewritten {each} times");
        }
    }

    #[test]
    fn only_its_own_names_count() {
        let check = |name: &str, expected| assert_eq!(range(Path::new(name)), expected, "{name}");
        check("0000000000000000-000000000000000a.run", Some((0, 10)));
        check("0000000000000000-000000000000000a.run.tmp", None);
        check("0-a.run", None);
        check("+000000000000000-000000000000000a.run", None);
        check("00000000000000000000000000000000a.run", None);
        check("notes.txt", None);
    }
}
