//! Canonical bytes: held against rmp-serde, and against every other spelling.

use std::collections::BTreeMap;

use event::canonical::{self, Problem};
use event::{Actor, Event, Payload, Timestamp, read_line};
use fastrand::Rng;
use serde::Serialize;

use crate::random;

/// The same bytes by a general serializer of tuples.
fn by_rmp_serde(event: &Event) -> Vec<u8> {
    fn with(event: &Event, fields: impl Serialize) -> Vec<u8> {
        let Event { id, account, occurred_at, actor, surface, attributes, payload, .. } = event;
        let surface = surface.map(|s| s.number());
        let content = (fields, id, attributes);
        let kind = payload.kind().number();
        let whole = (kind, actor.number(), surface, occurred_at.ms(), account, content);
        rmp_serde::to_vec(&whole).unwrap()
    }
    match &event.payload {
        Payload::AccountOpened { tier } => with(event, (tier,)),
        Payload::TierChanged { tier: word }
        | Payload::SyncOn { category: word }
        | Payload::SyncOff { category: word }
        | Payload::Synced { category: word }
        | Payload::ItemTrashed { item: word }
        | Payload::ItemRestored { item: word }
        | Payload::BackupRestored { backup: word }
        | Payload::HoldPlaced { hold: word }
        | Payload::HoldReleased { hold: word } => with(event, (word,)),
        Payload::QuotaChanged { bytes } => with(event, (bytes,)),
        Payload::ItemUploaded { item, category, bytes } => with(event, (item, category, bytes)),
        Payload::ItemModified { item, bytes } => with(event, (item, bytes)),
        Payload::ItemPurged { item, cause } => with(event, (item, cause.map(|c| c.number()))),
        Payload::BackupPurged { backup, cause } => with(event, (backup, cause.map(|c| c.number()))),
        Payload::BackupCompleted { backup, bytes, parts } => with(event, (backup, bytes, parts)),
        Payload::BackupOff { delete_backups } => with(event, (delete_backups,)),
        Payload::UploadRejected { reason, item } => with(event, (reason, item)),
        Payload::DataCleared { cause } => with(event, (cause.number(),)),
        _ => with(event, [0u8; 0]),
    }
}

#[test]
fn are_those_of_rmp_serde() {
    let seed = 4;
    let mut rng = Rng::with_seed(seed);
    for n in 0..20_000 {
        let event = random::event(&mut rng);
        let mut bytes = Vec::new();
        canonical::encode(&event, &mut bytes);
        assert_eq!(bytes, by_rmp_serde(&event), "seed {seed}, event {n}: {event:?}");
    }
}

/// Whatever the bytes, what is taken is given back byte for byte.
#[test]
fn have_one_spelling() {
    let seed = 5;
    let mut rng = Rng::with_seed(seed);
    let (mut taken, mut refused) = (0, 0);
    for n in 0..5_000 {
        let event = random::event(&mut rng);
        let mut bytes = Vec::new();
        canonical::encode(&event, &mut bytes);
        for _ in 0..40 {
            let mut other = bytes.clone();
            let at = rng.usize(0..other.len());
            match rng.u8(0..4) {
                0 => other[at] = rng.u8(..),
                1 => other.insert(at, rng.u8(..)),
                2 => drop(other.remove(at)),
                _ => other.truncate(at),
            }
            match canonical::decode(&other) {
                Ok(decoded) => {
                    let mut again = Vec::new();
                    canonical::encode(&decoded, &mut again);
                    assert_eq!(again, other, "seed {seed}, event {n}");
                    assert_eq!(decoded.check(), Ok(()), "seed {seed}, event {n}");
                    taken += 1;
                }
                Err(error) => {
                    assert!(error.offset <= other.len(), "seed {seed}, event {n}: {error}");
                    refused += 1;
                }
            }
        }
    }
    assert!(taken > 1_000 && refused > 1_000, "{taken} taken, {refused} refused");
}

