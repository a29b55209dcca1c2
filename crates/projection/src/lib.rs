//! Folds an account's events under a policy into what is live, trashed, expired, purged or removed,
//! when the account counted as active, and what was done that the policy does not allow.
//!
//! A tour: [`FoldState`] is what has been folded so far, free of time and fit to be stored;
//! [`View`] is that state at an instant, from which come the [`AccountState`] that people see
//! and the [`AccountLine`] of a population. [`fold`] goes from a history to a view in one step. A
//! [`Finding`] is something that the policy does not allow or that a reader should know; a
//! [`Change`] is one step of one thing's life, kept when asked for. [`lawful_then`] says what the policy would have
//! allowed in place of a finding. [`View::forecast`] gives the dates ahead, [`forecast_through`] those behind
//! events that are assumed. [`compare`] says how two policies differ for one account, a [`Tally`] is what many
//! accounts come to, a [`Sweep`] what they come to under many values of a parameter.
//!
//! Of an account of which events were erased, a view says what is certain and leaves the rest open: values are
//! [`Said`], items and backups are [`Unsure`]. How that is known: `doubt.rs`, `worlds.rs`.
//!
//! The semantics are those of docs/answers.md and docs/policies.md. Everything here is a pure function of
//! (events, policy, as-of, known-at).

mod activity;
mod change;
mod compare;
mod doubt;
mod effort;
mod finding;
mod fold;
mod forecast;
mod foresight;
mod item;
mod lawful;
mod open;
mod report;
mod stages;
mod state;
mod sweep;
mod tally;
mod trash;
mod unsure;
mod view;
mod waiting;
mod words;
mod worlds;

pub use change::{Change, ChangeSource, Changed};
pub use compare::{Deadline, Difference, Differs, Found, compare};
pub use doubt::Said;
pub use finding::{Finding, FindingCode, Severity, Subject};
pub use forecast::{Coming, ForecastDate, Foreseen, Moved, Stage, forecast_through};
pub use item::{Backup, Ending, EventRef, How, Item, Trashing};
pub use lawful::{Lawful, LawfulWhen, lawful_then};
pub use report::{
    AccountLine, AccountState, Activity, BackupRow, CategoryRow, Counts, ErasedCounts, FindingRow,
    ItemRow, Quota, Span, StageRow, UNDETERMINED, as_map, said,
};
pub use stages::StageAt;
pub use state::FoldState;
pub use sweep::Sweep;
pub use tally::Tally;
pub use unsure::Unsure;
pub use view::{View, fold, fold_traced, fold_whole};
pub use words::{BackupState, ItemState, StateCause, Status};
