//! Event lines: NDJSON read strictly, and written so that they read back the same.
//!
//! Where docs/events.md leaves a spelling open, this is what is taken:
//!
//! - Keys are compared after JSON's escapes are undone; a key given twice is an error at every
//!   depth. A byte order mark is not JSON.
//! - Null is the absence of an optional field. It is an error for a required one, for a field that
//!   the kind does not take, for an unknown field, and inside `attributes` and `parts`.
//! - `bytes` is spelled in digits: `1.0`, `1e3`, `-0` and strings are errors.
//! - Words (`kind`, `actor`, `surface`, `cause`) are exact, in lower case.
//! - Lengths count UTF-8 bytes after escapes are undone; see [`limits`](crate::limits).
//! - `parts` keep their order and may repeat.

use std::borrow::Cow;

use crate::fields::{Field, Fields};
use crate::json::Object;
use crate::limits::{TEXT_BYTES, attributes_bytes, check_attributes};
use crate::written::{ObjectWriter, write_circumstances, write_payload};
use crate::{Event, LineError, Timestamp, cloudevents};

/// Whether a line holds nothing but JSON's white space: such lines are skipped and not counted.
#[must_use]
pub fn is_blank(line: &[u8]) -> bool {
    line.iter().all(|byte| matches!(byte, b' ' | b'\t' | b'\r' | b'\n'))
}

/// Reads an event from one line, with or without its line end: a plain event, or a CloudEvent
/// (told apart by the key `specversion`).
///
/// # Errors
/// [`LineError`] about the first thing wrong: first the line as JSON, then keys given twice, then
/// unknown fields, then the fields in the order of docs/events.md.
pub fn read_line(line: &[u8]) -> Result<Event, LineError> {
    borrow_line(line).map(Event::into_owned)
}

/// The same, with texts that are borrowed from the line where they have no escapes.
///
/// # Errors
/// As [`read_line`].
pub fn borrow_line(line: &[u8]) -> Result<Event<Cow<'_, str>>, LineError> {
    let mut fields = match Fields::read(line) {
        Some(fields) => fields,
        None => {
            let object = Object::read(line)?;
            if object.has("specversion") {
                return cloudevents::read(object);
            }
            Fields::of(object, "")?
        }
    };
    let id = fields.text(Field::Id, TEXT_BYTES)?;
    let account = fields.text(Field::Account, TEXT_BYTES)?;
    let occurred_at = fields.time(Field::OccurredAt)?;
    let recorded_at = fields.optional_time(Field::RecordedAt)?;
    let kind = fields.kind()?;
    let actor = fields.actor()?;
    let surface = fields.surface()?;
    let attributes = fields.attributes()?;
    check_attributes("attributes", attributes_bytes(&attributes))?;
    let payload = fields.payload(kind)?;
    fields.finish(kind)?;
    Ok(Event { id, account, occurred_at, recorded_at, actor, surface, attributes, payload })
}

/// Writes `event` as one line, without a line end, at the end of `out`, with the given
/// `recorded_at` (an event's own, or that of its place in a log).
///
/// [`read_line`] gives an equal event back, with the same hash.
pub fn write_ndjson(event: &Event, recorded_at: Option<Timestamp>, out: &mut Vec<u8>) {
    let mut object = ObjectWriter::open(out);
    object.text("id", &event.id);
    object.text("account", &event.account);
    object.word("occurred_at", event.occurred_at);
    if let Some(recorded_at) = recorded_at {
        object.word("recorded_at", recorded_at);
    }
    object.word("kind", event.payload.kind().name());
    write_payload(&event.payload, &mut object);
    write_circumstances(event.actor, event.surface, event.attributes.iter(), &mut object);
    object.close();
}
