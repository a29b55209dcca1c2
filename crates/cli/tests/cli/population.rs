//! `policy diff` and `sweep`: the example of docs/population.md by hand, and what is no question.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::binary::{Folder, fixture, root};
use crate::docs::{blocks_of, collect_fields, words};
use crate::readme::{Shown, check, shown};

fn page() -> String {
    std::fs::read_to_string(root().join("docs/population.md")).expect("a page of docs/")
}

/// A folder with the page's policies, and a store with its events.
fn example() -> Folder {
    let (page, folder) = (page(), Folder::new());
    let policies = blocks_of(&page, "toml");
    folder.write("now.toml", &policies[0]);
    folder.write("next.toml", &policies[1]);
    folder.write("lines.ndjson", &blocks_of(&page, "json")[0]);
    folder.run(&["import", "--trust-recorded-at", "lines.ndjson"]).expect(0);
    folder
}

fn diff(folder: &Folder, more: &[&str]) -> Vec<Value> {
    let args = [&["--json", "policy", "diff", "now.toml", "next.toml"], more].concat();
    folder.run(&args).expect(0).json()
}

/// A change in a few words.
fn brief(row: &Value) -> String {
    let word = |key: &str| match &row[key] {
        Value::Null => "-".to_owned(),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    };
    let what = if row["code"].is_null() { word("what") } else { word("code") };
    let of = word("account");
    format!("{of} {what} {} → {} {}", word("before"), word("after"), word("days"))
}

#[test]
fn the_examples_of_the_page_print_what_it_shows() {
    let folder = example();
    let mut ran = 0;
    for Shown { command, output } in shown(&page()) {
        let args: Vec<&str> = command.split_whitespace().skip(1).collect();
        let printed = folder.command(&args).env("COLUMNS", "100").output();
        let printed: crate::binary::Ran = printed.expect("the binary runs").into();
        assert!(!output.is_empty(), "{command}: the page shows nothing of {printed:#?}");
        check(&command, &output, &printed.expect(0).out);
        ran += 1;
    }
    assert_eq!(ran, 2);
}

#[test]
fn every_field_is_on_the_page() {
    let folder = example();
    let page = page();
    let answers = [
        diff(&folder, &["--as-of", "2025-03-24T00:00:00Z"]),
        diff(&folder, &["--as-of", "2025-03-24T00:00:00Z", "--list"]),
        folder.ask(&["sweep", "--policy", "now.toml", "--param", "tiers.free.trash=1d..2d"]),
    ];
    let mut fields = BTreeSet::new();
    answers.iter().flatten().for_each(|answer| collect_fields(answer, &mut fields));
    let known = words(&page);
    let missing: Vec<&String> =
        fields.iter().filter(|field| !known.contains(field.as_str())).collect();
    assert!(missing.is_empty(), "not on docs/population.md: {missing:?}");
    // Every metric is: the codes of findings have a page of their own.
    let answers = std::fs::read_to_string(root().join("docs/answers.md")).expect("a page");
    let said = folder
        .run(&["sweep", "--param", "tiers.standard.trash=1d..2d", "--metric", "x"])
        .expect(2)
        .err;
    let (_, metrics) = said.split_once("expected ").expect("the metrics that there are");
    let metrics: Vec<&str> = metrics.trim_end().split(", ").collect();
    assert_eq!(metrics.len(), 5 + 4 + 3 + 19);
    for metric in metrics {
        assert!(known.contains(metric) || words(&answers).contains(metric), "{metric}");
    }
}

