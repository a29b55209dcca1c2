//! Whole outputs, held against the files of `tests/cli/snapshots`.
//!
//! `UPDATE_SNAPSHOTS=1 cargo test -p stillthere snapshots` writes them anew: read the difference.

use std::fs;
use std::path::Path;

use crate::binary::{AS_OF, Folder};

/// Name of the file; the command line.
const SCREENS: &[(&str, &[&str])] = &[
    ("accounts", &["accounts"]),
    ("accounts-none", &["accounts", "--status", "closed"]),
    ("audit", &["audit", "claims.ndjson"]),
    ("audit-known-at", &["audit", "claims.ndjson", "--known-at", "2025-09-11T00:00:00Z"]),
    ("backup", &["backup", "--to", "copy"]),
    ("doctor", &["doctor"]),
    ("doctor-missing", &["doctor", "--store", "nowhere"]),
    ("explain", &["explain", "ann", "beach.jpg"]),
    ("explain-sync-off", &["explain", "ann", "tides.jpg", "--known-at", "2026-01-01T00:00:00Z"]),
    ("explain-why-not", &["explain", "ann", "beach.jpg", "--why-not", "recoverable"]),
    ("export", &["export"]),
    ("export-cloudevents", &["export", "--format", "cloudevents"]),
    ("findings", &["findings"]),
    ("findings-lawful", &["findings", "--lawful"]),
    ("forecast", &["forecast", "ann"]),
    ("forecast-all", &["forecast", "--all", "--due-within", "30d"]),
    ("forecast-assume", &["forecast", "ann", "--assume", "what-if.ndjson"]),
    ("forecast-ics", &["forecast", "ann", "--ics", "ann.ics"]),
    ("forecast-none", &["forecast", "ann", "--until", "2025-10-02T00:00:00Z"]),
    ("import-again", &["import", "household.ndjson"]),
    ("import-bad", &["import", "bad.ndjson"]),
    ("policy-check-preset", &["policy", "check", "xiaomi-cloud"]),
    ("policy-check", &["policy", "check", "rules.toml"]),
    ("policy-diff", &["policy", "diff", "xiaomi-cloud", "rules.toml"]),
    ("policy-diff-list", &["policy", "diff", "xiaomi-cloud", "rules.toml", "--list"]),
    ("policy-diff-same", &["policy", "diff", "rules.toml", "rules.toml"]),
    ("policy-check-stages", &["policy", "check", "onedrive-personal"]),
    ("policy-show-stages", &["policy", "show", "onedrive-personal"]),
    ("policy-list", &["policy", "list"]),
    ("policy-show", &["policy", "show"]),
    ("policy-show-rules", &["policy", "show", "rules.toml"]),
    ("replay", &["replay", "ann"]),
    ("salvage", &["salvage", "--to", "saved"]),
    ("snapshot", &["snapshot", "--all"]),
    ("state", &["state", "ann"]),
    ("state-known-at", &["state", "ann", "--known-at", "2025-09-11T00:00:00Z"]),
    ("state-other-rules", &["state", "ann", "--policy", "rules.toml"]),
    (
        "sweep",
        &[
            "sweep",
            "--policy",
            "rules.toml",
            "--param",
            "tiers.basic.trash=2d..40d",
            "--points",
            "5",
        ],
    ),
    ("verify", &["verify"]),
    ("verify-quick", &["verify", "--quick"]),
    (
        "verify-other-root",
        &[
            "verify",
            "--expect-root",
            "0000000000000000000000000000000000000000000000000000000000000000",
        ],
    ),
];

