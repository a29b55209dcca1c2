//! What every verb says of an account of which events were erased: what is certain as before, the rest
//! `undetermined`, in JSON and for people.

use eventlog::{Erasing, Log, Options, Target};
use serde_json::Value;
use testkit::erased::{Seen, contradiction};
use testkit::notation::time;

use crate::binary::{Folder, fixture};

const AS_OF: &str = "2026-02-13T13:47:38Z";

/// With `--json`, as of then.
fn ask(folder: &Folder, args: &[&str]) -> Vec<Value> {
    let asked = ["--json", "--as-of", AS_OF];
    let args: Vec<&str> = asked.into_iter().chain(args.iter().copied()).collect();
    folder.run(&args).expect(0).json()
}

/// The demonstration, of which `target` is erased, and its state before.
fn erased(target: Target) -> (Folder, Value) {
    let folder = Folder::new();
    let dispute = fixture("demo/dispute.ndjson");
    folder.run(&["import", "--trust-recorded-at", dispute.to_str().expect("UTF-8")]).expect(0);
    let before = ask(&folder, &["state", "mei"]).remove(0);
    let store = folder.path("stillthere.store");
    let log = Log::open(&store, Options::new(|| time("2026-11-26"))).expect("a log");
    let plan = log.plan_erasure(&[target]).expect("a plan");
    let how = Erasing { ground: "asked for", by: "the operator", forget: false };
    log.erase(plan, &how).expect("erased");
    drop(log);
    (folder, before)
}

fn old() -> (Folder, Value) {
    erased(Target::Before { account: "mei".to_owned(), before: time("2026-01-01") })
}

fn item() -> (Folder, Value) {
    let items = vec!["wedding.mp4".to_owned()];
    erased(Target::Items { account: "mei".to_owned(), items, before: None })
}

#[test]
fn a_state_says_as_before_what_is_certain() {
    for (what, (folder, before)) in [("old", old()), ("item", item())] {
        let state = ask(&folder, &["state", "mei"]).remove(0);
        let mut seen = Seen::default();
        assert_eq!(contradiction(&state, &before, &mut seen), None, "{what}: {state}");
        assert!(seen.held > 10 && seen.open > 0, "{what}: {seen:?}");
        assert!(state["state_hash"] != before["state_hash"], "{what}");
    }
    let (folder, _) = old();
    let state = ask(&folder, &["state", "mei"]).remove(0);
    // It may have been closed before; the last page was viewed after, and the tier came after.
    assert_eq!(state["status"], "undetermined");
    assert_eq!(state["tier"], "standard");
    assert_eq!(state["activity"]["last_at"], "2026-02-10T04:00:00Z");
    assert_eq!(state["erased"]["events"], 10);
    let (folder, _) = item();
    let state = ask(&folder, &["state", "mei"]).remove(0);
    assert_eq!(state["status"], "active");
    assert_eq!(state["erased"]["contents"], 2);
    assert!(!state.to_string().contains("wedding"), "{state}");
}

#[test]
fn every_verb_leaves_open_what_it_must() {
    let (folder, _) = old();
    let line = ask(&folder, &["accounts"]).remove(0);
    assert_eq!(line["status"], "undetermined");
    assert_eq!(line["used_bytes"], Value::Null);
    let open = line["undetermined"].as_array().expect("a list");
    assert!(open.contains(&"live".into()), "{line}");
    let filtered = ask(&folder, &["accounts", "--status", "closed"]);
    assert_eq!(filtered, [serde_json::json!({ "undetermined_accounts": 1 })]);
    let found = ask(&folder, &["findings"]);
    let last = found.last().expect("a line");
    assert_eq!(last["undetermined"], serde_json::json!(["findings"]));
    // Purged at a time that no deadline can have been by: of an item of which all else is unknown nothing is found.
    assert!(found[..found.len() - 1].iter().all(|row| row["item"] != "wedding.mp4"), "{found:?}");
    let forecast = ask(&folder, &["forecast", "mei"]).remove(0);
    assert_eq!(forecast["undetermined"], serde_json::json!(["dates"]));
    let all = ask(&folder, &["forecast", "--all"]);
    assert_eq!(all.last().expect("a line")["undetermined"], serde_json::json!(["dates"]));
    let told = ask(&folder, &["explain", "mei", "cat.jpg"]).remove(0);
    assert_eq!(told["state"], "undetermined");
    assert!(told["sentence"].as_str().expect("a sentence").contains("erased"), "{told}");
    let why = ask(&folder, &["explain", "mei", "cat.jpg", "--why-not", "live"]).remove(0);
    assert_eq!(why["changes"], serde_json::json!([]));
    assert_eq!(why["undetermined"][0], "changes");
    let snapshot = ask(&folder, &["snapshot", "mei"]).remove(0);
    assert_eq!(snapshot["revision"], 18);
    let claims = fixture("demo/claims.ndjson");
    let verdicts = ask(&folder, &["audit", claims.to_str().expect("UTF-8")]);
    let open = verdicts.iter().filter(|verdict| verdict["verdict"] == "undetermined").count();
    assert!(open > 0, "{verdicts:?}");
    for verdict in verdicts.iter().filter(|verdict| verdict["verdict"] == "undetermined") {
        assert!(!verdict["caveats"].as_array().expect("a list").is_empty(), "{verdict}");
    }
    claims_say_what_is_open(&folder);
    let diff = ask(&folder, &["policy", "diff", "xiaomi-cloud", "box"]).remove(0);
    assert_eq!(diff["totals"]["undetermined"], 1);
    let swept = ["sweep", "--param", "tiers.standard.trash=30d..31d"];
    assert_eq!(ask(&folder, &swept).remove(0)["undetermined"], 1);
}

