//! The page that a survey reads: what can be said of it and its items by itself.

use super::Cause;
use crate::control::Control;
use crate::envelope::{ENVELOPE, Envelope};
use crate::frame::Frame;
use crate::hash::Digest;
use crate::page::Summary;
use crate::tree::page_root;

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

/// What a page's root says of an item.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Root {
    /// It holds, and the page begins at this position. What else lies between its frames was never in it.
    Holds(u64),
    /// It does not hold, though every batch is sound.
    Denies,
    /// Nothing: what is sound is taken for itself.
    Silent,
}

/// What is known of a page once it ends.
pub(super) struct Verdict {
    /// Of which frames the own check holds.
    pub(super) own: Vec<bool>,
    /// The first item of which the root speaks.
    begins: usize,
    root: Root,
}

impl Verdict {
    pub(super) fn root(&self, n: usize) -> Root {
        if n < self.begins { Root::Silent } else { self.root }
    }
}

impl Page {
    pub(super) fn is_broken(&self) -> bool {
        self.items.iter().any(|item| matches!(item.what, What::Break { .. }))
    }

    pub(super) fn frame(&self, from: usize, len: usize) -> (Frame<'_>, &[u8]) {
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
    pub(super) fn moved(
        &self,
        positions: &[Option<u64>],
        mut clock_ms: i64,
        end: Option<i64>,
    ) -> Vec<bool> {
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
    pub(super) fn positions(
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
    pub(super) fn judge(&self, trailer: Option<&Trailer>) -> Verdict {
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

/// The time at which an event was recorded, if the log set it.
pub(super) fn set_by_log(envelope: &[u8; ENVELOPE]) -> Option<i64> {
    Envelope::decode(envelope).ok()?.clock_ms()
}
