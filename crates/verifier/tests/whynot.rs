//! Why an item is not in a state: each change that is given is true by the model of `testkit`, and no smaller
//! one of its kind is found by trying them all; and answers worked out by hand.

use std::collections::{BTreeMap, BTreeSet};

use event::{Actor, Event, History, Payload, Recorded, RecordedBy, Timestamp};
use policy::Policy;
use stillthere_verifier::{Alteration, Assert, Language, Wanted, WhyNot, WhyNotAsked, why_not};
use testkit::histories::{Case, case};
use testkit::{model, notation};

/// Cases; `STILLTHERE_CASES` asks for more.
fn seeds(count: u64) -> std::ops::Range<u64> {
    let asked = std::env::var("STILLTHERE_CASES").ok().and_then(|n| n.parse().ok());
    let from = std::env::var("STILLTHERE_SEED").ok().and_then(|n| n.parse().ok()).unwrap_or(0);
    from..from + asked.unwrap_or(count)
}

/// The state and deadline of each item.
type Items = BTreeMap<String, (String, Option<Timestamp>)>;

/// What the model says of events that are all known.
fn items(events: &[Recorded], policy: &Policy, as_of: Timestamp) -> Items {
    let state = model::state(events, policy, as_of, Timestamp::MAX);
    let rows = state.into_iter().flat_map(|state| state.items);
    let state = |row: &model::state::ItemLine| format!("{:?}", row.state).to_lowercase();
    rows.map(|row| (row.item.clone(), (state(&row), row.recoverable_until))).collect()
}

fn holds(wanted: Wanted, items: &Items, item: &str) -> bool {
    let Some((state, _)) = items.get(item) else { return false };
    match wanted {
        Wanted::Recoverable => state == "trashed",
        Wanted::Kept => state == "live" || state == "trashed",
        wanted => state == wanted.name(),
    }
}

fn without(events: &[Recorded], revision: u64) -> Vec<Recorded> {
    events.iter().filter(|e| e.revision != revision).cloned().collect()
}

fn moved(events: &[Recorded], revision: u64, to: Timestamp) -> Vec<Recorded> {
    let mut events = events.to_vec();
    let own = events.iter_mut().find(|e| e.revision == revision);
    own.expect("it is on record").event.occurred_at = to;
    events
}

/// With a tier set before the events of an instant.
fn with_tier(events: &[Recorded], tier: &str, from: Timestamp) -> Vec<Recorded> {
    let mut events = events.to_vec();
    events.iter_mut().for_each(|e| e.revision += 1);
    let event = Event {
        id: "tier".to_owned(),
        account: "a".to_owned(),
        occurred_at: from,
        recorded_at: None,
        actor: Actor::Provider,
        surface: None,
        attributes: BTreeMap::new(),
        payload: Payload::TierChanged { tier: tier.to_owned() },
    };
    let recorded_by = RecordedBy::Log;
    events.push(Recorded { event, position: 0, revision: 0, recorded_at: from, recorded_by });
    events
}

fn version(policy: &Policy, id: &str) -> Policy {
    let versions = policy.versions.iter().filter(|v| v.id == id).cloned().collect();
    Policy { versions, ..policy.clone() }
}

fn of_change(change: &Alteration, events: &[Recorded], policy: &Policy, as_of: Timestamp) -> Items {
    match change {
        Alteration::AsOf { to, .. } => items(events, policy, *to),
        Alteration::Reading { reading } => {
            items(events, &policy.with_reading(reading).expect("a reading of the policy"), as_of)
        }
        Alteration::Moved { revision, to, .. } => {
            items(&moved(events, *revision, *to), policy, as_of)
        }
        Alteration::LeftOut { revision, .. } => items(&without(events, *revision), policy, as_of),
        Alteration::Tier { tier, from, .. } => {
            items(&with_tier(events, tier, *from), policy, as_of)
        }
        Alteration::Version { version: id } => items(events, &version(policy, id), as_of),
    }
}

/// A case, with what is known of it.
struct Asked {
    case: Case,
    events: Vec<Recorded>,
    history: History,
}

impl Asked {
    fn of(seed: u64) -> Asked {
        let case = case(seed);
        let history = History::of("a", &case.events);
        let known = case.events.iter().filter(|e| e.recorded_at <= case.known_at);
        let events = known.cloned().collect();
        Asked { case, events, history }
    }

