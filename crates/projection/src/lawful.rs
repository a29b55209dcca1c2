//! What the policy would have allowed where something was found: on what condition the same act would
//! have given no such finding, and from when or until when.
//!
//! It is derived on demand from the fold just before the event, and no part of any state. An instant
//! is the first, or the last, at which the act gives no such finding if nothing else happens in between;
//! time passes, and later versions of the policy take effect.

use std::collections::{BTreeMap, BTreeSet};

use event::{History, Kind, NameId, PurgeCause, Step, Timestamp};
use policy::{Policy, Window};

use crate::fold::Rules;
use crate::stages::watches;
use crate::{Changed, Finding, FindingCode, FoldState, ItemState, Subject, fold_traced};

event::words! {
    /// On what condition the act would have been lawful.
    LawfulWhen {
        /// From the end of the trash window on.
        WindowEnded = 0 "window_ended",
        /// Of a backup: from when it is stale on.
        Stale = 1 "stale",
        /// From when the account is inactive and its tier not exempt on; a purge has to say so as its
        /// cause.
        Inactive = 2 "inactive",
        /// Long enough after a notice that follows the last activity.
        Notified = 3 "notified",
        /// Once no hold stands.
        HoldReleased = 4 "hold_released",
        /// Before the end of the trash window.
        WithinWindow = 5 "within_window",
        /// From the end of the trash window to the end of the lag for purging.
        WithinLag = 6 "within_lag",
        /// With no more bytes used than the limit.
        WithinQuota = 7 "within_quota",
        /// Once sync of the category is on again.
        SyncOn = 8 "sync_on",
        /// Recorded by then.
        RecordedInTime = 9 "recorded_in_time",
        /// With its upload, or a backup's completion, on record before.
        OnRecord = 10 "on_record",
        /// By way of the trash.
        Trashed = 11 "trashed",
        /// Uploaded anew: never by this act.
        UploadedAnew = 12 "uploaded_anew",
        /// By the user alone.
        ByUser = 13 "by_user",
        /// From when a stage of the policy that admits it is reached on.
        StageReached = 14 "stage_reached",
    }
}

/// What the policy would have allowed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Lawful {
    /// On what condition.
    pub when: LawfulWhen,
    /// The first instant, from the event's on, at which it is met; `None`: no instant is known.
    pub from: Option<Timestamp>,
    /// Until when it is met: with [`LawfulWhen::WithinWindow`] the instant itself is too late, with the
    /// others it is still in time.
    pub until: Option<Timestamp>,
    /// With [`LawfulWhen::WithinQuota`]: the bytes used just before, and those that are allowed.
    pub bytes: Option<(u128, u64)>,
    /// With [`LawfulWhen::StageReached`] of an item or backup: the cause that a purge has to give.
    pub cause: Option<PurgeCause>,
}

impl Lawful {
    const fn when(when: LawfulWhen) -> Lawful {
        Lawful { when, from: None, until: None, bytes: None, cause: None }
    }
}

/// What would have been lawful in place of each of `findings`, which were found in `history` under
/// `policy` as of `as_of` and as known at `known_at`; in their order. The account is replayed once.
#[must_use]
pub fn lawful_then(
    history: &History,
    policy: &Policy,
    as_of: Timestamp,
    known_at: Timestamp,
    findings: &[Finding],
) -> Vec<Lawful> {
    if findings.is_empty() {
        return Vec::new();
    }
    let rules = Rules { policy, names: &history.names };
    let seen: Vec<&Step> = history.steps_seen(as_of, known_at).collect();
    let lapses = match findings.iter().any(|found| found.code == FindingCode::OverduePurge) {
        true => lapses(history, policy, as_of, known_at),
        false => BTreeMap::new(),
    };
    let mut lawful: Vec<Option<Lawful>> = vec![None; findings.len()];
    let mut of_events: Vec<(u64, usize)> = Vec::new();
    for (n, finding) in findings.iter().enumerate() {
        match (finding.code, finding.subject) {
            (FindingCode::OverduePurge, Some(subject)) => {
                let lapses = lapses.get(&subject.name()).map_or(&[][..], Vec::as_slice);
                let before = lapses.partition_point(|lapse| *lapse <= finding.at);
                let from = before.checked_sub(1).map(|last| lapses[last]);
                let when = Lawful::when(LawfulWhen::WithinLag);
                lawful[n] = Some(Lawful { from, until: Some(finding.at), ..when });
            }
            _ => of_events.push((finding.event.revision, n)),
        }
    }
    of_events.sort_unstable();
    let mut state: Option<FoldState> = None;
    for (place, &step) in seen.iter().enumerate() {
        let state = state.get_or_insert_with(|| FoldState::before(step, rules));
        let first = of_events.partition_point(|(revision, _)| *revision < step.revision);
        let own = of_events[first..].iter().take_while(|(revision, _)| *revision == step.revision);
        for &(_, n) in own {
            state.pass(step.occurred_at, false, rules);
            let later = &seen[place + 1..];
            let (finding, is_first) = (&findings[n], place == 0);
            lawful[n] = Some(Act { state, step, later, is_first, finding, rules }.lawful());
        }
        state.apply(step, rules);
    }
    lawful.into_iter().map(|l| l.expect("a finding is of an event that was folded")).collect()
}

