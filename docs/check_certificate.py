#!/usr/bin/env python3
"""Checks certificates, written from docs/proofs.md ("Certificates") alone, and from the pages that it names.

    python3 docs/check_certificate.py FILE --key VKEY [--auditor VKEY]... [--any-known-at]
    python3 docs/check_certificate.py - --key VKEY [--auditor VKEY]... [--any-known-at]

With `-` the names of files come from standard input. Prints a line of JSON for each: what it says, or the reason for which it
is refused, and with it, where all but the answers is in order, the texts of those that follow. Exit 1 if any is refused.

Shares no code with the program and needs nothing but Python 3 and the files beside it. What an answer is that follows
from events and a policy is in check_answers.py. Any assertion that fails refuses the certificate.
"""

import argparse
import functools
import hashlib
import json
import re
import struct
import sys
from dataclasses import dataclass

import check_answers as answers
import check_format
import check_proofs
from check_answers import EARLIEST, LATEST, Fold, Policy
from check_format import H, control_leaf, control_value, control_values, unpack
from check_notes import Key, number, open_checkpoint, open_note, signatures_of

LARGEST = 1 << 30
CANONICAL_KEY = b"stillthere.event.canonical.v1..."
SEAL, ADOPTION = 16, 18
REJECTED = 22
AUDIT = r"stillthere audit v1\n(.+)\n(\d+)\n([0-9a-f]{64})\n(\d+)\n([0-9a-f]{64})\n"

# Of many certificates of one log the same hashes are asked for.
check_proof = functools.lru_cache(4096)(check_proofs.check_proof)
check_checkpoint = functools.lru_cache(64)(open_checkpoint)
event_leaf = functools.lru_cache(1 << 16)(lambda envelope, content_hash: H(1, envelope + content_hash))
content_hash = functools.lru_cache(1 << 16)(lambda salt, content: H(0, salt + content))
canonical_hash = functools.lru_cache(1 << 16)(lambda data: check_format.blake3(data, CANONICAL_KEY))
policy_hash = functools.lru_cache(64)(check_format.blake3)
chain = functools.lru_cache(1 << 16)(check_format.chain)
node = functools.lru_cache(1 << 12)(lambda left, right: H(9, left + right))


# --- reading ---

class Reader:
    """Takes fields from the front; nothing may be left."""

    def __init__(self, data):
        self.data, self.at = data, 0

    def take(self, count):
        taken = self.data[self.at:self.at + count]
        assert len(taken) == count, "cut short"
        self.at += count
        return taken

    def unsigned(self, size):
        return int.from_bytes(self.take(size), "little")

    def time(self):
        at = int.from_bytes(self.take(8), "little", signed=True)
        assert EARLIEST <= at <= LATEST, "no time"
        return at

    def bytes(self):
        return self.take(self.unsigned(4))

    def text(self):
        return self.bytes().decode("utf-8")

    def list(self, read):
        return [read() for _ in range(self.unsigned(4))]

    def optional(self, read):
        there = self.unsigned(1)
        assert there <= 1, "neither there nor absent"
        return read() if there else None

    def end(self):
        assert self.at == len(self.data), "bytes behind the end"


@dataclass
class Placed:
    """The way of a control frame to the tree's root."""
    salt: bytes
    in_page: list
    summary: bytes
    in_tree: list


@dataclass
class Stream:
    ordinal: int
    name_salt: bytes
    secret_hash: bytes
    events: list        # (envelope, salt, content, position), or (envelope, hash) by envelope


@dataclass
class Certificate:
    checkpoint: str
    since: object       # (an earlier checkpoint, hashes)
    notes: list
    seal_place: Placed
    seal: bytes
    map_proof: bytes
    account: str
    stream: Stream
    policy: bytes
    adoption: object
    as_of: int
    known_at: int
    item: object
    claims: list
    answers: list


def read_placed(reader):
    return Placed(reader.take(16), reader.list(lambda: reader.take(32)), reader.take(120),
                  reader.list(lambda: reader.take(32)))


