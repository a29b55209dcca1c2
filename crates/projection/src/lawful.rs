//! What the policy would have allowed where something was found: on what condition the same act would
//! have given no such finding, and from when or until when.
//!
//! It is derived on demand from the fold just before the event, and no part of any state. An instant
//! is the first, or the last, at which the act gives no such finding if nothing else happens in between;
//! time passes, and later versions of the policy take effect.

use std::collections::BTreeMap;

use event::{History, Kind, NameId, PurgeCause, Step, Timestamp};
use policy::Policy;

use crate::fold::Rules;
use crate::waiting::Waiting;
use crate::worlds::is_of_one;
use crate::{Changed, Finding, FindingCode, FoldState, Item, ItemState, Subject, fold_traced};

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
        /// From when a stage that admits it is reached on; a purge has to give the stage's cause.
        StageReached = 14 "stage_reached",
        /// Events were erased that may matter to it.
        Undetermined = 15 "undetermined",
    }
}

/// What the policy would have allowed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lawful {
    /// On what condition.
    pub when: LawfulWhen,
    /// The first instant, from the event's on, at which it is met; `None`: no instant is known.
    pub from: Option<Timestamp>,
    /// Until when it is met, if it ends. With [`LawfulWhen::WithinLag`] and
    /// [`LawfulWhen::RecordedInTime`] the instant itself is still in time, with the others it is too late.
    pub until: Option<Timestamp>,
    /// The stage that admits it, where one does.
    pub stage: Option<String>,
    /// The cause that a purge has to give, where a stage admits it.
    pub cause: Option<PurgeCause>,
    /// With [`LawfulWhen::WithinQuota`]: the bytes used just before, and those that are allowed.
    pub bytes: Option<(u128, u64)>,
}

impl Lawful {
    pub(crate) const fn when(when: LawfulWhen) -> Lawful {
        Lawful { when, from: None, until: None, stage: None, cause: None, bytes: None }
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
    let rules = Rules::of(policy, &history.names);
    if leaves_open(history, rules) {
        return findings.iter().map(|finding| Lawful::when(whatever(finding.code))).collect();
    }
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

/// Whether events were erased that may matter to what would have been lawful: any that was erased to its
/// leaf, and any at all where the use of space does. Else a finding that is certain is of what is known.
fn leaves_open(history: &History, rules: Rules<'_>) -> bool {
    let erased = &history.erased;
    let is_lost = |step: &Step| !is_of_one(step.kind) && erased.contents.contains(&step.revision);
    !erased.is_empty()
        && (rules.watches || !erased.leaves.is_empty() || history.steps.iter().any(is_lost))
}

/// On what condition, whatever came before.
fn whatever(code: FindingCode) -> LawfulWhen {
    match code {
        FindingCode::TrashedByProvider => LawfulWhen::ByUser,
        FindingCode::Resurrected => LawfulWhen::UploadedAnew,
        FindingCode::UnknownItem => LawfulWhen::OnRecord,
        FindingCode::PurgedWithoutTrash => LawfulWhen::Trashed,
        _ => LawfulWhen::Undetermined,
    }
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
            C::PrematurePurge => self.by_waiting(&[*self.step], &PURGES, W::WindowEnded),
            C::LossAfterSyncOff | C::LossOverQuota | C::LossOnTierLapse | C::PurgeWithoutCause => {
                self.purge_for_a_cause()
            }
            C::TrashedByProvider => when(W::ByUser),
            C::ClearedWhileActive | C::FrozenWhileActive | C::TerminatedWhileActive => {
                self.by_waiting(&[*self.step], &[code], W::Inactive)
            }
            C::ClearedWithoutNotice => {
                // Of an item or a backup, the stage that admits it may end before the notice is old enough.
                let against: Vec<FindingCode> = PURGES.into_iter().chain([code]).collect();
                self.by_waiting(&[*self.step], &against, W::Notified)
            }
            C::Resurrected => when(W::UploadedAnew),
            C::PurgedUnderHold => {
                let mut holds = self.state.holds.clone();
                let from = self.first_at_whose_end(|s| {
                    match (s.kind, s.subject) {
                        (Kind::HoldPlaced, Some(hold)) => holds.place(hold),
                        (Kind::HoldReleased, Some(hold)) => holds.release(hold),
                        _ => {}
                    }
                    !holds.any()
                });
                Lawful { from, ..when(W::HoldReleased) }
            }
            C::OverduePurge => unreachable!("not of an event alone"),
            C::RestoredAfterWindow => {
                let item = self.finding.subject.and_then(|s| self.state.item(s.name()));
                // A window that ends where it begins leaves no instant.
                let has_lasted = |item: &&Item| {
                    let began = item.trashing.as_ref().map(|trashing| trashing.at);
                    item.recoverable_until() > began
                };
                let until = item.filter(has_lasted).and_then(Item::recoverable_until);
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

    /// Of a purge of what nobody deleted: the same act as a purge of this one, for inactivity or for quota.
    fn purge_for_a_cause(&self) -> Lawful {
        let is_item = matches!(self.finding.subject, Some(Subject::Item(_)));
        let kind = if is_item { Kind::ItemPurged } else { Kind::BackupPurged };
        let purges = [PurgeCause::Inactivity, PurgeCause::Quota].map(|cause| Step {
            kind,
            purge_cause: Some(cause),
            delete_backups: false,
            ..*self.step
        });
        self.by_waiting(&purges, &PURGES, LawfulWhen::Inactive)
    }

    /// When waiting makes the first of `steps`, in place of the event, give no finding of a code in
    /// `against`; `never` is the condition if it makes none.
    fn by_waiting(&self, steps: &[Step], against: &[FindingCode], never: LawfulWhen) -> Lawful {
        let met = steps.iter().filter_map(|step| {
            let subject = self.finding.subject;
            let Act { state, is_first, rules, .. } = *self;
            Waiting { step, subject, is_first, against, rules }.from(state)
        });
        // Of two as early the first.
        met.min_by_key(|met| met.from).unwrap_or(Lawful::when(never))
    }
}

/// What is found of a purge that nothing admits.
const PURGES: [FindingCode; 5] = [
    FindingCode::PrematurePurge,
    FindingCode::LossAfterSyncOff,
    FindingCode::LossOverQuota,
    FindingCode::LossOnTierLapse,
    FindingCode::PurgeWithoutCause,
];
