//! `derived/seal`: where the chains ended at a seal, so that the next one is made of what came after it.
//!
//! | bytes | what |
//! |---|---|
//! | 8 | `STILLSLD` |
//! | 4 | format version, 2 |
//! | 16 | store id |
//! | 8, 8, 16, 8 | where the seal's batch ends: segment, offset, its checksum, events before |
//! | 8, 32, 8 | pages closed, the last summary's leaf hash, the log's clock |
//! | 32 for each bit set in that number | the roots of the full subtrees of the tree over the pages, the largest first |
//! | 32, 8 | the seal's map root and instant |
//! | 8, then 104 each | accounts by ordinal: key in the map (32), secret (32), chain's head (32), count (8) |
//! | 8, then 4 each | ordinals of accounts that were erased behind the seal, rising |
//! | 8, then each | control frames: kind (1), salt (16), page (8), leaf (4), summary (120), 8 and the body, 8 and the
//! leaves of its page (32 each) |
//! | the rest but 32 | the map, `AccountMap::to_bytes` |
//! | 32 | BLAKE3 of all before it |
//!
//! Of an account that was erased key and secret are zeros. When one is erased it is taken out of this, and what led from its leaf
//! to the map's root is hashed anew once it led to the root of the seal. The map is another than the seal's then, of which no
//! proof can be made any more; the next seal goes on from it.
//!
//! It is made anew from the log if anything is wrong with it. The seal has to stand in the log where this says. What is
//! kept of an account is believed only when its chain goes on, and only if its leaf of before leads to the log's root: so
//! that costs in proportion to what changed. The order of accounts is believed by the checksum alone; so is the map's root where
//! accounts were taken out, until the next seal.

use std::collections::BTreeSet;
use std::fs::File;
use std::io::{self, Write};
use std::sync::mpsc::{SyncSender, sync_channel};

use blake3::Hasher;
use commitment::{
    AccountMap, Chains, Control, ControlKind, Frontier, MapKey, Pages, Seal, Summary, segment_name,
    tree_leaf, write_control, write_trailer,
};

use super::walked::{Account, Met, Walked};
use crate::batches::{Batches, place_now};
use crate::derived::Place;
use crate::folder::Folder;
use crate::head_file::Durable;
use crate::storage::Access;

const MAGIC: &[u8; 8] = b"STILLSLD";
const VERSION: u32 = 2;
const FILE: &str = "seal";
/// What is written before it takes that name.
const TMP: &str = "seal.tmp";
const ACCOUNT: usize = 104;

/// Keeps what was read, which ends with a seal and a batch. What cannot be written is not kept.
pub(super) fn keep(folder: &Folder, walked: &Walked) {
    if walked.ends_sealed() {
        // Not synced: a file that is not whole is not believed.
        let _ = write(folder, walked, |_| Ok(()));
    }
}

/// Takes accounts out of what is kept, if they are in it, durably but for the file's name; what cannot be is forgotten.
///
/// # Errors
/// If a file is there and cannot be removed.
pub(crate) fn leave_out(
    folder: &Folder,
    store: &[u8; 16],
    accounts: &BTreeSet<u64>,
) -> io::Result<()> {
    let kept = read(folder, store).and_then(|mut walked| {
        let is_out = walked.take_out(accounts);
        (is_out && write(folder, &walked, File::sync_all).is_ok()).then_some(())
    });
    kept.map_or_else(|| forget(folder), Ok)
}

fn write(
    folder: &Folder,
    walked: &Walked,
    sync: impl FnOnce(&File) -> io::Result<()> + Send,
) -> io::Result<()> {
    let none = || io::Error::from(io::ErrorKind::NotFound);
    let seal = walked.sealed.as_ref().map(|head| head.seal).ok_or_else(none)?;
    let (dir, true) = folder.derived() else { return Err(none()) };
    let tmp = dir.join(TMP);
    std::fs::create_dir_all(&dir)?;
    let mut file = File::create(&tmp)?;
    let (given, taken) = sync_channel::<Vec<u8>>(AHEAD);
    std::thread::scope(|scope| {
        let write = move || {
            taken.iter().try_for_each(|bytes| file.write_all(&bytes))?;
            sync(&file)
        };
        let writer = scope.spawn(write);
        let mut out = Out { given, gathered: Vec::new(), hasher: Hasher::new() };
        put(&mut out, walked, &seal);
        out.end();
        writer.join().expect("writing does not panic")
    })?;
    std::fs::rename(&tmp, dir.join(FILE))
}

