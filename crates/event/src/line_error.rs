//! Why a line is not an event.

/// A line that is not an event: the field at fault and what is wrong with it.
///
/// Prints as `field: reason`, so that a caller writes `FILE:LINE: ` before it. Both parts come
/// from the line and are made safe to print: control characters escaped, long text cut.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{field}: {reason}")]
pub struct LineError {
    /// The field by its name in the line: `occurred_at`, `attributes.x`, in a CloudEvent also
    /// `time` or `data.item`; `json` where the line is no JSON, `line` for the line as a whole.
    pub field: String,
    /// What was expected and what was found.
    pub reason: String,
}

impl LineError {
    /// `reason` about `field`, which may hold anything.
    #[must_use]
    pub fn new(field: &str, reason: impl Into<String>) -> LineError {
        // A key may be empty, a name in a message may not.
        let field = if field.is_empty() { "\"\"".to_owned() } else { printable(field) };
        LineError { field, reason: reason.into() }
    }
}

/// `text` safe to print on one line of a terminal, cut after 80 characters.
pub(crate) fn printable(text: &str) -> String {
    const SHOWN: usize = 80;
    let mut out = String::new();
    for (n, c) in text.chars().enumerate() {
        if n == SHOWN {
            out.push('…');
            break;
        }
        // Besides control characters, `escape_debug` takes those that a terminal would obey or
        // hide; quotes and backslashes are harmless and stay readable.
        match c {
            '\'' | '"' | '\\' => out.push(c),
            _ => out.extend(c.escape_debug()),
        }
    }
    out
}

/// `text` as it stands in a reason.
pub(crate) fn quoted(text: &str) -> String {
    format!("`{}`", printable(text))
}
