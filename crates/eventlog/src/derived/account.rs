//! What a run keeps of one account, and how an account is gathered from several runs.
//!
//! | bytes | what |
//! |---|---|
//! | varint, bytes | name |
//! | varint | ordinal |
//! | varint | first: the least revision in this run |
//! | varint | next: one above the greatest |
//! | 1 | which of secret (1), chain (2) and what was erased (4) follow; what does not is zeros, or nothing |
//! | 32, 32 | secret, chain |
//! | varint, count × varint | the account's strings in this run, their lengths |
//! | bytes | their text, one behind the other |
//! | … | if flag 4 is set, what was erased, see [`erased`](super::erased) |
//! | … | the steps, see [`rows`](super::rows) |
//!
//! A run numbers an account's strings by itself, so that an event is taken in without looking at
//! older runs. Gathering goes from the oldest run to the newest and numbers them anew: by first
//! appearance in the order of revisions, as `History::of` does.

use event::{History, NameId, Names, Step};

use super::bytes::{Input, Parsed, put_str, put_varint};
use super::erased::{Erasures, GoneEvents};
use super::rows::{self, Rows};
use super::table::Steps;
use super::{Head, Place};

const SECRET: u8 = 1;
const CHAIN: u8 = 2;
const ERASED: u8 = 4;

/// One account in one run, as it lies in a block.
#[derive(Debug)]
pub(super) struct Record<'a> {
    pub(super) name: &'a str,
    pub(super) ordinal: u64,
    pub(super) first: u64,
    pub(super) next: u64,
    pub(super) secret: [u8; 32],
    pub(super) chain: [u8; 32],
    lengths: Input<'a>,
    names: usize,
    text: &'a str,
    gone: Option<GoneEvents>,
    rows: Rows<'a>,
}

/// Appends a record. The steps are in fold order, each with its place.
pub(super) fn encode<S: AsRef<str>>(
    head: &Head<S>,
    first: u64,
    names: &Names,
    steps: &[(Step, Place)],
    gone: &GoneEvents,
    out: &mut Vec<u8>,
) {
    put_str(out, head.account.as_ref());
    put_varint(out, head.ordinal);
    put_varint(out, first);
    put_varint(out, head.count);
    let optional = [(SECRET, head.secret), (CHAIN, head.chain)];
    let present = optional.iter().filter(|(_, value)| *value != [0; 32]);
    let erased = if gone.is_empty() { 0 } else { ERASED };
    out.push(present.clone().map(|(flag, _)| flag).sum::<u8>() + erased);
    for (_, value) in present {
        out.extend_from_slice(value);
    }
    put_varint(out, names.len() as u64);
    for name in names.iter() {
        put_varint(out, name.len() as u64);
    }
    for name in names.iter() {
        out.extend_from_slice(name.as_bytes());
    }
    if !gone.is_empty() {
        gone.encode(out);
    }
    rows::encode(steps, out);
}

