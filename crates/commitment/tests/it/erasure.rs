//! Logs of which something was erased: what holds of them still, and what an owner cannot do unnoticed.

use std::sync::atomic::{AtomicU32, Ordering};

use event::Event;
use serde_json::Value;
use stillthere_commitment::{
    AccountCounts, BATCH_HEADER, Cause, Control, ControlKind, Digest, Divergence, Erased, Erasure,
    FRAME_HEADER, Frame, Left, Level, LogCheck, Ranges, Report, SEGMENT_HEADER, SLOT, Seal, Slot,
    Standing, Survey, Surveyed, chain_start, erased_root, event_leaf, name_leaf, segment_name,
    write_control,
};

use crate::format::{python, store};
use crate::made::{Made, ORIGIN, STORE, checked, events};

/// Where the second account's events are: before it and behind it are those of the first.
pub fn second(events: &[Event]) -> std::ops::Range<usize> {
    let two = events.len() / 2;
    two..two + 9
}

pub fn positions(range: std::ops::Range<usize>) -> Vec<u64> {
    range.map(|n| n as u64).collect()
}

/// A log of two accounts in two segments, sealed once.
pub fn whole() -> Made {
    let events = events();
    let b = second(&events);
    let mut made = Made::new();
    made.batch(&events[..9], false);
    made.batch(&events[9..b.start], true);
    made.segment();
    made.batch(&events[b.clone()], true);
    made.batch(&events[b.end..b.end + 3], false);
    made.controls(&[Control::Seal(made.seal(0))]);
    made
}

/// The same, of which contents of both accounts were erased, and then the second account; its name came again.
pub fn erased() -> Made {
    let events = events();
    let b = second(&events);
    let mut made = whole();
    made.erase(Left::Envelope, &[], &[0, 4, 8, 9, b.start as u64 + 1, b.end as u64 - 1]);
    made.controls(&[Control::Seal(made.seal(2))]);
    made.erase(Left::Leaf, &[1], &positions(b.clone()));
    made.batch(&events[b.clone()], true);
    made.batch(&events[b.end + 3..], true);
    made.controls(&[Control::Seal(made.seal(1))]);
    made.erase(Left::Leaf, &[], &[1, 2, 4]);
    made
}

/// The tree's root when so many pages were closed, and what the log is.
fn root_at(made: &Made, pages: u64) -> (Option<Digest>, Report) {
    let mut check = LogCheck::new(Level::Full, &made.head()).unwrap().keeping(pages);
    feed(&mut check, made).unwrap_or_else(|e| panic!("{e}"));
    (check.kept_root(), check.finish().unwrap_or_else(|e| panic!("{e}")))
}

fn feed(check: &mut LogCheck, made: &Made) -> Result<(), Box<Divergence>> {
    for (n, bytes) in made.segments.iter().enumerate() {
        check.file(&segment_name(n as u64))?;
        check.feed(bytes, &mut |_| {})?;
    }
    Ok(())
}

#[test]
fn an_erased_log_is_whole_and_its_roots_of_before_stay() {
    let before = whole();
    let pages = before.pages.closed();
    let root = checked(&before).unwrap().0.root;
    let made = erased();
    let (report, chains) = checked(&made).unwrap_or_else(|e| panic!("{e}"));
    // Six contents, nine of the second account (two of these before), and two more of the first.
    let erased = Erased { events: 6 + 9 - 2 + 2, accounts: 1, erasures: 3 };
    assert_eq!((report.erased, report.accounts, chains.len()), (erased, 3, 2));
    // The first two seals have the second account, which is gone; the third has not.
    let has_map: Vec<bool> = report.seals.iter().map(|sealed| sealed.has_map).collect();
    assert_eq!(has_map, [false, false, true]);
    assert_eq!(root_at(&made, pages).0, Some(root));
    let records: Vec<_> =
        report.erasures.iter().map(|r| (r.number, r.left, r.events.count())).collect();
    assert_eq!(records, [(0, Left::Envelope, 6), (1, Left::Leaf, 9), (2, Left::Leaf, 3)]);
    assert_eq!(
        (&*report.erasures[0].ground, &*report.erasures[0].by),
        ("a request of the user", "an operator")
    );
    assert!(
        report.erasures.windows(2).all(|two| two[0].page < two[1].page && two[0].at < two[1].at)
    );
}

