//! The model: what `state --json` must say, by the plainest fold that could be right.
//!
//! It is written from the rules alone and shares nothing
//! with the real fold but the vocabulary of events, the compiled policy and its calendar. It keeps
//! next to nothing: whatever can be found by reading the events again is found so, each time. It
//! is slow on purpose; the tests hold the fast fold against it.
//!
//! [`past`] answers questions about the account (tier, holds, activity, …) by rescanning,
//! [`walk`] goes from instant to instant and keeps the items and backups, `stages` looks at use and
//! trash on the way, `judge` says what each event gives and does, [`mod@state`] puts together what is
//! printed, and [`ahead`] looks at what comes.

pub mod ahead;
mod judge;
pub mod past;
mod stages;
pub mod state;
pub mod walk;

use event::{Recorded, Timestamp};
use policy::Policy;

pub use past::Past;
pub use state::State;
pub use walk::Walked;

/// What the account of `events` (all of one account, in any order) is as of `as_of`, by what was
/// recorded by `known_at`; `None` when it has no event by then.
#[must_use]
pub fn state(
    events: &[Recorded],
    policy: &Policy,
    as_of: Timestamp,
    known_at: Timestamp,
) -> Option<State> {
    Some(State::of(&Walked::of(Past::of(events, policy, as_of, known_at)?)))
}
