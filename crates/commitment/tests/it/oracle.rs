//! Go's `golang.org/x/mod/sumdb/{note,tlog}` judges notes, tiles and proofs that this crate made, and spoiled
//! ones: it has to accept the first and to refuse the second, and to make the same itself.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use stillthere_commitment::{
    Algorithm, Checkpoint, Digest, Note, SignerKey, Tile, TileError, cosign, grow_tiles, hex,
    prove_consistency, prove_inclusion, tree_leaf, tree_root, unhex,
};

use crate::keys::{PETER, PETER_SECRET, signer};
use crate::made::{Made, checked};
use crate::notes::{BY_ENOCH, BY_PETER, TEXT};
use crate::plain::{Nodes, leaves};

/// Go, with the libraries of Debian's packages.
fn go() -> Command {
    let mut go = Command::new("go");
    go.env_remove("GOFLAGS").env("GO111MODULE", "off").env("GOPATH", "/usr/share/gocode");
    go
}

/// Why nothing can be asked, if so.
fn missing() -> Option<String> {
    let listed = go().args(["list", "golang.org/x/mod/sumdb/note"]).output();
    match listed {
        Err(e) => Some(format!("go cannot be run ({e})")),
        Ok(output) if !output.status.success() => Some("golang.org/x/mod is not there".to_owned()),
        Ok(_) => None,
    }
}

/// A folder that is removed again.
struct Folder(PathBuf);

impl Folder {
    fn new() -> Folder {
        let name = format!("stillthere-oracle-{}", std::process::id());
        let folder = std::env::temp_dir().join(name);
        std::fs::create_dir_all(&folder).unwrap();
        Folder(folder)
    }

    fn write(&self, path: &str, bytes: &[u8]) {
        let path = self.0.join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, bytes).unwrap();
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        _ = std::fs::remove_dir_all(&self.0);
    }
}

/// Requests, and what has to be answered.
#[derive(Default)]
struct Questions {
    requests: String,
    expected: Vec<String>,
}

impl Questions {
    fn ask(&mut self, request: std::fmt::Arguments, expected: impl Into<String>) {
        writeln!(self.requests, "{request}").unwrap();
        self.expected.push(expected.into());
    }

    fn check(&self, folder: &Path) {
        let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/oracle/main.go");
        let mut child = go()
            .arg("run")
            .arg(source)
            .arg(folder)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut stdin = child.stdin.take().unwrap();
        let output = std::thread::scope(|scope| {
            scope.spawn(move || stdin.write_all(self.requests.as_bytes()).unwrap());
            child.wait_with_output().unwrap()
        });
        assert!(output.status.success(), "{:?}", output.status);
        let answers = String::from_utf8(output.stdout).unwrap();
        for ((request, expected), found) in
            self.requests.lines().zip(&self.expected).zip(answers.lines())
        {
            assert_eq!(found, expected, "{request}");
        }
        assert_eq!(answers.lines().count(), self.expected.len());
    }
}

fn spelled(proof: &[Digest]) -> String {
    if proof.is_empty() {
        return "-".to_owned();
    }
    proof.iter().map(|hash| hex(hash)).collect::<Vec<_>>().join(",")
}

fn flipped(proof: &[Digest], n: usize) -> String {
    let mut proof = proof.to_vec();
    proof[n][n % 32] ^= 1;
    spelled(&proof)
}

fn proofs(questions: &mut Questions) {
    let all = leaves(70);
    let nodes = Nodes::of(&all);
    let roots: Vec<String> =
        (0..=70).map(|size| hex(&tree_root(size, nodes.reader()).unwrap())).collect();
    for size in 1..=70u64 {
        let root = &roots[size as usize];
        for n in 0..size {
            let leaf = hex(&all[n as usize]);
            let proof = prove_inclusion(n, size, nodes.reader()).unwrap();
            let request = format!("record {size} {root} {n} {leaf}");
            questions.ask(format_args!("{request} {}", spelled(&proof)), "accepted");
            let old = n + 1;
            let grown = prove_consistency(old, size, nodes.reader()).unwrap();
            let tree = format!("tree {size} {root} {old} {}", roots[old as usize]);
            questions.ask(format_args!("{tree} {}", spelled(&grown)), "accepted");
            if size % 7 == 0 {
                for (request, proof) in [(&request, &proof), (&tree, &grown)] {
                    for k in 0..proof.len() {
                        questions.ask(format_args!("{request} {}", flipped(proof, k)), "refused");
                    }
                    let long = [&proof[..], &[[0; 32]]].concat();
                    questions.ask(format_args!("{request} {}", spelled(&long)), "refused");
                }
            }
        }
    }
}

