//! Every byte of a small log is changed in turn, and each change is found: by a checksum, or, where
//! all checksums were made anew, by the root that somebody kept elsewhere.

use std::collections::BTreeMap;
use std::path::Path;

use commitment::{
    BATCH_HEADER, Checksum, Digest, Divergence, Frame, Level, LogCheck, Report, SEGMENT_HEADER,
    SLOT, page_root, segment_name, segment_number, tree_leaf,
};
use stillthere_eventlog::Log;
use tempfile::tempdir;

use crate::support::{check, cut_room, events, options};

/// The files of a log by name.
#[derive(Clone)]
pub struct Files(pub BTreeMap<String, Vec<u8>>);

impl Files {
    pub fn read(dir: &Path) -> Files {
        let file = |entry: std::io::Result<std::fs::DirEntry>| {
            let path = entry.unwrap().path();
            let name = path.file_name().unwrap().to_str().unwrap().to_owned();
            (name, std::fs::read(path).unwrap())
        };
        Files(std::fs::read_dir(dir.join("log")).unwrap().map(file).collect())
    }

    pub fn write(&self, dir: &Path) {
        for (name, bytes) in &self.0 {
            std::fs::write(dir.join("log").join(name), bytes).unwrap();
        }
    }

    pub fn check(&self, level: Level) -> Result<Report, Box<Divergence>> {
        let mut check = LogCheck::new(level, &self.0["HEAD"])?;
        for (name, bytes) in self.0.iter().filter(|(name, _)| *name != "HEAD") {
            check.file(name)?;
            // In pieces of an odd size: borders must not matter.
            for piece in bytes.chunks(997) {
                check.feed(piece, &mut |_| {})?;
            }
        }
        check.finish()
    }
}

/// Where the parts of a sound log lie.
pub struct Layout {
    /// By segment: (offset, end) of each batch.
    pub batches: Vec<Vec<(usize, usize)>>,
    /// By segment: (offset, end) of each frame.
    frames: Vec<Vec<(usize, usize)>>,
    /// The trailers among them.
    trailers: Vec<(usize, usize)>,
    /// Which batch's or header's checksum each slot of `HEAD` names.
    slots: [(usize, usize); 2],
}

impl Layout {
    pub fn of(files: &Files) -> Layout {
        let mut layout =
            Layout { batches: vec![], frames: vec![], trailers: vec![], slots: [(0, 0); 2] };
        for (segment, bytes) in
            files.0.iter().filter(|(n, _)| *n != "HEAD").map(|(_, b)| b).enumerate()
        {
            let (mut batches, mut frames) = (vec![], vec![]);
            let mut at = SEGMENT_HEADER;
            // Up to the end, or to room.
            while bytes.get(at..at + BATCH_HEADER).is_some_and(|header| header != [0; BATCH_HEADER])
            {
                let len = u32::from_le_bytes(bytes[at + 24..at + 28].try_into().unwrap()) as usize;
                let end = at + BATCH_HEADER + len;
                batches.push((at, end));
                at += BATCH_HEADER;
                while at < end {
                    let (frame, len) = Frame::read(&bytes[at..end]).unwrap();
                    if let Frame::Trailer(_) = frame {
                        layout.trailers.push((segment, at));
                    }
                    frames.push((at, at + len));
                    at += len;
                }
            }
            layout.batches.push(batches);
            layout.frames.push(frames);
        }
        for n in 0..2 {
            let slot = &files.0["HEAD"][n * SLOT..];
            let number =
                |at: usize| u64::from_le_bytes(slot[at..at + 8].try_into().unwrap()) as usize;
            layout.slots[n] = (number(40), number(48));
        }
        layout
    }

