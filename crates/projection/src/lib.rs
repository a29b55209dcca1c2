//! Folds an account's events under a policy into what is live, trashed, expired, purged or removed,
//! when the account counted as active, and what was done that the policy does not allow.
//!
//! A tour: [`FoldState`] is what has been folded so far, free of time and fit to be stored;
//! [`View`] is that state at an instant, from which come the [`AccountState`] that people see
//! and the [`AccountLine`] of a population. [`fold`] goes from a history to a view in one step. A
//! [`Finding`] is something that the policy does not allow or that a reader should know; a
//! [`Change`] is one step of one thing's life, kept when asked for.
//!
//! The semantics are those of docs/answers.md and docs/policies.md. Everything here is a pure function of
//! (events, policy, as-of, known-at).

mod activity;
mod change;
mod finding;
mod fold;
mod item;
mod report;
mod stages;
mod state;
mod trash;
mod view;
mod words;

pub use change::{Change, ChangeSource, Changed};
pub use finding::{Finding, FindingCode, Severity, Subject};
pub use item::{Backup, Ending, EventRef, How, Item, Trashing};
pub use report::{
    AccountLine, AccountState, Activity, BackupRow, CategoryRow, Counts, FindingRow, ItemRow,
    Quota, Span, StageRow,
};
pub use stages::StageAt;
pub use state::FoldState;
pub use view::{View, fold, fold_traced};
pub use words::{BackupState, ItemState, StateCause, Status};
