//! Tiles: the tree as files that never change (C2SP tlog-tiles).
//!
//! A tile is up to 256 hashes beside each other, 32 bytes each. On level 0 they are those of leaves, on
//! level `l` the roots of the full tiles of level `l - 1`: the nodes `(8 · l, ·)` of the tree. An entry
//! bundle is up to 256 entries, each behind its length in 16 bits, big-endian.
//!
//! | path | what |
//! |---|---|
//! | `tile/<L>/<N>` | tile `N` of level `L`, full: 8,192 bytes |
//! | `tile/<L>/<N>.p/<W>` | its first `W` hashes, 1 to 255 |
//! | `tile/entries/<N>`, `tile/entries/<N>.p/<W>` | the entries of tile `N` of level 0 |
//!
//! `L` is 0 to 63. `N` is in groups of three digits, an `x` before each but the last: `x001/x234/067`.
//! No number has a zero in front, so a tile has one path.

use std::collections::VecDeque;
use std::fmt;
use std::ops::Range;

use crate::fault::Fault;
use crate::hash::Digest;
use crate::tlog::proof::{MAX_TREE, ProofError, prove_consistency, prove_inclusion, tree_root};
use crate::tlog::spelling::decimal;
use crate::tree::node as join;

/// How many hashes or entries are in a full tile.
pub const TILE: u16 = 256;
/// The levels of the tree that a level of tiles spans.
const HEIGHT: u8 = 8;

/// What a tile holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum TileKind {
    /// Nodes of the tree, of the level 8 · `level`.
    Hashes {
        /// The level of tiles, 0 to 63.
        level: u8,
    },
    /// What the leaves are hashes of.
    Entries,
}

/// Which tile. Its `Display` is its path.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Tile {
    kind: TileKind,
    index: u64,
    width: u16,
}

/// Why a tile cannot be had, or is not one.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TileError {
    /// A text that is no tile's path, or not as it is spelled.
    #[error("{0:?} is not the path of a tile")]
    Path(String),
    /// A tile that is needed is not there.
    #[error("{0} is missing")]
    Missing(Tile),
    /// A tile is shorter or longer than it should be.
    #[error("{tile} has {found} bytes, expected {expected}")]
    Length {
        /// The tile.
        tile: Tile,
        /// In bytes.
        expected: usize,
        /// In bytes.
        found: usize,
    },
    /// A node that the tree does not have in full.
    #[error("node {index} of level {level} is not in a tree of {size} leaves")]
    Outside {
        /// The node's level in the tree, 0 for leaves.
        level: u8,
        /// Its place on that level.
        index: u64,
        /// Leaves in the tree.
        size: u64,
    },
    /// No proof has these numbers.
    #[error(transparent)]
    Proof(#[from] ProofError),
}

impl Tile {
    /// What it holds.
    #[must_use]
    pub const fn kind(&self) -> TileKind {
        self.kind
    }

    /// Its number on its level, from 0.
    #[must_use]
    pub const fn index(&self) -> u64 {
        self.index
    }

    /// How many hashes or entries it holds, 1 to 256.
    #[must_use]
    pub const fn width(&self) -> u16 {
        self.width
    }

    /// The full tile in its place, which begins with what this one holds and may replace it.
    #[must_use]
    pub const fn full(&self) -> Tile {
        Tile { width: TILE, ..*self }
    }

    /// The places on its level of what it holds; the leaves, for entries.
    #[must_use]
    pub const fn range(&self) -> Range<u64> {
        let start = self.index * TILE as u64;
        start..start + self.width as u64
    }

    /// Of its path.
    ///
    /// # Errors
    /// A text that is not the one spelling of a tile's path, or a tile that no tree reaches.
    pub fn parse(path: &str) -> Result<Tile, TileError> {
        let tile = Tile::parse_loosely(path).filter(|tile| tile.to_string() == path);
        tile.ok_or_else(|| TileError::Path(path.to_owned()))
    }

    fn parse_loosely(path: &str) -> Option<Tile> {
        let (kind, rest) = path.strip_prefix("tile/")?.split_once('/')?;
        let kind = match kind {
            "entries" => TileKind::Entries,
            level => TileKind::Hashes { level: u8::try_from(decimal(level)?).ok()? },
        };
        if matches!(kind, TileKind::Hashes { level: 64.. }) {
            return None;
        }
        let (number, width) = match rest.split_once(".p/") {
            Some((number, width)) => (number, u16::try_from(decimal(width)?).ok()?),
            None => (rest, TILE),
        };
        let mut index = 0u64;
        for group in number.split('/') {
            let digits = group.strip_prefix('x').unwrap_or(group);
            let group: u64 = digits.parse().ok().filter(|_| digits.len() == 3)?;
            index = index.checked_mul(1000)?.checked_add(group)?;
        }
        let is_real = (1..=TILE).contains(&width) && index <= MAX_TREE / u64::from(TILE);
        is_real.then_some(Tile { kind, index, width })
    }

