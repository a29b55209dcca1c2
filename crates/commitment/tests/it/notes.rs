//! Signed notes.

use stillthere_commitment::{
    Algorithm, MAX_NOTE, MAX_SIGNATURES, Note, NoteError, SignatureLine, SignerKey, VerifierKey,
};

use crate::keys::{ENOCH, EXAMPLE, PETER, PETER_SECRET, signer, verifier};

/// The published notes of golang.org/x/mod/sumdb/note and of C2SP signed-note.
pub const TEXT: &str = "If you think cryptography is the answer to your problem,\n\
                        then you don't know what your problem is.\n";
pub const BY_PETER: &str = "— PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n";
pub const BY_ENOCH: &str = "— EnochRoot rwz+eBzmZa0SO3NbfRGzPCpDckykFXSdeX+MNtCOXm2/5n2tiOHp+vAF1aGrQ5ovTG01oOTGwnWLox33WWd1RvMc+QQ=\n";
pub const EXAMPLE_NOTE: &str = "This is an example message.\n\n— example.com/foo Uw2QOkn8srV1yJGh2VYRlL1Tnagv1YEq6TfXppzi2ONncAlTgK7Ztg1ERYNZXsYjOBH3mFXmRKuwHjG1Yu72IneyaQM=\n";
/// Its key is not published; its text has blank lines.
const QUASIMODO: &str = "Ognuno sta solo sul cuor della terra\ntrafitto da un raggio di sole:\n\ned è subito sera.\n\n— quasimodo.example/salvatore NnugSzTjtVAewIS+Z/iJhUPeFDkO/5QQ2i5ddnGITLlC+EhfLW9oJKONrMouFSQU0xMcXxj99ihAQwaqP3ZekRwNtIc=\n";

fn parse(text: &str) -> Note {
    let note = Note::parse(text.as_bytes()).unwrap_or_else(|e| panic!("{e}: {text}"));
    assert_eq!(note.to_string(), text);
    note
}

/// Who signed, and who is unknown.
fn names(text: &str, known: &[&str]) -> Result<(Vec<String>, usize), NoteError> {
    let keys: Vec<VerifierKey> = known.iter().map(|key| verifier(key)).collect();
    let note = parse(text);
    let opened = note.open(&keys)?;
    assert_eq!(opened.text, note.unverified_text());
    let signed = opened.signed.iter().map(|signed| signed.key.name().to_owned()).collect();
    Ok((signed, opened.unknown.len()))
}

#[test]
fn published_notes() {
    let both = format!("{TEXT}\n{BY_PETER}{BY_ENOCH}");
    let (peter, enoch) = ("PeterNeumann".to_owned(), "EnochRoot".to_owned());
    assert_eq!(names(&both, &[PETER, ENOCH]), Ok((vec![peter.clone(), enoch.clone()], 0)));
    assert_eq!(names(&both, &[PETER]), Ok((vec![peter], 1)));
    assert_eq!(names(&both, &[EXAMPLE, ENOCH]), Ok((vec![enoch], 1)));
    assert_eq!(names(&both, &[EXAMPLE]), Err(NoteError::Unsigned));
    assert_eq!(names(&both, &[]), Err(NoteError::Unsigned));
    assert_eq!(names(EXAMPLE_NOTE, &[EXAMPLE]), Ok((vec!["example.com/foo".to_owned()], 0)));
    assert_eq!(parse(QUASIMODO).unverified_text().lines().count(), 4);

    let mut note = Note::new(TEXT.to_owned()).unwrap();
    note.sign(&SignerKey::parse(PETER_SECRET).unwrap()).unwrap();
    assert_eq!(note.to_string(), format!("{TEXT}\n{BY_PETER}"));
}

