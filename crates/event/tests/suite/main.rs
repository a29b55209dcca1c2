//! What holds the event crate to its page: lines, canonical bytes, hashes, round trips.

// By the name that the workspace knows it by.
extern crate stillthere_event as event;

mod bytes;
mod fixtures;
mod lines;
mod random;
mod round_trips;
