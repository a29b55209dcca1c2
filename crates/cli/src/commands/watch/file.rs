//! One file that is followed: its lines as they are completed.

use std::fs::{File, Metadata};
use std::io::{self, Read, Seek, SeekFrom};
use std::path::PathBuf;
use std::time::SystemTime;

use event::LineError;
use event::limits::LINE_BYTES;
use eventlog::Prepared;
use sources::Place;

use crate::commands::import::parcel::Line;
use crate::failure::{Failure, reason};
use crate::input::{Input, Next};
use crate::show::screen::say;

/// So much of a file is read at once: more than a line that is taken, with its line end.
const READ_BYTES: usize = 2 << 20;
/// One that lost its name may still be written to by who has it open: it is followed for so many looks
/// after the last that brought something.
const IDLE_LOOKS: u32 = 100;
/// So many bytes before the place that was reached are remembered by their hash.
const BEFORE_BYTES: u64 = 4096;

/// Which file it is, whatever its name: of one file system, until it is deleted.
pub type Identity = [u64; 2];

/// How far a file was read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Reached {
    /// The first byte that was not taken: a line begins there.
    pub offset: u64,
    /// How many lines are before it.
    pub lines: u64,
    /// Of the bytes right before it, at most [`BEFORE_BYTES`].
    pub before: [u8; 16],
}

impl Reached {
    const START: Reached = Reached { offset: 0, lines: 0, before: [0; 16] };
}

/// A file.
pub struct Followed {
    pub identity: Identity,
    pub path: PathBuf,
    /// As it is called in messages.
    pub name: String,
    pub reached: Reached,
    file: Option<File>,
    form: Form,
    /// Size and time of change when it was last read to its end.
    seen: Option<(u64, Option<SystemTime>)>,
    /// The same, at the last look.
    looked: Option<(u64, Option<SystemTime>)>,
    /// Whether it was the same at the look before.
    is_settled: bool,
    /// Looks since something came.
    idle_looks: u32,
    /// Of a line that is too long: the bytes of it that were read.
    long: u64,
    /// Whether it has been said that it is not whole.
    is_cut_said: bool,
    /// Whether nothing has its name any more.
    pub is_gone: bool,
}

/// How its lines are had.
enum Form {
    /// It is too short to say.
    Unknown,
    Plain,
    /// Of a packed file, whose lines are read while it is open.
    Packed(Option<Box<Input>>),
}

/// Something of a file.
pub enum Piece {
    /// Lines, up to and without the place `to`.
    Lines { text: Vec<u8>, lines: Vec<Line>, events: Prepared, to: Reached },
    /// Bytes of a line that is too long.
    Long(Vec<u8>),
    /// Its end.
    LongEnd { place: Place, bytes: u64, to: Reached },
}

impl Piece {
    pub fn bytes(&self) -> u64 {
        match self {
            Piece::Lines { text, .. } => text.len() as u64,
            Piece::Long(piece) => piece.len() as u64,
            Piece::LongEnd { .. } => 1,
        }
    }
}

impl Followed {
    pub fn new(
        identity: Identity,
        path: PathBuf,
        name: String,
        reached: Option<Reached>,
    ) -> Followed {
        Followed {
            identity,
            path,
            name,
            reached: reached.unwrap_or(Reached::START),
            file: None,
            form: Form::Unknown,
            seen: None,
            looked: None,
            is_settled: false,
            idle_looks: 0,
            long: 0,
            is_cut_said: false,
            is_gone: false,
        }
    }

    /// Whether its last line has no line end yet.
    pub fn has_half_line(&self) -> bool {
        matches!(self.form, Form::Plain)
            && self.seen.is_some_and(|(len, _)| len > self.reached.offset)
    }

    /// Whether it is open: one that is gone is read to its end only then.
    pub fn is_open(&self) -> bool {
        self.file.is_some()
    }

    /// Gives its file back, to be opened again when it grows.
    pub fn close(&mut self) {
        self.file = None;
    }

    pub fn changed_at(&self) -> Option<SystemTime> {
        self.looked.and_then(|(_, changed)| changed)
    }

