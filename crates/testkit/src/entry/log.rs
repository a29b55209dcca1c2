//! Frames, and the files of a whole log.

use commitment::{
    BATCH_HEADER, BatchHeader, Control, Digest, Divergence, Envelope, FRAME_HEADER, Frame, Left,
    Level, LogCheck, Report, SEGMENT_HEADER, SLOT, content_of, erase_frame, page_root,
    segment_name, tree_leaf, write_control, write_event, write_name, write_trailer,
};
use event::{Recorded, canonical};

use super::is_printable;

/// Bytes that may begin with a frame.
pub fn frame(bytes: &[u8]) {
    let (frame, len) = match Frame::read(bytes) {
        Ok(read) => read,
        Err(fault) => return is_printable(&fault.to_string()),
    };
    assert!(len <= bytes.len());
    let mut written = Vec::new();
    let digest = match frame {
        Frame::Name { ordinal, secret, name } => write_name(&mut written, ordinal, secret, name),
        Frame::Event { envelope, salt, padded } => {
            if let Ok(decoded) = Envelope::decode(envelope) {
                assert_eq!(decoded.encode(), *envelope);
            }
            let content = content_of(padded);
            write_event(&mut written, envelope, salt, |out| out.extend_from_slice(content))
        }
        // None is written but in the place of a whole one: erasing it again changes nothing.
        Frame::ContentErased { .. } | Frame::EventErased { .. } | Frame::NameErased { .. } => {
            let leaf = frame.leaf().expect("erased frames have leaves");
            let mut again = bytes[..len].to_vec();
            let left = match frame {
                Frame::ContentErased { .. } => Left::Envelope,
                _ => Left::Leaf,
            };
            assert_eq!(erase_frame(&mut again, left).map(|(_, leaf)| leaf), Ok(leaf));
            return assert_eq!(again, bytes[..len]);
        }
        Frame::Trailer(summary) => {
            write_trailer(&mut written, summary);
            tree_leaf(summary)
        }
        Frame::Control { kind, salt, body } => {
            let Ok(control) = Control::decode(kind, body) else {
                return is_printable(&Control::decode(kind, body).unwrap_err().to_string());
            };
            write_control(&mut written, &control, salt)
        }
    };
    assert_eq!(frame.leaf().unwrap_or(digest), digest);
    assert_eq!(Frame::check(&written, &digest), Ok(()));
    // The check in the header is of the body; whether it is right is asked apart.
    assert_eq!((&written[..4], &written[8..]), (&bytes[..4], &bytes[8..len]));
    assert_eq!(Frame::check(bytes, &digest).is_ok(), written == bytes[..len]);
}

/// The files of a log as one piece: `HEAD` and the segments, each behind its length in 4 bytes.
#[must_use]
pub fn pack(files: &[Vec<u8>]) -> Vec<u8> {
    let mut packed = Vec::new();
    for file in files {
        packed.extend_from_slice(&u32::try_from(file.len()).expect("small").to_le_bytes());
        packed.extend_from_slice(file);
    }
    packed
}

/// The reverse of [`pack`], of any bytes.
#[must_use]
pub fn unpack(mut packed: &[u8]) -> Vec<Vec<u8>> {
    let mut files = Vec::new();
    while let Some((len, rest)) = packed.split_first_chunk() {
        let len = (u32::from_le_bytes(*len) as usize).min(rest.len());
        let (file, rest) = rest.split_at(len);
        files.push(file.to_vec());
        packed = rest;
    }
    files
}

/// Bytes that [`pack`] may have made of the files of a log; also with its checksums made anew, so that
/// what was changed comes past them.
pub fn log(packed: &[u8]) {
    let mut files = unpack(packed);
    if files.is_empty() {
        return;
    }
    check_all(&files);
    seal(&mut files);
    check_all(&files);
}

type Answer = Result<(Report, Vec<Recorded>), Box<Divergence>>;

fn check_all(files: &[Vec<u8>]) {
    let full = check(files, Level::Full, usize::MAX);
    assert_eq!(check(files, Level::Full, 61), full, "how it is fed does not matter");
    let quick = check(files, Level::Quick, usize::MAX);
    match full {
        Ok((report, events)) => {
            assert_eq!(quick.map(|(report, _)| report).as_ref(), Ok(&report));
            // Of what was erased nothing is told but that it was there.
            assert_eq!(report.events, events.len() as u64 + report.erased.events);
            assert!(events.windows(2).all(|two| two[0].position < two[1].position));
            assert!(events.iter().all(|recorded| recorded.position < report.events));
            events.iter().for_each(is_event);
        }
        Err(found) => is_found(&found, files),
    }
}

fn check(files: &[Vec<u8>], level: Level, piece: usize) -> Answer {
    let mut events = Vec::new();
    let mut check = LogCheck::new(level, &files[0])?;
    for (file, number) in files[1..].iter().zip(0..) {
        check.file(&segment_name(number))?;
        for bytes in file.chunks(piece) {
            check.feed(bytes, &mut |checked| events.push(checked.recorded()))?;
        }
    }
    Ok((check.finish()?, events))
}

