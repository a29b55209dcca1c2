//! Remarks on a sound policy file: what its author may not have meant.

use crate::error::{Fault, suggested_word};
use crate::tree::{Node, Table};
use crate::{Policy, Version, When};

/// The words that findings, states and claims bear (docs/answers.md): what a clause can
/// be cited for.
pub const CITABLE: &[&str] = &[
    // Findings.
    "premature-purge",
    "loss-after-sync-off",
    "loss-over-quota",
    "loss-on-tier-lapse",
    "purge-without-cause",
    "trashed-by-provider",
    "cleared-while-active",
    "frozen-while-active",
    "terminated-while-active",
    "resurrected",
    "purged-under-hold",
    "overdue-purge",
    "restored-after-window",
    "cleared-without-notice",
    "upload-while-sync-off",
    "upload-over-quota",
    "unknown-item",
    "purged-without-trash",
    "late-recorded",
    // Causes.
    "user_trashed",
    "provider_trashed",
    "window_lapsed",
    "user_purged",
    "user_emptied_trash",
    "inactivity_cleared",
    "provider_purged",
    "user_deleted_backups",
    "account_terminated",
    "account_closed",
    "quota_cleared",
    // Asserts.
    "kept",
    "recoverable",
    "gone",
    "deleted_by_user",
    "not_deleted_by_user",
    "expired",
    "purged_on_time",
    "lost_after_sync_off",
    "cleared_for_inactivity",
];

/// The remarks on a file that compiled to `policy`.
pub(crate) fn remarks(root: &Node, policy: &Policy) -> Vec<Fault> {
    let mut remarks = Vec::new();
    for node in items(root.table().ok(), "version") {
        let Ok(table) = node.table() else { continue };
        let version = table
            .get("id")
            .and_then(|id| id.text().ok())
            .and_then(|id| policy.versions.iter().find(|version| version.id == id));
        if let Some(version) = version {
            about_version(table, version, &mut remarks);
        }
    }
    remarks
}

fn about_version(table: &Table, version: &Version, remarks: &mut Vec<Fault>) {
    for node in items(Some(table), "clauses") {
        let Ok(clause) = node.table() else { continue };
        for word in items(Some(clause), "for") {
            let Ok(text) = word.text() else { continue };
            if !CITABLE.contains(&text) {
                let suggestion = suggested_word(CITABLE, text);
                let suggestion = suggestion.map_or(String::new(), |word| format!(": {word}"));
                remarks.push(
                    word.fault(format!(
                        "no finding, cause or assert is called {text:?}{suggestion}"
                    )),
                );
            }
        }
        let text = clause.get("text").and_then(|text| text.table().ok());
        for language in ["en", "zh"] {
            if text.is_none_or(|text| text.get(language).is_none()) {
                remarks.push(node.fault(format!("the clause has no text in {language}")));
            }
        }
        for (key, _) in text.map_or(&[][..], |text| &text.entries) {
            if !["en", "zh"].contains(&key.name.as_str()) {
                remarks.push(key.fault("only en and zh are shown"));
            }
        }
    }
    for (node, reading) in items(Some(table), "readings").iter().zip(&version.readings) {
        let mut plain = version.clone();
        plain.readings = Vec::new();
        if reading.version == plain {
            remarks.push(node.fault(format!("the reading {:?} changes nothing", reading.id)));
        }
    }
    let trash = table.get("trash").and_then(|trash| trash.table().ok());
    if version.trash.full.is_none() {
        for (key, _) in trash.map_or(&[][..], |trash| &trash.entries) {
            if ["full_of", "full_window", "full_shortens"].contains(&key.name.as_str()) {
                remarks.push(key.fault("means nothing without full_at"));
            }
        }
        let stages = table.get("stages").and_then(|stages| stages.table().ok());
        for (key, _) in stages.map_or(&[][..], |stages| &stages.entries) {
            let stage = version.stages.get(&key.name);
            if stage.is_some_and(|stage| stage.when == When::TrashFull) {
                remarks
                    .push(key.fault("is never reached: the trash is never full without full_at"));
            }
        }
    }
    let categories = trash.and_then(|trash| trash.get("categories")?.table().ok());
    for (key, _) in categories.map_or(&[][..], |categories| &categories.entries) {
        if version.trash.no_trash.contains(&key.name) {
            remarks.push(key.fault("the category has no trash, so its window measures nothing"));
        }
    }
}

fn items<'a>(table: Option<&'a Table>, key: &str) -> &'a [Node] {
    table.and_then(|table| table.get(key)?.list("").ok()).unwrap_or(&[])
}
