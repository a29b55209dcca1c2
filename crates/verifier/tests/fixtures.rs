//! The fixtures that a person can check by hand: `fixtures/rules`, `fixtures/findings`,
//! `fixtures/causes` and `fixtures/providers`.
//!
//! A fixture is a folder:
//!
//! | file | what |
//! |---|---|
//! | `README.md` | what it shows, in both languages, and its boundary with the arithmetic |
//! | `policy.toml` | the policy; without it, the preset of the folder's name, else the default one |
//! | `history.ndjson` | the events, in the order of appending; each `recorded_at` is honoured |
//! | `claims.ndjson` | claims, if there are any |
//! | `expected.ndjson` | a line a claim: the verdict but for `hash`, `because` and `caveats` |
//! | `expected.en.txt`, `expected.zh.txt` | a line a claim: its name, verdict and `because` |
//! | `states.ndjson` | what must hold of an account's state: `account`, `as_of`, perhaps `reading` and `known_at`, and `expect`, from JSON pointers to values; items and backups are found by name |
//!
//! All but the two texts is worked out by hand. `UPDATE_FIXTURES=1` writes the texts anew. Of
//! `fixtures/providers` the verdicts are those of the model in `testkit`, written anew with them, and the
//! model is held against the states too.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use event::{EventHash, History, Recorded, RecordedBy, Timestamp};
use policy::{DEFAULT_PRESET, Policy, presets};
use projection::{FindingCode, StateCause, fold};
use serde_json::Value;
use stillthere_verifier::{Asked, Bench, Claim, ClaimSubject, Language};
use testkit::claims::{self, Asserts, Subject};
use testkit::{json, model};

/// One folder, read.
struct Fixture {
    /// Its path under `fixtures/`.
    name: String,
    folder: PathBuf,
    policy: Policy,
    events: Vec<Recorded>,
    histories: BTreeMap<String, History>,
}

/// What was wrong, and what the fixtures said that was right.
#[derive(Default)]
struct Report {
    wrong: Vec<String>,
    findings: BTreeSet<String>,
    causes: BTreeSet<String>,
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fixtures")
}

/// The folders of `group`, by name.
fn folders(group: &str) -> Vec<String> {
    let group_path = root().join(group);
    let entries = fs::read_dir(&group_path).unwrap_or_else(|e| panic!("{group}: {e}"));
    let entries = entries.map(|entry| entry.expect("a folder is listed"));
    let folders = entries.filter(|entry| entry.path().is_dir());
    let mut names: Vec<String> = folders
        .map(|entry| format!("{group}/{}", entry.file_name().to_str().expect("UTF-8")))
        .collect();
    names.sort();
    names
}

impl Fixture {
    fn read(name: &str) -> Fixture {
        let folder = root().join(name);
        let policy = match fs::read_to_string(folder.join("policy.toml")) {
            Ok(text) => Policy::parse(&text).unwrap_or_else(|e| panic!("{name}/policy.toml: {e}")),
            Err(_) => {
                let own = name.rsplit_once('/').and_then(|(_, own)| Policy::preset(own));
                own.or_else(|| Policy::preset(DEFAULT_PRESET)).expect("the default preset")
            }
        };
        let mut fixture = Fixture {
            name: name.to_owned(),
            folder,
            policy,
            events: Vec::new(),
            histories: BTreeMap::new(),
        };
        let mut revisions: BTreeMap<String, u64> = BTreeMap::new();
        for (place, line) in fixture.lines("history.ndjson") {
            let event =
                event::read_line(line.as_bytes()).unwrap_or_else(|e| panic!("{place}: {e}"));
            let recorded_at = event.recorded_at.unwrap_or_else(|| panic!("{place}: recorded_at"));
            let revision = revisions.entry(event.account.clone()).or_default();
            fixture.events.push(Recorded {
                position: fixture.events.len() as u64,
                revision: *revision,
                recorded_at,
                recorded_by: RecordedBy::Source,
                event,
            });
            *revision += 1;
        }
        for account in revisions.into_keys() {
            let own = fixture.events.iter().filter(|r| r.event.account == account);
            let own: Vec<Recorded> = own.cloned().collect();
            fixture.histories.insert(account.clone(), History::of(&account, &own));
        }
        fixture
    }

