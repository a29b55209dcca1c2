//! What reads bytes of strangers: whatever they are, it answers, and what it takes is spelled in the one way.
//!
//! `STILLTHERE_MUTATIONS=N` makes N changes for each reader, `STILLTHERE_SEED=N` begins at a seed.

use std::panic::{AssertUnwindSafe, catch_unwind};

use fastrand::Rng;
use stillthere_commitment::{
    AddCheckpoint, Checkpoint, Note, ProofError, Seen, SignatureLine, SignerKey, Tile, VerifierKey,
    WatchedLog, check_consistency, check_inclusion, decode_bundle, encode_bundle, tree_root,
};

use crate::checkpoints::{SOFA, log, signed, sofa, witness};
use crate::keys::{ENOCH, PETER, PETER_SECRET};
use crate::notes::{BY_ENOCH, BY_PETER, EXAMPLE_NOTE, TEXT};

fn number(name: &str) -> Option<u64> {
    std::env::var(name).ok().map(|text| text.parse().expect("a number"))
}

/// Some changes of the kind that a forger makes, and some that a network makes.
fn mutate(bytes: &mut Vec<u8>, other: &[u8], random: &mut Rng) {
    for _ in 0..random.usize(1..4) {
        let at = random.usize(..=bytes.len());
        let to = random.usize(at..=bytes.len().min(at + 40));
        let word: &[u8] = random
            .choice(&["\n", "\n\n", "0", " ", "+", "=", "/", "— ", "\0", "é", "\u{2028}"])
            .unwrap()
            .as_bytes();
        match random.u8(..8) {
            0 if at < bytes.len() => bytes[at] ^= 1 << random.u8(..8),
            1 if at < bytes.len() => bytes[at] = random.u8(..),
            2 => drop(bytes.drain(at..to)),
            3 => drop(bytes.splice(at..at, word.iter().copied())),
            4 => drop(bytes.splice(at..to, word.iter().copied())),
            5 => {
                let part = bytes[at..to].to_vec();
                let place = random.usize(..=bytes.len());
                drop(bytes.splice(place..place, part));
            }
            6 => {
                let from = random.usize(..=other.len());
                bytes.truncate(at);
                bytes.extend_from_slice(&other[from..]);
            }
            _ => bytes.truncate(at),
        }
    }
}

fn text(bytes: &[u8]) -> Option<&str> {
    std::str::from_utf8(bytes).ok()
}

fn keys(bytes: &[u8]) {
    let Some(text) = text(bytes) else { return };
    if let Ok(key) = VerifierKey::parse(text) {
        assert_eq!(key.to_string(), text);
    }
    if let Ok(key) = SignerKey::parse(text) {
        assert_eq!(*key.encode(), text);
    }
}

fn notes(bytes: &[u8]) {
    if let Some(line) = text(bytes).and_then(SignatureLine::parse) {
        assert_eq!(Some(line.to_string().as_str()), text(bytes));
    }
    let Ok(note) = Note::parse(bytes) else { return };
    assert_eq!(note.to_string().as_bytes(), bytes);
    let keys = [PETER, ENOCH].map(|key| VerifierKey::parse(key).unwrap());
    if let Ok(opened) = note.open(&keys) {
        assert_eq!(opened.text, TEXT, "nothing else was ever signed");
    }
}

fn checkpoints(bytes: &[u8]) {
    if let Some(Ok(checkpoint)) = text(bytes).map(Checkpoint::parse) {
        assert_eq!(Some(checkpoint.to_string().as_str()), text(bytes));
    }
    let Ok(note) = Note::parse(bytes) else { return };
    let keys = [log().verifier().clone()];
    let witnesses = [witness(2).verifier().clone()];
    if let Ok((checkpoint, _)) = Checkpoint::open(&note, &sofa().origin, &keys, &witnesses) {
        assert_eq!(checkpoint, sofa(), "nothing else was ever signed");
    }
}

