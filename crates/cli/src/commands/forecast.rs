//! `forecast`: what is ahead by time alone, of an account or of all.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use clap::Args;
use event::{History, Recorded, Timestamp};
use policy::{Policy, Window};
use projection::{ForecastDate, fold, forecast_through};
use serde::Serialize;
use serde_json::json;
use verifier::ForecastRow;

use crate::args::{instant, window};
use crate::assumed::Assumed;
use crate::calendar::{Calendar, Entry};
use crate::failure::{Failure, Outcome};
use crate::output::{Partial, refuse_in_store, refuse_inputs};
use crate::question::Question;
use crate::show::ahead;
use crate::show::amount::{count, counted};
use crate::show::escape::escaped;
use crate::show::screen::{Line, Screen, json_line};
use crate::show::style;
use crate::show::table::{Cell, Table, paragraph};
use crate::show::words::Word;
use crate::store::Store;

/// What `forecast` takes.
#[derive(Debug, Args)]
pub struct ForecastArgs {
    /// The account
    #[arg(required_unless_present = "all", conflicts_with = "all")]
    pub account: Option<String>,
    /// Every account: a line a date
    #[arg(long)]
    pub all: bool,
    /// Leave out what comes after this instant [default: no end]
    #[arg(long, value_name = "T", value_parser = instant, conflicts_with = "due_within")]
    pub until: Option<Timestamp>,
    /// Leave out what comes later than within this time, such as 30d, 6mo or 1y
    #[arg(long, value_name = "WINDOW", value_parser = window)]
    pub due_within: Option<Window>,
    /// Forecast also as if the event lines of this file had happened (plain, gzip or zstd; - for
    /// standard input)
    #[arg(long, value_name = "FILE", conflicts_with = "all")]
    pub assume: Option<PathBuf>,
    /// Under this reading of the policy alone
    #[arg(long, value_name = "READING")]
    pub reading: Option<String>,
    /// Write the dates to this file as an iCalendar, - for standard output instead of the answer
    #[arg(long, value_name = "FILE", conflicts_with = "all")]
    pub ics: Option<PathBuf>,
}

pub fn run(
    args: &ForecastArgs,
    question: &Question,
    screen: &mut Screen,
) -> Result<Outcome, Failure> {
    if question.json && args.ics.as_ref().is_some_and(|path| path.as_os_str() == "-") {
        return Err(Failure::Usage(
            "--json and --ics - both want standard output; name a file for --ics".to_owned(),
        ));
    }
    let reading = args.reading.as_deref().unwrap_or("default");
    let policy = question.policy()?;
    let rules = question.policy_line(&policy, policy.version_at(question.as_of));
    let policy = read_as(policy, reading)?;
    let until = match args.due_within {
        None => args.until,
        Some(window) => window.after(question.as_of, &policy.zone),
    };
    if let Some(until) = args.until.filter(|until| *until < question.as_of) {
        return Err(Failure::Usage(format!(
            "--until {until}: is before the instant that is forecast from, {}",
            question.as_of
        )));
    }
    let asked = Asked { policy: &policy, reading, rules: &rules, until, question };
    match &args.account {
        Some(account) => asked.one(account, args, screen)?,
        None => asked.all(screen)?,
    }
    Ok(Outcome::Fine)
}

/// The policy under a reading.
fn read_as(policy: Policy, reading: &str) -> Result<Policy, Failure> {
    if reading == "default" {
        return Ok(policy);
    }
    policy.with_reading(reading).ok_or_else(|| {
        let mut there = vec!["default".to_owned()];
        there.extend(policy.readings());
        let there = there.iter().map(|id| escaped(id)).collect::<Vec<_>>().join(", ");
        let (reading, name) = (escaped(reading), escaped(&policy.name));
        Failure::Usage(format!(
            "reading {reading}: policy {name} has no such reading; it has {there}"
        ))
    })
}

/// What is asked of each account.
struct Asked<'a> {
    /// Under the reading.
    policy: &'a Policy,
    reading: &'a str,
    /// The rules as people are shown them: of the policy as it stands.
    rules: &'a str,
    until: Option<Timestamp>,
    question: &'a Question,
}

/// What was asked, and the answer.
#[derive(Serialize)]
struct Answer<'a, T> {
    account: &'a str,
    as_of: Timestamp,
    policy: &'a str,
    reading: &'a str,
    until: Option<Timestamp>,
    #[serde(flatten)]
    answer: T,
}

#[derive(Serialize)]
struct Dates<'a> {
    dates: &'a [ForecastRow],
    /// That erased events may bring others.
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    undetermined: &'a [&'a str],
}

#[derive(Serialize)]
struct Both<'a> {
    assumed: usize,
    duplicates: u64,
    before: Dates<'a>,
    after: Dates<'a>,
}

#[derive(Serialize)]
struct OfAccount<'a> {
    account: &'a str,
    #[serde(flatten)]
    row: ForecastRow,
}

