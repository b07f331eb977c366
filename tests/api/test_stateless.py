# SPDX-License-Identifier: MIT
"""The gateway keeps nothing: any replica with the key file goes on where another one was, even dead."""
import base64
import concurrent.futures
import itertools

import pytest

from accounts import code_of, set_password, sign_up, unique
from client import Api
from commands import inspect, run
from processes import SECRETS, Gateway, wait_until


@pytest.fixture
def replicas(binary, sandbox, key_file, gateway, connect):
    """A client for each step: the gateway of the one before is killed, as a crash would."""
    alive = []

    def go_on(client=None):
        while alive:
            alive.pop().kill()
        alive.append(Gateway(binary, sandbox, key_file))
        return client.at(alive[0]) if client else connect(alive[0])

    yield go_on
    while alive:
        alive.pop().stop()


# ---- a login over gateways that die ----


def test_login_with_a_crash_between_every_two_steps(replicas, new_account):
    phone = new_account().phone
    client = replicas()
    client.send_code(phone)
    client = replicas(client)
    assert client.verify_code(code_of(phone))["next_step"] == "completed"
    client = replicas(client)
    text = unique("after the crash")
    sent = client.send("me", text)
    client = replicas(client)
    assert client.message("me", sent["message_id"])["text"] == text
    client = replicas(client)
    client.delete("/auth/logout")
    client = replicas(client)
    client.error("GET", "/chats", 401, "AUTH_KEY_UNREGISTERED")


def test_two_factor_login_with_a_crash_between_every_two_steps(replicas, new_account):
    account = new_account()
    password = unique("crash password")
    set_password(account, password)
    client = replicas()
    client.send_code(account.phone)
    client = replicas(client)
    assert client.verify_code(code_of(account.phone))["next_step"] == "verify_password"
    client = replicas(client)
    client.error("POST", "/auth/verify_password", 400, "PASSWORD_HASH_INVALID", json={"password": "a wrong password"})
    client = replicas(client)
    assert client.verify_password(password)["next_step"] == "completed"
    client = replicas(client)
    assert client.get("/me")["id"] == account.user_id


def test_sign_up_with_a_crash_between_every_two_steps(replicas, numbers):
    phone = numbers.new()
    client = replicas()
    client.send_code(phone)
    client = replicas(client)
    assert client.verify_code(code_of(phone))["next_step"] == "sign_up"
    client = replicas(client)
    assert client.verify_code(code_of(phone), first_name="Phoenix")["next_step"] == "completed"
    client = replicas(client)
    assert client.call("users.getUsers", id=["me"])[0]["first_name"] == "Phoenix"


def test_a_migrated_login_with_a_crash_between_every_two_steps(replicas, numbers):
    phone = numbers.new(dc=3)
    client = replicas()
    client.send_code(phone)
    client = replicas(client)
    assert client.verify_code(code_of(phone), first_name="Far")["next_step"] == "completed"
    client = replicas(client)
    assert client.get("/me")["id"]


# ---- keys of the gateway ----


def test_another_key_answers_401(binary, start_gateway, tmp_path, new_account):
    client = new_account()
    stranger = client.at(start_gateway(key_file=tmp_path / "other.key"))
    stranger.error("GET", "/chats", 401, "SESSION_UNKNOWN_KEY")
    stranger.close()


def test_the_key_file_is_private(gateway, key_file):
    assert key_file.stat().st_mode & 0o777 == 0o600


def test_a_key_in_the_environment(binary, sandbox, key_file, new_account):
    client = new_account()
    with Gateway(binary, sandbox, env={"TGREST_KEY": key_file.read_text()}) as replica:
        with client.at(replica) as there:
            assert there.get("/me")["id"] == client.user_id


