//! Readings: other ways in which the same text can be read.
//!
//! A reading's `set` is laid over its version's table and the result is compiled as a version is,
//! so that a reading leaves a sound policy or is an error at its own place. Keys are dotted
//! (`"trash.basis" = "tier_now"`) or nested (`trash.basis = "tier_now"`, `trash = { basis = … }`).
//! A key that is given is set and what is not named stays. `trash.categories` written as `{ … }`
//! is one value, set as a whole; `trash.categories.NAME` sets one category. A tier must be one of
//! the version's, and so must a stage. One whose name has dots, or a category, can be named like any other:
//! `"tiers.NAME.trash"`, `"trash.categories.NAME"`.

use std::collections::{BTreeMap, BTreeSet};

use crate::error::Fault;
use crate::tree::{Key, Node, Section, Table, Value};
use crate::{Policy, Reading, Setting, compile};

/// What a reading may set.
const SETTABLE: &str = "a reading sets keys under tiers, trash, inactivity, quota, stages, backup and clock, and on_change";

impl Policy {
    /// The names of the readings of all versions, in byte order.
    #[must_use]
    pub fn readings(&self) -> Vec<String> {
        let mut ids = BTreeSet::new();
        ids.extend(self.versions.iter().flat_map(|v| &v.readings).map(|r| r.id.clone()));
        ids.into_iter().collect()
    }

    /// The policy under the reading `id` alone, set in each version that names it; `None` where
    /// none does. It has no readings itself.
    #[must_use]
    pub fn with_reading(&self, id: &str) -> Option<Policy> {
        let mut named = false;
        let mut read = self.clone();
        for version in &mut read.versions {
            let readings = std::mem::take(&mut version.readings);
            if let Some(reading) = readings.into_iter().find(|reading| reading.id == id) {
                *version = reading.version;
                named = true;
            }
        }
        named.then_some(read)
    }
}

/// The readings of a version, whose table is `base`.
pub(crate) fn readings(list: &Node, base: &Table) -> Result<Vec<Reading>, Fault> {
    let mut readings: Vec<Reading> = Vec::new();
    for node in list.list("tables ([[version.readings]])")? {
        let mut file = Section::of(Some(node))?;
        let id_node = file.need("id")?;
        let id = id_node.name()?.to_owned();
        if id == "default" {
            return Err(
                id_node.fault("\"default\" is the policy as it stands: choose another name")
            );
        }
        if readings.iter().any(|reading| reading.id == id) {
            return Err(id_node.fault(format!("a reading before it is called {id:?} too")));
        }
        let set_node = file.get("set");
        file.end()?;
        let mut laid = Laid { table: base.clone(), set: BTreeMap::new() };
        if let Some(set) = set_node {
            for (key, value) in &set.table()?.entries {
                let path = dotted(&key.name, base);
                laid.lay(&path, key, value)?;
            }
        }
        let version = compile::version(&Node {
            offset: node.offset,
            path: node.path.clone(),
            value: Value::Table(laid.table),
        })?;
        readings.push(Reading { id, set: laid.set, version });
    }
    Ok(readings)
}

/// A version's table with the keys of a `set` laid over it so far.
struct Laid {
    table: Table,
    set: BTreeMap<String, Setting>,
}

impl Laid {
    fn lay(&mut self, path: &[&str], key: &Key, value: &Node) -> Result<(), Fault> {
        if let Value::Table(nested) = &value.value
            && is_section(path, nested)
        {
            for (key, value) in &nested.entries {
                let path: Vec<&str> = path.iter().copied().chain([key.name.as_str()]).collect();
                self.lay(&path, key, value)?;
            }
            return Ok(());
        }
        let settable = matches!(
            path,
            ["on_change"]
                | ["tiers" | "trash" | "inactivity" | "quota" | "stages" | "backup" | "clock", ..]
        );
        if !settable {
            return Err(key.fault(SETTABLE));
        }
        if let [section @ ("tiers" | "stages"), name, ..] = path
            && self
                .table
                .get(section)
                .is_none_or(|named| named.table().is_ok_and(|named| named.get(name).is_none()))
        {
            let what = section.trim_end_matches('s');
            return Err(key.fault(format!("the version has no {what} {name:?}")));
        }
        if self.set.insert(path.join("."), value.setting()).is_some() {
            return Err(key.fault("is set twice"));
        }
        let (last, sections) = path.split_last().expect("a path has a part");
        let mut table = &mut self.table;
        for name in sections {
            let section = table.entry(&Key { name: (*name).to_owned(), ..key.clone() });
            table = match &mut section.value {
                Value::Table(table) => table,
                _ => return Err(key.fault(format!("{name:?} is not a table"))),
            };
        }
        // The key's own place, should it be unknown.
        let key = Key { name: (*last).to_owned(), ..key.clone() };
        table.entry(&key);
        let entry = table.entries.iter_mut().find(|(k, _)| k.name == key.name);
        *entry.expect("made above") = (key, value.clone());
        Ok(())
    }
}

/// Whether a table given for `path` names keys to set, rather than being a value itself.
fn is_section(path: &[&str], table: &Table) -> bool {
    match path {
        ["tiers" | "stages"] | ["tiers" | "stages", _] => true,
        ["trash" | "inactivity" | "quota" | "backup" | "clock"] => true,
        ["trash", "categories"] => !table.inline,
        _ => false,
    }
}

/// The parts of a dotted key. The names of tiers, stages and categories may have dots themselves.
fn dotted<'a>(key: &'a str, version: &Table) -> Vec<&'a str> {
    if let Some(category) = key.strip_prefix("trash.categories.") {
        return vec!["trash", "categories", category];
    }
    for section in ["tiers", "stages"] {
        let Some(rest) = key.strip_prefix(section).and_then(|rest| rest.strip_prefix('.')) else {
            continue;
        };
        let is_name = version
            .get(section)
            .is_some_and(|named| named.table().is_ok_and(|named| named.get(rest).is_some()));
        return match rest.rsplit_once('.') {
            Some((name, key)) if !is_name => vec![section, name, key],
            _ => vec![section, rest],
        };
    }
    key.split('.').collect()
}
