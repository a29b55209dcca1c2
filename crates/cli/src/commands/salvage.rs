//! `salvage`: a new store of what is intact in a damaged one, and a list of what is missing.

use std::path::Path;

use commitment::{Cause, Missing, Range, hex};
use event::write_ndjson;
use eventlog::{Remains, SalvageError, Salvaged, salvage};
use serde::Serialize;

use crate::failure::{Failure, Outcome, without_number};
use crate::output::{Partial, refuse_in_store};
use crate::question::Question;
use crate::show::amount::{count, counted, counted_were};
use crate::show::escape::{escaped_path, typed_path};
use crate::show::progress::Progress;
use crate::show::screen::Screen;
use crate::show::style;
use crate::show::table::{Cell, Column, Table, paragraph};

#[derive(Serialize)]
struct Answer {
    /// Whether all was intact.
    ok: bool,
    to: String,
    /// In the new store.
    events: u64,
    /// Read, and not proven: not in the new store.
    unproven: u64,
    unproven_to: Option<String>,
    /// The command that takes the unproven lines in, for people.
    #[serde(skip)]
    take_in: Option<String>,
    /// Intact, but of accounts whose names are missing.
    nameless: u64,
    /// Intact, but not appended: of an id that is there already.
    refused: u64,
    /// Hashes of the adopted policies that the new store has.
    adopted: Vec<String>,
    left_behind: LeftBehind,
    erased: Erased,
    accounts: Accounts,
    missing: Vec<Gap>,
    /// Null where the log does not say how many.
    missing_events: Option<u64>,
    /// Of a write that was cut short and that nobody was told of.
    unfinished_bytes: u64,
}

/// Not there, and not missing: a record of the old log says that it was erased.
#[derive(Serialize)]
struct Erased {
    events: u64,
    accounts: u64,
    erasures: u64,
}

/// Intact, and about the positions of the old log.
#[derive(Serialize)]
struct LeftBehind {
    seals: u64,
    statements: u64,
}

#[derive(Serialize)]
struct Accounts {
    whole: u64,
    gaps: u64,
    unsure: u64,
}

/// Positions are `[from, to)`; null where they cannot be told.
#[derive(Serialize)]
struct Gap {
    positions_from: u64,
    positions_to: Option<u64>,
    /// How many of them are missing: all, or null.
    events: Option<u64>,
    places: Vec<Place>,
    #[serde(skip)]
    range: Range,
}

#[derive(Serialize)]
struct Place {
    file: String,
    offset: u64,
    bytes: Option<u64>,
    cause: &'static str,
    #[serde(skip)]
    why: Cause,
}

impl From<&Missing> for Gap {
    fn from(missing: &Missing) -> Gap {
        let Range { from, to, events } = missing.range;
        let places = missing.places.iter().map(|place| Place {
            file: format!("log/{}", place.file),
            offset: place.offset,
            bytes: place.bytes,
            cause: place.cause.name(),
            why: place.cause,
        });
        let (positions_from, positions_to, places) = (from, to, places.collect());
        Gap { positions_from, positions_to, events, places, range: missing.range }
    }
}

pub fn run(
    to: &Path,
    unproven: Option<&Path>,
    question: &Question,
    screen: &mut Screen,
) -> Result<Outcome, Failure> {
    refuse_in_store(to, &question.store)?;
    let remains = Remains::open(&question.store)?;
    let mut file = None;
    if let Some(path) = unproven {
        refuse_in_store(path, &question.store)?;
        refuse_in_store(path, to)?;
        file = Some(Partial::create(path)?);
    }
    let progress = Progress::of_bytes(Some(remains.segments().iter().map(|file| file.len).sum()));
    let mut line = Vec::new();
    let salvaged = salvage(&remains, to, &mut |more| progress.more(more), &mut |found| {
        let Some(file) = &mut file else { return Ok(()) };
        line.clear();
        write_ndjson(&found.event, Some(found.recorded_at), &mut line);
        line.push(b'\n');
        file.write(&line)
    });
    progress.end();
    let salvaged = salvaged.map_err(|error| match error {
        SalvageError::Taken { path } => Failure::Usage(format!(
            "{}: it is not empty; name a folder that is missing or empty",
            escaped_path(&path)
        )),
        SalvageError::Source(error) => error.into(),
        SalvageError::Taker(failure) => failure,
        SalvageError::Target(error) => none_made(&without_number(error), to),
        SalvageError::Append(error) => none_made(&without_number(error), to),
    })?;
    let unproven_to = file.map(Partial::end).transpose()?;
    let mut answer = answer(&salvaged, to, unproven_to);
    answer.take_in = unproven.filter(|_| answer.unproven > 0).map(|lines| {
        let (to, lines) = (typed_path(to), typed_path(lines));
        format!("stillthere --store {to} import --trust-recorded-at {lines}")
    });
    match question.json {
        true => screen.json(&answer)?,
        false => answer.show(question, screen)?,
    }
    Ok(if answer.ok { Outcome::Fine } else { Outcome::BadNews })
}

