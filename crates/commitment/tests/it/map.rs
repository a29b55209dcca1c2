//! Holds the code against `fixtures/proofs/map.json`, and the vectors against the code of another language, written
//! from `docs/proofs.md` alone.
//!
//! `UPDATE_FIXTURES=1` writes the vectors anew.

use std::process::Command;

use serde_json::{Value, json};
use stillthere_commitment::{AccountMap, MapKey, MapLeaf, MapProof, hex, unhex};

use crate::root;

const ORIGIN: &str = "stillthere.example/log";

/// Names, of which the first two have keys that share more bits than others do.
fn names() -> Vec<String> {
    let mut names: Vec<(MapKey, String)> = (0..4000)
        .map(|n| format!("account-{n}"))
        .map(|name| (MapKey::of(ORIGIN, &name), name))
        .collect();
    names.sort();
    let shared = |n: &usize| {
        let words = |n: usize| u64::from_be_bytes(names[n].0.as_bytes()[..8].try_into().unwrap());
        (words(*n) ^ words(*n + 1)).leading_zeros()
    };
    let nearest = (0..names.len() - 1).max_by_key(shared).unwrap();
    assert!(shared(&nearest) > 16);
    let near = [names[nearest].1.clone(), names[nearest + 1].1.clone()];
    let others = (0..).map(|n| format!("account-{n}")).filter(|name| !near.contains(name)).take(60);
    near.iter().cloned().chain(["名".to_owned()]).chain(others).collect()
}

fn leaf(n: usize) -> ([u8; 32], MapLeaf) {
    let (secret, head) = ([n as u8 ^ 0x5c; 32], [n as u8 ^ 0xa3; 32]);
    (secret, MapLeaf::of(&secret, &head, 1 + n as u64 * 1_000_003))
}

/// Bytes of a proof that are none, by what is wrong with them.
fn broken(proof: &[u8]) -> Vec<(&'static str, Vec<u8>)> {
    let with = |change: &dyn Fn(&mut Vec<u8>)| {
        let mut bytes = proof.to_vec();
        change(&mut bytes);
        bytes
    };
    let last = usize::from(u16::from_le_bytes([proof[1], proof[2]]));
    let bits = last.div_ceil(8);
    let mut broken = vec![
        ("a byte behind the end", with(&|bytes| bytes.push(0))),
        ("the last byte is not there", with(&|bytes| _ = bytes.pop())),
        ("a kind above 1", with(&|bytes| bytes[0] = 2)),
        ("the other kind", with(&|bytes| bytes[0] ^= 1)),
        ("a depth above 256", with(&|bytes| bytes[2] = 2)),
        ("one depth more", with(&|bytes| bytes[1] += 1)),
    ];
    if last > 0 {
        broken
            .push(("no bit at the last depth", with(&|b| b[2 + bits] ^= 0x80 >> ((last - 1) % 8))));
        broken.push(("a byte of bits more", with(&|b| b.insert(3 + bits, 0))));
        broken.push(("a hash of zeros", with(&|b| b[3 + bits..][..32].fill(0))));
        broken.push(("another hash", with(&|b| b[3 + bits] ^= 1)));
        if last % 8 != 0 {
            broken.push(("a bit behind the last depth", with(&|b| b[2 + bits] |= 1)));
        }
    }
    if proof[0] == 1 {
        let count = proof.len() - 8;
        broken.push(("another count", with(&|b| b[count] ^= 1)));
        broken.push(("a count of 2^62", with(&|b| b[count + 7] |= 0x40)));
        broken.push(("another blind", with(&|b| b[count - 64] ^= 1)));
        broken.push(("another head", with(&|b| b[count - 32] ^= 1)));
        broken.push((
            "no leaf",
            with(&|b| {
                b.truncate(count - 64);
                b[0] = 0;
            }),
        ));
    }
    broken
}

fn vectors() -> Value {
    let names = names();
    let keys = [("", ""), ("a", "bc"), ("ab", "c"), (ORIGIN, "名"), (ORIGIN, &names[0])];
    let keys = keys.map(|(origin, name)| {
        json!({"origin": origin, "name": name, "key": hex(MapKey::of(origin, name).as_bytes())})
    });
    let maps = [0, 1, 2, 3, 7, 40].map(|count| {
        let entry = |n: usize| {
            let key = MapKey::of(ORIGIN, &names[n]);
            (key, leaf(n).1)
        };
        let mut map = AccountMap::default();
        map.apply((0..count).map(entry).map(|(key, leaf)| (key, Some(leaf.hash(&key)))).collect());
        let accounts = (0..count).map(|n| {
            let (secret, MapLeaf { head, count, blind }) = leaf(n);
            let hash = hex(&entry(n).1.hash(&entry(n).0));
            json!({
                "name": names[n], "secret": hex(&secret), "head": hex(&head), "count": count,
                "blind": hex(&blind), "leaf": hash,
            })
        });
        let (mut proofs, mut refused) = (Vec::new(), Vec::new());
        for n in (0..count.min(4)).chain(count..count + 3) {
            let (key, leaf) = entry(n);
            let is_there = n < count;
            let proof = if is_there { map.prove(&key, leaf) } else { map.prove_absence(&key) };
            let bytes = proof.unwrap().encode();
            let says = |key, bytes: &[u8]| {
                let proof = MapProof::decode(bytes).ok()?;
                proof.check(key, &map.root()).ok().map(|leaf| leaf.copied())
            };
            assert_eq!(says(&key, &bytes), Some(is_there.then_some(leaf)));
            proofs.push(json!({"name": names[n], "is_there": is_there, "proof": hex(&bytes)}));
            let is_shown = n < 2 || n == count;
            for (why, bytes) in broken(&bytes).into_iter().filter(|_| is_shown) {
                assert_eq!(says(&key, &bytes), None, "{why}");
                refused.push(json!({"name": names[n], "why": why, "proof": hex(&bytes)}));
            }
            let other = (n + 1) % (count + 3);
            if is_there && says(&entry(other).0, &bytes).is_none() {
                let why = "another account's";
                refused.push(json!({"name": names[other], "why": why, "proof": hex(&bytes)}));
            }
        }
        let mut made = json!({
            "accounts": accounts.collect::<Vec<_>>(),
            "root": hex(&map.root()),
            "proofs": proofs,
            "refused": refused,
        });
        if count == 3 {
            made["dump"] = hex(&map.to_bytes()).into();
        }
        made
    });
    json!({"origin": ORIGIN, "keys": keys, "maps": maps})
}

#[test]
fn the_vectors_stand_in_two_languages() {
    let made = vectors();
    let path = root().join("fixtures/proofs/map.json");
    if std::env::var_os("UPDATE_FIXTURES").is_some() {
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, format!("{made:#}\n")).unwrap();
    }
    let kept = std::fs::read_to_string(&path).unwrap_or_default();
    let kept: Value = serde_json::from_str(&kept).unwrap_or_default();
    assert!(kept == made, "{} differs: a change of the map? UPDATE_FIXTURES=1", path.display());
    let dump = kept["maps"][3]["dump"].as_str().unwrap();
    let map = AccountMap::from_bytes(&unhex(dump).unwrap()).unwrap();
    assert_eq!(kept["maps"][3]["root"], hex(&map.root()));

    let script = root().join("docs/check_proofs.py");
    match Command::new("python3").arg("-B").arg(script).arg("--vectors").arg(path).output() {
        Err(e) => println!("SKIPPED: python3 cannot be run ({e}), so nothing was held against it"),
        Ok(output) => {
            let errors = String::from_utf8_lossy(&output.stderr);
            assert!(output.status.success(), "{errors}");
        }
    }
}
