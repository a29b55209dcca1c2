//! The table in memory: the events that no run covers yet.
//!
//! Taking one in must cost little, so an event goes to the end of a list, with a link to the one
//! before it of the same account; an account's part is put together when it is asked for.

use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};
use std::sync::OnceLock;

use event::{Names, Step};

use super::{Entry, Head, IdTag, Place};

/// An account that has an event here.
#[derive(Debug)]
pub(super) struct Part {
    /// The account after the last of them.
    pub(super) head: Head,
    /// The least revision here.
    pub(super) first: u64,
    /// Its number.
    number: u32,
    /// The number of its last event and one.
    last: u32,
}

impl Part {
    /// Whether the account has no event in any run.
    pub(super) const fn begins(&self) -> bool {
        self.first == 0
    }
}

/// An event, with its strings where they lie in [`Table::text`].
#[derive(Debug)]
struct Row {
    /// Without its strings.
    step: Step,
    place: Place,
    tag: IdTag,
    subject: Kept,
    word: Kept,
    /// The number of its account's part.
    part: u32,
    /// The number and one of the account's event before it; zero if there is none.
    before: u32,
}

/// A string in [`Table::text`], or none: one above where it begins, 48 bits, then its length.
#[derive(Debug, Clone, Copy)]
struct Kept(u64);

impl Kept {
    fn keep(name: Option<&str>, text: &mut String) -> Kept {
        let Some(name) = name else { return Kept(0) };
        assert!(name.len() < 1 << 16, "names have at most 1024 bytes");
        let kept = Kept((text.len() as u64 + 1) << 16 | name.len() as u64);
        text.push_str(name);
        kept
    }

    fn get(self, text: &str) -> Option<&str> {
        let start = (self.0 >> 16).checked_sub(1)? as usize;
        Some(&text[start..start + (self.0 & 0xffff) as usize])
    }
}

/// An account's events here in the order of revisions, their strings numbered by first appearance.
#[derive(Debug, Default)]
pub(super) struct Steps {
    pub(super) names: Names,
    pub(super) steps: Vec<(Step, Place)>,
    rows: Vec<u32>,
}

/// The numbers of all events by account, and within it by revision: to put together all parts,
/// without going from link to link in memory.
#[derive(Debug)]
pub(super) struct Grouped {
    /// Where each part ends in `rows`.
    ends: Vec<u32>,
    rows: Vec<u32>,
}

/// Tags are hashes already, and ordinals are given by the log: they need no further hashing.
#[derive(Debug, Default)]
pub(crate) struct Plain(u64);

impl Hasher for Plain {
    fn finish(&self) -> u64 {
        self.0
    }
    fn write(&mut self, bytes: &[u8]) {
        self.0 = bytes.last_chunk().map_or(0, |last| u64::from_le_bytes(*last));
    }
    fn write_u64(&mut self, n: u64) {
        // Spread over all bits: the map looks at the highest and the lowest.
        self.0 = n.wrapping_mul(0x9e37_79b9_7f4a_7c15);
        self.0 ^= self.0 >> 32;
    }
    fn write_usize(&mut self, _length: usize) {}
}

pub(crate) type PlainMap<K, V> = HashMap<K, V, BuildHasherDefault<Plain>>;

/// Events by account and by id.
#[derive(Debug, Default)]
pub(super) struct Table {
    rows: Vec<Row>,
    /// The events' strings, one behind the other.
    text: String,
    parts: Vec<Part>,
    by_name: HashMap<Box<str>, u32>,
    by_ordinal: PlainMap<u64, u32>,
    /// The positions by tags: only once it was asked for one.
    ids: OnceLock<PlainMap<IdTag, u64>>,
    begun: u64,
    /// What the parts and their names need.
    part_bytes: usize,
}

impl Table {
    pub(super) fn append(&mut self, entry: &Entry<'_>) {
        let Entry { step, place, tag, .. } = *entry;
        let index = match self.by_ordinal.get(&entry.ordinal) {
            Some(index) => *index as usize,
            None => self.add(entry),
        };
        let part = &mut self.parts[index];
        assert!(step.revision >= part.head.count, "revisions go up within an account");
        debug_assert_eq!(part.head.account, entry.account);

        let mut keep = |name| Kept::keep(name, &mut self.text);
        let (subject, word) = (keep(entry.subject), keep(entry.word));
        let (part_number, before) = (part.number, part.last);
        self.rows.push(Row { step, place, tag, subject, word, part: part_number, before });
        part.last = u32::try_from(self.rows.len()).expect("flushed before 2^32 events");
        part.head.count = step.revision + 1;
        part.head.chain = entry.chain;
        if let Some(ids) = self.ids.get_mut() {
            ids.insert(tag, step.position);
        }
    }

