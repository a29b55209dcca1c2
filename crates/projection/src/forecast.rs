//! What is ahead: the dates after an instant at which something changes by time alone.
//!
//! Nothing is searched for. A state is let on from border to border, where a border is an instant at
//! which a version of the policy takes effect or a step that is assumed happens. At a border it is
//! looked at; between two of them only what is known by then can come: deadlines, which the fold lets
//! fall itself, the end of the window of inactivity, and backups going stale.

use event::{History, Kind, NameId, Names, Step, Timestamp};
use fixedbitset::FixedBitSet;
use policy::Policy;

use crate::effort::least_activity;
use crate::fold::Rules;
use crate::state::ids;
use crate::{
    Backup, ChangeSource, Changed, FoldState, ItemState, StateCause, Status, Subject, View,
};

event::words! {
    /// What comes about at a date, in the order in which dates of one instant are listed.
    Coming {
        StageReached = 0 "stage_reached",
        ItemExpires = 1 "item_expires",
        AccountAtRisk = 2 "account_at_risk",
        BackupStale = 3 "backup_stale",
    }
}

/// A date ahead.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ForecastDate {
    /// When: the first instant at which it is so.
    pub at: Timestamp,
    /// What comes about.
    pub what: Foreseen,
    /// The least act that, done a moment before, would avoid it; `None` where nothing would.
    pub avoided_by: Option<Kind>,
}

/// What comes about at a date, and of what.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Foreseen {
    /// A trashed item reaches its deadline.
    ItemExpires(NameId),
    /// The account's status becomes `at_risk`.
    AccountAtRisk,
    /// A kept backup goes stale.
    BackupStale(NameId),
    /// A stage of the policy is reached.
    Stage(Stage),
}

/// A stage of the policy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Stage {
    /// A version takes effect, and something stands otherwise by that.
    PolicyVersion {
        /// Which, by index.
        version: usize,
        /// The deadlines that it moves.
        moved: Vec<Moved>,
        /// Whether the account is no longer at risk by it.
        ends_risk: bool,
        /// The backups that are no longer stale by it.
        ends_stale: Vec<NameId>,
    },
}

/// The deadline of an item in the trash that moves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Moved {
    /// Which.
    pub item: NameId,
    /// Before; `None`: never.
    pub from: Option<Timestamp>,
    /// After; `None`: never.
    pub to: Option<Timestamp>,
}

impl Foreseen {
    /// The word for it.
    #[must_use]
    pub const fn coming(&self) -> Coming {
        match self {
            Foreseen::ItemExpires(_) => Coming::ItemExpires,
            Foreseen::AccountAtRisk => Coming::AccountAtRisk,
            Foreseen::BackupStale(_) => Coming::BackupStale,
            Foreseen::Stage(_) => Coming::StageReached,
        }
    }

    /// The item or backup that it is about, where it is about one.
    #[must_use]
    pub const fn subject(&self) -> Option<Subject> {
        match *self {
            Foreseen::ItemExpires(item) => Some(Subject::Item(item)),
            Foreseen::BackupStale(backup) => Some(Subject::Backup(backup)),
            Foreseen::AccountAtRisk | Foreseen::Stage(_) => None,
        }
    }

    /// Whether the policy lets nothing bring back, from then on, what it takes.
    #[must_use]
    pub const fn is_irreversible(&self) -> bool {
        matches!(self, Foreseen::ItemExpires(_))
    }

    /// The cause or assert by which the policy's clauses speak of it.
    const fn cited_by(&self) -> &'static str {
        match self {
            Foreseen::ItemExpires(_) | Foreseen::BackupStale(_) => StateCause::WindowLapsed.name(),
            Foreseen::AccountAtRisk => StateCause::InactivityCleared.name(),
            Foreseen::Stage(_) => "recoverable",
        }
    }
}

impl ForecastDate {
    /// The id of the first clause that speaks of it, in the version in force then.
    #[must_use]
    pub fn clause<'p>(&self, policy: &'p Policy) -> Option<&'p str> {
        let version = policy.version_at(self.at);
        let clause = version.clause_for(self.what.cited_by());
        match self.what {
            // What ends a window is what says how long it is.
            Foreseen::ItemExpires(_) => clause.or_else(|| version.clause_for("recoverable")),
            _ => clause,
        }
    }
}

impl View<'_> {
    /// The dates after the view's instant, up to and with `until`, by instant, then in the order of
    /// [`Coming`], then by name.
    #[must_use]
    pub fn forecast(self, until: Timestamp) -> Vec<ForecastDate> {
        Ahead::of(self.state, self.rules, self.as_of).go(self.as_of, &[], until)
    }
}

