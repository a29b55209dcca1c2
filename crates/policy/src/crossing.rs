//! A window asked backwards: from which starts it ends by an instant, and from which it does not.
//!
//! Of windows of 24-hour days the later start ends later, so there is one such border. By the calendar
//! it need not: a month from 30 January ends at the same wall time of 28 February as one from the 31st,
//! and where a clock is put forward a wall time that does not exist comes after one that does. So all
//! borders are given. Between them the answer is one.

use event::{Timestamp, civil_from_days, days_from_civil, days_in_month};

use crate::{Days, TrashRules, Version, Window, Zone};

const DAY_MS: i64 = 86_400_000;
/// Days to each side of the day that the calendar gives: three are cut off at the end of a month, two
/// lie between the offsets of any zone, one is the last local day's end.
const DAYS_BESIDE: i64 = 7;

impl Version {
    /// The first instant of which the records are not due at `at`: what occurred before it is due, all of
    /// it. `None`: nothing is due. By the calendar something behind it may be due as well, by a day at most:
    /// a month from 29 January ends on 28 February at the same time of day as one from the 28th.
    #[must_use]
    pub fn due_before(&self, at: Timestamp, zone: &Zone) -> Option<Timestamp> {
        crossings(Days::Exact, self.keep, at, zone).first().copied()
    }
}

impl TrashRules {
    /// The instants `t`, in order, at which [`TrashRules::deadline`] of a window that starts at `t` comes
    /// to lie after `limit` though from `t` less a millisecond it does not, or the other way round.
    #[must_use]
    pub fn crossings(&self, window: Window, limit: Timestamp, zone: &Zone) -> Vec<Timestamp> {
        crossings(self.days, window, limit, zone)
    }
}

fn crossings(days: Days, window: Window, limit: Timestamp, zone: &Zone) -> Vec<Timestamp> {
    let ends_by = |start_ms: i64| {
        let start = Timestamp::from_ms(start_ms)?;
        Some(days.deadline(start, window, zone).is_some_and(|end| end <= limit))
    };
    let pieces = match (window.fixed_ms(), days) {
        (None, _) if window == Window::Never => return Vec::new(),
        (Some(ms), Days::Exact) => vec![limit.ms() - ms + 1],
        _ => pieces(window, limit, zone),
    };
    let mut found = Vec::new();
    for (n, &from) in pieces.iter().enumerate() {
        if ends_by(from - 1).zip(ends_by(from)).is_some_and(|(before, at)| before != at) {
            found.extend(Timestamp::from_ms(from));
        }
        let Some(&next) = pieces.get(n + 1) else { break };
        // Within a piece the end moves with the start or not at all: it passes `limit` once.
        let (mut low, mut high) = (from, next - 1);
        if low >= high || ends_by(low) == ends_by(high) {
            continue;
        }
        while high - low > 1 {
            let middle = low + (high - low) / 2;
            if ends_by(middle) == ends_by(low) { low = middle } else { high = middle }
        }
        found.extend(Timestamp::from_ms(high));
    }
    found
}

/// Where, near the starts from which `window` ends near `limit`, its end may stop moving with its start:
/// at local midnights, at changes of the zone, and where the end meets one.
fn pieces(window: Window, limit: Timestamp, zone: &Zone) -> Vec<i64> {
    let local = zone.local_ms(limit);
    let day = day_before(window, local.div_euclid(DAY_MS));
    let from = zone.instant_ms((day - DAYS_BESIDE) * DAY_MS);
    let until = zone.instant_ms((day + DAYS_BESIDE) * DAY_MS);
    let beside = DAYS_BESIDE * DAY_MS;
    let near_end = zone.changes_within(limit.ms() - beside, limit.ms() + beside);
    let near_start = zone.changes_within(from, until);
    let mut times = vec![0, local.rem_euclid(DAY_MS)];
    for (at, before, after) in near_end {
        times.extend([(at + before).rem_euclid(DAY_MS), (at + after).rem_euclid(DAY_MS)]);
    }
    let offsets = near_start.iter().flat_map(|(_, before, after)| [*before, *after]);
    let offsets: Vec<i64> = offsets.collect();
    let mut pieces = vec![from, until];
    pieces.extend(near_start.iter().map(|(at, _, _)| *at));
    for day in day - DAYS_BESIDE..=day + DAYS_BESIDE {
        for time in &times {
            let wall = day * DAY_MS + time;
            pieces.push(zone.instant_ms(wall));
            pieces.extend(offsets.iter().map(|offset| wall - offset));
        }
    }
    pieces.sort_unstable();
    pieces.dedup();
    pieces
}

