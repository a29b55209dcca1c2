//! `forecast` as scripts and calendars meet it. What the dates are is held against the model in the tests
//! of `projection`; the page docs/forecast.md in `docs`.

use serde_json::Value;

use crate::binary::{AS_OF, Folder};

const ANN: [&str; 4] = ["--as-of", AS_OF, "forecast", "ann"];

fn object(folder: &Folder, more: &[&str]) -> Value {
    folder.run(&[&["--json"], &ANN[..], more].concat()).expect(0).object()
}

fn whats(dates: &Value) -> Vec<String> {
    let rows = dates["dates"].as_array().expect("dates");
    rows.iter().map(|row| format!("{} {}", row["at"], row["what"]).replace('"', "")).collect()
}

/// Each date with the state a millisecond before and at it.
#[test]
fn the_state_changes_at_each_date() {
    let folder = Folder::with_household();
    let answer = object(&folder, &[]);
    let rows = answer["dates"].as_array().expect("dates");
    assert!(rows.len() >= 2, "{answer}");
    for row in rows {
        let at = row["at"].as_str().expect("a time");
        let ms = event::Timestamp::parse(at).expect("a time").ms();
        let before = event::Timestamp::from_ms(ms - 1).expect("in range").to_string();
        let of = |as_of: &str| {
            let ran = folder.run(&["--json", "--as-of", as_of, "state", "ann"]).expect(0).object();
            match row["item"].as_str() {
                Some(item) => {
                    let items = ran["items"].as_array().expect("items").clone();
                    let item = items.into_iter().find(|row| row["item"] == item).expect("there");
                    item["state"].clone()
                }
                None => ran["status"].clone(),
            }
        };
        let (was, is) = (of(&before), of(at));
        match row["what"].as_str() {
            Some("item_expires") => assert_eq!((was, is), ("trashed".into(), "expired".into())),
            Some("account_at_risk") => assert_eq!((was, is), ("active".into(), "at_risk".into())),
            _ => panic!("{row}"),
        }
    }
}

#[test]
fn what_is_assumed_is_folded_and_appended_nowhere() {
    let folder = Folder::with_household();
    let (files, plain) = (folder.files(), object(&folder, &[]));
    let both = object(&folder, &["--assume", "what-if.ndjson"]);
    assert_eq!((&both["assumed"], &both["duplicates"]), (&2.into(), &0.into()));
    assert_eq!(both["before"]["dates"], plain["dates"]);
    // 6 October + 30 days; a year from the trashing, which is activity, at 10:00 in Shanghai and in UTC.
    assert_eq!(
        whats(&both["after"]),
        ["2025-11-05T10:00:00Z item_expires", "2026-10-06T10:00:00Z account_at_risk"]
    );
    // Whatever was known: what is assumed is no record.
    // By then nobody had recorded the purge of what was trashed on 10 September: + 30 days.
    let known = ["--known-at", "2025-09-11T00:00:00Z", "--assume", "what-if.ndjson"];
    let known = whats(&object(&folder, &known)["after"]);
    assert_eq!(known[0], "2025-10-10T10:00:00Z item_expires");
    assert_eq!(known[1..], whats(&both["after"]));
    // From standard input, packed.
    let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    std::io::Write::write_all(&mut packed, &folder.read("what-if.ndjson")).expect("packed");
    let packed = packed.finish().expect("packed");
    let asked = [&["--json"], &ANN[..], &["--assume", "-"]].concat();
    assert_eq!(folder.run_with(&asked, &packed).expect(0).object(), both);
    let empty = folder.run_with(&asked, b"\n").expect(0).object();
    assert_eq!(empty["after"], empty["before"]);
    assert_eq!(folder.files(), files, "nothing was written");
}

