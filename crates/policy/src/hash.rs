//! The hash of a policy: BLAKE3 over its compiled form in canonical `MessagePack`.
//!
//! ```text
//! policy  = ["stillthere policy", 1, name, zone, [version…]]          versions by effective_from
//! zone    = [offset_s, [[at_ms, offset_s]…]]                          before the first change; changes
//!                                                                     before the year 2500
//! version = [id, effective_from_ms, confidence, H(source), rules, [clause…], [reading…]]
//! rules   = [on_change,
//!            [[tier, quota_bytes | nil, window]…],                    in the order of the file
//!            [basis, days, purge_lag, counts_toward_quota,
//!             [[category, window]…], [no_trash…]],                    by name
//!            [window, [reset…], [actor…], notice, [exempt_tier…]],    by number, by number, by name
//!            over, stale_after, late_after]
//!         | the same, and [full, [everywhere…], [stage…]]             where it has one of these
//!         | the same, and [full, [everywhere…], [stage…], keep]       where it says how long records are kept
//! full    = nil (never) | [percent, of, window, shortens]
//! stage   = [name, when, after, [act…], [category…], notice]          by name; acts by number
//! window  = nil (never) | [unit, n]                                   unit: 0 d, 1 mo, 2 y
//! clause  = [id, [for…], [[language, H(text)]…]]                      in the order of the file; by name
//!         | [id, [for…], [[language, H(text)]…],
//!            [confidence | nil, H(source) | nil, seen | nil]]         where it says one of these
//! reading = [id, rules]                                               by id: the rules that it leaves
//! ```
//!
//! Words (`confidence`, `on_change`, `basis`, `days`, `over`, `of`, `shortens`, `when`, acts, kinds, actors) are their numbers,
//! names are strings, times milliseconds since the epoch, H is BLAKE3 as 32 bytes; integers and
//! lengths take their shortest form, names are in byte order. The zone's name is not in it, nor
//! how the file is laid out, what it says by default, or how a reading spells what it sets.
//! [`Policy::from_canonical_bytes`] reads it back.

use std::fmt;

use rmp::encode as mp;

use crate::{Policy, Stated, Version, Window, Zone};

/// What a compiled form begins with.
pub(crate) const MARK: &str = "stillthere policy";
/// The number of this layout.
pub(crate) const LAYOUT: u8 = 1;

/// The hash of a policy.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PolicyHash([u8; 32]);

impl PolicyHash {
    /// From its bytes.
    #[must_use]
    pub const fn from_bytes(bytes: [u8; 32]) -> PolicyHash {
        PolicyHash(bytes)
    }

    /// Of the policy with this compiled form.
    #[must_use]
    pub fn of_compiled(bytes: &[u8]) -> PolicyHash {
        PolicyHash(*blake3::hash(bytes).as_bytes())
    }

    /// Its bytes.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

/// 64 digits, in lower case.
impl fmt::Display for PolicyHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(blake3::Hash::from_bytes(self.0).to_hex().as_str())
    }
}

impl serde::Serialize for PolicyHash {
    fn serialize<S: serde::Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        s.collect_str(self)
    }
}

impl Policy {
    /// The hash of [`Policy::canonical_bytes`].
    #[must_use]
    pub fn hash(&self) -> PolicyHash {
        PolicyHash::of_compiled(&self.canonical_bytes())
    }

    /// The compiled form, as the module's page lays it out.
    #[must_use]
    pub fn canonical_bytes(&self) -> Vec<u8> {
        let mut out = Out(Vec::with_capacity(1024));
        out.list(5);
        out.text(MARK);
        out.number(i64::from(LAYOUT));
        out.text(&self.name);
        out.zone(&self.zone);
        out.each(&self.versions, Out::version);
        out.0
    }
}

/// Canonical `MessagePack`. Writing to memory does not fail.
struct Out(Vec<u8>);

impl Out {
    fn list(&mut self, len: usize) {
        let len = u32::try_from(len).expect("a policy file is under 2^32 values");
        mp::write_array_len(&mut self.0, len).expect("memory");
    }

    fn each<T>(
        &mut self,
        items: impl IntoIterator<Item = T, IntoIter: ExactSizeIterator>,
        mut write: impl FnMut(&mut Out, T),
    ) {
        let items = items.into_iter();
        self.list(items.len());
        for item in items {
            write(self, item);
        }
    }

    fn text(&mut self, text: &str) {
        mp::write_str(&mut self.0, text).expect("memory");
    }

    fn number(&mut self, number: i64) {
        mp::write_sint(&mut self.0, number).expect("memory");
    }

    fn hash(&mut self, hash: &[u8; 32]) {
        mp::write_bin(&mut self.0, hash).expect("memory");
    }

