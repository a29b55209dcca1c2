//! The one way to spell an event in bytes: what is hashed, and what a log keeps.
//!
//! MessagePack with arrays, one map with sorted keys, no floats, and each value in the fewest
//! bytes that MessagePack has for it. Equal events (`recorded_at` aside, which is not part of the
//! identity and not in the bytes) have equal bytes, and [`decode`] takes no other spelling, so
//! what it takes, [`encode`] gives back byte for byte.
//!
//! ```text
//! event   = array of 6: kind, actor, surface, occurred_at, account, content
//! content = array of 3: fields, id, attributes
//! ```
//!
//! | part | spelled as |
//! |---|---|
//! | kind, actor | their numbers ([`Kind::number`], [`Actor::number`]) |
//! | surface | its number, or nil |
//! | occurred_at | whole number: milliseconds since 1970-01-01T00:00:00Z |
//! | account, id | text, 1–128 bytes |
//! | fields | array of the kind's fields in the order below, always of that length |
//! | attributes | map from text to text, keys rising in byte order, none twice; keys and values together at most 64 KiB; empty when there are none |
//!
//! | kind | fields |
//! |---|---|
//! | `account_opened` | tier or nil |
//! | `tier_changed` | tier |
//! | `quota_changed` | bytes |
//! | `sync_on` `sync_off` `synced` | category |
//! | `item_uploaded` | item, category, bytes |
//! | `item_modified` | item, bytes or nil |
//! | `item_trashed` `item_restored` | item |
//! | `item_purged` | item, number of the cause or nil |
//! | `backup_completed` | backup, bytes, array of parts (empty when there are none) |
//! | `backup_restored` | backup |
//! | `backup_purged` | backup, number of the cause or nil |
//! | `backup_off` | boolean |
//! | `upload_rejected` | reason, item or nil |
//! | `data_cleared` | number of the cause |
//! | `hold_placed` `hold_released` | hold |
//! | every other | none: an array of 0 |
//!
//! Texts and numbers are limited as in [`limits`](crate::limits). The *content* stands at the end
//! and whole, so that a log can keep it apart from what its envelope holds, and put the bytes of
//! the event together again ([`encode_around`]) without reading the content. The fields come
//! first in it: they are what a fold reads.
//!
//! Encoding takes what it is given: an event that was not read from a line is held against the
//! limits with [`Event::check`] before.

use std::collections::BTreeMap;

use rmp::encode::{
    write_array_len, write_bool, write_map_len, write_nil, write_sint, write_str, write_uint,
};

use crate::limits::{ATTRIBUTES_BYTES, MAX_BYTES, SUBJECT_BYTES, TEXT_BYTES};
use crate::msgpack::Reader;
use crate::{Actor, ClearCause, Event, Kind, Payload, PurgeCause, Surface, Timestamp};

/// What a log keeps of an event besides kind, actor, surface, times and account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Content<S = String> {
    /// The producer's id.
    pub id: S,
    /// The kind with its fields.
    pub payload: Payload<S>,
    /// Anything else.
    pub attributes: BTreeMap<S, S>,
}

/// Bytes that are not the canonical spelling of anything.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("at byte {offset}: {problem}")]
pub struct CanonicalError {
    /// Where the value at fault begins, in bytes from 0.
    pub offset: usize,
    /// What is wrong with it.
    pub problem: Problem,
}

