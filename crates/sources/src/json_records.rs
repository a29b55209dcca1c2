//! Cuts JSON into records, whatever holds them: values one after the other (as in JSON lines), an
//! array of them, or pages, objects that have an array of them under a known key.
//!
//! It follows the grammar only as far as it must to know where a value ends: what is in a record is
//! judged by whoever reads it. A value that stands for itself and is not well-formed ends with its
//! line; in an array nobody can say where the next one begins, and the file is [`Broken`].

use crate::record::Held;
use crate::{Broken, Found, Place, Record};

/// As deep as JSON is read.
const DEPTH: usize = 128;
/// Of a page's keys so many bytes are looked at.
const KEY_BYTES: usize = 64;

/// Takes a record, to say what is in it.
pub(crate) type Take<'t> = &'t mut dyn FnMut(Place, &[u8], &mut dyn FnMut(Found<'_>));

/// What may come next.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Next {
    Value,
    ValueOrEnd,
    Key,
    KeyOrEnd,
    Colon,
    CommaOrEnd,
}

/// What the present byte is within.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Within {
    Nothing,
    Text {
        is_key: bool,
        is_escaped: bool,
    },
    /// A number, `true`, `false` or `null`.
    Word,
    /// A value that is not well-formed, up to the end of its line.
    Malformed,
}

/// Cuts a file into records.
pub(crate) struct JsonRecords {
    /// The key of a page under which its records are.
    list_key: &'static str,
    /// The brackets that are open.
    open: Vec<u8>,
    next: Next,
    within: Within,
    /// The last key of what may be a page.
    key: Vec<u8>,
    /// How many brackets are open around the records of an array.
    list: Option<usize>,
    /// The record so far.
    held: Held,
    /// How many brackets were open when it began.
    record: Option<usize>,
    place: Place,
    line: u64,
    byte: u64,
    number: u64,
}

impl JsonRecords {
    pub(crate) fn new(list_key: &'static str) -> JsonRecords {
        JsonRecords {
            list_key,
            open: Vec::new(),
            next: Next::Value,
            within: Within::Nothing,
            key: Vec::new(),
            list: None,
            held: Held::default(),
            record: None,
            place: Place { line: 1, record: None },
            line: 1,
            byte: 0,
            number: 0,
        }
    }

    /// The line that is being read, from 1.
    pub(crate) fn line(&self) -> u64 {
        self.line
    }

