//! Each verb: its fields, its options, its exit code.

use std::io::Read;
use std::process::Stdio;

use serde_json::{Value, json};

use crate::binary::{AS_OF, Folder};

#[track_caller]
fn has_fields(value: &Value, fields: &str) {
    for field in fields.split(' ') {
        assert!(value.get(field).is_some(), "no {field} in {value}");
    }
}

#[test]
fn state_has_every_field() {
    let folder = Folder::with_household();
    let state = &folder.ask(&["state", "ann"])[0];
    has_fields(
        state,
        "account as_of policy revision status tier quota activity categories items backups counts \
         findings state_hash",
    );
    has_fields(&state["quota"], "limit_bytes used_bytes over");
    has_fields(&state["activity"], "last_at last_kind inactive_at windows");
    has_fields(&state["activity"]["windows"][0], "from to");
    has_fields(&state["categories"]["photos"], "sync live trashed gone bytes");
    assert_eq!(state["as_of"], AS_OF);
    assert_eq!(state["revision"], 11);
    let item = json!({
        "item": "dunes.jpg", "category": "photos", "state": "trashed", "bytes": 2_900_000,
        "since": "2025-09-12T10:00:00Z", "recoverable_until": "2025-10-12T10:00:00Z",
        "remaining_days": 12, "cause": "user_trashed",
    });
    assert_eq!(state["items"][1], item);
    let backup = json!({
        "backup": "phone-1", "state": "kept", "bytes": 52_000_000,
        "since": "2025-06-03T09:00:00Z", "cause": null,
    });
    assert_eq!(state["backups"], json!([backup]));
    let counts = json!({"live": 1, "trashed": 1, "expired": 0, "purged": 2, "removed": 0});
    assert_eq!(state["counts"], counts);
}

#[test]
fn options_stand_before_and_after_the_verb() {
    let folder = Folder::with_household();
    let before = folder.run(&["--json", "--as-of", AS_OF, "state", "ann"]).expect(0);
    let after = folder.run(&["state", "ann", "--as-of", AS_OF, "--json"]).expect(0);
    assert_eq!(before.out, after.out);
    let elsewhere = folder
        .command(&["accounts", "--json"])
        .current_dir(std::env::temp_dir())
        .env("STILLTHERE_STORE", folder.path("stillthere.store"))
        .output()
        .expect("the binary runs");
    assert_eq!(elsewhere.status.code(), Some(0));
    assert_eq!(elsewhere.stdout.split(|byte| *byte == b'\n').count(), 4 + 1);
}

