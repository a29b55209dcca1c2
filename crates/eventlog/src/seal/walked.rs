//! Where every account's chain ends: what a walk over a log's frames finds, page by page.
//!
//! What is read is held against its checksums, its leaves, and its pages' summaries: so whoever signs a tree that
//! comes of this has read again what it stands for. A check of all that a log may not contain is `LogCheck`'s.

use std::collections::BTreeSet;
use std::sync::mpsc::sync_channel;

use commitment::{
    AccountMap, Chains, Control, ControlKind, Digest, FRAME_HEADER, Fault, Frame, Frontier, MapKey,
    MapLeaf, Pages, SALT, SUMMARY, Seal, Summary, chain_start, hex, tree_leaf,
};

use super::TreeHead;
use super::looked::{Name, Parcel, Seen, What, look};
use crate::ReadError;
use crate::batches::{Batches, corrupt, place_now};
use crate::climb::{climb, in_parts};
use crate::derived::Place;
use crate::folder::Folder;
use crate::head_file::Durable;

/// The chains of so many frames are fetched at a time, of which all stay near.
const FETCHED: usize = 256;

/// Parcels that were looked at and wait to be taken in, at most.
const AHEAD: usize = 6;

/// One account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Account {
    pub(super) key: MapKey,
    pub(super) secret: [u8; 32],
}

/// A log up to some place.
pub(super) struct Walked {
    pub(super) store: [u8; 16],
    origin: String,
    /// Up to here it was read.
    pub(super) at: Durable,
    pub(super) pages: Pages,
    /// By ordinal; none of an account that was erased.
    pub(super) accounts: Vec<Option<Account>>,
    /// Accounts whose names are erased in the log, and of which the record has not come yet: no map of a seal before it can
    /// be made, and no new one.
    pub(super) erased: BTreeSet<u32>,
    /// Keys of accounts that left the map since it was brought up to them.
    gone: Vec<MapKey>,
    pub(super) chains: Chains,
    pub(super) map: AccountMap,
    /// Over the closed pages.
    pub(super) tree: Frontier,
    /// The tree that ends with the last seal.
    pub(super) sealed: Option<TreeHead>,
    /// A seal whose page is open still.
    sealing: Option<Seal>,
    /// The summaries of the pages that were closed since somebody took them.
    pub(super) summaries: Vec<[u8; SUMMARY]>,
    /// Adoptions of policies, the last of each, and the last seal, in the order of the log.
    pub(super) controls: Vec<Met>,
    /// Of the open page.
    leaves: Vec<Digest>,
    /// Where it goes on from what was kept.
    kept: Option<Kept>,
}

/// What was kept, and is believed of an account only when the map has borne it out.
struct Kept {
    /// By ordinal: whether the chain went on since.
    gone_on: Vec<bool>,
    /// Accounts that went on or are new, since the last seal that was met, with their leaves as they were kept.
    unproven: Vec<(MapKey, Option<MapLeaf>)>,
    /// What the map's root has to be before these are applied: that of the last seal in the log, or made from it here or when
    /// accounts were taken out.
    root: Digest,
    is_refuted: bool,
}

/// A control frame, and where it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Met {
    pub(super) kind: ControlKind,
    pub(super) salt: [u8; SALT],
    pub(super) body: Vec<u8>,
    pub(super) page: u64,
    pub(super) leaf: u32,
    /// All leaves of its page, once it is closed.
    pub(super) leaves: Vec<Digest>,
    /// Its page's summary, once it is closed.
    pub(super) summary: [u8; SUMMARY],
}

impl Walked {
    /// Of a log of which nothing was read.
    pub(super) fn new(store: [u8; 16]) -> Walked {
        let at = Durable { segment: 0, offset: 0, events: 0, checksum: [0; 16] };
        Walked {
            store,
            origin: hex(&store),
            at,
            pages: Pages::new(store),
            accounts: Vec::new(),
            erased: BTreeSet::new(),
            gone: Vec::new(),
            chains: Chains::default(),
            map: AccountMap::default(),
            tree: Frontier::default(),
            sealed: None,
            sealing: None,
            summaries: Vec::new(),
            controls: Vec::new(),
            leaves: Vec::new(),
            kept: None,
        }
    }