/// As [`View::forecast`] as of `as_of`, through those steps of `history` that come later: all of its
/// steps are folded, whenever they were recorded. What an event brings about at its own instant (a
/// window of no days, a tier that is not exempt) is a date too. `None` when there is no step.
#[must_use]
pub fn forecast_through(
    history: &History,
    policy: &Policy,
    as_of: Timestamp,
    until: Timestamp,
) -> Option<Vec<ForecastDate>> {
    let rules = Rules { policy, names: &history.names };
    let seen = history.steps.partition_point(|step| step.occurred_at <= as_of);
    let (_, later) = history.steps.split_at(seen);
    match FoldState::fold(None, history, policy, as_of, Timestamp::MAX) {
        Some(state) => {
            let state = View::new(state, history, policy, as_of).state;
            Some(Ahead::of(state, rules, as_of).go(as_of, later, until))
        }
        None => {
            let (first, later) = later.split_first()?;
            let at = first.occurred_at;
            let mut ahead = Ahead::begin(FoldState::before(first, rules), rules);
            ahead.step(first);
            Some(ahead.go(at, later, until))
        }
    }
}

/// A state on its way.
struct Ahead<'a> {
    state: FoldState,
    rules: Rules<'a>,
    /// Whether the account was at risk when it was last looked at, and which backups were stale.
    at_risk: bool,
    stale: FixedBitSet,
    dates: Vec<ForecastDate>,
}