/// When each item expired, in order of time.
fn lapses(
    history: &History,
    policy: &Policy,
    as_of: Timestamp,
    known_at: Timestamp,
) -> BTreeMap<NameId, Vec<Timestamp>> {
    let mut lapses: BTreeMap<NameId, Vec<Timestamp>> = BTreeMap::new();
    let traced = fold_traced(history, policy, as_of, known_at);
    for change in traced.into_iter().flat_map(|(_, changes)| changes) {
        if let Changed::Item { item, to: ItemState::Expired, .. } = change.changed {
            lapses.entry(item).or_default().push(change.at);
        }
    }
    lapses
}

/// The number that the subject has in a state of its own.
const ALONE: NameId = NameId(0);

/// What is found of a purge that nothing admits.
const NOT_ADMITTED: [FindingCode; 5] = [
    FindingCode::PrematurePurge,
    FindingCode::LossAfterSyncOff,
    FindingCode::LossOverQuota,
    FindingCode::LossOnTierLapse,
    FindingCode::PurgeWithoutCause,
];

impl FoldState {
    /// This state with no other item or backup than `subject`, which is number 0.
    fn alone(&self, subject: Option<Subject>) -> FoldState {
        let mut alone = FoldState {
            tiers: self.tiers.clone(),
            holds: self.holds.clone(),
            sync: self.sync.clone(),
            activity: self.activity.clone(),
            ..FoldState::empty(self.instant, self.last, self.version, self.first_version)
        };
        alone.held_before = self.held_before;
        alone.standing = self.standing;
        alone.quota_bytes = self.quota_bytes;
        match subject {
            Some(Subject::Item(id)) => {
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
        alone
    }
}

/// An event that something was found in, and the state just before it.
struct Act<'s, 'a> {
    state: &'s FoldState,
    step: &'s Step,
    /// The steps after it, in fold order.
    later: &'s [&'s Step],
    /// Whether it is the account's first event, and stays that wherever it is moved.
    is_first: bool,
    finding: &'s Finding,
    rules: Rules<'a>,
}

impl Act<'_, '_> {
    fn lawful(&self) -> Lawful {
        use FindingCode as C;
        use LawfulWhen as W;
        let when = Lawful::when;
        let code = self.finding.code;
        match code {
            C::PrematurePurge => self.purge_by_waiting(),
            C::LossAfterSyncOff | C::LossOverQuota | C::LossOnTierLapse | C::PurgeWithoutCause => {
                self.purge_for_a_cause()
            }
            C::TrashedByProvider => when(W::ByUser),
            C::ClearedWhileActive | C::FrozenWhileActive | C::TerminatedWhileActive => {
                let from = self.by_waiting(self.step, &[code]);
                let inactive = from.is_none_or(|from| {
                    let then = self.at(from);
                    then.is_inactive(from, self.rules) && !then.is_exempt(self.rules)
                });
                let way = if inactive { W::Inactive } else { W::StageReached };
                Lawful { from, ..when(way) }
            }
            C::ClearedWithoutNotice => {
                // Of an item or a backup: when the stage no longer admits it, it is a breach.
                let and: &[C] = if self.finding.subject.is_some() { &NOT_ADMITTED } else { &[] };
                let codes = [&[code], and].concat();
                Lawful { from: self.by_waiting(self.step, &codes), ..when(W::Notified) }
            }
            C::Resurrected => when(W::UploadedAnew),
            C::PurgedUnderHold => {
                let mut holds = self.state.holds.clone();
                let from = self.first_at_whose_end(|s| {
                    match (s.kind, s.subject) {
                        (Kind::HoldPlaced, Some(hold)) => holds.insert(hold),
                        (Kind::HoldReleased, Some(hold)) => holds.remove(&hold),
                        _ => false,
                    };
                    holds.is_empty()
                });
                Lawful { from, ..when(W::HoldReleased) }
            }
            C::OverduePurge => unreachable!("not of an event alone"),
            C::RestoredAfterWindow => {
                let item = self.finding.subject.and_then(|s| self.state.item(s.name()));
                let until = item.and_then(|item| item.recoverable_until());
                Lawful { until, ..when(W::WithinWindow) }
            }
            C::UploadWhileSyncOff => {
                let mut is_on = false;
                let from = self.first_at_whose_end(|s| {
                    match s.kind {
                        Kind::SyncOn if s.word == self.step.word => is_on = true,
                        Kind::SyncOff if s.word == self.step.word => is_on = false,
                        _ => {}
                    }
                    is_on
                });
                Lawful { from, ..when(W::SyncOn) }
            }
            C::UploadOverQuota => {
                let used = self.state.used_bytes(self.rules);
                let limit = self.state.limit_bytes(self.rules);
                Lawful { bytes: limit.map(|limit| (used, limit)), ..when(W::WithinQuota) }
            }
            C::UnknownItem => when(W::OnRecord),
            C::PurgedWithoutTrash => when(W::Trashed),
            C::LateRecorded => {
                let late_after = self.rules.version(self.state).late_after;
                let until = late_after.after(self.step.occurred_at, &self.rules.policy.zone);
                Lawful { until, ..when(W::RecordedInTime) }
            }
        }
    }

