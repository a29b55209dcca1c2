//! What a check asks of control frames: above all that a seal says of the log before it what is so.

use super::report::Sealed;
use super::{Level, LogCheck};
use crate::control::{Control, ControlKind, Seal};
use crate::fault::{Fault, same, same_bytes};
use crate::frame::{FRAME_HEADER, SALT};
use crate::hash::Digest;
use crate::map::{AccountMap, MapKey, MapLeaf};

/// The seals of a log as they are met.
#[derive(Default)]
pub(super) struct Seals {
    pub(super) seen: Vec<Sealed>,
    /// Whether the last one's page is open still.
    pub(super) is_open: bool,
    /// What their roots are held against.
    map: Option<Mapping>,
}

struct Mapping {
    origin: String,
    map: AccountMap,
    /// Ordinals whose chains went on since the last seal; some of them more than once.
    changed: Vec<u32>,
}

impl Seals {
    /// The chain of this account goes on.
    pub(super) fn note(&mut self, ordinal: u32) {
        if let Some(mapping) = &mut self.map {
            mapping.changed.push(ordinal);
        }
    }
}

/// Where a control frame's body begins behind its salt, from the frame's beginning.
const BODY_AT: usize = FRAME_HEADER + SALT;

impl LogCheck {
    /// Also makes the account map of the log of this origin anew (at [`Level::Full`]), and holds each seal's root
    /// against it. More memory: 140 bytes an account, and 4 an event from one seal to the next.
    #[must_use]
    pub fn mapping(mut self, origin: &str) -> LogCheck {
        let (origin, map) = (origin.to_owned(), AccountMap::default());
        self.seals.map = Some(Mapping { origin, map, changed: Vec::new() });
        self
    }

    /// Holds a control frame's body against the log before it.
    pub(super) fn control(&mut self, kind: ControlKind, body: &[u8]) -> Result<(), Fault> {
        if let Some(awaited) = self.awaited {
            let expected = format!("an event of account {awaited}, which was just named");
            return Err(Fault::new(0, expected, "a control frame"));
        }
        let control = Control::decode(kind, body).and_then(|control| match control {
            Control::Seal(seal) => self.seal(seal),
            Control::Erasure(_) | Control::Adoption { .. } | Control::Statement { .. } => Ok(()),
        });
        control.map_err(|fault| fault.moved(BODY_AT as u64))
    }

    fn seal(&mut self, seal: Seal) -> Result<(), Fault> {
        same(0, "a seal whose events are", self.pages.position(), seal.size)?;
        same(0, "a seal whose accounts are", self.named, seal.accounts)?;
        if seal.at_ms < self.pages.clock_ms() {
            let expected = format!("a seal at {} ms or later", self.pages.clock_ms());
            return Err(Fault::new(0, expected, format!("{} ms", seal.at_ms)));
        }
        if let (Level::Full, Some(mut mapping)) = (self.level, self.seals.map.take()) {
            self.accounts.chains.link();
            self.map(&mut mapping);
            let root = mapping.map.root();
            self.seals.map = Some(mapping);
            same_bytes(0, "a seal of the account map's root", &root, &seal.root)?;
        }
        self.pages.set_clock_ms(seal.at_ms);
        self.seals.seen.push(Sealed { page: self.pages.closed(), seal });
        self.seals.is_open = true;
        Ok(())
    }

    /// Makes the map anew of all accounts' chains; gives its root.
    pub(super) fn map_all(&mut self) -> Digest {
        let Some(mut mapping) = self.seals.map.take() else { return [0; 32] };
        mapping.changed = (0..self.accounts.chains.len() as u32).collect();
        self.map(&mut mapping);
        let root = mapping.map.root();
        self.seals.map = Some(mapping);
        root
    }

    /// Brings a map up to what the accounts' chains are now.
    fn map(&self, mapping: &mut Mapping) {
        mapping.changed.sort_unstable();
        mapping.changed.dedup();
        let leaf = |ordinal: u32| {
            let name = self.accounts.name(ordinal).expect("its chain went on");
            let (secret, chains) = (self.accounts.secret(ordinal), &self.accounts.chains);
            let leaf = MapLeaf::of(secret, chains.head(ordinal), chains.events(ordinal));
            (MapKey::of(&mapping.origin, name), leaf)
        };
        let leaves: Vec<_> = mapping.changed.drain(..).map(leaf).collect();
        let hashes = MapLeaf::hash_all(&leaves);
        let changes = leaves.iter().zip(hashes).map(|((key, _), hash)| (*key, Some(hash)));
        mapping.map.apply(changes.collect());
    }
}
