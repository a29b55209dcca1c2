//! CSV as rows (RFC 4180, by csv-core), each kept as it stands in the file.

use csv_core::{ReadRecordResult, Reader, ReaderBuilder};
use event::LineError;
use event::limits::LINE_BYTES;

use crate::record::Held;
use crate::{Found, Place};

/// Fields of a row at most.
const FIELDS: usize = 4096;

/// Takes a row, to say what is in it.
pub(crate) type TakeRow<'t> = &'t mut dyn FnMut(Row<'_>, &mut dyn FnMut(Found<'_>));

/// Cuts a file into rows.
pub(crate) struct Rows {
    reader: Reader,
    /// The fields of the row, one behind the other, without their quotes.
    fields: Vec<u8>,
    written: usize,
    ends: Vec<usize>,
    ended: usize,
    /// Whether the row has more than there is room for.
    is_over: bool,
    held: Held,
    /// Where the row begins.
    line: u64,
}

/// A row.
pub(crate) struct Row<'a> {
    pub(crate) place: Place,
    /// As it stands in the file, without its line end.
    pub(crate) text: &'a [u8],
    /// Its fields, or why it has none.
    pub(crate) fields: Result<Vec<&'a str>, LineError>,
}

impl Rows {
    pub(crate) fn new(delimiter: u8, line: u64) -> Rows {
        let mut reader = ReaderBuilder::new().delimiter(delimiter).build();
        reader.set_line(line);
        Rows {
            reader,
            fields: vec![0; 1 << 12],
            written: 0,
            ends: vec![0; 64],
            ended: 0,
            is_over: false,
            held: Held::default(),
            line,
        }
    }

    /// Takes bytes; none are the end of the file.
    pub(crate) fn feed(
        &mut self,
        mut bytes: &[u8],
        found: &mut dyn FnMut(Found<'_>),
        take: TakeRow<'_>,
    ) {
        let is_end = bytes.is_empty();
        loop {
            let (result, read, wrote, ended) = self.reader.read_record(
                bytes,
                &mut self.fields[self.written..],
                &mut self.ends[self.ended..],
            );
            self.held.push(&bytes[..read], found);
            bytes = &bytes[read..];
            self.written += wrote;
            self.ended += ended;
            match result {
                ReadRecordResult::InputEmpty if is_end => {}
                ReadRecordResult::InputEmpty => return,
                // What has no room is read over: the row is known to be too long by then.
                ReadRecordResult::OutputFull if self.fields.len() > LINE_BYTES => {
                    (self.written, self.is_over) = (0, true);
                }
                ReadRecordResult::OutputFull => {
                    let room = self.fields.len() * 2;
                    self.fields.resize(room, 0);
                }
                ReadRecordResult::OutputEndsFull if self.ends.len() > FIELDS => {
                    (self.ended, self.is_over) = (0, true);
                }
                ReadRecordResult::OutputEndsFull => {
                    let room = self.ends.len() * 2;
                    self.ends.resize(room, 0);
                }
                ReadRecordResult::Record => self.row(found, take),
                ReadRecordResult::End => return,
            }
        }
    }

    fn row(&mut self, found: &mut dyn FnMut(Found<'_>), take: TakeRow<'_>) {
        let raw = self.held.bytes();
        // Empty lines before it are read together with a row.
        let blank = raw.iter().take_while(|b| matches!(b, b'\r' | b'\n')).count();
        let blank_lines = raw[..blank].iter().filter(|b| **b == b'\n').count() as u64;
        let place = Place { line: self.line + blank_lines, record: None };
        if !self.held.is_long() {
            let text = &raw[blank..];
            let text = text.strip_suffix(b"\n").unwrap_or(text);
            let text = text.strip_suffix(b"\r").unwrap_or(text);
            take(Row { place, text, fields: self.fields() }, found);
        }
        self.held.end(place, found);
        self.line = self.reader.line();
        (self.written, self.ended, self.is_over) = (0, 0, false);
    }

    fn fields(&self) -> Result<Vec<&str>, LineError> {
        if self.is_over {
            return Err(LineError::new("line", format!("must have at most {FIELDS} fields")));
        }
        let whole = &self.fields[..self.written];
        let text = std::str::from_utf8(whole).map_err(|_| LineError::new("line", "not UTF-8"))?;
        let mut from = 0;
        let mut field = |end: &usize| {
            let field = text.get(from..*end);
            from = *end;
            field.ok_or_else(|| LineError::new("line", "not UTF-8"))
        };
        self.ends[..self.ended].iter().map(&mut field).collect()
    }
}
