//! Where every account's chain ends: what a walk over a log's frames finds, page by page.
//!
//! What is read is held against its checksums, its leaves, and its pages' summaries: so whoever signs a tree that
//! comes of this has read again what it stands for. A check of all that a log may not contain is `LogCheck`'s.

use std::collections::BTreeSet;

use commitment::{
    AccountMap, BATCH_HEADER, Chains, Control, ControlKind, Digest, Envelope, FRAME_HEADER, Fault,
    Frame, Frontier, MapKey, MapLeaf, Pages, SALT, SUMMARY, Seal, Summary, chain_start,
    event_leaves, hex, tree_leaf,
};
use event::RecordedBy;

use super::TreeHead;
use crate::ReadError;
use crate::batches::{Batches, Whole, corrupt};
use crate::derived::Place;
use crate::folder::Folder;
use crate::head_file::Durable;

/// Leaves that wait for their chains at most: many at once cost less than each by itself.
const WAITING: usize = 1 << 16;

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
    erased: BTreeSet<u32>,
    /// Keys of accounts that left the map since it was brought up to them.
    gone: Vec<MapKey>,
    pub(super) chains: Chains,
    /// Leaves that are not in their chains yet.
    waiting: usize,
    /// Ordinals whose chains went on since the map was brought up to them; each once but for those since the last link.
    changed: Vec<u32>,
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
    /// What the map's root has to be before these are applied: that of the last seal in the log, or made from it here.
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
            waiting: 0,
            changed: Vec::new(),
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
        (accounts, chains, map): (Vec<Option<Account>>, Chains, AccountMap),
        (tree, seal): (Frontier, Seal),
    ) -> Walked {
        let sealed = Some(TreeHead { pages: tree.count(), root: tree.root(), seal });
        let gone_on = vec![false; accounts.len()];
        let root = seal.root;
        let kept = Some(Kept { gone_on, unproven: Vec::new(), root, is_refuted: false });
        Walked { at, pages, accounts, chains, map, tree, sealed, kept, ..Walked::new(store) }
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
        let mut batches = Batches::new(folder, self.store, stop).from(self.at);
        loop {
            let position = batches.position;
            let Some(Whole { place, bytes }) = batches.next()? else { break };
            let is_over = self.batch(bytes, to_page).map_err(|f| {
                corrupt(folder, place.segment, f.moved(place.offset), Some(position))
            })?;
            self.at = batches.at();
            if is_over {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Takes a batch in, or as much of it as lies before a page.
    fn batch(&mut self, batch: &[u8], to_page: Option<u64>) -> Result<bool, Fault> {
        let mut frames = Vec::new();
        let mut at = BATCH_HEADER;
        while at < batch.len() {
            let (frame, len) = Frame::read(&batch[at..]).map_err(|f| f.moved(at as u64))?;
            frames.push((frame, at, len));
            at += len;
        }
        let events = frames.iter().filter_map(|(frame, ..)| match *frame {
            Frame::Event { envelope, salt, padded } => Some((envelope, salt, padded)),
            _ => None,
        });
        let leaves = event_leaves(&events.collect::<Vec<_>>());
        let mut leaves = leaves.into_iter();
        for (frame, at, len) in frames {
            let leaf = match frame {
                Frame::Event { .. } => leaves.next(),
                _ => frame.leaf(),
            };
            self.frame(&frame, leaf, &batch[at..at + len]).map_err(|f| f.moved(at as u64))?;
            let is_closed = matches!(frame, Frame::Trailer(_));
            if is_closed && Some(self.pages.closed()) == to_page {
                self.link();
                return Ok(true);
            }
        }
        Ok(false)
    }

    fn frame(
        &mut self,
        frame: &Frame<'_>,
        leaf: Option<Digest>,
        bytes: &[u8],
    ) -> Result<(), Fault> {
        if let Some(leaf) = &leaf {
            Frame::check(bytes, leaf)?;
            self.leaves.push(*leaf);
        }
        let whole = |offset: usize, expected: String, found: String| Fault {
            offset: offset as u64,
            expected,
            found,
        };
        match (*frame, leaf) {
            (Frame::Trailer(found), _) => {
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
            (Frame::Name { ordinal, secret, name }, Some(leaf)) => {
                self.is_next(ordinal)?;
                let key = MapKey::of(&self.origin, name);
                self.accounts.push(Some(Account { key, secret: *secret }));
                if let Some(kept) = &mut self.kept {
                    kept.unproven.push((key, None));
                }
                self.chains.push(chain_start(&leaf), 0);
                self.pages.push(leaf, bytes.len(), false);
            }
            (Frame::NameErased { ordinal, .. }, Some(leaf)) => {
                self.is_next(ordinal)?;
                self.accounts.push(None);
                self.erased.insert(ordinal);
                self.chains.push(chain_start(&leaf), 0);
                self.pages.push(leaf, bytes.len(), false);
            }
            (Frame::EventErased { ordinal, .. }, Some(leaf)) => {
                self.pages.hide_clock();
                self.event(FRAME_HEADER, ordinal, leaf, bytes.len())?;
            }
            (Frame::Event { envelope, .. } | Frame::ContentErased { envelope, .. }, Some(leaf)) => {
                let envelope =
                    Envelope::decode(envelope).map_err(|f| f.moved(FRAME_HEADER as u64))?;
                let Envelope { ordinal, recorded_by, recorded_at, .. } = envelope;
                if recorded_by == RecordedBy::Log {
                    let ms = recorded_at.ms().max(self.pages.clock_ms());
                    self.pages.set_clock_ms(ms);
                }
                self.event(FRAME_HEADER + 4, ordinal, leaf, bytes.len())?;
            }
            (Frame::Control { kind, salt, body }, Some(leaf)) => {
                let control = Control::decode(kind, body)
                    .map_err(|f| f.moved((FRAME_HEADER + SALT) as u64))?;
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
                        let at = FRAME_HEADER + SALT;
                        return Err(whole(at, format!("{own:?}"), format!("{seal:?}")));
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
            }
            (_, None) => unreachable!("only a trailer has no leaf"),
        }
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
        self.changed.push(ordinal);
        self.waiting += 1;
        if self.waiting >= WAITING {
            self.link();
        }
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
        self.link();
        self.prove_kept();
        let leaf = |ordinal: &u32| {
            let Account { key, secret } = self.accounts[*ordinal as usize].as_ref()?;
            let leaf =
                MapLeaf::of(secret, self.chains.head(*ordinal), self.chains.events(*ordinal));
            Some((*key, leaf))
        };
        let leaves: Vec<_> = self.changed.iter().filter_map(leaf).collect();
        let hashes = MapLeaf::hash_all(&leaves);
        let changes = leaves.iter().zip(hashes).map(|((key, _), hash)| (*key, Some(hash)));
        // A name that was erased may have come again.
        let gone = self.gone.drain(..).map(|key| (key, None));
        self.map.apply(gone.chain(changes).collect());
        self.changed.clear();
        let (size, accounts) = (self.pages.position(), self.accounts.len() as u64);
        let root = self.map.root();
        if let Some(kept) = &mut self.kept {
            kept.root = root;
        }
        Seal { size, accounts, root, at_ms }
    }

    /// How many accounts' chains went on since the last seal.
    pub(super) fn changed_accounts(&mut self) -> usize {
        self.link();
        self.changed.len() + self.gone.len()
    }

    /// Puts the leaves that wait into their chains, and keeps of who changed each but once.
    fn link(&mut self) {
        self.chains.link();
        self.waiting = 0;
        self.changed.sort_unstable();
        self.changed.dedup();
    }
}
