//! Every entry point on the corpus of its fuzz target and on changes of it: what cargo-fuzz does for
//! hours, for some seconds and without it.
//!
//! `STILLTHERE_MUTATIONS=N` makes N changes for each entry point, `STILLTHERE_SEED=N` begins at a seed.
//! `UPDATE_CORPUS=1` writes the seeds of the corpus anew from the fixtures.

mod corpus;

use std::panic::{AssertUnwindSafe, catch_unwind};

use stillthere_testkit::entry::ALL;
use stillthere_testkit::mutate::mutate;

fn number(name: &str) -> Option<u64> {
    std::env::var(name).ok().map(|text| text.parse().expect("a number"))
}

#[test]
fn whatever_the_bytes() {
    let seed = number("STILLTHERE_SEED").unwrap_or_else(|| fastrand::u64(..));
    let mutations = number("STILLTHERE_MUTATIONS").unwrap_or(3000);
    println!("STILLTHERE_SEED={seed}");
    let mut random = fastrand::Rng::with_seed(seed);
    for (name, entry) in ALL {
        let corpus = corpus::read(name);
        assert!(!corpus.is_empty(), "{name} has no corpus: UPDATE_CORPUS=1 makes it");
        // A file of the disk is dearer than memory.
        let mutations = if name == "derived" { mutations / 10 } else { mutations };
        let mutated = (0..mutations).map(|_| {
            let mut bytes = random.choice(&corpus).expect("it is not empty").clone();
            let other = random.choice(&corpus).expect("it is not empty").clone();
            mutate(&mut bytes, &other, &mut random);
            bytes
        });
        for bytes in corpus.iter().cloned().chain(mutated) {
            let result = catch_unwind(AssertUnwindSafe(|| entry(&bytes)));
            assert!(result.is_ok(), "{name}: b\"{}\"", bytes.escape_ascii());
        }
    }
}

#[test]
fn the_corpus_is_of_the_fixtures_and_small() {
    corpus::update();
    let total: usize = ALL.iter().flat_map(|(name, _)| corpus::read(name)).map(|b| b.len()).sum();
    assert!(total < 300 << 10, "{total} bytes");
    for (name, made) in corpus::make() {
        let kept = corpus::read(name);
        assert!(made.iter().all(|bytes| kept.contains(bytes)), "{name}: UPDATE_CORPUS=1 adds it");
    }
}

#[test]
fn every_entry_point_has_its_fuzz_target() {
    for (name, _) in ALL {
        let target = corpus::fuzz().join(format!("fuzz_targets/{name}.rs"));
        let text = std::fs::read_to_string(&target).expect("a target");
        assert!(text.contains(&format!("entry::{name}(bytes)")), "{text}");
    }
    let targets = corpus::fuzz().join("fuzz_targets").read_dir().expect("targets").count();
    assert_eq!(targets, ALL.len());
}
