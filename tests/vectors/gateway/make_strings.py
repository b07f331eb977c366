# SPDX-License-Identifier: MIT
"""Writes strings.json: session strings made by Telethon's StringSession, Kurigram's storage and GramJS's and mtcute's own
writers (make_strings.mjs), so that ours is checked against software we did not write. Wants both Python packages, and node
with the packages of tests/interop/js: python3 make_strings.py PATH_OF_NODE_MODULES > strings.json"""
import base64
import json
import pathlib
import random
import struct
import subprocess
import sys

from pyrogram.storage import Storage
from telethon.crypto import AuthKey
from telethon.sessions import StringSession

LOGINS = [
    dict(dc=2, host="149.154.167.51", port=443, api_id=12345, user_id=5000000001, is_bot=False, test=False),
    dict(dc=4, host="2001:67c:4e8:f004::a", port=443, api_id=2**31 - 1, user_id=1, is_bot=True, test=False),
    dict(dc=1, host="127.0.0.1", port=10443, api_id=1, user_id=2**52, is_bot=False, test=True),
    dict(dc=5, host="91.108.56.130", port=80, api_id=94575, user_id=777, is_bot=True, test=False),
]


def telethon(login, key):
    session = StringSession()
    session.set_dc(login["dc"], login["host"], login["port"])
    session.auth_key = AuthKey(key)
    return session.save()


def pyrogram(login, key, pattern, with_api_id):
    fields = [login["dc"], *([login["api_id"]] if with_api_id else []), login["test"], key, login["user_id"], login["is_bot"]]
    return base64.urlsafe_b64encode(struct.pack(pattern, *fields)).decode().rstrip("=")


def main():
    rng = random.Random(11)
    rows = []
    for login in LOGINS:
        key = rng.randbytes(256)
        row = dict(login, key=key.hex(), telethon=telethon(login, key))
        row["pyrogram"] = pyrogram(login, key, Storage.SESSION_STRING_FORMAT, True)
        row["pyrogram_356"] = pyrogram(login, key, Storage.OLD_SESSION_STRING_FORMAT_64, False)
        if login["user_id"] < 2**32:
            row["pyrogram_351"] = pyrogram(login, key, Storage.OLD_SESSION_STRING_FORMAT, False)
        rows.append(row)
    script = pathlib.Path(__file__).with_name("make_strings.mjs")
    more = subprocess.run(["node", script, sys.argv[1]], input=json.dumps(rows), capture_output=True, text=True, check=True)
    json.dump(json.loads(more.stdout), sys.stdout, indent=1)
    print()


main()
