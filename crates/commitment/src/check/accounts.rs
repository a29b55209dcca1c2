//! What a full check keeps of each account.

use super::names::Names;
use crate::chains::Chains;
use crate::hash::Digest;

/// A secret: never on two lines of a processor's cache.
#[repr(align(32))]
struct Secret([u8; 32]);

/// By ordinals. Of an account whose name was erased the name is empty, and the secret zeros.
#[derive(Default)]
pub(super) struct Accounts {
    pub(super) names: Names,
    secrets: Vec<Secret>,
    pub(super) chains: Chains,
}

impl Accounts {
    /// Adds an account, whose ordinal is the next, with the head of its chain after so many events; gives the account
    /// that had its name already, if one did.
    pub(super) fn push(
        &mut self,
        name: &str,
        secret: &[u8; 32],
        chain: Digest,
        events: u64,
    ) -> Option<u32> {
        self.secrets.push(Secret(*secret));
        self.chains.push(chain, events);
        self.names.push(name)
    }

    /// The name of an account, if it is known.
    pub(super) fn name(&self, ordinal: u32) -> Option<&str> {
        self.names.get(ordinal).filter(|name| !name.is_empty())
    }

    /// Whether the name of an account is known. Where its secret is there, which is asked for next, the name is: so the
    /// names themselves, which lie elsewhere, are hardly ever looked at.
    pub(super) fn is_named(&self, ordinal: u32) -> bool {
        self.secrets.get(ordinal as usize).is_some_and(|secret| secret.0 != [0; 32])
            || self.name(ordinal).is_some()
    }

    /// The secret of an account whose name is known.
    pub(super) fn secret(&self, ordinal: u32) -> &[u8; 32] {
        &self.secrets[ordinal as usize].0
    }

    /// The names and the heads of the chains, as far as they were moved on.
    pub(super) fn iter(&self) -> impl Iterator<Item = (&str, &Digest)> {
        self.names.iter().zip(self.chains.heads())
    }

    /// Has the memory of accounts that are asked for next, which lie far apart, come closer: all at once it
    /// is waited for once, and not again at each event.
    pub(super) fn fetch(&self, ordinals: impl Iterator<Item = u32>) {
        let touch = |ordinal: u32| {
            let secret = self.secrets.get(ordinal as usize)?;
            Some(self.chains.touch(ordinal) ^ u64::from(secret.0[0]))
        };
        std::hint::black_box(ordinals.filter_map(touch).fold(0, std::ops::BitXor::bitxor));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_has_a_name_is_named_whatever_the_secret() {
        let mut accounts = Accounts::default();
        for (name, secret) in [("a", [7; 32]), ("b", [0; 32]), ("", [0; 32])] {
            accounts.push(name, &secret, [1; 32], 0);
        }
        let named = [0, 1, 2, 3].map(|ordinal| accounts.is_named(ordinal));
        assert_eq!(named, [true, true, false, false]);
        assert_eq!(named, [0, 1, 2, 3].map(|ordinal| accounts.name(ordinal).is_some()));
    }
}
