//! The table in memory: the events that no run covers yet.
//!
//! Taking one in must cost little, so an event goes to the end of a list, and its texts to the end of
//! another; they are brought into the order of accounts, and looked up by anything else, only when
//! that is asked for.

use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};
use std::ops::Range;
use std::sync::OnceLock;

use event::{Names, Step};

use super::erased::{GoneEvents, GoneLeaf};
use super::{Entry, GoneEntry, Head, IdTag, Place};

/// An account that has an event here.
#[derive(Debug)]
pub(super) struct Part {
    /// In [`Table::names`].
    name: Range<usize>,
    ordinal: u64,
    /// The least revision here.
    pub(super) first: u64,
    secret: [u8; 32],
    chain: [u8; 32],
}

impl Part {
    /// Whether the account has no event in any run.
    pub(super) const fn begins(&self) -> bool {
        self.first == 0
    }
}

/// An event, with its texts where they lie in [`Table::text`], one behind the other.
#[derive(Debug, Clone, Copy)]
struct Row {
    /// Without its texts.
    step: Step,
    place: Place,
    tag: IdTag,
    text: usize,
    /// The lengths of its subject and its word; [`NONE`] for none.
    lengths: [u16; 2],
    /// The number of its account's part.
    part: u32,
}

const NONE: u16 = u16::MAX;
/// In the place of an id that was erased: no hash is this.
const NO_ID: IdTag = [0; 16];

/// An account's events here in the order of revisions, their strings numbered by first appearance.
#[derive(Debug, Default)]
pub(super) struct Steps {
    pub(super) names: Names,
    pub(super) steps: Vec<(Step, Place)>,
    /// What was erased of them.
    pub(super) gone: GoneEvents,
}

/// The order of accounts.
#[derive(Debug)]
struct Grouped {
    /// The numbers of the parts, in byte order of names.
    parts: Vec<u32>,
    /// Where each of these ends in `rows`.
    ends: Vec<u32>,
    /// The numbers of the rows: by part, and within it by revision.
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
    text: String,
    parts: Vec<Part>,
    /// Of each part, one above its last revision. Apart from the rest: every event asks for it.
    next: Vec<u64>,
    /// The accounts' names, one behind the other.
    names: String,
    by_ordinal: PlainMap<u64, u32>,
    begun: u64,
    /// Whether any chain is kept.
    has_chains: bool,
    /// What was erased, by the numbers of the parts.
    gone: HashMap<u32, GoneEvents>,
    /// Each only once it was asked for; then it is kept up.
    by_name: OnceLock<HashMap<Box<str>, u32, foldhash::fast::RandomState>>,
    ids: OnceLock<PlainMap<IdTag, u64>>,
    /// Only once it was asked for, until the next event.
    grouped: OnceLock<Grouped>,
}

impl Table {
    pub(super) fn append(&mut self, entry: &Entry<'_>) {
        let Entry { step, place, tag, .. } = *entry;
        let part = match self.by_ordinal.get(&entry.ordinal) {
            Some(part) => *part,
            None => self.add((entry.account, entry.ordinal, &entry.secret), step.revision),
        };
        let next = &mut self.next[part as usize];
        assert!(step.revision >= *next, "revisions go up within an account");
        *next = step.revision + 1;
        debug_assert_eq!(self.name(&self.parts[part as usize]), entry.account);
        self.has_chains |= entry.chain != [0; 32];
        if self.has_chains {
            self.parts[part as usize].chain = entry.chain;
        }
        let text = self.text.len();
        let lengths = [entry.subject, entry.word].map(|name| {
            let Some(name) = name else { return NONE };
            self.text.push_str(name);
            u16::try_from(name.len()).ok().filter(|len| *len < NONE).expect("at most 1024 bytes")
        });
        self.rows.push(Row { step, place, tag, text, lengths, part });
        if let Some(ids) = self.ids.get_mut() {
            ids.insert(tag, step.position);
        }
        self.grouped.take();
    }

    /// Takes in what is left of an event of an account that has its name.
    pub(super) fn append_gone(&mut self, entry: &GoneEntry<'_>) {
        let GoneEntry { account, ordinal, secret, position, revision, place, left } = *entry;
        let part = match self.by_ordinal.get(&ordinal) {
            Some(part) => *part,
            None => self.add((account, ordinal, secret), revision),
        };
        let next = &mut self.next[part as usize];
        assert!(revision >= *next, "revisions go up within an account");
        *next = revision + 1;
        let gone = self.gone.entry(part).or_default();
        match left {
            None => gone.leaves.push(GoneLeaf { revision, position }),
            Some((step, subject)) => {
                gone.contents.push((revision, subject));
                let (text, lengths) = (self.text.len(), [NONE; 2]);
                self.rows.push(Row { step, place, tag: NO_ID, text, lengths, part });
            }
        }
        self.grouped.take();
    }

