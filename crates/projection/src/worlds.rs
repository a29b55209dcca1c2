//! Folding a history of which events were erased: in every world that the erased events can have left behind,
//! with what is not known in each ([`Doubt`]); and what all worlds agree on.
//!
//! Up to the last instant at which an event that was erased to its leaf can have occurred nothing is known. What it
//! can have left behind is endless, and most of it is carried as a flag. Of the tier alone a flag would say too
//! little, for the tier held decides the windows of all that is trashed later: there is a world for each tier that the policy
//! names, and one for a tier that it does not name. So there are never more worlds than the policy has tiers, and one
//! more; an account of which contents alone were erased, or whose erased events can have occurred up to the instant
//! asked about, is folded once.

use std::collections::{BTreeSet, HashSet};

use event::{History, Kind, NameId, Step, Timestamp};
use policy::Policy;

use crate::doubt::{Doubt, Said};
use crate::fold::Rules;
use crate::forecast::just_before;
use crate::unsure::Unsure;
use crate::{Backup, Change, EventRef, Finding, FoldState, Item, Status, View};

/// A state, and what of it is not known.
#[derive(Debug, Clone)]
pub(crate) struct World {
    pub state: FoldState,
    pub doubt: Doubt,
}

/// What a view leaves open. The view's own state is that of the first world.
#[derive(Debug, Clone)]
pub(crate) struct Open {
    /// How many events were erased: their contents alone, and to their leaves.
    pub contents: u64,
    pub leaves: u64,
    pub revision: Said<u64>,
    pub status: Said<Status>,
    pub tier: Said<String>,
    pub limit: Said<Option<u64>>,
    pub used: Said<u128>,
    pub over: Said<bool>,
    pub inactive_at: Said<Option<Timestamp>>,
    /// Certain in every world.
    pub findings: Vec<Finding>,
    /// There may be others.
    pub more: bool,
    /// Of the first world; of items and backups what any world leaves open, or in which any is another.
    pub doubt: Doubt,
    /// One by one, each with what is not known in it.
    pub worlds: Vec<World>,
}

/// Up to when erased events can have occurred.
enum Erased {
    /// None was erased to its leaf.
    Nothing,
    Until(Timestamp),
}

impl Erased {
    /// An event whose contents tell more than of one item or backup counts as any event up to its own instant.
    fn of(history: &History, as_leaves: &[&Step]) -> Erased {
        let leaves = history.erased.leaves.iter();
        let leaves = leaves.map(|leaf| leaf.before.map_or(Timestamp::MAX, just_before));
        let steps = as_leaves.iter().map(|step| step.occurred_at);
        leaves.chain(steps).max().map_or(Erased::Nothing, Erased::Until)
    }
}

/// Whether all that the contents of an event of this kind can tell is of one item or backup.
pub(crate) fn is_of_one(kind: Kind) -> bool {
    let tells_nothing = matches!(
        kind,
        Kind::SignedIn
            | Kind::SignInFailed
            | Kind::PageViewed
            | Kind::FindDeviceOn
            | Kind::FindDeviceOff
            | Kind::TrashEmptied
            | Kind::BackupOn
            | Kind::UploadRejected
            | Kind::InactivityNotified
            | Kind::AccountFrozen
            | Kind::AccountUnfrozen
            | Kind::AccountTerminated
            | Kind::AccountClosed
    );
    kind.is_about_one() || tells_nothing
}

/// Each tier that the policy names, by version and place, and one that it does not name.
fn tiers(policy: &Policy) -> Vec<(usize, usize)> {
    let mut names = BTreeSet::new();
    let mut tiers = Vec::new();
    for (version, rules) in policy.versions.iter().enumerate() {
        for (place, tier) in rules.tiers.iter().enumerate() {
            if names.insert(&tier.name) {
                tiers.push((version, place));
            }
        }
    }
    tiers.push((0, usize::MAX));
    tiers
}

