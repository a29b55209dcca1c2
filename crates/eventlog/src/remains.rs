//! What is left of a store, whatever became of it: its files, and which of them are its own.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::Arc;

use commitment::{
    Cause, Fault, Found, HEAD, Head, SEGMENT_HEADER, SegmentHeader, Survey, Surveyed, find_summary,
    segment_number,
};

use crate::erase::through::through;
use crate::files::Stood;
use crate::folder::{self, Folder};
use crate::storage::{Access, Disk, Storage, StoredFile};
use crate::{OpenError, ReadError};

/// Bytes read at once.
const PIECE: usize = 1 << 20;
/// Where the disk cannot read a piece, it is asked for blocks of so many bytes.
const BLOCK: usize = 4096;

/// What is left of a store.
pub struct Remains {
    folder: Folder,
    stood: Stood,
    head: HeadState,
    store: [u8; 16],
    segments: Vec<SegmentFile>,
}

/// What became of `HEAD`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum HeadState {
    /// Both slots are sound.
    Sound(Head),
    /// Something is wrong with it, and one slot still says where the log ends.
    Partly(Head, Fault),
    /// It says nothing.
    Damaged(Fault),
    /// It is of another store than the segments.
    Foreign(Head),
    /// It is not there.
    Missing,
}

/// A file with a segment's name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SegmentFile {
    /// Its name.
    pub name: String,
    /// The number of the segment that it holds: its header's; where that is damaged, its name's, if its pages
    /// do not say otherwise.
    pub number: u64,
    /// How long it is, in bytes.
    pub len: u64,
    /// What it is.
    pub state: SegmentState,
    /// Its header, if that is sound.
    header: Option<SegmentHeader>,
}

/// What a file with a segment's name is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SegmentState {
    /// The segment of its name.
    Own,
    /// Its header is damaged; by its name or its pages it is a segment of this log.
    Headless,
    /// A segment of this log that has another's name.
    Misnamed,
    /// A segment of which there is another file. It is left aside.
    Double,
    /// A segment of another store.
    Foreign,
}

impl SegmentState {
    fn is_read(self) -> bool {
        !matches!(self, SegmentState::Double | SegmentState::Foreign)
    }
}

impl Remains {
    /// Looks at the files of a store that may be damaged in any way.
    ///
    /// # Errors
    /// If there is nothing of a store here, it is from the future, or the file system says no.
    pub fn open(dir: &Path) -> Result<Remains, OpenError> {
        Remains::open_on(Arc::new(Disk), dir)
    }

    /// The same on another storage.
    ///
    /// # Errors
    /// As [`Remains::open`].
    pub fn open_on(storage: Arc<dyn Storage>, dir: &Path) -> Result<Remains, OpenError> {
        let folder = Folder::new(storage, dir);
        folder.while_still(|is_written| Remains::look(through(folder.clone())?, dir, is_written))
    }

    fn look(folder: Folder, dir: &Path, is_written: bool) -> Result<Remains, OpenError> {
        let found = folder.look_patiently(is_written);
        let files = files(&folder)?;
        let bytes = match found {
            Ok(folder::Found::Store(bytes)) => Some(bytes),
            Ok(folder::Found::Headless) => None,
            Ok(_) => return Err(OpenError::Missing { path: dir.to_owned() }),
            Err(OpenError::Foreign { .. }) if files.iter().any(|file| file.header.is_some()) => {
                readable(&folder, &folder.head(), 2 * HEAD).ok()
            }
            // The disk cannot read all of it.
            Err(OpenError::Io { .. }) if !files.is_empty() => {
                readable(&folder, &folder.head(), 2 * HEAD).ok()
            }
            Err(error) => return Err(error),
        };
        let head = bytes.as_deref().map(Head::decode);
        let of_head = head.as_ref().and_then(|head| head.as_ref().ok()).map(|head| head.now.store);
        let store = store_of(&folder, of_head, bytes.as_deref().unwrap_or_default(), &files);
        let head = match head {
            None => HeadState::Missing,
            Some(Err(fault)) => HeadState::Damaged(fault),
            Some(Ok(head)) if head.now.store != store => HeadState::Foreign(head),
            Some(Ok(head)) => match head.check() {
                Ok(()) => HeadState::Sound(head),
                Err(fault) => HeadState::Partly(head, fault),
            },
        };
        let mut segments = sort(&folder, files, &store);
        if let (true, Some(head)) = (is_written, head.slots())
            && !head.now.shut
        {
            // Behind the durable end somebody is writing.
            let end = (head.now.segment, head.now.offset);
            segments.retain(|file| file.number <= end.0);
            for file in segments.iter_mut().filter(|file| file.number == end.0) {
                file.len = file.len.min(end.1);
            }
        }
        let stood = Stood { head: bytes.unwrap_or_default(), is_written };
        Ok(Remains { folder, stood, head, store, segments })
    }

