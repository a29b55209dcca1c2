//! `replay`: an account's events in the order in which they fold, and what each did; of erased ones what is left, and the
//! erasure that took the rest. When one that was erased to its leaf occurred is not known: those come first.

use std::collections::HashMap;

use event::{Actor, EventHash, Kind, Recorded, Step, Surface, Timestamp, write_ndjson};
use eventlog::ErasedEvent;
use projection::{Change, ChangeSource, fold_traced};
use serde::Serialize;
use verifier::{Language, effect, given_cause};

use crate::failure::{Failure, Outcome};
use crate::question::Question;
use crate::show::amount;
use crate::show::screen::Screen;
use crate::show::style;
use crate::show::table::{Cell, Column, Table};
use crate::show::words::{Word, kind};
use crate::store::gone;

pub fn run(account: &str, question: &Question, screen: &mut Screen) -> Result<Outcome, Failure> {
    let policy = question.policy()?;
    let store = question.open()?;
    let events = store.events(account)?;
    let erased = store.erased_events(account)?;
    let history = store.history(account)?;
    let Some(history) = history else { return Err(question.no_account(account, &store)) };
    let traced = fold_traced(&history, &policy, question.as_of, question.known_at);
    let leaves = erased.iter().filter(|event| event.envelope.is_none());
    let changes = match traced {
        Some((_, changes)) => changes,
        None if leaves.clone().next().is_some() => Vec::new(),
        None => return Err(question.no_account(account, &store)),
    };
    // By event, so that a long history is not gone through for each of its events.
    let mut by_revision: HashMap<u64, Vec<Change>> = HashMap::new();
    for change in changes {
        if let ChangeSource::Event(event) = change.source {
            by_revision.entry(event.revision).or_default().push(change);
        }
    }
    let erased_by_place: HashMap<u64, &ErasedEvent> =
        erased.iter().map(|event| (event.revision, event)).collect();
    let by_place: HashMap<u64, &Recorded> = events.iter().map(|e| (e.revision, e)).collect();
    question.known_at_line(screen)?;
    let mut table = Table::new(columns(question));
    for event in leaves {
        match question.json {
            true => screen.json(&ErasedLine::of(event, None))?,
            false => table.row(screen, erased_row(event, None, question))?,
        }
    }
    let mut is_open = !history.erased.leaves.is_empty();
    for step in history.steps_seen(question.as_of, question.known_at) {
        if let Some(event) = erased_by_place.get(&step.revision) {
            is_open = true;
            match question.json {
                true => screen.json(&ErasedLine::of(event, Some(step)))?,
                false => table.row(screen, erased_row(event, Some(step), question))?,
            }
            continue;
        }
        let changes = by_revision.get(&step.revision).map_or(&[][..], Vec::as_slice);
        let recorded = *by_place.get(&step.revision).ok_or_else(|| gone(step.position))?;
        let hash = EventHash::of(&recorded.event);
        if question.json {
            let size = |n| format!("{n} bytes");
            let effect = effect(&history.names, step, changes, is_open, size, Language::En);
            screen.bytes(&line(recorded, &effect, hash))?;
        } else {
            let (names, size) = (&history.names, amount::bytes::<u64>);
            let mut effect = effect(names, step, changes, is_open, size, question.lang);
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

/// What is left of an event that was erased.
#[derive(Serialize)]
struct ErasedLine {
    position: u64,
    revision: u64,
    /// What was: `content`, or the whole `event`.
    erased: &'static str,
    erasure: Option<u64>,
    #[serde(flatten)]
    envelope: Option<Left>,
    effect: Option<()>,
}

/// What the envelope says.
#[derive(Serialize)]
struct Left {
    occurred_at: Timestamp,
    recorded_at: Timestamp,
    kind: Kind,
    actor: Actor,
    #[serde(skip_serializing_if = "Option::is_none")]
    surface: Option<Surface>,
}

impl ErasedLine {
    fn of(event: &ErasedEvent, step: Option<&Step>) -> ErasedLine {
        ErasedLine {
            position: event.position,
            revision: event.revision,
            erased: if step.is_some() { "content" } else { "event" },
            erasure: under(event),
            envelope: step.map(|step| Left {
                occurred_at: step.occurred_at,
                recorded_at: step.recorded_at,
                kind: step.kind,
                actor: step.actor,
                surface: step.surface,
            }),
            effect: None,
        }
    }
}

/// The number of the erasure, where the log has its record.
fn under(event: &ErasedEvent) -> Option<u64> {
    (event.erasure != u64::MAX).then_some(event.erasure)
}

fn erased_row(event: &ErasedEvent, step: Option<&Step>, question: &Question) -> Vec<Cell> {
    let number = under(event).map_or("?".to_owned(), |number| number.to_string());
    let what = match step {
        Some(_) => question.pick(
            format!("its content was erased (erasure {number})"),
            format!("内容已擦除（第 {number} 号）"),
        ),
        None => question
            .pick(format!("it was erased (erasure {number})"), format!("已擦除（第 {number} 号）")),
    };
    let lang = question.lang;
    vec![
        format!("@{}", event.position).into(),
        Cell::or_dash(step.map(|step| step.occurred_at.to_string())),
        Cell::or_dash(step.map(|step| kind(step.kind, step.actor, lang))),
        Cell::or_dash(step.map(|step| actor(step, question))),
        Cell::styled(what, style::CARE),
        Cell::or_dash(None::<&str>),
    ]
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
    vec![
        format!("@{}", step.position).into(),
        step.occurred_at.to_string().into(),
        kind(step.kind, step.actor, question.lang).into(),
        actor(step, question).into(),
        effect.into(),
        Cell::styled(&hash.to_string()[..8], style::DIM),
    ]
}

/// By whom, and where it came in.
fn actor(step: &Step, question: &Question) -> String {
    let lang = question.lang;
    match step.surface {
        Some(surface) if surface.name() != step.actor.name() => {
            let (actor, surface) = (step.actor.word(lang), surface.word(lang));
            question.pick(format!("{actor}, {surface}"), format!("{actor}，{surface}"))
        }
        _ => step.actor.word(lang),
    }
}
