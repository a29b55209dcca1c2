//! How a log is written.

use std::sync::Arc;

use event::Timestamp;

/// How a log is written.
#[derive(Clone)]
pub struct Options {
    /// The clock that says when an event was recorded. The log never goes back behind what it said.
    pub clock: Arc<dyn Fn() -> Timestamp + Send + Sync>,
    /// Whether an event's own `recorded_at` is honoured.
    pub trust_recorded_at: bool,
    /// The size in bytes from which a segment of the log is closed.
    pub segment_bytes: u64,
    /// Whether `HEAD` is synced with each batch too: then loss of power leaves nothing to recover
    /// but one batch that nobody was told of, at the price of a second sync.
    pub strict_tail: bool,
    /// How many events are gathered in memory before a derived file is made of them. More take more
    /// memory (about 300 bytes each), fewer are written again more often.
    pub run_events: usize,
    /// Whether events that were erased are taken in again when they come again; else they are
    /// [`Outcome::Erased`](crate::Outcome::Erased).
    pub readmit: bool,
}

impl Options {
    /// With this clock, `recorded_at` not honoured, segments of 64 MiB, `HEAD` synced lazily, derived
    /// files of 3 × 2^17 events.
    #[must_use]
    pub fn new(clock: impl Fn() -> Timestamp + Send + Sync + 'static) -> Options {
        Options {
            clock: Arc::new(clock),
            trust_recorded_at: false,
            segment_bytes: 64 << 20,
            strict_tail: false,
            run_events: 3 << 17,
            readmit: false,
        }
    }
}
