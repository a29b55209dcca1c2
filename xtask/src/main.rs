//! What the project does with itself: `cargo xtask ci`, `demo`, `tidy`.

mod architecture;
mod ci;
mod demo;
mod tidy;

use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

const USAGE: &str = "\
cargo xtask ci     everything that CI runs: format, clippy, tests, docs, licences, tidy
cargo xtask demo   the main job on the log that ships with the repository
cargo xtask tidy   the checks of the tree alone";

fn main() -> ExitCode {
    let done = match std::env::args().nth(1).as_deref() {
        Some("ci") => ci::run(),
        Some("demo") => demo::run(),
        Some("tidy") => tidy::run(),
        _ => Err(USAGE.to_owned()),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(reason) => {
            eprintln!("{reason}");
            ExitCode::FAILURE
        }
    }
}

/// The repository's root.
fn root() -> PathBuf {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    here.parent().expect("xtask lies in the repository").to_owned()
}

/// Runs a command in the repository, its output shown.
fn run(program: &str, args: &[&str]) -> Result<(), String> {
    let said = format!("{program} {}", args.join(" "));
    eprintln!("\n== {said}");
    let status = Command::new(program).args(args).current_dir(root()).status();
    match status {
        Ok(status) if status.success() => Ok(()),
        Ok(status) => Err(format!("{said}: {status}")),
        Err(error) => Err(format!("{said}: {error}")),
    }
}
