//! Installs what `stillthere bench` is measured against, into `target/peers`: a virtual environment of
//! Python with DuckDB and Polars, a program that knows key-value stores, b3sum, and
//! one that knows the Go project's transparency log.

use std::path::Path;
use std::process::Command;

/// What pip is asked for, by name.
const PACKAGES: [&str; 2] = ["duckdb", "polars"];

/// Installs all it can, and says what it could not.
pub fn set_up() -> Result<(), String> {
    let folder = crate::root().join("target/peers");
    let python = folder.join("bin/python");
    let mut missing = Vec::new();
    if !python.exists() {
        let shown = folder.display().to_string();
        crate::run("python3", &["-m", "venv", &shown]).map_err(|reason| {
            format!("{reason}\nPython's module venv makes it; Debian's package is python3-venv")
        })?;
    }
    for package in PACKAGES {
        let mut pip = Command::new(&python);
        pip.args(["-m", "pip", "install", "--quiet", "--upgrade", package]);
        missing.extend(crate::status(&mut pip).err());
    }
    missing.extend(stores(&folder).err());
    missing.extend(b3sum(&folder).err());
    missing.extend(tlog_go(&folder).err());
    if !is_there("sqlite3") {
        let instead = "Python's module stands in for it, Debian's package sqlite3 brings it";
        missing.push(format!("the program sqlite3: {instead}"));
    }
    for what in &missing {
        eprintln!("\nNOT INSTALLED: {what}");
    }
    println!("\n{} holds the peers; `stillthere bench` finds them there.", folder.display());
    if missing.is_empty() { Ok(()) } else { Err("some peers are missing, see above".to_owned()) }
}

fn stores(folder: &Path) -> Result<(), String> {
    let root = folder.display().to_string();
    let package = ["install", "--quiet", "--path", "benches", "--example", "stores"];
    crate::run("cargo", &[&package[..], &["--locked", "--force", "--root", &root]].concat())
}

fn b3sum(folder: &Path) -> Result<(), String> {
    let root = folder.display().to_string();
    crate::run("cargo", &["install", "--quiet", "b3sum", "--locked", "--root", &root])
}

/// The Go project's transparency log, as Debian has its source.
fn tlog_go(folder: &Path) -> Result<(), String> {
    if !is_there_by("go", "version") {
        let packages = "Debian's packages golang-go and golang-golang-x-mod-dev bring it";
        return Err(format!("tlog-go, of golang.org/x/mod: there is no Go; {packages}"));
    }
    let mut go = Command::new("go");
    go.env_remove("GOFLAGS").env("GO111MODULE", "off").env("GOPATH", "/usr/share/gocode");
    go.args(["build", "-o"]).arg(folder.join("bin/tlog-go"));
    crate::status(go.arg(crate::root().join("benches/peers/go/main.go")))
}

fn is_there(program: &str) -> bool {
    is_there_by(program, "--version")
}

fn is_there_by(program: &str, version: &str) -> bool {
    Command::new(program).arg(version).output().is_ok()
}
