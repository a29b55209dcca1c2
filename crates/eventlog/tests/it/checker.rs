//! A checker in another language, written from `docs/format.md` alone, finds the same root.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use stillthere_eventlog::Log;
use tempfile::tempdir;

use crate::support::{check, events, options};

/// What the script says of a store; `None`, loudly, where there is no Python.
pub fn python(store: &Path) -> Option<Output> {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/check_format.py");
    match Command::new("python3").arg(script).arg(store).output() {
        Ok(output) => Some(output),
        Err(e) => {
            println!("SKIPPED: python3 cannot be run ({e}), so nothing was held against it");
            None
        }
    }
}

#[test]
fn it_finds_the_same_root_and_the_same_tampering() {
    let dir = tempdir().unwrap();
    for (name, segment_bytes, is_closed) in [("a", 64 << 20, true), ("b", 4000, false)] {
        let store: PathBuf = dir.path().join(name);
        let log = Log::open(&store, options(segment_bytes)).unwrap();
        for from in (0..700).step_by(100) {
            log.append(events(from, from + 100)).unwrap();
        }
        if is_closed {
            log.close().unwrap();
        }
        let (report, _) = check(&store).unwrap();
        let Some(output) = python(&store) else { return };
        let (said, errors) =
            (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
        assert!(output.status.success(), "{errors}");
        let expected = format!(
            r#"{{"events": {}, "accounts": {}, "root": "{}","#,
            report.events,
            report.accounts,
            commitment::hex(&report.root)
        );
        assert!(said.starts_with(&expected), "{said}\nis not\n{expected}");
    }
    let file = dir.path().join("b/log/000000000001.seg");
    let sound = std::fs::read(&file).unwrap();
    for at in [0, 40, 100, 130, 165, 180, 185, 190, 200, 300, sound.len() - 1] {
        let mut bytes = sound.clone();
        bytes[at] ^= 1;
        std::fs::write(&file, bytes).unwrap();
        let output = python(&dir.path().join("b")).unwrap();
        assert!(!output.status.success(), "byte {at}");
    }
}
