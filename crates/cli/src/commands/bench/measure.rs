//! Rounds: what was measured of each contender, and how the contenders compare.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use serde_json::{Value, json};

use super::Work;
use crate::failure::Failure;

/// What a work is measured in. Less is better.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unit {
    Seconds,
    SecondsPerEvent,
    Bytes,
    BytesPerEvent,
}

impl Unit {
    fn name(self) -> &'static str {
        match self {
            Unit::Seconds => "seconds",
            Unit::SecondsPerEvent => "seconds_per_event",
            Unit::Bytes => "bytes",
            Unit::BytesPerEvent => "bytes_per_event",
        }
    }
}

/// One round of one contender.
#[derive(Debug, Clone, Copy, Default)]
pub struct Sample {
    /// In the work's unit.
    pub amount: f64,
    /// The most memory that its process had.
    pub peak_bytes: Option<u64>,
    /// What was read of files, cached or not.
    pub read_bytes: Option<u64>,
}

impl Sample {
    pub fn new(amount: f64) -> Sample {
        Sample { amount, ..Sample::default() }
    }

    pub fn of(time: Duration) -> Sample {
        Sample::new(time.as_secs_f64())
    }

    /// Its amount shared out among so many events.
    pub fn per_event(self, events: u64) -> Sample {
        Sample { amount: self.amount / events.max(1) as f64, ..self }
    }
}

/// The rounds of one contender.
#[derive(Debug, Clone, Default)]
pub struct Rounds {
    samples: Vec<Sample>,
}

impl Rounds {
    pub fn push(&mut self, sample: Sample) {
        self.samples.push(sample);
    }

    pub fn min(&self) -> f64 {
        self.sorted().first().copied().unwrap_or(f64::NAN)
    }

    pub fn max(&self) -> f64 {
        self.sorted().last().copied().unwrap_or(f64::NAN)
    }

    /// Of an even number the mean of the two in the middle.
    pub fn median(&self) -> f64 {
        median(self.sorted())
    }

    pub fn peak_bytes(&self) -> Option<u64> {
        self.samples.iter().filter_map(|sample| sample.peak_bytes).max()
    }

    pub fn read_bytes(&self) -> Option<u64> {
        self.samples.iter().filter_map(|sample| sample.read_bytes).max()
    }

    fn sorted(&self) -> Vec<f64> {
        let mut amounts: Vec<f64> = self.samples.iter().map(|sample| sample.amount).collect();
        amounts.sort_by(f64::total_cmp);
        amounts
    }

    fn json(&self) -> Value {
        let rounds: Vec<f64> = self.samples.iter().map(|sample| sample.amount).collect();
        json!({
            "min": self.min(), "median": self.median(), "max": self.max(), "rounds": rounds,
            "peak_bytes": self.peak_bytes(), "read_bytes": self.read_bytes(),
        })
    }
}

pub fn median(mut amounts: Vec<f64>) -> f64 {
    amounts.sort_by(f64::total_cmp);
    let half = amounts.len() / 2;
    match amounts.len() {
        0 => f64::NAN,
        n if n % 2 == 0 => f64::midpoint(amounts[half - 1], amounts[half]),
        _ => amounts[half],
    }
}

/// One that does a work, a round at a time.
pub struct Contender<'a> {
    pub name: String,
    pub run: Box<dyn FnMut() -> Result<Sample, Failure> + 'a>,
}

impl<'a> Contender<'a> {
    pub fn new(
        name: impl Into<String>,
        run: impl FnMut() -> Result<Sample, Failure> + 'a,
    ) -> Contender<'a> {
        Contender { name: name.into(), run: Box::new(run) }
    }
}

/// How often contenders take their turns.
#[derive(Clone)]
pub struct Turns {
    pub rounds: u32,
    /// Whether somebody has asked for the end.
    pub interrupted: Arc<AtomicBool>,
}

/// A work, measured.
pub struct Row {
    pub work: Work,
    /// How many events ours went through in a round, where that says something.
    pub events: Option<u64>,
    pub ours: Rounds,
    pub against: Vec<(String, Rounds)>,
    /// Who failed, and how.
    pub failed: Vec<String>,
}

