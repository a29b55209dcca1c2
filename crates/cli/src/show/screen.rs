//! Standard output: buffered, coloured or not, as wide as it is.

use std::fmt::Display;
use std::io::{self, BufWriter, IsTerminal, Stdout, Write};

use anstream::ColorChoice;
use anstyle::Style;
use serde::Serialize;

use super::escape::escaped;
use super::table::Cell;
use crate::failure::{Failure, reason};

/// Standard output.
pub struct Screen {
    out: BufWriter<Stdout>,
    /// Whether colours are wanted: on a terminal unless `NO_COLOR` is set, and on anything with
    /// `CLICOLOR_FORCE`.
    coloured: bool,
    /// Columns to fold to: `COLUMNS`, else the terminal's; `None` elsewhere, where nothing is folded.
    pub width: Option<usize>,
}

impl Screen {
    /// Looks at what standard output is.
    pub fn new() -> Screen {
        let stdout = io::stdout();
        let coloured = anstream::AutoStream::choice(&stdout) != ColorChoice::Never;
        let asked = std::env::var("COLUMNS").ok().and_then(|columns| columns.parse().ok());
        let asked = asked.filter(|columns| *columns > 0);
        let terminal = || stdout.is_terminal().then(terminal_size::terminal_size).flatten();
        let width = asked.or_else(|| terminal().map(|(columns, _)| usize::from(columns.0)));
        let width = width.map(|columns| columns.max(20));
        Screen { out: BufWriter::with_capacity(1 << 16, stdout), coloured, width }
    }

    /// Whether colours are wanted.
    pub fn is_coloured(&self) -> bool {
        self.coloured
    }

    /// `text` in `style`, if colours are wanted.
    pub fn styled(&self, text: impl Display, style: Style) -> String {
        if self.coloured && style != Style::new() {
            format!("{style}{text}{style:#}")
        } else {
            text.to_string()
        }
    }

    /// Writes a line.
    pub fn line(&mut self, text: impl Display) -> Result<(), Failure> {
        writeln!(self.out, "{text}").map_err(failed)
    }

    /// Writes a value as a line of JSON.
    pub fn json(&mut self, value: &impl Serialize) -> Result<(), Failure> {
        serde_json::to_writer(&mut self.out, value)
            .map_err(|error| failed(error.into()))
            .and_then(|()| self.line(""))
    }

    /// Writes bytes as they are.
    pub fn bytes(&mut self, bytes: &[u8]) -> Result<(), Failure> {
        self.out.write_all(bytes).map_err(failed)
    }

    /// Sends on what is buffered.
    pub fn flush(&mut self) -> Result<(), Failure> {
        self.out.flush().map_err(failed)
    }
}

fn failed(error: io::Error) -> Failure {
    match error.kind() {
        io::ErrorKind::BrokenPipe => Failure::BrokenPipe,
        _ => Failure::Usage(format!("standard output: cannot write: {}", reason(&error))),
    }
}

/// A line of a list, made ready on whichever thread.
pub enum Line {
    /// With its line end.
    Json(Vec<u8>),
    Row(Vec<Cell>),
}

/// A value as a line of JSON, with its line end.
pub fn json_line(value: &impl Serialize) -> Vec<u8> {
    let mut line = serde_json::to_vec(value).expect("rows of answers are JSON");
    line.push(b'\n');
    line
}

/// Says something on standard error. Nobody listening there is no error.
pub fn say(message: impl Display) {
    let message = message.to_string();
    let lines: Vec<_> = message.split('\n').map(escaped).collect();
    let _ = writeln!(io::stderr(), "stillthere: {}", lines.join("\n"));
}
