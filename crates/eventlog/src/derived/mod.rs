//! Everything that can be made anew from the log: runs, the table in front of them, and a cache.
//!
//! ```text
//! derived/runs/FROM-TO.run   what a fold reads of the positions [FROM, TO), by account
//! derived/sled/              snapshot statements and fold states; see [`Cache`]
//! derived/watched            how far `watch` has read which file; the command line's own
//! ```
//!
//! One LSM-like mechanism. [`Derived::append`] puts each event of the log (appended now, or replayed
//! from the log's tail after opening) into a table in memory; [`Derived::flush`] turns the table into
//! a run and merges neighbouring runs, so that their number stays logarithmic. Reading looks at the
//! table and at all runs. Nothing here is trusted further than its checksums and its [`Anchor`] go:
//! what is damaged, missing or of another store is left out when opening, and the log replays the
//! positions from [`Derived::covered`] on.
//!
//! The order of work for the log:
//!
//! 1. `Derived::open(options, |to, anchor| …)`, then replay every event at or after `covered()`
//!    through `append`.
//! 2. A writer's index thread calls `append` for each event once its batch is *durable*, and
//!    `flush(anchor)` with the end of a batch after so many events, and at a clean close; while events
//!    are replayed, whenever [`Derived::is_full`]. A flush that fails changes nothing: the table is kept and the log is not harmed.
//! 3. [`DerivedError::Damaged`] from a read says that a block inside a run no longer has its
//!    checksum. Then `reset()` and replay the whole log: the answer is right and the next flush
//!    mends the files.

mod account;
mod block;
mod bytes;
mod cache;
mod erased;
pub(crate) mod file;
mod filter;
mod hashes;
mod in_place;
mod list;
mod merge;
mod rows;
mod run;
mod runs;
mod scan;
mod table;
mod taken;
#[cfg(test)]
mod tests;
mod without;
mod write;

use std::path::{Path, PathBuf};

use event::{History, Names, Step};

use account::Gather;
pub use cache::{Cache, Row, Rows};
pub(crate) use erased::{Erasures, GoneEvents, SubjectTag};
pub(crate) use filter::Filter;
use run::{Run, name_hash};
use runs::Runs;
pub(crate) use runs::{Cover, Merge};
pub(crate) use scan::Scan;
pub(crate) use table::PlainMap;
use table::{Steps, Table};
pub(crate) use taken::Taken;

/// 16 bytes of a hash over (account, id). It must be a hash: lookups rely on its bytes being
/// evenly spread. Two events of a log never have the same.
pub(crate) type IdTag = [u8; 16];

/// Where a frame begins in the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Place {
    /// The segment's number.
    pub(crate) segment: u64,
    /// The byte in the segment's file.
    pub(crate) offset: u64,
}

/// Where the last batch that a run covers ends: by this the log can tell whether the run was made
/// from this very log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Anchor {
    /// The first byte after the batch, when the run was made: elsewhere, once its segment is shrunk.
    pub(crate) end: Place,
    /// The batch's chained checksum, with zeros behind it if it is shorter.
    pub(crate) checksum: [u8; 32],
}

/// One event as the log holds it, for [`Derived::append`].
#[derive(Debug, Clone, Copy)]
pub(crate) struct Entry<'a> {
    /// What a fold reads of the event but for its texts. Positions go up, and revisions within an
    /// account; there may be gaps.
    pub(crate) step: Step,
    /// The account's name.
    pub(crate) account: &'a str,
    /// The text of the step's `subject`.
    pub(crate) subject: Option<&'a str>,
    /// The text of the step's `word`.
    pub(crate) word: Option<&'a str>,
    /// Its account's ordinal.
    pub(crate) ordinal: u64,
    /// Its account's secret, from the name frame.
    pub(crate) secret: [u8; 32],
    /// The head of the account's chain after this event; zeros where nobody keeps it.
    pub(crate) chain: [u8; 32],
    /// The tag of (account, id).
    pub(crate) tag: IdTag,
    /// Where the event's frame begins.
    pub(crate) place: Place,
}

/// What is left in the log of an event, for [`Derived::append_gone`].
#[derive(Debug, Clone, Copy)]
pub(crate) struct GoneEntry<'a> {
    pub(crate) account: &'a str,
    pub(crate) ordinal: u64,
    pub(crate) secret: &'a [u8; 32],
    pub(crate) position: u64,
    pub(crate) revision: u64,
    pub(crate) place: Place,
    /// What its envelope says, and the tag of its subject; none if that was erased too.
    pub(crate) left: Option<(Step, SubjectTag)>,
}

