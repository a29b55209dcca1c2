//! The model of an audit: the verdict on a claim, read off the model's own items and backups.
//!
//! Written from the rules of claims alone, as [`crate::model`] from those of states.
//! The prose (`because`, `caveats`) is left out.

use std::collections::{BTreeMap, BTreeSet};

use event::{ClearCause, EventHash, Payload, Recorded, Timestamp};
use policy::Policy;
use serde::Serialize;

use crate::model::state::{findings, recoverable_until};
use crate::model::walk::{Backup, Item, ItemState};
use crate::model::{Past, Walked};

/// What a claim is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Subject {
    /// One item.
    Item(String),
    /// One backup.
    Backup(String),
    /// The items of a category.
    Category(String),
    /// All items and backups.
    Account,
}

/// What a claim asserts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs, reason = "the words of docs/answers.md")]
pub enum Asserts {
    Kept,
    Recoverable,
    Gone,
    DeletedByUser,
    NotDeletedByUser,
    Expired,
    PurgedOnTime,
    LostAfterSyncOff,
    ClearedForInactivity,
}

impl Asserts {
    /// Every assert with its wire name.
    pub const ALL: [(Asserts, &'static str); 9] = [
        (Asserts::Kept, "kept"),
        (Asserts::Recoverable, "recoverable"),
        (Asserts::Gone, "gone"),
        (Asserts::DeletedByUser, "deleted_by_user"),
        (Asserts::NotDeletedByUser, "not_deleted_by_user"),
        (Asserts::Expired, "expired"),
        (Asserts::PurgedOnTime, "purged_on_time"),
        (Asserts::LostAfterSyncOff, "lost_after_sync_off"),
        (Asserts::ClearedForInactivity, "cleared_for_inactivity"),
    ];

    /// The wire name.
    #[must_use]
    pub fn name(self) -> &'static str {
        Asserts::ALL[self as usize].1
    }

    /// Whether it is never true of a backup.
    #[must_use]
    pub fn never_of_a_backup(self) -> bool {
        matches!(self, Asserts::Recoverable | Asserts::Expired | Asserts::LostAfterSyncOff)
    }
}

/// A claim about an account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Claim {
    /// Its name.
    pub claim: String,
    /// The account.
    pub account: String,
    /// What of it.
    pub subject: Subject,
    /// What is said of that.
    pub asserts: Asserts,
    /// As of when, in place of the asker's.
    pub as_of: Option<Timestamp>,
}

impl Claim {
    /// The claim as a line of a claims file.
    #[must_use]
    pub fn line(&self) -> String {
        let mut line = serde_json::json!({
            "claim": self.claim, "account": self.account, "asserts": self.asserts.name(),
        });
        match &self.subject {
            Subject::Item(name) => line["item"] = name.as_str().into(),
            Subject::Backup(name) => line["backup"] = name.as_str().into(),
            Subject::Category(name) => line["category"] = name.as_str().into(),
            Subject::Account => {}
        }
        if let Some(as_of) = self.as_of {
            line["as_of"] = as_of.to_string().into();
        }
        line.to_string()
    }
}

/// The answer, in the order of docs/answers.md.
#[allow(missing_docs, reason = "the fields are those of docs/answers.md")]
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Answer {
    pub claim: String,
    pub account: String,
    pub verdict: &'static str,
    pub state: Option<&'static str>,
    pub cause: Option<&'static str>,
    pub lawful: &'static str,
    pub recoverable_until: Option<Timestamp>,
    pub evidence: Vec<Evidence>,
    pub clauses: Vec<String>,
    pub readings: BTreeMap<String, &'static str>,
}

/// An event on which the answer rests.
#[allow(missing_docs, reason = "the fields are those of docs/answers.md")]
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Evidence {
    pub position: u64,
    pub revision: u64,
    pub hash: EventHash,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub item: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub backup: Option<String>,
}

/// The answer to `claim` from `events` (of its account, in any order; of another account or none:
/// no record).
#[must_use]
pub fn judge(
    claim: &Claim,
    events: &[Recorded],
    policy: &Policy,
    as_of: Timestamp,
    known_at: Timestamp,
) -> Answer {
    let as_of = claim.as_of.unwrap_or(as_of);
    let events: Vec<Recorded> =
        events.iter().filter(|r| r.event.account == claim.account).cloned().collect();
    let under = |policy: &Policy| judge_under(claim, &events, policy, as_of, known_at);
    let mut answer = under(policy);
    let mut lawful = BTreeSet::from([answer.lawful]);
    answer.readings.insert("default".to_owned(), answer.verdict);
    for id in reading_ids(policy) {
        let other = under(&read_as(policy, &id));
        lawful.insert(other.lawful);
        answer.readings.insert(id, other.verdict);
    }
    if answer.readings.values().any(|verdict| *verdict != answer.verdict) {
        answer.verdict = "undetermined";
    }
    if lawful.len() > 1 {
        answer.lawful = "depends";
    }
    answer
}

