//! The accounts that a survey meets, and whether they came through.

use std::collections::{HashMap, HashSet};

use super::AccountCounts;

pub(super) struct Known {
    pub(super) name: Box<str>,
    pub(super) secret: [u8; 32],
    pub(super) is_proven: bool,
}

/// Accounts by their ordinals. Memory: an entry an account.
#[derive(Default)]
pub(super) struct Accounts {
    known: HashMap<u32, Known>,
    cut: HashSet<u32>,
    erased: HashSet<u32>,
    /// As many accounts the log has at least.
    count: u64,
    /// Of accounts of lower ordinals an event may be missing.
    unsure_below: u64,
    /// Whether what is missing of one may be there in another place.
    is_doubtful: bool,
}

impl Accounts {
    pub(super) fn get(&self, ordinal: u32) -> Option<&Known> {
        self.known.get(&ordinal)
    }

    /// Takes in a name. False if the ordinal has another; a proven one stands in for one that is not.
    pub(super) fn name(
        &mut self,
        ordinal: u32,
        secret: &[u8; 32],
        name: &str,
        is_proven: bool,
    ) -> bool {
        self.at_least(u64::from(ordinal) + 1);
        let known = Known { name: name.into(), secret: *secret, is_proven };
        match self.known.get(&ordinal) {
            Some(old) if old.is_proven || !is_proven => {
                old.name == known.name && old.secret == known.secret
            }
            _ => {
                self.known.insert(ordinal, known);
                true
            }
        }
    }

    /// The log has so many accounts, or more.
    pub(super) fn at_least(&mut self, count: u64) {
        self.count = self.count.max(count);
    }

    /// An event of this one is missing.
    pub(super) fn cut(&mut self, ordinal: u32) {
        self.at_least(u64::from(ordinal) + 1);
        self.cut.insert(ordinal);
    }

    /// The names of these were erased.
    pub(super) fn erased(&mut self, ordinals: &[u32]) {
        self.erased.extend(ordinals);
    }

    /// As many as are known of so far.
    pub(super) fn count(&self) -> u64 {
        self.count
    }

    /// Events are missing that may be anybody's of the first so many.
    pub(super) fn unsure(&mut self, below: u64) {
        self.unsure_below = self.unsure_below.max(below);
    }

    /// Pieces of the log stand twice, or in another's place: what is missing of an account in one may be there in
    /// another, and of the first so many of none it can be told.
    pub(super) fn doubt(&mut self, below: u64) {
        self.unsure(below);
        self.is_doubtful = true;
    }

    pub(super) fn counts(&self) -> AccountCounts {
        let is_whole = |(ordinal, known): &(&u32, &Known)| {
            known.is_proven
                && u64::from(**ordinal) >= self.unsure_below
                && !self.cut.contains(*ordinal)
                && !self.erased.contains(*ordinal)
        };
        let whole = self.known.iter().filter(is_whole).count() as u64;
        let gaps = self.cut.difference(&self.erased).count() as u64;
        let gaps = if self.is_doubtful { 0 } else { gaps };
        let erased = self.erased.len() as u64;
        AccountCounts { whole, gaps, unsure: self.count - whole - gaps - erased, erased }
    }
}
