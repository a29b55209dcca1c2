//! Certificates of erasure of a log that is made by hand here: what holds, what is said of it, and that nothing else
//! holds.
//!
//! `UPDATE_FIXTURES=1` writes those under `fixtures/proofs/erasure` anew, which the reader in Python and the fuzzed
//! entry points read.

use std::fs;
use std::path::PathBuf;

use commitment::{
    AccountMap, Algorithm, Checkpoint, Control, ControlKind, Digest, Domain, Erasure, Frontier,
    KeyedDomain, Left, MapKey, MapLeaf, MapProof, Note, ProofError, Ranges, Seal, SignerKey,
    Summary, chain_start, chain_step, control_leaf, erased_root, event_leaf, hash, hex, keyed,
    name_leaf, page_path, page_root, prove_consistency, prove_inclusion, tree_leaf,
};
use event::Timestamp;
use stillthere_verifier::Language;
use stillthere_verifier::certificate::{
    Basis, Certificate, CertificateError, ErasureCertificate, Expected, Placed, Question, Shown,
    Since, Stream, Trust, check, check_erasure, is_erasure,
};

const STORE: [u8; 16] = *b"a store of tests";
const SECRET: [u8; 32] = [7; 32];
const ORIGIN: &str = "erasure.example/log";

/// A log of three pages: an account's name and events, and a seal; the record of its erasure; a seal.
struct Log {
    key: SignerKey,
    leaves: [Vec<Digest>; 4],
    pages: Vec<[u8; 120]>,
    seals: [Vec<u8>; 2],
    record: Vec<u8>,
    events: Vec<Shown>,
    frames: Vec<(u32, Digest)>,
    map_root: Digest,
}

fn ms(text: &str) -> i64 {
    Timestamp::parse(text).expect("a time").ms()
}

fn salt(n: u8) -> [u8; 16] {
    [n; 16]
}

/// The ordinal of the account, beside one that has an event in between.
const ORDINAL: u32 = 1;

