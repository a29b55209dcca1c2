//! Strict JSON lines: one object a line, borrowed from it, no key given twice at any depth.
//!
//! The parsing is serde_json's (RFC 8259, at most 128 levels deep, no lone surrogates); what it
//! parses into is our own, because its `Value` lets the last of two equal keys win and copies
//! every string. Keys are compared after their escapes are undone, so `"id"` and `"\u0069d"` are
//! the same key.

use std::borrow::Cow;
use std::fmt;

use serde::de::{Deserialize, Deserializer, Error as _, MapAccess, SeqAccess, Visitor};
use serde::ser::{Error as _, Serialize, Serializer};

use crate::Names;
use crate::limits::LINE_BYTES;
use crate::line_error::LineError;

/// A JSON value, its text borrowed from the line where it has no escapes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Json<'a> {
    /// `null`
    Null,
    /// `true` or `false`
    Bool(bool),
    /// A whole number from 0 to 2^64 − 1, spelled in digits alone.
    Unsigned(u64),
    /// A whole number from −2^63 to −1, spelled with a minus and digits.
    Negative(i64),
    /// Any other number: with a fraction or an exponent, `-0`, or beyond 64 bits.
    Number,
    /// A string.
    Text(Cow<'a, str>),
    /// An array.
    Array(Vec<Json<'a>>),
    /// An object.
    Object(Object<'a>),
}

/// An object: its fields in the order of the line.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Object<'a> {
    fields: Vec<(Cow<'a, str>, Json<'a>)>,
}

impl<'a> Json<'a> {
    /// What it is, with its article, for a sentence such as "must be a string, found a number".
    #[must_use]
    pub fn what(&self) -> &'static str {
        match self {
            Json::Null => "null",
            Json::Bool(_) => "a boolean",
            Json::Unsigned(_) | Json::Negative(_) | Json::Number => "a number",
            Json::Text(_) => "a string",
            Json::Array(_) => "an array",
            Json::Object(_) => "an object",
        }
    }

    /// The same, with the fields of every object in it in byte order of their keys.
    #[must_use]
    pub fn sorted(mut self) -> Json<'a> {
        self.sort();
        self
    }

    fn sort(&mut self) {
        match self {
            Json::Array(values) => values.iter_mut().for_each(Json::sort),
            Json::Object(Object { fields }) => {
                // Fields that are many came out of a map, and are in order.
                for n in 0..fields.len() {
                    fields[n].1.sort();
                    let at = fields[..n].partition_point(|(key, _)| *key < fields[n].0);
                    fields[at..=n].rotate_right(1);
                }
            }
            _ => {}
        }
    }

    /// The path from here to the first key that an object has twice.
    pub(crate) fn key_given_twice(&self) -> Option<String> {
        match self {
            Json::Object(object) => object.key_given_twice(),
            Json::Array(values) => values
                .iter()
                .enumerate()
                .find_map(|(n, value)| Some(format!("{n}.{}", value.key_given_twice()?))),
            _ => None,
        }
    }
}

impl<'a> Object<'a> {
    /// Reads a line: UTF-8, at most [`LINE_BYTES`], one JSON object and nothing else but JSON's
    /// white space.
    ///
    /// # Errors
    /// [`LineError`] about `line` (its size, its encoding, not an object), `json` (the syntax,
    /// with the column in bytes from 1) or the key that is given twice.
    pub fn read(line: &'a [u8]) -> Result<Object<'a>, LineError> {
        let text = text_of_line(line)?;
        match serde_json::from_str(text).map_err(|e| syntax_error(text, &e))? {
            Json::Object(object) => match object.key_given_twice() {
                None => Ok(object),
                Some(path) => Err(LineError::new(&path, "given twice")),
            },
            other => {
                let reason = format!("must be a JSON object, found {}", other.what());
                Err(LineError::new("line", reason))
            }
        }
    }

    /// Whether it has the key.
    #[must_use]
    pub fn has(&self, key: &str) -> bool {
        self.fields.iter().any(|(k, _)| k == key)
    }

    /// Takes a field out.
    pub fn take(&mut self, key: &str) -> Option<Json<'a>> {
        let at = self.fields.iter().position(|(k, _)| k == key)?;
        Some(self.fields.remove(at).1)
    }

    /// The keys, in the order of the line.
    pub fn keys(&self) -> impl Iterator<Item = &str> {
        self.fields.iter().map(|(key, _)| key.as_ref())
    }