    fn add(&mut self, (account, ordinal, secret): (&str, u64, &[u8; 32]), revision: u64) -> u32 {
        let number = u32::try_from(self.parts.len()).expect("flushed before 2^32 events");
        let start = self.names.len();
        self.names.push_str(account);
        self.parts.push(Part {
            name: start..self.names.len(),
            ordinal,
            first: revision,
            secret: *secret,
            chain: [0; 32],
        });
        self.next.push(revision);
        self.by_ordinal.insert(ordinal, number);
        if let Some(by_name) = self.by_name.get_mut() {
            let other = by_name.insert(account.into(), number);
            assert!(other.is_none(), "the ordinal of an account stays");
        }
        self.begun += u64::from(revision == 0);
        number
    }

    /// Forgets all, and keeps the memory: it fills again.
    pub(super) fn clear(&mut self) {
        self.rows.clear();
        self.text.clear();
        self.parts.clear();
        self.next.clear();
        self.names.clear();
        self.by_ordinal.clear();
        self.gone.clear();
        (self.begun, self.has_chains) = (0, false);
        self.by_name.take();
        self.ids.take();
        self.grouped.take();
    }

    /// Its size in memory, in bytes, near enough to count by: what is made when it is asked for is not
    /// in it.
    pub(super) fn memory_bytes(&self) -> usize {
        let part = size_of::<Part>() + size_of::<u64>() + size_of::<(u64, u32)>();
        let rows = self.rows.len() * size_of::<Row>() + self.text.len();
        // A vector or a map that grows is on average three quarters full.
        (rows + self.parts.len() * part + self.names.len()) * 4 / 3
    }

    /// How many accounts have an event here.
    #[cfg(test)]
    pub(super) const fn accounts(&self) -> usize {
        self.parts.len()
    }

    /// How many accounts have their first event here.
    pub(super) const fn begun(&self) -> u64 {
        self.begun
    }

    /// The account after the last event that it has here.
    pub(super) fn head(&self, account: &str) -> Option<Head> {
        let by_name = self.by_name.get_or_init(|| {
            let named = |(number, part)| (self.name(part).into(), number);
            (0..).zip(&self.parts).map(named).collect()
        });
        by_name.get(account).map(|number| self.head_at(*number).into_owned())
    }

    /// The same by its ordinal.
    pub(super) fn head_of(&self, ordinal: u64) -> Option<Head> {
        self.by_ordinal.get(&ordinal).map(|number| self.head_at(*number).into_owned())
    }

    fn head_at(&self, number: u32) -> Head<&str> {
        let part = &self.parts[number as usize];
        Head {
            account: self.name(part),
            ordinal: part.ordinal,
            count: self.next[number as usize],
            secret: part.secret,
            chain: part.chain,
        }
    }

    fn name(&self, part: &Part) -> &str {
        &self.names[part.name.clone()]
    }

    fn grouped(&self) -> &Grouped {
        self.grouped.get_or_init(|| {
            let mut parts: Vec<u32> = (0..self.parts.len() as u32).collect();
            let name = |number: &u32| self.name(&self.parts[*number as usize]);
            parts.sort_unstable_by(|a, b| name(a).cmp(name(b)));
            let mut rank = vec![0; parts.len()];
            for (place, number) in (0..).zip(&parts) {
                rank[*number as usize] = place;
            }
            let mut ends = vec![0; parts.len() + 1];
            for row in &self.rows {
                ends[rank[row.part as usize] as usize + 1] += 1;
            }
            for part in 1..ends.len() {
                ends[part] += ends[part - 1];
            }
            let mut rows = vec![0; self.rows.len()];
            for (number, row) in (0..).zip(&self.rows) {
                // Each part's end goes from its beginning to where it belongs.
                let end: &mut u32 = &mut ends[rank[row.part as usize] as usize];
                rows[*end as usize] = number;
                *end += 1;
            }
            Grouped { parts, ends, rows }
        })
    }

