//! The log as others know it: transparency-log formats that existing verifiers and witnesses read
//! (docs/proofs.md). RFC 6962 proofs, tiles, signed notes, checkpoints, cosignatures, a witness's decision.

mod checkpoint;
mod cosignature;
mod key;
mod note;
mod proof;
mod spelling;
mod tile;
mod witness;

pub use checkpoint::{Checkpoint, CheckpointError};
pub use cosignature::{CosignError, Quorum, QuorumError, Witnessed, cosign};
pub use key::{Algorithm, KeyError, SignerKey, VerifierKey};
pub use note::{MAX_NOTE, MAX_SIGNATURES, Note, NoteError, Opened, SignatureLine, Signed};
pub use proof::{
    MAX_TREE, ProofError, check_consistency, check_inclusion, prove_consistency, prove_inclusion,
    tree_root,
};
pub use tile::{
    TILE, Tile, TileError, TileKind, Tiles, decode_bundle, encode_bundle, grow_tiles, new_bundles,
    new_tiles,
};
pub use witness::{
    AddCheckpoint, Cosigned, MAX_PROOF_LINES, Refusal, RequestError, Seen, WatchedLog,
    answered_lines, conflict_size,
};
