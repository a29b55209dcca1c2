//! Finds ids that may be there twice, in memory that does not grow with the log.
//!
//! Of each (account, id) 8 bytes of a hash are kept, by a key that is drawn for the occasion, in lists by
//! their first byte. When there are too many, the lists go to a temporary file, and at the end one list at
//! a time comes back. Of two that are equal only the log can tell whether the ids are too: so who makes
//! hashes collide costs a check time, and hides nothing.

use std::collections::HashSet;
use std::fs::File;
use std::hash::BuildHasher;
use std::os::unix::fs::FileExt;
use std::sync::atomic::{AtomicUsize, Ordering};

use foldhash::quality::RandomState;

use crate::ReadError;

/// Ids that are kept in memory, in all parts together.
const MOST: usize = 2 << 20;
const LISTS: usize = 256;

/// What the hashes of one check have in common.
pub(crate) struct Ids {
    keys: RandomState,
    /// Ids that a part keeps in memory.
    most: usize,
    parts: usize,
}

/// The ids that one thread met.
pub(crate) struct Part {
    keys: RandomState,
    lists: Vec<Vec<u64>>,
    count: usize,
    most: usize,
    spilled: Option<Spilled>,
}

/// Lists in a file that has no name: whatever ends the process, it is gone.
struct Spilled {
    file: File,
    len: u64,
    /// Where pieces of each list lie, and how many ids they have.
    pieces: Vec<Vec<(u64, usize)>>,
}

impl Ids {
    pub(crate) fn new(parts: usize) -> Ids {
        Ids { keys: RandomState::default(), most: MOST / parts, parts }
    }

    pub(crate) fn part(&self) -> Part {
        let lists = vec![Vec::new(); LISTS];
        Part { keys: self.keys.clone(), lists, count: 0, most: self.most, spilled: None }
    }

    /// Says which (ordinal, id) may be in the parts twice: none if none is.
    ///
    /// # Errors
    /// If the temporary file cannot be read.
    pub(crate) fn twice(
        self,
        parts: Vec<Part>,
    ) -> Result<Option<impl Fn(u32, &str) -> bool + Send + use<>>, ReadError> {
        let next = AtomicUsize::new(0);
        let work = || {
            let (mut list, mut twice) = (Vec::new(), Vec::new());
            loop {
                let n = next.fetch_add(1, Ordering::Relaxed);
                if n >= LISTS {
                    return Ok(twice);
                }
                list.clear();
                parts.iter().try_for_each(|part| part.list(n, &mut list))?;
                list.sort_unstable();
                twice.extend(list.windows(2).filter(|two| two[0] == two[1]).map(|two| two[0]));
            }
        };
        let twice = std::thread::scope(|scope| {
            let threads: Vec<_> = (0..self.parts).map(|_| scope.spawn(work)).collect();
            let all =
                threads.into_iter().map(|thread| thread.join().expect("sorting does not panic"));
            all.collect::<Result<Vec<_>, ReadError>>()
        })?;
        let twice: HashSet<u64> = twice.into_iter().flatten().collect();
        let keys = self.keys;
        let is_any = !twice.is_empty();
        let is_twice = move |ordinal: u32, id: &str| twice.contains(&hash(&keys, ordinal, id));
        Ok(is_any.then_some(is_twice))
    }
}

impl Part {
    pub(crate) fn push(&mut self, ordinal: u32, id: &str) {
        let hash = hash(&self.keys, ordinal, id);
        self.lists[(hash >> 56) as usize].push(hash);
        self.count += 1;
        if self.count >= self.most {
            self.spill();
        }
    }

    /// Puts the lists into a file. Where none can be written they stay in memory.
    fn spill(&mut self) {
        if self.spilled.is_none() {
            let pieces = vec![Vec::new(); LISTS];
            self.spilled = tempfile::tempfile().ok().map(|file| Spilled { file, len: 0, pieces });
        }
        let is_written = self.spilled.as_mut().is_some_and(|spilled| {
            let lists = self.lists.iter_mut().zip(0..);
            lists.into_iter().try_for_each(|(list, n)| spilled.put(n, list)).is_ok()
        });
        (self.count, self.most) = if is_written { (0, self.most) } else { (0, usize::MAX) };
    }

    /// Appends a list to `out`.
    fn list(&self, n: usize, out: &mut Vec<u64>) -> Result<(), ReadError> {
        out.extend_from_slice(&self.lists[n]);
        let Some(spilled) = &self.spilled else { return Ok(()) };
        let read = spilled.get(n, out);
        read.map_err(ReadError::io("read back a temporary file in", &std::env::temp_dir()))
    }
}

impl Spilled {
    fn put(&mut self, n: usize, list: &mut Vec<u64>) -> std::io::Result<()> {
        let bytes: Vec<u8> = list.iter().flat_map(|hash| hash.to_le_bytes()).collect();
        self.file.write_all_at(&bytes, self.len)?;
        self.pieces[n].push((self.len, list.len()));
        self.len += bytes.len() as u64;
        list.clear();
        Ok(())
    }

    fn get(&self, n: usize, out: &mut Vec<u64>) -> std::io::Result<()> {
        for (offset, count) in &self.pieces[n] {
            let mut bytes = vec![0; 8 * count];
            self.file.read_exact_at(&mut bytes, *offset)?;
            out.extend(bytes.as_chunks::<8>().0.iter().map(|hash| u64::from_le_bytes(*hash)));
        }
        Ok(())
    }
}

fn hash(keys: &RandomState, ordinal: u32, id: &str) -> u64 {
    keys.hash_one((ordinal, id))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The ids of `0..count`, and those of `again` once more, in parts of so many in memory.
    fn check(count: u32, most: usize, again: &[u32]) {
        let ids = Ids { most, ..Ids::new(2) };
        let mut parts = [ids.part(), ids.part()];
        for n in (0..count).chain(again.iter().copied()) {
            parts[n as usize % 2].push(n % 5, &format!("id {n}"));
        }
        let twice = ids.twice(parts.into()).unwrap();
        assert_eq!(twice.is_some(), !again.is_empty());
        for n in 0..count {
            let is_twice = twice.as_ref().is_some_and(|twice| twice(n % 5, &format!("id {n}")));
            assert_eq!(is_twice, again.contains(&n), "id {n} of {count}, {most} in memory");
        }
    }

    #[test]
    fn those_that_are_there_twice_are_found() {
        for most in [1, 7, 100, 100_000] {
            for again in [&[][..], &[0], &[998], &[3, 999]] {
                check(1000, most, again);
            }
        }
        check(0, 1, &[]);
    }

    #[test]
    fn an_id_of_two_accounts_is_not_there_twice() {
        let ids = Ids::new(1);
        let mut part = ids.part();
        part.push(1, "a");
        part.push(2, "a");
        assert!(ids.twice(vec![part]).unwrap().is_none());
    }
}
