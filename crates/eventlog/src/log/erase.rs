//! Plans erasures and carries them out, by the one writer.

use std::sync::MutexGuard;

use commitment::{Control, Erasure, Left};
use event::Timestamp;

use super::accounts::Accounts;
use super::{Log, State, random};
use crate::erase::carry_out;
use crate::erase::plan::{Unplanned, plan, reach};
use crate::erase::redo::Redo;
use crate::erase::tags::Tags;
use crate::erase::wanted::Wanted;
use crate::indexer::Indexer;
use crate::locate::Locator;
use crate::recent::Recent;
use crate::tail::failed;
use crate::{EraseError, Erased, Erasing, ErasurePlan, ErasureRecord, OpenError, Target, index};

/// A record is at most this long: it fits into a batch with room to spare.
const MAX_RECORD: usize = 8 << 20;

impl Log {
    /// Finds what an erasure of these would take out. What was erased as far before is left out.
    ///
    /// Memory: what is left of each event that is found.
    ///
    /// # Errors
    /// [`EraseError`]; nothing is written.
    pub fn plan_erasure(&self, targets: &[Target]) -> Result<ErasurePlan, EraseError> {
        let (left, before) = reach(targets)?;
        self.planned(left, before, |state, wanted| {
            wanted.add_all(targets, |account| {
                let found = state.indexer.ask_all(|derived| derived.account(account));
                found.map_err(|e| Unplanned::Derived(e.to_string()))
            })
        })
    }

    /// Makes a plan of what `add` asks for.
    fn planned(
        &self,
        left: Left,
        before: Option<Timestamp>,
        add: impl Fn(&mut State, &mut Wanted) -> Result<(), Unplanned>,
    ) -> Result<ErasurePlan, EraseError> {
        let mut state = self.all_written()?;
        state.indexer.settle();
        let end = state.durable;
        plan(&self.folder, |is_anew| {
            if is_anew {
                state.indexer.rebuild(end)?;
            }
            let mut wanted = Wanted::new(left);
            add(&mut state, &mut wanted)?;
            wanted.find(&self.folder, self.store, end, before)
        })
    }

    /// Erases, under a record that says so. When it answers it is durable, in the log and in all that is derived.
    ///
    /// Once it has begun it will be carried out, if not by this call then by the next writer that opens the store; after an
    /// error that is not about the plan this log takes nothing more.
    ///
    /// # Errors
    /// [`EraseError`]
    pub fn erase(&self, plan: ErasurePlan, how: &Erasing<'_>) -> Result<Erased, EraseError> {
        how.check()?;
        if plan.is_empty() {
            return Err(EraseError::Nothing);
        }
        let mut state = self.all_written()?;
        if state.durable != plan.end {
            return Err(EraseError::Stale);
        }
        let at_ms = self.now_ms().max(state.encoder.clock_ms());
        let control = Control::Erasure(Erasure {
            at_ms,
            ground: how.ground,
            by: how.by,
            left: plan.left,
            before_ms: plan.before.map(Timestamp::ms),
            names: plan.names.clone(),
            events: plan.taken.positions.clone(),
            root: plan.root,
        });
        if control.encode().len() > MAX_RECORD {
            return Err(EraseError::TooMany);
        }
        self.remember(&mut state, &plan, how.forget)?;
        let record = state.encoder.control_frame(&control);
        let (pages, bytes) = (plan.pages(), plan.bytes());
        let redo = Redo { store: self.store, end: plan.end, record, extents: plan.extents };
        let ErasurePlan { taken, names, .. } = plan;
        let done = self.carry_out(&mut state, &redo, |state| {
            let (folder, end) = (&self.folder, redo.end);
            let is_left_out = state.indexer.leave_out(&taken, end);
            if is_left_out {
                carry_out::leave_out(folder, &self.store, &taken.names)
            } else {
                carry_out::drop_derived(folder)
            }
        });
        if let Err(error) = &done {
            // What is on the disk is known again when the store is opened.
            let source = std::io::Error::other(error.to_string());
            state.failed = Some(failed("erase in", &self.folder.log(), &source));
            self.turn.notify_all();
        }
        let number = done?;
        Ok(Erased {
            number,
            at: Timestamp::from_ms(at_ms).expect("one of two times"),
            events: taken.positions.count(),
            accounts: names.count(),
            pages,
            bytes,
        })
    }

