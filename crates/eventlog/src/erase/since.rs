//! Whether an erasure was recorded behind an end that the log had: then what was read of the log up to there may be
//! half of before and half of after.

use commitment::{ControlKind, Frame, HEAD, Head};

use crate::batches::Batches;
use crate::derived::Place;
use crate::erase::shrink::is_shrunk;
use crate::folder::Folder;
use crate::head_file::Durable;

/// Looks for a record from `end` up to where `HEAD` says now that the log ends. Of a log that cannot be read there: no.
pub(crate) fn is_erased_since(folder: &Folder, end: Durable) -> bool {
    erased_since(folder, end).unwrap_or(false)
}

/// The same; `None` of a log that cannot be read there.
pub(crate) fn erased_since(folder: &Folder, end: Durable) -> Option<bool> {
    // What it ends in was the last segment then, which never is.
    if let Ok(true) = is_shrunk(folder, end.segment) {
        return Some(true);
    }
    let Head { now, .. } = Head::decode(&folder.read(&folder.head(), 2 * HEAD).ok()?).ok()?;
    let stop = Place { segment: now.segment, offset: now.offset };
    let mut batches = Batches::new(folder, now.store, stop).from(end);
    while let Some(batch) = batches.next().ok()? {
        if has_record(batch.frames()) {
            return Some(true);
        }
    }
    Some(false)
}

fn has_record(mut rest: &[u8]) -> bool {
    while let Ok((frame, len)) = Frame::read(rest) {
        if matches!(frame, Frame::Control { kind: ControlKind::Erasure, .. }) {
            return true;
        }
        rest = &rest[len..];
    }
    false
}