/// 30 days against 14: ben's photo, trashed on 10 March, falls on 24 March or on 9 April; its purge is
/// overdue three days after that.
#[test]
fn what_changes_at_the_instants_where_it_changes() {
    let folder = example();
    let premature = "ann cause provider_purged → window_lapsed -\n\
                     ann premature-purge 2025-03-17T00:00:00Z → - -\n";
    let restored = "cho restored-after-window - → 2025-03-20T00:00:00Z -\n";
    let moved = "ben deadline 2025-04-09T00:00:00Z → 2025-03-24T00:00:00Z -16\n";
    let fallen = "ben state trashed → expired -\n";
    let overdue = "ben overdue-purge - → 2025-03-27T00:00:00Z -\n";
    let later = "ben overdue-purge 2025-04-12T00:00:00Z → 2025-03-27T00:00:00Z -16\n";
    for (as_of, expected) in [
        ("2025-03-01T00:00:00Z", String::new()),
        (
            "2025-03-16T23:59:59Z",
            "ann state trashed → expired -\n\
          ann deadline 2025-04-01T00:00:00Z → 2025-03-16T00:00:00Z -16\n"
                .to_owned()
                + moved
                + "cho deadline 2025-04-04T00:00:00Z → 2025-03-19T00:00:00Z -16\n",
        ),
        ("2025-03-23T23:59:59.999Z", [premature, moved, restored].concat()),
        ("2025-03-24T00:00:00Z", [premature, fallen, moved, restored].concat()),
        ("2025-03-26T23:59:59.999Z", [premature, fallen, moved, restored].concat()),
        ("2025-03-27T00:00:00Z", [premature, fallen, moved, overdue, restored].concat()),
        ("2025-04-08T23:59:59.999Z", [premature, fallen, moved, overdue, restored].concat()),
        ("2025-04-09T00:00:00Z", [premature, moved, overdue, restored].concat()),
        ("2025-04-11T23:59:59.999Z", [premature, moved, overdue, restored].concat()),
        ("2025-04-12T00:00:00Z", [premature, moved, later, restored].concat()),
    ] {
        let rows = diff(&folder, &["--as-of", as_of, "--list"]);
        let found: String = rows.iter().map(|row| brief(row) + "\n").collect();
        assert_eq!(found, expected, "as of {as_of}");
    }
}

#[test]
fn the_summary_counts_what_the_list_shows() {
    let folder = example();
    let as_of = ["--as-of", "2025-03-24T00:00:00Z"];
    let object = diff(&folder, &as_of).pop().expect("an object");
    let rules = json!([
        {"version": null, "key": "policy", "before": "now", "after": "next"},
        {"version": "1", "key": "tiers.free.trash", "before": "30d", "after": "14d"},
    ]);
    assert_eq!(object["rules"], rules);
    let none = json!({"earlier": 0, "later": 0, "now_never": 0, "was_never": 0, "now_none": 0, "was_none": 0});
    let mut earlier = none.clone();
    earlier["earlier"] = json!(1);
    let totals = json!({
        "accounts": 3,
        "accounts_changed": 3,
        "items_changed": 2,
        "changes": 5,
        "statuses": [],
        "states": [{"before": "trashed", "after": "expired", "items": 1}],
        "deadlines": earlier,
        "inactive_at": none,
        "over_quota": {"come": 0, "gone": 0},
        "findings": [
            {"code": "premature-purge", "severity": "breach", "before": 1, "after": 0, "come": 0, "gone": 1, "moved": 0},
            {"code": "restored-after-window", "severity": "warning", "before": 0, "after": 1, "come": 1, "gone": 0, "moved": 0},
        ],
    });
    assert_eq!(object["totals"], totals);
    let bars = object["histogram"].as_array().expect("bars");
    let moved: Vec<&Value> = bars.iter().filter(|bar| bar["deadlines"] != 0).collect();
    assert_eq!(
        moved,
        [&json!({"days_from": -30, "days_to": -8, "deadlines": 1, "inactive_at": 0})]
    );
    let list = diff(&folder, &[&as_of[..], &["--list"]].concat());
    assert_eq!(object["changes"], Value::Array(list.clone()));
    assert_eq!(object["truncated"], false);

    // Pages are pieces of the list.
    for offset in 0..=6usize {
        for limit in 0..=6usize {
            let (from, most) = (offset.to_string(), limit.to_string());
            let page = [&as_of[..], &["--offset", &from, "--limit", &most]].concat();
            let expected: Vec<Value> = list.iter().skip(offset).take(limit).cloned().collect();
            let object = diff(&folder, &page).pop().expect("an object");
            assert_eq!(object["changes"], Value::Array(expected.clone()), "{page:?}");
            assert_eq!(object["truncated"], expected.len() < list.len(), "{page:?}");
            assert_eq!(object["totals"]["changes"], 5);
            assert_eq!(diff(&folder, &[&page[..], &["--list"]].concat()), expected, "{page:?}");
        }
    }
    let asked = diff(&folder, &[&as_of[..], &["--list", "--what", "state,finding"]].concat());
    let expected =
        list.iter().filter(|row| matches!(row["what"].as_str(), Some("state" | "finding")));
    assert!(asked.iter().eq(expected), "{asked:?}");

    // As comma-separated values all are there, whatever the page.
    diff(&folder, &[&as_of[..], &["--csv", "all.csv", "--limit", "1"]].concat());
    let csv = String::from_utf8(folder.read("all.csv")).expect("UTF-8");
    let mut lines = csv.lines();
    let head: Vec<&str> = lines.next().expect("a header").split(',').collect();
    let fields: Vec<&String> = list[0].as_object().expect("a row").keys().collect();
    assert_eq!(fields.len(), head.len());
    for (line, row) in lines.by_ref().zip(&list) {
        for (field, cell) in head.iter().zip(line.split(',')) {
            let value = match &row[*field] {
                Value::Null => String::new(),
                Value::String(text) => text.clone(),
                other => other.to_string(),
            };
            assert_eq!(cell, value, "{field} of {row}");
        }
    }
    assert_eq!(csv.lines().count(), 1 + list.len());
}

