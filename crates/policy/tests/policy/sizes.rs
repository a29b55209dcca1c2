//! Sizes.

use stillthere_policy::{SizeError, parse_size};

fn check(text: &str, expected: Result<u64, SizeError>) {
    assert_eq!(parse_size(text), expected, "{text:?}");
}

#[test]
fn by_1000_and_by_1024() {
    check("0B", Ok(0));
    check("1B", Ok(1));
    check("1KB", Ok(1_000));
    check("1MB", Ok(1_000_000));
    check("5GB", Ok(5_000_000_000));
    check("2TB", Ok(2_000_000_000_000));
    check("3PB", Ok(3_000_000_000_000_000));
    check("18EB", Ok(18_000_000_000_000_000_000));
    check("1KiB", Ok(1_024));
    check("1MiB", Ok(1_048_576));
    check("5GiB", Ok(5_368_709_120));
    check("1TiB", Ok(1_099_511_627_776));
    check("1PiB", Ok(1_125_899_906_842_624));
    check("15EiB", Ok(17_293_822_569_102_704_640));
    check("0005GiB", Ok(5_368_709_120));
    check("18446744073709551615B", Ok(u64::MAX));
}

#[test]
fn else_an_error() {
    check("18446744073709551616B", Err(SizeError::Range));
    check("19EB", Err(SizeError::Range));
    check("16EiB", Err(SizeError::Range));
    check("5368709120", Err(SizeError::NoUnit));
    for text in
        ["", "GiB", "-5GiB", "+5GiB", "5.0GiB", "5 GiB", " 5GiB", "5GiB ", "5gib", "5kB", "5K"]
    {
        check(text, Err(SizeError::Format));
    }
    for text in ["5b", "5Gi", "5GIB", "unlimited", "5ZB", "٥GiB", "1_000B", "0x5B"] {
        check(text, Err(SizeError::Format));
    }
}
