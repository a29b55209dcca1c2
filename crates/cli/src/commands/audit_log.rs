//! `audit-log`: replays a log with everything in it, and signs that to a checkpoint all of it is right; or goes on from an
//! earlier note.

mod kept;

use commitment::{Checkpoint, Note, StandingError, VerifierKey, hex};
use eventlog::{AuditOf, Audited, LogFiles, Reader, SealedLog};
use serde_json::json;
use verifier::Attestation;

use super::checkpoint::published;
use crate::args::AuditLogArgs;
use crate::failure::{Failure, Outcome};
use crate::keys::{KeyRing, own_keys, verifier_keys};
use crate::output::{Partial, refuse_in_store};
use crate::question::Question;
use crate::show::amount::counted;
use crate::show::progress::Progress;
use crate::show::screen::Screen;

/// Why an audit stopped.
enum Stop {
    Tampered(Box<commitment::Divergence>),
    Elsewhere(StandingError),
    Failed(Failure),
}

impl From<Box<commitment::Divergence>> for Stop {
    fn from(divergence: Box<commitment::Divergence>) -> Stop {
        Stop::Tampered(divergence)
    }
}

impl From<StandingError> for Stop {
    fn from(error: StandingError) -> Stop {
        Stop::Elsewhere(error)
    }
}

impl From<eventlog::OpenError> for Stop {
    fn from(error: eventlog::OpenError) -> Stop {
        Stop::Failed(error.into())
    }
}

impl From<eventlog::ReadError> for Stop {
    fn from(error: eventlog::ReadError) -> Stop {
        Stop::Failed(error.into())
    }
}

