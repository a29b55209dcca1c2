//! `checkpoint --witness URL`: witnesses that are asked over HTTP, and what becomes of their answers.

mod server;

use std::fs;
use std::io::Write;
use std::net::TcpListener;
use std::process::{Command, Stdio};

use commitment::{Algorithm, Checkpoint, Note, Quorum, SignerKey, VerifierKey, WatchedLog, cosign};

use self::server::{Manner, Witness};
use crate::binary::{Folder, root};
use crate::proofs::{copy, restore};

const PUBLISHED: &str = "stillthere.store/tlog/checkpoint";
const LAST: &str = "stillthere.store/keys/signing.key.last";

/// A log with a key, not signed yet, and a witness that looks after it.
fn watched() -> (Folder, Vec<VerifierKey>, Witness) {
    let folder = Folder::with_household();
    folder.words("key new --origin example.com/log").expect(0);
    let vkey = String::from_utf8(folder.read("stillthere.store/keys/signing.key.pub")).unwrap();
    let log = vec![VerifierKey::parse(vkey.trim()).unwrap()];
    let witness = Witness::of("witness.example/w1", 1, &log);
    (folder, log, witness)
}

fn asking(witnesses: &[&Witness]) -> String {
    let options: Vec<String> = witnesses
        .iter()
        .map(|witness| format!("--witness {} --witness-key {}", witness.url, witness.vkey()))
        .collect();
    format!("checkpoint --witness-timeout 20 {}", options.join(" "))
}

/// The time of a witness's cosignature on a checkpoint, which has to hold.
fn cosigned(folder: &Folder, file: &str, log: &[VerifierKey], witness: &Witness) -> Option<u64> {
    let note = Note::parse(&folder.read(file)).unwrap();
    let key = VerifierKey::parse(&witness.vkey()).unwrap();
    let (_, signed) =
        Checkpoint::open(&note, "example.com/log", log, std::slice::from_ref(&key)).unwrap();
    let quorum = Quorum::new(0, vec![key]).unwrap();
    quorum.check(&signed).unwrap().first().map(|witness| witness.time_s)
}

fn size(folder: &Folder, file: &str) -> u64 {
    let note = Note::parse(&folder.read(file)).unwrap();
    Checkpoint::parse(note.unverified_text()).unwrap().size
}

#[test]
fn a_witness_goes_along_with_a_log_that_grows() {
    let (folder, log, witness) = watched();
    let line = asking(&[&witness]);
    let ran = folder.words(&format!("{line} --json")).expect(0).object();
    assert_eq!(ran["witnesses"], serde_json::json!(["witness.example/w1"]));
    assert_eq!(ran["unwitnessed"], serde_json::json!([]));
    assert_eq!(witness.exchanges(), [(0, 200)]);
    assert!(cosigned(&folder, PUBLISHED, &log, &witness).is_some());
    // The same tree again is cosigned again, and it is one line.
    folder.words(&line).expect(0);
    assert_eq!(witness.exchanges(), [(1, 200)]);
    let note = String::from_utf8(folder.read(PUBLISHED)).unwrap();
    assert_eq!(note.matches("— witness.example/w1 ").count(), 1, "{note}");
    for day in 2..8 {
        folder.more(day);
        let ran = folder.words(&line).expect(0);
        assert_eq!(ran.err, "");
        assert_eq!(witness.exchanges(), [(u64::from(day) - 1, 200)]);
        assert_eq!(folder.read(PUBLISHED), ran.out.as_bytes());
        assert!(cosigned(&folder, PUBLISHED, &log, &witness).is_some());
        assert_eq!(size(&folder, PUBLISHED), u64::from(day));
    }
    // A certificate carries it.
    folder.words("certify ann -o ann.cert").expect(0);
    let vkey = witness.vkey();
    folder.words(&format!("check ann.cert --witness {vkey} --require-witnesses 1")).expect(0);
}

