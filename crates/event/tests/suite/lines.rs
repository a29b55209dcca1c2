//! What is taken, what is refused, and what does not fit into a fixture's line.

use event::limits::{ATTRIBUTES_BYTES, LINE_BYTES};
use event::{EventHash, is_blank, read_line, write_cloudevent, write_ndjson};

const COMMON: &str = r#""account":"li","occurred_at":"2026-02-13T13:47:38Z","actor":"user""#;

fn refused(line: &[u8]) -> String {
    read_line(line).expect_err("refused").to_string()
}

/// A line that is taken, by the line that it is written as.
fn taken(line: &str, expected: &str) {
    let event = read_line(line.as_bytes()).unwrap_or_else(|e| panic!("{line}: {e}"));
    let mut written = Vec::new();
    write_ndjson(&event, event.recorded_at, &mut written);
    assert_eq!(String::from_utf8(written).unwrap(), expected);
}

#[test]
fn spellings_of_one_event() {
    let plain = r#"{"id":"e","account":"li","occurred_at":"2026-02-13T13:47:38Z","kind":"backup_completed","backup":"b","bytes":0,"actor":"user"}"#;
    let with = |rest: &str| format!(r#"{{"kind":"backup_completed","id":"e",{COMMON},{rest}}}"#);
    taken(plain, plain);
    taken(&format!("  {plain}\t\r\n"), plain);
    taken(&with(r#""backup":"b","bytes":0"#), plain);
    taken(&with(r#""backup":"\u0062","bytes":0"#), plain);
    taken(&with(r#""\u0062ackup":"b","bytes" : 0"#), plain);
    taken(&with(r#""backup":"b","bytes":0,"parts":[],"attributes":{}"#), plain);
    taken(
        &with(
            r#""backup":"b","bytes":0,"parts":null,"attributes":null,"surface":null,"recorded_at":null"#,
        ),
        plain,
    );
}

#[test]
fn optional_fields() {
    let line = |kind: &str, rest: &str| {
        format!(
            r#"{{"id":"e","account":"li","occurred_at":"2026-02-13T13:47:38Z","kind":"{kind}"{rest},"actor":"user"}}"#
        )
    };
    let check = |kind, rest, expected| taken(&line(kind, rest), &line(kind, expected));
    check("account_opened", r#","tier":null"#, "");
    check("item_modified", r#","item":"a","bytes":null"#, r#","item":"a""#);
    check(
        "item_modified",
        r#","bytes":9007199254740991,"item":"a""#,
        r#","item":"a","bytes":9007199254740991"#,
    );
    check("item_purged", r#","item":"a","cause":null"#, r#","item":"a""#);
    check("backup_purged", r#","cause":null,"backup":"a""#, r#","backup":"a""#);
    check("upload_rejected", r#","item":null,"reason":"r""#, r#","reason":"r""#);
    check(
        "backup_completed",
        r#","backup":"b","bytes":1,"parts":["z","a","a"]"#,
        r#","backup":"b","bytes":1,"parts":["z","a","a"]"#,
    );
}

#[test]
fn texts_at_their_limits() {
    let fits = |field: &str, length: usize, kind: &str| {
        let text = "x".repeat(length);
        let line = format!(r#"{{"id":"e",{COMMON},"kind":"{kind}","{field}":"{text}"}}"#);
        read_line(line.as_bytes()).is_ok()
    };
    for (field, most, kind) in [
        ("item", 1024, "item_trashed"),
        ("backup", 1024, "backup_restored"),
        ("hold", 128, "hold_placed"),
        ("category", 128, "synced"),
        ("tier", 128, "tier_changed"),
        ("reason", 128, "upload_rejected"),
    ] {
        let got = [0, 1, most, most + 1].map(|length| fits(field, length, kind));
        assert_eq!(got, [false, true, true, false], "{field}");
    }
    // The length is that of the text, not of its spelling.
    let line = format!(r#"{{"id":"{}",{COMMON},"kind":"signed_in"}}"#, r"\u0041".repeat(128));
    assert_eq!(read_line(line.as_bytes()).unwrap().id, "A".repeat(128));
}

#[test]
fn attributes_at_their_limit() {
    let line = |value: usize| {
        let text = "v".repeat(value);
        format!(
            r#"{{"id":"e",{COMMON},"kind":"signed_in","attributes":{{"ключ":"{text}","":""}}}}"#
        )
    };
    let most = ATTRIBUTES_BYTES - "ключ".len();
    assert_eq!(read_line(line(most).as_bytes()).unwrap().attributes["ключ"].len(), most);
    assert_eq!(
        refused(line(most + 1).as_bytes()),
        "attributes: keys and values must be at most 65536 bytes together, found 65537"
    );
}

#[test]
fn lines_at_their_limit() {
    let line = format!(r#"{{"id":"e",{COMMON},"kind":"signed_in"}}"#);
    let padded = |length: usize| line.clone() + &" ".repeat(length - line.len());
    assert!(read_line(padded(LINE_BYTES).as_bytes()).is_ok());
    assert!(read_line((padded(LINE_BYTES) + "\n").as_bytes()).is_ok());
    assert!(read_line((padded(LINE_BYTES) + "\r\n").as_bytes()).is_ok());
    assert_eq!(
        refused(padded(LINE_BYTES + 1).as_bytes()),
        "line: must be at most 1048576 bytes long, found 1048577"
    );
}

#[test]
fn bytes_that_are_no_text() {
    assert_eq!(refused(b"{\"id\":\"\xff\"}"), "line: not UTF-8 at byte 8");
    assert_eq!(refused(b"\x1f\x8b\x08\x00"), "line: not UTF-8 at byte 2");
    assert_eq!(refused(b"{\"id\":\"\xed\xa0\x80\"}"), "line: not UTF-8 at byte 8");
    assert_eq!(
        refused(b"{\"id\":\"a\0\"}"),
        "json: control character (\\u0000-\\u001F) found while parsing a string (column 9)"
    );
    assert_eq!(refused(b""), "json: the line ends within a value (column 0)");
}

/// Hostile lines end in an error, soon.
#[test]
fn hostile_lines() {
    let nested = |open: &str, close: &str| {
        let n = 100_000;
        format!(r#"{{"id":{}1{}}}"#, open.repeat(n), close.repeat(n))
    };
    let deep = "json: recursion limit exceeded";
    assert!(refused(nested("[", "]").as_bytes()).starts_with(deep));
    assert!(refused(nested(r#"{"a":"#, "}").as_bytes()).starts_with(deep));
    assert!(refused("[".repeat(LINE_BYTES).as_bytes()).starts_with(deep));

    let keys: Vec<String> = (0..100_000).map(|n| format!("\"{n}\":0")).collect();
    let line = format!("{{{}}}", keys.join(","));
    assert_eq!(refused(line.as_bytes()), "0: unknown field");
    let line = format!("{{{},\"99999\":0}}", keys.join(","));
    assert_eq!(refused(line.as_bytes()), "99999: given twice");
    let line = format!("{{\"specversion\":\"1.0\",{}}}", keys.join(","));
    assert_eq!(refused(line.as_bytes()), "id: is required");

    // What a terminal would obey is shown, not sent, and what is long is cut.
    let line = format!(r#"{{"\u001b[2J\n{}":1}}"#, "x".repeat(500));
    let error = refused(line.as_bytes());
    assert_eq!(error, format!("\\u{{1b}}[2J\\n{}…: unknown field", "x".repeat(75)));
}

#[test]
fn blank_lines() {
    for (line, blank) in [
        ("", true),
        (" \t\r\n", true),
        ("\u{a0}", false),
        ("\u{feff}", false),
        ("0", false),
        ("{}", false),
    ] {
        assert_eq!(is_blank(line.as_bytes()), blank, "{line:?}");
    }
}

fn cloudevent(rest: &str) -> String {
    format!(
        r#"{{{rest}"type":"com.example.item_trashed","id":"e","time":"2026-02-13T21:47:38+08:00","subject":"li","source":"/phone","specversion":"1.0"}}"#
    )
}

#[test]
fn cloudevents() {
    let check = |rest: &str, expected: &str| {
        let plain = r#"{"id":"e","account":"li","occurred_at":"2026-02-13T13:47:38Z","#;
        taken(&cloudevent(rest), &format!(r#"{plain}{expected}}}"#));
    };
    let data = r#""data":{"item":"a","actor":"user"},"#;
    let bare =
        r#""kind":"item_trashed","item":"a","actor":"user","attributes":{"source":"/phone"}"#;
    check(data, bare);
    check(
        r#""data":{"item":"a","actor":"user","surface":"web","attributes":{"z":"1"}},"recordedtime":"2026-02-14T00:00:00Z","#,
        r#""recorded_at":"2026-02-14T00:00:00Z","kind":"item_trashed","item":"a","actor":"user","surface":"web","attributes":{"source":"/phone","z":"1"}"#,
    );
    for dropped in [
        r#""datacontenttype":"application/json","#,
        r#""datacontenttype":"application/json; charset=utf-8","#,
        r#""datacontenttype":"Application/Vnd.Example+JSON ; v=1","#,
        r#""datacontenttype":"text/json","#,
        r#""datacontenttype":null,"#,
        r#""dataschema":"https://example.com/schema","#,
        r#""dataschema":null,"recordedtime":null,"traceparent":null,"#,
    ] {
        check(&format!("{data}{dropped}"), bare);
    }
    check(
        &format!(r#"{data}"actor":"x","flag":true,"n":-7,"big":18446744073709551615,"a1":"","#),
        r#""kind":"item_trashed","item":"a","actor":"user","attributes":{"a1":"","actor":"x","big":"18446744073709551615","flag":"true","n":"-7","source":"/phone"}"#,
    );
    let bare_type = cloudevent(data).replace("com.example.item_trashed", "item_trashed");
    assert!(read_line(bare_type.as_bytes()).is_ok());
}

#[test]
fn cloudevents_attributes_at_their_limit() {
    let line = |value: usize| {
        let text = "v".repeat(value);
        cloudevent(&format!(r#""data":{{"item":"a","actor":"user"}},"x":"{text}","#))
    };
    let most = ATTRIBUTES_BYTES - "source/phonex".len();
    assert!(read_line(line(most).as_bytes()).is_ok());
    assert_eq!(
        refused(line(most + 1).as_bytes()),
        "data.attributes: keys and values must be at most 65536 bytes together, found 65537"
    );
}

#[test]
fn cloudevents_as_written() {
    let check = |line: &str, expected: &str| {
        let event = read_line(line.as_bytes()).unwrap();
        let mut written = Vec::new();
        write_cloudevent(&event, event.recorded_at, &mut written);
        assert_eq!(std::str::from_utf8(&written).unwrap(), expected);
        EventHash::of(&event) == EventHash::of(&read_line(&written).unwrap())
    };
    let line = r#"{"id":"e","account":"li","occurred_at":"2026-02-13T13:47:38Z","recorded_at":"2026-02-14T00:00:00Z","kind":"item_trashed","item":"a","actor":"user","attributes":{"source":"/phone","z":"1"}}"#;
    assert!(check(
        line,
        r#"{"specversion":"1.0","id":"e","source":"/phone","type":"stillthere.item_trashed","subject":"li","time":"2026-02-13T13:47:38Z","recordedtime":"2026-02-14T00:00:00Z","datacontenttype":"application/json","data":{"item":"a","actor":"user","attributes":{"z":"1"}}}"#,
    ));
    let line = r#"{"id":"e","account":"li","occurred_at":"2026-02-13T13:47:38Z","kind":"signed_in","actor":"user"}"#;
    assert!(!check(
        line,
        r#"{"specversion":"1.0","id":"e","source":"stillthere","type":"stillthere.signed_in","subject":"li","time":"2026-02-13T13:47:38Z","datacontenttype":"application/json","data":{"actor":"user"}}"#,
    ));
}
