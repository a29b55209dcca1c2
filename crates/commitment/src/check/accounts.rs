//! What a full check keeps of each account.

use crate::frame::chain_step;
use crate::hash::{Digest, Domain, hash_fixed};

/// By ordinals.
#[derive(Default)]
pub(super) struct Accounts {
    names: Vec<Box<str>>,
    secrets: Vec<[u8; 32]>,
    streams: Vec<Stream>,
    /// Leaves by which no chain was moved on yet: the first of each account, the second, and so on.
    unlinked: Vec<Vec<(u32, Digest)>>,
}

/// What changes with each event, in one line of a processor's cache.
#[repr(align(64))]
struct Stream {
    chain: Digest,
    /// How many there were so far.
    events: u64,
    /// By how many of them the chain was moved on.
    linked: u64,
}

/// Under so many chains at once cost as much as one by one.
const FEW: usize = 4;

impl Accounts {
    /// Adds an account, whose ordinal is the next.
    pub(super) fn push(&mut self, name: &str, secret: &[u8; 32], chain: Digest) {
        self.names.push(name.into());
        self.secrets.push(*secret);
        self.streams.push(Stream { chain, events: 0, linked: 0 });
    }

    /// The name of an account that may be known.
    pub(super) fn name(&self, ordinal: u32) -> Option<&str> {
        self.names.get(ordinal as usize).map(|name| &**name)
    }

    /// The events of a known account so far.
    pub(super) fn events(&self, ordinal: u32) -> u64 {
        self.streams[ordinal as usize].events
    }

    /// The secret of a known account.
    pub(super) fn secret(&self, ordinal: u32) -> &[u8; 32] {
        &self.secrets[ordinal as usize]
    }

    /// The names and the heads of the chains, as far as they were moved on.
    pub(super) fn iter(&self) -> impl Iterator<Item = (&str, &Digest)> {
        let chains = self.streams.iter().map(|stream| &stream.chain);
        self.names.iter().map(|name| &**name).zip(chains)
    }

    /// Has the memory of accounts that are asked for next, which lie far apart, come closer: all at once it
    /// is waited for once, and not again at each event.
    pub(super) fn fetch(&self, ordinals: impl Iterator<Item = u32>) {
        let touch = |ordinal: u32| {
            let stream = self.streams.get(ordinal as usize)?;
            Some(stream.events ^ u64::from(self.secrets[ordinal as usize][0]))
        };
        std::hint::black_box(ordinals.filter_map(touch).fold(0, std::ops::BitXor::bitxor));
    }

    /// Takes in the next event of a known account; gives its revision.
    pub(super) fn add(&mut self, ordinal: u32, leaf: Digest) -> u64 {
        let stream = &mut self.streams[ordinal as usize];
        let round = (stream.events - stream.linked) as usize;
        stream.events += 1;
        if round == self.unlinked.len() {
            self.unlinked.push(Vec::new());
        }
        self.unlinked[round].push((ordinal, leaf));
        stream.events - 1
    }

    /// Moves the chains on, those of different accounts side by side where they are many.
    pub(super) fn link(&mut self) {
        for round in &mut self.unlinked {
            if round.is_empty() {
                break;
            }
            let chain = |ordinal: u32| &self.streams[ordinal as usize].chain;
            let heads = match round.len() {
                ..FEW => round.iter().map(|(n, leaf)| chain_step(chain(*n), leaf)).collect(),
                _ => {
                    let pairs = round.iter().map(|(n, leaf)| (chain(*n), leaf));
                    hash_fixed(Domain::ChainStep, pairs)
                }
            };
            for ((ordinal, _), head) in round.drain(..).zip(heads) {
                let stream = &mut self.streams[ordinal as usize];
                stream.chain = head;
                stream.linked += 1;
            }
        }
    }
}
