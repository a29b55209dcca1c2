//! Which frames an erasure takes something out of, and how the log will look there. Nothing is written.
//!
//! Which events an account has is asked of what is derived, and held against the log: each frame must be there, an event of
//! that account at that position. The batches that hold any of them are read as a whole, because their checksums are made
//! anew; of the other batches of the same segments the headers are.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::io;

use commitment::{
    BATCH_HEADER, BatchHeader, Digest, Envelope, FRAME_HEADER, Fault, Frame, Left, SEGMENT_HEADER,
    Scope, Summary, content_of, erase_frame, erased_root, rewrite_batch,
};
use event::{Timestamp, canonical};

use super::plan::{ErasurePlan, Unplanned};
use super::redo::Extent;
use super::{EraseError, Target};
use crate::ReadError;
use crate::batches::corrupt;
use crate::derived::{self, IdTag, Place, SubjectTag, Taken};
use crate::folder::Folder;
use crate::head_file::Durable;
use crate::locate::Locator;
use crate::prepare::id_tag;
use crate::storage::Access;
use crate::window::Window;

/// What is looked for in the log.
#[derive(Debug)]
pub(crate) struct Wanted {
    left: Left,
    accounts: Vec<Named>,
    /// By the places of their frames: the position, and which account's.
    events: BTreeMap<Place, (u64, usize)>,
    /// The names of accounts: by the place of the account's first event, in whose batch the name is.
    names: BTreeMap<Place, u32>,
    /// The same by the positions of these events, where they are erased: their segments may have been shrunk.
    moved: Vec<(u64, u32)>,
    /// Their ordinals.
    ordinals: BTreeSet<u32>,
}

#[derive(Debug)]
struct Named {
    account: String,
    ordinal: u32,
    /// If only some subjects are wanted: their tags, and whether any event was about them.
    items: Option<HashMap<SubjectTag, (String, bool)>>,
}

/// In the place of an account: the erasure was planned elsewhere, and all frames count for its root.
const TOLD: usize = usize::MAX;

impl Wanted {
    pub(crate) fn new(left: Left) -> Wanted {
        let (accounts, events, names) = (Vec::new(), BTreeMap::new(), BTreeMap::new());
        Wanted { left, accounts, events, names, moved: Vec::new(), ordinals: BTreeSet::new() }
    }

    /// Adds what some targets ask for, of accounts that are looked up.
    pub(crate) fn add_all(
        &mut self,
        targets: &[Target],
        mut look_up: impl FnMut(&str) -> Result<Option<derived::Account>, Unplanned>,
    ) -> Result<(), Unplanned> {
        for target in targets {
            let account = target.account();
            let Some(found) = look_up(account)? else {
                let account = account.to_owned();
                return Err(EraseError::UnknownAccount { account }.into());
            };
            self.add(target, &found);
        }
        Ok(())
    }

    /// Adds what a target asks for of an account.
    fn add(&mut self, target: &Target, found: &derived::Account) {
        let derived::Account { head, history, places, gone } = found;
        let ordinal = u32::try_from(head.ordinal).expect("ordinals have 32 bits");
        let number = self.accounts.len();
        let account = head.account.clone();
        let mut named = Named { account, ordinal, items: None };
        let steps: HashMap<u64, _> = history.steps.iter().map(|s| (s.revision, s)).collect();
        let is_blank = |revision: &u64| history.erased.contents.binary_search(revision).is_ok();
        if let Target::Items { items, .. } = target {
            let tag = |item: &String| Scope::Item.tag(&head.secret, item);
            let mut tags: HashMap<_, _> =
                items.iter().map(|item| (tag(item), (item.clone(), false))).collect();
            for (_, tag) in &gone.contents {
                if let Some((_, is_met)) = tags.get_mut(tag) {
                    *is_met = true;
                }
            }
            named.items = Some(tags);
        }
        for (revision, place) in places {
            let Some(step) = steps.get(revision) else { continue };
            let is_wanted = match target {
                Target::Account { .. } => true,
                Target::Before { before, .. } => step.occurred_at < *before,
                Target::Items { before, .. } => {
                    // Which item a rejected upload was of is not in a step: its frame says.
                    step.kind.may_name_item()
                        && !is_blank(revision)
                        && before.is_none_or(|before| step.occurred_at < before)
                }
            };
            if is_wanted {
                self.events.insert(*place, (step.position, number));
            }
        }
        if let Target::Account { .. } = target {
            self.add_name(found);
        }
        self.accounts.push(named);
    }

