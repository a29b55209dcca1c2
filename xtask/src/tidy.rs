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
        if !is_compiled(&path) {
            amiss.push(format!("{shown}: no `mod` names it, so nobody compiles it"));
        }
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

/// Whether a file is the root of a crate or is named by a `mod` of the file above it.
fn is_compiled(path: &Path) -> bool {
    let (Some(name), Some(folder)) = (path.file_stem().and_then(|s| s.to_str()), path.parent())
    else {
        return false;
    };
    // In these folders every file is a crate's root.
    let of_roots =
        ["tests", "benches", "bin", "examples"].iter().any(|roots| folder.ends_with(roots))
            && !folder.join("mod.rs").exists();
    if of_roots || ["main", "lib", "build"].contains(&name) {
        return true;
    }
    let (name, folder) = match name {
        "mod" => (folder.file_name().and_then(|s| s.to_str()).unwrap_or(name), folder.join("..")),
        _ => (name, folder.to_owned()),
    };
    let above = ["main.rs", "lib.rs", "mod.rs"].map(|file| folder.join(file));
    let above = above.into_iter().chain([folder.with_extension("rs")]);
    let named = format!("mod {name};");
    above.filter_map(|path| fs::read_to_string(path).ok()).any(|text| text.contains(&named))
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
    fn a_file_that_nobody_compiles_is_found() {
        let folder = crate::root().join("crates/cli/tests/cli");
        assert!(is_compiled(&folder.join("main.rs")));
        assert!(is_compiled(&folder.join("readme.rs")));
        assert!(!is_compiled(&folder.join("forgotten.rs")));
        assert!(is_compiled(&crate::root().join("crates/eventlog/src/derived/mod.rs")));
    }

    #[test]
    fn finds_what_is_amiss() {
        assert_eq!(amiss("//! A file.\n\nfn f() {}\n"), Vec::<String>::new());
        assert_eq!(amiss("fn f() {}\n").len(), 1);
        assert_eq!(amiss("//! A file. \n").len(), 1);
        assert_eq!(amiss(concat!("//! A file.\n// TO", "DO: more\n")).len(), 1);
    }
}