    /// As [`LogFiles::has_changed`](crate::LogFiles::has_changed).
    pub(crate) fn has_changed(&self) -> bool {
        let segments = self.segments.iter().map(|file| (file.name.as_str(), file.len));
        self.stood.has_changed(&self.folder, segments)
    }

    /// What became of `HEAD`.
    #[must_use]
    pub fn head(&self) -> &HeadState {
        &self.head
    }

    /// The store's id, as far as it can be told.
    #[must_use]
    pub fn store(&self) -> [u8; 16] {
        self.store
    }

    /// The files with a segment's name, in the order of the segments that they hold.
    #[must_use]
    pub fn segments(&self) -> &[SegmentFile] {
        &self.segments
    }

    /// Reads all that there is, and gives each event that can still be read to `take`, in the order of
    /// the log. `on_bytes` hears of each piece.
    ///
    /// # Errors
    /// What `take` says, or the file system of a whole file; where a disk cannot read a block, that is
    /// taken for damage.
    pub fn survey<E: From<ReadError>>(
        &self,
        on_bytes: &mut dyn FnMut(u64),
        take: &mut dyn FnMut(Found) -> Result<(), E>,
    ) -> Result<Surveyed, E> {
        let now = self.head.slots().map(|head| &head.now);
        let mut survey = Survey::new(self.store, now.cloned());
        let mut taken = Ok(());
        let mut sink = |found: Found| {
            if taken.is_ok() {
                taken = take(found);
            }
        };
        let mut piece = vec![0; PIECE];
        let files: Vec<_> = self.segments.iter().filter(|file| file.state.is_read()).collect();
        for (n, file) in files.iter().enumerate() {
            let path = self.folder.log().join(&file.name);
            let open = self.folder.storage.open(&path, Access::Read);
            let open = open.map_err(ReadError::io("open", &path))?;
            let durable = now.and_then(|now| match file.number.cmp(&now.segment) {
                std::cmp::Ordering::Less => None,
                std::cmp::Ordering::Equal => Some(now.offset),
                std::cmp::Ordering::Greater => Some(0),
            });
            let until = files[n + 1..].iter().find_map(|file| file.header.clone());
            survey.segment(&file.name, file.number, durable, until, &mut sink);
            // It may have been shrunk since it was looked at.
            let len = open.length().map_or(file.len, |len| len.min(file.len));
            let mut offset = 0;
            while offset < len {
                let most = usize::try_from(len - offset).unwrap_or(PIECE).min(PIECE);
                read_or_zeros(&*open, &mut piece[..most], offset);
                survey.feed(&piece[..most], &mut sink);
                offset += most as u64;
                on_bytes(most as u64);
            }
        }
        // Of an open log the slot that is damaged may have named a later end.
        let is_last = match &self.head {
            HeadState::Partly(head, _) => head.now.shut,
            _ => true,
        };
        let mut surveyed = survey.finish(is_last, &mut sink);
        taken?;
        let is_foreign = |name: &str| {
            let foreign = |file: &SegmentFile| file.state == SegmentState::Foreign;
            self.segments.iter().any(|file| foreign(file) && file.name == name)
        };
        for place in surveyed.missing.iter_mut().flat_map(|missing| &mut missing.places) {
            match &self.head {
                HeadState::Missing if place.file == "HEAD" => place.cause = Cause::Missing,
                HeadState::Foreign(_) if place.file == "HEAD" => place.cause = Cause::Foreign,
                _ => {}
            }
            if place.cause == Cause::Missing && is_foreign(&place.file) {
                place.cause = Cause::Foreign;
            }
        }
        Ok(surveyed)
    }
}

