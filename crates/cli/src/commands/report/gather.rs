//! What a report counts: of one account, and of all of them together. Pure: histories and policies in,
//! numbers out.

use std::collections::{BTreeMap, HashMap, HashSet};

use event::{History, Kind, NameId, Step, Timestamp};
use policy::Policy;
use projection::{
    BackupState, Change, ChangeSource, Changed, Finding, FindingCode, FindingRow, ItemState,
    Severity, StateCause, Status, Subject, View, fold, fold_traced,
};

use super::period::Period;

/// Breaches that are told one by one; of more the number is.
pub const BREACHES_TOLD: usize = 50;
/// Categories that are kept apart; what is of others is put together.
const CATEGORIES_APART: usize = 1_000;

/// What a report is asked about.
pub struct Asked<'a> {
    pub policy: &'a Policy,
    /// The policy under each reading alone, by their ids.
    pub readings: &'a [(String, Policy)],
    pub period: Period,
    pub as_of: Timestamp,
    pub known_at: Timestamp,
}

/// How something was taken out for good.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Taken {
    /// From its deadline to `purge_lag` after it, whoever did it; a backup when stale.
    OnTime,
    /// After that.
    Late,
    /// By its user, before a deadline.
    ByUser,
    /// By the provider for inactivity, of the account or of a category, as the policy admits.
    Inactive,
    /// By the provider giving the quota as its reason, where a stage of the policy admits it.
    Quota,
    /// By the provider, before a deadline, against the policy.
    Early,
    /// With all of the account's data.
    Cleared,
}

impl Taken {
    pub const ALL: [Taken; 7] = [
        Taken::OnTime,
        Taken::Late,
        Taken::ByUser,
        Taken::Inactive,
        Taken::Quota,
        Taken::Early,
        Taken::Cleared,
    ];
}

/// Items, and their bytes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Tally {
    pub items: u64,
    pub bytes: u128,
}

/// Of a kind of finding: how many, and in how many accounts.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Found {
    pub findings: u64,
    pub accounts: u64,
}

/// What a reading makes of the same events.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Differs {
    /// Items in another state.
    pub states: u64,
    /// Items in the same state with another deadline.
    pub deadlines: u64,
    /// Accounts with another status.
    pub statuses: u64,
    /// Findings of the period under the reading alone.
    pub more: u64,
    /// Findings of the period under the policy as it stands alone.
    pub fewer: u64,
    /// Breaches of the period under the reading.
    pub breaches: u64,
}

impl Differs {
    /// Whether it makes no difference.
    pub fn is_none(&self) -> bool {
        Differs { breaches: 0, ..*self } == Differs::default()
    }
}

/// The numbers of one account, or of many.
#[derive(Debug, Clone, Default)]
pub struct Figures {
    pub accounts: u64,
    /// Events that were known and had occurred; of them those of the period.
    pub events: u64,
    pub events_of_period: u64,
    pub last_recorded: Option<Timestamp>,
    /// Accounts of which events were erased that may matter: what they leave open is in no other number.
    pub undetermined: u64,
    /// By status.
    pub statuses: [u64; Status::ALL.len()],
    /// By category (`None` where the upload is not on record) and state.
    pub categories: BTreeMap<Option<String>, [Tally; ItemState::ALL.len()]>,
    /// What is of more categories than are kept apart.
    pub other_categories: [Tally; ItemState::ALL.len()],
    pub backups: [Tally; BackupState::ALL.len()],
    /// Items and backups taken in the period.
    pub taken: [[u64; 2]; Taken::ALL.len()],
    /// Items that are expired, and their purge overdue.
    pub overdue: u64,
    /// Of the period, by code.
    pub found: [Found; FindingCode::ALL.len()],
    /// The first breaches of the period, in the order of `findings`.
    pub breaches: Vec<FindingRow>,
    /// By reading, as asked.
    pub readings: Vec<Differs>,
}