fn requests(bytes: &[u8]) {
    let Ok(request) = AddCheckpoint::parse(bytes) else { return };
    assert_eq!(request.to_string().as_bytes(), bytes);
    let log = WatchedLog {
        origin: sofa().origin,
        keys: vec![log().verifier().clone()],
        last: Some(Seen { size: 20_852_014, root: [1; 32] }),
    };
    assert!(request.cosign(Some(&log), &witness(2), 5).is_err(), "no such root was ever seen");
}

fn paths(bytes: &[u8]) {
    let Some(Ok(tile)) = text(bytes).map(Tile::parse) else { return };
    assert_eq!(Some(tile.to_string().as_str()), text(bytes));
    assert_eq!(tile.range().end - tile.range().start, u64::from(tile.width()));
    assert!(tile.full().range().contains(&tile.range().start));
}

fn bundles(bytes: &[u8]) {
    for width in [0, 1, 3, 256] {
        if let Ok(entries) = decode_bundle(bytes, width) {
            assert_eq!(entries.len(), usize::from(width));
            assert_eq!(encode_bundle(&entries), bytes);
        }
    }
}

/// Two numbers and hashes, as bytes have them.
fn proofs(bytes: &[u8]) {
    let (Some((a, rest)), true) = (bytes.split_first_chunk::<8>(), bytes.len() > 16) else {
        return;
    };
    let (b, rest) = rest.split_first_chunk::<8>().unwrap();
    let (a, b, proof) = (u64::from_be_bytes(*a), u64::from_be_bytes(*b), rest.as_chunks().0);
    for (a, b) in [(a, b), (a % 100, b % 100), (a >> (b % 64), b >> (a % 64))] {
        assert!(check_inclusion(&[1; 32], a, b, proof, &[2; 32]).is_err());
        assert!(check_consistency(a, &[1; 32], b, &[2; 32], proof).is_err());
        _ = tree_root::<ProofError>(b, |_, _| Ok([0; 32]));
    }
}

/// What reads, and what of it to begin with.
type Reader<'a> = (&'a str, fn(&[u8]), Vec<&'a [u8]>);

#[test]
fn whatever_the_bytes() {
    let seed = number("STILLTHERE_SEED").unwrap_or_else(|| fastrand::u64(..));
    let mutations = number("STILLTHERE_MUTATIONS").unwrap_or(20_000);
    println!("STILLTHERE_SEED={seed}");
    let mut random = Rng::with_seed(seed);
    let signed = signed(&[2, 3]).to_string();
    let request = format!("old 20852014\nPlRNCrwHpqhGrupue0L7gxbjbMiKA9temvuZZDDpkaw=\n\n{signed}");
    let both = format!("{TEXT}\n{BY_PETER}{BY_ENOCH}");
    let text = sofa().to_string();
    let secret = witness(2).encode();
    let bundle = encode_bundle(&[&b"one"[..], b"", &[7; 120]]);
    let numbers: Vec<u8> = (0..16 + 32 * 7).map(|n: u8| n.wrapping_mul(37)).collect();
    let readers: [Reader; 7] = [
        ("keys", keys, vec![PETER.as_bytes(), PETER_SECRET.as_bytes(), secret.as_bytes()]),
        (
            "notes",
            notes,
            vec![both.as_bytes(), EXAMPLE_NOTE.as_bytes(), BY_PETER.trim_end().as_bytes()],
        ),
        ("checkpoints", checkpoints, vec![SOFA.as_bytes(), signed.as_bytes(), text.as_bytes()]),
        ("requests", requests, vec![request.as_bytes()]),
        (
            "paths",
            paths,
            vec![b"tile/0/x001/x234/067.p/1", b"tile/entries/273.p/112", b"tile/63/999"],
        ),
        ("bundles", bundles, vec![&bundle]),
        ("proofs", proofs, vec![&numbers]),
    ];
    for (name, reader, seeds) in readers {
        for n in 0..mutations {
            let mut bytes = random.choice(&seeds).unwrap().to_vec();
            if n >= seeds.len() as u64 {
                let other = *random.choice(&seeds).unwrap();
                mutate(&mut bytes, other, &mut random);
            }
            let result = catch_unwind(AssertUnwindSafe(|| reader(&bytes)));
            assert!(result.is_ok(), "{name}: b\"{}\"", bytes.escape_ascii());
        }
    }
}
