//! The durable log of a store, and what is derived of it. `docs/format.md` is the specification.
//!
//! A tour: [`Log`] is the one writer of a store. It finds out what a crash left ([`Recovery`]),
//! gives each event its position and revision, and answers ([`Outcome`]) when they are on the disk.
//! [`Reader`] reads beside it and needs no lock. [`LogFiles`] gives the bytes as they are, for a
//! check that trusts neither and can be on all cores, and [`copy_store`] copies them checked.
//! [`Log::erase`] takes contents and accounts out of the log in place, under a record. [`Remains`] is what is left of
//! a damaged store, [`salvage`] makes a new one of it, and [`examine`] says what is wrong with any
//! folder. Everything under `derived/` can be deleted at any time; [`Cache`] keeps there what others
//! derive. [`storage`] is the seam between all this and the disk.

mod audit;
mod batches;
mod check;
mod climb;
mod copy;
mod decode;
mod derived;
mod doctor;
mod encoder;
mod erase;
mod error;
mod files;
mod folder;
mod head_file;
mod ids;
mod index;
mod indexer;
mod locate;
mod log;
mod options;
mod outcome;
mod pieces;
mod prepare;
mod reader;
mod recent;
mod recover;
mod remains;
mod salvage;
mod seal;
pub mod storage;
mod tail;
mod window;

pub use audit::{AuditOf, Audited};
pub use check::{CheckedLog, Placed, Taker};
pub use copy::{Copied, CopyError, copy_store, copy_store_on};
pub use derived::{Cache, Row, Rows};
pub use doctor::{Ailment, Examined, Finding, examine};
pub use erase::{
    EraseError, Erased, ErasedEvent, Erasing, ErasurePlan, ErasureRecord, Shrunk, Target,
};
pub use error::{AppendError, OpenError, ReadError};
pub use files::{LogFile, LogFiles};
pub use log::{Log, Pending};
pub use options::Options;
pub use outcome::{ExpectedRevision, Outcome, Recovery};
pub use prepare::Prepared;
pub use reader::Reader;
pub use remains::{HeadState, Remains, SegmentFile, SegmentState};
pub use salvage::{SalvageError, Salvaged, salvage};
pub use seal::{
    LastSigned, PlacedControl, SealError, SealedLog, Sealer, ShownEvent, ShownStream, TreeHead,
    erased_frames, page_leaves,
};
