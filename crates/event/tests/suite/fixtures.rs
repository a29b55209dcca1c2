//! What is pinned under `fixtures/events`. With `UPDATE_FIXTURES=1` in the environment the files
//! are written anew instead of compared; read the difference before keeping it.

use std::collections::BTreeSet;
use std::fmt::Write;
use std::path::PathBuf;

use event::{EventHash, Kind, canonical, read_line, write_ndjson};

fn path(name: &str) -> PathBuf {
    PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../../fixtures/events")).join(name)
}

fn read(name: &str) -> String {
    std::fs::read_to_string(path(name)).unwrap()
}

fn hold(name: &str, now: &str) {
    if std::env::var_os("UPDATE_FIXTURES").is_some() {
        std::fs::write(path(name), now).unwrap();
    }
    let pinned = read(name);
    for (n, (now, pinned)) in now.lines().zip(pinned.lines()).enumerate() {
        assert_eq!(now, pinned, "{name}, line {}", n + 1);
    }
    assert_eq!(now, pinned, "{name}");
}

/// Every kind's canonical bytes and hash: a change here is a change of the log's format.
#[test]
fn every_kind() {
    let mut kinds = BTreeSet::new();
    let mut pinned = String::from("line\tkind\tcanonical\thash\n");
    for (n, line) in read("every-kind.ndjson").lines().enumerate() {
        let event = read_line(line.as_bytes()).unwrap();
        kinds.insert(event.payload.kind());
        let mut bytes = Vec::new();
        canonical::encode(&event, &mut bytes);
        let hex: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
        let (kind, hash) = (event.payload.kind(), EventHash::of(&event));
        writeln!(pinned, "{}\t{kind}\t{hex}\t{hash}", n + 1).unwrap();

        let mut written = Vec::new();
        write_ndjson(&event, event.recorded_at, &mut written);
        assert_eq!(read_line(&written), Ok(event), "line {}", n + 1);
        assert_eq!(hash.to_string().parse(), Ok(hash));
    }
    assert_eq!(kinds.len(), Kind::ALL.len());
    hold("every-kind.tsv", &pinned);
}

/// The field is the author's, by hand; the reason is pinned so that it is read when it changes.
#[test]
fn bad_lines() {
    let mut pinned = String::new();
    let mut cases = 0;
    for row in read("bad-lines.tsv").lines() {
        if row.starts_with('#') {
            writeln!(pinned, "{row}").unwrap();
            continue;
        }
        let [line, field, _reason] = row.split('\t').collect::<Vec<_>>().try_into().unwrap();
        let error = read_line(line.as_bytes()).expect_err(line);
        assert_eq!(error.field, field, "{line}: {error}");
        assert_eq!(error.to_string(), format!("{field}: {}", error.reason));
        writeln!(pinned, "{line}\t{field}\t{}", error.reason).unwrap();
        cases += 1;
    }
    assert!(cases >= 200, "{cases} cases");
    hold("bad-lines.tsv", &pinned);
}
