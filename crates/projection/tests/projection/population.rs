//! Many accounts and several policies: what differs held against the model's two states, a sweep held
//! against folding under each policy read from text, and both at boundary instants by hand.

use std::collections::BTreeMap;

use event::{History, Timestamp};
use policy::{Amount, Parameter, Policy, Window};
use serde_json::Value;
use stillthere_projection::{
    Deadline, Differs, FindingCode, Found, Subject, Sweep, Tally, View, compare, fold,
};
use testkit::histories::case;
use testkit::{model, notation};

use crate::seeds;

/// What is said of an account: by what and of which subject, before and after.
type Said = BTreeMap<(String, String), (String, String)>;

/// The difference of two states of the model, by the fields of `state`.
fn by_model(before: &Value, after: &Value) -> Said {
    let mut said = Said::new();
    let mut say = |what: &str, of: &str, before: &Value, after: &Value| {
        if before != after {
            let values = (before.to_string(), after.to_string());
            said.insert((what.to_owned(), of.to_owned()), values);
        }
    };
    let both = |pointer: &str| {
        let at = |state: &Value| state.pointer(pointer).cloned().expect("a field of a state");
        (at(before), at(after))
    };
    for (what, pointer) in [
        ("status", "/status"),
        ("inactive_at", "/activity/inactive_at"),
        ("over_quota", "/quota/over"),
    ] {
        let (before, after) = both(pointer);
        say(what, "", &before, &after);
    }
    let list = |pointer: &str| {
        let (before, after) = both(pointer);
        let list = |value: Value| value.as_array().cloned().expect("a list");
        let (before, after) = (list(before), list(after));
        assert_eq!(before.len(), after.len(), "events alone say what there is");
        before.into_iter().zip(after)
    };
    for (before, after) in list("/items") {
        let of = before["item"].as_str().expect("a name").to_owned();
        say("state", &of, &before["state"], &after["state"]);
        if before["state"] == after["state"] {
            say("cause", &of, &before["cause"], &after["cause"]);
        }
        // Null is never there, and no end elsewhere.
        let end = |row: &Value| match row["state"].as_str() {
            Some("trashed" | "expired") => row["recoverable_until"].clone(),
            _ => Value::Bool(false),
        };
        say("deadline", &of, &end(&before), &end(&after));
    }
    for (before, after) in list("/backups") {
        let of = before["backup"].as_str().expect("a name").to_owned();
        say("backup cause", &of, &before["cause"], &after["cause"]);
    }
    let findings = |state: &Value| -> BTreeMap<String, Value> {
        let rows = state["findings"].as_array().cloned().expect("a list");
        rows.into_iter()
            .map(|row| {
                let position = match row.get("count") {
                    Some(_) => Value::Null,
                    None => row["position"].clone(),
                };
                let of = format!(
                    "{} {position} {:?} {:?}",
                    row["code"],
                    row.get("item"),
                    row.get("backup")
                );
                let found = serde_json::json!([row["at"], row["position"], row.get("count")]);
                (of, found)
            })
            .collect()
    };
    let (before, after) = (findings(before), findings(after));
    let of_both: std::collections::BTreeSet<&String> = before.keys().chain(after.keys()).collect();
    for of in of_both {
        let found = |of_one: &BTreeMap<String, Value>| of_one.get(of).cloned().unwrap_or_default();
        say("finding", of, &found(&before), &found(&after));
    }
    said
}

