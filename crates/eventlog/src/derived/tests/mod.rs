//! All of it together, held against a plain list of events.

mod cache;
mod damage;
mod random;
mod taking;

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use event::{
    Actor, ClearCause, Event, History, Names, Payload, PurgeCause, Recorded, RecordedBy, Step,
    Surface, Timestamp,
};

use super::{Account, Anchor, Derived, DerivedError, Entry, GoneEvents, Head, Options, Place};

const STORE: [u8; 16] = *b"the store's name";

/// The log as a list, and what is asked of it by going through the list.
#[derive(Clone)]
struct Log {
    events: Vec<Recorded>,
    /// A hash over all events up to each.
    sums: Vec<[u8; 32]>,
}

impl Log {
    fn new() -> Log {
        Log { events: Vec::new(), sums: Vec::new() }
    }

    fn push(&mut self, rng: &mut fastrand::Rng, accounts: usize) {
        let position = self.events.len() as u64;
        let account = format!("account {}", rng.usize(..accounts));
        let revision = self.of(&account).count() as u64;
        // Few enough instants for equal ones, and often late ones.
        let at = |rng: &mut fastrand::Rng| Timestamp::from_ms(rng.i64(-3..40) * 1000).unwrap();
        let event = Event {
            id: format!("id {position} {}", rng.u8(..)),
            account,
            occurred_at: at(rng),
            recorded_at: None,
            actor: Actor::ALL[rng.usize(..4)],
            surface: Surface::ALL.get(rng.usize(..5)).copied(),
            attributes: BTreeMap::new(),
            payload: payload(rng),
        };
        let recorded_by = RecordedBy::ALL[rng.usize(..2)];
        let sum = blake3::hash(format!("{:?} {event:?}", self.sums.last()).as_bytes());
        self.events.push(Recorded { event, position, revision, recorded_at: at(rng), recorded_by });
        self.sums.push(*sum.as_bytes());
    }

    fn cut(&mut self, size: usize) {
        self.events.truncate(size);
        self.sums.truncate(size);
    }

    fn of(&self, account: &str) -> impl Iterator<Item = &Recorded> {
        self.events.iter().filter(move |r| r.event.account == account)
    }

    fn names(&self) -> Vec<&str> {
        let mut names: Vec<&str> = self.events.iter().map(|r| r.event.account.as_str()).collect();
        names.sort_unstable();
        names.dedup();
        names
    }

    fn ordinal(&self, account: &str) -> u64 {
        self.of(account).next().unwrap().position * 3
    }

    fn entry<'a>(&self, recorded: &'a Recorded) -> Entry<'a> {
        let Event { account, id, payload, .. } = &recorded.event;
        let (subject, word) = texts(payload);
        Entry {
            step: Step::of(recorded, &mut Names::default()),
            account,
            subject,
            word,
            ordinal: self.ordinal(account),
            secret: secret(account),
            chain: chain(recorded),
            tag: tag(account, id),
            place: place(recorded.position),
        }
    }

    fn account(&self, account: &str) -> Account {
        let events: Vec<Recorded> = self.of(account).cloned().collect();
        let head = Head {
            account: account.to_owned(),
            ordinal: self.ordinal(account),
            count: events.len() as u64,
            secret: secret(account),
            chain: chain(events.last().unwrap()),
        };
        let places = events.iter().map(|r| (r.revision, place(r.position))).collect();
        Account {
            head,
            history: History::of(account, &events),
            places,
            gone: GoneEvents::default(),
        }
    }

    /// The anchor of a batch that ends before the event at position `to`.
    fn anchor(&self, to: u64) -> Anchor {
        Anchor { end: place(to), checksum: self.sums[to as usize - 1] }
    }

    fn open(&self, dir: &Path, writer: bool) -> Derived {
        let options = Options { table_bytes: 20_000, ..Options::new(dir, STORE, writer) };
        let is_ours =
            |to, anchor: &Anchor| to <= self.events.len() as u64 && *anchor == self.anchor(to);
        let mut derived = Derived::open(options, is_ours).unwrap();
        self.replay(&mut derived);
        derived
    }

    /// Appends what `derived` does not have yet.
    fn replay(&self, derived: &mut Derived) {
        for recorded in &self.events[derived.next_position() as usize..] {
            derived.append(&self.entry(recorded));
        }
    }

    fn flush(&self, derived: &mut Derived) -> Result<(), DerivedError> {
        self.replay(derived);
        derived.flush(&self.anchor(self.events.len() as u64))
    }

    /// Asks everything that can be asked and compares with the list.
    fn check(&self, derived: &Derived) -> Result<(), DerivedError> {
        let names = self.names();
        assert_eq!(derived.next_position(), self.events.len() as u64);
        assert_eq!(derived.accounts(), names.len() as u64);
        for run in &derived.runs.runs {
            assert_eq!(run.all_names()?.len() as u64, run.footer.accounts);
        }
        for recorded in &self.events {
            let entry = self.entry(recorded);
            assert_eq!(derived.find_id(&entry.tag)?, Some(recorded.position));
        }
        let accounts: Vec<Account> = names.iter().map(|name| self.account(name)).collect();
        for account in &accounts {
            let Head { account: name, ordinal, .. } = &account.head;
            assert_eq!(derived.account(name)?.as_ref(), Some(account));
            assert_eq!(derived.head(name)?.as_ref(), Some(&account.head));
            assert_eq!(derived.head_of(*ordinal)?.as_ref(), Some(&account.head));
            assert_eq!(derived.head_of(*ordinal + 1)?, None);
            for absent in [format!("{name}\0"), name[..name.len() - 1].to_owned()] {
                if !names.contains(&absent.as_str()) {
                    assert_eq!(derived.account(&absent)?, None);
                    assert_eq!(derived.head(&absent)?, None);
                }
                assert_eq!(derived.find_id(&tag(&absent, "id"))?, None);
            }
        }
        let both = accounts.iter().flat_map(|a| [a.head.ordinal, a.head.ordinal + 1]);
        let ordinals: BTreeSet<u64> = both.collect();
        let mut heads = derived.heads_in_files(ordinals.into_iter().collect())?;
        heads.sort_by(|a, b| a.account.cmp(&b.account));
        let mut expected = Vec::new();
        for account in &accounts {
            expected.extend(derived.cover().head(&account.head.account)?);
        }
        assert_eq!(heads, expected);
        assert_eq!(scanned(derived, None, None)?, accounts);
        for (from, to) in [("", ""), ("account 1", "account 2"), ("account 10", "b"), ("b", "c")] {
            let inside =
                |a: &&Account| from <= a.head.account.as_str() && a.head.account.as_str() < to;
            let expected: Vec<Account> = accounts.iter().filter(inside).cloned().collect();
            assert_eq!(scanned(derived, Some(from), Some(to))?, expected);
        }
        for parts in [1, 2, 5] {
            let cuts = derived.cuts(parts)?;
            assert!(cuts.len() < parts && cuts.is_sorted());
            let mut all = Vec::new();
            let borders: Vec<_> = cuts.iter().map(|c| Some(c.as_str())).collect();
            let from = std::iter::once(None).chain(borders.iter().copied());
            for (from, to) in from.zip(borders.iter().copied().chain([None])) {
                all.extend(scanned(derived, from, to)?);
            }
            assert_eq!(all, accounts);
        }
        Ok(())
    }

    /// What the log does: where a run turns out to be damaged, all is made anew.
    fn check_or_reset(&self, derived: &mut Derived) -> bool {
        match self.check(derived) {
            Ok(()) => false,
            Err(DerivedError::Damaged { .. }) => {
                derived.reset().unwrap();
                self.replay(derived);
                self.check(derived).unwrap();
                true
            }
            Err(error) => panic!("{error}"),
        }
    }
}

