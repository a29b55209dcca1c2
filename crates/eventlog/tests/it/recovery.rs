//! What a writer makes of what it finds: clean, recovered or corrupt.

use std::fs;
use std::path::Path;

use commitment::Slot;
use stillthere_eventlog::{Log, OpenError, Reader, Recovery};
use tempfile::tempdir;

use crate::faulty::Memory;
use crate::support::{check, contents, cut_room, end, event, events, open, options, try_open};

/// What opening said, in few words, and how many events are there then.
fn opened(dir: &Path) -> (String, u64) {
    match Log::open(dir, options(1500)) {
        Ok(log) => {
            let what = match log.recovery() {
                Recovery::Created => "created".to_owned(),
                Recovery::Clean => "clean".to_owned(),
                Recovery::Recovered { cut, kept_in } => {
                    let kept = kept_in.as_ref().map(|name| fs::read(dir.join(name)).unwrap().len());
                    format!("recovered, cut {cut}, kept {}", kept.unwrap_or(0))
                }
            };
            (what, log.size())
        }
        Err(OpenError::Corrupt { divergence, .. }) => (format!("corrupt {}", divergence.file), 0),
        Err(e) => panic!("{e}"),
    }
}

struct Case {
    dir: tempfile::TempDir,
    /// The end of the log after 10 events, in the only segment; then come 3 more.
    ten: u64,
}

impl Case {
    /// A log of 13 events in batches of 5, 5 and 3.
    fn new(is_closed: bool) -> Case {
        let dir = tempdir().unwrap();
        let log = Log::open(dir.path(), options(64 << 20)).unwrap();
        log.append(events(0, 5)).unwrap();
        log.append(events(5, 10)).unwrap();
        let (_, ten) = end(dir.path());
        log.append(events(10, 13)).unwrap();
        if is_closed {
            log.close().unwrap();
        } else {
            drop(log);
            cut_room(dir.path());
        }
        Case { dir, ten }
    }

    fn edit(&self, file: &str, edit: impl FnOnce(&mut Vec<u8>)) {
        let path = self.dir.path().join("log").join(file);
        let mut bytes = fs::read(&path).unwrap();
        edit(&mut bytes);
        fs::write(path, bytes).unwrap();
    }

    fn segment(&self, change: impl FnOnce(&mut Vec<u8>)) {
        self.edit("000000000000.seg", change);
    }

    /// Puts `HEAD` back to an earlier end, open: as loss of power can, for it is synced lazily.
    fn head_lags(&self) {
        let segment = fs::read(self.dir.path().join("log/000000000000.seg")).unwrap();
        let ten = self.ten;
        // The link in the batch that follows says half of the checksum; the header has the whole.
        let mut at = 160;
        let mut checksum = [0; 16];
        while at < usize::try_from(ten).unwrap() {
            checksum = segment[at..at + 16].try_into().unwrap();
            at += 32 + u32::from_le_bytes(segment[at + 24..at + 28].try_into().unwrap()) as usize;
        }
        let store = segment[16..32].try_into().unwrap();
        let slot = |sequence| Slot {
            store,
            sequence,
            shut: false,
            segment: 0,
            offset: ten,
            events: 10,
            checksum,
        };
        self.edit("HEAD", |head| *head = [slot(2).encode(), slot(3).encode()].concat());
    }
}

fn check_case(what: &str, case: &Case, expected: &str, size: u64) {
    let dir = case.dir.path();
    let (before, reader) = (fs::read(dir.join("log/000000000000.seg")).ok(), Reader::open(dir));
    let (found, events_found) = opened(dir);
    assert_eq!((found.as_str(), events_found), (expected, size), "{what}");
    if expected.starts_with("corrupt") {
        assert!(check(dir).is_err(), "{what}: the checker agrees");
        assert_eq!(
            fs::read(dir.join("log/000000000000.seg")).ok(),
            before,
            "{what}: nothing written"
        );
        return;
    }
    // A reader that came before saw the same, up to a torn HEAD.
    assert_eq!(reader.unwrap().size(), size, "{what}");
    // What was acknowledged can be read, and it can be gone on with.
    assert_eq!(contents(dir), events(0, size as usize), "{what}");
    let log = Log::open(dir, options(1500)).unwrap();
    assert_eq!(*log.recovery(), Recovery::Clean, "{what}: a second time");
    log.append(events(size as usize, 30)).unwrap();
    log.close().unwrap();
    assert_eq!(contents(dir), events(0, 30), "{what}");
}

