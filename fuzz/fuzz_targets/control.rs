//! What a log says of itself: seals, adopted policies, statements.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| stillthere_testkit::entry::control(bytes));
