//! The pages under `docs/` say what the program does: their examples are read by it, and their tables
//! list what there is.

use std::collections::BTreeSet;

use event::{History, Kind, Recorded, RecordedBy, Timestamp};
use policy::{
    Act, Basis, Confidence, DEFAULT_PRESET, Days, FullOf, OnChange, Over, Policy, Shortens, When,
    presets,
};
use projection::{AccountState, Coming, FindingCode, StateCause, Status, fold};
use serde_json::Value;
use verifier::Assert;

use crate::binary::{Folder, Ran, fixture, root};
use crate::readme::{Shown, check, shown};

pub fn page(name: &str) -> String {
    std::fs::read_to_string(root().join("docs").join(name)).expect("a page of docs/")
}

/// The blocks of a page in a language, one after the other.
fn blocks(page: &str, language: &str) -> String {
    let fence = format!("```{language}");
    let mut text = String::new();
    let mut within = false;
    for line in page.lines() {
        if line.starts_with("```") {
            within = line == fence;
        } else if within {
            text.push_str(line);
            text.push('\n');
        }
    }
    assert!(!text.is_empty(), "no block of {language}");
    text
}

/// The rows of the tables whose first heading is `first`: the cells, without backquotes.
pub fn rows(page: &str, first: &str) -> Vec<Vec<String>> {
    let mut rows = Vec::new();
    let cells = |line: &str| -> Option<Vec<String>> {
        let line = line.strip_prefix("| ")?.strip_suffix(" |")?;
        Some(line.split(" | ").map(|cell| cell.replace('`', "")).collect())
    };
    let mut lines = page.lines();
    while let Some(line) = lines.next() {
        let Some(heading) = cells(line) else { continue };
        let is_asked = heading[0] == first;
        let of_table = lines.by_ref().skip(1).map_while(cells);
        of_table.for_each(|row| {
            if is_asked {
                rows.push(row)
            }
        });
    }
    assert!(!rows.is_empty(), "no table with {first} first");
    rows
}

/// Each block of a page in a language.
pub fn blocks_of(page: &str, language: &str) -> Vec<String> {
    let fence = format!("```{language}\n");
    let parts = page.split(fence.as_str()).skip(1);
    parts.map(|part| part.split("```").next().unwrap_or_default().to_owned()).collect()
}

/// The words in backquotes of a page.
pub fn words(page: &str) -> BTreeSet<&str> {
    page.split('`').skip(1).step_by(2).collect()
}

fn import(lines: &str) -> (Folder, Ran) {
    let folder = Folder::new();
    folder.write("lines.ndjson", lines);
    let ran = folder.run(&["--json", "import", "--trust-recorded-at", "lines.ndjson"]).expect(0);
    let count = lines.lines().count();
    assert_eq!(ran.object()["appended"], count, "{ran:#?}");
    (folder, ran)
}

#[test]
fn the_event_lines_are_of_every_kind_and_import() {
    let lines = blocks(&page("events.md"), "json");
    import(&lines);
    let read = |line: &str| event::read_line(line.as_bytes()).expect("an event").payload.kind();
    let kinds: BTreeSet<Kind> = lines.lines().map(read).collect();
    assert_eq!(kinds, Kind::ALL.iter().copied().collect());
}

#[test]
fn the_tables_of_kinds_list_them_all() {
    let page = page("events.md");
    let listed: Vec<String> = rows(&page, "kind")
        .iter()
        .flat_map(|row| row[0].split(", ").map(str::to_owned).collect::<Vec<_>>())
        .collect();
    let unique: BTreeSet<&str> = listed.iter().map(String::as_str).collect();
    assert_eq!(unique.len(), listed.len(), "a kind is listed twice");
    assert_eq!(unique, Kind::ALL.iter().map(|kind| kind.name()).collect());
}

/// What the worked examples of `docs/policies.md` come to.
struct Worked {
    policy: Policy,
    events: Vec<Recorded>,
}

