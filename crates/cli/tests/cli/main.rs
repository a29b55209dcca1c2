//! The binary as people and scripts run it.

mod adversary;
mod audit_from;
mod bad_input;
mod bench;
mod binary;
mod care;
mod certificates_elsewhere;
mod certify_erased;
mod docs;
mod erasure;
mod erasure_beside;
mod explain;
mod export;
mod forecast;
mod formats;
mod hostile;
mod import;
mod main_job;
mod population;
mod proofs;
mod readme;
mod report;
mod since;
mod snapshots;
mod store;
mod undetermined;
mod verbs;
mod wasm;
#[cfg(unix)]
mod watch;
mod witnesses;
