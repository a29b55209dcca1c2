//! Lines from files and standard input: plain, gzip or zstd, told by their first bytes.
//!
//! A line is held only up to the limit of an event line; of a longer one the rest is passed on in
//! pieces. The last line needs no line end, unless what it comes from was cut.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Chain, Cursor, Read};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use event::LineError;
use event::limits::LINE_BYTES;
use flate2::bufread::MultiGzDecoder;
use sources::Sizes;

use crate::failure::{Failure, reason};
use crate::show::escape::escaped_path;

/// What of a line is held: one that is taken, and the `\r` before its line end.
const HELD_BYTES: usize = LINE_BYTES + 1;
/// Of what is read first, so much is looked at.
const FIRST_BYTES: usize = 64 << 10;
/// Bytes read at once.
const BUFFER_BYTES: usize = 1 << 17;

/// An input that is open and known to begin as what it says it is.
pub struct Input {
    /// As it is called in messages.
    pub name: String,
    text: BufReader<Box<dyn Read + Send>>,
    packed: Option<&'static str>,
    /// How many bytes of the file have been read, before unpacking.
    pub read_bytes: Arc<AtomicU64>,
    /// How many it has, if that is known.
    pub total_bytes: Option<u64>,
    /// Of a git history: who tells how large contents are.
    pub sizes: Option<Sizes>,
    line: u64,
}

/// What came next.
pub enum Next {
    /// A whole line, without its line end.
    Line,
    /// The beginning of a line that is longer than the limit: [`Input::rest_of_line`] has the rest.
    LongLine,
    /// The end.
    End,
}

impl Input {
    /// Opens a file, or standard input for `-`, and reads its beginning.
    pub fn open(path: &Path) -> Result<Input, Failure> {
        let fail = |error: io::Error| Failure::file(path, "read it", &error);
        if path.as_os_str() == "-" {
            return Input::of("-".to_owned(), io::stdin(), None).map_err(fail);
        }
        let file = File::open(path).map_err(fail)?;
        let metadata = file.metadata().map_err(fail)?;
        if metadata.is_dir() {
            let path = escaped_path(path);
            return Err(Failure::Usage(format!(
                "{path}: a folder, not a file; name the files in it"
            )));
        }
        let total = metadata.is_file().then_some(metadata.len());
        Input::of(escaped_path(path), file, total).map_err(fail)
    }

    /// Reads from `source`, called `name`.
    pub fn of(
        name: String,
        source: impl Read + Send + 'static,
        total_bytes: Option<u64>,
    ) -> io::Result<Input> {
        let read_bytes = Arc::new(AtomicU64::new(0));
        let mut source = Counted { source, read_bytes: Arc::clone(&read_bytes) };
        let first = first_bytes(&mut source)?;
        let magic = first[..first.len().min(4)].to_vec();
        let source: Chain<Cursor<Vec<u8>>, _> = Cursor::new(first).chain(source);
        let (packed, text): (_, Box<dyn Read + Send>) = match magic[..] {
            [0x1f, 0x8b, ..] => {
                let source = BufReader::with_capacity(BUFFER_BYTES, source);
                (Some("gzip"), Box::new(MultiGzDecoder::new(source)))
            }
            // A frame, or one to be skipped, in front of the first (RFC 8878, section 3.1).
            [0x28, 0xb5, 0x2f, 0xfd] | [0x50..=0x5f, 0x2a, 0x4d, 0x18] => {
                let source = BufReader::with_capacity(BUFFER_BYTES, source);
                (Some("zstd"), Box::new(zstd::stream::read::Decoder::with_buffer(source)?))
            }
            _ => (None, Box::new(source)),
        };
        let mut input = Input {
            name,
            text: BufReader::with_capacity(BUFFER_BYTES, text),
            packed,
            read_bytes,
            total_bytes,
            sizes: None,
            line: 0,
        };
        // What only looks like a packed file is found before anything is done with it.
        if let Err(error) = input.text.fill_buf() {
            return Err(io::Error::other(input.damage(&error)));
        }
        Ok(input)
    }

    /// The number of the line that came last, from 1, blank ones counted.
    pub fn line_number(&self) -> u64 {
        self.line
    }

    /// What it begins with, as far as it has been read, unpacked.
    pub fn start(&self) -> &[u8] {
        self.text.buffer()
    }

