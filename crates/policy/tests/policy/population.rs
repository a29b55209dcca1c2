//! What differs between two policies, and policies with a rule moved.

use stillthere_policy::{Amount, Parameter, Policy, Window, parse_size, size_text};

const HEAD: &str = "schema = 1\npolicy = \"p\"\n";

fn policy(rest: &str) -> Policy {
    Policy::parse(&format!("{HEAD}{rest}")).unwrap_or_else(|error| panic!("{error}\n{rest}"))
}

/// The differences of two policies as lines, `VERSION KEY BEFORE AFTER`.
#[track_caller]
fn check(before: &str, after: &str, expected: &str) {
    let (before, after) = (policy(before), policy(after));
    let lines = before.differences(&after).into_iter().map(|rule| {
        let value = |value: Option<_>| value.map_or("-".to_owned(), |value| format!("{value}"));
        let version = rule.version.unwrap_or("-".to_owned());
        format!("{version} {} {} {}", rule.key, value(rule.before), value(rule.after))
    });
    let expected: Vec<&str> =
        expected.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
    assert_eq!(lines.collect::<Vec<_>>(), expected);
}

const ONE: &str = "[[version]]\nid = \"1\"\n[version.tiers.a]\ntrash = \"30d\"\n";

#[test]
fn each_key_that_differs_is_named() {
    check(ONE, ONE, "");
    // What a file leaves out is said.
    check(
        ONE,
        "[[version]]\nid = \"1\"\non_change = \"grandfather\"\ntiers.a = { trash = \"30d\", quota = \"unlimited\" }\n",
        "",
    );
    let other = "time_zone = \"Asia/Shanghai\"\n[[version]]\nid = \"1\"\neffective_from = \"2025-01-01T00:00:00Z\"\n\
        confidence = \"official\"\nsource = \"s\"\non_change = \"restart\"\n\
        [version.tiers.b]\nquota = \"5GiB\"\ntrash = \"1mo\"\n[version.tiers.a]\ntrash = \"14d\"\n\
        [version.trash]\nbasis = \"tier_now\"\ndays = \"local_dates\"\npurge_lag = \"7d\"\ncounts_toward_quota = false\n\
        categories = { photos = \"60d\" }\nno_trash = [\"notes\"]\n\
        [version.inactivity]\nwindow = \"1y\"\nresets = [\"signed_in\"]\nactors = [\"user\"]\nnotice = \"30d\"\nexempt_tiers = [\"b\"]\n\
        [version.quota]\nover = \"allow\"\n[version.backup]\nstale_after = \"6mo\"\n[version.clock]\nlate_after = \"2d\"\n\
        [[version.clauses]]\nid = \"c\"\nfor = [\"kept\"]\ntext = { en = \"Kept.\" }\n\
        [[version.readings]]\nid = \"r\"\nset = { \"trash.basis\" = \"longest_held\" }\n";
    check(
        ONE,
        other,
        r#"- time_zone "UTC" "Asia/Shanghai"
        1 effective_from "the beginning" "2025-01-01T00:00:00Z"
        1 confidence "operator" "official"
        1 source "" "s"
        1 on_change "grandfather" "restart"
        1 tiers ["a"] ["b", "a"]
        1 tiers.b.quota - "5GiB"
        1 tiers.b.trash - "1mo"
        1 tiers.a.trash "30d" "14d"
        1 trash.basis "tier_when_trashed" "tier_now"
        1 trash.days "exact" "local_dates"
        1 trash.purge_lag "never" "7d"
        1 trash.counts_toward_quota true false
        1 trash.categories.photos - "60d"
        1 trash.no_trash [] ["notes"]
        1 inactivity.window "never" "1y"
        1 inactivity.resets [] ["signed_in"]
        1 inactivity.actors ["user", "device"] ["user"]
        1 inactivity.notice "never" "30d"
        1 inactivity.exempt_tiers [] ["b"]
        1 quota.over "block_uploads" "allow"
        1 backup.stale_after "never" "6mo"
        1 clock.late_after "never" "2d"
        1 clauses [] ["c"]
        1 clauses.c.for - ["kept"]
        1 clauses.c.text.en - "Kept."
        1 readings.r - { "trash.basis" = "longest_held" }"#,
    );
}

