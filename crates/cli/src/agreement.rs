//! Whether what answers are read from, which is derived of the log, says what the log says.
//!
//! Of each account the sum of a hash of every event: taken once while the log's bytes are checked,
//! and once of the histories that every answer is folded from. The order does not matter, so one
//! sum an account is enough.

use std::collections::HashMap;
use std::hash::{BuildHasher, RandomState};

use commitment::Envelope;
use event::canonical::Content;
use event::{History, NameId, Step};
use eventlog::{Placed, Taker};

/// Words that a hash takes in at most: eight numbers, a subject of 1024 bytes, a word of 128, and each
/// text's last one.
const WORDS: usize = 8 + (1024 / 8 + 1) + (128 / 8 + 1);
/// Where the numbers are among them that are only known of an event in its place.
const POSITION: usize = 0;
const REVISION: usize = 1;

/// The keys of the hashes, drawn anew: sums can be compared that were taken with the same.
///
/// What is hashed is words of 8 bytes. Each is multiplied by a key of its own, and the upper half of the
/// sum of the products, modulo 2^128, is the same for two different events with probability 2^-64, whatever
/// they are ("multilinear" hashing; what was written before the keys were drawn cannot be made to
/// collide). SipHash makes of that a number of which sums are as hard to make collide.
pub struct Keys {
    words: Vec<u128>,
    last: RandomState,
}

/// Of the events of an account.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Sum {
    events: u64,
    hashes: u64,
}

/// The sums of the log's accounts, as one thread takes them.
pub struct LogSums<'a> {
    keys: &'a Keys,
    /// Events from this position on are left aside: they came while the others were looked at.
    size: u64,
    /// By ordinals.
    sums: Vec<Sum>,
    /// Ordinals and hashes of events that are about to be added.
    hashes: Vec<(u32, u64)>,
}

impl Default for Keys {
    fn default() -> Keys {
        let draw = RandomState::new();
        let word =
            |n: usize| u128::from(draw.hash_one((n, 0))) << 64 | u128::from(draw.hash_one((n, 1)));
        Keys { words: (0..WORDS).map(word).collect(), last: RandomState::new() }
    }
}

impl Keys {
    /// Of a log, up to `size`.
    pub fn of_log(&self, size: u64) -> LogSums<'_> {
        LogSums { keys: self, size, sums: Vec::new(), hashes: Vec::new() }
    }

    /// Of a history, up to `size`. Events whose contents were erased are none of those that a check shows.
    pub fn of_history(&self, history: &History, size: u64) -> Sum {
        let mut sum = Sum::default();
        let contents = &history.erased.contents;
        let is_whole = |step: &&Step| {
            step.position < size
                && (contents.is_empty() || contents.binary_search(&step.revision).is_err())
        };
        for step in history.steps.iter().filter(is_whole) {
            let mixed = self.mix(step, |id| history.names.get(id));
            sum.add(Sum { events: 1, hashes: self.finish(mixed, step.position, step.revision) });
        }
        sum
    }

    /// Takes in everything that a fold reads of an event but its place.
    fn mix<'a>(&self, step: &Step, name: impl Fn(NameId) -> &'a str) -> u128 {
        let Step {
            occurred_at,
            recorded_at,
            position: _,
            revision: _,
            bytes,
            subject,
            word,
            kind,
            actor,
            surface,
            purge_cause,
            clear_cause,
            delete_backups,
            recorded_by,
        } = *step;
        let small = [
            kind.number(),
            actor.number(),
            // One above, so that none differs from nothing.
            surface.map_or(0, |word| word.number() + 1),
            purge_cause.map_or(0, |word| word.number() + 1),
            clear_cause.map_or(0, |word| word.number() + 1),
            u8::from(delete_backups),
            recorded_by.number(),
            0,
        ];
        let [subject, word] = [subject, word].map(|id| id.map(&name));
        let len = |name: Option<&str>| name.map_or(0, |name| name.len() as u64 + 1);
        let numbers = [
            occurred_at.ms() as u64,
            recorded_at.ms() as u64,
            bytes.map_or(0, |bytes| bytes + 1),
            u64::from_le_bytes(small),
            len(subject),
            len(word),
        ];
        let mut keys = self.words[REVISION + 1..].iter();
        let mut sum: u128 = 0;
        let mut add = |word: u64| {
            let key = keys.next().expect("a key for each word that an event can have");
            sum = sum.wrapping_add(product(word, *key));
        };
        numbers.into_iter().for_each(&mut add);
        for text in [subject, word].into_iter().flatten() {
            let (whole, rest) = text.as_bytes().as_chunks::<8>();
            whole.iter().for_each(|bytes| add(u64::from_le_bytes(*bytes)));
            let mut last = [0; 8];
            last[..rest.len()].copy_from_slice(rest);
            add(u64::from_le_bytes(last));
        }
        sum
    }

    /// The hash of the event in its place.
    fn finish(&self, mixed: u128, position: u64, revision: u64) -> u64 {
        let position = product(position, self.words[POSITION]);
        let revision = product(revision, self.words[REVISION]);
        let sum = mixed.wrapping_add(position).wrapping_add(revision);
        self.last.hash_one((sum >> 64) as u64)
    }
}