impl Worked {
    fn new(page: &str) -> Worked {
        let policy = Policy::parse(&blocks(page, "toml")).expect("a sound policy");
        let mut events: Vec<Recorded> = Vec::new();
        for (position, line) in (0..).zip(blocks(page, "json").lines()) {
            let event = event::read_line(line.as_bytes()).expect("an event");
            let of_account = events.iter().filter(|e| e.event.account == event.account);
            let revision = of_account.count() as u64;
            let recorded_at = event.recorded_at.unwrap_or(event.occurred_at);
            let recorded_by = RecordedBy::Source;
            events.push(Recorded { event, position, revision, recorded_at, recorded_by });
        }
        Worked { policy, events }
    }

    fn state(&self, account: &str, reading: &str, as_of: Timestamp) -> AccountState {
        let policy = match reading {
            "default" => self.policy.clone(),
            reading => self.policy.with_reading(reading).expect("a reading of the policy"),
        };
        let events: Vec<Recorded> =
            self.events.iter().filter(|e| e.event.account == account).cloned().collect();
        let history = History::of(account, &events);
        let view = fold(&history, &policy, as_of, Timestamp::MAX).expect("an event is on record");
        view.account_state()
    }

    /// The codes and instants of what is found.
    fn findings(&self, account: &str, as_of: &str) -> Vec<String> {
        let found = self.state(account, "default", at(as_of)).findings;
        found.iter().map(|found| format!("{} {}", found.code, found.at)).collect()
    }
}

fn at(text: &str) -> Timestamp {
    Timestamp::parse(text).expect("a time")
}

#[test]
fn the_policy_is_sound_and_a_store_is_asked_by_it() {
    let page = page("policies.md");
    let (folder, _) = import(&blocks(&page, "json"));
    folder.write("cirrus.toml", blocks(&page, "toml"));
    let checked = folder.run(&["--json", "policy", "check", "cirrus.toml"]).expect(0).object();
    assert_eq!(checked["remarks"], Value::Array(Vec::new()), "{checked}");
    let states = folder.ask(&["--policy", "cirrus.toml", "state", "eve"]);
    assert_eq!(states[0]["policy"], "cirrus");
    assert_eq!(states[0]["counts"]["expired"], 1);
}

/// The keys that a table of a policy takes: those that the error of an unknown one names.
fn keys(before: &str, after: &str) -> Vec<String> {
    let text = format!("{before}zz = 1\n{after}");
    let said = Policy::parse(&text).expect_err("an unknown key").to_string();
    let (_, expected) = said.split_once("unknown key: expected ").expect("the keys that there are");
    expected.split('"').skip(1).step_by(2).map(str::to_owned).collect()
}

