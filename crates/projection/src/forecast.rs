//! What is ahead: the dates after an instant at which something changes by time alone.
//!
//! Nothing is searched for. A state is let on from border to border, where a border is an instant at
//! which a version of the policy takes effect or a step that is assumed happens; where the policy has
//! stages, each deadline too, for what falls can end their conditions. At a border it is looked at;
//! between two of them only what is known by then can come: deadlines, which the fold lets fall itself,
//! the end of the window of inactivity, backups going stale, and stages whose condition has held.

use std::collections::BTreeSet;

use event::{Actor, ErasedEvents, History, Kind, NameId, Names, Step, Timestamp};
use fixedbitset::FixedBitSet;
use policy::{Act, Policy, When};

use crate::effort::{activities_in_category, least_activity};
use crate::fold::Rules;
use crate::foresight::foresee;
use crate::state::ids;
use crate::{
    Backup, ChangeSource, Changed, FindingCode, FoldState, ItemState, StateCause, Status, Subject,
    View, fold,
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

/// What is reached.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Stage {
    /// The condition of a stage of the policy has held for as long as the stage asks.
    Reached {
        /// The version whose stage it is, by index.
        version: usize,
        /// Its name.
        name: String,
        /// The category, where each has a clock of its own.
        category: Option<NameId>,
    },
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
        /// The stages, by name and category, that are no longer reached by it.
        ends_stages: Vec<(String, Option<NameId>)>,
    },
}

impl Stage {
    /// The stage's rules, where it is one of `policy`.
    #[must_use]
    pub fn rules<'p>(&self, policy: &'p Policy) -> Option<&'p policy::Stage> {
        match self {
            Stage::Reached { version, name, .. } => policy.versions[*version].stages.get(name),
            Stage::PolicyVersion { .. } => None,
        }
    }
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
            Foreseen::Stage(Stage::PolicyVersion { .. }) => "recoverable",
            // By what it admits.
            Foreseen::Stage(Stage::Reached { .. }) => "",
        }
    }
}

impl ForecastDate {
    /// The id of the first clause that speaks of it, in the version in force then.
    #[must_use]
    pub fn clause<'p>(&self, policy: &'p Policy) -> Option<&'p str> {
        let version = policy.version_at(self.at);
        let clause = version.clause_for(self.what.cited_by());
        match &self.what {
            // What ends a window is what says how long it is.
            Foreseen::ItemExpires(_) => clause.or_else(|| version.clause_for("recoverable")),
            Foreseen::Stage(stage) => match stage.rules(policy) {
                Some(rules) => stage_cited_by(rules).find_map(|what| version.clause_for(what)),
                None => clause,
            },
            _ => clause,
        }
    }
}

/// The causes, then the findings that its acts would be without it, by which clauses speak of a stage.
fn stage_cited_by(stage: &policy::Stage) -> impl Iterator<Item = &'static str> {
    let cause = match stage.when {
        When::CategoryInactive => StateCause::InactivityCleared,
        When::OverQuota | When::TrashFull => StateCause::QuotaCleared,
    };
    let of_act = move |act: &Act| match act {
        Act::Freeze => FindingCode::FrozenWhileActive.name(),
        Act::Clear => FindingCode::ClearedWhileActive.name(),
        Act::Terminate => FindingCode::TerminatedWhileActive.name(),
        Act::Purge | Act::PurgeTrashed => cause.name(),
    };
    let purges = |act: &Act| matches!(act, Act::Purge | Act::PurgeTrashed);
    let acts: Vec<Act> = stage.admits.iter().collect();
    let (mut first, others): (Vec<Act>, Vec<Act>) = acts.into_iter().partition(purges);
    first.extend(others);
    first.into_iter().map(move |act| of_act(&act))
}