#[test]
fn a_witness_that_missed_some_says_where_it_is() {
    let (folder, log, witness) = watched();
    let line = asking(&[&witness]);
    folder.words(&line).expect(0);
    for day in [2, 3] {
        folder.more(day);
        folder.words("checkpoint").expect(0);
    }
    folder.more(4);
    folder.words(&line).expect(0);
    assert_eq!(witness.exchanges(), [(0, 200), (0, 409), (1, 200)]);
    assert!(cosigned(&folder, PUBLISHED, &log, &witness).is_some());
    // One that never signed, though another did.
    let late = Witness::of("late.example/w2", 2, &log);
    folder.more(5);
    folder.words(&asking(&[&witness, &late])).expect(0);
    assert_eq!(witness.exchanges(), [(4, 200)]);
    assert_eq!(late.exchanges(), [(4, 409), (0, 200)]);
}

#[test]
fn another_history_is_not_cosigned() {
    let (folder, _, witness) = watched();
    let line = asking(&[&witness]);
    folder.words(&line).expect(0);
    copy(&folder.path("stillthere.store"), &folder.path("first"));
    folder.more(2);
    folder.words(&line).expect(0);
    folder.more(3);
    folder.words(&line).expect(0);
    assert_eq!(witness.last(), Some(3));
    witness.exchanges();
    for (days, exchanged, said) in [
        // Fewer pages than it signed.
        (2..4, vec![(0, 409)], "it signed a tree of 3 pages before, and this log has 2"),
        // As many, and more.
        (2..6, vec![(0, 409), (3, 422)], "is not the beginning of this log's"),
        (2..7, vec![(0, 409), (3, 422)], "is not the beginning of this log's"),
    ] {
        restore(&folder, "first");
        // The operator forgets what was signed.
        fs::remove_file(folder.path(LAST)).unwrap();
        for day in days.clone().skip(1) {
            folder.more(20 + day);
            if day + 1 < days.end {
                folder.words("checkpoint").expect(0);
            }
        }
        let published = folder.read(PUBLISHED);
        folder.words(&line).expect(1).says(said).says("not published");
        assert_eq!(witness.exchanges(), exchanged);
        assert_eq!(folder.read(PUBLISHED), published);
        assert_eq!(witness.last(), Some(3));
    }
}

#[test]
fn what_a_witness_refuses_is_said() {
    let (folder, log, witness) = watched();
    let line = asking(&[&witness]);
    let other = SignerKey::new("example.com/log", Algorithm::Ed25519, &[9; 32]).unwrap();
    let watched = |origin: &str, keys: Vec<VerifierKey>| {
        witness.look_after(WatchedLog { origin: origin.to_owned(), keys, last: None });
    };
    watched("elsewhere.example/log", log.clone());
    folder.words(&line).expect(1).says("does not look after this log").says("answers 404");
    watched("example.com/log", vec![other.verifier().clone()]);
    folder.words(&line).expect(1).says("does not know the key").says("answers 403");
    let at = format!("{}/nowhere", witness.url);
    let elsewhere = line.replace(&witness.url, &at);
    folder.words(&elsewhere).expect(1).says(&at).says("answers 404");
    assert!(!folder.path(PUBLISHED).exists());
    // Nothing is lost: it was signed once, and that is what is asked for again.
    let signed = folder.read(LAST);
    watched("example.com/log", log.clone());
    folder.words(&line).expect(0);
    assert!(folder.read(PUBLISHED).starts_with(&signed));
    assert!(cosigned(&folder, PUBLISHED, &log, &witness).is_some());
}

/// An answer of HTTP.
fn answer(status: &str, headers: &str, body: impl AsRef<[u8]>) -> Manner {
    let body = body.as_ref();
    let head = format!("HTTP/1.1 {status}\r\n{headers}Content-Length: {}\r\n\r\n", body.len());
    Manner::Always([head.as_bytes(), body].concat())
}

