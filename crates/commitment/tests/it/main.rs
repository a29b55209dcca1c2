//! What the crate promises, held against vectors, definitions and the code of others.

mod checkpoints;
mod erasure;
mod format;
mod keys;
mod made;
mod map;
mod notes;
mod oracle;
mod plain;
mod proofs;
mod shrunk;
mod strangers;
mod tiles;
mod tlog_vectors;
mod witnesses;

use std::path::{Path, PathBuf};

/// The repository's root.
fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}
