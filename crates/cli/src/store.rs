//! The calls that commands make to a store, and to nothing else of it.

use std::collections::BTreeMap;
use std::num::NonZero;
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::mpsc::sync_channel;

use commitment::Ranges;
use event::{EventHash, History, Recorded};
use eventlog::{EraseError, ErasedEvent, ErasurePlan, ErasureRecord, Reader, Shrunk, Target};
use projection::EventRef;

use crate::failure::Failure;

/// Of an event that was there when the store was opened.
pub fn gone(position: u64) -> Failure {
    Failure::Store(format!(
        "the log has no event at position {position} any more: it was erased meanwhile, so ask again; or else \
         `stillthere verify` says what became of it"
    ))
}

/// Ranges into which accounts are cut, about.
const RANGES: usize = 64;

/// A store that is open for reading.
pub struct Store {
    reader: Reader,
}

impl Store {
    /// Opens it; one that is missing is not made.
    pub fn open(dir: &Path) -> Result<Store, Failure> {
        Ok(Store { reader: Reader::open(dir)? })
    }

    /// What reads it.
    pub fn reader(&self) -> &Reader {
        &self.reader
    }

    /// Events in it.
    pub fn size(&self) -> u64 {
        self.reader.size()
    }

    /// Accounts with a name in it.
    pub fn accounts(&self) -> u64 {
        self.reader.accounts()
    }

    /// Its random id.
    pub fn id(&self) -> [u8; 16] {
        self.reader.store()
    }

    /// Whether an account has an event, at whatever instant.
    pub fn has_account(&self, account: &str) -> bool {
        matches!(self.reader.account_history(account), Ok(Some(_)))
    }

    /// What a fold reads of an account.
    pub fn history(&self, account: &str) -> Result<Option<History>, Failure> {
        Ok(self.reader.account_history(account)?)
    }

    /// An account's events, whole, by revision.
    pub fn events(&self, account: &str) -> Result<Vec<Recorded>, Failure> {
        Ok(self.reader.account_events(account)?)
    }

    /// The account's events of which something was erased, by revision.
    pub fn erased_events(&self, account: &str) -> Result<Vec<ErasedEvent>, Failure> {
        Ok(self.reader.account_erased(account)?)
    }

    /// The records of erasures, in the order of the log.
    pub fn erasures(&self) -> Result<Vec<ErasureRecord>, Failure> {
        Ok(self.reader.erasures()?)
    }

    /// What segments would shrink, and by how much, if these events were erased, and the names of these accounts.
    pub fn would_shrink(&self, events: &Ranges, names: &Ranges) -> Result<Shrunk, Failure> {
        Ok(self.reader.would_shrink(events, names)?)
    }

    /// What an erasure would take out.
    pub fn plan_erasure(&self, target: &Target) -> Result<ErasurePlan, EraseError> {
        self.reader.plan_erasure(std::slice::from_ref(target))
    }

    /// How many accounts' names were erased.
    pub fn erased_accounts(&self) -> Result<u64, Failure> {
        Ok(self.reader.erased_accounts()?)
    }

    /// The hash of an event that is in the log.
    pub fn hash_of(&self, event: EventRef) -> Result<EventHash, Failure> {
        let recorded = self.reader.event_at(event.position)?;
        let recorded = recorded.ok_or_else(|| gone(event.position))?;
        Ok(EventHash::of(&recorded.event))
    }

    /// Every account's history, by name.
    pub fn each_account(
        &self,
        take: impl FnMut(&History) -> Result<(), Failure>,
    ) -> Result<(), Failure> {
        self.reader.for_each_account(take)
    }

    /// What `map` makes of every account's history, by name: made on all cores, taken on this one. `None`
    /// is left out.
    pub fn map_accounts<T: Send>(
        &self,
        map: impl Fn(&History) -> Option<T> + Sync,
        mut take: impl FnMut(T) -> Result<(), Failure>,
    ) -> Result<(), Failure> {
        self.gather_accounts(
            |made: &mut Vec<T>, history| made.extend(map(history)),
            |made| made.into_iter().try_for_each(&mut take),
        )
    }

    /// Every account's history gathered into what stands for a range of them, by name: gathered on all
    /// cores, taken on this one, range after range.
    ///
    /// The accounts are cut into ranges that the threads take one after the other; what is done early
    /// waits for its turn.
    pub fn gather_accounts<T: Default + Send>(
        &self,
        gather: impl Fn(&mut T, &History) + Sync,
        mut take: impl FnMut(T) -> Result<(), Failure>,
    ) -> Result<(), Failure> {
        let threads = std::thread::available_parallelism().map_or(1, NonZero::get);
        let cuts = self.reader.cuts(RANGES)?;
        let ranges = cuts.len() + 1;
        let range = |n: usize| {
            let from = n.checked_sub(1).map(|n| cuts[n].as_str());
            (from, cuts.get(n).map(String::as_str))
        };
        let (next, is_over) = (AtomicUsize::new(0), AtomicBool::new(false));
        let (sender, done) = sync_channel(threads);
        std::thread::scope(|scope| {
            for _ in 0..threads.min(ranges) {
                let (sender, next, is_over, gather) = (sender.clone(), &next, &is_over, &gather);
                scope.spawn(move || {
                    loop {
                        let n = next.fetch_add(1, Ordering::Relaxed);
                        if n >= ranges || is_over.load(Ordering::Relaxed) {
                            return;
                        }
                        let (from, to) = range(n);
                        let mut made = T::default();
                        let read = self.reader.for_accounts::<Failure>(from, to, |history| {
                            gather(&mut made, history);
                            match is_over.load(Ordering::Relaxed) {
                                true => Err(Failure::BrokenPipe),
                                false => Ok(()),
                            }
                        });
                        // Nobody takes it any more when the taker has failed.
                        let _ = sender.send((n, read.map(|()| made)));
                    }
                });
            }
            drop(sender);
            let mut early = BTreeMap::new();
            let mut take_all = || {
                for n in 0..ranges {
                    let made = loop {
                        if let Some(made) = early.remove(&n) {
                            break made;
                        }
                        let (n, made) = done.recv().expect("every range is made by a thread");
                        early.insert(n, made);
                    };
                    take(made?)?;
                }
                Ok(())
            };
            let taken = take_all();
            is_over.store(true, Ordering::Relaxed);
            // Whoever waits to send can go.
            while done.recv().is_ok() {}
            taken
        })
    }

    /// Every event, in the order of the log.
    pub fn each_event(
        &self,
        take: impl FnMut(Recorded) -> Result<(), Failure>,
    ) -> Result<(), Failure> {
        self.reader.scan(take)
    }

    /// The same, with texts borrowed from where the log was read.
    pub fn each_borrowed_event(
        &self,
        take: impl FnMut(Recorded<&str>) -> Result<(), Failure>,
    ) -> Result<(), Failure> {
        self.reader.scan_borrowed(take)
    }
}
