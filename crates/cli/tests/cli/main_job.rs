//! The main job on the logs that ship with the repository: a dispute, and a real log whole.

use std::path::Path;

use serde_json::{Value, json};

use crate::binary::{Folder, fixture};

const AS_OF: &str = "2026-02-13T13:47:38Z";

/// A folder with a store of one of the shipped logs, which has so many events.
fn imported(log: &str, events: u64) -> Folder {
    let folder = Folder::new();
    let report = import(&folder, &fixture(log), "stillthere.store");
    assert_eq!((&report["read"], &report["appended"]), (&json!(events), &json!(events)));
    folder
}

fn import(folder: &Folder, file: &Path, store: &str) -> Value {
    let file = file.to_str().expect("UTF-8");
    let args = ["import", "--json", "--trust-recorded-at", "--store", store, file];
    folder.run(&args).expect(0).object()
}

fn dispute() -> Folder {
    imported("demo/dispute.ndjson", 19)
}

fn answer(folder: &Folder, args: &[&str]) -> String {
    folder.run(&[&["--json", "--as-of", AS_OF], args].concat()).expect(0).out
}

#[test]
fn the_state_of_the_dispute_has_days_left() {
    let state: Value = serde_json::from_str(&answer(&dispute(), &["state", "mei"])).expect("JSON");
    let item = |name: &str| {
        let items = state["items"].as_array().expect("items");
        items.iter().find(|item| item["item"] == name).expect("the item").clone()
    };
    assert_eq!(item("cat.jpg")["recoverable_until"], "2026-03-03T11:45:00Z");
    assert_eq!(item("cat.jpg")["remaining_days"], 18);
    assert_eq!(item("old-draft.txt")["state"], "expired");
    assert_eq!(item("wedding.mp4")["cause"], "provider_purged");
}

#[test]
fn the_claims_of_the_dispute_are_judged() {
    let folder = dispute();
    let claims = fixture("demo/claims.ndjson");
    let claims = claims.to_str().expect("UTF-8");
    let audit = |lang| {
        let args = ["audit", claims, "--json", "--as-of", AS_OF, "--lang", lang];
        folder.run(&args).expect(0).json()
    };
    let verdicts = audit("en");
    let short: Vec<String> = verdicts
        .iter()
        .map(|v| ["claim", "verdict", "lawful"].map(|key| v[key].as_str().unwrap()).join(" "))
        .collect();
    let expected = [
        "provider-1 refuted no",
        "mei-1 upheld no",
        "provider-2 undetermined depends",
        "mei-2 undetermined depends",
        "provider-3 upheld yes",
        "provider-4 upheld yes",
        "provider-5 refuted no",
        "mei-3 undetermined none",
    ];
    assert_eq!(short, expected);
    for (en, zh) in verdicts.iter().zip(audit("zh")) {
        assert_ne!(en["because"], zh["because"]);
        assert_eq!(en["verdict"], zh["verdict"]);
    }
}

/// As of five dates: how many accounts, and their sums of live, live bytes, trashed, expired, and
/// how many are at risk.
const REAL: [(&str, [u64; 6]); 5] = [
    ("2013-01-01T00:00:00Z", [577, 1_681, 351_856, 27, 355, 0]),
    ("2014-06-01T00:00:00Z", [2_518, 7_576, 1_906_045, 62, 6_506, 147]),
    ("2016-01-01T00:00:00Z", [2_956, 16_594, 4_707_821, 13, 7_351, 2_000]),
    ("2018-02-13T13:47:38Z", [3_825, 26_292, 10_441_349, 6, 12_019, 2_269]),
    ("2020-01-01T00:00:00Z", [4_484, 16_317, 17_274_192, 4, 30_070, 2_305]),
];

#[test]
fn a_real_log_whole() {
    let folder = imported("real/opam-2012-2019.ndjson.gz", 143_175);
    let again = import(&folder, &fixture("real/opam-2012-2019.ndjson.gz"), "stillthere.store");
    let counts = ["appended", "duplicates", "rejected", "size"].map(|key| again[key].as_u64());
    assert_eq!(counts, [0, 143_175, 0, 143_175].map(Some));

    for (as_of, expected) in REAL {
        let lines = folder.run(&["accounts", "--json", "--as-of", as_of]).expect(0).json();
        let sum = |key: &str| lines.iter().map(|line| line[key].as_u64().expect("a count")).sum();
        let at_risk = lines.iter().filter(|line| line["status"] == "at_risk").count() as u64;
        let found = [
            lines.len() as u64,
            sum("live"),
            sum("live_bytes"),
            sum("trashed"),
            sum("expired"),
            at_risk,
        ];
        assert_eq!(found, expected, "as of {as_of}");
    }

    // Neither a store without its derived files nor one made from what was exported answers otherwise.
    let answers = |folder: &Folder, store: &str| {
        let asked = [&["accounts"][..], &["findings"], &["snapshot", "--all"]];
        asked.map(|verb| answer(folder, &[&["--store", store], verb].concat()))
    };
    let before = answers(&folder, "stillthere.store");
    std::fs::remove_dir_all(folder.path("stillthere.store/derived")).expect("deleted");
    assert!(answers(&folder, "stillthere.store") == before, "without derived files");
    folder.run(&["export", "-o", "all.ndjson"]).expect(0);
    import(&folder, &folder.path("all.ndjson"), "elsewhere.store");
    assert!(answers(&folder, "elsewhere.store") == before, "exported and imported");
    folder.run(&["export", "-o", "again.ndjson", "--store", "elsewhere.store"]).expect(0);
    assert!(folder.read("all.ndjson") == folder.read("again.ndjson"), "exported again");

    let verified = folder.run(&["verify", "--json"]).expect(0).object();
    assert_eq!(verified["events"], 143_175);
    let root = verified["root"].as_str().expect("a root");
    folder.run(&["verify", "--expect-root", root]).expect(0);
    folder.run(&["verify", "--expect-root", root, "--store", "elsewhere.store"]).expect(1);
}