/// Go too says that the tree of a log of which something was erased goes on from that of before.
fn erasures(questions: &mut Questions) {
    let (before, after) = (crate::erasure::whole(), crate::erasure::erased());
    let leaves = |made: &Made| -> Vec<Digest> {
        let frames = made.frames().into_iter();
        let frame =
            |(n, _, at, len): (usize, usize, usize, usize)| made.segments[n][at..at + len].to_vec();
        let summaries = frames.map(frame).filter(|frame| frame[0] == 3);
        summaries.map(|frame: Vec<u8>| tree_leaf(&frame[8..])).collect()
    };
    let (old, new) = (leaves(&before), leaves(&after));
    // What was signed before the erasure, by a check of the log of before.
    let (size, root) = (old.len() as u64, hex(&checked(&before).unwrap().0.root));
    let now = hex(&checked(&after).unwrap().0.root);
    let proof = prove_consistency(size, new.len() as u64, Nodes::of(&new).reader()).unwrap();
    let request = format!("tree {} {now} {size} {root}", new.len());
    questions.ask(format_args!("{request} {}", spelled(&proof)), "accepted");
    questions.ask(format_args!("{request} {}", flipped(&proof, 0)), "refused");
    for (n, leaf) in old.iter().enumerate() {
        let proof = prove_inclusion(n as u64, new.len() as u64, Nodes::of(&new).reader()).unwrap();
        let request = format!("record {} {now} {n} {}", new.len(), hex(leaf));
        questions.ask(format_args!("{request} {}", spelled(&proof)), "accepted");
    }
}

fn tiles(questions: &mut Questions, folder: &Folder) {
    let all = leaves(66_000);
    let nodes = Nodes::of(&all);
    let mut kept = BTreeMap::<Tile, Vec<u8>>::new();
    let mut old = 0;
    for size in [1u64, 255, 256, 257, 300, 65_535, 65_536, 66_000] {
        let read = |tile: Tile| Ok::<_, TileError>(kept.get(&tile).cloned());
        let grown = grow_tiles(old, &all[old as usize..size as usize], read).unwrap();
        kept.extend(grown);
        old = size;
    }
    for (tile, bytes) in &kept {
        folder.write(&tile.to_string(), bytes);
    }
    for size in [1u64, 255, 256, 257, 300, 65_536, 66_000] {
        let root = hex(&tree_root(size, nodes.reader()).unwrap());
        for index in [0, 1, 255, 256, 299, 40_000, 65_535, 65_999] {
            let Some(leaf) = all[..size as usize].get(index as usize).map(|leaf| hex(leaf)) else {
                continue;
            };
            let request = format!("tile {size} {root} {index} {leaf}");
            questions.ask(format_args!("{request} - 0"), "accepted");
            let other = hex(&all[index as usize + 1 - 2 * (index as usize % 2)]);
            questions.ask(format_args!("tile {size} {root} {index} {other} - 0"), "refused");
            let proof = spelled(&prove_inclusion(index, size, nodes.reader()).unwrap());
            questions.ask(format_args!("prove {size} {root} {index}"), proof);
            let grown = spelled(&prove_consistency(index + 1, size, nodes.reader()).unwrap());
            questions.ask(format_args!("grown {size} {root} {}", index + 1), grown);
        }
    }
    // Every hash of the tiles that say what leaf 70 of 300 is.
    let (root, leaf) = (hex(&tree_root(300, nodes.reader()).unwrap()), hex(&all[70]));
    for (path, hashes) in [("tile/0/000", 256), ("tile/0/001.p/44", 44), ("tile/1/000.p/1", 1)] {
        for n in 0..hashes {
            let offset = n * 32 + n % 32;
            questions.ask(format_args!("tile 300 {root} 70 {leaf} {path} {offset}"), "refused");
        }
    }
    for (level, index, width) in
        [(0, 0, 256), (0, 273, 112), (5, 1_234_067, 1), (63, 999, 255), (-1, 1000, 256), (-1, 7, 9)]
    {
        let tile = match level {
            -1 if index == 7 => "tile/entries/007.p/9",
            -1 => "tile/entries/x001/000",
            0 if index == 0 => "tile/0/000",
            0 => "tile/0/273.p/112",
            5 => "tile/5/x001/x234/067.p/1",
            _ => "tile/63/999.p/255",
        };
        assert!(Tile::parse(tile).is_ok());
        questions.ask(format_args!("path {level} {index} {width}"), tile);
    }
}

