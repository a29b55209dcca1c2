//! Why a command ends early, and the exit codes.

use std::fmt::Display;
use std::io;
use std::path::Path;
use std::process::ExitCode;

use crate::show::escape::escaped_path;

/// How a command that ran to its end came out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// Nothing is wrong. Refuted claims and findings are answers, so they are fine too.
    Fine,
    /// The command did what it should, and what it found is bad: tampering, rejected lines.
    BadNews,
}

/// Why a command cannot go on.
#[derive(Debug)]
pub enum Failure {
    /// Whoever read standard output has gone away. That is no error.
    BrokenPipe,
    /// The command line or an input is at fault.
    Usage(String),
    /// The store cannot be opened, locked, read or written.
    Store(String),
    /// What was asked for was looked at and refused: a check failed, and nothing was signed or written.
    Refused(String),
    /// Ctrl-C, or the system asked to end.
    Interrupted(String),
}

impl Failure {
    /// A file that cannot be read or written, in one sentence.
    pub fn file(path: &Path, action: &str, error: &io::Error) -> Failure {
        Failure::Usage(format!("{}: cannot {action}: {}", escaped_path(path), reason(error)))
    }

    /// The sentence for standard error, if there is one to say.
    pub fn message(&self) -> Option<&str> {
        match self {
            Failure::BrokenPipe => None,
            Failure::Usage(message)
            | Failure::Store(message)
            | Failure::Refused(message)
            | Failure::Interrupted(message) => Some(message),
        }
    }

    /// As docs/answers.md has them; 130 is what shells give for Ctrl-C.
    pub fn exit_code(&self) -> ExitCode {
        ExitCode::from(match self {
            Failure::BrokenPipe => 0,
            Failure::Refused(_) => 1,
            Failure::Usage(_) => 2,
            Failure::Store(_) => 3,
            Failure::Interrupted(_) => 130,
        })
    }
}

impl From<Outcome> for ExitCode {
    fn from(outcome: Outcome) -> ExitCode {
        match outcome {
            Outcome::Fine => ExitCode::SUCCESS,
            Outcome::BadNews => ExitCode::from(1),
        }
    }
}

impl From<eventlog::OpenError> for Failure {
    fn from(error: eventlog::OpenError) -> Failure {
        Failure::Store(without_number(error))
    }
}

impl From<eventlog::ReadError> for Failure {
    fn from(error: eventlog::ReadError) -> Failure {
        Failure::Store(without_number(error))
    }
}

impl From<eventlog::SealError> for Failure {
    fn from(error: eventlog::SealError) -> Failure {
        match error {
            eventlog::SealError::Unsealed
            | eventlog::SealError::Erased { .. }
            | eventlog::SealError::Clock { .. }
            | eventlog::SealError::Cut { .. }
            | eventlog::SealError::Rewritten { .. }
            | eventlog::SealError::Elsewhere { .. } => Failure::Refused(error.to_string()),
            eventlog::SealError::Last { .. } | eventlog::SealError::Sign(_) => {
                Failure::Usage(error.to_string())
            }
            _ => Failure::Store(without_number(error)),
        }
    }
}

impl From<eventlog::AppendError> for Failure {
    fn from(error: eventlog::AppendError) -> Failure {
        Failure::Store(without_number(error))
    }
}

/// What the system said, without its error number and in small letters.
pub fn reason(error: &io::Error) -> String {
    let text = without_number(error);
    let mut chars = text.chars();
    match chars.next() {
        Some(first) if chars.clone().next().is_some_and(|c| !c.is_uppercase()) => {
            first.to_lowercase().chain(chars).collect()
        }
        _ => text,
    }
}

/// A message without the system's number for it, which says nothing more.
pub fn without_number(message: impl Display) -> String {
    let message = message.to_string();
    match message.split_once(" (os error ") {
        Some((before, after)) => {
            let after = after.split_once(')').map_or("", |(_, after)| after);
            format!("{before}{after}")
        }
        None => message,
    }
}
