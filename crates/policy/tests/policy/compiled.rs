//! The compiled form read back: what comes back, and what is refused.

use std::fmt::Write;

use event::{Actor, Kind};
use jiff::tz::TimeZoneDatabase;
use stillthere_policy::{
    Act, Basis, CompiledError, Confidence, DEFAULT_PRESET, Days, FullOf, OnChange, Over, Policy,
    PolicyHash, Shortens, Stage, Version, When, presets,
};

/// Everything that a policy can have, in few bytes.
const SMALL: &str = r#"
schema = 1
policy = "p"
time_zone = "Asia/Kathmandu"
[[version]]
id = "v"
source = "s"
tiers = { z = { quota = "300B", trash = "30d" }, a = {} }
trash = { no_trash = ["k", "l"], categories = { n = "1y", "年" = "6mo" }, purge_lag = "7d" }
inactivity = { window = "1y", resets = ["synced", "page_viewed"], exempt_tiers = ["a", "z"] }
clauses = [{ id = "c", for = ["y", "x"], text = { en = "e", zh = "z" } }, { id = "d" }]
readings = [
    { id = "r", set = { trash.basis = "tier_now" } },
    { id = "q", set = { "tiers.a.trash" = "4294967295d" } },
]
[[version]]
id = "w"
effective_from = 1969-12-31T23:59:59.999Z
tiers.a.quota = "18446744073709551615B"
"#;

/// What came to the language later: parts at the end that a policy without them has not.
const MORE: &str = r#"
schema = 1
policy = "p"
[[version]]
id = "v"
tiers = { a = { quota = "9B" } }
trash = { full_at = "10%", full_of = "free", full_window = "3d", full_shortens = "once_full" }
inactivity = { everywhere = ["page_viewed", "synced"] }
clauses = [
    { id = "c", source = "s", seen = 2026-11-26, confidence = "official" },
    { id = "d", seen = "2026-11-26" },
    { id = "e", source = "" },
    { id = "f", confidence = "secondary" },
]
readings = [
    { id = "q", set = { "trash.full_at" = "never", "stages.s.after" = "never" } },
    { id = "r", set = { "stages.s.notice" = "9d", trash.full_at = "100%" } },
]
[version.stages]
t = { when = "category_inactive", after = "1y", admits = ["purge"], categories = ["n", "m"], notice = "1mo" }
s = { when = "over_quota", after = "0d", admits = ["terminate", "freeze"] }
[[version]]
id = "w"
effective_from = 2026-01-01T00:00:00Z
tiers = { a = {} }
records = { keep = "3y" }
readings = [{ id = "q", set = { on_change = "restart" } }]
stages = { s = { when = "trash_full", after = "1d", admits = ["purge_trashed", "clear"] } }
"#;

fn policy(text: &str) -> Policy {
    Policy::parse(text).unwrap_or_else(|error| panic!("{error}\n{text}"))
}

/// Holds that a policy comes back from its compiled form, under each reading too.
pub fn comes_back(policy: &Policy) {
    let bytes = policy.canonical_bytes();
    let read = Policy::from_canonical_bytes(&bytes).unwrap_or_else(|error| panic!("{error}"));
    assert!(read.canonical_bytes() == bytes);
    assert_eq!(read.hash(), policy.hash());
    assert_eq!(PolicyHash::of_compiled(&bytes), policy.hash());
    assert_eq!(read.readings(), policy.readings());
    assert_eq!(read.zone.name(), "");
    assert_eq!(read.zone.first_offset_s(), policy.zone.first_offset_s());
    assert!(read.zone.changes().eq(policy.zone.changes()));
    same_rules(&read, policy);
    for id in policy.readings() {
        let (read, policy) = (read.with_reading(&id).unwrap(), policy.with_reading(&id).unwrap());
        same_rules(&read, &policy);
        assert_eq!(read.hash(), policy.hash());
    }
}

/// Holds that two policies have the same rules, whatever their texts.
fn same_rules(a: &Policy, b: &Policy) {
    assert_eq!((&a.name, a.versions.len()), (&b.name, b.versions.len()));
    for (a, b) in a.versions.iter().zip(&b.versions) {
        assert_eq!(rules(a), rules(b));
        assert_eq!(a.clauses.len(), b.clauses.len());
        for (a, b) in a.clauses.iter().zip(b.clauses.iter()) {
            assert_eq!((&a.id, &a.for_), (&b.id, &b.for_));
            assert!(a.text.keys().eq(b.text.keys()));
            let (a, b) = (&a.stated, &b.stated);
            assert_eq!((a.confidence, &a.seen), (b.confidence, &b.seen));
            assert_eq!(a.source.is_some(), b.source.is_some());
        }
    }
}

