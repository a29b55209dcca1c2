//! `NOTE.chains`: where an audit stood, beside its note, for the next one to go on from.
//!
//! A note that the auditor signed says which note it is beside, and the hash of what follows it
//! ([`Standing::encode`]): so nobody else's is taken, and none that was changed. It holds the secrets of all accounts.

use std::fs;
use std::path::{Path, PathBuf};

use commitment::{Note, SignerKey, Standing, VerifierKey, hex};
use eventlog::storage::{Access, Disk, put};

use crate::failure::Failure;
use crate::show::escape::escaped_path;

const FIRST: &str = "stillthere audit chains v1";
/// Three lines of text, a blank one, and the auditor's signature.
const LINES: usize = 5;

fn beside(note: &Path) -> PathBuf {
    let mut name = note.as_os_str().to_owned();
    name.push(".chains");
    PathBuf::from(name)
}

fn text(note: &Note, bytes: &[u8]) -> String {
    let note = blake3::hash(note.unverified_text().as_bytes());
    format!("{FIRST}\n{}\n{}\n", hex(note.as_bytes()), hex(blake3::hash(bytes).as_bytes()))
}

/// Keeps where the audit of a note stood, for its owner's eyes alone.
pub fn keep(
    path: &Path,
    note: &Note,
    standing: Option<Standing>,
    signer: &SignerKey,
) -> Result<(), Failure> {
    let Some(standing) = standing else {
        return Err(Failure::Refused(
            "nothing was kept or signed: the batch of the checkpoint's seal goes on behind it, so no later audit \
             can go on from there; leave --keep out, or audit up to another checkpoint"
                .to_owned(),
        ));
    };
    let bytes = standing.encode();
    let failed = |error: commitment::NoteError| Failure::Usage(error.to_string());
    let mut signed = Note::new(text(note, &bytes)).map_err(failed)?;
    signed.sign(signer).map_err(failed)?;
    let path = beside(path);
    put(&Disk, &path, &[signed.to_string().as_bytes(), &bytes].concat(), Access::CreateSecret)
        .map_err(|e| Failure::file(&path, "keep the chains", &e))
}

/// Where the audit of a note stood, if this auditor kept it.
pub fn read(path: &Path, note: &Note, own: &[VerifierKey]) -> Result<Standing, Failure> {
    let path = beside(path);
    let name = escaped_path(&path);
    let bytes = fs::read(&path).map_err(|error| {
        let failed = Failure::file(&path, "read what the earlier audit kept", &error);
        let why = failed.message().unwrap_or_default();
        Failure::Usage(format!("{why}; audit from the beginning, without --from and with --keep"))
    })?;
    let refused = |why: &str| {
        Failure::Refused(format!(
            "nothing was signed: {name}: {why}; audit from the beginning, without --from and with --keep"
        ))
    };
    let newlines = bytes.iter().enumerate().filter(|(_, byte)| **byte == b'\n');
    let end = newlines.map(|(at, _)| at + 1).nth(LINES - 1).unwrap_or(bytes.len());
    let (signed, bytes) = bytes.split_at(end);
    let signed = Note::parse(signed).map_err(|_| refused("not what an audit keeps"))?;
    let opened = signed.open(own).map_err(|_| refused("this auditor did not sign it"))?;
    if opened.text != text(note, bytes) {
        return Err(refused("kept beside another note, or changed since"));
    }
    Standing::decode(bytes).map_err(|fault| refused(&fault.to_string()))
}
