//! What appending knows of accounts, so that it need not ask the files each time.

use std::collections::HashMap;

use super::Account;

/// Accounts by name.
pub(super) struct Accounts {
    accounts: HashMap<Box<str>, Account, foldhash::fast::RandomState>,
    /// How many are kept, besides those of which no file knows the last events yet.
    kept: usize,
    /// With more than this, those are forgotten that files know.
    most: usize,
}

impl Accounts {
    pub(super) fn new(kept: usize) -> Accounts {
        Accounts { accounts: HashMap::default(), kept, most: kept }
    }

    pub(super) fn get(&self, name: &str) -> Option<Account> {
        self.accounts.get(name).copied()
    }

    /// Puts an account in, or in the place of what was known of it. `covered`: the positions below this
    /// are in files.
    pub(super) fn put(&mut self, name: &str, account: Account, covered: impl FnOnce() -> u64) {
        if let Some(known) = self.accounts.get_mut(name) {
            *known = account;
            return;
        }
        if self.accounts.len() >= self.most {
            let covered = covered();
            self.accounts.retain(|_, account| account.to > covered);
            self.most = self.kept.max(2 * self.accounts.len());
        }
        self.accounts.insert(name.into(), account);
    }
}