#[test]
fn an_open_log() {
    let run = |what: &str, change: &dyn Fn(&Case), expected: &str, size: u64| {
        let case = Case::new(false);
        change(&case);
        check_case(what, &case, expected, size);
    };
    let torn = |bytes: &[u8]| {
        let bytes = bytes.to_vec();
        move |case: &Case| case.segment(|s| s.extend_from_slice(&bytes))
    };
    run("as it was", &|_| {}, "clean", 13);
    run("a byte behind", &torn(&[9]), "recovered, cut 1, kept 1", 13);
    run("junk behind", &torn(&[0xab; 700]), "recovered, cut 700, kept 700", 13);
    for room in [1, 31, 32, 5000, 3 << 20] {
        run("room behind", &torn(&vec![0; room]), "clean", 13);
        let junk = [vec![0xab; 700], vec![0; room]].concat();
        run("junk, then room", &torn(&junk), "recovered, cut 700, kept 700", 13);
        let junk = [vec![0; room], vec![1]].concat();
        let said = format!("recovered, cut {0}, kept {0}", room + 1);
        run("room, then junk", &torn(&junk), &said, 13);
    }
    let most = commitment::BATCH_HEADER + commitment::MAX_BATCH;
    for (len, said) in [
        (most, format!("recovered, cut {most}, kept {most}")),
        (most + 1, "corrupt 000000000000.seg".to_owned()),
    ] {
        let junk = [vec![0; 9], vec![7; len - 9], vec![0; 3 << 20]].concat();
        run("a batch's length", &torn(&junk), &said, if len == most { 13 } else { 0 });
    }
    run(
        "cut below HEAD",
        &|c| c.segment(|s| s.truncate(s.len() - 1)),
        "corrupt 000000000000.seg",
        0,
    );
    run("damage below HEAD", &|c| c.segment(|s| s[300] ^= 1), "corrupt 000000000000.seg", 0);
    run("a header damaged", &|c| c.segment(|s| s[50] ^= 1), "corrupt 000000000000.seg", 0);
    run("HEAD lags behind a whole batch", &Case::head_lags, "clean", 13);
    run(
        "HEAD lags behind a torn batch",
        &|c| {
            c.head_lags();
            c.segment(|s| s.truncate(usize::try_from(c.ten).unwrap() + 100));
        },
        "recovered, cut 100, kept 100",
        10,
    );
    run(
        "HEAD lags behind a torn batch with room behind it",
        &|c| {
            c.head_lags();
            c.segment(|s| {
                s.truncate(usize::try_from(c.ten).unwrap() + 100);
                *s.last_mut().unwrap() = 5;
                s.resize(s.len() + 4096, 0);
            });
        },
        "recovered, cut 100, kept 100",
        10,
    );
    run(
        "HEAD lags behind room",
        &|c| {
            c.head_lags();
            c.segment(|s| s[usize::try_from(c.ten).unwrap()..].fill(0));
        },
        "clean",
        10,
    );
    run(
        "HEAD lags behind a damaged last batch",
        &|c| {
            c.head_lags();
            c.segment(|s| *s.last_mut().unwrap() ^= 1);
        },
        &format!("recovered, cut {0}, kept {0}", {
            let case = Case::new(false);
            fs::metadata(case.dir.path().join("log/000000000000.seg")).unwrap().len() - case.ten
        }),
        10,
    );
    run("a slot damaged", &|c| c.edit("HEAD", |h| h[100] ^= 1), "recovered, cut 0, kept 0", 13);
    run(
        "the other slot damaged",
        &|c| c.edit("HEAD", |h| h[600] ^= 1),
        "recovered, cut 0, kept 0",
        13,
    );
    run(
        "both slots damaged",
        &|c| {
            c.edit("HEAD", |h| {
                h[100] ^= 1;
                h[600] ^= 1;
            })
        },
        "corrupt HEAD",
        0,
    );
    run("HEAD cut", &|c| c.edit("HEAD", |h| h.truncate(512)), "corrupt HEAD", 0);
    let add = |name: &'static str, bytes: &'static [u8]| {
        move |c: &Case| fs::write(c.dir.path().join("log").join(name), bytes).unwrap()
    };
    let next = "000000000001.seg";
    run("a segment without a header behind", &add(next, b"STILL"), "recovered, cut 0, kept 5", 13);
    run("a segment of junk behind", &add(next, &[9; 300]), "recovered, cut 0, kept 300", 13);
    run("a segment too far behind", &add("000000000002.seg", b""), "corrupt 000000000002.seg", 0);
    let gone = |c: &Case| fs::remove_file(c.dir.path().join("log/000000000000.seg")).unwrap();
    run("no segment", &gone, "corrupt 000000000000.seg", 0);
}

