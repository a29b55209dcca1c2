#!/usr/bin/env python3
"""Opens signed notes, written from docs/proofs.md ("Signed notes and keys") and RFC 8032 alone.

    python3 docs/check_notes.py NOTE VKEY...    print the text of a note that one of the keys signed

Ed25519 is in here, strict and slow: nothing secret passes through it.
"""

import base64
import hashlib
import re
import sys

# --- Ed25519, as RFC 8032, section 5.1, verifies it without the cofactor ---

P = 2**255 - 19
ORDER = 2**252 + 27742317777372353535851937790883648493
D = -121665 * pow(121666, P - 2, P) % P
ROOT_OF_MINUS_ONE = pow(2, (P - 1) // 4, P)
NEUTRAL = 0, 1, 1, 0


def add(p, q):
    a, b = (p[1] - p[0]) * (q[1] - q[0]) % P, (p[1] + p[0]) * (q[1] + q[0]) % P
    c, d = 2 * p[3] * q[3] * D % P, 2 * p[2] * q[2] % P
    e, f, g, h = b - a, d - c, d + c, b + a
    return e * f % P, g * h % P, f * g % P, e * h % P


def times(count, point):
    product = NEUTRAL
    while count:
        if count & 1:
            product = add(product, point)
        point, count = add(point, point), count >> 1
    return product


def is_same(p, q):
    return (p[0] * q[2] - q[0] * p[2]) % P == 0 and (p[1] * q[2] - q[1] * p[2]) % P == 0


def point_of(data):
    """The point that these 32 bytes spell. Refuses a second spelling."""
    y = int.from_bytes(data, "little")
    sign, y = y >> 255, y & (1 << 255) - 1
    assert y < P, "a second spelling of a point"
    square = (y * y - 1) * pow(D * y * y + 1, P - 2, P) % P
    x = pow(square, (P + 3) // 8, P)
    if (x * x - square) % P:
        x = x * ROOT_OF_MINUS_ONE % P
    assert (x * x - square) % P == 0, "no point"
    assert x or not sign, "a second spelling of a point"
    if x & 1 != sign:
        x = P - x
    return x, y, 1, x * y % P


def large_point(data):
    point = point_of(data)
    assert not is_same(times(8, point), NEUTRAL), "a point of small order"
    return point


BASE = point_of((4 * pow(5, P - 2, P) % P).to_bytes(32, "little"))


def is_signed(key, signature, text):
    """Whether the signature of the text holds under a public key."""
    try:
        assert len(signature) == 64, "another length"
        nonce, scalar = large_point(signature[:32]), int.from_bytes(signature[32:], "little")
        assert scalar < ORDER, "a second spelling of a number"
        challenge = int.from_bytes(hashlib.sha512(signature[:32] + key + text).digest(), "little") % ORDER
        return is_same(times(scalar, BASE), add(nonce, times(challenge, large_point(key))))
    except AssertionError:
        return False


# --- notes ---

LARGEST, MOST_SIGNATURES, LOG_SIGNATURE = 1 << 20, 100, 1


def unbase64(text):
    data = base64.b64decode(text, validate=True)
    assert base64.b64encode(data).decode() == text, "a second spelling of base64"
    return data


def check_name(name):
    assert name and "+" not in name and not any(mark.isspace() for mark in name), "no name of a key"


class Key:
    """A key that verifies, from its text."""

    def __init__(self, text):
        found = re.fullmatch(r"([^+]*)\+([0-9a-f]{8})\+(.*)", text, re.DOTALL)
        assert found, "no key"
        self.name, self.id, key = found[1], bytes.fromhex(found[2]), unbase64(found[3])
        check_name(self.name)
        assert self.id == hashlib.sha256(self.name.encode() + b"\n" + key).digest()[:4], "the id is not the key's own"
        self.algorithm, self.public = key[0], key[1:]
        assert self.algorithm == LOG_SIGNATURE and len(self.public) == 32, "another algorithm"
        large_point(self.public)


def signature_of(line):
    """The name, the key's id, and the signature of a line of a note."""
    found = re.fullmatch("\u2014 ([^ ]*) ([^ ]*)", line)
    assert found, "no signature line"
    check_name(found[1])
    data = unbase64(found[2])
    assert len(data) > 4, "a signature without bytes"
    return found[1], data[:4], data[4:]


def signatures_of(note):
    """A note's text, and its signatures as they stand there."""
    data = note.encode()
    assert len(data) <= LARGEST, "too large a note"
    assert not any(mark < " " and mark != "\n" for mark in note), "a control character"
    text, blank, lines = note.rpartition("\n\n")
    assert blank and lines.endswith("\n"), "no note"
    signatures = [signature_of(line) for line in lines[:-1].split("\n")]
    assert len(signatures) <= MOST_SIGNATURES, "too many signatures"
    return text + "\n", signatures


def open_note(note, keys):
    """A note's text and those of the keys that signed it: one at least."""
    text, signatures = signatures_of(note)
    signed = []
    for key in keys:
        found = [signature for name, ident, signature in signatures if (name, ident) == (key.name, key.id)]
        assert len(found) <= 1, "two signatures by one key"
        if found:
            assert is_signed(key.public, found[0], text.encode()), "a signature that does not hold"
            signed.append(key)
    assert signed, "signed by none of the keys"
    return text, signed


def number(text):
    assert re.fullmatch(r"0|[1-9][0-9]*", text, re.ASCII) and int(text) < 1 << 63, "no number"
    return int(text)


def open_checkpoint(note, key):
    """The origin, the number of pages, and the tree's root of a log's checkpoint."""
    text, _ = open_note(note, [key])
    origin, size, root, *extensions = text[:-1].split("\n")
    root = unbase64(root)
    assert origin == key.name, "of another origin"
    assert len(root) == 32 and all(extensions), "no checkpoint"
    return origin, number(size), root


if __name__ == "__main__":
    if len(sys.argv) < 3:
        sys.exit(__doc__)
    with open(sys.argv[1], encoding="utf-8", newline="") as file:
        print(open_note(file.read(), [Key(key) for key in sys.argv[2:]])[0], end="")
