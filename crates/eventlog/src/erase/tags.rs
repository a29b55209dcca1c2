//! `keys/erased`: by what an event that was erased is told when it comes again.
//!
//! | bytes | what |
//! |---|---|
//! | 8 | `STILLTAG` |
//! | 4, 4 | version, 1; zeros |
//! | 32 | key, random |
//! | 16 each | tags, rising: the first bytes of BLAKE3, keyed, of length of account (4) ‖ account ‖ id |
//! | 32 | BLAKE3 of all before it |
//!
//! Who has this file can test guesses of accounts and ids, so it lies with the keys, for its owner alone, and in no backup.
//! Without it nothing is refused. It is written before the log is touched: what a crash leaves more in it than was erased is
//! never asked, because an event is looked for in the log first.

use std::collections::BTreeMap;
use std::io;
use std::path::PathBuf;

use crate::OpenError;
use crate::folder::Folder;
use crate::storage::{self, Access};

const MAGIC: &[u8; 8] = b"STILLTAG";
const VERSION: u64 = 1;
const KEYS: &str = "keys";
/// The file's name in `keys/`.
pub(crate) const FILE: &str = "erased";

type Tag = [u8; 16];

/// The tags of a store.
pub(crate) struct Tags {
    key: [u8; 32],
    /// As they were read: rising.
    tags: Vec<Tag>,
    /// Those that were added since, or taken out.
    changed: BTreeMap<Tag, bool>,
}

fn path(folder: &Folder) -> PathBuf {
    folder.root.join(KEYS).join(FILE)
}

impl Tags {
    /// None yet.
    pub(crate) fn new(key: [u8; 32]) -> Tags {
        Tags { key, tags: Vec::new(), changed: BTreeMap::new() }
    }

    /// Those of a store, if it has any.
    ///
    /// # Errors
    /// [`OpenError::Io`], also if they are not as they were written.
    pub(crate) fn read(folder: &Folder) -> Result<Option<Tags>, OpenError> {
        let path = path(folder);
        let read = folder.storage.open(&path, Access::Read).and_then(|file| {
            let mut bytes = vec![0; usize::try_from(file.length()?).unwrap_or(usize::MAX)];
            let len = file.read_at(&mut bytes, 0)?;
            bytes.truncate(len);
            let what = "it is damaged; without it, events that were erased are taken in again";
            Tags::decode(&bytes).ok_or_else(|| io::Error::new(io::ErrorKind::InvalidData, what))
        });
        match read {
            Ok(tags) => Ok(Some(tags)),
            Err(e) if e.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(e) => Err(OpenError::io("read", &path)(e)),
        }
    }

    /// Whether an event was erased.
    pub(crate) fn has(&self, account: &str, id: &str) -> bool {
        let tag = self.tag(account, id);
        self.changed.get(&tag).copied().unwrap_or_else(|| is_in(&self.tags, &tag))
    }

    /// Adds an event.
    pub(crate) fn add(&mut self, account: &str, id: &str) {
        self.changed.insert(self.tag(account, id), true);
    }

    /// Takes an event out, if it is there.
    pub(crate) fn remove(&mut self, account: &str, id: &str) {
        self.changed.insert(self.tag(account, id), false);
    }

    fn tag(&self, account: &str, id: &str) -> Tag {
        let len = u32::try_from(account.len()).expect("at most 128 bytes");
        let mut hasher = blake3::Hasher::new_keyed(&self.key);
        hasher.update(&len.to_le_bytes()).update(account.as_bytes()).update(id.as_bytes());
        *hasher.finalize().as_bytes().first_chunk().expect("16 of 32 bytes")
    }

    /// Writes all, durably, in the place of what was there.
    pub(crate) fn write(&self, folder: &Folder) -> Result<(), OpenError> {
        let keys = folder.root.join(KEYS);
        let made = folder.storage.create_folder(&keys);
        made.map_err(OpenError::io("make the folder", &keys))?;
        folder.sync_folder(&folder.root)?;
        let path = path(folder);
        let put = storage::put(&*folder.storage, &path, &self.encode(), Access::CreateSecret);
        put.map_err(OpenError::io("write", &path))
    }

