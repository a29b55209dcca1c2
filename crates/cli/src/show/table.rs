//! Tables that fit the screen: columns apart by two spaces, wide characters counted as two, what does
//! not fit folded onto further lines and never cut.
//!
//! Our own, because a list may be longer than memory: the first rows fix the widths, and the rest
//! follows as it comes. (Libraries for tables want them whole.)

use anstyle::Style;
use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

use super::escape::escaped;
use super::screen::Screen;
use super::style;
use crate::failure::Failure;

/// Between columns.
const GAP: usize = 2;
/// A column of names is folded no narrower than this, while columns of words can give.
const EASY: usize = 12;
/// No column is folded narrower than this, while another can give.
const NARROW: usize = 8;
/// The rows that fix the widths.
const ROWS_MEASURED: usize = 500;

/// A column: its heading, and how its cells stand.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Column {
    head: &'static str,
    holds: Holds,
}

/// What a column holds says when it is folded: names and sentences first, words next, the rest when
/// nothing else helps.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Holds {
    Long,
    Words,
    Whole,
    Numbers,
}

impl Column {
    /// Of names and sentences, which may be long.
    pub const fn long(head: &'static str) -> Column {
        Column { head, holds: Holds::Long }
    }

    /// Of a few words.
    pub const fn words(head: &'static str) -> Column {
        Column { head, holds: Holds::Words }
    }

    /// Of what is better not folded, such as times.
    pub const fn text(head: &'static str) -> Column {
        Column { head, holds: Holds::Whole }
    }

    /// Of numbers.
    pub const fn number(head: &'static str) -> Column {
        Column { head, holds: Holds::Numbers }
    }
}

/// A cell: text that is safe to print, and its style.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cell {
    text: String,
    style: Style,
}

impl Cell {
    /// `text` in a style.
    pub fn styled(text: impl AsRef<str>, style: Style) -> Cell {
        Cell { text: escaped(text.as_ref()).into_owned(), style }
    }

    /// `text`, or a dim dash where there is none.
    pub fn or_dash(text: Option<impl AsRef<str>>) -> Cell {
        text.map_or_else(|| Cell::styled("-", style::DIM), |text| Cell::from(text.as_ref()))
    }
}

impl<T: AsRef<str>> From<T> for Cell {
    fn from(text: T) -> Cell {
        Cell::styled(text, style::PLAIN)
    }
}

/// A row, and lines beneath it that go across all columns.
#[derive(Debug, Clone, Default)]
pub struct Row {
    cells: Vec<Cell>,
    beneath: Vec<Cell>,
}

/// A table that is being written.
pub struct Table {
    columns: Vec<Column>,
    indent: usize,
    waiting: Vec<Row>,
    /// Known once the first rows are.
    widths: Option<Vec<usize>>,
}

impl Table {
    /// With these columns.
    pub fn new(columns: impl Into<Vec<Column>>) -> Table {
        Table { columns: columns.into(), indent: 0, waiting: Vec::new(), widths: None }
    }

    /// So many spaces from the left.
    pub fn indented(mut self, indent: usize) -> Table {
        self.indent = indent;
        self
    }

    /// Adds a row.
    pub fn row(&mut self, screen: &mut Screen, cells: Vec<Cell>) -> Result<(), Failure> {
        self.row_with(screen, cells, Vec::new())
    }

    /// Adds a row with lines beneath it.
    pub fn row_with(
        &mut self,
        screen: &mut Screen,
        cells: Vec<Cell>,
        beneath: Vec<Cell>,
    ) -> Result<(), Failure> {
        debug_assert_eq!(cells.len(), self.columns.len(), "a cell a column");
        let row = Row { cells, beneath };
        match &self.widths {
            Some(widths) => self.write(screen, widths, &row),
            None => {
                self.waiting.push(row);
                if self.waiting.len() == ROWS_MEASURED { self.release(screen) } else { Ok(()) }
            }
        }
    }

