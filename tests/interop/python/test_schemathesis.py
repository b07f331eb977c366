# SPDX-License-Identifier: MIT
"""schemathesis makes requests, valid and not, from /openapi.json, and holds each answer against it: no 5xx, no
status or header or content type that is not described, no body of another form, no invalid data taken."""
import os
import pathlib
import subprocess
import sys

import pytest
from accounts import Numbers, sign_up
from client import Api

CONFIG = pathlib.Path(__file__).parent / "schemathesis.toml"
CHECKS = ["not_a_server_error", "status_code_conformance", "content_type_conformance",
          "response_headers_conformance", "response_schema_conformance", "negative_data_rejection",
          "unsupported_method"]


def run(gateway, folder, *options):
    program = os.path.join(os.path.dirname(sys.executable), "schemathesis")
    return subprocess.run(
        [program, "--config-file", CONFIG, "run", f"{gateway.url}/openapi.json", "--checks", ",".join(CHECKS),
         "--seed", os.environ.get("TGREST_TEST_SEED", "1"), "--max-examples", "40", "--no-color",
         "--generation-database", "none", "--continue-on-failure", "--phases", "examples,coverage,fuzzing",
         *options],
        cwd=folder, capture_output=True, text=True, timeout=110)


def judge(done, *secrets):
    said = done.stdout + done.stderr
    for secret in secrets:
        said = said.replace(secret, "…")
    assert done.returncode == 0, said[-20000:]
    assert "generated" in said, said


def test_finds_nothing_wrong_with_a_session(gateway, tmp_path):
    with Api(gateway) as client:
        sign_up(client, Numbers().new(3), "Schema")
        judge(run(gateway, tmp_path, "--header", f"X-Session-String: {client.session}",
                  "--exclude-path", "/auth/logout"), client.session)
        assert client.get("/me")["name"] == "Schema"


@pytest.mark.parametrize("options", [(), ("--header", "X-Session-String: tgr1.forged")])
def test_finds_nothing_wrong_without_a_session(gateway, tmp_path, options):
    judge(run(gateway, tmp_path, *options, "--max-examples", "10"))
