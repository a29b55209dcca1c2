//! A store that was written one event at a time, against one that the same events were imported into: what
//! the way of writing leaves behind.

use std::io::Write;

use eventlog::{Log, Options};

use super::Bench;
use super::append::{self, first_lines};
use super::measure::{Contender, Row, Sample, Turns};
use super::ours::Ours;
use super::place::{Place, Subject, bytes_under};
use super::works::{Verb, Work};
use crate::failure::Failure;
use crate::question::now;

/// How many events at most: a sync each.
const MOST: usize = 20_000;

const IMPORTED: Subject = Subject { events: "few.ndjson", store: "few.store" };
const SINGLE: Subject = Subject { events: "few.ndjson", store: "single.store" };

/// Writes both stores.
pub fn prepare(place: &Place) -> Result<(), Failure> {
    let path = place.path(IMPORTED.events);
    let mut lines = first_lines(place, MOST)?.join(&b'\n');
    lines.push(b'\n');
    let written = std::fs::File::create(&path).and_then(|mut file| file.write_all(&lines));
    written.map_err(|e| Failure::file(&path, "write it", &e))?;
    Ours::of(place, IMPORTED).import()?;
    let log = Log::open(&place.path(SINGLE.store), Options::new(now))?;
    for event in append::events(place, MOST)? {
        log.append(vec![event])?;
    }
    Ok(log.close()?)
}

/// What the stores take on the disk.
pub fn size(bench: &Bench<'_>) -> Result<Row, Failure> {
    let events = count(bench);
    let of = |subject: Subject| {
        let bytes = bytes_under(&bench.place.path(subject.store));
        Ok(Sample::new(bytes as f64).per_event(events))
    };
    let once = Turns { rounds: 1, ..bench.turns.clone() };
    Row::measure(Work::SingleSize, &once, Some(events), contenders(of))
}

/// What a command on each takes.
pub fn time(work: Work, verb: Verb, bench: &Bench<'_>) -> Result<Row, Failure> {
    let of = |subject: Subject| verb.run(Ours::of(&bench.place, subject));
    Row::measure(work, &bench.turns, Some(count(bench)), contenders(of))
}

fn contenders<'a>(
    of: impl Fn(Subject) -> Result<Sample, Failure> + Copy + 'a,
) -> Vec<Contender<'a>> {
    vec![
        Contender::new("stillthere", move || of(SINGLE)),
        Contender::new("the same events imported", move || of(IMPORTED)),
    ]
}

fn count(bench: &Bench<'_>) -> u64 {
    bench.args.events.min(MOST as u64)
}