#[test]
fn a_damaged_batch_before_a_sound_one_is_never_cut() {
    // HEAD lags by two batches, the first of which is damaged: no crash does that.
    for damage in [170, 170 + 16, 170 + 24, 170 + 32, 170 + 100] {
        let case = Case::new(false);
        let header = fs::read(case.dir.path().join("log/000000000000.seg")).unwrap();
        let store = header[16..32].try_into().unwrap();
        let checksum = header[128..144].try_into().unwrap();
        let slot = |sequence| Slot {
            store,
            sequence,
            shut: false,
            segment: 0,
            offset: 160,
            events: 0,
            checksum,
        };
        case.edit("HEAD", |head| *head = [slot(2).encode(), slot(3).encode()].concat());
        case.segment(|s| s[damage] ^= 0x20);
        check_case(&format!("byte {damage}"), &case, "corrupt 000000000000.seg", 0);
    }
}

#[test]
fn a_closed_log_is_never_cut() {
    let run = |what: &str, change: &dyn Fn(&Case), expected: &str, size: u64| {
        let case = Case::new(true);
        change(&case);
        check_case(what, &case, expected, size);
    };
    run("as it was", &|_| {}, "clean", 13);
    run("a byte behind", &|c| c.segment(|s| s.push(0)), "corrupt 000000000000.seg", 0);
    run("cut", &|c| c.segment(|s| s.truncate(s.len() - 1)), "corrupt 000000000000.seg", 0);
    run("a slot damaged", &|c| c.edit("HEAD", |h| h[100] ^= 1), "recovered, cut 0, kept 0", 13);
    let add = |c: &Case| fs::write(c.dir.path().join("log/000000000001.seg"), "").unwrap();
    run("a segment behind", &add, "corrupt 000000000001.seg", 0);
}

#[test]
fn room_is_made_while_the_log_is_open_and_nowhere_else() {
    let dir = tempdir().unwrap();
    let log = Log::open(dir.path(), options(150_000)).unwrap();
    let mut lengths = Vec::new();
    for at in 0..3000 {
        log.append(events(at, at + 1)).unwrap();
        let (path, end) = end(dir.path());
        let bytes = fs::read(&path).unwrap();
        assert!(bytes[end as usize..].iter().all(|byte| *byte == 0));
        assert!(bytes.len() <= 2 * end.max(1 << 16) as usize, "{} of {end}", bytes.len());
        lengths.push(bytes.len());
    }
    lengths.dedup();
    assert!((4..40).contains(&lengths.len()), "made seldom: {lengths:?}");
    let copy = tempdir().unwrap();
    fs::create_dir(copy.path().join("log")).unwrap();
    for entry in fs::read_dir(dir.path().join("log")).unwrap() {
        let entry = entry.unwrap();
        fs::copy(entry.path(), copy.path().join("log").join(entry.file_name())).unwrap();
    }
    log.close().unwrap();
    let (path, end) = end(dir.path());
    assert_eq!(fs::metadata(path).unwrap().len(), end);
    assert_eq!(contents(dir.path()), events(0, 3000));
    // What a kill leaves, room and all, is gone on with; a close without an append cuts it off too.
    let log = Log::open(copy.path(), options(150_000)).unwrap();
    assert_eq!(*log.recovery(), Recovery::Clean);
    log.close().unwrap();
    assert_eq!(contents(copy.path()), events(0, 3000));
    let names = |dir: &Path| fs::read_dir(dir.join("log")).unwrap().count();
    assert!(names(dir.path()) > 2, "there are segments that are not the last");
    for entry in fs::read_dir(dir.path().join("log")).unwrap() {
        let (entry, copy) = (entry.as_ref().unwrap(), copy.path().join("log"));
        if entry.file_name() != "HEAD" {
            assert!(
                fs::read(entry.path()).unwrap() == fs::read(copy.join(entry.file_name())).unwrap()
            );
        }
    }
    // Zeros behind a segment that is not the last are no room.
    let first = copy.path().join("log/000000000000.seg");
    let bytes = fs::read(&first).unwrap();
    fs::write(&first, [&bytes[..], &[0; 64]].concat()).unwrap();
    assert!(check(copy.path()).is_err());
}

