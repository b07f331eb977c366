#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Writes schema/*.tl and schema/errors.tsv from the npm package @mtcute/core, @mtcute/tl or telegram.

    npm pack @mtcute/core@0.31.0
    tools/schema_from_npm.py mtcute-core-0.31.0.tgz --api schema/api.tl \\
        --mtproto schema/mtproto.tl --errors schema/errors.tsv
    npm pack @mtcute/tl@216.0.0
    tools/schema_from_npm.py mtcute-tl-216.0.0.tgz --api schema/layers/api-216.tl
    npm pack telegram@2.26.22
    tools/schema_from_npm.py telegram-2.26.22.tgz --api schema/layers/api-198.tl

PACKAGE is the .tgz or the folder it was unpacked to. Names, types and ids are taken, no texts.
Each id is checked against the CRC32 of its line; those that differ are listed, and one that is not
in the table of known ones ends the run with status 1.
"""
import argparse
import json
import pathlib
import re
import sys
import tarfile
import zlib

# What the package leaves out of the API's schema.
API_MISSING = """
vector#1cb5c415 {t:Type} # [ t ] = Vector t
true#3fedd339 = True
boolFalse#bc799737 = Bool
boolTrue#997275b5 = Bool
null#56730bcc = Null
""".strip().splitlines()

# What the package leaves out of MTProto's schema (https://core.telegram.org/schema/mtproto).
MTPROTO_MISSING_TYPES = """
vector#1cb5c415 {t:Type} # [ t ] = Vector t
p_q_inner_data#83c95aec pq:bytes p:bytes q:bytes nonce:int128 server_nonce:int128 new_nonce:int256 = P_Q_inner_data
p_q_inner_data_temp#3c6a84d4 pq:bytes p:bytes q:bytes nonce:int128 server_nonce:int128 new_nonce:int256 expires_in:int = P_Q_inner_data
server_DH_params_fail#79cb045d nonce:int128 server_nonce:int128 new_nonce_hash:int128 = Server_DH_Params
rpc_result#f35c6d01 req_msg_id:long result:Object = RpcResult
msg_container#73f1f8dc messages:vector<%Message> = MessageContainer
message#5bb8e511 msg_id:long seqno:int bytes:int body:Object = Message
msg_copy#e06046b2 orig_message:Message = MessageCopy
msg_resend_ans_req#8610baeb msg_ids:Vector<long> = MsgResendReq
gzip_packed#3072cfa1 packed_data:bytes = Object
""".strip().splitlines()
MTPROTO_MISSING_METHODS = """
req_pq#60469778 nonce:int128 = ResPQ
""".strip().splitlines()

# Ids that are not the CRC of their line, and why. Everything else must match.
OLDER_TEXT = "made from an older text of the line, which is not published"
NOT_A_CRC = {
    "ipPortSecret": "made with `bytes` as it stands, not written `string`",
    "accessPointRule": OLDER_TEXT,
    "help.configSimple": OLDER_TEXT,
}

# Names that the package adds: its own, and the wrappers again without their query, under the same ids.
LIBRARY_S_OWN = re.compile(r"^mtcute\.|Legacy$|^invokeWith\w+Prefix$")


def read_text(package, name):
    """The text of the member that ends in name, or None."""
    path = pathlib.Path(package)
    if path.is_dir():
        found = sorted(p for p in path.rglob(name) if "compat" not in p.parts)
        return found[0].read_text("utf-8") if found else None
    with tarfile.open(path) as archive:
        for member in archive:
            if member.name.endswith("/" + name) and "/compat/" not in member.name:
                return archive.extractfile(member).read().decode("utf-8")
    return None


def read_member(package, name):
    """The JSON member that ends in name, or None."""
    text = read_text(package, name)
    return None if text is None else json.loads(text)


def type_text(raw, modifiers):
    """A type as the schema writes it, with the vector and the condition around it."""
    text = raw.removeprefix("mt_")
    if text == "int53":
        text = "long"
    if modifiers.get("isVector"):
        text = f"Vector<{text}>"
    elif modifiers.get("isBareVector"):
        text = f"vector<{text}>"
    if modifiers.get("predicate"):
        text = f"{modifiers['predicate']}?{text}"
    return text


def combinator_line(entry):
    parts = [f"{entry['name'].removeprefix('mt_')}#{entry['id']:08x}"]
    parts += [f"{{{g['name']}:{g['type']}}}" for g in entry.get("generics", [])]
    for argument in entry["arguments"]:
        parts.append(f"{argument['name']}:{type_text(argument['type'], argument.get('typeModifiers', {}))}")
    result = dict(entry.get("typeModifiers", {}))
    parts += ["=", type_text(entry["type"], result)]
    return " ".join(parts)


def line_crc(line):
    """The id that a line ought to have: CRC32 of the line in its canonical form."""
    text = re.sub(r"#[0-9a-f]{1,8}(?= )", "", line, count=1)
    text = re.sub(r" \w+:\w+\.\d+\?true\b", "", text)
    text = re.sub(r"([:?])bytes\b(?= |$)", r"\1string", text)
    text = text.replace("<%Message>", " message")  # a bare constructor goes by its own name
    text = re.sub(r"[<>{}]", lambda m: " " if m.group() == "<" else "", text)
    return zlib.crc32(text.encode())


def check(lines):
    """Prints ids that are not the CRC of their line; False if one of them is not known."""
    good = True
    for line in lines:
        name, given = re.match(r"([\w.]+)#([0-9a-f]+)", line).groups()
        if line_crc(line) == int(given, 16):
            continue
        reason = NOT_A_CRC.get(name)
        good = good and reason is not None
        print(f"{name}#{given}: its CRC is {line_crc(line):08x}: {reason or 'UNEXPLAINED'}", file=sys.stderr)
    return good


def render(title, layer, types, methods):
    head = [f"// {title}"] + ([f"// LAYER {layer}"] if layer else [])
    body = ["---types---", *types, "---functions---", *methods]
    return "\n".join(head + [l if l.startswith("---") else l + ";" for l in body]) + "\n"


def convert(entries, missing_types, missing_methods):
    kept = [e for e in entries if not LIBRARY_S_OWN.search(e["name"])]
    types = [combinator_line(e) for e in kept if e["kind"] == "class"]
    methods = [combinator_line(e) for e in kept if e["kind"] == "method"]
    have = {l.split("#")[0] for l in types + methods}
    types = [l for l in missing_types if l.split("#")[0] not in have] + types
    return types, [l for l in missing_methods if l.split("#")[0] not in have] + methods


def api_of_json(package):
    """Layer, types and methods of a package of mtcute's."""
    api = read_member(package, "api-schema.json")
    return api["l"], *convert(api["e"], API_MISSING, [])


