//! Verdicts held against the audit model of `testkit`, on random histories gathered at boundary
//! instants, and against answers worked out by hand.

use event::{EventHash, History, Timestamp};
use policy::Policy;
use serde_json::Value;
use stillthere_verifier::{Asked, Bench, Claim, Language};
use testkit::erased::{Erasure, Left};
use testkit::histories::case;
use testkit::{by_hand, claims, json};

/// Cases; `STILLTHERE_CASES` asks for more.
fn seeds() -> std::ops::Range<u64> {
    let count = std::env::var("STILLTHERE_CASES").ok().and_then(|n| n.parse().ok());
    let from = std::env::var("STILLTHERE_SEED").ok().and_then(|n| n.parse().ok()).unwrap_or(0);
    from..from + count.unwrap_or(8_000)
}

#[test]
fn verdicts_agree_with_the_model() {
    for seed in seeds() {
        let case = case(seed);
        let history = History::of("a", &case.events);
        let bench = Bench::new(case.policy.clone());
        for asked in &case.claims {
            let claim = Claim::read(asked.line().as_bytes()).expect("a claim of ours is read");
            let history = (claim.account == "a").then_some(&history);
            let hash_of = |event: projection::EventRef| {
                let event = case.events.iter().find(|e| e.revision == event.revision);
                Ok::<_, ()>(EventHash::of(&event.expect("evidence is on record").event))
            };
            let real = bench
                .judge(&claim, history, &asked_of(case.as_of, case.known_at), hash_of)
                .expect("every event has a hash");
            let model = claims::judge(asked, &case.events, &case.policy, case.as_of, case.known_at);
            let model = serde_json::to_string(&model).expect("an answer is JSON");
            let text = serde_json::to_string(&real).expect("a verdict is JSON");
            let ignored = ["hash", "because", "caveats"];
            if let Some(difference) = json::difference(&model, &text, &ignored) {
                panic!(
                    "{difference}\nclaim {}\nsays {}\n{}",
                    asked.line(),
                    real.because,
                    case.show()
                );
            }
        }
    }
}

fn asked_of(as_of: Timestamp, known_at: Timestamp) -> Asked {
    Asked { as_of, known_at, names_known_at: false, lang: Language::En }
}

#[test]
fn verdicts_are_those_worked_out_by_hand() {
    let mut wrong = Vec::new();
    for case in by_hand::cases() {
        let policy = Policy::parse(&case.policy_toml()).expect("the table's policies are sound");
        let recorded = case.recorded();
        let history = History::of("a", &recorded);
        let bench = Bench::new(policy);
        for (text, expected) in case.claims {
            let asked = by_hand::claim(text);
            let claim = Claim::read(asked.line().as_bytes()).expect("a claim of ours is read");
            let hash_of = |event: projection::EventRef| {
                Ok::<_, ()>(EventHash::of(&recorded[event.position as usize].event))
            };
            let verdict = bench
                .judge(&claim, Some(&history), &asked_of(Timestamp::MAX, case.known_at()), hash_of)
                .expect("every event has a hash");
            let verdict = serde_json::to_string(&verdict).expect("a verdict is JSON");
            if let Some(difference) = by_hand::check(&verdict, expected) {
                wrong.push(format!("{}, {text}: {difference}", case.name));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// A verdict on an erased history is that on every completion, or leaves it open.
#[test]
fn verdicts_on_erased_histories_are_certain() {
    let (mut said, mut open) = (0, 0);
    for seed in seeds() {
        let case = case(seed);
        let mut rng = fastrand::Rng::with_seed(seed ^ 0xc1a1);
        let erasure = Erasure::random(&mut rng, &case);
        let history = erasure.history();
        let bench = Bench::new(case.policy.clone());
        let completions = [
            erasure.events.clone(),
            erasure.completion(&mut rng, &case),
            erasure.completion(&mut rng, &case),
        ];
        for asked in case.claims.iter().filter(|claim| claim.account == "a") {
            let claim = Claim::read(asked.line().as_bytes()).expect("a claim of ours is read");
            let hash_of = |event: projection::EventRef| {
                let place = event.revision as usize;
                assert_eq!(erasure.left[place], Left::Whole, "only what is there is evidence");
                Ok::<_, ()>(EventHash::of(&erasure.events[place].event))
            };
            let verdict = bench
                .judge(&claim, Some(&history), &asked_of(case.as_of, case.known_at), hash_of)
                .expect("every event has a hash");
            let real = serde_json::to_value(&verdict).expect("a verdict is JSON");
            for events in &completions {
                let model = claims::judge(asked, events, &case.policy, case.as_of, case.known_at);
                let model = serde_json::to_value(&model).expect("an answer is JSON");
                let is_open = |value: &Value| value.is_null() || value == "undetermined";
                let mut fields = vec!["verdict", "state", "cause", "recoverable_until", "lawful"];
                // A reading may be open where the policy as it stands is not.
                let readings = real["readings"].as_object().expect("an object").clone();
                if readings.values().any(is_open) {
                    fields.retain(|field| *field != "verdict");
                }
                let pairs = fields.iter().map(|field| (*field, &real[field], &model[field]));
                let other = &model["readings"];
                let of_readings = readings.iter().map(|(id, said)| (&**id, said, &other[id]));
                for (field, said, whole) in pairs.chain(of_readings) {
                    assert!(
                        is_open(said) || said == whole,
                        "{field}: said {said}, whole {whole}\nclaim {}\nsays {real}\nleft {:?}\n{}{}",
                        asked.line(),
                        erasure.left,
                        testkit::notation::ndjson(events),
                        case.show()
                    );
                }
            }
            let (as_of, known_at) = (case.as_of, case.known_at);
            let whole = claims::judge(asked, &erasure.events, &case.policy, as_of, known_at);
            match (whole.verdict, verdict.verdict) {
                ("undetermined", _) => {}
                (_, stillthere_verifier::Outcome::Undetermined) => open += 1,
                _ => said += 1,
            }
        }
    }
    // Of the claims that the whole history decides, a good part are decided still.
    assert!(3 * said > open, "{said} said, {open} open");
}

#[test]
fn verdicts_on_erased_histories_are_those_worked_out_by_hand() {
    let mut wrong = Vec::new();
    for hand in by_hand::erased::CASES {
        let (erasure, bench) = (hand.erasure(), Bench::new(hand.policy()));
        let history = erasure.history();
        for (text, expected) in hand.claims {
            let asked = by_hand::claim(text);
            let claim = Claim::read(asked.line().as_bytes()).expect("a claim of ours is read");
            let hash_of = |event: projection::EventRef| {
                let place = event.revision as usize;
                assert_eq!(erasure.left[place], Left::Whole, "only what is there is evidence");
                Ok::<_, ()>(EventHash::of(&erasure.events[place].event))
            };
            let asked = asked_of(Timestamp::MAX, Timestamp::MAX);
            let verdict = bench.judge(&claim, Some(&history), &asked, hash_of).expect("hashes");
            let text_of = serde_json::to_string(&verdict).expect("a verdict is JSON");
            if let Some(why) = by_hand::check(&text_of, expected) {
                wrong.push(format!("{}, {text}: {why}", hand.name));
            }
            let is_open = verdict.verdict == stillthere_verifier::Outcome::Undetermined;
            assert!(!is_open || !verdict.caveats.is_empty(), "{text}: {text_of}");
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
