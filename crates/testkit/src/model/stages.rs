//! Conditions that hold for a time, and what the stages of a policy admit by then.
//!
//! Use, limit and trash are looked at after everything that happens; what a category's clock is,
//! is read from the events each time.

use event::{Kind, Payload, PurgeCause, Timestamp};
use policy::{Act, FullOf, Shortens, Stage, Version, When};
use serde::Serialize;

use super::past::{Past, measured_as};
use super::walk::{ItemState, Walked};

/// A condition that holds: since when, and from which place on a notice is after its beginning.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Since {
    /// The instant.
    pub at: Timestamp,
    /// The place.
    pub place: usize,
}

/// What admits a purge.
pub struct Admitted {
    /// A stage over quota is among what does.
    pub over_quota: bool,
    /// None of them has had its notice.
    pub unnoticed: bool,
}

#[allow(missing_docs, reason = "the fields are those of docs/answers.md")]
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct StageLine {
    pub stage: String,
    pub when: &'static str,
    pub category: Option<String>,
    pub since: Option<Timestamp>,
    pub reached_at: Option<Timestamp>,
    pub reached: bool,
}

impl Past<'_> {
    /// The category that the event of this index is about.
    fn category_of(&self, index: usize) -> Option<&str> {
        let item = match self.payload(index) {
            Payload::SyncOn { category }
            | Payload::SyncOff { category }
            | Payload::Synced { category }
            | Payload::ItemUploaded { category, .. } => return Some(category),
            Payload::ItemModified { item, .. }
            | Payload::ItemTrashed { item }
            | Payload::ItemRestored { item }
            | Payload::ItemPurged { item, .. } => item,
            _ => return None,
        };
        (0..index).rev().find_map(|earlier| match self.payload(earlier) {
            Payload::ItemUploaded { item: i, category, .. } if i == item => Some(category.as_str()),
            _ => None,
        })
    }

    /// Whether the event of this index is activity in `category`.
    fn is_activity_in(&self, index: usize, category: &str) -> bool {
        let version = self.policy.version_at(self.at(index));
        let kind = self.payload(index).kind();
        let named = self.category_of(index) == Some(category) && version.resets.contains(kind);
        version.actors.contains(self.events[index].event.actor)
            && (named || version.everywhere.contains(kind))
    }

    /// Since when, at `place`, nothing was done in `category`; `None`: nothing ever named it.
    fn idle(&self, place: usize, category: &str) -> Option<Since> {
        let first = (0..place).find(|index| self.category_of(*index) == Some(category))?;
        let last = (first..place).rev().find(|index| self.is_activity_in(*index, category));
        let index = last.unwrap_or(first);
        Some(Since { at: self.at(index), place: index + 1 })
    }

    fn categories(&self) -> Vec<String> {
        let named = (0..self.len()).filter_map(|index| self.category_of(index));
        let mut categories: Vec<String> = named.map(str::to_owned).collect();
        categories.sort();
        categories.dedup();
        categories
    }
}

