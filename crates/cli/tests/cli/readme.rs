//! Every `stillthere` command of the README and of docs/imports.md runs, in the order of the page, and
//! prints what the page shows of its output.

use crate::binary::{Folder, root};

/// A command, and the lines that the page shows beneath it.
pub struct Shown {
    pub command: String,
    pub output: Vec<String>,
}

/// What stands in blocks of ```` ```console ````.
pub fn shown(page: &str) -> Vec<Shown> {
    let mut all: Vec<Shown> = Vec::new();
    let mut within = false;
    for line in page.lines() {
        match (within, line.strip_prefix("$ ")) {
            _ if line.starts_with("```") => within = line == "```console",
            (false, command) => assert_eq!(command, None, "outside of a console block"),
            (true, Some(command)) => {
                all.push(Shown { command: command.to_owned(), output: Vec::new() });
            }
            (true, None) => all.last_mut().expect("a command first").output.push(line.to_owned()),
        }
    }
    all
}

/// Holds the lines of a page against those that were printed; `…` stands for some that are left out.
#[track_caller]
pub fn check(command: &str, on_page: &[String], printed: &str) {
    let printed: Vec<&str> = printed.lines().collect();
    let mut from = 0;
    for piece in on_page.split(|line| line == "…").filter(|piece| !piece.is_empty()) {
        let at = printed[from..].windows(piece.len()).position(|lines| lines == piece);
        let Some(at) = at else {
            panic!(
                "{command}\nprints no longer\n{}\nbut\n{}",
                piece.join("\n"),
                printed.join("\n")
            );
        };
        assert!(at == 0 || from > 0, "{command}\nprints other lines before\n{}", piece.join("\n"));
        from += at + piece.len();
    }
    let is_cut = on_page.last().is_none_or(|line| line == "…");
    assert!(is_cut || from == printed.len(), "{command}\nprints more lines");
}

/// Runs the commands of a page on one store, and holds what they print against it. How many there were, and
/// how many with what they print.
pub fn run_page(page: &str) -> (usize, usize) {
    let page = std::fs::read_to_string(root().join(page)).expect("a page");
    let folder = Folder::new();
    let bin = std::path::Path::new(env!("CARGO_BIN_EXE_stillthere")).parent().expect("a folder");
    let path = format!("{}:{}", bin.display(), std::env::var("PATH").unwrap_or_default());
    let (mut ran, mut checked) = (0, 0);
    for Shown { command, output: on_page } in shown(&page) {
        let is_ours = command.starts_with("stillthere ") || command.starts_with("! grep ");
        assert!(is_ours, "another kind of command: {command}");
        let line = command.replace("/tmp/", &format!("{}/", folder.path("").display()));
        let store = format!(" {}", folder.path("page.store").display());
        let line = line.replace(" stillthere.store", &store);
        let output = std::process::Command::new("bash")
            .args(["-c", &line])
            .env("PATH", &path)
            .env("STILLTHERE_STORE", folder.path("page.store"))
            .env("COLUMNS", "100")
            .current_dir(root())
            .output()
            .expect("bash runs");
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{line}\n{said}");
        ran += 1;
        if !on_page.is_empty() {
            let printed = String::from_utf8(output.stdout).expect("standard output is UTF-8");
            check(&command, &on_page, &printed);
            checked += 1;
        }
    }
    (ran, checked)
}

#[test]
fn the_commands_of_the_readme_run() {
    let (ran, checked) = run_page("README.md");
    assert!(ran >= 10, "the README shows commands");
    assert!(checked >= 1, "the README shows what one of them prints");
}

#[test]
fn the_commands_of_the_page_on_imports_run() {
    let (ran, checked) = run_page("docs/imports.md");
    assert_eq!((ran, checked), (10, 10), "each format shows an import and what it came to");
}
