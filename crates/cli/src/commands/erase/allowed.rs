//! What forbids an erasure: a hold that stands, and a floor below which records are kept.

use event::{History, Kind, Timestamp};
use policy::Policy;

use crate::failure::Failure;
use crate::show::amount::{count, counted};
use crate::show::escape::escaped;

/// Names are listed up to so many.
const LISTED: usize = 5;

/// The holds of an account that stand at an instant, by name.
pub fn holds(history: &History, at: Timestamp) -> Vec<&str> {
    let mut standing: Vec<&str> = Vec::new();
    for step in history.steps.iter().filter(|step| step.occurred_at <= at) {
        let hold = step.subject.map(|subject| history.names.get(subject));
        match (step.kind, hold) {
            (Kind::HoldPlaced, Some(hold)) if !standing.contains(&hold) => standing.push(hold),
            (Kind::HoldReleased, Some(hold)) => standing.retain(|standing| *standing != hold),
            _ => {}
        }
    }
    standing.sort_unstable();
    standing
}

/// Refuses where a hold stands.
pub fn no_hold(history: &History, at: Timestamp) -> Result<(), Failure> {
    let holds = holds(history, at);
    if holds.is_empty() {
        return Ok(());
    }
    let mut listed: Vec<String> =
        holds.iter().take(LISTED).map(|hold| escaped(hold).to_string()).collect();
    if holds.len() > LISTED {
        listed.push(format!("{} more", holds.len() - LISTED));
    }
    let (holds, stand) = if holds.len() == 1 { ("hold", "stands") } else { ("holds", "stand") };
    Err(Failure::Refused(format!(
        "account {}: the {holds} {} {stand}, so nothing of it is erased; an event `hold_released` ends a hold",
        escaped(&history.account),
        listed.join(", ")
    )))
}

/// Refuses where the policy in force at `now` keeps the record of one of these events still.
pub fn no_floor(times: &[Timestamp], policy: &Policy, now: Timestamp) -> Result<(), Failure> {
    let version = policy.version_at(now);
    if version.keep == policy::Window::Never {
        return Ok(());
    }
    let (mut kept, mut until) = (0u64, Some(now));
    for at in times {
        match version.keep.after(*at, &policy.zone) {
            Some(due) if due <= now => {}
            due => {
                kept += 1;
                until = due.zip(until).map(|(due, until)| due.max(until));
            }
        }
    }
    if kept == 0 {
        return Ok(());
    }
    let until = until.map_or("for ever".to_owned(), |until| format!("until {until}"));
    Err(Failure::Refused(format!(
        "the policy {}, version {}, keeps records for {}: of the {} that this asks for, {} {} kept {until}",
        escaped(&policy.name),
        escaped(&version.id),
        version.keep,
        counted(times.len() as u64, "event"),
        count(kept),
        if kept == 1 { "is" } else { "are" },
    )))
}

#[cfg(test)]
mod tests {
    use event::{Recorded, RecordedBy, read_line};

    use super::*;

    fn at(text: &str) -> Timestamp {
        Timestamp::parse(text).expect("a time")
    }

    fn history(lines: &[&str]) -> History {
        let events: Vec<Recorded> = (0u64..)
            .zip(lines)
            .map(|(n, line)| {
                let event = read_line(line.as_bytes()).expect("an event");
                Recorded {
                    recorded_at: event.occurred_at,
                    event,
                    position: n,
                    revision: n,
                    recorded_by: RecordedBy::Log,
                }
            })
            .collect();
        History::of("a", &events)
    }

    #[test]
    fn a_hold_stands_until_it_is_released() {
        let history = history(&[
            r#"{"id":"1","account":"a","occurred_at":"2026-01-01T00:00:00Z","kind":"hold_placed","hold":"z","actor":"provider"}"#,
            r#"{"id":"2","account":"a","occurred_at":"2026-01-02T00:00:00Z","kind":"hold_placed","hold":"b","actor":"provider"}"#,
            r#"{"id":"3","account":"a","occurred_at":"2026-01-03T00:00:00Z","kind":"hold_released","hold":"z","actor":"provider"}"#,
            r#"{"id":"4","account":"a","occurred_at":"2026-01-04T00:00:00Z","kind":"hold_released","hold":"b","actor":"provider"}"#,
        ]);
        let none: &[&str] = &[];
        for (time, expected) in [
            ("2025-12-31T23:59:59.999Z", none),
            ("2026-01-01T00:00:00Z", &["z"]),
            ("2026-01-02T00:00:00Z", &["b", "z"]),
            ("2026-01-03T00:00:00Z", &["b"]),
            ("2026-01-03T23:59:59.999Z", &["b"]),
            ("2026-01-04T00:00:00Z", none),
        ] {
            assert_eq!(holds(&history, at(time)), expected, "{time}");
        }
        let refused = no_hold(&history, at("2026-01-02T00:00:00Z")).unwrap_err();
        assert!(refused.message().unwrap().contains("the holds b, z stand"));
        assert!(no_hold(&history, at("2026-01-04T00:00:00Z")).is_ok());
    }

    #[test]
    fn a_record_is_kept_until_it_is_due() {
        let text = "schema = 1\npolicy = \"p\"\n[[version]]\nid = \"v\"\ntiers.a = {}\nrecords.keep = \"1y\"\n\
                    [[version]]\nid = \"w\"\neffective_from = 2030-01-01T00:00:00Z\ntiers.a = {}\n";
        let policy = Policy::parse(text).expect("a policy");
        let times = [at("2024-02-29T12:00:00Z"), at("2025-03-01T12:00:00Z")];
        let refused = |now: &str| {
            let refused = no_floor(&times, &policy, at(now)).err()?;
            Some(refused.message().expect("a sentence").to_owned())
        };
        let both = refused("2025-02-28T11:59:59.999Z").unwrap();
        assert!(
            both.ends_with("2 events that this asks for, 2 are kept until 2026-03-01T12:00:00Z")
        );
        let one = refused("2025-02-28T12:00:00Z").unwrap();
        assert!(one.ends_with("2 events that this asks for, 1 is kept until 2026-03-01T12:00:00Z"));
        assert!(refused("2026-03-01T11:59:59.999Z").is_some());
        assert_eq!(refused("2026-03-01T12:00:00Z"), None);
        // The version in force decides, and this one says nothing.
        assert_eq!(
            no_floor(&[at("2029-12-31T00:00:00Z")], &policy, at("2030-01-01T00:00:00Z"))
                .err()
                .map(|_| ()),
            None
        );
    }
}
