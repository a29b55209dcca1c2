//! Control frames: what a log says of itself (docs/format.md, section 5).
//!
//! Their bodies are MessagePack, each value in the fewest bytes, hashes and policies as binary:
//!
//! | kind | frame | body |
//! |---|---|---|
//! | 16 | seal | `[size, accounts, root, at]` |
//! | 17 | erasure | `[at, ground, by, left, before, names, events, root]` |
//! | 18 | adoption of a policy | `[hash, compiled]` |
//! | 19 | signed statement | `[what, note]` |

use event::Timestamp;

use crate::erasure::{Erasure, Ranges};
use crate::fault::{Fault, same, same_bytes};
use crate::frame::Left;
use crate::hash::Digest;

/// The longest note of a statement in bytes.
pub const MAX_STATEMENT: usize = 65_536;
/// The longest word for what a statement is, and name of who erased, in bytes.
pub const MAX_WHAT: usize = 128;
/// The longest ground of an erasure in bytes.
pub const MAX_GROUND: usize = 1024;
/// The most accounts a log has.
const ACCOUNTS: u64 = 1 << 31;

/// The kinds of control frames that this version reads, by their numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum ControlKind {
    /// See [`Seal`].
    Seal = 16,
    /// See [`Erasure`].
    Erasure = 17,
    /// A policy is in force from here on.
    Adoption = 18,
    /// What somebody signed.
    Statement = 19,
}

impl ControlKind {
    /// Of a frame's kind.
    #[must_use]
    pub const fn from_number(number: u8) -> Option<ControlKind> {
        match number {
            16 => Some(ControlKind::Seal),
            17 => Some(ControlKind::Erasure),
            18 => Some(ControlKind::Adoption),
            19 => Some(ControlKind::Statement),
            _ => None,
        }
    }
}

/// The end of a piece of the log, at which it commits to where every account's chain ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Seal {
    /// Events before it, under 2^62: the map's chains end with these.
    pub size: u64,
    /// Accounts before it, under 2^31.
    pub accounts: u64,
    /// The root of the account map (docs/proofs.md).
    pub root: Digest,
    /// The log's clock, which this moves on, in ms since the epoch, in the years 1 to 9999.
    pub at_ms: i64,
}

/// What a control frame says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Control<'a> {
    /// See [`Seal`].
    Seal(Seal),
    /// See [`Erasure`].
    Erasure(Erasure<'a>),
    /// A policy is adopted: nobody can pick another one afterwards.
    Adoption {
        /// The policy's hash: BLAKE3 of its compiled form.
        hash: Digest,
        /// The policy's compiled form.
        compiled: &'a [u8],
    },
    /// A statement that somebody signed, kept where it can be found.
    Statement {
        /// What it is about, in 1 to 128 bytes.
        what: &'a str,
        /// The signed note, in 1 to [`MAX_STATEMENT`] bytes.
        note: &'a str,
    },
}

impl<'a> Control<'a> {
    /// What it is.
    #[must_use]
    pub const fn kind(&self) -> ControlKind {
        match self {
            Control::Seal(_) => ControlKind::Seal,
            Control::Erasure(_) => ControlKind::Erasure,
            Control::Adoption { .. } => ControlKind::Adoption,
            Control::Statement { .. } => ControlKind::Statement,
        }
    }

