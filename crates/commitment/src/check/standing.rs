//! Where a full check stood at a seal, so that a later one can go on from there.
//!
//! | bytes | what |
//! |---|---|
//! | 8 | `STILLAUD` |
//! | 4 | format version, 1 |
//! | 16 | store id |
//! | 8, 32 | pages up to the seal, and the root of the tree over them |
//! | 8, 8 | where the seal's batch ends: segment, offset |
//! | 4, then each | accounts by ordinal: secret (32), chain's head (32), events (8), name's length (1), name |
//! | 8, then 16 each | how many ids, and what stands for each, rising |
//!
//! Of an account whose name was erased before the seal the secret is zeros and the name empty; of erased events there are no
//! ids. What is erased later stays in such a file, which is the auditor's: nothing of an earlier one goes to the next.
//!
//! Integers are little-endian. Nothing of it is believed but what somebody signed, and what gives the account map's root.

use std::collections::HashSet;

use super::seals::Former;
use super::{Ids, Level, LogCheck};
use crate::chains::Chains;
use crate::fault::{Fault, same, same_bytes};
use crate::hash::{Digest, hex};

const MAGIC: &[u8; 8] = b"STILLAUD";
const FORMAT: u32 = 1;

/// Where a full check stood at a seal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Standing {
    /// The store's id.
    pub store: [u8; 16],
    /// Pages up to the seal.
    pub pages: u64,
    /// The root of the tree over them.
    pub root: Digest,
    /// The segment that the seal's batch is in.
    pub segment: u64,
    /// Where that batch ends, in bytes.
    pub offset: u64,
    /// By ordinal.
    pub accounts: Vec<StandingAccount>,
    /// What stands for each event's id ([`id_hash`]), rising; of events that were erased there may be none.
    pub ids: Vec<[u8; 16]>,
}

/// An account at a seal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StandingAccount {
    /// Its name, 1 to 128 bytes; empty if it was erased before the seal.
    pub name: Box<str>,
    /// Its secret: it must not be shown. Zeros if it was erased.
    pub secret: [u8; 32],
    /// Its chain's head.
    pub head: Digest,
    /// Its events.
    pub events: u64,
}

/// Why a check does not go on.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum StandingError {
    /// No batch ends there.
    #[error(
        "the log has no batch that ends at byte {offset} of segment {segment}: it was cut or written anew"
    )]
    Place {
        /// The segment.
        segment: u64,
        /// In bytes.
        offset: u64,
    },
    /// Other pages are before it.
    #[error("the log's first {pages} pages have the root {}, expected {}", hex(.found), hex(.expected))]
    Root {
        /// How many there are.
        pages: u64,
        /// That of the pages before.
        expected: Digest,
        /// That of the log's.
        found: Digest,
    },
    /// The chains are not those of the seal.
    #[error("the chains give the account map {}, expected {}", hex(.found), hex(.expected))]
    Map {
        /// The root that was sealed.
        expected: Digest,
        /// The root of the map over the chains.
        found: Digest,
    },
    /// Numbers that do not go together with the log's.
    #[error(
        "{accounts} accounts with {events} events, expected {expected_accounts} with {expected_events}"
    )]
    Numbers {
        /// As given.
        accounts: u64,
        /// As given.
        events: u64,
        /// By the log.
        expected_accounts: u64,
        /// By the log.
        expected_events: u64,
    },
}

/// What a check keeps of a seal until its end.
pub(super) struct Keeping {
    pages: u64,
    seen: Option<Seen>,
}

struct Seen {
    root: Digest,
    chains: Chains,
    /// Names and secrets that only an earlier check knew.
    former: Former,
    /// Whether the map could not be made: an account in it was erased behind it.
    is_unheld: bool,
    /// Where the batch ends, if it does with the seal's page.
    place: Option<(u64, u64)>,
}

/// 16 bytes that stand for an id in an account, to find it a second time.
#[must_use]
pub fn id_hash(ordinal: u32, id: &str) -> [u8; 16] {
    let mut hasher = blake3::Hasher::new();
    hasher.update(&ordinal.to_le_bytes()).update(id.as_bytes());
    crate::hash::first(hasher.finalize().as_bytes())
}

impl LogCheck {
    /// Also keeps where the check stands when so many pages are closed.
    #[must_use]
    pub fn keeping(self, pages: u64) -> LogCheck {
        LogCheck { keeping: Some(Keeping { pages, seen: None }), ..self }
    }

