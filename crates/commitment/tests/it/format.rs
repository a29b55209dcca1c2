//! Holds the code against `fixtures/format/vectors.json`, and the vectors against the code of another
//! language, written from `docs/format.md` alone.
//!
//! `UPDATE_FIXTURES=1` writes the vectors anew.

use std::path::Path;
use std::process::Command;

use serde_json::{Map, Value, json};
use stillthere_commitment::{
    BATCH_HEADER, BatchHeader, Control, ControlKind, Domain, Erased, FRAME_HEADER, Frame, Frontier,
    KeyedDomain, Report, SEGMENT_HEADER, SLOT, Seal, Sealed, Slot, Survey, begin_batch,
    chain_start, chain_step, control_leaf, erased_root, finish_batch, hash, hex, keyed, page_root,
    segment_name, tree_leaf, unhex, write_control, write_name, write_trailer,
};

use crate::erasure::erased;
use crate::made::{Made, STORE, checked, events};
use crate::root;
use crate::shrunk::shrunk;

fn made() -> Made {
    let events = events();
    let mut made = Made::new();
    let (first, rest) = events.split_at(7);
    let (second, third) = rest.split_at(rest.len() / 2);
    made.batch(first, false);
    made.batch(second, true);
    made.segment();
    made.batch(third, false);
    made
}

/// A log with control frames of each kind: in the middle of a page, sealed twice, and open.
fn sealed() -> Made {
    let compiled = b"what a compiled policy is does not matter here";
    let adoption = Control::Adoption { hash: *blake3::hash(compiled).as_bytes(), compiled };
    let note = "origin\n1\n\n\u{2014} signer c2lnbmF0dXJl\n";
    let statement = Control::Statement { what: "snapshot", note };
    let events = events();
    let two = events.len() / 2;
    let mut made = Made::new();
    made.controls(std::slice::from_ref(&adoption));
    made.batch(&events[..9], false);
    made.controls(&[Control::Seal(made.seal(0))]);
    made.batch(&events[9..two], true);
    made.segment();
    made.batch(&events[two..two + 7], false);
    made.controls(&[statement, Control::Seal(made.seal(5))]);
    made.controls(&[adoption]);
    made
}

