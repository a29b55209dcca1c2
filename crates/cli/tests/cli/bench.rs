//! `bench`: what it prints and leaves, and that the peers answer as we do.

use std::fs;
use std::path::Path;
use std::process::Command;

use serde_json::Value;

use crate::binary::{Folder, root};

fn works(object: &Value) -> Vec<&str> {
    let works = object["works"].as_array().expect("works");
    works.iter().map(|work| work["work"].as_str().expect("a name")).collect()
}

#[test]
fn measures_every_work_and_leaves_what_was_asked_for() {
    let folder = Folder::new();
    let before = folder.files();
    let args = ["--json", "bench", "--events", "800", "--accounts", "40", "--rounds", "2"];
    let more = ["--peers", "none", "--dir", ".", "--out", "bench.json", "--chart", "bench.svg"];
    let ran = folder.run(&[&args[..], &more[..]].concat()).expect(0);
    let object = ran.object();
    assert_eq!(ran.json().len(), 1);
    // Other systems do not tell a process's memory.
    let count = if cfg!(target_os = "linux") { 44 } else { 41 };
    assert_eq!(works(&object).len(), count, "{object:#}");
    for work in object["works"].as_array().expect("works") {
        let ours = &work["ours"];
        let [min, median, max] =
            ["min", "median", "max"].map(|key| ours[key].as_f64().expect("a number"));
        assert!(0.0 < min && min <= median && median <= max, "{work:#}");
        let rounds = match (work["work"].as_str(), work["unit"].as_str()) {
            // One for each that is asked for, and has an item.
            (Some("map-proof"), _) => 40,
            (Some("certificate"), _) => 9,
            (_, Some("bytes_per_event")) => 1,
            _ => 2,
        };
        assert_eq!(ours["rounds"].as_array().map(Vec::len), Some(rounds), "{work:#}");
        assert!(work["failed"].as_array().is_some_and(Vec::is_empty), "{work:#}");
    }
    let work = |name: &str| {
        let at = works(&object).iter().position(|work| *work == name).expect("a work");
        &object["works"][at]
    };
    if cfg!(target_os = "linux") {
        let limit = &work("memory-import")["against"][1];
        assert_eq!(limit["median"].as_f64(), Some(300.0 * 1024.0 * 1024.0), "{limit:#}");
        assert!(limit["ratio"].as_f64() > Some(1.0), "{limit:#}");
        for name in ["reopen", "reopen-killed"] {
            assert!(work(name)["ours"]["read_bytes"].as_u64() > Some(0), "{:#}", work(name));
        }
    }
    assert!(work("single-size")["against"][0]["ratio"].as_f64() > Some(0.0));
    assert!(object["log_bytes"].as_u64() > Some(0), "{object:#}");
    assert!(object["machine"]["cores"].as_u64() > Some(0), "{object:#}");
    assert_eq!(serde_json::from_slice::<Value>(&folder.read("bench.json")).ok(), Some(object));
    let chart = String::from_utf8(folder.read("bench.svg")).expect("UTF-8");
    assert!(chart.starts_with("<svg ") && chart.ends_with("</svg>\n"), "{chart}");
    let after: Vec<_> = folder.files().into_iter().map(|(path, _)| path).collect();
    assert_eq!(after.len(), before.len() + 2, "nothing else stays: {after:?}");
}

#[test]
fn people_get_a_table_of_the_works_they_name() {
    let folder = Folder::new();
    let args = ["bench", "--events", "500", "--accounts", "9", "--rounds", "1", "--peers", "none"];
    let ran = folder.run(&[&args[..], &["--only", "verify-quick,state"]].concat()).expect(0);
    for part in ["one account's state", "verify --quick", "BLAKE3 of the same bytes"] {
        assert!(ran.out.contains(part), "{part}: {ran:#?}");
    }
    assert!(!ran.out.contains("durable"), "{ran:#?}");
    let ran = folder.run(&[&args[..], &["--only", "foresight"]].concat()).expect(0);
    for part in ["forecast of one account", "their states", "sweep of 50 points", "Parquet"] {
        assert!(ran.out.contains(part), "{part}: {ran:#?}");
    }
    let ran =
        folder.run(&[&args[..], &["--only", "append-100", "--lang", "zh"]].concat()).expect(0);
    assert!(ran.out.contains("持久追加"), "{ran:#?}");
}

