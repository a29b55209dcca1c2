//! The command line as clap reads it: every verb, every option, and an example in every help text.

use std::path::PathBuf;

use clap::{Args, Command, CommandFactory, Parser, Subcommand, ValueEnum};
use clap_complete::Shell;
use event::Timestamp;
use policy::{DEFAULT_PRESET, Window};
use projection::{FindingCode, Severity, Status};
use verifier::Language;

use crate::commands::bench::{Wanted, Work};

/// What a cloud account keeps and loses, from its log.
#[derive(Debug, Parser)]
#[command(
    name = "stillthere",
    version,
    about = "Keeps the events of cloud accounts in a log that shows tampering, and answers \
                  from it: what is live, in the trash, expired or purged at any moment, who did \
                  it, and whether the policy allows it.",
    after_help = "Example:\n  stillthere import events.ndjson.gz\n  stillthere accounts\n  \
                  stillthere state ACCOUNT --as-of 2026-02-13T00:00:00Z\n\n\
                  Exit codes: 0 fine; 1 bad news (tampering, lines rejected); 2 usage or \
                  unreadable input;\n3 the store cannot be opened, locked or written. \
                  Refuted claims and findings are answers: 0.",
    arg_required_else_help = true
)]
pub struct Cli {
    /// What every verb takes.
    #[command(flatten)]
    pub global: Global,
    /// What to do.
    #[command(subcommand)]
    pub verb: Verb,
}

impl Cli {
    /// The command line, as it is read and as help and completions show it: a verb that answers of no
    /// instant takes `--as-of` and `--known-at` too, and does not show them.
    pub fn command_line() -> Command {
        const TIMELESS: [&str; 10] = [
            "import",
            "verify",
            "policy",
            "generate",
            "bench",
            "completions",
            "backup",
            "restore",
            "salvage",
            "doctor",
        ];
        let line = Cli::command();
        let hidden = ["as_of", "known_at"].map(|id| {
            let arg = line.get_arguments().find(|arg| arg.get_id() == id);
            arg.expect("a global option").clone().hide(true)
        });
        TIMELESS
            .into_iter()
            .fold(line, |line, verb| line.mut_subcommand(verb, |verb| verb.args(hidden.clone())))
    }
}

/// The options of every verb, before or after it.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Global options")]
pub struct Global {
    /// The folder that holds the log
    #[arg(
        long,
        global = true,
        value_name = "DIR",
        env = "STILLTHERE_STORE",
        hide_env_values = true,
        default_value = "./stillthere.store"
    )]
    pub store: PathBuf,
    /// The retention rules: a preset's name or a file [default: xiaomi-cloud]
    #[arg(long, global = true, value_name = "NAME|FILE", default_value = DEFAULT_PRESET, hide_default_value = true)]
    pub policy: PathBuf,
    /// Answer as of this instant, past or future, such as 2026-02-13T21:47:38+08:00 [default: now]
    #[arg(long, global = true, value_name = "T", value_parser = instant)]
    pub as_of: Option<Timestamp>,
    /// Answer by what was recorded up to this instant [default: now]
    #[arg(long, global = true, value_name = "T", value_parser = instant)]
    pub known_at: Option<Timestamp>,
    /// Print JSON: one object, or a line each for lists
    #[arg(long, global = true)]
    pub json: bool,
    /// The language of tables and sentences (the environment is not asked)
    #[arg(long, global = true, value_name = "en|zh", default_value = "en", value_parser = word(Language::ALL, Language::name))]
    pub lang: Language,
}

