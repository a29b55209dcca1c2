//! Whether what answers are read from, which is derived of the log, says what the log says.
//!
//! Of each account the sum of a hash of every event: taken once while the log's bytes are checked,
//! and once of the histories that every answer is folded from. The order does not matter, so one
//! sum an account is enough.

use std::collections::HashMap;
use std::hash::{BuildHasher, RandomState};

use event::{History, Names, Recorded, Step};

/// Draws the keys of the hashes: sums can be compared that were taken with the same.
///
/// Two SipHashes with random keys: what was written before the keys were drawn cannot be made to
/// collide.
#[derive(Clone, Default)]
pub struct Keys([RandomState; 2]);

/// The sums of what was found.
pub struct Sums {
    keys: Keys,
    accounts: HashMap<Box<str>, Sum>,
    /// Events from this position on are left aside: they came while the others were looked at.
    size: u64,
    names: Names,
    scratch: Vec<u8>,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Sum {
    events: u64,
    hashes: [u64; 2],
}

impl Sums {
    /// Of the events at positions below `size`.
    pub fn new(keys: &Keys, size: u64) -> Sums {
        let (names, scratch) = (Names::default(), Vec::new());
        Sums { keys: keys.clone(), accounts: HashMap::new(), size, names, scratch }
    }

    /// Takes in an event of the log.
    pub fn add(&mut self, recorded: &Recorded) {
        if recorded.position >= self.size {
            return;
        }
        self.names.clear();
        let step = Step::of(recorded, &mut self.names);
        let hashes = self.keys.hash(&step, &self.names, &mut self.scratch);
        let account = recorded.event.account.as_str();
        match self.accounts.get_mut(account) {
            Some(sum) => sum.add(hashes),
            None => {
                let mut sum = Sum::default();
                sum.add(hashes);
                self.accounts.insert(account.into(), sum);
            }
        }
    }

    /// Takes in all of an account.
    pub fn add_history(&mut self, history: &History) {
        let mut sum = Sum::default();
        for step in history.steps.iter().filter(|step| step.position < self.size) {
            sum.add(self.keys.hash(step, &history.names, &mut self.scratch));
        }
        if sum.events > 0 {
            self.accounts.insert(history.account.as_str().into(), sum);
        }
    }

    /// The first account, by name, of which the two say different things.
    pub fn differs<'a>(&'a self, other: &'a Sums) -> Option<&'a str> {
        let from = |a: &'a Sums, b: &'a Sums| {
            a.accounts.iter().filter(|(name, sum)| b.accounts.get(*name) != Some(sum))
        };
        from(self, other).chain(from(other, self)).map(|(name, _)| name.as_ref()).min()
    }
}

impl Sum {
    fn add(&mut self, hashes: [u64; 2]) {
        self.events += 1;
        for (sum, hash) in self.hashes.iter_mut().zip(hashes) {
            *sum = sum.wrapping_add(hash);
        }
    }
}

impl Keys {
    /// The hashes of everything that a fold reads of an event.
    fn hash(&self, step: &Step, names: &Names, scratch: &mut Vec<u8>) -> [u64; 2] {
        let Step {
            occurred_at,
            recorded_at,
            position,
            revision,
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
        scratch.clear();
        // One above, so that none differs from nothing.
        let bytes = bytes.map_or(0, |bytes| bytes + 1);
        let times = [occurred_at.ms() as u64, recorded_at.ms() as u64];
        for number in times.into_iter().chain([position, revision, bytes]) {
            scratch.extend_from_slice(&number.to_le_bytes());
        }
        scratch.extend_from_slice(&[
            kind.number(),
            actor.number(),
            surface.map_or(0, |word| word.number() + 1),
            purge_cause.map_or(0, |word| word.number() + 1),
            clear_cause.map_or(0, |word| word.number() + 1),
            u8::from(delete_backups),
            recorded_by.number(),
        ]);
        for name in [subject, word] {
            let name = name.map(|id| names.get(id));
            scratch.extend_from_slice(&name.map_or(0, |n| n.len() as u64 + 1).to_le_bytes());
            scratch.extend_from_slice(name.unwrap_or_default().as_bytes());
        }
        self.0.each_ref().map(|key| key.hash_one(&scratch[..]))
    }
}

#[cfg(test)]
mod tests {
    use event::{Actor, Event, Payload, RecordedBy, Timestamp};

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
        let (mut log, mut derived) = (Sums::new(&keys, size), Sums::new(&keys, size));
        log.add(&recorded(0, "a"));
        log.add(&recorded(1, "b"));
        assert_eq!(log.differs(&derived), Some("a"));
        derived.add_history(&History::of("a", events));
        let differs = if expected { None } else { Some("a") };
        assert_eq!((log.differs(&derived), derived.differs(&log)), (differs, differs));
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
        let mut restored = log;
        restored[1].event.payload = Payload::ItemRestored { item: "b".to_owned() };
        check(&restored, 12, false);
    }
}