/// What is wrong with bytes that are not canonical.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Problem {
    /// The bytes end where a value, or the rest of it, should be.
    #[error("the bytes end before the end of {0}")]
    Ends(&'static str),
    /// A value of another type.
    #[error("expected {0}, found another type")]
    Expected(&'static str),
    /// A length or number in more bytes than it needs.
    #[error("not in the fewest bytes")]
    NotShortest,
    /// A number or a length that the value cannot have.
    #[error("{0} is out of range")]
    OutOfRange(&'static str),
    /// A text that is not UTF-8.
    #[error("not UTF-8")]
    NotUtf8,
    /// A key that is not above the one before it.
    #[error("attributes are not in rising order of their keys")]
    Unsorted,
    /// Bytes after the end.
    #[error("bytes after the end")]
    Trailing,
}

impl Problem {
    pub(crate) fn at(self, offset: usize) -> CanonicalError {
        CanonicalError { offset, problem: self }
    }
}

/// Appends the canonical bytes of `event` to `out`.
pub fn encode<S: AsRef<str>>(event: &Event<S>, out: &mut Vec<u8>) {
    let Event { account, occurred_at, actor, surface, payload, .. } = event;
    encode_head(payload.kind(), *actor, *surface, *occurred_at, account.as_ref(), out);
    encode_content(event, out);
}

/// Appends the canonical bytes of the event that has this `content` ([`encode_content`]).
pub fn encode_around(
    kind: Kind,
    actor: Actor,
    surface: Option<Surface>,
    occurred_at: Timestamp,
    account: &str,
    content: &[u8],
    out: &mut Vec<u8>,
) {
    encode_head(kind, actor, surface, occurred_at, account, out);
    out.extend_from_slice(content);
}

fn encode_head(
    kind: Kind,
    actor: Actor,
    surface: Option<Surface>,
    occurred_at: Timestamp,
    account: &str,
    out: &mut Vec<u8>,
) {
    array(6, out);
    out.push(kind.number());
    out.push(actor.number());
    optional(surface, out, |surface, out| out.push(surface.number()));
    fits(write_sint(out, occurred_at.ms()));
    text(&account, out);
}

/// Appends the content of `event` to `out`: its fields, id and attributes.
pub fn encode_content<S: AsRef<str>>(event: &Event<S>, out: &mut Vec<u8>) {
    array(3, out);
    encode_fields(&event.payload, out);
    text(&event.id, out);
    let length = u32::try_from(event.attributes.len()).expect("attributes are at most 64 KiB");
    fits(write_map_len(out, length));
    for (key, value) in &event.attributes {
        text(key, out);
        text(value, out);
    }
}

fn encode_fields<S: AsRef<str>>(payload: &Payload<S>, out: &mut Vec<u8>) {
    match payload {
        Payload::AccountOpened { tier } => {
            array(1, out);
            optional(tier.as_ref(), out, text);
        }
        Payload::TierChanged { tier: word }
        | Payload::SyncOn { category: word }
        | Payload::SyncOff { category: word }
        | Payload::Synced { category: word }
        | Payload::ItemTrashed { item: word }
        | Payload::ItemRestored { item: word }
        | Payload::BackupRestored { backup: word }
        | Payload::HoldPlaced { hold: word }
        | Payload::HoldReleased { hold: word } => {
            array(1, out);
            text(word, out);
        }
        Payload::QuotaChanged { bytes } => {
            array(1, out);
            uint(*bytes, out);
        }
        Payload::ItemUploaded { item, category, bytes } => {
            array(3, out);
            text(item, out);
            text(category, out);
            uint(*bytes, out);
        }
        Payload::ItemModified { item, bytes } => {
            array(2, out);
            text(item, out);
            optional(*bytes, out, uint);
        }
        Payload::ItemPurged { item: subject, cause }
        | Payload::BackupPurged { backup: subject, cause } => {
            array(2, out);
            text(subject, out);
            optional(*cause, out, |cause, out| out.push(cause.number()));
        }
        Payload::BackupCompleted { backup, bytes, parts } => {
            array(3, out);
            text(backup, out);
            uint(*bytes, out);
            array(u32::try_from(parts.len()).expect("a line holds under 2^32 parts"), out);
            parts.iter().for_each(|part| text(part, out));
        }
        Payload::BackupOff { delete_backups } => {
            array(1, out);
            fits(write_bool(out, *delete_backups));
        }
        Payload::UploadRejected { reason, item } => {
            array(2, out);
            text(reason, out);
            optional(item.as_ref(), out, text);
        }
        Payload::DataCleared { cause } => {
            array(1, out);
            out.push(cause.number());
        }
        Payload::SignedIn
        | Payload::SignInFailed
        | Payload::PageViewed
        | Payload::FindDeviceOn
        | Payload::FindDeviceOff
        | Payload::TrashEmptied
        | Payload::BackupOn
        | Payload::InactivityNotified
        | Payload::AccountFrozen
        | Payload::AccountUnfrozen
        | Payload::AccountTerminated
        | Payload::AccountClosed => array(0, out),
    }
}

/// What was written, as memory takes every byte. Without a word of the error that there cannot be: its text is kilobytes
/// of WebAssembly.
fn fits<T, E>(written: Result<T, E>) -> T {
    written.unwrap_or_else(|_| unreachable!("memory takes every byte"))
}

fn array(length: u32, out: &mut Vec<u8>) {
    fits(write_array_len(out, length));
}

fn text(text: &impl AsRef<str>, out: &mut Vec<u8>) {
    fits(write_str(out, text.as_ref()));
}

fn uint(value: u64, out: &mut Vec<u8>) {
    fits(write_uint(out, value));
}

fn optional<T>(value: Option<T>, out: &mut Vec<u8>, write: impl FnOnce(T, &mut Vec<u8>)) {
    match value {
        Some(value) => write(value, out),
        None => fits(write_nil(out)),
    }
}

/// The event of these canonical bytes; its `recorded_at` is `None`.
///
/// # Errors
/// [`CanonicalError`] at the first value that is not canonical.
pub fn decode(bytes: &[u8]) -> Result<Event<&str>, CanonicalError> {
    let mut reader = Reader::new(bytes);
    reader.array_of("an event", 6)?;
    let kind = number(&mut reader, "a kind", Kind::from_number)?;
    let actor = number(&mut reader, "an actor", Actor::from_number)?;
    let surface =
        reader.optional("a surface", |reader| number(reader, "a surface", Surface::from_number))?;
    let start = reader.offset();
    let occurred_at =
        Timestamp::from_ms(reader.int("a time")?).ok_or(Problem::OutOfRange("a time").at(start))?;
    let account = reader.text("an account", 1, TEXT_BYTES)?;
    let Content { id, payload, attributes } = read_content(kind, &mut reader)?;
    reader.finish()?;
    Ok(Event { id, account, occurred_at, recorded_at: None, actor, surface, attributes, payload })
}

/// The content of these bytes, of an event of `kind`.
///
/// # Errors
/// [`CanonicalError`] at the first value that is not canonical.
pub fn decode_content(kind: Kind, bytes: &[u8]) -> Result<Content<&str>, CanonicalError> {
    let mut reader = Reader::new(bytes);
    let content = read_content(kind, &mut reader)?;
    reader.finish()?;
    Ok(content)
}

fn read_content<'a>(
    kind: Kind,
    reader: &mut Reader<'a>,
) -> Result<Content<&'a str>, CanonicalError> {
    reader.array_of("the content", 3)?;
    let payload = read_fields(kind, reader)?;
    let id = reader.text("an id", 1, TEXT_BYTES)?;
    let attributes = read_attributes(reader)?;
    Ok(Content { id, payload, attributes })
}

