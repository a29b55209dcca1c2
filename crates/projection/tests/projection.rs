//! The fold held against the model of `testkit`, on random histories gathered at boundary
//! instants, against answers worked out by hand, and against itself: folded in one go and folded on from a stored state.

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
