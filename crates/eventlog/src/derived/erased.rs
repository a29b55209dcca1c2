//! What derived files keep of what was erased: of an account, what its history needs; of the log, the records.
//!
//! Of an account in a run, where it has any of it (all numbers varints): the count of tags of subjects of events whose contents
//! were erased, and the tags (16 bytes each); the count of these events, and of each its revision and which of the tags is its; the
//! count of events erased to their leaves, and of each revision and position. What an envelope leaves of an event is a step like others, without subject, word and bytes.
//!
//! Of the log in a run: of each record that stands before the run's end and behind that of the run before, its page, the
//! length of its body and the body, as the log has it.

use std::collections::HashMap;
use std::ops::Range;

use commitment::{Control, ControlKind, ErasureRecord, Left, Scope};
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

/// The records of a log, and which events each took.
#[derive(Debug, Clone, Default)]
pub(crate) struct Erasures {
    records: Vec<ErasureRecord>,
    /// Ranges of positions, rising, and the record that names them, by how much is left. An event is in one at most.
    by_position: [Vec<(Range<u64>, u64)>; 2],
}

impl Erasures {
    pub(crate) fn records(&self) -> &[ErasureRecord] {
        &self.records
    }

    /// Adds a record, the next of the log. One that is not sound is left out: the log's check finds it.
    pub(crate) fn push(&mut self, page: u64, body: &[u8]) {
        let Ok(Control::Erasure(erasure)) = Control::decode(ControlKind::Erasure, body) else {
            return;
        };
        let number = self.records.len() as u64;
        let ranges = &mut self.by_position[erasure.left as usize];
        ranges.extend(erasure.events.iter().map(|range| (range.clone(), number)));
        ranges.sort_by_key(|(range, _)| range.start);
        self.records.push(ErasureRecord::of(number, page, &erasure));
    }

    /// The record that took an event, and left so much of it.
    pub(crate) fn of(&self, position: u64, left: Left) -> Option<&ErasureRecord> {
        let ranges = &self.by_position[left as usize];
        let behind = ranges.partition_point(|(range, _)| range.end <= position);
        let (range, number) = ranges.get(behind)?;
        range.contains(&position).then(|| &self.records[*number as usize])
    }

    pub(super) fn clear(&mut self) {
        *self = Erasures::default();
    }

    /// Those from a number on, as a run keeps them.
    pub(super) fn encode(&self, from: usize) -> Vec<u8> {
        let mut out = Vec::new();
        for record in &self.records[from..] {
            let body = Control::Erasure(record.as_control()).encode();
            put_varint(&mut out, record.page);
            put_varint(&mut out, body.len() as u64);
            out.extend_from_slice(&body);
        }
        out
    }

    /// Adds those that a run keeps.
    pub(super) fn take(&mut self, bytes: &[u8]) -> Parsed<()> {
        let mut input = Input(bytes);
        while !input.0.is_empty() {
            let page = input.varint()?;
            let len = input.count()?;
            self.push(page, input.take(len)?);
        }
        Ok(())
    }
}
