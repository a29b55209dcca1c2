//! Shrunk segments: the same log in fewer bytes, and nothing that can be slipped in with it.

use stillthere_commitment::{
    BATCH_HEADER, BatchHeader, FRAME_HEADER, Frame, Left, SEGMENT_HEADER, SHRUNK_FRAME,
    rewrite_batch, shrink_batch,
};

use crate::erasure::{Owners, positions, second, surveyed, whole};
use crate::made::{Made, STORE, checked, events};

/// Three segments, of which each event of the first two is erased: of the second the name of an account as well.
fn before() -> Made {
    let events = events();
    let b = second(&events);
    let mut made = whole();
    made.erase(Left::Envelope, &[], &[0, 3]);
    made.erase(Left::Leaf, &[], &positions(0..b.start));
    made.segment();
    made.erase(Left::Leaf, &[1], &positions(b.start..b.end + 3));
    made.batch(&events[b.end + 3..], true);
    made
}

/// The same, the first two segments shrunk.
pub fn shrunk() -> Made {
    let mut made = before();
    assert!(made.shrink(0) && made.shrink(1));
    made
}

fn lengths(made: &Made) -> Vec<usize> {
    made.segments.iter().map(Vec::len).collect()
}

#[test]
fn a_shrunk_log_is_the_same_log() {
    let (long, made) = (before(), shrunk());
    let (of_long, of_made) = (checked(&long).unwrap(), checked(&made).unwrap());
    assert_eq!(of_made, of_long);
    let whole = made.position - of_made.0.erased.events;
    assert_eq!(whole as usize, events()[second(&events()).end + 3..].len());
    // One segment by itself, whichever.
    for n in 0..2 {
        let mut one = before();
        assert!(one.shrink(n));
        assert_eq!(checked(&one).unwrap(), of_long, "segment {n}");
    }
    // Frame by frame: the same leaves, in fewer bytes.
    let mut saved = [0; 3];
    for ((n, _, at, len), (_, _, cut_at, cut)) in long.frames().into_iter().zip(made.frames()) {
        let (was, is) = (&long.segments[n][at..at + len], &made.segments[n][cut_at..cut_at + cut]);
        let (was, is) = (Frame::read(was).unwrap().0, Frame::read(is).unwrap().0);
        assert_eq!(was, is);
        let is_cut = matches!(is, Frame::EventErased { .. } | Frame::NameErased { .. });
        assert_eq!(cut, if is_cut && n < 2 { SHRUNK_FRAME } else { len });
        saved[n] += len - cut;
    }
    let less: Vec<_> = lengths(&long).iter().zip(lengths(&made)).map(|(a, b)| a - b).collect();
    assert_eq!(less, saved);
    assert!(saved[0] > 9 * 28 && saved[1] > 9 * 28 && saved[2] == 0);
    // Again: nothing is another byte.
    let mut again = made.clone();
    assert!(again.shrink(0) && again.shrink(1));
    assert_eq!(again.segments, made.segments);
    // The last has an event that is whole.
    assert!(!again.shrink(2));
}

/// What a batch holds that is no frame is no batch to shrink, and nothing of it comes out.
#[test]
fn only_sound_frames_are_shrunk() {
    let made = before();
    let segment = &made.segments[0][SEGMENT_HEADER..];
    let header = BatchHeader::read(segment.first_chunk().unwrap()).unwrap();
    let mut batch = segment[..header.total()].to_vec();
    let mut out = vec![7];
    for len in 0..BATCH_HEADER {
        assert!(shrink_batch(&batch[..len], &STORE, &mut out).is_err());
    }
    assert!(shrink_batch(&batch[..batch.len() - 1], &STORE, &mut out).is_err());
    batch[BATCH_HEADER + 1] ^= 1;
    assert!(shrink_batch(&batch, &STORE, &mut out).is_err());
    assert_eq!(out, [7]);
}

#[test]
fn no_byte_of_a_shrunk_log_can_be_changed() {
    let made = shrunk();
    for n in 0..made.segments.len() {
        for at in 0..made.segments[n].len() {
            for bit in [0x01, 0x10, 0x80] {
                let mut changed = made.clone();
                changed.segments[n][at] ^= bit;
                assert!(checked(&changed).is_err(), "segment {n}, byte {at}");
            }
        }
    }
}

