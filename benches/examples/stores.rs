//! The peers of durable appending: key-value stores, each as its own documentation has a durable commit.
//!
//! ```text
//! stores NAME append FOLDER BATCH BATCHES BYTES
//! stores NAME version FOLDER
//! ```
//!
//! reads the first events of `FOLDER/events.ndjson`, takes account and id as an event's key and BYTES of
//! its line (repeated if it is shorter) as its value, and puts them in, a sync a batch. It prints the
//! seconds from the first batch to the last as a line of JSON, as the programs of `benches/peers` do.

use std::error::Error;
use std::fs::{self, File};
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::time::{Duration, Instant};

type Pairs = Vec<(Vec<u8>, Vec<u8>)>;
type Result<T> = std::result::Result<T, Box<dyn Error>>;

fn main() -> Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match arguments[..] {
        [name, "version", _] => println!("{{\"version\": {:?}}}", version(name)?),
        [name, "append", folder, batch, batches, bytes] => {
            let folder = Path::new(folder);
            let numbers = [batch, batches, bytes].map(str::parse::<usize>);
            let [batch, batches, bytes] = numbers;
            let (batch, bytes) = (batch?, bytes?);
            let pairs = pairs(folder, batch * batches?, bytes)?;
            let store = folder.join("append.kv");
            remove(&store);
            let time = append(name, &store, &pairs, batch);
            remove(&store);
            println!("{{\"seconds\": {}}}", time?.as_secs_f64());
        }
        _ => return Err("stores NAME append|version FOLDER [BATCH BATCHES BYTES]".into()),
    }
    Ok(())
}

/// As Cargo.lock has it.
fn version(name: &str) -> Result<String> {
    let lock = include_str!("../../Cargo.lock");
    let start = lock.split(&format!("name = {name:?}\nversion = \"")).nth(1);
    let version = start.and_then(|rest| rest.split('"').next());
    Ok(version.ok_or_else(|| format!("{name} is no store that is known here"))?.to_owned())
}

fn append(name: &str, store: &Path, pairs: &Pairs, batch: usize) -> Result<Duration> {
    match name {
        "redb" => with_redb(store, pairs, batch),
        "fjall" => with_fjall(store, pairs, batch),
        "sled" => with_sled(store, pairs, batch),
        _ => Err(format!("{name} is no store that is known here").into()),
    }
}

/// A commit is durable unless told otherwise.
fn with_redb(store: &Path, pairs: &Pairs, batch: usize) -> Result<Duration> {
    const EVENTS: redb::TableDefinition<'_, &[u8], &[u8]> = redb::TableDefinition::new("events");
    let database = redb::Database::create(store)?;
    let begun = Instant::now();
    for pairs in pairs.chunks(batch) {
        let transaction = database.begin_write()?;
        {
            let mut table = transaction.open_table(EVENTS)?;
            for (key, value) in pairs {
                table.insert(&key[..], &value[..])?;
            }
        }
        transaction.commit()?;
    }
    Ok(begun.elapsed())
}

fn with_fjall(store: &Path, pairs: &Pairs, batch: usize) -> Result<Duration> {
    let database = fjall::Database::builder(store).open()?;
    let events = database.keyspace("events", fjall::KeyspaceCreateOptions::default)?;
    let begun = Instant::now();
    for pairs in pairs.chunks(batch) {
        let mut entries = database.batch();
        for (key, value) in pairs {
            entries.insert(&events, &key[..], &value[..]);
        }
        entries.commit()?;
        database.persist(fjall::PersistMode::SyncData)?;
    }
    Ok(begun.elapsed())
}

fn with_sled(store: &Path, pairs: &Pairs, batch: usize) -> Result<Duration> {
    let database = sled::open(store)?;
    let begun = Instant::now();
    for pairs in pairs.chunks(batch) {
        let mut entries = sled::Batch::default();
        for (key, value) in pairs {
            entries.insert(&key[..], &value[..]);
        }
        database.apply_batch(entries)?;
        database.flush()?;
    }
    Ok(begun.elapsed())
}

fn pairs(folder: &Path, most: usize, bytes: usize) -> Result<Pairs> {
    let lines = BufReader::new(File::open(folder.join("events.ndjson"))?).split(b'\n');
    let pair = |line: std::io::Result<Vec<u8>>| {
        let line = line?;
        let event = event::read_line(&line).map_err(|e| e.to_string())?;
        let key = [event.account.as_bytes(), b"\0", event.id.as_bytes()].concat();
        // What a frame of the log takes, with the key's names in it.
        let length = bytes.saturating_sub(key.len());
        let value = line.iter().copied().cycle().take(length).collect();
        Ok((key, value))
    };
    lines.take(most).map(pair).collect()
}

fn remove(store: &Path) {
    let _ = fs::remove_file(store);
    let _ = fs::remove_dir_all(store);
}
