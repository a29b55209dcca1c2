//! Sealing a log of many accounts after some of them changed, and checking a certificate of one item.
//!
//! `STILLTHERE_ACCOUNTS` says of how many accounts the log is; a million unless it does.

#![allow(missing_docs, reason = "criterion's macros make public items")]

use std::hint::black_box;
use std::time::{Duration, Instant};

use commitment::{Algorithm, Checkpoint, Envelope, SignerKey, VerifierKey};
use criterion::{Criterion, criterion_group, criterion_main};
use event::{Event, Timestamp, read_line};
use eventlog::{Log, Options, PlacedControl, Reader, SealedLog, Sealer};
use policy::{DEFAULT_PRESET, Policy};
use verifier::Language;
use verifier::certificate::{
    Certificate, Expected, Placed, Question, Shown, Stream, Trust, answer, check, is_needed,
};

const CHANGED: u64 = 10_000;

fn now() -> Timestamp {
    Timestamp::parse("2026-03-01T12:00:00Z").expect("a time")
}

fn event(account: u64, id: u64, rest: &str) -> Event {
    let line = format!(
        r#"{{"id":"e{id}","account":"account-{account}","occurred_at":"2026-02-13T13:47:38Z","actor":"user",{rest}}}"#
    );
    read_line(line.as_bytes()).expect("an event line")
}

fn sealing(c: &mut Criterion) {
    let accounts: u64 =
        std::env::var("STILLTHERE_ACCOUNTS").map_or(1_000_000, |n| n.parse().expect("a number"));
    let dir = tempfile::tempdir().expect("a folder");
    let log = Log::open(dir.path(), Options::new(now)).expect("a log");
    let viewed = r#""kind":"page_viewed""#;
    let append = |from: u64, to: u64, step: u64| {
        for chunk in (from..to).collect::<Vec<_>>().chunks(10_000) {
            let event = |n: &u64| event(n.wrapping_mul(step) % accounts, *n, viewed);
            log.append(chunk.iter().map(event).collect()).expect("appended");
        }
    };
    append(0, accounts, 1);
    let mut sealer = Sealer::open(&log);
    let begun = Instant::now();
    log.seal(&mut sealer).expect("sealed");
    println!("first seal of {accounts} accounts, all read: {:?}", begun.elapsed());
    let begun = Instant::now();
    sealer.publish().expect("published");
    println!("its tree published: {:?}", begun.elapsed());
    let mut next = accounts;
    let mut group = c.benchmark_group(format!("{CHANGED} of {accounts} accounts changed"));
    group.sample_size(10);
    group.bench_function("seal and publish", |b| {
        b.iter_custom(|rounds| {
            let mut took = Duration::ZERO;
            for _ in 0..rounds {
                append(next, next + CHANGED, 99_991);
                next += CHANGED;
                let begun = Instant::now();
                log.seal(&mut sealer).expect("sealed");
                black_box(sealer.publish().expect("published"));
                took += begun.elapsed();
            }
            took
        });
    });
    group.finish();
}

fn placed(control: PlacedControl) -> Placed {
    let PlacedControl { salt, in_page, summary, in_tree, .. } = control;
    Placed { salt, in_page, summary, in_tree }
}

/// A certificate of an item of an account with 50 events, in a log of 200 accounts; and its keys.
fn certificate() -> (Vec<u8>, VerifierKey) {
    let dir = tempfile::tempdir().expect("a folder");
    let log = Log::open(dir.path(), Options::new(now)).expect("a log");
    let mut events = Vec::new();
    for account in 0..200 {
        for n in 0..50 {
            let rest = match n % 5 {
                0 => r#""kind":"page_viewed","surface":"web""#.to_owned(),
                1 | 2 => format!(
                    r#""kind":"item_uploaded","item":"photo-{n}.jpg","category":"photos","bytes":{n}"#
                ),
                3 => format!(r#""kind":"item_trashed","item":"photo-{}.jpg""#, n - 1),
                _ => r#""kind":"synced","category":"photos","surface":"device""#.to_owned(),
            };
            events.push(event(account, n, &rest));
        }
    }
    log.append(events).expect("appended");
    let mut sealer = Sealer::open(&log);
    log.seal(&mut sealer).expect("sealed");
    let head = sealer.publish().expect("published");
    log.close().expect("closed");
    let key = SignerKey::new("example.com/log", Algorithm::Ed25519, &[7; 32]).expect("a key");
    let checkpoint = Checkpoint {
        origin: "example.com/log".to_owned(),
        size: head.pages,
        root: head.root,
        extensions: Vec::new(),
    };
    let checkpoint = checkpoint.sign(&key).expect("signed").to_string();
    let reader = Reader::open(dir.path()).expect("the log");
    let sealed = SealedLog::open(dir.path(), &reader, head.pages).expect("sealed");
    let account = "account-100".to_owned();
    let shown = sealed.stream(&reader, &account).expect("read").expect("it has events");
    let (item, policy) = ("photo-2.jpg", Policy::preset(DEFAULT_PRESET).expect("a preset"));
    let tag = shown.tag(item);
    let compiled = policy.canonical_bytes();
    let events = shown.events.iter().map(|event| {
        let envelope = Envelope::decode(&event.envelope).expect("an envelope");
        let (envelope, salt, padded) = match is_needed(&envelope, Some(&tag)) {
            true => (event.envelope, event.salt, event.padded.clone()),
            false => {
                return Shown::Envelope { envelope: event.envelope, content: event.content_hash() };
            }
        };
        Shown::Whole { envelope, salt, padded, position: event.position }
    });
    let stream = Stream {
        ordinal: shown.ordinal,
        name_salt: shown.name_salt,
        secret_hash: shown.secret_hash,
        events: events.collect(),
    };
    let (as_of, known_at) = (now(), now());
    let question = Question { as_of, known_at, item: Some(item.to_owned()), claims: Vec::new() };
    let policy = Policy::from_canonical_bytes(&compiled).expect("a policy");
    let answers =
        answer(&account, Some(&stream), &policy, &question, Language::En).expect("an answer");
    let seal = sealed.seal().expect("a seal");
    let certificate = Certificate {
        checkpoint,
        since: None,
        audits: Vec::new(),
        seal_body: seal.body.clone(),
        seal: placed(seal),
        map: sealed.map(&account).unwrap(),
        account,
        stream: Some(stream),
        policy: compiled.clone(),
        adopted: None,
        question,
        answers,
    };
    let bytes = certificate.encode();
    let (len, policy) = (bytes.len(), compiled.len());
    println!("a certificate of an item among 50 events: {len} bytes, {policy} of them the policy");
    (bytes, key.verifier().clone())
}

fn checking(c: &mut Criterion) {
    let (bytes, key) = certificate();
    let trust = Trust { log: vec![key], ..Trust::default() };
    let expected = Expected::default();
    c.bench_function("check a certificate of an item among 50 events", |b| {
        b.iter(|| check(black_box(&bytes), &trust, &expected, Language::En).expect("it holds"));
    });
}

criterion_group!(benches, checking, sealing);
criterion_main!(benches);