fn scanned(
    derived: &Derived,
    from: Option<&str>,
    to: Option<&str>,
) -> Result<Vec<Account>, DerivedError> {
    let mut scan = derived.scan(from, to)?;
    let mut history = History {
        account: "left over".to_owned(),
        names: Names::default(),
        steps: Vec::new(),
        erased: event::ErasedEvents::default(),
    };
    let mut accounts = Vec::new();
    while scan.next_into(&mut history)? {
        // A scan gives no places; those of the list are put in for the comparison.
        let mut places: Vec<_> =
            history.steps.iter().map(|s| (s.revision, place(s.position))).collect();
        places.sort_unstable();
        accounts.push(Account {
            head: scan.head().clone(),
            history: history.clone(),
            places,
            gone: GoneEvents::default(),
        });
    }
    Ok(accounts)
}

fn place(position: u64) -> Place {
    Place { segment: position / 100, offset: 1000 + position % 100 * 77 }
}

fn tag(account: &str, id: &str) -> [u8; 16] {
    *blake3::hash(format!("{account}/{id}").as_bytes()).as_bytes().first_chunk().unwrap()
}

fn secret(account: &str) -> [u8; 32] {
    *blake3::hash(account.as_bytes()).as_bytes()
}

/// Kept for some only.
fn chain(recorded: &Recorded) -> [u8; 32] {
    if recorded.position.is_multiple_of(3) { [0; 32] } else { [recorded.position as u8 | 1; 32] }
}

/// Those of the step's subject and word.
fn texts(payload: &Payload) -> (Option<&str>, Option<&str>) {
    match payload {
        Payload::TierChanged { tier: word } | Payload::SyncOff { category: word } => {
            (None, Some(word))
        }
        Payload::ItemUploaded { item, category, .. } => (Some(item), Some(category)),
        Payload::ItemModified { item: subject, .. }
        | Payload::ItemTrashed { item: subject }
        | Payload::ItemPurged { item: subject, .. }
        | Payload::BackupCompleted { backup: subject, .. }
        | Payload::HoldPlaced { hold: subject } => (Some(subject), None),
        _ => (None, None),
    }
}

fn payload(rng: &mut fastrand::Rng) -> Payload {
    let item = format!("item {}", rng.u32(..30)).repeat(rng.usize(1..4));
    let category = ["photos", "notes", ""][rng.usize(..3)].to_owned();
    let bits = rng.u32(1..=53);
    let bytes = rng.u64(..1 << bits);
    let cause = PurgeCause::ALL.get(rng.usize(..6)).copied();
    match rng.u32(..12) {
        0 => Payload::AccountOpened { tier: None },
        1 => Payload::TierChanged { tier: "gold".to_owned() },
        2 => Payload::SyncOff { category },
        3 => Payload::ItemUploaded { item, category, bytes },
        4 => Payload::ItemModified { item, bytes: None },
        5 => Payload::ItemTrashed { item },
        6 => Payload::ItemPurged { item, cause },
        7 => Payload::BackupCompleted { backup: item, bytes, parts: Vec::new() },
        8 => Payload::BackupOff { delete_backups: rng.bool() },
        9 => Payload::DataCleared { cause: ClearCause::ALL[rng.usize(..3)] },
        10 => Payload::HoldPlaced { hold: item },
        _ => Payload::QuotaChanged { bytes },
    }
}
