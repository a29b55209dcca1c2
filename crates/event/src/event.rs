//! What a producer says happened, and its place in a log.

use std::collections::BTreeMap;

use crate::{Actor, ClearCause, Kind, PurgeCause, RecordedBy, Surface, Timestamp};

/// One event of an account, by the producer's word (docs/events.md).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Event {
    /// The producer's id, 1–128 bytes, unique within the account: the idempotency key.
    pub id: String,
    /// The stream, 1–128 bytes.
    pub account: String,
    /// When it happened, by the source's word.
    pub occurred_at: Timestamp,
    /// When the source says that it wrote the event down. Not part of the event's identity.
    pub recorded_at: Option<Timestamp>,
    /// Who caused it.
    pub actor: Actor,
    /// Where it came in.
    pub surface: Option<Surface>,
    /// Anything else, at most 64 KiB: kept, hashed, shown, never interpreted.
    pub attributes: BTreeMap<String, String>,
    /// The kind with its fields.
    pub payload: Payload,
}

/// The kind of an event with the fields that the kind takes.
///
/// `item` and `backup` are 1–1024 bytes, other strings 1–128; `bytes` is 0 to 2^53 − 1.
#[allow(missing_docs, reason = "the fields are those of the wire, listed above")]
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Payload {
    AccountOpened { tier: Option<String> },
    TierChanged { tier: String },
    QuotaChanged { bytes: u64 },
    SignedIn,
    SignInFailed,
    PageViewed,
    FindDeviceOn,
    FindDeviceOff,
    SyncOn { category: String },
    SyncOff { category: String },
    Synced { category: String },
    ItemUploaded { item: String, category: String, bytes: u64 },
    ItemModified { item: String, bytes: Option<u64> },
    ItemTrashed { item: String },
    ItemRestored { item: String },
    ItemPurged { item: String, cause: Option<PurgeCause> },
    TrashEmptied,
    BackupOn,
    BackupCompleted { backup: String, bytes: u64, parts: Vec<String> },
    BackupRestored { backup: String },
    BackupPurged { backup: String, cause: Option<PurgeCause> },
    BackupOff { delete_backups: bool },
    UploadRejected { reason: String, item: Option<String> },
    InactivityNotified,
    AccountFrozen,
    AccountUnfrozen,
    AccountTerminated,
    AccountClosed,
    DataCleared { cause: ClearCause },
    HoldPlaced { hold: String },
    HoldReleased { hold: String },
}

impl Payload {
    /// The kind alone.
    #[must_use]
    pub const fn kind(&self) -> Kind {
        match self {
            Payload::AccountOpened { .. } => Kind::AccountOpened,
            Payload::TierChanged { .. } => Kind::TierChanged,
            Payload::QuotaChanged { .. } => Kind::QuotaChanged,
            Payload::SignedIn => Kind::SignedIn,
            Payload::SignInFailed => Kind::SignInFailed,
            Payload::PageViewed => Kind::PageViewed,
            Payload::FindDeviceOn => Kind::FindDeviceOn,
            Payload::FindDeviceOff => Kind::FindDeviceOff,
            Payload::SyncOn { .. } => Kind::SyncOn,
            Payload::SyncOff { .. } => Kind::SyncOff,
            Payload::Synced { .. } => Kind::Synced,
            Payload::ItemUploaded { .. } => Kind::ItemUploaded,
            Payload::ItemModified { .. } => Kind::ItemModified,
            Payload::ItemTrashed { .. } => Kind::ItemTrashed,
            Payload::ItemRestored { .. } => Kind::ItemRestored,
            Payload::ItemPurged { .. } => Kind::ItemPurged,
            Payload::TrashEmptied => Kind::TrashEmptied,
            Payload::BackupOn => Kind::BackupOn,
            Payload::BackupCompleted { .. } => Kind::BackupCompleted,
            Payload::BackupRestored { .. } => Kind::BackupRestored,
            Payload::BackupPurged { .. } => Kind::BackupPurged,
            Payload::BackupOff { .. } => Kind::BackupOff,
            Payload::UploadRejected { .. } => Kind::UploadRejected,
            Payload::InactivityNotified => Kind::InactivityNotified,
            Payload::AccountFrozen => Kind::AccountFrozen,
            Payload::AccountUnfrozen => Kind::AccountUnfrozen,
            Payload::AccountTerminated => Kind::AccountTerminated,
            Payload::AccountClosed => Kind::AccountClosed,
            Payload::DataCleared { .. } => Kind::DataCleared,
            Payload::HoldPlaced { .. } => Kind::HoldPlaced,
            Payload::HoldReleased { .. } => Kind::HoldReleased,
        }
    }
}

/// An event in its place in a log. Here `recorded_at` is always known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Recorded {
    /// The event. Its own `recorded_at` is kept only where it was honoured (`recorded_by` is
    /// [`RecordedBy::Source`]) and then equals the field below; else it is `None`.
    pub event: Event,
    /// 0-based place in the log.
    pub position: u64,
    /// 0-based place in the account's stream.
    pub revision: u64,
    /// When it was written down.
    pub recorded_at: Timestamp,
    /// By whose clock.
    pub recorded_by: RecordedBy,
}
