//! The life of one item, change by change, with what a person would say of it; and what each event
//! of an account did.

use event::{Actor, Kind, NameId, Names, Step, Timestamp};
use projection::{Change, ChangeSource, Changed, ItemState, StateCause, Subject, View};
use serde::Serialize;

use crate::wording::{self, Language};

/// What is on record of one item.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[allow(missing_docs, reason = "the fields are those of `state`'s items")]
pub struct Explanation {
    pub account: String,
    pub item: String,
    pub as_of: Timestamp,
    pub policy: String,
    pub category: Option<String>,
    pub state: ItemState,
    pub bytes: u64,
    pub since: Timestamp,
    pub cause: Option<StateCause>,
    pub recoverable_until: Option<Timestamp>,
    pub remaining_days: Option<u64>,
    /// In order of time.
    pub changes: Vec<ItemChange>,
    /// What a person would say.
    pub sentence: String,
}

/// One change of an item.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ItemChange {
    /// When.
    pub at: Timestamp,
    /// `event`, `deadline` or `policy_version`.
    pub source: &'static str,
    /// Of the event.
    pub position: Option<u64>,
    /// Of the event.
    pub revision: Option<u64>,
    /// Of the event.
    pub kind: Option<Kind>,
    /// Of the event.
    pub actor: Option<Actor>,
    /// The state before; `None` when it was never seen.
    pub from: Option<ItemState>,
    /// The state after.
    pub to: ItemState,
    /// The cause of the state after.
    pub cause: Option<StateCause>,
    /// The first clause of the policy, in the version in force then, that speaks of that cause.
    pub clause: Option<String>,
    /// The deadline after.
    pub recoverable_until: Option<Timestamp>,
    /// What a person would say.
    pub says: String,
}

/// Explains `item` from a traced fold: `view` and its `changes` ([`projection::fold_traced`]), and
/// the `steps` that were folded. `None` if the item was never seen.
#[must_use]
pub fn explain(
    view: &View<'_>,
    changes: &[Change],
    steps: &[Step],
    item: &str,
    lang: Language,
) -> Option<Explanation> {
    let id = view.names().find(item)?;
    view.item(id)?;
    let state = view.account_state();
    let row = state.items.into_iter().find(|row| row.item == item)?;
    let mut state_now = None;
    let changes = changes
        .iter()
        .filter(|change| change.changed.subject() == Subject::Item(id))
        .filter_map(|change| item_change(view, change, steps, &mut state_now, lang))
        .collect();
    Some(Explanation {
        account: state.account,
        as_of: state.as_of,
        policy: state.policy,
        category: row.category,
        state: row.state,
        bytes: row.bytes,
        since: row.since,
        cause: row.cause,
        recoverable_until: row.recoverable_until,
        remaining_days: row.remaining_days,
        changes,
        sentence: wording::item_sentence(item, view.item(id)?, lang),
        item: row.item,
    })
}

fn item_change(
    view: &View<'_>,
    change: &Change,
    steps: &[Step],
    state_now: &mut Option<ItemState>,
    lang: Language,
) -> Option<ItemChange> {
    let (from, to, cause, recoverable_until) = match change.changed {
        Changed::Item { from, to, cause, recoverable_until, .. } => {
            *state_now = Some(to);
            (from, to, cause, recoverable_until)
        }
        Changed::Deadline { to, .. } => {
            let state = (*state_now)?;
            (Some(state), state, None, to)
        }
        Changed::Backup { .. } => return None,
    };
    let event = match change.source {
        ChangeSource::Event(event) => Some(event),
        ChangeSource::Deadline | ChangeSource::PolicyVersion(_) => None,
    };
    let step = event.and_then(|event| steps.iter().find(|s| s.revision == event.revision));
    let source = match change.source {
        ChangeSource::Event(_) => "event",
        ChangeSource::Deadline => "deadline",
        ChangeSource::PolicyVersion(_) => "policy_version",
    };
    let version = view.policy().version_at(change.at);
    let clause = cause.and_then(|cause| version.clause_for(cause.name()));
    Some(ItemChange {
        at: change.at,
        source,
        position: event.map(|event| event.position),
        revision: event.map(|event| event.revision),
        kind: step.map(|step| step.kind),
        actor: step.map(|step| step.actor),
        from,
        to,
        cause,
        clause: clause.map(str::to_owned),
        recoverable_until,
        says: wording::change(&change.changed, change.source, step, view.policy(), lang),
    })
}

/// What `step` did, from the changes that it brought about: such as `item a: live → trashed`.
#[must_use]
pub fn effect(names: &Names, step: &Step, changes: &[Change]) -> String {
    const SHOWN: usize = 3;
    let own = changes.iter().filter(|change| change.source == ChangeSource::of(step));
    let mut parts: Vec<String> = own.map(|change| changed(names, &change.changed)).collect();
    if parts.len() > SHOWN {
        let more = parts.len() - SHOWN;
        parts.truncate(SHOWN);
        parts.push(format!("and {more} more"));
    }
    if parts.is_empty() { account_effect(names, step) } else { parts.join("; ") }
}

fn changed(names: &Names, changed: &Changed) -> String {
    let name = |id: NameId| names.get(id);
    match *changed {
        Changed::Item { item, from, to, .. } => {
            format!("item {}: {} → {to}", name(item), from.map_or("new", ItemState::name))
        }
        Changed::Backup { backup, from, to, .. } => {
            format!("backup {}: {} → {to}", name(backup), from.map_or("new", |from| from.name()))
        }
        Changed::Deadline { item, from, to } => {
            let text = |at: Option<Timestamp>| at.map_or("never".to_owned(), |at| at.to_string());
            format!("item {}: recoverable until {} → {}", name(item), text(from), text(to))
        }
    }
}

/// What an event did that moved no item and no backup.
fn account_effect(names: &Names, step: &Step) -> String {
    let word = step.word.map(|id| names.get(id));
    let subject = step.subject.map(|id| names.get(id));
    match (step.kind, word, subject, step.bytes) {
        (Kind::AccountOpened | Kind::TierChanged, Some(tier), _, _) => format!("tier: {tier}"),
        (Kind::AccountOpened, None, _, _) => "account: opened".to_owned(),
        (Kind::QuotaChanged, _, _, Some(bytes)) => format!("quota: {bytes} bytes"),
        (Kind::SyncOn, Some(category), _, _) => format!("sync of {category}: on"),
        (Kind::SyncOff, Some(category), _, _) => format!("sync of {category}: off"),
        (Kind::ItemModified, _, Some(item), Some(bytes)) => format!("item {item}: {bytes} bytes"),
        (Kind::HoldPlaced, _, Some(hold), _) => format!("hold {hold}: placed"),
        (Kind::HoldReleased, _, Some(hold), _) => format!("hold {hold}: released"),
        (Kind::AccountFrozen, ..) => "account: frozen".to_owned(),
        (Kind::AccountUnfrozen, ..) => "account: unfrozen".to_owned(),
        (Kind::AccountTerminated, ..) => "account: terminated".to_owned(),
        (Kind::AccountClosed, ..) => "account: closed".to_owned(),
        (Kind::DataCleared, ..) => "account: cleared".to_owned(),
        (Kind::InactivityNotified, ..) => "account: notified".to_owned(),
        _ => "nothing moved".to_owned(),
    }
}
