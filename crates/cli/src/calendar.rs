//! Dates as an iCalendar (RFC 5545), for people's calendars. Our own: what a forecast needs of the
//! standard is these few properties, and every library brings a clock and random ids along.

use event::Timestamp;

/// Octets of a line, its end not counted (RFC 5545, section 3.1).
const LINE_OCTETS: usize = 75;

/// A calendar that is being written.
pub struct Calendar {
    text: String,
    /// The time stamp of every entry.
    stamp: String,
    lang: &'static str,
    is_empty: bool,
}

/// What becomes an entry of a calendar.
pub struct Entry<'a> {
    /// The same for the same thing, though its date moves.
    pub uid: String,
    /// The second in which it comes about is shown.
    pub at: Timestamp,
    pub summary: &'a str,
    pub description: &'a str,
    pub category: &'a str,
}

impl Calendar {
    /// Made as of `as_of`, its texts in a language by its code.
    pub fn new(as_of: Timestamp, lang: &'static str) -> Calendar {
        let mut calendar =
            Calendar { text: String::new(), stamp: utc(as_of), lang, is_empty: true };
        calendar.line("BEGIN:VCALENDAR");
        calendar.line("VERSION:2.0");
        calendar.line("PRODID:-//stillthere//forecast//EN");
        calendar.line("CALSCALE:GREGORIAN");
        calendar
    }

    /// Adds an event that takes up no time.
    pub fn event(&mut self, entry: &Entry<'_>) {
        self.line("BEGIN:VEVENT");
        self.head(&entry.uid, entry.summary);
        self.line(&format!("DTSTART:{}", utc(entry.at)));
        self.texts("DESCRIPTION", entry.description);
        self.line(&format!("CATEGORIES:{}", escaped(entry.category)));
        self.line("TRANSP:TRANSPARENT");
        self.line("END:VEVENT");
    }

    /// The calendar. It must not be empty: one without an event has a journal entry that says so.
    pub fn end(mut self, nothing: &str, uid: &str) -> String {
        if self.is_empty {
            self.line("BEGIN:VJOURNAL");
            self.head(uid, nothing);
            self.line("END:VJOURNAL");
        }
        self.line("END:VCALENDAR");
        self.text
    }

    fn head(&mut self, uid: &str, summary: &str) {
        self.is_empty = false;
        self.line(&format!("UID:{uid}"));
        self.line(&format!("DTSTAMP:{}", self.stamp));
        self.texts("SUMMARY", summary);
    }

    fn texts(&mut self, name: &str, text: &str) {
        self.line(&format!("{name};LANGUAGE={}:{}", self.lang, escaped(text)));
    }

    /// Writes a line, folded where it is too long: never within a character.
    fn line(&mut self, line: &str) {
        let mut octets = 0;
        for c in line.chars() {
            if octets + c.len_utf8() > LINE_OCTETS {
                self.text.push_str("\r\n ");
                octets = 1;
            }
            self.text.push(c);
            octets += c.len_utf8();
        }
        self.text.push_str("\r\n");
    }
}

/// The second of an instant, in UTC.
fn utc(at: Timestamp) -> String {
    let text = at.to_string();
    format!("{}Z", text[..19].replace(['-', ':'], ""))
}

/// The value of a property of type TEXT (section 3.3.11).
fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '\\' | ';' | ',' => out.extend(['\\', c]),
            '\n' => out.push_str("\\n"),
            '\t' => out.push(c),
            // No other control character may stand there.
            c if c.is_control() => out.push(' '),
            c => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        Timestamp::parse(text).expect("a time")
    }

    /// The lines, unfolded, after a look at how they were folded.
    fn unfolded(text: &str) -> Vec<String> {
        assert!(text.ends_with("\r\n"));
        let mut lines: Vec<String> = Vec::new();
        for line in text.trim_end_matches("\r\n").split("\r\n") {
            assert!(line.len() <= LINE_OCTETS, "{} octets: {line}", line.len());
            assert!(!line.contains(['\r', '\n']), "{line:?}");
            match line.strip_prefix(' ') {
                Some(rest) => lines.last_mut().expect("a line before").push_str(rest),
                None => lines.push(line.to_owned()),
            }
        }
        lines
    }

    fn written(summary: &str) -> Vec<String> {
        let mut calendar = Calendar::new(at("2026-02-13T13:47:38.999Z"), "en");
        calendar.event(&Entry {
            uid: "u@stillthere".to_owned(),
            at: at("9999-12-31T23:59:59.999Z"),
            summary,
            description: "d",
            category: "item_expires",
        });
        unfolded(&calendar.end("nothing", "n@stillthere"))
    }

    #[test]
    fn an_event_has_what_it_must_have() {
        assert_eq!(
            written("a, b; c\\d\ne"),
            [
                "BEGIN:VCALENDAR",
                "VERSION:2.0",
                "PRODID:-//stillthere//forecast//EN",
                "CALSCALE:GREGORIAN",
                "BEGIN:VEVENT",
                "UID:u@stillthere",
                "DTSTAMP:20260213T134738Z",
                "SUMMARY;LANGUAGE=en:a\\, b\\; c\\\\d\\ne",
                "DTSTART:99991231T235959Z",
                "DESCRIPTION;LANGUAGE=en:d",
                "CATEGORIES:item_expires",
                "TRANSP:TRANSPARENT",
                "END:VEVENT",
                "END:VCALENDAR",
            ]
        );
    }

    /// Of characters of 1 to 4 octets, with any number of octets before them.
    #[test]
    fn long_lines_fold_between_characters() {
        for c in ["x", "é", "照", "𝄞", "\\", "a照"] {
            for before in 0..80 {
                let summary = format!("{}{}", "y".repeat(before), c.repeat(100));
                let lines = written(&summary);
                let expected = summary.replace('\\', "\\\\");
                assert_eq!(lines[7], format!("SUMMARY;LANGUAGE=en:{expected}"));
            }
        }
        // A line of just 75 octets is not folded, one of 76 is.
        let head = "SUMMARY;LANGUAGE=en:".len();
        let physical = |n: usize| {
            let mut calendar = Calendar::new(Timestamp::MIN, "en");
            calendar.texts("SUMMARY", &"z".repeat(n - head));
            calendar.text.lines().skip(4).map(str::len).collect::<Vec<_>>()
        };
        assert_eq!(physical(75), [75]);
        assert_eq!(physical(76), [75, 2]);
        assert_eq!(physical(75 + 74), [75, 75]);
        assert_eq!(physical(75 + 75), [75, 75, 2]);
    }

    #[test]
    fn no_control_character_gets_through() {
        let lines = written("a\u{1b}[31m\u{7f}\r\u{85}b\tc");
        assert_eq!(lines[7], "SUMMARY;LANGUAGE=en:a [31m   b\tc");
    }

    #[test]
    fn nothing_ahead_is_a_journal_entry() {
        let text = Calendar::new(Timestamp::MIN, "zh").end("没有", "n@stillthere");
        let lines = unfolded(&text);
        assert_eq!(
            lines[4..],
            [
                "BEGIN:VJOURNAL",
                "UID:n@stillthere",
                "DTSTAMP:00010101T000000Z",
                "SUMMARY;LANGUAGE=zh:没有",
                "END:VJOURNAL",
                "END:VCALENDAR",
            ]
        );
    }
}
