//! What is read of the inputs, in parcels: by one thread, for whoever takes them.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::mpsc::SyncSender;

use event::{Event, LineError};
use eventlog::Prepared;
use sources::{Decode, Found, Place};

use super::format::Reading;
use crate::failure::Failure;
use crate::input::{Input, Next};

/// A parcel is sent on when it has this many bytes, or when the next line is not there yet.
const PARCEL_BYTES: usize = 1 << 18;
/// So many names of what is skipped are told apart.
const SKIPPED_NAMES: usize = 100;

/// What the reading thread sends.
pub enum Parcel<Events> {
    /// Lines or records of one input. Those that are no event say so; the others are in `events`, in
    /// their order.
    Lines { input: usize, text: Vec<u8>, lines: Vec<Line>, events: Events },
    /// Something beside them.
    Beside(Beside),
}

/// What is said beside lines.
pub enum Beside {
    /// What must stand before rejected records of the input.
    Head(Vec<u8>),
    /// How many things of which name were no events.
    Skipped(BTreeMap<String, u64>),
    /// A line or record that is too long, in pieces.
    LongPiece(Vec<u8>),
    /// Its end.
    LongEnd { input: usize, place: Place, bytes: u64 },
    /// An input that cannot be read to its end.
    Broken(Failure),
    /// The log takes nothing more.
    Failed(Failure),
}

/// A line, a record, or one of the things that a record tells of.
pub struct Line {
    pub place: Place,
    /// Where it stands in the parcel's text.
    pub text: Range<usize>,
    /// Why it is no event.
    pub error: Option<LineError>,
    /// The id of its event, where the line itself does not say it.
    pub id: Option<String>,
}

/// What events are gathered in.
pub trait Gather: Send {
    fn new() -> Self;
    /// Another one, about as large.
    fn sized_alike(&self) -> Self;
    fn push(&mut self, event: &Event<Cow<'_, str>>) -> Result<(), String>;
    fn push_owned(&mut self, event: Event) -> Result<(), String>;
    /// No more come.
    fn finish(&mut self);
}

impl Gather for Prepared {
    fn new() -> Prepared {
        Prepared::new()
    }

    fn sized_alike(&self) -> Prepared {
        Prepared::sized_alike(self)
    }

    fn push(&mut self, event: &Event<Cow<'_, str>>) -> Result<(), String> {
        Prepared::push(self, event)
    }

    fn push_owned(&mut self, event: Event) -> Result<(), String> {
        Prepared::push(self, &event)
    }

    fn finish(&mut self) {
        Prepared::finish(self);
    }
}

/// For those who only look.
impl Gather for Vec<Event> {
    fn new() -> Vec<Event> {
        Vec::new()
    }

    fn sized_alike(&self) -> Vec<Event> {
        Vec::with_capacity(self.len())
    }

    fn push(&mut self, event: &Event<Cow<'_, str>>) -> Result<(), String> {
        Vec::push(self, event.clone().into_owned());
        Ok(())
    }

    fn push_owned(&mut self, event: Event) -> Result<(), String> {
        Vec::push(self, event);
        Ok(())
    }

    fn finish(&mut self) {}
}

/// Reads the inputs to their ends, or until nobody takes the parcels any more.
pub fn read<E: Gather>(inputs: Vec<Input>, reading: &Reading, parcels: &SyncSender<Parcel<E>>) {
    for (number, mut input) in inputs.into_iter().enumerate() {
        let mut open = Open::new(number, parcels);
        let read = match reading.decoder(&mut input) {
            None => open.read_lines(&mut input),
            Some(decoder) => open.read_records(&mut input, decoder),
        };
        if let Err(failure) = read {
            let _ = parcels.send(Parcel::Beside(Beside::Broken(failure)));
            return;
        }
    }
}

/// The parcel that is being filled.
struct Open<'p, E> {
    input: usize,
    parcels: &'p SyncSender<Parcel<E>>,
    text: Vec<u8>,
    lines: Vec<Line>,
    events: E,
    skipped: BTreeMap<String, u64>,
}

