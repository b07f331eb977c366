# SPDX-License-Identifier: MIT
"""Bodies and answers in pieces, byte by byte over sockets: cuts, breaks, early answers, slow and half-closed readers."""
import contextlib
import json
import socket

import pytest

import metrics
from files import PART, media, send, sha256
from processes import DEADLINE_S, wait_until

pytestmark = pytest.mark.one_process

FORM_TYPE = "multipart/form-data; boundary=b"


def form(data, chat_id="me"):
    return (f'--b\r\nContent-Disposition: form-data; name="chat_id"\r\n\r\n{chat_id}\r\n--b\r\n'
            'Content-Disposition: form-data; name="file"; filename="a.bin"\r\n\r\n').encode() + data + b"\r\n--b--\r\n"


def head(client, method, path, **headers):
    lines = [f"{method} {path} HTTP/1.1", "Host: x", f"X-Session-String: {client.session}",
             *(f"{name.replace('_', '-')}: {value}" for name, value in headers.items())]
    return "\r\n".join([*lines, "", ""]).encode()


@contextlib.contextmanager
def connection(gateway):
    with socket.create_connection(("127.0.0.1", gateway.port), DEADLINE_S) as opened:
        yield opened


def read_head(stream):
    status = int(stream.readline().split()[1])
    headers = {}
    while line := stream.readline().strip():
        name, _, value = line.decode().partition(": ")
        headers[name.lower()] = value
    return status, headers


def read_answer(stream):
    status, headers = read_head(stream)
    return status, headers, json.loads(stream.read(int(headers["content-length"])))


def random_pieces(rng, data, most):
    while data:
        n = rng.randrange(1, most)
        yield data[:n]
        data = data[n:]


def test_forms_in_pieces_of_any_size_on_one_connection(alice, rng):
    """Chunks are cut by themselves, and what is sent at a time by itself."""
    with connection(alice.gateway) as sock, sock.makefile("rb") as stream:
        for most in (3, 50, 5000, 200_000):
            data = rng.randbytes(100 * most)
            body = b"".join(b"%x\r\n%b\r\n" % (len(chunk), chunk) for chunk in random_pieces(rng, form(data), most))
            request = head(alice, "POST", "/messages/send_with_file", Content_Type=FORM_TYPE, Transfer_Encoding="chunked")
            for piece in random_pieces(rng, request + body + b"0\r\n\r\n", most):
                sock.sendall(piece)
            status, headers, answer = read_answer(stream)
            assert status == 200 and "connection" not in headers, answer
            assert sha256(media(alice, answer["message_id"]).content) == sha256(data)


def test_a_form_that_breaks_off(start_gateway, new_account):
    """Each way, the call ends at once: nothing is left behind of it."""
    gateway = start_gateway(workers=1)
    client = new_account(at=gateway)
    begun = form(bytes(3 * PART))[:2 * PART]
    chunked = head(client, "POST", "/messages/send_with_file", Content_Type=FORM_TYPE, Transfer_Encoding="chunked")
    sized = head(client, "POST", "/messages/send_with_file", Content_Type=FORM_TYPE, Content_Length=4 * PART)
    with connection(gateway) as sock, sock.makefile("rb") as stream:
        sock.sendall(chunked + b"%x\r\n%b\r\nno size\r\n" % (len(begun), begun))
        status, headers, answer = read_answer(stream)
        assert (status, answer["error"], headers["connection"]) == (400, "BAD_REQUEST", "close")
    with connection(gateway) as sock:
        sock.sendall(sized + begun)
        sock.shutdown(socket.SHUT_WR)
        assert sock.recv(1) == b""
    with connection(gateway) as sock, sock.makefile("rb") as stream:
        short = form(b"data")[:-8]
        sock.sendall(head(client, "POST", "/messages/send_with_file", Content_Type=FORM_TYPE,
                          Content_Length=len(short)) + short)
        status, headers, answer = read_answer(stream)
        assert (status, answer["error"]) == (400, "MALFORMED_FORM")
        sock.sendall(head(client, "GET", "/healthz"))
        assert read_answer(stream)[0] == 200
    wait_until(lambda: metrics.read(gateway)["tgrest_calls_open"] <= 1, "the calls have ended")
    assert send(client, ("a.bin", b"goes on"))["success"]


def test_an_early_answer_reaches_who_is_still_sending(alice):
    with connection(alice.gateway) as sock, sock.makefile("rb") as stream:
        request = head(alice, "POST", "/messages/send_with_file", Content_Type=FORM_TYPE, Content_Length=8 * PART)
        sock.sendall(request.replace(alice.session.encode(), b"nothing"))
        for _ in range(8):
            sock.sendall(bytes(PART))
        status, headers, answer = read_answer(stream)
        assert (status, answer["error"], headers["connection"]) == (401, "SESSION_MALFORMED", "close")
        assert stream.read() == b""


def test_slow_readers_cost_little_and_get_all(start_gateway, new_account, rng):
    gateway = start_gateway(workers=1)
    client = new_account(at=gateway)
    data = rng.randbytes(40 * PART)
    message_id = send(client, ("a.bin", data))["message_id"]
    media(client, message_id)
    before = metrics.read(gateway)["tgrest_resident_memory_bytes"]
    request = head(client, "GET", f"/messages/media/{message_id}?chat_id=me")
    with contextlib.ExitStack() as stack:
        socks = [stack.enter_context(connection(gateway)) for _ in range(8)]
        for sock in socks:
            sock.sendall(request)
        streams = [stack.enter_context(sock.makefile("rb")) for sock in socks]
        assert all(read_head(stream)[0] == 200 for stream in streams)
        assert client.get("/chats")
        grown = metrics.read(gateway)["tgrest_resident_memory_bytes"] - before
        assert grown < 8 * 16 * PART, f"{grown} bytes for 8 readers"
        for sock, stream in zip(socks, streams):
            sock.shutdown(socket.SHUT_WR)  # who has finished sending may go on reading
            assert sha256(stream.read()) == sha256(data)
