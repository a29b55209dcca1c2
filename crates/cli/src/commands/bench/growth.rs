//! What a log of all the events costs beside one of a tenth of them, of a tenth of the accounts: time an
//! event, memory, and opening it again.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{ChildStdin, Stdio};
use std::time::Instant;

use eventlog::{Log, Options};

use super::Bench;
use super::measure::{Contender, Row, Sample};
use super::ours::Ours;
use super::place::{ALL, Place, Subject, TENTH, copy_folder};
use super::process::bytes_read;
use super::works::{Verb, Work};
use crate::args::BenchArgs;
use crate::failure::Failure;
use crate::question::now;

pub const AT_A_TENTH: &str = "with a tenth of the events";

const KILLED: Subject = Subject { store: "killed.store", ..ALL };
const KILLED_TENTH: Subject = Subject { store: "killed-tenth.store", ..TENTH };

/// How many events and accounts are a tenth.
pub fn tenth(args: &BenchArgs) -> (u64, u64) {
    ((args.events / 10).max(1), (args.accounts / 10).max(1))
}

/// Time an event.
pub fn time(work: Work, verb: Verb, bench: &Bench<'_>) -> Result<Row, Failure> {
    let (events, place) = (bench.args.events, &bench.place);
    let contenders = vec![
        Contender::new("stillthere", move || Ok(verb.run(Ours::of(place, ALL))?.per_event(events))),
        Contender::new(AT_A_TENTH, move || {
            Ok(verb.run(Ours::of(place, TENTH))?.per_event(tenth(bench.args).0))
        }),
    ];
    Row::measure(work, &bench.turns, Some(events), contenders)
}

/// The most memory, also beside what it may be.
pub fn memory(work: Work, verb: Verb, bench: &Bench<'_>) -> Result<Row, Failure> {
    let of = move |subject: Subject| {
        let sample = verb.run(Ours::of(&bench.place, subject).watched())?;
        let untold = || Failure::Usage("the system does not tell its memory".to_owned());
        Ok(Sample::new(sample.peak_bytes.ok_or_else(untold)? as f64))
    };
    let limit_mib = if verb == Verb::Import { 300 } else { 200 };
    let contenders = vec![
        Contender::new("stillthere", move || of(ALL)),
        Contender::new(AT_A_TENTH, move || of(TENTH)),
        Contender::new("the most that it may be", move || {
            Ok(Sample::new(f64::from(limit_mib << 20)))
        }),
    ];
    Row::measure(work, &bench.turns, Some(bench.args.events), contenders)
}

/// Opening a store that was closed.
pub fn reopen(bench: &Bench<'_>) -> Result<Row, Failure> {
    let of = |subject: Subject| {
        let (sample, log) = open(&bench.place.path(subject.store))?;
        log.close()?;
        Ok(sample)
    };
    let contenders = vec![
        Contender::new("stillthere", move || of(ALL)),
        Contender::new(AT_A_TENTH, move || of(TENTH)),
    ];
    Row::measure(Work::Reopen, &bench.turns, None, contenders)
}

/// Opening a store whose writer was killed: each round a copy of it, since opening mends it.
pub fn reopen_killed(bench: &Bench<'_>) -> Result<Row, Failure> {
    let of = |subject: Subject| {
        let copy = bench.place.clear("reopened.store")?;
        copy_folder(&bench.place.path(subject.store), &copy)
            .map_err(|e| Failure::file(&copy, "write it", &e))?;
        Ok(open(&copy)?.0)
    };
    let contenders = vec![
        Contender::new("stillthere", move || of(KILLED)),
        Contender::new(AT_A_TENTH, move || of(KILLED_TENTH)),
    ];
    Row::measure(Work::ReopenKilled, &bench.turns, None, contenders)
}

fn open(store: &Path) -> Result<(Sample, Log), Failure> {
    let before = bytes_read();
    let begun = Instant::now();
    let log = Log::open(store, Options::new(now))?;
    let time = begun.elapsed();
    let read_bytes = bytes_read().zip(before).map(|(after, before)| after - before);
    Ok((Sample { read_bytes, ..Sample::of(time) }, log))
}

/// Imports the events into stores whose writers are killed when all is durable and nothing is closed.
pub fn kill_writers(bench: &Bench<'_>) -> Result<(), Failure> {
    kill_writer(&bench.place, KILLED, bench.args.events)?;
    kill_writer(&bench.place, KILLED_TENTH, tenth(bench.args).0)
}

fn kill_writer(place: &Place, subject: Subject, events: u64) -> Result<(), Failure> {
    let failed = |e: std::io::Error| Failure::Usage(format!("stillthere import -: {e}"));
    let mut command = Ours::of(place, subject).command(&["import", "-", "--acks"])?;
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().map_err(failed)?;
    let mut stdin = child.stdin.take().expect("it is piped");
    let stdout = BufReader::new(child.stdout.take().expect("it is piped"));
    let path = place.path(subject.events);
    let all_is_durable = format!("{{\"durable\": {events}}}");
    let is_durable = std::thread::scope(|scope| {
        // Given back rather than dropped: an input that ends would let the writer close.
        let feeder = scope.spawn(move || -> std::io::Result<ChildStdin> {
            std::io::copy(&mut std::fs::File::open(path)?, &mut stdin)?;
            Ok(stdin)
        });
        let is_durable = stdout.lines().map_while(Result::ok).any(|line| line == all_is_durable);
        let killed = child.kill().and_then(|()| child.wait());
        let fed = feeder.join().expect("the feeder does not panic");
        killed.and(fed.map(|_| is_durable))
    });
    match is_durable.map_err(failed)? {
        true => Ok(()),
        false => Err(Failure::Usage("stillthere import -: ended too early".to_owned())),
    }
}
