//! The vocabulary of account events.
//!
//! A tour: [`Timestamp`] is an instant; [`Kind`], [`Actor`], [`Surface`] and the causes are the
//! closed word lists; [`Event`] with its [`Payload`] is what a producer says happened, and
//! [`Recorded`] is that event in its place in a log; [`Step`] is what a fold reads of it, and
//! [`History`] an account's steps in the order in which they fold.
//!
//! Events come from lines: [`read_line`] takes NDJSON and CloudEvents and is strict about both,
//! [`write_ndjson`] and [`write_cloudevent`] give them back. [`canonical`] is the one way to spell
//! an event in bytes, and [`EventHash`] the hash of those. [`json`] is the strict JSON beneath,
//! for other kinds of lines too, and [`msgpack`] the strict MessagePack, for other canonical bytes.
//!
//! Nothing here reads a clock, a file or a random source.

pub mod canonical;
mod cloudevents;
mod event;
mod fields;
mod hash;
mod history;
pub mod json;
pub mod limits;
mod line_error;
pub mod msgpack;
mod ndjson;
mod near;
mod order;
mod time;
mod value;
mod words;
mod written;

pub use canonical::{CanonicalError, Content};
pub use cloudevents::{CLOUDEVENT_SOURCE, write_cloudevent};
pub use event::{Event, Payload, Recorded};
pub use hash::{EventHash, ParseHashError};
pub use history::{ErasedEvents, ErasedLeaf, History, NameId, Names, Step};
pub use line_error::LineError;
pub use ndjson::{borrow_line, is_blank, read_line, write_ndjson};
pub use near::nearest_word;
pub use order::{sort_by_key, sort_places};
pub use time::{TimeError, Timestamp, civil_from_days, days_from_civil, days_in_month};
pub use words::{Actor, ClearCause, Kind, PurgeCause, RecordedBy, Surface};
