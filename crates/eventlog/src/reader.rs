//! Reads a store, beside a writer or without one.

mod erased;
mod parting;
mod shrunk;

use std::collections::HashMap;
use std::path::Path;
use std::sync::{Arc, Mutex, RwLock};
use std::time::Duration;

use commitment::{BATCH_HEADER, Head, MAX_BATCH, find_batch, without_room};
use event::{History, Names, Recorded, Step};

use crate::batches::{Batches, Whole, corrupt};
use crate::decode::{Accounts, Item, each_event, recorded};
use crate::derived::{Derived, DerivedError, Place};
use crate::erase::since::{erased_since, is_erased_since};
use crate::erase::through::through;
use crate::folder::{Folder, Found};
use crate::head_file::Durable;
use crate::index::Index;
use crate::locate::{Locator, event_frame};
use crate::prepare::id_tag;
use crate::recover::check_files;
use crate::storage::{Access, Disk, Storage};
use crate::{OpenError, ReadError, index};

/// Reads a store as it was when opened: up to what was durable then. Needs no lock, and never
/// writes.
pub struct Reader {
    folder: Folder,
    store: [u8; 16],
    end: Durable,
    index: RwLock<Index>,
    locator: Mutex<Locator>,
}

impl Reader {
    /// Opens a store for reading.
    ///
    /// # Errors
    /// [`OpenError`]; a store that is missing is not made.
    pub fn open(dir: &Path) -> Result<Reader, OpenError> {
        Reader::open_on(Arc::new(Disk), dir)
    }

    /// The same on another storage.
    ///
    /// # Errors
    /// As [`Reader::open`].
    pub fn open_on(storage: Arc<dyn Storage>, dir: &Path) -> Result<Reader, OpenError> {
        let folder = through(Folder::new(storage, dir))?;
        // Asked before HEAD is read: a writer that comes in between can only add to the log.
        let is_written = folder.is_written();
        let bytes = match folder.look()? {
            Found::Store(head) => head,
            Found::Missing | Found::Vacant => {
                return Err(OpenError::Missing { path: dir.to_owned() });
            }
            Found::Headless => Vec::new(),
        };
        let head = Head::decode(&bytes).map_err(|fault| {
            let divergence = Box::new(commitment::Divergence::new("HEAD", fault));
            OpenError::Corrupt { path: folder.log(), divergence }
        })?;
        if let Err(error) = check_files(&folder, &head) {
            // Unless a writer came in between, and the files are those of another HEAD.
            let is_same = matches!(folder.look(), Ok(Found::Store(again)) if again == bytes);
            if is_same && !folder.is_written() {
                return Err(error);
            }
        }
        let now = &head.now;
        let mut end = Durable::of(now);
        if !now.shut && !is_written {
            end = go_on(&folder, now.store, end)?;
        }
        let index = index::open(&folder, now.store, end, false)?;
        Ok(Reader {
            folder,
            store: now.store,
            end,
            index: RwLock::new(index),
            locator: Mutex::new(Locator::default()),
        })
    }

    /// How many events it reads: the positions below this.
    #[must_use]
    pub fn size(&self) -> u64 {
        self.end.events
    }

    /// The store's random id.
    #[must_use]
    pub fn store(&self) -> [u8; 16] {
        self.store
    }

    /// Where what it reads ends.
    pub(crate) fn end(&self) -> Durable {
        self.end
    }

    /// How many accounts have an event.
    #[must_use]
    pub fn accounts(&self) -> u64 {
        self.index.read().expect(WHOLE).derived.accounts()
    }

    /// What a fold reads of one account, in fold order; `None` if it has no event. Other accounts
    /// are not read.
    ///
    /// # Errors
    /// [`ReadError`]
    pub fn account_history(&self, account: &str) -> Result<Option<History>, ReadError> {
        Ok(self.ask(|derived| derived.account(account))?.map(|account| account.history))
    }

