//! An account's steps in rows of a few bytes each, quick to read.
//!
//! Ten columns of numbers. Of each column the least value (its *base*) is kept once and what each
//! row has beyond it in as many bytes as the largest needs: a column that is the same in every row
//! takes none. All rows are equally long, so reading is a load, a mask and an addition a column.
//!
//! | bytes | what |
//! |---|---|
//! | varint | count of rows |
//! | 1 | 1: the column `recorded` is relative to `occurred` (zigzag), 0: it is an instant |
//! | 10 × (1, varint) | width in bytes, 0–8, and base of each column |
//! | count × widths of columns 0–7 | the rows, in fold order: what a fold reads |
//! | count × widths of columns 8–9 | the places, in the same order |
//! | 8 | zeros: a load takes 8 bytes wherever it begins |
//!
//! Columns: 0 `occurred`, 1 `recorded` (both in ms since year 1), 2 position, 3 revision, 4 bytes + 1,
//! 5 subject + 1, 6 word + 1 (0: none), 7 the words (see [`words`]), 8 segment, 9 offset.

use event::{Actor, ClearCause, Kind, NameId, PurgeCause, RecordedBy, Step, Surface, Timestamp};

use super::Place;
use super::bytes::{Input, Parsed, put_varint, u64_at};

const COLUMNS: usize = 10;
/// The columns from here on are the place.
const FOLD_COLUMNS: usize = 8;
const RECORDED: usize = 1;
const PAD: usize = 8;

/// Appends steps, given in fold order with the place of each.
pub(super) fn encode(steps: &[(Step, Place)], out: &mut Vec<u8>) {
    let mut least = [u64::MAX; COLUMNS];
    let mut most = [0; COLUMNS];
    let (mut apart_least, mut apart_most) = (u64::MAX, 0);
    for step in steps {
        let row = columns(step);
        for (c, value) in row.into_iter().enumerate() {
            least[c] = least[c].min(value);
            most[c] = most[c].max(value);
        }
        let apart = apart(&row);
        (apart_least, apart_most) = (apart_least.min(apart), apart_most.max(apart));
    }
    // Where the source's word is taken, events are written down soon after they happened; else
    // the log's clock at import stands still while the events' times do not.
    let relative = !steps.is_empty()
        && width(apart_most - apart_least) < width(most[RECORDED] - least[RECORDED]);
    if relative {
        (least[RECORDED], most[RECORDED]) = (apart_least, apart_most);
    }
    put_varint(out, steps.len() as u64);
    out.push(u8::from(relative));
    let mut widths = [0; COLUMNS];
    for c in 0..COLUMNS {
        widths[c] = width(most[c].saturating_sub(least[c]));
        out.push(widths[c] as u8);
        put_varint(out, if steps.is_empty() { 0 } else { least[c] });
    }
    for part in [0..FOLD_COLUMNS, FOLD_COLUMNS..COLUMNS] {
        for step in steps {
            let mut row = columns(step);
            if relative {
                row[RECORDED] = apart(&row);
            }
            for c in part.clone() {
                out.extend_from_slice(&(row[c] - least[c]).to_le_bytes()[..widths[c]]);
            }
        }
    }
    out.extend_from_slice(&[0; PAD]);
}

/// Rows whose layout has been read.
#[derive(Debug)]
pub(super) struct Rows<'a> {
    count: usize,
    relative: bool,
    columns: [Column; COLUMNS],
    /// The bytes of a row, and of a place.
    strides: [usize; 2],
    /// All rows, and what follows them.
    rows: &'a [u8],
    /// All places and the padding.
    places: &'a [u8],
}

#[derive(Debug, Clone, Copy, Default)]
struct Column {
    base: u64,
    mask: u64,
    /// From the beginning of the row.
    at: usize,
}

impl Column {
    #[inline]
    fn of(self, row: &[u8]) -> u64 {
        (u64_at(row, self.at) & self.mask).wrapping_add(self.base)
    }
}

