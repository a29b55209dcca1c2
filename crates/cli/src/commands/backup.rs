//! `backup` and `restore`: a checked copy of a log, one way and the other.

mod earlier;

use std::path::{Path, PathBuf};

use clap::Args;
use commitment::{Level, Report, hex};
use eventlog::{Copied, CopyError, LogFiles, copy_store};
use serde::Serialize;

use self::earlier::{Again, Contains, Newer, unreadable};
use super::verify::Told;
use crate::failure::{Failure, Outcome};
use crate::output::refuse_in_store;
use crate::question::Question;
use crate::show::amount::{bytes, count, counted};
use crate::show::escape::escaped_path;
use crate::show::progress::Progress;
use crate::show::screen::Screen;
use crate::show::style;
use crate::show::table::{Cell, paragraph};

/// What `backup` takes.
#[derive(Debug, Args)]
pub struct BackupArgs {
    /// The folder to make, which must be missing or empty
    #[arg(long, value_name = "DIR")]
    pub to: PathBuf,
    /// Say which erasures this earlier backup still contains; may be given several times
    #[arg(long, value_name = "DIR")]
    pub earlier: Vec<PathBuf>,
}

/// What `restore` takes.
#[derive(Debug, Args)]
pub struct RestoreArgs {
    /// The backup
    #[arg(long, value_name = "DIR")]
    pub from: PathBuf,
    /// Erase again what was erased in this later store or backup of the same log
    #[arg(long, value_name = "DIR")]
    pub erasures: Option<PathBuf>,
}

#[derive(Serialize)]
struct Answer {
    ok: bool,
    /// Of the copy; null if there is none.
    events: Option<u64>,
    root: Option<String>,
    bytes: Option<u64>,
    from: String,
    to: String,
    /// Of each earlier backup that was asked about.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    earlier: Vec<Contains>,
    /// What was erased again, where that was asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    erased_again: Option<Again>,
    #[serde(skip_serializing_if = "Option::is_none")]
    divergence: Option<Told>,
}

/// What is said of erasures beside the copy.
#[derive(Default)]
struct Beside {
    earlier: Vec<Contains>,
    again: Option<Again>,
}

/// Copies the store.
pub fn run(
    args: &BackupArgs,
    question: &Question,
    screen: &mut Screen,
) -> Result<Outcome, Failure> {
    let (from, to) = (&question.store, args.to.as_path());
    let files = LogFiles::open(from)?;
    refuse_in_store(to, from)?;
    // What cannot be read is said before anything is copied.
    let earlier = match args.earlier.is_empty() {
        true => Vec::new(),
        false => earlier::all(&args.earlier, &Newer::open(from)?)?,
    };
    let progress = Progress::of_bytes(Some(total(&files)));
    let copied = copy_store(from, to, Level::Quick, &mut |more| progress.more(more));
    progress.end();
    let said = |copied: &Copied, store: &str| {
        let (events, size) = (counted(copied.report.events, "event"), bytes(copied.bytes));
        question.pick(
            format!("{events}, {size}, copied to {store}: it is a store of its own."),
            format!(
                "已备份到 {store}：{} 条事件，{size}。备份本身即是存储库。",
                count(copied.report.events)
            ),
        )
    };
    match copied {
        Ok(copied) => {
            let beside = Beside { earlier, again: None };
            done(&copied, beside, from, to, said, question, screen)
        }
        Err(CopyError::Corrupt(divergence)) => {
            damaged((*divergence).into(), from, to, question, screen)
        }
        Err(CopyError::Taken { path, what }) => Err(Failure::Usage(format!(
            "{}: {what}; name a folder that is missing or empty",
            escaped_path(&path)
        ))),
        Err(CopyError::Source(error) | CopyError::Target(error)) => Err(error.into()),
    }
}