    /// Of a log that was read up to a seal with which a batch ended.
    pub(super) fn after(
        (store, at, pages): ([u8; 16], Durable, Pages),
        (accounts, erased, chains, map): (Vec<Option<Account>>, BTreeSet<u32>, Chains, AccountMap),
        (tree, seal): (Frontier, Seal),
    ) -> Walked {
        let sealed = Some(TreeHead { pages: tree.count(), root: tree.root(), seal });
        let gone_on = vec![false; accounts.len()];
        // That of the seal, unless accounts were taken out of it since.
        let root = map.root();
        let kept = Some(Kept { gone_on, unproven: Vec::new(), root, is_refuted: false });
        Walked {
            at,
            pages,
            accounts,
            erased,
            chains,
            map,
            tree,
            sealed,
            kept,
            ..Walked::new(store)
        }
    }

    /// Whether it goes on from what was kept.
    pub(super) const fn is_from_kept(&self) -> bool {
        self.kept.is_some()
    }

    /// Whether what was kept was found not to be what the log's seal is of.
    pub(super) fn is_refuted(&self) -> bool {
        self.kept.as_ref().is_some_and(|kept| kept.is_refuted)
    }

    /// The chain of an account goes on.
    fn goes_on(&mut self, ordinal: u32) {
        let Some(kept) = &mut self.kept else { return };
        let Some(gone_on @ false) = kept.gone_on.get_mut(ordinal as usize) else { return };
        *gone_on = true;
        let Some(Account { key, secret }) = &self.accounts[ordinal as usize] else { return };
        let leaf = MapLeaf::of(secret, self.chains.head(ordinal), self.chains.events(ordinal));
        kept.unproven.push((*key, Some(leaf)));
    }

    /// Holds what was kept of the accounts that went on since against the map of the last seal.
    fn prove_kept(&mut self) {
        let Some(kept) = &mut self.kept else { return };
        let unproven = std::mem::take(&mut kept.unproven);
        let leaf = |(key, leaf): &(MapKey, Option<MapLeaf>)| {
            (*key, leaf.as_ref().map(|leaf| leaf.hash(key)))
        };
        let leaves: Vec<_> = unproven.iter().map(leaf).collect();
        kept.is_refuted |= !self.map.hold(&leaves, &kept.root);
    }

    /// Whether nothing stands behind the last seal.
    pub(super) fn ends_sealed(&self) -> bool {
        let pages = self.sealed.as_ref().map(|head| head.pages);
        pages == Some(self.pages.closed()) && self.pages.is_empty()
    }

    /// Reads on to `end`, or only to the end of the page before `to_page`; says whether that was met.
    pub(super) fn read(
        &mut self,
        folder: &Folder,
        end: Durable,
        to_page: Option<u64>,
    ) -> Result<bool, ReadError> {
        let is_met = |pages: &Pages| Some(pages.closed()) == to_page && pages.is_empty();
        if is_met(&self.pages) {
            return Ok(true);
        }
        let stop = Place { segment: end.segment, offset: end.offset };
        let at = place_now(folder, end, self.at).unwrap_or(self.at);
        let batches = Batches::new(folder, self.store, stop).from(at);
        let origin = self.origin.clone();
        let (given, taken) = sync_channel(AHEAD);
        std::thread::scope(|scope| {
            scope.spawn(move || look(batches, &origin, &given));
            for parcel in taken {
                if self.take(parcel?, folder, to_page)? {
                    return Ok(true);
                }
            }
            Ok(false)
        })
    }

