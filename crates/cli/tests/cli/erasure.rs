//! A person is erased, and the proof stays: what a person at the keyboard does, and what is refused.

use std::fs;
use std::path::Path;
use std::process::Command;

use serde_json::{Value, json};

use crate::binary::{Folder, fixture, root};

/// Names that no other byte of a store looks like.
pub const PERSON: &str = "meredith-halloran-4711";
pub const OTHER: &str = "bartholomew-quincy-0815";
pub const ITEMS: [&str; 2] = ["wedding-in-lisbon.mp4", "passport-scan-2025.pdf"];
pub const SECRETS: [&str; 6] = [
    PERSON,
    ITEMS[0],
    ITEMS[1],
    "meredith-event-id",
    "meredith@halloran.example",
    "sunset-over-belem",
];

pub fn line(account: &str, n: u32, day: &str, kind: &str, more: &str) -> String {
    let (id, attributes) = match account {
        PERSON => (
            "meredith-event-id",
            r#"{"mail":"meredith@halloran.example","note":"sunset-over-belem"}"#,
        ),
        _ => ("id", "{}"),
    };
    format!(
        r#"{{"id":"{id}-{n}","account":"{account}","occurred_at":"{day}T10:00:00Z","recorded_at":"{day}T10:00:01Z","actor":"user","kind":"{kind}"{more},"attributes":{attributes}}}"#
    )
}

