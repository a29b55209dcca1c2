//! What the crate promises, held against vectors, definitions and the code of another language.

mod format;
mod map;

use std::path::{Path, PathBuf};

/// The repository's root.
fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}
