//! The life of one item, change by change, with what a person would say of it; and what each event
//! of an account did.

use event::{Actor, History, Kind, NameId, Names, Step, Timestamp};
use projection::{
    Change, ChangeSource, Changed, Finding, FindingCode, ItemState, Said, StateCause, Subject,
    Unsure, View, said,
};
use serde::Serialize;

use crate::erased;
use crate::lawful::LawfulThen;
use crate::subject::Record;
use crate::wording::{self, Language, Telling};

/// What is on record of one item.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[allow(missing_docs, reason = "the fields are those of `state`'s items")]
pub struct Explanation {
    pub account: String,
    pub item: String,
    pub as_of: Timestamp,
    pub policy: String,
    pub category: Option<String>,
    #[serde(serialize_with = "said")]
    pub state: Said<ItemState>,
    pub bytes: Said<u64>,
    pub since: Said<Timestamp>,
    pub cause: Option<StateCause>,
    pub recoverable_until: Option<Timestamp>,
    pub remaining_days: Option<u64>,
    /// In order of time.
    pub changes: Vec<ItemChange>,
    /// What a person would say.
    pub sentence: String,
    /// The fields that erased events leave open.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub undetermined: Vec<String>,
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
    /// The first clause of the policy, in the version in force then, that speaks of what was found in
    /// the event for this item, else of that cause.
    pub clause: Option<String>,
    /// What was found in the event for this item.
    pub findings: Vec<FindingCode>,
    /// What would have been lawful in place of each of these.
    pub lawful_then: Vec<LawfulThen>,
    /// The deadline after.
    pub recoverable_until: Option<Timestamp>,
    /// What a person would say.
    pub says: String,
}

/// Explains `item` from a traced fold: `view` and its `changes` ([`projection::fold_traced`]), and
/// the `history` that was folded as known at `known_at`. `None` if the item was never seen.
#[must_use]
pub fn explain(
    view: &View<'_>,
    changes: &[Change],
    history: &History,
    known_at: Timestamp,
    item: &str,
    lang: Language,
) -> Option<Explanation> {
    let id = view.names().find(item)?;
    view.item(id)?;
    let state = view.account_state();
    let (subject, own_item) = (Subject::Item(id), view.item(id)?);
    let unsure = view.unsure(subject);
    let undetermined = open_fields(&state.undetermined, item, history, unsure);
    let row = state.items.into_iter().find(|row| row.item == item)?;
    let steps = &history.steps;
    let hedged = false;
    let telling = Telling { steps, known_at, hedged, tells_sync: false, lang };
    let findings = view.findings().into_iter().map(|(finding, _)| finding);
    let own = findings.filter(|finding| finding.subject == Some(Subject::Item(id)));
    let own: Vec<Finding> = own.collect();
    let lawful = LawfulThen::of(history, view.policy(), view.as_of(), known_at, &own, lang);
    let found: Vec<(Finding, LawfulThen)> = own.into_iter().zip(lawful).collect();
    let mut state_now = None;
    let changes = changes
        .iter()
        .filter(|change| change.changed.subject() == Subject::Item(id))
        .filter_map(|change| item_change(view, change, steps, &found, &mut state_now, lang))
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
        sentence: match erased::tells_all(unsure) {
            true => wording::item_sentence(item, own_item, telling),
            false => {
                let record = Record::Item(own_item);
                wording::sentence(&erased::says(view, subject, record, lang), lang)
            }
        },
        undetermined,
        item: row.item,
    })
}

/// The fields of an explanation that are open, by those of the account: of an unknown state all of the row. Changes may
/// be missing where events of the account were erased to their leaves, or the item's state is not known.
fn open_fields(of: &[String], item: &str, history: &History, unsure: Unsure) -> Vec<String> {
    let all =
        ["category", "state", "bytes", "since", "recoverable_until", "remaining_days", "cause"];
    let mut open: Vec<String> = match unsure.state {
        true => all.map(str::to_owned).to_vec(),
        false => {
            let row = format!("items.{item}.");
            of.iter().filter_map(|field| field.strip_prefix(&row)).map(str::to_owned).collect()
        }
    };
    if !history.erased.leaves.is_empty() || unsure.any() {
        open.push("changes".to_owned());
    }
    open
}

fn item_change(
    view: &View<'_>,
    change: &Change,
    steps: &[Step],
    found: &[(Finding, LawfulThen)],
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
    let own = found.iter().filter(|(f, _)| Some(f.event) == event && f.at == change.at);
    let (findings, lawful_then): (Vec<FindingCode>, Vec<LawfulThen>) =
        own.map(|(finding, lawful)| (finding.code, lawful.clone())).unzip();
    let found = findings.iter();
    let found =
        found.filter_map(|code| Some((code.severity(), version.clause_for(code.name())?))).min();
    let clause = found.map(|(_, clause)| clause);
    let clause = clause.or_else(|| cause.and_then(|cause| version.clause_for(cause.name())));
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
        findings,
        lawful_then,
        recoverable_until,
        says: crate::change::says(&change.changed, change.source, step, view.policy(), lang),
    })
}

