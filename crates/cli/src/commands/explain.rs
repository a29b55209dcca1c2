//! `explain`: the life of one item, and what it would have taken for it to be in another state.

use clap::Args;
use projection::fold_traced;
use verifier::{Explanation, Wanted, WhyNot, WhyNotAsked, explain, why_not};

use crate::args::word;
use crate::failure::{Failure, Outcome};
use crate::question::Question;
use crate::show::amount;
use crate::show::escape::escaped;
use crate::show::screen::Screen;
use crate::show::style;
use crate::show::table::{Cell, Column, Table, paragraph};
use crate::show::words::{Word, finding, undetermined};

/// What `explain` takes.
#[derive(Debug, Args)]
pub struct ExplainArgs {
    /// The account
    pub account: String,
    /// The item
    pub item: String,
    /// Say what it would have taken for the item to be in this state
    #[arg(long, value_name = "STATE", value_parser = word(Wanted::ALL, Wanted::name))]
    pub why_not: Option<Wanted>,
}

pub fn run(
    args: &ExplainArgs,
    question: &Question,
    screen: &mut Screen,
) -> Result<Outcome, Failure> {
    let ExplainArgs { account, item, why_not: wanted } = args;
    let policy = question.policy()?;
    let store = question.open()?;
    let history = store.history(account)?;
    let traced = history
        .as_ref()
        .and_then(|history| fold_traced(history, &policy, question.as_of, question.known_at));
    let (Some(history), Some((view, changes))) = (&history, traced) else {
        return Err(question.no_account(account, &store));
    };
    let (known_at, lang) = (question.known_at, question.lang);
    let Some(explanation) = explain(&view, &changes, history, known_at, item, lang) else {
        if view.names().find(item).is_some_and(|id| view.backup(id).is_some()) {
            let (item, account) = (escaped(item), escaped(account));
            return Err(Failure::Usage(format!(
                "{item}: a backup of account {account}, not an item; `stillthere state` and \
                 `stillthere replay` show backups"
            )));
        }
        let erased = match history.erased.is_empty() {
            true => "",
            false => ", unless what named it was erased",
        };
        return Err(Failure::Usage(format!(
            "item {}: account {} has no such item as of {}{erased}; `stillthere state` lists those it has",
            escaped(item),
            escaped(account),
            question.as_of
        )));
    };
    if let Some(wanted) = *wanted {
        let asked = WhyNotAsked {
            wanted,
            as_of: question.as_of,
            known_at: question.known_at,
            lang: question.lang,
        };
        let answer = why_not(history, &policy, item, &asked).expect("it was explained");
        let rules = question.policy_line(&policy, view.version());
        match question.json {
            true => screen.json(&answer)?,
            false => show_why_not(&answer, &rules, question, screen)?,
        }
        return Ok(Outcome::Fine);
    }
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
    let state = told.state.map_or_else(|| undetermined(lang).to_owned(), |state| state.word(lang));
    let mut facts = vec![state];
    facts.extend(told.cause.map(|cause| cause.word(lang)));
    facts.extend(told.category.clone());
    facts.extend(told.bytes.map(amount::bytes));
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
        let lawful = change.lawful_then.iter();
        let beneath = lawful.map(|lawful| Cell::styled(&lawful.because, style::DIM)).collect();
        table.row_with(
            screen,
            vec![
                change.at.to_string().into(),
                Cell::styled(change.to.word(lang), style::item(change.to)),
                says.into(),
                Cell::or_dash(event),
                Cell::or_dash(change.clause.as_deref()),
            ],
            beneath,
        )?;
    }
    table.end(screen)?;
    if !told.undetermined.is_empty() {
        let text = question.pick(
            "Events were erased: changes may be missing here.",
            "有事件已被擦除：此处可能缺少部分变化。",
        );
        screen.line(screen.styled(text, style::CARE))?;
    }
    Ok(())
}

fn show_why_not(
    answer: &WhyNot,
    rules: &str,
    question: &Question,
    screen: &mut Screen,
) -> Result<(), Failure> {
    paragraph(screen, 0, &Cell::styled(&answer.because, style::BOLD))?;
    let lang = question.lang;
    let state =
        answer.state.map_or_else(|| undetermined(lang).to_owned(), |state| state.word(lang));
    let mut facts = vec![state];
    facts.extend(question.asked_known_at.map(|known_at| {
        question.pick(format!("known at {known_at}"), format!("已知截至 {known_at}"))
    }));
    facts.push(question.pick(format!("policy {rules}"), format!("政策 {rules}")));
    paragraph(screen, 0, &Cell::styled(facts.join(" · "), style::DIM))?;
    if answer.already || !answer.undetermined.is_empty() {
        return Ok(());
    }
    screen.line("")?;
    let mut table = Table::new([
        Column::text(question.pick("change", "改动")),
        Column::text(question.pick("state", "状态")),
        Column::long(question.pick("what it would have come to", "结果")),
    ]);
    for change in &answer.changes {
        table.row(
            screen,
            vec![
                change.change.says(question.lang).into(),
                Cell::styled(change.state.word(question.lang), style::item(change.state)),
                change.because.as_str().into(),
            ],
        )?;
    }
    table.end(screen)?;
    if !answer.changes.is_empty() {
        screen.line("")?;
    }
    paragraph(screen, 0, &Cell::styled(tried(answer, question), style::DIM))
}

/// How much was tried.
fn tried(answer: &WhyNot, question: &Question) -> String {
    let t = answer.tried;
    let counts = [
        (t.as_of, "as-of", "时点"),
        (t.reading, "reading", "读法"),
        (t.moved, "moved", "移动事件"),
        (t.left_out, "left out", "略去事件"),
        (t.tier, "tier", "等级"),
        (t.version, "version", "版本"),
    ];
    let counts =
        counts.map(|(count, en, zh)| format!("{} {}", question.pick(en, zh), amount::count(count)));
    let counts = counts.join(question.pick(", ", "、"));
    let bound = amount::count(answer.bound);
    let all = answer.bounded.is_empty();
    let more = match all {
        true => question.pick("", ""),
        false => question
            .pick(", which was reached: there may be others", "，已达上限，可能还有别的改动"),
    };
    question.pick(
        format!("Tried, up to the first that does: {counts}; at most {bound} of a kind{more}."),
        format!("试到第一项可行者为止：{counts}；每种至多 {bound} 次{more}。"),
    )
}
