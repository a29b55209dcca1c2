//! What an append and an opening answer.

/// What became of an event that was given to a log. When it is told, it is durable.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// It is new, and stands here now.
    Appended {
        /// 0-based place in the log.
        position: u64,
        /// 0-based place in its account's stream.
        revision: u64,
    },
    /// The same event stands here already.
    Duplicate {
        /// 0-based place in the log.
        position: u64,
    },
    /// Another event of this account with the same id stands here; nothing was appended.
    Conflict {
        /// 0-based place in the log.
        position: u64,
    },
    /// It was erased, and stays so: nothing was appended.
    Erased,
}

/// Where the caller thinks that an account's stream ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ExpectedRevision {
    /// Anywhere.
    Any,
    /// The account has no event.
    NoStream,
    /// Its last event has this revision.
    Exact(u64),
}

/// What a writer found when it opened a log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Recovery {
    /// There was no store; this is a new one.
    Created,
    /// The log ends as its last writer left it.
    Clean,
    /// The last writer was stopped in the middle of a write that nobody was told of. What it had
    /// begun was cut off and kept aside.
    Recovered {
        /// How many bytes were cut off.
        cut: u64,
        /// The file that has them, in the store's folder; none if nothing had to be cut.
        kept_in: Option<String>,
    },
}