impl<'p, E: Gather> Open<'p, E> {
    fn new(input: usize, parcels: &'p SyncSender<Parcel<E>>) -> Open<'p, E> {
        let (text, lines, skipped) = (Vec::new(), Vec::new(), BTreeMap::new());
        Open { input, parcels, text, lines, events: E::new(), skipped }
    }

    fn read_lines(&mut self, source: &mut Input) -> Result<(), Failure> {
        loop {
            let start = self.text.len();
            let next = source.next_line(&mut self.text);
            let place = Place { line: source.line_number(), record: None };
            let is_line = matches!(next, Ok(Next::Line));
            if is_line && event::is_blank(&self.text[start..]) {
                self.text.truncate(start);
            } else if is_line {
                let event = event::borrow_line(&self.text[start..]);
                let added = event.and_then(|event| {
                    self.events.push(&event).map_err(|reason| LineError::new("line", reason))
                });
                let text = start..self.text.len();
                self.lines.push(Line { place, text, error: added.err(), id: None });
            }
            let must_send = self.text.len() >= PARCEL_BYTES || source.must_wait() || !is_line;
            let rest = if is_line { Vec::new() } else { self.text.split_off(start) };
            if must_send {
                self.send()?;
            }
            match next? {
                Next::Line => {}
                Next::End => return Ok(()),
                Next::LongLine => {
                    let mut bytes = rest.len() as u64;
                    self.beside(Beside::LongPiece(rest))?;
                    while let Some(piece) = source.rest_of_line()? {
                        bytes += piece.len() as u64;
                        self.beside(Beside::LongPiece(piece))?;
                    }
                    self.beside(Beside::LongEnd { input: self.input, place, bytes })?;
                }
            }
        }
    }

    fn read_records(
        &mut self,
        source: &mut Input,
        mut decoder: Box<dyn Decode + Send>,
    ) -> Result<(), Failure> {
        loop {
            let mut sent = Ok(());
            let mut found = |found: Found<'_>| {
                if sent.is_ok() {
                    sent = self.take(found);
                }
            };
            let chunk = source.chunk()?;
            let read = chunk.len();
            let fed = match chunk {
                [] => decoder.end(&mut found),
                chunk => decoder.feed(chunk, &mut found),
            };
            source.consume(read);
            sent?;
            // What is complete is sent before the next bytes are waited for.
            if fed.is_err() || read == 0 || self.text.len() >= PARCEL_BYTES || source.must_wait() {
                self.send()?;
            }
            fed.map_err(|broken| {
                Failure::Usage(format!("{}:{broken}; what stands before it was read", source.name))
            })?;
            if read == 0 {
                return Ok(());
            }
        }
    }

    fn take(&mut self, found: Found<'_>) -> Result<(), Failure> {
        match found {
            Found::Head(head) => self.beside(Beside::Head([head, b"\n"].concat())),
            Found::Event { place, text, event } => {
                let id = Some(event.id.clone());
                let added = self.events.push_owned(*event);
                let error = added.map_err(|reason| LineError::new("line", reason)).err();
                self.line(Line { place, text: 0..0, error, id }, text);
                Ok(())
            }
            Found::Rejected { place, text, error } => {
                self.line(Line { place, text: 0..0, error: Some(error), id: None }, text);
                Ok(())
            }
            Found::Unmapped { place, text, column, word, .. } => {
                let reason = format!("{} is not among the map's words", named(word));
                let error = Some(LineError::new(column, reason));
                self.line(Line { place, text: 0..0, error, id: None }, text);
                Ok(())
            }
            Found::Skipped { what } => {
                let is_known = self.skipped.contains_key(what);
                let what =
                    if is_known || self.skipped.len() < SKIPPED_NAMES { what } else { "…" };
                *self.skipped.entry(what.to_owned()).or_default() += 1;
                Ok(())
            }
            Found::LongPiece(piece) => {
                self.send()?;
                self.beside(Beside::LongPiece(piece.to_vec()))
            }
            Found::LongEnd { place, bytes } => {
                self.beside(Beside::LongEnd { input: self.input, place, bytes })
            }
        }
    }

    /// Several things of one record share its text.
    fn line(&mut self, mut line: Line, text: &[u8]) {
        let last = self.lines.last().filter(|last| last.place == line.place);
        line.text = match last {
            Some(last) if &self.text[last.text.clone()] == text => last.text.clone(),
            _ => {
                let start = self.text.len();
                self.text.extend_from_slice(text);
                start..self.text.len()
            }
        };
        self.lines.push(line);
    }

    fn send(&mut self) -> Result<(), Failure> {
        if !self.skipped.is_empty() {
            let skipped = std::mem::take(&mut self.skipped);
            self.beside(Beside::Skipped(skipped))?;
        }
        if self.lines.is_empty() {
            return Ok(());
        }
        self.events.finish();
        // The next parcel will be about as large.
        let (next, next_lines) = (self.events.sized_alike(), Vec::with_capacity(self.lines.len()));
        let next_text = Vec::with_capacity(self.text.len());
        let lines = std::mem::replace(&mut self.lines, next_lines);
        let text = std::mem::replace(&mut self.text, next_text);
        let events = std::mem::replace(&mut self.events, next);
        self.give(Parcel::Lines { input: self.input, text, lines, events })
    }

    fn beside(&self, beside: Beside) -> Result<(), Failure> {
        self.give(Parcel::Beside(beside))
    }

    fn give(&self, parcel: Parcel<E>) -> Result<(), Failure> {
        // A failure to send means that the import has ended: nobody looks at what is returned then.
        self.parcels.send(parcel).map_err(|_| Failure::BrokenPipe)
    }
}

/// A word of somebody's file, in a reason.
pub fn named(word: &str) -> String {
    let shown: String = word.chars().take(80).collect();
    format!("`{}`", crate::show::escape::escaped(&shown))
}
