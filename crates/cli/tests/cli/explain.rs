//! `explain --why-not` and `findings --lawful`, and the page that says what they say.

use std::collections::BTreeSet;

use projection::{FindingCode, LawfulWhen};
use serde_json::Value;
use verifier::Wanted;

use crate::binary::{Folder, fixture};
use crate::docs::{collect_fields, page, rows, words};
use crate::readme::run_page;

const AS_OF: &str = "2026-02-13T13:47:38Z";

fn demo() -> Folder {
    let folder = Folder::new();
    let dispute = fixture("demo/dispute.ndjson");
    folder.run(&["import", "--trust-recorded-at", dispute.to_str().expect("UTF-8")]).expect(0);
    folder
}

#[test]
fn the_commands_of_the_page_run() {
    let (ran, checked) = run_page("docs/explain.md");
    assert_eq!((ran, checked), (4, 3));
}

#[test]
fn the_tables_of_the_page_list_what_there_is() {
    let page = page("explain.md");
    let of = |first: &str| -> BTreeSet<String> {
        rows(&page, first).into_iter().map(|row| row[0].clone()).collect()
    };
    let names = LawfulWhen::ALL.iter().map(|when| when.name().to_owned()).collect();
    assert_eq!(of("when"), names);
    let kinds = ["as_of", "reading", "moved", "left_out", "tier", "version"];
    assert_eq!(of("change"), kinds.map(str::to_owned).into());
    let words = words(&page);
    let states = Wanted::ALL.iter().map(|wanted| wanted.name());
    let codes = FindingCode::ALL.iter().map(|code| code.name());
    for word in states.chain(codes) {
        assert!(words.contains(word), "{word} is not on the page");
    }
}

#[test]
fn the_fields_of_json_are_on_the_page() {
    let folder = demo();
    let (page, answers_page) = (page("explain.md"), page("answers.md"));
    let known = &words(&page) | &words(&answers_page);
    let mut fields = BTreeSet::new();
    for item in ["wedding.mp4", "beach.jpg", "receipt.pdf", "old-draft.txt"] {
        for wanted in Wanted::ALL {
            let args = ["explain", "mei", item, "--why-not", wanted.name(), "--as-of", AS_OF];
            let answers = folder.run(&[&args[..], &["--json"]].concat()).expect(0).json();
            let [answer] = &answers[..] else { panic!("one object, not {answers:?}") };
            assert_eq!(answer["asked"], wanted.name());
            let is_so = match wanted {
                Wanted::Recoverable => answer["state"] == "trashed",
                Wanted::Kept => answer["state"] == "live" || answer["state"] == "trashed",
                wanted => answer["state"] == wanted.name(),
            };
            assert_eq!(answer["already"], is_so, "{answer}");
            collect_fields(answer, &mut fields);
        }
    }
    let found = ["--json", "findings", "--lawful", "--as-of", AS_OF];
    folder.run(&found).expect(0).json().iter().for_each(|row| collect_fields(row, &mut fields));
    let missing: Vec<&String> =
        fields.iter().filter(|field| !known.contains(field.as_str())).collect();
    assert!(missing.is_empty(), "not on docs/explain.md: {missing:?}");
}

/// The six questions about what the demonstration is about: beach.jpg was purged on 24 January at 19:00,
/// and could be recovered until 18 June.
#[test]
fn why_beach_jpg_is_not_recoverable() {
    let folder = demo();
    let args = ["explain", "mei", "beach.jpg", "--why-not", "recoverable", "--as-of", AS_OF];
    let answer = &folder.ask(&args)[0];
    let changes = answer["changes"].as_array().expect("a list");
    let told: Vec<(&str, &str, &str)> = changes
        .iter()
        .map(|c| {
            let text = |field: &str| c[field].as_str().unwrap_or_default();
            (text("change"), text("to"), text("recoverable_until"))
        })
        .collect();
    let until = "2026-06-18T13:00:00Z";
    assert_eq!(
        told,
        [
            ("as_of", "2026-01-24T18:59:59.999Z", until),
            ("moved", "2026-02-13T13:47:38.001Z", until),
            ("left_out", "", until),
        ]
    );
    // 19 d 18 h 47 min 38 s and a millisecond.
    let by_ms = ((19 * 24 + 18) * 3600 + 47 * 60 + 38) * 1000 + 1;
    assert_eq!(changes[0]["by_ms"], -by_ms);
    assert_eq!(changes[1]["by_ms"], by_ms);
    let chinese = folder.run(&[&args[..], &["--lang", "zh"]].concat()).expect(0).out;
    assert!(chinese.contains("若没有 2026-01-24T19:00:00Z 服务方的清除（事件 @14）"), "{chinese}");
}

#[test]
fn what_was_lawful_is_added_and_nothing_else_changes() {
    let folder = Folder::with_household();
    let plain = folder.ask(&["findings"]);
    let mut with = folder.ask(&["findings", "--lawful"]);
    assert!(!plain.is_empty());
    for row in &mut with {
        let lawful = row.as_object_mut().expect("an object").remove("lawful_then");
        assert!(lawful.is_some_and(|lawful| lawful["when"].is_string()), "{row}");
    }
    assert_eq!(with, plain);
    let told = &folder.ask(&["explain", "ann", "beach.jpg"])[0]["changes"];
    let purged = told.as_array().and_then(|changes| changes.last()).expect("a change");
    let lengths = |field: &str| purged[field].as_array().map(Vec::len);
    assert!(lengths("findings") > Some(0), "{purged}");
    assert_eq!(lengths("lawful_then"), lengths("findings"));
    assert_ne!(purged["lawful_then"][0]["when"], Value::Null);
}

#[test]
fn bad_questions_are_refused() {
    let folder = demo();
    let gone = ["explain", "mei", "beach.jpg", "--why-not", "gone"];
    let ran = folder.run(&gone).expect(2);
    assert!(ran.err.contains("possible values: live, trashed, expired"), "{ran:?}");
    let nothing = ["explain", "mei", "nothing", "--why-not", "live"];
    let ran = folder.run(&nothing).expect(2);
    assert!(ran.err.contains("has no such item"), "{ran:?}");
    let backup = ["explain", "mei", "phone", "--why-not", "live"];
    assert!(folder.run(&backup).expect(2).err.contains("a backup of account mei"));
}