def test_keys_rotate(binary, start_gateway, key_file, tmp_path, new_account):
    """A new key in the first line seals; the old one still opens, and its strings come back re-sealed."""
    client = new_account()
    new_key = run(binary, "keygen").stdout.strip()
    SECRETS.text(new_key)
    rotated = tmp_path / "rotated.key"
    rotated.write_text(new_key + "\n" + key_file.read_text())
    rotated.chmod(0o600)
    replica = start_gateway(key_file=rotated)
    there = client.at(replica)
    assert inspect(binary, rotated, client.session)["sealed_with_old_key"] is True
    there.get("/chats")
    resealed = there.last.headers["x-session-string"]
    assert resealed != client.session
    assert inspect(binary, rotated, resealed)["sealed_with_old_key"] is False
    there.get("/chats")
    assert "x-session-string" not in there.last.headers
    # Whoever has the new key alone opens the new string and not the old one.
    only_new = tmp_path / "new.key"
    only_new.write_text(new_key + "\n")
    only_new.chmod(0o600)
    last = start_gateway(key_file=only_new)
    with Api(last, resealed) as fresh, Api(last, client.session) as stale:
        assert fresh.get("/me")["id"] == client.user_id
        stale.error("GET", "/me", 401, "SESSION_UNKNOWN_KEY")
    there.close()


# ---- strings that nobody sealed ----


