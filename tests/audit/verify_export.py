#!/usr/bin/env python3
"""Checks an export of Majordomo's record without Majordomo: its chain, its order, its end.

    verify_export.py FILE [COUNT HEAD]

With COUNT and HEAD it must also come to that head after that many records: one that was kept since
`domo audit head`. Says what is wrong and where, and then ends with 1.
"""

import hashlib
import json
import sys

FORMAT = "domo-audit-1"


def fail(line, what):
    print(f"line {line}: {what}")
    sys.exit(1)


def record_of(line):
    """The bytes that the head is made of: from behind "record": to before the last brace."""
    begin = line.index(b'"record":') + len(b'"record":')
    return line[begin:-1]


def main(path, kept_count=None, kept_head=None):
    with open(path, "rb") as export:
        lines = export.read().split(b"\n")
    if lines.pop() != b"":
        fail(len(lines) + 1, "the last line has no end")
    first = json.loads(lines[0])
    if first["format"] != FORMAT:
        fail(1, f"format {first['format']} is not {FORMAT}")
    head, number, met, is_ended = bytes.fromhex(first["before"]), first["first"] - 1, False, False
    for at, line in enumerate(lines[1:], start=2):
        if is_ended:
            fail(at, "something stands behind the end")
        told = json.loads(line)
        if "end" in told:
            is_ended = True
            if told["end"] != {"count": number, "head": head.hex()}:
                fail(at, "the end says something else than the records")
            continue
        if "checkpoint" in told:
            said = told["checkpoint"]
            if (said["count"], said["head"]) != (number, head.hex()):
                fail(at, "a checkpoint says something else than the records before it")
            continue
        record = record_of(line)
        if json.loads(record) != told["record"]:
            fail(at, "the record is not what the line holds")
        # The form is one that any writer of JSON gives back.
        if json.dumps(told["record"], separators=(",", ":"), ensure_ascii=False).encode() != record:
            fail(at, "the record is not in its canonical form")
        if told["record"]["n"] != number + 1:
            fail(at, f"record {told['record']['n']} stands where record {number + 1} should be")
        head, number = hashlib.sha256(head + record).digest(), number + 1
        if head.hex() != told["head"]:
            fail(at, f"record {number} does not follow from the one before it")
        if kept_count is not None and number == int(kept_count):
            if head.hex() != kept_head:
                fail(at, f"the head after record {number} is not the one that was kept")
            met = True
    if not is_ended:
        fail(len(lines), "the end is missing")
    if kept_count is not None and not met:
        fail(len(lines), f"it has no record {kept_count}")
    print(f"whole: {number} records, head {head.hex()}")


if __name__ == "__main__":
    main(*sys.argv[1:])