/// As [`crate::fold`], of a history of which something was erased; with the changes that are certain where `traced`.
pub(crate) fn fold_erased<'a>(
    history: &'a History,
    policy: &'a Policy,
    as_of: Timestamp,
    known_at: Timestamp,
    traced: bool,
) -> Option<(View<'a>, Vec<Change>)> {
    let rules = Rules::of(policy, &history.names);
    let contents: HashSet<u64> = history.erased.contents.iter().copied().collect();
    let is_whole = |step: &&Step| is_of_one(step.kind) || !contents.contains(&step.revision);
    let seen = history.steps_seen(as_of, known_at);
    let (seen, as_leaves): (Vec<&Step>, Vec<&Step>) = seen.partition(is_whole);
    let place = |position, revision| EventRef { position, revision };
    let leaves = history.erased.leaves.iter().map(|leaf| place(leaf.position, leaf.revision));
    let steps = as_leaves.iter().map(|step| place(step.position, step.revision));
    let last = leaves.chain(steps).max();
    if seen.is_empty() && last.is_none() {
        return None;
    }
    let erased = Erased::of(history, &as_leaves);
    let asked = Asked { seen: &seen, last, contents: &contents, rules, as_of, traced };
    let tiers = match erased {
        Erased::Until(until) if until < as_of => tiers(policy),
        _ => vec![(policy.version_index_at(as_of), 0)],
    };
    let worlds = tiers.into_iter().map(|tier| asked.world(&erased, tier));
    let mut worlds: Vec<(World, Vec<Change>)> = worlds.collect();
    let (first, mut changes) = worlds.remove(0);
    let mut open = Open::of(&first, history, last, rules, as_of);
    for (world, other_changes) in worlds {
        open.join(&first.state, Open::of(&world, history, last, rules, as_of), &world.state);
        let theirs: HashSet<&Change> = other_changes.iter().collect();
        changes.retain(|change| theirs.contains(change));
    }
    let mut view = View {
        state: first.state,
        rules,
        account: &history.account,
        as_of,
        open: Some(Box::new(open)),
        undetermined: Vec::new(),
    };
    view.undetermined = view.open_fields();
    Some((view, changes))
}

struct Asked<'s, 'a> {
    seen: &'s [&'a Step],
    /// The last event of which nothing is known.
    last: Option<EventRef>,
    contents: &'s HashSet<u64>,
    rules: Rules<'a>,
    as_of: Timestamp,
    traced: bool,
}

impl Asked<'_, '_> {
    /// The world in which the account held `tier` when the last erased event had occurred.
    fn world(&self, erased: &Erased, tier: (usize, usize)) -> (World, Vec<Change>) {
        let rules = self.rules;
        let mut state = match self.seen.first() {
            Some(step) => FoldState::before(step, rules),
            None => {
                let last = self.last.expect("something was erased");
                let version = rules.policy.version_index_at(self.as_of);
                FoldState::empty(self.as_of, last, version, version)
            }
        };
        state.changes = self.traced.then(Vec::new);
        let mut doubt = Doubt::default();
        let mut ahead = match erased {
            Erased::Until(until) => Some((*until).min(self.as_of)),
            Erased::Nothing => None,
        };
        let forget = |state: &mut FoldState, doubt: &mut Doubt, by: Timestamp| {
            doubt.forget(state, by, rules);
            state.hold_tier(tier);
        };
        for step in self.seen {
            if let Some(by) = ahead.take_if(|by| step.occurred_at > *by) {
                forget(&mut state, &mut doubt, by);
            }
            doubt.apply(&mut state, step, self.contents.contains(&step.revision), rules);
        }
        if let Some(by) = ahead {
            forget(&mut state, &mut doubt, by);
        }
        doubt.pass(&mut state, self.as_of, true, rules);
        let changes = state.changes.take().unwrap_or_default();
        let changes = doubt.changes(changes);
        (World { state, doubt }, changes)
    }
}

impl Open {
    fn of(
        world: &World,
        history: &History,
        last: Option<EventRef>,
        rules: Rules<'_>,
        as_of: Timestamp,
    ) -> Open {
        let World { state, doubt } = world;
        let revision = state.highest.revision;
        let later = last.is_some_and(|last| last.revision >= revision);
        let window = rules.version(state).inactivity_window;
        let inactive_at = match doubt.active_by {
            Some(_) if window != policy::Window::Never => None,
            _ => Some(state.inactive_at(rules)),
        };
        let (findings, more) = doubt.findings(state, rules);
        Open {
            contents: history.erased.contents.len() as u64,
            leaves: history.erased.leaves.len() as u64,
            revision: (!later).then_some(revision),
            status: doubt.status(state, as_of, rules),
            tier: (!doubt.tier).then(|| state.tier(rules).to_owned()),
            limit: (!doubt.quota).then(|| state.limit_bytes(rules)),
            used: doubt.used(state, rules),
            over: doubt.over(state, rules),
            inactive_at,
            findings,
            more,
            doubt: doubt.clone(),
            worlds: vec![world.clone()],
        }
    }

