//! `accounts`: a line an account.

use event::{History, Timestamp};
use policy::Window;
use projection::{Said, Status, View, fold};
use serde_json::json;

use super::state;
use crate::args::AccountsArgs;
use crate::failure::{Failure, Outcome};
use crate::question::Question;
use crate::show::amount;
use crate::show::screen::{Line, Screen, json_line};
use crate::show::style;
use crate::show::table::{Cell, Column, Table, paragraph};

pub fn run(
    args: &AccountsArgs,
    question: &Question,
    screen: &mut Screen,
) -> Result<Outcome, Failure> {
    let policy = question.policy()?;
    let store = question.open()?;
    question.known_at_line(screen)?;
    let mut table = Table::new(columns(question));
    let (mut shown, mut open) = (0u64, 0u64);
    // Without a line: an account that may be asked for, for all that is known.
    let line = |history: &History| {
        let view = fold(history, &policy, question.as_of, question.known_at)?;
        let is_asked = [
            args.status.map_or(Some(true), |status| view.status().map(|is| is == status)),
            args.due_within.map_or(Some(true), |window| is_due(&view, window)),
        ];
        let is_none = is_asked.contains(&Some(false));
        let is_open = is_asked.contains(&None);
        (!is_none).then(|| match question.json {
            _ if is_open => None,
            true => Some(Line::Json(json_line(&view.line()))),
            false => Some(Line::Row(row(&view, question))),
        })
    };
    store.map_accounts(line, |line| {
        let Some(line) = line else {
            open += 1;
            return Ok(());
        };
        shown += 1;
        match line {
            Line::Json(line) => screen.bytes(&line),
            Line::Row(cells) => table.row(screen, cells),
        }
    })?;
    table.end(screen)?;
    if open > 0 {
        match question.json {
            true => screen.json(&json!({ "undetermined_accounts": open }))?,
            false => {
                let accounts = amount::counted(open, "more account");
                screen.line(question.pick(
                    format!("{accounts} may match: events were erased that may matter."),
                    format!(
                        "另有 {} 个账号可能符合：可能有关的事件已被擦除。",
                        amount::count(open)
                    ),
                ))?;
            }
        }
    }
    let erased = store.erased_accounts()?;
    if erased > 0 {
        match question.json {
            true => screen.json(&json!({ "erased_accounts": erased }))?,
            false => {
                let text = question.pick(
                    format!(
                        "{} erased, of which no name is left.",
                        amount::counted_were(erased, "account")
                    ),
                    format!("另有 {} 个账号已擦除，名称不再保留。", amount::count(erased)),
                );
                paragraph(screen, 0, &Cell::styled(text, style::DIM))?;
            }
        }
    }
    if shown == 0 && !question.json {
        screen.line(match store.size() {
            0 => question.nothing_yet(),
            _ if store.accounts() == 0 => {
                question.pick("No other account is there.", "没有其他账号。")
            }
            _ => question.pick("No account matches.", "没有符合条件的账号。"),
        })?;
    }
    Ok(Outcome::Fine)
}

/// Whether an active account would be inactive by the end of `window` from now on. Tiers that are
/// exempt never are.
fn is_due(view: &View<'_>, window: Window) -> Said<bool> {
    let until: Option<Timestamp> = window.after(view.as_of(), &view.policy().zone);
    if view.status()? != Status::Active {
        return Some(false);
    }
    let at = view.inactive_at()?;
    let is_due = at.is_some_and(|at| view.as_of() < at && until.is_none_or(|until| at <= until));
    if !is_due {
        return Some(false);
    }
    Some(!view.version().is_exempt(view.tier()?))
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
    let lang = question.lang;
    let said = |text: Said<String>| state::said(text, lang);
    let end = |field: &str, at: Option<Timestamp>| match line.undetermined.contains(&field) {
        true => said(None),
        false => Cell::or_dash(at.map(|at| at.to_string()[..10].to_owned())),
    };
    let gone = line.expired.zip(line.purged).zip(line.removed);
    let gone = gone.map(|((expired, purged), removed)| expired + purged + removed);
    vec![
        (&line.account).into(),
        state::status(line.status, lang),
        said(line.tier.clone()),
        said(line.live.map(amount::count)),
        said(line.trashed.map(amount::count)),
        said(gone.map(amount::count)),
        said(line.used_bytes.map(amount::bytes)),
        end("last_activity_at", line.last_activity_at),
        end("inactive_at", line.inactive_at),
    ]
}
