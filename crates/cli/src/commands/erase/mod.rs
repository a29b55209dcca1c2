//! `erase`: takes a person, or some of their items, out of the log, under a record that says so.

pub mod allowed;
pub mod outcome;

use std::collections::BTreeMap;

use clap::Args;
use commitment::{Left, Scope};
use event::{Kind, Timestamp};
use eventlog::{EraseError, Erased, Erasing, Log, Options, Target};
use serde::Serialize;
use verifier::certificate::left_word;

use self::outcome::{Shrinking, eraser, failed, not_covered};
use crate::args::instant;
use crate::commands::import::say_recovery;
use crate::failure::{Failure, Outcome};
use crate::question::{Question, now};
use crate::show::amount::{bytes, count, counted};
use crate::show::escape::escaped;
use crate::show::screen::Screen;
use crate::show::style;
use crate::show::table::{Cell, Column, Table, paragraph};
use crate::show::words::Word;
use crate::store::Store;

/// What `erase` takes.
#[derive(Debug, Args)]
pub struct EraseArgs {
    /// The account
    pub account: String,
    /// Only the contents of the events about this item; may be given several times
    #[arg(long = "item", value_name = "ITEM")]
    pub items: Vec<String>,
    /// Only what occurred before this instant; the account's name stays
    #[arg(long, value_name = "T", value_parser = instant)]
    pub before: Option<Timestamp>,
    /// On what ground; it stays in the log for ever, so let it name nobody
    #[arg(long, value_name = "TEXT")]
    pub ground: String,
    /// Who erases; this stays in the log too [default: the login name]
    #[arg(long, value_name = "NAME")]
    pub by: Option<String>,
    /// Show what would go, and erase nothing
    #[arg(long)]
    pub dry_run: bool,
    /// Keep nothing by which these events could be told, and refused, when they are imported again
    #[arg(long)]
    pub forget: bool,
}

impl EraseArgs {
    fn target(&self) -> Target {
        let account = self.account.clone();
        match (self.items.is_empty(), self.before) {
            (false, before) => Target::Items { account, items: self.items.clone(), before },
            (true, Some(before)) => Target::Before { account, before },
            (true, None) => Target::Account { account },
        }
    }
}

#[derive(Serialize)]
struct Answer {
    /// The record's number; null of a dry run, and where there was nothing to erase.
    erasure: Option<u64>,
    account: String,
    events: u64,
    accounts: u64,
    left: &'static str,
    /// Of whole events and of those whose contents went before.
    kinds: BTreeMap<&'static str, u64>,
    first_at: Option<Timestamp>,
    last_at: Option<Timestamp>,
    pages: u64,
    bytes: u64,
    shrunk: Shrinking,
    at: Option<Timestamp>,
    dry_run: bool,
}

pub fn run(args: &EraseArgs, question: &Question, screen: &mut Screen) -> Result<Outcome, Failure> {
    let policy = question.policy()?;
    let by = eraser(args.by.as_deref(), args.dry_run)?;
    let how = Erasing { ground: &args.ground, by: &by, forget: args.forget };
    how.check().map_err(failed)?;
    let target = args.target();
    // A store that is missing is not made.
    let store = question.open()?;
    let (store, log) = match args.dry_run {
        true => (store, None),
        false => {
            drop(store);
            let log = Log::open(&question.store, Options::new(now))?;
            say_recovery(&log);
            // Behind the lock: nothing is appended between this look and the erasure.
            (question.open()?, Some(log))
        }
    };
    let planned = match &log {
        Some(log) => log.plan_erasure(std::slice::from_ref(&target)),
        None => store.plan_erasure(&target),
    };
    let plan = match planned {
        Ok(plan) => plan,
        Err(EraseError::UnknownAccount { .. }) => {
            return Err(question.no_account(&args.account, &store));
        }
        Err(EraseError::UnknownItem { item, .. }) => {
            return Err(Failure::Usage(format!(
                "item {}: no event of account {} names it; `stillthere state` lists those that are",
                escaped(&item),
                escaped(&args.account)
            )));
        }
        Err(error) => return Err(failed(error)),
    };
    let going = Going::of(&target, &store)?;
    if !plan.is_empty() {
        let held = store.history(&args.account)?;
        held.map_or(Ok(()), |history| allowed::no_hold(&history, now()))?;
        allowed::no_floor(&going.times, &policy, now())?;
    }
    let shrunk = match args.dry_run {
        true if plan.left() == Left::Leaf => {
            store.would_shrink(plan.positions(), plan.names())?.into()
        }
        _ => Shrinking::default(),
    };
    let mut answer = Answer {
        erasure: None,
        account: args.account.clone(),
        events: plan.events(),
        accounts: plan.accounts(),
        left: left_word(plan.left()),
        kinds: going.kinds.iter().map(|(kind, of)| (kind.name(), of.events)).collect(),
        first_at: going.times.iter().min().copied(),
        last_at: going.times.iter().max().copied(),
        pages: plan.pages(),
        bytes: plan.bytes(),
        shrunk,
        at: None,
        dry_run: args.dry_run,
    };
    if let Some(log) = log {
        if !plan.is_empty() {
            let Erased { number, at, events, accounts, pages, bytes } =
                log.erase(plan, &how).map_err(failed)?;
            answer = Answer {
                erasure: Some(number),
                at: Some(at),
                events,
                accounts,
                pages,
                bytes,
                ..answer
            };
        }
        // What an earlier erasure was stopped before, too.
        answer.shrunk = log.shrink().map_err(failed)?.into();
        log.close()?;
    }
    match question.json {
        true => screen.json(&answer)?,
        false => answer.show(args, &going, question, screen)?,
    }
    Ok(Outcome::Fine)
}

