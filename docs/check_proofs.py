#!/usr/bin/env python3
"""Checks proofs of the account map, written from docs/proofs.md alone.

    python3 docs/check_proofs.py map ROOT ORIGIN NAME PROOF   what the map of this root (in hexadecimal) says
                                                              of this account, by a proof in a file
    python3 docs/check_proofs.py --vectors FILE               hold the test vectors against this code

Shares no code with the program and needs nothing but Python 3. BLAKE3 and `H` are those of check_format.py, beside
which this file lies.
"""

import json
import struct
import sys

from check_format import H, blake3

EMPTY = bytes(32)
NODE_KEY = b"stillthere.map.node.v1.........."


def key_of(origin, name):
    origin = origin.encode()
    return H(10, struct.pack("<I", len(origin)) + origin + name.encode())


def blind_of(secret, head, count):
    return blake3(b"\4" + struct.pack("<Q", count) + head, secret)


def leaf_of(key, blind, head, count):
    return H(11, key + blind + head + struct.pack("<Q", count))


def node(left, right):
    return EMPTY if left == right == EMPTY else blake3(left + right, NODE_KEY)


def bit(key, depth):
    return key[depth // 8] >> 7 - depth % 8 & 1


def map_root(leaves, depth=0):
    """The definition: over (key, leaf) in the order of the keys."""
    if not leaves:
        return EMPTY
    if depth == 256:
        (_, leaf), = leaves
        return leaf
    return node(map_root([at for at in leaves if not bit(at[0], depth)], depth + 1),
                map_root([at for at in leaves if bit(at[0], depth)], depth + 1))


def check_proof(root, key, proof):
    """What the root says of the key: (head, count, blind), or None if there is no account. An assertion that fails
    is no proof."""
    kind, last = struct.unpack_from("<BH", proof)
    assert kind <= 1 and last <= 256, "kind or depth"
    size = -(-last // 8)
    bits = proof[3:3 + size]
    assert len(bits) == size, "too short"
    depths = [depth for depth in range(1, size * 8 + 1) if bit(bits, depth - 1)]
    assert (depths[-1] if depths else 0) == last, "the last bit is not that of the last depth"
    at = 3 + size
    assert len(proof) == at + 32 * len(depths) + 72 * kind, "too short or too long"
    beside = {depth: proof[at + 32 * n:at + 32 * n + 32] for n, depth in enumerate(depths)}
    assert EMPTY not in beside.values(), "an empty subtree has no hash"
    said, value, depth = None, EMPTY, last
    if kind:
        blind, head, count = struct.unpack("<32s32sQ", proof[-72:])
        assert count < 1 << 62, "a count that none has"
        said, value, depth = (head, count, blind), leaf_of(key, blind, head, count), 256
    while depth:
        pair = value, beside.get(depth, EMPTY)
        depth -= 1
        value = node(*(reversed(pair) if bit(key, depth) else pair))
    assert value == root, "another root"
    return said


def is_refused(root, key, proof):
    try:
        check_proof(root, key, proof)
    except (AssertionError, struct.error):
        return True
    return False


def check_vectors(path):
    with open(path, encoding="utf-8") as file:
        vectors = json.load(file)
    text, origin = bytes.fromhex, vectors["origin"]
    for v in vectors["keys"]:
        assert key_of(v["origin"], v["name"]).hex() == v["key"], v
    for v in vectors["maps"]:
        leaves, says = [], {}
        for account in v["accounts"]:
            key, head, count = key_of(origin, account["name"]), text(account["head"]), account["count"]
            blind = blind_of(text(account["secret"]), head, count)
            leaf = leaf_of(key, blind, head, count)
            assert blind.hex() == account["blind"] and leaf.hex() == account["leaf"], account
            leaves.append((key, leaf))
            says[account["name"]] = head, count, blind
        root = map_root(sorted(leaves))
        assert root.hex() == v["root"], v["root"]
        for proof in v["proofs"]:
            said = check_proof(root, key_of(origin, proof["name"]), text(proof["proof"]))
            assert said == says.get(proof["name"]) and (said is not None) == proof["is_there"], proof
        for proof in v["refused"]:
            assert is_refused(root, key_of(origin, proof["name"]), text(proof["proof"])), proof
    return {"keys": len(vectors["keys"]), "maps": len(vectors["maps"]),
            "proofs": sum(len(v["proofs"]) for v in vectors["maps"]),
            "refused": sum(len(v["refused"]) for v in vectors["maps"])}


if __name__ == "__main__":
    if len(sys.argv) == 3 and sys.argv[1] == "--vectors":
        print(json.dumps(check_vectors(sys.argv[2])))
    elif len(sys.argv) == 6 and sys.argv[1] == "map":
        with open(sys.argv[5], "rb") as given:
            told = check_proof(bytes.fromhex(sys.argv[2]), key_of(*sys.argv[3:5]), given.read())
        print(json.dumps(told and {"head": told[0].hex(), "count": told[1]}))
    else:
        sys.exit(__doc__)
