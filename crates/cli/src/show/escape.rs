//! Text from events and file names, made safe to print: nothing in it can steer a terminal, hide, or
//! turn the direction of what follows.

use std::borrow::Cow;
use std::path::Path;

/// `text` with control characters, and those that hide or turn text, escaped.
pub fn escaped(text: &str) -> Cow<'_, str> {
    if !text.chars().any(is_unsafe) {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len() + 8);
    for c in text.chars() {
        if is_unsafe(c) { out.extend(c.escape_default()) } else { out.push(c) }
    }
    Cow::Owned(out)
}

/// A path, as [`escaped`]; what is not UTF-8 in it is replaced.
pub fn escaped_path(path: &Path) -> String {
    escaped(&path.to_string_lossy()).into_owned()
}

/// Control characters, and of the format characters those that are invisible or act on their
/// neighbours, but for the two joiners that scripts need.
fn is_unsafe(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{200b}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}')
        || matches!(c, '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}')
}

/// A path as it is typed to a shell.
pub fn typed_path(path: &Path) -> String {
    let text = escaped_path(path);
    let is_plain = |c: char| c.is_alphanumeric() || "/._-+,@%:=".contains(c);
    match !text.is_empty() && !text.starts_with('-') && text.chars().all(is_plain) {
        true => text,
        false => format!("'{}'", text.replace('\'', r"'\''")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_could_steer_a_terminal_is_escaped() {
        for (text, expected) in [
            ("", ""),
            ("plain / 照片 é", "plain / 照片 é"),
            ("a\nb", "a\\nb"),
            ("\u{1b}[31m", "\\u{1b}[31m"),
            ("\u{9b}2J", "\\u{9b}2J"),
            ("abc\u{202e}fdp", "abc\\u{202e}fdp"),
            ("a\u{feff}", "a\\u{feff}"),
            ("e\u{301}", "e\u{301}"),
        ] {
            assert_eq!(escaped(text), expected, "{text:?}");
        }
    }
}
