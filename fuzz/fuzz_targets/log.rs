//! The files of a log, as a checker reads them.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| stillthere_testkit::entry::log(bytes));
