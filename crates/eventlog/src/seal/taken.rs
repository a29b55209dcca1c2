//! The frames that the record of an erasure names, as the log has them still.

use std::path::Path;

use commitment::{BATCH_HEADER, Digest, Frame};

use super::{SealError, store_folder};
use crate::batches::{Batches, Whole, corrupt};
use crate::derived::Place;
use crate::{ErasureRecord, Reader};

/// Of each frame that a record names the account's number and the leaf, in the order of the log. It is read from its
/// beginning up to the last of them.
///
/// # Errors
/// [`SealError`]
pub fn erased_frames(
    dir: &Path,
    reader: &Reader,
    record: &ErasureRecord,
) -> Result<Vec<(u32, Digest)>, SealError> {
    let folder = store_folder(dir)?;
    let end = reader.end();
    let stop = Place { segment: end.segment, offset: end.offset };
    let mut batches = Batches::new(&folder, reader.store(), stop);
    let named = record.names.count() + record.events.count();
    let mut frames = Vec::new();
    let mut position = 0;
    while (frames.len() as u64) < named {
        let Some(Whole { place, bytes: batch }) = batches.next()? else { break };
        let mut at = BATCH_HEADER;
        while at < batch.len() {
            let (frame, len) = Frame::read(&batch[at..]).map_err(|fault| {
                let fault = fault.moved(place.offset + at as u64);
                corrupt(&folder, place.segment, fault, Some(position))
            })?;
            if let Some(ordinal) = frame.ordinal()
                && let Some(leaf) = frame.leaf()
            {
                let is_named = match frame.is_event() {
                    true => record.events.contains(position),
                    false => record.names.contains(u64::from(ordinal)),
                };
                if is_named {
                    frames.push((ordinal, leaf));
                }
            }
            position += u64::from(frame.is_event());
            at += len;
        }
    }
    Ok(frames)
}
