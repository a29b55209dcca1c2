//! What has been folded of one account so far: free of time, fit to be stored.

use std::collections::BTreeSet;

use event::{NameId, Step, Timestamp};
use fixedbitset::FixedBitSet;
use serde::{Deserialize, Serialize};

use crate::activity::ActivityState;
use crate::fold::Rules;
use crate::stages::Conditions;
use crate::{Backup, BackupState, Change, EventRef, Finding, Item, ItemState, Status};

/// An account after some of its steps, with nothing in it that passes by itself: deadlines that
/// lie after the last step are still ahead. A [`crate::View`] is this state at an instant.
///
/// It holds no strings, only numbers of the account's [`event::Names`], and belongs to the policy
/// (and the reading of it) under which it was folded.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FoldState {
    /// The instant of the last step.
    pub(crate) instant: Timestamp,
    /// The last step in fold order.
    pub(crate) last: EventRef,
    /// The highest revision and position folded.
    pub(crate) highest: EventRef,
    /// The version of the policy that has taken effect, by index.
    pub(crate) version: usize,
    /// The version in force at the first event: its first tier is the tier before any is set.
    pub(crate) first_version: usize,
    /// The place of that tier among the version's, 0; where it is not known, that of the tier that is supposed
    /// ([`crate::worlds`]), and past the end for one that no version names.
    pub(crate) first_tier: usize,
    /// Every tier held, each in turn; `None` is the tier before any is set.
    pub(crate) tiers: Vec<Option<NameId>>,
    /// The last `quota_changed`.
    pub(crate) quota_bytes: Option<u64>,
    pub(crate) holds: Holds,
    /// Whether a hold stood just before the present instant.
    pub(crate) held_before: bool,
    /// By number of name.
    pub(crate) items: Vec<Option<Item>>,
    /// By number of name.
    pub(crate) backups: Vec<Option<Backup>>,
    /// By number of name, of the categories of sync events.
    pub(crate) sync: Vec<Option<Sync>>,
    /// The deadlines ahead of what is trashed.
    pub(crate) deadlines: BTreeSet<(Timestamp, NameId)>,
    /// The numbers of the items that are live, that are trashed (those without a deadline included) and
    /// that are expired: what an event does to all of these takes no walk over all there ever were.
    pub(crate) live: FixedBitSet,
    pub(crate) trashed: FixedBitSet,
    pub(crate) expired: FixedBitSet,
    /// The numbers of the backups that are kept.
    pub(crate) kept: FixedBitSet,
    /// The instants ahead at which what is expired is overdue.
    pub(crate) overdue: BTreeSet<(Timestamp, NameId)>,
    pub(crate) bytes: Bytes,
    pub(crate) activity: ActivityState,
    pub(crate) standing: Standing,
    pub(crate) findings: Vec<Finding>,
    /// The first event that was recorded late, with how many there are.
    pub(crate) late: Option<(Finding, u64)>,
    pub(crate) conditions: Conditions,
    /// Filled when a replay asks for it.
    #[serde(skip)]
    pub(crate) changes: Option<Vec<Change>>,
}

/// What the last `sync_on` or `sync_off` of a category said.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Sync {
    Unset,
    On,
    Off,
}

/// Bytes held. 2^53 − 1 an item fits many times.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Bytes {
    pub live: u128,
    pub trashed: u128,
    pub backups: u128,
}

/// The holds that stand, by number of name.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Holds {
    numbers: FixedBitSet,
    count: usize,
}

impl Holds {
    pub fn place(&mut self, hold: NameId) {
        if !self.numbers.contains(hold.index()) {
            self.numbers.grow_and_insert(hold.index());
            self.count += 1;
        }
    }

    pub fn release(&mut self, hold: NameId) {
        if self.numbers.contains(hold.index()) {
            self.numbers.remove(hold.index());
            self.count -= 1;
        }
    }

    /// Whether any stands.
    pub fn any(&self) -> bool {
        self.count > 0
    }
}

