//! `retain`: erases what the records policy says is kept no longer, in bounded batches.
//!
//! Which accounts and up to which instant is found in one pass over all, and listed; then each batch is planned and
//! erased by itself. What was stopped goes on with the same command: what is erased already is not due any more.

use std::sync::atomic::Ordering;

use clap::Args;
use commitment::Ranges;
use event::{History, Timestamp};
use eventlog::{Erasing, Log, Options, Target};
use policy::{Policy, Window};
use serde::Serialize;

use super::erase::allowed::holds;
use super::erase::outcome::{Shrinking, eraser, failed, not_covered};
use super::import::{catch_interrupts, say_recovery};
use crate::failure::{Failure, Outcome};
use crate::question::{Question, now};
use crate::show::amount::{bytes, count, counted};
use crate::show::escape::escaped;
use crate::show::progress::Progress;
use crate::show::screen::Screen;
use crate::show::style;
use crate::show::table::{Cell, Column, Table, paragraph};
use crate::store::Store;

/// Events of a batch at most.
const BATCH: u64 = 100_000;

/// What `retain` takes, beside the policy and the instant.
#[derive(Debug, Args)]
pub struct RetainArgs {
    /// On what ground [default: that the policy keeps records so long]
    #[arg(long, value_name = "TEXT")]
    pub ground: Option<String>,
    /// Who erases; this stays in the log [default: the login name]
    #[arg(long, value_name = "NAME")]
    pub by: Option<String>,
    /// List what is due, and erase nothing
    #[arg(long)]
    pub dry_run: bool,
    /// Keep nothing by which these events could be told, and refused, when they are imported again
    #[arg(long)]
    pub forget: bool,
}

/// An account with events that are due.
#[derive(Serialize)]
struct Due {
    account: String,
    /// How many are.
    events: u64,
    /// Of how many that are not erased to their leaves.
    of: u64,
    first_at: Timestamp,
    last_at: Timestamp,
    /// The holds that stand: then nothing of it is erased.
    holds: Vec<String>,
    /// Where it is parted so that each part is a batch at most: what occurred before each instant.
    #[serde(skip)]
    parts: Vec<(Timestamp, u64)>,
    /// Where they are; of a dry run alone.
    #[serde(skip)]
    positions: Vec<u64>,
}

#[derive(Serialize)]
struct Answer {
    as_of: Timestamp,
    policy: String,
    keep: Window,
    /// What occurred before then is due; null: nothing is.
    before: Option<Timestamp>,
    /// Due, and not under a hold.
    events: u64,
    accounts: u64,
    /// Accounts that are due and under a hold.
    held: u64,
    /// The numbers of the records.
    erasures: Vec<u64>,
    /// Events that were erased.
    erased: u64,
    pages: u64,
    bytes: u64,
    shrunk: Shrinking,
    dry_run: bool,
}

pub fn run(
    args: &RetainArgs,
    question: &Question,
    screen: &mut Screen,
) -> Result<Outcome, Failure> {
    let usage = |text: &str| Failure::Usage(text.to_owned());
    if !question.is_policy_asked {
        return Err(usage("by which policy? give one that says `records.keep` with --policy"));
    }
    let as_of = question.asked_as_of;
    let as_of = as_of.ok_or_else(|| usage("as of when? give the instant with --as-of"))?;
    if as_of > now() && !args.dry_run {
        return Err(usage(
            "--as-of lies ahead, and what is not due yet is not erased; --dry-run lists it",
        ));
    }
    let policy = question.policy()?;
    let version = policy.version_at(as_of);
    let by = eraser(args.by.as_deref(), args.dry_run)?;
    let ground = args.ground.clone().unwrap_or_else(|| {
        format!(
            "retention: {}, version {}, keeps records for {}; as of {as_of}",
            policy.name, version.id, version.keep
        )
    });
    let how = Erasing { ground: &ground, by: &by, forget: args.forget };
    how.check().map_err(failed)?;
    let before = version.due_before(as_of, &policy.zone);
    // A store that is missing is not made.
    drop(question.open()?);
    // Locked first: nothing is appended between the look and the erasure.
    let log = match args.dry_run {
        true => None,
        false => Some(Log::open(&question.store, Options::new(now))?),
    };
    log.iter().for_each(say_recovery);
    let due =
        before.map_or(Ok(Vec::new()), |before| all_due(&question.open()?, before, args.dry_run))?;
    list(&due, question, screen)?;
    screen.flush()?;

    let (free, held): (Vec<&Due>, Vec<&Due>) = due.iter().partition(|due| due.holds.is_empty());
    let mut answer = Answer {
        as_of,
        policy: policy.name.clone(),
        keep: version.keep,
        before,
        events: free.iter().map(|due| due.events).sum(),
        accounts: free.len() as u64,
        held: held.len() as u64,
        erasures: Vec::new(),
        erased: 0,
        pages: 0,
        bytes: 0,
        shrunk: Shrinking::default(),
        dry_run: args.dry_run,
    };
    let is_whole = match log {
        None => {
            let mut positions: Vec<u64> =
                free.iter().flat_map(|due| due.positions.iter().copied()).collect();
            positions.sort_unstable();
            let (events, names) = (positions.into_iter().collect(), Ranges::default());
            answer.shrunk = question.open()?.would_shrink(&events, &names)?.into();
            true
        }
        Some(log) => {
            let is_whole = erase(&free, &how, &log, &mut answer)?;
            if is_whole {
                answer.shrunk = log.shrink().map_err(failed)?.into();
            }
            log.close()?;
            is_whole
        }
    };
    match question.json {
        true => screen.json(&answer)?,
        false => answer.show(&free, &policy, question, screen)?,
    }
    match is_whole {
        true => Ok(Outcome::Fine),
        false => Err(Failure::Interrupted(format!(
            "interrupted after {}, which are erased; run the same command again to go on",
            counted(answer.erased, "event")
        ))),
    }
}