    /// The tile that a tree of `size` leaves has here.
    fn of(size: u64, level: u8, index: u64) -> Option<Tile> {
        let on_level = size.checked_shr(u32::from(level) * u32::from(HEIGHT)).unwrap_or(0);
        let width = on_level.checked_sub(index * u64::from(TILE))?.min(u64::from(TILE));
        let kind = TileKind::Hashes { level };
        (width > 0).then_some(Tile { kind, index, width: width as u16 })
    }
}

impl fmt::Display for Tile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.kind {
            TileKind::Hashes { level } => write!(f, "tile/{level}/")?,
            TileKind::Entries => f.write_str("tile/entries/")?,
        }
        let groups = self.index.checked_ilog(1000).unwrap_or(0);
        for above in (1..=groups).rev() {
            write!(f, "x{:03}/", self.index / 1000u64.pow(above) % 1000)?;
        }
        write!(f, "{:03}", self.index % 1000)?;
        if self.width < TILE { write!(f, ".p/{}", self.width) } else { Ok(()) }
    }
}

/// The tiles of one level that are new, or wider, when what is on it grows from `old` to `new`.
fn tiles_of(kind: TileKind, old: u64, new: u64) -> impl Iterator<Item = Tile> {
    let wide = u64::from(TILE);
    let (first, end) = if old < new { (old / wide, new.div_ceil(wide)) } else { (0, 0) };
    (first..end).map(move |index| {
        let width = (new - index * wide).min(wide);
        Tile { kind, index, width: width as u16 }
    })
}

/// The tiles of hashes that a tree has after it grew from `old` leaves to `new`, and had not or had
/// narrower before: level by level, from left to right. None where it did not grow.
pub fn new_tiles(old: u64, new: u64) -> impl Iterator<Item = Tile> {
    (0..=u64::BITS as u8 / HEIGHT - 1).flat_map(move |level| {
        let shift = level * HEIGHT;
        tiles_of(TileKind::Hashes { level }, old >> shift, new >> shift)
    })
}

/// The entry bundles that a log has after it grew from `old` leaves to `new`, and had not or had
/// narrower before.
pub fn new_bundles(old: u64, new: u64) -> impl Iterator<Item = Tile> {
    tiles_of(TileKind::Entries, old, new)
}

/// What is asked for a tile: its bytes, those of the full tile in its place, or `None` if there is neither.
fn asked<E: From<TileError>>(
    tile: Tile,
    read: &mut impl FnMut(Tile) -> Result<Option<Vec<u8>>, E>,
) -> Result<Vec<Digest>, E> {
    let bytes = read(tile)?.ok_or(TileError::Missing(tile))?;
    let (hashes, rest) = bytes.as_chunks::<32>();
    let width = usize::from(tile.width);
    if !rest.is_empty() || ![width, usize::from(TILE)].contains(&hashes.len()) {
        let (expected, found) = (width * 32, bytes.len());
        return Err(TileError::Length { tile, expected, found }.into());
    }
    Ok(hashes[..width].to_vec())
}

/// The tiles of [`new_tiles`] with their bytes, when a tree of `old` leaves gets these on top. Of the old
/// tree only the partial tiles at its right edge are read, one a level, so the work is in proportion to
/// what is new.
///
/// `read` answers with a tile's bytes or those of the full tile in its place, and with `None` where there is
/// neither.
///
/// # Errors
/// A tile that is missing or has another length, a tree that is too large, and what `read` reports.
pub fn grow_tiles<E: From<TileError>>(
    old: u64,
    leaves: &[Digest],
    mut read: impl FnMut(Tile) -> Result<Option<Vec<u8>>, E>,
) -> Result<Vec<(Tile, Vec<u8>)>, E> {
    let size = old.saturating_add(leaves.len() as u64);
    if size > MAX_TREE {
        return Err(TileError::from(ProofError::TooLarge(size)).into());
    }
    let mut tiles = Vec::new();
    let (mut level, mut old, mut new) = (0, old, leaves.to_vec());
    while !new.is_empty() {
        let index = old / u64::from(TILE);
        let mut row = match Tile::of(old, 0, index) {
            Some(edge) => asked(Tile { kind: TileKind::Hashes { level }, ..edge }, &mut read)?,
            None => Vec::new(),
        };
        row.append(&mut new);
        for (index, hashes) in (index..).zip(row.chunks(usize::from(TILE))) {
            let kind = TileKind::Hashes { level };
            let tile = Tile { kind, index, width: hashes.len() as u16 };
            tiles.push((tile, hashes.concat()));
            if tile.width == TILE {
                new.push(fold(hashes.to_vec()));
            }
        }
        (level, old) = (level + 1, index);
    }
    Ok(tiles)
}

