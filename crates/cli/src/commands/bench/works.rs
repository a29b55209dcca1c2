//! The works, and who does each.

use std::cell::RefCell;
use std::fs;
use std::time::Instant;

use event::Timestamp;
use projection::fold;

use super::measure::{Contender, Row, Sample, Turns, Unit, median};
use super::ours::{AS_OF, Ours};
use super::peers::{B3SUM, PLAIN_POLICY};
use super::place::{ALL, Place, Subject, TENTH, bytes_under};
use super::{
    Bench, append, erasures, foresight, growth, hashes, proofs, single, trees, write_events,
};
use crate::failure::Failure;
use crate::question::now;
use crate::store::Store;

/// A word for works that belong together, and which they are.
type Group = (&'static str, fn(Work) -> bool);
const GROUPS: [Group; 3] = [
    ("foresight", Work::is_of_foresight),
    ("proofs", Work::is_of_proofs),
    ("erasure", Work::is_of_erasure),
];

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
    GrowthImport,
    GrowthAccounts,
    GrowthVerify,
    MemoryImport,
    MemoryAccounts,
    MemoryVerify,
    Reopen,
    ReopenKilled,
    Size,
    SingleSize,
    SingleAccounts,
    SingleExport,
    SingleVerify,
    Append1,
    Append100,
    Append10000,
    AppendThreads,
    Forecast,
    ForecastAll,
    PolicyDiff,
    Sweep,
    ExportParquet,
    Checkpoint,
    Seal,
    MapProof,
    Certificate,
    Check,
    AuditLog,
    Erase,
    EraseAccounts,
    EraseVerify,
    TreeHash,
    TreeProve,
    TreeCheck,
    NoteSign,
    NoteOpen,
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
        Work::GrowthImport,
        Work::GrowthAccounts,
        Work::GrowthVerify,
        Work::MemoryImport,
        Work::MemoryAccounts,
        Work::MemoryVerify,
        Work::Reopen,
        Work::ReopenKilled,
        Work::Size,
        Work::SingleSize,
        Work::SingleAccounts,
        Work::SingleExport,
        Work::SingleVerify,
        Work::Append1,
        Work::Append100,
        Work::Append10000,
        Work::AppendThreads,
        Work::Forecast,
        Work::ForecastAll,
        Work::PolicyDiff,
        Work::Sweep,
        Work::ExportParquet,
        Work::Checkpoint,
        Work::Seal,
        Work::MapProof,
        Work::Certificate,
        Work::Check,
        Work::AuditLog,
        Work::Erase,
        Work::EraseAccounts,
        Work::EraseVerify,
        Work::TreeHash,
        Work::TreeProve,
        Work::TreeCheck,
        Work::NoteSign,
        Work::NoteOpen,
    ];

    /// The works of a word of the command line: one, or those of a group.
    pub fn named(word: &str) -> Option<Vec<Work>> {
        let group = GROUPS.iter().find(|(name, _)| *name == word);
        let is_it = |work: &Work| match group {
            Some((_, has)) => has(*work),
            None => work.name() == word,
        };
        let works: Vec<Work> = Work::ALL.iter().copied().filter(is_it).collect();
        (!works.is_empty()).then_some(works)
    }

    /// The words of the command line.
    pub fn words() -> impl Iterator<Item = &'static str> {
        Work::ALL.iter().map(|work| work.name()).chain(GROUPS.map(|(name, _)| name))
    }

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
            Work::GrowthImport => "growth-import",
            Work::GrowthAccounts => "growth-accounts",
            Work::GrowthVerify => "growth-verify",
            Work::MemoryImport => "memory-import",
            Work::MemoryAccounts => "memory-accounts",
            Work::MemoryVerify => "memory-verify",
            Work::Reopen => "reopen",
            Work::ReopenKilled => "reopen-killed",
            Work::Size => "size",
            Work::SingleSize => "single-size",
            Work::SingleAccounts => "single-accounts",
            Work::SingleExport => "single-export",
            Work::SingleVerify => "single-verify",
            Work::Append1 => "append-1",
            Work::Append100 => "append-100",
            Work::Append10000 => "append-10000",
            Work::AppendThreads => "append-threads",
            Work::Forecast => "forecast",
            Work::ForecastAll => "forecast-all",
            Work::PolicyDiff => "policy-diff",
            Work::Sweep => "sweep",
            Work::ExportParquet => "export-parquet",
            Work::Checkpoint => "checkpoint",
            Work::Seal => "seal",
            Work::MapProof => "map-proof",
            Work::Certificate => "certificate",
            Work::Check => "check",
            Work::AuditLog => "audit-log",
            Work::Erase => "erase",
            Work::EraseAccounts => "erase-accounts",
            Work::EraseVerify => "erase-verify",
            Work::TreeHash => "tree-hash",
            Work::TreeProve => "tree-prove",
            Work::TreeCheck => "tree-check",
            Work::NoteSign => "note-sign",
            Work::NoteOpen => "note-open",
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
            Work::GrowthImport => ("import, time an event", "导入，每条事件用时"),
            Work::GrowthAccounts => ("accounts, time an event", "所有账号，每条事件用时"),
            Work::GrowthVerify => ("verify, time an event", "verify，每条事件用时"),
            Work::MemoryImport => ("import, most memory", "导入，内存峰值"),
            Work::MemoryAccounts => ("accounts, most memory", "所有账号，内存峰值"),
            Work::MemoryVerify => ("verify, most memory", "verify，内存峰值"),
            Work::Reopen => ("opening to write, after a clean stop", "打开以写入，正常关闭后"),
            Work::ReopenKilled => ("opening to write, after a kill", "打开以写入，进程被杀后"),
            Work::Size => ("bytes on disk an event", "每条事件占用的磁盘字节"),
            Work::SingleSize => {
                ("written one by one: bytes an event", "逐条写入：每条事件占用的磁盘字节")
            }
            Work::SingleAccounts => ("written one by one: accounts", "逐条写入：所有账号"),
            Work::SingleExport => ("written one by one: export", "逐条写入：导出"),
            Work::SingleVerify => ("written one by one: verify", "逐条写入：verify"),
            Work::Append1 => ("durable appends, 1 event each", "持久追加，每次 1 条"),
            Work::Append100 => ("durable appends of 100", "持久追加，每次 100 条"),
            Work::Append10000 => ("durable appends of 10,000", "持久追加，每次 10,000 条"),
            Work::AppendThreads => ("64 threads, 1 event each", "64 个线程，每次 1 条"),
            Work::Forecast => ("forecast of one account", "单个账号的预测"),
            Work::ForecastAll => ("forecast of every account", "所有账号的预测"),
            Work::PolicyDiff => ("policy diff, two windows changed", "policy diff，两个期限不同"),
            Work::Sweep => ("sweep of 50 points, four metrics", "sweep，50 个取值，四项指标"),
            Work::ExportParquet => ("export as Parquet", "导出为 Parquet"),
            Work::Checkpoint => ("the first checkpoint", "首个检查点"),
            Work::Seal => {
                ("another, at most 10,000 accounts changed", "再次检查点，至多 10,000 个账号有变动")
            }
            Work::MapProof => ("proof of an account in the map", "账号映射中的证明"),
            Work::Certificate => ("certificate of an item", "单个项目的证书"),
            Work::Check => ("check of a certificate", "检验证书"),
            Work::AuditLog => ("audit-log", "audit-log"),
            Work::Erase => ("erase an account of 100 events", "擦除一个 100 条事件的账号"),
            Work::EraseAccounts => ("accounts, after an erasure", "所有账号，擦除之后"),
            Work::EraseVerify => ("verify, after an erasure", "verify，擦除之后"),
            Work::TreeHash => ("the tree over the pages, hashed", "对各页的树求哈希"),
            Work::TreeProve => ("inclusion proofs, made", "生成包含证明"),
            Work::TreeCheck => ("inclusion proofs, checked", "检验包含证明"),
            Work::NoteSign => ("notes, signed", "签署 note"),
            Work::NoteOpen => ("notes, opened", "验证 note"),
        }
    }

    pub fn unit(self) -> Unit {
        match self {
            Work::GrowthImport | Work::GrowthAccounts | Work::GrowthVerify => Unit::SecondsPerEvent,
            Work::Size | Work::SingleSize => Unit::BytesPerEvent,
            Work::MapProof | Work::Certificate => Unit::Bytes,
            _ if self.is_of_memory() => Unit::Bytes,
            _ => Unit::Seconds,
        }
    }

    pub fn is_of_memory(self) -> bool {
        matches!(self, Work::MemoryImport | Work::MemoryAccounts | Work::MemoryVerify)
    }

    /// Whether it holds a log against one of a tenth of the events.
    fn is_of_growth(self) -> bool {
        let is_reopening = matches!(self, Work::Reopen | Work::ReopenKilled);
        is_reopening || self.unit() == Unit::SecondsPerEvent || self.is_of_memory()
    }

    /// Whether it is on a store that was written one event at a time.
    fn is_of_singles(self) -> bool {
        use Work::{SingleAccounts, SingleExport, SingleSize, SingleVerify};
        matches!(self, SingleSize | SingleAccounts | SingleExport | SingleVerify)
    }

    /// Whether it appends to a store of its own.
    fn is_of_appends(self) -> bool {
        use Work::{Append1, Append100, Append10000, AppendThreads};
        matches!(self, Append1 | Append100 | Append10000 | AppendThreads)
    }

    /// Whether it is of what is ahead, or of other policies over a population.
    fn is_of_foresight(self) -> bool {
        use Work::{ExportParquet, Forecast, ForecastAll, PolicyDiff, Sweep};
        matches!(self, Forecast | ForecastAll | PolicyDiff | Sweep | ExportParquet)
    }

    /// Whether it is on a store that is sealed, which no other work reads.
    pub fn is_of_proofs(self) -> bool {
        use Work::{AuditLog, Certificate, Check, Checkpoint, MapProof, Seal};
        matches!(self, Checkpoint | Seal | MapProof | Certificate | Check | AuditLog)
            || self.is_of_trees()
    }

    /// Whether it is of a log in which accounts are erased.
    pub fn is_of_erasure(self) -> bool {
        matches!(self, Work::Erase | Work::EraseAccounts | Work::EraseVerify)
    }

    /// Whether it is of the tree over the pages, which others have too.
    fn is_of_trees(self) -> bool {
        use Work::{NoteOpen, NoteSign, TreeCheck, TreeHash, TreeProve};
        matches!(self, TreeHash | TreeProve | TreeCheck | NoteSign | NoteOpen)
    }

    /// The peers that do it too: whose, by which step, and what that is.
    pub fn peers(self) -> &'static [(&'static str, &'static str, &'static str)] {
        match self {
            Work::Import => &[
                ("duckdb", "import", "DuckDB, read_json into a table file"),
                ("duckdb", "import-unique", "DuckDB, the same with unique ids"),
                ("sqlite", "import", "SQLite, unique ids, indexed by time"),
            ],
            Work::Accounts => &[
                ("duckdb", "accounts", "DuckDB, the table in memory"),
                ("duckdb", "accounts-parquet", "DuckDB over Parquet"),
                ("polars", "accounts", "Polars, the events in memory"),
                ("sqlite", "accounts", "SQLite"),
                ("replay", "accounts", "a replay of JSON in Python"),
            ],
            Work::ExportParquet => {
                &[("duckdb", "export-parquet", "DuckDB's COPY of its table, with zstd")]
            }
            Work::State => &[("sqlite", "state", "sqlite3 printing the account's rows")],
            Work::StateWarm => &[("sqlite", "state-warm", "SQLite giving the account's rows")],
            _ => &[],
        }
    }
}