    /// Looks how large it is now.
    pub fn look(&mut self) {
        let now = self.size_and_change();
        self.is_settled = now.is_some() && now == self.looked;
        self.looked = now;
        self.idle_looks = if self.looked == self.seen { self.idle_looks + 1 } else { 0 };
    }

    /// Whether it may have something to read: it is not as it was when it was last read to its end.
    pub fn has_news(&self, is_once: bool) -> bool {
        match self.form {
            _ if self.looked.is_none() => false,
            Form::Packed(Some(_)) => true,
            Form::Packed(None) => self.seen != self.looked && (self.is_settled || is_once),
            Form::Unknown | Form::Plain => self.seen != self.looked,
        }
    }

    /// Whether nothing has its name any more, and nothing has come for long.
    pub fn is_over(&self) -> bool {
        self.is_gone && (!self.is_open() || self.idle_looks > IDLE_LOOKS)
    }

    fn size_and_change(&self) -> Option<(u64, Option<SystemTime>)> {
        let metadata = match &self.file {
            Some(file) => file.metadata().ok()?,
            None => {
                let metadata = std::fs::metadata(&self.path).ok()?;
                // Something else has the name by now: the next listing says so.
                if identity(&metadata, &self.path) != self.identity {
                    return None;
                }
                metadata
            }
        };
        Some((metadata.len(), metadata.modified().ok()))
    }

    /// What comes next; nothing when it is read as far as it goes.
    pub fn next_piece(&mut self, is_once: bool) -> Result<Option<Piece>, Failure> {
        let read = match self.form {
            Form::Packed(Some(_)) => return self.packed_or_later(),
            _ if !self.has_news(is_once) => return Ok(None),
            _ => self.begin(is_once),
        };
        match read {
            Ok(true) if matches!(self.form, Form::Packed(_)) => self.packed_or_later(),
            Ok(true) => self.next_plain().or_else(|error| self.passed_over(&error)),
            Ok(false) => Ok(None),
            Err(error) => self.passed_over(&error),
        }
    }

    /// A file that cannot be read now does not stop the others.
    fn passed_over(&mut self, error: &io::Error) -> Result<Option<Piece>, Failure> {
        if !std::mem::replace(&mut self.is_cut_said, true) {
            say(format!("{}: cannot read on: {}", self.name, reason(error)));
        }
        self.seen = self.looked;
        Ok(None)
    }

    /// Opens it and holds it against what was read of it. False if there is nothing to read now.
    fn begin(&mut self, is_once: bool) -> io::Result<bool> {
        let file = match self.file.take() {
            Some(file) => file,
            None => File::open(&self.path)?,
        };
        if identity(&file.metadata()?, &self.path) != self.identity {
            return Ok(false);
        }
        let file = self.file.insert(file);
        let now = (file.metadata()?.len(), file.metadata()?.modified().ok());
        if now.0 < self.reached.offset + self.long {
            let (name, len, offset) = (&self.name, now.0, self.reached.offset);
            say(format!(
                "{name}: was cut to {len} bytes, and {offset} had been read: it is read from its beginning"
            ));
            self.restart();
        } else if self.reached.offset > 0 && !self.is_as_before()? {
            let name = &self.name;
            say(format!("{name}: was written anew: it is read from its beginning"));
            self.restart();
        }
        if let Form::Unknown = self.form {
            let Some(is_packed) = self.is_packed()? else {
                self.seen = self.looked;
                return Ok(false);
            };
            self.form = if is_packed { Form::Packed(None) } else { Form::Plain };
        }
        if !matches!(self.form, Form::Packed(_)) {
            return Ok(true);
        }
        if self.reached.offset == now.0 {
            self.seen = self.looked;
            return Ok(false);
        }
        // Somebody may be writing it: it has to stay the same from a look to the next.
        if !self.is_settled && !is_once {
            return Ok(false);
        }
        self.open_packed()
    }

    fn restart(&mut self) {
        (self.reached, self.long, self.form) = (Reached::START, 0, Form::Unknown);
    }

