//! Random events of every kind, from a seed.

use std::collections::BTreeMap;

use event::limits::{MAX_BYTES, SUBJECT_BYTES, TEXT_BYTES};
use event::{Actor, ClearCause, Event, Kind, Payload, PurgeCause, Surface, Timestamp};
use fastrand::Rng;

/// An event of a random kind; one in a few stands at a limit.
pub fn event(rng: &mut Rng) -> Event {
    let kind = *rng.choice(Kind::ALL).unwrap();
    Event {
        id: text(rng, TEXT_BYTES),
        account: text(rng, TEXT_BYTES),
        occurred_at: time(rng),
        recorded_at: rng.bool().then(|| time(rng)),
        actor: *rng.choice(Actor::ALL).unwrap(),
        surface: rng.bool().then(|| *rng.choice(Surface::ALL).unwrap()),
        attributes: attributes(rng),
        payload: payload(kind, rng),
    }
}

/// A payload of `kind`.
pub fn payload(kind: Kind, rng: &mut Rng) -> Payload {
    let purge_cause = |rng: &mut Rng| rng.bool().then(|| *rng.choice(PurgeCause::ALL).unwrap());
    match kind {
        Kind::AccountOpened => {
            Payload::AccountOpened { tier: rng.bool().then(|| text(rng, TEXT_BYTES)) }
        }
        Kind::TierChanged => Payload::TierChanged { tier: text(rng, TEXT_BYTES) },
        Kind::QuotaChanged => Payload::QuotaChanged { bytes: bytes(rng) },
        Kind::SignedIn => Payload::SignedIn,
        Kind::SignInFailed => Payload::SignInFailed,
        Kind::PageViewed => Payload::PageViewed,
        Kind::FindDeviceOn => Payload::FindDeviceOn,
        Kind::FindDeviceOff => Payload::FindDeviceOff,
        Kind::SyncOn => Payload::SyncOn { category: text(rng, TEXT_BYTES) },
        Kind::SyncOff => Payload::SyncOff { category: text(rng, TEXT_BYTES) },
        Kind::Synced => Payload::Synced { category: text(rng, TEXT_BYTES) },
        Kind::ItemUploaded => Payload::ItemUploaded {
            item: text(rng, SUBJECT_BYTES),
            category: text(rng, TEXT_BYTES),
            bytes: bytes(rng),
        },
        Kind::ItemModified => Payload::ItemModified {
            item: text(rng, SUBJECT_BYTES),
            bytes: rng.bool().then(|| bytes(rng)),
        },
        Kind::ItemTrashed => Payload::ItemTrashed { item: text(rng, SUBJECT_BYTES) },
        Kind::ItemRestored => Payload::ItemRestored { item: text(rng, SUBJECT_BYTES) },
        Kind::ItemPurged => {
            Payload::ItemPurged { item: text(rng, SUBJECT_BYTES), cause: purge_cause(rng) }
        }
        Kind::TrashEmptied => Payload::TrashEmptied,
        Kind::BackupOn => Payload::BackupOn,
        Kind::BackupCompleted => Payload::BackupCompleted {
            backup: text(rng, SUBJECT_BYTES),
            bytes: bytes(rng),
            parts: (0..rng.usize(0..20)).map(|_| text(rng, TEXT_BYTES)).collect(),
        },
        Kind::BackupRestored => Payload::BackupRestored { backup: text(rng, SUBJECT_BYTES) },
        Kind::BackupPurged => {
            Payload::BackupPurged { backup: text(rng, SUBJECT_BYTES), cause: purge_cause(rng) }
        }
        Kind::BackupOff => Payload::BackupOff { delete_backups: rng.bool() },
        Kind::UploadRejected => Payload::UploadRejected {
            reason: text(rng, TEXT_BYTES),
            item: rng.bool().then(|| text(rng, SUBJECT_BYTES)),
        },
        Kind::InactivityNotified => Payload::InactivityNotified,
        Kind::AccountFrozen => Payload::AccountFrozen,
        Kind::AccountUnfrozen => Payload::AccountUnfrozen,
        Kind::AccountTerminated => Payload::AccountTerminated,
        Kind::AccountClosed => Payload::AccountClosed,
        Kind::DataCleared => Payload::DataCleared { cause: *rng.choice(ClearCause::ALL).unwrap() },
        Kind::HoldPlaced => Payload::HoldPlaced { hold: text(rng, TEXT_BYTES) },
        Kind::HoldReleased => Payload::HoldReleased { hold: text(rng, TEXT_BYTES) },
    }
}

/// 1 to `most` bytes, often exactly 1 or `most`, of letters, what JSON escapes, and Unicode.
fn text(rng: &mut Rng, most: usize) -> String {
    let length = match rng.u8(0..10) {
        0 => 1,
        1 => most,
        2 => rng.usize(1..=most),
        _ => rng.usize(1..=most.min(40)),
    };
    let mut text = String::new();
    while text.len() < length {
        let c = match rng.u8(0..12) {
            0 => *rng.choice(&['"', '\\', '/', '\u{7f}', '\u{2028}', '\u{feff}']).unwrap(),
            1 => char::from(rng.u8(0..32)),
            2 => *rng.choice(&['云', '相', '册', 'é', 'ß', '\u{301}', '😀', '\u{10ffff}']).unwrap(),
            3 => rng.char(..),
            _ => rng.alphanumeric(),
        };
        if text.len() + c.len_utf8() <= length {
            text.push(c);
        }
    }
    text
}

fn time(rng: &mut Rng) -> Timestamp {
    let ms = match rng.u8(0..8) {
        0 => Timestamp::MIN.ms(),
        1 => Timestamp::MAX.ms(),
        2 => rng.i64(-70_000..70_000),
        3 => (1i64 << rng.u32(0..47)) * *rng.choice(&[1, -1]).unwrap() + rng.i64(-1..=1),
        4 => rng.i64(Timestamp::MIN.ms()..=Timestamp::MAX.ms()),
        _ => rng.i64(1_600_000_000..1_900_000_000) * 1000,
    };
    Timestamp::from_ms(ms).unwrap_or(Timestamp::MIN)
}

fn bytes(rng: &mut Rng) -> u64 {
    match rng.u8(0..4) {
        0 => *rng.choice(&[0, 127, 128, 255, 256, 65_535, 65_536, u64::from(u32::MAX)]).unwrap(),
        1 => MAX_BYTES,
        2 => (1 << rng.u32(0..54)) - 1,
        _ => rng.u64(0..=MAX_BYTES),
    }
}

fn attributes(rng: &mut Rng) -> BTreeMap<String, String> {
    let mut attributes = BTreeMap::new();
    for _ in 0..[0, 0, 1, 2, rng.usize(0..40)][rng.usize(0..5)] {
        let (mut key, mut value) = (text(rng, 60), text(rng, 400));
        if rng.u8(0..20) == 0 {
            key.clear();
        }
        if rng.u8(0..20) == 0 {
            value.clear();
        }
        attributes.insert(key, value);
    }
    if rng.u8(0..3) == 0 {
        attributes.insert("source".to_owned(), text(rng, 200));
    }
    attributes
}
