//! What derived files keep of what was erased: of an account, what its history needs; of the log, the records.
//!
//! Of an account in a run, where it has any of it (all numbers varints): the count of tags of subjects of events whose contents
//! were erased, and the tags (16 bytes each); the count of these events, and of each its revision and which of the tags is its; the
//! count of events erased to their leaves, and of each revision and position. What an envelope leaves of an event is a step like others, without subject, word and bytes.
//!
//! Of the log in a run: of each record that stands before the run's end and behind that of the run before, its page, how many
//! accounts' names it names, the length of its body and the body, as the log has it.

use std::collections::HashMap;
use std::ops::Range;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};

use commitment::{Control, ControlKind, Erasure, ErasureRecord, Left, Scope};
use event::{ErasedLeaf, History, NameId, Step};

use super::bytes::{Input, Parsed, put_varint};

/// The tag of a subject in an envelope.
pub(crate) type SubjectTag = [u8; 16];

/// What was erased of an account's events, each list in the order of revisions.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct GoneEvents {
    /// Those whose contents were: their revisions and the tags of their subjects.
    pub(crate) contents: Vec<(u64, SubjectTag)>,
    /// Those of which nothing but the leaf is there.
    pub(crate) leaves: Vec<GoneLeaf>,
}

/// An event that was erased to its leaf.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct GoneLeaf {
    pub(crate) revision: u64,
    pub(crate) position: u64,
}

impl GoneEvents {
    pub(crate) const fn is_empty(&self) -> bool {
        self.contents.is_empty() && self.leaves.is_empty()
    }

    pub(super) fn clear(&mut self) {
        self.contents.clear();
        self.leaves.clear();
    }

    pub(super) fn extend(&mut self, other: &GoneEvents) {
        self.contents.extend_from_slice(&other.contents);
        self.leaves.extend_from_slice(&other.leaves);
    }

    pub(super) fn encode(&self, out: &mut Vec<u8>) {
        let mut tags: Vec<&SubjectTag> = self.contents.iter().map(|(_, tag)| tag).collect();
        tags.sort_unstable();
        tags.dedup();
        put_varint(out, tags.len() as u64);
        tags.iter().for_each(|tag| out.extend_from_slice(&tag[..]));
        put_varint(out, self.contents.len() as u64);
        for (revision, tag) in &self.contents {
            put_varint(out, *revision);
            put_varint(out, tags.binary_search(&tag).expect("it is one of them") as u64);
        }
        put_varint(out, self.leaves.len() as u64);
        for GoneLeaf { revision, position } in &self.leaves {
            put_varint(out, *revision);
            put_varint(out, *position);
        }
    }

    pub(super) fn parse(input: &mut Input<'_>) -> Parsed<GoneEvents> {
        let mut gone = GoneEvents::default();
        let mut tags: Vec<SubjectTag> = Vec::new();
        for _ in 0..input.count()? {
            tags.push(input.array()?);
        }
        for _ in 0..input.count()? {
            let (revision, tag) = (input.varint()?, input.varint()?);
            let tag = usize::try_from(tag).ok().and_then(|tag| tags.get(tag));
            gone.contents.push((revision, *tag.ok_or("a tag's number is none of them")?));
        }
        for _ in 0..input.count()? {
            gone.leaves.push(GoneLeaf { revision: input.varint()?, position: input.varint()? });
        }
        Ok(gone)
    }

    /// Says in a history, which has all else, what was erased of it.
    pub(super) fn tell(&self, secret: &[u8; 32], erasures: &Erasures, history: &mut History) {
        history.erased.contents.extend(self.contents.iter().map(|(revision, _)| *revision));
        history.erased.leaves.extend(self.leaves.iter().map(|leaf| ErasedLeaf {
            position: leaf.position,
            revision: leaf.revision,
            before: erasures.of(leaf.position, Left::Leaf).and_then(|record| record.before),
        }));
        if self.contents.iter().any(|(_, tag)| *tag != SubjectTag::default()) {
            self.tell_subjects(secret, history);
        }
    }

