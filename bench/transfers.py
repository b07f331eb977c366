# SPDX-License-Identifier: MIT
"""Files up and down through the gateway, next to what sealing alone costs."""
import re
import socket
import subprocess
import threading
import time
from dataclasses import dataclass

import world
from load import Api, foreign_token
from processes import Failed

MB = 1_000_000
BLOCK = bytes(range(256)) * 4096  # 1 MiB; equal parts are held once by the sandbox
BLOCKS_OF_ALL = 512               # of one measurement, over all of its transfers
SOCKET_TIMEOUT_S = 120

FORM_HEAD = (b'--b\r\nContent-Disposition: form-data; name="chat_id"\r\n\r\nme\r\n--b\r\n'
             b'Content-Disposition: form-data; name="file"; filename="a.bin"\r\n\r\n')
FORM_END = b"\r\n--b--\r\n"


@dataclass
class Moved:
    mb_per_second: float
    cpu_s_per_gb: float
    peak_mib: float


def dial(port, head):
    connection = socket.create_connection(("127.0.0.1", port), SOCKET_TIMEOUT_S)
    connection.sendall(head.encode())
    return connection


def answer_of(connection):
    """The head's status, and the bytes behind the head that have arrived."""
    received = b""
    while b"\r\n\r\n" not in received:
        piece = connection.recv(65536)
        if not piece:
            raise Failed(f"the gateway hung up: {received[:300]!r}")
        received += piece
    head, body = received.split(b"\r\n\r\n", 1)
    if head.split()[1] != b"200":
        raise Failed(f"{received[:500]!r}")
    return body


def upload(port, token, blocks):
    length = len(FORM_HEAD) + blocks * len(BLOCK) + len(FORM_END)
    with dial(port, f"POST /messages/send_with_file HTTP/1.1\r\nHost: bench\r\nX-Session-String: {token}\r\n"
                    f"Connection: close\r\nContent-Type: multipart/form-data; boundary=b\r\n"
                    f"Content-Length: {length}\r\n\r\n") as connection:
        connection.sendall(FORM_HEAD)
        for _ in range(blocks):
            connection.sendall(BLOCK)
        connection.sendall(FORM_END)
        body = answer_of(connection)
        while piece := connection.recv(65536):
            body += piece
    return int(re.search(rb'"message_id":(\d+)', body)[1])


def download(port, token, message_id, blocks):
    with dial(port, f"GET /messages/media/{message_id}?chat_id=me HTTP/1.1\r\nHost: bench\r\nConnection: close\r\n"
                    f"X-Session-String: {token}\r\n\r\n") as connection:
        size = len(answer_of(connection))
        buffer = bytearray(len(BLOCK))
        while n := connection.recv_into(buffer):
            size += n
    if size != blocks * len(BLOCK):
        raise Failed(f"{size} bytes of {blocks * len(BLOCK)} arrived")


def together(tasks):
    """Runs each in a thread; the first that failed is raised again. Their results, in order."""
    results, failures = [None] * len(tasks), []

    def run(i):
        try:
            results[i] = tasks[i]()
        except (Failed, OSError) as failure:
            failures.append(failure)

    threads = [threading.Thread(target=run, args=(i,)) for i in range(len(tasks))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if failures:
        raise Failed(str(failures[0]))
    return results


def timed(gateway, tasks):
    gateway.forget_peak()
    cpu_us, begin = gateway.cpu_us(), time.perf_counter()
    results = together(tasks)
    seconds, cpu_us = time.perf_counter() - begin, gateway.cpu_us() - cpu_us
    moved_mb = BLOCKS_OF_ALL * len(BLOCK) / MB
    return results, Moved(moved_mb / seconds, cpu_us / 1e6 / (moved_mb / 1000), gateway.peak_kib() / 1024)


def measure(gateway, tokens, n):
    """n uploads at once, then n downloads at once of the same files."""
    blocks = BLOCKS_OF_ALL // n
    port, tokens = gateway.port, tokens[:n]
    sent, up = timed(gateway, [lambda t=t: upload(port, t, blocks) for t in tokens])
    _, down = timed(gateway, [lambda t=t, m=m: download(port, t, m, blocks) for t, m in zip(tokens, sent)])
    return {"up": up, "down": down}


def sessions(gateway, sandbox, n):
    """An account each, warm."""
    api = Api(gateway.port)
    keys = [sandbox.mint(world.phone(i), 1)[0] for i in range(n)]
    return [api.call("GET", "/me", foreign_token(key, sandbox.port))[2] for key in keys]


def sealing_mb_per_second(program, seconds):
    done = subprocess.run([program, str(seconds)], capture_output=True, text=True, check=True)
    return {name: float(rate) for name, rate in (line.split("\t") for line in done.stdout.splitlines())}
