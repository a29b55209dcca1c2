//! Claims: each assert on either side of its boundary, who did it, was it lawful, and readings.

use super::{ByHand, STATE};

const CLAUSES: &str = r#"
    [[version]]
    id = "1"
    tiers = { std = { trash = "30d" } }
    trash = { purge_lag = "7d" }
    inactivity = { window = "1y" }
    clauses = [
        { id = "trash", for = ["recoverable", "window_lapsed", "premature-purge"], text = { en = "t" } },
        { id = "mine", for = ["user_trashed", "deleted_by_user"], text = { en = "m" } },
    ]
"#;

pub const CASES: &[ByHand] = &[
    ByHand {
        name: "evidence of a category: of each subject the event that was appended last",
        rules: CLAUSES,
        // The trashing has position 0, the upload that came in late 1: both life and log have a last.
        events: "
            2026-01-05 user     item_trashed item=i
            2026-01-01 user     item_uploaded item=i category=photos bytes=1
        ",
        claims: &[
            ("category=photos gone 2026-01-06", "/verdict refuted\n/evidence/*/position 1"),
            ("item=i gone 2026-01-06", "/verdict refuted\n/evidence/*/position 0 1"),
        ],
        ..STATE
    },
    ByHand {
        name: "trashed by the user, expired, purged on time",
        rules: CLAUSES,
        // Deadline 31 January; + 7 d = 7 February.
        events: "
            2026-01-01 user     item_uploaded item=i category=photos bytes=1
            2026-01-01 user     item_trashed item=i
            2026-02-07 provider item_purged item=i
        ",
        claims: &[
            (
                "item=i kept 2026-01-30T23:59:59.999",
                r#"/verdict upheld
                /state trashed
                /cause user_trashed
                /lawful none
                /recoverable_until 2026-01-31T00:00:00Z
                /evidence/*/position 0 1
                /clauses ["mine"]
                /readings {"default":"upheld"}"#,
            ),
            ("item=i kept 2026-01-31", "/verdict refuted\n/state expired\n/lawful yes"),
            (
                "item=i recoverable 2026-01-30T23:59:59.999",
                r#"/verdict upheld
                /clauses ["trash","mine"]"#,
            ),
            (
                "item=i recoverable 2026-01-31",
                r#"/verdict refuted
                /cause window_lapsed
                /recoverable_until 2026-01-31T00:00:00Z
                /clauses ["trash"]"#,
            ),
            ("item=i gone 2026-01-30T23:59:59.999", "/verdict refuted"),
            ("item=i gone 2026-01-31", "/verdict upheld"),
            ("item=i expired 2026-01-30T23:59:59.999", "/verdict refuted"),
            ("item=i expired 2026-01-31", "/verdict upheld"),
            ("item=i expired 2026-02-07", "/verdict upheld\n/state purged\n/cause window_lapsed"),
            ("item=i deleted_by_user 2026-01-01", "/verdict upheld"),
            (
                "item=i deleted_by_user 2026-02-07",
                r#"/verdict upheld
                /lawful yes
                /recoverable_until null
                /evidence/*/position 0 1 2
                /clauses ["trash","mine"]"#,
            ),
            ("item=i not_deleted_by_user 2026-02-07", "/verdict refuted"),
            ("item=i purged_on_time 2026-02-06", "/verdict refuted"),
            ("item=i purged_on_time 2026-02-07", "/verdict upheld"),
            (
                "item=j kept 2026-02-07",
                r#"/verdict undetermined
                /state null
                /cause null
                /lawful none
                /recoverable_until null
                /evidence []
                /clauses []
                /readings {"default":"undetermined"}"#,
            ),
            ("item=i kept 2025-12-31", "/verdict undetermined"),
            ("backup=i kept 2026-02-07", "/verdict undetermined"),
            ("category=notes gone 2026-02-07", "/verdict undetermined\n/lawful none"),
        ],
        ..STATE
    },
    ByHand {
        name: "purged a millisecond after the lag, and one before the deadline",
        rules: CLAUSES,
        events: "
            2026-01-01              user     item_uploaded item=i category=photos bytes=1
            2026-01-01              user     item_uploaded item=j category=photos bytes=1
            2026-01-01              user     item_uploaded item=k category=photos bytes=1
            2026-01-01              user     item_trashed item=i
            2026-01-01              user     item_trashed item=j
            2026-01-01              user     item_trashed item=k
            2026-01-30T23:59:59.999 provider item_purged item=i
            2026-01-30T23:59:59.999 user     item_purged item=k
            2026-02-07T00:00:00.001 user     item_purged item=j
        ",
        claims: &[
            (
                "item=i purged_on_time 2026-03-01",
                "/verdict refuted\n/lawful no\n/cause provider_purged",
            ),
            ("item=i expired 2026-03-01", "/verdict refuted"),
            ("item=i deleted_by_user 2026-03-01", "/verdict upheld\n/lawful no"),
            (
                "item=j purged_on_time 2026-03-01",
                "/verdict refuted\n/lawful yes\n/cause user_purged",
            ),
            ("item=j expired 2026-03-01", "/verdict upheld"),
            ("item=k purged_on_time 2026-03-01", "/verdict upheld"),
            (
                "category=photos purged_on_time 2026-03-01",
                r#"/verdict refuted
                /lawful no
                /state purged
                /cause null
                /evidence/*/position 6 8
                /evidence/*/item i j"#,
            ),
            (
                "account deleted_by_user 2026-03-01",
                r#"/verdict upheld
                /state purged
                /evidence []
                /clauses ["mine"]"#,
            ),
        ],
        ..STATE
    },
    ByHand {
        name: "no lag is never too late",
        rules: r#"
            version = [{ id = "1", tiers = { std = { trash = "30d" } } }]
        "#,
        events: "
            2026-01-01 user     item_uploaded item=i category=photos bytes=1
            2026-01-01 provider item_trashed item=i
            2030-01-01 provider item_purged item=i
        ",
        claims: &[
            ("item=i purged_on_time 2030-01-01", "/verdict upheld\n/lawful no"),
            ("item=i deleted_by_user 2030-01-01", "/verdict refuted"),
            ("item=i not_deleted_by_user 2030-01-01", "/verdict upheld"),
            ("item=i not_deleted_by_user 2026-01-01", "/verdict upheld\n/lawful none"),
        ],
        ..STATE
    },
    ByHand {
        name: "on time by the lag of the version in force at the deadline",
        rules: r#"
            [[version]]
            id = "1"
            tiers = { std = { trash = "30d" } }
            trash = { purge_lag = "7d" }
            [[version]]
            id = "2"
            effective_from = "2026-02-01T00:00:00Z"
            tiers = { std = { trash = "30d" } }
            trash = { purge_lag = "0d" }
        "#,
        // Deadline 31 January, version 1: until 7 February.
        events: "
            2026-01-01 user     item_uploaded item=i category=photos bytes=1
            2026-01-01 user     item_trashed item=i
            2026-02-07 provider item_purged item=i
        ",
        claims: &[("item=i purged_on_time 2026-03-01", "/verdict upheld")],
        ..STATE
    },
    ByHand {
        name: "after a restore no deadline is reached",
        rules: CLAUSES,
        events: "
            2026-01-01 user     item_uploaded item=i category=photos bytes=1
            2026-01-01 user     item_trashed item=i
            2026-03-01 user     item_restored item=i
            2026-03-02 user     item_purged item=i
        ",
        claims: &[
            ("item=i expired 2026-03-02", "/verdict refuted"),
            ("item=i purged_on_time 2026-03-02", "/verdict upheld"),
        ],
        ..STATE
    },
    ByHand {
        name: "lost after sync off: not once the deadline is reached, nor when admissible",
        rules: r#"
            version = [{ id = "1", tiers = { std = { trash = "30d" } }, inactivity = { window = "30d" } }]
        "#,
        // Both on 31 January: the deadline of i, and the end of the first event's window.
        events: "
            2026-01-01 user     item_uploaded item=i category=photos bytes=1
            2026-01-01 user     item_uploaded item=j category=photos bytes=1
            2026-01-01 user     item_uploaded item=k category=photos bytes=1
            2026-01-01 user     item_trashed item=i
            2026-01-01 user     sync_off category=photos
            2026-01-31 provider item_purged item=i
            2026-01-31 provider item_purged item=j cause=inactivity
            2026-01-31 provider item_purged item=k cause=quota
        ",
        claims: &[
            ("item=i lost_after_sync_off 2026-01-31", "/verdict refuted\n/lawful yes"),
            ("item=j lost_after_sync_off 2026-01-31", "/verdict refuted\n/lawful yes"),
            ("item=k lost_after_sync_off 2026-01-31", "/verdict upheld\n/lawful no"),
        ],
        ..STATE
    },
    ByHand {
        name: "lost after sync off: by the last sync event at the purge",
        rules: CLAUSES,
        events: "
            2026-01-01 user     item_uploaded item=i category=photos bytes=1
            2026-01-01 user     item_uploaded item=j category=photos bytes=1
            2026-01-01 user     item_uploaded item=k category=notes bytes=1
            2026-01-01 user     item_uploaded item=l category=photos bytes=1
            2026-01-01 user     item_uploaded item=m category=photos bytes=1
            2026-01-01 user     item_trashed item=l
            2026-01-02 user     sync_off category=photos
            2026-01-02 provider item_purged item=i
            2026-01-02 provider item_purged item=k cause=sync_off
            2026-01-02 user     item_purged item=m
            2026-01-03 user     sync_on category=photos
            2026-01-03 provider item_purged item=j cause=sync_off
            2026-01-04 user     sync_off category=photos
            2026-01-30 provider item_purged item=l
        ",
        claims: &[
            ("item=i lost_after_sync_off 2026-02-01", "/verdict upheld\n/lawful no"),
            ("item=j lost_after_sync_off 2026-02-01", "/verdict refuted\n/lawful no"),
            ("item=k lost_after_sync_off 2026-02-01", "/verdict refuted"),
            ("item=l lost_after_sync_off 2026-02-01", "/verdict upheld"),
            ("item=m lost_after_sync_off 2026-02-01", "/verdict refuted\n/lawful yes"),
        ],
        ..STATE
    },
    ByHand {
        name: "cleared for inactivity: at inactive_at",
        rules: CLAUSES,
        // 1 January 2026 + 1y.
        events: "
            2026-01-01 user     item_uploaded item=i category=photos bytes=1
            2026-01-01 user     backup_completed backup=b bytes=1
            2026-01-01 user     item_uploaded item=j category=photos bytes=1
            2026-06-01 user     item_trashed item=j
            2027-01-01 provider data_cleared cause=inactivity
        ",
        claims: &[
            (
                "item=i cleared_for_inactivity 2027-01-01",
                "/verdict upheld\n/lawful yes\n/state removed\n/cause inactivity_cleared",
            ),
            ("item=i not_deleted_by_user 2027-01-01", "/verdict upheld"),
            // Trashed by the user and expired on 1 July, long before.
            ("item=j deleted_by_user 2027-01-01", "/verdict upheld"),
            ("item=j expired 2027-01-01", "/verdict upheld"),
            ("item=j purged_on_time 2027-01-01", "/verdict refuted"),
            ("backup=b cleared_for_inactivity 2027-01-01", "/verdict upheld\n/state removed"),
            (
                "account cleared_for_inactivity 2027-01-01",
                "/verdict upheld\n/cause inactivity_cleared\n/lawful yes",
            ),
            (
                "account kept 2027-01-01",
                r#"/verdict refuted
                /state removed
                /evidence/*/position 4 4 4
                /evidence/*/item - i j
                /evidence/*/backup b - -"#,
            ),
        ],
        ..STATE
    },
    ByHand {
        name: "cleared for inactivity: a millisecond before",
        rules: CLAUSES,
        events: "
            2026-01-01              user     item_uploaded item=i category=photos bytes=1
            2026-01-01              user     backup_completed backup=b bytes=1
            2026-12-31T23:59:59.999 provider data_cleared cause=inactivity
        ",
        claims: &[
            (
                "item=i cleared_for_inactivity 2027-01-01",
                "/verdict refuted\n/lawful no\n/cause inactivity_cleared",
            ),
            ("backup=b cleared_for_inactivity 2027-01-01", "/verdict refuted\n/lawful no"),
        ],
        ..STATE
    },
    ByHand {
        name: "backups",
        rules: r#"
            version = [{ id = "1", tiers = { std = {} }, backup = { stale_after = "30d" } }]
        "#,
        events: "
            2026-01-01          user     backup_completed backup=b bytes=5
            2026-01-01          user     backup_completed backup=c bytes=5
            2026-01-01          user     backup_completed backup=d bytes=5
            2026-01-30T23:59:59 provider backup_purged backup=b
            2026-01-31          provider backup_purged backup=c
            2026-01-31          device   backup_purged backup=d
        ",
        claims: &[
            ("backup=b kept 2026-01-30T23:59:58", "/verdict upheld\n/lawful none\n/state kept"),
            ("backup=b not_deleted_by_user 2026-01-01", "/verdict upheld"),
            ("backup=b purged_on_time 2026-02-01", "/verdict refuted\n/lawful no"),
            ("backup=b not_deleted_by_user 2026-02-01", "/verdict upheld"),
            (
                "backup=c purged_on_time 2026-02-01",
                r#"/verdict upheld
                /lawful yes
                /cause window_lapsed
                /evidence/*/position 1 4"#,
            ),
            ("backup=d purged_on_time 2026-02-01", "/verdict upheld\n/cause user_deleted_backups"),
            ("backup=d deleted_by_user 2026-02-01", "/verdict upheld"),
            ("backup=c expired 2026-02-01", "/verdict refuted"),
            ("backup=c recoverable 2026-02-01", "/verdict refuted"),
            ("backup=c lost_after_sync_off 2026-02-01", "/verdict refuted"),
            // The account has no items, and these asserts are never of backups: no record.
            ("account expired 2026-02-01", "/verdict undetermined"),
            ("account gone 2026-02-01", "/verdict upheld\n/state removed\n/cause null\n/lawful no"),
        ],
        ..STATE
    },
    ByHand {
        name: "a restore forgets what took it out of live; an upload begins anew",
        rules: CLAUSES,
        events: "
            2026-01-01 user     item_uploaded item=i category=photos bytes=1
            2026-01-02 user     item_trashed item=i
            2026-01-03 user     item_restored item=i
            2026-01-04 provider item_trashed item=i
            2026-01-05 user     item_uploaded item=i category=photos bytes=1
            2026-01-06 provider item_purged item=i
        ",
        claims: &[
            (
                "item=i kept 2026-01-03",
                r#"/verdict upheld
                /evidence/*/position 0"#,
            ),
            (
                "item=i deleted_by_user 2026-01-04",
                r#"/verdict refuted
                /evidence/*/position 0 3"#,
            ),
            (
                "item=i kept 2026-01-06",
                r#"/verdict refuted
                /lawful no
                /evidence/*/position 4 5"#,
            ),
        ],
        ..STATE
    },
    ByHand {
        name: "readings: where they differ the verdict is undetermined, and the lawfulness depends",
        rules: r#"
            [[version]]
            id = "1"
            tiers = { std = { trash = "30d" }, plus = { trash = "60d" } }
            [[version.readings]]
            id = "tier-now"
            set = { "trash.basis" = "tier_now" }
            [[version.readings]]
            id = "local-dates"
            set = { "trash.days" = "local_dates" }
        "#,
        // By the tier when trashed: 2 March. By the tier now: over on 10 February. By local
        // dates: 1 January + 61 = 3 March.
        events: "
            2026-01-01 provider account_opened tier=plus
            2026-01-01 user     item_uploaded item=i category=photos bytes=1
            2026-01-01 user     item_trashed item=i
            2026-02-10 provider tier_changed tier=std
            2026-02-11 provider item_purged item=i
        ",
        claims: &[
            (
                "item=i recoverable 2026-02-09",
                r#"/verdict upheld
                /readings {"default":"upheld","local-dates":"upheld","tier-now":"upheld"}"#,
            ),
            (
                "item=i recoverable 2026-02-10",
                r#"/verdict undetermined
                /state trashed
                /recoverable_until 2026-03-02T00:00:00Z
                /lawful depends
                /readings {"default":"upheld","local-dates":"upheld","tier-now":"refuted"}"#,
            ),
            (
                "item=i purged_on_time 2026-02-11",
                r#"/verdict undetermined
                /cause provider_purged
                /lawful depends
                /readings {"default":"refuted","local-dates":"refuted","tier-now":"upheld"}"#,
            ),
            ("item=i gone 2026-02-11", "/verdict upheld\n/lawful depends"),
            (
                "item=j gone 2026-02-11",
                r#"/verdict undetermined
                /lawful none
                /readings {"default":"undetermined","local-dates":"undetermined","tier-now":"undetermined"}"#,
            ),
        ],
        ..STATE
    },
];
