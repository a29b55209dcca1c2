//! The canonical bytes of events' contents, each behind the number of a kind.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| stillthere_testkit::entry::content(bytes));
