# SPDX-License-Identifier: MIT
"""HTTP clients of other languages: keep-alive, chunked bodies, files, aborted requests."""
import os
import pathlib
import random
import subprocess
import sys
import time

import files
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
FILE_PROGRAMS = {
    "curl": ["sh", CLIENTS / "curl_files.sh"],
    "httpx": [sys.executable, CLIENTS / "httpx_files.py"],
    "fetch": ["node", CLIENTS / "fetch_files.mjs"],
    "net/http": ["go", "run", CLIENTS / "nethttp_files.go"],
}
FILE_BYTES = 5 * 1024 * 1024 + 333


def connections(gateway):
    """How many were made, beside the ones that ask."""
    samples = metrics.read(gateway)
    return samples["tgrest_http_connections_total"], samples["tgrest_http_connections_open"]


def run(argv, gateway, client, **environment):
    done = subprocess.run(argv, capture_output=True, text=True, timeout=100, env={
        **os.environ, "GATEWAY": gateway.url, "SESSION": client.session, "NO_PROXY": "127.0.0.1", **environment})
    assert done.returncode == 0, done.stdout + done.stderr


def await_closed(gateway, open_before):
    """An aborted request's connection goes with it, not after a timeout."""
    end = time.monotonic() + DEADLINE_S
    while (open_now := connections(gateway)[1]) > open_before:
        assert time.monotonic() < end, f"{open_now} connections are open, before it were {open_before}"


@pytest.mark.parametrize("name", PROGRAMS)
def test_keeps_connections_sends_chunks_and_aborts(gateway, name):
    argv, connections_max = PROGRAMS[name]
    with Api(gateway) as client:
        sign_up(client, numbers.new(1), "Plain")
        before, open_before = connections(gateway)
        run(argv, gateway, client)
        assert connections(gateway)[0] - before - 1 <= connections_max  # the second look is a connection too
        await_closed(gateway, open_before)
        texts = [m["text"] for m in client.messages("me")]
        assert [t for t in texts if t.startswith("chunked by ")] == [f"chunked by {name}"]
        assert not any("never" in t for t in texts)


@pytest.mark.parametrize("name", FILE_PROGRAMS)
def test_carries_files_and_ranges_and_cuts_off(gateway, name, tmp_path):
    data = random.Random(name).randbytes(FILE_BYTES)
    (tmp_path / "noise.bin").write_bytes(data)
    with Api(gateway) as client:
        sign_up(client, numbers.new(1), "Plain")
        _, open_before = connections(gateway)
        run(FILE_PROGRAMS[name], gateway, client, FILE=str(tmp_path / "noise.bin"))
        await_closed(gateway, open_before)
        [message] = client.messages("me")
        assert message["text"] == f"file by {name}"
        assert files.media(client, message["id"]).content == data
