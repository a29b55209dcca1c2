//! Erased histories, made from whole ones, and what the model knows of them: whatever may stand in the place of what was
//! erased is tried.
//!
//! A *completion* of an erased history has any event in place of each that was erased to its leaf, or none
//! that is seen, and any contents in place of each whose contents were erased. An answer from an erased
//! history must hold in each completion, the history that was erased among them. So the model of an erased history is
//! the model of whole ones, many times over ([`Erasure::completion`]), and [`contradiction`] says where an answer does
//! not hold.

use std::collections::{BTreeMap, HashSet};

use event::{
    ErasedEvents, ErasedLeaf, History, Kind, NameId, Names, Payload, Recorded, RecordedBy, Step,
    Timestamp,
};
use fastrand::Rng;
use serde_json::Value;

use crate::histories::{Case, any_event, payload};

/// How much of an event is left.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Left {
    /// All.
    Whole,
    /// Its envelope: the contents are erased.
    Envelope,
    /// Its leaf; it occurred before then, if that is said.
    Leaf(Option<Timestamp>),
}

/// Events of one account, and how much of each is left.
#[derive(Debug, Clone)]
pub struct Erasure {
    /// In the order of revisions.
    pub events: Vec<Recorded>,
    /// Of each.
    pub left: Vec<Left>,
}

/// The item or backup that an event is about, as its envelope tells one from the other.
fn subject(payload: &Payload) -> Option<(bool, &str)> {
    match payload {
        Payload::ItemUploaded { item, .. }
        | Payload::ItemModified { item, .. }
        | Payload::ItemTrashed { item }
        | Payload::ItemRestored { item }
        | Payload::ItemPurged { item, .. } => Some((true, item)),
        Payload::BackupCompleted { backup, .. }
        | Payload::BackupRestored { backup }
        | Payload::BackupPurged { backup, .. } => Some((false, backup)),
        _ => None,
    }
}

impl Erasure {
    /// The contents of the events of these items, before an instant if one is given.
    #[must_use]
    pub fn of_items(events: &[Recorded], items: &[&str], before: Option<Timestamp>) -> Erasure {
        let is_of = |r: &Recorded| match subject(&r.event.payload) {
            Some((true, item)) => items.contains(&item),
            _ => false,
        };
        Erasure::of(events, |r| {
            let in_time = before.is_none_or(|before| r.event.occurred_at < before);
            if is_of(r) && in_time { Left::Envelope } else { Left::Whole }
        })
    }

    /// Whatever occurred before an instant, whole.
    #[must_use]
    pub fn before(events: &[Recorded], before: Timestamp) -> Erasure {
        Erasure::of(events, |r| match r.event.occurred_at < before {
            true => Left::Leaf(Some(before)),
            false => Left::Whole,
        })
    }

    /// As much of each as `left` says.
    #[must_use]
    pub fn of(events: &[Recorded], left: impl FnMut(&Recorded) -> Left) -> Erasure {
        let mut events = events.to_vec();
        events.sort_by_key(|r| r.revision);
        let left = events.iter().map(left).collect();
        Erasure { events, left }
    }

    /// What may be erased of a case: items, what is old, both, or anything whatever.
    #[must_use]
    pub fn random(rng: &mut Rng, case: &Case) -> Erasure {
        let events = &case.events;
        let at = |rng: &mut Rng| case.boundaries[rng.usize(0..case.boundaries.len())];
        let items: Vec<&str> = ["i1", "i2", "i3"].into_iter().filter(|_| rng.bool()).collect();
        match rng.u32(0..10) {
            0..=2 => Erasure::of_items(events, &items, None),
            3 => {
                let before = at(rng);
                Erasure::of_items(events, &items, Some(before))
            }
            4..=6 => {
                let before = at(rng);
                Erasure::before(events, before)
            }
            7 => {
                let before = at(rng);
                let mut both = Erasure::of_items(events, &items, None);
                let old = Erasure::before(events, before);
                for (left, old) in both.left.iter_mut().zip(old.left) {
                    if old != Left::Whole {
                        *left = old;
                    }
                }
                both
            }
            8 => Erasure::of(events, |_| match rng.u32(0..4) {
                0 => Left::Envelope,
                _ => Left::Whole,
            }),
            _ => {
                let some = at(rng);
                Erasure::of(events, |r| match rng.u32(0..12) {
                    0 => Left::Envelope,
                    1 if r.event.occurred_at < some => Left::Leaf(Some(some)),
                    2 if rng.u32(0..8) == 0 => Left::Leaf(None),
                    _ => Left::Whole,
                })
            }
        }
    }