/// Outputs that are looked at on narrow screens, too.
const NARROW: &[(&str, &[&str])] = &[
    ("audit", &["audit", "claims.ndjson"]),
    ("explain-why-not", &["explain", "ann", "beach.jpg", "--why-not", "recoverable"]),
    ("findings", &["findings"]),
    ("findings-lawful", &["findings", "--lawful"]),
    ("forecast", &["forecast", "ann"]),
    ("forecast-assume", &["forecast", "ann", "--assume", "what-if.ndjson"]),
    ("policy-diff", &["policy", "diff", "xiaomi-cloud", "rules.toml"]),
    ("policy-diff-list", &["policy", "diff", "xiaomi-cloud", "rules.toml", "--list"]),
    ("replay", &["replay", "ann"]),
    ("state", &["state", "ann"]),
    (
        "sweep",
        &[
            "sweep",
            "--policy",
            "rules.toml",
            "--param",
            "tiers.basic.trash=2d..40d",
            "--points",
            "5",
        ],
    ),
];

/// Help, and what is said of a bad command line, which are in English alone.
const ENGLISH: &[(&str, &[&str])] = &[
    ("error-day", &["accounts", "--as-of", "2026-02-13"]),
    ("error-item-is-backup", &["explain", "ann", "phone-1", "--as-of", AS_OF]),
    ("error-forecast-reading", &["forecast", "ann", "--reading", "mine", "--as-of", AS_OF]),
    ("error-no-account", &["state", "nobody", "--as-of", AS_OF]),
    ("error-no-file", &["import", "missing.ndjson"]),
    ("error-no-item", &["explain", "ann", "nothing", "--as-of", AS_OF]),
    ("error-no-policy", &["accounts", "--policy", "nowhere"]),
    ("error-no-store", &["accounts", "--store", "nowhere"]),
    ("error-sweep-range", &["sweep", "--param", "tiers.standard.trash=180d..7d"]),
    ("error-time", &["accounts", "--as-of", "yesterday"]),
    ("error-verb", &["stat"]),
    ("help", &["--help"]),
    ("help-accounts", &["accounts", "--help"]),
    ("help-audit", &["audit", "--help"]),
    ("help-backup", &["backup", "--help"]),
    ("help-bench", &["bench", "--help"]),
    ("help-completions", &["completions", "--help"]),
    ("help-doctor", &["doctor", "--help"]),
    ("help-explain", &["explain", "--help"]),
    ("help-export", &["export", "--help"]),
    ("help-findings", &["findings", "--help"]),
    ("help-forecast", &["forecast", "--help"]),
    ("help-generate", &["generate", "--help"]),
    ("help-import", &["import", "--help"]),
    ("help-policy", &["policy", "--help"]),
    ("help-policy-check", &["policy", "check", "--help"]),
    ("help-policy-diff", &["policy", "diff", "--help"]),
    ("help-policy-list", &["policy", "list", "--help"]),
    ("help-policy-new", &["policy", "new", "--help"]),
    ("help-policy-show", &["policy", "show", "--help"]),
    ("help-replay", &["replay", "--help"]),
    ("help-restore", &["restore", "--help"]),
    ("help-salvage", &["salvage", "--help"]),
    ("help-short", &["-h"]),
    ("help-snapshot", &["snapshot", "--help"]),
    ("help-state", &["state", "--help"]),
    ("help-sweep", &["sweep", "--help"]),
    ("help-verb", &["help", "state"]),
    ("help-verify", &["verify", "--help"]),
    ("help-watch", &["watch", "--help"]),
    ("version", &["--version"]),
];

#[test]
fn screens_in_english() {
    screens("en");
}

#[test]
fn screens_in_chinese() {
    screens("zh");
}

fn screens(lang: &str) {
    let mut differences = Vec::new();
    for (name, args) in SCREENS {
        let folder = Folder::with_household();
        let asked = [*args, &["--as-of", AS_OF, "--lang", lang]].concat();
        compare(&format!("{name}.{lang}"), args, &folder.run(&asked), &mut differences);
    }
    done(&differences);
}

#[test]
fn narrow_screens() {
    let folder = Folder::with_household();
    let mut differences = Vec::new();
    for (name, args) in NARROW {
        for lang in ["en", "zh"] {
            for columns in ["80", "60"] {
                let asked = [*args, &["--as-of", AS_OF, "--lang", lang]].concat();
                let ran = folder.command(&asked).env("COLUMNS", columns).output();
                let name = format!("{name}-{columns}.{lang}");
                compare(&name, args, &ran.expect("the binary runs").into(), &mut differences);
            }
        }
    }
    done(&differences);
}