    /// One account's events that are whole, by revision; none if it has no event.
    ///
    /// # Errors
    /// [`ReadError`]
    pub fn account_events(&self, account: &str) -> Result<Vec<Recorded>, ReadError> {
        let Some(found) = self.ask(|derived| derived.account(account))? else {
            return Ok(Vec::new());
        };
        let steps: HashMap<u64, &Step> =
            found.history.steps.iter().map(|step| (step.revision, step)).collect();
        let mut events = Vec::with_capacity(found.places.len());
        let erased = &found.history.erased.contents;
        for (revision, place) in &found.places {
            if erased.binary_search(revision).is_ok() {
                continue;
            }
            let event =
                steps.get(revision).and_then(|step| self.event_of(&found.history, step, *place));
            match event {
                Some(event) => events.push(event),
                // The log or what is derived of it is not as it was written. The log decides.
                None => return self.filtered(|event| event.event.account == account),
            }
        }
        Ok(events)
    }

    /// The event at a position; `None` if it was erased, and at or behind [`Reader::size`].
    ///
    /// # Errors
    /// [`ReadError`]
    pub fn event_at(&self, position: u64) -> Result<Option<Recorded>, ReadError> {
        if position >= self.size() {
            return Ok(None);
        }
        // Of an event that was erased there is none to give: told by its own frame, not by its absence.
        let mut is_erased = false;
        let known = (|| {
            let mut locator = self.locator.lock().expect(WHOLE);
            let place = locator.find(&self.folder, self.end, position).ok()?.place;
            let bytes = locator.frame(&self.folder, self.end, place).ok()?;
            let frame = event_frame(&self.folder, place, bytes).ok()?;
            is_erased = frame.is_none();
            let (envelope, _) = frame?;
            drop(locator);
            let head = self.ask(|d| d.head_of(u64::from(envelope.ordinal))).ok()??;
            let account = self.ask(|derived| derived.account(&head.account)).ok()??;
            let step = account.history.steps.iter().find(|step| step.position == position)?;
            self.event_of(&account.history, step, place)
        })();
        match known {
            Some(event) => Ok(Some(event)),
            None if is_erased => Ok(None),
            None => Ok(self.filtered(|event| event.position == position)?.pop()),
        }
    }

    /// Every account's history, in byte order of names, in memory of the largest account.
    ///
    /// # Errors
    /// What `take` says, or [`ReadError`].
    pub fn for_each_account<E: From<ReadError>>(
        &self,
        take: impl FnMut(&History) -> Result<(), E>,
    ) -> Result<(), E> {
        self.for_accounts(None, None, take)
    }

    /// The same for the accounts from `from` (included) to `to` (excluded): for working on several
    /// ranges at once, see [`Reader::cuts`].
    ///
    /// # Errors
    /// What `take` says, or [`ReadError`].
    pub fn for_accounts<E: From<ReadError>>(
        &self,
        from: Option<&str>,
        to: Option<&str>,
        mut take: impl FnMut(&History) -> Result<(), E>,
    ) -> Result<(), E> {
        let mut history = History {
            account: String::new(),
            names: event::Names::default(),
            steps: Vec::new(),
            erased: event::ErasedEvents::default(),
        };
        let mut last: Option<String> = None;
        let mut again = Again::default();
        loop {
            let index = self.index.read().expect(WHOLE);
            let failed = match index.derived().and_then(|d| d.scan(last.as_deref().or(from), to)) {
                Err(e) => e,
                Ok(mut scan) => loop {
                    match scan.next_into(&mut history) {
                        Ok(false) => return Ok(()),
                        Err(e) => break e,
                        // What was given before damage was met is not given again.
                        Ok(true) if last.as_ref().is_some_and(|l| *l >= history.account) => {}
                        Ok(true) => {
                            take(&history)?;
                            history.account.clone_into(last.get_or_insert_default());
                        }
                    }
                },
            };
            drop(index);
            self.mend(&failed, &mut again)?;
        }
    }

