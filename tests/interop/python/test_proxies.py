# SPDX-License-Identifier: MIT
"""The API tests once more, with nginx and with HAProxy before the gateway."""
import os
import pathlib
import re
import subprocess
import sys

import pytest
from conftest import BINARY, ROOT

# Those in which headers, bodies and repeated requests matter, and that speak as clients do: no raw sockets, no
# counting of connections.
FILES = ["test_login", "test_messages", "test_methods", "test_idempotency", "test_stateless", "test_files",
         "test_media"]


@pytest.mark.timeout(240)
@pytest.mark.parametrize("proxy", ["nginx", "haproxy"])
def test_api_tests_pass_through(proxy):
    here = pathlib.Path(__file__).parent
    env = {**os.environ, "TGREST_PROXY": proxy, "PYTHONPATH": f"{here}:{ROOT}/tests/api"}
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-p", "through_proxy", "--binary", BINARY,
         "--tb=short", *(f"tests/api/{name}.py" for name in FILES)],
        cwd=ROOT, env=env, capture_output=True, text=True, timeout=230)
    assert done.returncode == 0, done.stdout[-20000:] + done.stderr[-4000:]
    assert int(re.search(r"(\d+) passed", done.stdout).group(1)) > 150