    fn nil(&mut self) {
        mp::write_nil(&mut self.0).expect("memory");
    }

    fn window(&mut self, window: Window) {
        let (unit, n) = match window {
            Window::Never => return self.nil(),
            Window::Days(n) => (0, n),
            Window::Months(n) => (1, n),
            Window::Years(n) => (2, n),
        };
        self.list(2);
        self.number(unit);
        self.number(i64::from(n));
    }

    fn zone(&mut self, zone: &Zone) {
        self.list(2);
        self.number(zone.first_offset_s());
        self.each(zone.changes(), |out, (at_ms, offset_s)| {
            out.list(2);
            out.number(at_ms);
            out.number(offset_s);
        });
    }

    fn version(&mut self, version: &Version) {
        self.list(7);
        self.text(&version.id);
        self.number(version.effective_from.ms());
        self.number(i64::from(version.confidence.number()));
        let mut known = version.text_hashes.iter();
        let mut hash_of = |text: &str| {
            known.next().copied().unwrap_or_else(|| *blake3::hash(text.as_bytes()).as_bytes())
        };
        self.hash(&hash_of(&version.source));
        self.rules(version);
        self.each(version.clauses.iter(), |out, clause| {
            let stated = &clause.stated;
            let says_where = *stated != Stated::default();
            out.list(if says_where { 4 } else { 3 });
            out.text(&clause.id);
            out.each(&clause.for_, |out, word| out.text(word));
            out.each(&clause.text, |out, (language, text)| {
                out.list(2);
                out.text(language);
                out.hash(&hash_of(text));
            });
            if says_where {
                out.list(3);
                match stated.confidence {
                    Some(confidence) => out.number(i64::from(confidence.number())),
                    None => out.nil(),
                }
                match &stated.source {
                    Some(source) => out.hash(&hash_of(source)),
                    None => out.nil(),
                }
                match &stated.seen {
                    Some(seen) => out.text(seen),
                    None => out.nil(),
                }
            }
        });
        let mut readings: Vec<_> = version.readings.iter().collect();
        readings.sort_by_key(|reading| &reading.id);
        self.each(readings, |out, reading| {
            out.list(2);
            out.text(&reading.id);
            out.rules(&reading.version);
        });
    }

    fn rules(&mut self, version: &Version) {
        let says_more = version.says_more();
        self.list(if says_more { 8 } else { 7 });
        self.number(i64::from(version.on_change.number()));
        self.each(&version.tiers, |out, tier| {
            out.list(3);
            out.text(&tier.name);
            match tier.quota {
                Some(bytes) => drop(mp::write_uint(&mut out.0, bytes).expect("memory")),
                None => out.nil(),
            }
            out.window(tier.trash);
        });
        let trash = &version.trash;
        self.list(6);
        self.number(i64::from(trash.basis.number()));
        self.number(i64::from(trash.days.number()));
        self.window(trash.purge_lag);
        mp::write_bool(&mut self.0, trash.counts_toward_quota).expect("memory");
        self.each(&trash.categories, |out, (category, window)| {
            out.list(2);
            out.text(category);
            out.window(*window);
        });
        self.each(&trash.no_trash, |out, category| out.text(category));
        self.list(5);
        self.window(version.inactivity_window);
        let resets: Vec<_> = version.resets.iter().collect();
        self.each(resets, |out, kind| out.number(i64::from(kind.number())));
        let actors: Vec<_> = version.actors.iter().collect();
        self.each(actors, |out, actor| out.number(i64::from(actor.number())));
        self.window(version.notice);
        self.each(&version.exempt_tiers, |out, tier| out.text(tier));
        self.number(i64::from(version.over.number()));
        self.window(version.stale_after);
        self.window(version.late_after);
        if says_more {
            self.more(version);
        }
    }

    fn more(&mut self, version: &Version) {
        let keeps = version.keep != Window::Never;
        self.list(if keeps { 4 } else { 3 });
        match &version.trash.full {
            None => self.nil(),
            Some(full) => {
                self.list(4);
                self.number(i64::from(full.percent));
                self.number(i64::from(full.of.number()));
                self.window(full.window);
                self.number(i64::from(full.shortens.number()));
            }
        }
        let everywhere: Vec<_> = version.everywhere.iter().collect();
        self.each(everywhere, |out, kind| out.number(i64::from(kind.number())));
        self.each(&version.stages, |out, (name, stage)| {
            out.list(6);
            out.text(name);
            out.number(i64::from(stage.when.number()));
            out.window(stage.after);
            let acts: Vec<_> = stage.admits.iter().collect();
            out.each(acts, |out, act| out.number(i64::from(act.number())));
            out.each(&stage.categories, |out, category| out.text(category));
            out.window(stage.notice);
        });
        if keeps {
            self.window(version.keep);
        }
    }
}
