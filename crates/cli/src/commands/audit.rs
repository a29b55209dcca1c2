//! `audit`: a verdict a claim.

use std::path::Path;

use event::History;
use verifier::{Bench, Claim, ClaimSubject, Lawful, Verdict};

use crate::failure::{Failure, Outcome};
use crate::input::{Input, Next};
use crate::question::Question;
use crate::show::screen::Screen;
use crate::show::style;
use crate::show::table::{Cell, Column, Table, paragraph};
use crate::show::words::{self, Word};
use crate::store::Store;

pub fn run(claims: &Path, question: &Question, screen: &mut Screen) -> Result<Outcome, Failure> {
    let bench = Bench::new(question.policy()?);
    let mut input = Input::open(claims)?;
    let mut asked = Asked { store: question.open()?, last: None };
    question.known_at_line(screen)?;
    let mut table = Table::new(columns(question));
    let mut notes = Notes::default();
    let mut is_empty = true;
    let mut outcome = Outcome::Fine;
    let mut line = Vec::new();
    let result = loop {
        line.clear();
        let claim = match input.next_line(&mut line) {
            Err(failure) => break Err(failure),
            Ok(Next::End) => break Ok(()),
            Ok(Next::Line) if event::is_blank(&line) => continue,
            Ok(Next::Line) => Claim::read(&line),
            Ok(Next::LongLine) => Err(input.long_line(line.len())?),
        };
        is_empty = false;
        match claim {
            Err(error) => {
                // Standard output first, so that what both show on a screen is in order.
                screen.flush()?;
                outcome = Outcome::BadNews;
                let _ = std::io::Write::write_fmt(
                    &mut std::io::stderr(),
                    format_args!("{}:{}: {error}\n", input.name, input.line_number()),
                );
            }
            Ok(claim) => {
                let verdict = asked.judge(&bench, &claim, question)?;
                match question.json {
                    true => screen.json(&verdict)?,
                    false => table.row_with(
                        screen,
                        row(&claim, &verdict, question),
                        beneath(&verdict, &mut notes, question),
                    )?,
                }
            }
        }
        if question.json && input.must_wait() {
            screen.flush()?;
        }
    };
    table.end(screen)?;
    notes.show(screen)?;
    if is_empty && result.is_ok() && !question.json {
        screen.line(question.pick("No claims.", "没有主张。"))?;
    }
    result.map(|()| outcome)
}

/// The account that was asked about last: claims tend to come together.
struct Asked {
    store: Store,
    last: Option<(String, Option<History>)>,
}

impl Asked {
    fn judge(
        &mut self,
        bench: &Bench,
        claim: &Claim,
        question: &Question,
    ) -> Result<Verdict, Failure> {
        if self.last.as_ref().is_none_or(|(account, _)| *account != claim.account) {
            let history = self.store.history(&claim.account)?;
            self.last = Some((claim.account.clone(), history));
        }
        let history = self.last.as_ref().and_then(|(_, history)| history.as_ref());
        let Question { as_of, known_at, lang, .. } = *question;
        let names_known_at = question.asked_known_at.is_some();
        let asked = verifier::Asked { as_of, known_at, names_known_at, lang };
        bench.judge(claim, history, &asked, |event| self.store.hash_of(event))
    }
}

/// The caveats of all verdicts, each once: most are of all of them.
#[derive(Default)]
struct Notes(Vec<String>);

impl Notes {
    /// The number of a caveat, from 1.
    fn number(&mut self, caveat: &str) -> usize {
        let known = self.0.iter().position(|note| note == caveat);
        known.unwrap_or_else(|| {
            self.0.push(caveat.to_owned());
            self.0.len() - 1
        }) + 1
    }

    fn show(&self, screen: &mut Screen) -> Result<(), Failure> {
        if !self.0.is_empty() {
            screen.line("")?;
        }
        for (number, note) in (1..).zip(&self.0) {
            paragraph(screen, 0, &Cell::styled(format!("{number}  {note}"), style::DIM))?;
        }
        Ok(())
    }
}