impl<'a> Rows<'a> {
    /// Reads the layout of what [`encode`] wrote; `bytes` ends with it.
    pub(super) fn parse(bytes: &'a [u8]) -> Parsed<Rows<'a>> {
        let mut input = Input(bytes);
        let count = input.count()?;
        let relative = match input.take(1)?[0] {
            0 => false,
            1 => true,
            _ => return Err("a flag is neither 0 nor 1"),
        };
        let mut columns = [Column::default(); COLUMNS];
        let mut strides = [0; 2];
        for (c, column) in columns.iter_mut().enumerate() {
            let stride = &mut strides[usize::from(c >= FOLD_COLUMNS)];
            let width = usize::from(input.take(1)?[0]);
            column.mask = match width {
                0 => 0,
                1..=8 => u64::MAX >> (64 - 8 * width),
                _ => return Err("a column is wider than 8 bytes"),
            };
            column.base = input.varint()?;
            column.at = *stride;
            *stride += width;
        }
        let sizes = strides.map(|stride| count * stride);
        if input.0.len() != sizes[0] + sizes[1] + PAD {
            return Err("the rows are not as long as their layout says");
        }
        let rows = input.0;
        Ok(Rows { count, relative, columns, strides, rows, places: &rows[sizes[0]..] })
    }

    /// Appends the steps to `steps`. A name's number `n` becomes `rename(n)`, which says `None`
    /// for a number that is not one.
    pub(super) fn steps(
        &self,
        steps: &mut Vec<Step>,
        rename: impl Fn(u32) -> Option<NameId>,
    ) -> Parsed<()> {
        steps.reserve(self.count);
        let [occurred, recorded, position, revision, bytes, subject, word, words] =
            *self.columns.first_chunk().expect("more columns");
        let name = |n: u64| match n {
            0 => Ok(None),
            n => match u32::try_from(n - 1).ok().and_then(&rename) {
                None => Err("a name's number is none of the account's"),
                name => Ok(name),
            },
        };
        for i in 0..self.count {
            let row = &self.rows[i * self.strides[0]..];
            let occurred_ms = occurred.of(row);
            let mut recorded_ms = recorded.of(row);
            if self.relative {
                recorded_ms = occurred_ms.wrapping_add_signed(unzigzag(recorded_ms));
            }
            let mut step = from_words(words.of(row))?;
            step.occurred_at = instant(occurred_ms)?;
            step.recorded_at = instant(recorded_ms)?;
            step.position = position.of(row);
            step.revision = revision.of(row);
            step.bytes = bytes.of(row).checked_sub(1);
            step.subject = name(subject.of(row))?;
            step.word = name(word.of(row))?;
            steps.push(step);
        }
        Ok(())
    }

    /// Appends (revision, place) of each step, in the order of the steps.
    pub(super) fn places(&self, places: &mut Vec<(u64, Place)>) {
        let [segment, offset] = *self.columns.last_chunk().expect("more columns");
        let revision = self.columns[3];
        places.extend((0..self.count).map(|i| {
            let row = &self.places[i * self.strides[1]..];
            let place = Place { segment: segment.of(row), offset: offset.of(row) };
            (revision.of(&self.rows[i * self.strides[0]..]), place)
        }));
    }
}

fn columns((step, place): &(Step, Place)) -> [u64; COLUMNS] {
    let ms = |t: Timestamp| t.ms().abs_diff(Timestamp::MIN.ms());
    let name = |name: Option<NameId>| name.map_or(0, |id| u64::from(id.0) + 1);
    [
        ms(step.occurred_at),
        ms(step.recorded_at),
        step.position,
        step.revision,
        step.bytes.map_or(0, |bytes| bytes + 1),
        name(step.subject),
        name(step.word),
        words(step),
        place.segment,
        place.offset,
    ]
}

/// `recorded` relative to `occurred`, small either way.
fn apart(row: &[u64; COLUMNS]) -> u64 {
    let apart = row[RECORDED].wrapping_sub(row[0]).cast_signed();
    ((apart << 1) ^ (apart >> 63)).cast_unsigned()
}

const fn unzigzag(n: u64) -> i64 {
    (n >> 1).cast_signed() ^ -(n & 1).cast_signed()
}

/// How many bytes `n` needs.
const fn width(n: u64) -> usize {
    (64 - n.leading_zeros() as usize).div_ceil(8)
}

fn instant(ms: u64) -> Parsed<Timestamp> {
    let ms = Timestamp::MIN.ms().checked_add_unsigned(ms);
    ms.and_then(Timestamp::from_ms).ok_or("a time is out of its range")
}

/// Kind, actor, surface and what else is one of a few, in 18 bits: from the lowest 2 actor,
/// 3 surface + 1, 1 `delete_backups`, 2 cause of a clearing + 1, 3 cause of a purge + 1, 6 kind,
/// 1 `recorded_by`. Rarely more than two bytes differ within an account.
fn words(step: &Step) -> u64 {
    let surface = step.surface.map_or(0, |s| s.number() + 1);
    let clear = step.clear_cause.map_or(0, |c| c.number() + 1);
    let purge = step.purge_cause.map_or(0, |c| c.number() + 1);
    u64::from(step.actor.number())
        | u64::from(surface) << 2
        | u64::from(step.delete_backups) << 5
        | u64::from(clear) << 6
        | u64::from(purge) << 8
        | u64::from(step.kind.number()) << 11
        | u64::from(step.recorded_by.number()) << 17
}

/// A step with these words and nothing else.
#[inline]
fn from_words(words: u64) -> Parsed<Step> {
    const UNKNOWN: &str = "a word's number is unknown";
    let part = |shift: u32, bits: u32| (words >> shift) as u8 & ((1 << bits) - 1);
    if words >> 18 != 0 {
        return Err(UNKNOWN);
    }
    Ok(Step {
        occurred_at: Timestamp::MIN,
        recorded_at: Timestamp::MIN,
        position: 0,
        revision: 0,
        bytes: None,
        subject: None,
        word: None,
        kind: Kind::from_number(part(11, 6)).ok_or(UNKNOWN)?,
        actor: Actor::from_number(part(0, 2)).ok_or(UNKNOWN)?,
        surface: match part(2, 3) {
            0 => None,
            n => Some(Surface::from_number(n - 1).ok_or(UNKNOWN)?),
        },
        purge_cause: match part(8, 3) {
            0 => None,
            n => Some(PurgeCause::from_number(n - 1).ok_or(UNKNOWN)?),
        },
        clear_cause: match part(6, 2) {
            0 => None,
            n => Some(ClearCause::from_number(n - 1).ok_or(UNKNOWN)?),
        },
        delete_backups: part(5, 1) == 1,
        recorded_by: RecordedBy::from_number(part(17, 1)).ok_or(UNKNOWN)?,
    })
}

const _: () = assert!(
    Kind::ALL.len() <= 64
        && Actor::ALL.len() <= 4
        && Surface::ALL.len() < 8
        && PurgeCause::ALL.len() < 8
        && ClearCause::ALL.len() < 4
        && RecordedBy::ALL.len() <= 2,
    "words() has room for every word"
);

#[cfg(test)]
mod tests {
    use super::*;

