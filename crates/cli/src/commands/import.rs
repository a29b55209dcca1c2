//! `import`: event lines from files into the log.
//!
//! One thread reads and parses, one gives events their places, this one waits until they are on the disk
//! and answers for them: while a batch is written the next is made, of what is ready by then.

use std::fs::{File, OpenOptions};
use std::io::{self, BufWriter, IsTerminal, Write};
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::time::{Duration, Instant};

use event::LineError;
use event::limits::LINE_BYTES;
use eventlog::{Log, Options, Outcome as Appended, Pending, Prepared, Recovery};
use serde::Serialize;

use crate::args::ImportArgs;
use crate::failure::{Failure, Outcome};
use crate::input::{Input, Next, open_all};
use crate::output::{refuse_in_store, refuse_inputs};
use crate::question::{Question, now};
use crate::show::amount::{count, counted};
use crate::show::escape::{escaped, escaped_path};
use crate::show::progress::Progress;
use crate::show::screen::{Screen, say};

/// A parcel is sent on when it has this many bytes, or when the next line is not there yet.
const PARCEL_BYTES: usize = 1 << 18;
/// Parcels that wait to be staged.
const PARCELS_WAITING: usize = 4;
/// Parcels that wait to be durable: several batches of them.
const PARCELS_STAGED: usize = 32;
/// How long a thread waits before it looks whether the import was interrupted.
const PATIENCE: Duration = Duration::from_millis(50);

pub fn run(
    args: &ImportArgs,
    question: &Question,
    screen: &mut Screen,
) -> Result<Outcome, Failure> {
    let started = Instant::now();
    let inputs = open_all(&args.files)?;
    let rejects = args.rejects.as_deref();
    let rejects = rejects.map(|path| Rejects::open(path, &args.files, &question.store));
    let rejects = rejects.transpose()?;
    let mut options = Options::new(now);
    options.trust_recorded_at = args.trust_recorded_at;
    options.strict_tail = args.strict_tail;
    let log = Log::open(&question.store, options)?;
    if let Recovery::Recovered { cut, kept_in } = log.recovery() {
        let stopped = "the last import was stopped in the middle of a write";
        say(match (cut, kept_in) {
            (0, None) => "HEAD was put right: one of its two slots was damaged".to_owned(),
            (0, Some(file)) => format!("{stopped}: a segment without an event is kept in {file}"),
            (cut, kept_in) => {
                let kept = kept_in.as_ref().map(|file| format!(", and are kept in {file}"));
                format!(
                    "{stopped}: {} that nobody was told of were cut off{}",
                    counted(*cut, "byte"),
                    kept.unwrap_or_default()
                )
            }
        });
    }
    if let Some(rejects) = &rejects {
        rejects.empty()?;
    }
    let interrupted = catch_interrupts();
    let names: Vec<String> = inputs.iter().map(|input| input.name.clone()).collect();
    let totals: Option<Vec<u64>> = inputs.iter().map(|input| input.total_bytes).collect();
    let progress = Progress::of_bytes(totals.map(|totals| totals.iter().sum()));
    let read_bytes: Vec<Arc<AtomicU64>> =
        inputs.iter().map(|input| Arc::clone(&input.read_bytes)).collect();
    let (sender, parcels) = sync_channel(PARCELS_WAITING);
    // Not joined: on Ctrl-C it may be waiting for a line that never comes.
    let named = std::thread::Builder::new().name("read".to_owned());
    named.spawn(move || read(inputs, &sender)).expect("a thread can be started");

    let mut import = Import {
        log: &log,
        names: &names,
        progress: &progress,
        rejects,
        acks: args.acks.then_some(&mut *screen),
        tally: Tally::default(),
        broken: None,
    };
    let is_whole = std::thread::scope(|scope| {
        let (sender, staged) = sync_channel(PARCELS_STAGED);
        let (log, interrupted) = (&log, &*interrupted);
        let named = std::thread::Builder::new().name("stage".to_owned());
        named
            .spawn_scoped(scope, move || stage(log, &parcels, &sender, interrupted))
            .expect("a thread can be started");
        import.take(&staged, interrupted, &read_bytes)
    })?;
    let Import { rejects, mut tally, broken, .. } = import;
    progress.end();
    if let Some(rejects) = rejects {
        rejects.end()?;
    }
    tally.size = log.size();
    log.close()?;

    if question.json || args.acks {
        screen.json(&tally)?;
    } else {
        screen.line(tally.sentence(started.elapsed(), question))?;
        if tally.appended > 0 && tally.appended == tally.size && io::stdout().is_terminal() {
            screen.flush()?;
            say(question.pick(
                "`stillthere accounts` lists what was imported",
                "用 `stillthere accounts` 查看导入的账号",
            ));
        }
    }
    if let Some(failure) = broken {
        return Err(failure);
    }
    if !is_whole {
        return Err(Failure::Interrupted(format!(
            "interrupted after {}, which {} safe; run the same command again to go on",
            counted(tally.read, "line"),
            if tally.read == 1 { "is" } else { "are" }
        )));
    }
    Ok(if tally.rejected == 0 { Outcome::Fine } else { Outcome::BadNews })
}

