//! Rows, kept as columns of values: what a table is written from, whatever the format.

use event::Timestamp;

/// A column of a table.
#[derive(Debug)]
pub struct Column {
    pub name: &'static str,
    pub of: Type,
    /// Whether a row may have nothing there.
    pub optional: bool,
}

/// What a column holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Type {
    /// A text that hardly comes twice.
    Id,
    Text,
    /// One of a closed list of words.
    Word,
    /// A text that is JSON.
    Json,
    /// A whole number from 0 to 2^63 − 1.
    Whole,
    /// A whole number that may be larger.
    Sum,
    Time,
    Flag,
}

impl Column {
    pub const fn needed(name: &'static str, of: Type) -> Column {
        Column { name, of, optional: false }
    }

    pub const fn optional(name: &'static str, of: Type) -> Column {
        Column { name, of, optional: true }
    }
}

/// What a row has in a column.
#[derive(Debug, Clone, Copy)]
pub enum Value<'a> {
    Null,
    Text(&'a str),
    Whole(i64),
    Sum(u128),
    Time(Timestamp),
    Flag(bool),
}

impl<'a> From<&'a str> for Value<'a> {
    fn from(text: &'a str) -> Self {
        Value::Text(text)
    }
}

impl From<u64> for Value<'_> {
    fn from(n: u64) -> Self {
        // Positions and counts: no log is so long.
        Value::Whole(i64::try_from(n).unwrap_or(i64::MAX))
    }
}

impl From<u128> for Value<'_> {
    fn from(sum: u128) -> Self {
        Value::Sum(sum)
    }
}

impl From<Timestamp> for Value<'_> {
    fn from(at: Timestamp) -> Self {
        Value::Time(at)
    }
}

impl From<bool> for Value<'_> {
    fn from(flag: bool) -> Self {
        Value::Flag(flag)
    }
}

impl<'a, T: Into<Value<'a>>> From<Option<T>> for Value<'a> {
    fn from(value: Option<T>) -> Self {
        value.map_or(Value::Null, Into::into)
    }
}

/// Some rows of a table.
#[derive(Debug)]
pub struct Rows {
    pub columns: Vec<Values>,
    len: usize,
    text_bytes: usize,
}

/// The values of a column, those that are there.
#[derive(Debug)]
pub struct Values {
    pub column: &'static Column,
    /// A 1 for each row that has a value, a 0 for each that has none; empty where all must.
    pub there: Vec<i16>,
    pub data: Data,
}

/// Values of one kind, one behind the other.
#[derive(Debug)]
pub enum Data {
    Texts {
        text: Vec<u8>,
        /// Where each ends in `text`.
        ends: Vec<usize>,
    },
    /// Whole numbers, and times in milliseconds since 1970.
    Numbers(Vec<i64>),
    Sums(Vec<u128>),
    Flags(Vec<bool>),
}

impl Rows {
    pub fn of(columns: &'static [Column]) -> Rows {
        let values = |column: &'static Column| Values {
            column,
            there: Vec::new(),
            data: match column.of {
                Type::Id | Type::Text | Type::Word | Type::Json => {
                    Data::Texts { text: Vec::new(), ends: Vec::new() }
                }
                Type::Whole | Type::Time => Data::Numbers(Vec::new()),
                Type::Sum => Data::Sums(Vec::new()),
                Type::Flag => Data::Flags(Vec::new()),
            },
        };
        Rows { columns: columns.iter().map(values).collect(), len: 0, text_bytes: 0 }
    }

    /// Room for as many as these, of the same table.
    pub fn room_like(&self) -> Rows {
        let room = |values: &Values| Values {
            column: values.column,
            there: Vec::with_capacity(values.there.len()),
            data: match &values.data {
                Data::Texts { text, ends } => Data::Texts {
                    // Groups of as many rows differ a little in what they hold.
                    text: Vec::with_capacity(text.len() + text.len() / 8),
                    ends: Vec::with_capacity(ends.len()),
                },
                Data::Numbers(numbers) => Data::Numbers(Vec::with_capacity(numbers.len())),
                Data::Sums(sums) => Data::Sums(Vec::with_capacity(sums.len())),
                Data::Flags(flags) => Data::Flags(Vec::with_capacity(flags.len())),
            },
        };
        Rows { columns: self.columns.iter().map(room).collect(), len: 0, text_bytes: 0 }
    }

    pub fn len(&self) -> usize {
        self.len
    }

    /// Adds a row: a value a column, in the order of the columns.
    pub fn push<const N: usize>(&mut self, row: [Value<'_>; N]) {
        debug_assert_eq!(N, self.columns.len());
        self.len += 1;
        for (column, value) in self.columns.iter_mut().zip(&row) {
            self.text_bytes += column.push(value);
        }
    }

    /// Adds the rows of another part of the table.
    pub fn append(&mut self, other: Rows) {
        self.len += other.len;
        self.text_bytes += other.text_bytes;
        for (column, other) in self.columns.iter_mut().zip(other.columns) {
            column.append(other);
        }
    }

    /// How many bytes of text there are.
    pub fn text_bytes(&self) -> usize {
        self.text_bytes
    }
}