/// Whatever byte of a batch of a shrunk segment is another, with the batch's checksum made anew by its owner: found.
#[test]
fn no_byte_of_a_shrunk_batch_can_be_changed() {
    let made = shrunk();
    let mut batches: Vec<_> = made.frames().iter().map(|(n, batch, ..)| (*n, *batch)).collect();
    batches.dedup();
    let (mut tried, mut was_rewritten) = (0, false);
    for (n, batch) in batches.into_iter().filter(|(n, _)| *n < 2) {
        let header = BatchHeader::read(made.segments[n][batch..].first_chunk().unwrap()).unwrap();
        // Behind another one that was rewritten its link says nothing.
        let from = if std::mem::replace(&mut was_rewritten, header.rewritten) { 24 } else { 16 };
        for at in (from..header.total()).filter(|_| header.rewritten) {
            for bit in [0x01, 0x80] {
                let mut changed = made.clone();
                let bytes = &mut changed.segments[n];
                bytes[batch + at] ^= bit;
                let read = BatchHeader::read(bytes[batch..].first_chunk().unwrap());
                let end = read.ok().map(|read| batch + read.total());
                // Of the bit that says that it was rewritten nothing is made good.
                let is_bit = at == 31 && bit == 0x80;
                if let Some(end) = end.filter(|end| *end <= bytes.len() && !is_bit) {
                    rewrite_batch(&mut bytes[batch..end], &STORE);
                }
                assert!(checked(&changed).is_err(), "segment {n}, batch {batch}, byte {at}");
                tried += 1;
            }
        }
    }
    assert!(tried > 3500, "{tried}");
}

/// Puts `frame` in the place of the `nth` erased event or name of a segment.
fn put(made: &mut Made, segment: usize, nth: usize, frame: impl Fn(&[u8]) -> Vec<u8>) {
    let is_erased = |(n, _, at, len): &(usize, usize, usize, usize)| {
        let bytes = &made.segments[*n][*at..*at + *len];
        *n == segment && Frame::read(bytes).unwrap().0.is_erased()
    };
    let found = made.frames().into_iter().filter(is_erased).nth(nth).unwrap();
    let (_, batch, at, len) = found;
    let bytes = &mut made.segments[segment];
    let new = frame(&bytes[at..at + len]);
    let header = BatchHeader::read(bytes[batch..].first_chunk().unwrap()).unwrap();
    let body = header.len + new.len() as u32 - len as u32;
    bytes.splice(at..at + len, new);
    bytes[batch + 24..batch + 28].copy_from_slice(&body.to_le_bytes());
    made.rewrite(segment, batch);
}

/// An erased frame with a body of so many bytes.
fn of_length(frame: &[u8], len: usize) -> Vec<u8> {
    let mut frame = frame.to_vec();
    frame.resize(FRAME_HEADER + len, 0);
    frame[1..4].copy_from_slice(&(len as u32).to_le_bytes()[..3]);
    frame
}

#[test]
fn a_segment_is_shrunk_as_a_whole_or_not_at_all() {
    let mut owners = Owners::default();
    let mut put_in = |expected: &str, made: &Made, segment: usize, nth: usize, len: usize| {
        let mut made = made.clone();
        put(&mut made, segment, nth, |frame| of_length(frame, len));
        owners.left(expected, &made);
    };
    let (long, made) = (before(), shrunk());
    let in_shrunk = "an event erased to its leaf, of 36 bytes, in a shrunk segment";
    let in_long = "a frame as long as it was, in a segment that is not shrunk";
    // Any but the first, which says what the segment is: then the next is wrong.
    for nth in [1, 5] {
        for len in [72, 73, 300] {
            put_in(in_shrunk, &made, 0, nth, len);
        }
        put_in(in_long, &long, 0, nth, 36);
    }
    put_in(in_long, &made, 0, 0, 72);
    put_in(in_shrunk, &long, 0, 0, 36);
    for len in [0, 35, 37, 71] {
        let expected =
            if len < 36 { "an erased frame of at least 36" } else { "an erased event of 36" };
        put_in(expected, &made, 0, 1, len);
        put_in(expected, &long, 0, 1, len);
    }
    // The name of the second account is the first erased frame of its segment. It may have been erased later.
    put_in("", &made, 1, 0, 36);
    put_in("", &made, 1, 0, 37);
    put_in("", &made, 1, 0, 164);
    put_in("a name of at most 128 bytes", &made, 1, 0, 165);
    put_in(in_shrunk, &long, 1, 0, 36);
    put_in("", &long, 1, 0, 37);
    // All of the last segment.
    let mut last = whole();
    last.erase(Left::Leaf, &[], &positions(0..last.position as usize));
    assert!(last.shrink(0) && last.shrink(1));
    owners.left("a frame as long as it was, in the last segment", &last);
    last.segment();
    owners.left("", &last);
    owners.end();
}

