//! Changes bytes by chance, as a fuzzer does.

/// What changes much for its size in one of the languages that are read here.
const WORDS: &[&[u8]] = &[
    b"\"",
    b"\\u0000",
    b"\\ud800",
    b"{",
    b"[[",
    b"}",
    b":",
    b",",
    b"null",
    b"true",
    b"-0",
    b"1e400",
    b"9007199254740992",
    b"18446744073709551616",
    b"2016-12-31T23:59:60Z",
    b"0000-00-00T00:00:00+24:00",
    b"\xff",
    b"\xc3\xa9",
    b"\xe2\x80\xae",
    b"\0",
    b"\x1b[2J",
    b"\n",
    b" ",
    b"\xdf\xff\xff\xff\xff",
    b"\xdb\xff\xff\xff\xff",
    b"\xdd\xff\xff\xff\xff",
    b"\xcf\xff\xff\xff\xff\xff\xff\xff\xff",
    b"= ",
    b"never",
    b"999999999999y",
    b"specversion",
];

/// Changes `bytes` at some places; `other` is another input, of which parts may be taken.
pub fn mutate(bytes: &mut Vec<u8>, other: &[u8], random: &mut fastrand::Rng) {
    for _ in 0..1 << random.u8(..5) {
        once(bytes, other, random);
    }
    bytes.truncate(1 << 18);
}

fn once(bytes: &mut Vec<u8>, other: &[u8], random: &mut fastrand::Rng) {
    let at = random.usize(..=bytes.len());
    let len = (1 << random.u8(..7)).min(bytes.len() - at);
    let word = WORDS[random.usize(..WORDS.len())];
    match random.u8(..9) {
        0 => bytes.iter_mut().skip(at).take(1).for_each(|byte| *byte ^= 1 << random.u8(..8)),
        1 => bytes[at..at + len.min(4)].fill_with(|| random.u8(..)),
        2 => _ = bytes.drain(at..at + len),
        3 => {
            let piece = bytes[at..at + len].to_vec();
            insert(bytes, random, &piece);
        }
        4 => insert(bytes, random, word),
        5 => {
            let from = random.usize(..=other.len());
            let len = (1 << random.u8(..7)).min(other.len() - from);
            insert(bytes, random, &other[from..from + len]);
        }
        6 => {
            let byte = random.u8(..);
            bytes[at..at + len].fill(byte);
        }
        7 => {
            // A number one up or down, as the low byte of a length or a count.
            let change = if random.bool() { 1 } else { 0xff };
            bytes.iter_mut().skip(at).take(1).for_each(|byte| *byte = byte.wrapping_add(change));
        }
        _ if random.u8(..8) == 0 => bytes.truncate(at),
        _ => {
            let end = (at + word.len()).min(bytes.len());
            bytes[at..end].copy_from_slice(&word[..end - at]);
        }
    }
}

fn insert(bytes: &mut Vec<u8>, random: &mut fastrand::Rng, piece: &[u8]) {
    let at = random.usize(..=bytes.len());
    bytes.splice(at..at, piece.iter().copied());
}
