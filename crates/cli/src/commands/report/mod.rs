//! `report`: one page for who has to answer for the data, or to check who does.

mod basis;
mod chart;
mod gather;
mod page;
mod period;
mod sections;

use std::path::PathBuf;

use clap::Args;
use commitment::{Checkpoint, Divergence, Frontier, Level, Note, Report as LogReport};
use event::{History, Timestamp};
use eventlog::{CheckedLog, LogFiles, ReadError, Reader, page_leaves};
use policy::Policy;
use projection::{EventRef, FindingRow};

use self::gather::{Asked, Figures};
use self::period::{Month, Period};
use super::checkpoint::published;
use crate::failure::{Failure, Outcome};
use crate::keys::own_keys;
use crate::output::{Sink, Thing};
use crate::question::{Question, now};
use crate::show::escape::escaped_path;
use crate::show::screen::{Screen, say};
use crate::store::Store;

/// What `report` takes.
#[derive(Debug, Args)]
pub struct ReportArgs {
    /// Report on this month, by the calendar of the policy's time zone [default: all up to --as-of]
    #[arg(long, value_name = "YYYY-MM", value_parser = Month::parse)]
    pub month: Option<Month>,
    /// The file to write, else standard output
    #[arg(short, long, value_name = "FILE")]
    pub output: Option<PathBuf>,
}

/// What is on the page.
struct Report<'a> {
    question: &'a Question,
    policy: &'a Policy,
    readings: &'a [(String, Policy)],
    month: Option<Month>,
    period: Period,
    as_of: Timestamp,
    known_at: Timestamp,
    figures: Figures,
    /// The hash of each breach's event, as the figures have them.
    hashes: Vec<event::EventHash>,
    log: LogReport,
    checkpoint: Option<(Note, Checkpoint)>,
}

pub fn run(
    args: &ReportArgs,
    question: &Question,
    screen: &mut Screen,
) -> Result<Outcome, Failure> {
    let policy = question.policy()?;
    let (period, as_of) = period(args.month, &policy, question)?;
    let readings: Vec<(String, Policy)> = policy
        .readings()
        .into_iter()
        .filter_map(|id| policy.with_reading(&id).map(|read| (id, read)))
        .collect();
    let (store, files) = open(question)?;
    let mut sink = Sink::open(args.output.as_deref(), question, screen)?;
    let known_at = question.known_at;
    let asked = Asked { policy: &policy, readings: &readings, period, as_of, known_at };
    let (figures, log) = std::thread::scope(|scope| {
        let check = scope.spawn(|| check(&files));
        let figures = gather(&store, &asked);
        (figures, check.join().expect("a check does not panic"))
    });
    // The log comes first: what is told of one that is not as it was written says nothing.
    let (log, figures) = (log?, figures?);
    if log.events != store.size() {
        return Err(grew(question));
    }
    let hash = |breach: &FindingRow| {
        store.hash_of(EventRef { position: breach.position, revision: breach.revision })
    };
    let hashes = figures.breaches.iter().map(hash).collect::<Result<_, _>>()?;
    let report = Report {
        question,
        policy: &policy,
        readings: &readings,
        month: args.month,
        period,
        as_of,
        // Nothing was recorded from the last record to now: the same page tomorrow.
        known_at: question.asked_known_at.or(figures.last_recorded).unwrap_or(known_at),
        figures,
        hashes,
        log,
        checkpoint: checkpoint(question)?,
    };
    sink.write(page::page(&report).into_string().as_bytes())?;
    sink.end(&Thing { key: "reports", one: "report", zh: "份报告" }, 1, question)?;
    if as_of > now() && question.asked_as_of.is_none() {
        say(question.pick(
            "the month is not over: the report tells what comes if nothing more is recorded",
            "该月尚未结束：报告所述为此后不再有记录时的结果",
        ));
    }
    Ok(Outcome::Fine)
}