/// What an append must know of an account.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Head<S = String> {
    /// The name.
    pub(crate) account: S,
    /// The number.
    pub(crate) ordinal: u64,
    /// The next revision: the count of its events.
    pub(crate) count: u64,
    /// The secret.
    pub(crate) secret: [u8; 32],
    /// The chain's head as given with the last event; zeros where nobody keeps it.
    pub(crate) chain: [u8; 32],
}

impl Head<&str> {
    /// The same with a name of its own.
    pub(crate) fn into_owned(self) -> Head {
        let Head { ordinal, count, secret, chain, .. } = self;
        Head { account: self.account.to_owned(), ordinal, count, secret, chain }
    }
}

/// All that is derived of one account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Account {
    /// Number, count, secret, chain.
    pub(crate) head: Head,
    /// What a fold reads, in fold order; names numbered as [`History::of`] does.
    pub(crate) history: History,
    /// (revision, where its frame begins) of each step, by revision.
    pub(crate) places: Vec<(u64, Place)>,
    /// What was erased of it.
    pub(crate) gone: GoneEvents,
}

/// How to open.
#[derive(Debug, Clone)]
pub(crate) struct Options {
    /// The store's `derived/` folder. A writer makes it; for a reader it need not be there.
    pub(crate) dir: PathBuf,
    /// Whose runs count.
    pub(crate) store: [u8; 16],
    /// Whether to clean up and write. One at a time: the log's lock sees to that.
    pub(crate) writer: bool,
    /// The table's size in memory, in bytes, from which [`Derived::is_full`] says so.
    pub(crate) table_bytes: usize,
}

impl Options {
    /// As most want it: a table of 64 MiB.
    pub(crate) fn new(dir: &Path, store: [u8; 16], writer: bool) -> Options {
        Options { dir: dir.to_owned(), store, writer, table_bytes: 64 << 20 }
    }
}

/// Why reading or writing derived files failed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum DerivedError {
    /// The file system said so.
    #[error("{path}: {source}", path = path.display())]
    Io {
        /// The file or folder.
        path: PathBuf,
        /// What it said.
        source: std::io::Error,
    },
    /// They could not be made anew from the log: make them anew before asking again.
    #[error("the derived files could not be made anew")]
    Lost,
    /// Something was taken out of a run since it was opened: open it again.
    #[error("{path}: something was taken out of it meanwhile", path = path.display())]
    Moved {
        /// The run.
        path: PathBuf,
    },
    /// A run that was sound when opened is not: make it anew from the log.
    #[error("{path}: the derived block at byte {offset} is damaged: {what}", path = path.display())]
    Damaged {
        /// The run.
        path: PathBuf,
        /// The block.
        offset: u64,
        /// What is wrong with it.
        what: &'static str,
    },
}

/// The table in memory and the runs behind it.
#[derive(Debug)]
pub(crate) struct Derived {
    options: Options,
    runs: Runs,
    table: Table,
    /// The next position that `append` may be given.
    next: u64,
    pub(crate) erasures: Erasures,
    /// As many of them are in runs.
    erasures_in_runs: usize,
}

impl Derived {
    /// Opens the runs that form a sound cover of positions from 0 upward. `is_ours` is asked, for
    /// each run that is sound in itself, whether the log has at `anchor` a batch that ends there
    /// with that checksum, after which the next position is `to`, all of it durable.
    ///
    /// A writer also deletes what is left over: temporary files, runs that are damaged, replaced or
    /// not of this log.
    ///
    /// # Errors
    /// Only [`DerivedError::Io`], for the folders themselves; a run that cannot be read is left out.
    pub(crate) fn open(
        options: Options,
        is_ours: impl FnMut(u64, &Anchor) -> bool,
    ) -> Result<Derived, DerivedError> {
        let dir = options.dir.join("runs");
        let runs = Runs::open(dir, options.store, options.writer, is_ours)?;
        let next = runs.covered().map_or(0, |(to, _)| to);
        let mut erasures = Erasures::default();
        for run in &runs.runs {
            let damaged = |what| run.damaged(run.footer.erasures.offset, what);
            erasures.take(&run.erasures()?).map_err(damaged)?;
        }
        let erasures_in_runs = erasures.count();
        Ok(Derived { options, runs, table: Table::default(), next, erasures, erasures_in_runs })
    }

