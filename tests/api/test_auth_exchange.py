# SPDX-License-Identifier: MIT
"""POST /auth/export and /auth/import: strings of other programs, judged by Telethon itself here, by the other programs'
own parsers in tests/vectors/gateway and tests/interop."""
import asyncio
import base64
import concurrent.futures
import json
import pathlib
import random
import socket
import struct

import pytest
from telethon.sessions import StringSession

from accounts import sign_up, unique
from client import API_HASH, API_ID, Api
from processes import DEADLINE_S, SECRETS
from test_telethon import connected

ROOT = pathlib.Path(__file__).resolve().parents[2]
FORMATS = ["telethon", "pyrogram", "mtcute"]


def export(client, format):
    answer = client.post("/auth/export", format=format)
    assert answer["format"] == format and "AUTH_KEY_DUPLICATED" in answer["warning"]
    SECRETS.text(answer["string"])
    return answer["string"]


def take(api, string, expect=200, **body):
    body = {"string": string, "api_id": API_ID, "api_hash": API_HASH, **body}
    return api.request("POST", "/auth/import", expect, session=False,
                       json={k: v for k, v in body.items() if v is not None}).json()


# ---- both ways ----


@pytest.mark.parametrize("named", [True, False])
@pytest.mark.parametrize("format", FORMATS)
def test_there_and_back(new_account, api, format, named):
    owner = new_account(dc=3)
    string = export(owner, format)
    told = take(api, string, format=format if named else "auto")
    assert told["format"] == format and told["user_id"] == owner.user_id and told["session_string"] == api.session
    text = unique("imported")
    api.send("me", text)
    assert owner.messages("me", limit=1)[0]["text"] == text


def test_gramjs(start_sandbox, start_gateway, connect, numbers, free_small_port):
    """GramJS cannot read the ports that the kernel gives to the shared sandbox."""
    sandbox = start_sandbox(dcs=1, options=["--listen", f"127.0.0.1:{free_small_port}"])
    gateway = start_gateway(at=sandbox)
    owner = sign_up(connect(gateway), numbers.new(2))
    string = export(owner, "gramjs")
    raw = base64.b64decode(string[1:], validate=True)
    dc, length = struct.unpack(">BH", raw[:3])
    assert (dc, raw[3 : 3 + length]) == (2, b"127.0.0.1")
    assert struct.unpack(">h", raw[3 + length : 5 + length])[0] == free_small_port and len(raw) == 5 + length + 256
    other = connect(gateway)
    assert take(other, string)["format"] == "gramjs" and other.get("/me")["id"] == owner.user_id


@pytest.fixture
def free_small_port():
    """A port below 32768 that nobody has: the kernel's own choices are above."""
    for port in random.Random().sample(range(20000, 32000), 200):
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
                return port
            except OSError:
                continue
    pytest.skip("all small ports are taken")


def test_gramjs_and_large_ports(new_account, sandbox):
    if min(sandbox.dcs.values()) < 32768:
        pytest.skip("the kernel gave a small port")
    told = new_account().error("POST", "/auth/export", 400, "EXPORT_IMPOSSIBLE", json={"format": "gramjs"})
    assert "32767" in told["detail"]


def test_our_own(new_account, api):
    owner = new_account()
    string = export(owner, "tgrest")
    told = take(api, string, api_id=None, api_hash=None)
    assert told["format"] == "tgrest" and api.get("/me")["id"] == owner.user_id


def test_telethon_reads_what_is_exported(new_account, sandbox):
    owner = new_account(dc=3)
    session = StringSession(export(owner, "telethon"))
    assert (session.dc_id, session.server_address, session.port) == (3, "127.0.0.1", sandbox.dcs[3])
    assert session.save() == owner.post("/auth/export", format="telethon")["string"]


def test_telethon_goes_on_with_it_and_gives_it_back(start_sandbox, start_gateway, connect, numbers):
    """The whole way: Telethon itself on the exported string, and its own string imported again."""
    sandbox = start_sandbox(dcs=1, options=["--schema", ROOT / "schema/layers/api-216.tl", "--schema", ROOT / "schema/api.tl"])
    gateway = start_gateway(at=sandbox)
    owner = sign_up(connect(gateway), numbers.new(2))
    texts = [unique("from telethon"), unique("from the gateway")]

    async def telethon_sends(string):
        async with connected(sandbox, string) as client:
            assert (await client.get_me()).id == owner.user_id
            await client.send_message("me", texts[0])
            return client.session.save()

    string = asyncio.run(asyncio.wait_for(telethon_sends(export(owner, "telethon")), DEADLINE_S))
    other = connect(gateway)
    assert take(other, string)["user_id"] == owner.user_id
    other.send("me", texts[1])
    assert [m["text"] for m in other.messages("me", limit=2)] == texts[::-1]