fn item(n: usize) -> String {
    format!(r#","item":"{}","category":"photos","bytes":1000"#, ITEMS[n])
}

/// Two accounts, the one with two items; five events of the one, two of the other.
fn lines() -> String {
    [
        line(PERSON, 1, "2025-01-01", "account_opened", ""),
        line(OTHER, 1, "2025-01-02", "account_opened", ""),
        line(PERSON, 2, "2025-02-01", "item_uploaded", &item(0)),
        line(PERSON, 3, "2025-03-01", "item_uploaded", &item(1)),
        line(PERSON, 4, "2025-04-01", "item_trashed", &format!(r#","item":"{}""#, ITEMS[0])),
        line(PERSON, 5, "2025-05-01", "page_viewed", ""),
        line(OTHER, 2, "2025-06-01", "page_viewed", ""),
    ]
    .join("\n")
        + "\n"
}

/// A store with these, sealed and signed, a kept snapshot, a kept checkpoint, and a certificate of the account.
pub fn sealed() -> Folder {
    let folder = Folder::new();
    folder.write("lines.ndjson", lines());
    folder.run(&["import", "--trust-recorded-at", "lines.ndjson"]).expect(0);
    folder.run(&["key", "new", "--origin", "example.com/accounts"]).expect(0);
    folder.run(&["snapshot", PERSON]).expect(0);
    folder.write("before.checkpoint", folder.run(&["checkpoint"]).expect(0).out);
    folder.write("vkey", folder.run(&["key", "show"]).expect(0).out);
    let as_of = ["--as-of", "2025-10-01T00:00:00Z"];
    folder.run(&[&["certify", PERSON, "-o", "before.cert"][..], &as_of].concat()).expect(0);
    folder
}

/// The files of the store in which one of these stands.
pub fn found(folder: &Folder, secrets: &[&str]) -> Vec<String> {
    let store = folder.path("stillthere.store");
    let mut all = Vec::new();
    for (path, bytes) in folder.files() {
        if !path.starts_with(&store) {
            continue;
        }
        for secret in secrets {
            if bytes.windows(secret.len()).any(|part| part == secret.as_bytes()) {
                all.push(format!("{}: {secret}", path.display()));
            }
        }
    }
    all
}

pub fn erase(folder: &Folder, more: &[&str]) -> Value {
    let args = ["--json", "erase", PERSON, "--ground", "GDPR Art. 17", "--by", "dpo"];
    folder.run(&[&args[..], more].concat()).expect(0).object()
}

#[test]
fn a_person_is_erased_and_the_proof_stays() {
    let folder = sealed();
    assert!(!found(&folder, &[PERSON]).is_empty() && !found(&folder, &[ITEMS[0]]).is_empty());

    let before = folder.files();
    let dry = erase(&folder, &["--dry-run"]);
    assert_eq!(
        (&dry["erasure"], &dry["dry_run"], &dry["at"]),
        (&Value::Null, &true.into(), &Value::Null)
    );
    assert_eq!(
        (&dry["events"], &dry["accounts"], &dry["left"]),
        (&5.into(), &1.into(), &"leaf".into())
    );
    assert_eq!(
        dry["kinds"],
        json!({ "account_opened": 1, "item_trashed": 1, "item_uploaded": 2, "page_viewed": 1 })
    );
    assert_eq!(
        (&dry["first_at"], &dry["last_at"]),
        (&"2025-01-01T10:00:00Z".into(), &"2025-05-01T10:00:00Z".into())
    );
    let segments = |files: &[(std::path::PathBuf, Vec<u8>)]| -> Vec<(std::path::PathBuf, Vec<u8>)> {
        let is_segment = |path: &Path| path.extension().is_some_and(|ending| ending == "seg");
        files.iter().filter(|(path, _)| is_segment(path)).cloned().collect()
    };
    assert_eq!(segments(&folder.files()), segments(&before), "a dry run writes nothing of the log");

    let done = erase(&folder, &[]);
    assert_eq!((&done["erasure"], &done["dry_run"]), (&0.into(), &false.into()));
    for field in ["events", "accounts", "left", "kinds", "first_at", "last_at", "pages", "bytes"] {
        assert_eq!(done[field], dry[field], "{field}");
    }
    assert_eq!(found(&folder, &SECRETS), [""; 0]);

    // What was sealed and certified before still holds.
    let verify = ["--json", "verify", "--checkpoint", "before.checkpoint", "--key", "vkey"];
    let verified = folder.run(&verify).expect(0).object();
    let erased = json!({ "events": 5, "accounts": 1, "erasures": 1, "seals_without_map": 1 });
    assert_eq!((&verified["ok"], &verified["erased"]), (&true.into(), &erased));
    assert_eq!((&verified["events"], &verified["accounts"]), (&7.into(), &2.into()));
    folder.run(&["check", "before.cert", "--key", "vkey", "--account", PERSON]).expect(0);

    // Others see nothing of it, and a person who is gone is unknown.
    folder.run(&["state", PERSON]).expect(2).says("not in the log");
    folder.run(&["erase", PERSON, "--ground", "g", "--by", "b"]).expect(2).says("not in the log");
    let accounts = folder.run(&["--json", "accounts"]).expect(0).json();
    assert_eq!((accounts.len(), &accounts[0]["account"]), (2, &OTHER.into()));
    assert_eq!(accounts[1], json!({ "erased_accounts": 1 }));
    let records = folder.run(&["--json", "erasures"]).expect(0).json();
    let at = &done["at"];
    assert_eq!(
        records,
        [json!({
            "number": 0, "at": at, "ground": "GDPR Art. 17", "by": "dpo", "left": "leaf", "before": null,
            "events": 5, "accounts": 1
        })]
    );
    let exported = folder.run(&["export"]).expect(0).says("5 events were left out: erased");
    assert_eq!(exported.out.lines().count(), 2);
    folder.run(&["doctor"]).expect(0);
    folder.run(&["snapshot", "--all"]).expect(0);
}

#[test]
fn a_certificate_says_what_an_erasure_took_out() {
    let folder = sealed();
    erase(&folder, &[]);
    folder
        .run(&["certify", "--erasure", "0", "-o", "e.cert"])
        .expect(2)
        .says("not under the checkpoint yet");
    folder.run(&["checkpoint"]).expect(0);
    folder
        .run(&["certify", "--erasure", "1", "-o", "e.cert"])
        .expect(2)
        .says("the log has 1 erasure");
    folder.run(&["certify", PERSON, "--erasure", "0", "-o", "e.cert"]).expect(2);
    let args = ["--json", "certify", "--erasure", "0", "--since", "before.cert", "-o", "e.cert"];
    let made = folder.run(&args).expect(0).object();
    assert_eq!(
        (&made["erasure"], &made["events"], &made["accounts"]),
        (&0.into(), &5.into(), &1.into())
    );
    assert!(!folder.read("e.cert").windows(8).any(|part| part == &PERSON.as_bytes()[..8]));

    let one = folder.run(&["--json", "check", "e.cert", "--key", "vkey"]).expect(0).object();
    assert_eq!(one["erasure"]["positions"], json!([[0, 1], [2, 6]]));
    folder.run(&["check", "e.cert", "--key", "vkey", "--account", PERSON]).expect(1);
    let both = ["--json", "check", "e.cert", "before.cert", "--key", "vkey"];
    let both = folder.run(&both).expect(0).object();
    let taken = json!([{
        "erasure": "e.cert", "certificate": "before.cert", "account": PERSON, "events": 5, "of": 5,
        "revisions": [0, 1, 2, 3, 4], "name": true, "one_log": true
    }]);
    assert_eq!(
        (&both["ok"], &both["misconduct"], &both["taken_out"]),
        (&true.into(), &Value::Null, &taken)
    );

    // That the account is not there later speaks against the operator, unless the erasure is shown.
    folder.run(&["certify", PERSON, "-o", "absent.cert"]).expect(0);
    let two = folder.run(&["check", "before.cert", "absent.cert", "--key", "vkey"]).expect(1);
    assert!(two.out.contains("nothing shows that it was erased"), "{two:?}");
    folder.run(&["check", "before.cert", "absent.cert", "e.cert", "--key", "vkey"]).expect(0);

    // Another reader says the same.
    let python = Command::new("python3")
        .arg(root().join("docs/check_erasure.py"))
        .args([folder.path("e.cert").as_os_str(), "--earlier".as_ref()])
        .arg(folder.path("before.cert"))
        .args(["--key", String::from_utf8(folder.read("vkey")).expect("text").trim()])
        .output();
    let Ok(python) = python else { return eprintln!("not tried: there is no python3") };
    let said: Value =
        serde_json::from_slice(&python.stdout).unwrap_or_else(|e| panic!("{e}: {python:?}"));
    assert_eq!(said["ok"], true, "{said}");
    for field in ["page", "at", "ground", "by", "left", "before", "events", "accounts"] {
        assert_eq!(said["erasure"][field], one["erasure"][field], "{field}");
    }
    assert_eq!(said["taken_out"][0]["revisions"], taken[0]["revisions"]);
    assert_eq!((&said["since"], &said["taken_out"][0]["name"]), (&one["since"], &true.into()));
}

#[test]
fn items_and_what_is_old_are_erased_and_shown_where_they_were() {
    let folder = sealed();
    folder
        .run(&["erase", PERSON, "--item", "nothing-like-it", "--ground", "g", "--by", "b"])
        .expect(2)
        .says("no event of account");
    let done = erase(&folder, &["--item", ITEMS[0]]);
    assert_eq!(
        (&done["events"], &done["accounts"], &done["left"]),
        (&2.into(), &0.into(), &"envelope".into())
    );
    assert_eq!(done["kinds"], json!({ "item_trashed": 1, "item_uploaded": 1 }));
    assert_eq!(found(&folder, &[ITEMS[0]]), [""; 0]);
    assert!(!found(&folder, &[ITEMS[1]]).is_empty());
    // Again: there is nothing, and no record is made of it.
    let again = erase(&folder, &["--item", ITEMS[0]]);
    assert_eq!((&again["erasure"], &again["events"]), (&Value::Null, &0.into()));

    let old = erase(&folder, &["--before", "2025-02-01T10:00:00Z"]);
    assert_eq!(
        (&old["erasure"], &old["events"]),
        (&1.into(), &1.into()),
        "the instant itself is not before"
    );
    let lines = folder.run(&["--json", "replay", PERSON]).expect(0).json();
    let shown: Vec<_> = lines
        .iter()
        .map(|line| {
            (line["position"].as_u64().unwrap(), line["erased"].as_str(), line["erasure"].as_u64())
        })
        .collect();
    assert_eq!(
        shown,
        [
            (0, Some("event"), Some(1)),
            (2, Some("content"), Some(0)),
            (3, None, None),
            (4, Some("content"), Some(0)),
            (5, None, None)
        ]
    );
    assert_eq!(
        (&lines[1]["kind"], &lines[1]["occurred_at"]),
        (&"item_uploaded".into(), &"2025-02-01T10:00:00Z".into())
    );
    assert!(
        lines[1]["effect"].is_null()
            && lines[1].get("hash").is_none()
            && lines[0].get("kind").is_none()
    );
    let table = folder.run(&["replay", PERSON]).expect(0).out;
    assert!(
        table.contains("its content was erased (erasure 0)")
            && table.contains("it was erased (erasure 1)"),
        "{table}"
    );
    // The rest of what was content-erased goes with the account.
    let whole = erase(&folder, &[]);
    assert_eq!(
        (&whole["erasure"], &whole["events"], &whole["accounts"]),
        (&2.into(), &4.into(), &1.into())
    );
    assert_eq!(found(&folder, &SECRETS), [""; 0]);
    folder.run(&["verify"]).expect(0);
}

#[test]
fn a_hold_and_the_policys_floor_refuse() {
    let folder = sealed();
    let hold = |n, kind| line(PERSON, n, "2025-07-01", kind, r#","hold":"case-12""#);
    folder.write("hold.ndjson", hold(6, "hold_placed") + "\n");
    folder.run(&["import", "hold.ndjson"]).expect(0);
    let args = ["erase", PERSON, "--ground", "g", "--by", "b"];
    let refused = folder.run(&args).expect(1).says("the hold case-12 stands");
    assert_eq!(refused.out, "");
    folder.run(&[&args[..], &["--dry-run"]].concat()).expect(1);
    folder.run(&[&args[..], &["--item", ITEMS[0]]].concat()).expect(1);
    folder.write("release.ndjson", hold(7, "hold_released") + "\n");
    folder.run(&["import", "release.ndjson"]).expect(0);

    let policy = |keep: &str| {
        format!(
            "schema = 1\npolicy = \"ours\"\n[[version]]\nid = \"1\"\ntiers.a = {{}}\nrecords.keep = \"{keep}\"\n"
        )
    };
    folder.write("long.toml", policy("900y"));
    let refused = folder.run(&[&args[..], &["--policy", "long.toml"]].concat()).expect(1);
    let refused = refused.says("keeps records for 900y: of the 7 events that this asks for, 7 are kept until 2925-07-01T10:00:00Z");
    assert_eq!(refused.out, "");
    assert!(!found(&folder, &[PERSON]).is_empty());
    folder.write("short.toml", policy("1d"));
    folder.run(&[&args[..], &["--policy", "short.toml"]].concat()).expect(0);
    // A ground that is none.
    let other = ["erase", OTHER, "--by", "b"];
    folder.run(&other).expect(2).says("--ground");
    folder.run(&[&other[..], &["--ground", ""]].concat()).expect(2).says("1 to 1024");
    folder
        .run(&[&other[..], &["--ground", &"x".repeat(1025)]].concat())
        .expect(2)
        .says("1 to 1024");
}

#[test]
fn the_policy_says_what_is_due() {
    let folder = sealed();
    let retain =
        ["--policy", "keep.toml", "--as-of", "2026-03-01T10:00:00Z", "retain", "--by", "dpo"];
    folder.write(
        "keep.toml",
        "schema = 1\npolicy = \"ours\"\n[[version]]\nid = \"1\"\ntiers.a = {}\nrecords.keep = \"1y\"\n",
    );
    folder.run(&["retain", "--as-of", "2026-03-01T10:00:00Z"]).expect(2).says("--policy");
    folder.run(&["--policy", "keep.toml", "retain"]).expect(2).says("--as-of");
    let ahead = ["--policy", "keep.toml", "--as-of", "2999-01-01T00:00:00Z", "retain", "--by", "b"];
    folder.run(&ahead).expect(2).says("lies ahead");
    let all = folder.run(&[&["--json"][..], &ahead, &["--dry-run"]].concat()).expect(0).json();
    assert_eq!((all.len(), &all[2]["events"], &all[2]["dry_run"]), (3, &7.into(), &true.into()));

    let dry = folder.run(&[&["--json"][..], &retain, &["--dry-run"]].concat()).expect(0).json();
    let of = |line: &Value| (line["account"].clone(), line["events"].clone(), line["of"].clone());
    assert_eq!(of(&dry[0]), (OTHER.into(), 1.into(), 2.into()));
    // The instant itself is due: 1 March 10:00 of the year before.
    assert_eq!(of(&dry[1]), (PERSON.into(), 3.into(), 5.into()));
    assert_eq!(
        (&dry[2]["before"], &dry[2]["erasures"]),
        (&"2025-03-01T10:00:00.001Z".into(), &json!([]))
    );
    let done = folder.run(&[&["--json"][..], &retain].concat()).expect(0).json();
    assert_eq!(
        (&done[2]["erased"], &done[2]["erasures"], &done[2]["accounts"]),
        (&4.into(), &json!([0]), &2.into())
    );
    assert_eq!(found(&folder, &[ITEMS[1]]), [""; 0]);
    let records = folder.run(&["--json", "erasures"]).expect(0).object();
    assert_eq!(records["before"], "2025-03-01T10:00:00.001Z");
    assert_eq!(
        records["ground"],
        "retention: ours, version 1, keeps records for 1y; as of 2026-03-01T10:00:00Z"
    );
    // A second run has nothing to do.
    let again = folder.run(&[&["--json"][..], &retain].concat()).expect(0).json();
    assert_eq!((again.len(), &again[0]["events"]), (1, &0.into()));
    folder.run(&["verify"]).expect(0);
}

/// The bytes of the log's segments.
fn log_bytes(folder: &Folder) -> u64 {
    let is_segment = |path: &Path| path.extension().is_some_and(|ending| ending == "seg");
    let files = folder.files().into_iter().filter(|(path, _)| is_segment(path));
    files.map(|(_, bytes)| bytes.len() as u64).sum()
}

/// A log of several segments, of which the old ones give their room back: at a retention, and behind one that was stopped.
#[test]
fn old_segments_give_their_room_back() {
    let folder = Folder::new();
    let store = folder.path("stillthere.store");
    let now = || event::Timestamp::parse("2026-01-01T00:00:00Z").expect("a time");
    let open = || {
        let options = eventlog::Options { segment_bytes: 4000, ..eventlog::Options::new(now) };
        eventlog::Log::open(&store, options).expect("a log")
    };
    let log = open();
    for n in 0..60 {
        let day = format!("2025-{:02}-{:02}", 1 + n / 6, 1 + n % 6);
        let lines = [PERSON, OTHER].map(|who| line(who, n, &day, "item_uploaded", &item(0)));
        let read = |line: &String| event::read_line(line.as_bytes()).expect("an event");
        log.append(lines.iter().map(read).collect()).expect("appended");
    }
    log.close().expect("closed");
    folder.run(&["key", "new", "--origin", "example.com/accounts"]).expect(0);
    folder.write("before.checkpoint", folder.run(&["checkpoint"]).expect(0).out);
    folder.write("vkey", folder.run(&["key", "show"]).expect(0).out);
    folder.run(&["certify", PERSON, "-o", "before.cert"]).expect(0);
    folder.run(&["backup", "--to", "old"]).expect(0);
    folder.write(
        "keep.toml",
        "schema = 1\npolicy = \"ours\"\n[[version]]\nid = \"1\"\ntiers.a = {}\nrecords.keep = \"1y\"\n",
    );
    let retain = |as_of: &str, more: &[&str]| {
        let args = ["--json", "--policy", "keep.toml", "--as-of", as_of, "retain", "--by", "dpo"];
        let answers = folder.run(&[&args[..], more].concat()).expect(0).json();
        answers.last().expect("an answer").clone()
    };
    let as_of = "2026-07-01T00:00:00Z";
    let dry = retain(as_of, &["--dry-run"]);
    let was = log_bytes(&folder);
    let done = retain(as_of, &[]);
    assert_eq!((&done["erased"], &done["shrunk"]), (&72.into(), &dry["shrunk"]));
    let (segments, bytes) = (&done["shrunk"]["segments"], &done["shrunk"]["bytes"]);
    assert!(segments.as_u64() >= Some(2) && bytes.as_u64() > Some(4000), "{done}");
    // The record and its page's trailer came to it.
    let now_bytes = log_bytes(&folder);
    assert!(now_bytes + bytes.as_u64().expect("a number") >= was && now_bytes + 3000 < was);
    assert_eq!(retain(as_of, &[])["shrunk"], json!({ "segments": 0, "bytes": 0 }));
    assert_eq!(found(&folder, &["meredith-event-id-1\"", "meredith-event-id-35"]), [""; 0]);

    let verify = ["--json", "verify", "--checkpoint", "before.checkpoint", "--key", "vkey"];
    let verified = folder.run(&verify).expect(0).object();
    assert_eq!((&verified["ok"], &verified["erased"]["events"]), (&true.into(), &72.into()));
    folder.run(&["verify", "--quick"]).expect(0);
    folder.run(&["check", "before.cert", "--key", "vkey", "--account", PERSON]).expect(0);
    folder.run(&["doctor"]).expect(0);
    let replayed = folder.run(&["--json", "replay", PERSON]).expect(0).json();
    assert_eq!(replayed.iter().filter(|line| line["erased"] == "event").count(), 36);
    folder.run(&["checkpoint"]).expect(0);
    folder.run(&["certify", "--erasure", "0", "-o", "erasure.cert"]).expect(0);
    folder.run(&["check", "erasure.cert", "before.cert", "--key", "vkey"]).expect(0);
    let salvage = folder.run(&["--json", "salvage", "--to", "salvaged"]).expect(0).object();
    assert_eq!(salvage["erased"]["events"], 72);
    let python =
        Command::new("python3").arg(root().join("docs/check_format.py")).arg(&store).output();
    if let Ok(python) = python {
        let said: Value =
            serde_json::from_slice(&python.stdout).unwrap_or_else(|e| panic!("{e}: {python:?}"));
        let root = &folder.run(&["--json", "verify"]).expect(0).object()["root"];
        assert_eq!((&said["root"], &said["erased"]["events"]), (root, &72.into()));
    }

    // An erasure that left the shrinking to the next one.
    let log = open();
    let target = eventlog::Target::Before {
        account: PERSON.to_owned(),
        before: event::Timestamp::parse("2025-10-01T00:00:00Z").expect("a time"),
    };
    let other = eventlog::Target::Before {
        account: OTHER.to_owned(),
        before: target.before().expect("one"),
    };
    let how = eventlog::Erasing { ground: "asked for", by: "the operator", forget: false };
    let plan = log.plan_erasure(&[target, other]).expect("a plan");
    log.erase(plan, &how).expect("erased");
    log.close().expect("closed");
    let args = ["--policy", "keep.toml", "--as-of", as_of, "retain", "--by", "dpo"];
    let again = folder.run(&args).expect(0);
    assert!(again.out.contains("of nothing but erased events, gave back"), "{again:?}");
    // One of before is restored, and shrinks as this did.
    let restored =
        ["--json", "restore", "--from", "old", "--erasures", "stillthere.store", "--store", "new"];
    folder.run(&restored).expect(0);
    let sizes = |store: &str| {
        let files = std::fs::read_dir(folder.path(store).join("log")).expect("a folder");
        files.map(|file| file.expect("a file").metadata().expect("read").len()).collect::<Vec<_>>()
    };
    let all = |store: &str| sizes(store).into_iter().sum::<u64>();
    assert!(all("new") < was && all("new").abs_diff(all("stillthere.store")) < 4000);
}

#[test]
fn what_was_erased_is_not_taken_in_again_unless_it_is_asked_for() {
    let folder = sealed();
    erase(&folder, &[]);
    let import = ["--json", "import", "--trust-recorded-at", "lines.ndjson"];
    let refused =
        folder.run(&import).expect(1).says("lines.ndjson:1: id: `meredith-event-id-1` was erased");
    let object = refused.object();
    assert_eq!(
        (&object["rejected"], &object["duplicates"], &object["appended"]),
        (&5.into(), &2.into(), &0.into())
    );
    assert_eq!(found(&folder, &SECRETS), [""; 0]);
    let taken = folder.run(&[&import[..], &["--readmit"]].concat()).expect(0).object();
    assert_eq!((&taken["appended"], &taken["size"]), (&5.into(), &12.into()));
    folder.run(&["state", PERSON]).expect(0);
    folder.run(&["verify"]).expect(0);
    // With --forget nothing is known of it, nor of the time before it came again.
    erase(&folder, &["--forget"]);
    let tags = fs::read(folder.path("stillthere.store/keys/erased")).unwrap();
    assert_eq!(tags.len(), 80, "a head and a hash");
    let taken = folder.run(&import).expect(0).object();
    assert_eq!((&taken["appended"], &taken["duplicates"]), (&5.into(), &2.into()));
}

#[test]
fn replay_says_what_an_event_did_only_where_it_is_certain() {
    let more = [
        line(PERSON, 6, "2025-06-01", "trash_emptied", ""),
        line(PERSON, 7, "2025-06-02", "item_uploaded", &item(0)),
        line(PERSON, 8, "2025-06-03", "data_cleared", r#","cause":"closed""#),
    ];
    let effects = |asked: &[&str]| -> Vec<String> {
        let folder = Folder::new();
        folder.write("lines.ndjson", lines() + &more.join("\n") + "\n");
        folder.run(&["import", "--trust-recorded-at", "lines.ndjson"]).expect(0);
        if !asked.is_empty() {
            erase(&folder, asked);
        }
        let lines = folder.run(&["--json", "replay", PERSON]).expect(0).json();
        lines.iter().map(|line| line["effect"].as_str().unwrap_or("-").to_owned()).collect()
    };
    let [wedding, passport] = ITEMS.map(|item| format!("item {item}"));
    let said = |texts: &[&str]| -> Vec<String> {
        let text = |text: &&str| text.replace("WEDDING", &wedding).replace("PASSPORT", &passport);
        texts.iter().map(text).collect()
    };
    assert_eq!(
        effects(&[]),
        said(&[
            "account: opened",
            "WEDDING: new → live",
            "PASSPORT: new → live",
            "WEDDING: live → trashed",
            "nothing moved",
            "WEDDING: expired → purged",
            "WEDDING: purged → live",
            "WEDDING: live → removed; PASSPORT: live → removed",
        ])
    );
    assert_eq!(
        effects(&["--before", "2025-02-15T00:00:00Z"]),
        said(&[
            "-",
            "-",
            "PASSPORT: ? → live",
            "not known: events were erased",
            "nothing moved",
            "not known: events were erased",
            "WEDDING: ? → live",
            "PASSPORT: live → removed; WEDDING: live → removed; perhaps more",
        ])
    );
    assert_eq!(
        effects(&["--item", ITEMS[0]]),
        said(&[
            "account: opened",
            "-",
            "PASSPORT: ? → live",
            "-",
            "nothing moved",
            "not known: events were erased",
            "-",
            "PASSPORT: live → removed; item of an erased name: live → removed; perhaps more",
        ])
    );
}

#[test]
fn a_backup_that_contains_a_name_alone_is_known_to() {
    let folder = sealed();
    erase(&folder, &[]);
    let erase_other = ["erase", OTHER, "--ground", "g", "--by", "x"];
    folder.run(&[&erase_other[..], &["--before", "2026-01-01T00:00:00Z"]].concat()).expect(0);
    folder.run(&["backup", "--to", "old.backup"]).expect(0);
    folder.run(&erase_other).expect(0);
    let earlier = |to: &str, earlier: &str| -> Value {
        let said = folder.run(&["--json", "backup", "--to", to, "--earlier", earlier]).expect(0);
        let erasures = said.object()["earlier"][0]["erasures"].clone();
        let of = |one: &Value| json!([one["number"], one["events"], one["accounts"]]);
        erasures.as_array().expect("a list").iter().map(of).collect()
    };
    assert_eq!(earlier("new.backup", "old.backup"), json!([[2, 0, 1]]));
    assert_eq!(earlier("newer.backup", "new.backup"), json!([]));
}

#[test]
fn a_backup_of_before_is_known_to_contain_it_and_is_restored_without_it() {
    let folder = sealed();
    folder.run(&["backup", "--to", "old.backup"]).expect(0);
    erase(&folder, &[]);
    let said = folder
        .run(&["--json", "backup", "--to", "new.backup", "--earlier", "old.backup"])
        .expect(0);
    let earlier = &said.object()["earlier"][0];
    assert_eq!(
        (
            &earlier["backup"],
            &earlier["erasures"][0]["events"],
            &earlier["erasures"][0]["accounts"]
        ),
        (&"old.backup".into(), &5.into(), &1.into())
    );
    let none = folder
        .run(&["--json", "backup", "--to", "newer.backup", "--earlier", "new.backup"])
        .expect(0);
    assert_eq!(none.object()["earlier"][0]["erasures"], json!([]));
    folder.run(&["backup", "--to", "b", "--earlier", "missing.backup"]).expect(2);
    assert!(!folder.path("b").exists());
    let dispute = fixture("demo/dispute.ndjson");
    folder.run(&["--store", "stranger", "import", dispute.to_str().unwrap()]).expect(0);
    folder.run(&["backup", "--to", "b", "--earlier", "stranger"]).expect(2).says("another id");

    let restore = ["--json", "--store", "again.store", "restore", "--from", "old.backup"];
    folder.run(&[&restore[..], &["--erasures", "stranger"]].concat()).expect(2).says("another id");
    assert!(!folder.path("again.store").exists());
    let done =
        folder.run(&[&restore[..], &["--erasures", "new.backup"]].concat()).expect(0).object();
    assert_eq!(done["erased_again"], json!({ "erasures": 1, "events": 5, "accounts": 1 }));
    for (path, bytes) in folder.files() {
        let is_again = path.starts_with(folder.path("again.store"));
        let has = |secret: &str| bytes.windows(secret.len()).any(|part| part == secret.as_bytes());
        assert!(!is_again || !SECRETS.iter().any(|secret| has(secret)), "{}", path.display());
    }
    folder.run(&["--store", "again.store", "verify"]).expect(0);
    fs::remove_dir_all(folder.path("again.store")).expect("taken away");
    // Without being asked, all of it comes back.
    let back = folder.run(&restore).expect(0).object();
    assert!(back.get("erased_again").is_none());
}

/// After a restore there can be two logs of one id. Records of the one name positions, which are others' in the other.
#[test]
fn what_one_log_erased_is_never_erased_in_one_that_parted_from_it() {
    let folder = Folder::new();
    let lines = |account: &str, from: u32, to: u32| -> String {
        (from..to).map(|n| line(account, n, "2025-07-01", "page_viewed", "") + "\n").collect()
    };
    let import = |store: &str, lines: String| {
        folder.write("lines.ndjson", lines);
        folder.run(&["--store", store, "import", "lines.ndjson"]).expect(0);
    };
    import("a", lines("carol", 0, 3));
    folder.run(&["--store", "a", "backup", "--to", "common"]).expect(0);
    folder.run(&["--store", "b", "restore", "--from", "common"]).expect(0);
    import("a", lines("alice", 0, 5));
    import("b", lines("bob", 0, 3));
    folder.run(&["--store", "a", "backup", "--to", "a.before"]).expect(0);
    folder.run(&["--store", "b", "backup", "--to", "b.backup"]).expect(0);
    for account in ["alice", "carol"] {
        folder.run(&["--store", "a", "erase", account, "--ground", "g", "--by", "x"]).expect(0);
    }

    let restore = |from: &str, newer: &str| {
        folder.run(&["--json", "--store", "again", "restore", "--from", from, "--erasures", newer])
    };
    let parted = "b.backup: not a backup of the log of a, which has another event at position 3";
    restore("b.backup", "a").expect(2).says(parted);
    assert!(!folder.path("again").exists());
    let ran = folder.run(&["--store", "a", "backup", "--to", "new", "--earlier", "b.backup"]);
    ran.expect(2).says(parted);
    assert!(!folder.path("new").exists());

    // Erased on the one side or both, and with seals of its own, it is the same log.
    for (from, events) in [("common", 3), ("a.before", 8)] {
        let done = restore(from, "a").expect(0).object();
        assert_eq!(done["erased_again"]["events"], events, "{from}");
        let root = done["root"].as_str().expect("of the restored store");
        folder.run(&["--store", "again", "verify", "--expect-root", root]).expect(0);
        folder.run(&["--store", "again", "backup", "--to", "again.backup"]).expect(0);
        fs::remove_dir_all(folder.path("again")).expect("taken away");
        let done = restore("again.backup", "a").expect(0).object();
        assert_eq!(done["erased_again"]["events"], 0, "{from}");
        fs::remove_dir_all(folder.path("again")).expect("taken away");
        fs::remove_dir_all(folder.path("again.backup")).expect("taken away");
    }
    // The same lines taken in twice have other salts: they are not the same events.
    folder.run(&["--store", "d", "restore", "--from", "common"]).expect(0);
    import("d", lines("alice", 0, 5));
    restore("d", "a").expect(2).says("which has another event at position 3");
}

/// Whatever was erased, the log is as it was written, also once what is derived of it was made anew.
#[test]
fn a_log_with_any_erasure_is_as_it_was_written() {
    for what in [
        &["--item", "wedding.mp4"][..],
        &["--before", "2026-01-01T00:00:00Z"],
        &["--before", "2027-01-01T00:00:00Z"],
        &[],
    ] {
        let folder = Folder::new();
        let dispute = root().join("fixtures/demo/dispute.ndjson");
        let dispute = dispute.to_str().expect("UTF-8");
        folder.run(&["import", "--trust-recorded-at", dispute]).expect(0);
        let erase = ["erase", "mei", "--ground", "asked for", "--by", "dpo"];
        folder.run(&[&erase, what].concat()).expect(0);
        folder.run(&["verify"]).expect(0);
        std::fs::remove_dir_all(folder.path("stillthere.store/derived")).expect("removed");
        folder.run(&["verify"]).expect(0);
        let again = ["import", "--trust-recorded-at", dispute];
        folder.run(&again).expect(1).says("was erased; --readmit takes it in again");
        folder.run(&[&again[..], &["--readmit"]].concat()).expect(0);
        folder.run(&["verify"]).expect(0);
    }
}

/// Nobody is told that nothing was ever there.
#[test]
fn what_is_erased_is_said_to_be_where_nothing_else_is_left() {
    let folder = sealed();
    erase(&folder, &["--item", ITEMS[0]]);
    folder.run(&["explain", PERSON, ITEMS[0]]).expect(2).says("unless what named it was erased");
    let healthy = folder.run(&["doctor"]).expect(0).out;
    assert!(healthy.contains("is healthy: 7 events, 2 of them erased."), "{healthy}");
    erase(&folder, &[]);
    folder.run(&["erase", OTHER, "--ground", "g", "--by", "b"]).expect(0);
    let doctor = folder.run(&["--json", "doctor"]).expect(0).object();
    let erased = json!({ "events": 7, "accounts": 2, "erasures": 3 });
    assert_eq!((&doctor["events"], &doctor["erased"]), (&7.into(), &erased));
    for (lang, parts) in [
        (
            "en",
            [
                "7 events, 7 of them erased",
                "2 accounts were erased",
                "Of 2 accounts that were erased",
            ],
        ),
        ("zh", ["7 条事件，其中 7 条已擦除", "2 个账号已擦除", "另有 2 个账号已擦除，无从得知"]),
    ] {
        let verbs: [&[&str]; 3] = [&["doctor"], &["accounts"], &["findings"]];
        for (verb, part) in verbs.into_iter().zip(parts) {
            let said = folder.run(&[&["--lang", lang], verb].concat()).expect(0).out;
            assert!(said.contains(part), "{part}: {said}");
        }
    }
    folder.run(&["state", PERSON]).expect(2).says("unless it was erased: 2 accounts were");
    for what in ["states", "findings", "accounts"] {
        let ran = folder.run(&["export", "--what", what, "--format", "csv"]).expect(0);
        ran.says("2 accounts were left out: erased");
    }
}
