//! What can still be said after an erasure, worked out by hand: where an erased event cannot matter, and
//! where it can.

use crate::claims::Claim;
use crate::erased::Erasure;
use crate::histories::Case;
use crate::notation;
use event::{Recorded, Timestamp};
use policy::Policy;

/// A small history of which something is erased, and what must be said of it.
#[derive(Debug, Clone, Copy)]
pub struct Erased {
    /// What it shows.
    pub name: &'static str,
    /// The policy file but for its first two lines.
    pub rules: &'static str,
    /// The events, as in [`super::ByHand`].
    pub events: &'static str,
    /// Items whose contents are erased.
    pub items: &'static [&'static str],
    /// Everything that occurred before then is erased to its leaf.
    pub before: Option<&'static str>,
    /// What is said as before: it holds in every completion too.
    pub said: &'static [(&'static str, &'static str)],
    /// What is left open.
    pub open: &'static [(&'static str, &'static str)],
    /// Of the answer to a claim, what must hold.
    pub claims: &'static [(&'static str, &'static str)],
}

const NONE: Erased = Erased {
    name: "",
    rules: TIERS,
    events: "",
    items: &[],
    before: None,
    said: &[],
    open: &[],
    claims: &[],
};

const TIERS: &str = r#"
    [[version]]
    id = "1"
    tiers.std = { trash = "30d", quota = "10B" }
    tiers.plus = { trash = "60d", quota = "20B" }
    inactivity = { window = "1y", resets = ["page_viewed"] }
"#;

