#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Writes schema/layers/api-N.tl from the TL text that the Go module github.com/gotd/td ships.

    go mod download -x github.com/gotd/td@v0.144.0
    tools/schema_from_gotd.py "$(go env GOMODCACHE)/github.com/gotd/td@v0.144.0" schema/layers/api-225.tl

MODULE is the unpacked module. Names, types and ids are taken, no comments. Each id is checked against the
CRC32 of its line, as tools/schema_from_npm.py does.
"""
import argparse
import pathlib
import re
import sys

from schema_from_npm import API_MISSING, check, render

# What the module appends for itself: the bare types, and what no layer has any more.
BARE = re.compile(r"^(int|long|double|string|bytes|vector)#")
LIBRARY_S_OWN = re.compile(r"^(\w+Legacy|test\.\w+)#")


def split(text):
    """Types and methods; the text changes between both more than once."""
    parts = {"---types---": [], "---functions---": []}
    into = parts["---types---"]
    for line in map(str.strip, text.splitlines()):
        if line in parts:
            into = parts[line]
        elif "#" in line and not line.startswith("//") and not BARE.match(line) and not LIBRARY_S_OWN.match(line):
            into.append(line.rstrip(";"))
    return list(dict.fromkeys(parts["---types---"])), list(dict.fromkeys(parts["---functions---"]))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("module", type=pathlib.Path, help="the folder of github.com/gotd/td@VERSION")
    parser.add_argument("output", type=pathlib.Path)
    args = parser.parse_args()
    text = (args.module / "_schema" / "telegram.tl").read_text("utf-8")
    layer = int(re.search(r"^// LAYER (\d+)$", text, re.M).group(1))
    types, methods = split(text)
    have = {line.split("#")[0] for line in types}
    types = [line for line in API_MISSING if line.split("#")[0] not in have] + types
    good = check(types + methods)
    title = f"Telegram API, made by tools/schema_from_gotd.py from github.com/gotd/td {args.module.name.split('@')[1]}"
    args.output.write_text(render(title, layer, types, methods), "utf-8")
    print(f"{args.output}: layer {layer}, {len(types)} constructors, {len(methods)} methods")
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
