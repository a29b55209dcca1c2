//! What is not known of items and backups, by item and backup: flags beside those of a state.

use std::collections::{BTreeMap, BTreeSet};

use event::NameId;

/// What is not known of an item or a backup because events were erased. Where a flag is set, the value that
/// stands in the state is no answer.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Unsure {
    /// In which state it is. Then all else is set too, but perhaps [`Unsure::is_there`] and
    /// [`Unsure::weighs`].
    pub state: bool,
    /// Since when it is in its state.
    pub since: bool,
    /// The cause of its state.
    pub cause: bool,
    /// Until when it can be recovered.
    pub until: bool,
    /// Which event began its life.
    pub began: bool,
    /// Which events took it, and whose they were.
    pub took: bool,
    /// By what kind of act it ended, and whether it had expired by then.
    pub how: bool,
    /// Whether what took it was a breach.
    pub lawful: bool,
    /// Its category.
    pub category: bool,
    /// Its size.
    pub bytes: bool,
    /// When it was last completed, of a backup.
    pub completed: bool,
    /// Of an unknown state: it may be live, trashed, expired or kept.
    pub is_there: bool,
    /// It may use bytes that are not known.
    pub weighs: bool,
}

impl Unsure {
    /// Nothing is known.
    pub const ALL: Unsure = Unsure {
        state: true,
        since: true,
        cause: true,
        until: true,
        began: true,
        took: true,
        how: true,
        lawful: true,
        category: true,
        bytes: true,
        completed: true,
        is_there: true,
        weighs: true,
    };
    /// Nothing is known but that it is not there any more, in whichever way.
    pub const GONE: Unsure = Unsure { is_there: false, weighs: false, ..Unsure::ALL };

    /// Whether anything that its row shows is not known.
    #[must_use]
    pub fn any(self) -> bool {
        self.state || self.since || self.cause || self.until || self.category || self.bytes
    }

    /// As a row shows it: of an unknown state all else is left out too.
    pub(crate) fn row(self) -> Unsure {
        if self.state { Unsure::ALL } else { self }
    }

    /// What both leave open.
    pub(crate) fn or(self, other: Unsure) -> Unsure {
        Unsure {
            state: self.state || other.state,
            since: self.since || other.since,
            cause: self.cause || other.cause,
            until: self.until || other.until,
            began: self.began || other.began,
            took: self.took || other.took,
            how: self.how || other.how,
            lawful: self.lawful || other.lawful,
            category: self.category || other.category,
            bytes: self.bytes || other.bytes,
            completed: self.completed || other.completed,
            is_there: self.is_there || other.is_there,
            weighs: self.weighs || other.weighs,
        }
    }
}

/// The items, or the backups, of an account.
#[derive(Debug, Clone, Default)]
pub(crate) struct Things {
    /// Of those that are not in `named`, and of others that no event names any more.
    pub others: Unsure,
    named: BTreeMap<NameId, Unsure>,
    /// Those of `named` that weigh.
    weighing: BTreeSet<NameId>,
}

impl Things {
    /// Nothing is known of any.
    pub fn unknown() -> Things {
        Things { others: Unsure::ALL, ..Things::default() }
    }

    pub fn get(&self, id: NameId) -> Unsure {
        self.named.get(&id).copied().unwrap_or(self.others)
    }

    pub fn set(&mut self, id: NameId, unsure: Unsure) {
        self.named.insert(id, unsure);
        match unsure.weighs {
            true => self.weighing.insert(id),
            false => self.weighing.remove(&id),
        };
    }

    /// Changes what is not known of each, and of others.
    pub fn each(&mut self, mut change: impl FnMut(Option<NameId>, &mut Unsure)) {
        change(None, &mut self.others);
        self.named.iter_mut().for_each(|(id, unsure)| change(Some(*id), unsure));
        let named = &self.named;
        self.weighing.retain(|id| named[id].weighs);
    }

    /// Whether any may use bytes that are not known; `uses` tells of one in a known state whether it uses any.
    pub fn weigh(&self, uses: impl Fn(NameId) -> bool) -> bool {
        let mut weighing = self.weighing.iter();
        self.others.weighs || weighing.any(|id| self.get(*id).state || uses(*id))
    }
}