def read_since(reader):
    return reader.text(), reader.list(lambda: reader.take(32))


def read_event(reader):
    form = reader.unsigned(1)
    assert form <= 1, "neither whole nor by its envelope"
    if form == 1:
        return reader.take(40), reader.take(32)
    return reader.take(40), reader.take(16), reader.bytes(), reader.unsigned(8)


def read_stream(reader):
    return Stream(reader.unsigned(4), reader.take(16), reader.take(32), reader.list(lambda: read_event(reader)))


def read_certificate(data):
    assert len(data) <= LARGEST, "too large"
    assert data[:8] == b"STILLCRT", "no certificate"
    data, checksum = data[:-32], data[-32:]
    reader = Reader(data)
    reader.take(8)
    version = reader.unsigned(4)
    assert version <= 2, "of a later version"
    assert version >= 1, "of no version"
    assert check_format.blake3(data) == checksum, "changed or cut since it was written"
    certificate = Certificate(
        reader.text(), reader.optional(lambda: read_since(reader)) if version == 2 else None,
        reader.list(reader.text), read_placed(reader), reader.bytes(), reader.bytes(), reader.text(),
        reader.optional(lambda: read_stream(reader)), reader.bytes(),
        reader.optional(lambda: (reader.unsigned(4), read_placed(reader))),
        reader.time(), reader.time(), reader.optional(reader.text), reader.list(reader.text),
        reader.list(reader.text))
    reader.end()
    assert (certificate.since is not None) == (version == 2), "of a version that it does not need"
    return certificate


# --- places ---

def climb(leaf, index, count, beside, join):
    """The root over a leaf. Every hash beside its way is used."""
    assert index < count, "outside the tree"
    beside = list(beside)
    while count > 1:
        if index % 2:
            leaf = join(beside.pop(0), leaf)
        elif index + 1 < count:
            leaf = join(leaf, beside.pop(0))
        index, count = index // 2, -(-count // 2)
    assert not beside, "a hash left over"
    return leaf


def sha_node(left, right):
    return hashlib.sha256(b"\1" + left + right).digest()


def check_consistency(old, old_root, size, root, hashes):
    """The tree of `old` leaves is the beginning of the one of `size`: RFC 6962, 2.1.2, by its definition."""
    hashes = list(hashes)

    def both(old, size, is_left_edge):
        """The roots of the old leaves and of all of them, of a subtree in which the old tree ends."""
        if old == size:
            # What is asked about is known, if it is the whole old tree.
            known = old_root if is_left_edge else hashes.pop(0)
            return known, known
        half = 1 << (size - 1).bit_length() - 1
        if old <= half:
            old_part, part = both(old, half, is_left_edge)
            return old_part, sha_node(part, hashes.pop(0))
        old_part, part = both(old - half, size - half, False)
        left = hashes.pop(0)
        return sha_node(left, old_part), sha_node(left, part)

    assert 0 < old <= size, "no beginning"
    roots = both(old, size, True)
    assert not hashes, "a hash left over"
    assert roots == (old_root, root), "the log does not go on from the earlier checkpoint"


def check_since(certificate, key, size, root):
    """The size and root of the earlier checkpoint, from which the log goes on."""
    if certificate.since is None:
        return None
    note, hashes = certificate.since
    _, old, old_root = check_checkpoint(note, key)
    check_consistency(old, old_root, size, root, hashes)
    return {"size": old, "root": old_root.hex()}


@dataclass
class Page:
    """What a page's summary says."""
    store: bytes
    number: int
    first: int
    events: int
    leaves: int
    root: bytes


def page_of(summary):
    magic, store, page, first, events, leaves, root, _, clock = struct.unpack("<8s16sQQII32s32sq", summary)
    assert magic == b"STILLPGE" and max(page, first) < 1 << 62 and leaves, "no summary"
    assert EARLIEST <= clock <= LATEST, "no time"
    return Page(store, page, first, events, leaves, root)


