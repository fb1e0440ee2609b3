#!/usr/bin/env python3
"""Checks an export of Majordomo's record without Majordomo: its chain, its order, its end.

    verify_export.py FILE [COUNT HEAD]

With COUNT and HEAD it must also come to that head after that many records: one that was kept since
`domo audit head`. Says what is wrong and where, and then ends with 1. The signatures of checkpoints
are not checked here: that takes the cluster's authority and a library for ECDSA.
"""

import hashlib
import json
import sys

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


class Chain:
    def __init__(self, kept):
        self.head, self.number, self.is_ended, self.is_met = b"", 0, False, kept is None
        self.kept = kept

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
    with open(path, "rb") as export:
        lines = export.read().split(b"\n")
    chain, at = Chain(kept or None), len(lines)
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


if __name__ == "__main__":
    main(*sys.argv[1:])