    /// A page was closed.
    pub(super) fn keep_page(&mut self) {
        let Some(keeping) = self.keeping.as_mut().filter(|k| k.pages == self.pages.closed()) else {
            return;
        };
        self.accounts.chains.link();
        let chains = self.accounts.chains.clone();
        let (root, is_unheld) = (self.tree.root(), self.erasures.unrecorded_names > 0);
        let former = self.seals.former();
        keeping.seen = Some(Seen { root, chains, former, is_unheld, place: None });
    }

    /// A batch ended at so many bytes of the segment.
    pub(super) fn keep_place(&mut self, offset: u64) {
        let is_there = |pages| self.pages.closed() == pages && self.pages.is_empty();
        let Some(segment) = self.segment else { return };
        if let Some(Keeping { pages, seen: Some(seen) }) = &mut self.keeping
            && is_there(*pages)
            && seen.place.is_none()
        {
            seen.place = Some((segment, offset));
        }
    }

    /// The root of the tree when the pages of [`LogCheck::keeping`] were closed; `None` if they never were.
    #[must_use]
    pub fn kept_root(&self) -> Option<Digest> {
        Some(self.keeping.as_ref()?.seen.as_ref()?.root)
    }

    /// Where the check stood when the pages of [`LogCheck::keeping`] were closed. The ids are those of before it went
    /// on from an earlier one, if it did: who looked at the events since adds theirs. `None` if these pages were never
    /// closed, or not at the end of a batch, or if an account of before was erased behind them: its place in the map is
    /// not known any more.
    #[must_use]
    pub fn standing(&mut self) -> Option<Standing> {
        let Keeping { pages, seen } = self.keeping.take()?;
        let Seen { root, chains, mut former, place, .. } = seen.filter(|seen| !seen.is_unheld)?;
        let (segment, offset) = place?;
        let ids = match &mut self.ids {
            Ids::Known { before, .. } => std::mem::take(before),
            _ => Vec::new(),
        };
        let accounts = (0..chains.len() as u32).map(|ordinal| {
            let known = self.accounts.name(ordinal);
            let known = known.map(|name| (name.into(), *self.accounts.secret(ordinal)));
            let (name, secret) = known.or_else(|| former.remove(&ordinal)).unwrap_or_default();
            let (head, events) = (*chains.head(ordinal), chains.events(ordinal));
            StandingAccount { name, secret, head, events }
        });
        let accounts = accounts.collect();
        Some(Standing { store: self.store(), pages, root, segment, offset, accounts, ids })
    }

    /// Of a check at [`Level::Quick`] that has read up to where an earlier one stood: goes on at [`Level::Full`], as that
    /// one would have. Held are the tree over the pages before, the seal at their end against `map`, and the chains: they
    /// have to give that root. Of the order of accounts, their names before the first event and the ids nothing here can
    /// be held, so who gives them has to be sure of them.
    ///
    /// # Errors
    /// [`StandingError`]
    pub fn go_on(
        mut self,
        from: Standing,
        origin: &str,
        map: &Digest,
    ) -> Result<LogCheck, StandingError> {
        let Standing { store, pages, root, segment, offset, accounts, ids } = from;
        let is_there = self.segment == Some(segment)
            && self.offset == offset
            && self.buffer.is_empty()
            && self.torn.is_none()
            && self.store() == store;
        if !is_there {
            return Err(StandingError::Place { segment, offset });
        }
        let found = self.tree.root();
        if found != root || self.pages.closed() != pages || !self.pages.is_empty() {
            return Err(StandingError::Root { pages: self.pages.closed(), expected: root, found });
        }
        let last = self.seals.seen.last().filter(|last| last.page + 1 == pages).map(|l| l.seal);
        let sealed = last.map_or([0; 32], |seal| seal.root);
        let numbers = (accounts.len() as u64, accounts.iter().map(|a| a.events).sum::<u64>());
        let expected = (self.named, self.pages.position());
        // Of some that are erased by now there were ids.
        let (most, known) = (expected.1, ids.len() as u64);
        let least = most - self.erasures.events.len() as u64;
        if numbers != expected || !(least..=most).contains(&known) {
            let ((accounts, events), (expected_accounts, expected_events)) = (numbers, expected);
            let error =
                StandingError::Numbers { accounts, events, expected_accounts, expected_events };
            return Err(error);
        }
        self.level = Level::Full;
        let mut former = Former::new();
        for (ordinal, account) in (0..).zip(accounts) {
            let StandingAccount { name, secret, head, events } = account;
            if name.is_empty() || self.erasures.is_nameless(ordinal) {
                self.accounts.push("", &[0; 32], head, events);
                if !name.is_empty() {
                    former.insert(ordinal, (name, secret));
                }
                continue;
            }
            self.accounts.push(&name, &secret, head, events);
            self.names.insert(name, ordinal);
        }
        let mut check = self.mapping(origin);
        let found = check.map_all(former);
        check.count_unrecorded();
        // An earlier check has held those.
        check.seals.seen.iter_mut().for_each(|sealed| sealed.has_map = true);
        if found != *map || sealed != *map {
            let found = if found == *map { sealed } else { found };
            return Err(StandingError::Map { expected: *map, found });
        }
        check.ids = Ids::Known { before: ids, since: HashSet::new() };
        if let Some(keeping) = check.keeping.as_mut().filter(|keeping| keeping.pages == pages) {
            let (chains, former) = (check.accounts.chains.clone(), check.seals.former());
            let place = Some((segment, offset));
            keeping.seen = Some(Seen { root, chains, former, is_unheld: false, place });
        }
        Ok(check)
    }
}

