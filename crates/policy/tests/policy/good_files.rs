//! What a file's silence means, the forms that it may take, and its readings.

use event::{Actor, Kind, Timestamp};
use stillthere_policy::{
    Act, Actors, Basis, Confidence, Days, FullOf, Kinds, OnChange, Over, Policy, Shortens, When,
    Window, Zone,
};

const LEAST: &str = "schema = 1\npolicy = \"p\"\n[[version]]\nid = \"v\"\ntiers.a = {}\n";

fn parse(text: &str) -> Policy {
    Policy::parse(text).unwrap_or_else(|error| panic!("{error}\n{text}"))
}

fn instant(text: &str) -> Timestamp {
    Timestamp::parse(text).unwrap()
}

/// The version of [`LEAST`] with `more` in it.
fn version(more: &str) -> stillthere_policy::Version {
    parse(&format!("{LEAST}{more}\n")).versions.remove(0)
}

#[test]
fn silence_means_the_defaults() {
    let policy = parse(LEAST);
    assert_eq!(policy.name, "p");
    assert_eq!(policy.zone, Zone::utc());
    let [v] = &policy.versions[..] else { panic!("one version") };
    assert_eq!(v.effective_from, Timestamp::MIN);
    assert_eq!(v.confidence, Confidence::Operator);
    assert_eq!(v.source, "");
    assert_eq!(v.on_change, OnChange::Grandfather);
    assert_eq!(v.tiers.len(), 1);
    assert_eq!((v.tiers[0].quota, v.tiers[0].trash), (None, Window::Never));
    assert_eq!((v.trash.basis, v.trash.days), (Basis::TierWhenTrashed, Days::Exact));
    assert_eq!(v.trash.purge_lag, Window::Never);
    assert!(v.trash.counts_toward_quota);
    assert!(v.trash.categories.is_empty() && v.trash.no_trash.is_empty());
    assert_eq!(v.inactivity_window, Window::Never);
    assert_eq!(v.resets, Kinds::NONE);
    assert_eq!(v.actors, Actors::from_iter([Actor::User, Actor::Device]));
    assert_eq!(v.notice, Window::Never);
    assert!(v.exempt_tiers.is_empty());
    assert_eq!(v.over, Over::BlockUploads);
    assert_eq!((v.stale_after, v.late_after), (Window::Never, Window::Never));
    assert!(v.clauses.is_empty() && v.readings.is_empty());
}

#[test]
fn values_are_taken() {
    let v = version(
        r#"
        effective_from = 2026-01-01T08:00:00.1239+08:00
        on_change = "retroactive"
        quota.over = "allow"
        backup.stale_after = "6mo"
        clock.late_after = "0d"
        tiers.z = { quota = "unlimited", trash = "0d" }
        tiers.b = { quota = "0B", trash = "never" }
        [version.trash]
        basis = "longest_held"
        days = "local_dates"
        counts_toward_quota = false
        categories = { photos = "60d", "a.b" = "1y" }
        no_trash = ["backup", "backup"]
        [version.inactivity]
        resets = ["synced", "page_viewed", "synced"]
        actors = []
        notice = "3mo"
        exempt_tiers = ["z", "b"]
        [[version.clauses]]
        id = "c"
        for = ["kept", "kept"]
        text = { en = "e", zh = "中" }
        [[version.clauses]]
        id = "d""#,
    );
    assert_eq!(v.effective_from, instant("2026-01-01T00:00:00.123Z"));
    assert_eq!((v.on_change, v.over), (OnChange::Retroactive, Over::Allow));
    assert_eq!((v.stale_after, v.late_after), (Window::Months(6), Window::Days(0)));
    let tiers: Vec<_> = v.tiers.iter().map(|t| (t.name.as_str(), t.quota, t.trash)).collect();
    let expected =
        [("a", None, Window::Never), ("z", None, Window::Days(0)), ("b", Some(0), Window::Never)];
    assert_eq!(tiers, expected);
    assert_eq!((v.trash.basis, v.trash.days), (Basis::LongestHeld, Days::LocalDates));
    assert!(!v.trash.counts_toward_quota);
    assert_eq!(v.trash.categories["a.b"], Window::Years(1));
    assert_eq!(v.trash.categories["photos"], Window::Days(60));
    assert_eq!(v.trash.no_trash.len(), 1);
    assert_eq!(v.resets.iter().collect::<Vec<_>>(), [Kind::PageViewed, Kind::Synced]);
    assert!(v.resets.contains(Kind::Synced) && !v.resets.contains(Kind::SyncOn));
    assert!(v.actors.is_empty());
    assert_eq!(v.notice, Window::Months(3));
    assert_eq!(v.exempt_tiers.len(), 2);
    assert_eq!(v.clauses[0].for_, ["kept", "kept"]);
    assert_eq!(v.clauses[0].text["zh"], "中");
    assert!(v.clauses[1].for_.is_empty() && v.clauses[1].text.is_empty());
    assert_eq!(v.clause_for("kept"), Some("c"));
    assert_eq!(v.clause_for("gone"), None);
}