    /// What is left of account `a`.
    #[must_use]
    pub fn history(&self) -> History {
        let mut names = Names::default();
        let mut steps = Vec::new();
        let mut erased = ErasedEvents::default();
        let whole = || self.events.iter().zip(&self.left).filter(|(_, left)| **left == Left::Whole);
        let told: HashSet<(bool, &str)> =
            whole().filter_map(|(r, _)| subject(&r.event.payload)).collect();
        let mut nameless: BTreeMap<(bool, &str), NameId> = BTreeMap::new();
        for (recorded, left) in self.events.iter().zip(&self.left) {
            match left {
                Left::Whole => steps.push(Step::of(recorded, &mut names)),
                Left::Leaf(before) => erased.leaves.push(ErasedLeaf {
                    position: recorded.position,
                    revision: recorded.revision,
                    before: *before,
                }),
                Left::Envelope => {
                    erased.contents.push(recorded.revision);
                    let about = subject(&recorded.event.payload);
                    let subject = about.map(|about| match told.contains(&about) {
                        true => names.intern(about.1),
                        false => *nameless.entry(about).or_insert_with(|| names.push("")),
                    });
                    let mut nothing = Names::default();
                    let step = Step::of(recorded, &mut nothing);
                    steps.push(Step {
                        subject,
                        word: None,
                        bytes: None,
                        purge_cause: None,
                        clear_cause: None,
                        delete_backups: false,
                        ..step
                    });
                }
            }
        }
        steps.sort_by_key(|step| (step.occurred_at, step.revision));
        History { account: "a".to_owned(), names, steps, erased }
    }

    /// A history that may have been erased to the same.
    #[must_use]
    pub fn completion(&self, rng: &mut Rng, case: &Case) -> Vec<Recorded> {
        let whole = || self.events.iter().zip(&self.left).filter(|(_, left)| **left == Left::Whole);
        let told: HashSet<(bool, &str)> =
            whole().filter_map(|(r, _)| subject(&r.event.payload)).collect();
        let mut events = Vec::new();
        for (recorded, left) in self.events.iter().zip(&self.left) {
            match left {
                Left::Whole => events.push(recorded.clone()),
                Left::Leaf(before) => events.extend(anything(rng, case, recorded, *before)),
                Left::Envelope => {
                    let kind = recorded.event.payload.kind();
                    let mut contents = payload(rng, kind);
                    if let Some(about) = subject(&recorded.event.payload) {
                        let is_told = told.contains(&about);
                        // Of another name than any that is told, one for each.
                        let name =
                            if is_told { about.1.to_owned() } else { format!("?{}", about.1) };
                        rename(&mut contents, name);
                    }
                    let mut completed = recorded.clone();
                    completed.event.payload = contents;
                    events.push(completed);
                }
            }
        }
        events
    }
}

/// Any event in the place of `recorded`, or none.
fn anything(
    rng: &mut Rng,
    case: &Case,
    recorded: &Recorded,
    before: Option<Timestamp>,
) -> Option<Recorded> {
    let before = before.unwrap_or(Timestamp::MAX);
    let mut instants: Vec<Timestamp> =
        case.boundaries.iter().copied().filter(|at| *at < before).collect();
    instants.push(Timestamp::from_ms(before.ms() - 1).expect("an instant before one"));
    instants.push(recorded.event.occurred_at);
    let late = instants.len().saturating_sub(4);
    let from = if rng.bool() { late } else { 0 };
    let at = instants[rng.usize(from..instants.len())];
    let story = rng.usize(0..3);
    let mut event = any_event(rng, story, at, usize::try_from(recorded.revision).unwrap_or(0));
    // What stands for long: nothing but another of its kind ends it.
    if rng.u32(0..4) == 0 {
        let kinds = [
            Kind::HoldPlaced,
            Kind::AccountClosed,
            Kind::AccountTerminated,
            Kind::AccountFrozen,
            Kind::TierChanged,
            Kind::QuotaChanged,
            Kind::SyncOff,
            Kind::InactivityNotified,
            Kind::ItemUploaded,
        ];
        let kind = kinds[rng.usize(0..kinds.len())];
        event.payload = payload(rng, kind);
    }
    let recorded_at = match rng.u32(0..4) {
        0 => case.known_at,
        1 => at,
        _ => recorded.recorded_at,
    };
    let recorded_by = if rng.bool() { RecordedBy::Log } else { RecordedBy::Source };
    let is_seen = rng.u32(0..6) > 0;
    is_seen.then(|| Recorded { event, recorded_at, recorded_by, ..recorded.clone() })
}