/// What `step` did, from the changes that it brought about: such as `item a: live → trashed`. `size`
/// says a number of bytes. `is_open`: events before it were erased that may matter to it, so `changes` are those that are
/// certain, of which one may lack the state before it.
#[must_use]
pub fn effect(
    names: &Names,
    step: &Step,
    changes: &[Change],
    is_open: bool,
    size: fn(u64) -> String,
    lang: Language,
) -> String {
    const SHOWN: usize = 3;
    let own = changes.iter().filter(|change| change.source == ChangeSource::of(step));
    let mut parts: Vec<String> =
        own.map(|change| changed(names, &change.changed, is_open, lang)).collect();
    if parts.len() > SHOWN {
        let more = parts.len() - SHOWN;
        parts.truncate(SHOWN);
        parts.push(lang.say(format_args!("and {more} more"), format_args!("另有 {more} 项")));
    }
    let is_missing =
        is_open && (moves_others(step) || parts.is_empty() && step.kind.is_about_one());
    if parts.is_empty() {
        // These say something else as well.
        let says = step.kind == Kind::DataCleared
            || step.bytes.is_some() && step.kind == Kind::ItemModified;
        if is_missing && !says {
            return lang.pick("not known: events were erased", "未知：有事件已被擦除").to_owned();
        }
        parts.push(account_effect(names, step, size, lang));
    }
    if is_missing {
        parts.push(lang.pick("perhaps more", "或另有其他").to_owned());
    }
    parts.join(lang.pick("; ", "；"))
}

/// Whether a step may move items or backups that it does not name.
const fn moves_others(step: &Step) -> bool {
    matches!(step.kind, Kind::TrashEmptied | Kind::DataCleared) || step.delete_backups
}

fn changed(names: &Names, changed: &Changed, is_open: bool, lang: Language) -> String {
    let moved = |en: &str, zh: &str, id: NameId, from: Option<&'static str>, to: &'static str| {
        let name = match names.get(id) {
            "" => lang.pick("of an erased name", "（名称已擦除）"),
            name => name,
        };
        let word = |state| lang.pick(state, state_in_chinese(state));
        let (new, to) = (if is_open { "?" } else { lang.pick("new", "新") }, word(to));
        let from = from.map_or(new, word);
        lang.say(
            format_args!("{en} {name}: {from} → {to}"),
            format_args!("{zh} {name}：{from} → {to}"),
        )
    };
    match *changed {
        Changed::Item { item, from, to, .. } => {
            moved("item", "条目", item, from.map(ItemState::name), to.name())
        }
        Changed::Backup { backup, from, to, .. } => {
            moved("backup", "备份", backup, from.map(|from| from.name()), to.name())
        }
        Changed::Deadline { item, from, to } => {
            let item = names.get(item);
            let text = |at: Option<Timestamp>| {
                at.map_or(lang.pick("never", "不限").to_owned(), |at| at.to_string())
            };
            let (from, to) = (text(from), text(to));
            lang.say(
                format_args!("item {item}: recoverable until {from} → {to}"),
                format_args!("条目 {item}：可恢复至 {from} → {to}"),
            )
        }
    }
}

pub(crate) fn state_in_chinese(name: &'static str) -> &'static str {
    match name {
        "live" => "正常",
        "trashed" => "回收站",
        "expired" => "已过期",
        "purged" => "已清除",
        "removed" => "已移除",
        "kept" => "保留",
        other => other,
    }
}

/// What an event did that moved no item and no backup.
fn account_effect(names: &Names, step: &Step, size: fn(u64) -> String, lang: Language) -> String {
    let word = step.word.map(|id| names.get(id));
    let subject = step.subject.map(|id| names.get(id));
    let pick = |en: &str, zh: &str| lang.pick(en, zh).to_owned();
    match (step.kind, word, subject, step.bytes) {
        (Kind::AccountOpened | Kind::TierChanged, Some(tier), _, _) => {
            lang.say(format_args!("tier: {tier}"), format_args!("等级：{tier}"))
        }
        (Kind::AccountOpened, None, _, _) => pick("account: opened", "账号：已开通"),
        (Kind::QuotaChanged, _, _, Some(bytes)) => {
            let bytes = size(bytes);
            lang.say(format_args!("quota: {bytes}"), format_args!("空间：{bytes}"))
        }
        (Kind::SyncOn, Some(category), _, _) => {
            lang.say(format_args!("sync of {category}: on"), format_args!("{category} 同步：开"))
        }
        (Kind::SyncOff, Some(category), _, _) => {
            lang.say(format_args!("sync of {category}: off"), format_args!("{category} 同步：关"))
        }
        (Kind::ItemModified, _, Some(item), Some(bytes)) => {
            let bytes = size(bytes);
            lang.say(format_args!("item {item}: {bytes}"), format_args!("条目 {item}：{bytes}"))
        }
        (Kind::HoldPlaced, _, Some(hold), _) => {
            lang.say(format_args!("hold {hold}: placed"), format_args!("保全 {hold}：已设置"))
        }
        (Kind::HoldReleased, _, Some(hold), _) => {
            lang.say(format_args!("hold {hold}: released"), format_args!("保全 {hold}：已解除"))
        }
        (Kind::AccountFrozen, ..) => pick("account: frozen", "账号：已冻结"),
        (Kind::AccountUnfrozen, ..) => pick("account: unfrozen", "账号：已解冻"),
        (Kind::AccountTerminated, ..) => pick("account: terminated", "账号：已终止"),
        (Kind::AccountClosed, ..) => pick("account: closed", "账号：已注销"),
        (Kind::DataCleared, ..) => pick("account: cleared", "账号：已清空"),
        (Kind::InactivityNotified, ..) => pick("account: notified", "账号：已通知"),
        _ => pick("nothing moved", "没有变动"),
    }
}
