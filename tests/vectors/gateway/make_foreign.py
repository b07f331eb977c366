"""Writes foreign_sessions.json: strings made by Telethon's own StringSession and the older project's
rule for the credentials, so that our reader is checked against software we did not write."""
import base64
import json
import random
import struct
import sys

from telethon.crypto import AuthKey
from telethon.sessions import StringSession

MASK = base64.b64decode("v1KvK4AGqhWQUm9L87Dh7PzPKl2EQeQA3J0H2InPMUo=")


def credentials(api_id: int, api_hash: str) -> str:
    raw = struct.pack(">QB", api_id, len(api_hash)) + api_hash.encode()
    return base64.urlsafe_b64encode(bytes(b ^ MASK[i % len(MASK)] for i, b in enumerate(raw))).decode()


def main() -> None:
    rng = random.Random(7)
    rows = []
    for dc, address, port in [(2, "149.154.167.51", 443), (4, "2001:67c:4e8:f004::a", 443), (1, "127.0.0.1", 40443)]:
        session = StringSession()
        session.set_dc(dc, address, port)
        key = rng.randbytes(256)
        session.auth_key = AuthKey(key)
        api_id, api_hash = rng.randrange(1, 2**31), rng.randbytes(16).hex()
        rows.append({"dc": dc, "key": key.hex(), "api_id": api_id, "api_hash": api_hash,
                     "token": session.save() + ":" + credentials(api_id, api_hash)})
    json.dump(rows, sys.stdout, indent=1)
    print()


main()