#[test]
fn a_full_trash_and_stages_and_where_clauses_are_stated_are_named() {
    let other = "[[version]]\nid = \"1\"\n[version.tiers.a]\ntrash = \"30d\"\n\
        [version.trash]\nfull_at = \"10%\"\nfull_of = \"free\"\nfull_window = \"3d\"\nfull_shortens = \"once_full\"\n\
        [version.inactivity]\neverywhere = [\"signed_in\"]\n[version.records]\nkeep = \"3y\"\n\
        [version.stages.s]\nwhen = \"over_quota\"\nafter = \"3mo\"\nadmits = [\"freeze\", \"purge\"]\n\
        categories = [\"photos\"]\nnotice = \"7d\"\n\
        [[version.clauses]]\nid = \"c\"\nfor = [\"kept\"]\ntext = { en = \"Kept.\" }\n\
        source = \"page\"\nseen = \"2026-11-26\"\nconfidence = \"secondary\"\n";
    check(
        ONE,
        other,
        r#"1 trash.full_at "never" "10%"
        1 trash.full_of - "free"
        1 trash.full_window - "3d"
        1 trash.full_shortens - "once_full"
        1 inactivity.everywhere [] ["signed_in"]
        1 stages.s.when - "over_quota"
        1 stages.s.after - "3mo"
        1 stages.s.admits - ["freeze", "purge"]
        1 stages.s.categories - ["photos"]
        1 stages.s.notice - "7d"
        1 records.keep "never" "3y"
        1 clauses [] ["c"]
        1 clauses.c.for - ["kept"]
        1 clauses.c.text.en - "Kept."
        1 clauses.c.source - "page"
        1 clauses.c.seen - "2026-11-26"
        1 clauses.c.confidence - "secondary""#,
    );
    // One key alone.
    for (from, to, expected) in [
        ("\"10%\"", "\"11%\"", "1 trash.full_at \"10%\" \"11%\""),
        ("\"free\"", "\"limit\"", "1 trash.full_of \"free\" \"limit\""),
        ("\"3mo\"", "\"4mo\"", "1 stages.s.after \"3mo\" \"4mo\""),
        ("\"freeze\", ", "", "1 stages.s.admits [\"freeze\", \"purge\"] [\"purge\"]"),
        ("\"7d\"", "\"8d\"", "1 stages.s.notice \"7d\" \"8d\""),
        ("-11-26", "-11-25", "1 clauses.c.seen \"2026-11-26\" \"2026-11-25\""),
    ] {
        check(other, &other.replace(from, to), expected);
    }
}

#[test]
fn versions_are_matched_by_id_and_then_by_the_instant() {
    let version = |id: &str, year: &str, trash: &str| {
        format!(
            "[[version]]\nid = \"{id}\"\neffective_from = \"{year}-01-01T00:00:00Z\"\ntiers.a.trash = \"{trash}\"\n"
        )
    };
    // By id, though another is in force from the same instant.
    check(
        &(version("x", "2020", "1d") + &version("y", "2021", "2d")),
        &(version("y", "2020", "2d") + &version("x", "2021", "1d")),
        "x effective_from \"2020-01-01T00:00:00Z\" \"2021-01-01T00:00:00Z\"
         y effective_from \"2021-01-01T00:00:00Z\" \"2020-01-01T00:00:00Z\"",
    );
    // By the instant, and called by the later id.
    check(
        &(version("x", "2020", "1d") + &version("y", "2021", "2d")),
        &(version("y", "2021", "2d") + &version("z", "2020", "3d")),
        "z id \"x\" \"z\"\nz tiers.a.trash \"1d\" \"3d\"",
    );
    // The only ones.
    check(
        &version("x", "2020", "1d"),
        &version("z", "2021", "1d"),
        "z id \"x\" \"z\"\nz effective_from \"2020-01-01T00:00:00Z\" \"2021-01-01T00:00:00Z\"",
    );
    // One more: all of it.
    let (before, after) = (version("x", "2020", "1d"), version("w", "2019", "4d"));
    let more = policy(&before).differences(&policy(&(before.clone() + &after)));
    assert!(more.iter().all(|rule| rule.version.as_deref() == Some("w") && rule.before.is_none()));
    assert!(more.iter().any(|rule| rule.key == "tiers.a.trash"), "{more:?}");
    let less = policy(&(before.clone() + &after)).differences(&policy(&before));
    assert!(less.iter().all(|rule| rule.version.as_deref() == Some("w") && rule.after.is_none()));
    assert_eq!(less.len(), more.len());
}

