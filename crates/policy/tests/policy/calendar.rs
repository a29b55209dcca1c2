//! Windows worked out by hand. Wall times, where they help, stand beside the case.

use event::Timestamp;
use stillthere_policy::{Window, WindowError, Zone, ZoneError};

fn instant(text: &str) -> Timestamp {
    Timestamp::parse(text).unwrap_or_else(|e| panic!("{text}: {e}"))
}

fn shown(at: Option<Timestamp>) -> String {
    at.map_or("never".to_owned(), |at| at.to_string())
}

fn after(zone: &str, start: &str, window: &str, expected: &str) {
    let zone = Zone::new(zone).expect("a zone");
    let end = Window::parse(window).expect("a window").after(instant(start), &zone);
    assert_eq!(shown(end), expected, "{start} + {window}, {}", zone.name());
}

fn local_dates(zone: &str, start: &str, window: &str, expected: &str) {
    let zone = Zone::new(zone).expect("a zone");
    let end = Window::parse(window).expect("a window").after_local_dates(instant(start), &zone);
    assert_eq!(shown(end), expected, "{start} + {window} in local dates, {}", zone.name());
}

#[test]
fn windows_are_read_and_written() {
    let check = |text: &str, expected: Result<Window, WindowError>| {
        assert_eq!(Window::parse(text), expected, "{text:?}");
        if let Ok(window) = expected {
            assert_eq!(Window::parse(&window.to_string()), Ok(window));
        }
    };
    check("30d", Ok(Window::Days(30)));
    check("0d", Ok(Window::Days(0)));
    check("007d", Ok(Window::Days(7)));
    check("6mo", Ok(Window::Months(6)));
    check("1y", Ok(Window::Years(1)));
    check("never", Ok(Window::Never));
    check("4294967295y", Ok(Window::Years(u32::MAX)));
    check("4294967296y", Err(WindowError::Range));
    check("99999999999999999999d", Err(WindowError::Range));
    check("30", Err(WindowError::NoUnit));
    for text in
        ["", "d", "mo", "-1d", "+1d", "1.5d", "30 d", " 30d", "30d ", "30D", "1m", "1w", "1y6mo"]
    {
        check(text, Err(WindowError::Format));
    }
    for text in ["NEVER", "never ", "٣d", "1e3d", "0x1d", "1_000d"] {
        check(text, Err(WindowError::Format));
    }
    assert_eq!(Window::Days(30).fixed_ms(), Some(2_592_000_000));
    assert_eq!(Window::Months(1).fixed_ms(), None);
    assert_eq!(Window::Never.fixed_ms(), None);
}

#[test]
fn zones_are_read() {
    let check = |name: &str, expected: Result<&str, ZoneError>| {
        let found = Zone::new(name);
        assert_eq!(found.as_ref().map(Zone::name).map_err(Clone::clone), expected);
    };
    check("Asia/Shanghai", Ok("Asia/Shanghai"));
    check("UTC", Ok("UTC"));
    check("Etc/GMT-8", Ok("Etc/GMT-8"));
    check("PRC", Ok("PRC"));
    check("", Err(ZoneError::Unknown(String::new())));
    check("Asia/Beijing", Err(ZoneError::Unknown("Asia/Beijing".to_owned())));
    check("Asia/Shanghai ", Err(ZoneError::Unknown("Asia/Shanghai ".to_owned())));
    check("utc", Err(ZoneError::Spelling("utc".to_owned(), "UTC".to_owned())));
    assert_eq!(Zone::new("UTC").unwrap(), Zone::utc());
    assert_ne!(Zone::new("PRC").unwrap(), Zone::new("Asia/Shanghai").unwrap());
}

