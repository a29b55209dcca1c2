//! Ends a page of a survey: gives on what of it is intact, and notes what is not.

use super::accounts::Accounts;
use super::page::{Root, Trailer, What, set_by_log};
use super::{Cause, Found, Sink, Survey, erased};
use crate::control::Control;
use crate::envelope::{Envelope, Scope};
use crate::frame::{Frame, Left, content_of};
use crate::page::{SUMMARY, Summary};
use crate::tree::tree_leaf;
use event::canonical;

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
                    let cause =
                        match self.take(&page.frame(from, len).0, (class, is_sound), place, sink) {
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
    fn erase(&mut self, ordinal: Option<u32>, left: Left, place: (usize, u64, u64)) {
        let position = self.tally.here();
        self.erased.event(erased::Frame { position, ordinal, left, place });
        self.accounts.at_least(ordinal.map_or(0, |ordinal| u64::from(ordinal) + 1));
        self.tally.tell(&mut self.accounts);
    }

    /// Takes in a frame of a batch that `is_sound` or not; says what it is worth after all.
    fn take(
        &mut self,
        frame: &Frame<'_>,
        (class, is_sound): (Class, bool),
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
                if class != Class::Intact || !(is_sound || frame.is_event()) =>
            {
                // Nothing but a record can speak for one, and that only for what is proven: of which account a name was, no
                // leaf says.
                if !frame.is_event() {
                    self.accounts.unsure(self.accounts.count());
                }
                Class::Lost
            }
            Frame::NameErased { ordinal, .. } => {
                let (position, left) = (self.tally.here(), Left::Leaf);
                let frame = erased::Frame { position, ordinal: Some(*ordinal), left, place };
                self.erased.name(*ordinal, frame);
                self.accounts.at_least(u64::from(*ordinal) + 1);
                class
            }
            Frame::EventErased { .. } | Frame::ContentErased { .. } if self.tally.is_behind() => {
                self.tally.pass();
                class
            }
            Frame::EventErased { ordinal, .. } => {
                self.erase(is_sound.then_some(*ordinal), Left::Leaf, place);
                class
            }
            Frame::ContentErased { envelope, .. } => {
                let set_ms = set_by_log(envelope);
                let Ok(envelope) = Envelope::decode(envelope) else { return Class::Lost };
                self.erase(Some(envelope.ordinal), Left::Envelope, place);
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
