//! A policy file as a tree whose every node knows its place, and strict reading of it.

use std::fmt;

use event::limits::TEXT_BYTES;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

use crate::Setting;
use crate::error::{Fault, expected_words};

/// A value of the file.
#[derive(Debug, Clone)]
pub(crate) struct Node {
    /// Where it begins, in bytes.
    pub offset: usize,
    /// The key, with the tables around it.
    pub path: String,
    pub value: Value,
}

#[derive(Debug, Clone)]
pub(crate) enum Value {
    Text(String),
    Bool(bool),
    /// As written.
    Integer(String),
    Time(String),
    Float,
    List(Vec<Node>),
    Table(Table),
}

/// A table, in the order of the file.
#[derive(Debug, Clone)]
pub(crate) struct Table {
    pub entries: Vec<(Key, Node)>,
    /// Written as `{ … }`, and so all at once.
    pub inline: bool,
}

#[derive(Debug, Clone)]
pub(crate) struct Key {
    pub name: String,
    pub offset: usize,
    pub path: String,
}

impl Node {
    /// Reads a file.
    pub(crate) fn parse(text: &str) -> Result<Node, Fault> {
        let root = DeTable::parse(text).map_err(|error| Fault {
            offset: error.span().map_or(0, |span| span.start),
            path: String::new(),
            reason: error.message().to_owned(),
        })?;
        let value = Value::Table(Table::of(text, root.get_ref(), "", false));
        Ok(Node { offset: 0, path: String::new(), value })
    }

    fn of(text: &str, value: &Spanned<DeValue<'_>>, path: String) -> Node {
        let offset = value.span().start;
        let value = match value.get_ref() {
            DeValue::String(s) => Value::Text(s.to_string()),
            DeValue::Integer(n) => Value::Integer(n.to_string()),
            DeValue::Float(_) => Value::Float,
            DeValue::Boolean(b) => Value::Bool(*b),
            DeValue::Datetime(t) => Value::Time(t.to_string()),
            DeValue::Array(list) => Value::List(
                list.iter()
                    .enumerate()
                    .map(|(i, node)| Node::of(text, node, format!("{path}[{i}]")))
                    .collect(),
            ),
            DeValue::Table(table) => {
                Value::Table(Table::of(text, table, &path, text[offset..].starts_with('{')))
            }
        };
        Node { offset, path, value }
    }

    pub(crate) fn fault(&self, reason: impl Into<String>) -> Fault {
        Fault { offset: self.offset, path: self.path.clone(), reason: reason.into() }
    }

    fn expected(&self, what: &str) -> Fault {
        self.fault(format!("expected {what}, found {}", self.value.what()))
    }

    pub(crate) fn table(&self) -> Result<&Table, Fault> {
        match &self.value {
            Value::Table(table) => Ok(table),
            _ => Err(self.expected("a table")),
        }
    }

    pub(crate) fn list(&self, of: &str) -> Result<&[Node], Fault> {
        match &self.value {
            Value::List(list) => Ok(list),
            _ => Err(self.expected(&format!("an array of {of}"))),
        }
    }

    pub(crate) fn text(&self) -> Result<&str, Fault> {
        match &self.value {
            Value::Text(text) => Ok(text),
            _ => Err(self.expected("a string")),
        }
    }

    /// A string of 1–128 bytes, as names on the wire are.
    pub(crate) fn name(&self) -> Result<&str, Fault> {
        let text = self.text()?;
        if is_name(text) { Ok(text) } else { Err(self.fault("expected 1 to 128 bytes")) }
    }

    pub(crate) fn bool(&self) -> Result<bool, Fault> {
        match self.value {
            Value::Bool(value) => Ok(value),
            _ => Err(self.expected("true or false")),
        }
    }

    /// A string that `read` understands.
    pub(crate) fn read<T, E: fmt::Display>(
        &self,
        example: &str,
        read: impl FnOnce(&str) -> Result<T, E>,
    ) -> Result<T, Fault> {
        let Value::Text(text) = &self.value else { return Err(self.expected(example)) };
        read(text).map_err(|error| self.fault(format!("{text:?} {error}")))
    }

    /// One of a closed list of words.
    pub(crate) fn word<T: Copy>(
        &self,
        words: &[T],
        name: impl Fn(T) -> &'static str,
    ) -> Result<T, Fault> {
        let text = self.text()?;
        words.iter().copied().find(|word| name(*word) == text).ok_or_else(|| {
            let names: Vec<&str> = words.iter().map(|word| name(*word)).collect();
            self.fault(format!("unknown word {text:?}: {}", expected_words(&names, text)))
        })
    }
}

/// Whether a text can be a name on the wire.
pub(crate) fn is_name(text: &str) -> bool {
    (1..=TEXT_BYTES).contains(&text.len())
}

