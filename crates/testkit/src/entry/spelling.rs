//! The canonical bytes of events and of their contents.

use event::canonical::{decode, decode_content, encode, encode_around, encode_content};
use event::{Actor, Content, Event, Kind, Timestamp};

use super::is_printable;

/// Bytes that may be an event's.
pub fn canonical(bytes: &[u8]) {
    match decode(bytes) {
        Ok(event) => {
            assert_eq!(event.check(), Ok(()));
            let mut again = Vec::new();
            encode(&event, &mut again);
            assert_eq!(again, bytes, "{event:?}");
        }
        Err(error) => is_within(&error, bytes),
    }
}

/// The number of a kind, and bytes that may be the content of such an event.
pub fn content(bytes: &[u8]) {
    let Some((number, bytes)) = bytes.split_first() else { return };
    let Some(kind) = Kind::from_number(*number) else { return };
    let Content { id, payload, attributes } = match decode_content(kind, bytes) {
        Ok(content) => content,
        Err(error) => return is_within(&error, bytes),
    };
    assert_eq!(payload.kind(), kind);
    let event = Event {
        id,
        account: "a",
        occurred_at: Timestamp::MIN,
        recorded_at: None,
        actor: Actor::User,
        surface: None,
        attributes,
        payload,
    };
    assert_eq!(event.check(), Ok(()));
    let mut again = Vec::new();
    encode_content(&event, &mut again);
    assert_eq!(again, bytes, "{event:?}");
    // The event's bytes can be put together without reading the content.
    let (mut whole, mut around) = (Vec::new(), Vec::new());
    encode(&event, &mut whole);
    encode_around(kind, Actor::User, None, Timestamp::MIN, "a", bytes, &mut around);
    assert_eq!(around, whole);
    assert_eq!(decode(&whole).as_ref(), Ok(&event));
}

fn is_within(error: &event::CanonicalError, bytes: &[u8]) {
    assert!(error.offset <= bytes.len(), "{error}, of {}", bytes.len());
    is_printable(&error.to_string());
}
