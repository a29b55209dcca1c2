//! Appends events that another log recorded, with the times that it gave them.

use event::{Event, Timestamp};

use super::Log;
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
        self.append_at(prepare(events)?.into_iter().zip(times))
    }
}
