# SPDX-License-Identifier: MIT
"""HTTP clients of other languages: keep-alive, a chunked body, an aborted request."""
import os
import pathlib
import subprocess
import sys
import time

import metrics
import pytest
from accounts import Numbers, sign_up
from client import Api
from processes import DEADLINE_S

CLIENTS = pathlib.Path(__file__).parent / "clients"
numbers = Numbers()

# What runs it, and the most connections that it may need: curl is started three times, and fetch opens a second
# one around its streamed bodies.
PROGRAMS = {
    "curl": (["sh", CLIENTS / "curl.sh"], 3),
    "httpx": ([sys.executable, CLIENTS / "httpx_client.py"], 1),
    "fetch": (["node", CLIENTS / "fetch.mjs"], 2),
    "net/http": (["go", "run", CLIENTS / "nethttp.go"], 1),
}


def connections(gateway):
    """How many were made, beside the ones that ask."""
    samples = metrics.read(gateway)
    return samples["tgrest_http_connections_total"], samples["tgrest_http_connections_open"]


@pytest.mark.parametrize("name", PROGRAMS)
def test_keeps_connections_sends_chunks_and_aborts(gateway, name):
    argv, connections_max = PROGRAMS[name]
    with Api(gateway) as client:
        sign_up(client, numbers.new(1), "Plain")
        before, open_before = connections(gateway)
        done = subprocess.run(argv, capture_output=True, text=True, timeout=100, env={
            **os.environ, "GATEWAY": gateway.url, "SESSION": client.session, "NO_PROXY": "127.0.0.1"})
        assert done.returncode == 0, done.stdout + done.stderr
        after, open_after = connections(gateway)
        assert after - before - 1 <= connections_max  # the second look is a connection too
        end = time.monotonic() + DEADLINE_S
        while open_after > open_before:  # the aborted request's goes with it, not after a timeout
            assert time.monotonic() < end, f"{open_after} connections are open, before it were {open_before}"
            _, open_after = connections(gateway)
        texts = [m["text"] for m in client.messages("me")]
        assert [t for t in texts if t.startswith("chunked by ")] == [f"chunked by {name}"]
        assert not any("never" in t for t in texts)