#[test]
fn a_policy_against_itself_changes_nothing() {
    let folder = Folder::with_household();
    let same = ["--json", "policy", "diff", "rules.toml", "rules.toml"];
    let object = folder.run(&same).expect(0).object();
    assert_eq!((&object["rules"], &object["changes"]), (&json!([]), &json!([])));
    assert_eq!(object["totals"]["accounts_changed"], 0);
    assert!(object["totals"]["accounts"].as_u64() > Some(0));
}

#[test]
fn where_the_population_comes_from() {
    let folder = example();
    let rules = ["--json", "policy", "diff", "now.toml", "next.toml", "--rules-only"];
    assert_eq!(folder.run(&rules).expect(0).object()["totals"], Value::Null);
    let elsewhere =
        ["--json", "policy", "diff", "now.toml", "next.toml", "--over", "./stillthere.store"];
    assert_eq!(folder.run(&elsewhere).expect(0).object()["totals"]["accounts"], 3);
    for args in [
        &["policy", "diff", "now.toml", "next.toml", "--over", "nowhere"][..],
        &["policy", "diff", "now.toml", "next.toml", "--store", "nowhere"],
    ] {
        folder.run(args).expect(3).says("nowhere");
    }
    let empty = Folder::new();
    let both = ["policy", "diff", "xiaomi-cloud", "rules.toml"];
    assert_eq!(
        empty.run(&[&["--json"][..], &both].concat()).expect(0).object()["totals"],
        Value::Null
    );
    empty.run(&[&both[..], &["--list"]].concat()).expect(2).says("no store");
}

