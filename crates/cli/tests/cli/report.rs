//! `report`: its figures at the edges of a month, what names can do to it, and that it can be made again.

use std::path::PathBuf;
use std::process::Command;

use serde_json::{Value, json};

use crate::binary::{Folder, fixture};

/// March 2025 in Shanghai goes from 2025-02-28T16:00:00Z to 2025-03-31T15:59:59.999Z.
const POLICY: &str = r#"
schema = 1
policy = "cirrus"
time_zone = "Asia/Shanghai"
[[version]]
id = "1"
source = "made up"
[version.tiers.free]
trash = "30d"
[version.tiers.plus]
trash = "60d"
[version.trash]
purge_lag = "7d"
[version.inactivity]
window = "1y"
resets = ["signed_in"]
[[version.clauses]]
id = "4.2"
for = ["premature-purge"]
text = { en = "Thirty days.", zh = "三十天。" }
[[version.readings]]
id = "longer"
set = { "tiers.free.trash" = "40d" }
[[version.readings]]
id = "idle"
set = { "inactivity.window" = "2y" }
"#;

/// Lines of events, an id each.
#[derive(Default)]
struct Lines(String, u32);

impl Lines {
    fn event(&mut self, account: &str, at: &str, kind: &str, actor: &str, fields: Value) {
        let mut line = json!({
            "id": self.1.to_string(), "account": account, "occurred_at": at, "recorded_at": at,
            "kind": kind, "actor": actor,
        });
        self.1 += 1;
        for (key, value) in fields.as_object().expect("fields") {
            line[key] = value.clone();
        }
        self.0.push_str(&format!("{line}\n"));
    }

    fn upload(&mut self, account: &str, at: &str, item: &str) {
        let fields = json!({ "item": item, "category": "photos", "bytes": 1000 });
        self.event(account, at, "item_uploaded", "user", fields);
    }

    /// An item that its user trashes and somebody purges.
    fn purged(&mut self, account: &str, trashed: &str, at: &str, by: &str) {
        self.upload(account, "2025-01-01T00:00:00Z", "it");
        self.event(account, trashed, "item_trashed", "user", json!({ "item": "it" }));
        self.event(account, at, "item_purged", by, json!({ "item": "it" }));
    }
}

fn store(lines: &Lines) -> Folder {
    let folder = Folder::new();
    folder.write("cirrus.toml", POLICY);
    folder.write("lines.ndjson", &lines.0);
    folder.run(&["import", "--trust-recorded-at", "lines.ndjson"]).expect(0);
    folder
}

/// The page of a report under the policy.
fn report(folder: &Folder, args: &[&str]) -> String {
    let ran = folder.run(&[&["--policy", "cirrus.toml"], args].concat()).expect(0);
    assert_eq!(ran.err, "", "{ran:#?}");
    ran.out
}

fn march(lines: &Lines) -> String {
    report(&store(lines), &["report", "--month", "2025-03"])
}

/// The text of some markup.
fn text(markup: &str) -> String {
    let mut text = String::new();
    let mut rest = markup;
    while let Some((before, tag)) = rest.split_once('<') {
        text.push_str(before);
        rest = tag.split_once('>').map_or("", |(_, after)| after);
    }
    text.push_str(rest);
    let text = text.replace("&lt;", "<").replace("&gt;", ">").replace("&quot;", "\"");
    text.replace("&amp;", "&")
}

/// The cells of the rows of all tables.
fn rows(page: &str) -> Vec<Vec<String>> {
    let row = |row: &str| {
        let row = row.split_once("</tr>").expect("a row ends").0;
        row.split("<t").skip(1).map(|cell| text(&format!("<t{cell}"))).collect()
    };
    page.split("<tr>").skip(1).map(row).collect()
}

/// The row that begins with these cells, without them.
#[track_caller]
fn row(page: &str, begins: &[&str]) -> Vec<String> {
    let all = rows(page);
    let found = all.iter().find(|row| row.len() > begins.len() && row[..begins.len()] == *begins);
    let Some(found) = found else { panic!("no row {begins:?} in {all:#?}") };
    found[begins.len()..].to_vec()
}

