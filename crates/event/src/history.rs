//! What a fold reads: an account's events as fixed-size steps, its strings numbered.

use std::hash::BuildHasher;
use std::sync::OnceLock;

use foldhash::fast::RandomState;

use crate::{
    Actor, ClearCause, Event, Kind, Payload, PurgeCause, Recorded, RecordedBy, Surface, Timestamp,
};

/// The number of a string in an account's [`Names`].
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize,
)]
pub struct NameId(pub u32);

impl NameId {
    /// As an index.
    #[must_use]
    pub const fn index(self) -> usize {
        self.0 as usize
    }
}

/// The strings of an account that a fold tells apart (items, backups, categories, tiers, holds),
/// numbered from 0 by first appearance in the order of revisions, so that appending never
/// renumbers.
///
/// The strings lie one behind the other in one buffer, and the table that finds them by content is
/// made when first needed: who folds a population asks for numbers' strings alone and never pays
/// for it.
#[derive(Debug, Clone, Default)]
pub struct Names {
    text: String,
    /// Where each ends in `text`.
    ends: Vec<usize>,
    index: OnceLock<Index>,
}

/// A hash table of numbers, by the strings that they stand for: linear probing, at most half full.
#[derive(Debug, Clone)]
struct Index {
    hasher: RandomState,
    /// A number and one, or zero for a free slot.
    slots: Vec<u32>,
}

/// Up to this many names, comparing with each is quicker than a table.
const FEW: usize = 8;

impl PartialEq for Names {
    fn eq(&self, other: &Self) -> bool {
        self.text == other.text && self.ends == other.ends
    }
}
impl Eq for Names {}

impl Names {
    /// The number of `name`, given now if it had none.
    ///
    /// # Panics
    /// At 2^32 − 1 names.
    pub fn intern(&mut self, name: &str) -> NameId {
        self.find(name).unwrap_or_else(|| self.push(name))
    }

    /// Adds `name`, of which the caller knows that it is not there yet: the way to take in many
    /// without looking each up.
    ///
    /// # Panics
    /// At 2^32 − 1 names.
    pub fn push(&mut self, name: &str) -> NameId {
        let id = u32::try_from(self.ends.len()).ok().filter(|id| *id < u32::MAX);
        let id = NameId(id.expect("under 2^32 names in an account"));
        self.text.push_str(name);
        self.ends.push(self.text.len());
        if let Some(mut index) = self.index.take()
            && index.slots.len() >= 2 * self.ends.len()
        {
            let slot = index.slot(self, name);
            index.slots[slot] = id.0 + 1;
            self.index = OnceLock::from(index);
        }
        id
    }

    /// The number of `name`, if it has one.
    #[must_use]
    pub fn find(&self, name: &str) -> Option<NameId> {
        if self.ends.len() <= FEW {
            return self.iter().position(|n| n == name).map(|i| NameId(i as u32));
        }
        let index = self.index.get_or_init(|| Index::of(self));
        index.slots[index.slot(self, name)].checked_sub(1).map(NameId)
    }

    /// The string of a number.
    ///
    /// # Panics
    /// If the number is not of this table.
    #[must_use]
    pub fn get(&self, id: NameId) -> &str {
        let start = if id.0 == 0 { 0 } else { self.ends[id.index() - 1] };
        &self.text[start..self.ends[id.index()]]
    }

    /// How many there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.ends.len()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.ends.is_empty()
    }

    /// All, in the order of their numbers.
    pub fn iter(&self) -> impl Iterator<Item = &str> {
        (0..self.ends.len()).map(|i| self.get(NameId(i as u32)))
    }

    /// Forgets all, and keeps the memory.
    pub fn clear(&mut self) {
        self.text.clear();
        self.ends.clear();
        self.index.take();
    }

    /// Makes room for `names` more of `bytes` bytes together.
    pub fn reserve(&mut self, names: usize, bytes: usize) {
        self.ends.reserve(names);
        self.text.reserve(bytes);
    }

    /// Its size in memory, in bytes, near enough to count by.
    #[must_use]
    pub fn memory_bytes(&self) -> usize {
        let slots = self.index.get().map_or(0, |i| i.slots.capacity());
        size_of::<Names>()
            + self.text.capacity()
            + self.ends.capacity() * size_of::<usize>()
            + slots * size_of::<u32>()
    }
}

impl Index {
    /// A table of all of `names` with room to grow to twice as many.
    fn of(names: &Names) -> Index {
        let size = (4 * names.len()).next_power_of_two();
        let mut index = Index { hasher: RandomState::default(), slots: vec![0; size] };
        for (number, name) in names.iter().enumerate() {
            let slot = index.slot(names, name);
            index.slots[slot] = number as u32 + 1;
        }
        index
    }

