//! Keeps the tally of a survey: which positions came through, and between which ones something is missing.
//!
//! A survey stands at a position wherever something sound says so: a header, a page, a link to either, `HEAD`.
//! From one such place to the next every position is passed once, as an event that is told or in a gap, and
//! never backwards: so the list leaves none out and names none twice, whatever befell the files. What stands
//! twice, or behind what comes after it, is passed over.

use super::accounts::Accounts;
use super::{Missing, Place, Range};

#[derive(Default)]
pub(super) struct Tally {
    /// All positions before this one are told, or in what is missing.
    done: u64,
    /// The position of what comes next, where it is known.
    here: Option<u64>,
    /// What may be missing from `done` on.
    gap: Option<Gap>,
    missing: Vec<Missing>,
    /// Whether something stands twice, or in another's place.
    is_jumbled: bool,
}

#[derive(Default)]
struct Gap {
    places: Vec<Place>,
    /// Whether events came through of which it is not known at which positions in the gap.
    is_floating: bool,
    /// Events may be missing in it of so many accounts that were named before.
    accounts: u64,
}

impl Tally {
    /// Of a log, from its beginning.
    pub(super) fn new() -> Tally {
        Tally { here: Some(0), ..Tally::default() }
    }

    /// The position of what comes next, where it is known.
    pub(super) fn here(&self) -> Option<u64> {
        self.here
    }

    /// Up to where all is told or missing.
    pub(super) fn done(&self) -> u64 {
        self.done
    }

    /// Something sound says what the position is. `place` is where, in the files.
    pub(super) fn stand(
        &mut self,
        position: u64,
        place: impl FnOnce() -> Place,
        accounts: &mut Accounts,
    ) {
        let is_other = self.here.is_some_and(|here| here != position);
        let is_unseen = self.gap.as_ref().is_some_and(|gap| gap.places.is_empty());
        if is_other || (is_unseen && position > self.done) {
            self.miss(Some(place()), accounts);
        }
        self.here = Some(position);
        self.is_jumbled |= position < self.done;
        if position >= self.done {
            self.close(Some(position), accounts);
        }
    }

    /// Something is missing here, or may be: in this place, where there is anything to see of it.
    pub(super) fn miss(&mut self, place: Option<Place>, accounts: &Accounts) {
        self.here = None;
        let gap = self.gap.get_or_insert_default();
        gap.accounts = accounts.count();
        let Some(place) = place else { return };
        match gap.places.last_mut() {
            Some(last) if last.is_before(&place) => {
                last.bytes = last.bytes.zip(place.bytes).map(|(a, b)| a + b);
            }
            _ => gap.places.push(place),
        }
    }

    /// Two sound things do not follow each other here, and no event is missing between them.
    pub(super) fn doubt(&mut self, place: Place, accounts: &mut Accounts) {
        let here = self.here;
        self.miss(Some(place), accounts);
        accounts.unsure(accounts.count());
        self.here = here;
        if here == Some(self.done) {
            self.close(here, accounts);
        }
    }

    /// Whether the event that comes next stands behind what was told: it stands twice, or out of its place.
    pub(super) fn is_behind(&self) -> bool {
        self.here.is_some_and(|here| here < self.done)
    }

    /// Passes the event that comes next over.
    pub(super) fn pass(&mut self) {
        self.here = self.here.map(|here| here + 1);
    }

    /// The event that comes next is told.
    pub(super) fn tell(&mut self, accounts: &mut Accounts) {
        match self.here {
            Some(here) => {
                self.close(Some(here), accounts);
                self.done = here + 1;
                self.here = Some(self.done);
            }
            None => self.gap.get_or_insert_default().is_floating = true,
        }
    }

    /// Ends the gap, if there is one, at this position.
    fn close(&mut self, to: Option<u64>, accounts: &mut Accounts) {
        let from = self.done;
        self.done = to.unwrap_or(from);
        let Some(Gap { places, is_floating, accounts: named }) = self.gap.take() else { return };
        if to != Some(from) {
            accounts.unsure(named);
        }
        if !places.is_empty() {
            let events = to.map(|to| to - from).filter(|events| *events == 0 || !is_floating);
            let range = Range { from, to, events };
            self.missing.push(Missing { range, places });
        }
    }

    /// Ends it; what is missing, in the order of the log.
    pub(super) fn end(mut self, accounts: &mut Accounts) -> Vec<Missing> {
        self.close(None, accounts);
        if self.is_jumbled {
            let is_all = self.missing.iter().all(|missing| missing.range.events == Some(0));
            accounts.doubt(if is_all { 0 } else { accounts.count() });
        }
        self.missing
    }
}
