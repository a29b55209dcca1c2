//! Forecasts held against the model, which looks at the account as of one instant after the other; against
//! what comes of the acts that are said to avoid a date; and against dates worked out by hand.

use event::{Actor, Event, History, Kind, Payload, Recorded, RecordedBy, Timestamp};
use policy::{Policy, When};
use stillthere_projection::{ForecastDate, Foreseen, Stage, fold, forecast_through};
use testkit::erased::{Erasure, Left};
use testkit::histories::{Case, case};
use testkit::model::ahead::{self, Date, What};
use testkit::model::walk::ItemState;
use testkit::notation;

/// Cases of each property; `STILLTHERE_CASES` asks for more.
fn seeds() -> std::ops::Range<u64> {
    let count = std::env::var("STILLTHERE_CASES").ok().and_then(|n| n.parse().ok());
    let from = std::env::var("STILLTHERE_SEED").ok().and_then(|n| n.parse().ok()).unwrap_or(0);
    from..from + count.unwrap_or(2_000)
}

fn ms(at: Timestamp, ms: i64) -> Timestamp {
    Timestamp::from_ms(at.ms() + ms).expect("in range")
}

/// In the model's words, with the acts.
fn told(history: &History, policy: &Policy, dates: &[ForecastDate]) -> Vec<(Date, Option<Kind>)> {
    let name = |id| history.names.get(id).to_owned();
    let tell = |date: &ForecastDate| {
        let what = match &date.what {
            Foreseen::ItemExpires(item) => What::ItemExpires(name(*item)),
            Foreseen::AccountAtRisk => What::AccountAtRisk,
            Foreseen::BackupStale(backup) => What::BackupStale(name(*backup)),
            Foreseen::Stage(Stage::Reached { name: stage, category, .. }) => {
                What::StageReached { stage: stage.clone(), category: category.map(name) }
            }
            Foreseen::Stage(Stage::PolicyVersion {
                version,
                moved,
                ends_risk,
                ends_stale,
                ends_stages,
            }) => What::PolicyVersion {
                version: policy.versions[*version].id.clone(),
                moved: moved.iter().map(|m| (name(m.item), m.from, m.to)).collect(),
                ends_risk: *ends_risk,
                ends_stale: ends_stale.iter().copied().map(name).collect(),
                ends_stages: ends_stages.iter().map(|(s, c)| (s.clone(), c.map(name))).collect(),
            },
        };
        ((date.at, what), date.avoided_by)
    };
    dates.iter().map(tell).collect()
}

/// What is said of `case`: by time alone, or through the events that come later.
fn forecast(
    events: &[Recorded],
    case: &Case,
    as_of: Timestamp,
    until: Timestamp,
) -> Option<Vec<(Date, Option<Kind>)>> {
    let history = History::of("a", events);
    let dates = forecast_through(&history, &case.policy, as_of, until)?;
    Some(told(&history, &case.policy, &dates))
}

fn seen(case: &Case, as_of: Timestamp) -> Vec<Recorded> {
    let is_seen = |r: &&Recorded| r.event.occurred_at <= as_of && r.recorded_at <= case.known_at;
    case.events.iter().filter(is_seen).cloned().collect()
}

/// Each case at its as-of and at the instant of its first event, where more is ahead.
fn asked(case: &Case) -> [Timestamp; 2] {
    let first = case.events.iter().map(|r| r.event.occurred_at).min().expect("an event");
    [case.as_of, first]
}

#[test]
fn the_dates_are_those_at_which_the_model_changes() {
    let mut counts = [0; 4];
    for mut case in seeds().map(case) {
        // As it stands, or under one of its readings.
        let reading = case.policy.readings().into_iter().next().filter(|_| case.seed % 3 == 0);
        if let Some(policy) = reading.and_then(|id| case.policy.with_reading(&id)) {
            case.policy = policy;
        }
        for as_of in asked(&case) {
            let seen = seen(&case, as_of);
            let history = History::of("a", &case.events);
            let view = fold(&history, &case.policy, as_of, case.known_at);
            let dates = view.map(|view| view.forecast(Timestamp::MAX)).unwrap_or_default();
            let told = told(&history, &case.policy, &dates);
            let expected = ahead::dates(&seen, &case.policy, as_of);
            let got: Vec<&Date> = told.iter().map(|(date, _)| date).collect();
            assert_eq!(got, expected.iter().collect::<Vec<_>>(), "as of {as_of}\n{}", case.show());
            for date in &dates {
                counts[date.what.coming() as usize] += 1;
                assert!(date.at > as_of);
            }
            // What lies behind the end is left out, and nothing else.
            if let Some((end, _)) = got.get(got.len() / 2) {
                for until in [ms(*end, -1), *end] {
                    let view = fold(&history, &case.policy, as_of, case.known_at);
                    let cut = view.expect("there are dates").forecast(until);
                    let by_then = dates.iter().filter(|date| date.at <= until);
                    assert!(cut.iter().eq(by_then), "until {until}\n{}", case.show());
                }
            }
        }
    }
    println!("item_expires, account_at_risk, backup_stale, stage_reached: {counts:?}");
    assert!(counts.iter().all(|count| *count > 20), "{counts:?}");
}

