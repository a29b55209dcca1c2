//! What differs in the rules of two policies, key by key.
//!
//! A policy is laid flat into settings by dotted key, those of a reading and, beside them, what only
//! a file can say (`effective_from`, `clauses.ID.for`, `readings.ID`); every default is said. Versions
//! are matched by id, the rest by the instant from which they are in force, and where each policy has
//! one version alone these two; one that has no match differs in every key.

use std::collections::{BTreeMap, BTreeSet};

use event::Timestamp;
use serde::Serialize;

use crate::size::size_text;
use crate::{Policy, Setting, Version, Window};

/// One key that two policies say differently.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Difference {
    /// The version, by its later id; `None`: of the policy as a whole.
    pub version: Option<String>,
    /// The dotted key.
    pub key: String,
    /// What the first policy says; `None`: it does not have the key.
    pub before: Option<Setting>,
    /// What the second policy says; `None`: it does not have the key.
    pub after: Option<Setting>,
}

impl Policy {
    /// What `after` says otherwise: first of the policy as a whole, then of each pair of versions in
    /// order of time, keys in the order of docs/policies.md. Empty when both mean the same, in rules and
    /// in texts.
    #[must_use]
    pub fn differences(&self, after: &Policy) -> Vec<Difference> {
        let mut all = Vec::new();
        compare(None, &whole(self), &whole(after), &mut all);
        for (before, after) in pairs(&self.versions, &after.versions) {
            let version = after.or(before).map(|version| version.id.clone());
            let settings = |version: Option<&Version>| version.map_or(Vec::new(), settings);
            compare(version, &settings(before), &settings(after), &mut all);
        }
        all
    }
}

/// Versions of two policies that stand in each other's place, in order of time.
fn pairs<'a>(
    before: &'a [Version],
    after: &'a [Version],
) -> Vec<(Option<&'a Version>, Option<&'a Version>)> {
    let mut matched: Vec<Option<&Version>> =
        (before.iter()).map(|version| after.iter().find(|other| other.id == version.id)).collect();
    for (version, slot) in before.iter().zip(&mut matched) {
        let free = |other: &&Version| before.iter().all(|version| version.id != other.id);
        let at_once = |other: &&Version| other.effective_from == version.effective_from;
        *slot = slot.or_else(|| after.iter().filter(free).find(at_once));
    }
    // With one version each, there is nothing else to hold them against.
    if let ([_], [only]) = (before, after) {
        matched[0] = Some(only);
    }
    let mut pairs: Vec<_> = before.iter().map(Some).zip(matched.iter().copied()).collect();
    let taken: BTreeSet<&str> = matched.iter().flatten().map(|other| other.id.as_str()).collect();
    pairs.extend(after.iter().filter(|v| !taken.contains(v.id.as_str())).map(|v| (None, Some(v))));
    let from = |version: Option<&Version>| version.map(|version| version.effective_from);
    pairs.sort_by_key(|(before, after)| from(*before).or(from(*after)));
    pairs
}

type Settings = Vec<(String, Setting)>;

/// The keys of both in the order of `before`, what only `after` has behind the key that it follows
/// there.
fn compare(
    version: Option<String>,
    before: &Settings,
    after: &Settings,
    all: &mut Vec<Difference>,
) {
    let values =
        |settings: &Settings| -> BTreeMap<String, Setting> { settings.iter().cloned().collect() };
    let (old, new) = (values(before), values(after));
    let mut keys: Vec<&String> = before.iter().map(|(key, _)| key).collect();
    let mut place = 0;
    for (key, _) in after {
        match keys.iter().position(|known| *known == key) {
            Some(at) => place = at + 1,
            None => {
                keys.insert(place, key);
                place += 1;
            }
        }
    }
    for key in keys {
        let (before, after) = (old.get(key), new.get(key));
        if before != after {
            let (before, after) = (before.cloned(), after.cloned());
            all.push(Difference { version: version.clone(), key: key.clone(), before, after });
        }
    }
}

