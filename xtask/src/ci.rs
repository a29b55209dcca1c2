//! Exactly what CI runs.

use std::process::Command;

use crate::crash::{self, Plan};
use crate::{demo, tidy, wasm};

/// Runs every check, the quick ones first, and stops at the first that fails.
pub fn run() -> Result<(), String> {
    let mut left_out = Vec::new();
    crate::run("cargo", &["fmt", "--all", "--check"])?;
    tidy::run()?;
    crate::run("cargo", &["clippy", "--workspace", "--all-targets", "--", "-D", "warnings"])?;
    if has("cargo", &["deny", "--version"]) {
        crate::run("cargo", &["deny", "check", "bans", "licenses", "sources"])?;
    } else {
        left_out.push("licences and sources (`cargo install cargo-deny --locked` brings it)");
    }
    crate::run("cargo", &["doc", "--workspace", "--no-deps", "--document-private-items"])?;
    if !has("python3", &["--version"]) {
        left_out.push("the format's second reader (Debian's package python3 brings it)");
    }
    if !has_go() {
        left_out.push(
            "notes, tiles and proofs held against Go's (Debian's packages golang-go and \
             golang-golang-x-mod-dev bring it)",
        );
    }
    if !has("chromium", &["--version"]) {
        left_out.push("the report in a browser (Debian's package chromium brings it)");
    }
    if !crate::root().join("target/peers/bin/python").exists() {
        left_out.push("the answers of DuckDB and Polars (`cargo xtask peers` brings them)");
    }
    crate::run("cargo", &["test", "--workspace", "--no-fail-fast"])?;
    demo::run()?;
    // On the binary that the demonstration built.
    let binary = Some(crate::target().join("release/stillthere"));
    crash::run(&Plan { cycles: Some(200), seconds: Some(90), seed: None, binary })?;
    match wasm::compiler() {
        Some(compiler) => wasm::build(&compiler)?,
        None => left_out.push(wasm::MISSING),
    }
    for what in left_out {
        eprintln!("\nLEFT OUT: {what}");
    }
    Ok(())
}

fn has(program: &str, args: &[&str]) -> bool {
    says_yes(Command::new(program).args(args))
}

/// Whether Go is there with the library that judges the log's formats, where Debian puts it.
fn has_go() -> bool {
    let mut go = Command::new("go");
    go.args(["list", "golang.org/x/mod/sumdb/note"]).env_remove("GOFLAGS");
    says_yes(go.env("GO111MODULE", "off").env("GOPATH", "/usr/share/gocode"))
}

fn says_yes(command: &mut Command) -> bool {
    command.output().is_ok_and(|output| output.status.success())
}