    /// The body, without the salt before it.
    ///
    /// # Panics
    /// If something is out of the range that is stated of it.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        if let Err(fault) = self.check() {
            panic!("no control frame says that: {fault}");
        }
        self.spell()
    }

    /// From the body behind the salt. There is one spelling, and what is out of its range is refused.
    ///
    /// # Errors
    /// The first byte that no such body has there.
    pub fn decode(kind: ControlKind, body: &'a [u8]) -> Result<Control<'a>, Fault> {
        let mut reader = Reader { body, at: 0 };
        let control = match kind {
            ControlKind::Seal => {
                reader.array(4)?;
                Control::Seal(Seal {
                    size: reader.uint("the count of events before a seal")?,
                    accounts: reader.uint("the count of accounts before a seal")?,
                    root: reader.digest("the root of the account map")?,
                    at_ms: reader.int("a seal's time")?,
                })
            }
            ControlKind::Erasure => {
                reader.array(8)?;
                Control::Erasure(Erasure {
                    at_ms: reader.int("an erasure's time")?,
                    ground: reader.text("the ground of an erasure")?,
                    by: reader.text("who erased")?,
                    left: match reader.uint("what is left")? {
                        0 => Left::Envelope,
                        1 => Left::Leaf,
                        n => {
                            return Err(Fault::new(
                                reader.at - 1,
                                "0 or 1, what is left",
                                n.to_string(),
                            ));
                        }
                    },
                    before_ms: reader
                        .optional_int("a time before which all that was erased occurred")?,
                    names: reader.ranges("the accounts whose names were erased")?,
                    events: reader.ranges("the positions of what was erased")?,
                    root: reader.digest("the root over what was erased")?,
                })
            }
            ControlKind::Adoption => {
                reader.array(2)?;
                let hash = reader.digest("a policy's hash")?;
                Control::Adoption { hash, compiled: reader.binary("a compiled policy")? }
            }
            ControlKind::Statement => {
                reader.array(2)?;
                let what = reader.text("what a statement is about")?;
                Control::Statement { what, note: reader.text("a signed note")? }
            }
        };
        same(reader.at, "a control frame's body of bytes:", reader.at, body.len())?;
        control.check()?;
        // Its one spelling is the one that it would be given. No other is shorter, nor the beginning of it.
        match control.spell().iter().zip(body).position(|(spelled, found)| spelled != found) {
            None => Ok(control),
            Some(at) => {
                let found = format!("{:#04x}", body[at]);
                Err(Fault::new(at, "a value in the fewest bytes", found))
            }
        }
    }

    /// Refuses what is out of range, by the body's first byte.
    fn check(&self) -> Result<(), Fault> {
        match self {
            Control::Seal(seal) => {
                if seal.size >> 62 != 0 {
                    let found = seal.size.to_string();
                    return Err(Fault::new(0, "a seal of under 2^62 events", found));
                }
                if seal.accounts >= ACCOUNTS {
                    let found = seal.accounts.to_string();
                    return Err(Fault::new(0, "a seal of under 2^31 accounts", found));
                }
                if Timestamp::from_ms(seal.at_ms).is_none() {
                    let found = format!("{} ms", seal.at_ms);
                    return Err(Fault::new(0, "a seal in the years 1 to 9999", found));
                }
            }
            Control::Erasure(erasure) => {
                let within = |what: &str, text: &str, most: usize| {
                    let expected = format!("{what} of 1 to {most} bytes");
                    let found = format!("{} bytes", text.len());
                    let is_within = (1..=most).contains(&text.len());
                    if is_within { Ok(()) } else { Err(Fault::new(0, expected, found)) }
                };
                within("the ground of an erasure", erasure.ground, MAX_GROUND)?;
                within("the name of who erased", erasure.by, MAX_WHAT)?;
                let times = [Some(erasure.at_ms), erasure.before_ms];
                if times.iter().flatten().any(|ms| Timestamp::from_ms(*ms).is_none()) {
                    let found = format!("{:?} ms", times);
                    return Err(Fault::new(0, "an erasure in the years 1 to 9999", found));
                }
                if erasure.names.end() > ACCOUNTS || erasure.events.end() >> 62 != 0 {
                    let found =
                        format!("up to {} and {}", erasure.names.end(), erasure.events.end());
                    return Err(Fault::new(
                        0,
                        "accounts under 2^31 and positions under 2^62",
                        found,
                    ));
                }
                if erasure.names.is_empty() && erasure.events.is_empty() {
                    return Err(Fault::new(0, "an erasure of something", "nothing"));
                }
                if erasure.left == Left::Envelope && !erasure.names.is_empty() {
                    return Err(Fault::new(0, "no names where envelopes are left", "some"));
                }
            }
            Control::Adoption { hash, compiled } => {
                let own = blake3::hash(compiled);
                same_bytes(0, "a policy of the hash", own.as_bytes(), hash)?;
            }
            Control::Statement { what, note } => {
                let within = |what: &str, text: &str, most: usize| {
                    let found = format!("{} bytes", text.len());
                    let is_within = (1..=most).contains(&text.len());
                    let expected = format!("{what} of 1 to {most} bytes");
                    if is_within { Ok(()) } else { Err(Fault::new(0, expected, found)) }
                };
                within("a statement's subject", what, MAX_WHAT)?;
                within("a signed note", note, MAX_STATEMENT)?;
            }
        }
        Ok(())
    }

    fn spell(&self) -> Vec<u8> {
        let mut out = Vec::new();
        match self {
            Control::Seal(Seal { size, accounts, root, at_ms }) => {
                out.push(0x94);
                put_int(&mut out, i128::from(*size));
                put_int(&mut out, i128::from(*accounts));
                put_bytes(&mut out, BINARY, root);
                put_int(&mut out, i128::from(*at_ms));
            }
            Control::Erasure(erasure) => {
                out.push(0x98);
                put_int(&mut out, i128::from(erasure.at_ms));
                put_bytes(&mut out, TEXT, erasure.ground.as_bytes());
                put_bytes(&mut out, TEXT, erasure.by.as_bytes());
                put_int(&mut out, erasure.left as i128);
                match erasure.before_ms {
                    None => out.push(NIL),
                    Some(ms) => put_int(&mut out, i128::from(ms)),
                }
                put_ranges(&mut out, &erasure.names);
                put_ranges(&mut out, &erasure.events);
                put_bytes(&mut out, BINARY, &erasure.root);
            }
            Control::Adoption { hash, compiled } => {
                out.push(0x92);
                put_bytes(&mut out, BINARY, hash);
                put_bytes(&mut out, BINARY, compiled);
            }
            Control::Statement { what, note } => {
                out.push(0x92);
                put_bytes(&mut out, TEXT, what.as_bytes());
                put_bytes(&mut out, TEXT, note.as_bytes());
            }
        }
        out
    }
}

