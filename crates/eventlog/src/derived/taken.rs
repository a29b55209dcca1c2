//! What an erasure takes out of the log, and what it leaves of an account in a run.

use std::collections::{BTreeMap, BTreeSet};

use commitment::{Left, Ranges};
use event::{History, Names};

use super::account::{self, Gather, Record, fold_order};
use super::erased::{GoneLeaf, SubjectTag, blanked};
use super::run::Run;
use super::{IdTag, Place};

/// What an erasure takes out of the log.
#[derive(Debug, Clone)]
pub(crate) struct Taken {
    pub(crate) left: Left,
    /// The ordinals of accounts that go as a whole.
    pub(crate) names: BTreeSet<u64>,
    /// By their accounts' ordinals: positions, rising, with the tags of their subjects.
    pub(crate) events: BTreeMap<u64, Vec<(u64, SubjectTag)>>,
    /// All these positions.
    pub(crate) positions: Ranges,
    /// The tags of the ids that go, by their positions, which rise; none if they are not known.
    pub(crate) tags: Option<Vec<(u64, IdTag)>>,
}

/// What becomes of an account in a run.
pub(super) enum Becomes<'t> {
    Nothing,
    Less(&'t [(u64, SubjectTag)]),
}

impl Taken {
    /// What becomes of the account of a number in a run, if anything does.
    pub(super) fn of(&self, ordinal: u64, run: &Run) -> Option<Becomes<'_>> {
        if self.names.contains(&ordinal) {
            return Some(Becomes::Nothing);
        }
        let events = self.events.get(&ordinal)?;
        let from = events.partition_point(|(position, _)| *position < run.header.from);
        let to = events.partition_point(|(position, _)| *position < run.header.to);
        (from < to).then(|| Becomes::Less(&events[from..to]))
    }

    /// How many events of the account of a number go from a run.
    pub(super) fn count(&self, ordinal: u64, run: &Run) -> u64 {
        let events = self.events.get(&ordinal).map_or(&[][..], |events| events);
        let before = |to: u64| events.partition_point(|(position, _)| *position < to);
        (before(run.header.to) - before(run.header.from)) as u64
    }

    /// The accounts of which anything may be in a run.
    pub(super) fn ordinals(&self, run: &Run) -> BTreeSet<u64> {
        let all = self.names.iter().chain(self.events.keys()).copied();
        all.filter(|ordinal| self.of(*ordinal, run).is_some()).collect()
    }

    /// The tags, in order, of the ids that go from a run.
    pub(super) fn tags(&self, run: &Run) -> Option<Vec<IdTag>> {
        let tags = self.tags.as_ref()?;
        let before = |position: u64| tags.partition_point(|(at, _)| *at < position);
        let (from, to) = (before(run.header.from), before(run.header.to));
        let mut tags: Vec<IdTag> = tags[from..to].iter().map(|(_, tag)| *tag).collect();
        tags.sort_unstable();
        Some(tags)
    }
}

/// A record without what was taken of it.
pub(super) fn less(
    record: &Record<'_>,
    left: Left,
    events: &[(u64, SubjectTag)],
) -> Result<Vec<u8>, &'static str> {
    let mut history = History {
        account: String::new(),
        names: Names::default(),
        steps: Vec::new(),
        erased: event::ErasedEvents::default(),
    };
    let (mut gather, mut places) = (Gather::default(), Vec::new());
    gather.begin(record.name, &mut history);
    gather.add(record, &mut history, Some(&mut places))?;
    gather.end(&mut history, Some(&mut places));
    history.steps.sort_by_key(|step| step.revision);
    let place_of = |revision: u64| -> Result<Place, &'static str> {
        let found = places.binary_search_by_key(&revision, |(revision, _)| *revision);
        found.map(|at| places[at].1).map_err(|_| "a step has no place")
    };
    let (mut names, mut steps, mut gone) = (Names::default(), Vec::new(), gather.gone);
    for step in &history.steps {
        let place = place_of(step.revision)?;
        let found = events.binary_search_by_key(&step.position, |(position, _)| *position);
        match (found, left) {
            (Ok(at), Left::Envelope) => {
                gone.contents.push((step.revision, events[at].1));
                steps.push((blanked(step), place));
            }
            (Ok(_), Left::Leaf) => {
                let (revision, position) = (step.revision, step.position);
                gone.contents.retain(|(of, _)| *of != revision);
                gone.leaves.push(GoneLeaf { revision, position });
            }
            // Numbered by first appearance in the order of revisions, as if what went had never been.
            (Err(_), _) => {
                let mut kept = *step;
                let mut again = |id: event::NameId| names.intern(history.names.get(id));
                (kept.subject, kept.word) = (step.subject.map(&mut again), step.word.map(again));
                steps.push((kept, place));
            }
        }
    }
    gone.contents.sort_unstable_by_key(|(revision, _)| *revision);
    gone.leaves.sort_unstable_by_key(|leaf| leaf.revision);
    steps.sort_by_key(|(step, _)| fold_order(step));
    let mut out = Vec::new();
    account::encode(&record.head(), record.first, &names, &steps, &gone, &mut out);
    Ok(out)
}
