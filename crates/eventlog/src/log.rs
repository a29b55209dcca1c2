//! The one writer of a store: stages what threads append, and writes it by one sync for all.

mod accounts;
mod lookup;
mod salvage;

use std::path::Path;
use std::sync::{Arc, Condvar, Mutex, MutexGuard};

use accounts::Accounts;
use commitment::{FRAME_HEADER, MAX_BATCH};
use event::{Event, Timestamp};

use crate::encoder::Encoder;
use crate::folder::{Folder, Found};
use crate::head_file::Durable;
use crate::indexer::{Indexer, Recent};
use crate::locate::Locator;
use crate::prepare::{Entered, MAX_CONTENT, Prepared, prepare};
use crate::recover::{corrupt_at, recover};
use crate::storage::{Disk, Lock, Storage};
use crate::tail::{Tail, failed};
use crate::{AppendError, ExpectedRevision, OpenError, Options, Outcome, Recovery, index};

/// From this many bytes on a batch is written before more is staged.
const FULL_BATCH: usize = 4 << 20;
/// It takes one more event then, with a name and a trailer.
const _: () = assert!(MAX_CONTENT + FULL_BATCH + FRAME_HEADER + (1 << 20) < MAX_BATCH);

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
    staged: Vec<Prepared>,
    recent: Recent,
    accounts: Accounts,
    indexer: Indexer,
    locator: Locator,
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
                let divergence = commitment::Divergence {
                    account: None,
                    position: None,
                    revision: None,
                    file: "HEAD".to_owned(),
                    offset: 0,
                    expected: "a HEAD beside the segments".to_owned(),
                    found: "none".to_owned(),
                };
                return Err(corrupt_at(&folder, Box::new(divergence)));
            }
        };
        let recovered = recover(&folder, &head)?;
        let durable = recovered.durable();
        let index = index::open(&folder, recovered.store, durable, true)?;
        let indexer = Indexer::start(&folder, recovered.store, index, durable, options.run_events);
        let run_events = options.run_events;
        let seed = random().map_err(OpenError::io("ask for random bytes for", dir))?;
        let accounts = u32::try_from(recovered.end.accounts).expect("ordinals have 32 bits");
        let pages = recovered.end.pages;
        let encoder =
            Encoder::new(recovered.store, durable, pages, accounts, options.segment_bytes, seed);
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
                durable,
                tail: Some(Tail {
                    head: recovered.head,
                    segment: recovered.file,
                    end: durable,
                    next: None,
                }),
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
        self.append_prepared(prepare(events)?)
    }

    /// The same of events that were prepared, on whichever thread.
    ///
    /// # Errors
    /// [`AppendError`]
    pub fn append_prepared(&self, prepared: Vec<Prepared>) -> Result<Vec<Outcome>, AppendError> {
        let now = (self.options.clock)();
        self.append_at(prepared.into_iter().map(|prepared| (prepared, now)))
    }

    /// The same, each with what the clock says.
    fn append_at(
        &self,
        events: impl Iterator<Item = (Prepared, Timestamp)>,
    ) -> Result<Vec<Outcome>, AppendError> {
        let mut outcomes = Vec::with_capacity(events.size_hint().0);
        let mut state = self.lock();
        for (prepared, now) in events {
            // Others may stage while this waits.
            while state.encoder.len() + prepared.0.content.len() > FULL_BATCH
                && !state.encoder.is_empty()
            {
                state = self.write_out(state)?;
            }
            outcomes.push(self.stage(&mut state, prepared, now)?);
        }
        self.wait_for(state, &outcomes)?;
        Ok(outcomes)
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
        let prepared = prepare(events)?;
        let bytes: usize = prepared.iter().map(|p| p.0.content.len() + 512).sum();
        if bytes > MAX_BATCH / 2 {
            let reason = format!("does not fit into one batch of {} bytes", MAX_BATCH / 2);
            return Err(AppendError::Event { index: 0, reason });
        }
        let now = (self.options.clock)();
        let mut state = self.lock();
        while state.encoder.len() + bytes > MAX_BATCH / 2 && !state.encoder.is_empty() {
            state = self.write_out(state)?;
        }
        let mut all_known = !prepared.is_empty();
        for prepared in &prepared {
            all_known &= self.find(&mut state, &prepared.0)?.is_some();
        }
        if !all_known {
            let found = self.account(&mut state, account)?.map(|account| account.next - 1);
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
        let mut outcomes = Vec::with_capacity(prepared.len());
        for prepared in prepared {
            outcomes.push(self.stage(&mut state, prepared, now)?);
        }
        self.wait_for(state, &outcomes)?;
        Ok(outcomes)
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
        let tail = state.tail.as_mut().expect("nobody else has the log");
        if !tail.head.is_shut() {
            for _ in 0..2 {
                let written = tail.head.write(end, true, true);
                written.map_err(|e| failed("write", &self.folder.head(), &e))?;
            }
        }
        state.indexer.flush(end);
        Ok(())
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // A panic while staging leaves counts that fit no bytes: better to stop there too.
        self.state.lock().expect("a thread panicked in the middle of an append")
    }

    /// Gives an event its place, or finds that it has one.
    fn stage(
        &self,
        state: &mut State,
        prepared: Prepared,
        now: Timestamp,
    ) -> Result<Outcome, AppendError> {
        if let Some(failed) = &state.failed {
            return Err(failed.clone());
        }
        let Prepared(mut entered) = prepared;
        if let Some(outcome) = self.find(state, &entered)? {
            return Ok(outcome);
        }
        let Entered { recorded, content, tag, hash, .. } = &mut *entered;
        let event = &mut recorded.event;
        let mut account = match self.account(state, &event.account)? {
            Some(account) => account,
            None => {
                let (ordinal, secret) = state.encoder.name(&event.account);
                Account { ordinal, secret, next: 0, to: 0 }
            }
        };
        let trusted = event.recorded_at.filter(|_| self.options.trust_recorded_at);
        let named = (account.ordinal, &account.secret);
        let (position, revision) = (state.encoder.position(), account.next);
        let (at, recorded_at, recorded_by) =
            state.encoder.event(event, content, named, trusted, now);
        account.next += 1;
        account.to = position + 1;
        let State { accounts, recent, indexer, .. } = &mut *state;
        accounts.put(&event.account, account, || indexer.covered());
        recent.insert(*tag, position, *hash, || indexer.covered());
        event.recorded_at = trusted;
        (recorded.position, recorded.revision) = (position, revision);
        (recorded.recorded_at, recorded.recorded_by) = (recorded_at, recorded_by);
        (entered.ordinal, entered.secret) = (account.ordinal, account.secret);
        entered.place.offset = at as u64;
        state.staged.push(Prepared(entered));
        Ok(Outcome::Appended { position, revision })
    }

    /// Returns when all that the outcomes speak of is durable.
    fn wait_for<'a>(
        &'a self,
        mut state: MutexGuard<'a, State>,
        outcomes: &[Outcome],
    ) -> Result<(), AppendError> {
        let last = outcomes.iter().map(|outcome| match outcome {
            Outcome::Appended { position, .. }
            | Outcome::Duplicate { position }
            | Outcome::Conflict { position } => *position + 1,
        });
        let size = last.max().unwrap_or(0);
        while state.durable.events < size {
            state = self.write_out(state)?;
        }
        Ok(())
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
        let start = tail.write(&self.folder, &mut batch, self.options.strict_tail);
        std::mem::forget(guard);
        let mut state = self.lock();
        let durable = tail.end;
        state.tail = Some(tail);
        state.spare = batch.bytes;
        self.turn.notify_all();
        match start {
            Ok(start) => {
                state.durable = durable;
                for Prepared(entered) in &mut staged {
                    // What no derived file has need not wait with the rest.
                    entered.content = Vec::new();
                    entered.recorded.event.attributes.clear();
                    entered.place.segment = start.segment;
                    entered.place.offset += start.offset;
                }
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

fn random<const N: usize>() -> std::io::Result<[u8; N]> {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).map_err(|e| std::io::Error::other(e.to_string()))?;
    Ok(bytes)
}