/// The root over a power of two of hashes.
fn fold(mut hashes: Vec<Digest>) -> Digest {
    debug_assert!(hashes.len().is_power_of_two());
    while hashes.len() > 1 {
        hashes = hashes.as_chunks().0.iter().map(|[left, right]| join(left, right)).collect();
    }
    hashes[0]
}

/// The nodes of a tree, read out of its tiles.
///
/// Nothing here says that the tiles are right: who believes a signed checkpoint compares
/// [`Tiles::root`] with its root, and who is shown a proof checks that.
#[derive(Debug)]
pub struct Tiles<R> {
    size: u64,
    read: R,
    /// The tiles read last, the latest first: a proof goes up level by level and comes back to few.
    kept: VecDeque<(Tile, Vec<Digest>)>,
}

/// Two for each level that a tree can have.
const KEPT: usize = 16;

impl<R, E> Tiles<R>
where
    R: FnMut(Tile) -> Result<Option<Vec<u8>>, E>,
    E: From<TileError> + From<ProofError>,
{
    /// The tiles of a tree of `size` leaves; `read` as in [`grow_tiles`].
    pub const fn new(size: u64, read: R) -> Tiles<R> {
        Tiles { size, read, kept: VecDeque::new() }
    }

    /// The hash over the leaves from `index << level` on, 2^`level` of them.
    ///
    /// # Errors
    /// A node that the tree does not have in full, a tile that is missing or has another length, and what
    /// `read` reports.
    pub fn node(&mut self, level: u8, index: u64) -> Result<Digest, E> {
        let size = self.size;
        if level >= 64 || index >= size >> level {
            return Err(TileError::Outside { level, index, size }.into());
        }
        let (row, inside) = (level / HEIGHT, level % HEIGHT);
        let first = index << inside;
        let tile = Tile::of(size, row, first / u64::from(TILE)).expect("the tree has the node");
        let place = (first % u64::from(TILE)) as usize;
        if let Some((_, hashes)) = self.kept.iter().find(|(kept, _)| *kept == tile) {
            return Ok(fold(hashes[place..place + (1 << inside)].to_vec()));
        }
        let hashes = asked(tile, &mut self.read)?;
        let root = fold(hashes[place..place + (1 << inside)].to_vec());
        self.kept.truncate(KEPT - 1);
        self.kept.push_front((tile, hashes));
        Ok(root)
    }

    /// The root that the tiles at the right edge give.
    ///
    /// # Errors
    /// As [`Tiles::node`].
    pub fn root(&mut self) -> Result<Digest, E> {
        tree_root(self.size, |level, index| self.node(level, index))
    }

    /// The inclusion proof of a leaf.
    ///
    /// # Errors
    /// As [`prove_inclusion`] and [`Tiles::node`].
    pub fn prove_inclusion(&mut self, index: u64) -> Result<Vec<Digest>, E> {
        prove_inclusion(index, self.size, |level, index| self.node(level, index))
    }

    /// The proof that the tree of `old` leaves is the beginning of this one.
    ///
    /// # Errors
    /// As [`prove_consistency`] and [`Tiles::node`].
    pub fn prove_consistency(&mut self, old: u64) -> Result<Vec<Digest>, E> {
        prove_consistency(old, self.size, |level, index| self.node(level, index))
    }
}

/// An entry bundle of these entries.
///
/// # Panics
/// If an entry is longer than 65,535 bytes; a page's summary has 120.
#[must_use]
pub fn encode_bundle<T: AsRef<[u8]>>(entries: &[T]) -> Vec<u8> {
    let mut bytes = Vec::new();
    for entry in entries.iter().map(AsRef::as_ref) {
        let len = u16::try_from(entry.len()).expect("under 2^16 bytes");
        bytes.extend_from_slice(&len.to_be_bytes());
        bytes.extend_from_slice(entry);
    }
    bytes
}

/// The entries of a bundle that has `width` of them.
///
/// # Errors
/// An entry that is cut off, and bytes behind the last.
pub fn decode_bundle(bytes: &[u8], width: u16) -> Result<Vec<&[u8]>, Fault> {
    let mut entries = Vec::new();
    let mut rest = bytes;
    for n in 0..width {
        let at = bytes.len() - rest.len();
        let cut = || {
            let expected = format!("entry {n} of {width}");
            Fault::new(at, expected, format!("{} bytes", rest.len()))
        };
        let (len, behind) = rest.split_first_chunk::<2>().ok_or_else(cut)?;
        let len = usize::from(u16::from_be_bytes(*len));
        let (entry, behind) = behind.split_at_checked(len).ok_or_else(cut)?;
        entries.push(entry);
        rest = behind;
    }
    if !rest.is_empty() {
        let at = bytes.len() - rest.len();
        let found = format!("{} more bytes", rest.len());
        return Err(Fault::new(at, format!("the end after {width} entries"), found));
    }
    Ok(entries)
}
