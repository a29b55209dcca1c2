//! Kills real writers with SIGKILL, over and over, and holds what is there against what they said.
//!
//! A store lives for some cycles. In each, `import --acks` goes on with its input until it is killed:
//! after a random time, after so many acknowledgements, or in its first milliseconds, while it looks
//! at what the kill before it left, to which a torn write may be added. Then every acknowledged event
//! must be there, in order, once; what `verify` says, and what is answered without the derived files,
//! must agree. In some cycles a `checkpoint` runs before, and is killed at any moment of its time: what it
//! printed is held against the store in every cycle from then on. At its end a store is imported to the
//! end and must hold all its input.

mod check;
mod input;
mod sealer;
mod store;
mod writer;

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use input::Input;
use store::Store;

/// Cycles without `--cycles`.
const CYCLES: u64 = 1000;
/// Every so many cycles the costlier checks are made.
const VERIFY_EVERY: u64 = 10;
const DERIVED_EVERY: u64 = 20;

/// What a run is to do.
#[derive(Debug, Clone, Default)]
pub struct Plan {
    pub cycles: Option<u64>,
    pub seed: Option<u64>,
    /// No cycle begins after so long.
    pub seconds: Option<u64>,
    /// The binary; else a release is built.
    pub binary: Option<PathBuf>,
}

impl Plan {
    /// From the words after `crash`.
    pub fn parse(words: &[String]) -> Result<Plan, String> {
        let mut plan = Plan::default();
        let mut words = words.iter();
        while let Some(word) = words.next() {
            let value = words.next().ok_or_else(|| format!("{word}: a value is missing"))?;
            let number = || value.parse().map_err(|_| format!("{word} {value}: not a number"));
            match word.as_str() {
                "--cycles" => plan.cycles = Some(number()?),
                "--seed" => plan.seed = Some(number()?),
                "--seconds" => plan.seconds = Some(number()?),
                "--binary" => plan.binary = Some(PathBuf::from(value)),
                _ => return Err(format!("{word}: unknown; see `cargo xtask`")),
            }
        }
        Ok(plan)
    }
}

/// What a run came to.
#[derive(Debug, Default)]
struct Tally {
    cycles: u64,
    in_recovery: u64,
    in_seal: u64,
    cut: u64,
    acknowledged: u64,
    checkpoints: usize,
    lost: u64,
}

/// Runs the cycles. An error if anything was lost, or is not as it was written.
pub fn run(plan: &Plan) -> Result<(), String> {
    let binary = match &plan.binary {
        Some(binary) => std::path::absolute(binary).map_err(|e| e.to_string())?,
        None => {
            crate::run("cargo", &["build", "--release", "--package", "stillthere"])?;
            crate::target().join("release/stillthere")
        }
    };
    let seed = plan.seed.unwrap_or_else(|| fastrand::u64(..));
    println!("seed {seed}");
    let dir = crate::target().join(format!("crash/{seed}"));
    let _ = std::fs::remove_dir_all(&dir);
    std::fs::create_dir_all(&dir).map_err(|e| format!("{}: {e}", dir.display()))?;
    let mut tally = Tally::default();
    let done = cycles(plan, seed, &Binary { path: binary }, &dir, &mut tally);
    let Tally { cycles, in_recovery, in_seal, cut, acknowledged, checkpoints, lost } = tally;
    println!(
        "{cycles} cycles, {in_recovery} kills in recovery, {in_seal} in a seal, {cut} torn ends cut, \
         {acknowledged} acknowledged, {checkpoints} checkpoints, {lost} lost"
    );
    match done {
        Ok(()) => std::fs::remove_dir_all(&dir).map_err(|e| format!("{}: {e}", dir.display())),
        Err(reason) => Err(format!("{reason}\nThe store is kept in {}.", dir.display())),
    }
}

fn cycles(
    plan: &Plan,
    seed: u64,
    binary: &Binary,
    dir: &Path,
    tally: &mut Tally,
) -> Result<(), String> {
    let started = Instant::now();
    let is_late = || plan.seconds.is_some_and(|s| started.elapsed() > Duration::from_secs(s));
    let mut random = fastrand::Rng::with_seed(seed);
    let inputs = Input::make_all(binary, dir, &mut random)?;
    store::a_loss_is_seen(binary, dir, &inputs[0])?;
    store::a_contradiction_is_seen(binary, dir, &inputs[0])?;
    let count = plan.cycles.unwrap_or(CYCLES);
    while tally.cycles < count && !is_late() {
        let mut store = Store::new(binary, dir, Input::choose(&inputs, &mut random))?;
        let most = (count - tally.cycles).min(random.u64(3..15));
        let lived = live(&mut store, most, &mut random, &is_late, tally);
        tally.in_recovery += store.in_recovery;
        tally.in_seal += store.in_seal;
        tally.checkpoints += store.handed.files.len();
        tally.cut += store.cut;
        tally.acknowledged += store.acknowledged;
        tally.lost += store.lost;
        lived?;
    }
    Ok(())
}

/// A store's life: at most so many kills, with what must hold after each.
fn live(
    store: &mut Store<'_>,
    most: u64,
    random: &mut fastrand::Rng,
    is_late: &dyn Fn() -> bool,
    tally: &mut Tally,
) -> Result<(), String> {
    for _ in 0..most {
        if is_late() || store.is_whole() || !store.kill(random)? {
            break;
        }
        tally.cycles += 1;
        store.check()?;
        let is_full = tally.cycles.is_multiple_of(VERIFY_EVERY);
        match is_full {
            true => store.verify(&[], usize::MAX)?,
            false => store.verify(&["--quick"], 1)?,
        }
        if tally.cycles.is_multiple_of(DERIVED_EVERY) {
            store.derived_agree()?;
        }
    }
    store.end()
}

/// The binary under test.
struct Binary {
    path: PathBuf,
}

impl Binary {
    fn command(&self, args: &[&str], store: &Path) -> Command {
        let mut command = Command::new(&self.path);
        command.args(args).env("STILLTHERE_STORE", store);
        command
    }

    /// What a run prints that must go well.
    fn answer(&self, args: &[&str], store: &Path) -> Result<Vec<u8>, String> {
        let said = format!("stillthere {} --store {}", args.join(" "), store.display());
        let output = self.command(args, store).stdin(Stdio::null()).output();
        let output = output.map_err(|e| format!("{said}: {e}"))?;
        if output.status.success() {
            return Ok(output.stdout);
        }
        let (out, err) = (&output.stdout, String::from_utf8_lossy(&output.stderr));
        Err(format!("{said}: {}\n{}{err}", output.status, String::from_utf8_lossy(out)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(words: &str) -> Result<Plan, String> {
        Plan::parse(&words.split_whitespace().map(str::to_owned).collect::<Vec<_>>())
    }

    #[test]
    fn a_plan_is_read() {
        let plan = parse("--seed 7 --cycles 20 --seconds 5").unwrap();
        assert_eq!((plan.seed, plan.cycles, plan.seconds), (Some(7), Some(20), Some(5)));
        assert!(parse("").unwrap().cycles.is_none());
        for bad in ["--cycles", "--cycles many", "--sede 7"] {
            assert!(parse(bad).is_err(), "{bad}");
        }
    }
}
