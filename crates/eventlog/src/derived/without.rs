//! Writes a run anew without what was erased of the log, under its own name: what a crash leaves is the old or the new one.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use commitment::{Left, Ranges};
use event::{History, Names};

use super::account::{self, Gather, Record, fold_order};
use super::block::Cursor;
use super::erased::{GoneLeaf, SubjectTag, blanked};
use super::run::Run;
use super::write::RunWriter;
use super::{DerivedError, Place};

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
}

/// What becomes of an account in a run.
enum Becomes<'t> {
    Nothing,
    Less(&'t [(u64, SubjectTag)]),
}

impl Taken {
    /// Whether a run has any of it.
    pub(super) fn is_in(&self, run: &Run) -> Result<bool, DerivedError> {
        let (from, to) = (run.header.from, run.header.to);
        let is_met = self.positions.iter().any(|range| range.start < to && from < range.end);
        for name in self.names.iter().filter(|_| !is_met) {
            if run.has_ordinal(*name)? {
                return Ok(true);
            }
        }
        Ok(is_met)
    }

    fn of(&self, ordinal: u64, run: &Run) -> Option<Becomes<'_>> {
        if self.names.contains(&ordinal) {
            return Some(Becomes::Nothing);
        }
        let events = self.events.get(&ordinal)?;
        let from = events.partition_point(|(position, _)| *position < run.header.from);
        let to = events.partition_point(|(position, _)| *position < run.header.to);
        (from < to).then(|| Becomes::Less(&events[from..to]))
    }
}

/// Writes `run` as the run `name`, by way of the file `temporary`, without what was taken.
pub(super) fn write_without(
    run: &Run,
    taken: &Taken,
    temporary: &Path,
    name: &Path,
) -> Result<(), DerivedError> {
    let (accounts, ids) = (run.footer.accounts, run.ids());
    let mut writer = RunWriter::create(temporary, &run.header, accounts, ids)?;
    let mut cursor = Cursor::open(run, None)?;
    while cursor.name()?.is_some() {
        let record = cursor.record()?;
        let (ordinal, begins) = (record.ordinal, record.first == 0);
        match taken.of(ordinal, run) {
            Some(Becomes::Nothing) => {}
            Some(Becomes::Less(events)) => {
                let bytes = less(&record, taken.left, events).map_err(|w| cursor.damaged(w))?;
                let copy = |out: &mut Vec<u8>| out.extend_from_slice(&bytes);
                writer.account(record.name, ordinal, begins, copy)?;
            }
            None => {
                let bytes = cursor.bytes()?;
                let copy = |out: &mut Vec<u8>| out.extend_from_slice(bytes);
                writer.account(record.name, ordinal, begins, copy)?;
            }
        }
        cursor.advance()?;
    }
    let mut writer = writer.ids(&run.erasures()?)?;
    let mut ids = run.all_ids();
    while let Some((tag, position)) = ids.next()? {
        if !taken.positions.contains(position) {
            writer.id(&tag, position)?;
        }
    }
    writer.finish(name)
}

/// A record without what was taken of it.
fn less(
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
                gone.leaves.push(GoneLeaf { revision, position, place });
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