    /// The first instant at whose end `is_met`, which is told the later steps one after the other.
    fn first_at_whose_end(&self, mut is_met: impl FnMut(&Step) -> bool) -> Option<Timestamp> {
        let mut met = None;
        for step in self.later {
            if met.is_some_and(|at| step.occurred_at > at) {
                break;
            }
            met = is_met(step).then_some(step.occurred_at);
        }
        met
    }

    /// The state at `at`, before its events, nothing else happening before. Where the policy has items rest
    /// on each other it is that of the whole account, else the subject alone.
    fn at(&self, at: Timestamp) -> FoldState {
        let mut state = self.start();
        state.pass(at, false, self.rules);
        state
    }

    fn start(&self) -> FoldState {
        match watches(self.rules.policy) {
            true => FoldState { findings: Vec::new(), late: None, ..self.state.clone() },
            false => self.state.alone(self.finding.subject),
        }
    }

    /// What the finding is about, as [`Act::start`] numbers it.
    fn subject(&self) -> Option<Subject> {
        match self.finding.subject {
            Some(Subject::Item(_)) if !watches(self.rules.policy) => Some(Subject::Item(ALONE)),
            Some(Subject::Backup(_)) if !watches(self.rules.policy) => Some(Subject::Backup(ALONE)),
            subject => subject,
        }
    }

    /// By what a purge of the subject that gives `cause` is admitted at `at`.
    fn way(&self, cause: Option<PurgeCause>, at: Timestamp) -> LawfulWhen {
        let then = self.at(at);
        let inactive = then.is_inactive(at, self.rules) && !then.is_exempt(self.rules);
        let (expired, stale) = match self.subject() {
            Some(Subject::Item(id)) => {
                (then.item(id).is_some_and(|item| item.state == ItemState::Expired), false)
            }
            Some(Subject::Backup(id)) => {
                let stale_at = then.backup(id).and_then(|b| then.stale_at(b, self.rules));
                (false, stale_at.is_some_and(|stale_at| stale_at <= at))
            }
            None => (false, false),
        };
        match () {
            () if expired => LawfulWhen::WindowEnded,
            () if stale => LawfulWhen::Stale,
            () if inactive && cause == Some(PurgeCause::Inactivity) => LawfulWhen::Inactive,
            () => LawfulWhen::StageReached,
        }
    }

