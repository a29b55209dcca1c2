//! `erasures`: the records of what was taken out of the log.

use commitment::Left;
use event::Timestamp;
use eventlog::ErasureRecord;
use serde::Serialize;
use verifier::certificate::left_word;

use crate::failure::{Failure, Outcome};
use crate::question::Question;
use crate::show::amount::count;
use crate::show::screen::Screen;
use crate::show::table::{Column, Table};

#[derive(Serialize)]
struct Line<'a> {
    number: u64,
    at: Timestamp,
    ground: &'a str,
    by: &'a str,
    left: &'static str,
    before: Option<Timestamp>,
    events: u64,
    accounts: u64,
}

pub fn run(question: &Question, screen: &mut Screen) -> Result<Outcome, Failure> {
    let records = question.open()?.erasures()?;
    let mut table = Table::new([
        Column::number(question.pick("erasure", "擦除")),
        Column::text(question.pick("at", "时间")),
        Column::long(question.pick("on what ground", "理由")),
        Column::long(question.pick("by", "执行者")),
        Column::words(question.pick("left of each", "每条仍保留")),
        Column::number(question.pick("events", "事件")),
        Column::number(question.pick("accounts", "账号")),
    ]);
    for record in &records {
        let (events, accounts) = (record.events.count(), record.names.count());
        let ErasureRecord { number, at, ground, by, left, before, .. } = record;
        if question.json {
            let (number, at, left, before) = (*number, *at, left_word(*left), *before);
            screen.json(&Line { number, at, ground, by, left, before, events, accounts })?;
            continue;
        }
        let left = match left {
            Left::Envelope => question.pick("envelope", "封套"),
            Left::Leaf => question.pick("hash", "散列"),
        };
        let cells = vec![
            number.to_string().into(),
            at.to_string().into(),
            ground.into(),
            by.into(),
            left.into(),
            count(events).into(),
            count(accounts).into(),
        ];
        table.row(screen, cells)?;
    }
    table.end(screen)?;
    if records.is_empty() && !question.json {
        screen.line(question.pick("Nothing was erased.", "没有擦除过任何内容。"))?;
    }
    Ok(Outcome::Fine)
}
