//! Reading event lines, and folding every account, of the log that ships with the repository.

#![allow(missing_docs, reason = "criterion's macros make public items")]

use std::collections::BTreeMap;
use std::hint::black_box;
use std::io::Read;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use event::{History, Recorded, RecordedBy, Timestamp, read_line};
use policy::{DEFAULT_PRESET, Policy};
use projection::{View, fold};

fn lines() -> Vec<Vec<u8>> {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../fixtures/real/opam-2012-2019.ndjson.gz");
    let file = std::fs::File::open(path).expect("the log ships with the repository");
    let mut text = Vec::new();
    flate2::read::GzDecoder::new(file).read_to_end(&mut text).expect("it is sound");
    text.split(|b| *b == b'\n').filter(|line| !line.is_empty()).map(<[u8]>::to_vec).collect()
}

fn histories(lines: &[Vec<u8>]) -> Vec<History> {
    let mut accounts: BTreeMap<String, Vec<Recorded>> = BTreeMap::new();
    for (position, line) in (0..).zip(lines) {
        let event = read_line(line).expect("the log is sound");
        let stream = accounts.entry(event.account.clone()).or_default();
        stream.push(Recorded {
            position,
            revision: stream.len() as u64,
            recorded_at: event.recorded_at.unwrap_or(event.occurred_at),
            recorded_by: RecordedBy::Source,
            event,
        });
    }
    accounts.iter().map(|(account, events)| History::of(account, events)).collect()
}

fn hot_paths(c: &mut Criterion) {
    let lines = lines();
    let histories = histories(&lines);
    let policy = Policy::preset(DEFAULT_PRESET).expect("the default policy is a preset");
    let mut group = c.benchmark_group("143,175 events");
    group.throughput(Throughput::Elements(lines.len() as u64)).sample_size(10);
    group.bench_function("read lines", |b| {
        b.iter(|| lines.iter().filter(|line| read_line(black_box(line)).is_ok()).count());
    });
    group.bench_function("every account's line", |b| {
        let now = Timestamp::MAX;
        let line = |h| fold(black_box(h), &policy, now, now).as_ref().map(View::line);
        b.iter(|| histories.iter().filter_map(line).filter_map(|line| line.live).sum::<u64>());
    });
    group.finish();
}

criterion_group!(benches, hot_paths);
criterion_main!(benches);
