//! Checkpoints, cosignatures and quorums.

use stillthere_commitment::{
    Algorithm, Checkpoint, CheckpointError, CosignError, Note, NoteError, Quorum, QuorumError,
    SignerKey, Witnessed, cosign,
};

use crate::keys::signer;

/// The example of C2SP tlog-cosignature. Its keys are not published.
pub const SOFA: &str = "example.com/behind-the-sofa\n20852163\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n\n— example.com/behind-the-sofa Az3grlgtzPICa5OS8npVmf1Myq/5IZniMp+ZJurmRDeOoRDe4URYN7u5/Zhcyv2q1gGzGku9nTo+zyWE+xeMcTOAYQ8=\n— witness.example.com/w1 jWbPPwAAAABkGFDLEZMHwSRaJNiIDoe9DYn/zXcrtPHeolMI5OWXEhZCB9dlrDJsX3b2oyin1nPZqhf5nNo0xUe+mbIUBkBIfZ+qnA==\n";

pub fn sofa() -> Checkpoint {
    Checkpoint::parse(Note::parse(SOFA.as_bytes()).unwrap().unverified_text()).unwrap()
}

pub fn log() -> SignerKey {
    signer("example.com/behind-the-sofa", Algorithm::Ed25519, 1)
}

pub fn witness(byte: u8) -> SignerKey {
    signer(&format!("witness.example/w{byte}"), Algorithm::Cosignature, byte)
}

/// Signed by the log and by these witnesses, at 1000 + n seconds.
pub fn signed(witnesses: &[u8]) -> Note {
    let mut note = sofa().sign(&log()).unwrap();
    for byte in witnesses {
        let line = cosign(&note, &witness(*byte), 1000 + u64::from(*byte)).unwrap();
        note.add(line).unwrap();
    }
    note
}

#[test]
fn the_published_checkpoint_is_read() {
    let found = sofa();
    assert_eq!(found.origin, "example.com/behind-the-sofa");
    assert_eq!(found.size, 20_852_163);
    assert_eq!(found.root[..3], [0x0a, 0xc5, 0x18]);
    assert!(SOFA.starts_with(&found.to_string()));
    assert_eq!(Note::parse(SOFA.as_bytes()).unwrap().to_string(), SOFA);
}

#[test]
fn a_checkpoint_has_one_spelling() {
    let root = "CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=";
    let origin = "the log's origin";
    let size = "a size, decimal without zeros in front";
    let hash = "a root of 32 bytes in base64";
    let cases = [
        (format!("a\n0\n{root}\n"), None),
        (format!("a b+c\n9223372036854775807\n{root}\n"), None),
        (format!("a\n1\n{root}\none\n two \n"), None),
        (format!("a\n1\n{root}"), Some((3, "a newline at its end"))),
        (String::new(), Some((1, "a newline at its end"))),
        ("\n".to_owned(), Some((1, origin))),
        (format!("\n1\n{root}\n"), Some((1, origin))),
        ("a\n".to_owned(), Some((2, size))),
        (format!("a\n\n{root}\n"), Some((2, size))),
        (format!("a\n01\n{root}\n"), Some((2, size))),
        (format!("a\n00\n{root}\n"), Some((2, size))),
        (format!("a\n+1\n{root}\n"), Some((2, size))),
        (format!("a\n 1\n{root}\n"), Some((2, size))),
        (format!("a\n1 \n{root}\n"), Some((2, size))),
        (format!("a\n9223372036854775808\n{root}\n"), Some((2, size))),
        ("a\n1\n".to_owned(), Some((3, hash))),
        (format!("a\n1\n{}\n", &root[..43]), Some((3, hash))),
        (format!("a\n1\n{}J=\n", &root[..42]), Some((3, hash))),
        (format!("a\n1\n{root}=\n"), Some((3, hash))),
        (format!("a\n1\nAAAA{root}\n"), Some((3, hash))),
        (format!("a\n1\n{}\n", &root[4..]), Some((3, hash))),
        (format!("a\n1\n{}\n", root.replace('/', "_")), Some((3, hash))),
        (format!("a\n1\n{root}\n\n"), Some((4, "a line that is not empty"))),
        (format!("a\n1\n{root}\none\n\ntwo\n"), Some((5, "a line that is not empty"))),
    ];
    for (text, expected) in cases {
        match (Checkpoint::parse(&text), expected) {
            (Ok(checkpoint), None) => assert_eq!(checkpoint.to_string(), text),
            (Err(e), Some((line, expected))) => {
                assert_eq!(e, CheckpointError::Line { line, expected }, "{text:?}");
            }
            (found, _) => panic!("{text:?}: {found:?}"),
        }
    }
}