#[test]
fn a_line_that_cannot_be_assumed_is_an_error_with_its_place() {
    let folder = Folder::with_household();
    let of = |id: &str, account: &str, item: &str, more: &str| {
        format!(
            r#"{{"id":"{id}","account":"{account}","occurred_at":"2025-10-05T10:00:00Z","kind":"item_restored","item":"{item}","actor":"user"{more}}}"#
        )
    };
    let bad = [
        of("w1", "ann", "dunes.jpg", ""),
        of("w2", "bob", "dunes.jpg", ""),
        of("e10", "ann", "dunes.jpg", ""),
        of("w1", "ann", "other.jpg", ""),
        of("w3", "ann", "dunes.jpg", r#","bytes":1"#),
        String::new(),
        "nothing".to_owned(),
    ];
    folder.write("bad.ndjson", bad.join("\n"));
    for json in [&[][..], &["--json"]] {
        let ran = folder.run(&[json, &ANN, &["--assume", "bad.ndjson"]].concat()).expect(2);
        assert_eq!(ran.out, "");
        let said: Vec<&str> = ran.err.lines().collect();
        let expected = [
            "bad.ndjson:2: account: must be `ann`, the account that is forecast, found `bob`",
            "bad.ndjson:3: id: `e10` is already at position 9 with other content",
            "bad.ndjson:4: id: `w1` is already on line 1 with other content",
            "bad.ndjson:5: bytes: ",
            "bad.ndjson:7: ",
            "stillthere: bad.ndjson: 5 lines rejected, so nothing is assumed",
        ];
        assert_eq!(said.len(), expected.len(), "{ran:#?}");
        for (said, expected) in said.iter().zip(expected) {
            assert!(said.starts_with(expected), "{said}\nbut {expected}");
        }
    }
    folder.run(&[&ANN[..], &["--assume", "missing.ndjson"]].concat()).expect(2);
}

/// The log's own line, assumed, is there already; but where it is not seen it is assumed.
#[test]
fn an_event_that_the_log_has_is_folded_once() {
    let folder = Folder::with_household();
    let own = folder.read("household.ndjson");
    let of_ann: Vec<&str> = std::str::from_utf8(&own)
        .expect("UTF-8")
        .lines()
        .filter(|line| line.contains(r#""account":"ann""#))
        .collect();
    folder.write("own.ndjson", of_ann.join("\n"));
    let all = object(&folder, &["--assume", "own.ndjson"]);
    assert_eq!((&all["assumed"], &all["duplicates"]), (&0.into(), &of_ann.len().into()));
    assert_eq!(all["after"], all["before"]);
    let earlier = ["--json", "--as-of", "2025-09-11T00:00:00Z", "forecast", "ann"];
    let through = folder.run(&[&earlier[..], &["--assume", "own.ndjson"]].concat()).expect(0);
    let through = through.object();
    assert_eq!(through["assumed"], 3, "{through}");
    let last = whats(&all["after"]);
    assert!(whats(&through["after"]).ends_with(&last), "{through}");
}

#[test]
fn an_account_that_only_assumed_events_know() {
    let folder = Folder::with_household();
    let new = r#"{"id":"1","account":"new","occurred_at":"2025-12-01T00:00:00Z","kind":"account_opened","actor":"user"}"#;
    folder.write("new.ndjson", new);
    folder.write("empty.ndjson", "");
    let ask =
        |file: &str| folder.run(&["--json", "--as-of", AS_OF, "forecast", "new", "--assume", file]);
    let answer = ask("new.ndjson").expect(0).object();
    assert_eq!(answer["before"]["dates"], Value::Array(Vec::new()));
    assert_eq!(whats(&answer["after"]), ["2026-12-01T00:00:00Z account_at_risk"]);
    ask("empty.ndjson").expect(2).says("account new: not in the log");
    // Nor is ann before her first event, but the events of hers are then assumed.
    let early = ["--json", "--as-of", "2020-01-01T00:00:00Z", "forecast", "ann"];
    folder.run(&early).expect(2).says("nothing of account ann is on record");
    let both = folder.run(&[&early[..], &["--assume", "what-if.ndjson"]].concat()).expect(0);
    assert_eq!(whats(&both.object()["before"]), [""; 0]);
}

#[test]
fn the_ends_are_where_they_are_set() {
    let folder = Folder::with_household();
    let until = |end: &str| whats(&object(&folder, &["--until", end]));
    let all = whats(&object(&folder, &[]));
    assert_eq!(all[0], "2025-10-12T10:00:00Z item_expires");
    assert_eq!(until("2025-10-12T09:59:59.999Z"), [""; 0]);
    assert_eq!(until("2025-10-12T10:00:00Z"), all[..1]);
    assert_eq!(until("9999-12-31T23:59:59.999Z"), all);
    assert_eq!(whats(&object(&folder, &["--due-within", "12d"])), all[..1]);
    assert_eq!(whats(&object(&folder, &["--due-within", "11d"])), [""; 0]);
    assert_eq!(object(&folder, &["--due-within", "never"])["until"], Value::Null);
    folder.run(&[&ANN[..], &["--until", AS_OF, "--due-within", "1d"]].concat()).expect(2);
    assert_eq!(until(AS_OF), [""; 0]);
    // Backwards.
    let before = folder.run(&[&ANN[..], &["--until", "2025-01-01T00:00:00Z"]].concat()).expect(2);
    before.says("--until").says("is before the instant that is forecast from");
}

#[test]
fn all_accounts_have_the_dates_of_each() {
    let folder = Folder::with_household();
    let all = folder.run(&["--json", "--as-of", AS_OF, "forecast", "--all"]).expect(0).json();
    let mut expected = Vec::new();
    for line in folder.ask(&["accounts"]) {
        let account = line["account"].as_str().expect("a name");
        for row in folder.ask(&["forecast", account])[0]["dates"].as_array().expect("dates") {
            let mut row = row.clone();
            row["account"] = account.into();
            expected.push(row);
        }
    }
    assert!(expected.len() >= 4);
    assert_eq!(all, expected);
    folder.run(&["forecast"]).expect(2);
    folder.run(&["forecast", "ann", "--all"]).expect(2);
    folder.run(&["forecast", "--all", "--ics", "x.ics"]).expect(2);
}

#[test]
fn a_reading_is_one_of_the_policys() {
    let folder = Folder::with_household();
    let plain = object(&folder, &[]);
    assert_eq!(object(&folder, &["--reading", "default"]), plain);
    folder
        .run(&[&ANN[..], &["--reading", "mine"]].concat())
        .expect(2)
        .says("reading mine: policy xiaomi-cloud has no such reading; it has default, ");
}

#[test]
fn a_calendar_is_the_same_for_the_same_question() {
    let folder = Folder::with_household();
    let out = folder.run(&[&ANN[..], &["--ics", "-"]].concat()).expect(0).out;
    object(&folder, &["--ics", "ann.ics"]);
    assert_eq!(String::from_utf8(folder.read("ann.ics")).expect("UTF-8"), out);
    let entries = out.matches("BEGIN:VEVENT\r\n").count();
    let dates = object(&folder, &[])["dates"].as_array().expect("dates").len();
    assert_eq!(entries, dates);
    assert!(out.contains("DTSTAMP:20251001T000000Z\r\n"), "{out}");
    assert!(out.contains("DTSTART:20251012T100000Z\r\n"), "{out}");
    // Asked later, the entries are the same though one has moved.
    let uids = |text: &str| -> Vec<String> {
        text.lines().filter(|line| line.starts_with("UID:")).map(str::to_owned).collect()
    };
    let viewed = r#"{"id":"v","account":"ann","occurred_at":"2025-10-02T00:00:00Z","kind":"page_viewed","actor":"user"}"#;
    folder.write("viewed.ndjson", viewed);
    let asked = [&ANN[..], &["--ics", "-", "--assume", "viewed.ndjson"]].concat();
    let moved = folder.run(&asked).expect(0).out;
    assert_ne!(moved, out);
    assert_eq!(uids(&moved), uids(&out));
    // Nothing ahead; a store's folder; two that want standard output; over what is read.
    let none = [&ANN[..], &["--ics", "-", "--until", AS_OF]].concat();
    assert!(folder.run(&none).expect(0).out.contains("BEGIN:VJOURNAL\r\n"));
    folder.run(&[&ANN[..], &["--ics", "stillthere.store/x.ics"]].concat()).expect(2);
    folder.run(&[&["--json"], &ANN[..], &["--ics", "-"]].concat()).expect(2);
    let over = ["--assume", "what-if.ndjson", "--ics", "./what-if.ndjson"];
    folder.run(&[&ANN[..], &over].concat()).expect(2).says("is being read");
}

/// Held against a parser that is not ours, where python3 has one.
#[test]
fn another_reader_reads_the_calendar() {
    let folder = Folder::with_household();
    let script = "import icalendar, sys\n\
        text = open('ann.ics', 'rb').read()\n\
        calendar = icalendar.Calendar.from_ical(text)\n\
        for event in calendar.walk('VEVENT'):\n    \
            print(event.decoded('DTSTART').strftime('%Y-%m-%dT%H:%M:%SZ'), event['SUMMARY'])\n";
    let python = |script: &str| {
        let mut command = std::process::Command::new("python3");
        command.current_dir(folder.path("")).args(["-X", "utf8", "-c", script]).output()
    };
    if !python("import icalendar").is_ok_and(|ran| ran.status.success()) {
        println!("python3 has no icalendar: left out");
        return;
    }
    for lang in ["en", "zh"] {
        let answer = object(&folder, &["--ics", "ann.ics", "--lang", lang]);
        let ran = python(script).expect("python3 runs");
        assert!(ran.status.success(), "{}", String::from_utf8_lossy(&ran.stderr));
        let rows = answer["dates"].as_array().expect("dates");
        let expected: Vec<String> = rows
            .iter()
            .map(|row| {
                let (at, says) = (row["at"].as_str(), row["says"].as_str());
                format!("{} {}", at.expect("a time"), says.expect("a sentence"))
            })
            .collect();
        let read = String::from_utf8(ran.stdout).expect("UTF-8");
        assert_eq!(read.lines().collect::<Vec<_>>(), expected);
    }
}