/// The same as `compare` has it.
fn by_compare(before: &View<'_>, after: &View<'_>) -> Said {
    let mut said = Said::new();
    let name = |name| before.names().get(name).to_owned();
    for difference in compare(before, after) {
        let of = difference.subject.map_or(String::new(), |subject| name(subject.name()));
        let json = |value: &dyn erased::Json| value.text();
        let end = |deadline: Deadline| match deadline {
            Deadline::None => "false".to_owned(),
            Deadline::Never => "null".to_owned(),
            Deadline::At(at) => json(&at),
        };
        let found = |found: Option<Found>| {
            found.map_or("null".to_owned(), |found| {
                serde_json::json!([found.at, found.event.position, found.count]).to_string()
            })
        };
        let (what, of, before, after) = match difference.what {
            Differs::Status(a, b) => ("status", of, json(&a), json(&b)),
            Differs::InactiveAt(a, b) => ("inactive_at", of, end(a), end(b)),
            Differs::OverQuota(a, b) => ("over_quota", of, json(&a), json(&b)),
            Differs::State(a, b) => ("state", of, json(&a), json(&b)),
            Differs::Cause(a, b) => ("cause", of, json(&a), json(&b)),
            Differs::BackupCause(a, b) => ("backup cause", of, json(&a), json(&b)),
            Differs::Deadline(a, b) => ("deadline", of, end(a), end(b)),
            Differs::Finding(code, a, b) => {
                let one = b.or(a).expect("found under one");
                let position = match one.count {
                    Some(_) => "null".to_owned(),
                    None => one.event.position.to_string(),
                };
                let (item, backup) = match difference.subject {
                    Some(Subject::Item(item)) => (Some(Value::from(name(item))), None),
                    Some(Subject::Backup(backup)) => (None, Some(Value::from(name(backup)))),
                    None => (None, None),
                };
                let of = format!("{} {position} {item:?} {backup:?}", json(&code));
                ("finding", of, found(a), found(b))
            }
        };
        let known = said.insert((what.to_owned(), of), (before, after));
        assert_eq!(known, None, "said twice");
    }
    said
}

mod erased {
    //! Values as JSON, whatever their type.

    pub trait Json {
        fn text(&self) -> String;
    }

    impl<T: serde::Serialize> Json for T {
        fn text(&self) -> String {
            serde_json::to_string(self).expect("a word is JSON")
        }
    }
}

#[test]
fn what_differs_is_the_difference_of_two_states_of_the_model() {
    let mut differing = 0;
    for seed in seeds() {
        let (case, other) = (case(seed), case(seed ^ 0x5eed).policy);
        let history = History::of("a", &case.events);
        let few = case.boundaries.iter().copied().step_by(case.boundaries.len().div_ceil(4).max(1));
        for as_of in [case.as_of].into_iter().chain(few) {
            let views =
                [&case.policy, &other].map(|policy| fold(&history, policy, as_of, case.known_at));
            let models = [&case.policy, &other].map(|policy| {
                let state = model::state(&case.events, policy, as_of, case.known_at);
                state.map(|state| serde_json::to_value(&state).expect("a state is JSON"))
            });
            let ([Some(before), Some(after)], [Some(old), Some(new)]) = (views, models) else {
                continue;
            };
            let (found, expected) = (by_compare(&before, &after), by_model(&old, &new));
            differing += usize::from(!expected.is_empty());
            assert_eq!(found, expected, "as of {as_of}\n{}", case.show());
        }
    }
    assert!(differing > 100, "hardly anything differs");
}

/// The policy read from its text, with a reading of every version that has the key, or of one.
fn from_text(toml: &str, version: Option<&str>, key: &str, value: &str) -> Policy {
    let mut text = String::new();
    for (number, part) in toml.split("\n[[version]]").enumerate() {
        if number > 0 {
            text.push_str("\n[[version]]");
        }
        text.push_str(part);
        let tier = key.strip_prefix("tiers.").and_then(|rest| rest.split_once('.'));
        let stage = key.strip_prefix("stages.").and_then(|rest| rest.split_once('.'));
        let has_it = tier.is_none_or(|(tier, _)| part.contains(&format!("[version.tiers.{tier}]")))
            && stage.is_none_or(|(name, _)| part.contains(&format!("[version.stages.{name}]")));
        let is_asked =
            version.is_none_or(|version| part.contains(&format!("\nid = \"{version}\"\n")));
        if number > 0 && has_it && is_asked {
            text.push_str(&format!(
                "[[version.readings]]\nid = \"swept\"\nset = {{ \"{key}\" = \"{value}\" }}\n"
            ));
        }
    }
    let policy = Policy::parse(&text).unwrap_or_else(|error| panic!("{error}\n{text}"));
    policy.with_reading("swept").expect("a version has it")
}

