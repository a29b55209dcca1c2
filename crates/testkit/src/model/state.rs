//! What `state --json` prints, `state_hash` aside: fields in the order of docs/events.md.

use std::collections::BTreeMap;

use event::{Payload, Timestamp};
use serde::Serialize;

use super::stages::StageLine;
use super::walk::{About, Found, ItemState, Walked};

/// The account. Sums of bytes are `u128`: they may pass `u64`.
#[allow(missing_docs, reason = "the fields are those of docs/answers.md")]
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct State {
    pub account: String,
    pub as_of: Timestamp,
    pub policy: String,
    pub revision: u64,
    pub status: &'static str,
    pub tier: String,
    pub quota: Quota,
    pub activity: Activity,
    pub categories: BTreeMap<String, Category>,
    pub items: Vec<ItemLine>,
    pub backups: Vec<BackupLine>,
    pub counts: Counts,
    pub findings: Vec<Finding>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub stages: Vec<StageLine>,
}

#[allow(missing_docs, reason = "the fields are those of docs/answers.md")]
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Quota {
    pub limit_bytes: Option<u64>,
    pub used_bytes: u128,
    pub over: bool,
}

#[allow(missing_docs, reason = "the fields are those of docs/answers.md")]
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Activity {
    pub last_at: Option<Timestamp>,
    pub last_kind: Option<&'static str>,
    pub inactive_at: Option<Timestamp>,
    pub windows: Vec<Span>,
}

#[allow(missing_docs, reason = "the fields are those of docs/answers.md")]
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Span {
    pub from: Timestamp,
    pub to: Option<Timestamp>,
}

#[allow(missing_docs, reason = "the fields are those of docs/answers.md")]
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Category {
    pub sync: Option<bool>,
    pub live: u64,
    pub trashed: u64,
    pub gone: u64,
    pub bytes: u128,
}

#[allow(missing_docs, reason = "the fields are those of docs/answers.md")]
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ItemLine {
    pub item: String,
    pub category: Option<String>,
    pub state: ItemState,
    pub bytes: u64,
    pub since: Timestamp,
    pub recoverable_until: Option<Timestamp>,
    pub remaining_days: Option<u64>,
    pub cause: Option<&'static str>,
}

#[allow(missing_docs, reason = "the fields are those of docs/answers.md")]
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct BackupLine {
    pub backup: String,
    pub state: &'static str,
    pub bytes: u64,
    pub since: Timestamp,
    pub cause: Option<&'static str>,
}

#[allow(missing_docs, reason = "the fields are those of docs/answers.md")]
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Counts {
    pub live: u64,
    pub trashed: u64,
    pub expired: u64,
    pub purged: u64,
    pub removed: u64,
}

#[allow(missing_docs, reason = "the fields are those of docs/answers.md")]
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Finding {
    pub account: String,
    pub code: &'static str,
    pub severity: &'static str,
    pub at: Timestamp,
    pub position: u64,
    pub revision: u64,
    pub clause: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub item: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub backup: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub count: Option<u64>,
}

impl State {
    /// What a walked account prints.
    #[must_use]
    pub fn of(walked: &Walked) -> State {
        let past = &walked.past;
        let (all, as_of) = (past.len(), past.as_of);
        let last = past.last_activity(all);
        let span = |(from, to)| Span { from, to };
        State {
            account: past.events[0].event.account.clone(),
            as_of,
            policy: past.policy.name.clone(),
            revision: past.events.iter().map(|r| r.revision).max().unwrap(),
            status: past.status(),
            tier: past.tier(all).to_owned(),
            quota: Quota {
                limit_bytes: past.limit(all, as_of),
                used_bytes: walked.used(as_of),
                over: walked.over(all, as_of),
            },
            activity: Activity {
                last_at: last.map(|index| past.at(index)),
                last_kind: last.map(|index| past.payload(index).kind().name()),
                inactive_at: past.inactive_at(all, as_of),
                windows: past.active_spans().into_iter().map(span).collect(),
            },
            categories: categories(walked),
            items: items(walked),
            backups: backups(walked),
            counts: counts(walked),
            findings: findings(walked),
            stages: walked.stages(),
        }
    }

    /// As JSON, in one line.
    #[must_use]
    pub fn json(&self) -> String {
        serde_json::to_string(self).expect("a state is JSON")
    }
}

