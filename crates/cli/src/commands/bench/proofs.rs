//! What proofs cost: sealing, certificates, and what an auditor does. On a store of its own, since a seal is written
//! to the log.

use std::cell::RefCell;
use std::fs;

use commitment::{Checkpoint, Note, Scope};
use event::{Event, read_line};
use eventlog::{Log, Options, Reader, SealedLog};

use super::Bench;
use super::measure::{Contender, Row, Sample, Turns, median};
use super::ours::{AS_OF, Ours};
use super::place::{ALL, Place, Subject};
use super::works::{Verb, Work, some_accounts};
use crate::failure::Failure;
use crate::question::now;
use crate::store::Store;

pub const SEALED: Subject = Subject { store: "sealed.store", ..ALL };

/// The log's key, and an auditor's. Not in the store: each import makes that anew.
const KEY: &str = "bench.key";
const AUDITOR: &str = "auditor.key";
/// So many accounts change before another seal, if there are as many.
const CHANGED: usize = 10_000;
/// Of so many accounts the proof in the map is measured.
const PROVEN: usize = 1_000;

/// An account that is asked for, and one of its items.
pub struct Asked {
    account: String,
    item: String,
}

/// Makes the keys and the store, and seals it; says whom to ask for.
pub fn prepare(bench: &Bench<'_>) -> Result<Vec<Asked>, Failure> {
    let ours = Ours::of(&bench.place, SEALED);
    for (key, origin) in [(KEY, "bench.example/log"), (AUDITOR, "bench.example/auditor")] {
        ours.ask(&["key", "new", "--key", key, "--origin", origin])?;
    }
    import(&bench.place)?;
    seal(ours)?;
    let mut asked = Vec::new();
    let store = Store::open(&bench.place.path(SEALED.store))?;
    for account in some_accounts(&bench.place, SEALED)? {
        let events = store.events(&account)?;
        let item = events.iter().find_map(|recorded| match Scope::of(&recorded.event.payload) {
            (Scope::Item, item) => Some(item.to_owned()),
            _ => None,
        });
        asked.extend(item.map(|item| Asked { account, item }));
    }
    match asked.is_empty() {
        true => {
            Err(Failure::Usage("bench: no account has an item; more --events bring some".into()))
        }
        false => Ok(asked),
    }
}

/// Makes the store anew. Of what it was before the key signed something, which this one would contradict.
fn import(place: &Place) -> Result<Sample, Failure> {
    let signed = place.path(&format!("{KEY}.last"));
    match fs::remove_file(&signed) {
        Err(e) if e.kind() != std::io::ErrorKind::NotFound => {
            Err(Failure::file(&signed, "remove it", &e))
        }
        _ => Ours::of(place, SEALED).import(),
    }
}

fn seal(ours: Ours<'_>) -> Result<Sample, Failure> {
    ours.ask(&["checkpoint", "--key", KEY])
}

/// The first checkpoint: every chain is read.
pub fn first_checkpoint(bench: &Bench<'_>) -> Result<Row, Failure> {
    let imported = RefCell::new(Sample::default());
    let ours = Ours::of(&bench.place, SEALED);
    let contenders = vec![
        Contender::new("stillthere", || {
            *imported.borrow_mut() = import(&bench.place)?;
            seal(ours)
        }),
        Contender::new("the import before it", || Ok(*imported.borrow())),
    ];
    Row::measure(Work::Checkpoint, &bench.turns, Some(bench.args.events), contenders)
}

/// Another, when some accounts have changed.
pub fn next_checkpoint(bench: &Bench<'_>) -> Result<Row, Failure> {
    let store = bench.place.path(SEALED.store);
    let mut accounts = Vec::new();
    Store::open(&store)?.each_account(|history| {
        accounts.push(history.account.clone());
        Ok(())
    })?;
    accounts.truncate(CHANGED);
    let (appended, round) = (RefCell::new(Sample::default()), RefCell::new(0));
    let contenders = vec![
        Contender::new("stillthere", || {
            *round.borrow_mut() += 1;
            let events = accounts.iter().map(|account| viewed(account, *round.borrow()));
            let events: Vec<Event> = events.collect();
            let log = Log::open(&store, Options::new(now))?;
            let begun = std::time::Instant::now();
            log.append(events)?;
            *appended.borrow_mut() = Sample::of(begun.elapsed());
            log.close()?;
            seal(Ours::of(&bench.place, SEALED))
        }),
        Contender::new("appending what changed", || Ok(*appended.borrow())),
    ];
    Row::measure(Work::Seal, &bench.turns, Some(accounts.len() as u64), contenders)
}

fn viewed(account: &str, round: u32) -> Event {
    let account = serde_json::Value::from(account);
    let line = format!(
        r#"{{"id":"sealed-{round}","account":{account},"occurred_at":"{AS_OF}","kind":"page_viewed","actor":"user"}}"#
    );
    read_line(line.as_bytes()).expect("an event line")
}