/// What became of the lines.
#[derive(Debug, Default, Serialize)]
struct Tally {
    /// Lines that were not blank.
    read: u64,
    appended: u64,
    duplicates: u64,
    rejected: u64,
    /// Events in the log.
    size: u64,
}

impl Tally {
    fn sentence(&self, elapsed: Duration, question: &Question) -> String {
        let took = elapsed.as_secs_f64();
        let seconds = format!("{took:.2}");
        let [appended, rejected] = [self.appended, self.rejected].map(count);
        // Of a short run it says more of the start than of the import.
        let rate = (took >= 1.0).then(|| count((self.read as f64 / took) as u64));
        let (en_rate, zh_rate) = rate.map_or_else(Default::default, |rate| {
            (format!(" ({rate} a second)"), format!("（每秒 {rate} 行）"))
        });
        question.pick(
            format!(
                "{} read in {seconds} s{en_rate}: {appended} appended, {}, {rejected} rejected. The \
                 log holds {}.",
                counted(self.read, "line"),
                counted(self.duplicates, "duplicate"),
                counted(self.size, "event")
            ),
            format!(
                "读取 {} 行，用时 {seconds} 秒{zh_rate}：新增 {appended}，重复 {}，拒绝 {rejected}。日志现有 \
                 {} 条事件。",
                count(self.read),
                count(self.duplicates),
                count(self.size)
            ),
        )
    }
}

/// What the reading thread sends, and the staging one sends on: lines go with events first, then with
/// what awaits them.
enum Parcel<Events> {
    /// Lines of one input, that are not blank.
    Lines { input: usize, text: Vec<u8>, lines: Vec<Line>, events: Events },
    /// A line that is too long, in pieces.
    LongLine(Vec<u8>),
    /// Its end.
    LongLineEnd { input: usize, line: u64, bytes: usize },
    /// An input that cannot be read to its end.
    Broken(Failure),
    /// The log takes nothing more.
    Failed(Failure),
}

struct Line {
    number: u64,
    /// Where it stands in the parcel's text.
    text: Range<usize>,
    /// Why it is no event.
    error: Option<LineError>,
}

/// Reads the inputs to their ends, or until nobody takes the parcels any more.
fn read(inputs: Vec<Input>, parcels: &SyncSender<Parcel<Prepared>>) {
    for (number, mut input) in inputs.into_iter().enumerate() {
        if let Err(failure) = read_one(number, &mut input, parcels) {
            let _ = parcels.send(Parcel::Broken(failure));
            return;
        }
    }
}

