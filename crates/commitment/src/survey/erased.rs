//! What a survey finds erased: under a record of the log that is proven, or under none.

use std::collections::BTreeMap;

use super::{Cause, Missing, Range};
use crate::erasure::{Erasure, Ranges};
use crate::frame::Left;

/// The erased frames that are intact, and the records that are proven. Memory: some 48 bytes a frame, and the records.
#[derive(Default)]
pub(super) struct Erased {
    /// By their positions, which rise; with those of which the position is not known.
    events: Vec<Frame>,
    /// By ordinal.
    names: BTreeMap<u32, Frame>,
    records: Vec<(Left, Ranges, Ranges)>,
}

/// An erased frame, and where it stands.
#[derive(Clone, Copy)]
pub(super) struct Frame {
    /// Of an event its own; of a name how many events are before it.
    pub(super) position: Option<u64>,
    /// Of an event that was erased to its leaf only a sound batch tells it: no leaf binds it.
    pub(super) ordinal: Option<u32>,
    pub(super) left: Left,
    /// File, offset, length.
    pub(super) place: (usize, u64, u64),
}

/// What it came to.
pub(super) struct Found {
    /// Events under a proven record.
    pub(super) events: u64,
    /// Accounts under one, by their ordinals.
    pub(super) accounts: Vec<u32>,
    /// Records.
    pub(super) erasures: u64,
    /// Under none, in the order of the log; and whether it is an event.
    pub(super) unrecorded: Vec<(Frame, bool)>,
}

impl Erased {
    pub(super) fn event(&mut self, frame: Frame) {
        self.events.push(frame);
    }

    pub(super) fn name(&mut self, ordinal: u32, frame: Frame) {
        self.names.insert(ordinal, frame);
    }

    pub(super) fn record(&mut self, erasure: &Erasure<'_>) {
        self.records.push((erasure.left, erasure.names.clone(), erasure.events.clone()));
    }

    pub(super) fn end(self) -> Found {
        let Erased { events, names, records } = self;
        let (known, floating): (Vec<_>, Vec<_>) =
            events.into_iter().partition(|frame| frame.position.is_some());
        // Of one whose position is not known no record can be asked.
        let mut found = Found {
            events: floating.len() as u64,
            accounts: Vec::new(),
            erasures: records.len() as u64,
            unrecorded: Vec::new(),
        };
        let mut is_recorded = vec![false; known.len()];
        for (left, _, events) in &records {
            for range in events.iter() {
                let from = known.partition_point(|frame| frame.position < Some(range.start));
                let there = known[from..].iter().take_while(|f| f.position < Some(range.end));
                for (n, frame) in (from..).zip(there) {
                    is_recorded[n] |= frame.left <= *left;
                }
            }
        }
        for (frame, is_recorded) in known.into_iter().zip(is_recorded) {
            match is_recorded {
                true => found.events += 1,
                false => found.unrecorded.push((frame, true)),
            }
        }
        for (ordinal, frame) in names {
            match records.iter().any(|(_, names, _)| names.contains(ordinal.into())) {
                true => found.accounts.push(ordinal),
                false => found.unrecorded.push((frame, false)),
            }
        }
        found.unrecorded.sort_by_key(|(frame, is_event)| (frame.position, *is_event));
        found
    }
}

impl Found {
    /// Puts those that no record accounts for among what is missing, whose ranges rise.
    pub(super) fn miss(&self, missing: &mut Vec<Missing>, files: &[String]) {
        let mut gaps: Vec<Missing> = Vec::new();
        for (frame, is_event) in &self.unrecorded {
            let Some(from) = frame.position else { continue };
            let to = from + u64::from(*is_event);
            let (file, offset, bytes) = frame.place;
            let (file, bytes, cause) = (files[file].clone(), Some(bytes), Cause::Edited);
            let place = super::Place { file, offset, bytes, cause };
            match gaps.last_mut() {
                Some(Missing { range, places }) if range.to == Some(from) => {
                    range.to = Some(to);
                    range.events = Some(to - range.from);
                    match places.last_mut().filter(|last| last.is_before(&place)) {
                        Some(last) => last.bytes = last.bytes.zip(bytes).map(|(a, b)| a + b),
                        None => places.push(place),
                    }
                }
                _ => {
                    let range = Range { from, to: Some(to), events: Some(to - from) };
                    gaps.push(Missing { range, places: vec![place] });
                }
            }
        }
        missing.extend(gaps);
        missing.sort_by_key(|missing| missing.range.from);
    }
}
