//! Holds the code against `fixtures/format/vectors.json`, and the vectors against the code of another
//! language, written from `docs/format.md` alone.
//!
//! `UPDATE_FIXTURES=1` writes the vectors anew.

use std::process::Command;

use event::{Event, RecordedBy, Timestamp, canonical};
use serde_json::{Map, Value, json};
use stillthere_commitment::{
    BATCH_HEADER, Checksum, Domain, Envelope, FRAME_HEADER, Frame, Frontier, KeyedDomain, Level,
    LogCheck, Pages, SEGMENT_HEADER, Scope, SegmentHeader, Slot, begin_batch, chain_start,
    chain_step, finish_batch, hash, hex, keyed, page_root, segment_name, tree_leaf, unhex,
    write_event, write_name, write_trailer,
};

use crate::root;

/// A log in memory, whose random bytes are not: salts and secrets count up.
struct Made {
    pages: Pages,
    segments: Vec<Vec<u8>>,
    accounts: Vec<(String, [u8; 32])>,
    before: Checksum,
    position: u64,
    random: u8,
}

const STORE: [u8; 16] = *b"a store's own id";

impl Made {
    fn new() -> Made {
        let mut made = Made {
            pages: Pages::new(STORE),
            segments: Vec::new(),
            accounts: Vec::new(),
            before: [0; 16],
            position: 0,
            random: 0,
        };
        made.segment();
        made
    }

    fn segment(&mut self) {
        let header = SegmentHeader {
            store: STORE,
            segment: self.segments.len() as u64,
            first_position: self.position,
            pages: self.pages.closed(),
            accounts: self.accounts.len() as u64,
            clock_ms: self.pages.clock_ms(),
            before: self.before,
            predecessor: *self.pages.predecessor(),
        };
        let bytes = header.encode();
        assert_eq!(SegmentHeader::decode(&bytes).unwrap().0, header);
        self.before = bytes[128..144].try_into().unwrap();
        self.segments.push(bytes.to_vec());
    }

    fn random<const N: usize>(&mut self) -> [u8; N] {
        self.random = self.random.wrapping_add(1);
        [self.random; N]
    }

    fn batch(&mut self, events: &[Event], close: bool) {
        let mut batch = Vec::new();
        begin_batch(&mut batch);
        for event in events {
            let known = self.accounts.iter().position(|(name, _)| *name == event.account);
            let ordinal = known.unwrap_or(self.accounts.len());
            if known.is_none() {
                let secret = self.random();
                self.accounts.push((event.account.clone(), secret));
                let start = batch.len();
                _ = write_name(
                    &mut batch,
                    u32::try_from(ordinal).unwrap(),
                    &secret,
                    &event.account,
                );
                self.count(&batch[start..], false);
            }
            let (scope, subject) = Scope::of(&event.payload);
            let recorded_by =
                if event.recorded_at.is_some() { RecordedBy::Source } else { RecordedBy::Log };
            let recorded_at =
                event.recorded_at.unwrap_or(Timestamp::from_ms(1_772_000_000_000).unwrap());
            let envelope = Envelope {
                kind: event.payload.kind(),
                actor: event.actor,
                surface: event.surface,
                scope,
                recorded_by,
                ordinal: u32::try_from(ordinal).unwrap(),
                occurred_at: event.occurred_at,
                recorded_at,
                tag: scope.tag(&self.accounts[ordinal].1, subject),
            };
            if recorded_by == RecordedBy::Log {
                self.pages.set_clock_ms(recorded_at.ms());
            }
            assert_eq!(Envelope::decode(&envelope.encode()), Ok(envelope));
            let salt = self.random();
            let start = batch.len();
            _ = write_event(&mut batch, &envelope.encode(), &salt, |out| {
                canonical::encode_content(event, out);
            });
            self.count(&batch[start..], true);
        }
        if close {
            let summary = self.pages.open().unwrap().encode();
            write_trailer(&mut batch, &summary);
            self.pages.close(&summary);
        }
        self.position += events.len() as u64;
        self.before =
            finish_batch(&mut batch, &STORE, &self.before, u32::try_from(events.len()).unwrap());
        self.segments.last_mut().unwrap().extend_from_slice(&batch);
    }

