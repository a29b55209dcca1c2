//! What an append makes of its events before it waits for its turn.

use event::{Event, EventHash, Recorded, RecordedBy, Timestamp, canonical};

use crate::AppendError;
use crate::decode::{hash_of, id_tag};
use crate::derived::{IdTag, Place};

/// An event's content is at most this long: several times what a line of an event can hold.
pub(crate) const MAX_CONTENT: usize = 4 << 20;

/// An event with all that can be made of it without the log: threads that prepare leave less to the one
/// that appends.
pub struct Prepared(pub(crate) Box<Entered>);

/// An event on its way into the log. It is moved often, so it stays where it was made.
pub(crate) struct Entered {
    /// Its place and `recorded_at` are known once it is staged.
    pub(crate) recorded: Recorded,
    pub(crate) content: Vec<u8>,
    pub(crate) tag: IdTag,
    pub(crate) hash: EventHash,
    /// Of its account, once it is staged.
    pub(crate) ordinal: u32,
    pub(crate) secret: [u8; 32],
    /// Where its frame begins: in its batch, then in the log.
    pub(crate) place: Place,
}

impl Prepared {
    /// Checks an event and makes of it what needs no log.
    ///
    /// # Errors
    /// Which limit of an event (docs/format.md, section 6) it breaks.
    pub fn new(event: Event) -> Result<Prepared, String> {
        event.check().map_err(|e| e.to_string())?;
        let mut content = Vec::with_capacity(128);
        canonical::encode_content(&event, &mut content);
        if content.len() > MAX_CONTENT {
            return Err(format!("has {} bytes, more than {MAX_CONTENT}", content.len()));
        }
        let Event { account, id, actor, surface, occurred_at, payload, .. } = &event;
        let (kind, tag) = (payload.kind(), id_tag(account, id));
        let mut scratch = Vec::with_capacity(content.len() + 160);
        let hash = hash_of(kind, *actor, *surface, *occurred_at, account, &content, &mut scratch);
        let recorded = Recorded {
            event,
            position: 0,
            revision: 0,
            recorded_at: Timestamp::MIN,
            recorded_by: RecordedBy::Log,
        };
        let place = Place { segment: 0, offset: 0 };
        let (ordinal, secret) = (0, [0; 32]);
        Ok(Prepared(Box::new(Entered { recorded, content, tag, hash, ordinal, secret, place })))
    }

    /// The event.
    #[must_use]
    pub fn event(&self) -> &Event {
        &self.0.recorded.event
    }
}

/// Prepares all.
pub(crate) fn prepare(events: Vec<Event>) -> Result<Vec<Prepared>, AppendError> {
    let prepare = |(index, event)| {
        Prepared::new(event).map_err(|reason| AppendError::Event { index, reason })
    };
    events.into_iter().enumerate().map(prepare).collect()
}
