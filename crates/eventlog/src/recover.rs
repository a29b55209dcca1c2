//! Finds out what the last writer left: clean, recovered or corrupt (docs/format.md, section 10).

use std::path::Path;

use commitment::{
    BATCH_HEADER, Divergence, End, Fault, Head, LogCheck, MAX_BATCH, SEGMENT_HEADER, SegmentHeader,
    find_batch, segment_name, segment_number,
};

use crate::folder::Folder;
use crate::head_file::{Durable, HeadFile};
use crate::storage::{Access, StoredFile};
use crate::{OpenError, Recovery};

/// A log that is ready to be appended to.
pub(crate) struct Recovered {
    pub(crate) store: [u8; 16],
    pub(crate) end: End,
    pub(crate) head: HeadFile,
    pub(crate) file: Box<dyn StoredFile>,
    /// How long the file is: behind the end there may be room.
    pub(crate) length: u64,
    pub(crate) recovery: Recovery,
}

impl Recovered {
    /// Where the log ends.
    pub(crate) fn durable(&self) -> Durable {
        durable(&self.end)
    }
}

fn durable(end: &End) -> Durable {
    Durable {
        segment: end.segment,
        offset: end.offset,
        events: end.pages.position(),
        checksum: end.checksum,
    }
}

/// Looks at the end of the log, and writes only once it is known not to be corrupt. A crash in
/// here leaves what was found, or what is made of it: it can be run again.
///
/// # Errors
/// [`OpenError::Corrupt`], [`OpenError::Future`], [`OpenError::Io`]
pub(crate) fn recover(folder: &Folder, head: &[u8]) -> Result<Recovered, OpenError> {
    let head = Head::decode(head).map_err(|fault| corrupt(folder, "HEAD", fault))?;
    let last = head.now.segment;
    let behind = check_names(folder, &head)?;

    let header = header_of(folder, &head, last)?;
    let mut check = LogCheck::resume(&head, &header);
    feed(folder, &mut check, last)?;
    // A segment behind the last is a roll that was cut short. Unless it holds a batch (then the
    // loss of power took a synced HEAD back), nobody was told of it.
    let aside = match behind {
        Some(next) if is_empty(folder, next, &head.now.store)? => Some(next),
        Some(next) => {
            feed(folder, &mut check, next)?;
            None
        }
        None => None,
    };
    let end = check.end().map_err(|divergence| corrupt_at(folder, divergence))?;

    // From here on it is sound, and may be written to.
    let path = folder.segment(end.segment);
    let file = folder.storage.open(&path, Access::Write);
    let file = file.map_err(OpenError::io("open for writing", &path))?;
    let head_file = folder.storage.open(&folder.head(), Access::Write);
    let mut head_file =
        HeadFile::new(head_file.map_err(OpenError::io("open for writing", &folder.head()))?, &head);
    let mut recovery = Recovery::Clean;
    folder.sweep()?;
    if let Some(next) = aside {
        let kept_in = set_aside(folder, &segment_name(next))?;
        recovery = Recovery::Recovered { cut: 0, kept_in: Some(kept_in) };
    }
    if end.torn > 0 {
        let kept_in = cut(folder, &*file, &end)?;
        recovery = Recovery::Recovered { cut: end.torn, kept_in: Some(kept_in) };
    }
    let is_sound = head.check().is_ok();
    if !is_sound && recovery == Recovery::Clean {
        recovery = Recovery::Recovered { cut: 0, kept_in: None };
    }
    // A HEAD that nobody has written to since it was made may have no durable name.
    if !head.now.shut || head.now.sequence <= 1 {
        folder.sync_names()?;
    }
    if !head.now.shut {
        rewrite(folder, &head, &end)?;
    }
    if !head.now.shut || !is_sound {
        let written = head_file.write(durable(&end), head.now.shut, true);
        written.map_err(OpenError::io("write", &folder.head()))?;
    }
    let length = file.length().map_err(OpenError::io("look at", &path))?;
    Ok(Recovered { store: head.now.store, end, head: head_file, file, length, recovery })
}