    /// The lines of a file, each with its place; none if there is no such file.
    fn lines(&self, file: &str) -> Vec<(String, String)> {
        let text = fs::read_to_string(self.folder.join(file)).unwrap_or_default();
        let place = |n: usize| format!("fixtures/{}/{file}:{}", self.name, n + 1);
        text.lines().enumerate().map(|(n, line)| (place(n), line.to_owned())).collect()
    }

    fn check_readme(&self, report: &mut Report) {
        let lines = self.lines("README.md");
        let says = |what: &str| lines.iter().any(|(_, line)| line.contains(what));
        let chinese = lines.iter().any(|(_, line)| line.chars().any(is_chinese));
        if !says("**Boundar") || !chinese || lines.len() > 15 {
            let name = &self.name;
            report.wrong.push(format!(
                "fixtures/{name}/README.md: at most 15 lines, a boundary, both languages"
            ));
        }
    }

    fn check_claims(&self, report: &mut Report) {
        let bench = Bench::new(self.policy.clone());
        let (claims, expected) = (self.lines("claims.ndjson"), self.lines("expected.ndjson"));
        assert_eq!(claims.len(), expected.len(), "{}: claims and answers", self.name);
        let mut said: BTreeMap<&str, Vec<String>> = BTreeMap::new();
        for ((claim_place, claim), (place, expected)) in claims.iter().zip(&expected) {
            let claim =
                Claim::read(claim.as_bytes()).unwrap_or_else(|e| panic!("{claim_place}: {e}"));
            let judge = |lang| self.judge(&bench, &claim, lang);
            let (answer_en, answer_zh) = (judge(Language::En), judge(Language::Zh));
            for (lang, answer) in [("en", &answer_en), ("zh", &answer_zh)] {
                let ignored = ["hash", "because", "caveats"];
                if let Some(why) = json::difference(expected, &answer.to_string(), &ignored) {
                    report.wrong.push(format!("{place}: {}, in {lang}: {why}", claim.claim));
                }
            }
            let because =
                |answer: &Value| answer["because"].as_str().unwrap_or_default().to_owned();
            let (en, zh) = (because(&answer_en), because(&answer_zh));
            if en.is_empty() || zh.is_empty() || en == zh || !zh.chars().any(is_chinese) {
                report.wrong.push(format!("{place}: not a sentence in each language: {en} {zh}"));
            }
            let (name, verdict) = (&claim.claim, text(&answer_en["verdict"]).unwrap_or_default());
            said.entry("en").or_default().push(format!("{name}: {verdict}. {en}\n"));
            said.entry("zh").or_default().push(format!("{name}: {}。{zh}\n", in_chinese(&verdict)));
            report.causes.extend(text(&read_json(expected)["cause"]));
        }
        for (lang, lines) in said {
            self.check_text(&format!("expected.{lang}.txt"), &lines, report);
        }
    }

    fn judge(&self, bench: &Bench, claim: &Claim, lang: Language) -> Value {
        let history = self.histories.get(&claim.account);
        let hash_of = |event: projection::EventRef| {
            Ok::<_, ()>(EventHash::of(&self.events[event.position as usize].event))
        };
        let (as_of, known_at) = (Timestamp::MAX, Timestamp::MAX);
        let asked = Asked { as_of, known_at, names_known_at: false, lang };
        let verdict = bench.judge(claim, history, &asked, hash_of);
        serde_json::to_value(verdict.expect("every event has a hash")).expect("a verdict is JSON")
    }

    /// The verdicts of the model are those that are expected; they are written anew when asked.
    fn check_model_claims(&self, report: &mut Report) {
        let mut said = Vec::new();
        for (place, line) in self.lines("claims.ndjson") {
            let claim = Claim::read(line.as_bytes()).unwrap_or_else(|e| panic!("{place}: {e}"));
            let asserts = |(_, name): &&(Asserts, &str)| *name == claim.asserts.name();
            let (asserts, _) = Asserts::ALL.iter().find(asserts).expect("an assert of the model");
            let claim = claims::Claim {
                claim: claim.claim,
                account: claim.account,
                subject: match claim.subject {
                    ClaimSubject::Item(item) => Subject::Item(item),
                    ClaimSubject::Backup(backup) => Subject::Backup(backup),
                    ClaimSubject::Category(category) => Subject::Category(category),
                    ClaimSubject::Account => Subject::Account,
                },
                asserts: *asserts,
                as_of: claim.as_of,
            };
            let last = Timestamp::MAX;
            let answer = claims::judge(&claim, &self.events, &self.policy, last, last);
            let mut answer = serde_json::to_value(&answer).expect("an answer is JSON");
            for evidence in answer["evidence"].as_array_mut().expect("a list") {
                evidence.as_object_mut().expect("an object").remove("hash");
            }
            said.push(format!("{answer}\n"));
        }
        self.check_text("expected.ndjson", &said, report);
    }