def check_place(placed, leaf, index, size, tree_root):
    """The page in which this leaf is; the page is in the tree."""
    page = page_of(placed.summary)
    index = page.leaves - 1 if index is None else index
    assert climb(leaf, index, page.leaves, placed.in_page, node) == page.root, "not in its page"
    page_leaf = hashlib.sha256(b"\0" + placed.summary).digest()
    assert climb(page_leaf, page.number, size, placed.in_tree, sha_node) == tree_root, "its page is not in the tree"
    return page


def check_seal(certificate, size, tree_root):
    """The seal's page, how many events it seals, and the root of its account map."""
    leaf = control_leaf(SEAL, certificate.seal_place.salt, certificate.seal)
    page = check_place(certificate.seal_place, leaf, None, size, tree_root)
    assert page.number == size - 1, "the seal's page is not the last"
    events, accounts, root, at = control_values(certificate.seal, 4)
    assert isinstance(root, bytes) and len(root) == 32, "no root"
    assert answers.number(events, 1 << 62) == page.first + page.events, "the seal is of another size"
    answers.number(accounts, 1 << 31), answers.number(at, LATEST + 1, EARLIEST)
    return page, events, root


def check_adoption(certificate, page_of_seal, size, tree_root):
    if certificate.adoption is None:
        return
    index, placed = certificate.adoption
    compiled = certificate.policy
    body = b"\x92\xc4\x20" + policy_hash(compiled) + binary(len(compiled)) + compiled
    page = check_place(placed, control_leaf(ADOPTION, placed.salt, body), index, size, tree_root)
    assert page.store == page_of_seal.store, "adopted by another store"


def binary(count):
    """How a binary of this length begins in MessagePack."""
    if count < 1 << 8:
        return struct.pack(">BB", 0xC4, count)
    return struct.pack(">BH", 0xC5, count) if count < 1 << 16 else struct.pack(">BI", 0xC6, count)


def compiled_policy(data):
    def value(at):
        marker = data[at]
        if 0x90 <= marker <= 0x9F:
            return values(at + 1, marker & 15)
        if marker in (0xDC, 0xDD):
            size = 2 if marker == 0xDC else 4
            count = int.from_bytes(data[at + 1:at + 1 + size], "big")
            assert count >= (16 if size == 2 else 1 << 16), "not in the fewest bytes"
            return values(at + 1 + size, count)
        assert not 0x80 <= marker <= 0x8F and marker not in (0xDE, 0xDF), "a map in a policy"
        return control_value(data, at)

    def values(at, count):
        found = []
        for _ in range(count):
            each, at = value(at)
            found.append(each)
        return found, at

    found, at = value(0)
    assert at == len(data), "bytes behind the policy"
    return Policy(found)


# --- the stream ---

# What a field of a content is; with None it may be absent.
TEXT, LONG_TEXT, SIZE, CAUSE, CLEARING, FLAG, TEXTS = range(7)
FIELDS = {
    "account_opened": [(TEXT, None)], "tier_changed": [TEXT], "quota_changed": [SIZE], "sync_on": [TEXT],
    "sync_off": [TEXT], "synced": [TEXT], "item_uploaded": [LONG_TEXT, TEXT, SIZE],
    "item_modified": [LONG_TEXT, (SIZE, None)], "item_trashed": [LONG_TEXT], "item_restored": [LONG_TEXT],
    "item_purged": [LONG_TEXT, (CAUSE, None)],
    "backup_completed": [LONG_TEXT, SIZE, TEXTS], "backup_restored": [LONG_TEXT],
    "backup_purged": [LONG_TEXT, (CAUSE, None)], "backup_off": [FLAG], "upload_rejected": [TEXT, (LONG_TEXT, None)],
    "data_cleared": [CLEARING], "hold_placed": [TEXT], "hold_released": [TEXT],
}


def check_field(value, form):
    if isinstance(form, tuple):
        if value is not None:
            check_field(value, form[0])
    elif form in (TEXT, LONG_TEXT):
        answers.name(value, 1024 if form == LONG_TEXT else 128)
    elif form == FLAG:
        assert isinstance(value, bool), "neither true nor false"
    elif form == TEXTS:
        for text in answers.many(value):
            answers.name(text)
    else:
        answers.number(value, {SIZE: 1 << 53, CAUSE: 5, CLEARING: 3}[form])


