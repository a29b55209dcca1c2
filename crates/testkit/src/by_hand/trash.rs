//! Windows, day counts and bases.

use super::{ByHand, STATE};

pub const CASES: &[ByHand] = &[
    ByHand {
        name: "thirty days of 24 hours",
        rules: r#"
            version = [{ id = "1", tiers = { std = { trash = "30d" } } }]
        "#,
        events: "
            2025-12-31 user item_uploaded item=i category=photos bytes=5
            2026-01-01 user item_trashed item=i
        ",
        state: &[
            ("2025-12-30T23:59:59", ". null"),
            ("2025-12-31T23:59:59", "/items/0/state live\n/items/0/recoverable_until null"),
            // 1 January + 30 × 24 h = 31 January.
            (
                "2026-01-01",
                "/items/0/state trashed
                 /items/0/since 2026-01-01T00:00:00Z
                 /items/0/cause user_trashed
                 /items/0/recoverable_until 2026-01-31T00:00:00Z
                 /items/0/remaining_days 30",
            ),
            // 29 d 23:59:59.999 are left: the 30th day is begun.
            ("2026-01-01T00:00:00.001", "/items/0/remaining_days 30"),
            ("2026-01-02", "/items/0/remaining_days 29"),
            ("2026-01-30", "/items/0/remaining_days 1"),
            (
                "2026-01-30T23:59:59.999",
                "/items/0/state trashed\n/items/0/remaining_days 1\n/counts/trashed 1",
            ),
            (
                "2026-01-31",
                "/items/0/state expired
                 /items/0/since 2026-01-31T00:00:00Z
                 /items/0/cause window_lapsed
                 /items/0/recoverable_until 2026-01-31T00:00:00Z
                 /items/0/remaining_days 0
                 /counts/trashed 0
                 /counts/expired 1
                 /categories/photos/gone 1
                 /revision 1",
            ),
            ("2026-01-31T00:00:01", "/items/0/since 2026-01-31T00:00:00Z"),
        ],
        ..STATE
    },
    ByHand {
        name: "a window of no days expires at once, before the next event of the instant",
        rules: r#"
            version = [{ id = "1", tiers = { std = { trash = "0d" } } }]
        "#,
        events: "
            2026-01-01       user item_uploaded item=i category=photos bytes=5
            2026-01-01       user item_uploaded item=j category=photos bytes=5
            2026-01-02T12:00 user item_trashed item=i
            2026-01-02T12:00 user item_trashed item=j
            2026-01-02T12:00 user item_restored item=j
        ",
        state: &[
            ("2026-01-02T11:59:59.999", "/items/*/state live live"),
            (
                "2026-01-02T12:00",
                "/items/*/state expired live
                 /items/0/since 2026-01-02T12:00:00Z
                 /items/0/recoverable_until 2026-01-02T12:00:00Z
                 /items/0/remaining_days 0
                 /findings/*/code restored-after-window
                 /findings/*/item j",
            ),
        ],
        ..STATE
    },
    ByHand {
        name: "never",
        rules: r#"
            version = [{ id = "1", tiers = { std = {} } }]
        "#,
        events: "
            2026-01-01 user item_uploaded item=i category=photos bytes=5
            2026-01-01 user item_trashed item=i
        ",
        state: &[(
            "9999-12-31",
            "/items/0/state trashed
             /items/0/recoverable_until null
             /items/0/remaining_days null",
        )],
        ..STATE
    },
    ByHand {
        name: "local dates: 30d is 00:00 of the local date + 31",
        rules: r#"
            time_zone = "Asia/Shanghai"
            version = [{ id = "1", tiers = { std = { trash = "30d" } }, trash = { days = "local_dates" } }]
        "#,
        // i at 23:59:59 of 1 January in Shanghai (+08:00), j one second later, on 2 January.
        events: "
            2026-01-01          user item_uploaded item=i category=photos bytes=5
            2026-01-01          user item_uploaded item=j category=photos bytes=5
            2026-01-01T15:59:59 user item_trashed item=i
            2026-01-01T16:00:00 user item_trashed item=j
        ",
        // 1 January + 31 = 1 February 00:00 +08:00 = 31 January 16:00 UTC; j a day later.
        state: &[
            (
                "2026-01-31T15:59:59",
                "/items/*/state trashed trashed
                 /items/*/recoverable_until 2026-01-31T16:00:00Z 2026-02-01T16:00:00Z
                 /items/*/remaining_days 1 2",
            ),
            ("2026-01-31T16:00", "/items/*/state expired trashed\n/items/*/remaining_days 0 1"),
            ("2026-02-01T15:59:59.999", "/items/*/state expired trashed"),
            ("2026-02-01T16:00", "/items/*/state expired expired"),
        ],
        ..STATE
    },
    ByHand {
        name: "local dates: 6mo is the day after the date + 6 months",
        rules: r#"
            version = [{ id = "1", tiers = { std = { trash = "6mo" } }, trash = { days = "local_dates" } }]
        "#,
        events: "
            2026-08-31T10:00 user item_uploaded item=i category=photos bytes=5
            2026-08-31T10:00 user item_trashed item=i
        ",
        // 31 August + 6 months = 28 February 2027 (no 31st); the day after is 1 March.
        state: &[
            (
                "2027-02-28T23:59:59.999",
                "/items/0/state trashed\n/items/0/recoverable_until 2027-03-01T00:00:00Z",
            ),
            ("2027-03-01", "/items/0/state expired"),
        ],
        ..STATE
    },
    ByHand {
        name: "local dates over a night of 23 hours",
        rules: r#"
            time_zone = "America/New_York"
            version = [{ id = "1", tiers = { std = { trash = "1d" } }, trash = { days = "local_dates" } }]
        "#,
        events: "
            2026-03-07T17:00 user item_uploaded item=i category=photos bytes=5
            2026-03-07T17:00 user item_trashed item=i
        ",
        // 12:00 on 7 March -05:00; 7 + 2 = 9 March 00:00, by then -04:00: 04:00 UTC.
        state: &[
            (
                "2026-03-09T03:59:59.999",
                "/items/0/state trashed\n/items/0/recoverable_until 2026-03-09T04:00:00Z",
            ),
            ("2026-03-09T04:00", "/items/0/state expired"),
        ],
        ..STATE
    },
    ByHand {
        name: "a day is 24 hours over the change of clocks",
        rules: r#"
            time_zone = "America/New_York"
            version = [{ id = "1", tiers = { std = { trash = "1d" } } }]
        "#,
        events: "
            2026-03-07T17:00 user item_uploaded item=i category=photos bytes=5
            2026-03-07T17:00 user item_trashed item=i
        ",
        state: &[
            ("2026-03-08T16:59:59.999", "/items/0/state trashed"),
            ("2026-03-08T17:00", "/items/0/state expired"),
        ],
        ..STATE
    },
    ByHand {
        name: "months end on local times that do not exist, or exist twice",
        rules: r#"
            time_zone = "America/New_York"
            version = [{ id = "1", tiers = { std = { trash = "1mo" } } }]
        "#,
        // i: 8 February 02:30 -05:00 → 8 March 02:30, in the gap, so by -05:00: 07:30 UTC.
        // j: 1 October 01:30 -04:00 → 1 November 01:30, twice; the first is -04:00: 05:30 UTC.
        events: "
            2026-02-01       user item_uploaded item=i category=photos bytes=5
            2026-02-01       user item_uploaded item=j category=photos bytes=5
            2026-02-08T07:30 user item_trashed item=i
            2026-10-01T05:30 user item_trashed item=j
        ",
        state: &[
            ("2026-03-08T07:29:59.999", "/items/0/state trashed"),
            ("2026-03-08T07:30", "/items/0/state expired"),
            ("2026-11-01T05:29:59.999", "/items/1/state trashed"),
            ("2026-11-01T05:30", "/items/1/state expired"),
        ],
        ..STATE
    },
    ByHand {
        name: "31 January + 1mo, 29 February + 1y",
        rules: r#"
            [[version]]
            id = "1"
            tiers = { std = { trash = "1mo" } }
            trash = { categories = { notes = "1y" } }
        "#,
        events: "
            2024-01-31T12:00 user item_uploaded item=i category=photos bytes=5
            2024-01-31T12:00 user item_uploaded item=j category=notes bytes=5
            2024-01-31T12:00 user item_trashed item=i
            2024-02-29T08:00 user item_trashed item=j
        ",
        // 2024 is a leap year: 31 January + 1mo = 29 February; + 1y = 28 February 2025.
        state: &[(
            "2024-02-29T08:00",
            "/items/*/recoverable_until 2024-02-29T12:00:00Z 2025-02-28T08:00:00Z",
        )],
        ..STATE
    },
    ByHand {
        name: "a category's window comes before the tier's; an item of no category has the tier's",
        rules: r#"
            [[version]]
            id = "1"
            tiers = { std = { trash = "30d" } }
            trash = { categories = { photos = "10d" }, basis = "longest_held" }
        "#,
        events: "
            2026-01-01 user item_uploaded item=i category=photos bytes=5
            2026-01-01 user item_uploaded item=j category=notes bytes=5
            2026-01-01 user item_trashed item=i
            2026-01-01 user item_trashed item=j
            2026-01-01 user item_trashed item=k
        ",
        state: &[(
            "2026-01-01",
            "/items/*/recoverable_until 2026-01-11T00:00:00Z 2026-01-31T00:00:00Z 2026-01-31T00:00:00Z
             /items/*/category photos notes null
             /findings/*/code unknown-item",
        )],
        ..STATE
    },
    ByHand {
        name: "tier_when_trashed: the tier held when the trashing is folded",
        rules: r#"
            version = [{ id = "1", tiers = { std = { trash = "30d" }, plus = { trash = "60d" } } }]
        "#,
        // One instant, in the order of revisions: i under std, j under plus.
        events: "
            2026-01-01 user     item_uploaded item=i category=photos bytes=5
            2026-01-01 user     item_uploaded item=j category=photos bytes=5
            2026-01-01 user     item_trashed item=i
            2026-01-01 provider tier_changed tier=plus
            2026-01-01 user     item_trashed item=j
            2026-01-05 provider tier_changed tier=std
        ",
        // 1 January + 60 d: 31 January is + 30, 28 February + 58, 2 March + 60.
        state: &[(
            "2026-01-05",
            "/tier std
             /items/*/recoverable_until 2026-01-31T00:00:00Z 2026-03-02T00:00:00Z",
        )],
        ..STATE
    },
    ByHand {
        name: "tier_now: a downgrade past the shorter window ends it at once, an upgrade revives nothing",
        rules: r#"
            [[version]]
            id = "1"
            tiers = { std = { trash = "30d" }, plus = { trash = "60d" } }
            trash = { basis = "tier_now" }
        "#,
        events: "
            2026-01-01 provider account_opened tier=plus
            2026-01-01 user     item_uploaded item=i category=photos bytes=5
            2026-01-01 user     item_trashed item=i
            2026-02-10 provider tier_changed tier=std
            2026-02-11 provider tier_changed tier=plus
        ",
        state: &[
            // From 23:59:59 on 9 February to 2 March: 20 d 1 s, the 21st day is begun.
            (
                "2026-02-09T23:59:59",
                "/items/0/state trashed
                 /items/0/recoverable_until 2026-03-02T00:00:00Z
                 /items/0/remaining_days 21",
            ),
            // By std it would have ended on 31 January; it does so when std is held.
            (
                "2026-02-10",
                "/items/0/state expired
                 /items/0/since 2026-02-10T00:00:00Z
                 /items/0/recoverable_until 2026-02-10T00:00:00Z",
            ),
            ("2026-02-12", "/items/0/state expired\n/items/0/since 2026-02-10T00:00:00Z"),
        ],
        ..STATE
    },
    ByHand {
        name: "tier_now: an upgrade at the deadline is too late, a millisecond before it is not",
        rules: r#"
            [[version]]
            id = "1"
            tiers = { std = { trash = "30d" }, plus = { trash = "60d" } }
            trash = { basis = "tier_now" }
        "#,
        events: "
            2026-01-01              user     item_uploaded item=i category=photos bytes=5
            2026-01-01              user     item_uploaded item=j category=photos bytes=5
            2026-01-01              user     item_trashed item=i
            2026-01-01T00:00:00.001 user     item_trashed item=j
            2026-01-31              provider tier_changed tier=plus
        ",
        state: &[
            ("2026-01-30T23:59:59.999", "/items/*/state trashed trashed"),
            (
                "2026-01-31",
                "/items/*/state expired trashed
                 /items/*/recoverable_until 2026-01-31T00:00:00Z 2026-03-02T00:00:00.001Z",
            ),
        ],
        ..STATE
    },
    ByHand {
        name: "tier_now: each tier event of one instant in turn",
        rules: r#"
            [[version]]
            id = "1"
            tiers = { std = { trash = "30d" }, plus = { trash = "60d" } }
            trash = { basis = "tier_now" }
        "#,
        // i's std window is over on 31 January, j's (from 20 January) on 19 February.
        events: "
            2026-01-01 provider account_opened tier=plus
            2026-01-01 user     item_uploaded item=i category=photos bytes=5
            2026-01-01 user     item_uploaded item=j category=photos bytes=5
            2026-01-01 user     item_trashed item=i
            2026-01-20 user     item_trashed item=j
            2026-02-10 provider tier_changed tier=std
            2026-02-10 provider tier_changed tier=plus
        ",
        // 20 January + 60 d: 31 January is + 11, 28 February + 39, 21 March + 60.
        state: &[(
            "2026-02-10",
            "/tier plus
             /items/*/state expired trashed
             /items/*/recoverable_until 2026-02-10T00:00:00Z 2026-03-21T00:00:00Z",
        )],
        ..STATE
    },
    ByHand {
        name: "longest_held: a tier counts if it began before the end reached so far",
        rules: r#"
            [[version]]
            id = "1"
            tiers = { std = { trash = "30d" }, plus = { trash = "60d" } }
            trash = { basis = "longest_held" }
        "#,
        // i: plus when trashed. j: std from 6 January, deadline 5 February, when plus is too late.
        // k: trashed a second later, so plus begins a second before its end.
        events: "
            2026-01-01          provider account_opened tier=plus
            2026-01-01          user     item_uploaded item=i category=photos bytes=5
            2026-01-01          user     item_uploaded item=j category=photos bytes=5
            2026-01-01          user     item_uploaded item=k category=photos bytes=5
            2026-01-01          user     item_trashed item=i
            2026-01-06          provider tier_changed tier=std
            2026-01-06          user     item_trashed item=j
            2026-01-06T00:00:01 user     item_trashed item=k
            2026-02-05          provider tier_changed tier=plus
            2026-02-06          provider tier_changed tier=std
        ",
        state: &[
            (
                "2026-02-04T23:59:59",
                "/items/*/state trashed trashed trashed
                 /items/*/recoverable_until 2026-03-02T00:00:00Z 2026-02-05T00:00:00Z 2026-02-05T00:00:01Z",
            ),
            // 6 January + 60 d: 31 January is + 25, 28 February + 53, 7 March + 60.
            (
                "2026-02-06",
                "/items/*/state trashed expired trashed
                 /items/*/recoverable_until 2026-03-02T00:00:00Z 2026-02-05T00:00:00Z 2026-03-07T00:00:01Z",
            ),
        ],
        ..STATE
    },
    ByHand {
        name: "longest_held: at one instant, what was replaced before the trashing does not count",
        rules: r#"
            [[version]]
            id = "1"
            tiers = { std = { trash = "30d" }, plus = { trash = "60d" } }
            trash = { basis = "longest_held" }
        "#,
        // i is trashed before plus is held for no time at all, j after it.
        events: "
            2026-01-01 user     item_uploaded item=i category=photos bytes=5
            2026-01-01 user     item_uploaded item=j category=photos bytes=5
            2026-01-01 user     item_trashed item=i
            2026-01-01 provider tier_changed tier=plus
            2026-01-01 provider tier_changed tier=std
            2026-01-01 user     item_trashed item=j
        ",
        state: &[(
            "2026-01-01",
            "/items/*/recoverable_until 2026-03-02T00:00:00Z 2026-01-31T00:00:00Z",
        )],
        ..STATE
    },
    ByHand {
        name: "a tier that the version does not name is shown as recorded, measured as the first",
        rules: r#"
            [[version]]
            id = "1"
            tiers = { std = { trash = "30d", quota = "4B" }, plus = { trash = "60d" } }
            inactivity = { window = "1d", exempt_tiers = ["std"] }
        "#,
        events: "
            2026-01-01 provider account_opened tier=ghost
            2026-01-01 user     item_uploaded item=i category=photos bytes=5
            2026-01-01 user     item_trashed item=i
        ",
        state: &[(
            "2026-01-10",
            "/tier ghost
             /items/0/recoverable_until 2026-01-31T00:00:00Z
             /quota/limit_bytes 4
             /quota/over true
             /activity/inactive_at 2026-01-02T00:00:00Z
             /status active",
        )],
        ..STATE
    },
    ByHand {
        name: "trashing again changes nothing, uploading and restoring start the window anew",
        rules: r#"
            version = [{ id = "1", tiers = { std = { trash = "30d" } } }]
        "#,
        events: "
            2026-01-01 user     item_uploaded item=i category=photos bytes=5
            2026-01-01 user     item_trashed item=i
            2026-01-02 provider item_trashed item=i
            2026-01-03 user     item_restored item=i
            2026-01-04 user     item_trashed item=i
            2026-01-05 user     item_uploaded item=i category=notes bytes=6
            2026-01-06 device   item_trashed item=i
        ",
        state: &[
            (
                "2026-01-02",
                "/items/0/since 2026-01-01T00:00:00Z
                 /items/0/cause user_trashed
                 /items/0/recoverable_until 2026-01-31T00:00:00Z
                 /findings/*/code",
            ),
            (
                "2026-01-03",
                "/items/0/state live
                 /items/0/since 2026-01-03T00:00:00Z
                 /items/0/cause null
                 /findings/*/code",
            ),
            ("2026-01-04", "/items/0/recoverable_until 2026-02-03T00:00:00Z"),
            (
                "2026-01-05",
                "/items/0/state live
                 /items/0/category notes
                 /items/0/bytes 6
                 /items/0/since 2026-01-05T00:00:00Z",
            ),
            (
                "2026-01-06",
                "/items/0/recoverable_until 2026-02-05T00:00:00Z
                 /items/0/cause user_trashed",
            ),
        ],
        ..STATE
    },
];
