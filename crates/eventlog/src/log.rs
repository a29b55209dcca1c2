//! The one writer of a store: stages what threads append, and writes it by one sync for all.

mod accounts;
mod erase;
mod lookup;
mod salvage;
mod shrink;

use std::path::Path;
use std::sync::{Arc, Condvar, Mutex, MutexGuard};

use accounts::Accounts;
use commitment::{Control, Divergence, Fault, HEAD, MAX_BATCH};
use event::{Event, Timestamp};

use crate::derived::Place;
use crate::encoder::Encoder;
use crate::erase::carry_out;
use crate::erase::tags::Tags;
use crate::folder::{Folder, Found};
use crate::head_file::Durable;
use crate::indexer::Indexer;
use crate::locate::Locator;
use crate::prepare::{Entered, MAX_CONTENT, Prepared, Staged, account_key, prepare};
use crate::recent::Recent;
use crate::recover::{corrupt_at, recover};
use crate::storage::{Disk, Lock, Storage};
use crate::tail::{Tail, failed};
use crate::{AppendError, ExpectedRevision, OpenError, Options, Outcome, Recovery, index};

/// A parcel is staged into a batch that has no more bytes than this with it, or none before it.
const FULL_BATCH: usize = 4 << 20;
/// The bytes that the frames of a parcel may take: with as many trailers as there can be they still fit
/// into a batch.
const FULL_PARCEL: usize = MAX_BATCH / 2;
/// What one event takes at most fits in any case.
const _: () = assert!(MAX_CONTENT + (1 << 20) < FULL_PARCEL);

/// The one writer of a store. Threads may share it: what they append at the same time reaches the
/// disk by one sync.
pub struct Log {
    folder: Folder,
    store: [u8; 16],
    options: Options,
    recovery: Recovery,
    state: Mutex<State>,
    turn: Condvar,
    _lock: Lock,
}

/// What staging needs. Whoever writes takes `tail` out and works without the lock.
struct State {
    encoder: Encoder,
    /// What the batch that is being filled has, parcel by parcel.
    staged: Vec<Prepared>,
    recent: Recent,
    accounts: Accounts,
    indexer: Indexer,
    locator: Locator,
    /// By what events that were erased are told; none if none is refused.
    tags: Option<Tags>,
    /// Where the last duplicate stands: the next one is often the one behind it.
    last_duplicate: Option<u64>,
    durable: Durable,
    tail: Option<Tail>,
    spare: Vec<u8>,
    failed: Option<AppendError>,
}

#[derive(Clone, Copy)]
struct Account {
    ordinal: u32,
    secret: [u8; 32],
    /// The next revision.
    next: u64,
    /// One above the last position that was given to it here; 0 if none was.
    to: u64,
}

impl Log {
    /// Opens a store for writing, or makes a new one in a folder that is missing or empty.
    ///
    /// # Errors
    /// [`OpenError`]; nothing was written then.
    pub fn open(dir: &Path, options: Options) -> Result<Log, OpenError> {
        Log::open_on(Arc::new(Disk), dir, options)
    }

