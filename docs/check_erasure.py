#!/usr/bin/env python3
"""Checks certificates of erasure, written from docs/proofs.md ("Certificates of erasure") alone, and from the pages that it
names.

    python3 docs/check_erasure.py FILE --key VKEY [--auditor VKEY]... [--earlier FILE]...

Prints a line of JSON: what it says, and of each earlier certificate, which has to hold too, what was taken out of what it
shows; or the reason for which one is refused, and then exits with 1.

Shares no code with the program and needs nothing but Python 3 and the files beside it. Any assertion that fails refuses.
"""

import argparse
import struct
import sys
from dataclasses import dataclass

import check_answers as answers
import check_certificate as certificates
import check_format
from check_answers import EARLIEST, LATEST
from check_certificate import LARGEST, REFUSALS, Reader, compact, read_placed, read_since
from check_format import H, control_leaf, control_values, numbers, page_root
from check_notes import Key

ERASURE = 17


@dataclass
class Erasure:
    checkpoint: str
    since: object       # (an earlier checkpoint, hashes)
    notes: list
    seal_place: object
    seal: bytes
    record_place: object
    record: bytes
    frames: list        # (ordinal, leaf)


def read_erasure(data):
    assert len(data) <= LARGEST, "too large"
    assert data[:8] == b"STILLERA", "no certificate of erasure"
    data, checksum = data[:-32], data[-32:]
    reader = Reader(data)
    reader.take(8)
    assert reader.unsigned(4) == 1, "of another version"
    assert check_format.blake3(data) == checksum, "changed or cut since it was written"
    erasure = Erasure(
        reader.text(), reader.optional(lambda: read_since(reader)), reader.list(reader.text),
        read_placed(reader), reader.bytes(), read_placed(reader), reader.bytes(),
        reader.list(lambda: (reader.unsigned(4), reader.take(32))))
    reader.end()
    return erasure


def check_record(erasure, seal_page, size, tree_root):
    """What the record says, which is the last leaf of a page in the tree, and names these frames."""
    leaf = control_leaf(ERASURE, erasure.record_place.salt, erasure.record)
    page = certificates.check_place(erasure.record_place, leaf, None, size, tree_root)
    assert page.store == seal_page.store, "the record is of another log"
    at, ground, by, left, before, names, events, root = control_values(erasure.record, 8)
    for time in (at, *([] if before is None else [before])):
        answers.number(time, LATEST + 1, EARLIEST)
    answers.name(ground, 1024), answers.name(by)
    answers.number(left, 2)
    names, events = list(numbers(names, 1 << 31)), list(numbers(events, page.first + page.events))
    assert names or events, "an erasure of nothing"
    assert left or not names, "a name is gone, and envelopes are left"
    assert len(erasure.frames) == len(names) + len(events), "other frames than it names"
    leaves = [H(12, struct.pack("<I", ordinal) + leaf) for ordinal, leaf in erasure.frames]
    assert page_root(leaves) == root, "other frames than it names"
    return page, {"page": page.number, "at": answers.time_text(at), "ground": ground, "by": by,
                  "left": ("envelope", "leaf")[left], "before": None if before is None else answers.time_text(before),
                  "events": len(events), "accounts": len(names), "positions": events}


def taken_out(erasure, store, data, key, auditors):
    """What of an earlier certificate of the same log is among the frames."""
    certificates.check(data, key, auditors, any_known_at=True)
    earlier = certificates.read_certificate(data)
    page = certificates.page_of(earlier.seal_place.summary)
    assert page.store == store, "of another log"
    if earlier.stream is None:
        return {"account": earlier.account, "events": 0, "of": 0, "revisions": [], "name": False}
    stream, frames = earlier.stream, set(erasure.frames)

    def leaf_of(shown):
        content = shown[1] if len(shown) == 2 else H(0, shown[1] + shown[2])
        return H(1, shown[0] + content)

    name = H(4, struct.pack("<I", stream.ordinal) + stream.secret_hash + H(3, stream.name_salt + earlier.account.encode()))
    revisions = [revision for revision, shown in enumerate(stream.events) if (stream.ordinal, leaf_of(shown)) in frames]
    return {"account": earlier.account, "events": len(revisions), "of": len(stream.events), "revisions": revisions,
            "name": (stream.ordinal, name) in frames}


def check(data, key, auditors=(), earlier=()):
    erasure = read_erasure(data)
    origin, size, tree_root = certificates.check_checkpoint(erasure.checkpoint, key)
    since = certificates.check_since(erasure, key, size, tree_root)
    seal_page, events, map_root = certificates.check_seal(erasure, size, tree_root)
    page, said = check_record(erasure, seal_page, size, tree_root)
    heard = certificates.check_notes(erasure.notes, auditors, (origin, size, tree_root, events, map_root))
    taken = [taken_out(erasure, page.store, other, key, auditors) for other in earlier]
    return {"erasure": said, "since": since, "events": events, "auditors": heard, "taken_out": taken}


def read(path):
    with open(path, "rb") as file:
        return file.read()


def main():
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("file", help="a certificate of erasure")
    options.add_argument("--key", required=True, metavar="VKEY", help="the log's verifier key")
    options.add_argument("--auditor", action="append", default=[], metavar="VKEY", help="an auditor whose word counts")
    options.add_argument("--earlier", action="append", default=[], metavar="FILE", help="a certificate of before")
    options = options.parse_args()
    key, auditors = Key(options.key), [Key(auditor) for auditor in options.auditor]
    try:
        said = {"ok": True, **check(read(options.file), key, auditors, [read(path) for path in options.earlier])}
    except REFUSALS as refusal:
        said = {"ok": False, "reason": str(refusal)}
    print(compact(said))
    sys.exit(0 if said["ok"] else 1)


if __name__ == "__main__":
    main()
