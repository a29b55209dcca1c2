//! The policy's hash: what does not change it, and what does.

use stillthere_policy::{Policy, PolicyHash};

const BASE: &str = r#"
schema = 1
policy = "p"
time_zone = "Asia/Shanghai"
[[version]]
id = "v"
source = "s"
tiers = { z = { quota = "5GiB", trash = "30d" }, a = {} }
trash = { no_trash = ["backup", "calls"], categories = { photos = "60d", notes = "1y" } }
inactivity = { window = "1y", resets = ["synced", "page_viewed"], exempt_tiers = ["a", "z"] }
clauses = [{ id = "c", for = ["kept", "gone"], text = { en = "e", zh = "z" } }, { id = "d" }]
readings = [
    { id = "r", set = { trash.basis = "tier_now" } },
    { id = "q", set = { "tiers.a.trash" = "7d" } },
]
"#;

fn hash(text: &str) -> PolicyHash {
    Policy::parse(text).unwrap_or_else(|error| panic!("{error}\n{text}")).hash()
}

fn edited(from: &str, to: &str) -> PolicyHash {
    assert!(BASE.contains(from), "{from}");
    hash(&BASE.replacen(from, to, 1))
}

#[test]
fn form_does_not_change_it() {
    let same = |from: &str, to: &str| assert_eq!(edited(from, to), hash(BASE), "{from} → {to}");
    same("schema", "# a comment\n\n  schema");
    same("\npolicy = \"p\"", "\npolicy = '''p'''");
    same("Asia/Shanghai", "PRC");
    same("id = \"v\"", "id = \"v\"\neffective_from = \"0001-01-01T00:00:00Z\"");
    same("id = \"v\"", "quota = {}\non_change = \"grandfather\"\nid = \"v\"");
    same("5GiB", "5242880KiB");
    same("no_trash", "full_at = \"never\", full_window = \"3d\", no_trash");
    same("id = \"v\"", "records.keep = \"never\"\nid = \"v\"");
    same("id = \"v\"", "stages = {}\nid = \"v\"");
    same("window", "everywhere = [], window");
    same("\"30d\"", "\"030d\"");
    same("a = {}", "a = { trash = \"never\", quota = \"unlimited\" }");
    same("[\"backup\", \"calls\"]", "[\"calls\", \"backup\", \"calls\"]");
    same("photos = \"60d\", notes = \"1y\"", "notes = \"1y\", photos = \"60d\"");
    same("[\"synced\", \"page_viewed\"]", "[\"page_viewed\", \"synced\"]");
    same("[\"a\", \"z\"]", "[\"z\", \"a\"]");
    same("en = \"e\", zh = \"z\"", "zh = \"z\", en = \"e\"");
    same("trash.basis = \"tier_now\"", "trash = { basis = \"tier_now\" }");
    same(
        "trash.basis = \"tier_now\"",
        "\"trash.basis\" = \"tier_now\", on_change = \"grandfather\"",
    );
    let crlf = BASE.replace('\n', "\r\n");
    assert_eq!(hash(&crlf), hash(BASE));
}

