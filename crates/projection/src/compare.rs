//! What two policies make of one account: how two views of one history differ.

use event::{NameId, Timestamp};

use crate::{
    BackupState, EventRef, Finding, FindingCode, Item, ItemState, Said, StateCause, Status,
    Subject, Unsure, View,
};

/// One thing that comes out otherwise under a second policy.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Difference {
    /// What it is about; `None`: the account.
    pub subject: Option<Subject>,
    /// What, before and after.
    pub what: Differs,
}

/// What differs. The first of two is by the first policy.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Differs {
    /// What the account is.
    Status(Status, Status),
    /// From when on it is inactive, whatever its tier.
    InactiveAt(Deadline, Deadline),
    /// Whether it is over its limit.
    OverQuota(bool, bool),
    /// Where an item stands.
    State(ItemState, ItemState),
    /// Why an item stands where it stands under both.
    Cause(Option<StateCause>, Option<StateCause>),
    /// Why a backup stands where it stands under both: its events alone say where that is.
    BackupCause(Option<StateCause>, Option<StateCause>),
    /// Until when an item can be restored.
    Deadline(Deadline, Deadline),
    /// What is found under one alone, or of another instant or number of events.
    Finding(FindingCode, Option<Found>, Option<Found>),
}

/// An end, where there may be none.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Deadline {
    /// Nothing is counted: the item is not in the trash.
    None,
    /// It never comes.
    Never,
    /// It comes then.
    At(Timestamp),
}

/// A finding, without its code and subject.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Found {
    /// The instant that it is about.
    pub at: Timestamp,
    /// The event that it is about.
    pub event: EventRef,
    /// How many events it stands for, where that may be more than one.
    pub count: Option<u64>,
}

impl Deadline {
    fn of(at: Option<Timestamp>) -> Deadline {
        at.map_or(Deadline::Never, Deadline::At)
    }

    fn of_item(item: &Item) -> Deadline {
        match item.state {
            ItemState::Trashed | ItemState::Expired => Deadline::of(item.recoverable_until()),
            ItemState::Live | ItemState::Purged | ItemState::Removed => Deadline::None,
        }
    }
}

impl Difference {
    /// How far an instant moved, in milliseconds, later above zero; `None` where there are not two.
    #[must_use]
    pub fn moved_ms(&self) -> Option<i64> {
        let (before, after) = match self.what {
            Differs::InactiveAt(Deadline::At(before), Deadline::At(after))
            | Differs::Deadline(Deadline::At(before), Deadline::At(after)) => (before, after),
            Differs::Finding(_, Some(before), Some(after)) => (before.at, after.at),
            _ => return None,
        };
        Some(after.ms() - before.ms())
    }
}

/// How `after` differs from `before`, two views of one history as of and as known at the same
/// instants: first what is about the account, then items, then backups, each by name, then findings
/// in their order. Where events were erased, what certainly differs.
#[must_use]
pub fn compare(before: &View<'_>, after: &View<'_>) -> Vec<Difference> {
    let mut all = Vec::new();
    let mut add = |subject, what| all.push(Difference { subject, what });
    if let Some((before, after)) = differ(before.status(), after.status()) {
        add(None, Differs::Status(before, after));
    }
    if let Some((before, after)) = differ(before.inactive_at(), after.inactive_at()) {
        add(None, Differs::InactiveAt(Deadline::of(before), Deadline::of(after)));
    }
    if let Some((before, after)) = differ(before.is_over_quota(), after.is_over_quota()) {
        add(None, Differs::OverQuota(before, after));
    }
    let by_account = all.len();
    items(before, after, &mut all);
    by_name(before, &mut all[by_account..]);
    let with_items = all.len();
    backups(before, after, &mut all);
    by_name(before, &mut all[with_items..]);
    findings(before, after, &mut all);
    all
}

/// The two, where both are said and differ.
fn differ<T: PartialEq>(before: Said<T>, after: Said<T>) -> Option<(T, T)> {
    before.zip(after).filter(|(before, after)| before != after)
}

/// What is not known under either policy.
fn unsure(before: &View<'_>, after: &View<'_>, subject: Subject) -> Unsure {
    match before.subject_names(Some(subject)) {
        // Of an erased name.
        (Some(""), _) | (_, Some("")) => Unsure::ALL,
        _ => before.unsure(subject).or(after.unsure(subject)),
    }
}

