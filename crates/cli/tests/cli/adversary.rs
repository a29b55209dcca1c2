//! An operator with the real key, and who notices what they try: the table in docs/proofs.md, "Who notices what".
//!
//! Each attempt is looked at by all four, and has to be noticed by those whom its row names, and by nobody else.

pub mod forger;

use std::fmt::Write;

use commitment::{Algorithm, Left, SignerKey, check_consistency};
use event::Timestamp;
use policy::Policy;
use verifier::certificate::{Certificate, Question, Shown, Since};

use self::forger::{Entry, Erasing, Event, Forged, Sealing};
use crate::binary::{Folder, root};

/// The columns.
const ONE: u8 = 1;
const KEPT: u8 = 2;
const TWO: u8 = 4;
const AUDIT: u8 = 8;
const NOBODY: u8 = 0;

pub const ANN: u32 = 0;
pub const BOB: u32 = 1;
const AS_OF: &str = "2026-01-20T00:00:00Z";

/// What the operator does, and shows.
struct Attempt {
    /// The log that the auditor is given, and that the certificate is of.
    log: Forged,
    /// What is shown now; it is said to be of ann's account, or of her item, as of [`AS_OF`], under the preset.
    shown: Certificate,
    /// A certificate of the account that somebody was given before.
    before: Certificate,
    /// The log, and how many of its pages the checkpoint was of that somebody kept.
    kept: (Forged, u64),
    /// What else the checker says that it should be about.
    said: Vec<&'static str>,
}

impl Attempt {
    /// By a log in the place of the honest one, of which something was shown at its first seal.
    fn of(entries: &[Entry]) -> Attempt {
        let log = Forged::of(entries);
        let shown = of_ann(&log, log.seals.len() as u64);
        let honest = Forged::of(&honest());
        Attempt { log, shown, before: of_ann(&honest, 1), kept: (honest, 1), said: vec![] }
    }

    /// By a certificate alone that is made of the honest log's.
    fn shown(change: impl FnOnce(&mut Certificate)) -> Attempt {
        let mut attempt = Attempt::of(&honest());
        change(&mut attempt.shown);
        attempt
    }
}

