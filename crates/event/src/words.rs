//! The closed word lists of the wire: kinds, actors, surfaces and causes.
//!
//! Each enum has a wire name (docs/events.md) and a number, which is the tag in canonical
//! bytes and never changes: new words are added at the end.

/// Declares a closed list of words: an enum whose variants have a number and a wire name, with
/// `ALL`, `name`, `from_name`, `number`, `from_number`, `Display` and serde. The crate that uses it
/// needs `serde`.
#[macro_export]
macro_rules! words {
    ($(#[$doc:meta])* $name:ident { $($(#[$vdoc:meta])* $variant:ident = $number:literal $wire:literal),+ $(,)? }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[repr(u8)]
        pub enum $name { $($(#[$vdoc])* #[doc = concat!("`", $wire, "`")] $variant = $number),+ }

        impl $name {
            /// Every word, in the order of their numbers.
            pub const ALL: &'static [$name] = &[$($name::$variant),+];

            /// The word on the wire.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self { $($name::$variant => $wire),+ }
            }

            /// The word of this wire name, if there is one.
            #[must_use]
            pub fn from_name(name: &str) -> Option<Self> {
                match name { $($wire => Some($name::$variant),)+ _ => None }
            }

            /// The number in canonical bytes.
            #[must_use]
            pub const fn number(self) -> u8 { self as u8 }

            /// The word of this number, if there is one.
            #[must_use]
            pub const fn from_number(number: u8) -> Option<Self> {
                match number { $($number => Some($name::$variant),)+ _ => None }
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.pad(self.name())
            }
        }

        /// The wire name for people's formats, the number for machines'.
        impl serde::Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
                if s.is_human_readable() { s.serialize_str(self.name()) } else { s.serialize_u8(self.number()) }
            }
        }

        impl<'de> serde::Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
                use serde::de::Error;
                if d.is_human_readable() {
                    let name = String::deserialize(d)?;
                    $name::from_name(&name)
                        .ok_or_else(|| D::Error::custom(format!("unknown word `{name}`")))
                } else {
                    let number = u8::deserialize(d)?;
                    $name::from_number(number)
                        .ok_or_else(|| D::Error::custom(format!("unknown number {number}")))
                }
            }
        }
    };
}

words! {
    /// What happened.
    Kind {
        AccountOpened = 0 "account_opened",
        TierChanged = 1 "tier_changed",
        QuotaChanged = 2 "quota_changed",
        SignedIn = 3 "signed_in",
        SignInFailed = 4 "sign_in_failed",
        PageViewed = 5 "page_viewed",
        FindDeviceOn = 6 "find_device_on",
        FindDeviceOff = 7 "find_device_off",
        SyncOn = 8 "sync_on",
        SyncOff = 9 "sync_off",
        Synced = 10 "synced",
        ItemUploaded = 11 "item_uploaded",
        ItemModified = 12 "item_modified",
        ItemTrashed = 13 "item_trashed",
        ItemRestored = 14 "item_restored",
        ItemPurged = 15 "item_purged",
        TrashEmptied = 16 "trash_emptied",
        BackupOn = 17 "backup_on",
        BackupCompleted = 18 "backup_completed",
        BackupRestored = 19 "backup_restored",
        BackupPurged = 20 "backup_purged",
        BackupOff = 21 "backup_off",
        UploadRejected = 22 "upload_rejected",
        InactivityNotified = 23 "inactivity_notified",
        AccountFrozen = 24 "account_frozen",
        AccountUnfrozen = 25 "account_unfrozen",
        AccountTerminated = 26 "account_terminated",
        AccountClosed = 27 "account_closed",
        DataCleared = 28 "data_cleared",
        HoldPlaced = 29 "hold_placed",
        HoldReleased = 30 "hold_released",
    }
}

words! {
    /// Who caused an event. In the fold a device counts as the user and support as the provider
    /// ([`Actor::is_user`]); a policy's list of actors is meant as written.
    Actor {
        User = 0 "user",
        /// A client acting by itself.
        Device = 1 "device",
        /// A job of the service.
        Provider = 2 "provider",
        Support = 3 "support",
    }
}

impl Actor {
    /// Whether the event counts as the user's own (docs/policies.md).
    #[must_use]
    pub const fn is_user(self) -> bool {
        matches!(self, Actor::User | Actor::Device)
    }
}

words! {
    /// Where an event came in. `device` is automatic sync.
    Surface {
        Web = 0 "web",
        App = 1 "app",
        Desktop = 2 "desktop",
        Device = 3 "device",
    }
}

words! {
    /// The reason that a provider gives for a purge of an item or a backup.
    PurgeCause {
        SyncOff = 0 "sync_off",
        Quota = 1 "quota",
        TierLapsed = 2 "tier_lapsed",
        Inactivity = 3 "inactivity",
        Expired = 4 "expired",
    }
}

words! {
    /// The reason given for a clearing of the whole account.
    ClearCause {
        Inactivity = 0 "inactivity",
        Terminated = 1 "terminated",
        Closed = 2 "closed",
    }
}

words! {
    /// Who set an event's `recorded_at`.
    RecordedBy {
        /// The log's own clock, at append.
        Log = 0 "log",
        /// The source, honoured at import by `--trust-recorded-at`.
        Source = 1 "source",
    }
}