fn vectors() -> Value {
    let bytes = |n: usize| (0..n).map(|b| u8::try_from(b % 251).unwrap()).collect::<Vec<_>>();
    let domains = [
        Domain::Content,
        Domain::EventLeaf,
        Domain::Secret,
        Domain::Name,
        Domain::NameLeaf,
        Domain::ControlBody,
        Domain::ControlLeaf,
        Domain::ChainStart,
        Domain::ChainStep,
        Domain::PageNode,
        Domain::Erased,
    ];
    let lengths = [0, 1, 32, 58, 59, 60, 64, 72, 123, 124, 1018, 1019, 1020, 2500];
    let mut hashes: Vec<Value> = domains
        .iter()
        .map(|d| json!({"domain": *d as u8, "payload": hex(&bytes(64)), "hash": hex(&hash(*d, &[&bytes(64)]))}))
        .collect();
    hashes.extend(lengths.iter().map(|n| {
        json!({"domain": 0, "payload": hex(&bytes(*n)), "hash": hex(&hash(Domain::Content, &[&bytes(*n)]))})
    }));
    let key = [0x55; 32];
    let keyed: Vec<Value> = [
        (KeyedDomain::NameSalt, ""),
        (KeyedDomain::Item, "IMG_0001.jpg"),
        (KeyedDomain::Backup, "IMG_0001.jpg"),
        (KeyedDomain::Category, "photos"),
        (KeyedDomain::Item, "照片"),
    ]
    .iter()
    .map(|(d, text)| {
        let tag = keyed(&key, *d, text.as_bytes());
        json!({"key": hex(&key), "domain": *d as u8, "payload": hex(text.as_bytes()), "hash": hex(&tag)})
    })
    .collect();

    let made = made();
    let (mut names, mut events, mut leaves, mut entries) = (vec![], vec![], vec![], vec![]);
    let mut controls = vec![];
    let sealed = sealed();
    let erased = erased();
    let own = made.segments.iter().map(|segment| (segment, true));
    let others = sealed.segments.iter().chain(&erased.segments).map(|segment| (segment, false));
    for (segment, is_own) in own.chain(others) {
        let mut at = SEGMENT_HEADER;
        while at < segment.len() {
            let len = u32::from_le_bytes(segment[at + 24..at + 28].try_into().unwrap()) as usize;
            let end = at + BATCH_HEADER + len;
            at += BATCH_HEADER;
            while at < end {
                let (frame, len) = Frame::read(&segment[at..end]).unwrap();
                let bytes = hex(&segment[at..at + len]);
                match (frame, frame.leaf()) {
                    (Frame::Control { .. }, Some(leaf)) => {
                        controls.push(json!({"frame": bytes, "leaf": hex(&leaf)}));
                    }
                    _ if !is_own => {}
                    (Frame::Trailer(_), _) => {
                        entries.push(hex(&segment[at + FRAME_HEADER..at + len]));
                    }
                    (Frame::Name { .. }, Some(leaf)) => {
                        names.push(json!({"frame": bytes, "leaf": hex(&leaf)}));
                    }
                    (_, leaf) => {
                        leaves.push(leaf.unwrap());
                        events.push(json!({"frame": bytes, "leaf": hex(&leaf.unwrap())}));
                    }
                }
                at += len;
            }
        }
    }
    // The same of frames of which something was erased, a long event's and a short one's.
    let frame_of =
        |(n, _, at, len): (usize, usize, usize, usize)| &erased.segments[n][at..at + len];
    let is_erased = |frame: &&[u8]| Frame::read(frame).unwrap().0.is_erased();
    let erased_leaves: Vec<Value> = erased
        .frames()
        .into_iter()
        .map(frame_of)
        .filter(is_erased)
        .map(|frame| json!({"frame": hex(frame), "leaf": hex(&Frame::read(frame).unwrap().0.leaf().unwrap())}))
        .collect();
    let erased_roots: Vec<Value> = [1, 2, 3, 5]
        .iter()
        .map(|n| {
            let frames: Vec<_> =
                (0..).map(|n| n * 70_001 % 9).zip(leaves[..*n].iter().copied()).collect();
            let listed: Vec<_> = frames.iter().map(|(n, leaf)| json!([n, hex(leaf)])).collect();
            json!({"frames": listed, "root": hex(&erased_root(&frames))})
        })
        .collect();
    let chain =
        leaves[1..4].iter().fold(chain_start(&leaves[0]), |head, leaf| chain_step(&head, leaf));
    let hexes = |leaves: &[[u8; 32]]| leaves.iter().map(|leaf| hex(leaf)).collect::<Vec<_>>();
    let pages: Vec<Value> = [1, 2, 3, 4, 5, 7, 8, 9, 17]
        .iter()
        .map(|n| {
            let leaves = &leaves[..*n];
            json!({"leaves": hexes(leaves), "root": hex(&page_root(leaves))})
        })
        .collect();
    let trees: Vec<Value> = [0, 1, 2, 3, 6, 7]
        .iter()
        .map(|n| {
            let mut tree = Frontier::default();
            let entries: Vec<String> = (0..*n).map(|k| hex(&[k; 120])).collect();
            entries.iter().for_each(|entry| tree.push(tree_leaf(&unhex(entry).unwrap())));
            json!({"entries": entries, "root": hex(&tree.root())})
        })
        .collect();

    json!({
        "hashes": hashes,
        "keyed": keyed,
        "name_leaves": names,
        "event_leaves": events,
        "control_leaves": controls,
        "chains": [{"name_leaf": hex(&leaves[0]), "leaves": hexes(&leaves[1..4]), "head": hex(&chain)}],
        "page_roots": pages,
        "tree_roots": trees,
        "erased_leaves": erased_leaves,
        "erased_roots": erased_roots,
        "store": sound(&made),
        "sealed_store": sound(&sealed),
        "erased_store": sound(&erased),
        "shrunk_store": sound(&shrunk()),
    })
}

