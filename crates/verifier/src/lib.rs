//! What an auditor does with a history: judges claims about it, hashes its snapshots, and says why.
//!
//! A tour: a [`Claim`] is read strictly from a line; a [`Bench`] holds a policy beside each of its
//! readings and [`Bench::judge`]s a claim on a history into a [`Verdict`] with its evidence,
//! clauses, caveats and a sentence in a [`Language`]; [`state_hash`] is the hash of an account's
//! state and [`SnapshotRow`] the statement that carries it; [`explain`] tells the life of one item,
//! a [`ForecastRow`] a date ahead. A
//! [`certificate::Certificate`] carries an answer with all that it rests on, and [`certificate::check`] finds out what
//! of it is proven; an [`Attestation`] is what an auditor signs who has replayed the log.
//!
//! Pure code without a store: the same on a server, in a terminal and in a browser.

mod attestation;
mod caveats;
pub mod certificate;
mod change;
mod claim;
mod erased;
mod explain;
mod forecast;
mod judge;
mod lawful;
mod reading;
mod snapshot;
mod subject;
mod verdict;
mod whynot;
mod wording;

pub use attestation::{Attestation, AttestationError};
pub use claim::{Assert, Claim, ClaimSubject};
pub use explain::{Explanation, ItemChange, effect, explain};
pub use forecast::{EndedRow, ForecastRow, MovedRow, StageRow, act_says};
pub use judge::{Asked, Bench};
pub use lawful::LawfulThen;
pub use reading::{reading_says, window_says};
pub use snapshot::{PROJECTION_VERSION, SnapshotRow, StateHash, snapshot, state_hash};
pub use verdict::{Evidence, Lawful, Outcome, Verdict};
pub use whynot::{Alteration, Counterfactual, Tried, Wanted, WhyNot, WhyNotAsked, why_not};
pub use wording::{Language, given_cause};
