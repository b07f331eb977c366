# SPDX-License-Identifier: MIT
"""httpx: two requests one after the other, a chunked body, a request that is aborted amid its body."""
import os

import httpx


class Aborted(Exception):
    pass


def unfinished():
    yield b'{"chat_id":"me","text":"never'
    raise Aborted


headers = {"X-Session-String": os.environ["SESSION"], "Content-Type": "application/json"}
with httpx.Client(base_url=os.environ["GATEWAY"], headers=headers, trust_env=False) as client:
    for _ in range(2):
        client.get("/me").raise_for_status()
    parts = iter([b'{"chat_id":"me",', b'"text":"chunked by httpx"}'])
    sent = client.post("/messages/send", content=parts)
    assert sent.request.headers["transfer-encoding"] == "chunked"
    sent.raise_for_status()
    try:
        client.post("/messages/send", content=unfinished())
        raise SystemExit("aborted: it was answered")
    except Aborted:
        pass
