//! `findings`: a line a finding, by account.

use event::History;
use projection::{Finding, FindingRow, fold};
use serde::Serialize;
use serde_json::json;
use verifier::LawfulThen;

use crate::args::FindingsArgs;
use crate::failure::{Failure, Outcome};
use crate::question::Question;
use crate::show::amount::{self, counted};
use crate::show::screen::{Line, Screen, json_line};
use crate::show::style;
use crate::show::table::{Cell, Column, Table, paragraph};
use crate::show::words::{Word, finding};

pub fn run(
    args: &FindingsArgs,
    question: &Question,
    screen: &mut Screen,
) -> Result<Outcome, Failure> {
    let policy = question.policy()?;
    let store = question.open()?;
    question.known_at_line(screen)?;
    let mut table = Table::new(columns(question, true));
    let mut shown = 0;
    let lines = |history: &History| {
        let (as_of, known_at) = (question.as_of, question.known_at);
        let view = fold(history, &policy, as_of, known_at)?;
        let open = view.may_miss_findings().then(|| history.account.clone());
        let is_asked = |found: &FindingRow| {
            args.severity.is_none_or(|severity| severity == found.severity)
                && args.code.is_none_or(|code| code == found.code)
        };
        if !args.lawful {
            let found = view.finding_rows().into_iter().filter(is_asked);
            let lines = found.map(|found| line(&found, None, question)).collect::<Vec<_>>();
            return Some((lines, open));
        }
        let rows = view.finding_rows().into_iter().zip(view.findings());
        let (rows, found): (Vec<FindingRow>, Vec<Finding>) =
            rows.filter(|(row, _)| is_asked(row)).map(|(row, (found, _))| (row, found)).unzip();
        let lawful = LawfulThen::of(history, &policy, as_of, known_at, &found, question.lang);
        let lines = rows.iter().zip(&lawful);
        Some((lines.map(|(row, lawful)| line(row, Some(lawful), question)).collect(), open))
    };
    let mut open_accounts = 0;
    let mut take = |(lines, open): (Vec<(Line, Vec<Cell>)>, Option<String>)| {
        shown += lines.len();
        lines.into_iter().try_for_each(|(line, beneath)| match line {
            Line::Json(line) => screen.bytes(&line),
            Line::Row(cells) => table.row_with(screen, cells, beneath),
        })?;
        let Some(account) = open else { return Ok(()) };
        open_accounts += 1;
        match question.json {
            true => screen.json(&json!({ "account": account, "undetermined": ["findings"] })),
            false => Ok(()),
        }
    };
    match &args.account {
        None => store.map_accounts(lines, take)?,
        Some(account) => match store.history(account)?.as_ref().and_then(lines) {
            Some(lines) => take(lines)?,
            None => return Err(question.no_account(account, &store)),
        },
    }
    table.end(screen)?;
    if open_accounts > 0 && !question.json {
        let of = amount::counted(open_accounts, "account");
        let text = question.pick(
            format!("Of {of} there may be more: events were erased that may matter."),
            format!(
                "{} 个账号可能还有更多问题：可能有关的事件已被擦除。",
                amount::count(open_accounts)
            ),
        );
        paragraph(screen, 0, &Cell::styled(text, style::CARE))?;
    }
    if args.account.is_none() {
        question.erased_accounts_line(&store, screen)?;
    }
    if shown == 0 && !question.json {
        screen.line(match store.size() {
            0 => question.nothing_yet(),
            _ if open_accounts > 0 => question.pick("Nothing is certain.", "没有可以确定的问题。"),
            _ => question.pick("Nothing was found.", "没有发现任何问题。"),
        })?;
    }
    Ok(Outcome::Fine)
}

/// A finding, with what would have been lawful if that is asked: for people a line beneath it.
fn line(found: &FindingRow, lawful: Option<&LawfulThen>, question: &Question) -> (Line, Vec<Cell>) {
    let line = match (question.json, lawful) {
        (true, None) => Line::Json(json_line(found)),
        (true, Some(lawful_then)) => Line::Json(json_line(&WithLawful { found, lawful_then })),
        (false, _) => Line::Row(row(found, question, true)),
    };
    (line, lawful.map(|lawful| Cell::styled(&lawful.because, style::DIM)).into_iter().collect())
}

/// A finding and what would have been lawful.
#[derive(Serialize)]
struct WithLawful<'f> {
    #[serde(flatten)]
    found: &'f FindingRow,
    lawful_then: &'f LawfulThen,
}

/// The columns of findings, those of one account without its name.
pub fn columns(question: &Question, with_account: bool) -> Vec<Column<'static>> {
    let account = Column::long(question.pick("account", "账号"));
    let columns = [
        account,
        Column::text(question.pick("severity", "级别")),
        Column::words(question.pick("finding", "问题")),
        Column::text(question.pick("at", "时间")),
        Column::long(question.pick("of", "对象")),
        Column::number(question.pick("event", "事件")),
        Column::long(question.pick("clause", "条款")),
    ];
    columns.into_iter().skip(usize::from(!with_account)).collect()
}

/// A row of [`columns`].
pub fn row(found: &FindingRow, question: &Question, with_account: bool) -> Vec<Cell> {
    let of = match (&found.item, &found.backup, found.count) {
        (Some(item), _, _) => Some(item.clone()),
        (_, Some(backup), _) => {
            Some(question.pick(format!("backup {backup}"), format!("备份 {backup}")))
        }
        (_, _, Some(count)) => {
            Some(question.pick(counted(count, "event"), format!("{} 条事件", amount::count(count))))
        }
        _ => None,
    };
    let cells = [
        found.account.as_str().into(),
        Cell::styled(found.severity.word(question.lang), style::severity(found.severity)),
        finding(found.code, question.lang).into(),
        found.at.to_string().into(),
        Cell::or_dash(of),
        format!("@{}", found.position).into(),
        Cell::or_dash(found.clause.as_deref()),
    ];
    cells.into_iter().skip(usize::from(!with_account)).collect()
}
