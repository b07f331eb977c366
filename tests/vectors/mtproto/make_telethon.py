# SPDX-License-Identifier: MIT
"""Writes telethon.txt: messages sealed and streams framed by Telethon 1.42 (pip install telethon).

    python3 make_telethon.py > telethon.txt
"""
import hashlib
import random
import struct

from telethon.crypto import AES, AuthKey
from telethon.network import mtprotostate
from telethon.network.connection import tcpabridged, tcpfull, tcpintermediate, tcpobfuscated


class Loggers(dict):
    def __missing__(self, name):
        import logging
        return logging.getLogger(name)


random.seed(1)  # of the padded transport
NOW = 1767225600
dice = random.Random(20260101)
mtprotostate.os.urandom = dice.randbytes  # so that each run writes the same
mtprotostate.time.time = lambda: NOW
tcpobfuscated.os.urandom = dice.randbytes
tcpintermediate.os.urandom = dice.randbytes


def state_of(key):
    state = mtprotostate.MTProtoState(AuthKey(key), Loggers())
    state.salt = dice.getrandbits(63)
    state.id = dice.getrandbits(63)
    return state


def seal_as_server(state, data):
    """Telethon only opens this direction; what this writes is proven by opening it."""
    plain = struct.pack("<qq", state.salt, state.id) + data
    plain += dice.randbytes(-(len(plain) + 12) % 16 + 12)
    key = state.auth_key
    msg_key = hashlib.sha256(key.key[96:128] + plain).digest()[8:24]
    aes_key, aes_iv = state._calc_key(key.key, msg_key, False)
    sealed = struct.pack("<Q", key.key_id) + msg_key + AES.encrypt_ige(plain, aes_key, aes_iv)
    assert state.decrypt_message_data(sealed) is not None
    return sealed


def messages():
    for length in (4, 8, 12, 16, 20, 100, 1000, 4096):
        for server in (False, True):
            state = state_of(dice.randbytes(256))
            msg_id = NOW << 32 | (1 if server else 0)
            seq_no = dice.randrange(1, 1000) * 2 + 1
            # A server's message must be something that Telethon's schema can read: pong.
            body = dice.randbytes(length)
            if server:
                body = struct.pack("<Iqq", 0x347773C5, 5, dice.getrandbits(60))
            data = struct.pack("<qii", msg_id, seq_no, len(body)) + body
            sealed = seal_as_server(state, data) if server else state.encrypt_message_data(data)
            print("message", int(server), state.auth_key.key.hex(), state.salt, state.id, msg_id,
                  seq_no, body.hex(), sealed.hex())


class Recorder:
    """In place of the socket."""

    def __init__(self):
        self.sent = b""
        self._writer = self
        self._reader = self
        self._dc_id = 2

    def write(self, data):
        self.sent += data


def streams():
    payloads = [dice.randbytes(24 + 16 * n) for n in (1, 2, 31, 32, 200)]
    payloads = [b"\x01" + p[1:] for p in payloads]
    for name, codec in (
        ("full", tcpfull.FullPacketCodec),
        ("abridged", tcpabridged.AbridgedPacketCodec),
        ("intermediate", tcpintermediate.IntermediatePacketCodec),
        ("padded", tcpintermediate.RandomizedIntermediatePacketCodec),
    ):
        connection = Recorder()
        packet_codec = codec(connection)
        if name != "padded":  # which Telethon speaks obfuscated only
            data = packet_codec.tag or b""
            for p in payloads:
                data += packet_codec.encode_packet(p)
            print("stream", name, 0, data.hex(), *(p.hex() for p in payloads))
        if name == "full":
            continue
        connection.packet_codec = codec(connection)
        io = tcpobfuscated.ObfuscatedIO(connection)
        connection.write(bytes(io.header))
        for p in payloads:
            io.write(connection.packet_codec.encode_packet(p))
        print("stream", name, 1, connection.sent.hex(), *(p.hex() for p in payloads))


messages()
streams()