fn sound(made: &Made) -> Value {
    store(made, Some(checked(made).unwrap_or_else(|e| panic!("{e}"))))
}

/// A log as JSON, with what a check says of it, if it is sound.
pub fn store(made: &Made, answer: Option<(Report, Map<String, Value>)>) -> Value {
    let segments: Map<String, Value> = made
        .segments
        .iter()
        .enumerate()
        .map(|(n, bytes)| (segment_name(n as u64), hex(bytes).into()))
        .collect();
    let expected = answer.map(|(report, chains)| said(&report, chains));
    json!({"HEAD": hex(&made.head()), "segments": segments, "expected": expected})
}

fn said(report: &Report, chains: Map<String, Value>) -> Value {
    let mut expected = json!({
        "events": report.events,
        "accounts": report.accounts,
        "root": hex(&report.root),
        "chains": chains,
    });
    let seal = |sealed: &Sealed| {
        let Seal { size, accounts, root, at_ms } = sealed.seal;
        json!({"page": sealed.page, "size": size, "accounts": accounts, "root": hex(&root), "at": at_ms})
    };
    if report.erased.erasures > 0 {
        let Erased { events, accounts, erasures } = report.erased;
        expected["erased"] = json!({"events": events, "accounts": accounts, "erasures": erasures});
    }
    if !report.seals.is_empty() {
        expected["seals"] = report.seals.iter().map(seal).collect();
    }
    expected
}

#[test]
fn the_vectors_stand_in_two_languages() {
    let made = vectors();
    let path = root().join("fixtures/format/vectors.json");
    if std::env::var_os("UPDATE_FIXTURES").is_some() {
        std::fs::write(&path, format!("{made:#}\n")).unwrap();
    }
    let kept = std::fs::read_to_string(&path).unwrap_or_default();
    let kept: Value = serde_json::from_str(&kept).unwrap_or_default();
    assert!(kept == made, "{} differs: a change of the format? UPDATE_FIXTURES=1", path.display());

    python("--vectors", &path);
}

/// Has the reader in another language read a file.
pub fn python(how: &str, path: &Path) {
    let script = root().join("docs/check_format.py");
    match Command::new("python3").arg(script).arg(how).arg(path).output() {
        Err(e) => println!("SKIPPED: python3 cannot be run ({e}), so nothing was held against it"),
        Ok(output) => {
            let errors = String::from_utf8_lossy(&output.stderr);
            assert!(output.status.success(), "{errors}");
        }
    }
}

