//! A state at an instant: what people ask about.

use event::{History, NameId, Names, Timestamp};
use policy::{Policy, Version};

use crate::doubt::Said;
use crate::fold::Rules;
use crate::worlds::{Open, fold_erased};
use crate::{Backup, Change, Finding, FoldState, Item, StageAt, Status};

/// An account's state as of an instant: deadlines up to it have fallen, versions of the policy up
/// to it have taken effect.
#[derive(Debug, Clone)]
pub struct View<'a> {
    pub(crate) state: FoldState,
    pub(crate) rules: Rules<'a>,
    pub(crate) account: &'a str,
    pub(crate) as_of: Timestamp,
    /// What is not known of it, where events were erased.
    pub(crate) open: Option<Box<Open>>,
    /// The fields that it leaves open, put together where it is folded: who folds no such history does not link that.
    pub(crate) undetermined: Vec<String>,
}

/// Folds what `history` holds as of `as_of` (`occurred_at` at or before it) and as known at
/// `known_at` (`recorded_at` at or before it). `None` when that is nothing.
#[must_use]
pub fn fold<'a>(
    history: &'a History,
    policy: &'a Policy,
    as_of: Timestamp,
    known_at: Timestamp,
) -> Option<View<'a>> {
    match history.erased.is_empty() {
        true => fold_whole(history, policy, as_of, known_at),
        false => Some(fold_erased(history, policy, as_of, known_at, false)?.0),
    }
}

/// As [`fold`], of a history of which nothing was erased: what erased events leave open is not gone into.
///
/// # Panics
/// If something was.
#[must_use]
pub fn fold_whole<'a>(
    history: &'a History,
    policy: &'a Policy,
    as_of: Timestamp,
    known_at: Timestamp,
) -> Option<View<'a>> {
    assert!(history.erased.is_empty(), "a view of what was erased");
    let state = FoldState::fold(None, history, policy, as_of, known_at)?;
    Some(View::new(state, history, policy, as_of))
}

/// As [`fold`], with every [`Change`] on the way; where events were erased, with those that are certain.
#[must_use]
pub fn fold_traced<'a>(
    history: &'a History,
    policy: &'a Policy,
    as_of: Timestamp,
    known_at: Timestamp,
) -> Option<(View<'a>, Vec<Change>)> {
    if !history.erased.is_empty() {
        return fold_erased(history, policy, as_of, known_at, true);
    }
    let rules = Rules::of(policy, &history.names);
    let mut seen = history.steps_seen(as_of, known_at).peekable();
    let mut state = FoldState::before(seen.peek()?, rules);
    state.changes = Some(Vec::new());
    for step in seen {
        state.apply(step, rules);
    }
    let mut view = View::new(state, history, policy, as_of);
    let changes = view.state.changes.take().unwrap_or_default();
    Some((view, changes))
}

impl FoldState {
    /// Folds on from `stored`, or from nothing, over the steps of `history` that it has not
    /// folded yet, as of `as_of` and as known at `known_at`. `None` when there is nothing to fold.
    ///
    /// Nothing may have been erased of `history`: [`fold`] knows what that leaves open.
    ///
    /// `stored` must have been folded under the same policy from steps of this history that are
    /// all seen as of `as_of` and as known at `known_at`, with none left out before its last one:
    /// after a late event, start from nothing.
    #[must_use]
    pub fn fold(
        stored: Option<FoldState>,
        history: &History,
        policy: &Policy,
        as_of: Timestamp,
        known_at: Timestamp,
    ) -> Option<FoldState> {
        let rules = Rules::of(policy, &history.names);
        let mut state = stored;
        for step in history.steps_seen(as_of, known_at) {
            match &mut state {
                Some(state) if (step.occurred_at, step.revision) <= state.folded_to() => {}
                Some(state) => state.apply(step, rules),
                None => state.insert(FoldState::before(step, rules)).apply(step, rules),
            }
        }
        state
    }
}