/// What the report is about, and as of when it answers.
fn period(
    month: Option<Month>,
    policy: &Policy,
    question: &Question,
) -> Result<(Period, Timestamp), Failure> {
    let Some(month) = month else {
        return Ok((Period { from: Timestamp::MIN, to: question.as_of }, question.as_of));
    };
    let whole = month.period(&policy.zone).ok_or_else(|| {
        Failure::Usage(format!("--month {month}: reaches out of the years 1 to 9999"))
    })?;
    let as_of = question.asked_as_of.unwrap_or(whole.to);
    if as_of < whole.from {
        let (zone, from) = (policy.zone.name(), whole.from);
        return Err(Failure::Usage(format!(
            "--month {month}: begins at {from} in {zone}, which is after --as-of {as_of}"
        )));
    }
    Ok((Period { to: whole.to.min(as_of), ..whole }, as_of))
}

/// The store to answer from, and the files of the same log to check.
fn open(question: &Question) -> Result<(Store, LogFiles), Failure> {
    const TRIES: usize = 100;
    for _ in 0..TRIES {
        let store = question.open()?;
        let files = LogFiles::open(&question.store)?;
        // What did not grow from before to behind it is the same log.
        if question.open()?.size() == store.size() {
            return Ok((store, files));
        }
    }
    Err(grew(question))
}

fn grew(question: &Question) -> Failure {
    let store = escaped_path(&question.store);
    Failure::Store(format!("{store}: grows while it is read; report on a backup, or ask again"))
}

fn gather(store: &Store, asked: &Asked<'_>) -> Result<Figures, Failure> {
    let mut all = Figures::default();
    let of = |history: &History| Figures::of(history, asked);
    store.map_accounts(of, |figures| {
        all.add(figures);
        Ok(())
    })?;
    all.readings.resize(asked.readings.len(), gather::Differs::default());
    Ok(all)
}

/// Why there is no report.
enum Stop {
    Tampered(Box<Divergence>),
    Failed(Failure),
}

impl From<Box<Divergence>> for Stop {
    fn from(divergence: Box<Divergence>) -> Stop {
        Stop::Tampered(divergence)
    }
}

impl From<ReadError> for Stop {
    fn from(error: ReadError) -> Stop {
        Stop::Failed(error.into())
    }
}

/// Makes every hash of the log anew.
fn check(files: &LogFiles) -> Result<LogReport, Failure> {
    let checked: Result<CheckedLog<()>, Stop> = files.check(Level::Full, || (), |_| {});
    match checked {
        Ok(checked) => Ok(checked.report),
        Err(Stop::Failed(failure)) => Err(failure),
        Err(Stop::Tampered(divergence)) => Err(Failure::Refused(format!(
            "no report on a log that is not as it was written: log/{divergence}; \
             `stillthere verify` says more"
        ))),
    }
}

/// The checkpoint that the store publishes, if it has one: signed by the store's key, and of this log.
fn checkpoint(question: &Question) -> Result<Option<(Note, Checkpoint)>, Failure> {
    if !question.store.join("tlog/checkpoint").exists() {
        return Ok(None);
    }
    let (note, Checkpoint { origin, size, root, .. }) = published(None, question)?;
    let keys = own_keys(question, Some(&origin))?;
    let refused = |why: &dyn std::fmt::Display| {
        let store = escaped_path(&question.store);
        Failure::Refused(format!("{store}: its checkpoint is not believed: {why}"))
    };
    let (checkpoint, _) =
        Checkpoint::open(&note, &origin, &keys, &[]).map_err(|error| refused(&error))?;
    let leaves = page_leaves(&question.store, &Reader::open(&question.store)?, size)?;
    let tree: Frontier = leaves.into_iter().collect();
    match tree.count() == size && tree.root() == root {
        true => Ok(Some((note, checkpoint))),
        false => Err(refused(&"the log does not begin with its pages")),
    }
}