#[test]
fn only_what_can_be_read_is_signed() {
    let checkpoint = sofa();
    let with = |change: fn(&mut Checkpoint)| {
        let mut checkpoint = checkpoint.clone();
        change(&mut checkpoint);
        checkpoint.sign(&log()).map(|_| ())
    };
    assert_eq!(with(|_| ()), Ok(()));
    assert_eq!(with(|c| c.extensions = vec!["more".to_owned()]), Ok(()));
    assert!(with(|c| c.extensions = vec!["two\nlines".to_owned()]).is_err());
    assert!(with(|c| c.extensions = vec![String::new()]).is_err());
    assert!(with(|c| c.extensions = vec!["\r".to_owned()]).is_err());
    assert!(with(|c| c.size = u64::MAX).is_err());
    assert_eq!(with(|c| c.size = 0), Err(CheckpointError::Empty));
    let (expected, found) = ("other".to_owned(), "example.com/behind-the-sofa".to_owned());
    assert_eq!(
        with(|c| c.origin = "other".to_owned()),
        Err(CheckpointError::KeyName { expected, found })
    );
    let as_witness = signer("example.com/behind-the-sofa", Algorithm::Cosignature, 1);
    assert!(matches!(
        checkpoint.sign(&as_witness),
        Err(CheckpointError::Note(NoteError::Algorithm { .. }))
    ));
    assert_eq!(
        cosign(&signed(&[]), &log(), 1),
        Err(CosignError::Algorithm(log().verifier().name().to_owned()))
    );
    for time_s in [0, 1 << 63] {
        assert_eq!(cosign(&signed(&[]), &witness(2), time_s), Err(CosignError::Time(time_s)));
    }
    let text = Note::new("no checkpoint\n".to_owned()).unwrap();
    assert!(matches!(cosign(&text, &witness(2), 1), Err(CosignError::Checkpoint(_))));
}

#[test]
fn a_checkpoint_is_believed_if_the_log_signed_it() {
    let keys = [log().verifier().clone()];
    let witnesses: Vec<_> = [2, 3].map(|byte| witness(byte).verifier().clone()).to_vec();
    let open = |note: &Note, origin: &str| {
        let (found, signed) = Checkpoint::open(note, origin, &keys, &witnesses)?;
        assert_eq!(found, sofa());
        Ok(signed.into_iter().map(|signed| signed.time_s).collect::<Vec<_>>())
    };
    let origin = "example.com/behind-the-sofa";
    assert_eq!(open(&signed(&[]), origin), Ok(vec![None]));
    assert_eq!(open(&signed(&[3, 9, 2]), origin), Ok(vec![None, Some(1003), Some(1002)]));
    let (expected, found) = ("another".to_owned(), origin.to_owned());
    assert_eq!(open(&signed(&[]), "another"), Err(CheckpointError::Origin { expected, found }));
    let published = Note::parse(SOFA.as_bytes()).unwrap();
    assert_eq!(open(&published, origin), Err(CheckpointError::Note(NoteError::Unsigned)));
    // Witnesses alone do not make it the log's.
    let mut by_witnesses = Note::new(sofa().to_string()).unwrap();
    by_witnesses.add(cosign(&by_witnesses, &witness(2), 5).unwrap()).unwrap();
    assert_eq!(open(&by_witnesses, origin), Err(CheckpointError::NotByLog(origin.to_owned())));
    // Nor does a cosignature with the log's own key.
    let key = signer(origin, Algorithm::Cosignature, 1);
    let mut by_itself = Note::new(sofa().to_string()).unwrap();
    by_itself.add(cosign(&by_itself, &key, 5).unwrap()).unwrap();
    let opened = Checkpoint::open(&by_itself, origin, &[key.verifier().clone()], &[]);
    assert_eq!(opened, Err(CheckpointError::NotByLog(origin.to_owned())));
    // A tree without leaves has one root, whoever signed.
    let empty = Checkpoint { size: 0, ..sofa() }.to_string();
    let mut empty = Note::new(empty).unwrap();
    empty.sign(&log()).unwrap();
    assert_eq!(Checkpoint::open(&empty, origin, &keys, &[]), Err(CheckpointError::Empty));
}