/// tz, `asia`: LMT +8:05:43 until 1901, then +8, with daylight saving in 1919, the 1940s and from
/// 1986 to 1991: 2 a.m. on 4 May 1986, else on the second Sunday of April, to 2 a.m. on the Sunday
/// from 11 September on.
#[test]
fn a_zone_is_its_changes() {
    let zone = Zone::new("Asia/Shanghai").unwrap();
    assert_eq!(zone.first_offset_s(), 8 * 3600 + 5 * 60 + 43);
    let found: Vec<String> = zone
        .changes()
        .filter(|(at_ms, _)| *at_ms > 0)
        .map(|(at_ms, offset_s)| {
            format!("{} {}", Timestamp::from_ms(at_ms).unwrap(), offset_s / 3600)
        })
        .collect();
    let expected = [
        "1986-05-03T18:00:00Z 9",
        "1986-09-13T17:00:00Z 8",
        "1987-04-11T18:00:00Z 9",
        "1987-09-12T17:00:00Z 8",
        "1988-04-16T18:00:00Z 9",
        "1988-09-10T17:00:00Z 8",
        "1989-04-15T18:00:00Z 9",
        "1989-09-16T17:00:00Z 8",
        "1990-04-14T18:00:00Z 9",
        "1990-09-15T17:00:00Z 8",
        "1991-04-13T18:00:00Z 9",
        "1991-09-14T17:00:00Z 8",
    ];
    assert_eq!(found, expected);
    assert_eq!(Zone::utc().changes().len(), 0);
}

#[test]
fn days_are_24_hours() {
    after("UTC", "2026-01-01T00:00:00Z", "30d", "2026-01-31T00:00:00Z");
    after("UTC", "2024-02-28T23:59:59.999Z", "1d", "2024-02-29T23:59:59.999Z");
    after("UTC", "2026-01-01T00:00:00Z", "0d", "2026-01-01T00:00:00Z");
    // Daylight saving begins on 8 March: the wall shows an hour more, the window does not care.
    after("America/New_York", "2026-02-20T12:00:00Z", "30d", "2026-03-22T12:00:00Z");
    after("UTC", "9999-12-30T23:59:59.999Z", "1d", "9999-12-31T23:59:59.999Z");
    after("UTC", "9999-12-31T00:00:00Z", "1d", "never");
    after("UTC", "0001-01-01T00:00:00Z", "4294967295d", "never");
    after("UTC", "2026-01-01T00:00:00Z", "never", "never");
    local_dates("UTC", "2026-01-01T00:00:00Z", "never", "never");
}

#[test]
fn months_end_on_their_last_day() {
    after("UTC", "2026-01-31T10:00:00Z", "1mo", "2026-02-28T10:00:00Z");
    after("UTC", "2024-01-31T10:00:00Z", "1mo", "2024-02-29T10:00:00Z");
    after("UTC", "2026-01-30T10:00:00Z", "1mo", "2026-02-28T10:00:00Z");
    after("UTC", "2026-01-28T10:00:00Z", "1mo", "2026-02-28T10:00:00Z");
    after("UTC", "2026-03-31T10:00:00Z", "1mo", "2026-04-30T10:00:00Z");
    after("UTC", "2026-02-28T10:00:00Z", "1mo", "2026-03-28T10:00:00Z");
    after("UTC", "2026-08-31T10:00:00Z", "6mo", "2027-02-28T10:00:00Z");
    after("UTC", "2026-12-31T10:00:00Z", "2mo", "2027-02-28T10:00:00Z");
    after("UTC", "2026-10-15T10:00:00Z", "3mo", "2027-01-15T10:00:00Z");
    after("UTC", "2026-12-31T10:00:00Z", "12mo", "2027-12-31T10:00:00Z");
    after("UTC", "2026-11-30T10:00:00Z", "15mo", "2028-02-29T10:00:00Z");
    after("UTC", "2026-05-05T10:00:00Z", "0mo", "2026-05-05T10:00:00Z");
}