impl Walked<'_> {
    fn version(&self) -> &Version {
        &self.past.policy.versions[self.version]
    }

    /// What is used and what is allowed, by the version in force, at `place`.
    fn measure(&self, place: usize) -> (u128, Option<u64>) {
        let limit = (0..place).rev().find_map(|index| match self.past.payload(index) {
            Payload::QuotaChanged { bytes } => Some(*bytes),
            _ => None,
        });
        let of_tier = measured_as(self.version(), self.past.tier(place)).quota;
        let trashed = if self.version().trash.counts_toward_quota { self.trashed() } else { 0 };
        (self.kept() + trashed, limit.or(of_tier))
    }

    fn trashed(&self) -> u128 {
        let trashed = self.items.values().filter(|item| item.state == ItemState::Trashed);
        trashed.map(|item| u128::from(item.bytes)).sum()
    }

    fn kept(&self) -> u128 {
        let live = self.items.values().filter(|item| item.state == ItemState::Live);
        let backups = self.backups.values().filter(|backup| backup.kept);
        live.map(|item| u128::from(item.bytes)).sum::<u128>()
            + backups.map(|backup| u128::from(backup.bytes)).sum::<u128>()
    }

    /// Whether the trash is full at `place` by the rules of the version of this index.
    #[must_use]
    pub fn is_full(&self, version: usize, place: usize) -> bool {
        let Some(full) = self.past.policy.versions[version].trash.full else { return false };
        let Some(limit) = self.measure(place).1 else { return false };
        let whole = match full.of {
            FullOf::Limit => u128::from(limit),
            FullOf::Free => u128::from(limit).saturating_sub(self.kept()),
        };
        self.trashed() * 100 > whole * u128::from(full.percent)
    }

    /// The deadline that a full trash leaves, at `place`, of one that would be `end`.
    pub(super) fn shortened(
        &self,
        item: &super::walk::Item,
        end: Option<Timestamp>,
        place: usize,
    ) -> Option<Timestamp> {
        let trashing = item.trashing?;
        let version = &self.past.policy.versions[trashing.version];
        let Some(full) = version.trash.full else { return end };
        let counts = match full.shortens {
            Shortens::WhileFull => self.is_full(trashing.version, place),
            Shortens::OnceFull => trashing.once_full,
        };
        if !counts {
            return end;
        }
        let short = version.trash.deadline(trashing.start, full.window, &self.past.policy.zone);
        let short = short.map(|short| short.max(trashing.start));
        [end, short].into_iter().flatten().min()
    }

    /// Looks at what is used and at the trash, something having happened at `at`. `admitted`: it
    /// was a purge that a stage over quota admits.
    pub(super) fn look(&mut self, place: usize, at: Timestamp, admitted: bool) {
        let now = self.measure(place);
        if now.1.is_some_and(|limit| now.0 > u128::from(limit)) {
            self.over_since = self.over_since.or(Some(Since { at, place }));
        } else if now != self.measured && !admitted {
            self.over_since = None;
        }
        self.measured = now;
        self.full_since = match self.is_full(self.version, place) {
            true => self.full_since.or(Some(Since { at, place })),
            false => None,
        };
        let full: Vec<bool> =
            (0..self.past.policy.versions.len()).map(|v| self.is_full(v, place)).collect();
        for item in self.items.values_mut().filter(|item| item.state == ItemState::Trashed) {
            let trashing = item.trashing.as_mut().unwrap();
            trashing.once_full |= full[trashing.version];
        }
    }

    fn since(
        &self,
        stage: &Stage,
        category: Option<&str>,
        place: usize,
        at: Timestamp,
    ) -> Option<Since> {
        match stage.when {
            When::OverQuota => self.over_since,
            When::TrashFull => self.full_since,
            When::CategoryInactive if self.past.exempt(place, at) => None,
            When::CategoryInactive => self.past.idle(place, category?),
        }
    }

    fn reached_at(&self, stage: &Stage, since: Since) -> Option<Timestamp> {
        stage.after.after(since.at, &self.past.policy.zone)
    }

    /// Whether a stage admits that the provider does `act` in the event of index `n`.
    pub(super) fn admits(&self, n: usize, act: Act) -> bool {
        let at = self.past.at(n);
        self.past.policy.version_at(at).stages.values().any(|stage| {
            let since = self.since(stage, None, n, at);
            let reached = since.and_then(|since| self.reached_at(stage, since));
            stage.admits.contains(act) && reached.is_some_and(|reached| reached <= at)
        })
    }

    /// What admits that the provider purges in the event of index `n`.
    pub(super) fn admitted(
        &self,
        n: usize,
        given: Option<PurgeCause>,
        category: Option<&str>,
        trashed: bool,
    ) -> Option<Admitted> {
        let at = self.past.at(n);
        let mut admitting = Vec::new();
        for stage in self.past.policy.version_at(at).stages.values() {
            let by_cause = match stage.when {
                When::CategoryInactive => given == Some(PurgeCause::Inactivity),
                When::OverQuota | When::TrashFull => given == Some(PurgeCause::Quota),
            };
            let by_act = stage.admits.contains(Act::Purge)
                || (stage.admits.contains(Act::PurgeTrashed) && trashed);
            let by_category = stage.categories.is_empty()
                || category.is_some_and(|category| stage.categories.contains(category));
            let Some(since) = self.since(stage, category, n, at) else { continue };
            let reached = self.reached_at(stage, since).is_some_and(|reached| reached <= at);
            if by_cause && by_act && by_category && reached {
                admitting.push((stage, since));
            }
        }
        let noticed = |(stage, since): &(&Stage, Since)| {
            stage.notice == policy::Window::Never
                || (since.place..n).any(|index| {
                    let told = stage.notice.after(self.past.at(index), &self.past.policy.zone);
                    self.past.payload(index).kind() == Kind::InactivityNotified
                        && told.is_some_and(|told| told <= at)
                })
        };
        if admitting.is_empty() {
            return None;
        }
        Some(Admitted {
            over_quota: admitting.iter().any(|(stage, _)| stage.when == When::OverQuota),
            unnoticed: !admitting.iter().any(noticed),
        })
    }

    /// The stages of the version in force as of T.
    #[must_use]
    pub fn stages(&self) -> Vec<StageLine> {
        let (all, at) = (self.past.len(), self.past.as_of);
        let mut lines = Vec::new();
        for (name, stage) in &self.past.policy.version_at(at).stages {
            let categories = match stage.when {
                When::OverQuota | When::TrashFull => vec![None],
                When::CategoryInactive => {
                    let about =
                        |c: &String| stage.categories.is_empty() || stage.categories.contains(c);
                    self.past.categories().into_iter().filter(about).map(Some).collect()
                }
            };
            for category in categories {
                let since = self.since(stage, category.as_deref(), all, at);
                let reached_at = since.and_then(|since| self.reached_at(stage, since));
                lines.push(StageLine {
                    stage: name.clone(),
                    when: stage.when.name(),
                    category,
                    since: since.map(|since| since.at),
                    reached_at,
                    reached: reached_at.is_some_and(|reached| reached <= at),
                });
            }
        }
        lines
    }
}
