//! What of an input is in a store, and what was said to be and is not.

/// What a store's export shows.
#[derive(Debug, PartialEq, Eq)]
pub struct Held {
    /// How many of the input's lines are there, in order from the first on.
    pub events: u64,
    /// How many were acknowledged and are not among these.
    pub lost: u64,
    /// Lines behind these: out of order, doubled, or of nobody.
    pub strange: u64,
}

/// Compares an export byte by byte with the input, whose lines are spelled as the export spells them.
pub fn hold(export: &[u8], input: &[u8], acknowledged: u64) -> Held {
    let lines = export.split_inclusive(|byte| *byte == b'\n');
    let (mut events, mut at, mut strange) = (0, 0, 0);
    for line in lines {
        if strange == 0 && line.ends_with(b"\n") && input[at..].starts_with(line) {
            events += 1;
            at += line.len();
        } else {
            strange += 1;
        }
    }
    Held { events, lost: acknowledged.saturating_sub(events), strange }
}

#[cfg(test)]
mod tests {
    use super::*;

    const INPUT: &[u8] = b"a\nb\nc\nd\n";

    fn check(export: &str, acknowledged: u64, events: u64, lost: u64, strange: u64) {
        let found = hold(export.as_bytes(), INPUT, acknowledged);
        assert_eq!(found, Held { events, lost, strange }, "{export:?}");
    }

    #[test]
    fn what_is_there_and_what_is_lost() {
        check("", 0, 0, 0, 0);
        check("", 2, 0, 2, 0);
        check("a\nb\n", 2, 2, 0, 0);
        check("a\nb\nc\n", 2, 3, 0, 0);
        check("a\nb\nc\n", 4, 3, 1, 0);
        check("a\nb\nc\nd\n", 4, 4, 0, 0);
    }

    #[test]
    fn what_is_out_of_order_doubled_torn_or_anothers_counts_for_nothing() {
        check("b\na\n", 2, 0, 2, 2);
        check("a\na\nb\n", 2, 1, 1, 2);
        check("a\nb", 2, 1, 1, 1);
        check("a\nx\nc\n", 3, 1, 2, 2);
        check("a\nb\nc\nd\ne\n", 4, 4, 0, 1);
    }
}