#[test]
fn the_tables_of_keys_list_them_all() {
    let page = page("policies.md");
    let mut there = BTreeSet::new();
    let mut add = |prefix: &str, keys: Vec<String>| {
        there.extend(keys.into_iter().map(|key| format!("{prefix}{key}")));
    };
    let head = "schema = 1\npolicy = \"p\"\n";
    let version = "[[version]]\nid = \"1\"\n";
    let tier = "[version.tiers.t]\n";
    let whole = format!("{head}{version}{tier}");
    add("", keys(head, &format!("{version}{tier}")));
    add("", keys(&format!("{head}{version}"), tier));
    add("tiers.NAME.", keys(&whole, ""));
    let stage = "[version.stages.s]\nwhen = \"over_quota\"\nafter = \"1d\"\nadmits = [\"clear\"]\n";
    add("stages.NAME.", keys(&format!("{whole}{stage}"), ""));
    let sections = ["trash", "inactivity", "quota", "backup", "clock", "records"];
    for section in sections {
        add(&format!("{section}."), keys(&format!("{whole}[version.{section}]\n"), ""));
    }
    // A table of these is one row, with what is in it told there.
    for list in ["clauses", "readings"] {
        for key in keys(&format!("{whole}[[version.{list}]]\nid = \"i\"\n"), "") {
            assert!(words(&page).contains(key.as_str()), "{key} of {list} is not on the page");
        }
    }
    // What holds others has no row of its own.
    for table in sections.iter().chain(&["tiers", "stages", "version"]) {
        assert!(there.remove(*table), "{table} is a table");
    }
    there.extend(["tiers.NAME", "stages.NAME", "[[version]]"].map(str::to_owned));
    let listed: BTreeSet<String> =
        rows(&page, "key").into_iter().map(|row| row[0].clone()).collect();
    assert_eq!(listed, there);

    let choices = [
        Basis::ALL.iter().map(|word| word.name()).collect::<Vec<_>>(),
        Days::ALL.iter().map(|word| word.name()).collect(),
        OnChange::ALL.iter().map(|word| word.name()).collect(),
        Over::ALL.iter().map(|word| word.name()).collect(),
        Confidence::ALL.iter().map(|word| word.name()).collect(),
        FullOf::ALL.iter().map(|word| word.name()).collect(),
        Shortens::ALL.iter().map(|word| word.name()).collect(),
        When::ALL.iter().map(|word| word.name()).collect(),
        Act::ALL.iter().map(|word| word.name()).collect(),
    ];
    for word in choices.concat() {
        let is_there = words(&page).iter().any(|known| known.trim_matches('"') == word);
        assert!(is_there, "{word} is not on the page");
    }
}

/// Every fact of every preset but the default one, which has one source, is on its page with where it
/// is stated, when that was read and how sure it is; and a version is no surer than its clauses.
#[test]
fn the_page_of_providers_has_every_fact() {
    let page = page("providers.md");
    let mut facts = BTreeSet::new();
    let mut readings = BTreeSet::new();
    for (name, text) in presets() {
        let policy = Policy::parse(text).expect("a sound policy");
        assert!(page.contains(&format!(": `{name}`\n")), "{name} has a section");
        for version in &policy.versions {
            let read = version.readings.iter();
            readings.extend(read.map(|reading| (reading.id.clone(), version.id.clone())));
            if *name == DEFAULT_PRESET {
                continue;
            }
            let mut least = Confidence::Official;
            for clause in version.clauses.iter() {
                let stated = &clause.stated;
                let confidence = stated.confidence.expect("a clause says how sure it is");
                least = least.max(confidence);
                facts.insert(vec![
                    (*name).to_owned(),
                    version.id.clone(),
                    format!("{}: {}", clause.id, clause.text["en"]),
                    confidence.name().to_owned(),
                    stated.seen.clone().expect("a clause says when it was read"),
                    stated.source.clone().expect("a clause says where it is stated"),
                ]);
            }
            assert_eq!(version.confidence, least, "{name}, version {}", version.id);
        }
    }
    assert_eq!(rows(&page, "preset").into_iter().collect::<BTreeSet<_>>(), facts);
    let listed = rows(&page, "reading").into_iter().map(|row| (row[0].clone(), row[1].clone()));
    assert_eq!(listed.collect::<BTreeSet<_>>(), readings);
}

#[test]
fn the_deadlines_of_the_worked_examples_are_those() {
    let page = page("policies.md");
    let worked = Worked::new(&page);
    let mut readings = BTreeSet::new();
    for row in rows(&page, "account") {
        let [account, item, reading, until, _] = &row[..] else { panic!("{row:?}") };
        readings.insert(reading.clone());
        let until = at(until);
        let before = Timestamp::from_ms(until.ms() - 1).expect("in range");
        for (as_of, expected) in [(before, "trashed"), (until, "expired")] {
            let state = worked.state(account, reading, as_of);
            let found = state.items.iter().find(|row| row.item == *item).expect("an item");
            let state = found.state.expect("nothing was erased");
            let got = (state.name(), found.recoverable_until);
            // A change of tier or version may end a window at once: it was longer until then.
            let ended_at_once = as_of == before && found.recoverable_until > Some(until);
            let deadline = if ended_at_once { found.recoverable_until } else { Some(until) };
            assert_eq!(got, (expected, deadline), "{row:?} as of {as_of}");
        }
    }
    assert!(readings.len() >= 6, "the examples show readings: {readings:?}");
}