    /// The parts in byte order of names, from `from` on (included) up to `to` (excluded).
    pub(super) fn parts(&self, from: Option<&str>, to: Option<&str>) -> Parts<'_> {
        let grouped = self.grouped();
        let before = |name: &str| {
            let part = |number: &u32| &self.parts[*number as usize];
            grouped.parts.partition_point(|number| self.name(part(number)) < name)
        };
        let start = from.map_or(0, before);
        let end = to.map_or(grouped.parts.len(), before);
        Parts {
            table: self,
            ranks: start..end.max(start),
            rows: Vec::new(),
            text: String::new(),
            read: 0,
        }
    }

    /// The part of one account.
    pub(super) fn part(&self, account: &str, steps: &mut Steps) -> Option<Head> {
        let head = self.head(account)?;
        self.parts(Some(account), None).take(steps);
        Some(head)
    }

    pub(super) fn find_id(&self, tag: &IdTag) -> Option<u64> {
        let all = || self.ids().collect();
        self.ids.get_or_init(all).get(tag).copied()
    }

    /// The ids with their positions.
    fn ids(&self) -> impl Iterator<Item = (IdTag, u64)> {
        let ids = self.rows.iter().map(|row| (row.tag, row.step.position));
        ids.filter(|(tag, _)| *tag != NO_ID)
    }

    /// The ids in order of tags, with their positions.
    pub(super) fn sorted_ids(&self) -> Vec<(IdTag, u64)> {
        let mut ids: Vec<_> = self.ids().collect();
        ids.sort_unstable_by_key(|(tag, _)| u128::from_be_bytes(*tag));
        ids
    }
}

/// Rows that are fetched together: far from one another in the table, they come sooner if nothing else
/// is done in between.
const FETCHED: usize = 1024;

/// Goes through parts in byte order of names.
#[derive(Debug)]
pub(super) struct Parts<'t> {
    table: &'t Table,
    /// Those that are left, in [`Grouped::parts`].
    ranks: Range<usize>,
    /// Rows of these, fetched, and their texts; those before `read` were read.
    rows: Vec<Row>,
    text: String,
    read: usize,
}

impl<'t> Parts<'t> {
    /// The name of the next part.
    pub(super) fn name(&self) -> Option<&'t str> {
        self.next().map(|(number, _)| self.table.name(&self.table.parts[number as usize]))
    }

    /// The next part's number, and where its rows are in [`Grouped::rows`].
    fn next(&self) -> Option<(u32, Range<usize>)> {
        let (grouped, rank) = (self.table.grouped(), self.ranks.start);
        let start = if rank == 0 { 0 } else { grouped.ends[rank - 1] as usize };
        (!self.ranks.is_empty()).then(|| (grouped.parts[rank], start..grouped.ends[rank] as usize))
    }

    /// Goes on behind the next part; gives its events, and it with its head.
    pub(super) fn take(&mut self, steps: &mut Steps) -> Option<(&'t Part, Head<&'t str>)> {
        let (number, rows) = self.next()?;
        if self.read == self.rows.len() {
            self.fetch(rows.start);
        }
        let Steps { names, steps, gone } = steps;
        names.clear();
        steps.clear();
        gone.clear();
        if let Some(own) = self.table.gone.get(&number) {
            gone.extend(own);
        }
        for _ in rows {
            if self.read == self.rows.len() {
                let next = self.next().expect("its rows are not all read").1.start + steps.len();
                self.fetch(next);
            }
            let row = self.rows[self.read];
            self.read += 1;
            let mut start = row.text;
            let [subject, word] = row.lengths.map(|len| {
                (len != NONE).then(|| {
                    let text = start..start + usize::from(len);
                    start = text.end;
                    names.intern(&self.text[text])
                })
            });
            steps.push((Step { subject, word, ..row.step }, row.place));
        }
        self.ranks.start += 1;
        Some((&self.table.parts[number as usize], self.table.head_at(number)))
    }

    /// Fetches rows from the one that is the `from`th in the order of accounts.
    fn fetch(&mut self, from: usize) {
        let Table { rows: all, text, .. } = self.table;
        let rows = &self.table.grouped().rows[from..];
        let rows = &rows[..rows.len().min(FETCHED)];
        self.rows.clear();
        self.rows.extend(rows.iter().map(|number| all[*number as usize]));
        self.text.clear();
        for row in &mut self.rows {
            let len = |len: u16| if len == NONE { 0 } else { usize::from(len) };
            let end = row.text + row.lengths.map(len).iter().sum::<usize>();
            let start = self.text.len();
            self.text.push_str(&text[row.text..end]);
            row.text = start;
        }
        self.read = 0;
    }
}