    /// Every answer, to each item.
    fn answers(&self) -> Vec<WhyNot> {
        let Case { policy, as_of, known_at, .. } = &self.case;
        let (as_of, known_at, lang) = (*as_of, *known_at, Language::En);
        let now = items(&self.events, policy, as_of);
        let pairs = now.keys().flat_map(|item| Wanted::ALL.iter().map(move |w| (item, *w)));
        let answers = pairs.map(|(item, wanted)| {
            let asked = WhyNotAsked { wanted, as_of, known_at, lang };
            let answer = why_not(&self.history, policy, item, &asked).expect("it is on record");
            assert_eq!(answer.already, holds(wanted, &now, item), "{}", self.case.show());
            answer
        });
        answers.collect()
    }
}

#[test]
fn every_change_given_is_true_by_the_model() {
    let mut given: BTreeMap<&str, u64> = BTreeMap::new();
    for seed in seeds(300) {
        let asked = Asked::of(seed);
        let Case { policy, as_of, .. } = &asked.case;
        for answer in asked.answers() {
            for change in &answer.changes {
                let come = of_change(&change.change, &asked.events, policy, *as_of);
                let row = come.get(&answer.item).cloned();
                let told = Some((change.state.name().to_owned(), change.recoverable_until));
                assert_eq!(row, told, "{change:?} of {}\n{}", answer.item, asked.case.show());
                assert!(
                    holds(answer.asked, &come, &answer.item),
                    "{change:?} of {}\n{}",
                    answer.item,
                    asked.case.show()
                );
                *given.entry(change.change.says(Language::En)).or_default() += 1;
            }
        }
    }
    for kind in ["as-of", "reading", "earlier", "later", "left out", "tier", "version"] {
        assert!(given.contains_key(kind), "no change of the kind {kind} was given");
    }
    println!("{given:?}");
}

/// How much less of a move of time each is; the earlier first.
fn by(from: Timestamp, to: Timestamp) -> (u64, i64) {
    (to.ms().abs_diff(from.ms()), to.ms() - from.ms())
}

