//! Numbers as people read them.

/// `1,234,567`
pub fn count(n: impl Into<u128>) -> String {
    let digits = n.into().to_string();
    let mut out = String::with_capacity(digits.len() * 4 / 3 + 1);
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

/// `1 event`, `2,000 events`
pub fn counted(n: u64, one: &str) -> String {
    if n == 1 { format!("1 {one}") } else { format!("{} {one}s", count(n)) }
}

/// `1 event was`, `2,000 events were`
pub fn counted_were(n: u64, one: &str) -> String {
    format!("{} {}", counted(n, one), if n == 1 { "was" } else { "were" })
}

/// `512 B`, `1.5 KiB`, `5 GiB`: to a tenth, cut, so that nothing looks larger than it is.
pub fn bytes<N: Into<u128>>(n: N) -> String {
    let n: u128 = n.into();
    const UNITS: [&str; 6] = ["KiB", "MiB", "GiB", "TiB", "PiB", "EiB"];
    let mut unit = 0;
    let mut of = 1024;
    if n < of {
        return format!("{n} B");
    }
    while unit + 1 < UNITS.len() && n >= of * 1024 {
        of *= 1024;
        unit += 1;
    }
    // What is left over a whole unit is less than one: this cannot overflow.
    let (whole, tenth) = (n / of, n % of * 10 / of);
    match tenth {
        0 => format!("{} {}", count(whole), UNITS[unit]),
        _ => format!("{}.{tenth} {}", count(whole), UNITS[unit]),
    }
}

/// `used` of `limit` in whole percent, cut; `None` of no limit at all.
pub fn percent(used: u128, limit: u64) -> Option<u128> {
    used.saturating_mul(100).checked_div(u128::from(limit))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts() {
        for (n, expected) in [
            (0, "0"),
            (999, "999"),
            (1_000, "1,000"),
            (143_175, "143,175"),
            (1_000_000, "1,000,000"),
        ] {
            assert_eq!(count(n as u64), expected);
        }
        assert_eq!(counted(1, "event"), "1 event");
        assert_eq!(counted(0, "event"), "0 events");
    }

    #[test]
    fn sizes() {
        for (n, expected) in [
            (0, "0 B"),
            (1023, "1023 B"),
            (1024, "1 KiB"),
            (1535, "1.4 KiB"),
            (1536, "1.5 KiB"),
            (1024 * 1024 - 1, "1023.9 KiB"),
            (5 << 30, "5 GiB"),
            (1u128 << 60, "1 EiB"),
            ((1u128 << 53) - 1, "7.9 PiB"),
        ] {
            assert_eq!(bytes(n as u64).replace(',', ""), expected);
        }
        assert!(bytes(u128::MAX).ends_with("EiB"));
    }

    #[test]
    fn percents() {
        assert_eq!(percent(1, 3), Some(33));
        assert_eq!(percent(0, 0), None);
        assert_eq!(percent(u128::MAX, 1), Some(u128::MAX));
    }
}
