//! Erasures and backups: what an earlier backup contains that was erased since, and erasing it again.

use std::fs;
use std::path::{Path, PathBuf};

use event::Timestamp;
use eventlog::{ErasureRecord, Log, Options, Reader};
use serde::Serialize;

use crate::commands::erase::outcome::failed;
use crate::failure::{Failure, without_number};
use crate::question::{Question, now};
use crate::show::amount::{count, counted};
use crate::show::escape::{escaped, escaped_path};
use crate::show::screen::Screen;
use crate::show::style;
use crate::show::table::{Cell, Column, Table, paragraph};

/// A log whose records of erasures count.
pub struct Newer {
    reader: Reader,
    path: PathBuf,
    records: Vec<ErasureRecord>,
}

/// What of the erasures a backup contains.
#[derive(Serialize)]
pub struct Contains {
    backup: String,
    erasures: Vec<Erasure>,
}

/// An erasure of which a backup contains something.
#[derive(Serialize)]
struct Erasure {
    number: u64,
    at: Timestamp,
    ground: String,
    /// Events of it that are there as they were.
    events: u64,
    /// Accounts of which the names are.
    accounts: u64,
}

/// What was erased again behind a restore.
#[derive(Serialize)]
pub struct Again {
    /// Records that were written.
    erasures: u64,
    events: u64,
    accounts: u64,
}

impl Newer {
    /// The log of a store or backup.
    pub fn open(path: &Path) -> Result<Newer, Failure> {
        let reader = open(path)?;
        let records = reader.erasures()?;
        Ok(Newer { reader, path: path.to_owned(), records })
    }

    /// That `earlier` is a backup of it: the records name positions, and these are other events in a log that parted from it.
    pub fn is_of(&self, earlier: &Path) -> Result<(), Failure> {
        self.of(&open(earlier)?, earlier)
    }

    fn of(&self, earlier: &Reader, path: &Path) -> Result<(), Failure> {
        let what = if earlier.store() != self.reader.store() {
            "which has another id".to_owned()
        } else if let Some(position) = earlier.parts_from(&self.reader).map_err(unreadable)? {
            format!("which has another event at position {position}")
        } else {
            return Ok(());
        };
        let (earlier, newer) = (escaped_path(path), escaped_path(&self.path));
        Err(Failure::Usage(format!("{earlier}: not a backup of the log of {newer}, {what}")))
    }

    /// Erases again in a store that was just made from an earlier backup. If that fails the store is taken away: it
    /// has what must not come back.
    pub fn erase_again(&self, to: &Path) -> Result<Again, Failure> {
        let erase = || {
            let log = Log::open(to, Options::new(now))?;
            let erased = log.erase_again(&self.records).map_err(failed)?;
            log.shrink().map_err(failed)?;
            log.close()?;
            Ok(Again {
                erasures: erased.len() as u64,
                events: erased.iter().map(|erased| erased.events).sum(),
                accounts: erased.iter().map(|erased| erased.accounts).sum(),
            })
        };
        erase().map_err(|failure: Failure| {
            let to_shown = escaped_path(to);
            let became = match fs::remove_dir_all(to) {
                Ok(()) => format!("nothing was left in {to_shown}"),
                Err(error) => format!("take {to_shown} away: {}", without_number(error)),
            };
            let why = failure.message().unwrap_or_default();
            let text = format!(
                "the erasures of {} cannot be carried out again: {why}; {became}",
                escaped_path(&self.path)
            );
            match failure {
                Failure::Refused(_) | Failure::Usage(_) => Failure::Refused(text),
                _ => Failure::Store(text),
            }
        })
    }
}

fn open(path: &Path) -> Result<Reader, Failure> {
    Reader::open(path).map_err(unreadable)
}

/// A log beside the store that is worked on cannot be read: the input is wrong, not the store.
pub fn unreadable(error: impl Into<Failure>) -> Failure {
    match error.into() {
        Failure::Store(message) => Failure::Usage(message),
        other => other,
    }
}

/// What each backup contains of what was erased.
pub fn all(backups: &[PathBuf], newer: &Newer) -> Result<Vec<Contains>, Failure> {
    backups.iter().map(|backup| contains(backup, newer)).collect()
}

fn contains(backup: &Path, newer: &Newer) -> Result<Contains, Failure> {
    let reader = open(backup)?;
    newer.of(&reader, backup)?;
    let (size, there) = (reader.size(), reader.erasures()?);
    let mut erasures = Vec::new();
    for record in &newer.records {
        // Erased in the backup too, at least as far: by the same record, or by one of a restore.
        let covers: Vec<&ErasureRecord> =
            there.iter().filter(|other| other.left >= record.left).collect();
        let is_whole = |position: &u64| {
            *position < size && !covers.iter().any(|other| other.events.contains(*position))
        };
        let events = record.events.numbers().filter(is_whole).count() as u64;
        let mut accounts = 0;
        for ordinal in record.names.numbers() {
            accounts += u64::from(reader.has_name(ordinal)?);
        }
        if events > 0 || accounts > 0 {
            let ErasureRecord { number, at, ground, .. } = record.clone();
            erasures.push(Erasure { number, at, ground, events, accounts });
        }
    }
    Ok(Contains { backup: escaped_path(backup), erasures })
}

impl Contains {
    /// For people.
    pub fn show(&self, question: &Question, screen: &mut Screen) -> Result<(), Failure> {
        let Contains { backup, erasures } = self;
        if erasures.is_empty() {
            return screen.line(question.pick(
                format!("{backup} contains nothing that was erased since."),
                format!("{backup} 不含此后已擦除的内容。"),
            ));
        }
        let text = question.pick(
            format!(
                "{backup} still contains what was erased since: destroy it, or restore it with --erasures."
            ),
            format!("{backup} 仍含此后已擦除的内容：请销毁，或恢复时使用 --erasures。"),
        );
        paragraph(screen, 0, &Cell::styled(text, style::CARE))?;
        let mut table = Table::new([
            Column::number(question.pick("erasure", "擦除")),
            Column::text(question.pick("at", "时间")),
            Column::number(question.pick("events there", "仍含事件")),
            Column::number(question.pick("names there", "仍含名称")),
            Column::long(question.pick("on what ground", "理由")),
        ])
        .indented(2);
        for Erasure { number, at, ground, events, accounts } in erasures {
            let cells = vec![
                number.to_string().into(),
                at.to_string().into(),
                count(*events).into(),
                count(*accounts).into(),
                escaped(ground).into(),
            ];
            table.row(screen, cells)?;
        }
        table.end(screen)
    }
}

impl Again {
    /// For people.
    pub fn show(&self, question: &Question, screen: &mut Screen) -> Result<(), Failure> {
        let Again { erasures, events, accounts } = self;
        if *erasures == 0 {
            return screen.line(
                question.pick("Nothing had to be erased again.", "没有需要重新擦除的内容。"),
            );
        }
        let text = question.pick(
            format!(
                "Erased again: {} and the names of {}, under {}.",
                counted(*events, "event"),
                counted(*accounts, "account"),
                counted(*erasures, "record")
            ),
            format!(
                "已重新擦除：{} 条事件及 {} 个账号的名称，记录 {} 条。",
                count(*events),
                count(*accounts),
                count(*erasures)
            ),
        );
        paragraph(screen, 0, &Cell::styled(text, style::GOOD))
    }
}
