# SPDX-License-Identifier: MIT
"""Several workers, one connection to Telegram per key: calls are handed to the worker that owns the
session. Also run under ThreadSanitizer."""
import concurrent.futures
import json
import random
import socket

import httpx
import pytest

import metrics
from accounts import sign_up, unique
from client import Api
from processes import DEADLINE_S, wait_until

SESSIONS = 6
CONNECTIONS = 24
CALLS = 20


@pytest.fixture(scope="module", params=[1, 4])
def workers(request, binary, sandbox, key_file, gateway):
    from processes import Gateway

    with Gateway(binary, sandbox, key_file, workers=request.param) as running:
        running.workers = request.param
        yield running


@pytest.fixture(scope="module")
def users(gateway, numbers):
    clients = [sign_up(Api(gateway), numbers.new()) for _ in range(SESSIONS)]
    yield clients
    for client in clients:
        client.close()


def test_many_connections_and_few_sessions(workers, users, sandbox):
    """Whatever worker a connection lands on: no key is used twice at a time, no call is lost or doubled."""
    before = sandbox.control.stats()
    handed_over = metrics.read(workers)["tgrest_calls_handed_over_total"]

    def work(index):
        rng = random.Random(index)
        sent = []
        clients = [user.at(workers) for user in users]
        for _ in range(CALLS):
            which = rng.randrange(SESSIONS)
            client = clients[which]
            if rng.random() < 0.5:
                text = unique("handed over")
                sent.append((which, client.send("me", text)["message_id"], text))
            else:
                assert client.get("/me")["id"] == client.user_id
        for client in clients:
            client.close()
        return sent

    with concurrent.futures.ThreadPoolExecutor(CONNECTIONS) as pool:
        sent = [one for some in pool.map(work, range(CONNECTIONS)) for one in some]
    assert len({(which, message_id) for which, message_id, _ in sent}) == len(sent)
    for which, user in enumerate(users):
        mine = {message_id: text for owner, message_id, text in sent if owner == which}
        with user.at(workers) as client:
            found = {m["id"]: m["text"] for m in client.messages("me", limit=1000)}
        assert mine.items() <= found.items()
    after = sandbox.control.stats()
    assert after["duplicated"] == before["duplicated"]
    assert after["messages.sendMessage"] - before.get("messages.sendMessage", 0) == len(sent)
    # One connection for each session, whoever asked.
    assert after["connections"] - before["connections"] == SESSIONS
    if workers.workers > 1:
        assert metrics.read(workers)["tgrest_calls_handed_over_total"] > handed_over


def test_logins_at_the_same_time(workers, numbers, sandbox):
    before = sandbox.control.stats()["duplicated"]

    def log_in(phone):
        with Api(workers) as client:
            sign_up(client, phone)
            client.send("me", unique("new here"))
            client.delete("/auth/logout")
            client.error("GET", "/me", 401, "AUTH_KEY_UNREGISTERED")

    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        list(pool.map(log_in, [numbers.new() for _ in range(16)]))
    assert sandbox.control.stats()["duplicated"] == before


def test_clients_that_leave_in_the_middle(workers, new_account, sandbox):
    """The call of a gone client is given up wherever it runs; the session goes on."""
    user = new_account(at=workers)
    rule = f"user={user.user_id},method=messages.getDialogs,do=delay:1000"
    head = f"GET /chats HTTP/1.1\r\nHost: x\r\nX-Session-String: {user.session}\r\n\r\n".encode()
    with sandbox.control.fault(rule) as hits:
        connections = [socket.create_connection(("127.0.0.1", workers.port), DEADLINE_S) for _ in range(16)]
        for connection in connections:
            connection.sendall(head)
        wait_until(lambda: hits() == 16, "all calls under way")
        for connection in connections:
            # A reset, as of a program that died.
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
            connection.close()
        wait_until(lambda: metrics.read(workers)["tgrest_calls_open"] <= 1, "the calls to end")
    with user.at(workers) as client:
        assert client.get("/me")["id"] == user.user_id


def test_pipelined_requests_are_answered_in_order(workers, users):
    requests = b"".join(
        f"GET /me HTTP/1.1\r\nHost: x\r\nX-Request-Id: p{i}\r\nX-Session-String: {users[i % SESSIONS].session}\r\n\r\n".encode()
        for i in range(12))
    with socket.create_connection(("127.0.0.1", workers.port), DEADLINE_S) as connection:
        connection.sendall(requests)
        stream = connection.makefile("rb")
        for i in range(12):
            headers = {}
            assert stream.readline().startswith(b"HTTP/1.1 200")
            while (line := stream.readline().strip()):
                name, _, value = line.decode().partition(": ")
                headers[name.lower()] = value
            body = json.loads(stream.read(int(headers["content-length"])))
            assert headers["x-request-id"] == f"p{i}" and body["id"] == users[i % SESSIONS].user_id


def test_a_session_moves_when_its_owner_forgets_it(binary, sandbox, key_file, users, gateway):
    """With --warm off nobody owns a session between calls: each call runs where it lands."""
    from processes import Gateway

    before = sandbox.control.stats()["duplicated"]
    with Gateway(binary, sandbox, key_file, workers=4, warm="off") as cold:

        def work(user):
            for _ in range(15):
                with user.at(cold) as client:  # a new connection each time
                    assert client.get("/me")["id"] == user.user_id

        with concurrent.futures.ThreadPoolExecutor(SESSIONS) as pool:
            list(pool.map(work, users))
    assert sandbox.control.stats()["duplicated"] == before


def test_a_drain_under_load(binary, sandbox, key_file, users, gateway):
    """Every request gets an answer or a closed connection, never half of one; the process ends well."""
    from processes import Gateway

    with Gateway(binary, sandbox, key_file, workers=4) as busy:
        def work(user):
            statuses = []
            with httpx.Client(base_url=busy.url, timeout=DEADLINE_S, trust_env=False) as http:
                while True:
                    try:
                        answer = http.get("/me", headers={"X-Session-String": user.session})
                    except httpx.TransportError:
                        return statuses
                    answer.json()
                    statuses.append(answer.status_code)

        with concurrent.futures.ThreadPoolExecutor(SESSIONS * 2) as pool:
            running = [pool.submit(work, user) for user in users * 2]
            wait_until(lambda: metrics.read(busy)["tgrest_upstream_requests_total"] > 50, "load")
            busy.terminate()
            statuses = [status for future in running for status in future.result()]
        assert statuses.count(200) > 20 and set(statuses) <= {200, 503}