    fn key_given_twice(&self) -> Option<String> {
        let nested = self
            .fields
            .iter()
            .find_map(|(key, value)| Some(format!("{key}.{}", value.key_given_twice()?)));
        nested.or_else(|| self.own_key_given_twice().map(str::to_owned))
    }

    fn own_key_given_twice(&self) -> Option<&str> {
        // Comparing all pairs is fastest for an event's dozen fields, but a hostile line has room
        // for a hundred thousand.
        if self.fields.len() <= 24 {
            let twice = |n: &usize| {
                let key = &self.fields[*n].0;
                self.fields[..*n].iter().any(|(earlier, _)| earlier == key)
            };
            return (1..self.fields.len()).find(twice).map(|n| self.fields[n].0.as_ref());
        }
        let mut earlier = Names::default();
        self.keys().zip(0..).find(|(key, n)| earlier.intern(key).0 < *n).map(|(key, _)| key)
    }
}

impl<'a> IntoIterator for Object<'a> {
    type Item = (Cow<'a, str>, Json<'a>);
    type IntoIter = std::vec::IntoIter<Self::Item>;

    fn into_iter(self) -> Self::IntoIter {
        self.fields.into_iter()
    }
}

/// A line without its end, of a length that is taken, as text.
pub(crate) fn text_of_line(line: &[u8]) -> Result<&str, LineError> {
    let line = line.strip_suffix(b"\n").unwrap_or(line);
    let line = line.strip_suffix(b"\r").unwrap_or(line);
    if line.len() > LINE_BYTES {
        let reason = format!("must be at most {LINE_BYTES} bytes long, found {}", line.len());
        return Err(LineError::new("line", reason));
    }
    std::str::from_utf8(line)
        .map_err(|e| LineError::new("line", format!("not UTF-8 at byte {}", e.valid_up_to() + 1)))
}

fn syntax_error(text: &str, error: &serde_json::Error) -> LineError {
    if text.starts_with('\u{feff}') {
        return LineError::new("json", "starts with a byte order mark");
    }
    let whole = error.to_string();
    let place = format!(" at line {} column {}", error.line(), error.column());
    let what = whole.strip_suffix(place.as_str()).unwrap_or(&whole);
    let what = match what.strip_prefix("EOF while parsing") {
        Some(within) => &format!("the line ends within{within}"),
        None => what,
    };
    LineError::new("json", format!("{what} (column {})", error.column()))
}

impl<'de: 'a, 'a> Deserialize<'de> for Json<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(JsonVisitor)
    }
}

/// As it was read, but for its white space. An error is [`Json::Number`], whose digits are not kept.
impl Serialize for Json<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Json::Null => serializer.serialize_unit(),
            Json::Bool(value) => serializer.serialize_bool(*value),
            Json::Unsigned(value) => serializer.serialize_u64(*value),
            Json::Negative(value) => serializer.serialize_i64(*value),
            Json::Number => Err(S::Error::custom("a number that is not whole was not kept")),
            Json::Text(text) => serializer.serialize_str(text),
            Json::Array(values) => serializer.collect_seq(values),
            Json::Object(Object { fields }) => {
                serializer.collect_map(fields.iter().map(|(key, value)| (key, value)))
            }
        }
    }
}

struct JsonVisitor;

impl<'de> Visitor<'de> for JsonVisitor {
    type Value = Json<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_unit<E>(self) -> Result<Self::Value, E> {
        Ok(Json::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Self::Value, E> {
        Ok(Json::Bool(value))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Self::Value, E> {
        Ok(Json::Unsigned(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Self::Value, E> {
        Ok(u64::try_from(value).map_or(Json::Negative(value), Json::Unsigned))
    }

    fn visit_f64<E>(self, _: f64) -> Result<Self::Value, E> {
        Ok(Json::Number)
    }

    fn visit_borrowed_str<E>(self, value: &'de str) -> Result<Self::Value, E> {
        Ok(Json::Text(Cow::Borrowed(value)))
    }

    fn visit_str<E>(self, value: &str) -> Result<Self::Value, E> {
        Ok(Json::Text(Cow::Owned(value.to_owned())))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Self::Value, A::Error> {
        let mut values = Vec::new();
        while let Some(value) = seq.next_element()? {
            values.push(value);
        }
        Ok(Json::Array(values))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut fields = Vec::new();
        while let Some((key, value)) = map.next_entry::<Json<'de>, Json<'de>>()? {
            let Json::Text(key) = key else { return Err(A::Error::custom("key must be a string")) };
            fields.push((key, value));
        }
        Ok(Json::Object(Object { fields }))
    }
}