    /// Gives the steps of events whose contents were erased their subjects: by a name that another event tells, else by
    /// none.
    fn tell_subjects(&self, secret: &[u8; 32], history: &mut History) {
        let mut named: HashMap<SubjectTag, NameId> = HashMap::new();
        for (number, name) in (0..).zip(history.names.iter()) {
            for scope in [Scope::Item, Scope::Backup] {
                named.insert(scope.tag(secret, name), NameId(number));
            }
        }
        let places: HashMap<u64, usize> =
            history.steps.iter().enumerate().map(|(at, step)| (step.revision, at)).collect();
        for (revision, tag) in &self.contents {
            let Some(step) = places.get(revision).map(|at| &mut history.steps[*at]) else {
                continue;
            };
            if !step.kind.is_about_one() {
                continue;
            }
            let names = &mut history.names;
            step.subject = Some(*named.entry(*tag).or_insert_with(|| names.push("")));
        }
    }
}

/// The same of a step that has more.
pub(super) fn blanked(step: &Step) -> Step {
    Step {
        bytes: None,
        subject: None,
        word: None,
        purge_cause: None,
        clear_cause: None,
        delete_backups: false,
        ..*step
    }
}

/// The records of a log, and which events each took. What they name is read when it is first asked for: of a log that
/// much was erased of it is millions of ranges.
#[derive(Debug, Default)]
pub(crate) struct Erasures {
    kept: Vec<Kept>,
    records: OnceLock<Vec<ErasureRecord>>,
    /// By how much is left.
    by_position: OnceLock<[ByPosition; 2]>,
    /// How often a record was asked for by a position.
    asked: AtomicU32,
}

/// So often every record is asked: to put all that they name in one order pays for those alone who ask about much.
const FEW: u32 = 1000;

/// A record as the log has it.
#[derive(Debug)]
struct Kept {
    page: u64,
    /// How many accounts' names it names.
    names: u64,
    body: Vec<u8>,
}

impl Erasures {
    /// How many records there are.
    pub(crate) const fn count(&self) -> usize {
        self.kept.len()
    }

    /// How many accounts' names they name.
    pub(crate) fn names(&self) -> u64 {
        self.kept.iter().map(|kept| kept.names).sum()
    }

    pub(crate) fn records(&self) -> &[ErasureRecord] {
        self.records.get_or_init(|| {
            let sound = self.kept.iter().filter_map(|kept| Some((kept.page, decode(&kept.body)?)));
            let of = |(n, (page, erasure))| ErasureRecord::of(n, page, &erasure);
            (0..).zip(sound).map(of).collect()
        })
    }

    /// Adds a record, the next of the log. One that is not sound is left out: the log's check finds it.
    pub(crate) fn push(&mut self, page: u64, body: &[u8]) {
        if let Some(erasure) = decode(body) {
            self.keep(page, erasure.names.count(), body);
        }
    }

    fn keep(&mut self, page: u64, names: u64, body: &[u8]) {
        self.kept.push(Kept { page, names, body: body.to_owned() });
        self.records.take();
        self.by_position.take();
    }

    /// The record that took an event, and left so much of it.
    pub(crate) fn of(&self, position: u64, left: Left) -> Option<&ErasureRecord> {
        let records = self.records();
        if self.asked.fetch_add(1, Ordering::Relaxed) < FEW {
            let is_it = |r: &&ErasureRecord| r.left == left && r.events.contains(position);
            return records.iter().find(is_it);
        }
        let by_position = self
            .by_position
            .get_or_init(|| [Left::Envelope, Left::Leaf].map(|left| ByPosition::of(records, left)));
        by_position[left as usize].of_position(position).map(|number| &records[number])
    }

    pub(super) fn clear(&mut self) {
        *self = Erasures::default();
    }

    /// Those from a number on, as a run keeps them.
    pub(super) fn encode(&self, from: usize) -> Vec<u8> {
        let mut out = Vec::new();
        for Kept { page, names, body } in &self.kept[from..] {
            put_varint(&mut out, *page);
            put_varint(&mut out, *names);
            put_varint(&mut out, body.len() as u64);
            out.extend_from_slice(body);
        }
        out
    }