#[test]
fn a_month_has_its_first_and_its_last_instant() {
    let mut lines = Lines::default();
    for (account, purged_at) in [
        ("a", "2025-02-28T15:59:59Z"),
        ("b", "2025-02-28T16:00:00Z"),
        ("c", "2025-03-31T15:59:59.999Z"),
        ("d", "2025-03-31T16:00:00Z"),
    ] {
        let trashed = if account < "c" { "2025-02-20T00:00:00Z" } else { "2025-03-20T00:00:00Z" };
        lines.purged(account, trashed, purged_at, "provider");
    }
    let page = march(&lines);
    assert!(page.contains("<title>What was kept and lost: March 2025</title>"), "{page}");
    assert_eq!(row(&page, &["premature-purge", "breach"])[2..], ["2", "2"]);
    let breaches: Vec<_> =
        rows(&page).into_iter().filter(|row| row.get(1).is_some_and(|of| of == "it")).collect();
    let told: Vec<[&str; 3]> = breaches.iter().map(|row| [&*row[0], &*row[2], &*row[3]]).collect();
    assert_eq!(
        told,
        [
            ["b", "premature-purge 4.2", "2025-02-28T16:00:00Z"],
            ["c", "premature-purge 4.2", "2025-03-31T15:59:59.999Z"],
        ]
    );
    assert!(page.contains("Thirty days."), "the clause is cited");
    assert_eq!(row(&page, &["early"])[1..], ["2", "0"]);
    // As of the last instant that of d has not occurred yet.
    assert_eq!(row(&page, &["photos"]), ["0", "1", "0", "3", "0", "0 B"]);
    assert!(page.contains("from 2025-02-28T16:00:00Z to 2025-03-31T15:59:59.999Z"), "{page}");
    assert!(page.contains("11 counted, 4 of them in the period"), "{page}");

    // Without a month, all of it; of the findings the verb says as many.
    let folder = store(&lines);
    let page = report(&folder, &["report", "--as-of", "2025-03-31T16:00:00Z"]);
    assert_eq!(row(&page, &["premature-purge", "breach"])[2..], ["4", "4"]);
    assert!(page.contains("up to 2025-03-31"), "{page}");
}

#[test]
fn an_event_has_the_hash_that_replay_shows() {
    let mut lines = Lines::default();
    lines.purged("a", "2025-03-01T00:00:00Z", "2025-03-02T00:00:00Z", "provider");
    let folder = store(&lines);
    let page = report(&folder, &["report", "--month", "2025-03"]);
    let replayed = folder.ask(&["replay", "a"]);
    let purge = replayed.iter().find(|event| event["kind"] == "item_purged").expect("the purge");
    let told = row(&page, &["a", "it"]);
    let hash = purge["hash"].as_str().expect("a hash");
    assert_eq!(told[2], format!("@{} {hash}", purge["position"]));
    let verified = folder.run(&["--json", "verify"]).expect(0).object();
    assert!(page.contains(verified["root"].as_str().expect("a root")), "{page}");
}

/// Trashed on 1 February: the deadline is 3 March, and the lag is over on 10 March, both at midnight.
#[test]
fn what_was_taken_is_told_apart_at_the_second() {
    let mut lines = Lines::default();
    for (account, at, by) in [
        ("p0", "2025-03-02T23:59:59Z", "provider"),
        ("own", "2025-03-02T23:59:59Z", "user"),
        ("first", "2025-03-03T00:00:00Z", "provider"),
        ("last", "2025-03-10T00:00:00Z", "provider"),
        ("p1", "2025-03-10T00:00:01Z", "provider"),
        ("own-late", "2025-03-10T00:00:01Z", "user"),
    ] {
        lines.purged(account, "2025-02-01T00:00:00Z", at, by);
    }
    // One that came back since, and counts all the same.
    lines.purged("back", "2025-02-01T00:00:00Z", "2025-03-05T00:00:00Z", "provider");
    lines.upload("back", "2025-03-06T00:00:00Z", "it");
    // A clearing takes three items and a backup; a user removes a backup.
    for item in ["x", "y", "z"] {
        lines.upload("gone", "2025-01-01T00:00:00Z", item);
    }
    let backup = json!({ "backup": "b", "bytes": 5 });
    for account in ["gone", "own"] {
        lines.event(account, "2025-01-01T00:00:00Z", "backup_completed", "user", backup.clone());
    }
    let at = "2025-03-07T00:00:00Z";
    lines.event("gone", at, "account_closed", "user", json!({}));
    lines.event("gone", at, "data_cleared", "provider", json!({ "cause": "closed" }));
    lines.event("own", at, "backup_off", "user", json!({ "delete_backups": true }));
    // Expired, and its lag over at the last instant of the month.
    lines.upload("due", "2025-01-01T00:00:00Z", "it");
    lines.event("due", "2025-02-22T15:59:59.999Z", "item_trashed", "user", json!({ "item": "it" }));

    let page = march(&lines);
    assert_eq!(row(&page, &["on time"])[1..], ["3", "0"]);
    assert_eq!(row(&page, &["late"])[1..], ["2", "0"]);
    assert_eq!(row(&page, &["by the user"])[1..], ["1", "1"]);
    assert_eq!(row(&page, &["for inactivity"])[1..], ["0", "0"]);
    assert_eq!(row(&page, &["for quota"])[1..], ["0", "0"]);
    assert_eq!(row(&page, &["early"])[1..], ["1", "0"]);
    assert_eq!(row(&page, &["with the account"])[1..], ["3", "1"]);
    assert!(page.contains("1 item was past its deadline and the policy's lag"), "{page}");
    assert_eq!(row(&page, &["photos"]), ["1", "0", "1", "6", "3", "1000 B"]);
    assert_eq!(row(&page, &["closed"]), ["1"]);

    let folder = store(&lines);
    let args = ["report", "--month", "2025-03", "--as-of", "2025-03-31T15:59:59.998Z"];
    let page = report(&folder, &args);
    assert!(page.contains("No item was past its deadline"), "{page}");
}

