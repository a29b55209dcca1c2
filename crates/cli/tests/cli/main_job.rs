//! Import, state, audit, findings, verify, export and import elsewhere.

use super::{json, out, run};

const AS_OF: [&str; 2] = ["--as-of", "2026-02-13T13:47:38Z"];
const DISPUTE: &str = "fixtures/demo/dispute.ndjson";

fn store_of_the_dispute() -> (tempfile::TempDir, std::path::PathBuf) {
    let folder = tempfile::tempdir().expect("a folder");
    let store = folder.path().join("store");
    let imported = &json(&store, &["import", "--trust-recorded-at", DISPUTE], 0)[0];
    assert_eq!(imported["appended"], 19);
    assert_eq!(imported["size"], 19);
    (folder, store)
}

#[test]
fn importing_again_appends_nothing() {
    let (_folder, store) = store_of_the_dispute();
    let again = &json(&store, &["import", "--trust-recorded-at", DISPUTE], 0)[0];
    assert_eq!((&again["read"], &again["appended"]), (&19.into(), &0.into()));
    assert_eq!((&again["duplicates"], &again["rejected"]), (&19.into(), &0.into()));
}

#[test]
fn the_state_has_days_left() {
    let (_folder, store) = store_of_the_dispute();
    let state = &json(&store, &["state", "mei", AS_OF[0], AS_OF[1]], 0)[0];
    let item = |name: &str| {
        let items = state["items"].as_array().expect("items");
        items.iter().find(|item| item["item"] == name).expect("the item").clone()
    };
    assert_eq!(item("cat.jpg")["recoverable_until"], "2026-03-03T11:45:00Z");
    assert_eq!(item("cat.jpg")["remaining_days"], 18);
    assert_eq!(item("old-draft.txt")["state"], "expired");
    assert_eq!(item("wedding.mp4")["cause"], "provider_purged");
    assert_eq!(state["state_hash"].as_str().map(str::len), Some(64));
}

#[test]
fn claims_are_judged() {
    let (_folder, store) = store_of_the_dispute();
    let verdicts = json(&store, &["audit", "fixtures/demo/claims.ndjson", AS_OF[0], AS_OF[1]], 0);
    let got: Vec<(&str, &str, &str)> = verdicts
        .iter()
        .map(|v| ["claim", "verdict", "lawful"].map(|key| v[key].as_str().expect("a word")))
        .map(|[claim, verdict, lawful]| (claim, verdict, lawful))
        .collect();
    let expected = [
        ("provider-1", "refuted", "no"),
        ("mei-1", "upheld", "no"),
        ("provider-2", "undetermined", "depends"),
        ("mei-2", "undetermined", "depends"),
        ("provider-3", "upheld", "yes"),
        ("provider-4", "upheld", "yes"),
        ("provider-5", "refuted", "no"),
        ("mei-3", "undetermined", "none"),
    ];
    assert_eq!(got, expected);
}

#[test]
fn what_is_exported_has_the_same_hashes_elsewhere() {
    let (folder, store) = store_of_the_dispute();
    let file = folder.path().join("out.ndjson");
    std::fs::write(&file, out(&store, &["export"], 0)).expect("written");
    let elsewhere = folder.path().join("elsewhere");
    out(&elsewhere, &["import", "--trust-recorded-at", file.to_str().expect("UTF-8")], 0);
    let replay = |store| json(store, &["replay", "mei", AS_OF[0], AS_OF[1]], 0);
    assert_eq!(replay(&store).len(), 19);
    assert_eq!(replay(&store), replay(&elsewhere));
}

#[test]
fn derived_files_can_be_deleted_and_a_changed_byte_is_found() {
    let (_folder, store) = store_of_the_dispute();
    let before = out(&store, &["state", "mei", "--json", AS_OF[0], AS_OF[1]], 0);
    let verified = &json(&store, &["verify"], 0)[0];
    assert_eq!((&verified["ok"], &verified["events"]), (&true.into(), &19.into()));
    std::fs::remove_dir_all(store.join("derived")).expect("derived files can be deleted");
    assert_eq!(out(&store, &["state", "mei", "--json", AS_OF[0], AS_OF[1]], 0), before);

    let root = verified["root"].as_str().expect("a root");
    out(&store, &["verify", "--expect-root", root], 0);
    out(&store, &["verify", "--expect-root", &"0".repeat(64)], 1);
    let segment = store.join("log/000000000000.seg");
    let mut bytes = std::fs::read(&segment).expect("the segment");
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    std::fs::write(&segment, bytes).expect("written");
    for level in [&["verify"][..], &["verify", "--quick"]] {
        let verified = &json(&store, level, 1)[0];
        assert_eq!(verified["ok"], false);
        assert!(verified["divergence"]["offset"].is_u64(), "{verified}");
    }
}

#[test]
fn every_verb_has_help_with_an_example() {
    let folder = tempfile::tempdir().expect("a folder");
    let verbs = "import replay state explain accounts findings audit snapshot verify policy export \
                 generate completions";
    for verb in verbs.split_whitespace() {
        let output = run(folder.path(), &[verb, "--help"]);
        assert_eq!(output.status.code(), Some(0), "{verb}");
        assert!(String::from_utf8_lossy(&output.stdout).contains("Example"), "{verb}");
    }
}

#[test]
fn both_languages_speak() {
    let (_folder, store) = store_of_the_dispute();
    let audit = |lang| {
        let claims = "fixtures/demo/claims.ndjson";
        json(&store, &["audit", claims, "--lang", lang, AS_OF[0], AS_OF[1]], 0)
    };
    for (en, zh) in audit("en").iter().zip(audit("zh")) {
        assert_ne!(en["because"], zh["because"]);
        assert_eq!(en["verdict"], zh["verdict"]);
    }
}
