//! The main job on the log that ships with the repository.

use std::process::{Command, Stdio};

/// Builds the binary, imports the log into a store under `target/`, and asks it what it is for.
pub fn run() -> Result<(), String> {
    let root = crate::root();
    crate::run("cargo", &["build", "--release", "--package", "stillthere"])?;
    let store = root.join("target/demo.store");
    // Cargo may have been told to build elsewhere.
    std::fs::create_dir_all(root.join("target")).map_err(|e| format!("target: {e}"))?;
    if store.exists() {
        std::fs::remove_dir_all(&store).map_err(|e| format!("{}: {e}", store.display()))?;
    }
    for command in COMMANDS {
        println!("\n$ stillthere {command}");
        let status = Command::new(crate::target().join("release/stillthere"))
            .args(command.split_whitespace())
            .env("STILLTHERE_STORE", "target/demo.store")
            .stdin(Stdio::null())
            .current_dir(&root)
            .status()
            .map_err(|e| format!("stillthere: {e}"))?;
        if !status.success() {
            return Err(format!("stillthere {command}: {status}"));
        }
    }
    println!("{NEXT}");
    Ok(())
}

/// A word of a command holds no space.
const COMMANDS: &[&str] = &[
    "import --trust-recorded-at fixtures/real/opam-2012-2019.ndjson.gz fixtures/demo/dispute.ndjson",
    "state mei --as-of 2026-02-13T13:47:38Z",
    "audit fixtures/demo/claims.ndjson --as-of 2026-02-13T13:47:38Z",
    "findings --severity breach --account mei --as-of 2026-02-13T13:47:38Z",
    "forecast mei --as-of 2026-02-13T13:47:38Z",
    "verify",
    "key new --origin example.com/accounts",
    "policy adopt xiaomi-cloud",
    "checkpoint",
    "certify mei --item wedding.mp4 --claim fixtures/demo/wedding.ndjson --as-of 2026-02-13T13:47:38Z -o target/wedding.cert",
    "check target/wedding.cert --key target/demo.store/tlog/vkey",
];

const NEXT: &str = "
The store is target/demo.store. Next, for instance:

  export STILLTHERE_STORE=target/demo.store PATH=\"$PWD/target/release:$PATH\"
  stillthere explain mei beach.jpg        the life of one item
  stillthere forecast mei --assume fixtures/demo/what-if.ndjson
  stillthere report --month 2026-01 -o target/report.html
  stillthere accounts --as-of 2016-01-01T00:00:00Z
  stillthere --help";