impl Value {
    /// What it is, with what it says where that is short.
    pub(crate) fn what(&self) -> String {
        match self {
            Value::Text(text) if text.len() <= 40 => format!("the string {text:?}"),
            Value::Text(_) => "a string".to_owned(),
            Value::Bool(value) => value.to_string(),
            // As it was written: the parser takes for a number what only begins like one.
            Value::Integer(text) if text.len() <= 40 => {
                format!("the number {}", text.escape_debug())
            }
            Value::Integer(_) => "a number".to_owned(),
            Value::Time(_) => "a date".to_owned(),
            Value::Float => "a number with a fraction".to_owned(),
            Value::List(_) => "an array".to_owned(),
            Value::Table(_) => "a table".to_owned(),
        }
    }
}

impl Node {
    /// What it is, to be shown.
    pub(crate) fn setting(&self) -> Setting {
        match &self.value {
            Value::Text(text) | Value::Time(text) => Setting::Text(text.clone()),
            Value::Bool(value) => Setting::Bool(*value),
            Value::Integer(text) => {
                text.parse().map_or_else(|_| Setting::Text(text.clone()), Setting::Number)
            }
            Value::Float => Setting::Text("…".to_owned()),
            Value::List(list) => Setting::List(list.iter().map(Node::setting).collect()),
            Value::Table(table) => {
                let entries = table.entries.iter();
                Setting::Table(
                    entries.map(|(key, node)| (key.name.clone(), node.setting())).collect(),
                )
            }
        }
    }
}

/// As TOML, on one line.
impl fmt::Display for Setting {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Setting::Text(text) => write!(f, "{text:?}"),
            Setting::Bool(value) => write!(f, "{value}"),
            Setting::Number(number) => write!(f, "{number}"),
            Setting::List(list) => {
                f.write_str("[")?;
                for (i, setting) in list.iter().enumerate() {
                    write!(f, "{}{setting}", if i == 0 { "" } else { ", " })?;
                }
                f.write_str("]")
            }
            Setting::Table(table) if table.is_empty() => f.write_str("{}"),
            Setting::Table(table) => {
                for (i, (key, setting)) in table.iter().enumerate() {
                    let before = if i == 0 { "{ " } else { ", " };
                    write!(f, "{before}{} = {setting}", quoted(key))?;
                }
                f.write_str(" }")
            }
        }
    }
}

impl Table {
    fn of(text: &str, table: &DeTable<'_>, path: &str, inline: bool) -> Table {
        let entries = table
            .iter()
            .map(|(key, value)| {
                let name = key.get_ref().to_string();
                let path = join(path, &quoted(&name));
                let node = Node::of(text, value, path.clone());
                (Key { name, offset: key.span().start, path }, node)
            })
            .collect();
        Table { entries, inline }
    }

    pub(crate) fn get(&self, name: &str) -> Option<&Node> {
        self.entries.iter().find(|(key, _)| key.name == name).map(|(_, node)| node)
    }

    /// The value of `key`, an empty table where there is none yet.
    pub(crate) fn entry(&mut self, key: &Key) -> &mut Node {
        let known = self.entries.iter().position(|(k, _)| k.name == key.name);
        let at = known.unwrap_or_else(|| {
            let empty = Value::Table(Table { entries: Vec::new(), inline: false });
            let node = Node { offset: key.offset, path: key.path.clone(), value: empty };
            self.entries.push((key.clone(), node));
            self.entries.len() - 1
        });
        &mut self.entries[at].1
    }
}

impl Key {
    pub(crate) fn fault(&self, reason: impl Into<String>) -> Fault {
        Fault { offset: self.offset, path: self.path.clone(), reason: reason.into() }
    }
}

fn join(path: &str, key: &str) -> String {
    if path.is_empty() { key.to_owned() } else { format!("{path}.{key}") }
}

fn quoted(key: &str) -> String {
    let bare = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-';
    if !key.is_empty() && key.chars().all(bare) { key.to_owned() } else { format!("{key:?}") }
}

/// A table read key by key; a key that nothing asked for is an error at the end.
pub(crate) struct Section<'a> {
    /// The table's own node, where it stands in the file.
    node: Option<&'a Node>,
    table: Option<&'a Table>,
    asked: Vec<&'static str>,
}

impl<'a> Section<'a> {
    /// The table `node`; `None` reads as an empty one.
    pub(crate) fn of(node: Option<&'a Node>) -> Result<Section<'a>, Fault> {
        let table = node.map(Node::table).transpose()?;
        Ok(Section { node, table, asked: Vec::new() })
    }

    pub(crate) fn get(&mut self, key: &'static str) -> Option<&'a Node> {
        self.asked.push(key);
        self.table?.get(key)
    }

    pub(crate) fn need(&mut self, key: &'static str) -> Result<&'a Node, Fault> {
        let found = self.get(key);
        found.ok_or_else(|| {
            let (offset, path) = self.node.map_or((0, ""), |n| (n.offset, n.path.as_str()));
            Fault { offset, path: join(path, key), reason: "is needed and is not there".to_owned() }
        })
    }

    /// That every key was asked for.
    pub(crate) fn end(self) -> Result<(), Fault> {
        for (key, _) in self.table.map_or(&[][..], |table| &table.entries) {
            if !self.asked.contains(&key.name.as_str()) {
                let expected = expected_words(&self.asked, &key.name);
                return Err(key.fault(format!("unknown key: {expected}")));
            }
        }
        Ok(())
    }
}
