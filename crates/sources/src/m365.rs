//! Microsoft 365's unified audit log: files in SharePoint and OneDrive.
//!
//! Records come as JSON (a line each, in arrays, or in pages with `value`), or as a CSV with a column
//! `AuditData` that holds one; or under the names that Log Analytics gives their fields. docs/imports.md
//! has the table.

use std::borrow::Cow;

use event::json::{Json, Object};
use event::{Actor, Event, LineError, Payload, Surface};

use crate::json_records::JsonRecords;
use crate::object::{Told, give, needed, not, text, time};
use crate::rows::{Row, Rows};
use crate::start::Start;
use crate::{Broken, Decode, Found, Place};

/// The column of a CSV that holds the record.
const COLUMN: &str = "AuditData";

/// Reads a file of audit records.
pub struct M365 {
    start: Start,
    form: Form,
}

enum Form {
    /// What it is until something else is seen than white space.
    Unknown(JsonRecords),
    Json(JsonRecords),
    Csv {
        rows: Box<Rows>,
        column: Option<usize>,
    },
}

impl M365 {
    /// At the beginning of a file.
    #[must_use]
    #[allow(clippy::new_without_default, reason = "a decoder is of a file")]
    pub fn new() -> M365 {
        M365 { start: Start::default(), form: Form::Unknown(JsonRecords::new("value")) }
    }