impl Standing {
    /// As bytes.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(96 + 96 * self.accounts.len() + 16 * self.ids.len());
        out.extend_from_slice(MAGIC);
        out.extend_from_slice(&FORMAT.to_le_bytes());
        out.extend_from_slice(&self.store);
        out.extend_from_slice(&self.pages.to_le_bytes());
        out.extend_from_slice(&self.root);
        out.extend_from_slice(&self.segment.to_le_bytes());
        out.extend_from_slice(&self.offset.to_le_bytes());
        out.extend_from_slice(&(self.accounts.len() as u32).to_le_bytes());
        for StandingAccount { name, secret, head, events } in &self.accounts {
            out.extend_from_slice(secret);
            out.extend_from_slice(head);
            out.extend_from_slice(&events.to_le_bytes());
            out.push(u8::try_from(name.len()).expect("a name has at most 128 bytes"));
            out.extend_from_slice(name.as_bytes());
        }
        out.extend_from_slice(&(self.ids.len() as u64).to_le_bytes());
        out.extend_from_slice(self.ids.as_flattened());
        out
    }

    /// From bytes that [`Standing::encode`] gave. There is one spelling.
    ///
    /// # Errors
    /// The first byte that does not belong there.
    pub fn decode(bytes: &[u8]) -> Result<Standing, Fault> {
        let mut input = Input { bytes, at: 0 };
        same_bytes(0, "the first bytes", MAGIC, &input.take::<8>()?)?;
        same(8, "a format version of", FORMAT, u32::from_le_bytes(input.take()?))?;
        let store = input.take()?;
        let (pages, root) = (input.number()?, input.take()?);
        let (segment, offset) = (input.number()?, input.number()?);
        let count = u32::from_le_bytes(input.take()?);
        let mut accounts = Vec::new();
        for _ in 0..count {
            let (secret, head, events) = (input.take()?, input.take()?, input.number()?);
            let [length] = input.take()?;
            let at = input.at;
            let name = input.some(usize::from(length))?;
            let is_erased = secret == [0; 32];
            let is_name = |name: &&str| name.len() <= 128 && name.is_empty() == is_erased;
            let name = str::from_utf8(name).ok().filter(is_name);
            let expected = "a name of 1 to 128 bytes in UTF-8, or none with a secret of zeros";
            let name = name.ok_or_else(|| Fault::new(at, expected, "other bytes"))?.into();
            accounts.push(StandingAccount { name, secret, head, events });
        }
        let count = input.number()?;
        let at = input.at;
        let rest = input.bytes.len() - at;
        let length = usize::try_from(count).ok().and_then(|count| count.checked_mul(16));
        if length != Some(rest) {
            return Err(Fault::new(at, format!("{count} ids to the end"), format!("{rest} bytes")));
        }
        let ids = input.bytes[at..].as_chunks::<16>().0.to_vec();
        match ids.windows(2).position(|two| two[0] >= two[1]) {
            None => Ok(Standing { store, pages, root, segment, offset, accounts, ids }),
            Some(n) => Err(Fault::new(at + 16 * (n + 1), "ids that rise", "one that does not")),
        }
    }
}

struct Input<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Input<'a> {
    fn some(&mut self, length: usize) -> Result<&'a [u8], Fault> {
        let rest = &self.bytes[self.at..];
        let some = rest.get(..length).ok_or_else(|| {
            Fault::new(self.at, format!("{length} bytes"), format!("{} to the end", rest.len()))
        })?;
        self.at += length;
        Ok(some)
    }

    fn take<const N: usize>(&mut self) -> Result<[u8; N], Fault> {
        Ok(self.some(N)?.try_into().expect("as long"))
    }

    fn number(&mut self) -> Result<u64, Fault> {
        self.take().map(u64::from_le_bytes)
    }
}