def test_pyrogram_strings_hold_the_account(new_account):
    owner = new_account()
    string = export(owner, "pyrogram")
    assert len(string) == 362
    dc, api_id, test, key, user_id, is_bot = struct.unpack(">BI?256sQ?", base64.urlsafe_b64decode(string + "=="))
    assert (dc, api_id, test, user_id, is_bot) == (2, API_ID, False, owner.user_id, False) and any(key)


def test_a_bot_says_that_it_is_one(api, control):
    token = control.run("bot exported_test_bot")[0].split()[-1]
    SECRETS.text(token)
    api.request("POST", "/auth/bot", session=False, json={"bot_token": token, "api_id": API_ID, "api_hash": API_HASH})
    string = export(api, "pyrogram")
    assert base64.urlsafe_b64decode(string + "==")[-1] == 1


# ---- what is checked ----


@pytest.mark.parametrize("row", json.loads((ROOT / "tests/vectors/gateway/strings.json").read_text()), ids=lambda r: r["host"])
def test_strings_of_the_programs_themselves(api, row):
    """Read without asking Telegram; asked, it knows nothing of them."""
    for column in ("telethon", "pyrogram", "pyrogram_356", "gramjs", "mtcute"):
        if row["test"] and column not in ("telethon", "gramjs"):
            take(api, row[column], 401, check=False)
            assert api.last.json()["error"] == "SESSION_OTHER_NETWORK"
            continue
        told = take(api, row[column], check=False)
        assert told["format"] == column.split("_")[0]
        known = column.startswith("pyrogram") or column == "mtcute"
        assert told["user_id"] == (row["user_id"] if known else None)


def test_a_dead_string_is_told(new_account, api):
    owner = new_account()
    string = export(owner, "telethon")
    owner.delete("/auth/logout")
    take(api, string, 401)
    assert api.last.json()["error"] == "AUTH_KEY_UNREGISTERED"
    assert take(api, string, check=False)["user_id"] is None


def test_credentials_that_are_missing(new_account, api):
    owner = new_account()
    telethon, pyrogram = export(owner, "telethon"), export(owner, "pyrogram")
    assert take(api, telethon, 400, api_id=None)["field"] == "api_id"
    assert take(api, telethon, 400, api_hash=None)["field"] == "api_hash"
    assert take(api, pyrogram, 400, api_hash=None)["field"] == "api_hash"
    assert take(api, pyrogram, api_id=None)["user_id"] == owner.user_id


@pytest.mark.parametrize("string, format", [
    ("nonsense", "auto"), ("1", "telethon"), ("1" + "A" * 352, "telethon"), ("A" * 362, "pyrogram"), ("AwAA", "mtcute"),
    ("tgr1.AAAA", "auto"), ("tgr1.AAAA", "tgrest"), ("1AAAA:AAAA", "auto"), ("é" * 100, "auto"), ("=" * 362, "auto"),
])
def test_strings_that_are_none(api, string, format):
    told = take(api, string, 400, format=format)
    assert told["error"] == "INVALID_PARAMETER" and told["field"] == "string"


def test_a_string_of_another_format(new_account, api):
    string = export(new_account(), "telethon")
    for format in ("pyrogram", "gramjs", "mtcute", "tgrest"):
        assert take(api, string, 400, format=format)["field"] == "string"


def test_an_unfinished_login_is_no_session(api, numbers, connect, gateway):
    api.send_code(numbers.new())
    told = take(connect(gateway), api.session, 400)
    assert told["field"] == "string"


@pytest.mark.parametrize("body", [{}, {"format": "session"}, {"format": "auto"}, {"format": 5}])
def test_export_wants_a_format(alice, body):
    assert alice.error("POST", "/auth/export", 400, "INVALID_PARAMETER", json=body)["field"] == "format"


def test_narrowed_strings_are_not_given_away(new_account, connect, gateway, api):
    owner = new_account()
    narrowed = connect(gateway, owner.post("/auth/restrict", read_only=True)["session_string"])
    for format in ("telethon", "tgrest"):
        narrowed.error("POST", "/auth/export", 403, "SCOPE_ACCOUNT", json={"format": format})
    take(api, narrowed.session, 403)
    assert api.last.json()["error"] == "SCOPE_ACCOUNT"


def test_many_imports_of_one_key_at_once(new_account, start_gateway):
    """Each is handed to the worker that owns the key, or Telegram would kill it."""
    owner = new_account()
    string = export(owner, "telethon")
    gateway = start_gateway(workers=4)

    def once(_):
        with Api(gateway) as client:
            return take(client, string)["user_id"]

    # The shared gateway's own connection must be gone first: one key, one connection.
    owner_elsewhere = owner.at(gateway)
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        assert set(pool.map(once, range(24))) == {owner.user_id}
    assert owner_elsewhere.get("/me")["id"] == owner.user_id
    owner_elsewhere.close()
