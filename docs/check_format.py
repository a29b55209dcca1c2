#!/usr/bin/env python3
"""Recomputes the root of a store, written from docs/format.md alone.

    python3 docs/check_format.py STORE            print what `stillthere verify` prints
    python3 docs/check_format.py --vectors FILE   hold the test vectors against this code
    python3 docs/check_format.py --stores FILE    hold stores that are kept in JSON against what is said of them

Shares no code with the program and needs nothing but Python 3: BLAKE3 is in here, from its paper.
It is slow: meant for a store of some thousand events.
"""

import hashlib
import json
import os
import struct
import sys

# --- BLAKE3 (hash and keyed hash, 32 bytes of output) ---

IV = (0x6A09E667, 0xBB67AE85, 0x3C6EF372, 0xA54FF53A, 0x510E527F, 0x9B05688C, 0x1F83D9AB, 0x5BE0CD19)
PERMUTATION = (2, 6, 3, 10, 7, 0, 4, 13, 1, 11, 12, 5, 9, 14, 15, 8)
CHUNK_START, CHUNK_END, PARENT, ROOT, KEYED = 1, 2, 4, 8, 16
MASK = 0xFFFFFFFF
LANES = ((0, 4, 8, 12), (1, 5, 9, 13), (2, 6, 10, 14), (3, 7, 11, 15),
         (0, 5, 10, 15), (1, 6, 11, 12), (2, 7, 8, 13), (3, 4, 9, 14))


def compress(chaining, block, counter, length, flags):
    m = struct.unpack("<16I", block.ljust(64, b"\0"))
    v = list(chaining) + [*IV[:4], counter & MASK, counter >> 32, length, flags]
    for turn in range(7):
        for n, (a, b, c, d) in enumerate(LANES):
            va, vb, vc, vd = v[a], v[b], v[c], v[d]
            va = (va + vb + m[2 * n]) & MASK
            vd ^= va
            vd = (vd >> 16 | vd << 16) & MASK
            vc = (vc + vd) & MASK
            vb ^= vc
            vb = (vb >> 12 | vb << 20) & MASK
            va = (va + vb + m[2 * n + 1]) & MASK
            vd ^= va
            vd = (vd >> 8 | vd << 24) & MASK
            vc = (vc + vd) & MASK
            vb ^= vc
            vb = (vb >> 7 | vb << 25) & MASK
            v[a], v[b], v[c], v[d] = va, vb, vc, vd
        if turn < 6:
            m = [m[p] for p in PERMUTATION]
    return [v[n] ^ v[n + 8] for n in range(8)]


