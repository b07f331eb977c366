# SPDX-License-Identifier: MIT
"""Proxies on the loopback interface: SOCKS5 and HTTP by pproxy, which nobody here wrote, and an MTProxy of a
page's length, which Telethon's own client is held against."""
import asyncio
import contextlib
import hashlib
import socket
import struct
import threading

import pproxy
import pyaes

from processes import DEADLINE_S


class Loop:
    """An event loop on a thread of its own, and the server that runs there, if there is one."""

    _server = None

    def __enter__(self):
        self.loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self.loop.run_forever, daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *_):
        self.run(self._end())
        self.loop.call_soon_threadsafe(self.loop.stop)
        self._thread.join()
        self.loop.close()

    def run(self, coroutine):
        return asyncio.run_coroutine_threadsafe(coroutine, self.loop).result(DEADLINE_S)

    async def _end(self):
        # On the loop's thread: a server that is closed by one while another drops its last connection wakes up twice.
        if self._server:
            self._server.close()
        tasks = [t for t in asyncio.all_tasks() if t is not asyncio.current_task()]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


class Tunnel(Loop):
    """A SOCKS5 or HTTP proxy; `connections` says where it was asked to go."""

    def __init__(self, scheme, credentials=None):
        self._url = f"{scheme}://127.0.0.1:0/" + (f"#{credentials}" if credentials else "")
        self.scheme = scheme
        self.said = []

    def __enter__(self):
        super().__enter__()
        server = pproxy.Server(self._url)
        # authtime: it would take a client for authenticated that was once.
        options = {"rserver": [], "verbose": self.said.append, "authtime": -1}
        self._server = self.run(server.start_server(options))
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    def went_to(self, port):
        return sum(f":{port}" in str(line) for line in self.said)


class SlowLine(Loop):
    """To a port, at so many bytes a second; back at once."""

    def __init__(self, port, bytes_a_second):
        self._port = port
        self._rate = bytes_a_second

    def __enter__(self):
        super().__enter__()
        listener = socket.socket()
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 65536)  # or the kernel is where the line ends
        listener.bind(("127.0.0.1", 0))
        self.port = listener.getsockname()[1]
        self._server = self.run(asyncio.start_server(self._serve, sock=listener, limit=16384))
        return self

    async def _serve(self, reader, writer):
        far_reader, far_writer = await asyncio.open_connection("127.0.0.1", self._port)
        with contextlib.suppress(asyncio.CancelledError):
            await asyncio.gather(self._pass(reader, far_writer, self._rate), self._pass(far_reader, writer, None))

    @staticmethod
    async def _pass(reader, writer, rate):
        try:
            while data := await reader.read(16384):
                writer.write(data)
                await writer.drain()
                if rate:
                    await asyncio.sleep(len(data) / rate)  # the line, not a wait for anything
        except OSError:
            pass
        finally:
            writer.close()


class Link:
    """A network between one client and a port, on the client's own loop, that can be cut: connections end, and new
    ones get no further than here until it is mended."""

    def __init__(self, port):
        self._to = port
        self._writers = set()
        self._mended = asyncio.Event()
        self._mended.set()

    async def __aenter__(self):
        self._server = await asyncio.start_server(self._accept, "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *_):
        self._server.close()
        self.cut()

    def cut(self):
        self._mended.clear()
        for writer in self._writers:
            writer.transport.abort()

    def mend(self):
        self._mended.set()

    async def _accept(self, reader, writer):
        self._writers.add(writer)
        await self._mended.wait()
        there, there_writer = await asyncio.open_connection("127.0.0.1", self._to)
        self._writers.add(there_writer)
        await asyncio.gather(self._carry(reader, there_writer), self._carry(there, writer))
        self._writers -= {writer, there_writer}

    @staticmethod
    async def _carry(reader, writer):
        with contextlib.suppress(OSError):
            while data := await reader.read(65536):
                writer.write(data)
                await writer.drain()
        writer.close()


class Ctr:
    def __init__(self, key, iv):
        self._aes = pyaes.AESModeOfOperationCTR(key, pyaes.Counter(int.from_bytes(iv, "big")))

    def __call__(self, data):
        return self._aes.encrypt(data)


class MtProxy(Loop):
    """https://core.telegram.org/mtproto/mtproto-transports#transport-obfuscation: takes off the obfuscation, and goes
    on to the data centre that the client names."""

    TAGS = {b"\xdd\xdd\xdd\xdd": "padded", b"\xee\xee\xee\xee": "intermediate", b"\xef\xef\xef\xef": "abridged"}

    def __init__(self, secret, dcs):
        self._secret = secret
        self._dcs = dcs
        self.seen = []  # (transport, data centre)
        self.refused = 0

    def __enter__(self):
        super().__enter__()
        self._server = self.run(self._listen())
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def _listen(self):
        return await asyncio.start_server(self._serve, "127.0.0.1", 0)

    def _stream(self, material):
        return Ctr(hashlib.sha256(material[:32] + self._secret).digest(), material[32:48])

    async def _serve(self, reader, writer):
        try:
            header = await reader.readexactly(64)
            incoming, outgoing = self._stream(header[8:56]), self._stream(header[55:7:-1])
            plain = incoming(header)
            tag, (dc,) = plain[56:60], struct.unpack("<h", plain[60:62])
            if tag not in self.TAGS or abs(dc) not in self._dcs:
                self.refused += 1
                return
            self.seen.append((self.TAGS[tag], dc))
            far_reader, far_writer = await asyncio.open_connection("127.0.0.1", self._dcs[abs(dc)])
            far_writer.write(tag[:1] if tag[0] == 0xEF else tag)
            await asyncio.gather(self._pass(reader, far_writer, incoming), self._pass(far_reader, writer, outgoing))
        except (OSError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()

    @staticmethod
    async def _pass(reader, writer, change):
        try:
            while data := await reader.read(65536):
                writer.write(change(data))
                await writer.drain()
        finally:
            writer.close()
