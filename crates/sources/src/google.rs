//! Google Workspace Drive audit events: what `activities.list` of the Admin SDK Reports API gives for
//! the application `drive`, as pages, arrays of activities or an activity a line.
//!
//! An activity has one or several events. docs/imports.md has the table.

use std::borrow::Cow;

use event::json::{Json, Object};
use event::{Actor, Event, LineError, Payload, Timestamp};

use crate::found::quoted;
use crate::json_records::JsonRecords;
use crate::object::{Told, give, needed, not, text, time};
use crate::start::Start;
use crate::{Broken, Decode, Found, Place};

/// Reads a file of Drive activities.
pub struct GoogleDrive {
    start: Start,
    records: JsonRecords,
}

impl GoogleDrive {
    /// At the beginning of a file.
    #[must_use]
    #[allow(clippy::new_without_default, reason = "a decoder is of a file")]
    pub fn new() -> GoogleDrive {
        GoogleDrive { start: Start::default(), records: JsonRecords::new("items") }
    }
}

impl Decode for GoogleDrive {
    fn feed(&mut self, bytes: &[u8], found: &mut dyn FnMut(Found<'_>)) -> Result<(), Broken> {
        for bytes in self.start.pass(bytes) {
            self.records.feed(bytes, found, &mut activity)?;
        }
        Ok(())
    }

    fn end(&mut self, found: &mut dyn FnMut(Found<'_>)) -> Result<(), Broken> {
        self.records.feed(self.start.end(), found, &mut activity)?;
        self.records.end(found, &mut activity)
    }
}

/// That a shared drive owns the document. They were called team drives, and still are in old logs.
const SHARED: [&str; 2] = ["owner_is_shared_drive", "owner_is_team_drive"];
/// Where its id is: `owner` has but its name, which can be changed and need not be the only one.
const SHARED_ID: [&str; 4] =
    ["owner_shared_drive_id", "shared_drive_id", "owner_team_drive_id", "team_drive_id"];

/// What an activity says of all its events.
struct Activity<'a> {
    time: Timestamp,
    qualifier: Cow<'a, str>,
    email: Option<Cow<'a, str>>,
}

fn activity(place: Place, record: &[u8], found: &mut dyn FnMut(Found<'_>)) {
    match head(record) {
        Err(error) => found(Found::Rejected { place, text: record, error }),
        Ok((activity, events)) => {
            for (n, event) in events.into_iter().enumerate() {
                let at = format!("events.{n}.");
                match activity.event(&at, event) {
                    Ok(Became::Skipped(name)) => found(Found::Skipped { what: &name }),
                    Ok(Became::Of(event)) => give(place, record, Ok(*event), found),
                    Err(error) => give(place, record, Err(error), found),
                }
            }
        }
    }
}

fn head(record: &[u8]) -> Result<(Activity<'_>, Vec<Json<'_>>), LineError> {
    let mut object = Object::read(record)?;
    let mut id = match object.take("id") {
        Some(Json::Object(id)) => id,
        Some(other) => return Err(not("an object", "", "id", &other)),
        None => return Err(LineError::new("id", "is required")),
    };
    let application = needed(&mut id, "id.", "applicationName")?;
    if application != "drive" {
        let reason = format!("must be `drive`, found {}", quoted(&application));
        return Err(LineError::new("id.applicationName", reason));
    }
    let time = time("id.time", &needed(&mut id, "id.", "time")?, false)?;
    let qualifier = needed(&mut id, "id.", "uniqueQualifier")?;
    let email = match object.take("actor") {
        Some(Json::Object(mut actor)) => text(&mut actor, "actor.", "email")?,
        None | Some(Json::Null) => None,
        Some(other) => return Err(not("an object", "", "actor", &other)),
    };
    match object.take("events") {
        Some(Json::Array(events)) => Ok((Activity { time, qualifier, email }, events)),
        None => Err(LineError::new("events", "is required")),
        Some(other) => Err(not("an array", "", "events", &other)),
    }
}

/// What became of one of an activity's events.
enum Became {
    Of(Box<Event>),
    Skipped(String),
}

impl Activity<'_> {
    fn event(&self, at: &str, event: Json<'_>) -> Result<Became, LineError> {
        let Json::Object(mut event) = event else {
            return Err(not("an object", at.trim_end_matches('.'), "", &event));
        };
        let name = needed(&mut event, at, "name")?;
        let payload: fn(String) -> Payload = match &*name {
            // The log does not say how large a file is.
            "create" | "upload" => {
                |item| Payload::ItemUploaded { item, category: "drive".to_owned(), bytes: 0 }
            }
            "edit" => |item| Payload::ItemModified { item, bytes: None },
            "trash" => |item| Payload::ItemTrashed { item },
            "untrash" => |item| Payload::ItemRestored { item },
            "delete" => |item| Payload::ItemPurged { item, cause: None },
            _ => return Ok(Became::Skipped(name.into_owned())),
        };
        let mut said = Parameters::read(at, event.take("parameters"))?;
        let item = said.needed(at, "doc_id")?;
        let is_shared = SHARED.iter().any(|name| said.is_true(name));
        let drive = SHARED_ID.iter().filter(|_| is_shared).find_map(|name| said.text(name));
        let owner = drive.or_else(|| said.text("owner")).or_else(|| self.email.clone());
        let account = owner.ok_or_else(|| {
            LineError::new(&format!("{at}parameters.owner"), "is required where no actor is named")
        })?;
        let told = Told {
            // Of an activity no two events have the same name and document.
            id: format!("{}.{}.{name}.{item}", self.time.ms(), self.qualifier),
            account: account.into_owned(),
            occurred_at: self.time,
            recorded_at: None,
            // Nobody's address: Drive did it by itself.
            actor: if self.email.is_some() { Actor::User } else { Actor::Provider },
            surface: None,
            payload: payload(item.into_owned()),
        };
        let attributes = [
            ("by", self.email.clone()),
            ("title", said.text("doc_title")),
            ("type", said.text("doc_type")),
        ];
        Ok(Became::Of(Box::new(told.event(attributes)?)))
    }
}

/// The parameters of an event: a list of names with a value each, in one of several keys by its type.
struct Parameters<'a>(Vec<(Cow<'a, str>, Json<'a>)>);

impl<'a> Parameters<'a> {
    fn read(at: &str, list: Option<Json<'a>>) -> Result<Parameters<'a>, LineError> {
        let list = match list {
            Some(Json::Array(list)) => list,
            None => Vec::new(),
            Some(other) => return Err(not("an array", at, "parameters", &other)),
        };
        let mut said = Vec::new();
        for (n, parameter) in list.into_iter().enumerate() {
            let at = format!("{at}parameters.{n}.");
            let Json::Object(mut parameter) = parameter else {
                return Err(not("an object", at.trim_end_matches('.'), "", &parameter));
            };
            let name = needed(&mut parameter, &at, "name")?;
            let values = ["value", "boolValue", "intValue"].map(|key| parameter.take(key));
            said.extend(values.into_iter().flatten().next().map(|value| (name, value)));
        }
        Ok(Parameters(said))
    }

    fn text(&self, name: &str) -> Option<Cow<'a, str>> {
        match self.0.iter().find(|(known, _)| known == name) {
            Some((_, Json::Text(text))) if !text.is_empty() => Some(text.clone()),
            _ => None,
        }
    }

    fn needed(&mut self, at: &str, name: &str) -> Result<Cow<'a, str>, LineError> {
        let missing = || LineError::new(&format!("{at}parameters.{name}"), "is required");
        self.text(name).ok_or_else(missing)
    }

    /// A boolean is spelled as one or as a word.
    fn is_true(&self, name: &str) -> bool {
        self.0.iter().any(|(known, value)| {
            known == name && (*value == Json::Bool(true) || *value == Json::Text("true".into()))
        })
    }
}