#[test]
fn years_know_leap_days() {
    after("UTC", "2024-02-29T12:00:00Z", "1y", "2025-02-28T12:00:00Z");
    after("UTC", "2024-02-29T12:00:00Z", "4y", "2028-02-29T12:00:00Z");
    after("UTC", "2023-02-28T12:00:00Z", "1y", "2024-02-28T12:00:00Z");
    after("UTC", "2023-03-01T12:00:00Z", "1y", "2024-03-01T12:00:00Z");
    after("UTC", "2000-02-29T12:00:00Z", "100y", "2100-02-28T12:00:00Z");
    after("UTC", "2000-02-29T12:00:00Z", "400y", "2400-02-29T12:00:00Z");
    after("UTC", "2026-12-31T23:59:59.999Z", "1y", "2027-12-31T23:59:59.999Z");
    // In Shanghai 2024-02-29T00:00:00, where UTC still has the 28th.
    after("Asia/Shanghai", "2024-02-28T16:00:00Z", "1y", "2025-02-27T16:00:00Z");
    after("Asia/Shanghai", "2024-02-28T15:59:59Z", "1y", "2025-02-28T15:59:59Z");
    // 2026-03-01T00:30:00, to 04-01.
    after("Asia/Shanghai", "2026-02-28T16:30:00Z", "1mo", "2026-03-31T16:30:00Z");
}

#[test]
fn shanghai_had_daylight_saving() {
    // 1986-05-04T02:30:00 does not exist; at +08:00 it is 03:30 by the new time.
    after("Asia/Shanghai", "1985-05-03T18:30:00Z", "1y", "1986-05-03T18:30:00Z");
    // 1986-09-14T01:30:00 exists twice; the first is at +09:00.
    after("Asia/Shanghai", "1985-09-13T17:30:00Z", "1y", "1986-09-13T16:30:00Z");
    // 1986-08-01T12:00:00 at +09:00; noon again, at +09:00 and at +08:00.
    after("Asia/Shanghai", "1986-08-01T03:00:00Z", "1y", "1987-08-01T03:00:00Z");
    after("Asia/Shanghai", "1986-08-01T03:00:00Z", "6mo", "1987-02-01T04:00:00Z");
    after("Asia/Shanghai", "1991-08-01T03:00:00Z", "1y", "1992-08-01T04:00:00Z");
}

#[test]
fn new_york_has_gaps_and_folds() {
    let zone = "America/New_York";
    // 2026-03-08: 02:00 to 03:00 does not exist.
    after(zone, "2026-02-08T06:59:59.999Z", "1mo", "2026-03-08T06:59:59.999Z");
    after(zone, "2026-02-08T07:00:00Z", "1mo", "2026-03-08T07:00:00Z");
    after(zone, "2026-02-08T07:30:00Z", "1mo", "2026-03-08T07:30:00Z");
    after(zone, "2026-02-08T07:59:59.999Z", "1mo", "2026-03-08T07:59:59.999Z");
    after(zone, "2026-02-08T08:00:00Z", "1mo", "2026-03-08T07:00:00Z");
    // 2026-11-01: 01:00 to 02:00 exists twice.
    after(zone, "2026-10-01T04:59:59.999Z", "1mo", "2026-11-01T04:59:59.999Z");
    after(zone, "2026-10-01T05:00:00Z", "1mo", "2026-11-01T05:00:00Z");
    after(zone, "2026-10-01T05:30:00Z", "1mo", "2026-11-01T05:30:00Z");
    after(zone, "2026-10-01T05:59:59.999Z", "1mo", "2026-11-01T05:59:59.999Z");
    after(zone, "2026-10-01T06:00:00Z", "1mo", "2026-11-01T07:00:00Z");
    // From the second 01:30 of a fold, the wall time alone is kept.
    after(zone, "2026-11-01T06:30:00Z", "1mo", "2026-12-01T06:30:00Z");
    after(zone, "2026-11-01T06:30:00Z", "0mo", "2026-11-01T05:30:00Z");
    // Noon in winter and in summer.
    after(zone, "2026-02-20T17:00:00Z", "1mo", "2026-03-20T16:00:00Z");
    // Past the lists of the database the rule goes on: 9 March 2200 and 8 March 9998 are the second
    // Sundays, so 2 a.m. of them does not exist; on the 9th of April noon is at -04:00.
    after(zone, "2200-02-09T07:30:00Z", "1mo", "2200-03-09T07:30:00Z");
    after(zone, "2200-02-09T08:00:00Z", "1mo", "2200-03-09T07:00:00Z");
    after(zone, "2200-02-09T17:00:00Z", "2mo", "2200-04-09T16:00:00Z");
    after(zone, "9998-02-08T08:00:00Z", "1mo", "9998-03-08T07:00:00Z");
    after(zone, "9998-02-08T07:59:59Z", "1mo", "9998-03-08T07:59:59Z");
    after(zone, "9998-07-01T16:00:00Z", "1y", "9999-07-01T16:00:00Z");
}

