//! Changes certificates by their fields, as docs/proofs.md lays them out.

use std::ops::Range;

use fastrand::Rng;
use serde_json::Value;
use testkit::mutate::mutate;

/// The fields in their order, each with how often it is chosen.
const FIELDS: [(&str, u8); 15] = [
    ("magic and version", 1),
    ("checkpoint", 2),
    ("since", 4),
    ("notes", 3),
    ("place of the seal", 2),
    ("seal", 1),
    ("map", 2),
    ("account", 2),
    ("stream", 4),
    ("policy", 9),
    ("adoption", 2),
    ("as of", 3),
    ("known at", 2),
    ("item", 3),
    ("claims", 8),
];
const SINCE: usize = 2;
const POLICY: usize = 9;
const ADOPTION: usize = 10;

/// Finds where fields end. A sound certificate is assumed.
struct Layout<'b> {
    bytes: &'b [u8],
    at: usize,
}

impl Layout<'_> {
    fn number(&mut self) -> usize {
        let number = self.bytes[self.at..self.at + 4].try_into().expect("4 bytes");
        self.at += 4;
        u32::from_le_bytes(number) as usize
    }

    fn skip(&mut self, count: usize) {
        self.at += count;
    }

    fn bytes(&mut self) {
        let count = self.number();
        self.skip(count);
    }

    fn list(&mut self, skip: impl Fn(&mut Self)) {
        for _ in 0..self.number() {
            skip(self);
        }
    }

    fn optional(&mut self, skip: impl Fn(&mut Self)) {
        self.at += 1;
        if self.bytes[self.at - 1] == 1 {
            skip(self);
        }
    }

    fn placed(&mut self) {
        self.skip(16);
        self.list(|l| l.skip(32));
        self.skip(120);
        self.list(|l| l.skip(32));
    }

    fn event(&mut self) {
        self.skip(1);
        if self.bytes[self.at - 1] == 1 {
            return self.skip(72);
        }
        self.skip(56);
        self.bytes();
        self.skip(8);
    }

    fn field(&mut self, number: usize) {
        match number {
            0 => self.skip(12),
            SINCE if version(self.bytes) == 1 => {}
            SINCE => self.optional(|l| {
                l.bytes();
                l.list(|l| l.skip(32));
            }),
            3 | 14 => self.list(Self::bytes),
            4 => self.placed(),
            8 => self.optional(|l| {
                l.skip(52);
                l.list(Self::event);
            }),
            ADOPTION => self.optional(|l| {
                l.skip(4);
                l.placed();
            }),
            11 | 12 => self.skip(8),
            13 => self.optional(Self::bytes),
            _ => self.bytes(),
        }
    }
}

fn version(bytes: &[u8]) -> u8 {
    bytes[8]
}

/// Where each field is; the answers are behind the last.
fn fields(bytes: &[u8]) -> Vec<Range<usize>> {
    let mut layout = Layout { bytes, at: 0 };
    let place = |number| {
        let from = layout.at;
        layout.field(number);
        from..layout.at
    };
    (0..FIELDS.len()).map(place).collect()
}

fn replaced(bytes: &[u8], place: Range<usize>, by: &[u8]) -> Vec<u8> {
    [&bytes[..place.start], by, &bytes[place.end..]].concat()
}

fn with_length(bytes: &[u8]) -> Vec<u8> {
    let length = u32::try_from(bytes.len()).expect("it is short");
    [&length.to_le_bytes()[..], bytes].concat()
}

fn list(texts: &[Vec<u8>]) -> Vec<u8> {
    let count = u32::try_from(texts.len()).expect("a few").to_le_bytes();
    [count.to_vec(), texts.iter().flat_map(|text| with_length(text)).collect()].concat()
}

fn texts(field: &[u8]) -> Vec<Vec<u8>> {
    let mut layout = Layout { bytes: field, at: 0 };
    let count = layout.number();
    let text = |_| {
        let from = layout.at + 4;
        layout.bytes();
        field[from..layout.at].to_vec()
    };
    (0..count).map(text).collect()
}

