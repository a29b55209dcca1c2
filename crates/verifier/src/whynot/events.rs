//! The events that decide what state an item is in, and histories that differ in one of them.
//!
//! Only an item's own events, what empties the trash or clears the account, and what sets a tier can bring
//! an item to another state. The account's first event can too: before any tier is set, the tier is that of
//! the version in force then. Which is first may change by one event that moves or is left out, so the
//! first two that are none of the above count as well. For the same reason so do the first two of an item's
//! modifications, which do nothing but make it when it was never seen.
//!
//! Where the trash can be full, what is used and allowed decides too: then all that changes the bytes of an
//! item or a backup, or the limit, concerns every item.

use event::{History, Kind, NameId, Names, Step, Timestamp};

/// The history of what concerns `item` in `history`, of what was recorded by `known_at`, its names
/// numbered anew; `by_bytes`: the trash can be full.
pub(super) fn concerning(
    history: &History,
    item: NameId,
    known_at: Timestamp,
    by_bytes: bool,
) -> History {
    let mut names = Names::default();
    let mut steps = Vec::new();
    let (mut others, mut modifications) = (0, 0);
    for step in history.steps_seen(Timestamp::MAX, known_at) {
        let is_kept = match concerns(step, item) || (by_bytes && changes_bytes(step)) {
            false => {
                others += 1;
                others <= 2
            }
            true if step.kind == Kind::ItemModified && !by_bytes => {
                modifications += 1;
                modifications <= 2
            }
            true => true,
        };
        if is_kept {
            let mut number = |id: Option<NameId>| id.map(|id| names.intern(history.names.get(id)));
            let (subject, word) = (number(step.subject), number(step.word));
            steps.push(Step { subject, word, ..*step });
        }
    }
    History { account: history.account.clone(), names, steps, erased: history.erased.clone() }
}

fn concerns(step: &Step, item: NameId) -> bool {
    match step.kind {
        Kind::ItemUploaded
        | Kind::ItemModified
        | Kind::ItemTrashed
        | Kind::ItemRestored
        | Kind::ItemPurged => step.subject == Some(item),
        Kind::TrashEmptied | Kind::DataCleared | Kind::TierChanged => true,
        Kind::AccountOpened => step.word.is_some(),
        _ => false,
    }
}

/// Whether a step can change how much is used or allowed.
fn changes_bytes(step: &Step) -> bool {
    match step.kind {
        Kind::QuotaChanged => true,
        Kind::BackupOff => step.delete_backups,
        kind => kind.is_about_one(),
    }
}

/// The place of the event of `revision` in `history`.
fn place(history: &History, revision: u64) -> usize {
    let place = history.steps.iter().position(|step| step.revision == revision);
    place.expect("the event is of this history")
}

/// Without the event of `revision`.
pub(super) fn without(history: &History, revision: u64) -> History {
    let mut changed = history.clone();
    changed.steps.remove(place(history, revision));
    changed
}

/// With the event of `revision` at `to`.
pub(super) fn moved(history: &History, revision: u64, to: Timestamp) -> History {
    let mut changed = history.clone();
    let step = changed.steps.remove(place(history, revision));
    let at = changed.steps.partition_point(|s| (s.occurred_at, s.revision) < (to, revision));
    changed.steps.insert(at, Step { occurred_at: to, ..step });
    changed
}

/// With `tier` set at `from`, before the events of that instant. The revisions are others.
pub(super) fn with_tier(history: &History, tier: &str, from: Timestamp) -> History {
    let mut changed = history.clone();
    let word = Some(changed.names.intern(tier));
    for step in &mut changed.steps {
        step.revision += 1;
    }
    let at = changed.steps.partition_point(|step| step.occurred_at < from);
    let recorded_at = Timestamp::MIN;
    let payload = event::Payload::<&str>::SignedIn;
    let blank = Step::of_payload(&payload, |_| unreachable!("no strings"));
    let step = Step { occurred_at: from, recorded_at, kind: Kind::TierChanged, word, ..blank };
    changed.steps.insert(at, step);
    changed
}

/// When the tier is next set after `from`, or at it, by what is on record.
pub(super) fn next_tier(history: &History, from: Timestamp) -> Option<Timestamp> {
    let sets = |s: &&Step| {
        let kind = matches!(s.kind, Kind::AccountOpened | Kind::TierChanged);
        kind && s.word.is_some() && s.occurred_at >= from
    };
    history.steps.iter().find(sets).map(|step| step.occurred_at)
}