def api_of_text(package):
    """Layer, types and methods of `telegram` (GramJS), which ships them as TL text inside a script."""
    text = read_text(package, "apiTl.js")
    layer = int(re.search(r"\bLAYER = (\d+);", read_text(package, "AllTLObjects.js")).group(1))
    parts = text[text.index("`") + 1 : text.rindex("`")].split("---functions---")
    types, methods = ([l.strip().rstrip(";") for l in part.splitlines() if "#" in l] for part in parts)
    return layer, types, methods


MTPROTO_METHODS = {
    "req_pq_multi", "req_DH_params", "set_client_DH_params", "rpc_drop_answer", "get_future_salts",
    "ping", "ping_delay_disconnect", "destroy_session", "destroy_auth_key",
}


def mark_mtproto_methods(entries):
    """The package calls every entry of MTProto's schema a class."""
    for entry in entries:
        if entry["name"].removeprefix("mt_") in MTPROTO_METHODS:
            entry["kind"] = "method"
    return entries


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("package", help=".tgz of npm pack, or the folder it was unpacked to")
    parser.add_argument("--api", help="write the API's schema here")
    parser.add_argument("--mtproto", help="write MTProto's schema here")
    parser.add_argument("--errors", help="write the table of errors here")
    args = parser.parse_args()
    good = True
    about = read_member(args.package, "package.json")
    source = f"made by tools/schema_from_npm.py from {about['name']} {about['version']}"
    if args.api:
        layer, types, methods = (api_of_text if read_text(args.package, "apiTl.js") else api_of_json)(args.package)
        good &= check(types + methods)
        text = render(f"Telegram API, {source}", layer, types, methods)
        pathlib.Path(args.api).write_text(text, "utf-8")
        print(f"{args.api}: layer {layer}, {len(types)} constructors, {len(methods)} methods")
    if args.mtproto:
        entries = mark_mtproto_methods(read_member(args.package, "mtp-schema.json"))
        types, methods = convert(entries, MTPROTO_MISSING_TYPES, MTPROTO_MISSING_METHODS)
        good &= check(types + methods)
        pathlib.Path(args.mtproto).write_text(render(f"MTProto, {source}", None, types, methods), "utf-8")
        print(f"{args.mtproto}: {len(types)} constructors, {len(methods)} methods")
    if args.errors:
        errors = read_member(args.package, "raw-errors.json")["errors"]
        rows = sorted((e["name"], e["code"]) for e in errors.values())
        text = "".join(f"{name}\t{code}\n" for name, code in rows)
        pathlib.Path(args.errors).write_text(text, "utf-8")
        print(f"{args.errors}: {len(rows)} errors")
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
