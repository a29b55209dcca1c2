//! A short way to write events in tests, and the long one, NDJSON, to show them.
//!
//! A line is `WHEN ACTOR KIND key=value …`:
//!
//! ```text
//! 2026-01-01       user     item_uploaded item=i category=photos bytes=5
//! 2026-01-02T12:00 provider item_purged item=i cause=expired recorded=2026-01-02T12:01
//! ```
//!
//! A time is in UTC; seconds, or the whole time of day, may be left out. `recorded` is honoured
//! (the source's word), without it the log wrote the event down at the instant at which it
//! occurred. The account is `a` unless `account=` says otherwise.

use std::collections::BTreeMap;

use event::{
    Actor, ClearCause, Event, Kind, Payload, PurgeCause, Recorded, RecordedBy, Surface, Timestamp,
    write_ndjson,
};

/// Reads a time, `2026-01-02`, `2026-01-02T12:00`, `2026-01-02T12:00:30` or with a fraction.
///
/// # Panics
/// When it is none.
#[must_use]
pub fn time(text: &str) -> Timestamp {
    let whole = match text.len() {
        10 => format!("{text}T00:00:00Z"),
        16 => format!("{text}:00Z"),
        _ => format!("{text}Z"),
    };
    Timestamp::parse(&whole).unwrap_or_else(|e| panic!("{text}: {e}"))
}

/// Reads events, one a line, blank lines skipped; positions and revisions are those of the lines.
///
/// # Panics
/// When a line is not in the notation of this module.
#[must_use]
pub fn events(text: &str) -> Vec<Recorded> {
    let lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
    lines.enumerate().map(|(n, line)| read(line, n as u64)).collect()
}

fn read(line: &str, place: u64) -> Recorded {
    let mut words = line.split_whitespace();
    let mut word = || words.next().unwrap_or_else(|| panic!("{line}: too short"));
    let occurred_at = time(word());
    let actor = word();
    let actor = Actor::from_name(actor).unwrap_or_else(|| panic!("{line}: no actor"));
    let kind = word();
    let kind = Kind::from_name(kind).unwrap_or_else(|| panic!("{line}: no kind"));
    let mut fields: BTreeMap<&str, &str> = words
        .map(|pair| pair.split_once('=').unwrap_or_else(|| panic!("{line}: {pair} has no =")))
        .collect();
    let account = fields.remove("account").unwrap_or("a").to_owned();
    let recorded = fields.remove("recorded").map(time);
    let surface = fields.remove("surface").map(|s| Surface::from_name(s).expect("a surface"));
    let payload = payload(kind, &mut fields);
    assert!(fields.is_empty(), "{line}: {fields:?} is not of this kind");
    let event = Event {
        id: format!("e{place}"),
        account,
        occurred_at,
        recorded_at: recorded,
        actor,
        surface,
        attributes: BTreeMap::new(),
        payload,
    };
    Recorded {
        event,
        position: place,
        revision: place,
        recorded_at: recorded.unwrap_or(occurred_at),
        recorded_by: if recorded.is_some() { RecordedBy::Source } else { RecordedBy::Log },
    }
}

fn payload(kind: Kind, fields: &mut BTreeMap<&str, &str>) -> Payload {
    match kind {
        Kind::AccountOpened => {
            Payload::AccountOpened { tier: fields.remove("tier").map(str::to_owned) }
        }
        Kind::TierChanged => Payload::TierChanged { tier: take(fields, "tier") },
        Kind::QuotaChanged => {
            Payload::QuotaChanged { bytes: take(fields, "bytes").parse().unwrap() }
        }
        Kind::SignedIn => Payload::SignedIn,
        Kind::SignInFailed => Payload::SignInFailed,
        Kind::PageViewed => Payload::PageViewed,
        Kind::FindDeviceOn => Payload::FindDeviceOn,
        Kind::FindDeviceOff => Payload::FindDeviceOff,
        Kind::SyncOn => Payload::SyncOn { category: take(fields, "category") },
        Kind::SyncOff => Payload::SyncOff { category: take(fields, "category") },
        Kind::Synced => Payload::Synced { category: take(fields, "category") },
        Kind::ItemUploaded => Payload::ItemUploaded {
            item: take(fields, "item"),
            category: take(fields, "category"),
            bytes: take(fields, "bytes").parse().unwrap(),
        },
        Kind::ItemModified => Payload::ItemModified {
            item: take(fields, "item"),
            bytes: fields.remove("bytes").map(|bytes| bytes.parse().unwrap()),
        },
        Kind::ItemTrashed => Payload::ItemTrashed { item: take(fields, "item") },
        Kind::ItemRestored => Payload::ItemRestored { item: take(fields, "item") },
        Kind::ItemPurged => {
            Payload::ItemPurged { item: take(fields, "item"), cause: purge_cause(fields) }
        }
        Kind::TrashEmptied => Payload::TrashEmptied,
        Kind::BackupOn => Payload::BackupOn,
        Kind::BackupCompleted => Payload::BackupCompleted {
            backup: take(fields, "backup"),
            bytes: take(fields, "bytes").parse().unwrap(),
            parts: Vec::new(),
        },
        Kind::BackupRestored => Payload::BackupRestored { backup: take(fields, "backup") },
        Kind::BackupPurged => {
            Payload::BackupPurged { backup: take(fields, "backup"), cause: purge_cause(fields) }
        }
        Kind::BackupOff => {
            Payload::BackupOff { delete_backups: take(fields, "delete_backups").parse().unwrap() }
        }
        Kind::UploadRejected => Payload::UploadRejected {
            reason: take(fields, "reason"),
            item: fields.remove("item").map(str::to_owned),
        },
        Kind::InactivityNotified => Payload::InactivityNotified,
        Kind::AccountFrozen => Payload::AccountFrozen,
        Kind::AccountUnfrozen => Payload::AccountUnfrozen,
        Kind::AccountTerminated => Payload::AccountTerminated,
        Kind::AccountClosed => Payload::AccountClosed,
        Kind::DataCleared => Payload::DataCleared {
            cause: ClearCause::from_name(&take(fields, "cause")).expect("a cause of a clearing"),
        },
        Kind::HoldPlaced => Payload::HoldPlaced { hold: take(fields, "hold") },
        Kind::HoldReleased => Payload::HoldReleased { hold: take(fields, "hold") },
    }
}

fn take(fields: &mut BTreeMap<&str, &str>, name: &str) -> String {
    fields.remove(name).unwrap_or_else(|| panic!("{name} is missing")).to_owned()
}

fn purge_cause(fields: &mut BTreeMap<&str, &str>) -> Option<PurgeCause> {
    fields.remove("cause").map(|cause| PurgeCause::from_name(cause).expect("a cause of a purge"))
}

/// The NDJSON text of these events, in the order given, each `recorded_at` that was honoured given.
///
/// # Panics
/// Never: what is written is UTF-8.
#[must_use]
pub fn ndjson(events: &[Recorded]) -> String {
    let mut text = Vec::new();
    for recorded in events {
        write_ndjson(&recorded.event, recorded.event.recorded_at, &mut text);
        text.push(b'\n');
    }
    String::from_utf8(text).expect("NDJSON is UTF-8")
}