    /// Adds those that a run keeps.
    pub(super) fn take(&mut self, bytes: &[u8]) -> Parsed<()> {
        let mut input = Input(bytes);
        while !input.0.is_empty() {
            let (page, names) = (input.varint()?, input.varint()?);
            let len = input.count()?;
            self.keep(page, names, input.take(len)?);
        }
        Ok(())
    }
}

fn decode(body: &[u8]) -> Option<Erasure<'_>> {
    match Control::decode(ControlKind::Erasure, body) {
        Ok(Control::Erasure(erasure)) => Some(erasure),
        _ => None,
    }
}

/// Which record names an event. An event is in one of each kind at most.
#[derive(Debug)]
struct ByPosition {
    /// Ranges of positions, rising, and the record's number.
    ranges: Vec<(Range<u64>, u32)>,
    /// Of each so many positions the first range that is not before them, and one behind the last.
    steps: Vec<u32>,
    step: u64,
}

/// Positions of a step at least: so few that their ranges are side by side in memory.
const STEP: u64 = 64;

impl ByPosition {
    fn of(records: &[ErasureRecord], left: Left) -> ByPosition {
        let records = (0..).zip(records).filter(|(_, record)| record.left == left);
        let mut ranges: Vec<(Range<u64>, u32)> = records
            .flat_map(|(n, record)| record.events.iter().map(move |r| (r.clone(), n)))
            .collect();
        ranges.sort_by_key(|(range, _)| range.start);
        let end = ranges.last().map_or(0, |(range, _)| range.end);
        // There are no more steps than ranges, whatever positions a log claims.
        let step = end.checked_div(ranges.len() as u64).unwrap_or(0).max(STEP);
        let mut at = 0;
        let steps = (0..=end.div_ceil(step)).map(|n| {
            at += ranges[at..].iter().take_while(|(range, _)| range.end <= n * step).count();
            at as u32
        });
        let steps = steps.collect();
        ByPosition { ranges, steps, step }
    }

    fn of_position(&self, position: u64) -> Option<usize> {
        let step = usize::try_from(position / self.step).ok()?;
        let &[from, to] = self.steps.get(step..step + 2)? else { return None };
        let ranges = &self.ranges[from as usize..(to as usize + 1).min(self.ranges.len())];
        let behind = ranges.partition_point(|(range, _)| range.end <= position);
        let (range, number) = ranges.get(behind)?;
        range.contains(&position).then_some(*number as usize)
    }
}

#[cfg(test)]
mod tests {
    use commitment::Ranges;

    use super::*;

    /// Records of ranges with and without gaps, far and near, each position asked for.
    #[test]
    fn a_record_is_found_by_what_it_names() {
        let record = |number: u64, left: Left, ranges: &[(u64, u64)]| {
            let mut events = Ranges::default();
            ranges.iter().for_each(|(from, to)| events.push(*from..*to));
            let erasure = Erasure {
                at_ms: 0,
                ground: "g",
                by: "b",
                left,
                before_ms: None,
                names: Ranges::default(),
                events,
                root: [0; 32],
            };
            ErasureRecord::of(number, number, &erasure)
        };
        let far = 1 << 61;
        let cases: [&[&[(u64, u64)]]; 5] = [
            &[],
            &[&[(0, 1)]],
            &[&[(3, 7), (63, 64)], &[(64, 66), (700, 2000)], &[(7, 9)]],
            &[&[(0, 64), (128, 129)], &[(64, 128)]],
            &[&[(5, 6)], &[(far, far + 10)], &[(far + 10, far + 12)]],
        ];
        for ranges in cases {
            let records: Vec<ErasureRecord> =
                (0..).zip(ranges).map(|(n, ranges)| record(n, Left::Leaf, ranges)).collect();
            let by_position = ByPosition::of(&records, Left::Leaf);
            assert!(
                by_position.steps.len() as u64 <= 3 + by_position.ranges.len() as u64 + 2000 / STEP
            );
            let far = far - 2..far + 15;
            for position in (0..2100).chain(far).chain([u64::MAX]) {
                let expected = records.iter().position(|record| record.events.contains(position));
                assert_eq!(by_position.of_position(position), expected, "{position} of {ranges:?}");
            }
            assert_eq!(ByPosition::of(&records, Left::Envelope).of_position(5), None);
        }
    }
}
