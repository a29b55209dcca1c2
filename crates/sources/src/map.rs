//! A map from the columns of a CSV to the fields of events: strict TOML (docs/imports.md).

use std::collections::BTreeMap;
use std::fmt;

use event::{Actor, Kind, Surface};
use serde::Deserialize;
use toml::Spanned;

use crate::found::quoted;
use crate::time_rule::TimeRule;

/// What a CSV means, as a file says it.
#[derive(Debug, Clone)]
pub struct Map {
    pub(crate) delimiter: u8,
    pub(crate) headers: bool,
    pub(crate) time: TimeRule,
    pub(crate) fields: BTreeMap<&'static str, Source>,
    pub(crate) attributes: Vec<(String, Column)>,
    pub(crate) actions: Option<Actions>,
    pub(crate) skips: Vec<(Column, Vec<String>)>,
}

/// Where a field comes from.
#[derive(Debug, Clone)]
pub(crate) enum Source {
    Column(Column),
    Constant(String),
    /// What a column's words stand for.
    Words {
        column: Column,
        words: BTreeMap<String, String>,
        /// What every other word stands for; without it one is rejected.
        others: Option<String>,
    },
    /// An id made of these.
    Hash(Vec<Column>),
}

/// A column, and where the map names it.
#[derive(Debug, Clone)]
pub(crate) struct Column {
    pub(crate) name: String,
    /// The key in the map.
    pub(crate) key: String,
    /// The line of the map.
    pub(crate) line: u64,
}

/// What the words of a column mean.
#[derive(Debug, Clone)]
pub(crate) struct Actions {
    pub(crate) column: Column,
    /// What a row of this word sets: `kind` and others.
    pub(crate) words: BTreeMap<String, BTreeMap<String, String>>,
    /// Whether rows of other words are skipped.
    pub(crate) skips_others: bool,
}

/// Why a file is no map.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MapError {
    /// The line of the map, from 1.
    pub line: u64,
    /// The key, where there is one.
    pub key: String,
    /// What was expected and what was found.
    pub reason: String,
}

/// As it stands after `FILE:`.
impl fmt::Display for MapError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.key.as_str() {
            "" => write!(f, "{}: {}", self.line, self.reason),
            key => write!(f, "{}: {key}: {}", self.line, self.reason),
        }
    }
}

/// Fields of an event that a column or a constant can give.
pub(crate) const FIELDS: [&str; 16] = [
    "account",
    "actor",
    "backup",
    "bytes",
    "category",
    "cause",
    "delete_backups",
    "hold",
    "id",
    "item",
    "kind",
    "occurred_at",
    "reason",
    "recorded_at",
    "surface",
    "tier",
];

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    schema: Spanned<i64>,
    #[serde(default)]
    delimiter: Option<Spanned<String>>,
    #[serde(default = "yes")]
    headers: bool,
    time: FileTime,
    fields: BTreeMap<Spanned<String>, Spanned<FileSource>>,
    #[serde(default)]
    attributes: BTreeMap<Spanned<String>, Spanned<String>>,
    #[serde(default)]
    actions: Option<FileActions>,
    #[serde(default)]
    skip: Vec<FileSkip>,
}