fn by_name(view: &View<'_>, differences: &mut [Difference]) {
    // Stable: what is said of one item stays in its order.
    differences.sort_by_key(|difference| view.subject_names(difference.subject));
}

fn items(before: &View<'_>, after: &View<'_>, all: &mut Vec<Difference>) {
    let views = (before, after);
    let both = before.state.items.iter().zip(&after.state.items);
    for (number, (before, after)) in (0u32..).zip(both) {
        let (Some(before), Some(after)) = (before, after) else { continue };
        let subject = Subject::Item(NameId(number));
        let unsure = unsure(views.0, views.1, subject);
        if unsure.state {
            continue;
        }
        let mut add = |what| {
            all.push(Difference { subject: Some(subject), what });
        };
        if before.state != after.state {
            add(Differs::State(before.state, after.state));
        } else if !unsure.cause && before.cause() != after.cause() {
            add(Differs::Cause(before.cause(), after.cause()));
        }
        let deadlines = (Deadline::of_item(before), Deadline::of_item(after));
        if !unsure.until && deadlines.0 != deadlines.1 {
            add(Differs::Deadline(deadlines.0, deadlines.1));
        }
    }
}

fn backups(before: &View<'_>, after: &View<'_>, all: &mut Vec<Difference>) {
    let views = (before, after);
    let both = before.state.backups.iter().zip(&after.state.backups);
    for (number, (before, after)) in (0u32..).zip(both) {
        let (Some(before), Some(after)) = (before, after) else { continue };
        let subject = Subject::Backup(NameId(number));
        let unsure = unsure(views.0, views.1, subject);
        if unsure.state || unsure.cause {
            continue;
        }
        debug_assert_eq!(before.state == BackupState::Kept, after.state == BackupState::Kept);
        let cause = |backup: &crate::Backup| backup.ending.as_ref().map(|ending| ending.cause);
        if cause(before) != cause(after) {
            let what = Differs::BackupCause(cause(before), cause(after));
            all.push(Difference { subject: Some(subject), what });
        }
    }
}

/// What of a finding says that it is the same one under another policy: an event gives a code of a
/// subject once. Of what was recorded late there is one an account.
type Same = (FindingCode, Option<EventRef>, Option<Subject>);

fn findings(before: &View<'_>, after: &View<'_>, all: &mut Vec<Difference>) {
    if before.found() == after.found() && before.late() == after.late() {
        return;
    }
    // What is not found under one may be found for all that is known.
    let may_miss = before.may_miss_findings() || after.may_miss_findings();
    let keyed = |view: &View<'_>| -> Vec<(Same, Found)> {
        let found =
            |finding: &Finding, count| Found { at: finding.at, event: finding.event, count };
        let each = view.found().iter().map(|finding| {
            ((finding.code, Some(finding.event), finding.subject), found(finding, None))
        });
        let late = view.late().into_iter().map(|(finding, count)| {
            ((finding.code, None, finding.subject), found(finding, Some(*count)))
        });
        let mut keyed: Vec<_> = each.chain(late).collect();
        keyed.sort_unstable_by_key(|(same, _)| *same);
        keyed
    };
    let (old, new) = (keyed(before), keyed(after));
    let (mut old, mut new) = (old.into_iter().peekable(), new.into_iter().peekable());
    let from = all.len();
    loop {
        let (same, found) = match (old.peek(), new.peek()) {
            (None, None) => break,
            (Some((a, _)), Some((b, _))) if a == b => (*a, (old.next(), new.next())),
            (Some((a, _)), other) if other.is_none_or(|(b, _)| a < b) => (*a, (old.next(), None)),
            (_, Some((b, _))) => (*b, (None, new.next())),
            (Some(_), None) => unreachable!("what is left of the first comes before nothing"),
        };
        let (code, _, subject) = same;
        let found = (found.0.map(|(_, found)| found), found.1.map(|(_, found)| found));
        let is_told = !may_miss || (found.0.is_some() && found.1.is_some());
        if is_told && found.0 != found.1 {
            let what = Differs::Finding(code, found.0, found.1);
            all.push(Difference { subject, what });
        }
    }
    all[from..].sort_by_key(|difference| {
        let Differs::Finding(code, old, new) = difference.what else { unreachable!("all are") };
        let found = new.or(old).expect("found under one");
        (found.at, found.event.position, code, before.subject_names(difference.subject))
    });
}