/// The names of all readings of all versions.
#[must_use]
pub fn reading_ids(policy: &Policy) -> BTreeSet<String> {
    policy.versions.iter().flat_map(|v| &v.readings).map(|r| r.id.clone()).collect()
}

/// The policy read another way: in each version that has the reading.
#[must_use]
pub fn read_as(policy: &Policy, id: &str) -> Policy {
    let mut read = policy.clone();
    for version in &mut read.versions {
        if let Some(reading) = version.readings.iter().find(|r| r.id == id) {
            *version = reading.version.clone();
        }
    }
    read
}

/// What is known of one subject of a claim.
struct Known {
    holds: bool,
    state: &'static str,
    cause: Option<&'static str>,
    recoverable_until: Option<Timestamp>,
    lawful: &'static str,
    /// The events that began the present life, took it out of `live` or kept, and ended it.
    events: Vec<usize>,
    item: Option<String>,
    backup: Option<String>,
}

fn judge_under(
    claim: &Claim,
    events: &[Recorded],
    policy: &Policy,
    as_of: Timestamp,
    known_at: Timestamp,
) -> Answer {
    let mut answer = Answer {
        claim: claim.claim.clone(),
        account: claim.account.clone(),
        verdict: "undetermined",
        state: None,
        cause: None,
        lawful: "none",
        recoverable_until: None,
        evidence: Vec::new(),
        clauses: Vec::new(),
        readings: BTreeMap::new(),
    };
    let Some(past) = Past::of(events, policy, as_of, known_at) else { return answer };
    let walked = Walked::of(past);
    let subjects = subjects(claim, &walked);
    if subjects.is_empty() {
        return answer;
    }
    let holds = subjects.iter().all(|known| known.holds);
    answer.verdict = if holds { "upheld" } else { "refuted" };
    answer.state = agreed(subjects.iter().map(|known| Some(known.state)));
    answer.cause = agreed(subjects.iter().map(|known| known.cause));
    answer.recoverable_until = agreed(subjects.iter().map(|known| known.recoverable_until));
    answer.lawful = ["no", "yes", "none"]
        .into_iter()
        .find(|lawful| subjects.iter().any(|known| known.lawful == *lawful))
        .unwrap();
    answer.evidence = evidence(claim, &walked, &subjects);
    let version = policy.version_at(as_of);
    let cited = version.clauses.iter().filter(|clause| {
        let for_it = |what: &str| clause.for_.iter().any(|f| f == what);
        for_it(claim.asserts.name()) || answer.cause.is_some_and(for_it)
    });
    answer.clauses = cited.map(|clause| clause.id.clone()).collect();
    answer
}

fn subjects(claim: &Claim, walked: &Walked) -> Vec<Known> {
    let mut subjects = Vec::new();
    for (name, item) in &walked.items {
        let meant = match &claim.subject {
            Subject::Item(wanted) => name == wanted,
            Subject::Category(wanted) => item.category.as_ref() == Some(wanted),
            Subject::Account => true,
            Subject::Backup(_) => false,
        };
        if meant {
            subjects.push(of_item(claim.asserts, walked, name, item));
        }
    }
    for (name, backup) in &walked.backups {
        let meant = match &claim.subject {
            Subject::Backup(wanted) => name == wanted,
            Subject::Account => !claim.asserts.never_of_a_backup(),
            Subject::Item(_) | Subject::Category(_) => false,
        };
        if meant {
            subjects.push(of_backup(claim.asserts, walked, name, backup));
        }
    }
    subjects
}

fn of_item(asserts: Asserts, walked: &Walked, name: &str, item: &Item) -> Known {
    let past = &walked.past;
    let gone = matches!(item.state, ItemState::Expired | ItemState::Purged | ItemState::Removed);
    let purged = item.state == ItemState::Purged;
    let ended_at = item.ended.map(|event| past.at(event));
    let by_user = item.out.is_some_and(|event| past.by_user(event));
    let holds = match asserts {
        Asserts::Kept => !gone,
        Asserts::Recoverable => item.state == ItemState::Trashed,
        Asserts::Gone => gone,
        Asserts::DeletedByUser => item.state != ItemState::Live && by_user,
        Asserts::NotDeletedByUser => item.state == ItemState::Live || !by_user,
        Asserts::Expired => gone && item.deadline.is_some(),
        Asserts::PurgedOnTime => {
            purged
                && match item.deadline {
                    None => past.by_user(item.ended.unwrap()),
                    Some(deadline) => {
                        let lag = past.policy.version_at(deadline).trash.purge_lag;
                        let latest = lag.after(deadline, &past.policy.zone);
                        latest.is_none_or(|latest| ended_at.unwrap() <= latest)
                    }
                }
        }
        Asserts::LostAfterSyncOff => {
            // The cause says: by the provider, with no deadline reached, not admissibly.
            let sync = |category: &String| past.sync(item.ended.unwrap(), category);
            purged
                && item.cause == Some("provider_purged")
                && item.category.as_ref().and_then(sync) == Some(false)
        }
        Asserts::ClearedForInactivity => {
            item.state == ItemState::Removed && cleared_for_inactivity(past, item.ended)
        }
    };
    Known {
        holds,
        state: match item.state {
            ItemState::Live => "live",
            ItemState::Trashed => "trashed",
            ItemState::Expired => "expired",
            ItemState::Purged => "purged",
            ItemState::Removed => "removed",
        },
        cause: item.cause,
        recoverable_until: recoverable_until(walked, name),
        lawful: lawful(gone, walked, [item.out, item.ended], Some(name), None),
        events: [Some(item.began), item.out, item.ended].into_iter().flatten().collect(),
        item: Some(name.to_owned()),
        backup: None,
    }
}

