//! Random events through every form and back.

use event::{
    CLOUDEVENT_SOURCE, Event, EventHash, canonical, read_line, write_cloudevent, write_ndjson,
};
use fastrand::Rng;

use crate::random;

const EVENTS: usize = 20_000;

fn each(seed: u64, check: impl Fn(Event)) {
    let mut rng = Rng::with_seed(seed);
    for n in 0..EVENTS {
        let event = random::event(&mut rng);
        let failed = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
            assert_eq!(event.check(), Ok(()));
            check(event.clone());
        }));
        assert!(failed.is_ok(), "seed {seed}, event {n}: {event:?}");
    }
}

#[test]
fn through_canonical_bytes() {
    each(1, |event| {
        let mut bytes = Vec::new();
        canonical::encode(&event, &mut bytes);
        let back = canonical::decode(&bytes).unwrap();
        assert_eq!(back.clone().into_owned(), Event { recorded_at: None, ..event.clone() });
        assert_eq!(EventHash::of(&back), EventHash::of_canonical(&bytes));

        let mut content = Vec::new();
        canonical::encode_content(&event, &mut content);
        let kind = event.payload.kind();
        let canonical::Content { id, payload, attributes } =
            canonical::decode_content(kind, &content).unwrap();
        assert_eq!((id, payload, attributes), (back.id, back.payload, back.attributes));
        let mut around = Vec::new();
        let Event { actor, surface, occurred_at, account, .. } = &event;
        canonical::encode_around(
            kind,
            *actor,
            *surface,
            *occurred_at,
            account,
            &content,
            &mut around,
        );
        assert_eq!(around, bytes);
    });
}

#[test]
fn through_ndjson() {
    each(2, |event| {
        let mut line = Vec::new();
        write_ndjson(&event, event.recorded_at, &mut line);
        assert!(!line.contains(&b'\n'));
        let back = read_line(&line).unwrap();
        assert_eq!(back, event);
        assert_eq!(EventHash::of(&back), EventHash::of(&event));
    });
}

#[test]
fn through_cloudevents() {
    each(3, |mut event| {
        let mut line = Vec::new();
        write_cloudevent(&event, event.recorded_at, &mut line);
        assert!(!line.contains(&b'\n'));
        let back = read_line(&line).unwrap();
        event
            .attributes
            .entry("source".to_owned())
            .and_modify(|source| {
                if source.is_empty() {
                    *source = CLOUDEVENT_SOURCE.to_owned();
                }
            })
            .or_insert(CLOUDEVENT_SOURCE.to_owned());
        assert_eq!(back, event);
        // From here on it is the same event in every form.
        let mut again = Vec::new();
        write_cloudevent(&back, back.recorded_at, &mut again);
        assert_eq!(EventHash::of(&read_line(&again).unwrap()), EventHash::of(&back));
    });
}

/// Whatever becomes of a line, reading it ends in an event that reads back, or in an error that
/// prints on one line.
#[test]
fn mangled_lines() {
    let seed = 6;
    let mut rng = Rng::with_seed(seed);
    let (mut taken, mut refused) = (0, 0);
    for n in 0..40_000 {
        let event = random::event(&mut rng);
        let mut line = Vec::new();
        let write = *rng.choice(&[write_ndjson, write_cloudevent]).unwrap();
        write(&event, event.recorded_at, &mut line);
        for _ in 0..rng.usize(1..4) {
            let at = rng.usize(0..line.len());
            match rng.u8(0..5) {
                0 => line[at] = rng.u8(..),
                1 => line.insert(at, *rng.choice(b"\"\\{}[]:, 0e-\n").unwrap()),
                2 if line.len() > 1 => drop(line.remove(at)),
                3 => line.extend_from_within(at..(at + 9).min(line.len())),
                _ => line[at] = *rng.choice(b"\"\\{}[]:, 09eE.-+utfn\r").unwrap(),
            }
        }
        match read_line(&line) {
            Ok(event) => {
                assert_eq!(event.check(), Ok(()), "seed {seed}, line {n}");
                let mut again = Vec::new();
                write_ndjson(&event, event.recorded_at, &mut again);
                assert_eq!(read_line(&again), Ok(event), "seed {seed}, line {n}");
                taken += 1;
            }
            Err(error) => {
                let shown = error.to_string();
                assert!(!shown.chars().any(char::is_control), "seed {seed}, line {n}: {shown:?}");
                refused += 1;
            }
        }
    }
    assert!(taken > 1_000 && refused > 1_000, "{taken} taken, {refused} refused");
}
