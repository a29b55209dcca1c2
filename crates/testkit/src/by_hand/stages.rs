//! What a condition that has held for long admits, and what a full trash does to windows.

use super::{ByHand, STATE};

/// Three months over quota may be frozen, six may be purged and cleared.
const QUOTA: &str = r#"
    version = [{ id = "1", tiers = { std = { quota = "10B", trash = "30d" } }, stages = {
        frozen = { when = "over_quota", after = "3mo", admits = ["freeze"] },
        deletable = { when = "over_quota", after = "6mo", admits = ["purge", "clear"] } } }]
"#;
/// Within ten days over quota anything may be purged.
const TEN_DAYS: &str = r#"
    version = [{ id = "1", tiers = { std = { quota = "10B", trash = "2d" }, plus = { quota = "20B" } },
        stages = { s = { when = "over_quota", after = "10d", admits = ["purge"] } } }]
"#;
/// More than a tenth of 100 bytes makes the trash full: 3 days instead of 30, while it is.
const WHILE_FULL: &str = r#"
    version = [{ id = "1", tiers = { std = { quota = "100B", trash = "30d" } },
        trash = { full_at = "10%", full_window = "3d" } }]
"#;
const ONCE_FULL: &str = r#"
    version = [{ id = "1", tiers = { std = { quota = "100B", trash = "30d" } },
        trash = { full_at = "10%", full_window = "3d", full_shortens = "once_full" } }]
"#;
/// What is trashed may go when it is more than half of what is free.
const SHORT: &str = r#"
    version = [{ id = "1", tiers = { std = { quota = "100B", trash = "30d" } },
        trash = { full_at = "50%", full_of = "free" },
        stages = { space = { when = "trash_full", after = "0d", admits = ["purge_trashed"] } } }]
"#;
/// A year without activity in photos or notes, 30 days after a notice.
const PRODUCT: &str = r#"
    version = [{ id = "1", tiers = { std = {}, paid = {} },
        inactivity = { resets = ["synced", "item_uploaded"], everywhere = ["page_viewed"], exempt_tiers = ["paid"] },
        stages = { idle = { when = "category_inactive", after = "1y", admits = ["purge"],
            categories = ["photos", "notes"], notice = "30d" } } }]
"#;

