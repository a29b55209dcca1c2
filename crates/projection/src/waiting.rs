//! From when on an act would have been lawful, if time had passed and nobody had done anything.
//!
//! Time changes more than its own items: deadlines fall, and what falls leaves the trash less full and may
//! end a condition of a stage; versions take effect. So all that can fall is let fall. From one such change to
//! the next only windows end that have begun: those are the instants to try.

use std::collections::BTreeSet;

use event::{Kind, NameId, PurgeCause, Step, Timestamp};
use policy::{Act, Window};

use crate::fold::Rules;
use crate::state::ids;
use crate::{FindingCode, FoldState, ItemState, Lawful, LawfulWhen, Subject};

/// The number that the subject has in a state of its own.
const ALONE: NameId = NameId(0);

/// An act that waits.
pub(crate) struct Waiting<'w, 'a> {
    pub step: &'w Step,
    /// Of what it was found; `None`: of the account.
    pub subject: Option<Subject>,
    /// Whether it is the account's first event, and stays that wherever it is moved.
    pub is_first: bool,
    /// What must not be found.
    pub against: &'w [FindingCode],
    pub rules: Rules<'a>,
}

impl FoldState {
    /// This state with no other item or backup than `subject`, which is number 0; where others count,
    /// `with_trash`, also what is trashed. What all of them use stays.
    fn alone(&self, subject: Option<Subject>, with_trash: bool) -> FoldState {
        let mut alone = FoldState {
            tiers: self.tiers.clone(),
            holds: self.holds.clone(),
            sync: self.sync.clone(),
            activity: self.activity.clone(),
            conditions: self.conditions.clone(),
            ..FoldState::empty(self.instant, self.last, self.version, self.first_version)
        };
        alone.held_before = self.held_before;
        alone.standing = self.standing;
        alone.quota_bytes = self.quota_bytes;
        let mut own = None;
        match subject {
            Some(Subject::Item(id)) => {
                own = Some(id);
                if let Some(item) = self.item(id) {
                    alone.put_item(ALONE, item.clone());
                }
            }
            Some(Subject::Backup(id)) => {
                if let Some(backup) = self.backup(id) {
                    alone.put_backup(ALONE, backup.clone());
                }
            }
            None => {}
        }
        if with_trash {
            let others = ids(&self.trashed).into_iter().filter(|id| Some(*id) != own);
            for (number, id) in (1..).zip(others) {
                alone.put_item(NameId(number), self.item(id).expect("trashed").clone());
            }
        }
        alone.bytes = self.bytes;
        alone
    }

    /// When time next brings anything about that is not the end of a window asked for.
    fn next_change(&self, rules: Rules<'_>) -> Option<Timestamp> {
        let version = rules.policy.versions.get(self.version + 1).map(|v| v.effective_from);
        let deadline = self.deadlines.first().map(|(at, _)| *at);
        version.into_iter().chain(deadline).min()
    }
}

impl Waiting<'_, '_> {
    /// The first instant from the step's own on, `state` being that just before it, and until when; `None`:
    /// never.
    pub fn from(&self, state: &FoldState) -> Option<Lawful> {
        let mut later = state.alone(self.subject, self.rules.watches);
        let mut since = self.step.occurred_at;
        let mut met: Option<Lawful> = None;
        loop {
            let next = later.next_change(self.rules);
            let mut instants = BTreeSet::from([since]);
            if met.is_none() {
                instants.extend(self.ends(&later));
            }
            let stretch = instants.range(since..).take_while(|at| next.is_none_or(|to| **at < to));
            for &at in stretch {
                match (&mut met, self.is_found(&later, at)) {
                    (None, false) => {
                        let lawful = self.lawful(&later, at);
                        // What is expired stays so.
                        if lawful.when == LawfulWhen::WindowEnded {
                            return Some(lawful);
                        }
                        met = Some(lawful);
                        break;
                    }
                    (Some(met), true) => {
                        met.until = Some(at);
                        return Some(met.clone());
                    }
                    _ => {}
                }
            }
            let Some(next) = next else { return met };
            later.pass(next, false, self.rules);
            since = next;
        }
    }

