//! Checks the files of a log on all cores.
//!
//! Each thread takes the next piece of the log and looks at it by itself, which is most of the work; when
//! its turn comes it holds what it saw against the log before it. So what is found is what one thread
//! would find.

use std::num::NonZero;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

use commitment::{Divergence, Envelope, Level, LogCheck, Looked, Report};
use event::canonical::Content;

use crate::ids::{Ids, Part};
use crate::pieces::Pieces;
use crate::{LogFiles, ReadError};

/// What a thread makes of the events that it looks at.
pub trait Taker: Send {
    /// What is kept of an event until its place in the log is known.
    type Told: Copy + Send;

    /// An event that is sound by itself.
    fn look(&mut self, envelope: &Envelope, content: &Content<&str>) -> Self::Told;

    /// The places of some that are sound in the log, up to them.
    fn take(&mut self, events: &[(Placed, Self::Told)]);
}

/// For whoever asks for the report alone.
impl Taker for () {
    type Told = ();
    fn look(&mut self, _: &Envelope, _: &Content<&str>) {}
    fn take(&mut self, _: &[(Placed, ())]) {}
}

/// Where an event stands.
#[derive(Debug, Clone, Copy)]
pub struct Placed {
    /// Its place in the log.
    pub position: u64,
    /// Its place among its account's events.
    pub revision: u64,
    /// Its account's number.
    pub ordinal: u32,
}

/// What a sound log is, and what was made of its events.
pub struct CheckedLog<T> {
    /// What it is.
    pub report: Report,
    /// One a thread.
    pub takers: Vec<T>,
    /// The accounts' names, by their ordinals (at [`Level::Full`]).
    pub accounts: Vec<Box<str>>,
}

impl LogFiles {
    /// Checks all of the log, on all cores; `on_bytes` hears of what was read. Each thread has a taker of
    /// its own.
    ///
    /// Memory: some batches a thread, an entry an account, and at [`Level::Full`] 8 bytes an event up to
    /// some 2 million events; those of more lie in a temporary file, in the system's folder for such.
    ///
    /// # Errors
    /// The first byte that is not as it was written, or [`ReadError`].
    pub fn check<T: Taker, E>(
        &self,
        level: Level,
        taker: impl Fn() -> T + Sync,
        on_bytes: impl Fn(u64) + Sync,
    ) -> Result<CheckedLog<T>, E>
    where
        E: From<Box<Divergence>> + From<ReadError> + Send,
    {
        let end = |check: LogCheck| {
            let accounts = check.accounts().map(|(name, _)| name.into()).collect();
            Ok::<_, E>((check.finish()?, accounts))
        };
        let check = LogCheck::new(level, self.head())?;
        let ((report, accounts), takers) = self.check_by(check, level, taker, on_bytes, end)?;
        Ok(CheckedLog { report, takers, accounts })
    }

    /// Walks some pieces on all cores; gives the check as it stands behind them, and what the threads made of them.
    pub(crate) fn walk<T: Taker, E>(
        &self,
        check: LogCheck,
        level: Level,
        pieces: Pieces<'_>,
        taker: impl Fn() -> T + Sync,
        on_bytes: impl Fn(u64) + Sync,
    ) -> (Result<LogCheck, E>, Vec<T>)
    where
        E: From<Box<Divergence>> + From<ReadError> + Send,
    {
        let store = check.store();
        let pieces = Mutex::new(pieces);
        let turns = Turns::new(check);
        let work = || {
            let _guard = Guard(&turns);
            let (mut taker, mut placed) = (taker(), Vec::new());
            let mut buffer = Vec::new();
            loop {
                let piece = lock(&pieces).next(&mut buffer);
                let Some((number, begins)) = piece else { break };
                let at_start = matches!(begins, Ok(Some(_)));
                let looked = Looked::of(level, &store, &buffer, at_start, |envelope, content| {
                    taker.look(envelope, content)
                });
                let is_sound = turns.take(number, |check| {
                    if let Some(name) = begins? {
                        check.file(name)?;
                    }
                    check.feed_looked(&looked, &mut |checked, told| {
                        let (position, revision) = (checked.position, checked.revision);
                        placed
                            .push((Placed { position, revision, ordinal: checked.ordinal }, *told));
                    })?;
                    Ok(())
                });
                if !is_sound {
                    break;
                }
                taker.take(&placed);
                placed.clear();
                on_bytes(buffer.len() as u64);
            }
            taker
        };
        let takers = std::thread::scope(|scope| {
            let others: Vec<_> = (1..threads()).map(|_| scope.spawn(work)).collect();
            let own = work();
            let others =
                others.into_iter().map(|thread| thread.join().expect("a check does not panic"));
            others.chain([own]).collect()
        });
        (turns.end(), takers)
    }