    /// The positions that the runs cover, and where the log goes on after them: replay from there.
    /// `None`: nothing is covered, replay from the log's beginning.
    pub(crate) fn covered(&self) -> Option<(u64, Anchor)> {
        self.runs.covered()
    }

    /// The next position expected by `append`: runs and table together.
    pub(crate) const fn next_position(&self) -> u64 {
        self.next
    }

    /// Takes in the next event of the log.
    ///
    /// # Panics
    /// If its position is below [`Derived::next_position`], or its revision below the account's
    /// count in the table, or the account's ordinal is another than before.
    pub(crate) fn append(&mut self, entry: &Entry<'_>) {
        let position = entry.step.position;
        assert!(position >= self.next, "position {position} is below {}", self.next);
        self.next = position + 1;
        self.table.append(entry);
    }

    /// Takes in what is left of the next event of the log, of an account that has its name.
    ///
    /// # Panics
    /// As [`Derived::append`].
    pub(crate) fn append_gone(&mut self, entry: &GoneEntry<'_>) {
        self.pass(entry.position);
        self.table.append_gone(entry);
    }

    /// Passes over the next event of the log, of which nothing is known any more.
    ///
    /// # Panics
    /// As [`Derived::append`].
    pub(crate) fn pass(&mut self, position: u64) {
        assert!(position >= self.next, "position {position} is below {}", self.next);
        self.next = position + 1;
    }

    /// Whether the table has reached its size: time for [`Derived::flush`].
    pub(crate) fn is_full(&self) -> bool {
        self.table.memory_bytes() >= self.options.table_bytes
    }

    /// Makes a run of the table and merges neighbours where their sizes call for it. `anchor` is the
    /// end of the last batch, of which every event was appended here. Does nothing when the table
    /// is empty. When it returns, the files are synced and so is their folder.
    ///
    /// # Errors
    /// Nothing is lost then: what was appended is in the table still, or in a run. Only
    /// [`DerivedError::Damaged`], which merging can find in an older run, calls for a `reset`.
    ///
    /// # Panics
    /// If it was not opened as a writer.
    pub(crate) fn flush(&mut self, anchor: &Anchor) -> Result<(), DerivedError> {
        self.add(anchor)?;
        self.runs.merge()
    }

    /// The same without merging: that is for who has time, see [`Derived::to_merge`].
    ///
    /// # Errors
    /// As [`Derived::flush`].
    pub(crate) fn add(&mut self, anchor: &Anchor) -> Result<(), DerivedError> {
        assert!(self.options.writer, "only a writer flushes");
        if self.next > self.runs.covered().map_or(0, |(to, _)| to) {
            let erasures = self.erasures.encode(self.erasures_in_runs);
            self.runs.add(&self.table, &erasures, self.next, anchor)?;
            self.erasures_in_runs = self.erasures.count();
            self.table.clear();
        }
        Ok(())
    }

    /// The neighbouring runs to merge next, if there are too many of a size.
    pub(crate) fn to_merge(&self) -> Option<Merge> {
        self.runs.to_merge()
    }

    /// Puts what was made of a merge in the place of its parts, if they are there still.
    ///
    /// # Errors
    /// If the parts' files cannot be deleted. They count no longer all the same.
    pub(crate) fn put(&mut self, merge: &Merge, run: Run) -> Result<(), DerivedError> {
        self.runs.put(merge, run)
    }

    /// How many runs there are.
    pub(crate) fn run_count(&self) -> usize {
        self.runs.runs.len()
    }

    /// Takes what an erasure took out of the runs that have any of it. What is in memory only stays as it is.
    ///
    /// # Errors
    /// A run may be half of each then: nothing of them must be used any more.
    pub(crate) fn leave_out(&mut self, taken: &Taken) -> Result<(), DerivedError> {
        self.runs.leave_out(taken)
    }

    /// Forgets everything, files too if a writer: the log replays from its beginning.
    ///
    /// # Errors
    /// If a file cannot be deleted. What is in memory is forgotten all the same.
    pub(crate) fn reset(&mut self) -> Result<(), DerivedError> {
        self.table = Table::default();
        self.next = 0;
        self.erasures.clear();
        self.erasures_in_runs = 0;
        self.runs.clear(self.options.writer)
    }

    /// The position of the event of an id, if it is in the log.
    ///
    /// # Errors
    /// See [`DerivedError`].
    pub(crate) fn find_id(&self, tag: &IdTag) -> Result<Option<u64>, DerivedError> {
        if let Some(found) = self.table.find_id(tag) {
            return Ok(Some(found));
        }
        self.cover().find_id(tag)
    }

