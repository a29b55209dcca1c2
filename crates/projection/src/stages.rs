//! Conditions that hold for a time, and what a policy's stages admit of the provider by then: over
//! quota, a trash that is full, a category without activity (docs/policies.md, stages).

use event::{Kind, NameId, PurgeCause, Step, Timestamp};
use policy::{Act, Policy, Shortens, Stage, Version, When};
use serde::{Deserialize, Serialize};

use crate::fold::Rules;
use crate::state::{ids, place};
use crate::{ChangeSource, FoldState, Trashing};

/// The conditions of an account. Kept only under a policy that asks for them ([`watches`]).
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Conditions {
    /// Bytes used and the limit when they were last looked at.
    measured: (u128, Option<u64>),
    over: Option<Held>,
    /// By the version in force.
    trash_full: Option<Held>,
    /// By number of name: no activity in the category.
    categories: Vec<Option<Held>>,
    /// The versions, by index, whose rules have the trash full.
    full_by: Vec<usize>,
}

/// A condition that has held without a break.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
struct Held {
    since: Timestamp,
    /// The earliest `inactivity_notified` folded since: if any gave notice long enough before a
    /// purge, this one did.
    notified_at: Option<Timestamp>,
}

/// What admits a purge by the provider.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Admission<'a> {
    /// The first stage, by name, that does: of those that have their notice, where any has.
    pub stage: &'a str,
    /// A stage over quota does: such a purge does not end the condition.
    pub over_quota: bool,
    /// No stage that admits it has had the notice that it asks for.
    pub unnoticed: bool,
}

/// A stage of the policy in force, and how far an account is on the way to it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StageAt<'a> {
    /// Its name.
    pub name: &'a str,
    /// Its rules.
    pub stage: &'a Stage,
    /// The category, where each has a clock of its own.
    pub category: Option<NameId>,
    /// Since when the condition has held; `None`: it does not.
    pub since: Option<Timestamp>,
    /// When the stage is, or was, reached if nothing else happens; `None`: never.
    pub reached_at: Option<Timestamp>,
}

impl Held {
    fn from(since: Timestamp) -> Held {
        Held { since, notified_at: None }
    }

    /// When the first notice is old enough for `stage`; `None`: none was given, or none is asked.
    fn noticed_at(self, stage: &Stage, rules: Rules<'_>) -> Option<Timestamp> {
        stage.notice.after(self.notified_at?, &rules.policy.zone)
    }
}

/// Whether any version of a policy asks for conditions.
pub(crate) fn watches(policy: &Policy) -> bool {
    policy.versions.iter().any(|v| !v.stages.is_empty() || v.trash.full.is_some())
}

impl FoldState {
    /// Looks at use, limit and trash after something happened at `at`. `admitted`: it was a purge
    /// that a stage over quota admits.
    pub(crate) fn look(
        &mut self,
        at: Timestamp,
        admitted: bool,
        source: ChangeSource,
        rules: Rules<'_>,
    ) {
        if !rules.watches {
            return;
        }
        let measured = (self.used_bytes(rules), self.limit_bytes(rules));
        if self.is_over_quota(rules) {
            self.conditions.over.get_or_insert(Held::from(at));
        } else if !admitted && measured != self.conditions.measured {
            self.conditions.over = None;
        }
        self.conditions.measured = measured;
        match self.has_full_trash(rules.version(self), rules) {
            true => {
                self.conditions.trash_full.get_or_insert(Held::from(at));
            }
            false => self.conditions.trash_full = None,
        }
        for index in 0..rules.policy.versions.len() {
            let full = self.has_full_trash(&rules.policy.versions[index], rules);
            match (full, self.conditions.full_by.binary_search(&index)) {
                (true, Err(place)) => self.conditions.full_by.insert(place, index),
                (false, Ok(place)) => _ = self.conditions.full_by.remove(place),
                _ => continue,
            }
            self.fullness_changed(index, at, source, rules);
        }
    }

