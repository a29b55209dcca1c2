//! The page that a survey reads: what of it is intact is known at its end.

use super::accounts::Accounts;
use super::{Cause, Found, Sink, Survey, erased};
use crate::control::Control;
use crate::envelope::{ENVELOPE, Envelope, Scope};
use crate::frame::{Frame, Left, content_of};
use crate::hash::Digest;
use crate::page::{SUMMARY, Summary};
use crate::tree::{page_root, tree_leaf};
use event::canonical;

/// What lies between two page trailers that were found. Where something is gone between them, that
/// may have been several pages.
#[derive(Default)]
pub(super) struct Page {
    pub(super) bytes: Vec<u8>,
    pub(super) items: Vec<Item>,
    /// The item behind the last trailer that could not be read: another page begins with it.
    pub(super) border: usize,
}

pub(super) struct Item {
    pub(super) file: usize,
    pub(super) at: u64,
    pub(super) what: What,
}

pub(super) enum What {
    Frame {
        /// Where in the page's bytes.
        from: usize,
        len: usize,
        /// Whether its batch's checksum holds.
        is_sound: bool,
    },
    /// Frames may be gone here, with so many bytes. Without a cause nothing is to be seen of it: whether what
    /// comes next follows what was before is just not known.
    Break { len: Option<u64>, cause: Option<Cause> },
    /// The position here is known.
    Position(u64),
}

/// A page trailer whose own check holds.
pub(super) struct Trailer {
    pub(super) at: u64,
    pub(super) summary: Summary,
    /// The summary's leaf hash.
    pub(super) leaf: Digest,
    /// Whether its batch's checksum holds.
    pub(super) is_sound: bool,
}

/// The format has no number of 8 bytes from here on.
const MAX_POSITION: u64 = 1 << 62;

#[derive(Clone, Copy, PartialEq, Eq)]
enum Class {
    Intact,
    /// Its own check holds, and no more.
    Unproven,
    /// Intact, and out of its place.
    Moved,
    /// Never of the page.
    Junk,
    Lost,
}

/// What a page's root says of an item.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Root {
    /// It holds, and the page begins at this position. What else lies between its frames was never in it.
    Holds(u64),
    /// It does not hold, though every batch is sound.
    Denies,
    /// Nothing: what is sound is taken for itself.
    Silent,
}

/// What is known of a page once it ends.
struct Verdict {
    /// Of which frames the own check holds.
    own: Vec<bool>,
    /// The first item of which the root speaks.
    begins: usize,
    root: Root,
}

impl Verdict {
    fn root(&self, n: usize) -> Root {
        if n < self.begins { Root::Silent } else { self.root }
    }
}

impl Page {
    pub(super) fn is_broken(&self) -> bool {
        self.items.iter().any(|item| matches!(item.what, What::Break { .. }))
    }

    fn frame(&self, from: usize, len: usize) -> (Frame<'_>, &[u8]) {
        let bytes = &self.bytes[from..from + len];
        (Frame::read(bytes).expect("it was read before").0, bytes)
    }

    /// How many events an item has, where one can count on from it to the next.
    fn events(&self, n: usize, verdict: &Verdict) -> Option<u64> {
        match (&self.items[n].what, verdict.root(n)) {
            (What::Frame { is_sound: false, .. } | What::Break { .. }, Root::Silent)
            | (What::Frame { .. }, Root::Denies) => None,
            (What::Frame { from, len, .. }, root) => {
                let is_event = self.frame(*from, *len).0.is_event();
                Some(u64::from(is_event && (verdict.own[n] || root == Root::Silent)))
            }
            (What::Break { .. } | What::Position(_), _) => Some(0),
        }
    }

