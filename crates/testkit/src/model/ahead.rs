//! What is ahead, by looking: the account as of one instant after the other, and how it differs from the
//! one before.

use std::collections::{BTreeMap, BTreeSet};

use event::{Recorded, Timestamp};
use policy::{Policy, Window};

use super::Past;
use super::state::recoverable_until;
use super::walk::{ItemState, Walked};

/// A date: when, what, and of what.
pub type Date = (Timestamp, What);

/// What comes about, in the order of one instant.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
#[allow(missing_docs, reason = "the words of docs/forecast.md")]
pub enum What {
    PolicyVersion {
        version: String,
        moved: Vec<(String, Option<Timestamp>, Option<Timestamp>)>,
        ends_risk: bool,
        ends_stale: Vec<String>,
        ends_stages: Vec<(String, Option<String>)>,
    },
    StageReached {
        stage: String,
        category: Option<String>,
    },
    ItemExpires(String),
    AccountAtRisk,
    BackupStale(String),
}

/// What a forecast watches of an account.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Watched {
    items: BTreeMap<String, (ItemState, Option<Timestamp>)>,
    at_risk: bool,
    stale: BTreeSet<String>,
    /// Those that are reached: stage, category, and since when the condition holds.
    stages: BTreeSet<(String, Option<String>, Option<Timestamp>)>,
}

impl Watched {
    /// As of `as_of`, after those of `events` (in any order) that occurred by then.
    #[must_use]
    pub fn of(events: &[Recorded], policy: &Policy, as_of: Timestamp) -> Watched {
        let Some(past) = Past::of(events, policy, as_of, Timestamp::MAX) else {
            return Watched::default();
        };
        let walked = Walked::of(past);
        let item = |(name, item): (&String, &super::walk::Item)| {
            (name.clone(), (item.state, recoverable_until(&walked, name)))
        };
        let stale_after = policy.version_at(as_of).stale_after;
        let is_stale = |backup: &super::walk::Backup| {
            let stale_at = backup.completed.and_then(|at| stale_after.after(at, &policy.zone));
            backup.kept && stale_at.is_some_and(|at| at <= as_of)
        };
        let stale = walked.backups.iter().filter(|(_, backup)| is_stale(backup));
        Watched {
            items: walked.items.iter().map(item).collect(),
            at_risk: walked.past.status() == "at_risk",
            stale: stale.map(|(name, _)| name.clone()).collect(),
            stages: walked
                .stages()
                .into_iter()
                .filter(|line| line.reached)
                .map(|line| (line.stage, line.category, line.since))
                .collect(),
        }
    }
}

/// Every instant at which anything of the account could change: those of its events and of the
/// versions, and wherever a window of the policy ends that counts from one of these.
#[must_use]
pub fn instants(events: &[Recorded], policy: &Policy) -> BTreeSet<Timestamp> {
    let mut windows: BTreeSet<String> = BTreeSet::new();
    for version in &policy.versions {
        let tiers = version.tiers.iter().map(|tier| tier.trash);
        let others = [version.inactivity_window, version.stale_after];
        let stages = version.stages.values().map(|stage| stage.after);
        let full = version.trash.full.map(|full| full.window);
        let all = tiers.chain(version.trash.categories.values().copied()).chain(others);
        let all = all.chain(stages).chain(full);
        windows.extend(all.map(|window| window.to_string()));
    }
    let starts: BTreeSet<Timestamp> = events
        .iter()
        .map(|recorded| recorded.event.occurred_at)
        .chain(policy.versions.iter().map(|version| version.effective_from))
        .collect();
    let mut instants = starts.clone();
    for window in windows {
        let window = Window::parse(&window).expect("it was printed");
        for start in &starts {
            instants.extend(window.after(*start, &policy.zone));
            instants.extend(window.after_local_dates(*start, &policy.zone));
        }
    }
    instants
}