fn none_made(why: &str, to: &Path) -> Failure {
    Failure::Store(format!("{why}; no store was made in {}", escaped_path(to)))
}

fn answer(salvaged: &Salvaged, to: &Path, unproven_to: Option<String>) -> Answer {
    let surveyed = &salvaged.surveyed;
    let left_out = surveyed.unproven + surveyed.nameless + salvaged.refused;
    let commitment::AccountCounts { whole, gaps, unsure, erased: _ } = surveyed.accounts;
    let commitment::Erased { events, accounts, erasures } = surveyed.erased;
    Answer {
        ok: surveyed.missing.is_empty() && left_out == 0,
        to: escaped_path(to),
        events: salvaged.appended,
        unproven: surveyed.unproven,
        unproven_to,
        take_in: None,
        nameless: surveyed.nameless,
        refused: salvaged.refused,
        adopted: surveyed.adopted.iter().map(|c| hex(blake3::hash(c).as_bytes())).collect(),
        left_behind: LeftBehind { seals: surveyed.seals, statements: surveyed.statements },
        erased: Erased { events, accounts, erasures },
        accounts: Accounts { whole, gaps, unsure },
        missing: surveyed.missing.iter().map(Gap::from).collect(),
        missing_events: surveyed.missing_events(),
        unfinished_bytes: surveyed.torn,
    }
}

impl Answer {
    fn show(&self, question: &Question, screen: &mut Screen) -> Result<(), Failure> {
        let (events, to) = (counted(self.events, "event"), &self.to);
        let text = match self.ok {
            true => question.pick(
                format!("All was intact: {events} copied to {to}."),
                format!("全部完好：{} 条事件已存入 {to}。", count(self.events)),
            ),
            false => question.pick(
                format!("{events} are intact and were copied to {to}. Not all is there."),
                format!("{} 条事件完好，已存入 {to}；另有内容缺失。", count(self.events)),
            ),
        };
        let heading = if self.ok { style::GOOD } else { style::BAD };
        paragraph(screen, 0, &Cell::styled(text, heading))?;
        let Accounts { whole, gaps, unsure } = self.accounts;
        let text = question.pick(
            format!(
                "Accounts: {} whole, {} with events missing, {} where that cannot be told.",
                count(whole),
                count(gaps),
                count(unsure)
            ),
            format!(
                "账号：{} 个完整，{} 个有缺失，{} 个无法判断。",
                count(whole),
                count(gaps),
                count(unsure)
            ),
        );
        paragraph(screen, 0, &text.into())?;
        self.show_missing(question, screen)?;
        self.show_left_out(question, screen)?;
        self.show_controls(question, screen)
    }

    /// What the log said of itself.
    fn show_controls(&self, question: &Question, screen: &mut Screen) -> Result<(), Failure> {
        for hash in &self.adopted {
            let text = question.pick(
                format!("The policy {hash} was adopted, and the new store adopts it too."),
                format!("原存储库采用了策略 {hash}，新存储库亦已采用。"),
            );
            paragraph(screen, 0, &text.into())?;
        }
        let Erased { events, accounts, erasures } = self.erased;
        if erasures > 0 {
            let text = question.pick(
                format!(
                    "Of {} and {} contents or names were erased, under {}: neither these nor the records are in the new \
                     store, which is a log of its own.",
                    counted(events, "event"),
                    counted(accounts, "account"),
                    counted(erasures, "record")
                ),
                format!(
                    "{} 条事件与 {} 个账号的内容或名称此前已依 {} 条记录擦除：它们与这些记录均未带入新存储库，新存储库是另一份日志。",
                    count(events),
                    count(accounts),
                    count(erasures)
                ),
            );
            paragraph(screen, 0, &text.into())?;
        }
        let LeftBehind { seals, statements } = self.left_behind;
        if seals > 0 {
            let text = question.pick(
                format!(
                    "{} left behind, for the positions and the root are new: what was signed of the old \
                     log says nothing of this one. `key new` and `checkpoint` seal it under a new origin.",
                    counted_were(seals, "seal")
                ),
                format!(
                    "{} 个封存未带入：位置与根均为新值，对原日志的签名不适用于新日志。用 `key new` 与 \
                     `checkpoint` 以新的 origin 封存。",
                    count(seals)
                ),
            );
            paragraph(screen, 0, &text.into())?;
        }
        if statements > 0 {
            let text = question.pick(
                format!(
                    "{} left behind: about the old log.",
                    counted_were(statements, "signed statement")
                ),
                format!("{} 条签名声明未带入：它们是关于原日志的。", count(statements)),
            );
            paragraph(screen, 0, &text.into())?;
        }
        Ok(())
    }