/// The verbs.
#[derive(Debug, Subcommand)]
pub enum Verb {
    /// Append event lines to the log
    #[command(after_help = "Example:\n  stillthere import events.ndjson more.ndjson.zst\n  \
        zcat old/*.gz | stillthere import - --rejects rejected.ndjson\n\n\
        The same events can be imported again at any time: what is there already is counted as a \
        duplicate.")]
    Import(ImportArgs),
    /// Show an account's events in order, and what each did
    #[command(after_help = "Example:\n  stillthere replay ann\n  \
        stillthere replay ann --as-of 2026-02-13T00:00:00Z --json")]
    Replay {
        /// The account
        account: String,
    },
    /// Show what an account holds: live, in the trash with days left, gone
    #[command(after_help = "Example:\n  stillthere state ann\n  \
        stillthere state ann --as-of 2026-03-15T00:00:00Z")]
    State {
        /// The account
        account: String,
        /// Show every row of long lists
        #[arg(long)]
        all: bool,
    },
    /// Tell the life of one item: who did what to it, and under which clause
    #[command(after_help = "Example:\n  stillthere explain ann photo-17\n  \
        stillthere explain ann photo-17 --lang zh")]
    Explain {
        /// The account
        account: String,
        /// The item
        item: String,
    },
    /// List the accounts, a line each
    #[command(after_help = "Example:\n  stillthere accounts --status at_risk\n  \
        stillthere accounts --due-within 30d")]
    Accounts(AccountsArgs),
    /// List what was done that the policy does not allow, or that a reader should know
    #[command(after_help = "Example:\n  stillthere findings --severity breach\n  \
        stillthere findings --account ann --code premature-purge")]
    Findings(FindingsArgs),
    /// Judge claims: was it there, who took it, was that lawful?
    #[command(after_help = "Example:\n  stillthere audit claims.ndjson\n  \
        echo '{\"claim\":\"c1\",\"account\":\"ann\",\"item\":\"photo-17\",\"asserts\":\"deleted_by_user\"}' \
        | stillthere audit -\n\n\
        A claim names an account, at most one of item, backup and category, and asserts one of: \
        kept, recoverable, gone, deleted_by_user, not_deleted_by_user, expired, purged_on_time, \
        lost_after_sync_off, cleared_for_inactivity.")]
    Audit {
        /// A file of claims, a line each (plain, gzip or zstd), or - for standard input
        claims: PathBuf,
    },
    /// State an account's state at a position, with its hash, and keep the statement
    #[command(after_help = "Example:\n  stillthere snapshot ann\n  \
        stillthere snapshot --all > snapshots.txt\n\n\
        A full `verify` holds the statements that were kept against a replay.")]
    Snapshot(SnapshotArgs),
    /// Check that the log is as it was written
    #[command(after_help = "Example:\n  stillthere verify\n  \
        stillthere verify --expect-root \
        0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef\n\n\
        Damage and edits are found. Someone who rebuilds the whole log is found only by comparing \
        with a root kept elsewhere: note the root, and give it back later.")]
    Verify(VerifyArgs),
    /// Copy the log to a folder, checked, while others write to it
    #[command(after_help = "Example:\n  stillthere backup --to /mnt/backup/2026-02-13\n  \
        stillthere --store /mnt/backup/2026-02-13 verify\n\n\
        The copy is a store of its own, with the log up to what is durable now and the keys. A log \
        that is damaged is not copied: exit code 1. Edits whose checksums were made anew are \
        `verify`'s to find.")]
    Backup {
        /// The folder to make, which must be missing or empty
        #[arg(long, value_name = "DIR")]
        to: PathBuf,
    },
    /// Make the store from a backup
    #[command(after_help = "Example:\n  stillthere restore --from /mnt/backup/2026-02-13\n\n\
        Every hash of the backup is checked first. Nothing is overwritten: where there is a store, \
        move it away, or name another --store.")]
    Restore {
        /// The backup
        #[arg(long, value_name = "DIR")]
        from: PathBuf,
    },
    /// Say what is wrong with a store, and what mends it
    #[command(after_help = "Example:\n  stillthere doctor\n  \
        stillthere --store /mnt/old doctor --json\n\n\
        Looks at any folder, also one that cannot be opened, and writes nothing. Exit codes: 0 healthy \
        (what does no harm is said all the same), 1 something is wrong, 3 there is no store, or it cannot \
        be looked at.")]
    Doctor,
    /// Make a new store of what is intact in a damaged one
    #[command(after_help = "Example:\n  stillthere salvage --to saved.store\n  \
        stillthere salvage --to saved.store --unproven look-at-these.ndjson\n\n\
        Every event whose batch's checksum or whose page's root holds is appended to the new store, with \
        the time at which it was recorded and who set it. The new store has its own id, positions and \
        root; behind a missing event of an account its revisions are others. What is missing is listed, \
        positions as [from, to). Events that can still be read, but for which only a check of 4 bytes \
        speaks, go to --unproven and never into the store. The damaged store is only read.")]
    Salvage {
        /// The folder of the new store, which must be missing or empty
        #[arg(long, value_name = "DIR")]
        to: PathBuf,
        /// Write the events that are not proven to this file, as lines that `import --trust-recorded-at` reads
        #[arg(long, value_name = "FILE")]
        unproven: Option<PathBuf>,
    },
    /// Show and check retention rules
    #[command(
        subcommand,
        after_help = "Example:\n  stillthere policy list\n  \
        stillthere policy show xiaomi-cloud --lang zh\n  stillthere policy check my-rules.toml"
    )]
    Policy(PolicyVerb),
    /// Write the events out, in the order of the log
    #[command(after_help = "Example:\n  stillthere export -o events.ndjson\n  \
        stillthere export --format cloudevents | gzip > events.gz\n\n\
        All events are written, unless --as-of or --known-at is given. `import \
        --trust-recorded-at` takes ndjson in elsewhere with the same hashes and times. A CloudEvent \
        must have a source: an event without that attribute gets one, and so another hash.")]
    Export(ExportArgs),
    /// Make up event lines of a believable population
    #[command(after_help = "Example:\n  \
        stillthere generate --accounts 1000 --events 100000 --seed 7 -o events.ndjson\n\n\
        The same numbers give the same bytes.")]
    Generate(GenerateArgs),
    /// Measure this machine: the verbs on generated events, beside the peers that are installed
    #[command(after_help = "Example:\n  stillthere bench\n  \
        stillthere bench --events 5000000 --accounts 100000 --rounds 5 --out bench.json \
        --chart bench.svg\n  stillthere bench --only accounts,verify --peers none\n\n\
        `cargo xtask peers` installs the peers (DuckDB, Polars, SQLite, redb, fjall, sled, b3sum) into \
        target/peers. Each round they take turns with ours.")]
    Bench(BenchArgs),
    /// Print a completion script for a shell
    #[command(after_help = "Example:\n  \
        stillthere completions bash > ~/.local/share/bash-completion/completions/stillthere")]
    Completions {
        /// The shell
        shell: Shell,
    },
}

/// What `import` takes.
#[derive(Debug, Args)]
pub struct ImportArgs {
    /// Files of event lines (plain, gzip or zstd, told by their first bytes), - for standard input
    #[arg(required = true, value_name = "FILE")]
    pub files: Vec<PathBuf>,
    /// Write the lines that were rejected to this file, as they are
    #[arg(long, value_name = "FILE")]
    pub rejects: Option<PathBuf>,
    /// Sync HEAD too before a batch counts as durable: after loss of power the log then never reads as
    /// recovered, at the price of a second sync a batch
    #[arg(long)]
    pub strict_tail: bool,
    /// Print {"durable": SIZE} each time a batch has reached the disk
    #[arg(long)]
    pub acks: bool,
    /// Take the events' own recorded_at instead of the log's clock
    #[arg(long)]
    pub trust_recorded_at: bool,
}

/// What `accounts` takes.
#[derive(Debug, Args)]
pub struct AccountsArgs {
    /// Only those of this status
    #[arg(long, value_name = "STATUS", value_parser = word(Status::ALL, Status::name))]
    pub status: Option<Status>,
    /// Only active ones that would be inactive within this time, such as 30d, 6mo or 1y
    #[arg(long, value_name = "WINDOW", value_parser = window)]
    pub due_within: Option<Window>,
}

/// What `findings` takes.
#[derive(Debug, Args)]
pub struct FindingsArgs {
    /// Only those of this account
    #[arg(long, value_name = "ACCOUNT")]
    pub account: Option<String>,
    /// Only those of this severity
    #[arg(long, value_name = "SEVERITY", value_parser = word(Severity::ALL, Severity::name))]
    pub severity: Option<Severity>,
    /// Only those of this code
    #[arg(long, value_name = "CODE", value_parser = word(FindingCode::ALL, FindingCode::name))]
    pub code: Option<FindingCode>,
}

/// What `snapshot` takes.
#[derive(Debug, Args)]
#[group(required = true, multiple = false)]
pub struct SnapshotArgs {
    /// The account
    pub account: Option<String>,
    /// Of every account
    #[arg(long)]
    pub all: bool,
}

/// What `verify` takes.
#[derive(Debug, Args)]
pub struct VerifyArgs {
    /// Check the files' bytes alone: quicker, but an edit whose checksums were made anew passes
    #[arg(long)]
    pub quick: bool,
    /// A root that was noted before, for this very size of the log: another one is exit code 1
    #[arg(long, value_name = "HEX", value_parser = root)]
    pub expect_root: Option<commitment::Digest>,
}

/// What can be done with policies.
#[derive(Debug, Subcommand)]
pub enum PolicyVerb {
    /// List the presets
    #[command(after_help = "Example:\n  stillthere policy list")]
    List,
    /// Show the rules: tiers, windows, clauses and how they can be read
    #[command(after_help = "Example:\n  stillthere policy show xiaomi-cloud --lang zh\n  \
        stillthere policy show xiaomi-cloud --toml > my-rules.toml")]
    Show {
        /// A preset's name or a file; else that of --policy
        #[arg(value_name = "NAME|FILE")]
        which: Option<PathBuf>,
        /// Print the policy's file as it is, to start your own from
        #[arg(long, conflicts_with = "json")]
        toml: bool,
    },
    /// Check a policy, and remark on what its author may not have meant
    #[command(after_help = "Example:\n  stillthere policy check my-rules.toml")]
    Check {
        /// A file or a preset's name
        #[arg(value_name = "NAME|FILE")]
        file: PathBuf,
    },
}

/// What `export` takes.
#[derive(Debug, Args)]
pub struct ExportArgs {
    /// How to write them
    #[arg(long, value_enum, default_value_t = Format::Ndjson)]
    pub format: Format,
    /// The file to write, else standard output
    #[arg(short, long, value_name = "FILE")]
    pub output: Option<PathBuf>,
}

/// How events are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// The lines that `import` reads
    Ndjson,
    /// CloudEvents 1.0, a line each
    Cloudevents,
}

/// What `generate` takes.
#[derive(Debug, Args)]
pub struct GenerateArgs {
    /// How many accounts
    #[arg(long, value_name = "N", default_value_t = 1_000)]
    pub accounts: u64,
    /// How many events
    #[arg(long, value_name = "N", default_value_t = 100_000)]
    pub events: u64,
    /// Which population
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub seed: u64,
    /// The file to write, else standard output
    #[arg(short, long, value_name = "FILE")]
    pub output: Option<PathBuf>,
}

/// What `bench` takes.
#[derive(Debug, Args)]
pub struct BenchArgs {
    /// How many events
    #[arg(long, value_name = "N", default_value_t = 500_000, value_parser = clap::value_parser!(u64).range(1..))]
    pub events: u64,
    /// How many accounts
    #[arg(long, value_name = "N", default_value_t = 20_000)]
    pub accounts: u64,
    /// Which population
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub seed: u64,
    /// How often each work is done
    #[arg(long, value_name = "N", default_value_t = 3, value_parser = clap::value_parser!(u32).range(1..))]
    pub rounds: u32,
    /// Only these works
    #[arg(long, value_name = "WORK,…", value_delimiter = ',', value_parser = word(Work::ALL, Work::name))]
    pub only: Option<Vec<Work>>,
    /// Which peers: auto (those of target/peers here or above, else what python3 has), none, or those
    /// of a folder
    #[arg(long, value_name = "auto|none|DIR", default_value = "auto", value_parser = peers)]
    pub peers: Wanted,
    /// The folder to work in, on the disk to be measured [default: the system's temporary folder]
    #[arg(long, value_name = "DIR")]
    pub dir: Option<PathBuf>,
    /// Write what --json prints to this file too
    #[arg(long, value_name = "FILE.json")]
    pub out: Option<PathBuf>,
    /// Draw the ratios
    #[arg(long, value_name = "FILE.svg")]
    pub chart: Option<PathBuf>,
}

fn peers(text: &str) -> Result<Wanted, std::convert::Infallible> {
    Ok(Wanted::read(text))
}

fn instant(text: &str) -> Result<Timestamp, String> {
    Timestamp::parse(text).map_err(|error| {
        let day = format!("{text}T00:00:00Z");
        match Timestamp::parse(&day) {
            Ok(_) => format!("a day has many instants; its first is {day}"),
            Err(_) => error.to_string(),
        }
    })
}

fn window(text: &str) -> Result<Window, String> {
    Window::parse(text).map_err(|error| error.to_string())
}

fn root(text: &str) -> Result<commitment::Digest, String> {
    let root: Option<commitment::Digest> =
        commitment::unhex(text).and_then(|bytes| bytes.try_into().ok());
    root.ok_or_else(|| "a root is 64 hexadecimal digits, as `verify` prints it".to_owned())
}

/// Takes one of a closed list of words; help, completions and errors list them.
fn word<T: Copy + Send + Sync + 'static>(
    all: &'static [T],
    name: fn(T) -> &'static str,
) -> impl clap::builder::TypedValueParser<Value = T> {
    use clap::builder::{PossibleValuesParser, TypedValueParser};
    PossibleValuesParser::new(all.iter().map(|word| name(*word))).map(move |text| {
        let known = all.iter().find(|word| name(**word) == text);
        *known.expect("only known words are taken")
    })
}
