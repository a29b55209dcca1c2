//! Whether what answers are read from, which is derived of the log, says what the log says.
//!
//! Of each account the sum of a hash of every event: taken once while the log's bytes are checked,
//! and once of the histories that every answer is folded from. The order does not matter, so one
//! sum an account is enough.

use std::collections::HashMap;

use event::{History, Names, Recorded, Step};

/// The sums of what was found in the log.
#[derive(Default)]
pub struct Agreement {
    accounts: HashMap<Box<str>, Sum>,
    names: Names,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Sum {
    events: u64,
    hashes: u128,
}

impl Agreement {
    /// Takes in an event of the log.
    pub fn add(&mut self, recorded: &Recorded) {
        self.names.clear();
        let step = Step::of(recorded, &mut self.names);
        let hash = hash(&step, &self.names);
        let account = recorded.event.account.as_str();
        match self.accounts.get_mut(account) {
            Some(sum) => sum.add(hash),
            None => {
                let mut sum = Sum::default();
                sum.add(hash);
                self.accounts.insert(account.into(), sum);
            }
        }
    }

    /// Takes out an account whose history has been read; events at `size` and after are left aside.
    /// False: it does not say what the log says.
    pub fn take(&mut self, history: &History, size: u64) -> bool {
        let mut sum = Sum::default();
        for step in history.steps.iter().filter(|step| step.position < size) {
            sum.add(hash(step, &history.names));
        }
        self.accounts.remove(history.account.as_str()).unwrap_or_default() == sum
    }

    /// An account that no history was read of, if there is one.
    pub fn left_over(&self) -> Option<&str> {
        self.accounts.keys().map(AsRef::as_ref).min()
    }
}

impl Sum {
    fn add(&mut self, hash: u128) {
        self.events += 1;
        self.hashes = self.hashes.wrapping_add(hash);
    }
}

/// A hash of everything that a fold reads of an event.
fn hash(step: &Step, names: &Names) -> u128 {
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
    let mut hasher = blake3::Hasher::new();
    for number in [occurred_at.ms() as u64, recorded_at.ms() as u64, position, revision] {
        hasher.update(&number.to_le_bytes());
    }
    // One above, so that none differs from nothing.
    hasher.update(&bytes.map_or(0, |bytes| bytes + 1).to_le_bytes());
    hasher.update(&[
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
        hasher.update(&name.map_or(0, |name| name.len() as u64 + 1).to_le_bytes());
        hasher.update(name.unwrap_or_default().as_bytes());
    }
    let hash = hasher.finalize();
    u128::from_le_bytes(*hash.as_bytes().first_chunk().expect("16 of 32 bytes"))
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
        let mut agreement = Agreement::default();
        agreement.add(&recorded(0, "a"));
        agreement.add(&recorded(1, "b"));
        assert_eq!(agreement.left_over(), Some("a"));
        assert_eq!(agreement.take(&History::of("a", events), size), expected);
        assert_eq!(agreement.left_over(), None);
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
