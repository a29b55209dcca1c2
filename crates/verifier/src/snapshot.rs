//! A snapshot: an account's state at a position, and its hash.
//!
//! `state_hash` is BLAKE3 in derive-key mode under the context `stillthere 2026 state hash v1`,
//! over the MessagePack array
//!
//! | element | what |
//! |---|---|
//! | 0 | the fields of `state`, in the order of docs/answers.md, as nested arrays; times in milliseconds, words by their numbers, sums as 16 bytes big-endian; categories a map by name |
//! | 1 | the policy's hash, 32 bytes |
//! | 2 | the projection's version, [`PROJECTION_VERSION`] |
//! | 3 | as-of, in milliseconds |
//! | 4 | the highest revision folded |

use event::Timestamp;
use policy::PolicyHash;
use projection::{AccountState, View};
use serde::{Serialize, Serializer};

/// Counted up when the same history, policy and instant come to another state.
pub const PROJECTION_VERSION: u32 = 1;

const CONTEXT: &str = "stillthere 2026 state hash v1";

/// The hash of an account's state; prints and serializes as 64 lowercase hexadecimal digits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StateHash(pub [u8; 32]);

impl std::fmt::Display for StateHash {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.pad(&blake3::Hash::from_bytes(self.0).to_hex())
    }
}

impl Serialize for StateHash {
    fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        s.collect_str(self)
    }
}

/// What `snapshot` states of an account.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct SnapshotRow {
    /// The account.
    pub account: String,
    /// The highest revision folded.
    pub revision: u64,
    /// The highest position folded.
    pub position: u64,
    /// The instant.
    pub as_of: Timestamp,
    /// The policy that it was folded under.
    pub policy_hash: PolicyHash,
    /// The state.
    pub state_hash: StateHash,
}

/// The hash of `state` under the policy of `policy_hash`.
///
/// # Panics
/// Never: what is serialized has no part that MessagePack cannot hold.
#[must_use]
pub fn state_hash(state: &AccountState, policy_hash: &PolicyHash) -> StateHash {
    let whole = (state, policy_hash.as_bytes(), PROJECTION_VERSION, state.as_of, state.revision);
    let bytes = rmp_serde::to_vec(&whole).expect("a state serializes");
    StateHash(blake3::derive_key(CONTEXT, &bytes))
}

/// The statement of `view`.
#[must_use]
pub fn snapshot(view: &View<'_>, policy_hash: &PolicyHash) -> SnapshotRow {
    let state = view.account_state();
    SnapshotRow {
        revision: view.state().highest().revision,
        position: view.state().highest().position,
        as_of: state.as_of,
        policy_hash: *policy_hash,
        state_hash: state_hash(&state, policy_hash),
        account: state.account,
    }
}
