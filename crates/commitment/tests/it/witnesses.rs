//! What a witness does with a request.

use stillthere_commitment::{
    AddCheckpoint, Algorithm, Checkpoint, CheckpointError, MAX_PROOF_LINES, Note, NoteError,
    ProofError, Refusal, Seen, SignatureLine, WatchedLog, answered_lines, conflict_size,
    prove_consistency,
};

use crate::checkpoints::{SOFA, log, witness};
use crate::keys::signer;
use crate::plain::{self, Nodes, leaves};

const ORIGIN: &str = "example.com/behind-the-sofa";
const NOW_S: u64 = 1_679_315_147;

fn checkpoint(size: u64) -> Checkpoint {
    let root = plain::root(&leaves(size));
    Checkpoint { origin: ORIGIN.to_owned(), size, root, extensions: Vec::new() }
}

fn request(old: u64, size: u64) -> AddCheckpoint {
    let nodes = Nodes::of(&leaves(size));
    let proof = prove_consistency(old, size, nodes.reader()).unwrap();
    AddCheckpoint::new(old, proof, checkpoint(size).sign(&log()).unwrap()).unwrap()
}

fn watched(last: Option<u64>) -> WatchedLog {
    let last = last.map(|size| Seen { size, root: checkpoint(size).root });
    WatchedLog { origin: ORIGIN.to_owned(), keys: vec![log().verifier().clone()], last }
}

#[test]
fn a_witness_goes_along_with_a_log_that_grows() {
    let key = witness(2);
    let mut log = watched(None);
    for size in [0, 0, 1, 1, 2, 5, 8, 8, 13, 64, 100] {
        let old = log.last.map_or(0, |seen| seen.size);
        let request = request(old, size);
        assert_eq!(AddCheckpoint::parse(request.to_string().as_bytes()), Ok(request.clone()));
        assert_eq!(request.origin(), ORIGIN);
        let done = request.cosign(Some(&log), &key, NOW_S).unwrap();
        assert_eq!(done.seen, Seen { size, root: checkpoint(size).root });
        log.last = Some(done.seen);
        // The log reads the answer and adds it to its note.
        let line = SignatureLine::parse(&done.line.to_string()).unwrap();
        let mut note = checkpoint(size).sign(&crate::checkpoints::log()).unwrap();
        note.add(line).unwrap();
        let opened = Checkpoint::open(&note, ORIGIN, &log.keys, &[key.verifier().clone()]);
        assert_eq!(opened.unwrap().1[1].time_s, Some(NOW_S));
    }
}

/// The request of C2SP tlog-witness, whose keys are not published.
#[test]
fn the_published_request_is_read() {
    let body = format!(
        "old 20852014\n\
         PlRNCrwHpqhGrupue0L7gxbjbMiKA9temvuZZDDpkaw=\n\
         jrJZDmY8Y7SyJE0MWLpLozkIVMSMZcD5kvuKxPC3swk=\n\
         5+pKlUdi2LeF/BcMHBn+Ku6yhPGNCswZZD1X/6QgPd8=\n\
         /6WVhPs2CwSsb5rYBH5cjHV/wSmA79abXAwhXw3Kj/0=\n\n{SOFA}"
    );
    let request = AddCheckpoint::parse(body.as_bytes()).unwrap();
    assert_eq!((request.origin(), request.to_string()), (ORIGIN, body));
    let refused = request.cosign(Some(&watched(None)), &witness(2), NOW_S).unwrap_err();
    assert_eq!(refused.status(), 403);
}

