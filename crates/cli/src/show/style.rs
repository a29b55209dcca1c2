//! Colours, by meaning.

use anstyle::{AnsiColor, Style};
use projection::{BackupState, ItemState, Severity, Status};
use verifier::{Lawful, Outcome};

/// As it is.
pub const PLAIN: Style = Style::new();
/// Headings.
pub const BOLD: Style = Style::new().bold();
/// What can be passed over.
pub const DIM: Style = Style::new().dimmed();
/// All is well.
pub const GOOD: Style = AnsiColor::Green.on_default();
/// Take care.
pub const CARE: Style = AnsiColor::Yellow.on_default();
/// Lost, or not allowed.
pub const BAD: Style = AnsiColor::Red.on_default();

pub fn item(state: ItemState) -> Style {
    match state {
        ItemState::Live => GOOD,
        ItemState::Trashed => CARE,
        ItemState::Expired | ItemState::Purged | ItemState::Removed => BAD,
    }
}

pub fn backup(state: BackupState) -> Style {
    match state {
        BackupState::Kept => GOOD,
        BackupState::Removed => BAD,
    }
}

pub fn status(status: Status) -> Style {
    match status {
        Status::Active => GOOD,
        Status::AtRisk | Status::Frozen => CARE,
        Status::Cleared | Status::Terminated | Status::Closed => BAD,
    }
}

pub fn severity(severity: Severity) -> Style {
    match severity {
        Severity::Breach => BAD,
        Severity::Warning => CARE,
        Severity::Note => DIM,
    }
}

pub fn outcome(outcome: Outcome) -> Style {
    match outcome {
        Outcome::Upheld => GOOD,
        Outcome::Refuted => BAD,
        Outcome::Undetermined => CARE,
    }
}

pub fn lawful(lawful: Lawful) -> Style {
    match lawful {
        Lawful::None => DIM,
        Lawful::Yes => GOOD,
        Lawful::No => BAD,
        Lawful::Depends | Lawful::Undetermined => CARE,
    }
}