    fn show_missing(&self, question: &Question, screen: &mut Screen) -> Result<(), Failure> {
        if self.missing.is_empty() {
            return Ok(());
        }
        let columns = [
            Column::text(question.pick("missing in", "缺失于")),
            Column::number(question.pick("from byte", "起始字节")),
            Column::number(question.pick("bytes", "字节数")),
            Column::text(question.pick("positions", "位置")),
            Column::words(question.pick("why", "原因")),
        ];
        // What held no event of its own is not shown.
        let mut gaps = self.missing.iter().filter(|gap| gap.events != Some(0)).peekable();
        if gaps.peek().is_none() {
            let text =
                question.pick("What is damaged held no event of its own.", "损坏之处不含事件。");
            return paragraph(screen, 0, &text.into());
        }
        let mut table = Table::new(columns).indented(2);
        for gap in gaps {
            for (n, place) in gap.places.iter().enumerate() {
                let positions = match n {
                    0 => positions(&gap.range, question),
                    _ => question.pick("of the same", "同上").to_owned(),
                };
                let cells = vec![
                    Cell::from(place.file.clone()),
                    Cell::from(count(place.offset)),
                    Cell::or_dash(place.bytes.map(count)),
                    Cell::from(positions),
                    Cell::from(why(place.why, question)),
                ];
                table.row(screen, cells)?;
            }
        }
        table.end(screen)
    }

    fn show_left_out(&self, question: &Question, screen: &mut Screen) -> Result<(), Failure> {
        let mut say = |n: u64, en: String, zh: String| match n {
            0 => Ok(()),
            _ => paragraph(screen, 0, &Cell::styled(question.pick(en, zh), style::CARE)),
        };
        let (n, events) = (self.unproven, counted(self.unproven, "event"));
        let (en, zh) = match &self.unproven_to {
            Some(file) => (
                format!(
                    "{events} can be read, but only a check of 4 bytes speaks for each: they are in \
                     {file}, and not in the new store."
                ),
                format!(
                    "{} 条事件可以读出，但仅有 4 字节校验值佐证：已写入 {file}，未存入新存储库。",
                    count(n)
                ),
            ),
            None => (
                format!(
                    "{events} can be read, but only a check of 4 bytes speaks for each: they were left \
                     out; --unproven FILE writes them out."
                ),
                format!(
                    "{} 条事件可以读出，但仅有 4 字节校验值佐证：未存入；可用 --unproven FILE 写出。",
                    count(n)
                ),
            ),
        };
        say(n, en, zh)?;
        let (n, events) = (self.nameless, counted(self.nameless, "event"));
        let en = format!("{events} were left out: their accounts' names are missing.");
        say(n, en, format!("{} 条事件因账号名缺失而未存入。", count(n)))?;
        let (n, events) = (self.refused, counted(self.refused, "event"));
        let en = format!("{events} were left out: another of the same id came first.");
        say(n, en, format!("{} 条事件因标识重复而未存入。", count(n)))?;
        let (n, bytes) = (self.unfinished_bytes, counted(self.unfinished_bytes, "byte"));
        let en = format!("{bytes} of a write that was cut short, and that nobody was told of.");
        let zh = format!("末尾有 {} 字节属于一次未完成的写入，从未确认。", count(n));
        say(n, en, zh)?;
        let Some(command) = &self.take_in else { return Ok(()) };
        let text = question.pick(
            format!("Once you have looked at them, this takes them in: {command}"),
            format!("查看无误后，可用以下命令导入：{command}"),
        );
        paragraph(screen, 0, &text.into())
    }
}

/// A range of positions in which events are missing, for people.
pub fn positions(range: &Range, question: &Question) -> String {
    let Range { from, to, events } = *range;
    let Some(last) = to.and_then(|to| to.checked_sub(1)) else {
        return match to {
            None => {
                question.pick(format!("from {}", count(from)), format!("自 {} 起", count(from)))
            }
            Some(_) => question.pick("no event", "不影响任何事件").to_owned(),
        };
    };
    let (from, last) = (count(from), count(last));
    match events {
        Some(0) => question.pick("no event", "不影响任何事件").to_owned(),
        Some(1) => from,
        Some(_) => format!("{from} – {last}"),
        None => {
            question.pick(format!("some of {from} – {last}"), format!("{from} – {last} 中的一部分"))
        }
    }
}

/// A cause, for people.
pub fn why(cause: Cause, question: &Question) -> &'static str {
    match cause {
        Cause::Damaged => question.pick("not proven", "无法证实"),
        Cause::Cut => question.pick("the file is cut", "文件被截断"),
        Cause::Missing => question.pick("no such file", "文件缺失"),
        Cause::Foreign => question.pick("another store's file", "属于另一存储库"),
        Cause::Edited => question.pick("edited, checksums made anew", "被编辑且重算校验"),
        Cause::Unlinked => question.pick("does not follow what is before it", "与前文不衔接"),
    }
}