impl<'a> Record<'a> {
    /// Reads what [`encode`] wrote; `bytes` ends with it.
    pub(super) fn parse(bytes: &'a [u8]) -> Parsed<Record<'a>> {
        let mut input = Input(bytes);
        let name = input.str()?;
        let (ordinal, first, next) = (input.varint()?, input.varint()?, input.varint()?);
        let flags = input.take(1)?[0];
        if flags > SECRET + CHAIN + ERASED {
            return Err("a flag is unknown");
        }
        let mut optional = |flag| if flags & flag == 0 { Ok([0; 32]) } else { input.array() };
        let (secret, chain) = (optional(SECRET)?, optional(CHAIN)?);
        let names = input.count()?;
        let lengths = input;
        let mut bytes = 0usize;
        for _ in 0..names {
            bytes = bytes.saturating_add(input.count()?);
        }
        let text = input.text(bytes)?;
        let is_erased = flags & ERASED != 0;
        let gone = if is_erased { Some(GoneEvents::parse(&mut input)?) } else { None };
        let rows = Rows::parse(input.0)?;
        Ok(Record { name, ordinal, first, next, secret, chain, lengths, names, text, gone, rows })
    }

    /// The name alone, without reading on.
    pub(super) fn name_of(bytes: &'a [u8]) -> Parsed<&'a str> {
        Input(bytes).str()
    }

    /// The ordinal alone.
    pub(super) fn ordinal_of(bytes: &'a [u8]) -> Parsed<u64> {
        let mut input = Input(bytes);
        input.str()?;
        input.varint()
    }

    /// The account as it stood after this run.
    pub(super) fn head(&self) -> Head {
        let mut head = Head::default();
        self.head_into(&mut head);
        head
    }

    /// The same, using the memory of another head.
    pub(super) fn head_into(&self, head: &mut Head) {
        head.account.clear();
        head.account.push_str(self.name);
        head.ordinal = self.ordinal;
        head.count = self.next;
        head.secret = self.secret;
        head.chain = self.chain;
    }

    /// The account's strings in this run, by their number in it.
    fn names(&self) -> impl Iterator<Item = Parsed<&'a str>> {
        let (mut lengths, mut rest) = (self.lengths, self.text);
        (0..self.names).map(move |_| {
            let cut = usize::try_from(lengths.varint()?).unwrap_or(usize::MAX);
            let (name, tail) = rest.split_at_checked(cut).ok_or("a string is cut in a letter")?;
            rest = tail;
            Ok(name)
        })
    }
}

/// Puts together one account's history from its parts, given from the oldest to the newest.
#[derive(Debug, Default)]
pub(super) struct Gather {
    /// The number in the history of each of the part's strings.
    renamed: Vec<NameId>,
    /// Whether the steps so far are in fold order.
    unordered: bool,
    /// What was erased of it.
    pub(super) gone: GoneEvents,
}

impl Gather {
    /// Begins `history` anew.
    pub(super) fn begin(&mut self, account: &str, history: &mut History) {
        self.unordered = false;
        history.account.clear();
        history.account.push_str(account);
        history.names.clear();
        history.steps.clear();
        history.erased.clear();
        self.gone.clear();
    }

    /// Adds the part that a run has.
    pub(super) fn add(
        &mut self,
        record: &Record<'_>,
        history: &mut History,
        places: Option<&mut Vec<(u64, Place)>>,
    ) -> Parsed<()> {
        let before = history.steps.len();
        if history.names.is_empty() {
            history.names.reserve(record.names, record.text.len());
            for name in record.names() {
                history.names.push(name?);
            }
            let count = record.names;
            let same = |n: u32| Some(NameId(n)).filter(|id| id.index() < count);
            record.rows.steps(&mut history.steps, same)?;
        } else {
            self.renamed.clear();
            for name in record.names() {
                self.renamed.push(history.names.intern(name?));
            }
            let rename = |n: u32| self.renamed.get(n as usize).copied();
            record.rows.steps(&mut history.steps, rename)?;
        }
        if let Some(gone) = &record.gone {
            self.gone.extend(gone);
        }
        if let Some(places) = places {
            record.rows.places(places);
        }
        self.joined(before, history);
        Ok(())
    }

    /// Adds the part that is in memory, its steps in the order of revisions.
    pub(super) fn add_in_memory(
        &mut self,
        part: &Steps,
        history: &mut History,
        places: Option<&mut Vec<(u64, Place)>>,
    ) {
        let Steps { names, steps, gone } = part;
        self.gone.extend(gone);
        self.renamed.clear();
        for name in names.iter() {
            self.renamed.push(history.names.intern(name));
        }
        let before = history.steps.len();
        let renamed = |id: Option<NameId>| id.map(|id| self.renamed[id.index()]);
        history.steps.extend(steps.iter().map(|(step, _)| Step {
            subject: renamed(step.subject),
            word: renamed(step.word),
            ..*step
        }));
        if let Some(places) = places {
            places.extend(steps.iter().map(|(step, place)| (step.revision, *place)));
        }
        self.unordered |= !steps.is_sorted_by_key(|(step, _)| fold_order(step));
        self.joined(before, history);
    }

    fn joined(&mut self, before: usize, history: &History) {
        if let (Some(last), Some(first)) =
            (before.checked_sub(1).map(|i| &history.steps[i]), history.steps.get(before))
        {
            self.unordered |= fold_order(last) > fold_order(first);
        }
    }

    /// Says what was erased of an account of this secret, behind [`Gather::end`].
    pub(super) fn tell(&self, secret: &[u8; 32], erasures: &Erasures, history: &mut History) {
        if !self.gone.is_empty() {
            self.gone.tell(secret, erasures, history);
        }
    }

