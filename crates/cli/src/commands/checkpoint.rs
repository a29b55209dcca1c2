//! `checkpoint`: seals the log, publishes its tree, and signs the tree's head.

use commitment::{Checkpoint, Note, Quorum, VerifierKey, hex};
use eventlog::{LastSigned, Log, Options, Sealer, TreeHead};
use serde_json::json;

use crate::args::CheckpointArgs;
use crate::failure::{Failure, Outcome};
use crate::keys::{KeyRing, note_in, verifier_keys};
use crate::question::{Question, now};
use crate::show::escape::escaped_path;
use crate::show::screen::Screen;

pub fn run(
    args: &CheckpointArgs,
    question: &Question,
    screen: &mut Screen,
) -> Result<Outcome, Failure> {
    // All that could be wrong with what is given is found before anything is written.
    let ring = KeyRing::of(args.key.as_deref(), question);
    let signer = ring.signer()?;
    let verifiers = ring.verifiers()?;
    let last = LastSigned::read(&ring.last(), signer.verifier().name(), &verifiers)?;
    let witnesses = verifier_keys(&args.witness_keys)?;
    let brought: Vec<Note> =
        args.witness.iter().map(|path| note_in(path)).collect::<Result<_, _>>()?;
    // A store that is missing is not made.
    drop(question.open()?);

    let log = Log::open(&question.store, Options::new(now))?;
    let mut sealer = Sealer::open(&log);
    last.goes_on_in(&log, &sealer)?;
    log.seal(&mut sealer)?;
    let head = sealer.publish()?;
    let mut note = last.sign(&head, &signer, &sealer)?;
    let seen = witnessed(&mut note, &brought, &witnesses, args.require_witnesses, &verifiers)?;
    last.hand_out(&note, &signer, &sealer)?;
    log.close()?;

    let TreeHead { pages, root, seal } = head;
    if question.json {
        screen.json(&json!({
            "checkpoint": note.to_string(), "origin": signer.verifier().name(), "size": pages,
            "root": hex(&root), "events": seal.size, "accounts": seal.accounts,
            "map_root": hex(&seal.root), "sealed_at_ms": seal.at_ms, "witnesses": seen,
        }))?;
    } else {
        screen.bytes(note.to_string().as_bytes())?;
    }
    Ok(Outcome::Fine)
}

/// Takes in the witnesses' lines; says who of those asked for signed, and when.
fn witnessed(
    note: &mut Note,
    brought: &[Note],
    witnesses: &[VerifierKey],
    need: Option<usize>,
    log: &[VerifierKey],
) -> Result<Vec<String>, Failure> {
    for other in brought {
        if other.unverified_text() != note.unverified_text() {
            let text = "the witness's note is of another checkpoint than the one of this log now";
            return Err(Failure::Refused(text.to_owned()));
        }
        for line in other.signatures() {
            if log.iter().any(|key| line.is_by(key)) {
                continue;
            }
            note.add(line.clone()).map_err(|e| Failure::Usage(e.to_string()))?;
        }
    }
    if witnesses.is_empty() && need.is_none() {
        return Ok(Vec::new());
    }
    let quorum = Quorum::new(need.unwrap_or(0), witnesses.to_vec())
        .map_err(|e| Failure::Usage(e.to_string()))?;
    let refused = |error: &dyn std::fmt::Display| Failure::Refused(error.to_string());
    let origin = log.last().map_or("", VerifierKey::name);
    let (_, signed) =
        Checkpoint::open(note, origin, log, quorum.witnesses()).map_err(|e| refused(&e))?;
    let seen = quorum.check(&signed).map_err(|e| refused(&e))?;
    Ok(seen.into_iter().map(|witness| witness.name).collect())
}

/// The published checkpoint of the store, or that in a file.
pub fn published(
    given: Option<&std::path::Path>,
    question: &Question,
) -> Result<(Note, Checkpoint), Failure> {
    let path = given.map_or_else(|| question.store.join("tlog/checkpoint"), ToOwned::to_owned);
    if given.is_none() && !path.exists() {
        return Err(Failure::Usage(format!(
            "{}: no checkpoint yet; `stillthere checkpoint` makes one",
            escaped_path(&question.store)
        )));
    }
    let note = note_in(&path)?;
    let checkpoint = Checkpoint::parse(note.unverified_text())
        .map_err(|e| Failure::Usage(format!("{}: {e}", escaped_path(&path))))?;
    Ok((note, checkpoint))
}