/// Every case.
pub const CASES: &[Erased] = &[
    Erased {
        name: "an item uploaded anew is what its new life makes it",
        events: "
            2026-01-01 user item_uploaded item=i category=photos bytes=3
            2026-01-02 user item_trashed item=i
            2026-01-03 user item_uploaded item=j category=photos bytes=1
            2026-02-01 user item_uploaded item=i category=drive bytes=4
            2026-02-02 user item_modified item=j bytes=2
        ",
        before: Some("2026-02-01"),
        said: &[(
            "2026-02-03",
            "/items/0/item i\n/items/0/state live\n/items/0/bytes 4\n/items/0/category drive
             /items/0/since 2026-02-01T00:00:00Z\n/revision 4",
        )],
        open: &[(
            "2026-02-03",
            "/items/1/state undetermined\n/items/1/since null\n/items/1/bytes null
             /status undetermined\n/quota/used_bytes null\n/counts/live null\n/erased/events 3",
        )],
        claims: &[
            ("item=i kept 2026-02-03", "/verdict upheld\n/lawful none\n/state live"),
            ("item=j kept 2026-02-03", "/verdict undetermined\n/lawful undetermined\n/state null"),
            // Of the account j may be gone, and others may be there that nothing tells of.
            ("account kept 2026-02-03", "/verdict undetermined"),
            // i was not deleted, so whatever else there is, not everything is gone.
            ("account gone 2026-02-03", "/verdict refuted"),
        ],
        ..NONE
    },
    Erased {
        name: "as of before the erased events could have ended, nothing is known",
        events: "
            2026-01-01 user item_uploaded item=i category=photos bytes=3
            2026-01-20 user page_viewed
            2026-02-01 user item_uploaded item=i category=photos bytes=4
        ",
        before: Some("2026-02-01"),
        open: &[
            // There are no events left as of then.
            ("2026-01-31T23:59:59.999", "/status undetermined\n/items []\n/tier null"),
        ],
        said: &[("2026-02-01", "/items/0/state live\n/items/0/bytes 4")],
        claims: &[("item=i kept 2026-01-31T23:59:59.999", "/verdict undetermined")],
        ..NONE
    },
    Erased {
        name: "the contents of one item's events: what it does is known, and so is all of another",
        events: "
            2026-01-01 user     item_uploaded item=i category=photos bytes=3
            2026-01-01 user     item_uploaded item=j category=drive bytes=4
            2026-01-02 user     page_viewed
            2026-01-03 user     item_trashed item=i
            2026-01-04 provider account_frozen
            2026-01-05 user     item_trashed item=j
        ",
        items: &["i"],
        // 5 January + 30 days is 4 February.
        said: &[
            ("2026-01-04", "/status frozen\n/tier std\n/counts/live 1\n/counts/trashed 1"),
            (
                "2026-01-06",
                "/counts/trashed 2\n/activity/last_at 2026-01-02T00:00:00Z
                 /activity/inactive_at 2027-01-02T00:00:00Z",
            ),
        ],
        open: &[
            (
                "2026-01-06",
                "/items/*/item j\n/items/0/recoverable_until 2026-02-04T00:00:00Z
                 /quota/used_bytes null\n/quota/limit_bytes 10\n/erased/contents 2",
            ),
            // What is expired uses nothing, whatever its size.
            ("2026-02-04", "/counts/expired 2\n/quota/used_bytes 0\n/quota/over false"),
        ],
        claims: &[
            ("item=j recoverable 2026-01-06", "/verdict upheld\n/lawful none"),
            ("item=j deleted_by_user 2026-03-01", "/verdict upheld\n/lawful yes"),
            ("item=i kept 2026-01-06", "/verdict undetermined\n/lawful undetermined"),
            // i may be of this category.
            ("category=drive recoverable 2026-01-06", "/verdict undetermined"),
            ("category=drive kept 2026-03-01", "/verdict refuted"),
        ],
        ..NONE
    },
    Erased {
        name: "the tier held is not known: trashed up to the first end that a tier could bring, expired from the last",
        events: "
            2026-01-01 user account_opened tier=plus
            2026-02-01 user item_uploaded item=i category=photos bytes=3
            2026-02-02 user item_trashed item=i
        ",
        before: Some("2026-02-01"),
        // 2 February + 30 days is 4 March, + 60 days 3 April. A tier without a name is measured as std.
        said: &[
            ("2026-03-03T23:59:59.999", "/items/0/state trashed\n/items/0/cause user_trashed"),
            ("2026-04-03", "/items/0/state expired"),
        ],
        open: &[
            ("2026-03-03T23:59:59.999", "/items/0/recoverable_until null\n/tier null"),
            ("2026-03-04", "/items/0/state undetermined\n/items/0/cause null"),
            ("2026-04-02T23:59:59.999", "/items/0/state undetermined"),
            ("2026-04-03", "/items/0/since null\n/items/0/remaining_days 0"),
        ],
        claims: &[
            ("item=i kept 2026-03-03T23:59:59.999", "/verdict upheld"),
            ("item=i kept 2026-03-04", "/verdict undetermined\n/lawful undetermined"),
            ("item=i kept 2026-04-03", "/verdict refuted\n/lawful yes"),
            ("item=i deleted_by_user 2026-04-03", "/verdict upheld"),
        ],
        ..NONE
    },
    Erased {
        name: "a tier that no version names is measured as the first of each: none that is named is like it",
        rules: r#"
            [[version]]
            id = "1"
            tiers.a = { trash = "100d" }
            tiers.b = { trash = "1d" }
            [[version]]
            id = "2"
            effective_from = "2026-03-01T00:00:00Z"
            on_change = "restart"
            tiers.b = { trash = "100d" }
            tiers.a = { trash = "1d" }
        "#,
        events: "
            2026-01-01 user account_opened tier=ghost
            2026-02-01 user item_uploaded item=i category=photos bytes=3
            2026-02-02 user item_trashed item=i
        ",
        before: Some("2026-02-01"),
        // As b it ends on 3 February, as a on 2 March; as ghost 100 days after 1 March, on 9 June.
        said: &[("2026-06-09", "/items/0/state expired")],
        open: &[
            ("2026-03-10", "/items/0/state undetermined"),
            ("2026-06-08T23:59:59.999", "/items/0/state undetermined"),
        ],
        ..NONE
    },
    Erased {
        name: "a tier that comes later is known, and the windows of what is trashed after it",
        events: "
            2026-01-01 user     account_opened tier=plus
            2026-02-01 provider tier_changed tier=std
            2026-02-01 user     item_uploaded item=i category=photos bytes=3
            2026-02-02 user     item_trashed item=i
        ",
        before: Some("2026-02-01"),
        said: &[(
            "2026-02-03",
            "/tier std\n/items/0/recoverable_until 2026-03-04T00:00:00Z\n/items/0/remaining_days 29",
        )],
        // A quota that was set stands for ever.
        open: &[("2026-02-03", "/quota/limit_bytes null")],
        ..NONE
    },
    Erased {
        name: "status: after the account was opened again, and once it is closed, whatever came before",
        events: "
            2026-01-01 user     account_opened
            2026-02-01 user     page_viewed
            2026-02-02 user     account_opened
            2026-02-03 provider account_frozen
            2026-02-04 user     page_viewed
            2026-02-05 user     account_closed
        ",
        before: Some("2026-02-01"),
        said: &[
            ("2026-02-01", "/activity/last_at 2026-02-01T00:00:00Z"),
            ("2026-02-02", "/status active"),
            ("2026-02-03", "/status frozen"),
            ("2026-02-04", "/status active"),
            // 4 February + 1 year.
            ("2026-02-05", "/status closed\n/activity/inactive_at 2027-02-04T00:00:00Z"),
        ],
        // It may have been closed: a page viewed does not end that.
        open: &[("2026-02-01", "/status undetermined")],
        ..NONE
    },
    Erased {
        name: "a clearing leaves nothing there: what is used is known again",
        events: "
            2026-01-01 user     item_uploaded item=i category=photos bytes=3
            2026-02-01 provider data_cleared cause=closed
            2026-02-02 user     item_uploaded item=j category=photos bytes=4
            2026-02-03 user     item_trashed item=i
        ",
        before: Some("2026-02-01"),
        said: &[
            ("2026-02-01", "/quota/used_bytes 0\n/counts/live 0\n/counts/trashed 0"),
            ("2026-02-02", "/quota/used_bytes 4\n/counts/live 1"),
        ],
        open: &[
            ("2026-02-02", "/counts/removed null\n/counts/purged null\n/quota/over null"),
            // i may have been purged before, or never have been there: then it lies in the trash now.
            ("2026-02-03", "/items/0/item i\n/items/0/state undetermined\n/quota/used_bytes null"),
        ],
        ..NONE
    },
    Erased {
        name: "when a backup was last completed is not known: whether it was stale is open",
        rules: r#"
            [[version]]
            id = "1"
            tiers.std = {}
            backup = { stale_after = "10d" }
        "#,
        events: "
            2026-01-20 device   backup_completed backup=b bytes=3
            2026-02-01 user     backup_restored backup=b
            2026-02-05 provider backup_purged backup=b
        ",
        before: Some("2026-02-01"),
        // 20 January + 10 days is 30 January, so it was; had it been completed on the 30th, it was not.
        said: &[
            ("2026-02-01", "/backups/0/state kept"),
            ("2026-02-05", "/backups/0/state removed\n/backups/0/since 2026-02-05T00:00:00Z"),
        ],
        open: &[("2026-02-05", "/backups/0/cause null\n/backups/0/bytes null")],
        claims: &[
            ("backup=b not_deleted_by_user 2026-02-05", "/verdict upheld\n/lawful undetermined"),
            ("backup=b purged_on_time 2026-02-05", "/verdict undetermined"),
        ],
        ..NONE
    },
    Erased {
        name: "what is restored is there, one does not know since when",
        events: "
            2026-01-01 user     item_uploaded item=i category=photos bytes=3
            2026-02-01 user     item_restored item=i
            2026-02-02 provider item_purged item=i
        ",
        before: Some("2026-02-01"),
        said: &[("2026-02-01", "/items/0/state live"), ("2026-02-02", "/items/0/state purged")],
        open: &[("2026-02-01", "/items/0/since null\n/items/0/bytes null\n/items/0/category null")],
        claims: &[
            ("item=i kept 2026-02-01", "/verdict upheld"),
            // Purged live by the provider, for no cause, whatever it was before.
            ("item=i deleted_by_user 2026-02-02", "/verdict refuted\n/lawful no"),
            // A sync that was off does not change that; but whether it was is not known.
            ("item=i lost_after_sync_off 2026-02-02", "/verdict undetermined"),
        ],
        ..NONE
    },
];

