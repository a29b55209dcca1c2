//! What an erasure takes is taken out of runs: afterwards they answer as if they were made of what is left, and hold no more.

use std::collections::HashSet;

use commitment::{Left, Ranges};

use super::super::erased::blanked;
use super::super::file::HEADER_BYTES;
use super::super::run::name_hash;
use super::super::{GoneEntry, Taken};
use super::*;

/// What is left of an event.
#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    Whole,
    Envelope,
    Leaf,
    /// Not even its account's name.
    Nothing,
}

struct Store {
    log: Log,
    states: Vec<State>,
    /// Where runs end.
    ends: Vec<usize>,
    dir: tempfile::TempDir,
    derived: Derived,
}

fn subject_tag(recorded: &Recorded) -> [u8; 16] {
    let texts = texts(&recorded.event.payload);
    texts.0.map_or([0; 16], |text| tag(&recorded.event.account, text))
}

fn feed(derived: &mut Derived, log: &Log, states: &[State], to: usize) {
    let from = derived.next_position() as usize;
    for (recorded, state) in log.events[from..to].iter().zip(&states[from..to]) {
        let entry = Entry { chain: [0; 32], ..log.entry(recorded) };
        let gone = |left| GoneEntry {
            account: entry.account,
            ordinal: entry.ordinal,
            secret: &entry.secret,
            position: recorded.position,
            revision: recorded.revision,
            place: entry.place,
            left,
        };
        match state {
            State::Whole => derived.append(&entry),
            State::Envelope => {
                derived.append_gone(&gone(Some((blanked(&entry.step), subject_tag(recorded)))));
            }
            State::Leaf => derived.append_gone(&gone(None)),
            State::Nothing => derived.pass(recorded.position),
        }
    }
}

impl Store {
    fn new(rng: &mut fastrand::Rng, accounts: usize, parts: &[usize]) -> Store {
        let mut log = Log::new();
        let mut ends = Vec::new();
        for part in parts {
            (0..*part).for_each(|_| log.push(rng, accounts));
            ends.push(log.events.len());
        }
        // Names of many lengths, some the beginnings of others, with letters of several bytes.
        let mut names: Vec<String> = Vec::new();
        for n in 0..accounts {
            let beginning = match n % 3 {
                0 => String::new(),
                _ => names[rng.usize(..n)].clone(),
            };
            let letters = ["a", "zz", "\u{e9}", "\u{20ac}uro", "\u{1f600}", "mei", "-"];
            let some: String = (0..rng.usize(1..4)).map(|_| letters[rng.usize(..7)]).collect();
            let mut name = format!("{beginning}{some}");
            while name.len() > 60 || names.contains(&name) {
                name = format!("{n}{some}");
            }
            names.push(name);
        }
        for recorded in &mut log.events {
            let n: usize = recorded.event.account["account ".len()..].parse().unwrap();
            recorded.event.account.clone_from(&names[n]);
        }
        let dir = tempfile::tempdir().unwrap();
        let states = vec![State::Whole; log.events.len()];
        let derived = anew(&log, &states, &ends, dir.path());
        Store { log, states, ends, dir, derived }
    }

    /// Names that are there still, in their order.
    fn names(&self) -> Vec<String> {
        let there = self.log.events.iter().zip(&self.states);
        let there = there.filter(|(_, state)| **state != State::Nothing);
        let names: BTreeSet<String> = there.map(|(r, _)| r.event.account.clone()).collect();
        names.into_iter().collect()
    }

    /// Takes out accounts as a whole, and of others the events that `which` says.
    fn take(&mut self, left: Left, names: &[String], which: impl Fn(&Recorded) -> bool) {
        let (mut events, mut positions) = (BTreeMap::<u64, Vec<_>>::new(), Vec::new());
        let mut tags = Vec::new();
        for (recorded, state) in self.log.events.iter().zip(&mut self.states) {
            let is_whole_account = names.contains(&recorded.event.account);
            let is_wanted = match (*state, left) {
                (State::Nothing, _) => continue,
                (State::Leaf, _) | (State::Envelope, Left::Envelope) => false,
                _ => is_whole_account || which(recorded),
            };
            let entry = self.log.entry(recorded);
            if is_wanted {
                let subject = subject_tag(recorded);
                events.entry(entry.ordinal).or_default().push((recorded.position, subject));
                positions.push(recorded.position);
                if *state == State::Whole {
                    tags.push((recorded.position, entry.tag));
                }
                *state = if left == Left::Leaf { State::Leaf } else { State::Envelope };
            }
            if is_whole_account {
                *state = State::Nothing;
            }
        }
        let names = names.iter().map(|name| self.log.ordinal(name)).collect();
        let positions: Ranges = positions.into_iter().collect();
        self.derived
            .leave_out(&Taken { left, names, events, positions, tags: Some(tags) })
            .unwrap();
    }

