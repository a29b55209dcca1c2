//! What can be said of a log's frames by themselves: a thread reads them and looks at them, while another one puts them
//! where they belong.

use std::sync::mpsc::SyncSender;

use crate::ReadError;
use crate::batches::{Batches, Whole};
use crate::derived::Place;
use crate::head_file::Durable;
use commitment::{
    BATCH_HEADER, Digest, ENVELOPE, Envelope, FRAME_HEADER, Fault, Frame, MapKey, SALT,
    chain_starts, event_leaves, name_leaves,
};

/// So many bytes are looked at together, and what is left of the last batch.
const PARCEL: usize = 256 << 10;

/// Some batches, end to end.
#[derive(Default)]
pub(super) struct Parcel {
    pub(super) bytes: Vec<u8>,
    pub(super) batches: Vec<Batch>,
    pub(super) frames: Vec<Seen>,
    /// What is wrong with the frame behind these, in the last of the batches, and where from that one's beginning.
    pub(super) fault: Option<Fault>,
}

pub(super) struct Batch {
    pub(super) place: Place,
    /// Events before it.
    pub(super) position: u64,
    /// Where it ends.
    pub(super) end: Durable,
    /// Where it begins in the bytes.
    pub(super) at: usize,
    /// How many frames there are up to its end.
    pub(super) frames: usize,
}

pub(super) struct Seen {
    /// Where it begins in the bytes.
    pub(super) at: usize,
    pub(super) len: usize,
    /// A trailer has none: zeros.
    pub(super) leaf: Digest,
    pub(super) what: What,
}

pub(super) enum What {
    Event {
        ordinal: u32,
        /// When it was recorded, if the log says so, in ms since the epoch.
        clock_ms: Option<i64>,
    },
    /// Of which nothing else is left.
    EventErased {
        ordinal: u32,
    },
    Name(Box<Name>),
    NameErased {
        ordinal: u32,
    },
    Control,
    Trailer,
}

impl What {
    fn of(envelope: &Envelope) -> What {
        What::Event { ordinal: envelope.ordinal, clock_ms: envelope.clock_ms() }
    }
}

pub(super) struct Name {
    pub(super) ordinal: u32,
    pub(super) secret: [u8; 32],
    pub(super) key: MapKey,
    /// The head of the account's chain before its first event.
    pub(super) chain_start: Digest,
}

/// Reads on to the end, and gives away what it sees: until there is an error, or nobody takes it.
pub(super) fn look(
    mut batches: Batches<'_>,
    origin: &str,
    given: &SyncSender<Result<Parcel, ReadError>>,
) {
    loop {
        let mut parcel = Parcel::default();
        let read = parcel.fill(&mut batches);
        parcel.look(origin);
        let is_over = parcel.fault.is_some() || parcel.bytes.len() < PARCEL;
        let is_taken = given.send(Ok(parcel)).is_ok();
        if let (true, Err(error)) = (is_taken, read) {
            // Nobody need hear of it who asked for less.
            let _ = given.send(Err(error));
        }
        if is_over || !is_taken {
            return;
        }
    }
}

/// An event's frame, and its number.
type EventAt<'a> = (usize, (&'a [u8; ENVELOPE], &'a [u8; SALT], &'a [u8]));
/// A name's frame, and its number.
type NameAt<'a> = (usize, (u32, &'a [u8; 32], &'a str));

impl Parcel {
    fn fill(&mut self, batches: &mut Batches<'_>) -> Result<(), ReadError> {
        self.bytes.reserve(PARCEL + PARCEL / 4);
        while self.bytes.len() < PARCEL {
            let (at, position) = (self.bytes.len(), batches.position);
            let Some(Whole { place, bytes }) = batches.next()? else { break };
            self.bytes.extend_from_slice(bytes);
            self.batches.push(Batch { place, position, end: batches.at(), at, frames: 0 });
        }
        Ok(())
    }