/// Keys with their values, in rising order.
const SWEPT: [(&str, &[&str]); 17] = [
    ("tiers.std.trash", &["0d", "1d", "2d", "3d", "4d", "5d", "6d", "7d", "40d"]),
    ("tiers.plus.trash", &["0d", "1d", "2d", "3d", "4d", "5d", "6d", "7d", "40d"]),
    ("tiers.plus.trash", &["0mo", "1mo", "2mo", "3mo"]),
    ("tiers.std.quota", &["0B", "3B", "5B", "7B", "10B", "12B", "20B", "1KiB"]),
    ("trash.categories.photos", &["0d", "1d", "2d", "3d", "4d", "5d", "40d"]),
    ("trash.purge_lag", &["0d", "1d", "2d", "3d", "4d", "5d"]),
    ("trash.purge_lag", &["0mo", "1mo", "2mo"]),
    ("trash.full_window", &["0d", "1d", "2d", "3d", "4d", "5d", "40d"]),
    ("stages.s0.after", &["0d", "1d", "2d", "3d", "4d", "40d"]),
    ("stages.s0.after", &["0mo", "1mo", "2mo"]),
    ("stages.s1.after", &["0d", "1d", "2d", "3d"]),
    ("inactivity.window", &["0d", "1d", "2d", "3d", "4d", "5d", "40d"]),
    ("inactivity.window", &["0mo", "1mo", "2mo", "12mo"]),
    ("inactivity.notice", &["0d", "1d", "2d", "3d", "4d"]),
    ("backup.stale_after", &["0d", "1d", "2d", "3d", "4d", "5d"]),
    ("clock.late_after", &["0d", "1d", "2d", "3d", "4d", "5d"]),
    ("clock.late_after", &["0y", "1y"]),
];

fn amount(value: &str) -> Amount {
    match Window::parse(value) {
        Ok(window) => Amount::Window(window),
        Err(_) => Amount::Bytes(policy::parse_size(value).expect("a size")),
    }
}

#[test]
fn a_sweep_is_a_fold_under_each_policy_of_text() {
    let (mut moved, mut spared) = (0, 0);
    let mut moved_by: BTreeMap<&str, u64> = BTreeMap::new();
    for seed in seeds().step_by(2) {
        let case = case(seed);
        let (key, values) = SWEPT[seed as usize / 2 % SWEPT.len()];
        let parameter = Parameter::parse(key).expect("a parameter");
        assert_eq!(parameter.to_string(), key);
        // In one version alone, too.
        let of_one = case.policy.versions.get(seed as usize % 8).map(|version| version.id.as_str());
        let point = |value: &&str| case.policy.with_parameter(&parameter, of_one, amount(value));
        // A tier or stage that no version has, or a trash that is never full.
        let Ok(points) = values.iter().map(point).collect::<Result<Vec<Policy>, _>>() else {
            continue;
        };
        for (value, point) in values.iter().zip(&points) {
            assert_eq!(
                from_text(&case.policy_toml, of_one, key, value),
                *point,
                "{key} = {value}\n{}",
                case.show()
            );
        }
        let history = History::of("a", &case.events);
        let few = case.boundaries.iter().copied().step_by(case.boundaries.len().div_ceil(8).max(1));
        for as_of in [case.as_of].into_iter().chain(few) {
            let mut swept = vec![Tally::default(); points.len()];
            let sweep = Sweep::new(&points, &parameter, as_of, case.known_at);
            let folds = sweep.add(&history, &mut swept);
            let folded = points.iter().map(|point| {
                let view = fold(&history, point, as_of, case.known_at);
                view.map_or(Tally::default(), |view| Tally::of(&view))
            });
            let folded: Vec<Tally> = folded.collect();
            let is_moved = u64::from(folded.windows(2).any(|two| two[0] != two[1]));
            moved += is_moved;
            *moved_by.entry(key).or_default() += is_moved;
            spared += values.len() as u64 - folds;
            assert_eq!(swept, folded, "{key} of {values:?} as of {as_of}\n{}", case.show());
        }
    }
    assert!(
        moved > 100 && spared > 1000,
        "{moved} sweeps move anything, {spared} folds are spared"
    );
    for key in ["trash.full_window", "stages.s0.after"] {
        assert!(moved_by[key] > 0, "{key} moves nothing: {moved_by:?}");
    }
}