fn yes() -> bool {
    true
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct FileTime {
    format: Spanned<String>,
    #[serde(default)]
    zone: Option<String>,
}

#[derive(Deserialize)]
#[serde(
    untagged,
    expecting = "expected a column's name, { value = \"…\" }, { column = \"…\", words = {…} } or { columns = […] }"
)]
enum FileSource {
    Column(String),
    Constant(FileConstant),
    Words(FileWords),
    Hash(FileHash),
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct FileConstant {
    value: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct FileWords {
    column: String,
    words: BTreeMap<String, String>,
    #[serde(default)]
    others: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct FileHash {
    columns: Vec<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct FileActions {
    column: Spanned<String>,
    #[serde(default)]
    others: Option<Spanned<String>>,
    words: BTreeMap<String, Spanned<FileWord>>,
}

#[derive(Deserialize)]
#[serde(untagged, expecting = "expected a kind or a table of fields")]
enum FileWord {
    Kind(String),
    Fields(BTreeMap<String, String>),
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct FileSkip {
    column: Spanned<String>,
    is: Vec<String>,
}

impl Map {
    /// Reads a map.
    ///
    /// # Errors
    /// [`MapError`] about the first thing wrong: TOML, an unknown key, a value.
    pub fn parse(text: &str) -> Result<Map, MapError> {
        let file: File = toml::from_str(text).map_err(|error| MapError {
            line: line_of(text, error.span().map_or(0, |span| span.start)),
            key: String::new(),
            reason: error.message().trim().replace('\n', " "),
        })?;
        let fault = |at: usize, key: &str, reason: String| MapError {
            line: line_of(text, at),
            key: key.to_owned(),
            reason,
        };
        let column = |name: &Spanned<String>, key: String| Column {
            name: name.get_ref().clone(),
            key,
            line: line_of(text, name.span().start),
        };
        if *file.schema.get_ref() != 1 {
            let reason = format!("must be 1, found {}", file.schema.get_ref());
            return Err(fault(file.schema.span().start, "schema", reason));
        }
        let delimiter = match &file.delimiter {
            None => b',',
            Some(given) => match given.get_ref().as_bytes() {
                [byte] if byte.is_ascii() && !matches!(byte, b'"' | b'\r' | b'\n') => *byte,
                _ => {
                    let reason = "must be one ASCII character, not a quote or a line end";
                    return Err(fault(given.span().start, "delimiter", reason.to_owned()));
                }
            },
        };
        let at = file.time.format.span().start;
        let time = TimeRule::new(file.time.format.get_ref(), file.time.zone.as_deref())
            .map_err(|reason| fault(at, "time.format", reason))?;

        let mut fields = BTreeMap::new();
        for (name, source) in file.fields {
            let at = name.span().start;
            let name = known_field(name.get_ref())
                .map_err(|reason| fault(at, &format!("fields.{}", name.get_ref()), reason))?;
            let key = format!("fields.{name}");
            let line = line_of(text, source.span().start);
            let at = source.span().start;
            let of = |name: String| Column { name, key: key.clone(), line };
            let source = match source.into_inner() {
                FileSource::Column(name) => Source::Column(of(name)),
                FileSource::Constant(FileConstant { value }) => {
                    check_constant(name, &value).map_err(|reason| fault(at, &key, reason))?;
                    Source::Constant(value)
                }
                FileSource::Words(FileWords { column, words, others }) => {
                    for value in words.values().chain(&others) {
                        check_constant(name, value).map_err(|reason| fault(at, &key, reason))?;
                    }
                    Source::Words { column: of(column), words, others }
                }
                FileSource::Hash(FileHash { columns }) if name == "id" && !columns.is_empty() => {
                    Source::Hash(columns.into_iter().map(of).collect())
                }
                FileSource::Hash(_) => {
                    let reason = "only an id is made of columns, of one at least";
                    return Err(fault(at, &key, reason.to_owned()));
                }
            };
            fields.insert(name, source);
        }
        let mut actions = None;
        if let Some(given) = file.actions {
            let skips_others = match &given.others {
                None => false,
                Some(word) if word.get_ref() == "skip" => true,
                Some(word) => {
                    let reason = format!("must be \"skip\", found {}", quoted(word.get_ref()));
                    return Err(fault(word.span().start, "actions.others", reason));
                }
            };
            let mut words = BTreeMap::new();
            for (word, set) in given.words {
                let key = format!("actions.words.{}", quoted(&word));
                let at = set.span().start;
                let set = match set.into_inner() {
                    FileWord::Kind(kind) => BTreeMap::from([("kind".to_owned(), kind)]),
                    FileWord::Fields(set) => set,
                };
                for (name, value) in &set {
                    let checked = known_field(name).and_then(|name| check_constant(name, value));
                    checked.map_err(|reason| fault(at, &key, format!("{name}: {reason}")))?;
                }
                if !set.contains_key("kind") && !fields.contains_key("kind") {
                    return Err(fault(at, &key, "sets no kind".to_owned()));
                }
                words.insert(word, set);
            }
            let column = column(&given.column, "actions.column".to_owned());
            actions = Some(Actions { column, words, skips_others });
        }
        for needed in ["account", "occurred_at"] {
            if !fields.contains_key(needed) {
                return Err(fault(0, &format!("fields.{needed}"), "is required".to_owned()));
            }
        }
        if actions.is_none() && !fields.contains_key("kind") {
            let reason = "is required where there are no actions".to_owned();
            return Err(fault(0, "fields.kind", reason));
        }
        let attribute = |(key, name): (Spanned<String>, Spanned<String>)| {
            let key = key.into_inner();
            let column = column(&name, format!("attributes.{key}"));
            (key, column)
        };
        let attributes = file.attributes.into_iter().map(attribute).collect();
        let skip =
            |(n, FileSkip { column: name, is })| (column(&name, format!("skip.{n}.column")), is);
        let skips = file.skip.into_iter().enumerate().map(skip).collect();
        Ok(Map { delimiter, headers: file.headers, time, fields, attributes, actions, skips })
    }

    /// Every column that the map names.
    pub(crate) fn columns(&self) -> impl Iterator<Item = &Column> {
        let fields = self.fields.values().flat_map(|source| match source {
            Source::Column(column) | Source::Words { column, .. } => std::slice::from_ref(column),
            Source::Hash(columns) => columns.as_slice(),
            Source::Constant(_) => &[],
        });
        let attributes = self.attributes.iter().map(|(_, column)| column);
        let actions = self.actions.iter().map(|actions| &actions.column);
        fields.chain(attributes).chain(actions).chain(self.skips.iter().map(|(column, _)| column))
    }
}

/// The field's name, if it is one.
fn known_field(name: &str) -> Result<&'static str, String> {
    FIELDS.iter().copied().find(|field| *field == name).ok_or_else(|| {
        let meant = event::nearest_word(&FIELDS, name);
        let meant = meant.map_or_else(String::new, |field| format!(": did you mean `{field}`?"));
        format!("unknown field {}{meant}", quoted(name))
    })
}

/// Holds words against the lists of them that are closed.
fn check_constant(field: &str, value: &str) -> Result<(), String> {
    let is_known = match field {
        "kind" => Kind::from_name(value).is_some(),
        "actor" => Actor::from_name(value).is_some(),
        "surface" => Surface::from_name(value).is_some(),
        "delete_backups" => ["true", "false"].contains(&value),
        _ => true,
    };
    if is_known {
        return Ok(());
    }
    let kinds: Vec<&str> = Kind::ALL.iter().map(|kind| kind.name()).collect();
    let meant = event::nearest_word(&kinds, value).filter(|_| field == "kind");
    let meant = meant.map_or_else(String::new, |kind| format!(": did you mean `{kind}`?"));
    Err(format!("unknown {field} {}{meant}", quoted(value)))
}

/// The line, from 1, of a byte.
fn line_of(text: &str, at: usize) -> u64 {
    let before = &text.as_bytes()[..at.min(text.len())];
    1 + before.iter().filter(|byte| **byte == b'\n').count() as u64
}
