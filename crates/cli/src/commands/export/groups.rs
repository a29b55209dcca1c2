//! A table on its way to a file: rows are gathered in groups, encoded on all cores, written in order.

use std::collections::VecDeque;
use std::num::NonZero;
use std::thread::{self, JoinHandle};

use ::parquet::errors::ParquetError;

use super::rows::{Column, Rows};
use super::{lines, parquet};
use crate::failure::Failure;
use crate::output::Sink;

/// What a group holds at most: rows, as many as DuckDB puts into one, or bytes of text before that.
/// There are as many groups in memory as cores, and one.
const MOST_ROWS: usize = 122_880;
const MOST_TEXT_BYTES: usize = 32 << 20;

/// In what form a table is written.
pub enum Form {
    Parquet(Box<parquet::File>),
    Csv,
    Ndjson,
}

/// What became of a group.
enum Encoded {
    Columns(parquet::Group),
    Lines(Vec<u8>),
}

/// A table that is being written.
pub struct Groups<'a> {
    form: Form,
    sink: Sink<'a>,
    rows: Rows,
    /// Being encoded, the first first.
    under_way: VecDeque<JoinHandle<Result<Encoded, ParquetError>>>,
    most_under_way: usize,
    written: u64,
}

impl<'a> Groups<'a> {
    pub fn new(
        columns: &'static [Column],
        form: Form,
        mut sink: Sink<'a>,
    ) -> Result<Groups<'a>, Failure> {
        if let Form::Csv = form {
            sink.write(&lines::csv_heading(columns))?;
        }
        Ok(Groups {
            form,
            sink,
            rows: Rows::of(columns),
            under_way: VecDeque::new(),
            most_under_way: thread::available_parallelism().map_or(1, NonZero::get),
            written: 0,
        })
    }

    /// Where the next rows go. Afterwards they are [passed on](Groups::pass_on).
    pub fn rows(&mut self) -> &mut Rows {
        &mut self.rows
    }

    /// Has the rows encoded when they are enough for a group.
    pub fn pass_on(&mut self) -> Result<(), Failure> {
        match self.rows.len() >= MOST_ROWS || self.rows.text_bytes() >= MOST_TEXT_BYTES {
            true => self.encode(),
            false => Ok(()),
        }
    }

    fn encode(&mut self) -> Result<(), Failure> {
        if self.under_way.len() >= self.most_under_way {
            self.write_first()?;
        }
        let next = self.rows.room_like();
        let rows = std::mem::replace(&mut self.rows, next);
        self.written += rows.len() as u64;
        self.under_way.push_back(match &self.form {
            Form::Parquet(file) => {
                let plan = file.plan();
                thread::spawn(move || plan.encode(rows).map(Encoded::Columns))
            }
            Form::Csv => thread::spawn(move || Ok(Encoded::Lines(lines::csv(&rows)))),
            Form::Ndjson => thread::spawn(move || Ok(Encoded::Lines(lines::ndjson(&rows)))),
        });
        Ok(())
    }

    fn write_first(&mut self) -> Result<(), Failure> {
        let Some(first) = self.under_way.pop_front() else { return Ok(()) };
        let encoded = first.join().expect("encoding does not panic").map_err(not_encoded)?;
        match (encoded, &mut self.form) {
            (Encoded::Columns(group), Form::Parquet(file)) => {
                let bytes = file.append(group).map_err(not_encoded)?;
                self.sink.write(&bytes)
            }
            (Encoded::Lines(lines), _) => self.sink.write(&lines),
            (Encoded::Columns(_), _) => unreachable!("encoded in the form of the table"),
        }
    }

    /// Writes what is left; gives the sink, and how many rows there were.
    pub fn end(mut self) -> Result<(Sink<'a>, u64), Failure> {
        if self.rows.len() > 0 {
            self.encode()?;
        }
        while !self.under_way.is_empty() {
            self.write_first()?;
        }
        if let Form::Parquet(file) = self.form {
            self.sink.write(&file.end().map_err(not_encoded)?)?;
        }
        Ok((self.sink, self.written))
    }
}

/// What the library cannot encode.
pub fn not_encoded(error: ParquetError) -> Failure {
    Failure::Usage(format!("the rows cannot be written as Parquet: {error}"))
}