    /// The same on another storage: for tests of what a bad one does.
    ///
    /// # Errors
    /// [`OpenError`]
    pub fn open_on(
        storage: Arc<dyn Storage>,
        dir: &Path,
        options: Options,
    ) -> Result<Log, OpenError> {
        let folder = Folder::new(storage, dir);
        if let Found::Missing = folder.look()? {
            folder.storage.create_folder(dir).map_err(OpenError::io("make the folder", dir))?;
        }
        let lock = folder.lock()?;
        // Looked at again: until the lock was held another may have written.
        let (head, is_new) = match folder.look()? {
            Found::Store(head) => (head, false),
            Found::Vacant | Found::Missing => {
                let id = random::<16>().map_err(OpenError::io("ask for random bytes for", dir))?;
                (folder.create(id, Timestamp::MIN.ms())?, true)
            }
            Found::Headless => {
                let expected = "a HEAD beside the segments".to_owned();
                let fault = Fault { offset: 0, expected, found: "none".to_owned() };
                return Err(corrupt_at(&folder, Box::new(Divergence::new("HEAD", fault))));
            }
        };
        let begun = carry_out::begun(&folder, &head)?;
        let head = match begun {
            Some(_) => folder.read(&folder.head(), 2 * HEAD)?,
            None => head,
        };
        let recovered = recover(&folder, &head)?;
        let durable = recovered.durable();
        let seed = random().map_err(OpenError::io("ask for random bytes for", dir))?;
        let accounts = u32::try_from(recovered.end.accounts).expect("ordinals have 32 bits");
        let pages = recovered.end.pages;
        let mut encoder =
            Encoder::new(recovered.store, durable, pages, accounts, options.segment_bytes, seed);
        let mut tail = Tail {
            head: recovered.head,
            segment: recovered.file,
            end: durable,
            length: recovered.length,
            next: None,
        };
        if let Some(begun) = begun {
            begun.go_on(&folder, &mut encoder, &mut tail, &options)?;
        }
        let durable = tail.end;
        let index = index::open(&folder, recovered.store, durable, true)?;
        let run_events = options.run_events;
        let indexer = Indexer::start(&folder, recovered.store, index, durable, run_events);
        let tags = if options.readmit { None } else { Tags::read(&folder)? };
        Ok(Log {
            folder,
            store: recovered.store,
            options,
            recovery: if is_new { Recovery::Created } else { recovered.recovery },
            state: Mutex::new(State {
                encoder,
                staged: Vec::new(),
                recent: Recent::new(run_events),
                accounts: Accounts::new(run_events),
                indexer,
                locator: Locator::default(),
                last_duplicate: None,
                tags,
                durable,
                tail: Some(tail),
                spare: Vec::new(),
                failed: None,
            }),
            turn: Condvar::new(),
            _lock: lock,
        })
    }

    /// What opening found.
    #[must_use]
    pub fn recovery(&self) -> &Recovery {
        &self.recovery
    }

    /// The store's random id.
    #[must_use]
    pub fn store(&self) -> [u8; 16] {
        self.store
    }

    /// How many events are durable.
    #[must_use]
    pub fn size(&self) -> u64 {
        self.lock().durable.events
    }

    /// Appends events, of any accounts, in this order; answers for each when it is durable.
    /// A conflict does not keep the others from being appended.
    ///
    /// # Errors
    /// [`AppendError`]
    pub fn append(&self, events: Vec<Event>) -> Result<Vec<Outcome>, AppendError> {
        let mut all = Pending::default();
        for parcel in prepare(&events)? {
            all.join(self.stage(parcel)?);
        }
        self.wait(all)
    }

    /// Gives events their places, in this order, and does not wait until they are durable: more can be
    /// staged while they are written. [`Log::wait`] answers for them.
    ///
    /// # Errors
    /// [`AppendError`]; [`AppendError::Event`] too if they are more than one batch holds.
    pub fn stage(&self, prepared: Prepared) -> Result<Pending, AppendError> {
        self.stage_at(prepared, (self.options.clock)())
    }

    /// The same, with what the clock says.
    fn stage_at(&self, mut parcel: Prepared, now: Timestamp) -> Result<Pending, AppendError> {
        parcel.finish();
        let mut state = self.make_room(self.lock(), &parcel)?;
        let outcomes = self.enter(&mut state, parcel, now)?;
        Ok(Pending::of(outcomes))
    }

    /// Answers for what was staged when it is durable.
    ///
    /// # Errors
    /// [`AppendError`]
    pub fn wait(&self, pending: Pending) -> Result<Vec<Outcome>, AppendError> {
        let mut state = self.lock();
        while state.durable.events < pending.size {
            state = self.write_out(state)?;
        }
        Ok(pending.outcomes)
    }