fn put(out: &mut Out, walked: &Walked, seal: &Seal) {
    let Durable { segment, offset, checksum, events } = walked.at;
    out.extend_from_slice(MAGIC);
    out.extend_from_slice(&VERSION.to_le_bytes());
    out.extend_from_slice(&walked.store);
    for number in [segment, offset] {
        out.extend_from_slice(&number.to_le_bytes());
    }
    out.extend_from_slice(&checksum);
    for number in [events, walked.pages.closed()] {
        out.extend_from_slice(&number.to_le_bytes());
    }
    out.extend_from_slice(walked.pages.predecessor());
    out.extend_from_slice(&walked.pages.clock_ms().to_le_bytes());
    walked.tree.peaks().iter().for_each(|peak| out.extend_from_slice(peak));
    out.extend_from_slice(&seal.root);
    out.extend_from_slice(&seal.at_ms.to_le_bytes());
    out.extend_from_slice(&(walked.accounts.len() as u64).to_le_bytes());
    for (ordinal, account) in (0..).zip(&walked.accounts) {
        let account = account.as_ref();
        out.extend_from_slice(account.map_or(&[0; 32], |account| account.key.as_bytes()));
        out.extend_from_slice(account.map_or(&[0; 32], |account| &account.secret));
        out.extend_from_slice(walked.chains.head(ordinal));
        out.extend_from_slice(&walked.chains.events(ordinal).to_le_bytes());
    }
    out.extend_from_slice(&(walked.erased.len() as u64).to_le_bytes());
    walked.erased.iter().for_each(|ordinal| out.extend_from_slice(&ordinal.to_le_bytes()));
    out.extend_from_slice(&(walked.controls.len() as u64).to_le_bytes());
    for Met { kind, salt, body, page, leaf, leaves, summary } in &walked.controls {
        out.extend_from_slice(&[*kind as u8]);
        out.extend_from_slice(salt);
        out.extend_from_slice(&page.to_le_bytes());
        out.extend_from_slice(&leaf.to_le_bytes());
        out.extend_from_slice(summary);
        out.extend_from_slice(&(body.len() as u64).to_le_bytes());
        out.extend_from_slice(body);
        out.extend_from_slice(&(leaves.len() as u64).to_le_bytes());
        out.extend_from_slice(leaves.as_flattened());
    }
    walked.map.pieces(|piece| out.extend_from_slice(piece));
}

/// Bytes on their way to a thread that writes them, and the hash of all of them.
struct Out {
    given: SyncSender<Vec<u8>>,
    gathered: Vec<u8>,
    hasher: Hasher,
}

/// So many bytes are written at a time.
const GATHERED: usize = 256 << 10;
/// As often that many may wait.
const AHEAD: usize = 4;

impl Out {
    fn extend_from_slice(&mut self, bytes: &[u8]) {
        self.gathered.extend_from_slice(bytes);
        if self.gathered.len() >= GATHERED {
            self.hasher.update(&self.gathered);
            self.give();
        }
    }

    fn give(&mut self) {
        let room = Vec::with_capacity(GATHERED + ACCOUNT);
        // Who could not write takes nothing any more, and says so.
        let _ = self.given.send(std::mem::replace(&mut self.gathered, room));
    }

    /// Puts the checksum behind them.
    fn end(mut self) {
        self.hasher.update(&self.gathered);
        self.gathered.extend_from_slice(self.hasher.finalize().as_bytes());
        self.give();
    }
}

/// Forgets what was kept: nothing of it is left in the folder.
///
/// # Errors
/// If a file is there and cannot be removed.
pub(crate) fn forget(folder: &Folder) -> io::Result<()> {
    let (dir, true) = folder.derived() else { return Ok(()) };
    for name in [FILE, TMP] {
        match std::fs::remove_file(dir.join(name)) {
            Err(e) if e.kind() != io::ErrorKind::NotFound => return Err(e),
            _ => {}
        }
    }
    Ok(())
}

/// What was kept of this store, if it is sound, and the log goes on from there: it may have been put back to what it
/// was before.
pub(super) fn load(folder: &Folder, store: &[u8; 16], end: Durable) -> Option<Walked> {
    let walked = read(folder, store)?;
    let at = walked.at;
    if at == end {
        return Some(walked);
    }
    let stop = Place { segment: end.segment, offset: end.offset };
    let mut batches = Batches::new(folder, *store, stop).from(at);
    // What comes next says what was before it.
    matches!(batches.next(), Ok(Some(_))).then_some(walked)
}

