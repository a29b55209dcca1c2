//! The check as WebAssembly, run by Node: it answers as the binary does, byte by byte.
//!
//! `cargo xtask wasm` builds the module and says where it is; without it there is nothing to run.

use std::fs;
use std::process::{Command, Stdio};

use commitment::{Domain, hash};
use serde_json::{Value, json};

use verifier::certificate::{Certificate, Shown};

use crate::binary::{AS_OF, Folder, root};

/// Answers each job of a file with a line.
const DRIVER: &str = r#"
import { readFileSync } from "node:fs";
const [module, wrapper, jobs] = process.argv.slice(2);
const { load } = await import(wrapper);
const check = await load(readFileSync(module));
for (const { file, options } of JSON.parse(readFileSync(jobs, "utf8"))) {
  console.log(check(new Uint8Array(readFileSync(file)), options));
}
"#;

#[test]
fn a_browser_answers_as_the_binary_does() {
    let Some(module) = std::env::var_os("STILLTHERE_CHECK_WASM") else {
        eprintln!("LEFT OUT: the check as WebAssembly: `cargo xtask wasm` builds it and runs this");
        return;
    };
    let node = Command::new("node").arg("--version").stdout(Stdio::null()).status();
    if !node.is_ok_and(|status| status.success()) {
        eprintln!(
            "LEFT OUT: the check as WebAssembly: there is no Node (Debian's package nodejs brings it)"
        );
        return;
    }
    let folder = certificates();
    let [log, auditor] = ["log.vkey", "auditor.vkey"]
        .map(|file| String::from_utf8(folder.read(file)).unwrap().trim().to_owned());
    let mut jobs: Vec<(Vec<String>, Value)> = Vec::new();
    let mut job = |file: &str, args: &[&str], more: Value| {
        let words = ["check", file, "--json", "--key", &log];
        let args = words.iter().chain(args).map(|word| (*word).to_owned()).collect();
        let mut options = json!({ "keys": [log], "file": file });
        let all = options.as_object_mut().unwrap();
        all.extend(more.as_object().unwrap().clone());
        jobs.push((args, options));
    };
    let of_answers = ["item", "account", "absent", "claims", "item-claims", "early", "since"];
    for file in
        of_answers.into_iter().chain(["erasure", "erased"]).map(|name| format!("{name}.cert"))
    {
        job(&file, &[], json!({}));
        job(&file, &["--auditor", &auditor], json!({ "auditors": [auditor] }));
        job(&file, &["--lang", "zh"], json!({ "lang": "zh" }));
        job(&file, &["--account", "ann"], json!({ "account": "ann" }));
        job(&file, &["--item", "dunes.jpg"], json!({ "item": "dunes.jpg" }));
        job(&file, &["--size", "3"], json!({ "size": 3 }));
        job(&file, &["--as-of", AS_OF], json!({ "as_of": AS_OF }));
        let early = "2025-09-01T00:00:00Z";
        job(&file, &["--known-at", early], json!({ "known_at": early }));
        let other = "2025-10-01T00:00:00.001Z";
        job(&file, &["--as-of", other], json!({ "as_of": other }));
        let policy = folder.run(&["policy", "check", "rules.toml", "--json"]).expect(0).object();
        let policy = &policy["policy_hash"];
        job(&file, &["--policy", "rules.toml"], json!({ "policy_hash": policy }));
        // The key is of an auditor's kind.
        job(&file, &["--witness", &auditor], json!({ "witnesses": [auditor] }));
    }
    // Every so many bytes one is another, from the magic on.
    let whole = folder.read("item.cert");
    for at in (8..whole.len()).step_by(whole.len() / 60) {
        let mut bytes = whole.clone();
        bytes[at] ^= 1;
        let file = format!("flipped-{at}.cert");
        folder.write(&file, bytes);
        job(&file, &[], json!({}));
        let file = format!("cut-{at}.cert");
        folder.write(&file, &whole[..at]);
        job(&file, &[], json!({}));
    }
    folder.write("driver.mjs", DRIVER);
    let asked: Vec<Value> =
        jobs.iter().map(|(args, o)| json!({ "file": args[1], "options": o })).collect();
    folder.write("jobs.json", json!(asked).to_string());
    let output = Command::new("node")
        .args(["driver.mjs".into(), module, root().join("crates/check-wasm/check.mjs").into()])
        .arg("jobs.json")
        .current_dir(folder.path("."))
        .output()
        .expect("node runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let answers = String::from_utf8(output.stdout).unwrap();
    let mut answers = answers.lines();
    let mut held = 0;
    for (args, options) in &jobs {
        let ran = folder.run(args);
        let answer = answers.next().expect("an answer to each");
        if ran.code == Some(2) {
            // An error of usage: an auditor's key is no witness's.
            let found: Value = serde_json::from_str(answer).unwrap();
            let error = found["error"].as_str().unwrap_or_else(|| panic!("{answer}\n{ran:#?}"));
            let said = ran.err.trim().rsplit(": ").next().unwrap();
            assert!(error.ends_with(said), "{options}\n{error}\n{ran:#?}");
            continue;
        }
        assert_eq!(format!("{answer}\n"), ran.out, "{options}");
        let code = i32::from(!answer.contains(r#""ok":true"#));
        assert_eq!(ran.code, Some(code), "{ran:#?}");
        held += usize::from(code == 0);
    }
    assert_eq!(answers.next(), None);
    assert!(held >= 5 * 4, "{held}");
}

#[test]
fn an_answer_about_the_account_is_not_had_from_an_erased_event() {
    let folder = certificates();
    let ran = folder.run(&["check", "erased.cert", "--key", "log.vkey", "--json"]).expect(1);
    let reason = "the event of revision 2: the answer needs its content";
    assert_eq!(ran.object()["reason"], reason, "{ran:?}");
    // Nor is such a certificate made.
    let args = ["certify", "bob", "--as-of", AS_OF, "-o", "bob.cert"];
    folder.run(&args).expect(1).says("the answer needs the event at position 12, which was erased");
}

/// A folder with certificates of every kind, and the keys to check them with.
fn certificates() -> Folder {
    let folder = Folder::with_household();
    let run = |args: &str| folder.run(&args.split(' ').collect::<Vec<_>>()).expect(0);
    run("key new --origin example.com/log");
    run("key new --origin auditor.example --key auditor.key");
    run("policy adopt xiaomi-cloud");
    run("checkpoint");
    run("audit-log --key auditor.key -o note");
    let claims = folder.read("claims.ndjson");
    let claims = String::from_utf8(claims).unwrap();
    let about = |part: &str| -> String {
        claims.split_inclusive('\n').filter(|line| line.contains(part)).collect()
    };
    folder.write("ann.ndjson", about(r#""ann""#));
    folder.write("beach.ndjson", about(r#""beach.jpg""#));
    run(&format!("certify ann --as-of {AS_OF} --known-at 2025-09-01T00:00:00Z -o early.cert"));
    for (args, name) in [
        ("ann --item dunes.jpg", "item"),
        ("ann", "account"),
        ("nobody", "absent"),
        ("ann --claim ann.ndjson", "claims"),
        ("ann --item beach.jpg --claim beach.ndjson", "item-claims"),
        ("ann --item dunes.jpg --since item.cert", "since"),
    ] {
        run(&format!("certify {args} --as-of {AS_OF} --audit note -o {name}.cert"));
    }
    folder.write("erased.cert", with_erased_event(&folder.read("account.cert"), 2));
    run("erase bob --before 2024-07-01T00:05:00Z --ground contract --by dpo");
    run("checkpoint");
    run("certify --erasure 0 -o erasure.cert");
    fs::copy(folder.path("stillthere.store/tlog/vkey"), folder.path("log.vkey")).unwrap();
    fs::copy(folder.path("auditor.key.pub"), folder.path("auditor.vkey")).unwrap();
    folder
}

/// A certificate with an event shown as it is when its content was erased: the chain is the same.
fn with_erased_event(bytes: &[u8], revision: usize) -> Vec<u8> {
    let mut certificate = Certificate::decode(bytes).expect("a certificate");
    let shown = &mut certificate.stream.as_mut().expect("events").events[revision];
    let Shown::Whole { envelope, salt, padded, .. } = shown else { panic!("hidden") };
    let content = hash(Domain::Content, &[salt, padded]);
    *shown = Shown::Envelope { envelope: *envelope, content };
    certificate.encode()
}
