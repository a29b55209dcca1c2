//! What a check asks of control frames: above all that a seal says of the log before it what is so.

use super::report::Sealed;
use super::{Level, LogCheck};
use crate::control::{Control, ControlKind, Seal};
use crate::fault::{Fault, same, same_bytes};
use crate::frame::{FRAME_HEADER, SALT};
use crate::hash::Digest;
use crate::map::{AccountMap, Climb, MapKey, MapLeaf};

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
    climb: fn(&mut [Climb]),
}

/// As many keys are hashed at once: that bounds the memory they take.
const KEYS: usize = 1 << 12;

/// Where a control frame's body begins behind its salt, from the frame's beginning.
const BODY_AT: usize = FRAME_HEADER + SALT;

impl LogCheck {
    /// Also makes the account map of the log of this origin anew (at [`Level::Full`]), and holds each seal's root
    /// against it. More memory: 140 bytes an account. `climb` does [`Climb::run`], on several threads if there are.
    #[must_use]
    pub fn mapping(mut self, origin: &str, climb: fn(&mut [Climb])) -> LogCheck {
        let (origin, map) = (origin.to_owned(), AccountMap::default());
        self.seals.map = Some(Mapping { origin, map, climb });
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
            Control::Adoption { .. } | Control::Statement { .. } => Ok(()),
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
            let changed = self.accounts.chains.take_changed();
            self.map(&mut mapping, &changed);
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
        let all: Vec<u32> = (0..self.accounts.chains.len() as u32).collect();
        self.map(&mut mapping, &all);
        let root = mapping.map.root();
        self.seals.map = Some(mapping);
        root
    }

    /// Brings a map up to what the accounts' chains are now.
    fn map(&self, mapping: &mut Mapping, changed: &[u32]) {
        let leaf = |ordinal: u32| {
            let (secret, chains) = (self.accounts.secret(ordinal), &self.accounts.chains);
            MapLeaf::of(secret, chains.head(ordinal), chains.events(ordinal))
        };
        let Mapping { origin, map, climb } = mapping;
        let leaves = changed.chunks(KEYS).flat_map(|some| {
            let names = some.iter().map(|n| self.accounts.name(*n).expect("its chain went on"));
            MapKey::of_all(origin, names).into_iter().zip(some.iter().map(|n| leaf(*n)))
        });
        map.apply_leaves(leaves, climb);
    }
}
