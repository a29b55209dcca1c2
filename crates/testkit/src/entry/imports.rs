//! Logs of other systems.

use std::sync::Arc;

use sources::{Accounts, Csv, Decode, Found, Git, GitTime, GoogleDrive, M365, Map};

use super::is_printable;

/// What stands between a map and its rows.
const MAP_ENDS: &[u8] = b"\n# rows\n";

/// A map, and rows behind it.
pub fn csv(bytes: &[u8]) {
    let at = bytes.windows(MAP_ENDS.len()).position(|window| window == MAP_ENDS);
    let (map, rows) =
        at.map_or((bytes, &[][..]), |at| (&bytes[..at], &bytes[at + MAP_ENDS.len()..]));
    let Ok(map) = std::str::from_utf8(map) else { return };
    match Map::parse(map) {
        Err(error) => is_printable(&error.to_string()),
        Ok(map) => {
            let map = Arc::new(map);
            is_read(rows, &|| Box::new(Csv::new(Arc::clone(&map))));
        }
    }
}

/// Drive activities.
pub fn drive(bytes: &[u8]) {
    is_read(bytes, &|| Box::new(GoogleDrive::new()));
}

/// Records of Microsoft 365.
pub fn m365(bytes: &[u8]) {
    is_read(bytes, &|| Box::new(M365::new()));
}

/// What `git log` printed.
pub fn git(bytes: &[u8]) {
    let accounts = Accounts::pattern("packages/*").expect("a pattern");
    let sizes = || Box::new(|blob: &str| Some(blob.len() as u64));
    is_read(bytes, &|| Box::new(Git::new(accounts.clone(), GitTime::Author, sizes())));
}

/// However the bytes are cut the same is found, and each thing is sound.
fn is_read(bytes: &[u8], decoder: &dyn Fn() -> Box<dyn Decode>) {
    let _ = sources::looks_like(bytes);
    let whole = read(decoder(), bytes, bytes.len().max(1));
    for size in [1, 7, 64] {
        assert_eq!(read(decoder(), bytes, size), whole, "in pieces of {size}");
    }
}

/// What is found in pieces of this size, and how it ended.
fn read(mut decoder: Box<dyn Decode>, bytes: &[u8], size: usize) -> Vec<String> {
    let mut all = Vec::new();
    let mut long = 0;
    let mut found = |found: Found<'_>| {
        match &found {
            Found::Event { event, .. } => assert_eq!(event.check(), Ok(()), "within the limits"),
            Found::Rejected { error, .. } => {
                is_printable(&error.field);
                is_printable(&error.reason);
            }
            // However many there are, together they are the record.
            Found::LongPiece(piece) => {
                long += piece.len() as u64;
                return;
            }
            Found::LongEnd { bytes, .. } => {
                assert_eq!(*bytes, long, "all of it was given");
                long = 0;
            }
            Found::Head(_) | Found::Unmapped { .. } | Found::Skipped { .. } => {}
        }
        all.push(format!("{found:?}"));
    };
    let fed = bytes.chunks(size).try_for_each(|piece| decoder.feed(piece, &mut found));
    let ended = fed.and_then(|()| decoder.end(&mut found));
    if let Err(broken) = ended {
        is_printable(&broken.reason);
        all.push(broken.to_string());
    }
    all
}