    /// Keeps what the world of `other`, whose state is `theirs`, says too; `own` is the state of this one.
    fn join(&mut self, own: &FoldState, other: Open, theirs: &FoldState) {
        agree(&mut self.status, &other.status);
        agree(&mut self.tier, &other.tier);
        agree(&mut self.limit, &other.limit);
        agree(&mut self.used, &other.used);
        agree(&mut self.over, &other.over);
        agree(&mut self.inactive_at, &other.inactive_at);
        let found = self.findings.len();
        let found_too: HashSet<&Finding> = other.findings.iter().collect();
        self.findings.retain(|finding| found_too.contains(finding));
        self.more |= other.more || self.findings.len() < found.max(other.findings.len());
        for (id, (a, b)) in (0u32..).map(NameId).zip(own.items.iter().zip(&theirs.items)) {
            if let (Some(a), Some(b)) = (a, b) {
                let unsure = self.doubt.items.get(id).or(other.doubt.items.get(id));
                self.doubt.items.set(id, unsure.or(items_differ(a, b)));
            }
        }
        for (id, (a, b)) in (0u32..).map(NameId).zip(own.backups.iter().zip(&theirs.backups)) {
            if let (Some(a), Some(b)) = (a, b) {
                let unsure = self.doubt.backups.get(id).or(other.doubt.backups.get(id));
                self.doubt.backups.set(id, unsure.or(backups_differ(a, b)));
            }
        }
        self.worlds.extend(other.worlds);
    }
}

fn agree<T: PartialEq>(said: &mut Said<T>, other: &Said<T>) {
    if said != other {
        *said = None;
    }
}

/// What is another in another world.
fn items_differ(a: &Item, b: &Item) -> Unsure {
    if a.state != b.state {
        return Unsure { category: false, bytes: false, ..Unsure::ALL };
    }
    let trashed = |item: &Item| item.trashing.as_ref().map(|t| (t.breach, t.overdue_at));
    let ended = |item: &Item| item.ending.as_ref().map(|e| (e.how, e.after_deadline));
    let breach = |item: &Item| item.ending.as_ref().map(|e| e.breach);
    let (trashed_a, trashed_b) = (trashed(a), trashed(b));
    let events = |item: &Item| {
        (item.trashing.as_ref().map(|t| t.event), item.ending.as_ref().map(|e| e.event))
    };
    Unsure {
        since: a.since != b.since,
        took: events(a) != events(b),
        cause: a.cause() != b.cause(),
        until: a.recoverable_until() != b.recoverable_until(),
        how: ended(a) != ended(b) || trashed_a.map(|t| t.1) != trashed_b.map(|t| t.1),
        lawful: breach(a) != breach(b) || trashed_a.map(|t| t.0) != trashed_b.map(|t| t.0),
        ..Unsure::default()
    }
}

fn backups_differ(a: &Backup, b: &Backup) -> Unsure {
    if a.state != b.state {
        return Unsure { bytes: false, ..Unsure::ALL };
    }
    let ended = |backup: &Backup| backup.ending.as_ref().map(|e| (e.cause, e.how, e.breach));
    let (ended_a, ended_b) = (ended(a), ended(b));
    let event = |backup: &Backup| backup.ending.as_ref().map(|e| e.event);
    Unsure {
        since: a.since != b.since,
        took: event(a) != event(b),
        cause: ended_a.map(|e| e.0) != ended_b.map(|e| e.0),
        how: ended_a.map(|e| e.1) != ended_b.map(|e| e.1),
        lawful: ended_a.map(|e| e.2) != ended_b.map(|e| e.2),
        ..Unsure::default()
    }
}
