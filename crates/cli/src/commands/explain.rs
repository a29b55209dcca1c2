//! `explain`: the life of one item.

use projection::fold_traced;
use verifier::{Explanation, explain};

use crate::failure::{Failure, Outcome};
use crate::question::Question;
use crate::show::amount;
use crate::show::escape::escaped;
use crate::show::screen::Screen;
use crate::show::style;
use crate::show::table::{Cell, Column, Table, paragraph};
use crate::show::words::{Word, finding};

pub fn run(
    account: &str,
    item: &str,
    question: &Question,
    screen: &mut Screen,
) -> Result<Outcome, Failure> {
    let policy = question.policy()?;
    let store = question.open()?;
    let history = store.history(account)?;
    let traced = history
        .as_ref()
        .and_then(|history| fold_traced(history, &policy, question.as_of, question.known_at));
    let (Some(history), Some((view, changes))) = (&history, traced) else {
        return Err(question.no_account(account, &store));
    };
    let Some(explanation) = explain(&view, &changes, &history.steps, item, question.lang) else {
        if view.names().find(item).is_some_and(|id| view.backup(id).is_some()) {
            let (item, account) = (escaped(item), escaped(account));
            return Err(Failure::Usage(format!(
                "{item}: a backup of account {account}, not an item; `stillthere state` and \
                 `stillthere replay` show backups"
            )));
        }
        return Err(Failure::Usage(format!(
            "item {}: account {} has no such item as of {}; `stillthere state` lists those it has",
            escaped(item),
            escaped(account),
            question.as_of
        )));
    };
    match question.json {
        true => screen.json(&explanation)?,
        false => {
            let rules = question.policy_line(&policy, view.version());
            show(&explanation, &rules, question, screen)?;
        }
    }
    Ok(Outcome::Fine)
}

fn show(
    told: &Explanation,
    rules: &str,
    question: &Question,
    screen: &mut Screen,
) -> Result<(), Failure> {
    let lang = question.lang;
    paragraph(screen, 0, &Cell::styled(&told.sentence, style::BOLD))?;
    let mut facts = vec![told.state.word(lang)];
    facts.extend(told.cause.map(|cause| cause.word(lang)));
    facts.extend(told.category.clone());
    facts.push(amount::bytes(told.bytes));
    facts.extend(told.remaining_days.map(|days| {
        let s = if days == 1 { "" } else { "s" };
        question.pick(format!("{days} day{s} left"), format!("剩余 {days} 天"))
    }));
    let as_of = told.as_of;
    facts.push(question.pick(format!("as of {as_of}"), format!("截至 {as_of}")));
    facts.extend(question.asked_known_at.map(|known_at| {
        question.pick(format!("known at {known_at}"), format!("已知截至 {known_at}"))
    }));
    facts.push(question.pick(format!("policy {rules}"), format!("政策 {rules}")));
    paragraph(screen, 0, &Cell::styled(facts.join(" · "), style::DIM))?;
    screen.line("")?;
    let mut table = Table::new([
        Column::text(question.pick("at", "时间")),
        Column::text(question.pick("state", "状态")),
        Column::long(question.pick("what happened", "经过")),
        Column::text(question.pick("event", "事件")),
        Column::long(question.pick("clause", "条款")),
    ]);
    for change in &told.changes {
        let mut says = change.says.clone();
        if !change.findings.is_empty() {
            let codes = change.findings.iter().map(|code| finding(*code, lang));
            let codes = codes.collect::<Vec<_>>().join(question.pick(", ", "、"));
            let s = if change.findings.len() == 1 { "" } else { "s" };
            says += &question.pick(format!(" Finding{s}: {codes}."), format!("问题：{codes}。"));
        }
        let event = change.position.map(|position| format!("@{position}"));
        table.row(
            screen,
            vec![
                change.at.to_string().into(),
                Cell::styled(change.to.word(lang), style::item(change.to)),
                says.into(),
                Cell::or_dash(event),
                Cell::or_dash(change.clause.as_deref()),
            ],
        )?;
    }
    table.end(screen)
}
