//! `checkpoint`: seals the log, publishes its tree, and signs the tree's head.

use std::time::Duration;

use commitment::{Checkpoint, Frontier, Note, Quorum, SignerKey, VerifierKey, hex};
use eventlog::{Log, Options, Reader, Sealer, TreeHead, page_leaves};
use serde_json::json;

use crate::args::CheckpointArgs;
use crate::failure::{Failure, Outcome};
use crate::keys::{KeyRing, note_in, verifier_keys};
use crate::question::{Question, now};
use crate::show::amount::counted;
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
    let last = ring.last()?;
    let opened = |note| Checkpoint::open(note, signer.verifier().name(), &verifiers, &[]);
    let signed_last = last.as_ref().map(opened).transpose();
    let signed_last =
        signed_last.map_err(|e| Failure::Usage(format!("what was signed last: {e}")))?;
    let signed_last = signed_last.map(|(signed, _)| signed);
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
    if let Some(signed) = &signed_last {
        goes_on_from(signed, &sealer, question)?;
    }
    log.seal(&mut sealer)?;
    let head = sealer.publish()?;
    let mut note = sign(&head, &signer, last.as_ref().zip(signed_last.as_ref()), &sealer)?;
    // Before anybody else sees it: whatever happens from here on, no other one is signed in its place.
    ring.set_last(&note)?;
    let checkpoint = Checkpoint::parse(note.unverified_text())
        .map_err(|error| Failure::Usage(error.to_string()))?;
    let asked = Asked {
        note: &note.clone(),
        checkpoint: &checkpoint,
        log: &verifiers,
        witnesses: quorum.witnesses(),
        old: cosigned_last(last.as_ref(), signed_last.as_ref(), quorum.witnesses()),
        sealer: &sealer,
        timeout: Duration::from_secs(args.witness_timeout),
    };
    let (lines, unsigned) = asked.ask_all(&urls)?;
    if !lines.is_empty() {
        for line in lines {
            note.add(line).map_err(|error| Failure::Usage(error.to_string()))?;
        }
        // Kept though others may be missing still.
        ring.set_last(&note)?;
    }
    let seen = witnessed(&mut note, &brought, &quorum, &verifiers);
    let is_alone = args.require_witnesses.is_none() && !unsigned.is_empty();
    let seen = match seen {
        Ok(seen) if !is_alone => seen,
        Ok(_) => return Err(unpublished(None, &unsigned)),
        Err(error) => return Err(unpublished(Some(error), &unsigned)),
    };
    ring.set_last(&note)?;
    sealer.put("vkey", format!("{}\n", signer.verifier()).as_bytes())?;
    sealer.put("checkpoint", note.to_string().as_bytes())?;
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

/// Refuses a log that does not begin with the tree that was signed last, before anything is written to it.
fn goes_on_from(signed: &Checkpoint, sealer: &Sealer, question: &Question) -> Result<(), Failure> {
    // As a rule that tree is where the sealer goes on.
    if sealer.read_so_far() == (signed.size, signed.root) {
        return Ok(());
    }
    let reader = Reader::open(&question.store)?;
    let leaves = page_leaves(&question.store, &reader, signed.size)?;
    let tree: Frontier = leaves.into_iter().collect();
    match (tree.count() == signed.size, tree.root() == signed.root) {
        (true, true) => Ok(()),
        (true, false) => Err(rewritten(signed.size)),
        (false, _) => Err(cut(signed.size, tree.count())),
    }
}

fn cut(signed: u64, found: u64) -> Failure {
    let pages = counted(signed, "page");
    Failure::Refused(format!(
        "a checkpoint of {pages} was signed before, and this log has {found}: it was cut, or restored from \
         an older backup. Bring the newer log back, or begin a new origin with another --key"
    ))
}

fn rewritten(signed: u64) -> Failure {
    let pages = counted(signed, "page");
    Failure::Refused(format!(
        "the {pages} of which a checkpoint was signed before are not the first of this log: it was \
         written anew. Bring the log back, or begin a new origin with another --key"
    ))
}

/// The signed checkpoint of a tree, unless another or a larger one was signed before.
fn sign(
    head: &TreeHead,
    signer: &SignerKey,
    last: Option<(&Note, &Checkpoint)>,
    sealer: &Sealer,
) -> Result<Note, Failure> {
    let key = signer.verifier();
    let checkpoint = Checkpoint {
        origin: key.name().to_owned(),
        size: head.pages,
        root: head.root,
        extensions: vec![],
    };
    if let Some((note, signed)) = last {
        if signed.size > head.pages {
            return Err(cut(signed.size, head.pages));
        }
        // Held once more, against what was published.
        let is_same = match signed.size == head.pages {
            true => signed.root == head.root,
            false => sealer.root_at(signed.size)? == signed.root,
        };
        if !is_same {
            return Err(rewritten(signed.size));
        }
        if *signed == checkpoint && note.signatures().iter().any(|line| line.is_by(key)) {
            return Ok(note.clone());
        }
    }
    checkpoint.sign(signer).map_err(|error| Failure::Usage(error.to_string()))
}

/// What the witnesses are thought to have signed last: the checkpoint before, if any of them did. One that knows better
/// says so.
fn cosigned_last(
    note: Option<&Note>,
    checkpoint: Option<&Checkpoint>,
    witnesses: &[VerifierKey],
) -> u64 {
    let signed =
        |note: &Note| note.signatures().iter().any(|l| witnesses.iter().any(|k| l.is_by(k)));
    let size = checkpoint.map_or(0, |checkpoint| checkpoint.size);
    note.filter(|note| signed(note)).map_or(0, |_| size)
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