    /// Whether the rules of `version` have the trash full now.
    pub(crate) fn has_full_trash(&self, version: &Version, rules: Rules<'_>) -> bool {
        version.trash.full.is_some_and(|full| {
            let kept = self.bytes.live + self.bytes.backups;
            full.is_full(self.bytes.trashed, kept, self.limit_bytes(rules))
        })
    }

    /// The trash came to be full, or no longer full, by the version of this index.
    fn fullness_changed(
        &mut self,
        version: usize,
        at: Timestamp,
        source: ChangeSource,
        rules: Rules<'_>,
    ) {
        let full = self.conditions.full_by.contains(&version);
        let rule = rules.policy.versions[version].trash.full.expect("it can be full");
        if !full && rule.shortens == Shortens::OnceFull {
            return;
        }
        for id in ids(&self.trashed) {
            let item = self.item(id).expect("trashed");
            let trashing = item.trashing.as_ref().expect("a trashed item was trashed");
            if trashing.version == version {
                let trashing = Trashing { shortened: full, ..trashing.clone() };
                let trashing = self.shortened(trashing, at, rules);
                self.set_deadline(id, trashing, at, source);
            }
        }
    }

    /// `trashing` with the deadline that its window and a full trash leave it at `at`: the shorter
    /// window ends no item before the instant that made it count.
    pub(crate) fn shortened(
        &self,
        mut trashing: Trashing,
        at: Timestamp,
        rules: Rules<'_>,
    ) -> Trashing {
        trashing.deadline = trashing.end;
        let trash = &rules.policy.versions[trashing.version].trash;
        if let Some(full) = trash.full.filter(|_| trashing.shortened) {
            let from = trashing.counted_from;
            let short = trash.deadline(from, full.window, &rules.policy.zone);
            let short = short.map(|short| short.max(from).max(at));
            trashing.deadline = [trashing.end, short].into_iter().flatten().min();
        }
        trashing
    }

    /// Counts `step` for the categories: what it names begins their clocks, an activity begins
    /// them anew.
    pub(crate) fn count_categories(&mut self, step: &Step, rules: Rules<'_>) {
        if !rules.watches {
            return;
        }
        let at = step.occurred_at;
        if step.kind == Kind::InactivityNotified {
            let conditions = &mut self.conditions;
            let held = [&mut conditions.over, &mut conditions.trash_full];
            let held = held.into_iter().chain(&mut conditions.categories).flatten();
            held.for_each(|held| held.notified_at = held.notified_at.or(Some(at)));
        }
        let category = self.category_named_by(step);
        let version = rules.version(self);
        let counts = version.actors.contains(step.actor);
        if let Some(category) = category {
            let clock = place(&mut self.conditions.categories, category);
            if counts && version.resets.contains(step.kind) {
                *clock = None;
            }
            clock.get_or_insert(Held::from(at));
        }
        if counts && version.everywhere.contains(step.kind) {
            let clocks = self.conditions.categories.iter_mut().flatten();
            clocks.for_each(|held| *held = Held::from(at));
        }
    }

    /// The category that a step is about: the one that it names, or that of its item.
    fn category_named_by(&self, step: &Step) -> Option<NameId> {
        match step.kind {
            Kind::SyncOn | Kind::SyncOff | Kind::Synced | Kind::ItemUploaded => step.word,
            Kind::ItemModified | Kind::ItemTrashed | Kind::ItemRestored | Kind::ItemPurged => {
                self.item(step.subject?)?.category
            }
            _ => None,
        }
    }

    /// The condition of `stage` for what is of `category`, if it holds; of an exempt tier no
    /// category is inactive.
    fn held_for(&self, stage: &Stage, category: Option<NameId>, rules: Rules<'_>) -> Option<Held> {
        match stage.when {
            When::OverQuota => self.conditions.over,
            When::TrashFull => self.conditions.trash_full,
            When::CategoryInactive if self.is_exempt(rules) => None,
            When::CategoryInactive => {
                self.conditions.categories.get(category?.index()).copied().flatten()
            }
        }
    }

    fn is_reached(stage: &Stage, held: Held, at: Timestamp, rules: Rules<'_>) -> bool {
        stage.after.after(held.since, &rules.policy.zone).is_some_and(|reached| reached <= at)
    }

