//! Takes what is durable into the derived files, on a thread of its own: appending does not wait for it.
//!
//! What is on its way is in nobody's files yet, so the writer keeps the ids of it (`recent.rs`) until a
//! run covers them. Everything here can be lost: whoever opens the log next makes it anew.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Arc, Mutex, MutexGuard, RwLock};
use std::thread::JoinHandle;

use crate::ReadError;
use crate::derived::{Cover, Derived, DerivedError, Head, IdTag, Merge, Taken};
use crate::folder::Folder;
use crate::head_file::Durable;
use crate::index::Index;
use crate::prepare::Prepared;

/// Events that are handed over together, unless a run is to be made of them.
const HANDED: usize = 2048;
/// As many times [`HANDED`] wait, then the writer waits too: it goes on meanwhile while a run is made.
/// They take some 40 MB.
const WAITING: usize = 48;

enum Job {
    Append(Vec<Prepared>),
    /// Make a run of what was appended: of all events up to this end.
    Flush(Durable),
    /// Say that all jobs before this one are done.
    Answer(SyncSender<()>),
}

/// The derived files of a log that is written.
pub(crate) struct Indexer {
    shared: Arc<Shared>,
    jobs: Option<SyncSender<Job>>,
    thread: Option<JoinHandle<()>>,
    waiting: Vec<Prepared>,
    /// Events that wait.
    waiting_events: usize,
    /// Events handed over since the last run.
    since: usize,
    /// Events from which a run is made.
    run: usize,
}

struct Shared {
    folder: Folder,
    store: [u8; 16],
    index: Mutex<Index>,
    known: RwLock<Known>,
    /// Events from which a run is made.
    run: u64,
    /// Whether the thread that merges is to leave off.
    stop: AtomicBool,
    /// Whether it met a damaged file: all are to be made anew.
    is_damaged: AtomicBool,
}

/// What can be looked up without the index.
struct Known {
    cover: Cover,
    /// The ids of the positions below this may have been forgotten (`recent.rs`): what no run covers of
    /// them, where files cannot be written, the index alone knows.
    forgotten: u64,
}

impl Indexer {
    /// Over an index that knows all events up to `end`.
    pub(crate) fn start(
        folder: &Folder,
        store: [u8; 16],
        mut index: Index,
        end: Durable,
        run: usize,
    ) -> Indexer {
        index.flush(end);
        let known = RwLock::new(Known { cover: index.derived.cover(), forgotten: end.events });
        let index = Mutex::new(index);
        let shared = Arc::new(Shared {
            folder: folder.clone(),
            store,
            index,
            known,
            run: run as u64,
            stop: AtomicBool::new(false),
            is_damaged: AtomicBool::new(false),
        });
        let (jobs, taken) = sync_channel(WAITING);
        let thread = {
            let shared = Arc::clone(&shared);
            let named = std::thread::Builder::new().name("index".to_owned());
            named.spawn(move || shared.work(&taken)).expect("a thread can be started")
        };
        let (jobs, thread) = (Some(jobs), Some(thread));
        Indexer { shared, jobs, thread, waiting: Vec::new(), waiting_events: 0, since: 0, run }
    }

    /// Takes in what was staged of parcels, the next of the log, which ends at `end` with them.
    pub(crate) fn append(&mut self, parcels: Vec<Prepared>, end: Durable) {
        for parcel in parcels {
            self.waiting_events += parcel.len();
            self.waiting.push(parcel);
            if self.waiting_events >= HANDED {
                self.hand_over();
            }
        }
        if self.since + self.waiting_events >= self.run {
            self.flush(end);
        }
    }

    fn hand_over(&mut self) {
        self.since += std::mem::take(&mut self.waiting_events);
        let events = std::mem::take(&mut self.waiting);
        self.send(Job::Append(events));
    }

    /// Has a run made of all that was taken in.
    pub(crate) fn flush(&mut self, end: Durable) {
        self.hand_over();
        self.send(Job::Flush(end));
        self.since = 0;
    }

    /// Waits until all that was given is taken in, and nothing is at work any more.
    pub(crate) fn settle(&mut self) {
        self.hand_over();
        let (answer, done) = sync_channel(1);
        self.send(Job::Answer(answer));
        let _ = done.recv();
    }

    /// Asks the index, which knows all once it was settled.
    pub(crate) fn ask_all<T>(
        &self,
        question: impl FnOnce(&Derived) -> Result<T, DerivedError>,
    ) -> Result<T, DerivedError> {
        question(self.shared.lock().derived()?)
    }

    /// Makes files of all that was taken in, up to `end`, and takes out of them what an erasure took; false if they may hold it
    /// still. It takes in nothing more.
    pub(crate) fn leave_out(&mut self, taken: &Taken, end: Durable) -> bool {
        self.flush(end);
        self.settle();
        let is_left_out = self.shared.lock().leave_out(taken);
        self.jobs = None;
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
        is_left_out
    }

    fn send(&self, job: Job) {
        // If the thread is gone, a panic took it: what it was to do is lost, and can be made anew.
        let _ = self.jobs.as_ref().expect("until it is dropped").send(job);
    }

    /// The positions below this are in files.
    pub(crate) fn covered(&self) -> u64 {
        self.shared.known.read().expect(WHOLE).cover.to()
    }

    /// The position of the event of an id in the log, but for what was taken in since the log was opened
    /// and is in no file yet.
    pub(crate) fn find_id(&self, tag: &IdTag) -> Result<Option<u64>, DerivedError> {
        self.ask(|cover| cover.find_id(tag), |derived| derived.find_id(tag))
    }

