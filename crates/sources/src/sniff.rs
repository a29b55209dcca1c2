//! What a file begins like: to say which format to name when it is another than the one that was.

/// What a file may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Looks {
    /// Event lines or CloudEvents.
    Lines,
    /// Rows of some sort.
    Csv,
    /// Activities of Google Workspace, of Drive or another application.
    GoogleWorkspace,
    /// Records of Microsoft 365's unified audit log.
    M365,
    /// The output of `git log`.
    Git,
    /// Text in UTF-16, which no format reads.
    Utf16,
}

/// Of the beginning of a file, so much is looked at.
const LOOKED_AT: usize = 64 << 10;

/// What a file looks like by its first bytes, where that is plain.
#[must_use]
pub fn looks_like(start: &[u8]) -> Option<Looks> {
    let start = &start[..start.len().min(LOOKED_AT)];
    if start.starts_with(b"\xff\xfe") || start.starts_with(b"\xfe\xff") {
        return Some(Looks::Utf16);
    }
    let start = start.strip_prefix(b"\xef\xbb\xbf").unwrap_or(start).trim_ascii_start();
    let has = |what: &str| memmem(start, what.as_bytes());
    if start.starts_with(b"commit ") && start[7..].iter().take(16).all(u8::is_ascii_hexdigit) {
        return Some(Looks::Git);
    }
    let line = start.split(|byte| *byte == b'\n').next().unwrap_or_default();
    if matches!(start.first(), Some(b'{' | b'[')) {
        let is_lines = has("\"occurred_at\"") || has("\"specversion\"");
        return match () {
            () if is_lines => Some(Looks::Lines),
            () if has("\"uniqueQualifier\"") || has("#reports#activit") => {
                Some(Looks::GoogleWorkspace)
            }
            () if has("\"AuditData\"") || has("\"auditData\"") => Some(Looks::M365),
            () if has("\"CreationTime\"") && has("\"Operation\"") => Some(Looks::M365),
            () if has("\"OfficeWorkload\"") && has("\"Operation\"") => Some(Looks::M365),
            () => None,
        };
    }
    if memmem(line, b"AuditData") && memmem(line, b",") {
        return Some(Looks::M365);
    }
    let is_strange = |c: char| c.is_control() && !matches!(c, '\t' | '\r');
    let is_text = std::str::from_utf8(line).is_ok_and(|line| !line.contains(is_strange));
    // A heading and a row with as many fields.
    let second = start.split(|byte| *byte == b'\n').nth(1).unwrap_or_default();
    let is_csv = [b',', b';', b'\t'].iter().any(|delimiter| {
        let of = |line: &[u8]| line.iter().filter(|byte| *byte == delimiter).count();
        of(line) >= 2 && of(second) >= of(line)
    });
    (is_text && is_csv).then_some(Looks::Csv)
}

/// Whether `what` is somewhere in `text`.
fn memmem(text: &[u8], what: &[u8]) -> bool {
    text.windows(what.len()).any(|window| window == what)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_look_like_what_they_are() {
        for (start, expected) in [
            ("", None),
            ("{\"id\":\"1\",\"occurred_at\":", Some(Looks::Lines)),
            ("\u{feff} [{\"id\": {\"uniqueQualifier\": \"", Some(Looks::GoogleWorkspace)),
            ("{\"CreationTime\":1,\"Operation\":2}", Some(Looks::M365)),
            ("{\"CreationTime\":1}", None),
            ("{\"OfficeWorkload\":1,\"Operation\":2}", Some(Looks::M365)),
            ("RecordId,AuditData\r\n", Some(Looks::M365)),
            ("commit 6118baf276ca73c772ba", Some(Looks::Git)),
            ("commit early", None),
            ("a,b,c\n1,2,3\n", Some(Looks::Csv)),
            ("a\tb\tc\r\n1\t2\t3\r\n", Some(Looks::Csv)),
            ("a,b,c\n1,2\n", None),
            ("a,b,c", None),
            ("hello, world, all\nof you\n", None),
        ] {
            assert_eq!(looks_like(start.as_bytes()), expected, "{start}");
        }
        assert_eq!(looks_like(b"\xff\xfea\0"), Some(Looks::Utf16));
        assert_eq!(looks_like(b"\0,\x01,\0\n,,\n"), None);
    }
}