#[test]
fn the_rest_of_the_worked_examples_is_as_told() {
    let worked = Worked::new(&page("policies.md"));
    let overdue = "overdue-purge 2025-04-03T02:00:00Z";
    assert_eq!(worked.findings("ben", "2025-04-03T01:59:59.999Z"), Vec::<String>::new());
    assert_eq!(worked.findings("ben", "2025-04-03T02:00:00Z"), [overdue]);

    let asked = at("2025-05-01T00:00:00Z");
    let inactive = |reading| worked.state("dov", reading, asked).activity.inactive_at;
    assert_eq!(inactive("default"), Some(at("2025-02-10T01:00:00Z")));
    assert_eq!(inactive("year-of-365-days"), Some(at("2025-02-09T01:00:00Z")));
    let told = "cleared-without-notice 2025-03-15T01:00:00Z";
    assert_eq!(worked.findings("dov", "2025-05-01T00:00:00Z"), [told]);
    assert_eq!(worked.state("dov", "default", asked).status, Some(Status::Cleared));

    let used =
        |reading, as_of| worked.state("eve", reading, at(as_of)).quota.used_bytes.expect("known");
    assert_eq!(used("default", "2025-05-03T01:00:00Z"), 6_000_000_000);
    assert_eq!(used("trash-is-free", "2025-05-03T01:00:00Z"), 2_000_000_000);
    assert_eq!(used("default", "2025-06-01T01:00:00Z"), 2_000_001_000);
    let blocked = "upload-over-quota 2025-05-04T01:00:00Z";
    assert_eq!(worked.findings("eve", "2025-05-05T00:00:00Z"), [blocked]);
    let free = worked.state("eve", "trash-is-free", at("2025-05-05T00:00:00Z"));
    assert_eq!(free.findings, []);

    let fay = worked.state("fay", "default", asked);
    assert_eq!(fay.backups[0].cause, Some(StateCause::WindowLapsed));
    assert_eq!(fay.items[0].cause, Some(StateCause::UserPurged));
    let late = "late-recorded 2024-09-01T04:00:00Z";
    assert_eq!(worked.findings("fay", "2025-05-01T00:00:00Z"), [late]);
}

#[test]
fn the_tables_of_answers_list_what_there_is() {
    let page = page("answers.md");
    let listed = rows(&page, "code");
    let listed: BTreeSet<(&str, &str)> =
        listed.iter().map(|row| (row[0].as_str(), row[1].as_str())).collect();
    let codes = FindingCode::ALL.iter().map(|code| (code.name(), code.severity().name()));
    assert_eq!(listed, codes.collect());

    let asserts: Vec<String> =
        rows(&page, "asserts").into_iter().map(|row| row[0].clone()).collect();
    assert_eq!(asserts, Assert::ALL.iter().map(|a| a.name().to_owned()).collect::<Vec<_>>());

    let causes: BTreeSet<String> = rows(&page, "cause")
        .iter()
        .flat_map(|row| row[0].split(", ").map(str::to_owned).collect::<Vec<_>>())
        .collect();
    assert_eq!(causes, StateCause::ALL.iter().map(|cause| cause.name().to_owned()).collect());
    let words = words(&page);
    for status in Status::ALL {
        assert!(words.contains(status.name()), "{status} is not on the page");
    }
}

