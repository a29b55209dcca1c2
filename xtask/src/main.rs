//! What the project does with itself: `cargo xtask ci`, `demo`, `tidy`, `peers`.

mod architecture;
mod ci;
mod demo;
mod peers;
mod tidy;
mod wasm;

use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

const USAGE: &str = "\
cargo xtask ci     everything that CI runs: format, clippy, tests, docs, licences, tidy
cargo xtask demo   the main job on the log that ships with the repository
cargo xtask peers  installs what `stillthere bench` is measured against, into target/peers
cargo xtask tidy   the checks of the tree alone
cargo xtask wasm   the pure crates, built for WebAssembly";

fn main() -> ExitCode {
    let done = match std::env::args().nth(1).as_deref() {
        Some("ci") => ci::run(),
        Some("demo") => demo::run(),
        Some("peers") => peers::set_up(),
        Some("tidy") => tidy::run(),
        Some("wasm") => match wasm::compiler() {
            Some(compiler) => wasm::build(&compiler),
            None => Err(format!("there is no compiler for {}", wasm::MISSING)),
        },
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
    status(Command::new(program).args(args))
}

/// The same for a command that is more than its words.
fn status(command: &mut Command) -> Result<(), String> {
    let words = std::iter::once(command.get_program()).chain(command.get_args());
    let words: Vec<_> = words.map(|word| word.to_string_lossy().into_owned()).collect();
    let said = words.join(" ");
    eprintln!("\n== {said}");
    match command.current_dir(root()).status() {
        Ok(status) if status.success() => Ok(()),
        Ok(status) => Err(format!("{said}: {status}")),
        Err(error) => Err(format!("{said}: {error}")),
    }
}
