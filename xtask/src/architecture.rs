//! Holds the crates' arrows, from `cargo metadata`, against the table in ARCHITECTURE.md.

use std::collections::{BTreeMap, BTreeSet};
use std::process::Command;

use serde_json::Value;

type Arrows = BTreeMap<String, BTreeSet<String>>;

/// Where the table and the workspace differ.
pub fn differences() -> Result<Vec<String>, String> {
    let page = std::fs::read_to_string(crate::root().join("ARCHITECTURE.md"))
        .map_err(|e| format!("ARCHITECTURE.md: {e}"))?;
    Ok(compare(&table(&page), &workspace()?))
}

fn compare(table: &Arrows, real: &Arrows) -> Vec<String> {
    let names: BTreeSet<&String> = table.keys().chain(real.keys()).collect();
    let said = |arrows: &Arrows, name: &str| match arrows.get(name) {
        Some(uses) => format!("{uses:?}"),
        None => "no such crate".to_owned(),
    };
    names
        .into_iter()
        .filter(|name| table.get(*name) != real.get(*name))
        .map(|name| {
            let (table, real) = (said(table, name), said(real, name));
            format!("ARCHITECTURE.md: crate {name} uses {real}, and the table says {table}")
        })
        .collect()
}

/// The rows `| crate | what | uses |` of the page; `–` is nothing.
fn table(page: &str) -> Arrows {
    let rows = page.lines().filter_map(|line| {
        let cells: Vec<&str> = line.trim().split('|').map(str::trim).collect();
        let [_, name, _, uses, _] = cells[..] else { return None };
        let name = name.strip_prefix('`')?.strip_suffix('`')?;
        let uses = uses.split(',').map(|used| used.trim().trim_matches('`'));
        let uses = uses.filter(|used| !used.is_empty() && *used != "–").map(str::to_owned);
        Some((name.to_owned(), uses.collect()))
    });
    rows.collect()
}

/// The workspace's crates by the names of their folders, and which of the workspace they use, not
/// counting what only tests use.
fn workspace() -> Result<Arrows, String> {
    let output = Command::new(env!("CARGO"))
        .args(["metadata", "--format-version", "1", "--no-deps"])
        .current_dir(crate::root())
        .output()
        .map_err(|e| format!("cargo metadata: {e}"))?;
    let metadata: Value =
        serde_json::from_slice(&output.stdout).map_err(|e| format!("cargo metadata: {e}"))?;
    let packages = metadata["packages"].as_array().ok_or("cargo metadata: no packages")?;
    let folder = |package: &Value| -> Option<String> {
        let manifest = package["manifest_path"].as_str()?;
        let folder = std::path::Path::new(manifest).parent()?.file_name()?;
        Some(folder.to_str()?.to_owned())
    };
    let folders: BTreeMap<&str, String> = packages
        .iter()
        .filter_map(|package| Some((package["name"].as_str()?, folder(package)?)))
        .collect();
    let arrows = packages.iter().filter_map(|package| {
        let uses = package["dependencies"].as_array()?.iter();
        let uses = uses.filter(|used| used["kind"].as_str() != Some("dev"));
        let uses = uses.filter_map(|used| folders.get(used["name"].as_str()?).cloned());
        Some((folder(package)?, uses.collect()))
    });
    Ok(arrows.collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_page_shows_the_crates_and_their_arrows() {
        assert_eq!(differences().expect("both can be read"), Vec::<String>::new());
    }

    #[test]
    fn a_difference_is_seen() {
        let page = "| crate | what | uses |\n|---|---|---|\n| `a` | one | – |\n| `b` | two | `a` |";
        let real = |uses: &str| {
            let b = uses.split_whitespace().map(str::to_owned).collect();
            Arrows::from([("a".to_owned(), BTreeSet::new()), ("b".to_owned(), b)])
        };
        assert_eq!(compare(&table(page), &real("a")), Vec::<String>::new());
        assert_eq!(compare(&table(page), &real("")).len(), 1);
        assert_eq!(compare(&table(page), &real("a c")).len(), 1);
        assert_eq!(compare(&table("| `a` | one | – |"), &real("a")).len(), 1);
    }
}
