//! A log as it was at a checkpoint: what a certificate is made of.

use std::path::Path;

use commitment::{
    ControlKind, Digest, Domain, ENVELOPE, Frame, KeyedDomain, MapKey, MapLeaf, MapProof, SALT,
    SUMMARY, Seal, hash, hex, keyed, page_path, tree_leaf,
};

use super::tree::TreeFolder;
use super::walked::{Met, Walked};
use super::{SealError, TreeHead, kept, store_folder};
use crate::batches::corrupt;
use crate::head_file::Durable;
use crate::locate::Locator;
use crate::{ReadError, Reader};

/// A log up to a seal.
pub struct SealedLog {
    folder: crate::folder::Folder,
    walked: Walked,
    head: TreeHead,
}

/// A control frame in its place in the log's tree.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlacedControl {
    /// What it is.
    pub kind: ControlKind,
    /// Random.
    pub salt: [u8; SALT],
    /// What it says.
    pub body: Vec<u8>,
    /// The leaf's number in its page, from 0.
    pub leaf: u32,
    /// The hashes beside its way in its page.
    pub in_page: Vec<Digest>,
    /// The page's summary.
    pub summary: [u8; SUMMARY],
    /// The hashes beside the page's way in the tree.
    pub in_tree: Vec<Digest>,
}

/// An account's events up to the seal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ShownStream {
    /// The account's number.
    pub ordinal: u32,
    /// The salt of its name.
    pub name_salt: [u8; 16],
    /// The hash of its secret.
    pub secret_hash: Digest,
    /// By revision.
    pub events: Vec<ShownEvent>,
    /// Its secret: it must not be shown.
    secret: [u8; 32],
}

/// An event as its frame has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ShownEvent {
    /// All of it.
    Whole {
        /// Its envelope.
        envelope: [u8; ENVELOPE],
        /// Its salt.
        salt: [u8; SALT],
        /// Its content, behind zeros if it is short.
        padded: Vec<u8>,
        /// Its place in the log.
        position: u64,
    },
    /// One of which the content was erased.
    Envelope {
        /// Its envelope.
        envelope: [u8; ENVELOPE],
        /// The salted hash of the content.
        content: Digest,
        /// Its place in the log.
        position: u64,
    },
    /// One that was erased to its leaf.
    Leaf {
        /// The leaf.
        leaf: Digest,
        /// Its place in the log.
        position: u64,
    },
}

impl ShownEvent {
    /// Its place in the log.
    #[must_use]
    pub const fn position(&self) -> u64 {
        match self {
            ShownEvent::Whole { position, .. }
            | ShownEvent::Envelope { position, .. }
            | ShownEvent::Leaf { position, .. } => *position,
        }
    }

    /// Its envelope, if it is left.
    #[must_use]
    pub const fn envelope(&self) -> Option<&[u8; ENVELOPE]> {
        match self {
            ShownEvent::Whole { envelope, .. } | ShownEvent::Envelope { envelope, .. } => {
                Some(envelope)
            }
            ShownEvent::Leaf { .. } => None,
        }
    }

    /// The salted hash of the content, if that or it is left.
    #[must_use]
    pub fn content_hash(&self) -> Option<Digest> {
        match self {
            ShownEvent::Whole { salt, padded, .. } => Some(hash(Domain::Content, &[salt, padded])),
            ShownEvent::Envelope { content, .. } => Some(*content),
            ShownEvent::Leaf { .. } => None,
        }
    }
}

impl ShownStream {
    /// The tag of an item of the account.
    #[must_use]
    pub fn tag(&self, item: &str) -> [u8; 16] {
        keyed(&self.secret, KeyedDomain::Item, item.as_bytes())
    }
}

impl SealedLog {
    /// Of the tree of so many pages, which must end with a seal.
    ///
    /// # Errors
    /// [`SealError`]
    pub fn open(dir: &Path, reader: &Reader, pages: u64) -> Result<SealedLog, SealError> {
        let folder = store_folder(dir)?;
        let store = reader.store();
        // Where the chains end may have been kept at this seal, or at an earlier one.
        let kept = kept::load(&folder, &store, reader.end());
        let kept = kept.filter(|walked| walked.pages.closed() <= pages);
        let read = |mut walked: Walked| {
            let is_there = walked.read(&folder, reader.end(), Some(pages))?;
            Ok::<_, ReadError>((walked, is_there))
        };
        let kept = kept.and_then(|kept| read(kept).ok()).filter(|(kept, _)| !kept.is_refuted());
        let (walked, is_there) = kept.map_or_else(|| read(Walked::new(store)), Ok)?;
        let head = walked.sealed.clone().filter(|head| is_there && head.pages == pages);
        let head = head.ok_or(SealError::Elsewhere { pages })?;
        Ok(SealedLog { folder, walked, head })
    }

    /// The tree's head.
    #[must_use]
    pub fn head(&self) -> &TreeHead {
        &self.head
    }

    /// The seal in its place.
    ///
    /// # Errors
    /// [`SealError`]
    pub fn seal(&self) -> Result<PlacedControl, SealError> {
        let seal = self.walked.controls.iter().rev().find(|met| met.kind == ControlKind::Seal);
        self.place(seal.ok_or(SealError::Unsealed)?)
    }

    /// The last adoption of a policy whose compiled form this is, if there is one.
    ///
    /// # Errors
    /// [`SealError`]
    pub fn adoption(&self, compiled: &[u8]) -> Result<Option<PlacedControl>, SealError> {
        let is_it = |met: &&Met| {
            let control = commitment::Control::decode(met.kind, &met.body);
            matches!(control, Ok(commitment::Control::Adoption { compiled: c, .. }) if c == compiled)
        };
        self.walked.controls.iter().rev().find(is_it).map(|met| self.place(met)).transpose()
    }