fn read_attributes<'a>(
    reader: &mut Reader<'a>,
) -> Result<BTreeMap<&'a str, &'a str>, CanonicalError> {
    let length = reader.map("attributes")?;
    let mut attributes = BTreeMap::new();
    let mut last: Option<&str> = None;
    let mut room = ATTRIBUTES_BYTES;
    for _ in 0..length {
        let start = reader.offset();
        let key = reader.text("an attribute's key", 0, room)?;
        if last.is_some_and(|last| last >= key) {
            return Err(Problem::Unsorted.at(start));
        }
        room -= key.len();
        let value = reader.text("an attribute's value", 0, room)?;
        room -= value.len();
        attributes.insert(key, value);
        last = Some(key);
    }
    Ok(attributes)
}

fn read_fields<'a>(
    kind: Kind,
    reader: &mut Reader<'a>,
) -> Result<Payload<&'a str>, CanonicalError> {
    reader.array_of("the kind's fields", field_count(kind))?;
    let bytes = |reader: &mut Reader<'_>| reader.uint("bytes", MAX_BYTES);
    let purge_cause = |reader: &mut Reader<'_>| {
        reader.optional("a cause", |reader| number(reader, "a cause", PurgeCause::from_number))
    };
    Ok(match kind {
        Kind::AccountOpened => {
            Payload::AccountOpened { tier: reader.optional("a tier", |r| word(r, "a tier"))? }
        }
        Kind::TierChanged => Payload::TierChanged { tier: word(reader, "a tier")? },
        Kind::QuotaChanged => Payload::QuotaChanged { bytes: bytes(reader)? },
        Kind::SyncOn => Payload::SyncOn { category: word(reader, "a category")? },
        Kind::SyncOff => Payload::SyncOff { category: word(reader, "a category")? },
        Kind::Synced => Payload::Synced { category: word(reader, "a category")? },
        Kind::ItemUploaded => Payload::ItemUploaded {
            item: subject(reader, "an item")?,
            category: word(reader, "a category")?,
            bytes: bytes(reader)?,
        },
        Kind::ItemModified => Payload::ItemModified {
            item: subject(reader, "an item")?,
            bytes: reader.optional("bytes", bytes)?,
        },
        Kind::ItemTrashed => Payload::ItemTrashed { item: subject(reader, "an item")? },
        Kind::ItemRestored => Payload::ItemRestored { item: subject(reader, "an item")? },
        Kind::ItemPurged => {
            Payload::ItemPurged { item: subject(reader, "an item")?, cause: purge_cause(reader)? }
        }
        Kind::BackupCompleted => Payload::BackupCompleted {
            backup: subject(reader, "a backup")?,
            bytes: bytes(reader)?,
            parts: read_parts(reader)?,
        },
        Kind::BackupRestored => Payload::BackupRestored { backup: subject(reader, "a backup")? },
        Kind::BackupPurged => {
            let backup = subject(reader, "a backup")?;
            Payload::BackupPurged { backup, cause: purge_cause(reader)? }
        }
        Kind::BackupOff => Payload::BackupOff { delete_backups: reader.flag("a boolean")? },
        Kind::UploadRejected => Payload::UploadRejected {
            reason: word(reader, "a reason")?,
            item: reader.optional("an item", |r| subject(r, "an item"))?,
        },
        Kind::DataCleared => {
            Payload::DataCleared { cause: number(reader, "a cause", ClearCause::from_number)? }
        }
        Kind::HoldPlaced => Payload::HoldPlaced { hold: word(reader, "a hold")? },
        Kind::HoldReleased => Payload::HoldReleased { hold: word(reader, "a hold")? },
        Kind::SignedIn => Payload::SignedIn,
        Kind::SignInFailed => Payload::SignInFailed,
        Kind::PageViewed => Payload::PageViewed,
        Kind::FindDeviceOn => Payload::FindDeviceOn,
        Kind::FindDeviceOff => Payload::FindDeviceOff,
        Kind::TrashEmptied => Payload::TrashEmptied,
        Kind::BackupOn => Payload::BackupOn,
        Kind::InactivityNotified => Payload::InactivityNotified,
        Kind::AccountFrozen => Payload::AccountFrozen,
        Kind::AccountUnfrozen => Payload::AccountUnfrozen,
        Kind::AccountTerminated => Payload::AccountTerminated,
        Kind::AccountClosed => Payload::AccountClosed,
    })
}

