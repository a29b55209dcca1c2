//! The tables: their columns, and what a row of them is (docs/exports.md).

use std::collections::BTreeMap;

use event::{Payload, Recorded};
use projection::{Subject, View};

use super::rows::{Column, Rows, Type, Value};

/// `events`: a row an event, in the order of the log.
pub static EVENTS: [Column; 21] = [
    Column::needed("position", Type::Whole),
    Column::needed("revision", Type::Whole),
    Column::needed("id", Type::Id),
    Column::needed("account", Type::Text),
    Column::needed("occurred_at", Type::Time),
    Column::needed("recorded_at", Type::Time),
    Column::needed("recorded_by", Type::Word),
    Column::needed("kind", Type::Word),
    Column::needed("actor", Type::Word),
    Column::optional("surface", Type::Word),
    Column::optional("item", Type::Text),
    Column::optional("backup", Type::Text),
    Column::optional("category", Type::Text),
    Column::optional("tier", Type::Text),
    Column::optional("hold", Type::Text),
    Column::optional("bytes", Type::Whole),
    Column::optional("cause", Type::Word),
    Column::optional("delete_backups", Type::Flag),
    Column::optional("reason", Type::Text),
    Column::optional("parts", Type::Json),
    Column::optional("attributes", Type::Json),
];

/// `states`: a row an item or backup, by account, the items first, each by name.
pub static STATES: [Column; 10] = [
    Column::needed("account", Type::Text),
    Column::needed("subject", Type::Word),
    Column::optional("item", Type::Text),
    Column::optional("backup", Type::Text),
    Column::optional("category", Type::Text),
    Column::needed("state", Type::Word),
    Column::needed("bytes", Type::Whole),
    Column::needed("since", Type::Time),
    Column::optional("recoverable_until", Type::Time),
    Column::optional("cause", Type::Word),
];

/// `findings`: a row a finding, in the order of the verb.
pub static FINDINGS: [Column; 10] = [
    Column::needed("account", Type::Text),
    Column::needed("code", Type::Word),
    Column::needed("severity", Type::Word),
    Column::needed("at", Type::Time),
    Column::needed("position", Type::Whole),
    Column::needed("revision", Type::Whole),
    Column::optional("clause", Type::Text),
    Column::optional("item", Type::Text),
    Column::optional("backup", Type::Text),
    Column::optional("count", Type::Whole),
];

/// `accounts`: a row an account, by name.
pub static ACCOUNTS: [Column; 12] = [
    Column::needed("account", Type::Text),
    Column::needed("status", Type::Word),
    Column::needed("tier", Type::Text),
    Column::needed("live", Type::Whole),
    Column::needed("live_bytes", Type::Sum),
    Column::needed("trashed", Type::Whole),
    Column::needed("expired", Type::Whole),
    Column::needed("purged", Type::Whole),
    Column::needed("removed", Type::Whole),
    Column::needed("used_bytes", Type::Sum),
    Column::optional("last_activity_at", Type::Time),
    Column::optional("inactive_at", Type::Time),
];

/// Adds the row of an event.
pub fn event(recorded: &Recorded<&str>, json: &mut Json, rows: &mut Rows) {
    let event = &recorded.event;
    let own = Own::of(&event.payload);
    json.set(own.parts, &event.attributes);
    rows.push([
        recorded.position.into(),
        recorded.revision.into(),
        event.id.into(),
        event.account.into(),
        event.occurred_at.into(),
        recorded.recorded_at.into(),
        recorded.recorded_by.name().into(),
        event.payload.kind().name().into(),
        event.actor.name().into(),
        event.surface.map(|surface| surface.name()).into(),
        own.item.into(),
        own.backup.into(),
        own.category.into(),
        own.tier.into(),
        own.hold.into(),
        own.bytes.into(),
        own.cause.into(),
        own.delete_backups.into(),
        own.reason.into(),
        json.parts().into(),
        json.attributes().into(),
    ]);
}

/// Adds the rows of an account's items and backups, but for those that erased events leave open.
pub fn states(view: &View<'_>, rows: &mut Rows) {
    let names = view.names();
    for (id, item) in view.items() {
        if view.unsure(Subject::Item(id)).any() {
            continue;
        }
        rows.push([
            view.account().into(),
            "item".into(),
            names.get(id).into(),
            Value::Null,
            item.category.map(|category| names.get(category)).into(),
            item.state.name().into(),
            item.bytes.into(),
            item.since.into(),
            item.recoverable_until().into(),
            item.cause().map(|cause| cause.name()).into(),
        ]);
    }
    for (id, backup) in view.backups() {
        if view.unsure(Subject::Backup(id)).any() {
            continue;
        }
        rows.push([
            view.account().into(),
            "backup".into(),
            Value::Null,
            names.get(id).into(),
            Value::Null,
            backup.state.name().into(),
            backup.bytes.into(),
            backup.since.into(),
            Value::Null,
            backup.ending.as_ref().map(|ending| ending.cause.name()).into(),
        ]);
    }
}