fn product(word: u64, key: u128) -> u128 {
    key.wrapping_mul(u128::from(word))
}

impl Taker for LogSums<'_> {
    type Told = u128;

    fn look(&mut self, envelope: &Envelope, content: &Content<&str>) -> u128 {
        // A step has at most two.
        let (mut names, mut count) = ([""; 2], 0);
        let number = |name| {
            names[count] = name;
            count += 1;
            NameId(count as u32 - 1)
        };
        let step = Step {
            occurred_at: envelope.occurred_at,
            recorded_at: envelope.recorded_at,
            actor: envelope.actor,
            surface: envelope.surface,
            recorded_by: envelope.recorded_by,
            ..Step::of_payload(&content.payload, number)
        };
        self.keys.mix(&step, |id| names[id.index()])
    }

    fn take(&mut self, events: &[(Placed, u128)]) {
        self.hashes.clear();
        for (place, mixed) in events.iter().filter(|(place, _)| place.position < self.size) {
            let hash = self.keys.finish(*mixed, place.position, place.revision);
            self.hashes.push((place.ordinal, hash));
        }
        // By themselves: the memory of many sums is waited for at once.
        for (ordinal, hashes) in &self.hashes {
            let ordinal = *ordinal as usize;
            if ordinal >= self.sums.len() {
                self.sums.resize(ordinal + 1, Sum::default());
            }
            self.sums[ordinal].add(Sum { events: 1, hashes: *hashes });
        }
    }
}

impl Sum {
    fn add(&mut self, other: Sum) {
        self.events += other.events;
        self.hashes = self.hashes.wrapping_add(other.hashes);
    }
}

