//! What a fold finds: breaches of the policy, warnings and notes.

use event::{NameId, Timestamp};
use serde::{Deserialize, Serialize};

use crate::EventRef;

event::words! {
    /// What was found (docs/answers.md, findings), in byte order of the codes.
    FindingCode {
        ClearedWhileActive = 0 "cleared-while-active",
        ClearedWithoutNotice = 1 "cleared-without-notice",
        FrozenWhileActive = 2 "frozen-while-active",
        LateRecorded = 3 "late-recorded",
        LossAfterSyncOff = 4 "loss-after-sync-off",
        LossOnTierLapse = 5 "loss-on-tier-lapse",
        LossOverQuota = 6 "loss-over-quota",
        OverduePurge = 7 "overdue-purge",
        PrematurePurge = 8 "premature-purge",
        PurgeWithoutCause = 9 "purge-without-cause",
        PurgedUnderHold = 10 "purged-under-hold",
        PurgedWithoutTrash = 11 "purged-without-trash",
        RestoredAfterWindow = 12 "restored-after-window",
        Resurrected = 13 "resurrected",
        TerminatedWhileActive = 14 "terminated-while-active",
        TrashedByProvider = 15 "trashed-by-provider",
        UnknownItem = 16 "unknown-item",
        UploadOverQuota = 17 "upload-over-quota",
        UploadWhileSyncOff = 18 "upload-while-sync-off",
    }
}

event::words! {
    /// How grave a finding is.
    Severity {
        Breach = 0 "breach",
        Warning = 1 "warning",
        Note = 2 "note",
    }
}

impl FindingCode {
    /// How grave a finding of this code is.
    #[must_use]
    pub const fn severity(self) -> Severity {
        use FindingCode as C;
        match self {
            C::PrematurePurge
            | C::LossAfterSyncOff
            | C::LossOverQuota
            | C::LossOnTierLapse
            | C::PurgeWithoutCause
            | C::TrashedByProvider
            | C::ClearedWhileActive
            | C::FrozenWhileActive
            | C::TerminatedWhileActive
            | C::Resurrected
            | C::PurgedUnderHold => Severity::Breach,
            C::OverduePurge
            | C::RestoredAfterWindow
            | C::ClearedWithoutNotice
            | C::UploadWhileSyncOff
            | C::UploadOverQuota => Severity::Warning,
            C::UnknownItem | C::PurgedWithoutTrash | C::LateRecorded => Severity::Note,
        }
    }
}

/// The item or backup that something is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Subject {
    /// An item.
    Item(NameId),
    /// A backup.
    Backup(NameId),
}

impl Subject {
    /// The number of its name.
    #[must_use]
    pub const fn name(self) -> NameId {
        match self {
            Subject::Item(name) | Subject::Backup(name) => name,
        }
    }
}

/// One finding of one account.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Finding {
    /// What was found.
    pub code: FindingCode,
    /// The instant that it is about.
    pub at: Timestamp,
    /// The event that it is about.
    pub event: EventRef,
    /// The item or backup, where it is about one.
    pub subject: Option<Subject>,
}
