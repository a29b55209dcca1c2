//! `bench`: the product's works measured on this machine, on generated events, beside the peers that are
//! installed.
//!
//! A *work* is what is measured; its *contenders* do it in turn, ours first, a round each, so that what
//! slows the machine down slows all of them. [`works`] has the works, [`growth`] those that hold a log
//! against a tenth of it, [`single`] those on a store that was written one event at a time, [`append`]
//! those that append, [`foresight`] those of what is ahead and of other policies, [`proofs`] those on a
//! store that is sealed, [`trees`] those of its tree, [`erasures`] those on one in which accounts are erased;
//! [`ours`] runs this program, [`peers`] the others'; [`report`] and [`chart`] are what comes out.

mod answers;
mod append;
mod chart;
mod erasures;
mod foresight;
mod group;
mod growth;
mod hashes;
mod machine;
mod measure;
mod ours;
mod peers;
mod place;
mod process;
mod proofs;
mod report;
mod single;
mod trees;
mod works;

use std::fs::File;
use std::io::{self, BufWriter, Write};

use super::import::catch_interrupts;
use crate::args::BenchArgs;
use crate::failure::{Failure, Outcome};
use crate::generate::generate;
use crate::output::Partial;
use crate::question::{Question, now};
use crate::show::progress::Progress;
use crate::show::screen::{Screen, say};
use answers::Answers;
use machine::Machine;
use measure::{Row, Turns};
use peers::Peers;
pub use peers::Wanted;
use place::{ALL, Place, Subject};
pub use works::Work;

/// What the works share.
struct Bench<'a> {
    args: &'a BenchArgs,
    place: Place,
    peers: Peers,
    turns: Turns,
    answers: Answers,
    /// The number of the core that is used where one alone may be.
    one_core: Option<String>,
    /// Accounts of all sizes, from the quietest to the busiest, for the works that ask for one.
    some_accounts: Vec<String>,
    /// The same, and an item of each, in the store that is sealed.
    asked: Vec<proofs::Asked>,
    /// Whom to erase.
    persons: erasures::Persons,
}

pub fn run(args: &BenchArgs, question: &Question, screen: &mut Screen) -> Result<Outcome, Failure> {
    // What cannot be written at the end had better be known at the beginning.
    let create =
        |path: &Option<std::path::PathBuf>| path.as_deref().map(Partial::create).transpose();
    let (out, chart) = (create(&args.out)?, create(&args.chart)?);
    let place = Place::make(args.dir.as_deref())?;
    let machine = Machine::look(&place);
    for warning in machine.warnings() {
        say(warning);
    }
    let mut peers = Peers::find(&args.peers, &place)?;
    let one_core = ours::one_core();
    if let Err(reason) = one_core {
        peers.leave_out("one core", reason);
    }
    let began = now();
    write_events(&place, ALL, args.accounts, args.events, args.seed)?;

    let only = args.only.as_ref().map(|only| only.concat());
    let is_asked = |work: &Work| only.as_ref().is_none_or(|only| only.contains(work));
    let works: Vec<Work> = Work::ALL.iter().copied().filter(is_asked).collect();
    let works: Vec<Work> = match process::tells_memory() {
        true => works,
        false => {
            peers.leave_out("memory", "this system does not tell a process's");
            works.into_iter().filter(|work| !work.is_of_memory()).collect()
        }
    };
    let turns = Turns { rounds: args.rounds, interrupted: catch_interrupts() };
    let mut bench = Bench {
        args,
        place,
        peers,
        turns,
        answers: Answers::default(),
        one_core: one_core.ok(),
        some_accounts: Vec::new(),
        asked: Vec::new(),
        persons: erasures::Persons::default(),
    };
    let progress = Progress::of_things(works.len() as u64);
    works::prepare(&mut bench, &works)?;
    let mut rows: Vec<Row> = Vec::new();
    for (done, work) in works.iter().enumerate() {
        progress.at(done as u64);
        rows.push(works::measure(*work, &mut bench)?);
    }
    progress.end();

    let report = report::Report { bench: &bench, machine: &machine, rows: &rows, began };
    let object = report.json();
    if let Some(mut file) = out {
        let mut bytes = serde_json::to_vec_pretty(&object).expect("a report is JSON");
        bytes.push(b'\n');
        file.write(&bytes)?;
        file.end()?;
    }
    if let Some(mut file) = chart {
        file.write(chart::draw(&rows, &report.caption(question), question).as_bytes())?;
        file.end()?;
    }
    match question.json {
        true => screen.json(&object)?,
        false => report.table(question, screen)?,
    }
    // A peer that answers otherwise, or ours, is wrong: then the times compare nothing.
    Ok(if bench.answers.differ() { Outcome::BadNews } else { Outcome::Fine })
}

/// The events that a log is made of.
fn write_events(
    place: &Place,
    subject: Subject,
    accounts: u64,
    events: u64,
    seed: u64,
) -> Result<(), Failure> {
    let path = place.path(subject.events);
    let written = File::create(&path).and_then(|file| {
        let mut file = BufWriter::new(file);
        generate(accounts, events, seed, &mut file)?;
        file.flush()
    });
    written.map_err(|error| match error.kind() {
        io::ErrorKind::InvalidInput => Failure::Usage(format!("bench: {error}")),
        _ => Failure::file(&path, "write it", &error),
    })
}
