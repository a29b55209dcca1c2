//! Lines of events and claims.

use event::{Event, EventHash, LineError, canonical, read_line, write_cloudevent, write_ndjson};
use serde_json::{Map, Value};
use verifier::{Claim, ClaimSubject};

use super::is_printable;

/// A line that may be an event, plain or a CloudEvent.
pub fn event_line(line: &[u8]) {
    let read = read_line(line);
    is_read_the_same(line, &read);
    let event = match read {
        Ok(event) => event,
        Err(error) => return is_named(&error),
    };
    assert!(!event::is_blank(line), "a blank line is no event");
    assert_eq!(event.check(), Ok(()), "what is read is within the limits");
    let hash = EventHash::of(&event);

    let mut written = Vec::new();
    write_ndjson(&event, event.recorded_at, &mut written);
    let again = reread(&written);
    assert_eq!(again, event);
    assert_eq!(EventHash::of(&again), hash);
    let mut twice = Vec::new();
    write_ndjson(&again, again.recorded_at, &mut twice);
    assert_eq!(twice, written);

    as_cloudevent(&event, hash);

    let mut bytes = Vec::new();
    canonical::encode(&event, &mut bytes);
    assert_eq!(EventHash::of_canonical(&bytes), hash);
    let decoded = canonical::decode(&bytes).expect("what is encoded can be decoded").into_owned();
    assert_eq!(decoded, Event { recorded_at: None, ..event });
}

/// A key spelled with an escape is the same key, whichever way the line is then read.
fn is_read_the_same(line: &[u8], read: &Result<Event, LineError>) {
    let Some(rest) = line.strip_prefix(b"{\"id\":") else { return };
    let escaped = [b"{\"\\u0069d\":", rest].concat();
    match (read, read_line(&escaped)) {
        // What is wrong with the line as a whole is said with its column, which is another.
        (Err(error), Err(other)) if ["json", "line"].contains(&&*error.field) => {
            assert_eq!(other.field, error.field);
        }
        (read, again) => assert_eq!(again, *read),
    }
}

/// Written as a CloudEvent it reads back, the same if it has a source.
fn as_cloudevent(event: &Event, hash: EventHash) {
    let mut written = Vec::new();
    write_cloudevent(event, event.recorded_at, &mut written);
    if event.attributes.get("source").is_some_and(|source| !source.is_empty()) {
        assert_eq!(reread(&written), *event);
        assert_eq!(EventHash::of(&reread(&written)), hash);
        return;
    }
    // The source that it gains may be one attribute too many.
    if let Ok(again) = read_line(&written) {
        let mut with_source = event.clone();
        with_source.attributes.insert("source".to_owned(), event::CLOUDEVENT_SOURCE.to_owned());
        assert_eq!(again, with_source);
    } else {
        let attributes = event.attributes.iter().map(|(key, value)| key.len() + value.len());
        assert!(attributes.sum::<usize>() > (64 << 10) - 20, "it no longer reads");
    }
}

fn reread(line: &[u8]) -> Event {
    read_line(line).unwrap_or_else(|error| panic!("{error}: {}", line.escape_ascii()))
}

fn is_named(error: &LineError) {
    is_printable(&error.field);
    is_printable(&error.reason);
}

/// A line that may be a claim.
pub fn claim(line: &[u8]) {
    match Claim::read(line) {
        Ok(claim) => {
            let written = write_claim(&claim);
            assert_eq!(Claim::read(written.as_bytes()).as_ref(), Ok(&claim), "{written}");
        }
        Err(error) => is_named(&error),
    }
}

fn write_claim(claim: &Claim) -> String {
    let mut object = Map::new();
    let mut set = |key: &str, value: &str| object.insert(key.to_owned(), Value::from(value));
    set("claim", &claim.claim);
    set("account", &claim.account);
    set("asserts", claim.asserts.name());
    match &claim.subject {
        ClaimSubject::Item(item) => _ = set("item", item),
        ClaimSubject::Backup(backup) => _ = set("backup", backup),
        ClaimSubject::Category(category) => _ = set("category", category),
        ClaimSubject::Account => {}
    }
    if let Some(as_of) = claim.as_of {
        set("as_of", &as_of.to_string());
    }
    Value::from(object).to_string()
}