    /// At most `parts - 1` names that cut the accounts into ranges of about equal work.
    ///
    /// # Errors
    /// [`ReadError`]
    pub fn cuts(&self, parts: usize) -> Result<Vec<String>, ReadError> {
        self.ask(|derived| derived.cuts(parts))
    }

    /// Every event, in the order of the log, in memory of a batch.
    ///
    /// # Errors
    /// What `take` says, or [`ReadError`].
    pub fn scan<E: From<ReadError>>(
        &self,
        mut take: impl FnMut(Recorded) -> Result<(), E>,
    ) -> Result<(), E> {
        self.each(|recorded| take(recorded.into_owned()))
    }

    /// The same, with texts borrowed from where the batch was read.
    ///
    /// # Errors
    /// As [`Reader::scan`].
    pub fn scan_borrowed<E: From<ReadError>>(
        &self,
        take: impl FnMut(Recorded<&str>) -> Result<(), E>,
    ) -> Result<(), E> {
        self.each(take)
    }

    fn each<E: From<ReadError>>(
        &self,
        mut take: impl FnMut(Recorded<&str>) -> Result<(), E>,
    ) -> Result<(), E> {
        let stop = Place { segment: self.end.segment, offset: self.end.offset };
        let mut batches = Batches::new(&self.folder, self.store, stop);
        let mut accounts = Accounts::new();
        loop {
            let position = batches.position;
            let next = batches.next().map_err(|error| self.settled(error))?;
            let Some(Whole { place, bytes: batch }) = next else { return Ok(()) };
            let each =
                each_event::<Stop<E>>(batch, place, position, &mut accounts, |item| match item {
                    Item::Event(recorded, _) => take(recorded).map_err(Stop::Taker),
                    Item::Gone(_) | Item::Erasure(..) => Ok(()),
                });
            each.map_err(|stop| match stop {
                Stop::Fault(f) => {
                    self.settled(corrupt(&self.folder, place.segment, f, Some(position))).into()
                }
                Stop::Taker(e) => e,
            })?;
        }
    }

    /// The events that are wanted, from the log alone.
    fn filtered(
        &self,
        wanted: impl Fn(&Recorded<&str>) -> bool,
    ) -> Result<Vec<Recorded>, ReadError> {
        let mut events = Vec::new();
        self.each::<ReadError>(|recorded| {
            if wanted(&recorded) {
                events.push(recorded.into_owned());
            }
            Ok(())
        })?;
        Ok(events)
    }

    /// The event of a frame, if log and derived files say the same of it.
    fn event_of(&self, history: &History, step: &Step, place: Place) -> Option<Recorded> {
        let account = history.account.as_str();
        let mut locator = self.locator.lock().expect(WHOLE);
        let bytes = locator.frame(&self.folder, self.end, place).ok()?;
        let (envelope, content) = event_frame(&self.folder, place, bytes).ok()??;
        let event = recorded(&envelope, content, account, step.position, step.revision).ok()?;
        let event = event.into_owned();
        drop(locator);
        let mut names = Names::default();
        let read = Step::of(&event, &mut names);
        let is_recorded_so = read == Step { subject: read.subject, word: read.word, ..*step }
            && texts(&read, &names) == texts(step, &history.names);
        let found =
            self.ask(|derived| derived.find_id(&id_tag(account, &event.event.id))).ok()??;
        (is_recorded_so && found == step.position).then_some(event)
    }

    /// Asks the derived files; if an erasure changed them they are opened again, if they turn out damaged they are made
    /// anew in memory.
    fn ask<T>(
        &self,
        question: impl Fn(&Derived) -> Result<T, DerivedError>,
    ) -> Result<T, ReadError> {
        let mut again = Again::default();
        loop {
            let answer = self.index.read().expect(WHOLE).derived().and_then(&question);
            match answer {
                Ok(answer) => return Ok(answer),
                Err(error) => self.mend(&error, &mut again)?,
            }
        }
    }