#[test]
fn other_zones() {
    // 2026-03-29T01:30:00 does not exist; 2026-10-25T01:30:00 exists twice.
    after("Europe/London", "2026-01-29T01:30:00Z", "2mo", "2026-03-29T01:30:00Z");
    after("Europe/London", "2026-09-25T00:30:00Z", "1mo", "2026-10-25T00:30:00Z");
    // British Standard Time: +01:00 all the year until 31 October 1971.
    after("Europe/London", "1970-01-01T00:00:00Z", "6mo", "1970-07-01T00:00:00Z");
    after("Europe/London", "1970-01-01T00:00:00Z", "2y", "1972-01-01T01:00:00Z");
    // Samoa had no 30 December 2011: noon of it at -10:00 is noon of the 31st at +14:00.
    after("Pacific/Apia", "2011-11-30T22:00:00Z", "1mo", "2011-12-30T22:00:00Z");
    after("Pacific/Apia", "2011-11-30T10:00:00Z", "1mo", "2011-12-30T10:00:00Z");
    after("Pacific/Apia", "2011-12-01T10:00:00Z", "1mo", "2011-12-31T10:00:00Z");
    // 10000-01-01T10:00:00 on the wall is still 9999 in UTC; an hour after 14:00 it is not.
    after("Pacific/Kiritimati", "9999-11-30T20:00:00Z", "1mo", "9999-12-31T20:00:00Z");
    after("Pacific/Kiritimati", "9999-12-01T00:00:00Z", "1mo", "never");
    // 0000-12-31T19:03:58, local mean time, to 0001-01-31.
    after("America/New_York", "0001-01-01T00:00:00Z", "1mo", "0001-02-01T00:00:00Z");
}

#[test]
fn never_comes_what_is_after_the_year_9999() {
    after("UTC", "9998-12-31T23:59:59.999Z", "1y", "9999-12-31T23:59:59.999Z");
    after("UTC", "9999-01-01T00:00:00Z", "1y", "never");
    after("UTC", "9999-11-30T00:00:00Z", "1mo", "9999-12-30T00:00:00Z");
    after("UTC", "9999-12-01T00:00:00Z", "1mo", "never");
    after("UTC", "0001-01-01T00:00:00Z", "9998y", "9999-01-01T00:00:00Z");
    after("UTC", "0001-01-01T00:00:00Z", "9999y", "never");
    after("UTC", "0001-01-01T00:00:00Z", "4294967295y", "never");
    after("Asia/Shanghai", "0001-01-01T00:00:00Z", "4294967295mo", "never");
    local_dates("UTC", "9999-12-30T12:00:00Z", "0d", "9999-12-31T00:00:00Z");
    local_dates("UTC", "9999-12-31T12:00:00Z", "0d", "never");
    local_dates("Pacific/Kiritimati", "9999-12-31T05:00:00Z", "0d", "9999-12-31T10:00:00Z");
    local_dates("Asia/Shanghai", "0001-01-01T00:00:00Z", "4294967295d", "never");
}