/// 18 of 15 GB from 15 January 2024 on: the preset lets them go two years later, and a second sooner it is a
/// breach. A file of which nobody knew for two years may go too.
#[test]
fn what_a_stage_admits_is_not_early() {
    let mut lines = Lines::default();
    for (account, at) in [("at", "2026-01-15T00:00:00Z"), ("before", "2026-01-14T23:59:59Z")] {
        for (item, day, gigabytes) in [("a", "10", 10_u64), ("b", "15", 8)] {
            let bytes = gigabytes * 1_000_000_000;
            let fields = json!({ "item": item, "category": "drive", "bytes": bytes });
            let day = format!("2024-01-{day}T00:00:00Z");
            lines.event(account, &day, "item_uploaded", "user", fields);
        }
        let fields = json!({ "item": "a", "cause": "quota" });
        lines.event(account, at, "item_purged", "provider", fields);
    }
    let folder = store(&lines);
    let ask = |lang: &str| {
        let args = ["--policy", "google-drive", "--lang", lang, "--as-of", "2026-02-01T00:00:00Z"];
        folder.run(&[&args[..], &["report"]].concat()).expect(0).out
    };
    let page = ask("en");
    assert_eq!(row(&page, &["for quota"])[1..], ["1", "0"]);
    assert_eq!(row(&page, &["early"])[1..], ["1", "0"]);
    assert!(page.contains("1 breach of the policy"), "{page}");
    // The stages that it rests on are with the policy, those of the versions in force.
    let stage = row(&page, &["over-quota", "over quota"]);
    assert_eq!(stage, ["2 years", "purge: drive", "–"]);
    let idle = row(&page, &["product-inactive", "category inactive"]);
    assert_eq!(idle, ["2 years", "purge: drive", "3 months"]);
    let page = ask("zh");
    assert_eq!(row(&page, &["因空间"])[1..], ["1", "0"]);
    assert_eq!(row(&page, &["over-quota", "超出空间"]), ["2 年", "清除内容：drive", "–"]);
}

#[test]
fn readings_say_what_they_would_change() {
    let mut lines = Lines::default();
    // 30 days are over on 12 March, 40 on 22 March.
    for account in ["a", "b"] {
        lines.upload(account, "2025-01-01T00:00:00Z", "it");
        lines.event(
            account,
            "2025-02-10T00:00:00Z",
            "item_trashed",
            "user",
            json!({ "item": "it" }),
        );
    }
    lines.event("b", "2025-03-15T00:00:00Z", "item_purged", "provider", json!({ "item": "it" }));
    let folder = store(&lines);
    let page =
        report(&folder, &["report", "--month", "2025-03", "--as-of", "2025-03-16T00:00:00Z"]);
    // As of then a's item is still in the trash; b's purge came too early.
    assert_eq!(row(&page, &["longer"])[1..], ["1", "0", "0", "+1 −0", "1"]);
    assert_eq!(row(&page, &["idle"])[1..], ["0", "0", "0", "0", "0"]);
    assert!(page.contains("1 of 2 other ways to read the policy"), "{page}");
    let page =
        report(&folder, &["report", "--month", "2025-03", "--as-of", "2025-03-11T00:00:00Z"]);
    assert_eq!(row(&page, &["longer"])[1..], ["0", "2", "0", "0", "0"]);
}

