# SPDX-License-Identifier: MIT
"""Requests: the few of the set-up by http.client, the many of a measurement by wrk."""
import base64
import http.client
import json
import struct
import subprocess
from dataclasses import dataclass
from itertools import cycle
from pathlib import Path

from processes import Failed

# Any pair will do: the sandbox looks at the form only.
API_ID, API_HASH = 1, "0123456789abcdef0123456789abcdef"
MASK = base64.b64decode("v1KvK4AGqhWQUm9L87Dh7PzPKl2EQeQA3J0H2InPMUo=")  # public: it hides nothing
DC_ID = 2


def foreign_token(key, port):
    """The older project's session string for a data centre on this machine."""
    session = struct.pack(">B4sH256s", DC_ID, bytes([127, 0, 0, 1]), port, key)
    credentials = struct.pack(">QB", API_ID, len(API_HASH)) + API_HASH.encode()
    masked = bytes(a ^ b for a, b in zip(credentials, cycle(MASK)))
    return f"1{base64.urlsafe_b64encode(session).decode()}:{base64.urlsafe_b64encode(masked).decode()}"


class Api:
    """One keep-alive connection to a gateway or a wrapper."""

    def __init__(self, port):
        self.http = http.client.HTTPConnection("127.0.0.1", port, timeout=60)

    def call(self, method, path, token=None, body=None):
        """The answer as JSON, how long it was, and the session string that came with it (or the old one)."""
        headers = {"Content-Type": "application/json"} if body is not None else {}
        if token:
            headers["X-Session-String"] = token
        self.http.request(method, path, json.dumps(body) if body is not None else None, headers)
        answer = self.http.getresponse()
        text = answer.read()
        if answer.status != 200:
            raise Failed(f"{method} {path}: {answer.status} {text[:300]!r}")
        return json.loads(text), len(text), answer.getheader("X-Session-String", token)


@dataclass
class Request:
    method: str
    path: str
    token: str = ""
    body: object = None

    def line(self):
        body = json.dumps(self.body) if self.body is not None else ""
        return f"{self.method}\t{self.path}\t{self.token}\t{body}\n"


@dataclass
class Measured:
    per_second: float
    p50_us: int
    p99_us: int
    cpu_us: float
    errors: int


def measure(program, requests, connections, seconds, directory):
    """Loads the program's port with the requests in turn; CPU is that of the program alone."""
    lines = Path(directory) / "requests.tsv"
    lines.write_text("".join(r.line() for r in requests))
    lines.chmod(0o600)
    argv = ["wrk", "-t1", f"-c{connections}", f"-d{seconds}s", "--timeout", "10s", "-s",
            str(Path(__file__).parent / "requests.lua"), f"http://127.0.0.1:{program.port}/", "--", str(lines)]
    cpu_us = program.cpu_us()
    done = subprocess.run(argv, capture_output=True, text=True)
    cpu_us = program.cpu_us() - cpu_us
    if done.returncode != 0 or not done.stderr.startswith("{"):
        raise Failed(f"wrk: {done.stderr or done.stdout}")
    sums = json.loads(done.stderr.splitlines()[0])
    n = max(sums["requests"], 1)
    return Measured(sums["requests"] / sums["us"] * 1e6, sums["p50_us"], sums["p99_us"], cpu_us / n,
                    sums["refused"] + sums["broken"])
