//! Tables of dates ahead: of one account, before and after what is assumed, and of all accounts.

use std::collections::{HashMap, VecDeque};

use projection::Coming;
use verifier::{ForecastRow, StageRow};

use super::screen::Screen;
use super::style;
use super::table::{Cell, Column, Table};
use super::words::Word;
use crate::failure::Failure;
use crate::question::Question;

/// What is said where no date is ahead.
pub fn nothing(question: &Question) -> &'static str {
    question.pick("Nothing changes by time alone.", "没有随时间发生的变化。")
}

/// The dates of one account.
pub fn list(rows: &[ForecastRow], question: &Question, screen: &mut Screen) -> Result<(), Failure> {
    if rows.is_empty() {
        return screen.line(nothing(question));
    }
    let mut table = Table::new([
        Column::text(question.pick("at", "时间")),
        Column::number(question.pick("days", "天数")),
        Column::long(question.pick("what happens", "将发生什么")),
        Column::words(question.pick("avoided by", "如何避免")),
        Column::long(question.pick("clause", "条款")),
    ]);
    for row in rows {
        table.row(
            screen,
            vec![
                row.at.to_string().into(),
                days(row, question).into(),
                says(row),
                avoided_by(row, question),
                Cell::or_dash(row.clause.as_deref()),
            ],
        )?;
    }
    table.end(screen)
}

/// The days that are left, one that has begun counted.
fn days(row: &ForecastRow, question: &Question) -> String {
    const DAY_MS: u64 = 86_400_000;
    row.at.ms().abs_diff(question.as_of.ms()).div_ceil(DAY_MS).to_string()
}

fn says(row: &ForecastRow) -> Cell {
    Cell::styled(&row.says, if row.irreversible { style::BAD } else { style::PLAIN })
}

fn avoided_by(row: &ForecastRow, question: &Question) -> Cell {
    Cell::or_dash(row.avoided_by.map(|kind| kind.word(question.lang)))
}

/// The dates of one account before and after what is assumed, side by side.
pub fn both(
    before: &[ForecastRow],
    after: &[ForecastRow],
    question: &Question,
    screen: &mut Screen,
) -> Result<(), Failure> {
    if before.is_empty() && after.is_empty() {
        return screen.line(nothing(question));
    }
    let mut table = Table::new([
        Column::text(""),
        Column::text(question.pick("before", "之前")),
        Column::text(question.pick("after", "之后")),
        Column::long(question.pick("what happens", "将发生什么")),
        Column::words(question.pick("avoided by", "如何避免")),
    ]);
    for (before, after) in paired(before, after) {
        let Some(row) = after.or(before) else { continue };
        let (mark, style) = match (before, after) {
            (None, _) => (question.pick("new", "新增"), style::CARE),
            (_, None) => (question.pick("gone", "消失"), style::GOOD),
            (Some(b), Some(a)) if b.at != a.at || b.stage != a.stage => {
                (question.pick("moved", "移动"), style::CARE)
            }
            _ => ("", style::PLAIN),
        };
        let at = |row: Option<&ForecastRow>| Cell::or_dash(row.map(|row| row.at.to_string()));
        table.row(
            screen,
            vec![
                Cell::styled(mark, style),
                at(before),
                at(after),
                says(row),
                avoided_by(row, question),
            ],
        )?;
    }
    table.end(screen)
}

type Pair<'a> = (Option<&'a ForecastRow>, Option<&'a ForecastRow>);

/// Each date with the one that it has become, in order of time: the first of a thing with the first, the
/// second with the second.
fn paired<'a>(before: &'a [ForecastRow], after: &'a [ForecastRow]) -> Vec<Pair<'a>> {
    fn key(row: &ForecastRow) -> (Coming, Option<&str>, Option<&str>) {
        (row.what, row.stage_name(), row.of_what())
    }
    let mut waiting: HashMap<_, VecDeque<&ForecastRow>> = HashMap::new();
    for row in before {
        waiting.entry(key(row)).or_default().push_back(row);
    }
    let mut pairs: Vec<Pair<'_>> = Vec::new();
    for row in after {
        let was = waiting.get_mut(&key(row)).and_then(VecDeque::pop_front);
        pairs.push((was, Some(row)));
    }
    pairs.extend(waiting.into_values().flatten().map(|row| (Some(row), None)));
    let rank = |(before, after): &Pair<'a>| {
        let row = after.or(*before).expect("one of the two");
        (row.at, key(row))
    };
    pairs.sort_by(|a, b| rank(a).cmp(&rank(b)));
    pairs
}

/// Of the table of all accounts.
pub fn columns(question: &Question) -> [Column<'static>; 5] {
    [
        Column::long(question.pick("account", "账号")),
        Column::text(question.pick("at", "时间")),
        Column::words(question.pick("what", "事项")),
        Column::long(question.pick("of", "对象")),
        Column::words(question.pick("avoided by", "如何避免")),
    ]
}

/// A row of it.
pub fn row(account: &str, row: &ForecastRow, question: &Question) -> Vec<Cell> {
    let style = if row.irreversible { style::BAD } else { style::PLAIN };
    let what = match &row.stage {
        None => row.what.word(question.lang),
        Some(StageRow::PolicyVersion { .. }) => {
            question.pick("policy version", "政策版本").to_owned()
        }
        Some(StageRow::Reached { stage, category: Some(_), .. }) => {
            question.pick(format!("stage {stage}"), format!("阶段 {stage}"))
        }
        Some(StageRow::Reached { .. }) => row.what.word(question.lang),
    };
    vec![
        account.into(),
        row.at.to_string().into(),
        Cell::styled(what, style),
        Cell::or_dash(row.of_what()),
        avoided_by(row, question),
    ]
}