pub const CASES: &[ByHand] = &[
    ByHand {
        name: "over quota: a second before three and six months, and at them",
        rules: QUOTA,
        events: "
            2026-01-10          user     item_uploaded item=i category=photos bytes=6
            2026-01-10          user     item_uploaded item=k category=photos bytes=0
            2026-01-15          user     item_uploaded item=j category=photos bytes=5
            2026-04-14T23:59:59 provider account_frozen
            2026-04-15          provider account_frozen
            2026-07-14T23:59:59 provider item_purged item=k cause=quota
            2026-07-15          provider item_purged item=i cause=quota
            2026-07-16          provider item_purged item=j cause=quota
            2026-07-17          user     item_uploaded item=l category=photos bytes=1
            2026-07-18          provider item_purged item=l cause=quota
        ",
        state: &[
            // 6 + 5 of 10 from 15 January on: + 3 months 15 April, + 6 months 15 July.
            (
                "2026-04-14T23:59:59.999",
                "/stages/*/stage deletable frozen
                 /stages/*/when over_quota over_quota
                 /stages/*/category null null
                 /stages/*/since 2026-01-15T00:00:00Z 2026-01-15T00:00:00Z
                 /stages/*/reached_at 2026-07-15T00:00:00Z 2026-04-15T00:00:00Z
                 /stages/*/reached false false
                 /findings/*/code frozen-while-active
                 /findings/*/at 2026-04-14T23:59:59Z",
            ),
            ("2026-04-15", "/stages/*/reached false true\n/findings/*/code frozen-while-active"),
            // k has no bytes, so its purge ends nothing. What the stage admits ends it as little:
            // after i 5 of 10 are used, and j may go too. The upload does: 1 of 10.
            (
                "2026-07-16",
                "/stages/*/reached true true
                 /items/*/item i j k
                 /items/*/cause quota_cleared quota_cleared provider_purged
                 /findings/*/code frozen-while-active loss-over-quota
                 /findings/*/at 2026-04-14T23:59:59Z 2026-07-14T23:59:59Z",
            ),
            ("2026-07-17", "/stages/*/since null null\n/stages/*/reached_at null null"),
            (
                "2026-07-18",
                "/items/*/cause quota_cleared quota_cleared provider_purged provider_purged
                 /findings/*/code frozen-while-active loss-over-quota loss-over-quota",
            ),
        ],
        claims: &[
            ("item=i kept 2026-07-15", "/verdict refuted\n/cause quota_cleared\n/lawful yes"),
            ("item=k kept 2026-07-15", "/cause provider_purged\n/lawful no"),
            ("item=i lost_after_sync_off 2026-07-15", "/verdict refuted"),
            ("item=i cleared_for_inactivity 2026-07-15", "/verdict refuted"),
        ],
        ..STATE
    },
    ByHand {
        name: "over quota: the act and the cause must be those of the stage",
        rules: QUOTA,
        events: "
            2026-01-01 user     item_uploaded item=i category=photos bytes=11
            2026-01-01 user     backup_completed backup=b bytes=1
            2026-01-01 user     item_uploaded item=j category=photos bytes=1
            2026-01-01 user     item_uploaded item=t category=photos bytes=1
            2026-06-20 user     item_trashed item=t
            2026-07-01 provider account_terminated
            2026-07-01 provider item_purged item=j cause=expired
            2026-07-01 provider item_purged item=t cause=quota
            2026-07-01 provider backup_purged backup=b cause=quota
            2026-07-01 provider data_cleared cause=terminated
        ",
        state: &[(
            "2026-07-01",
            "/items/*/item i j t
             /items/*/cause account_terminated provider_purged quota_cleared
             /backups/*/cause quota_cleared
             /findings/*/code upload-over-quota upload-over-quota upload-over-quota terminated-while-active purge-without-cause
             /stages/*/since null null",
        )],
        ..STATE
    },
    ByHand {
        name: "over quota: within the limit for a moment begins the time anew",
        rules: TEN_DAYS,
        events: "
            2026-01-01 user     item_uploaded item=i category=photos bytes=8
            2026-01-01 user     item_uploaded item=j category=photos bytes=4
            2026-01-05 user     item_trashed item=j
            2026-01-08 user     item_uploaded item=k category=photos bytes=4
            2026-01-09 user     item_modified item=k bytes=1
            2026-01-09 user     item_modified item=k bytes=4
            2026-01-10 user     page_viewed
            2026-01-12 provider tier_changed tier=plus
            2026-01-14 provider quota_changed bytes=11
        ",
        state: &[
            ("2026-01-06", "/stages/*/since 2026-01-01T00:00:00Z"),
            // j is trashed and counts until 7 January, when it expires: 8 of 10.
            ("2026-01-06T23:59:59.999", "/stages/*/reached_at 2026-01-11T00:00:00Z"),
            ("2026-01-07", "/stages/*/since null"),
            ("2026-01-08", "/stages/*/since 2026-01-08T00:00:00Z"),
            // 9, then 12 again, at one instant.
            ("2026-01-09", "/stages/*/since 2026-01-09T00:00:00Z"),
            ("2026-01-11", "/stages/*/since 2026-01-09T00:00:00Z\n/stages/*/reached_at 2026-01-19T00:00:00Z"),
            ("2026-01-12", "/stages/*/since null"),
            // 12 of 11.
            ("2026-01-14", "/stages/*/since 2026-01-14T00:00:00Z"),
        ],
        ..STATE
    },
    ByHand {
        name: "over quota: a version that gives less space",
        rules: r#"
            version = [
                { id = "1", tiers = { std = { quota = "10B" } } },
                { id = "2", effective_from = "2026-02-01T00:00:00Z", tiers = { std = { quota = "5B" } },
                  stages = { s = { when = "over_quota", after = "1d", admits = ["purge"] } } },
            ]
        "#,
        events: "
            2026-01-01          user     item_uploaded item=i category=photos bytes=6
            2026-01-01          user     item_uploaded item=j category=photos bytes=0
            2026-02-01T23:59:59 provider item_purged item=j cause=quota
            2026-02-02          provider item_purged item=i cause=quota
        ",
        state: &[
            ("2026-01-31T23:59:59.999", "/quota/over false"),
            ("2026-02-01", "/stages/*/since 2026-02-01T00:00:00Z\n/stages/*/reached false"),
            (
                "2026-02-02",
                "/items/*/cause quota_cleared provider_purged\n/findings/*/code loss-over-quota",
            ),
        ],
        ..STATE
    },
    ByHand {
        name: "a full trash: the event that passes the share shortens, one that falls lengthens",
        rules: WHILE_FULL,
        events: "
            2026-01-01 user item_uploaded item=a category=photos bytes=6
            2026-01-01 user item_uploaded item=b category=photos bytes=4
            2026-01-01 user item_uploaded item=c category=photos bytes=1
            2026-01-02 user item_trashed item=a
            2026-01-03 user item_trashed item=b
            2026-01-04 user item_trashed item=c
        ",
        state: &[
            // 10 of 100 is not more than a tenth: 30 days for both.
            (
                "2026-01-03",
                "/items/*/recoverable_until 2026-02-01T00:00:00Z 2026-02-02T00:00:00Z null",
            ),
            // 11 is: 2, 3 and 4 January + 3 days.
            (
                "2026-01-04",
                "/items/*/recoverable_until 2026-01-05T00:00:00Z 2026-01-06T00:00:00Z 2026-01-07T00:00:00Z",
            ),
            ("2026-01-04T23:59:59.999", "/items/*/state trashed trashed trashed"),
            // a is expired and no longer lies there: 5 of 100, so 30 days again for b and c.
            (
                "2026-01-05",
                "/items/*/state expired trashed trashed
                 /items/*/recoverable_until 2026-01-05T00:00:00Z 2026-02-02T00:00:00Z 2026-02-03T00:00:00Z",
            ),
            ("2026-02-02", "/items/*/state expired expired trashed"),
        ],
        ..STATE
    },
    ByHand {
        name: "a trash that was full once: what lay in it stays shortened",
        rules: ONCE_FULL,
        events: "
            2026-01-01 user item_uploaded item=a category=photos bytes=6
            2026-01-01 user item_uploaded item=b category=photos bytes=5
            2026-01-01 user item_uploaded item=c category=photos bytes=1
            2026-01-02 user item_trashed item=a
            2026-01-04 user item_trashed item=b
            2026-01-05 user item_trashed item=c
        ",
        // a until 5 January; then 5 and 1: not full. c came when it was full no more: a fell first.
        state: &[(
            "2026-01-05",
            "/items/*/state expired trashed trashed
             /items/*/recoverable_until 2026-01-05T00:00:00Z 2026-01-07T00:00:00Z 2026-02-04T00:00:00Z",
        )],
        ..STATE
    },
    ByHand {
        name: "a full trash: what is past the shorter window ends at once, by whatever filled it",
        rules: WHILE_FULL,
        events: "
            2026-01-01 user     item_uploaded item=a category=photos bytes=6
            2026-01-01 user     item_uploaded item=b category=photos bytes=5
            2026-01-01 user     item_uploaded item=c category=photos bytes=8
            2026-01-02 user     item_trashed item=a
            2026-01-08 user     item_trashed item=b
            2026-01-10 provider quota_changed bytes=40
            2026-01-10 user     item_trashed item=c
        ",
        state: &[
            // 2 January + 3 days is past on the 8th: a ends there, and b has its 30 days again.
            (
                "2026-01-08",
                "/items/*/since 2026-01-08T00:00:00Z 2026-01-08T00:00:00Z 2026-01-01T00:00:00Z
                 /items/*/recoverable_until 2026-01-08T00:00:00Z 2026-02-07T00:00:00Z null",
            ),
            // 5 of 40 is more than 4: 8 January + 3 days. c, 13 of 40: 10 January + 3 days.
            (
                "2026-01-10",
                "/items/*/recoverable_until 2026-01-08T00:00:00Z 2026-01-11T00:00:00Z 2026-01-13T00:00:00Z",
            ),
            // c alone, 8 of 40, is still more.
            ("2026-01-11", "/items/*/state expired expired trashed"),
            ("2026-01-13", "/items/*/state expired expired expired"),
        ],
        ..STATE
    },
    ByHand {
        name: "a full trash: no limit, never full; the longer of two windows never counts",
        rules: r#"
            version = [{ id = "1", tiers = { std = { quota = "unlimited", trash = "5d" }, small = { quota = "10B", trash = "5d" } },
                trash = { full_at = "0%", full_window = "9d" } }]
        "#,
        events: "
            2026-01-01 user     item_uploaded item=a category=photos bytes=6
            2026-01-02 user     item_trashed item=a
            2026-01-03 provider tier_changed tier=small
        ",
        state: &[
            ("2026-01-02", "/items/*/recoverable_until 2026-01-07T00:00:00Z"),
            ("2026-01-03", "/items/*/recoverable_until 2026-01-07T00:00:00Z"),
        ],
        ..STATE
    },
    ByHand {
        name: "a full trash, of what is free: a purge is admissible while it is full, and no longer",
        rules: SHORT,
        events: "
            2026-01-01          user     item_uploaded item=a category=photos bytes=20
            2026-01-01          user     item_uploaded item=b category=photos bytes=10
            2026-01-01          user     item_uploaded item=l category=photos bytes=40
            2026-01-02          user     item_trashed item=a
            2026-01-02          user     item_trashed item=b
            2026-01-03          provider item_purged item=l cause=quota
            2026-01-03          user     item_restored item=l
            2026-01-04          user     item_modified item=l bytes=41
            2026-01-04T12:00    provider item_purged item=a cause=expired
            2026-01-04T12:00    user     item_uploaded item=a category=photos bytes=20
            2026-01-04T12:00    user     item_trashed item=a
            2026-01-04T12:00:01 provider item_purged item=l cause=quota
            2026-01-04T12:00:01 user     item_restored item=l
            2026-01-04T12:00:02 provider item_purged item=a cause=quota
            2026-01-04T12:00:03 provider item_purged item=b cause=quota
        ",
        state: &[
            // 30 of 100 − 40 is half, not more.
            ("2026-01-02", "/stages/*/since null"),
            // 30 of 100 − 41 is more than half, at once.
            ("2026-01-04", "/stages/*/since 2026-01-04T00:00:00Z\n/stages/*/reached true"),
            // l is not in the trash; with 10 of 59 the trash is full no more, and b is early.
            (
                "2026-01-04T12:00:03",
                "/items/*/item a b l
                 /items/*/state purged purged live
                 /items/*/cause quota_cleared provider_purged null
                 /stages/*/since null
                 /findings/*/code loss-over-quota resurrected premature-purge loss-over-quota resurrected premature-purge
                 /findings/*/item l l a l l b",
            ),
        ],
        ..STATE
    },
    ByHand {
        name: "an inactive category: each by its own activity, what is everywhere for each",
        rules: PRODUCT,
        events: "
            2024-01-10          user     item_uploaded item=p category=photos bytes=1
            2024-01-20          user     item_uploaded item=n category=notes bytes=1
            2024-01-25          provider item_uploaded item=d category=drive bytes=1
            2024-02-01          user     page_viewed
            2024-03-01          device   synced category=notes
            2024-03-02          provider synced category=photos
            2024-12-01          provider inactivity_notified
            2025-01-31T23:59:59 provider item_purged item=p cause=inactivity
            2025-02-01          user     item_restored item=p
            2025-02-01          provider item_purged item=p cause=inactivity
            2025-02-01          provider item_purged item=n cause=inactivity
            2025-02-01          provider item_purged item=d cause=inactivity
        ",
        state: &[
            // The page counts everywhere, on 1 February; the sync of notes on 1 March. What the
            // provider does is no activity. Drive is not in the list.
            (
                "2025-01-31T23:59:59",
                "/stages/*/stage idle idle
                 /stages/*/category notes photos
                 /stages/*/since 2024-03-01T00:00:00Z 2024-02-01T00:00:00Z
                 /stages/*/reached_at 2025-03-01T00:00:00Z 2025-02-01T00:00:00Z
                 /stages/*/reached false false
                 /items/*/cause null null provider_purged",
            ),
            // Told on 1 December: + 30 days is long past. A restore is no activity here.
            (
                "2025-02-01",
                "/stages/*/reached false true
                 /items/*/item d n p
                 /items/*/cause provider_purged provider_purged inactivity_cleared
                 /findings/*/code purge-without-cause resurrected purge-without-cause purge-without-cause
                 /findings/*/item p p n d",
            ),
        ],
        claims: &[("item=p kept 2025-02-01", "/lawful yes\n/cause inactivity_cleared")],
        ..STATE
    },
    ByHand {
        name: "an inactive category: the notice, and a tier that is exempt",
        rules: PRODUCT,
        events: "
            2024-01-10          user     item_uploaded item=p category=photos bytes=1
            2024-01-10          user     item_uploaded item=q category=photos bytes=1
            2025-01-02          provider inactivity_notified
            2025-01-31T23:59:59 provider item_purged item=p cause=inactivity
            2025-02-01          provider item_purged item=q cause=inactivity
            2025-02-02          provider tier_changed tier=paid
            2025-02-02          user     item_restored item=q
            2025-02-02          provider item_purged item=q cause=inactivity
        ",
        state: &[
            // 10 January 2025 is past; 2 January + 30 days is 1 February: p is a second early.
            (
                "2025-02-01",
                "/items/*/cause inactivity_cleared inactivity_cleared
                 /findings/*/code cleared-without-notice
                 /findings/*/severity warning
                 /findings/*/item p",
            ),
            (
                "2025-02-02",
                "/stages/*/since null
                 /items/*/cause inactivity_cleared provider_purged
                 /findings/*/code cleared-without-notice resurrected purge-without-cause",
            ),
        ],
        claims: &[("item=p kept 2025-02-01", "/lawful yes")],
        ..STATE
    },
];