/// Makes the store of a backup.
pub fn restore(
    args: &RestoreArgs,
    question: &Question,
    screen: &mut Screen,
) -> Result<Outcome, Failure> {
    let (from, to) = (args.from.as_path(), &question.store);
    let taken = |path: &Path, what: &str| {
        let path = escaped_path(path);
        Failure::Usage(format!(
            "{path}: {what}, and it is not overwritten; move it away, or name another --store"
        ))
    };
    let files = LogFiles::open(from).map_err(unreadable)?;
    refuse_in_store(to, from)?;
    let newer = args.erasures.as_deref().map(Newer::open).transpose()?;
    // What needs no reading is said first.
    if std::fs::read_dir(to).is_ok_and(|mut entries| entries.next().is_some()) {
        let is_store = LogFiles::open(to).is_ok();
        return Err(taken(to, if is_store { "there is a store here" } else { "it is not empty" }));
    }
    let progress = Progress::of_bytes(Some(2 * total(&files)));
    let checked = check(&files, &progress);
    if let (Ok(()), Some(newer)) = (&checked, &newer) {
        newer.is_of(from).inspect_err(|_| progress.end())?;
    }
    let copied =
        checked.and_then(|()| copy_store(from, to, Level::Quick, &mut |more| progress.more(more)));
    progress.end();
    let said = |copied: &Copied, store: &str| {
        let (events, size) = (counted(copied.report.events, "event"), bytes(copied.bytes));
        question.pick(
            format!("{events}, {size}, restored to {store}."),
            format!("已恢复到 {store}：{} 条事件，{size}。", count(copied.report.events)),
        )
    };
    match copied {
        Ok(mut copied) => {
            let again = newer.map(|newer| newer.erase_again(to)).transpose()?;
            if again.is_some() {
                // The records of what was erased again are in the log too.
                copied.report = whole(to)?;
            }
            let beside = Beside { earlier: Vec::new(), again };
            done(&copied, beside, from, to, said, question, screen)
        }
        Err(CopyError::Corrupt(divergence)) => {
            damaged((*divergence).into(), from, to, question, screen)
        }
        Err(CopyError::Taken { path, what }) => Err(taken(&path, what)),
        Err(CopyError::Source(error)) => Err(unreadable(error)),
        Err(CopyError::Target(error)) => Err(error.into()),
    }
}

/// What a store is that was just made.
fn whole(store: &Path) -> Result<Report, Failure> {
    let checked = LogFiles::open(store)?.check(Level::Quick, || (), |_| ());
    checked.map(|checked| checked.report).map_err(|error: CopyError| match error {
        CopyError::Source(error) | CopyError::Target(error) => error.into(),
        error => Failure::Store(error.to_string()),
    })
}

/// Every hash of the backup anew, before anything is written.
fn check(files: &LogFiles, progress: &Progress) -> Result<(), CopyError> {
    files.check(Level::Full, || (), |more| progress.more(more)).map(drop)
}

fn total(files: &LogFiles) -> u64 {
    files.files().iter().map(|file| file.len).sum()
}

fn done(
    copied: &Copied,
    Beside { earlier, again }: Beside,
    from: &Path,
    to: &Path,
    said: impl Fn(&Copied, &str) -> String,
    question: &Question,
    screen: &mut Screen,
) -> Result<Outcome, Failure> {
    let root = hex(&copied.report.root);
    if question.json {
        screen.json(&Answer {
            ok: true,
            events: Some(copied.report.events),
            root: Some(root),
            bytes: Some(copied.bytes),
            from: escaped_path(from),
            to: escaped_path(to),
            earlier,
            erased_again: again,
            divergence: None,
        })?;
        return Ok(Outcome::Fine);
    }
    let text = said(copied, &escaped_path(to));
    paragraph(screen, 0, &Cell::styled(text, style::GOOD))?;
    screen.line(question.pick(format!("root {root}"), format!("根 {root}")))?;
    earlier.iter().try_for_each(|earlier| earlier.show(question, screen))?;
    again.map_or(Ok(()), |again| again.show(question, screen))?;
    Ok(Outcome::Fine)
}

fn damaged(
    mut divergence: Told,
    from: &Path,
    to: &Path,
    question: &Question,
    screen: &mut Screen,
) -> Result<Outcome, Failure> {
    divergence.file = format!("log/{}", divergence.file);
    if question.json {
        let (from, to) = (escaped_path(from), escaped_path(to));
        let divergence = Some(divergence);
        let (events, root, bytes) = (None, None, None);
        let (earlier, erased_again) = (Vec::new(), None);
        screen.json(&Answer {
            ok: false,
            events,
            root,
            bytes,
            from,
            to,
            earlier,
            erased_again,
            divergence,
        })?;
        return Ok(Outcome::BadNews);
    }
    let source = from;
    let (from, to) = (escaped_path(from), escaped_path(to));
    let text = question.pick(
        format!("{from} is damaged, and nothing was left in {to}."),
        format!("{from} 已损坏，{to} 中没有留下任何内容。"),
    );
    paragraph(screen, 0, &Cell::styled(text, style::BAD))?;
    divergence.show(source, question, screen)?;
    Ok(Outcome::BadNews)
}
