//! The derived files and the log that they follow: opened together, and made anew when they fail.

use std::collections::{BTreeSet, VecDeque};

use commitment::Fault;

use crate::ReadError;
use crate::batches::{Batches, Whole, corrupt, place_now};
use crate::decode::{Accounts, Gone, Item, Known, each_event, ordinals};
use crate::derived::{
    Anchor, Derived, DerivedError, Entry, GoneEntry, Head, Merge, Options, Place, Taken,
};
use crate::erase::shrink::is_shrunk;
use crate::erase::since::is_erased_since;
use crate::files::TRIES;
use crate::folder::Folder;
use crate::head_file::Durable;
use crate::prepare::Prepared;

/// The derived files of a log.
pub(crate) struct Index {
    pub(crate) derived: Derived,
    /// Whether they may be written: not by a reader, nor where that failed when they were opened.
    is_writer: bool,
    /// Whether it could not be made anew: it knows nothing then, and must not be asked.
    is_lost: bool,
}

/// Does what reads much of the log; once more where an erasure was recorded meanwhile, so that nothing is half of before and half of
/// after.
pub(crate) fn steadily<T>(
    folder: &Folder,
    mut make: impl FnMut() -> Result<T, ReadError>,
) -> Result<T, ReadError> {
    for _ in 0..TRIES {
        let head = folder.read(&folder.head(), 2 * commitment::HEAD).unwrap_or_default();
        let made = make();
        match commitment::Head::decode(&head) {
            Ok(head) if is_erased_since(folder, Durable::of(&head.now)) => {}
            _ => return made,
        }
    }
    Err(ReadError::Erasing { path: folder.log() })
}

/// Opens the derived files and brings them up to the end of the log.
pub(crate) fn open(
    folder: &Folder,
    store: [u8; 16],
    end: Durable,
    writer: bool,
) -> Result<Index, ReadError> {
    match writer {
        true => open_once(folder, store, end, writer),
        false => steadily(folder, || open_once(folder, store, end, writer)),
    }
}

fn open_once(
    folder: &Folder,
    store: [u8; 16],
    end: Durable,
    writer: bool,
) -> Result<Index, ReadError> {
    let (dir, is_there) = folder.derived();
    let options = |writer| Options::new(&dir, store, writer);
    let is_ours = |to: u64, anchor: &Anchor| find(folder, end, to, anchor).is_some();
    // A writer that cannot write them goes without, as a reader does.
    let opened = match Derived::open(options(writer && is_there), is_ours) {
        Ok(derived) => Ok(Index { derived, is_writer: writer && is_there, is_lost: false }),
        Err(_) => Derived::open(options(false), is_ours).map(|derived| Index {
            derived,
            is_writer: false,
            is_lost: false,
        }),
    };
    let mut index = match opened {
        Ok(index) => index,
        Err(_) => {
            // Something stands in their place: a folder that is not there serves as well.
            let none = Options::new(&folder.root.join("derived.none"), store, false);
            let derived = Derived::open(none, |_, _| false).map_err(|e| failed(folder, &e))?;
            Index { derived, is_writer: false, is_lost: false }
        }
    };
    if index.catch_up(folder, store, end).is_err() {
        index.rebuild(folder, store, end)?;
    }
    Ok(index)
}

impl Index {
    /// Makes everything derived anew from the log.
    pub(crate) fn rebuild(
        &mut self,
        folder: &Folder,
        store: [u8; 16],
        end: Durable,
    ) -> Result<(), ReadError> {
        // Files that cannot be deleted now are left out at the next opening, or deleted then.
        let _ = self.derived.reset();
        let made = self.catch_up(folder, store, end);
        self.is_lost = made.is_err();
        if self.is_lost {
            // A part of the log must not pass for the whole.
            let _ = self.derived.reset();
        }
        made
    }

    /// Takes in the next event of the log.
    pub(crate) fn append(&mut self, entry: &Entry<'_>) {
        if !self.is_lost {
            self.derived.append(entry);
        }
    }

    /// What is derived, unless it is lost: it can be asked again once it was made anew.
    pub(crate) fn derived(&self) -> Result<&Derived, DerivedError> {
        match self.is_lost {
            true => Err(DerivedError::Lost),
            false => Ok(&self.derived),
        }
    }

    /// Puts what is in memory into a file, if it may. One that fails changes nothing but the memory
    /// taken, and what is missing is made anew by the next who opens the log.
    pub(crate) fn flush(&mut self, end: Durable) {
        if self.is_writer && !self.is_lost {
            let _ = self.derived.add(&anchor(end));
        }
    }

    /// Takes what an erasure took out of the files; false if they may hold it still.
    pub(crate) fn leave_out(&mut self, taken: &Taken) -> bool {
        self.is_writer && !self.is_lost && self.derived.leave_out(taken).is_ok()
    }

    /// The files to merge next, if there are too many of a size and they may be written.
    pub(crate) fn to_merge(&self) -> Option<Merge> {
        (self.is_writer && !self.is_lost).then(|| self.derived.to_merge())?
    }