fn notes(questions: &mut Questions, folder: &Folder) {
    let log = signer("log.example/stillthere", Algorithm::Ed25519, 1);
    let witness = signer("witness.example", Algorithm::Cosignature, 2);
    let (key, witness_key) = (log.verifier(), witness.verifier());
    let nodes = Nodes::of(&leaves(300));
    let checkpoint = Checkpoint {
        origin: key.name().to_owned(),
        size: 300,
        root: tree_root(300, nodes.reader()).unwrap(),
        extensions: Vec::new(),
    };
    let mut note = checkpoint.sign(&log).unwrap();
    let alone = hex(note.to_string().as_bytes());
    let text = hex(checkpoint.to_string().as_bytes());
    questions.ask(format_args!("sign {} {text}", *log.encode()), alone);
    note.add(cosign(&note, &witness, 1_772_000_000).unwrap()).unwrap();
    folder.write("checkpoint", note.to_string().as_bytes());
    questions.ask(format_args!("note checkpoint {key}"), "accepted");
    questions.ask(format_args!("note checkpoint {PETER}"), "refused");
    questions.ask(format_args!("cosigned checkpoint {witness_key} 1772000000"), "accepted");
    questions.ask(format_args!("cosigned checkpoint {witness_key} 1772000001"), "refused");
    let other = signer("witness.example", Algorithm::Cosignature, 3);
    questions.ask(format_args!("cosigned checkpoint {} 1772000000", other.verifier()), "refused");

    // What Go says of a note with a changed byte, this crate says. But Go lets the unused bits of base64
    // be anything, where this crate has one spelling.
    let whole = note.to_string();
    for n in (0..whole.len()).filter(|n| !whole.as_bytes()[n + 1..].starts_with(b"=")) {
        let mut bytes = whole.as_bytes().to_vec();
        bytes[n] ^= 1 << (n % 8);
        let name = format!("flipped/{n}");
        folder.write(&name, &bytes);
        let opens = |known| Note::parse(&bytes).is_ok_and(|note| note.open(&[known]).is_ok());
        let judged = |holds| if holds { "accepted" } else { "refused" };
        questions.ask(format_args!("note {name} {key}"), judged(opens(key.clone())));
        let holds = opens(witness_key.clone());
        let request = format!("cosigned {name} {witness_key} 1772000000");
        questions.ask(format_args!("{request}"), judged(holds));
    }

    folder.write("published", format!("{TEXT}\n{BY_PETER}{BY_ENOCH}").as_bytes());
    questions.ask(format_args!("note published {PETER}"), "accepted");
    let peter = SignerKey::parse(PETER_SECRET).unwrap();
    for text in ["\n", "one\n\ntwo\n\n", "— è\n", TEXT] {
        let mut note = Note::new(text.to_owned()).unwrap();
        note.sign(&peter).unwrap();
        let signed = hex(note.to_string().as_bytes());
        assert_eq!(unhex(&signed).unwrap(), note.to_string().as_bytes());
        questions.ask(format_args!("sign {PETER_SECRET} {}", hex(text.as_bytes())), signed);
    }
}

#[test]
fn go_says_the_same() {
    if let Some(why) = missing() {
        eprintln!("LEFT OUT: notes, tiles and proofs held against Go's: {why}");
        return;
    }
    let folder = Folder::new();
    let mut questions = Questions::default();
    proofs(&mut questions);
    erasures(&mut questions);
    tiles(&mut questions, &folder);
    notes(&mut questions, &folder);
    assert!(questions.expected.iter().filter(|answer| *answer == "refused").count() > 1000);
    questions.check(&folder.0);
}