    /// Makes every checksum, link and hash anew, as somebody would who changed a byte: what the
    /// change itself touched stays. With `pages` also the pages' roots.
    pub fn reseal(&self, files: &mut Files, pages: bool) {
        let mut head = files.0.remove("HEAD").unwrap();
        let mut key = *b"----------------stillthere.batch";
        key[..16].copy_from_slice(&head[16..32]);
        let mut before = Checksum::default();
        let mut predecessor = Digest::default();
        // The checksum at each (segment, offset) where one stands.
        let mut checksums = BTreeMap::new();
        for (segment, bytes) in files.0.values_mut().enumerate() {
            bytes[72..88].copy_from_slice(&before);
            if pages {
                bytes[88..120].copy_from_slice(&predecessor);
            }
            let hash = blake3::hash(&bytes[..128]);
            bytes[128..160].copy_from_slice(hash.as_bytes());
            before = bytes[128..144].try_into().unwrap();
            checksums.insert((segment, SEGMENT_HEADER), before);
            for &(at, end) in &self.frames[segment] {
                if let Ok((frame, _)) = Frame::read(&bytes[at..end]) {
                    let digest = frame.leaf().unwrap_or_else(|| tree_leaf(&bytes[at + 8..end]));
                    bytes[at + 4..at + 8].copy_from_slice(&digest[..4]);
                }
            }
            if pages {
                let mut leaves = Vec::new();
                for &(at, end) in &self.frames[segment] {
                    if self.trailers.contains(&(segment, at)) {
                        bytes[at + 56..at + 88].copy_from_slice(&page_root(&leaves));
                        bytes[at + 88..at + 120].copy_from_slice(&predecessor);
                        predecessor = tree_leaf(&bytes[at + 8..end]);
                        bytes[at + 4..at + 8].copy_from_slice(&predecessor[..4]);
                        leaves.clear();
                    } else if let Ok((frame, _)) = Frame::read(&bytes[at..end]) {
                        leaves.push(frame.leaf().unwrap_or_default());
                    }
                }
            }
            for &(at, end) in &self.batches[segment] {
                let len = u32::from_le_bytes(bytes[at + 24..at + 28].try_into().unwrap()) as usize;
                let claimed = at.saturating_add(BATCH_HEADER).saturating_add(len);
                let end = if claimed <= bytes.len() { claimed } else { end };
                bytes[at + 16..at + 24].copy_from_slice(&before[..8]);
                let hash = blake3::keyed_hash(&key, &bytes[at + 16..end]);
                before = hash.as_bytes()[..16].try_into().unwrap();
                bytes[at..at + 16].copy_from_slice(&before);
                checksums.insert((segment, end), before);
            }
        }
        for n in 0..2 {
            let slot = &mut head[n * SLOT..(n + 1) * SLOT];
            if let Some(checksum) = checksums.get(&self.slots[n]) {
                slot[64..80].copy_from_slice(checksum);
            }
            let hash = blake3::hash(&slot[..480]);
            slot[480..].copy_from_slice(hash.as_bytes());
        }
        files.0.insert("HEAD".to_owned(), head);
    }
}

/// A log of some segments, pages and batches.
fn small(is_closed: bool) -> Files {
    let dir = tempdir().unwrap();
    let log = Log::open(dir.path(), options(700)).unwrap();
    for (from, to) in [(0, 5), (5, 6), (6, 20), (20, 21), (21, 40), (40, 42)] {
        log.append(events(from, to)).unwrap();
    }
    if is_closed {
        log.close().unwrap();
    } else {
        drop(log);
        cut_room(dir.path());
    }
    Files::read(dir.path())
}

fn each_flip(files: &Files, mut check: impl FnMut(&str, usize, u8, Files)) {
    for (name, bytes) in &files.0 {
        for at in 0..bytes.len() {
            for bits in [1, 0x10, 0x80, 0xff] {
                let mut flipped = files.clone();
                flipped.0.get_mut(name).unwrap()[at] ^= bits;
                check(name, at, bits, flipped);
            }
        }
    }
}