    fn check(steps: &[Step]) {
        let place_of = |s: &Step| Place { segment: s.revision / 3, offset: !s.position };
        let mut out = Vec::new();
        let placed: Vec<_> = steps.iter().map(|s| (*s, place_of(s))).collect();
        encode(&placed, &mut out);
        let rows = Rows::parse(&out).unwrap();
        let (mut back, mut places) = (Vec::new(), Vec::new());
        rows.steps(&mut back, |n| Some(NameId(n))).unwrap();
        rows.places(&mut places);
        assert_eq!(back, steps);
        let expected: Vec<_> = steps.iter().map(|s| (s.revision, place_of(s))).collect();
        assert_eq!(places, expected);
        for cut in 0..out.len() {
            assert!(Rows::parse(&out[..cut]).is_err(), "cut at {cut} of {}", out.len());
        }
    }

    fn any(rng: &mut fastrand::Rng) -> Step {
        let scale = rng.u32(0..=62);
        let mut number = |bits: u32| rng.u64(..) >> (64 - bits.min(scale).max(1));
        let time = |n: u64| {
            let span = Timestamp::MIN.ms().abs_diff(Timestamp::MAX.ms());
            instant([0, span, span / 2 + n % 1000, n % span][n as usize % 4]).unwrap()
        };
        Step {
            occurred_at: time(number(62)),
            recorded_at: time(number(62)),
            position: number(62),
            revision: number(40),
            bytes: Some(number(53)).filter(|n| n % 3 > 0),
            subject: Some(NameId(number(32) as u32)).filter(|n| n.0 % 3 > 0),
            word: Some(NameId(number(32) as u32)).filter(|n| n.0 % 3 > 0),
            kind: Kind::ALL[number(20) as usize % Kind::ALL.len()],
            actor: Actor::ALL[number(20) as usize % 4],
            surface: Surface::ALL.get(number(20) as usize % 5).copied(),
            purge_cause: PurgeCause::ALL.get(number(20) as usize % 6).copied(),
            clear_cause: ClearCause::ALL.get(number(20) as usize % 4).copied(),
            delete_backups: number(20) % 2 == 1,
            recorded_by: RecordedBy::ALL[number(20) as usize % 2],
        }
    }

    #[test]
    fn any_steps_come_back() {
        check(&[]);
        for seed in 0..300 {
            let mut rng = fastrand::Rng::with_seed(seed);
            println!("seed {seed}");
            let steps: Vec<Step> = (0..rng.usize(1..9)).map(|_| any(&mut rng)).collect();
            check(&steps);
            check(&vec![steps[0]; 5]);
        }
    }

    #[test]
    fn a_column_that_does_not_vary_takes_no_bytes() {
        let mut rng = fastrand::Rng::with_seed(1);
        let kind = Kind::ALL[0];
        let step = Step { recorded_at: Timestamp::MIN, kind, ..any(&mut rng) };
        let size = |steps: &[Step]| {
            let mut out = Vec::new();
            let place = Place { segment: 7, offset: 9 };
            let placed: Vec<_> = steps.iter().map(|s| (*s, place)).collect();
            encode(&placed, &mut out);
            out.len()
        };
        let three = |change: &dyn Fn(u64, &mut Step)| {
            let mut steps = [step; 3];
            for (i, step) in steps.iter_mut().enumerate() {
                change(i as u64, step);
            }
            size(&steps)
        };
        let same = three(&|_, _| {});
        assert_eq!(same, size(&[step]));
        assert_eq!(three(&|i, s| s.revision += i), same + 3);
        assert_eq!(three(&|i, s| s.revision += 100 * i), same + 3);
        assert_eq!(three(&|i, s| s.revision += 200 * i), same + 6);
        assert_eq!(three(&|i, s| s.kind = Kind::ALL[30 * (i as usize % 2)]), same + 6);
    }
}