    fn encode(&self) -> Vec<u8> {
        let there = self.tags.iter().filter(|tag| !self.changed.contains_key(*tag));
        let added = self.changed.iter().filter(|(_, is_there)| **is_there).map(|(tag, _)| tag);
        let mut tags: Vec<&Tag> = there.chain(added).collect();
        // Two runs that rise.
        tags.sort();
        let mut out = Vec::with_capacity(80 + 16 * tags.len());
        out.extend_from_slice(MAGIC);
        out.extend_from_slice(&VERSION.to_le_bytes());
        out.extend_from_slice(&self.key);
        tags.into_iter().for_each(|tag| out.extend_from_slice(tag));
        let hash = blake3::hash(&out);
        out.extend_from_slice(hash.as_bytes());
        out
    }

    fn decode(bytes: &[u8]) -> Option<Tags> {
        let (bytes, hash) = bytes.split_last_chunk::<32>()?;
        let (magic, rest) = bytes.split_first_chunk::<8>()?;
        let (version, rest) = rest.split_first_chunk()?;
        let (key, tags) = rest.split_first_chunk()?;
        let (tags, odd) = tags.as_chunks();
        let is_sound = *blake3::hash(bytes).as_bytes() == *hash
            && magic == MAGIC
            && u64::from_le_bytes(*version) == VERSION
            && odd.is_empty();
        let is_sound = is_sound && tags.is_sorted();
        is_sound.then(|| Tags { tags: tags.to_vec(), ..Tags::new(*key) })
    }
}

/// Whether a tag is among some, which rise. They are spread evenly: so it is looked for near where it is to be expected.
fn is_in(tags: &[Tag], tag: &Tag) -> bool {
    let part = u128::from(u64::from_be_bytes(*tag.first_chunk().expect("8 of 16 bytes")));
    let near = ((part * tags.len() as u128) >> u64::BITS) as usize;
    let (mut low, mut high, mut step) = (near, near, 16);
    while low > 0 && tags[low] > *tag {
        low = low.saturating_sub(step);
        step *= 2;
    }
    while high < tags.len() && tags[high] < *tag {
        high = (high + step).min(tags.len());
        step *= 2;
    }
    let end = (high + 1).min(tags.len());
    tags[low..end].binary_search(tag).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tag_is_found_wherever_it_is() {
        for count in [0, 1, 2, 100, 5000] {
            let mut tags: Vec<Tag> = (0..count)
                .map(|n: u32| *blake3::hash(&n.to_le_bytes()).as_bytes().first_chunk().unwrap())
                .collect();
            // Where nobody expects them.
            if count == 100 {
                tags.iter_mut().for_each(|tag| tag[..2].fill(0));
            }
            tags.sort();
            for tag in &tags {
                assert!(is_in(&tags, tag));
                let mut other = *tag;
                other[15] ^= 1;
                assert!(!is_in(&tags, &other));
            }
            for other in [[0; 16], [0xff; 16], [0x80; 16]] {
                assert!(!is_in(&tags, &other), "{count}");
            }
        }
    }

    #[test]
    fn what_was_added_and_taken_out_is_written() {
        let mut tags = Tags::new([7; 32]);
        (0..9).for_each(|n| tags.add("a", &n.to_string()));
        let mut tags = Tags::decode(&tags.encode()).unwrap();
        tags.remove("a", "3");
        tags.add("a", "4");
        tags.add("b", "3");
        let has = |tags: &Tags| {
            let of = |account: &str| (0..9).filter(|n| tags.has(account, &n.to_string())).count();
            (of("a"), of("b"), tags.has("a", "3"))
        };
        let again = Tags::decode(&tags.encode()).unwrap();
        assert_eq!((has(&tags), has(&again)), ((8, 1, false), (8, 1, false)));
        assert_eq!(again.tags.len(), 9);
    }
}
