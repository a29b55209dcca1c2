//! Why an item is not in a state: the least single changes under which it would be (docs/explain.md).
//!
//! A change is searched for on the events that concern the item alone (`events`), at the instants at which an
//! answer can change (`instants`), kind by kind and the least first (`search`). What is given was folded
//! once more, with all of the account's events.

mod events;
mod instants;
mod search;
mod words;

use event::{Actor, History, Kind, Timestamp};
use policy::Policy;
use projection::{Item, ItemState, Said, Subject, Unsure, fold, said};
use serde::Serialize;

use crate::wording::{Language, quoted, sentence};
use search::Search;

event::words! {
    /// What an item is asked to be.
    Wanted {
        Live = 0 "live",
        Trashed = 1 "trashed",
        Expired = 2 "expired",
        Purged = 3 "purged",
        Removed = 4 "removed",
        /// As the assert of a claim.
        Recoverable = 5 "recoverable",
        /// As the assert of a claim.
        Kept = 6 "kept",
    }
}

impl Wanted {
    /// Whether an item in `state` is that.
    #[must_use]
    pub fn holds(self, state: ItemState) -> bool {
        match self {
            Wanted::Live => state == ItemState::Live,
            Wanted::Trashed | Wanted::Recoverable => state == ItemState::Trashed,
            Wanted::Expired => state == ItemState::Expired,
            Wanted::Purged => state == ItemState::Purged,
            Wanted::Removed => state == ItemState::Removed,
            Wanted::Kept => matches!(state, ItemState::Live | ItemState::Trashed),
        }
    }
}

/// How it is asked.
#[derive(Debug, Clone, Copy)]
pub struct WhyNotAsked {
    /// What the item is asked to be.
    pub wanted: Wanted,
    /// As of then.
    pub as_of: Timestamp,
    /// By what was recorded up to then.
    pub known_at: Timestamp,
    /// The language of sentences.
    pub lang: Language,
}

/// The answer: what it would have taken.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct WhyNot {
    /// The account.
    pub account: String,
    /// The item.
    pub item: String,
    /// As of when.
    pub as_of: Timestamp,
    /// The policy's name.
    pub policy: String,
    /// What it was asked to be.
    pub asked: Wanted,
    /// What it is.
    #[serde(serialize_with = "said")]
    pub state: Said<ItemState>,
    /// Until when it can be recovered, of what is trashed or expired.
    pub recoverable_until: Option<Timestamp>,
    /// Whether it is what was asked; then nothing is searched.
    pub already: bool,
    /// The least of each kind, the least kind first.
    pub changes: Vec<Counterfactual>,
    /// How many changes of each kind were tried.
    pub tried: Tried,
    /// How many of a kind are tried at most.
    pub bound: u64,
    /// The kinds of which more could have been tried.
    pub bounded: Vec<&'static str>,
    /// The answer in one sentence.
    pub because: String,
    /// The fields that erased events leave open; where they leave the changes open, nothing is searched.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub undetermined: Vec<&'static str>,
}

/// A single change under which the item would be what was asked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Counterfactual {
    /// What would be otherwise.
    #[serde(flatten)]
    pub change: Alteration,
    /// What the item would be.
    pub state: ItemState,
    /// Until when it could be recovered, of what is trashed or expired.
    pub recoverable_until: Option<Timestamp>,
    /// What a person would say.
    pub because: String,
}

/// One thing that would be otherwise, all else being as it is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "change", rename_all = "snake_case")]
#[allow(missing_docs, reason = "the fields are those of docs/explain.md")]
pub enum Alteration {
    /// The question: asked as of another instant.
    AsOf { to: Timestamp, by_ms: i64 },
    /// A reading of the policy in place of the default.
    Reading { reading: String },
    /// An event at another instant.
    Moved {
        position: u64,
        revision: u64,
        kind: Kind,
        actor: Actor,
        from: Timestamp,
        to: Timestamp,
        by_ms: i64,
    },
    /// An event that did not happen.
    LeftOut { position: u64, revision: u64, kind: Kind, actor: Actor, at: Timestamp },
    /// Another tier held from an instant on, until the next tier on record.
    Tier { tier: String, from: Timestamp, until: Option<Timestamp> },
    /// A version of the policy in force throughout.
    Version { version: String },
}