fn rename(payload: &mut Payload, name: String) {
    match payload {
        Payload::ItemUploaded { item: subject, .. }
        | Payload::ItemModified { item: subject, .. }
        | Payload::ItemTrashed { item: subject }
        | Payload::ItemRestored { item: subject }
        | Payload::ItemPurged { item: subject, .. }
        | Payload::BackupCompleted { backup: subject, .. }
        | Payload::BackupRestored { backup: subject }
        | Payload::BackupPurged { backup: subject, .. } => *subject = name,
        _ => {}
    }
}

/// Where what `said` (the JSON of `state`, of an erased history) does not hold in `whole` (that of a
/// completion); `None` where all that is not undetermined does. Adds the places that were held against each other, and
/// those that are open.
#[must_use]
pub fn contradiction(said: &Value, whole: &Value, seen: &mut Seen) -> Option<String> {
    let list = said["undetermined"].as_array().cloned().unwrap_or_default();
    let open: HashSet<&str> = list.iter().filter_map(Value::as_str).collect();
    for field in ["account", "as_of", "policy", "revision", "status", "tier"] {
        if let Some(why) = seen.cell(field, &said[field], &whole[field], &open) {
            return Some(why);
        }
    }
    for part in ["quota", "activity", "counts"] {
        for field in said[part].as_object()?.keys() {
            let place = format!("{part}.{field}");
            let cells = (&said[part][field], &whole[part][field]);
            if let Some(why) = seen.cell(&place, cells.0, cells.1, &open) {
                return Some(why);
            }
        }
    }
    let none = serde_json::Map::new();
    let (rows, other) =
        (said["categories"].as_object()?, whole["categories"].as_object().unwrap_or(&none));
    if !open.contains("categories") && rows.len() != other.len() {
        return Some(format!("categories: said {rows:?}, whole {other:?}"));
    }
    for (name, row) in rows {
        let Some(other) = other.get(name) else {
            return Some(format!("categories.{name}: not there"));
        };
        for field in row.as_object()?.keys() {
            let place = format!("categories.{name}.{field}");
            if let Some(why) = seen.cell(&place, &row[field], &other[field], &open) {
                return Some(why);
            }
        }
    }
    for (part, key) in [("items", "item"), ("backups", "backup")] {
        let (rows, other) = (said[part].as_array()?, whole[part].as_array()?);
        if !open.contains(part) && rows.len() != other.len() {
            return Some(format!("{part}: said {rows:?}, whole {other:?}"));
        }
        for row in rows {
            let name = row[key].as_str()?;
            let Some(other) = other.iter().find(|other| other[key] == name) else {
                return Some(format!("{part}.{name}: not there"));
            };
            let place = format!("{part}.{name}");
            if open.contains(&*place) {
                seen.open += 1;
                let left: Vec<_> = row.as_object()?.iter().filter(|(_, v)| !v.is_null()).collect();
                let is_bare = left.len() == 2 && row["state"] == "undetermined";
                if !is_bare {
                    return Some(format!("{place}: open, and says {row}"));
                }
                continue;
            }
            for field in row.as_object()?.keys() {
                let place = format!("{place}.{field}");
                if let Some(why) = seen.cell(&place, &row[field], &other[field], &open) {
                    return Some(why);
                }
            }
        }
    }
    for part in ["findings", "stages"] {
        let none = Vec::new();
        let rows = |of: &Value| of[part].as_array().unwrap_or(&none).clone();
        let (said, whole) = (rows(said), rows(whole));
        if !open.contains(part) && said != whole {
            return Some(format!("{part}: said {said:?}, whole {whole:?}"));
        }
        if let Some(row) = said.iter().find(|row| !whole.contains(row)) {
            return Some(format!("{part}: said {row}, whole {whole:?}"));
        }
        seen.held += said.len();
    }
    None
}

/// How many places were held against each other, and how many were open.
#[derive(Debug, Clone, Copy, Default)]
#[allow(missing_docs, reason = "counts")]
pub struct Seen {
    pub held: usize,
    pub open: usize,
}

impl Seen {
    fn cell(
        &mut self,
        place: &str,
        said: &Value,
        whole: &Value,
        open: &HashSet<&str>,
    ) -> Option<String> {
        if open.contains(place) {
            self.open += 1;
            let is_left_out = said.is_null()
                || said == "undetermined"
                || said.as_array().is_some_and(|list| list.is_empty());
            return (!is_left_out).then(|| format!("{place}: open, and says {said}"));
        }
        self.held += 1;
        (said != whole).then(|| format!("{place}: said {said}, whole {whole}"))
    }
}