#[test]
fn a_full_disk_has_no_room_and_takes_events_to_its_last_byte() {
    let memory = Memory::default();
    crate::crash::root(&memory);
    let store = Path::new("/store");
    let log = Log::open_on(std::sync::Arc::new(memory.clone()), store, options(64 << 20)).unwrap();
    memory.limit(20_000);
    let mut count = 0;
    while log.append(events(count, count + 1)).is_ok() {
        count += 1;
    }
    assert!(count > 60, "{count}");
    assert!(log.close().is_err());
    memory.limit(usize::MAX);
    let log = Log::open_on(std::sync::Arc::new(memory.clone()), store, options(64 << 20)).unwrap();
    assert_eq!(log.size(), count as u64);
    log.append(events(count, count + 5)).unwrap();
    log.close().unwrap();
}

#[test]
fn a_roll_that_was_cut_short() {
    // The second segment is there, its header whole, and HEAD does not name it yet.
    let dir = tempdir().unwrap();
    let log = Log::open(dir.path(), options(700)).unwrap();
    log.append(events(0, 12)).unwrap();
    let head = fs::read(dir.path().join("log/HEAD")).unwrap();
    log.append(events(12, 13)).unwrap();
    drop(log);
    let next = dir.path().join("log/000000000001.seg");
    let whole = fs::read(&next).unwrap();
    for len in [0, 1, 159, 160] {
        fs::write(dir.path().join("log/HEAD"), &head).unwrap();
        fs::write(&next, &whole[..len]).unwrap();
        let log = Log::open(dir.path(), options(700)).unwrap();
        assert!(matches!(log.recovery(), Recovery::Recovered { cut: 0, kept_in: Some(_) }));
        assert!(!next.exists());
        drop(log);
        assert_eq!(contents(dir.path()), events(0, 12));
    }
    // And with a batch: the loss of power took a synced HEAD back. What is there stays.
    fs::write(dir.path().join("log/HEAD"), &head).unwrap();
    fs::write(&next, &whole).unwrap();
    let log = Log::open(dir.path(), options(700)).unwrap();
    assert_eq!(log.size(), 13);
    log.append(events(13, 20)).unwrap();
    log.close().unwrap();
    assert_eq!(contents(dir.path()), events(0, 20));
}

/// An event whose text is the image of a sound batch, as its author would make it who knows the format
/// and not the store: a crash behind it is a crash still.
#[test]
fn text_that_looks_like_a_batch_is_text() {
    let dir = tempdir().unwrap();
    let log = open(dir.path());
    log.append(events(0, 3)).unwrap();
    log.close().unwrap();
    let path = dir.path().join("log/000000000000.seg");
    let whole = std::fs::read(&path).unwrap();
    let mut image = Vec::new();
    commitment::begin_batch(&mut image);
    image.extend_from_slice(&[2, 0, 0, 0, 0, 0, 0, 9]);
    commitment::finish_batch(&mut image, &[0; 16], &[0; 16], 0);
    assert_eq!(commitment::find_batch(&image, &[0; 16]), Some(0));
    let log = open(dir.path());
    log.append(events(3, 4)).unwrap();
    drop(log);
    let grown = std::fs::read(&path).unwrap();
    let head = dir.path().join("log/HEAD");
    let open_at_3 = {
        // HEAD as it was before the last batch: its other slot.
        let bytes = std::fs::read(&head).unwrap();
        let decoded = commitment::Head::decode(&bytes).unwrap();
        let place = decoded.now.place() as usize;
        let before = decoded.before.unwrap();
        assert_eq!(before.offset as usize, whole.len());
        let again = commitment::Slot { sequence: decoded.now.sequence, ..before };
        let mut bytes = bytes;
        bytes[place..place + commitment::SLOT].copy_from_slice(&again.encode());
        bytes
    };
    std::fs::write(&head, open_at_3).unwrap();
    // A torn batch that holds the image.
    let mut torn = whole.clone();
    torn.extend_from_slice(&grown[whole.len()..whole.len() + 60]);
    torn.extend_from_slice(&image);
    std::fs::write(&path, torn).unwrap();
    let log = open(dir.path());
    assert!(
        matches!(log.recovery(), Recovery::Recovered { cut, .. } if *cut as usize == 60 + image.len())
    );
    log.close().unwrap();
    assert_eq!(contents(dir.path()), events(0, 3));
}