/// What was said of the account as a whole.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Standing {
    pub closed: bool,
    pub terminated: bool,
    pub cleared: bool,
    pub frozen: bool,
    /// An `account_closed` by the user stands: what the provider does then is no breach.
    pub closed_by_user: bool,
}

impl Standing {
    /// What the account is by it, whatever its activity.
    pub(crate) fn status(self) -> Option<Status> {
        match () {
            () if self.closed => Some(Status::Closed),
            () if self.terminated => Some(Status::Terminated),
            () if self.cleared => Some(Status::Cleared),
            () if self.frozen => Some(Status::Frozen),
            () => None,
        }
    }
}

impl FoldState {
    /// The state just before `first`, the account's first step in fold order.
    pub(crate) fn before(first: &Step, rules: Rules<'_>) -> FoldState {
        let version = rules.policy.version_index_at(first.occurred_at);
        let event = EventRef { position: first.position, revision: first.revision };
        FoldState {
            items: vec![None; rules.names.len()],
            ..FoldState::empty(first.occurred_at, event, version, version)
        }
    }

    /// Nothing, at `instant` and after the event `last`, in the version of index `version`, which was
    /// `first_version` at the first event.
    pub(crate) fn empty(
        instant: Timestamp,
        last: EventRef,
        version: usize,
        first_version: usize,
    ) -> FoldState {
        FoldState {
            instant,
            last,
            highest: last,
            version,
            first_version,
            first_tier: 0,
            tiers: vec![None],
            quota_bytes: None,
            holds: Holds::default(),
            held_before: false,
            items: Vec::new(),
            backups: Vec::new(),
            sync: Vec::new(),
            deadlines: BTreeSet::new(),
            live: FixedBitSet::new(),
            trashed: FixedBitSet::new(),
            expired: FixedBitSet::new(),
            kept: FixedBitSet::new(),
            overdue: BTreeSet::new(),
            bytes: Bytes::default(),
            activity: ActivityState::from(instant),
            standing: Standing::default(),
            findings: Vec::new(),
            late: None,
            conditions: Conditions::default(),
            changes: None,
        }
    }

    /// How far it has folded: the instant and the revision of its last step. A step that comes
    /// before this in fold order cannot be added; a fold over it starts anew.
    #[must_use]
    pub fn folded_to(&self) -> (Timestamp, u64) {
        (self.instant, self.last.revision)
    }

    /// The highest revision and position folded.
    #[must_use]
    pub fn highest(&self) -> EventRef {
        self.highest
    }

    pub(crate) fn held(&self) -> bool {
        self.holds.any()
    }

    /// What the account is at `at`, up to which time has passed.
    pub(crate) fn status(&self, at: Timestamp, rules: Rules<'_>) -> Status {
        match self.standing.status() {
            Some(status) => status,
            None if self.is_inactive(at, rules) && !self.is_exempt(rules) => Status::AtRisk,
            None => Status::Active,
        }
    }

