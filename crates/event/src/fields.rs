//! The fields of an event as JSON, taken strictly out of an object.
//!
//! Both forms of a line share this: in a plain line all fields stand in one object, in a
//! CloudEvent those that the envelope does not carry stand in `data`.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;

use serde::de::{Deserialize, DeserializeSeed, Deserializer, Error as _, MapAccess, Visitor};

use crate::json::{Json, Object, text_of_line};
use crate::limits::{MAX_BYTES, SUBJECT_BYTES, TEXT_BYTES};
use crate::value::{Place, error, kind, not, text, time, word};
use crate::{Actor, ClearCause, Kind, LineError, Payload, PurgeCause, Surface, Timestamp};

/// Attributes, their texts borrowed from the line where they have no escapes.
pub(crate) type Attributes<'a> = BTreeMap<Cow<'a, str>, Cow<'a, str>>;

/// The fields that an event can have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Field {
    Id,
    Account,
    OccurredAt,
    RecordedAt,
    Kind,
    Actor,
    Surface,
    Attributes,
    Item,
    Category,
    Bytes,
    Backup,
    Parts,
    Cause,
    Tier,
    Hold,
    Reason,
    DeleteBackups,
}

impl Field {
    /// Every field, in the order of their declaration.
    const ALL: [(Field, &'static str); 18] = [
        (Field::Id, "id"),
        (Field::Account, "account"),
        (Field::OccurredAt, "occurred_at"),
        (Field::RecordedAt, "recorded_at"),
        (Field::Kind, "kind"),
        (Field::Actor, "actor"),
        (Field::Surface, "surface"),
        (Field::Attributes, "attributes"),
        (Field::Item, "item"),
        (Field::Category, "category"),
        (Field::Bytes, "bytes"),
        (Field::Backup, "backup"),
        (Field::Parts, "parts"),
        (Field::Cause, "cause"),
        (Field::Tier, "tier"),
        (Field::Hold, "hold"),
        (Field::Reason, "reason"),
        (Field::DeleteBackups, "delete_backups"),
    ];

    const fn name(self) -> &'static str {
        Field::ALL[self as usize].1
    }

    fn from_name(name: &str) -> Option<Field> {
        // A `match` is several times as fast as a search: every line has a dozen names to look up.
        Some(match name {
            "id" => Field::Id,
            "account" => Field::Account,
            "occurred_at" => Field::OccurredAt,
            "recorded_at" => Field::RecordedAt,
            "kind" => Field::Kind,
            "actor" => Field::Actor,
            "surface" => Field::Surface,
            "attributes" => Field::Attributes,
            "item" => Field::Item,
            "category" => Field::Category,
            "bytes" => Field::Bytes,
            "backup" => Field::Backup,
            "parts" => Field::Parts,
            "cause" => Field::Cause,
            "tier" => Field::Tier,
            "hold" => Field::Hold,
            "reason" => Field::Reason,
            "delete_backups" => Field::DeleteBackups,
            _ => return None,
        })
    }
}

/// The fields of an event, taken one by one; at the end none may be left.
pub(crate) struct Fields<'a> {
    values: [Json<'a>; Field::ALL.len()],
    /// A bit for each field that is there and not yet taken.
    left: u32,
    /// Stands before the names in errors: nothing, or `data.`.
    prefix: &'static str,
}

impl<'a> Fields<'a> {
    /// Of a plain line, in one pass. `None` for a line with anything out of the ordinary, which
    /// is then for [`Object::read`] to judge.
    pub(crate) fn read(line: &'a [u8]) -> Option<Fields<'a>> {
        let mut fields = Fields::none("");
        let mut json = serde_json::Deserializer::from_str(text_of_line(line).ok()?);
        Filling(&mut fields).deserialize(&mut json).ok()?;
        json.end().ok()?;
        Some(fields)
    }

    /// Of an object that has no other fields.
    ///
    /// An unknown field is looked for first: a misspelled name is better reported than the
    /// absence of the right one.
    pub(crate) fn of(object: Object<'a>, prefix: &'static str) -> Result<Fields<'a>, LineError> {
        let mut fields = Fields::none(prefix);
        for (key, value) in object {
            match Field::from_name(&key) {
                Some(field) => fields.put(field, value),
                None => return Err(LineError::new(&format!("{prefix}{key}"), "unknown field")),
            }
        }
        Ok(fields)
    }

    fn none(prefix: &'static str) -> Fields<'a> {
        Fields { values: [const { Json::Null }; Field::ALL.len()], left: 0, prefix }
    }

    fn put(&mut self, field: Field, value: Json<'a>) {
        self.left |= 1 << field as u32;
        self.values[field as usize] = value;
    }

    /// Whether a field is there, null or not.
    pub(crate) fn has(&self, field: Field) -> bool {
        self.left & 1 << field as u32 != 0
    }

    /// Holds that nothing is left, once the fields of `kind` are taken. A field that the kind does
    /// not take is an error with null too: null is the absence of an optional field, and this is
    /// not one.
    pub(crate) fn finish(self, kind: Kind) -> Result<(), LineError> {
        match Field::ALL.iter().find(|(field, _)| self.has(*field)) {
            Some((_, name)) => Err(error((self.prefix, name), format!("not a field of `{kind}`"))),
            None => Ok(()),
        }
    }

    pub(crate) fn place(&self, field: Field) -> Place<'static> {
        (self.prefix, field.name())
    }

