//! The changes of a diff, a row each: for people, as JSON and as comma-separated values.

use projection::{Deadline, Difference, Differs, Found, Severity, StateCause, View};
use serde::Serialize;

use super::What;
use crate::question::Question;
use crate::show::amount;
use crate::show::style;
use crate::show::table::{Cell, Column};
use crate::show::words::{self, Word};

/// The first line of `--csv`.
pub const HEADER: &str = "account,item,backup,what,code,severity,before,after,moved_ms,days,position,\
                          count_before,count_after\n";

/// A change.
#[derive(Debug, Serialize)]
pub struct Row<'a> {
    account: &'a str,
    item: Option<&'a str>,
    backup: Option<&'a str>,
    what: &'static str,
    code: Option<&'static str>,
    severity: Option<&'static str>,
    before: Option<String>,
    after: Option<String>,
    moved_ms: Option<i64>,
    days: Option<i64>,
    position: Option<u64>,
    count_before: Option<u64>,
    count_after: Option<u64>,
    #[serde(skip)]
    differs: Differs,
}

/// Whole days of 24 hours in a time, cut toward zero.
pub fn days(moved_ms: i64) -> i64 {
    moved_ms / 86_400_000
}

impl<'a> Row<'a> {
    pub fn of(difference: &Difference, view: &View<'a>) -> Row<'a> {
        let (item, backup) = match difference.subject {
            Some(projection::Subject::Item(item)) => (Some(view.names().get(item)), None),
            Some(projection::Subject::Backup(backup)) => (None, Some(view.names().get(backup))),
            None => (None, None),
        };
        let (before, after) = words_of(&difference.what);
        let moved_ms = difference.moved_ms();
        let mut row = Row {
            account: view.account(),
            item,
            backup,
            what: What::of(&difference.what).name(),
            code: None,
            severity: None,
            before,
            after,
            moved_ms,
            days: moved_ms.map(days),
            position: None,
            count_before: None,
            count_after: None,
            differs: difference.what,
        };
        if let Differs::Finding(code, before, after) = difference.what {
            row.code = Some(code.name());
            row.severity = Some(code.severity().name());
            row.position = after.or(before).map(|found| found.event.position);
            row.count_before = before.and_then(|found| found.count);
            row.count_after = after.and_then(|found| found.count);
        }
        row
    }

    /// Adds its line of comma-separated values.
    pub fn csv(&self, out: &mut Vec<u8>) {
        let mut writer = csv::WriterBuilder::new().has_headers(false).from_writer(out);
        writer.serialize(self).and_then(|()| Ok(writer.flush()?)).expect("memory takes it");
    }

    /// Its cells in the table of [`columns`].
    pub fn cells(&self, question: &Question) -> Vec<Cell> {
        let lang = question.lang;
        let of = match (self.item, self.backup) {
            (Some(item), _) => Some(item.to_owned()),
            (_, Some(name)) => {
                Some(question.pick(format!("backup {name}"), format!("备份 {name}")))
            }
            _ => None,
        };
        let cause = |cause: Option<StateCause>| cause.map(|cause| cause.word(lang));
        let over = |over: bool| Some(words::yes_or_no(over, lang).to_owned());
        let end = |deadline| match deadline {
            Deadline::Never => Some(question.pick("never", "无限期").to_owned()),
            Deadline::None => None,
            Deadline::At(at) => Some(at.to_string()),
        };
        let found = |found: Option<Found>| {
            found.map(|found| match found.count {
                Some(count) => format!("{} ×{count}", found.at),
                None => found.at.to_string(),
            })
        };
        let (before, after, style) = match self.differs {
            Differs::Status(a, b) => (Some(a.word(lang)), Some(b.word(lang)), style::status(b)),
            Differs::State(a, b) => (Some(a.word(lang)), Some(b.word(lang)), style::item(b)),
            Differs::Cause(a, b) | Differs::BackupCause(a, b) => (cause(a), cause(b), style::PLAIN),
            Differs::OverQuota(a, b) => (over(a), over(b), style::PLAIN),
            Differs::InactiveAt(a, b) | Differs::Deadline(a, b) => (end(a), end(b), style::PLAIN),
            Differs::Finding(_, a, b) => (found(a), found(b), style::PLAIN),
        };
        let [before, after] = [before, after].map(|text| text.unwrap_or_else(|| "-".to_owned()));
        let moved = self.moved_ms.map(|_| moved_text(self.days.unwrap_or(0)));
        vec![
            self.account.into(),
            Cell::or_dash(of),
            what_cell(&self.differs, question),
            Cell::styled(format!("{before} → {after}"), style),
            Cell::or_dash(moved),
        ]
    }
}

/// `+30`, `-7`, `0`
fn moved_text(days: i64) -> String {
    let sign = ["-", "", "+"][(days.signum() + 1) as usize];
    format!("{sign}{}", amount::count(days.unsigned_abs()))
}

/// The columns of a list of changes.
pub fn columns(question: &Question) -> Vec<Column<'static>> {
    vec![
        Column::long(question.pick("account", "账号")),
        Column::long(question.pick("of", "对象")),
        Column::words(question.pick("what", "变化")),
        Column::words(question.pick("before → after", "之前 → 之后")),
        Column::number(question.pick("days", "天数")),
    ]
}

fn what_cell(differs: &Differs, question: &Question) -> Cell {
    match differs {
        Differs::Finding(code, ..) => {
            let style = match code.severity() {
                Severity::Breach => style::BAD,
                Severity::Warning => style::CARE,
                Severity::Note => style::PLAIN,
            };
            Cell::styled(words::finding(*code, question.lang), style)
        }
        other => {
            let (en, zh) = what_words(What::of(other));
            question.pick(en, zh).into()
        }
    }
}

/// What changes, for people.
pub fn what_words(what: What) -> (&'static str, &'static str) {
    match what {
        What::Status => ("status", "状态"),
        What::InactiveAt => ("inactive from", "不活跃起算"),
        What::OverQuota => ("over the limit", "超出空间"),
        What::State => ("state", "状态"),
        What::Cause => ("cause", "原因"),
        What::Deadline => ("recoverable until", "可恢复至"),
        What::Finding => ("finding", "问题"),
    }
}

/// Before and after, as the wire has them.
fn words_of(differs: &Differs) -> (Option<String>, Option<String>) {
    let word = |name: &str| Some(name.to_owned());
    let cause = |cause: Option<StateCause>| cause.map(|cause| cause.name().to_owned());
    let end = |deadline| match deadline {
        Deadline::None => None,
        Deadline::Never => word("never"),
        Deadline::At(at) => Some(at.to_string()),
    };
    let found = |found: Option<Found>| found.map(|found| found.at.to_string());
    let over = |over: bool| word(if over { "over" } else { "within" });
    match *differs {
        Differs::Status(a, b) => (word(a.name()), word(b.name())),
        Differs::State(a, b) => (word(a.name()), word(b.name())),
        Differs::Cause(a, b) | Differs::BackupCause(a, b) => (cause(a), cause(b)),
        Differs::OverQuota(a, b) => (over(a), over(b)),
        Differs::InactiveAt(a, b) | Differs::Deadline(a, b) => (end(a), end(b)),
        Differs::Finding(_, a, b) => (found(a), found(b)),
    }
}