/// The bytes of proofs in the account map, of accounts at even steps.
pub fn map_proof(bench: &Bench<'_>) -> Result<Row, Failure> {
    let dir = bench.place.path(SEALED.store);
    let store = Store::open(&dir)?;
    let mut accounts = Vec::new();
    store.each_account(|history| {
        accounts.push(history.account.clone());
        Ok(())
    })?;
    let reader = Reader::open(&dir)?;
    let sealed = SealedLog::open(&dir, &reader, pages(&bench.place)?)?;
    let asked = PROVEN.min(accounts.len());
    let levels = (accounts.len() as f64).log2().ceil();
    let mut next = (0..asked).map(|n| &accounts[n * accounts.len() / asked]);
    let contenders = vec![
        Contender::new("stillthere", move || {
            let account = next.next().expect("a round an account");
            Ok(Sample::new(sealed.map(account)?.encode().len() as f64))
        }),
        Contender::new("a hash a level of a full tree of them", move || {
            Ok(Sample::new(32.0 * levels.max(1.0)))
        }),
    ];
    Row::measure(Work::MapProof, &rounds(bench, asked), None, contenders)
}

/// How many pages the published tree has.
pub fn pages(place: &Place) -> Result<u64, Failure> {
    let path = place.path(SEALED.store).join("tlog/checkpoint");
    let bytes = fs::read(&path).map_err(|e| Failure::file(&path, "read it", &e))?;
    let bad = |e: &dyn std::fmt::Display| Failure::Usage(format!("{}: {e}", path.display()));
    let note = Note::parse(&bytes).map_err(|e| bad(&e))?;
    Ok(Checkpoint::parse(note.unverified_text()).map_err(|e| bad(&e))?.size)
}

/// As many rounds as there are things to be measured once.
fn rounds(bench: &Bench<'_>, count: usize) -> Turns {
    let rounds = u32::try_from(count).expect("some thousand at most");
    Turns { rounds, ..bench.turns.clone() }
}

/// The bytes of certificates of an item, beside those of all its account.
pub fn certificate(bench: &Bench<'_>) -> Result<Row, Failure> {
    let of = |asked: &Asked, item: bool| {
        certify(bench, asked, item)?;
        let file = bench.place.path(CERTIFICATE);
        let bytes = file.metadata().map_err(|e| Failure::file(&file, "look at it", &e))?.len();
        Ok(Sample::new(bytes as f64))
    };
    let (mut items, mut accounts) = (bench.asked.iter(), bench.asked.iter());
    let contenders = vec![
        Contender::new("stillthere", move || of(items.next().expect("a round each"), true)),
        Contender::new("of the whole account", move || {
            of(accounts.next().expect("a round each"), false)
        }),
    ];
    Row::measure(Work::Certificate, &rounds(bench, bench.asked.len()), None, contenders)
}

const CERTIFICATE: &str = "item.cert";

fn certify(bench: &Bench<'_>, asked: &Asked, item: bool) -> Result<Sample, Failure> {
    let Asked { account, item: name } = asked;
    let all = ["certify", account, "-o", CERTIFICATE, "--item", name];
    Ours::of(&bench.place, SEALED).ask(if item { &all } else { &all[..4] })
}

/// Checking a certificate of an item: a process from start to exit.
pub fn check(bench: &Bench<'_>) -> Result<Row, Failure> {
    let made = RefCell::new(Sample::default());
    let key = format!("{KEY}.pub");
    let contenders = vec![
        Contender::new("stillthere", || {
            let (mut certified, mut checked) = (Vec::new(), Vec::new());
            for asked in &bench.asked {
                certified.push(certify(bench, asked, true)?.amount);
                let ours = Ours::of(&bench.place, SEALED);
                checked.push(ours.ask(&["check", CERTIFICATE, "--key", &key])?.amount);
            }
            *made.borrow_mut() = Sample::new(median(certified));
            Ok(Sample::new(median(checked)))
        }),
        Contender::new("making it", || Ok(*made.borrow())),
    ];
    Row::measure(Work::Check, &bench.turns, None, contenders)
}

/// What an auditor replays, beside `verify`.
pub fn audit_log(bench: &Bench<'_>) -> Result<Row, Failure> {
    let ours = Ours::of(&bench.place, SEALED);
    let contenders = vec![
        Contender::new("stillthere", || {
            ours.ask(&["audit-log", "--key", AUDITOR, "-o", "audit.note"])
        }),
        Contender::new("verify", || Verb::Verify.run(ours)),
    ];
    Row::measure(Work::AuditLog, &bench.turns, Some(bench.args.events), contenders)
}