def check_content(kind, padded):
    """The fields of an event, the content itself without the zeros before it, and what it is about."""
    assert len(padded) >= 16, "too short"
    content = padded.lstrip(b"\0") if len(padded) == 16 else padded
    value, end = unpack(content)
    assert end == len(content), "bytes behind a content"
    fields, ident, attributes = answers.words(value, 3)
    forms = FIELDS.get(kind, [])
    for field, form in zip(answers.words(fields, len(forms)), forms):
        check_field(field, form)
    answers.name(ident)
    assert isinstance(attributes, dict), "no attributes"
    texts = [*attributes, *attributes.values()]
    assert all(isinstance(text, str) for text in texts), "no attributes"
    assert sum(len(text.encode()) for text in texts) <= 65_536, "too many attributes"
    return fields, content, check_format.subject(answers.KINDS.index(kind), fields)


def pack_text(text):
    data = text.encode()
    size = len(data)
    return (bytes([0xA0 + size]) if size < 32 else bytes([0xD9, size])) + data


def pack_number(value):
    """A time in the fewest bytes."""
    if -32 <= value < 0:
        return struct.pack(">b", value)
    if value < 0:
        forms = (">Bb", 0xD0, -1 << 7), (">Bh", 0xD1, -1 << 15), (">Bi", 0xD2, -1 << 31), (">Bq", 0xD3, -1 << 63)
        return next(struct.pack(form, marker, value) for form, marker, least in forms if value >= least)
    if value < 128:
        return bytes([value])
    forms = (">BB", 0xCC, 1 << 8), (">BH", 0xCD, 1 << 16), (">BI", 0xCE, 1 << 32), (">BQ", 0xCF, 1 << 64)
    return next(struct.pack(form, marker, value) for form, marker, limit in forms if value < limit)


def event_hash(account, envelope, content):
    """The hash that outputs show."""
    kind, actor, surface = envelope[:3]
    occurred_at = struct.unpack_from("<q", envelope, 8)[0]
    head = bytes([0x96, kind, actor]) + (bytes([surface - 1]) if surface else b"\xc0")
    return canonical_hash(head + pack_number(occurred_at) + pack_text(account) + content).hex()


@dataclass
class Shown:
    """An event as the certificate shows it."""
    event: answers.Event
    scope: int
    about: object
    tag: bytes
    is_whole: bool
    leaf: bytes


def check_event(account, ordinal, revision, shown):
    envelope = shown[0]
    kind, actor, surface, mixed, of, occurred_at, recorded_at, tag = struct.unpack("<BBBBIqq16s", envelope)
    scope, by_source = mixed & 15, mixed >> 4
    assert kind <= 30 and actor <= 3 and surface <= 4 and scope <= 3 and by_source <= 1, "no envelope"
    assert of == ordinal, "an event of another account"
    assert all(EARLIEST <= at <= LATEST for at in (occurred_at, recorded_at)), "no time"
    assert scope or tag == bytes(16), "a tag of nothing"
    kind = answers.KINDS[kind]
    known = (revision, kind, answers.ACTORS[actor], answers.SURFACES[surface], occurred_at, recorded_at, by_source == 1)
    if len(shown) == 2:
        return Shown(answers.Event(*known), scope, None, tag, False, event_leaf(envelope, shown[1]))
    _, salt, padded, position = shown
    assert position < 1 << 62, "no position"
    fields, content, (content_scope, about) = check_content(kind, padded)
    assert content_scope == scope, "the content is about something else than its envelope"
    event = answers.Event(*known, position, fields, event_hash(account, envelope, content))
    return Shown(event, scope, about, tag, True, event_leaf(envelope, content_hash(salt, padded)))