#[test]
fn what_is_no_diff() {
    let folder = example();
    folder.write("bad.toml", "schema = 1\npolicy = \"p\"\n");
    for (args, said) in [
        (&["now.toml"][..], "<B>"),
        (&["now.toml", "missing.toml"], "neither a preset"),
        (&["bad.toml", "now.toml"], "bad.toml:"),
        (&["now.toml", "next.toml", "--what", "colour"], "invalid value 'colour'"),
        (&["now.toml", "next.toml", "--limit=-1"], "--limit"),
        (&["now.toml", "next.toml", "--rules-only", "--list"], "cannot be used with"),
        (
            &["now.toml", "next.toml", "--csv", "stillthere.store/x.csv"],
            "lies in the store's folder",
        ),
        (&["now.toml", "next.toml", "--csv", "nowhere/x.csv"], "nowhere/x.csv"),
    ] {
        folder.run(&[&["policy", "diff"], args].concat()).expect(2).says(said);
    }
}

fn sweep(folder: &Folder, more: &[&str]) -> Value {
    let args = ["--json", "sweep", "--policy", "now.toml", "--as-of", "2025-03-24T00:00:00Z"];
    folder.run(&[&args, more].concat()).expect(0).object()
}

/// What the page works out: purge and restore of ann and cho come 15 days after the trashing, the instant
/// asked about 14 days after ben's.
#[test]
fn a_sweep_by_hand() {
    let folder = example();
    let metric = "trashed,expired,premature-purge,restored-too-late,bytes-held,live";
    let args = ["--param", "trash.tiers.free=12d..16d", "--metric", metric];
    let object = sweep(&folder, &args);
    let row = |value: &str, numbers: [u64; 6]| {
        let [trashed, expired, early, late, bytes, live] = numbers;
        json!({"value": value, "trashed": trashed, "expired": expired, "premature-purge": early,
            "restored-too-late": late, "bytes-held": bytes, "live": live})
    };
    let expected = json!([
        row("12d", [0, 1, 0, 1, 4000, 1]),
        row("13d", [0, 1, 0, 1, 4000, 1]),
        row("14d", [0, 1, 0, 1, 4000, 1]),
        row("15d", [1, 0, 0, 1, 6000, 1]),
        row("16d", [1, 0, 1, 0, 6000, 1]),
    ]);
    assert_eq!(object["points"], expected);
    assert_eq!(object["parameter"], "tiers.free.trash");
    assert_eq!(object["accounts"], 3);
    let same = sweep(
        &folder,
        &["--param", "tiers.free.trash=12d..16d", "--metric", metric, "--version", "1"],
    );
    assert_eq!(same["points"], expected);

    folder
        .run(&[
            "sweep",
            "--policy",
            "now.toml",
            "--as-of",
            "2025-03-24T00:00:00Z",
            "--param",
            "tiers.free.trash=12d..16d",
            "--step",
            "2d",
            "--metric",
            "expired,bytes-held",
            "--csv",
            "s.csv",
            "--svg",
            "s.svg",
        ])
        .expect(0);
    let csv = String::from_utf8(folder.read("s.csv")).expect("UTF-8");
    assert_eq!(csv, "tiers.free.trash,expired,bytes-held\n12d,1,4000\n14d,1,4000\n16d,0,6000\n");
    let svg = String::from_utf8(folder.read("s.svg")).expect("UTF-8");
    assert!(svg.starts_with("<svg ") && svg.ends_with("</svg>\n"), "{svg}");
    for part in [
        "<title id=\"title\">What tiers.free.trash does</title>",
        "<desc id=\"desc\">now, 3 accounts",
        "prefers-color-scheme: dark",
        ">items expired</text>",
        ">12d</text>",
        ">16d</text>",
        ">3.9 KiB</text>",
    ] {
        assert!(svg.contains(part), "{part}: {svg}");
    }
    assert_eq!(svg.matches("<polyline").count(), 2);
}