    fn category(&self, later: &FoldState) -> Option<NameId> {
        self.item(later)?.category
    }

    fn item<'s>(&self, later: &'s FoldState) -> Option<&'s crate::Item> {
        matches!(self.subject, Some(Subject::Item(_))).then(|| later.item(ALONE)).flatten()
    }

    /// The instants at which windows end that may make it lawful, as `later` stands.
    fn ends(&self, later: &FoldState) -> Vec<Timestamp> {
        let (rules, zone) = (self.rules, &self.rules.policy.zone);
        let after = |window: Window, at: Option<Timestamp>| window.after(at?, zone);
        let notice = rules.version(later).notice;
        let stale_at = later.backup(ALONE).and_then(|backup| later.stale_at(backup, rules));
        let of_account = [later.inactive_at(rules), after(notice, later.activity.notified_at)];
        let mut ends = later.stage_instants(self.category(later), rules);
        ends.extend(of_account.into_iter().chain([stale_at]).flatten());
        ends
    }

    /// Whether the step at `at`, up to which nothing changes in `later`, gives what must not be found.
    fn is_found(&self, later: &FoldState, at: Timestamp) -> bool {
        let subject = self.step.subject.filter(|_| self.subject.is_none()).or(Some(ALONE));
        let step = Step { subject, occurred_at: at, ..*self.step };
        let own = self.subject.map(|subject| match subject {
            Subject::Item(_) => Subject::Item(ALONE),
            Subject::Backup(_) => Subject::Backup(ALONE),
        });
        let mut then = match self.is_first {
            true => FoldState::before(&step, self.rules),
            false => later.alone(own, false),
        };
        then.apply(&step, self.rules);
        then.findings.iter().any(|found| self.against.contains(&found.code))
    }

    /// On what condition it is lawful at `at`, where nothing is found.
    fn lawful(&self, later: &FoldState, at: Timestamp) -> Lawful {
        let rules = self.rules;
        let given = self.step.purge_cause;
        let inactive = later.is_inactive(at, rules) && !later.is_exempt(rules);
        let when = |when| Lawful { from: Some(at), ..Lawful::when(when) };
        let by_stage = |stage: Option<&str>, cause| Lawful {
            stage: stage.map(str::to_owned),
            cause,
            ..when(LawfulWhen::StageReached)
        };
        let (category, trashed) = match self.subject {
            None => {
                let act = match self.step.kind {
                    Kind::AccountFrozen => Act::Freeze,
                    Kind::DataCleared => Act::Clear,
                    _ => Act::Terminate,
                };
                return match () {
                    () if self.against.contains(&FindingCode::ClearedWithoutNotice) => {
                        when(LawfulWhen::Notified)
                    }
                    () if inactive || self.is_first => when(LawfulWhen::Inactive),
                    () => by_stage(later.admits(act, at, rules), None),
                };
            }
            Some(Subject::Item(_)) => {
                let state = self.item(later).map(|item| item.state);
                if state == Some(ItemState::Expired) {
                    return when(LawfulWhen::WindowEnded);
                }
                (self.category(later), state == Some(ItemState::Trashed))
            }
            Some(Subject::Backup(_)) => {
                let stale_at = later.backup(ALONE).and_then(|b| later.stale_at(b, rules));
                if stale_at.is_some_and(|stale_at| stale_at <= at) {
                    return when(LawfulWhen::Stale);
                }
                (None, false)
            }
        };
        if inactive && given == Some(PurgeCause::Inactivity) {
            return when(LawfulWhen::Inactive);
        }
        let admission = later.admission(given, category, trashed, at, rules);
        let stage = admission.map(|admission| admission.stage);
        let asks = |name| rules.version(later).stages[name].notice != Window::Never;
        match self.against.contains(&FindingCode::ClearedWithoutNotice) && stage.is_some_and(asks) {
            true => Lawful { when: LawfulWhen::Notified, ..by_stage(stage, given) },
            false => by_stage(stage, given),
        }
    }
}
