//! Makes events of frames again.

use std::collections::HashMap;

use commitment::{
    BATCH_HEADER, BatchHeader, ControlKind, ENVELOPE, Envelope, FRAME_HEADER, Fault, Frame,
    Summary, content_of,
};
use event::{Recorded, canonical};

use crate::derived::Place;
use crate::prepare::Staged;

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

/// What was read.
pub(crate) enum Item<'a> {
    /// An event.
    Event(Recorded<&'a str>, Staged),
    /// What is left of one.
    Gone(Gone),
    /// The record of an erasure, when its page is closed: the page, and what the record says.
    Erasure(u64, &'a [u8]),
}

/// An event of which something was erased.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Gone {
    pub(crate) position: u64,
    pub(crate) place: Place,
    pub(crate) ordinal: u32,
    /// Its revision; none if the account's name was erased as well.
    pub(crate) revision: Option<u64>,
    /// If its content alone was erased.
    pub(crate) envelope: Option<Envelope>,
}

/// The ordinals of the accounts of a batch's events, as far as it has frames: what else it has is found
/// when its events are read.
pub(crate) fn ordinals(batch: &[u8]) -> impl Iterator<Item = u32> {
    let mut rest = &batch[BATCH_HEADER..];
    std::iter::from_fn(move || {
        loop {
            let (frame, len) = Frame::read(rest).ok()?;
            rest = &rest[len..];
            match frame {
                Frame::Event { envelope, .. } | Frame::ContentErased { envelope, .. } => {
                    return Envelope::decode(envelope).ok().map(|envelope| envelope.ordinal);
                }
                Frame::EventErased { ordinal, .. } => return Some(ordinal),
                _ => {}
            }
        }
    })
}

/// Gives each event of a batch to `take`. `accounts` knows all that were named before and have an event
/// in it; `position` is that of the batch's first event.
pub(crate) fn each_event<E: From<Fault>>(
    batch: &[u8],
    place: Place,
    mut position: u64,
    accounts: &mut Accounts,
    mut take: impl FnMut(Item<'_>) -> Result<(), E>,
) -> Result<(), E> {
    let first = position;
    let mut erasure = None;
    let mut at = BATCH_HEADER;
    while at < batch.len() {
        let moved = |fault: Fault| fault.moved(place.offset + at as u64);
        let (frame, len) = Frame::read(&batch[at..]).map_err(moved)?;
        match frame {
            Frame::Control { kind: ControlKind::Erasure, body, .. } => erasure = Some(body),
            Frame::Trailer(summary) => {
                if let Some(body) = erasure.take() {
                    let summary = Summary::decode(summary).map_err(moved)?;
                    take(Item::Erasure(summary.page, body))?;
                }
            }
            Frame::Control { .. } | Frame::NameErased { .. } => {}
            Frame::EventErased { ordinal, .. } => {
                // An account that is not known has no name any more.
                let revision = accounts.get_mut(&ordinal).map(|known| {
                    known.next += 1;
                    known.next - 1
                });
                let place = Place { segment: place.segment, offset: place.offset + at as u64 };
                take(Item::Gone(Gone { position, place, ordinal, revision, envelope: None }))?;
                position += 1;
            }
            Frame::ContentErased { envelope, .. } => {
                let envelope =
                    Envelope::decode(envelope).map_err(|f| moved(f.moved(FRAME_HEADER as u64)))?;
                let ordinal = envelope.ordinal;
                let known = accounts.get_mut(&ordinal).ok_or_else(|| moved(unnamed(ordinal)))?;
                known.next += 1;
                let (revision, envelope) = (Some(known.next - 1), Some(envelope));
                let place = Place { segment: place.segment, offset: place.offset + at as u64 };
                take(Item::Gone(Gone { position, place, ordinal, revision, envelope }))?;
                position += 1;
            }
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
                let known = accounts.get_mut(&ordinal).ok_or_else(|| moved(unnamed(ordinal)))?;
                let content = content_of(padded);
                known.next += 1;
                let revision = known.next - 1;
                let recorded =
                    recorded(&envelope, content, &known.name, position, revision).map_err(moved)?;
                position += 1;
                let place = Place { segment: place.segment, offset: place.offset + at as u64 };
                let staged = Staged { ordinal, secret: known.secret, place };
                take(Item::Event(recorded, staged))?;
            }
        }
        at += len;
    }
    let found = position - first;
    let stated = batch.first_chunk().map(BatchHeader::read).and_then(Result::ok);
    let stated = stated.map_or(0, |header| header.events);
    if u64::from(stated) != found {
        let expected = format!("a count of events of {found}");
        let fault = Fault { offset: place.offset + 28, expected, found: stated.to_string() };
        return Err(fault.into());
    }
    Ok(())
}

fn unnamed(ordinal: u32) -> Fault {
    Fault {
        offset: FRAME_HEADER as u64 + 4,
        expected: "the ordinal of an account named before".to_owned(),
        found: ordinal.to_string(),
    }
}

/// The event of an envelope and a content.
pub(crate) fn recorded<'a>(
    envelope: &Envelope,
    content: &'a [u8],
    account: &'a str,
    position: u64,
    revision: u64,
) -> Result<Recorded<&'a str>, Fault> {
    let read = canonical::decode_content(envelope.kind, content).map_err(|e| Fault {
        offset: (FRAME_HEADER + ENVELOPE + commitment::SALT + e.offset) as u64,
        expected: "a canonical content".to_owned(),
        found: e.problem.to_string(),
    })?;
    let recorded_at = envelope.recorded_at;
    Ok(Recorded {
        event: envelope.event(account, read),
        position,
        revision,
        recorded_at,
        recorded_by: envelope.recorded_by,
    })
}
