//! Which fields each kind takes (docs/events.md), for those who make lines of other things.

use event::Kind;

/// The kind's own fields.
pub(crate) fn fields_of(kind: Kind) -> &'static [&'static str] {
    match kind {
        Kind::AccountOpened | Kind::TierChanged => &["tier"],
        Kind::QuotaChanged => &["bytes"],
        Kind::SyncOn | Kind::SyncOff | Kind::Synced => &["category"],
        Kind::ItemUploaded => &["item", "category", "bytes"],
        Kind::ItemModified => &["item", "bytes"],
        Kind::ItemTrashed | Kind::ItemRestored => &["item"],
        Kind::ItemPurged => &["item", "cause"],
        Kind::BackupCompleted => &["backup", "bytes"],
        Kind::BackupRestored => &["backup"],
        Kind::BackupPurged => &["backup", "cause"],
        Kind::BackupOff => &["delete_backups"],
        Kind::UploadRejected => &["reason", "item"],
        Kind::DataCleared => &["cause"],
        Kind::HoldPlaced | Kind::HoldReleased => &["hold"],
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
        | Kind::AccountClosed => &[],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Every field but `parts`, which no cell holds.
    const ALL: [(&str, &str); 9] = [
        ("tier", "\"t\""),
        ("bytes", "1"),
        ("category", "\"c\""),
        ("item", "\"i\""),
        ("backup", "\"b\""),
        ("cause", "\"inactivity\""),
        ("delete_backups", "true"),
        ("reason", "\"r\""),
        ("hold", "\"h\""),
    ];

    #[test]
    fn a_kind_takes_these_fields_and_no_other() {
        for kind in Kind::ALL {
            let line = |more: &str| {
                let own = ALL.iter().filter(|(name, _)| fields_of(*kind).contains(name));
                let own: String = own.map(|(name, value)| format!(",\"{name}\":{value}")).collect();
                format!(
                    "{{\"id\":\"1\",\"account\":\"a\",\"occurred_at\":\"2025-01-01T00:00:00Z\",\
                     \"kind\":\"{kind}\",\"actor\":\"user\"{own}{more}}}"
                )
            };
            event::read_line(line("").as_bytes()).unwrap_or_else(|e| panic!("{kind}: {e}"));
            for (name, value) in ALL.iter().filter(|(name, _)| !fields_of(*kind).contains(name)) {
                let line = line(&format!(",\"{name}\":{value}"));
                assert!(event::read_line(line.as_bytes()).is_err(), "{kind} takes {name}");
            }
        }
    }
}