    fn take(&mut self, mut bytes: &[u8], found: &mut dyn FnMut(Found<'_>)) -> Result<(), Broken> {
        if let Form::Unknown(json) = &mut self.form {
            let first = bytes.iter().position(|byte| !byte.is_ascii_whitespace());
            let (space, rest) = bytes.split_at(first.unwrap_or(bytes.len()));
            json.feed(space, found, &mut json_record)?;
            bytes = rest;
            let json = std::mem::replace(json, JsonRecords::new("value"));
            self.form = match rest.first() {
                None => Form::Unknown(json),
                Some(b'{' | b'[') => Form::Json(json),
                Some(_) => {
                    let rows = Box::new(Rows::new(b',', json.line()));
                    Form::Csv { rows, column: None }
                }
            };
        }
        match &mut self.form {
            Form::Json(records) => records.feed(bytes, found, &mut json_record),
            Form::Csv { rows, column } if !bytes.is_empty() => rows_of(rows, column, bytes, found),
            Form::Unknown(_) | Form::Csv { .. } => Ok(()),
        }
    }
}

impl Decode for M365 {
    fn feed(&mut self, bytes: &[u8], found: &mut dyn FnMut(Found<'_>)) -> Result<(), Broken> {
        self.start.pass(bytes).into_iter().try_for_each(|bytes| self.take(bytes, found))
    }

    fn end(&mut self, found: &mut dyn FnMut(Found<'_>)) -> Result<(), Broken> {
        let rest = self.start.end();
        self.take(rest, found)?;
        match &mut self.form {
            Form::Unknown(_) => Ok(()),
            Form::Json(records) => records.end(found, &mut json_record),
            Form::Csv { rows, column } => rows_of(rows, column, &[], found),
        }
    }
}

fn rows_of(
    rows: &mut Rows,
    column: &mut Option<usize>,
    bytes: &[u8],
    found: &mut dyn FnMut(Found<'_>),
) -> Result<(), Broken> {
    let mut broken = None;
    rows.feed(bytes, found, &mut |Row { place, text, fields }, found| {
        if broken.is_some() {
            return;
        }
        let fields = match fields {
            Ok(fields) => fields,
            Err(error) => return found(Found::Rejected { place, text, error }),
        };
        let Some(column) = *column else {
            *column = fields.iter().position(|name| *name == COLUMN);
            match column {
                Some(_) => found(Found::Head(text)),
                None => {
                    let reason = format!("the header has no column `{COLUMN}`");
                    broken = Some(Broken { line: place.line, reason });
                }
            }
            return;
        };
        match fields.get(column) {
            Some(record) => became(place, text, event_of(record.as_bytes(), "AuditData."), found),
            None => {
                let error = LineError::new(COLUMN, "the row has no such field");
                found(Found::Rejected { place, text, error });
            }
        }
    });
    broken.map_or(Ok(()), Err)
}

fn json_record(place: Place, record: &[u8], found: &mut dyn FnMut(Found<'_>)) {
    became(place, record, event_of(record, ""), found);
}

/// What became of a record.
enum Became {
    Event(Box<Event>),
    Skipped(String),
}

fn became(
    place: Place,
    text: &[u8],
    result: Result<Became, LineError>,
    found: &mut dyn FnMut(Found<'_>),
) {
    match result {
        Ok(Became::Skipped(what)) => found(Found::Skipped { what: &what }),
        Ok(Became::Event(event)) => give(place, text, Ok(*event), found),
        Err(error) => give(place, text, Err(error), found),
    }
}

/// Reads a record, or what is around one: searches give it as a string or an object under a key.
fn event_of(record: &[u8], at: &str) -> Result<Became, LineError> {
    let mut object = Object::read(record)
        .map_err(|error| LineError { field: format!("{at}{}", error.field), ..error })?;
    for key in ["AuditData", "auditData"] {
        match object.take(key) {
            None | Some(Json::Null) => {}
            Some(Json::Object(inner)) => return event(inner, &format!("{key}.")),
            Some(Json::Text(inner)) => {
                let inner = Object::read(inner.as_bytes()).map_err(|error| LineError {
                    field: format!("{key}.{}", error.field),
                    ..error
                })?;
                return event(inner, &format!("{key}."));
            }
            Some(other) => return Err(not("an object or its text", at, key, &other)),
        }
    }
    event(object, at)
}

/// What the schema calls a field, and what the table `OfficeActivity` of Log Analytics calls it.
type Names = [&'static str; 2];

const CREATED: Names = ["CreationTime", "TimeGenerated"];
const ID: Names = ["Id", "OfficeId"];
const OBJECT: Names = ["ObjectId", "OfficeObjectId"];
const SITE: Names = ["SiteUrl", "Site_Url"];
const WORKLOAD: Names = ["Workload", "OfficeWorkload"];

/// A field, by whichever of its names it is there.
fn either<'a>(
    record: &mut Object<'a>,
    at: &str,
    names: Names,
) -> Result<Option<Cow<'a, str>>, LineError> {
    match text(record, at, names[0])? {
        None => text(record, at, names[1]),
        found => Ok(found),
    }
}

/// The same of one that must be there.
fn either_needed<'a>(
    record: &mut Object<'a>,
    at: &str,
    names: Names,
) -> Result<Cow<'a, str>, LineError> {
    let missing = || LineError::new(&format!("{at}{}", names[0]), "is required");
    either(record, at, names)?.ok_or_else(missing)
}

fn event(mut record: Object<'_>, at: &str) -> Result<Became, LineError> {
    let operation = needed(&mut record, at, "Operation")?;
    let workload = either(&mut record, at, WORKLOAD)?;
    let is_of_files = match workload.as_deref() {
        Some(workload) => matches!(workload, "SharePoint" | "OneDrive"),
        // Scanners of labels write of their `FileDeleted` too: the type tells.
        None => match text(&mut record, at, "RecordType")?.as_deref() {
            Some(of_type) => matches!(of_type, "6" | "SharePointFileOperation"),
            None => true,
        },
    };
    let is_failed = text(&mut record, at, "ResultStatus")?.is_some_and(|status| status == "Failed");
    let bytes = text(&mut record, at, "FileSizeBytes")?;
    let bytes = bytes.map(|digits| {
        let reason = || LineError::new(&format!("{at}FileSizeBytes"), "must be a whole number");
        digits.parse::<u64>().map_err(|_| reason())
    });
    let bytes = bytes.transpose()?;
    let is_sync = &*operation == "FileSyncUploadedFull";
    let payload: fn(String, Option<u64>) -> Payload = match &*operation {
        _ if !is_of_files || is_failed => return Ok(Became::Skipped(operation.into_owned())),
        "FileUploaded" | "FileSyncUploadedFull" => |item, bytes| Payload::ItemUploaded {
            item,
            category: "drive".to_owned(),
            bytes: bytes.unwrap_or(0),
        },
        "FileModified" | "FileModifiedExtended" => {
            |item, bytes| Payload::ItemModified { item, bytes }
        }
        // From the first stage it goes to the second: it was trashed, and still is.
        "FileRecycled" | "FileDeleted" | "FileDeletedFirstStageRecycleBin" => {
            |item, _| Payload::ItemTrashed { item }
        }
        "FileRestored" => |item, _| Payload::ItemRestored { item },
        "FileDeletedSecondStageRecycleBin" => |item, _| Payload::ItemPurged { item, cause: None },
        _ => return Ok(Became::Skipped(operation.into_owned())),
    };
    let object = either_needed(&mut record, at, OBJECT)?;
    let item = text(&mut record, at, "ListItemUniqueId")?.unwrap_or_else(|| object.clone());
    let user = needed(&mut record, at, "UserId")?;
    let site = either(&mut record, at, SITE)?;
    let account = site.as_deref().map_or(&*user, |site| site.trim_end_matches('/')).to_owned();
    let actor = match is_sync {
        true => Actor::Device,
        false => actor(&user, text(&mut record, at, "UserType")?.as_deref(), at)?,
    };
    let created = either_needed(&mut record, at, CREATED)?;
    let told = Told {
        id: either_needed(&mut record, at, ID)?.into_owned(),
        account,
        occurred_at: time(&format!("{at}CreationTime"), &created, true)?,
        recorded_at: None,
        actor,
        surface: is_sync.then_some(Surface::Device),
        payload: payload(item.into_owned(), bytes),
    };
    let attributes = [("by", Some(user)), ("object", Some(object)), ("operation", Some(operation))];
    let attributes: Vec<(&str, Option<Cow<'_, str>>)> = attributes.into();
    Ok(Became::Event(Box::new(told.event(attributes)?)))
}

/// Who did it, by the schema's table of user types; a number or its name.
fn actor(user: &str, of_type: Option<&str>, at: &str) -> Result<Actor, LineError> {
    let user = user.to_ascii_lowercase();
    if ["app@sharepoint", "sharepoint\\system", "nt authority\\system"].contains(&&*user) {
        return Ok(Actor::Provider);
    }
    Ok(match of_type {
        None | Some("0" | "Regular" | "1" | "Reserved" | "10" | "Guest") => Actor::User,
        Some("2" | "Admin" | "9" | "PartnerTechnician") => Actor::Support,
        Some("3" | "DcAdmin" | "DCAdmin" | "4" | "System") => Actor::Provider,
        Some("7" | "CustomPolicy" | "8" | "SystemPolicy") => Actor::Provider,
        Some("5" | "Application" | "6" | "ServicePrincipal") => Actor::Device,
        Some(other) => {
            let reason = format!(
                "must be a type of user from 0 to 10, found {}",
                crate::found::quoted(other)
            );
            return Err(LineError::new(&format!("{at}UserType"), reason));
        }
    })
}
