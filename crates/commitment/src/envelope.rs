//! The envelope of an event: 40 bytes that can be shown without its content (docs/format.md, section 5).

use event::{Actor, Content, Event, Kind, Payload, RecordedBy, Step, Surface, Timestamp};

use crate::fault::{Fault, at, zero};
use crate::hash::{KeyedDomain, keyed};

/// The length of an envelope in bytes.
pub const ENVELOPE: usize = 40;

/// What an event is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum Scope {
    /// The account as a whole.
    Account = 0,
    /// One item.
    Item = 1,
    /// One backup.
    Backup = 2,
    /// One category.
    Category = 3,
}

impl Scope {
    /// The scope of an event and the name of its subject: empty for the account.
    #[must_use]
    pub fn of<S: AsRef<str>>(payload: &Payload<S>) -> (Scope, &str) {
        let (scope, subject) = Scope::with_subject(payload);
        (scope, subject.map_or("", AsRef::as_ref))
    }

    /// The same, with the subject as it is in the payload.
    pub(crate) fn with_subject<S>(payload: &Payload<S>) -> (Scope, Option<&S>) {
        let (scope, subject) = match payload {
            Payload::ItemUploaded { item, .. }
            | Payload::ItemModified { item, .. }
            | Payload::ItemTrashed { item }
            | Payload::ItemRestored { item }
            | Payload::ItemPurged { item, .. }
            | Payload::UploadRejected { item: Some(item), .. } => (Scope::Item, item),
            Payload::BackupCompleted { backup, .. }
            | Payload::BackupRestored { backup }
            | Payload::BackupPurged { backup, .. } => (Scope::Backup, backup),
            Payload::SyncOn { category }
            | Payload::SyncOff { category }
            | Payload::Synced { category } => (Scope::Category, category),
            _ => return (Scope::Account, None),
        };
        (scope, Some(subject))
    }

    /// The tag of a subject of this scope; zeros for the account.
    #[must_use]
    pub fn tag(self, secret: &[u8; 32], subject: &str) -> [u8; 16] {
        let domain = match self {
            Scope::Account => return [0; 16],
            Scope::Item => KeyedDomain::Item,
            Scope::Backup => KeyedDomain::Backup,
            Scope::Category => KeyedDomain::Category,
        };
        keyed(secret, domain, subject.as_bytes())
    }
}

/// What is known of an event without its content.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Envelope {
    /// What happened.
    pub kind: Kind,
    /// Who caused it.
    pub actor: Actor,
    /// Where it came in.
    pub surface: Option<Surface>,
    /// What it is about.
    pub scope: Scope,
    /// Who set `recorded_at`.
    pub recorded_by: RecordedBy,
    /// The account's number.
    pub ordinal: u32,
    /// When it happened.
    pub occurred_at: Timestamp,
    /// When it was written down.
    pub recorded_at: Timestamp,
    /// The keyed hash of the subject's name; zeros where the scope is the account.
    pub tag: [u8; 16],
}

impl Envelope {
    /// The event of this envelope, with its account's name and its content.
    #[must_use]
    pub fn event<'a>(&self, account: &'a str, content: Content<&'a str>) -> Event<&'a str> {
        let Content { id, payload, attributes } = content;
        let is_honoured = self.recorded_by == RecordedBy::Source;
        Event {
            id,
            account,
            occurred_at: self.occurred_at,
            recorded_at: is_honoured.then_some(self.recorded_at),
            actor: self.actor,
            surface: self.surface,
            attributes,
            payload,
        }
    }

    /// What a fold reads of an event of which nothing but this is known.
    #[must_use]
    pub const fn step(&self, position: u64, revision: u64) -> Step {
        Step {
            occurred_at: self.occurred_at,
            recorded_at: self.recorded_at,
            position,
            revision,
            bytes: None,
            subject: None,
            word: None,
            kind: self.kind,
            actor: self.actor,
            surface: self.surface,
            purge_cause: None,
            clear_cause: None,
            delete_backups: false,
            recorded_by: self.recorded_by,
        }
    }

    /// When the event was recorded, if the log says so, in ms since the epoch.
    #[must_use]
    pub fn clock_ms(&self) -> Option<i64> {
        (self.recorded_by == RecordedBy::Log).then_some(self.recorded_at.ms())
    }

    /// As bytes.
    #[must_use]
    pub fn encode(&self) -> [u8; ENVELOPE] {
        let mut bytes = [0; ENVELOPE];
        bytes[0] = self.kind.number();
        bytes[1] = self.actor.number();
        bytes[2] = self.surface.map_or(0, |s| s.number() + 1);
        bytes[3] = self.scope as u8 | self.recorded_by.number() << 4;
        bytes[4..8].copy_from_slice(&self.ordinal.to_le_bytes());
        bytes[8..16].copy_from_slice(&self.occurred_at.ms().to_le_bytes());
        bytes[16..24].copy_from_slice(&self.recorded_at.ms().to_le_bytes());
        bytes[24..40].copy_from_slice(&self.tag);
        bytes
    }

    /// From bytes.
    ///
    /// # Errors
    /// A byte that no envelope has there.
    pub fn decode(bytes: &[u8; ENVELOPE]) -> Result<Envelope, Fault> {
        Envelope::read(bytes).map_err(|(offset, expected)| match offset {
            8 | 16 => {
                let ms = i64::from_le_bytes(at(bytes, offset));
                Fault::new(offset, expected, format!("{ms} ms"))
            }
            24 => zero(24, &bytes[24..]).expect_err("one is not"),
            _ => Fault::new(offset, expected, bytes[offset].to_string()),
        })
    }

    /// [`Envelope::decode`], with no more of a fault than where it is and what should be there: what is
    /// done with every event of a log is quicker without the words.
    #[inline]
    pub(crate) fn read(bytes: &[u8; ENVELOPE]) -> Result<Envelope, (usize, &'static str)> {
        let time = |offset: usize| {
            let ms = i64::from_le_bytes(at(bytes, offset));
            Timestamp::from_ms(ms).ok_or((offset, "a time in the years 1 to 9999"))
        };
        let scope = match bytes[3] & 15 {
            0 => Scope::Account,
            1 => Scope::Item,
            2 => Scope::Backup,
            3 => Scope::Category,
            _ => return Err((3, "a scope from 0 to 3")),
        };
        let tag = at(bytes, 24);
        if scope == Scope::Account && tag != [0; 16] {
            return Err((24, "zero"));
        }
        Ok(Envelope {
            kind: Kind::from_number(bytes[0]).ok_or((0, "an event kind"))?,
            actor: Actor::from_number(bytes[1]).ok_or((1, "an actor"))?,
            surface: match bytes[2] {
                0 => None,
                n => Some(Surface::from_number(n - 1).ok_or((2, "a surface"))?),
            },
            scope,
            recorded_by: RecordedBy::from_number(bytes[3] >> 4)
                .ok_or((3, "who set the recording time, 0 or 1, in the high bits"))?,
            ordinal: u32::from_le_bytes(at(bytes, 4)),
            occurred_at: time(8)?,
            recorded_at: time(16)?,
            tag,
        })
    }
}