    /// Whether the bytes before the place that was reached are those that were there.
    fn is_as_before(&mut self) -> io::Result<bool> {
        Ok(self.before(self.reached.offset)? == self.reached.before)
    }

    fn before(&mut self, offset: u64) -> io::Result<[u8; 16]> {
        let from = offset.saturating_sub(BEFORE_BYTES);
        let mut bytes = vec![0; (offset - from) as usize];
        let file = self.file.as_mut().expect("it is open");
        file.seek(SeekFrom::Start(from))?;
        file.read_exact(&mut bytes)?;
        Ok(*blake3::hash(&bytes).as_bytes().first_chunk().expect("16 of 32 bytes"))
    }

    /// By its first bytes; nothing while they may become those of a packed file.
    fn is_packed(&mut self) -> io::Result<Option<bool>> {
        let file = self.file.as_mut().expect("it is open");
        file.seek(SeekFrom::Start(0))?;
        let mut first = Vec::new();
        file.take(4).read_to_end(&mut first)?;
        Ok(match first[..] {
            [0x1f, 0x8b, ..] | [0x28, 0xb5, 0x2f, 0xfd] | [0x50..=0x5f, 0x2a, 0x4d, 0x18] => {
                Some(true)
            }
            [] | [0x1f] | [0x28] | [0x28, 0xb5] | [0x28, 0xb5, 0x2f] => None,
            [0x50..=0x5f] | [0x50..=0x5f, 0x2a] | [0x50..=0x5f, 0x2a, 0x4d] => None,
            _ => Some(false),
        })
    }

    fn next_plain(&mut self) -> io::Result<Option<Piece>> {
        let file = self.file.as_mut().expect("it is open");
        file.seek(SeekFrom::Start(self.reached.offset + self.long))?;
        let mut text = Vec::new();
        file.take(READ_BYTES as u64).read_to_end(&mut text)?;
        if self.long > 0 {
            return self.rest_of_long(text);
        }
        let Some(end) = memchr::memrchr(b'\n', &text) else {
            if text.len() > LINE_BYTES + 1 {
                self.long = text.len() as u64;
                return Ok(Some(Piece::Long(text)));
            }
            self.seen = self.looked;
            return Ok(None);
        };
        text.truncate(end + 1);
        let mut lines = Vec::new();
        let mut events = Prepared::new();
        let mut number = self.reached.lines;
        let mut start = 0;
        while let Some(length) = memchr::memchr(b'\n', &text[start..]) {
            number += 1;
            let range = start..start + length;
            start += length + 1;
            add_line(&text, range, number, &mut lines, &mut events);
        }
        events.finish();
        let offset = self.reached.offset + text.len() as u64;
        let to = Reached { offset, lines: number, before: self.before(offset)? };
        Ok(Some(Piece::Lines { text, lines, events, to }))
    }

    /// Reads over a line that is too long; where it has no end yet it goes on there next time.
    fn rest_of_long(&mut self, mut text: Vec<u8>) -> io::Result<Option<Piece>> {
        if text.is_empty() {
            self.seen = self.looked;
            return Ok(None);
        }
        match memchr::memchr(b'\n', &text) {
            // The line end is read once more, alone, when all before it was given.
            Some(0) => {
                let bytes = self.long;
                let offset = self.reached.offset + bytes + 1;
                let lines = self.reached.lines + 1;
                let to = Reached { offset, lines, before: self.before(offset)? };
                let place = Place { line: lines, record: None };
                self.long = 0;
                Ok(Some(Piece::LongEnd { place, bytes, to }))
            }
            end => {
                text.truncate(end.unwrap_or(text.len()));
                self.long += text.len() as u64;
                Ok(Some(Piece::Long(text)))
            }
        }
    }

