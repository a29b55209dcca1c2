//! The span of time that a report is about, and a month as it is written.

use event::Timestamp;
use policy::Zone;

/// A month of a year, by the calendar of whatever zone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Month {
    pub year: i64,
    /// From 1 to 12.
    pub month: i64,
}

/// From the first instant to the last, both included.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Period {
    pub from: Timestamp,
    pub to: Timestamp,
}

impl Month {
    /// Reads `2026-03`.
    pub fn parse(text: &str) -> Result<Month, String> {
        let is_written_so = text.len() == 7
            && text.bytes().enumerate().all(|(at, c)| match at {
                4 => c == b'-',
                _ => c.is_ascii_digit(),
            });
        let parts = is_written_so.then(|| (text[..4].parse::<i64>(), text[5..].parse::<i64>()));
        match parts {
            Some((Ok(year), Ok(month))) if year >= 1 && (1..=12).contains(&month) => {
                Ok(Month { year, month })
            }
            _ => Err("a month is written as 2026-03".to_owned()),
        }
    }

    /// All of it, by the zone's calendar; `None` where it reaches out of the years 1 to 9999.
    pub fn period(self, zone: &Zone) -> Option<Period> {
        let from = zone.month_start(self.year, self.month)?;
        let next = match self.month {
            12 => zone.month_start(self.year + 1, 1),
            month => zone.month_start(self.year, month + 1),
        };
        let to = next.and_then(|next| Timestamp::from_ms(next.ms() - 1));
        Some(Period { from, to: to.unwrap_or(Timestamp::MAX) })
    }
}

impl std::fmt::Display for Month {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:04}-{:02}", self.year, self.month)
    }
}

impl Period {
    pub fn contains(&self, at: Timestamp) -> bool {
        self.from <= at && at <= self.to
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn months_are_read_strictly() {
        assert_eq!(Month::parse("2026-03"), Ok(Month { year: 2026, month: 3 }));
        assert_eq!(Month::parse("0001-12"), Ok(Month { year: 1, month: 12 }));
        for text in
            ["", "2026", "2026-3", "2026-13", "2026-00", "0000-01", "2026/03", "+026-03", "2026-0é"]
        {
            assert!(Month::parse(text).is_err(), "{text:?}");
        }
    }

    #[test]
    fn a_month_is_that_of_the_zone() {
        let period = |zone: &str, month: &str| {
            let zone = Zone::new(zone).expect("a zone");
            let period = Month::parse(month).expect("a month").period(&zone);
            period.map(|Period { from, to }| format!("{from} {to}"))
        };
        for (zone, month, expected) in [
            ("UTC", "2026-03", "2026-03-01T00:00:00Z 2026-03-31T23:59:59.999Z"),
            ("Asia/Shanghai", "2026-03", "2026-02-28T16:00:00Z 2026-03-31T15:59:59.999Z"),
            // Clocks are put forward on 29 March.
            ("Europe/Berlin", "2026-03", "2026-02-28T23:00:00Z 2026-03-31T21:59:59.999Z"),
            ("America/New_York", "2025-12", "2025-12-01T05:00:00Z 2026-01-01T04:59:59.999Z"),
            ("UTC", "9999-12", "9999-12-01T00:00:00Z 9999-12-31T23:59:59.999Z"),
        ] {
            assert_eq!(period(zone, month).as_deref(), Some(expected), "{zone} {month}");
        }
        // It would begin in the year 0.
        assert_eq!(period("Asia/Shanghai", "0001-01"), None);
    }
}