    /// The model's states are the fold's, as of each instant and under each reading asked about.
    fn check_model_states(&self, report: &mut Report) {
        for (place, line) in self.lines("states.ndjson") {
            let row = read_json(&line);
            let as_of = Timestamp::parse(row["as_of"].as_str().expect("as_of")).expect("a time");
            let policy = match row["reading"].as_str() {
                Some(id) => self.policy.with_reading(id).expect("a reading"),
                None => self.policy.clone(),
            };
            let account = row["account"].as_str().expect("account");
            let own = self.events.iter().filter(|r| r.event.account == account);
            let own: Vec<Recorded> = own.cloned().collect();
            let said = model::state(&own, &policy, as_of, Timestamp::MAX).expect("a state");
            let view = fold(&self.histories[account], &policy, as_of, Timestamp::MAX);
            let state = view.expect("a state").account_state();
            let state = serde_json::to_string(&state).expect("a state is JSON");
            if let Some(why) = json::difference(&said.json(), &state, &["state_hash"]) {
                report.wrong.push(format!("{place}: the model and the fold differ: {why}"));
            }
        }
    }

    fn check_text(&self, file: &str, lines: &[String], report: &mut Report) {
        if std::env::var_os("UPDATE_FIXTURES").is_some() {
            fs::write(self.folder.join(file), lines.concat()).expect("a fixture is written");
        }
        let expected = self.lines(file);
        for n in 0..lines.len().max(expected.len()) {
            let said = lines.get(n).map(|line| line.trim_end());
            let wanted = expected.get(n).map(|(_, line)| line.as_str());
            if said != wanted {
                report.wrong.push(format!(
                    "fixtures/{}/{file}:{}:\n  expected {}\n  found    {}",
                    self.name,
                    n + 1,
                    wanted.unwrap_or("nothing"),
                    said.unwrap_or("nothing")
                ));
            }
        }
    }

    fn check_states(&self, report: &mut Report) {
        for (place, line) in self.lines("states.ndjson") {
            let row = read_json(&line);
            let keys = ["account", "as_of", "reading", "known_at", "expect"];
            let unknown =
                row.as_object().expect("an object").keys().find(|k| !keys.contains(&k.as_str()));
            assert_eq!(unknown, None, "{place}");
            let time = |field: &str| {
                text(&row[field])
                    .map(|t| Timestamp::parse(&t).unwrap_or_else(|e| panic!("{place}: {e}")))
            };
            let as_of = time("as_of").unwrap_or_else(|| panic!("{place}: as_of"));
            let known_at = time("known_at").unwrap_or(Timestamp::MAX);
            let policy = match text(&row["reading"]) {
                Some(id) => {
                    self.policy.with_reading(&id).unwrap_or_else(|| panic!("{place}: {id}"))
                }
                None => self.policy.clone(),
            };
            let account = text(&row["account"]).unwrap_or_else(|| panic!("{place}: account"));
            let history =
                self.histories.get(&account).unwrap_or_else(|| panic!("{place}: {account}"));
            let state = match fold(history, &policy, as_of, known_at) {
                Some(view) => by_name(serde_json::to_value(view.account_state()).expect("JSON")),
                None => Value::Null,
            };
            for (pointer, wanted) in row["expect"].as_object().expect("`expect` is an object") {
                let found = if pointer == "." { Some(&state) } else { state.pointer(pointer) };
                if found != Some(wanted) {
                    let found = found.map_or("nothing".to_owned(), Value::to_string);
                    report.wrong.push(format!(
                        "{place}: {pointer} of {account} as of {as_of}:\n  expected {wanted}\n  found    {found}"
                    ));
                }
                if pointer == "/findings" {
                    let codes = wanted.as_array().expect("findings are a list").iter();
                    report.findings.extend(codes.filter_map(|finding| text(&finding["code"])));
                }
                if pointer.ends_with("/cause") {
                    report.causes.extend(text(wanted));
                }
            }
        }
    }
}