    /// Opens a packed file that is whole: it is unpacked once to see that.
    fn open_packed(&mut self) -> io::Result<bool> {
        let open = || Input::open(&self.path);
        let is_whole = open().and_then(|mut input| {
            loop {
                let read = input.chunk()?.len();
                if read == 0 {
                    return Ok(());
                }
                input.consume(read);
            }
        });
        match is_whole.and_then(|()| open()) {
            Ok(input) => {
                self.form = Form::Packed(Some(Box::new(input)));
                Ok(true)
            }
            Err(failure) => {
                if !std::mem::replace(&mut self.is_cut_said, true) {
                    let said = failure.message().unwrap_or_default().to_owned();
                    let said = said.trim_end_matches("; what stands before it was read");
                    say(format!("{said}; it is waited for until it is whole"));
                }
                self.seen = self.looked;
                Ok(false)
            }
        }
    }

    /// One that cannot be read on after all is left until it changes.
    fn packed_or_later(&mut self) -> Result<Option<Piece>, Failure> {
        self.next_packed().or_else(|failure| {
            say(failure.message().unwrap_or_default());
            (self.form, self.seen, self.long) = (Form::Packed(None), self.looked, 0);
            Ok(None)
        })
    }

    fn next_packed(&mut self) -> Result<Option<Piece>, Failure> {
        let Form::Packed(Some(input)) = &mut self.form else { return Ok(None) };
        let (mut text, mut lines, mut events) = (Vec::new(), Vec::new(), Prepared::new());
        let mut is_end = false;
        while text.len() < READ_BYTES {
            let start = text.len();
            let next = if self.long > 0 { Next::LongLine } else { input.next_line(&mut text)? };
            match next {
                Next::Line => {
                    let number = input.line_number();
                    add_line(&text, start..text.len(), number, &mut lines, &mut events);
                    text.push(b'\n');
                }
                Next::LongLine if self.long == 0 && start > 0 => {
                    // What came before it is given first.
                    let rest = text.split_off(start);
                    self.long = rest.len() as u64;
                    break;
                }
                Next::LongLine => {
                    let beginning = text.split_off(start);
                    self.long += beginning.len() as u64;
                    if !beginning.is_empty() {
                        return Ok(Some(Piece::Long(beginning)));
                    }
                    if let Some(piece) = input.rest_of_line()? {
                        self.long += piece.len() as u64;
                        return Ok(Some(Piece::Long(piece)));
                    }
                    let place = Place { line: input.line_number(), record: None };
                    let bytes = std::mem::take(&mut self.long);
                    return Ok(Some(Piece::LongEnd { place, bytes, to: self.reached }));
                }
                Next::End => {
                    is_end = true;
                    break;
                }
            }
        }
        events.finish();
        let mut to = self.reached;
        if is_end {
            self.form = Form::Packed(None);
            let (len, _) = self.looked.unwrap_or_default();
            to.offset = len;
            let before = self.before(len);
            to.before = before.map_err(|error| Failure::file(&self.path, "read it", &error))?;
            self.seen = self.looked;
        }
        Ok(Some(Piece::Lines { text, lines, events, to }))
    }

    /// What is before this place was answered for.
    pub fn move_to(&mut self, to: Reached) {
        self.reached = to;
        self.is_cut_said = false;
    }
}

fn add_line(
    text: &[u8],
    range: std::ops::Range<usize>,
    number: u64,
    lines: &mut Vec<Line>,
    events: &mut Prepared,
) {
    let line = &text[range.clone()];
    if event::is_blank(line) {
        return;
    }
    let event = event::borrow_line(line);
    let added = event
        .and_then(|event| events.push(&event).map_err(|reason| LineError::new("line", reason)));
    let place = Place { line: number, record: None };
    lines.push(Line { place, text: range, error: added.err(), id: None });
}

/// Which file it is.
#[cfg(unix)]
pub fn identity(metadata: &Metadata, _: &std::path::Path) -> Identity {
    use std::os::unix::fs::MetadataExt;
    [metadata.dev(), metadata.ino()]
}

/// Which file it is: by its name, where there is nothing better.
#[cfg(not(unix))]
pub fn identity(_: &Metadata, path: &std::path::Path) -> Identity {
    let hash = blake3::hash(path.as_os_str().as_encoded_bytes());
    let number = |at: usize| {
        u64::from_le_bytes(*hash.as_bytes()[at..].first_chunk().expect("8 of 32 bytes"))
    };
    [number(0), number(8)]
}
