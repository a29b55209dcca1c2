//! Makes events of frames again.

use std::collections::HashMap;
use std::collections::hash_map::Entry as MapEntry;

use commitment::{BATCH_HEADER, ENVELOPE, Envelope, FRAME_HEADER, Fault, Frame, content_of};
use event::{Event, EventHash, Recorded, RecordedBy, canonical};

use crate::derived::{Entry, IdTag, Place};

/// What must be known of an account to read its events: the log says it once, in the name frame.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Known {
    pub(crate) name: String,
    pub(crate) secret: [u8; 32],
    /// The revision of its next event.
    pub(crate) next: u64,
}

/// Accounts by their ordinals.
pub(crate) type Accounts = HashMap<u32, Known>;

/// An event as it was read.
pub(crate) struct Item<'a> {
    pub(crate) recorded: Recorded,
    pub(crate) ordinal: u32,
    pub(crate) secret: [u8; 32],
    pub(crate) place: Place,
    content: &'a [u8],
}

impl Item<'_> {
    /// The event's hash.
    pub(crate) fn hash(&self, scratch: &mut Vec<u8>) -> EventHash {
        let Event { occurred_at, actor, surface, account, payload, .. } = &self.recorded.event;
        hash_of(payload.kind(), *actor, *surface, *occurred_at, account, self.content, scratch)
    }

    /// What the derived files take in of it.
    pub(crate) fn entry(&self, scratch: &mut Vec<u8>) -> Entry<'_> {
        let Event { account, id, .. } = &self.recorded.event;
        Entry {
            recorded: &self.recorded,
            ordinal: u64::from(self.ordinal),
            secret: self.secret,
            chain: [0; 32],
            tag: id_tag(account, id),
            content: short(&self.hash(scratch)),
            place: self.place,
        }
    }
}

/// The hash of the event that has this content.
pub(crate) fn hash_of(
    kind: event::Kind,
    actor: event::Actor,
    surface: Option<event::Surface>,
    occurred_at: event::Timestamp,
    account: &str,
    content: &[u8],
    scratch: &mut Vec<u8>,
) -> EventHash {
    scratch.clear();
    canonical::encode_around(kind, actor, surface, occurred_at, account, content, scratch);
    EventHash::of_canonical(scratch)
}

/// 8 bytes of an event's hash: enough to tell a duplicate from a conflict at a glance.
pub(crate) fn short(hash: &EventHash) -> [u8; 8] {
    hash.as_bytes()[..8].try_into().expect("8 bytes of 32")
}

/// What stands for (account, id) in the derived files.
pub(crate) fn id_tag(account: &str, id: &str) -> IdTag {
    let mut text = [0; 257];
    let (a, i) = (account.len(), id.len());
    if a > 128 || i > 128 {
        // No event that was checked is such; the tag is right all the same.
        let mut hasher = blake3::Hasher::new();
        hasher.update(&(a as u64).to_le_bytes()).update(account.as_bytes()).update(id.as_bytes());
        return hasher.finalize().as_bytes()[..16].try_into().expect("16 bytes of 32");
    }
    text[0] = u8::try_from(a).expect("at most 128");
    text[1..=a].copy_from_slice(account.as_bytes());
    text[a + 1..=a + i].copy_from_slice(id.as_bytes());
    blake3::hash(&text[..=a + i]).as_bytes()[..16].try_into().expect("16 bytes of 32")
}

/// Gives each event of a batch to `take`. `find` knows accounts that were named before `accounts`
/// was begun; `position` is that of the batch's first event.
pub(crate) fn each_event<'b, E: From<Fault>>(
    batch: &'b [u8],
    place: Place,
    mut position: u64,
    accounts: &mut Accounts,
    mut find: impl FnMut(u32) -> Result<Option<Known>, E>,
    mut take: impl FnMut(Item<'b>) -> Result<(), E>,
) -> Result<(), E> {
    let first = position;
    let mut at = BATCH_HEADER;
    while at < batch.len() {
        let moved = |fault: Fault| fault.moved(place.offset + at as u64);
        let (frame, len) = Frame::read(&batch[at..]).map_err(moved)?;
        match frame {
            Frame::Trailer(_) => {}
            Frame::Name { ordinal, secret, name } => {
                let known = Known { name: name.to_owned(), secret: *secret, next: 0 };
                if accounts.insert(ordinal, known).is_some() {
                    let (expected, found) = ("a new ordinal".to_owned(), ordinal.to_string());
                    return Err(
                        moved(Fault { offset: FRAME_HEADER as u64, expected, found }).into()
                    );
                }
            }
            Frame::Event { envelope, padded, .. } => {
                let envelope =
                    Envelope::decode(envelope).map_err(|f| moved(f.moved(FRAME_HEADER as u64)))?;
                let ordinal = envelope.ordinal;
                let known = match accounts.entry(ordinal) {
                    MapEntry::Occupied(known) => known.into_mut(),
                    MapEntry::Vacant(vacant) => vacant.insert(find(ordinal)?.ok_or_else(|| {
                        moved(Fault {
                            offset: FRAME_HEADER as u64 + 4,
                            expected: "the ordinal of an account named before".to_owned(),
                            found: ordinal.to_string(),
                        })
                    })?),
                };
                let content = content_of(padded);
                let recorded = recorded(&envelope, content, &known.name, position, known.next)
                    .map_err(moved)?;
                known.next += 1;
                position += 1;
                let place = Place { segment: place.segment, offset: place.offset + at as u64 };
                take(Item { recorded, ordinal, secret: known.secret, place, content })?;
            }
        }
        at += len;
    }
    let (found, stated) = (position - first, batch.get(28..32).unwrap_or_default());
    if stated != u32::try_from(found).unwrap_or(u32::MAX).to_le_bytes() {
        let expected = format!("a count of events of {found}");
        let fault = Fault { offset: place.offset + 28, expected, found: format!("{stated:?}") };
        return Err(fault.into());
    }
    Ok(())
}

/// The event of an envelope and a content.
pub(crate) fn recorded(
    envelope: &Envelope,
    content: &[u8],
    account: &str,
    position: u64,
    revision: u64,
) -> Result<Recorded, Fault> {
    let read = canonical::decode_content(envelope.kind, content).map_err(|e| Fault {
        offset: (FRAME_HEADER + ENVELOPE + commitment::SALT + e.offset) as u64,
        expected: "a canonical content".to_owned(),
        found: e.problem.to_string(),
    })?;
    let recorded_at = envelope.recorded_at;
    let is_honoured = envelope.recorded_by == RecordedBy::Source;
    Ok(Recorded {
        event: Event {
            id: read.id,
            account,
            occurred_at: envelope.occurred_at,
            recorded_at: is_honoured.then_some(recorded_at),
            actor: envelope.actor,
            surface: envelope.surface,
            attributes: read.attributes,
            payload: read.payload,
        }
        .into_owned(),
        position,
        revision,
        recorded_at,
        recorded_by: envelope.recorded_by,
    })
}