impl Figures {
    /// The numbers of an account; `None` where nothing of it is on record.
    pub fn of(history: &History, asked: &Asked<'_>) -> Option<Figures> {
        let (view, changes) = fold_traced(history, asked.policy, asked.as_of, asked.known_at)?;
        let mut figures = Figures { accounts: 1, ..Figures::default() };
        for step in history.steps_seen(asked.as_of, asked.known_at) {
            figures.events += 1;
            figures.events_of_period += u64::from(asked.period.contains(step.occurred_at));
            figures.last_recorded = figures.last_recorded.max(Some(step.recorded_at));
        }
        figures.undetermined = u64::from(view.is_open());
        if let Some(status) = view.status() {
            figures.statuses[status as usize] += 1;
        }
        for (id, item) in view.items() {
            let unsure = view.unsure(Subject::Item(id));
            if unsure.state || unsure.category || unsure.bytes {
                continue;
            }
            let category = item.category.map(|category| view.names().get(category).to_owned());
            let tallies = figures.categories.entry(category).or_default();
            tallies[item.state as usize].add(item.bytes);
            let overdue_at = item.trashing.as_ref().and_then(|trashing| trashing.overdue_at);
            let is_known = !unsure.until && !unsure.how;
            if is_known
                && item.state == ItemState::Expired
                && overdue_at.is_some_and(|at| at <= asked.as_of)
            {
                figures.overdue += 1;
            }
        }
        for (id, backup) in view.backups() {
            let unsure = view.unsure(Subject::Backup(id));
            if unsure.state || unsure.bytes {
                continue;
            }
            figures.backups[backup.state as usize].add(backup.bytes);
        }
        figures.count_taken(history, &changes, asked);
        let found = of_period(&view, asked.period);
        for finding in &found {
            let found = &mut figures.found[finding.code as usize];
            found.findings += 1;
            found.accounts = 1;
        }
        let rows = view.finding_rows().into_iter();
        let erased = &history.erased.contents;
        // One of an event whose contents are gone cannot be cited.
        let is_told = |row: &FindingRow| {
            row.severity == Severity::Breach
                && asked.period.contains(row.at)
                && erased.binary_search(&row.revision).is_err()
        };
        figures.breaches = rows.filter(is_told).take(BREACHES_TOLD).collect();
        let differs = |(_, policy): &(String, Policy)| {
            let read = fold(history, policy, asked.as_of, asked.known_at);
            let read = read.expect("under any policy the same events are on record");
            differs(&view, &found, &read, asked.period)
        };
        figures.readings = asked.readings.iter().map(differs).collect();
        Some(figures)
    }

    fn count_taken(&mut self, history: &History, changes: &[Change], asked: &Asked<'_>) {
        let clears = |step: &&Step| step.kind == Kind::DataCleared;
        let clearings: HashSet<u64> =
            history.steps.iter().filter(clears).map(|step| step.position).collect();
        let is_clearing = |change: &Change| match change.source {
            ChangeSource::Event(event) => clearings.contains(&event.position),
            ChangeSource::Deadline | ChangeSource::PolicyVersion(_) => false,
        };
        let mut deadlines: HashMap<NameId, Option<Timestamp>> = HashMap::new();
        for change in changes {
            let (is_backup, taken) = match change.changed {
                Changed::Deadline { item, to, .. } => {
                    deadlines.insert(item, to);
                    continue;
                }
                Changed::Item { to: ItemState::Removed, .. } => (false, Taken::Cleared),
                Changed::Item { item, from, to: ItemState::Purged, cause, .. } => {
                    let deadline = deadlines.get(&item).copied().flatten();
                    (false, Taken::purged(from, cause, deadline, change.at, asked.policy))
                }
                Changed::Item { item, recoverable_until, .. } => {
                    deadlines.insert(item, recoverable_until);
                    continue;
                }
                Changed::Backup { to: BackupState::Removed, .. } if is_clearing(change) => {
                    (true, Taken::Cleared)
                }
                Changed::Backup { to: BackupState::Removed, cause, .. } => {
                    (true, Taken::of_backup(cause))
                }
                Changed::Backup { .. } => continue,
            };
            if asked.period.contains(change.at) {
                self.taken[taken as usize][usize::from(is_backup)] += 1;
            }
        }
    }

    /// Adds those of an account whose name comes after all that were added.
    pub fn add(&mut self, other: Figures) {
        self.accounts += other.accounts;
        self.events += other.events;
        self.events_of_period += other.events_of_period;
        self.last_recorded = self.last_recorded.max(other.last_recorded);
        self.undetermined += other.undetermined;
        add_all(&mut self.statuses, &other.statuses, |sum, n| *sum += n);
        for (category, tallies) in other.categories {
            let is_known = self.categories.contains_key(&category);
            let sums = match is_known || self.categories.len() < CATEGORIES_APART {
                true => self.categories.entry(category).or_default(),
                false => &mut self.other_categories,
            };
            add_all(sums, &tallies, Tally::more);
        }
        add_all(&mut self.other_categories, &other.other_categories, Tally::more);
        add_all(&mut self.backups, &other.backups, Tally::more);
        add_all(&mut self.taken, &other.taken, |sum, n| add_all(sum, n, |sum, n| *sum += n));
        self.overdue += other.overdue;
        add_all(&mut self.found, &other.found, |sum, n| {
            sum.findings += n.findings;
            sum.accounts += n.accounts;
        });
        let room = BREACHES_TOLD - self.breaches.len();
        self.breaches.extend(other.breaches.into_iter().take(room));
        if self.readings.is_empty() {
            self.readings.resize(other.readings.len(), Differs::default());
        }
        add_all(&mut self.readings, &other.readings, |sum, n| {
            sum.states += n.states;
            sum.deadlines += n.deadlines;
            sum.statuses += n.statuses;
            sum.more += n.more;
            sum.fewer += n.fewer;
            sum.breaches += n.breaches;
        });
    }

