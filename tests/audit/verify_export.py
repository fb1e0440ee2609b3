#!/usr/bin/env python3
"""Checks an export of Majordomo's record without Majordomo: its chain, its order, its end, and who
signed the checkpoints in it.

    verify_export.py FILE [--signers FILE] [COUNT HEAD]

With COUNT and HEAD it must also come to that head after that many records: one that was kept since
`domo audit head`. With --signers, a file that `domo audit head --output json` wrote, each checkpoint
must be signed by the node that it names, under the authority in that file. Says what is wrong and where,
and then ends with 1. What an export says of itself proves nothing: without a head and without signers
it is whole only in itself, and that is what is said.
"""

import hashlib
import json
import sys
from datetime import datetime, timezone

FORMAT = "domo-audit-1"
FRAME = b'{"head":"%s","salt":"' + b"-" * 32 + b'","record":'


class Wrong(Exception):
    """What is wrong, for people."""


def need(is_so, what):
    if not is_so:
        raise Wrong(what)


def compact(value):
    """The one form: as any writer of JSON writes it without spaces."""
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False).encode()


# The curve P-256: its field, its order, its constant b and its base point.
P = 2**256 - 2**224 + 2**192 + 2**96 - 1
N = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
B = 0x5AC635D8AA3A93E7B3EBBD55769886BC651D06B0CC53B0F63BCE3C3E27D2604B
G = (
    0x6B17D1F2E12C4247F8BCE6E563A440F277037D812DEB33A0F4A13945D898C296,
    0x4FE342E2FE1A7F9B8EE7EB4A7C0F9E162BCE33576B315ECECBB6406837BF51F5,
)
SEQUENCE, INTEGER, BITS, EXPLICIT_0, UTC_TIME = 0x30, 0x02, 0x03, 0xA0, 0x17


def added(one, other):
    """The sum of two points; none is the one at infinity."""
    if one is None or other is None:
        return one or other
    if one[0] == other[0]:
        if (one[1] + other[1]) % P == 0:
            return None
        slope = (3 * one[0] ** 2 - 3) * pow(2 * one[1], -1, P)
    else:
        slope = (other[1] - one[1]) * pow(other[0] - one[0], -1, P)
    x = (slope**2 - one[0] - other[0]) % P
    return x, (slope * (one[0] - x) - one[1]) % P


def times(number, point):
    total = None
    while number:
        total = added(total, point) if number & 1 else total
        point, number = added(point, point), number >> 1
    return total


def parts(der):
    """What stands in DER one behind the other: each tag, its content, and all its bytes."""
    found, at = [], 0
    while at < len(der):
        length, begin = der[at + 1], at + 2
        if length >= 128:
            begin += length - 128
            length = int.from_bytes(der[at + 2 : begin], "big")
        end = begin + length
        need(end <= len(der), "a certificate or a signature breaks off")
        found.append((der[at], der[begin:end], der[at:end]))
        at = end
    return found


def is_signed(point, message, signature):
    """Whether it is an ECDSA signature of that, with SHA-256."""
    [(tag, pair, _)] = parts(signature)
    (one, r, _), (other, s, _) = parts(pair)
    r, s = int.from_bytes(r, "big"), int.from_bytes(s, "big")
    is_pair = (tag, one, other) == (SEQUENCE, INTEGER, INTEGER)
    if not is_pair or not (0 < r < N and 0 < s < N):
        return False
    digest, inverse = int.from_bytes(hashlib.sha256(message).digest(), "big"), pow(s, -1, N)
    here = added(times(digest * inverse % N, G), times(r * inverse % N, point))
    return here is not None and here[0] % N == r


class Certificate:
    def __init__(self, der):
        [(_, content, _)] = parts(der)
        (_, told, self.told), _, (_, signature, _) = parts(content)
        self.signature = signature[1:]
        fields = parts(told)
        fields = fields[1:] if fields[0][0] == EXPLICIT_0 else fields
        _, _, _, (_, validity, _), _, (_, key, _) = fields[:6]
        self.since, self.until = (moment(tag, time) for tag, time, _ in parts(validity))
        tag, bits, _ = parts(key)[1]
        point = bits[-64:]
        x, y = int.from_bytes(point[:32], "big"), int.from_bytes(point[32:], "big")
        is_point = len(bits) == 66 and (y * y - x**3 + 3 * x - B) % P == 0
        need(tag == BITS and is_point, "a certificate has no key on P-256")
        self.point = (x, y)


def moment(tag, text):
    form = "%y%m%d%H%M%SZ" if tag == UTC_TIME else "%Y%m%d%H%M%SZ"
    return datetime.strptime(text.decode(), form).replace(tzinfo=timezone.utc).timestamp()