    fn add(&mut self, entry: &Entry<'_>) -> usize {
        let account = entry.account;
        let index = self.parts.len();
        let first = entry.step.revision;
        let head = Head {
            account: account.to_owned(),
            ordinal: entry.ordinal,
            count: first,
            secret: entry.secret,
            chain: [0; 32],
        };
        let other = self.by_name.insert(account.into(), index as u32);
        assert!(other.is_none(), "the ordinal of an account stays");
        self.by_ordinal.insert(entry.ordinal, index as u32);
        self.parts.push(Part { head, first, number: index as u32, last: 0 });
        self.begun += u64::from(first == 0);
        // Twice the name, each with what an allocation costs, and an entry of two maps.
        self.part_bytes += 2 * account.len() + size_of::<Part>() + 100;
        index
    }

    /// Its size in memory, in bytes, near enough to count by.
    pub(super) fn memory_bytes(&self) -> usize {
        // A vector or a map that grows is on average three quarters full.
        let event =
            size_of::<Row>() + if self.ids.get().is_some() { size_of::<(IdTag, u64)>() } else { 0 };
        (self.rows.len() * event + self.text.len() + self.part_bytes) * 4 / 3
    }

    pub(super) const fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// How many accounts have their first event here.
    pub(super) const fn begun(&self) -> u64 {
        self.begun
    }

    pub(super) fn part(&self, account: &str) -> Option<&Part> {
        self.by_name.get(account).map(|index| &self.parts[*index as usize])
    }

    pub(super) fn part_of(&self, ordinal: u64) -> Option<&Part> {
        self.by_ordinal.get(&ordinal).map(|index| &self.parts[*index as usize])
    }

    /// Puts the events of a part into `steps`, whatever was in it.
    pub(super) fn steps(&self, part: &Part, steps: &mut Steps) {
        let mut rows = std::mem::take(&mut steps.rows);
        rows.clear();
        let mut next = part.last;
        while let Some(number) = next.checked_sub(1) {
            rows.push(number);
            next = self.rows[number as usize].before;
        }
        rows.reverse();
        self.gather(&rows, steps);
        steps.rows = rows;
    }

    /// The same, for who does it for all parts.
    pub(super) fn grouped_steps(&self, grouped: &Grouped, part: &Part, steps: &mut Steps) {
        let number = part.number as usize;
        let start = if number == 0 { 0 } else { grouped.ends[number - 1] };
        self.gather(&grouped.rows[start as usize..grouped.ends[number] as usize], steps);
    }

    fn gather(&self, rows: &[u32], steps: &mut Steps) {
        let Steps { names, steps, .. } = steps;
        names.clear();
        steps.clear();
        steps.extend(rows.iter().map(|number| {
            let row = &self.rows[*number as usize];
            let mut number = |kept: Kept| kept.get(&self.text).map(|name| names.intern(name));
            let (subject, word) = (number(row.subject), number(row.word));
            (Step { subject, word, ..row.step }, row.place)
        }));
    }

    pub(super) fn grouped(&self) -> Grouped {
        let mut ends = vec![0; self.parts.len() + 1];
        for row in &self.rows {
            ends[row.part as usize + 1] += 1;
        }
        for part in 1..ends.len() {
            ends[part] += ends[part - 1];
        }
        let mut rows = vec![0; self.rows.len()];
        for (number, row) in self.rows.iter().enumerate() {
            // Each part's end goes from its beginning to where it belongs.
            let end: &mut u32 = &mut ends[row.part as usize];
            rows[*end as usize] = number as u32;
            *end += 1;
        }
        Grouped { ends, rows }
    }

    pub(super) fn find_id(&self, tag: &IdTag) -> Option<u64> {
        let all = || self.rows.iter().map(|row| (row.tag, row.step.position)).collect();
        self.ids.get_or_init(all).get(tag).copied()
    }

    /// The parts in byte order of names, from `from` on (included) up to `to` (excluded).
    pub(super) fn sorted(&self, from: Option<&str>, to: Option<&str>) -> Vec<&Part> {
        let inside = |part: &&Part| {
            let name = part.head.account.as_str();
            from.is_none_or(|from| from <= name) && to.is_none_or(|to| name < to)
        };
        let mut parts: Vec<&Part> = self.parts.iter().filter(inside).collect();
        parts.sort_unstable_by(|a, b| a.head.account.cmp(&b.head.account));
        parts
    }

    /// The ids in order of tags.
    pub(super) fn sorted_ids(&self) -> Vec<(IdTag, u64)> {
        let mut ids: Vec<_> = self.rows.iter().map(|row| (row.tag, row.step.position)).collect();
        ids.sort_unstable_by_key(|(tag, _)| u128::from_be_bytes(*tag));
        ids
    }
}