#[test]
fn both_clocks_bound_what_is_seen() {
    let folder = Folder::with_household();
    let accounts = |args: &[&str]| {
        let ran = folder.run(&[&["accounts", "--json"], args].concat()).expect(0);
        ran.json().iter().map(|line| line["account"].to_string()).collect::<Vec<_>>().join(" ")
    };
    assert_eq!(accounts(&["--as-of", "2024-06-30T23:59:59Z"]), "");
    assert_eq!(accounts(&["--as-of", "2024-07-01T00:00:00Z"]), r#""bob""#);
    assert_eq!(accounts(&["--as-of", "2024-07-01T08:00:00+08:00"]), r#""bob""#);
    assert_eq!(accounts(&["--known-at", "2024-07-01T00:00:00Z"]), "");
    assert_eq!(accounts(&["--known-at", "2024-07-01T00:00:01Z"]), r#""bob""#);
    let modified = folder.ask(&["replay", "bob", "--known-at", "2024-07-19T00:00:00Z"]);
    assert_eq!(modified.len(), 2);
}

#[test]
fn replay_has_a_line_an_event_in_fold_order() {
    let folder = Folder::with_household();
    let lines = folder.ask(&["replay", "ann"]);
    assert_eq!(lines.len(), 12);
    for (revision, line) in lines.iter().enumerate() {
        has_fields(line, "position revision occurred_at recorded_at kind actor effect hash");
        assert_eq!(line["revision"], revision);
    }
    assert_eq!(lines[11]["effect"], "item beach.jpg: trashed → purged");
    assert_eq!(lines[11]["id"], "e12");
    assert_eq!(lines[11]["cause"], "expired");
    assert_eq!(lines[5]["attributes"], json!({"title": "购物清单"}));
}

#[test]
fn accounts_are_filtered() {
    let folder = Folder::with_household();
    let names = |args: &[&str]| {
        let lines = folder.ask(&[&["accounts"], args].concat());
        lines.iter().map(|line| line["account"].as_str().unwrap_or("").to_owned()).collect()
    };
    let all: Vec<String> = names(&[]);
    assert_eq!(all, ["ann", "bob", "evil\u{1b}[31m", "张伟"], "by name");
    let at_risk: Vec<String> = names(&["--status", "at_risk"]);
    assert_eq!(at_risk, ["bob"]);
    // Inactive from 2026-09-01 (evil), 2026-09-05T04:00 (张伟) and 2026-09-12 (ann).
    for (as_of, window, expected) in [
        ("2026-08-31T23:59:59Z", "1d", 1),
        ("2026-08-30T23:59:59Z", "1d", 0),
        ("2026-08-31T00:00:00Z", "1d", 1),
        ("2026-09-01T00:00:00Z", "1d", 0),
        ("2026-08-31T00:00:00Z", "1mo", 3),
        ("2025-10-01T00:00:00Z", "1y", 3),
        ("2025-10-01T00:00:00Z", "never", 3),
    ] {
        let ran = folder.run(&["accounts", "--json", "--as-of", as_of, "--due-within", window]);
        assert_eq!(ran.expect(0).out.lines().count(), expected, "{as_of} {window}");
    }
    has_fields(
        &folder.ask(&["accounts"])[0],
        "account status tier live live_bytes trashed expired purged removed used_bytes \
         last_activity_at inactive_at",
    );
}

#[test]
fn findings_are_filtered() {
    let folder = Folder::with_household();
    for (args, expected) in [
        (&[][..], 4),
        (&["--severity", "breach"], 2),
        (&["--severity", "note"], 2),
        (&["--code", "premature-purge"], 1),
        (&["--account", "ann"], 2),
        (&["--account", "bob", "--severity", "breach"], 0),
    ] {
        assert_eq!(folder.ask(&[&["findings"], args].concat()).len(), expected, "{args:?}");
    }
    let found = &folder.ask(&["findings", "--code", "premature-purge"])[0];
    let expected = json!({
        "account": "ann", "code": "premature-purge", "severity": "breach",
        "at": "2025-09-22T03:00:00Z", "position": 11, "revision": 11, "clause": "trash-window",
        "item": "beach.jpg",
    });
    assert_eq!(*found, expected);
}

#[test]
fn audit_answers_every_claim() {
    let folder = Folder::with_household();
    let verdicts = folder.ask(&["audit", "claims.ndjson"]);
    let short: Vec<String> = verdicts
        .iter()
        .map(|v| [&v["claim"], &v["verdict"], &v["lawful"]].map(|v| v.as_str().unwrap()).join(" "))
        .collect();
    let expected = [
        "c1 upheld no",
        "c2 refuted no",
        "c3 upheld no",
        "c4 upheld none",
        "c5 undetermined depends",
        "c6 refuted no",
        "c7 upheld none",
        "c8 refuted no",
        "c9 undetermined none",
        "c10 upheld none",
    ];
    assert_eq!(short, expected);
    has_fields(
        &verdicts[0],
        "claim account verdict state cause lawful recoverable_until evidence clauses readings \
         caveats because",
    );
    let events = folder.ask(&["replay", "ann"]);
    for evidence in verdicts[0]["evidence"].as_array().expect("a list") {
        let revision = evidence["revision"].as_u64().expect("a number") as usize;
        assert_eq!(evidence["hash"], events[revision]["hash"]);
        assert_eq!(evidence["position"], events[revision]["position"]);
    }
    let zh = folder.ask(&["audit", "claims.ndjson", "--lang", "zh"]);
    assert_ne!(zh[0]["because"], verdicts[0]["because"]);
    assert_eq!(zh[0]["verdict"], verdicts[0]["verdict"]);
}

#[test]
fn bad_claims_are_rejected_alone() {
    let folder = Folder::with_household();
    let claims = "{\"claim\":\"a\",\"account\":\"ann\",\"asserts\":\"kept\"}\n\n\
                  {\"claim\":\"b\",\"account\":\"ann\",\"asserts\":\"lost\"}\n\
                  {\"claim\":\"c\",\"account\":\"ann\",\"item\":\"i\",\"backup\":\"b\",\"asserts\":\"kept\"}\n\
                  {\"claim\":\"d\",\"account\":\"ann\",\"asserts\":\"gone\"}";
    let ran = folder.run_with(&["audit", "-", "--json"], claims.as_bytes()).expect(1);
    let answered: Vec<Value> = ran.json().iter().map(|v| v["claim"].clone()).collect();
    assert_eq!(answered, ["a", "d"]);
    let ran = ran.says("-:3: asserts: asserts nothing known").says("-:4: backup: ");
    assert_eq!(ran.err.lines().count(), 2);
}

#[test]
fn snapshots_are_kept_and_held_against_a_replay() {
    let folder = Folder::with_household();
    let rows = folder.ask(&["snapshot", "--all"]);
    assert_eq!(rows.len(), 4);
    has_fields(&rows[0], "account revision position as_of policy_hash state_hash");
    assert_eq!(rows[0]["state_hash"], folder.ask(&["state", "ann"])[0]["state_hash"]);
    // Stated of an instant ahead; an event that comes in later does not make it wrong.
    folder.run(&["snapshot", "bob", "--as-of", "2030-01-01T00:00:00Z"]).expect(0);
    folder.run(&["snapshot", "ann", "--policy", "rules.toml"]).expect(0);
    let event = r#"{"id":"b9","account":"bob","occurred_at":"2025-08-01T00:00:00Z","kind":"item_trashed","item":"thesis.pdf","actor":"user"}"#;
    folder.run_with(&["import", "-"], event.as_bytes()).expect(0);
    let snapshots = |args: &[&str]| {
        folder.run(&[&["verify", "--json"], args].concat()).expect(0).object()["snapshots"].clone()
    };
    assert_eq!(snapshots(&[]), json!({"held": 5, "skipped": 1}));
    assert_eq!(snapshots(&["--policy", "rules.toml"]), json!({"held": 6, "skipped": 0}));
}

#[test]
fn snapshots_at_the_same_time_are_all_kept() {
    let folder = Folder::with_household();
    std::thread::scope(|scope| {
        for day in 10..16 {
            let as_of = format!("2025-09-{day}T00:00:00Z");
            let folder = &folder;
            scope.spawn(move || folder.run(&["snapshot", "ann", "--as-of", &as_of]).expect(0));
        }
    });
    let verified = folder.run(&["verify", "--json"]).expect(0).object();
    assert_eq!(verified["snapshots"], json!({"held": 6, "skipped": 0}));
}

#[test]
fn empty_answers_say_what_is_empty() {
    let folder = Folder::new();
    folder.write("nothing", "");
    folder.run(&["import", "nothing"]).expect(0);
    for (args, said) in [
        (&["accounts"][..], "The log holds no events: `stillthere import` appends some.\n"),
        (&["findings"], "The log holds no events: `stillthere import` appends some.\n"),
        (&["audit", "nothing"], "No claims.\n"),
    ] {
        assert_eq!(folder.run(args).expect(0).out, said);
    }
}

#[test]
fn explain_tells_each_change() {
    let folder = Folder::with_household();
    let told = &folder.ask(&["explain", "ann", "beach.jpg"])[0];
    let changes: Vec<String> = told["changes"]
        .as_array()
        .expect("a list")
        .iter()
        .map(|c| format!("{} {} {}", c["at"], c["from"], c["to"]))
        .collect();
    let expected = [
        r#""2025-06-01T08:06:00Z" null "live""#,
        r#""2025-09-10T10:00:00Z" "live" "trashed""#,
        r#""2025-09-22T03:00:00Z" "trashed" "purged""#,
    ];
    assert_eq!(changes, expected);
    assert!(told["sentence"].as_str().is_some_and(|text| text.contains("beach.jpg")));
}

#[test]
fn what_is_exported_comes_back_with_the_same_hashes() {
    let folder = Folder::with_household();
    folder.run(&["export", "-o", "all.ndjson"]).expect(0);
    folder.run(&["export", "--format", "cloudevents", "-o", "all.ce"]).expect(0);
    let stdout = folder.run(&["export", "--format", "ndjson"]).expect(0).out;
    assert_eq!(stdout.as_bytes(), folder.read("all.ndjson"));
    let replays = |store: &str| {
        ["ann", "bob", "张伟", "evil\u{1b}[31m"]
            .map(|account| folder.ask(&["replay", account, "--store", store]))
    };
    let replay_of = |file: &str| {
        let store = format!("{file}.store");
        folder.run(&["import", "--trust-recorded-at", "--store", &store, file]).expect(0);
        replays(&store)
    };
    let original = replays("stillthere.store");
    assert_eq!(replay_of("all.ndjson"), original);
    let hashes = |replays: &[Vec<Value>]| {
        replays.iter().flatten().map(|line| line["hash"].clone()).collect::<Vec<_>>()
    };
    assert_eq!(hashes(&replay_of("all.ndjson")), hashes(&original));
    // A CloudEvent must have a source, which is kept as an attribute: so these hashes differ.
    let from_cloud = replay_of("all.ce");
    for (cloud, own) in from_cloud.iter().flatten().zip(original.iter().flatten()) {
        assert_eq!(cloud["attributes"]["source"], "stillthere");
        for field in ["id", "kind", "occurred_at", "recorded_at", "position", "effect"] {
            assert_eq!(cloud[field], own[field]);
        }
    }
    let early = folder.run(&["export", "--as-of", "2025-06-01T08:00:00Z"]).expect(0);
    assert_eq!(early.out.lines().count(), 4);
}

#[test]
fn generated_lines_are_the_same_for_a_seed_and_import() {
    let folder = Folder::new();
    let args = ["generate", "--accounts", "20", "--events", "2000", "--seed", "7"];
    let first = folder.run(&args).expect(0);
    assert_eq!(first.out, folder.run(&args).expect(0).out);
    folder.run(&[&args[..], &["-o", "lines"]].concat()).expect(0);
    assert_eq!(folder.read("lines"), first.out.as_bytes());
    let ran = folder.run(&["import", "--json", "--trust-recorded-at", "lines"]).expect(0);
    assert_eq!(ran.object()["appended"], 2000);
    folder.run(&["verify"]).expect(0);
}

#[test]
fn policies_are_listed_shown_and_checked() {
    let folder = Folder::new();
    let listed = folder.run(&["policy", "list", "--json"]).expect(0);
    assert!(listed.json().iter().any(|line| line["policy"] == "xiaomi-cloud"));
    let shown = folder.run(&["policy", "show", "rules.toml", "--json"]).expect(0).object();
    assert_eq!(shown["policy"], "rules");
    let by_option = folder.run(&["policy", "show", "--policy", "rules.toml", "--json"]).expect(0);
    assert_eq!(by_option.object(), shown);
    let checked = folder.run(&["policy", "check", "rules.toml", "--json"]).expect(0).object();
    assert_eq!(checked["ok"], true);
    assert_eq!(checked["policy_hash"], shown["policy_hash"]);
    assert_eq!(checked["remarks"][0]["line"], 11);
    folder.write(
        "bad.toml",
        "schema = 1\npolicy = \"p\"\n[[version]]\nid = \"v\"\ntrsah = 1\n[version.tiers.t]\n",
    );
    folder
        .run(&["policy", "check", "bad.toml"])
        .expect(2)
        .says("stillthere: bad.toml:5:1: version[0].trsah: ");
}

#[test]
fn a_preset_can_be_started_from() {
    let folder = Folder::with_household();
    let text = folder.run(&["policy", "show", "--toml", "xiaomi-cloud"]).expect(0).out;
    folder.write("mine.toml", &text);
    let shown = |which| folder.run(&["policy", "show", which, "--json"]).expect(0).out;
    assert_eq!(shown("mine.toml"), shown("xiaomi-cloud"));
    let policy = folder.run(&["policy", "show", "--json"]).expect(0).object();
    let readings = policy["versions"][0]["readings"].as_array().expect("readings");
    let set = |id| &readings.iter().find(|r| r["id"] == id).expect("a reading")["set"];
    assert_eq!(set("local-dates")["trash.days"], "local_dates");
    assert_eq!(set("trash-uses-no-quota")["trash.counts_toward_quota"], false);
}

#[test]
fn an_empty_variable_is_not_set() {
    let folder = Folder::with_household();
    let ran = folder.command(&["accounts"]).env("STILLTHERE_STORE", "").output();
    assert!(ran.expect("the binary runs").status.success());
}

#[test]
fn a_new_policy_is_written_once_and_is_sound() {
    let folder = Folder::new();
    let from_flags = [
        "policy",
        "new",
        "--name",
        "ours",
        "--tier",
        "free=5GB,30d",
        "--tier",
        "paid plan=unlimited,never",
        "--basis",
        "tier_now",
        "--purge-lag",
        "7d",
        "--inactivity",
        "1y",
        "--notice",
        "30d",
        "--stale-after",
        "180d",
        "--no-trash",
        "backup",
        "--time-zone",
        "Asia/Shanghai",
        "--effective-from",
        "2026-01-01T00:00:00Z",
        "--source",
        "our \"terms\"",
        "-o",
        "ours.toml",
    ];
    let made = folder.run(&[&["--json"], &from_flags[..]].concat()).expect(0).object();
    assert_eq!((&made["file"], &made["policy"]), (&json!("ours.toml"), &json!("ours")));
    let checked = folder.run(&["--json", "policy", "check", "ours.toml"]).expect(0).object();
    assert_eq!(checked["remarks"], json!([]));
    assert_eq!(checked["policy_hash"], made["policy_hash"]);
    let shown = folder.run(&["--json", "policy", "show", "ours.toml"]).expect(0).object();
    assert_eq!(shown["time_zone"], "Asia/Shanghai");
    let version = &shown["versions"][0];
    assert_eq!(
        version["tiers"][1],
        json!({"tier": "paid plan", "quota_bytes": null, "trash": "never"})
    );
    assert_eq!(version["trash"]["basis"], "tier_now");
    assert_eq!(version["trash"]["no_trash"], json!(["backup"]));
    assert_eq!(version["inactivity"]["notice"], "30d");
    assert_eq!(version["backup"]["stale_after"], "180d");
    assert_eq!(version["source"], "our \"terms\"");

    let before = folder.read("ours.toml");
    folder.run(&from_flags).expect(2).says("ours.toml: is there already");
    assert_eq!(folder.read("ours.toml"), before);
    folder.run(&["policy", "new"]).expect(2).says("give --name, --tier, --output");
    folder.run(&["policy", "new", "--name", "x", "--tier", "a=5,1d", "-o", "x.toml"]).expect(2);
    let twice = ["policy", "new", "--name", "x", "--tier", "a=5GB,1d", "--tier", "a=6GB,1d"];
    let ran = folder.run(&[&twice[..], &["-o", "x.toml"]].concat()).expect(2);
    ran.says("tier \"a\" is given twice");
    folder
        .run(&["policy", "new", "--from", "box", "--tier", "a=5B,1d", "-o", "x.toml"])
        .expect(2)
        .says("cannot be used with");
    assert!(!folder.path("x.toml").exists());

    // Each preset under another name has its rules and no other; without a name its hash too.
    for (preset, _) in policy::presets() {
        let (mine, same) = (format!("{preset}.toml"), format!("{preset}-same.toml"));
        folder.run(&["policy", "new", "--from", preset, "--name", "mine", "-o", &mine]).expect(0);
        folder.run(&["policy", "new", "--from", preset, "-o", &same]).expect(0);
        let shown =
            |which: &str| folder.run(&["--json", "policy", "show", which]).expect(0).object();
        let (mine, same, preset) = (shown(&mine), shown(&same), shown(preset));
        assert_eq!(mine["policy"], "mine");
        assert_eq!(mine["versions"], preset["versions"]);
        assert_eq!(same, preset);
    }
}

#[test]
fn what_a_policy_means_is_said_in_both_languages() {
    let folder = Folder::new();
    for (preset, _) in policy::presets() {
        let checked = folder.run(&["--json", "policy", "check", preset]).expect(0).object();
        for sentence in checked["meaning"].as_array().expect("sentences") {
            let (en, zh) = (sentence["en"].as_str().unwrap(), sentence["zh"].as_str().unwrap());
            assert!(en.ends_with('.') && zh.ends_with('。') && en != zh, "{preset}: {en} {zh}");
        }
    }
    let says = |preset: &str, lang: &str| {
        folder.run(&["--lang", lang, "policy", "check", preset]).expect(0).out
    };
    let onedrive = says("onedrive-personal", "en");
    for sentence in [
        "free: 4.6 GiB of space; what is deleted can be recovered for 30 days.",
        "The trash is full when it holds more than 10 % of the account's limit; while it is, what lies in it can be recovered for 3 days only.",
        "Stage frozen: when more is used than the limit for 3 months without a break, the provider may freeze the account.",
        "An account is inactive 1 year after its last activity",
    ] {
        assert!(onedrive.contains(sentence), "{sentence}\n{onedrive}");
    }
    let huawei = says("huawei-cloud", "zh");
    for sentence in [
        "账号在最后一次活动 12 个月后视为不活跃",
        "清空前须提前 30 天通知",
        "已存内容不得因此被删除",
    ] {
        assert!(huawei.contains(sentence), "{sentence}\n{huawei}");
    }
}

#[test]
fn what_a_policy_does_not_know_or_the_log_warns_of_is_said() {
    let folder = Folder::new();
    let event = |id, at, rest: &str| {
        format!("{{\"id\":\"{id}\",\"account\":\"a\",\"occurred_at\":\"{at}\",{rest}}}\n")
    };
    let lines = [
        event(
            "1",
            "2025-01-01T00:00:00Z",
            r#""kind":"account_opened","tier":"one","actor":"user""#,
        ),
        event(
            "2",
            "2025-01-01T00:00:00Z",
            r#""kind":"item_uploaded","item":"x","category":"c","bytes":1,"actor":"user""#,
        ),
        event(
            "3",
            "2026-03-01T00:00:00Z",
            r#""kind":"data_cleared","cause":"inactivity","actor":"provider""#,
        ),
    ];
    folder.write("lines", lines.concat());
    folder.run(&["import", "--trust-recorded-at", "lines"]).expect(0);
    let text = folder.run(&["policy", "show", "--toml"]).expect(0).out;
    folder.write("mine.toml", text.replace("notice = \"never\"", "notice = \"30d\""));
    let asked = ["--policy", "mine.toml", "--as-of", "2026-04-01T00:00:00Z"];
    let state = folder.run(&[&["state", "a"][..], &asked].concat()).expect(0);
    assert!(state.out.contains("one (not in this policy; measured as standard)"), "{}", state.out);
    folder.write(
        "claims",
        "{\"claim\":\"c\",\"account\":\"a\",\"item\":\"x\",\"asserts\":\"gone\"}\n",
    );
    let verdict = &folder.run(&[&["audit", "claims", "--json"][..], &asked].concat()).object();
    let caveats = verdict["caveats"].to_string();
    assert!(caveats.contains("cleared-without-notice"), "{verdict}");
}

#[test]
fn completions_know_the_verbs() {
    let folder = Folder::new();
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        let script = folder.run(&["completions", shell]).expect(0).out;
        assert!(script.contains("findings") && script.contains("due-within"), "{shell}");
    }
}

#[test]
fn a_reader_that_goes_away_is_no_error() {
    let folder = Folder::new();
    folder.run(&["generate", "--events", "30000", "-o", "lines"]).expect(0);
    folder.run(&["import", "lines"]).expect(0);
    for args in [
        &["export"][..],
        &["generate", "--events", "30000"],
        &["findings", "--json"],
        &["accounts"],
        &["accounts", "--json"],
        &["completions", "zsh"],
        &["--help"],
        &["policy", "show"],
    ] {
        let mut command = folder.command(args);
        command.stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().expect("the binary runs");
        let mut stdout = child.stdout.take().expect("piped");
        let _ = stdout.read(&mut [0; 1]).expect("a byte");
        drop(stdout);
        let ended = child.wait_with_output().expect("the binary ends");
        assert_eq!((ended.status.code(), ended.stderr), (Some(0), Vec::new()), "{args:?}");
    }
}

#[test]
fn colour_is_for_terminals_and_who_asks() {
    let folder = Folder::with_household();
    let escape = |variables: &[(&str, &str)]| {
        let mut command = folder.command(&["state", "ann", "--as-of", AS_OF]);
        command.envs(variables.iter().copied());
        command.output().expect("the binary runs").stdout.contains(&0x1b)
    };
    assert!(!escape(&[]));
    assert!(escape(&[("CLICOLOR_FORCE", "1")]));
    assert!(!escape(&[("NO_COLOR", "1")]));
}

#[test]
fn text_from_events_cannot_steer_a_terminal() {
    let folder = Folder::with_household();
    for args in [
        &["accounts"][..],
        &["state", "evil\u{1b}[31m"],
        &["replay", "evil\u{1b}[31m"],
        &["explain", "evil\u{1b}[31m", "tab\there\u{202e}txt.exe"],
        &["findings"],
        &["snapshot", "--all"],
        &["accounts", "--lang", "zh"],
    ] {
        let out = folder.run(&[args, &["--as-of", AS_OF]].concat()).expect(0).out;
        let steers = |c: char| (c.is_control() && c != '\n') || c == '\u{202e}';
        assert!(!out.contains(steers), "{args:?}: {out:?}");
    }
}

/// A file that is written over keeps what it holds until the new one is whole.
#[test]
fn an_export_that_fails_leaves_the_file_as_it_was() {
    let folder = Folder::with_household();
    folder.run(&["export", "-o", "all.ndjson"]).expect(0);
    let good = folder.read("all.ndjson");
    let segment = folder.path("stillthere.store/log/000000000000.seg");
    let bytes = std::fs::read(&segment).expect("a segment");
    let mut flipped = bytes.clone();
    flipped[bytes.len() / 2] ^= 1;
    std::fs::write(&segment, flipped).expect("written");
    folder.run(&["export", "-o", "all.ndjson"]).expect(3);
    assert!(folder.read("all.ndjson") == good);
    let left = folder.files().into_iter().filter(|(path, _)| path.ends_with(".partial"));
    assert_eq!(left.count(), 0);
    std::fs::write(&segment, bytes).expect("written");
    folder.run(&["export", "-o", "all.ndjson"]).expect(0);
    assert!(folder.read("all.ndjson") == good);
}

#[test]
fn no_output_goes_into_the_store() {
    let folder = Folder::with_household();
    let head = folder.read("stillthere.store/log/HEAD");
    for args in [
        &["export", "-o", "stillthere.store/log/HEAD"][..],
        &["generate", "-o", "stillthere.store/new"],
        &["import", "bad.ndjson", "--rejects", "stillthere.store/log/HEAD"],
    ] {
        folder.run(args).expect(2).says("lies in the store's folder");
        assert!(folder.read("stillthere.store/log/HEAD") == head, "{args:?}");
    }
    assert!(!folder.path("stillthere.store/new").exists());
    let (link, head_file) = (folder.path("link"), folder.path("stillthere.store/log/HEAD"));
    std::os::unix::fs::symlink(head_file, link).expect("a link");
    folder.run(&["export", "-o", "link"]).expect(2).says("lies in the store's folder");
    assert!(folder.read("stillthere.store/log/HEAD") == head);
}

/// What was private stays private.
#[test]
fn an_export_keeps_the_permissions_of_what_it_replaces() {
    use std::os::unix::fs::PermissionsExt;
    let folder = Folder::with_household();
    folder.write("all.ndjson", "before");
    let private = std::fs::Permissions::from_mode(0o600);
    std::fs::set_permissions(folder.path("all.ndjson"), private).expect("set");
    folder.run(&["export", "-o", "all.ndjson"]).expect(0);
    let after = std::fs::metadata(folder.path("all.ndjson")).expect("it is there").permissions();
    assert_eq!(after.mode() & 0o777, 0o600);
}

/// The longest line that is taken comes out as a line that is taken again.
#[test]
fn the_longest_line_survives_an_export() {
    let folder = Folder::new();
    let line = |parts: usize, last: usize| {
        let part = format!("\"{}\",", "p".repeat(128)).repeat(parts);
        let last = "p".repeat(last);
        format!(
            r#"{{"id":"1","account":"a","occurred_at":"2025-01-01T00:00:00Z","kind":"backup_completed","backup":"b","bytes":1,"parts":[{part}"{last}"],"actor":"device"}}"#
        )
    };
    let parts = (1 << 20) / 131 - 2;
    let room = (1 << 20) - line(parts, 0).len();
    let (parts, last) = if room > 128 { (parts + 1, room - 131) } else { (parts, room) };
    let longest = line(parts, last);
    assert_eq!(longest.len(), 1 << 20);
    folder.write("long.ndjson", &longest);
    folder.run(&["import", "long.ndjson"]).expect(0);
    folder.run(&["export", "-o", "out.ndjson"]).expect(0);
    let args = ["import", "--trust-recorded-at", "--store", "elsewhere", "out.ndjson"];
    folder.run(&args).expect(0);
    let hash = |store| folder.ask(&["replay", "a", "--store", store])[0]["hash"].clone();
    assert_eq!(hash("elsewhere"), hash("stillthere.store"));
}
