//! The names of accounts, end to end in one piece of memory, and found again by a hash of them.

use std::hash::{BuildHasher, RandomState};

use hashbrown::HashTable;

/// By ordinals.
#[derive(Debug, Default)]
pub(super) struct Names {
    text: String,
    /// Where each ends in it.
    ends: Vec<usize>,
    /// Hashes of names, and whose they are: so the table grows without reading a name again.
    known: HashTable<(u64, u32)>,
    hasher: RandomState,
}

impl Names {
    /// The name of an account that may be known.
    pub(super) fn get(&self, ordinal: u32) -> Option<&str> {
        let n = ordinal as usize;
        let end = *self.ends.get(n)?;
        let start = n.checked_sub(1).map_or(0, |before| self.ends[before]);
        Some(&self.text[start..end])
    }

    /// Adds the name of the account whose ordinal is the next; gives the account that had it already, if one did.
    pub(super) fn push(&mut self, name: &str) -> Option<u32> {
        let hash = self.hasher.hash_one(name);
        let is_it = |(other, ordinal): &(u64, u32)| {
            *other == hash && self.get(*ordinal).is_some_and(|other| other == name)
        };
        let other = self.known.find(hash, is_it).map(|(_, ordinal)| *ordinal);
        if other.is_none() {
            let ordinal = u32::try_from(self.ends.len()).expect("ordinals have 32 bits");
            self.known.insert_unique(hash, (hash, ordinal), |(hash, _)| *hash);
        }
        self.text.push_str(name);
        self.ends.push(self.text.len());
        other
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &str> {
        (0..self.ends.len() as u32).map(|ordinal| self.get(ordinal).expect("there are as many"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_is_found_again() {
        let mut names = Names::default();
        assert_eq!(names.get(0), None);
        let name = |n: u32| format!("account {n}{}", "é".repeat(n as usize % 5));
        for n in 0..1000 {
            assert_eq!(names.push(&name(n)), None);
            assert_eq!((names.get(n), names.get(n + 1)), (Some(&*name(n)), None));
        }
        assert!(names.iter().eq((0..1000).map(name)));
        for n in 0..1000 {
            assert_eq!(names.push(&name(n)), Some(n));
            assert_eq!(names.get(1000 + n), Some(&*name(n)));
        }
    }
}