    /// Replays what the derived files do not cover yet.
    fn catch_up(
        &mut self,
        folder: &Folder,
        store: [u8; 16],
        end: Durable,
    ) -> Result<(), ReadError> {
        let derived = &mut self.derived;
        let stop = Place { segment: end.segment, offset: end.offset };
        let mut batches = Batches::new(folder, store, stop);
        let mut accounts = Accounts::new();
        if let Some((events, anchor)) = derived.covered() {
            let Some(from) = find(folder, end, events, &anchor) else {
                // It was there a moment ago: the segment is another file by now.
                return Err(ReadError::Erasing { path: folder.log() });
            };
            accounts = known(folder, derived, batches.from(from))?;
            batches = Batches::new(folder, store, stop).from(from);
        }
        // The frames of a batch are read, and then taken into the derived files.
        let mut parcel = Prepared::new();
        loop {
            let position = batches.position;
            let Some(Whole { place, bytes: batch }) = batches.next()? else { break };
            parcel.clear();
            let mut gone = VecDeque::new();
            each_event::<Fault>(batch, place, position, &mut accounts, |item| {
                match item {
                    Item::Event(recorded, staged) => parcel.push_recorded(&recorded, staged),
                    Item::Gone(left) => gone.push_back(left),
                    Item::Erasure(page, body) => derived.erasures.push(page, body),
                }
                Ok(())
            })
            .map_err(|fault| corrupt(folder, place.segment, fault, Some(position)))?;
            parcel.finish();
            for entry in parcel.entries() {
                // Of an account that was just named. That its ordinal is new was seen when it was read.
                if entry.step.revision == 0
                    && derived.head(entry.account).map_err(|e| failed(folder, &e))?.is_some()
                {
                    let Place { segment, offset } = entry.place;
                    let fault = Fault {
                        offset,
                        expected: "an account of one name and one ordinal".to_owned(),
                        found: format!("{:?} as {}", entry.account, entry.ordinal),
                    };
                    return Err(corrupt(folder, segment, fault, Some(entry.step.position)));
                }
                take_gone(derived, &accounts, &mut gone, entry.step.position);
                derived.append(&entry);
            }
            take_gone(derived, &accounts, &mut gone, u64::MAX);
            if self.is_writer && derived.is_full() {
                let _ = derived.flush(&anchor(batches.at_link()?));
            }
        }
        if batches.position != end.events || derived.next_position() != end.events {
            if is_shrunk(folder, end.segment)? {
                return Err(ReadError::Erasing { path: folder.log() });
            }
            let fault = Fault {
                offset: end.offset,
                expected: format!("{} events up to here", end.events),
                found: format!("{}", batches.position),
            };
            return Err(corrupt(folder, end.segment, fault, None));
        }
        Ok(())
    }
}

/// Takes in what is left of the events before a position.
fn take_gone(derived: &mut Derived, accounts: &Accounts, gone: &mut VecDeque<Gone>, to: u64) {
    while let Some(left) = gone.pop_front_if(|left| left.position < to) {
        let Gone { position, place, ordinal, revision, envelope } = left;
        let known = accounts.get(&ordinal).zip(revision);
        let Some((Known { name, secret, .. }, revision)) = known else {
            derived.pass(position);
            continue;
        };
        let left = envelope.map(|left| (left.step(position, revision), left.tag));
        let ordinal = u64::from(ordinal);
        let account = name.as_str();
        derived.append_gone(&GoneEntry {
            account,
            ordinal,
            secret,
            position,
            revision,
            place,
            left,
        });
    }
}

/// The accounts of a tail of the log that the derived files know. The tail is read once more for it, so
/// that all are looked up together: one by one, each would read a block for itself.
fn known(folder: &Folder, derived: &Derived, mut tail: Batches<'_>) -> Result<Accounts, ReadError> {
    let mut wanted = BTreeSet::new();
    while let Some(batch) = tail.next()? {
        wanted.extend(ordinals(batch.bytes).map(u64::from));
    }
    let heads = derived.heads_in_files(wanted.into_iter().collect());
    let known = |head: Head| {
        let ordinal = u32::try_from(head.ordinal).expect("one of those asked for");
        (ordinal, Known { name: head.account, secret: head.secret, next: head.count })
    };
    Ok(heads.map_err(|e| failed(folder, &e))?.into_iter().map(known).collect())
}

/// What to say when derived files fail that were just made anew.
pub(crate) fn failed(folder: &Folder, error: &DerivedError) -> ReadError {
    let source = std::io::Error::other(error.to_string());
    ReadError::io("use the derived files in", &folder.derived().0)(source)
}

/// Where the log, which ends at `end`, has the batch of an anchor, so many events before its end.
fn find(folder: &Folder, end: Durable, events: u64, anchor: &Anchor) -> Option<Durable> {
    let Place { segment, offset } = anchor.end;
    let checksum = anchor.checksum[..16].try_into().expect("16 bytes of 32");
    place_now(folder, end, Durable { segment, offset, events, checksum })
}

/// The anchor of a batch's end.
fn anchor(end: Durable) -> Anchor {
    let mut checksum = [0; 32];
    checksum[..16].copy_from_slice(&end.checksum);
    Anchor { end: Place { segment: end.segment, offset: end.offset }, checksum }
}