fn of_backup(asserts: Asserts, walked: &Walked, name: &str, backup: &Backup) -> Known {
    let past = &walked.past;
    let by_user = backup.ended.is_some_and(|event| past.by_user(event));
    let holds = match asserts {
        Asserts::Kept => backup.kept,
        Asserts::Gone => !backup.kept,
        Asserts::DeletedByUser => !backup.kept && by_user,
        Asserts::NotDeletedByUser => backup.kept || !by_user,
        Asserts::PurgedOnTime => !backup.kept && (by_user || backup.cause == Some("window_lapsed")),
        Asserts::ClearedForInactivity => !backup.kept && cleared_for_inactivity(past, backup.ended),
        Asserts::Recoverable | Asserts::Expired | Asserts::LostAfterSyncOff => false,
    };
    Known {
        holds,
        state: if backup.kept { "kept" } else { "removed" },
        cause: backup.cause,
        recoverable_until: None,
        lawful: lawful(!backup.kept, walked, [backup.ended, None], None, Some(name)),
        events: [Some(backup.began), backup.ended].into_iter().flatten().collect(),
        item: None,
        backup: Some(name.to_owned()),
    }
}

fn cleared_for_inactivity(past: &Past, ended: Option<usize>) -> bool {
    let event = ended.expect("what was removed was removed by an event");
    let inactivity = ClearCause::Inactivity;
    matches!(past.payload(event), Payload::DataCleared { cause } if *cause == inactivity)
        && past.may_lapse(event, past.at(event))
}

/// Whether one of `events` gave a breach for the item or backup or, a clearing, for the account.
fn lawful(
    gone: bool,
    walked: &Walked,
    events: [Option<usize>; 2],
    item: Option<&str>,
    backup: Option<&str>,
) -> &'static str {
    if !gone {
        return "none";
    }
    let breached = events.into_iter().flatten().any(|event| {
        let clearing = matches!(walked.past.payload(event), Payload::DataCleared { .. });
        findings(walked).iter().any(|finding| {
            let for_it = finding.item.as_deref() == item && finding.backup.as_deref() == backup;
            let for_account = clearing && finding.item.is_none() && finding.backup.is_none();
            finding.severity == "breach"
                && finding.revision == walked.past.events[event].revision
                && (for_it || for_account)
        })
    });
    if breached { "no" } else { "yes" }
}

fn agreed<T: PartialEq>(values: impl Iterator<Item = Option<T>>) -> Option<T> {
    let mut values: Vec<Option<T>> = values.collect();
    let last = values.pop()?;
    if values.iter().all(|value| *value == last) { last } else { None }
}

fn evidence(claim: &Claim, walked: &Walked, subjects: &[Known]) -> Vec<Evidence> {
    let cite = |event: usize, item: Option<String>, backup: Option<String>| {
        let recorded = walked.past.events[event];
        Evidence {
            position: recorded.position,
            revision: recorded.revision,
            hash: EventHash::of(&recorded.event),
            item,
            backup,
        }
    };
    let mut rows: Vec<Evidence> = match claim.subject {
        Subject::Item(_) | Subject::Backup(_) => {
            subjects[0].events.iter().map(|event| cite(*event, None, None)).collect()
        }
        Subject::Category(_) | Subject::Account => subjects
            .iter()
            .filter(|known| !known.holds)
            .map(|known| {
                let position = |event: &&usize| walked.past.events[**event].position;
                let last = *known.events.iter().max_by_key(position).unwrap();
                cite(last, known.item.clone(), known.backup.clone())
            })
            .collect(),
    };
    let key = |row: &Evidence| (row.position, row.item.clone(), row.backup.clone());
    rows.sort_by_key(key);
    rows.dedup();
    rows
}
