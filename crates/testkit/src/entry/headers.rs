//! What has a fixed length: slots of `HEAD`, headers, envelopes, summaries.

use commitment::{
    BATCH_HEADER, BatchHeader, ENVELOPE, Envelope, HEAD, Head, SEGMENT_HEADER, SLOT, SUMMARY,
    SegmentHeader, Slot, Summary,
};

use super::is_printable;

/// Bytes that may begin with any of them. Hashes in them are also made anew: else nothing that was
/// changed would come past them.
pub fn headers(bytes: &[u8]) {
    let mut sealed = bytes.to_vec();
    for slot in sealed.chunks_exact_mut(SLOT) {
        seal(slot, 480);
    }
    head(bytes);
    head(&sealed);
    let mut sealed = bytes.to_vec();
    if let Some(header) = sealed.get_mut(..SEGMENT_HEADER) {
        seal(header, 128);
    }
    segment(bytes);
    segment(&sealed);
    envelope(bytes);
    summary(bytes);
    batch(bytes);
}

/// Puts the hash of what is before `at` there.
fn seal(bytes: &mut [u8], at: usize) {
    let hash = blake3::hash(&bytes[..at]);
    bytes[at..].copy_from_slice(hash.as_bytes());
}

fn refused(fault: &commitment::Fault, length: usize) {
    is_printable(&fault.to_string());
    assert!(fault.offset <= length as u64, "{fault}, of {length}");
}

fn head(bytes: &[u8]) {
    if let Some(slot) = bytes.first_chunk::<SLOT>() {
        match Slot::decode(slot) {
            Ok(decoded) => assert_eq!(decoded.encode(), *slot),
            Err(fault) => refused(&fault, SLOT),
        }
    }
    for bytes in [bytes, &bytes[..bytes.len().min(HEAD)]] {
        match Head::decode(bytes) {
            Ok(head) => {
                let at = usize::try_from(head.now.place()).expect("within HEAD");
                assert_eq!(head.now.encode(), bytes[at..at + SLOT]);
                if let Err(fault) = head.check() {
                    refused(&fault, HEAD);
                }
            }
            Err(fault) => refused(&fault, HEAD),
        }
    }
}

fn segment(bytes: &[u8]) {
    let Some(header) = bytes.first_chunk::<SEGMENT_HEADER>() else { return };
    match SegmentHeader::decode(header) {
        Ok((decoded, _)) => {
            assert_eq!(decoded.encode(), *header);
            assert_eq!(decoded.check(&decoded), Ok(()));
        }
        Err(fault) => refused(&fault, SEGMENT_HEADER),
    }
}

fn envelope(bytes: &[u8]) {
    let Some(envelope) = bytes.first_chunk::<ENVELOPE>() else { return };
    match Envelope::decode(envelope) {
        Ok(decoded) => assert_eq!(decoded.encode(), *envelope),
        Err(fault) => refused(&fault, ENVELOPE),
    }
}

fn summary(bytes: &[u8]) {
    let Some(summary) = bytes.first_chunk::<SUMMARY>() else { return };
    match Summary::decode(summary) {
        Ok(decoded) => assert_eq!(decoded.encode(), *summary),
        Err(fault) => refused(&fault, SUMMARY),
    }
}

fn batch(bytes: &[u8]) {
    let Some(header) = bytes.first_chunk::<BATCH_HEADER>() else { return };
    match BatchHeader::read(header) {
        Ok(header) => assert!(header.total() > BATCH_HEADER),
        Err(fault) => refused(&fault, BATCH_HEADER),
    }
}
