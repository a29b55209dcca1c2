//! The snapshot statements that a store keeps, in its derived cache: for a later `verify` to hold
//! against a replay.
//!
//! An account's row is a JSON array of its last statements, the newest last. A row is found by a hash
//! of the account's name and has no name in it: what was once in the cache's files stays in them.

use std::path::Path;

use event::{History, Step, Timestamp};
use eventlog::{Cache, Reader, Rows};
use policy::{Policy, PolicyHash};
use projection::fold;
use serde::{Deserialize, Serialize};
use verifier::{PROJECTION_VERSION, SnapshotRow, snapshot};

/// Statements kept of an account.
const KEPT: usize = 16;
/// Rows that are put in together.
const PUT_ROWS: usize = 1000;

/// What was stated, with all that a replay needs to come to the same.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Statement {
    /// In milliseconds.
    as_of: i64,
    /// In milliseconds.
    known_at: i64,
    /// Events in the log then: what was appended later was not seen.
    size: u64,
    revision: u64,
    position: u64,
    policy_hash: String,
    state_hash: String,
    projection_version: u32,
}

/// What a replay says of a statement.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Held {
    /// The same.
    Same,
    /// Nothing: it was made under another policy or by another version of the projection.
    Skipped,
    /// Another state.
    Differs { as_of: Timestamp, position: u64, revision: u64, stated: String, replayed: String },
}

/// Why a statement is not kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NotKept {
    /// The cache cannot be opened, or failed.
    NoCache,
    /// Something was erased meanwhile: what was stated may be of what is gone.
    Erased,
}

/// The statements of a store.
pub struct Statements {
    cache: Cache,
    store: [u8; 16],
    waiting: Vec<([u8; 16], Vec<u8>)>,
}

impl Statements {
    /// Opens them; for a writer they are made if they are not there. `None` where they are not, or
    /// cannot be read or written, or another process has them.
    pub fn open(store_dir: &Path, store: [u8; 16], writer: bool) -> Option<Statements> {
        let cache = Cache::try_open(&store_dir.join("derived"), store, writer)?;
        Some(Statements { cache, store, waiting: Vec::new() })
    }

    /// Keeps the statement `row`, made as known at `known_at` of what `reader` reads.
    ///
    /// # Errors
    /// [`NotKept`]
    pub fn keep(
        &mut self,
        row: &SnapshotRow,
        known_at: Timestamp,
        reader: &Reader,
    ) -> Result<(), NotKept> {
        let key = key(&self.store, &row.account);
        let mut statements = self.of(key);
        let statement = Statement {
            as_of: row.as_of.ms(),
            known_at: known_at.ms(),
            size: reader.size(),
            revision: row.revision,
            position: row.position,
            policy_hash: row.policy_hash.to_string(),
            state_hash: row.state_hash.to_string(),
            projection_version: PROJECTION_VERSION,
        };
        statements.retain(|kept| *kept != statement);
        statements.push(statement);
        let first = statements.len().saturating_sub(KEPT);
        let bytes = serde_json::to_vec(&statements[first..]).expect("a statement is JSON");
        self.waiting.push((key, bytes));
        if self.waiting.len() < PUT_ROWS { Ok(()) } else { self.put(reader) }
    }

    /// Puts in what waits, unless an erasure was recorded since `reader` was opened.
    ///
    /// An erasure drops the cache's files behind its record. So one that is not recorded yet, with these open, takes away
    /// whatever is put into them; one that is may have dropped those of before, and nobody would take these away.
    ///
    /// # Errors
    /// [`NotKept`]
    pub fn put(&mut self, reader: &Reader) -> Result<(), NotKept> {
        let rows = std::mem::take(&mut self.waiting);
        if reader.may_be_erased_since() {
            return Err(NotKept::Erased);
        }
        let rows = rows.iter().map(|(key, row)| (*key, &row[..]));
        match self.cache.put(Rows::Snapshots, reader.size(), rows) {
            true => Ok(()),
            false => Err(NotKept::NoCache),
        }
    }