    fn hold(&self) {
        let other = tempfile::tempdir().unwrap();
        let anew = anew(&self.log, &self.states, &self.ends, other.path());
        let options = Options::new(self.dir.path(), STORE, false);
        let again = Derived::open(options, |_, _| true).unwrap();
        assert_eq!(again.next_position(), self.log.events.len() as u64);
        for derived in [&self.derived, &again] {
            self.hold_one(derived, &anew);
        }
        self.hold_bytes(&again);
    }

    fn hold_one(&self, derived: &Derived, anew: &Derived) {
        assert_eq!(derived.accounts(), anew.accounts());
        let mut ordinals = BTreeSet::new();
        for (recorded, state) in self.log.events.iter().zip(&self.states) {
            let entry = self.log.entry(recorded);
            let expected = (*state == State::Whole).then_some(recorded.position);
            assert_eq!(derived.find_id(&entry.tag).unwrap(), expected);
            ordinals.insert(entry.ordinal);
        }
        let names: BTreeSet<&str> =
            self.log.events.iter().map(|r| r.event.account.as_str()).collect();
        for name in names {
            assert_eq!(derived.account(name).unwrap(), anew.account(name).unwrap(), "{name:?}");
            assert_eq!(derived.head(name).unwrap(), anew.head(name).unwrap(), "{name:?}");
        }
        for ordinal in &ordinals {
            assert_eq!(derived.head_of(*ordinal).unwrap(), anew.head_of(*ordinal).unwrap());
        }
        let heads = |derived: &Derived| {
            let mut heads = derived.heads_in_files(ordinals.iter().copied().collect()).unwrap();
            heads.sort_by_key(|head| head.ordinal);
            heads
        };
        assert_eq!(heads(derived), heads(anew));
        let all = scanned(anew, None, None).unwrap();
        assert_eq!(scanned(derived, None, None).unwrap(), all);
        for parts in [2, 5, 40] {
            let cuts = derived.cuts(parts).unwrap();
            assert!(cuts.is_sorted());
            let mut found = Vec::new();
            let borders: Vec<_> = cuts.iter().map(|cut| Some(cut.as_str())).collect();
            let from = std::iter::once(None).chain(borders.iter().copied());
            for (from, to) in from.zip(borders.iter().copied().chain([None])) {
                found.extend(scanned(derived, from, to).unwrap());
            }
            assert_eq!(found, all);
        }
        for (old, new) in derived.runs.runs.iter().zip(&anew.runs.runs) {
            assert_eq!(old.footer.accounts, new.footer.accounts);
            assert_eq!(old.footer.begun, new.footer.begun);
            assert_eq!(old.footer.names.count, new.footer.names.count);
            assert_eq!(old.footer.ids.count, new.footer.ids.count);
            assert_eq!(old.all_names().unwrap(), new.all_names().unwrap());
        }
    }

    /// In no byte is a name, a hash or a secret of an account that went, or an id's tag.
    fn hold_bytes(&self, derived: &Derived) {
        let left = self.names();
        for run in &derived.runs.runs {
            let bytes = std::fs::read(run.path()).unwrap();
            let records = HEADER_BYTES..run.footer.index.offset as usize;
            let pieces: HashSet<&[u8; 16]> =
                bytes.windows(16).map(|piece| piece.first_chunk().unwrap()).collect();
            for (recorded, state) in self.log.events.iter().zip(&self.states) {
                let entry = self.log.entry(recorded);
                let is_whole = *state == State::Whole;
                assert!(is_whole || !pieces.contains(&entry.tag), "a tag");
                if *state == State::Nothing && recorded.revision == 0 {
                    let name = entry.account;
                    assert!(!pieces.contains(&name_hash(name)), "the hash of {name:?}");
                    let secret = entry.secret.first_chunk().unwrap();
                    assert!(!pieces.contains(secret), "the secret of {name:?}");
                    let in_record = [&[name.len() as u8], name.as_bytes()].concat();
                    let mut records = bytes[records.clone()].windows(in_record.len());
                    // A short one may be there by chance.
                    let is_there = name.len() > 4 && records.any(|piece| piece == in_record);
                    assert!(!is_there, "{name:?} itself");
                }
            }
            let index = run.index().unwrap();
            for block in 0..index.spans.len() {
                let separator = index.separator(block);
                let is_of_one = left.iter().any(|name| name.as_bytes().starts_with(separator));
                assert!(is_of_one || separator == [u8::MAX], "{separator:?}");
            }
        }
    }
}