#[test]
fn the_fields_of_json_are_on_the_page() {
    let page = page("answers.md");
    let folder = Folder::new();
    let dispute = fixture("demo/dispute.ndjson");
    let import = ["--json", "import", "--trust-recorded-at", dispute.to_str().expect("UTF-8")];
    let mut answers = folder.run(&import).expect(0).json();
    folder.write("claims.ndjson", blocks(&page, "json"));
    let verbs: [&[&str]; 9] = [
        &["state", "mei"],
        &["findings"],
        &["accounts"],
        &["replay", "mei"],
        &["audit", "claims.ndjson"],
        &["explain", "mei", "beach.jpg"],
        &["snapshot", "--all"],
        &["verify"],
        &["verify", "--expect-root", &"0".repeat(64)],
    ];
    for (verb, code) in verbs.into_iter().zip([0, 0, 0, 0, 0, 0, 0, 0, 1]) {
        let args = [&["--json", "--as-of", "2026-02-13T13:47:38Z"], verb].concat();
        answers.extend(folder.run(&args).expect(code).json());
    }
    let mut fields = BTreeSet::new();
    // The fields of events are on a page of their own.
    let of_events = self::page("events.md");
    let known = &words(&page) | &words(&of_events);
    for answer in &answers {
        collect_fields(answer, &mut fields);
    }
    let missing: Vec<&String> =
        fields.iter().filter(|field| !known.contains(field.as_str())).collect();
    assert!(missing.is_empty(), "not on docs/answers.md: {missing:?}");
}

/// The options of the page are asked, of the policy and the events of the page on policies.
#[test]
fn the_forecasts_are_as_told() {
    let (page, policies) = (page("forecast.md"), page("policies.md"));
    let (folder, _) = import(&blocks(&policies, "json"));
    folder.write("cirrus.toml", blocks(&policies, "toml"));
    folder.write("what-if.ndjson", blocks(&page, "json"));
    let mut fields = BTreeSet::new();
    let commands = blocks(&page, "sh");
    assert!(commands.lines().count() >= 5, "{commands}");
    for command in commands.lines() {
        let args: Vec<&str> = command.split(' ').collect();
        let (program, args) = args.split_first().expect("a command");
        assert_eq!(*program, "stillthere");
        folder.run(args).expect(0);
        let mut as_json = args.to_vec();
        as_json.push("--json");
        as_json.retain({
            let mut is_first = true;
            move |arg| *arg != "--json" || std::mem::take(&mut is_first)
        });
        for answer in folder.run(&as_json).expect(0).json() {
            collect_fields(&answer, &mut fields);
        }
    }
    let words = words(&page);
    let missing: Vec<&String> =
        fields.iter().filter(|field| !words.contains(field.as_str())).collect();
    assert!(missing.is_empty(), "not on docs/forecast.md: {missing:?}");
    assert!(fields.contains("ends_stale") && fields.contains("before"), "{fields:?}");
    for what in Coming::ALL {
        assert!(words.contains(what.name()), "{what} is not on the page");
    }
    let listed = rows(&page, "in order");
    let kinds: BTreeSet<&str> = listed.iter().flat_map(|row| row[0].split(", ")).collect();
    assert_eq!(kinds.len(), Kind::ALL.len() - 4, "a kind an act");

    let asked = "2025-12-20T04:00:00Z";
    let dates = |reading: &str, more: &[&str]| -> Vec<[String; 3]> {
        let args = ["--json", "--policy", "cirrus.toml", "--as-of", asked, "forecast", "cho"];
        let answer =
            folder.run(&[&args[..], &["--reading", reading], more].concat()).expect(0).object();
        let answer = if more.is_empty() { &answer } else { &answer["after"] };
        let rows = answer["dates"].as_array().expect("dates").clone();
        let text = |value: &Value| value.as_str().map(str::to_owned);
        let row = |row: &Value| {
            let of = text(&row["item"]).or_else(|| text(&row["version"])).expect("a subject");
            [text(&row["at"]).expect("a time"), text(&row["what"]).expect("a word"), of]
        };
        rows.iter().map(row).collect()
    };
    let told = rows(&page, "reading");
    let readings: BTreeSet<&str> = told.iter().map(|row| row[0].as_str()).collect();
    assert_eq!(readings.len(), 3);
    for reading in readings {
        let rows = told.iter().filter(|row| row[0] == reading);
        let expected: Vec<&[String]> = rows.map(|row| &row[1..4]).collect();
        assert_eq!(dates(reading, &[]), expected, "{reading}");
    }
    let mut rest = dates("default", &[]);
    let gone = rest.pop().expect("three");
    assert_eq!(gone[2], "tax.xls");
    assert_eq!(dates("default", &["--assume", "what-if.ndjson"]), rest);
}

