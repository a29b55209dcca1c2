//! Holds the code against `fixtures/proofs/tlog.json`, for those who write a second reader from
//! `docs/proofs.md`.
//!
//! `UPDATE_FIXTURES=1` writes the vectors anew.

use serde_json::{Value, json};
use stillthere_commitment::{
    AddCheckpoint, Algorithm, Checkpoint, Digest, Summary, Tile, TileError, cosign, encode_bundle,
    grow_tiles, hex, new_bundles, prove_consistency, prove_inclusion, tree_leaf,
};

use crate::keys::signer;
use crate::plain::{self, Nodes};
use crate::root;

const ORIGIN: &str = "log.example/stillthere";

/// The summaries of a log's pages, as far as the tree is concerned.
fn entries(count: u64) -> Vec<[u8; 120]> {
    let mut predecessor = [0; 32];
    (0..count)
        .map(|page| {
            let summary = Summary {
                store: *b"a store's own id",
                page,
                first_position: page * 3,
                events: 3,
                leaves: 3,
                root: [page as u8; 32],
                predecessor,
                clock_ms: 1_772_000_000_000,
            };
            predecessor = tree_leaf(&summary.encode());
            summary.encode()
        })
        .collect()
}

fn hexes(hashes: &[Digest]) -> Vec<String> {
    hashes.iter().map(|hash| hex(hash)).collect()
}

fn vectors() -> Value {
    let entries = entries(300);
    let leaves: Vec<Digest> = entries.iter().map(|entry| tree_leaf(entry)).collect();
    let nodes = Nodes::of(&leaves);
    let part = |size: u64| &leaves[..size as usize];

    let keys: Vec<Value> =
        [(ORIGIN, Algorithm::Ed25519, 1), ("witness.example/w1", Algorithm::Cosignature, 2)]
            .iter()
            .map(|(name, algorithm, byte)| {
                let key = signer(name, *algorithm, *byte);
                json!({
                    "name": name,
                    "algorithm": *algorithm as u8,
                    "seed": hex(&[*byte; 32]),
                    "signer": key.encode().as_str(),
                    "verifier": key.verifier().to_string(),
                })
            })
            .collect();

    let roots: Vec<Value> = [0u64, 1, 2, 3, 5, 8, 255, 256, 257, 300]
        .iter()
        .map(|size| json!({"size": size, "root": hex(&plain::root(part(*size)))}))
        .collect();
    let inclusion: Vec<Value> =
        [(0u64, 1u64), (0, 2), (2, 3), (1, 5), (4, 5), (5, 8), (255, 257), (256, 257), (77, 300)]
            .iter()
            .map(|(index, size)| {
                let proof = prove_inclusion(*index, *size, nodes.reader()).unwrap();
                json!({"index": index, "size": size, "proof": hexes(&proof)})
            })
            .collect();
    let consistency: Vec<Value> = [
        (0u64, 5u64),
        (1, 2),
        (2, 5),
        (3, 5),
        (4, 8),
        (6, 7),
        (8, 8),
        (255, 256),
        (256, 300),
        (257, 300),
    ]
    .iter()
    .map(|(old, new)| {
        let proof = prove_consistency(*old, *new, nodes.reader()).unwrap();
        json!({"old": old, "new": new, "proof": hexes(&proof)})
    })
    .collect();

    let none = |tile| Err::<Option<Vec<u8>>, _>(TileError::Missing(tile));
    let tiles: Vec<Value> = grow_tiles(0, part(258), none)
        .unwrap()
        .iter()
        .map(|(tile, bytes)| json!({"path": tile.to_string(), "bytes": hex(bytes)}))
        .collect();
    let bundles: Vec<Value> = new_bundles(256, 258)
        .map(|tile: Tile| {
            let bytes = encode_bundle(&entries[256..258]);
            json!({"path": tile.to_string(), "bytes": hex(&bytes)})
        })
        .collect();

    let checkpoint = |size| Checkpoint {
        origin: ORIGIN.to_owned(),
        size,
        root: plain::root(part(size)),
        extensions: Vec::new(),
    };
    let log = signer(ORIGIN, Algorithm::Ed25519, 1);
    let mut note = checkpoint(300).sign(&log).unwrap();
    let proof = prove_consistency(257, 300, nodes.reader()).unwrap();
    let request = AddCheckpoint::new(257, proof, note.clone()).unwrap();
    let witness = signer("witness.example/w1", Algorithm::Cosignature, 2);
    let line = cosign(&note, &witness, 1_772_000_001).unwrap();
    note.add(line.clone()).unwrap();
    json!({
        "entries": entries[..8].iter().map(|entry| hex(entry)).collect::<Vec<_>>(),
        "leaves": hexes(&leaves),
        "roots": roots,
        "inclusion": inclusion,
        "consistency": consistency,
        "tiles_of_258": tiles,
        "bundles_of_258": bundles,
        "keys": keys,
        "request": request.to_string(),
        "cosignature": {"time_s": 1_772_000_001, "line": line.to_string()},
        "checkpoint": note.to_string(),
    })
}

#[test]
fn the_vectors_stand() {
    let made = vectors();
    let path = root().join("fixtures/proofs/tlog.json");
    if std::env::var_os("UPDATE_FIXTURES").is_some() {
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, format!("{made:#}\n")).unwrap();
    }
    let kept = std::fs::read_to_string(&path).unwrap_or_default();
    let kept: Value = serde_json::from_str(&kept).unwrap_or_default();
    assert!(kept == made, "{} differs: a change of the format? UPDATE_FIXTURES=1", path.display());
}