impl<'a> View<'a> {
    /// The view of `state`, folded from `history` under `policy`, at `as_of`, which must not lie
    /// before the last step folded. Nothing may have been erased of `history`.
    ///
    /// # Panics
    /// If it does, or something was.
    #[must_use]
    pub fn new(
        mut state: FoldState,
        history: &'a History,
        policy: &'a Policy,
        as_of: Timestamp,
    ) -> View<'a> {
        assert!(state.instant <= as_of, "a view before the last step folded");
        assert!(history.erased.is_empty(), "a view of what was erased");
        let rules = Rules::of(policy, &history.names);
        state.pass(as_of, true, rules);
        let (account, undetermined) = (&*history.account, Vec::new());
        View { state, rules, account, as_of, open: None, undetermined }
    }

    /// The account's name.
    #[must_use]
    pub fn account(&self) -> &'a str {
        self.account
    }

    /// The instant.
    #[must_use]
    pub fn as_of(&self) -> Timestamp {
        self.as_of
    }

    /// The account's strings.
    #[must_use]
    pub fn names(&self) -> &'a Names {
        self.rules.names
    }

    /// The policy it was folded under.
    #[must_use]
    pub fn policy(&self) -> &'a Policy {
        self.rules.policy
    }

    /// The version of the policy in force.
    #[must_use]
    pub fn version(&self) -> &'a Version {
        self.rules.version(&self.state)
    }

    /// The folded state. Where something is [open](View::is_open), parts of it are no answer.
    #[must_use]
    pub fn state(&self) -> &FoldState {
        &self.state
    }

    /// An item, if it was ever seen; [`View::unsure`] says what of it is not known.
    #[must_use]
    pub fn item(&self, item: NameId) -> Option<&Item> {
        self.state.item(item)
    }

    /// A backup, if it was ever seen; [`View::unsure`] says what of it is not known.
    #[must_use]
    pub fn backup(&self, backup: NameId) -> Option<&Backup> {
        self.state.backup(backup)
    }

    /// Every item seen whose name is known, in byte order of their names.
    #[must_use]
    pub fn items(&self) -> Vec<(NameId, &Item)> {
        self.by_name(&self.state.items)
    }

    /// Every backup seen whose name is known, in byte order of their names.
    #[must_use]
    pub fn backups(&self) -> Vec<(NameId, &Backup)> {
        self.by_name(&self.state.backups)
    }

    /// What is in a table, in byte order of the names.
    pub(crate) fn by_name<'t, T>(&self, table: &'t [Option<T>]) -> Vec<(NameId, &'t T)> {
        let slots = table.iter().enumerate().filter(|(_, slot)| slot.is_some());
        let mut places = slots.map(|(place, _)| place).collect();
        self.sort_by_name(&mut places);
        let row = |place: usize| Some((NameId(place as u32), table[place].as_ref()?));
        places.into_iter().filter_map(row).collect()
    }

    /// Sorts places of a table by their names, and where names are erased leaves out those: once for all tables.
    fn sort_by_name(&self, places: &mut Vec<usize>) {
        let name = |place: usize| self.rules.names.get(NameId(place as u32));
        if self.open.is_some() {
            places.retain(|place| !name(*place).is_empty());
        }
        event::sort_places(places, &|a, b| name(a).cmp(name(b)));
    }

    /// What the account is.
    #[must_use]
    pub fn status(&self) -> Said<Status> {
        match &self.open {
            None => Some(self.state.status(self.as_of, self.rules)),
            Some(open) => open.status,
        }
    }

    /// The tier held, as recorded.
    #[must_use]
    pub fn tier(&self) -> Said<&str> {
        match &self.open {
            None => Some(self.state.tier(self.rules)),
            Some(open) => open.tier.as_deref(),
        }
    }

    /// The instant from which the account is inactive, whatever its tier; `Some(None)`: never.
    #[must_use]
    pub fn inactive_at(&self) -> Said<Option<Timestamp>> {
        match &self.open {
            None => Some(self.state.inactive_at(self.rules)),
            Some(open) => open.inactive_at,
        }
    }

    /// The bytes that use quota.
    #[must_use]
    pub fn used_bytes(&self) -> Said<u128> {
        match &self.open {
            None => Some(self.state.used_bytes(self.rules)),
            Some(open) => open.used,
        }
    }

    /// Whether the account is over its limit.
    #[must_use]
    pub fn is_over_quota(&self) -> Said<bool> {
        match &self.open {
            None => Some(self.state.is_over_quota(self.rules)),
            Some(open) => open.over,
        }
    }

    /// The stages of the version in force, by name and then by category, with the instants at which
    /// they are reached by time alone: what forecasts go by.
    #[must_use]
    pub fn stages(&self) -> Said<Vec<StageAt<'a>>> {
        let is_known = self.open.as_ref().is_none_or(|open| !open.doubt.conditions);
        is_known.then(|| self.state.stages(self.rules))
    }

    /// Findings but that of what was recorded late, in no order.
    pub(crate) fn found(&self) -> &[Finding] {
        match &self.open {
            None => &self.state.findings,
            Some(open) => &open.findings,
        }
    }

    /// The finding of what was recorded late, with its count.
    pub(crate) fn late(&self) -> Option<&(Finding, u64)> {
        let is_known = self.open.as_ref().is_none_or(|open| !open.doubt.past);
        self.state.late.as_ref().filter(|_| is_known)
    }

    /// What was found, in order of instant, position, code, item and backup; with how many times
    /// for a finding that stands for several events. Where events were erased, what is certain.
    #[must_use]
    pub fn findings(&self) -> Vec<(Finding, Option<u64>)> {
        let late = self.late().into_iter().map(|(finding, count)| (finding.clone(), Some(*count)));
        let found = self.found().iter().map(|finding| (finding.clone(), None));
        let mut findings: Vec<_> = found.chain(late).collect();
        event::sort_by_key(&mut findings, |(finding, _)| {
            let (item, backup) = self.subject_names(finding.subject);
            (finding.at, finding.event.position, finding.code, item, backup)
        });
        findings
    }
}