def blake3(data, key=None):
    start = struct.unpack("<8I", key) if key else IV
    mode = KEYED if key else 0

    def chunk(n, last):
        part = data[n * 1024:(n + 1) * 1024]
        blocks = [part[i:i + 64] for i in range(0, len(part), 64)] or [b""]
        value = start
        for i, block in enumerate(blocks):
            flags = mode | (CHUNK_START if i == 0 else 0)
            if i == len(blocks) - 1:
                flags |= CHUNK_END | (ROOT if last else 0)
            value = compress(value, block, n, len(block), flags)
        return value

    def tree(first, count, last):
        if count == 1:
            return chunk(first, last)
        left = 1
        while left * 2 < count:
            left *= 2
        block = struct.pack("<16I", *tree(first, left, False), *tree(first + left, count - left, False))
        return compress(start, block, 0, 64, mode | PARENT | (ROOT if last else 0))

    return struct.pack("<8I", *tree(0, max(1, -(-len(data) // 1024)), True))


# --- section 2: H and K ---

def H(domain, payload):
    data = struct.pack("<IB", len(payload), domain) + payload
    return blake3(data + bytes(-len(data) % 64))


def K(key, domain, payload):
    return blake3(bytes([domain]) + payload, key)[:16]


def event_leaf(envelope, salt, content):
    return H(1, envelope + H(0, salt + content))


def name_leaf(ordinal, secret, name):
    return H(4, struct.pack("<I", ordinal) + H(2, secret) + H(3, K(secret, 0, b"") + name))


def control_leaf(kind, salt, body):
    return H(6, bytes([kind]) + H(5, salt + body))


def chain(head, leaf):
    return H(8, head + leaf)


# --- section 8: trees ---

def root_of(leaves, node):
    if len(leaves) == 1:
        return leaves[0]
    k = 1
    while k * 2 < len(leaves):
        k *= 2
    return node(root_of(leaves[:k], node), root_of(leaves[k:], node))


def page_root(leaves):
    return root_of(leaves, lambda left, right: H(9, left + right))


def tree_root(summaries):
    if not summaries:
        return hashlib.sha256().digest()
    leaves = [hashlib.sha256(b"\0" + s).digest() for s in summaries]
    return root_of(leaves, lambda left, right: hashlib.sha256(b"\1" + left + right).digest())


# --- section 6: content, as far as this check needs it: strict MessagePack ---

def unpack(data, at=0):
    """The value at `at` and where the next begins. Refuses what is not in the fewest bytes."""
    b = data[at]
    if b < 0x80:
        return b, at + 1
    if 0x80 <= b < 0x90:
        return unpack_map(data, at + 1, b & 15)
    if 0x90 <= b < 0xA0:
        return unpack_array(data, at + 1, b & 15)
    if 0xA0 <= b < 0xC0:
        return unpack_text(data, at + 1, b & 31)
    if b in (0xC0, 0xC2, 0xC3):
        return {0xC0: None, 0xC2: False, 0xC3: True}[b], at + 1
    sizes = {0xCC: (1, 0x80), 0xCD: (2, 1 << 8), 0xCE: (4, 1 << 16), 0xCF: (8, 1 << 32),
             0xD9: (1, 32), 0xDA: (2, 1 << 8), 0xDB: (4, 1 << 16),
             0xDC: (2, 16), 0xDD: (4, 1 << 16), 0xDE: (2, 16), 0xDF: (4, 1 << 16)}
    size, least = sizes[b]
    value = int.from_bytes(data[at + 1:at + 1 + size], "big")
    assert value >= least, "not in the fewest bytes"
    at += 1 + size
    if b <= 0xCF:
        return value, at
    if b <= 0xDB:
        return unpack_text(data, at, value)
    return (unpack_array if b <= 0xDD else unpack_map)(data, at, value)


def unpack_text(data, at, count):
    assert at + count <= len(data)
    return data[at:at + count].decode("utf-8"), at + count


def unpack_array(data, at, count):
    values = []
    for _ in range(count):
        value, at = unpack(data, at)
        values.append(value)
    return values, at


def unpack_map(data, at, count):
    values, last = {}, None
    for _ in range(count):
        key, at = unpack(data, at)
        assert last is None or last.encode() < key.encode(), "keys do not rise"
        values[key], at = unpack(data, at)
        last = key
    return values, at


def control_value(data, at):
    """As `unpack`; also whole numbers below 0, and binary, which only control frames have."""
    b = data[at]
    if b >= 0xE0:
        return b - 0x100, at + 1
    if 0xD0 <= b <= 0xD3:
        size = 1 << b - 0xD0
        value = int.from_bytes(data[at + 1:at + 1 + size], "big", signed=True)
        assert value < (-32 if size == 1 else -1 << 4 * size - 1), "not in the fewest bytes"
        return value, at + 1 + size
    if 0xC4 <= b <= 0xC6:
        size = 1 << b - 0xC4
        count = int.from_bytes(data[at + 1:at + 1 + size], "big")
        assert count >= (0 if size == 1 else 1 << 4 * size), "not in the fewest bytes"
        at += 1 + size
        assert at + count <= len(data)
        return data[at:at + count], at + count
    return unpack(data, at)


def control_values(body, count):
    assert body[0] == 0x90 + count
    values, at = [], 1
    for _ in range(count):
        value, at = control_value(body, at)
        values.append(value)
    assert at == len(body)
    return values


def numbers(ranges, end):
    """The numbers of the ranges, all below `end`."""
    at = 0
    assert len(ranges) % 2 == 0
    for n in range(0, len(ranges), 2):
        gap, count = ranges[n:n + 2]
        assert count >= 1 and (gap >= 1 or n == 0) and at + gap + count <= end
        yield from range(at + gap, at + gap + count)
        at += gap + count


ITEM, BACKUP, CATEGORY = (11, 12, 13, 14, 15), (18, 19, 20), (8, 9, 10)


def subject(kind, fields):
    """The scope and the name of what an event is about."""
    if kind in ITEM:
        return 1, fields[0]
    if kind == 22 and fields[1] is not None:
        return 1, fields[1]
    if kind in BACKUP:
        return 2, fields[0]
    if kind in CATEGORY:
        return 3, fields[0]
    return 0, None


# --- the log ---

class Log:
    """The whole check. Any assertion that fails is tampering or damage."""

    def __init__(self, head):
        assert len(head) == 1024
        slots = []
        for n in range(2):
            slot = head[n * 512:(n + 1) * 512]
            magic, version, word, store, sequence, segment, offset, events, checksum = \
                struct.unpack_from("<8sI4s16sQQQQ16s", slot)
            assert magic == b"STILLHED" and version == 1 and word in (b"open", b"shut")
            assert slot[80:480] == bytes(400) and slot[480:] == blake3(slot[:480])
            assert sequence % 2 == n
            slots.append((sequence, word, store, segment, offset, events, checksum))
        before, self.head = sorted(slots)
        assert self.head[0] == before[0] + 1 and self.head[2] == before[2]
        self.store = self.head[2]
        self.ends = {(slot[3], slot[4]): slot[5:] for slot in (before, self.head)}
        self.met = set()
        self.is_ended = False
        self.position = self.segment = 0
        self.clock = -62135596800000
        self.checksum, self.predecessor = bytes(16), bytes(32)  # the first is None where it is not compared
        self.leaves, self.bytes, self.page_position, self.page_events = [], 0, 0, 0
        self.summaries = []
        self.accounts = []          # [name, secret, chain, revision]; of an erased one the first two are None
        self.ids = set()
        self.named = None
        self.seals = []
        self.is_closing = False     # a seal or an erasure came: its page ends
        self.is_hidden = False      # an event of the page has no time any more
        self.is_shrunk = None       # whether the segment is, once a frame says so
        self.erased = {}            # by its place in the log: [ordinal, leaf, left, occurred, what records leave]
        self.erased_accounts = set()
        self.erasures = 0

    def summary(self):
        return struct.pack("<8s16sQQII32s32sq", b"STILLPGE", self.store, len(self.summaries),
                           self.page_position, self.page_events, len(self.leaves),
                           page_root(self.leaves), self.predecessor, self.clock)

    def meet(self, offset):
        end = (self.segment, offset)
        if end in self.ends:
            assert self.ends[end] == (self.position, self.checksum)
            self.met.add(end)

    def file(self, name, data):
        assert name == "%012d.seg" % self.segment and not self.is_ended
        header, at = data[:160], 160
        before = header[72:88] if self.checksum is None else self.checksum
        expected = struct.pack("<8sII16sQQQQq16s32s8s", b"STILLSEG", 1, 160, self.store, self.segment,
                               self.position, len(self.summaries), len(self.accounts), self.clock,
                               before, self.predecessor, bytes(8))
        assert header[:128] == expected and header[128:] == blake3(expected) and not self.leaves
        self.checksum, self.is_shrunk = header[128:144], None
        self.meet(at)
        while at < len(data):
            if self.head[1] == b"open" and (self.segment, at) >= self.head[3:5] and not any(data[at:]):
                self.is_ended = True        # room
                break
            checksum, link, length, count = struct.unpack_from("<16s8sII", data, at)
            end = at + 32 + length
            assert 0 < length <= 1 << 24 and end <= len(data)
            assert checksum == blake3(data[at + 16:end], self.store + b"stillthere.batch")[:16]
            assert self.checksum is None or link == self.checksum[:8]
            before, self.before = self.position, (self.position, len(self.accounts))
            known = len(self.erased)
            self.body(data[at + 32:end])
            assert self.position - before == count & (1 << 31) - 1
            is_rewritten = len(self.erased) > known
            assert is_rewritten == (count >> 31 == 1)
            self.checksum, at = None if is_rewritten else checksum, end
            self.meet(at)
        assert self.head[1] == b"open" or (self.segment, at) <= self.head[3:5], "bytes behind a shut log"
        self.segment += 1

    def body(self, body):
        at = 0
        while at < len(body):
            kind, length = body[at], int.from_bytes(body[at + 1:at + 4], "little")
            check, frame = body[at + 4:at + 8], body[at + 8:at + 8 + length]
            assert len(frame) == length
            at += 8 + length
            if kind == 3:
                clock = struct.unpack_from("<q", frame, 112)[0]
                if self.is_hidden and self.clock <= clock < 253402300800000:
                    self.clock = clock
                assert self.leaves and frame == self.summary()
                self.summaries.append(frame)
                self.predecessor = hashlib.sha256(b"\0" + frame).digest()
                assert check == self.predecessor[:4]
                self.page_position += self.page_events
                self.leaves, self.bytes, self.page_events = [], 0, 0
                self.is_closing = self.is_hidden = False
                continue
            assert not self.is_closing, "a seal, or an erasure, closes its page"
            assert not self.leaves or self.bytes + 8 + length <= 65536
            leaf = {1: self.name, 2: self.event, 16: self.seal, 17: self.erasure, 18: self.adoption, 19: self.statement,
                    32: self.content_erased, 33: self.event_erased, 34: self.name_erased}[kind](frame)
            assert check == leaf[:4]
            self.leaves.append(leaf)
            self.bytes += 8 + length
        assert self.named is None and not self.is_closing

    def seal(self, frame):
        size, accounts, root, at = control_values(frame[16:], 4)
        assert self.named is None and isinstance(root, bytes) and len(root) == 32
        assert size == self.position and accounts == len(self.accounts)
        assert self.clock <= at < 253402300800000
        self.clock, self.is_closing = at, True
        self.seals.append({"page": len(self.summaries), "size": size, "accounts": accounts,
                           "root": root.hex(), "at": at})
        return control_leaf(16, frame[:16], frame[16:])

    def erasure(self, frame):
        at, ground, by, left, before, names, events, root = control_values(frame[16:], 8)
        assert self.named is None and isinstance(root, bytes) and len(root) == 32
        assert self.clock <= at < 253402300800000 and left in (0, 1)
        assert 1 <= len(ground.encode()) <= 1024 and 1 <= len(by.encode()) <= 128
        assert before is None or -62135596800000 <= before < 253402300800000
        names, events = list(numbers(names, self.before[1])), list(numbers(events, self.before[0]))
        assert (names or events) and not (names and left == 0)
        # A name's frame comes before that of its account's first event, which has the position.
        at_name = {frame[0]: place for place, frame in self.erased.items() if place[1] == 0}
        places = sorted([at_name[ordinal] for ordinal in names] + [(position, 1) for position in events])
        frames = [self.erased[place] for place in places]
        for erased in frames:
            assert erased[2] >= left, "more is left than the record says"
            assert before is None or erased[3] is None or erased[3] < before
            erased[4] = max(left, -1 if erased[4] is None else erased[4])
        assert root == page_root([H(12, struct.pack("<I", erased[0]) + erased[1]) for erased in frames])
        self.erased_accounts |= set(names)
        self.clock, self.is_closing = at, True
        self.erasures += 1
        return control_leaf(17, frame[:16], frame[16:])

    def adoption(self, frame):
        digest, compiled = control_values(frame[16:], 2)
        assert self.named is None and isinstance(compiled, bytes) and digest == blake3(compiled)
        return control_leaf(18, frame[:16], frame[16:])

    def statement(self, frame):
        what, note = control_values(frame[16:], 2)
        assert self.named is None and isinstance(what, str) and isinstance(note, str)
        assert 1 <= len(what.encode()) <= 128 and 1 <= len(note.encode()) <= 65536
        return control_leaf(19, frame[:16], frame[16:])

    def name(self, frame):
        ordinal, secret, name = struct.unpack_from("<I", frame)[0], frame[4:36], frame[36:]
        assert self.named is None and ordinal == len(self.accounts) and 1 <= len(name) <= 128
        assert all(name != account[0] for account in self.accounts)
        name.decode("utf-8")
        leaf = name_leaf(ordinal, secret, name)
        self.accounts.append([name, secret, H(7, leaf), 0])
        self.named = ordinal
        return leaf

    def length(self, is_cut):
        """Of an event's frame, or an erased one: in a shrunk segment each is cut, in another none."""
        assert not (is_cut and self.segment >= self.head[3]), "the last segment is not shrunk"
        assert self.is_shrunk in (None, is_cut)
        self.is_shrunk = is_cut

    def name_erased(self, frame):
        ordinal, leaf = struct.unpack_from("<I", frame)[0], frame[4:36]
        assert self.named is None and ordinal == len(self.accounts) and 36 <= len(frame) <= 164 and not any(frame[36:])
        if len(frame) == 36:
            self.length(True)       # a longer one may have been erased later
        self.accounts.append([None, None, H(7, leaf), 0])
        self.named = ordinal
        self.erased[self.position, 0] = [ordinal, leaf, 1, None, None]
        return leaf

    def event_erased(self, frame):
        ordinal, leaf = struct.unpack_from("<I", frame)[0], frame[4:36]
        assert (len(frame) == 36 or len(frame) >= 72) and not any(frame[36:]) and ordinal not in self.erased_accounts
        self.length(len(frame) == 36)
        self.is_hidden = True
        self.erased[self.position, 1] = [ordinal, leaf, 1, None, None]
        return self.take(ordinal, leaf)

    def content_erased(self, frame):
        _, mixed, ordinal, occurred, tag = self.envelope(frame[:40])
        assert len(frame) >= 72 and not any(frame[72:]) and self.accounts[ordinal][0] is not None
        self.length(False)
        assert (tag == bytes(16)) if mixed & 15 == 0 else mixed & 15 <= 3
        leaf = H(1, frame[:72])
        self.erased[self.position, 1] = [ordinal, leaf, 0, occurred, None]
        return self.take(ordinal, leaf)

    def envelope(self, envelope):
        kind, actor, surface, mixed, ordinal, occurred, recorded, tag = \
            struct.unpack("<BBBBIqq16s", envelope)
        assert kind <= 30 and actor <= 3 and surface <= 4 and mixed >> 4 <= 1
        assert all(-62135596800000 <= time < 253402300800000 for time in (occurred, recorded))
        if mixed >> 4 == 0:
            assert recorded >= self.clock
            self.clock = recorded
        return kind, mixed, ordinal, occurred, tag

    def take(self, ordinal, leaf):
        assert self.named in (None, ordinal)
        self.named = None
        account = self.accounts[ordinal]
        account[2] = chain(account[2], leaf)
        account[3] += 1
        self.position += 1
        self.page_events += 1
        return leaf

    def event(self, frame):
        envelope, salt, padded = frame[:40], frame[40:56], frame[56:]
        kind, mixed, ordinal, _, tag = self.envelope(envelope)
        assert len(padded) >= 16 and self.named in (None, ordinal)
        self.length(False)
        account = self.accounts[ordinal]
        assert account[0] is not None, "an account that was erased has no other events"
        content = padded.lstrip(b"\0") if len(padded) == 16 else padded
        (fields, name, attributes), end = unpack(content)
        assert end == len(content) and isinstance(attributes, dict)
        scope, about = subject(kind, fields)
        assert scope == mixed & 15
        assert tag == (K(account[1], scope, about.encode()) if scope else bytes(16))
        assert (ordinal, name) not in self.ids
        self.ids.add((ordinal, name))
        return self.take(ordinal, event_leaf(envelope, salt, padded))

    def end(self):
        assert self.met == set(self.ends), "the log does not end where HEAD says"
        assert all(erased[2] == erased[4] for erased in self.erased.values()), "erased, and no record says so"
        summaries = self.summaries + ([self.summary()] if self.leaves else [])
        heads = sorted((account[0].decode(), account[2].hex()) for account in self.accounts if account[0] is not None)
        found = {"events": self.position, "accounts": len(self.accounts),
                 "root": tree_root(summaries).hex(), "chains": dict(heads)}
        if self.seals:
            found["seals"] = self.seals
        if self.erasures:
            events = sum(place[1] for place in self.erased)
            found["erased"] = {"events": events, "accounts": len(self.erased) - events, "erasures": self.erasures}
        return found


def check_store(store):
    folder = os.path.join(store, "log")
    with open(os.path.join(folder, "HEAD"), "rb") as head:
        log = Log(head.read())
    for name in sorted(name for name in os.listdir(folder) if name != "HEAD" and not name.endswith(".tmp")):
        with open(os.path.join(folder, name), "rb") as segment:
            log.file(name, segment.read())
    return log.end()


def check_kept(store):
    """A store that is kept in JSON."""
    log = Log(bytes.fromhex(store["HEAD"]))
    for name in sorted(store["segments"]):
        log.file(name, bytes.fromhex(store["segments"][name]))
    return log.end()


def check_stores(path):
    """Each store is what it says that it is, or, where it says nothing, refused."""
    with open(path, encoding="utf-8") as file:
        stores = json.load(file)
    for n, store in enumerate(stores):
        try:
            found = check_kept(store)
        except (AssertionError, KeyError, IndexError, ValueError, struct.error):
            found = None
        assert found == store["expected"], "store %d: %s" % (n, store["why"])


def check_vectors(path):
    """Each vector's inputs by name, and what this code makes of them."""
    with open(path, encoding="utf-8") as file:
        vectors = json.load(file)
    text = bytes.fromhex
    for v in vectors["hashes"]:
        assert H(v["domain"], text(v["payload"])).hex() == v["hash"], v
    for v in vectors["keyed"]:
        assert K(text(v["key"]), v["domain"], text(v["payload"])).hex() == v["hash"], v
    for v in vectors["event_leaves"]:
        frame = text(v["frame"])
        assert frame[0] == 2 and len(frame) == 8 + int.from_bytes(frame[1:4], "little")
        leaf = event_leaf(frame[8:48], frame[48:64], frame[64:])
        assert leaf.hex() == v["leaf"] and leaf[:4] == frame[4:8], v
    for v in vectors["name_leaves"]:
        frame = text(v["frame"])
        ordinal = struct.unpack_from("<I", frame, 8)[0]
        assert name_leaf(ordinal, frame[12:44], frame[44:]).hex() == v["leaf"], v
    for v in vectors["control_leaves"]:
        frame = text(v["frame"])
        leaf = control_leaf(frame[0], frame[8:24], frame[24:])
        assert leaf.hex() == v["leaf"] and leaf[:4] == frame[4:8], v
    for v in vectors["chains"]:
        head = H(7, text(v["name_leaf"]))
        for leaf in v["leaves"]:
            head = chain(head, text(leaf))
        assert head.hex() == v["head"], v
    for v in vectors["page_roots"]:
        assert page_root([text(leaf) for leaf in v["leaves"]]).hex() == v["root"], v
    for v in vectors["tree_roots"]:
        assert tree_root([text(entry) for entry in v["entries"]]).hex() == v["root"], v
    for v in vectors["erased_leaves"]:
        frame = text(v["frame"])
        leaf = H(1, frame[8:80]) if frame[0] == 32 else frame[12:44]
        assert frame[0] in (32, 33, 34) and leaf.hex() == v["leaf"] and leaf[:4] == frame[4:8], v
    for v in vectors["erased_roots"]:
        leaves = [H(12, struct.pack("<I", ordinal) + text(leaf)) for ordinal, leaf in v["frames"]]
        assert page_root(leaves).hex() == v["root"], v
    for store in (vectors["store"], vectors["sealed_store"], vectors["erased_store"], vectors["shrunk_store"]):
        assert check_kept(store) == store["expected"]
    return {key: len(value) for key, value in vectors.items()}


if __name__ == "__main__":
    if len(sys.argv) == 3 and sys.argv[1] == "--stores":
        check_stores(sys.argv[2])
    elif len(sys.argv) == 3 and sys.argv[1] == "--vectors":
        print(json.dumps(check_vectors(sys.argv[2])))
    elif len(sys.argv) == 2:
        print(json.dumps(check_store(sys.argv[1])))
    else:
        sys.exit(__doc__)