/// The accounts with an event that occurred before an instant, by name; and where these are, if that is asked for.
fn all_due(store: &Store, before: Timestamp, is_placed: bool) -> Result<Vec<Due>, Failure> {
    let (mut all, now) = (Vec::new(), now());
    store.map_accounts(
        |history| {
            let mut due = due(history, before, now)?;
            let steps = history.steps.iter().filter(|_| is_placed).take(due.events as usize);
            due.positions = steps.map(|step| step.position).collect();
            Some(due)
        },
        |due: Due| {
            all.push(due);
            Ok(())
        },
    )?;
    Ok(all)
}

fn due(history: &History, before: Timestamp, now: Timestamp) -> Option<Due> {
    let times: Vec<Timestamp> = history.steps.iter().map(|step| step.occurred_at).collect();
    let due = &times[..times.partition_point(|at| *at < before)];
    let (first_at, last_at) = (*due.first()?, *due.last()?);
    Some(Due {
        account: history.account.clone(),
        events: due.len() as u64,
        of: times.len() as u64,
        first_at,
        last_at,
        holds: holds(history, now).into_iter().map(str::to_owned).collect(),
        parts: parts(due, before, BATCH as usize),
        positions: Vec::new(),
    })
}

/// Parts events by when they occurred, rising: instants, and how many occurred before each and not before the one
/// before it. No part has more than `most`, but where more occurred at one instant.
fn parts(times: &[Timestamp], before: Timestamp, most: usize) -> Vec<(Timestamp, u64)> {
    let mut parts = Vec::new();
    let mut rest = times;
    while rest.len() > most {
        let begins = rest.partition_point(|at| *at < rest[most]);
        // All of them at one instant cannot be parted.
        let end = if begins > 0 { begins } else { rest.partition_point(|at| *at <= rest[0]) };
        let Some(next) = rest.get(end) else { break };
        parts.push((*next, end as u64));
        rest = &rest[end..];
    }
    parts.push((before, rest.len() as u64));
    parts
}

/// Erases, a batch after the other. False if it was interrupted.
fn erase(due: &[&Due], how: &Erasing<'_>, log: &Log, answer: &mut Answer) -> Result<bool, Failure> {
    let interrupted = catch_interrupts();
    let progress = Progress::of_things(answer.events);
    let (mut batch, mut events) = (Vec::new(), 0);
    let mut whole = |batch: &mut Vec<Target>, events: &mut u64| {
        if batch.is_empty() {
            return Ok(());
        }
        let plan = log.plan_erasure(batch).map_err(failed)?;
        if !plan.is_empty() {
            let erased = log.erase(plan, how).map_err(failed)?;
            answer.erasures.push(erased.number);
            answer.erased += erased.events;
            answer.pages += erased.pages;
            answer.bytes += erased.bytes;
        }
        progress.more(*events);
        batch.clear();
        *events = 0;
        Ok::<_, Failure>(())
    };
    let mut is_whole = true;
    'all: for due in due {
        for (before, more) in &due.parts {
            // What one record takes of an account is taken at once.
            let is_same = batch.last().is_some_and(|last: &Target| last.account() == due.account);
            if events + more > BATCH || is_same {
                whole(&mut batch, &mut events)?;
                if interrupted.load(Ordering::Relaxed) {
                    is_whole = false;
                    break 'all;
                }
            }
            batch.push(Target::Before { account: due.account.clone(), before: *before });
            events += more;
        }
    }
    if is_whole {
        whole(&mut batch, &mut events)?;
    }
    progress.end();
    Ok(is_whole)
}