/// Two accounts of one name, or of one ordinal: no writer makes such a log, and no reader panics over it,
/// whether the first of them is in a run or not.
#[test]
fn an_account_given_twice_is_damage() {
    let second = |name: &[u8; 2], ordinal: u8| {
        let (name, ordinal) = (*name, ordinal);
        move |frame: &mut [u8], is_name: bool| {
            if is_name {
                let len = frame.len();
                frame[len - 2..].copy_from_slice(&name);
                frame[commitment::FRAME_HEADER] = ordinal;
            } else {
                frame[commitment::FRAME_HEADER + 4] = ordinal;
            }
        }
    };
    check_given_twice(second(b"aa", 1), "an account of one name and one ordinal");
    check_given_twice(second(b"bb", 0), "a new ordinal");
}

/// `change` is given each frame of the second account's that is a name or an event.
fn check_given_twice(change: impl Fn(&mut [u8], bool), expected: &str) {
    let dir = tempdir().unwrap();
    for account in ["aa", "bb"] {
        let log = open(dir.path());
        log.append(vec![event(account, "1", r#""kind":"signed_in""#)]).unwrap();
        log.close().unwrap();
    }
    let path = dir.path().join("log/000000000000.seg");
    let mut bytes = std::fs::read(&path).unwrap();
    let store: [u8; 16] = bytes[16..32].try_into().unwrap();
    let first = bytes[commitment::SEGMENT_HEADER..].first_chunk().unwrap();
    let first = commitment::BatchHeader::read(first).unwrap();
    let start = commitment::SEGMENT_HEADER + first.total();
    let mut at = start + commitment::BATCH_HEADER;
    while at < bytes.len() {
        let (frame, len) = commitment::Frame::read(&bytes[at..]).unwrap();
        let is_name = matches!(frame, commitment::Frame::Name { .. });
        if is_name || matches!(frame, commitment::Frame::Event { .. }) {
            change(&mut bytes[at..at + len], is_name);
            let leaf = commitment::Frame::read(&bytes[at..]).unwrap().0.leaf().unwrap();
            bytes[at + 4..at + 8].copy_from_slice(&leaf[..4]);
        }
        at += len;
    }
    let checksum = commitment::finish_batch(&mut bytes[start..], &store, &first.checksum, 1);
    std::fs::write(&path, bytes).unwrap();
    let head = dir.path().join("log/HEAD");
    let mut slots = std::fs::read(&head).unwrap();
    for n in 0..2 {
        let slot = &mut slots[n * commitment::SLOT..(n + 1) * commitment::SLOT];
        slot[64..80].copy_from_slice(&checksum);
        let hash = *blake3::hash(&slot[..480]).as_bytes();
        slot[480..].copy_from_slice(&hash);
    }
    std::fs::write(&head, slots).unwrap();
    // Of the two runs the first is sound still.
    for has_run in [true, false] {
        if !has_run {
            std::fs::remove_dir_all(dir.path().join("derived")).unwrap();
        }
        let said = stillthere_eventlog::Reader::open(dir.path()).err().expect("refused");
        assert!(said.to_string().contains(expected), "{said}");
        let said = try_open(dir.path()).err().expect("refused");
        assert!(said.to_string().contains("ordinal"), "{said}");
    }
    assert!(check(dir.path()).is_err());
}
