//! The compiled policy: what a fold asks of it.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use event::Timestamp;
use serde::Serialize;

use crate::{
    Act, Actors, Acts, Basis, Confidence, Days, FullOf, Kinds, OnChange, Over, Shortens, When,
    Window, Zone,
};

/// A checked policy: its versions in force one after the other.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Policy {
    /// The policy's name.
    pub name: String,
    /// Where its calendar arithmetic and local dates are reckoned.
    pub zone: Zone,
    /// In the order in which they take effect; never empty.
    pub versions: Vec<Version>,
}

/// The rules in force from one instant on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Version {
    /// Its name in the file.
    pub id: String,
    /// The first instant at which it is in force ([`Timestamp::MIN`] when the file gives none).
    pub effective_from: Timestamp,
    /// How sure the rules are.
    pub confidence: Confidence,
    /// Where they are stated.
    pub source: String,
    /// What taking effect does to what is in the trash.
    pub on_change: OnChange,
    /// In the order of the file; never empty; the first is the default.
    pub tiers: Vec<Tier>,
    /// The trash.
    pub trash: TrashRules,
    /// How long an account counts as active after an activity.
    pub inactivity_window: Window,
    /// The kinds that are activity.
    pub resets: Kinds,
    /// The actors whose events are activity, as written.
    pub actors: Actors,
    /// The kinds that are activity in every category.
    pub everywhere: Kinds,
    /// The shortest notice before a clearing; [`Window::Never`]: none is asked.
    pub notice: Window,
    /// Tiers whose accounts never come at risk.
    pub exempt_tiers: BTreeSet<String>,
    /// What happens to uploads when over quota.
    pub over: Over,
    /// What the provider may do when a condition has held for long, by name.
    pub stages: BTreeMap<String, Stage>,
    /// How long a backup is kept after the last completion.
    pub stale_after: Window,
    /// How late an event may be recorded before it is noted.
    pub late_after: Window,
    /// How long the record of an event is kept after it occurred, and how soon it may be erased for
    /// somebody; [`Window::Never`]: nothing is said of it.
    pub keep: Window,
    /// What findings and verdicts cite, in the order of the file.
    pub clauses: Arc<[Clause]>,
    /// Other ways in which the text can be read, in the order of the file.
    pub readings: Vec<Reading>,
    /// Where the texts are not there (`crate::compiled`), their hashes in the order of the compiled
    /// form: of `source`, then of those of the clauses. Empty otherwise.
    pub(crate) text_hashes: Arc<[[u8; 32]]>,
}

/// A tier's rules.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tier {
    /// Its name.
    pub name: String,
    /// Bytes; `None`: no limit.
    pub quota: Option<u64>,
    /// The trash window.
    pub trash: Window,
}

/// The rules of the trash.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TrashRules {
    /// Whose window counts.
    pub basis: Basis,
    /// How days are counted.
    pub days: Days,
    /// How long after the deadline a purge may come; [`Window::Never`]: never overdue.
    pub purge_lag: Window,
    /// Whether what is trashed (and not expired) uses quota.
    pub counts_toward_quota: bool,
    /// Windows of categories, which come before the tier's.
    pub categories: BTreeMap<String, Window>,
    /// Categories without a trash.
    pub no_trash: BTreeSet<String>,
    /// When the trash is full; `None`: never.
    pub full: Option<Full>,
}

/// When the trash is full, and what that does to windows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Full {
    /// Full when what is trashed is more than so many hundredths, 0 to 100.
    pub percent: u8,
    /// Of what.
    pub of: FullOf,
    /// The trash window then, where it is the shorter one.
    pub window: Window,
    /// For which items.
    pub shortens: Shortens,
}

/// What the provider may do when a condition has held for long.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stage {
    /// The condition.
    pub when: When,
    /// How long it must have held, without a break.
    pub after: Window,
    /// What is admitted from then on; never empty.
    pub admits: Acts,
    /// Whose items may be purged; empty: those of any category and of none, and backups.
    pub categories: BTreeSet<String>,
    /// The shortest notice before a purge; [`Window::Never`]: none is asked.
    pub notice: Window,
}

/// A sentence of the rules, for findings and verdicts to cite.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Clause {
    /// Its name, unique in the version.
    pub id: String,
    /// The finding codes, causes and asserts that it answers for, in the order of the file.
    pub for_: Vec<String>,
    /// The sentence by language (`en`, `zh`).
    pub text: BTreeMap<String, String>,
    /// Where it is stated, where that is said of this clause by itself.
    pub stated: Stated,
}

/// Where a single clause is stated.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Stated {
    /// Where; `None`: the version's source.
    pub source: Option<String>,
    /// The date on which it was read there, `2026-11-26`.
    pub seen: Option<String>,
    /// How sure it is; `None`: as sure as the version.
    pub confidence: Option<Confidence>,
}

