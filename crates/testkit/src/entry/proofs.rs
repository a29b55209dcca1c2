//! What a stranger hands over: certificates, notes, checkpoints, proofs, tiles' paths, and what a log says of itself.

use commitment::{
    AddCheckpoint, Checkpoint, Control, ControlKind, MapKey, MapProof, Note, SignerKey, Standing,
    Tile, VerifierKey, answered_lines, conflict_size,
};
use verifier::certificate::{
    Certificate, ErasureCertificate, Expected, Together, Trust, check, check_erasure, conflict,
    is_erasure, together,
};
use verifier::{Attestation, Language};

use super::is_printable;

/// The key that signed the certificates under `fixtures/proofs`, that of those in `since`, and the auditor's.
const KEYS: [&str; 3] = [
    include_str!("../../../../fixtures/proofs/example.vkey"),
    include_str!("../../../../fixtures/proofs/since/log.vkey"),
    include_str!("../../../../fixtures/proofs/auditor.vkey"),
];

/// The key of those in `erasure`.
const ERASURE_KEY: &str = include_str!("../../../../fixtures/proofs/erasure/log.vkey");

/// Bytes that may be a certificate, of an answer or of an erasure, as they are, and with a checksum that holds.
pub fn certificate(bytes: &[u8]) {
    checked(bytes);
    erasure(bytes);
    if let Some((bytes, _)) = bytes.split_last_chunk::<32>() {
        let mended = [bytes, blake3::hash(bytes).as_bytes()].concat();
        checked(&mended);
        erasure(&mended);
    }
}

/// The same bytes as a certificate of erasure.
fn erasure(bytes: &[u8]) {
    let log = VerifierKey::parse(ERASURE_KEY.trim()).expect("a key");
    let trust = Trust { log: vec![log], ..Trust::default() };
    let decoded = ErasureCertificate::decode(bytes);
    match &decoded {
        Ok(certificate) => assert!(certificate.encode() == bytes, "it is the only spelling"),
        Err(error) => is_printable(&error.to_string()),
    }
    assert!(decoded.is_err() || is_erasure(bytes));
    match check_erasure(bytes, &trust, &Expected::default(), Language::En) {
        Err(error) => is_printable(&error.to_string()),
        Ok(checked) => {
            let certificate = decoded.expect("it was read");
            let named = checked.names.count() + checked.events.count();
            assert_eq!(certificate.frames.len() as u64, named);
            assert!(!checked.facts().is_empty());
        }
    }
}

fn checked(bytes: &[u8]) {
    let [log, since, auditor] = KEYS.map(|key| VerifierKey::parse(key.trim()).expect("a key"));
    let trust = Trust { log: vec![log, since], auditors: vec![auditor], witnesses: None };
    let decoded = Certificate::decode(bytes);
    match &decoded {
        Ok(certificate) => assert!(certificate.encode() == bytes, "it is the only spelling"),
        Err(error) => is_printable(&error.to_string()),
    }
    for lang in [Language::En, Language::Zh] {
        match check(bytes, &trust, &Expected::default(), lang) {
            Err(_) => {}
            Ok(checked) => {
                let certificate = decoded.as_ref().expect("it was read");
                assert_eq!(checked.account, certificate.account);
                assert!(!checked.facts().is_empty());
                assert_eq!(conflict(&checked, &checked), None);
                assert_eq!(checked.since.is_some(), certificate.since.is_some());
                let twice = [checked.clone(), checked];
                assert_eq!(together(&twice), (Together::Log, None));
            }
        }
    }
}

/// Bytes that may be a signed note, a checkpoint, an auditor's note or what it keeps, a witness's request or answer, or a key.
pub fn note(bytes: &[u8]) {
    if let Ok(note) = Note::parse(bytes) {
        assert_eq!(note.to_string().as_bytes(), bytes, "it is the only spelling");
        if let Ok(checkpoint) = Checkpoint::parse(note.unverified_text()) {
            assert_eq!(checkpoint.to_string(), note.unverified_text());
        }
        if let Ok(attestation) = Attestation::parse(note.unverified_text()) {
            assert_eq!(attestation.to_string(), note.unverified_text());
        }
        let known = KEYS.map(|key| VerifierKey::parse(key.trim()).expect("a key"));
        if let Ok(opened) = note.open(&known) {
            assert!(!opened.signed.is_empty());
        }
    }
    if let Ok(request) = AddCheckpoint::parse(bytes) {
        assert_eq!(request.to_string().as_bytes(), bytes, "it is the only spelling");
    }
    if let Some(lines) = answered_lines(bytes) {
        let text: String = lines.iter().map(|line| format!("{line}\n")).collect();
        assert_eq!(text.as_bytes(), bytes, "it is the only spelling");
    }
    if let Some(size) = conflict_size(bytes) {
        assert_eq!(format!("{size}\n").as_bytes(), bytes, "it is the only spelling");
    }
    if let Ok(standing) = Standing::decode(bytes) {
        assert_eq!(standing.encode(), bytes, "it is the only spelling");
    }
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    if let Ok(key) = VerifierKey::parse(text) {
        assert_eq!(key.to_string(), text);
    }
    if let Ok(key) = SignerKey::parse(text) {
        assert_eq!(*key.encode(), text);
        assert!(!format!("{key:?}").contains(text), "a private key is not printed");
    }
    if let Ok(tile) = Tile::parse(text) {
        assert_eq!(tile.to_string(), text);
    }
}

/// Bytes that may be a proof in the account map.
pub fn map_proof(bytes: &[u8]) {
    match MapProof::decode(bytes) {
        Ok(proof) => {
            assert!(proof.encode() == bytes, "it is the only spelling");
            let key = MapKey::of("example.com/accounts", "mei");
            assert!(proof.check(&key, &[7; 32]).is_err(), "no proof is of a root made up");
        }
        Err(fault) => is_printable(&fault.to_string()),
    }
}

/// A kind, and bytes that may be what a log says of itself.
pub fn control(bytes: &[u8]) {
    let Some((kind, body)) = bytes.split_first() else { return };
    let Some(kind) = ControlKind::from_number(*kind) else { return };
    match Control::decode(kind, body) {
        Ok(control) => {
            assert_eq!(control.kind(), kind);
            assert!(control.encode() == body, "it is the only spelling");
        }
        Err(fault) => is_printable(&fault.to_string()),
    }
}