/// What a sound log says is an event has the bytes of one.
fn is_event(recorded: &Recorded) {
    assert_eq!(recorded.event.check(), Ok(()));
    let mut bytes = Vec::new();
    canonical::encode(&recorded.event, &mut bytes);
    let decoded = canonical::decode(&bytes).expect("it was encoded").into_owned();
    assert_eq!(event::Event { recorded_at: recorded.event.recorded_at, ..decoded }, recorded.event);
}

/// What is found wrong is in a file, at a byte of it.
fn is_found(found: &Divergence, files: &[Vec<u8>]) {
    is_printable(&found.to_string());
    let number = (0..files.len() as u64).find(|n| found.file == segment_name(*n));
    let len = match (&*found.file, number) {
        ("HEAD", _) => files[0].len().max(2 * SLOT),
        (_, Some(n)) => files.get(n as usize + 1).map_or(0, Vec::len),
        // A segment that HEAD names and that is not there.
        _ => 0,
    };
    assert!(found.offset <= len as u64, "{found}: the file has {len} bytes");
}

/// Makes checksums, links and pages' roots anew, as far as headers, batches and frames can be told.
fn seal(files: &mut [Vec<u8>]) {
    let (head, segments) = files.split_first_mut().expect("there is a HEAD");
    let Some(store) = head.get(16..32) else { return };
    let mut key = *b"----------------stillthere.batch";
    key[..16].copy_from_slice(store);
    let mut before = [0; 16];
    let mut pages = Pages { leaves: Vec::new(), predecessor: Digest::default() };
    let mut ends = Vec::new();
    for (number, segment) in segments.iter_mut().enumerate() {
        if segment.len() < SEGMENT_HEADER {
            continue;
        }
        segment[72..88].copy_from_slice(&before);
        segment[88..120].copy_from_slice(&pages.predecessor);
        let hash = blake3::hash(&segment[..128]);
        segment[128..160].copy_from_slice(hash.as_bytes());
        before.copy_from_slice(&segment[128..144]);
        ends.push(((number, SEGMENT_HEADER), before));
        let mut at = SEGMENT_HEADER;
        while let Some(header) = segment[at..].first_chunk() {
            let Ok(header) = BatchHeader::read(header) else { break };
            let end = at + header.total();
            let Some(batch) = segment.get_mut(at..end) else { break };
            pages.seal(&mut batch[BATCH_HEADER..]);
            batch[16..24].copy_from_slice(&before[..8]);
            before.copy_from_slice(&blake3::keyed_hash(&key, &batch[16..]).as_bytes()[..16]);
            batch[..16].copy_from_slice(&before);
            ends.push(((number, end), before));
            at = end;
        }
    }
    for slot in head.chunks_exact_mut(SLOT) {
        let number = |at: usize| slot[at..at + 8].iter().rev().fold(0, |n, b| n << 8 | *b as usize);
        let end = (number(40), number(48));
        if let Some((_, checksum)) = ends.iter().find(|(place, _)| *place == end) {
            slot[64..80].copy_from_slice(checksum);
        }
        let hash = blake3::hash(&slot[..480]);
        slot[480..].copy_from_slice(hash.as_bytes());
    }
}

/// The open page, and the leaf hash of the one before it.
struct Pages {
    leaves: Vec<Digest>,
    predecessor: Digest,
}

impl Pages {
    /// Makes the checks of frames anew, and what page trailers say of the frames before them.
    fn seal(&mut self, mut body: &mut [u8]) {
        while let Ok((frame, len)) = Frame::read(body) {
            let digest = if let Some(leaf) = frame.leaf() {
                self.leaves.push(leaf);
                leaf
            } else {
                body[56..88].copy_from_slice(&page_root(&self.leaves));
                body[88..120].copy_from_slice(&self.predecessor);
                self.leaves.clear();
                self.predecessor = tree_leaf(&body[FRAME_HEADER..len]);
                self.predecessor
            };
            body[4..8].copy_from_slice(&digest[..4]);
            body = &mut body[len..];
        }
    }
}

#[cfg(test)]
mod tests {
    use commitment::ENVELOPE;

    use super::*;

    #[test]
    fn a_change_comes_past_the_checksums() {
        let mut files = unpack(include_bytes!("../../../../fuzz/corpus/log/seed-000"));
        let (sound, events) = check(&files, Level::Full, 997).expect("the vectors' log is sound");
        let mut same = files.clone();
        seal(&mut same);
        assert!(same == files, "what was not changed is sealed as it was");
        // A byte of the salt of the first event, behind the name of its account.
        let name = SEGMENT_HEADER + BATCH_HEADER;
        let (_, len) = Frame::read(&files[1][name..]).expect("a name");
        files[1][name + len + FRAME_HEADER + ENVELOPE] ^= 1;
        assert!(check(&files, Level::Quick, 997).is_err());
        seal(&mut files);
        let (report, again) = check(&files, Level::Full, 997).expect("it is sealed");
        assert!(report.root != sound.root && again == events);
    }
}