/// `signed_in` by the user at the epoch, of account `a`, with id `i`.
const PLAIN: &[u8] = b"\x96\x03\x00\xc0\x00\xa1a\x93\x90\xa1i\x80";

#[test]
fn of_the_plainest_event() {
    let event = Event {
        id: "i".to_owned(),
        account: "a".to_owned(),
        occurred_at: Timestamp::from_ms(0).unwrap(),
        recorded_at: None,
        actor: Actor::User,
        surface: None,
        attributes: BTreeMap::new(),
        payload: Payload::SignedIn,
    };
    let mut bytes = Vec::new();
    canonical::encode(&event, &mut bytes);
    assert_eq!(bytes, PLAIN);
    assert_eq!(canonical::decode(PLAIN).map(Event::into_owned), Ok(event));
}

fn check(bytes: &[u8], offset: usize, problem: Problem) {
    match canonical::decode(bytes) {
        Err(error) => assert_eq!((error.offset, error.problem), (offset, problem), "{bytes:x?}"),
        Ok(event) => panic!("{bytes:x?} was taken as {event:?}"),
    }
}

/// An event whose part between `from` and `to` of [`PLAIN`] is another.
fn with(from: usize, to: usize, part: &[u8]) -> Vec<u8> {
    [&PLAIN[..from], part, &PLAIN[to..]].concat()
}