#[test]
fn the_dates_behind_assumed_events_are_those_at_which_the_model_changes() {
    for case in seeds().step_by(2).map(case) {
        let [middle, first] = asked(&case);
        for as_of in [middle, ms(first, -i64::from(case.seed % 4 == 0))] {
            let expected = ahead::dates(&case.events, &case.policy, as_of);
            let told = forecast(&case.events, &case, as_of, Timestamp::MAX).expect("an event");
            let got: Vec<&Date> = told.iter().map(|(date, _)| date).collect();
            let in_order: Vec<&Date> = expected.iter().collect();
            assert_eq!(got, in_order, "as of {as_of}\n{}", case.show());
        }
    }
}

fn act(kind: Kind, actor: Actor, at: Timestamp, subject: &str, revision: u64) -> Recorded {
    let name = || subject.to_owned();
    let category = || "photos".to_owned();
    let payload = match kind {
        Kind::PageViewed => Payload::PageViewed,
        Kind::SignedIn => Payload::SignedIn,
        Kind::SignInFailed => Payload::SignInFailed,
        Kind::FindDeviceOn => Payload::FindDeviceOn,
        Kind::FindDeviceOff => Payload::FindDeviceOff,
        Kind::Synced => Payload::Synced { category: category() },
        Kind::SyncOn => Payload::SyncOn { category: category() },
        Kind::SyncOff => Payload::SyncOff { category: category() },
        Kind::BackupOn => Payload::BackupOn,
        Kind::BackupOff => Payload::BackupOff { delete_backups: false },
        Kind::BackupCompleted => {
            Payload::BackupCompleted { backup: name(), bytes: 1, parts: Vec::new() }
        }
        Kind::BackupRestored => Payload::BackupRestored { backup: name() },
        Kind::BackupPurged => Payload::BackupPurged { backup: name(), cause: None },
        Kind::ItemUploaded => {
            Payload::ItemUploaded { item: name(), category: category(), bytes: 1 }
        }
        Kind::ItemModified => Payload::ItemModified { item: name(), bytes: None },
        Kind::ItemRestored => Payload::ItemRestored { item: name() },
        Kind::ItemTrashed => Payload::ItemTrashed { item: name() },
        Kind::ItemPurged => Payload::ItemPurged { item: name(), cause: None },
        Kind::TrashEmptied => Payload::TrashEmptied,
        Kind::AccountOpened => Payload::AccountOpened { tier: None },
        Kind::AccountUnfrozen => Payload::AccountUnfrozen,
        Kind::QuotaChanged => Payload::QuotaChanged { bytes: 1 },
        Kind::HoldPlaced => Payload::HoldPlaced { hold: name() },
        Kind::HoldReleased => Payload::HoldReleased { hold: name() },
        Kind::InactivityNotified => Payload::InactivityNotified,
        Kind::UploadRejected => Payload::UploadRejected { reason: name(), item: None },
        Kind::TierChanged => Payload::TierChanged { tier: name() },
        Kind::AccountFrozen | Kind::AccountTerminated | Kind::AccountClosed | Kind::DataCleared => {
            unreachable!("no act that avoids anything")
        }
    };
    let event = Event {
        id: format!("act{revision}"),
        account: "a".to_owned(),
        occurred_at: at,
        recorded_at: None,
        actor,
        surface: None,
        attributes: Default::default(),
        payload,
    };
    Recorded {
        event,
        position: 1_000_000 + revision,
        revision: 1_000_000 + revision,
        recorded_at: at,
        recorded_by: RecordedBy::Log,
    }
}

/// Acts that end an account, and those of the service.
const NOT_THE_USERS: [Kind; 9] = [
    Kind::AccountFrozen,
    Kind::AccountTerminated,
    Kind::AccountClosed,
    Kind::DataCleared,
    Kind::InactivityNotified,
    Kind::AccountUnfrozen,
    Kind::QuotaChanged,
    Kind::HoldPlaced,
    Kind::HoldReleased,
];

