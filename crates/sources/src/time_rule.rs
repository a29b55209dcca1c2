//! How a cell spells a time.

use event::Timestamp;
use jiff::fmt::strtime::BrokenDownTime;
use jiff::tz::{TimeZone, TimeZoneDatabase};

use crate::found::quoted;

/// A way to spell times.
#[derive(Debug, Clone)]
pub(crate) enum TimeRule {
    /// With an offset.
    Rfc3339,
    /// Since 1970-01-01T00:00:00Z; so many milliseconds are a unit.
    Epoch { unit_ms: i64 },
    /// A pattern of strptime, with the zone of times that have no offset.
    Pattern { pattern: String, zone: Option<TimeZone> },
}

impl TimeRule {
    /// `format` is `rfc3339`, `epoch_s`, `epoch_ms` or a pattern; `zone` an IANA name.
    pub(crate) fn new(format: &str, zone: Option<&str>) -> Result<TimeRule, String> {
        let zone = zone.map(|name| {
            let zone = TimeZoneDatabase::bundled().get(name);
            zone.map_err(|_| format!("no time zone is called {}", quoted(name)))
        });
        let zone = zone.transpose()?;
        let rule = match format {
            "rfc3339" => TimeRule::Rfc3339,
            "epoch_s" => TimeRule::Epoch { unit_ms: 1000 },
            "epoch_ms" => TimeRule::Epoch { unit_ms: 1 },
            pattern if pattern.contains('%') => {
                TimeRule::Pattern { pattern: pattern.to_owned(), zone }
            }
            other => {
                return Err(format!(
                    "expected \"rfc3339\", \"epoch_s\", \"epoch_ms\" or a pattern such as \
                     \"%d.%m.%Y %H:%M:%S\", found {}",
                    quoted(other)
                ));
            }
        };
        rule.check()?;
        Ok(rule)
    }

    /// Whether an instant can be had of what the pattern reads.
    fn check(&self) -> Result<(), String> {
        let TimeRule::Pattern { pattern, zone } = self else { return Ok(()) };
        // 2001-02-03T16:05:06Z: a time of which no part is another's.
        let sample = jiff::Timestamp::from_second(981_216_306).expect("in range");
        let sample = sample.to_zoned_datetime(TimeZone::UTC);
        let written = jiff::fmt::strtime::format(pattern, &sample);
        let written = written.map_err(|error| format!("not a pattern: {error}"))?;
        let broken_down = BrokenDownTime::parse(pattern, &written);
        let broken_down = broken_down.map_err(|error| format!("not a pattern: {error}"))?;
        if zone.is_none() && broken_down.offset().is_none() {
            return Err("the pattern has no offset (%z): give the zone too".to_owned());
        }
        self.read(&written).map(|_| ())
    }

    pub(crate) fn read(&self, text: &str) -> Result<Timestamp, String> {
        match self {
            TimeRule::Rfc3339 => {
                Timestamp::parse(text).map_err(|error| format!("{error}, found {}", quoted(text)))
            }
            TimeRule::Epoch { unit_ms } => epoch(text, *unit_ms).ok_or_else(|| {
                let unit = if *unit_ms == 1 { "milliseconds" } else { "seconds" };
                format!("must be a number of {unit} in the years 1 to 9999, found {}", quoted(text))
            }),
            TimeRule::Pattern { pattern, zone } => pattern_time(text, pattern, zone.as_ref()),
        }
    }
}

/// A number of units, with a fraction perhaps, of which all beyond the millisecond is cut.
fn epoch(text: &str, unit_ms: i64) -> Option<Timestamp> {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, "0"));
    let is_digits = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    if !is_digits(whole.strip_prefix('-').unwrap_or(whole)) || !is_digits(fraction) {
        return None;
    }
    let mut ms = whole.parse::<i64>().ok()?.checked_mul(unit_ms)?;
    if unit_ms == 1000 {
        let digits = format!("{fraction}00");
        let fraction: i64 = digits[..3].parse().ok()?;
        ms = if whole.starts_with('-') { ms - fraction } else { ms.checked_add(fraction)? };
    }
    Timestamp::from_ms(ms)
}