#[test]
fn tiers_are_in_the_order_of_the_file() {
    let check = |text: &str, expected: &[&str]| {
        let head = "schema = 1\npolicy = \"p\"\n[[version]]\nid = \"v\"\n";
        let policy = parse(&format!("{head}{text}"));
        let names: Vec<_> = policy.versions[0].tiers.iter().map(|t| t.name.as_str()).collect();
        assert_eq!(names, expected, "{text}");
    };
    check("[version.tiers.z]\n[version.tiers.a]\n[version.tiers.m]", &["z", "a", "m"]);
    check("tiers = { z = {}, m = {}, a = {} }", &["z", "m", "a"]);
    check("tiers.z.trash = '1d'\ntiers.a.trash = '1d'\ntiers.z.quota = '1B'", &["z", "a"]);
    check("[version.tiers.\"9.1\"]\n[version.tiers.\"标准\"]", &["9.1", "标准"]);
}

#[test]
fn versions_are_in_the_order_of_time() {
    let policy = parse(
        r#"
        schema = 1
        policy = "p"
        [[version]]
        id = "last"
        effective_from = "2026-06-01T00:00:00Z"
        tiers.a = {}
        [[version]]
        id = "first"
        tiers.a = {}
        [[version]]
        id = "middle"
        effective_from = "2026-01-01T00:00:00Z"
        tiers.a = {}"#,
    );
    let check = |at: &str, expected: &str| {
        assert_eq!(policy.version_at(instant(at)).id, expected, "{at}");
    };
    check("0001-01-01T00:00:00Z", "first");
    check("2025-12-31T23:59:59.999Z", "first");
    check("2026-01-01T00:00:00Z", "middle");
    check("2026-05-31T23:59:59.999Z", "middle");
    check("2026-06-01T00:00:00Z", "last");
    check("9999-12-31T23:59:59.999Z", "last");
    let late = parse(
        "schema = 1\npolicy = 'p'\n[[version]]\nid = 'v'\neffective_from = '2026-01-01T00:00:00Z'\ntiers.a = {}",
    );
    assert_eq!(late.version_at(instant("2025-01-01T00:00:00Z")).id, "v");
}

#[test]
fn what_a_version_does_not_name_is_its_first() {
    let v = version(
        "tiers.b.trash = '60d'\ninactivity.exempt_tiers = ['a']\ntrash.categories.photos = '7d'",
    );
    assert_eq!(v.tier("b").name, "b");
    assert_eq!(v.tier("gold").name, "a");
    assert!(v.is_exempt("a") && v.is_exempt("gold") && !v.is_exempt("b"));
    assert_eq!(v.trash_window(None, "b"), Window::Days(60));
    assert_eq!(v.trash_window(Some("notes"), "gold"), Window::Never);
    assert_eq!(v.trash_window(Some("photos"), "b"), Window::Days(7));
}

/// A version under the one reading that sets `set`.
fn read(set: &str) -> stillthere_policy::Version {
    let more = r#"
        tiers.a2.trash = "30d"
        tiers."b.c" = { trash = "1d" }
        trash = { days = "local_dates", categories = { photos = "7d", "x.y" = "8d" } }
        [[version.readings]]
        id = "r""#;
    version(&format!("{more}\n{set}")).readings.remove(0).version
}