impl Row {
    /// Lets the contenders, ours first, do the work in turn. Ours must not fail; whoever else does is
    /// out.
    pub fn measure(
        work: Work,
        turns: &Turns,
        events: Option<u64>,
        mut contenders: Vec<Contender<'_>>,
    ) -> Result<Row, Failure> {
        let mut measured = vec![Rounds::default(); contenders.len()];
        let mut out = vec![None; contenders.len()];
        for _ in 0..turns.rounds {
            for (at, contender) in contenders.iter_mut().enumerate() {
                if out[at].is_some() {
                    continue;
                }
                let sample = (contender.run)();
                if turns.interrupted.load(Ordering::Relaxed) {
                    return Err(Failure::Interrupted("interrupted; nothing stays".to_owned()));
                }
                match sample {
                    Ok(sample) => measured[at].push(sample),
                    Err(failure) if at == 0 => return Err(failure),
                    Err(failure) => {
                        let reason = failure.message().unwrap_or("failed").to_owned();
                        out[at] = Some(format!("{}: {reason}", contender.name));
                    }
                }
            }
        }
        let mut of_each = contenders.into_iter().map(|c| c.name).zip(measured).zip(out);
        let ((_, ours), _) = of_each.next().expect("ours is the first");
        let (mut against, mut failed) = (Vec::new(), Vec::new());
        for ((name, rounds), reason) in of_each {
            match reason {
                None => against.push((name, rounds)),
                Some(reason) => failed.push(reason),
            }
        }
        Ok(Row { work, events, ours, against, failed })
    }

    /// How many times as fast as `theirs` ours is, or as small.
    pub fn ratio(&self, theirs: &Rounds) -> f64 {
        theirs.median() / self.ours.median()
    }

    pub fn json(&self) -> Value {
        let against: Vec<Value> = (self.against.iter())
            .map(|(name, rounds)| {
                let mut object = rounds.json();
                object["name"] = json!(name);
                object["ratio"] = json!(self.ratio(rounds));
                object
            })
            .collect();
        let is_time = self.work.unit() == Unit::Seconds;
        let timed = self.events.filter(|_| is_time);
        let events_per_second = timed.map(|events| events as f64 / self.ours.median());
        json!({
            "work": self.work.name(),
            "what": self.work.title().0,
            "unit": self.work.unit().name(),
            "events": self.events,
            "events_per_second": events_per_second,
            "ours": self.ours.json(),
            "against": against,
            "failed": self.failed,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rounds(amounts: &[f64]) -> Rounds {
        let sample = |amount: &f64| Sample::new(*amount);
        Rounds { samples: amounts.iter().map(sample).collect() }
    }

    #[test]
    fn the_middle_of_rounds() {
        let check = |amounts: &[f64], expected: (f64, f64, f64)| {
            let rounds = rounds(amounts);
            assert_eq!((rounds.min(), rounds.median(), rounds.max()), expected);
        };
        check(&[2.0], (2.0, 2.0, 2.0));
        check(&[3.0, 1.0], (1.0, 2.0, 3.0));
        check(&[5.0, 1.0, 2.0], (1.0, 2.0, 5.0));
    }

    #[test]
    fn contenders_take_turns_and_who_fails_is_out() {
        use std::cell::RefCell;
        let said = RefCell::new(String::new());
        let turn = |letter: char, amount: f64| {
            let said = &said;
            move || {
                said.borrow_mut().push(letter);
                match amount {
                    0.0 => Err(Failure::Usage("no".to_owned())),
                    _ => Ok(Sample::new(amount)),
                }
            }
        };
        let contenders = vec![
            Contender::new("ours", turn('a', 2.0)),
            Contender::new("bad", turn('b', 0.0)),
            Contender::new("slow", turn('c', 3.0)),
        ];
        let turns = Turns { rounds: 2, interrupted: Arc::default() };
        let row = Row::measure(Work::Import, &turns, None, contenders).expect("ours does not fail");
        assert_eq!(*said.borrow(), "abcac");
        assert_eq!(row.failed, ["bad: no"]);
        assert_eq!(row.against.len(), 1);
        assert_eq!(row.ratio(&row.against[0].1), 1.5);
    }
}