fn rules(v: &Version) -> impl PartialEq + std::fmt::Debug {
    let head = (&v.id, v.effective_from, v.confidence, v.on_change);
    let inactivity = (v.inactivity_window, v.resets, v.actors, v.notice, &v.exempt_tiers);
    let more = (v.everywhere, &v.stages, v.keep);
    (head, &v.tiers, &v.trash, inactivity, v.over, v.stale_after, v.late_after, more)
}

#[test]
fn policies_come_back() {
    comes_back(&policy(SMALL));
    comes_back(&policy(MORE));
    presets().iter().for_each(|(_, text)| comes_back(&policy(text)));
    let long = "n".repeat(128);
    let names = SMALL.replace("\"p\"", &format!("\"{long}\"")).replace("a = {}", "'a.b' = {}");
    comes_back(&policy(&names.replace("tiers.a.t", "tiers.a.b.t").replace("[\"a\"", "[\"a.b\"")));
}

#[test]
fn texts_are_not_there() {
    let read = Policy::from_canonical_bytes(&policy(SMALL).canonical_bytes()).unwrap();
    let version = &read.versions[0];
    assert_eq!(version.source, "");
    assert!(version.clauses[0].text.values().eq(["", ""]));
    assert!(version.readings.iter().map(|r| (r.id.as_str(), r.set.len())).eq([("q", 0), ("r", 0)]));
}

#[test]
fn every_zone_comes_back() {
    for name in TimeZoneDatabase::bundled().available() {
        comes_back(&policy(&SMALL.replace("Asia/Kathmandu", name.as_str())));
    }
}

/// Reads bytes; what is taken must be the one spelling of what a file compiles to.
fn read(bytes: &[u8]) -> Result<Policy, CompiledError> {
    let read = Policy::from_canonical_bytes(bytes);
    match &read {
        Ok(policy) => assert!(policy.canonical_bytes() == bytes, "taken: {bytes:02x?}"),
        Err(error) => assert!(error.offset() <= bytes.len(), "{error}"),
    }
    read
}

/// `bytes` with a bit flipped, cut, with a byte left out, doubled, or with one of `put` put in.
fn changed(bytes: &[u8], put: &[u8], mut check: impl FnMut(&[u8])) {
    for at in 0..bytes.len() {
        let mut flipped = bytes.to_vec();
        for bit in 0..8 {
            flipped[at] = bytes[at] ^ 1 << bit;
            check(&flipped);
        }
        assert!(read(&bytes[..at]).is_err(), "cut at {at}");
        check(&[&bytes[..at], &bytes[at + 1..]].concat());
    }
    for at in 0..=bytes.len() {
        let doubled = bytes.get(at).into_iter();
        for byte in put.iter().chain(doubled) {
            check(&[&bytes[..at], &[*byte], &bytes[at..]].concat());
        }
    }
}

#[test]
fn no_change_has_two_spellings() {
    let all: Vec<u8> = (0..=255).collect();
    let mut taken = 0;
    changed(&policy(SMALL).canonical_bytes(), &all, |bytes| {
        if let Ok(policy) = read(bytes) {
            taken += 1;
            a_file_compiles_to(&policy);
        }
    });
    assert!(taken > 500, "{taken} changes were taken");
    let before = taken;
    changed(&policy(MORE).canonical_bytes(), &all, |bytes| {
        if let Ok(policy) = read(bytes) {
            taken += 1;
            a_file_compiles_to(&policy);
        }
    });
    assert!(taken - before > 300, "{} changes were taken", taken - before);
    for name in [DEFAULT_PRESET, "nextcloud"] {
        let bytes = Policy::preset(name).expect("a preset").canonical_bytes();
        changed(&bytes, &[0x90, 0xc0, 0xff], |bytes| drop(read(bytes)));
    }
}