/// The act that is named, done a millisecond before, takes the date away; where none is named, no act
/// that the policy counts does.
#[test]
fn what_is_said_to_avoid_a_date_avoids_it() {
    let (mut avoided, mut not, mut of_stages) = (0, 0, [0; 2]);
    for seed in seeds() {
        let case = case(seed);
        for as_of in asked(&case) {
            let mut seen = seen(&case, as_of);
            let Some(dates) = forecast(&seen, &case, as_of, Timestamp::MAX) else { continue };
            let tier = testkit::model::Past::of(&seen, &case.policy, as_of, Timestamp::MAX);
            let tier = tier.map(|past| past.tier(past.len()).to_owned()).expect("an event");
            for ((at, what), avoided_by) in dates {
                let before = ms(at, -1);
                let (kinds, subject): (Vec<Kind>, _) = match (&what, avoided_by) {
                    (What::PolicyVersion { .. }, by) => {
                        assert_eq!(by, None);
                        continue;
                    }
                    (What::StageReached { stage, category }, by) => {
                        let date = (at, what.clone());
                        let acts = acts_against(stage, category.as_deref(), &seen, &case, before);
                        let rows = forecast_with(&mut seen, &case, as_of, &date, &acts);
                        let least = rows.iter().position(|is_there| !is_there);
                        let least = least.map(|n| acts[n].event.payload.kind());
                        assert_eq!(by, least, "{date:?} as of {as_of}\n{}", case.show());
                        avoided += usize::from(by.is_some());
                        of_stages[usize::from(by.is_some())] += 1;
                        continue;
                    }
                    (What::ItemExpires(item), Some(by)) => (vec![by], item.clone()),
                    (What::BackupStale(backup), Some(by)) => (vec![by], backup.clone()),
                    (What::AccountAtRisk, Some(by)) => (vec![by], "x".to_owned()),
                    (What::ItemExpires(_), None) => panic!("an item can be restored"),
                    (What::BackupStale(backup), None) => {
                        (vec![Kind::BackupCompleted], backup.clone())
                    }
                    (What::AccountAtRisk, None) => {
                        let resets = case.policy.version_at(before).resets;
                        let kinds = resets.iter().filter(|kind| !NOT_THE_USERS.contains(kind));
                        (kinds.collect(), "x".to_owned())
                    }
                };
                for kind in kinds {
                    let version = case.policy.version_at(before);
                    let counts = |actor: &Actor| version.actors.contains(*actor);
                    let actors = [Actor::User, Actor::Device, Actor::Support, Actor::Provider];
                    let actor = match what {
                        What::AccountAtRisk => actors.into_iter().find(counts),
                        _ => Some(Actor::User),
                    };
                    let Some(actor) = actor else { continue };
                    // Nobody views pages for a user.
                    if avoided_by.is_none() && actor != Actor::User {
                        continue;
                    }
                    let of_tier = kind == Kind::TierChanged;
                    let subject = if of_tier { &tier } else { &subject };
                    seen.push(act(kind, actor, before, subject, 0));
                    let after = forecast(&seen, &case, as_of, Timestamp::MAX).expect("an event");
                    seen.pop();
                    let is_there = after.iter().any(|(date, _)| *date == (at, what.clone()));
                    assert_eq!(
                        is_there,
                        avoided_by.is_none(),
                        "{kind} by {actor} before {at}: {what:?}, as of {as_of}\n{}",
                        case.show()
                    );
                    avoided += usize::from(!is_there);
                    not += usize::from(is_there);
                }
            }
        }
    }
    println!("{avoided} avoided, {not} not to be avoided; of stages {of_stages:?}");
    assert!(avoided > 100 && not > 20, "{avoided} {not}");
    assert!(of_stages.iter().all(|count| *count > 10), "{of_stages:?}");
}

/// Whether `date` is still there with each of `acts` by itself.
fn forecast_with(
    seen: &mut Vec<Recorded>,
    case: &Case,
    as_of: Timestamp,
    date: &Date,
    acts: &[Recorded],
) -> Vec<bool> {
    let is_there = |act: &Recorded| {
        seen.push(act.clone());
        let after = ahead::dates(seen, &case.policy, as_of);
        seen.pop();
        after.contains(date)
    };
    acts.iter().map(is_there).collect()
}

/// In order, the acts at `at` that are named as what avoids a stage (docs/forecast.md).
fn acts_against(
    stage: &str,
    category: Option<&str>,
    seen: &[Recorded],
    case: &Case,
    at: Timestamp,
) -> Vec<Recorded> {
    use Kind as K;
    let then = ms(at, 1);
    let when = case.policy.version_at(then).stages[stage].when;
    let past = testkit::model::Past::of(seen, &case.policy, at, Timestamp::MAX).expect("an event");
    let tier = past.tier(past.len()).to_owned();
    let limit = past.limit(past.len(), at);
    let walked = testkit::model::Walked::of(past);
    let by_user = |kind, subject: &str| act(kind, Actor::User, at, subject, 0);
    match when {
        When::TrashFull => vec![by_user(K::TrashEmptied, "")],
        When::OverQuota => {
            let live = walked.items.iter().filter(|(_, item)| item.state == ItemState::Live);
            let purges = live.map(|(name, _)| by_user(K::ItemPurged, name));
            let mut off = by_user(K::BackupOff, "");
            off.event.payload = Payload::BackupOff { delete_backups: true };
            [by_user(K::TrashEmptied, "")].into_iter().chain(purges).chain([off]).collect()
        }
        When::CategoryInactive => {
            let category = category.expect("each has its clock");
            let version = case.policy.version_at(at);
            let own =
                walked.items.iter().find(|(_, item)| item.category.as_deref() == Some(category));
            let mut acts = Vec::new();
            for (kind, actors) in BY_EFFORT {
                let names = match kind {
                    K::ItemModified | K::ItemRestored | K::ItemTrashed | K::ItemPurged => {
                        own.is_some()
                    }
                    K::Synced | K::SyncOn | K::SyncOff | K::ItemUploaded => true,
                    _ => false,
                };
                let counts =
                    version.everywhere.contains(kind) || (version.resets.contains(kind) && names);
                let actor = actors.iter().find(|actor| version.actors.contains(**actor));
                let Some(actor) = actor.filter(|_| counts) else { continue };
                let subject = match kind {
                    K::TierChanged => tier.clone(),
                    K::ItemModified | K::ItemRestored | K::ItemTrashed | K::ItemPurged => {
                        own.map_or("x", |(name, _)| name).to_owned()
                    }
                    _ => "x".to_owned(),
                };
                let mut act = act(kind, *actor, at, &subject, 0);
                let category = category.to_owned();
                act.event.payload = match act.event.payload {
                    Payload::SyncOn { .. } => Payload::SyncOn { category },
                    Payload::SyncOff { .. } => Payload::SyncOff { category },
                    Payload::Synced { .. } => Payload::Synced { category },
                    Payload::ItemUploaded { item, .. } => {
                        Payload::ItemUploaded { item, category, bytes: 0 }
                    }
                    Payload::QuotaChanged { .. } => {
                        Payload::QuotaChanged { bytes: limit.unwrap_or(u64::MAX) }
                    }
                    payload => payload,
                };
                acts.push(act);
            }
            acts
        }
    }
}

