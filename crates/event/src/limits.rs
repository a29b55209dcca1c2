//! How long and how large the parts of an event may be (docs/events.md).
//!
//! Lengths are of UTF-8 bytes, after JSON's escapes are undone: how a text is spelled in a line
//! does not decide whether it fits.

use std::collections::BTreeMap;

use crate::{Event, LineError, Payload};

/// A line, without the `\n` or `\r\n` that ends it.
pub const LINE_BYTES: usize = 1 << 20;
/// `attributes`: the keys and the values together, without JSON's quotes, escapes and commas.
/// A single key or value has no limit of its own, and either may be empty.
pub const ATTRIBUTES_BYTES: usize = 64 << 10;
/// `item` and `backup`; the least is 1.
pub const SUBJECT_BYTES: usize = 1024;
/// Every other string field, each of `parts` too; the least is 1.
pub const TEXT_BYTES: usize = 128;
/// The largest `bytes`, 2^53 − 1: what every JSON reader holds exactly.
pub const MAX_BYTES: u64 = (1 << 53) - 1;

impl<S: AsRef<str>> Event<S> {
    /// Holds an event that was not read from a line against the limits.
    ///
    /// # Errors
    /// [`LineError`] names the first field that does not fit.
    pub fn check(&self) -> Result<(), LineError> {
        check_text("id", &self.id, TEXT_BYTES)?;
        check_text("account", &self.account, TEXT_BYTES)?;
        check_attributes("attributes", attributes_bytes(&self.attributes))?;
        match &self.payload {
            Payload::AccountOpened { tier: Some(tier) } | Payload::TierChanged { tier } => {
                check_text("tier", tier, TEXT_BYTES)
            }
            Payload::QuotaChanged { bytes } => check_bytes("bytes", *bytes),
            Payload::SyncOn { category }
            | Payload::SyncOff { category }
            | Payload::Synced { category } => check_text("category", category, TEXT_BYTES),
            Payload::ItemUploaded { item, category, bytes } => {
                check_text("item", item, SUBJECT_BYTES)?;
                check_text("category", category, TEXT_BYTES)?;
                check_bytes("bytes", *bytes)
            }
            Payload::ItemModified { item, bytes } => {
                check_text("item", item, SUBJECT_BYTES)?;
                check_bytes("bytes", bytes.unwrap_or(0))
            }
            Payload::ItemTrashed { item }
            | Payload::ItemRestored { item }
            | Payload::ItemPurged { item, .. } => check_text("item", item, SUBJECT_BYTES),
            Payload::BackupCompleted { backup, bytes, parts } => {
                check_text("backup", backup, SUBJECT_BYTES)?;
                check_bytes("bytes", *bytes)?;
                parts.iter().try_for_each(|part| check_text("parts", part, TEXT_BYTES))
            }
            Payload::BackupRestored { backup } | Payload::BackupPurged { backup, .. } => {
                check_text("backup", backup, SUBJECT_BYTES)
            }
            Payload::UploadRejected { reason, item } => {
                check_text("reason", reason, TEXT_BYTES)?;
                item.iter().try_for_each(|item| check_text("item", item, SUBJECT_BYTES))
            }
            Payload::HoldPlaced { hold } | Payload::HoldReleased { hold } => {
                check_text("hold", hold, TEXT_BYTES)
            }
            Payload::AccountOpened { tier: None }
            | Payload::SignedIn
            | Payload::SignInFailed
            | Payload::PageViewed
            | Payload::FindDeviceOn
            | Payload::FindDeviceOff
            | Payload::TrashEmptied
            | Payload::BackupOn
            | Payload::BackupOff { .. }
            | Payload::InactivityNotified
            | Payload::AccountFrozen
            | Payload::AccountUnfrozen
            | Payload::AccountTerminated
            | Payload::AccountClosed
            | Payload::DataCleared { .. } => Ok(()),
        }
    }
}

/// What [`ATTRIBUTES_BYTES`] limits.
pub(crate) fn attributes_bytes<S: AsRef<str>>(attributes: &BTreeMap<S, S>) -> usize {
    attributes.iter().map(|(key, value)| key.as_ref().len() + value.as_ref().len()).sum()
}

pub(crate) fn check_text(
    field: &str,
    text: &(impl AsRef<str> + ?Sized),
    most: usize,
) -> Result<(), LineError> {
    let text = text.as_ref();
    if (1..=most).contains(&text.len()) {
        return Ok(());
    }
    Err(LineError::new(field, format!("must be 1 to {most} bytes long, found {}", text.len())))
}

pub(crate) fn check_attributes(field: &str, bytes: usize) -> Result<(), LineError> {
    if bytes <= ATTRIBUTES_BYTES {
        return Ok(());
    }
    let reason =
        format!("keys and values must be at most {ATTRIBUTES_BYTES} bytes together, found {bytes}");
    Err(LineError::new(field, reason))
}

fn check_bytes(field: &str, bytes: u64) -> Result<(), LineError> {
    if bytes <= MAX_BYTES {
        return Ok(());
    }
    Err(LineError::new(field, format!("must be at most {MAX_BYTES}, found {bytes}")))
}
