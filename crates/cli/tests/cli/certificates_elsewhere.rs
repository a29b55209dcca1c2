//! Certificates are judged alike by `stillthere check` and by `docs/check_certificate.py`, which was
//! written from the pages in `docs/` alone: sound ones, changed ones, and changed ones whose answers
//! were made to fit.
//!
//! `STILLTHERE_CASES=N` judges about N certificates, `STILLTHERE_SEED=N` chooses which.

mod changes;
mod elsewhere;
mod forged;
mod logs;

use std::fs;

use serde_json::Value;
use verifier::certificate::Certificate;

use changes::change;
use elsewhere::Elsewhere;
use forged::forge;
use logs::Log;

fn number(name: &str) -> Option<u64> {
    std::env::var(name).ok().map(|text| text.parse().expect("a number"))
}

/// How many were judged, and how.
#[derive(Debug, Default)]
struct Counts {
    sound: usize,
    changed: usize,
    changed_and_sound: usize,
    mended: usize,
    mended_and_sound: usize,
    answers: usize,
}

/// Both checkers on the certificates of a log.
struct Judges<'l> {
    log: &'l Log,
    elsewhere: Elsewhere,
    disagreements: Vec<String>,
    answers: usize,
}

impl<'l> Judges<'l> {
    fn of(log: &'l Log) -> Option<Judges<'l>> {
        let elsewhere = Elsewhere::start(&log.key, &log.auditor)?;
        Some(Judges { log, elsewhere, disagreements: Vec::new(), answers: 0 })
    }

    /// What the other checker says, held against what ours says.
    fn judge(&mut self, what: &str, bytes: &[u8]) -> Value {
        let file = self.log.folder.path("judged.cert");
        fs::write(&file, bytes).expect("written");
        self.elsewhere.ask(&file);
        let mut args =
            ["check", "judged.cert", "--key", "vkey", "--auditor", "auditor.vkey", "--json"]
                .to_vec();
        // What was recorded later may be left out, as the other checker is told too.
        let known_at = Certificate::decode(bytes).ok().map(|c| c.question.known_at.to_string());
        args.extend(known_at.iter().flat_map(|at| ["--known-at", at]));
        let ran = self.log.folder.run(&args);
        // What is no certificate at all is bad usage rather than bad news.
        let mut here = ran.json().pop().unwrap_or_else(|| {
            assert_eq!(ran.code, Some(2), "{what}: {ran:?}");
            serde_json::json!({ "ok": false })
        });
        if let Some(answers) = here["answers"].as_array_mut() {
            for answer in answers.iter_mut().filter_map(Value::as_object_mut) {
                answer.retain(|key, _| key != "because" && key != "caveats");
            }
        }
        let there = self.elsewhere.answer();
        let is_ok = ran.code == Some(0);
        assert_eq!(here["ok"], is_ok, "{ran:?}");
        let is_alike = there["ok"] == is_ok
            && (!is_ok
                || ["account", "as_of", "known_at", "since", "events", "answers"]
                    .iter()
                    .all(|key| here[key] == there[key])
                    && auditors_in(&here) == there["auditors"]);
        if is_ok {
            self.answers += here["answers"].as_array().map_or(0, Vec::len);
        }
        if !is_alike {
            let number = self.disagreements.len();
            let name = format!("disagreement-{}-{number}.cert", self.log.name);
            let kept = std::path::Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
            fs::write(&kept, bytes).expect("kept");
            let report = format!(
                "{what}, kept as {} for {} and the auditor {}\n  here {}\n  there {there}",
                kept.display(),
                self.log.key,
                self.log.auditor,
                ran.out.trim(),
            );
            self.disagreements.push(report);
        }
        there
    }
}

/// The auditors whose word counts, by what `check` says of completeness.
fn auditors_in(here: &Value) -> Value {
    let by = here["what"].as_array().expect("facts").iter().map(|fact| &fact["by"]);
    by.filter(|by| *by == logs::AUDITOR).cloned().collect()
}

#[test]
fn another_checker_agrees() {
    let cases = usize::try_from(number("STILLTHERE_CASES").unwrap_or(450)).expect("it fits");
    let seed = number("STILLTHERE_SEED").unwrap_or_else(|| fastrand::u64(..1 << 32));
    println!("STILLTHERE_SEED={seed}");
    let mut random = fastrand::Rng::with_seed(seed);
    let mut counts = Counts::default();
    let mut disagreements = Vec::new();
    // A sound one brings three changed ones, and those some that are mended.
    let of_a_log = (cases / 16).max(8);
    let logs = [
        Log::of_the_dispute(&mut random, of_a_log / 2),
        Log::of_a_population(&mut random, of_a_log),
        Log::of_histories(&mut random, of_a_log, true),
        Log::of_histories(&mut random, of_a_log, false),
    ];
    for log in &logs {
        let Some(mut judges) = Judges::of(log) else { return };
        for (what, bytes) in &log.certificates {
            let said = judges.judge(what, bytes);
            assert_eq!(said["ok"], true, "{what}: {said}\n{:#?}", judges.disagreements);
            counts.sound += 1;
            let (_, other) = random.choice(&log.certificates).expect("there are some");
            let changed = [
                change(bytes, other, &mut random),
                change(bytes, other, &mut random),
                forge(bytes, other, &log.signer(), &mut random),
            ];
            for (how, changed) in changed {
                let what = format!("{what}: {how}");
                // Else the checksum would be all that is looked at.
                let changed = match random.u8(..16) {
                    0 => changed,
                    _ => changes::with_checksum(&changed),
                };
                let said = judges.judge(&what, &changed);
                counts.changed += 1;
                counts.changed_and_sound += usize::from(said["ok"] == true);
                if let Some(mended) = changes::mended(&changed, &said) {
                    let said = judges.judge(&format!("{what}, mended"), &mended);
                    counts.mended += 1;
                    counts.mended_and_sound += usize::from(said["ok"] == true);
                }
            }
        }
        counts.answers += judges.answers;
        disagreements.extend(judges.disagreements);
    }
    println!("{counts:?}");
    assert!(disagreements.is_empty(), "STILLTHERE_SEED={seed}\n{}", disagreements.join("\n"));
}

/// Nobody can see of a hidden event that it is none of an item but that its kind is one that names an item.
#[test]
fn an_event_of_the_account_cannot_be_hidden_as_one_of_another_item() {
    let log = Log::of_the_dispute(&mut fastrand::Rng::with_seed(0), 0);
    let args = ["certify", "mei", "--item", "wedding.mp4", "-o", "made.cert"];
    log.folder.run(&args).expect(0);
    let sound = log.folder.read("made.cert");
    let refused = |scope| {
        let forged = forged::with_hidden(&sound, "sync_off", scope, &log.signer());
        log.folder.write("forged.cert", forged);
        log.folder.run(&["check", "forged.cert", "--key", "vkey", "--json"]).expect(1).object()
    };
    for scope in [1, 2, 3] {
        let reason = refused(scope)["reason"].to_string();
        assert!(reason.contains("the answer needs its content"), "{reason}");
    }
}
