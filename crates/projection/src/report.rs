//! What people and scripts see of a view: the fields of `state`, `accounts` and `findings`
//! (docs/answers.md).

use event::{Kind, NameId, Timestamp};
use policy::When;
use serde::ser::{Serialize, SerializeStruct, Serializer};

use crate::doubt::Said;
use crate::state::{Sync, place};
use crate::unsure::Unsure;
use crate::worlds::Open;
use crate::{
    Backup, BackupState, Finding, FindingCode, Item, ItemState, Severity, StageAt, StateCause,
    Status, Subject, View,
};

/// Serializes what is said: a word, and [`UNDETERMINED`] for what is not.
///
/// # Errors
/// Those of the serializer.
pub fn said<T: Serialize, S: Serializer>(said: &Said<T>, s: S) -> Result<S::Ok, S::Error> {
    match said {
        Some(word) => word.serialize(s),
        None if s.is_human_readable() => s.serialize_str(UNDETERMINED),
        None => s.serialize_none(),
    }
}

/// Serializes rows, each under its name, as a map.
///
/// # Errors
/// Those of the serializer.
pub fn as_map<T: Serialize, S: Serializer>(rows: &[(String, T)], s: S) -> Result<S::Ok, S::Error> {
    s.collect_map(rows.iter().map(|(name, row)| (name, row)))
}

/// The word for what erased events leave open.
pub const UNDETERMINED: &str = "undetermined";

/// How many events of an account were erased.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
pub struct ErasedCounts {
    /// Their contents alone.
    pub contents: u64,
    /// To their leaves.
    pub events: u64,
}

/// One account, whole. What erased events leave open is none, and named in `undetermined`.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
#[allow(missing_docs, reason = "the fields are those of docs/answers.md, `state`")]
pub struct AccountState {
    pub account: String,
    pub as_of: Timestamp,
    pub policy: String,
    pub revision: Said<u64>,
    #[serde(serialize_with = "said")]
    pub status: Said<Status>,
    pub tier: Said<String>,
    pub quota: Quota,
    pub activity: Activity,
    /// By name.
    #[serde(serialize_with = "as_map")]
    pub categories: Vec<(String, CategoryRow)>,
    pub items: Vec<ItemRow>,
    pub backups: Vec<BackupRow>,
    pub counts: Counts<Said<u64>>,
    pub findings: Vec<FindingRow>,
    /// Only where the version in force has stages.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub stages: Vec<StageRow>,
    /// Only where events were erased.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub erased: Option<ErasedCounts>,
    /// The fields that they leave open, dotted: of a list the field itself where something may be missing from it.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub undetermined: Vec<String>,
}

impl AccountState {
    /// Whether `field` is left open.
    #[must_use]
    pub fn leaves_open(&self, field: &str) -> bool {
        self.undetermined.iter().any(|open| open == field)
    }
}

/// One stage, of a category where each has a clock of its own.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
#[allow(missing_docs, reason = "the fields are those of docs/answers.md, `state`")]
pub struct StageRow {
    pub stage: String,
    pub when: When,
    pub category: Option<String>,
    /// `None`: the condition does not hold.
    pub since: Option<Timestamp>,
    /// `None`: never.
    pub reached_at: Option<Timestamp>,
    pub reached: bool,
}

/// Bytes used and allowed.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
#[allow(missing_docs, reason = "the fields are those of docs/answers.md, `state`")]
pub struct Quota {
    /// `None`: no limit.
    pub limit_bytes: Option<u64>,
    pub used_bytes: Said<u128>,
    pub over: Said<bool>,
}

/// When the account counted as active.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
#[allow(missing_docs, reason = "the fields are those of docs/answers.md, `state`")]
pub struct Activity {
    pub last_at: Option<Timestamp>,
    pub last_kind: Option<Kind>,
    /// `None`: never.
    pub inactive_at: Option<Timestamp>,
    pub windows: Vec<Span>,
}

/// `[from, to)`.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
#[allow(missing_docs, reason = "the fields are those of docs/answers.md, `state`")]
pub struct Span {
    pub from: Timestamp,
    /// `None`: never.
    pub to: Option<Timestamp>,
}

/// One category: its sync and its items.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
#[allow(missing_docs, reason = "the fields are those of docs/answers.md, `state`")]
pub struct CategoryRow {
    /// `None`: never set.
    pub sync: Option<bool>,
    pub live: Said<u64>,
    pub trashed: Said<u64>,
    /// Expired, purged and removed.
    pub gone: Said<u64>,
    /// Of what is live.
    pub bytes: Said<u128>,
}

