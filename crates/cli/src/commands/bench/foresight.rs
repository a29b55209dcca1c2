//! What is ahead, and what other policies make of a population, beside the accounts as they stand; Parquet
//! beside DuckDB's.

use std::fs;

use super::Bench;
use super::measure::{Contender, Row};
use super::ours::Ours;
use super::peers::PLAIN_POLICY;
use super::place::ALL;
use super::works::{Work, one_by_one};
use crate::failure::Failure;

/// The policy that `policy diff` holds against the plain one.
const CHANGED: &str = "changed.toml";
/// Fifty values, as is the default.
const SWEEP: [&str; 5] = [
    "sweep",
    "--param",
    "tiers.standard.trash=7d..180d",
    "--metric",
    "expired,restored-too-late,breaches,bytes-held",
];
const PARQUET: [&str; 5] = ["export", "--format", "parquet", "-o", "ours.parquet"];

/// Measures one.
pub fn measure(work: Work, bench: &mut Bench<'_>) -> Result<Row, Failure> {
    let (place, peers, accounts) = (&bench.place, &bench.peers, &bench.some_accounts);
    let ours = Ours::of(place, ALL);
    let every = || Contender::new("every account's line", move || ours.ask(&["accounts"]));
    let beside = |verb: &'static [&'static str]| {
        vec![Contender::new("stillthere", move || ours.ask(verb)), every()]
    };
    let contenders = match work {
        Work::Forecast => vec![
            Contender::new("stillthere", || one_by_one(ours, "forecast", accounts)),
            Contender::new("their states", || one_by_one(ours, "state", accounts)),
        ],
        Work::ForecastAll => beside(&["forecast", "--all"]),
        Work::PolicyDiff => {
            let changed =
                PLAIN_POLICY.replace("\"30d\"", "\"60d\"").replace("\"180d\"", "\"200d\"");
            let path = place.path(CHANGED);
            fs::write(&path, changed).map_err(|e| Failure::file(&path, "write it", &e))?;
            beside(&["policy", "diff", "plain.toml", CHANGED])
        }
        Work::Sweep => beside(&SWEEP),
        Work::ExportParquet => {
            let mut contenders = vec![Contender::new("stillthere", || ours.ask(&PARQUET))];
            for (name, step, title) in work.peers().iter().filter(|(name, _, _)| peers.has(name)) {
                contenders.push(Contender::new(*title, || peers.step(name, step, &[])));
            }
            contenders
        }
        _ => unreachable!("measured elsewhere"),
    };
    let of_all = work != Work::Forecast;
    Row::measure(work, &bench.turns, of_all.then_some(bench.args.events), contenders)
}