#[test]
fn meaning_changes_it() {
    let mut seen = vec![("as it is", hash(BASE))];
    let mut other = |from: &'static str, to: &str| {
        let found = edited(from, to);
        if let Some((before, _)) = seen.iter().find(|(_, hash)| *hash == found) {
            panic!("{from} → {to} hashes as {before}");
        }
        seen.push((from, found));
    };
    other("policy = \"p\"", "policy = \"q\"");
    other("time_zone = \"Asia/Shanghai\"", "");
    other("Asia/Shanghai", "Asia/Taipei");
    other("id = \"v\"", "id = \"w\"");
    other("id = \"v\"", "id = \"v\"\neffective_from = \"1970-01-01T00:00:00Z\"");
    other("id = \"v\"", "id = \"v\"\nconfidence = \"official\"");
    other("id = \"v\"", "id = \"v\"\non_change = \"restart\"");
    other("id = \"v\"", "id = \"v\"\nquota.over = \"allow\"");
    other("id = \"v\"", "id = \"v\"\nbackup.stale_after = \"1y\"");
    other("id = \"v\"", "id = \"v\"\nclock.late_after = \"1y\"");
    other("id = \"v\"", "id = \"v\"\nrecords.keep = \"3y\"");
    other("id = \"v\"", "id = \"v\"\nrecords.keep = \"3mo\"");
    other("source = \"s\"", "source = \"t\"");
    other("no_trash", "full_at = \"10%\", no_trash");
    other("no_trash", "full_at = \"11%\", no_trash");
    other("no_trash", "full_at = \"10%\", full_of = \"free\", no_trash");
    other("no_trash", "full_at = \"10%\", full_window = \"3d\", no_trash");
    other("no_trash", "full_at = \"10%\", full_shortens = \"once_full\", no_trash");
    other("window", "everywhere = [\"synced\"], window");
    let stage = |more: &str| {
        format!("id = \"v\"\nstages.s = {{ when = \"over_quota\", after = \"1d\", {more} }}")
    };
    other("id = \"v\"", &stage("admits = [\"purge\"]"));
    other("id = \"v\"", &stage("admits = [\"clear\"]"));
    other("id = \"v\"", &stage("admits = [\"purge\"], categories = [\"n\"]"));
    other("id = \"v\"", &stage("admits = [\"purge\"], notice = \"1d\""));
    other("{ id = \"d\" }", "{ id = \"d\", source = \"t\" }");
    other("{ id = \"d\" }", "{ id = \"d\", seen = 2026-11-26 }");
    other("{ id = \"d\" }", "{ id = \"d\", confidence = \"operator\" }");
    other(
        "z = { quota = \"5GiB\", trash = \"30d\" }, a = {}",
        "a = {}, z = { quota = \"5GiB\", trash = \"30d\" }",
    );
    other("5GiB", "5GB");
    other("quota = \"5GiB\", ", "");
    other("\"30d\"", "\"30mo\"");
    other("\"30d\"", "\"30y\"");
    other("\"30d\"", "\"0d\"");
    other("\"30d\"", "\"never\"");
    other("no_trash = [\"backup\", ", "no_trash = [");
    other("no_trash", "days = \"local_dates\", no_trash");
    other("no_trash", "purge_lag = \"7d\", no_trash");
    other("no_trash", "counts_toward_quota = false, no_trash");
    other("photos = \"60d\"", "photos = \"61d\"");
    other("window = \"1y\"", "window = \"12mo\"");
    other("\"synced\", ", "");
    other("window", "actors = [\"user\"], window");
    other("window", "notice = \"3mo\", window");
    other("\"a\", \"z\"", "\"a\"");
    other("[\"kept\", \"gone\"]", "[\"gone\", \"kept\"]");
    other("en = \"e\"", "en = \"f\"");
    other(", { id = \"d\" }", "");
    other("\"tier_now\"", "\"longest_held\"");
    other("id = \"q\"", "id = \"p\"");
    other("    { id = \"q\", set = { \"tiers.a.trash\" = \"7d\" } },\n", "");
}

/// The least policy, byte by byte.
#[test]
fn its_bytes_are_as_documented() {
    let text = "schema = 1\npolicy = \"p\"\n[[version]]\nid = \"v\"\ntiers.a.trash = \"30d\"\n";
    let policy = Policy::parse(text).unwrap();
    let mut expected: Vec<u8> = Vec::new();
    expected.push(0x95);
    expected.push(0xb1);
    expected.extend(b"stillthere policy");
    expected.extend([0x01, 0xa1, b'p']);
    expected.extend([0x92, 0x00, 0x90]); // UTC: offset 0, no changes
    expected.extend([0x91, 0x97, 0xa1, b'v', 0xd3]);
    expected.extend((-62_135_596_800_000i64).to_be_bytes());
    expected.extend([0x02, 0xc4, 32]);
    expected.extend(blake3::hash(b"").as_bytes());
    expected.extend([0x97, 0x00]); // rules: grandfather
    expected.extend([0x91, 0x93, 0xa1, b'a', 0xc0, 0x92, 0x00, 30]);
    expected.extend([0x96, 0x00, 0x00, 0xc0, 0xc3, 0x90, 0x90]);
    expected.extend([0x95, 0xc0, 0x90, 0x92, 0x00, 0x01, 0xc0, 0x90]);
    expected.extend([0x00, 0xc0, 0xc0]);
    expected.extend([0x90, 0x90]);
    assert_eq!(policy.canonical_bytes(), expected);
    assert_eq!(policy.hash().as_bytes(), blake3::hash(&expected).as_bytes());
    assert_eq!(policy.hash().to_string(), blake3::hash(&expected).to_hex().as_str());
    assert_eq!(PolicyHash::from_bytes(*policy.hash().as_bytes()), policy.hash());
}
