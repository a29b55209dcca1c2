//! `sweep`: what a population comes to under many values of one parameter of the policy.

mod chart;
mod metric;
mod range;

use std::path::{Path, PathBuf};

use clap::Args;
use event::{History, Timestamp};
use policy::{Policy, PolicyHash};
use projection::{Sweep, Tally};
use serde::ser::{Serialize, SerializeMap, Serializer};

use self::metric::Metric;
use self::range::{MOST_POINTS, Range, Spacing};
use crate::failure::{Failure, Outcome};
use crate::output::{Partial, refuse_in_store};
use crate::question::Question;
use crate::show::amount::{self, counted};
use crate::show::escape::escaped_path;
use crate::show::screen::Screen;
use crate::show::style;
use crate::show::table::{Cell, Column, Table, paragraph};

/// What `sweep` takes.
#[derive(Debug, Args)]
pub struct SweepArgs {
    /// What to move, and from where to where, such as tiers.standard.trash=7d..180d
    #[arg(long, value_name = "KEY=FROM..TO")]
    pub param: String,
    /// What to count [default: trashed,expired,restored-too-late,breaches,bytes-held]
    #[arg(long, value_name = "METRIC,…", value_delimiter = ',')]
    pub metric: Vec<String>,
    /// How many values to try, evenly apart
    #[arg(long, value_name = "N", default_value_t = 50, value_parser = clap::value_parser!(u64).range(1..=MOST_POINTS))]
    pub points: u64,
    /// Or how far they are apart, such as 7d
    #[arg(long, value_name = "AMOUNT", conflicts_with = "points")]
    pub step: Option<String>,
    /// Move it in this version of the policy alone
    #[arg(long, value_name = "ID")]
    pub version: Option<String>,
    /// Draw the curves to this file
    #[arg(long, value_name = "FILE.svg")]
    pub svg: Option<PathBuf>,
    /// Write the table to this file as comma-separated values
    #[arg(long, value_name = "FILE")]
    pub csv: Option<PathBuf>,
}

/// Counted where nothing else is asked for.
const USUAL: [&str; 5] = ["trashed", "expired", "restored-too-late", "breaches", "bytes-held"];

/// What was asked, and what came of it.
struct Swept<'a> {
    policy: &'a Policy,
    range: &'a Range,
    version: Option<&'a str>,
    metrics: &'a [Metric],
    tallies: Vec<Tally>,
    /// How often an account was folded.
    folds: u64,
}

pub fn run(args: &SweepArgs, question: &Question, screen: &mut Screen) -> Result<Outcome, Failure> {
    let policy = question.policy()?;
    let spacing = args.step.as_deref().map_or(Spacing::Points(args.points), Spacing::Step);
    let range = Range::read(&args.param, spacing).map_err(Failure::Usage)?;
    let metrics = metrics(&args.metric)?;
    let version = args.version.as_deref();
    let point = |value: &u64| {
        let moved = policy.with_parameter(&range.parameter, version, range.amount(*value));
        moved.map_err(|error| Failure::Usage(format!("--param {:?}: {error}", args.param)))
    };
    let points = range.values.iter().map(point).collect::<Result<Vec<Policy>, Failure>>()?;
    let store = question.open()?;
    let files = [&args.svg, &args.csv];
    for path in files.into_iter().flatten() {
        refuse_in_store(path, &question.store)?;
    }
    let [svg, csv] = files.map(|path| path.as_deref().map(Partial::create).transpose());
    let (svg, csv) = (svg?, csv?);

    let sweep = Sweep::new(&points, &range.parameter, question.as_of, question.known_at);
    let mut tallies = vec![Tally::default(); points.len()];
    let mut folds = 0;
    store.gather_accounts(
        |part: &mut (Vec<Tally>, u64), history: &History| {
            part.0.resize(points.len(), Tally::default());
            part.1 += sweep.add(history, &mut part.0);
        },
        |part| {
            tallies.iter_mut().zip(&part.0).for_each(|(all, part)| all.add(part));
            folds += part.1;
            Ok(())
        },
    )?;
    let swept =
        Swept { policy: &policy, range: &range, version, metrics: &metrics, tallies, folds };
    let mut written = Vec::new();
    if let Some(file) = svg {
        written.push(write(file, chart::draw(&swept, question).as_bytes())?);
    }
    if let Some(file) = csv {
        written.push(write(file, &swept.csv())?);
    }
    if question.json {
        screen.json(&swept.json(question))?;
        return Ok(Outcome::Fine);
    }
    swept.show(question, &question.store, screen)?;
    question.erased_accounts_line(&store, screen)?;
    for name in written {
        screen.line(question.pick(format!("{name} is written."), format!("已写入 {name}。")))?;
    }
    Ok(Outcome::Fine)
}

