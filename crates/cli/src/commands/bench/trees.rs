//! The tree over the log's pages and the note that signs it, beside the Go project's: the same summaries and the
//! same text, in memory, and equal answers.

use std::cell::RefCell;
use std::fs;
use std::hint::black_box;
use std::time::Instant;

use commitment::{
    Algorithm, Checkpoint, Digest, Frontier, Note, ProofError, SUMMARY, SignerKey, check_inclusion,
    decode_bundle, hex, new_bundles, prove_inclusion, tree_leaf,
};

use super::Bench;
use super::measure::{Contender, Row, Sample};
use super::peers::{GO, Peers};
use super::place::Place;
use super::proofs::SEALED;
use super::works::Work;
use crate::failure::Failure;

/// So many leaves are hashed, proofs made or checked, and notes signed or opened in a round, at the least.
const HASHES: usize = 200_000;
const PROOFS: usize = 20_000;
const NOTES: usize = 1_000;

const TITLE: &str = "Go, golang.org/x/mod/sumdb";

/// A tree in memory: its nodes by level.
struct Tree {
    summaries: Vec<[u8; SUMMARY]>,
    levels: Vec<Vec<Digest>>,
}

impl Tree {
    fn root(summaries: &[[u8; SUMMARY]]) -> Digest {
        let tree: Frontier = summaries.iter().map(|summary| tree_leaf(summary)).collect();
        tree.root()
    }

    fn over(summaries: Vec<[u8; SUMMARY]>) -> Tree {
        let leaves = summaries.iter().map(|summary| tree_leaf(summary)).collect();
        let mut levels: Vec<Vec<Digest>> = vec![leaves];
        while let Some(below) = levels.last().filter(|below| below.len() > 1) {
            let join = |pair: &[Digest; 2]| pair.iter().copied().collect::<Frontier>().root();
            let above = below.as_chunks::<2>().0.iter().map(join).collect();
            levels.push(above);
        }
        Tree { summaries, levels }
    }

    fn prove(&self, index: u64) -> Vec<Digest> {
        let node = |level: u8, index: u64| {
            Ok::<_, ProofError>(self.levels[usize::from(level)][index as usize])
        };
        prove_inclusion(index, self.summaries.len() as u64, node).expect("it is in the tree")
    }
}

/// Measures one of the works.
pub fn measure(work: Work, bench: &mut Bench<'_>) -> Result<Row, Failure> {
    let tree = Tree::over(summaries(&bench.place)?);
    let (size, root) = (tree.summaries.len() as u64, Tree::root(&tree.summaries));
    let key = SignerKey::new("bench.example/log", Algorithm::Ed25519, &[7; 32]).expect("a key");
    let (origin, extensions) = (key.verifier().name().to_owned(), Vec::new());
    let checkpoint = Checkpoint { origin, size, root, extensions };
    let sign = || checkpoint.sign(&key).expect("it is called as the log").to_string();
    let note = sign();
    for (name, bytes) in [
        ("summaries.bin", tree.summaries.as_flattened()),
        ("checkpoint.text", checkpoint.to_string().as_bytes()),
        ("checkpoint.note", note.as_bytes()),
    ] {
        let path = bench.place.path(name);
        fs::write(&path, bytes).map_err(|e| Failure::file(&path, "write it", &e))?;
    }
    let proofs: Vec<Vec<Digest>> = (0..size).map(|index| tree.prove(index)).collect();
    let known = [key.verifier().clone()];
    let (secret, public) = (key.encode(), key.verifier().to_string());
    let (all, argument, once): (usize, Option<&str>, Box<dyn Fn() -> String + '_>) = match work {
        Work::TreeHash => (HASHES, None, Box::new(|| hex(&Tree::root(black_box(&tree.summaries))))),
        Work::TreeProve => (
            PROOFS,
            None,
            Box::new(|| {
                let proofs = (0..size).flat_map(|index| tree.prove(index));
                hex(&tree_leaf(proofs.collect::<Vec<Digest>>().as_flattened()))
            }),
        ),
        Work::TreeCheck => (
            PROOFS,
            None,
            Box::new(|| {
                let each = (0..size).zip(&tree.summaries).zip(&proofs);
                let holds = |((index, summary), proof): &((u64, &[u8; SUMMARY]), &Vec<Digest>)| {
                    check_inclusion(&tree_leaf(*summary), *index, size, proof, &root).is_ok()
                };
                each.filter(holds).count().to_string()
            }),
        ),
        Work::NoteSign => {
            (NOTES, Some(secret.as_str()), Box::new(|| hex(&tree_leaf(sign().as_bytes()))))
        }
        _ => (
            NOTES,
            Some(public.as_str()),
            Box::new(|| {
                let note = Note::parse(black_box(note.as_bytes())).expect("it was just signed");
                let opened = note.open(&known).expect("by a known key");
                format!("{} of {}", opened.signed.len(), opened.signed[0].key.name())
            }),
        ),
    };
    // A note is one thing, a tree as many as it has leaves.
    let things = if argument.is_some() { 1 } else { tree.summaries.len().max(1) };
    let times = all.div_ceil(things);
    let answers = RefCell::new(std::mem::take(&mut bench.answers));
    let mut contenders = vec![Contender::new("stillthere", || {
        black_box(once());
        let begun = Instant::now();
        for _ in 0..times {
            black_box(once());
        }
        Ok(Sample::of(begun.elapsed()))
    })];
    if bench.peers.has(GO) {
        let (peers, answers, once): (&Peers, _, _) = (&bench.peers, &answers, &once);
        contenders.push(Contender::new(TITLE, move || {
            let times = times.to_string();
            let arguments: Vec<&str> = std::iter::once(times.as_str()).chain(argument).collect();
            let (sample, answer) = peers.step_with_answer(GO, work.name(), &arguments)?;
            answers.borrow_mut().one(&format!("{TITLE}, {}", work.name()), &once(), &answer);
            Ok(sample)
        }));
    }
    let row = Row::measure(work, &bench.turns, None, contenders);
    bench.answers = answers.into_inner();
    row
}

/// The summaries of the published tree's pages.
fn summaries(place: &Place) -> Result<Vec<[u8; SUMMARY]>, Failure> {
    let folder = place.path(SEALED.store).join("tlog");
    let pages = super::proofs::pages(place)?;
    let mut all: Vec<[u8; SUMMARY]> = Vec::new();
    for bundle in new_bundles(0, pages) {
        let path = folder.join(bundle.to_string());
        let bytes = fs::read(&path).map_err(|e| Failure::file(&path, "read it", &e))?;
        let entries = decode_bundle(&bytes, bundle.width());
        let entries = entries.map_err(|e| Failure::Usage(format!("{}: {e}", path.display())))?;
        all.extend(entries.into_iter().filter_map(|entry| entry.first_chunk().copied()));
    }
    Ok(all)
}