#[test]
fn a_known_key_signs_once_and_well() {
    let (name, id) = ("PeterNeumann".to_owned(), 0xc74f_20a3);
    let refused = NoteError::Refused { name: name.clone(), id };
    let repeated = NoteError::Repeated { name: name.clone(), id };
    let other_text = format!("{}\n{BY_PETER}", TEXT.replace("know", "Know"));
    let longer = BY_PETER.replace("x08go/ZJ", "x08go/ZJABCD");
    let by_neighbour = BY_PETER.replace("x08go", "x08gp");
    assert_eq!(names(&other_text, &[PETER]), Err(refused.clone()));
    assert_eq!(names(&format!("{TEXT}\n{longer}"), &[PETER]), Err(refused.clone()));
    // A good one does not mend a bad one, nor an unknown one.
    assert_eq!(names(&format!("{TEXT}\n{longer}{BY_ENOCH}"), &[ENOCH, PETER]), Err(refused));
    assert_eq!(names(&format!("{TEXT}\n{BY_PETER}{longer}"), &[PETER]), Err(repeated.clone()));
    assert_eq!(names(&format!("{TEXT}\n{BY_PETER}{BY_PETER}"), &[PETER]), Err(repeated));
    // Of an unknown key anything may stand there, and be carried along.
    let many = format!("{TEXT}\n{BY_PETER}{BY_ENOCH}{BY_ENOCH}{by_neighbour}");
    assert_eq!(names(&many, &[PETER]), Ok((vec![name], 3)));
    // The same key twice is one; nobody can make two of one name and id but by trying 2^32 times.
    assert!(names(&format!("{TEXT}\n{BY_PETER}"), &[PETER, PETER]).is_ok());
}

#[test]
fn why_bytes_are_no_note() {
    let line = |line, expected| NoteError::Line { line, expected };
    let signature = "— <name> <base64 of a key id and a signature>";
    let lines = "signature lines, with a newline at their end";
    for (bytes, error) in [
        (TEXT.to_owned(), line(3, "a blank line before the signatures")),
        (String::new(), line(1, "a blank line before the signatures")),
        (format!("\n{BY_PETER}"), line(3, "a blank line before the signatures")),
        (format!("{TEXT}\n"), line(4, lines)),
        (format!("{TEXT}\n{}", BY_PETER.trim_end()), line(4, lines)),
        (format!("{TEXT}\n{BY_PETER}more\n"), line(5, signature)),
        (format!("{TEXT}\n{BY_PETER}\n"), line(6, lines)),
        (format!("{TEXT}\n{}", BY_PETER.replace('—', "-")), line(4, signature)),
        (
            format!("{TEXT}\n{}", BY_PETER.replace("PeterNeumann", "Peter Neumann")),
            line(4, signature),
        ),
        (
            format!("{TEXT}\n{}", BY_PETER.replace("PeterNeumann", "Peter+Neumann")),
            line(4, signature),
        ),
        (format!("{TEXT}\n{}", BY_PETER.replace("PeterNeumann", "")), line(4, signature)),
        (format!("{TEXT}\n{}", BY_PETER.replace("n x", "n  x")), line(4, signature)),
        (format!("{TEXT}\n{}", BY_PETER.replace("AM=", "AN=")), line(4, signature)),
        (format!("{TEXT}\n{}", BY_PETER.replace("AM=", "AM")), line(4, signature)),
        (format!("{TEXT}\n{}", BY_PETER.replace("AM=", "AM= ")), line(4, signature)),
        (format!("{TEXT}\n— PeterNeumann x08gow==\n"), line(4, signature)),
        (format!("{TEXT}\n— PeterNeumann \n"), line(4, signature)),
        (format!("\u{1}{TEXT}\n{BY_PETER}"), NoteError::Byte { offset: 0 }),
        (
            format!("{TEXT}\n{BY_PETER}").replace("problem,\n", "problem,\r\n"),
            NoteError::Byte { offset: 56 },
        ),
        (format!("a\tb\n\n{BY_PETER}"), NoteError::Byte { offset: 1 }),
        (format!("{TEXT}\n{}", BY_PETER.repeat(MAX_SIGNATURES + 1)), NoteError::TooMany),
        (
            format!("{}\n\n{BY_PETER}", "a".repeat(MAX_NOTE)),
            NoteError::TooLong(MAX_NOTE + 2 + BY_PETER.len()),
        ),
    ] {
        assert_eq!(Note::parse(bytes.as_bytes()), Err(error), "{}", &bytes[..bytes.len().min(300)]);
    }
    let latin = [b"caf\xe9\n\n".as_slice(), BY_PETER.as_bytes()].concat();
    assert_eq!(Note::parse(&latin), Err(NoteError::Byte { offset: 3 }));
    // A byte above ASCII is no control character, and 0x7f is none that the format refuses.
    parse(&format!("è\u{7f}\u{85}\n\n{BY_PETER}"));
    parse(&format!("\n\n\n{BY_PETER}"));
    parse(&format!("{TEXT}\n{}", BY_PETER.repeat(MAX_SIGNATURES)));
}