/// A state whose items and backups are found by name.
fn by_name(mut state: Value) -> Value {
    for (list, key) in [("items", "item"), ("backups", "backup")] {
        let rows = state[list].as_array().expect("a list").iter();
        let rows = rows.map(|row| (text(&row[key]).expect("a name"), row.clone()));
        state[list] = Value::Object(rows.collect());
    }
    state
}

fn is_chinese(c: char) -> bool {
    ('\u{4e00}'..='\u{9fff}').contains(&c)
}

fn in_chinese(verdict: &str) -> &str {
    match verdict {
        "upheld" => "成立",
        "refuted" => "不成立",
        _ => "无法确定",
    }
}

fn read_json(line: &str) -> Value {
    serde_json::from_str(line).unwrap_or_else(|e| panic!("{line}: {e}"))
}

fn text(value: &Value) -> Option<String> {
    value.as_str().map(str::to_owned)
}

/// Runs the fixtures of these names.
fn check(names: &[String]) -> Report {
    let mut report = Report::default();
    for name in names {
        let fixture = Fixture::read(name);
        fixture.check_readme(&mut report);
        fixture.check_claims(&mut report);
        fixture.check_states(&mut report);
    }
    let wrong = &report.wrong;
    assert!(wrong.is_empty(), "{} wrong\n\n{}", wrong.len(), wrong.join("\n\n"));
    report
}

#[test]
fn every_rule_is_shown_at_its_boundary() {
    let names = folders("rules");
    check(&names);
    for rule in 1..=18 {
        let begins = format!("rules/S{rule:02}-");
        let own: Vec<&String> = names.iter().filter(|name| name.starts_with(&begins)).collect();
        assert_eq!(own.len(), 1, "S{rule}: {own:?}");
        let fixture = Fixture::read(own[0]);
        assert!(!fixture.folder.join("policy.toml").exists(), "S{rule} goes by the default policy");
        assert!(!fixture.lines("claims.ndjson").is_empty(), "S{rule} has claims");
        assert!(!fixture.lines("states.ndjson").is_empty(), "S{rule} has states");
    }
    assert_eq!(names.len(), 18);
}

/// S9 to S12 rest on disputed sentences: some claims come to the reading, and some do not.
#[test]
fn disputed_rules_show_readings_that_differ_and_that_agree() {
    for rule in ["S09", "S10", "S11", "S12"] {
        let names = folders("rules");
        let name = names.iter().find(|name| name.contains(rule)).expect("the rule has a fixture");
        let mut seen = BTreeSet::new();
        for (_, line) in Fixture::read(name).lines("expected.ndjson") {
            let readings = read_json(&line)["readings"].clone();
            let of_each = readings.as_object().expect("readings").values();
            seen.insert(of_each.filter_map(text).collect::<BTreeSet<_>>().len());
        }
        assert_eq!(seen, BTreeSet::from([1, 2]), "{rule}: how many outcomes the readings have");
    }
}

#[test]
fn every_preset_is_shown_at_its_boundaries() {
    let names = folders("providers");
    let others = presets().iter().filter(|(name, _)| *name != DEFAULT_PRESET);
    let others: Vec<String> = others.map(|(name, _)| format!("providers/{name}")).collect();
    assert_eq!(names, others);
    let mut report = Report::default();
    for name in &names {
        let fixture = Fixture::read(name);
        assert_eq!(format!("providers/{}", fixture.policy.name), *name);
        fixture.check_model_claims(&mut report);
        fixture.check_model_states(&mut report);
    }
    assert!(report.wrong.is_empty(), "{}", report.wrong.join("\n\n"));
    check(&names);
}

#[test]
fn every_finding_is_shown() {
    let names = folders("findings");
    let report = check(&names);
    for code in FindingCode::ALL {
        assert!(names.contains(&format!("findings/{code}")), "{code} has a fixture");
        assert!(report.findings.contains(code.name()), "{code} is found");
    }
    assert_eq!(names.len(), FindingCode::ALL.len());
}

#[test]
fn every_cause_is_shown() {
    let report = check(&["causes".to_owned()]);
    for cause in StateCause::ALL {
        assert!(report.causes.contains(cause.name()), "{cause}");
    }
    assert_eq!(report.causes.len(), StateCause::ALL.len());
}