impl View<'_> {
    /// The dates after the view's instant, up to and with `until`, by instant, then in the order of
    /// [`Coming`], then by name. Where events were erased, those that are certain.
    #[must_use]
    pub fn forecast(self, until: Timestamp) -> Vec<ForecastDate> {
        if let Some(open) = &self.open {
            let erased = &ErasedEvents::default();
            return foresee(&open.worlds, erased, self.rules, self.as_of, &[], until);
        }
        Ahead::of(self.state, self.rules, self.as_of).forecast(self.as_of, &[], until)
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
    let rules = Rules::of(policy, &history.names);
    let seen = history.steps.partition_point(|step| step.occurred_at <= as_of);
    let (_, later) = history.steps.split_at(seen);
    let erased = &history.erased;
    if !erased.is_empty() {
        if let Some(view) = fold(history, policy, as_of, Timestamp::MAX) {
            let worlds = &view.open.as_ref().expect("something was erased").worlds;
            return Some(foresee(worlds, erased, rules, as_of, later, until));
        }
        if later.iter().any(|step| erased.contents.contains(&step.revision)) {
            return Some(Vec::new());
        }
    }
    match FoldState::fold(None, history, policy, as_of, Timestamp::MAX) {
        Some(mut state) => {
            state.pass(as_of, true, rules);
            Some(Ahead::of(state, rules, as_of).forecast(as_of, later, until))
        }
        None => {
            let (first, later) = later.split_first()?;
            let at = first.occurred_at;
            let mut ahead = Ahead::begin(FoldState::before(first, rules), rules);
            ahead.step(first);
            Some(ahead.forecast(at, later, until))
        }
    }
}

/// A state on its way.
pub(crate) struct Ahead<'a> {
    state: FoldState,
    rules: Rules<'a>,
    /// Whether the account was at risk when it was last looked at, and which backups were stale.
    at_risk: bool,
    stale: FixedBitSet,
    /// And the stages that were reached, each since its condition began.
    reached: BTreeSet<Reached<'a>>,
    dates: Vec<ForecastDate>,
}

/// A stage that is reached: its name, the category, and since when its condition has held.
type Reached<'a> = (&'a str, Option<NameId>, Timestamp);