#[test]
fn why_a_witness_does_not_sign() {
    let check =
        |request: &AddCheckpoint, log: Option<WatchedLog>, status: u16, refusal: Refusal| {
            let refused = request.cosign(log.as_ref(), &witness(2), NOW_S).unwrap_err();
            assert_eq!((refused.status(), &refused), (status, &refusal));
            assert!(refused.body().ends_with('\n'));
        };
    let unknown = || Refusal::Unknown(ORIGIN.to_owned());
    let other = WatchedLog { origin: "other".to_owned(), ..watched(None) };
    check(&request(0, 5), None, 404, unknown());
    check(&request(0, 5), Some(other), 404, unknown());

    let stranger = signer(ORIGIN, Algorithm::Ed25519, 9);
    let unsigned = Refusal::Forbidden(NoteError::Unsigned.into());
    let note = checkpoint(5).sign(&stranger).unwrap();
    check(
        &AddCheckpoint::new(0, vec![], note).unwrap(),
        Some(watched(None)),
        403,
        unsigned.clone(),
    );
    let no_keys = WatchedLog { keys: vec![], ..watched(None) };
    check(&request(0, 5), Some(no_keys), 403, unsigned);
    let spoiled = request(0, 5).to_string().replace("\n5\n", "\n6\n");
    let spoiled = AddCheckpoint::parse(spoiled.as_bytes()).unwrap();
    let (name, id) = (ORIGIN.to_owned(), log().verifier().id());
    let refused = Refusal::Forbidden(NoteError::Refused { name, id }.into());
    check(&spoiled, Some(watched(None)), 403, refused);

    let note = checkpoint(5).sign(&log()).unwrap();
    let shrunk = AddCheckpoint::new(6, vec![], note.clone()).unwrap();
    let malformed = Refusal::Malformed("a tree of 6 leaves did not grow into one of 5".to_owned());
    check(&shrunk, Some(watched(Some(6))), 400, malformed.clone());
    check(&shrunk, Some(watched(None)), 400, malformed);
    let twice = format!("{note}{}\n", note.signatures()[0]);
    let twice = AddCheckpoint::new(0, vec![], Note::parse(twice.as_bytes()).unwrap()).unwrap();
    let said = format!("two signatures by {ORIGIN}+{:08x}", log().verifier().id());
    check(&twice, Some(watched(None)), 400, Refusal::Malformed(said));

    let conflict = |last, old| Refusal::Conflict { last, old };
    check(&request(3, 5), Some(watched(None)), 409, conflict(0, 3));
    check(&request(3, 5), Some(watched(Some(4))), 409, conflict(4, 3));
    check(&request(0, 5), Some(watched(Some(4))), 409, conflict(4, 0));
    check(&request(3, 5), Some(watched(Some(9))), 409, conflict(9, 3));
    assert_eq!(conflict(4, 0).body(), "4\n");

    let length = |expected, found| Refusal::Inconsistent(ProofError::Length { expected, found });
    let with = |old, proof: Vec<[u8; 32]>, size| {
        AddCheckpoint::new(old, proof, checkpoint(size).sign(&log()).unwrap()).unwrap()
    };
    check(&with(0, vec![[1; 32]], 5), Some(watched(None)), 422, length(0, 1));
    check(&with(5, vec![[1; 32]], 5), Some(watched(Some(5))), 422, length(0, 1));
    check(&with(3, vec![], 5), Some(watched(Some(3))), 422, length(4, 0));
    let mut empty = Note::new(Checkpoint { size: 0, ..checkpoint(5) }.to_string()).unwrap();
    empty.sign(&log()).unwrap();
    let empty = AddCheckpoint::new(0, vec![], empty).unwrap();
    check(&empty, Some(watched(None)), 422, Refusal::Empty(CheckpointError::Empty));
    // Another tree of the same size, and one that goes on from another.
    let forged = |size| {
        let mut log = watched(Some(size));
        log.last.as_mut().unwrap().root = [3; 32];
        Some(log)
    };
    for (request, log) in [(request(5, 5), forged(5)), (request(3, 5), forged(3))] {
        let refused = request.cosign(log.as_ref(), &witness(2), NOW_S).unwrap_err();
        assert!(matches!(refused, Refusal::Inconsistent(ProofError::Root { .. })));
        assert_eq!(refused.status(), 422);
    }
    // The witness's own fault.
    let own = request(0, 5).cosign(Some(&watched(None)), &log(), NOW_S).unwrap_err();
    assert_eq!(own.status(), 500);
    let own = request(0, 5).cosign(Some(&watched(None)), &witness(2), 0).unwrap_err();
    assert_eq!(own.status(), 500);
}

