//! What `--param` says: a key, and the values to try.

use policy::{Amount, Parameter, Window, parse_size};

/// Most values of one sweep.
pub const MOST_POINTS: u64 = 1_000;

/// A parameter and its values, rising.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Range {
    pub parameter: Parameter,
    /// `d`, `mo`, `y`, or the unit of a size.
    pub unit: String,
    /// In whole units.
    pub values: Vec<u64>,
}

/// How far apart values are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Spacing<'a> {
    /// So many, evenly.
    Points(u64),
    /// Each so much after the one before.
    Step(&'a str),
}

impl Range {
    /// Reads `KEY=FROM..TO`.
    ///
    /// # Errors
    /// A sentence with the option, the column and what was expected.
    pub fn read(text: &str, spacing: Spacing<'_>) -> Result<Range, String> {
        let fault = |part: &str, reason: String| {
            // Parts are slices of the text.
            let offset = part.as_ptr() as usize - text.as_ptr() as usize;
            let column = text[..offset.min(text.len())].chars().count() + 1;
            format!("--param {text:?}, column {column}: {reason}")
        };
        let expected = "expected KEY=FROM..TO, such as tiers.standard.trash=7d..180d";
        // A tier's name may have an equals sign in it, a value has none.
        let (key, span) = text.rsplit_once('=').ok_or_else(|| fault(text, expected.to_owned()))?;
        let (from, to) = span.split_once("..").ok_or_else(|| fault(span, expected.to_owned()))?;
        let parameter = Parameter::parse(key).map_err(|error| fault(key, error.to_string()))?;
        let is_size = parameter.is_size();
        let (first, unit) = units(from, is_size).map_err(|reason| fault(from, reason))?;
        let (last, other) = units(to, is_size).map_err(|reason| fault(to, reason))?;
        if unit != other {
            let reason = format!("{from} and {to} are of two units; write both in one");
            return Err(fault(to, reason));
        }
        if last < first {
            let reason = format!("the range runs backwards, from {from} to {to}");
            return Err(fault(to, reason));
        }
        let values = match spacing {
            Spacing::Points(points) => evenly(first, last, points),
            Spacing::Step(step) => {
                let (by, of) =
                    units(step, is_size).map_err(|reason| format!("--step {step:?}: {reason}"))?;
                if of != unit {
                    return Err(format!("--step {step:?}: expected it in {unit}, as the range is"));
                }
                if by == 0 {
                    return Err(format!("--step {step:?}: expected more than nothing"));
                }
                let points = (last - first) / by + 1;
                if points > MOST_POINTS {
                    return Err(format!(
                        "--step {step:?}: makes {points} values of {span}; at most {MOST_POINTS} are tried"
                    ));
                }
                (0..points).map(|n| first + n * by).collect()
            }
        };
        Ok(Range { parameter, unit: unit.to_owned(), values })
    }

    /// A value as a policy writes it.
    pub fn text(&self, value: u64) -> String {
        format!("{value}{}", self.unit)
    }

    /// A value as a policy takes it.
    pub fn amount(&self, value: u64) -> Amount {
        let text = self.text(value);
        match self.parameter.is_size() {
            true => Amount::Bytes(parse_size(&text).expect("between two sizes")),
            false => Amount::Window(Window::parse(&text).expect("between two durations")),
        }
    }
}

/// How many of which unit a duration or a size is.
fn units(text: &str, is_size: bool) -> Result<(u64, &str), String> {
    let sound = match is_size {
        true => parse_size(text).map(drop).map_err(|error| error.to_string()),
        false => match Window::parse(text) {
            Ok(Window::Never) => Err("has no number: write where the range ends".to_owned()),
            Ok(_) => Ok(()),
            Err(error) => Err(error.to_string()),
        },
    };
    sound.map_err(|reason| format!("{text:?} {reason}"))?;
    let unit_at = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let (digits, unit) = text.split_at(unit_at);
    let number = digits.parse().map_err(|_| format!("{text:?} is too much"))?;
    Ok((number, unit))
}

