//! Durable appends through the library, against the same bytes written raw, and against stores.

use std::cell::RefCell;
use std::fs::{self, File};
use std::io::{self, BufRead, BufReader, Seek, Write};
use std::path::Path;
use std::time::Instant;

use event::{Event, read_line};
use eventlog::{Log, Options};

use super::group::Group;
use super::measure::{Contender, Row, Sample};
use super::place::Place;
use super::{Bench, Work};
use crate::failure::Failure;
use crate::question::now;

/// How many threads append one event each at a time.
pub const THREADS: usize = 64;
/// How many appends a round has at most: by one event, by a hundred, by ten thousand; of a thread.
const MOST: [(usize, usize); 3] = [(1, 3_000), (100, 1_000), (10_000, 20)];
const MOST_OF_A_THREAD: usize = 1_000;

/// Appends in batches of so many events, one after the other.
pub fn batches(work: Work, batch: usize, bench: &Bench<'_>) -> Result<Row, Failure> {
    let place = &bench.place;
    let most = MOST.iter().find(|(of, _)| *of == batch).map_or(1, |(_, most)| *most);
    let events = events(place, batch * most)?;
    // The last batch may be smaller where there are few events.
    let batches = events.len().div_ceil(batch);
    let log_bytes = RefCell::new(Vec::new());

    let ours = || {
        let dir = place.clear("append.store")?;
        let log = Log::open(&dir, Options::new(now))?;
        let events: Vec<Vec<Event>> = events.chunks(batch).map(<[Event]>::to_vec).collect();
        let begun = Instant::now();
        for batch in events {
            log.append(batch)?;
        }
        let time = begun.elapsed();
        log.close()?;
        log_bytes.replace(bytes_of_log(&dir)?);
        Ok(Sample::of(time))
    };
    let write = |mut file: File| {
        let bytes = log_bytes.borrow();
        let begun = Instant::now();
        for batch in bytes.chunks(bytes.len().div_ceil(batches).max(1)) {
            let written = file.write_all(batch).and_then(|()| file.sync_data());
            written.map_err(|e| broken(place, &e))?;
        }
        Ok(Sample::of(begun.elapsed()))
    };
    let raw = || write(new_file(place)?);
    // Where the file need not grow a sync has less to write: so our log makes room ahead of its end.
    let raw_in_place = || {
        let mut file = new_file(place)?;
        let zeros = vec![0; log_bytes.borrow().len()];
        let made = file.write_all(&zeros).and_then(|()| file.sync_all());
        made.and_then(|()| file.rewind()).map_err(|e| broken(place, &e))?;
        write(file)
    };
    let mut contenders = vec![
        Contender::new("stillthere", ours),
        Contender::new("raw write and fdatasync", raw),
        Contender::new("the same over space written before", raw_in_place),
    ];
    for (name, title) in [
        ("sqlite", "SQLite, WAL, synchronous=FULL"),
        ("redb", "redb"),
        ("fjall", "fjall"),
        ("sled", "sled"),
    ] {
        if !bench.peers.has(name) {
            continue;
        }
        let (log_bytes, events) = (&log_bytes, events.len());
        contenders.push(Contender::new(title, move || {
            let bytes_of_event = log_bytes.borrow().len().div_ceil(events.max(1));
            let numbers = [batch, batches, bytes_of_event].map(|number| number.to_string());
            let arguments = numbers.each_ref().map(String::as_str);
            bench.peers.step(name, "append", &arguments)
        }));
    }
    Row::measure(work, &bench.turns, Some(events.len() as u64), contenders)
}

/// Threads append one event each, at a time.
pub fn threads(work: Work, bench: &Bench<'_>) -> Result<Row, Failure> {
    let place = &bench.place;
    let events = events(place, THREADS * MOST_OF_A_THREAD)?;
    let share = events.len().div_ceil(THREADS).max(1);
    let log_bytes = RefCell::new(Vec::new());

    let ours = || {
        let dir = place.clear("append.store")?;
        let log = Log::open(&dir, Options::new(now))?;
        let shares: Vec<Vec<Event>> = events.chunks(share).map(<[Event]>::to_vec).collect();
        let begun = Instant::now();
        let append = &|events: Vec<Event>| {
            events.into_iter().try_for_each(|event| log.append(vec![event]).map(|_| ()))
        };
        std::thread::scope(|scope| {
            let threads = shares.into_iter().map(|events| scope.spawn(move || append(events)));
            let threads: Vec<_> = threads.collect();
            threads.into_iter().try_for_each(|thread| thread.join().expect("no thread panics"))
        })?;
        let time = begun.elapsed();
        log.close()?;
        log_bytes.replace(bytes_of_log(&dir)?);
        Ok(Sample::of(time))
    };
    let bare = || {
        let bytes = log_bytes.borrow();
        let one: &[u8] = &bytes[..bytes.len() / events.len().max(1)];
        let group = Group::new(new_file(place)?);
        let begun = Instant::now();
        let append = &|events: &[Event]| events.iter().try_for_each(|_| group.append(one));
        let written: io::Result<()> = std::thread::scope(|scope| {
            let threads = events.chunks(share).map(|events| scope.spawn(move || append(events)));
            let threads: Vec<_> = threads.collect();
            threads.into_iter().try_for_each(|thread| thread.join().expect("no thread panics"))
        });
        written.map_err(|e| broken(place, &e))?;
        Ok(Sample::of(begun.elapsed()))
    };
    let contenders = vec![
        Contender::new("stillthere", ours),
        Contender::new("a bare mutex and condition", bare),
    ];
    Row::measure(work, &bench.turns, Some(events.len() as u64), contenders)
}

/// The first of the generated events.
pub fn events(place: &Place, most: usize) -> Result<Vec<Event>, Failure> {
    let lines = first_lines(place, most)?;
    let event = |line: Vec<u8>| read_line(&line).expect("what was generated are events");
    Ok(lines.into_iter().map(event).collect())
}

/// Their lines.
pub fn first_lines(place: &Place, most: usize) -> Result<Vec<Vec<u8>>, Failure> {
    let path = place.events();
    let lines = |file: File| BufReader::new(file).split(b'\n').take(most).collect();
    File::open(&path).and_then(lines).map_err(|e| Failure::file(&path, "read it", &e))
}

/// What a store's log is made of, to write it again raw.
fn bytes_of_log(store: &Path) -> Result<Vec<u8>, Failure> {
    let read = || -> io::Result<Vec<u8>> {
        let paths: io::Result<Vec<_>> =
            fs::read_dir(store.join("log"))?.map(|entry| Ok(entry?.path())).collect();
        let mut paths = paths?;
        paths.sort();
        let files: io::Result<Vec<Vec<u8>>> = paths.into_iter().map(fs::read).collect();
        Ok(files?.concat())
    };
    read().map_err(|e| Failure::file(store, "read its log", &e))
}

fn new_file(place: &Place) -> Result<File, Failure> {
    File::create(raw_path(place)).map_err(|e| broken(place, &e))
}

fn raw_path(place: &Place) -> std::path::PathBuf {
    place.path("raw")
}

fn broken(place: &Place, error: &io::Error) -> Failure {
    Failure::file(&raw_path(place), "write it", error)
}