    /// What the files cover, as of now.
    pub(crate) fn cover(&self) -> Cover {
        self.runs.cover()
    }

    /// What an append must know of an account, if it has an event. Outside the table this reads
    /// and checks 16 KiB: keep the heads of accounts that are written to.
    ///
    /// # Errors
    /// See [`DerivedError`].
    pub(crate) fn head(&self, account: &str) -> Result<Option<Head>, DerivedError> {
        if let Some(head) = self.table.head(account) {
            return Ok(Some(head));
        }
        self.cover().head(account)
    }

    /// The same by the account's number.
    ///
    /// # Errors
    /// See [`DerivedError`].
    pub(crate) fn head_of(&self, ordinal: u64) -> Result<Option<Head>, DerivedError> {
        if let Some(head) = self.table.head_of(ordinal) {
            return Ok(Some(head));
        }
        Ok(self.heads_in_files(vec![ordinal])?.pop())
    }

    /// The heads of the accounts of these numbers, which rise, as far as files have them, in any order:
    /// a tail of the log names accounts by their numbers alone. No block is read twice.
    ///
    /// # Errors
    /// See [`DerivedError`].
    pub(crate) fn heads_in_files(&self, mut ordinals: Vec<u64>) -> Result<Vec<Head>, DerivedError> {
        let mut heads = Vec::new();
        for run in self.runs.runs.iter().rev() {
            if ordinals.is_empty() {
                break;
            }
            run.take_heads(&mut ordinals, &mut heads)?;
        }
        Ok(heads)
    }

    /// All that is derived of one account, if it has an event.
    ///
    /// # Errors
    /// See [`DerivedError`].
    pub(crate) fn account(&self, account: &str) -> Result<Option<Account>, DerivedError> {
        let mut gather = Gather::default();
        let mut history = History {
            account: account.to_owned(),
            names: Names::default(),
            steps: Vec::new(),
            erased: event::ErasedEvents::default(),
        };
        let mut places = Vec::new();
        let mut head = None;
        let hash = name_hash(account);
        for run in &self.runs.runs {
            let found = run.record(account, &hash, |record| {
                gather.add(record, &mut history, Some(&mut places))?;
                Ok((record.first, record.head()))
            })?;
            let Some((first, found)) = found else { continue };
            if head.is_none() {
                run.begins_at(first)?;
            }
            head = Some(found);
        }
        let mut steps = Steps::default();
        if let Some(last) = self.table.part(account, &mut steps) {
            gather.add_in_memory(&steps, &mut history, Some(&mut places));
            head = Some(last);
        }
        gather.end(&mut history, Some(&mut places));
        Ok(head.map(|head| {
            gather.tell(&head.secret, &self.erasures, &mut history);
            Account { head, history, places, gone: gather.gone }
        }))
    }

    /// How many accounts have an event.
    pub(crate) fn accounts(&self) -> u64 {
        let in_runs: u64 = self.runs.runs.iter().map(|run| run.footer.begun).sum();
        in_runs + self.table.begun()
    }

    /// Every account in byte order of names, from `from` on (included) up to `to` (excluded), in
    /// memory of the largest account and some read buffers.
    ///
    /// # Errors
    /// See [`DerivedError`].
    pub(crate) fn scan(
        &self,
        from: Option<&str>,
        to: Option<&str>,
    ) -> Result<Scan<'_>, DerivedError> {
        Scan::new(self, from, to)
    }

    /// At most `parts - 1` names, rising, that cut the accounts into ranges for [`Derived::scan`]
    /// of about equal work: for sharding over threads. What is in the table is not weighed.
    ///
    /// # Errors
    /// See [`DerivedError`].
    pub(crate) fn cuts(&self, parts: usize) -> Result<Vec<String>, DerivedError> {
        let mut fences = Vec::new();
        for run in &self.runs.runs {
            fences.extend(run.fences()?);
        }
        fences.sort_unstable();
        let total: u64 = fences.iter().map(|(_, bytes)| bytes).sum();
        let mut cuts: Vec<String> = Vec::new();
        let mut before = 0;
        for (name, bytes) in fences {
            // A cut for each time that a further share of the whole is full.
            let share = before * parts as u64 / total.max(1);
            if share > cuts.len() as u64 && cuts.last().is_none_or(|cut| cut.as_str() < name) {
                cuts.push(name.to_owned());
            }
            before += bytes;
        }
        Ok(cuts)
    }
}