/// Readings aside, whose rules are told by what they set: another base may leave them other rules.
#[test]
fn policies_differ_in_their_rules_when_their_compiled_forms_do() {
    let mut differing = 0;
    for seed in seeds().step_by(8) {
        let plain = |seed| {
            let mut policy = case(seed).policy;
            policy.versions.iter_mut().for_each(|version| version.readings.clear());
            policy
        };
        let (before, mut after) = (plain(seed), plain(seed));
        assert_eq!(before.differences(&after), []);
        let other = plain(seed + 1);
        let rules = before.differences(&other);
        assert_eq!(rules.is_empty(), before.hash() == other.hash(), "seed {seed}");
        differing += usize::from(!rules.is_empty());
        // One rule alone is named alone.
        after.versions[0].notice = Window::Days(977);
        let rules = before.differences(&after);
        assert_eq!(rules.len(), 1, "seed {seed}: {rules:?}");
        assert_eq!(rules[0].key, "inactivity.notice");
        assert_eq!(rules[0].version.as_ref(), Some(&before.versions[0].id));
    }
    assert!(differing > 10, "{differing}");
}

/// An item trashed on 1 January is overdue when its window ends: after 1 to 5 days. In the middle, where
/// a hold stands or another lag is in force, it is not, though both ends come to the same.
#[test]
fn where_the_ends_agree_and_the_middle_does_not() {
    let trashed = "2026-01-01 user item_trashed item=i\n";
    let held = "2026-01-01 user item_trashed item=i\n2026-01-03T12:00 support hold_placed hold=h\n\
        2026-01-05T12:00 support hold_released hold=h\n";
    let version = |id: &str, from: &str, lag: &str| {
        format!(
            "[[version]]\nid = \"{id}\"\neffective_from = \"{from}T00:00:00Z\"\ntiers.a.trash = \"9d\"\n\
             trash.purge_lag = \"{lag}\"\n"
        )
    };
    let one = version("1", "2020-01-01", "0d");
    let three =
        [one.clone(), version("2", "2026-01-03", "never"), version("3", "2026-01-05", "0d")];
    let parameter = Parameter::parse("tiers.a.trash").expect("a parameter");
    let as_of = notation::time("2026-01-10");
    for (events, rules, expected) in [
        (trashed, one.clone(), [1, 1, 1, 1, 1]),
        (held, one, [1, 1, 0, 0, 1]),
        (trashed, three.concat(), [1, 0, 0, 1, 1]),
    ] {
        let policy =
            Policy::parse(&format!("schema = 1\npolicy = \"p\"\n{rules}")).expect("a policy");
        let point = |days| {
            policy
                .with_parameter(&parameter, None, Amount::Window(Window::Days(days)))
                .expect("set")
        };
        let points: Vec<Policy> = (1..=5).map(point).collect();
        let history = History::of("a", &notation::events(events));
        let mut tallies = vec![Tally::default(); points.len()];
        Sweep::new(&points, &parameter, as_of, Timestamp::MAX).add(&history, &mut tallies);
        let overdue: Vec<u64> =
            tallies.iter().map(|tally| tally.finding(FindingCode::OverduePurge)).collect();
        assert_eq!(overdue, expected, "{events}\n{rules}");
        assert!(tallies.iter().all(|tally| tally.items.expired == 1), "{tallies:?}");
    }
}