    /// Which items are out of their place, though their batches are sound: those between two breaks where one
    /// was recorded before what comes before it, or after what comes behind. Times that the log sets do not go
    /// backwards; `clock_ms` is the last before the page, `end` its end's, where that is known.
    fn moved(&self, positions: &[Option<u64>], mut clock_ms: i64, end: Option<i64>) -> Vec<bool> {
        let set_ms = |n: usize| match self.items[n].what {
            What::Frame { from, len, is_sound: true } => match self.frame(from, len).0 {
                Frame::Event { envelope, .. } | Frame::ContentErased { envelope, .. } => {
                    set_by_log(envelope)
                }
                Frame::Control { kind, body, .. } => match Control::decode(kind, body) {
                    Ok(Control::Seal(seal)) => Some(seal.at_ms),
                    Ok(Control::Erasure(erasure)) => Some(erasure.at_ms),
                    _ => None,
                },
                _ => None,
            },
            _ => None,
        };
        let is_floating = |n: usize| {
            let is_sound = matches!(self.items[n].what, What::Frame { is_sound: true, .. });
            is_sound && positions[n].is_none()
        };
        let count = self.items.len();
        let mut moved = vec![false; count];
        let mut n = 0;
        while n < count {
            let to = (n..count).find(|m| !is_floating(*m)).unwrap_or(count);
            if n == to {
                clock_ms =
                    clock_ms.max(set_ms(n).filter(|_| positions[n].is_some()).unwrap_or(clock_ms));
                n += 1;
                continue;
            }
            let next = (to..count).filter(|m| positions[*m].is_some()).find_map(set_ms).or(end);
            let is_between = |ms: i64| clock_ms <= ms && next.is_none_or(|next| ms <= next);
            let is_moved = !(n..to).filter_map(set_ms).all(is_between);
            moved[n..to].fill(is_moved);
            if !is_moved {
                clock_ms = (n..to).filter_map(set_ms).fold(clock_ms, i64::max);
            }
            n = to;
        }
        moved
    }

    /// The positions before each item and behind the last, as far as they can be told. `begins` is that
    /// before the page, `end` that behind it, where something says so.
    fn positions(
        &self,
        begins: Option<u64>,
        end: Option<u64>,
        verdict: &Verdict,
    ) -> Vec<Option<u64>> {
        let known = |n: usize| match (self.items.get(n).map(|item| &item.what), verdict.root) {
            (Some(What::Position(position)), _) => Some(*position),
            (_, Root::Holds(first)) if n == verdict.begins => Some(first),
            _ => None,
        };
        let mut positions = vec![known(0).or(begins)];
        for n in 0..self.items.len() {
            let on = positions[n].zip(self.events(n, verdict));
            positions.push(known(n + 1).or(on.and_then(|(before, more)| before.checked_add(more))));
        }
        let mut after = end;
        for n in (0..=self.items.len()).rev() {
            positions[n] = positions[n].or(after);
            let Some(before) = n.checked_sub(1) else { break };
            let back = positions[n].zip(self.events(before, verdict));
            after = back.and_then(|(after, more)| after.checked_sub(more));
        }
        positions
    }

    /// Of which frames the own check holds, and what the root that the trailer gives says of them.
    fn judge(&self, trailer: Option<&Trailer>) -> Verdict {
        let mut leaves = Vec::with_capacity(self.items.len());
        let mut all_sound = true;
        for item in &self.items {
            let What::Frame { from, len, is_sound } = item.what else {
                leaves.push(None);
                continue;
            };
            let (frame, bytes) = self.frame(from, len);
            let leaf = frame.leaf().expect("a trailer ends a page");
            let is_event = frame.is_event();
            leaves.push(Frame::check(bytes, &leaf).is_ok().then_some((leaf, is_event)));
            all_sound &= is_sound;
        }
        let holds = |begins: usize| {
            let mut hashes = Vec::with_capacity(leaves.len());
            let mut events = 0;
            for (leaf, is_event) in leaves[begins..].iter().flatten() {
                hashes.push(*leaf);
                events += u32::from(*is_event);
            }
            let summary = &trailer?.summary;
            let is_it = summary.root == page_root(&hashes)
                && u64::from(summary.leaves) == hashes.len() as u64
                && summary.events == events;
            is_it.then_some((begins, Root::Holds(summary.first_position)))
        };
        let (begins, root) = holds(self.border).or_else(|| holds(0)).unwrap_or_else(|| {
            let is_denied = all_sound && !self.is_broken() && trailer.is_some_and(|t| t.is_sound);
            (0, if is_denied { Root::Denies } else { Root::Silent })
        });
        Verdict { own: leaves.iter().map(Option::is_some).collect(), begins, root }
    }
}

