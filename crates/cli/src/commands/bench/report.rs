//! What a benchmark came to: a table for people, an object for scripts.

use event::Timestamp;
use serde_json::{Value, json};

use super::machine::Machine;
use super::measure::{Rounds, Row, Unit};
use super::place::bytes_under;
use super::{Bench, Work};
use crate::failure::Failure;
use crate::question::Question;
use crate::show::amount;
use crate::show::screen::Screen;
use crate::show::style;
use crate::show::table::{Cell, Column, Table};

/// All that is said.
pub struct Report<'a> {
    pub bench: &'a Bench<'a>,
    pub machine: &'a Machine,
    pub rows: &'a [Row],
    pub began: Timestamp,
}

impl Report<'_> {
    pub fn json(&self) -> Value {
        let Bench { args, place, peers, answers, .. } = self.bench;
        let works: Vec<Value> = self.rows.iter().map(Row::json).collect();
        json!({
            "version": env!("CARGO_PKG_VERSION"),
            "command": command(),
            "date": self.began,
            "machine": self.machine.json(),
            "events": args.events, "accounts": args.accounts, "seed": args.seed,
            "rounds": args.rounds,
            "event_lines_bytes": place.events().metadata().map_or(0, |metadata| metadata.len()),
            "log_bytes": bytes_under(&place.store().join("log")),
            "derived_bytes": bytes_under(&place.store().join("derived")),
            "peers": peers.json(),
            "answers": answers.json(),
            "works": works,
        })
    }

    /// When, where and of how much, in a line.
    pub fn caption(&self, question: &Question) -> String {
        let args = self.bench.args;
        let (events, accounts) = (amount::count(args.events), amount::count(args.accounts));
        let (rounds, date, machine) =
            (args.rounds, &self.began.to_string()[..10], self.machine.said());
        question.pick(
            format!("{events} events, {accounts} accounts, {rounds} rounds, {date}; {machine}"),
            format!("{events} 条事件，{accounts} 个账号，{rounds} 轮，{date}；{machine}"),
        )
    }

    pub fn table(&self, question: &Question, screen: &mut Screen) -> Result<(), Failure> {
        screen.line(self.caption(question))?;
        let peers = self.bench.peers.said();
        if !peers.is_empty() {
            screen.line(peers)?;
        }
        screen.line("")?;
        let mut table = Table::new([
            Column::long(question.pick("work", "工作")),
            Column::text(question.pick("median (min–max)", "中位数（最小–最大）")),
            Column::number(question.pick("memory", "内存")),
            Column::number(question.pick("ratio", "倍数")),
        ]);
        for row in self.rows {
            let unit = row.work.unit();
            let (en, zh) = row.work.title();
            table.row(
                screen,
                vec![
                    Cell::styled(question.pick(en, zh), style::BOLD),
                    spread(&row.ours, unit).into(),
                    memory(&row.ours),
                    "".into(),
                ],
            )?;
            for (name, theirs) in &row.against {
                let ratio = row.ratio(theirs);
                let style = if ratio < 1.0 { style::CARE } else { style::GOOD };
                let cells = vec![
                    format!("· {name}").into(),
                    spread(theirs, unit).into(),
                    memory(theirs),
                    Cell::styled(format!("{} ×", three_digits(ratio)), style),
                ];
                table.row(screen, cells)?;
            }
        }
        table.end(screen)?;
        screen.line("")?;
        screen.line(question.pick(
            "ratio: how many times as fast ours is as what it is held against, or as small.",
            "倍数：我们的速度是对照的多少倍；体积则是小多少倍。",
        ))?;
        self.disk(question, screen)?;
        self.read(question, screen)?;
        self.answers(question, screen)?;
        for row in self.rows {
            for failed in &row.failed {
                screen.line(format!("{}: {failed}", row.work.name()))?;
            }
        }
        for missing in self.bench.peers.missing() {
            let text = question.pick(format!("left out: {missing}"), format!("未参与：{missing}"));
            screen.line(text)?;
        }
        Ok(())
    }

    /// What of the bytes is the log.
    fn disk(&self, question: &Question, screen: &mut Screen) -> Result<(), Failure> {
        let an_event = |folder: &str| {
            let bytes = bytes_under(&self.bench.place.store().join(folder));
            three_digits(bytes as f64 / self.bench.args.events as f64)
        };
        if self.rows.iter().all(|row| row.work != Work::Size) {
            return Ok(());
        }
        let (log, derived) = (an_event("log"), an_event("derived"));
        screen.line(question.pick(
            format!("on disk an event: log {log} B, derived files {derived} B"),
            format!("每条事件占用磁盘：日志 {log} B，派生文件 {derived} B"),
        ))
    }

    /// What was read, where that was counted.
    fn read(&self, question: &Question, screen: &mut Screen) -> Result<(), Failure> {
        for row in self.rows {
            let Some(ours) = row.ours.read_bytes() else { continue };
            let theirs = row.against.iter().filter_map(|(name, rounds)| {
                Some(format!("{}, {name}", amount::bytes(rounds.read_bytes()?)))
            });
            let read = std::iter::once(amount::bytes(ours)).chain(theirs);
            let read = read.collect::<Vec<_>>().join("; ");
            let name = row.work.name();
            screen.line(question.pick(
                format!("{name}: bytes read: {read}"),
                format!("{name}：读取的字节：{read}"),
            ))?;
        }
        Ok(())
    }

    /// Whether all gave the same answers.
    fn answers(&self, question: &Question, screen: &mut Screen) -> Result<(), Failure> {
        for (name, difference) in self.bench.answers.compared() {
            let text = match difference {
                None => {
                    question.pick(format!("{name}: the same answers"), format!("{name}：结果相同"))
                }
                Some(difference) => question.pick(
                    format!("{name}: OTHER ANSWERS: {difference}"),
                    format!("{name}：结果不同：{difference}"),
                ),
            };
            screen.line(text)?;
        }
        Ok(())
    }
}