/// The day, counted from 1970-01-01, this window before a day: near enough.
fn day_before(window: Window, day: i64) -> i64 {
    let months = match window {
        Window::Never => return day,
        Window::Days(n) => return day - i64::from(n),
        Window::Months(n) => i64::from(n),
        Window::Years(n) => 12 * i64::from(n),
    };
    let (year, month, date) = civil_from_days(day);
    let month_from_0 = month - 1 - months;
    let (year, month) = (year + month_from_0.div_euclid(12), month_from_0.rem_euclid(12) + 1);
    days_from_civil(year, month, date.min(days_in_month(year, month)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rules(days: Days) -> TrashRules {
        let text = "schema = 1\npolicy = \"p\"\n[[version]]\nid = \"v\"\ntiers.a = {}\n";
        let policy = crate::Policy::parse(text).expect("a policy");
        TrashRules { days, ..policy.versions[0].trash.clone() }
    }

    fn at(text: &str) -> Timestamp {
        Timestamp::parse(text).expect("a time")
    }

    #[test]
    fn records_are_due_from_their_border_on() {
        let due_before = |keep, at_: &str, zone: &str| {
            let text = "schema = 1\npolicy = \"p\"\n[[version]]\nid = \"v\"\ntiers.a = {}\n";
            let mut version = crate::Policy::parse(text).expect("a policy").versions.remove(0);
            version.keep = keep;
            let due = version.due_before(at(at_), &Zone::new(zone).expect("a zone"));
            due.map(|due| due.to_string())
        };
        let days = |at| due_before(Window::Days(30), at, "UTC");
        // What occurred at 00:00 of the 1st is due at 00:00 of the 31st, and not a millisecond sooner.
        assert_eq!(days("2026-01-31T00:00:00Z").unwrap(), "2026-01-01T00:00:00.001Z");
        assert_eq!(days("2026-01-30T23:59:59.999Z").unwrap(), "2026-01-01T00:00:00Z");
        // Three years from 29 February 2024 end on 28 February 2027, as do those from the 28th: at noon of
        // that day, what occurred on the 28th in the afternoon is not due yet.
        let years = |at| due_before(Window::Years(3), at, "UTC");
        assert_eq!(years("2027-02-28T12:00:00Z").unwrap(), "2024-02-28T12:00:00.001Z");
        assert_eq!(years("2027-02-28T23:59:59.999Z").unwrap(), "2024-03-01T00:00:00Z");
        // By the calendar of the zone: 00:00 in Shanghai.
        let there = due_before(Window::Years(1), "2026-12-31T16:00:00Z", "Asia/Shanghai");
        assert_eq!(there.unwrap(), "2025-12-31T16:00:00.001Z");
        assert_eq!(due_before(Window::Never, "2026-01-01T00:00:00Z", "UTC"), None);
        assert_eq!(due_before(Window::Days(1), "0001-01-01T00:00:00Z", "UTC"), None);
    }

    #[test]
    fn the_borders_worked_out_by_hand() {
        let crossings = |days, window, limit, zone: &str| {
            let zone = Zone::new(zone).expect("a zone");
            let found = rules(days).crossings(window, at(limit), &zone);
            found.iter().map(Timestamp::to_string).collect::<Vec<_>>()
        };
        // 30 × 24 h before, and the millisecond after it ends after the limit.
        let thirty = crossings(Days::Exact, Window::Days(30), "2026-01-31T12:00:00Z", "UTC");
        assert_eq!(thirty, ["2026-01-01T12:00:00.001Z"]);
        // From 28 to 31 January a month ends on 28 February: by 23:58 from each day up to 23:58.
        let month = crossings(Days::Exact, Window::Months(1), "2026-02-28T23:58:00Z", "UTC");
        assert_eq!(
            month,
            [
                "2026-01-28T23:58:00.001Z",
                "2026-01-29T00:00:00Z",
                "2026-01-29T23:58:00.001Z",
                "2026-01-30T00:00:00Z",
                "2026-01-30T23:58:00.001Z",
                "2026-01-31T00:00:00Z",
                "2026-01-31T23:58:00.001Z"
            ]
        );
        // One local day ends at 00:00 of the date + 2, in Shanghai 16:00 UTC of the date + 1: by the
        // very midnight of 3 January from all of 1 January there, and not from the 2nd on.
        let dates =
            crossings(Days::LocalDates, Window::Days(1), "2026-01-02T16:00:00Z", "Asia/Shanghai");
        assert_eq!(dates, ["2026-01-01T16:00:00Z"]);
        assert!(crossings(Days::Exact, Window::Never, "2026-01-02T16:00:00Z", "UTC").is_empty());
    }

    /// Between borders nothing changes: every seven minutes around the clock changes of New York, the ends
    /// of months and 29 February.
    #[test]
    fn between_borders_the_answer_is_one() {
        const STEP_MS: i64 = 420_000;
        let zone = Zone::new("America/New_York").expect("a zone");
        let limits = [
            "2026-03-08T06:59:59.999Z",
            "2026-03-08T07:30:00Z",
            "2026-11-01T05:30:00Z",
            "2026-11-01T06:30:00Z",
            "2024-03-01T04:58:30Z",
            "2025-02-28T17:00:00Z",
        ];
        let windows = [
            Window::Days(0),
            Window::Days(1),
            Window::Months(0),
            Window::Months(1),
            Window::Months(2),
            Window::Years(1),
        ];
        for (limit, window) in limits.iter().flat_map(|l| windows.map(|w| (at(l), w))) {
            for days in [Days::Exact, Days::LocalDates] {
                let rules = rules(days);
                let borders = rules.crossings(window, limit, &zone);
                let ends_by = |ms: i64| {
                    let start = Timestamp::from_ms(ms).expect("in range");
                    rules.deadline(start, window, &zone).is_some_and(|end| end <= limit)
                };
                for border in &borders {
                    assert_ne!(ends_by(border.ms() - 1), ends_by(border.ms()), "{border}");
                }
                let from = limit.ms() - 375 * DAY_MS;
                let mut held = ends_by(from);
                assert!(held, "long before");
                for step in 1..=380 * 1440 / 7 {
                    let ms = from + step * STEP_MS;
                    let passed = borders.iter().filter(|b| b.ms() > ms - STEP_MS && b.ms() <= ms);
                    let expected = held ^ (passed.count() % 2 == 1);
                    held = ends_by(ms);
                    assert_eq!(held, expected, "{window} {days:?} by {limit} from {ms}");
                }
            }
        }
    }
}