/// Whether all segments are there, and at most one more, whose number is returned.
fn check_names(folder: &Folder, head: &Head) -> Result<Option<u64>, OpenError> {
    let log = folder.log();
    let names = folder.storage.list(&log).map_err(OpenError::io("look into the folder", &log))?;
    let mut numbers: Vec<u64> = names.iter().filter_map(|name| segment_number(name)).collect();
    numbers.sort_unstable();
    let missing = numbers.iter().zip(0..).find(|(found, expected)| **found != *expected);
    let missing = missing.map(|(_, expected)| expected);
    let missing = missing.unwrap_or(numbers.len() as u64);
    if missing <= head.now.segment {
        let fault = Fault {
            offset: 0,
            expected: "the segment".to_owned(),
            found: "no such file".to_owned(),
        };
        return Err(corrupt(folder, &segment_name(missing), fault));
    }
    let behind = numbers.len() as u64 - (head.now.segment + 1);
    if behind > u64::from(!head.now.shut) || missing < numbers.len() as u64 {
        let name = segment_name(numbers[numbers.len() - 1]);
        let expected = format!("no segment behind {}", segment_name(head.now.segment));
        return Err(corrupt(
            folder,
            &name,
            Fault { offset: 0, expected, found: "this file".to_owned() },
        ));
    }
    Ok((behind == 1).then_some(head.now.segment + 1))
}

/// The header of a segment, which must be of its number and of the store of `HEAD`.
fn header_of(folder: &Folder, head: &Head, segment: u64) -> Result<SegmentHeader, OpenError> {
    let header = folder.segment_header(segment)?.and_then(|header| {
        let whole = SegmentHeader { segment, store: head.now.store, ..header.clone() };
        whole.check(&header).map(|()| header)
    });
    header.map_err(|fault| corrupt(folder, &segment_name(segment), fault))
}

/// What a reader looks at before it answers from derived files: that the log's files are there, each
/// with the header of its number, and that the last is as long as `HEAD` says. What they hold is
/// read by [`recover`] and by a check of the log.
///
/// # Errors
/// [`OpenError::Corrupt`], [`OpenError::Future`], [`OpenError::Io`]
pub(crate) fn check_files(folder: &Folder, head: &Head) -> Result<(), OpenError> {
    check_names(folder, head)?;
    for segment in 0..=head.now.segment {
        header_of(folder, head, segment)?;
    }
    let path = folder.segment(head.now.segment);
    let length = folder.storage.open(&path, Access::Read).and_then(|file| file.length());
    let length = length.map_err(OpenError::io("look at", &path))?;
    if length < head.now.offset || (head.now.shut && length > head.now.offset) {
        let fault = Fault {
            offset: length.min(head.now.offset),
            expected: format!("{} bytes, as HEAD says", head.now.offset),
            found: format!("{length} bytes"),
        };
        return Err(corrupt(folder, &segment_name(head.now.segment), fault));
    }
    Ok(())
}

/// Whether a segment holds no whole batch, as one that a crash left when it was begun.
fn is_empty(folder: &Folder, segment: u64, store: &[u8; 16]) -> Result<bool, OpenError> {
    let bytes = folder.read(&folder.segment(segment), SEGMENT_HEADER + BATCH_HEADER + MAX_BATCH)?;
    let is_sound = folder.segment_header(segment)?.is_ok();
    let behind = bytes.get(SEGMENT_HEADER..).unwrap_or_default();
    Ok(behind.is_empty() || (!is_sound && find_batch(behind, store).is_none()))
}

fn feed(folder: &Folder, check: &mut LogCheck, segment: u64) -> Result<(), OpenError> {
    let path = folder.segment(segment);
    let read = OpenError::io;
    let file = folder.storage.open(&path, Access::Read).map_err(read("open", &path))?;
    check.file(&segment_name(segment)).map_err(|d| corrupt_at(folder, d))?;
    let mut piece = vec![0; 1 << 20];
    let mut offset = 0;
    loop {
        let len = file.read_at(&mut piece, offset).map_err(read("read", &path))?;
        if len == 0 {
            return Ok(());
        }
        check.feed(&piece[..len], &mut |_| {}).map_err(|d| corrupt_at(folder, d))?;
        offset += len as u64;
    }
}

