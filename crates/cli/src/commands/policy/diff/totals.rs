//! What a diff comes to: how many change, from what to what, and by how many days.

use std::collections::BTreeMap;

use projection::{
    Deadline, Difference, Differs, FindingCode, ItemState, Status, Subject, Tally, View,
};
use serde::Serialize;
use serde_json::{Value, json};

use super::list::days;

/// Where the buckets of days begin, above zero: a day, and what is longer than a week, 30, 90 and 180
/// days, and a year.
const EDGES: [i64; 6] = [1, 8, 31, 91, 181, 366];
const BUCKETS: usize = 2 * EDGES.len() + 1;

/// The sums over some accounts.
#[derive(Default)]
pub struct Totals {
    pub before: Tally,
    pub after: Tally,
    /// Accounts with a change, and items with one of their state, cause or deadline.
    pub accounts_changed: u64,
    /// Accounts of which events were erased that may matter under either: what they leave open is no change.
    pub undetermined: u64,
    pub items_changed: u64,
    pub statuses: BTreeMap<(Status, Status), u64>,
    pub states: BTreeMap<(ItemState, ItemState), u64>,
    pub deadlines: Moves,
    pub inactive_at: Moves,
    /// Accounts that come to be over their limit, and that are no more.
    pub over_quota: [u64; 2],
    pub findings: BTreeMap<FindingCode, Found>,
}

/// How ends move.
#[derive(Default, Clone, Copy)]
pub struct Moves {
    pub earlier: u64,
    pub later: u64,
    /// There was an end, and it does not come any more; and the other way.
    pub now_never: u64,
    pub was_never: u64,
    /// There was an end or never one, and nothing is counted any more; and the other way.
    pub now_none: u64,
    pub was_none: u64,
    pub by_days: [u64; BUCKETS],
}

/// How findings of a code change.
#[derive(Default, Clone, Copy)]
pub struct Found {
    /// Found under the second policy alone.
    pub come: u64,
    /// Found under the first policy alone.
    pub gone: u64,
    /// Found under both, of another instant or number of events.
    pub moved: u64,
}

/// A bar of the histogram: ends that move by so many whole days, both included.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Bucket {
    /// `None`: no bound.
    pub days_from: Option<i64>,
    pub days_to: Option<i64>,
    pub deadlines: u64,
    pub inactive_at: u64,
}

impl Totals {
    /// Adds an account.
    pub fn add(&mut self, before: &View<'_>, after: &View<'_>, differences: &[Difference]) {
        self.before.add(&Tally::of(before));
        self.after.add(&Tally::of(after));
        self.accounts_changed += u64::from(!differences.is_empty());
        self.undetermined += u64::from(before.is_open() || after.is_open());
        let mut last = None;
        for difference in differences {
            match difference.what {
                Differs::Status(a, b) => *self.statuses.entry((a, b)).or_default() += 1,
                Differs::State(a, b) => *self.states.entry((a, b)).or_default() += 1,
                Differs::OverQuota(_, over) => self.over_quota[usize::from(!over)] += 1,
                Differs::InactiveAt(a, b) => self.inactive_at.add(a, b, difference.moved_ms()),
                Differs::Deadline(a, b) => self.deadlines.add(a, b, difference.moved_ms()),
                Differs::Finding(code, a, b) => {
                    let found = self.findings.entry(code).or_default();
                    match (a, b) {
                        (None, _) => found.come += 1,
                        (_, None) => found.gone += 1,
                        _ => found.moved += 1,
                    }
                    continue;
                }
                Differs::Cause(..) | Differs::BackupCause(..) => {}
            }
            // What is said of one item comes together.
            if let Some(Subject::Item(item)) = difference.subject
                && last.replace(item) != Some(item)
            {
                self.items_changed += 1;
            }
        }
    }

    /// Adds other accounts.
    pub fn merge(&mut self, other: &Totals) {
        self.before.add(&other.before);
        self.after.add(&other.after);
        self.accounts_changed += other.accounts_changed;
        self.undetermined += other.undetermined;
        self.items_changed += other.items_changed;
        for (key, count) in &other.statuses {
            *self.statuses.entry(*key).or_default() += count;
        }
        for (key, count) in &other.states {
            *self.states.entry(*key).or_default() += count;
        }
        self.deadlines.merge(&other.deadlines);
        self.inactive_at.merge(&other.inactive_at);
        self.over_quota[0] += other.over_quota[0];
        self.over_quota[1] += other.over_quota[1];
        for (code, other) in &other.findings {
            let found = self.findings.entry(*code).or_default();
            found.come += other.come;
            found.gone += other.gone;
            found.moved += other.moved;
        }
    }

    /// The bars in order of days, from what is lost to what is won.
    pub fn histogram(&self) -> Vec<Bucket> {
        let bar = |at| {
            let (days_from, days_to) = bounds(at);
            let (deadlines, inactive_at) =
                (self.deadlines.by_days[at], self.inactive_at.by_days[at]);
            Bucket { days_from, days_to, deadlines, inactive_at }
        };
        (0..BUCKETS).map(bar).collect()
    }