/// Holds that there is a policy file with the rules of `policy`.
fn a_file_compiles_to(policy: &Policy) {
    let mut text = format!("schema = 1\npolicy = {}\n", quoted(&policy.name));
    for version in &policy.versions {
        let (id, at) = (quoted(&version.id), version.effective_from);
        let confidence = version.confidence;
        write!(
            text,
            "[[version]]\nid = {id}\neffective_from = {at}\nconfidence = \"{confidence}\"\n"
        )
        .unwrap();
        text += &settings(version, "\n");
        writeln!(text, "records = {{ keep = \"{}\" }}", version.keep).unwrap();
        for clause in version.clauses.iter() {
            let id = quoted(&clause.id);
            let texts: Vec<String> =
                clause.text.keys().map(|language| format!("{} = \"\"", quoted(language))).collect();
            let (words, texts) = (list(&clause.for_), texts.join(", "));
            write!(text, "[[version.clauses]]\nid = {id}\nfor = {words}\ntext = {{ {texts} }}\n")
                .unwrap();
            let stated = &clause.stated;
            if stated.source.is_some() {
                text += "source = \"\"\n";
            }
            if let Some(seen) = &stated.seen {
                writeln!(text, "seen = {}", quoted(seen)).unwrap();
            }
            if let Some(confidence) = stated.confidence {
                writeln!(text, "confidence = \"{confidence}\"").unwrap();
            }
        }
        for reading in &version.readings {
            let (id, set) = (quoted(&reading.id), settings(&reading.version, ", "));
            write!(text, "[[version.readings]]\nid = {id}\nset = {{ {set} }}\n").unwrap();
        }
    }
    let compiled = self::policy(&text);
    same_rules(&compiled, policy);
    for id in policy.readings() {
        same_rules(&compiled.with_reading(&id).unwrap(), &policy.with_reading(&id).unwrap());
    }
}

/// The rules of a version as TOML, every key said.
fn settings(v: &Version, between: &str) -> String {
    let tiers: Vec<String> = v
        .tiers
        .iter()
        .map(|tier| {
            let quota = tier.quota.map_or("unlimited".to_owned(), |bytes| format!("{bytes}B"));
            format!(
                "{} = {{ quota = \"{quota}\", trash = \"{}\" }}",
                quoted(&tier.name),
                tier.trash
            )
        })
        .collect();
    let trash = &v.trash;
    let categories: Vec<String> = trash
        .categories
        .iter()
        .map(|(name, window)| format!("{} = \"{window}\"", quoted(name)))
        .collect();
    let resets: Vec<_> = v.resets.iter().map(|kind| kind.name()).collect();
    let actors: Vec<_> = v.actors.iter().map(|actor| actor.name()).collect();
    let full = v.trash.full.map_or(", full_at = \"never\"".to_owned(), |full| {
        format!(
            ", full_at = \"{}%\", full_of = \"{}\", full_window = \"{}\", full_shortens = \"{}\"",
            full.percent, full.of, full.window, full.shortens
        )
    });
    let stage = |(name, stage): (&String, &Stage)| {
        format!(
            "{} = {{ when = \"{}\", after = \"{}\", admits = {}, categories = {}, notice = \"{}\" }}",
            quoted(name),
            stage.when,
            stage.after,
            list(stage.admits.iter().map(|act| act.name())),
            list(&stage.categories),
            stage.notice,
        )
    };
    let stages: Vec<String> = v.stages.iter().map(stage).collect();
    let entries = [
        format!("on_change = \"{}\"", v.on_change),
        format!("tiers = {{ {} }}", tiers.join(", ")),
        format!(
            "trash = {{ basis = \"{}\", days = \"{}\", purge_lag = \"{}\", \
             counts_toward_quota = {}, categories = {{ {} }}, no_trash = {}{full} }}",
            trash.basis,
            trash.days,
            trash.purge_lag,
            trash.counts_toward_quota,
            categories.join(", "),
            list(&trash.no_trash),
        ),
        format!(
            "inactivity = {{ window = \"{}\", resets = {}, actors = {}, notice = \"{}\", \
             exempt_tiers = {}, everywhere = {} }}",
            v.inactivity_window,
            list(resets),
            list(actors),
            v.notice,
            list(&v.exempt_tiers),
            list(v.everywhere.iter().map(|kind| kind.name())),
        ),
        format!("stages = {{ {} }}", stages.join(", ")),
        format!("quota = {{ over = \"{}\" }}", v.over),
        format!("backup = {{ stale_after = \"{}\" }}", v.stale_after),
        format!("clock = {{ late_after = \"{}\" }}\n", v.late_after),
    ];
    entries.join(between)
}