#[test]
fn local_dates_end_with_the_last_day() {
    let zone = "Asia/Shanghai";
    // 2026-01-01T23:59:59 and the second after it: 1 January + 31 days, 2 January + 31 days.
    local_dates(zone, "2026-01-01T15:59:59Z", "30d", "2026-01-31T16:00:00Z");
    local_dates(zone, "2026-01-01T16:00:00Z", "30d", "2026-02-01T16:00:00Z");
    local_dates(zone, "2026-01-01T16:00:00Z", "0d", "2026-01-02T16:00:00Z");
    // 31 August + 6 months is 28 February 2027; the day after it.
    local_dates(zone, "2026-08-31T04:00:00Z", "6mo", "2027-02-28T16:00:00Z");
    // 29 February + 1 year is 28 February 2025.
    local_dates(zone, "2024-02-29T04:00:00Z", "1y", "2025-02-28T16:00:00Z");
    local_dates(zone, "2024-02-28T15:59:59Z", "1y", "2025-02-28T16:00:00Z");
    local_dates(zone, "2024-02-29T16:00:00Z", "1y", "2025-03-01T16:00:00Z");
    // Daylight saving of 1986: 00:00 of 1 June is at +09:00.
    local_dates(zone, "1986-05-01T04:00:00Z", "30d", "1986-05-31T15:00:00Z");
    // A window across New York's change of 8 March: 00:00 of 23 March is at -04:00.
    local_dates("America/New_York", "2026-02-20T17:00:00Z", "30d", "2026-03-23T04:00:00Z");
}

#[test]
fn midnight_may_not_exist() {
    // 2018-11-04 begins at 01:00; 00:00 at -03:00.
    local_dates("America/Sao_Paulo", "2018-10-04T15:00:00Z", "30d", "2018-11-04T03:00:00Z");
    // 2026-04-24 begins at 01:00; 00:00 at +02:00.
    local_dates("Africa/Cairo", "2026-03-24T10:00:00Z", "30d", "2026-04-23T22:00:00Z");
    // 2020-03-08 begins at 01:00; 00:00 at -05:00.
    local_dates("America/Havana", "2020-02-06T17:00:00Z", "30d", "2020-03-08T05:00:00Z");
    // 30 December 2011 as a whole: 00:00 at -10:00, which is 00:00 of the 31st at +14:00.
    local_dates("Pacific/Apia", "2011-11-30T22:00:00Z", "29d", "2011-12-30T10:00:00Z");
    local_dates("Pacific/Apia", "2011-11-30T22:00:00Z", "30d", "2011-12-30T10:00:00Z");
    local_dates("Pacific/Apia", "2011-11-30T22:00:00Z", "31d", "2011-12-31T10:00:00Z");
}

#[test]
fn midnight_may_exist_twice() {
    // 2020-11-01, 01:00 back to 00:00: the first at -04:00.
    local_dates("America/Havana", "2020-10-01T16:00:00Z", "30d", "2020-11-01T04:00:00Z");
    local_dates("America/Havana", "2020-10-02T16:00:00Z", "30d", "2020-11-02T05:00:00Z");
    // 2006-10-29, 00:01 back to 23:01: the first at -02:30.
    local_dates("America/St_Johns", "2006-09-28T12:00:00Z", "30d", "2006-10-29T02:30:00Z");
    // Midnight itself goes back to 23:00: 00:00 exists once, at the later offset.
    local_dates("America/Sao_Paulo", "2018-01-18T12:00:00Z", "30d", "2018-02-18T03:00:00Z");
    local_dates("Africa/Cairo", "2026-09-29T10:00:00Z", "30d", "2026-10-29T22:00:00Z");
    // From the second 23:30 of 28 October 2006 the first 00:00 of the 29th has passed already.
    local_dates("America/St_Johns", "2006-10-29T03:00:00Z", "0d", "2006-10-29T02:30:00Z");
}
