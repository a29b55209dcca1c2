//! Checks of the tree that the compiler does not make.

use std::fs;
use std::path::{Path, PathBuf};

/// Every check; all that is amiss is said at once.
pub fn run() -> Result<(), String> {
    eprintln!("\n== tidy");
    let mut amiss = Vec::new();
    for path in sources(&crate::root()) {
        let text = fs::read_to_string(&path).map_err(|e| format!("{}: {e}", path.display()))?;
        let shown = path.strip_prefix(crate::root()).unwrap_or(&path).display().to_string();
        check(&shown, &text, &mut amiss);
    }
    amiss.extend(crate::architecture::differences()?);
    if amiss.is_empty() { Ok(()) } else { Err(amiss.join("\n")) }
}

/// What is amiss in one source file.
fn check(path: &str, text: &str, amiss: &mut Vec<String>) {
    if !text.starts_with("//!") {
        amiss.push(format!("{path}:1: a file begins with a line `//!` that says what it is"));
    }
    for (number, line) in (1..).zip(text.lines()) {
        let mut complain = |what: &str| amiss.push(format!("{path}:{number}: {what}"));
        if line.ends_with(' ') || line.contains('\t') {
            complain("a tab, or a space at the end of the line");
        }
        // Spelled in two parts, or this line would be found.
        if line.contains(concat!("TO", "DO")) || line.contains(concat!("FIX", "ME")) {
            complain("what is to do belongs into ROADMAP.md");
        }
    }
}

/// The Rust files of the repository, in order.
fn sources(root: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut folders: Vec<PathBuf> = ["crates", "xtask", "benches"].map(|f| root.join(f)).to_vec();
    while let Some(folder) = folders.pop() {
        let entries = fs::read_dir(&folder).into_iter().flatten().flatten();
        for path in entries.map(|entry| entry.path()) {
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|e| e == "rs") {
                found.push(path);
            }
        }
    }
    found.sort();
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    fn amiss(text: &str) -> Vec<String> {
        let mut amiss = Vec::new();
        check("a.rs", text, &mut amiss);
        amiss
    }

    #[test]
    fn finds_what_is_amiss() {
        assert_eq!(amiss("//! A file.\n\nfn f() {}\n"), Vec::<String>::new());
        assert_eq!(amiss("fn f() {}\n").len(), 1);
        assert_eq!(amiss("//! A file. \n").len(), 1);
        assert_eq!(amiss(concat!("//! A file.\n// TO", "DO: more\n")).len(), 1);
    }
}