    /// Takes some batches in, or as much of them as lies before a page; says whether that was met.
    fn take(
        &mut self,
        parcel: Parcel,
        folder: &Folder,
        to_page: Option<u64>,
    ) -> Result<bool, ReadError> {
        let Parcel { bytes, batches, frames, fault } = parcel;
        let ordinal = |seen: &Seen| match seen.what {
            What::Event { ordinal, .. } => Some(ordinal),
            _ => None,
        };
        let (mut frames, mut taken) = (frames.into_iter(), 0);
        let last = batches.len().saturating_sub(1);
        for (n, batch) in batches.into_iter().enumerate() {
            let wrong = |fault: Fault, at: usize| {
                let fault = fault.moved(batch.place.offset + (at - batch.at) as u64);
                corrupt(folder, batch.place.segment, fault, Some(batch.position))
            };
            let mut is_met = false;
            while taken < batch.frames && !is_met {
                if taken % FETCHED == 0 {
                    let next = frames.as_slice().iter().take(FETCHED);
                    self.chains.fetch(next.filter_map(ordinal));
                }
                let seen = frames.next().expect("a batch says how many there are");
                taken += 1;
                let at = seen.at;
                let is_trailer = matches!(seen.what, What::Trailer);
                self.frame(&bytes[at..at + seen.len], seen).map_err(|fault| wrong(fault, at))?;
                is_met = is_trailer && Some(self.pages.closed()) == to_page;
            }
            if let (false, Some(fault)) = (is_met, fault.as_ref().filter(|_| n == last)) {
                return Err(wrong(fault.clone(), batch.at));
            }
            self.at = batch.end;
            if is_met {
                self.chains.link();
                return Ok(true);
            }
        }
        // What was fetched is near still.
        self.chains.link();
        Ok(false)
    }

    fn frame(&mut self, bytes: &[u8], seen: Seen) -> Result<(), Fault> {
        let leaf = seen.leaf;
        let whole = |offset: usize, expected: String, found: String| Fault {
            offset: offset as u64,
            expected,
            found,
        };
        if !matches!(seen.what, What::Trailer) {
            self.leaves.push(leaf);
        }
        match seen.what {
            What::Event { ordinal, clock_ms } => {
                if let Some(ms) = clock_ms {
                    self.pages.set_clock_ms(ms.max(self.pages.clock_ms()));
                }
                self.event(FRAME_HEADER + 4, ordinal, leaf, bytes.len())?;
            }
            What::EventErased { ordinal } => {
                self.pages.hide_clock();
                self.event(FRAME_HEADER, ordinal, leaf, bytes.len())?;
            }
            What::Name(name) => {
                let Name { ordinal, secret, key, chain_start } = *name;
                self.is_next(ordinal)?;
                self.accounts.push(Some(Account { key, secret }));
                if let Some(kept) = &mut self.kept {
                    kept.unproven.push((key, None));
                }
                self.chains.push(chain_start, 0);
                self.pages.push(leaf, bytes.len(), false);
            }
            What::NameErased { ordinal } => {
                self.is_next(ordinal)?;
                self.accounts.push(None);
                self.erased.insert(ordinal);
                self.chains.push(chain_start(&leaf), 0);
                self.pages.push(leaf, bytes.len(), false);
            }
            What::Trailer => {
                let found: &[u8; SUMMARY] =
                    bytes[FRAME_HEADER..].first_chunk().expect("it was read");
                if let Ok(summary) = Summary::decode(found) {
                    self.pages.take_clock(&summary);
                }
                let summary = self.pages.open().as_ref().map(Summary::encode);
                if summary.as_ref() != Some(found) {
                    let expected = "the summary of the page before it".to_owned();
                    return Err(whole(FRAME_HEADER, expected, "another".to_owned()));
                }
                self.pages.close(found);
                self.summaries.push(*found);
                self.tree.push(tree_leaf(found));
                if let Some(seal) = self.sealing.take() {
                    let (pages, root) = (self.tree.count(), self.tree.root());
                    self.sealed = Some(TreeHead { pages, root, seal });
                }
                self.close_controls(found);
            }
            What::Control => self.control(leaf, bytes)?,
        }
        Ok(())
    }

