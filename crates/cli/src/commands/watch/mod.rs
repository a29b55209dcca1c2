//! `watch`: event lines into the log as they are written to files.
//!
//! It polls: what is new is looked at every interval, which works on every file system. A round appends what
//! there is, under the writer's lock, and gives the lock back, so that others can write in between.
//! How far each file was read is kept in `derived/watched` (see [`Positions`]); without it everything is
//! read again and found to be there.

mod file;
mod listing;
mod positions;

use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use clap::Args;
use eventlog::{Log, OpenError, Options};

use self::file::{Followed, Piece};
use self::listing::Listing;
use self::positions::Positions;
use super::import::answer::Answers;
use super::import::rejects::Rejects;
use super::import::{catch_interrupts, say_recovery};
use crate::failure::{Failure, Outcome};
use crate::output::refuse_inputs;
use crate::question::{Question, now};
use crate::show::escape::escaped_path;
use crate::show::progress::Progress;
use crate::show::screen::{Screen, say};

/// A round appends at most so many bytes of lines; the next one goes on at once.
const ROUND_BYTES: u64 = 64 << 20;
/// How long a wait is before it is looked whether to end.
const PATIENCE: Duration = Duration::from_millis(20);

/// What `watch` takes.
#[derive(Debug, Args)]
pub struct WatchArgs {
    /// A file that grows, or a folder of files: event lines, plain as they come, gzip and zstd once whole
    #[arg(value_name = "DIR|FILE")]
    pub path: PathBuf,
    /// Read what is there and end
    #[arg(long)]
    pub once: bool,
    /// How often to look, such as 500ms, 1s or 5m
    #[arg(long, value_name = "TIME", default_value = "1s", value_parser = interval)]
    pub interval: Duration,
    /// Write the lines that are rejected to this file, behind what is in it
    #[arg(long, value_name = "FILE")]
    pub rejects: Option<PathBuf>,
    /// Print {"durable": SIZE} each time a batch has reached the disk
    #[arg(long)]
    pub acks: bool,
    /// Take the events' own recorded_at instead of the log's clock
    #[arg(long)]
    pub trust_recorded_at: bool,
    /// Sync HEAD too before a batch counts as durable, as `import` does
    #[arg(long)]
    pub strict_tail: bool,
}

fn interval(text: &str) -> Result<Duration, String> {
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    let (number, unit) = text.split_at(digits);
    let unit_ms = match unit {
        "ms" => 1,
        "s" => 1000,
        "m" => 60_000,
        _ => 0,
    };
    let ms = number.parse::<u64>().ok().and_then(|number| number.checked_mul(unit_ms));
    match ms {
        Some(ms @ 1..=86_400_000) => Ok(Duration::from_millis(ms)),
        _ => Err("expected a time from 1ms to a day, such as 500ms, 1s or 5m".to_owned()),
    }
}

pub fn run(args: &WatchArgs, question: &Question, screen: &mut Screen) -> Result<Outcome, Failure> {
    let started = Instant::now();
    let mut listing = Listing::open(&args.path)?;
    let rejects = args.rejects.as_deref().map(|path| {
        refuse_inputs(path, std::slice::from_ref(&args.path), "--rejects")?;
        listing.refuse_within(path)?;
        Rejects::append(path, &question.store)
    });
    let rejects = rejects.transpose()?;
    let interrupted = catch_interrupts();
    let progress = Progress::hidden();
    let mut watch = Watch {
        args,
        question,
        positions: Positions::load(&question.store),
        followed: Vec::new(),
        answers: Answers::new(&progress, rejects, args.acks.then_some(&mut *screen)),
        interrupted: &interrupted,
        is_waiting_said: false,
        size: 0,
    };
    // A store that cannot be opened is better known before the first line comes.
    if let Some(log) = watch.log()? {
        watch.size = log.size();
        log.close()?;
    }
    if !args.once {
        say(format!("watching {}; Ctrl-C ends it", escaped_path(&args.path)));
    }
    loop {
        listing.look(&mut watch.followed, &mut watch.positions)?;
        let is_more = watch.round()?;
        if interrupted.load(Ordering::Relaxed) || (args.once && !is_more) {
            break;
        }
        if !is_more {
            wait(args.interval, &interrupted);
        }
    }
    let half = watch.followed.iter().filter(|file| file.has_half_line()).count();
    if args.once && half > 0 {
        say("a last line without its line end was left for later");
    }
    let Watch { mut answers, size, .. } = watch;
    if let Some(rejects) = &mut answers.rejects {
        rejects.flush()?;
    }
    let mut tally = answers.tally;
    tally.size = size;
    if question.json || args.acks {
        screen.json(&tally)?;
    } else {
        screen.line(tally.sentence(started.elapsed(), "", question))?;
    }
    // A watch that was asked to end did what it should.
    let is_bad = args.once && tally.rejected > 0;
    Ok(if is_bad { Outcome::BadNews } else { Outcome::Fine })
}