#[test]
fn the_commands_at_the_foot_make_the_same_bytes() {
    let mut lines = Lines::default();
    lines.purged("a", "2025-03-01T00:00:00Z", "2025-03-02T00:00:00Z", "provider");
    let folder = store(&lines);
    std::fs::rename(folder.path("cirrus.toml"), folder.path("it's $HOME.toml")).expect("renamed");
    let policy = ["--policy", "it's $HOME.toml"];
    for args in [
        &["report", "--month", "2025-03", "--lang", "zh"][..],
        &["report", "--month", "2025-03", "--as-of", "2025-03-15T00:00:00Z"],
        &["report"],
    ] {
        let page = folder.run(&[&policy[..], args].concat()).expect(0).out;
        let code =
            page.split("<pre><code>").skip(1).map(|rest| rest.split_once("</code>").unwrap().0);
        let command = code.map(text).find(|code| code.contains("report.html")).expect("a command");
        let bin = env!("CARGO_BIN_EXE_stillthere");
        let path =
            format!("{}:/usr/bin:/bin", PathBuf::from(bin).parent().expect("a folder").display());
        let mut bash = Command::new("bash");
        bash.args(["-c", &command]).env("PATH", path).env("HOME", "/nowhere");
        bash.env_remove("STILLTHERE_STORE").current_dir(folder.path("."));
        let ran = bash.output().expect("bash runs");
        assert!(ran.status.success(), "{command}: {ran:?}");
        assert_eq!(String::from_utf8(folder.read("report.html")).ok(), Some(page), "{command}");
    }
}

/// What somebody might call a thing to have it run, fetched, or read otherwise.
const HOSTILE: &str =
    "</style></title></svg>\"'><script>alert(1)</script><img src=x onerror=alert(1)>&lt;\u{202e}";

fn hostile() -> Folder {
    let mut lines = Lines::default();
    lines.upload(HOSTILE, "2025-01-01T00:00:00Z", HOSTILE);
    let fields = json!({ "item": "i", "category": HOSTILE, "bytes": 1 });
    lines.event(HOSTILE, "2025-03-01T00:00:00Z", "item_uploaded", "user", fields);
    lines.event(
        HOSTILE,
        "2025-03-01T00:00:00Z",
        "item_purged",
        "provider",
        json!({ "item": HOSTILE }),
    );
    let folder = store(&lines);
    let quoted = json!(HOSTILE).to_string();
    let policy = POLICY
        .replace("\"cirrus\"", &quoted)
        .replace("\"made up\"", &quoted)
        .replace("id = \"4.2\"", &format!("id = {quoted}"))
        .replace("[\"premature-purge\"]", "[\"purge-without-cause\"]")
        .replace("\"Thirty days.\"", &quoted)
        .replace("id = \"longer\"", &format!("id = {quoted}"))
        .replace("tiers.plus]", &format!("tiers.{quoted}]"));
    folder.write("cirrus.toml", policy);
    folder
}

#[test]
fn no_name_is_markup() {
    let folder = hostile();
    for lang in ["en", "zh"] {
        let page = report(&folder, &["report", "--month", "2025-03", "--lang", lang]);
        for part in ["<script", "<img", "onerror=alert(1)>", "\u{202e}", "'><", "\"'>"] {
            assert!(!page.contains(part), "{part} in {page}");
        }
        let escaped = "&lt;/style&gt;&lt;/title&gt;&lt;/svg&gt;&quot;'&gt;&lt;script&gt;alert(1)&lt;/script&gt;";
        assert!(page.matches(escaped).count() >= 8, "{page}");
        for element in ["style", "title", "script"] {
            let closing = format!("</{element}>");
            let expected =
                if element == "script" { 0 } else { 1 + 2 * usize::from(element == "title") };
            assert_eq!(page.matches(&closing).count(), expected, "{element}: {page}");
        }
    }
}

