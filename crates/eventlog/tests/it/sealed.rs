//! A log that holds control frames is opened, read and written on as any other.

use std::path::Path;

use commitment::{
    Control, FRAME_HEADER, Level, LogCheck, Seal, Sealed, Slot, begin_batch, finish_batch,
    segment_name, write_control, write_trailer,
};
use tempfile::tempdir;

use crate::support::{check, contents, end, events, open};

/// Appends a batch of a statement and a seal to a closed log, as no command does yet.
fn seal(dir: &Path) -> Sealed {
    let head = std::fs::read(dir.join("log/HEAD")).unwrap();
    let mut check = LogCheck::new(Level::Full, &head).unwrap();
    for number in 0..=commitment::Head::decode(&head).unwrap().now.segment {
        let name = segment_name(number);
        check.file(&name).unwrap();
        check.feed(&std::fs::read(dir.join("log").join(name)).unwrap(), &mut |_| {}).unwrap();
    }
    let (report, end_of_log) = check.conclude().unwrap();
    let mut pages = end_of_log.pages;
    let mut batch = Vec::new();
    begin_batch(&mut batch);
    let seal = Seal {
        size: report.events,
        accounts: report.accounts,
        root: [7; 32],
        at_ms: pages.clock_ms() + 1000,
    };
    for control in [Control::Statement { what: "w", note: "n" }, Control::Seal(seal)] {
        let start = batch.len();
        let leaf = write_control(&mut batch, &control, &[9; 16]);
        assert!(batch.len() > start + FRAME_HEADER);
        pages.push(leaf, batch.len() - start, false);
    }
    pages.set_clock_ms(seal.at_ms);
    let sealed = Sealed { page: pages.closed(), seal, has_map: true };
    write_trailer(&mut batch, &pages.open().unwrap().encode());
    let checksum = finish_batch(&mut batch, &end_of_log.store, &end_of_log.checksum, 0);

    let (path, offset) = end(dir);
    let mut segment = std::fs::read(&path).unwrap();
    assert_eq!(segment.len() as u64, offset);
    segment.extend_from_slice(&batch);
    std::fs::write(&path, &segment).unwrap();
    let slots: Vec<u8> = [6, 7]
        .iter()
        .flat_map(|sequence| {
            let slot = Slot {
                store: end_of_log.store,
                sequence: *sequence,
                shut: true,
                segment: end_of_log.segment,
                offset: segment.len() as u64,
                events: report.events,
                checksum,
            };
            slot.encode()
        })
        .collect();
    std::fs::write(dir.join("log/HEAD"), slots).unwrap();
    sealed
}

#[test]
fn a_sealed_log_is_read_and_written_on() {
    let dir = tempdir().unwrap();
    let store = dir.path().join("store");
    let mut seals = Vec::new();
    for round in 0..3 {
        // The first batch behind a seal begins with the name of an account that is new.
        let log = open(&store);
        let name = format!("new-in-{round}");
        let new = crate::support::event(&name, "e", r#""kind":"page_viewed""#);
        log.append(vec![new]).unwrap();
        log.append(events(round * 50, round * 50 + 50)).unwrap();
        log.close().unwrap();
        seals.push(seal(&store));
        if round == 1 {
            // Made anew from the log.
            std::fs::remove_dir_all(store.join("derived")).unwrap();
        }
        assert_eq!(contents(&store).len(), (round + 1) * 51);
        let (report, events) = check(&store).unwrap();
        assert_eq!((&report.seals, events.len() as u64), (&seals, report.events));
    }
}
