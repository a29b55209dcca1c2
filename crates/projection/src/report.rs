//! What people and scripts see of a view: the fields of `state`, `accounts` and `findings`
//! (docs/answers.md).

use std::collections::BTreeMap;

use event::{Kind, Timestamp};
use policy::When;
use serde::ser::{Serialize, SerializeStruct, Serializer};

use crate::state::Sync;
use crate::{
    BackupState, Finding, FindingCode, ItemState, Severity, StageAt, StateCause, Status, Subject,
    View,
};

/// One account, whole.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
#[allow(missing_docs, reason = "the fields are those of docs/answers.md, `state`")]
pub struct AccountState {
    pub account: String,
    pub as_of: Timestamp,
    pub policy: String,
    pub revision: u64,
    pub status: Status,
    pub tier: String,
    pub quota: Quota,
    pub activity: Activity,
    pub categories: BTreeMap<String, CategoryRow>,
    pub items: Vec<ItemRow>,
    pub backups: Vec<BackupRow>,
    pub counts: Counts,
    pub findings: Vec<FindingRow>,
    /// Only where the version in force has stages.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub stages: Vec<StageRow>,
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
    pub used_bytes: u128,
    pub over: bool,
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
#[derive(Debug, Clone, Default, PartialEq, Eq, serde::Serialize)]
#[allow(missing_docs, reason = "the fields are those of docs/answers.md, `state`")]
pub struct CategoryRow {
    /// `None`: never set.
    pub sync: Option<bool>,
    pub live: u64,
    pub trashed: u64,
    /// Expired, purged and removed.
    pub gone: u64,
    /// Of what is live.
    pub bytes: u128,
}

/// One item.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
#[allow(missing_docs, reason = "the fields are those of docs/answers.md, `state`")]
pub struct ItemRow {
    pub item: String,
    pub category: Option<String>,
    pub state: ItemState,
    pub bytes: u64,
    pub since: Timestamp,
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
    pub state: BackupState,
    pub bytes: u64,
    pub since: Timestamp,
    pub cause: Option<StateCause>,
}

/// How many items there are in each state.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, serde::Serialize)]
#[allow(missing_docs, reason = "the fields are the states of an item")]
pub struct Counts {
    pub live: u64,
    pub trashed: u64,
    pub expired: u64,
    pub purged: u64,
    pub removed: u64,
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
    pub status: Status,
    pub tier: String,
    pub live: u64,
    pub live_bytes: u128,
    pub trashed: u64,
    pub expired: u64,
    pub purged: u64,
    pub removed: u64,
    pub used_bytes: u128,
    pub last_activity_at: Option<Timestamp>,
    pub inactive_at: Option<Timestamp>,
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
    pub fn counts(&self) -> Counts {
        let mut counts = Counts::default();
        self.state.items.iter().flatten().for_each(|item| counts.add(item.state));
        counts
    }

    /// The account in a line.
    #[must_use]
    pub fn line(&self) -> AccountLine {
        let Counts { live, trashed, expired, purged, removed } = self.counts();
        AccountLine {
            account: self.account.to_owned(),
            status: self.status(),
            tier: self.tier().to_owned(),
            live,
            live_bytes: self.state.bytes.live,
            trashed,
            expired,
            purged,
            removed,
            used_bytes: self.state.used_bytes(self.rules),
            last_activity_at: self.state.activity.last.map(|(at, _)| at),
            inactive_at: self.inactive_at(),
        }
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
        let name = |id| self.rules.names.get(id).to_owned();
        let windows = self.state.active_spans(self.rules);
        let (last_at, last_kind) = self.state.activity.last.unzip();
        let items = self.items().into_iter().map(|(id, item)| ItemRow {
            item: name(id),
            category: item.category.map(name),
            state: item.state,
            bytes: item.bytes,
            since: item.since,
            recoverable_until: item.recoverable_until(),
            remaining_days: self.remaining_days(item.state, item.recoverable_until()),
            cause: item.cause(),
        });
        let backups = self.backups().into_iter().map(|(id, backup)| BackupRow {
            backup: name(id),
            state: backup.state,
            bytes: backup.bytes,
            since: backup.since,
            cause: backup.ending.as_ref().map(|ending| ending.cause),
        });
        AccountState {
            account: self.account.to_owned(),
            as_of: self.as_of,
            policy: self.rules.policy.name.clone(),
            revision: self.state.highest.revision,
            status: self.status(),
            tier: self.tier().to_owned(),
            quota: Quota {
                limit_bytes: self.state.limit_bytes(self.rules),
                used_bytes: self.state.used_bytes(self.rules),
                over: self.state.is_over_quota(self.rules),
            },
            activity: Activity {
                last_at,
                last_kind,
                inactive_at: self.inactive_at(),
                windows: windows.into_iter().map(|(from, to)| Span { from, to }).collect(),
            },
            categories: self.categories(),
            items: items.collect(),
            backups: backups.collect(),
            counts: self.counts(),
            findings: self.finding_rows(),
            stages: self.stage_rows(),
        }
    }

    fn stage_rows(&self) -> Vec<StageRow> {
        let stages = self.stages().into_iter();
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

    fn categories(&self) -> BTreeMap<String, CategoryRow> {
        let names = self.rules.names;
        let mut rows: BTreeMap<String, CategoryRow> = BTreeMap::new();
        for (name, sync) in names.iter().zip(&self.state.sync) {
            let Some(sync) = sync else { continue };
            rows.entry(name.to_owned()).or_default().sync = match sync {
                Sync::Unset => None,
                Sync::On => Some(true),
                Sync::Off => Some(false),
            };
        }
        for item in self.state.items.iter().flatten() {
            let Some(category) = item.category else { continue };
            let row = rows.entry(names.get(category).to_owned()).or_default();
            match item.state {
                ItemState::Live => {
                    row.live += 1;
                    row.bytes += u128::from(item.bytes);
                }
                ItemState::Trashed => row.trashed += 1,
                ItemState::Expired | ItemState::Purged | ItemState::Removed => row.gone += 1,
            }
        }
        rows
    }
}
