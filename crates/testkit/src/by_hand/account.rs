//! Quota, sync, the two clocks and what is counted.

use super::{ByHand, STATE};

const TEN: &str = r#"
    version = [{ id = "1", tiers = { std = { quota = "10B", trash = "30d" }, plus = { quota = "20B" } } }]
"#;
const LATE: &str = r#"
    version = [{ id = "1", tiers = { std = {} }, clock = { late_after = "7d" } }]
"#;

pub const CASES: &[ByHand] = &[
    ByHand {
        name: "quota: used is live, trashed until the deadline, and backups kept; over is more",
        rules: TEN,
        events: "
            2026-01-01 user     item_uploaded item=i category=photos bytes=3
            2026-01-01 user     item_uploaded item=j category=photos bytes=4
            2026-01-01 user     backup_completed backup=b bytes=3
            2026-01-01 user     item_trashed item=i
            2026-01-02 user     item_modified item=j bytes=5
            2026-01-03 provider tier_changed tier=plus
            2026-01-04 provider quota_changed bytes=11
            2026-01-05 provider tier_changed tier=std
        ",
        state: &[
            // 3 + 4 + 3.
            ("2026-01-01", "/quota/used_bytes 10\n/quota/limit_bytes 10\n/quota/over false"),
            ("2026-01-02", "/quota/used_bytes 11\n/quota/limit_bytes 10\n/quota/over true"),
            ("2026-01-03", "/quota/limit_bytes 20\n/quota/over false"),
            // The last quota_changed goes before any tier.
            ("2026-01-05", "/quota/limit_bytes 11\n/quota/over false"),
            ("2026-01-30T23:59:59.999", "/quota/used_bytes 11"),
            // 31 January: i expired.
            ("2026-01-31", "/quota/used_bytes 8\n/categories/photos/bytes 5"),
        ],
        ..STATE
    },
    ByHand {
        name: "quota: the trash not counted, no limit, exact sums",
        rules: r#"
            version = [{ id = "1", tiers = { std = { quota = "unlimited" } }, trash = { counts_toward_quota = false } }]
        "#,
        // 3 × (2^53 − 1) = 27 021 597 764 222 973.
        events: "
            2026-01-01 user item_uploaded item=i category=photos bytes=9007199254740991
            2026-01-01 user item_uploaded item=j category=photos bytes=9007199254740991
            2026-01-01 user backup_completed backup=b bytes=9007199254740991
            2026-01-02 user item_trashed item=i
        ",
        state: &[
            (
                "2026-01-01",
                "/quota/used_bytes 27021597764222973
                 /quota/limit_bytes null
                 /quota/over false
                 /categories/photos/bytes 18014398509481982",
            ),
            ("2026-01-02", "/quota/used_bytes 18014398509481982"),
        ],
        ..STATE
    },
    ByHand {
        name: "upload-over-quota: by what is used just before, the replaced counted in",
        rules: TEN,
        // 10 of 10: not over, j goes. 11 of 10: over, also for a smaller j and for a backup.
        events: "
            2026-01-01 user   item_uploaded item=i category=photos bytes=10
            2026-01-02 device item_uploaded item=j category=photos bytes=1
            2026-01-03 user   item_uploaded item=i category=photos bytes=0
            2026-01-04 user   item_uploaded item=k category=photos bytes=10
            2026-01-05 user   backup_completed backup=b bytes=1
            2026-01-06 user   upload_rejected reason=full
        ",
        // After the 3rd: 1; after the 4th: 11.
        state: &[(
            "2026-01-06",
            "/findings/*/code upload-over-quota upload-over-quota
             /findings/*/severity warning warning
             /findings/*/item i -
             /findings/*/backup - b
             /quota/used_bytes 12",
        )],
        ..STATE
    },
    ByHand {
        name: "upload-over-quota: an expiry on the way makes room, at its very instant",
        rules: TEN,
        // i (11 bytes) expires on 31 January 00:00.
        events: "
            2026-01-01              user item_uploaded item=i category=photos bytes=11
            2026-01-01              user item_trashed item=i
            2026-01-30T23:59:59.999 user item_uploaded item=j category=photos bytes=0
            2026-01-31              user item_uploaded item=k category=photos bytes=0
        ",
        state: &[("2026-01-31", "/findings/*/code upload-over-quota\n/findings/*/item j")],
        ..STATE
    },
    ByHand {
        name: "upload-over-quota: by the version in force at the upload",
        rules: r#"
            [[version]]
            id = "1"
            tiers = { std = { quota = "10B" } }
            [[version]]
            id = "2"
            effective_from = "2026-01-06T00:00:00Z"
            tiers = { std = { quota = "10B" } }
            trash = { counts_toward_quota = false }
        "#,
        // The trash's 11 bytes count until 6 January.
        events: "
            2026-01-01              user item_uploaded item=i category=photos bytes=11
            2026-01-01              user item_trashed item=i
            2026-01-05T23:59:59.999 user item_uploaded item=j category=photos bytes=0
            2026-01-06              user item_uploaded item=k category=photos bytes=0
        ",
        state: &[
            ("2026-01-05T23:59:59.999", "/quota/used_bytes 11\n/quota/over true"),
            (
                "2026-01-06",
                "/quota/used_bytes 0\n/findings/*/code upload-over-quota\n/findings/*/item j",
            ),
        ],
        ..STATE
    },
    ByHand {
        name: "upload-over-quota: not where it is allowed",
        rules: r#"
            version = [{ id = "1", tiers = { std = { quota = "0B" } }, quota = { over = "allow" } }]
        "#,
        events: "
            2026-01-01 user item_uploaded item=i category=photos bytes=1
            2026-01-02 user item_uploaded item=j category=photos bytes=1
        ",
        state: &[("2026-01-02", "/findings/*/code\n/quota/over true")],
        ..STATE
    },
    ByHand {
        name: "upload-while-sync-off: by a device, in that category, at that time",
        rules: TEN,
        events: "
            2026-01-01 user   item_uploaded item=a category=photos bytes=0 surface=device
            2026-01-02 user   sync_off category=photos
            2026-01-02 device item_uploaded item=b category=photos bytes=0
            2026-01-02 user   item_uploaded item=c category=photos bytes=0 surface=app
            2026-01-02 user   item_uploaded item=d category=notes bytes=0 surface=device
            2026-01-02 user   synced category=photos
            2026-01-02 user   item_uploaded item=e category=photos bytes=0 surface=device
            2026-01-03 user   sync_on category=photos
            2026-01-03 user   item_uploaded item=f category=photos bytes=0 surface=device
        ",
        state: &[
            (
                "2026-01-02",
                "/categories/photos/sync false
                 /categories/notes/sync null",
            ),
            (
                "2026-01-03",
                "/findings/*/code upload-while-sync-off
                 /findings/*/item e
                 /categories/photos/sync true",
            ),
        ],
        ..STATE
    },
    ByHand {
        name: "categories: those of items in their present life and of sync events",
        rules: r#"
            version = [{ id = "1", tiers = { std = { trash = "1d" } } }]
        "#,
        events: "
            2026-01-01 user item_uploaded item=a category=photos bytes=1
            2026-01-01 user item_uploaded item=b category=photos bytes=2
            2026-01-01 user item_uploaded item=c category=photos bytes=4
            2026-01-01 user item_uploaded item=d category=old bytes=8
            2026-01-01 user item_uploaded item=d category=notes bytes=16
            2026-01-01 user synced category=calls
            2026-01-01 user sync_on category=contacts
            2026-01-01 user item_purged item=a
            2026-01-01 user item_trashed item=b
        ",
        state: &[
            (
                "2026-01-01",
                r#"/categories {"calls":{"sync":null,"live":0,"trashed":0,"gone":0,"bytes":0},"contacts":{"sync":true,"live":0,"trashed":0,"gone":0,"bytes":0},"notes":{"sync":null,"live":1,"trashed":0,"gone":0,"bytes":16},"photos":{"sync":null,"live":1,"trashed":1,"gone":1,"bytes":4}}
                /counts {"live":2,"trashed":1,"expired":0,"purged":1,"removed":0}"#,
            ),
            ("2026-01-02", "/categories/photos/gone 2\n/categories/photos/trashed 0"),
        ],
        ..STATE
    },
    ByHand {
        name: "late-recorded: more than late_after, one an account, the first in the order of folding",
        rules: LATE,
        // 1 January + 7 d = 8 January: that instant is not late, a millisecond more is. The event
        // of 31 December folds before it, that of 2 January was not recorded by the source.
        events: "
            2026-01-01 user signed_in recorded=2026-01-08
            2026-01-01 user signed_in recorded=2026-01-08T00:00:00.001
            2025-12-31 user signed_in recorded=2026-02-01
            2026-01-02 user signed_in
        ",
        state: &[
            ("2025-12-31", "/findings/*/code late-recorded\n/findings/*/count 1"),
            (
                "2026-01-02",
                "/findings/*/code late-recorded
                 /findings/*/severity note
                 /findings/*/at 2025-12-31T00:00:00Z
                 /findings/*/revision 2
                 /findings/*/count 2",
            ),
        ],
        ..STATE
    },
    ByHand {
        name: "known-at: what was recorded by then, that instant included",
        rules: LATE,
        known_at: Some("2026-01-03"),
        events: "
            2026-01-01 user item_uploaded item=i category=photos bytes=1 recorded=2026-01-03
            2026-01-01 user item_uploaded item=j category=photos bytes=1 recorded=2026-01-03T00:00:00.001
            2026-01-02 user item_purged item=i recorded=2026-01-09T00:00:00.001
        ",
        state: &[("2026-02-01", "/items/*/item i\n/items/*/state live\n/revision 0\n/findings/*/code")],
        ..STATE
    },
    ByHand {
        name: "known-at: nothing known is no account",
        rules: LATE,
        known_at: Some("2026-01-02T23:59:59.999"),
        events: "2026-01-01 user signed_in recorded=2026-01-03",
        state: &[("2026-02-01", ". null")],
        ..STATE
    },
    ByHand {
        name: "lists by id in byte order",
        rules: LATE,
        events: "
            2026-01-01 user item_uploaded item=é category=photos bytes=0
            2026-01-01 user item_uploaded item=b category=photos bytes=0
            2026-01-01 user item_uploaded item=B category=photos bytes=0
            2026-01-01 user item_uploaded item=10 category=photos bytes=0
            2026-01-01 user item_uploaded item=9 category=photos bytes=0
        ",
        state: &[("2026-01-01", "/items/*/item 10 9 B b é")],
        ..STATE
    },
    ByHand {
        name: "findings come by at, position, code",
        rules: r#"
            version = [{ id = "1", tiers = { std = { trash = "1d" } }, trash = { purge_lag = "1d" } }]
        "#,
        // At 3 January: the overdue purge of i cites position 1, the event of that instant is 2.
        events: "
            2026-01-01 user     item_uploaded item=i category=photos bytes=0
            2026-01-01 user     item_trashed item=i
            2026-01-03 provider item_purged item=j
            2026-01-02 provider item_trashed item=k
        ",
        state: &[(
            "2026-01-03",
            "/findings/*/code trashed-by-provider unknown-item overdue-purge purge-without-cause unknown-item
             /findings/*/position 3 3 1 2 2",
        )],
        ..STATE
    },
];