/// Null is what there is not, unless it is listed.
fn claims_say_what_is_open(folder: &Folder) {
    let claim = |of: &str, asserts: &str| {
        format!(r#"{{"claim":"c","account":"mei"{of},"asserts":"{asserts}"}}"#)
    };
    let claims = [
        claim(r#","item":"cat.jpg""#, "gone"),
        claim(r#","item":"wedding.mp4""#, "gone"),
        claim(r#","item":"never-heard-of""#, "gone"),
        claim("", "gone"),
    ];
    folder.write("claims.ndjson", claims.join("\n") + "\n");
    let fields = ["state", "cause", "recoverable_until"];
    for verdict in ask(folder, &["audit", "claims.ndjson"]) {
        assert_eq!(verdict["undetermined"], serde_json::json!(fields), "{verdict}");
        assert!(fields.iter().all(|field| verdict[field].is_null()), "{verdict}");
    }
    // Where two differ whatever else there was, null is none.
    let (contents, _) = item();
    contents.write("claims.ndjson", claims.join("\n") + "\n");
    let verdicts = ask(&contents, &["audit", "claims.ndjson"]);
    let listed: Vec<bool> = verdicts.iter().map(|v| v.get("undetermined").is_some()).collect();
    assert_eq!(listed, [false, true, true, false], "{verdicts:?}");
    assert_eq!(verdicts[3]["state"], Value::Null);
    // So it is in an account of which nothing was erased.
    let whole = Folder::new();
    let dispute = fixture("demo/dispute.ndjson");
    whole.run(&["import", "--trust-recorded-at", dispute.to_str().expect("UTF-8")]).expect(0);
    whole.write("claims.ndjson", claims.join("\n") + "\n");
    for verdict in ask(&whole, &["audit", "claims.ndjson"]) {
        assert_eq!(verdict.get("undetermined"), None, "{verdict}");
    }
}

#[test]
fn people_are_told_in_words() {
    let (folder, _) = old();
    let claims = fixture("demo/claims.ndjson");
    let claims = claims.to_str().expect("UTF-8");
    let verbs: [&[&str]; 10] = [
        &["state", "mei"],
        &["accounts"],
        &["accounts", "--status", "active"],
        &["findings"],
        &["findings", "--lawful"],
        &["explain", "mei", "cat.jpg"],
        &["forecast", "mei"],
        &["audit", claims],
        &["policy", "diff", "xiaomi-cloud", "box"],
        &["sweep", "--param", "tiers.standard.trash=30d..31d"],
    ];
    for verb in verbs {
        for (lang, words) in [("en", ["undetermined", "erased"]), ("zh", ["无法确定", "擦除"])]
        {
            let asked = ["--as-of", AS_OF, "--lang", lang];
            let args: Vec<&str> = asked.into_iter().chain(verb.iter().copied()).collect();
            let ran = folder.run(&args).expect(0);
            let is_said = words.iter().any(|word| ran.out.contains(word));
            assert!(is_said, "{verb:?} {lang}: {ran:#?}");
        }
    }
    for what in ["states", "findings", "accounts"] {
        let args = ["--as-of", AS_OF, "export", "--what", what, "--format", "csv"];
        folder.run(&args).expect(0).says("events of 1 account were erased");
    }
    folder.run(&["--as-of", AS_OF, "report", "-o", "page.html"]).expect(0);
    let page = String::from_utf8(folder.read("page.html")).expect("UTF-8");
    assert!(page.contains("undetermined") && page.contains("erased"), "{page}");
}

/// What counts accounts, or lists what is found of them, says how many are not among them; what is not of all says nothing.
#[test]
fn an_account_that_was_erased_as_a_whole_is_told_of() {
    let (folder, _) = erased(Target::Account { account: "mei".to_owned() });
    let verbs: [&[&str]; 5] = [
        &["accounts"],
        &["findings"],
        &["forecast", "--all"],
        &["policy", "diff", "xiaomi-cloud", "box"],
        &["sweep", "--param", "tiers.standard.trash=30d..31d"],
    ];
    for verb in verbs {
        for (lang, words) in [("en", "1 account"), ("zh", "1 个账号已擦除")] {
            let asked = ["--as-of", AS_OF, "--lang", lang];
            let args: Vec<&str> = asked.into_iter().chain(verb.iter().copied()).collect();
            let ran = folder.run(&args).expect(0);
            let is_said = ran.out.lines().any(|line| {
                line.contains(words) && (line.contains("erased") || line.contains("擦除"))
            });
            assert!(is_said, "{verb:?} {lang}: {ran:#?}");
        }
    }
    folder.run(&["--as-of", AS_OF, "report", "-o", "page.html"]).expect(0);
    let page = String::from_utf8(folder.read("page.html")).expect("UTF-8");
    let said = "1 account that was erased is in no figure of this page.";
    assert!(page.contains(said), "{page}");
    let other = Folder::new();
    let dispute = fixture("demo/dispute.ndjson");
    other.run(&["import", "--trust-recorded-at", dispute.to_str().expect("UTF-8")]).expect(0);
    for verb in verbs {
        let args: Vec<&str> = ["--as-of", AS_OF].into_iter().chain(verb.iter().copied()).collect();
        assert!(!other.run(&args).expect(0).out.contains("erased"), "{verb:?}");
    }
}
