//! Tiles: paths, growth, and nodes read out of them.

use std::cell::Cell;
use std::collections::BTreeMap;

use stillthere_commitment::{
    Digest, Frontier, MAX_TREE, Tile, TileError, TileKind, Tiles, check_consistency,
    check_inclusion, decode_bundle, encode_bundle, grow_tiles, new_bundles, new_tiles,
};

use crate::plain::{Nodes, leaves};

type Kept = BTreeMap<String, Vec<u8>>;

fn reader(kept: &Kept) -> impl FnMut(Tile) -> Result<Option<Vec<u8>>, TileError> {
    |tile| Ok(kept.get(&tile.to_string()).cloned())
}

fn grow(kept: &mut Kept, old: u64, new: &[Digest]) {
    for (tile, bytes) in grow_tiles(old, new, reader(kept)).unwrap() {
        kept.insert(tile.to_string(), bytes);
    }
}

/// The path of a tile of hashes whose number has at most four digits.
fn path(level: u8, index: u64, width: u64) -> String {
    let thousands = if index < 1000 { String::new() } else { format!("x{:03}/", index / 1000) };
    let width = if width == 256 { String::new() } else { format!(".p/{width}") };
    format!("tile/{level}/{thousands}{:03}{width}", index % 1000)
}

/// The tiles of a tree by the definition: on level `l` the hashes of every 256^l leaves.
fn defined(nodes: &Nodes, size: u64) -> Kept {
    let mut kept = Kept::new();
    for level in 0..3u8 {
        let count = size >> (8 * level);
        for index in 0..count.div_ceil(256) {
            let width = (count - index * 256).min(256);
            let bytes = (0..width).flat_map(|n| nodes.get(8 * level, index * 256 + n)).collect();
            kept.insert(path(level, index, width), bytes);
        }
    }
    kept
}

#[test]
fn a_path_has_one_spelling() {
    let hashes = |level| Some(TileKind::Hashes { level });
    let entries = Some(TileKind::Entries);
    let cases = [
        ("tile/0/000", hashes(0), 0, 256),
        ("tile/0/x001/x234/067", hashes(0), 1_234_067, 256),
        ("tile/0/x001/x234/067.p/1", hashes(0), 1_234_067, 1),
        ("tile/63/999.p/255", hashes(63), 999, 255),
        ("tile/entries/x001/000", entries, 1000, 256),
        ("tile/entries/273.p/112", entries, 273, 112),
        // MAX_TREE / 256.
        ("tile/0/x036/x028/x797/x018/x963/967", hashes(0), MAX_TREE / 256, 256),
        ("tile/0/x036/x028/x797/x018/x963/968", None, 0, 0),
        ("tile/0/x999/x999/x999/x999/x999/x999/x999/x999/999", None, 0, 0),
        ("tile/64/000", None, 0, 0),
        ("tile/00/000", None, 0, 0),
        ("tile/-1/000", None, 0, 0),
        ("tile/data/000", None, 0, 0),
        ("tile/8/0/000", None, 0, 0),
        ("tile/0/0", None, 0, 0),
        ("tile/0/00", None, 0, 0),
        ("tile/0/0000", None, 0, 0),
        ("tile/0/x000", None, 0, 0),
        ("tile/0/x000/000", None, 0, 0),
        ("tile/0/x001/x000", None, 0, 0),
        ("tile/0/001/000", None, 0, 0),
        ("tile/0/+12", None, 0, 0),
        ("tile/0/xx12", None, 0, 0),
        ("tile/0/000.p/0", None, 0, 0),
        ("tile/0/000.p/256", None, 0, 0),
        ("tile/0/000.p/01", None, 0, 0),
        ("tile/0/000.p/", None, 0, 0),
        ("tile/0/000.p", None, 0, 0),
        ("tile/0/000.p/1/", None, 0, 0),
        ("tile/0/000.p/1.p/1", None, 0, 0),
        ("tile/0/000/", None, 0, 0),
        ("tile/0//000", None, 0, 0),
        ("tile/0/", None, 0, 0),
        ("/tile/0/000", None, 0, 0),
        ("tile/0/٠٠٠", None, 0, 0),
        ("", None, 0, 0),
    ];
    for (path, kind, index, width) in cases {
        match (Tile::parse(path), kind) {
            (Ok(tile), Some(kind)) => {
                assert_eq!(
                    (tile.kind(), tile.index(), tile.width()),
                    (kind, index, width),
                    "{path}"
                );
                assert_eq!(tile.to_string(), path);
            }
            (Err(e), None) => assert_eq!(e, TileError::Path(path.to_owned())),
            (found, _) => panic!("{path}: {found:?}"),
        }
    }
}