    /// The bytes that come next, for those who read no lines; none at the end.
    pub fn chunk(&mut self) -> Result<&[u8], Failure> {
        loop {
            match self.text.fill_buf() {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => {
                    let (name, damage) = (&self.name, self.damage(&error));
                    let reason = format!("{name}: {damage}; what stands before it was read");
                    return Err(Failure::Usage(reason));
                }
                // Borrowed anew: the borrow of a loop would last as long as what is returned.
                Ok(_) => return Ok(self.text.buffer()),
            }
        }
    }

    /// So many of them are taken.
    pub fn consume(&mut self, bytes: usize) {
        self.text.consume(bytes);
    }

    /// Whether the next line may have to be waited for.
    pub fn must_wait(&self) -> bool {
        memchr::memchr(b'\n', self.text.buffer()).is_none()
    }

    /// Appends the next line to `out`.
    pub fn next_line(&mut self, out: &mut Vec<u8>) -> Result<Next, Failure> {
        let start = out.len();
        loop {
            let buffer = match self.text.fill_buf() {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => return Err(self.broken(&error)),
                Ok(buffer) => buffer,
            };
            if buffer.is_empty() {
                if out.len() == start {
                    return Ok(Next::End);
                }
                self.line += 1;
                return Ok(Next::Line);
            }
            let most = HELD_BYTES + 1 - (out.len() - start);
            let end = memchr::memchr(b'\n', &buffer[..buffer.len().min(most)]);
            let taken = end.unwrap_or(buffer.len().min(most));
            out.extend_from_slice(&buffer[..taken]);
            self.text.consume(taken + usize::from(end.is_some()));
            if end.is_some() {
                self.line += 1;
                return Ok(Next::Line);
            }
            if out.len() - start > HELD_BYTES {
                self.line += 1;
                return Ok(Next::LongLine);
            }
        }
    }

    /// The next piece of a line that is too long; `None` at its end.
    pub fn rest_of_line(&mut self) -> Result<Option<Vec<u8>>, Failure> {
        loop {
            let buffer = match self.text.fill_buf() {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => {
                    self.line -= 1;
                    return Err(self.broken(&error));
                }
                Ok(buffer) => buffer,
            };
            let end = buffer.iter().position(|byte| *byte == b'\n');
            let piece = buffer[..end.unwrap_or(buffer.len())].to_vec();
            if end == Some(0) || buffer.is_empty() {
                let line_end = usize::from(end.is_some());
                self.text.consume(line_end);
                return Ok(None);
            }
            self.text.consume(piece.len());
            return Ok(Some(piece));
        }
    }

    /// What is wrong with a line that is too long, of which `begun` bytes came: the rest is passed over.
    pub fn long_line(&mut self, begun: usize) -> Result<LineError, Failure> {
        let mut bytes = begun;
        while let Some(piece) = self.rest_of_line()? {
            bytes += piece.len();
        }
        let reason = format!("must be at most {LINE_BYTES} bytes long, found {bytes}");
        Ok(LineError::new("line", reason))
    }

    fn broken(&self, error: &io::Error) -> Failure {
        let (name, line) = (&self.name, self.line + 1);
        Failure::Usage(format!(
            "{name}:{line}: {}; the lines before it were taken",
            self.damage(error)
        ))
    }

    fn damage(&self, error: &io::Error) -> String {
        match self.packed {
            Some(packed) => format!("damaged or cut as {packed}: {}", reason(error)),
            None => format!("cannot read on: {}", reason(error)),
        }
    }
}

/// What is there at once, but 4 bytes at least: enough to tell what it is.
fn first_bytes(source: &mut impl Read) -> io::Result<Vec<u8>> {
    let mut first = vec![0; FIRST_BYTES];
    let mut n = 0;
    while n < 4 {
        match source.read(&mut first[n..]) {
            Ok(0) => break,
            Ok(read) => n += read,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    first.truncate(n);
    Ok(first)
}

struct Counted<R> {
    source: R,
    read_bytes: Arc<AtomicU64>,
}

impl<R: Read> Read for Counted<R> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        let read = self.source.read(out)?;
        self.read_bytes.fetch_add(read as u64, Ordering::Relaxed);
        Ok(read)
    }
}

/// Opens all, before anything is done with the first; standard input at most once.
pub fn open_all(paths: &[PathBuf]) -> Result<Vec<Input>, Failure> {
    if paths.iter().filter(|path| path.as_os_str() == "-").count() > 1 {
        return Err(Failure::Usage("-: standard input can be read once; name it once".to_owned()));
    }
    paths.iter().map(|path| Input::open(path)).collect()
}