def check_needed(events, item):
    """Every event that the answer needs is whole."""
    if item is None:
        assert all(shown.is_whole for shown in events), "an event of the account that is not shown"
        return
    tags = {shown.tag for shown in events if shown.is_whole and (shown.scope, shown.about) == (1, item)}
    assert len(tags) == 1, "no tag of the item, or two"
    for shown in events:
        if not shown.is_whole:
            kinds = {1: (*check_format.ITEM, REJECTED), 2: check_format.BACKUP}.get(shown.scope, ())
            assert answers.KINDS.index(shown.event.kind) in kinds, "an event that is needed and not shown"
            assert shown.scope != 1 or shown.tag not in tags, "an event about the item that is not shown"


def check_positions(events, size):
    """They rise with the events, and end before the seal."""
    least = 0
    for shown in events:
        if shown.is_whole:
            assert least <= shown.event.position < size, "a position that it cannot have"
            least = shown.event.position
        least += 1


def check_stream(certificate, page, size, map_root):
    """The account's events, as far as they are shown."""
    account, stream = certificate.account, certificate.stream
    answers.name(account)
    leaf = check_proof(map_root, check_proofs.key_of(page.store.hex(), account), certificate.map_proof)
    assert (leaf is None) == (stream is None), "the map and the stream differ"
    if stream is None:
        return []
    head, count, _ = leaf
    assert stream.ordinal < 1 << 31 and len(stream.events) == count, "the map counts other events"
    events = [check_event(account, stream.ordinal, *at) for at in enumerate(stream.events)]
    name_hash = H(3, stream.name_salt + account.encode())
    link = H(7, H(4, struct.pack("<I", stream.ordinal) + stream.secret_hash + name_hash))
    for shown in events:
        link = chain(link, shown.leaf)
    assert link == head, "the chain ends elsewhere"
    check_positions(events, size)
    check_needed(events, certificate.item)
    return [shown.event for shown in events]


# --- answers ---

def claim_of(line):
    """A claim from its line, read as strictly as an event."""
    def once(pairs):
        assert len(dict(pairs)) == len(pairs), "a key twice"
        return dict(pairs)

    assert "\n" not in line, "more than a line"
    claim = json.loads(line, object_pairs_hook=once)
    assert isinstance(claim, dict), "no claim"
    limits = dict.fromkeys(("claim", "account", "category", "asserts", "as_of"), 128) | {"item": 1024, "backup": 1024}
    assert set(claim) <= set(limits), "an unknown field"
    claim = {key: answers.name(value, limits[key]) for key, value in claim.items() if value is not None}
    assert {"claim", "account", "asserts"} <= set(claim), "a needed field is missing"
    assert len({"item", "backup", "category"} & set(claim)) <= 1, "two subjects"
    assert claim["asserts"] in answers.ASSERTS, "nothing known is asserted"
    if "as_of" in claim:
        claim["as_of"] = answers.time_of(claim["as_of"])
    return claim


def answers_of(certificate, events, policy):
    """What follows from the events, each an object."""
    account, item = certificate.account, certificate.item
    folds = {}

    def fold(reading, as_of=certificate.as_of):
        if (reading, as_of) not in folds:
            folds[reading, as_of] = Fold(account, events, policy.read_as(reading), as_of, certificate.known_at)
        return folds[reading, as_of]

    readings = len(policy.readings()) - 1
    is_small = readings <= 64 and len(certificate.claims) * (readings + 1) <= 4096
    assert not certificate.claims or is_small, "more folds than are made"
    found = []
    for claim in map(claim_of, certificate.claims):
        is_about = claim["account"] == account and (item is None or claim.get("item") == item)
        assert is_about, "a claim about something else"
        as_of = claim.get("as_of", certificate.as_of)
        found.append(in_byte_order(answers.verdict(claim, lambda reading: fold(reading, as_of))))
    if certificate.claims:
        return found
    state, as_of = fold("default"), answers.time_text(certificate.as_of)
    if not state.events or item is not None and item not in state.now.items:
        return [{"account": account, "as_of": as_of, "absent": True}]
    if item is None:
        return [state.state()]
    return [{"account": account, "as_of": as_of, **state.item_row(state.now.items[item])}]


