//! `export`: the events, or what they come to, for other programs to read.

mod groups;
mod lines;
mod parquet;
mod rows;
mod tables;

use std::io::IsTerminal;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};

use clap::{Args, ValueEnum};
use event::limits::LINE_BYTES;
use event::{Recorded, write_cloudevent, write_ndjson};
use projection::{View, fold};

use self::groups::{Form, Groups, not_encoded};
use self::rows::{Column, Rows};
use crate::failure::{Failure, Outcome};
use crate::output::{Sink, Thing};
use crate::question::Question;
use crate::show::amount::{count, counted, counted_were};
use crate::show::progress::Progress;
use crate::show::screen::{Screen, say};
use crate::store::Store;

/// What `export` takes.
#[derive(Debug, Args)]
pub struct ExportArgs {
    /// What to write
    #[arg(long, value_enum, default_value_t = What::Events)]
    pub what: What,
    /// How to write it
    #[arg(long, value_enum, default_value_t = Format::Ndjson)]
    pub format: Format,
    /// The file to write, else standard output
    #[arg(short, long, value_name = "FILE")]
    pub output: Option<PathBuf>,
}

/// What is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum What {
    /// Every event, in the order of the log
    Events,
    /// Every item and backup, and what became of it
    States,
    /// Every finding
    Findings,
    /// Every account
    Accounts,
}

/// How it is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// A JSON object a line; of events the lines that `import` reads
    Ndjson,
    /// CloudEvents 1.0, a line each; events alone
    Cloudevents,
    /// A table with a heading
    Csv,
    /// A table with types, in columns, compressed
    Parquet,
}

impl What {
    fn thing(self) -> Thing {
        match self {
            What::Events => Thing::EVENTS,
            What::States => Thing { key: "states", one: "state", zh: "行状态" },
            What::Findings => Thing { key: "findings", one: "finding", zh: "条问题" },
            What::Accounts => Thing { key: "accounts", one: "account", zh: "个账号" },
        }
    }

    fn columns(self) -> &'static [Column] {
        match self {
            What::Events => &tables::EVENTS,
            What::States => &tables::STATES,
            What::Findings => &tables::FINDINGS,
            What::Accounts => &tables::ACCOUNTS,
        }
    }
}

pub fn run(
    args: &ExportArgs,
    question: &Question,
    screen: &mut Screen,
) -> Result<Outcome, Failure> {
    let what = args.what;
    if args.format == Format::Cloudevents && what != What::Events {
        let what = what.thing().key;
        return Err(Failure::Usage(format!(
            "--format cloudevents is for events alone: write {what} as parquet, csv or ndjson"
        )));
    }
    let is_to_screen = args.output.as_ref().is_none_or(|path| path.as_os_str() == "-");
    if args.format == Format::Parquet && is_to_screen && std::io::stdout().is_terminal() {
        return Err(Failure::Usage(
            "Parquet is not for a terminal: name a file with -o, or pipe it on".to_owned(),
        ));
    }
    // All that could be wrong with what is given is found before the file is begun.
    let by_policy = match what {
        What::Events => None,
        _ => Some(question.policy()?),
    };
    let store = question.open()?;
    let form = match args.format {
        Format::Cloudevents => None,
        Format::Ndjson if what == What::Events => None,
        Format::Ndjson => Some(Form::Ndjson),
        Format::Csv => Some(Form::Csv),
        Format::Parquet => {
            let notes = notes(what, by_policy.as_ref(), question, &store);
            let file = parquet::File::new(what.columns(), notes).map_err(not_encoded)?;
            Some(Form::Parquet(Box::new(file)))
        }
    };
    let mut sink = Sink::open(args.output.as_deref(), question, screen)?;
    let mut seen = 0;
    let written = match form {
        None => event_lines(args.format, &store, question, &mut seen, &mut sink)?,
        Some(form) => {
            let mut groups = Groups::new(what.columns(), form, sink)?;
            match &by_policy {
                None => event_rows(&store, question, &mut seen, &mut groups)?,
                Some(policy) => folded_rows(what, policy, &store, question, &mut groups)?,
            }
            let (ended, written) = groups.end()?;
            sink = ended;
            written
        }
    };
    sink.end(&what.thing(), written, question)?;
    let erased = if what == What::Events { store.size() - seen } else { 0 };
    if erased > 0 {
        say(question.pick(
            format!("{} left out: erased", counted_were(erased, "event")),
            format!("略去 {} 条已擦除的事件", count(erased)),
        ));
    }
    Ok(Outcome::Fine)
}

