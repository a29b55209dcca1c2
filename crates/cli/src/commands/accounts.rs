//! `accounts`: a line an account.

use event::{History, Timestamp};
use policy::Window;
use projection::{Status, View, fold};
use serde_json::json;

use crate::args::AccountsArgs;
use crate::failure::{Failure, Outcome};
use crate::question::Question;
use crate::show::amount;
use crate::show::screen::{Line, Screen, json_line};
use crate::show::style;
use crate::show::table::{Cell, Column, Table, paragraph};
use crate::show::words::Word;

pub fn run(
    args: &AccountsArgs,
    question: &Question,
    screen: &mut Screen,
) -> Result<Outcome, Failure> {
    let policy = question.policy()?;
    let store = question.open()?;
    question.known_at_line(screen)?;
    let mut table = Table::new(columns(question));
    let mut shown = 0u64;
    let line = |history: &History| {
        let view = fold(history, &policy, question.as_of, question.known_at)?;
        let is_asked = args.status.is_none_or(|status| status == view.status())
            && args.due_within.is_none_or(|window| is_due(&view, window));
        is_asked.then(|| match question.json {
            true => Line::Json(json_line(&view.line())),
            false => Line::Row(row(&view, question)),
        })
    };
    store.map_accounts(line, |line| {
        shown += 1;
        match line {
            Line::Json(line) => screen.bytes(&line),
            Line::Row(cells) => table.row(screen, cells),
        }
    })?;
    table.end(screen)?;
    let erased = store.erased_accounts()?;
    if erased > 0 {
        match question.json {
            true => screen.json(&json!({ "erased_accounts": erased }))?,
            false => {
                let text = question.pick(
                    format!("{} erased, of which no name is left.", were(erased)),
                    format!("另有 {} 个账号已抹除，名称不再保留。", amount::count(erased)),
                );
                paragraph(screen, 0, &Cell::styled(text, style::DIM))?;
            }
        }
    }
    if shown == 0 && !question.json {
        screen.line(match store.size() {
            0 => question.nothing_yet(),
            _ => question.pick("No account matches.", "没有符合条件的账号。"),
        })?;
    }
    Ok(Outcome::Fine)
}

fn were(accounts: u64) -> String {
    let verb = if accounts == 1 { "was" } else { "were" };
    format!("{} {verb}", amount::counted(accounts, "account"))
}

/// Whether an active account would be inactive by the end of `window` from now on. Tiers that are
/// exempt never are.
fn is_due(view: &View<'_>, window: Window) -> bool {
    let until: Option<Timestamp> = window.after(view.as_of(), &view.policy().zone);
    view.status() == Status::Active
        && !view.version().is_exempt(view.tier())
        && view
            .inactive_at()
            .is_some_and(|at| view.as_of() < at && until.is_none_or(|until| at <= until))
}

fn columns(question: &Question) -> [Column<'static>; 9] {
    [
        Column::long(question.pick("account", "账号")),
        Column::text(question.pick("status", "状态")),
        Column::long(question.pick("tier", "等级")),
        Column::number(question.pick("live", "正常")),
        Column::number(question.pick("trashed", "回收站")),
        Column::number(question.pick("gone", "已不存在")),
        Column::number(question.pick("used", "已用空间")),
        Column::text(question.pick("last activity (UTC)", "最近活动（UTC）")),
        Column::text(question.pick("inactive from (UTC)", "不活跃起算（UTC）")),
    ]
}

fn row(view: &View<'_>, question: &Question) -> Vec<Cell> {
    let line = view.line();
    let day = |at: Option<Timestamp>| at.map(|at| at.to_string()[..10].to_owned());
    vec![
        line.account.into(),
        Cell::styled(line.status.word(question.lang), style::status(line.status)),
        line.tier.into(),
        amount::count(line.live).into(),
        amount::count(line.trashed).into(),
        amount::count(line.expired + line.purged + line.removed).into(),
        amount::bytes(line.used_bytes).into(),
        Cell::or_dash(day(line.last_activity_at)),
        Cell::or_dash(day(line.inactive_at)),
    ]
}