    /// Appends events of one account if its stream ends where the caller thinks. If all of them
    /// are in the log already, that is the answer wherever it ends: so a retry is safe.
    ///
    /// # Errors
    /// [`AppendError::Revision`] if it ends elsewhere, [`AppendError::Event`] if an event is of
    /// another account or they are more than one batch holds; else as [`Log::append`].
    pub fn append_expecting(
        &self,
        account: &str,
        expected: ExpectedRevision,
        events: Vec<Event>,
    ) -> Result<Vec<Outcome>, AppendError> {
        if let Some(index) = events.iter().position(|event| event.account != account) {
            let reason = format!("is of account {:?}, not {account:?}", events[index].account);
            return Err(AppendError::Event { index, reason });
        }
        let mut parcel = Prepared::new();
        for (index, event) in events.iter().enumerate() {
            parcel.push(event).map_err(|reason| AppendError::Event { index, reason })?;
        }
        parcel.finish();
        let now = (self.options.clock)();
        let mut state = self.make_room(self.lock(), &parcel)?;
        let mut all_known = !parcel.is_empty();
        for entered in &parcel.events {
            all_known &= self.find(&mut state, &parcel, entered)?.is_some()
                || is_erased(&state, &parcel, entered);
        }
        if !all_known {
            let first = parcel.events.first();
            let key = first.map_or_else(|| account_key(account), |entered| entered.key.account);
            let found = self.account(&mut state, &key, account)?.map(|known| known.next - 1);
            let fits = match expected {
                ExpectedRevision::Any => true,
                ExpectedRevision::NoStream => found.is_none(),
                ExpectedRevision::Exact(revision) => found == Some(revision),
            };
            if !fits {
                return Err(AppendError::Revision {
                    account: account.to_owned(),
                    expected: match expected {
                        ExpectedRevision::Exact(revision) => format!("revision {revision} last"),
                        _ => "no event".to_owned(),
                    },
                    found: found.map_or("no event".to_owned(), |r| format!("revision {r} last")),
                });
            }
        }
        let outcomes = self.enter(&mut state, parcel, now)?;
        drop(state);
        self.wait(Pending::of(outcomes))
    }

    /// Closes the log cleanly, so that its next writer need not look for what a crash left. Dropping
    /// a log without this is what a crash does.
    ///
    /// # Errors
    /// [`AppendError::Failed`]
    pub fn close(self) -> Result<(), AppendError> {
        let mut state = self.lock();
        while !state.encoder.is_empty() {
            state = self.write_out(state)?;
        }
        if let Some(failed) = &state.failed {
            return Err(failed.clone());
        }
        let end = state.durable;
        state.tail.as_mut().expect("nobody else has the log").close(&self.folder)?;
        state.indexer.flush(end);
        Ok(())
    }

    /// Writes down what the log says of itself, durable when it answers: a policy that is adopted, a signed
    /// statement. For a seal there is [`Log::seal`].
    ///
    /// # Errors
    /// [`AppendError`]
    pub fn record(&self, control: &Control<'_>) -> Result<(), AppendError> {
        self.with_all_written(|_| Ok(Some(control.clone()))).map(|_| ())
    }