impl Log {
    fn make(change: impl FnOnce(&mut Erasure<'_>)) -> Log {
        let key = SignerKey::new(ORIGIN, Algorithm::Ed25519, &[3; 32]).expect("a key");
        let event = |n: u8| {
            let mut envelope = [0; 40];
            envelope[0] = 3; // signed in
            envelope[4..8].copy_from_slice(&ORDINAL.to_le_bytes());
            let at = ms("2026-01-01T00:00:00Z") + i64::from(n) * 86_400_000;
            envelope[8..16].copy_from_slice(&at.to_le_bytes());
            envelope[16..24].copy_from_slice(&at.to_le_bytes());
            // [[], id, {}], as a content has it, behind zeros.
            let mut padded = vec![0; 16];
            padded[11..].copy_from_slice(&[0x93, 0x90, 0xa1, b'0' + n, 0x80]);
            Shown::Whole { envelope, salt: salt(n), padded, position: u64::from(n) + 1 }
        };
        let events: Vec<Shown> = (0..3).map(event).collect();
        let of_event = |shown: &Shown| match shown {
            Shown::Whole { envelope, salt, padded, .. } => event_leaf(envelope, salt, padded),
            Shown::Envelope { .. } => unreachable!("all are whole"),
        };
        let name = name_leaf(ORDINAL, &SECRET, "mei");
        let event_leaves: Vec<Digest> = events.iter().map(of_event).collect();
        let frames: Vec<(u32, Digest)> =
            [name].into_iter().chain(event_leaves.clone()).map(|leaf| (ORDINAL, leaf)).collect();
        let head =
            event_leaves.iter().fold(chain_start(&name), |head, leaf| chain_step(&head, leaf));
        // A map of one account: what is beside its way is empty at each depth.
        let map_key = MapKey::of(&hex(&STORE), "mei");
        let mut map = AccountMap::default();
        map.apply(vec![(map_key, Some(MapLeaf::of(&SECRET, &head, 3).hash(&map_key)))]);
        let map_root = map.root();

        let seal = |size, accounts, root, at: &str| {
            Control::Seal(Seal { size, accounts, root, at_ms: ms(at) }).encode()
        };
        let seals = [
            seal(4, 2, map_root, "2026-02-01T00:00:00Z"),
            seal(4, 2, [0; 32], "2026-03-02T00:00:00Z"),
        ];
        let mut erasure = Erasure {
            at_ms: ms("2026-03-01T00:00:00Z"),
            ground: "GDPR Art. 17",
            by: "dpo",
            left: Left::Leaf,
            before_ms: None,
            names: Ranges::from_iter([u64::from(ORDINAL)]),
            events: Ranges::from_iter([1, 2, 3]),
            root: erased_root(&frames),
        };
        change(&mut erasure);
        let record = Control::Erasure(erasure).encode();
        let others = [name_leaf(0, &[9; 32], "ben"), [5; 32]];
        let first: Vec<Digest> =
            others.into_iter().chain(frames.iter().map(|(_, leaf)| *leaf)).collect();
        let leaves = [
            first,
            vec![control_leaf(ControlKind::Seal, &salt(20), &seals[0])],
            vec![control_leaf(ControlKind::Erasure, &salt(21), &record)],
            vec![control_leaf(ControlKind::Seal, &salt(22), &seals[1])],
        ];
        let mut pages: Vec<[u8; 120]> = Vec::new();
        for (n, leaves) in (0u64..).zip(&leaves) {
            let before = pages.last();
            pages.push(
                Summary {
                    store: STORE,
                    page: n,
                    first_position: if n == 0 { 0 } else { 4 },
                    events: if n == 0 { 4 } else { 0 },
                    leaves: leaves.len() as u32,
                    root: page_root(leaves),
                    predecessor: before.map_or([0; 32], |page| tree_leaf(page)),
                    clock_ms: ms("2026-03-02T00:00:00Z"),
                }
                .encode(),
            );
        }
        Log { key, leaves, pages, seals, record, events, frames, map_root }
    }

    fn node(&self, level: u8, index: u64) -> Result<Digest, ProofError> {
        let pages = (index << level) as usize..((index + 1) << level) as usize;
        Ok(self.pages[pages].iter().map(|page| tree_leaf(page)).collect::<Frontier>().root())
    }

    /// The signed checkpoint of the first pages.
    fn checkpoint(&self, pages: u64) -> Note {
        let root = self.pages[..pages as usize].iter().map(|page| tree_leaf(page));
        let root = root.collect::<Frontier>().root();
        let checkpoint =
            Checkpoint { origin: ORIGIN.to_owned(), size: pages, root, extensions: Vec::new() };
        checkpoint.sign(&self.key).expect("signed")
    }

    fn placed(&self, page: usize, salt: [u8; 16], pages: u64) -> Placed {
        let leaf = self.leaves[page].len() - 1;
        Placed {
            salt,
            in_page: page_path(&self.leaves[page], leaf),
            summary: self.pages[page],
            in_tree: prove_inclusion(page as u64, pages, |level, index| self.node(level, index))
                .expect("in the tree"),
        }
    }

    fn certificate(&self) -> ErasureCertificate {
        ErasureCertificate {
            checkpoint: self.checkpoint(4).to_string(),
            since: None,
            audits: Vec::new(),
            seal: self.placed(3, salt(22), 4),
            seal_body: self.seals[1].clone(),
            record: self.placed(2, salt(21), 4),
            record_body: self.record.clone(),
            frames: self.frames.clone(),
        }
    }

    /// That the log goes on from its first seal.
    fn since(&self) -> Since {
        let proof = prove_consistency(2, 4, |level, index| self.node(level, index)).expect("grown");
        Since { checkpoint: self.checkpoint(2).to_string(), proof }
    }

    /// A certificate of the account, up to its first seal.
    fn earlier(&self) -> Certificate {
        let mut map = AccountMap::default();
        let head = self
            .frames
            .iter()
            .skip(1)
            .fold(chain_start(&self.frames[0].1), |head, (_, leaf)| chain_step(&head, leaf));
        let key = MapKey::of(&hex(&STORE), "mei");
        let leaf = MapLeaf::of(&SECRET, &head, 3);
        map.apply(vec![(key, Some(leaf.hash(&key)))]);
        assert_eq!(map.root(), self.map_root);
        let map: MapProof = map.prove(&key, leaf).expect("it is there");
        let as_of = Timestamp::parse("2026-02-01T00:00:00Z").expect("a time");
        let policy = policy::Policy::preset(policy::DEFAULT_PRESET).expect("a preset");
        let stream = Stream {
            ordinal: ORDINAL,
            name_salt: keyed(&SECRET, KeyedDomain::NameSalt, &[]),
            secret_hash: hash(Domain::Secret, &[&SECRET]),
            events: self.events.clone(),
        };
        let question = Question { as_of, known_at: as_of, item: None, claims: Vec::new() };
        let answers = stillthere_verifier::certificate::answer(
            "mei",
            Some(&stream),
            &policy,
            &question,
            Language::En,
        );
        let answers = stillthere_verifier::certificate::without_sentences(
            &answers.expect("an answer"),
            &question,
        );
        Certificate {
            checkpoint: self.checkpoint(2).to_string(),
            since: None,
            audits: Vec::new(),
            seal: self.placed(1, salt(20), 2),
            seal_body: self.seals[0].clone(),
            map,
            account: "mei".to_owned(),
            stream: Some(stream),
            policy: policy.canonical_bytes(),
            adopted: None,
            question,
            answers,
        }
    }

    fn trust(&self) -> Trust {
        Trust { log: vec![self.key.verifier().clone()], ..Trust::default() }
    }
}

fn sound(log: &Log, bytes: &[u8]) -> Result<(), String> {
    let checked = check_erasure(bytes, &log.trust(), &Expected::default(), Language::En);
    checked.map(drop).map_err(|error| error.to_string())
}

#[test]
fn it_says_what_was_taken_out_and_what_nobody_can_prove() {
    let log = Log::make(|_| {});
    let bytes = ErasureCertificate { since: Some(log.since()), ..log.certificate() }.encode();
    assert!(is_erasure(&bytes));
    let decoded = ErasureCertificate::decode(&bytes).expect("one");
    assert_eq!(decoded.encode(), bytes);
    let checked = check_erasure(&bytes, &log.trust(), &Expected::default(), Language::En);
    let checked = checked.expect("it holds");
    assert_eq!((checked.page, checked.left, checked.before), (2, Left::Leaf, None));
    assert_eq!((&*checked.ground, &*checked.by), ("GDPR Art. 17", "dpo"));
    assert_eq!(checked.at.to_string(), "2026-03-01T00:00:00Z");
    assert_eq!((checked.names.count(), checked.events.count()), (1, 3));
    assert_eq!(checked.since.map(|tree| tree.pages), Some(2));
    let said: Vec<(Basis, String)> =
        checked.facts().into_iter().map(|fact| (fact.basis, fact.fact)).collect();
    for (basis, text) in [
        (Basis::Attested, "the log is the one whose tree of 4 pages"),
        (Basis::Proven, "goes on from the checkpoint of 2 pages"),
        (Basis::Proven, "in page 2, which names 3 events and the name of 1 account"),
        (Basis::Proven, "it names these 4 frames and no others"),
        (Basis::Attested, "the erasure was carried out at 2026-03-01T00:00:00Z, by \"dpo\""),
        (Basis::Attested, "the log holds no more than the record says"),
        (Basis::Unprovable, "no copy of what was taken out was kept"),
        (Basis::Unprovable, "nothing else in the log or elsewhere"),
    ] {
        let is_said = said.iter().any(|(of, fact)| *of == basis && fact.contains(text));
        assert!(is_said, "{basis}: {text}\n{said:#?}");
    }
    let checked =
        check_erasure(&bytes, &log.trust(), &Expected::default(), Language::Zh).expect("it holds");
    let report = serde_json::to_value(checked.report()).expect("JSON");
    let erasure = &report["erasure"];
    assert_eq!(erasure["positions"], serde_json::json!([[1, 4]]));
    assert_eq!((&erasure["left"], &erasure["accounts"]), (&"leaf".into(), &1.into()));
    assert_eq!((&report["size"], &report["events"]), (&4.into(), &4.into()));
}

#[test]
fn an_earlier_certificate_still_holds_and_shows_what_it_was() {
    let log = Log::make(|_| {});
    let earlier = log.earlier();
    let held = check(&earlier.encode(), &log.trust(), &Expected::default(), Language::En);
    assert_eq!(held.expect("it holds").account, "mei");
    let bytes = log.certificate().encode();
    let checked =
        check_erasure(&bytes, &log.trust(), &Expected::default(), Language::En).expect("it holds");
    let taken = checked.taken_out(&earlier);
    assert_eq!((taken.revisions, taken.of, taken.name), (vec![0, 1, 2], 3, true));
    // Of other events, and of the same leaves under another number, nothing was taken.
    let mut other = earlier.clone();
    let stream = other.stream.as_mut().expect("events");
    stream.ordinal = 0;
    assert_eq!(checked.taken_out(&other).revisions, [0u64; 0]);
    let mut other = earlier.clone();
    let stream = other.stream.as_mut().expect("events");
    let Shown::Whole { salt, .. } = &mut stream.events[1] else { unreachable!("all are whole") };
    salt[0] ^= 1;
    let taken = checked.taken_out(&other);
    assert_eq!((taken.revisions, taken.name), (vec![0, 2], true));
    other.account.push('x');
    assert!(!checked.taken_out(&other).name);
    other.stream = None;
    assert_eq!(checked.taken_out(&other).of, 0);
}

#[test]
fn no_change_holds() {
    let log = Log::make(|_| {});
    let certificate = ErasureCertificate { since: Some(log.since()), ..log.certificate() };
    let bytes = certificate.encode();
    assert_eq!(sound(&log, &bytes), Ok(()));
    let with_checksum = |body: &[u8]| [body, blake3::hash(body).as_bytes()].concat();
    let body = &bytes[..bytes.len() - 32];
    assert_eq!(with_checksum(body), bytes);
    for at in 0..bytes.len() {
        for bit in 0..8 {
            let mut flipped = bytes.clone();
            flipped[at] ^= 1 << bit;
            assert!(sound(&log, &flipped).is_err(), "byte {at}, bit {bit}");
            if at < body.len() {
                let mended = with_checksum(&flipped[..body.len()]);
                assert!(sound(&log, &mended).is_err(), "byte {at}, bit {bit}, with its checksum");
            }
        }
        assert!(sound(&log, &bytes[..at]).is_err(), "cut at {at}");
        if at < body.len() {
            assert!(
                sound(&log, &with_checksum(&body[..at])).is_err(),
                "cut at {at}, with its checksum"
            );
            let doubled = [&body[..at], &body[at.saturating_sub(1)..]].concat();
            assert!(
                sound(&log, &with_checksum(&doubled)).is_err() || at == 0,
                "doubled before {at}"
            );
        }
    }
    // Of another key, and of no key.
    let stranger = SignerKey::new(ORIGIN, Algorithm::Ed25519, &[4; 32]).expect("a key");
    let trust = Trust { log: vec![stranger.verifier().clone()], ..Trust::default() };
    assert!(check_erasure(&bytes, &trust, &Expected::default(), Language::En).is_err());
    let error = check_erasure(&bytes, &Trust::default(), &Expected::default(), Language::En);
    assert_eq!(error.unwrap_err(), CertificateError::NoKey);
}

#[test]
fn a_record_that_says_otherwise_is_refused() {
    let refused = |change: fn(&mut Erasure<'_>)| {
        let log = Log::make(change);
        sound(&log, &log.certificate().encode()).unwrap_err()
    };
    let frames = "its record: the frames that are shown are others than it names";
    assert_eq!(refused(|erasure| erasure.root[31] ^= 1), frames);
    assert_eq!(
        refused(|erasure| erasure.events = Ranges::from_iter([1, 2])),
        "its record: it names 3 frames, and 4 are shown"
    );
    assert_eq!(
        refused(|erasure| erasure.events = Ranges::from_iter([1, 2, 4])),
        "its record: it names position 4, and stands before 4"
    );
    // The border: the last event before it may be named.
    let log = Log::make(|erasure| erasure.events = Ranges::from_iter([0, 1, 3]));
    assert_eq!(sound(&log, &log.certificate().encode()), Ok(()));

    let log = Log::make(|_| {});
    let refused = |change: &dyn Fn(&mut ErasureCertificate)| {
        let mut certificate = log.certificate();
        change(&mut certificate);
        sound(&log, &certificate.encode()).unwrap_err()
    };
    let swapped = refused(&|certificate| certificate.frames.swap(1, 2));
    assert_eq!(swapped, frames);
    let other_number = refused(&|certificate| certificate.frames[2].0 = 0);
    assert_eq!(other_number, frames);
    // A seal in the record's place is none.
    let seal = refused(&|certificate| {
        certificate.record = certificate.seal.clone();
        certificate.record_body = certificate.seal_body.clone();
    });
    assert_eq!(seal, "the record of the erasure does not lie in its page");
}

#[test]
fn who_expects_an_answer_is_told() {
    let log = Log::make(|_| {});
    let bytes = log.certificate().encode();
    let check = |expected| check_erasure(&bytes, &log.trust(), &expected, Language::En);
    let error = check(Expected { account: Some("mei".to_owned()), ..Expected::default() });
    let text = "made for the erasure recorded in page 2, expected an answer about an account";
    assert_eq!(error.unwrap_err().to_string(), text);
    assert!(check(Expected { size: Some(4), ..Expected::default() }).is_ok());
    let error = check(Expected { size: Some(5), ..Expected::default() });
    assert_eq!(error.unwrap_err().to_string(), "made for a log of size 4, expected 5");
}

#[test]
fn the_fixtures_are_these() {
    let log = Log::make(|_| {});
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../fixtures/proofs/erasure");
    let since = ErasureCertificate { since: Some(log.since()), ..log.certificate() };
    let mut frames = log.certificate();
    frames.frames.swap(1, 2);
    let files = [
        ("erasure.cert", log.certificate().encode()),
        ("since.cert", since.encode()),
        ("refused.cert", frames.encode()),
        ("earlier.cert", log.earlier().encode()),
        ("log.vkey", format!("{}\n", log.key.verifier()).into_bytes()),
    ];
    for (name, bytes) in files {
        let path = folder.join(name);
        if std::env::var_os("UPDATE_FIXTURES").is_some() {
            fs::create_dir_all(&folder).expect("made");
            fs::write(&path, &bytes).expect("written");
        }
        assert!(
            fs::read(&path).is_ok_and(|kept| kept == bytes),
            "{name}: UPDATE_FIXTURES=1 writes it"
        );
    }
}
