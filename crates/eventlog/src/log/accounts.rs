//! What appending knows of accounts, so that it need not ask the files each time.

use commitment::Digest;

use super::Account;
use crate::derived::PlainMap;

/// Accounts by the hashes of their names.
pub(super) struct Accounts {
    accounts: PlainMap<Digest, Account>,
    /// How many are kept, besides those of which no file knows the last events yet.
    kept: usize,
    /// With more than this, those are forgotten that files know.
    most: usize,
}

impl Accounts {
    pub(super) fn new(kept: usize) -> Accounts {
        Accounts { accounts: PlainMap::default(), kept, most: kept }
    }

    pub(super) fn get(&self, name: &Digest) -> Option<Account> {
        self.accounts.get(name).copied()
    }

    /// Makes room for those that are not there.
    pub(super) fn reserve_for<'k>(&mut self, names: impl Iterator<Item = &'k Digest>) {
        let new = names.filter(|name| !self.accounts.contains_key(*name)).count();
        self.accounts.reserve(new);
    }

    /// Puts an account in, or in the place of what was known of it. `covered`: the positions below this
    /// are in files.
    pub(super) fn put(&mut self, name: &Digest, account: Account, covered: impl FnOnce() -> u64) {
        if let Some(known) = self.accounts.get_mut(name) {
            *known = account;
            return;
        }
        if self.accounts.len() >= self.most {
            let covered = covered();
            self.accounts.retain(|_, account| account.to > covered);
            self.most = self.kept.max(2 * self.accounts.len());
        }
        self.accounts.insert(*name, account);
    }
}
