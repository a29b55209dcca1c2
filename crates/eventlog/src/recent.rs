//! The ids that a writer gave places to and that may be in no file yet.

use std::collections::VecDeque;

use hashbrown::HashTable;

use crate::Outcome;
use crate::derived::{Filter, IdTag};
use crate::prepare::Key;

/// The ids of events that no file may have yet: those of some time back, which are forgotten together.
pub(crate) struct Recent {
    /// Of how many events a generation is: of as many as a run.
    run: usize,
    /// The newest last.
    generations: VecDeque<Generation>,
}

struct Generation {
    /// The position below which its events are.
    to: u64,
    /// In the order in which they came.
    events: Vec<(IdTag, Recently)>,
    /// Their numbers by their tags. It is written all over: the less it takes the nearer it stays.
    by_tag: HashTable<u32>,
    /// In front of these, and smaller still: nearly every id that is asked for is new.
    filter: Filter,
}

/// An event that was given its place some time back.
#[derive(Clone, Copy)]
pub(crate) struct Recently {
    pub(crate) position: u64,
    /// What must be the same in a duplicate.
    pub(crate) event: [u8; 16],
}

impl Recently {
    /// What it is to an event of the same id.
    pub(crate) fn outcome(&self, key: &Key) -> Outcome {
        let position = self.position;
        match self.event == key.event {
            true => Outcome::Duplicate { position },
            false => Outcome::Conflict { position },
        }
    }
}

impl Recent {
    pub(crate) fn new(run: usize) -> Recent {
        Recent { run, generations: VecDeque::new() }
    }

    /// The event of an id, if its position is `first` or behind it: that costs less than to look at all.
    pub(crate) fn get_from(&self, first: u64, tag: &IdTag) -> Option<Recently> {
        let mut newest =
            self.generations.iter().rev().take_while(|generation| generation.to > first);
        newest.find_map(|generation| generation.get(tag))
    }

    /// The event of an id.
    pub(crate) fn get(&self, tag: &IdTag) -> Option<Recently> {
        self.get_from(0, tag)
    }

    /// Takes an id in. `covered`: the positions below this are in files.
    pub(crate) fn insert(&mut self, key: &Key, position: u64, covered: impl FnOnce() -> u64) {
        if self.generations.back().is_none_or(|newest| newest.events.len() >= self.run) {
            let covered = covered();
            // One that filled up is followed by another that does.
            let room = if self.generations.is_empty() { 0 } else { self.run };
            while self.generations.pop_front_if(|oldest| oldest.to <= covered).is_some() {}
            self.generations.push_back(Generation {
                to: 0,
                events: Vec::with_capacity(room),
                by_tag: HashTable::with_capacity(room),
                filter: Filter::new(self.run as u64),
            });
        }
        let newest = self.generations.back_mut().expect("one was just made");
        newest.to = position + 1;
        newest.insert(key.id, Recently { position, event: key.event });
    }
}

impl Generation {
    fn get(&self, tag: &IdTag) -> Option<Recently> {
        if !self.filter.may_contain(tag) {
            return None;
        }
        let event = |number: &u32| &self.events[*number as usize];
        let found = self.by_tag.find(hash(tag), |number| event(number).0 == *tag);
        found.map(|number| event(number).1)
    }

    fn insert(&mut self, tag: IdTag, recently: Recently) {
        let number = u32::try_from(self.events.len()).expect("under 2^32 events in a run");
        self.events.push((tag, recently));
        self.filter.insert(&tag);
        let events = &self.events;
        let hash_of = |number: &u32| hash(&events[*number as usize].0);
        self.by_tag.insert_unique(hash(&tag), number, hash_of);
    }
}

/// A tag is a hash already.
fn hash(tag: &IdTag) -> u64 {
    u64::from_le_bytes(*tag.last_chunk().expect("8 of 16 bytes"))
}