impl Alteration {
    /// Its kind, for people.
    #[must_use]
    pub fn says(&self, lang: Language) -> &'static str {
        let (en, zh) = match self {
            Alteration::AsOf { .. } => ("as-of", "时点"),
            Alteration::Reading { .. } => ("reading", "读法"),
            Alteration::Moved { by_ms, .. } if *by_ms < 0 => ("earlier", "提前"),
            Alteration::Moved { .. } => ("later", "推迟"),
            Alteration::LeftOut { .. } => ("left out", "略去"),
            Alteration::Tier { .. } => ("tier", "等级"),
            Alteration::Version { .. } => ("version", "版本"),
        };
        lang.pick(en, zh)
    }
}

/// How many changes of each kind were tried.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
#[allow(missing_docs, reason = "a number a kind")]
pub struct Tried {
    pub as_of: u64,
    pub reading: u64,
    pub moved: u64,
    pub left_out: u64,
    pub tier: u64,
    pub version: u64,
}

/// Why `item` of `history` is not what is asked under `policy`. `None` where it was never seen as of then.
#[must_use]
pub fn why_not(
    history: &History,
    policy: &Policy,
    item: &str,
    asked: &WhyNotAsked,
) -> Option<WhyNot> {
    let search = Search::new(history, policy, item, asked)?;
    if !history.erased.is_empty() {
        let view = fold(history, policy, asked.as_of, asked.known_at)?;
        let id = history.names.find(item)?;
        let now = view.item(id)?;
        let unsure = view.unsure(Subject::Item(id));
        let is_already = !unsure.state && asked.wanted.holds(now.state);
        // What events of unknown contents would have come to elsewhere is not known. Where all of the item is, no
        // event of another matters to it.
        let is_apart = history.erased.leaves.is_empty() && !policy.reads_other_items();
        if !is_already && (!is_apart || unsure != Unsure::default() || !view.knows_past()) {
            return Some(undetermined(history, policy, item, asked, now, unsure));
        }
    }
    let (state, recoverable_until) = search.now()?;
    let already = search.is_already();
    let found = if already { search::Found::default() } else { search.run() };
    let telling = words::Telling { item, asked, history, policy };
    let changes = found.changes.into_iter().map(|(change, state, recoverable_until)| {
        let because = telling.change(&change, state, recoverable_until);
        Counterfactual { change, state, recoverable_until, because }
    });
    let changes: Vec<Counterfactual> = changes.collect();
    Some(WhyNot {
        account: history.account.clone(),
        item: item.to_owned(),
        as_of: asked.as_of,
        policy: policy.name.clone(),
        asked: asked.wanted,
        state: Some(state),
        recoverable_until,
        already,
        undetermined: Vec::new(),
        because: telling.answer(state, recoverable_until, already, changes.len()),
        changes,
        tried: found.tried,
        bound: search.bound(),
        bounded: found.bounded,
    })
}

/// The answer where erased events may matter to it.
fn undetermined(
    history: &History,
    policy: &Policy,
    item: &str,
    asked: &WhyNotAsked,
    now: &Item,
    unsure: Unsure,
) -> WhyNot {
    let mut undetermined = vec!["changes"];
    if unsure.state {
        undetermined.extend(["state", "already"]);
    }
    if unsure.until {
        undetermined.push("recoverable_until");
    }
    let item_quoted = quoted(item);
    let because = asked.lang.pick(
        format!(
            "what it would have taken for {item_quoted} to be otherwise is not known: events of the \
             account were erased that may matter to it"
        ),
        format!("{item_quoted}怎样才会不同无法确定：该账号有可能与此有关的事件已被擦除"),
    );
    WhyNot {
        account: history.account.clone(),
        item: item.to_owned(),
        as_of: asked.as_of,
        policy: policy.name.clone(),
        asked: asked.wanted,
        state: (!unsure.state).then_some(now.state),
        recoverable_until: now.recoverable_until().filter(|_| !unsure.state && !unsure.until),
        already: false,
        changes: Vec::new(),
        tried: Tried::default(),
        bound: 0,
        bounded: Vec::new(),
        because: sentence(&because, asked.lang),
        undetermined,
    }
}