    fn place(&self, met: &Met) -> Result<PlacedControl, SealError> {
        let tree = TreeFolder::new(&self.folder);
        Ok(PlacedControl {
            kind: met.kind,
            salt: met.salt,
            body: met.body.clone(),
            leaf: met.leaf,
            in_page: page_path(&met.leaves, met.leaf as usize),
            summary: met.summary,
            in_tree: tree.tiles(self.head.pages).prove_inclusion(met.page)?,
        })
    }

    /// The record of an erasure, by its number from 0 in the order of the log; `None` if it is behind the seal.
    ///
    /// # Errors
    /// [`SealError`]
    pub fn erasure(&self, number: u64) -> Result<Option<PlacedControl>, SealError> {
        let is_erasure = |met: &&Met| met.kind == ControlKind::Erasure;
        let mut erasures = self.walked.controls.iter().filter(is_erasure);
        let number = usize::try_from(number).unwrap_or(usize::MAX);
        erasures.nth(number).map(|met| self.place(met)).transpose()
    }

    /// What the seal's account map says of an account: where its chain ends, or that it is not there: erased then, or
    /// never named.
    ///
    /// # Errors
    /// [`SealError::Erased`], [`SealError::Kept`]
    pub fn map(&self, account: &str) -> Result<MapProof, SealError> {
        let key = MapKey::of(&hex(&self.walked.store), account);
        let proof = match self.find(&key) {
            _ if !self.walked.has_map() => {
                return Err(SealError::Erased { pages: self.head.pages });
            }
            Some((ordinal, secret)) => {
                let chains = &self.walked.chains;
                let leaf = MapLeaf::of(secret, chains.head(ordinal), chains.events(ordinal));
                self.walked.map.prove(&key, leaf)
            }
            None => self.walked.map.prove_absence(&key),
        };
        proof.ok_or(SealError::Kept)
    }

    /// The ordinal and the secret of an account that has an event up to the seal.
    fn find(&self, key: &MapKey) -> Option<(u32, &[u8; 32])> {
        let accounts = (0u32..).zip(&self.walked.accounts);
        let mut known =
            accounts.filter_map(|(ordinal, account)| Some((ordinal, account.as_ref()?)));
        let (ordinal, account) = known.find(|(_, account)| account.key == *key)?;
        (self.walked.chains.events(ordinal) > 0).then_some((ordinal, &account.secret))
    }

    /// The frames of an account's events up to the seal; `None` if it has none.
    ///
    /// # Errors
    /// [`SealError`]
    pub fn stream(&self, reader: &Reader, account: &str) -> Result<Option<ShownStream>, SealError> {
        let key = MapKey::of(&hex(&self.walked.store), account);
        let Some((ordinal, secret)) = self.find(&key) else { return Ok(None) };
        let Seal { size, .. } = self.head.seal;
        let mut events = Vec::new();
        let mut locator = Locator::default();
        let end: Durable = reader.end();
        for position in reader.positions(account)?.into_iter().filter(|at| *at < size) {
            let place = locator.find(&self.folder, end, position)?.place;
            let bytes = locator.frame(&self.folder, end, place)?;
            let bad = |fault: commitment::Fault| {
                corrupt(&self.folder, place.segment, fault.moved(place.offset), Some(position))
            };
            let (frame, _) = Frame::read(bytes).map_err(bad)?;
            events.push(match frame {
                Frame::Event { envelope, salt, padded } => {
                    let (envelope, salt, padded) = (*envelope, *salt, padded.to_vec());
                    ShownEvent::Whole { envelope, salt, padded, position }
                }
                Frame::ContentErased { envelope, content } => {
                    let (envelope, content) = (*envelope, *content);
                    ShownEvent::Envelope { envelope, content, position }
                }
                Frame::EventErased { leaf, .. } => ShownEvent::Leaf { leaf: *leaf, position },
                _ => {
                    let (expected, found) = ("an event's frame".to_owned(), "another".to_owned());
                    return Err(bad(commitment::Fault { offset: 0, expected, found }).into());
                }
            });
        }
        Ok(Some(ShownStream {
            ordinal,
            name_salt: keyed(secret, KeyedDomain::NameSalt, &[]),
            secret_hash: hash(Domain::Secret, &[secret]),
            events,
            secret: *secret,
        }))
    }
}

/// The leaf hashes of a log's closed pages, the first `most` of them: what its tree is over.
///
/// # Errors
/// [`SealError`]
pub fn page_leaves(dir: &Path, reader: &Reader, most: u64) -> Result<Vec<Digest>, SealError> {
    let folder = store_folder(dir)?;
    let mut walked = Walked::new(reader.store());
    walked.read(&folder, reader.end(), Some(most))?;
    let most = usize::try_from(most).unwrap_or(usize::MAX);
    Ok(walked.summaries.iter().take(most).map(|summary| tree_leaf(summary)).collect())
}

impl Reader {
    /// The positions of an account's events, rising.
    ///
    /// # Errors
    /// [`ReadError`]
    pub fn positions(&self, account: &str) -> Result<Vec<u64>, ReadError> {
        let history = self.account_history(account)?;
        let steps = history.iter().flat_map(|h| &h.steps).map(|step| step.position);
        let leaves = history.iter().flat_map(|h| &h.erased.leaves).map(|leaf| leaf.position);
        let mut positions: Vec<u64> = steps.chain(leaves).collect();
        positions.sort_unstable();
        Ok(positions)
    }
}
