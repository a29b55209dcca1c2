//! Appends events that another log recorded, with the times that it gave them.

use event::{Event, Timestamp};

use super::{Log, Pending};
use crate::prepare::prepare;
use crate::{AppendError, Outcome};

impl Log {
    /// Appends events as they were recorded: the time beside each stands for the clock where the event
    /// has none of its own. The times go up, as a log's clock does.
    pub(crate) fn append_recorded(
        &self,
        events: &[(Event, Timestamp)],
    ) -> Result<Vec<Outcome>, AppendError> {
        let mut all = Pending::default();
        for of_one_time in events.chunk_by(|(_, a), (_, b)| a == b) {
            for parcel in prepare(of_one_time.iter().map(|(event, _)| event))? {
                all.join(self.stage_at(parcel, of_one_time[0].1)?);
            }
        }
        self.wait(all)
    }
}
