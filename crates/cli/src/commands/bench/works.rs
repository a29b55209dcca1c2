//! The works, and who does each.

use std::cell::RefCell;
use std::fs::File;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Instant;

use event::Timestamp;
use projection::fold;

use super::measure::{Contender, Row, Sample, Turns, median, process};
use super::peers::PLAIN_POLICY;
use super::place::{Place, bytes_under};
use super::{Bench, append};
use crate::failure::Failure;
use crate::question::now;
use crate::store::Store;

/// All that is generated has happened by then; the peers know it too.
const AS_OF: &str = "2026-01-01T00:00:00Z";
/// How many accounts are asked for one by one.
const ASKED: usize = 9;

/// What is measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Work {
    Import,
    ImportAgain,
    Accounts,
    Findings,
    State,
    StateWarm,
    VerifyQuick,
    Verify,
    Size,
    Append1,
    Append100,
    Append10000,
    AppendThreads,
}

impl Work {
    pub const ALL: &[Work] = &[
        Work::Import,
        Work::ImportAgain,
        Work::Accounts,
        Work::Findings,
        Work::State,
        Work::StateWarm,
        Work::VerifyQuick,
        Work::Verify,
        Work::Size,
        Work::Append1,
        Work::Append100,
        Work::Append10000,
        Work::AppendThreads,
    ];

    /// The word for it on the command line and in JSON.
    pub fn name(self) -> &'static str {
        match self {
            Work::Import => "import",
            Work::ImportAgain => "import-again",
            Work::Accounts => "accounts",
            Work::Findings => "findings",
            Work::State => "state",
            Work::StateWarm => "state-warm",
            Work::VerifyQuick => "verify-quick",
            Work::Verify => "verify",
            Work::Size => "size",
            Work::Append1 => "append-1",
            Work::Append100 => "append-100",
            Work::Append10000 => "append-10000",
            Work::AppendThreads => "append-threads",
        }
    }

    /// What people are told, in English and in Chinese.
    pub fn title(self) -> (&'static str, &'static str) {
        match self {
            Work::Import => ("import", "导入"),
            Work::ImportAgain => ("import again, all duplicates", "再次导入（全为重复）"),
            Work::Accounts => ("every account's line", "所有账号各一行"),
            Work::Findings => ("every finding", "所有发现"),
            Work::State => ("one account's state", "单个账号的状态"),
            Work::StateWarm => ("the same, in the library, warm", "同上，库内，已预热"),
            Work::VerifyQuick => ("verify --quick", "verify --quick"),
            Work::Verify => ("verify", "verify"),
            Work::Size => ("bytes on disk an event", "每条事件占用的磁盘字节"),
            Work::Append1 => ("durable appends, 1 event each", "持久追加，每次 1 条"),
            Work::Append100 => ("durable appends of 100", "持久追加，每次 100 条"),
            Work::Append10000 => ("durable appends of 10,000", "持久追加，每次 10,000 条"),
            Work::AppendThreads => ("64 threads, 1 event each", "64 个线程，每次 1 条"),
        }
    }

    /// Whether it is measured in bytes an event; else in seconds.
    pub fn is_of_bytes(self) -> bool {
        self == Work::Size
    }

    /// Whether it reads or makes the store of all events.
    fn is_on_store(self) -> bool {
        !matches!(self, Work::Append1 | Work::Append100 | Work::Append10000 | Work::AppendThreads)
    }

    /// The peers that do it too: whose, by which step, and what that is.
    fn peers(self) -> &'static [(&'static str, &'static str, &'static str)] {
        match self {
            Work::Import => &[
                ("duckdb", "import", "DuckDB, read_json into a table file"),
                ("sqlite", "import", "SQLite, unique ids, indexed by time"),
            ],
            Work::Accounts => &[
                ("duckdb", "accounts", "DuckDB, the table in memory"),
                ("duckdb", "accounts-parquet", "DuckDB over Parquet"),
                ("polars", "accounts", "Polars, the events in memory"),
                ("sqlite", "accounts", "SQLite"),
                ("replay", "accounts", "a replay of JSON in Python"),
            ],
            Work::State => &[("sqlite", "state", "sqlite3 printing the account's rows")],
            Work::StateWarm => &[("sqlite", "state-warm", "SQLite giving the account's rows")],
            _ => &[],
        }
    }
}

