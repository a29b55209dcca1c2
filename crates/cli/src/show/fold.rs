//! Folding text into lines: at spaces and, where more is allowed, at easy places within names and
//! sentences. What has no such place is left whole, wider than asked: a time, a number or a hash in
//! two halves is nobody's any more.

use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

/// Where a line may be broken: whether between these two characters.
pub type Places = fn(char, char) -> bool;

/// At spaces alone.
pub fn at_spaces(before: char, after: char) -> bool {
    before == ' ' && after != ' '
}

/// At spaces, behind slashes and beside wide characters; never within what is one character to a
/// reader.
pub fn at_ease(before: char, after: char) -> bool {
    const JOINER: char = '\u{200d}';
    let is_wide = |c: char| c.width() == Some(2);
    let joins = |c: char| c.width() == Some(0) || matches!(c, '\u{1f3fb}'..='\u{1f3ff}');
    match (before, after) {
        (JOINER, _) => false,
        (_, after) if joins(after) => false,
        ('“' | '（' | '「', _) => false,
        (_, ' ' | '，' | '。' | '；' | '：' | '、' | '）' | '」' | '”' | '/') => false,
        (' ', _) => true,
        ('/', _) => after.is_alphabetic(),
        _ => is_wide(before) || is_wide(after),
    }
}

/// `text` in lines of at most `width` columns, or as much wider as it must be.
pub fn fold(text: &str, width: usize, places: Places) -> Vec<&str> {
    let mut lines = Vec::new();
    let (mut start, mut end) = (0, 0);
    for piece_end in ends(text, places) {
        if end > start && text[start..piece_end].trim_end_matches(' ').width() > width {
            lines.push(text[start..end].trim_end_matches(' '));
            start = end;
        }
        end = piece_end;
    }
    lines.push(text[start..].trim_end_matches(' '));
    lines
}

/// The width of the widest piece that stays whole.
pub fn widest_piece(text: &str, places: Places) -> usize {
    let mut start = 0;
    let mut widest = 0;
    for end in ends(text, places) {
        widest = widest.max(text[start..end].trim_end_matches(' ').width());
        start = end;
    }
    widest
}

/// Where the pieces of `text` end.
fn ends(text: &str, places: Places) -> impl Iterator<Item = usize> {
    let pairs = text.char_indices().zip(text.char_indices().skip(1));
    let inner = pairs.filter(move |((_, before), (_, after))| places(*before, *after));
    inner.map(|(_, (at, _))| at).chain([text.len()])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folds_where_lines_may_break() {
        for (text, width, expected) in [
            ("", 5, vec![""]),
            ("short", 5, vec!["short"]),
            ("two words", 5, vec!["two", "words"]),
            ("two words", 3, vec!["two", "words"]),
            ("two  words", 9, vec!["two", "words"]),
            ("abcdefgh", 3, vec!["abcdefgh"]),
            ("sync-off-keeps", 10, vec!["sync-off-keeps"]),
            ("IMG_0001_a.jpg", 10, vec!["IMG_0001_a.jpg"]),
            ("notes/shopping", 10, vec!["notes/", "shopping"]),
            ("at 2025-09-22 or", 12, vec!["at", "2025-09-22", "or"]),
            ("照片照片", 5, vec!["照片", "照片"]),
            ("照片", 1, vec!["照", "片"]),
            ("于 2025Z 移入。", 8, vec!["于 2025Z", "移入。"]),
            ("照片照片。", 8, vec!["照片照", "片。"]),
            ("e\u{301}e\u{301}", 1, vec!["e\u{301}e\u{301}"]),
            ("👩\u{200d}👩\u{200d}👧👍🏽", 2, vec!["👩\u{200d}👩\u{200d}👧", "👍🏽"]),
            ("照\u{fe00}片", 2, vec!["照\u{fe00}", "片"]),
        ] {
            assert_eq!(fold(text, width, at_ease), expected, "{text:?} to {width}");
        }
        assert_eq!(fold("服务方 a/b", 1, at_spaces), ["服务方", "a/b"]);
    }

    #[test]
    fn the_widest_piece() {
        assert_eq!(widest_piece("", at_spaces), 0);
        assert_eq!(widest_piece("provider purged ", at_spaces), 8);
        assert_eq!(widest_piece("服务方清除", at_spaces), 10);
        assert_eq!(widest_piece("服务方清除", at_ease), 2);
    }
}