/// A command that is measured in more than one way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verb {
    Import,
    Accounts,
    Export,
    Verify,
}

impl Verb {
    pub fn run(self, ours: Ours<'_>) -> Result<Sample, Failure> {
        match self {
            Verb::Import => ours.import(),
            Verb::Accounts => ours.ask(&["accounts"]),
            Verb::Export => ours.ask(&["export"]),
            Verb::Verify => ours.ask(&["verify"]),
        }
    }
}

/// Makes what the works read, and warms up by it.
pub fn prepare(bench: &mut Bench<'_>, works: &[Work]) -> Result<(), Failure> {
    let place = &bench.place;
    let policy = place.policy();
    fs::write(&policy, PLAIN_POLICY).map_err(|e| Failure::file(&policy, "write it", &e))?;
    let is_any = |is: fn(Work) -> bool| works.iter().any(|work| is(*work));
    if is_any(|work| !work.is_of_appends() && !work.is_of_singles() && !work.is_of_proofs()) {
        Ours::of(place, ALL).import()?;
    }
    if is_any(|work| work.is_of_growth() || work.is_of_erasure()) {
        let (events, accounts) = growth::tenth(bench.args);
        write_events(place, TENTH, accounts, events, bench.args.seed)?;
    }
    if is_any(Work::is_of_growth) {
        Ours::of(place, TENTH).import()?;
    }
    if works.contains(&Work::ReopenKilled) {
        growth::kill_writers(bench)?;
    }
    if is_any(Work::is_of_singles) {
        single::prepare(place)?;
    }
    if is_any(|work| matches!(work, Work::State | Work::StateWarm | Work::Forecast)) {
        bench.some_accounts = some_accounts(place, ALL)?;
    }
    if is_any(Work::is_of_proofs) {
        bench.asked = proofs::prepare(bench)?;
    }
    if is_any(Work::is_of_erasure) {
        bench.persons = erasures::prepare(bench)?;
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
        Work::Import
        | Work::ImportAgain
        | Work::Accounts
        | Work::Findings
        | Work::State
        | Work::StateWarm
        | Work::VerifyQuick
        | Work::Verify => on_all(work, bench),
        Work::GrowthImport => growth::time(work, Verb::Import, bench),
        Work::GrowthAccounts => growth::time(work, Verb::Accounts, bench),
        Work::GrowthVerify => growth::time(work, Verb::Verify, bench),
        Work::MemoryImport => growth::memory(work, Verb::Import, bench),
        Work::MemoryAccounts => growth::memory(work, Verb::Accounts, bench),
        Work::MemoryVerify => growth::memory(work, Verb::Verify, bench),
        Work::Reopen => growth::reopen(bench),
        Work::ReopenKilled => growth::reopen_killed(bench),
        Work::Size => size(bench),
        Work::SingleSize => single::size(bench),
        Work::SingleAccounts => single::time(work, Verb::Accounts, bench),
        Work::SingleExport => single::time(work, Verb::Export, bench),
        Work::SingleVerify => single::time(work, Verb::Verify, bench),
        Work::Append1 => append::batches(work, 1, bench),
        Work::Append100 => append::batches(work, 100, bench),
        Work::Append10000 => append::batches(work, 10_000, bench),
        Work::AppendThreads => append::threads(work, bench),
        Work::Forecast
        | Work::ForecastAll
        | Work::PolicyDiff
        | Work::Sweep
        | Work::ExportParquet => foresight::measure(work, bench),
        Work::Checkpoint => proofs::first_checkpoint(bench),
        Work::Seal => proofs::next_checkpoint(bench),
        Work::MapProof => proofs::map_proof(bench),
        Work::Certificate => proofs::certificate(bench),
        Work::Check => proofs::check(bench),
        Work::AuditLog => proofs::audit_log(bench),
        Work::Erase => erasures::account(bench),
        Work::EraseAccounts => erasures::reading(work, Verb::Accounts, bench),
        Work::EraseVerify => erasures::reading(work, Verb::Verify, bench),
        Work::TreeHash | Work::TreeProve | Work::TreeCheck | Work::NoteSign | Work::NoteOpen => {
            trees::measure(work, bench)
        }
    }
}

