//! The calls that commands make to a store, and to nothing else of it.

use std::path::Path;

use event::{EventHash, History, Recorded};
use eventlog::Reader;
use projection::EventRef;

use crate::failure::Failure;

/// A store that is open for reading.
pub struct Store {
    reader: Reader,
}

impl Store {
    /// Opens it; one that is missing is not made.
    pub fn open(dir: &Path) -> Result<Store, Failure> {
        Ok(Store { reader: Reader::open(dir)? })
    }

    /// Events in it.
    pub fn size(&self) -> u64 {
        self.reader.size()
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

    /// The hash of an event that is in the log.
    pub fn hash_of(&self, event: EventRef) -> Result<EventHash, Failure> {
        let recorded = self.reader.event_at(event.position)?.ok_or_else(|| {
            let position = event.position;
            Failure::Store(format!(
                "the log has no event at position {position} any more; `stillthere verify` says what \
                 became of it"
            ))
        })?;
        Ok(EventHash::of(&recorded.event))
    }

    /// Every account's history, by name.
    pub fn each_account(
        &self,
        take: impl FnMut(&History) -> Result<(), Failure>,
    ) -> Result<(), Failure> {
        self.reader.for_each_account(take)
    }

    /// Every event, in the order of the log.
    pub fn each_event(
        &self,
        take: impl FnMut(Recorded) -> Result<(), Failure>,
    ) -> Result<(), Failure> {
        self.reader.scan(take)
    }
}
