//! What a full check keeps of each account.

use crate::chains::Chains;
use crate::hash::Digest;

/// By ordinals. Of an account whose name was erased the name is empty, and the secret zeros.
#[derive(Default)]
pub(super) struct Accounts {
    names: Vec<Box<str>>,
    secrets: Vec<[u8; 32]>,
    pub(super) chains: Chains,
}

impl Accounts {
    /// Adds an account, whose ordinal is the next, with the head of its chain after so many events.
    pub(super) fn push(&mut self, name: &str, secret: &[u8; 32], chain: Digest, events: u64) {
        self.names.push(name.into());
        self.secrets.push(*secret);
        self.chains.push(chain, events);
    }

    /// The name of an account, if it is known.
    pub(super) fn name(&self, ordinal: u32) -> Option<&str> {
        self.names.get(ordinal as usize).map(|name| &**name).filter(|name| !name.is_empty())
    }

    /// The secret of an account whose name is known.
    pub(super) fn secret(&self, ordinal: u32) -> &[u8; 32] {
        &self.secrets[ordinal as usize]
    }

    /// The names and the heads of the chains, as far as they were moved on.
    pub(super) fn iter(&self) -> impl Iterator<Item = (&str, &Digest)> {
        self.names.iter().map(|name| &**name).zip(self.chains.heads())
    }

    /// Has the memory of accounts that are asked for next, which lie far apart, come closer: all at once it
    /// is waited for once, and not again at each event.
    pub(super) fn fetch(&self, ordinals: impl Iterator<Item = u32>) {
        let touch = |ordinal: u32| {
            let secret = self.secrets.get(ordinal as usize)?;
            Some(self.chains.touch(ordinal) ^ u64::from(secret[0]))
        };
        std::hint::black_box(ordinals.filter_map(touch).fold(0, std::ops::BitXor::bitxor));
    }
}