    fn control(&mut self, leaf: Digest, bytes: &[u8]) -> Result<(), Fault> {
        let Ok((Frame::Control { kind, salt, body }, _)) = Frame::read(bytes) else {
            unreachable!("it was read before");
        };
        let at = FRAME_HEADER + SALT;
        let control = Control::decode(kind, body).map_err(|f| f.moved(at as u64))?;
        if let Control::Erasure(erasure) = &control {
            self.pages.set_clock_ms(erasure.at_ms.max(self.pages.clock_ms()));
            let named = self.accounts.len() as u64;
            for names in erasure.names.iter() {
                for ordinal in names.start..names.end.min(named) {
                    self.erase(ordinal as u32);
                }
            }
        }
        if let Control::Seal(seal) = control {
            // Where an account that is in it is gone, it is the only one that knows its map.
            let own = if self.erased.is_empty() { self.seal(seal.at_ms) } else { seal };
            if own != seal {
                let (expected, found) = (format!("{own:?}"), format!("{seal:?}"));
                return Err(Fault { offset: at as u64, expected, found });
            }
            self.pages.set_clock_ms(seal.at_ms.max(self.pages.clock_ms()));
            self.sealing = Some(seal);
        }
        let is_in_place_of = |met: &Met| match kind {
            ControlKind::Seal => met.kind == kind,
            ControlKind::Adoption => met.kind == kind && met.body == body,
            ControlKind::Erasure | ControlKind::Statement => false,
        };
        self.controls.retain(|met| !is_in_place_of(met));
        if kind != ControlKind::Statement {
            self.controls.push(Met {
                kind,
                salt: *salt,
                body: body.to_vec(),
                page: self.pages.closed(),
                leaf: self.leaves.len() as u32 - 1,
                leaves: Vec::new(),
                summary: [0; SUMMARY],
            });
        }
        self.pages.push(leaf, bytes.len(), false);
        Ok(())
    }

    /// Takes in an account's next event; `at` is where its frame has the ordinal.
    fn event(&mut self, at: usize, ordinal: u32, leaf: Digest, len: usize) -> Result<(), Fault> {
        if ordinal as usize >= self.accounts.len() {
            let expected = "the ordinal of an account named before".to_owned();
            return Err(Fault { offset: at as u64, expected, found: ordinal.to_string() });
        }
        self.pages.push(leaf, len, true);
        self.goes_on(ordinal);
        self.chains.add(ordinal, leaf);
        Ok(())
    }

    /// Whether the next account to be named is of this ordinal.
    fn is_next(&self, ordinal: u32) -> Result<(), Fault> {
        if ordinal as usize == self.accounts.len() {
            return Ok(());
        }
        let expected = format!("the ordinal {}", self.accounts.len());
        Err(Fault { offset: FRAME_HEADER as u64, expected, found: ordinal.to_string() })
    }

    /// The record of an account's erasure: it leaves the map.
    fn erase(&mut self, ordinal: u32) {
        self.erased.remove(&ordinal);
        if let Some(account) = self.accounts.get_mut(ordinal as usize).and_then(Option::take) {
            self.gone.push(account.key);
        }
    }

    /// Whether the account maps of all seals up to here, and of a next one, can be made.
    pub(super) fn has_map(&self) -> bool {
        self.erased.is_empty()
    }

    fn close_controls(&mut self, summary: &[u8; SUMMARY]) {
        let leaves = std::mem::take(&mut self.leaves);
        let page = self.pages.closed() - 1;
        for met in self.controls.iter_mut().filter(|met| met.page == page) {
            met.leaves.clone_from(&leaves);
            met.summary = *summary;
        }
    }

    /// What a seal says of the log as far as it was read.
    pub(super) fn seal(&mut self, at_ms: i64) -> Seal {
        self.chains.link();
        self.prove_kept();
        let changed = self.chains.take_changed();
        let (accounts, chains) = (&self.accounts, &self.chains);
        let leaf = |ordinal: &u32| {
            let Account { key, secret } = accounts[*ordinal as usize].as_ref()?;
            let (head, events) = (chains.head(*ordinal), chains.events(*ordinal));
            Some((*key, MapLeaf::of(secret, head, events)))
        };
        let leaves = in_parts(&changed, |some| MapLeaf::hashes(some.iter().filter_map(leaf)));
        // A name that was erased may have come again.
        self.map.apply(self.gone.drain(..).map(|key| (key, None)).collect());
        self.map.apply_with(leaves, &mut climb);
        let (size, accounts) = (self.pages.position(), self.accounts.len() as u64);
        let root = self.map.root();
        if let Some(kept) = &mut self.kept {
            kept.root = root;
        }
        Seal { size, accounts, root, at_ms }
    }

    /// How many accounts' chains went on since the last seal.
    pub(super) fn changed_accounts(&self) -> usize {
        self.chains.changed() + self.gone.len()
    }
}
