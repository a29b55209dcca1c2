//! What became of the lines: said, counted, and kept where they were rejected.

use std::collections::BTreeMap;
use std::io::Write;
use std::time::Duration;

use event::LineError;
use event::limits::LINE_BYTES;
use eventlog::Outcome as Appended;
use serde::Serialize;
use sources::Place;

use super::parcel::{Beside, Line};
use super::rejects::Rejects;
use crate::failure::Failure;
use crate::question::Question;
use crate::show::amount::{count, counted};
use crate::show::escape::escaped;
use crate::show::progress::Progress;
use crate::show::screen::Screen;

/// So many names of what was skipped are said.
const SKIPPED_SAID: usize = 5;

/// Answers for lines.
pub struct Answers<'a> {
    pub progress: &'a Progress,
    pub rejects: Option<Rejects>,
    /// Where to say what is durable, until nobody listens.
    pub acks: Option<&'a mut Screen>,
    pub tally: Tally,
    pub skipped: BTreeMap<String, u64>,
}

impl<'a> Answers<'a> {
    pub fn new(
        progress: &'a Progress,
        rejects: Option<Rejects>,
        acks: Option<&'a mut Screen>,
    ) -> Answers<'a> {
        Answers { progress, rejects, acks, tally: Tally::default(), skipped: BTreeMap::new() }
    }

    /// Answers for lines of the input called `name`. Each that is an event has an outcome.
    pub fn lines(
        &mut self,
        name: &str,
        text: &[u8],
        lines: Vec<Line>,
        outcomes: Vec<Appended>,
    ) -> Result<(), Failure> {
        let mut outcomes = outcomes.into_iter();
        let mut said = Vec::new();
        let mut kept = None;
        for Line { place, text: range, error, id } in lines {
            self.tally.read += 1;
            let error = match error {
                Some(error) => error,
                None => match outcomes.next().expect("an outcome an event") {
                    Appended::Appended { .. } => {
                        self.tally.appended += 1;
                        continue;
                    }
                    Appended::Duplicate { .. } => {
                        self.tally.duplicates += 1;
                        continue;
                    }
                    Appended::Conflict { position } => conflict(id, &text[range.clone()], position),
                    Appended::Erased => erased(id, &text[range.clone()]),
                },
            };
            self.tally.rejected += 1;
            let _ = writeln!(said, "{name}:{place}: {error}");
            // Several things of a record may be rejected: it is kept once.
            if let Some(rejects) = &mut self.rejects
                && kept.replace((place, range.clone())) != Some((place, range.clone()))
            {
                rejects.write(&text[range])?;
                rejects.write(b"\n")?;
            }
        }
        if !said.is_empty() {
            self.progress.write(&said);
        }
        Ok(())
    }

    /// Takes what is said beside the lines. An input that is broken, and a log that failed, are failures.
    pub fn beside(&mut self, beside: Beside, names: &[String]) -> Result<(), Failure> {
        match beside {
            Beside::Head(head) => {
                if let Some(rejects) = &mut self.rejects {
                    rejects.head(head);
                }
                Ok(())
            }
            Beside::Skipped(skipped) => {
                for (what, times) in skipped {
                    self.tally.read += times;
                    *self.tally.skipped.get_or_insert(0) += times;
                    *self.skipped.entry(what).or_default() += times;
                }
                Ok(())
            }
            Beside::LongPiece(piece) => match &mut self.rejects {
                Some(rejects) => rejects.write(&piece),
                None => Ok(()),
            },
            Beside::LongEnd { input, place, bytes } => self.long(&names[input], place, bytes),
            Beside::Broken(failure) | Beside::Failed(failure) => Err(failure),
        }
    }

    /// Answers for a line that is too long.
    pub fn long(&mut self, name: &str, place: Place, bytes: u64) -> Result<(), Failure> {
        self.tally.read += 1;
        self.tally.rejected += 1;
        let reason = format!("must be at most {LINE_BYTES} bytes long, found {bytes}");
        self.progress.write(format!("{name}:{place}: line: {reason}\n").as_bytes());
        match &mut self.rejects {
            Some(rejects) => rejects.write(b"\n"),
            None => Ok(()),
        }
    }

    /// Says how many events are durable. Whoever stops listening does not stop the import.
    pub fn acknowledge(&mut self, size: u64) {
        if let Some(screen) = &mut self.acks
            && (screen.line(format_args!("{{\"durable\": {size}}}")).is_err()
                || screen.flush().is_err())
        {
            self.acks = None;
        }
    }

    /// What was skipped most, by its name in the source.
    pub fn skipped_names(&self) -> String {
        let mut names: Vec<(&String, &u64)> = self.skipped.iter().collect();
        names.sort_by_key(|(name, times)| (std::cmp::Reverse(**times), (*name).clone()));
        let more = if names.len() > SKIPPED_SAID { ", …" } else { "" };
        let named =
            |(name, times): &(&String, &u64)| format!("{} {}", escaped(name), count(**times));
        let said: Vec<String> = names.iter().take(SKIPPED_SAID).map(named).collect();
        format!("{}{more}", said.join(", "))
    }
}