/// On the demonstration, each point is what `findings` and `accounts` say under a file with that value.
#[test]
fn a_sweep_is_what_other_verbs_say_of_each_policy() {
    let folder = Folder::new();
    let dispute = fixture("demo/dispute.ndjson");
    folder.run(&["import", "--trust-recorded-at", dispute.to_str().expect("UTF-8")]).expect(0);
    let text = folder.run(&["policy", "show", "--toml"]).expect(0).out;
    let asked = [
        "sweep",
        "--param",
        "tiers.standard.trash=1d..61d",
        "--points",
        "5",
        "--metric",
        "live,trashed,expired,purged,breaches,warnings,bytes-held,at-risk",
    ];
    let object = folder.ask(&asked).pop().expect("an object");
    let points = object["points"].as_array().expect("points").clone();
    assert_eq!(points.len(), 5);
    for point in points {
        let value = point["value"].as_str().expect("a value");
        let tier = text.split_once("[version.tiers.standard]").expect("a tier");
        let moved = tier.1.replacen("trash = \"30d\"", &format!("trash = \"{value}\""), 1);
        folder.write("moved.toml", format!("{}[version.tiers.standard]{moved}", tier.0));
        let accounts = folder.ask(&["accounts", "--policy", "moved.toml"]);
        let sum = |key: &str| {
            accounts.iter().map(|line| line[key].as_u64().expect("a number")).sum::<u64>()
        };
        for key in ["live", "trashed", "expired", "purged"] {
            assert_eq!(point[key], sum(key), "{key} of {point}");
        }
        assert_eq!(point["bytes-held"], sum("used_bytes"), "{point}");
        let at_risk = accounts.iter().filter(|line| line["status"] == "at_risk").count();
        assert_eq!(point["at-risk"], at_risk, "{point}");
        let findings = folder.ask(&["findings", "--policy", "moved.toml"]);
        for (key, severity) in [("breaches", "breach"), ("warnings", "warning")] {
            let count = findings.iter().filter(|line| line["severity"] == severity).count();
            assert_eq!(point[key], count, "{key} of {point}");
        }
    }
}

#[test]
fn what_is_no_sweep() {
    let folder = example();
    for (args, said) in [
        (&[][..], "--param"),
        (&["--param", "tiers.free.trash"], "column 1: expected KEY=FROM..TO"),
        (&["--param", "tiers.gold.trash=1d..2d"], "has the tier \"gold\": expected one of free"),
        (
            &["--param", "stages.s.after=1d..2d"],
            "has the stage \"s\": expected a policy with stages",
        ),
        (&["--param", "trash.full_window=1d..2d"], "expected one with trash.full_at"),
        (&["--param", "trash.basis=1d..2d"], "no duration and no size"),
        (&["--param", "tiers.free.trash=9d..2d"], "column 22: the range runs backwards"),
        (&["--param", "tiers.free.trash=1d..2mo"], "of two units"),
        (&["--param", "tiers.free.quota=1d..2d"], "not a size"),
        (
            &["--param", "tiers.free.trash=1d..2d", "--version", "7"],
            "no version \"7\": expected one of 1",
        ),
        (&["--param", "tiers.free.trash=1d..2d", "--points", "0"], "--points"),
        (&["--param", "tiers.free.trash=1d..2d", "--points", "1001"], "--points"),
        (
            &["--param", "tiers.free.trash=1d..2d", "--points", "2", "--step", "1d"],
            "cannot be used with",
        ),
        (&["--param", "tiers.free.trash=0d..1000d", "--step", "1d"], "makes 1001 values"),
        (
            &["--param", "tiers.free.trash=1d..2d", "--metric", "joy"],
            "nothing is called \"joy\": expected live,",
        ),
        (&["--param", "tiers.free.trash=1d..2d", "--metric", "live,live"], "asked for twice"),
        (
            &["--param", "tiers.free.trash=1d..2d", "--svg", "stillthere.store/x.svg"],
            "lies in the store's folder",
        ),
    ] {
        let args = [&["sweep", "--policy", "now.toml"], args].concat();
        folder.run(&args).expect(2).says(said);
    }
    folder.run(&["sweep", "--param", "trash.purge_lag=1d..2d", "--store", "nowhere"]).expect(3);
}
