//! The command line as clap reads it: every verb, every option, and an example in every help text.

use std::path::PathBuf;

use clap::{Args, Command, CommandFactory, Parser, Subcommand};
use clap_complete::Shell;
use event::Timestamp;
use policy::{DEFAULT_PRESET, Window};
use projection::{FindingCode, Severity, Status};
use verifier::Language;

use crate::commands::backup::{BackupArgs, RestoreArgs};
use crate::commands::bench::{Wanted, Work};
use crate::commands::erase::EraseArgs;
use crate::commands::explain::ExplainArgs;
use crate::commands::export::ExportArgs;
use crate::commands::forecast::ForecastArgs;
use crate::commands::import::FormatArgs;
use crate::commands::policy::NewArgs;
use crate::commands::policy::diff::DiffArgs;
use crate::commands::report::ReportArgs;
use crate::commands::retain::RetainArgs;
use crate::commands::sweep::SweepArgs;
use crate::commands::watch::WatchArgs;

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
        const TIMELESS: [&str; 16] = [
            "import",
            "watch",
            "verify",
            "policy",
            "generate",
            "bench",
            "completions",
            "backup",
            "restore",
            "salvage",
            "doctor",
            "key",
            "checkpoint",
            "audit-log",
            "erase",
            "erasures",
        ];
        let line = Cli::command();
        let shown = ["as_of", "known_at"].map(|id| {
            let arg = line.get_arguments().find(|arg| arg.get_id() == id);
            arg.expect("a global option").clone()
        });
        let hidden = shown.clone().map(|arg| arg.hide(true));
        TIMELESS
            .into_iter()
            .fold(line, |line, verb| line.mut_subcommand(verb, |verb| verb.args(hidden.clone())))
            .mut_subcommand("policy", |policy| {
                policy.mut_subcommand("diff", |diff| diff.args(shown))
            })
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
        zcat old/*.gz | stillthere import - --rejects rejected.ndjson\n  \
        stillthere import activity.json --format google-workspace-drive --dry-run\n\n\
        The same events can be imported again at any time: what is there already is counted as a \
        duplicate.")]
    Import(ImportArgs),
    /// Append event lines as they are written to a file or a folder
    #[command(
        after_help = "Example:\n  stillthere watch /var/log/cloud --rejects rejected.ndjson\n  \
        stillthere watch events.ndjson --once --json\n\n\
        A line counts once it has its line end. Files are followed when they are renamed; one that was cut \
        is read from its beginning. How far each was read is kept in the store, and what is read twice is \
        counted as a duplicate. Other writers can append between rounds. Ctrl-C ends it: exit code 0."
    )]
    Watch(WatchArgs),
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
        stillthere explain ann photo-17 --lang zh\n  \
        stillthere explain ann photo-17 --why-not recoverable\n\n\
        --why-not searches for the least single change under which the item would be in another state: \
        another as-of, a reading of the policy, an event earlier, later or left out, another tier, one \
        version of the policy throughout.")]
    Explain(ExplainArgs),
    /// List what is ahead by time alone: what expires when, when the account comes at risk
    #[command(after_help = "Example:\n  stillthere forecast ann\n  \
        stillthere forecast ann --assume what-if.ndjson\n  \
        stillthere forecast ann --until 2027-01-01T00:00:00Z --ics ann.ics\n  \
        stillthere forecast --all --due-within 30d --json\n\n\
        The lines of --assume are event lines as `import` reads them. They are folded as if they had \
        happened, and appended nowhere: the dates are shown before and after.")]
    Forecast(ForecastArgs),
    /// List the accounts, a line each
    #[command(after_help = "Example:\n  stillthere accounts --status at_risk\n  \
        stillthere accounts --due-within 30d")]
    Accounts(AccountsArgs),
    /// List what was done that the policy does not allow, or that a reader should know
    #[command(after_help = "Example:\n  stillthere findings --severity breach\n  \
        stillthere findings --account ann --code premature-purge\n  \
        stillthere findings --account ann --lawful")]
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
    Backup(BackupArgs),
    /// Make the store from a backup
    #[command(after_help = "Example:\n  stillthere restore --from /mnt/backup/2026-02-13\n\n\
        Every hash of the backup is checked first. Nothing is overwritten: where there is a store, \
        move it away, or name another --store.")]
    Restore(RestoreArgs),
    /// Take a person, or some of their items, out of the log, and leave the proof
    #[command(
        after_help = "Example:\n  stillthere erase mei --ground \"GDPR Art. 17, request 4711\" --dry-run\n  \
        stillthere erase mei --ground \"GDPR Art. 17, request 4711\"\n  \
        stillthere erase mei --item photo-17 --item photo-18 --ground \"court order 12/2026\"\n\n\
        What is erased is written over in the log, and gone from all that is derived of it. Nothing is asked \
        first, and nothing brings it back: try it with --dry-run. Of items, the contents of their events go; \
        when, of what kind and by whom stays. Of an account, all goes but the events' hashes and places, with \
        its name. A record in the log says which positions, when, on what ground and by whom, and nothing of \
        what was in them; checkpoints and certificates of before still hold.\n\n\
        Refused (exit code 1): while a hold stands, and what the policy in force keeps records of still \
        (`records.keep`). docs/erasure.md says what stays, and what an erasure does not reach."
    )]
    Erase(EraseArgs),
    /// Erase what a policy says is kept no longer
    #[command(
        after_help = "Example:\n  stillthere --policy ours.toml retain --as-of 2026-11-01T00:00:00Z --dry-run\n  \
        stillthere --policy ours.toml retain --as-of 2026-11-01T00:00:00Z\n\n\
        What occurred before --as-of less `records.keep`, by the version in force then, is erased: it is listed \
        first, and goes in batches of at most 100,000 events, each under a record of its own. Stopped, it goes \
        on with the same command. Accounts under a hold are left out and listed. An account keeps its name, also \
        one of which nothing else is left: `erase` takes that."
    )]
    Retain(RetainArgs),
    /// List the erasures
    #[command(after_help = "Example:\n  stillthere erasures\n  stillthere erasures --json")]
    Erasures,
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
    /// Make the key that signs checkpoints, or show who verifies it
    #[command(
        subcommand,
        after_help = "Example:\n  stillthere key new --origin example.com/accounts\n  stillthere key show\n\n\
        The private key lies in the store's folder keys/, readable by its owner alone, and is never \
        printed. The verifier key is for everyone."
    )]
    Key(KeyVerb),
    /// Seal the log, publish its tree, and sign the tree's head
    #[command(after_help = "Example:\n  stillthere checkpoint > checkpoint-2026-02-13\n  \
        stillthere checkpoint --witness https://w.example/1 --witness-key w.vkey\n\n\
        Keep checkpoints where the store's owner cannot reach them: `verify --checkpoint` then shows a log \
        that was rewritten or cut. What was written is read back before it is signed, and a smaller or another \
        checkpoint is never signed after one that was. The tree lies in the store's folder tlog/, as C2SP \
        tlog-tiles.\n\n\
        A witness signs only trees that go on from what it signed before. One that is asked by its URL (C2SP \
        tlog-witness) and does not sign is exit code 1, unless --require-witnesses says how many are enough: the \
        checkpoint is signed then and not published, and the next run asks again.")]
    Checkpoint(CheckpointArgs),
    /// Write an answer with all that it rests on into one file, for somebody who trusts nobody
    #[command(
        after_help = "Example:\n  stillthere certify ann --item photo-17 -o photo-17.cert\n  \
        stillthere certify ann --claim claims.ndjson -o ann.cert\n  \
        stillthere check photo-17.cert --key example.vkey\n  \
        stillthere certify bob --since ann.cert -o bob.cert\n  \
        stillthere certify --erasure 0 --since ann.cert -o erasure.cert\n\n\
        A certificate of one item shows whole the events about it and about the account; of the others only \
        when, of what kind and by whom. It goes up to the last checkpoint. An account that is not there can be \
        certified too. With --since it proves as well that the log goes on from a checkpoint that somebody kept, \
        as it is or in a certificate of any account.\n\n\
        A certificate of an erasure shows its record, and the hashes of what it took out: who holds an earlier \
        certificate sees with `check erasure.cert earlier.cert` which of its events are among them."
    )]
    Certify(CertifyArgs),
    /// Check a certificate, with no store and no network
    #[command(after_help = "Example:\n  stillthere check photo-17.cert --key example.vkey\n  \
        stillthere check old.cert new.cert --key example.vkey\n  \
        stillthere check new.cert --since kept.checkpoint --key example.vkey\n\n\
        Each fact is shown with the word for what it rests on: proven, attested and by whom, or what nobody can \
        prove. A key is a verifier key or a file of them. Several certificates that hold are held against each \
        other: where two cannot both be true, that proves misconduct; else it is said whether they were shown to \
        be of one log, and how whoever holds the store can show it. With certificates of erasures it is said what \
        of the others they took out.")]
    Check(CheckArgs),
    /// Replay a log with everything in it, and sign that to its checkpoint all is right
    #[command(
        after_help = "Example:\n  stillthere key new --origin auditor.example --key auditor.key\n  \
        stillthere audit-log --key auditor.key --keep -o may.note\n  \
        stillthere certify ann --audit may.note -o ann.cert\n  \
        stillthere audit-log --key auditor.key --from may.note --keep -o june.note\n\n\
        Only who replays the whole log can see that the account map leaves nothing out. A certificate that \
        carries the note says who did, to those who `check` it with --auditor.\n\n\
        With --from only the events behind the earlier note's checkpoint are replayed; of those before it the files' \
        checksums are read, and that they are the pages of that note."
    )]
    AuditLog(AuditLogArgs),
    /// Show, check and compare retention rules
    #[command(
        subcommand,
        after_help = "Example:\n  stillthere policy list\n  \
        stillthere policy show xiaomi-cloud --lang zh\n  stillthere policy check my-rules.toml"
    )]
    Policy(PolicyVerb),
    /// Try many values of one rule, and count what a population comes to under each
    #[command(
        after_help = "Example:\n  stillthere sweep --param tiers.standard.trash=7d..180d\n  \
        stillthere sweep --param inactivity.window=6mo..24mo --step 1mo --metric at-risk,breaches \
        --svg inactivity.svg\n\n\
        KEY is that of a duration or a size, as a policy's readings write it. Metrics: the states of items \
        (live, trashed, expired, purged, removed), at-risk and over-quota (accounts), bytes-held, \
        restored-too-late, breaches, warnings, notes, and every code of a finding."
    )]
    Sweep(SweepArgs),
    /// Write the events out, or what they come to, for other programs
    #[command(after_help = "Example:\n  stillthere export -o events.ndjson\n  \
        stillthere export --format cloudevents | gzip > events.gz\n  \
        stillthere export --format parquet -o events.parquet\n  \
        stillthere export --what states --format parquet -o states.parquet --as-of 2026-04-01T00:00:00Z\n\n\
        docs/exports.md tells every column. \
        All events are written, unless --as-of or --known-at is given. `import \
        --trust-recorded-at` takes ndjson in elsewhere with the same hashes and times. A CloudEvent \
        must have a source: an event without that attribute gets one, and so another hash.")]
    Export(ExportArgs),
    /// Write one page on what was kept and lost, for whoever answers for the data or checks who does
    #[command(after_help = "Example:\n  stillthere report --month 2026-03 -o march.html\n  \
        stillthere --policy my-rules.toml --lang zh report -o report.html\n\n\
        A month is that of the policy's time zone, and the page answers as of its last instant unless --as-of \
        is given. The page needs no network and no script; its foot has the command that makes the same bytes.")]
    Report(ReportArgs),
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
    /// Files (plain, gzip or zstd, told by their first bytes), - for standard input; with git, repositories
    #[arg(required = true, value_name = "FILE")]
    pub files: Vec<PathBuf>,
    #[command(flatten)]
    pub format: FormatArgs,
    /// Show what would be appended, and append nothing; with --json every event as a line
    #[arg(long, conflicts_with = "acks")]
    pub dry_run: bool,
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
    /// Take events in again that were erased; else they are rejected
    #[arg(long)]
    pub readmit: bool,
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
    /// Say beside each what the policy would have allowed
    #[arg(long)]
    pub lawful: bool,
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
    /// A checkpoint that was kept elsewhere: a log that was rewritten or cut since is exit code 1
    #[arg(long, value_name = "FILE", requires = "keys")]
    pub checkpoint: Option<PathBuf>,
    /// Who signed it: the log's verifier key, or a file of such
    #[arg(long = "key", value_name = "VKEY", requires = "checkpoint")]
    pub keys: Vec<String>,
}

/// What can be done with keys.
#[derive(Debug, Subcommand)]
pub enum KeyVerb {
    /// Make one; there must be none yet
    #[command(after_help = "Example:\n  stillthere key new --origin example.com/accounts")]
    New {
        /// The name of the log, or of the auditor, without spaces and + [default: one made of random digits]
        #[arg(long, value_name = "NAME")]
        origin: Option<String>,
        /// The file of the private key [default: keys/signing.key in the store]
        #[arg(long, value_name = "FILE")]
        key: Option<PathBuf>,
    },
    /// Make another in its place, of the same name; the old one still verifies
    #[command(after_help = "Example:\n  stillthere key rotate")]
    Rotate {
        /// The file of the private key [default: keys/signing.key in the store]
        #[arg(long, value_name = "FILE")]
        key: Option<PathBuf>,
    },
    /// Print the verifier keys, the present one last
    #[command(after_help = "Example:\n  stillthere key show > example.vkey")]
    Show {
        /// The file of the private key [default: keys/signing.key in the store]
        #[arg(long, value_name = "FILE")]
        key: Option<PathBuf>,
    },
}

/// What `checkpoint` takes.
#[derive(Debug, Args)]
pub struct CheckpointArgs {
    /// The file of the private key [default: keys/signing.key in the store]
    #[arg(long, value_name = "FILE")]
    pub key: Option<PathBuf>,
    /// Have this witness cosign the checkpoint, or take in the cosignatures of this copy of it
    #[arg(long, value_name = "URL|FILE")]
    pub witness: Vec<PathBuf>,
    /// A witness whose cosignature is checked: its verifier key, or a file of such
    #[arg(long = "witness-key", value_name = "VKEY")]
    pub witness_keys: Vec<String>,
    /// How many of those must have signed [default: whoever is asked by a URL]
    #[arg(long, value_name = "K", requires = "witness_keys")]
    pub require_witnesses: Option<usize>,
    /// How long a witness that is asked has for each answer
    #[arg(
        long,
        value_name = "SECONDS",
        default_value_t = 30,
        value_parser = clap::value_parser!(u64).range(1..=600)
    )]
    pub witness_timeout: u64,
}

/// What `certify` takes.
#[derive(Debug, Args)]
#[command(group = clap::ArgGroup::new("to").required(true).multiple(true).args(["output", "print"]))]
pub struct CertifyArgs {
    /// The account
    #[arg(required_unless_present = "erasure")]
    pub account: Option<String>,
    /// In place of an answer, that this erasure was done: its number in `erasures`
    #[arg(long, value_name = "N", conflicts_with_all = ["account", "item", "claim"])]
    pub erasure: Option<u64>,
    /// One item alone: other items' events are not shown
    #[arg(long, value_name = "ITEM")]
    pub item: Option<String>,
    /// Judge these claims, a line each, in place of the state
    #[arg(long, value_name = "FILE")]
    pub claim: Option<PathBuf>,
    /// The file to write
    #[arg(short, long, value_name = "FILE")]
    pub output: Option<PathBuf>,
    /// Show what it says, for a person
    #[arg(long)]
    pub print: bool,
    /// Up to this checkpoint [default: the last]
    #[arg(long, value_name = "FILE")]
    pub checkpoint: Option<PathBuf>,
    /// Prove that the log goes on from this earlier checkpoint, or from that of this certificate
    #[arg(long, value_name = "FILE")]
    pub since: Option<PathBuf>,
    /// Carry this auditor's note
    #[arg(long = "audit", value_name = "NOTE")]
    pub audits: Vec<PathBuf>,
}

/// What `check` takes.
#[derive(Debug, Args)]
pub struct CheckArgs {
    /// A certificate, or several to hold against each other
    #[arg(required = true, value_name = "FILE")]
    pub files: Vec<PathBuf>,
    /// The log's verifier key, or a file of such [default: those of the store, if it is at hand]
    #[arg(long = "key", value_name = "VKEY")]
    pub keys: Vec<String>,
    /// An auditor whose word counts: its verifier key, or a file of such
    #[arg(long = "auditor", value_name = "VKEY")]
    pub auditors: Vec<String>,
    /// A witness whose word counts: its verifier key, or a file of such
    #[arg(long = "witness", value_name = "VKEY")]
    pub witness_keys: Vec<String>,
    /// How many of the witnesses must have signed
    #[arg(long, value_name = "K", requires = "witness_keys")]
    pub require_witnesses: Option<usize>,
    /// Refuse one of another account
    #[arg(long, value_name = "ACCOUNT")]
    pub account: Option<String>,
    /// Refuse one of another item, or of the whole account
    #[arg(long, value_name = "ITEM")]
    pub item: Option<String>,
    /// Refuse one of a log of another size, in events
    #[arg(long, value_name = "EVENTS")]
    pub size: Option<u64>,
    /// Refuse one that is not proven to go on from this checkpoint, or from that of this certificate
    #[arg(long, value_name = "FILE")]
    pub since: Option<PathBuf>,
}

/// What `audit-log` takes.
#[derive(Debug, Args)]
pub struct AuditLogArgs {
    /// The file of the auditor's private key
    #[arg(long, value_name = "FILE")]
    pub key: PathBuf,
    /// The log's verifier key, or a file of such [default: tlog/vkey in the store]
    #[arg(long = "log-key", value_name = "VKEY")]
    pub log_keys: Vec<String>,
    /// Up to this checkpoint [default: the last]
    #[arg(long, value_name = "FILE")]
    pub checkpoint: Option<PathBuf>,
    /// Write the note to this file
    #[arg(short, long, value_name = "FILE")]
    pub output: Option<PathBuf>,
    /// Keep what a later audit goes on from, in FILE.chains beside the note: it holds the log's secrets
    #[arg(long, requires = "output")]
    pub keep: bool,
    /// Go on from this note of the same auditor, made with --keep: replay what came since
    #[arg(long, value_name = "NOTE")]
    pub from: Option<PathBuf>,
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
    /// Adopt a policy on the log: nobody can then say that answers were judged by another
    #[command(after_help = "Example:\n  stillthere policy adopt my-rules.toml\n\n\
        Its compiled form goes into the log. Certificates made under it say that the log adopted it.")]
    Adopt {
        /// A file or a preset's name; else that of --policy
        #[arg(value_name = "NAME|FILE")]
        which: Option<PathBuf>,
    },
    /// Write a policy file: from answers to a few questions, from options, or from a preset
    #[command(after_help = "Example:\n  stillthere policy new --from box -o ours.toml\n  \
        stillthere policy new --name ours --tier free=5GB,30d --tier paid=unlimited,90d \\\n    \
        --inactivity 1y --notice 30d --time-zone Asia/Shanghai -o ours.toml\n\n\
        On a terminal it asks for what is not given.")]
    New(Box<NewArgs>),
    /// Check a policy, say in plain sentences what it means, and remark on what its author may not
    /// have meant
    #[command(after_help = "Example:\n  stillthere policy check my-rules.toml --lang zh")]
    Check {
        /// A file or a preset's name
        #[arg(value_name = "NAME|FILE")]
        file: PathBuf,
    },
    /// Say what differs between two policies, in the rules and for a population
    #[command(after_help = "Example:\n  stillthere policy diff xiaomi-cloud my-rules.toml\n  \
        stillthere policy diff old.toml new.toml --as-of 2026-02-13T00:00:00Z --list --what state,finding\n\n\
        Each policy is applied to every account from its first event on. What a change from a day on would \
        do is asked with a policy that has a further version from that day.")]
    Diff(DiffArgs),
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
    /// Only these works; `foresight`, `proofs` and `erasure` are all of these
    #[arg(long, value_name = "WORK,…", value_delimiter = ',', value_parser = works())]
    pub only: Option<Vec<Vec<Work>>>,
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

fn works() -> impl clap::builder::TypedValueParser<Value = Vec<Work>> {
    use clap::builder::{PossibleValuesParser, TypedValueParser};
    PossibleValuesParser::new(Work::words())
        .map(|text| Work::named(&text).expect("only known words are taken"))
}

fn peers(text: &str) -> Result<Wanted, std::convert::Infallible> {
    Ok(Wanted::read(text))
}

pub fn instant(text: &str) -> Result<Timestamp, String> {
    Timestamp::parse(text).map_err(|error| {
        let day = format!("{text}T00:00:00Z");
        match Timestamp::parse(&day) {
            Ok(_) => format!("a day has many instants; its first is {day}"),
            Err(_) => error.to_string(),
        }
    })
}

pub fn window(text: &str) -> Result<Window, String> {
    Window::parse(text).map_err(|error| error.to_string())
}

fn root(text: &str) -> Result<commitment::Digest, String> {
    let root: Option<commitment::Digest> =
        commitment::unhex(text).and_then(|bytes| bytes.try_into().ok());
    root.ok_or_else(|| "a root is 64 hexadecimal digits, as `verify` prints it".to_owned())
}

/// Takes one of a closed list of words; help, completions and errors list them.
pub fn word<T: Copy + Send + Sync + 'static>(
    all: &'static [T],
    name: fn(T) -> &'static str,
) -> impl clap::builder::TypedValueParser<Value = T> {
    use clap::builder::{PossibleValuesParser, TypedValueParser};
    PossibleValuesParser::new(all.iter().map(|word| name(*word))).map(move |text| {
        let known = all.iter().find(|word| name(**word) == text);
        *known.expect("only known words are taken")
    })
}