/// Over quota from 1 January on, and purged for that on the 5th: lawful of a stage that asks for 4 days or
/// less, and early of one that asks for 5.
#[test]
fn the_time_that_a_stage_asks_for_by_hand() {
    let policy = "schema = 1\npolicy = \"p\"\n[[version]]\nid = \"1\"\ntiers.a.quota = \"10B\"\n\
        stages.s = { when = \"over_quota\", after = \"1y\", admits = [\"purge\"] }\n";
    let events = "
        2026-01-01 user item_uploaded item=a category=c bytes=11
        2026-01-05 provider item_purged item=a cause=quota";
    // The same with the trash full of b from the 1st on: trashed then, it may go after so many days.
    let full = "schema = 1\npolicy = \"p\"\n[[version]]\nid = \"1\"\n\
        tiers.a = { quota = \"10B\", trash = \"30d\" }\n\
        trash = { full_at = \"10%\", full_window = \"20d\" }\n";
    let trashed = "
        2026-01-01 user item_uploaded item=b category=c bytes=5
        2026-01-01 user item_trashed item=b
        2026-01-05 provider item_purged item=b";
    for (rules, events, key, code) in [
        (policy, events, "stages.s.after", FindingCode::LossOverQuota),
        (full, trashed, "trash.full_window", FindingCode::PrematurePurge),
    ] {
        let policy = Policy::parse(rules).expect("a policy");
        let parameter = Parameter::parse(key).expect("a parameter");
        let point = |days| {
            policy
                .with_parameter(&parameter, None, Amount::Window(Window::Days(days)))
                .expect("set")
        };
        let points: Vec<Policy> = (2..=6).map(point).collect();
        let history = History::of("a", &notation::events(events));
        let mut tallies = vec![Tally::default(); points.len()];
        let as_of = notation::time("2026-01-10");
        let sweep = Sweep::new(&points, &parameter, as_of, Timestamp::MAX);
        assert_eq!(sweep.add(&history, &mut tallies), 5, "every value is folded");
        let found: Vec<u64> = tallies.iter().map(|tally| tally.finding(code)).collect();
        assert_eq!(found, [0, 0, 0, 1, 1], "{key}");
    }
}

/// A lies in the trash from 1 January and keeps the account over its limit; b, from the 2nd, is purged for
/// that on the 4th at noon. After 1 or 2 days b is expired by then; with 4 or more a is still there and the
/// stage admits it; with 3 neither is so, though both ends come to the same.
#[test]
fn where_a_stage_parts_the_middle_from_the_ends() {
    let policy = "schema = 1\npolicy = \"p\"\n[[version]]\nid = \"1\"\n\
        tiers.a = { quota = \"10B\", trash = \"9d\" }\n\
        stages.s = { when = \"over_quota\", after = \"1d\", admits = [\"purge\"] }\n";
    let policy = Policy::parse(policy).expect("a policy");
    let events = "
        2026-01-01 user item_uploaded item=a category=c bytes=8
        2026-01-01 user item_uploaded item=b category=c bytes=5
        2026-01-01 user item_trashed item=a
        2026-01-02 user item_trashed item=b
        2026-01-04T12:00 provider item_purged item=b cause=quota";
    let parameter = Parameter::parse("tiers.a.trash").expect("a parameter");
    let point = |days| {
        policy.with_parameter(&parameter, None, Amount::Window(Window::Days(days))).expect("set")
    };
    let points: Vec<Policy> = (1..=5).map(point).collect();
    let history = History::of("a", &notation::events(events));
    let mut tallies = vec![Tally::default(); points.len()];
    let as_of = notation::time("2026-01-10");
    Sweep::new(&points, &parameter, as_of, Timestamp::MAX).add(&history, &mut tallies);
    assert_eq!(tallies[0], tallies[4]);
    let early: Vec<u64> =
        tallies.iter().map(|tally| tally.finding(FindingCode::PrematurePurge)).collect();
    assert_eq!(early, [0, 0, 1, 0, 0]);
}
