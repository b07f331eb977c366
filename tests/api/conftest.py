# SPDX-License-Identifier: MIT
"""What the API tests share: the programs, accounts that log in, and the last look at what was written."""
import itertools
import os
import pathlib
import random
import secrets
import sys

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).parent))

from accounts import Numbers, sign_up  # noqa: E402
from client import Api  # noqa: E402
from processes import DEADLINE_S, Gateway, Process, Sandbox  # noqa: E402
from replicas import Replicas  # noqa: E402

REPLICAS = pytest.StashKey[str]()
TEST_TIMEOUT_S = 5 * DEADLINE_S  # several waits, each with a deadline of its own


def pytest_addoption(parser):
    parser.addoption("--binary", default="build/tgrest", help="the program under test")
    parser.addoption("--replicas", default=0, type=int, help="that share the requests, and die now and then")
    parser.addoption("--workers", default=2, type=int, help="of gateways whose number of workers is not the point")


def pytest_configure(config):
    Gateway.workers_default = config.getoption("--workers")
    config.addinivalue_line("markers", "large: takes long; run by CI, or with -m large")
    config.addinivalue_line("markers", "one_process: looks at what the shared gateway counts or remembers")
    os.environ["TGREST_BINARY"] = os.path.abspath(config.getoption("--binary"))


def pytest_collection_modifyitems(config, items):
    if config.getoption("--replicas"):
        config.hook.pytest_deselected(items=[i for i in items if i.get_closest_marker("one_process")])
        items[:] = [i for i in items if not i.get_closest_marker("one_process")]
    if not config.getoption("-m"):
        config.hook.pytest_deselected(items=[i for i in items if i.get_closest_marker("large")])
        items[:] = [i for i in items if not i.get_closest_marker("large")]
    for item in items:
        if not item.get_closest_marker("timeout"):
            item.add_marker(pytest.mark.timeout(TEST_TIMEOUT_S))


def pytest_terminal_summary(terminalreporter, config):
    if told := config.stash.get(REPLICAS, None):
        terminalreporter.write_line(told)


@pytest.fixture(scope="session")
def binary():
    path = os.environ["TGREST_BINARY"]
    assert os.access(path, os.X_OK), f"{path}: build it first"
    return path


@pytest.fixture(scope="session", autouse=True)
def everything_ended_well():
    """Whatever a test forgot to stop is stopped here, and every program's output is looked at once more:
    a secret that was made later counts too."""
    yield
    problems = []
    for process in Process.all:
        for check in (process.stop, process.check_output):
            try:
                check()
            except AssertionError as problem:
                problems.append(str(problem))
    assert not problems, "\n\n".join(dict.fromkeys(problems))


@pytest.fixture(scope="session")
def rng():
    """For bytes and choices at random; the seed is in the output of a test that fails."""
    seed = int(os.environ.get("TGREST_TEST_SEED") or secrets.randbits(32))
    print(f"TGREST_TEST_SEED={seed}")
    return random.Random(seed)


@pytest.fixture(scope="session")
def numbers():
    return Numbers()


# ---- programs that all tests share ----


@pytest.fixture(scope="session")
def directory(tmp_path_factory):
    return tmp_path_factory.mktemp("tgrest")


@pytest.fixture(scope="session")
def key_file(directory):
    """Made by the first gateway that starts, shared by all replicas."""
    return directory / "shared.key"


@pytest.fixture(scope="session")
def sandbox(binary, directory):
    with Sandbox(binary, directory / "sandbox.pem") as running:
        yield running


@pytest.fixture(scope="session")
def gateway(binary, sandbox, key_file, pytestconfig):
    count = pytestconfig.getoption("--replicas")
    if count == 0:
        with Gateway(binary, sandbox, key_file) as running:
            yield running
        return
    seed = int(os.environ.get("TGREST_TEST_SEED") or secrets.randbits(32))
    pytestconfig.stash[REPLICAS] = f"TGREST_TEST_SEED={seed}"  # should the run not come to its end
    replicas = Replicas(binary, sandbox, key_file, count, seed)
    yield replicas
    pytestconfig.stash[REPLICAS] = f"{replicas.requests} requests over {count} replicas, {replicas.crashes} crashes, TGREST_TEST_SEED={seed}"
    replicas.stop()


@pytest.fixture
def control(sandbox):
    yield sandbox.control
    sandbox.control.run("fault_clear")


# ---- programs of one test's own ----


@pytest.fixture
def start_gateway(binary, sandbox, key_file, gateway):
    """Starts further gateways beside the shared one; they are stopped, and checked, after the test."""
    running = []

    def start(*, at=sandbox, key_file=key_file, **options):
        running.append(Gateway(binary, at, key_file, **options))
        return running[-1]

    yield start
    for process in running:
        process.stop()


@pytest.fixture
def start_sandbox(binary, tmp_path):
    running = []
    count = itertools.count()

    def start(**options):
        running.append(Sandbox(binary, tmp_path / f"sandbox-{next(count)}.pem", **options))
        return running[-1]

    yield start
    for process in running:
        process.stop()


# ---- clients ----


@pytest.fixture
def connect():
    """Makes clients, logged in nowhere, and closes them after the test."""
    clients = []

    def make(gateway, session=None):
        clients.append(Api(gateway, session))
        return clients[-1]

    yield make
    for client in clients:
        client.close()


@pytest.fixture
def api(gateway, connect):
    return connect(gateway)


@pytest.fixture
def new_account(gateway, numbers, connect):
    """Signs up a new number: at the shared gateway unless said otherwise."""

    def make(at=gateway, first_name="Test", dc=2, **names):
        return sign_up(connect(at), numbers.new(dc), first_name, **names)

    return make


def _user(gateway, numbers, name):
    with Api(gateway) as client:
        sign_up(client, numbers.new(2), name.capitalize())
        client.username = f"{name}_of_tests"
        client.set_username(client.username)
        yield client


@pytest.fixture(scope="session")
def alice(gateway, numbers):
    """A user whom tests share; chats with her have what other tests wrote."""
    yield from _user(gateway, numbers, "alice")


@pytest.fixture(scope="session")
def bob(gateway, numbers):
    yield from _user(gateway, numbers, "bob")
