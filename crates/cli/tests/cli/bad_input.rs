//! Bad input gets a sentence and the contract's exit code, and harms nothing.

use std::path::Path;

use super::{json, out, run};

fn check(store: &Path, args: &[&str], code: i32, says: &str) {
    let output = run(store, args);
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(code), "stillthere {args:?} said: {said}");
    assert!(said.contains(says), "stillthere {args:?} said: {said}");
    assert!(!said.contains("panicked"), "stillthere {args:?} said: {said}");
}

#[test]
fn a_bad_line_is_rejected_alone() {
    let folder = tempfile::tempdir().expect("a folder");
    let (store, file) = (folder.path().join("store"), folder.path().join("a.ndjson"));
    let good = |id: &str| {
        format!(
            r#"{{"id":"{id}","account":"a","occurred_at":"2026-01-01T00:00:00Z","kind":"signed_in","actor":"user"}}"#
        )
    };
    let text = format!("{}\n\n{{\"id\":7}}\n{}\n", good("1"), good("2"));
    std::fs::write(&file, text).expect("written");
    let file = file.to_str().expect("UTF-8");
    check(&store, &["import", file], 1, &format!("{file}:3: id: "));
    let again = &json(&store, &["import", file], 1)[0];
    assert_eq!((&again["read"], &again["duplicates"]), (&3.into(), &2.into()));
    assert_eq!((&again["rejected"], &again["size"]), (&1.into(), &2.into()));
}

#[test]
fn usage_and_unreadable_input() {
    let folder = tempfile::tempdir().expect("a folder");
    let store = folder.path().join("store");
    let dispute = "fixtures/demo/dispute.ndjson";
    check(&store, &["import", dispute, "no-such-file"], 2, "no-such-file");
    assert!(!store.exists(), "all files are opened before the first event is appended");
    check(&store, &["import", "fixtures"], 2, "fixtures");
    check(&store, &["state", "mei"], 3, "store");
    assert!(!store.exists(), "a read makes no store");
    out(&store, &["import", "--trust-recorded-at", dispute], 0);
    check(&store, &["state", "nobody"], 2, "nobody");
    check(&store, &["explain", "mei", "nothing"], 2, "nothing");
    check(&store, &["state", "mei", "--as-of", "yesterday"], 2, "yesterday");
    check(&store, &["state", "mei", "--policy", "no-such-policy"], 2, "no-such-policy");
    check(&store, &["verify", "--expect-root", "xyz"], 2, "xyz");
    check(&store, &["findings", "--code", "no-such-code"], 2, "no-such-code");
    check(&store, &["forecast", "mei"], 2, "forecast");
}

#[test]
fn a_bad_policy_says_where() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("p.toml");
    let text =
        "schema = 1\npolicy = \"p\"\n[[version]]\nid = \"v\"\n[version.tiers.t]\ntrash = \"30\"\n";
    std::fs::write(&file, text).expect("written");
    let file = file.to_str().expect("UTF-8");
    check(folder.path(), &["policy", "check", file], 2, &format!("{file}:6:"));
}

#[test]
fn a_folder_of_another_program_is_refused() {
    let folder = tempfile::tempdir().expect("a folder");
    std::fs::write(folder.path().join("notes.txt"), "mine").expect("written");
    check(folder.path(), &["import", "fixtures/demo/dispute.ndjson"], 3, "");
    let left = std::fs::read_dir(folder.path()).expect("a folder").count();
    assert_eq!(left, 1, "nothing was written");
}