fn read(folder: &Folder, store: &[u8; 16]) -> Option<Walked> {
    let (dir, true) = folder.derived() else { return None };
    let bytes = std::fs::read(dir.join(FILE)).ok()?;
    let (bytes, checksum) = bytes.split_last_chunk::<32>()?;
    if *blake3::hash(bytes).as_bytes() != *checksum {
        return None;
    }
    let mut input = bytes;
    if take::<8>(&mut input)? != *MAGIC
        || take::<4>(&mut input)? != VERSION.to_le_bytes()
        || take::<16>(&mut input)? != *store
    {
        return None;
    }
    let (segment, offset) = (number(&mut input)?, number(&mut input)?);
    let checksum = take(&mut input)?;
    let (events, pages) = (number(&mut input)?, number(&mut input)?);
    let predecessor = take(&mut input)?;
    let clock_ms = number(&mut input)?.cast_signed();
    let tree = Frontier::of(pages, |_, _| take(&mut input).ok_or(())).ok()?;
    let (root, at_ms) = (take(&mut input)?, number(&mut input)?.cast_signed());
    let count = number(&mut input)?;
    let (mut accounts, mut chains) = (Vec::new(), Chains::default());
    let rows = usize::try_from(count).ok()?.checked_mul(ACCOUNT)?;
    let (rows, mut input) = input.split_at_checked(rows)?;
    for row in rows.as_chunks::<ACCOUNT>().0 {
        let mut row = &row[..];
        let (key, secret) = (MapKey::from_bytes(take(&mut row)?), take(&mut row)?);
        accounts.push((secret != [0; 32]).then_some(Account { key, secret }));
        chains.push(take(&mut row)?, number(&mut row)?);
    }
    let erased = things(&mut input, 4)?.as_chunks().0.iter().map(|n| u32::from_le_bytes(*n));
    let erased: BTreeSet<u32> = erased.collect();
    let mut controls = Vec::new();
    for _ in 0..number(&mut input)? {
        controls.push(Met {
            kind: ControlKind::from_number(take::<1>(&mut input)?[0])?,
            salt: take(&mut input)?,
            page: number(&mut input)?,
            leaf: u32::from_le_bytes(take(&mut input)?),
            summary: take(&mut input)?,
            body: things(&mut input, 1)?.to_vec(),
            leaves: things(&mut input, 32)?.as_chunks().0.to_vec(),
        });
    }
    let map = AccountMap::from_bytes(input).ok()?;
    let at = Durable { segment, offset, events, checksum };
    let seal = Seal { size: events, accounts: count, root, at_ms };
    let is_whole = (map.root() == root || !erased.is_empty()) && pages > 0;
    let pages_after = Pages::after(*store, pages, events, predecessor, clock_ms);
    let is_whole = is_whole && controls.iter().all(|met| (met.leaf as usize) < met.leaves.len());
    let log = (*store, at, pages_after);
    let mut walked = Walked::after(log, (accounts, erased, chains, map), (tree, seal));
    walked.controls = controls;
    if !is_in_log(folder, &walked) {
        // Elsewhere, if its segment was shrunk since.
        let far = Durable { segment: u64::MAX, ..at };
        walked.at = place_now(folder, far, at)?;
    }
    (is_whole && is_in_log(folder, &walked)).then_some(walked)
}

/// Whether the log has the seal at that place, with which its page ends: the root that the chains have to give is the
/// log's, and so are the page's number and the clock.
fn is_in_log(folder: &Folder, walked: &Walked) -> bool {
    let Some(seal) = walked.sealed.as_ref().map(|head| head.seal) else { return false };
    let last = walked.controls.iter().rev().find(|met| met.kind == ControlKind::Seal);
    let (Some(Met { salt, summary, .. }), Durable { segment, offset, .. }) = (last, walked.at)
    else {
        return false;
    };
    let is_last = Summary::decode(summary).is_ok_and(|last| {
        (last.store, last.page + 1) == (walked.store, walked.pages.closed())
            && last.first_position + u64::from(last.events) == walked.at.events
            && last.clock_ms == walked.pages.clock_ms()
            && tree_leaf(summary) == *walked.pages.predecessor()
    });
    let mut expected = Vec::new();
    write_control(&mut expected, &Control::Seal(seal), salt);
    write_trailer(&mut expected, summary);
    let mut found = vec![0; expected.len()];
    let path = folder.log().join(segment_name(segment));
    let file = folder.storage.open(&path, Access::Read);
    let read = file.ok().zip(offset.checked_sub(expected.len() as u64));
    is_last
        && read
            .is_some_and(|(file, at)| file.read_at(&mut found, at).is_ok_and(|n| n == found.len()))
        && found == expected
}

fn take<const N: usize>(input: &mut &[u8]) -> Option<[u8; N]> {
    let (taken, rest) = input.split_first_chunk()?;
    *input = rest;
    Some(*taken)
}

/// As many things of `size` bytes as a number in front says.
fn things<'a>(input: &mut &'a [u8], size: usize) -> Option<&'a [u8]> {
    let len = usize::try_from(number(input)?).ok()?.checked_mul(size)?;
    let (taken, rest) = input.split_at_checked(len)?;
    *input = rest;
    Some(taken)
}

fn number(input: &mut &[u8]) -> Option<u64> {
    take(input).map(u64::from_le_bytes)
}