/// As the page on forecasts has it.
const BY_EFFORT: [(Kind, &[Actor]); 27] = {
    use Actor as A;
    use Kind as K;
    const OWN: &[Actor] = &[A::User, A::Device];
    const SERVICE: &[Actor] = &[A::Provider, A::Support];
    const ANYBODY: &[Actor] = Actor::ALL;
    [
        (K::PageViewed, &[A::User]),
        (K::SignedIn, OWN),
        (K::Synced, OWN),
        (K::FindDeviceOn, OWN),
        (K::SyncOn, OWN),
        (K::BackupOn, OWN),
        (K::BackupCompleted, OWN),
        (K::ItemUploaded, OWN),
        (K::ItemModified, OWN),
        (K::ItemRestored, ANYBODY),
        (K::BackupRestored, ANYBODY),
        (K::AccountOpened, &[A::User]),
        (K::TierChanged, ANYBODY),
        (K::InactivityNotified, SERVICE),
        (K::AccountUnfrozen, SERVICE),
        (K::QuotaChanged, SERVICE),
        (K::HoldPlaced, SERVICE),
        (K::HoldReleased, SERVICE),
        (K::SignInFailed, OWN),
        (K::UploadRejected, OWN),
        (K::FindDeviceOff, OWN),
        (K::SyncOff, OWN),
        (K::BackupOff, OWN),
        (K::ItemTrashed, ANYBODY),
        (K::BackupPurged, ANYBODY),
        (K::ItemPurged, ANYBODY),
        (K::TrashEmptied, ANYBODY),
    ]
};

/// Rules for the cases by hand: a year and half a year by the calendar, in UTC.
const RULES: &str = r#"
schema = 1
policy = "by-hand"
[[version]]
id = "v1"
[version.tiers.free]
trash = "30d"
[version.tiers.plus]
trash = "90d"
[version.trash]
basis = "tier_now"
[version.inactivity]
window = "1y"
resets = ["item_uploaded", "synced", "page_viewed"]
exempt_tiers = ["plus"]
[version.backup]
stale_after = "6mo"
"#;

/// The dates of account `a`, a line each: when, what, of what, by what avoided.
fn by_hand(policy: &str, lines: &str, as_of: &str) -> Vec<String> {
    let policy = Policy::parse(policy).expect("a sound policy");
    let history = History::of("a", &notation::events(lines));
    let as_of = notation::time(as_of);
    let dates = forecast_through(&history, &policy, as_of, Timestamp::MAX).expect("an event");
    let line = |((at, what), avoided_by): (Date, Option<Kind>)| {
        let what = match what {
            What::ItemExpires(item) => format!("item_expires {item}"),
            What::AccountAtRisk => "account_at_risk".to_owned(),
            What::BackupStale(backup) => format!("backup_stale {backup}"),
            What::StageReached { stage, category } => {
                format!("stage {stage}{}", category.map_or("".into(), |c| format!(" of {c}")))
            }
            What::PolicyVersion { version, moved, ends_risk, ends_stale, ends_stages } => {
                let never = |at: Option<Timestamp>| at.map_or("never".into(), |at| at.to_string());
                let moved = moved
                    .into_iter()
                    .map(|(item, from, to)| format!(" {item} {} -> {}", never(from), never(to)));
                let moved: String = moved.collect();
                let risk = if ends_risk { " ends risk" } else { "" };
                let stale: String =
                    ends_stale.iter().map(|backup| format!(" {backup} not stale")).collect();
                let stages: String = ends_stages
                    .iter()
                    .map(|(stage, category)| {
                        let of = category.as_ref().map_or("".into(), |c| format!(" of {c}"));
                        format!(" ends {stage}{of}")
                    })
                    .collect();
                format!("version {version}{moved}{risk}{stale}{stages}")
            }
        };
        let by = avoided_by.map_or("-", Kind::name);
        format!("{at} {what} / {by}")
    };
    told(&history, &policy, &dates).into_iter().map(line).collect()
}