    fn count(&mut self, frame: &[u8], is_event: bool) {
        let (read, len) = Frame::read(frame).unwrap();
        assert_eq!(len, frame.len());
        self.pages.push(read.leaf().unwrap(), len, is_event);
    }

    fn head(&self) -> Vec<u8> {
        let slot = |sequence| Slot {
            store: STORE,
            sequence,
            shut: true,
            segment: self.segments.len() as u64 - 1,
            offset: self.segments.last().unwrap().len() as u64,
            events: self.position,
            checksum: self.before,
        };
        [slot(6).encode(), slot(7).encode()].concat()
    }
}

fn made() -> Made {
    let lines = std::fs::read_to_string(root().join("fixtures/events/every-kind.ndjson")).unwrap();
    let mut events: Vec<Event> =
        lines.lines().map(|line| event::read_line(line.as_bytes()).unwrap()).collect();
    // A second account with ids of one byte: contents so short that zeros stand before them.
    let two = events.len() / 2;
    for (n, event) in events[two..].iter_mut().take(9).enumerate() {
        event.account = "b".to_owned();
        event.id = n.to_string();
        event.attributes.clear();
        event.recorded_at = None;
    }
    let mut made = Made::new();
    let (first, rest) = events.split_at(7);
    let (second, third) = rest.split_at(rest.len() / 2);
    made.batch(first, false);
    made.batch(second, true);
    made.segment();
    made.batch(third, false);
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
    for segment in &made.segments {
        let mut at = SEGMENT_HEADER;
        while at < segment.len() {
            let len = u32::from_le_bytes(segment[at + 24..at + 28].try_into().unwrap()) as usize;
            let end = at + BATCH_HEADER + len;
            at += BATCH_HEADER;
            while at < end {
                let (frame, len) = Frame::read(&segment[at..end]).unwrap();
                let bytes = hex(&segment[at..at + len]);
                match (frame, frame.leaf()) {
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

    let (report, chains) = checked(&made);
    let segments: Map<String, Value> = made
        .segments
        .iter()
        .enumerate()
        .map(|(n, bytes)| (segment_name(n as u64), hex(bytes).into()))
        .collect();
    json!({
        "hashes": hashes,
        "keyed": keyed,
        "name_leaves": names,
        "event_leaves": events,
        "chains": [{"name_leaf": hex(&leaves[0]), "leaves": hexes(&leaves[1..4]), "head": hex(&chain)}],
        "page_roots": pages,
        "tree_roots": trees,
        "store": {
            "HEAD": hex(&made.head()),
            "segments": segments,
            "expected": {
                "events": report.events,
                "accounts": report.accounts,
                "root": hex(&report.root),
                "chains": chains,
            },
        },
    })
}

fn checked(made: &Made) -> (stillthere_commitment::Report, Map<String, Value>) {
    let mut check = LogCheck::new(Level::Full, &made.head()).unwrap();
    for (n, bytes) in made.segments.iter().enumerate() {
        check.file(&segment_name(n as u64)).unwrap();
        check.feed(bytes, &mut |_| {}).unwrap_or_else(|e| panic!("{e}"));
    }
    let chains =
        check.accounts().map(|(name, chain)| (name.to_owned(), hex(chain).into())).collect();
    (check.finish().unwrap_or_else(|e| panic!("{e}")), chains)
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

    let script = root().join("docs/check_format.py");
    match Command::new("python3").arg(script).arg("--vectors").arg(path).output() {
        Err(e) => println!("SKIPPED: python3 cannot be run ({e}), so nothing was held against it"),
        Ok(output) => {
            let errors = String::from_utf8_lossy(&output.stderr);
            assert!(output.status.success(), "{errors}");
        }
    }
}