#[test]
fn a_reading_sets_dotted_and_nested_keys() {
    for set in [
        "set = { \"trash.basis\" = 'tier_now' }",
        "set = { trash.basis = 'tier_now' }",
        "set = { trash = { basis = 'tier_now' } }",
        "set.trash.basis = 'tier_now'",
        "[version.readings.set]\n\"trash.basis\" = 'tier_now'",
        "[version.readings.set.trash]\nbasis = 'tier_now'",
    ] {
        let v = read(set);
        assert_eq!(v.trash.basis, Basis::TierNow, "{set}");
        assert_eq!(v.trash.days, Days::LocalDates, "what is not named stays: {set}");
        assert_eq!(v.trash.categories.len(), 2, "{set}");
    }
}

#[test]
fn a_reading_sets_one_category_or_all() {
    let check = |set: &str, expected: &[(&str, u32)]| {
        let found: Vec<_> = read(set).trash.categories.into_iter().collect();
        let expected: Vec<_> =
            expected.iter().map(|(name, n)| ((*name).to_owned(), Window::Days(*n))).collect();
        assert_eq!(found, expected, "{set}");
    };
    check("set = { \"trash.categories.photos\" = '9d' }", &[("photos", 9), ("x.y", 8)]);
    check("set = { trash.categories.photos = '9d' }", &[("photos", 9), ("x.y", 8)]);
    check("set = { \"trash.categories.x.y\" = '9d' }", &[("photos", 7), ("x.y", 9)]);
    check("set = { \"trash.categories.z\" = '9d' }", &[("photos", 7), ("x.y", 8), ("z", 9)]);
    check("set = { \"trash.categories\" = { z = '9d' } }", &[("z", 9)]);
    check("set = { trash.categories = { z = '9d' } }", &[("z", 9)]);
    check("set = { trash = { categories = {} } }", &[]);
}

#[test]
fn a_reading_sets_what_it_may() {
    assert_eq!(read("set.on_change = 'restart'").on_change, OnChange::Restart);
    assert_eq!(read("set.\"tiers.a2.quota\" = '1B'").tier("a2").quota, Some(1));
    assert_eq!(read("set.\"tiers.b.c.trash\" = '2d'").tier("b.c").trash, Window::Days(2));
    assert_eq!(read("set.\"tiers.b.c\" = { trash = '2d' }").tier("b.c").trash, Window::Days(2));
    assert_eq!(read("set.tiers.\"b.c\".trash = '2d'").tier("b.c").trash, Window::Days(2));
    assert_eq!(read("set.\"inactivity.window\" = '365d'").inactivity_window, Window::Days(365));
    assert_eq!(read("set.\"inactivity.exempt_tiers\" = ['b.c']").exempt_tiers.len(), 1);
    assert_eq!(read("set.\"quota.over\" = 'allow'").over, Over::Allow);
    assert_eq!(read("set.\"backup.stale_after\" = '1y'").stale_after, Window::Years(1));
    assert_eq!(read("set.\"clock.late_after\" = '1y'").late_after, Window::Years(1));
    let plain = read("");
    assert_eq!((plain.on_change, plain.trash.categories.len()), (OnChange::Grandfather, 2));
    assert_eq!(read("set = {}"), plain);
}