/// The command line, as far as it says what was measured.
fn command() -> String {
    let arguments = std::env::args().skip(1);
    std::iter::once("stillthere".to_owned()).chain(arguments).collect::<Vec<_>>().join(" ")
}

fn memory(rounds: &Rounds) -> Cell {
    Cell::or_dash(rounds.peak_bytes().map(amount::bytes))
}

/// `412 ms (401–450)`
fn spread(rounds: &Rounds, unit: Unit) -> String {
    let median = rounds.median();
    let (unit, size) = match unit {
        Unit::BytesPerEvent => ("B", 1.0),
        Unit::Bytes if median < 10_240.0 => ("B", 1.0),
        Unit::Bytes if median < 10_240.0 * 1024.0 => ("KiB", 1024.0),
        Unit::Bytes => ("MiB", 1024.0 * 1024.0),
        _ if median >= 1.0 => ("s", 1.0),
        _ if median >= 1e-3 => ("ms", 1e-3),
        _ if median >= 1e-6 => ("µs", 1e-6),
        _ => ("ns", 1e-9),
    };
    let [least, median, most] =
        [rounds.min(), median, rounds.max()].map(|amount| three_digits(amount / size));
    match least == most {
        true => format!("{median} {unit}"),
        false => format!("{median} {unit} ({least}–{most})"),
    }
}

/// To two digits behind the point or three in all, and all of those before the point.
pub fn three_digits(number: f64) -> String {
    let digits = match number {
        n if n < 0.1 => 3,
        n if n < 9.995 => 2,
        n if n < 99.95 => 1,
        _ => 0,
    };
    format!("{number:.digits$}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn three_digits_are_enough() {
        for (number, expected) in [
            (0.012_34, "0.012"),
            (0.123_4, "0.12"),
            (1.0, "1.00"),
            (9.999, "10.0"),
            (99.96, "100"),
            (4321.4, "4321"),
        ] {
            assert_eq!(three_digits(number), expected);
        }
    }
}
