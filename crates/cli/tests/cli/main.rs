//! The binary as people and scripts run it.

mod adversary;
mod bad_input;
mod bench;
mod binary;
mod care;
mod certificates_elsewhere;
mod docs;
mod formats;
mod hostile;
mod import;
mod main_job;
mod proofs;
mod readme;
mod snapshots;
mod store;
mod verbs;
mod wasm;
#[cfg(unix)]
mod watch;