#[test]
fn what_is_signed_can_be_read() {
    let line = |line, expected| Err(NoteError::Line { line, expected });
    let newline = "a newline at its end";
    assert_eq!(Note::new("a\nb".to_owned()), line(2, newline));
    assert_eq!(Note::new(String::new()), line(1, newline));
    assert_eq!(Note::new("a\rb\n".to_owned()), Err(NoteError::Byte { offset: 1 }));
    let long = "a".repeat(MAX_NOTE) + "\n";
    assert_eq!(Note::new(long), Err(NoteError::TooLong(MAX_NOTE + 1)));

    let log = signer("log.example", Algorithm::Ed25519, 1);
    for text in ["\n", "a\n", "a\n\n\nb\n\n", "— a\n", &"a\n".repeat(300_000)] {
        let mut note = Note::new(text.to_owned()).unwrap();
        note.sign(&log).unwrap();
        // Signed again, it has one signature still: signing draws no random number.
        let once = note.clone();
        note.sign(&log).unwrap();
        assert_eq!(note, once);
        let read = Note::parse(note.to_string().as_bytes()).unwrap();
        assert_eq!(read, note);
        assert_eq!(read.open(&[log.verifier().clone()]).unwrap().text, text);
    }
    // What does not fit does not change the note.
    let mut long = Note::new("a".repeat(MAX_NOTE - 50) + "\n").unwrap();
    assert!(matches!(long.sign(&log), Err(NoteError::TooLong(_))));
    assert_eq!(long.signatures(), []);
    let mut many = Note::new(TEXT.to_owned()).unwrap();
    for n in 0..=MAX_SIGNATURES {
        let line = SignatureLine::parse(&format!("— name{n} x08go/ZJ")).unwrap();
        let added = many.add(line);
        assert_eq!(added, if n < MAX_SIGNATURES { Ok(()) } else { Err(NoteError::TooMany) });
    }
    let witness = signer("witness.example", Algorithm::Cosignature, 2);
    let (name, id) = ("witness.example".to_owned(), witness.verifier().id());
    assert_eq!(many.sign(&witness), Err(NoteError::Algorithm { name, id }));
}

/// Every bit of a note that two signed: either it is refused, or what was changed is who is said to have
/// signed, and that signature counts no longer.
#[test]
fn no_bit_of_a_note_can_be_changed() {
    let whole = format!("{TEXT}\n{BY_PETER}{BY_ENOCH}");
    let keys = [verifier(PETER), verifier(ENOCH)];
    let mut accepted = 0;
    for n in 0..whole.len() {
        for bit in 0..8 {
            let mut bytes = whole.as_bytes().to_vec();
            bytes[n] ^= 1 << bit;
            let Ok(note) = Note::parse(&bytes) else { continue };
            assert_eq!(note.to_string().as_bytes(), bytes, "one spelling");
            let Ok(opened) = note.open(&keys) else { continue };
            assert_eq!(opened.text, TEXT, "byte {n}, bit {bit}");
            assert_eq!((opened.signed.len(), opened.unknown.len()), (1, 1), "byte {n}, bit {bit}");
            accepted += 1;
        }
    }
    // Letters of the names, and of the ids.
    assert!(accepted > 100, "{accepted}");
}
