//! The page that a survey reads: what of it is intact is known at its end.

use super::accounts::Accounts;
use super::{Cause, Found, Missing, Sink, Survey};
use crate::envelope::{Envelope, Scope};
use crate::frame::{Frame, content_of};
use crate::page::{SUMMARY, Summary};
use crate::tree::{Frontier, tree_leaf};
use event::{Event, RecordedBy, canonical};

/// What lies between two page trailers that were found. Where something is gone between them, that
/// may have been several pages.
#[derive(Default)]
pub(super) struct Page {
    pub(super) bytes: Vec<u8>,
    pub(super) items: Vec<Item>,
    /// The position of its first event, where that is known.
    pub(super) begins: Option<u64>,
}

pub(super) enum Item {
    Frame {
        file: usize,
        at: u64,
        /// Where in the page's bytes.
        from: usize,
        len: usize,
        /// Whether its batch's checksum holds.
        is_sound: bool,
        /// Whether it may be two pieces of frames that came to stand together, with all between gone.
        is_spliced: bool,
    },
    Hole {
        file: usize,
        at: u64,
        len: Option<u64>,
        cause: Cause,
        /// Whether frames may be gone with it.
        breaks: bool,
    },
}

/// A page trailer.
pub(super) struct Trailer<'a> {
    pub(super) file: usize,
    pub(super) at: u64,
    pub(super) bytes: &'a [u8],
    pub(super) summary: &'a [u8; SUMMARY],
    /// Whether its batch's checksum holds.
    pub(super) is_sound: bool,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Class {
    Intact,
    /// Its own check holds, and no more.
    Unproven,
    Lost,
}

impl Page {
    pub(super) fn hole(&mut self, file: usize, at: u64, len: Option<u64>, cause: Cause) {
        self.items.push(Item::Hole { file, at, len, cause, breaks: true });
    }

    pub(super) fn is_broken(&self) -> bool {
        let breaks = |item: &Item| {
            matches!(item, Item::Hole { breaks: true, .. } | Item::Frame { is_spliced: true, .. })
        };
        self.items.iter().any(breaks)
    }

    fn frame(&self, from: usize, len: usize) -> (Frame<'_>, &[u8]) {
        let bytes = &self.bytes[from..from + len];
        (Frame::read(bytes).expect("it was read before").0, bytes)
    }

    /// The positions before each item and behind the last, as far as they can be told.
    fn positions(&self, end: Option<u64>) -> Vec<Option<u64>> {
        let events = |item: &Item| match item {
            Item::Hole { breaks: true, .. } | Item::Frame { is_spliced: true, .. } => None,
            Item::Frame { from, len, .. } => {
                Some(u64::from(matches!(self.frame(*from, *len).0, Frame::Event { .. })))
            }
            Item::Hole { .. } => Some(0),
        };
        let mut positions = vec![self.begins];
        for item in &self.items {
            let before = positions[positions.len() - 1];
            positions
                .push(before.zip(events(item)).and_then(|(before, more)| before.checked_add(more)));
        }
        let mut after = end;
        for (n, item) in self.items.iter().enumerate().rev() {
            positions[n + 1] = positions[n + 1].or(after);
            after = after.zip(events(item)).and_then(|(after, more)| after.checked_sub(more));
        }
        positions[0] = positions[0].or(after);
        positions
    }
}

impl Survey {
    /// Ends the page: gives on what of it is intact, and notes what is not. `end` is the position
    /// behind it, where something else than a trailer says so.
    pub(super) fn close(
        &mut self,
        trailer: Option<&Trailer<'_>>,
        end: Option<u64>,
        sink: Sink<'_>,
    ) {
        let page = std::mem::take(&mut self.page);
        let is_broken = page.is_broken();
        let read = trailer.and_then(|trailer| {
            let leaf = tree_leaf(trailer.summary);
            let is_own = Frame::check(trailer.bytes, &leaf).is_ok();
            let summary = Summary::decode(trailer.summary).ok();
            summary.filter(|s| is_own && s.store == self.store).map(|summary| (summary, leaf))
        });
        let end = read
            .as_ref()
            .and_then(|(summary, _)| summary.first_position.checked_add(summary.events.into()))
            .or(end);
        let positions = page.positions(end);

        let mut root = Frontier::of_page();
        let (mut events, mut all_sound) = (0, true);
        let mut own = Vec::with_capacity(page.items.len());
        for item in &page.items {
            let Item::Frame { from, len, is_sound, .. } = item else {
                own.push(false);
                continue;
            };
            let (frame, bytes) = page.frame(*from, *len);
            let leaf = frame.leaf().expect("a trailer ends a page");
            root.push(leaf);
            own.push(Frame::check(bytes, &leaf).is_ok());
            events += u32::from(matches!(frame, Frame::Event { .. }));
            all_sound &= is_sound;
        }
        let is_whole = !is_broken
            && read.as_ref().is_some_and(|(summary, _)| {
                summary.root == root.root()
                    && u64::from(summary.leaves) == root.count()
                    && summary.events == events
                    && page.begins.is_none_or(|begins| begins == summary.first_position)
            });
        let is_edited =
            !is_broken && !is_whole && all_sound && trailer.is_some_and(|trailer| trailer.is_sound);

        for (n, item) in page.items.iter().enumerate() {
            let (before, after) = (positions[n], positions[n + 1]);
            match *item {
                Item::Hole { file, at, len, cause, breaks } => {
                    let is_empty = before.is_some() && before == after;
                    if breaks && (!is_empty || cause == Cause::Unlinked) {
                        self.accounts.unsure();
                    }
                    self.miss(file, at, len, cause, before, after);
                }
                Item::Frame { file, at, from, len, is_sound, is_spliced } => {
                    let class = match own[n] {
                        true if is_whole || (is_sound && !is_edited) => Class::Intact,
                        true => Class::Unproven,
                        false => Class::Lost,
                    };
                    let (frame, _) = page.frame(from, len);
                    if self.take(&frame, class, sink) == Class::Intact {
                        continue;
                    }
                    if is_edited || is_spliced {
                        self.accounts.unsure();
                    }
                    let cause = if is_sound { Cause::Edited } else { Cause::Damaged };
                    self.miss(file, at, Some(len as u64), cause, before, after);
                }
            }
        }

        let last = positions[positions.len() - 1];
        // A page that ends before it begins is a copy of another: where the log stands is not known then.
        let is_ahead = |end: &u64| page.begins.is_none_or(|begins| begins <= *end);
        self.page.begins = end.or(last).filter(is_ahead);
        let Some(trailer) = trailer else {
            self.predecessor = self.predecessor.filter(|_| !is_broken);
            return;
        };
        let follows = match (&read, &self.predecessor) {
            (Some((summary, _)), Some(before)) => is_broken || summary.predecessor == *before,
            _ => true,
        };
        let (file, at, len) = (trailer.file, trailer.at, trailer.bytes.len() as u64);
        if read.is_none() {
            let cause = if trailer.is_sound { Cause::Edited } else { Cause::Damaged };
            self.miss(file, at, Some(len), cause, last, last);
        } else if !follows {
            self.accounts.unsure();
            self.miss(file, at, Some(0), Cause::Unlinked, last, last);
        }
        self.predecessor = read.map(|(_, leaf)| leaf);
    }