/// Makes what the works read, and warms up by it.
pub fn prepare(bench: &mut Bench<'_>, works: &[Work]) -> Result<(), Failure> {
    let policy = policy_file(&bench.place);
    std::fs::write(&policy, PLAIN_POLICY).map_err(|e| Failure::file(&policy, "write it", &e))?;
    if !works.iter().any(|work| work.is_on_store()) {
        return Ok(());
    }
    import(&bench.place)?;
    if works.iter().any(|work| matches!(work, Work::State | Work::StateWarm)) {
        bench.some_accounts = some_accounts(&bench.place)?;
    }
    let is_read = |name: &str| {
        let reads = |work: &Work| match work {
            Work::Import => false,
            Work::Size => name != "polars",
            work => work.peers().iter().any(|(peer, _, _)| *peer == name),
        };
        works.iter().any(reads)
    };
    for name in ["duckdb", "polars", "sqlite"] {
        if bench.peers.has(name)
            && is_read(name)
            && let Err(failure) = bench.peers.step(name, "prepare", &[])
        {
            bench.peers.leave_out(name, failure.message().unwrap_or("failed"));
        }
    }
    Ok(())
}

/// Measures one.
pub fn measure(work: Work, bench: &mut Bench<'_>) -> Result<Row, Failure> {
    match work {
        Work::Append1 => return append::batches(work, 1, bench),
        Work::Append100 => return append::batches(work, 100, bench),
        Work::Append10000 => return append::batches(work, 10_000, bench),
        Work::AppendThreads => return append::threads(work, bench),
        Work::Size => return size(bench),
        _ => {}
    }
    let events = bench.args.events;
    let answers = RefCell::new(std::mem::take(&mut bench.answers));
    let (place, peers, accounts) = (&bench.place, &bench.peers, &bench.some_accounts);
    let lines = place.path("lines.ndjson");
    let asked = |verb: &[&str]| ask(place, verb, &lines);

    let mut contenders = match work {
        Work::Import => vec![Contender::new("stillthere", || import(place))],
        Work::ImportAgain => vec![
            Contender::new("stillthere", || asked(&["import", "events.ndjson"])),
            Contender::new("the first import", || import(place)),
        ],
        Work::Accounts => vec![Contender::new("stillthere", || {
            let sample = asked(&["accounts"])?;
            answers.borrow_mut().ours(&lines)?;
            Ok(sample)
        })],
        Work::Findings => vec![
            Contender::new("stillthere", || asked(&["findings"])),
            Contender::new("every account's line, without findings", || asked(&["accounts"])),
        ],
        Work::State => vec![Contender::new("stillthere", || {
            let samples: Result<Vec<Sample>, Failure> =
                accounts.iter().map(|account| asked(&["state", account])).collect();
            let samples = samples?;
            Ok(Sample {
                amount: median(samples.iter().map(|sample| sample.amount).collect()),
                peak_bytes: samples.iter().filter_map(|sample| sample.peak_bytes).max(),
            })
        })],
        Work::StateWarm => vec![Contender::new("stillthere", || state_warm(place, accounts))],
        Work::VerifyQuick => vec![
            Contender::new("stillthere", || asked(&["verify", "--quick"])),
            Contender::new("BLAKE3 of the same bytes, on all cores", || hash_all(place)),
        ],
        Work::Verify => vec![
            Contender::new("stillthere", || asked(&["verify"])),
            Contender::new("BLAKE3 of the same bytes, on all cores", || hash_all(place)),
        ],
        _ => unreachable!("measured above"),
    };
    for (name, step, title) in work.peers().iter().filter(|(name, _, _)| peers.has(name)) {
        let (lines, answers) = (&lines, &answers);
        contenders.push(Contender::new(*title, move || {
            let out = lines.to_string_lossy();
            let of_account = accounts.iter().map(String::as_str);
            let arguments: Vec<&str> = match work {
                Work::Accounts => vec![&out],
                Work::State => std::iter::once(out.as_ref()).chain(of_account).collect(),
                Work::StateWarm => of_account.collect(),
                _ => Vec::new(),
            };
            let sample = peers.step(name, step, &arguments)?;
            if work == Work::Accounts {
                answers.borrow_mut().theirs(title, lines)?;
            }
            Ok(sample)
        }));
    }
    let of_all = !matches!(work, Work::State | Work::StateWarm);
    let row = Row::measure(work, &bench.turns, of_all.then_some(events), contenders);
    bench.answers = answers.into_inner();
    row
}

/// A command of this very program on the store, its answer written to `out`.
fn ask(place: &Place, verb: &[&str], out: &Path) -> Result<Sample, Failure> {
    let program = std::env::current_exe()
        .map_err(|e| Failure::Usage(format!("bench: cannot find its own program: {e}")))?;
    let file = File::create(out).map_err(|e| Failure::file(out, "write it", &e))?;
    let mut command = Command::new(program);
    command.current_dir(place.dir()).args(verb).arg("--json");
    command.arg("--store").arg(place.store()).arg("--policy").arg(policy_file(place));
    command.args(["--as-of", AS_OF]).stdin(Stdio::null()).stdout(file);
    process(&mut command, &format!("stillthere {}", verb.join(" ")))
}

