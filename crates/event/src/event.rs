//! What a producer says happened, and its place in a log.

use std::collections::BTreeMap;

use crate::{Actor, ClearCause, Kind, PurgeCause, RecordedBy, Surface, Timestamp};

/// One event of an account, by the producer's word (docs/events.md). `S` is what its texts are kept
/// in: they can be borrowed from where the event was read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Event<S = String> {
    /// The producer's id, 1–128 bytes, unique within the account: the idempotency key.
    pub id: S,
    /// The stream, 1–128 bytes.
    pub account: S,
    /// When it happened, by the source's word.
    pub occurred_at: Timestamp,
    /// When the source says that it wrote the event down. Not part of the event's identity.
    pub recorded_at: Option<Timestamp>,
    /// Who caused it.
    pub actor: Actor,
    /// Where it came in.
    pub surface: Option<Surface>,
    /// Anything else, at most 64 KiB: kept, hashed, shown, never interpreted.
    pub attributes: BTreeMap<S, S>,
    /// The kind with its fields.
    pub payload: Payload<S>,
}

/// The kind of an event with the fields that the kind takes.
///
/// `item` and `backup` are 1–1024 bytes, other strings 1–128; `bytes` is 0 to 2^53 − 1.
#[allow(missing_docs, reason = "the fields are those of the wire, listed above")]
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Payload<S = String> {
    AccountOpened { tier: Option<S> },
    TierChanged { tier: S },
    QuotaChanged { bytes: u64 },
    SignedIn,
    SignInFailed,
    PageViewed,
    FindDeviceOn,
    FindDeviceOff,
    SyncOn { category: S },
    SyncOff { category: S },
    Synced { category: S },
    ItemUploaded { item: S, category: S, bytes: u64 },
    ItemModified { item: S, bytes: Option<u64> },
    ItemTrashed { item: S },
    ItemRestored { item: S },
    ItemPurged { item: S, cause: Option<PurgeCause> },
    TrashEmptied,
    BackupOn,
    BackupCompleted { backup: S, bytes: u64, parts: Vec<S> },
    BackupRestored { backup: S },
    BackupPurged { backup: S, cause: Option<PurgeCause> },
    BackupOff { delete_backups: bool },
    UploadRejected { reason: S, item: Option<S> },
    InactivityNotified,
    AccountFrozen,
    AccountUnfrozen,
    AccountTerminated,
    AccountClosed,
    DataCleared { cause: ClearCause },
    HoldPlaced { hold: S },
    HoldReleased { hold: S },
}

