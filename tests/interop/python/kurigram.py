# SPDX-License-Identifier: MIT
"""Kurigram clients that know one sandbox, by the library's own settings: its storage and its table of keys."""
import asyncio
import base64
import contextlib
import hashlib
import itertools
import re
import struct

from pyrogram import Client, handlers
from pyrogram.connection.transport import TCPAbridged
from pyrogram.crypto import rsa
from pyrogram.storage import SQLiteStorage

API_ID = 1
API_HASH = "0123456789abcdef0123456789abcdef"
EVENT_SECONDS_MAX = 20  # for what another client is to hear of

phones = itertools.count(79990002000)


class SandboxStorage(SQLiteStorage):
    """A session file whose data centres are the sandbox's: a new session of the library begins at production."""

    def __init__(self, name, workdir, dcs):
        super().__init__(name, workdir)
        self.dcs = dcs

    async def server_address(self, value=object):
        return "127.0.0.1" if value is object else None

    async def port(self, value=object):
        return self.dcs[await self.dc_id()] if value is object else None


def read_der(data, at=0):
    """The contents of the DER value there, and where the next begins."""
    length, at = data[at + 1], at + 2
    if length & 0x80:
        size = length & 0x7F
        length, at = int.from_bytes(data[at:at + size], "big"), at + size
    return data[at:at + length], at + length


def tl_bytes(data):
    head = bytes([len(data)]) if len(data) < 254 else b"\xfe" + len(data).to_bytes(3, "little")
    return head + data + bytes(-(len(head) + len(data)) % 4)


def trust(pem):
    """Adds the sandbox's key to the ones that the library knows."""
    body, _ = read_der(base64.b64decode(re.sub(r"-----.*?-----|\s", "", pem.read_text())))
    modulus, at = read_der(body)
    exponent, _ = read_der(body, at)
    modulus = modulus.lstrip(b"\0")
    digest = hashlib.sha1(tl_bytes(modulus) + tl_bytes(exponent)).digest()
    fingerprint = struct.unpack("<q", digest[-8:])[0]
    rsa.server_public_keys[fingerprint] = rsa.PublicKey(
        int.from_bytes(modulus, "big"), int.from_bytes(exponent, "big"))


class World:
    """A sandbox, and a folder for the session files of its clients."""

    def __init__(self, sandbox, workdir):
        self.sandbox, self.workdir = sandbox, workdir
        self.names = itertools.count()
        trust(sandbox.public_key)

    def client(self, transport=TCPAbridged, name=None, link=None, **options):
        name = name or f"client{next(self.names)}"
        dcs = {dc: link.port for dc in self.sandbox.dcs} if link else self.sandbox.dcs
        storage = SandboxStorage(name, self.workdir, dcs)
        return Client(name, API_ID, API_HASH, storage_engine=storage, protocol_factory=transport,
                      skip_updates=False, loop=asyncio.get_running_loop(), **options)

    def code(self, phone):
        return self.sandbox.control.run(f"codes {phone}")[-1].split()[1]

    @contextlib.asynccontextmanager
    async def connected(self, **options):
        """A client that is logged in nowhere yet."""
        client = self.client(**options)
        await client.connect()
        try:
            yield client
        finally:
            await client.disconnect()

    async def sign_up(self, first_name="Ann", **options):
        """A new account; the client that made it is gone, its session file is there: give it to running()."""
        phone = str(next(phones))
        async with self.connected(**options) as client:
            sent = await client.send_phone_number_code(phone)
            terms = await client.sign_in(phone, sent.phone_code_hash, self.code(phone))
            user = await client.sign_up(phone, sent.phone_code_hash, first_name, "Kurigram")
            assert await client.accept_terms_of_service(terms.id)
            assert user.first_name == first_name
            return Account(self, client.name, phone, user.id)


class Account:
    def __init__(self, world, name, phone, user_id):
        self.world, self.name, self.phone, self.id = world, name, phone, user_id

    @contextlib.asynccontextmanager
    async def running(self, **options):
        """The client as programs run it, with updates; what it hears is in client.heard."""
        client = self.world.client(name=self.name, **options)
        client.heard = Heard(client)
        await client.start()
        try:
            yield client
        finally:
            await client.stop()


class Heard:
    """The new messages that a client hears of, in order."""

    def __init__(self, client):
        self.queue = asyncio.Queue()
        self.texts = []
        client.add_handler(handlers.MessageHandler(self._add))

    async def _add(self, _, message):
        self.texts.append(message.text)
        await self.queue.put(message)

    async def next(self, text):
        while True:
            message = await asyncio.wait_for(self.queue.get(), EVENT_SECONDS_MAX)
            if message.text == text:
                return message