/// Every bit: the note is refused, or its text is the same and a witness's name or id was changed, so that
/// the witness counts no longer. Where both have to have signed, every bit is refused.
#[test]
fn no_bit_of_a_checkpoint_can_be_changed() {
    let whole = signed(&[2]).to_string();
    let text = sofa().to_string();
    let keys = [log().verifier().clone()];
    let quorum = Quorum::new(1, vec![witness(2).verifier().clone()]).unwrap();
    let line = whole.lines().last().unwrap();
    let start = whole.len() - 1 - line.len() + "— ".len();
    // The name, the blank, and the base64 of the id: six digits, of which the last is shared.
    let named = start..start + witness(2).verifier().name().len() + 1 + 6;
    for n in 0..whole.len() {
        for bit in 0..8 {
            let mut bytes = whole.as_bytes().to_vec();
            bytes[n] ^= 1 << bit;
            let Ok(note) = Note::parse(&bytes) else { continue };
            let opened = Checkpoint::open(&note, &sofa().origin, &keys, quorum.witnesses());
            let Ok((checkpoint, signed)) = opened else { continue };
            assert!(named.contains(&n), "byte {n}, bit {bit}");
            assert_eq!((checkpoint.to_string(), signed.len()), (text.clone(), 1));
            let missing = QuorumError::TooFewSigned { need: 1, known: 1, found: 0 };
            assert_eq!(quorum.check(&signed), Err(missing));
        }
    }
}

#[test]
fn a_quorum_counts_each_witness_once() {
    let key = |byte| witness(byte).verifier().clone();
    let keys = [log().verifier().clone()];
    let check = |need, known: &[u8], signed_by: &[u8]| {
        let quorum = Quorum::new(need, known.iter().map(|byte| key(*byte)).collect())?;
        let note = signed(signed_by);
        let (_, signed) =
            Checkpoint::open(&note, &sofa().origin, &keys, quorum.witnesses()).unwrap();
        quorum.check(&signed)
    };
    let by = |byte: u8| Witnessed {
        name: format!("witness.example/w{byte}"),
        time_s: 1000 + u64::from(byte),
    };
    assert_eq!(check(0, &[], &[2]), Ok(vec![]));
    assert_eq!(check(0, &[2], &[2]), Ok(vec![by(2)]));
    assert_eq!(check(2, &[2, 3, 4], &[4, 9, 2]), Ok(vec![by(4), by(2)]));
    let too_few = QuorumError::TooFewSigned { need: 2, known: 3, found: 1 };
    assert_eq!(check(2, &[2, 3, 4], &[4, 9]), Err(too_few));
    let too_few = QuorumError::TooFewKnown { need: 2, known: 1 };
    assert_eq!(check(2, &[2], &[]), Err(too_few));
    let name = |byte| format!("witness.example/w{byte}");
    assert_eq!(check(1, &[2, 3, 2], &[]), Err(QuorumError::Same(name(2), name(2))));
    // The same key under another name: one signature would count as two.
    let again = signer("another.example", Algorithm::Cosignature, 2).verifier().clone();
    let same = QuorumError::Same(name(2), "another.example".to_owned());
    assert_eq!(Quorum::new(1, vec![key(2), again]), Err(same));
    let log = log().verifier().clone();
    let algorithm = QuorumError::Algorithm(log.name().to_owned());
    assert_eq!(Quorum::new(1, vec![log]), Err(algorithm));
}