/// Nothing that was erased is in the bytes any more, and what was not is.
#[test]
fn what_was_erased_is_not_in_the_bytes() {
    let events = events();
    let b = second(&events);
    let mut made = whole();
    made.erase(Left::Leaf, &[1], &positions(b.clone()));
    let has = |made: &Made, text: &str| {
        made.segments.iter().any(|s| s.windows(text.len()).any(|w| w == text.as_bytes()))
    };
    for event in &events[..b.start] {
        assert!(has(&made, &event.id), "{}", event.id);
    }
    let secret = whole().accounts[1].1;
    assert!(made.segments.iter().all(|s| !s.windows(32).any(|w| w == secret)));
}

/// Whatever byte of a batch with erased frames is another, with the batch's checksum made anew by its owner: found.
#[test]
fn no_byte_of_a_rewritten_batch_can_be_changed() {
    let made = erased();
    let mut tried = 0;
    let mut batches: Vec<_> = made.frames().iter().map(|(n, batch, ..)| (*n, *batch)).collect();
    batches.dedup();
    let mut was_rewritten = false;
    for (n, batch) in batches {
        let header = stillthere_commitment::BatchHeader::read(
            made.segments[n][batch..].first_chunk().unwrap(),
        )
        .unwrap();
        // Behind another one that was rewritten its link says nothing.
        let from = if std::mem::replace(&mut was_rewritten, header.rewritten) { 24 } else { 16 };
        if !header.rewritten {
            continue;
        }
        for at in from..header.total() {
            for bit in [0x01, 0x80] {
                let mut changed = made.clone();
                changed.segments[n][batch + at] ^= bit;
                // Of the bit that says that it was rewritten nothing is made good.
                let is_bit = at == 31 && bit == 0x80;
                let read = stillthere_commitment::BatchHeader::read(
                    changed.segments[n][batch..].first_chunk().unwrap(),
                );
                let len = changed.segments[n].len();
                if read.is_ok_and(|read| batch + read.total() <= len) && !is_bit {
                    changed.rewrite(n, batch);
                }
                assert!(checked(&changed).is_err(), "segment {n}, batch {batch}, byte {at}");
                tried += 1;
            }
        }
    }
    assert!(tried > 5000, "{tried}");
}

#[test]
fn no_byte_of_the_log_can_be_changed() {
    let made = erased();
    for n in 0..made.segments.len() {
        for at in 0..made.segments[n].len() {
            let mut changed = made.clone();
            changed.segments[n][at] ^= 0x10;
            assert!(checked(&changed).is_err(), "segment {n}, byte {at}");
        }
    }
}

/// What owners did who can make every checksum anew, for the second reader to say the same of.
#[derive(Default)]
pub struct Owners(Vec<Value>);

impl Owners {
    /// One is refused, if `expected` says what for.
    fn refused(&mut self, expected: &str, owner: impl FnOnce(&mut Made, &[u64])) {
        let mut made = whole();
        made.close();
        owner(&mut made, &positions(second(&events())));
        self.left(expected, &made);
    }

    /// What one made is refused, if `expected` says what for.
    pub fn left(&mut self, expected: &str, made: &Made) {
        let mut kept = store(made, checked(made).ok());
        match checked(made) {
            Ok(_) => assert_eq!(expected, ""),
            Err(found) => {
                let is_it = !expected.is_empty() && found.expected.starts_with(expected);
                assert!(is_it, "{found}; not: {expected}");
            }
        }
        kept["why"] = expected.into();
        self.0.push(kept);
    }

