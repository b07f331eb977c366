#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Writes the seeds of fuzz/corpus/tl_reader and fuzz/corpus/tl_json from tests/vectors/tl. Run from the root."""
import gzip
import pathlib

MTPROTO = {"auth_key_sample.txt": 1, "telethon_216.txt": 0}


def tl_bytes(data):
    head = bytes([len(data)]) if len(data) < 254 else b"\xfe" + len(data).to_bytes(3, "little")
    return head + data + bytes(-(len(head) + len(data)) % 4)


def records(path):
    for block in path.read_text("utf-8").split("\n\n"):
        fields = dict(line.split(" = ", 1) for line in block.splitlines() if " = " in line)
        if "hex" in fields:
            yield fields["type"], bytes.fromhex(fields["hex"]), fields["json"]


def main():
    reader = pathlib.Path("fuzz/corpus/tl_reader")
    json_dir = pathlib.Path("fuzz/corpus/tl_json")
    for folder in (reader, json_dir):
        folder.mkdir(parents=True, exist_ok=True)
    for name, schema in MTPROTO.items():
        for kind, data, text in records(pathlib.Path("tests/vectors/tl") / name):
            (reader / kind).write_bytes(bytes([schema]) + data)
            if schema == 0:
                (json_dir / kind).write_text(text, "utf-8")
                packed = b"\xa1\xcf\x72\x30" + tl_bytes(gzip.compress(data, mtime=0))
                (reader / f"{kind}.packed").write_bytes(bytes([schema]) + packed)


if __name__ == "__main__":
    main()