impl HeadState {
    /// Its slots, where one of them can be believed.
    #[must_use]
    pub fn slots(&self) -> Option<&Head> {
        match self {
            HeadState::Sound(head) | HeadState::Partly(head, _) => Some(head),
            _ => None,
        }
    }
}

/// A file of a segment's name, and its header if that is sound.
struct Candidate {
    name: String,
    len: u64,
    bytes: Vec<u8>,
    header: Option<SegmentHeader>,
}

fn files(folder: &Folder) -> Result<Vec<Candidate>, OpenError> {
    let log = folder.log();
    let mut files = Vec::new();
    for name in folder.storage.list(&log).unwrap_or_default() {
        if segment_number(&name).is_none() {
            continue;
        }
        let path = log.join(&name);
        let len = folder.storage.open(&path, Access::Read).and_then(|file| file.length());
        let len = len.map_err(OpenError::io("open", &path))?;
        let bytes = readable(folder, &path, SEGMENT_HEADER)?;
        let header = bytes.first_chunk().and_then(|bytes| SegmentHeader::decode(bytes).ok());
        files.push(Candidate { name, len, bytes, header: header.map(|(header, _)| header) });
    }
    Ok(files)
}

/// Whose log it is: `HEAD`'s store if a segment is of it, else that of most segments. Where no header
/// is sound, what the damaged ones, `HEAD` and the pages say.
fn store_of(
    folder: &Folder,
    of_head: Option<[u8; 16]>,
    head: &[u8],
    files: &[Candidate],
) -> [u8; 16] {
    let mut votes: BTreeMap<[u8; 16], usize> = BTreeMap::new();
    let mut vote = |bytes: &[u8], at: usize| {
        if let Some(store) = bytes.get(at..at + 16) {
            *votes.entry(store.try_into().expect("16 bytes")).or_default() += 1;
        }
    };
    let sound = files.iter().filter_map(|file| file.header.as_ref()).collect::<Vec<_>>();
    if let Some(of_head) = of_head
        && (sound.is_empty() || sound.iter().any(|header| header.store == of_head))
    {
        return of_head;
    }
    for header in &sound {
        vote(&header.store, 0);
    }
    if sound.is_empty() {
        vote(head, 16);
        vote(head, HEAD / 2 + 16);
        for file in files {
            vote(&file.bytes, 16);
            let path = folder.log().join(&file.name);
            let bytes = readable(folder, &path, PIECE).unwrap_or_default();
            for (at, _) in bytes.windows(8).enumerate().filter(|(_, w)| w == b"STILLPGE") {
                vote(&bytes, at + 8);
            }
        }
    }
    votes.into_iter().max_by_key(|(_, count)| *count).map_or([0; 16], |(store, _)| store)
}

