//! The compiled form of policies.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| stillthere_testkit::entry::compiled(bytes));