/// The position behind a page.
fn behind(summary: &Summary) -> u64 {
    summary.first_position.saturating_add(summary.events.into())
}

impl Survey {
    /// What a page trailer says, if its own check holds and it is of this place.
    pub(super) fn trailer(
        &self,
        at: u64,
        frame: &[u8],
        summary: &[u8; SUMMARY],
        is_sound: bool,
    ) -> Option<Trailer> {
        let leaf = tree_leaf(summary);
        Frame::check(frame, &leaf).ok()?;
        let summary = Summary::decode(summary).ok()?;
        let end = self.until.as_ref().map_or(MAX_POSITION, |until| until.first_position);
        let is_here = behind(&summary) <= end;
        (summary.store == self.store && is_here).then_some(Trailer { at, summary, leaf, is_sound })
    }

    /// Ends the page: gives on what of it is intact, and notes what is not. `end` is the position
    /// behind it and the log's clock there, where something else than a trailer says so.
    pub(super) fn close(
        &mut self,
        trailer: Option<Trailer>,
        end: Option<(u64, i64)>,
        sink: Sink<'_>,
    ) {
        let page = std::mem::take(&mut self.page);
        let is_broken = page.is_broken() || self.tally.here().is_none();
        let verdict = page.judge(trailer.as_ref());
        let says = trailer.as_ref().map(|trailer| &trailer.summary);
        let says = says.map(|summary| (behind(summary), summary.clock_ms));
        let (end, clock_ms) = says.or(end).unzip();
        let positions = page.positions(self.tally.here(), end, &verdict);
        let clock_ms = clock_ms.or(self.until.as_ref().map(|until| until.clock_ms));
        let moved = page.moved(&positions, self.clock_ms, clock_ms);

        for (n, item) in page.items.iter().enumerate() {
            if let Some(position) = positions[n] {
                self.stand(position, item.file, item.at);
            }
            let root = verdict.root(n);
            match item.what {
                What::Position(_) => {}
                What::Break { len, cause } => {
                    let place = cause.map(|cause| self.place(item.file, item.at, len, cause));
                    if place.is_some() || root == Root::Silent {
                        self.tally.miss(place, &self.accounts);
                    }
                }
                What::Frame { from, len, is_sound } => {
                    let class = match (verdict.own[n], root) {
                        (_, Root::Silent) if moved[n] => Class::Moved,
                        (true, Root::Silent) if is_sound => Class::Intact,
                        (true, Root::Holds(_)) => Class::Intact,
                        (true, _) => Class::Unproven,
                        (false, Root::Holds(_)) => Class::Junk,
                        (false, _) => Class::Lost,
                    };
                    let place = (item.file, item.at, len as u64);
                    let cause = match self.take(&page.frame(from, len).0, class, place, sink) {
                        Class::Intact => continue,
                        Class::Moved => Cause::Unlinked,
                        _ if is_sound => Cause::Edited,
                        _ => Cause::Damaged,
                    };
                    let place = self.place(item.file, item.at, Some(len as u64), cause);
                    self.tally.miss(Some(place), &self.accounts);
                }
            }
        }
        let file = self.files.len().saturating_sub(1);
        let at = trailer.as_ref().map_or(self.offset, |trailer| trailer.at);
        for position in positions.last().copied().flatten().into_iter().chain(end) {
            self.stand(position, file, at);
        }
        let Some(Trailer { summary, leaf, .. }) = trailer else {
            self.predecessor = self.predecessor.filter(|_| !is_broken);
            return;
        };
        if self.predecessor.is_some_and(|before| before != summary.predecessor) && !is_broken {
            let place = self.place(file, at, Some(0), Cause::Unlinked);
            self.tally.doubt(place, &mut self.accounts);
        }
        self.predecessor = Some(leaf);
    }

    /// Takes in the next event, of which something was erased.
    fn erase(&mut self, ordinal: u32, left: Left, place: (usize, u64, u64)) {
        let position = self.tally.here();
        self.erased.event(erased::Frame { position, ordinal, left, place });
        self.accounts.at_least(u64::from(ordinal) + 1);
        self.tally.tell(&mut self.accounts);
    }