    pub fn end(self) {
        // Tests of one process run side by side.
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let (process, n) = (std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed));
        let file = std::env::temp_dir().join(format!("stillthere-owners-{process}-{n}.json"));
        std::fs::write(&file, Value::Array(self.0).to_string()).unwrap();
        python("--stores", &file);
        std::fs::remove_file(&file).unwrap();
    }
}

#[test]
fn an_owner_cannot_erase_without_a_record() {
    let mut owners = Owners::default();
    let none = "behind an erased frame a record that says that only its ";
    owners.refused("", |_, _| {});
    owners.refused(none, |made, _| {
        made.take_out(Left::Envelope, &[], &[3]);
        made.controls(&[Control::Statement { what: "w", note: "n" }]);
    });
    owners.refused(none, |made, b| {
        made.take_out(Left::Leaf, &[], &b[..1]);
    });
    owners.refused(none, |made, b| {
        let taken = made.take_out(Left::Leaf, &[], b);
        let record = made.record(Left::Leaf, &[], b, &taken);
        made.take_out(Left::Leaf, &[], &[5]);
        made.controls(&[Control::Erasure(record)]);
    });
    // A name under a record of its events alone.
    owners.refused(none, |made, b| {
        let taken = made.take_out(Left::Leaf, &[], b);
        made.take_out(Left::Leaf, &[1], &[]);
        made.controls(&[Control::Erasure(made.record(Left::Leaf, &[], b, &taken))]);
    });
    // More than the record says is gone.
    owners.refused(none, |made, b| {
        let taken = made.take_out(Left::Leaf, &[], b);
        made.controls(&[Control::Erasure(made.record(Left::Envelope, &[], b, &taken))]);
    });
    // The last batch, with its record before it.
    owners.refused("an erasure of what is before its batch", |made, _| {
        let record = made.record(Left::Envelope, &[], &[made.position], &[(0, [1; 32])]);
        made.controls(&[Control::Erasure(record)]);
        made.batch(&events()[second(&events()).end + 3..][..1], true);
        made.take_out(Left::Envelope, &[], &[made.position - 1]);
    });
    owners.end();
}

