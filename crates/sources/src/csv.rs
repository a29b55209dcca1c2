//! CSV by a map: rows to events.

use std::collections::BTreeMap;
use std::sync::Arc;

use event::{EventHash, Kind, LineError};
use serde_json::{Map as Fields, Value};

use crate::found::quoted;
use crate::kinds::fields_of;
use crate::map::{Column, Map, Source};
use crate::object::give;
use crate::rows::{Row, Rows};
use crate::start::Start;
use crate::{Broken, Decode, Found, MapError, Place};

/// Stands for an id while one is made of the event.
const NO_ID: &str = "-";
/// Of an id that is made, so many hexadecimal digits: 128 bits.
const ID_DIGITS: usize = 32;

/// Reads a CSV by a map.
pub struct Csv {
    map: Arc<Map>,
    start: Start,
    rows: Rows,
    /// Where each column is, once the header is read.
    header: Option<BTreeMap<String, usize>>,
    /// Why the map does not fit.
    misfit: Option<MapError>,
}

impl Csv {
    /// At the beginning of a file.
    #[must_use]
    pub fn new(map: Arc<Map>) -> Csv {
        let rows = Rows::new(map.delimiter, 1);
        Csv { map, start: Start::default(), rows, header: None, misfit: None }
    }

    /// What in the map does not fit the file's header, where that is why the file is [`Broken`].
    #[must_use]
    pub fn misfit(&self) -> Option<&MapError> {
        self.misfit.as_ref()
    }