def in_byte_order(value):
    """With the fields of every object in it in byte order of their names."""
    if isinstance(value, list):
        return [in_byte_order(each) for each in value]
    if isinstance(value, dict):
        return {key: in_byte_order(value[key]) for key in sorted(value, key=str.encode)}
    return value


def compact(value):
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


# --- the whole ---

class OtherAnswers(AssertionError):
    """The answers of a certificate do not follow; these do."""

    def __init__(self, texts):
        super().__init__("other answers follow")
        self.texts = texts


def check_notes(notes, auditors, facts):
    """The auditors whose word counts for these facts."""
    heard = []
    for note in notes:
        _, signatures = signatures_of(note)
        if not any((key.name, key.id) == signature[:2] for key in auditors for signature in signatures):
            continue
        text, signed = open_note(note, auditors)
        said = re.fullmatch(AUDIT, text, re.ASCII)
        assert said, "a note that is no auditor's"
        origin, size, root, events, map_root = said.groups()
        said = origin, number(size), bytes.fromhex(root), number(events), bytes.fromhex(map_root)
        if said == facts:
            heard += [key.name for key in signed if key.name not in heard]
        else:
            assert said[:2] != facts[:2], "a known auditor found another log up to this seal"
    return heard


def check(data, key, auditors=(), any_known_at=False):
    """What the certificate says, if it holds."""
    certificate = read_certificate(data)
    origin, size, tree_root = check_checkpoint(certificate.checkpoint, key)
    since = check_since(certificate, key, size, tree_root)
    page, events, map_root = check_seal(certificate, size, tree_root)
    shown = check_stream(certificate, page, events, map_root)
    late = [event for event in shown if event.recorded_at > certificate.known_at]
    assert any_known_at or not late, "the answer leaves out what was recorded later"
    policy = compiled_policy(certificate.policy)
    is_needed = certificate.item is None or policy.reads_other_items()
    assert not is_needed or all(event.fields is not None for event in shown), "an event that the policy asks for"
    check_adoption(certificate, page, size, tree_root)
    heard = check_notes(certificate.notes, auditors, (origin, size, tree_root, events, map_root))
    found = answers_of(certificate, shown, policy)
    texts = [compact(answer) for answer in found]
    if texts != certificate.answers:
        raise OtherAnswers(texts)
    return {"account": certificate.account, "as_of": answers.time_text(certificate.as_of),
            "known_at": answers.time_text(certificate.known_at), "since": since, "events": events, "answers": found,
            "auditors": heard}


# What reading bytes that are no certificate comes to in Python.
REFUSALS = AssertionError, AttributeError, ValueError, IndexError, KeyError, TypeError, struct.error, RecursionError


def report(path, key, auditors, any_known_at):
    with open(path, "rb") as file:
        data = file.read()
    try:
        return {"ok": True, **check(data, key, auditors, any_known_at)}
    except OtherAnswers as refusal:
        return {"ok": False, "reason": str(refusal), "follow": refusal.texts}
    except REFUSALS as refusal:
        return {"ok": False, "reason": str(refusal)}


def main():
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("file", help="a certificate; - for names of files from standard input")
    options.add_argument("--key", required=True, metavar="VKEY", help="the log's verifier key")
    options.add_argument("--auditor", action="append", default=[], metavar="VKEY",
                         help="an auditor whose word counts")
    options.add_argument("--any-known-at", action="store_true",
                         help="an answer may leave out what was recorded later")
    options = options.parse_args()
    key, auditors = Key(options.key), [Key(auditor) for auditor in options.auditor]
    is_ok = True
    for path in (line.rstrip("\n") for line in sys.stdin) if options.file == "-" else [options.file]:
        said = report(path, key, auditors, options.any_known_at)
        print(compact(said), flush=True)
        is_ok &= said["ok"]
    sys.exit(0 if is_ok else 1)


if __name__ == "__main__":
    main()
