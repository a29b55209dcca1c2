//! CloudEvents 1.0 in their JSON form, as event lines.
//!
//! | CloudEvent | event |
//! |---|---|
//! | `specversion` | must be `"1.0"` |
//! | `id`, `subject`, `time`, `recordedtime` | `id`, `account`, `occurred_at`, `recorded_at` |
//! | `type` | its last dotted segment is `kind` |
//! | `source`, required and not empty | the attribute `source` |
//! | `data`, an object | `actor`, `surface`, `attributes` and the kind's fields |
//! | `datacontenttype` | dropped when its subtype is `json` or ends in `+json`, else an error |
//! | `dataschema` | dropped |
//! | `data_base64` | an error |
//! | any other, named in `a`–`z` and `0`–`9` | an extension: the attribute of its name |
//!
//! An extension is a string, a boolean or a 64-bit whole number, and kept as the string that JSON
//! spells it with. As the specification has it, null is the absence of an attribute. An attribute
//! given both inside `data.attributes` and outside is given twice, equal or not. The limit on
//! attributes is on all together, `source` and extensions included.
//!
//! What is written reads back as an equal event when it has an attribute `source`, as every event
//! that came from a CloudEvent has. Any other gains the attribute `source` with the value
//! [`CLOUDEVENT_SOURCE`] (a CloudEvent cannot be without), hence another hash: to carry a log to
//! another store, use plain lines.

use std::borrow::Cow;

use crate::fields::{Field, Fields};
use crate::json::{Json, Object};
use crate::limits::{TEXT_BYTES, attributes_bytes, check_attributes};
use crate::line_error::quoted;
use crate::value::{self, Place, error, not};
use crate::written::{ObjectWriter, write_circumstances, write_payload};
use crate::{Event, Kind, LineError, Timestamp};

/// The `source` that is written for an event with no attribute of that name, or an empty one.
pub const CLOUDEVENT_SOURCE: &str = "stillthere";

/// The fields of an event that the envelope carries, each with its name there.
const OUTSIDE: [(Field, &str); 5] = [
    (Field::Id, "id"),
    (Field::Account, "subject"),
    (Field::OccurredAt, "time"),
    (Field::RecordedAt, "recordedtime"),
    (Field::Kind, "type"),
];

/// Reads an event from an object that has `specversion`.
pub(crate) fn read(mut envelope: Object<'_>) -> Result<Event<Cow<'_, str>>, LineError> {
    check_version(&mut envelope)?;
    if envelope.has("data_base64") {
        return Err(LineError::new("data_base64", "not taken: `data` must be JSON"));
    }
    let id = value::text(place("id"), required(&mut envelope, "id")?, TEXT_BYTES)?;
    let source = match required(&mut envelope, "source")? {
        Json::Text(text) if text.is_empty() => {
            return Err(error(place("source"), "must not be empty"));
        }
        Json::Text(text) => text,
        other => return Err(not("a string", place("source"), &other)),
    };
    let subject = required(&mut envelope, "subject")?;
    let account = value::text(place("subject"), subject, TEXT_BYTES)?;
    let occurred_at = value::time(place("time"), &required(&mut envelope, "time")?)?;
    let recorded_at = optional(&mut envelope, "recordedtime")
        .map(|time| value::time(place("recordedtime"), &time))
        .transpose()?;
    let kind = read_type(&mut envelope)?;
    drop_descriptions(&mut envelope)?;
    let mut data = match required(&mut envelope, "data")? {
        Json::Object(data) => Fields::of(data, "data.")?,
        other => return Err(not("an object", place("data"), &other)),
    };

    if let Some((field, outside)) = OUTSIDE.iter().find(|(field, _)| data.has(*field)) {
        let reason = format!("is given by `{outside}` of the CloudEvent");
        return Err(error(data.place(*field), reason));
    }
    let actor = data.actor()?;
    let surface = data.surface()?;
    let mut attributes = data.attributes()?;
    let payload = data.payload(kind)?;
    data.finish(kind)?;

    let source = (Cow::Borrowed("source"), source);
    for extension in std::iter::once(Ok(source)).chain(extensions(envelope)) {
        let (name, value) = extension?;
        if attributes.contains_key(&name) {
            let reason = format!("given twice: `{name}` of the CloudEvent is kept by this name");
            return Err(LineError::new(&format!("data.attributes.{name}"), reason));
        }
        attributes.insert(name, value);
    }
    check_attributes("data.attributes", attributes_bytes(&attributes))?;
    Ok(Event { id, account, occurred_at, recorded_at, actor, surface, attributes, payload })
}

fn place(name: &str) -> Place<'_> {
    ("", name)
}

