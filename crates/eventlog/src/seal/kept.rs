//! `derived/seal`: where the chains ended at a seal, so that the next one is made of what came after it.
//!
//! A [file of blocks](crate::derived::file): `stillsld`, version 3, of the positions before the seal, its anchor where the seal's
//! batch ends. Its [contents](super::contents):
//!
//! | bytes | what |
//! |---|---|
//! | 8, 32, 8 | pages closed, the last summary's leaf hash, the log's clock |
//! | 32 for each bit set in that number | the roots of the full subtrees of the tree over the pages, the largest first |
//! | 32, 8 | the seal's map root and instant |
//! | 8, then 104 each | accounts by ordinal: key in the map (32), secret (32), chain's head (32), count (8) |
//! | 8, then as many | the map, `AccountMap::to_bytes` |
//! | 8, then each | control frames: kind (1), salt (16), page (8), leaf (4), summary (120), 8 and the body, 8 and the
//! leaves of its page (32 each) |
//!
//! Integers are little-endian. Of an account that was erased key and secret are zeros; of one that was erased behind the seal
//! the key is all ones. When one is erased, these are written in place, and it is taken out of the map: so that costs in proportion
//! to the accounts that are erased. The map is another than the seal's then, of which no proof can be made any more; the next
//! seal goes on from it.
//!
//! It is made anew from the log if anything is wrong with it. The seal has to stand in the log where this says. What is
//! kept of an account is believed only when its chain goes on, and only if its leaf of before leads to the log's root: so
//! that costs in proportion to what changed. The order of accounts is believed by the checksum alone; so is the map's root where
//! accounts were taken out, until the next seal.

use std::collections::BTreeSet;
use std::io;
use std::path::Path;

use commitment::{
    AccountMap, Chains, Control, ControlKind, Frontier, MapKey, Pages, Seal, Summary, segment_name,
    tree_leaf, write_control, write_trailer,
};

use super::contents::{Contents, Writing};
use super::walked::{Account, Met, Walked};
use crate::batches::{Batches, place_now};
use crate::derived::file::{Header, Kind};
use crate::derived::{Anchor, Place};
use crate::folder::Folder;
use crate::head_file::Durable;
use crate::storage::Access;

const SEAL: Kind =
    Kind { magic: *b"stillsld", version: 3, context: "stillthere derived seal 3 block checksum" };
const FILE: &str = "seal";
/// What is written before it takes that name.
const TMP: &str = "seal.tmp";
/// Where the peaks of the tree begin.
const PEAKS: u64 = 48;
const ACCOUNT: usize = 104;
/// In the place of the key of an account that was erased behind the seal.
const ERASED: [u8; 32] = [0xff; 32];

/// Keeps what was read, which ends with a seal and a batch. What cannot be written is not kept.
pub(super) fn keep(folder: &Folder, walked: &Walked) {
    if let (true, (dir, true)) = (walked.ends_sealed(), folder.derived()) {
        // Not synced: a file that is not whole is not believed.
        let _ = write(&dir, walked);
    }
}

/// Takes accounts out of what is kept, if they are in it, durably; what cannot be is forgotten.
///
/// # Errors
/// If a file is there and cannot be removed.
pub(crate) fn leave_out(
    folder: &Folder,
    store: &[u8; 16],
    accounts: &BTreeSet<u64>,
) -> io::Result<()> {
    let (dir, true) = folder.derived() else { return Ok(()) };
    match blank(&dir.join(FILE), store, accounts) {
        Some(()) => remove(&dir, TMP),
        None => forget(folder),
    }
}

fn blank(path: &Path, store: &[u8; 16], accounts: &BTreeSet<u64>) -> Option<()> {
    let contents = Contents::open(path, &SEAL, store)?;
    let mut change = contents.change();
    let pages = u64::from_le_bytes(change.array(0)?);
    // Behind the peaks the seal's root and instant, and how many accounts there are.
    let rows = PEAKS + 32 * u64::from(pages.count_ones()) + 48;
    let count = u64::from_le_bytes(change.array(rows - 8)?);
    let map = count.checked_mul(ACCOUNT as u64)?.checked_add(rows + 8)?;
    for ordinal in accounts.iter().filter(|ordinal| **ordinal < count) {
        let row = rows + ordinal * ACCOUNT as u64;
        let (key, secret) = (change.array(row)?, change.array::<32>(row + 32)?);
        if secret == [0; 32] {
            continue;
        }
        let key = MapKey::from_bytes(key);
        let without = AccountMap::without(&key, |at, out| change.read(map + at, out).ok_or(()));
        let without = without.ok().filter(|pieces| !pieces.is_empty())?;
        without.iter().try_for_each(|(at, bytes)| change.write(map + at, bytes))?;
        change.write(row, &[ERASED, [0; 32]].concat())?;
    }
    change.carry_out()
}