#[test]
fn why_bytes_are_no_request() {
    let note = checkpoint(5).sign(&log()).unwrap().to_string();
    let hash = "PlRNCrwHpqhGrupue0L7gxbjbMiKA9temvuZZDDpkaw=";
    let old = "line 1 of the request: expected old <size>, decimal without zeros in front";
    let blank = "expected a blank line before the checkpoint, after at most 63 hashes";
    let many = |count: usize| format!("old 3\n{}\n{note}", format!("{hash}\n").repeat(count));
    for (body, said) in [
        (String::new(), old.to_owned()),
        ("old 3".to_owned(), old.to_owned()),
        (format!("old 03\n\n{note}"), old.to_owned()),
        (format!("old -3\n\n{note}"), old.to_owned()),
        (format!("old  3\n\n{note}"), old.to_owned()),
        (format!("old 3 \n\n{note}"), old.to_owned()),
        (format!("old 3\r\n\n{note}"), old.to_owned()),
        (format!("OLD 3\n\n{note}"), old.to_owned()),
        (format!("old 18446744073709551616\n\n{note}"), old.to_owned()),
        (
            format!("old 3\n{note}"),
            "line 2 of the request: expected a hash of 32 bytes in base64".to_owned(),
        ),
        (format!("old 3\n{hash}\n"), format!("line 3 of the request: {blank}")),
        (format!("old 3\n{hash}"), format!("line 2 of the request: {blank}")),
        (
            format!("old 3\n{hash}AAAA\n\n{note}"),
            "line 2 of the request: expected a hash of 32 bytes in base64".to_owned(),
        ),
        (many(MAX_PROOF_LINES + 1), format!("line 65 of the request: {blank}")),
        ("old 3\n\n".to_owned(), "line 1: expected a blank line before the signatures".to_owned()),
        (
            format!("old 3\n\n\n{note}"),
            "line 1 of the checkpoint: expected the log's origin".to_owned(),
        ),
    ] {
        let error = AddCheckpoint::parse(body.as_bytes()).unwrap_err();
        assert_eq!(error.to_string(), said, "{body}");
    }
    let most = many(MAX_PROOF_LINES);
    assert_eq!(AddCheckpoint::parse(most.as_bytes()).unwrap().to_string(), most);
    assert!(most.len() < AddCheckpoint::MAX);
    let note = Note::parse(note.as_bytes()).unwrap();
    assert!(AddCheckpoint::new(3, vec![[0; 32]; MAX_PROOF_LINES + 1], note).is_err());
}

#[test]
fn answers_have_one_spelling() {
    for (body, size) in [
        ("0\n", Some(0)),
        ("20852163\n", Some(20_852_163)),
        ("20852163", None),
        ("20852163\r\n", None),
        ("020\n", None),
        ("1\n2\n", None),
        ("\n", None),
        ("", None),
        ("-1\n", None),
        ("9223372036854775808\n", None),
    ] {
        assert_eq!(conflict_size(body.as_bytes()), size, "{body:?}");
    }
    let done = request(0, 3).cosign(Some(&watched(None)), &witness(2), NOW_S).unwrap();
    let line = done.line.to_string();
    let two = format!("{line}\n{line}\n");
    assert_eq!(answered_lines(two.as_bytes()), Some(vec![done.line.clone(), done.line]));
    for body in ["", "\n", "x\n", &line, &format!("{line}\n\n"), &format!("\n{line}\n")] {
        assert_eq!(answered_lines(body.as_bytes()), None, "{body:?}");
    }
    assert_eq!(answered_lines(b"\xff\n"), None);
}