fn list<S: AsRef<str>>(words: impl IntoIterator<Item = S>) -> String {
    let words: Vec<String> = words.into_iter().map(|word| quoted(word.as_ref())).collect();
    format!("[{}]", words.join(", "))
}

/// A string of TOML.
fn quoted(text: &str) -> String {
    let mut out = "\"".to_owned();
    for c in text.chars() {
        if c.is_control() || c == '"' || c == '\\' {
            write!(out, "\\u{:04X}", u32::from(c)).unwrap();
        } else {
            out.push(c);
        }
    }
    out + "\""
}

/// Each: what stands once in the compiled form of [`SMALL`], what is put there, what is said.
/// Of what came later: a part more that says nothing, acts that the condition cannot admit.
#[test]
fn further_parts_say_something() {
    let least = "schema = 1\npolicy = \"p\"\n[[version]]\nid = \"v\"\ntiers.a = {}\n";
    let more =
        [least, "stages.s = { when = \"over_quota\", after = \"0d\", admits = [\"clear\"] }\n"]
            .concat();
    let bytes = policy(&more).canonical_bytes();
    let stage = b"\x93\xc0\x90\x91\x96\xa1s\x00\x92\x00\x00\x91\x01\x90\xc0".as_slice();
    let at = bytes.windows(stage.len()).position(|part| part == stage).expect("the stage");
    let refused = |to: &[u8]| {
        let changed = [&bytes[..at], to, &bytes[at + stage.len()..]].concat();
        let error = read(&changed).unwrap_err().to_string();
        error.split_once(": ").unwrap().1.to_owned()
    };
    assert_eq!(refused(b"\x93\xc0\x90\x90"), "expected a further rule, found none");
    let acts = "expected acts that the condition can admit, found none or others";
    assert_eq!(refused(b"\x93\xc0\x90\x91\x96\xa1s\x00\x92\x00\x00\x90\x90\xc0"), acts);
    assert_eq!(refused(b"\x93\xc0\x90\x91\x96\xa1s\x02\x92\x00\x00\x91\x01\x90\xc0"), acts);
    let keeps_for_ever = b"\x94\xc0\x90\x90\xc0";
    let keeps = "expected how long records are kept, found never";
    assert_eq!(refused(keeps_for_ever), keeps);
    let full = b"\x93\x94\x65\x00\xc0\x00\x90\x90";
    assert_eq!(refused(full), "a share in hundredths is out of range");
    // A policy without any of it has the bytes that it had before.
    assert!(policy(least).canonical_bytes().windows(2).any(|part| part == b"\x97\x00"));
}

/// How long records are kept is the version's, and no reading's.
#[test]
fn a_reading_keeps_records_as_its_version_does() {
    let text = "schema = 1\npolicy = \"p\"\n[[version]]\nid = \"v\"\ntiers.a = {}\n\
                records.keep = \"3y\"\nreadings = [{ id = \"r\", set = { on_change = \"restart\" } }]\n";
    let bytes = policy(text).canonical_bytes();
    let keep = b"\x94\xc0\x90\x90\x92\x02\x03".as_slice();
    let at = bytes.windows(keep.len()).rposition(|part| part == keep).expect("the reading's");
    assert_ne!(Some(at), bytes.windows(keep.len()).position(|part| part == keep));
    let mut changed = bytes.clone();
    changed[at + keep.len() - 1] = 4;
    let error = read(&changed).unwrap_err().to_string();
    assert!(
        error.ends_with("expected rules that keep records as long as the version's, found others")
    );
    let set = text.replace("on_change =", "records.keep =").replace("restart", "4y");
    let error = Policy::parse(&set).unwrap_err().to_string();
    assert!(error.contains("a reading sets keys under tiers"), "{error}");
}

