//! What an append makes of its events before it waits for its turn.

use event::{Event, EventHash, canonical};

use crate::AppendError;
use crate::decode::{hash_of, id_tag};
use crate::derived::IdTag;

/// An event's content is at most this long: several times what a line of an event can hold.
pub(crate) const MAX_CONTENT: usize = 4 << 20;

/// An event with all that can be made of it without the lock.
pub(crate) struct Prepared {
    pub(crate) event: Event,
    pub(crate) content: Vec<u8>,
    pub(crate) tag: IdTag,
    pub(crate) hash: EventHash,
}

/// Checks the events and makes of each what needs no lock.
pub(crate) fn prepare(events: Vec<Event>) -> Result<Vec<Prepared>, AppendError> {
    let mut scratch = Vec::new();
    let prepare = |(index, event): (usize, Event)| {
        event.check().map_err(|e| AppendError::Event { index, reason: e.to_string() })?;
        let mut content = Vec::with_capacity(128);
        canonical::encode_content(&event, &mut content);
        if content.len() > MAX_CONTENT {
            let reason = format!("has {} bytes, more than {MAX_CONTENT}", content.len());
            return Err(AppendError::Event { index, reason });
        }
        let Event { account, id, actor, surface, occurred_at, payload, .. } = &event;
        let (kind, tag) = (payload.kind(), id_tag(account, id));
        let hash = hash_of(kind, *actor, *surface, *occurred_at, account, &content, &mut scratch);
        Ok(Prepared { event, content, tag, hash })
    };
    events.into_iter().enumerate().map(prepare).collect()
}