    /// Asks `make` for a control frame when all that was staged is written, up to the end that it is given, and
    /// writes it before anything else is staged. Gives where the log ends then.
    pub(crate) fn with_all_written<'c, E: From<AppendError>>(
        &self,
        make: impl FnOnce(Durable) -> Result<Option<Control<'c>>, E>,
    ) -> Result<Durable, E> {
        let mut state = self.all_written()?;
        if let Some(control) = make(state.durable)? {
            state.encoder.control(&control);
            // Nobody else has the end of the log, so this writes just that.
            state = self.write_out(state)?;
        }
        Ok(state.durable)
    }

    /// Waits until all that was staged is written, and nobody writes.
    fn all_written(&self) -> Result<MutexGuard<'_, State>, AppendError> {
        let mut state = self.lock();
        loop {
            if let Some(failed) = &state.failed {
                return Err(failed.clone());
            }
            if state.encoder.is_empty() && state.tail.is_some() {
                return Ok(state);
            }
            state = self.write_out(state)?;
        }
    }

    pub(crate) fn durable(&self) -> Durable {
        self.lock().durable
    }

    pub(crate) fn folder(&self) -> &Folder {
        &self.folder
    }

    pub(crate) fn now_ms(&self) -> i64 {
        (self.options.clock)().ms()
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // A panic while staging leaves counts that fit no bytes: better to stop there too.
        self.state.lock().expect("a thread panicked in the middle of an append")
    }

    /// Writes what is staged until a parcel fits behind it. Others may stage while this waits.
    fn make_room<'a>(
        &'a self,
        mut state: MutexGuard<'a, State>,
        parcel: &Prepared,
    ) -> Result<MutexGuard<'a, State>, AppendError> {
        let bytes = parcel.frame_bytes();
        if bytes > FULL_PARCEL {
            let reason = format!("does not fit into one batch of {FULL_PARCEL} bytes");
            return Err(AppendError::Event { index: 0, reason });
        }
        while state.encoder.len() + bytes > FULL_BATCH && !state.encoder.is_empty() {
            state = self.write_out(state)?;
        }
        Ok(state)
    }

    /// Gives the events of a parcel their places, or finds which they have.
    fn enter(
        &self,
        state: &mut State,
        mut parcel: Prepared,
        now: Timestamp,
    ) -> Result<Vec<Outcome>, AppendError> {
        if let Some(failed) = &state.failed {
            return Err(failed.clone());
        }
        let mut events = std::mem::take(&mut parcel.events);
        let first = state.encoder.position();
        // Both are asked at once: what is forgotten later was in no file before.
        let mut known = state.indexer.may_have(events.iter().map(|entered| &entered.key.id));
        for (known, entered) in known.iter_mut().zip(&events) {
            *known |= state.recent.get(&entered.key.id).is_some();
        }
        // As above, many at a time cost little: what is looked at here is near when it is needed.
        let keys = events.iter().map(|entered| &entered.key.account);
        state.accounts.reserve_for(keys);
        let each = events.iter_mut().zip(known);
        let outcomes = each
            .map(|(entered, may_be_known)| {
                let known = match may_be_known {
                    true => self.find(state, &parcel, entered)?,
                    // Unless it comes twice in the parcel.
                    false => {
                        let twin = state.recent.get_from(first, &entered.key.id);
                        twin.map(|twin| twin.outcome(&entered.key))
                    }
                };
                if known.is_none() && is_erased(state, &parcel, entered) {
                    return Ok(Outcome::Erased);
                }
                known.map_or_else(|| self.enter_one(state, &parcel, entered, now), Ok)
            })
            .collect();
        parcel.events = events;
        // Also if one failed: those before it are in the batch.
        if parcel.events.iter().any(|entered| entered.staged.is_some()) {
            state.staged.push(parcel);
        }
        outcomes
    }

    fn enter_one(
        &self,
        state: &mut State,
        parcel: &Prepared,
        entered: &mut Entered,
        now: Timestamp,
    ) -> Result<Outcome, AppendError> {
        let (key, name) = (&entered.key.account, parcel.account(entered));
        let mut account = match self.account(state, key, name)? {
            Some(account) => account,
            None => {
                let (ordinal, secret) = state.encoder.name(name);
                Account { ordinal, secret, next: 0, to: 0 }
            }
        };
        let Account { ordinal, secret, next: revision, .. } = account;
        let position = state.encoder.position();
        let trusted = entered.recorded_at.filter(|_| self.options.trust_recorded_at);
        let texts = (parcel.about(entered), parcel.content(entered));
        let (offset, recorded_at, recorded_by) =
            state.encoder.event(entered, texts, (ordinal, &secret), trusted, now);
        account.next += 1;
        account.to = position + 1;
        let State { accounts, recent, indexer, .. } = state;
        accounts.put(key, account, || indexer.covered());
        recent.insert(&entered.key, position, || indexer.covered());
        let step = &mut entered.step;
        (step.position, step.revision) = (position, revision);
        (step.recorded_at, step.recorded_by) = (recorded_at, recorded_by);
        let place = Place { segment: 0, offset: offset as u64 };
        entered.staged = Some(Staged { ordinal, secret, place });
        Ok(Outcome::Appended { position, revision })
    }

    /// Writes what is staged, or waits while another does. Afterwards something was written that
    /// was staged before, by whomever.
    fn write_out<'a>(
        &'a self,
        mut state: MutexGuard<'a, State>,
    ) -> Result<MutexGuard<'a, State>, AppendError> {
        if let Some(failed) = &state.failed {
            return Err(failed.clone());
        }
        if state.encoder.is_empty() && state.tail.is_some() {
            return Ok(state);
        }
        let Some(mut tail) = state.tail.take() else {
            return Ok(self
                .turn
                .wait(state)
                .expect("a thread panicked in the middle of an append"));
        };
        let spare = std::mem::take(&mut state.spare);
        let mut batch = state.encoder.take(spare);
        let mut staged = std::mem::take(&mut state.staged);
        drop(state);
        let guard = Abandoned(self);
        let start = tail.write(&self.folder, &mut batch, &self.options);
        std::mem::forget(guard);
        let mut state = self.lock();
        let durable = tail.end;
        state.tail = Some(tail);
        state.spare = batch.bytes;
        self.turn.notify_all();
        match start {
            Ok(start) => {
                state.durable = durable;
                staged.iter_mut().for_each(|parcel| parcel.written(start));
                state.indexer.append(staged, durable);
                Ok(state)
            }
            Err(error) => {
                state.failed = Some(error.clone());
                Err(error)
            }
        }
    }
}