/// What a seal says is held against the log before it, and its page ends with it.
#[test]
fn a_seal_that_is_wrong_is_found() {
    let events = events();
    let two = events.len() / 2;
    let check = |expected: &str, write: &dyn Fn(&mut Made)| {
        let mut made = Made::new();
        made.batch(&events[..9], false);
        made.controls(&[Control::Seal(made.seal(0))]);
        made.batch(&events[two..two + 7], false);
        write(&mut made);
        match checked(&made) {
            Ok((report, _)) => assert_eq!((expected, report.seals.len()), ("", 2)),
            Err(found) => assert!(found.expected.starts_with(expected), "{found}"),
        }
    };
    let seal = |made: &mut Made, change: &dyn Fn(&mut Seal)| {
        let mut seal = made.seal(3);
        change(&mut seal);
        made.controls(&[Control::Seal(seal)]);
    };
    check("", &|made| seal(made, &|_| {}));
    check("a seal whose events are 16", &|made| seal(made, &|seal| seal.size += 1));
    check("a seal whose events are 16", &|made| seal(made, &|seal| seal.size = 9));
    check("a seal whose accounts are 2", &|made| seal(made, &|seal| seal.accounts -= 1));
    check("a seal of the account map's root", &|made| seal(made, &|seal| seal.root[31] ^= 1));
    check("a seal at ", &|made| seal(made, &|seal| seal.at_ms -= 4));

    let raw = |made: &mut Made, write: &dyn Fn(&mut Vec<u8>, &[u8; 120]), events: u32| {
        let mut batch = Vec::new();
        begin_batch(&mut batch);
        write_control(&mut batch, &Control::Seal(made.seal(3)), &[9; 16]);
        let mut pages = made.pages.clone();
        pages.set_clock_ms(made.pages.clock_ms() + 3);
        let (frame, len) = Frame::read(&batch[BATCH_HEADER..]).unwrap();
        pages.push(frame.leaf().unwrap(), len, false);
        write(&mut batch, &pages.open().unwrap().encode());
        made.before = finish_batch(&mut batch, &STORE, &made.before, events);
        made.segments.last_mut().unwrap().extend_from_slice(&batch);
        made.position += u64::from(events);
    };
    let trailer = "a page trailer behind the seal";
    check("", &|made| raw(made, &|batch, summary| write_trailer(batch, summary), 0));
    check(trailer, &|made| raw(made, &|_, _| {}, 0));
    check(trailer, &|made| raw(made, &|batch, _| _ = write_name(batch, 2, &[7; 32], "late"), 0));
    let behind_a_name = |batch: &mut Vec<u8>, summary: &[u8; 120]| {
        write_trailer(batch, summary);
        write_name(batch, 2, &[7; 32], "late");
        let statement = Control::Statement { what: "w", note: "n" };
        write_control(batch, &statement, &[8; 16]);
    };
    check("an event of account 2, which was just named", &|made| raw(made, &behind_a_name, 0));
    // A number in more bytes than it needs, and a kind that is reserved; their checks are never come to.
    let longer = |batch: &mut Vec<u8>, summary: &[u8; 120]| {
        write_trailer(batch, summary);
        let body = [&[7; 16][..], &[0x92, 0xd9, 1, b'w', 0xa1, b'n']].concat();
        let leaf = control_leaf(ControlKind::Statement, &[7; 16], &body[16..]);
        batch.extend_from_slice(&[19, 22, 0, 0, leaf[0], leaf[1], leaf[2], leaf[3]]);
        batch.extend_from_slice(&body);
    };
    check("a value in the fewest bytes", &|made| raw(made, &longer, 0));
    let unknown = |batch: &mut Vec<u8>, summary: &[u8; 120]| {
        write_trailer(batch, summary);
        batch.extend_from_slice(&[20, 16, 0, 0, 0, 0, 0, 0]);
        batch.extend_from_slice(&[0; 16]);
    };
    check("a frame of kind 1 to 3, 16 to 19 or 32 to 34", &|made| raw(made, &unknown, 0));
}

/// What is found in a sealed log that is sound is all of it; and what is torn out of it leaves the rest.
#[test]
fn a_sealed_log_is_surveyed() {
    let made = sealed();
    let survey = |segments: &[Vec<u8>]| {
        let head = Slot::decode(made.head()[SLOT..].first_chunk().unwrap()).unwrap();
        let mut survey = Survey::new(STORE, Some(head));
        let mut found = 0;
        for (n, bytes) in segments.iter().enumerate() {
            let number = n as u64;
            survey.segment(&segment_name(number), number, None, None, &mut |_| found += 1);
            survey.feed(bytes, &mut |_| found += 1);
        }
        (survey.finish(true, &mut |_| found += 1), made.position)
    };
    let (surveyed, events) = survey(&made.segments);
    assert_eq!((surveyed.events, surveyed.missing), (events, Vec::new()));
    // In the frame of a control, one byte: nothing else is gone.
    for (n, segment) in made.segments.iter().enumerate() {
        let mut at = SEGMENT_HEADER;
        while at < segment.len() {
            let header = BatchHeader::read(segment[at..].first_chunk().unwrap()).unwrap();
            if header.events == 0 {
                let mut segments = made.segments.clone();
                segments[n][at + BATCH_HEADER + FRAME_HEADER + 20] ^= 1;
                let (surveyed, events) = survey(&segments);
                assert_eq!(surveyed.events + surveyed.unproven, events);
                assert_eq!(surveyed.missing_events(), Some(0));
                assert_eq!(surveyed.missing.len(), 1, "{:?}", surveyed.missing);
                assert_eq!(surveyed.accounts.whole, made.accounts.len() as u64);
            }
            at += header.total();
        }
    }
}
