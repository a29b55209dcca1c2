//! Every `stillthere` command of the README runs, in the order of the page, on one store.

use crate::binary::{Folder, root};

#[test]
fn the_commands_of_the_readme_run() {
    let page = std::fs::read_to_string(root().join("README.md")).expect("the README");
    let folder = Folder::new();
    let bin = std::path::Path::new(env!("CARGO_BIN_EXE_stillthere")).parent().expect("a folder");
    let path = format!("{}:{}", bin.display(), std::env::var("PATH").unwrap_or_default());
    let mut ran = 0;
    for line in page.lines().filter_map(|line| line.strip_prefix("$ ")) {
        assert!(line.starts_with("stillthere "), "another kind of command: {line}");
        let line = line.replace("/tmp/", &format!("{}/", folder.path("").display()));
        let output = std::process::Command::new("bash")
            .args(["-c", &line])
            .env("PATH", &path)
            .env("STILLTHERE_STORE", folder.path("readme.store"))
            .current_dir(root())
            .output()
            .expect("bash runs");
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{line}\n{said}");
        ran += 1;
    }
    assert!(ran >= 10, "the README shows commands");
}
