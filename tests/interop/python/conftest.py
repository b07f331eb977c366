# SPDX-License-Identifier: MIT
"""What the tests against software of others share: the programs, started as the API tests start them."""
import os
import pathlib
import sys

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[3]
sys.path[:0] = [str(pathlib.Path(__file__).parent), str(ROOT / "tests" / "api")]

from processes import Gateway, Process, Sandbox  # noqa: E402

BINARY = os.environ.get("TGREST_BINARY", str(ROOT / "build" / "tgrest"))


def pytest_collection_modifyitems(items):
    for item in items:
        if not item.get_closest_marker("timeout"):
            item.add_marker(pytest.mark.timeout(120))


@pytest.fixture(scope="session", autouse=True)
def everything_ended_well():
    yield
    for process in Process.all:
        process.stop()


@pytest.fixture(scope="session")
def directory(tmp_path_factory):
    return tmp_path_factory.mktemp("interop")


@pytest.fixture(scope="session")
def sandbox(directory):
    """In our own layer, for the tests over HTTP."""
    with Sandbox(BINARY, directory / "sandbox.pem", options=["--seed", "1"]) as running:
        yield running


@pytest.fixture(scope="session")
def gateway(sandbox, directory):
    with Gateway(BINARY, sandbox, directory / "gateway.key") as running:
        yield running