impl<S> Payload<S> {
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

impl<S: Into<String>> Event<S> {
    /// The same with texts of its own.
    #[must_use]
    pub fn into_owned(self) -> Event {
        let Event { id, account, occurred_at, recorded_at, actor, surface, .. } = self;
        let own = |(key, value): (S, S)| (key.into(), value.into());
        Event {
            id: id.into(),
            account: account.into(),
            occurred_at,
            recorded_at,
            actor,
            surface,
            attributes: self.attributes.into_iter().map(own).collect(),
            payload: self.payload.into_owned(),
        }
    }
}

impl<S: Into<String>> Payload<S> {
    /// The same with texts of its own.
    #[must_use]
    pub fn into_owned(self) -> Payload {
        match self {
            Payload::AccountOpened { tier } => {
                Payload::AccountOpened { tier: tier.map(Into::into) }
            }
            Payload::TierChanged { tier } => Payload::TierChanged { tier: tier.into() },
            Payload::QuotaChanged { bytes } => Payload::QuotaChanged { bytes },
            Payload::SignedIn => Payload::SignedIn,
            Payload::SignInFailed => Payload::SignInFailed,
            Payload::PageViewed => Payload::PageViewed,
            Payload::FindDeviceOn => Payload::FindDeviceOn,
            Payload::FindDeviceOff => Payload::FindDeviceOff,
            Payload::SyncOn { category } => Payload::SyncOn { category: category.into() },
            Payload::SyncOff { category } => Payload::SyncOff { category: category.into() },
            Payload::Synced { category } => Payload::Synced { category: category.into() },
            Payload::ItemUploaded { item, category, bytes } => {
                Payload::ItemUploaded { item: item.into(), category: category.into(), bytes }
            }
            Payload::ItemModified { item, bytes } => {
                Payload::ItemModified { item: item.into(), bytes }
            }
            Payload::ItemTrashed { item } => Payload::ItemTrashed { item: item.into() },
            Payload::ItemRestored { item } => Payload::ItemRestored { item: item.into() },
            Payload::ItemPurged { item, cause } => Payload::ItemPurged { item: item.into(), cause },
            Payload::TrashEmptied => Payload::TrashEmptied,
            Payload::BackupOn => Payload::BackupOn,
            Payload::BackupCompleted { backup, bytes, parts } => {
                let parts = parts.into_iter().map(Into::into).collect();
                Payload::BackupCompleted { backup: backup.into(), bytes, parts }
            }
            Payload::BackupRestored { backup } => Payload::BackupRestored { backup: backup.into() },
            Payload::BackupPurged { backup, cause } => {
                Payload::BackupPurged { backup: backup.into(), cause }
            }
            Payload::BackupOff { delete_backups } => Payload::BackupOff { delete_backups },
            Payload::UploadRejected { reason, item } => {
                Payload::UploadRejected { reason: reason.into(), item: item.map(Into::into) }
            }
            Payload::InactivityNotified => Payload::InactivityNotified,
            Payload::AccountFrozen => Payload::AccountFrozen,
            Payload::AccountUnfrozen => Payload::AccountUnfrozen,
            Payload::AccountTerminated => Payload::AccountTerminated,
            Payload::AccountClosed => Payload::AccountClosed,
            Payload::DataCleared { cause } => Payload::DataCleared { cause },
            Payload::HoldPlaced { hold } => Payload::HoldPlaced { hold: hold.into() },
            Payload::HoldReleased { hold } => Payload::HoldReleased { hold: hold.into() },
        }
    }
}

impl<S: Into<String>> Recorded<S> {
    /// The same with texts of its own.
    #[must_use]
    pub fn into_owned(self) -> Recorded {
        let Recorded { position, revision, recorded_at, recorded_by, .. } = self;
        let event = self.event.into_owned();
        Recorded { event, position, revision, recorded_at, recorded_by }
    }
}

/// An event in its place in a log. Here `recorded_at` is always known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Recorded<S = String> {
    /// The event. Its own `recorded_at` is kept only where it was honoured (`recorded_by` is
    /// [`RecordedBy::Source`]) and then equals the field below; else it is `None`.
    pub event: Event<S>,
    /// 0-based place in the log.
    pub position: u64,
    /// 0-based place in the account's stream.
    pub revision: u64,
    /// When it was written down.
    pub recorded_at: Timestamp,
    /// By whose clock.
    pub recorded_by: RecordedBy,
}

impl Kind {
    /// Whether an event of this kind names one item or backup and changes that alone.
    #[must_use]
    pub const fn is_about_one(self) -> bool {
        self.may_name_item() && !matches!(self, Kind::UploadRejected) || self.names_backup()
    }

    /// Whether an event of this kind names an item; an `upload_rejected` need not.
    #[must_use]
    pub const fn may_name_item(self) -> bool {
        matches!(
            self,
            Kind::ItemUploaded
                | Kind::ItemModified
                | Kind::ItemTrashed
                | Kind::ItemRestored
                | Kind::ItemPurged
                | Kind::UploadRejected
        )
    }

    /// Whether an event of this kind names a backup.
    #[must_use]
    pub const fn names_backup(self) -> bool {
        matches!(self, Kind::BackupCompleted | Kind::BackupRestored | Kind::BackupPurged)
    }
}