fn write(dir: &Path, walked: &Walked) -> io::Result<()> {
    let none = || io::Error::from(io::ErrorKind::NotFound);
    let seal = walked.sealed.as_ref().map(|head| head.seal).ok_or_else(none)?;
    std::fs::create_dir_all(dir)?;
    let Durable { segment, offset, checksum, events } = walked.at;
    let mut anchor = Anchor { end: Place { segment, offset }, checksum: [0; 32] };
    anchor.checksum[..checksum.len()].copy_from_slice(&checksum);
    let header = Header { store: walked.store, from: 0, to: events, anchor };
    std::thread::scope(|scope| {
        let mut out = Writing::begin(scope, dir.join(TMP), &SEAL, &header);
        put(&mut out, walked, &seal);
        out.publish(&dir.join(FILE)).map_err(io::Error::other)
    })
}

fn put(out: &mut Writing<'_>, walked: &Walked, seal: &Seal) {
    out.put(&walked.pages.closed().to_le_bytes());
    out.put(walked.pages.predecessor());
    out.put(&walked.pages.clock_ms().to_le_bytes());
    walked.tree.peaks().iter().for_each(|peak| out.put(peak));
    out.put(&seal.root);
    out.put(&seal.at_ms.to_le_bytes());
    out.put(&(walked.accounts.len() as u64).to_le_bytes());
    for (ordinal, account) in (0..).zip(&walked.accounts) {
        match account {
            Some(Account { key, secret }) => {
                out.put(key.as_bytes());
                out.put(secret);
            }
            None => {
                out.put(&if walked.erased.contains(&ordinal) { ERASED } else { [0; 32] });
                out.put(&[0; 32]);
            }
        }
        out.put(walked.chains.head(ordinal));
        out.put(&walked.chains.events(ordinal).to_le_bytes());
    }
    out.put(&AccountMap::length(walked.map.len()).to_le_bytes());
    walked.map.pieces(|piece| out.put(piece));
    out.put(&(walked.controls.len() as u64).to_le_bytes());
    for Met { kind, salt, body, page, leaf, leaves, summary } in &walked.controls {
        out.put(&[*kind as u8]);
        out.put(salt);
        out.put(&page.to_le_bytes());
        out.put(&leaf.to_le_bytes());
        out.put(summary);
        out.put(&(body.len() as u64).to_le_bytes());
        out.put(body);
        out.put(&(leaves.len() as u64).to_le_bytes());
        out.put(leaves.as_flattened());
    }
}

/// Forgets what was kept: nothing of it is left in the folder.
///
/// # Errors
/// If a file is there and cannot be removed.
pub(crate) fn forget(folder: &Folder) -> io::Result<()> {
    let (dir, true) = folder.derived() else { return Ok(()) };
    [FILE, TMP].iter().try_for_each(|name| remove(&dir, name))
}

fn remove(dir: &Path, name: &str) -> io::Result<()> {
    match std::fs::remove_file(dir.join(name)) {
        Err(e) if e.kind() != io::ErrorKind::NotFound => Err(e),
        _ => Ok(()),
    }
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
    let contents = Contents::open(&dir.join(FILE), &SEAL, store)?;
    let Header { to: events, anchor: Anchor { end: Place { segment, offset }, checksum }, .. } =
        *contents.header();
    let checksum = *checksum.first_chunk()?;
    let bytes = contents.read()?;
    let mut input = &bytes[..];
    let pages = number(&mut input)?;
    let predecessor = take(&mut input)?;
    let clock_ms = number(&mut input)?.cast_signed();
    let tree = Frontier::of(pages, |_, _| take(&mut input).ok_or(())).ok()?;
    let (root, at_ms) = (take(&mut input)?, number(&mut input)?.cast_signed());
    let count = number(&mut input)?;
    let (mut accounts, mut chains) = (Vec::new(), Chains::default());
    let mut erased = BTreeSet::new();
    let rows = usize::try_from(count).ok()?.checked_mul(ACCOUNT)?;
    let (rows, mut input) = input.split_at_checked(rows)?;
    for (ordinal, row) in (0..).zip(rows.as_chunks::<ACCOUNT>().0) {
        let mut row = &row[..];
        let (key, secret) = (take(&mut row)?, take(&mut row)?);
        let is_there = secret != [0; 32];
        if !is_there && key == ERASED {
            erased.insert(ordinal);
        }
        let key = MapKey::from_bytes(key);
        accounts.push(is_there.then_some(Account { key, secret }));
        chains.push(take(&mut row)?, number(&mut row)?);
    }
    let map = AccountMap::from_bytes(things(&mut input, 1)?).ok()?;
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
    let at = Durable { segment, offset, events, checksum };
    let seal = Seal { size: events, accounts: count, root, at_ms };
    let is_whole = input.is_empty() && (map.root() == root || !erased.is_empty()) && pages > 0;
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