    /// Of a purge from the trash: by its own cause.
    fn purge_by_waiting(&self) -> Lawful {
        let from = self.by_waiting(self.step, &NOT_ADMITTED);
        let given = self.step.purge_cause;
        let when = from.map_or(LawfulWhen::WindowEnded, |from| self.way(given, from));
        let cause = given.filter(|_| when == LawfulWhen::StageReached);
        Lawful { from, cause, ..Lawful::when(when) }
    }

    /// Of a purge of what nobody deleted: the same act as a purge of this one for inactivity, or, where a
    /// stage may admit it sooner, over quota.
    fn purge_for_a_cause(&self) -> Lawful {
        let is_item = matches!(self.finding.subject, Some(Subject::Item(_)));
        let kind = if is_item { Kind::ItemPurged } else { Kind::BackupPurged };
        let causes: &[PurgeCause] = match watches(self.rules.policy) {
            true => &[PurgeCause::Inactivity, PurgeCause::Quota],
            false => &[PurgeCause::Inactivity],
        };
        let by = |&cause: &PurgeCause| {
            let purge_cause = Some(cause);
            let purge = Step { kind, purge_cause, delete_backups: false, ..*self.step };
            let from = self.by_waiting(&purge, &NOT_ADMITTED)?;
            Some((from, self.step.purge_cause != purge_cause, cause))
        };
        // The first; of two the one that it gave itself.
        let Some((from, _, cause)) =
            causes.iter().filter_map(by).min_by_key(|(from, other, _)| (*from, *other))
        else {
            return Lawful::when(LawfulWhen::Inactive);
        };
        let when = self.way(Some(cause), from);
        let cause = (when == LawfulWhen::StageReached).then_some(cause);
        Lawful { from: Some(from), cause, ..Lawful::when(when) }
    }

    /// Whether `step` in place of the event gives a finding of one of `codes` of the same subject.
    fn is_found(&self, step: &Step, codes: &[FindingCode]) -> bool {
        let subject = self.subject();
        let mut then = match self.is_first {
            true => FoldState::before(step, self.rules),
            false => self.start(),
        };
        let of_act = step.subject.filter(|_| subject.is_none());
        let of_act = of_act.or(subject.map(|subject| subject.name())).or(Some(ALONE));
        then.apply(&Step { subject: of_act, ..*step }, self.rules);
        let is_it = |found: &&Finding| codes.contains(&found.code) && found.subject == subject;
        then.findings.iter().any(|found| is_it(&found))
    }

    /// The first instant, from the event's own on, at which `step` gives no finding of `codes`, nothing else
    /// happening before.
    fn by_waiting(&self, step: &Step, codes: &[FindingCode]) -> Option<Timestamp> {
        let zone = &self.rules.policy.zone;
        let rests_on_others = watches(self.rules.policy);
        let subject = self.subject().map(|subject| subject.name());
        let mut later = self.start();
        let mut instants = BTreeSet::from([self.step.occurred_at]);
        loop {
            let version = self.rules.version(&later);
            let item = subject.and_then(|id| later.item(id));
            let backup = subject.and_then(|id| later.backup(id));
            instants.extend(later.inactive_at(self.rules));
            instants.extend(item.and_then(|item| item.recoverable_until()));
            let after = |window: Window, at: Option<Timestamp>| window.after(at?, zone);
            instants.extend(after(version.stale_after, backup.and_then(|b| b.completed_at)));
            instants.extend(after(version.notice, later.activity.notified_at));
            instants.extend(later.stage_instants(self.rules));
            let next = self.rules.policy.versions.get(later.version + 1).map(|v| v.effective_from);
            // What falls can end a condition, and a full trash.
            let falls = later.deadlines.first().map(|(at, _)| *at).filter(|_| rests_on_others);
            let Some(border) = next.into_iter().chain(falls).min() else { break };
            instants.extend(next.filter(|next| *next == border));
            later.pass(border, false, self.rules);
        }
        let mut later = instants.into_iter().filter(|at| *at >= self.step.occurred_at);
        later.find(|at| !self.is_found(&Step { occurred_at: *at, ..*step }, codes))
    }
}