#[test]
fn what_no_file_compiles_to_is_refused() {
    let check = |from: &[u8], to: &[u8], says: &str| {
        let bytes = policy(SMALL).canonical_bytes();
        let places: Vec<usize> =
            (0..bytes.len()).filter(|at| bytes[*at..].starts_with(from)).collect();
        let [at] = places[..] else { panic!("{}: at {places:?}", from.escape_ascii()) };
        let bytes = [&bytes[..at], to, &bytes[at + from.len()..]].concat();
        let error = read(&bytes).unwrap_err().to_string();
        let (_, said) = error.split_once(": ").unwrap();
        assert_eq!(said, says, "{} → {}", from.escape_ascii(), to.escape_ascii());
    };
    check(b"\x95\xb1", b"\x94\xb1", "the 5 parts of a compiled policy is out of range");
    check(
        b"stillthere",
        b"Stillthere",
        "expected the mark of a compiled policy, found \"Stillthere policy\"",
    );
    check(b"policy\x01", b"policy\x02", "expected layout 1, found 2");
    check(b"policy\x01", b"policy\xcc\x01", "not in the fewest bytes");
    check(b"\x01\xa1p", b"\x01\xa0", "the policy's name is out of range");
    let long = [b"\x01\xd9\x81".as_slice(), &[b'n'; 129]].concat();
    check(b"\x01\xa1p", &long, "the policy's name is out of range");

    // Kathmandu: 5:41:16 to 1920, 5:30 to 1986, 5:45.
    let zone = policy(SMALL).canonical_bytes()[22..].to_vec();
    let changes = |first: &[u8], changes: &[&[u8]]| {
        let list = [0x90 + u8::try_from(changes.len()).unwrap()];
        [b"\x92", first, &list, &changes.concat()].concat()
    };
    let zone_end = zone.windows(2).position(|pair| pair == b"\x92\x97").unwrap();
    let zone = &zone[..zone_end];
    let day = b"\x92\xce\x05\x26\x5c\x00\x01".as_slice();
    let days = b"\x92\xce\x0a\x4c\xb8\x00\x02".as_slice();
    let out_of_order = "expected changes of the zone in the order of time, found one that is not \
                        above the one before it";
    check(zone, &changes(b"\x00", &[days, day]), out_of_order);
    check(zone, &changes(b"\x00", &[day, b"\x92\xce\x05\x26\x5c\x00\x02"]), out_of_order);
    let same = "expected an offset other than the one before it, found 1";
    check(zone, &changes(b"\x01", &[day]), same);
    check(zone, &changes(b"\x00", &[day, b"\x92\xce\x0a\x4c\xb8\x00\x01"]), same);
    let far = |s| format!("expected an offset of under 26 hours, in seconds, found {s}");
    check(zone, &changes(b"\xd2\x00\x01\x6d\xa0", &[]), "not in the fewest bytes");
    check(zone, &changes(b"\xce\x00\x01\x6d\xa0", &[]), &far("93600"));
    check(zone, &changes(b"\xd2\xff\xfe\x92\x60", &[]), &far("-93600"));
    check(zone, &changes(b"\x00", &[b"\x92\x00\xce\x00\x01\x6d\xa0"]), &far("93600"));
    let listed =
        |ms: i64| format!("expected a whole second from the year 1 to 2500, in ms, found {ms}");
    check(zone, &changes(b"\x00", &[b"\x92\x01\x01"]), &listed(1));
    for (marker, ms) in [
        (0xcf, 16_725_225_600_000i64),
        (0xd3, -62_135_596_801_000),
        (0xcf, i64::MAX / 1000 * 1000),
        (0xd3, i64::MIN / 1000 * 1000),
    ] {
        let change = [b"\x92", [marker].as_slice(), &ms.to_be_bytes(), b"\x01"].concat();
        check(zone, &changes(b"\x00", &[&change]), &listed(ms));
    }

    check(
        b"\x97\xa1w",
        b"\x97\xa1v",
        "expected a version's id that none before it has, found \"v\"",
    );
    let in_order = "expected versions in the order in which they take effect, found one that is \
                    not above the one before it";
    check(
        b"\xa1w\xff",
        &[b"\xa1w\xd3".as_slice(), &(-62_135_596_800_000i64).to_be_bytes()].concat(),
        in_order,
    );
    check(
        b"\xa1w\xff",
        b"\xa1w\xcf\x7f\xff\xff\xff\xff\xff\xff\xff",
        "expected an instant from the year 1 to 9999, in ms, found 9223372036854775807",
    );
    check(b"\xff\x02", b"\xff\x03", "expected a confidence, found 3");
    check(b"\xff\x02\xc4\x20", b"\xff\x02\xc4\x1f", "the hash of the source is out of range");
    let last = b"\x91\x93\xa1a\xcf\xff\xff\xff\xff\xff\xff\xff\xff\xc0".as_slice();
    check(last, b"\x90", "expected at least one tier, found none");
    check(
        last,
        b"\x92\x93\xa1a\xc0\xc0\x93\xa1a\xc0\xc0",
        "expected a tier's name that none before it has, found \"a\"",
    );
    check(last, b"\x91\x93\xa1a\x00\x92\x03\x00", "the unit of a window is out of range");
    check(
        last,
        b"\x91\x93\xa1a\x00\x92\x02\xcf\x00\x00\x00\x01\x00\x00\x00\x00",
        "the number of a window is out of range",
    );
    let after_last = |rest: &[u8]| [last, rest].concat();
    let check_rest = |from: &[u8], to: &[u8], says: &str| {
        check(&after_last(from), &after_last(to), says);
    };
    check_rest(b"\x96\x00\x00", b"\x96\x03\x00", "expected whose window counts, found 3");
    check_rest(b"\x96\x00\x00", b"\x96\x00\x02", "expected how days are counted, found 2");
    let trash = b"\x96\x00\x00\xc0\xc3\x90\x90".as_slice();
    check_rest(
        trash,
        b"\x96\x00\x00\xc0\xc3\x92\x92\xa1b\xc0\x92\xa1a\xc0\x90",
        "expected categories in the order of their names, found one that is not above the one \
         before it",
    );
    check_rest(
        trash,
        b"\x96\x00\x00\xc0\xc3\x90\x92\xa1b\xa1b",
        "expected categories without a trash in the order of their names, found one that is not \
         above the one before it",
    );
    let check_inactivity = |rest: &[u8], says: &str| {
        let silent = [trash, b"\x95\xc0\x90\x92\x00\x01\xc0\x90"].concat();
        check_rest(&silent, &[trash, b"\x95\xc0", rest].concat(), says);
    };
    check_inactivity(b"\x91\x63\x90\xc0\x90", "expected the number of a word, found 99");
    let not_above = "found one that is not above the one before it";
    check_inactivity(
        b"\x92\x01\x00\x90\xc0\x90",
        &format!("expected kinds in the order of their numbers, {not_above}"),
    );
    check_inactivity(
        b"\x90\x92\x01\x01\xc0\x90",
        &format!("expected actors in the order of their numbers, {not_above}"),
    );
    check_inactivity(b"\x90\x90\xc0\x91\xa1b", "expected a tier of the version, found \"b\"");
    check_inactivity(
        b"\x90\x90\xc0\x92\xa1a\xa1a",
        &format!("expected exempt tiers in the order of their names, {not_above}"),
    );

    check(
        b"\x93\xa1d\x90",
        b"\x93\xa1c\x90",
        "expected a clause's id that none before it has, found \"c\"",
    );
    check(
        b"\x92\xa2en",
        b"\x92\xa2zh",
        &format!("expected texts in the order of their languages, {not_above}"),
    );
    check(
        b"\x92\xa1q",
        b"\x92\xa1r",
        &format!("expected readings in the order of their ids, {not_above}"),
    );
    check(
        b"\x92\xa1r",
        b"\x92\xa7default",
        "expected a reading's id, found \"default\", the policy as it stands",
    );
    let a_of_q = b"\x93\xa1a\xc0\x92\x00\xce\xff\xff\xff\xff".as_slice();
    let z = b"\x93\xa1z\xcd\x01\x2c\x92\x00\x1e".as_slice();
    check(
        &[b"\x92", z, a_of_q].concat(),
        &[b"\x93", z, a_of_q, b"\x93\xa1b\xc0\xc0"].concat(),
        "expected rules with the version's own tiers, found others",
    );
    check(
        &[z, a_of_q].concat(),
        &[a_of_q, z].concat(),
        "expected rules with the version's own tiers, found others",
    );
}

/// What is read by its number is found at that place of its list.
#[test]
fn words_are_numbered_from_0_without_gaps() {
    macro_rules! numbered {
        ($($words:ty),+) => {
            $(for (number, word) in <$words>::ALL.iter().enumerate() {
                assert_eq!(usize::from(word.number()), number, "{word:?}");
            })+
        };
    }
    numbered!(Kind, Actor, Act, Basis, Confidence, Days, FullOf, OnChange, Over, Shortens, When);
}