    pub(crate) fn feed(
        &mut self,
        bytes: &[u8],
        found: &mut dyn FnMut(Found<'_>),
        take: Take<'_>,
    ) -> Result<(), Broken> {
        // The bytes from here on belong to the record, if there is one.
        let mut from = 0;
        for (at, byte) in bytes.iter().copied().enumerate() {
            if self.within == Within::Word && !is_of_word(byte) {
                self.end_value();
                if self.is_complete() {
                    self.held.push(&bytes[from..at], found);
                    self.end_record(found, take);
                }
            }
            if self.begins_record(byte) {
                self.number += 1;
                let record = Record { number: self.number, byte: self.byte };
                self.place = Place { line: self.line, record: Some(record) };
                self.record = Some(self.open.len());
                from = at;
            }
            self.step(byte)?;
            self.byte += 1;
            self.line += u64::from(byte == b'\n');
            if self.is_page(byte) {
                self.held.drop();
                self.record = None;
                self.list = Some(self.open.len());
                self.number -= 1;
            } else if self.is_complete() {
                self.held.push(&bytes[from..=at], found);
                self.end_record(found, take);
            }
        }
        if self.record.is_some() {
            self.held.push(&bytes[from..], found);
        }
        Ok(())
    }

    pub(crate) fn end(
        &mut self,
        found: &mut dyn FnMut(Found<'_>),
        take: Take<'_>,
    ) -> Result<(), Broken> {
        if self.record == Some(0) {
            // Cut or not: what it lacks is said of the record.
            self.open.clear();
            self.end_record(found, take);
        }
        match self.open.is_empty() {
            true => Ok(()),
            false => Err(self.broken("the file ends within an array of records")),
        }
    }

    /// Whether a record begins with this byte.
    fn begins_record(&self, byte: u8) -> bool {
        let is_value = matches!(self.next, Next::Value | Next::ValueOrEnd);
        if self.record.is_some() || self.within != Within::Nothing || !is_value || is_space(byte) {
            return false;
        }
        match self.list {
            Some(list) => self.open.len() == list && byte != b']',
            None => self.open.is_empty() && byte != b'[',
        }
    }

    /// Whether the record turns out to be a page, and its array begins with this byte.
    fn is_page(&self, byte: u8) -> bool {
        self.record == Some(0)
            && byte == b'['
            && self.within == Within::Nothing
            && self.open == b"{["
            && self.key == self.list_key.as_bytes()
            && !self.held.is_long()
    }

    /// Whether the record has come to its end.
    fn is_complete(&self) -> bool {
        self.within == Within::Nothing && self.record == Some(self.open.len())
    }

    fn end_record(&mut self, found: &mut dyn FnMut(Found<'_>), take: Take<'_>) {
        if !self.held.is_long() {
            take(self.place, self.held.bytes(), found);
        }
        self.held.end(self.place, found);
        self.record = None;
    }

    fn step(&mut self, byte: u8) -> Result<(), Broken> {
        match self.within {
            Within::Text { is_key, is_escaped } => self.step_text(byte, is_key, is_escaped),
            Within::Word => Ok(()),
            Within::Malformed => {
                if byte == b'\n' {
                    self.open.clear();
                    self.end_value();
                }
                Ok(())
            }
            Within::Nothing if is_space(byte) => Ok(()),
            Within::Nothing => self.step_between(byte),
        }
    }

    fn step_text(&mut self, byte: u8, is_key: bool, is_escaped: bool) -> Result<(), Broken> {
        match byte {
            _ if byte < b' ' => return self.malformed(byte),
            _ if is_escaped => self.within = Within::Text { is_key, is_escaped: false },
            b'\\' => self.within = Within::Text { is_key, is_escaped: true },
            b'"' if is_key => (self.within, self.next) = (Within::Nothing, Next::Colon),
            b'"' => self.end_value(),
            _ => {}
        }
        if is_key && self.open.len() == 1 && byte != b'"' && self.key.len() < KEY_BYTES {
            self.key.push(byte);
        }
        Ok(())
    }

    fn step_between(&mut self, byte: u8) -> Result<(), Broken> {
        let top = self.open.last();
        match (self.next, byte) {
            (Next::Value | Next::ValueOrEnd, b'{' | b'[') if self.open.len() < DEPTH => {
                if self.record.is_none() && self.open.is_empty() {
                    self.list = Some(1);
                }
                self.open.push(byte);
                self.next = if byte == b'{' { Next::KeyOrEnd } else { Next::ValueOrEnd };
            }
            (Next::Value | Next::ValueOrEnd, b'"') => {
                self.within = Within::Text { is_key: false, is_escaped: false };
            }
            (Next::Value | Next::ValueOrEnd, _) if is_of_word(byte) => self.within = Within::Word,
            (Next::Key | Next::KeyOrEnd, b'"') => {
                self.key.clear();
                self.within = Within::Text { is_key: true, is_escaped: false };
            }
            (Next::Colon, b':') => self.next = Next::Value,
            (Next::CommaOrEnd, b',') if top == Some(&b'{') => self.next = Next::Key,
            (Next::CommaOrEnd, b',') => self.next = Next::Value,
            (Next::CommaOrEnd | Next::KeyOrEnd, b'}') if top == Some(&b'{') => self.close(),
            (Next::CommaOrEnd | Next::ValueOrEnd, b']') if top == Some(&b'[') => self.close(),
            _ => return self.malformed(byte),
        }
        Ok(())
    }

    fn close(&mut self) {
        self.open.pop();
        if self.list.is_some_and(|list| self.open.len() < list) {
            self.list = None;
        }
        self.end_value();
    }

    fn end_value(&mut self) {
        self.within = Within::Nothing;
        self.next = if self.open.is_empty() { Next::Value } else { Next::CommaOrEnd };
    }

    fn malformed(&mut self, byte: u8) -> Result<(), Broken> {
        if self.record != Some(0) {
            return Err(self.broken("not JSON, and in an array nobody can say how it goes on"));
        }
        self.within = Within::Malformed;
        self.step(byte)
    }

    fn broken(&self, what: &str) -> Broken {
        let (number, byte) = (self.number, self.byte);
        Broken { line: self.line, reason: format!("record {number}, byte {byte}: {what}") }
    }
}

fn is_space(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\r' | b'\n')
}

fn is_of_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'-' | b'.')
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The records of a text, each with its place, then how the file ended; fed in pieces of `size`.
    fn cut(text: &str, size: usize) -> Vec<String> {
        let mut records = JsonRecords::new("items");
        let mut out = Vec::new();
        let mut take = |place: Place, text: &[u8], _: &mut dyn FnMut(Found<'_>)| {
            let Record { number, byte } = place.record.expect("of JSON");
            out.push(format!("{}/{number}/{byte} {}", place.line, String::from_utf8_lossy(text)));
        };
        let mut result = Ok(());
        for piece in text.as_bytes().chunks(size) {
            result = result.and_then(|()| records.feed(piece, &mut |_| {}, &mut take));
        }
        let result = result.and_then(|()| records.end(&mut |_| {}, &mut take));
        out.extend(result.err().map(|broken| broken.to_string()));
        out
    }

    #[track_caller]
    fn check(text: &str, expected: &[&str]) {
        for size in [1, 2, 7, 1000] {
            assert_eq!(cut(text, size), expected, "{text:?} in pieces of {size}");
        }
    }

    #[test]
    fn records_are_found_in_whatever_holds_them() {
        check("", &[]);
        check(" \n", &[]);
        check("{\"a\":1}\n{\"b\":[2,{}]}", &["1/1/0 {\"a\":1}", "2/2/8 {\"b\":[2,{}]}"]);
        check("{}{}", &["1/1/0 {}", "1/2/2 {}"]);
        check("[{},\n {\"a\":\"]\\\"}\"}]", &["1/1/1 {}", "2/2/6 {\"a\":\"]\\\"}\"}"]);
        check("[]\n[{}]", &["2/1/4 {}"]);
        check("[1, true ,\"x\"]", &["1/1/1 1", "1/2/4 true", "1/3/10 \"x\""]);
        check("12 {}", &["1/1/0 12", "1/2/3 {}"]);
        check("12", &["1/1/0 12"]);
        let page = "{\"kind\":\"k\",\"items\":[{\"a\":1},{}],\"next\":{\"items\":[7]}}\n{\"x\":0}";
        check(page, &["1/1/21 {\"a\":1}", "1/2/29 {}", "2/3/55 {\"x\":0}"]);
        // Only a page's own key, and only where it holds an array.
        check("{\"items\":7}", &["1/1/0 {\"items\":7}"]);
        check("{\"a\":{\"items\":[7]}}", &["1/1/0 {\"a\":{\"items\":[7]}}"]);
    }

    #[test]
    fn what_is_not_well_formed_ends_with_its_line() {
        check("{\"a\":1\n{\"b\":2}\n{}", &["1/1/0 {\"a\":1\n{\"b\":2}\n", "3/2/15 {}"]);
        check("{\"a\n{}", &["1/1/0 {\"a\n", "2/2/4 {}"]);
        check("hello, world\n{}", &["1/1/0 hello", "1/2/5 , world\n", "2/3/13 {}"]);
        check("{\"a\":", &["1/1/0 {\"a\":"]);
        check("]\n{}", &["1/1/0 ]\n", "2/2/2 {}"]);
    }

    #[test]
    fn in_an_array_nobody_can_say_how_it_goes_on() {
        let broken = "not JSON, and in an array nobody can say how it goes on";
        check("[{}}", &["1/1/1 {}", &format!("1: record 1, byte 3: {broken}")]);
        check("[{}\n,]", &["1/1/1 {}", &format!("2: record 1, byte 5: {broken}")]);
        check("[{\"a\n\"}]", &[&format!("1: record 1, byte 4: {broken}")]);
        let cut = "the file ends within an array of records";
        check("[{},{\"a\"", &["1/1/1 {}", &format!("1: record 2, byte 8: {cut}")]);
        check("{\"items\":[{}]", &["1/1/10 {}", &format!("1: record 1, byte 13: {cut}")]);
    }

    #[test]
    fn depth_has_a_limit() {
        let deep = "[".repeat(1 << 16);
        assert_eq!(cut(&deep, 1000).len(), 1);
        let deep = format!("{{\"a\":{deep}\n{{}}");
        assert_eq!(cut(&deep, 1000).len(), 2);
    }
}
