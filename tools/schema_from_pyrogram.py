#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Writes schema/layers/api-N.tl from the classes that Pyrogram or a fork of it (Kurigram) generates.

    pip download --no-deps Kurigram==2.2.26
    tools/schema_from_pyrogram.py kurigram-2.2.26-py3-none-any.whl schema/layers/api-229.tl

PACKAGE is the .whl or the folder that holds pyrogram/. The classes say names, types, ids, bits and the order
of fields. Names lose their case on the way (`getPeerMaxIDs`), so where an id is in schema/api.tl too, its
name is taken from there. Each id is checked against the CRC32 of its line, as tools/schema_from_npm.py does.
"""
import argparse
import pathlib
import re
import sys
import zipfile

from schema_from_npm import API_MISSING, check, render

ROOT = pathlib.Path(__file__).resolve().parents[1]
# Fields that go by another name in Python. The CRC tells of those that are not `true`.
RENAMED = {"is_self": "self"}
RENAMED_IN = {"StoryFwdHeader": {"from_peer": "from"}, "AiComposeToneExample": {"from_peer": "from"}}
GENERIC = re.compile(r"!X\b")


def read_classes(package):
    """The text of every module below raw/types and raw/functions, by its path."""
    wanted = re.compile(r"pyrogram/raw/(types|functions)/.*(?<!__init__)\.py$")
    path = pathlib.Path(package)
    if path.is_dir():
        files = sorted((path / "pyrogram" / "raw").rglob("*.py"))
        return [f.read_text("utf-8") for f in files if wanted.search(f.as_posix())]
    with zipfile.ZipFile(path) as archive:
        return [archive.read(n).decode("utf-8") for n in sorted(archive.namelist()) if wanted.search(n)]


def known_names():
    """id -> name, of schema/api.tl; ids of schema/mtproto.tl, which are not the API's."""
    by_id = dict((int(i, 16), n) for n, i in
                 re.findall(r"^([\w.]+)#([0-9a-f]+) ", (ROOT / "schema/api.tl").read_text("utf-8"), re.M))
    mtproto = re.findall(r"^[\w.]+#([0-9a-f]+) ", (ROOT / "schema/mtproto.tl").read_text("utf-8"), re.M)
    return by_id, {int(i, 16) for i in mtproto}


def name_of(qualname):
    """`types.auth.SentCode` is auth.sentCode."""
    *space, name = qualname.split(".")[1:]
    return ".".join([*space, name[0].lower() + name[1:]])


def result_of(text):
    """What a constructor makes or a function returns, as its documentation says it."""
    said = re.search(r"Constructor of :obj:`~pyrogram\.raw\.base\.([\w.]+)`", text)
    if said:
        return said.group(1)
    said = re.search(r"Returns:\n\s+(.*)", text).group(1)
    inner = re.search(r"<pyrogram\.raw\.base\.([\w.]+)>", said)
    if inner:
        result = inner.group(1)
    elif "``int``" in said:
        result = "long" if "64-bit" in said else "int"
    elif "``bool``" in said:
        result = "Bool"
    else:
        result = "X"
    return f"Vector<{result}>" if said.startswith("List of") else result


def fields_of(text, renamed):
    """The fields in the order in which write() writes them, conditions after their flags."""
    types = dict(re.findall(r"^        self\.(\w+) = \w+  # (.*)$", text, re.M))
    bits = [(name, t) for name, t in types.items() if t.endswith("?true")]
    body = text[text.index("    def write(self"):]
    fields = []
    for flags, name in re.findall(r"b\.write\((?:Int\((flags\d*)\)|.*?self\.(\w+))", body):
        if flags:
            fields.append(f"{flags}:#")
            fields += [f"{renamed.get(n, n)}:{t}" for n, t in bits if t.startswith(flags + ".")]
        elif name != "ID":
            fields.append(f"{renamed.get(name, name)}:{types[name]}")
    return fields


def combinator(text, names):
    number = int(re.search(r"^    ID = 0x([0-9a-f]+)$", text, re.M).group(1), 16)
    qualname = re.search(r'^    QUALNAME = "([\w.]+)"$', text, re.M).group(1)
    parts = [f"{names.get(number) or name_of(qualname)}#{number:08x}"]
    fields = fields_of(text, {**RENAMED, **RENAMED_IN.get(qualname.split(".")[-1], {})})
    if any(GENERIC.search(f) for f in fields):
        parts.append("{X:Type}")
    return number, qualname, " ".join([*parts, *fields, "=", result_of(text)])


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("package", help=".whl, or the folder that holds pyrogram/")
    parser.add_argument("output", help="the schema is written here")
    args = parser.parse_args()
    names, mtproto = known_names()
    texts = [t for t in read_classes(args.package) if "    QUALNAME = " in t]
    layer = int(re.search(r"Layer: ``(\d+)``", texts[0]).group(1))
    types, methods = list(API_MISSING), []
    for text in texts:
        number, qualname, line = combinator(text, names)
        if number not in mtproto:
            (types if qualname.startswith("types.") else methods).append(line)
    have = {l.split("#")[0] for l in API_MISSING}
    types = API_MISSING + [t for t in types if t.split("#")[0] not in have]
    title = "Telegram API, made by tools/schema_from_pyrogram.py from " + pathlib.Path(args.package).stem
    good = check(types + methods)
    pathlib.Path(args.output).write_text(render(title, layer, types, methods), "utf-8")
    print(f"{args.output}: layer {layer}, {len(types)} constructors, {len(methods)} methods")
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