/// So many whole numbers from `first` to `last`, both included, as evenly as can be; all of them where
/// there are no more.
fn evenly(first: u64, last: u64, points: u64) -> Vec<u64> {
    let between = last - first;
    let steps = (points - 1).min(between);
    if steps == 0 {
        return vec![first];
    }
    let nth = |n: u64| {
        let far = u128::from(between) * u128::from(n);
        first + ((far + u128::from(steps / 2)) / u128::from(steps)) as u64
    };
    (0..=steps).map(nth).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn values(text: &str, spacing: Spacing<'_>) -> Vec<u64> {
        Range::read(text, spacing).expect("a range").values
    }

    #[test]
    fn values_are_whole_and_reach_both_ends() {
        let of = |points| values("trash.purge_lag=0d..10d", Spacing::Points(points));
        assert_eq!(of(2), [0, 10]);
        assert_eq!(of(3), [0, 5, 10]);
        assert_eq!(of(4), [0, 3, 7, 10]);
        assert_eq!(of(11), (0..=10).collect::<Vec<_>>());
        assert_eq!(of(1000), (0..=10).collect::<Vec<_>>());
        assert_eq!(of(1), [0]);
        assert_eq!(values("trash.purge_lag=7d..7d", Spacing::Points(50)), [7]);
        let fifty = values("trash.tiers.standard=7d..180d", Spacing::Points(50));
        assert_eq!((fifty.len(), fifty[0], fifty[49]), (50, 7, 180));
        assert!(fifty.windows(2).all(|two| two[0] < two[1]), "{fifty:?}");
        let all = values("inactivity.window=0d..4294967295d", Spacing::Points(1000));
        assert_eq!((all.len(), all[999]), (1000, 4_294_967_295));
        assert!(all.windows(2).all(|two| two[0] < two[1]));
        let huge = values("tiers.a.quota=0B..18446744073709551615B", Spacing::Points(3));
        assert_eq!(huge, [0, u64::MAX / 2 + 1, u64::MAX]);
    }

    #[test]
    fn a_step_ends_where_the_next_would_be_past_the_range() {
        let of = |step| values("inactivity.window=1mo..12mo", Spacing::Step(step));
        assert_eq!(of("4mo"), [1, 5, 9]);
        assert_eq!(of("11mo"), [1, 12]);
        assert_eq!(of("12mo"), [1]);
    }

    #[test]
    fn what_is_no_range_is_told_with_its_place() {
        for (text, said) in [
            ("", "column 1: expected KEY=FROM..TO"),
            ("trash.purge_lag", "column 1: expected KEY=FROM..TO"),
            ("trash.purge_lag=7d", "column 17: expected KEY=FROM..TO"),
            ("trash.basis=7d..8d", "column 1: \"trash.basis\" is no duration and no size"),
            ("tiers.trash=7d..8d", "column 1: \"tiers.trash\" is no duration and no size"),
            ("tiers..trash=7d..8d", "column 1: \"tiers..trash\" is no duration and no size"),
            ("trash.purge_lag=7d..3d", "column 21: the range runs backwards, from 7d to 3d"),
            ("trash.purge_lag=7d..3mo", "column 21: 7d and 3mo are of two units"),
            ("trash.purge_lag=7..9", "column 17: \"7\" has no unit"),
            ("trash.purge_lag=7d..never", "column 21: \"never\" has no number"),
            ("trash.purge_lag=..9d", "column 17: \"\" is not a duration"),
            ("trash.purge_lag=7d...9d", "column 21: \".9d\" is not a duration"),
            ("trash.purge_lag=7GiB..9GiB", "column 17: \"7GiB\" is not a duration"),
            ("tiers.a.quota=7d..9d", "column 15: \"7d\" is not a size"),
            ("tiers.a.quota=1GiB..9GB", "column 21: 1GiB and 9GB are of two units"),
            ("tiers.等.quota=1GiB..", "column 21: \"\" is not a size"),
        ] {
            let error = Range::read(text, Spacing::Points(50)).expect_err(text);
            assert!(error.contains(said), "{error}\n{said}");
        }
        for (step, said) in [
            ("0d", "expected more than nothing"),
            ("1mo", "expected it in d"),
            ("x", "is not a duration"),
            ("1d", "makes 1001 values"),
        ] {
            let error =
                Range::read("trash.purge_lag=0d..1000d", Spacing::Step(step)).expect_err(step);
            assert!(error.contains(said), "{error}\n{said}");
        }
        let enough = Range::read("trash.purge_lag=0d..999d", Spacing::Step("1d")).expect("a range");
        assert_eq!(enough.values.len() as u64, MOST_POINTS);
    }
}