    /// As docs/population.md has them; `changes` is how many rows there are.
    pub fn json(&self, changes: u64) -> Value {
        let statuses = self.statuses.iter().map(|((before, after), accounts)| {
            json!({ "before": before, "after": after, "accounts": accounts })
        });
        let states = self.states.iter().map(
            |((before, after), items)| json!({ "before": before, "after": after, "items": items }),
        );
        let findings = self.findings.iter().map(|(code, found)| {
            json!({
                "code": code,
                "severity": code.severity(),
                "before": self.before.finding(*code),
                "after": self.after.finding(*code),
                "come": found.come,
                "gone": found.gone,
                "moved": found.moved,
            })
        });
        let mut totals = json!({
            "accounts": self.before.accounts,
            "accounts_changed": self.accounts_changed,
            "items_changed": self.items_changed,
            "changes": changes,
            "statuses": statuses.collect::<Vec<_>>(),
            "states": states.collect::<Vec<_>>(),
            "deadlines": self.deadlines.json(),
            "inactive_at": self.inactive_at.json(),
            "over_quota": { "come": self.over_quota[0], "gone": self.over_quota[1] },
            "findings": findings.collect::<Vec<_>>(),
        });
        if self.undetermined > 0 {
            totals["undetermined"] = self.undetermined.into();
        }
        totals
    }
}

impl Moves {
    fn add(&mut self, before: Deadline, after: Deadline, moved_ms: Option<i64>) {
        use Deadline as D;
        *match (before, after) {
            (D::At(before), D::At(after)) if after < before => &mut self.earlier,
            (D::At(_), D::At(_)) => &mut self.later,
            (D::None, _) => &mut self.was_none,
            (_, D::None) => &mut self.now_none,
            (D::Never, _) => &mut self.was_never,
            (_, D::Never) => &mut self.now_never,
        } += 1;
        if let Some(moved_ms) = moved_ms {
            self.by_days[bucket(days(moved_ms))] += 1;
        }
    }

    fn merge(&mut self, other: &Moves) {
        self.earlier += other.earlier;
        self.later += other.later;
        self.now_never += other.now_never;
        self.was_never += other.was_never;
        self.now_none += other.now_none;
        self.was_none += other.was_none;
        self.by_days.iter_mut().zip(other.by_days).for_each(|(own, other)| *own += other);
    }

    /// With a name for each, in English and in Chinese.
    pub fn named(&self) -> [(&'static str, &'static str, &'static str, u64); 6] {
        [
            ("earlier", "earlier", "提前", self.earlier),
            ("later", "later", "推迟", self.later),
            ("now_never", "no end any more", "不再到期", self.now_never),
            ("was_never", "an end, and there was none", "原无期限，现有期限", self.was_never),
            ("now_none", "not in the trash any more", "不再处于回收站", self.now_none),
            ("was_none", "in the trash, and was not", "原不在回收站，现在", self.was_none),
        ]
    }

    fn json(&self) -> Value {
        self.named()
            .into_iter()
            .map(|(name, _, _, count)| (name.to_owned(), Value::from(count)))
            .collect()
    }
}

/// The bar of a number of days.
fn bucket(days: i64) -> usize {
    let steps = EDGES.partition_point(|edge| *edge <= days.abs());
    if days < 0 { EDGES.len() - steps } else { EDGES.len() + steps }
}

/// The days of a bar, both included.
fn bounds(at: usize) -> (Option<i64>, Option<i64>) {
    let middle = EDGES.len();
    // Away from zero: the edge at which it begins, and the last day before the next.
    let span = |steps: usize| (EDGES[steps - 1], EDGES.get(steps).map(|edge| edge - 1));
    match at.cmp(&middle) {
        std::cmp::Ordering::Equal => (Some(0), Some(0)),
        std::cmp::Ordering::Greater => {
            let (near, far) = span(at - middle);
            (Some(near), far)
        }
        std::cmp::Ordering::Less => {
            let (near, far) = span(middle - at);
            (far.map(|far| -far), Some(-near))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_number_of_days_is_in_its_bar() {
        for days in -400..=400 {
            let (from, to) = bounds(bucket(days));
            assert!(from.is_none_or(|from| from <= days), "{days}: {from:?}");
            assert!(to.is_none_or(|to| days <= to), "{days}: {to:?}");
        }
        let bars: Vec<_> = (0..BUCKETS).map(bounds).collect();
        assert_eq!(bars[0], (None, Some(-366)));
        assert_eq!(bars[1], (Some(-365), Some(-181)));
        assert_eq!(bars[5], (Some(-7), Some(-1)));
        assert_eq!(bars[6], (Some(0), Some(0)));
        assert_eq!(bars[7], (Some(1), Some(7)));
        assert_eq!(bars[12], (Some(366), None));
    }
}