/// The policy and the events are the page's; the last line is what is assumed.
#[test]
fn the_stage_of_inactivity_is_as_told() {
    let page = page("forecast.md");
    let lines = blocks(&page, "ndjson");
    let (assumed_at, _) = lines.trim_end().rmatch_indices('\n').next().expect("lines");
    let (happened, assumed) = lines.split_at(assumed_at + 1);
    let (folder, _) = import(happened);
    folder.write("lumen.toml", blocks(&page, "toml"));
    folder.write("page.ndjson", assumed);
    let mut ran = 0;
    for Shown { command, output } in shown(&page) {
        let args: Vec<&str> = command.split_whitespace().skip(1).collect();
        let printed = folder.command(&args).env("COLUMNS", "100").output();
        let printed: Ran = printed.expect("the binary runs").into();
        check(&command, &output, &printed.expect(0).out);
        ran += 1;
    }
    assert_eq!(ran, 2);
    // Reached at the very instant: a millisecond before, the purge is a breach; then it lacks its notice.
    for (at, code) in [
        ("2026-03-01T07:59:59.999Z", "purge-without-cause"),
        ("2026-03-01T08:00:00Z", "cleared-without-notice"),
    ] {
        let purge = format!(
            "{{\"id\":\"p\",\"account\":\"gil\",\"occurred_at\":\"{at}\",\"kind\":\"item_purged\",\
             \"item\":\"lake.jpg\",\"cause\":\"inactivity\",\"actor\":\"provider\"}}\n"
        );
        let (folder, _) = import(&format!("{happened}{purge}"));
        folder.write("lumen.toml", blocks(&page, "toml"));
        let args = ["--json", "--policy", "lumen.toml", "--as-of", "2026-03-02T00:00:00Z"];
        let found = folder.run(&[&args[..], &["findings"]].concat()).expect(0).json();
        let codes: Vec<&Value> = found.iter().map(|finding| &finding["code"]).collect();
        assert_eq!(codes, [code], "{at}");
    }
}

/// The order of effort on the page is that in which one act comes before the next.
#[test]
fn the_least_activity_is_that_of_the_page() {
    let page = page("forecast.md");
    let lines: String = [
        r#"{"id":"1","account":"a","occurred_at":"2026-01-01T00:00:00Z","kind":"item_uploaded","item":"i","category":"c","bytes":1,"actor":"user"}"#,
        "\n",
    ]
    .concat();
    let (folder, _) = import(&lines);
    let listed: Vec<(String, String)> = rows(&page, "in order")
        .iter()
        .flat_map(|row| row[0].split(", ").map(|kind| (kind.to_owned(), row[1].clone())))
        .collect();
    let actors = |by: &str| match by {
        "the user" => &["user"][..],
        "the user or a device" => &["user", "device"],
        "the provider or its support" => &["provider", "support"],
        _ => &["user", "device", "provider", "support"],
    };
    for actor in ["user", "device", "provider", "support"] {
        for (n, _) in listed.iter().enumerate() {
            let (kinds, rest) = (&listed[n..], &listed[..n]);
            let resets: Vec<String> =
                kinds.iter().rev().map(|(kind, _)| format!("\"{kind}\"")).collect();
            // What ends an account is never named.
            let resets = format!("\"account_closed\", \"data_cleared\", {}", resets.join(", "));
            folder.write(
                "p.toml",
                format!(
                    "schema = 1\npolicy = \"p\"\n[[version]]\nid = \"v\"\ntiers.t = {{}}\n\
                     [version.inactivity]\nwindow = \"1y\"\nresets = [{resets}]\n\
                     actors = [\"{actor}\"]\n"
                ),
            );
            let expected = kinds.iter().find(|(_, by)| actors(by).contains(&actor));
            let args = ["--policy", "p.toml", "--as-of", "2026-01-02T00:00:00Z", "--json"];
            let answer = folder.run(&[&args[..], &["forecast", "a"]].concat()).expect(0).object();
            let found = answer["dates"][0]["avoided_by"].as_str();
            let expected = expected.map(|(kind, _)| kind.as_str());
            assert_eq!(found, expected, "{actor} without {rest:?}");
        }
    }
}

