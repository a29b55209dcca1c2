//! The binary as its users meet it: the main job on the dispute that ships with the repository, exit
//! codes, bad input, and every command of the README.

mod bad_input;
mod main_job;
mod readme;

use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

/// The repository's root.
fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// Runs the binary in the repository on `store`.
fn run(store: &Path, args: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_stillthere"))
        .args(args)
        .env("STILLTHERE_STORE", store)
        .env("NO_COLOR", "1")
        .current_dir(root())
        .stdin(Stdio::null())
        .output()
        .expect("the binary runs")
}

/// Its standard output, after it ended with `code`.
fn out(store: &Path, args: &[&str], code: i32) -> String {
    let output = run(store, args);
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(code), "stillthere {args:?} said: {said}");
    String::from_utf8(output.stdout).expect("output is UTF-8")
}

/// Its JSON lines, after it ended with `code`.
fn json(store: &Path, args: &[&str], code: i32) -> Vec<serde_json::Value> {
    let args: Vec<&str> = args.iter().copied().chain(["--json"]).collect();
    let text = out(store, &args, code);
    text.lines().map(|line| serde_json::from_str(line).expect("a line is JSON")).collect()
}