    /// Items of any category, by state.
    pub fn states(&self) -> [Tally; ItemState::ALL.len()] {
        let mut states = self.other_categories;
        self.categories.values().for_each(|tallies| add_all(&mut states, tallies, Tally::more));
        states
    }

    /// Findings of the period that are so grave.
    pub fn severe(&self, severity: Severity) -> u64 {
        let of = |code: &&FindingCode| code.severity() == severity;
        FindingCode::ALL.iter().filter(of).map(|code| self.found[*code as usize].findings).sum()
    }
}

impl Tally {
    fn add(&mut self, bytes: u64) {
        self.items += 1;
        self.bytes += u128::from(bytes);
    }

    pub fn more(&mut self, other: &Tally) {
        self.items += other.items;
        self.bytes += other.bytes;
    }
}

impl Taken {
    fn purged(
        from: Option<ItemState>,
        cause: Option<StateCause>,
        deadline: Option<Timestamp>,
        at: Timestamp,
        policy: &Policy,
    ) -> Taken {
        match cause {
            _ if from == Some(ItemState::Expired) => {
                // Its lag is that of the version in force at the deadline.
                let lag = |deadline| policy.version_at(deadline).trash.purge_lag;
                let until = deadline.and_then(|at| lag(at).after(at, &policy.zone));
                if until.is_some_and(|until| at > until) { Taken::Late } else { Taken::OnTime }
            }
            Some(StateCause::UserPurged | StateCause::UserEmptiedTrash) => Taken::ByUser,
            Some(StateCause::InactivityCleared) => Taken::Inactive,
            Some(StateCause::QuotaCleared) => Taken::Quota,
            _ => Taken::Early,
        }
    }

    fn of_backup(cause: Option<StateCause>) -> Taken {
        match cause {
            Some(StateCause::WindowLapsed) => Taken::OnTime,
            Some(StateCause::UserDeletedBackups) => Taken::ByUser,
            Some(StateCause::InactivityCleared) => Taken::Inactive,
            Some(StateCause::QuotaCleared) => Taken::Quota,
            _ => Taken::Early,
        }
    }
}

/// The findings whose instant is in the period.
fn of_period(view: &View<'_>, period: Period) -> Vec<Finding> {
    let found = view.findings().into_iter().map(|(finding, _)| finding);
    found.filter(|finding| period.contains(finding.at)).collect()
}

fn differs(view: &View<'_>, found: &[Finding], read: &View<'_>, period: Period) -> Differs {
    let mut differs = Differs::default();
    for (id, item) in view.items() {
        let other = read.item(id).expect("under any policy the same items are seen");
        let subject = Subject::Item(id);
        let (own, theirs) = (view.unsure(subject), read.unsure(subject));
        if own.state || theirs.state {
            continue;
        }
        if other.state != item.state {
            differs.states += 1;
        } else if !own.until
            && !theirs.until
            && other.recoverable_until() != item.recoverable_until()
        {
            differs.deadlines += 1;
        }
    }
    let statuses = view.status().zip(read.status());
    differs.statuses = u64::from(statuses.is_some_and(|(own, theirs)| own != theirs));
    let under = of_period(read, period);
    let key = |finding: &Finding| (finding.code, finding.at, finding.event, finding.subject);
    let only = |of: &[Finding], not: &[Finding]| {
        let known: HashSet<_> = not.iter().map(key).collect();
        of.iter().filter(|finding| !known.contains(&key(finding))).count() as u64
    };
    // What is not found under one may be found for all that is known.
    if !view.may_miss_findings() && !read.may_miss_findings() {
        differs.more = only(&under, found);
        differs.fewer = only(found, &under);
    }
    let breaches = under.iter().filter(|finding| finding.code.severity() == Severity::Breach);
    differs.breaches = breaches.count() as u64;
    differs
}

fn add_all<T, U>(sums: &mut [T], more: &[U], add: impl Fn(&mut T, &U)) {
    sums.iter_mut().zip(more).for_each(|(sum, more)| add(sum, more));
}