/// An attribute of the envelope, null being its absence.
fn optional<'a>(envelope: &mut Object<'a>, name: &str) -> Option<Json<'a>> {
    envelope.take(name).filter(|value| *value != Json::Null)
}

fn required<'a>(envelope: &mut Object<'a>, name: &str) -> Result<Json<'a>, LineError> {
    optional(envelope, name).ok_or_else(|| error(place(name), "is required"))
}

fn check_version(envelope: &mut Object<'_>) -> Result<(), LineError> {
    let place = place("specversion");
    match required(envelope, place.1)? {
        Json::Text(text) if text == "1.0" => Ok(()),
        Json::Text(text) => Err(error(place, format!("must be 1.0, found {}", quoted(&text)))),
        other => Err(not("the string 1.0", place, &other)),
    }
}

fn read_type(envelope: &mut Object<'_>) -> Result<Kind, LineError> {
    match required(envelope, "type")? {
        Json::Text(text) => value::kind(place("type"), text.rsplit('.').next().unwrap_or_default()),
        other => Err(not("a string", place("type"), &other)),
    }
}

/// What describes `data` has no place in an event once `data` is known to be JSON.
fn drop_descriptions(envelope: &mut Object<'_>) -> Result<(), LineError> {
    let content_type = place("datacontenttype");
    match optional(envelope, content_type.1) {
        None => {}
        Some(Json::Text(text)) if is_json(&text) => {}
        Some(Json::Text(text)) => {
            return Err(error(
                content_type,
                format!("must be a JSON type, found {}", quoted(&text)),
            ));
        }
        Some(other) => return Err(not("a string", content_type, &other)),
    }
    match optional(envelope, "dataschema") {
        None | Some(Json::Text(_)) => Ok(()),
        Some(other) => Err(not("a string", place("dataschema"), &other)),
    }
}

/// Whether a media type, with any parameters, is JSON's: `application/json`, `text/json`,
/// `application/vnd.x+json; charset=utf-8`.
fn is_json(media_type: &str) -> bool {
    let essence = media_type.split(';').next().unwrap_or_default().trim_matches([' ', '\t']);
    let Some((kind, subtype)) = essence.split_once('/') else { return false };
    let subtype = subtype.to_ascii_lowercase();
    !kind.is_empty() && (subtype == "json" || subtype.ends_with("+json"))
}

/// An attribute's key and value.
type Attribute<'a> = (Cow<'a, str>, Cow<'a, str>);

fn extensions<'a>(rest: Object<'a>) -> impl Iterator<Item = Result<Attribute<'a>, LineError>> {
    let given = rest.into_iter().filter(|(_, value)| *value != Json::Null);
    given.map(|(name, value): (Cow<'a, str>, Json<'a>)| {
        if name.is_empty() || !name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit()) {
            let reason = "unknown field: an extension is named in lower-case letters and digits";
            return Err(LineError::new(&name, reason));
        }
        let value = match value {
            Json::Text(text) => text,
            Json::Bool(flag) => flag.to_string().into(),
            Json::Unsigned(number) => number.to_string().into(),
            Json::Negative(number) => number.to_string().into(),
            Json::Number => {
                let reason = "must be a string, a boolean or a whole number of 64 bits in digits";
                return Err(LineError::new(&name, reason));
            }
            other => {
                let found = other.what();
                let reason =
                    format!("must be a string, a boolean or a whole number, found {found}");
                return Err(LineError::new(&name, reason));
            }
        };
        Ok((name, value))
    })
}

/// Writes `event` as a CloudEvent on one line, without a line end, at the end of `out`, with the
/// given `recorded_at`. Its `type` is `stillthere.` and the kind.
pub fn write_cloudevent(event: &Event, recorded_at: Option<Timestamp>, out: &mut Vec<u8>) {
    let source = event.attributes.get("source").map_or("", String::as_str);
    let mut object = ObjectWriter::open(out);
    object.text("specversion", "1.0");
    object.text("id", &event.id);
    object.text("source", if source.is_empty() { CLOUDEVENT_SOURCE } else { source });
    object.word("type", format_args!("stillthere.{}", event.payload.kind()));
    object.text("subject", &event.account);
    object.word("time", event.occurred_at);
    if let Some(recorded_at) = recorded_at {
        object.word("recordedtime", recorded_at);
    }
    object.text("datacontenttype", "application/json");
    let mut data = ObjectWriter::open(object.key("data"));
    write_payload(&event.payload, &mut data);
    let attributes = event.attributes.iter().filter(|(key, _)| *key != "source");
    write_circumstances(event.actor, event.surface, attributes, &mut data);
    data.close();
    object.close();
}
