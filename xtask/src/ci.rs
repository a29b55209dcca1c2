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
    Command::new(program).args(args).output().is_ok_and(|output| output.status.success())
}