/// An event that is whole, or of which the envelope is left, in a shrunk segment.
#[test]
fn nothing_else_of_an_event_is_in_a_shrunk_segment() {
    let mut owners = Owners::default();
    let (made, whole) = (shrunk(), whole());
    let in_shrunk = "an event erased to its leaf, of 36 bytes, in a shrunk segment";
    let frames: Vec<Vec<u8>> = whole.frames()[..9]
        .iter()
        .map(|(n, _, at, len)| whole.segments[*n][*at..*at + *len].to_vec())
        .filter(|frame| Frame::read(frame).unwrap().0.is_event())
        .collect();
    let enveloped = |frame: &[u8]| {
        let mut frame = frame.to_vec();
        stillthere_commitment::erase_frame(&mut frame, Left::Envelope).unwrap();
        frame
    };
    for nth in [1, 4] {
        for frame in [frames[nth].clone(), enveloped(&frames[nth])] {
            let mut changed = made.clone();
            put(&mut changed, 0, nth, |_| frame.clone());
            owners.left(in_shrunk, &changed);
        }
    }
    // The first: the next is wrong then.
    let mut changed = made.clone();
    put(&mut changed, 0, 0, |_| frames[0].clone());
    owners.left("a frame as long as it was, in a segment that is not shrunk", &changed);
    // An event that no record names.
    let b = second(&events());
    let mut bare = crate::erasure::whole();
    bare.close();
    bare.take_out(Left::Leaf, &[], &positions(0..b.start));
    assert!(bare.shrink(0));
    owners.left("behind an erased frame a record that says that only its leaf", &bare);
    // Another ordinal, another leaf.
    for at in [FRAME_HEADER, FRAME_HEADER + 4, FRAME_HEADER + 35] {
        let mut changed = made.clone();
        put(&mut changed, 1, 3, |frame| {
            let mut frame = frame.to_vec();
            frame[at] ^= 1;
            if at == FRAME_HEADER + 4 {
                frame[4] ^= 1;
            }
            frame
        });
        assert!(checked(&changed).is_err(), "{at}");
    }
    owners.end();
}

/// A name in a shrunk segment is erased later: its frame keeps its length, and the segment is shrunk still.
#[test]
fn a_name_is_erased_in_a_shrunk_segment() {
    let events = events();
    let b = second(&events);
    let mut made = whole();
    made.erase(Left::Leaf, &[], &positions(0..b.start));
    assert!(made.shrink(0));
    let root = checked(&made).unwrap().0.root;
    let mut owners = Owners::default();
    owners.left("", &made);
    let before = lengths(&made);
    made.erase(Left::Leaf, &[0], &positions(b.end..b.end + 3));
    assert_eq!(lengths(&made)[0], before[0]);
    owners.left("", &made);
    assert_ne!(checked(&made).unwrap().0.root, root);
    assert!(made.shrink(0));
    owners.left("", &made);
    owners.end();
}

#[test]
fn a_survey_reads_shrunk_segments() {
    let made = shrunk();
    let report = checked(&made).unwrap().0;
    let (found, told) = surveyed(&made);
    assert_eq!((found.erased, found.missing.len(), found.unproven), (report.erased, 0, 0));
    assert_eq!(told as u64 + found.erased.events, made.position);
    for (n, segment) in made.segments.iter().enumerate() {
        for at in (SEGMENT_HEADER..segment.len()).step_by(5) {
            let mut changed = made.clone();
            changed.segments[n][at] ^= 0x20;
            let (found, _) = surveyed(&changed);
            let known = found.events + found.erased.events + found.nameless;
            if let Some(known) = found.missing_events().map(|missing| missing + known) {
                let most = known + found.unproven;
                assert!((known..=most).contains(&made.position), "{n} {at} {found:?}");
            }
        }
    }
}