const NIL: u8 = 0xc0;

/// The markers of lengths of 1, 2 and 4 bytes.
type Markers = [u8; 3];
const BINARY: Markers = [0xc4, 0xc5, 0xc6];
const TEXT: Markers = [0xd9, 0xda, 0xdb];
/// Texts under 32 bytes have their length in the marker.
const SHORT_TEXT: u8 = 0xa0;
/// Those of numbers of 1, 2, 4 and 8 bytes, from 0 up and below 0.
const UINT: [u8; 4] = [0xcc, 0xcd, 0xce, 0xcf];
const INT: [u8; 4] = [0xd0, 0xd1, 0xd2, 0xd3];

fn put_int(out: &mut Vec<u8>, value: i128) {
    if (-32..128).contains(&value) {
        return out.push(value as u8);
    }
    let (markers, bits) = if value < 0 { (INT, 1) } else { (UINT, 0) };
    let is_enough = |n: &usize| (value ^ value >> 127) >> ((8 << n) - bits) == 0;
    let n = (0..4).find(is_enough).expect("8 bytes hold each number that is checked");
    out.push(markers[n]);
    out.extend_from_slice(&value.to_be_bytes()[16 - (1 << n)..]);
}

/// An array of twice as many numbers as there are ranges: of each how far it begins behind the end of the one
/// before, and how many it has.
fn put_ranges(out: &mut Vec<u8>, ranges: &Ranges) {
    let numbers: Vec<u64> = ranges.gaps().flat_map(|(gap, count)| [gap, count]).collect();
    let len = u32::try_from(numbers.len()).expect("a frame is shorter than 2^24 bytes");
    match len {
        0..16 => out.push(0x90 | len as u8),
        16..=0xffff => {
            out.push(0xdc);
            out.extend_from_slice(&(len as u16).to_be_bytes());
        }
        _ => {
            out.push(0xdd);
            out.extend_from_slice(&len.to_be_bytes());
        }
    }
    for number in numbers {
        put_int(out, i128::from(number));
    }
}