fn read_one(
    input: usize,
    source: &mut Input,
    parcels: &SyncSender<Parcel<Prepared>>,
) -> Result<(), Failure> {
    // A failure to send means that the import has ended: nobody looks at what is returned then.
    let gone = |_| Failure::BrokenPipe;
    let mut text = Vec::new();
    let mut lines = Vec::new();
    let mut events = Prepared::new();
    loop {
        let start = text.len();
        let next = source.next_line(&mut text);
        let number = source.line_number();
        let is_line = matches!(next, Ok(Next::Line));
        if is_line && event::is_blank(&text[start..]) {
            text.truncate(start);
        } else if is_line {
            let event = event::borrow_line(&text[start..]);
            let added = event.and_then(|event| {
                events.push(&event).map_err(|reason| LineError::new("line", reason))
            });
            lines.push(Line { number, text: start..text.len(), error: added.err() });
        }
        let must_send = text.len() >= PARCEL_BYTES || source.must_wait() || !is_line;
        let rest = if is_line { Vec::new() } else { text.split_off(start) };
        if must_send && !lines.is_empty() {
            events.finish();
            // The next parcel will be about as large.
            let (next, next_lines) = (events.sized_alike(), Vec::with_capacity(lines.len()));
            let next_text = Vec::with_capacity(text.len());
            let lines = std::mem::replace(&mut lines, next_lines);
            let text = std::mem::replace(&mut text, next_text);
            let events = std::mem::replace(&mut events, next);
            parcels.send(Parcel::Lines { input, text, lines, events }).map_err(gone)?;
        }
        match next? {
            Next::Line => {}
            Next::End => return Ok(()),
            Next::LongLine => {
                let mut bytes = rest.len();
                parcels.send(Parcel::LongLine(rest)).map_err(gone)?;
                while let Some(piece) = source.rest_of_line()? {
                    bytes += piece.len();
                    parcels.send(Parcel::LongLine(piece)).map_err(gone)?;
                }
                parcels.send(Parcel::LongLineEnd { input, line: number, bytes }).map_err(gone)?;
            }
        }
    }
}

/// Stages what comes, until nobody takes it any more.
fn stage(
    log: &Log,
    parcels: &Receiver<Parcel<Prepared>>,
    staged: &SyncSender<Parcel<Pending>>,
    interrupted: &AtomicBool,
) {
    while !interrupted.load(Ordering::Relaxed) {
        let parcel = match parcels.recv_timeout(PATIENCE) {
            Ok(parcel) => parcel,
            Err(RecvTimeoutError::Timeout) => continue,
            Err(RecvTimeoutError::Disconnected) => return,
        };
        let parcel = match parcel {
            Parcel::Lines { input, text, lines, events } => match log.stage(events) {
                Ok(events) => Parcel::Lines { input, text, lines, events },
                Err(error) => Parcel::Failed(error.into()),
            },
            Parcel::LongLine(piece) => Parcel::LongLine(piece),
            Parcel::LongLineEnd { input, line, bytes } => {
                Parcel::LongLineEnd { input, line, bytes }
            }
            Parcel::Broken(failure) => Parcel::Broken(failure),
            Parcel::Failed(failure) => Parcel::Failed(failure),
        };
        let is_end = matches!(parcel, Parcel::Failed(_));
        if staged.send(parcel).is_err() || is_end {
            return;
        }
    }
}

struct Import<'a> {
    log: &'a Log,
    names: &'a [String],
    progress: &'a Progress,
    rejects: Option<Rejects>,
    /// Where to say what is durable, until nobody listens.
    acks: Option<&'a mut Screen>,
    tally: Tally,
    broken: Option<Failure>,
}

