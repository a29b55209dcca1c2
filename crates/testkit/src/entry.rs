//! Where bytes come in that anybody may have made, each with what must be true of it whatever they
//! are. `fuzz/` throws bytes at these, and so does a bounded test of this crate.
//!
//! Each takes bytes and panics if something is not as it must be: what is read can be written and
//! reads back the same; what is decoded encodes to the very same bytes; what is refused is refused
//! with a place and a reason that can be printed.

mod derived;
mod headers;
mod imports;
mod lines;
mod log;
mod policies;
mod proofs;
mod spelling;

pub use derived::{derived, sound_run};
pub use headers::headers;
pub use imports::{csv, drive, git, m365};
pub use lines::{claim, event_line};
pub use log::{frame, log, pack, unpack};
pub use policies::{compiled, policy};
pub use proofs::{certificate, control, map_proof, note};
pub use spelling::{canonical, content};

/// An entry point.
pub type Entry = fn(&[u8]);

/// All of them, by the names of their fuzz targets.
pub const ALL: [(&str, Entry); 18] = [
    ("canonical", canonical),
    ("certificate", certificate),
    ("claim", claim),
    ("compiled", compiled),
    ("content", content),
    ("control", control),
    ("csv", csv),
    ("derived", derived),
    ("drive", drive),
    ("event_line", event_line),
    ("frame", frame),
    ("git", git),
    ("headers", headers),
    ("log", log),
    ("m365", m365),
    ("map_proof", map_proof),
    ("note", note),
    ("policy", policy),
];

/// A sentence for a terminal: on one line, with nothing that a terminal would obey, and bounded.
fn is_printable(text: &str) {
    assert!(!text.is_empty() && text.len() < 4096, "{} bytes are said", text.len());
    assert!(!text.chars().any(char::is_control), "not fit to print: {text:?}");
}