/// The example of C2SP tlog-tiles, and the numbers it follows from.
#[test]
fn a_tree_of_seventy_thousand() {
    let all: Vec<Tile> = new_tiles(0, 70_000).collect();
    assert_eq!(all.len(), 273 + 1 + 1 + 1 + 1);
    let partial: Vec<String> =
        all.iter().filter(|tile| tile.width() < 256).map(Tile::to_string).collect();
    assert_eq!(partial, ["tile/0/273.p/112", "tile/1/001.p/17", "tile/2/000.p/1"]);
    let all: Vec<String> = new_tiles(0, 256).map(|tile| tile.to_string()).collect();
    assert_eq!(all, ["tile/0/000", "tile/1/000.p/1"]);
    let all: Vec<String> = new_bundles(255, 513).map(|tile| tile.to_string()).collect();
    assert_eq!(all, ["tile/entries/000", "tile/entries/001", "tile/entries/002.p/1"]);
    assert_eq!(new_bundles(255, 513).last().unwrap().range(), 512..513);
    assert_eq!(new_tiles(300, 300).count(), 0);
    assert_eq!(new_tiles(301, 300).count(), 0);
    assert_eq!(new_tiles(MAX_TREE - 1, MAX_TREE).count(), 1);
}

/// Sizes around the borders of tiles, on three levels.
fn sizes() -> Vec<u64> {
    let borders = [256, 512, 2 * 256 + 128, 65_536, 65_536 + 256, 65_536 + 512];
    let mut sizes: Vec<u64> = borders.iter().flat_map(|b| b - 2..=b + 2).chain(0..4).collect();
    sizes.extend([1000, 30_000, 65_000, 70_000]);
    sizes.sort_unstable();
    sizes.dedup();
    sizes
}

#[test]
fn however_a_tree_grew_its_tiles_are_the_same() {
    let all = leaves(70_000);
    let nodes = Nodes::of(&all);
    let part = |from: u64, to: u64| &all[from as usize..to as usize];
    let (mut kept, mut old, mut tree) = (Kept::new(), 0, Frontier::default());
    for size in sizes() {
        // Only the right edge is read, and only what is new is written.
        let reads = Cell::new(0);
        let grown = grow_tiles(old, part(old, size), |tile| {
            reads.set(reads.get() + 1);
            reader(&kept)(tile)
        });
        let grown = grown.unwrap();
        assert!(reads.get() <= 3, "{} tiles read from {old} to {size}", reads.get());
        let listed: Vec<Tile> = new_tiles(old, size).collect();
        assert_eq!(grown.iter().map(|(tile, _)| *tile).collect::<Vec<_>>(), listed);
        kept.extend(grown.into_iter().map(|(tile, bytes)| (tile.to_string(), bytes)));
        part(old, size).iter().for_each(|leaf| tree.push(*leaf));
        old = size;

        let mut scratch = Kept::new();
        grow(&mut scratch, 0, part(0, size));
        let defined = defined(&nodes, size);
        assert!(scratch == defined, "{size}");
        // What is kept of earlier sizes is partial tiles.
        assert!(defined.iter().all(|(path, bytes)| kept.get(path) == Some(bytes)), "{size}");
        assert_eq!(Tiles::new(size, reader(&kept)).root(), Ok(tree.root()), "{size}");
    }
}