impl Erased {
    /// The policy file.
    #[must_use]
    pub fn policy(&self) -> Policy {
        let toml = format!("schema = 1\npolicy = \"by-hand\"\n{}", self.rules);
        Policy::parse(&toml).unwrap_or_else(|e| panic!("{}: {e:?}", self.name))
    }

    /// The events in their places.
    #[must_use]
    pub fn recorded(&self) -> Vec<Recorded> {
        notation::events(self.events)
    }

    /// What is left of them.
    #[must_use]
    pub fn erasure(&self) -> Erasure {
        match self.before {
            Some(before) => Erasure::before(&self.recorded(), notation::time(before)),
            None => Erasure::of_items(&self.recorded(), self.items, None),
        }
    }

    /// As a case, to make completions of.
    #[must_use]
    pub fn case(&self) -> Case {
        let events = self.recorded();
        let boundaries = events.iter().map(|r| r.event.occurred_at).collect();
        Case {
            seed: 0,
            policy_toml: self.rules.to_owned(),
            policy: self.policy(),
            events,
            as_of: Timestamp::MAX,
            known_at: Timestamp::MAX,
            claims: Vec::<Claim>::new(),
            boundaries,
        }
    }
}

#[cfg(test)]
mod tests {
    use fastrand::Rng;

    use super::*;
    use crate::by_hand::check;
    use crate::model;

    /// Whatever stood in the place of what was erased.
    #[test]
    fn what_is_said_holds_in_the_model_of_every_completion() {
        for hand in CASES {
            let (case, erasure) = (hand.case(), hand.erasure());
            let mut rng = Rng::with_seed(7);
            for n in 0..2_000 {
                let events = match n {
                    0 => erasure.events.clone(),
                    _ => erasure.completion(&mut rng, &case),
                };
                for (as_of, expected) in hand.said {
                    let at = notation::time(as_of);
                    let state = model::state(&events, &case.policy, at, Timestamp::MAX);
                    let state = state.expect("an event is left").json();
                    // Others may be there beside the items that are told of.
                    let of_items = |line: &&str| {
                        let of = line.trim();
                        !of.starts_with("/items/") && !of.starts_with("/backups/")
                    };
                    let lines: Vec<&str> = expected.lines().filter(of_items).collect();
                    let lines = lines.join("\n");
                    let why = check(&state, &lines);
                    assert_eq!(
                        why,
                        None,
                        "{} as of {as_of}\n{}",
                        hand.name,
                        notation::ndjson(&events)
                    );
                }
            }
        }
    }
}