impl<'a> Ahead<'a> {
    fn begin(mut state: FoldState, rules: Rules<'a>) -> Ahead<'a> {
        state.changes = Some(Vec::new());
        Ahead { state, rules, at_risk: false, stale: FixedBitSet::new(), dates: Vec::new() }
    }

    /// Of a state to which time has passed up to `now`.
    fn of(state: FoldState, rules: Rules<'a>, now: Timestamp) -> Ahead<'a> {
        let mut ahead = Ahead::begin(state, rules);
        ahead.at_risk = ahead.state.status(now, rules) == Status::AtRisk;
        ahead.stale = ahead.stale_backups(now);
        ahead
    }

    /// From `now` through `steps`, all later, to `until`.
    fn go(mut self, now: Timestamp, steps: &[Step], until: Timestamp) -> Vec<ForecastDate> {
        let mut steps = steps.iter().peekable();
        // The steps of the instant at which this begins.
        while let Some(step) = steps.next_if(|step| step.occurred_at <= now.min(until)) {
            self.step(step);
        }
        loop {
            let versions = &self.rules.policy.versions;
            let version = versions.get(self.state.version + 1).map(|v| v.effective_from);
            let step = steps.peek().map(|step| step.occurred_at);
            let border = version.into_iter().chain(step).min().filter(|border| *border <= until);
            self.lapse(border, until);
            let Some(border) = border else { break };
            self.state.pass(border, false, self.rules);
            self.look_by_time(border, version == Some(border));
            while let Some(step) = steps.next_if(|step| step.occurred_at == border) {
                self.step(step);
            }
        }
        self.state.pass(until, true, self.rules);
        self.take_changes();
        self.sorted(until)
    }

    /// What comes between the border that was looked at last and the next, or until the end, but for
    /// items.
    fn lapse(&mut self, border: Option<Timestamp>, until: Timestamp) {
        let is_within = |at: &Timestamp| border.map_or(*at <= until, |border| *at < border);
        if !self.at_risk
            && self.state.standing.status().is_none()
            && !self.state.is_exempt(self.rules)
            && let Some(at) = self.state.inactive_at(self.rules).filter(is_within)
        {
            self.at_risk = true;
            self.put_risk(at);
        }
        for id in ids(&self.state.kept) {
            if self.stale.contains(id.index()) {
                continue;
            }
            let backup = self.state.backup(id).expect("kept");
            if let Some(at) = self.state.stale_at(backup, self.rules).filter(is_within) {
                self.stale.grow_and_insert(id.index());
                self.put_stale(id, at);
            }
        }
    }

    /// What time has brought about up to `at`, the instant that was passed to; `is_version`: a version
    /// took effect at it.
    fn look_by_time(&mut self, at: Timestamp, is_version: bool) {
        let moved = self.take_changes();
        let (ends_risk, ends_stale) = self.look(at);
        if is_version && (ends_risk || !moved.is_empty() || !ends_stale.is_empty()) {
            let version = self.state.version;
            let stage = Stage::PolicyVersion { version, moved, ends_risk, ends_stale };
            self.put(at, Foreseen::Stage(stage), None);
        }
    }

    fn step(&mut self, step: &Step) {
        self.state.apply(step, self.rules);
        self.take_changes();
        self.look(step.occurred_at);
    }

    /// Looks at the account at `at`. Whether it is no longer at risk, and which backups are no longer
    /// stale.
    fn look(&mut self, at: Timestamp) -> (bool, Vec<NameId>) {
        let at_risk = self.state.status(at, self.rules) == Status::AtRisk;
        let was_at_risk = std::mem::replace(&mut self.at_risk, at_risk);
        if at_risk && !was_at_risk {
            self.put_risk(at);
        }
        let stale = self.stale_backups(at);
        let were_stale = std::mem::replace(&mut self.stale, stale);
        for id in ids(&self.stale) {
            if !were_stale.contains(id.index()) {
                self.put_stale(id, at);
            }
        }
        let mut no_longer = were_stale;
        no_longer.difference_with(&self.stale);
        (was_at_risk && !at_risk, ids(&no_longer))
    }

    /// The kept backups that are stale at `at`.
    fn stale_backups(&self, at: Timestamp) -> FixedBitSet {
        let is_stale = |id: &NameId| {
            let backup = self.state.backup(*id).expect("kept");
            self.state.stale_at(backup, self.rules).is_some_and(|stale_at| at >= stale_at)
        };
        let stale = ids(&self.state.kept).into_iter().filter(is_stale);
        stale.map(NameId::index).collect()
    }

    /// Puts down the items that expired, and gives the deadlines that a version moved.
    fn take_changes(&mut self) -> Vec<Moved> {
        let mut moved = Vec::new();
        let changes = self.state.changes.replace(Vec::new()).unwrap_or_default();
        for change in changes {
            match (change.changed, change.source) {
                (Changed::Item { item, to: ItemState::Expired, .. }, ChangeSource::Deadline) => {
                    let trashing = self.state.item(item).and_then(|item| item.trashing.as_ref());
                    let trashed_at = trashing.map_or(change.at, |trashing| trashing.at);
                    // Restored in time, unless it is trashed and expires in one instant.
                    let in_time = (trashed_at < change.at).then_some(Kind::ItemRestored);
                    self.put(change.at, Foreseen::ItemExpires(item), in_time);
                }
                (Changed::Deadline { item, from, to }, ChangeSource::PolicyVersion(_)) => {
                    moved.push(Moved { item, from, to });
                }
                _ => {}
            }
        }
        moved
    }

    fn put(&mut self, at: Timestamp, what: Foreseen, avoided_by: Option<Kind>) {
        self.dates.push(ForecastDate { at, what, avoided_by });
    }

    /// An activity just before `at` avoids it, if its own window reaches beyond.
    fn put_risk(&mut self, at: Timestamp) {
        let window = self.rules.version(&self.state).inactivity_window;
        let before = just_before(at);
        let is_longer = window
            .after(before, &self.rules.policy.zone)
            .is_none_or(|inactive_at| inactive_at > at);
        let act = least_activity(self.rules.policy.version_at(before)).filter(|_| is_longer);
        self.put(at, Foreseen::AccountAtRisk, act);
    }

    /// So does a completion for a backup.
    fn put_stale(&mut self, id: NameId, at: Timestamp) {
        let stale_after = self.rules.version(&self.state).stale_after;
        let stale_at = stale_after.after(just_before(at), &self.rules.policy.zone);
        let is_longer = stale_at.is_none_or(|stale_at| stale_at > at);
        self.put(at, Foreseen::BackupStale(id), is_longer.then_some(Kind::BackupCompleted));
    }

    fn sorted(self, until: Timestamp) -> Vec<ForecastDate> {
        let mut dates = self.dates;
        dates.retain(|date| date.at <= until);
        let names: &Names = self.rules.names;
        for date in &mut dates {
            if let Foreseen::Stage(Stage::PolicyVersion { moved, ends_stale, .. }) = &mut date.what
            {
                moved.sort_unstable_by_key(|moved| names.get(moved.item));
                ends_stale.sort_unstable_by_key(|id| names.get(*id));
            }
        }
        let key = |date: &ForecastDate| {
            let name = date.what.subject().map(|subject| names.get(subject.name()));
            (date.at, date.what.coming(), name)
        };
        dates.sort_by(|a, b| key(a).cmp(&key(b)));
        // Frozen and unfrozen in one instant, an account comes at risk once.
        dates.dedup_by(|a, b| key(a) == key(b));
        dates
    }
}

/// The last instant before `at`.
fn just_before(at: Timestamp) -> Timestamp {
    Timestamp::from_ms(at.ms() - 1).unwrap_or(Timestamp::MIN)
}

impl FoldState {
    /// The instant from which the provider may remove a kept backup as stale, by the version in force.
    pub(crate) fn stale_at(&self, backup: &Backup, rules: Rules<'_>) -> Option<Timestamp> {
        let stale_after = rules.version(self).stale_after;
        backup.completed_at.and_then(|at| stale_after.after(at, &rules.policy.zone))
    }
}