class Signers:
    def __init__(self, kept):
        kept = kept.get("signers", kept)
        self.cluster = kept["cluster"]
        self.authority = Certificate(bytes.fromhex(kept["authority"]))

    def have_signed(self, said):
        """Whether the node that a checkpoint names signed it, with a certificate of that time."""
        words = [said[part] for part in ("node", "count", "index", "head", "wall_ms")]
        words = " ".join(["domo-audit-1 checkpoint", *map(str, words)])
        theirs = Certificate(bytes.fromhex(said["certificate"]))
        name = f"node-{said['node'].removeprefix('n-')}.{self.cluster}.domo".encode()
        # The one name in it, behind its tag and its length.
        is_named = bytes([0x82, len(name)]) + name in theirs.told
        is_ours = is_signed(self.authority.point, theirs.told, theirs.signature)
        is_then = theirs.since <= said["wall_ms"] / 1000 <= theirs.until
        signature = bytes.fromhex(said["signature"])
        return is_named and is_ours and is_then and is_signed(theirs.point, words.encode(), signature)


class Chain:
    def __init__(self, kept, signers):
        self.head, self.number, self.is_ended, self.is_met = b"", 0, False, kept is None
        self.kept, self.signers, self.signed = kept, signers, 0

    def first(self, line):
        told = json.loads(line)
        begins = {"format": FORMAT, "first": told["first"], "before": told["before"]}
        need(compact(begins) == line, "it is no first line of an export")
        self.head, self.number = bytes.fromhex(told["before"]), told["first"] - 1
        is_whole = self.number > 0 or self.head == bytes(32)
        need(is_whole, "the head before the first record is not the one of an empty chain")

    def next(self, line):
        need(not self.is_ended, "something stands behind the end")
        if line.startswith(b'{"checkpoint":'):
            said = json.loads(line)["checkpoint"]
            is_met = (said["count"], said["head"]) == (self.number, self.head.hex())
            need(is_met, "a checkpoint says something else than the records before it")
            if self.signers:
                need(self.signers.have_signed(said), "a checkpoint is not what its node signed")
                self.signed += 1
        elif line.startswith(b'{"end":'):
            end = {"end": {"count": self.number, "head": self.head.hex()}}
            need(compact(end) == line, "the end says something else than the records")
            self.is_ended = True
        else:
            self.record(line)

    def record(self, line):
        frame = FRAME % line[9:73]
        need(line.startswith(frame) and line.endswith(b"}"), "what should be a record is none")
        record = line[len(frame) : -1]
        told = json.loads(record)
        need(compact(told) == record, "the record is not in its canonical form")
        number = self.number + 1
        need(told["n"] == number, f"record {told['n']} stands where record {number} should be")
        self.head, self.number = hashlib.sha256(self.head + record).digest(), number
        does_follow = self.head.hex().encode() == line[9:73]
        need(does_follow, f"record {number} does not follow from the one before it")
        if self.kept and number == int(self.kept[0]):
            is_kept = self.head.hex() == self.kept[1]
            need(is_kept, f"the head after record {number} is not the one that was kept")
            self.is_met = True


def main(path, *kept):
    signers = None
    if kept[:1] == ("--signers",):
        with open(kept[1], "rb") as told:
            signers = Signers(json.loads(told.read()))
        kept = kept[2:]
    with open(path, "rb") as export:
        lines = export.read().split(b"\n")
    chain, at = Chain(kept or None, signers), len(lines)
    try:
        need(lines.pop() == b"" and lines, "the last line has no end")
        at = 1
        chain.first(lines[0])
        if chain.number > 0:
            is_told = len(lines) > 1 and lines[1].startswith(b'{"checkpoint":')
            need(is_told, f"records 1 to {chain.number} are missing")
        for at, line in enumerate(lines[1:], start=2):
            chain.next(line)
        need(chain.is_ended, "the end is missing")
        need(chain.is_met, f"it has no record {kept[0] if kept else ''}")
    except (ValueError, KeyError, TypeError, AttributeError) as wrong:
        print(f"line {at}: it cannot be read: {wrong}")
        sys.exit(1)
    except Wrong as wrong:
        print(f"line {at}: {wrong}")
        sys.exit(1)
    print(f"whole: {chain.number} records, head {chain.head.hex()}")
    met = [f"the head after record {kept[0]}"] if kept else []
    met += [f"{chain.signed} signed checkpoints"] if chain.signed else []
    print("compared with " + (" and ".join(met) or "nothing that was kept elsewhere"))


if __name__ == "__main__":
    main(*sys.argv[1:])
