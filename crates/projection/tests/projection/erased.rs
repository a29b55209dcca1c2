//! What is said of an erased history holds in every history that may have been erased to it: in the one
//! that was, by the fold and by the model, and by the model in whatever else may have stood there.

use event::{History, Timestamp};
use fastrand::Rng;
use serde_json::Value;
use stillthere_projection::{Subject, Tally, View, compare, fold, fold_whole};
use testkit::by_hand::{self, erased};
use testkit::erased::{Erasure, Left, Seen, contradiction};
use testkit::histories::{Case, case};
use testkit::model;
use testkit::notation::time;

use crate::{instants, seeds};

/// Completions tried of each.
const COMPLETIONS: usize = 4;

fn show(case: &Case, erasure: &Erasure, as_of: Timestamp, events: &[event::Recorded]) -> String {
    let left: Vec<String> = erasure
        .events
        .iter()
        .zip(&erasure.left)
        .filter(|(_, left)| **left != Left::Whole)
        .map(|(recorded, left)| format!("{}: {left:?}", recorded.revision))
        .collect();
    format!(
        "as of {as_of}\nleft {}\ncompletion\n{}\n{}",
        left.join(", "),
        testkit::notation::ndjson(events),
        case.show()
    )
}

fn state(view: &View<'_>) -> Value {
    serde_json::to_value(view.account_state()).expect("a state is JSON")
}

#[test]
fn what_is_said_holds_in_every_completion() {
    let mut seen = Seen::default();
    for seed in seeds() {
        let case = case(seed);
        let mut rng = Rng::with_seed(seed ^ 0xe7a5);
        let erasure = Erasure::random(&mut rng, &case);
        let history = erasure.history();
        let mut completions = vec![erasure.events.clone()];
        completions.extend((0..COMPLETIONS).map(|_| erasure.completion(&mut rng, &case)));
        for as_of in instants(&case).into_iter().take(4) {
            for known_at in [case.known_at, Timestamp::MAX] {
                let Some(view) = fold(&history, &case.policy, as_of, known_at) else { continue };
                let said = state(&view);
                for events in &completions {
                    let whole = model::state(events, &case.policy, as_of, known_at);
                    let Some(whole) = whole else { continue };
                    let whole = serde_json::to_value(&whole).expect("a state is JSON");
                    if let Some(why) = contradiction(&said, &whole, &mut seen) {
                        panic!(
                            "{why}\nknown at {known_at}\n{said}\n{}",
                            show(&case, &erasure, as_of, events)
                        );
                    }
                }
                let whole = History::of("a", &erasure.events);
                let whole = fold(&whole, &case.policy, as_of, known_at);
                if let Some(whole) = whole {
                    let why = contradiction(&said, &state(&whole), &mut seen);
                    assert_eq!(why, None, "{}", show(&case, &erasure, as_of, &erasure.events));
                }
            }
        }
    }
    // Most of it is said.
    assert!(seen.held > 2 * seen.open, "{seen:?}");
}

