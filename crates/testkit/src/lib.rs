//! What the tests of the other crates are held against.
//!
//! A tour: [`model`] is the plainest fold of an account that could be right, and [`claims`] the
//! plainest audit on top of it; [`histories`] makes random policies, histories and claims that
//! gather at boundary instants, each from a seed; [`by_hand`] is a table of boundary answers
//! worked out by hand. [`erased`] makes erased histories, and whole ones that may have been erased to them. [`json`] says where two answers differ. [`entry`] is where bytes of anybody's
//! come in, each place with what must hold whatever they are, and [`mutate`] makes such bytes.

pub mod by_hand;
pub mod claims;
pub mod entry;
pub mod erased;
pub mod histories;
pub mod json;
pub mod model;
pub mod mutate;
pub mod notation;