/// How many fields the array of a kind has.
const fn field_count(kind: Kind) -> usize {
    match kind {
        Kind::ItemUploaded | Kind::BackupCompleted => 3,
        Kind::ItemModified | Kind::ItemPurged | Kind::BackupPurged | Kind::UploadRejected => 2,
        Kind::AccountOpened
        | Kind::TierChanged
        | Kind::QuotaChanged
        | Kind::SyncOn
        | Kind::SyncOff
        | Kind::Synced
        | Kind::ItemTrashed
        | Kind::ItemRestored
        | Kind::BackupRestored
        | Kind::BackupOff
        | Kind::DataCleared
        | Kind::HoldPlaced
        | Kind::HoldReleased => 1,
        Kind::SignedIn
        | Kind::SignInFailed
        | Kind::PageViewed
        | Kind::FindDeviceOn
        | Kind::FindDeviceOff
        | Kind::TrashEmptied
        | Kind::BackupOn
        | Kind::InactivityNotified
        | Kind::AccountFrozen
        | Kind::AccountUnfrozen
        | Kind::AccountTerminated
        | Kind::AccountClosed => 0,
    }
}

fn read_parts<'a>(reader: &mut Reader<'a>) -> Result<Vec<&'a str>, CanonicalError> {
    // The length is not trusted with memory: a hostile one ends at the first part that is missing.
    (0..reader.array("parts")?).map(|_| word(reader, "a part")).collect()
}

fn word<'a>(reader: &mut Reader<'a>, what: &'static str) -> Result<&'a str, CanonicalError> {
    reader.text(what, 1, TEXT_BYTES)
}

fn subject<'a>(reader: &mut Reader<'a>, what: &'static str) -> Result<&'a str, CanonicalError> {
    reader.text(what, 1, SUBJECT_BYTES)
}

fn number<T>(
    reader: &mut Reader<'_>,
    what: &'static str,
    from_number: fn(u8) -> Option<T>,
) -> Result<T, CanonicalError> {
    let start = reader.offset();
    let number = reader.uint(what, 0x7f)?;
    from_number(number as u8).ok_or(Problem::OutOfRange(what).at(start))
}