const STORY: &str = "
2026-01-01       user item_uploaded item=i category=photos bytes=5
2026-01-10T12:00 user item_trashed item=i
2026-08-31T04:00 device backup_completed backup=b bytes=5
";

#[test]
fn each_word_by_hand() {
    // 10 January + 30 days: 21 of them in January, so 9 February. 1 January + a year, the trashing being
    // no activity. 31 August + 6 months: February 2027 has 28 days.
    let all = [
        "2026-02-09T12:00:00Z item_expires i / item_restored",
        "2027-01-01T00:00:00Z account_at_risk / page_viewed",
        "2027-02-28T04:00:00Z backup_stale b / backup_completed",
    ];
    assert_eq!(by_hand(RULES, STORY, "2026-01-10T12:00:00"), all);
    // What comes at the as-of is not ahead of it.
    assert_eq!(by_hand(RULES, STORY, "2026-02-09T11:59:59.999"), all);
    assert_eq!(by_hand(RULES, STORY, "2026-02-09T12:00:00"), all[1..]);
    assert_eq!(by_hand(RULES, STORY, "2026-12-31T23:59:59.999"), all[1..]);
    assert_eq!(by_hand(RULES, STORY, "2027-01-01T00:00:00"), all[2..]);
    assert_eq!(by_hand(RULES, STORY, "2027-02-28T03:59:59.999"), all[2..]);
    assert!(by_hand(RULES, STORY, "2027-02-28T04:00:00").is_empty());
}

#[test]
fn the_acts_by_hand_a_second_before() {
    let with = |line: &str| by_hand(RULES, &format!("{STORY}{line}"), "2026-01-10T12:00:00");
    let all = with("");
    // Restored in its last second the item stays; a second later it was too late.
    assert_eq!(with("2026-02-09T11:59:59 user item_restored item=i"), all[1..]);
    assert_eq!(with("2026-02-09T12:00:00 user item_restored item=i"), all);
    // The year begins anew with the page.
    let moved = "2027-12-31T23:59:59Z account_at_risk / page_viewed";
    let viewed = with("2026-12-31T23:59:59 user page_viewed");
    assert_eq!(viewed, [all[0].as_str(), &all[2], moved]);
    // 28 February + 6 months is 28 August, at the same time of day.
    let moved = "2027-08-28T03:59:59Z backup_stale b / backup_completed";
    let completed = with("2027-02-28T03:59:59 device backup_completed backup=b bytes=5");
    assert_eq!(completed, [all[0].as_str(), &all[1], moved]);
}

#[test]
fn versions_by_hand() {
    let later = |id: &str, from: &str, rules: &str| {
        format!("[[version]]\nid = \"{id}\"\neffective_from = \"{from}\"\n{rules}")
    };
    // 90 days without activity are over on 1 April, so the account is at risk when the rule comes, in
    // June; and no longer from July on, until its year is over. No act before June is one by v1.
    let short = "[version.tiers.free]\ntrash = \"30d\"\n[version.inactivity]\nwindow = \"90d\"\n\
                 resets = [\"signed_in\"]\n[version.backup]\nstale_after = \"1mo\"\n";
    let policy = [
        RULES,
        &later("v2", "2026-06-01T00:00:00Z", short),
        &later("v3", "2026-07-01T00:00:00Z", &short.replace("90d", "1y").replace("1mo", "6mo")),
    ]
    .concat();
    let story = "
        2026-01-01 user item_uploaded item=i category=photos bytes=5
        2026-02-28 device backup_completed backup=b bytes=5";
    assert_eq!(
        by_hand(&policy, story, "2026-03-01"),
        [
            "2026-06-01T00:00:00Z account_at_risk / page_viewed",
            "2026-06-01T00:00:00Z backup_stale b / backup_completed",
            "2026-07-01T00:00:00Z version v3 ends risk b not stale / -",
            "2026-08-28T00:00:00Z backup_stale b / backup_completed",
            "2027-01-01T00:00:00Z account_at_risk / signed_in",
        ]
    );
    // 20 December + 30 days is 19 January. From 1 January 5 days count: anew until the 6th; from the
    // trashing until the 25th, which is past, so at the change; or not at all for what is there.
    let trashed = "2025-12-20 user item_trashed item=i";
    for (on_change, expected) in [
        (
            "restart",
            &[
                "2026-01-01T00:00:00Z version v2 i 2026-01-19T00:00:00Z -> 2026-01-06T00:00:00Z / -",
                "2026-01-06T00:00:00Z item_expires i / item_restored",
            ][..],
        ),
        (
            "retroactive",
            &[
                "2026-01-01T00:00:00Z version v2 i 2026-01-19T00:00:00Z -> 2026-01-01T00:00:00Z / -",
                "2026-01-01T00:00:00Z item_expires i / item_restored",
            ],
        ),
        ("grandfather", &["2026-01-19T00:00:00Z item_expires i / item_restored"]),
    ] {
        let rules = format!("on_change = \"{on_change}\"\n[version.tiers.free]\ntrash = \"5d\"\n");
        let policy = [
            &RULES.replace("\"1y\"", "\"never\""),
            &later("v2", "2026-01-01T00:00:00Z", &rules)[..],
        ]
        .concat();
        assert_eq!(by_hand(&policy, trashed, "2025-12-31T23:59:59.999"), expected, "{on_change}");
    }
}

