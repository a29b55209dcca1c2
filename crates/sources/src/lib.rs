//! Logs of other systems as events: bytes in, events out (docs/imports.md).
//!
//! A tour: a [`Decode`] is fed the bytes of one file, in pieces of any size, and gives what it
//! [`Found`], a record after the other, each with its [`Place`]. There are four: [`Csv`] reads rows by
//! a [`Map`], [`GoogleDrive`] and [`M365`] providers' audit logs, [`Git`] a history. What a file begins
//! like is [`looks_like`].
//!
//! Nothing here reads a clock, a file or a random source: the same bytes give the same events, with
//! the same ids. Memory is bounded by a record's limit, and in a git history by the number of paths
//! that were deleted.

mod csv;
mod found;
mod git;
mod google;
mod json_records;
mod kinds;
mod m365;
mod map;
mod object;
mod record;
mod rows;
mod sniff;
mod start;
mod time_rule;

pub use csv::Csv;
pub use found::{Broken, Decode, Found, Place, Record};
pub use git::{Accounts, Git, GitTime, Sizes};
pub use google::GoogleDrive;
pub use m365::M365;
pub use map::{Map, MapError};
pub use sniff::{Looks, looks_like};