#[test]
fn a_reading_is_set_in_each_version_that_names_it() {
    let policy = parse(
        r#"
        schema = 1
        policy = "p"
        [[version]]
        id = "one"
        tiers.a.trash = "1d"
        readings = [
            { id = "z", set = { "tiers.a.trash" = "11d" } },
            { id = "b", set = { "trash.basis" = "tier_now" } },
        ]
        [[version]]
        id = "two"
        effective_from = "2026-01-01T00:00:00Z"
        tiers.a.trash = "2d"
        [[version]]
        id = "three"
        effective_from = "2026-02-01T00:00:00Z"
        tiers.a.trash = "3d"
        readings = [
            { id = "z", set = { "tiers.a.trash" = "33d" } },
            { id = "Z", set = { "tiers.a.trash" = "44d" } },
        ]"#,
    );
    assert_eq!(policy.readings(), ["Z", "b", "z"]);
    let check = |id: &str, expected: [u32; 3]| {
        let read = policy.with_reading(id).expect("a reading");
        let found: Vec<_> = read.versions.iter().map(|v| v.tiers[0].trash).collect();
        assert_eq!(found, expected.map(Window::Days), "{id}");
        assert_eq!(read.versions[0].id, "one");
        assert_eq!(read.readings(), [""; 0]);
    };
    check("z", [11, 2, 33]);
    check("Z", [1, 2, 44]);
    check("b", [1, 2, 3]);
    assert_eq!(policy.with_reading("b").unwrap().versions[0].trash.basis, Basis::TierNow);
    assert_eq!(policy.with_reading("b").unwrap().versions[2].trash.basis, Basis::TierWhenTrashed);
    assert_eq!(policy.with_reading("default"), None);
    assert_eq!(policy.with_reading("c"), None);
}

#[test]
fn stages_and_a_full_trash_are_taken() {
    let v = version(
        r#"
        trash = { full_at = "10%", full_window = "3d" }
        inactivity.everywhere = ["page_viewed"]
        stages."a.b" = { when = "category_inactive", after = "2y", admits = ["purge"], categories = ["n"] }
        stages.s = { when = "over_quota", after = "6mo", admits = ["purge", "freeze", "purge"], notice = "30d" }
        [[version.clauses]]
        id = "c"
        source = "a page"
        seen = 2026-11-26
        confidence = "official"
        [[version.readings]]
        id = "r"
        set = { "stages.a.b.after" = "730d", stages.s = { after = "9mo" }, "trash.full_shortens" = "once_full" }
        "#,
    );
    let full = v.trash.full.expect("it can be full");
    assert_eq!((full.percent, full.of, full.window), (10, FullOf::Limit, Window::Days(3)));
    assert_eq!(full.shortens, Shortens::WhileFull);
    assert!(v.everywhere.iter().eq([Kind::PageViewed]));
    let stage = &v.stages["s"];
    assert_eq!(
        (stage.when, stage.after, stage.notice),
        (When::OverQuota, Window::Months(6), Window::Days(30))
    );
    assert!(stage.admits.iter().eq([Act::Freeze, Act::Purge]));
    assert!(stage.admits_purge(None, false) && !v.stages["a.b"].admits_purge(None, true));
    assert!(v.stages["a.b"].admits_purge(Some("n"), false));
    let stated = &v.clauses[0].stated;
    assert_eq!(stated.seen.as_deref(), Some("2026-11-26"));
    assert_eq!(stated.confidence, Some(Confidence::Official));
    let read = &v.readings[0].version;
    assert_eq!(read.stages["a.b"].after, Window::Days(730));
    assert_eq!(
        (read.stages["s"].after, read.stages["s"].when),
        (Window::Months(9), When::OverQuota)
    );
    assert_eq!(read.trash.full.map(|full| full.shortens), Some(Shortens::OnceFull));
    // More than a tenth of 100; and of what 40 kept bytes leave.
    let of = |of, percent| stillthere_policy::Full { percent, of, ..full };
    assert!(!of(FullOf::Limit, 10).is_full(10, 0, Some(100)));
    assert!(of(FullOf::Limit, 10).is_full(11, 0, Some(100)));
    assert!(!of(FullOf::Free, 50).is_full(30, 40, Some(100)));
    assert!(of(FullOf::Free, 50).is_full(30, 41, Some(100)));
    assert!(!of(FullOf::Free, 50).is_full(0, 200, Some(100)));
    assert!(!of(FullOf::Limit, 0).is_full(u128::from(u64::MAX), 0, None));
}

