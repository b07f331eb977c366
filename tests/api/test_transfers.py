# SPDX-License-Identifier: MIT
"""Many transfers, large ones, slow and broken ones: what they cost the gateway, and that they end well."""
import concurrent.futures
import contextlib
import hashlib
import os
import pathlib
import re
import socket
import struct
import threading
import time

import pytest

from accounts import sign_up
from files import FORM_END, FORM_HEAD, MIB, PART, media, send, sha256
from processes import DEADLINE_S, wait_until

BLOCK = bytes(range(256)) * (MIB // 256)  # equal parts are held once by the sandbox
SANITIZED = any(word in os.environ.get("TGREST_BINARY", "") for word in ("asan", "tsan"))

# Eight parts in flight, one being filled, what the sockets and one worker's buffers hold: nothing of it grows with
# the file.
WINDOW_MIB = 9 * PART / MIB + 8


def peak_mib(process):
    """The most memory that the process ever had."""
    return int(re.search(r"VmHWM:\s+(\d+) kB", pathlib.Path(f"/proc/{process.pid}/status").read_text())[1]) / 1024


def descriptors(process):
    return len(os.listdir(f"/proc/{process.pid}/fd"))


# ---- requests on sockets: nothing between the test and the bytes ----


def dial(gateway):
    host, port = gateway.url.removeprefix("http://").split(":")
    return socket.create_connection((host, int(port)), DEADLINE_S)


def begin_upload(client, size):
    connection = dial(client.gateway)
    length = len(FORM_HEAD) + size + len(FORM_END)
    connection.sendall(
        f"POST /messages/send_with_file HTTP/1.1\r\nHost: x\r\nX-Session-String: {client.session}\r\nConnection: close\r\n"
        f"Content-Type: multipart/form-data; boundary=b\r\nContent-Length: {length}\r\n\r\n".encode() + FORM_HEAD)
    return connection


def begin_download(client, message_id, receive_buffer=None):
    host, port = client.gateway.url.removeprefix("http://").split(":")
    connection = socket.socket()
    if receive_buffer:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
    connection.settimeout(DEADLINE_S)
    connection.connect((host, int(port)))
    connection.sendall(f"GET /messages/media/{message_id}?chat_id=me HTTP/1.1\r\nHost: x\r\nConnection: close\r\n"
                       f"X-Session-String: {client.session}\r\n\r\n".encode())
    return connection


def head_of(connection):
    """Status, and what of the body came with the head."""
    received = b""
    while b"\r\n\r\n" not in received:
        piece = connection.recv(65536)
        assert piece, received
        received += piece
    head, body = received.split(b"\r\n\r\n", 1)
    return int(head.split()[1]), body


def upload_blocks(client, mib):
    with begin_upload(client, mib * MIB) as connection:
        for _ in range(mib):
            connection.sendall(BLOCK)
        connection.sendall(FORM_END)
        return sent_id(connection)


def sent_id(connection):
    status, body = head_of(connection)
    while piece := connection.recv(65536):
        body += piece
    assert status == 200, body
    return int(re.search(rb'"message_id":(\d+)', body)[1])


def download_digest(client, message_id):
    with begin_download(client, message_id) as connection:
        status, body = head_of(connection)
        assert status == 200
        digest, size = hashlib.sha256(body), len(body)
        buffer = memoryview(bytearray(MIB))
        while n := connection.recv_into(buffer):
            digest.update(buffer[:n])
            size += n
    return digest.hexdigest(), size


def blocks_digest(mib):
    digest = hashlib.sha256()
    for _ in range(mib):
        digest.update(BLOCK)
    return digest.hexdigest(), mib * MIB


# ---- how much memory a file takes ----


@pytest.fixture
def one_worker(start_gateway, connect, numbers):
    """A gateway of the test's own, and a user of it who has already sent and fetched a little."""
    gateway = start_gateway(workers=1)
    client = sign_up(connect(gateway), numbers.new())
    media(client, send(client, ("a.bin", b"warm"))["message_id"])
    return gateway, client


def assert_window(gateway, before):
    assert SANITIZED or peak_mib(gateway) - before < WINDOW_MIB, f"{before} MiB before, {peak_mib(gateway)} at the most"


def there_and_back(gateway, client, mib):
    before = peak_mib(gateway)
    sent = upload_blocks(client, mib)
    assert_window(gateway, before)
    before = peak_mib(gateway)
    assert download_digest(client, sent) == blocks_digest(mib)
    assert_window(gateway, before)


@pytest.mark.one_process
def test_a_large_file_in_constant_memory(one_worker):
    there_and_back(*one_worker, 64 if SANITIZED else 256)


@pytest.mark.one_process
@pytest.mark.large
@pytest.mark.timeout(900)
def test_two_gibibytes_in_constant_memory(one_worker):
    """To the limit: 4,000 parts."""
    there_and_back(*one_worker, 2000)


@pytest.mark.one_process
def test_a_slow_reader_is_waited_for(one_worker, control):
    gateway, client = one_worker
    mib = 64
    sent = upload_blocks(client, mib)
    before, parts = peak_mib(gateway), control.executed("upload.getFile")
    with begin_download(client, sent, receive_buffer=4096) as connection:
        status, body = head_of(connection)
        assert status == 200
        settled = [-1]

        def still():
            """As many parts as before: nobody asks for more."""
            settled.append(control.executed("upload.getFile") - parts)
            time.sleep(0.05)
            return len(settled) > 10 and len(set(settled[-10:])) == 1

        wait_until(still, "the gateway stops fetching")
        assert settled[-1] < mib  # half of the parts
        assert_window(gateway, before)
        digest = hashlib.sha256(body)
        while piece := connection.recv(65536):
            digest.update(piece)
    assert digest.hexdigest() == blocks_digest(mib)[0]
    assert_window(gateway, before)


# ---- many, and those that break off ----


@pytest.mark.one_process
def test_two_hundred_at_once(start_gateway, connect, numbers, rng):
    gateway = start_gateway()
    users = [sign_up(connect(gateway), numbers.new()) for _ in range(10)]
    contents = [rng.randbytes(rng.randrange(1, 3 * PART)) for _ in range(200)]
    meet = threading.Barrier(200)

    def there(i):
        meet.wait(DEADLINE_S)
        return post_file(users[i % 10], contents[i])

    def back(i, message_id):
        meet.wait(DEADLINE_S)
        return download_digest(users[i % 10], message_id)

    with concurrent.futures.ThreadPoolExecutor(200) as pool:
        sent = list(pool.map(there, range(200)))
        assert len({(i % 10, message_id) for i, message_id in enumerate(sent)}) == 200
        fetched = list(pool.map(back, range(200), sent))
    assert fetched == [(sha256(data), len(data)) for data in contents]


def post_file(client, data):
    with begin_upload(client, len(data)) as connection:
        connection.sendall(data + FORM_END)
        return sent_id(connection)


def close_hard(connection):
    """With a reset, as a crash or a lost network ends it."""
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    connection.close()


@pytest.mark.one_process
def test_clients_that_break_off_anywhere(one_worker, rng):
    gateway, client = one_worker
    size = 6 * PART
    sent = send(client, ("a.bin", rng.randbytes(size)))["message_id"]
    messages = len(client.messages("me", limit=100))
    idle = descriptors(gateway)
    for _ in range(60):
        if rng.random() < 0.5:
            connection = begin_upload(client, size)
            connection.sendall(bytes(rng.randrange(size)))
        else:
            connection = begin_download(client, sent)
            for _ in range(rng.randrange(12)):
                connection.recv(rng.randrange(1, 100_000))
        if rng.random() < 0.5:
            close_hard(connection)
        connection.close()
    wait_until(lambda: descriptors(gateway) <= idle, "the broken connections are closed")
    assert len(client.messages("me", limit=100)) == messages
    assert sha256(media(client, sent).content)


@pytest.mark.one_process
def test_links_that_break_anywhere(new_account, control, rng):
    """Telegram's side is cut again and again, whatever is under way."""
    client = new_account()
    data = rng.randbytes(30 * PART)
    rules = [f"method=upload.*,user={client.user_id},p=0.05,count=4,do={action}"
             for action in ("reset", "drop_before", "drop_after", "lose_session")]
    with contextlib.ExitStack() as faults:
        hits = [faults.enter_context(control.fault(rule)) for rule in rules]
        for _ in range(3):
            sent = send(client, ("a.bin", data))["message_id"]
            assert sha256(media(client, sent).content) == sha256(data)
        assert sum(hit() for hit in hits) > 0