#[test]
fn every_changed_byte_is_found() {
    for is_closed in [false, true] {
        let files = small(is_closed);
        let report = files.check(Level::Full).unwrap();
        assert_eq!(report.events, 42);
        assert!(files.0.len() > 4, "several segments");
        assert_eq!(files.check(Level::Quick).unwrap(), report);
        let layout = Layout::of(&files);
        each_flip(&files, |name, at, bits, flipped| {
            for level in [Level::Quick, Level::Full] {
                let found = flipped.check(level);
                let found = found.expect_err(&format!("{name} byte {at} by {bits:#x}, {level:?}"));
                // Whoever reads of it looks into the right file, at the byte or before it, or into
                // the same batch.
                assert_eq!(found.file, name, "{name} {at}: {found}");
                let batches = segment_number(name).map(|n| &layout.batches[n as usize]);
                let end = batches
                    .and_then(|all| all.iter().find(|(from, to)| (*from..*to).contains(&at)));
                let end = end.map_or(at + 1, |(_, end)| *end) as u64;
                assert!(found.offset <= end || name == "HEAD", "{name} {at}: {found}");
            }
        });
    }
}

#[test]
fn the_event_that_was_changed_is_named() {
    let files = small(true);
    let layout = Layout::of(&files);
    let all = events(0, 42);
    let mut position = 0;
    for (name, frames) in files.0.keys().filter(|name| *name != "HEAD").zip(&layout.frames) {
        for &(at, end) in frames {
            let Ok((Frame::Event { .. }, _)) = Frame::read(&files.0[name][at..end]) else {
                continue;
            };
            // The envelope's bytes 4 to 7 are the account's ordinal: they could name another.
            for byte in (at + 8..at + 12).chain(at + 16..end) {
                let mut flipped = files.clone();
                flipped.0.get_mut(name).unwrap()[byte] ^= 4;
                let found = flipped.check(Level::Full).unwrap_err();
                let account = &all[position].account;
                let revision = all[..position].iter().filter(|e| e.account == *account).count();
                assert_eq!(found.file, *name);
                assert_eq!(found.position, Some(position as u64), "{name} {byte}: {found}");
                assert_eq!(found.account.as_ref(), Some(account));
                assert_eq!(found.revision, Some(revision as u64));
                assert!((at..end).contains(&(found.offset as usize)), "{name} {byte}: {found}");
            }
            position += 1;
        }
    }
    assert_eq!(position, all.len());
}

#[test]
fn every_changed_byte_is_found_though_all_checksums_were_made_anew() {
    for is_closed in [false, true] {
        let files = small(is_closed);
        let layout = Layout::of(&files);
        assert!(layout.trailers.len() > 2);
        let report = files.check(Level::Full).unwrap();
        let mut same = files.clone();
        layout.reseal(&mut same, true);
        assert!(same.0 == files.0, "what was not changed is sealed as it was");
        let (mut by_root, mut by_itself, mut undone) = (0, 0, 0);
        each_flip(&files, |name, at, bits, flipped| {
            for pages in [false, true] {
                let mut sealed = flipped.clone();
                layout.reseal(&mut sealed, pages);
                if sealed.0 == files.0 {
                    // The byte was of a checksum, which was made again as it was.
                    undone += 1;
                    continue;
                }
                match sealed.check(Level::Full) {
                    Ok(found) => {
                        assert_ne!(found.root, report.root, "{name} byte {at} by {bits:#x}");
                        by_root += 1;
                    }
                    Err(_) => by_itself += 1,
                }
            }
        });
        assert!(
            by_root > 1000 && by_itself > 1000 && undone > 1000,
            "{by_root} {by_itself} {undone}"
        );
    }
}

/// Puts `new` in the place of `old`, which stands once in the log and is as long.
fn replace(files: &mut Files, old: &[u8], new: &[u8]) {
    let mut places = files.0.values_mut().filter_map(|bytes| {
        let at = bytes.windows(old.len()).position(|window| window == old)?;
        Some(&mut bytes[at..at + old.len()])
    });
    places.next().unwrap().copy_from_slice(new);
    assert!(places.next().is_none());
}