/// The dates after `as_of`, and the instants that were looked at: through `events` that come later than
/// it, each looked at by itself. Panics where something changes between two instants looked at.
#[must_use]
pub fn dates(events: &[Recorded], policy: &Policy, as_of: Timestamp) -> BTreeSet<Date> {
    let mut sorted = events.to_vec();
    sorted.sort_by_key(|recorded| (recorded.event.occurred_at, recorded.revision));
    let mut place = sorted.partition_point(|recorded| recorded.event.occurred_at <= as_of);
    let mut dates = BTreeSet::new();
    let mut before = Watched::of(&sorted[..place], policy, as_of);
    for at in instants(events, policy) {
        if at <= as_of {
            continue;
        }
        let eve = Timestamp::from_ms(at.ms() - 1).expect("later than an as-of");
        let on_the_eve = Watched::of(&sorted[..place], policy, eve);
        assert_eq!(before, on_the_eve, "changed before {at}");
        let version = (1..policy.versions.len()).find(|v| policy.versions[*v].effective_from == at);
        let mut after = Watched::of(&sorted[..place], policy, at);
        differences(&before, &after, at, &mut dates);
        if let Some(version) = version {
            // What time would have done without it.
            let mut without = policy.clone();
            without.versions.truncate(version);
            let without = Watched::of(&sorted[..place], &without, at);
            let id = &policy.versions[version].id;
            dates.extend(by_version(&before, &without, &after, id).map(|what| (at, what)));
        }
        while sorted.get(place).is_some_and(|recorded| recorded.event.occurred_at == at) {
            place += 1;
            before = after;
            after = Watched::of(&sorted[..place], policy, at);
            differences(&before, &after, at, &mut dates);
        }
        before = after;
    }
    assert_eq!(before, Watched::of(&sorted, policy, Timestamp::MAX), "changed after all");
    dates
}

/// What has come about from `before` to `after`.
fn differences(before: &Watched, after: &Watched, at: Timestamp, dates: &mut BTreeSet<Date>) {
    for (name, (state, _)) in &after.items {
        let was = before.items.get(name).map(|(state, _)| *state);
        if *state == ItemState::Expired && was != Some(ItemState::Expired) {
            dates.insert((at, What::ItemExpires(name.clone())));
        }
    }
    if after.at_risk && !before.at_risk {
        dates.insert((at, What::AccountAtRisk));
    }
    for name in after.stale.difference(&before.stale) {
        dates.insert((at, What::BackupStale(name.clone())));
    }
    for (stage, category, _) in after.stages.difference(&before.stages) {
        let (stage, category) = (stage.clone(), category.clone());
        dates.insert((at, What::StageReached { stage, category }));
    }
}

/// What a version has ended or moved: of what was `before`, or would be at that instant `without` it.
fn by_version(before: &Watched, without: &Watched, after: &Watched, version: &str) -> Option<What> {
    let mut moved = Vec::new();
    for (name, (state, from)) in &without.items {
        let to = after.items[name].1;
        if *state == ItemState::Trashed && *from != to {
            moved.push((name.clone(), *from, to));
        }
    }
    let ends_risk = before.at_risk && !after.at_risk;
    let ends_stale: Vec<String> = before.stale.difference(&after.stale).cloned().collect();
    let is_left = |stage: &str, category: &Option<String>| {
        after.stages.iter().any(|(s, c, _)| s == stage && c == category)
    };
    let ends_stages: Vec<(String, Option<String>)> = before
        .stages
        .intersection(&without.stages)
        .filter(|(stage, category, _)| !is_left(stage, category))
        .map(|(stage, category, _)| (stage.clone(), category.clone()))
        .collect();
    let is_any =
        ends_risk || !moved.is_empty() || !ends_stale.is_empty() || !ends_stages.is_empty();
    let version = version.to_owned();
    is_any.then_some(What::PolicyVersion { version, moved, ends_risk, ends_stale, ends_stages })
}
