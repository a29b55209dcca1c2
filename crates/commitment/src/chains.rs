//! Accounts' chains as they grow (docs/format.md, section 7), by ordinals.

use crate::frame::chain_step;
use crate::hash::{Digest, Domain, hash_fixed};

/// The chains of a log's accounts.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Chains {
    streams: Vec<Stream>,
    /// Leaves by which no chain was moved on yet: the first of each account, the second, and so on.
    unlinked: Vec<Vec<(u32, Digest)>>,
    /// Those that went on since somebody took them, each once.
    changed: Vec<u32>,
}

/// One account's, in one line of a processor's cache.
#[derive(Debug, Clone, PartialEq, Eq)]
#[repr(align(64))]
struct Stream {
    head: Digest,
    /// How many events there were so far.
    events: u64,
    /// By how many of them the head was moved on.
    linked: u64,
    is_changed: bool,
}

/// Under so many chains at once cost as much as one by one.
const FEW: usize = 4;

impl Chains {
    /// How many accounts there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.streams.len()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.streams.is_empty()
    }

    /// Adds an account, whose ordinal is the next, with the head of its chain after so many events.
    pub fn push(&mut self, head: Digest, events: u64) {
        self.streams.push(Stream { head, events, linked: events, is_changed: false });
    }

    /// The events of an account so far.
    ///
    /// # Panics
    /// If there is no such account.
    #[must_use]
    pub fn events(&self, ordinal: u32) -> u64 {
        self.streams[ordinal as usize].events
    }

    /// The head of an account's chain, as far as it was moved on.
    ///
    /// # Panics
    /// If there is no such account.
    #[must_use]
    pub fn head(&self, ordinal: u32) -> &Digest {
        &self.streams[ordinal as usize].head
    }

    /// The heads of all, by ordinal, as far as they were moved on.
    pub fn heads(&self) -> impl Iterator<Item = &Digest> {
        self.streams.iter().map(|stream| &stream.head)
    }

    /// Reads of an account, if it is there, so that its memory is near when it is asked for.
    pub(crate) fn touch(&self, ordinal: u32) -> u64 {
        self.streams.get(ordinal as usize).map_or(0, |stream| stream.events)
    }

    /// [`Chains::touch`] of all that are asked for next, which lie far apart: at once it is waited for once, and not again
    /// at each event.
    pub fn fetch(&self, ordinals: impl Iterator<Item = u32>) {
        std::hint::black_box(ordinals.fold(0, |sum, ordinal| sum ^ self.touch(ordinal)));
    }

    /// Takes in an account's next event, by its leaf; gives its revision.
    ///
    /// # Panics
    /// If there is no such account.
    pub fn add(&mut self, ordinal: u32, leaf: Digest) -> u64 {
        let stream = &mut self.streams[ordinal as usize];
        if !stream.is_changed {
            stream.is_changed = true;
            self.changed.push(ordinal);
        }
        let round = (stream.events - stream.linked) as usize;
        stream.events += 1;
        if round == self.unlinked.len() {
            self.unlinked.push(Vec::new());
        }
        self.unlinked[round].push((ordinal, leaf));
        stream.events - 1
    }

    /// How many accounts' chains went on since [`Chains::take_changed`].
    #[must_use]
    pub fn changed(&self) -> usize {
        self.changed.len()
    }

    /// The accounts whose chains went on since this was asked before, by their rising ordinals.
    pub fn take_changed(&mut self) -> Vec<u32> {
        let mut changed = std::mem::take(&mut self.changed);
        changed.sort_unstable();
        for ordinal in &changed {
            self.streams[*ordinal as usize].is_changed = false;
        }
        changed
    }

    /// Moves the heads on, those of different accounts side by side where they are many.
    pub fn link(&mut self) {
        for round in &mut self.unlinked {
            if round.is_empty() {
                break;
            }
            let head = |ordinal: u32| &self.streams[ordinal as usize].head;
            let heads = match round.len() {
                ..FEW => round.iter().map(|(n, leaf)| chain_step(head(*n), leaf)).collect(),
                _ => {
                    let pairs = round.iter().map(|(n, leaf)| (head(*n), leaf));
                    hash_fixed(Domain::ChainStep, pairs)
                }
            };
            for ((ordinal, _), head) in round.drain(..).zip(heads) {
                let stream = &mut self.streams[ordinal as usize];
                stream.head = head;
                stream.linked += 1;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn many_are_moved_on_as_one_is() {
        for accounts in [1u32, 3, 4, 40] {
            let mut chains = Chains::default();
            let mut plain = Vec::new();
            let mut changed = std::collections::BTreeSet::new();
            for n in 0..accounts {
                chains.push([n as u8; 32], 0);
                plain.push(([n as u8; 32], 0));
            }
            for n in 0..1000u32 {
                // Some accounts have many more than others.
                let ordinal = (n * n / 3) % accounts.min(1 + n % 7);
                let leaf = [(n % 251) as u8; 32];
                let (head, events) = &mut plain[ordinal as usize];
                assert_eq!(chains.add(ordinal, leaf), *events);
                changed.insert(ordinal);
                (*head, *events) = (chain_step(head, &leaf), *events + 1);
                if n % 97 == 0 || n == 999 {
                    chains.link();
                    assert_eq!(chains.changed(), changed.len());
                    assert!(chains.take_changed().into_iter().eq(std::mem::take(&mut changed)));
                    let all: Vec<Digest> = plain.iter().map(|(head, _)| *head).collect();
                    assert_eq!(
                        chains.heads().copied().collect::<Vec<_>>(),
                        all,
                        "{n} of {accounts}"
                    );
                }
            }
            let counts = (0..accounts).map(|n| chains.events(n));
            assert!(counts.eq(plain.iter().map(|(_, events)| *events)));
        }
    }
}