    /// The slot of `name`, or the free one for it.
    fn slot(&self, names: &Names, name: &str) -> usize {
        let mask = self.slots.len() - 1;
        let mut slot = self.hasher.hash_one(name) as usize & mask;
        loop {
            match self.slots[slot] {
                0 => return slot,
                n if names.get(NameId(n - 1)) == name => return slot,
                _ => slot = (slot + 1) & mask,
            }
        }
    }
}

/// What a fold reads of one event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Step {
    /// When it happened.
    pub occurred_at: Timestamp,
    /// When it was written down.
    pub recorded_at: Timestamp,
    /// Place in the log.
    pub position: u64,
    /// Place in the stream.
    pub revision: u64,
    /// The `bytes` of the event, where it has any.
    pub bytes: Option<u64>,
    /// The item, backup or hold that it names. `upload_rejected` changes nothing and names none.
    pub subject: Option<NameId>,
    /// The category or tier that it names.
    pub word: Option<NameId>,
    /// What happened.
    pub kind: Kind,
    /// Who caused it.
    pub actor: Actor,
    /// Where it came in.
    pub surface: Option<Surface>,
    /// The `cause` of a purge.
    pub purge_cause: Option<PurgeCause>,
    /// The `cause` of a clearing.
    pub clear_cause: Option<ClearCause>,
    /// `delete_backups` of `backup_off`; false elsewhere.
    pub delete_backups: bool,
    /// Who set `recorded_at`.
    pub recorded_by: RecordedBy,
}

impl Step {
    /// What a fold reads of `recorded`, its strings numbered in `names`.
    pub fn of<S: AsRef<str>>(recorded: &Recorded<S>, names: &mut Names) -> Step {
        Step {
            recorded_at: recorded.recorded_at,
            position: recorded.position,
            revision: recorded.revision,
            recorded_by: recorded.recorded_by,
            ..Step::unplaced(&recorded.event, names)
        }
    }

    /// The same of an event that has no place yet: 0, 0, and recorded at the earliest time.
    pub fn unplaced<S: AsRef<str>>(event: &Event<S>, names: &mut Names) -> Step {
        Step {
            occurred_at: event.occurred_at,
            actor: event.actor,
            surface: event.surface,
            ..Step::of_payload(&event.payload, |name| names.intern(name))
        }
    }

    /// What a payload says of a step, and elsewhere the first that there is; `number` gives a string its
    /// number.
    pub fn of_payload<'a, S: AsRef<str>>(
        payload: &'a Payload<S>,
        mut number: impl FnMut(&'a str) -> NameId,
    ) -> Step {
        let mut step = Step {
            occurred_at: Timestamp::MIN,
            recorded_at: Timestamp::MIN,
            position: 0,
            revision: 0,
            bytes: None,
            subject: None,
            word: None,
            kind: payload.kind(),
            actor: Actor::User,
            surface: None,
            purge_cause: None,
            clear_cause: None,
            delete_backups: false,
            recorded_by: RecordedBy::Log,
        };
        match payload {
            Payload::AccountOpened { tier: Some(word) }
            | Payload::TierChanged { tier: word }
            | Payload::SyncOn { category: word }
            | Payload::SyncOff { category: word }
            | Payload::Synced { category: word } => step.word = Some(number(word.as_ref())),
            Payload::QuotaChanged { bytes } => step.bytes = Some(*bytes),
            Payload::ItemUploaded { item, category, bytes } => {
                step.subject = Some(number(item.as_ref()));
                step.word = Some(number(category.as_ref()));
                step.bytes = Some(*bytes);
            }
            Payload::ItemModified { item, bytes } => {
                step.subject = Some(number(item.as_ref()));
                step.bytes = *bytes;
            }
            Payload::ItemTrashed { item: subject }
            | Payload::ItemRestored { item: subject }
            | Payload::BackupRestored { backup: subject }
            | Payload::HoldPlaced { hold: subject }
            | Payload::HoldReleased { hold: subject } => {
                step.subject = Some(number(subject.as_ref()))
            }
            Payload::ItemPurged { item: subject, cause }
            | Payload::BackupPurged { backup: subject, cause } => {
                step.subject = Some(number(subject.as_ref()));
                step.purge_cause = *cause;
            }
            Payload::BackupCompleted { backup, bytes, .. } => {
                step.subject = Some(number(backup.as_ref()));
                step.bytes = Some(*bytes);
            }
            Payload::BackupOff { delete_backups } => step.delete_backups = *delete_backups,
            Payload::DataCleared { cause } => step.clear_cause = Some(*cause),
            Payload::AccountOpened { tier: None }
            | Payload::SignedIn
            | Payload::SignInFailed
            | Payload::PageViewed
            | Payload::FindDeviceOn
            | Payload::FindDeviceOff
            | Payload::TrashEmptied
            | Payload::BackupOn
            | Payload::UploadRejected { .. }
            | Payload::InactivityNotified
            | Payload::AccountFrozen
            | Payload::AccountUnfrozen
            | Payload::AccountTerminated
            | Payload::AccountClosed => {}
        }
        step
    }
}