    /// From `REDO` on; gives the number of the record.
    fn carry_out(
        &self,
        state: &mut MutexGuard<'_, State>,
        redo: &Redo,
        purge: impl FnOnce(&mut State) -> Result<(), OpenError>,
    ) -> Result<u64, EraseError> {
        let folder = &self.folder;
        redo.write(folder)?;
        let state = &mut **state;
        let State { encoder, tail, .. } = &mut *state;
        let tail = tail.as_mut().expect("nobody else writes");
        carry_out::record(folder, encoder, tail, &self.options, redo)?;
        state.durable = tail.end;
        carry_out::finish(folder, redo, || purge(state))?;
        // All that was known of the log is asked for anew.
        let end = state.durable;
        let index = index::open(folder, self.store, end, true)?;
        let records = index.derived.erasures.count() as u64;
        let run_events = self.options.run_events;
        state.indexer = Indexer::start(folder, self.store, index, end, run_events);
        state.recent = Recent::new(run_events);
        state.accounts = Accounts::new(run_events);
        state.locator = Locator::default();
        state.last_duplicate = None;
        Ok(records.saturating_sub(1))
    }

    /// Keeps by what the events of a plan are told when they come again; or drops it, of those that had come again since
    /// they were erased.
    fn remember(
        &self,
        state: &mut State,
        plan: &ErasurePlan,
        forget: bool,
    ) -> Result<(), EraseError> {
        if plan.ids.is_empty() {
            return Ok(());
        }
        let known = match state.tags.take() {
            Some(tags) => Some(tags),
            None => Tags::read(&self.folder)?,
        };
        let mut tags = match known {
            Some(tags) => tags,
            None if forget => return Ok(()),
            None => {
                let (keys, key) = (self.folder.root.join("keys"), random());
                Tags::new(key.map_err(OpenError::io("ask for random bytes for", &keys))?)
            }
        };
        for (account, id) in &plan.ids {
            match forget {
                true => tags.remove(account, id),
                false => tags.add(account, id),
            }
        }
        // If it fails, what there is more in memory is never asked: who asks looks in the log first.
        let written = tags.write(&self.folder);
        if !self.options.readmit {
            state.tags = Some(tags);
        }
        Ok(written?)
    }

    /// Erases what the records of a newer log say, of which this one is a beginning: after a restore from a backup of
    /// before. What this log does not have yet, or has erased as far, is left out; records of which nothing is left are
    /// passed over. Events are told when they come again by what is kept already, or not at all.
    ///
    /// # Errors
    /// [`EraseError`]; [`EraseError::NotOurs`] if a record whose frames are all here does not bind them. Those before it were
    /// carried out then.
    pub fn erase_again(&self, records: &[ErasureRecord]) -> Result<Vec<Erased>, EraseError> {
        let mut done = Vec::new();
        for record in records {
            let plan = self.plan_again(record)?;
            if plan.is_empty() {
                continue;
            }
            let how = Erasing { ground: &record.ground, by: &record.by, forget: true };
            done.push(self.erase(plan, &how)?);
        }
        Ok(done)
    }

    fn plan_again(&self, record: &ErasureRecord) -> Result<ErasurePlan, EraseError> {
        let size = self.size();
        let plan = self.planned(record.left, record.before, |state, wanted| {
            let end = state.durable;
            for position in record.events.numbers().take_while(|position| *position < size) {
                let found = state.locator.find(&self.folder, end, position)?;
                wanted.add_placed(position, found.place);
            }
            for ordinal in record.names.numbers() {
                let found = state.indexer.ask_all(|derived| match derived.head_of(ordinal)? {
                    Some(head) => derived.account(&head.account),
                    None => Ok(None),
                });
                if let Some(found) = found.map_err(|e| Unplanned::Derived(e.to_string()))? {
                    wanted.add_name(&found);
                }
            }
            Ok(())
        })?;
        // A name that was erased before is not among what was found, so the root is another then.
        let is_whole = record.events.end() <= size && plan.accounts() == record.names.count();
        if is_whole && plan.told.is_some_and(|root| root != record.root) {
            let what = "their leaves do not give its root".to_owned();
            return Err(EraseError::NotOurs { number: record.number, what });
        }
        Ok(plan)
    }
}