/// Adds the rows of an account's findings.
pub fn findings(view: &View<'_>, rows: &mut Rows) {
    for found in view.finding_rows() {
        rows.push([
            found.account.as_str().into(),
            found.code.name().into(),
            found.severity.name().into(),
            found.at.into(),
            found.position.into(),
            found.revision.into(),
            found.clause.as_deref().into(),
            found.item.as_deref().into(),
            found.backup.as_deref().into(),
            found.count.into(),
        ]);
    }
}

/// Adds the row of an account, unless erased events leave any of it open.
pub fn account(view: &View<'_>, rows: &mut Rows) {
    let line = view.line();
    if !line.undetermined.is_empty() {
        return;
    }
    rows.push([
        line.account.as_str().into(),
        line.status.map(|status| status.name()).into(),
        line.tier.as_deref().into(),
        line.live.into(),
        line.live_bytes.into(),
        line.trashed.into(),
        line.expired.into(),
        line.purged.into(),
        line.removed.into(),
        line.used_bytes.into(),
        line.last_activity_at.into(),
        line.inactive_at.into(),
    ]);
}

/// The fields that a kind has of its own.
#[derive(Default)]
struct Own<'a> {
    item: Option<&'a str>,
    backup: Option<&'a str>,
    category: Option<&'a str>,
    tier: Option<&'a str>,
    hold: Option<&'a str>,
    bytes: Option<u64>,
    cause: Option<&'static str>,
    delete_backups: Option<bool>,
    reason: Option<&'a str>,
    parts: &'a [&'a str],
}

impl<'a> Own<'a> {
    fn of(payload: &'a Payload<&'a str>) -> Own<'a> {
        let none = Own::default();
        match payload {
            Payload::AccountOpened { tier } => Own { tier: *tier, ..none },
            Payload::TierChanged { tier } => Own { tier: Some(tier), ..none },
            Payload::QuotaChanged { bytes } => Own { bytes: Some(*bytes), ..none },
            Payload::SyncOn { category }
            | Payload::SyncOff { category }
            | Payload::Synced { category } => Own { category: Some(category), ..none },
            Payload::ItemUploaded { item, category, bytes } => {
                Own { item: Some(item), category: Some(category), bytes: Some(*bytes), ..none }
            }
            Payload::ItemModified { item, bytes } => {
                Own { item: Some(item), bytes: *bytes, ..none }
            }
            Payload::ItemTrashed { item } | Payload::ItemRestored { item } => {
                Own { item: Some(item), ..none }
            }
            Payload::ItemPurged { item, cause } => {
                Own { item: Some(item), cause: cause.map(|cause| cause.name()), ..none }
            }
            Payload::BackupCompleted { backup, bytes, parts } => {
                Own { backup: Some(backup), bytes: Some(*bytes), parts, ..none }
            }
            Payload::BackupRestored { backup } => Own { backup: Some(backup), ..none },
            Payload::BackupPurged { backup, cause } => {
                Own { backup: Some(backup), cause: cause.map(|cause| cause.name()), ..none }
            }
            Payload::BackupOff { delete_backups } => {
                Own { delete_backups: Some(*delete_backups), ..none }
            }
            Payload::UploadRejected { reason, item } => {
                Own { reason: Some(reason), item: *item, ..none }
            }
            Payload::DataCleared { cause } => Own { cause: Some(cause.name()), ..none },
            Payload::HoldPlaced { hold } | Payload::HoldReleased { hold } => {
                Own { hold: Some(hold), ..none }
            }
            Payload::SignedIn
            | Payload::SignInFailed
            | Payload::PageViewed
            | Payload::FindDeviceOn
            | Payload::FindDeviceOff
            | Payload::TrashEmptied
            | Payload::BackupOn
            | Payload::InactivityNotified
            | Payload::AccountFrozen
            | Payload::AccountUnfrozen
            | Payload::AccountTerminated
            | Payload::AccountClosed => none,
        }
    }
}

/// Room for an event's lists as JSON, used again for the next event.
#[derive(Default)]
pub struct Json {
    parts: Vec<u8>,
    attributes: Vec<u8>,
}

impl Json {
    fn set(&mut self, parts: &[&str], attributes: &BTreeMap<&str, &str>) {
        self.parts.clear();
        self.attributes.clear();
        let written = match parts.is_empty() {
            true => Ok(()),
            false => serde_json::to_writer(&mut self.parts, parts),
        };
        let written = written.and_then(|()| match attributes.is_empty() {
            true => Ok(()),
            false => serde_json::to_writer(&mut self.attributes, attributes),
        });
        written.expect("strings are JSON, and memory takes every byte");
    }

    fn parts(&self) -> Option<&str> {
        text(&self.parts)
    }

    fn attributes(&self) -> Option<&str> {
        text(&self.attributes)
    }
}

fn text(json: &[u8]) -> Option<&str> {
    let text = std::str::from_utf8(json).expect("JSON of strings is UTF-8");
    (!text.is_empty()).then_some(text)
}