    /// Of each of these ids, whether it may be in the log; with the same exception. Many at a time cost
    /// little: nearly all are new.
    pub(crate) fn may_have<'k>(&self, tags: impl Iterator<Item = &'k IdTag>) -> Vec<bool> {
        let known = self.shared.known.read().expect(WHOLE);
        // Where it cannot be told, or only by the index, each is looked for.
        let is_covered = known.cover.to() >= known.forgotten;
        tags.map(|tag| !is_covered || known.cover.may_have_id(tag).unwrap_or(true)).collect()
    }

    /// What an append must know of an account; with the same exception.
    pub(crate) fn head(&self, account: &str) -> Result<Option<Head>, DerivedError> {
        self.ask(|cover| cover.head(account), |derived| derived.head(account))
    }

    fn ask<T>(
        &self,
        cover: impl FnOnce(&Cover) -> Result<Option<T>, DerivedError>,
        derived: impl FnOnce(&Derived) -> Result<Option<T>, DerivedError>,
    ) -> Result<Option<T>, DerivedError> {
        let known = self.shared.known.read().expect(WHOLE);
        if known.cover.to() >= known.forgotten {
            return cover(&known.cover);
        }
        drop(known);
        derived(self.shared.lock().derived()?)
    }

    /// Makes everything derived anew from the log, which ends at `end`.
    pub(crate) fn rebuild(&mut self, end: Durable) -> Result<(), ReadError> {
        self.waiting.clear();
        (self.waiting_events, self.since) = (0, 0);
        let (answer, done) = sync_channel(1);
        self.send(Job::Answer(answer));
        let _ = done.recv();
        let mut index = self.shared.lock();
        let rebuilt = index.rebuild(&self.shared.folder, self.shared.store, end);
        index.flush(end);
        let cover = index.derived.cover();
        *self.shared.known.write().expect(WHOLE) = Known { cover, forgotten: end.events };
        rebuilt
    }
}

impl Drop for Indexer {
    /// Waits for the thread: another writer may come next.
    fn drop(&mut self) {
        self.jobs = None;
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

const WHOLE: &str = "a thread panicked over the derived files";

/// With so many runs or more they are merged whoever waits.
const MOST_RUNS: usize = 16;

impl Shared {
    fn work(self: &Arc<Shared>, jobs: &Receiver<Job>) {
        // An earlier writer may not have had the time.
        let mut merging = self.merge_beside(None);
        for job in jobs {
            match job {
                Job::Append(parcels) => {
                    let mut index = self.lock();
                    for parcel in &parcels {
                        parcel.entries().for_each(|entry| index.append(&entry));
                    }
                }
                Job::Flush(end) => {
                    if self.is_damaged.load(Ordering::Relaxed) {
                        self.stop(merging.take());
                        self.is_damaged.store(false, Ordering::Relaxed);
                        let _ = self.lock().rebuild(&self.folder, self.store, end);
                    }
                    let mut index = self.lock();
                    index.flush(end);
                    let mut known = self.known.write().expect(WHOLE);
                    known.cover = index.derived.cover();
                    known.forgotten = known.forgotten.max(known.cover.to());
                    drop((known, index));
                    merging = self.merge_beside(merging);
                }
                Job::Answer(done) => {
                    self.stop(merging.take());
                    let _ = done.send(());
                }
            }
        }
        self.stop(merging);
        // What takes about as long as a run did. A larger merge is left to the next writer, who may
        // have more time, as long as there are not too many runs.
        loop {
            let index = self.lock();
            let is_late = index.derived.run_count() >= MOST_RUNS;
            let merge = index.to_merge().filter(|merge| is_late || merge.size() <= self.run);
            drop(index);
            if !merge.is_some_and(|merge| self.merge(&merge)) {
                break;
            }
        }
    }

    /// Merges on a thread of its own while there is something to merge: what is new is taken in
    /// meanwhile.
    fn merge_beside(self: &Arc<Shared>, running: Option<JoinHandle<()>>) -> Option<JoinHandle<()>> {
        if running.as_ref().is_some_and(|thread| !thread.is_finished()) {
            return running;
        }
        self.stop(running);
        let mut merge = self.lock().to_merge()?;
        let shared = Arc::clone(self);
        let named = std::thread::Builder::new().name("merge".to_owned());
        let thread = named.spawn(move || {
            while shared.merge(&merge) {
                let Some(next) = shared.lock().to_merge() else { break };
                merge = next;
            }
        });
        Some(thread.expect("a thread can be started"))
    }

    /// Whether it was merged, and is worth to go on.
    fn merge(&self, merge: &Merge) -> bool {
        match merge.make(&self.stop) {
            Ok(Some(run)) => {
                let mut index = self.lock();
                let is_put = index.derived.put(merge, run).is_ok();
                self.known.write().expect(WHOLE).cover = index.derived.cover();
                is_put
            }
            Ok(None) => false,
            Err(error) => {
                if let DerivedError::Damaged { .. } = error {
                    self.is_damaged.store(true, Ordering::Relaxed);
                }
                false
            }
        }
    }

    /// Has a thread that merges leave off, and waits until it did.
    fn stop(&self, merging: Option<JoinHandle<()>>) {
        self.stop.store(true, Ordering::Relaxed);
        if let Some(thread) = merging {
            let _ = thread.join();
        }
        self.stop.store(false, Ordering::Relaxed);
    }

    fn lock(&self) -> MutexGuard<'_, Index> {
        self.index.lock().expect(WHOLE)
    }
}
