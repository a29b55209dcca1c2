//! Who ended it, was it in time, and was it held: purges, restores, holds, backups.

use super::{ByHand, STATE};

const THIRTY_DAYS: &str = r#"
    version = [{ id = "1", tiers = { std = { trash = "30d" } } }]
"#;
/// Trash for 30 days, then a week to purge.
const LAG: &str = r#"
    version = [{ id = "1", tiers = { std = { trash = "30d" } }, trash = { purge_lag = "7d" } }]
"#;

pub const CASES: &[ByHand] = &[
    ByHand {
        name: "premature-purge: a second before the deadline, and at it",
        rules: THIRTY_DAYS,
        events: "
            2026-01-01          user     item_uploaded item=i category=photos bytes=5
            2026-01-01          user     item_uploaded item=j category=photos bytes=5
            2026-01-01          user     item_trashed item=i
            2026-01-01          user     item_trashed item=j
            2026-01-30T23:59:59 provider item_purged item=i cause=expired
            2026-01-31          provider item_purged item=j cause=quota
        ",
        // 1 January + 30 d = 31 January 00:00.
        state: &[(
            "2026-01-31",
            "/items/*/state purged purged
             /items/*/cause provider_purged window_lapsed
             /items/*/since 2026-01-30T23:59:59Z 2026-01-31T00:00:00Z
             /items/*/recoverable_until null null
             /items/*/remaining_days null null
             /findings/*/code premature-purge
             /findings/*/severity breach
             /findings/*/item i
             /findings/*/at 2026-01-30T23:59:59Z
             /findings/*/position 4
             /findings/*/revision 4
             /findings/*/account a
             /findings/*/clause null",
        )],
        ..STATE
    },
    ByHand {
        name: "the provider purges what is live: by the cause it gives",
        rules: THIRTY_DAYS,
        events: "
            2026-01-01 user     item_uploaded item=a category=photos bytes=5
            2026-01-01 user     item_uploaded item=b category=photos bytes=5
            2026-01-01 user     item_uploaded item=c category=photos bytes=5
            2026-01-01 user     item_uploaded item=d category=photos bytes=5
            2026-01-01 user     item_uploaded item=e category=photos bytes=5
            2026-01-02 provider item_purged item=a cause=sync_off
            2026-01-02 provider item_purged item=b cause=quota
            2026-01-02 provider item_purged item=c cause=tier_lapsed
            2026-01-02 support  item_purged item=d cause=expired
            2026-01-02 support  item_purged item=e
        ",
        state: &[(
            "2026-01-02",
            "/findings/*/code loss-after-sync-off loss-over-quota loss-on-tier-lapse purge-without-cause purge-without-cause
             /findings/*/item a b c d e
             /items/*/cause provider_purged provider_purged provider_purged provider_purged provider_purged
             /counts/purged 5",
        )],
        ..STATE
    },
    ByHand {
        name: "support counts as the provider, a device as the user",
        rules: THIRTY_DAYS,
        events: "
            2026-01-01 user    item_uploaded item=i category=photos bytes=5
            2026-01-01 user    item_uploaded item=j category=photos bytes=5
            2026-01-02 support item_trashed item=i
            2026-01-02 device  item_trashed item=j
        ",
        state: &[(
            "2026-01-02",
            "/items/*/cause provider_trashed user_trashed
             /findings/*/code trashed-by-provider",
        )],
        ..STATE
    },
    ByHand {
        name: "a purge for inactivity: a second before inactive_at, and at it",
        rules: r#"
            version = [{ id = "1", tiers = { std = {} }, inactivity = { window = "30d" } }]
        "#,
        // The first event stands in for an activity: 1 January + 30 d = 31 January.
        events: "
            2026-01-01          user     item_uploaded item=i category=photos bytes=5
            2026-01-01          user     item_uploaded item=j category=photos bytes=5
            2026-01-01          user     item_uploaded item=k category=photos bytes=5
            2026-01-01          user     item_uploaded item=l category=photos bytes=5
            2026-01-01          user     item_trashed item=k
            2026-01-30T23:59:59 provider item_purged item=i cause=inactivity
            2026-01-31          provider item_purged item=j cause=inactivity
            2026-01-31          provider item_purged item=k cause=inactivity
            2026-01-31          provider item_purged item=l cause=quota
        ",
        state: &[(
            "2026-01-31",
            "/items/*/cause provider_purged inactivity_cleared inactivity_cleared provider_purged
             /findings/*/code purge-without-cause loss-over-quota
             /findings/*/item i l",
        )],
        ..STATE
    },
    ByHand {
        name: "no purge for inactivity while the tier is exempt",
        rules: r#"
            version = [{ id = "1", tiers = { std = {}, pro = {} }, inactivity = { window = "30d", exempt_tiers = ["pro"] } }]
        "#,
        events: "
            2026-01-01 provider account_opened tier=pro
            2026-01-01 user     item_uploaded item=i category=photos bytes=5
            2026-01-01 user     item_uploaded item=j category=photos bytes=5
            2026-03-01 provider item_purged item=i cause=inactivity
            2026-03-01 provider tier_changed tier=std
            2026-03-01 provider item_purged item=j cause=inactivity
        ",
        state: &[(
            "2026-03-01",
            "/items/*/cause provider_purged inactivity_cleared
             /findings/*/code purge-without-cause",
        )],
        ..STATE
    },
    ByHand {
        name: "the user purges: live, trashed, expired; and empties the trash",
        rules: THIRTY_DAYS,
        events: "
            2026-01-01 user   item_uploaded item=a category=photos bytes=5
            2026-01-01 user   item_uploaded item=b category=photos bytes=5
            2026-01-01 user   item_uploaded item=c category=photos bytes=5
            2026-01-01 user   item_uploaded item=d category=photos bytes=5
            2026-01-01 user   item_uploaded item=e category=photos bytes=5
            2026-01-01 user   item_uploaded item=f category=photos bytes=5
            2026-01-01 user   item_trashed item=b
            2026-01-01 user   item_trashed item=c
            2026-01-01 user   item_trashed item=d
            2026-01-02 device item_purged item=a
            2026-01-02 user   item_purged item=b
            2026-01-31 user   item_purged item=c
            2026-01-31 user   item_trashed item=e
            2026-01-31 user   trash_emptied
        ",
        state: &[(
            "2026-01-31",
            "/items/*/state purged purged purged purged purged live
             /items/*/cause user_purged user_purged user_purged user_emptied_trash user_emptied_trash null
             /findings/*/code purged-without-trash
             /findings/*/item a
             /findings/*/severity note",
        )],
        ..STATE
    },
    ByHand {
        name: "the provider empties the trash: each judged as a purge",
        rules: THIRTY_DAYS,
        events: "
            2026-01-01          user     item_uploaded item=i category=photos bytes=5
            2026-01-01          user     item_uploaded item=j category=photos bytes=5
            2026-01-01          user     item_trashed item=i
            2026-01-01T00:00:01 user     item_trashed item=j
            2026-01-31          provider trash_emptied
        ",
        state: &[(
            "2026-01-31",
            "/items/*/cause window_lapsed provider_purged
             /findings/*/code premature-purge
             /findings/*/item j",
        )],
        ..STATE
    },
    ByHand {
        name: "no_trash: trashing is purging, without the note",
        rules: r#"
            version = [{ id = "1", tiers = { std = { trash = "30d" } }, trash = { no_trash = ["notes"] } }]
        "#,
        events: "
            2026-01-01 user     item_uploaded item=a category=notes bytes=5
            2026-01-01 user     item_uploaded item=b category=notes bytes=5
            2026-01-01 user     item_uploaded item=c category=notes bytes=5
            2026-01-02 user     item_trashed item=a
            2026-01-02 provider item_trashed item=b
            2026-01-02 user     item_purged item=c
            2026-01-02 user     item_trashed item=d
            2026-01-03 provider item_trashed item=a
        ",
        state: &[(
            "2026-01-03",
            "/items/*/state purged purged purged trashed
             /items/*/cause user_purged provider_purged user_purged user_trashed
             /items/0/since 2026-01-02T00:00:00Z
             /findings/*/code purge-without-cause purged-without-trash unknown-item
             /findings/*/item b c d",
        )],
        ..STATE
    },
    ByHand {
        name: "purging what is purged or removed changes nothing",
        rules: THIRTY_DAYS,
        events: "
            2026-01-01 user     item_uploaded item=i category=photos bytes=5
            2026-01-01 user     item_uploaded item=j category=photos bytes=5
            2026-01-02 user     item_trashed item=i
            2026-01-02 user     item_purged item=i
            2026-01-02 user     data_cleared cause=closed
            2026-01-03 provider item_purged item=i cause=quota
            2026-01-03 provider item_purged item=j cause=quota
        ",
        state: &[(
            "2026-01-03",
            "/items/*/state purged removed
             /items/*/cause user_purged account_closed
             /items/*/since 2026-01-02T00:00:00Z 2026-01-02T00:00:00Z
             /findings/*/code",
        )],
        ..STATE
    },
    ByHand {
        name: "restored: a second before the deadline, at it, after a purge, after a clearing",
        rules: THIRTY_DAYS,
        events: "
            2026-01-01          user     item_uploaded item=a category=photos bytes=5
            2026-01-01          user     item_uploaded item=b category=photos bytes=5
            2026-01-01          user     item_uploaded item=c category=photos bytes=5
            2026-01-01          user     item_uploaded item=d category=photos bytes=5
            2026-01-01          user     item_trashed item=a
            2026-01-01          user     item_trashed item=b
            2026-01-01          user     item_trashed item=c
            2026-01-30T23:59:59 user     item_restored item=a
            2026-01-31          user     item_restored item=b
            2026-01-31          user     item_purged item=c
            2026-02-01          user     item_restored item=c
            2026-02-02          user     data_cleared cause=closed
            2026-02-03          support  item_restored item=d
            2026-02-03          user     item_restored item=d
            2026-02-03          user     item_uploaded item=a category=notes bytes=1
        ",
        state: &[(
            "2026-02-03",
            "/items/*/state live removed removed live
             /items/*/cause null account_closed account_closed null
             /findings/*/code restored-after-window resurrected resurrected
             /findings/*/severity warning breach breach
             /findings/*/item b c d",
        )],
        ..STATE
    },
    ByHand {
        name: "unknown-item: the six kinds make what they name",
        rules: THIRTY_DAYS,
        events: "
            2026-01-01 user     item_modified item=a bytes=7
            2026-01-01 user     item_trashed item=b
            2026-01-01 user     item_restored item=c
            2026-01-01 provider item_purged item=d
            2026-01-01 user     backup_restored backup=a
            2026-01-01 user     backup_purged backup=b
            2026-01-01 user     upload_rejected reason=full item=e
            2026-01-01 user     item_trashed item=e
            2026-01-02 user     item_modified item=b bytes=3
            2026-01-02 user     item_modified item=a
        ",
        // Rows: modified, trashed, restored, purged (and a breach), backups, e; the eighth event
        // is the first that makes e.
        state: &[(
            "2026-01-02",
            "/items/*/item a b c d e
             /items/*/state live trashed live purged trashed
             /items/*/bytes 7 3 0 0 0
             /items/*/category null null null null null
             /items/*/since 2026-01-01T00:00:00Z 2026-01-01T00:00:00Z 2026-01-01T00:00:00Z 2026-01-01T00:00:00Z 2026-01-01T00:00:00Z
             /backups/*/state kept removed
             /backups/*/cause null user_deleted_backups
             /findings/*/code unknown-item unknown-item unknown-item purge-without-cause unknown-item unknown-item unknown-item unknown-item
             /findings/*/item a b c d d - - e
             /findings/*/backup - - - - - a b -
             /categories {}",
        )],
        ..STATE
    },
    ByHand {
        name: "overdue-purge: from deadline + lag on, that instant included",
        rules: LAG,
        // Deadlines 31 January; + 7 d = 7 February.
        events: "
            2026-01-01              user     item_uploaded item=i category=photos bytes=5
            2026-01-01              user     item_uploaded item=j category=photos bytes=5
            2026-01-01              user     item_uploaded item=k category=photos bytes=5
            2026-01-01              user     item_trashed item=i
            2026-01-01              user     item_trashed item=j
            2026-01-01              user     item_trashed item=k
            2026-02-07              provider item_purged item=i
            2026-02-07T00:00:00.001 provider item_purged item=j
        ",
        state: &[
            ("2026-02-06T23:59:59.999", "/findings/*/code"),
            (
                "2026-02-07",
                "/findings/*/code overdue-purge overdue-purge
                 /findings/*/severity warning warning
                 /findings/*/item j k
                 /findings/*/at 2026-02-07T00:00:00Z 2026-02-07T00:00:00Z
                 /findings/*/position 4 5",
            ),
            // Not withdrawn by the purge.
            ("2026-02-08", "/findings/*/item j k\n/items/*/state purged purged expired"),
        ],
        ..STATE
    },
    ByHand {
        name: "overdue-purge: restored, uploaded anew or removed by then",
        rules: LAG,
        events: "
            2026-01-01 user item_uploaded item=i category=photos bytes=5
            2026-01-01 user item_uploaded item=j category=photos bytes=5
            2026-01-01 user item_trashed item=i
            2026-01-01 user item_trashed item=j
            2026-02-07 user item_restored item=i
            2026-02-07 user item_uploaded item=j category=photos bytes=5
        ",
        state: &[("2026-03-01", "/findings/*/code restored-after-window")],
        ..STATE
    },
    ByHand {
        name: "overdue-purge: removed by then; a second time in the trash is another",
        rules: LAG,
        // i is trashed anew on 1 March: deadline 31 March, + 7 d = 7 April.
        events: "
            2026-01-01 user item_uploaded item=i category=photos bytes=5
            2026-01-01 user item_trashed item=i
            2026-02-07 user data_cleared cause=closed
            2026-03-01 user item_uploaded item=i category=photos bytes=5
            2026-03-01 user item_trashed item=i
        ",
        state: &[
            ("2026-04-06T23:59:59.999", "/findings/*/code"),
            ("2026-04-07", "/findings/*/code overdue-purge\n/findings/*/position 4"),
        ],
        ..STATE
    },
    ByHand {
        name: "overdue-purge: a hold that stood just before, released at the instant",
        rules: LAG,
        events: "
            2026-01-01 user    item_uploaded item=i category=photos bytes=5
            2026-01-01 user    item_trashed item=i
            2026-02-06 support hold_placed hold=h
            2026-02-07 support hold_released hold=h
        ",
        state: &[("2026-03-01", "/findings/*/code\n/items/0/state expired")],
        ..STATE
    },
    ByHand {
        name: "overdue-purge: a hold placed at the instant is too late, one released before it is gone",
        rules: LAG,
        events: "
            2026-01-01              user    item_uploaded item=i category=photos bytes=5
            2026-01-01              user    item_trashed item=i
            2026-02-01              support hold_placed hold=h
            2026-02-06T23:59:59.999 support hold_released hold=h
            2026-02-07              support hold_placed hold=h
        ",
        state: &[("2026-03-01", "/findings/*/code overdue-purge")],
        ..STATE
    },
    ByHand {
        name: "overdue-purge: by the lag of the version in force at the deadline",
        rules: r#"
            [[version]]
            id = "1"
            tiers = { std = { trash = "30d" } }
            trash = { purge_lag = "7d" }
            [[version]]
            id = "2"
            effective_from = "2026-01-31T00:00:00Z"
            tiers = { std = { trash = "30d" } }
            trash = { purge_lag = "1d" }
            clauses = [{ id = "c", for = ["overdue-purge"], text = { en = "c" } }]
        "#,
        // i: deadline 31 January 00:00, version 2 in force: 1 February.
        // j: deadline one second earlier, version 1: 6 February 23:59:59.
        events: "
            2025-12-31          user item_uploaded item=i category=photos bytes=5
            2025-12-31          user item_uploaded item=j category=photos bytes=5
            2025-12-31T23:59:59 user item_trashed item=j
            2026-01-01          user item_trashed item=i
        ",
        state: &[
            ("2026-01-31T23:59:59.999", "/findings/*/code"),
            ("2026-02-01", "/findings/*/item i\n/findings/*/clause c"),
            (
                "2026-02-06T23:59:59",
                "/findings/*/item i j
                 /findings/*/at 2026-02-01T00:00:00Z 2026-02-06T23:59:59Z",
            ),
        ],
        ..STATE
    },
    ByHand {
        name: "overdue-purge: no lag is overdue at the deadline unless purged at that very instant",
        rules: r#"
            version = [{ id = "1", tiers = { std = { trash = "30d" } }, trash = { purge_lag = "0d" } }]
        "#,
        events: "
            2026-01-01 user     item_uploaded item=i category=photos bytes=5
            2026-01-01 user     item_uploaded item=j category=photos bytes=5
            2026-01-01 user     item_trashed item=i
            2026-01-01 user     item_trashed item=j
            2026-01-31 provider item_purged item=i
        ",
        state: &[
            ("2026-01-30T23:59:59.999", "/findings/*/code"),
            ("2026-01-31", "/findings/*/code overdue-purge\n/findings/*/item j"),
        ],
        ..STATE
    },
    ByHand {
        name: "purged-under-hold: one each, by anyone, also what is expired",
        rules: THIRTY_DAYS,
        events: "
            2026-01-01 user     item_uploaded item=i category=photos bytes=5
            2026-01-01 user     item_uploaded item=j category=photos bytes=5
            2026-01-01 user     item_uploaded item=k category=photos bytes=5
            2026-01-01 user     backup_completed backup=b bytes=5
            2026-01-01 user     item_trashed item=j
            2026-01-01 user     item_purged item=k
            2026-01-01 support  hold_placed hold=h
            2026-02-01 user     data_cleared cause=closed
        ",
        // In one event: those about no item come before those about one, then by id.
        state: &[(
            "2026-02-01",
            "/findings/*/code purged-without-trash purged-under-hold purged-under-hold purged-under-hold
             /findings/*/severity note breach breach breach
             /findings/*/item k - i j
             /findings/*/backup - b - -
             /items/*/state removed removed purged
             /backups/*/state removed",
        )],
        ..STATE
    },
    ByHand {
        name: "a hold stands while one placed is not released: a set of ids",
        rules: THIRTY_DAYS,
        // h twice and released once: gone. g still stands. x was never placed.
        events: "
            2026-01-01 user     item_uploaded item=a category=photos bytes=5
            2026-01-01 user     item_uploaded item=b category=photos bytes=5
            2026-01-01 user     item_uploaded item=c category=photos bytes=5
            2026-01-01 user     item_trashed item=a
            2026-01-01 user     item_trashed item=b
            2026-01-01 user     item_trashed item=c
            2026-01-01 support  hold_released hold=x
            2026-01-02 user     item_purged item=a
            2026-01-03 support  hold_placed hold=h
            2026-01-03 support  hold_placed hold=g
            2026-01-04 support  hold_placed hold=h
            2026-01-05 support  hold_released hold=h
            2026-01-06 user     item_purged item=b
            2026-01-07 support  hold_released hold=g
            2026-01-07 user     item_purged item=c
        ",
        state: &[("2026-01-07", "/findings/*/code purged-under-hold\n/findings/*/item b")],
        ..STATE
    },
    ByHand {
        name: "backups: purged a second before they are stale, and then",
        rules: r#"
            version = [{ id = "1", tiers = { std = {} }, backup = { stale_after = "30d" } }]
        "#,
        // b and c completed on 1 January: stale on 31 January. d was never completed. e was
        // completed anew on 2 January.
        events: "
            2026-01-01          user     backup_completed backup=b bytes=5
            2026-01-01          user     backup_completed backup=c bytes=5
            2026-01-01          user     backup_restored backup=d
            2026-01-01          user     backup_completed backup=e bytes=5
            2026-01-02          user     backup_completed backup=e bytes=6
            2026-01-30T23:59:59 provider backup_purged backup=b cause=expired
            2026-01-31          provider backup_purged backup=c
            2026-01-31          provider backup_purged backup=d
            2026-01-31          provider backup_purged backup=e
        ",
        state: &[(
            "2026-01-31",
            "/backups/*/state removed removed removed removed
             /backups/*/cause provider_purged window_lapsed provider_purged provider_purged
             /backups/*/bytes 5 5 0 6
             /findings/*/code unknown-item purge-without-cause purge-without-cause purge-without-cause
             /findings/*/backup d b d e",
        )],
        ..STATE
    },
    ByHand {
        name: "backup_off: only with delete_backups, each judged; restored; completed anew",
        rules: THIRTY_DAYS,
        events: "
            2026-01-01 user     backup_completed backup=b bytes=5
            2026-01-01 user     backup_completed backup=c bytes=5
            2026-01-02 user     backup_off delete_backups=false
            2026-01-03 user     backup_off delete_backups=true
            2026-01-04 user     backup_restored backup=b
            2026-01-05 user     backup_restored backup=b
            2026-01-06 user     backup_completed backup=c bytes=7
            2026-01-07 provider backup_off delete_backups=true
        ",
        state: &[
            ("2026-01-02", "/backups/*/state kept kept"),
            (
                "2026-01-03",
                "/backups/*/cause user_deleted_backups user_deleted_backups\n/findings/*/code",
            ),
            (
                "2026-01-06",
                "/backups/*/state kept kept
                 /backups/*/since 2026-01-04T00:00:00Z 2026-01-06T00:00:00Z
                 /backups/*/bytes 5 7
                 /findings/*/code resurrected
                 /findings/*/backup b",
            ),
            (
                "2026-01-07",
                "/backups/*/cause provider_purged provider_purged
                 /findings/*/code resurrected purge-without-cause purge-without-cause
                 /findings/*/backup b b c",
            ),
        ],
        ..STATE
    },
    ByHand {
        name: "a backup purged for inactivity, at inactive_at",
        rules: r#"
            version = [{ id = "1", tiers = { std = {} }, inactivity = { window = "30d" } }]
        "#,
        events: "
            2026-01-01          user     backup_completed backup=b bytes=5
            2026-01-01          user     backup_completed backup=c bytes=5
            2026-01-30T23:59:59 provider backup_purged backup=b cause=inactivity
            2026-01-31          provider backup_purged backup=c cause=inactivity
        ",
        state: &[(
            "2026-01-31",
            "/backups/*/cause provider_purged inactivity_cleared
             /findings/*/code purge-without-cause",
        )],
        ..STATE
    },
    ByHand {
        name: "a backup both stale and purged for inactivity went by its window",
        rules: r#"
            version = [{ id = "1", tiers = { std = {} }, inactivity = { window = "30d" }, backup = { stale_after = "30d" } }]
        "#,
        events: "
            2026-01-01 user     backup_completed backup=b bytes=5
            2026-01-31 provider backup_purged backup=b cause=inactivity
        ",
        state: &[("2026-01-31", "/backups/*/cause window_lapsed\n/findings/*/code")],
        ..STATE
    },
    ByHand {
        name: "a clearing, by its cause",
        rules: THIRTY_DAYS,
        events: "
            2026-01-01 user item_uploaded item=i category=photos bytes=5
            2026-01-01 user backup_completed backup=i bytes=5
            2026-01-02 user data_cleared cause=inactivity
            2026-01-03 user item_uploaded item=j category=photos bytes=5
            2026-01-03 user data_cleared cause=terminated
            2026-01-04 user item_uploaded item=k category=photos bytes=5
            2026-01-04 user data_cleared cause=closed
        ",
        state: &[(
            "2026-01-04",
            "/items/*/cause inactivity_cleared account_terminated account_closed
             /items/*/since 2026-01-02T00:00:00Z 2026-01-03T00:00:00Z 2026-01-04T00:00:00Z
             /backups/*/cause inactivity_cleared
             /findings/*/code
             /counts/removed 3
             /status cleared",
        )],
        ..STATE
    },
    ByHand {
        name: "the order is that of time, and of revisions at one instant",
        rules: THIRTY_DAYS,
        // Appended backwards: trashed, then (earlier) uploaded; purged on 3 January before the
        // restore of the same instant.
        events: "
            2026-01-02 user item_trashed item=i
            2026-01-01 user item_uploaded item=i category=photos bytes=5
            2026-01-03 user item_purged item=i
            2026-01-03 user item_restored item=i
        ",
        state: &[
            ("2026-01-01", "/items/0/state live\n/revision 1"),
            ("2026-01-02", "/items/0/state trashed\n/findings/*/code\n/revision 1"),
            ("2026-01-03", "/items/0/state live\n/findings/*/code resurrected\n/revision 3"),
        ],
        ..STATE
    },
];
