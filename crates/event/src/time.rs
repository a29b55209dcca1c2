//! An instant: milliseconds since 1970-01-01T00:00:00Z, in the years 1 to 9999.
//!
//! Read from RFC 3339 (digits past the millisecond are cut, `:60` is the next second) and written
//! in UTC as `2026-02-13T13:47:38Z`, with three digits of fraction where there are any
//! (docs/events.md). Calendar days by the algorithm of H. Hinnant,
//! "chrono-Compatible Low-Level Date Algorithms".

use std::fmt;

/// An instant in milliseconds since the Unix epoch, from [`Timestamp::MIN`] to [`Timestamp::MAX`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp(i64);

const DAY_MS: i64 = 86_400_000;

impl Timestamp {
    /// 0001-01-01T00:00:00Z.
    pub const MIN: Timestamp = Timestamp(-62_135_596_800_000);
    /// 9999-12-31T23:59:59.999Z.
    pub const MAX: Timestamp = Timestamp(253_402_300_799_999);

    /// The instant of `ms` milliseconds since the epoch, or `None` outside the years 1 to 9999.
    #[must_use]
    pub const fn from_ms(ms: i64) -> Option<Timestamp> {
        if ms < Self::MIN.0 || ms > Self::MAX.0 { None } else { Some(Timestamp(ms)) }
    }

    /// Milliseconds since the epoch.
    #[must_use]
    pub const fn ms(self) -> i64 {
        self.0
    }

    /// Reads RFC 3339 with an offset, `2026-02-13T21:47:38.5+08:00`.
    ///
    /// # Errors
    /// [`TimeError`] says what is wrong with the text.
    pub fn parse(text: &str) -> Result<Timestamp, TimeError> {
        let b = text.as_bytes();
        let digits = |from: usize, to: usize| -> Result<i64, TimeError> {
            let part = b.get(from..to).ok_or(TimeError::Format)?;
            part.iter().try_fold(0i64, |n, c| {
                if c.is_ascii_digit() {
                    Ok(n * 10 + i64::from(c - b'0'))
                } else {
                    Err(TimeError::Format)
                }
            })
        };
        let expect = |at: usize, allowed: &[u8]| match b.get(at) {
            Some(c) if allowed.contains(c) => Ok(()),
            _ => Err(TimeError::Format),
        };
        let (year, month, day) = (digits(0, 4)?, digits(5, 7)?, digits(8, 10)?);
        let (hour, minute, second) = (digits(11, 13)?, digits(14, 16)?, digits(17, 19)?);
        expect(4, b"-")?;
        expect(7, b"-")?;
        expect(10, b"Tt")?;
        expect(13, b":")?;
        expect(16, b":")?;
        let mut at = 19;
        let mut fraction_ms = 0;
        if b.get(at) == Some(&b'.') {
            at += 1;
            let start = at;
            while b.get(at).is_some_and(u8::is_ascii_digit) {
                at += 1;
            }
            if at == start {
                return Err(TimeError::Format);
            }
            let kept = (at - start).min(3);
            fraction_ms = digits(start, start + kept)? * [100, 10, 1][kept - 1];
        }
        let offset_min = match b.get(at) {
            Some(b'Z' | b'z') => {
                at += 1;
                0
            }
            Some(sign @ (b'+' | b'-')) => {
                let (h, m) = (digits(at + 1, at + 3)?, digits(at + 4, at + 6)?);
                expect(at + 3, b":")?;
                if h > 23 || m > 59 {
                    return Err(TimeError::Field("offset"));
                }
                at += 6;
                if *sign == b'-' { -(h * 60 + m) } else { h * 60 + m }
            }
            None => return Err(TimeError::NoOffset),
            Some(_) => return Err(TimeError::Format),
        };
        if at != b.len() {
            return Err(TimeError::Format);
        }
        if year == 0 {
            return Err(TimeError::Range);
        }
        if !(1..=12).contains(&month) {
            return Err(TimeError::Field("month"));
        }
        if day < 1 || day > days_in_month(year, month) {
            return Err(TimeError::Field("day"));
        }
        if hour > 23 {
            return Err(TimeError::Field("hour"));
        }
        if minute > 59 {
            return Err(TimeError::Field("minute"));
        }
        if second > 60 {
            return Err(TimeError::Field("second"));
        }
        let ms = days_from_civil(year, month, day) * DAY_MS
            + ((hour * 60 + minute - offset_min) * 60 + second) * 1000
            + fraction_ms;
        Timestamp::from_ms(ms).ok_or(TimeError::Range)
    }
}

/// Why a text is not an instant.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum TimeError {
    /// Not of the form `2026-02-13T13:47:38Z`.
    #[error("not an RFC 3339 time such as 2026-02-13T13:47:38Z")]
    Format,
    /// A time without `Z` or an offset could be any of 40 instants.
    #[error("has no offset: end it with Z or with one such as +08:00")]
    NoOffset,
    /// A part of the time is out of its range.
    #[error("the {0} is out of range")]
    Field(&'static str),
    /// Outside the years 1 to 9999.
    #[error("is outside the years 1 to 9999")]
    Range,
}

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (day, ms) = (self.0.div_euclid(DAY_MS), self.0.rem_euclid(DAY_MS));
        let (year, month, date) = civil_from_days(day);
        let (second, fraction) = (ms / 1000, ms % 1000);
        let mut text = *b"0000-00-00T00:00:00.000Z";
        put_digits(&mut text[0..4], year);
        put_digits(&mut text[5..7], month);
        put_digits(&mut text[8..10], date);
        put_digits(&mut text[11..13], second / 3600);
        put_digits(&mut text[14..16], second / 60 % 60);
        put_digits(&mut text[17..19], second % 60);
        put_digits(&mut text[20..23], fraction);
        let length = if fraction == 0 {
            text[19] = b'Z';
            20
        } else {
            24
        };
        f.pad(std::str::from_utf8(&text[..length]).expect("digits are ASCII"))
    }
}