/// The names of the fields of an answer; not those that are names of somebody's things.
pub fn collect_fields(value: &Value, fields: &mut BTreeSet<String>) {
    match value {
        Value::Object(object) => {
            for (key, value) in object {
                fields.insert(key.clone());
                let named = matches!(key.as_str(), "categories" | "readings" | "attributes");
                match value.as_object().filter(|_| named) {
                    Some(inner) => inner.values().for_each(|value| collect_fields(value, fields)),
                    None => collect_fields(value, fields),
                }
            }
        }
        Value::Array(values) => values.iter().for_each(|value| collect_fields(value, fields)),
        _ => {}
    }
}

#[test]
fn the_maps_on_the_page_are_the_samples() {
    let maps = ["files.toml", "office-activity.toml"].map(|name| {
        std::fs::read_to_string(fixture(&format!("imports/{name}"))).expect("a sample")
    });
    assert_eq!(blocks_of(&page("imports.md"), "toml"), maps);
}

/// The names in the first column of a table of `docs/imports.md` that have a kind in the second.
fn mapped(first: &str) -> Vec<(String, String)> {
    let mut names = Vec::new();
    let mut kind = String::new();
    for row in rows(&page("imports.md"), first) {
        let found = Kind::ALL.iter().find(|kind| row[1].starts_with(kind.name()));
        match found {
            Some(found) => kind = found.name().to_owned(),
            None if row[1].starts_with("the same") => {}
            None => continue,
        }
        names.extend(row[0].split(", ").map(|name| (name.to_owned(), kind.clone())));
    }
    assert!(names.len() >= 6, "{names:?}");
    names
}

#[test]
fn the_tables_of_imports_say_what_becomes_of_each_name() {
    let folder = Folder::new();
    let dry = |name: &str, records: String, format: &str| -> Vec<String> {
        folder.write(name, records);
        let ran =
            folder.run(&["import", name, "--dry-run", "--json", "--format", format]).expect(0);
        ran.json().iter().map(|event| event["kind"].as_str().expect("a kind").to_owned()).collect()
    };
    let of_m365 = mapped("Operation");
    let record = |n: usize, name: &str| {
        format!(
            "{{\"Id\":\"{n}\",\"Operation\":\"{name}\",\"CreationTime\":\"2025-01-01T00:00:00\",\
             \"UserId\":\"ann\",\"ObjectId\":\"a\"}}\n"
        )
    };
    let records = (0..).zip(&of_m365).map(|(n, (name, _))| record(n, name));
    let kinds: Vec<String> = of_m365.iter().map(|(_, kind)| kind.clone()).collect();
    assert_eq!(dry("m365", records.collect(), "m365-audit"), kinds);

    let of_drive = mapped("event name");
    let record = |n: usize, name: &str| {
        format!(
            "{{\"id\":{{\"time\":\"2025-01-01T00:00:00Z\",\"uniqueQualifier\":\"{n}\",\
             \"applicationName\":\"drive\"}},\"actor\":{{\"email\":\"ann\"}},\"events\":[{{\"name\":\
             \"{name}\",\"parameters\":[{{\"name\":\"doc_id\",\"value\":\"d\"}}]}}]}}\n"
        )
    };
    let records = (0..).zip(&of_drive).map(|(n, (name, _))| record(n, name));
    let kinds: Vec<String> = of_drive.iter().map(|(_, kind)| kind.clone()).collect();
    assert_eq!(dry("drive", records.collect(), "google-workspace-drive"), kinds);
}