impl<'a> Ahead<'a> {
    fn begin(mut state: FoldState, rules: Rules<'a>) -> Ahead<'a> {
        state.changes = Some(Vec::new());
        let (stale, reached) = (FixedBitSet::new(), BTreeSet::new());
        Ahead { state, rules, at_risk: false, stale, reached, dates: Vec::new() }
    }

    /// Of a state to which time has passed up to `now`.
    pub fn of(state: FoldState, rules: Rules<'a>, now: Timestamp) -> Ahead<'a> {
        let mut ahead = Ahead::begin(state, rules);
        ahead.at_risk = ahead.state.status(now, rules) == Status::AtRisk;
        ahead.stale = ahead.stale_backups(now);
        ahead.reached = ahead.reached_stages(now);
        ahead
    }

    /// From `now` through `steps` to `until`, with what avoids the stages that are reached.
    pub fn forecast(self, now: Timestamp, steps: &[Step], until: Timestamp) -> Vec<ForecastDate> {
        let rules = self.rules;
        let start = has_stages(rules.policy).then(|| self.state.clone());
        let mut dates = sorted(self.go(now, steps, until), rules.names);
        if let Some(start) = start {
            Avoiding { state: start, rules, now, steps }.fill_in(&mut dates);
        }
        dates
    }

    /// From `now` through `steps`, none of them earlier, to `until`; in no order.
    fn go(mut self, now: Timestamp, steps: &[Step], until: Timestamp) -> Vec<ForecastDate> {
        let mut steps = steps.iter().peekable();
        // The steps of the instant at which this begins.
        while let Some(step) = steps.next_if(|step| step.occurred_at <= now.min(until)) {
            self.step(step);
        }
        let asks_deadlines = has_stages(self.rules.policy);
        loop {
            let versions = &self.rules.policy.versions;
            let version = versions.get(self.state.version + 1).map(|v| v.effective_from);
            let step = steps.peek().map(|step| step.occurred_at);
            let first = self.state.deadlines.first().map(|(at, _)| *at);
            let deadline = first.filter(|_| asks_deadlines);
            let borders = [deadline, version, step].into_iter().flatten();
            let border = borders.min().filter(|border| *border <= until);
            self.lapse(border, until);
            let Some(border) = border else { break };
            if deadline == Some(border) {
                self.fall(border, version == Some(border));
                continue;
            }
            self.state.pass(border, false, self.rules);
            self.look_by_time(border, version == Some(border));
            while let Some(step) = steps.next_if(|step| step.occurred_at == border) {
                self.step(step);
            }
        }
        self.state.pass(until, true, self.rules);
        self.take_changes();
        self.dates.retain(|date| date.at <= until);
        self.dates
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
        if !has_stages(self.rules.policy) {
            return;
        }
        for stage in self.state.stages(self.rules) {
            let reached_at = stage.reached_at.filter(is_within);
            if let (Some(since), Some(at)) = (stage.since, reached_at)
                && self.reached.insert((stage.name, stage.category, since))
            {
                self.put_stage(stage.name, stage.category, at);
            }
        }
    }

    /// What has its deadline at `at` falls; `then_version`: a version takes effect at the same instant, and
    /// only what it leaves is looked at.
    fn fall(&mut self, at: Timestamp, then_version: bool) {
        self.state.fall(at, self.rules);
        self.take_changes();
        if then_version {
            let reached = self.reached_stages(at);
            self.reached.retain(|stage| reached.contains(stage));
        } else {
            self.look(at);
        }
    }

    /// What time has brought about up to `at`, the instant that was passed to; `is_version`: a version
    /// took effect at it.
    fn look_by_time(&mut self, at: Timestamp, is_version: bool) {
        let moved = self.take_changes();
        let Ended { risk: ends_risk, stale: ends_stale, stages: ends_stages } = self.look(at);
        let ends = ends_risk || !ends_stale.is_empty() || !ends_stages.is_empty();
        if is_version && (ends || !moved.is_empty()) {
            let version = self.state.version;
            let stage = Stage::PolicyVersion { version, moved, ends_risk, ends_stale, ends_stages };
            self.put(at, Foreseen::Stage(stage), None);
        }
    }

    fn step(&mut self, step: &Step) {
        self.state.apply(step, self.rules);
        self.take_changes();
        self.look(step.occurred_at);
    }

    /// Looks at the account at `at`, and says what has ended since it was last looked at.
    fn look(&mut self, at: Timestamp) -> Ended {
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
        let reached = self.reached_stages(at);
        let were_reached = std::mem::replace(&mut self.reached, reached.clone());
        for (name, category, _) in reached.difference(&were_reached) {
            self.put_stage(name, *category, at);
        }
        let is_left = |(name, category, _): &&Reached<'_>| {
            reached.iter().any(|(other, of, _)| (other, of) == (name, category))
        };
        let ended = were_reached.iter().filter(|was| !is_left(was));
        let stages = ended.map(|(name, category, _)| ((*name).to_owned(), *category)).collect();
        Ended { risk: was_at_risk && !at_risk, stale: ids(&no_longer), stages }
    }

    /// The stages that are reached at `at`.
    fn reached_stages(&self, at: Timestamp) -> BTreeSet<Reached<'a>> {
        if !has_stages(self.rules.policy) {
            return BTreeSet::new();
        }
        let stages = self.state.stages(self.rules).into_iter();
        let reached = stages.filter(|stage| stage.reached_at.is_some_and(|reached| reached <= at));
        reached.filter_map(|stage| Some((stage.name, stage.category, stage.since?))).collect()
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

    /// Puts down the items that expired, and gives the deadlines that a version moved: itself, or by what
    /// fell at once because of it.
    fn take_changes(&mut self) -> Vec<Moved> {
        let mut moved: Vec<Moved> = Vec::new();
        let mut by_version = false;
        let changes = self.state.changes.replace(Vec::new()).unwrap_or_default();
        for change in changes {
            by_version |= matches!(change.source, ChangeSource::PolicyVersion(_));
            match (change.changed, change.source) {
                (Changed::Item { item, to: ItemState::Expired, .. }, ChangeSource::Deadline) => {
                    let trashing = self.state.item(item).and_then(|item| item.trashing.as_ref());
                    let trashed_at = trashing.map_or(change.at, |trashing| trashing.at);
                    // Restored in time, unless it is trashed and expires in one instant.
                    let in_time = (trashed_at < change.at).then_some(Kind::ItemRestored);
                    self.put(change.at, Foreseen::ItemExpires(item), in_time);
                }
                (Changed::Deadline { item, from, to }, _) if by_version => {
                    match moved.iter_mut().find(|moved| moved.item == item) {
                        Some(moved) => moved.to = to,
                        None => moved.push(Moved { item, from, to }),
                    }
                }
                _ => {}
            }
        }
        moved.retain(|moved| moved.from != moved.to);
        moved
    }

    fn put(&mut self, at: Timestamp, what: Foreseen, avoided_by: Option<Kind>) {
        self.dates.push(ForecastDate { at, what, avoided_by });
    }

    /// What avoids it is found when all dates are known ([`Avoiding`]).
    fn put_stage(&mut self, name: &str, category: Option<NameId>, at: Timestamp) {
        let (version, name) = (self.state.version, name.to_owned());
        self.put(at, Foreseen::Stage(Stage::Reached { version, name, category }), None);
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
}

/// By instant, then in the order of [`Coming`], then by name.
fn sorted(mut dates: Vec<ForecastDate>, names: &Names) -> Vec<ForecastDate> {
    for date in &mut dates {
        if let Foreseen::Stage(Stage::PolicyVersion { moved, ends_stale, ends_stages, .. }) =
            &mut date.what
        {
            moved.sort_unstable_by_key(|moved| names.get(moved.item));
            ends_stale.sort_unstable_by_key(|id| names.get(*id));
            let name = |category: Option<NameId>| category.map(|id| names.get(id));
            ends_stages.sort_unstable_by(|a, b| (&a.0, name(a.1)).cmp(&(&b.0, name(b.1))));
        }
    }
    fn key<'k>(date: &'k ForecastDate, names: &'k Names) -> impl Ord + 'k {
        let stage = match &date.what {
            Foreseen::Stage(Stage::Reached { name, category, .. }) => {
                Some((name, category.map(|category| names.get(category))))
            }
            _ => None,
        };
        let name = date.what.subject().map(|subject| names.get(subject.name()));
        (date.at, date.what.coming(), stage, name)
    }
    dates.sort_by(|a, b| key(a, names).cmp(&key(b, names)));
    // Frozen and unfrozen in one instant, an account comes at risk once.
    dates.dedup_by(|a, b| key(a, names) == key(b, names));
    dates
}

/// What has ended.
struct Ended {
    risk: bool,
    stale: Vec<NameId>,
    stages: Vec<(String, Option<NameId>)>,
}

fn has_stages(policy: &Policy) -> bool {
    policy.versions.iter().any(|version| !version.stages.is_empty())
}

/// The acts that keep stages from being reached: tried one after the other on the state a millisecond
/// before.
struct Avoiding<'a, 's> {
    /// Goes on from date to date.
    state: FoldState,
    rules: Rules<'a>,
    now: Timestamp,
    /// Those that are not in `state` yet.
    steps: &'s [Step],
}

impl Avoiding<'_, '_> {
    /// `dates` are in order of time.
    fn fill_in(mut self, dates: &mut [ForecastDate]) {
        for date in dates {
            let Foreseen::Stage(Stage::Reached { version, name, category }) = &date.what else {
                continue;
            };
            let before = just_before(date.at);
            // Before its first event there is no account.
            if before < self.now || before == date.at {
                continue;
            }
            let by_then = self.steps.partition_point(|step| step.occurred_at <= before);
            let (seen, later) = self.steps.split_at(by_then);
            seen.iter().for_each(|step| self.state.apply(step, self.rules));
            self.steps = later;
            self.state.pass(before, true, self.rules);
            let when = self.rules.policy.versions[*version].stages[name].when;
            let acts = self.acts(when, *category, before);
            date.avoided_by = acts.iter().find(|act| self.avoids(act, date)).map(|act| act.kind);
        }
    }

    /// What may keep a condition from holding on, the least first; done at `at`.
    fn acts(&self, when: When, category: Option<NameId>, at: Timestamp) -> Vec<Step> {
        let user = |kind| self.act(kind, Actor::User, category, at);
        match when {
            When::CategoryInactive => {
                let version = self.rules.version(&self.state);
                let act = |(kind, actor)| self.act(kind, actor, category, at);
                activities_in_category(version).filter_map(act).collect()
            }
            When::TrashFull => user(Kind::TrashEmptied).into_iter().collect(),
            When::OverQuota => {
                let mut live = ids(&self.state.live);
                let bytes = |id: &NameId| self.state.item(*id).map(|item| item.bytes);
                live.sort_unstable_by_key(|id| std::cmp::Reverse((bytes(id), *id)));
                // The largest does it if any does; but where what is free counts, one that is purged can
                // keep others in the trash.
                let full = self.rules.policy.versions.iter().any(|v| v.trash.full.is_some());
                live.truncate(if full { live.len() } else { 1 });
                let purge = |item| Step { subject: Some(item), ..user(Kind::ItemPurged)? }.into();
                let purges = live.into_iter().filter_map(purge);
                let off = user(Kind::BackupOff).map(|step| Step { delete_backups: true, ..step });
                user(Kind::TrashEmptied).into_iter().chain(purges).chain(off).collect()
            }
        }
    }

    /// Such an act, which changes as little as it can; `None` where nothing is there to do it with.
    fn act(
        &self,
        kind: Kind,
        actor: Actor,
        category: Option<NameId>,
        at: Timestamp,
    ) -> Option<Step> {
        let state = &self.state;
        let payload = event::Payload::<&str>::SignedIn;
        let blank = Step::of_payload(&payload, |_| unreachable!("no strings"));
        // A name that nothing bears.
        let new = NameId(u32::try_from(self.rules.names.len()).ok()?);
        let items = (0u32..).map(NameId).zip(&state.items);
        let of_category = || {
            let mut items = items.filter_map(|(id, item)| Some((id, item.as_ref()?)));
            items.find(|(_, item)| item.category == category).map(|(id, _)| id)
        };
        let word = match kind {
            Kind::TierChanged => *state.tiers.last().expect("an account holds a tier"),
            Kind::AccountOpened => None,
            _ => category,
        };
        let subject = match kind {
            Kind::ItemModified | Kind::ItemTrashed | Kind::ItemRestored | Kind::ItemPurged => {
                Some(of_category().unwrap_or(new))
            }
            _ => Some(new),
        };
        let bytes = match kind {
            Kind::QuotaChanged => Some(state.limit_bytes(self.rules).unwrap_or(u64::MAX)),
            Kind::ItemModified => None,
            _ => Some(0),
        };
        Some(Step { occurred_at: at, recorded_at: at, kind, actor, word, subject, bytes, ..blank })
    }

    /// Whether `date` does not come once `act` is done just before.
    fn avoids(&self, act: &Step, date: &ForecastDate) -> bool {
        let mut state = self.state.clone();
        state.apply(act, self.rules);
        state.pass(act.occurred_at, true, self.rules);
        let ahead = Ahead::of(state, self.rules, act.occurred_at);
        let dates = ahead.go(act.occurred_at, self.steps, date.at);
        !dates.iter().any(|other| (other.at, &other.what) == (date.at, &date.what))
    }
}

/// The last instant before `at`.
pub(crate) fn just_before(at: Timestamp) -> Timestamp {
    Timestamp::from_ms(at.ms() - 1).unwrap_or(Timestamp::MIN)
}

impl FoldState {
    /// The instant from which the provider may remove a kept backup as stale, by the version in force.
    pub(crate) fn stale_at(&self, backup: &Backup, rules: Rules<'_>) -> Option<Timestamp> {
        let stale_after = rules.version(self).stale_after;
        backup.completed_at.and_then(|at| stale_after.after(at, &rules.policy.zone))
    }
}
