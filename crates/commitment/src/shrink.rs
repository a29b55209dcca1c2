//! Shrunk segments: nothing but erased events, without the room that they left (docs/format.md, "Shrunk").

use crate::batch::{BATCH_HEADER, rewrite_batch};
use crate::fault::Fault;
use crate::frame::{Frame, shrink_frame};

/// Appends what a sound batch of `store` comes to when its segment is shrunk, if each event in it is erased to its leaf;
/// says whether that is so. A batch without an erased frame stays as it is, and so does one that was shrunk before.
///
/// # Errors
/// If what it holds are no frames; then, and where it is not so, `out` is as it was.
pub fn shrink_batch(batch: &[u8], store: &[u8; 16], out: &mut Vec<u8>) -> Result<bool, Fault> {
    let start = out.len();
    let appended = append(batch, store, out);
    if !matches!(appended, Ok(true)) {
        out.truncate(start);
    }
    appended
}

fn append(batch: &[u8], store: &[u8; 16], out: &mut Vec<u8>) -> Result<bool, Fault> {
    let Some((header, _)) = batch.split_first_chunk::<BATCH_HEADER>() else {
        return Err(Fault::new(0, "a batch's header", format!("{} bytes", batch.len())));
    };
    let (start, mut at, mut is_erased) = (out.len(), BATCH_HEADER, false);
    out.extend_from_slice(header);
    while at < batch.len() {
        let (frame, len) = Frame::read(&batch[at..]).map_err(|fault| fault.moved(at as u64))?;
        if frame.is_event() && !matches!(frame, Frame::EventErased { .. }) {
            return Ok(false);
        }
        is_erased |= frame.is_erased();
        shrink_frame(&batch[at..at + len], out)?;
        at += len;
    }
    let shrunk = &mut out[start..];
    let len = u32::try_from(shrunk.len() - BATCH_HEADER).expect("no longer than it was");
    shrunk[24..28].copy_from_slice(&len.to_le_bytes());
    if is_erased {
        rewrite_batch(shrunk, store);
    }
    Ok(true)
}
