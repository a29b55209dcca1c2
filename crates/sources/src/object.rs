//! What a provider's record says under its keys. Keys that nobody asks for may be there: providers
//! add some at any time.

use std::borrow::Cow;
use std::collections::BTreeMap;

use event::json::{Json, Object};
use event::{Actor, Event, LineError, Payload, Surface, TimeError, Timestamp};

use crate::found::quoted;
use crate::{Found, Place};

/// Takes a text out of an object; null and an empty one are its absence. Numbers are texts too: 64
/// bits are spelled either way.
pub(crate) fn text<'a>(
    object: &mut Object<'a>,
    at: &str,
    key: &str,
) -> Result<Option<Cow<'a, str>>, LineError> {
    match object.take(key) {
        None | Some(Json::Null) => Ok(None),
        Some(Json::Text(text)) if text.is_empty() => Ok(None),
        Some(Json::Text(text)) => Ok(Some(text)),
        Some(Json::Unsigned(number)) => Ok(Some(number.to_string().into())),
        Some(Json::Negative(number)) => Ok(Some(number.to_string().into())),
        Some(other) => Err(not("a string", at, key, &other)),
    }
}

/// The same of one that must be there.
pub(crate) fn needed<'a>(
    object: &mut Object<'a>,
    at: &str,
    key: &str,
) -> Result<Cow<'a, str>, LineError> {
    text(object, at, key)?.ok_or_else(|| LineError::new(&format!("{at}{key}"), "is required"))
}

/// `found` where `expected` should be.
pub(crate) fn not(expected: &str, at: &str, key: &str, found: &Json<'_>) -> LineError {
    let reason = format!("must be {expected}, found {}", found.what());
    LineError::new(&format!("{at}{key}"), reason)
}

/// A time; one without an offset is in UTC where the source says that all its times are.
pub(crate) fn time(field: &str, text: &str, is_utc: bool) -> Result<Timestamp, LineError> {
    let time = match Timestamp::parse(text) {
        Err(TimeError::NoOffset) if is_utc => Timestamp::parse(&format!("{text}Z")),
        time => time,
    };
    time.map_err(|error| LineError::new(field, format!("{error}, found {}", quoted(text))))
}

/// The parts of an event that sources say in their own ways.
pub(crate) struct Told {
    pub(crate) id: String,
    pub(crate) account: String,
    pub(crate) occurred_at: Timestamp,
    pub(crate) recorded_at: Option<Timestamp>,
    pub(crate) actor: Actor,
    pub(crate) surface: Option<Surface>,
    pub(crate) payload: Payload,
}

impl Told {
    /// As an event that is within the limits, with those attributes that say something.
    pub(crate) fn event<'t>(
        self,
        attributes: impl IntoIterator<Item = (&'t str, Option<Cow<'t, str>>)>,
    ) -> Result<Event, LineError> {
        let Told { id, account, occurred_at, recorded_at, actor, surface, payload } = self;
        let said = attributes.into_iter();
        let said = said.filter_map(|(key, value)| Some((key.to_owned(), value?.into_owned())));
        let attributes: BTreeMap<_, _> = said.collect();
        let event =
            Event { id, account, occurred_at, recorded_at, actor, surface, attributes, payload };
        event.check()?;
        Ok(event)
    }
}

/// Gives what became of a record.
pub(crate) fn give(
    place: Place,
    text: &[u8],
    event: Result<Event, LineError>,
    found: &mut dyn FnMut(Found<'_>),
) {
    match event {
        Ok(event) => found(Found::Event { place, text, event: Box::new(event) }),
        Err(error) => found(Found::Rejected { place, text, error }),
    }
}