fn conflict(id: Option<String>, line: &[u8], position: u64) -> LineError {
    let id = shown(id, line);
    LineError::new("id", format!("`{id}` is already at position {position} with other content"))
}

fn erased(id: Option<String>, line: &[u8]) -> LineError {
    let id = shown(id, line);
    LineError::new("id", format!("`{id}` was erased; --readmit takes it in again"))
}

fn shown(id: Option<String>, line: &[u8]) -> String {
    let id = id.or_else(|| Some(event::borrow_line(line).ok()?.id.into_owned()));
    escaped(&id.unwrap_or_default()).to_string()
}

/// What became of the lines.
#[derive(Debug, Default, Serialize)]
pub struct Tally {
    /// Lines that were not blank, or things that records told of.
    pub read: u64,
    pub appended: u64,
    pub duplicates: u64,
    pub rejected: u64,
    /// What was no event by the format's table; of event lines nothing can be.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub skipped: Option<u64>,
    /// Events in the log.
    pub size: u64,
}

impl Tally {
    pub fn sentence(&self, elapsed: Duration, skipped_names: &str, question: &Question) -> String {
        let took = elapsed.as_secs_f64();
        let seconds = format!("{took:.2}");
        let [appended, rejected] = [self.appended, self.rejected].map(count);
        // Of a short run it says more of the start than of the import.
        let rate = (took >= 1.0).then(|| count((self.read as f64 / took) as u64));
        let (en_rate, zh_rate) = rate.map_or_else(Default::default, |rate| {
            (format!(" ({rate} a second)"), format!("（每秒 {rate} 行）"))
        });
        let skipped = self.skipped.map(|skipped| {
            let names = if skipped > 0 { format!(" ({skipped_names})") } else { String::new() };
            (
                format!(", {} skipped{names}", count(skipped)),
                format!("，跳过 {}{names}", count(skipped)),
            )
        });
        let (en_skipped, zh_skipped) = skipped.unwrap_or_default();
        question.pick(
            format!(
                "{} read in {seconds} s{en_rate}: {appended} appended, {}, {rejected} \
                 rejected{en_skipped}. The log holds {}.",
                counted(self.read, if self.skipped.is_some() { "record" } else { "line" }),
                counted(self.duplicates, "duplicate"),
                counted(self.size, "event")
            ),
            format!(
                "读取 {} {}，用时 {seconds} 秒{zh_rate}：新增 {appended}，重复 {}，拒绝 \
                 {rejected}{zh_skipped}。日志现有 {} 条事件。",
                count(self.read),
                if self.skipped.is_some() { "条记录" } else { "行" },
                count(self.duplicates),
                count(self.size)
            ),
        )
    }
}
