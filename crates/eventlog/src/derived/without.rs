//! Writes a run anew without what was erased of the log, under its own name: what a crash leaves is the old or the new one.
//!
//! Where so much of it is touched that this is less work than taking it out in place, or what is left has no room there.

use std::path::Path;

use super::DerivedError;
use super::block::Cursor;
use super::run::Run;
use super::taken::{Becomes, Taken, less};
use super::write::RunWriter;

/// Writes `run` as the run `name`, by way of the file `temporary`, without what was taken.
pub(super) fn write_without(
    run: &Run,
    taken: &Taken,
    temporary: &Path,
    name: &Path,
) -> Result<(), DerivedError> {
    let mut writer = RunWriter::create(temporary, &run.header, run.file().round() + 1, run.ids())?;
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