/// What is kept with a table: of what it is.
fn notes(
    what: What,
    policy: Option<&policy::Policy>,
    question: &Question,
    store: &Store,
) -> Vec<(&'static str, String)> {
    let mut notes = vec![
        ("stillthere.what", what.thing().key.to_owned()),
        ("stillthere.log_events", store.size().to_string()),
    ];
    // Of events those alone that were asked for: none are left out otherwise.
    let (as_of, known_at) = match policy {
        None => (question.asked_as_of, question.asked_known_at),
        Some(_) => (Some(question.as_of), Some(question.known_at)),
    };
    notes.extend(as_of.map(|at| ("stillthere.as_of", at.to_string())));
    notes.extend(known_at.map(|at| ("stillthere.known_at", at.to_string())));
    if let Some(policy) = policy {
        notes.push(("stillthere.policy", policy.name.clone()));
        notes.push(("stillthere.policy_hash", policy.hash().to_string()));
    }
    notes
}

/// Whether an event is asked for.
fn is_asked<S>(recorded: &Recorded<S>, question: &Question) -> bool {
    question.asked_as_of.is_none_or(|as_of| recorded.event.occurred_at <= as_of)
        && question.asked_known_at.is_none_or(|known_at| recorded.recorded_at <= known_at)
}

fn event_lines(
    format: Format,
    store: &Store,
    question: &Question,
    seen: &mut u64,
    sink: &mut Sink<'_>,
) -> Result<u64, Failure> {
    let write = match format {
        Format::Cloudevents => write_cloudevent,
        _ => write_ndjson,
    };
    let progress = Progress::of_things(store.size());
    let mut line = Vec::new();
    let mut written = 0;
    store.each_event(|recorded| {
        progress.more(1);
        *seen += 1;
        if !is_asked(&recorded, question) {
            return Ok(());
        }
        line.clear();
        write(&recorded.event, Some(recorded.recorded_at), &mut line);
        if line.len() > LINE_BYTES {
            // It came in without the time: with it the line would be longer than `import` takes.
            line.clear();
            write(&recorded.event, None, &mut line);
        }
        line.push(b'\n');
        written += 1;
        sink.write(&line)
    })?;
    progress.end();
    Ok(written)
}

fn event_rows(
    store: &Store,
    question: &Question,
    seen: &mut u64,
    groups: &mut Groups<'_>,
) -> Result<(), Failure> {
    let progress = Progress::of_things(store.size());
    let mut json = tables::Json::default();
    store.each_borrowed_event(|recorded| {
        *seen += 1;
        if seen.is_multiple_of(1024) {
            progress.at(*seen);
        }
        if is_asked(&recorded, question) {
            tables::event(&recorded, &mut json, groups.rows());
            groups.pass_on()?;
        }
        Ok(())
    })?;
    progress.end();
    Ok(())
}

fn folded_rows(
    what: What,
    policy: &policy::Policy,
    store: &Store,
    question: &Question,
    groups: &mut Groups<'_>,
) -> Result<(), Failure> {
    let add: fn(&View<'_>, &mut Rows) = match what {
        What::Events => unreachable!("events are not folded"),
        What::States => tables::states,
        What::Findings => tables::findings,
        What::Accounts => tables::account,
    };
    // Accounts of which erased events leave something open: rows of theirs may be missing.
    let open = AtomicU64::new(0);
    let map = |history: &event::History| {
        let view = fold(history, policy, question.as_of, question.known_at)?;
        let mut rows = Rows::of(what.columns());
        add(&view, &mut rows);
        if view.is_open() {
            open.fetch_add(1, Ordering::Relaxed);
        }
        (rows.len() > 0).then_some(rows)
    };
    store.map_accounts(map, |rows| {
        groups.rows().append(rows);
        groups.pass_on()
    })?;
    let open = open.into_inner();
    let erased = store.erased_accounts()?;
    if erased > 0 {
        say(question.pick(
            format!("{} left out: erased", counted_were(erased, "account")),
            format!("略去 {} 个已擦除的账号", count(erased)),
        ));
    }
    if open > 0 {
        let accounts = counted(open, "account");
        // Nobody listening there is no error.
        let _ = std::io::Write::write_fmt(
            &mut std::io::stderr(),
            format_args!(
                "events of {accounts} were erased: what they leave undetermined is left out\n"
            ),
        );
    }
    Ok(())
}
