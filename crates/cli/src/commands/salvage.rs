//! `salvage`: a new store of what is intact in a damaged one, and a list of what is missing.

use std::path::Path;

use commitment::{Cause, Missing};
use event::write_ndjson;
use eventlog::{Remains, SalvageError, Salvaged, salvage};
use serde::Serialize;

use crate::failure::{Failure, Outcome};
use crate::output::{Partial, refuse_in_store};
use crate::question::Question;
use crate::show::amount::{count, counted};
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
    accounts: Accounts,
    missing: Vec<Piece>,
    /// As people are shown them.
    #[serde(skip)]
    rows: Vec<Missing>,
    /// Null where the log does not say how many.
    missing_events: Option<u64>,
    /// Of a write that was cut short and that nobody was told of.
    unfinished_bytes: u64,
}

#[derive(Serialize)]
struct Accounts {
    whole: u64,
    gaps: u64,
    unsure: u64,
}

/// Positions are `[from, to)`; null where they cannot be told.
#[derive(Serialize)]
struct Piece {
    file: String,
    offset: u64,
    bytes: Option<u64>,
    positions_from: Option<u64>,
    positions_to: Option<u64>,
    cause: &'static str,
}

impl From<&Missing> for Piece {
    fn from(piece: &Missing) -> Piece {
        Piece {
            file: format!("log/{}", piece.file),
            offset: piece.offset,
            bytes: piece.bytes,
            positions_from: piece.from,
            positions_to: piece.to,
            cause: piece.cause.name(),
        }
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
        SalvageError::Target(error) => error.into(),
        SalvageError::Append(error) => error.into(),
        SalvageError::Taker(failure) => failure,
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

fn answer(salvaged: &Salvaged, to: &Path, unproven_to: Option<String>) -> Answer {
    let surveyed = &salvaged.surveyed;
    let (missing_events, is_all) = surveyed.missing_events();
    let left_out = surveyed.unproven + surveyed.nameless + salvaged.refused;
    let commitment::AccountCounts { whole, gaps, unsure } = surveyed.accounts;
    Answer {
        ok: surveyed.missing.is_empty() && left_out == 0,
        to: escaped_path(to),
        events: salvaged.appended,
        unproven: surveyed.unproven,
        unproven_to,
        take_in: None,
        nameless: surveyed.nameless,
        refused: salvaged.refused,
        accounts: Accounts { whole, gaps, unsure },
        missing: surveyed.missing.iter().map(Piece::from).collect(),
        rows: rows(&surveyed.missing),
        missing_events: is_all.then_some(missing_events),
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
        self.show_left_out(question, screen)
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
        if self.rows.is_empty() {
            let text =
                question.pick("What is damaged held no event of its own.", "损坏之处不含事件。");
            return paragraph(screen, 0, &text.into());
        }
        let mut table = Table::new(columns).indented(2);
        for piece in &self.rows {
            let cells = vec![
                Cell::from(format!("log/{}", piece.file)),
                Cell::from(count(piece.offset)),
                Cell::or_dash(piece.bytes.map(count)),
                Cell::from(positions(piece.from, piece.to, question)),
                Cell::from(why(piece.cause, question)),
            ];
            table.row(screen, cells)?;
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

/// Of each piece the positions of its events, where what one cut took is told by the pieces around it.
pub fn joined<'a>(
    pieces: impl Iterator<Item = &'a Missing>,
) -> Vec<(Missing, Option<u64>, Option<u64>)> {
    let mut ranges: Vec<_> = pieces.map(|piece| (piece.clone(), piece.from, piece.to)).collect();
    for n in 1..ranges.len() {
        if is_one_cut(&ranges[n - 1].0, &ranges[n].0) {
            (ranges[n - 1].2, ranges[n].1) = (ranges[n].2, ranges[n - 1].1);
        }
    }
    ranges
}

/// Whether one piece begins, and the next ends, what is missing.
fn is_one_cut(a: &Missing, b: &Missing) -> bool {
    let is_open = a.from.is_some() && a.to.is_none() && b.from.is_none() && b.to.is_some();
    is_open && a.file == b.file && a.bytes.is_some_and(|bytes| a.offset + bytes == b.offset)
}

/// The pieces that held events, those of one cut as one.
fn rows(missing: &[Missing]) -> Vec<Missing> {
    let mut rows: Vec<Missing> = Vec::new();
    for piece in missing {
        match rows.last_mut() {
            Some(last) if is_one_cut(last, piece) => {
                last.bytes = last.bytes.zip(piece.bytes).map(|(a, b)| a + b);
                (last.to, last.cause) = (piece.to, piece.cause);
            }
            _ => rows.push(piece.clone()),
        }
    }
    rows.retain(|piece| !matches!((piece.from, piece.to), (Some(from), Some(to)) if from >= to));
    rows
}

/// A range of positions, for people.
pub fn positions(from: Option<u64>, to: Option<u64>, question: &Question) -> String {
    match (from, to) {
        (Some(from), Some(to)) if from >= to => {
            question.pick("no event", "不影响任何事件").to_owned()
        }
        (Some(from), Some(to)) if from + 1 == to => count(from),
        (Some(from), Some(to)) => format!("{} – {}", count(from), count(to - 1)),
        (Some(from), None) => {
            question.pick(format!("from {}", count(from)), format!("自 {} 起", count(from)))
        }
        (None, Some(to)) => {
            question.pick(format!("before {}", count(to)), format!("{} 之前", count(to)))
        }
        (None, None) => question.pick("not known", "未知").to_owned(),
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
