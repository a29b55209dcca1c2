//! What a survey says.

use event::{Event, RecordedBy, Timestamp};

use crate::check::Erased;
use crate::control::Control;

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

/// Something of the log that is not as it was written, and the events that are missing with it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Missing {
    /// Where the events stood.
    pub range: Range,
    /// Where in the files; of several nobody can say how many events each held.
    pub places: Vec<Place>,
}

/// Positions between which events are missing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Range {
    /// The first.
    pub from: u64,
    /// The one behind the last, where it is known: where the log ended is not known otherwise.
    pub to: Option<u64>,
    /// How many events: all from `from` to `to`. Not known where some came through of which it is only known that
    /// they stood between these two.
    pub events: Option<u64>,
}

/// Bytes of the log that are not as they were written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// The file's name in the log's folder.
    pub file: String,
    /// Where in the file they begin.
    pub offset: u64,
    /// How many, where that is known; none where two sound things do not follow each other.
    pub bytes: Option<u64>,
    /// Why.
    pub cause: Cause,
}

impl Place {
    /// Whether the other goes on where this ends, for the same cause.
    pub(super) fn is_before(&self, other: &Place) -> bool {
        let end = self.bytes.map(|bytes| self.offset + bytes);
        self.file == other.file && self.cause == other.cause && end == Some(other.offset)
    }
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
    /// Its name was erased under a record that is proven.
    pub erased: u64,
}

/// What a survey came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Surveyed {
    /// Events found that are proven.
    pub events: u64,
    /// Events found that are not.
    pub unproven: u64,
    /// Intact events of accounts whose names are missing. They are not listed in `missing`, and neither are
    /// unproven events that are intact, and only the names of whose accounts are not proven.
    pub nameless: u64,
    /// The compiled forms of the policies whose adoption is proven, each once, where it was adopted last.
    pub adopted: Vec<Vec<u8>>,
    /// Seals that are proven: they say where events and accounts stood in this log, and of no other.
    pub seals: u64,
    /// Statements that are proven. They are about this log too.
    pub statements: u64,
    /// What was erased under a record that is proven: it is not missing, and not there. Of events whose positions are not
    /// known no record can be asked; they count too.
    pub erased: Erased,
    /// What is not as it was written, in the order of the log. Each event that was not found intact is at a
    /// position in just one of these, and where that says how many are missing none that was found is.
    pub missing: Vec<Missing>,
    /// The accounts.
    pub accounts: AccountCounts,
    /// Bytes behind the durable end that are no batch, up to the last that is not zero: what nobody was
    /// told of.
    pub torn: u64,
}

impl Surveyed {
    pub(super) fn control(&mut self, control: &Control<'_>) {
        match control {
            Control::Seal(_) => self.seals += 1,
            Control::Statement { .. } => self.statements += 1,
            // Those are kept apart: what they name has to be asked of them.
            Control::Erasure(_) => {}
            Control::Adoption { compiled, .. } => {
                self.adopted.retain(|before| before != compiled);
                self.adopted.push(compiled.to_vec());
            }
        }
    }

    /// Events that are missing, where the log says how many.
    #[must_use]
    pub fn missing_events(&self) -> Option<u64> {
        self.missing.iter().map(|missing| missing.range.events).sum()
    }
}