/// `a.jpg` is trashed by its owner; `b.jpg` is purged by the provider behind the first seal.
pub fn honest() -> Vec<Entry> {
    vec![
        event(ANN, "01", r#""kind":"item_uploaded","item":"a.jpg","category":"photos","bytes":7"#),
        event(ANN, "02", r#""kind":"item_uploaded","item":"b.jpg","category":"photos","bytes":8"#),
        event(BOB, "02", r#""kind":"item_uploaded","item":"x.jpg","category":"photos","bytes":9"#),
        event(ANN, "03", r#""kind":"item_trashed","item":"a.jpg""#),
        seal("04"),
        purge("05", "b.jpg"),
        event(BOB, "06", r#""kind":"item_trashed","item":"x.jpg""#),
        seal("07"),
    ]
}

/// Where the purge stands in it, and the seal before.
const PURGE: usize = 5;
const SEAL: usize = 4;

pub fn event(ordinal: u32, day: &str, rest: &str) -> Entry {
    let account = ["ann", "bob", "ann"][ordinal as usize];
    let at = format!("2026-01-{day}T08:00:00Z");
    let actor = if rest.contains("item_purged") { "provider" } else { "user" };
    let line = format!(
        r#"{{"id":"{day}{}","account":"{account}","occurred_at":"{at}","recorded_at":"{at}","actor":"{actor}",{rest}}}"#,
        rest.len()
    );
    Entry::Event(Event {
        ordinal,
        line,
        tagged: None,
        as_backup: false,
        is_left_out: false,
        by_log: false,
    })
}

fn purge(day: &str, item: &str) -> Entry {
    event(ANN, day, &format!(r#""kind":"item_purged","item":"{item}","cause":"quota""#))
}

pub fn seal(day: &str) -> Entry {
    let at = Timestamp::parse(&format!("2026-01-{day}T08:00:00Z")).unwrap();
    Entry::Seal(Sealing { at, root: None, without: None })
}

/// The honest log with one entry changed.
fn with(at: usize, change: impl FnOnce(&mut Entry)) -> Vec<Entry> {
    let mut entries = honest();
    change(&mut entries[at]);
    entries
}

pub fn with_event(at: usize, change: impl FnOnce(&mut Event)) -> Vec<Entry> {
    with(at, |entry| match entry {
        Entry::Event(event) => change(event),
        _ => panic!("no event"),
    })
}

fn with_seal(at: usize, change: impl FnOnce(&mut Sealing)) -> Vec<Entry> {
    with(at, |entry| match entry {
        Entry::Seal(seal) => change(seal),
        _ => panic!("no seal"),
    })
}

fn key() -> SignerKey {
    SignerKey::new("example.com/log", Algorithm::Ed25519, &[0x42; 32]).unwrap()
}

pub fn question(item: Option<&str>) -> Question {
    let as_of = Timestamp::parse(AS_OF).unwrap();
    Question { as_of, known_at: as_of, item: item.map(str::to_owned), claims: vec![] }
}

fn preset() -> Policy {
    Policy::preset("xiaomi-cloud").unwrap()
}

fn of_ann(log: &Forged, pages: u64) -> Certificate {
    of(log, ("ann", Some(ANN)), pages, None)
}

fn of(log: &Forged, whose: (&str, Option<u32>), pages: u64, item: Option<&str>) -> Certificate {
    log.certify(whose, (pages, pages), (question(item), &preset()), &key())
}

/// The events that a certificate shows.
fn events(certificate: &mut Certificate) -> &mut Vec<Shown> {
    &mut certificate.stream.as_mut().expect("it has events").events
}

/// Bob's account differs behind the first seal, and the one that is shown is a page longer.
fn forked() -> Attempt {
    let mut entries = with_event(6, |e| e.line = e.line.replace("item_trashed", "item_restored"));
    entries.extend([event(BOB, "08", r#""kind":"signed_in""#), seal("09")]);
    let other = Forged::of(&honest());
    let before = of_ann(&other, 2);
    Attempt { before, kept: (other, 2), ..Attempt::of(&entries) }
}

/// The honest log, in which an erasure comes behind the first seal.
fn with_erasure(change: impl FnOnce(&mut Erasing)) -> Vec<Entry> {
    let at = Timestamp::parse("2026-01-04T09:00:00Z").unwrap();
    let mut erasing = Erasing {
        at,
        ground: "asked by bob",
        taken: &[2],
        left: Left::Envelope,
        said: Left::Envelope,
        whose: None,
        named: &[2],
    };
    change(&mut erasing);
    let mut entries = honest();
    entries.insert(SEAL + 1, Entry::Erasure(erasing));
    entries
}

/// A log in the place of one with an erasure that was sealed.
fn in_place_of_erasure(change: impl FnOnce(&mut Erasing)) -> Attempt {
    let sealed = Forged::of(&with_erasure(|_| {}));
    let before = of_ann(&sealed, 3);
    Attempt { before, kept: (sealed, 3), ..Attempt::of(&with_erasure(change)) }
}

type Row = (&'static str, u8, fn() -> Attempt);

/// Which of the four find it out, of each attempt.
const ROWS: &[Row] = &[
    ("changes an event that was sealed", KEPT | TWO, || {
        Attempt::of(&with_event(1, |e| e.line = e.line.replace(r#""bytes":8"#, r#""bytes":80"#)))
    }),
    ("leaves a sealed event out of a log made anew", KEPT | TWO, || {
        let mut entries = honest();
        entries.remove(1);
        Attempt::of(&entries)
    }),
    ("puts sealed events in another order", KEPT | TWO, || {
        let mut entries = honest();
        entries.swap(0, 1);
        Attempt::of(&entries)
    }),
    ("cuts the log back to an older seal, and shows what was true then", KEPT, || {
        let newer = Forged::of(&honest());
        let before = of_ann(&newer, 2);
        Attempt { before, kept: (newer, 2), ..Attempt::of(&honest()[..=SEAL]) }
    }),
    ("signs two continuations, one for each reader", KEPT | TWO, || {
        let mut entries = honest();
        entries.remove(PURGE);
        let other = Forged::of(&honest());
        let before = of_ann(&other, 2);
        Attempt { before, kept: (other, 2), ..Attempt::of(&entries) }
    }),
    ("signs two continuations of other lengths, which differ in another account", KEPT, forked),
    (
        "does so, and when asked for the later one `--since` the earlier, signs another tree of its size",
        KEPT | TWO,
        || {
            let mut attempt = forked();
            let checkpoint = attempt.log.note(2, &key());
            let proof = attempt.log.consistency(2, 3).unwrap();
            attempt.shown.since = Some(Since { checkpoint, proof });
            attempt
        },
    ),
    (
        "does so, and when asked for the later one `--since` the earlier, makes up the proof",
        ONE | KEPT,
        || {
            let mut attempt = forked();
            let checkpoint = attempt.kept.0.note(2, &key());
            let proof = attempt.log.consistency(2, 3).unwrap();
            attempt.shown.since = Some(Since { checkpoint, proof });
            attempt
        },
    ),
    ("leaves a logged purge out of the account's chain in the map", AUDIT, || {
        Attempt::of(&with_event(PURGE, |e| e.is_left_out = true))
    }),
    ("says in the map that the account is not there", TWO | AUDIT, || {
        let log = with_seal(7, |seal| seal.without = Some("ann"));
        let attempt = Attempt::of(&log);
        let shown = of(&attempt.log, ("ann", None), 2, None);
        Attempt { shown, ..attempt }
    }),
    ("opens a second account of the name, and has that one in the map", TWO | AUDIT, || {
        let attempt = Attempt::of(&with(PURGE, |entry| {
            let upload = r#""kind":"item_uploaded","item":"a.jpg","category":"photos","bytes":7"#;
            *entry = event(2, "05", upload);
        }));
        let shown = of(&attempt.log, ("ann", Some(2)), 2, None);
        Attempt { shown, ..attempt }
    }),
    ("shows of two accounts of the name the one that is not in the map", ONE | AUDIT, || {
        Attempt::of(&with(PURGE, |entry| {
            let upload = r#""kind":"item_uploaded","item":"a.jpg","category":"photos","bytes":7"#;
            *entry = event(2, "05", upload);
        }))
    }),
    ("seals another root than the map's", ONE | AUDIT, || {
        Attempt::of(&with_seal(7, |seal| seal.root = Some([7; 32])))
    }),
    ("tags the purge of an item as another's, and shows the item", AUDIT, || {
        let log = with(PURGE, |entry| {
            *entry = purge("05", "a.jpg");
            let Entry::Event(event) = entry else { panic!("a seal") };
            event.tagged = Some("b.jpg");
        });
        let attempt = Attempt::of(&log);
        let shown = of(&attempt.log, ("ann", Some(ANN)), 2, Some("a.jpg"));
        Attempt { shown, said: vec!["--item", "a.jpg"], ..attempt }
    }),
    (
        "gives the purge of an item the envelope of a backup's, and shows the item",
        ONE | AUDIT,
        || {
            let log = with(PURGE, |entry| {
                *entry = purge("05", "a.jpg");
                let Entry::Event(event) = entry else { panic!("a seal") };
                event.as_backup = true;
            });
            let attempt = Attempt::of(&log);
            let shown = of(&attempt.log, ("ann", Some(ANN)), 2, Some("a.jpg"));
            Attempt { shown, said: vec!["--item", "a.jpg"], ..attempt }
        },
    ),
    ("has the log's own clock go backwards", AUDIT, || {
        Attempt::of(&with_event(PURGE, |e| {
            e.line = e.line.replace("2026-01-05", "2026-01-01");
            e.by_log = true;
        }))
    }),
    ("erases the content of a sealed event, and no record says so", AUDIT, || {
        Attempt::of(&with_erasure(|erasing| erasing.named = &[]))
    }),
    ("erases more than the record says", AUDIT, || {
        Attempt::of(&with_erasure(|erasing| erasing.taken = &[0, 2]))
    }),
    ("says in a record that more was erased than was", AUDIT, || {
        Attempt::of(&with_erasure(|erasing| erasing.named = &[0, 2]))
    }),
    ("erases a whole event, and says in the record that its content alone went", AUDIT, || {
        Attempt::of(&with_erasure(|erasing| erasing.left = Left::Leaf))
    }),
    ("erases a content, and says in the record that the whole event went", AUDIT, || {
        Attempt::of(&with_erasure(|erasing| erasing.said = Left::Leaf))
    }),
    ("erases a whole event, and gives its place to another account", AUDIT, || {
        Attempt::of(&with_erasure(|erasing| {
            (erasing.left, erasing.said, erasing.whose) = (Left::Leaf, Left::Leaf, Some(ANN));
        }))
    }),
    ("alters the record of an erasure that was sealed", KEPT | TWO, || {
        in_place_of_erasure(|erasing| erasing.ground = "asked by nobody")
    }),
    ("erases, and takes the sealed record of it back out", KEPT | AUDIT, || {
        in_place_of_erasure(|erasing| erasing.named = &[])
    }),
    ("backdates an event by the source's word", NOBODY, || {
        Attempt::of(&with_event(PURGE, |e| e.line = e.line.replace("2026-01-05", "2026-01-01")))
    }),
    ("seals late, and changes events until then", NOBODY, || {
        let mut entries = with_event(PURGE, |e| e.line = e.line.replace("provider", "user"));
        entries[7] = seal("19");
        Attempt::of(&entries)
    }),
    ("backdates a seal", NOBODY, || {
        let mut entries = honest();
        entries[7] = seal("04");
        Attempt::of(&entries)
    }),
    ("never logs the purge", NOBODY, || {
        let mut entries = honest();
        entries.remove(PURGE);
        Attempt::of(&entries)
    }),
    ("shows the newest checkpoint, and events up to an older seal", ONE, || {
        let attempt = Attempt::of(&honest());
        let asked = (question(None), &preset());
        let shown = attempt.log.certify(("ann", Some(ANN)), (1, 2), asked, &key());
        Attempt { shown, ..attempt }
    }),
    ("signs by a key of their own making, of the log's name", ONE, || {
        let attempt = Attempt::of(&honest());
        let other = SignerKey::new("example.com/log", Algorithm::Ed25519, &[0x43; 32]).unwrap();
        let asked = (question(None), &preset());
        let shown = attempt.log.certify(("ann", Some(ANN)), (2, 2), asked, &other);
        Attempt { shown, ..attempt }
    }),
    ("changes an event's content in a certificate", ONE, || {
        Attempt::shown(|certificate| {
            let Shown::Whole { padded, .. } = &mut events(certificate)[1] else { panic!("hidden") };
            let at = padded.windows(5).position(|bytes| bytes == b"b.jpg").expect("its item");
            padded[at] = b'c';
        })
    }),
    ("changes an event's envelope in a certificate", ONE, || {
        Attempt::shown(|certificate| {
            let Shown::Whole { envelope, .. } = &mut events(certificate)[3] else {
                panic!("hidden")
            };
            envelope[1] = 0;
        })
    }),
    ("leaves the last event out of a certificate", ONE, || {
        Attempt::shown(|certificate| drop(events(certificate).pop()))
    }),
    ("leaves an event in the middle out", ONE, || {
        Attempt::shown(|certificate| drop(events(certificate).remove(1)))
    }),
    ("puts a certificate's events in another order", ONE, || {
        Attempt::shown(|certificate| events(certificate).swap(0, 1))
    }),
    ("shows by its envelope what the answer needs", ONE, || {
        let mut attempt = Attempt::of(&honest());
        let asked = ("ann", Some(ANN));
        attempt.shown = of(&attempt.log, asked, 2, Some("a.jpg"));
        let item = of(&attempt.log, asked, 2, Some("b.jpg"));
        let hidden = item.stream.expect("it has events").events.swap_remove(2);
        events(&mut attempt.shown)[2] = hidden;
        attempt
    }),
    ("writes another answer", ONE, || {
        Attempt::shown(|certificate| {
            let answer = &mut certificate.answers[0];
            *answer = answer.replace("user_trashed", "provider_trashed");
        })
    }),
    ("shows another account's certificate", ONE, || {
        let attempt = Attempt::of(&honest());
        let shown = of(&attempt.log, ("bob", Some(BOB)), 2, None);
        Attempt { shown, ..attempt }
    }),
    ("shows another account's events under the name", ONE, || {
        let attempt = Attempt::of(&honest());
        let shown = of(&attempt.log, ("ann", Some(BOB)), 2, None);
        Attempt { shown, ..attempt }
    }),
    ("shows another item's certificate", ONE, || {
        let attempt = Attempt::of(&honest());
        let shown = of(&attempt.log, ("ann", Some(ANN)), 2, Some("b.jpg"));
        Attempt { shown, said: vec!["--item", "a.jpg"], ..attempt }
    }),
    ("answers as of another instant", ONE, || {
        let mut attempt = Attempt::of(&honest());
        let as_of = Timestamp::parse("2026-01-04T00:00:00Z").unwrap();
        let asked = Question { as_of, known_at: as_of, ..question(None) };
        let whose = ("ann", Some(ANN));
        attempt.shown = attempt.log.certify(whose, (2, 2), (asked, &preset()), &key());
        attempt
    }),
    ("answers by what was recorded up to an older instant", ONE, || {
        let mut attempt = Attempt::of(&honest());
        let known_at = Timestamp::parse("2026-01-04T00:00:00Z").unwrap();
        let asked = Question { known_at, ..question(None) };
        let whose = ("ann", Some(ANN));
        attempt.shown = attempt.log.certify(whose, (2, 2), (asked, &preset()), &key());
        attempt
    }),
    ("shows an older certificate, where the size is known", ONE, || {
        let attempt = Attempt::of(&honest());
        let shown = of_ann(&attempt.log, 1);
        Attempt { shown, said: vec!["--size", "6"], ..attempt }
    }),
    ("answers under another policy", ONE, || {
        let mut attempt = Attempt::of(&honest());
        let rules = Policy::parse(include_str!("data/rules.toml")).unwrap();
        let asked = (question(None), &rules);
        attempt.shown = attempt.log.certify(("ann", Some(ANN)), (2, 2), asked, &key());
        attempt
    }),
];

/// Who notices an attempt.
fn noticed(folder: &Folder, number: usize, attempt: &Attempt) -> u8 {
    let key = key();
    let vkey = key.verifier().to_string();
    let mut who = NOBODY;
    let code = |args: &[&str]| {
        let ran = folder.run(args);
        assert!(matches!(ran.code, Some(0 | 1)), "{number}: {ran:#?}");
        (ran.code == Some(1), ran)
    };

    folder.write("shown.cert", attempt.shown.encode());
    let mut check = vec!["check", "shown.cert", "--key", &vkey, "--account", "ann"];
    check.extend(["--as-of", AS_OF, "--policy", "xiaomi-cloud", "--json"]);
    check.extend(&attempt.said);
    let (is_refused, ran) = code(&check);
    if is_refused {
        who |= ONE;
        // Made by the checker's own code, so refused for what is wrong and not for how it was answered.
        let is_answer = ran.out.contains("another answer");
        assert_eq!(is_answer, ROWS[number].0 == "writes another answer", "{ran:#?}");
    }

    let (kept, pages) = &attempt.kept;
    let old = kept.checkpoint(*pages, &key);
    let new = attempt.log.checkpoint(attempt.log.seals.len() as u64, &key);
    let proof = attempt.log.consistency(old.size, new.size).unwrap_or_default();
    if check_consistency(old.size, &old.root, new.size, &new.root, &proof).is_err() {
        who |= KEPT;
    }

    folder.write("before.cert", attempt.before.encode());
    let (_, ran) = code(&["check", "before.cert", "shown.cert", "--key", &vkey, "--json"]);
    if ran.object()["misconduct"].is_string() {
        who |= TWO;
    }

    let store = format!("log-{number}");
    attempt.log.write(&folder.path(&store), &key);
    let audit = ["--store", &store, "audit-log", "--key", "auditor.key", "--log-key", &vkey];
    let is_refused = code(&audit).0;
    if is_refused {
        who |= AUDIT;
    }
    // One that goes on from the honest first page finds what one from the beginning does, and another first page.
    let goes_on = code(&[&audit[..], &["--from", "before.note"]].concat()).0;
    let first = |log: &Forged| log.checkpoint(1, &key);
    let is_other = first(&attempt.log) != first(&Forged::of(&honest()));
    assert_eq!(goes_on, is_refused || is_other, "{number}: going on");
    who
}

fn auditor() -> Folder {
    let folder = Folder::new();
    folder.run(&["key", "new", "--key", "auditor.key"]).expect(0);
    Forged::of(&honest()[..=SEAL]).write(&folder.path("before"), &key());
    let mut audit = vec!["--store", "before", "audit-log", "--key", "auditor.key"];
    audit.extend(["--keep", "-o", "before.note"]);
    folder.run(&audit).expect(0);
    folder
}

/// An id may come once in an account, also where an earlier audit saw it first.
#[test]
fn an_id_that_comes_again_is_noticed() {
    let folder = auditor();
    let mut entries = honest();
    entries[PURGE] = entries[0].clone();
    assert_eq!(noticed(&folder, 0, &Attempt::of(&entries)) & AUDIT, AUDIT);
    // In another account it is another.
    let mut entries = honest();
    entries[6] =
        event(BOB, "01", r#""kind":"item_uploaded","item":"a.jpg","category":"photos","bytes":7"#);
    assert_eq!(noticed(&folder, 1, &Attempt::of(&entries)) & AUDIT, NOBODY);
}

#[test]
fn nothing_is_noticed_where_nothing_is_wrong() {
    let folder = auditor();
    assert_eq!(noticed(&folder, 0, &Attempt::of(&honest())), NOBODY);
    assert_eq!(noticed(&folder, 1, &Attempt::of(&with_erasure(|_| {}))), NOBODY);
    assert_eq!(noticed(&folder, 2, &in_place_of_erasure(|_| {})), NOBODY);
    let whole = |erasing: &mut Erasing| (erasing.left, erasing.said) = (Left::Leaf, Left::Leaf);
    assert_eq!(noticed(&folder, 3, &Attempt::of(&with_erasure(whole))), NOBODY);
}

#[test]
fn each_attempt_is_noticed_by_those_whom_the_table_names() {
    let folder = auditor();
    let mut wrong = Vec::new();
    for (number, (what, expected, attempt)) in ROWS.iter().enumerate() {
        let found = noticed(&folder, number, &attempt());
        if found != *expected {
            wrong.push(format!("{what}: {expected:04b} expected, {found:04b} found"));
        }
    }
    assert!(wrong.is_empty(), "one, kept, two, audit from the right\n{}", wrong.join("\n"));
}

#[test]
fn the_table_is_in_the_documentation() {
    let mut table = String::from(
        "| the operator … | one certificate | a kept checkpoint | two certificates | an audit |\n|---|---|---|---|---|\n",
    );
    for (what, noticed, _) in ROWS {
        write!(table, "| {what} |").unwrap();
        for column in [ONE, KEPT, TWO, AUDIT] {
            table.push_str(if noticed & column == 0 { " – |" } else { " **noticed** |" });
        }
        table.push('\n');
    }
    let page = std::fs::read_to_string(root().join("docs/proofs.md")).unwrap();
    table.push('\n');
    assert!(page.contains(&table), "docs/proofs.md should have\n\n{table}");
}