    fn of(&self, key: [u8; 16]) -> Vec<Statement> {
        let row = self.cache.get(Rows::Snapshots, &key);
        row.and_then(|row| serde_json::from_slice(&row.bytes).ok()).unwrap_or_default()
    }

    /// Holds what is kept of an account against a replay of its `history`. `policies` are those
    /// under which a statement can be replayed.
    pub fn hold(&self, history: &History, policies: &[(PolicyHash, Policy)]) -> Vec<Held> {
        let statements = self.of(key(&self.store, &history.account));
        statements.iter().map(|statement| statement.hold(history, policies)).collect()
    }
}

impl Statement {
    fn hold(&self, history: &History, policies: &[(PolicyHash, Policy)]) -> Held {
        let policy = policies.iter().find(|(hash, _)| hash.to_string() == self.policy_hash);
        let times = (Timestamp::from_ms(self.as_of), Timestamp::from_ms(self.known_at));
        let (Some((hash, policy)), (Some(as_of), Some(known_at))) = (policy, times) else {
            return Held::Skipped;
        };
        if self.projection_version != PROJECTION_VERSION {
            return Held::Skipped;
        }
        let is_seen = |step: &&Step| step.position < self.size;
        let history = History {
            account: history.account.clone(),
            names: history.names.clone(),
            steps: history.steps.iter().filter(is_seen).copied().collect(),
            erased: history.erased.clone(),
        };
        let replayed = match fold(&history, policy, as_of, known_at) {
            Some(view) => snapshot(&view, hash).state_hash.to_string(),
            None => "no event".to_owned(),
        };
        if replayed == self.state_hash {
            return Held::Same;
        }
        let Statement { position, revision, state_hash, .. } = self;
        let (position, revision, stated) = (*position, *revision, state_hash.clone());
        Held::Differs { as_of, position, revision, stated, replayed }
    }
}

fn key(store: &[u8; 16], account: &str) -> [u8; 16] {
    let material = [&store[..], account.as_bytes()].concat();
    let hash = blake3::derive_key("stillthere derived snapshot statements 1", &material);
    *hash.first_chunk().expect("16 of 32 bytes")
}

#[cfg(test)]
mod tests {
    use event::read_line;
    use eventlog::{Erasing, Log, Options, Target};

    use super::*;

    fn at(day: i64) -> Timestamp {
        Timestamp::from_ms(1_700_000_000_000 + day * 86_400_000).expect("in range")
    }

    /// A store, and what it lists of an account.
    struct Kept {
        dir: tempfile::TempDir,
        log: Log,
    }

    impl Kept {
        fn new() -> Kept {
            let dir = tempfile::tempdir().expect("a temporary folder");
            let log = Log::open(dir.path(), Options::new(|| at(0))).expect("made");
            Kept { dir, log }
        }

        /// Uploads of items, a day each.
        fn upload(&self, days: std::ops::Range<i64>) {
            let line = |day: i64| {
                format!(
                    r#"{{"id":"{day}","account":"a","occurred_at":"{}","kind":"item_uploaded","item":"i{day}","category":"notes","bytes":1,"actor":"user"}}"#,
                    at(day)
                )
            };
            let events = days.map(|day| read_line(line(day).as_bytes()).expect("an event"));
            self.log.append(events.collect()).expect("durable");
        }

        fn reader(&self) -> Reader {
            Reader::open(self.dir.path()).expect("a store")
        }

        fn statements(&self) -> Statements {
            Statements::open(self.dir.path(), self.log.store(), true).expect("made")
        }
    }

    fn history(reader: &Reader) -> History {
        reader.account_history("a").expect("read").expect("it has events")
    }