pub fn run(
    args: &AuditLogArgs,
    question: &Question,
    screen: &mut Screen,
) -> Result<Outcome, Failure> {
    if let Some(path) = &args.output {
        refuse_in_store(path, &question.store)?;
    }
    let ring = KeyRing::of(Some(&args.key), question);
    let signer = ring.signer()?;
    // A store that is missing is told of first.
    LogFiles::open(&question.store)?;
    let (note, checkpoint) = published(args.checkpoint.as_deref(), question)?;
    let log = match args.log_keys.is_empty() {
        true => own_keys(question, Some(&checkpoint.origin))?,
        false => verifier_keys(&args.log_keys)?,
    };
    let opened = Checkpoint::open(&note, log[0].name(), &log, &[]);
    opened.map_err(|e| Failure::Refused(format!("the checkpoint: {e}")))?;
    let own = ring.verifiers().unwrap_or_else(|_| vec![signer.verifier().clone()]);
    let before = args.from.as_deref().map(|from| earlier(from, &own, &checkpoint)).transpose()?;
    let (from, before) = match before {
        Some((standing, before)) => (Some((standing, before.map)), Some(before)),
        None => (None, None),
    };
    // Every leaf, chain, tag and id anew, and the account map of every seal.
    let replayed: Result<Audited, Stop> = LogFiles::steadily(&question.store, |files| {
        let of = AuditOf { from: from.clone(), pages: checkpoint.size, keep: args.keep };
        let progress = Progress::of_bytes(Some(files.files().iter().map(|file| file.len).sum()));
        let audited = files.audit(of, |more| progress.more(more));
        progress.end();
        audited
    });
    let Audited { report, root, standing } = match replayed {
        Ok(audited) => audited,
        Err(Stop::Failed(failure)) => return Err(failure),
        Err(Stop::Tampered(divergence)) => {
            return Err(Failure::Refused(format!(
                "nothing was signed: the log is not as it should be: {divergence}"
            )));
        }
        Err(Stop::Elsewhere(error)) => {
            return Err(Failure::Refused(format!(
                "nothing was signed: the log does not go on from the earlier note: {error}"
            )));
        }
    };
    let seal = report.seals.iter().find(|sealed| sealed.page + 1 == checkpoint.size);
    let seal = seal.ok_or_else(|| {
        let pages = counted(checkpoint.size, "page");
        Failure::Refused(format!("nothing was signed: no seal ends the first {pages} of the log"))
    })?;
    if !seal.has_map {
        return Err(Failure::Refused(format!(
            "nothing was signed: an account that was in the first {} was erased since, so the account map of their seal cannot \
             be made anew. A checkpoint of after the erasure can be audited",
            counted(checkpoint.size, "page")
        )));
    }
    let without_map = report.without_map().filter(|sealed| sealed.page < checkpoint.size).count();
    let mut roots = vec![root];
    if before.is_none() {
        // Where the tree of the checkpoint ends, found by other code than what was replayed.
        let reader = Reader::open(&question.store)?;
        let sealed = SealedLog::open(&question.store, &reader, checkpoint.size)?;
        roots.push((sealed.head().seal == seal.seal).then_some(sealed.head().root));
    }
    if let Some(found) = roots.iter().find(|root| **root != Some(checkpoint.root)) {
        return Err(Failure::Refused(format!(
            "nothing was signed: the log's first {} have the root {}, and the checkpoint {}",
            counted(checkpoint.size, "page"),
            hex(&found.unwrap_or_default()),
            hex(&checkpoint.root)
        )));
    }
    let attestation = Attestation::of(&checkpoint, &seal.seal);
    let failed = |error: commitment::NoteError| Failure::Usage(error.to_string());
    let mut signed = Note::new(attestation.to_string()).map_err(failed)?;
    signed.sign(&signer).map_err(failed)?;
    if let Some(path) = &args.output {
        // First what a later audit needs: a note without it is worth as much to everybody else.
        if args.keep {
            kept::keep(path, &signed, standing, &signer)?;
        }
        let mut file = Partial::create(path)?;
        file.write(signed.to_string().as_bytes())?;
        file.end()?;
    }
    if question.json {
        screen.json(&json!({
            "note": signed.to_string(), "auditor": signer.verifier().name(),
            "origin": attestation.origin, "size": attestation.pages, "events": attestation.events,
            "accounts": seal.seal.accounts, "map_root": hex(&attestation.map),
            "from": before.map_or(0, |before| before.events), "seals_without_map": without_map,
        }))?;
    } else if args.output.is_none() {
        screen.bytes(signed.to_string().as_bytes())?;
    } else {
        screen.line(question.pick(
            format!(
                "Signed as {}: to {} of {} all is right.",
                signer.verifier().name(),
                counted(attestation.events, "event"),
                attestation.origin
            ),
            format!(
                "已以 {} 之名签署：{} 的前 {} 条事件一切无误。",
                signer.verifier().name(),
                attestation.origin,
                attestation.events
            ),
        ))?;
        if without_map > 0 {
            screen.line(question.pick(
                format!(
                    "Not shown: the account maps of {}, in which an account was that was erased since.",
                    counted(without_map as u64, "earlier seal")
                ),
                format!("未能核对：{without_map} 个较早封存的账号映射，其中有账号此后已被擦除。"),
            ))?;
        }
    }
    Ok(Outcome::Fine)
}

/// An earlier note of this auditor, and where that audit stood.
fn earlier(
    path: &std::path::Path,
    own: &[VerifierKey],
    checkpoint: &Checkpoint,
) -> Result<(commitment::Standing, Attestation), Failure> {
    let refused = |why: String| {
        let path = crate::show::escape::escaped_path(path);
        Failure::Refused(format!("nothing was signed: {path}: {why}"))
    };
    let note = crate::keys::note_in(path)?;
    let opened = note.open(own).map_err(|e| refused(format!("not a note of this auditor: {e}")))?;
    let before = Attestation::parse(opened.text)
        .map_err(|e| refused(format!("not an auditor's note: {e}")))?;
    if before.origin != checkpoint.origin {
        let why = format!("of the log {:?}, expected {:?}", before.origin, checkpoint.origin);
        return Err(refused(why));
    }
    if before.pages > checkpoint.size {
        let (pages, size) = (counted(before.pages, "page"), checkpoint.size);
        return Err(refused(format!(
            "of {pages}, and the checkpoint has {size}: it is of an older one, or the log was cut"
        )));
    }
    let standing = kept::read(path, &note, own)?;
    if (standing.pages, standing.root) != (before.pages, before.root) {
        return Err(refused("what was kept beside it is of another tree".to_owned()));
    }
    Ok((standing, before))
}
