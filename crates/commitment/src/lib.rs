//! The bytes that are committed to, and what checks them. `docs/format.md` is the specification.
//!
//! A tour, from the inside out: a [`Frame`] carries an account's name, an event with its
//! [`Envelope`], what the log says of itself ([`Control`]), or the end of a page; [`hash`] makes leaves of them, [`page_root`] and
//! [`Frontier`] roots of leaves; [`Pages`] keeps count of what stands in a page's [`Summary`].
//! [`BatchHeader`], [`SegmentHeader`] and [`Head`] are how frames lie in files. [`LogCheck`] is fed
//! the files of a log and finds the first byte that is not as it was written, [`Looked`] is the part of
//! that work that any thread can do; [`Survey`] is fed a damaged log and finds all that is as it was.
//! An [`AccountMap`] is what a [`Seal`] commits to: where each account's chain ends, and a [`MapProof`]
//! shows that of one account alone (`docs/proofs.md`).
//!
//! What is shown to others (`docs/proofs.md`): [`prove_inclusion`] and [`prove_consistency`] of the tree, whose
//! nodes [`Tiles`] hold; a [`Checkpoint`] of it in a signed [`Note`]; [`AddCheckpoint`] asks a witness to
//! sign as well, and a [`Quorum`] counts those that did.
//!
//! Nothing here reads a clock, a file or a random source.

mod batch;
mod chains;
mod check;
mod control;
mod envelope;
mod erasure;
mod fault;
mod frame;
mod hash;
mod head;
mod map;
mod page;
mod segment;
mod shrink;
mod survey;
mod tlog;
mod tree;

pub use batch::{
    BATCH_HEADER, BatchHeader, Checksum, MAX_BATCH, begin_batch, find_batch, finish_batch,
    rewrite_batch, without_room,
};
pub use chains::Chains;
pub use check::{
    Checked, Divergence, End, Erased, Level, LogCheck, Looked, Report, Sealed, Standing,
    StandingAccount, StandingError, id_hash, whole_batches,
};
pub use control::{Control, ControlKind, MAX_GROUND, MAX_STATEMENT, MAX_WHAT, Seal};
pub use envelope::{ENVELOPE, Envelope, Scope};
pub use erasure::{Erasure, ErasureRecord, Ranges, erased_leaf, erased_root};
pub use fault::Fault;
pub use frame::{
    FRAME_HEADER, Frame, Left, MAX_FRAME, MIN_CONTENT, SALT, SHRUNK_FRAME, begin_event,
    chain_start, chain_starts, chain_step, content_of, control_leaf, erase_frame, event_leaf,
    event_leaves, finish_events, name_leaf, name_leaves, write_control, write_event, write_name,
    write_trailer,
};
pub use hash::{Digest, Domain, KeyedDomain, hash, hash_pairs, hex, keyed, unhex};
pub use head::{HEAD, Head, SLOT, Slot};
pub use map::{AccountMap, Climb, MapKey, MapLeaf, MapProof, MapProofError};
pub use page::{MAX_PAGE, Pages, SUMMARY, Summary};
pub use segment::{
    FORMAT, SEGMENT_HEADER, SegmentHeader, format_version, segment_name, segment_number,
};
pub use shrink::shrink_batch;
pub use survey::{
    AccountCounts, Cause, Found, Missing, Place, Range, Survey, Surveyed, find_summary,
};
pub use tlog::{
    AddCheckpoint, Algorithm, Checkpoint, CheckpointError, CosignError, Cosigned, KeyError,
    MAX_NOTE, MAX_PROOF_LINES, MAX_SIGNATURES, MAX_TREE, Note, NoteError, Opened, ProofError,
    Quorum, QuorumError, Refusal, RequestError, Seen, SignatureLine, Signed, SignerKey, TILE, Tile,
    TileError, TileKind, Tiles, VerifierKey, WatchedLog, Witnessed, answered_lines,
    check_consistency, check_inclusion, conflict_size, cosign, decode_bundle, encode_bundle,
    grow_tiles, new_bundles, new_tiles, prove_consistency, prove_inclusion, tree_root,
};
pub use tree::{Frontier, page_path, page_root, page_root_by, tree_leaf};
