//! When the account counted as active, and what may be done to it when it does not.

use super::{ByHand, STATE};

const MONTH: &str = r#"
    version = [{ id = "1", tiers = { std = {}, pro = {} }, inactivity = { window = "30d", resets = ["page_viewed"], exempt_tiers = ["pro"] } }]
"#;
const NOTICE: &str = r#"
    version = [{ id = "1", tiers = { std = {} }, inactivity = { window = "1d", resets = ["page_viewed", "inactivity_notified"], notice = "7d" } }]
"#;

pub const CASES: &[ByHand] = &[
    ByHand {
        name: "29 February + 1y = 28 February",
        rules: r#"
            version = [{ id = "1", tiers = { std = {} }, inactivity = { window = "1y", resets = ["page_viewed"] } }]
        "#,
        events: "2024-02-29T08:00 user page_viewed",
        state: &[
            (
                "2025-02-28T07:59:59.999",
                "/status active
                 /activity/inactive_at 2025-02-28T08:00:00Z
                 /activity/last_at 2024-02-29T08:00:00Z
                 /activity/last_kind page_viewed
                 /activity/windows/*/from 2024-02-29T08:00:00Z
                 /activity/windows/*/to 2025-02-28T08:00:00Z",
            ),
            (
                "2025-02-28T08:00",
                "/status at_risk\n/activity/windows/*/to 2025-02-28T08:00:00Z",
            ),
        ],
        ..STATE
    },
    ByHand {
        name: "a span that begins with the last instant there is",
        rules: r#"version = [{ id = "1", tiers = { std = {} } }]"#,
        events: "9999-12-31T23:59:59.999 user page_viewed",
        state: &[(
            "9999-12-31T23:59:59.999",
            "/status active
             /activity/inactive_at null
             /activity/windows/*/from 9999-12-31T23:59:59.999Z
             /activity/windows/*/to null",
        )],
        ..STATE
    },
    ByHand {
        name: "the calendar is that of the policy's zone",
        rules: r#"
            time_zone = "Asia/Shanghai"
            version = [{ id = "1", tiers = { std = {} }, inactivity = { window = "1mo", resets = ["page_viewed"] } }]
        "#,
        // 30 January 17:00 UTC is 31 January 01:00 in Shanghai: + 1mo = 28 February 01:00 there.
        events: "2026-01-30T17:00 user page_viewed",
        state: &[("2026-01-31", "/activity/inactive_at 2026-02-27T17:00:00Z")],
        ..STATE
    },
    ByHand {
        name: "the first event stands in until a first activity; touching spans are one",
        rules: MONTH,
        // 1 January + 30 d = 31 January, the instant of the activity; 31 January + 30 d = 2 March.
        events: "
            2026-01-01 provider signed_in
            2026-01-31 user     page_viewed
        ",
        state: &[
            (
                "2026-01-30",
                "/activity/last_at null
                 /activity/last_kind null
                 /activity/inactive_at 2026-01-31T00:00:00Z
                 /activity/windows/*/to 2026-01-31T00:00:00Z",
            ),
            (
                "2026-01-31",
                "/activity/last_at 2026-01-31T00:00:00Z
                 /activity/windows/*/from 2026-01-01T00:00:00Z
                 /activity/windows/*/to 2026-03-02T00:00:00Z",
            ),
        ],
        ..STATE
    },
    ByHand {
        name: "a millisecond too late is a gap",
        rules: MONTH,
        events: "
            2026-01-01              user signed_in
            2026-01-31T00:00:00.001 user page_viewed
        ",
        state: &[(
            "2026-02-01",
            "/activity/windows/*/from 2026-01-01T00:00:00Z 2026-01-31T00:00:00.001Z
             /activity/windows/*/to 2026-01-31T00:00:00Z 2026-03-02T00:00:00.001Z",
        )],
        ..STATE
    },
    ByHand {
        name: "only by the actors of the policy, as written",
        rules: r#"
            version = [{ id = "1", tiers = { std = {} }, inactivity = { window = "30d", resets = ["page_viewed"], actors = ["user"] } }]
        "#,
        events: "
            2026-01-01 user   page_viewed
            2026-01-02 device page_viewed
            2026-01-03 user   signed_in
        ",
        state: &[("2026-01-04", "/activity/last_at 2026-01-01T00:00:00Z")],
        ..STATE
    },
    ByHand {
        name: "without actors: user and device",
        rules: MONTH,
        events: "
            2026-01-01 user    page_viewed
            2026-01-02 device  page_viewed
            2026-01-03 support page_viewed
        ",
        state: &[("2026-01-04", "/activity/last_at 2026-01-02T00:00:00Z")],
        ..STATE
    },
    ByHand {
        name: "a shorter window from a version ends a span with its start",
        rules: r#"
            [[version]]
            id = "1"
            tiers = { std = {} }
            inactivity = { window = "30d", resets = ["page_viewed"] }
            [[version]]
            id = "2"
            effective_from = "2026-01-21T00:00:00Z"
            tiers = { std = {} }
            inactivity = { window = "10d", resets = ["page_viewed"] }
        "#,
        // 1 + 30 = 31 January before, 1 + 10 = 11 January from the 21st on: active until then.
        events: "2026-01-01 user page_viewed",
        state: &[
            (
                "2026-01-20T23:59:59.999",
                "/activity/inactive_at 2026-01-31T00:00:00Z
                 /activity/windows/*/to 2026-01-31T00:00:00Z
                 /status active",
            ),
            (
                "2026-01-21",
                "/activity/inactive_at 2026-01-11T00:00:00Z
                 /activity/windows/*/to 2026-01-21T00:00:00Z
                 /status at_risk",
            ),
        ],
        ..STATE
    },
    ByHand {
        name: "a longer window from a version begins a span anew",
        rules: r#"
            [[version]]
            id = "1"
            tiers = { std = {} }
            inactivity = { window = "10d", resets = ["page_viewed"] }
            [[version]]
            id = "2"
            effective_from = "2026-01-21T00:00:00Z"
            tiers = { std = {} }
            inactivity = { window = "30d", resets = ["page_viewed"] }
        "#,
        events: "2026-01-01 user page_viewed",
        state: &[
            ("2026-01-20T23:59:59.999", "/status at_risk\n/activity/windows/*/to 2026-01-11T00:00:00Z"),
            (
                "2026-01-21",
                "/status active
                 /activity/windows/*/from 2026-01-01T00:00:00Z 2026-01-21T00:00:00Z
                 /activity/windows/*/to 2026-01-11T00:00:00Z 2026-01-31T00:00:00Z",
            ),
        ],
        ..STATE
    },
    ByHand {
        name: "a longer window from the instant at which the span ends goes on with it",
        rules: r#"
            [[version]]
            id = "1"
            tiers = { std = {} }
            inactivity = { window = "10d", resets = ["page_viewed"] }
            [[version]]
            id = "2"
            effective_from = "2026-01-11T00:00:00Z"
            tiers = { std = {} }
            inactivity = { window = "never" }
        "#,
        // Version 2 knows no resets: the sign of 12 January is none.
        events: "
            2026-01-01 user page_viewed
            2026-01-12 user page_viewed
        ",
        state: &[(
            "2026-01-13",
            "/activity/last_at 2026-01-01T00:00:00Z
             /activity/inactive_at null
             /activity/windows/*/from 2026-01-01T00:00:00Z
             /activity/windows/*/to null",
        )],
        ..STATE
    },
    ByHand {
        name: "no window, no span",
        rules: r#"
            version = [{ id = "1", tiers = { std = {} }, inactivity = { window = "0d", resets = ["page_viewed"] } }]
        "#,
        events: "
            2026-01-01 user     page_viewed
            2026-01-01 provider account_frozen
        ",
        state: &[(
            "2026-01-01",
            "/activity/inactive_at 2026-01-01T00:00:00Z
             /activity/windows []
             /status frozen
             /findings/*/code",
        )],
        ..STATE
    },
    ByHand {
        name: "cleared, frozen, terminated, closed: a second before inactive_at",
        rules: MONTH,
        events: "
            2026-01-01          user     page_viewed
            2026-01-30T23:59:59 provider data_cleared cause=inactivity
            2026-01-30T23:59:59 provider account_frozen
            2026-01-30T23:59:59 support  account_terminated
            2026-01-30T23:59:59 provider account_closed
        ",
        state: &[(
            "2026-01-31",
            "/findings/*/code cleared-while-active frozen-while-active terminated-while-active terminated-while-active
             /findings/*/severity breach breach breach breach
             /status closed",
        )],
        ..STATE
    },
    ByHand {
        name: "cleared, frozen, terminated, closed: at inactive_at",
        rules: MONTH,
        events: "
            2026-01-01 user     page_viewed
            2026-01-31 provider data_cleared cause=inactivity
            2026-01-31 provider account_frozen
            2026-01-31 support  account_terminated
            2026-01-31 provider account_closed
        ",
        state: &[("2026-01-31", "/findings/*/code")],
        ..STATE
    },
    ByHand {
        name: "an exempt tier: never at risk, and a breach at any time",
        rules: MONTH,
        events: "
            2026-01-01 user     page_viewed
            2026-01-01 provider tier_changed tier=pro
            2026-06-01 provider account_frozen
        ",
        // The windows do not look at exemption.
        state: &[
            (
                "2026-05-31",
                "/status active
                 /activity/inactive_at 2026-01-31T00:00:00Z
                 /activity/windows/*/to 2026-01-31T00:00:00Z",
            ),
            ("2026-06-01", "/findings/*/code frozen-while-active\n/status frozen"),
        ],
        ..STATE
    },
    ByHand {
        name: "an event is judged before it and later ones of its instant count as activity",
        rules: MONTH,
        // The account is inactive from 31 January; the page is viewed after the freezing, and
        // before the clearing.
        events: "
            2026-01-01 user     page_viewed
            2026-01-31 provider account_frozen
            2026-01-31 user     page_viewed
            2026-01-31 provider data_cleared cause=inactivity
        ",
        state: &[(
            "2026-01-31",
            "/findings/*/code cleared-while-active
             /status cleared
             /activity/last_at 2026-01-31T00:00:00Z",
        )],
        ..STATE
    },
    ByHand {
        name: "what the user closed may be cleared, until it is opened again",
        rules: MONTH,
        events: "
            2026-01-01 user     page_viewed
            2026-01-02 device   account_closed
            2026-01-03 provider account_closed
            2026-01-03 provider account_frozen
            2026-01-03 provider data_cleared cause=closed
            2026-01-04 user     account_opened
            2026-01-05 provider data_cleared cause=closed
        ",
        state: &[
            ("2026-01-03", "/findings/*/code\n/status closed"),
            ("2026-01-04", "/status active"),
            ("2026-01-05", "/findings/*/code cleared-while-active\n/status cleared"),
        ],
        ..STATE
    },
    ByHand {
        name: "what the provider closed is not closed by the user",
        rules: MONTH,
        events: "
            2026-01-01 user     page_viewed
            2026-02-01 provider account_closed
            2026-02-02 user     page_viewed
            2026-02-03 provider data_cleared cause=closed
        ",
        state: &[("2026-02-03", "/findings/*/code cleared-while-active\n/status closed")],
        ..STATE
    },
    ByHand {
        name: "the order of statuses, and what ends them",
        rules: MONTH,
        events: "
            2026-01-01 user     page_viewed
            2026-02-01 provider account_frozen
            2026-02-02 provider data_cleared cause=inactivity
            2026-02-03 provider account_unfrozen
            2026-02-04 provider account_frozen
            2026-02-05 user     page_viewed
            2026-03-10 provider account_frozen
            2026-03-11 provider account_terminated
            2026-03-12 user     page_viewed
            2026-03-13 user     account_closed
            2026-03-14 provider account_terminated
            2026-03-15 user     account_opened
        ",
        state: &[
            ("2026-01-30T23:59:59.999", "/status active"),
            ("2026-01-31", "/status at_risk"),
            ("2026-02-01", "/status frozen"),
            ("2026-02-02", "/status cleared"),
            ("2026-02-03", "/status at_risk"),
            ("2026-02-04", "/status frozen"),
            ("2026-02-05", "/status active"),
            // 5 February + 30 d = 7 March.
            ("2026-03-06T23:59:59", "/status active"),
            ("2026-03-07", "/status at_risk"),
            ("2026-03-11", "/status terminated"),
            ("2026-03-12", "/status terminated"),
            ("2026-03-13", "/status closed"),
            ("2026-03-14", "/status closed"),
            ("2026-03-15", "/status active"),
        ],
        ..STATE
    },
    ByHand {
        name: "notice: a millisecond short",
        rules: NOTICE,
        // 10 January + 7 d = 17 January.
        events: "
            2026-01-01              user     page_viewed
            2026-01-10              provider inactivity_notified
            2026-01-16T23:59:59.999 provider data_cleared cause=inactivity
        ",
        state: &[(
            "2026-01-17",
            "/findings/*/code cleared-without-notice\n/findings/*/severity warning",
        )],
        ..STATE
    },
    ByHand {
        name: "notice: long enough, and an earlier one counts as well as a later",
        rules: NOTICE,
        events: "
            2026-01-01 user     page_viewed
            2026-01-10 provider inactivity_notified
            2026-01-16 provider inactivity_notified
            2026-01-17 provider data_cleared cause=terminated
        ",
        state: &[("2026-01-17", "/findings/*/code")],
        ..STATE
    },
    ByHand {
        name: "notice: one before the last activity does not count",
        rules: NOTICE,
        events: "
            2026-01-01 user     page_viewed
            2026-01-05 provider inactivity_notified
            2026-01-10 user     page_viewed
            2026-01-20 provider data_cleared cause=inactivity
        ",
        state: &[("2026-01-20", "/findings/*/code cleared-without-notice")],
        ..STATE
    },
    ByHand {
        name: "notice: at the instant of the last activity, by revision",
        rules: NOTICE,
        events: "
            2026-01-10 user     page_viewed
            2026-01-10 support  inactivity_notified
            2026-01-17 provider data_cleared cause=inactivity
        ",
        state: &[("2026-01-17", "/findings/*/code")],
        ..STATE
    },
    ByHand {
        name: "notice: one that is itself the last activity is not after it",
        rules: NOTICE,
        events: "
            2026-01-05 user     inactivity_notified
            2026-01-20 provider data_cleared cause=inactivity
        ",
        state: &[(
            "2026-01-20",
            "/findings/*/code cleared-without-notice
             /activity/last_kind inactivity_notified",
        )],
        ..STATE
    },
    ByHand {
        name: "notice: without any activity every one counts; not asked of the user, nor after a closing",
        rules: NOTICE,
        events: "
            2026-01-05 provider inactivity_notified
            2026-01-12 provider data_cleared cause=inactivity
            2026-01-13 user     page_viewed
            2026-01-13 user     data_cleared cause=closed
            2026-01-13 user     account_closed
            2026-01-13 provider data_cleared cause=closed
        ",
        state: &[("2026-01-20", "/findings/*/code")],
        ..STATE
    },
];