fn pattern_time(text: &str, pattern: &str, zone: Option<&TimeZone>) -> Result<Timestamp, String> {
    let wrong = |error: jiff::Error| {
        let error = error.to_string();
        format!(
            "does not fit the pattern {}: {}, found {}",
            quoted(pattern),
            quoted(&error),
            quoted(text)
        )
    };
    let parsed = BrokenDownTime::parse(pattern, text).map_err(wrong)?;
    let instant = match zone {
        Some(zone) if parsed.offset().is_none() => {
            // What a change of clocks skips has the offset before it; what comes twice is the first.
            let wall = parsed.to_datetime().map_err(wrong)?;
            zone.to_ambiguous_timestamp(wall).compatible().map_err(wrong)?
        }
        _ => parsed.to_timestamp().map_err(wrong)?,
    };
    let ms = instant.as_millisecond();
    Timestamp::from_ms(ms)
        .ok_or_else(|| format!("is outside the years 1 to 9999: {}", quoted(text)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(format: &str, zone: Option<&str>, text: &str, expected: Result<&str, &str>) {
        let read = TimeRule::new(format, zone).and_then(|rule| rule.read(text));
        match (read, expected) {
            (Ok(time), Ok(expected)) => assert_eq!(time.to_string(), expected, "{text}"),
            (Err(said), Err(part)) => assert!(said.contains(part), "{said}"),
            (read, _) => panic!("{format} {zone:?} {text}: {read:?}"),
        }
    }

    #[test]
    fn times_are_spelled_in_many_ways() {
        let berlin = Some("Europe/Berlin");
        check("rfc3339", None, "2026-02-13T21:47:38+08:00", Ok("2026-02-13T13:47:38Z"));
        check("rfc3339", None, "2026-02-13T21:47:38", Err("has no offset"));
        check("epoch_s", None, "1700000000", Ok("2023-11-14T22:13:20Z"));
        check("epoch_s", None, "1700000000.0079", Ok("2023-11-14T22:13:20.007Z"));
        check("epoch_s", None, "-1.5", Ok("1969-12-31T23:59:58.500Z"));
        check("epoch_s", None, "1e9", Err("must be a number of seconds"));
        check("epoch_s", None, "", Err("must be a number of seconds"));
        check("epoch_s", None, "99999999999999999", Err("must be a number of seconds"));
        check("epoch_ms", None, "1700000000123", Ok("2023-11-14T22:13:20.123Z"));
        check("epoch_ms", None, "+5", Err("must be a number of milliseconds"));
        let german = "%d.%m.%Y %H:%M:%S";
        check(german, berlin, "13.02.2026 14:47:38", Ok("2026-02-13T13:47:38Z"));
        check(german, berlin, "13.07.2026 14:47:38", Ok("2026-07-13T12:47:38Z"));
        // Skipped on 29 March 2026: as if the clocks had not been changed. Twice on 25 October: the first.
        check(german, berlin, "29.03.2026 02:30:00", Ok("2026-03-29T01:30:00Z"));
        check(german, berlin, "25.10.2026 02:30:00", Ok("2026-10-25T00:30:00Z"));
        check(german, berlin, "13/02/2026 14:47:38", Err("does not fit the pattern"));
        check(german, None, "", Err("give the zone too"));
        check(german, Some("Berlin"), "", Err("no time zone is called `Berlin`"));
        check(
            "%Y-%m-%d %H:%M:%S %z",
            None,
            "2026-02-13 14:47:38 +0100",
            Ok("2026-02-13T13:47:38Z"),
        );
        check("%m/%d/%Y %I:%M %p", Some("UTC"), "02/13/2026 01:47 PM", Ok("2026-02-13T13:47:00Z"));
        check("iso", None, "", Err("expected \"rfc3339\""));
        check("%Y-%m", Some("UTC"), "", Err("day"));
    }
}