def damaged(session):
    body = session[len("tgr1."):]
    yield "", "NO_SESSION"
    yield "nonsense", "SESSION_MALFORMED"
    yield "tgr1.", None
    yield "tgr1." + "A" * len(body), None
    yield session[:-1], None
    yield session[: len(session) // 2], None
    yield session + "A", None
    yield "tgr2." + body, None
    for at in (0, 5, len(body) // 2, len(body) - 2):
        flipped = "B" if body[at] != "B" else "C"
        yield "tgr1." + body[:at] + flipped + body[at + 1:], None


def test_forged_and_cut_strings_answer_401(new_account, gateway):
    client = new_account()
    for text, name in damaged(client.session):
        answer = client.request("GET", "/chats", 401, headers={"X-Session-String": text})
        error = answer.json()["error"]
        assert error == name if name else error.startswith("SESSION_"), (text[:20], error)
    assert client.get("/me")["id"] == client.user_id


def test_every_flipped_bit_is_noticed(new_account):
    client = new_account()
    raw = client.session[len("tgr1."):]
    for at in range(0, len(raw), 7):
        text = "tgr1." + raw[:at] + ("A" if raw[at] != "A" else "Q") + raw[at + 1:]
        error = client.request("GET", "/me", 401, headers={"X-Session-String": text}).json()["error"]
        assert error in ("SESSION_FORGED", "SESSION_UNKNOWN_KEY", "SESSION_MALFORMED", "SESSION_UNSUPPORTED")


def test_a_string_fits_the_header_that_proxies_take(new_account):
    assert len(new_account().session) < 4096


# ---- two replicas serve one session in turn ----


def test_replicas_in_turn_never_trip_auth_key_duplicated(start_gateway, sandbox, control, new_account):
    """With --warm off the connection to Telegram closes before the answer is given, so that the other
    replica, asked right after, is never in parallel."""
    pair = [start_gateway(warm="off"), start_gateway(warm="off")]
    users = [new_account(at=pair[0]) for _ in range(4)]
    before = control.stats()["duplicated"]

    def alternate(user):
        clients = [user.at(replica) for replica in pair]
        ids = []
        for client in itertools.islice(itertools.cycle(clients), 60):
            ids.append(client.send("me", unique("in turn"))["message_id"])
        for client in clients:
            client.close()
        return ids

    with concurrent.futures.ThreadPoolExecutor(len(users)) as pool:
        for ids in pool.map(alternate, users):
            assert ids == sorted(set(ids)) and len(ids) == 60
    assert control.stats()["duplicated"] == before


def test_without_warmth_nothing_stays_open(start_sandbox, start_gateway, numbers, connect):
    sandbox = start_sandbox()
    client = sign_up(connect(start_gateway(at=sandbox, warm="off")), numbers.new())
    for _ in range(5):
        client.get("/chats")
        # It is closed before the answer is given; the sandbox hears of it on another socket.
        wait_until(lambda: sandbox.control.stats()["connections_open"] == 0, "the connection to close")


def test_warm_replicas_one_after_the_other(start_gateway, new_account):
    """Not in parallel, so even warm ones may follow each other."""
    pair = [start_gateway(), start_gateway()]
    user = new_account(at=pair[0])
    clients = [user.at(replica) for replica in pair]
    for client in clients * 5:
        assert client.get("/me")["id"] == user.user_id
    for client in clients:
        client.close()


# ---- strings of the older project ----

MASK = base64.b64decode("v1KvK4AGqhWQUm9L87Dh7PzPKl2EQeQA3J0H2InPMUo=")


def old_token(dc, auth_key, api_id, api_hash, ip=b"\x7f\x00\x00\x01", port=443):
    """As that project wrote it: a Telethon string, ':', the masked credentials."""
    telethon = "1" + base64.urlsafe_b64encode(bytes([dc]) + ip + port.to_bytes(2, "big") + auth_key).decode()
    plain = api_id.to_bytes(8, "big") + bytes([len(api_hash)]) + api_hash.encode()
    masked = bytes(b ^ MASK[i % len(MASK)] for i, b in enumerate(plain))
    token = telethon + ":" + base64.urlsafe_b64encode(masked).decode()
    SECRETS.text(token)
    return token


@pytest.fixture
def secrets_of(binary, key_file):
    def read(client):
        held = inspect(binary, key_file, client.session, "--secrets")
        return held["dc"], bytes.fromhex(held["auth_key"]), held["api_id"], held["api_hash"]

    return read


@pytest.mark.parametrize("dc, ip", [(2, b"\x7f\x00\x00\x01"), (3, b"\x7f\x00\x00\x01"), (2, b"\x00" * 15 + b"\x01")])
def test_a_string_of_the_older_project_is_taken(new_account, connect, gateway, secrets_of, binary, key_file, dc, ip):
    client = new_account(dc=dc)
    mover = connect(gateway, old_token(*secrets_of(client), ip=ip))
    assert mover.get("/me")["id"] == client.user_id
    sealed = mover.last.headers["x-session-string"]
    assert sealed.startswith("tgr1.")
    assert inspect(binary, key_file, sealed)["dc"] == dc
    text = unique("moved over")
    mover.send("me", text)
    assert client.messages("me", limit=1)[0]["text"] == text


def test_export_and_import_go_round(binary, key_file, new_account, connect, gateway):
    client = new_account()
    exported = run(binary, "session", "export", "--secrets", "--key-file", key_file, given=client.session).stdout.strip()
    SECRETS.text(exported)
    telethon, credentials = exported.split(":")
    assert telethon.startswith("1") and len(base64.urlsafe_b64decode(telethon[1:])) == 263
    masked = base64.urlsafe_b64decode(credentials)
    plain = bytes(b ^ MASK[i % len(MASK)] for i, b in enumerate(masked))
    held = inspect(binary, key_file, client.session, "--secrets")
    assert int.from_bytes(plain[:8], "big") == held["api_id"] and plain[9:].decode() == held["api_hash"]
    assert connect(gateway, exported).get("/me")["id"] == client.user_id
    imported = run(binary, "session", "import", "--key-file", key_file, given=exported).stdout.strip()
    SECRETS.text(imported)
    assert connect(gateway, imported).get("/me")["id"] == client.user_id


@pytest.mark.parametrize("spoil", [
    lambda t: t.split(":")[0] + ":",
    lambda t: t[:-8],
    lambda t: t[0] + t[5:],
    lambda t: "2" + t[1:],
    lambda t: t.replace(":", ";"),
    lambda t: t + ":" + t,
])
def test_a_spoilt_string_of_the_older_project(new_account, connect, gateway, secrets_of, spoil):
    client = new_account()
    mover = connect(gateway, spoil(old_token(*secrets_of(client))))
    error = mover.request("GET", "/me", 401).json()["error"]
    assert error == "SESSION_MALFORMED"


def test_an_unknown_key_of_the_older_project(connect, gateway):
    mover = connect(gateway, old_token(2, bytes(range(256)), 17349, "0" * 32))
    mover.error("GET", "/me", 401, "AUTH_KEY_UNREGISTERED")