    fn look(&mut self, origin: &str) {
        let Parcel { bytes, batches, frames, fault } = self;
        // A frame is rarely shorter than 96 bytes.
        let most = bytes.len() / 96;
        frames.reserve(most);
        let (mut events, mut names) = (Vec::with_capacity(most), Vec::new());
        for n in 0..batches.len() {
            let end = batches.get(n + 1).map_or(bytes.len(), |next| next.at);
            let mut at = batches[n].at + BATCH_HEADER;
            while at < end && fault.is_none() {
                match see(&bytes[at..end], frames.len(), &mut events, &mut names) {
                    Ok((what, leaf, len)) => {
                        frames.push(Seen { at, len, leaf, what });
                        at += len;
                    }
                    Err(found) => *fault = Some(found.moved((at - batches[n].at) as u64)),
                }
            }
            batches[n].frames = frames.len();
            if fault.is_some() {
                batches.truncate(n + 1);
                break;
            }
        }
        let (numbers, hashed): (Vec<_>, Vec<_>) = events.into_iter().unzip();
        for (n, leaf) in numbers.into_iter().zip(event_leaves(&hashed)) {
            // The last one is not among them if it has a fault.
            if let Some(seen) = frames.get_mut(n) {
                seen.leaf = leaf;
            }
        }
        let (numbers, hashed): (Vec<_>, Vec<_>) = names.into_iter().unzip();
        let leaves = name_leaves(&hashed);
        let keys = MapKey::of_all(origin, hashed.iter().map(|(.., name)| *name));
        let starts = chain_starts(&leaves);
        let hashes = leaves.into_iter().zip(keys).zip(starts);
        for ((n, named), ((leaf, key), chain_start)) in numbers.into_iter().zip(hashed).zip(hashes)
        {
            let (ordinal, secret, _) = named;
            frames[n].leaf = leaf;
            frames[n].what =
                What::Name(Box::new(Name { ordinal, secret: *secret, key, chain_start }));
        }
        self.check();
    }

    /// Leaves out what is behind the first frame that is not as its leaf says.
    fn check(&mut self) {
        let check = |seen: &Seen| match seen.what {
            What::Trailer => Ok(()),
            _ => Frame::check(&self.bytes[seen.at..], &seen.leaf),
        };
        let wrong =
            self.frames.iter().enumerate().find_map(|(n, seen)| Some((n, check(seen).err()?)));
        let Some((n, fault)) = wrong else { return };
        let last = self.batches.partition_point(|batch| batch.frames <= n);
        self.batches.truncate(last + 1);
        self.batches[last].frames = n;
        self.fault = Some(fault.moved((self.frames[n].at - self.batches[last].at) as u64));
        self.frames.truncate(n);
    }
}

/// Looks at the frame that some bytes begin with, which is the `n`th; gives its length, and its leaf unless many of its
/// kind are hashed at once.
fn see<'a>(
    bytes: &'a [u8],
    n: usize,
    events: &mut Vec<EventAt<'a>>,
    names: &mut Vec<NameAt<'a>>,
) -> Result<(What, Digest, usize), Fault> {
    let (frame, len) = Frame::read(bytes)?;
    let (what, leaf) = match frame {
        Frame::Event { envelope, salt, padded } => {
            events.push((n, (envelope, salt, padded)));
            let envelope = Envelope::decode(envelope).map_err(|f| f.moved(FRAME_HEADER as u64))?;
            (What::of(&envelope), None)
        }
        Frame::Name { ordinal, secret, name } => {
            names.push((n, (ordinal, secret, name)));
            // Until its hashes are made.
            (What::Control, None)
        }
        Frame::ContentErased { envelope, .. } => {
            let envelope = Envelope::decode(envelope).map_err(|f| f.moved(FRAME_HEADER as u64))?;
            (What::of(&envelope), frame.leaf())
        }
        Frame::EventErased { ordinal, .. } => (What::EventErased { ordinal }, frame.leaf()),
        Frame::NameErased { ordinal, .. } => (What::NameErased { ordinal }, frame.leaf()),
        Frame::Control { .. } => (What::Control, frame.leaf()),
        Frame::Trailer(_) => (What::Trailer, None),
    };
    Ok((what, leaf.unwrap_or_default(), len))
}

