//! Slots of HEAD, headers, envelopes, summaries.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| stillthere_testkit::entry::headers(bytes));