/// The instant until which a trashed or expired item is recoverable.
#[must_use]
pub fn recoverable_until(walked: &Walked, name: &str) -> Option<Timestamp> {
    let item = &walked.items[name];
    match item.state {
        ItemState::Trashed => walked.deadline(item, walked.past.len()),
        ItemState::Expired => item.deadline,
        ItemState::Live | ItemState::Purged | ItemState::Removed => None,
    }
}

fn items(walked: &Walked) -> Vec<ItemLine> {
    let line = |(name, item): (&String, &super::walk::Item)| {
        let until = recoverable_until(walked, name);
        let remaining_ms = until.map(|until| until.ms() - walked.past.as_of.ms());
        ItemLine {
            item: name.clone(),
            category: item.category.clone(),
            state: item.state,
            bytes: item.bytes,
            since: item.since,
            recoverable_until: until,
            remaining_days: remaining_ms.map(|ms| (ms.max(0) as u64).div_ceil(86_400_000)),
            cause: item.cause,
        }
    };
    walked.items.iter().map(line).collect()
}

fn backups(walked: &Walked) -> Vec<BackupLine> {
    let line = |(name, backup): (&String, &super::walk::Backup)| BackupLine {
        backup: name.clone(),
        state: if backup.kept { "kept" } else { "removed" },
        bytes: backup.bytes,
        since: backup.since,
        cause: backup.cause,
    };
    walked.backups.iter().map(line).collect()
}

fn counts(walked: &Walked) -> Counts {
    let of = |state| walked.items.values().filter(|item| item.state == state).count() as u64;
    Counts {
        live: of(ItemState::Live),
        trashed: of(ItemState::Trashed),
        expired: of(ItemState::Expired),
        purged: of(ItemState::Purged),
        removed: of(ItemState::Removed),
    }
}

fn categories(walked: &Walked) -> BTreeMap<String, Category> {
    let past = &walked.past;
    let mut categories: BTreeMap<String, Category> = BTreeMap::new();
    for index in 0..past.len() {
        if let Payload::SyncOn { category }
        | Payload::SyncOff { category }
        | Payload::Synced { category } = past.payload(index)
        {
            categories.entry(category.clone()).or_default();
        }
    }
    for item in walked.items.values() {
        let Some(category) = &item.category else { continue };
        let line = categories.entry(category.clone()).or_default();
        match item.state {
            ItemState::Live => {
                line.live += 1;
                line.bytes += u128::from(item.bytes);
            }
            ItemState::Trashed => line.trashed += 1,
            ItemState::Expired | ItemState::Purged | ItemState::Removed => line.gone += 1,
        }
    }
    for (name, line) in &mut categories {
        line.sync = past.sync(past.len(), name);
    }
    categories
}

/// Everything found, in the order of docs/answers.md.
#[must_use]
pub fn findings(walked: &Walked) -> Vec<Finding> {
    let mut findings: Vec<Finding> = walked.found.iter().map(|f| finding(walked, f)).collect();
    findings.sort_by(|a, b| {
        let key = |f: &Finding| (f.at, f.position, f.code, f.item.clone(), f.backup.clone());
        key(a).cmp(&key(b))
    });
    findings
}

fn finding(walked: &Walked, found: &Found) -> Finding {
    let cited = walked.past.events[found.event];
    let version = walked.past.policy.version_at(found.at);
    let clause = version.clauses.iter().find(|c| c.for_.iter().any(|f| f == found.code));
    let (item, backup) = match &found.about {
        About::Account => (None, None),
        About::Item(name) => (Some(name.clone()), None),
        About::Backup(name) => (None, Some(name.clone())),
    };
    Finding {
        account: cited.event.account.clone(),
        code: found.code,
        severity: severity(found.code),
        at: found.at,
        position: cited.position,
        revision: cited.revision,
        clause: clause.map(|c| c.id.clone()),
        item,
        backup,
        count: found.count,
    }
}

/// How bad what is found under this code is.
#[must_use]
pub fn severity(code: &str) -> &'static str {
    match code {
        "overdue-purge"
        | "restored-after-window"
        | "cleared-without-notice"
        | "upload-while-sync-off"
        | "upload-over-quota" => "warning",
        "unknown-item" | "purged-without-trash" | "late-recorded" => "note",
        _ => "breach",
    }
}
