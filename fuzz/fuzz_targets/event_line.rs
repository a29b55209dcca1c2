//! Event lines: NDJSON and CloudEvents.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| stillthere_testkit::entry::event_line(bytes));