    /// The first stage, by name, that admits `act` on the account at `at`.
    pub(crate) fn admits<'a>(&self, act: Act, at: Timestamp, rules: Rules<'a>) -> Option<&'a str> {
        let mut stages = rules.version(self).stages.iter();
        let admitting = stages.find(|(_, stage)| {
            stage.admits.contains(act)
                && self
                    .held_for(stage, None, rules)
                    .is_some_and(|held| FoldState::is_reached(stage, held, at, rules))
        });
        admitting.map(|(name, _)| name.as_str())
    }

    /// When, of the stages as the conditions stand, one is reached for what is of `category`, and a
    /// notice for it is old enough.
    pub(crate) fn stage_instants(
        &self,
        category: Option<NameId>,
        rules: Rules<'_>,
    ) -> Vec<Timestamp> {
        let mut instants = Vec::new();
        for stage in rules.version(self).stages.values() {
            let Some(held) = self.held_for(stage, category, rules) else { continue };
            instants.extend(stage.after.after(held.since, &rules.policy.zone));
            instants.extend(held.noticed_at(stage, rules));
        }
        instants
    }

    /// What admits that the provider purges at `at`, giving `given`, something of `category` that
    /// is or is not trashed; `None`: no stage.
    pub(crate) fn admission<'a>(
        &self,
        given: Option<PurgeCause>,
        category: Option<NameId>,
        trashed: bool,
        at: Timestamp,
        rules: Rules<'a>,
    ) -> Option<Admission<'a>> {
        let category_name = category.map(|category| rules.names.get(category));
        let mut admission: Option<Admission> = None;
        for (name, stage) in &rules.version(self).stages {
            let asked = match stage.when {
                When::OverQuota | When::TrashFull => PurgeCause::Quota,
                When::CategoryInactive => PurgeCause::Inactivity,
            };
            if given != Some(asked) || !stage.admits_purge(category_name, trashed) {
                continue;
            }
            let Some(held) = self.held_for(stage, category, rules) else { continue };
            if !FoldState::is_reached(stage, held, at, rules) {
                continue;
            }
            let noticed = stage.notice == policy::Window::Never
                || held.noticed_at(stage, rules).is_some_and(|told| told <= at);
            let first = Admission { stage: name, over_quota: false, unnoticed: true };
            let so_far = admission.unwrap_or(first);
            admission = Some(Admission {
                stage: if noticed && so_far.unnoticed { name } else { so_far.stage },
                over_quota: so_far.over_quota || stage.when == When::OverQuota,
                unnoticed: so_far.unnoticed && !noticed,
            });
        }
        admission
    }

    /// The stages of the version in force: by name, then by category.
    pub(crate) fn stages<'a>(&self, rules: Rules<'a>) -> Vec<StageAt<'a>> {
        let version = rules.version(self);
        let mut stages = Vec::new();
        for (name, stage) in &version.stages {
            let categories: Vec<Option<NameId>> = match stage.when {
                When::OverQuota | When::TrashFull => vec![None],
                When::CategoryInactive => self.categories_of(stage, rules),
            };
            for category in categories {
                let since = self.held_for(stage, category, rules).map(|held| held.since);
                let reached_at =
                    since.and_then(|since| stage.after.after(since, &rules.policy.zone));
                stages.push(StageAt { name, stage, category, since, reached_at });
            }
        }
        stages
    }

    /// The categories that have a clock and that `stage` is about, by name.
    fn categories_of(&self, stage: &Stage, rules: Rules<'_>) -> Vec<Option<NameId>> {
        let clocks = (0u32..).zip(&self.conditions.categories);
        let named = clocks.filter(|(_, clock)| clock.is_some()).map(|(number, _)| NameId(number));
        let mut categories: Vec<NameId> =
            named.filter(|id| stage.admits_purge(Some(rules.names.get(*id)), true)).collect();
        event::sort_by_key(&mut categories, |id| rules.names.get(*id));
        categories.into_iter().map(Some).collect()
    }
}
