//! What loss of power leaves of the writes that were not synced.

/// What is there after the machine stopped.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum After {
    /// All that was written: the process was killed.
    Kill,
    /// What was synced, bytes and names.
    Synced,
    /// All bytes, and the names that were synced.
    SyncedNames,
    /// All names, and the bytes that were synced.
    SyncedBytes,
    /// By chance, name by name and write by write, some writes only between some borders of 512
    /// bytes or 4 KiB: so also later writes without earlier ones, in one file or across files.
    Chance(u64),
    /// Of the writes that were not synced, by their order across all files, those whose bits are set;
    /// all names.
    Kept(u64),
    /// All names and writes, but of one that was not synced only what lies before a byte of its file,
    /// or only what lies from it on.
    Torn {
        /// Which, by their order across all files.
        write: usize,
        /// The byte.
        at: usize,
        /// Whether what lies from it on is kept.
        is_end_kept: bool,
    },
}

/// What disks tear at.
pub const BORDERS: [usize; 2] = [512, 4096];

/// A change of a file that is not synced.
#[derive(Debug, Clone)]
pub enum Change {
    Write(usize, Vec<u8>),
    Len(usize),
}

impl Change {
    pub fn apply(&self, bytes: &mut Vec<u8>) {
        match self {
            Change::Write(at, new) => {
                bytes.resize(bytes.len().max(at + new.len()), 0);
                bytes[*at..at + new.len()].copy_from_slice(new);
            }
            Change::Len(len) => bytes.resize(*len, 0),
        }
    }

    /// The parts of a write between borders of a size; of another change all of it.
    fn pieces(&self, border: usize) -> Vec<Change> {
        let Change::Write(at, new) = self else { return vec![self.clone()] };
        let (mut at, mut new) = (*at, &new[..]);
        let mut pieces = Vec::new();
        while !new.is_empty() {
            let (piece, rest) = new.split_at(new.len().min(border - at % border));
            pieces.push(Change::Write(at, piece.to_vec()));
            (at, new) = (at + piece.len(), rest);
        }
        pieces
    }

    /// What of it is kept if it is the `n`th of all that are not synced: nothing, all, or pieces.
    pub fn kept(&self, n: usize, after: After, chance: &mut fastrand::Rng) -> Vec<Change> {
        match (after, self) {
            (After::Kept(bits), _) if bits & 1 << n == 0 => Vec::new(),
            (After::Torn { write, at, is_end_kept }, Change::Write(from, new)) if write == n => {
                let (begin, end) = new.split_at(at.saturating_sub(*from).min(new.len()));
                vec![match is_end_kept {
                    true => Change::Write(at.max(*from), end.to_vec()),
                    false => Change::Write(*from, begin.to_vec()),
                }]
            }
            (After::Chance(_), _) => match chance.u8(..4) {
                0 => Vec::new(),
                1 => {
                    let border = *chance.choice(&BORDERS).expect("there are some");
                    self.pieces(border).into_iter().filter(|_| chance.bool()).collect()
                }
                _ => vec![self.clone()],
            },
            _ => vec![self.clone()],
        }
    }
}