fn list(due: &[Due], question: &Question, screen: &mut Screen) -> Result<(), Failure> {
    let mut table = Table::new([
        Column::long(question.pick("account", "账号")),
        Column::number(question.pick("due", "到期")),
        Column::number(question.pick("of", "共有")),
        Column::text(question.pick("first (UTC)", "最早（UTC）")),
        Column::text(question.pick("last (UTC)", "最晚（UTC）")),
        Column::long(question.pick("left out: holds", "因保全跳过")),
    ]);
    for due in due {
        if question.json {
            screen.json(due)?;
            continue;
        }
        let day = |at: Timestamp| at.to_string()[..10].to_owned();
        let holds = (!due.holds.is_empty()).then(|| due.holds.join(", "));
        let cells = vec![
            (&due.account).into(),
            count(due.events).into(),
            count(due.of).into(),
            day(due.first_at).into(),
            day(due.last_at).into(),
            Cell::or_dash(holds),
        ];
        table.row(screen, cells)?;
    }
    table.end(screen)
}

impl Answer {
    fn show(
        &self,
        free: &[&Due],
        policy: &Policy,
        question: &Question,
        screen: &mut Screen,
    ) -> Result<(), Failure> {
        let Some(before) = self.before else {
            let name = escaped(&policy.name);
            return screen.line(match self.keep {
                Window::Never => question.pick(
                    format!("{name} does not say how long records are kept, so nothing is due."),
                    format!("{name} 未规定记录保留期限，没有到期内容。"),
                ),
                _ => question.pick("Nothing is due.", "没有到期内容。").to_owned(),
            });
        };
        if free.is_empty() && self.held == 0 {
            let text = question.pick(
                format!("Nothing is due: no event that occurred before {before} is there still."),
                format!("没有到期内容：{before} 之前的事件均已不在。"),
            );
            screen.line(text)?;
            return self.shrunk.show(self.dry_run, question, screen);
        }
        let (of, by) = (counted(self.events, "event"), counted(self.accounts, "account"));
        let (zh_of, zh_by) = (count(self.events), count(self.accounts));
        let heading = match self.dry_run {
            true => question.pick(
                format!("Due: {of} of {by}, which occurred before {before}. Nothing was erased."),
                format!("到期：{zh_by} 个账号在 {before} 之前的 {zh_of} 条事件。尚未擦除。"),
            ),
            false => question.pick(
                format!(
                    "Erased: {} of {by}, which occurred before {before}, under {}.",
                    counted(self.erased, "event"),
                    counted(self.erasures.len() as u64, "record")
                ),
                format!(
                    "已擦除：{zh_by} 个账号在 {before} 之前的 {} 条事件，记录 {} 条。",
                    count(self.erased),
                    self.erasures.len()
                ),
            ),
        };
        let style = if self.dry_run { style::BOLD } else { style::GOOD };
        paragraph(screen, 0, &Cell::styled(heading, style))?;
        if self.held > 0 {
            let text = question.pick(
                format!("Left out because a hold stands: {}.", counted(self.held, "account")),
                format!("因保全跳过：{} 个账号。", count(self.held)),
            );
            paragraph(screen, 0, &Cell::styled(text, style::CARE))?;
        }
        let nothing_else = free.iter().filter(|due| due.events == due.of).count() as u64;
        if nothing_else > 0 {
            let text = question.pick(
                format!(
                    "Nothing else is left of {}; the name stays until `stillthere erase ACCOUNT`.",
                    counted(nothing_else, "account")
                ),
                format!(
                    "其中 {} 个账号再无其他事件；名称仍在，可用 `stillthere erase ACCOUNT` 擦除。",
                    count(nothing_else)
                ),
            );
            paragraph(screen, 0, &text.into())?;
        }
        if !self.dry_run {
            let (pages, size) = (counted(self.pages, "page"), bytes(self.bytes));
            let text = question.pick(
                format!("{size} in {pages} of the log were written over."),
                format!("日志中 {} 页的 {size} 已被覆写。", count(self.pages)),
            );
            paragraph(screen, 0, &text.into())?;
        }
        self.shrunk.show(self.dry_run, question, screen)?;
        paragraph(screen, 0, &Cell::styled(not_covered(question.lang), style::DIM))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_part_is_too_large_unless_it_is_one_instant() {
        let times = |ms: &[i64]| -> Vec<Timestamp> {
            ms.iter().map(|ms| Timestamp::from_ms(*ms).expect("a time")).collect()
        };
        let parted = |ms: &[i64]| -> Vec<(i64, u64)> {
            let before = Timestamp::from_ms(100).expect("a time");
            parts(&times(ms), before, 3).into_iter().map(|(at, n)| (at.ms(), n)).collect()
        };
        assert_eq!(parted(&[1, 2, 3]), [(100, 3)]);
        assert_eq!(parted(&[1, 2, 3, 4]), [(4, 3), (100, 1)]);
        assert_eq!(parted(&[1, 2, 3, 3]), [(3, 2), (100, 2)]);
        assert_eq!(parted(&[1, 1, 1, 1, 2]), [(2, 4), (100, 1)]);
        assert_eq!(parted(&[1, 1, 1, 1]), [(100, 4)]);
        assert_eq!(parted(&[1, 2, 3, 4, 5, 6, 7]), [(4, 3), (7, 3), (100, 1)]);
    }
}
