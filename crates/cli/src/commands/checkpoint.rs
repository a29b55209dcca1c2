//! `checkpoint`: seals the log, publishes its tree, and signs the tree's head.

use std::time::Duration;

use commitment::{Checkpoint, Note, Quorum, VerifierKey, hex};
use eventlog::{LastSigned, Log, Options, Sealer, TreeHead};
use serde_json::json;

use crate::args::CheckpointArgs;
use crate::failure::{Failure, Outcome};
use crate::keys::{KeyRing, note_in, verifier_keys};
use crate::question::{Question, now};
use crate::show::escape::escaped_path;
use crate::show::screen::{Screen, say};
use crate::witnesses::{Asked, WitnessUrl};

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
    let (mut urls, mut brought) = (Vec::new(), Vec::new());
    for witness in &args.witness {
        match witness.to_str().and_then(WitnessUrl::parse) {
            Some(url) => urls.push(url?),
            None => brought.push(note_in(witness)?),
        }
    }
    if !urls.is_empty() && witnesses.is_empty() {
        let text = "who is asked? give each witness's verifier key with --witness-key";
        return Err(Failure::Usage(text.to_owned()));
    }
    let need = args.require_witnesses.unwrap_or(0);
    let quorum = Quorum::new(need, witnesses).map_err(|e| Failure::Usage(e.to_string()))?;
    // A store that is missing is not made.
    drop(question.open()?);

    let log = Log::open(&question.store, Options::new(now))?;
    let mut sealer = Sealer::open(&log);
    last.goes_on_in(&log, &sealer)?;
    log.seal(&mut sealer)?;
    let head = sealer.publish()?;
    let old = cosigned_last(&last, quorum.witnesses());
    let mut note = last.sign(&head, &signer, &sealer)?;
    // Before anybody else sees it: whatever happens from here on, no other one is signed in its place.
    last.keep(&note)?;
    let checkpoint = Checkpoint::parse(note.unverified_text())
        .map_err(|error| Failure::Usage(error.to_string()))?;
    let asked = Asked {
        note: &note.clone(),
        checkpoint: &checkpoint,
        log: &verifiers,
        witnesses: quorum.witnesses(),
        old,
        sealer: &sealer,
        timeout: Duration::from_secs(args.witness_timeout),
    };
    let (lines, unsigned) = asked.ask_all(&urls)?;
    if !lines.is_empty() {
        for line in lines {
            note.add(line).map_err(|error| Failure::Usage(error.to_string()))?;
        }
        // Kept though others may be missing still.
        last.keep(&note)?;
    }
    let seen = witnessed(&mut note, &brought, &quorum, &verifiers);
    let is_alone = args.require_witnesses.is_none() && !unsigned.is_empty();
    let seen = match seen {
        Ok(seen) if !is_alone => seen,
        Ok(_) => return Err(unpublished(None, &unsigned)),
        Err(error) => return Err(unpublished(Some(error), &unsigned)),
    };
    last.hand_out(&note, &signer, &sealer)?;
    log.close()?;
    unsigned.iter().for_each(say);

    let TreeHead { pages, root, seal } = head;
    if question.json {
        screen.json(&json!({
            "checkpoint": note.to_string(), "origin": signer.verifier().name(), "size": pages,
            "root": hex(&root), "events": seal.size, "accounts": seal.accounts,
            "map_root": hex(&seal.root), "sealed_at_ms": seal.at_ms, "witnesses": seen,
            "unwitnessed": unsigned,
        }))?;
    } else {
        screen.bytes(note.to_string().as_bytes())?;
    }
    Ok(Outcome::Fine)
}

/// What the witnesses are thought to have signed last: the checkpoint before, if any of them did. One that knows better
/// says so.
fn cosigned_last(last: &LastSigned, witnesses: &[VerifierKey]) -> u64 {
    let is_cosigned =
        |note: &Note| note.signatures().iter().any(|l| witnesses.iter().any(|k| l.is_by(k)));
    match last.note().is_some_and(is_cosigned) {
        true => last.checkpoint().map_or(0, |checkpoint| checkpoint.size),
        false => 0,
    }
}

/// Why nothing was published though a checkpoint was signed.
fn unpublished(error: Option<Failure>, unsigned: &[String]) -> Failure {
    let error = match error {
        Some(Failure::Refused(why)) => Some(why),
        Some(other) => return other,
        None => None,
    };
    let why: Vec<&str> = error.iter().chain(unsigned).map(String::as_str).collect();
    Failure::Refused(format!(
        "the checkpoint was signed, but not published: {}. `stillthere checkpoint` with the same options asks again",
        why.join("; ")
    ))
}

/// Takes in the lines that were brought; says who of the witnesses signed, if they are enough.
fn witnessed(
    note: &mut Note,
    brought: &[Note],
    quorum: &Quorum,
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
    if quorum.witnesses().is_empty() {
        return Ok(Vec::new());
    }
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