    /// Adds the name of an account.
    pub(crate) fn add_name(&mut self, found: &derived::Account) {
        let ordinal = u32::try_from(found.head.ordinal).expect("ordinals have 32 bits");
        let leaf = found.gone.leaves.first();
        let whole = found.places.first();
        let whole = whole.filter(|whole| leaf.is_none_or(|leaf| whole.0 < leaf.revision));
        match (whole, leaf) {
            (Some((_, place)), _) => _ = self.names.insert(*place, ordinal),
            (None, Some(leaf)) => self.moved.push((leaf.position, ordinal)),
            (None, None) => return,
        }
        self.ordinals.insert(ordinal);
    }

    /// Adds an event by its position and place, of an erasure that another log tells of.
    pub(crate) fn add_placed(&mut self, position: u64, place: Place) {
        self.events.insert(place, (position, TOLD));
    }

    /// Finds all of it in the log, which ends at `end`.
    pub(crate) fn find(
        mut self,
        folder: &Folder,
        store: [u8; 16],
        end: Durable,
        before: Option<Timestamp>,
    ) -> Result<ErasurePlan, Unplanned> {
        let (mut found, mut locator) = (Found::default(), Locator::default());
        for (position, ordinal) in std::mem::take(&mut self.moved) {
            self.names.insert(locator.find(folder, end, position)?.place, ordinal);
        }
        let mut places: BTreeSet<Place> = self.events.keys().copied().collect();
        places.extend(self.names.keys());
        let places: Vec<Place> = places.into_iter().collect();
        for places in places.chunk_by(|a, b| a.segment == b.segment) {
            self.segment(folder, store, end, places, &mut found)?;
        }
        for named in &self.accounts {
            let unknown = named.items.iter().flatten().find(|(_, (_, is_met))| !is_met);
            if let Some((_, (item, _))) = unknown {
                let (account, item) = (named.account.clone(), item.clone());
                return Err(EraseError::UnknownItem { account, item }.into());
            }
        }
        let taken = Taken {
            left: self.left,
            names: found.names.iter().map(|ordinal| u64::from(*ordinal)).collect(),
            events: found.events,
            positions: found.positions.into_iter().collect(),
            tags: (!found.has_untagged).then_some(found.tags),
        };
        Ok(ErasurePlan {
            end,
            left: self.left,
            before,
            names: taken.names.iter().copied().collect(),
            root: if found.frames.is_empty() { [0; 32] } else { erased_root(&found.frames) },
            told: (!found.told.is_empty()).then(|| erased_root(&found.told)),
            taken,
            extents: found.extents,
            ids: found.ids,
            pages: found.pages.len() as u64,
            occurred: found.occurred,
        })
    }

    /// Finds what is wanted in a segment, at these places in their order.
    fn segment(
        &mut self,
        folder: &Folder,
        store: [u8; 16],
        end: Durable,
        places: &[Place],
        found: &mut Found,
    ) -> Result<(), Unplanned> {
        let segment = places[0].segment;
        let path = folder.segment(segment);
        let bad = |offset: u64, fault: Fault| corrupt(folder, segment, fault.moved(offset), None);
        let cut = |what: &str| Fault {
            offset: 0,
            expected: what.to_owned(),
            found: "the end of the log".to_owned(),
        };
        let header = folder.segment_header(segment)?.map_err(|fault| bad(0, fault))?;
        let file = folder.storage.open(&path, Access::Read);
        let file = file.map_err(ReadError::io("open", &path))?;
        let mut window = Window::new(file, 32 << 10);
        let limit = if segment == end.segment { end.offset } else { u64::MAX };
        let (mut offset, mut position) = (SEGMENT_HEADER as u64, header.first_position);
        let mut places = places.iter().peekable();
        while let Some(next) = places.peek() {
            let io = ReadError::io("read", &path);
            let header = window.get(offset, BATCH_HEADER, limit).map_err(io)?.first_chunk();
            let header = header.ok_or_else(|| bad(offset, cut("a batch's header")))?;
            let header = BatchHeader::read(header).map_err(|fault| bad(offset, fault))?;
            let behind = offset + header.total() as u64;
            if next.offset < behind {
                let io = ReadError::io("read", &path);
                let batch = window.get(offset, header.total(), limit).map_err(io)?.to_vec();
                if !header.is_sound(&batch, &store) {
                    return Err(bad(offset, cut("a batch of its checksum")).into());
                }
                let place = Place { segment, offset };
                let is_open = self.batch(folder, store, place, position, batch, found)?;
                if is_open {
                    let page = page_behind(&mut window, behind, limit);
                    let page = page.map_err(ReadError::io("read", &path))?;
                    found.pages.insert(page.unwrap_or(u64::MAX));
                }
                while places.next_if(|place| place.offset < behind).is_some() {}
            }
            position += u64::from(header.events);
            offset = behind;
        }
        Ok(())
    }

