//! Which act is the least: kinds of events in the order of what they ask of whoever does them, and what
//! they leave changed.

use event::{Actor, Kind};
use policy::Version;

const USER: &[Actor] = &[Actor::User];
const OWN: &[Actor] = &[Actor::User, Actor::Device];
const SERVICE: &[Actor] = &[Actor::Provider, Actor::Support];
const ANYBODY: &[Actor] = Actor::ALL;

/// Each kind with whoever may do it, from the least burdensome on: what changes nothing, what adds, what brings
/// back, what the service does, what fails, what switches off, what takes away. An act that ends or takes an
/// account (`account_frozen`, `account_terminated`, `account_closed`, `data_cleared`) keeps nobody from
/// harm and is not here.
const BY_EFFORT: [(Kind, &[Actor]); 27] = [
    (Kind::PageViewed, USER),
    (Kind::SignedIn, OWN),
    (Kind::Synced, OWN),
    (Kind::FindDeviceOn, OWN),
    (Kind::SyncOn, OWN),
    (Kind::BackupOn, OWN),
    (Kind::BackupCompleted, OWN),
    (Kind::ItemUploaded, OWN),
    (Kind::ItemModified, OWN),
    (Kind::ItemRestored, ANYBODY),
    (Kind::BackupRestored, ANYBODY),
    (Kind::AccountOpened, USER),
    (Kind::TierChanged, ANYBODY),
    (Kind::InactivityNotified, SERVICE),
    (Kind::AccountUnfrozen, SERVICE),
    (Kind::QuotaChanged, SERVICE),
    (Kind::HoldPlaced, SERVICE),
    (Kind::HoldReleased, SERVICE),
    (Kind::SignInFailed, OWN),
    (Kind::UploadRejected, OWN),
    (Kind::FindDeviceOff, OWN),
    (Kind::SyncOff, OWN),
    (Kind::BackupOff, OWN),
    (Kind::ItemTrashed, ANYBODY),
    (Kind::BackupPurged, ANYBODY),
    (Kind::ItemPurged, ANYBODY),
    (Kind::TrashEmptied, ANYBODY),
];

/// The least act that `version` counts as activity, by one of its actors who may do it.
pub(crate) fn least_activity(version: &Version) -> Option<Kind> {
    let counts = |(kind, actors): &&(Kind, &[Actor])| {
        version.resets.contains(*kind) && actors.iter().any(|actor| version.actors.contains(*actor))
    };
    BY_EFFORT.iter().find(counts).map(|(kind, _)| *kind)
}

/// The kinds that name a category, themselves or by their item.
const OF_A_CATEGORY: [Kind; 8] = [
    Kind::SyncOn,
    Kind::SyncOff,
    Kind::Synced,
    Kind::ItemUploaded,
    Kind::ItemModified,
    Kind::ItemTrashed,
    Kind::ItemRestored,
    Kind::ItemPurged,
];

/// What `version` counts as activity in a category, each with who may do it, the least first.
pub(crate) fn activities_in_category(version: &Version) -> impl Iterator<Item = (Kind, Actor)> {
    BY_EFFORT.iter().filter_map(|&(kind, actors)| {
        let named = version.resets.contains(kind) && OF_A_CATEGORY.contains(&kind);
        let counts = named || version.everywhere.contains(kind);
        let actor = actors.iter().find(|actor| version.actors.contains(**actor));
        actor.filter(|_| counts).map(|actor| (kind, *actor))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_kind_has_one_place_or_does_harm() {
        let harm =
            [Kind::AccountFrozen, Kind::AccountTerminated, Kind::AccountClosed, Kind::DataCleared];
        for kind in Kind::ALL {
            let places = BY_EFFORT.iter().filter(|(listed, _)| listed == kind).count();
            assert_eq!(places, usize::from(!harm.contains(kind)), "{kind}");
        }
    }
}
