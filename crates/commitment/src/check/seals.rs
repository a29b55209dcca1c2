//! What a check asks of control frames: above all that a seal says of the log before it what is so.

use std::collections::HashMap;

use super::report::Sealed;
use super::{Level, LogCheck};
use crate::control::{Control, ControlKind, Seal};
use crate::erasure::Ranges;
use crate::fault::{Fault, same, same_bytes};
use crate::frame::{FRAME_HEADER, SALT};
use crate::hash::Digest;
use crate::map::{AccountMap, Climb, MapKey, MapLeaf};

/// The seals of a log as they are met.
#[derive(Default)]
pub(super) struct Seals {
    pub(super) seen: Vec<Sealed>,
    /// What their roots are held against.
    map: Option<Mapping>,
}

/// Accounts by their ordinals: their names and secrets.
pub(super) type Former = HashMap<u32, (Box<str>, [u8; 32])>;

struct Mapping {
    origin: String,
    map: AccountMap,
    climb: fn(&mut [Climb]),
    /// Of accounts whose names are erased in the log, and were known when an earlier check stood at a seal.
    former: Former,
    /// Keys of accounts that left the map since the last seal.
    left: Vec<MapKey>,
}

/// As many keys are hashed at once: that bounds the memory they take.
const KEYS: usize = 1 << 12;

impl Seals {
    /// The names and secrets that an earlier check knew, of accounts that are still in the map.
    pub(super) fn former(&self) -> Former {
        self.map.as_ref().map(|mapping| mapping.former.clone()).unwrap_or_default()
    }

    /// Whether an earlier check knew this account, whose name is erased by now.
    pub(super) fn is_former(&self, ordinal: u32) -> bool {
        self.map.as_ref().is_some_and(|mapping| mapping.former.contains_key(&ordinal))
    }
}

/// Where a control frame's body begins behind its salt, from the frame's beginning.
const BODY_AT: usize = FRAME_HEADER + SALT;

impl LogCheck {
    /// Also makes the account map of the log of this origin anew (at [`Level::Full`]), and holds each seal's root
    /// against it; not that of a seal before which an account was named that was erased behind it. More memory: 140
    /// bytes an account. `climb` does [`Climb::run`], on several threads if there are.
    #[must_use]
    pub fn mapping(mut self, origin: &str, climb: fn(&mut [Climb])) -> LogCheck {
        let (origin, map) = (origin.to_owned(), AccountMap::default());
        let (former, left) = (HashMap::new(), Vec::new());
        self.seals.map = Some(Mapping { origin, map, climb, former, left });
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
            Control::Erasure(erasure) => self.erasure(&erasure),
            Control::Adoption { .. } | Control::Statement { .. } => Ok(()),
        });
        control.map_err(|fault| fault.moved(BODY_AT as u64))
    }

    fn seal(&mut self, seal: Seal) -> Result<(), Fault> {
        same(0, "a seal whose events are", self.pages.position(), seal.size)?;
        same(0, "a seal whose accounts are", self.named, seal.accounts)?;
        self.is_on_time("a seal", seal.at_ms)?;
        let has_map = self.erasures.unrecorded_names == 0;
        if has_map && self.level == Level::Full && self.seals.map.is_some() {
            self.accounts.chains.link();
            let changed = self.accounts.chains.take_changed();
            let root = self.map_of(&changed);
            same_bytes(0, "a seal of the account map's root", &root, &seal.root)?;
        }
        self.pages.set_clock_ms(seal.at_ms);
        self.seals.seen.push(Sealed { page: self.pages.closed(), seal, has_map });
        self.closing = Some("the seal");
        Ok(())
    }

    /// What moves the log's clock on is not before it.
    pub(super) fn is_on_time(&self, what: &str, at_ms: i64) -> Result<(), Fault> {
        let clock_ms = self.pages.clock_ms();
        if at_ms >= clock_ms {
            return Ok(());
        }
        Err(Fault::new(0, format!("{what} at {clock_ms} ms or later"), format!("{at_ms} ms")))
    }

    /// These accounts leave the map: a record of the log says that they were erased. Gives how many an earlier check
    /// knew.
    pub(super) fn unmap(&mut self, names: &Ranges) -> u64 {
        let Some(Mapping { origin, former, left, .. }) = &mut self.seals.map else { return 0 };
        let known = left.len();
        for ordinal in names.numbers() {
            if former.is_empty() {
                break;
            }
            let gone = u32::try_from(ordinal).ok().and_then(|ordinal| former.remove(&ordinal));
            left.extend(gone.map(|(name, _)| MapKey::of(origin, &name)));
        }
        (left.len() - known) as u64
    }

    /// Makes the map anew of all accounts' chains; gives its root. Of those in `former` an earlier check knew the names and
    /// the secrets, which are erased by now.
    pub(super) fn map_all(&mut self, former: Former) -> Digest {
        let Some(mut mapping) = self.seals.map.take() else { return [0; 32] };
        mapping.former = former;
        self.seals.map = Some(mapping);
        let all: Vec<u32> = (0..self.accounts.chains.len() as u32).collect();
        self.map_of(&all)
    }

    /// The map's root once it is brought up to what the chains of these accounts are now.
    fn map_of(&mut self, changed: &[u32]) -> Digest {
        let Some(mut mapping) = self.seals.map.take() else { return [0; 32] };
        self.map(&mut mapping, changed);
        let root = mapping.map.root();
        self.seals.map = Some(mapping);
        root
    }

    /// Brings a map up to what the accounts' chains are now.
    fn map(&self, mapping: &mut Mapping, changed: &[u32]) {
        let Mapping { origin, map, climb, former, left } = mapping;
        let leaf = |ordinal: &u32| {
            let accounts = &self.accounts;
            let known = accounts.name(*ordinal).map(|name| (name, accounts.secret(*ordinal)));
            let known_before = || former.get(ordinal).map(|(name, secret)| (&**name, secret));
            // Of neither: it was erased before this seal.
            let (name, secret) = known.or_else(known_before)?;
            let (head, events) = (accounts.chains.head(*ordinal), accounts.chains.events(*ordinal));
            Some((name, MapLeaf::of(secret, head, events)))
        };
        // A name that was erased may have come again.
        map.apply(left.drain(..).map(|key| (key, None)).collect());
        let leaves = changed.chunks(KEYS).flat_map(|some| {
            let (names, leaves): (Vec<&str>, Vec<MapLeaf>) = some.iter().filter_map(&leaf).unzip();
            MapKey::of_all(origin, names.into_iter()).into_iter().zip(leaves)
        });
        map.apply_with(MapLeaf::hashes(leaves), climb);
    }
}
