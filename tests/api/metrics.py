# SPDX-License-Identifier: MIT
"""The Prometheus text of /metrics."""
import re

import httpx

from processes import DEADLINE_S

SAMPLE = re.compile(r'^([a-z_][a-z0-9_]*)(\{(?:[^"}]|"[^"]*")*\})? (-?[0-9.]+(?:e[+-]?\d+)?|\+Inf)$')


def read(gateway):
    """{name or name{labels}: number}; every line must be one of the format's."""
    answer = httpx.get(gateway.url + "/metrics", timeout=DEADLINE_S, trust_env=False)
    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("text/plain; version=0.0.4")
    return parse(answer.text)


def parse(text):
    samples, types = {}, {}
    assert text.endswith("\n")
    for line in text.splitlines():
        if line.startswith("# TYPE "):
            _, _, name, kind = line.split(" ", 3)
            assert name not in types and kind in ("counter", "gauge", "histogram"), line
            types[name] = kind
        elif line.startswith("# HELP "):
            assert len(line.split(" ", 3)) == 4
        else:
            match = SAMPLE.match(line)
            assert match, line
            name = match.group(1) + (match.group(2) or "")
            assert name not in samples, f"{name} twice"
            samples[name] = float(match.group(3))
            family = re.sub(r"_(bucket|sum|count)$", "", match.group(1))
            assert match.group(1) in types or types.get(family) == "histogram", line
    return samples