fn anew(log: &Log, states: &[State], ends: &[usize], dir: &Path) -> Derived {
    let mut derived = Derived::open(Options::new(dir, STORE, true), |_, _| true).unwrap();
    for to in ends {
        feed(&mut derived, log, states, *to);
        derived.add(&log.anchor(*to as u64)).unwrap();
    }
    derived
}

fn check(seed: u64, accounts: usize, parts: &[usize]) {
    println!("seed {seed}, {accounts} accounts, {parts:?}");
    let mut rng = fastrand::Rng::with_seed(seed);
    let mut store = Store::new(&mut rng, accounts, parts);
    store.hold();
    for round in 0..4 {
        let names = store.names();
        let Some(some) = rng.choice(&names).cloned() else { break };
        let left = if rng.bool() { Left::Leaf } else { Left::Envelope };
        let item = format!("item {}", rng.u32(..30));
        match rng.u32(..6) {
            0 => store.take(Left::Leaf, &[some], |_| false),
            // Neighbours, so that blocks are emptied and lose their borders.
            1 => {
                let from = rng.usize(..names.len());
                let to = (from + rng.usize(1..=names.len())).min(names.len());
                store.take(Left::Leaf, &names[from..to], |_| false);
            }
            2 => {
                let parts: Vec<String> =
                    names.iter().filter(|_| rng.u8(..) < 30).cloned().collect();
                store.take(Left::Leaf, &parts, |_| false);
            }
            3 => store.take(left, &[], |recorded| recorded.event.account == some),
            4 => store.take(left, &[], |recorded| {
                recorded.event.account == some
                    && texts(&recorded.event.payload).0.is_some_and(|text| text.starts_with(&item))
            }),
            _ => {
                let one = rng.usize(..store.log.events.len()) as u64;
                store.take(left, &[], |recorded| recorded.position.abs_diff(one) < 3);
            }
        }
        println!("round {round}: {:?}", store.derived.runs.runs.len());
        store.hold();
    }
    // They merge, and go on.
    let Store { log, states, ends, dir, mut derived } = store;
    derived.runs.merge().unwrap();
    let store = Store { ends: vec![*ends.last().unwrap()], log, states, dir, derived };
    if store.derived.runs.runs.len() == 1 {
        store.hold();
    }
}

#[test]
fn runs_that_something_was_taken_out_of_are_as_if_it_had_never_been_there() {
    let first = fastrand::u64(..1 << 40);
    for seed in first..first + 20 {
        check(seed, 5, &[9, 7, 5, 6]);
        check(seed, 40, &[60, 80, 20, 30]);
    }
    for seed in first..first + 2 {
        check(seed, 500, &[700, 900, 100, 400]);
    }
}

/// First, last and only accounts of blocks, blocks one after the other, the whole run.
#[test]
fn blocks_lose_their_borders() {
    let seed = fastrand::u64(..1 << 40);
    println!("seed {seed}");
    let mut rng = fastrand::Rng::with_seed(seed);
    let mut store = Store::new(&mut rng, 700, &[2500]);
    let borders = |store: &Store| {
        let run = &store.derived.runs.runs[0];
        let mut borders = Vec::new();
        for number in 0.. {
            let Some(block) = run.block(number, Vec::new()).unwrap() else { break };
            let name = |slot: usize| {
                let record = block.record(slot).unwrap();
                super::super::account::Record::name_of(record).unwrap().to_owned()
            };
            borders.push((0..block.len()).map(name).collect::<Vec<_>>());
        }
        borders
    };
    let blocks = borders(&store);
    assert!(blocks.len() > 5);
    store.take(Left::Leaf, &[blocks[1][0].clone(), blocks[2].last().unwrap().clone()], |_| false);
    store.hold();
    store.take(Left::Leaf, &blocks[2], |_| false);
    store.hold();
    store.take(Left::Leaf, &blocks[3][..blocks[3].len() - 1], |_| false);
    store.hold();
    let one = blocks[3].last().unwrap().clone();
    store.take(Left::Leaf, &[one], |_| false);
    store.hold();
    store.take(Left::Leaf, &[blocks[4][0].clone()], |_| false);
    store.hold();
    assert!(borders(&store)[2].is_empty() && borders(&store)[3].is_empty());
    let last = blocks.last().unwrap().clone();
    store.take(Left::Leaf, &last, |_| false);
    store.hold();
    let all = store.names();
    store.take(Left::Leaf, &all, |_| false);
    store.hold();
}