/// In steps of any length, where the full tile may stand for a partial one that was deleted.
#[test]
fn full_tiles_stand_for_partial_ones() {
    let all = leaves(3000);
    let nodes = Nodes::of(&all);
    let (mut kept, mut old) = (Kept::new(), 0usize);
    for step in (1..80).cycle() {
        let new = (old + step * 7 % 311).min(all.len());
        grow(&mut kept, old as u64, &all[old..new]);
        old = new;
        if old == all.len() {
            break;
        }
    }
    let full: Kept = kept
        .iter()
        .filter(|(_, bytes)| bytes.len() == 8192)
        .map(|(p, b)| (p.clone(), b.clone()))
        .collect();
    for size in [256, 700, 1279, 2560, 2815] {
        let read = |tile: Tile| {
            let asked = full.get(&tile.full().to_string()).or_else(|| kept.get(&tile.to_string()));
            Ok::<_, TileError>(asked.cloned())
        };
        let mut tiles = Tiles::new(size, read);
        assert_eq!(tiles.root().unwrap(), crate::plain::root(&all[..size as usize]));
        for level in 0..12 {
            for index in 0..size >> level {
                assert_eq!(tiles.node(level, index).unwrap(), nodes.get(level, index));
            }
            let outside = TileError::Outside { level, index: size >> level, size };
            assert_eq!(tiles.node(level, size >> level), Err(outside));
        }
        assert!(tiles.node(64, 0).is_err());
    }
}

#[test]
fn proofs_come_out_of_tiles() {
    let all = leaves(66_000);
    let mut kept = Kept::new();
    grow(&mut kept, 0, &all);
    let mut tiles = Tiles::new(66_000, reader(&kept));
    let root = tiles.root().unwrap();
    for index in [0, 1, 255, 256, 65_535, 65_536, 65_999] {
        let proof = tiles.prove_inclusion(index).unwrap();
        let leaf = &all[index as usize];
        assert_eq!(check_inclusion(leaf, index, 66_000, &proof, &root), Ok(()));
    }
    let nodes = Nodes::of(&all);
    for old in [0, 1, 255, 256, 257, 65_535, 65_536, 65_537, 66_000] {
        let proof = tiles.prove_consistency(old).unwrap();
        let old_root = stillthere_commitment::tree_root(old, nodes.reader()).unwrap();
        assert_eq!(check_consistency(old, &old_root, 66_000, &root, &proof), Ok(()));
    }
}

#[test]
fn a_tile_that_is_missing_or_cut_is_named() {
    let all = leaves(600);
    let mut kept = Kept::new();
    grow(&mut kept, 0, &all);
    for path in ["tile/0/000", "tile/0/002.p/88", "tile/1/000.p/2"] {
        let tile = Tile::parse(path).unwrap();
        let try_all = |kept: &Kept| {
            let mut tiles = Tiles::new(600, reader(kept));
            let each = [0, 599].map(|index| tiles.prove_inclusion(index).map(|_| ()));
            let grown = grow_tiles(600, &[[1; 32]], reader(kept)).map(|_| ());
            let grown = if path == "tile/0/000" { Ok(()) } else { grown };
            each.into_iter().chain([grown]).find_map(Result::err)
        };
        let mut without = kept.clone();
        let bytes = without.remove(path).unwrap();
        assert_eq!(try_all(&without), Some(TileError::Missing(tile)));
        let expected = bytes.len();
        for found in [0, 1, 31, expected - 32, expected - 1, expected + 1, expected + 32] {
            let mut long = bytes.clone();
            long.resize(found, 0);
            without.insert(path.to_owned(), long);
            assert_eq!(try_all(&without), Some(TileError::Length { tile, expected, found }));
        }
    }
    let too_large = grow_tiles(MAX_TREE, &[[0; 32]], reader(&kept));
    assert!(matches!(too_large, Err(TileError::Proof(_))), "{too_large:?}");
}

#[test]
fn bundles_come_back_and_nothing_else_does() {
    let entries: [&[u8]; 4] = [b"one", b"", &[7; 120], &[0; 65_535]];
    let bytes = encode_bundle(&entries);
    assert_eq!(&bytes[..7], b"\0\x03one\0\0");
    assert_eq!(decode_bundle(&bytes, 4).unwrap(), entries);
    assert_eq!(decode_bundle(&[], 0).unwrap(), [b""; 0]);
    for (bytes, width, said) in [
        (&bytes[..], 3, "at byte 129: expected the end after 3 entries, found 65537 more bytes"),
        (&bytes[..], 5, "at byte 65666: expected entry 4 of 5, found 0 bytes"),
        (&bytes[..6], 2, "at byte 5: expected entry 1 of 2, found 1 bytes"),
        (&bytes[..4], 1, "at byte 0: expected entry 0 of 1, found 4 bytes"),
    ] {
        assert_eq!(decode_bundle(bytes, width).unwrap_err().to_string(), said);
    }
}