/// One item.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
#[allow(missing_docs, reason = "the fields are those of docs/answers.md, `state`")]
pub struct ItemRow {
    pub item: String,
    pub category: Option<String>,
    #[serde(serialize_with = "said")]
    pub state: Said<ItemState>,
    pub bytes: Said<u64>,
    pub since: Said<Timestamp>,
    /// Of what is trashed or expired; `None` there: never.
    pub recoverable_until: Option<Timestamp>,
    /// Periods of 24 hours begun before `recoverable_until`; 0 when expired.
    pub remaining_days: Option<u64>,
    pub cause: Option<StateCause>,
}

/// One backup.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
#[allow(missing_docs, reason = "the fields are those of docs/answers.md, `state`")]
pub struct BackupRow {
    pub backup: String,
    #[serde(serialize_with = "said")]
    pub state: Said<BackupState>,
    pub bytes: Said<u64>,
    pub since: Said<Timestamp>,
    pub cause: Option<StateCause>,
}

/// How many items there are in each state.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, serde::Serialize)]
#[allow(missing_docs, reason = "the fields are the states of an item")]
pub struct Counts<N = u64> {
    pub live: N,
    pub trashed: N,
    pub expired: N,
    pub purged: N,
    pub removed: N,
}

/// One finding. For people's formats `item`, `backup` and `count` are left out where there is none;
/// for machines' it is an array of all fields.
#[derive(Debug, Clone, PartialEq, Eq)]
#[allow(missing_docs, reason = "the fields are those of docs/answers.md, findings")]
pub struct FindingRow {
    pub account: String,
    pub code: FindingCode,
    pub severity: Severity,
    pub at: Timestamp,
    pub position: u64,
    pub revision: u64,
    pub clause: Option<String>,
    pub item: Option<String>,
    pub backup: Option<String>,
    /// How many events it stands for, where that may be more than one.
    pub count: Option<u64>,
}

impl Serialize for FindingRow {
    fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        let people = s.is_human_readable();
        let shown = |some: bool| some || !people;
        let optional = [self.item.is_some(), self.backup.is_some(), self.count.is_some()];
        let fields = 7 + optional.into_iter().filter(|some| shown(*some)).count();
        let mut row = s.serialize_struct("FindingRow", fields)?;
        row.serialize_field("account", &self.account)?;
        row.serialize_field("code", &self.code)?;
        row.serialize_field("severity", &self.severity)?;
        row.serialize_field("at", &self.at)?;
        row.serialize_field("position", &self.position)?;
        row.serialize_field("revision", &self.revision)?;
        row.serialize_field("clause", &self.clause)?;
        if shown(optional[0]) {
            row.serialize_field("item", &self.item)?;
        }
        if shown(optional[1]) {
            row.serialize_field("backup", &self.backup)?;
        }
        if shown(optional[2]) {
            row.serialize_field("count", &self.count)?;
        }
        row.end()
    }
}

/// One account in a line.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
#[allow(missing_docs, reason = "the fields are those of docs/answers.md, `accounts`")]
pub struct AccountLine {
    pub account: String,
    #[serde(serialize_with = "said")]
    pub status: Said<Status>,
    pub tier: Said<String>,
    pub live: Said<u64>,
    pub live_bytes: Said<u128>,
    pub trashed: Said<u64>,
    pub expired: Said<u64>,
    pub purged: Said<u64>,
    pub removed: Said<u64>,
    pub used_bytes: Said<u128>,
    pub last_activity_at: Option<Timestamp>,
    pub inactive_at: Option<Timestamp>,
    /// The fields that erased events leave open.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub undetermined: Vec<&'static str>,
}

impl Counts<Said<u64>> {
    /// Those that are certain, and 0 for what is not.
    #[must_use]
    pub fn certain(self) -> Counts {
        let Counts { live, trashed, expired, purged, removed } = self;
        let certain = |count: Said<u64>| count.unwrap_or(0);
        Counts {
            live: certain(live),
            trashed: certain(trashed),
            expired: certain(expired),
            purged: certain(purged),
            removed: certain(removed),
        }
    }
}

impl Counts {
    fn add(&mut self, state: ItemState) {
        *match state {
            ItemState::Live => &mut self.live,
            ItemState::Trashed => &mut self.trashed,
            ItemState::Expired => &mut self.expired,
            ItemState::Purged => &mut self.purged,
            ItemState::Removed => &mut self.removed,
        } += 1;
    }
}

