//! `certify --since`: the proof that the log goes on from a checkpoint that somebody kept.

use std::path::Path;

use commitment::{Checkpoint, Frontier, Note, VerifierKey, check_consistency, hex};
use eventlog::{Reader, SealedLog, page_leaves};
use verifier::certificate::{Certificate, Since, WireError};

use crate::commands::check::read;
use crate::failure::Failure;
use crate::question::Question;
use crate::show::amount::counted;
use crate::show::escape::escaped_path;

/// A checkpoint that was kept, as it is or in a certificate.
pub struct Earlier<'p> {
    path: &'p Path,
    note: Note,
    checkpoint: Checkpoint,
}

impl Earlier<'_> {
    /// Of a file. It has to be signed by the log of `later`, and no larger.
    pub fn open<'p>(
        path: &'p Path,
        later: &Checkpoint,
        keys: &[VerifierKey],
    ) -> Result<Earlier<'p>, Failure> {
        let (note, checkpoint) = kept(path, &later.origin, keys)?;
        if checkpoint.size == 0 {
            return Err(refused(path, "a checkpoint of no pages, from which every log goes on"));
        }
        if checkpoint.size > later.size {
            return Err(refused(
                path,
                &format!(
                    "a checkpoint of {}, and the certificate would be of {}. Unless the log has a later checkpoint, that \
                     is evidence that it was cut",
                    counted(checkpoint.size, "page"),
                    counted(later.size, "page")
                ),
            ));
        }
        Ok(Earlier { path, note, checkpoint })
    }

    /// The proof that the log goes on from it.
    pub fn goes_on(
        self,
        sealed: &SealedLog,
        reader: &Reader,
        question: &Question,
    ) -> Result<Since, Failure> {
        let Earlier { path, note, checkpoint: Checkpoint { size, root, .. } } = self;
        let proof = sealed.consistency(size)?;
        let head = sealed.head();
        if check_consistency(size, &root, head.pages, &head.root, &proof).is_ok() {
            return Ok(Since { checkpoint: note.to_string(), proof });
        }
        // The tiles may be at fault: the log itself says.
        let leaves = page_leaves(&question.store, reader, size)?;
        let found = leaves.into_iter().collect::<Frontier>().root();
        if found == root {
            let text = "tlog: not the tree of this log; delete its tiles, `stillthere checkpoint` makes them anew";
            return Err(Failure::Store(text.to_owned()));
        }
        Err(refused(
            path,
            &format!(
                "this log does not go on from it: the first {} have the root {}, and the log's key signed {}. That is \
                 evidence that the log was written anew",
                counted(size, "page"),
                hex(&found),
                hex(&root)
            ),
        ))
    }
}

/// The signed checkpoint of a log in a file, or that of a certificate in it.
pub fn kept(
    path: &Path,
    origin: &str,
    keys: &[VerifierKey],
) -> Result<(Note, Checkpoint), Failure> {
    let note = note_in(path)?;
    let (checkpoint, _) = Checkpoint::open(&note, origin, keys, &[])
        .map_err(|error| refused(path, &format!("not believed: {error}")))?;
    Ok((note, checkpoint))
}

fn refused(path: &Path, why: &str) -> Failure {
    Failure::Refused(format!("{}: {why}", escaped_path(path)))
}

fn note_in(path: &Path) -> Result<Note, Failure> {
    let bytes = read(path)?;
    let (note, what) = match Certificate::decode(&bytes) {
        Ok(certificate) => (certificate.checkpoint.into_bytes(), "its checkpoint"),
        Err(WireError::Magic) => (bytes, "neither a certificate nor a signed note"),
        Err(error) => {
            return Err(Failure::Usage(format!("{}: {error}", escaped_path(path))));
        }
    };
    Note::parse(&note)
        .map_err(|error| Failure::Usage(format!("{}: {what}: {error}", escaped_path(path))))
}
