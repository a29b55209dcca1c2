//! What the project does with itself: `cargo xtask ci`, `crash`, `demo`, `peers`, `tidy`, `wasm`.

mod architecture;
mod ci;
mod crash;
mod demo;
mod peers;
mod tidy;
mod wasm;

use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

const USAGE: &str = "\
cargo xtask ci     everything that CI runs: format, clippy, tests, docs, licences, tidy
cargo xtask crash  kills writers, over and over, and looks whether anything was lost
                   [--cycles N] [--seed S] [--seconds N] [--binary FILE]
cargo xtask demo   the main job on the log that ships with the repository
cargo xtask peers  installs what `stillthere bench` is measured against, into target/peers
cargo xtask tidy   the checks of the tree alone
cargo xtask wasm   the pure crates, built for WebAssembly";

fn main() -> ExitCode {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let done = match words.first().map(String::as_str) {
        Some("ci") => ci::run(),
        Some("crash") => crash::Plan::parse(&words[1..]).and_then(|plan| crash::run(&plan)),
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

/// Where cargo builds.
fn target() -> PathBuf {
    root().join(std::env::var_os("CARGO_TARGET_DIR").unwrap_or_else(|| "target".into()))
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