#[cfg(test)]
mod tests {
    use commitment::{Scope, chain_start, write_event, write_name};
    use event::{Actor, Kind, RecordedBy, Timestamp};

    use super::*;

    const ORIGIN: &str = "log.example";

    /// Batches of a name and an event each, without headers that anybody reads here; and where the frames begin.
    fn parcel(accounts: u32) -> (Parcel, Vec<usize>) {
        let (mut parcel, mut begins) = (Parcel::default(), Vec::new());
        for ordinal in 0..accounts {
            let at = parcel.bytes.len();
            parcel.bytes.resize(at + BATCH_HEADER, 0);
            begins.push(parcel.bytes.len());
            write_name(&mut parcel.bytes, ordinal, &[ordinal as u8; 32], &format!("n{ordinal}"));
            begins.push(parcel.bytes.len());
            let envelope = Envelope {
                kind: Kind::PageViewed,
                actor: Actor::User,
                surface: None,
                scope: Scope::Account,
                recorded_by: RecordedBy::Log,
                ordinal,
                occurred_at: Timestamp::from_ms(5).unwrap(),
                recorded_at: Timestamp::from_ms(7).unwrap(),
                tag: [0; 16],
            };
            let content = |out: &mut Vec<u8>| out.extend_from_slice(&[1; 20]);
            write_event(&mut parcel.bytes, &envelope.encode(), &[3; SALT], content);
            let place = Place { segment: 4, offset: 1000 + at as u64 };
            let offset = 1000 + parcel.bytes.len() as u64;
            let end = Durable { segment: 4, offset, events: ordinal.into(), checksum: [0; 16] };
            parcel.batches.push(Batch { place, position: 0, end, at, frames: 0 });
        }
        (parcel, begins)
    }

    #[test]
    fn frames_are_seen_with_what_their_hashes_are() {
        let (mut parcel, begins) = parcel(20);
        parcel.look(ORIGIN);
        assert_eq!(parcel.fault, None);
        assert!(parcel.batches.iter().map(|batch| batch.frames).eq((1..=20).map(|n| 2 * n)));
        assert!(parcel.frames.iter().map(|seen| seen.at).eq(begins));
        for (seen, n) in parcel.frames.iter().zip(0..) {
            let (frame, len) = Frame::read(&parcel.bytes[seen.at..]).unwrap();
            assert_eq!((Some(seen.leaf), seen.len), (frame.leaf(), len));
            match &seen.what {
                What::Name(name) => {
                    assert_eq!((name.ordinal, name.secret), (n / 2, [(n / 2) as u8; 32]));
                    assert_eq!(name.key, MapKey::of(ORIGIN, &format!("n{}", n / 2)));
                    assert_eq!(name.chain_start, chain_start(&seen.leaf));
                }
                What::Event { ordinal, clock_ms } => {
                    assert_eq!((*ordinal, *clock_ms), (n / 2, Some(7)));
                }
                _ => panic!("frame {n} is neither"),
            }
        }
    }

    /// Whichever byte is another, what is before its frame is given, and the fault is said to be there.
    #[test]
    fn what_is_wrong_is_in_its_frame() {
        let (whole, begins) = parcel(3);
        for (n, begin) in begins.iter().enumerate() {
            let len = Frame::read(&whole.bytes[*begin..]).unwrap().1;
            for at in *begin..*begin + len {
                let mut parcel = parcel(3).0;
                parcel.bytes[at] ^= 0x41;
                parcel.look(ORIGIN);
                let fault = parcel.fault.expect("a byte is another");
                assert_eq!(parcel.frames.len(), n, "byte {at}");
                assert_eq!(parcel.batches.len(), n / 2 + 1, "byte {at}");
                let last = parcel.batches.last().unwrap();
                assert_eq!(last.frames, n, "byte {at}");
                let found = last.at + fault.offset as usize;
                // By another length it ends elsewhere.
                let is_length = (begin + 1..begin + 4).contains(&at);
                let end = if is_length { parcel.bytes.len() } else { begin + len };
                assert!((*begin..end).contains(&found), "byte {at}: {fault}");
            }
        }
    }
}