#[test]
fn the_page_is_whole_in_both_languages() {
    let folder = store(&Lines::default());
    folder.write("demo.ndjson", std::fs::read(fixture("demo/dispute.ndjson")).expect("the demo"));
    folder.run(&["import", "--trust-recorded-at", "demo.ndjson"]).expect(0);
    let at = ["--as-of", "2026-02-13T13:47:38Z", "report"];
    let en = folder.run(&at).expect(0).out;
    let zh = folder.run(&[&at[..], &["--lang", "zh"]].concat()).expect(0).out;
    for (page, lang, title, findings) in [
        (&en, "en", "What was kept and lost, up to 2026-02-13", "Findings of the period"),
        (&zh, "zh-CN", "数据留存报告：截至 2026-02-13", "期间内发现的问题"),
    ] {
        assert!(page.starts_with(&format!("<!DOCTYPE html><html lang=\"{lang}\">")), "{page}");
        assert!(page.contains(&format!("<title>{title}</title>")), "{page}");
        assert!(page.contains(findings), "{page}");
        // Nothing is fetched, and every chart has words.
        for part in ["http:", "https:", " src=", "url(", "@import", "<script"] {
            assert!(!page.contains(part), "{part} in {page}");
        }
        let (charts, words) = (page.matches("<svg ").count(), page.matches("<desc ").count());
        assert!(charts > 0 && charts == words, "{charts} {words}");
        let tables = page.matches("<table").count();
        assert_eq!(page.matches("<caption>").count(), tables);
        assert!(page.matches("scope=\"col\"").count() >= 2 * tables, "{page}");
    }
    let digits = |page: &str| row(page, &["photos"]);
    assert_eq!(digits(&en), digits(&zh));
    assert_eq!(row(&en, &["premature-purge"])[0], "breach");
    assert_eq!(row(&zh, &["premature-purge"])[0], "违规");
}

#[test]
fn a_long_list_is_cut_and_says_so() {
    let mut lines = Lines::default();
    for account in 0..51 {
        let account = format!("a{account:02}");
        lines.purged(&account, "2025-03-01T00:00:00Z", "2025-03-02T00:00:00Z", "provider");
    }
    let folder = store(&lines);
    let page = report(&folder, &["report", "--month", "2025-03"]);
    let told = rows(&page).into_iter().filter(|row| row.get(1).is_some_and(|of| of == "it"));
    let told: Vec<String> = told.map(|row| row[0].clone()).collect();
    assert_eq!(told.len(), 50);
    assert_eq!((&*told[0], &*told[49]), ("a00", "a49"));
    assert!(page.contains("These are the first 50 of 51, by account."), "{page}");
    assert!(page.contains("findings --severity breach</code>"), "{page}");
}

#[test]
fn a_report_that_cannot_be_is_refused() {
    let folder = store(&Lines::default());
    let before = folder.files();
    for (args, said) in [
        (&["report", "--month", "2025-3"][..], "a month is written as 2026-03"),
        (&["report", "--month", "0001-01"], "reaches out of the years 1 to 9999"),
        (
            &["report", "--month", "2025-03", "--as-of", "2025-02-28T15:59:59Z"],
            "begins at 2025-02-28T16:00:00Z in Asia/Shanghai, which is after --as-of 2025-02-28T15:59:59Z",
        ),
        (&["report", "-o", "nowhere/r.html"], "nowhere/r.html: cannot write it"),
        (&["report", "-o", "stillthere.store/r.html"], "lies in the store's folder"),
    ] {
        folder.run(&[&["--policy", "cirrus.toml"], args].concat()).expect(2).says(said);
    }
    assert_eq!(folder.files(), before);
    folder.run(&["--store", "none", "report"]).expect(3);
    // The first instant itself is in the month.
    folder.run(&["report", "--month", "2025-03", "--as-of", "2025-02-28T16:00:00Z"]).expect(0);
}

#[test]
fn there_is_no_report_on_a_log_that_was_edited() {
    let mut lines = Lines::default();
    lines.purged("a", "2025-03-01T00:00:00Z", "2025-03-02T00:00:00Z", "provider");
    let folder = store(&lines);
    let segment = folder.path("stillthere.store/log/000000000000.seg");
    let mut bytes = std::fs::read(&segment).expect("a segment");
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    std::fs::write(&segment, bytes).expect("written");
    let ran = folder.run(&["--policy", "cirrus.toml", "report", "-o", "r.html"]);
    let ran = ran.expect(1).says("no report on a log that is not as it was written: log/");
    assert_eq!(ran.out, "");
    assert!(!folder.path("r.html").exists());
}