#[test]
fn tiers_and_standing_by_hand() {
    // 1 January + 90 days of plus: 30 in January, 28, 31, and one more is 1 April. Free on 1 March, the 30
    // days are past: it ends then. Plus is exempt; free it is at risk when the year is over.
    let plus = "
        2026-01-01 user account_opened tier=plus
        2026-01-01 user item_trashed item=i\n";
    let now = "2026-02-01";
    assert_eq!(by_hand(RULES, plus, now), ["2026-04-01T00:00:00Z item_expires i / item_restored"]);
    let lapsed = format!("{plus}2026-03-01 provider tier_changed tier=free\n");
    assert_eq!(
        by_hand(RULES, &lapsed, now),
        [
            "2026-03-01T00:00:00Z item_expires i / item_restored",
            "2027-01-01T00:00:00Z account_at_risk / page_viewed",
        ]
    );
    // After the year the change of tier itself brings the risk.
    let late = format!("{plus}2027-02-01 provider tier_changed tier=free\n");
    let risk = "2027-02-01T00:00:00Z account_at_risk / page_viewed";
    assert_eq!(by_hand(RULES, &late, "2026-05-01"), [risk]);
    // What is frozen is not at risk; unfrozen it is.
    let frozen = format!("{lapsed}2026-04-01 provider account_frozen\n");
    assert_eq!(by_hand(RULES, &frozen, "2026-05-01"), [""; 0]);
    let unfrozen = format!("{frozen}2027-03-01 provider account_unfrozen\n");
    let risk = "2027-03-01T00:00:00Z account_at_risk / page_viewed";
    assert_eq!(by_hand(RULES, &unfrozen, "2026-05-01"), [risk]);
    // No window: nothing that could be done before.
    let none = RULES.replace("\"1y\"", "\"0d\"").replace("\"30d\"", "\"0d\"");
    let at_once = "
        2026-01-01 user page_viewed
        2026-06-01 user item_trashed item=i";
    assert_eq!(by_hand(&none, at_once, "2026-01-01"), ["2026-06-01T00:00:00Z item_expires i / -"]);
    let risk = "2026-01-01T00:00:00Z account_at_risk / -";
    assert_eq!(by_hand(&none, at_once, "2025-12-31")[..1], [risk]);
}

#[test]
fn the_last_instant_by_hand() {
    // 15 December + 16 days is the last instant there is; a millisecond later, or a day more, is never.
    let rules = RULES.replace("\"30d\"", "\"16d\"");
    let trashed = "9999-12-15T23:59:59.999 user item_trashed item=i";
    let last = "9999-12-31T23:59:59.999Z item_expires i / item_restored";
    assert_eq!(by_hand(&rules, trashed, "9999-12-16"), [last]);
    assert_eq!(by_hand(&rules, trashed, "9999-12-31T23:59:59.998"), [last]);
    assert_eq!(by_hand(&rules, trashed, "9999-12-31T23:59:59.999"), [""; 0]);
    let later = "9999-12-16T00:00 user item_trashed item=i";
    assert_eq!(by_hand(&rules, later, "9999-12-16"), [""; 0]);
    assert_eq!(by_hand(&RULES.replace("\"30d\"", "\"17d\""), trashed, "9999-12-16"), [""; 0]);
}

/// 10 bytes; frozen after three months over them, and a category may be purged after a year without use.
const STAGES: &str = r#"
schema = 1
policy = "by-hand"
[[version]]
id = "v1"
[version.tiers.free]
quota = "10B"
trash = "30d"
[version.inactivity]
resets = ["synced"]
everywhere = ["signed_in"]
[version.stages.frozen]
when = "over_quota"
after = "3mo"
admits = ["freeze"]
[version.stages.idle]
when = "category_inactive"
after = "1y"
admits = ["purge"]
"#;