#[test]
fn a_bad_answer_is_no_cosignature() {
    let (folder, log, witness) = watched();
    let line = asking(&[&witness]);
    folder.words("checkpoint").expect(0);
    let note = Note::parse(&folder.read(PUBLISHED)).unwrap();
    let published = folder.read(PUBLISHED);
    let forgets = || {
        let origin = "example.com/log".to_owned();
        witness.look_after(WatchedLog { origin, keys: log.clone(), last: None });
    };
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_secs();
    let stranger = SignerKey::new("stranger.example/w", Algorithm::Cosignature, &[3; 32]).unwrap();
    let by_stranger = format!("{}\n", cosign(&note, &stranger, now).unwrap());
    let own = SignerKey::new("witness.example/w1", Algorithm::Cosignature, &[1; 32]).unwrap();
    let of_now = cosign(&note, &own, now).unwrap().to_string();
    // Its time begins with zeros; what comes behind may end with some.
    let spoiled = of_now.replacen("AA", "AB", 1);
    assert_ne!(spoiled, of_now);
    let ok = "200 OK";
    for (manner, said) in [
        (answer(ok, "", ""), "expected signature lines, found \"\""),
        (answer(ok, "", "\n"), "expected signature lines"),
        (answer(ok, "", "hello\n"), "expected signature lines, found \"hello\""),
        (answer(ok, "", [0xff, 0xfe, b'\n']), "expected signature lines"),
        (answer(ok, "", "\u{1b}[31mred\n"), "found \"\\u{1b}[31mred\""),
        (answer(ok, "", &of_now), "expected signature lines"),
        (answer(ok, "", format!("{of_now}\nmore\n")), "expected signature lines"),
        (answer(ok, "", format!("{spoiled}\n")), "does not hold"),
        (answer(ok, "", &by_stranger), "no cosignature by a --witness-key"),
        (answer(ok, "", vec![b'x'; 70_000]), "an answer of more than 65536 bytes"),
        (answer("500 Oops", "", "on fire"), "it answers 500: \"on fire\""),
        (answer("302 Found", "Location: http://127.0.0.1:1/\r\n", ""), "is not followed"),
        (answer("307 Moved", "Location: http://127.0.0.1:1/\r\n", ""), "is not followed"),
        (answer("409 Conflict", "", "0\n"), "it knows another tree of that size"),
        (answer("409 Conflict", "", "1\n"), "it names another size than the one"),
        (answer("409 Conflict", "", "01\n"), "expected the size that it signed last"),
        (answer("409 Conflict", "", "9223372036854775808\n"), "expected the size"),
        (answer("409 Conflict", "", ""), "expected the size that it signed last"),
        (answer("409 Conflict", "", "7\n"), "it signed a tree of 7 pages before"),
        (Manner::Always(b"SSH-2.0-OpenSSH\r\n".to_vec()), "cannot be asked"),
        (Manner::Always(Vec::new()), "cannot be asked"),
        (Manner::Off(-3600), "expected now"),
        (Manner::Off(3600), "expected now"),
    ] {
        witness.behave(manner);
        forgets();
        let ran = folder.words(&line).expect(1).says(said).says(&witness.url);
        assert_eq!(ran.err.lines().count(), 1, "{ran:#?}");
        assert_eq!(ran.out, "");
        assert_eq!(folder.read(PUBLISHED), published);
        assert_eq!(folder.read(LAST), published);
    }
    // Lines by keys that nobody named are passed over.
    witness.behave(Manner::After(by_stranger));
    forgets();
    folder.words(&line).expect(0);
    let note = String::from_utf8(folder.read(PUBLISHED)).unwrap();
    assert!(!note.contains("stranger.example"), "{note}");
    assert!(cosigned(&folder, PUBLISHED, &log, &witness).is_some());
}

#[test]
fn a_witness_that_is_slow_or_gone_is_not_waited_for() {
    let (folder, log, witness) = watched();
    let line = asking(&[&witness]).replace("--witness-timeout 20", "--witness-timeout 1");
    for manner in [Manner::Silent, Manner::Drips] {
        witness.behave(manner);
        folder.words(&line).expect(1).says("no answer within 1 s");
    }
    // Nobody listens there.
    let gone = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let at = line.replace(&witness.url, &format!("http://{gone}"));
    folder.words(&at).expect(1).says("cannot be asked: connection refused");
    folder.words(&line.replace(&witness.url, "http://nowhere.invalid")).expect(1).says("nowhere");
    // TLS is asked for where there is none.
    let secure = line.replace("http://", "https://");
    witness.behave(Manner::Honest);
    folder.words(&secure).expect(1).says(&witness.url.replace("http", "https"));
    assert!(!folder.path(PUBLISHED).exists());
    // The proxy of the environment is none of its own.
    let args: Vec<&str> = line.split(' ').collect();
    let mut command = folder.command(&args);
    for name in ["HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"] {
        command.env(name, format!("http://{gone}"));
    }
    let ran = command.output().unwrap();
    assert!(ran.status.success(), "{ran:?}");
    assert!(cosigned(&folder, PUBLISHED, &log, &witness).is_some());
}