    /// Takes in a frame; says what it is worth after all.
    fn take(
        &mut self,
        frame: &Frame<'_>,
        class: Class,
        place: (usize, u64, u64),
        sink: Sink<'_>,
    ) -> Class {
        if matches!(class, Class::Moved | Class::Junk) {
            return class;
        }
        match frame {
            Frame::Trailer(_) => unreachable!("a trailer ends a page"),
            Frame::Control { kind, body, .. } => match Control::decode(*kind, body) {
                Ok(control) => {
                    if let (Class::Intact, Control::Erasure(erasure)) = (class, &control) {
                        self.erased.record(erasure);
                    }
                    if class == Class::Intact {
                        self.surveyed.control(&control);
                    }
                    class
                }
                Err(_) => Class::Lost,
            },
            Frame::NameErased { .. } | Frame::EventErased { .. } | Frame::ContentErased { .. }
                if class != Class::Intact =>
            {
                // Nothing but a record can speak for one, and that only for what is proven.
                if !frame.is_event() {
                    self.accounts.unsure(self.accounts.count());
                }
                Class::Lost
            }
            Frame::NameErased { ordinal, .. } => {
                let (position, ordinal, left) = (self.tally.here(), *ordinal, Left::Leaf);
                self.erased.name(erased::Frame { position, ordinal, left, place });
                self.accounts.at_least(u64::from(ordinal) + 1);
                class
            }
            Frame::EventErased { .. } | Frame::ContentErased { .. } if self.tally.is_behind() => {
                self.tally.pass();
                class
            }
            Frame::EventErased { ordinal, .. } => {
                self.erase(*ordinal, Left::Leaf, place);
                class
            }
            Frame::ContentErased { envelope, .. } => {
                let set_ms = set_by_log(envelope);
                let Ok(envelope) = Envelope::decode(envelope) else { return Class::Lost };
                self.erase(envelope.ordinal, Left::Envelope, place);
                self.clock_ms = self.clock_ms.max(set_ms.unwrap_or(i64::MIN));
                class
            }
            Frame::Name { ordinal, secret, name } => {
                let is_known = class != Class::Lost
                    && self.accounts.name(*ordinal, secret, name, class == Class::Intact);
                if is_known {
                    return class;
                }
                self.accounts.unsure(self.accounts.count());
                Class::Lost
            }
            Frame::Event { envelope, padded, .. } => {
                let set_ms = set_by_log(envelope).filter(|_| class == Class::Intact);
                if class == Class::Intact && self.tally.is_behind() {
                    self.tally.pass();
                    return class;
                }
                let Ok(envelope) = Envelope::decode(envelope) else { return Class::Lost };
                let found = read(&self.accounts, &envelope, padded);
                // The tag is made with the account's secret: where it fits, the event is theirs.
                let is_theirs = matches!(&found, Read::Good(found) if found.is_proven)
                    && envelope.scope != Scope::Account;
                if is_theirs && class != Class::Intact {
                    self.accounts.cut(envelope.ordinal);
                }
                match found {
                    Read::Bad => return Class::Lost,
                    _ if class == Class::Lost => return class,
                    Read::Good(found) if found.is_proven && class == Class::Intact => {
                        self.surveyed.events += 1;
                        sink(found);
                    }
                    Read::Good(found) => {
                        self.surveyed.unproven += 1;
                        self.accounts.at_least(u64::from(envelope.ordinal) + 1);
                        sink(Found { is_proven: false, ..found });
                    }
                    Read::Nameless => {
                        self.surveyed.nameless += u64::from(class == Class::Intact);
                        self.accounts.at_least(u64::from(envelope.ordinal) + 1);
                    }
                }
                if class == Class::Intact {
                    self.tally.tell(&mut self.accounts);
                    self.clock_ms = self.clock_ms.max(set_ms.unwrap_or(i64::MIN));
                }
                class
            }
        }
    }
}

/// The time at which an event was recorded, if the log set it.
fn set_by_log(envelope: &[u8; ENVELOPE]) -> Option<i64> {
    Envelope::decode(envelope).ok()?.clock_ms()
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
    Read::Good(Found {
        event: envelope.event(&account.name, content).into_owned(),
        recorded_at: envelope.recorded_at,
        recorded_by: envelope.recorded_by,
        is_proven: account.is_proven,
    })
}
