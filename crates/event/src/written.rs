//! The fields of an event as JSON, written in the fewest bytes.

use std::fmt;

use crate::{Actor, Payload, Surface};

/// Writes the kind's own fields; what is absent or empty is left out.
pub(crate) fn write_payload(payload: &Payload, object: &mut ObjectWriter<'_>) {
    match payload {
        Payload::AccountOpened { tier: Some(tier) } | Payload::TierChanged { tier } => {
            object.text("tier", tier);
        }
        Payload::QuotaChanged { bytes } => object.literal("bytes", bytes),
        Payload::SyncOn { category }
        | Payload::SyncOff { category }
        | Payload::Synced { category } => object.text("category", category),
        Payload::ItemUploaded { item, category, bytes } => {
            object.text("item", item);
            object.text("category", category);
            object.literal("bytes", bytes);
        }
        Payload::ItemModified { item, bytes } => {
            object.text("item", item);
            if let Some(bytes) = bytes {
                object.literal("bytes", bytes);
            }
        }
        Payload::ItemTrashed { item } | Payload::ItemRestored { item } => object.text("item", item),
        Payload::ItemPurged { item, cause } => {
            object.text("item", item);
            if let Some(cause) = cause {
                object.word("cause", cause.name());
            }
        }
        Payload::BackupCompleted { backup, bytes, parts } => {
            object.text("backup", backup);
            object.literal("bytes", bytes);
            if !parts.is_empty() {
                object.texts("parts", parts);
            }
        }
        Payload::BackupRestored { backup } => object.text("backup", backup),
        Payload::BackupPurged { backup, cause } => {
            object.text("backup", backup);
            if let Some(cause) = cause {
                object.word("cause", cause.name());
            }
        }
        Payload::BackupOff { delete_backups } => object.literal("delete_backups", delete_backups),
        Payload::UploadRejected { reason, item } => {
            object.text("reason", reason);
            if let Some(item) = item {
                object.text("item", item);
            }
        }
        Payload::DataCleared { cause } => object.word("cause", cause.name()),
        Payload::HoldPlaced { hold } | Payload::HoldReleased { hold } => object.text("hold", hold),
        Payload::AccountOpened { tier: None }
        | Payload::SignedIn
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
        | Payload::AccountClosed => {}
    }
}

/// Writes who, where and anything else, each where it is there.
pub(crate) fn write_circumstances<'e>(
    actor: Actor,
    surface: Option<Surface>,
    attributes: impl Iterator<Item = (&'e String, &'e String)>,
    object: &mut ObjectWriter<'_>,
) {
    object.word("actor", actor.name());
    if let Some(surface) = surface {
        object.word("surface", surface.name());
    }
    let mut attributes = attributes.peekable();
    if attributes.peek().is_some() {
        let mut inner = ObjectWriter::open(object.key("attributes"));
        attributes.for_each(|(key, value)| inner.entry(key, value));
        inner.close();
    }
}

/// Writes one object, a field after the other, in the fewest bytes that JSON allows for it.
pub(crate) struct ObjectWriter<'o> {
    out: &'o mut Vec<u8>,
    empty: bool,
}

impl<'o> ObjectWriter<'o> {
    /// Opens an object at the end of `out`.
    pub(crate) fn open(out: &'o mut Vec<u8>) -> ObjectWriter<'o> {
        out.push(b'{');
        ObjectWriter { out, empty: true }
    }

    /// Closes it.
    pub(crate) fn close(self) {
        self.out.push(b'}');
    }

    /// A key of plain ASCII; what is pushed next is its value.
    pub(crate) fn key(&mut self, key: &'static str) -> &mut Vec<u8> {
        self.separate();
        self.out.push(b'"');
        self.out.extend_from_slice(key.as_bytes());
        self.out.extend_from_slice(b"\":");
        self.out
    }

    /// A string.
    pub(crate) fn text(&mut self, key: &'static str, value: &str) {
        write_text(value, self.key(key));
    }

    /// An array of strings.
    pub(crate) fn texts(&mut self, key: &'static str, values: &[String]) {
        let out = self.key(key);
        for (n, value) in values.iter().enumerate() {
            out.push(if n == 0 { b'[' } else { b',' });
            write_text(value, out);
        }
        if values.is_empty() {
            out.push(b'[');
        }
        out.push(b']');
    }

    /// A field under any key.
    pub(crate) fn entry(&mut self, key: &str, value: &str) {
        self.separate();
        write_text(key, self.out);
        self.out.push(b':');
        write_text(value, self.out);
    }

    /// A string that prints as plain ASCII without quotes or backslashes.
    pub(crate) fn word(&mut self, key: &'static str, value: impl fmt::Display) {
        let out = self.key(key);
        out.push(b'"');
        push(out, value);
        out.push(b'"');
    }

    /// A number or a boolean.
    pub(crate) fn literal(&mut self, key: &'static str, value: impl fmt::Display) {
        push(self.key(key), value);
    }

    fn separate(&mut self) {
        if !std::mem::replace(&mut self.empty, false) {
            self.out.push(b',');
        }
    }
}

fn push(out: &mut Vec<u8>, value: impl fmt::Display) {
    std::io::Write::write_fmt(out, format_args!("{value}")).expect("memory takes every byte");
}

/// A JSON string at the end of `out`.
pub(crate) fn write_text(text: &str, out: &mut Vec<u8>) {
    serde_json::to_writer(out, text).expect("a string is JSON, and memory takes every byte");
}