impl Asked<'_> {
    fn one(&self, account: &str, args: &ForecastArgs, screen: &mut Screen) -> Result<(), Failure> {
        let question = self.question;
        let store = question.open()?;
        let history = store.history(account)?;
        let before = history.as_ref().and_then(|history| self.dates(history));
        let (before, is_open) = before.map_or((None, false), |(dates, open)| (Some(dates), open));
        let undetermined: &[&str] = if is_open { &["dates"] } else { &[] };
        let dates = |dates| Dates { dates, undetermined };
        let assumed = match &args.assume {
            Some(path) => Some(self.assume(path, account, &store)?),
            None => None,
        };
        let through = |assumed: &Assumed| {
            let Question { as_of, known_at, .. } = *question;
            let history = assumed.behind(history.as_ref(), account, as_of, known_at, store.size());
            let dates = forecast_through(&history, self.policy, as_of, self.end())?;
            Some(self.rows(&dates, &history))
        };
        let after = assumed.as_ref().and_then(through);
        if before.is_none() && after.is_none() {
            return Err(question.no_account(account, &store));
        }
        let before = before.unwrap_or_default();
        let shown = after.as_ref().unwrap_or(&before);
        let mut written = None;
        if let Some(path) = &args.ics {
            let text = self.calendar(account, shown);
            if path.as_os_str() == "-" {
                return screen.bytes(text.as_bytes());
            }
            refuse_in_store(path, &question.store)?;
            refuse_inputs(path, args.assume.as_slice(), "--ics")?;
            let mut file = Partial::create(path)?;
            file.write(text.as_bytes())?;
            written = Some(file.end()?);
        }
        match (&assumed, &after) {
            (Some(assumed), Some(after)) if question.json => screen.json(&self.answer(
                account,
                Both {
                    assumed: assumed.events.len(),
                    duplicates: assumed.duplicates,
                    before: dates(&before),
                    after: dates(after),
                },
            )),
            _ if question.json => screen.json(&self.answer(account, dates(&before))),
            (assumed, after) => {
                self.heading(account, assumed.as_ref(), screen)?;
                match after {
                    Some(after) => ahead::both(&before, after, question, screen)?,
                    None if before.is_empty() && is_open => {}
                    None => ahead::list(&before, question, screen)?,
                }
                if is_open {
                    self.say_open(1, screen)?;
                }
                written.map_or(Ok(()), |name| {
                    let n = shown.len() as u64;
                    screen.line("")?;
                    screen.line(question.pick(
                        format!("{} written to {name}.", counted(n, "date")),
                        format!("已写入 {name}：{} 个日期。", count(n)),
                    ))
                })
            }
        }
    }

    fn answer<'s, T>(&'s self, account: &'s str, answer: T) -> Answer<'s, T> {
        Answer {
            account,
            as_of: self.question.as_of,
            policy: &self.policy.name,
            reading: self.reading,
            until: self.until,
            answer,
        }
    }

    fn end(&self) -> Timestamp {
        self.until.unwrap_or(Timestamp::MAX)
    }

    /// What is ahead of an account by time alone.
    fn dates(&self, history: &History) -> Option<(Vec<ForecastRow>, bool)> {
        let Question { as_of, known_at, .. } = *self.question;
        let view = fold(history, self.policy, as_of, known_at)?;
        let is_open = view.is_open();
        Some((self.rows(&view.forecast(self.end()), history), is_open))
    }

    /// That erased events may bring other dates.
    fn say_open(&self, accounts: u64, screen: &mut Screen) -> Result<(), Failure> {
        let of = counted(accounts, "account");
        let text = self.question.pick(
            format!("Events of {of} were erased: only dates that are certain are listed."),
            format!("{} 个账号有事件已被擦除：此处只列出可以确定的日期。", count(accounts)),
        );
        paragraph(screen, 0, &Cell::styled(text, style::CARE))
    }

    fn rows(&self, dates: &[ForecastDate], history: &History) -> Vec<ForecastRow> {
        let lang = self.question.lang;
        let row = |date| ForecastRow::of(date, &history.names, self.policy, lang);
        dates.iter().map(row).collect()
    }

    fn assume(&self, path: &Path, account: &str, store: &Store) -> Result<Assumed, Failure> {
        let Question { as_of, known_at, .. } = *self.question;
        let logged = store.events(account)?;
        let is_seen =
            |logged: &Recorded| logged.event.occurred_at <= as_of && logged.recorded_at <= known_at;
        Assumed::read(path, account, &logged, is_seen)
    }

    /// The dates as an iCalendar. An entry keeps its id when its date moves, so that a later calendar
    /// takes the place of an earlier one.
    fn calendar(&self, account: &str, rows: &[ForecastRow]) -> String {
        let question = self.question;
        let mut calendar = Calendar::new(question.as_of, question.lang.name());
        let mut times = HashMap::new();
        let uid = |what: &str, stage: Option<&str>, of: Option<&str>, time: u64| {
            let parts = (&self.policy.name, self.reading, account, what, stage, of, time);
            let parts = serde_json::to_vec(&parts).expect("strings and a number are JSON");
            format!("{}@stillthere", &blake3::hash(&parts).to_hex()[..32])
        };
        for row in rows {
            let (what, stage, of) = (row.what.name(), row.stage_name(), row.of_what());
            let time: &mut u64 =
                times.entry((what, stage, of)).and_modify(|time| *time += 1).or_insert(0);
            let description = self.description(account, row);
            calendar.event(&Entry {
                uid: uid(what, stage, of, *time),
                at: row.at,
                summary: &row.says,
                description: &description,
                category: what,
            });
        }
        let nothing = ahead::nothing(question);
        calendar.end(nothing, &uid("nothing", None, None, 0))
    }

    fn description(&self, account: &str, row: &ForecastRow) -> String {
        let question = self.question;
        let (account, policy) = (escaped(account), escaped(&self.policy.name));
        let mut parts =
            vec![question.pick(format!("Account {account}"), format!("账号 {account}"))];
        if let Some(kind) = row.avoided_by {
            let kind = kind.word(question.lang);
            parts.push(question.pick(format!("avoided by: {kind}"), format!("可由此避免：{kind}")));
        }
        if let Some(clause) = &row.clause {
            let clause = escaped(clause);
            parts.push(question.pick(format!("clause {clause}"), format!("条款 {clause}")));
        }
        parts.push(question.pick(format!("policy {policy}"), format!("政策 {policy}")));
        if self.reading != "default" {
            let reading = escaped(self.reading);
            parts.push(question.pick(format!("reading {reading}"), format!("读法 {reading}")));
        }
        parts.join(" · ")
    }

    fn all(&self, screen: &mut Screen) -> Result<(), Failure> {
        let question = self.question;
        let store = question.open()?;
        question.known_at_line(screen)?;
        let lines = |history: &History| {
            let (rows, is_open) = self.dates(history)?;
            let line = |row: ForecastRow| match question.json {
                true => Line::Json(json_line(&OfAccount { account: &history.account, row })),
                false => Line::Row(ahead::row(&history.account, &row, question)),
            };
            let open = is_open.then(|| history.account.clone());
            Some((rows.into_iter().map(line).collect::<Vec<Line>>(), open))
        };
        let mut open_accounts = 0;
        let mut table = Table::new(ahead::columns(question));
        let mut shown = 0;
        store.map_accounts(lines, |(lines, open)| {
            shown += lines.len();
            lines.into_iter().try_for_each(|line| match line {
                Line::Json(line) => screen.bytes(&line),
                Line::Row(cells) => table.row(screen, cells),
            })?;
            let Some(account) = open else { return Ok(()) };
            open_accounts += 1;
            match question.json {
                true => screen.json(&json!({ "account": account, "undetermined": ["dates"] })),
                false => Ok(()),
            }
        })?;
        table.end(screen)?;
        if open_accounts > 0 && !question.json {
            self.say_open(open_accounts, screen)?;
        }
        question.erased_accounts_line(&store, screen)?;
        if shown == 0 && open_accounts == 0 && !question.json {
            screen.line(match store.size() {
                0 => question.nothing_yet(),
                _ => ahead::nothing(question),
            })?;
        }
        Ok(())
    }

    fn heading(
        &self,
        account: &str,
        assumed: Option<&Assumed>,
        screen: &mut Screen,
    ) -> Result<(), Failure> {
        let question = self.question;
        let account = escaped(account);
        let title = question.pick(
            format!("What is ahead of {account} by time alone"),
            format!("账号 {account} 此后随时间发生的变化"),
        );
        paragraph(screen, 0, &Cell::styled(title, style::BOLD))?;
        let as_of = question.as_of;
        let mut facts = vec![question.pick(format!("as of {as_of}"), format!("截至 {as_of}"))];
        facts.extend(question.asked_known_at.map(|known_at| {
            question.pick(format!("known at {known_at}"), format!("已知截至 {known_at}"))
        }));
        facts.extend(
            self.until.map(|until| question.pick(format!("until {until}"), format!("至 {until}"))),
        );
        facts.extend(assumed.map(|assumed| {
            let n = assumed.events.len() as u64;
            let events = counted(n, "event");
            let known = match assumed.duplicates {
                0 => Default::default(),
                1 => (" (1 line was there already)".to_owned(), "（1 行已有）".to_owned()),
                n => (format!(" ({n} lines were there already)"), format!("（{n} 行已有）")),
            };
            question.pick(
                format!("{events} assumed{}", known.0),
                format!("假设 {} 条事件{}", count(n), known.1),
            )
        }));
        let rules = self.rules;
        facts.push(question.pick(format!("policy {rules}"), format!("政策 {rules}")));
        if self.reading != "default" {
            let reading = escaped(self.reading);
            facts.push(question.pick(format!("reading {reading}"), format!("读法 {reading}")));
        }
        paragraph(screen, 0, &Cell::styled(facts.join(" · "), style::DIM))?;
        screen.line("")
    }
}