    /// Takes what is wanted out of a batch; says whether any of it is in a page that goes on behind it.
    fn batch(
        &mut self,
        folder: &Folder,
        store: [u8; 16],
        start: Place,
        mut position: u64,
        mut batch: Vec<u8>,
        found: &mut Found,
    ) -> Result<bool, Unplanned> {
        let end = Place { offset: start.offset + batch.len() as u64, ..start };
        let mut left = self.events.range(start..end).count();
        let (mut at, mut images, mut page) = (BATCH_HEADER, Vec::new(), None);
        // Frames of the page that is being walked.
        let mut touched = false;
        while at < batch.len() {
            let place = Place { segment: start.segment, offset: start.offset + at as u64 };
            let bad =
                |fault: Fault| corrupt(folder, place.segment, fault.moved(place.offset), None);
            let (frame, len) = Frame::read(&batch[at..]).map_err(bad)?;
            if let Frame::Trailer(summary) = frame {
                let number = Summary::decode(summary).map_err(bad)?.page;
                if std::mem::take(&mut touched) {
                    found.pages.insert(number);
                }
                page = Some(number);
            }
            let is_wanted = match frame {
                Frame::Name { ordinal, .. } => self.ordinals.contains(&ordinal),
                _ if frame.is_event() => {
                    let wanted = self.events.get(&place).copied();
                    position += 1;
                    left -= usize::from(wanted.is_some());
                    match wanted {
                        Some((expected, account)) if expected == position - 1 => self
                            .take(&frame, position - 1, account, found)
                            .map_err(|e| match e {
                                Taking::Derived(what) => Unplanned::Derived(what),
                                Taking::Fault(fault) => bad(fault).into(),
                            })?,
                        Some((expected, _)) => {
                            let what =
                                format!("position {expected} stands where {} does", position - 1);
                            return Err(Unplanned::Derived(what));
                        }
                        None => false,
                    }
                }
                _ => false,
            };
            if let Some((_, TOLD)) = self.events.get(&place)
                && let Some((ordinal, leaf)) = frame.ordinal().zip(frame.leaf())
            {
                found.told.push((ordinal, leaf));
            }
            if is_wanted {
                let is_event = frame.is_event();
                let image = &mut batch[at..at + len];
                let (ordinal, leaf) = erase_frame(image, self.left).map_err(bad)?;
                if !is_event {
                    found.names.insert(ordinal);
                    found.told.push((ordinal, leaf));
                }
                found.frames.push((ordinal, leaf));
                images.push(Extent { place, bytes: image.to_vec() });
                touched = true;
            }
            at += len;
        }
        if !images.is_empty() {
            rewrite_batch(&mut batch, &store);
            found.extents.push(Extent { place: start, bytes: batch[..BATCH_HEADER].to_vec() });
            found.extents.append(&mut images);
        }
        let mut names = self.names.range(start..end);
        let missed = names.find(|(_, ordinal)| !found.names.contains(ordinal));
        if let Some((_, ordinal)) = missed {
            return Err(Unplanned::Derived(format!("the name of account {ordinal} is not there")));
        }
        if left > 0 {
            return Err(Unplanned::Derived(format!("{left} events are not where they should be")));
        }
        Ok(match page.filter(|_| touched) {
            Some(page) => {
                found.pages.insert(page + 1);
                false
            }
            None => touched,
        })
    }