#[test]
fn an_owner_cannot_say_in_a_record_what_is_not_so() {
    let mut owners = Owners::default();
    let mut altered = |expected: &str, alter: &dyn Fn(&mut Erasure<'static>)| {
        owners.refused(expected, |made, b| {
            let taken = made.take_out(Left::Leaf, &[1], b);
            let mut record = made.record(Left::Leaf, &[1], b, &taken);
            alter(&mut record);
            made.controls(&[Control::Erasure(record)]);
        });
    };
    altered("", &|_| {});
    altered("an erasure at ", &|record| record.at_ms -= 2);
    altered("the event of position 3, which this names, erased to its leaf", &|record| {
        record.events = [3].into_iter().chain(record.events.numbers()).collect();
    });
    let root = "the root over what was erased,";
    altered(root, &|record| record.events = record.events.numbers().skip(1).collect());
    altered(root, &|record| record.root[0] ^= 1);
    altered(root, &|record| record.names = Ranges::default());
    altered("the name of account 0, which this names, erased to its leaf", &|record| {
        record.names = [0, 1].into_iter().collect();
    });
    altered("behind an erased frame a record", &|record| {
        (record.left, record.names) = (Left::Envelope, Ranges::default());
        // As the root would be without the name.
        let taken: Vec<_> =
            whole().take_out(Left::Leaf, &[], &record.events.numbers().collect::<Vec<_>>());
        record.root = erased_root(&taken);
    });
    altered("an erasure of what is before its batch", &|record| {
        record.events = record.events.numbers().chain([1000]).collect();
    });
    altered("an erasure of what is before its batch", &|record| {
        record.names = [1, 2].into_iter().collect()
    });
    // A count that nobody can go through.
    altered("an erasure of what is before its batch", &|record| {
        record.events = Ranges::default();
        record.events.push(0..1 << 61);
    });
    // What nothing in the log speaks against is under the record's leaf all the same.
    for alter in [
        (|record: &mut Erasure<'static>| record.at_ms += 1) as fn(&mut _),
        |record| record.ground = "another",
        |record| record.by = "somebody else",
        |record| record.before_ms = Some(0),
    ] {
        let root = |alter: fn(&mut Erasure<'static>)| {
            let mut made = whole();
            let b = positions(second(&events()));
            let taken = made.take_out(Left::Leaf, &[1], &b);
            let mut record = made.record(Left::Leaf, &[1], &b, &taken);
            alter(&mut record);
            made.controls(&[Control::Erasure(record)]);
            checked(&made).unwrap_or_else(|e| panic!("{e}")).0.root
        };
        assert_ne!(root(alter), root(|_| {}));
    }
    owners.end();
}

/// Of events whose envelopes are left it can be seen when they occurred: the instant before the latest, it, and after it.
#[test]
fn what_occurred_at_an_instant_did_not_before_it() {
    let mut owners = Owners::default();
    let events = events();
    let in_range = |n: &u64| events[*n as usize].occurred_at.ms() < 253_402_300_000_000;
    let taken: Vec<u64> = (0..9).filter(in_range).collect();
    let latest = taken.iter().map(|n| events[*n as usize].occurred_at.ms()).max().unwrap();
    for (before, expected) in [
        (latest - 1, "events that occurred before "),
        (latest, "events that occurred before "),
        (latest + 1, ""),
    ] {
        owners.refused(expected, |made, _| {
            let frames = made.take_out(Left::Envelope, &[], &taken);
            let mut record = made.record(Left::Envelope, &[], &taken, &frames);
            record.before_ms = Some(before);
            made.controls(&[Control::Erasure(record)]);
        });
    }
    owners.end();
}

/// An erased frame that says that it is another account's.
#[test]
fn an_erased_frame_keeps_its_account() {
    let mut owners = Owners::default();
    let to = |made: &mut Made, position: u64, ordinal: u32| {
        let mut next = 0;
        for (n, batch, at, len) in made.frames() {
            let frame = &mut made.segments[n][at..at + len];
            if Frame::read(frame).unwrap().0.is_event() {
                if next == position {
                    frame[FRAME_HEADER..FRAME_HEADER + 4].copy_from_slice(&ordinal.to_le_bytes());
                    made.rewrite(n, batch);
                    return;
                }
                next += 1;
            }
        }
    };
    for (ordinal, expected) in [
        (0, ""),
        (1, "an event of the account just named, of ordinal"),
        (2, "an event of the account just named, of ordinal"),
    ] {
        owners.refused(expected, |made, _| {
            made.erase(Left::Leaf, &[], &[0]);
            to(made, 0, ordinal);
        });
    }
    for (ordinal, expected) in [
        (0, ""),
        (1, "the ordinal of an account named before"),
        (2, "the ordinal of an account named before"),
    ] {
        owners.refused(expected, |made, _| {
            made.erase(Left::Leaf, &[], &[2]);
            to(made, 2, ordinal);
        });
    }
    // In the second account's batch both are named.
    for (ordinal, expected) in
        [(1, ""), (0, "a seal of the account map's root"), (2, "the ordinal of an")]
    {
        owners.refused(expected, |made, b| {
            made.erase(Left::Leaf, &[], &b[1..]);
            to(made, b[3], ordinal);
        });
    }
    owners.end();
}

#[test]
fn an_account_that_was_erased_has_nothing_else() {
    let mut owners = Owners::default();
    let more = "an event erased to its leaf, as the name of its account is";
    let erase =
        |made: &mut Made, names: &[u32], events: &[u64]| made.erase(Left::Leaf, names, events);
    owners.refused(more, |made, b| erase(made, &[1], &b[1..]));
    owners.refused(more, |made, b| {
        made.erase(Left::Envelope, &[], &b[..1]);
        erase(made, &[1], &b[1..]);
    });
    owners.refused("", |made, b| {
        made.erase(Left::Envelope, &[], &b[..1]);
        erase(made, &[1], b);
    });
    // An event of the account behind the record, whole and erased itself.
    let late = |made: &mut Made, b: &[u64]| {
        let (name, secret) = made.accounts[1].clone();
        erase(made, &[1], b);
        made.accounts[1] = (name.clone(), secret);
        made.counts.insert(name, 9);
        let mut event = events()[b[0] as usize].clone();
        event.id = "late".to_owned();
        made.batch(&[event], true);
    };
    owners.refused(more, |made, b| late(made, b));
    owners.refused("no event of an account behind the record that names it", |made, b| {
        late(made, b);
        let position = made.position - 1;
        made.erase(Left::Leaf, &[], &[position]);
    });
    owners.end();
}

#[test]
fn records_may_overlap_and_the_furthest_counts() {
    let mut owners = Owners::default();
    owners.refused("", |made, b| {
        made.erase(Left::Envelope, &[], &b[..4]);
        made.erase(Left::Leaf, &[], &b[2..6]);
        made.erase(Left::Envelope, &[], &b[..7]);
        made.erase(Left::Leaf, &[1], b);
    });
    // Said the other way round: what the first says was gone by then is not.
    owners.refused("the event of position", |made, b| {
        let taken = made.take_out(Left::Envelope, &[], &b[..2]);
        made.controls(&[Control::Erasure(made.record(Left::Leaf, &[], &b[..2], &taken))]);
        made.controls(&[Control::Erasure(made.record(Left::Envelope, &[], &b[..2], &taken))]);
    });
    // All of a log, name by name and event by event.
    owners.refused("", |made, _| {
        let all: Vec<u64> = (0..made.position).collect();
        made.erase(Left::Leaf, &[0, 1], &all);
        made.controls(&[Control::Seal(made.seal(0))]);
    });
    owners.end();
}

/// A record that does not close its page, in its batch.
#[test]
fn a_record_closes_its_page() {
    let mut made = whole();
    let taken = made.take_out(Left::Envelope, &[], &[3]);
    let record = Control::Erasure(made.record(Left::Envelope, &[], &[3], &taken));
    let mut batch = Vec::new();
    stillthere_commitment::begin_batch(&mut batch);
    write_control(&mut batch, &record, &[7; 16]);
    made.before = stillthere_commitment::finish_batch(&mut batch, &STORE, &made.before, 0);
    made.segments.last_mut().unwrap().extend_from_slice(&batch);
    let found = checked(&made).unwrap_err();
    assert_eq!(found.expected, "a page trailer behind an erasure's record");
    assert!(batch.len() > BATCH_HEADER);
}

/// The log's clock behind a page with events that were erased to their leaves is what its summary says.
#[test]
fn the_clock_goes_on_behind_what_was_erased() {
    let events = events();
    let b = second(&events);
    let mut made = Made::new();
    made.batch(&events[..9], true);
    made.segment();
    made.batch(&events[b.clone()], true);
    let clock = made.pages.clock_ms();
    assert!(events[b.clone()].iter().any(|event| event.recorded_at.is_none()));
    made.erase(Left::Leaf, &[1], &positions(9..18));
    checked(&made).unwrap_or_else(|e| panic!("{e}"));
    made.controls(&[Control::Seal(made.seal(0))]);
    checked(&made).unwrap_or_else(|e| panic!("{e}"));
    // What comes behind is not before it.
    let mut back = made.clone();
    let Seal { at_ms, .. } = made.seal(0);
    back.controls(&[Control::Seal(Seal { at_ms: clock - 1, ..made.seal(0) })]);
    assert!(checked(&back).unwrap_err().expected.starts_with(&format!("a seal at {at_ms} ms")));
}

/// A check that goes on from an earlier one, of a log of which something was erased since.
#[test]
fn a_check_goes_on_over_erasures() {
    let standing = |made: &Made, pages: u64| {
        let mut check = LogCheck::new(Level::Full, &made.head()).unwrap();
        check = check.mapping(ORIGIN, stillthere_commitment::Climb::run).keeping(pages);
        feed(&mut check, made).unwrap();
        let mut standing = check.standing()?;
        standing.ids.extend((0..standing.accounts.iter().map(|a| a.events).sum()).map(|n: u64| {
            let mut id = [0; 16];
            id[8..].copy_from_slice(&n.to_be_bytes());
            id
        }));
        assert_eq!(Standing::decode(&standing.encode()).as_ref(), Ok(&standing));
        Some(standing)
    };
    let go_on = |made: &Made, standing: &Standing, map: &Digest, keep: u64| {
        let mut check = LogCheck::new(Level::Quick, &made.head()).unwrap();
        for (n, bytes) in made.segments.iter().enumerate() {
            check.file(&segment_name(n as u64)).unwrap();
            if n as u64 == standing.segment {
                let (before, rest) = bytes.split_at(standing.offset as usize);
                check.feed(before, &mut |_| {}).unwrap();
                check = check
                    .keeping(keep)
                    .go_on(standing.clone(), (ORIGIN, stillthere_commitment::Climb::run), map)
                    .unwrap();
                check.feed(rest, &mut |_| {})?;
            } else {
                check.feed(bytes, &mut |_| {})?;
            }
        }
        let next = check.standing();
        Ok::<_, Box<Divergence>>((check.finish()?, next))
    };
    let before = whole();
    let pages = before.pages.closed();
    let old = standing(&before, pages).unwrap();
    let made = erased();
    let (report, _) = checked(&made).unwrap();
    let maps: Vec<Digest> = report.seals.iter().map(|sealed| sealed.seal.root).collect();
    let sealed: Vec<u64> = report.seals.iter().map(|sealed| sealed.page + 1).collect();
    assert_eq!(sealed[0], pages);
    // From before all erasures: the seals behind are held, with what was known of the account.
    for keep in &sealed {
        let (found, next) = go_on(&made, &old, &maps[0], *keep).unwrap_or_else(|e| panic!("{e}"));
        assert_eq!((found.root, found.erased), (report.root, report.erased));
        assert_eq!(found.without_map().count(), 0);
        let next = next.unwrap();
        let nameless = next.accounts.iter().filter(|account| account.name.is_empty()).count();
        assert_eq!(nameless, usize::from(*keep == sealed[2]));
    }
    // From the first seal nothing can be stood on any more once the account is gone, from the last it can.
    assert_eq!(standing(&made, sealed[0]), None);
    assert_eq!(standing(&made, sealed[1]), None);
    let last = standing(&made, sealed[2]).unwrap();
    let (found, _) = go_on(&made, &last, &maps[2], sealed[2]).unwrap_or_else(|e| panic!("{e}"));
    assert_eq!((found.root, found.without_map().count()), (report.root, 0));
}

/// The leaf of what is left is that of what was: of a name, of an event by its envelope, and of its leaf alone.
#[test]
fn leaves_stay() {
    let made = whole();
    let mut gone = made.clone();
    gone.close();
    gone.take_out(Left::Envelope, &[], &[0, 1]);
    gone.take_out(Left::Leaf, &[0], &[2, 3]);
    let leaves = |made: &Made| -> Vec<Option<Digest>> {
        let frame = |(n, _, at, len): &(usize, usize, usize, usize)| {
            Frame::read(&made.segments[*n][*at..*at + *len]).unwrap().0.leaf()
        };
        made.frames().iter().map(frame).collect()
    };
    assert_eq!(leaves(&gone)[..leaves(&made).len()], leaves(&made)[..]);
    let first = made.frames()[0];
    let Frame::Name { ordinal, secret, name } =
        Frame::read(&made.segments[0][first.2..]).unwrap().0
    else {
        panic!("a name comes first");
    };
    let leaf = name_leaf(ordinal, secret, name);
    assert_eq!(leaves(&gone)[0], Some(leaf));
    assert_ne!(chain_start(&leaf), leaf);
    let second = made.frames()[1];
    let Frame::Event { envelope, salt, padded } =
        Frame::read(&made.segments[0][second.2..]).unwrap().0
    else {
        panic!("an event comes next");
    };
    assert_eq!(leaves(&gone)[1], Some(event_leaf(envelope, salt, padded)));
}

pub fn surveyed(made: &Made) -> (Surveyed, usize) {
    let head = Slot::decode(made.head()[SLOT..].first_chunk().unwrap()).unwrap();
    let mut survey = Survey::new(STORE, Some(head));
    let mut found = Vec::new();
    for (number, bytes) in (0..).zip(&made.segments) {
        survey.segment(&segment_name(number), number, None, None, &mut |event| found.push(event));
        survey.feed(bytes, &mut |event| found.push(event));
    }
    let surveyed = survey.finish(true, &mut |event| found.push(event));
    (surveyed, found.len())
}

/// What a record says was erased is not missing; what none says was is.
#[test]
fn a_survey_tells_what_was_erased_from_what_is_missing() {
    let made = erased();
    let (report, _) = checked(&made).unwrap();
    let (found, told) = surveyed(&made);
    assert_eq!((found.erased, found.missing.len(), found.unproven), (report.erased, 0, 0));
    assert_eq!(told as u64 + found.erased.events, made.position);
    let counts = AccountCounts { whole: 2, gaps: 0, unsure: 0, erased: 1 };
    assert_eq!(found.accounts, counts);

    // Without a record, and the name too.
    let mut bare = whole();
    bare.close();
    let b = positions(second(&events()));
    bare.take_out(Left::Envelope, &[], &[3, 4]);
    bare.take_out(Left::Leaf, &[1], &b);
    let (found, told) = surveyed(&bare);
    assert_eq!((found.erased, told as u64), (Erased::default(), bare.position - 2 - 9));
    let ranges: Vec<_> = found.missing.iter().map(|m| (m.range.from, m.range.events)).collect();
    assert_eq!(ranges, [(3, Some(2)), (b[0], Some(9))]);
    let places: Vec<_> = found.missing.iter().flat_map(|m| &m.places).map(|p| p.cause).collect();
    assert_eq!(places, [Cause::Edited; 2]);
    assert_eq!((found.missing_events(), found.accounts.gaps), (Some(11), 2));

    // The record of the second erasure is gone: what it alone says is missing then.
    let records: Vec<_> = made
        .frames()
        .into_iter()
        .filter(|(n, _, at, len)| {
            matches!(
                Frame::read(&made.segments[*n][*at..*at + *len]).unwrap().0,
                Frame::Control { kind: ControlKind::Erasure, .. }
            )
        })
        .collect();
    let mut torn = made.clone();
    torn.segments[records[1].0][records[1].2 + FRAME_HEADER + 20] ^= 1;
    let (found, told) = surveyed(&torn);
    assert_eq!(found.erased, Erased { events: 6 - 2 + 2, accounts: 0, erasures: 2 });
    assert_eq!(told as u64 + found.erased.events + 9, made.position);
    assert_eq!(found.missing_events(), Some(9));

    // Each byte of each batch with erased frames: nothing is told twice, nothing is lost without a word.
    for (n, segment) in made.segments.iter().enumerate() {
        for at in (SEGMENT_HEADER..segment.len()).step_by(3) {
            let mut changed = made.clone();
            changed.segments[n][at] ^= 0x20;
            let (found, _) = surveyed(&changed);
            // Events that are not proven are missing too, but for those of which only the account's name is not.
            let known = found.events + found.erased.events + found.nameless;
            let known = found.missing_events().map(|missing| missing + known);
            if let Some(known) = known {
                let most = known + found.unproven;
                assert!((known..=most).contains(&made.position), "{n} {at} {found:?}");
            }
        }
    }
}
