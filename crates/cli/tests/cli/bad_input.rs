//! Everything that can be wrong with what the command is given: a sentence that says what, where
//! and what to do, the right exit code, and nothing written.

use std::ffi::OsString;
use std::fs;

use crate::binary::Folder;

/// Runs in a folder without a store, and holds that nothing was written.
#[track_caller]
fn check(folder: &Folder, args: &[&str], code: i32, said: &str) {
    let before = folder.files();
    let ran = folder.run(args).expect(code).says(said);
    assert_eq!(ran.out, "", "{args:?}");
    assert!(ran.err.starts_with("stillthere: "), "{args:?}: {}", ran.err);
    assert!(folder.files() == before, "{args:?} wrote something");
}

#[test]
fn inputs_that_cannot_be_read() {
    let folder = Folder::new();
    fs::create_dir(folder.path("folder")).expect("made");
    folder.write("not-gzip", b"\x1f\x8bplainly not");
    folder.write("not-zstd", b"\x28\xb5\x2f\xfd\xff\xff\xff\xff\xff\xff\xff\xff");
    for (file, said) in [
        ("missing", "missing: cannot read it: no such file or directory"),
        ("folder", "folder: a folder, not a file"),
        ("not-gzip", "not-gzip: cannot read it: damaged or cut as gzip"),
        ("not-zstd", "not-zstd: cannot read it: damaged or cut as zstd"),
    ] {
        check(&folder, &["import", file], 2, said);
        // Good files before and after it do not land either.
        check(&folder, &["import", "household.ndjson", file], 2, said);
        check(&folder, &["import", file, "household.ndjson", "--json"], 2, said);
        check(&folder, &["audit", file], 2, said);
    }
    check(&folder, &["import", "-", "-"], 2, "-: standard input can be read once");
    check(&folder, &["import", "bad.ndjson", "--rejects", "./bad.ndjson"], 2, "is being read");
    check(&folder, &["import", "bad.ndjson", "--rejects", "folder"], 2, "folder: cannot write");
    check(&folder, &["import", "bad.ndjson", "--rejects", "no/such"], 2, "no/such: cannot write");
}

#[test]
fn command_lines_that_are_none() {
    let folder = Folder::new();
    for (args, said) in [
        (&["prophesy", "ann"][..], "unrecognized subcommand 'prophesy'"),
        (&["policy", "merge", "a", "b"], "unrecognized subcommand 'merge'"),
        (&["accounts", "--as-of", "yesterday"], "not an RFC 3339 time such as"),
        (&["accounts", "--as-of", "2025-01-01T00:00:00"], "has no offset"),
        (&["accounts", "--known-at", "2025-13-01T00:00:00Z"], "the month is out of range"),
        (&["accounts", "--status", "asleep"], "possible values: closed, terminated"),
        (&["accounts", "--due-within", "30"], "has no unit: write 30d, 6mo or 1y"),
        (&["findings", "--code", "nonsense"], "premature-purge"),
        (&["findings", "--severity", "fatal"], "possible values: breach, warning, note"),
        (&["accounts", "--lang", "fr"], "possible values: en, zh"),
        (&["verify", "--expect-root", "12"], "a root is 64 hexadecimal digits"),
        (&["verify", "--expect-root", "ж"], "a root is 64 hexadecimal digits"),
        (&["export", "--format", "xml"], "possible values: ndjson, cloudevents, csv, parquet"),
        (&["export", "--what", "holds"], "possible values: events, states, findings, accounts"),
        (&["report", "--month", "March"], "a month is written as 2026-03"),
        (&["import"], "required arguments were not provided"),
        (&["snapshot"], "required arguments were not provided"),
        (&["snapshot", "ann", "--all"], "cannot be used with"),
        (&["generate", "--events", "-1"], "unexpected argument '-1'"),
        (&["generate", "--events", "many"], "invalid digit"),
        (&["generate", "--accounts", "0"], "the number of accounts must be from 1"),
        (&["completions", "tcsh"], "possible values: bash"),
    ] {
        check(&folder, args, 2, said);
    }
    // Without a verb it says which there are.
    folder.run(&[""; 0]).expect(2).says("Usage: stillthere [OPTIONS] <COMMAND>");
    folder.run(&["policy"]).expect(2).says("Usage: stillthere policy");
}

#[cfg(unix)]
#[test]
fn arguments_that_are_not_utf8() {
    use std::os::unix::ffi::OsStringExt;
    let folder = Folder::with_household();
    let odd = || OsString::from_vec(b"od\xffd".to_vec());
    for verb in ["state", "import", "audit", "explain", "findings", "nonsense"] {
        folder.run(&[verb.into(), odd()]).expect(2);
    }
    folder.run(&["accounts".into(), "--store".into(), odd()]).expect(3);
    folder.run(&["accounts".into(), "--policy".into(), odd()]).expect(2);
    folder.run(&["accounts".into(), "--as-of".into(), odd()]).expect(2);
    // A file name may be anything.
    fs::copy(folder.path("household.ndjson"), folder.path("x").with_file_name(odd()))
        .expect("made");
    folder.run(&["import".into(), odd()]).expect(0);
}

#[test]
fn policies_that_are_none() {
    let folder = Folder::with_household();
    let policy = |rest: &str| {
        format!("schema = 1\npolicy = \"p\"\n[[version]]\nid = \"v\"\n[version.tiers.t]\n{rest}\n")
    };
    folder.write("key.toml", policy("trsah = \"30d\""));
    folder.write("window.toml", policy("trash = \"30\""));
    folder.write("latin.toml", b"policy = \"\xff\"");
    folder.write("broken.toml", "schema = = 1");
    for (name, said) in [
        ("nowhere", "nowhere: neither a preset (box, dropbox"),
        ("key.toml", "key.toml:6:1: version[0].tiers.t.trsah: "),
        ("window.toml", "window.toml:6:9: version[0].tiers.t.trash: "),
        ("latin.toml", "latin.toml: cannot read the policy: not UTF-8 at byte 10"),
        ("broken.toml", "broken.toml:1:10: "),
        (".", ".: cannot read the policy: is a directory"),
    ] {
        for verb in [&["accounts"][..], &["state", "ann"], &["verify"], &["policy", "show"]] {
            check(&folder, &[verb, &["--policy", name]].concat(), 2, said);
        }
    }
}

#[test]
fn accounts_and_items_that_are_not_there() {
    let folder = Folder::with_household();
    let asked = ["--as-of", "2025-10-01T00:00:00Z"];
    for verb in [
        &["state", "nobody"][..],
        &["replay", "nobody"],
        &["explain", "nobody", "x"],
        &["snapshot", "nobody"],
        &["findings", "--account", "nobody"],
    ] {
        check(&folder, &[verb, &asked].concat(), 2, "account nobody: not in the log of ");
    }
    check(
        &folder,
        &["explain", "ann", "x\u{1b}"],
        2,
        "item x\\u{1b}: account ann has no such item as of ",
    );
    check(
        &folder,
        &["state", "ann", "--as-of", "2025-01-01T00:00:00Z"],
        2,
        "nothing of account ann is on record as of 2025-01-01T00:00:00Z",
    );
}
