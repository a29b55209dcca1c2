//! The words of a state: what an item, a backup and an account can be, and by what cause.

event::words! {
    /// What an item is.
    ItemState {
        Live = 0 "live",
        Trashed = 1 "trashed",
        /// The deadline is reached and no purge is on record.
        Expired = 2 "expired",
        Purged = 3 "purged",
        /// Taken out by a clearing of the account.
        Removed = 4 "removed",
    }
}

event::words! {
    /// What a backup is.
    BackupState {
        Kept = 0 "kept",
        Removed = 1 "removed",
    }
}

event::words! {
    /// Why something is in its state; live and kept have no cause.
    StateCause {
        UserTrashed = 0 "user_trashed",
        ProviderTrashed = 1 "provider_trashed",
        WindowLapsed = 2 "window_lapsed",
        UserPurged = 3 "user_purged",
        UserEmptiedTrash = 4 "user_emptied_trash",
        InactivityCleared = 5 "inactivity_cleared",
        ProviderPurged = 6 "provider_purged",
        UserDeletedBackups = 7 "user_deleted_backups",
        AccountTerminated = 8 "account_terminated",
        AccountClosed = 9 "account_closed",
        QuotaCleared = 10 "quota_cleared",
    }
}

event::words! {
    /// What an account is; the earlier in [`Status::ALL`], the stronger.
    Status {
        Closed = 0 "closed",
        Terminated = 1 "terminated",
        Cleared = 2 "cleared",
        Frozen = 3 "frozen",
        AtRisk = 4 "at_risk",
        Active = 5 "active",
    }
}