    /// Writes what waits. An empty table writes nothing.
    pub fn end(mut self, screen: &mut Screen) -> Result<(), Failure> {
        if self.widths.is_none() && !self.waiting.is_empty() {
            self.release(screen)?;
        }
        Ok(())
    }

    fn release(&mut self, screen: &mut Screen) -> Result<(), Failure> {
        let widths = self.measure(screen.width.saturating_sub(self.indent));
        let head = self.columns.iter().map(|column| Cell::styled(column.head, style::BOLD));
        let head = Row { cells: head.collect(), beneath: Vec::new() };
        if self.columns.iter().any(|column| !column.head.is_empty()) {
            self.write(screen, &widths, &head)?;
        }
        for row in std::mem::take(&mut self.waiting) {
            self.write(screen, &widths, &row)?;
        }
        self.widths = Some(widths);
        Ok(())
    }

    /// Widths that fit into `room`: the widest column gives first, in the order of [`Holds`].
    fn measure(&self, room: usize) -> Vec<usize> {
        let texts = |at: usize| {
            let cells = self.waiting.iter().map(move |row| row.cells[at].text.as_str());
            cells.chain([self.columns[at].head])
        };
        let widest = |at| texts(at).map(UnicodeWidthStr::width).max().unwrap_or(0);
        let longest_word =
            |at| texts(at).flat_map(|text| text.split(' ')).map(UnicodeWidthStr::width).max();
        let mut widths: Vec<usize> = (0..self.columns.len()).map(widest).collect();
        let gaps = GAP * widths.len().saturating_sub(1);
        let mut over = (widths.iter().sum::<usize>() + gaps).saturating_sub(room);
        for stage in 0..5 {
            let least = |at: usize| match (stage, self.columns[at].holds) {
                (0, Holds::Long) => EASY,
                (1, Holds::Words) => longest_word(at).unwrap_or(0).max(NARROW),
                (2, Holds::Long | Holds::Words) | (3, _) => NARROW,
                (4, _) => 2,
                _ => usize::MAX,
            };
            let least: Vec<usize> = (0..widths.len()).map(least).collect();
            while over > 0 {
                let can_give = |at: &usize| widths[*at] > least[*at];
                let Some(at) = (0..widths.len()).filter(can_give).max_by_key(|at| widths[*at])
                else {
                    break;
                };
                widths[at] -= 1;
                over -= 1;
            }
        }
        widths
    }

    fn write(&self, screen: &mut Screen, widths: &[usize], row: &Row) -> Result<(), Failure> {
        let folded: Vec<Vec<&str>> =
            row.cells.iter().zip(widths).map(|(cell, width)| fold(&cell.text, *width)).collect();
        let height = folded.iter().map(Vec::len).max().unwrap_or(0);
        for n in 0..height {
            let mut line = " ".repeat(self.indent);
            let mut blank = 0;
            for (at, column) in self.columns.iter().enumerate() {
                let text = folded[at].get(n).copied().unwrap_or_default();
                let rest = widths[at].saturating_sub(text.width());
                let (before, after) =
                    if column.holds == Holds::Numbers { (rest, 0) } else { (0, rest) };
                blank += before;
                if !text.is_empty() {
                    line.extend(std::iter::repeat_n(' ', blank));
                    blank = 0;
                    line.push_str(&screen.styled(text, row.cells[at].style));
                }
                blank += after + GAP;
            }
            screen.line(line)?;
        }
        let indent = self.indent + 4;
        for cell in &row.beneath {
            paragraph(screen, indent, cell)?;
        }
        Ok(())
    }
}

/// Writes text folded to the screen's width, so many spaces from the left.
pub fn paragraph(screen: &mut Screen, indent: usize, cell: &Cell) -> Result<(), Failure> {
    for part in fold(&cell.text, screen.width.saturating_sub(indent).max(NARROW)) {
        let part = screen.styled(part, cell.style);
        screen.line(format!("{:indent$}{part}", ""))?;
    }
    Ok(())
}