/// Text for people's formats, milliseconds for machines'.
/// Fills `out` with the last digits of `number`. A log writes two times a line: `format!` is five
/// times as slow.
fn put_digits(out: &mut [u8], mut number: i64) {
    for digit in out.iter_mut().rev() {
        *digit = b'0' + (number % 10) as u8;
        number /= 10;
    }
}

impl serde::Serialize for Timestamp {
    fn serialize<S: serde::Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        if s.is_human_readable() { s.collect_str(self) } else { s.serialize_i64(self.0) }
    }
}

impl<'de> serde::Deserialize<'de> for Timestamp {
    fn deserialize<D: serde::Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        use serde::de::Error;
        if d.is_human_readable() {
            let text = String::deserialize(d)?;
            Timestamp::parse(&text).map_err(D::Error::custom)
        } else {
            let ms = i64::deserialize(d)?;
            Timestamp::from_ms(ms).ok_or_else(|| D::Error::custom(TimeError::Range))
        }
    }
}

/// How many days a month (1–12) of a year of the proleptic Gregorian calendar has.
#[must_use]
pub fn days_in_month(year: i64, month: i64) -> i64 {
    match month {
        2 if year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

/// The day, counted from 1970-01-01, of a date of the proleptic Gregorian calendar.
#[must_use]
pub fn days_from_civil(year: i64, month: i64, day: i64) -> i64 {
    let y = if month <= 2 { year - 1 } else { year };
    let era = y.div_euclid(400);
    let year_of_era = y.rem_euclid(400);
    let day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    era * 146_097 + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year - 719_468
}

/// The year, month (1–12) and day of the month of a day counted from 1970-01-01.
#[must_use]
pub fn civil_from_days(days: i64) -> (i64, i64, i64) {
    let z = days + 719_468;
    let (era, doe) = (z.div_euclid(146_097), z.rem_euclid(146_097));
    let yoe = (doe - doe / 1460 + doe / 36_524 - doe / 146_096) / 365;
    let doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
    let mp = (5 * doy + 2) / 153;
    let month = if mp < 10 { mp + 3 } else { mp - 9 };
    let year = yoe + era * 400 + i64::from(month <= 2);
    (year, month, doy - (153 * mp + 2) / 5 + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, expected: &str) {
        let got = match Timestamp::parse(text) {
            Ok(t) => t.to_string(),
            Err(e) => format!("{e:?}"),
        };
        assert_eq!(got, expected, "{text}");
    }

    #[test]
    fn reads_and_writes() {
        check("2026-02-13T21:47:38+08:00", "2026-02-13T13:47:38Z");
        check("2026-02-13t13:47:38.1z", "2026-02-13T13:47:38.100Z");
        check("2026-02-13T13:47:38.0009Z", "2026-02-13T13:47:38Z");
        check("2026-02-13T13:47:38.123999Z", "2026-02-13T13:47:38.123Z");
        check("2016-12-31T23:59:60Z", "2017-01-01T00:00:00Z");
        check("2016-12-31T23:59:60.9Z", "2017-01-01T00:00:00.900Z");
        check("2000-02-29T00:00:00-00:00", "2000-02-29T00:00:00Z");
        check("0001-01-01T00:00:00Z", "0001-01-01T00:00:00Z");
        check("9999-12-31T23:59:59.999Z", "9999-12-31T23:59:59.999Z");
        check("0001-01-01T00:00:00+00:01", "Range");
        check("9999-12-31T23:59:60Z", "Range");
        check("0000-12-31T23:59:59-05:00", "Range");
        check("1900-02-29T00:00:00Z", "Field(\"day\")");
        check("2026-13-01T00:00:00Z", "Field(\"month\")");
        check("2026-01-01T24:00:00Z", "Field(\"hour\")");
        check("2026-01-01T00:60:00Z", "Field(\"minute\")");
        check("2026-01-01T00:00:61Z", "Field(\"second\")");
        check("2026-01-01T00:00:00+24:00", "Field(\"offset\")");
        check("2026-01-01T00:00:00", "NoOffset");
        check("2026-01-01 00:00:00Z", "Format");
        check("2026-01-01", "Format");
        check("yesterday", "Format");
        check("2026-01-01T00:00:00.Z", "Format");
        check("2026-01-01T00:00:00Zx", "Format");
        check("2026-01-01T00:00:0\u{661}Z", "Format");
    }

    #[test]
    fn every_day_comes_back() {
        let mut day = Timestamp::MIN.ms() / DAY_MS;
        while day * DAY_MS <= Timestamp::MAX.ms() {
            let (y, m, d) = civil_from_days(day);
            assert_eq!(days_from_civil(y, m, d), day);
            let t = Timestamp::from_ms(day * DAY_MS).unwrap();
            assert_eq!(Timestamp::parse(&t.to_string()), Ok(t));
            day += 1;
        }
    }
}