/// One account's steps in the order in which they fold: by (`occurred_at`, revision).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct History {
    /// The account's name.
    pub account: String,
    /// Its strings.
    pub names: Names,
    /// Its events, in fold order.
    pub steps: Vec<Step>,
    /// What was erased of its events.
    pub erased: ErasedEvents,
}

/// What was erased of an account's events (docs/format.md, "Erased").
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ErasedEvents {
    /// The revisions, rising, of events whose contents were erased. What their envelopes say stands in
    /// [`History::steps`]: kind, actor, surface, both times. The step's subject is the number of the item or backup that
    /// it is about, if another event tells its name; else a number of its own in [`History::names`], of the empty string, one
    /// for each subject. Bytes, category, tier and cause are none.
    pub contents: Vec<u64>,
    /// The events that were erased to their leaves, by revision. They have no step.
    pub leaves: Vec<ErasedLeaf>,
}

/// An event of which nothing is known but that it was logged.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ErasedLeaf {
    /// Place in the log.
    pub position: u64,
    /// Place in the stream.
    pub revision: u64,
    /// It occurred before then, by the record of its erasure, if that says so.
    pub before: Option<Timestamp>,
}

impl ErasedEvents {
    /// Whether nothing was erased.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.contents.is_empty() && self.leaves.is_empty()
    }

    /// Forgets all, and keeps the memory.
    pub fn clear(&mut self) {
        self.contents.clear();
        self.leaves.clear();
    }
}

impl History {
    /// The history of `account` from its events, given in any order.
    #[must_use]
    pub fn of(account: &str, recorded: &[Recorded]) -> History {
        let mut by_revision: Vec<&Recorded> = recorded.iter().collect();
        by_revision.sort_by_key(|r| r.revision);
        let mut names = Names::default();
        let mut steps: Vec<Step> =
            by_revision.into_iter().map(|r| Step::of(r, &mut names)).collect();
        steps.sort_by_key(|s| (s.occurred_at, s.revision));
        History { account: account.to_owned(), names, steps, erased: ErasedEvents::default() }
    }

    /// The steps that are seen as of `as_of` (`occurred_at` at or before it) and as known at
    /// `known_at` (`recorded_at` at or before it), in fold order.
    pub fn steps_seen(&self, as_of: Timestamp, known_at: Timestamp) -> impl Iterator<Item = &Step> {
        let until = self.steps.partition_point(|step| step.occurred_at <= as_of);
        self.steps[..until].iter().filter(move |step| step.recorded_at <= known_at)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Around the size at which the table is first made, and where it grows.
    #[test]
    fn names_are_numbered_by_first_appearance() {
        for count in [0, 1, FEW - 1, FEW, FEW + 1, 15, 16, 17, 31, 32, 33, 1000] {
            let mut names = Names::default();
            for round in 0..2 {
                for i in 0..count {
                    let id = names.intern(&format!("name {i}"));
                    assert_eq!(id.index(), i, "round {round} of {count}");
                }
            }
            assert_eq!(names.len(), count);
            assert_eq!(names.find("name"), None);
            assert_eq!(names.find(""), None);
            for (i, name) in names.iter().enumerate() {
                assert_eq!(name, format!("name {i}"));
                assert_eq!(names.find(name), Some(NameId(i as u32)));
            }
            let mut pushed = Names::default();
            for name in names.iter() {
                pushed.push(name);
            }
            assert_eq!(pushed, names);
            assert_eq!(pushed.intern("last").index(), count);
            assert_ne!(pushed, names);
            pushed.clear();
            assert_eq!(pushed, Names::default());
            assert_eq!(pushed.find("last"), None);
        }
    }

    #[test]
    fn names_that_join_alike_differ() {
        let of = |all: &[&str]| {
            let mut names = Names::default();
            for name in all {
                names.intern(name);
            }
            names
        };
        assert_ne!(of(&["ab", "c"]), of(&["a", "bc"]));
    }
}
