//! Keys as text.

use sha2::{Digest as _, Sha256};
use stillthere_commitment::{Algorithm, KeyError, SignerKey, VerifierKey, hex};

/// Published in the documentation of golang.org/x/mod/sumdb/note, both halves.
pub const PETER: &str = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW";
pub const PETER_SECRET: &str =
    "PRIVATE+KEY+PeterNeumann+c74f20a3+AYEKFALVFGyNhPJEMzD1QIDr+Y7hfZx09iUvxdXHKDFz";
pub const ENOCH: &str = "EnochRoot+af0cfe78+ATtqJ7zOtqQtYqOo0CpvDXNlMhV3HeJDpjrASKGLWdop";
/// Published in C2SP signed-note.
pub const EXAMPLE: &str = "example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k";

/// A key whose seed is one byte 32 times.
pub fn signer(name: &str, algorithm: Algorithm, byte: u8) -> SignerKey {
    SignerKey::new(name, algorithm, &[byte; 32]).unwrap()
}

pub fn verifier(text: &str) -> VerifierKey {
    VerifierKey::parse(text).unwrap()
}

#[test]
fn published_keys() {
    for text in [PETER, ENOCH, EXAMPLE] {
        let key = verifier(text);
        assert_eq!(key.to_string(), text);
        assert_eq!(key.algorithm(), Algorithm::Ed25519);
        assert_eq!(VerifierKey::new(key.name(), Algorithm::Ed25519, key.public()), Ok(key));
    }
    let key = SignerKey::parse(PETER_SECRET).unwrap();
    assert_eq!(*key.encode(), PETER_SECRET);
    assert_eq!(key.verifier().to_string(), PETER);
}

/// The first vector of RFC 8032, 7.1, and the id by its definition.
#[test]
fn a_key_is_of_its_seed() {
    let seed = stillthere_commitment::unhex(
        "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60",
    );
    let seed: [u8; 32] = seed.unwrap().try_into().unwrap();
    for algorithm in [Algorithm::Ed25519, Algorithm::Cosignature] {
        let key = SignerKey::new("witness.example/ä", algorithm, &seed).unwrap();
        let verifier = key.verifier();
        assert_eq!(
            hex(verifier.public()),
            "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a"
        );
        let hashed =
            ["witness.example/ä\n".as_bytes(), &[algorithm as u8], verifier.public()].concat();
        assert_eq!(verifier.id().to_be_bytes(), Sha256::digest(hashed)[..4]);
        assert_eq!(VerifierKey::parse(&verifier.to_string()).as_ref(), Ok(verifier));
        assert_eq!(SignerKey::parse(&key.encode()).unwrap().verifier(), verifier);
    }
}

/// Every piece of a key, and a key with any byte changed, is none.
#[test]
fn nothing_else_is_a_key() {
    for from in 0..PETER_SECRET.len() {
        for to in from + 1..=PETER_SECRET.len() {
            let part = &PETER_SECRET[from..to];
            assert!(part == PETER_SECRET || SignerKey::parse(part).is_err(), "{part}");
            assert!(VerifierKey::parse(part).is_err(), "{part}");
            let part = PETER.get(from..to).unwrap_or_default();
            assert!(part == PETER || VerifierKey::parse(part).is_err(), "{part}");
        }
    }
    for n in 0..PETER.len() {
        for byte in 0..128u8 {
            let mut text = PETER.as_bytes().to_vec();
            text[n] = byte;
            let text = String::from_utf8(text).unwrap();
            assert!(text == PETER || VerifierKey::parse(&text).is_err(), "{text}");
        }
    }
    for n in 0..PETER_SECRET.len() {
        let mut text = PETER_SECRET.as_bytes().to_vec();
        text[n] ^= 1;
        let text = String::from_utf8(text).unwrap();
        assert!(SignerKey::parse(&text).is_err(), "{text}");
    }
}

#[test]
fn why_a_text_is_no_key() {
    let form = KeyError::Form("<name>+<id>+<base64 of 33 bytes>");
    let key = "ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW";
    let id = |expected, found| KeyError::Id { expected, found };
    for (text, error) in [
        (format!("PeterNeumann+C74F20A3+{key}"), form.clone()),
        (format!("PeterNeumann+0c74f20a3+{key}"), form.clone()),
        (format!("PeterNeumann++c74f20a3+{key}"), form.clone()),
        (format!("PeterNeumann+c74f20a3+{key}="), form.clone()),
        (format!("PeterNeumann+c74f20a3+{key}AAAA"), form.clone()),
        ("PeterNeumann+c74f20a3".to_owned(), form),
        (format!("PeterNeumann+c74f20a4+{key}"), id(0xc74f_20a3, 0xc74f_20a4)),
        (format!("Peter Neumann+c74f20a3+{key}"), KeyError::Name),
        (format!("Peter\u{a0}Neumann+c74f20a3+{key}"), KeyError::Name),
        (format!("Peter\u{2028}Neumann+c74f20a3+{key}"), KeyError::Name),
        (format!("Peter\nNeumann+c74f20a3+{key}"), KeyError::Name),
        (format!("Peter\0Neumann+c74f20a3+{key}"), KeyError::Name),
        (format!("+c74f20a3+{key}"), KeyError::Name),
        (format!("PeterNeumann+c74f20a3+Z{}", &key[1..]), KeyError::Algorithm(101)),
        (format!("PeterNeumann+c74f20a3+A{}", "A".repeat(43)), KeyError::Algorithm(0)),
        // The neutral point.
        (format!("a+00000000+AQE{}", "A".repeat(41)), KeyError::Point),
    ] {
        assert_eq!(VerifierKey::parse(&text), Err(error), "{text}");
    }
}

/// Points that have two spellings are of use to nobody honest.
#[test]
fn weak_points_are_refused() {
    let mut points = Vec::new();
    for (first, rest, last) in [
        // y = 0, 1, p - 1, p, p + 1, each with either sign.
        (0, 0, 0),
        (1, 0, 0),
        (0xec, 0xff, 0x7f),
        (0xed, 0xff, 0x7f),
        (0xee, 0xff, 0x7f),
    ] {
        for sign in [0, 0x80] {
            let mut point = [rest; 32];
            (point[0], point[31]) = (first, last | sign);
            points.push(point);
        }
    }
    // Of order eight.
    let text = "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05";
    points.push(stillthere_commitment::unhex(text).unwrap().try_into().unwrap());
    for point in points {
        let key = VerifierKey::new("a", Algorithm::Ed25519, &point);
        assert_eq!(key, Err(KeyError::Point), "{}", hex(&point));
    }
}

#[test]
fn a_secret_is_not_shown() {
    let key = SignerKey::parse(PETER_SECRET).unwrap();
    let shown = format!("{key:?}{key:#?}");
    assert_eq!(shown, format!("SignerKey({PETER}, secret)").repeat(2));
    // An error does not repeat what it was given.
    for n in 0..PETER_SECRET.len() {
        let error = SignerKey::parse(&PETER_SECRET[n + 1..]).unwrap_err();
        assert!(!format!("{error}{error:?}").contains("KDFz"));
    }
}