/// `text` in pieces of at most `width` columns, folded where lines may break: at spaces, behind
/// hyphens and slashes, beside wide characters.
fn fold(text: &str, width: usize) -> Vec<&str> {
    let mut pieces = Vec::new();
    let mut rest = text;
    while rest.width() > width {
        let mut used = 0;
        let mut before = None;
        // Where the piece ends; where it may end instead.
        let (mut end, mut may_end) = (rest.len(), 0);
        for (at, c) in rest.char_indices() {
            if before.is_some_and(|before| may_break(before, c)) {
                may_end = at;
            }
            used += c.width().unwrap_or(0);
            if used > width && at > 0 {
                end = at;
                break;
            }
            before = Some(c);
        }
        // A word that fits no line is cut where this one is full.
        let word = rest[may_end..].trim_start_matches(' ');
        let word_width = word_end(word).map_or(word.width(), |end| word[..end].width());
        let end = if may_end > 0 && word_width <= width { may_end } else { end };
        pieces.push(rest[..end].trim_end_matches(' '));
        rest = rest[end..].trim_start_matches(' ');
    }
    if !rest.is_empty() || pieces.is_empty() {
        pieces.push(rest);
    }
    pieces
}

/// Where the first line break in `text` may be.
fn word_end(text: &str) -> Option<usize> {
    let pairs = text.char_indices().zip(text.char_indices().skip(1));
    pairs
        .map(|((_, before), (at, after))| (before, at, after))
        .find_map(|(before, at, after)| may_break(before, after).then_some(at))
}

/// Whether a line may be broken between two characters.
fn may_break(before: char, after: char) -> bool {
    let is_wide = |c: char| c.width() == Some(2);
    match (before, after) {
        (_, ' ') => true,
        ('“' | '（' | '「', _) => false,
        (_, '，' | '。' | '；' | '：' | '、' | '）' | '」' | '”') => false,
        (' ', _) => true,
        // Not within a time.
        ('-' | '/' | '_', _) => after.is_alphabetic(),
        _ => is_wide(before) || is_wide(after),
    }
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
            ("two words", 3, vec!["two", "wor", "ds"]),
            ("abcdefgh", 3, vec!["abc", "def", "gh"]),
            ("sync-off-keeps", 10, vec!["sync-off-", "keeps"]),
            ("at 2025-09-22 or", 12, vec!["at", "2025-09-22", "or"]),
            ("a bcdefghijklmnop", 12, vec!["a bcdefghijk", "lmnop"]),
            ("照片照片", 5, vec!["照片", "照片"]),
            ("照片", 1, vec!["照", "片"]),
            ("于 2025Z 移入。", 8, vec!["于 2025Z", "移入。"]),
            ("照片照片。", 8, vec!["照片照", "片。"]),
            ("e\u{301}e\u{301}", 1, vec!["e\u{301}", "e\u{301}"]),
        ] {
            assert_eq!(fold(text, width), expected, "{text:?} to {width}");
        }
    }

    #[test]
    fn names_give_before_words_and_words_before_the_rest() {
        let mut table = Table::new([
            Column::text("time"),
            Column::long("name"),
            Column::words("why"),
            Column::number("n"),
        ]);
        let cells = ["2026-02-13T13:47:38Z", &"x".repeat(50), "provider purged", "12"];
        table.waiting.push(Row { cells: cells.map(Cell::from).to_vec(), beneath: Vec::new() });
        for (room, expected) in [
            (100, [20, 50, 15, 2]),
            (93, [20, 50, 15, 2]),
            (92, [20, 49, 15, 2]),
            (55, [20, 12, 15, 2]),
            (54, [20, 12, 14, 2]),
            (48, [20, 12, 8, 2]),
            (44, [20, 8, 8, 2]),
            (43, [19, 8, 8, 2]),
            (10, [2, 2, 2, 2]),
        ] {
            assert_eq!(table.measure(room), expected, "in {room}");
        }
    }
}