#[test]
fn a_parameter_is_set_where_it_is_asked_for() {
    let two = "[[version]]\nid = \"1\"\n[version.tiers.a]\ntrash = \"30d\"\n[version.tiers.\"b.c\"]\nquota = \"1KB\"\n\
        [[version]]\nid = \"2\"\neffective_from = \"2025-01-01T00:00:00Z\"\n[version.tiers.a]\ntrash = \"60d\"\n\
        [[version.readings]]\nid = \"r\"\nset = { \"tiers.a.trash\" = \"1d\" }\n";
    let base = policy(two);
    let days = |n| Amount::Window(Window::Days(n));
    let set = |key: &str, version: Option<&str>, amount: Amount| {
        let parameter = Parameter::parse(key).expect("a parameter");
        base.with_parameter(&parameter, version, amount)
    };
    let windows = |policy: &Policy| -> Vec<Window> {
        policy.versions.iter().map(|version| version.tiers[0].trash).collect()
    };
    for key in ["tiers.a.trash", "trash.tiers.a"] {
        let moved = set(key, None, days(7)).expect("set");
        assert_eq!(windows(&moved), [Window::Days(7), Window::Days(7)]);
        assert_eq!(moved.readings(), Vec::<String>::new());
        let moved = set(key, Some("2"), days(7)).expect("set");
        assert_eq!(windows(&moved), [Window::Days(30), Window::Days(7)]);
    }
    let moved = set("tiers.b.c.quota", None, Amount::Bytes(5)).expect("the first version has it");
    assert_eq!(moved.versions[0].tiers[1].quota, Some(5));
    let said = |key, version| set(key, version, days(7)).expect_err("not there").to_string();
    assert!(said("tiers.z.trash", None).contains("expected one of a, b.c"));
    assert!(said("tiers.b.c.trash", Some("2")).ends_with("expected one of a"));
    assert!(said("trash.purge_lag", Some("3")).contains("no version \"3\": expected one of 1, 2"));
    for key in [
        "",
        "tiers",
        "tiers.a",
        "tiers.trash",
        "tiers..trash",
        "trash.tiers.",
        "trash.basis",
        "trash.categories.",
        "window",
        "on_change",
    ] {
        assert!(Parameter::parse(key).is_err(), "{key}");
    }
}

#[test]
fn a_stage_and_a_full_trash_are_moved_where_they_are() {
    let two = format!(
        "{ONE}[[version]]\nid = \"2\"\neffective_from = \"2025-01-01T00:00:00Z\"\n[version.tiers.a]\n\
         trash = \"60d\"\n[version.trash]\nfull_at = \"10%\"\nfull_window = \"3d\"\n\
         [version.stages.s]\nwhen = \"over_quota\"\nafter = \"3mo\"\nadmits = [\"freeze\"]\n"
    );
    let base = policy(&two);
    let set = |key: &str, version: Option<&str>| {
        let parameter = Parameter::parse(key).expect("a parameter");
        assert_eq!(parameter.to_string(), key);
        base.with_parameter(&parameter, version, Amount::Window(Window::Days(7)))
    };
    let moved = set("stages.s.after", None).expect("the second version has it");
    assert_eq!(moved.versions[1].stages["s"].after, Window::Days(7));
    assert!(moved.versions[0].stages.is_empty());
    let moved = set("trash.full_window", None).expect("the second version has it");
    assert_eq!(moved.versions[1].trash.full.expect("it can be full").window, Window::Days(7));
    assert_eq!(moved.versions[0].trash.full, None);
    let said = |key, version| set(key, version).expect_err("not there").to_string();
    assert!(said("stages.z.after", None).ends_with("the stage \"z\": expected one of s"));
    assert!(said("stages.s.after", Some("1")).ends_with("expected a policy with stages"));
    assert!(said("trash.full_window", Some("1")).ends_with("expected one with trash.full_at"));
    for key in ["stages.after", "stages..after", "stages.s.notice", "stages.s", "trash.full_at"] {
        assert!(Parameter::parse(key).is_err(), "{key}");
    }
}

#[test]
fn sizes_are_written_as_they_are_read() {
    for (bytes, text) in [
        (0, "0B"),
        (1, "1B"),
        (999, "999B"),
        (1000, "1KB"),
        (1024, "1KiB"),
        (5_000_000_000, "5GB"),
        (5_368_709_120, "5GiB"),
        (1_099_511_627_776, "1TiB"),
        (u64::MAX, "18446744073709551615B"),
    ] {
        assert_eq!(size_text(bytes), text);
        assert_eq!(parse_size(text), Ok(bytes));
    }
}
