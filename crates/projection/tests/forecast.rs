//! Forecasts held against the model, which looks at the account as of one instant after the other; against
//! what comes of the acts that are said to avoid a date; and against dates worked out by hand.

use std::collections::BTreeSet;

use event::{Actor, Event, History, Kind, Payload, Recorded, RecordedBy, Timestamp};
use policy::Policy;
use stillthere_projection::{ForecastDate, Foreseen, Stage, fold, forecast_through};
use testkit::histories::{Case, case};
use testkit::model::ahead::{self, Date, What};
use testkit::notation;

/// Cases of each property; `STILLTHERE_CASES` asks for more.
fn seeds() -> std::ops::Range<u64> {
    let count = std::env::var("STILLTHERE_CASES").ok().and_then(|n| n.parse().ok());
    let from = std::env::var("STILLTHERE_SEED").ok().and_then(|n| n.parse().ok()).unwrap_or(0);
    from..from + count.unwrap_or(3_000)
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
            Foreseen::Stage(Stage::PolicyVersion { version, moved, ends_risk, ends_stale }) => {
                What::PolicyVersion {
                    version: policy.versions[*version].id.clone(),
                    moved: moved.iter().map(|m| (name(m.item), m.from, m.to)).collect(),
                    ends_risk: *ends_risk,
                    ends_stale: ends_stale.iter().copied().map(name).collect(),
                }
            }
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
    for seed in seeds() {
        let case = case(seed);
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
    for seed in seeds() {
        let case = case(seed);
        let first = case.events.iter().map(|r| r.event.occurred_at).min().expect("an event");
        for as_of in [first, ms(first, -1), case.as_of] {
            let expected = ahead::dates(&case.events, &case.policy, as_of);
            let told = forecast(&case.events, &case, as_of, Timestamp::MAX).expect("an event");
            let got: BTreeSet<Date> = told.iter().map(|(date, _)| date.clone()).collect();
            assert_eq!(got.len(), told.len(), "a date is listed twice\n{}", case.show());
            assert_eq!(got, expected, "as of {as_of}\n{}", case.show());
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
    let (mut avoided, mut not) = (0, 0);
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
    println!("{avoided} avoided, {not} not to be avoided");
    assert!(avoided > 100 && not > 20, "{avoided} {not}");
}