    /// A field, null being its absence.
    fn optional(&mut self, field: Field) -> Option<Json<'a>> {
        self.left &= !(1 << field as u32);
        match std::mem::replace(&mut self.values[field as usize], Json::Null) {
            Json::Null => None,
            value => Some(value),
        }
    }

    fn required(&mut self, field: Field) -> Result<Json<'a>, LineError> {
        self.optional(field).ok_or_else(|| error(self.place(field), "is required"))
    }

    pub(crate) fn text(&mut self, field: Field, most: usize) -> Result<Cow<'a, str>, LineError> {
        let value = self.required(field)?;
        text(self.place(field), value, most)
    }

    fn optional_text(
        &mut self,
        field: Field,
        most: usize,
    ) -> Result<Option<Cow<'a, str>>, LineError> {
        let value = self.optional(field);
        value.map(|value| text(self.place(field), value, most)).transpose()
    }

    pub(crate) fn time(&mut self, field: Field) -> Result<Timestamp, LineError> {
        let value = self.required(field)?;
        time(self.place(field), &value)
    }

    pub(crate) fn optional_time(&mut self, field: Field) -> Result<Option<Timestamp>, LineError> {
        let value = self.optional(field);
        value.map(|value| time(self.place(field), &value)).transpose()
    }

    pub(crate) fn kind(&mut self) -> Result<Kind, LineError> {
        let place = self.place(Field::Kind);
        match self.required(Field::Kind)? {
            Json::Text(text) => kind(place, &text),
            other => Err(not("a string", place, &other)),
        }
    }

    pub(crate) fn actor(&mut self) -> Result<Actor, LineError> {
        let value = self.required(Field::Actor)?;
        word(self.place(Field::Actor), &value, Actor::from_name, Actor::ALL)
    }

    pub(crate) fn surface(&mut self) -> Result<Option<Surface>, LineError> {
        let place = self.place(Field::Surface);
        let value = self.optional(Field::Surface);
        value.map(|value| word(place, &value, Surface::from_name, Surface::ALL)).transpose()
    }

    fn purge_cause(&mut self) -> Result<Option<PurgeCause>, LineError> {
        let place = self.place(Field::Cause);
        let value = self.optional(Field::Cause);
        value.map(|value| word(place, &value, PurgeCause::from_name, PurgeCause::ALL)).transpose()
    }

    fn bytes(&mut self) -> Result<u64, LineError> {
        let value = self.required(Field::Bytes)?;
        self.bytes_of(&value)
    }

    /// Digits alone: `1.0`, `1e3` and `-0` name whole numbers too, but readers differ on whether
    /// they are integers, and a producer of exact sizes writes none of them.
    fn bytes_of(&self, value: &Json<'_>) -> Result<u64, LineError> {
        let place = self.place(Field::Bytes);
        match value {
            Json::Unsigned(bytes) if *bytes <= MAX_BYTES => Ok(*bytes),
            Json::Unsigned(_) | Json::Negative(_) | Json::Number => {
                let reason = format!("must be a whole number from 0 to {MAX_BYTES}, in digits");
                Err(error(place, reason))
            }
            other => Err(not("a whole number", place, other)),
        }
    }

    fn delete_backups(&mut self) -> Result<bool, LineError> {
        match self.required(Field::DeleteBackups)? {
            Json::Bool(flag) => Ok(flag),
            other => Err(not("true or false", self.place(Field::DeleteBackups), &other)),
        }
    }

    fn parts(&mut self) -> Result<Vec<Cow<'a, str>>, LineError> {
        match self.optional(Field::Parts) {
            None => Ok(Vec::new()),
            Some(Json::Array(values)) => {
                let part = |(n, value)| match value {
                    Json::Text(part) if (1..=TEXT_BYTES).contains(&part.len()) => Ok(part),
                    value => text((self.prefix, &format!("parts.{n}")), value, TEXT_BYTES),
                };
                values.into_iter().enumerate().map(part).collect()
            }
            Some(other) => Err(not("an array of strings", self.place(Field::Parts), &other)),
        }
    }

    pub(crate) fn attributes(&mut self) -> Result<Attributes<'a>, LineError> {
        match self.optional(Field::Attributes) {
            None => Ok(BTreeMap::new()),
            Some(Json::Object(object)) => {
                let mut attributes = BTreeMap::new();
                for (key, value) in object {
                    let Json::Text(text) = value else {
                        let place = (self.prefix, &*format!("attributes.{key}"));
                        return Err(not("a string", place, &value));
                    };
                    attributes.insert(key, text);
                }
                Ok(attributes)
            }
            Some(other) => Err(not("an object of strings", self.place(Field::Attributes), &other)),
        }
    }

    /// The kind's own fields.
    pub(crate) fn payload(&mut self, kind: Kind) -> Result<Payload<Cow<'a, str>>, LineError> {
        Ok(match kind {
            Kind::AccountOpened => {
                Payload::AccountOpened { tier: self.optional_text(Field::Tier, TEXT_BYTES)? }
            }
            Kind::TierChanged => Payload::TierChanged { tier: self.text(Field::Tier, TEXT_BYTES)? },
            Kind::QuotaChanged => Payload::QuotaChanged { bytes: self.bytes()? },
            Kind::SignedIn => Payload::SignedIn,
            Kind::SignInFailed => Payload::SignInFailed,
            Kind::PageViewed => Payload::PageViewed,
            Kind::FindDeviceOn => Payload::FindDeviceOn,
            Kind::FindDeviceOff => Payload::FindDeviceOff,
            Kind::SyncOn => Payload::SyncOn { category: self.category()? },
            Kind::SyncOff => Payload::SyncOff { category: self.category()? },
            Kind::Synced => Payload::Synced { category: self.category()? },
            Kind::ItemUploaded => Payload::ItemUploaded {
                item: self.item()?,
                category: self.category()?,
                bytes: self.bytes()?,
            },
            Kind::ItemModified => {
                let item = self.item()?;
                let bytes = self.optional(Field::Bytes);
                let bytes = bytes.map(|value| self.bytes_of(&value)).transpose()?;
                Payload::ItemModified { item, bytes }
            }
            Kind::ItemTrashed => Payload::ItemTrashed { item: self.item()? },
            Kind::ItemRestored => Payload::ItemRestored { item: self.item()? },
            Kind::ItemPurged => {
                Payload::ItemPurged { item: self.item()?, cause: self.purge_cause()? }
            }
            Kind::TrashEmptied => Payload::TrashEmptied,
            Kind::BackupOn => Payload::BackupOn,
            Kind::BackupCompleted => Payload::BackupCompleted {
                backup: self.backup()?,
                bytes: self.bytes()?,
                parts: self.parts()?,
            },
            Kind::BackupRestored => Payload::BackupRestored { backup: self.backup()? },
            Kind::BackupPurged => {
                Payload::BackupPurged { backup: self.backup()?, cause: self.purge_cause()? }
            }
            Kind::BackupOff => Payload::BackupOff { delete_backups: self.delete_backups()? },
            Kind::UploadRejected => Payload::UploadRejected {
                reason: self.text(Field::Reason, TEXT_BYTES)?,
                item: self.optional_text(Field::Item, SUBJECT_BYTES)?,
            },
            Kind::InactivityNotified => Payload::InactivityNotified,
            Kind::AccountFrozen => Payload::AccountFrozen,
            Kind::AccountUnfrozen => Payload::AccountUnfrozen,
            Kind::AccountTerminated => Payload::AccountTerminated,
            Kind::AccountClosed => Payload::AccountClosed,
            Kind::DataCleared => {
                let value = self.required(Field::Cause)?;
                let place = self.place(Field::Cause);
                let cause = word(place, &value, ClearCause::from_name, ClearCause::ALL)?;
                Payload::DataCleared { cause }
            }
            Kind::HoldPlaced => Payload::HoldPlaced { hold: self.text(Field::Hold, TEXT_BYTES)? },
            Kind::HoldReleased => {
                Payload::HoldReleased { hold: self.text(Field::Hold, TEXT_BYTES)? }
            }
        })
    }

    fn item(&mut self) -> Result<Cow<'a, str>, LineError> {
        self.text(Field::Item, SUBJECT_BYTES)
    }

    fn backup(&mut self) -> Result<Cow<'a, str>, LineError> {
        self.text(Field::Backup, SUBJECT_BYTES)
    }

    fn category(&mut self) -> Result<Cow<'a, str>, LineError> {
        self.text(Field::Category, TEXT_BYTES)
    }
}

/// Reads an object's fields into their places.
struct Filling<'f, 'a>(&'f mut Fields<'a>);

impl<'de> DeserializeSeed<'de> for Filling<'_, 'de> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for Filling<'_, 'de> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an event")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        while let Some(field) = map.next_key()? {
            let value: Json<'de> = map.next_value()?;
            if self.0.has(field) || value.key_given_twice().is_some() {
                return Err(A::Error::custom("given twice"));
            }
            self.0.put(field, value);
        }
        Ok(())
    }
}

impl<'de> Deserialize<'de> for Field {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct FieldVisitor;

        impl Visitor<'_> for FieldVisitor {
            type Value = Field;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a field of an event")
            }

            fn visit_str<E: serde::de::Error>(self, name: &str) -> Result<Field, E> {
                Field::from_name(name).ok_or_else(|| E::custom("unknown field"))
            }
        }

        deserializer.deserialize_identifier(FieldVisitor)
    }
}