impl View<'_> {
    pub(crate) fn subject_names(&self, subject: Option<Subject>) -> (Option<&str>, Option<&str>) {
        match subject {
            Some(Subject::Item(item)) => (Some(self.rules.names.get(item)), None),
            Some(Subject::Backup(backup)) => (None, Some(self.rules.names.get(backup))),
            None => (None, None),
        }
    }

    /// How many items there are in each state.
    #[must_use]
    pub fn counts(&self) -> Counts<Said<u64>> {
        let mut counts = Counts::default();
        self.state.items.iter().flatten().for_each(|item| counts.add(item.state));
        let (there, gone) = match self.open {
            None => (false, false),
            Some(_) => (self.any_item(|u, _| u.state && u.is_there), self.any_item(|u, _| u.state)),
        };
        let Counts { live, trashed, expired, purged, removed } = counts;
        let said = |open: bool, count| (!open).then_some(count);
        Counts {
            live: said(there, live),
            trashed: said(there, trashed),
            expired: said(there, expired),
            purged: said(gone, purged),
            removed: said(gone, removed),
        }
    }

    /// Bytes of what is live.
    fn live_bytes(&self) -> Said<u128> {
        let is_open = |unsure: Unsure, item: Option<&Item>| match unsure.state {
            true => unsure.is_there,
            false => unsure.bytes && item.is_some_and(|item| item.state == ItemState::Live),
        };
        (!self.any_item(is_open)).then_some(self.state.bytes.live)
    }

    /// The account in a line.
    #[must_use]
    pub fn line(&self) -> AccountLine {
        let Counts { live, trashed, expired, purged, removed } = self.counts();
        let mut line = AccountLine {
            account: self.account.to_owned(),
            status: self.status(),
            tier: self.tier().map(str::to_owned),
            live,
            live_bytes: self.live_bytes(),
            trashed,
            expired,
            purged,
            removed,
            used_bytes: self.used_bytes(),
            last_activity_at: self.last_activity().flatten().map(|(at, _)| at),
            inactive_at: self.inactive_at().flatten(),
            undetermined: Vec::new(),
        };
        if self.open.is_some() {
            let open = [
                (line.status.is_none(), "status"),
                (line.tier.is_none(), "tier"),
                (line.live.is_none(), "live"),
                (line.live_bytes.is_none(), "live_bytes"),
                (line.trashed.is_none(), "trashed"),
                (line.expired.is_none(), "expired"),
                (line.purged.is_none(), "purged"),
                (line.removed.is_none(), "removed"),
                (line.used_bytes.is_none(), "used_bytes"),
                (self.last_activity().is_none(), "last_activity_at"),
                (self.inactive_at().is_none(), "inactive_at"),
            ];
            line.undetermined = open.iter().filter(|(open, _)| *open).map(|(_, f)| *f).collect();
        }
        line
    }

    /// The last activity; `Some(None)`: there was none.
    fn last_activity(&self) -> Said<Option<(Timestamp, Kind)>> {
        let is_known = self.open.as_ref().is_none_or(|open| open.doubt.active_by.is_none());
        is_known.then_some(self.state.activity.last)
    }

    /// What was found, with the clauses that findings cite.
    #[must_use]
    pub fn finding_rows(&self) -> Vec<FindingRow> {
        self.findings().into_iter().map(|(finding, count)| self.row(finding, count)).collect()
    }

    fn row(&self, finding: Finding, count: Option<u64>) -> FindingRow {
        let (item, backup) = self.subject_names(finding.subject);
        let clause = self.rules.policy.version_at(finding.at).clause_for(finding.code.name());
        FindingRow {
            account: self.account.to_owned(),
            code: finding.code,
            severity: finding.code.severity(),
            at: finding.at,
            position: finding.event.position,
            revision: finding.event.revision,
            clause: clause.map(str::to_owned),
            item: item.map(str::to_owned),
            backup: backup.map(str::to_owned),
            count,
        }
    }

    /// The account, whole.
    #[must_use]
    pub fn account_state(&self) -> AccountState {
        let is_past_open = self.open.as_ref().is_some_and(|open| open.doubt.past);
        let windows = match is_past_open {
            true => Vec::new(),
            false => self.state.active_spans(self.rules),
        };
        let (last_at, last_kind) = self.last_activity().flatten().unzip();
        let items = self.items().into_iter().map(|(id, item)| self.item_row(id, item));
        let backups = self.backups().into_iter().map(|(id, backup)| self.backup_row(id, backup));
        let limit_bytes = match &self.open {
            None => self.state.limit_bytes(self.rules),
            Some(open) => open.limit.flatten(),
        };
        AccountState {
            account: self.account.to_owned(),
            as_of: self.as_of,
            policy: self.rules.policy.name.clone(),
            revision: match &self.open {
                None => Some(self.state.highest.revision),
                Some(open) => open.revision,
            },
            status: self.status(),
            tier: self.tier().map(str::to_owned),
            quota: Quota { limit_bytes, used_bytes: self.used_bytes(), over: self.is_over_quota() },
            activity: Activity {
                last_at,
                last_kind,
                inactive_at: self.inactive_at().flatten(),
                windows: windows.into_iter().map(|(from, to)| Span { from, to }).collect(),
            },
            categories: self.categories(),
            items: items.collect(),
            backups: backups.collect(),
            counts: self.counts(),
            findings: self.finding_rows(),
            stages: self.stage_rows(),
            erased: self
                .open
                .as_ref()
                .map(|open| ErasedCounts { contents: open.contents, events: open.leaves }),
            undetermined: self.undetermined.clone(),
        }
    }

    fn item_row(&self, id: NameId, item: &Item) -> ItemRow {
        let unsure = self.unsure(Subject::Item(id)).row();
        let until = item.recoverable_until().filter(|_| !unsure.until);
        ItemRow {
            item: self.rules.names.get(id).to_owned(),
            category: known(unsure.category, item.category)
                .flatten()
                .map(|category| self.rules.names.get(category).to_owned()),
            state: known(unsure.state, item.state),
            bytes: known(unsure.bytes, item.bytes),
            since: known(unsure.since, item.since),
            recoverable_until: until,
            remaining_days: match unsure.until && item.state != ItemState::Expired {
                true => None,
                false => self.remaining_days(item.state, until).filter(|_| !unsure.state),
            },
            cause: known(unsure.cause, item.cause()).flatten(),
        }
    }

    fn backup_row(&self, id: NameId, backup: &Backup) -> BackupRow {
        let unsure = self.unsure(Subject::Backup(id)).row();
        let cause = backup.ending.as_ref().map(|ending| ending.cause);
        BackupRow {
            backup: self.rules.names.get(id).to_owned(),
            state: known(unsure.state, backup.state),
            bytes: known(unsure.bytes, backup.bytes),
            since: known(unsure.since, backup.since),
            cause: known(unsure.cause, cause).flatten(),
        }
    }

    fn stage_rows(&self) -> Vec<StageRow> {
        let stages = self.stages().unwrap_or_default().into_iter();
        let row = |stage: StageAt<'_>| StageRow {
            stage: stage.name.to_owned(),
            when: stage.stage.when,
            category: stage.category.map(|category| self.rules.names.get(category).to_owned()),
            since: stage.since,
            reached_at: stage.reached_at,
            reached: stage.reached_at.is_some_and(|at| at <= self.as_of),
        };
        stages.map(row).collect()
    }

    fn remaining_days(&self, state: ItemState, until: Option<Timestamp>) -> Option<u64> {
        const DAY_MS: u64 = 86_400_000;
        match state {
            ItemState::Expired => Some(0),
            _ => until.map(|until| until.ms().abs_diff(self.as_of.ms()).div_ceil(DAY_MS)),
        }
    }

    /// By name.
    pub(crate) fn categories(&self) -> Vec<(String, CategoryRow)> {
        let none = CategoryRow {
            sync: None,
            live: Some(0),
            trashed: Some(0),
            gone: Some(0),
            bytes: Some(0),
        };
        let mut rows: Vec<Option<CategoryRow>> = Vec::new();
        for (id, sync) in (0u32..).map(NameId).zip(&self.state.sync) {
            let Some(sync) = sync else { continue };
            let is_open = self.open.as_ref().is_some_and(|open| open.doubt.sync(id).is_none());
            place(&mut rows, id).get_or_insert_with(|| none.clone()).sync = match sync {
                _ if is_open => None,
                Sync::Unset => None,
                Sync::On => Some(true),
                Sync::Off => Some(false),
            };
        }
        for (id, item) in (0u32..).map(NameId).zip(&self.state.items) {
            let Some(item) = item else { continue };
            let is_open = |open: &Open| open.doubt.items.get(id).category;
            let Some(category) = item.category else { continue };
            if self.open.as_deref().is_some_and(is_open) {
                continue;
            }
            let row = place(&mut rows, category).get_or_insert_with(|| none.clone());
            let add = |count: &mut Said<u64>| *count = count.map(|count| count + 1);
            match item.state {
                ItemState::Live => {
                    add(&mut row.live);
                    row.bytes = row.bytes.map(|bytes| bytes + u128::from(item.bytes));
                }
                ItemState::Trashed => add(&mut row.trashed),
                ItemState::Expired | ItemState::Purged | ItemState::Removed => add(&mut row.gone),
            }
        }
        if self.open.is_some() {
            self.open_categories(&mut rows);
        }
        let rows = self.by_name(&rows).into_iter();
        rows.map(|(id, row)| (self.rules.names.get(id).to_owned(), row.clone())).collect()
    }
}

fn known<T>(open: bool, value: T) -> Said<T> {
    (!open).then_some(value)
}