/// A change, and the certificate with it. `other` is another of the same log.
pub fn change(bytes: &[u8], other: &[u8], random: &mut Rng) -> (String, Vec<u8>) {
    let mut bytes = bytes.to_vec();
    let sum: u8 = FIELDS.iter().map(|(_, weight)| weight).sum();
    let mut left = random.u8(..sum);
    let chosen = FIELDS.iter().position(|(_, weight)| {
        let is_it = left < *weight;
        left = left.saturating_sub(*weight);
        is_it
    });
    let chosen = chosen.expect("the weights add up");
    let name = FIELDS[chosen].0;
    // A policy that the log adopted cannot be changed, one that it did not can be any.
    if chosen == POLICY && random.u8(..4) > 0 {
        bytes = replaced(&bytes, fields(&bytes)[ADOPTION].clone(), &[0]);
    }
    let place = fields(&bytes)[chosen].clone();
    let from_other = &other[fields(other)[chosen].clone()];
    let field = bytes[place.clone()].to_vec();
    if place.is_empty() {
        // Of version 1: as one of version 2, with what another has there, or nothing.
        let since = if version(other) == 2 { from_other } else { &[0] };
        bytes = replaced(&bytes, place, since);
        bytes[8] = 2;
        return (format!("{name}, of version 2"), bytes);
    }
    let at = random.usize(place.clone());
    let (how, changed) = match random.u8(..12) {
        0..=2 => {
            bytes[at] ^= 1 << random.u8(..8);
            ("a bit flipped", bytes)
        }
        3 => {
            bytes[at] = random.u8(..);
            ("a byte set", bytes)
        }
        4 => {
            let end = (at + random.usize(1..40)).min(place.end);
            ("a piece dropped", replaced(&bytes, at..end, &[]))
        }
        5 => {
            let end = (at + random.usize(1..40)).min(place.end);
            let piece = bytes[at..end].to_vec();
            ("a piece doubled", replaced(&bytes, at..at, &piece))
        }
        6 => ("cut", bytes[..at].to_vec()),
        7..=8 => ("that of another certificate", replaced(&bytes, place, from_other)),
        _ => (
            "its value changed",
            replaced(&bytes, place, &value_changed(chosen, field, from_other, random)),
        ),
    };
    (format!("{name}, {how}"), changed)
}

/// The field with another value and the lengths that go with it.
fn value_changed(chosen: usize, mut field: Vec<u8>, other: &[u8], random: &mut Rng) -> Vec<u8> {
    match FIELDS[chosen].0 {
        "notes" | "claims" => {
            let mut texts = texts(&field);
            let others = self::texts(other);
            match random.u8(..4) {
                0 => texts.extend(others),
                1 => _ = random.choice(0..texts.len()).map(|n| texts.remove(n)),
                2 => texts.extend(texts.clone()),
                _ => {
                    if let Some(n) = random.choice(0..texts.len()) {
                        mutate(&mut texts[n], others.first().map_or(b"", |text| &text[..]), random);
                    }
                }
            }
            list(&texts)
        }
        "checkpoint" | "seal" | "map" | "account" | "policy" => {
            let mut inner = field.split_off(4);
            if random.bool() {
                let at = random.usize(..inner.len());
                inner[at] = inner[at].wrapping_add_signed(if random.bool() { 1 } else { -1 });
            } else {
                mutate(&mut inner, &other[4..], random);
            }
            with_length(&inner)
        }
        "as of" | "known at" => {
            let steps = [1, 1000, 86_400_000, 30 * 86_400_000, 366 * 86_400_000, i64::MAX / 4];
            let step = random.choice(steps).expect("steps");
            let at = i64::from_le_bytes(field[..].try_into().expect("8 bytes"));
            at.wrapping_add(if random.bool() { step } else { -step }).to_le_bytes().to_vec()
        }
        "item" => {
            let names: [&[u8]; 4] = [b"i1", b"x", b"none", b""];
            let name = random.choice(names).expect("names");
            if random.u8(..4) == 0 { vec![0] } else { [vec![1], with_length(name)].concat() }
        }
        _ => {
            mutate(&mut field, other, random);
            field
        }
    }
}

/// With the answers that follow, if all else is in order by the word of the other checker.
pub fn mended(bytes: &[u8], said: &Value) -> Option<Vec<u8>> {
    let texts = said["follow"].as_array()?.iter();
    let texts: Vec<Vec<u8>> = texts.map(|text| text.as_str().expect("text").into()).collect();
    let end = fields(bytes).last().expect("fields").end;
    Some(with_checksum(&[&bytes[..end], &list(&texts), &[0; 32]].concat()))
}

/// The same with a checksum that holds.
pub fn with_checksum(bytes: &[u8]) -> Vec<u8> {
    let whole = &bytes[..bytes.len().saturating_sub(32)];
    [whole, blake3::hash(whole).as_bytes()].concat()
}
