//! Makes runs: of the table in memory, and of neighbouring runs, reading each from front to back.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use event::{History, Names, Step};

use super::account::{self, Gather, fold_order};
use super::block::Cursor;
use super::file::Header;
use super::run::Run;
use super::table::{Steps, Table};
use super::write::RunWriter;
use super::{DerivedError, Place};

/// Writes the table as the run `name`, by way of the file `temporary`.
pub(super) fn write_table(
    table: &Table,
    erasures: &[u8],
    header: &Header,
    temporary: &Path,
    name: &Path,
) -> Result<(), DerivedError> {
    let ids = table.sorted_ids();
    let mut writer = RunWriter::create(temporary, header, 0, ids.len() as u64)?;
    let mut parts = table.parts(None, None);
    let mut gathered = Steps::default();
    while let Some((part, head)) = parts.take(&mut gathered) {
        let Steps { names, steps, gone } = &mut gathered;
        if !steps.is_sorted_by_key(|(step, _)| fold_order(step)) {
            steps.sort_by_key(|(step, _)| fold_order(step));
        }
        writer.account(head.account, head.ordinal, part.begins(), |out| {
            account::encode(&head, part.first, names, steps, gone, out);
        })?;
    }
    let mut writer = writer.ids(erasures)?;
    for (tag, position) in &ids {
        writer.id(tag, *position)?;
    }
    writer.finish(name)
}

/// Writes neighbouring runs, the oldest first, as the one run `name`, in memory of the largest
/// account, a filter, and 32 bytes an account. False if `stop` was set before it was done.
pub(super) fn write_merged(
    runs: &[Arc<Run>],
    temporary: &Path,
    name: &Path,
    stop: &AtomicBool,
) -> Result<bool, DerivedError> {
    let (first, last) = (&runs[0].header, &runs[runs.len() - 1].header);
    let header = Header { from: first.from, ..*last };
    let ids = runs.iter().map(|run| run.ids()).sum();
    let mut writer = RunWriter::create(temporary, &header, 0, ids)?;

    let mut cursors = Vec::new();
    for run in runs {
        cursors.push(Cursor::open(run, None)?);
    }
    let mut merging = Merging::default();
    while let Some(name) = least_name(&cursors)? {
        if stop.load(Ordering::Relaxed) {
            return Ok(false);
        }
        merging.account(name, &cursors, &mut writer)?;
        for cursor in &mut cursors {
            if cursor.name()? == Some(merging.history.account.as_str()) {
                cursor.advance()?;
            }
        }
    }

    let mut erasures = Vec::new();
    for run in runs {
        erasures.extend(run.erasures()?);
    }
    let mut writer = writer.ids(&erasures)?;
    let mut lists = Vec::new();
    for run in runs {
        let mut list = run.all_ids();
        if let Some(next) = list.next()? {
            lists.push((next, list));
        }
    }
    while let Some(least) = (0..lists.len()).min_by_key(|i| lists[*i].0.0) {
        let ((tag, position), list) = &mut lists[least];
        writer.id(tag, *position)?;
        match list.next()? {
            Some(next) => lists[least].0 = next,
            None => drop(lists.swap_remove(least)),
        }
    }
    writer.finish(name).map(|()| true)
}

/// The least name at which any cursor stands.
pub(super) fn least_name<'a>(cursors: &'a [Cursor<'_>]) -> Result<Option<&'a str>, DerivedError> {
    let mut least = None;
    for cursor in cursors {
        if let Some(name) = cursor.name()?
            && least.is_none_or(|least| name < least)
        {
            least = Some(name);
        }
    }
    Ok(least)
}

/// Memory for putting one account after the other together.
#[derive(Debug)]
struct Merging {
    gather: Gather,
    history: History,
    places: Vec<(u64, Place)>,
    steps: Vec<(Step, Place)>,
}

impl Default for Merging {
    fn default() -> Self {
        let history = History {
            account: String::new(),
            names: Names::default(),
            steps: Vec::new(),
            erased: event::ErasedEvents::default(),
        };
        Merging { gather: Gather::default(), history, places: Vec::new(), steps: Vec::new() }
    }
}

impl Merging {
    /// Adds the account `name`, which is that of some of the cursors' records.
    fn account(
        &mut self,
        name: &str,
        cursors: &[Cursor<'_>],
        writer: &mut RunWriter,
    ) -> Result<(), DerivedError> {
        let Merging { gather, history, places, steps } = self;
        gather.begin(name, history);
        let mut parts = Vec::with_capacity(cursors.len());
        for cursor in cursors {
            if cursor.name()? == Some(name) {
                parts.push(cursor);
            }
        }
        let oldest = parts[0].record()?;
        let begins = oldest.first == 0;
        if let [only] = parts[..] {
            // A record says nothing about its run, so it can be taken as it is.
            let bytes = only.bytes()?;
            return writer
                .account(name, oldest.ordinal, begins, |out| out.extend_from_slice(bytes));
        }
        places.clear();
        steps.clear();
        let mut head = oldest.head();
        for part in &parts {
            let record = part.record()?;
            let added = gather.add(&record, history, Some(places));
            added.map_err(|what| part.damaged(what))?;
            head = record.head();
        }
        gather.end(history, Some(places));
        let start = places.first().map_or(0, |(revision, _)| *revision);
        for step in &history.steps {
            // Revisions rarely have gaps, so the place is mostly where it would be without.
            let guess = usize::try_from(step.revision.wrapping_sub(start)).ok();
            let place = match guess.and_then(|i| places.get(i)) {
                Some((revision, place)) if *revision == step.revision => Some(*place),
                _ => places.binary_search_by_key(&step.revision, |p| p.0).ok().map(|i| places[i].1),
            };
            let place = place.expect("each record has a place for each step");
            steps.push((*step, place));
        }
        writer.account(name, head.ordinal, begins, |out| {
            account::encode(&head, oldest.first, &history.names, steps, &gather.gone, out);
        })
    }
}
