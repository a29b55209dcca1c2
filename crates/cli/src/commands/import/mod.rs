//! `import`: event lines from files into the log.
//!
//! One thread reads and parses, one gives events their places, this one waits until they are on the disk
//! and answers for them: while a batch is written the next is made, of what is ready by then.

pub mod answer;
mod dry;
mod format;
mod git;
pub mod parcel;
pub mod rejects;

use std::io::{self, IsTerminal};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::time::{Duration, Instant};

use eventlog::{Log, Options, Pending, Prepared, Recovery};

use self::answer::Answers;
pub use self::format::FormatArgs;
use self::format::Reading;
use self::parcel::{Beside, Parcel, read};
use self::rejects::Rejects;
use crate::args::ImportArgs;
use crate::failure::{Failure, Outcome};
use crate::question::{Question, now};
use crate::show::amount::counted;
use crate::show::progress::Progress;
use crate::show::screen::{Screen, say};

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
    let (inputs, reading) = Reading::open(&args.format, &args.files)?;
    let rejects = args.rejects.as_deref();
    let rejects = rejects.map(|path| Rejects::open(path, &args.files, &question.store));
    let rejects = rejects.transpose()?;
    if args.dry_run {
        return dry::run(inputs, reading, rejects, question, screen);
    }
    let mut options = Options::new(now);
    options.trust_recorded_at = args.trust_recorded_at;
    options.strict_tail = args.strict_tail;
    options.readmit = args.readmit;
    let log = Log::open(&question.store, options)?;
    say_recovery(&log);
    if let Some(rejects) = &rejects {
        rejects.empty()?;
    }
    let interrupted = catch_interrupts();
    let names: Vec<String> = inputs.iter().map(|input| input.name.clone()).collect();
    let totals: Option<Vec<u64>> = inputs.iter().map(|input| input.total_bytes).collect();
    let progress = Progress::of_bytes(totals.map(|totals| totals.iter().sum()));
    let read_bytes: Vec<Arc<AtomicU64>> =
        inputs.iter().map(|input| Arc::clone(&input.read_bytes)).collect();
    let skips = !reading.is_of_lines();
    let (sender, parcels) = sync_channel(PARCELS_WAITING);
    // Not joined: on Ctrl-C it may be waiting for a line that never comes.
    let named = std::thread::Builder::new().name("read".to_owned());
    named.spawn(move || read(inputs, &reading, &sender)).expect("a thread can be started");

    let acks = args.acks.then_some(&mut *screen);
    let mut answers = Answers::new(&progress, rejects, acks);
    answers.tally.skipped = skips.then_some(0);
    let mut import = Import { log: &log, names: &names, answers, broken: None };
    let is_whole = std::thread::scope(|scope| {
        let (sender, staged) = sync_channel(PARCELS_STAGED);
        let (log, interrupted) = (&log, &*interrupted);
        let named = std::thread::Builder::new().name("stage".to_owned());
        named
            .spawn_scoped(scope, move || stage(log, &parcels, &sender, interrupted))
            .expect("a thread can be started");
        import.take(&staged, interrupted, &read_bytes)
    })?;
    let Import { mut answers, broken, .. } = import;
    progress.end();
    if let Some(rejects) = &mut answers.rejects {
        rejects.flush()?;
    }
    let skipped_names = answers.skipped_names();
    let mut tally = answers.tally;
    tally.size = log.size();
    log.close()?;

    if question.json || args.acks {
        screen.json(&tally)?;
    } else {
        screen.line(tally.sentence(started.elapsed(), &skipped_names, question))?;
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

/// Says what opening had to mend.
pub fn say_recovery(log: &Log) {
    let Recovery::Recovered { cut, kept_in } = log.recovery() else { return };
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
                Err(error) => Parcel::Beside(Beside::Failed(error.into())),
            },
            Parcel::Beside(beside) => Parcel::Beside(beside),
        };
        let is_end = matches!(parcel, Parcel::Beside(Beside::Failed(_)));
        if staged.send(parcel).is_err() || is_end {
            return;
        }
    }
}

struct Import<'a> {
    log: &'a Log,
    names: &'a [String],
    answers: Answers<'a>,
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
            let read = read_bytes.iter().map(|read| read.load(Ordering::Relaxed)).sum();
            self.answers.progress.at(read);
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
                self.answers.lines(&self.names[input], &text, lines, outcomes)?;
                if is_any {
                    self.answers.acknowledge(self.log.size());
                }
                Ok(())
            }
            // What was read before it is answered for first.
            Parcel::Beside(Beside::Broken(failure)) => {
                self.broken = Some(failure);
                Ok(())
            }
            Parcel::Beside(beside) => self.answers.beside(beside, self.names),
        }
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