fn put_bytes(out: &mut Vec<u8>, markers: Markers, bytes: &[u8]) {
    let len = u32::try_from(bytes.len()).expect("a frame is shorter than 2^24 bytes");
    match len {
        0..32 if markers == TEXT => out.push(SHORT_TEXT | len as u8),
        0..=0xff => out.extend_from_slice(&[markers[0], len as u8]),
        0x100..=0xffff => {
            out.push(markers[1]);
            out.extend_from_slice(&(len as u16).to_be_bytes());
        }
        _ => {
            out.push(markers[2]);
            out.extend_from_slice(&len.to_be_bytes());
        }
    }
    out.extend_from_slice(bytes);
}

/// Reads values of any spelling; which one it is is judged of the whole.
struct Reader<'a> {
    body: &'a [u8],
    at: usize,
}

impl<'a> Reader<'a> {
    fn take(&mut self, len: usize, what: &str) -> Result<&'a [u8], Fault> {
        let rest = &self.body[self.at..];
        let Some(taken) = rest.get(..len) else {
            let found = format!("{} bytes to the end", rest.len());
            return Err(Fault::new(self.at, format!("{what}, of {len} bytes"), found));
        };
        self.at += len;
        Ok(taken)
    }

    fn marker(&mut self, what: &str) -> Result<u8, Fault> {
        Ok(self.take(1, what)?[0])
    }

    fn number(&mut self, len: usize, what: &str) -> Result<u64, Fault> {
        let bytes = self.take(len, what)?;
        Ok(bytes.iter().fold(0, |value, byte| value << 8 | u64::from(*byte)))
    }

    fn array(&mut self, len: u8) -> Result<(), Fault> {
        let what = format!("an array of {len} values");
        match self.marker(&what)? {
            marker if marker == 0x90 | len => Ok(()),
            other => Err(Fault::new(0, what, format!("{other:#04x}"))),
        }
    }

    fn optional_int(&mut self, what: &str) -> Result<Option<i64>, Fault> {
        match self.body.get(self.at) {
            Some(&NIL) => {
                self.at += 1;
                Ok(None)
            }
            _ => self.int(what).map(Some),
        }
    }

    fn ranges(&mut self, what: &str) -> Result<Ranges, Fault> {
        let start = self.at;
        let bad = |found: String| Fault::new(start, format!("{what}, an array of ranges"), found);
        let len = match self.marker(what)? {
            marker @ 0x90..=0x9f => u64::from(marker & 0x0f),
            0xdc => self.number(2, what)?,
            0xdd => self.number(4, what)?,
            other => return Err(bad(format!("{other:#04x}"))),
        };
        if len % 2 != 0 {
            return Err(bad(format!("{len} numbers")));
        }
        let mut ranges = Ranges::default();
        for n in 0..len / 2 {
            let (gap, count) = (self.uint(what)?, self.uint(what)?);
            let begin = ranges.end().checked_add(gap).filter(|_| gap > 0 || n == 0);
            let range = begin.and_then(|begin| Some(begin..begin.checked_add(count)?));
            match range.filter(|range| !range.is_empty()) {
                Some(range) => ranges.push(range),
                None => return Err(bad(format!("a gap of {gap} and a count of {count}"))),
            }
        }
        Ok(ranges)
    }

    fn uint(&mut self, what: &str) -> Result<u64, Fault> {
        let start = self.at;
        let value = self.int_of_any_sign(what)?;
        value.map_err(|negative| Fault::new(start, what, negative.to_string()))
    }

    fn int(&mut self, what: &str) -> Result<i64, Fault> {
        let start = self.at;
        match self.int_of_any_sign(what)? {
            Ok(value) => {
                i64::try_from(value).map_err(|_| Fault::new(start, what, value.to_string()))
            }
            Err(negative) => Ok(negative),
        }
    }

    /// A number, or else a negative one.
    fn int_of_any_sign(&mut self, what: &str) -> Result<Result<u64, i64>, Fault> {
        let signed = |value: i64| u64::try_from(value).map_err(|_| value);
        let start = self.at;
        let marker = self.marker(what)?;
        if !(0x80..0xe0).contains(&marker) {
            return Ok(signed(i64::from(marker as i8)));
        }
        if let Some(n) = UINT.iter().position(|m| *m == marker) {
            return Ok(Ok(self.number(1 << n, what)?));
        }
        if let Some(n) = INT.iter().position(|m| *m == marker) {
            let unused = 64 - (8 << n);
            return Ok(signed((self.number(1 << n, what)? << unused) as i64 >> unused));
        }
        Err(Fault::new(start, format!("{what}, a whole number"), format!("{marker:#04x}")))
    }

    fn bytes(&mut self, markers: Markers, what: &str) -> Result<&'a [u8], Fault> {
        let start = self.at;
        let marker = self.marker(what)?;
        let len = match markers.iter().position(|m| *m == marker) {
            Some(n) => self.number(1 << n, what)?,
            None if markers == TEXT && marker & 0xe0 == SHORT_TEXT => u64::from(marker & 0x1f),
            None => {
                let as_what = if markers == TEXT { "text" } else { "binary" };
                return Err(Fault::new(
                    start,
                    format!("{what}, {as_what}"),
                    format!("{marker:#04x}"),
                ));
            }
        };
        self.take(usize::try_from(len).unwrap_or(usize::MAX), what)
    }

    fn binary(&mut self, what: &str) -> Result<&'a [u8], Fault> {
        self.bytes(BINARY, what)
    }

    fn digest(&mut self, what: &str) -> Result<Digest, Fault> {
        let start = self.at;
        let bytes = self.binary(what)?;
        let found = || format!("{} bytes", bytes.len());
        bytes.try_into().map_err(|_| Fault::new(start, format!("{what}, of 32 bytes"), found()))
    }

    fn text(&mut self, what: &str) -> Result<&'a str, Fault> {
        let start = self.at;
        let bytes = self.bytes(TEXT, what)?;
        std::str::from_utf8(bytes)
            .map_err(|_| Fault::new(start, format!("{what} in UTF-8"), "other bytes"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn some() -> Vec<Control<'static>> {
        const SIZES: [usize; 6] = [1, 31, 32, 255, 256, 65_536];
        static BYTES: [u8; 65_536] = [b'n'; 65_536];
        let text = |len: usize| std::str::from_utf8(&BYTES[..len]).unwrap();
        let sizes = [0, 1, 127, 128, 255, 256, 65_535, 65_536, 0xffff_ffff, 0x1_0000_0000];
        let times = [
            0,
            -1,
            -32,
            -33,
            -128,
            -129,
            -32_768,
            -32_769,
            -2_147_483_648,
            -2_147_483_649,
            Timestamp::MIN.ms(),
            1_772_000_000_000,
        ];
        let mut some = Vec::new();
        let ranges = |starts: &[(u64, u64)]| {
            let mut ranges = Ranges::default();
            starts.iter().for_each(|(from, to)| ranges.push(*from..*to));
            ranges
        };
        let many: Vec<_> = (0..40_000).map(|n| (3 * n, 3 * n + 1 + n % 2)).collect();
        for events in [&[(0, 1)][..], &[(7, 9), (10, 400)], &many[..7], &many[..8], &many[1..]] {
            for (left, names) in [
                (Left::Envelope, ranges(&[])),
                (Left::Leaf, ranges(&[])),
                (Left::Leaf, ranges(&[(0, 1), (300, (1 << 31) - 1)])),
            ] {
                some.push(Control::Erasure(Erasure {
                    at_ms: times[events.len() % times.len()],
                    ground: text(1 + events.len() % 1024),
                    by: text(1 + events.len() % 128),
                    left,
                    before_ms: (events.len() % 2 == 0).then_some(5),
                    names,
                    events: ranges(events),
                    root: [9; 32],
                }));
            }
        }
        for (n, size) in sizes.iter().chain(&[(1 << 62) - 1]).enumerate() {
            let at_ms = times[n % times.len()];
            let accounts = *size.min(&((1 << 31) - 1));
            some.push(Control::Seal(Seal { size: *size, accounts, root: [n as u8; 32], at_ms }));
        }
        some.extend(
            times.map(|at_ms| Control::Seal(Seal { size: 7, accounts: 2, root: [5; 32], at_ms })),
        );
        for len in SIZES {
            let compiled = &BYTES[..len];
            some.push(Control::Adoption { hash: *blake3::hash(compiled).as_bytes(), compiled });
            some.push(Control::Statement { what: text(len.min(128)), note: text(len) });
        }
        some
    }

    #[test]
    fn each_has_one_spelling() {
        for control in some() {
            let body = control.encode();
            let kind = control.kind();
            assert_eq!(Control::decode(kind, &body), Ok(control.clone()));
            assert_eq!(ControlKind::from_number(kind as u8), Some(kind));
            assert!(Control::decode(kind, &[&body[..], &[0]].concat()).is_err());
            for at in 0..body.len().min(if body.len() < 1000 { 200 } else { 48 }) {
                assert!(Control::decode(kind, &body[..at]).is_err());
                for other in (0..=255).step_by(if body.len() < 1000 { 1 } else { 51 }) {
                    let mut changed = body.clone();
                    changed[at] = other;
                    if let Ok(read) = Control::decode(kind, &changed) {
                        assert_eq!(read.encode(), changed);
                    }
                }
            }
        }
    }

    /// Numbers, texts and binary in more bytes than they need.
    #[test]
    fn longer_spellings_are_refused() {
        let seal = Control::Seal(Seal { size: 7, accounts: 2, root: [5; 32], at_ms: -3 });
        let body = seal.encode();
        assert_eq!((body[1], body[2], body[37]), (7, 2, 0xfd));
        let longer = |at: usize, by: &[u8]| [&body[..at], by, &body[at + 1..]].concat();
        for (body, offset) in [
            (longer(1, &[0xcc, 7]), 1),
            (longer(1, &[0xd0, 7]), 1),
            (longer(1, &[0xcf, 0, 0, 0, 0, 0, 0, 0, 7]), 1),
            (longer(2, &[0xcd, 0, 2]), 2),
            (longer(4, &[0, 32]), 4),
            (longer(37, &[0xd0, 0xfd]), 37),
            (longer(37, &[0xd3, 255, 255, 255, 255, 255, 255, 255, 0xfd]), 37),
        ] {
            let fault = Control::decode(ControlKind::Seal, &body).unwrap_err();
            assert!(fault.offset <= offset, "{fault}");
        }
        let statement = [0x92, 0xd9, 1, b'a', 0xa1, b'b'];
        assert_eq!(Control::decode(ControlKind::Statement, &statement).unwrap_err().offset, 1);
        let empty = [0x92, 0xa1, b'a', 0xa0];
        assert!(Control::decode(ControlKind::Statement, &empty).is_err());
    }

    #[test]
    fn what_is_out_of_range_is_refused() {
        let sound = Seal { size: 7, accounts: 2, root: [5; 32], at_ms: 0 };
        for seal in [
            Seal { size: 1 << 62, ..sound },
            Seal { accounts: 1 << 31, ..sound },
            Seal { at_ms: i64::MAX, ..sound },
        ] {
            let body = Control::Seal(seal).spell();
            assert!(Control::decode(ControlKind::Seal, &body).is_err(), "{seal:?}");
        }
        let other = Control::Adoption { hash: [0; 32], compiled: b"a policy" }.spell();
        assert!(Control::decode(ControlKind::Adoption, &other).is_err());
    }
}
