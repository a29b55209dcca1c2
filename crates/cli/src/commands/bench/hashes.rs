//! The least that a check of every byte costs: reading and hashing those of the log.

use std::fs::{self, File};
use std::hint::black_box;
use std::io::{self, Read};
use std::num::NonZero;
use std::path::PathBuf;
use std::process::Stdio;
use std::sync::Mutex;
use std::thread;
use std::time::Instant;

use super::measure::Sample;
use super::ours::SELDOM;
use super::peers::{B3SUM, Peers};
use super::place::Place;
use super::process;
use crate::failure::Failure;

/// In pieces, on all cores.
pub fn in_process(place: &Place) -> Result<Sample, Failure> {
    let unread = |e: io::Error| Failure::file(&place.store(), "read its log", &e);
    let begun = Instant::now();
    let mut paths = log_files(place)?;
    let threads = thread::available_parallelism().map_or(1, NonZero::get);
    let source = Mutex::new((paths.pop().map(File::open).transpose().map_err(unread)?, paths));
    let next_piece = |piece: &mut Vec<u8>| -> io::Result<bool> {
        let mut source = source.lock().expect("nobody panics with the lock");
        while let Some(file) = &mut source.0 {
            piece.clear();
            if file.take(1 << 20).read_to_end(piece)? > 0 {
                return Ok(true);
            }
            source.0 = source.1.pop().map(File::open).transpose()?;
        }
        Ok(false)
    };
    let hashed: io::Result<()> = thread::scope(|scope| {
        let hash = || -> io::Result<()> {
            let mut piece = Vec::with_capacity(1 << 20);
            while next_piece(&mut piece)? {
                black_box(blake3::hash(&piece));
            }
            Ok(())
        };
        let threads: Vec<_> = (0..threads).map(|_| scope.spawn(hash)).collect();
        threads.into_iter().try_for_each(|thread| thread.join().expect("no thread panics"))
    });
    hashed.map_err(unread)?;
    Ok(Sample::of(begun.elapsed()))
}

/// The program that hashes files, as its users run it.
pub fn b3sum(place: &Place, peers: &Peers) -> Result<Sample, Failure> {
    let mut command = peers.b3sum();
    command.args(log_files(place)?).stdin(Stdio::null()).stdout(Stdio::null());
    process::run(&mut command, B3SUM, SELDOM)
}

fn log_files(place: &Place) -> Result<Vec<PathBuf>, Failure> {
    let log = place.store().join("log");
    let unread = |e: io::Error| Failure::file(&log, "read it", &e);
    let entries = fs::read_dir(&log).map_err(unread)?;
    entries.map(|entry| Ok(entry.map_err(unread)?.path())).collect()
}