    /// Brings the steps into fold order and the places into the order of revisions.
    pub(super) fn end(&mut self, history: &mut History, places: Option<&mut Vec<(u64, Place)>>) {
        if self.unordered {
            // The parts are sorted already; this sort finds such stretches and merges them.
            history.steps.sort_by_key(fold_order);
        }
        if let Some(places) = places {
            places.sort_by_key(|(revision, _)| *revision);
        }
    }
}

/// What steps fold by (docs/answers.md).
pub(super) fn fold_order(step: &Step) -> (event::Timestamp, u64) {
    (step.occurred_at, step.revision)
}

#[cfg(test)]
mod tests {
    use event::{Actor, Event, Payload, Recorded, RecordedBy, Timestamp};

    use super::*;

    fn recorded(revision: u64, ms: i64, item: &str) -> Recorded {
        let at = Timestamp::from_ms(ms).unwrap();
        Recorded {
            event: Event {
                id: format!("id {revision}"),
                account: "a".to_owned(),
                occurred_at: at,
                recorded_at: None,
                actor: Actor::User,
                surface: None,
                attributes: std::collections::BTreeMap::new(),
                payload: Payload::ItemTrashed { item: item.to_owned() },
            },
            position: 10 * revision,
            revision,
            recorded_at: at,
            recorded_by: RecordedBy::Log,
        }
    }

    fn place(revision: u64) -> Place {
        Place { segment: 1, offset: 100 * revision }
    }

    fn encoded(part: &[Recorded], secret: [u8; 32], chain: [u8; 32]) -> Vec<u8> {
        let head = Head {
            account: "a".to_owned(),
            ordinal: 5,
            count: part.last().unwrap().revision + 1,
            secret,
            chain,
        };
        let history = History::of("a", part);
        let mut out = Vec::new();
        let steps: Vec<_> = history.steps.iter().map(|s| (*s, place(s.revision))).collect();
        let none = GoneEvents::default();
        encode(&head, part[0].revision, &history.names, &steps, &none, &mut out);
        out
    }

    /// Cut anywhere into parts in runs, the last in memory: the whole history comes back.
    #[test]
    fn parts_make_the_whole() {
        let events: Vec<Recorded> =
            [(50, "x"), (40, "y"), (40, "x"), (60, "z"), (10, "z"), (10, "\u{1f600}"), (60, "y")]
                .iter()
                .enumerate()
                .map(|(i, (ms, item))| recorded(i as u64, *ms, item))
                .collect();
        let whole = History::of("a", &events);
        for first in 1..events.len() {
            for second in first..events.len() {
                let mut history = History::of("b", &events);
                let mut places = Vec::new();
                let mut gather = Gather::default();
                gather.begin("a", &mut history);
                for part in [&events[..first], &events[first..second]] {
                    if !part.is_empty() {
                        let bytes = encoded(part, [1; 32], [0; 32]);
                        let record = Record::parse(&bytes).unwrap();
                        gather.add(&record, &mut history, Some(&mut places)).unwrap();
                    }
                }
                let mut last = Steps::default();
                for r in &events[second..] {
                    last.steps.push((Step::of(r, &mut last.names), place(r.revision)));
                }
                gather.add_in_memory(&last, &mut history, Some(&mut places));
                gather.end(&mut history, Some(&mut places));
                assert_eq!(history, whole, "cut at {first} and {second}");
                let expected: Vec<_> = (0..events.len() as u64).map(|r| (r, place(r))).collect();
                assert_eq!(places, expected);
            }
        }
    }

    #[test]
    fn heads_come_back() {
        let part = [recorded(3, 1, "x")];
        for secret in [[0; 32], [7; 32]] {
            for chain in [[0; 32], [9; 32]] {
                let bytes = encoded(&part, secret, chain);
                let record = Record::parse(&bytes).unwrap();
                let expected =
                    Head { account: "a".to_owned(), ordinal: 5, count: 4, secret, chain };
                assert_eq!((record.head(), record.first), (expected, 3));
            }
        }
    }

    /// Checksums lie in front of this; without them it still neither panics nor runs away.
    #[test]
    fn any_byte_may_be_wrong() {
        let part = [recorded(0, 5, "x"), recorded(1, 6, "\u{e9}t\u{e9}")];
        let bytes = encoded(&part, [1; 32], [2; 32]);
        for at in 0..bytes.len() {
            for bit in 0..8 {
                let mut wrong = bytes.clone();
                wrong[at] ^= 1 << bit;
                if let Ok(record) = Record::parse(&wrong) {
                    let mut history = History::of("a", &[]);
                    let _ = Gather::default().add(&record, &mut history, Some(&mut Vec::new()));
                }
            }
        }
    }
}