    /// Brings the derived files to where they can be asked again after an error.
    fn mend(&self, error: &DerivedError, again: &mut Again) -> Result<(), ReadError> {
        let mut index = self.index.write().expect(WHOLE);
        if let (DerivedError::Moved { .. }, Some(wait)) = (error, again.waits.next()) {
            std::thread::sleep(wait);
            *index = index::open(&self.folder, self.store, self.end, false)?;
            return Ok(());
        }
        if std::mem::replace(&mut again.is_anew, true) {
            return Err(index::failed(&self.folder, error));
        }
        self.made_anew(&mut index)
    }

    /// Makes the derived files anew, in memory.
    fn rebuild(&self) -> Result<(), ReadError> {
        self.made_anew(&mut self.index.write().expect(WHOLE))
    }

    fn made_anew(&self, index: &mut Index) -> Result<(), ReadError> {
        let made =
            index::steadily(&self.folder, || index.rebuild(&self.folder, self.store, self.end));
        made.map_err(|error| self.settled(error))
    }

    /// Whether an erasure was recorded since this was opened, or that cannot be told: then what was read here must not be
    /// kept, it may have been taken out.
    #[must_use]
    pub fn may_be_erased_since(&self) -> bool {
        erased_since(&self.folder, self.end).unwrap_or(true)
    }

    /// What is not as it was when this was opened need not be damage.
    fn settled(&self, error: ReadError) -> ReadError {
        match error {
            ReadError::Corrupt { path, .. } if is_erased_since(&self.folder, self.end) => {
                ReadError::Erasing { path }
            }
            error => error,
        }
    }
}

/// How often the derived files may be mended for one question.
struct Again {
    /// How long to wait each time before they are opened again: an erasure may go on still.
    waits: std::array::IntoIter<Duration, 5>,
    /// Whether they were made anew.
    is_anew: bool,
}

impl Default for Again {
    fn default() -> Again {
        let waits = [0, 2, 10, 50, 250].map(Duration::from_millis).into_iter();
        Again { waits, is_anew: false }
    }
}

/// The texts of a step's subject and word.
fn texts<'n>(step: &Step, names: &'n Names) -> [Option<&'n str>; 2] {
    [step.subject, step.word].map(|id| id.map(|id| names.get(id)))
}

const WHOLE: &str = "a thread panicked while it read";

enum Stop<E> {
    Fault(commitment::Fault),
    Taker(E),
}

impl<E> From<commitment::Fault> for Stop<E> {
    fn from(fault: commitment::Fault) -> Self {
        Stop::Fault(fault)
    }
}

/// Over the whole batches behind the end that `HEAD` names: after loss of power they may be there,
/// and acknowledged. What stops it must be a torn end, as recovery would have it.
fn go_on(folder: &Folder, store: [u8; 16], mut end: Durable) -> Result<Durable, ReadError> {
    let far = Place { segment: u64::MAX, offset: 0 };
    let mut batches = Batches::new(folder, store, far).from(end);
    let stopped = loop {
        match batches.next() {
            Ok(Some(_)) => end = batches.at(),
            Ok(None) => return Ok(end),
            Err(stopped) => break stopped,
        }
    };
    let Place { segment, offset } = batches.place;
    let Ok(file) = folder.storage.open(&folder.segment(segment), Access::Read) else {
        return Ok(end);
    };
    let path = folder.segment(segment);
    let mut rest = vec![0; BATCH_HEADER + MAX_BATCH];
    let mut read = file.read_at(&mut rest, offset).map_err(ReadError::io("read", &path))?;
    let mut has_more = find_batch(rest[..read].get(1..).unwrap_or_default(), &store).is_some();
    let mut at = offset;
    // Behind it there may be room, but no more.
    while read > 0 && !has_more {
        at += read as u64;
        read = file.read_at(&mut rest, at).map_err(ReadError::io("read", &path))?;
        has_more = without_room(&rest[..read]) > 0;
    }
    if has_more { Err(stopped) } else { Ok(end) }
}