#[test]
fn of_two_witnesses_one_may_be_enough() {
    let (folder, log, up) = watched();
    let down = Witness::of("down.example/w2", 2, &log);
    down.behave(answer("503 Away", "", "come back later\n"));
    let line = asking(&[&up, &down]);
    for (need, code) in [("", 1), (" --require-witnesses 2", 1), (" --require-witnesses 1", 0)] {
        let ran = folder.words(&format!("{line}{need} --json")).expect(code);
        let ran = ran.says("the witness at ").says("it answers 503: \"come back later\"");
        assert_eq!(ran.err.lines().count(), 1, "{ran:#?}");
        // What the one signed is kept, whether or not it is enough.
        assert!(cosigned(&folder, LAST, &log, &up).is_some());
        assert_eq!(folder.path(PUBLISHED).exists(), code == 0);
        if code == 0 {
            let answer = ran.object();
            assert_eq!(answer["witnesses"], serde_json::json!(["witness.example/w1"]));
            assert_eq!(answer["unwitnessed"].as_array().unwrap().len(), 1);
        } else {
            assert_eq!(ran.out, "");
        }
    }
    let short = folder.words(&format!("{line} --require-witnesses 2")).expect(1);
    short.says("1 of 2 witnesses signed, expected at least 2; the witness at ");
    down.behave(Manner::Honest);
    folder.more(2);
    let ran = folder.words(&format!("{line} --require-witnesses 2 --json")).expect(0).object();
    assert_eq!(ran["witnesses"].as_array().unwrap().len(), 2, "{ran}");
    assert_eq!((up.last(), down.last()), (Some(2), Some(2)));
}

#[test]
fn what_cannot_be_asked_is_an_error_of_usage() {
    let (folder, _, witness) = watched();
    let key = witness.vkey();
    let log = fs::read_to_string(folder.path("stillthere.store/keys/signing.key.pub")).unwrap();
    for (line, said) in [
        (format!("checkpoint --witness {}", witness.url), "--witness-key"),
        (format!("checkpoint --witness http:// --witness-key {key}"), "not the address"),
        (format!("checkpoint --witness http://a/?b --witness-key {key}"), "not the address"),
        (format!("checkpoint --witness http://u:p@a/ --witness-key {key}"), "not the address"),
        (format!("checkpoint --witness ftp://a/ --witness-key {key}"), "cannot read the note"),
        (format!("checkpoint --witness {} --witness-key {}", witness.url, log.trim()), "signs no"),
        (format!("{} --require-witnesses 2", asking(&[&witness])), "2 witnesses needed of 1"),
        (asking(&[&witness]).replace("20", "0"), "--witness-timeout"),
    ] {
        folder.changes_nothing(&line).expect(2).says(said);
    }
    assert_eq!(witness.exchanges(), []);
}

/// The notes that come of an exchange are opened by Go's `golang.org/x/mod/sumdb/note`.
#[test]
fn go_reads_what_the_witness_signed() {
    let go = || {
        let mut go = Command::new("go");
        go.env_remove("GOFLAGS").env("GO111MODULE", "off").env("GOPATH", "/usr/share/gocode");
        go
    };
    let listed = go().args(["list", "golang.org/x/mod/sumdb/note"]).output();
    if !listed.is_ok_and(|output| output.status.success()) {
        eprintln!("left out: go and golang.org/x/mod are not there");
        return;
    }
    let (folder, log, witness) = watched();
    folder.words(&asking(&[&witness])).expect(0);
    folder.more(2);
    folder.words(&asking(&[&witness])).expect(0);
    let time_s = cosigned(&folder, PUBLISHED, &log, &witness).expect("a cosignature");
    let source = root().join("crates/commitment/tests/oracle/main.go");
    let mut child = go()
        .arg("run")
        .arg(source)
        .arg(folder.path("stillthere.store/tlog"))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let vkey = witness.vkey();
    let requests = format!(
        "note checkpoint {}\ncosigned checkpoint {vkey} {time_s}\ncosigned checkpoint {vkey} {}\n",
        log[0],
        time_s + 1
    );
    child.stdin.take().unwrap().write_all(requests.as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    assert_eq!(String::from_utf8_lossy(&output.stdout), "accepted\naccepted\nrefused\n");
}
