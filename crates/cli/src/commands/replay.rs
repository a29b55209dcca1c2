//! `replay`: an account's events in the order in which they fold, and what each did.

use std::collections::HashMap;

use event::{EventHash, History, Recorded, Step, write_ndjson};
use projection::{Change, ChangeSource, fold_traced};
use verifier::{Language, effect, given_cause};

use crate::failure::{Failure, Outcome};
use crate::question::Question;
use crate::show::amount;
use crate::show::screen::Screen;
use crate::show::style;
use crate::show::table::{Cell, Column, Table};
use crate::show::words::{Word, kind};

pub fn run(account: &str, question: &Question, screen: &mut Screen) -> Result<Outcome, Failure> {
    let policy = question.policy()?;
    let store = question.open()?;
    let events = store.events(account)?;
    let history = History::of(account, &events);
    let traced = fold_traced(&history, &policy, question.as_of, question.known_at);
    let Some((_, changes)) = traced else {
        return Err(question.no_account(account, &store));
    };
    // By event, so that a long history is not gone through for each of its events.
    let mut by_revision: HashMap<u64, Vec<Change>> = HashMap::new();
    for change in changes {
        if let ChangeSource::Event(event) = change.source {
            by_revision.entry(event.revision).or_default().push(change);
        }
    }
    let by_place: HashMap<u64, &Recorded> = events.iter().map(|e| (e.revision, e)).collect();
    question.known_at_line(screen)?;
    let mut table = Table::new(columns(question));
    for step in history.steps_seen(question.as_of, question.known_at) {
        let changes = by_revision.get(&step.revision).map_or(&[][..], Vec::as_slice);
        let recorded = by_place[&step.revision];
        let hash = EventHash::of(&recorded.event);
        if question.json {
            let effect =
                effect(&history.names, step, changes, |n| format!("{n} bytes"), Language::En);
            screen.bytes(&line(recorded, &effect, hash))?;
        } else {
            let mut effect =
                effect(&history.names, step, changes, amount::bytes::<u64>, question.lang);
            if let Some(cause) = step.purge_cause {
                let cause = given_cause(cause, question.lang);
                effect.push_str(&question.pick(
                    format!(", giving “{cause}” as the cause"),
                    format!("，以“{cause}”为由"),
                ));
            }
            table.row(screen, row(step, &effect, hash, question))?;
        }
    }
    table.end(screen)?;
    Ok(Outcome::Fine)
}

/// The event's own line with its place before it and what it did behind it.
fn line(recorded: &Recorded, effect: &str, hash: EventHash) -> Vec<u8> {
    let Recorded { event, position, revision, recorded_at, .. } = recorded;
    let mut own = Vec::with_capacity(512);
    write_ndjson(event, Some(*recorded_at), &mut own);
    let fields = &own[1..own.len() - 1];
    let effect = serde_json::to_string(effect).expect("a string is JSON");
    let mut line = format!("{{\"position\":{position},\"revision\":{revision},").into_bytes();
    line.extend_from_slice(fields);
    line.extend_from_slice(format!(",\"effect\":{effect},\"hash\":\"{hash}\"}}\n").as_bytes());
    line
}

fn columns(question: &Question) -> [Column<'static>; 6] {
    [
        Column::number(question.pick("event", "事件")),
        Column::text(question.pick("occurred at", "发生时间")),
        Column::words(question.pick("kind", "类型")),
        Column::words(question.pick("by", "操作者")),
        Column::words(question.pick("what it did", "结果")),
        Column::text(question.pick("hash", "散列")),
    ]
}

fn row(step: &Step, effect: &str, hash: EventHash, question: &Question) -> Vec<Cell> {
    let lang = question.lang;
    let actor = match step.surface {
        Some(surface) if surface.name() != step.actor.name() => {
            let (actor, surface) = (step.actor.word(lang), surface.word(lang));
            question.pick(format!("{actor}, {surface}"), format!("{actor}，{surface}"))
        }
        _ => step.actor.word(lang),
    };
    vec![
        format!("@{}", step.position).into(),
        step.occurred_at.to_string().into(),
        kind(step.kind, step.actor, lang).into(),
        actor.into(),
        effect.into(),
        Cell::styled(&hash.to_string()[..8], style::DIM),
    ]
}
