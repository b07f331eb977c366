#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Writes the vectors of this folder that come from foreign software.

Needs Telethon 1.42 (AES-IGE, key derivation, SRP, the older RSA padding, keys) and the rsa package it
brings; MTProto 1.0's derivation and RSA_PAD, which it lacks, are written out from the documentation on
hashlib and Python integers. Run it in this folder; the answers do not change from run to run.
"""
import hashlib
import os
import random
from unittest import mock

import rsa
from telethon import helpers, password
from telethon.crypto import AES, rsa as telegram_rsa
from telethon.network.mtprotostate import MTProtoState
from telethon.tl import types

rng = random.Random(20240209)

# The keys of today, which Telethon lacks: production and test servers (as @mtcute/core 0.31.0 has them).
CURRENT_KEYS = {
    0xd09d1d85de64fd85:
    "e8bb3305c0b52c6cf2afdf7637313489e63e05268e5badb601af417786472e5f93b85438968e20e6729a301c0afc121bf715"
    "1f834436f7fda680847a66bf64accec78ee21c0b316f0edafe2f41908da7bd1f4a5107638eeb67040ace472a14f90d9f7c2b"
    "7def99688ba3073adb5750bb02964902a359fe745d8170e36876d4fd8a5d41b2a76cbff9a13267eb9580b2d06d10357448d2"
    "0d9da2191cb5d8c93982961cdfdeda629e37f1fb09a0722027696032fe61ed663db7a37f6f263d370f69db53a0dc0a1748bd"
    "aaff6209d5645485e6e001d1953255757e4b8e42813347b11da6ab500fd0ace7e6dfa3736199ccaf9397ed0745a427dcfa6c"
    "d67bcb1acff3",
    0xb25898df208d2603:
    "c8c11d635691fac091dd9489aedced2932aa8a0bcefef05fa800892d9b52ed03200865c9e97211cb2ee6c7ae96d3fb0e15ae"
    "ffd66019b44a08a240cfdd2868a85e1f54d6fa5deaa041f6941ddf302690d61dc476385c2fa655142353cb4e4b59f6e5b658"
    "4db76fe8b1370263246c010c93d011014113ebdf987d093f9d37c2be48352d69a1683f8f6e6c2167983c761e3ab169fde5da"
    "aa12123fa1beab621e4da5935e9c198f82f35eae583a99386d8110ea6bd1abb0f568759f62694419ea5f69847c43462abef8"
    "58b4cb5edc84e7b9226cd7bd7e183aa974a712c079dde85b9dc063b8a5c08e8f859c0ee5dcd824c7807f20153361a7f63cfd"
    "2a433a1be7f5",
}


def sha1(*parts):
    return hashlib.sha1(b"".join(parts)).digest()


def sha256(*parts):
    return hashlib.sha256(b"".join(parts)).digest()


def write(name, comment, records):
    with open(name, "w") as out:
        out.write("# %s\n" % comment)
        for record in records:
            out.write("\n")
            for key, value in record.items():
                out.write("%s = %s\n" % (key, value.hex() if isinstance(value, bytes) else value))


def ige():
    for length in (16, 32, 48, 64, 240, 1024, 4096):
        key, iv, plain = rng.randbytes(32), rng.randbytes(32), rng.randbytes(length)
        yield {"key": key, "iv": iv, "plain": plain, "cipher": AES.encrypt_ige(plain, key, iv)}


def kdf1(auth_key, msg_key, x):
    a = sha1(msg_key, auth_key[x:x + 32])
    b = sha1(auth_key[32 + x:48 + x], msg_key, auth_key[48 + x:64 + x])
    c = sha1(auth_key[64 + x:96 + x], msg_key)
    d = sha1(msg_key, auth_key[96 + x:128 + x])
    return a[:8] + b[8:20] + c[4:16], a[8:20] + b[:8] + c[16:20] + d[:8]


def kdf():
    for length in (16, 64, 336):
        auth_key, plain = rng.randbytes(256), rng.randbytes(length)
        new_nonce, server_nonce = rng.randbytes(32), rng.randbytes(16)
        record = {"auth_key": auth_key, "plain": plain, "new_nonce": new_nonce, "server_nonce": server_nonce,
                  "auth_key_id": sha1(auth_key)[12:]}
        for side, client in (("client", True), ("server", False)):
            x = 0 if client else 8
            msg_key = sha256(auth_key[88 + x:120 + x], plain)[8:24]
            key, iv = MTProtoState._calc_key(auth_key, msg_key, client)
            msg_key1 = sha1(plain)[4:20]
            key1, iv1 = kdf1(auth_key, msg_key1, x)
            record.update({side + "_msg_key": msg_key, side + "_key": key, side + "_iv": iv,
                           side + "_key1": key1, side + "_iv1": iv1})
        record["msg_key1"] = msg_key1
        key, iv = helpers.generate_key_data_from_nonce(
            int.from_bytes(server_nonce, "little", signed=True), int.from_bytes(new_nonce, "little", signed=True))
        record.update({"handshake_key": key, "handshake_iv": iv})
        yield record


def rsa_pad(data, key):
    padded = data + rng.randbytes(192 - len(data))
    while True:
        temp_key = rng.randbytes(32)
        aes = AES.encrypt_ige(padded[::-1] + sha256(temp_key, padded), temp_key, bytes(32))
        block = bytes(a ^ b for a, b in zip(temp_key, sha256(aes))) + aes
        number = int.from_bytes(block, "big")
        if number < key.n:
            return pow(number, key.e, key.n).to_bytes(256, "big")


def rsa_encrypted():
    private = rsa.PrivateKey.load_pkcs1(open("rsa_test_key.pem", "rb").read())
    public = rsa.PublicKey(private.n, private.e)
    telegram_rsa.add_key(public.save_pkcs1(), old=False)
    fingerprint = telegram_rsa._compute_fingerprint(public)
    for length in (1, 96, 100, 144):
        data = rng.randbytes(length)
        with mock.patch("os.urandom", rng.randbytes):
            old = telegram_rsa.encrypt(fingerprint, data)
        yield {"fingerprint": fingerprint.to_bytes(8, "little", signed=True), "data": data,
               "pad": rsa_pad(data, public), "old": old}


def srp():
    prime = bytes.fromhex(open("auth_key_example.txt").read().split("answer_with_hash = ")[1].split()[0])[64:320]
    for text, g in (("correct horse battery staple", 3), ("пароль", 3), ("", 4), ("x", 7)):
        salt1, salt2, b = rng.randbytes(40), rng.randbytes(16), rng.randbytes(256)
        algo = types.PasswordKdfAlgoSHA256SHA256PBKDF2HMACSHA512iter100000SHA256ModPow(salt1, salt2, g, prime)
        x = password.compute_hash(algo, text)
        verifier = password.compute_digest(algo, text)
        p = int.from_bytes(prime, "big")
        k = int.from_bytes(sha256(prime, g.to_bytes(256, "big")), "big")
        srp_b = (k * int.from_bytes(verifier, "big") + pow(g, int.from_bytes(b, "big"), p)) % p
        srp_b = srp_b.to_bytes(256, "big")
        a = rng.randbytes(256)
        request = types.account.Password(new_algo=algo, new_secure_algo=None, secure_random=b"", current_algo=algo,
                                         srp_B=srp_b, srp_id=1, has_password=True)
        with mock.patch("os.urandom", lambda n: a):
            check = password.compute_check(request, text)
        yield {"password": text.encode(), "g": g, "prime": prime, "salt1": salt1, "salt2": salt2, "x": x,
               "verifier": verifier, "b": b, "srp_b": srp_b, "a": a, "srp_a": check.A, "m1": check.M1}


def fingerprints():
    for fingerprint, modulus in CURRENT_KEYS.items():
        key = rsa.PublicKey(int(modulus, 16), 65537)
        yield {"fingerprint": fingerprint.to_bytes(8, "little"), "modulus": bytes.fromhex(modulus),
               "pem": key.save_pkcs1().decode().strip().replace("\n", "|")}
    for fingerprint, (key, _old) in list(telegram_rsa._server_keys.items()):
        yield {"fingerprint": fingerprint.to_bytes(8, "little", signed=True),
               "modulus": key.n.to_bytes(256, "big"), "pem": key.save_pkcs1().decode().strip().replace("\n", "|")}


os.chdir(os.path.dirname(os.path.abspath(__file__)))
write("rsa_telegram_keys.txt", "Keys that Telegram has published, of today and of old; | stands for a line end.",
      fingerprints())
write("aes_ige.txt", "AES-256-IGE by Telethon.", ige())
write("kdf.txt", "Key derivation: 2.0 and the handshake by Telethon, 1.0 (key1, iv1) from the documentation.", kdf())
write("rsa_encrypted.txt", "Encrypted to rsa_test_key.pem: older padding by Telethon, RSA_PAD from the documentation.",
      rsa_encrypted())
write("srp.txt", "Two-step verification by Telethon, with the client's secret a held still.", srp())