/// A line says what the state says, and sums count no more than what every completion has.
#[test]
fn lines_and_sums_say_no_more() {
    for seed in seeds().step_by(4) {
        let case = case(seed);
        let mut rng = Rng::with_seed(seed ^ 0x11e5);
        let erasure = Erasure::random(&mut rng, &case);
        let history = erasure.history();
        let completion = erasure.completion(&mut rng, &case);
        for events in [&erasure.events, &completion] {
            let whole = History::of("a", events);
            let views = [&history, &whole]
                .map(|history| fold(history, &case.policy, case.as_of, case.known_at));
            let [Some(said), Some(whole)] = views else { continue };
            let (line, of_whole) = (said.line(), whole.line());
            let line = serde_json::to_value(&line).expect("a line is JSON");
            let of_whole = serde_json::to_value(&of_whole).expect("a line is JSON");
            let open = line["undetermined"].as_array().cloned().unwrap_or_default();
            for (field, value) in line.as_object().expect("an object") {
                let is_open = field == "undetermined" || open.contains(&field.as_str().into());
                let shown = || show(&case, &erasure, case.as_of, events);
                assert!(is_open || *value == of_whole[field], "{field}: {line}\n{}", shown());
            }
            let (sum, of_whole) = (Tally::of(&said), Tally::of(&whole));
            let mut pairs = vec![
                (sum.over_quota, of_whole.over_quota),
                (sum.items.live, of_whole.items.live),
                (sum.items.trashed, of_whole.items.trashed),
                (sum.items.expired, of_whole.items.expired),
                (sum.items.purged, of_whole.items.purged),
                (sum.items.removed, of_whole.items.removed),
            ];
            pairs.extend(sum.statuses.into_iter().zip(of_whole.statuses));
            pairs.extend(sum.findings.into_iter().zip(of_whole.findings));
            let is_less = pairs.iter().all(|(sum, whole)| sum <= whole);
            let is_same = sum == Tally { undetermined: 0, ..of_whole.clone() };
            let shown = || show(&case, &erasure, case.as_of, events);
            assert!(is_less && sum.used_bytes <= of_whole.used_bytes, "{sum:?}\n{}", shown());
            assert!(sum.undetermined == 1 || is_same, "{sum:?} {of_whole:?}\n{}", shown());
        }
    }
}

/// What two policies certainly make different, they make different in every completion.
#[test]
fn what_two_policies_differ_in_is_certain() {
    let mut told = 0;
    for seed in seeds().step_by(4) {
        let case = case(seed);
        let Some(other) =
            case.policy.readings().first().and_then(|id| case.policy.with_reading(id))
        else {
            continue;
        };
        let mut rng = Rng::with_seed(seed ^ 0xd1ff);
        let erasure = Erasure::random(&mut rng, &case);
        let completion = erasure.completion(&mut rng, &case);
        let history = erasure.history();
        let differences = |history: &History| {
            let [Some(before), Some(after)] = [&case.policy, &other]
                .map(|policy| fold(history, policy, case.as_of, case.known_at))
            else {
                return None;
            };
            let name = |subject: Option<Subject>| match subject? {
                Subject::Item(id) => Some((true, history.names.get(id).to_owned())),
                Subject::Backup(id) => Some((false, history.names.get(id).to_owned())),
            };
            let differences = compare(&before, &after).into_iter();
            Some(differences.map(|d| (name(d.subject), d.what)).collect::<Vec<_>>())
        };
        let Some(said) = differences(&history) else { continue };
        told += said.len();
        for events in [&erasure.events, &completion] {
            let Some(whole) = differences(&History::of("a", events)) else { continue };
            for difference in &said {
                let shown = || show(&case, &erasure, case.as_of, events);
                assert!(whole.contains(difference), "{difference:?}\n{whole:?}\n{}", shown());
            }
        }
    }
    assert!(told > 20, "{told}");
}

#[test]
fn what_is_left_is_what_was_worked_out_by_hand() {
    let mut wrong = Vec::new();
    for hand in erased::CASES {
        let (policy, history) = (hand.policy(), hand.erasure().history());
        for (as_of, expected) in hand.said.iter().chain(hand.open) {
            let view = fold(&history, &policy, time(as_of), Timestamp::MAX).expect("a view");
            let said = state(&view).to_string();
            if let Some(why) = by_hand::check(&said, expected) {
                wrong.push(format!("{} as of {as_of}: {why}", hand.name));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
#[should_panic(expected = "a view of what was erased")]
fn what_was_erased_is_not_folded_as_if_it_were_whole() {
    let hand = &erased::CASES[0];
    let (policy, history) = (hand.policy(), hand.erasure().history());
    let _ = fold_whole(&history, &policy, time(hand.said[0].0), Timestamp::MAX);
}