    /// Whether an event is to go; then it is counted.
    fn take(
        &mut self,
        frame: &Frame<'_>,
        position: u64,
        account: usize,
        found: &mut Found,
    ) -> Result<bool, Taking> {
        let decode = |envelope| {
            Envelope::decode(envelope).map_err(|f| Taking::Fault(f.moved(FRAME_HEADER as u64)))
        };
        let (ordinal, envelope) = match *frame {
            Frame::Event { envelope, .. } | Frame::ContentErased { envelope, .. } => {
                let envelope = decode(envelope)?;
                (envelope.ordinal, Some(envelope))
            }
            Frame::EventErased { ordinal, .. } => (ordinal, None),
            _ => unreachable!("only events are asked about"),
        };
        let is_gone = match self.left {
            Left::Leaf => envelope.is_none(),
            Left::Envelope => !matches!(frame, Frame::Event { .. }),
        };
        if let Some(named) = self.accounts.get_mut(account) {
            if named.ordinal != ordinal || is_gone {
                return Err(Taking::Derived(format!(
                    "position {position} is not as it is said to be"
                )));
            }
            if let (Some(items), Some(envelope)) = (&mut named.items, &envelope) {
                let of = Some(&envelope.tag).filter(|_| envelope.scope == Scope::Item);
                let Some((_, is_met)) = of.and_then(|tag| items.get_mut(tag)) else {
                    return Ok(false);
                };
                *is_met = true;
            }
            if let (Frame::Event { padded, .. }, Some(envelope)) = (frame, &envelope) {
                let content = canonical::decode_content(envelope.kind, content_of(padded));
                let content = content.map_err(|e| {
                    let expected = "a canonical content".to_owned();
                    let offset = FRAME_HEADER + commitment::ENVELOPE + commitment::SALT + e.offset;
                    Taking::Fault(Fault {
                        offset: offset as u64,
                        expected,
                        found: e.problem.to_string(),
                    })
                })?;
                found.tags.push((position, id_tag(&named.account, content.id)));
                found.ids.push((named.account.clone(), content.id.to_owned()));
            }
        } else if is_gone {
            return Ok(false);
        } else {
            found.has_untagged = true;
        }
        if let Some(at) = envelope.map(|envelope| envelope.occurred_at) {
            let (from, to) = found.occurred.unwrap_or((at, at));
            found.occurred = Some((from.min(at), to.max(at)));
        }
        let tag = envelope.map_or([0; 16], |envelope| envelope.tag);
        found.events.entry(u64::from(ordinal)).or_default().push((position, tag));
        found.positions.push(position);
        Ok(true)
    }
}

enum Taking {
    Derived(String),
    Fault(Fault),
}

/// What was found of what was wanted, in the order of the log.
#[derive(Default)]
struct Found {
    frames: Vec<(u32, Digest)>,
    /// What another log told of, erased before or not.
    told: Vec<(u32, Digest)>,
    names: BTreeSet<u32>,
    events: BTreeMap<u64, Vec<(u64, SubjectTag)>>,
    positions: Vec<u64>,
    extents: Vec<Extent>,
    ids: Vec<(String, String)>,
    /// Of the same, by their positions.
    tags: Vec<(u64, IdTag)>,
    /// Whether there are others, whose accounts' names were not asked for.
    has_untagged: bool,
    pages: BTreeSet<u64>,
    occurred: Option<(Timestamp, Timestamp)>,
}

/// The number of the page that is open at the border of two batches; none if the log ends before it does.
fn page_behind(window: &mut Window, mut offset: u64, limit: u64) -> io::Result<Option<u64>> {
    const TRAILER: u8 = 3;
    let mut behind = offset;
    loop {
        if offset == behind {
            let header =
                window.get(offset, BATCH_HEADER, limit)?.first_chunk().map(BatchHeader::read);
            let Some(Ok(header)) = header else { return Ok(None) };
            behind = offset + header.total() as u64;
            offset += BATCH_HEADER as u64;
        }
        let &[kind, a, b, c, ..] = window.get(offset, FRAME_HEADER, limit)? else {
            return Ok(None);
        };
        let len = FRAME_HEADER + u32::from_le_bytes([a, b, c, 0]) as usize;
        if kind == TRAILER {
            let frame = Frame::read(window.get(offset, len, limit)?);
            return Ok(match frame {
                Ok((Frame::Trailer(summary), _)) => Summary::decode(summary).ok().map(|s| s.page),
                _ => None,
            });
        }
        offset += len as u64;
        if offset > behind {
            return Ok(None);
        }
    }
}