/// Whether an event that the log does not have was erased.
fn is_erased(state: &State, parcel: &Prepared, event: &Entered) -> bool {
    let has = |tags: &Tags| tags.has(parcel.account(event), parcel.id(event));
    state.tags.as_ref().is_some_and(has)
}

/// What was staged and is not durable yet. Whoever drops it learns nothing of it, and it is written all
/// the same.
#[derive(Debug, Default)]
#[must_use = "what is staged is durable once it was waited for"]
pub struct Pending {
    outcomes: Vec<Outcome>,
    /// How many events are in the log when all that the outcomes speak of is durable.
    size: u64,
}

impl Pending {
    fn of(outcomes: Vec<Outcome>) -> Pending {
        let end = |outcome: &Outcome| match outcome {
            Outcome::Appended { position, .. }
            | Outcome::Duplicate { position }
            | Outcome::Conflict { position } => *position + 1,
            Outcome::Erased => 0,
        };
        let size = outcomes.iter().map(end).max().unwrap_or(0);
        Pending { outcomes, size }
    }

    /// Waits for both together.
    fn join(&mut self, mut next: Pending) {
        self.outcomes.append(&mut next.outcomes);
        self.size = self.size.max(next.size);
    }
}

/// Whoever writes and panics must not leave the others waiting for it: the log takes nothing more.
struct Abandoned<'a>(&'a Log);

impl Drop for Abandoned<'_> {
    fn drop(&mut self) {
        if let Ok(mut state) = self.0.state.lock() {
            let path = &self.0.folder.log();
            state.failed = Some(failed("write", path, &std::io::Error::other("a panic")));
        }
        self.0.turn.notify_all();
    }
}

pub(crate) fn random<const N: usize>() -> std::io::Result<[u8; N]> {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).map_err(|e| std::io::Error::other(e.to_string()))?;
    Ok(bytes)
}