#[test]
fn no_smaller_change_is_found_by_trying_them_all() {
    let mut tried = 0;
    for seed in seeds(400) {
        let asked = Asked::of(seed);
        if asked.events.len() > 9 {
            continue;
        }
        let Case { policy, as_of, boundaries, .. } = &asked.case;
        let as_of = *as_of;
        let answers: Vec<WhyNot> = asked.answers().into_iter().filter(|a| !a.already).collect();
        assert!(answers.iter().all(|answer| answer.bounded.is_empty()));
        let instants = asked.events.iter().map(|e| e.event.occurred_at);
        let few = boundaries.len().div_ceil(16).max(1);
        let instants = instants.chain(boundaries.iter().copied().step_by(few)).chain([as_of]);
        let deadlines = answers.iter().flat_map(|answer| {
            let given = answer.changes.iter().filter_map(|change| match change.change {
                Alteration::Moved { to, .. } | Alteration::AsOf { to, .. } => Some(to),
                Alteration::Tier { from, .. } => Some(from),
                _ => None,
            });
            given.chain(answer.recoverable_until)
        });
        let mut grid: Vec<Timestamp> = instants
            .chain(deadlines)
            .flat_map(|at| [-1, 0, 1].map(|ms| Timestamp::from_ms(at.ms() + ms)))
            .flatten()
            .collect();
        // Where the trash can be full, an item's window may end just before, with or after another's.
        let mut beside_others: BTreeSet<Timestamp> = BTreeSet::new();
        if policy.trash_can_be_full() {
            for event in &asked.events {
                for (days, ms) in (-4..=4).flat_map(|days| [-1, 0, 1].map(|ms| (days, ms))) {
                    let at = event.event.occurred_at.ms() + days * 86_400_000 + ms;
                    beside_others.extend(Timestamp::from_ms(at).filter(|at| *at <= as_of));
                }
            }
        }
        beside_others.retain(|at| !grid.contains(at));
        grid.extend(&beside_others);
        grid.sort();
        grid.dedup();
        let check = |holding: bool, smaller: bool, what: &dyn std::fmt::Debug, a: &WhyNot| {
            assert!(
                !(holding && smaller),
                "{what:?} is smaller than what is given: {a:#?}\n{}",
                asked.case.show()
            );
        };
        let given = |answer: &WhyNot, of: &dyn Fn(&Alteration) -> bool| {
            answer.changes.iter().find(|c| of(&c.change)).map(|c| c.change.clone())
        };
        for &to in &grid {
            let come = items(&asked.events, policy, to);
            for answer in &answers {
                let nearest = given(answer, &|change| match change {
                    Alteration::AsOf { by_ms, .. } => (*by_ms < 0) == (to < as_of),
                    _ => false,
                });
                let smaller = match nearest {
                    Some(Alteration::AsOf { by_ms, .. }) => by(as_of, to).0 < by_ms.unsigned_abs(),
                    _ => true,
                };
                check(holds(answer.asked, &come, &answer.item), smaller, &to, answer);
            }
            for event in &asked.events {
                let is_trashing = matches!(event.event.payload, Payload::ItemTrashed { .. });
                if event.event.occurred_at == to || (!is_trashing && beside_others.contains(&to)) {
                    continue;
                }
                let come = items(&moved(&asked.events, event.revision, to), policy, as_of);
                tried += 1;
                for answer in &answers {
                    let least = given(answer, &|c| matches!(c, Alteration::Moved { .. }));
                    let smaller = match least {
                        Some(Alteration::Moved { from, to: least, .. }) => {
                            by(event.event.occurred_at, to) < by(from, least)
                        }
                        _ => true,
                    };
                    let what = (event.revision, to);
                    check(holds(answer.asked, &come, &answer.item), smaller, &what, answer);
                }
            }
            if beside_others.contains(&to) {
                continue;
            }
            let first = asked.events.iter().map(|e| e.event.occurred_at).min();
            if Some(to) < first || to > as_of {
                continue;
            }
            for tier in policy.versions.iter().flat_map(|version| &version.tiers) {
                let come = items(&with_tier(&asked.events, &tier.name, to), policy, as_of);
                for answer in &answers {
                    let latest = given(answer, &|c| matches!(c, Alteration::Tier { .. }));
                    let smaller = match latest {
                        Some(Alteration::Tier { from, .. }) => to > from,
                        _ => true,
                    };
                    check(
                        holds(answer.asked, &come, &answer.item),
                        smaller,
                        &(&tier.name, to),
                        answer,
                    );
                }
            }
        }
        for event in asked.events.iter().filter(|e| e.event.occurred_at <= as_of) {
            let come = items(&without(&asked.events, event.revision), policy, as_of);
            let place = (event.event.occurred_at, event.revision);
            for answer in &answers {
                let last = given(answer, &|c| matches!(c, Alteration::LeftOut { .. }));
                let smaller = match last {
                    Some(Alteration::LeftOut { at, revision, .. }) => place > (at, revision),
                    _ => true,
                };
                check(holds(answer.asked, &come, &answer.item), smaller, &place, answer);
            }
        }
        let versions: Vec<&str> = match policy.versions.len() {
            1 => Vec::new(),
            _ => policy.versions.iter().map(|version| version.id.as_str()).collect(),
        };
        for answer in &answers {
            let (mut read, mut alone) = (Vec::new(), Vec::new());
            for change in &answer.changes {
                match &change.change {
                    Alteration::Reading { reading } => read.push(reading.clone()),
                    Alteration::Version { version } => alone.push(version.as_str()),
                    _ => {}
                }
            }
            let by = |policy: &Policy| {
                holds(answer.asked, &items(&asked.events, policy, as_of), &answer.item)
            };
            let mut readings = policy.readings();
            readings.retain(|id| by(&policy.with_reading(id).expect("a reading")));
            assert_eq!(read, readings, "{}", asked.case.show());
            let mut versions = versions.clone();
            versions.retain(|id| by(&version(policy, id)));
            assert_eq!(alone, versions, "{}", asked.case.show());
        }
    }
    assert!(tried > 10_000, "{tried} moves");
}

/// 30 days for one tier, 90 for the other; a reading that goes by the tier held now; from July on 10 days.
const RULES: &str = r#"
schema = 1
policy = "p"
[[version]]
id = "v1"
[version.tiers.free]
trash = "30d"
[version.tiers.plus]
trash = "90d"
[version.trash]
basis = "tier_when_trashed"
[[version.readings]]
id = "now"
set = { "trash.basis" = "tier_now" }
[[version]]
id = "v2"
effective_from = "2026-07-01T00:00:00Z"
[version.tiers.free]
trash = "10d"
"#;

#[track_caller]
fn says(events: &str, as_of: &str, wanted: Wanted, expected: &[&str]) {
    says_by(RULES, events, as_of, wanted, expected);
}