/// Until the next look, or until it is to end.
fn wait(interval: Duration, interrupted: &AtomicBool) {
    let until = Instant::now() + interval;
    while !interrupted.load(Ordering::Relaxed) {
        let left = until.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return;
        }
        std::thread::sleep(left.min(PATIENCE));
    }
}

struct Watch<'a> {
    args: &'a WatchArgs,
    question: &'a Question,
    positions: Positions,
    /// In the order in which they are read.
    followed: Vec<Followed>,
    answers: Answers<'a>,
    interrupted: &'a AtomicBool,
    is_waiting_said: bool,
    /// Events in the log when it was last open.
    size: u64,
}

impl Watch<'_> {
    /// Opens the log; none while another process writes to it, which is waited for.
    fn log(&mut self) -> Result<Option<Log>, Failure> {
        let mut options = Options::new(now);
        options.trust_recorded_at = self.args.trust_recorded_at;
        options.strict_tail = self.args.strict_tail;
        match Log::open(&self.question.store, options) {
            Ok(log) => {
                say_recovery(&log);
                self.is_waiting_said = false;
                Ok(Some(log))
            }
            Err(OpenError::Locked { .. }) if !self.args.once => {
                if !std::mem::replace(&mut self.is_waiting_said, true) {
                    say("another process is writing to this store; its end is waited for");
                }
                Ok(None)
            }
            Err(error) => Err(error.into()),
        }
    }

    /// Appends what is new. True if there may be more at once.
    fn round(&mut self) -> Result<bool, Failure> {
        if !self.followed.iter().any(|file| file.has_news(self.args.once)) {
            return Ok(false);
        }
        let Some(log) = self.log()? else { return Ok(false) };
        let mut left = ROUND_BYTES;
        let mut is_more = false;
        for at in 0..self.followed.len() {
            while let Some(piece) = self.followed[at].next_piece(self.args.once)? {
                left = left.saturating_sub(piece.bytes());
                self.take(&log, at, piece)?;
                is_more = left == 0;
                if is_more || self.interrupted.load(Ordering::Relaxed) {
                    break;
                }
            }
            if is_more || self.interrupted.load(Ordering::Relaxed) {
                break;
            }
        }
        self.size = log.size();
        log.close()?;
        if let Some(rejects) = &mut self.answers.rejects {
            rejects.flush()?;
        }
        self.positions.save(&self.question.store, &self.followed);
        Ok(is_more)
    }

    fn take(&mut self, log: &Log, at: usize, piece: Piece) -> Result<(), Failure> {
        let file = &mut self.followed[at];
        match piece {
            Piece::Lines { text, lines, events, to } => {
                let is_any = !events.is_empty();
                let outcomes = log.wait(log.stage(events)?)?;
                self.answers.lines(&file.name, &text, lines, outcomes)?;
                // Only now: what was not answered for is read again.
                file.move_to(to);
                if is_any {
                    self.answers.acknowledge(log.size());
                }
            }
            Piece::Long(piece) => {
                if let Some(rejects) = &mut self.answers.rejects {
                    rejects.write(&piece)?;
                }
            }
            Piece::LongEnd { place, bytes, to } => {
                self.answers.long(&file.name, place, bytes)?;
                file.move_to(to);
            }
        }
        Ok(())
    }
}