/// Writes what stands behind the durable end once more, and syncs it. Its sync may have failed: then
/// the system holds the bytes for clean, another sync alone would say that all is well, and the disk
/// may have none of them.
fn rewrite(folder: &Folder, head: &Head, end: &End) -> Result<(), OpenError> {
    // Of a HEAD with one sound slot it may be the older one.
    let mut from = head.now.offset;
    for segment in head.now.segment..=end.segment {
        let path = folder.segment(segment);
        let file = folder.storage.open(&path, Access::Write);
        let file = file.map_err(OpenError::io("open for writing", &path))?;
        let length = match segment == end.segment {
            true => end.offset,
            false => file.length().map_err(OpenError::io("look at", &path))?,
        };
        let mut piece = vec![0; 1 << 20];
        while from < length {
            let most = usize::try_from(length - from).unwrap_or(usize::MAX).min(piece.len());
            let read = file.read_at(&mut piece[..most], from);
            let read = read.map_err(OpenError::io("read", &path))?;
            if read == 0 {
                break;
            }
            file.write_at(&piece[..read], from).map_err(OpenError::io("write", &path))?;
            from += read as u64;
        }
        file.sync().map_err(OpenError::io("sync", &path))?;
        from = 0;
    }
    Ok(())
}

/// Cuts the torn end off, once it is kept elsewhere; gives the name of the file that keeps it.
fn cut(folder: &Folder, file: &dyn StoredFile, end: &End) -> Result<String, OpenError> {
    let path = folder.segment(end.segment);
    let mut torn = vec![0; usize::try_from(end.torn).expect("a piece of one batch")];
    let len = file.read_at(&mut torn, end.offset).map_err(OpenError::io("read", &path))?;
    let (keep, name) = free_name(folder, &format!("{}.{}", segment_name(end.segment), end.offset))?;
    folder.write_new(&keep, &torn[..len])?;
    folder.sync_folder(&folder.root.join("cut"))?;
    file.set_len(end.offset).map_err(OpenError::io("cut", &path))?;
    file.sync().map_err(OpenError::io("sync", &path))?;
    Ok(name)
}

/// Moves a file out of the log.
fn set_aside(folder: &Folder, name: &str) -> Result<String, OpenError> {
    let from = folder.log().join(name);
    let (to, kept_in) = free_name(folder, name)?;
    folder.storage.rename(&from, &to).map_err(OpenError::io("rename", &from))?;
    folder.sync_folder(&folder.root.join("cut"))?;
    folder.sync_folder(&folder.log())?;
    Ok(kept_in)
}

/// A name in `cut/` that nothing has, and the same from the store's folder on.
fn free_name(folder: &Folder, stem: &str) -> Result<(std::path::PathBuf, String), OpenError> {
    let cut = folder.root.join("cut");
    folder.storage.create_folder(&cut).map_err(OpenError::io("make the folder", &cut))?;
    folder.sync_folder(&folder.root)?;
    let names = folder.storage.list(&cut).map_err(OpenError::io("look into the folder", &cut))?;
    let name = (0..).map(|n| format!("{stem}.{n}")).find(|name| !names.contains(name));
    let name = name.expect("some number is free");
    Ok((cut.join(&name), Path::new("cut").join(&name).display().to_string()))
}

fn corrupt(folder: &Folder, file: &str, fault: Fault) -> OpenError {
    corrupt_at(folder, Box::new(Divergence::new(file, fault)))
}

pub(crate) fn corrupt_at(folder: &Folder, divergence: Box<Divergence>) -> OpenError {
    OpenError::Corrupt { path: folder.log(), divergence }
}
