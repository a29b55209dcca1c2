//! What a survey says.

use event::{Event, RecordedBy, Timestamp};

/// An event that was read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    /// The event, with its `recorded_at` if the source's was honoured.
    pub event: Event,
    /// When it was recorded.
    pub recorded_at: Timestamp,
    /// Who said so.
    pub recorded_by: RecordedBy,
    /// Whether the checksum of its batch or the root of its page holds, and that of its account's name.
    /// Else only 4 bytes of a hash, which any edit can make anew, speak for it.
    pub is_proven: bool,
}

/// Why bytes are not there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cause {
    /// They were changed.
    Damaged,
    /// The file ends before them.
    Cut,
    /// The file is not there.
    Missing,
    /// The file is of another store.
    Foreign,
    /// They were changed, and checksums made anew: the page's root does not hold.
    Edited,
    /// Both sides are sound, and the one does not follow the other: what stood between them was taken
    /// out, or one of them was made anew.
    Unlinked,
}

impl Cause {
    /// A word for scripts.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Cause::Damaged => "damaged",
            Cause::Cut => "cut",
            Cause::Missing => "missing",
            Cause::Foreign => "foreign",
            Cause::Edited => "edited",
            Cause::Unlinked => "unlinked",
        }
    }
}

/// A piece of the log that is not as it was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Missing {
    /// The file's name in the log's folder.
    pub file: String,
    /// Where in the file it begins, in bytes.
    pub offset: u64,
    /// How long it is, where that is known.
    pub bytes: Option<u64>,
    /// Why.
    pub cause: Cause,
    /// The position of the first event that is missing with it, where that is known.
    pub from: Option<u64>,
    /// The position behind the last one, where that is known.
    pub to: Option<u64>,
}

/// How an account came through. Each is in one of these.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct AccountCounts {
    /// No missing piece can hold an event of theirs.
    pub whole: u64,
    /// An event of theirs, or their name, is missing for certain.
    pub gaps: u64,
    /// It cannot be told: a piece is missing of which nobody knows whose events it held.
    pub unsure: u64,
}

/// What a survey came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Surveyed {
    /// Events found that are proven.
    pub events: u64,
    /// Events found that are not.
    pub unproven: u64,
    /// Intact events of accounts whose names are missing.
    pub nameless: u64,
    /// What is not as it was written, in the order of the log.
    pub missing: Vec<Missing>,
    /// The accounts.
    pub accounts: AccountCounts,
    /// Bytes behind the durable end that are no batch, up to the last that is not zero: what nobody was
    /// told of.
    pub torn: u64,
}

impl Surveyed {
    /// Events that are missing, where the log says how many; those of other pieces come on top.
    #[must_use]
    pub fn missing_events(&self) -> (u64, bool) {
        let (mut sum, mut is_all) = (0_u64, true);
        for piece in &self.missing {
            match (piece.from, piece.to) {
                (Some(from), Some(to)) => sum = sum.saturating_add(to.saturating_sub(from)),
                _ => is_all = false,
            }
        }
        (sum, is_all)
    }
}