#[track_caller]
fn says_by(rules: &str, events: &str, as_of: &str, wanted: Wanted, expected: &[&str]) {
    let policy = Policy::parse(rules).expect("sound rules");
    let recorded = notation::events(events);
    let history = History::of("a", &recorded);
    let (as_of, known_at, lang) = (notation::time(as_of), Timestamp::MAX, Language::En);
    let asked = WhyNotAsked { wanted, as_of, known_at, lang };
    let answer = why_not(&history, &policy, "i", &asked).expect("it is on record");
    let changes = answer.changes.iter().map(|c| {
        let what = match &c.change {
            Alteration::AsOf { to, by_ms } => format!("as_of {to} {by_ms}"),
            Alteration::Reading { reading } => format!("reading {reading}"),
            Alteration::Moved { position, to, by_ms, .. } => {
                format!("moved @{position} {to} {by_ms}")
            }
            Alteration::LeftOut { position, .. } => format!("left_out @{position}"),
            Alteration::Tier { tier, from, until } => {
                let until = until.map_or("-".to_owned(), |until| until.to_string());
                format!("tier {tier} {from} {until}")
            }
            Alteration::Version { version } => format!("version {version}"),
        };
        let until = c.recoverable_until.map_or(String::new(), |until| format!(" {until}"));
        format!("{what}: {}{until}", c.state)
    });
    assert_eq!(changes.collect::<Vec<_>>(), expected, "{answer:#?}");
}

#[test]
fn the_least_changes_worked_out_by_hand() {
    // Trashed on 10 January: 30 d later is 9 February, 90 d later 10 April (21 + 28 + 31 + 10).
    let trashed = "2026-01-01 user item_uploaded item=i category=photos bytes=1
        2026-01-10 user item_trashed item=i
        2026-01-20 user tier_changed tier=plus\n";
    says(
        trashed,
        "2026-02-09",
        Wanted::Recoverable,
        &[
            // A millisecond before the deadline.
            "as_of 2026-02-08T23:59:59.999Z -1: trashed 2026-02-09T00:00:00Z",
            // By the tier of 20 January on.
            "reading now: trashed 2026-04-10T00:00:00Z",
            // Trashed a millisecond later, its window is not over as of then.
            "moved @1 2026-01-10T00:00:00.001Z 1: trashed 2026-02-09T00:00:00.001Z",
            // Nothing that can be left out leaves it in the trash; the latest instant to hold the tier
            // from is that of the trashing.
            "tier plus 2026-01-10T00:00:00Z 2026-01-20T00:00:00Z: trashed 2026-04-10T00:00:00Z",
        ],
    );
    // One second later it takes one second and a millisecond.
    says(
        trashed,
        "2026-02-09T00:00:01",
        Wanted::Recoverable,
        &[
            "as_of 2026-02-08T23:59:59.999Z -1001: trashed 2026-02-09T00:00:00Z",
            "reading now: trashed 2026-04-10T00:00:00Z",
            "moved @1 2026-01-10T00:00:01.001Z 1001: trashed 2026-02-09T00:00:01.001Z",
            "tier plus 2026-01-10T00:00:00Z 2026-01-20T00:00:00Z: trashed 2026-04-10T00:00:00Z",
        ],
    );
    // A second before the deadline it is not expired: one second later; trashed a second earlier; ten
    // days are over.
    says(
        trashed,
        "2026-02-08T23:59:59",
        Wanted::Expired,
        &[
            "as_of 2026-02-09T00:00:00Z 1000: expired 2026-02-09T00:00:00Z",
            "moved @1 2026-01-09T23:59:59Z -1000: expired 2026-02-08T23:59:59Z",
            "version v2: expired 2026-01-20T00:00:00Z",
        ],
    );
    // Purged on 1 February, 8 days before the deadline.
    let purged = format!("{trashed}2026-02-01 provider item_purged item=i\n");
    says(
        &purged,
        "2026-02-01",
        Wanted::Kept,
        &[
            "as_of 2026-01-31T23:59:59.999Z -1: trashed 2026-02-09T00:00:00Z",
            "moved @3 2026-02-01T00:00:00.001Z 1: trashed 2026-02-09T00:00:00Z",
            "left_out @3: trashed 2026-02-09T00:00:00Z",
        ],
    );
    // Restored after the end, it is live all the same; a second upload on 1 March began a new life.
    let anew = format!("{purged}2026-03-01 user item_uploaded item=i category=photos bytes=1\n");
    says(
        &anew,
        "2026-02-28",
        Wanted::Live,
        &[
            // To 1 March is a day; to just before the trashing it is 49 d.
            "as_of 2026-03-01T00:00:00Z 86400000: live",
            "as_of 2026-01-09T23:59:59.999Z -4233600001: live",
            // The upload of 1 March a day earlier.
            "moved @4 2026-02-28T00:00:00Z -86400000: live",
        ],
    );
    says(&purged, "2026-02-01", Wanted::Purged, &[]);
    says(&purged, "2026-02-01", Wanted::Removed, &[]);
}

/// Full with more than 5 bytes, and then 5 days.
const FULL: &str = r#"
schema = 1
policy = "p"
[[version]]
id = "v"
[version.tiers.free]
quota = "10B"
trash = "30d"
[version.trash]
full_at = "50%"
full_window = "5d"
"#;