    #[test]
    fn a_statement_is_held_against_the_log_as_it_was_then() {
        let kept = Kept::new();
        let policy = Policy::preset(policy::DEFAULT_PRESET).expect("it is there");
        let policies = [(policy.hash(), policy)];
        let (hash, policy) = &policies[0];
        let mut statements = kept.statements();
        kept.upload(0..2);
        let shorter = history(&kept.reader());
        kept.upload(2..3);
        let reader = kept.reader();
        let short = history(&reader);
        let view = fold(&short, policy, at(9), at(9)).expect("events");
        let row = snapshot(&view, hash);
        let mut keep =
            || statements.keep(&row, at(9), &reader).and_then(|()| statements.put(&reader));
        assert_eq!(keep(), Ok(()));
        // Said twice it is kept once.
        assert_eq!(keep(), Ok(()));
        assert_eq!(statements.hold(&short, &policies), [Held::Same]);
        kept.upload(3..5);
        assert_eq!(statements.hold(&history(&kept.reader()), &policies), [Held::Same]);
        assert_eq!(statements.hold(&short, &[]), [Held::Skipped]);
        let other = &statements.hold(&shorter, &policies)[0];
        let Held::Differs { position: 2, revision: 2, stated, replayed, .. } = other else {
            panic!("{other:?}")
        };
        assert_eq!(*stated, row.state_hash.to_string());
        assert_ne!(stated, replayed);
    }

    #[test]
    fn nothing_is_kept_of_what_was_read_before_an_erasure() {
        let kept = Kept::new();
        let policy = Policy::preset(policy::DEFAULT_PRESET).expect("it is there");
        let hash = policy.hash();
        kept.upload(0..3);
        let reader = kept.reader();
        let view = history(&reader);
        let row = snapshot(&fold(&view, &policy, at(9), at(9)).expect("events"), &hash);
        let has_row = || !kept.statements().of(key(&kept.log.store(), "a")).is_empty();
        // What is appended meanwhile does no harm.
        kept.upload(3..4);
        let mut statements = kept.statements();
        assert_eq!(statements.keep(&row, at(9), &reader), Ok(()));
        assert_eq!(statements.put(&reader), Ok(()));
        drop(statements);
        assert!(has_row());

        let target = Target::Account { account: "a".to_owned() };
        let plan = kept.log.plan_erasure(&[target]).expect("planned");
        let how = Erasing { ground: "g", by: "b", forget: true };
        // Open beside the erasure, with one put in before it, and not.
        let mut statements = kept.statements();
        assert_eq!(statements.keep(&row, at(9), &reader), Ok(()));
        assert_eq!(statements.put(&reader), Ok(()));
        assert_eq!(statements.keep(&row, at(9), &reader), Ok(()));
        kept.log.erase(plan, &how).expect("erased");
        assert_eq!(statements.put(&reader), Err(NotKept::Erased));
        drop(statements);
        assert!(!has_row());
        // Opened behind it.
        let mut statements = kept.statements();
        assert_eq!(statements.keep(&row, at(9), &reader), Ok(()));
        assert_eq!(statements.put(&reader), Err(NotKept::Erased));
        drop(statements);
        assert!(!has_row());
        assert_eq!(kept.statements().put(&kept.reader()), Ok(()), "a reader of now may");
    }

    #[test]
    fn the_last_statements_are_kept() {
        let kept = Kept::new();
        let policy = Policy::preset(policy::DEFAULT_PRESET).expect("it is there");
        let policies = [(policy.hash(), policy)];
        let (hash, policy) = &policies[0];
        let mut statements = kept.statements();
        kept.upload(0..3);
        let reader = kept.reader();
        let history = history(&reader);
        for day in 3..3 + 2 * KEPT as i64 {
            let view = fold(&history, policy, at(day), at(day)).expect("events");
            assert_eq!(statements.keep(&snapshot(&view, hash), at(day), &reader), Ok(()));
            assert_eq!(statements.put(&reader), Ok(()));
        }
        assert_eq!(statements.hold(&history, &policies), vec![Held::Same; KEPT]);
    }
}