fn whole(policy: &Policy) -> Settings {
    vec![
        ("policy".to_owned(), text(&policy.name)),
        ("time_zone".to_owned(), text(policy.zone.name())),
    ]
}

/// Everything that a version says, by dotted key, in the order of docs/policies.md.
fn settings(version: &Version) -> Settings {
    let trash = &version.trash;
    let from = match version.effective_from {
        Timestamp::MIN => text("the beginning"),
        at => text(at),
    };
    let mut all: Settings = Vec::new();
    let mut say = |key: &str, value: Setting| all.push((key.to_owned(), value));
    say("id", text(&version.id));
    say("effective_from", from);
    say("confidence", text(version.confidence));
    say("source", text(&version.source));
    say("on_change", text(version.on_change));
    say("tiers", list(version.tiers.iter().map(|tier| &tier.name)));
    for tier in &version.tiers {
        let quota = tier.quota.map_or("unlimited".to_owned(), size_text);
        say(&format!("tiers.{}.quota", tier.name), text(quota));
        say(&format!("tiers.{}.trash", tier.name), window(tier.trash));
    }
    say("trash.basis", text(trash.basis));
    say("trash.days", text(trash.days));
    say("trash.purge_lag", window(trash.purge_lag));
    say("trash.counts_toward_quota", Setting::Bool(trash.counts_toward_quota));
    for (category, of_category) in &trash.categories {
        say(&format!("trash.categories.{category}"), window(*of_category));
    }
    // A trash that is never full has nothing else to say of it.
    let full_at = trash.full.map_or("never".to_owned(), |full| format!("{}%", full.percent));
    say("trash.full_at", text(full_at));
    if let Some(full) = trash.full {
        say("trash.full_of", text(full.of));
        say("trash.full_window", window(full.window));
        say("trash.full_shortens", text(full.shortens));
    }
    say("trash.no_trash", list(&trash.no_trash));
    say("inactivity.window", window(version.inactivity_window));
    say("inactivity.resets", list(version.resets.iter()));
    say("inactivity.actors", list(version.actors.iter()));
    say("inactivity.everywhere", list(version.everywhere.iter()));
    say("inactivity.notice", window(version.notice));
    say("inactivity.exempt_tiers", list(&version.exempt_tiers));
    say("quota.over", text(version.over));
    for (name, stage) in &version.stages {
        say(&format!("stages.{name}.when"), text(stage.when));
        say(&format!("stages.{name}.after"), window(stage.after));
        say(&format!("stages.{name}.admits"), list(stage.admits.iter()));
        say(&format!("stages.{name}.categories"), list(&stage.categories));
        say(&format!("stages.{name}.notice"), window(stage.notice));
    }
    say("backup.stale_after", window(version.stale_after));
    say("clock.late_after", window(version.late_after));
    say("records.keep", window(version.keep));
    say("clauses", list(version.clauses.iter().map(|clause| &clause.id)));
    for clause in version.clauses.iter() {
        say(&format!("clauses.{}.for", clause.id), list(&clause.for_));
        for (language, sentence) in &clause.text {
            say(&format!("clauses.{}.text.{language}", clause.id), text(sentence));
        }
        let stated = &clause.stated;
        let mut stated_as = |key: &str, value: Option<String>| {
            if let Some(value) = value {
                say(&format!("clauses.{}.{key}", clause.id), text(value));
            }
        };
        stated_as("source", stated.source.clone());
        stated_as("seen", stated.seen.clone());
        stated_as("confidence", stated.confidence.map(|confidence| confidence.to_string()));
    }
    for reading in &version.readings {
        say(&format!("readings.{}", reading.id), Setting::Table(reading.set.clone()));
    }
    all
}

fn text(value: impl ToString) -> Setting {
    Setting::Text(value.to_string())
}

fn window(window: Window) -> Setting {
    text(window)
}

fn list<T: ToString>(values: impl IntoIterator<Item = T>) -> Setting {
    Setting::List(values.into_iter().map(text).collect())
}