#[test]
fn a_checkpoint_is_told_and_checked() {
    let mut lines = Lines::default();
    lines.purged("a", "2025-03-01T00:00:00Z", "2025-03-02T00:00:00Z", "provider");
    let folder = store(&lines);
    assert!(report(&folder, &["report"]).contains("none was signed"));
    folder.run(&["key", "new", "--origin", "example.com/log"]).expect(0);
    let note = folder.run(&["checkpoint"]).expect(0).out;
    let page = report(&folder, &["report"]);
    let told = text(
        page.split("<pre><code>").find(|pre| pre.starts_with("example.com/log")).expect("the note"),
    );
    assert!(told.starts_with(note.trim_end()), "{told}");
    assert!(page.contains("1 page, 3 of the 3 events"), "{page}");
    let forged = note.replace("example.com/log\n1\n", "example.com/log\n2\n");
    assert_ne!(forged, note);
    folder.write("stillthere.store/tlog/checkpoint", forged);
    folder.run(&["report"]).expect(1).says("its checkpoint is not believed");
}

/// Chromium, where it is installed (Debian's package `chromium`).
fn chromium() -> Option<&'static str> {
    let is_there = |program: &&str| Command::new(program).arg("--version").output().is_ok();
    let found = ["chromium", "chromium-browser", "google-chrome"].into_iter().find(is_there);
    if found.is_none() {
        eprintln!("LEFT OUT: the report in a browser; no chromium here");
    }
    found
}

/// What a browser made of a page: the document, what was said on its console, and what it asked of the
/// network.
struct Loaded {
    document: String,
    console: Vec<String>,
    asked: Vec<String>,
}

fn load(browser: &str, folder: &Folder, file: &str) -> Loaded {
    let net = folder.path("net.json");
    let mut run = Command::new(browser);
    run.args(["--headless", "--no-sandbox", "--disable-gpu", "--no-first-run"]);
    run.args(["--disable-background-networking", "--disable-component-update", "--disable-sync"]);
    run.args(["--disable-extensions", "--no-default-browser-check", "--enable-logging=stderr"]);
    run.arg(format!("--user-data-dir={}", folder.path("profile").display()));
    run.arg(format!("--log-net-log={}", net.display()));
    run.arg("--dump-dom").arg(format!("file://{}", folder.path(file).display()));
    let ran = run.output().expect("the browser runs");
    let said = String::from_utf8_lossy(&ran.stderr).into_owned();
    assert!(ran.status.success(), "{said}");
    let net = std::fs::read_to_string(&net).expect("a log of the network");
    let urls = net.split("\"url\":\"").skip(1).filter_map(|rest| rest.split('"').next());
    // The browser itself asks its maker for things; a page here could ask for anything else.
    let own = ["google.com", "googleapis.com", "gvt1.com", "gstatic.com", "googleusercontent.com"];
    let is_own = |url: &str| {
        let host = url.split('/').nth(2).unwrap_or_default();
        own.iter().any(|own| host == *own || host.ends_with(&format!(".{own}")))
    };
    let asked = urls.filter(|url| url.starts_with("http") && !is_own(url));
    Loaded {
        document: String::from_utf8(ran.stdout).expect("UTF-8"),
        console: said.lines().filter(|l| l.contains("CONSOLE")).map(str::to_owned).collect(),
        asked: asked.map(str::to_owned).collect(),
    }
}

#[test]
fn a_browser_shows_it_and_asks_for_nothing() {
    let Some(browser) = chromium() else { return };
    let folder = hostile();
    // That the eyes of this test are open.
    folder.write(
        "bad.html",
        "<script>console.error('seen')</script><img src='http://127.0.0.1:9/x.png'>",
    );
    let bad = load(browser, &folder, "bad.html");
    assert!(bad.console.iter().any(|line| line.contains("seen")), "{:?}", bad.console);
    assert!(bad.asked.iter().any(|url| url.contains("127.0.0.1:9")), "{:?}", bad.asked);

    for lang in ["en", "zh"] {
        let page = report(&folder, &["report", "--month", "2025-03", "--lang", lang]);
        folder.write("report.html", &page);
        let Loaded { document, console, asked } = load(browser, &folder, "report.html");
        assert_eq!(console, Vec::<String>::new());
        assert_eq!(asked, Vec::<String>::new());
        for element in ["<script", "<img"] {
            assert!(!document.contains(element), "{element} in {document}");
        }
        // As it was read is as it was written: no tag was left open.
        assert_eq!(rows(&document), rows(&page));
        assert_eq!(row(&document, &["purge-without-cause"])[3..], ["1", "1"]);
        let bars = document.matches("</rect>").count();
        assert_eq!(bars, page.matches("</rect>").count());
        assert!(bars >= 11, "{document}");
    }
}
