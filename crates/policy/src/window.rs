//! A duration of the policy language and its arithmetic.
//!
//! `30d` is 24 hours each; `6mo` and `1y` go by the calendar in the policy's zone, to the same
//! wall time on the same day of the month, or on its last day where the month is shorter (a year
//! from 29 Feb is 28 Feb); `never` does not end. A wall time that does not exist takes the offset
//! before the gap, one that exists twice the first (docs/policies.md): so a window of no months
//! from the second pass of a fold ends in the first. What would end after the last [`Timestamp`],
//! in the year 9999, never ends.

use std::fmt;

use event::{Timestamp, civil_from_days, days_from_civil, days_in_month};

use crate::Zone;

const DAY_MS: i64 = 86_400_000;

/// A duration as a policy states it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Window {
    /// `never`: does not end.
    Never,
    /// `30d`: of 24 hours each.
    Days(u32),
    /// `6mo`: by the calendar.
    Months(u32),
    /// `1y`: by the calendar.
    Years(u32),
}

/// Why a text is not a duration.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum WindowError {
    /// A number alone.
    #[error("has no unit: write 30d, 6mo or 1y")]
    NoUnit,
    /// Not a whole number and a unit.
    #[error("is not a duration: write a whole number and d, mo or y, such as 30d, or never")]
    Format,
    /// More than [`u32::MAX`].
    #[error("is too long: at most {} of a unit, or never", u32::MAX)]
    Range,
}

impl Window {
    /// Reads `30d`, `6mo`, `1y` or `never`.
    ///
    /// # Errors
    /// [`WindowError`] says what is wrong with the text.
    pub fn parse(text: &str) -> Result<Window, WindowError> {
        if text == "never" {
            return Ok(Window::Never);
        }
        let unit_at = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
        let (digits, unit) = text.split_at(unit_at);
        let of: fn(u32) -> Window = match unit {
            _ if digits.is_empty() => return Err(WindowError::Format),
            "d" => Window::Days,
            "mo" => Window::Months,
            "y" => Window::Years,
            "" => return Err(WindowError::NoUnit),
            _ => return Err(WindowError::Format),
        };
        digits.parse().map(of).map_err(|_| WindowError::Range)
    }

    /// Milliseconds, where they are the same from every start.
    #[must_use]
    pub const fn fixed_ms(self) -> Option<i64> {
        match self {
            Window::Days(n) => Some(n as i64 * DAY_MS),
            _ => None,
        }
    }

    /// Milliseconds before which [`Window::after`] never ends, from any start in any zone: what
    /// comes sooner is within the window, without a look at the calendar. [`i64::MAX`] for never.
    #[must_use]
    pub const fn at_least_ms(self) -> i64 {
        let days = match self {
            Window::Never => return i64::MAX,
            Window::Days(n) => return n as i64 * DAY_MS,
            Window::Months(n) => 28 * n as i64,
            Window::Years(n) => 365 * n as i64,
        };
        // The offsets at the start and at the end may differ by two days and a little.
        if days < 3 { 0 } else { (days - 3) * DAY_MS }
    }

    /// The instant at which the window that begins at `start` has passed; `None`: never.
    #[must_use]
    pub fn after(self, start: Timestamp, zone: &Zone) -> Option<Timestamp> {
        if let Some(ms) = self.fixed_ms() {
            return Timestamp::from_ms(start.ms() + ms);
        }
        let local_ms = zone.local_ms(start);
        let day = self.day_after(local_ms.div_euclid(DAY_MS))?;
        instant(day, local_ms.rem_euclid(DAY_MS), zone)
    }

    /// As [`Window::after`], to the end of the last local day: `30d` is 00:00 of the local date of
    /// `start` + 31 days, `6mo` is 00:00 of the day after that date + 6 months.
    #[must_use]
    pub fn after_local_dates(self, start: Timestamp, zone: &Zone) -> Option<Timestamp> {
        let day = self.day_after(zone.local_ms(start).div_euclid(DAY_MS))?;
        instant(day + 1, 0, zone)
    }

    /// The day, counted from 1970-01-01, this window after a day.
    fn day_after(self, day: i64) -> Option<i64> {
        let months = match self {
            Window::Never => return None,
            Window::Days(n) => return Some(day + i64::from(n)),
            Window::Months(n) => i64::from(n),
            Window::Years(n) => 12 * i64::from(n),
        };
        let (year, month, date) = civil_from_days(day);
        let month_from_0 = month - 1 + months;
        let (year, month) = (year + month_from_0 / 12, month_from_0 % 12 + 1);
        Some(days_from_civil(year, month, date.min(days_in_month(year, month))))
    }
}

fn instant(day: i64, ms_of_day: i64, zone: &Zone) -> Option<Timestamp> {
    // Two days past the last instant no offset brings it back, and sums stay small.
    if day > Timestamp::MAX.ms() / DAY_MS + 2 {
        return None;
    }
    Timestamp::from_ms(zone.instant_ms(day * DAY_MS + ms_of_day))
}

impl fmt::Display for Window {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Window::Never => f.pad("never"),
            Window::Days(n) => f.pad(&format!("{n}d")),
            Window::Months(n) => f.pad(&format!("{n}mo")),
            Window::Years(n) => f.pad(&format!("{n}y")),
        }
    }
}

impl serde::Serialize for Window {
    fn serialize<S: serde::Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        s.collect_str(self)
    }
}