/// A value that a reading sets. Shown as TOML, serialized as what it is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(untagged)]
#[allow(missing_docs, reason = "the kinds of values of TOML")]
pub enum Setting {
    Bool(bool),
    Number(i64),
    Text(String),
    List(Vec<Setting>),
    Table(BTreeMap<String, Setting>),
}

/// Another way to read the same text: the version with some of its rules set otherwise.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reading {
    /// Its name; never `default`, unique in the version.
    pub id: String,
    /// What it sets, by dotted key: to be shown.
    pub set: BTreeMap<String, Setting>,
    /// The version so read, itself without readings.
    pub version: Version,
}

impl Policy {
    /// The index in `versions` of the version in force at `at` (its `effective_from` included;
    /// before the first, the first).
    #[must_use]
    pub fn version_index_at(&self, at: Timestamp) -> usize {
        self.versions.partition_point(|v| v.effective_from <= at).saturating_sub(1)
    }

    /// Whether what becomes of one item can rest on the account's other items and backups, under
    /// the policy or a reading of it: where there are stages, or a trash that can be full.
    #[must_use]
    pub fn reads_other_items(&self) -> bool {
        self.trash_can_be_full() || self.any_reads(|version| !version.stages.is_empty())
    }

    /// Whether the trash can be full under the policy or a reading of it, so that an item's deadline
    /// can rest on the account's other items and backups.
    #[must_use]
    pub fn trash_can_be_full(&self) -> bool {
        self.any_reads(|version| version.trash.full.is_some())
    }

    /// Whether `reads` holds of a version, as it stands or under a reading.
    fn any_reads(&self, reads: impl Fn(&Version) -> bool) -> bool {
        self.versions.iter().any(|v| reads(v) || v.readings.iter().any(|r| reads(&r.version)))
    }

    /// The version in force at `at`.
    #[must_use]
    pub fn version_at(&self, at: Timestamp) -> &Version {
        &self.versions[self.version_index_at(at)]
    }
}

impl Version {
    /// The rules by which `tier` is measured: its own, or the first tier's when this version does
    /// not name it.
    #[must_use]
    pub fn tier(&self, tier: &str) -> &Tier {
        self.tiers.iter().find(|t| t.name == tier).unwrap_or(&self.tiers[0])
    }

    /// Whether accounts of `tier` are exempt from inactivity (an unnamed tier as the first).
    #[must_use]
    pub fn is_exempt(&self, tier: &str) -> bool {
        self.exempt_tiers.contains(&self.tier(tier).name)
    }

    /// The trash window of an item of `category` while `tier` is held: the category's, else the
    /// tier's.
    #[must_use]
    pub fn trash_window(&self, category: Option<&str>, tier: &str) -> Window {
        category
            .and_then(|c| self.trash.categories.get(c).copied())
            .unwrap_or_else(|| self.tier(tier).trash)
    }

    /// Whether it has one of the rules that a compiled form has at the end: a trash that can be
    /// full, kinds that are activity everywhere, stages, how long records are kept.
    pub(crate) fn says_more(&self) -> bool {
        self.trash.full.is_some()
            || !self.everywhere.is_empty()
            || !self.stages.is_empty()
            || self.keep != Window::Never
    }

    /// The id of the first clause that is `for` this finding code, cause or assert.
    #[must_use]
    pub fn clause_for(&self, what: &str) -> Option<&str> {
        self.clauses.iter().find(|c| c.for_.iter().any(|f| f == what)).map(|c| c.id.as_str())
    }
}

impl Stage {
    /// Whether the provider may purge an item of `category` (a backup: `None`) that is or is not
    /// trashed, once the stage is reached.
    #[must_use]
    pub fn admits_purge(&self, category: Option<&str>, trashed: bool) -> bool {
        let act = self.admits.contains(Act::Purge)
            || (trashed && self.admits.contains(Act::PurgeTrashed));
        act && (self.categories.is_empty() || category.is_some_and(|c| self.categories.contains(c)))
    }
}

impl Full {
    /// Whether `trashed` bytes make the trash full, `kept` being those of live items and backups.
    #[must_use]
    pub fn is_full(&self, trashed: u128, kept: u128, limit: Option<u64>) -> bool {
        let Some(limit) = limit.map(u128::from) else { return false };
        let whole = match self.of {
            FullOf::Limit => limit,
            FullOf::Free => limit.saturating_sub(kept),
        };
        trashed * 100 > whole * u128::from(self.percent)
    }
}

impl TrashRules {
    /// The deadline of a window counted from `start`, by this version's day count: the first
    /// instant at which the item is expired; `None` for never.
    #[must_use]
    pub fn deadline(&self, start: Timestamp, window: Window, zone: &Zone) -> Option<Timestamp> {
        self.days.deadline(start, window, zone)
    }
}

impl Days {
    /// The end of a window counted from `start`; `None` for never.
    pub(crate) fn deadline(
        self,
        start: Timestamp,
        window: Window,
        zone: &Zone,
    ) -> Option<Timestamp> {
        match self {
            Days::Exact => window.after(start, zone),
            Days::LocalDates => window.after_local_dates(start, zone),
        }
    }
}
