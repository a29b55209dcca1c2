//! One account under many values of one parameter of a policy.
//!
//! Folding under every value is not needed. Each count of a [`Tally`] only rises, or only falls, as the
//! parameter does: an item that is expired under one window is expired under each shorter one, a purge
//! that is early under one is early under each longer one. So where both ends of a span of values come to
//! the same, everything between them does, and a span is halved until its ends agree.
//!
//! Overdue purges can break this, for they are found at an instant behind the deadline: while a hold
//! stands none is, and where versions state different lags, or one by the calendar, a later deadline may
//! be overdue sooner. So can stages and a trash that can be full: what falls later keeps the account over
//! its limit or its trash full for longer, and that admits more, shortens other windows, and refuses
//! uploads. Then every value is folded; and so it is where events were erased, for what is certain under one value
//! need not be under another.

use event::{History, Kind, Timestamp};
use policy::{Parameter, Policy, Window};

use crate::stages::watches;
use crate::{Tally, fold};

/// The values to try, as policies that differ in one parameter alone, which rises from one to the next;
/// and the instants of [`fold`].
#[derive(Debug, Clone)]
pub struct Sweep<'a> {
    points: &'a [Policy],
    as_of: Timestamp,
    known_at: Timestamp,
    /// Whether the parameter moves instants at which a purge is overdue.
    moves_overdue: bool,
    /// Whether those rise with it, holds aside.
    is_steady: bool,
    /// Whether one item can rest on others.
    reads_others: bool,
}

impl<'a> Sweep<'a> {
    /// Of `points`, in which `parameter` rises.
    #[must_use]
    pub fn new(
        points: &'a [Policy],
        parameter: &Parameter,
        as_of: Timestamp,
        known_at: Timestamp,
    ) -> Sweep<'a> {
        let moves_deadlines =
            matches!(parameter, Parameter::TierTrash(_) | Parameter::CategoryTrash(_));
        let moves_overdue = moves_deadlines || *parameter == Parameter::PurgeLag;
        let is_plain = |policy: &Policy| {
            let lag = policy.versions[0].trash.purge_lag;
            (lag == Window::Never || lag.fixed_ms().is_some())
                && policy.versions.iter().all(|version| version.trash.purge_lag == lag)
        };
        let is_steady = !moves_deadlines || points.iter().all(is_plain);
        let reads_others = points.iter().any(watches);
        Sweep { points, as_of, known_at, moves_overdue, is_steady, reads_others }
    }

    /// Adds to the tally of each point what the account comes to under it. How many folds that took;
    /// none when nothing of the account is seen.
    ///
    /// # Panics
    /// If there is not a tally a point.
    pub fn add(&self, history: &History, tallies: &mut [Tally]) -> u64 {
        assert_eq!(self.points.len(), tallies.len(), "a tally a point");
        let Some(last) = self.points.len().checked_sub(1) else { return 0 };
        let mut folds = 0;
        let mut tally_at = |at: usize| {
            folds += 1;
            let view = fold(history, &self.points[at], self.as_of, self.known_at);
            view.map(|view| Tally::of(&view))
        };
        let Some(first) = tally_at(0) else { return 0 };
        if self.must_fold_each(history) {
            tallies[0].add(&first);
            for (at, tally) in tallies.iter_mut().enumerate().skip(1) {
                tally.add(&tally_at(at).expect("seen under the first"));
            }
            return folds;
        }
        tallies[0].add(&first);
        if last == 0 {
            return folds;
        }
        // Spans whose lower end has been added and whose upper end is known, the lowest on top.
        let upper = tally_at(last).expect("seen under the first");
        let mut spans = vec![(0, first, last, upper)];
        while let Some((from, lower, to, upper)) = spans.pop() {
            if lower == upper || to - from == 1 {
                tallies[from + 1..to].iter_mut().for_each(|tally| tally.add(&lower));
                tallies[to].add(&upper);
                continue;
            }
            let middle = from + (to - from) / 2;
            let between = tally_at(middle).expect("seen under the first");
            spans.push((middle, between.clone(), to, upper));
            spans.push((from, lower, middle, between));
        }
        folds
    }

    fn must_fold_each(&self, history: &History) -> bool {
        if !history.erased.is_empty() {
            return true;
        }
        let holds = || history.steps.iter().any(|step| step.kind == Kind::HoldPlaced);
        self.reads_others || (self.moves_overdue && (!self.is_steady || holds()))
    }
}