    /// Takes in a frame; says what it is worth after all.
    fn take(&mut self, frame: &Frame<'_>, class: Class, sink: Sink<'_>) -> Class {
        match frame {
            Frame::Trailer(_) => unreachable!("a trailer ends a page"),
            Frame::Name { ordinal, secret, name } => {
                let is_known = class != Class::Lost
                    && self.accounts.name(*ordinal, secret, name, class == Class::Intact);
                if is_known {
                    return class;
                }
                self.accounts.unsure();
                Class::Lost
            }
            Frame::Event { envelope, padded, .. } => {
                let Ok(envelope) = Envelope::decode(envelope) else {
                    self.accounts.unsure();
                    return Class::Lost;
                };
                let found = read(&self.accounts, &envelope, padded);
                if class == Class::Lost || matches!(found, Read::Bad) {
                    // The tag is made with the account's secret: where it fits, the number is right.
                    let is_confirmed =
                        matches!(found, Read::Good(_)) && envelope.scope != Scope::Account;
                    match is_confirmed {
                        true => self.accounts.cut(envelope.ordinal),
                        false => self.accounts.unsure(),
                    }
                    return Class::Lost;
                }
                match found {
                    Read::Good(mut found) => {
                        found.is_proven &= class == Class::Intact;
                        match found.is_proven {
                            true => self.surveyed.events += 1,
                            false => {
                                self.surveyed.unproven += 1;
                                self.accounts.cut(envelope.ordinal);
                            }
                        }
                        sink(found);
                    }
                    _ => {
                        self.surveyed.nameless += 1;
                        self.accounts.cut(envelope.ordinal);
                    }
                }
                class
            }
        }
    }

    /// Notes a piece that is missing; one that goes on where the last ended is one with it.
    fn miss(
        &mut self,
        file: usize,
        offset: u64,
        bytes: Option<u64>,
        cause: Cause,
        from: Option<u64>,
        to: Option<u64>,
    ) {
        let file = self.files[file].clone();
        // Of a piece of the log that stands in another's place nobody can say where it ends.
        let to = to.filter(|to| from.is_none_or(|from| from <= *to));
        if let Some(last) = self.surveyed.missing.last_mut()
            && last.file == file
            && last.cause == cause
            && last.bytes.is_some_and(|len| last.offset + len == offset)
            && last.to == from
        {
            last.bytes = last.bytes.zip(bytes).map(|(a, b)| a + b);
            last.to = to;
            return;
        }
        self.surveyed.missing.push(Missing { file, offset, bytes, cause, from, to });
    }
}

enum Read {
    Good(Found),
    /// The account's name is not known.
    Nameless,
    Bad,
}

fn read(accounts: &Accounts, envelope: &Envelope, padded: &[u8]) -> Read {
    let Ok(content) = canonical::decode_content(envelope.kind, content_of(padded)) else {
        return Read::Bad;
    };
    let Some(account) = accounts.get(envelope.ordinal) else { return Read::Nameless };
    let (scope, subject) = Scope::of(&content.payload);
    if scope != envelope.scope || scope.tag(&account.secret, subject) != envelope.tag {
        return Read::Bad;
    }
    let is_honoured = envelope.recorded_by == RecordedBy::Source;
    Read::Good(Found {
        event: Event {
            id: content.id,
            account: &*account.name,
            occurred_at: envelope.occurred_at,
            recorded_at: is_honoured.then_some(envelope.recorded_at),
            actor: envelope.actor,
            surface: envelope.surface,
            attributes: content.attributes,
            payload: content.payload,
        }
        .into_owned(),
        recorded_at: envelope.recorded_at,
        recorded_by: envelope.recorded_by,
        is_proven: account.is_proven,
    })
}