    /// The tier held, as recorded.
    pub(crate) fn tier<'a>(&self, rules: Rules<'a>) -> &'a str {
        self.tier_name(*self.tiers.last().expect("an account holds a tier"), rules)
    }

    /// The name of an entry of the timeline of tiers.
    pub(crate) fn tier_name<'a>(&self, tier: Option<NameId>, rules: Rules<'a>) -> &'a str {
        match tier {
            Some(name) => rules.names.get(name),
            None => {
                let tiers = &rules.policy.versions[self.first_version].tiers;
                // No tier has an empty name.
                tiers.get(self.first_tier).map_or("", |tier| &tier.name)
            }
        }
    }

    /// Supposes that the tier of this version and place is held.
    pub(crate) fn hold_tier(&mut self, (version, place): (usize, usize)) {
        (self.first_version, self.first_tier) = (version, place);
        self.tiers.push(None);
    }

    /// Bytes that use quota under the version in force.
    pub(crate) fn used_bytes(&self, rules: Rules<'_>) -> u128 {
        let trashed = match rules.version(self).trash.counts_toward_quota {
            true => self.bytes.trashed,
            false => 0,
        };
        self.bytes.live + trashed + self.bytes.backups
    }

    /// The limit: the last `quota_changed`, else the tier's.
    pub(crate) fn limit_bytes(&self, rules: Rules<'_>) -> Option<u64> {
        self.quota_bytes.or_else(|| rules.version(self).tier(self.tier(rules)).quota)
    }

    pub(crate) fn is_over_quota(&self, rules: Rules<'_>) -> bool {
        self.limit_bytes(rules).is_some_and(|limit| self.used_bytes(rules) > u128::from(limit))
    }

    pub(crate) fn item(&self, item: NameId) -> Option<&Item> {
        self.items.get(item.index()).and_then(Option::as_ref)
    }

    pub(crate) fn backup(&self, backup: NameId) -> Option<&Backup> {
        self.backups.get(backup.index()).and_then(Option::as_ref)
    }

    pub(crate) fn is_sync_off(&self, category: Option<NameId>) -> bool {
        let sync = category.and_then(|c| self.sync.get(c.index()).copied().flatten());
        sync == Some(Sync::Off)
    }

    /// Puts `item` in place, its bytes and deadlines reckoned.
    pub(crate) fn put_item(&mut self, id: NameId, item: Item) {
        self.take_out(id, item.state);
        match item.state {
            ItemState::Live => {
                self.live.grow_and_insert(id.index());
                self.bytes.live += u128::from(item.bytes);
            }
            ItemState::Trashed => {
                self.trashed.grow_and_insert(id.index());
                self.bytes.trashed += u128::from(item.bytes);
                if let Some(deadline) = item.recoverable_until() {
                    self.deadlines.insert((deadline, id));
                }
            }
            ItemState::Expired => self.expired.grow_and_insert(id.index()),
            ItemState::Purged | ItemState::Removed => {}
        }
        *place(&mut self.items, id) = Some(item);
    }

    /// Takes what `put_item` reckoned of `id` out again, which comes to stand in `next`.
    fn take_out(&mut self, id: NameId, next: ItemState) {
        let Some(item) = self.items.get(id.index()).and_then(Option::as_ref) else { return };
        match item.state {
            ItemState::Live => {
                self.live.remove(id.index());
                self.bytes.live -= u128::from(item.bytes);
            }
            ItemState::Trashed => {
                self.trashed.remove(id.index());
                self.bytes.trashed -= u128::from(item.bytes);
                if let Some(deadline) = item.recoverable_until() {
                    self.deadlines.remove(&(deadline, id));
                }
            }
            // What only changes its bytes goes on waiting.
            ItemState::Expired if next == ItemState::Expired => {}
            ItemState::Expired => {
                self.expired.remove(id.index());
                if let Some(at) = item.trashing.as_ref().and_then(|t| t.overdue_at) {
                    self.overdue.remove(&(at, id));
                }
            }
            ItemState::Purged | ItemState::Removed => {}
        }
    }

    /// Puts `backup` in place, its bytes reckoned.
    pub(crate) fn put_backup(&mut self, id: NameId, backup: Backup) {
        let slot = place(&mut self.backups, id);
        if let Some(before) = slot.as_ref().filter(|b| b.state == BackupState::Kept) {
            self.kept.remove(id.index());
            self.bytes.backups -= u128::from(before.bytes);
        }
        if backup.state == BackupState::Kept {
            self.kept.grow_and_insert(id.index());
            self.bytes.backups += u128::from(backup.bytes);
        }
        *slot = Some(backup);
    }
}

/// The names whose numbers are in `set`, in the order of their numbers.
pub(crate) fn ids(set: &FixedBitSet) -> Vec<NameId> {
    set.ones().map(|number| NameId(number as u32)).collect()
}

/// The slot of a name, made if the table does not reach so far.
pub(crate) fn place<T>(table: &mut Vec<Option<T>>, id: NameId) -> &mut Option<T> {
    if table.len() <= id.index() {
        table.resize_with(id.index() + 1, || None);
    }
    &mut table[id.index()]
}
