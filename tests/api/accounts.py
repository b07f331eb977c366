# SPDX-License-Identifier: MIT
"""Accounts, chats and passwords, made over the API alone."""
import base64
import hashlib
import itertools
import os
import secrets

from processes import SECRETS


class Numbers:
    """Phone numbers that nobody has yet, in the form of Telegram's test servers: 99966, the data centre,
    four digits. The demo world's own are below 5000."""

    def __init__(self):
        self._next = {dc: itertools.count(5001) for dc in (1, 2, 3)}

    def new(self, dc=2):
        return f"99966{dc}{next(self._next[dc]):04d}"


def code_of(phone):
    """What such a number is sent: its data centre's digit, five times."""
    return phone[5] * 5


def sign_up(client, phone, first_name="Test", **names):
    client.send_code(phone)
    answer = client.verify_code(code_of(phone), first_name=first_name, **names)
    assert answer["next_step"] == "completed", answer
    client.phone = phone
    client.user_id = client.get("/me")["id"]
    return client


def log_in(client, phone, password=None):
    client.send_code(phone)
    answer = client.verify_code(code_of(phone))
    if password is not None:
        assert answer["next_step"] == "verify_password", answer
        answer = client.verify_password(password)
    assert answer["next_step"] == "completed", answer
    client.phone = phone
    client.user_id = client.get("/me")["id"]
    return client


# ---- two-factor passwords: https://core.telegram.org/api/srp, with Python's own numbers ----


def _salted(data, salt):
    return hashlib.sha256(salt + data + salt).digest()


def password_hash(password, salt1, salt2):
    once = _salted(_salted(password.encode(), salt1), salt2)
    return _salted(hashlib.pbkdf2_hmac("sha512", once, salt1, 100000), salt2)


def set_password(client, password, hint=""):
    """Protects an account that has no password yet."""
    SECRETS.text(password)
    algo = client.call("account.getPassword")["new_algo"]
    salt1 = base64.b64decode(algo["salt1"]) + os.urandom(32)
    salt2 = base64.b64decode(algo["salt2"])
    p = int.from_bytes(base64.b64decode(algo["p"]), "big")
    verifier = pow(algo["g"], int.from_bytes(password_hash(password, salt1, salt2), "big"), p)
    done = client.call(
        "account.updatePasswordSettings",
        password={"_": "inputCheckPasswordEmpty"},
        new_settings={
            "_": "account.passwordInputSettings",
            "new_algo": {**algo, "salt1": base64.b64encode(salt1).decode()},
            "new_password_hash": base64.b64encode(verifier.to_bytes(256, "big")).decode(),
            "hint": hint,
        },
    )
    assert done is True, done


# ---- texts and chats ----


def unique(word="text"):
    """A text that no other message has."""
    text = f"{word} {secrets.token_hex(6)}"
    SECRETS.text(text)
    return text


def new_group(owner, *members, title="Group"):
    """A basic group; the members are chat_ids that the owner knows. Its marked id."""
    answer = owner.call("messages.createChat", users=list(members), title=title)
    return -int(answer["updates"]["chats"][0]["id"])


def new_channel(owner, title="Channel", about="", megagroup=False, username=None):
    """A channel, or a supergroup. Its marked id."""
    kind = {"megagroup": True} if megagroup else {"broadcast": True}
    answer = owner.call("channels.createChannel", title=title, about=about, **kind)
    marked = -(10**12) - int(answer["chats"][0]["id"])
    if username:
        assert owner.call("channels.updateUsername", channel=marked, username=username) is True
    return marked


def invite_link(owner, chat_id, **options):
    answer = owner.call("messages.exportChatInvite", peer=chat_id, **options)
    return answer["link"]