/// Measures one that the peers do too, or that is held against another of ours.
fn on_all(work: Work, bench: &mut Bench<'_>) -> Result<Row, Failure> {
    let events = bench.args.events;
    let answers = RefCell::new(std::mem::take(&mut bench.answers));
    let (place, peers, accounts) = (&bench.place, &bench.peers, &bench.some_accounts);
    let lines = place.lines();
    let ours = Ours::of(place, ALL);

    let mut contenders = match work {
        Work::Import => vec![Contender::new("stillthere", || ours.import())],
        Work::ImportAgain => vec![
            Contender::new("stillthere", || ours.import_again()),
            Contender::new("the first import", || ours.import()),
        ],
        Work::Accounts => vec![Contender::new("stillthere", || {
            let sample = ours.ask(&["accounts"])?;
            answers.borrow_mut().ours(&lines)?;
            Ok(sample)
        })],
        Work::Findings => vec![
            Contender::new("stillthere", || ours.ask(&["findings"])),
            Contender::new("every account's line, no findings", || ours.ask(&["accounts"])),
        ],
        Work::State => {
            vec![Contender::new("stillthere", || one_by_one(ours, "state", accounts))]
        }
        Work::StateWarm => vec![Contender::new("stillthere", || state_warm(place, accounts))],
        Work::VerifyQuick => {
            vec![Contender::new("stillthere", || ours.ask(&["verify", "--quick"]))]
        }
        Work::Verify => vec![Contender::new("stillthere", || ours.ask(&["verify"]))],
        _ => unreachable!("measured elsewhere"),
    };
    if let Some(core) = &bench.one_core {
        let verb = match work {
            Work::Import => Some(Verb::Import),
            Work::Accounts => Some(Verb::Accounts),
            Work::Verify => Some(Verb::Verify),
            _ => None,
        };
        contenders.extend(verb.map(|verb| {
            Contender::new("stillthere on one core", move || verb.run(ours.on_core(core)))
        }));
    }
    if matches!(work, Work::VerifyQuick | Work::Verify) {
        contenders.push(Contender::new("BLAKE3 of the same bytes, all cores", || {
            hashes::in_process(place)
        }));
        if peers.has(B3SUM) {
            contenders
                .push(Contender::new("b3sum of the same bytes", || hashes::b3sum(place, peers)));
        }
    }
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

/// A verb of each of these accounts, a process each: the time of the one in the middle.
pub fn one_by_one(ours: Ours<'_>, verb: &str, accounts: &[String]) -> Result<Sample, Failure> {
    let samples: Result<Vec<Sample>, Failure> =
        accounts.iter().map(|account| ours.ask(&[verb, account])).collect();
    let samples = samples?;
    let peak_bytes = samples.iter().filter_map(|sample| sample.peak_bytes).max();
    let amount = median(samples.iter().map(|sample| sample.amount).collect());
    Ok(Sample { peak_bytes, ..Sample::new(amount) })
}

/// The store open: what `state` does of an account, but for the printing.
fn state_warm(place: &Place, accounts: &[String]) -> Result<Sample, Failure> {
    let store = Store::open(&place.store())?;
    let policy = crate::question::find_policy(&place.policy())?;
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
    Ok(Sample::new(median(seconds)))
}

/// Accounts at even steps from the quietest to the busiest.
pub fn some_accounts(place: &Place, subject: Subject) -> Result<Vec<String>, Failure> {
    let mut sizes = Vec::new();
    Store::open(&place.path(subject.store))?.each_account(|history| {
        sizes.push((history.steps.len(), history.account.clone()));
        Ok(())
    })?;
    sizes.sort();
    let asked = ASKED.min(sizes.len());
    let at = |n: usize| (2 * n + 1) * sizes.len() / (2 * asked);
    Ok((0..asked).map(|n| sizes[at(n)].1.clone()).collect())
}

/// The store's bytes an event, and those of the peers' files.
fn size(bench: &Bench<'_>) -> Result<Row, Failure> {
    let store = bench.place.store();
    let an_event = |bytes: u64| Sample::new(bytes as f64).per_event(bench.args.events);
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
