//! Builds for `wasm32-unknown-unknown`: the pure crates, as what judges and checks needs no system, and the
//! module that checks certificates in a browser, which has to answer as the binary does.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// The crates that do no I/O, read no clock and draw no random number.
const PURE: [&str; 5] = ["event", "policy", "commitment", "projection", "verifier"];
const TARGET: &str = "wasm32-unknown-unknown";

/// What is left out where no compiler can do it.
pub const MISSING: &str = "the pure crates as WebAssembly (`rustup target add \
                           wasm32-unknown-unknown` brings it, or Debian's packages rustc-web, \
                           rust-web-src and lld-22)";

/// A compiler that can build for the target.
pub enum Compiler {
    /// The workspace's own, with the target added.
    Own,
    /// Debian's, which builds the standard library from its source.
    Debian,
}

/// The compiler at hand, if there is one.
pub fn compiler() -> Option<Compiler> {
    let says = |program: &str, args: &[&str]| {
        let output = Command::new(program).args(args).output().ok()?;
        output.status.success().then(|| String::from_utf8_lossy(&output.stdout).into_owned())
    };
    if says("rustup", &["target", "list", "--installed"]).is_some_and(|out| out.contains(TARGET)) {
        return Some(Compiler::Own);
    }
    let packages = ["rustc-web", "rust-web-src", "lld-22"];
    let is_there = |package: &&str| {
        let status = says("dpkg-query", &["--show", "--showformat=${db:Status-Status}", package]);
        status.as_deref() == Some("installed")
    };
    packages.iter().all(is_there).then_some(Compiler::Debian)
}

/// The most bytes that the module may have: it is fetched before it runs. The workspace's compiler makes 399 kB of it (170 kB
/// compressed). Debian's makes less, as it builds a standard library for size. The time zone database, the presets, the
/// reader of policy files and what can be said after an erasure are not in it.
const MOST_BYTES: u64 = 400_000;
/// And when binaryen's `wasm-opt -Oz` was run on it: 381 kB by its version 108.
const MOST_OPTIMIZED: u64 = 382_000;

/// Builds them, in a target directory of their own: the compiler may be another.
pub fn build(compiler: &Compiler) -> Result<(), String> {
    let mut all = cargo(compiler);
    all.args(["--profile", "wasm", "--package", "stillthere-check-wasm"]);
    for name in PURE {
        all.args(["--package", &format!("stillthere-{name}")]);
    }
    crate::status(&mut all)?;

    let module = crate::root().join("target/wasm").join(TARGET);
    let mut module = module.join("wasm/stillthere_check_wasm.wasm");
    is_small(&module, MOST_BYTES)?;
    match optimized(&module)? {
        Some(smaller) => {
            is_small(&smaller, MOST_OPTIMIZED)?;
            module = smaller;
        }
        None => eprintln!("{OPT} would make it smaller; Debian's package binaryen brings it"),
    }
    // With the features of the whole workspace, as all its tests were built.
    let test = ["test", "--workspace", "--test", "cli", "wasm", "--", "--nocapture"];
    crate::status(Command::new("cargo").args(test).env("STILLTHERE_CHECK_WASM", &module))
}

fn is_small(module: &Path, most: u64) -> Result<(), String> {
    let bytes = fs::metadata(module).map_err(|e| format!("{}: {e}", module.display()))?.len();
    eprintln!("{}: {bytes} bytes", module.display());
    if bytes > most { Err(format!("the module should have at most {most} bytes")) } else { Ok(()) }
}

/// What optimizes a module again, by its own lights.
const OPT: &str = "wasm-opt";

/// The module beside, optimized for size, if there is what does that.
fn optimized(module: &Path) -> Result<Option<PathBuf>, String> {
    if Command::new(OPT).arg("--version").output().is_err() {
        return Ok(None);
    }
    let smaller = module.with_extension("small.wasm");
    let mut opt = Command::new(OPT);
    // What the compiler takes for granted of a machine.
    opt.args(["-Oz", "--enable-bulk-memory", "--enable-sign-ext", "--enable-mutable-globals"]);
    opt.args(["--enable-nontrapping-float-to-int", "--enable-multivalue"]);
    opt.args(["--enable-reference-types", "--strip-debug", "--strip-producers"]);
    crate::status(opt.arg(module).arg("-o").arg(&smaller))?;
    Ok(Some(smaller))
}

fn cargo(compiler: &Compiler) -> Command {
    let mut cargo = Command::new("cargo");
    cargo.arg("build");
    if let Compiler::Debian = compiler {
        cargo.args(["-Z", "build-std=std,panic_abort"]);
        cargo.args(["-Z", "build-std-features=optimize_for_size"]);
        cargo.envs([("RUSTC", "/usr/bin/rustc"), ("RUSTC_BOOTSTRAP", "1")]);
        cargo.env("CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_LINKER", "wasm-ld-22");
    }
    // SHA-2 in loops: 15 kB less. Numbers of functions and addresses in as few bytes as they need, not in the five that a
    // linker can fill in: 33 kB less. And the module says nothing of the machine that made it.
    let flags = ["--cfg", r#"sha2_backend_soft="compact""#, "-Clink-arg=--compress-relocations"];
    let flags = flags.map(str::to_owned);
    let home = std::env::var("CARGO_HOME")
        .or_else(|_| std::env::var("HOME").map(|home| format!("{home}/.cargo")));
    let remap = home.ok().map(|home| format!("--remap-path-prefix={home}/registry/src="));
    let flags: Vec<String> = flags.into_iter().chain(remap).collect();
    cargo.env("CARGO_ENCODED_RUSTFLAGS", flags.join("\u{1f}"));
    cargo.args(["--target", TARGET, "--target-dir", "target/wasm"]);
    cargo
}