#[test]
fn refuse_every_other_spelling() {
    use Problem::{Ends, Expected, NotShortest, NotUtf8, OutOfRange, Trailing, Unsorted};
    check(b"", 0, Ends("an event"));
    check(&[PLAIN, b"\xc0"].concat(), PLAIN.len(), Trailing);
    check(&with(0, 1, b"\x95"), 0, OutOfRange("an event"));
    check(&with(0, 1, b"\x86"), 0, Expected("an event"));
    check(&with(0, 1, b"\xdc\x00\x06"), 0, NotShortest);
    check(&with(0, 1, b"\xdd\x00\x00\x00\x06"), 0, NotShortest);
    // The kind.
    check(&with(1, 2, b"\xcc\x03"), 1, NotShortest);
    check(&with(1, 2, b"\xcd\x00\x03"), 1, NotShortest);
    check(&with(1, 2, b"\xce\x00\x00\x00\x03"), 1, NotShortest);
    check(&with(1, 2, b"\xcf\x00\x00\x00\x00\x00\x00\x00\x03"), 1, NotShortest);
    check(&with(1, 2, b"\x1f"), 1, OutOfRange("a kind"));
    check(&with(1, 2, b"\xcc\x80"), 1, OutOfRange("a kind"));
    check(&with(1, 2, b"\xd0\x03"), 1, Expected("a kind"));
    check(&with(1, 2, b"\xff"), 1, Expected("a kind"));
    check(&with(1, 2, b"\x00"), 8, OutOfRange("the kind's fields"));
    // Actor and surface.
    check(&with(2, 3, b"\x04"), 2, OutOfRange("an actor"));
    check(&with(2, 3, b"\xc0"), 2, Expected("an actor"));
    check(&with(3, 4, b"\x04"), 3, OutOfRange("a surface"));
    check(&with(3, 4, b"\xc2"), 3, Expected("a surface"));
    // The time.
    check(&with(4, 5, b"\xd0\x00"), 4, NotShortest);
    check(&with(4, 5, b"\xd0\xff"), 4, NotShortest);
    check(&with(4, 5, b"\xd0\xe0"), 4, NotShortest);
    check(&with(4, 5, b"\xd1\xff\x80"), 4, NotShortest);
    check(&with(4, 5, b"\xd2\xff\xff\x80\x00"), 4, NotShortest);
    check(&with(4, 5, b"\xd3\xff\xff\xff\xff\x80\x00\x00\x00"), 4, NotShortest);
    check(&with(4, 5, b"\xd3\x00\x00\x00\x01\x00\x00\x00\x00"), 4, NotShortest);
    check(&with(4, 5, b"\xd3\x80\x00\x00\x00\x00\x00\x00\x00"), 4, OutOfRange("a time"));
    check(&with(4, 5, b"\xcf\xff\xff\xff\xff\xff\xff\xff\xff"), 4, OutOfRange("a time"));
    check(&with(4, 5, b"\xcf\x00\x00\xe6\x77\xd2\x1f\xdc\x00"), 4, OutOfRange("a time"));
    check(&with(4, 5, b"\xcb\x00\x00\x00\x00\x00\x00\x00\x00"), 4, Expected("a time"));
    // The account.
    check(&with(5, 7, b"\xa0"), 5, OutOfRange("an account"));
    check(&with(5, 7, b"\xd9\x01a"), 5, NotShortest);
    check(&with(5, 7, b"\xda\x00\x01a"), 5, NotShortest);
    check(&with(5, 7, b"\xdb\x00\x00\x00\x01a"), 5, NotShortest);
    check(&with(5, 7, b"\xc4\x01a"), 5, Expected("an account"));
    check(&with(5, 7, b"\xa1\xff"), 5, NotUtf8);
    check(
        &with(5, 7, &[b"\xd9\x81".as_slice(), &[b'a'; 129]].concat()),
        5,
        OutOfRange("an account"),
    );
    check(b"\x96\x03\x00\xc0\x00\xd9\x40a", 5, Ends("an account"));
    check(b"\x96\x03\x00\xc0\x00\xd9", 5, Ends("a number"));
    // The content.
    check(&with(7, 8, b"\x92"), 7, OutOfRange("the content"));
    check(&with(8, 9, b"\x91\xa1x"), 8, OutOfRange("the kind's fields"));
    check(&with(8, 9, b"\xc0"), 8, Expected("the kind's fields"));
    check(&with(8, 9, b"\xdd\xff\xff\xff\xff"), 8, OutOfRange("the kind's fields"));
    check(&with(9, 11, b"\xa0"), 9, OutOfRange("an id"));
    // The attributes.
    check(&with(11, 12, b"\xc0"), 11, Expected("attributes"));
    check(&with(11, 12, b"\x90"), 11, Expected("attributes"));
    check(&with(11, 12, b"\xde\x00\x00"), 11, NotShortest);
    check(&with(11, 12, b"\xdf\x00\x00\x00\x00"), 11, NotShortest);
    check(&with(11, 12, b"\x82\xa1b\xa0\xa1a\xa0"), 15, Unsorted);
    check(&with(11, 12, b"\x82\xa1a\xa0\xa1a\xa0"), 15, Unsorted);
    check(&with(11, 12, b"\x81\xa1a\xc0"), 14, Expected("an attribute's value"));
    check(&with(11, 12, b"\xdf\xff\xff\xff\xff"), 16, Ends("an attribute's key"));
    let over = [b"\x81\xa1a\xdb\x00\x01\x00\x00".as_slice(), &[b'v'; 65_536]].concat();
    check(&with(11, 12, &over), 14, OutOfRange("an attribute's value"));
    let full = [b"\x81\xa1a\xda\xff\xff".as_slice(), &[b'v'; 65_535]].concat();
    assert!(canonical::decode(&with(11, 12, &full)).is_ok());
}

#[test]
fn leave_recorded_at_out() {
    let read = |line: &str| {
        let mut bytes = Vec::new();
        canonical::encode(&read_line(line.as_bytes()).unwrap(), &mut bytes);
        bytes
    };
    let plain = r#"{"id":"i","account":"a","occurred_at":"1970-01-01T00:00:00Z","kind":"signed_in","actor":"user"}"#;
    let other = r#"{"actor":"user","kind":"signed_in","id":"\u0069","recorded_at":"2026-01-01T00:00:00Z","occurred_at":"1970-01-01T01:00:00.0009+01:00","account":"a","attributes":{},"surface":null}"#;
    assert_eq!(read(plain), PLAIN);
    assert_eq!(read(other), PLAIN);
}