fn metrics(asked: &[String]) -> Result<Vec<Metric>, Failure> {
    let usual = USUAL.map(str::to_owned);
    let asked = if asked.is_empty() { &usual[..] } else { asked };
    let mut metrics = Vec::new();
    for name in asked {
        let metric = Metric::read(name).map_err(Failure::Usage)?;
        if metrics.contains(&metric) {
            return Err(Failure::Usage(format!("--metric: {name:?} is asked for twice")));
        }
        metrics.push(metric);
    }
    Ok(metrics)
}

fn write(mut file: Partial, bytes: &[u8]) -> Result<String, Failure> {
    file.write(bytes)?;
    file.end()
}

/// The fields of docs/population.md.
#[derive(serde::Serialize)]
struct SweptShown<'a> {
    policy: &'a str,
    policy_hash: PolicyHash,
    as_of: Timestamp,
    parameter: String,
    version: Option<&'a str>,
    accounts: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    undetermined: Option<u64>,
    folds: u64,
    metrics: Vec<&'static str>,
    points: Vec<Point<'a>>,
}

/// A value, with a number a metric: bytes of a population may be more than a `u64` holds.
struct Point<'a> {
    value: String,
    tally: &'a Tally,
    metrics: &'a [Metric],
}

impl Serialize for Point<'_> {
    fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        let mut point = s.serialize_map(Some(1 + self.metrics.len()))?;
        point.serialize_entry("value", &self.value)?;
        for metric in self.metrics {
            point.serialize_entry(metric.name(), &metric.of(self.tally))?;
        }
        point.end()
    }
}

impl Swept<'_> {
    /// The values, each as a policy writes it, with their tallies.
    fn points(&self) -> impl Iterator<Item = (String, &Tally)> {
        self.range.values.iter().map(|value| self.range.text(*value)).zip(&self.tallies)
    }

    fn accounts(&self) -> u64 {
        self.tallies.first().map_or(0, |tally| tally.accounts)
    }

    /// Accounts that erased events leave open under the value under which they are most; none if none are.
    fn undetermined(&self) -> Option<u64> {
        self.tallies.iter().map(|tally| tally.undetermined).max().filter(|open| *open > 0)
    }

    fn json(&self, question: &Question) -> SweptShown<'_> {
        let point = |(value, tally)| Point { value, tally, metrics: self.metrics };
        SweptShown {
            policy: &self.policy.name,
            policy_hash: self.policy.hash(),
            as_of: question.as_of,
            parameter: self.range.parameter.to_string(),
            version: self.version,
            accounts: self.accounts(),
            undetermined: self.undetermined(),
            folds: self.folds,
            metrics: self.metrics.iter().map(|metric| metric.name()).collect(),
            points: self.points().map(point).collect(),
        }
    }

    fn csv(&self) -> Vec<u8> {
        let mut writer = csv::Writer::from_writer(Vec::new());
        let mut line = |cells: Vec<String>| writer.write_record(cells).expect("memory takes it");
        let head = self.metrics.iter().map(|metric| metric.name().to_owned());
        line([self.range.parameter.to_string()].into_iter().chain(head).collect());
        for (value, tally) in self.points() {
            let numbers = self.metrics.iter().map(|metric| metric.of(tally).to_string());
            line([value].into_iter().chain(numbers).collect());
        }
        writer.into_inner().expect("memory takes it")
    }

    /// The table, for people.
    fn show(&self, question: &Question, store: &Path, screen: &mut Screen) -> Result<(), Failure> {
        let (parameter, name) = (&self.range.parameter, &self.policy.name);
        let hash = &self.policy.hash().to_string()[..8];
        let of = match self.version {
            Some(version) => format!("{name} {version} · {hash}"),
            None => format!("{name} · {hash}"),
        };
        paragraph(screen, 0, &Cell::styled(format!("{parameter}  ({of})"), style::BOLD))?;
        let (store, as_of) = (escaped_path(store), question.as_of);
        let text = question.pick(
            format!("{} of {store} as of {as_of}", counted(self.accounts(), "account")),
            format!("{store} 的 {} 个账号，截至 {as_of}", amount::count(self.accounts())),
        );
        paragraph(screen, 0, &Cell::styled(text, style::DIM))?;
        question.known_at_line(screen)?;
        if let Some(open) = self.undetermined() {
            let of = counted(open, "account");
            let text = question.pick(
                format!("Events of {of} were erased: only what is certain is counted."),
                format!("{} 个账号有事件已被擦除：只计入可以确定的部分。", amount::count(open)),
            );
            paragraph(screen, 0, &Cell::styled(text, style::CARE))?;
        }
        screen.line("")?;
        let heads: Vec<String> = self.metrics.iter().map(|metric| metric.head(question)).collect();
        let mut columns = vec![Column::number(question.pick("value", "取值"))];
        columns.extend(heads.iter().map(|head| Column::number(head)));
        let mut table = Table::new(columns);
        for (value, tally) in self.points() {
            // Bytes to the last: what differs may be little of all.
            let numbers = self.metrics.iter().map(|metric| amount::count(metric.of(tally)).into());
            table.row(screen, [Cell::from(value)].into_iter().chain(numbers).collect())?;
        }
        table.end(screen)
    }
}