/// Says of each file what it is, and puts them in order.
fn sort(folder: &Folder, files: Vec<Candidate>, store: &[u8; 16]) -> Vec<SegmentFile> {
    // Where the headers say that segments begin, and where files without one have their first page.
    let (mut begins, mut pages) = (BTreeMap::new(), Vec::new());
    let mut segments: Vec<SegmentFile> = Vec::new();
    for Candidate { name, len, header, .. } in files {
        let by_name = segment_number(&name).expect("only such were taken");
        let (number, mut state) = match &header {
            None => (by_name, SegmentState::Headless),
            Some(header) if header.store != *store => (by_name, SegmentState::Foreign),
            Some(header) => {
                begins.insert(header.segment, header.first_position);
                let is_own = header.segment == by_name;
                let state = if is_own { SegmentState::Own } else { SegmentState::Misnamed };
                (header.segment, state)
            }
        };
        if state == SegmentState::Headless {
            match first_page(folder, &name, len, Some(store)) {
                Some(position) => pages.push((position, number, segments.len())),
                None if first_page(folder, &name, len, None).is_some() => {
                    state = SegmentState::Foreign;
                }
                None => {}
            }
        }
        segments.push(SegmentFile { name, number, len, state, header });
    }
    // A name is believed if the segments around it are where its pages say.
    pages.sort_unstable();
    for (position, number, _) in &mut pages {
        let is_behind = begins.range(..*number).all(|(_, first)| first <= position);
        if !is_behind || begins.range(*number..).any(|(_, first)| first <= position) {
            let before = begins.iter().rev().find(|(_, first)| *first <= position);
            let next = begins.keys().next().map_or(0, |first| first.saturating_sub(1));
            *number = before.map_or(next, |(number, _)| *number);
        }
    }
    // Names that were exchanged among themselves are put right.
    let mut numbers: Vec<u64> = pages.iter().map(|(_, number, _)| *number).collect();
    numbers.sort_unstable();
    for ((_, _, n), number) in pages.iter().zip(numbers) {
        segments[*n].number = number;
    }
    // The best one of those of a number comes first. What has a header is read once.
    let rank = |state| match state {
        SegmentState::Own => 0,
        SegmentState::Misnamed => 1,
        SegmentState::Headless => 2,
        SegmentState::Double | SegmentState::Foreign => 3,
    };
    segments.sort_by(|a, b| {
        let key = |file: &SegmentFile| (file.number, rank(file.state));
        key(a).cmp(&key(b)).then_with(|| a.name.cmp(&b.name))
    });
    let mut taken = BTreeSet::new();
    for file in &mut segments {
        let has_header = matches!(file.state, SegmentState::Own | SegmentState::Misnamed);
        if has_header && !taken.insert(file.number) {
            file.state = SegmentState::Double;
        }
    }
    segments
}

/// The position at which the first page of this store, or of any, begins that can be found in a segment.
fn first_page(folder: &Folder, name: &str, len: u64, store: Option<&[u8; 16]>) -> Option<u64> {
    let path = folder.log().join(name);
    let file = folder.storage.open(&path, Access::Read).ok()?;
    let mut piece = vec![0; 2 * PIECE];
    for offset in (0..len).step_by(PIECE) {
        let most = usize::try_from(len - offset).unwrap_or(2 * PIECE).min(2 * PIECE);
        read_or_zeros(&*file, &mut piece[..most], offset);
        if let Some(summary) = find_summary(&piece[..most], store) {
            return Some(summary.first_position);
        }
    }
    None
}

/// A file's first bytes, so many if there are as many, with zeros for what the disk cannot give.
fn readable(folder: &Folder, path: &Path, most: usize) -> Result<Vec<u8>, OpenError> {
    let open = |path| {
        let file = folder.storage.open(path, Access::Read)?;
        let len = file.length()?;
        Ok((file, usize::try_from(len).unwrap_or(most).min(most)))
    };
    let (file, len) = open(path).map_err(OpenError::io("open", path))?;
    let mut bytes = vec![0; len];
    read_or_zeros(&*file, &mut bytes, 0);
    Ok(bytes)
}

/// Reads; what the disk cannot give is zeros, which no checksum takes for a log's.
fn read_or_zeros(file: &dyn StoredFile, buffer: &mut [u8], offset: u64) {
    if let Ok(len) = file.read_at(buffer, offset) {
        buffer[len..].fill(0);
        return;
    }
    for (n, block) in buffer.chunks_mut(BLOCK).enumerate() {
        let len = file.read_at(block, offset + (n * BLOCK) as u64).unwrap_or(0);
        block[len..].fill(0);
    }
}