#[test]
fn stages_by_hand() {
    // Over from 1 January on, by two live items: 3 months are over on 1 April. A sign-in counts in every
    // category, and asks more than nothing less does.
    let over = "
        2026-01-01 user item_uploaded item=a category=photos bytes=8
        2026-01-01 user item_uploaded item=b category=photos bytes=5\n";
    let all = [
        "2026-04-01T00:00:00Z stage frozen / item_purged",
        "2027-01-01T00:00:00Z stage idle of photos / signed_in",
    ];
    assert_eq!(by_hand(STAGES, over, "2026-01-01"), all);
    assert_eq!(by_hand(STAGES, over, "2026-03-31T23:59:59.999"), all);
    // What is reached is not ahead.
    assert_eq!(by_hand(STAGES, over, "2026-04-01"), all[1..]);
    // A millisecond before, the purge breaks it; at the instant it is too late.
    let purged =
        |at: &str| by_hand(STAGES, &format!("{over}{at} user item_purged item=a"), "2026-02-01");
    assert_eq!(purged("2026-03-31T23:59:59.999"), all[1..]);
    assert_eq!(purged("2026-04-01"), all);
    // Only synced and signed_in count in a category; the clock is that of photos alone.
    let synced = format!(
        "{over}2026-06-01 device synced category=notes\n2026-07-01 device synced category=photos\n"
    );
    assert_eq!(
        by_hand(STAGES, &synced, "2026-07-01"),
        [
            "2027-06-01T00:00:00Z stage idle of notes / signed_in",
            "2027-07-01T00:00:00Z stage idle of photos / signed_in",
        ]
    );
    // One of them in the trash: it falls on 31 January and ends it, so there is no date for the stage.
    let trashed = format!("{over}2026-01-01 user item_trashed item=b\n");
    assert_eq!(
        by_hand(STAGES, &trashed, "2026-01-01"),
        ["2026-01-31T00:00:00Z item_expires b / item_restored", all[1]]
    );
    // In the trash until 1 April itself it ends at that instant, which is not reached; until the 2nd it is.
    for (window, reached) in [("90d", false), ("91d", true)] {
        let rules = STAGES.replace("\"30d\"", &format!("\"{window}\""));
        let dates = by_hand(&rules, &trashed, "2026-01-01");
        let frozen = "2026-04-01T00:00:00Z stage frozen / trash_emptied".to_owned();
        assert_eq!(dates.contains(&frozen), reached, "{window}: {dates:?}");
    }
    // Backups alone: deleting them is what is left.
    let backup = "2026-01-01 device backup_completed backup=p bytes=11";
    assert_eq!(
        by_hand(STAGES, backup, "2026-01-01"),
        ["2026-04-01T00:00:00Z stage frozen / backup_off"]
    );
    // Neither the one nor the other suffices.
    let both = format!("{backup}\n2026-01-01 user item_uploaded item=a category=photos bytes=11\n");
    assert_eq!(by_hand(STAGES, &both, "2026-01-01")[0], "2026-04-01T00:00:00Z stage frozen / -");
    // A version with more room ends it, and one with less time reaches it.
    let later = |quota: &str, after: &str| {
        let rest = STAGES.split_once("[version.tiers").expect("rules").1;
        let rest = rest.replace("10B", quota).replace("3mo", after);
        format!(
            "{STAGES}[[version]]\nid = \"v2\"\neffective_from = \"2026-05-01T00:00:00Z\"\n[version.tiers{rest}"
        )
    };
    assert_eq!(
        by_hand(&later("20B", "3mo"), over, "2026-04-01"),
        ["2026-05-01T00:00:00Z version v2 ends frozen / -", all[1]]
    );
    let sooner = later("10B", "1mo").replace("3mo", "9mo");
    assert_eq!(
        by_hand(&sooner, over, "2026-04-01")[0],
        "2026-05-01T00:00:00Z stage frozen / item_purged"
    );
}

/// Three months over quota freeze a OneDrive, six let it be deleted; the preset's own clocks.
#[test]
fn onedrive_by_hand() {
    let presets = policy::presets();
    let (_, preset) =
        presets.iter().find(|(name, _)| *name == "onedrive-personal").expect("it is there");
    let over = "2026-01-01 user item_uploaded item=a category=photos bytes=5368709121";
    let dates = by_hand(preset, over, "2026-01-01");
    let stages: Vec<&String> = dates.iter().filter(|date| date.contains(" stage ")).collect();
    println!("{dates:#?}");
    assert!(stages.iter().any(|date| date.starts_with("2026-04-01T00:00:00Z")), "{dates:?}");
    assert!(stages.iter().any(|date| date.starts_with("2026-07-01T00:00:00Z")), "{dates:?}");
    assert!(stages.iter().all(|date| date.ends_with("/ item_purged")), "{dates:?}");
}

