//! `audit-log`: replays a log with everything in it, and signs that to a checkpoint all of it is right.

use commitment::{Checkpoint, Note, Report, hex};
use eventlog::{LogFiles, Reader, SealedLog};
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
    Failed(Failure),
}

impl From<Box<commitment::Divergence>> for Stop {
    fn from(divergence: Box<commitment::Divergence>) -> Stop {
        Stop::Tampered(divergence)
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
    let signer = KeyRing::of(Some(&args.key), question).signer()?;
    let files = LogFiles::open(&question.store)?;
    let (note, checkpoint) = published(args.checkpoint.as_deref(), question)?;
    let log = match args.log_keys.is_empty() {
        true => own_keys(question, Some(&checkpoint.origin))?,
        false => verifier_keys(&args.log_keys)?,
    };
    let opened = Checkpoint::open(&note, log[0].name(), &log, &[]);
    opened.map_err(|e| Failure::Refused(format!("the checkpoint: {e}")))?;
    let progress = Progress::of_bytes(Some(files.files().iter().map(|file| file.len).sum()));
    // Every leaf, chain, tag and id anew, and the account map of every seal.
    let replayed: Result<Report, Stop> = files.audit(|more| progress.more(more));
    progress.end();
    let report = match replayed {
        Ok(report) => report,
        Err(Stop::Failed(failure)) => return Err(failure),
        Err(Stop::Tampered(divergence)) => {
            return Err(Failure::Refused(format!(
                "nothing was signed: the log is not as it should be: {divergence}"
            )));
        }
    };
    // Where the tree of the checkpoint ends, found by other code than what was replayed.
    let reader = Reader::open(&question.store)?;
    let sealed = SealedLog::open(&question.store, &reader, checkpoint.size)?;
    let seal = report.seals.iter().find(|sealed| sealed.page + 1 == checkpoint.size);
    let seal = seal.ok_or_else(|| {
        let pages = counted(checkpoint.size, "page");
        Failure::Refused(format!("nothing was signed: no seal ends the first {pages} of the log"))
    })?;
    if sealed.head().root != checkpoint.root || sealed.head().seal != seal.seal {
        return Err(Failure::Refused(format!(
            "nothing was signed: the log's first {} have the root {}, and the checkpoint {}",
            counted(checkpoint.size, "page"),
            hex(&sealed.head().root),
            hex(&checkpoint.root)
        )));
    }
    let attestation = Attestation::of(&checkpoint, &seal.seal);
    let failed = |error: commitment::NoteError| Failure::Usage(error.to_string());
    let mut signed = Note::new(attestation.to_string()).map_err(failed)?;
    signed.sign(&signer).map_err(failed)?;
    if let Some(path) = &args.output {
        let mut file = Partial::create(path)?;
        file.write(signed.to_string().as_bytes())?;
        file.end()?;
    }
    if question.json {
        screen.json(&json!({
            "note": signed.to_string(), "auditor": signer.verifier().name(),
            "origin": attestation.origin, "size": attestation.pages, "events": attestation.events,
            "accounts": seal.seal.accounts, "map_root": hex(&attestation.map),
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
    }
    Ok(Outcome::Fine)
}