/// What would go, as it is still there.
struct Going {
    kinds: BTreeMap<Kind, Of>,
    /// When each occurred.
    times: Vec<Timestamp>,
}

struct Of {
    events: u64,
    first: Timestamp,
    last: Timestamp,
}

impl Going {
    /// Of the events of an account that a target is about. Those that were erased to their leaves are none.
    fn of(target: &Target, store: &Store) -> Result<Going, Failure> {
        let mut going = Going { kinds: BTreeMap::new(), times: Vec::new() };
        let is_before = |at| target.before().is_none_or(|before| at < before);
        for recorded in store.events(target.account())? {
            let event = &recorded.event;
            let is_asked = match target {
                Target::Items { items, .. } => {
                    let (scope, subject) = Scope::of(&event.payload);
                    scope == Scope::Item && items.iter().any(|item| item == subject)
                }
                Target::Account { .. } | Target::Before { .. } => true,
            };
            if is_asked && is_before(event.occurred_at) {
                going.add(event.payload.kind(), event.occurred_at);
            }
        }
        if target.left() == Left::Leaf {
            for erased in store.erased_events(target.account())? {
                if let Some(envelope) = erased.envelope.filter(|e| is_before(e.occurred_at)) {
                    going.add(envelope.kind, envelope.occurred_at);
                }
            }
        }
        Ok(going)
    }

    fn add(&mut self, kind: Kind, at: Timestamp) {
        let of = self.kinds.entry(kind).or_insert(Of { events: 0, first: at, last: at });
        of.events += 1;
        of.first = of.first.min(at);
        of.last = of.last.max(at);
        self.times.push(at);
    }
}

impl Answer {
    fn show(
        &self,
        args: &EraseArgs,
        going: &Going,
        question: &Question,
        screen: &mut Screen,
    ) -> Result<(), Failure> {
        let account = escaped(&self.account);
        if self.events == 0 && self.accounts == 0 {
            let text = question.pick(
                format!(
                    "Nothing to erase: no event of {account} that this asks for is there still."
                ),
                format!("没有可擦除的内容：{account} 已无符合条件的事件。"),
            );
            screen.line(text)?;
            return self.shrunk.show(self.dry_run, question, screen);
        }
        let events = counted(self.events, "event");
        let what = match (args.items.is_empty(), self.accounts) {
            (false, _) => question.pick(
                format!("the contents of {events} of {account}"),
                format!("{account} 的 {} 条事件的内容", count(self.events)),
            ),
            (true, 0) => question.pick(
                format!("{events} of {account}"),
                format!("{account} 的 {} 条事件", count(self.events)),
            ),
            (true, _) => question.pick(
                format!("{account}: {events}, the name and the secret"),
                format!("{account}：{} 条事件，以及名称和密钥", count(self.events)),
            ),
        };
        let heading = match self.erasure {
            Some(number) => question.pick(
                format!("Erased, as erasure {number}: {what}."),
                format!("已擦除（第 {number} 号）：{what}。"),
            ),
            None => question.pick(
                format!("Would be erased: {what}. Nothing was."),
                format!("将擦除：{what}。尚未擦除。"),
            ),
        };
        let is_done = self.erasure.is_some();
        let style = if is_done { style::GOOD } else { style::BOLD };
        paragraph(screen, 0, &Cell::styled(heading, style))?;
        let mut table = Table::new([
            Column::words(question.pick("kind", "类型")),
            Column::number(question.pick("events", "事件")),
            Column::text(question.pick("first", "最早")),
            Column::text(question.pick("last", "最晚")),
        ])
        .indented(2);
        for (kind, Of { events, first, last }) in &going.kinds {
            let cells = vec![
                kind.word(question.lang).into(),
                count(*events).into(),
                first.to_string().into(),
                last.to_string().into(),
            ];
            table.row(screen, cells)?;
        }
        table.end(screen)?;
        let left = match self.left {
            "envelope" => question.pick(
                "What is left of each: when, of what kind and by whom, and the hash of the rest.",
                "每条仍保留：时间、类型、操作者，以及其余内容的散列。",
            ),
            _ => question.pick(
                "What is left of each: its hash, its place, and the number of the account.",
                "每条仍保留：散列、位置和账号序号。",
            ),
        };
        paragraph(screen, 0, &left.into())?;
        let (pages, size) = (counted(self.pages, "page"), bytes(self.bytes));
        let text = question.pick(
            format!(
                "{size} in {pages} of the log {} written over.",
                if is_done { "were" } else { "are" }
            ),
            format!(
                "日志中 {} 页的 {size}{}被覆写。",
                count(self.pages),
                if is_done { "已" } else { "将" }
            ),
        );
        paragraph(screen, 0, &text.into())?;
        self.shrunk.show(self.dry_run, question, screen)?;
        paragraph(screen, 0, &Cell::styled(not_covered(question.lang), style::DIM))
    }
}