/// What Google Drive's preset brings a free account: 18 of 15 GB from 15 January 2024 on, something in the
/// trash since 1 February, the last sign-in on 1 March.
#[test]
fn google_by_hand() {
    let presets = policy::presets();
    let (_, preset) =
        presets.iter().find(|(name, _)| *name == "google-drive").expect("it is there");
    let story = "
        2024-01-10 user item_uploaded item=a category=drive bytes=10000000000
        2024-01-10 user item_uploaded item=c category=drive bytes=5
        2024-01-15 user item_uploaded item=b category=drive bytes=8000000000
        2024-02-01 user item_trashed item=c
        2024-03-01 user signed_in\n";
    // 1 February + 30 days: 29 of them in February, so 2 March. Over the limit since 15 January, + 2 years;
    // the trashing names a file of Drive, and a sign-in no product; both keep the account.
    let all = [
        "2024-03-02T00:00:00Z item_expires c / item_restored",
        "2026-01-15T00:00:00Z stage over-quota / item_purged",
        "2026-02-01T00:00:00Z stage product-inactive of drive / page_viewed",
        "2026-03-01T00:00:00Z account_at_risk / page_viewed",
    ];
    assert_eq!(by_hand(preset, story, "2024-03-01"), all);
    assert_eq!(by_hand(preset, story, "2026-01-14T23:59:59.999"), all[1..]);
    assert_eq!(by_hand(preset, story, "2026-01-15"), all[2..]);
    assert_eq!(by_hand(preset, story, "2026-02-01"), all[3..]);
    assert_eq!(by_hand(preset, story, "2026-03-01"), [""; 0]);
    // A page in time begins both years of use anew, and not those over the limit; too late it does the same.
    for at in ["2026-01-31T23:59:59.999", "2026-02-01"] {
        let viewed = format!("{story}{at} user page_viewed\n");
        let dates = by_hand(preset, &viewed, "2025-12-01");
        let is_late = at == "2026-02-01";
        assert_eq!(dates[0], all[1]);
        assert_eq!(dates.contains(&all[2].to_owned()), is_late, "{at}: {dates:?}");
        let anew = if is_late { "2028-02-01T00:00:00Z" } else { "2028-01-31T23:59:59.999Z" };
        let expected = [
            format!("{anew} stage product-inactive of drive / page_viewed"),
            format!("{anew} account_at_risk / page_viewed"),
        ];
        assert_eq!(dates[dates.len() - 2..], expected, "{at}");
    }
    // A member is exempt and has no limit here: the trash alone.
    let member = format!("2024-01-01 user account_opened tier=one\n{story}");
    assert_eq!(by_hand(preset, &member, "2024-03-01"), all[..1]);
}

/// What is said to be ahead of an erased history is ahead in every completion.
#[test]
fn dates_of_an_erased_history_are_certain() {
    let mut counts = [0, 0];
    for seed in 0..seeds().end.max(4_000) {
        let case = case(seed);
        let mut rng = fastrand::Rng::with_seed(seed ^ 0xda7e);
        let erasure = Erasure::random(&mut rng, &case);
        let history = erasure.history();
        let completions = [erasure.events.clone(), erasure.completion(&mut rng, &case)];
        let first = case.boundaries[case.boundaries.len() / 2];
        for as_of in [case.as_of, first] {
            let by_time = |history: &History| {
                let view = fold(history, &case.policy, as_of, Timestamp::MAX)?;
                Some(told(history, &case.policy, &view.forecast(Timestamp::MAX)))
            };
            let through = |history: &History| {
                let dates = forecast_through(history, &case.policy, as_of, Timestamp::MAX)?;
                Some(told(history, &case.policy, &dates))
            };
            let said = [by_time(&history), through(&history)];
            for events in &completions {
                // An erased event is none of those that come later.
                let mut seen: Vec<Recorded> = events.clone();
                seen.retain(|r| {
                    let left = erasure.left[r.revision as usize];
                    r.event.occurred_at <= as_of || !matches!(left, Left::Leaf(_))
                });
                let whole = History::of("a", &seen);
                for (said, whole) in said.iter().zip([by_time(&whole), through(&whole)]) {
                    let (Some(said), Some(whole)) = (said, whole) else { continue };
                    counts[0] += said.len();
                    counts[1] += whole.len();
                    for date in said {
                        let is_there = whole.iter().any(|other| holds_in(date, other));
                        assert!(
                            is_there,
                            "{date:?} is not among {whole:?}\nas of {as_of}, left {:?}\n{}{}",
                            erasure.left,
                            notation::ndjson(events),
                            case.show()
                        );
                    }
                }
            }
        }
    }
    // A good part of what is ahead is said.
    assert!(counts[0] * 4 > counts[1], "{counts:?}");
}

/// Whether a date is another, or of a version says no more than that.
fn holds_in(date: &(Date, Option<Kind>), other: &(Date, Option<Kind>)) -> bool {
    let ((at, what), avoided) = date;
    let ((other_at, other_what), other_avoided) = other;
    match (what, other_what) {
        (
            What::PolicyVersion { version, moved, ends_risk, ends_stale, ends_stages },
            What::PolicyVersion {
                version: other,
                moved: all_moved,
                ends_risk: risk,
                ends_stale: stale,
                ends_stages: stages,
            },
        ) => {
            at == other_at
                && version == other
                && moved.iter().all(|m| all_moved.contains(m))
                && (!ends_risk || *risk)
                && ends_stale.iter().all(|s| stale.contains(s))
                && ends_stages.iter().all(|s| stages.contains(s))
        }
        _ => (at, what, avoided) == (other_at, other_what, other_avoided),
    }
}
