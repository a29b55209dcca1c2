//! What a reader says of erasures, and what one would take out.

use std::collections::HashMap;
use std::sync::Arc;

use commitment::{Envelope, FRAME_HEADER, Fault, Frame, Left};
use event::Step;

use super::{Reader, WHOLE};
use crate::batches::corrupt;
use crate::derived::Place;
use crate::erase::plan::{plan, reach};
use crate::erase::wanted::Wanted;
use crate::{EraseError, ErasedEvent, ErasurePlan, ErasureRecord, ReadError, Target};

impl Reader {
    /// As [`Log::plan_erasure`](crate::Log::plan_erasure), of the log as it is read here: to look at, beside a writer or where
    /// nothing may be written.
    ///
    /// # Errors
    /// [`EraseError`]
    pub fn plan_erasure(&self, targets: &[Target]) -> Result<ErasurePlan, EraseError> {
        let (left, before) = reach(targets)?;
        plan(&self.folder, |is_anew| {
            if is_anew {
                self.rebuild()?;
            }
            let mut wanted = Wanted::new(left);
            wanted.add_all(targets, |account| Ok(self.ask(|derived| derived.account(account))?))?;
            wanted.find(&self.folder, self.store, self.end, before)
        })
        .map_err(|error| match error {
            EraseError::Read(error) => self.settled(error).into(),
            error => error,
        })
    }

    /// The records of all erasures, in the order of the log.
    ///
    /// # Errors
    /// [`ReadError`]
    pub fn erasures(&self) -> Result<Vec<ErasureRecord>, ReadError> {
        self.ask(|derived| Ok(derived.erasures.records().to_vec()))
    }

    /// How many accounts' names were erased.
    ///
    /// # Errors
    /// [`ReadError`]
    pub fn erased_accounts(&self) -> Result<u64, ReadError> {
        self.ask(|derived| Ok(derived.erasures.names()))
    }

    /// Whether the name of the account of this ordinal is there.
    ///
    /// # Errors
    /// [`ReadError`]
    pub fn has_name(&self, ordinal: u64) -> Result<bool, ReadError> {
        self.ask(|derived| Ok(derived.head_of(ordinal)?.is_some()))
    }

    /// The events of an account of which something was erased, by revision; none of one that is not there, or was itself
    /// erased.
    ///
    /// # Errors
    /// [`ReadError`]
    pub fn account_erased(&self, account: &str) -> Result<Vec<ErasedEvent>, ReadError> {
        let Some(found) = self.ask(|derived| derived.account(account))? else {
            return Ok(Vec::new());
        };
        // One that came behind what is read here is in the log as it is now.
        let mut now = None;
        let mut under = |position: u64, left: Left| {
            let record = |reader: &Reader| {
                reader.ask(|derived| Ok(derived.erasures.of(position, left).map(|r| r.number)))
            };
            let mut found = record(self)?;
            if found.is_none() && now.is_none() {
                let (storage, root) = (Arc::clone(&self.folder.storage), &self.folder.root);
                now = Reader::open_on(storage, root).ok();
            }
            if let (None, Some(now)) = (found, &now) {
                found = record(now)?;
            }
            // That each has one is what a check of the log holds.
            found.ok_or_else(|| ReadError::Erasing { path: self.folder.log() })
        };
        let mut events = Vec::new();
        for leaf in &found.gone.leaves {
            let (position, revision) = (leaf.position, leaf.revision);
            let erasure = under(position, Left::Leaf)?;
            events.push(ErasedEvent { position, revision, envelope: None, erasure });
        }
        let steps: HashMap<u64, &Step> =
            found.history.steps.iter().map(|step| (step.revision, step)).collect();
        for (revision, place) in &found.places {
            if found.history.erased.contents.binary_search(revision).is_err() {
                continue;
            }
            let envelope = Some(self.envelope(*place)?);
            let position = steps.get(revision).map_or(u64::MAX, |step| step.position);
            let erasure = under(position, Left::Envelope)?;
            events.push(ErasedEvent { position, revision: *revision, envelope, erasure });
        }
        events.sort_by_key(|event| event.revision);
        Ok(events)
    }

    /// What is left at a place of an event whose content was erased.
    fn envelope(&self, place: Place) -> Result<Envelope, ReadError> {
        let mut locator = self.locator.lock().expect(WHOLE);
        let bytes = locator.frame(&self.folder, self.end, place)?;
        let bad = |fault: Fault| {
            let fault = fault.moved(place.offset);
            self.settled(corrupt(&self.folder, place.segment, fault, None))
        };
        match Frame::read(bytes).map_err(bad)? {
            (Frame::ContentErased { envelope, .. }, _) => {
                Envelope::decode(envelope).map_err(|fault| bad(fault.moved(FRAME_HEADER as u64)))
            }
            (other, _) => {
                let found = if other.is_erased() { "less" } else { "another frame" }.to_owned();
                let expected = "an envelope without its content".to_owned();
                Err(bad(Fault { offset: 0, expected, found }))
            }
        }
    }
}
