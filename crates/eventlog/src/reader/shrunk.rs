//! What would shrink, if more were erased.

use commitment::Ranges;

use super::Reader;
use crate::erase::shrink::{erased, saved, to_shrink};
use crate::{ReadError, Shrunk};

impl Reader {
    /// The segments that would be shrunk ([`Log::shrink`](crate::Log::shrink)) if these events were erased to their leaves as
    /// well, and the names of the accounts of these numbers. Memory: a batch.
    ///
    /// # Errors
    /// [`ReadError`]
    pub fn would_shrink(&self, events: &Ranges, names: &Ranges) -> Result<Shrunk, ReadError> {
        let gone = erased(&self.erasures()?, events);
        let mut shrunk = Shrunk::default();
        for header in to_shrink(&self.folder, self.end, &gone)? {
            shrunk.add(saved(&self.folder, &header, names)?);
        }
        Ok(shrunk)
    }
}