fn columns(question: &Question) -> [Column<'static>; 7] {
    [
        Column::long(question.pick("claim", "主张")),
        Column::long(question.pick("of", "对象")),
        Column::words(question.pick("asserts", "断言")),
        Column::text(question.pick("verdict", "结论")),
        Column::words(question.pick("state", "状态")),
        Column::words(question.pick("why", "原因")),
        Column::text(question.pick("lawful", "合规")),
    ]
}

fn row(claim: &Claim, verdict: &Verdict, question: &Question) -> Vec<Cell> {
    let lang = question.lang;
    let account = &claim.account;
    let of = match &claim.subject {
        ClaimSubject::Item(item) => {
            question.pick(format!("{account}: {item}"), format!("{account}：{item}"))
        }
        ClaimSubject::Backup(backup) => question
            .pick(format!("{account}: backup {backup}"), format!("{account}：备份 {backup}")),
        ClaimSubject::Category(category) => question
            .pick(format!("{account}: all {category}"), format!("{account}：全部 {category}")),
        ClaimSubject::Account => {
            question.pick(format!("{account}: everything"), format!("{account}：全部数据"))
        }
    };
    vec![
        (&claim.claim).into(),
        of.into(),
        claim.asserts.word(lang).into(),
        Cell::styled(verdict.verdict.word(lang), style::outcome(verdict.verdict)),
        Cell::or_dash(verdict.state.map(|state| words::state(state, lang))),
        Cell::or_dash(verdict.cause.map(|cause| words::cause(cause, lang))),
        match verdict.lawful {
            Lawful::None => Cell::or_dash(None::<&str>),
            lawful => Cell::styled(lawful.word(lang), style::lawful(lawful)),
        },
    ]
}

/// The reason, the events and clauses it rests on, the numbers of its caveats, the readings that
/// differ.
fn beneath(verdict: &Verdict, notes: &mut Notes, question: &Question) -> Vec<Cell> {
    let mut lines = vec![Cell::from(&verdict.because)];
    const SHOWN: usize = 5;
    let mut events: Vec<String> =
        verdict.evidence.iter().take(SHOWN).map(|e| format!("@{}", e.position)).collect();
    if verdict.evidence.len() > SHOWN {
        events.push("…".to_owned());
    }
    let mut rests_on = Vec::new();
    if !events.is_empty() {
        rests_on.push(format!("{} {}", question.pick("events", "事件"), events.join(" ")));
    }
    if !verdict.clauses.is_empty() {
        rests_on.push(format!(
            "{} {}",
            question.pick("clauses", "条款"),
            verdict.clauses.join(question.pick(", ", "、"))
        ));
    }
    if !verdict.caveats.is_empty() {
        let mut numbers: Vec<usize> =
            verdict.caveats.iter().map(|caveat| notes.number(caveat)).collect();
        numbers.sort_unstable();
        let numbers: Vec<String> = numbers.iter().map(usize::to_string).collect();
        rests_on.push(format!(
            "{} {}",
            question.pick("notes", "附注"),
            numbers.join(question.pick(", ", "、"))
        ));
    }
    if !rests_on.is_empty() {
        lines.push(Cell::styled(rests_on.join(" · "), style::DIM));
    }
    let default = verdict.readings.iter().find(|(id, _)| id == "default");
    let default = default.map(|(_, outcome)| *outcome);
    let differing: Vec<String> = verdict
        .readings
        .iter()
        .filter(|(_, outcome)| Some(*outcome) != default)
        .map(|(id, outcome)| format!("{id} {}", outcome.word(question.lang)))
        .collect();
    if let (false, Some(default)) = (differing.is_empty(), default) {
        let default = default.word(question.lang);
        let differing = differing.join(question.pick(", ", "、"));
        let text = question.pick(
            format!("by the default reading: {default}; read otherwise: {differing}"),
            format!("按默认读法：{default}；按其他读法：{differing}"),
        );
        lines.push(Cell::styled(text, style::CARE));
    }
    lines
}