#[test]
fn what_another_item_does_to_a_full_trash_worked_out_by_hand() {
    // On the 12th 8 bytes lie in the trash: what came there on the 10th ends on the 15th.
    let events = "2026-01-01 user item_uploaded item=i category=photos bytes=4
        2026-01-01 user item_uploaded item=j category=photos bytes=4
        2026-01-10 user item_trashed item=i
        2026-01-12 user item_trashed item=j";
    says_by(
        FULL,
        events,
        "2026-01-20",
        Wanted::Recoverable,
        &[
            "as_of 2026-01-14T23:59:59.999Z -432000001: trashed 2026-01-15T00:00:00Z",
            // A millisecond before the item, the other one falls first, and the trash is full no more;
            // from the same instant on both would fall together.
            "moved @3 2026-01-09T23:59:59.999Z -172800001: trashed 2026-02-09T00:00:00Z",
            "left_out @3: trashed 2026-02-09T00:00:00Z",
        ],
    );
    // Of 20 bytes 8 are not more than half: a day and a millisecond earlier the quota comes in time.
    says_by(
        FULL,
        &format!(
            "{events}\n2026-01-16 provider quota_changed bytes=20
            2026-01-02 user page_viewed\n2026-01-03 user page_viewed"
        ),
        "2026-01-20",
        Wanted::Recoverable,
        &[
            "as_of 2026-01-14T23:59:59.999Z -432000001: trashed 2026-01-15T00:00:00Z",
            // Just before the window ends.
            "moved @4 2026-01-14T23:59:59.999Z -86400001: trashed 2026-02-09T00:00:00Z",
            "left_out @3: trashed 2026-02-09T00:00:00Z",
        ],
    );
}

/// Notes end after 3 days: those of the 11th on the 14th, which leaves the other item its 30 days.
#[test]
fn a_window_that_ends_with_that_of_another_item_worked_out_by_hand() {
    let rules = FULL.replace("full_at", "categories = { notes = \"3d\" }\nfull_at");
    says_by(
        &rules,
        "2026-01-01 user item_uploaded item=i category=photos bytes=4
        2026-01-01 user item_uploaded item=j category=notes bytes=4
        2026-01-10 user item_trashed item=i
        2026-01-11 user item_trashed item=j",
        "2026-01-20",
        Wanted::Expired,
        &[
            "as_of 2026-02-09T00:00:00Z 1728000000: expired 2026-02-09T00:00:00Z",
            // A day earlier it ends together with them, on the 14th, and the trash is full to the last. A day
            // later for the notes is as short, and comes after.
            "moved @2 2026-01-09T00:00:00Z -86400000: expired 2026-01-14T00:00:00Z",
        ],
    );
}

/// Of an item that very many events concern, fewer changes are tried, and it is said.
#[test]
fn what_was_left_untried_is_said() {
    let mut text = String::from("2026-01-01 user item_uploaded item=i category=photos bytes=1\n");
    let emptied = |n| format!("2026-01-02T{:02}:{:02} user trash_emptied\n", n / 60, n % 60);
    text.extend((0..999).map(emptied));
    let history = History::of("a", &notation::events(&text));
    let policy = Policy::parse(RULES).expect("sound rules");
    let (as_of, known_at) = (notation::time("2026-02-01"), Timestamp::MAX);
    let asked = WhyNotAsked { wanted: Wanted::Removed, as_of, known_at, lang: Language::En };
    let answer = why_not(&history, &policy, "i", &asked).expect("it is on record");
    // 2,000,000 events folded at most, of 1,000 each time.
    assert_eq!((answer.bound, answer.tried.moved, answer.tried.left_out), (2000, 2000, 1000));
    assert_eq!((answer.bounded, answer.changes), (vec!["moved", "tier"], Vec::new()));
}

/// What is asked in the words of claims means what it means there.
#[test]
fn the_words_of_claims_mean_the_same() {
    use projection::ItemState as S;
    for (state, recoverable, kept) in [
        (S::Live, false, true),
        (S::Trashed, true, true),
        (S::Expired, false, false),
        (S::Purged, false, false),
        (S::Removed, false, false),
    ] {
        assert_eq!(Wanted::Recoverable.holds(state), recoverable);
        assert_eq!(Wanted::Kept.holds(state), kept);
        assert_eq!(Wanted::from_name(state.name()).map(|w| w.holds(state)), Some(true));
    }
    assert_eq!(Wanted::Recoverable.name(), Assert::Recoverable.name());
    assert_eq!(Wanted::Kept.name(), Assert::Kept.name());
}