/// The works of proofs have a word of their own, and what Go makes of the same pages is what we make.
#[test]
fn proofs_are_measured_beside_those_of_go() {
    let folder = Folder::new();
    let args = ["bench", "--events", "900", "--accounts", "30", "--rounds", "1", "--only"];
    let ran = folder.run(&[&args[..], &["proofs", "--peers", "none"]].concat()).expect(0);
    for part in ["the first checkpoint", "certificate of an item", " B (", "audit-log", "opened"] {
        assert!(ran.out.contains(part), "{part}: {ran:#?}");
    }
    assert!(!ran.out.contains("every finding"), "{ran:#?}");
    let trees = "tree-hash,tree-prove,tree-check,note-sign,note-open";
    if let Err(why) = build_tlog_go(&folder.path("peers/bin")) {
        eprintln!("LEFT OUT: proofs measured beside those of Go: {why}");
        return;
    }
    let more = [trees, "--peers", "peers", "--json"];
    let object = folder.run(&[&args[..], &more].concat()).expect(0).object();
    assert!(object["peers"]["versions"]["go"].is_string(), "{object:#}");
    assert_eq!(object["answers"]["equal"].as_array().map(Vec::len), Some(5), "{object:#}");
    for work in object["works"].as_array().expect("works") {
        assert!(work["against"][0]["ratio"].as_f64() > Some(0.0), "{work:#}");
        assert_eq!(work["failed"], serde_json::json!([]), "{work:#}");
    }
}

/// The works of an erasure have one too.
#[test]
fn erasures_are_measured_beside_a_log_without() {
    let folder = Folder::new();
    let args = ["bench", "--events", "900", "--accounts", "30", "--rounds", "2", "--only"];
    let ran = folder.run(&[&args[..], &["erasure", "--peers", "none"]].concat()).expect(0);
    for part in ["erase an account", "accounts, after an erasure", "nothing erased"] {
        assert!(ran.out.contains(part), "{part}: {ran:#?}");
    }
}

/// As `cargo xtask peers` does, into a folder of peers without others.
fn build_tlog_go(bin: &Path) -> Result<(), String> {
    fs::create_dir_all(bin).map_err(|e| e.to_string())?;
    fs::write(bin.join("python"), "").map_err(|e| e.to_string())?;
    let mut go = Command::new("go");
    go.env_remove("GOFLAGS").env("GO111MODULE", "off").env("GOPATH", "/usr/share/gocode");
    go.args(["build", "-o"]).arg(bin.join("tlog-go")).arg(root().join("benches/peers/go/main.go"));
    match go.output() {
        Ok(built) if built.status.success() => Ok(()),
        Ok(built) => Err(String::from_utf8_lossy(&built.stderr).into_owned()),
        Err(error) => Err(format!("go cannot be run ({error})")),
    }
}

#[test]
fn a_bench_that_cannot_be_is_refused() {
    let folder = Folder::new();
    for (args, said) in [
        (&["bench", "--only", "everything"][..], "invalid value 'everything'"),
        (&["bench", "--rounds", "0"], "invalid value '0'"),
        (
            &["bench", "--events", "1", "--accounts", "1", "--only", "check", "--peers", "none"],
            "no account has an item; more --events bring some",
        ),
        (&["bench", "--accounts", "0"], "the number of accounts must be from 1"),
        (&["bench", "--peers", "nowhere"], "nowhere: has no bin/python"),
        (&["bench", "--dir", "nowhere"], "nowhere: cannot make a folder in it"),
        (&["bench", "--out", "nowhere/bench.json"], "nowhere/bench.json: cannot write it"),
    ] {
        folder.run(args).expect(2).says(said);
    }
}

/// The peers' answers for every account, field by field. Those that are not installed are left out,
/// and said to be: `cargo xtask peers` installs them.
#[test]
fn the_peers_give_the_same_line_for_every_account() {
    let folder = Folder::new();
    let installed = root().join("target/peers");
    let peers = if installed.join("bin/python").exists() { installed } else { "auto".into() };
    let args = ["--json", "bench", "--events", "20000", "--accounts", "700", "--rounds", "1"];
    let more = ["--seed", "11", "--only", "accounts", "--peers"];
    let mut args: Vec<&std::ffi::OsStr> = args.iter().chain(&more).map(AsRef::as_ref).collect();
    args.push(peers.as_os_str());
    let ran = folder.run(&args);
    let object = ran.object();
    assert_eq!(object["answers"]["differences"], serde_json::json!([]), "{object:#}");
    let ran = ran.expect(0);
    assert!(ran.err.is_empty() || ran.err.contains("debug build"), "{ran:#?}");
    let equal = object["answers"]["equal"].as_array().map_or(0, Vec::len);
    for missing in object["peers"]["missing"].as_array().into_iter().flatten() {
        eprintln!("LEFT OUT: {missing}");
    }
    let versions = object["peers"]["versions"].as_object().expect("versions");
    let answers = |name: &str| match name {
        "duckdb" => 2,
        "polars" | "sqlite" | "python" => 1,
        _ => 0,
    };
    assert_eq!(equal, versions.keys().map(|name| answers(name)).sum::<usize>(), "{object:#}");
}
