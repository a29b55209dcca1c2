//! What a population comes to: the sum of what its accounts are.

use crate::{Counts, FindingCode, Severity, Status, View};

/// The sums over some accounts, as of one instant under one policy.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Tally {
    /// How many accounts.
    pub accounts: u64,
    /// How many of each status, in the order of [`Status::ALL`].
    pub statuses: [u64; Status::ALL.len()],
    /// How many are over their limit.
    pub over_quota: u64,
    /// How many items there are in each state.
    pub items: Counts,
    /// Bytes that use quota.
    pub used_bytes: u128,
    /// Accounts of which events were erased that may matter: they count with what is certain, and what is not is
    /// in no other number.
    pub undetermined: u64,
    /// How many findings there are of each code, in the order of [`FindingCode::ALL`].
    pub findings: [u64; FindingCode::ALL.len()],
}

impl Tally {
    /// Of one account.
    #[must_use]
    pub fn of(view: &View<'_>) -> Tally {
        let mut tally = Tally {
            accounts: 1,
            over_quota: u64::from(view.is_over_quota() == Some(true)),
            items: view.counts().certain(),
            used_bytes: view.used_bytes().unwrap_or(0),
            undetermined: u64::from(view.is_open()),
            ..Tally::default()
        };
        if let Some(status) = view.status() {
            tally.statuses[status as usize] = 1;
        }
        let found = view.found().iter().chain(view.late().map(|(late, _)| late));
        found.for_each(|finding| tally.findings[finding.code as usize] += 1);
        tally
    }

    /// Adds what others come to.
    pub fn add(&mut self, other: &Tally) {
        let add = |own: &mut [u64], others: &[u64]| {
            own.iter_mut().zip(others).for_each(|(own, other)| *own += other);
        };
        self.accounts += other.accounts;
        add(&mut self.statuses, &other.statuses);
        self.over_quota += other.over_quota;
        self.undetermined += other.undetermined;
        self.items.live += other.items.live;
        self.items.trashed += other.items.trashed;
        self.items.expired += other.items.expired;
        self.items.purged += other.items.purged;
        self.items.removed += other.items.removed;
        self.used_bytes += other.used_bytes;
        add(&mut self.findings, &other.findings);
    }

    /// How many accounts have a status.
    #[must_use]
    pub fn status(&self, status: Status) -> u64 {
        self.statuses[status as usize]
    }

    /// How many findings there are of a code.
    #[must_use]
    pub fn finding(&self, code: FindingCode) -> u64 {
        self.findings[code as usize]
    }

    /// How many findings there are of a severity.
    #[must_use]
    pub fn severity(&self, severity: Severity) -> u64 {
        let of = FindingCode::ALL.iter().filter(|code| code.severity() == severity);
        of.map(|code| self.finding(*code)).sum()
    }
}