impl Values {
    /// Gives how many bytes of text it has.
    fn push(&mut self, value: &Value<'_>) -> usize {
        if self.column.optional {
            self.there.push(i16::from(!matches!(value, Value::Null)));
        }
        match (&mut self.data, value) {
            (_, Value::Null) if self.column.optional => {}
            (Data::Texts { text, ends }, Value::Text(value)) => {
                text.extend_from_slice(value.as_bytes());
                ends.push(text.len());
                return value.len();
            }
            (Data::Numbers(numbers), Value::Whole(n)) => numbers.push(*n),
            (Data::Numbers(numbers), Value::Time(at)) => numbers.push(at.ms()),
            (Data::Sums(sums), Value::Sum(sum)) => sums.push(*sum),
            (Data::Flags(flags), Value::Flag(flag)) => flags.push(*flag),
            (_, value) => unreachable!("{}: {value:?} is of another type", self.column.name),
        }
        0
    }

    fn append(&mut self, mut other: Values) {
        self.there.append(&mut other.there);
        match (&mut self.data, other.data) {
            (Data::Texts { text, ends }, Data::Texts { text: more, ends: more_ends }) => {
                ends.extend(more_ends.into_iter().map(|end| text.len() + end));
                text.extend_from_slice(&more);
            }
            (Data::Numbers(all), Data::Numbers(mut more)) => all.append(&mut more),
            (Data::Sums(all), Data::Sums(mut more)) => all.append(&mut more),
            (Data::Flags(all), Data::Flags(mut more)) => all.append(&mut more),
            _ => unreachable!("rows of one table"),
        }
    }

    /// The values of the rows, with what is not there.
    pub fn iter(&self) -> impl Iterator<Item = Value<'_>> {
        let (mut row, mut at) = (0, 0);
        std::iter::from_fn(move || {
            let is_there = match self.column.optional {
                true => *self.there.get(row)? == 1,
                false => true,
            };
            row += 1;
            if !is_there {
                return Some(Value::Null);
            }
            at += 1;
            self.data.get(at - 1, self.column.of)
        })
    }
}

impl Data {
    /// The value at a place among those that are there.
    fn get(&self, at: usize, of: Type) -> Option<Value<'_>> {
        Some(match self {
            Data::Texts { text, ends } => {
                let start = at.checked_sub(1).map_or(0, |before| ends[before]);
                let text = &text[start..*ends.get(at)?];
                Value::Text(std::str::from_utf8(text).expect("made of texts"))
            }
            Data::Numbers(numbers) if of == Type::Time => {
                Value::Time(Timestamp::from_ms(*numbers.get(at)?).expect("made of instants"))
            }
            Data::Numbers(numbers) => Value::Whole(*numbers.get(at)?),
            Data::Sums(sums) => Value::Sum(*sums.get(at)?),
            Data::Flags(flags) => Value::Flag(*flags.get(at)?),
        })
    }
}