#[test]
fn screens_as_json() {
    let mut differences = Vec::new();
    for (name, args) in SCREENS {
        let folder = Folder::with_household();
        let asked = [*args, &["--as-of", AS_OF, "--json"]].concat();
        compare(&format!("{name}.json"), args, &folder.run(&asked), &mut differences);
    }
    done(&differences);
}

#[test]
fn help_and_errors() {
    let folder = Folder::with_household();
    let mut differences = Vec::new();
    for (name, args) in ENGLISH {
        compare(name, args, &folder.run(args), &mut differences);
    }
    done(&differences);
}

/// Every verb has an example in its help.
#[test]
fn every_help_has_an_example() {
    let folder = Folder::new();
    for (name, args) in ENGLISH.iter().filter(|(name, _)| name.starts_with("help-")) {
        if *name != "help-short" {
            let help = folder.run(args).expect(0).out;
            assert!(help.contains("Example:\n  stillthere "), "{name}: {help}");
        }
    }
}

fn compare(name: &str, args: &[&str], ran: &crate::binary::Ran, differences: &mut Vec<String>) {
    let mut found = format!("$ stillthere {}\n{}", args.join(" "), masked(&ran.out));
    if !ran.err.is_empty() {
        found.push_str(&format!("--- standard error\n{}", masked(&ran.err)));
    }
    found.push_str(&format!("--- exit {}\n", ran.code.unwrap_or(-1)));
    let path =
        Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("tests/cli/snapshots/{name}.txt"));
    if std::env::var_os("UPDATE_SNAPSHOTS").is_some() {
        fs::create_dir_all(path.parent().expect("a folder")).expect("made");
        fs::write(&path, &found).expect("a snapshot is written");
        return;
    }
    let expected = fs::read_to_string(&path).unwrap_or_default();
    if expected != found {
        differences
            .push(format!("{}\n--- expected\n{expected}\n--- found\n{found}", path.display()));
    }
}

fn done(differences: &[String]) {
    assert!(
        differences.is_empty(),
        "{} outputs differ; UPDATE_SNAPSHOTS=1 takes them as they are\n{}",
        differences.len(),
        differences.join("\n")
    );
}

/// What differs from run to run: roots, which hold random salts, and how long it took.
fn masked(text: &str) -> String {
    let mut out = String::new();
    for line in text.split_inclusive('\n') {
        let line = mask_after(line, "root ", 64, "ROOT");
        let line = mask_after(&line, "根 ", 64, "ROOT");
        let line = mask_after(&line, "\"root\":\"", 64, "ROOT");
        let line = mask_after(&line, "found: ", 64, "ROOT");
        let line = mask_after(&line, "实为：", 64, "ROOT");
        let line = mask_after(&line, "\"found\":\"", 64, "ROOT");
        let line = mask_between(&line, " read in ", " s", "TIME");
        let line = mask_between(&line, " s (", " a second)", "RATE");
        let line = mask_between(&line, "用时 ", " 秒", "TIME");
        out.push_str(&mask_between(&line, "每秒 ", "）", "RATE"));
    }
    out
}

fn mask_after(line: &str, before: &str, len: usize, mask: &str) -> String {
    let Some(at) = line.find(before).map(|at| at + before.len()) else { return line.to_owned() };
    match line.get(at..at + len) {
        Some(hex) if hex.bytes().all(|byte| byte.is_ascii_hexdigit()) => {
            format!("{}{mask}{}", &line[..at], &line[at + len..])
        }
        _ => line.to_owned(),
    }
}

fn mask_between(line: &str, before: &str, after: &str, mask: &str) -> String {
    let Some(from) = line.find(before).map(|at| at + before.len()) else { return line.to_owned() };
    let Some(to) = line[from..].find(after).map(|at| at + from) else { return line.to_owned() };
    format!("{}{mask}{}", &line[..from], &line[to..])
}
