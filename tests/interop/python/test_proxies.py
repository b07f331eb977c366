# SPDX-License-Identifier: MIT
"""The API tests once more, with nginx and with HAProxy before the gateway."""
import os
import pathlib
import re
import subprocess
import sys

import pytest
from conftest import BINARY, ROOT

# Those in which headers, bodies and repeated requests matter, and that speak as clients do: no counting of
# connections, nothing of what is behind the gateway.
FILES = ["test_login", "test_auth_codes", "test_auth_exchange", "test_auth_qr", "test_auth_restrict", "test_chats",
         "test_groups", "test_messages", "test_methods", "test_peers", "test_text", "test_idempotency",
         "test_stateless", "test_files", "test_media"]

# About the very connection to us.
OURS = ["test_files.py::test_a_connection_outlives_an_early_refusal_when_little_is_left"]
# What nginx does by itself: it asks for a body before the gateway is asked, and does not say beforehand that it
# ends a connection whose body it has not read to the end.
NGINX_S_OWN = [
    "test_files.py::test_a_form_that_must_be_too_large_is_refused_before_it_is_asked_for",
    "test_files.py::test_what_else_is_known_before_the_body_is_refused_before_it",
    "test_auth_restrict.py::test_files_stay_inside",
]


@pytest.mark.timeout(610)
@pytest.mark.parametrize("proxy, left_out", [("nginx", OURS + NGINX_S_OWN), ("haproxy", OURS)])
def test_api_tests_pass_through(proxy, left_out):
    here = pathlib.Path(__file__).parent
    env = {**os.environ, "TGREST_PROXY": proxy, "PYTHONPATH": f"{here}:{ROOT}/tests/api"}
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-p", "through_proxy", "--binary", BINARY,
         "--tb=short", *(f"--deselect=tests/api/{test}" for test in left_out),
         *(f"tests/api/{name}.py" for name in FILES)],
        cwd=ROOT, env=env, capture_output=True, text=True, timeout=600)
    assert done.returncode == 0, done.stdout[-20000:] + done.stderr[-4000:]
    assert int(re.search(r"(\d+) passed", done.stdout).group(1)) > 400