impl Import<'_> {
    /// Answers for what comes. False if it was interrupted.
    fn take(
        &mut self,
        staged: &Receiver<Parcel<Pending>>,
        interrupted: &AtomicBool,
        read_bytes: &[Arc<AtomicU64>],
    ) -> Result<bool, Failure> {
        while !interrupted.load(Ordering::Relaxed) {
            match staged.recv_timeout(PATIENCE) {
                Ok(parcel) => self.take_one(parcel)?,
                Err(RecvTimeoutError::Timeout) => continue,
                Err(RecvTimeoutError::Disconnected) => {
                    return Ok(!interrupted.load(Ordering::Relaxed));
                }
            }
            self.progress.at(read_bytes.iter().map(|read| read.load(Ordering::Relaxed)).sum());
        }
        // What was staged till then will be in the log: it is answered for too.
        staged.iter().try_for_each(|parcel| self.take_one(parcel))?;
        Ok(false)
    }

    fn take_one(&mut self, parcel: Parcel<Pending>) -> Result<(), Failure> {
        match parcel {
            Parcel::Lines { input, text, lines, events } => {
                let outcomes = self.log.wait(events)?;
                let is_any = !outcomes.is_empty();
                self.answer(input, &text, lines, outcomes)?;
                if is_any {
                    self.acknowledge();
                }
            }
            Parcel::LongLine(piece) => {
                if let Some(rejects) = &mut self.rejects {
                    rejects.write(&piece)?;
                }
            }
            Parcel::LongLineEnd { input, line, bytes } => {
                self.tally.read += 1;
                self.tally.rejected += 1;
                let name = &self.names[input];
                let reason = format!("must be at most {LINE_BYTES} bytes long, found {bytes}");
                self.progress.write(format!("{name}:{line}: line: {reason}\n").as_bytes());
                if let Some(rejects) = &mut self.rejects {
                    rejects.write(b"\n")?;
                }
            }
            Parcel::Broken(failure) => self.broken = Some(failure),
            Parcel::Failed(failure) => return Err(failure),
        }
        Ok(())
    }

    fn answer(
        &mut self,
        input: usize,
        text: &[u8],
        lines: Vec<Line>,
        outcomes: Vec<Appended>,
    ) -> Result<(), Failure> {
        let mut outcomes = outcomes.into_iter();
        let mut said = Vec::new();
        for Line { number, text: range, error } in lines {
            self.tally.read += 1;
            let error = match error {
                Some(error) => error,
                None => match outcomes.next().expect("an outcome an event") {
                    Appended::Appended { .. } => {
                        self.tally.appended += 1;
                        continue;
                    }
                    Appended::Duplicate { .. } => {
                        self.tally.duplicates += 1;
                        continue;
                    }
                    Appended::Conflict { position } => conflict(&text[range.clone()], position),
                },
            };
            self.tally.rejected += 1;
            let _ = writeln!(said, "{}:{number}: {error}", self.names[input]);
            if let Some(rejects) = &mut self.rejects {
                rejects.write(&text[range])?;
                rejects.write(b"\n")?;
            }
        }
        if !said.is_empty() {
            self.progress.write(&said);
        }
        Ok(())
    }

    /// Says how many events are durable. Whoever stops listening does not stop the import.
    fn acknowledge(&mut self) {
        let size = self.log.size();
        if let Some(screen) = &mut self.acks
            && (screen.line(format_args!("{{\"durable\": {size}}}")).is_err()
                || screen.flush().is_err())
        {
            self.acks = None;
        }
    }
}

fn conflict(line: &[u8], position: u64) -> LineError {
    let event = event::borrow_line(line);
    let id = event.map_or_else(|_| String::new(), |event| escaped(&event.id).to_string());
    LineError::new("id", format!("`{id}` is already at position {position} with other content"))
}

/// The file of rejected lines.
struct Rejects {
    name: String,
    file: BufWriter<File>,
}

impl Rejects {
    /// Opens it, and leaves what is in it until the import goes ahead.
    fn open(path: &Path, inputs: &[PathBuf], store: &Path) -> Result<Rejects, Failure> {
        refuse_inputs(path, inputs, "--rejects")?;
        refuse_in_store(path, store)?;
        let file = OpenOptions::new().write(true).create(true).truncate(false).open(path);
        let file = file.map_err(|error| Failure::file(path, "write the rejected lines", &error))?;
        Ok(Rejects { name: escaped_path(path), file: BufWriter::new(file) })
    }

    fn empty(&self) -> Result<(), Failure> {
        let file = self.file.get_ref();
        // A pipe or a device has no length to set.
        match file.metadata() {
            Ok(metadata) if metadata.is_file() => file.set_len(0).map_err(|e| self.failed(&e)),
            _ => Ok(()),
        }
    }

    fn write(&mut self, bytes: &[u8]) -> Result<(), Failure> {
        self.file.write_all(bytes).map_err(|error| self.failed(&error))
    }

    fn end(mut self) -> Result<(), Failure> {
        self.file.flush().map_err(|error| self.failed(&error))
    }

    fn failed(&self, error: &std::io::Error) -> Failure {
        Failure::file(Path::new(&self.name), "write the rejected lines", error)
    }
}

/// True from the first Ctrl-C or request to end on. The second one ends the process where it is, which the log bears.
pub fn catch_interrupts() -> Arc<AtomicBool> {
    let interrupted = Arc::new(AtomicBool::new(false));
    let flag = Arc::clone(&interrupted);
    // Where no handler can be set Ctrl-C ends the process at once: nothing durable is lost.
    let _ = ctrlc::set_handler(move || {
        if flag.swap(true, Ordering::Relaxed) {
            std::process::exit(130);
        }
    });
    interrupted
}