#[test]
fn what_means_nothing_without_a_full_trash_is_remarked_on() {
    let text = format!(
        "{LEAST}trash = {{ full_window = '3d' }}\n\
         stages.s = {{ when = 'trash_full', after = '0d', admits = ['purge_trashed'] }}\n"
    );
    let (_, remarks) = Policy::check(&text).unwrap();
    let remarks: Vec<_> = remarks.iter().map(ToString::to_string).collect();
    let expected = [
        "6:11: version[0].trash.full_window: means nothing without full_at",
        "7:8: version[0].stages.s: is never reached: the trash is never full without full_at",
    ];
    assert_eq!(remarks, expected);
}

#[test]
fn remarks() {
    let text = format!(
        "{LEAST}trash = {{ categories = {{ backup = '1d' }}, no_trash = ['backup'] }}\n{}",
        r#"
        [[version.clauses]]
        id = "c"
        for = ["kept", "premature_purge", "S1"]
        text = { en = "e", fr = "f" }
        [[version.readings]]
        id = "r"
        set = { "trash.basis" = "tier_when_trashed" }
        "#
        .trim_start()
    );
    let (policy, remarks) = Policy::check(&text).unwrap();
    assert_eq!(policy, parse(&text));
    let remarks: Vec<_> = remarks.iter().map(ToString::to_string).collect();
    let expected = [
        "6:26: version[0].trash.categories.backup: the category has no trash, so its window measures nothing",
        "7:1: version[0].clauses[0]: the clause has no text in zh",
        "9:24: version[0].clauses[0].for[1]: no finding, cause or assert is called \"premature_purge\": did you mean \"premature-purge\"?",
        "9:43: version[0].clauses[0].for[2]: no finding, cause or assert is called \"S1\"",
        "10:28: version[0].clauses[0].text.fr: only en and zh are shown",
        "11:9: version[0].readings[0]: the reading \"r\" changes nothing",
    ];
    assert_eq!(remarks, expected);
    assert!(Policy::check("schema = 2").is_err());
}

#[test]
fn as_json() {
    let policy = parse(
        r#"
        schema = 1
        policy = "p"
        time_zone = "Asia/Shanghai"
        [[version]]
        id = "v"
        tiers = { z = { quota = "5GiB", trash = "30d" }, a = {} }
        inactivity = { window = "1y", resets = ["synced"], notice = "3mo" }
        clauses = [{ id = "c", for = ["kept"], text = { en = "e" } }]
        readings = [{ id = "r", set = { trash.basis = "tier_now", "trash.no_trash" = ["x"] } }]"#,
    );
    let mut found = serde_json::to_value(&policy).unwrap();
    let hash = found.as_object_mut().unwrap().remove("policy_hash").unwrap();
    assert_eq!(hash, policy.hash().to_string());
    let expected = serde_json::json!({
        "policy": "p",
        "time_zone": "Asia/Shanghai",
        "versions": [{
            "id": "v",
            "effective_from": "0001-01-01T00:00:00Z",
            "confidence": "operator",
            "source": "",
            "on_change": "grandfather",
            "tiers": [
                { "tier": "z", "quota_bytes": 5_368_709_120u64, "trash": "30d" },
                { "tier": "a", "quota_bytes": null, "trash": "never" },
            ],
            "trash": {
                "basis": "tier_when_trashed",
                "days": "exact",
                "purge_lag": "never",
                "counts_toward_quota": true,
                "categories": {},
                "no_trash": [],
                "full_at": null,
                "full_of": "limit",
                "full_window": "never",
                "full_shortens": "while_full",
            },
            "inactivity": {
                "window": "1y",
                "resets": ["synced"],
                "actors": ["user", "device"],
                "everywhere": [],
                "notice": "3mo",
                "exempt_tiers": [],
            },
            "quota": { "over": "block_uploads" },
            "stages": [],
            "backup": { "stale_after": "never" },
            "clock": { "late_after": "never" },
            "records": { "keep": "never" },
            "clauses": [{ "id": "c", "for": ["kept"], "text": { "en": "e" } }],
            "readings": [{
                "id": "r",
                "set": { "trash.basis": "tier_now", "trash.no_trash": ["x"] },
            }],
        }],
    });
    assert_eq!(found, expected);
}
