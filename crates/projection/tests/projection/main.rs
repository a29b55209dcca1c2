//! The fold held against the model of `testkit`, on random histories gathered at boundary
//! instants, against answers worked out by hand, and against itself: folded in one go and folded on from a stored state.

mod erased;
mod population;

use event::{History, Timestamp};
use policy::Policy;
use stillthere_projection::{FoldState, View, fold, fold_traced};
use testkit::histories::{Case, case};
use testkit::{by_hand, json, model, notation};

/// Cases of each property; `STILLTHERE_CASES` asks for more.
fn seeds() -> std::ops::Range<u64> {
    let count = std::env::var("STILLTHERE_CASES").ok().and_then(|n| n.parse().ok());
    let from = std::env::var("STILLTHERE_SEED").ok().and_then(|n| n.parse().ok()).unwrap_or(0);
    from..from + count.unwrap_or(8_000)
}

fn instants(case: &Case) -> Vec<Timestamp> {
    let few = case.boundaries.len().div_ceil(8).max(1);
    [case.as_of].into_iter().chain(case.boundaries.iter().copied().step_by(few)).collect()
}

#[test]
fn the_fold_agrees_with_the_model() {
    for seed in seeds() {
        let case = case(seed);
        let history = History::of("a", &case.events);
        for as_of in instants(&case) {
            for known_at in [case.known_at, Timestamp::MAX] {
                let model = model::state(&case.events, &case.policy, as_of, known_at);
                let view = fold(&history, &case.policy, as_of, known_at);
                let model = serde_json::to_string(&model).expect("a state is JSON");
                let real = view.as_ref().map(View::account_state);
                let real = serde_json::to_string(&real).expect("a state is JSON");
                if let Some(difference) = json::difference(&model, &real, &["state_hash"]) {
                    panic!("{difference}\nas of {as_of}, known at {known_at}\n{}", case.show());
                }
            }
        }
    }
}

#[test]
fn folding_on_from_a_stored_state_is_folding_from_nothing() {
    for seed in seeds() {
        let case = case(seed);
        let history = History::of("a", &case.events);
        let (policy, known_at) = (&case.policy, case.known_at);
        let Some(whole) = FoldState::fold(None, &history, policy, case.as_of, known_at) else {
            continue;
        };
        for earlier in instants(&case).into_iter().filter(|at| *at <= case.as_of) {
            let stored = FoldState::fold(None, &history, policy, earlier, known_at);
            let stored = stored.map(|state| {
                let bytes = rmp_serde::to_vec(&state).expect("a state can be stored");
                rmp_serde::from_slice::<FoldState>(&bytes).expect("and read back")
            });
            let on = FoldState::fold(stored, &history, policy, case.as_of, known_at);
            assert_eq!(on.as_ref(), Some(&whole), "from {earlier}\n{}", case.show());
        }
        let traced = fold_traced(&history, policy, case.as_of, known_at);
        let view = View::new(whole, &history, policy, case.as_of);
        let (traced, _) = traced.expect("there is something to fold");
        assert_eq!(traced.account_state(), view.account_state(), "{}", case.show());
    }
}

/// What a certificate is judged by: the compiled form, which has no texts.
#[test]
fn a_policy_folds_as_its_compiled_form_does() {
    for seed in seeds().step_by(8) {
        let case = case(seed);
        let history = History::of("a", &case.events);
        let bytes = case.policy.canonical_bytes();
        let compiled = Policy::from_canonical_bytes(&bytes).expect("it was compiled");
        let readings = case.policy.readings();
        let read =
            readings.iter().map(|id| case.policy.with_reading(id).zip(compiled.with_reading(id)));
        let mut policies: Vec<_> = read.map(|both| both.expect("both have it")).collect();
        policies.push((case.policy.clone(), compiled));
        for (policy, compiled) in &policies {
            let state = |policy| FoldState::fold(None, &history, policy, case.as_of, case.known_at);
            assert_eq!(state(policy), state(compiled), "{}", case.show());
            for as_of in instants(&case) {
                let view = |policy| {
                    fold(&history, policy, as_of, case.known_at).map(|view| view.account_state())
                };
                assert_eq!(view(policy), view(compiled), "as of {as_of}\n{}", case.show());
            }
        }
    }
}

/// A compiled form may hold a zone of no database: here the offset goes from far east to far west and
/// back every few hours.
#[test]
fn the_fold_agrees_with_the_model_whatever_the_zone() {
    let least = "schema = 1\npolicy = \"p\"\n[[version]]\nid = \"v\"\ntiers.a = {}\n";
    let bytes = Policy::parse(least).expect("a policy").canonical_bytes();
    let utc = [0x92, 0, 0x90];
    let at = bytes.windows(3).position(|part| part == utc).expect("its zone");
    let from_ms = Timestamp::parse("2024-01-01T00:00:00Z").expect("a time").ms();
    let changes = (0i64..6000).map(|n| (from_ms + n * 18_000_000, 93_599 * (1 - 2 * (n % 2))));
    let zone = rmp_serde::to_vec(&(0, changes.collect::<Vec<_>>())).expect("a zone");
    let bytes = [&bytes[..at], &zone, &bytes[at + utc.len()..]].concat();
    let zone = Policy::from_canonical_bytes(&bytes).expect("a compiled policy").zone;
    for seed in seeds().step_by(16) {
        let mut case = case(seed);
        case.policy.zone = zone.clone();
        let history = History::of("a", &case.events);
        for as_of in instants(&case) {
            let model = model::state(&case.events, &case.policy, as_of, case.known_at);
            let view = fold(&history, &case.policy, as_of, case.known_at);
            let model = serde_json::to_string(&model).expect("a state is JSON");
            let real = view.as_ref().map(View::account_state);
            let real = serde_json::to_string(&real).expect("a state is JSON");
            if let Some(difference) = json::difference(&model, &real, &["state_hash"]) {
                panic!("{difference}\nas of {as_of}\n{}", case.show());
            }
        }
    }
}

#[test]
fn the_fold_gives_the_answers_worked_out_by_hand() {
    let mut wrong = Vec::new();
    for case in by_hand::cases() {
        let policy = Policy::parse(&case.policy_toml()).expect("the table's policies are sound");
        let history = History::of("a", &case.recorded());
        for (as_of, expected) in case.state {
            let view = fold(&history, &policy, notation::time(as_of), case.known_at());
            let state = view.as_ref().map(View::account_state);
            let state = serde_json::to_string(&state).expect("a state is JSON");
            if let Some(difference) = by_hand::check(&state, expected) {
                wrong.push(format!("{} as of {as_of}: {difference}", case.name));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
