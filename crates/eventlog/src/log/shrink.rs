//! Shrinks segments, by the one writer.

use commitment::Ranges;

use super::{Log, State};
use crate::erase::shrink;
use crate::locate::Locator;
use crate::tail::failed;
use crate::{EraseError, ErasureRecord, Shrunk, index};

impl Log {
    /// Shrinks the segments of nothing but events that are erased to their leaves, but for the last: the room that the rest
    /// of them left is given back. Nothing else of the log changes. A stop in the middle leaves a log that is sound, and what was
    /// not done yet the next call does. Memory: a batch.
    ///
    /// # Errors
    /// [`EraseError`]; each segment is then shrunk or as it was.
    pub fn shrink(&self) -> Result<Shrunk, EraseError> {
        let mut state = self.all_written()?;
        if !shrink::may_shrink(&self.folder, state.durable)? {
            return Ok(Shrunk::default());
        }
        state.indexer.settle();
        let records = self.records(&mut state)?;
        let erased = shrink::erased(&records, &Ranges::default());
        let segments = shrink::to_shrink(&self.folder, state.durable, &erased)?;
        let mut shrunk = Shrunk::default();
        if segments.is_empty() {
            return Ok(shrunk);
        }
        let tail = state.tail.as_mut().expect("nobody else writes");
        // Of a log that is open a slot may name an end in a segment before the last; of one that is shut both name the last.
        for _ in 0..if tail.head.is_shut() { 0 } else { 2 } {
            if let Err(e) = tail.head.write(tail.end, false, true) {
                let failed = failed("write", &self.folder.head(), &e);
                state.failed = Some(failed.clone());
                self.turn.notify_all();
                return Err(failed.into());
            }
        }
        // What it has open may be another file soon.
        state.locator = Locator::default();
        for header in &segments {
            if let Some(bytes) = shrink::shrink(&self.folder, header)? {
                shrunk.add(bytes);
            }
        }
        Ok(shrunk)
    }

    /// The records of all erasures.
    fn records(&self, state: &mut State) -> Result<Vec<ErasureRecord>, EraseError> {
        let ask = |state: &State| {
            state.indexer.ask_all(|derived| Ok(derived.erasures.records().to_vec()))
        };
        if let Ok(records) = ask(state) {
            return Ok(records);
        }
        state.indexer.rebuild(state.durable)?;
        Ok(ask(state).map_err(|e| index::failed(&self.folder, &e))?)
    }
}