/// The first account, by name, of which the log, in parts, says another thing than the histories. `names`
/// are those of the log's accounts, by ordinals.
pub fn differs(
    log: &[LogSums<'_>],
    names: &[Box<str>],
    mut histories: HashMap<Box<str>, Sum>,
) -> Option<Box<str>> {
    let none = Sum::default();
    let sum = |ordinal: usize| {
        let parts = log.iter().filter_map(|part| part.sums.get(ordinal));
        parts.fold(none, |mut sum, part| {
            sum.add(*part);
            sum
        })
    };
    let mut first: Option<Box<str>> = None;
    let mut found = |name: Box<str>| {
        if first.as_ref().is_none_or(|first| name < *first) {
            first = Some(name);
        }
    };
    for (ordinal, name) in names.iter().enumerate() {
        if sum(ordinal) != histories.remove(name).unwrap_or_default() {
            found(name.clone());
        }
    }
    histories.into_iter().filter(|(_, sum)| *sum != none).for_each(|(name, _)| found(name));
    first
}

#[cfg(test)]
mod tests {
    use event::{Actor, Event, Payload, Recorded, RecordedBy, Timestamp};

    use super::*;

    fn recorded(revision: u64, item: &str) -> Recorded {
        let at = Timestamp::from_ms(1000).expect("in range");
        Recorded {
            event: Event {
                id: revision.to_string(),
                account: "a".to_owned(),
                occurred_at: at,
                recorded_at: None,
                actor: Actor::User,
                surface: None,
                attributes: std::collections::BTreeMap::new(),
                payload: Payload::ItemTrashed { item: item.to_owned() },
            },
            position: 10 + revision,
            revision,
            recorded_at: at,
            recorded_by: RecordedBy::Log,
        }
    }

    /// Whether a log of the items `a` and `b`, trashed, agrees with a history of `events`.
    #[track_caller]
    fn check(events: &[Recorded], size: u64, expected: bool) {
        let keys = Keys::default();
        // In two parts, as two threads would have it.
        let log = [(0, "a"), (1, "b")].map(|(revision, item)| {
            let mut part = keys.of_log(size);
            let recorded = recorded(revision, item);
            let (envelope, content) = apart(&recorded);
            let told = part.look(&envelope, &content);
            let place = Placed { position: recorded.position, revision, ordinal: 0 };
            part.take(&[(place, told)]);
            part
        });
        let names = [Box::from("a")];
        assert_eq!(differs(&log, &names, HashMap::new()).as_deref(), Some("a"));
        let sum = keys.of_history(&History::of("a", events), size);
        let histories = |name: &str| HashMap::from([(name.into(), sum)]);
        let found = if expected { None } else { Some("a") };
        assert_eq!(differs(&log, &names, histories("a")).as_deref(), found);
        assert_eq!(differs(&log, &names, histories("A")).as_deref(), Some("A"));
    }

    /// The event as a log keeps it.
    fn apart(recorded: &Recorded) -> (Envelope, Content<&str>) {
        let Payload::ItemTrashed { item } = &recorded.event.payload else { panic!("of this kind") };
        let payload = Payload::ItemTrashed { item: item.as_str() };
        let envelope = Envelope {
            kind: payload.kind(),
            actor: recorded.event.actor,
            surface: None,
            scope: commitment::Scope::Item,
            recorded_by: recorded.recorded_by,
            ordinal: 0,
            occurred_at: recorded.event.occurred_at,
            recorded_at: recorded.recorded_at,
            tag: [0; 16],
        };
        (envelope, Content { id: "", payload, attributes: std::collections::BTreeMap::new() })
    }

    #[test]
    fn a_history_that_differs_is_found() {
        let log = [recorded(0, "a"), recorded(1, "b")];
        check(&log, 12, true);
        check(&[recorded(1, "b"), recorded(0, "a")], 12, true);
        check(&[recorded(0, "a"), recorded(1, "b"), recorded(2, "c")], 12, true);
        check(&[recorded(0, "a"), recorded(1, "b"), recorded(2, "c")], 13, false);
        check(&log[..1], 12, false);
        check(&[recorded(0, "b"), recorded(1, "a")], 12, false);
        check(&[recorded(0, "a"), recorded(1, "c")], 12, false);
        let mut later = log.clone();
        later[1].event.occurred_at = Timestamp::from_ms(1001).expect("in range");
        check(&later, 12, false);
        let mut by_another = log.clone();
        by_another[0].event.actor = Actor::Device;
        check(&by_another, 12, false);
        check(&[recorded(0, "a"), recorded(1, "b\0")], 12, false);
        check(&[recorded(0, &"a".repeat(1024)), recorded(1, "b")], 12, false);
        let mut restored = log;
        restored[1].event.payload = Payload::ItemRestored { item: "b".to_owned() };
        check(&restored, 12, false);
    }
}
