//! Windows at random starts, in every zone, against the calendar of another library.

use event::Timestamp;
use jiff::tz::{TimeZone, TimeZoneDatabase};
use jiff::{ToSpan as _, civil};
use stillthere_policy::{Policy, Window, Zone, presets};

const DAY_MS: i64 = 86_400_000;
/// jiff ends some hours before the last `Timestamp`.
const LAST_MS: i64 = 253_402_200_000_000;

fn seed() -> u64 {
    let given = std::env::var("STILLTHERE_TEST_SEED").ok();
    given.map_or_else(|| fastrand::u64(..), |text| text.parse().expect("a number"))
}

fn plain_after(
    zone: &TimeZone,
    start: Timestamp,
    window: Window,
    local_dates: bool,
) -> Option<i64> {
    let at = jiff::Timestamp::from_millisecond(start.ms()).unwrap();
    let wall: civil::DateTime = zone.to_datetime(at);
    let moved = match window {
        Window::Never => return None,
        Window::Days(n) if !local_dates => return Some(start.ms() + i64::from(n) * DAY_MS),
        Window::Days(n) => wall.checked_add(i64::from(n).days()),
        Window::Months(n) => wall.checked_add(i64::from(n).months()),
        Window::Years(n) => wall.checked_add(i64::from(n).years()),
    };
    let moved = moved.ok()?;
    let wall = if local_dates { moved.date().tomorrow().ok()?.at(0, 0, 0, 0) } else { moved };
    // `compatible`: the offset before a gap, the first of a fold.
    Some(zone.to_ambiguous_timestamp(wall).compatible().ok()?.as_millisecond())
}

#[test]
fn windows_agree_with_jiff() {
    let seed = seed();
    let mut random = fastrand::Rng::with_seed(seed);
    let database = TimeZoneDatabase::bundled();
    let mut zones = 0;
    for name in database.available() {
        let name = name.as_str();
        let zone = Zone::new(name).unwrap();
        let other = database.get(name).unwrap();
        let changes: Vec<i64> = zone.changes().map(|(at_ms, _)| at_ms).collect();
        for _ in 0..300 {
            let (window, about_days) = match random.u8(0..8) {
                0 => (Window::Never, 0),
                1 | 2 => {
                    let n = random.u32(0..800);
                    (Window::Days(n), i64::from(n))
                }
                3..6 => {
                    let n = random.u32(0..30);
                    (Window::Months(n), i64::from(n) * 365 / 12)
                }
                _ => {
                    let n = random.u32(0..6);
                    (Window::Years(n), i64::from(n) * 1461 / 4)
                }
            };
            // Anywhere; in our time; or so that the end falls near a change of the offset.
            let start_ms = match random.u8(0..4) {
                0 => random.i64(Timestamp::MIN.ms()..LAST_MS),
                1 => random.i64(0..4_102_444_800_000),
                _ if changes.is_empty() => random.i64(0..20_000_000_000_000),
                cycle => {
                    let change = changes[random.usize(..changes.len())];
                    let cycles = if cycle == 3 { random.i64(0..19) * 146_097 } else { 0 };
                    let near = random.i64(-60..60) * 1_800_000 + random.i64(-1..2);
                    change + near + (cycles - about_days - random.i64(-1..2)) * DAY_MS
                }
            };
            let start_ms = start_ms.clamp(Timestamp::MIN.ms(), LAST_MS);
            let start = Timestamp::from_ms(start_ms).unwrap();
            for local_dates in [false, true] {
                let expected = plain_after(&other, start, window, local_dates);
                let found = if local_dates {
                    window.after_local_dates(start, &zone)
                } else {
                    window.after(start, &zone)
                };
                let found = found.map(Timestamp::ms);
                if let Some(end_ms) = found
                    && !local_dates
                    && window.at_least_ms() > 0
                {
                    assert!(
                        end_ms - start_ms >= window.at_least_ms(),
                        "{start} + {window}, {name}"
                    );
                }
                if expected.is_none_or(|ms| ms > LAST_MS) && found.is_none_or(|ms| ms > LAST_MS) {
                    continue;
                }
                assert_eq!(
                    found, expected,
                    "seed {seed}: {start} + {window}, {name}, local dates {local_dates}"
                );
            }
        }
        zones += 1;
    }
    assert!(zones > 400, "the database has {zones} zones");
}

/// Policy files with bytes lost, doubled, moved or replaced are refused or read, and what is read
/// can be hashed, shown and read under each reading.
#[test]
fn no_file_panics() {
    let seed = seed();
    let mut random = fastrand::Rng::with_seed(seed);
    println!("seed {seed}");
    let (_, preset) = presets()[0];
    let cut = preset.find("[[version.clauses]]").unwrap();
    let readings = preset.find("[[version.readings]]").unwrap();
    let base: Vec<char> = format!("{}{}", &preset[..cut], &preset[readings..]).chars().collect();
    let mut read = 0;
    for _ in 0..3000 {
        let mut text = base.clone();
        for _ in 0..random.usize(1..4) {
            let from = random.usize(..text.len());
            let to = (from + random.usize(0..40)).min(text.len());
            let part: Vec<char> = text[from..to].to_vec();
            match random.u8(0..4) {
                0 => drop(text.drain(from..to)),
                1 => drop(text.splice(from..from, part)),
                2 => {
                    let at = random.usize(..text.len());
                    drop(text.splice(at..at, part));
                }
                _ => {
                    text[from] =
                        *random.choice(&['"', '.', '{', '}', '[', '=', '0', '年', '\n']).unwrap()
                }
            }
        }
        let text: String = text.into_iter().collect();
        if let Ok((policy, _)) = Policy::check(&text) {
            read += 1;
            crate::compiled::comes_back(&policy);
            serde_json::to_string(&policy).unwrap();
            for id in policy.readings() {
                let _ = policy.with_reading(&id).unwrap().hash();
            }
        }
    }
    assert!(read > 0, "none of the files was sound");
}

#[test]
fn odd_files_are_refused_or_read() {
    let least = "schema = 1\npolicy = \"p\"\n[[version]]\nid = \"v\"\ntiers.a = {}\n";
    assert!(Policy::parse(&format!("\u{feff}{least}")).is_ok());
    let error = Policy::parse(&format!("\u{feff}{least}x = 1")).unwrap_err();
    assert_eq!((error.place.line, error.place.column), (6, 1));
    assert!(Policy::parse("").is_err());
    assert!(Policy::parse("\0").is_err());
    assert!(Policy::parse(&"[".repeat(100_000)).is_err());
    assert!(Policy::parse(&format!("a = {}", "[".repeat(100_000))).is_err());
    assert!(Policy::parse(&format!("a{} = 1", ".a".repeat(100_000))).is_err());
    assert!(Policy::parse(&format!("{least}source = \"{}\"", "x".repeat(1 << 20))).is_ok());
}
