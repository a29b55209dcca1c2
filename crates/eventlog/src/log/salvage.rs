//! Appends events that another log recorded, with the times that it gave them.

use event::{Event, Timestamp};

use super::{FULL_BATCH, Log};
use crate::prepare::prepare;
use crate::{AppendError, Outcome};

impl Log {
    /// Appends events as they were recorded: the time beside each stands for the clock where the event
    /// has none of its own. The times go up, as a log's clock does.
    pub(crate) fn append_recorded(
        &self,
        events: Vec<(Event, Timestamp)>,
    ) -> Result<Vec<Outcome>, AppendError> {
        let (events, times): (Vec<_>, Vec<_>) = events.into_iter().unzip();
        let prepared = prepare(events)?;
        let mut outcomes = Vec::with_capacity(prepared.len());
        let mut state = self.lock();
        for (prepared, recorded_at) in prepared.into_iter().zip(times) {
            while state.encoder.len() + prepared.content.len() > FULL_BATCH
                && !state.encoder.is_empty()
            {
                state = self.write_out(state)?;
            }
            outcomes.push(self.stage(&mut state, prepared, recorded_at)?);
        }
        self.wait_for(state, &outcomes)?;
        Ok(outcomes)
    }
}