    /// Walks all of the log, its ids held against each other; `end` is given the check behind it.
    pub(crate) fn check_by<T: Taker, E, R>(
        &self,
        check: LogCheck,
        level: Level,
        taker: impl Fn() -> T + Sync,
        on_bytes: impl Fn(u64) + Sync,
        end: impl FnOnce(LogCheck) -> Result<R, E>,
    ) -> Result<(R, Vec<T>), E>
    where
        E: From<Box<Divergence>> + From<ReadError> + Send,
    {
        let check = check.doubting(|_, _| false);
        let ids = Ids::new(threads());
        let taker = || WithIds { taker: taker(), part: ids.part() };
        let (check, takers) = self.walk(check, level, Pieces::new(self), taker, on_bytes);
        let found = check.and_then(end);
        let (takers, parts) = takers.into_iter().map(|with| (with.taker, with.part)).unzip();
        let found = match ids.twice(parts)? {
            None => found,
            // The log decides, from its beginning: what else is wrong may stand before or behind it.
            Some(is_doubted) => self.check_doubting(is_doubted).and(found),
        };
        found.map(|found| (found, takers))
    }

    /// The same in one thread, where of few ids it is not known whether they are there twice.
    fn check_doubting<E>(
        &self,
        is_doubted: impl Fn(u32, &str) -> bool + Send + 'static,
    ) -> Result<(), E>
    where
        E: From<Box<Divergence>> + From<ReadError>,
    {
        let mut check = LogCheck::new(Level::Full, self.head())?.doubting(is_doubted);
        for file in self.files() {
            check.file(&file.name)?;
            self.read::<E>(file, |piece| Ok(check.feed(piece, &mut |_| {})?))?;
        }
        check.finish()?;
        Ok(())
    }
}

pub(crate) fn threads() -> usize {
    std::thread::available_parallelism().map_or(1, NonZero::get)
}

/// A taker that keeps what stands for ids as well.
struct WithIds<T> {
    taker: T,
    part: Part,
}

impl<T: Taker> Taker for WithIds<T> {
    type Told = T::Told;

    fn look(&mut self, envelope: &Envelope, content: &Content<&str>) -> T::Told {
        self.part.push(envelope.ordinal, content.id);
        self.taker.look(envelope, content)
    }

    fn take(&mut self, events: &[(Placed, T::Told)]) {
        self.taker.take(events);
    }
}

/// The check, which the threads have one after the other.
struct Turns<E> {
    turn: Mutex<Turn<E>>,
    moved: Condvar,
}

struct Turn<E> {
    check: LogCheck,
    /// The piece whose turn it is.
    next: u64,
    failed: Option<E>,
    is_abandoned: bool,
}

impl<E> Turns<E> {
    fn new(check: LogCheck) -> Turns<E> {
        let turn = Turn { check, next: 0, failed: None, is_abandoned: false };
        Turns { turn: Mutex::new(turn), moved: Condvar::new() }
    }

    /// Has the check go on with piece `number` by `work` when its turn comes; false if it does not, or not
    /// any more.
    fn take(&self, number: u64, work: impl FnOnce(&mut LogCheck) -> Result<(), E>) -> bool {
        let waits = |turn: &mut Turn<E>| turn.next != number && !turn.is_over();
        let turn = self.moved.wait_while(lock(&self.turn), waits);
        let mut turn = turn.unwrap_or_else(PoisonError::into_inner);
        if turn.is_over() {
            return false;
        }
        turn.failed = work(&mut turn.check).err();
        turn.next += 1;
        self.moved.notify_all();
        !turn.is_over()
    }

    fn end(self) -> Result<LogCheck, E> {
        let turn = self.turn.into_inner().unwrap_or_else(PoisonError::into_inner);
        turn.failed.map_or(Ok(turn.check), Err)
    }
}

impl<E> Turn<E> {
    fn is_over(&self) -> bool {
        self.failed.is_some() || self.is_abandoned
    }
}

/// Else a thread that panics would leave the others waiting for its turn.
struct Guard<'a, E>(&'a Turns<E>);

impl<E> Drop for Guard<'_, E> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            lock(&self.0.turn).is_abandoned = true;
            self.0.moved.notify_all();
        }
    }
}

/// A thread that panicked says so itself, when it is joined.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