#[test]
fn an_id_given_twice_is_found_unless_something_stands_wrong_before_it() {
    let dir = tempdir().unwrap();
    std::fs::create_dir(dir.path().join("log")).unwrap();
    let files = small(true);
    let mut twice = files.clone();
    // As MessagePack has them: two events of one account.
    replace(&mut twice, b"\xa3e15", b"\xa3e10");
    Layout::of(&files).reseal(&mut twice, true);
    for (old, new, position) in
        [(b"\xa3e30", b"\xa3e30", 15), (b"\xa3e30", b"\xa3f30", 15), (b"\xa3e12", b"\xa3f12", 12)]
    {
        let mut changed = twice.clone();
        replace(&mut changed, old, new);
        changed.write(dir.path());
        let found = check(dir.path()).unwrap_err();
        assert_eq!(found.position, Some(position), "{found}");
        if position == 15 {
            assert_eq!(found.found, "the id \"e10\" again");
            assert_eq!((found.account.as_deref(), found.revision), (Some("account-0"), Some(3)));
        }
    }
}

#[test]
fn files_that_are_cut_doubled_swapped_or_removed_are_found() {
    let (files, other) = (small(true), small(true));
    let found = |what: &str, change: &dyn Fn(&mut Files)| {
        let mut changed = files.clone();
        change(&mut changed);
        for level in [Level::Quick, Level::Full] {
            assert!(changed.check(level).is_err(), "{what}, {level:?}");
        }
    };
    for name in files.0.keys() {
        let bytes = &files.0[name];
        for len in 0..bytes.len() {
            found(&format!("{name} cut to {len}"), &|files| {
                files.0.get_mut(name).unwrap().truncate(len);
            });
        }
        found(&format!("{name} longer"), &|files| files.0.get_mut(name).unwrap().push(0));
        found(&format!("{name} doubled"), &|files| {
            let twice = files.0[name].repeat(2);
            files.0.insert(name.clone(), twice);
        });
        found(&format!("{name} of another store"), &|files| {
            files.0.insert(name.clone(), other.0[name].clone());
        });
        if name != "HEAD" {
            found(&format!("{name} removed"), &|files| _ = files.0.remove(name));
        }
    }
    found("two segments swapped", &|files| {
        let a = files.0.remove(&segment_name(0)).unwrap();
        let b = files.0.insert(segment_name(1), a).unwrap();
        files.0.insert(segment_name(0), b);
    });
    found("one more segment", &|files| {
        let last = files.0[&segment_name(0)].clone();
        files.0.insert(segment_name(files.0.len() as u64 - 1), last);
    });
    found("a file of something else", &|files| _ = files.0.insert("note.txt".to_owned(), vec![]));
}

/// With some bytes of it changed by chance.
pub fn damaged(files: &Files, random: &mut fastrand::Rng) -> Files {
    let mut changed = files.clone();
    for _ in 0..random.usize(1..20) {
        let name = random.choice(files.0.keys()).unwrap().clone();
        let bytes = changed.0.get_mut(&name).unwrap();
        let at = random.usize(..bytes.len());
        let len = random.usize(1..16).min(bytes.len() - at);
        match random.u8(..3) {
            0 => random.fill(&mut bytes[at..at + len]),
            1 => bytes[at..at + len].fill(random.u8(..)),
            _ => bytes[at..at + len].fill(0xff),
        }
    }
    changed
}

#[test]
fn whatever_the_bytes_there_is_an_answer() {
    let seed = fastrand::u64(..);
    println!("seed {seed}");
    let mut random = fastrand::Rng::with_seed(seed);
    let files = small(true);
    let layout = Layout::of(&files);
    for _ in 0..3000 {
        let mut changed = damaged(&files, &mut random);
        if random.bool() {
            layout.reseal(&mut changed, random.bool());
        }
        let _ = changed.check(Level::Quick);
        let _ = changed.check(Level::Full);
    }
}