    fn take(&mut self, bytes: &[u8], found: &mut dyn FnMut(Found<'_>)) -> Result<(), Broken> {
        let Csv { map, header, misfit, .. } = self;
        let mut broken = None;
        self.rows.feed(bytes, found, &mut |row, found| {
            if misfit.is_some() {
                return;
            }
            if let Some(header) = header {
                return take_row(map, header, row, found);
            }
            let is_head = map.headers;
            match read_header(map, &row) {
                Err(error) => {
                    broken = Some(Broken { line: row.place.line, reason: error.to_string() });
                    *misfit = Some(error);
                }
                Ok(read) => {
                    let header = header.insert(read);
                    match is_head {
                        true => found(Found::Head(row.text)),
                        false => take_row(map, header, row, found),
                    }
                }
            }
        });
        broken.map_or(Ok(()), Err)
    }
}

impl Decode for Csv {
    fn feed(&mut self, bytes: &[u8], found: &mut dyn FnMut(Found<'_>)) -> Result<(), Broken> {
        let pieces = self.start.pass(bytes);
        let mut pieces = pieces.into_iter().filter(|bytes| !bytes.is_empty());
        pieces.try_for_each(|bytes| self.take(bytes, found))
    }

    fn end(&mut self, found: &mut dyn FnMut(Found<'_>)) -> Result<(), Broken> {
        let held = self.start.end();
        if !held.is_empty() {
            self.take(held, found)?;
        }
        self.take(&[], found)
    }
}

/// The columns of the first row; without headers they are called by their numbers from 1.
fn read_header(map: &Map, row: &Row<'_>) -> Result<BTreeMap<String, usize>, MapError> {
    let first = map.columns().next().expect("a map names columns");
    let wrong = |Column { key, line, .. }: &Column, reason| MapError {
        line: *line,
        key: key.clone(),
        reason,
    };
    let fields = match &row.fields {
        Ok(fields) => fields,
        Err(error) => return Err(wrong(first, format!("the header cannot be read: {error}"))),
    };
    let names: Vec<String> = match map.headers {
        true => fields.iter().map(|name| (*name).to_owned()).collect(),
        false => (1..=fields.len()).map(|number| number.to_string()).collect(),
    };
    for column in map.columns() {
        let there = names.iter().filter(|name| **name == column.name).count();
        if there == 1 {
            continue;
        }
        let name = quoted(&column.name);
        let reason = match (there, map.headers) {
            (0, true) => {
                let names: Vec<String> = names.iter().take(40).map(|name| quoted(name)).collect();
                format!("no column is called {name}: there are {}", names.join(", "))
            }
            (0, false) => {
                format!("no column is called {name}: without headers they are 1 to {}", names.len())
            }
            (there, _) => format!("{there} columns are called {name}"),
        };
        return Err(wrong(column, reason));
    }
    Ok(names.into_iter().enumerate().map(|(at, name)| (name, at)).collect())
}

fn take_row(
    map: &Map,
    header: &BTreeMap<String, usize>,
    row: Row<'_>,
    found: &mut dyn FnMut(Found<'_>),
) {
    let Row { place, text, fields } = row;
    let fields = match fields {
        Ok(fields) => fields,
        Err(error) => return found(Found::Rejected { place, text, error }),
    };
    if fields.len() != header.len() && map.headers {
        let reason = format!("must have {} fields, found {}", header.len(), fields.len());
        return found(Found::Rejected { place, text, error: LineError::new("line", reason) });
    }
    let cell = |column: &Column| {
        let at = header.get(&column.name).copied();
        at.and_then(|at| fields.get(at).copied()).unwrap_or("")
    };
    let skips = |(column, is): &(Column, Vec<String>)| is.iter().any(|value| value == cell(column));
    if let Some((column, _)) = map.skips.iter().find(|skip| skips(skip)) {
        return found(Found::Skipped { what: cell(column) });
    }
    let mut set = None;
    if let Some(actions) = &map.actions {
        let word = cell(&actions.column);
        set = actions.words.get(word);
        match set {
            None if actions.skips_others => return found(Found::Skipped { what: word }),
            None => {
                return unmapped(
                    place,
                    text,
                    Unlisted::of("actions", &actions.column, word),
                    found,
                );
            }
            Some(_) => {}
        }
    }
    let said = |field: &str| -> Result<Option<&str>, Fault<'_>> {
        let value = match (set.and_then(|set| set.get(field)), map.fields.get(field)) {
            (Some(value), _) | (None, Some(Source::Constant(value))) => value,
            (None, Some(Source::Column(column))) => cell(column),
            (None, Some(Source::Words { column, words, others })) => {
                let word = cell(column);
                match (words.get(word), others) {
                    (Some(value), _) => value,
                    (None, _) if word.is_empty() => word,
                    (None, Some(others)) => others,
                    (None, None) => {
                        return Err(Fault::Word(Unlisted::of(&column.key, column, word)));
                    }
                }
            }
            (None, Some(Source::Hash(_)) | None) => "",
        };
        Ok(Some(value).filter(|value| !value.is_empty()))
    };
    match event(map, &said, &cell) {
        Ok(event) => give(place, text, Ok(event), found),
        Err(Fault::Line(error)) => give(place, text, Err(error), found),
        Err(Fault::Word(unlisted)) => unmapped(place, text, unlisted, found),
    }
}

/// A cell that none of the words in the map's `table` is.
struct Unlisted<'r> {
    table: &'r str,
    column: &'r str,
    word: &'r str,
}

impl<'r> Unlisted<'r> {
    fn of(table: &'r str, column: &'r Column, word: &'r str) -> Unlisted<'r> {
        Unlisted { table, column: &column.name, word }
    }
}

/// Why a row is no event.
enum Fault<'r> {
    Line(LineError),
    Word(Unlisted<'r>),
}

impl From<LineError> for Fault<'_> {
    fn from(error: LineError) -> Self {
        Fault::Line(error)
    }
}

fn unmapped(place: Place, text: &[u8], unlisted: Unlisted<'_>, found: &mut dyn FnMut(Found<'_>)) {
    let Unlisted { table, column, word } = unlisted;
    found(Found::Unmapped { place, text, table, column, word });
}

/// Makes a line of what the row says, and reads it as any other.
fn event<'r>(
    map: &'r Map,
    said: &dyn Fn(&str) -> Result<Option<&'r str>, Fault<'r>>,
    cell: &dyn Fn(&'r Column) -> &'r str,
) -> Result<event::Event, Fault<'r>> {
    let mut line = Fields::new();
    let mut put = |field: &str, value: Value| line.insert(field.to_owned(), value);
    let kind = said("kind")?.ok_or_else(|| LineError::new("kind", "is required"))?;
    for field in ["account", "kind", "actor", "surface"] {
        if let Some(value) = said(field)? {
            put(field, value.into());
        }
    }
    for field in ["occurred_at", "recorded_at"] {
        if let Some(value) = said(field)? {
            let time = map.time.read(value).map_err(|reason| LineError::new(field, reason))?;
            put(field, time.to_string().into());
        }
    }
    // Of the columns that the map names a row uses those that its kind takes.
    for field in Kind::from_name(kind).map_or(&[][..], fields_of) {
        let Some(value) = said(field)? else { continue };
        put(
            field,
            match *field {
                "bytes" => digits(value)?.into(),
                "delete_backups" => flag(value)?.into(),
                _ => value.into(),
            },
        );
    }
    let attributes: Fields<String, Value> = map
        .attributes
        .iter()
        .map(|(key, column)| (key.clone(), cell(column)))
        .filter(|(_, value)| !value.is_empty())
        .map(|(key, value)| (key, value.into()))
        .collect();
    put("attributes", attributes.into());
    let id = match map.fields.get("id") {
        Some(Source::Hash(columns)) => Some(hash_of(columns.iter().map(cell))),
        Some(_) => {
            let id = said("id")?.ok_or_else(|| LineError::new("id", "is required"))?;
            Some(id.to_owned())
        }
        None => None,
    };
    let is_made = id.is_none();
    put("id", id.unwrap_or_else(|| NO_ID.to_owned()).into());
    let line = serde_json::to_vec(&line).expect("texts and numbers are JSON");
    let mut event = event::read_line(&line)?;
    if is_made {
        event.id = EventHash::of(&event).to_string()[..ID_DIGITS].to_owned();
    }
    Ok(event)
}

fn digits(value: &str) -> Result<u64, LineError> {
    let is_digits = value.bytes().all(|byte| byte.is_ascii_digit());
    let number = value.parse().ok().filter(|_| is_digits);
    number.ok_or_else(|| {
        LineError::new(
            "bytes",
            format!("must be a whole number in digits, found {}", quoted(value)),
        )
    })
}

fn flag(value: &str) -> Result<bool, LineError> {
    value.parse().map_err(|_| {
        let reason = format!("must be `true` or `false`, found {}", quoted(value));
        LineError::new("delete_backups", reason)
    })
}

/// An id made of cells: each with its length before it, so that none can pass for two.
fn hash_of<'a>(cells: impl Iterator<Item = &'a str>) -> String {
    let mut hasher = blake3::Hasher::new_derive_key("stillthere imports id of columns 1");
    for cell in cells {
        hasher.update(&(cell.len() as u64).to_le_bytes());
        hasher.update(cell.as_bytes());
    }
    hasher.finalize().to_hex()[..ID_DIGITS].to_owned()
}