/// The events into a store that is new.
fn import(place: &Place) -> Result<Sample, Failure> {
    place.clear("bench.store")?;
    ask(place, &["import", "events.ndjson"], &place.path("imported.json"))
}

fn policy_file(place: &Place) -> std::path::PathBuf {
    place.path("plain.toml")
}

/// The store open: what `state` does of an account, but for the printing.
fn state_warm(place: &Place, accounts: &[String]) -> Result<Sample, Failure> {
    let store = Store::open(&place.store())?;
    let policy = crate::question::find_policy(&policy_file(place))?;
    let as_of = Timestamp::parse(AS_OF).expect("an instant");
    let mut seconds = Vec::new();
    for is_timed in [false, true] {
        for account in accounts {
            let begun = Instant::now();
            let history = store.history(account)?.expect("it was found in the store");
            let view = fold(&history, &policy, as_of, now());
            let state = view.map(|view| view.account_state());
            std::hint::black_box(&state);
            if is_timed {
                seconds.push(begun.elapsed().as_secs_f64());
            }
        }
    }
    Ok(Sample { amount: median(seconds), peak_bytes: None })
}

/// Accounts at even steps from the quietest to the busiest.
fn some_accounts(place: &Place) -> Result<Vec<String>, Failure> {
    let mut sizes = Vec::new();
    Store::open(&place.store())?.each_account(|history| {
        sizes.push((history.steps.len(), history.account.clone()));
        Ok(())
    })?;
    sizes.sort();
    let asked = ASKED.min(sizes.len());
    let at = |n: usize| (2 * n + 1) * sizes.len() / (2 * asked);
    Ok((0..asked).map(|n| sizes[at(n)].1.clone()).collect())
}

/// The least that a check of every byte costs: reading and hashing them, in pieces, on all cores.
fn hash_all(place: &Place) -> Result<Sample, Failure> {
    use std::io::Read;
    use std::sync::Mutex;
    let log = place.store().join("log");
    let unread = |e: std::io::Error| Failure::file(&log, "read it", &e);
    let begun = Instant::now();
    let paths: Result<Vec<_>, _> =
        std::fs::read_dir(&log).map_err(unread)?.map(|entry| Ok(entry?.path())).collect();
    let mut paths = paths.map_err(unread)?;
    let threads = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    let source = Mutex::new((paths.pop().map(File::open).transpose().map_err(unread)?, paths));
    let next_piece = |piece: &mut Vec<u8>| -> std::io::Result<bool> {
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
    let hashed: std::io::Result<()> = std::thread::scope(|scope| {
        let hash = || -> std::io::Result<()> {
            let mut piece = Vec::with_capacity(1 << 20);
            while next_piece(&mut piece)? {
                std::hint::black_box(blake3::hash(&piece));
            }
            Ok(())
        };
        let threads: Vec<_> = (0..threads).map(|_| scope.spawn(hash)).collect();
        threads.into_iter().try_for_each(|thread| thread.join().expect("no thread panics"))
    });
    hashed.map_err(unread)?;
    Ok(Sample::of(begun.elapsed()))
}

/// The store's bytes an event, and those of the peers' files.
fn size(bench: &Bench<'_>) -> Result<Row, Failure> {
    let (store, events) = (bench.place.store(), bench.args.events.max(1));
    let an_event = |bytes: u64| Sample { amount: bytes as f64 / events as f64, peak_bytes: None };
    let mut contenders = vec![
        Contender::new("stillthere", || Ok(an_event(bytes_under(&store)))),
        Contender::new("the event lines", || {
            Ok(an_event(bench.place.events().metadata().map_or(0, |metadata| metadata.len())))
        }),
    ];
    let files = [
        ("sqlite", "sqlite.db", "SQLite, unique ids, indexed by time"),
        ("duckdb", "duckdb.db", "DuckDB's table file"),
        ("duckdb", "events.parquet", "Parquet with zstd"),
    ];
    for (_, file, title) in files.into_iter().filter(|(name, _, _)| bench.peers.has(name)) {
        contenders.push(Contender::new(title, move || {
            let path = bench.place.path(file);
            let metadata = path.metadata().map_err(|e| Failure::file(&path, "read it", &e))?;
            Ok(an_event(metadata.len()))
        }));
    }
    let once = Turns { rounds: 1, ..bench.turns.clone() };
    Row::measure(Work::Size, &once, None, contenders)
}
