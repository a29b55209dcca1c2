//! What a version does to the trash when it takes effect, and which version judges.

use super::{ByHand, STATE};

/// Trashed on 1 January, a version from 6 January.
const TRASHED: &str = "
    2026-01-01 user item_uploaded item=i category=photos bytes=5
    2026-01-01 user item_trashed item=i
";
/// As before, but under plus, std from 3 January and plus again from 10 January.
const TIERS: &str = "
    2026-01-01 provider account_opened tier=plus
    2026-01-01 user     item_uploaded item=i category=photos bytes=5
    2026-01-01 user     item_trashed item=i
    2026-01-03 provider tier_changed tier=std
    2026-01-10 provider tier_changed tier=plus
";

pub const CASES: &[ByHand] = &[
    ByHand {
        name: "grandfather: the old version goes on measuring",
        rules: r#"
            [[version]]
            id = "1"
            tiers = { std = { trash = "30d" } }
            [[version]]
            id = "2"
            effective_from = "2026-01-06T00:00:00Z"
            on_change = "grandfather"
            tiers = { std = { trash = "10d" } }
        "#,
        events: "
            2026-01-01              user item_uploaded item=i category=photos bytes=5
            2026-01-01              user item_uploaded item=j category=photos bytes=5
            2026-01-01              user item_uploaded item=k category=photos bytes=5
            2026-01-01              user item_trashed item=i
            2026-01-05T23:59:59.999 user item_trashed item=j
            2026-01-06              user item_trashed item=k
        ",
        // j: 5 January + 30 = 4 February. k at the instant of the version, which is in force then.
        state: &[(
            "2026-01-06",
            "/items/*/recoverable_until 2026-01-31T00:00:00Z 2026-02-04T23:59:59.999Z 2026-01-16T00:00:00Z",
        )],
        ..STATE
    },
    ByHand {
        name: "restart: the new window, counted from the change",
        rules: r#"
            [[version]]
            id = "1"
            tiers = { std = { trash = "30d" } }
            [[version]]
            id = "2"
            effective_from = "2026-01-06T00:00:00Z"
            on_change = "restart"
            tiers = { std = { trash = "10d" } }
        "#,
        events: TRASHED,
        state: &[
            // What is given as of T does not look past T.
            ("2026-01-05T23:59:59.999", "/items/0/recoverable_until 2026-01-31T00:00:00Z"),
            ("2026-01-06", "/items/0/recoverable_until 2026-01-16T00:00:00Z\n/items/0/remaining_days 10"),
            ("2026-01-15T23:59:59.999", "/items/0/state trashed\n/items/0/since 2026-01-01T00:00:00Z"),
            ("2026-01-16", "/items/0/state expired"),
        ],
        ..STATE
    },
    ByHand {
        name: "retroactive: the new window, counted from the trashing",
        rules: r#"
            [[version]]
            id = "1"
            tiers = { std = { trash = "30d" } }
            [[version]]
            id = "2"
            effective_from = "2026-01-06T00:00:00Z"
            on_change = "retroactive"
            tiers = { std = { trash = "10d" } }
        "#,
        events: TRASHED,
        state: &[
            ("2026-01-05T23:59:59.999", "/items/0/recoverable_until 2026-01-31T00:00:00Z"),
            ("2026-01-06", "/items/0/recoverable_until 2026-01-11T00:00:00Z\n/items/0/remaining_days 5"),
            ("2026-01-10T23:59:59.999", "/items/0/state trashed"),
            ("2026-01-11", "/items/0/state expired"),
        ],
        ..STATE
    },
    ByHand {
        name: "retroactive: no end before the change",
        rules: r#"
            [[version]]
            id = "1"
            tiers = { std = { trash = "30d" } }
            [[version]]
            id = "2"
            effective_from = "2026-01-06T00:00:00Z"
            on_change = "retroactive"
            tiers = { std = { trash = "3d" } }
        "#,
        events: TRASHED,
        // 1 January + 3 = 4 January, which is before 6 January.
        state: &[
            ("2026-01-05T23:59:59.999", "/items/0/state trashed"),
            ("2026-01-06", "/items/0/state expired\n/items/0/since 2026-01-06T00:00:00Z"),
        ],
        ..STATE
    },
    ByHand {
        name: "restart with no days: ends with the change, before its events",
        rules: r#"
            [[version]]
            id = "1"
            tiers = { std = { trash = "30d" } }
            [[version]]
            id = "2"
            effective_from = "2026-01-06T00:00:00Z"
            on_change = "restart"
            tiers = { std = { trash = "0d" } }
        "#,
        events: "
            2026-01-01 user item_uploaded item=i category=photos bytes=5
            2026-01-01 user item_trashed item=i
            2026-01-06 user item_restored item=i
        ",
        state: &[
            ("2026-01-05T23:59:59.999", "/items/0/state trashed"),
            ("2026-01-06", "/items/0/state live\n/findings/*/code restored-after-window"),
        ],
        ..STATE
    },
    ByHand {
        name: "a deadline at the instant of the change falls first",
        rules: r#"
            [[version]]
            id = "1"
            tiers = { std = { trash = "5d" } }
            [[version]]
            id = "2"
            effective_from = "2026-01-06T00:00:00Z"
            on_change = "restart"
            tiers = { std = { trash = "30d" } }
        "#,
        events: "
            2026-01-01              user item_uploaded item=i category=photos bytes=5
            2026-01-01              user item_uploaded item=j category=photos bytes=5
            2026-01-01              user item_trashed item=i
            2026-01-01T00:00:00.001 user item_trashed item=j
        ",
        // i: 1 + 5 = 6 January. j a millisecond later, so it is restarted: 6 January + 30.
        state: &[(
            "2026-01-06",
            "/items/*/state expired trashed
             /items/*/recoverable_until 2026-01-06T00:00:00Z 2026-02-05T00:00:00Z",
        )],
        ..STATE
    },
    ByHand {
        name: "restart, tier_when_trashed: the tier held when trashed",
        rules: r#"
            [[version]]
            id = "1"
            tiers = { std = { trash = "30d" }, plus = { trash = "60d" } }
            [[version]]
            id = "2"
            effective_from = "2026-01-06T00:00:00Z"
            on_change = "restart"
            tiers = { std = { trash = "10d" }, plus = { trash = "20d" } }
        "#,
        events: TIERS,
        // Plus: 6 + 20 = 26 January.
        state: &[("2026-01-06", "/items/0/recoverable_until 2026-01-26T00:00:00Z")],
        ..STATE
    },
    ByHand {
        name: "restart, tier_now: the tiers held from the change on",
        rules: r#"
            [[version]]
            id = "1"
            tiers = { std = { trash = "30d" }, plus = { trash = "60d" } }
            [[version]]
            id = "2"
            effective_from = "2026-01-06T00:00:00Z"
            on_change = "restart"
            tiers = { std = { trash = "10d" }, plus = { trash = "20d" } }
            trash = { basis = "tier_now" }
        "#,
        events: TIERS,
        // Std at the change: 6 + 10 = 16; plus from the 10th: 6 + 20 = 26.
        state: &[
            ("2026-01-06", "/items/0/recoverable_until 2026-01-16T00:00:00Z"),
            ("2026-01-10", "/items/0/recoverable_until 2026-01-26T00:00:00Z"),
        ],
        ..STATE
    },
    ByHand {
        name: "retroactive, longest_held: every tier held since the trashing",
        rules: r#"
            [[version]]
            id = "1"
            tiers = { std = { trash = "30d" }, plus = { trash = "60d" } }
            [[version]]
            id = "2"
            effective_from = "2026-01-06T00:00:00Z"
            on_change = "retroactive"
            tiers = { std = { trash = "10d" }, plus = { trash = "20d" } }
            trash = { basis = "longest_held" }
        "#,
        events: TIERS,
        // Plus was held on 1 January: 1 + 20 = 21, not 1 + 10 = 11.
        state: &[("2026-01-06", "/items/0/recoverable_until 2026-01-21T00:00:00Z")],
        ..STATE
    },
    ByHand {
        name: "retroactive, tier_now",
        rules: r#"
            [[version]]
            id = "1"
            tiers = { std = { trash = "30d" }, plus = { trash = "60d" } }
            [[version]]
            id = "2"
            effective_from = "2026-01-06T00:00:00Z"
            on_change = "retroactive"
            tiers = { std = { trash = "10d" }, plus = { trash = "20d" } }
            trash = { basis = "tier_now" }
        "#,
        events: TIERS,
        state: &[
            ("2026-01-06", "/items/0/recoverable_until 2026-01-11T00:00:00Z"),
            ("2026-01-10", "/items/0/recoverable_until 2026-01-21T00:00:00Z"),
        ],
        ..STATE
    },
    ByHand {
        name: "grandfather, tier_now: the old version measures later tier events too",
        rules: r#"
            [[version]]
            id = "1"
            tiers = { std = { trash = "30d" }, plus = { trash = "60d" } }
            trash = { basis = "tier_now" }
            [[version]]
            id = "2"
            effective_from = "2026-01-06T00:00:00Z"
            tiers = { std = { trash = "1d" }, plus = { trash = "2d" } }
        "#,
        events: TIERS,
        state: &[
            ("2026-01-06", "/items/0/recoverable_until 2026-01-31T00:00:00Z"),
            ("2026-01-10", "/items/0/recoverable_until 2026-03-02T00:00:00Z"),
        ],
        ..STATE
    },
    ByHand {
        name: "later versions apply in turn",
        rules: r#"
            [[version]]
            id = "1"
            tiers = { std = { trash = "30d" } }
            [[version]]
            id = "2"
            effective_from = "2026-01-06T00:00:00Z"
            on_change = "restart"
            tiers = { std = { trash = "10d" } }
            [[version]]
            id = "3"
            effective_from = "2026-01-08T00:00:00Z"
            on_change = "grandfather"
            tiers = { std = { trash = "1d" } }
            [[version]]
            id = "4"
            effective_from = "2026-01-11T00:00:00Z"
            on_change = "retroactive"
            tiers = { std = { trash = "40d" } }
        "#,
        events: TRASHED,
        // 2: 6 + 10 = 16 January. 3: nothing. 4: from the trashing, 1 January + 40 = 10 February.
        state: &[
            ("2026-01-06", "/items/0/recoverable_until 2026-01-16T00:00:00Z"),
            ("2026-01-08", "/items/0/recoverable_until 2026-01-16T00:00:00Z"),
            ("2026-01-11", "/items/0/recoverable_until 2026-02-10T00:00:00Z"),
        ],
        ..STATE
    },
    ByHand {
        name: "a change takes effect on what never ends, too",
        rules: r#"
            [[version]]
            id = "1"
            tiers = { std = {} }
            [[version]]
            id = "2"
            effective_from = "2026-01-06T00:00:00Z"
            on_change = "restart"
            tiers = { std = { trash = "1mo" } }
            trash = { days = "local_dates" }
        "#,
        events: TRASHED,
        // 6 January + 1mo = 6 February; the day after.
        state: &[
            ("2026-01-05T23:59:59", "/items/0/recoverable_until null"),
            ("2026-01-06", "/items/0/recoverable_until 2026-02-07T00:00:00Z"),
        ],
        ..STATE
    },
    ByHand {
        name: "the first version takes effect on nothing, and is in force before itself",
        rules: r#"
            [[version]]
            id = "1"
            effective_from = "2026-01-06T00:00:00Z"
            on_change = "restart"
            tiers = { std = { trash = "10d" } }
        "#,
        events: "
            2026-01-01 user item_uploaded item=i category=photos bytes=5
            2026-01-01 user item_trashed item=i
            2026-01-06 user page_viewed
        ",
        state: &[
            ("2026-01-01", "/items/0/recoverable_until 2026-01-11T00:00:00Z"),
            ("2026-01-06", "/items/0/recoverable_until 2026-01-11T00:00:00Z"),
        ],
        ..STATE
    },
    ByHand {
        name: "a new no_trash purges nothing",
        rules: r#"
            [[version]]
            id = "1"
            tiers = { std = { trash = "30d" } }
            [[version]]
            id = "2"
            effective_from = "2026-01-06T00:00:00Z"
            on_change = "restart"
            tiers = { std = { trash = "30d" } }
            trash = { no_trash = ["photos"] }
        "#,
        events: "
            2026-01-01 user item_uploaded item=i category=photos bytes=5
            2026-01-01 user item_uploaded item=j category=photos bytes=5
            2026-01-01 user item_trashed item=i
            2026-01-06 user item_trashed item=j
        ",
        state: &[(
            "2026-01-06",
            "/items/*/state trashed purged
             /items/*/recoverable_until 2026-02-05T00:00:00Z null
             /items/*/cause user_trashed user_purged
             /findings/*/code",
        )],
        ..STATE
    },
    ByHand {
        name: "the default tier is that of the version in force at the first event: before",
        rules: DEFAULT_TIERS,
        events: "2026-01-05T23:59:59.999 user signed_in",
        state: &[("2026-01-07", "/tier std")],
        ..STATE
    },
    ByHand {
        name: "the default tier is that of the version in force at the first event: at",
        rules: DEFAULT_TIERS,
        events: "2026-01-06 user signed_in",
        state: &[("2026-01-07", "/tier basic")],
        ..STATE
    },
    ByHand {
        name: "a finding's clause is the first for it in the version in force at its instant",
        rules: r#"
            [[version]]
            id = "1"
            tiers = { std = {} }
            clauses = [
                { id = "x", for = ["unknown-item"], text = { en = "x" } },
                { id = "y", for = ["kept", "trashed-by-provider"], text = { en = "y" } },
                { id = "z", for = ["trashed-by-provider"], text = { en = "z" } },
            ]
            [[version]]
            id = "2"
            effective_from = "2026-01-06T00:00:00Z"
            tiers = { std = {} }
            clauses = [{ id = "w", for = ["trashed-by-provider"], text = { en = "w" } }]
        "#,
        events: "
            2026-01-05T23:59:59 provider item_trashed item=i
            2026-01-06          support  item_trashed item=j
        ",
        state: &[(
            "2026-01-07",
            "/findings/*/code trashed-by-provider unknown-item trashed-by-provider unknown-item
             /findings/*/clause y x w null
             /findings/*/severity breach note breach note
             /findings/*/item i i j j
             /findings/*/at 2026-01-05T23:59:59Z 2026-01-05T23:59:59Z 2026-01-06T00:00:00Z 2026-01-06T00:00:00Z",
        )],
        ..STATE
    },
];

const DEFAULT_TIERS: &str = r#"
    [[version]]
    id = "1"
    tiers = { std = {}, basic = {} }
    [[version]]
    id = "2"
    effective_from = "2026-01-06T00:00:00Z"
    tiers = { basic = {}, std = {} }
"#;
